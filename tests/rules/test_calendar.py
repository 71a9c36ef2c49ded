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
    merged,
    next_trading_day,
    previous_trading_day,
    read_days,
    stored_days,
    stored_text,
    supply,
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


# -- what is imported --------------------------------------------------------------------------------------


def _year(year: int, *closures: str) -> list[date]:
    """Weekdays of a year without the holidays by law and the closures, spans like ``0205-0212``."""
    closed = {date(year, month, day) for month, day in ((1, 1), (5, 1), (10, 1), (10, 2), (10, 3))}
    for span in closures:
        first, _, last = span.partition("-")
        begin, end = (date(year, int(each[:2]), int(each[2:])) for each in (first, last or first))
        closed.update(begin + timedelta(days=n) for n in range((end - begin).days + 1))
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(365))
    return [day for day in days if day.weekday() < 5 and day not in closed]


#: a believable 2027, and two more
GOOD = _year(2027, "0205-0212", "0405", "0503-0505", "0609", "0915", "1001-1007")
NEXT = _year(2028, "0125-0202", "0404", "0501-0503", "0526", "1002-1006")


def _text(days: list[date]) -> str:
    return "\n".join(day.isoformat() for day in days)


def test_a_year_continues_the_shipped_table() -> None:
    assert merged(_text(GOOD), []) == GOOD
    whole_2026 = trading_days(date(2026, 1, 1), LAST_VERIFIED)
    assert merged(_text([*whole_2026, *GOOD]), []) == GOOD
    assert merged(_text(GOOD[:30]), []) == GOOD[:30]
    assert merged(_text(NEXT), GOOD) == [*GOOD, *NEXT]


def test_a_list_replaces_what_was_imported_of_its_days() -> None:
    corrected = [day for day in GOOD if day != date(2027, 9, 14)]
    assert merged(_text(corrected), [*GOOD, *NEXT]) == [*corrected, *NEXT]
    assert merged(_text(trading_days(date(2026, 12, 1), date(2026, 12, 15))), GOOD) == GOOD


LAST_DAYS = [date(2026, 12, 30), date(2026, 12, 31)]
WEEKDAYS = _year(2027)


@pytest.mark.parametrize(
    ("days", "known", "code", "params"),
    [
        ([], [], "calendar_empty", {}),
        ([date(2026, 12, 30), *GOOD], [], "calendar_contradicts", {"line": 2, "day": "2026-12-31"}),
        ([date(2026, 12, 30), date(2027, 1, 4)], [], "calendar_contradicts", {"line": 2, "day": "2026-12-31"}),
        ([date(2026, 9, 24), date(2026, 9, 25)], [], "calendar_contradicts", {"line": 2, "day": "2026-09-25"}),
        ([date(1990, 12, 18)], [], "calendar_contradicts", {"line": 1, "day": "1990-12-18"}),
        ([*LAST_DAYS, date(2027, 1, 1)], [], "calendar_closed_day", {"line": 3, "day": "2027-01-01"}),
        ([date(2027, 1, 4), date(2027, 1, 9)], [], "calendar_closed_day", {"line": 2, "day": "2027-01-09"}),
        (GOOD[20:], [], "calendar_gap", {"line": 1, "first": "2026-12-31", "last": "2027-02-01", "days": 32}),
        ([*GOOD[:50], *GOOD[65:]], [], "calendar_gap", {"line": 51, "days": 23}),
        (NEXT, GOOD[:200], "calendar_gap", {"line": 1, "last": "2028-01-03"}),
        (NEXT, [], "calendar_gap", {"line": 1}),
        ([date(2207, 1, 5)], [], "calendar_gap", {"line": 1}),
        (WEEKDAYS, [], "calendar_year", {"line": len(WEEKDAYS), "year": 2027, "days": len(WEEKDAYS), "pause": 3}),
        (WEEKDAYS[:50], [], "calendar_year", {"line": 50, "year": 2027, "days": 50}),
        (GOOD[::2], [], "calendar_year", {"line": 122, "days": 122}),
        ([*GOOD, *_year(2028)], [], "calendar_year", {"line": 243 + 257, "year": 2028}),
    ],
)
def test_what_cannot_be_the_exchanges_calendar(
    days: list[date], known: list[date], code: str, params: dict[str, object]
) -> None:
    with pytest.raises(UsageError) as caught:
        merged(_text(days), known)
    assert caught.value.code == code
    assert {name: caught.value.params[name] for name in params} == params


def test_every_year_since_1999_would_be_believed() -> None:
    """The limits that an import is held to, on the real calendar."""
    for year in range(1999, 2027):
        calendar._hold_year(year, trading_days(date(year, 1, 1), date(year, 12, 31)), 1)


def test_a_stored_list_is_read_when_a_day_is_asked_for() -> None:
    reads: list[str] = []

    def read(path: str) -> str:
        reads.append(path)
        return stored_text(GOOD)

    supply("stored", read)
    assert reads == []
    assert is_trading_day(date(2027, 1, 4)) and not is_trading_day(date(2027, 2, 8))
    supply("stored", read)
    assert calendar.current().last == GOOD[-1]
    assert reads == ["stored"]
    supply("", read)
    assert calendar.current().last == LAST_VERIFIED
    assert reads == ["stored"]


def test_a_stored_list_that_is_damaged_is_named() -> None:
    assert stored_days(stored_text(GOOD), "x") == GOOD
    with pytest.raises(ConfigError) as caught:
        stored_days("2027-01-04\nnever\n", "x")
    assert caught.value.code == "calendar_damaged"
    assert caught.value.params == {"path": "x", "line": 2, "text": "never"}


def test_days_as_files_have_them() -> None:
    assert read_days('"2027-01-04"\n2027/1/5,\r\n# end\n20270106') == [date(2027, 1, n) for n in (4, 5, 6)]
