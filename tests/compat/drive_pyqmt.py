"""A user's script for pyqmt: ``drive_pyqmt.py RESULT first|second`` (day)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pyqmt import pyqmt

RESULT, DAY = sys.argv[1:]


def rows(frame: Any, *columns: str) -> Any:
    return json.loads(frame[list(columns)].to_json(orient="values", force_ascii=False)) if len(frame) else []


trader = pyqmt(path=r"D:\miniqmt\userdata_mini", acc="1000000365")
found: dict[str, Any] = {}
if DAY == "first":
    # without a price the order is at the last one, and 250 becomes 200
    found["sent"] = [trader.buy("600000.SH", 500, 10.02, "grid", "网格一"), trader.buy("600000.SH", 250)]
    found["open"] = rows(trader.query_stock_orders(), "订单编号", "委托状态")
    found["canceled"] = trader.cancel_all_orders()
    found["sold"] = trader.sell("600000.SH", 100, 10.00)
    found["limits"] = [trader.get_dnl("600000.SH"), trader.get_upl("600000.SH")]
    found["limit"] = trader.query_stock_is_limit_down("600000.SH")
else:
    found["sold"] = trader.sell("600000.SH", 600, 10.00)
columns = "订单编号", "证券代码", "委托类型", "委托价格", "成交数量", "成交均价", "委托状态", "委托备注"
found["orders"] = rows(trader.query_stock_orders(), *columns)
found["trades"] = rows(trader.query_stock_trades(), "委托编号", "成交均价", "成交数量", "成交金额", "手续费")
found["positions"] = rows(trader.query_stock_positions(), "证券名称", "持仓数量", "可用数量", "昨夜拥股", "市值")
found["asset"] = rows(trader.query_stock_asset(), "可用资金", "冻结金额", "持仓市值", "总资产")
Path(RESULT).write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
