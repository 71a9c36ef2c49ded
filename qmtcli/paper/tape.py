"""What a market source is to the exchange: ticks by trading day and time of day, in exact integers.

Prices are in thousandths of a yuan (``milli``), volumes in shares (张 for bonds), amounts in fen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, Protocol

from qmtcli.model import Instrument

#: one displayed level: price in milli, volume in shares
Level = tuple[int, int]


class Tick(NamedTuple):
    """One snapshot of one instrument on a tape."""

    #: milliseconds since midnight of the tape's day, Asia/Shanghai
    ms: int
    #: last traded price, milli; 0 before the first trade of the day
    last: int
    open: int
    high: int
    low: int
    #: previous close (ex-right on an ex-day), milli
    preclose: int
    #: shares traded so far today
    volume: int
    #: fen traded so far today
    amount: int
    #: trades so far today
    trades: int
    #: xtquant's ``openInt``: 12 opening auction, 13 continuous, 18 closing auction, 15 closed …
    phase: int
    #: best first, at most five, no empty levels
    asks: tuple[Level, ...]
    bids: tuple[Level, ...]


class Bar(NamedTuple):
    """One bar of a tape: prices in milli, ``ms`` the bar's end in milliseconds since midnight (1d: 0)."""

    day: date
    ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    amount: int
    preclose: int


class Tape(Protocol):
    """A source of ticks. Days are the source's own trading days; `None` for every day means it never ends."""

    #: ``sample`` or ``tape``
    name: str
    #: True when prices are generated
    synthetic: bool

    def codes(self) -> Sequence[str]:
        """Codes it holds, like ``600000.SH``, in a stable order."""
        ...

    def instrument(self, code: str) -> Instrument | None:
        """What it knows of one instrument; None for a code it does not hold."""
        ...

    def days(self) -> Sequence[date] | None:
        """Its trading days in order, or None when any date is one (the sample market)."""
        ...

    def preclose(self, code: str, day: date) -> int:
        """Reference price of that day, milli."""
        ...

    def tick(self, code: str, day: date, ms: int) -> Tick | None:
        """The last snapshot at or before ``ms`` of that day; None before the first."""
        ...

    def ticks(self, code: str, day: date, after: int, until: int) -> Sequence[Tick]:
        """Snapshots with ``after < ms <= until`` of that day, in order."""
        ...

    def bars(self, code: str, period: str, first: date, last: date) -> Sequence[Bar]:
        """Bars of ``1m`` or ``1d`` with ``first <= day <= last``, in order, whole days."""
        ...
