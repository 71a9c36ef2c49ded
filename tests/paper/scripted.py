"""A market written by hand, a clock that stands where it is put, an exchange over both, and its auditor."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from qmtcli.model import Instrument, Side
from qmtcli.paper.clock import parse
from qmtcli.paper.codes import BUY, FIX_PRICE, SELL
from qmtcli.paper.counter import NewOrder
from qmtcli.paper.exchange import Exchange
from qmtcli.paper.feed import date_of
from qmtcli.paper.settings import Settings
from qmtcli.paper.store import Account, Order, Position, Trade
from qmtcli.paper.tape import Bar, Level, Tick, approaches
from qmtcli.rules.boards import instrument
from qmtcli.rules.corporate import Action
from qmtcli.rules.fees import fees

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

    def approaches(
        self, code: str, day: date, after: int, until: int, buy: int, sell: int
    ) -> Iterator[tuple[Tick, int]]:
        shown = self.tick(code, day, after)
        return approaches(self.ticks(code, day, after, until), shown.volume if shown else 0, buy, sell)

    def actions(self, code: str, first: date, last: date) -> list[tuple[date, Action]]:
        return []

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
        #: epoch ms
        self.now = parse(at if "T" in at else f"{DAY}T{at}")

    def now_ms(self) -> int:
        return self.now


class Bench:
    """An exchange over a scripted tape, with the clock in hand. Prices in CNY here, money in fen."""

    def __init__(self, folder: Path, tape: Any, at: str = "10:00:00", hours: str = "exchange", **settings: Any) -> None:
        self.clock = SetClock(at)
        opening = at if "T" in at else f"{DAY}T{at}"
        self.settings = Settings(home=str(folder), hours=hours, clock=opening, **settings)
        self.exchange = Exchange(self.settings, tape)
        self.exchange.feed.clock = self.clock  # type: ignore[assignment]

    def reopen(self) -> None:
        """What a process finds that comes after this one's end."""
        tape = self.exchange.feed.tape
        self.exchange.store.close()
        self.exchange = Exchange(self.settings, tape)
        self.exchange.feed.clock = self.clock  # type: ignore[assignment]

    @classmethod
    def of(cls, folder: Path, *ticks: Tick, code: str = SH, **options: Any) -> Bench:
        """One instrument, one day."""
        return cls(folder, ScriptedTape({code: {DAY: list(ticks)}}), **options)

    def send(
        self, order_type: int, volume: int, price: float, code: str = SH, kind: int = FIX_PRICE, delay_ms: int = 0
    ) -> int:
        """The id of an order, or -1."""
        return self.exchange.place(NewOrder(code, order_type, volume, kind, price, "s", "r", 1, 1), delay_ms)[0]

    def buy(self, volume: int, price: float = 0, code: str = SH, kind: int = FIX_PRICE, **more: int) -> int:
        return self.send(BUY, volume, price, code, kind, **more)

    def sell(self, volume: int, price: float = 0, code: str = SH, kind: int = FIX_PRICE, **more: int) -> int:
        return self.send(SELL, volume, price, code, kind, **more)

    def give(self, volume: int, price: float = PRECLOSE, code: str = SH) -> None:
        """Shares to sell, out of nowhere."""
        with self.exchange.store.transaction():
            self.exchange.store.save(Position(code, code, volume, volume, cost=round(volume * price * 100)))

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


def audit(exchange: Exchange, given: dict[str, int] | None = None) -> None:
    """Hold an account to what its trades and flows say, computed anew. ``given``: shares that came out of nowhere."""
    store, tape = exchange.store, exchange.feed.tape
    with store.reading():
        (account,) = store.select(Account)
        orders = {order.id: order for order in store.select(Order)}
        trades, positions = store.select(Trade), {held.code: held for held in store.select(Position)}
        flows = store.one("SELECT sum(amount) FROM flows")
        bonus = store.execute("SELECT code, sum(shares) FROM flows WHERE shares != 0 GROUP BY code")
        lent = store.one("SELECT coalesce(sum(amount), 0) FROM loans")
        returned = store.one("SELECT coalesce(sum(amount), 0) FROM flows WHERE kind = 'repo'")
    traded, turnover, amounts, paid = (dict.fromkeys(orders, 0) for _ in range(4))
    cash, shares = flows, Counter(given or {}) + Counter(dict(bonus))
    assert returned + lent == sum(trade.amount for trade in trades if _lends(orders[trade.order_id].code))
    for trade in trades:
        order = orders[trade.order_id]
        buying = order.type == BUY
        assert trade.price <= order.limit_price if buying else trade.price >= order.limit_price
        traded[order.id] += trade.volume
        turnover[order.id] += trade.volume * trade.price
        amounts[order.id] += trade.amount
        paid[order.id] += trade.fee
        lending = _lends(order.code)
        cash += (-trade.amount if buying or lending else trade.amount) - trade.fee
        if not lending:
            shares[order.code] += trade.volume if buying else -trade.volume
    frozen, sold = 0, dict.fromkeys(shares, 0)
    for order in orders.values():
        assert (order.traded, order.turnover, order.fee) == (traded[order.id], turnover[order.id], paid[order.id])
        lending = _lends(order.code)
        if lending:
            assert amounts[order.id] == order.traded * 10_000
        else:
            assert abs(10 * amounts[order.id] - order.turnover) <= 5
        instrument, buying = tape.instrument(order.code), order.type == BUY
        if order.traded:
            assert instrument is not None
            fee = round(fees(instrument, _SIDES[order.type], Decimal(amounts[order.id]) / 100, _day(order)).total * 100)
            assert order.fee == (fee if buying else min(fee, amounts[order.id]))
        assert order.status in (49, 50, 51, 52, 55, 53, 54, 56, 57)
        assert (order.status in (55, 53, 52)) == (0 < order.traded < order.volume)
        assert (order.status == 56) == (0 < order.traded == order.volume)
        assert order.due == 0 or order.status in (49, 51, 52, 56)
        if order.status not in (50, 51, 52, 55):
            assert order.frozen == 0
        elif buying or lending:
            assert instrument is not None
            rest = (order.limit_price * order.remaining + order.turnover + 5) // 10
            rest = order.volume * 10_000 if lending else rest
            whole = fees(instrument, _SIDES[order.type], Decimal(rest) / 100, _day(order)).total
            assert order.frozen == rest - amounts[order.id] + round(whole * 100) - order.fee
            frozen += order.frozen
        else:
            assert order.frozen == order.remaining
            sold[order.code] += order.remaining
    assert (account.cash, account.frozen) == (cash, frozen)
    assert 0 <= account.frozen <= account.cash
    assert {code: held.volume for code, held in positions.items() if held.volume} == {
        c: n for c, n in shares.items() if n
    }
    for held in positions.values():
        assert held.frozen == sold[held.code]
        assert 0 <= held.sellable <= held.volume
        assert 0 <= held.locked <= held.volume
        assert held.volume or held.cost == 0
        bought = json.loads(held.lots)
        assert given or sum(volume for _, volume, _ in bought) == held.volume
        assert [day for day, *_ in bought] == sorted(day for day, *_ in bought)
        assert all(volume > 0 and fen >= 0 for _, volume, fen in bought)


def _lends(code: str) -> bool:
    return code[:3] in ("204", "131")


_SIDES = {BUY: Side.BUY, SELL: Side.SELL}


def _day(order: Order) -> date:
    return date_of(order.day)
