"""A user's script for easytrader's miniqmt client: ``drive_easytrader.py RESULT first|second`` (day)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import easytrader

RESULT, DAY = sys.argv[1:]

user = easytrader.use("miniqmt")
user.connect(miniqmt_path=r"D:\miniqmt\userdata_mini", stock_account="1000000365")
found: dict[str, Any] = {"opening": user.position}
if DAY == "first":
    filled, resting = user.buy("600000", price=10.02, amount=500), user.buy("600000", price=9.90, amount=200)
    found["resting"] = user.balance
    found["canceled"] = [user.cancel_entrust(entrust["entrust_no"]) for entrust in (resting, filled)]
    found["sent"] = [filled, resting]
    found["sent"] += [user.sell("600000", price=10.00, amount=100), user.market_buy("000001", amount=200)]
else:
    found["sent"] = [user.sell("600000", price=10.00, amount=500)]
found.update(position=user.position, entrusts=user.today_entrusts, trades=user.today_trades, balance=user.balance)
Path(RESULT).write_text(json.dumps(found), encoding="utf-8")
