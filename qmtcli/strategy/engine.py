"""What a strategy is called with, and when: ticks, bars, timers, its own orders and trades, one call at a time.

It knows no market and no clock: whoever drives it, in real time or in replay, hands in what has come and says how late
it is. So a file meets the same calls in the same order wherever it runs.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from itertools import count
from typing import NamedTuple

from qmtcli.errors import UsageError
from qmtcli.model import Order, Trade
from qmtcli.strategy.bars import Bars, Day, midnight
from qmtcli.strategy.file import Strategy
from qmtcli.strategy.ticks import SHANGHAI, Bar, Tick

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
#: the shortest interval of a timer, ms
SHORTEST = 100


class Timer(NamedTuple):
    """What is to be called at certain times."""

    call: Callable[[], object]
    #: ms; 0: once a trading day, at `at`
    interval: int
    #: ms since midnight
    at: int = 0


class Engine:
    """One strategy's calls."""

    def __init__(
        self,
        strategy: Strategy,
        call: Callable[..., None],
        day_of: Callable[[str, date], Day],
        trades_on: Callable[[date], bool],
    ) -> None:
        """``call(hook's name, function, *arguments)`` makes a call, and sees to what it raises. ``day_of(code, date)``:
        what bars are labelled by; ``trades_on(date)``: whether timers of a time of day go off on a day."""
        self._call = call
        self._trades_on = trades_on
        self.hooks = strategy.hooks
        self._on_tick = strategy.hooks.get("on_tick")
        self._bars = {
            code: [Bars(code, period, partial(day_of, code)) for period in strategy.declared.periods]
            for code in strategy.declared.symbols
        }
        #: (when it is due, epoch ms, order, what)
        self._due: list[tuple[int, int, Timer | Bars]] = []
        self._order = count()
        #: the last tick by code
        self.ticks: dict[str, Tick] = {}

    # -- timers ----------------------------------------------------------------------------------------

    def add_timers(self, timers: dict[str, str], now: int) -> None:
        """Set the timers that a strategy declares, by their names. Raises UsageError."""
        on_timer = self.hooks.get("on_timer")
        for name, text in timers.items():
            interval, at = parse_timer(text)
            if on_timer is not None:
                self._set(Timer(partial(self._call, "on_timer", on_timer, name), interval, at), now)

    def every(self, milliseconds: int, call: Callable[[], object], now: int) -> None:
        """Call something at an interval. Raises UsageError."""
        if milliseconds < SHORTEST:
            raise UsageError("timer_too_short", milliseconds=milliseconds, shortest=SHORTEST)
        self._set(Timer(call, milliseconds), now)

    def _set(self, timer: Timer, now: int) -> None:
        due = now + timer.interval if timer.interval else self._next_day(timer.at, now)
        heapq.heappush(self._due, (due, next(self._order), timer))

    def _next_day(self, at: int, after: int) -> int:
        """The next moment at a time of a trading day."""
        day = datetime.fromtimestamp(after / 1000, SHANGHAI).date()
        while True:
            due = midnight(day) + at
            if due > after and self._trades_on(day):
                return due
            day += timedelta(days=1)

    def next_due(self) -> int | None:
        """When (epoch ms) `run_due` has something to do; None while nothing is set."""
        return self._due[0][0] if self._due else None

    def run_due(self, now: int, quiet: bool = True) -> None:
        """Call what is due by now, in order; what was missed is not made up for.

        ``quiet``: no tick waits to be told; else bars wait for those that may be theirs.
        """
        while self._due and self._due[0][0] <= now:
            due, _, what = heapq.heappop(self._due)
            if isinstance(what, Bars):
                if not quiet:
                    heapq.heappush(self._due, (now + SHORTEST, next(self._order), what))
                elif (bar := what.end(now)) is not None:
                    self._tell_bar("on_bar_close", bar)
                elif what.bar is not None:
                    heapq.heappush(self._due, (what.over, next(self._order), what))
                continue
            if what.interval:
                missed = (now - due) // what.interval
                heapq.heappush(self._due, (due + (missed + 1) * what.interval, next(self._order), what))
            else:
                heapq.heappush(self._due, (self._next_day(what.at, now), next(self._order), what))
            what.call()

    # -- the market ------------------------------------------------------------------------------------

    def take(self, tick: Tick) -> None:
        """A tick has come."""
        code = tick.stock_code
        self.ticks[code] = tick
        for bars in self._bars.get(code, ()):
            idle = bars.bar is None
            closed, opened = bars.take(tick)
            if closed is not None:
                self._tell_bar("on_bar_close", closed)
            if opened is not None:
                if idle:
                    heapq.heappush(self._due, (bars.over, next(self._order), bars))
                self._tell_bar("on_bar_open", opened)
        if self._on_tick is not None:
            self._call("on_tick", self._on_tick, tick)

    def _tell_bar(self, hook: str, bar: Bar) -> None:
        if hook in self.hooks:
            self._call(hook, self.hooks[hook], bar)

    # -- what became of orders -------------------------------------------------------------------------

    def tell(self, rows: Sequence[Order | Trade]) -> None:
        """Own orders and trades, as they were pushed."""
        for row in rows:
            hook = "on_order" if isinstance(row, Order) else "on_trade"
            if hook in self.hooks:
                self._call(hook, self.hooks[hook], row)

    def guarded(self, hook: str, call: Callable[[], object]) -> None:
        """Call what a strategy has asked to be called."""
        self._call(hook, lambda context: call())

    def hook(self, name: str, *arguments: object) -> None:
        """Call ``on_start``, ``on_link`` or ``on_stop``, where there is one."""
        if name in self.hooks:
            self._call(name, self.hooks[name], *arguments)


def parse_timer(text: str) -> tuple[int, int]:
    """(interval ms, time of day in ms since midnight) of ``30s``, ``100ms``, ``5m``, or ``14:50``, ``14:50:30``.

    Raises UsageError.
    """
    if ":" in text:
        for form in ("%H:%M", "%H:%M:%S"):
            try:
                at = datetime.strptime(text, form)
            except ValueError:
                continue
            return 0, ((at.hour * 60 + at.minute) * 60 + at.second) * 1000
        raise UsageError("bad_timer", text=text)
    for unit in sorted(_UNITS, key=len, reverse=True):
        digits = text.removesuffix(unit)
        if digits != text:
            try:
                interval = round(float(digits) * _UNITS[unit])
            except ValueError:
                break
            if interval < SHORTEST:
                raise UsageError("timer_too_short", milliseconds=interval, shortest=SHORTEST)
            return interval, 0
    raise UsageError("bad_timer", text=text)
