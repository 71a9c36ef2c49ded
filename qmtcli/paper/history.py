"""What a question about the past means: stamped bars and ticks of a range, up to the moment on display.

Today's bars are made of the ticks shown so far, earlier days come whole. Minutes are labelled by their end, the
opening auction is the minute of 09:30; days, weeks and longer by the last day in them. A question that names neither
a beginning nor a count gets what a terminal would hold: all of a folder, and of the sample, which has no beginning,
as many days as `_KEPT` says. Bars of several days are made of days already adjusted for ex-days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import groupby

from qmtcli.paper.bars import CLOSE, close_of, day_of_ticks, merge, minutes_of
from qmtcli.paper.clock import DAY_MS, day_of, midnight, parse
from qmtcli.paper.feed import Feed, date_of, number_of
from qmtcli.paper.tape import Bar, Tick

_MORNING = 34_200_000  # 09:30
_NOON = 41_400_000  # 11:30
_AFTERNOON = 46_800_000  # 13:00
_HOUR = 3_600_000
#: but of repo, which has more
_BARS_A_DAY = 241

#: how bars may be adjusted for ex-days, see `qmtcli.paper.adjust`
DIVIDEND_TYPES = ("none", "front", "back", "front_ratio", "back_ratio")

#: minutes of a bar
MINUTES = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "60m": 60, "1h": 60}

#: bars of days: the first day of the group that a day is in, and how many days a group has at most
DAYS: dict[str, tuple[Callable[[date], date], int]] = {
    "1d": (lambda day: day, 1),
    "1w": (lambda day: day - timedelta(days=day.weekday()), 7),
    "1mon": (lambda day: day.replace(day=1), 31),
    "1q": (lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1), 92),
    "1hy": (lambda day: day.replace(month=1 if day.month < 7 else 7, day=1), 184),
    "1y": (lambda day: day.replace(month=1, day=1), 366),
}

#: days of an endless tape that a question without a beginning goes back
_KEPT = {"1m": 20, "1d": 1_000}


def moment(text: str | int, end: bool = False) -> int | None:
    """Epoch ms of a time as xtdata takes it: ``20260105``, ``20260105093000``, epoch ms; None for an empty one.

    ``end``: a day means its last millisecond. Raises ValueError.
    """
    if not isinstance(text, str):
        return int(text)
    if not text:
        return None
    if not text.isdecimal() or len(text) not in (8, 14):
        raise ValueError(f"not a time: {text}")
    day = f"{text[:4]}-{text[4:6]}-{text[6:8]}"
    if len(text) == 8:
        return parse(day) + (DAY_MS - 1 if end else 0)
    return parse(f"{day}T{text[8:10]}:{text[10:12]}:{text[12:]}")


def bars(
    feed: Feed, code: str, period: str, start: int | None, end: int | None, count: int, dividend_type: str = "none"
) -> list[tuple[int, Bar]]:
    """Bars of a period of `MINUTES` or `DAYS` with their stamps in epoch ms: the last ``count`` in [start, end].

    A negative count is all of them.
    """
    last = min(feed.tape_day, date_of(day_of(end))) if end is not None else feed.tape_day
    if period in MINUTES:
        length = MINUTES[period]
        since = _since(feed, code, length, count) if start is None and end is None and count > 0 else -1
        first = last if since >= 0 else _first(feed, code, "1m", start, last, count * length // _BARS_A_DAY + 1)
        base = _adjusted(feed, code, dividend_type, _base(feed, code, "1m", first, last, since))
        keys = groupby(base, lambda bar: (bar.day, _group_end(bar.ms, length)))
        stamped = [(midnight(number_of(day)) + ms, merge(list(group))) for (day, ms), group in keys]
    else:
        begins, days = DAYS[period]
        first = begins(_first(feed, code, "1d", start, last, count * days + days))
        base = _adjusted(feed, code, dividend_type, _base(feed, code, "1d", first, last))
        groups = groupby(base, lambda bar: begins(bar.day))
        merged = [merge(list(group)) for _, group in groups]
        stamped = [(midnight(number_of(bar.day)), bar) for bar in merged]
    found = [
        (stamp, bar) for stamp, bar in stamped if (start is None or start <= stamp) and (end is None or stamp <= end)
    ]
    return found if count < 0 else found[-count:] if count else []


def ticks(feed: Feed, code: str, start: int | None, end: int | None, count: int) -> list[tuple[int, Tick]]:
    """The last ``count`` snapshots in [start, end] with their stamps in epoch ms; a negative count is all."""
    found: list[tuple[int, Tick]] = []
    for stretch in _backwards(feed, code, start, end):
        found[:0] = stretch
        if 0 <= count <= len(found):
            break
    return found if count < 0 else found[-count:] if count else []


def _first(feed: Feed, code: str, base: str, start: int | None, last: date, days: int) -> date:
    """The first day to read: of ``start``, or as far back as ``days`` trading days (no more than 0: all) may be."""
    if start is not None:
        return date_of(day_of(start))
    if feed.tape.days() is not None:
        return date.min
    back = days * 3 // 2 + 20 if days > 0 else _KEPT[base]
    return last - timedelta(days=back)


def _base(feed: Feed, code: str, base: str, first: date, last: date, since: int = -1) -> list[Bar]:
    """Bars of ``1m`` or ``1d`` from day to day; of the day on display those after ``since`` (ms) and shown so far."""
    tape, today = feed.tape, feed.tape_day
    past = list(tape.bars(code, base, first, min(last, today - timedelta(days=1))))
    return past + _today(feed, code, base, since) if first <= today <= last else past


def _adjusted(feed: Feed, code: str, dividend_type: str, bars: list[Bar]) -> list[Bar]:
    if dividend_type == "none":
        return bars
    from qmtcli.paper.adjust import adjustment

    adjust = adjustment(feed.tape, code, feed.tape_day, dividend_type)
    return list(map(adjust, bars)) if adjust else bars


def _today(feed: Feed, code: str, base: str, since: int) -> list[Bar]:
    tape, today, shown = feed.tape, feed.tape_day, _shown(feed)
    end = tape.tick(code, today, shown)
    if end is not None:
        if base == "1d":
            return day_of_ticks(today, [end])
        before = tape.tick(code, today, since) if since >= 0 else None
        return minutes_of(today, tape.ticks(code, today, since, shown), before, _close(feed, code))
    if tape.tick(code, today, DAY_MS) is not None:
        return []
    return [bar for bar in tape.bars(code, base, today, today) if (bar.ms or CLOSE) <= shown]


def _shown(feed: Feed) -> int:
    """Time of day up to which the tape's day is on display."""
    now = feed.now_ms()
    return feed.time_shown(now) if feed.always or feed.tape_day == date_of(day_of(now)) else DAY_MS


def _close(feed: Feed, code: str) -> int:
    instrument = feed.tape.instrument(code)
    return close_of(instrument, feed.tape_day) if instrument else CLOSE


def _since(feed: Feed, code: str, length: int, count: int) -> int:
    """Time of today from which on its ticks make ``count`` whole bars; negative when today has not enough."""
    minute = _minute(min(_shown(feed), _close(feed, code))) - (count + 1) * length
    return _time(minute) if minute >= 0 else -1


def _group_end(ms: int, length: int) -> int:
    """Label of the bar of ``length`` minutes that a minute belongs to; the opening auction's is in the first."""
    minute = _minute(ms)
    return _time(minute if length == 1 else -(-max(minute, 1) // length) * length)


def _minute(ms: int) -> int:
    """Minutes of trading since 09:30; the lunch break counts for nothing."""
    if ms < _AFTERNOON:
        return (min(ms, _NOON) - _MORNING) // 60_000
    return (ms - _AFTERNOON + _NOON - _MORNING) // 60_000


def _time(minute: int) -> int:
    """The time of day at which so many minutes have been traded."""
    ms = _MORNING + minute * 60_000
    return ms if ms <= _NOON else ms + _AFTERNOON - _NOON


def _backwards(feed: Feed, code: str, start: int | None, end: int | None) -> Iterator[list[tuple[int, Tick]]]:
    """Stamped snapshots in [start, end], the newest hour of the display first, then day by day."""
    now, today = feed.now_ms(), feed.tape_day
    opening = midnight(day_of(now)) if feed.always else midnight(number_of(today))
    until = now if end is None else min(now, end)
    lower = max(opening, start or 0) - 1
    upper = min(until, opening + DAY_MS - 1)
    while upper > lower:
        yield feed.ticks(code, max(lower, upper - _HOUR), upper)
        upper -= _HOUR
    for day in _days_before(feed, today, start):
        zero = midnight(number_of(day))
        after = max(start or 0, zero) - zero - 1
        yield [(zero + tick.ms, tick) for tick in feed.tape.ticks(code, day, after, min(until - zero, DAY_MS))]


def _days_before(feed: Feed, today: date, start: int | None) -> list[date]:
    """Earlier days of the tape from ``start`` on, newest first; of an endless tape none without a start."""
    held = feed.tape.days()
    first = date.min if start is None else date_of(day_of(start))
    if held is None:
        held = [] if start is None else feed.trading_days(first, today - timedelta(days=1))
    return [day for day in reversed(held) if first <= day < today]
