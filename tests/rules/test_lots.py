"""Volumes: minimum, step, caps, odd-lot sells, splitting."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmtcli.errors import Refused
from qmtcli.model import Instrument
from qmtcli.rules.boards import instrument
from qmtcli.rules.lots import (
    Violation,
    check_buy_volume,
    check_sell_volume,
    lot_rule,
    round_volume_down,
    split,
    st_daily_buy_cap,
)
from qmtcli.rules.marks import confirmed
from qmtcli.rules.phases import Phase
from qmtcli.rules.settings import Settings

TODAY = date(2026, 11, 23)
MAIN, STAR, BSE = instrument("600000.SH"), instrument("688981.SH"), instrument("920002.BJ")
CHINEXT, ETF, BOND = instrument("300750.SZ"), instrument("510300.SH"), instrument("123153.SZ")
REPO, INDEX = instrument("204001.SH"), instrument("000001.SH")


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("600000.SH", (100, 100, 1_000_000, 1_000_000)),
        ("000001.SZ", (100, 100, 1_000_000, 1_000_000)),
        ("001001.SZ", (100, 100, 1_000_000, 1_000_000)),
        ("300750.SZ", (100, 100, 300_000, 150_000)),
        ("688981.SH", (200, 1, 100_000, 50_000)),
        ("689009.SH", (200, 1, 100_000, 50_000)),
        ("920002.BJ", (100, 1, 1_000_000, 1_000_000)),
        ("510300.SH", (100, 100, 1_000_000, 1_000_000)),
        ("508000.SH", (100, 100, 1_000_000, 1_000_000)),
        ("900901.SH", (100, 100, 1_000_000, None)),
        ("110059.SH", (10, 10, 1_000_000, None)),
        ("123153.SZ", (10, 10, 100_000, None)),
        ("019666.SH", (10, 10, 1_000_000, None)),
        ("204001.SH", (10, 10, 1_000_000, None)),
    ],
)
def test_lot_rule_of_each_kind(code: str, rule: tuple[int, int, int, int | None]) -> None:
    assert tuple(lot_rule(instrument(code), TODAY)) == rule


def test_chinext_orders_shrank_on_its_reform() -> None:
    assert lot_rule(CHINEXT, date(2020, 8, 23))[2:] == (1_000_000, 1_000_000)
    assert lot_rule(CHINEXT, date(2020, 8, 24))[2:] == (300_000, 150_000)


def test_unconfirmed_sizes_are_settings() -> None:
    other = Settings(bse_limit_cap=1, bse_market_cap=2, fund_cap=3, conv_bond_step=1, conv_bond_cap_sz=5, bond_cap=6)
    assert lot_rule(BSE, TODAY, other)[2:] == (1, 2)
    assert lot_rule(ETF, TODAY, other)[2:] == (3, 3)
    assert lot_rule(BOND, TODAY, other)[:3] == (10, 1, 5)
    assert lot_rule(instrument("101904.SZ"), TODAY, other).limit_cap == 6
    assert lot_rule(instrument("110059.SH"), TODAY, Settings(conv_bond_cap_sh=7)).limit_cap == 7
    assert lot_rule(REPO, TODAY, Settings(repo_cap=8)).limit_cap == 8


def test_unconfirmed_lots_are_settings() -> None:
    other = Settings(bond_lot=1, repo_lot=1000, reit_lot=1, bond_market_orders=True)
    assert lot_rule(instrument("019666.SH"), TODAY, other) == (1, 1, 1_000_000, 1_000_000)
    assert lot_rule(REPO, TODAY, other) == (1000, 1000, 1_000_000, 1_000_000)
    assert lot_rule(instrument("508000.SH"), TODAY, other)[:2] == (1, 1)
    assert lot_rule(BOND, TODAY, other) == (10, 10, 100_000, 100_000)
    assert lot_rule(ETF, TODAY, other)[:2] == (100, 100)


def test_a_fund_s_odd_remainder_may_be_kept_from_selling() -> None:
    closed = Settings(fund_odd_lot_sells=False)
    assert check_sell_volume(ETF, 50, 50, TODAY, False) is None
    found = check_sell_volume(ETF, 50, 50, TODAY, False, closed)
    assert found == Violation("odd_lot_sell", {"code": "510300.SH", "volume": 50, "step": 100, "remainder": 0})
    assert check_sell_volume(ETF, 100, 150, TODAY, False, closed) is None
    assert check_sell_volume(MAIN, 50, 50, TODAY, False, closed) is None


@pytest.mark.parametrize("inst", [MAIN, STAR, CHINEXT, ETF], ids=lambda inst: inst.code)
def test_after_hours_every_board_has_one_cap(inst: Instrument) -> None:
    for check in (
        lambda volume: check_buy_volume(inst, volume, TODAY, False, after_hours=True),
        lambda volume: check_sell_volume(inst, volume, None, TODAY, False, after_hours=True),
    ):
        assert check(1_000_000) is None
        assert check(1_000_100) == Violation("over_cap", {"code": inst.code, "volume": 1_000_100, "cap": 1_000_000})
        assert check(0) == Violation("volume_not_positive", {"code": inst.code, "volume": 0})
    found = check_buy_volume(inst, 50, TODAY, False, after_hours=True)
    assert found is not None and found.code == "below_min"


def test_an_index_cannot_be_traded() -> None:
    with pytest.raises(Refused, match="not_tradable"):
        lot_rule(INDEX, TODAY)
    assert check_buy_volume(INDEX, 100, TODAY, False) == Violation("not_tradable", {"code": "000001.SH"})
    assert check_sell_volume(INDEX, 100, None, TODAY, False) == Violation("not_tradable", {"code": "000001.SH"})


OK: tuple[str, dict[str, Any]] = ("", {})
ODD = {"volume": 150, "step": 100, "below": 100, "above": 200}


@pytest.mark.parametrize(
    ("inst", "volume", "market", "expected"),
    [
        (MAIN, 100, False, OK),
        (MAIN, 1_000_000, False, OK),
        (MAIN, 0, False, ("volume_not_positive", {"volume": 0})),
        (MAIN, -100, False, ("volume_not_positive", {"volume": -100})),
        (MAIN, 99, False, ("below_min", {"volume": 99, "minimum": 100})),
        (MAIN, 150, False, ("odd_lot", ODD)),
        (MAIN, 1_000_100, False, ("over_cap", {"volume": 1_000_100, "cap": 1_000_000})),
        (MAIN, 10**18, False, ("over_cap", {"volume": 10**18, "cap": 1_000_000})),
        (CHINEXT, 150_100, False, OK),
        (CHINEXT, 150_100, True, ("over_cap", {"volume": 150_100, "cap": 150_000})),
        (STAR, 199, False, ("below_min", {"volume": 199, "minimum": 200})),
        (STAR, 201, False, OK),
        (STAR, 50_001, True, ("over_cap", {"volume": 50_001, "cap": 50_000})),
        (BSE, 101, False, OK),
        (BSE, 99, False, ("below_min", {"volume": 99, "minimum": 100})),
        (BOND, 10, False, OK),
        (BOND, 15, False, ("odd_lot", {"volume": 15, "step": 10, "below": 10, "above": 20})),
        (BOND, 10, True, ("no_market_orders", {})),
    ],
)
def test_buy_volumes(inst: Instrument, volume: int, market: bool, expected: tuple[str, dict[str, Any]]) -> None:
    assert_found(check_buy_volume(inst, volume, TODAY, market), inst, expected)


@pytest.mark.parametrize(
    ("inst", "volume", "sellable", "expected"),
    [
        (MAIN, 100, 250, OK),
        (MAIN, 50, 250, OK),
        (MAIN, 150, 250, OK),
        (MAIN, 250, 250, OK),
        (MAIN, 30, 250, ("odd_lot_sell", {"volume": 30, "step": 100, "remainder": 50})),
        (MAIN, 50, 200, ("odd_lot_sell", {"volume": 50, "step": 100, "remainder": 0})),
        (MAIN, 50, 0, OK),
        (MAIN, 50, None, OK),
        (MAIN, 0, None, ("volume_not_positive", {"volume": 0})),
        (MAIN, 1_000_050, None, ("over_cap", {"volume": 1_000_050, "cap": 1_000_000})),
        (STAR, 150, 150, OK),
        (STAR, 150, 100, OK),
        (STAR, 150, None, OK),
        (STAR, 200, 350, OK),
        (STAR, 201, 350, OK),
        (STAR, 150, 350, ("below_min_sell", {"volume": 150, "minimum": 200, "sellable": 350})),
        (BSE, 99, 99, OK),
        (BSE, 99, 199, ("below_min_sell", {"volume": 99, "minimum": 100, "sellable": 199})),
        (BOND, 5, 15, OK),
        (BOND, 5, 10, ("odd_lot_sell", {"volume": 5, "step": 10, "remainder": 0})),
        (REPO, 10, 0, OK),
        (REPO, 15, None, ("odd_lot", {"volume": 15, "step": 10, "below": 10, "above": 20})),
    ],
)
def test_sell_volumes(
    inst: Instrument, volume: int, sellable: int | None, expected: tuple[str, dict[str, Any]]
) -> None:
    assert_found(check_sell_volume(inst, volume, sellable, TODAY, False), inst, expected)


def assert_found(found: Violation | None, inst: Instrument, expected: tuple[str, dict[str, Any]]) -> None:
    code, params = expected
    assert found == (Violation(code, {"code": inst.code, **params}) if code else None)


@pytest.mark.parametrize(
    ("inst", "volume", "down"),
    [(MAIN, 199, 100), (MAIN, 99, 0), (STAR, 199, 0), (STAR, 333, 333), (BOND, 19, 10), (MAIN, -5, 0)],
)
def test_round_volume_down(inst: Instrument, volume: int, down: int) -> None:
    assert round_volume_down(inst, volume) == down


@pytest.mark.parametrize(
    ("inst", "volume", "cap", "children"),
    [
        (MAIN, 2_500_050, 1_000_000, [1_000_000, 1_000_000, 500_050]),
        (MAIN, 1_000_050, 1_000_000, [1_000_000, 50]),
        (MAIN, 1_000, 450, [400, 400, 200]),
        (STAR, 200_150, 100_000, [100_000, 99_950, 200]),
        (STAR, 150, 100_000, [150]),
        (BSE, 2_000_001, 1_000_000, [1_000_000, 999_901, 100]),
        (MAIN, 0, 1_000_000, []),
    ],
)
def test_split_by_example(inst: Instrument, volume: int, cap: int, children: list[int]) -> None:
    assert split(inst, volume, cap) == children


def test_a_cap_below_two_orders_cannot_split() -> None:
    with pytest.raises(ValueError, match="cap 300"):
        split(STAR, 350, 300)


@given(
    st.sampled_from([MAIN, STAR, BSE, CHINEXT, ETF, BOND]),
    st.integers(1, 3_000_000),
    st.integers(400, 150_000),
)
def test_a_split_is_sold_order_by_order(inst: Instrument, volume: int, cap: int) -> None:
    """Each child is a legal sell of what the ones before it left, and none is over the cap."""
    children = split(inst, volume, cap)
    assert sum(children) == volume
    left = volume
    for child in children:
        assert 0 < child <= cap
        found = check_sell_volume(inst, child, left, TODAY, False)
        assert found is None or found.code == "over_cap"
        left -= child


@given(st.sampled_from([MAIN, STAR, BSE, ETF, BOND]), st.integers(1, 300_000), st.integers(400, 50_000))
def test_a_split_of_a_legal_buy_is_bought_order_by_order(inst: Instrument, volume: int, cap: int) -> None:
    legal = round_volume_down(inst, volume)
    for child in split(inst, legal, cap):
        assert check_buy_volume(inst, child, TODAY, False) is None


def test_buys_of_risk_warning_stocks_are_capped_by_day() -> None:
    def cap(code: str, on: date, st: bool = True) -> int | None:
        return st_daily_buy_cap(instrument(code, st=st), on)

    assert cap("600001.SH", TODAY) == cap("300001.SZ", TODAY) == 500_000
    assert cap("600001.SH", TODAY, st=False) is None
    assert cap("600001.SH", date(2026, 7, 3)) == cap("000001.SZ", date(2026, 7, 6)) == 500_000
    assert cap("000001.SZ", date(2026, 7, 3)) is None
    assert cap("920001.BJ", date(2026, 8, 30)) is None
    assert cap("920001.BJ", date(2026, 8, 31)) == 200_000


def test_rules_from_memory_are_marked() -> None:
    assert confirmed("odd_lot", MAIN) and confirmed("over_cap", STAR) and confirmed("odd_lot", ETF)
    assert not confirmed("odd_lot_sell", ETF)
    assert not confirmed("over_cap", BSE) and not confirmed("over_cap", ETF)
    assert not confirmed("odd_lot", BOND) and confirmed("below_min", BOND)
    assert not confirmed("outside_cage", BOND) and not confirmed("off_tick", REPO)


@pytest.mark.parametrize("phase", Phase)
def test_hours_that_are_certain(phase: Phase) -> None:
    unsure = {Phase.PAUSE_HELD, Phase.PAUSE_SZ, Phase.LUNCH, Phase.LUNCH_SZ, Phase.LUNCH_CANCELS}
    assert confirmed("off_hours", MAIN, phase) is (phase not in unsure)
    assert confirmed("not_continuous", MAIN, phase)
    fund, bond = instrument("159915.SZ"), BOND
    assert confirmed("not_continuous", fund, phase) is confirmed("not_continuous", bond, phase)
    assert confirmed("not_continuous", fund, phase) is (phase is not Phase.CLOSING)


def test_other_new_rules_from_memory() -> None:
    assert confirmed("off_hours", MAIN, None)
    assert confirmed("no_after_hours", ETF) and not confirmed("no_after_hours", MAIN._replace(st=True))
    assert not confirmed("outside_opening_range", STAR)
