"""The vendor's numbers in our tables are the installed xtconstant's."""

from __future__ import annotations

import subprocess
import sys

from qmtcli.model import Credit, OrderStatus, Side
from qmtcli.paper import codes as paper
from qmtcli.paper import rows
from qmtcli.rules.order_types import MARKET_KINDS
from qmtcli.xt import codes


def _constants() -> dict[str, int]:
    """xtconstant's integers, read in a process of its own: importing xtquant here would be too late for paper."""
    script = (
        "import sys; sys.modules['requests'] = None\n"
        "import json; from xtquant import xtconstant as c\n"
        "print(json.dumps({k: v for k, v in vars(c).items() if isinstance(v, int) and k.isupper()}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    import json

    found: dict[str, int] = json.loads(done.stdout)
    return found


CONSTANTS = _constants()


def test_sides() -> None:
    assert {
        (Side.BUY, None): CONSTANTS["STOCK_BUY"],
        (Side.SELL, None): CONSTANTS["STOCK_SELL"],
        (Side.BUY, Credit.COLLATERAL): CONSTANTS["CREDIT_BUY"],
        (Side.SELL, Credit.COLLATERAL): CONSTANTS["CREDIT_SELL"],
        (Side.BUY, Credit.FIN): CONSTANTS["CREDIT_FIN_BUY"],
        (Side.SELL, Credit.SLO): CONSTANTS["CREDIT_SLO_SELL"],
        (Side.BUY, Credit.REPAY): CONSTANTS["CREDIT_BUY_SECU_REPAY"],
        (Side.SELL, Credit.REPAY): CONSTANTS["CREDIT_SELL_SECU_REPAY"],
    } == codes.ORDER_TYPES
    assert (CONSTANTS["STOCK_BUY"], CONSTANTS["STOCK_SELL"]) == (paper.BUY, paper.SELL)


def test_order_statuses() -> None:
    vendor = {name.removeprefix("ORDER_"): value for name, value in CONSTANTS.items() if name.startswith("ORDER_")}
    assert {status.name: status.number for status in OrderStatus} == vendor


def test_price_types() -> None:
    assert codes.FIX_PRICE == paper.FIX_PRICE == CONSTANTS["FIX_PRICE"]
    assert codes.LATEST_PRICE == paper.LATEST_PRICE == CONSTANTS["LATEST_PRICE"]
    market = {number for name, number in CONSTANTS.items() if name.startswith("MARKET_") and 42 <= number <= 48}
    assert {number for kind in MARKET_KINDS for number in kind.codes.values()} == market
    assert set(paper.MARKET_TYPES) == market
    assert market <= set(codes.PRICE_KINDS)
    assert CONSTANTS["MARKET_SZ_FULL_OR_CANCEL"] == paper.FILL_OR_KILL
    assert CONSTANTS["MARKET_SH_CONVERT_5_LIMIT"] == paper.BEST5_THEN_LIMIT
    assert (
        CONSTANTS["MARKET_PEER_PRICE_FIRST"], CONSTANTS["MARKET_MINE_PRICE_FIRST"],
    ) == (paper.PEER_PRICE, paper.OWN_PRICE)  # fmt: skip


def test_rows_show_the_brokers_number_of_a_price_type_that_has_the_same_word() -> None:
    sent = {codes.FIX_PRICE, *range(42, 49)}
    assert rows.PRICE_TYPES.keys() == {codes.LATEST_PRICE, *sent}
    assert {number: codes.PRICE_KINDS[shown] for number, shown in rows.PRICE_TYPES.items() if number in sent} == {
        number: codes.PRICE_KINDS[number] for number in sent
    }
    assert codes.PRICE_KINDS[rows.PRICE_TYPES[codes.LATEST_PRICE]] == "limit"


def test_numbers_that_rows_carry() -> None:
    assert {"SH": CONSTANTS["SH_MARKET"], "SZ": CONSTANTS["SZ_MARKET"], "BJ": CONSTANTS["MARKET_ENUM_BEIJING"]} == (
        paper.MARKETS
    )
    assert {paper.BUY: CONSTANTS["OFFSET_FLAG_OPEN"], paper.SELL: CONSTANTS["OFFSET_FLAG_CLOSE"]} == rows._OFFSET
    assert CONSTANTS["DIRECTION_FLAG_LONG"] == rows._LONG


def test_account_types_and_states() -> None:
    assert {
        "STOCK": CONSTANTS["SECURITY_ACCOUNT"],
        "CREDIT": CONSTANTS["CREDIT_ACCOUNT"],
        "HUGANGTONG": CONSTANTS["HUGANGTONG_ACCOUNT"],
        "SHENGANGTONG": CONSTANTS["SHENGANGTONG_ACCOUNT"],
    } == codes.ACCOUNT_TYPES
    assert CONSTANTS["SECURITY_ACCOUNT"] == paper.STOCK
    assert codes.ACCOUNT_TYPES.items() >= paper.ACCOUNT_TYPES.items()
    states = {value for name, value in CONSTANTS.items() if name.startswith("ACCOUNT_STATUS")}
    assert set(codes.ACCOUNT_STATUS) == states
