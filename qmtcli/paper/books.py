"""The account's books: money, holdings, what open orders hold of them, and what a fill does to them."""

from __future__ import annotations

from collections.abc import Mapping

from qmtcli.model import Instrument
from qmtcli.paper.codes import BUY, CANCELED, FILLED, PART_CANCELED, PART_FILLED, SELL
from qmtcli.paper.feed import Feed
from qmtcli.paper.store import Account, Order, Position, Row, Store, Trade, values_of
from qmtcli.paper.terms import Terms, terms_of


class Books:
    """Money in fen, prices in milli; every method runs inside the caller's transaction."""

    def __init__(self, store: Store, feed: Feed, fees: Mapping[str, str]) -> None:
        self._store = store
        self._feed = feed
        self._fees = tuple(sorted(fees.items()))

    def instrument(self, code: str) -> Instrument:
        """An instrument of the market. Raises KeyError for a code it does not hold."""
        found = self._feed.tape.instrument(code)
        if found is None:
            raise KeyError(code)
        return found

    def terms(self, code: str) -> Terms:
        """The rules of an instrument today."""
        preclose = self._feed.tape.preclose(code, self._feed.tape_day)
        return terms_of(self.instrument(code), preclose, self._feed.day, self._fees)

    # -- what there is ---------------------------------------------------------------------------------

    def frozen_cash(self) -> int:
        """Fen held by open buy orders."""
        return int(self._store.one("SELECT coalesce(sum(frozen), 0) FROM orders WHERE status IN (50, 55)"))

    def frozen_shares(self, code: str) -> int:
        """Shares held by open sell orders."""
        held = "SELECT coalesce(sum(volume - traded), 0) FROM orders WHERE status IN (50, 55) AND type = ? AND code = ?"
        return int(self._store.one(held, SELL, code))

    def position(self, code: str) -> Position | None:
        """The holding of one code; None when there is none."""
        found = self._store.select(Position, "WHERE code = ?", code)
        return found[0] if found else None

    def sellable(self, code: str) -> int:
        """Shares that can be sold now."""
        position = self.position(code)
        return 0 if position is None else position.volume - position.locked - self.frozen_shares(code)

    def asset(self, account: Account) -> dict[str, object]:
        """Money and value, in the form of an asset push."""
        frozen = self.frozen_cash()
        value = sum(fen(held.volume * self._last(held.code)) for held in self._store.select(Position))
        available = account.cash - frozen
        return {
            "cash": available, "frozen": frozen, "value": value, "total": account.cash + value,
            "fetch": max(0, available - account.held),
        }  # fmt: skip

    def holding(self, position: Position) -> dict[str, object]:
        """A holding in the form of a position push."""
        last = self._last(position.code)
        return {
            "code": position.code, "name": position.name, "volume": position.volume,
            "sellable": self.sellable(position.code), "frozen": self.frozen_shares(position.code),
            "yesterday": position.yesterday, "cost": position.cost, "last": last,
            "value": fen(position.volume * last),
        }  # fmt: skip

    def holdings(self) -> list[dict[str, object]]:
        """Every holding, those sold out today included."""
        return [self.holding(position) for position in self._store.select(Position, "ORDER BY code")]

    def _last(self, code: str) -> int:
        shown = self._feed.tick(code)
        if shown is not None and shown[1].last:
            return shown[1].last
        return self._feed.tape.preclose(code, self._feed.tape_day)

    # -- what happens ----------------------------------------------------------------------------------

    def freeze(self, order: Order) -> int:
        """Fen an open buy order holds: what its rest may cost, and the fees of the whole."""
        if order.type != BUY:
            return 0
        spent = fen(order.turnover)
        total = fen(order.turnover + order.limit_price * order.remaining)
        return total - spent + self.terms(order.code).fee(True, total) - order.fee

    def fill(self, account: Account, order: Order, price: int, volume: int, at: int) -> None:
        """Trade: money, shares, fees, rows and pushes."""
        buying = order.type == BUY
        terms = self.terms(order.code)
        before = fen(order.turnover)
        order.traded += volume
        order.turnover += price * volume
        amount = fen(order.turnover) - before
        fee = terms.fee(buying, fen(order.turnover)) - order.fee
        order.fee += fee
        order.status = PART_FILLED if order.remaining else FILLED
        order.frozen = self.freeze(order) if order.remaining else 0
        account.cash += -amount - fee if buying else amount - fee
        if not buying:
            account.held += amount - fee
        trade_id = int(self._store.one("SELECT coalesce(max(id), 0) + 1 FROM trades"))
        trade = Trade(trade_id, order.id, account.day, max(at, order.time), price, volume, amount, fee)
        self._store.save(trade)
        self._move_shares(order, volume, amount, fee, terms)
        self._store.emit("trade", **body(trade))
        self.push_order(order)
        self._store.save(account)
        self.push_account(account, order.code)

    def _move_shares(self, order: Order, volume: int, amount: int, fee: int, terms: Terms) -> None:
        position = self.position(order.code) or Position(order.code, order.name)
        if order.type == BUY:
            position.volume += volume
            position.locked += 0 if terms.t0 else volume
            position.cost += amount + fee
        else:
            position.cost -= position.cost * volume // position.volume
            position.volume -= volume
        self._store.save(position)

    def finish(self, order: Order, status: int, message: str) -> None:
        """End an order: what it held is free again."""
        order.status = PART_CANCELED if status == CANCELED and order.traded else status
        order.message = message
        order.frozen = 0
        self.push_order(order)

    def push_order(self, order: Order) -> None:
        """Write an order's row and push it."""
        self._store.save(order)
        self._store.emit("order", **body(order))

    def push_account(self, account: Account, code: str) -> None:
        """Push the money, and the holding of one code."""
        self._store.emit("asset", **self.asset(account))
        position = self.position(code)
        if position is not None:
            self._store.emit("position", **self.holding(position))

    def settle_day(self, account: Account) -> None:
        """The end of a day: open orders end, what was bought can be sold, what was received withdrawn."""
        for order in self._store.select(Order, "WHERE status IN (50, 55) ORDER BY id"):
            self.finish(order, CANCELED, "收盘自动撤单")
        self._store.execute("UPDATE positions SET locked = 0, yesterday = volume")
        self._store.execute("DELETE FROM positions WHERE volume = 0")
        self._store.execute("DELETE FROM consumed")
        account.held = 0


def fen(turnover: int) -> int:
    """Fen of a sum of milli x shares, rounded half up."""
    return (turnover + 5) // 10


def body(row: Row) -> dict[str, object]:
    """A row in the form of a push."""
    return dict(zip(row.__slots__, values_of(row), strict=True))
