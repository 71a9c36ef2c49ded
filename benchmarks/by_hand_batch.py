"""What `qmt batch orders.csv` does at least, as anybody writes it: a loop of `order_stock_async`, and the answers.

Arguments: the folder of accounts, the CSV. Nothing is checked, nothing is written down, nothing is printed.
"""

import csv
import os
import sys
import threading

from qmtcli.paper.mount import mount
from qmtcli.paper.settings import Settings

mount(Settings(home=sys.argv[1], cash=10**9))

from xtquant import xtconstant  # noqa: E402 - the stand-in has to be there first
from xtquant.xttrader import XtQuantTrader, XtQuantTraderCallback  # noqa: E402
from xtquant.xttype import StockAccount  # noqa: E402

with open(sys.argv[2], newline="") as file:  # noqa: PTH123 - as anybody writes it
    ORDERS = list(csv.DictReader(file))
SIDES = {"buy": xtconstant.STOCK_BUY, "sell": xtconstant.STOCK_SELL}


class Listener(XtQuantTraderCallback):
    """Counts the orders that have been reported."""

    def __init__(self) -> None:
        self.reported: set[str] = set()
        self.done = threading.Event()

    def on_stock_order(self, order) -> None:
        if order.order_status >= xtconstant.ORDER_REPORTED:
            self.reported.add(order.order_remark)
            if len(self.reported) == len(ORDERS):
                self.done.set()


listener = Listener()
trader = XtQuantTrader("paper", os.getpid(), listener)
trader.start()
assert trader.connect() == 0
account = StockAccount("1000000365")
assert trader.subscribe(account) == 0
for number, order in enumerate(ORDERS, 1):
    trader.order_stock_async(
        account, order["code"], SIDES[order["side"]], int(order["volume"]), xtconstant.FIX_PRICE,
        float(order["price"]), "by hand", f"h.{number}",
    )  # fmt: skip
assert listener.done.wait(600)
os._exit(0)
