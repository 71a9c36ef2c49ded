"""The account's books: money, holdings, what open orders hold of them, and what a fill does to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from qmtcli.model import Instrument, Kind
from qmtcli.paper import lots
from qmtcli.paper.codes import (
    BUY,
    CANCEL_PENDING,
    CANCELED,
    CANCELLABLE,
    FILLED,
    IN_FLIGHT,
    OPEN,
    PART_CANCELED,
    PART_FILLED,
    SELL,
)
from qmtcli.paper.feed import Feed, number_of
from qmtcli.paper.store import Account, Loan, Order, Position, Store, Trade, values_of
from qmtcli.paper.tape import Level
from qmtcli.paper.terms import REPO_FEN, Terms, fen, terms_of
from qmtcli.rules.boards import classify
from qmtcli.rules.corporate import Action, entitlement
from qmtcli.rules.settlement import repo_interest

#: at the exchange, and may still trade
_RESTING = "WHERE status IN (50, 51, 52, 55)"
#: kinds whose dividends are taxed
_TAXED = frozenset({Kind.STOCK, Kind.CDR})


class Books:
    """Money in fen, prices in milli; what changes something runs inside the caller's transaction.

    An `Account` or `Order` handed in is changed, and written by whoever handed it in.
    """

    def __init__(self, store: Store, feed: Feed, fees: Mapping[str, str]) -> None:
        self._store = store
        self._feed = feed
        self._fees = tuple(sorted(fees.items()))
        self._terms: dict[str, tuple[date, Terms]] = {}
        #: last prices by code, of one moment: every push of it values all that is held
        self._prices: dict[str, int] = {}
        self._priced_at: tuple[date, int] | None = None

    def terms(self, instrument: Instrument) -> Terms:
        """The rules of an instrument today."""
        day, known = self._terms.get(instrument.code, (None, None))
        if known is None or day != self._feed.day:
            preclose = self._feed.tape.preclose(instrument.code, self._feed.tape_day)
            known = terms_of(instrument, preclose, self._feed.day, self._fees, self._feed.rules)
            self._terms[instrument.code] = self._feed.day, known
        return known

    def _terms_of(self, order: Order) -> Terms:
        instrument = self._feed.tape.instrument(order.code)
        assert instrument is not None, "an order of an instrument that has no market was taken"
        return self.terms(instrument)

    # -- what there is ---------------------------------------------------------------------------------

    def open_orders(self, code: str = "") -> list[Order]:
        """Orders at the exchange that may still trade, oldest first; of one code."""
        if code:
            return self._store.select(Order, f"{_RESTING} AND code = ? ORDER BY id", code)
        return self._store.select(Order, f"{_RESTING} ORDER BY id")

    def crossing(self, order: Order) -> list[Order]:
        """Those of its code that an order may trade with: of the other side, within its limit."""
        other, within = (SELL, "<=") if order.type == BUY else (BUY, ">=")
        where = f"{_RESTING} AND code = ? AND type = ? AND limit_price {within} ? ORDER BY id"
        return self._store.select(Order, where, order.code, other, order.limit_price)

    def in_flight(self) -> list[Order]:
        """Orders that are on their way to the exchange, or have a cancel on its way, in order of arrival."""
        return self._store.select(Order, "WHERE due > 0 ORDER BY due, id")

    def bought_today(self, account: Account, code: str) -> int:
        """Shares of a code that the day's buys traded or may still trade."""
        bought = self._store.one(
            "SELECT sum(CASE WHEN status IN (50, 51, 52, 55) THEN volume ELSE traded END) FROM orders "
            "WHERE day = ? AND code = ? AND type = ?",
            account.day,
            code,
            BUY,
        )
        return int(bought or 0)

    def position(self, code: str) -> Position | None:
        """The holding of one code; None when there is none."""
        found = self._store.select(Position, "WHERE code = ?", code)
        return found[0] if found else None

    def positions(self) -> list[Position]:
        """Every holding, those sold out today included."""
        return self._store.select(Position, "ORDER BY code")

    def loans(self) -> list[Loan]:
        """Money lent by repo, oldest first."""
        return self._store.select(Loan, "ORDER BY id")

    def asset(self, account: Account, at_ms: int) -> dict[str, int]:
        """Money and value at a moment, in the form of an asset push."""
        held = self._store.execute("SELECT code, volume FROM positions WHERE volume > 0")
        value = sum(fen(volume * self._last(code, at_ms)) for code, volume in held)
        value += int(self._store.one("SELECT coalesce(sum(amount), 0) FROM loans"))
        return {
            "cash": account.available, "frozen": account.frozen, "value": value, "total": account.cash + value,
            "fetch": self.withdrawable(account),
        }  # fmt: skip

    def holding(self, position: Position, at_ms: int) -> dict[str, object]:
        """A holding and its value at a moment, in the form of a position push."""
        last = self._last(position.code, at_ms)
        return {
            "code": position.code, "name": position.name, "volume": position.volume, "sellable": position.sellable,
            "frozen": position.frozen, "yesterday": position.yesterday, "cost": position.cost, "last": last,
            "value": fen(position.volume * last),
        }  # fmt: skip

    def withdrawable(self, account: Account) -> int:
        """Fen that can be paid out today."""
        return max(0, account.available - (0 if self._feed.rules.proceeds_withdrawable else account.held))

    def lent(self) -> list[dict[str, object]]:
        """Money lent by repo, a row a code, in the form of a position push: worth what was lent."""
        rows: dict[str, dict[str, object]] = {}
        for loan in self.loans():
            volume, amount = loan.volume, loan.amount
            if loan.code in rows:
                volume += int(str(rows[loan.code]["volume"]))
                amount += int(str(rows[loan.code]["value"]))
            rows[loan.code] = {
                "code": loan.code, "name": loan.name, "volume": volume, "sellable": 0, "frozen": 0,
                "yesterday": 0, "cost": amount, "last": REPO_FEN * 10, "value": amount,
            }  # fmt: skip
        return list(rows.values())

    def _last(self, code: str, at_ms: int) -> int:
        """The last price, or the close before; 0 for what the market, since changed, does not have any more."""
        if self._priced_at != (self._feed.day, at_ms):
            self._priced_at, self._prices = (self._feed.day, at_ms), {}
        if code not in self._prices:
            self._prices[code] = self._price(code, at_ms)
        return self._prices[code]

    def _price(self, code: str, at_ms: int) -> int:
        if self._feed.tape.instrument(code) is None:
            return 0
        shown = self._feed.tick(code, at_ms)
        return shown[1].last if shown and shown[1].last else self._feed.tape.preclose(code, self._feed.tape_day)

    # -- what happens ----------------------------------------------------------------------------------

    def cost(self, order: Order) -> int:
        """Fen that the rest of an order which spends money may still cost: at its worst, and the whole order's fees."""
        terms = self._terms_of(order)
        traded = terms.amount(order.turnover, order.traded)
        total = terms.amount(order.turnover + order.limit_price * order.remaining, order.volume)
        return total - traded + terms.fee(order.type == BUY, total) - order.fee

    def spends(self, order: Order) -> bool:
        """Whether an order costs money: a buy, or the lending of it."""
        return order.type == BUY or self._kind(order.code) is Kind.REPO

    def _kind(self, code: str) -> Kind | None:
        """By its prefix for an instrument that the market, since changed, does not have any more."""
        instrument = self._feed.tape.instrument(code)
        return instrument.kind if instrument else (classify(code) or (None,))[0]

    def hold(self, account: Account, order: Order, position: Position | None = None) -> None:
        """Bring what an order holds in line with what is left of it; nothing, once it is final.

        ``position`` is the holding a sell sells of, to be written by the caller.
        """
        needed, spends = 0, self.spends(order)
        if order.status in OPEN:
            needed = self.cost(order) if spends else order.remaining
        if spends:
            account.frozen += needed - order.frozen
        elif position is not None:
            position.frozen += needed - order.frozen
        order.frozen = needed

    def post(self, account: Account, order: Order) -> None:
        """Hold what an order needs in its new state, and push it."""
        position = None if self.spends(order) else self.position(order.code)
        self.hold(account, order, position)
        if position is not None:
            self._store.save(position)
        self._store.emit("order", order=values_of(order))

    def fill(self, account: Account, order: Order, fills: Sequence[Level], at_ms: int) -> None:
        """Trade: money, shares, fees, a row and a push each."""
        if not fills:
            return
        terms, buying = self._terms_of(order), order.type == BUY
        position = None if terms.lends else self.position(order.code) or Position(order.code, order.name)
        for price, volume in fills:
            before = terms.amount(order.turnover, order.traded)
            order.traded += volume
            order.turnover += price * volume
            total = terms.amount(order.turnover, order.traded)
            amount, fee = total - before, terms.fee(buying, total) - order.fee
            order.fee += fee
            if order.remaining:
                order.status = PART_FILLED if order.status in CANCELLABLE else CANCEL_PENDING[PART_FILLED]
            else:
                order.status = FILLED
            if position is None:
                account.cash -= amount + fee
                self._lend(order, price, volume, amount)
            elif buying:
                account.cash -= amount + fee
                position.volume += volume
                position.locked += 0 if terms.t0 else volume
                position.cost += amount + fee
                position.lots = lots.bought(position.lots, account.day, volume)
            else:
                account.cash += amount - fee
                account.held += amount - fee
                position.cost -= position.cost * volume // position.volume
                position.volume -= volume
                position.lots, tax = lots.sold(position.lots, account.day, volume)
                if tax := min(tax, amount - fee):  # nor does a tax take more than the sale brought
                    self.flow(account, at_ms, "dividend_tax", -tax, order.code)
            self.hold(account, order, position)
            trade = Trade(0, order.id, account.day, at_ms, price, volume, amount, fee)
            self._store.add(trade)
            self._store.emit("fill", trade=values_of(trade), order=values_of(order))
        if position is not None:
            self._store.save(position)

    def _lend(self, order: Order, rate: int, volume: int, amount: int) -> None:
        maturity, days = self._feed.repo_days(order.code)
        self._store.add(Loan(0, order.code, order.name, volume, rate, amount, number_of(maturity), days))

    def flow(self, account: Account, at_ms: int, kind: str, amount: int, code: str = "", shares: int = 0) -> None:
        """Money (fen) that comes or, below 0, goes otherwise than by a trade, and shares that come with it."""
        account.cash += amount
        self._store.execute(
            "INSERT INTO flows VALUES (?, ?, ?, ?, ?, ?)", account.day, at_ms, kind, amount, code, shares
        )

    def finish(self, account: Account, order: Order, message: str = "") -> None:
        """End an order that has not traded in full: what it held is free again."""
        order.status = PART_CANCELED if order.traded else CANCELED
        order.message = message
        self.post(account, order)

    def push_account(self, account: Account, codes: Iterable[str], at_ms: int) -> None:
        """Push the money, and the holdings of some codes."""
        holdings = [self.holding(held, at_ms) for code in sorted(set(codes)) if (held := self.position(code))]
        self._store.emit("account", asset=self.asset(account, at_ms), holdings=holdings)

    def settle_day(self, account: Account) -> None:
        """The end of a day: orders end, what was bought can be sold, what was received withdrawn."""
        open_orders = {order.id: order for order in (*self.open_orders(), *self.in_flight())}
        for order in open_orders.values():
            order.due = 0
            if order.status in OPEN or order.status == IN_FLIGHT:
                self.finish(account, order, "收盘自动撤单")
            self._store.save(order)
        self._store.execute("UPDATE positions SET locked = 0, yesterday = volume")
        self._store.execute("DELETE FROM positions WHERE volume = 0")
        self._store.execute("DELETE FROM consumed")
        account.held = 0

    def begin_day(self, account: Account, before: date, at_ms: int) -> None:
        """The beginning of a day, the one before in force having been ``before``: ex-days, and loans come back."""
        for position in self.positions():
            instrument = self._feed.tape.instrument(position.code)
            if instrument is None:
                continue
            for action in self._feed.actions(position.code, before):
                self._receive(account, position, action, at_ms, taxed=instrument.kind in _TAXED)
        for loan in self.loans():
            if loan.maturity <= account.day:
                lent = Decimal(loan.amount) / 100
                interest = repo_interest(lent, Decimal(loan.rate) / 1000, loan.days, self._feed.rules)
                for kind, amount in (("repo", loan.amount), ("interest", int(interest * 100))):
                    self.flow(account, at_ms, kind, amount, loan.code)
                    if loan.maturity == account.day and not self._feed.rules.repo_withdrawable:
                        account.held += amount
                self._store.execute("DELETE FROM loans WHERE id = ?", loan.id)

    def _receive(self, account: Account, position: Position, action: Action, at_ms: int, taxed: bool) -> None:
        shares, cash = entitlement(position.volume, action)
        dividend = int(cash * 100)
        self.flow(account, at_ms, "dividend", dividend, position.code, shares)
        position.cost -= dividend
        position.volume += shares
        position.yesterday = position.volume
        position.locked += 0 if self._feed.rules.bonus_sellable else shares
        position.lots = lots.received(position.lots, shares, dividend if taxed else 0)
        self._store.save(position)
