"""Intraday halts (临时停牌) of days without a price limit, found where a tape does not say so itself.

A stage halts an instrument once, when a trade is so far from the open; see `qmtcli.rules.bands.halts`.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from math import ceil

from qmtcli.model import Instrument
from qmtcli.paper.tape import Tape
from qmtcli.rules.bands import Halt, halts, resume_time
from qmtcli.rules.phases import MORNING_BEGINS


class Halts:
    """The halts of each instrument's day, found as far as they have been asked for."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._known: dict[tuple[str, date], _Day] = {}

    def end(self, instrument: Instrument, day: date, ms: int) -> int:
        """When the halt in force at ``ms`` of a day of the tape ends; 0 when there is none. Ms since midnight."""
        key = instrument.code, day
        known = self._known.get(key) or self._known.setdefault(key, _Day(halts(instrument)))
        known.look(self._tape, instrument.code, day, ms)
        return next((end for start, end in known.halts if start <= ms < end), 0)


class _Day:
    def __init__(self, stages: tuple[Halt, ...]) -> None:
        self.halts: list[tuple[int, int]] = []
        self._stages = list(stages)
        self._looked = _ms(MORNING_BEGINS) - 1

    def look(self, tape: Tape, code: str, day: date, until: int) -> None:
        """Find what halts trading at or before ``until``."""
        while self._stages and self._looked < until:
            opening = tape.tick(code, day, until)
            if opening is None or not opening.open:
                return
            reach = ceil(opening.open * self._stages[0].rate)
            low, high = opening.open - reach, opening.open + reach
            found = next(tape.approaches(code, day, self._looked, until, low, high), None)
            if found is None:
                self._looked = until
                return
            tick, _ = found
            self._looked = tick.ms
            if 0 < tick.last <= low or tick.last >= high:
                end = _ms(resume_time(self._stages.pop(0), _time(tick.ms)))
                if end > tick.ms:
                    self.halts.append((tick.ms, end))
                    self._looked = end - 1


def _ms(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1000 + at.microsecond // 1000


def _time(ms: int) -> time:
    return (datetime.min + timedelta(milliseconds=ms)).time()
