"""The closing price: auction, else the last minute, else the last trade or the reference price."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from qmtcli.rules.boards import instrument
from qmtcli.rules.close import close_price

D = Decimal
LAST = datetime(2026, 11, 23, 14, 56, 58)
SH, BJ, FUND = instrument("600000.SH"), instrument("920002.BJ"), instrument("510300.SH")
TRADES = [
    (LAST - timedelta(seconds=61), D("12.00"), 100_000),
    (LAST - timedelta(seconds=59), D("10.00"), 100),
    (LAST, D("10.01"), 100),
]


def test_the_closing_auction_s_price() -> None:
    assert close_price(SH, D("10.05"), TRADES, D("9.00")) == D("10.05")


def test_without_it_the_average_of_the_minute_before_the_last_trade() -> None:
    assert close_price(SH, None, TRADES, D("9.00")) == D("10.01")  # 10.005, half up
    assert close_price(FUND, None, TRADES, D("9.000")) == D("10.005")
    assert close_price(SH, None, TRADES[:1], D("9.00")) == D("12.00")


def test_on_bse_the_last_trade() -> None:
    assert close_price(BJ, None, [*TRADES, (LAST, D("9.50"), 1)], D("9.00")) == D("9.50")


def test_without_a_trade_the_reference_price() -> None:
    assert close_price(SH, None, [], D("9.00")) == close_price(BJ, None, [], D("9.00")) == D("9.00")
