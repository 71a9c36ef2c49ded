"""A tape that shows snapshots where it has bars alone, so that days of which nobody kept the ticks can be replayed.

A minute is shown in four snapshots: its open, its two extremes (a minute that rose fell first), its close, each with a
quarter of what traded in it; the opening auction's at 09:25, the closing auction's after the close. A day of which
there is one bar is shown at 09:30, 10:30, 13:30, 14:45 (the close) and 15:00. Before all of them there is one at 09:15
without a price. Bars made of these snapshots are the bars they were made of.

Nobody knows the book. One level is shown a tick away on each side, in an auction none, beyond a price limit none, at
the limit its own; it holds a quarter of what traded since the snapshot before. That is the most that an order gets, one
that rests too, and at a price limit, where everybody is before it, one that rests gets nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time
from decimal import Decimal
from operator import attrgetter
from typing import Any, cast

from qmtcli.model import Instrument
from qmtcli.paper.clock import DAY_MS
from qmtcli.paper.tape import Bar, Level, Tape, Tick, approaches
from qmtcli.rules import phases, settings
from qmtcli.rules.bands import Band, band
from qmtcli.rules.phases import Phase
from qmtcli.rules.ticks import tick as tick_of

_MINUTE = 60_000
_BEGINS, _AUCTION, _MORNING, _CLOSE = 33_300_000, 33_900_000, 34_200_000, 54_000_000
#: xtquant's ``openInt``
_OPENING, _CONTINUOUS, _CLOSING, _CLOSED = 12, 13, 18, 15
#: ms after its beginning that a minute's snapshots are shown, and after 09:25 and the close an auction's
_WITHIN, _AFTER = (3_000, 18_000, 36_000, 54_000), 3_000
#: when a day's bar is shown: open, extremes, close, close
_OF_DAY = (_MORNING + _AFTER, 37_800_000, 48_600_000, 53_100_000, _CLOSE + _AFTER)
#: of what traded, what a level holds
_SHARE = 4


def barred(tape: Tape, codes: Sequence[str], first: date, last: date, rules: settings.Settings) -> Tape:
    """The tape with the days of ``codes`` in [first, last] that it has bars of, shown as said above."""
    return cast(Tape, _Barred(tape, codes, first, last, rules))


class _Barred:
    def __init__(self, tape: Tape, codes: Sequence[str], first: date, last: date, rules: settings.Settings) -> None:
        self._tape, self._rules = tape, rules
        held = tape.days()
        more = [] if held is None else [bar.day for code in codes for bar in tape.bars(code, "1d", first, last)]
        self._days = None if held is None else sorted({*held, *more})
        #: of the day that was last asked for: by code what is shown of it, None where the tape has its own
        self._shown: dict[str, list[Tick] | None] = {}
        self._day = date.min

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tape, name)

    def days(self) -> Sequence[date] | None:
        return self._days

    def tick(self, code: str, day: date, ms: int) -> Tick | None:
        shown = self._of(code, day)
        if shown is None:
            return self._tape.tick(code, day, ms)
        place = _place(shown, ms)
        return shown[place - 1] if place else None

    def ticks(self, code: str, day: date, after: int, until: int) -> Sequence[Tick]:
        shown = self._of(code, day)
        if shown is None:
            return self._tape.ticks(code, day, after, until)
        return shown[_place(shown, after) : _place(shown, until)]

    def approaches(
        self, code: str, day: date, after: int, until: int, buy: int, sell: int
    ) -> Iterator[tuple[Tick, int]]:
        shown = self._of(code, day)
        if shown is None:
            return self._tape.approaches(code, day, after, until, buy, sell)
        before = self.tick(code, day, after)
        return _bounded(approaches(self.ticks(code, day, after, until), before.volume if before else 0, buy, sell))

    def _of(self, code: str, day: date) -> list[Tick] | None:
        if day != self._day:
            self._day, self._shown = day, {}
        if code not in self._shown:
            self._shown[code] = self._make(code, day)
        return self._shown[code]

    def _make(self, code: str, day: date) -> list[Tick] | None:
        of = self._tape.instrument(code)
        if of is None or self._tape.days() is None or self._tape.tick(code, day, DAY_MS) is not None:
            return None
        minutes = self._tape.bars(code, "1m", day, day)
        bars = [bar for bar in minutes or self._tape.bars(code, "1d", day, day) if bar.close]
        return [*_Day(of, day, self._rules).shown(bars)] if bars else None


class _Day:
    """The snapshots of one day of one instrument."""

    def __init__(self, of: Instrument, day: date, rules: settings.Settings) -> None:
        self._of, self._day = of, day
        self._step = int(tick_of(of, rules) * 1000)
        self._rules = rules
        plan = phases.schedule(of, day, rules)
        #: from when (ms) on nothing trades but in the closing auction
        self._locked = next((_ms(begin) for begin, phase in plan if phase is Phase.CLOSING), _CLOSE)
        self._open = self._high = self._low = 0
        self._volume = self._amount = 0

    def shown(self, bars: Sequence[Bar]) -> Iterator[Tick]:
        for bar in bars:
            if not (bar.volume or self._volume):
                continue  # nothing has traded yet
            if not self._volume:
                yield Tick(_BEGINS, 0, 0, 0, 0, bar.preclose, 0, 0, 0, _OPENING, (), ())
            prices = _path(bar)
            if not bar.ms:
                yield from self._snapshots(bar, [*prices, bar.close], _OF_DAY)
            elif bar.ms <= _MORNING:
                yield from self._snapshots(bar, prices, [_AUCTION + _AFTER + n for n in range(4)])
            elif bar.ms == _CLOSE and self._locked < _CLOSE:
                yield from self._snapshots(bar, prices, [_CLOSE + _AFTER + n for n in range(4)])
            else:
                yield from self._snapshots(bar, prices, [bar.ms - _MINUTE + each for each in _WITHIN])

    def _snapshots(self, bar: Bar, prices: Sequence[int], at: Sequence[int]) -> Iterator[Tick]:
        """A bar at some moments, what traded in it spread evenly; of one price at the first of them."""
        if len({*prices}) == 1 and bar.ms:
            prices, at = prices[:1], at[:1]
        traded = self._volume, self._amount
        self._open = self._open or bar.open
        reference = Decimal(bar.preclose) / 1000
        limits = band(self._of, reference, self._day, settings=self._rules) if bar.preclose else None
        for number, (price, ms) in enumerate(zip(prices, at, strict=True), 1):
            self._high, self._low = max(self._high, price), min(self._low or price, price)
            volume, amount = (
                before + whole * number // len(prices)
                for before, whole in zip(traded, (bar.volume, bar.amount), strict=True)
            )
            level = _share(volume - self._volume)
            self._volume, self._amount = volume, amount
            asks, bids = self._book(price, level, limits)
            if asks and bids and not _MORNING <= ms < self._locked:
                asks = bids = ()  # an auction's
            yield Tick(
                ms,
                price,
                self._open,
                self._high,
                self._low,
                bar.preclose,
                volume,
                amount,
                0,
                self._phase(ms),
                asks,
                bids,
            )

    def _phase(self, ms: int) -> int:
        if ms < _MORNING:
            return _OPENING
        if ms >= _CLOSE:
            return _CLOSED
        return _CLOSING if ms >= self._locked else _CONTINUOUS

    def _book(self, price: int, level: int, limits: Band | None) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """(asks, bids) around a price."""
        if not level:
            return (), ()
        up, down = (int(limits.up * 1000), int(limits.down * 1000)) if limits is not None else (0, 0)
        ask = price if price == down else price + self._step
        bid = price if price == up else price - self._step
        return (
            ((ask, level),) if (not up or ask <= up) and price != up else (),
            ((bid, level),) if bid >= max(down, 1) and price != down else (),
        )


def _share(traded: int) -> int:
    """Of what traded that which own orders may have, shares."""
    return traded // _SHARE // 100 * 100


def _bounded(found: Iterable[tuple[Tick, int]]) -> Iterator[tuple[Tick, int]]:
    """Snapshots with what traded before them, so that no more than own orders may have is new."""
    for tick, before in found:
        yield tick, tick.volume - (_share(tick.volume - before) if bool(tick.asks) is bool(tick.bids) else 0)


def _path(bar: Bar) -> list[int]:
    """The way of a bar: of one that rose the low first."""
    extremes = (bar.low, bar.high) if bar.close >= bar.open else (bar.high, bar.low)
    return [bar.open, *extremes, bar.close]


def _place(shown: Sequence[Tick], ms: int) -> int:
    """How many snapshots there are up to a moment."""
    return bisect_right(shown, ms, key=attrgetter("ms"))


def _ms(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1000
