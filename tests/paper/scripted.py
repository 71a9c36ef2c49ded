"""A market written by hand, a clock that stands where it is put, and an exchange over both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any

from qmtcli.model import Instrument
from qmtcli.paper.clock import parse
from qmtcli.paper.codes import BUY, FIX_PRICE, SELL
from qmtcli.paper.counter import NewOrder
from qmtcli.paper.exchange import Exchange
from qmtcli.paper.settings import Settings
from qmtcli.paper.store import Order, Trade
from qmtcli.paper.tape import Bar, Level, Tick
from qmtcli.rules.boards import instrument

#: a Monday
DAY = date(2026, 11, 23)
SH, SZ, BOND = "600000.SH", "000001.SZ", "113052.SH"
PRECLOSE = 10.00

Levels = Sequence[tuple[float, int]]


def ms(at: str) -> int:
    """Milliseconds since midnight of ``10:00:03`` or ``10:00:03.500``."""
    moment = time.fromisoformat(at)
    return ((moment.hour * 60 + moment.minute) * 60 + moment.second) * 1000 + moment.microsecond // 1000


def snap(
    at: str, last: float = PRECLOSE, volume: int = 0, asks: Levels = (), bids: Levels = (), phase: int = 13
) -> Tick:
    """A snapshot: prices in CNY, volumes in shares, best level first."""
    price = round(last * 1000)
    amount = price * volume // 10
    return Tick(
        ms(at), price, price, price, price, round(PRECLOSE * 1000), volume, amount, 0, phase, _milli(asks), _milli(bids)
    )


def _milli(levels: Levels) -> tuple[Level, ...]:
    return tuple((round(price * 1000), volume) for price, volume in levels)


class ScriptedTape:
    """Ticks by code and day, as they are given."""

    name = "scripted"
    synthetic = True

    def __init__(self, ticks: dict[str, dict[date, list[Tick]]], instruments: Iterable[Instrument] = ()) -> None:
        self._ticks = ticks
        self._instruments = {code: instrument(code, code) for code in ticks}
        self._instruments.update({known.code: known for known in instruments})

    def codes(self) -> list[str]:
        return list(self._instruments)

    def instrument(self, code: str) -> Instrument | None:
        return self._instruments.get(code)

    def days(self) -> list[date]:
        return sorted({day for days in self._ticks.values() for day in days})

    def preclose(self, code: str, day: date) -> int:
        ticks = self._ticks[code].get(day)
        return ticks[0].preclose if ticks else round(PRECLOSE * 1000)

    def tick(self, code: str, day: date, ms: int) -> Tick | None:
        return next((tick for tick in reversed(self._of(code, day)) if tick.ms <= ms), None)

    def ticks(self, code: str, day: date, after: int, until: int) -> list[Tick]:
        return [tick for tick in self._of(code, day) if after < tick.ms <= until]

    def bars(self, code: str, period: str, first: date, last: date) -> list[Bar]:
        return []

    def _of(self, code: str, day: date) -> list[Tick]:
        return self._ticks.get(code, {}).get(day, [])


class SetClock:
    """A clock that stands where it was put."""

    def __init__(self, at: str) -> None:
        self.put(at)

    def put(self, at: str) -> None:
        """A time of `DAY` (``10:00:03``), or of another day (``2026-11-24T10:00:03``)."""
        self._now = parse(at if "T" in at else f"{DAY}T{at}")

    def now_ms(self) -> int:
        return self._now


class Bench:
    """An exchange over a scripted tape, with the clock in hand. Prices in CNY here, money in fen."""

    def __init__(self, folder: Path, tape: Any, at: str = "10:00:00", hours: str = "exchange", **settings: Any) -> None:
        self.clock = SetClock(at)
        opening = at if "T" in at else f"{DAY}T{at}"
        self.settings = Settings(home=str(folder), hours=hours, clock=opening, **settings)
        self.exchange = Exchange(self.settings, tape)
        self.exchange.feed.clock = self.clock  # type: ignore[assignment]

    @classmethod
    def of(cls, folder: Path, *ticks: Tick, code: str = SH, **options: Any) -> Bench:
        """One instrument, one day."""
        return cls(folder, ScriptedTape({code: {DAY: list(ticks)}}), **options)

    def send(
        self, order_type: int, volume: int, price: float, code: str = SH, kind: int = FIX_PRICE
    ) -> int:
        """The id of an order, or -1."""
        return self.exchange.place(NewOrder(code, order_type, volume, kind, price, "s", "r", 1, 1))[0]

    def buy(self, volume: int, price: float = 0, code: str = SH, kind: int = FIX_PRICE) -> int:
        return self.send(BUY, volume, price, code, kind)

    def sell(self, volume: int, price: float = 0, code: str = SH, kind: int = FIX_PRICE) -> int:
        return self.send(SELL, volume, price, code, kind)

    def give(self, volume: int, price: float = PRECLOSE, code: str = SH) -> None:
        """Shares to sell, out of nowhere."""
        with self.exchange.store.transaction():
            self.exchange.store.execute(
                "INSERT INTO positions VALUES (?, ?, ?, ?, 0, 0, ?)", code, code, volume, volume, round(volume * price * 100)
            )

    def order(self, order_id: int) -> Order:
        """An order as it stands at the clock's time."""
        return next(order for order in self.exchange.orders() if order.id == order_id)

    def fills(self, order_id: int) -> list[tuple[float, int]]:
        """(price, volume) of an order's trades."""
        return [(trade.price / 1000, trade.volume) for trade in self.trades(order_id)]

    def trades(self, order_id: int) -> list[Trade]:
        """Trades of an order."""
        return [trade for trade, order in self.exchange.trades() if order.id == order_id]

    def position(self, code: str = SH) -> dict[str, object]:
        """The holding of a code."""
        return next(held for held in self.exchange.positions() if held["code"] == code)

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Every push so far."""
        return [(kind, body) for _, kind, body in self.exchange.store.events(0)]
