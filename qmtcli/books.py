"""What belongs to each strategy: holdings and money by the ledger's trades and by adjustments made by hand. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from qmtcli.ledger import Adjustment, Entry, State
from qmtcli.model import Side
from qmtcli.rules.settings import FeeSchedule

_ZERO = Decimal(0)


class Holding(NamedTuple):
    """What a strategy holds of one code; volumes in shares, money in CNY."""

    stock_code: str
    instrument_name: str
    volume: int
    #: bought on the day that is looked at
    bought_today: int
    #: what the shares that are held have cost, fees in
    cost: Decimal

    @property
    def avg_price(self) -> Decimal:
        """CNY a share, fees in."""
        return self.cost / self.volume if self.volume else _ZERO


class Book(NamedTuple):
    """What belongs to a strategy."""

    strategy: str
    #: CNY: what was given to it and what it earned, less what it paid
    cash: Decimal
    holdings: dict[str, Holding]
    #: CNY
    bought: Decimal
    sold: Decimal
    fees: Decimal
    #: orders of which nobody knows what became
    unknown: int


def books(
    entries: Iterable[Entry],
    adjustments: Iterable[Adjustment],
    day: str,
    fees_of: Callable[[Entry], Decimal],
) -> dict[str, Book]:
    """The books of all strategies, by name. ``day``: whose buys count as of today; ``fees_of``: the fees, CNY, of an
    entry whose trades have not told them."""
    found: dict[str, Book] = {}
    moves: list[tuple[str, int, Entry | Adjustment]] = [
        *((entry.day, entry.key, entry) for entry in entries if entry.traded_volume or entry.state.undecided),
        *((each.day, each.id, each) for each in adjustments),
    ]
    for _, _, move in sorted(moves, key=lambda move: move[:2]):
        name = move.strategy_name
        book = found.get(name) or Book(name, _ZERO, {}, _ZERO, _ZERO, _ZERO, 0)
        found[name] = _adjusted(book, move) if isinstance(move, Adjustment) else _traded(book, move, day, fees_of)
    return found


def _traded(book: Book, entry: Entry, day: str, fees_of: Callable[[Entry], Decimal]) -> Book:
    unknown = book.unknown + (1 if entry.state.undecided else 0)
    if not entry.traded_volume:
        return book._replace(unknown=unknown)
    amount = Decimal(str(entry.traded_price)) * entry.traded_volume
    fees = Decimal(str(entry.fees)) if entry.fees is not None else fees_of(entry)
    code, volume = entry.stock_code, entry.traded_volume
    held = book.holdings.get(code) or Holding(code, entry.instrument_name, 0, 0, _ZERO)
    if entry.side == "buy":
        today = volume if entry.day == day else 0
        held = held._replace(
            volume=held.volume + volume, bought_today=held.bought_today + today, cost=held.cost + amount + fees
        )
        book = book._replace(cash=book.cash - amount - fees, bought=book.bought + amount)
    else:
        left = held.volume - volume
        held = held._replace(volume=left, cost=held.cost * left / held.volume if held.volume and left > 0 else _ZERO)
        book = book._replace(cash=book.cash + amount - fees, sold=book.sold + amount)
    return book._replace(holdings={**book.holdings, code: held}, fees=book.fees + fees, unknown=unknown)


def _adjusted(book: Book, move: Adjustment) -> Book:
    amount = Decimal(move.amount)
    book = book._replace(cash=book.cash + amount)
    if not move.stock_code:
        return book
    held = book.holdings.get(move.stock_code) or Holding(move.stock_code, "", 0, 0, _ZERO)
    volume = held.volume + move.volume
    if move.volume > 0:
        cost = held.cost - amount
    else:
        cost = held.cost * volume / held.volume if held.volume and volume > 0 else _ZERO
    return book._replace(holdings={**book.holdings, move.stock_code: held._replace(volume=volume, cost=cost)})


def selling(entries: Iterable[Entry], strategy: str, code: str) -> int:
    """Shares of a code that a strategy's open sells may still take."""
    return sum(
        entry.order_volume - entry.traded_volume
        for entry in entries
        if (entry.strategy_name, entry.stock_code, entry.side) == (strategy, code, "sell")
        and not entry.state.final
        and entry.state is not State.PLANNED
    )


def sellable(book: Book | None, code: str, open_sells: int, t0: bool) -> int:
    """Shares of a code that a strategy may sell now, as far as its own book goes."""
    held = book.holdings.get(code) if book is not None else None
    if held is None:
        return 0
    return max(held.volume - (0 if t0 else held.bought_today) - open_sells, 0)


def traded_fees(told: Callable[[str], Mapping[str, Any]], schedule: FeeSchedule, entry: Entry) -> Decimal:
    """The fees, CNY, of what an entry has traded, by the rules. ``told(code)``: what the user's own table says."""
    from qmtcli.orders import known_instrument
    from qmtcli.rules.fees import fees

    instrument = known_instrument(entry.stock_code, None, dict(told(entry.stock_code)))
    amount = Decimal(str(entry.traded_price)) * entry.traded_volume
    return fees(instrument, Side(entry.side), amount, date.fromisoformat(entry.day), schedule).total
