"""T+0 and T+1, sellable volume, repo."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from qmtcli.errors import ConfigError, UsageError
from qmtcli.rules.boards import instrument
from qmtcli.rules.settings import Settings
from qmtcli.rules.settlement import is_t0, repo_days, repo_interest, repo_term, sellable

D = Decimal


@pytest.mark.parametrize(
    ("code", "t0"),
    [
        ("600000.SH", False),
        ("688981.SH", False),
        ("920002.BJ", False),
        ("689009.SH", False),
        ("900901.SH", False),
        ("510300.SH", False),
        ("511880.SH", True),
        ("513100.SH", True),
        ("518880.SH", True),
        ("159941.SZ", True),
        ("161226.SZ", True),
        ("508000.SH", False),
        ("123153.SZ", True),
        ("019666.SH", True),
        ("132018.SH", True),
        ("204001.SH", False),
    ],
)
def test_who_may_sell_what_was_bought_today(code: str, t0: bool) -> None:
    assert is_t0(instrument(code)) is t0


def test_an_instruments_own_word_and_a_setting() -> None:
    assert is_t0(instrument("159999.SZ", t0=True)) is True
    assert is_t0(instrument("513100.SH", t0=False)) is False
    assert is_t0(instrument("132018.SH"), Settings(exch_bond_t0=False)) is False


@pytest.mark.parametrize(
    ("code", "setting"),
    [("689009.SH", "cdr_t0"), ("900901.SH", "b_share_t0"), ("501050.SH", "lof_t0"), ("508000.SH", "reit_t0")],
)
def test_kinds_whose_t1_is_from_memory(code: str, setting: str) -> None:
    assert is_t0(instrument(code)) is False
    assert is_t0(instrument(code), Settings(**{setting: True})) is True
    assert is_t0(instrument(code, t0=False), Settings(**{setting: True})) is False
    assert is_t0(instrument("161226.SZ"), Settings(lof_t0=False)) is True


def test_sellable() -> None:
    assert sellable(1000, bought=500, sold=300, frozen=200, t0=False) == 500
    assert sellable(1000, bought=500, sold=300, frozen=200, t0=True) == 1000


@pytest.mark.parametrize(
    ("code", "days"),
    [
        ("204001.SH", 1),
        ("204007.SH", 7),
        ("204182.SH", 182),
        ("131810.SZ", 1),
        ("131801.SZ", 7),
        ("131806.SZ", 182),
    ],
)
def test_repo_term(code: str, days: int) -> None:
    assert repo_term(code) == days


def test_what_is_no_repo_has_no_term() -> None:
    with pytest.raises(UsageError, match="code_unknown"):
        repo_term("131899.SZ")


@pytest.mark.parametrize(
    ("traded", "code", "maturity", "days"),
    [
        # Wednesday, Thursday (over the weekend), Friday
        (date(2026, 11, 18), "204001.SH", date(2026, 11, 19), 1),
        (date(2026, 11, 19), "204001.SH", date(2026, 11, 20), 3),
        (date(2026, 11, 20), "204001.SH", date(2026, 11, 23), 1),
        # over the National Day closure 10-01 to 10-07
        (date(2026, 9, 29), "204001.SH", date(2026, 9, 30), 8),
        (date(2026, 9, 30), "204001.SH", date(2026, 10, 8), 1),
        (date(2026, 9, 29), "204007.SH", date(2026, 10, 8), 9),
        (date(2026, 11, 18), "131801.SZ", date(2026, 11, 25), 7),
    ],
)
def test_days_that_earn_interest(traded: date, code: str, maturity: date, days: int) -> None:
    assert repo_days(code, traded) == (maturity, days)


def test_a_term_past_the_calendar() -> None:
    with pytest.raises(ConfigError, match="calendar_ended"):
        repo_days("204014.SH", date(2026, 12, 30))


def test_repo_interest() -> None:
    assert repo_interest(D("100000"), D("1.825"), 3) == D("15.00")
    assert repo_interest(D("10000"), D("2"), 1) == D("0.55")
    assert repo_interest(D("10000"), D("1.8"), 1, Settings(repo_year=360)) == D("0.50")
