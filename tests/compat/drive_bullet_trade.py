"""A user's script for BulletTrade's broker of miniQMT: ``drive_bullet_trade.py RESULT``."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from bullet_trade.broker import QmtBroker


async def main() -> dict[str, Any]:
    broker = QmtBroker(account_id="1000000365", data_path=r"D:\miniqmt\userdata_mini", session_id=100)
    found: dict[str, Any] = {"connected": broker.connect()}
    sent = [
        await broker.buy("600000.XSHG", 500, 10.02, wait_timeout=5, remark="a"),
        await broker.buy("600000.XSHG", 200, 9.90, wait_timeout=0, remark="b"),
        await broker.buy("000001.XSHE", 200, 12.00, wait_timeout=5, remark="c", market=True),
        await broker.buy("000001.XSHE", 150, 11.80, wait_timeout=5, remark="d"),
    ]
    found["open"] = [order["order_id"] for order in broker.get_open_orders()]
    found["canceled"] = [await broker.cancel_order(order) for order in sent[:2]]
    found["orders"] = [
        [order[name] for name in ("order_id", "security", "status", "filled", "price", "order_remark")]
        for order in broker.get_orders()
    ]
    found["trades"] = [
        [trade[name] for name in ("order_id", "amount", "price", "deal_balance", "commission")]
        for trade in broker.get_trades()
    ]
    found["account"] = broker.get_account_info()
    broker.disconnect()
    return found


Path(sys.argv[1]).write_text(json.dumps(asyncio.run(main())), encoding="utf-8")
