"""Codes, kinds, boards; funds that differ from their kind."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from qmtcli.errors import UsageError
from qmtcli.model import Board, Instrument, Kind
from qmtcli.rules import funds
from qmtcli.rules.boards import classify, exchanges_of, instrument

KINDS = [
    ("600000.SH", Kind.STOCK, Board.MAIN),
    ("605117.SH", Kind.STOCK, Board.MAIN),
    ("688981.SH", Kind.STOCK, Board.STAR),
    ("689009.SH", Kind.CDR, Board.STAR),
    ("900901.SH", Kind.B_SHARE, Board.MAIN),
    ("510300.SH", Kind.ETF, Board.NONE),
    ("588000.SH", Kind.ETF, Board.NONE),
    ("530050.SH", Kind.ETF, Board.NONE),
    ("501018.SH", Kind.LOF, Board.NONE),
    ("508000.SH", Kind.REIT, Board.NONE),
    ("110059.SH", Kind.CONV_BOND, Board.NONE),
    ("118034.SH", Kind.CONV_BOND, Board.NONE),
    ("132018.SH", Kind.EXCH_BOND, Board.NONE),
    ("019666.SH", Kind.TREASURY, Board.NONE),
    ("204001.SH", Kind.REPO, Board.NONE),
    ("000001.SH", Kind.INDEX, Board.NONE),
    ("000001.SZ", Kind.STOCK, Board.MAIN),
    ("001001.SZ", Kind.CDR, Board.MAIN),
    ("001199.SZ", Kind.CDR, Board.MAIN),
    ("001201.SZ", Kind.STOCK, Board.MAIN),
    ("001979.SZ", Kind.STOCK, Board.MAIN),
    ("002594.SZ", Kind.STOCK, Board.MAIN),
    ("300750.SZ", Kind.STOCK, Board.CHINEXT),
    ("302132.SZ", Kind.STOCK, Board.CHINEXT),
    ("200011.SZ", Kind.B_SHARE, Board.MAIN),
    ("159915.SZ", Kind.ETF, Board.NONE),
    ("160216.SZ", Kind.LOF, Board.NONE),
    ("169101.SZ", Kind.LOF, Board.NONE),
    ("180101.SZ", Kind.REIT, Board.NONE),
    ("123153.SZ", Kind.CONV_BOND, Board.NONE),
    ("120004.SZ", Kind.EXCH_BOND, Board.NONE),
    ("101904.SZ", Kind.TREASURY, Board.NONE),
    ("131810.SZ", Kind.REPO, Board.NONE),
    ("399006.SZ", Kind.INDEX, Board.NONE),
    ("920002.BJ", Kind.STOCK, Board.BSE),
    ("835185.BJ", Kind.STOCK, Board.BSE),
    ("430047.BJ", Kind.STOCK, Board.BSE),
    ("899050.BJ", Kind.INDEX, Board.NONE),
]


@pytest.mark.parametrize(("code", "kind", "board"), KINDS)
def test_the_prefix_says_kind_and_board(code: str, kind: Kind, board: Board) -> None:
    assert classify(code) == (kind, board)


NO_CODES = "600000 600000.sh 600000.HK 60000.SH 6000000.SH 60000a.SH ６00000.SH .SH"
WRONG_EXCHANGE = "920002.SH 920002.SZ 900901.BJ 600000.SZ 300750.SH 999999.SH"


@pytest.mark.parametrize("code", ["", *NO_CODES.split(), *WRONG_EXCHANGE.split()])
def test_anything_else_is_no_code(code: str) -> None:
    assert classify(code) is None


@pytest.mark.parametrize(
    ("digits", "codes"),
    [
        ("600000", ["600000.SH"]),
        ("000001", ["000001.SZ", "000001.SH"]),
        ("000300", ["000300.SZ", "000300.SH"]),
        ("920002", ["920002.BJ"]),
        ("900901", ["900901.SH"]),
        ("399001", ["399001.SZ"]),
        ("123153", ["123153.SZ"]),
        ("999999", []),
        ("12345", []),
    ],
)
def test_bare_digits_name_every_exchange_the_tradable_first(digits: str, codes: list[str]) -> None:
    assert exchanges_of(digits) == codes


def test_an_instrument_is_its_prefix_and_what_the_caller_knows_better() -> None:
    assert instrument("600000.SH", "浦发银行") == Instrument("600000.SH", "浦发银行", Kind.STOCK, Board.MAIN)
    known: dict[str, Any] = {
        "st": True,
        "listed": date(2020, 1, 2),
        "t0": True,
        "band": Decimal("0.2"),
        "board": Board.STAR,
    }
    assert instrument("600000.SH", **known) == Instrument("600000.SH", "", Kind.STOCK, **known)


def test_an_unknown_code_needs_its_kind() -> None:
    with pytest.raises(UsageError) as caught:
        instrument("700000.SH")
    assert (caught.value.code, caught.value.params) == ("code_unknown", {"code": "700000.SH"})
    assert instrument("700000.SH", kind=Kind.ETF).kind is Kind.ETF


@pytest.mark.parametrize(
    ("code", "t0", "wide"),
    [
        ("511880.SH", True, False),
        ("513100.SH", True, False),
        ("518880.SH", True, False),
        ("520990.SH", True, False),
        ("510300.SH", False, False),
        ("588000.SH", False, True),
        ("589000.SH", False, True),
        ("159915.SZ", False, True),
        ("159949.SZ", False, True),
        ("159919.SZ", False, False),
        ("159941.SZ", True, False),
        ("159934.SZ", True, False),
        ("159985.SZ", True, False),
        ("161226.SZ", True, False),
        ("161725.SZ", False, False),
    ],
)
def test_funds_are_told_apart_by_product(code: str, t0: bool, wide: bool) -> None:
    assert (funds.is_t0(code), funds.is_wide(code)) == (t0, wide)
