"""What `qmt buy 600000.SH 100 --limit 9.09 --json` does, as anybody writes it; its folder of accounts is argument 1.

The price is held to the day's band before the order is sent, and the order's row is waited for.
"""

import json
import os
import sys
import threading

from qmtcli.paper.mount import mount
from qmtcli.paper.settings import Settings

mount(Settings(home=sys.argv[1]))

from xtquant import xtconstant, xtdata  # noqa: E402 - the stand-in has to be there first
from xtquant.xttrader import XtQuantTrader, XtQuantTraderCallback  # noqa: E402
from xtquant.xttype import StockAccount  # noqa: E402

CODE, VOLUME, PRICE = "600000.SH", 100, 9.09
FIELDS = (
    "order_id",
    "order_sysid",
    "stock_code",
    "instrument_name",
    "order_type",
    "order_volume",
    "price_type",
    "price",
    "traded_volume",
    "traded_price",
    "order_status",
    "status_msg",
    "order_time",
    "strategy_name",
    "order_remark",
)


class Listener(XtQuantTraderCallback):
    """Keeps the last row of each order, and tells when there is one the counter has taken on."""

    def __init__(self):
        self.rows = {}
        self.acknowledged = threading.Event()

    def on_stock_order(self, order):
        self.rows[order.order_id] = order
        if order.order_status >= 50:
            self.acknowledged.set()


def main():
    xtdata.enable_hello = False
    detail = xtdata.get_instrument_detail(CODE)
    tick = xtdata.get_full_tick([CODE])[CODE]
    if not tick["lastPrice"] or not detail["DownStopPrice"] <= PRICE <= detail["UpStopPrice"]:
        sys.exit("no quote, or the price is outside the band")
    listener = Listener()
    trader = XtQuantTrader("paper", os.getpid(), listener)
    account = StockAccount("1000000365")
    trader.start()
    if trader.connect() != 0 or trader.subscribe(account) != 0:
        sys.exit("not connected")
    order_id = trader.order_stock(
        account, CODE, xtconstant.STOCK_BUY, VOLUME, xtconstant.FIX_PRICE, PRICE, "script", f"b{os.getpid()}"
    )
    if order_id <= 0 or not listener.acknowledged.wait(3):
        sys.exit("no order")
    row = trader.query_stock_order(account, order_id)
    print(json.dumps({name: getattr(row, name) for name in FIELDS}, ensure_ascii=False, indent=2))
    trader.stop()


main()
