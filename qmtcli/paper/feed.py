"""The tape as the clock shows it: which moment of which tape day is on display at a moment of real time.

``hours: exchange`` shows every day as it was. ``hours: always`` has no night: it plays the two continuous
phases in a loop that begins at 09:30 of each Shanghai day, on a trading day that the account counts.

Real time falls into segments in which the tape runs along with the clock: the mornings and afternoons of the
loop, cut at midnight, where the account's day changes. What is on display as a segment begins is stamped with
its beginning, so a stamp is never in the future and never of the segment before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, time, timedelta
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from qmtcli.model import Instrument
from qmtcli.paper.clock import DAY_MS, Clock, day_of, midnight, time_of
from qmtcli.paper.tape import Tape, Tick, is_near
from qmtcli.rules import settings, settlement
from qmtcli.rules.corporate import Action
from qmtcli.rules.phases import Phase, schedule

_EPOCH = date(1970, 1, 1)
_MORNING = 34_200_000  # 09:30
_NOON = 41_400_000  # 11:30
_AFTERNOON = 46_800_000  # 13:00
_AUCTION = 53_820_000  # 14:57
_MORNING_LENGTH = _NOON - _MORNING
LOOP_MS = _MORNING_LENGTH + _AUCTION - _AFTERNOON

#: a snapshot and the epoch ms it is stamped with
Shown = tuple[int, Tick]


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

    @property
    def offset(self) -> int:
        """What is added to real time for tape time."""
        return self.tape_ms - self.start


class Trading(Enum):
    """How orders trade in a `Window`."""

    #: at one price: that of the snapshot which shows the auction's trades
    AUCTION = "auction"
    #: price, then time
    CONTINUOUS = "continuous"
    #: at the day's close, first come, first served
    AFTER_HOURS = "after_hours"


class Window(NamedTuple):
    """A stretch of real time whose snapshots orders may meet."""

    #: epoch ms; the stretch is [start, end)
    start: int
    end: int
    trading: Trading


class Feed:
    """Ticks stamped with real time. ``day`` is the account's trading day, set by the exchange."""

    def __init__(self, tape: Tape, clock: Clock, hours: str, rules: settings.Settings = settings.DEFAULT) -> None:
        self.tape = tape
        self.clock = clock
        self.always = hours == "always"
        self.rules = rules
        self.day: date = date_of(day_of(clock.now_ms()))
        #: the last answer of `tick` by code, with what it was asked for
        self._last: dict[str, tuple[int, date, Shown | None]] = {}
        self._openings: dict[tuple[str, date, int], Tick | None] = {}

    def now_ms(self) -> int:
        """Epoch ms now, by the account's clock."""
        return self.clock.now_ms()

    @property
    def tape_day(self) -> date:
        """The day of the tape on display: the last of its days up to today, or in a loop over them.

        The first of them when today is before all of them; then nothing is on display.
        """
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

    def phase(self, instrument: Instrument, at_ms: int | None = None) -> Phase | None:
        """The phase of trading an instrument is in; None while its market is not on display at all."""
        if self.always:
            return Phase.CONTINUOUS
        at_ms = self.now_ms() if at_ms is None else at_ms
        today = date_of(day_of(at_ms))
        if self.tape_day != today or not self.is_trading_day(today):
            return None
        begins, phases = _phases(instrument, today, self.rules)
        return phases[bisect_right(begins, time_of(at_ms)) - 1]

    def windows(self, instrument: Instrument, after_ms: int, until_ms: int) -> Iterator[Window]:
        """The windows with a moment in ``(after_ms, until_ms]``, in order; the snapshots of others pass by."""
        if self.always:
            yield Window(after_ms + 1, until_ms + 1, Trading.CONTINUOUS)
            return
        zero = midnight(number_of(self.tape_day))
        for start, end, trading in _windows(instrument, self.tape_day, self.rules):
            if zero + start <= until_ms and zero + end > after_ms + 1:
                yield Window(zero + start, zero + end, trading)

    def approaches(self, code: str, after_ms: int, until_ms: int, buy: int, sell: int) -> Iterator[tuple[Shown, int]]:
        """Snapshots of ``(after_ms, until_ms]`` near a resting order, see `qmtcli.paper.tape.is_near`, in order.

        Each is stamped, and with the shares traded before it that day.
        """
        for segment, opening, first, last in self._pieces(code, after_ms, until_ms):
            if opening is not None and is_near(opening, buy, sell):
                before = self.tick(code, segment.start - 1)
                yield (segment.start, opening), before[1].volume if before else 0
            if first < last:
                for tick, volume in self.tape.approaches(code, self.tape_day, first, last, buy, sell):
                    yield (tick.ms - segment.offset, tick), volume

    def run_end(self, at_ms: int) -> int:
        """When (epoch ms) the tape ceases to run along with the clock as it does at a moment."""
        return self._segment(at_ms).end

    def actions(self, code: str, before: date) -> list[Action]:
        """What a holder since the trading day ``before`` receives on the present one."""
        days, first, last = self.tape.days(), before, self.day
        if days is not None and self.always:
            first, last = days[number_of(before) % len(days)], self.tape_day
            if first >= last:  # the loop of tapes has begun anew
                first = last - timedelta(days=1)
        return [action for _, action in self.tape.actions(code, first + timedelta(days=1), last)]

    def repo_days(self, code: str) -> tuple[date, int]:
        """(maturity, days that earn interest) of money lent today. Raises ConfigError ``calendar_ended``."""
        if self.always:
            term = settlement.repo_term(code)
            return self.day + timedelta(days=term), term
        return settlement.repo_days(code, self.day)

    def time_shown(self, at_ms: int) -> int:
        """Time of day (ms since midnight) that the market shows at a moment."""
        return at_ms + self._segment(at_ms).offset

    def tick(self, code: str, at_ms: int | None = None) -> Shown | None:
        """The snapshot on display and the epoch ms it is stamped with; None when there is none."""
        at_ms = self.now_ms() if at_ms is None else at_ms
        known = self._last.get(code)
        if known is None or known[:2] != (at_ms, self.day):
            known = self._last[code] = (at_ms, self.day, self._display(code, at_ms))
        return known[2]

    def _display(self, code: str, at_ms: int) -> Shown | None:
        segment = self._segment(at_ms)
        if at_ms < segment.start:
            return None
        opening = self._opening(code, segment)
        tick = self.tape.tick(code, self.tape_day, min(at_ms, segment.end) + segment.offset)
        if opening is not None and (tick is None or tick.ms <= opening.ms):
            return segment.start, opening
        return None if tick is None else (tick.ms - segment.offset, tick)

    def ticks(self, code: str, after_ms: int, until_ms: int) -> list[Shown]:
        """Snapshots that came up in ``(after_ms, until_ms]``, stamped, in order, on the present day."""
        found: list[Shown] = []
        for segment, opening, first, last in self._pieces(code, after_ms, until_ms):
            if opening is not None:
                found.append((segment.start, opening))
            if first < last:
                ticks = self.tape.ticks(code, self.tape_day, first, last)
                found += [(tick.ms - segment.offset, tick) for tick in ticks]
        return found

    def _pieces(self, code: str, after_ms: int, until_ms: int) -> Iterator[tuple[Segment, Tick | None, int, int]]:
        """The parts of ``(after_ms, until_ms]`` by segments.

        Each with what comes up as it begins, if that does, and the tape times after and up to which more comes up.
        """
        for segment in self._segments(after_ms, until_ms):
            first = max(after_ms + segment.offset, segment.tape_ms)
            opening = self._opening(code, segment)
            if opening is not None:
                first = max(first, opening.ms)
            comes_up = opening if after_ms < segment.start else None
            yield segment, comes_up, first, min(until_ms, segment.end - 1) + segment.offset

    def _opening(self, code: str, segment: Segment) -> Tick | None:
        """What is on display as a segment begins."""
        key = (code, self.tape_day, segment.tape_ms)
        if key not in self._openings:
            self._openings[key] = self._find_opening(*key)
        return self._openings[key]

    def _find_opening(self, code: str, day: date, ms: int) -> Tick | None:
        tick = self.tape.tick(code, day, ms)
        if not self.always or ms >= _NOON or (tick is not None and tick.ms >= _MORNING):
            return tick
        # the loop has no auction: its first moments show the first continuous snapshot
        for until in (_MORNING + 60_000, _NOON - 1):
            if morning := self.tape.ticks(code, day, _MORNING - 1, until):
                return morning[0]
        return tick

    def _segments(self, after_ms: int, until_ms: int) -> Iterator[Segment]:
        """Segments with a moment in ``(after_ms, until_ms]``."""
        at = after_ms + 1
        while at <= until_ms:
            segment = self._segment(at)
            if segment.start <= until_ms:
                yield segment
            at = segment.end if self.always else until_ms + 1

    def _segment(self, at_ms: int) -> Segment:
        """The segment of a moment; of ``hours: exchange`` the day of the tape, whatever the moment."""
        if not self.always:
            start = midnight(number_of(self.tape_day))
            return Segment(start, start + DAY_MS, 0)
        begin = midnight(day_of(at_ms))
        end = begin + DAY_MS
        opening = begin + _MORNING
        # the loops of the night are counted from 09:30 of the day before
        begin, end, opening = (begin, opening, opening - DAY_MS) if at_ms < opening else (opening, end, opening)
        loop = opening + (at_ms - opening) // LOOP_MS * LOOP_MS
        noon = loop + _MORNING_LENGTH
        start, stop, tape_ms = (loop, noon, _MORNING) if at_ms < noon else (noon, loop + LOOP_MS, _AFTERNOON)
        cut = max(0, begin - start)
        return Segment(start + cut, min(stop, end), tape_ms + cut)


@lru_cache(maxsize=4096)
def _phases(instrument: Instrument, day: date, rules: settings.Settings) -> tuple[list[int], list[Phase]]:
    """The phases of a day and the times (ms since midnight) they begin at."""
    plan = schedule(instrument, day, rules)
    return [_ms(begin) for begin, _ in plan], [phase for _, phase in plan]


@lru_cache(maxsize=4096)
def _windows(instrument: Instrument, day: date, rules: settings.Settings) -> list[tuple[int, int, Trading]]:
    """Windows of a day, ms since midnight: an auction's trades are shown in the phase after it."""
    begins, phases = _phases(instrument, day, rules)
    found: list[tuple[int, int, Trading]] = []
    before = phases[0]
    for start, end, phase in zip(begins, [*begins[1:], DAY_MS], phases, strict=True):
        if phase is Phase.CONTINUOUS:
            found.append((start, end, Trading.CONTINUOUS))
        elif before.is_auction and not phase.is_auction:
            found.append((start, end, Trading.AUCTION))
        elif phase.matches:
            # the last of its trades is shown a little after its end
            found.append((start, end + 60_000, Trading.AFTER_HOURS))
        before = phase
    return found


def _ms(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1000
