"""The tape as the clock shows it: which moment of which tape day is on display at a moment of real time.

``hours: exchange`` shows every day as it was. ``hours: always`` has no night: it plays the two continuous
phases in a loop that begins at 09:30 of each Shanghai day, on a trading day that the account counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from typing import NamedTuple

from qmtcli.model import Instrument
from qmtcli.paper.clock import DAY_MS, Clock, day_of, midnight, time_of
from qmtcli.paper.tape import Tape, Tick
from qmtcli.rules.phases import Phase, phase_at

_EPOCH = date(1970, 1, 1)
_MORNING = 34_200_000  # 09:30
_NOON = 41_400_000  # 11:30
_AFTERNOON = 46_800_000  # 13:00
_AUCTION = 53_820_000  # 14:57
_MORNING_LENGTH = _NOON - _MORNING
LOOP_MS = _MORNING_LENGTH + _AUCTION - _AFTERNOON


def date_of(day_number: int) -> date:
    """The date of a number of days since 1970-01-01."""
    return _EPOCH + timedelta(days=day_number)


def number_of(day: date) -> int:
    """Days from 1970-01-01 to ``day``."""
    return (day - _EPOCH).days


class Segment(NamedTuple):
    """A stretch of real time during which the tape runs along with the clock."""

    #: epoch ms; the stretch is [start, end)
    start: int
    end: int
    #: tape time (ms since midnight) shown at ``start``
    tape_ms: int


class Feed:
    """Ticks stamped with real time. ``day`` is the account's trading day, set by the exchange."""

    def __init__(self, tape: Tape, clock: Clock, hours: str) -> None:
        self.tape = tape
        self.clock = clock
        self.always = hours == "always"
        self.day: date = date_of(day_of(clock.now_ms()))

    def now_ms(self) -> int:
        """Epoch ms now, by the account's clock."""
        return self.clock.now_ms()

    @property
    def tape_day(self) -> date:
        """The day of the tape on display: the last of its days up to today, or in a loop over them."""
        days = self.tape.days()
        if days is None:
            return self.day
        if self.always:
            return days[number_of(self.day) % len(days)]
        return days[max(0, bisect_right(days, self.day) - 1)]

    def is_trading_day(self, day: date) -> bool:
        """Whether the calendar in force trades on ``day``; the endless calendar of ``always`` does every day."""
        if self.always:
            return True
        from qmtcli.rules.calendar import is_trading_day

        return is_trading_day(day)

    def trading_days(self, first: date, last: date) -> list[date]:
        """Trading days from ``first`` to ``last``, both included."""
        if self.always:
            return [first + timedelta(days=n) for n in range((last - first).days + 1)]
        from qmtcli.rules.calendar import trading_days

        return trading_days(first, last)

    def phase(self, instrument: Instrument) -> Phase | None:
        """The phase of trading an instrument is in now; None while its market is not on display at all."""
        if self.always:
            return Phase.CONTINUOUS
        now = self.now_ms()
        today = date_of(day_of(now))
        if self.tape_day != today or not self.is_trading_day(today):
            return None
        seconds = time_of(now) // 1000
        return phase_at(instrument, time(seconds // 3600, seconds // 60 % 60, seconds % 60), today)

    def time_shown(self, at_ms: int) -> int:
        """Time of day (ms since midnight) that the market shows at a moment."""
        segment = self._segment(at_ms)
        return segment.tape_ms + at_ms - segment.start

    def tick(self, code: str, at_ms: int | None = None) -> tuple[int, Tick] | None:
        """The snapshot on display and the epoch ms it is stamped with; None when the tape has none."""
        at_ms = self.now_ms() if at_ms is None else at_ms
        day = self.tape_day
        if not self.always:
            if day != date_of(day_of(at_ms)):
                tick = self.tape.tick(code, day, DAY_MS)
                return None if tick is None else (midnight(number_of(day)) + tick.ms, tick)
            tick = self.tape.tick(code, day, time_of(at_ms))
            return None if tick is None else (midnight(day_of(at_ms)) + tick.ms, tick)
        segment = self._segment(at_ms)
        shown = segment.tape_ms + at_ms - segment.start
        tick = self.tape.tick(code, day, shown)
        if tick is None or tick.ms < _MORNING:
            # the loop has no auction: its first moments show the first continuous snapshot
            opening = self.tape.ticks(code, day, _MORNING - 1, _NOON)
            tick = opening[0] if opening else tick
        if tick is None:
            return None
        return min(at_ms, max(segment.start, segment.start + tick.ms - segment.tape_ms)), tick

    def ticks(self, code: str, after_ms: int, until_ms: int) -> list[tuple[int, Tick]]:
        """Snapshots that came up in ``(after_ms, until_ms]``, stamped, in order, on the present day."""
        day = self.tape_day
        found: list[tuple[int, Tick]] = []
        for segment in self._segments(after_ms, until_ms):
            first = max(after_ms, segment.start - 1)
            last = min(until_ms, segment.end - 1)
            offset = segment.tape_ms - segment.start
            shown: Sequence[Tick] = self.tape.ticks(code, day, first + offset, last + offset)
            found.extend((tick.ms - offset, tick) for tick in shown)
        return found

    def _segments(self, after_ms: int, until_ms: int) -> Iterator[Segment]:
        if not self.always:
            start = midnight(number_of(self.tape_day))
            yield Segment(start, start + DAY_MS, 0)
            return
        at = after_ms + 1
        while at <= until_ms:
            segment = self._segment(at)
            yield segment
            at = segment.end

    def _segment(self, at_ms: int) -> Segment:
        day_start = midnight(day_of(at_ms))
        if not self.always:
            return Segment(day_start, day_start + DAY_MS, 0)
        opening = day_start + _MORNING - (DAY_MS if time_of(at_ms) < _MORNING else 0)
        loop_start = opening + (at_ms - opening) // LOOP_MS * LOOP_MS
        if at_ms - loop_start < _MORNING_LENGTH:
            return Segment(loop_start, min(loop_start + _MORNING_LENGTH, opening + DAY_MS), _MORNING)
        afternoon = loop_start + _MORNING_LENGTH
        return Segment(afternoon, min(loop_start + LOOP_MS, opening + DAY_MS), _AFTERNOON)
