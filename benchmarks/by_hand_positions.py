"""What `qmt positions --json` does, as anybody writes it; its folder of accounts is argument 1."""

import json
import os
import sys

from qmtcli.paper.mount import mount
from qmtcli.paper.settings import Settings

mount(Settings(home=sys.argv[1]))

from xtquant.xttrader import XtQuantTrader  # noqa: E402 - the stand-in has to be there first
from xtquant.xttype import StockAccount  # noqa: E402

FIELDS = (
    "stock_code",
    "instrument_name",
    "volume",
    "can_use_volume",
    "frozen_volume",
    "on_road_volume",
    "yesterday_volume",
    "avg_price",
    "last_price",
    "market_value",
    "profit_rate",
)


def main():
    trader = XtQuantTrader("paper", os.getpid())
    account = StockAccount("1000000365")
    trader.start()
    if trader.connect() != 0:
        sys.exit("not connected")
    positions = trader.query_stock_positions(account)
    rows = [{name: getattr(row, name) for name in FIELDS} for row in positions]
    print(json.dumps(rows, ensure_ascii=False, indent=2))
    trader.stop()


main()
