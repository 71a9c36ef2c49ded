"""What a market source is to the exchange: ticks by trading day and time of day, in exact integers.

Prices are in thousandths of a yuan (``milli``), volumes in shares (张 for bonds), amounts in fen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from qmtcli.model import Instrument
from qmtcli.rules.corporate import Action

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
    #: best first, at most five, no empty levels; in a call auction, on both sides, what would match
    asks: tuple[Level, ...]
    bids: tuple[Level, ...]
    #: in a call auction: what is good enough for its price and yet would not trade, shares: buys above 0, sells below
    surplus: int = 0


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


def is_near(tick: Tick, buy: int, sell: int) -> bool:
    """Whether a snapshot concerns a buy resting at ``buy`` or a sell at ``sell`` (milli; 0: there is none).

    It does where nobody of the order's side is before it in price, or trades came to it.
    """
    return bool(
        (buy and (not tick.bids or tick.bids[0][0] <= buy or 0 < tick.last <= buy))
        or (sell and (not tick.asks or tick.asks[0][0] >= sell or tick.last >= sell))
    )


def approaches(ticks: Iterable[Tick], before: int, buy: int, sell: int) -> Iterator[tuple[Tick, int]]:
    """As `Tape.approaches` over snapshots at hand; ``before``: shares traded before the first of them."""
    for tick in ticks:
        if is_near(tick, buy, sell):
            yield tick, before
        before = tick.volume


class Tape(Protocol):
    """A source of ticks. Days are the source's own trading days; `None` for every day means it never ends.

    No two snapshots of a code are of one moment: of those that are, only the last is on the tape.
    """

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

    def approaches(
        self, code: str, day: date, after: int, until: int, buy: int, sell: int
    ) -> Iterator[tuple[Tick, int]]:
        """Snapshots with ``after < ms <= until`` that are `is_near`, in order, each with the shares traded before it.

        A tape knows its days to the end, so it may be asked what comes, and it costs little to be told: nothing.
        """
        ...

    def actions(self, code: str, first: date, last: date) -> Sequence[tuple[date, Action]]:
        """Dividends, bonus shares and rights by ex-day, those of ``first <= ex-day <= last``, in order."""
        ...

    def bars(self, code: str, period: str, first: date, last: date) -> Sequence[Bar]:
        """Bars of ``1m`` or ``1d`` with ``first <= day <= last``, in order, whole days."""
        ...
