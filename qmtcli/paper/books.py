"""The account's books: money, holdings, what open orders hold of them, and what a fill does to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from qmtcli.model import Instrument
from qmtcli.paper.codes import BUY, CANCELED, FILLED, OPEN, PART_CANCELED, PART_FILLED
from qmtcli.paper.feed import Feed
from qmtcli.paper.store import Account, Order, Position, Store, Trade, values_of
from qmtcli.paper.tape import Level
from qmtcli.paper.terms import Terms, terms_of


class Books:
    """Money in fen, prices in milli; what changes something runs inside the caller's transaction.

    An `Account` or `Order` handed in is changed, and written by whoever handed it in.
    """

    def __init__(self, store: Store, feed: Feed, fees: Mapping[str, str]) -> None:
        self._store = store
        self._feed = feed
        self._fees = tuple(sorted(fees.items()))
        self._terms: dict[str, tuple[date, Terms]] = {}

    def terms(self, instrument: Instrument) -> Terms:
        """The rules of an instrument today."""
        day, known = self._terms.get(instrument.code, (None, None))
        if known is None or day != self._feed.day:
            preclose = self._feed.tape.preclose(instrument.code, self._feed.tape_day)
            known = terms_of(instrument, preclose, self._feed.day, self._fees)
            self._terms[instrument.code] = self._feed.day, known
        return known

    def _terms_of(self, order: Order) -> Terms:
        instrument = self._feed.tape.instrument(order.code)
        assert instrument is not None, "an order of an instrument that has no market was taken"
        return self.terms(instrument)

    # -- what there is ---------------------------------------------------------------------------------

    def open_orders(self) -> list[Order]:
        """Orders that may still trade, oldest first."""
        return self._store.select(Order, "WHERE status IN (50, 55) ORDER BY id")

    def position(self, code: str) -> Position | None:
        """The holding of one code; None when there is none."""
        found = self._store.select(Position, "WHERE code = ?", code)
        return found[0] if found else None

    def positions(self) -> list[Position]:
        """Every holding, those sold out today included."""
        return self._store.select(Position, "ORDER BY code")

    def asset(self, account: Account, positions: Sequence[Position], at_ms: int) -> dict[str, int]:
        """Money and value at a moment, in the form of an asset push."""
        value = sum(fen(held.volume * self._last(held.code, at_ms)) for held in positions if held.volume)
        return {
            "cash": account.available, "frozen": account.frozen, "value": value, "total": account.cash + value,
            "fetch": max(0, account.available - account.held),
        }  # fmt: skip

    def holding(self, position: Position, at_ms: int) -> dict[str, object]:
        """A holding and its value at a moment, in the form of a position push."""
        last = self._last(position.code, at_ms)
        return {
            "code": position.code, "name": position.name, "volume": position.volume, "sellable": position.sellable,
            "frozen": position.frozen, "yesterday": position.yesterday, "cost": position.cost, "last": last,
            "value": fen(position.volume * last),
        }  # fmt: skip

    def _last(self, code: str, at_ms: int) -> int:
        """The last price, or the close before; 0 for what the market, since changed, does not have any more."""
        if self._feed.tape.instrument(code) is None:
            return 0
        shown = self._feed.tick(code, at_ms)
        return shown[1].last if shown and shown[1].last else self._feed.tape.preclose(code, self._feed.tape_day)

    # -- what happens ----------------------------------------------------------------------------------

    def cost(self, order: Order) -> int:
        """Fen that the rest of a buy may still cost: its limit price and the fees of the whole order."""
        total = fen(order.turnover + order.limit_price * order.remaining)
        return total - fen(order.turnover) + self._terms_of(order).fee(True, total) - order.fee

    def hold(self, account: Account, order: Order, position: Position | None = None) -> None:
        """Bring what an order holds in line with what is left of it; nothing, once it is final.

        ``position`` is the holding a sell sells of, to be written by the caller.
        """
        needed = 0
        if order.status in OPEN:
            needed = self.cost(order) if order.type == BUY else order.remaining
        if order.type == BUY:
            account.frozen += needed - order.frozen
        elif position is not None:
            position.frozen += needed - order.frozen
        order.frozen = needed

    def post(self, account: Account, order: Order) -> None:
        """Hold what an order needs in its new state, and push it."""
        position = None if order.type == BUY else self.position(order.code)
        self.hold(account, order, position)
        if position is not None:
            self._store.save(position)
        self._store.emit("order", order=values_of(order))

    def fill(self, account: Account, order: Order, fills: Sequence[Level], at_ms: int) -> None:
        """Trade: money, shares, fees, a row and a push each."""
        if not fills:
            return
        terms, buying = self._terms_of(order), order.type == BUY
        position = self.position(order.code) or Position(order.code, order.name)
        for price, volume in fills:
            before = fen(order.turnover)
            order.traded += volume
            order.turnover += price * volume
            amount = fen(order.turnover) - before
            fee = terms.fee(buying, fen(order.turnover)) - order.fee
            order.fee += fee
            order.status = PART_FILLED if order.remaining else FILLED
            if buying:
                account.cash -= amount + fee
                position.volume += volume
                position.locked += 0 if terms.t0 else volume
                position.cost += amount + fee
            else:
                account.cash += amount - fee
                account.held += amount - fee
                position.cost -= position.cost * volume // position.volume
                position.volume -= volume
            self.hold(account, order, position)
            trade = Trade(0, order.id, account.day, at_ms, price, volume, amount, fee)
            self._store.add(trade)
            self._store.emit("fill", trade=values_of(trade), order=values_of(order))
        self._store.save(position)

    def finish(self, account: Account, order: Order, message: str = "") -> None:
        """End an order that has not traded in full: what it held is free again."""
        order.status = PART_CANCELED if order.traded else CANCELED
        order.message = message
        self.post(account, order)

    def push_account(self, account: Account, code: str, at_ms: int) -> None:
        """Push the money, and the holding of one code."""
        positions = self.positions()
        holding = next((self.holding(held, at_ms) for held in positions if held.code == code), None)
        self._store.emit("account", asset=self.asset(account, positions, at_ms), holding=holding)

    def settle_day(self, account: Account) -> None:
        """The end of a day: open orders end, what was bought can be sold, what was received withdrawn."""
        for order in self.open_orders():
            self.finish(account, order, "收盘自动撤单")
            self._store.save(order)
        self._store.execute("UPDATE positions SET locked = 0, yesterday = volume")
        self._store.execute("DELETE FROM positions WHERE volume = 0")
        self._store.execute("DELETE FROM consumed")
        account.held = 0


def fen(turnover: int) -> int:
    """Fen of a sum of milli x shares, rounded half up."""
    return (turnover + 5) // 10
