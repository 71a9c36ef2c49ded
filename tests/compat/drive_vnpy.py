"""A user's script for VeighNa (vnpy) without its windows, on one of two gateways: ``drive_vnpy.py RESULT XT|QMT``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

Path(".vntrader").mkdir(exist_ok=True)  # where it is, vnpy keeps its files here and not in the user's home

from vnpy.event import EventEngine  # noqa: E402
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType  # noqa: E402
from vnpy.trader.engine import MainEngine  # noqa: E402
from vnpy.trader.object import OrderRequest, SubscribeRequest  # noqa: E402

RESULT, NAME = sys.argv[1:]
GATEWAYS = {
    "XT": (
        "vnpy_xt.XtGateway",
        {
            "token": "", "股票市场": "是", "期货市场": "否", "期权市场": "否", "仿真交易": "是",
            "账号类型": "股票", "QMT路径": r"D:\miniqmt", "资金账号": "1000000365",
        },
    ),
    "QMT": ("vnpy_qmt.QmtGateway", {"交易账号": "1000000365", "mini路径": r"D:\miniqmt\userdata_mini"}),
}  # fmt: skip
#: seconds after which what is waited for will not come
PATIENCE = 5.0


def until(come: Callable[[], object]) -> None:
    """Wait for what is pushed; a thing that does not come is missing in the result."""
    end = time.monotonic() + PATIENCE
    while not come() and time.monotonic() < end:
        time.sleep(0.01)


def buy(volume: int, price: float) -> str:
    request = OrderRequest("600000", Exchange.SSE, Direction.LONG, OrderType.LIMIT, volume, price, Offset.NONE, "ref")
    return str(engine.send_order(request, NAME))


def status(order: str) -> str:
    known = engine.get_order(order)
    return known.status.name if known else ""


engine = MainEngine(EventEngine())
module, setting = GATEWAYS[NAME]
package, _, gateway_class = module.partition(".")
gateway = engine.add_gateway(getattr(import_module(package), gateway_class))
engine.connect(setting, NAME)
gateway.query_account()
until(engine.get_all_accounts)
opening = engine.get_all_accounts()[0].balance

engine.subscribe(SubscribeRequest("600000", Exchange.SSE), NAME)
orders = filled, resting, odd = [buy(500, 10.02), buy(200, 9.90), buy(150, 9.90)]
until(lambda: [status(order) for order in orders] == ["ALLTRADED", "NOTTRADED", "REJECTED"])
before = [status(order) for order in orders]
engine.cancel_order(engine.get_order(resting).create_cancel_request(), NAME)
until(lambda: status(resting) == "CANCELLED")
gateway.query_account()
gateway.query_position()
until(lambda: engine.get_all_positions() and engine.get_all_accounts()[0].frozen == 0)
until(lambda: engine.get_tick("600000.SSE"))

contract, tick, account = engine.get_contract("600000.SSE"), engine.get_tick("600000.SSE"), engine.get_all_accounts()[0]
found = {
    "contract": [contract.name, contract.pricetick],
    "tick": [tick.ask_price_1, tick.ask_volume_1, tick.bid_price_1, tick.bid_volume_1, tick.limit_up, tick.limit_down],
    "opening": opening,
    "before the cancel": before,
    "orders": [[status(order), engine.get_order(order).traded] for order in orders],
    "trades": [[orders.index(trade.vt_orderid), trade.price, trade.volume] for trade in engine.get_all_trades()],
    "positions": [[held.vt_symbol, held.volume, held.yd_volume] for held in engine.get_all_positions()],
    "account": [account.accountid, account.balance, account.frozen],
}
engine.close()
Path(RESULT).write_text(json.dumps(found), encoding="utf-8")
