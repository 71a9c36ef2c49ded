"""Price cage: widths by board and date, base price chain."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from qmtcli.model import Instrument, Side
from qmtcli.rules.boards import instrument
from qmtcli.rules.cage import cage, parks
from qmtcli.rules.settings import Settings

D = Decimal
TODAY = date(2026, 11, 23)
MAIN, STAR, CHINEXT = instrument("600000.SH"), instrument("688981.SH"), instrument("300750.SZ")
BSE, BOND = instrument("920002.BJ"), instrument("123153.SZ")


@pytest.mark.parametrize(
    ("code", "bid", "ask", "cap", "floor"),
    [
        ("600000.SH", "20.00", "20.01", "20.41", "19.60"),
        ("000001.SZ", "20.00", "20.01", "20.41", "19.60"),
        ("300750.SZ", "20.00", "20.01", "20.41", "19.60"),
        ("688981.SH", "20.00", "20.01", "20.41", "19.60"),
        ("920002.BJ", "20.00", "20.01", "21.01", "19.00"),
        # below 5.00 (2.00 on BSE) ten ticks are wider, but not on STAR
        ("600000.SH", "2.00", "2.01", "2.11", "1.90"),
        ("300750.SZ", "2.00", "2.01", "2.11", "1.90"),
        ("688981.SH", "2.00", "2.01", "2.05", "1.96"),
        ("920002.BJ", "1.00", "1.01", "1.11", "0.90"),
    ],
)
def test_width_of_each_board(code: str, bid: str, ask: str, cap: str, floor: str) -> None:
    inst = instrument(code)
    assert cage(inst, Side.BUY, D(bid), D(ask), D("1"), D("1"), TODAY) == D(cap)
    assert cage(inst, Side.SELL, D(bid), D(ask), D("1"), D("1"), TODAY) == D(floor)


@pytest.mark.parametrize(
    ("side", "bid", "ask", "last", "limit"),
    [
        (Side.BUY, "10.00", "11.00", "12.00", "11.22"),
        (Side.BUY, "10.00", None, "12.00", "10.20"),
        (Side.BUY, None, None, "12.00", "12.24"),
        (Side.BUY, None, None, None, "13.26"),
        (Side.SELL, "10.00", "11.00", "12.00", "9.80"),
        (Side.SELL, None, "11.00", "12.00", "10.78"),
        (Side.SELL, None, None, "12.00", "11.76"),
        (Side.SELL, None, None, None, "12.74"),
    ],
)
def test_base_price_chain(side: Side, bid: str | None, ask: str | None, last: str | None, limit: str) -> None:
    best_bid, best_ask, trade = (None if p is None else D(p) for p in (bid, ask, last))
    assert cage(MAIN, side, best_bid, best_ask, trade, D("13.00"), TODAY) == D(limit)


def test_a_cage_rounds_half_up() -> None:
    assert cage(MAIN, Side.BUY, None, D("10.25"), None, D("1"), TODAY) == D("10.46")  # 10.455
    assert cage(MAIN, Side.SELL, D("10.25"), None, None, D("1"), TODAY) == D("10.05")  # 10.045


@pytest.mark.parametrize(
    ("inst", "before", "first", "cap"),
    [
        (MAIN, date(2023, 4, 7), date(2023, 4, 10), "20.40"),
        (STAR, date(2019, 7, 21), date(2019, 7, 22), "20.40"),
        (CHINEXT, date(2020, 8, 23), date(2020, 8, 24), "20.40"),
        (BSE, date(2021, 11, 14), date(2021, 11, 15), "21.00"),
    ],
)
def test_first_day_of_each_cage(inst: Instrument, before: date, first: date, cap: str) -> None:
    assert cage(inst, Side.BUY, None, D("20.00"), None, D("20"), before) is None
    assert cage(inst, Side.BUY, None, D("20.00"), None, D("20"), first) == D(cap)


def test_chinext_got_its_ten_ticks_with_the_main_boards() -> None:
    assert cage(CHINEXT, Side.BUY, None, D("2.00"), None, D("2"), date(2023, 4, 7)) == D("2.04")
    assert cage(CHINEXT, Side.BUY, None, D("2.00"), None, D("2"), date(2023, 4, 10)) == D("2.10")


def test_dates_are_settings() -> None:
    late = Settings(main_cage_from=date(2030, 1, 1), chinext_cage_from=date(2030, 1, 1))
    for inst in (MAIN, CHINEXT):
        assert cage(inst, Side.BUY, None, D("2.00"), None, D("2"), TODAY, late) is None
    assert cage(STAR, Side.BUY, None, D("2.00"), None, D("2"), TODAY, late) == D("2.04")


@pytest.mark.parametrize("code", ["510300.SH", "160216.SZ", "508000.SH", "900901.SH", "204001.SH", "019666.SH"])
def test_no_cage_for_the_rest(code: str) -> None:
    assert cage(instrument(code), Side.BUY, D("1"), D("1.1"), D("1"), D("1"), TODAY) is None


def test_convertible_bonds_stay_near_the_last_trade() -> None:
    assert cage(BOND, Side.BUY, D("1"), D("2"), D("120.005"), D("100"), TODAY) == D("132.006")
    assert cage(BOND, Side.SELL, D("1"), D("2"), None, D("100"), TODAY) == D("90.000")
    assert cage(BOND, Side.SELL, D("1"), D("2"), None, D("100"), TODAY, Settings(conv_bond_cage=None)) is None


def test_before_2023_an_order_outside_chinexts_cage_waits() -> None:
    chinext, star = instrument("300750.SZ"), instrument("688981.SH")
    assert parks(chinext, date(2023, 4, 7))
    assert not parks(chinext, date(2023, 4, 10))
    assert not parks(star, date(2023, 4, 7))
