"""Trading days of the exchanges: every weekday but the closures of `closures`, and no weekend.

The exchanges publish a year's closures in the December before, so the calendar ends; it never guesses. A user
extends it with an imported list of days (`Calendar.extended`, then `use`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date, timedelta

from qmtcli.errors import ConfigError, UsageError
from qmtcli.rules import closures

#: last day of the shipped table
LAST_VERIFIED = date.fromisoformat(closures.LAST)

_DAY = timedelta(days=1)


class Calendar:
    """Trading days from the first to ``last``, both included."""

    def __init__(self, days: Iterable[date], last: date) -> None:
        self._days = sorted(days)
        self._set = frozenset(self._days)
        #: the last day it knows of, trading or not
        self.last = last

    def is_trading_day(self, day: date) -> bool:
        """Whether the exchanges trade on ``day``. Raises ConfigError ``calendar_ended`` past the end."""
        self._check(day)
        return day in self._set

    def next_trading_day(self, day: date) -> date:
        """The first trading day after ``day``. Raises ConfigError ``calendar_ended`` when it is not known."""
        self._check(day)
        i = bisect_right(self._days, day)
        if i == len(self._days):
            raise ConfigError("calendar_ended", last=self.last.isoformat())
        return self._days[i]

    def previous_trading_day(self, day: date) -> date:
        """The last trading day before ``day``. Raises ConfigError ``calendar_ended`` past the end.

        Raises ValueError before the first trading day.
        """
        self._check(day)
        i = bisect_left(self._days, day)
        if not i:
            raise ValueError(f"no trading day before {day}")
        return self._days[i - 1]

    def trading_days(self, first: date, last: date) -> list[date]:
        """Trading days from ``first`` to ``last``, both included. Raises ConfigError ``calendar_ended``."""
        self._check(last)
        return self._days[bisect_left(self._days, first) : bisect_right(self._days, last)]

    def extended(self, days: Iterable[date]) -> Calendar:
        """This calendar and those of ``days``, a full list of trading days, that lie past its end."""
        new = [day for day in days if day > self.last]
        return Calendar([*self._days, *new], max(new, default=self.last))

    def _check(self, day: date) -> None:
        if day > self.last:
            raise ConfigError("calendar_ended", last=self.last.isoformat())


_current: Calendar | None = None


def current() -> Calendar:
    """The calendar in use: the shipped one, until `use` says otherwise."""
    global _current
    if _current is None:
        _current = Calendar(_shipped(), LAST_VERIFIED)
    return _current


def use(calendar: Calendar | None) -> None:
    """Make ``calendar`` the one this process uses; None for the shipped one."""
    global _current
    _current = calendar


def is_trading_day(day: date) -> bool:
    """See `Calendar.is_trading_day`."""
    return current().is_trading_day(day)


def next_trading_day(day: date) -> date:
    """See `Calendar.next_trading_day`."""
    return current().next_trading_day(day)


def previous_trading_day(day: date) -> date:
    """See `Calendar.previous_trading_day`."""
    return current().previous_trading_day(day)


def trading_days(first: date, last: date) -> list[date]:
    """See `Calendar.trading_days`."""
    return current().trading_days(first, last)


def read_days(text: str) -> list[date]:
    """Days from a list, one a line, ``20270104`` or ``2027-01-04``; blank lines and ``#`` lines are skipped.

    Raises UsageError ``calendar_line`` with the number of a line that is no date, or not after the one
    before.
    """
    days: list[date] = []
    for number, line in enumerate(text.splitlines(), 1):
        word = line.strip()
        if not word or word.startswith("#"):
            continue
        if len(word) == 8:
            word = f"{word[:4]}-{word[4:6]}-{word[6:]}"
        try:
            day = date.fromisoformat(word)
        except ValueError:
            raise UsageError("calendar_line", line=number, text=line.strip()) from None
        if days and day <= days[-1]:
            raise UsageError("calendar_line", line=number, text=line.strip())
        days.append(day)
    return days


def _shipped() -> list[date]:
    closed = set(_closed_days())
    first = date.fromisoformat(closures.FIRST)
    every = (first + timedelta(days=n) for n in range((LAST_VERIFIED - first).days + 1))
    return [day for day in every if day.weekday() < 5 and day not in closed]


def _closed_days() -> Iterable[date]:
    for line in closures.CLOSURES.splitlines():
        year, *spans = line.split()
        for span in spans:
            begin, _, end = span.partition("-")
            day, last = _day(year, begin), _day(year, end or begin)
            while day <= last:
                yield day
                day += _DAY


def _day(year: str, month_day: str) -> date:
    return date(int(year), int(month_day[:2]), int(month_day[2:]))
