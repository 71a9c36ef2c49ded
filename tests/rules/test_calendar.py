"""Trading days, their end, and an imported continuation."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from qmtcli.errors import ConfigError, UsageError
from qmtcli.rules import calendar
from qmtcli.rules.calendar import (
    LAST_VERIFIED,
    is_trading_day,
    next_trading_day,
    previous_trading_day,
    read_days,
    trading_days,
)

REAL = Path(__file__).resolve().parents[3] / "shared/data/ref/trading_days_19901219_20261231.txt"


@pytest.fixture(autouse=True)
def shipped() -> Iterator[None]:
    calendar.use(None)
    yield
    calendar.use(None)


@pytest.mark.skipif(not REAL.exists(), reason=f"no real trading days at {REAL}")
def test_every_day_since_1990_equals_the_curated_list() -> None:
    real = read_days(REAL.read_text())
    assert len(real) == 8797
    assert trading_days(date(1900, 1, 1), LAST_VERIFIED) == real


@pytest.mark.skipif(not REAL.exists(), reason=f"no real dividends beside {REAL}")
def test_real_ex_days_are_trading_days_and_follow_their_record_day() -> None:
    """Of eight stocks since 1991, when Shenzhen once took a Saturday."""
    with (REAL.parent / "dividends_8stocks.csv").open(encoding="utf-8") as file:
        plans = [row for row in csv.DictReader(file) if row["ex_date"]]
    ex_days = [date.fromisoformat(row["ex_date"]) for row in plans]
    assert len(ex_days) == 129
    assert [day for day in ex_days if not is_trading_day(day)] == [date(1991, 8, 17)]
    recorded = {date.fromisoformat(row["ex_date"]): row["record_date"] for row in plans if row["record_date"]}
    assert [day for day, record in recorded.items() if previous_trading_day(day).isoformat() != record] == []


def test_known_days() -> None:
    assert LAST_VERIFIED.isoformat() == "2026-12-31"
    assert len(trading_days(date(2026, 1, 1), LAST_VERIFIED)) == 242
    assert not is_trading_day(date(2024, 2, 9))  # a workday of the state, not of the exchanges
    assert not is_trading_day(date(2024, 2, 4))  # a make-up Sunday
    assert is_trading_day(date(1990, 12, 19)) and not is_trading_day(date(1990, 12, 18))
    assert is_trading_day(date(2026, 9, 24)) and not is_trading_day(date(2026, 9, 25))


def test_neighbours_over_a_closure() -> None:
    assert next_trading_day(date(2026, 9, 30)) == date(2026, 10, 8)
    assert next_trading_day(date(2026, 10, 3)) == date(2026, 10, 8)
    assert previous_trading_day(date(2026, 10, 8)) == date(2026, 9, 30)
    assert next_trading_day(date(1980, 1, 1)) == date(1990, 12, 19)
    with pytest.raises(ValueError, match="1990-12-19"):
        previous_trading_day(date(1990, 12, 19))


def test_spans_include_both_ends() -> None:
    days = trading_days(date(2026, 11, 20), date(2026, 11, 23))
    assert days == [date(2026, 11, 20), date(2026, 11, 23)]
    assert trading_days(date(2026, 11, 21), date(2026, 11, 22)) == []


def test_the_calendar_never_guesses() -> None:
    past = LAST_VERIFIED + timedelta(days=1)
    for ask in (
        lambda: is_trading_day(past),
        lambda: next_trading_day(LAST_VERIFIED),
        lambda: previous_trading_day(past),
        lambda: trading_days(LAST_VERIFIED, past),
    ):
        with pytest.raises(ConfigError) as caught:
            ask()
        assert (caught.value.code, caught.value.params) == ("calendar_ended", {"last": "2026-12-31"})


def test_an_imported_list_continues_the_shipped_one() -> None:
    days = read_days("# 2026-2027\n20261231\n\n2027-01-04\n20270105\n")
    longer = calendar.current().extended(days)
    assert longer.last == date(2027, 1, 5)
    calendar.use(longer)
    assert trading_days(date(2026, 12, 31), date(2027, 1, 5)) == days
    assert not is_trading_day(date(2027, 1, 1))
    with pytest.raises(ConfigError, match="calendar_ended"):
        is_trading_day(date(2027, 1, 6))
    assert calendar.current().extended([date(2020, 1, 1)]).last == date(2027, 1, 5)


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("20270104\nhello\n", 2, "hello"),
        ("20270230\n", 1, "20270230"),
        ("20270105\n20270104\n", 2, "20270104"),
        ("20270105\n20270105\n", 2, "20270105"),
    ],
)
def test_a_bad_line_is_named(text: str, line: int, word: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_days(text)
    assert (caught.value.code, caught.value.params) == ("calendar_line", {"line": line, "text": word})
