"""Trading days of the exchanges: every weekday but the closures of `closures`, and no weekend.

The exchanges publish a year's closures in the December before, so the calendar ends; it never guesses. A user
extends it with an imported list of days: `merged` judges the list, `supply` has it used.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from itertools import pairwise

from qmtcli.errors import ConfigError, UsageError
from qmtcli.rules import closures
from qmtcli.text import day as read_day

#: last day of the shipped table
LAST_VERIFIED = date.fromisoformat(closures.LAST)

_DAY = timedelta(days=1)
#: (month, day) of the holidays by law that no year has moved: New Year, Labour Day, National Day
_HOLIDAYS = frozenset({(1, 1), (5, 1), (10, 1), (10, 2), (10, 3)})
#: no two trading days have been farther apart since 2003
_LONGEST_PAUSE = 15
#: days from one trading day to the next over the Spring Festival, at least: 8 since 1999
_SPRING_PAUSE = 7
#: trading days of a year, with some room: 237 to 246 since 1996
_PLAUSIBLE_YEAR = range(235, 251)


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
#: the stored continuation of the shipped table, and how it is read
_source: tuple[str, Callable[[str], str]] | None = None


def current() -> Calendar:
    """The calendar in use: the shipped one, until `supply` or `use` says otherwise.

    Raises ConfigError ``calendar_damaged`` for a stored list that is none, and what reading it raises.
    """
    global _current
    if _current is None:
        _current = Calendar(_shipped(), LAST_VERIFIED)
        if _source is not None:
            path, read = _source
            _current = _current.extended(stored_days(read(path), path))
    return _current


def use(calendar: Calendar | None) -> None:
    """Make ``calendar`` the one this process uses; None for the shipped one."""
    global _current, _source
    _current, _source = calendar, None


def supply(path: str, read: Callable[[str], str]) -> None:
    """Have the shipped table continued by the list stored at ``path``, read when a day is first asked for.

    An empty path stands for no such list.
    """
    global _current, _source
    source = (path, read) if path else None
    if source != _source:
        _current, _source = None, source


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
    return [day for _, day in _numbered(text)]


def stored_days(text: str, path: str) -> list[date]:
    """The days of a stored list, as `stored_text` wrote it. Raises ConfigError ``calendar_damaged``."""
    try:
        return read_days(text)
    except UsageError as error:
        raise ConfigError("calendar_damaged", path=path, **error.params) from None


def stored_text(days: Iterable[date]) -> str:
    """What is stored of an import."""
    return "".join(["# trading days, from qmt calendar import\n", *(f"{day.isoformat()}\n" for day in days)])


def merged(text: str, known: Sequence[date]) -> list[date]:
    """The days past the shipped table that hold after an import: ``known``, and in their place those of a new list.

    Raises UsageError, with the line, for a list that contradicts the shipped table, has a gap, or cannot be one of
    the exchanges': ``calendar_line, calendar_empty, calendar_contradicts, calendar_closed_day, calendar_gap`` and
    ``calendar_year``.
    """
    listed = _numbered(text)
    if not listed:
        raise UsageError("calendar_empty")
    shipped = Calendar(_shipped(), LAST_VERIFIED)
    _hold_shipped(listed, shipped)
    lines = {day: line for line, day in listed if day > LAST_VERIFIED}
    if not lines:
        return list(known)
    first, last = min(lines), max(lines)
    days = [*(day for day in known if day < first), *lines, *(day for day in known if day > last)]
    for day, line in lines.items():
        if day.weekday() >= 5 or (day.month, day.day) in _HOLIDAYS:
            raise UsageError("calendar_closed_day", line=line, day=day.isoformat())
    end = shipped.trading_days(LAST_VERIFIED - _LONGEST_PAUSE * _DAY, LAST_VERIFIED)[-1]
    for before, day in pairwise([end, *days]):
        pause = (day - before).days
        if pause > _LONGEST_PAUSE:
            line = lines.get(day) or lines.get(before) or 1
            raise UsageError("calendar_gap", line=line, first=before.isoformat(), last=day.isoformat(), days=pause)
    for year in sorted({day.year for day in lines}):
        _hold_year(year, days, max(line for day, line in lines.items() if day.year == year))
    return days


def _hold_shipped(listed: Sequence[tuple[int, date]], shipped: Calendar) -> None:
    """Hold that a list says of the days of the shipped table what that says. Raises UsageError."""
    line, first = listed[0]
    expected = iter(shipped.trading_days(first, min(listed[-1][1], shipped.last)))
    for line, day in listed:
        wanted = next(expected, None)
        if day > shipped.last and wanted is None:
            return
        if day != wanted:
            told = day if wanted is None else min(day, wanted)
            raise UsageError("calendar_contradicts", line=line, day=told.isoformat())


def _hold_year(year: int, days: Sequence[date], line: int) -> None:
    """Hold that what is known of a year can be one: neither a list of weekdays nor one with holes."""
    of_year = [day for day in days if day.year == year]
    spring = [day for day in of_year if date(year, 1, 10) <= day <= date(year, 3, 10)]
    pause = max(((day - before).days for before, day in pairwise(spring)), default=0)
    whole = days[-1] >= date(year, 12, 20)
    if (days[-1] >= date(year, 3, 10) and pause < _SPRING_PAUSE) or (whole and len(of_year) not in _PLAUSIBLE_YEAR):
        raise UsageError("calendar_year", line=line, year=year, days=len(of_year), pause=pause)


def _numbered(text: str) -> list[tuple[int, date]]:
    """The days of a list with their lines. Raises UsageError ``calendar_line``."""
    found: list[tuple[int, date]] = []
    for number, line in enumerate(text.splitlines(), 1):
        word = line.strip().rstrip(",").strip("\"'")
        if not word or word.startswith("#"):
            continue
        try:
            day = read_day(word)
        except ValueError:
            raise UsageError("calendar_line", line=number, text=line.strip()) from None
        if found and day <= found[-1][1]:
            raise UsageError("calendar_line", line=number, text=line.strip())
        found.append((number, day))
    return found


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
