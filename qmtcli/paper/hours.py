"""Trading hours as xtdata tells them: what `get_trading_period` and `get_kline_trading_period` answer.

A time is one number (93000), and with it -1, 0 or 1: just before it, at it, just after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import time
from itertools import pairwise
from typing import Any

from qmtcli.model import Instrument
from qmtcli.paper.feed import Feed
from qmtcli.rules import phases
from qmtcli.rules.phases import Phase

#: xtdata's ``status`` by phase; in the others nobody trades
_STATUS = {
    Phase.OPENING: 2,
    Phase.OPENING_LOCKED: 2,
    Phase.CONTINUOUS: 3,
    Phase.CLOSING: 8,
    Phase.AFTER_HOURS: 9,
    Phase.AFTER_HOURS_LOCKED: 9,
}
_ALL_DAY = {"status": 3, "time": [0, [0, 0], [240_000, -1]]}

#: the periods of one instrument, of one of the two kinds
Periods = Callable[[Feed, Instrument], list[dict[str, Any]]]


def trading(feed: Feed, of: Instrument) -> list[dict[str, Any]]:
    """When it trades, and how."""
    if feed.always:
        return [_ALL_DAY]
    found: list[dict[str, Any]] = []
    for begin, end, phase, then in _stretches(feed, of):
        if phase in _STATUS:
            status, until = _STATUS[phase], [_number(end), -1 if then in _STATUS else 0]
            if found and found[-1]["status"] == status and found[-1]["time"][2] == [_number(begin), -1]:
                found[-1]["time"][2] = until
            else:
                found.append({"status": status, "time": [0, [_number(begin), 0], until]})
    return found


def bars(feed: Feed, of: Instrument) -> list[dict[str, Any]]:
    """How its ticks become bars: the opening auction's with those of 09:30, after-hours trades with the last."""
    found: list[dict[str, Any]] = []
    for begin, end, phase, then in _stretches(feed, of):
        if phase is Phase.OPENING:
            found.append(_gathered(begin, [_number(phases.MORNING_BEGINS), -1], phases.MORNING_BEGINS))
        elif phase is Phase.CONTINUOUS:
            found.append({"type": "continuous", "bartime": [0, _number(begin), _number(end)]})
        elif phase is Phase.CLOSING:
            found[-1]["bartime"][2] = _number(end)
        elif then is Phase.AFTER_HOURS_DONE:
            found.append(_gathered(begin, [_number(end), 0], phases.CLOSE))
    return found


def of_one(feed: Feed, of: Instrument | None, periods: Periods) -> dict[str, Any]:
    """The hours of an instrument; empty for none."""
    return _entry([of], periods(feed, of)) if of else {}


def of_all(feed: Feed, instruments: Iterable[Instrument], periods: Periods) -> list[dict[str, Any]]:
    """The hours of all, those of an exchange that keep the same together."""
    groups: dict[tuple[str, str], list[Instrument]] = {}
    for of in instruments:
        groups.setdefault((of.exchange, repr(periods(feed, of))), []).append(of)
    return [_entry(group, periods(feed, group[0])) for group in groups.values()]


def _entry(group: list[Instrument], periods: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "market": group[0].exchange,
        "codeRegex": "|".join(of.code[:6] for of in group),
        "product": [],
        "category": [],
        "tradings": periods,
    }


def _stretches(feed: Feed, of: Instrument) -> Iterator[tuple[time, time, Phase, Phase]]:
    """The phases of the day on display but its last: from when until when, and what follows."""
    plan = phases.schedule(of, feed.tape_day, feed.rules)
    for (begin, phase), (end, then) in pairwise(plan):
        yield begin, end, phase, then


def _gathered(begin: time, end: list[int], bar: time) -> dict[str, Any]:
    return {"type": "auction", "source": [0, [_number(begin), 0], end], "bartime": [0, _number(bar)]}


def _number(at: time) -> int:
    return at.hour * 10_000 + at.minute * 100 + at.second
