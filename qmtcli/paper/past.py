"""The paper exchange on the past: a clock that stands where it is set, and the tape's snapshots in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import Any

from qmtcli.paper.barred import barred
from qmtcli.paper.clock import DAY_MS, Clock, midnight
from qmtcli.paper.exchange import Exchange
from qmtcli.paper.feed import number_of
from qmtcli.paper.settings import Settings
from qmtcli.paper.shapes import lot_of, tick_row
from qmtcli.paper.tape import Tick

#: (epoch ms, code, what makes the row that xtdata would push)
Snapshot = tuple[int, str, Callable[[], dict[str, Any]]]


def settings(of: Settings, calendar: Path, indexes: Path) -> Settings:
    """Settings of a run on the past, with the days that were imported and the indexes that there are."""
    return replace(of, calendar=str(calendar) if calendar.exists() else "", kept=str(indexes))


class _Stepped(Clock):
    """A clock that stands where it is set."""

    def __init__(self, at_ms: int) -> None:
        super().__init__()
        self.at_ms = at_ms

    def now_ms(self) -> int:
        return self.at_ms


class Past:
    """What steps an exchange through days that have been."""

    def __init__(self, exchange: Exchange, codes: Sequence[str], first: date, last: date) -> None:
        """``codes``: of which bars are shown where there are no ticks, from first to last."""
        exchange.feed.tape = barred(exchange.feed.tape, codes, first, last, exchange.feed.rules)
        self._exchange = exchange
        self._clock = _Stepped(exchange.feed.now_ms())
        exchange.feed.clock = self._clock
        self._told = exchange.store.last_event()

    def days(self, first: date, last: date) -> list[date]:
        """The trading days from first to last of which the market has anything. Raises ConfigError."""
        feed = self._exchange.feed
        days = feed.trading_days(first, last)
        held = feed.tape.days()
        if held is None:
            return days
        known = set(held)
        return [day for day in days if day in known]

    def trades_on(self, day: date) -> bool:
        """Whether the exchanges trade on a day. Raises ConfigError past the calendar's end."""
        return self._exchange.feed.is_trading_day(day)

    def missing(self, codes: Sequence[str]) -> list[str]:
        """Codes that the market does not have."""
        return [code for code in codes if self._exchange.feed.tape.instrument(code) is None]

    @property
    def now(self) -> int:
        """Epoch ms."""
        return self._clock.at_ms

    def step(self, at_ms: int) -> None:
        """Set the clock. Nothing happens at the exchange until it is looked at."""
        self._clock.at_ms = at_ms

    def look(self) -> bool:
        """Bring the exchange up to the clock; whether it has pushed anything since it was last asked."""
        self._exchange.refresh()
        last = self._exchange.store.last_event()
        news, self._told = last != self._told, last
        return news

    def snapshots(self, codes: Sequence[str], day: date) -> Iterator[Snapshot]:
        """What was on display of some codes on a day, in order of time, of one moment in the order of the codes."""
        streams = [self._of_one(code, day) for code in codes]
        return streams[0] if len(streams) == 1 else merge(*streams, key=itemgetter(0))

    def _of_one(self, code: str, day: date) -> Iterator[Snapshot]:
        tape, zero = self._exchange.feed.tape, midnight(number_of(day))
        instrument = tape.instrument(code)
        lot = lot_of(instrument) if instrument is not None else 100

        def make(stamp: int, tick: Tick) -> Callable[[], dict[str, Any]]:
            return lambda: tick_row(stamp, tick, lot)

        for tick in tape.ticks(code, day, -1, DAY_MS):
            stamp = zero + tick.ms
            yield stamp, code, make(stamp, tick)

    def close(self) -> None:
        """Let the account's file go."""
        self._exchange.store.close()
