"""A user's own table of instruments: what it says, over what, and every way in which a line is wrong."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from qmtcli.errors import ConfigError
from qmtcli.model import Board, Instrument, Kind
from qmtcli.rules.boards import instrument
from qmtcli.rules.instruments import fields, overridden, read
from qmtcli.rules.settings import Form

TABLE = """\
Code, name ,kind,board,st,listed,t0,band,delisting,relisted
600001.SH,ST示例,,,是,2007/4/3,,,2026-11-23,
159915.sz,,,,0,,yes,20%,,
688001.SH,,cdr,,,,,,,
600009.SH,,,star,,,,,,

123456.BJ,"新, 品种",stock,,,20260105,,,,2026-11-24
510300.SH,,lof,,,,false,0.05,,
"""


def test_a_table_tells_fields_by_code() -> None:
    assert read(TABLE, "mine.csv") == {
        "600001.SH": {"name": "ST示例", "st": True, "listed": date(2007, 4, 3), "delisting": date(2026, 11, 23)},
        "159915.SZ": {"st": False, "t0": True, "band": Decimal("0.2")},
        "688001.SH": {"kind": Kind.CDR, "board": Board.STAR},
        "600009.SH": {"kind": Kind.STOCK, "board": Board.STAR},
        "123456.BJ": {
            "name": "新, 品种",
            "kind": Kind.STOCK,
            "board": Board.BSE,
            "listed": date(2026, 1, 5),
            "relisted": date(2026, 11, 24),
        },
        "510300.SH": {"kind": Kind.LOF, "board": Board.NONE, "t0": False, "band": Decimal("0.05")},
    }


def test_what_it_tells_replaces_the_rest() -> None:
    table = read(TABLE, "mine.csv")
    fund = instrument("159915.SZ", "创业板ETF", listed=date(2011, 12, 9))
    assert overridden(fund, table) == fund._replace(t0=True, band=Decimal("0.2"))
    other = instrument("600000.SH", "浦发银行")
    assert overridden(other, table) is not None
    assert overridden(other, table) == other
    new = fields("123456.BJ", table)
    assert instrument("123456.BJ", **new) == Instrument("123456.BJ", **new)


def test_columns_of_the_caller_s_own_are_no_fields() -> None:
    table = read("code,levels\n600000.SH,lots\n", "x.csv", {"levels": Form(str.upper, "")})
    assert table == {"600000.SH": {"levels": "LOTS"}}
    assert fields("600000.SH", table) == {}


@pytest.mark.parametrize("text", ["code\n", "code,st\n600000.SH,\n", "stop\r\n".replace("stop", "code,name")])
def test_a_table_may_say_nothing(text: str) -> None:
    assert all(not told for told in read(text, "mine.csv").values())


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("", 1, "no column code"),
        ("name,st\n", 1, "no column code"),
        ("code,lised\n", 1, "no such column: 'lised', only code, name, kind, board, st, listed, t0, band, delisting, "
         "relisted"),
        ("code,st,st\n", 1, "a column twice"),
        ("code,st\n600000.SH,1\n600001.SH\n", 3, "1 cells under 2 columns"),
        ("code,st\n600000.SH,1\n\n600000.sh,0\n", 4, "600000.SH is told twice"),
        ("code,st\n600000,1\n", 2, "code is '600000', not like 600000.SH"),
        ("code,st\n,1\n", 2, "code is '', not like 600000.SH"),
        ("code,st\n600000.HK,1\n", 2, "code is '600000.HK', not like 600000.SH"),
        ("code,st\n600000.SH,maybe\n", 2, "st is 'maybe', expected: true | false"),
        ("code,kind\n600000.SH,share\n", 2, "kind is 'share', expected: stock | cdr | b_share | etf | lof | reit | "
         "conv_bond | exch_bond | treasury | repo | index"),
        ("code,board\n600000.SH,sme\n", 2, "board is 'sme', expected: main | star | chinext | bse | none"),
        ("code,board\n510300.SH,main\n", 2, "etf has no board"),
        ("code,listed\n600000.SH,2026-13-01\n", 2, "listed is '2026-13-01', expected: 2026-11-23"),
        ("code,band\n600000.SH,20\n", 2, "band is '20', expected: 10% | 0.1"),
        ("code,name\n770001.SH,x\n", 2, "the prefix of 770001.SH says nothing, and no kind is told"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named_with_its_reason(text: str, line: int, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text, "mine.csv")
    params = {"file": "mine.csv", "line": line, "why": why}
    assert (caught.value.code, caught.value.params) == ("instruments_unreadable", params)
