"""Bars made of ticks as they come: each opens once and closes once. Pure.

A bar of minutes is labelled by its end, as a terminal's are: the opening auction and what is before it belongs to the
day's first bar, the snapshots of the lunch break to the one that ends at 11:30, what comes after the close to the
day's last. A bar closes with the first tick of its code that belongs to a later one, or when nothing more of it can
come: `GRACE` after its end, the last of a day after the last phase in which anything trades.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from functools import lru_cache

from qmtcli.model import Instrument
from qmtcli.rules.phases import Phase, schedule
from qmtcli.strategy.ticks import SHANGHAI, Bar, Tick

#: minutes of a bar, a day apart
MINUTES = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60}
PERIODS = (*MINUTES, "1d")
#: ms after its end that a bar waits for a tick that comes late
GRACE = 5_000
_END_GRACE = 60_000

_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86_400_000
_OFFSET = 8 * 3_600_000
_MINUTE = 60_000
_MORNING, _NOON, _AFTERNOON, _CLOSE = 34_200_000, 41_400_000, 46_800_000, 54_000_000


class Day:
    """What a code's bars of one day are labelled by."""

    def __init__(self, midnight: int, close: int, end: int) -> None:
        #: epoch ms
        self.midnight = midnight
        #: ms since midnight: the last label, and when nothing trades any more
        self.close, self.end = close, end

    def label(self, ms: int, minutes: int) -> int:
        """The label, ms since midnight, of the bar that a moment belongs to, ms since midnight."""
        if ms < _MORNING:
            if minutes == 1:
                return _MORNING
            trading = 0
        elif ms < _AFTERNOON:
            trading = (min(ms, _NOON - 1) - _MORNING) // _MINUTE
        else:
            trading = (min(ms, self.close - 1) - _AFTERNOON + _NOON - _MORNING) // _MINUTE
        end = _MORNING + (trading // minutes + 1) * minutes * _MINUTE
        return min(end if end <= _NOON else end + _AFTERNOON - _NOON, self.close)

    def begins(self, label: int, minutes: int) -> bool:
        """Whether a bar is the day's first, so that what traded before it is part of it."""
        return label <= _MORNING + minutes * _MINUTE

    def over(self, label: int) -> int:
        """When (ms since midnight) nothing more of a bar can come."""
        if label >= self.close:
            return self.end + _END_GRACE
        return label + (_END_GRACE if label == _NOON else GRACE)


class Always(Day):
    """A day of a market that never closes: bars by the clock."""

    def __init__(self, midnight: int) -> None:
        super().__init__(midnight, _DAY, _DAY)

    def label(self, ms: int, minutes: int) -> int:
        return (ms // _MINUTE // minutes + 1) * minutes * _MINUTE

    def begins(self, label: int, minutes: int) -> bool:
        return False

    def over(self, label: int) -> int:
        return label + GRACE


@lru_cache(maxsize=4096)
def day_of(instrument: Instrument, on: date) -> Day:
    """The day of an instrument by the exchange's phases."""
    plan = schedule(instrument, on)
    ends = [begin for begin, phase in plan if phase in (Phase.CLOSED, Phase.AFTER_HOURS_DONE)]
    close = next(begin for begin, phase in plan if phase in (Phase.CLOSED, Phase.AFTER_HOURS_ORDERS))
    return Day(midnight(on), _ms(close), _ms(ends[-1]) if ends else _CLOSE)


@lru_cache(maxsize=16)
def always(on: date) -> Day:
    """A day without a close."""
    return Always(midnight(on))


def midnight(on: date) -> int:
    """Epoch ms at which a day begins in Shanghai."""
    return int(datetime(on.year, on.month, on.day, tzinfo=SHANGHAI).timestamp() * 1000)


def _ms(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1000


class Bars:
    """The bars of one code in one period."""

    def __init__(self, code: str, period: str, day: Callable[[date], Day]) -> None:
        """``day(date)``: what its bars of a day are labelled by."""
        self.code, self.period = code, period
        self._minutes = MINUTES.get(period, 0)
        self._day_of = day
        #: the bar that is open
        self.bar: Bar | None = None
        #: when (epoch ms) nothing more of it can come
        self.over = 0
        #: label of the last bar that was opened, or of one whose beginning was missed
        self._last = -1
        self._number = -1
        self._day: Day | None = None
        #: the snapshot before, where it was of the same day and after its first trade
        self._before: Tick | None = None
        #: shares and CNY traded before the bar
        self._base = 0, 0.0

    def take(self, tick: Tick) -> tuple[Bar | None, Bar | None]:
        """(the bar that a tick closes, the bar that it opens), each None where it does not."""
        number = (tick.time + _OFFSET) // _DAY
        if number != self._number or self._day is None:
            self._number, self._before = number, None
            self._day = self._day_of(date.fromordinal(_EPOCH + number))
        if not tick.open or not tick.pvolume:
            return None, None  # nothing has traded yet
        day, before = self._day, self._before
        self._before = tick
        at = tick.time - day.midnight
        label = day.label(at, self._minutes) if self._minutes else 0
        stamp = day.midnight + label
        if before is None and self._minutes and not day.begins(label, self._minutes):
            self._last = max(self._last, stamp)  # its beginning was missed
        closed = opened = None
        if stamp > self._last:
            over = day.midnight + (day.over(label) if self._minutes else day.end + _END_GRACE)
            closed, opened = self.bar, self._open(tick, before, stamp, over)
        if self.bar is not None and stamp == self.bar.time:
            self._add(self.bar, tick, before)
        return closed, opened

    def _open(self, tick: Tick, before: Tick | None, stamp: int, over: int) -> Bar:
        start = tick.open if before is None else tick.last_price
        self.bar = Bar(self.code, self.period, stamp, start, tick.last_close)
        self._last, self.over = stamp, over
        self._base = (0, 0.0) if before is None else (before.pvolume, before.amount)
        return self.bar

    def _add(self, bar: Bar, tick: Tick, before: Tick | None) -> None:
        price = bar.close = tick.last_price
        # a high or low of the day that no snapshot shows belongs to the first that knows of it
        high = price if before is not None and tick.high <= before.high else tick.high
        low = price if before is not None and tick.low >= before.low else tick.low
        bar.high, bar.low = max(bar.high, high), min(bar.low, low)
        if tick.pvolume < self._base[0]:  # a market in a loop has begun anew
            self._base = tick.pvolume, tick.amount
        bar.volume, bar.amount = tick.pvolume - self._base[0], round(tick.amount - self._base[1], 2)

    def end(self, now: int) -> Bar | None:
        """The bar that is over at a moment (epoch ms), closed; None where there is none."""
        if self.bar is None or now < self.over:
            return None
        closed, self.bar = self.bar, None
        return closed
