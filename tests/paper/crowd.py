"""One of many processes that trade on one account through the vendor's trader: orders, and every push it saw.

Lines on stdout: ``ready``, then ``sent N`` before and ``answer N ID`` after each order, at last what was pushed as
JSON, once an order named ``end`` has come by. It begins when a line comes in.
"""

from __future__ import annotations

import json
import random
import sys
import threading

from qmtcli.paper import mount
from qmtcli.paper.settings import Settings


def main(settings: str, name: str, orders: int) -> None:
    mount.mount(Settings(**json.loads(settings)))
    from xtquant.xttrader import XtQuantTrader, XtQuantTraderCallback
    from xtquant.xttype import StockAccount

    seen: list[list[object]] = []
    ended = threading.Event()

    class Callback(XtQuantTraderCallback):  # type: ignore[misc]
        def on_stock_order(self, order: object) -> None:
            seen.append(["order", order.order_id, order.order_status, order.traded_volume])  # type: ignore[attr-defined]
            if order.order_remark == "end":  # type: ignore[attr-defined]
                ended.set()

        def on_stock_trade(self, trade: object) -> None:
            seen.append(["fill", int(trade.traded_id)])  # type: ignore[attr-defined]

        def on_order_error(self, error: object) -> None:
            seen.append(["order_error", error.order_id])  # type: ignore[attr-defined]

    chance = random.Random(name)
    trader = XtQuantTrader("paper", chance.randrange(10**6))
    account = StockAccount("1000000365")
    trader.register_callback(Callback())
    trader.start()
    assert trader.connect() == 0
    assert trader.subscribe(account) == 0
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(orders):
        price = chance.choice([9.09, 9.09, 9.06, 9.01, 8.95, 8.60, 99.0])
        volume = chance.choice([100, 200, 500, 1_000])
        print("sent", number, flush=True)
        order_id = trader.order_stock(account, "600000.SH", 23, volume, 11, price, "crowd", f"{name}-{number}")
        print("answer", number, order_id, flush=True)
        if chance.random() < 0.1 and order_id > 0:
            trader.cancel_order_stock(account, order_id)
    assert ended.wait(60)
    print(json.dumps(seen), flush=True)
    trader.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
