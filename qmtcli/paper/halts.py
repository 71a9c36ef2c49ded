"""Intraday halts (临时停牌) of days without a price limit, found where a tape does not say so itself.

A stage halts an instrument once, when a trade is so far from the open, or from the reference price; of several reached
at once the farthest does. See `qmtcli.rules.bands.halts`.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from math import ceil

from qmtcli.paper.tape import Tape
from qmtcli.paper.terms import Terms
from qmtcli.rules.bands import resume_time
from qmtcli.rules.phases import MORNING_BEGINS, OPEN_AUCTION_MATCHES


class Halts:
    """The halts of each instrument's day, found as far as they have been asked for."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._known: dict[tuple[str, date], _Day] = {}

    def end(self, terms: Terms, day: date, ms: int) -> int:
        """When the halt in force at ``ms`` of a day of the tape ends; 0 when there is none. Ms since midnight."""
        code = terms.instrument.code
        known = self._known.get((code, day)) or self._known.setdefault((code, day), _Day(terms))
        known.look(self._tape, code, day, ms)
        return next((end for start, end in known.halts if start <= ms < end), 0)


class _Day:
    def __init__(self, terms: Terms) -> None:
        self.halts: list[tuple[int, int]] = []
        self._stages = list(terms.halts)
        self._from_open = terms.halts_from_open
        self._looked = _ms(OPEN_AUCTION_MATCHES) - 1

    def look(self, tape: Tape, code: str, day: date, until: int) -> None:
        """Find what halts trading at or before ``until``."""
        while self._stages and self._looked < until:
            shown = tape.tick(code, day, until)
            base = 0 if shown is None else shown.open if self._from_open else shown.preclose
            if not base:
                return
            reach = ceil(base * self._stages[0].rate)
            found = next(tape.approaches(code, day, self._looked, until, base - reach, base + reach), None)
            if found is None:
                self._looked = until
                return
            tick, _ = found
            self._looked = tick.ms
            if reached := [stage for stage in self._stages if tick.last and abs(tick.last - base) >= base * stage.rate]:
                del self._stages[: len(reached)]
                start = max(tick.ms, _ms(MORNING_BEGINS))
                end = _ms(resume_time(reached[-1], _time(start)))
                if end > start:
                    self.halts.append((start, end))
                    self._looked = end - 1


def _ms(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1000 + at.microsecond // 1000


def _time(ms: int) -> time:
    return (datetime.min + timedelta(milliseconds=ms)).time()
