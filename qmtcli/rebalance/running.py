"""Carrying a plan out over the desk: sells first, buys as the money comes, nothing twice.

Every order of a row has the batch's id, the row's number and its own place, so that whoever dies and runs again finds
in the ledger what was sent, what it traded and what may still trade: only the rest of a row is ever sent. What nobody
knows the outcome of counts as sent. An order is given up only once it is seen canceled.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from qmtcli import orders
from qmtcli.desk import Manner, limits
from qmtcli.errors import NoData, NotConnected, Refused
from qmtcli.ledger import Entry, State
from qmtcli.model import Credit, Order, Side
from qmtcli.orders import Market, PriceSpec
from qmtcli.rebalance.plan import Reason, Row
from qmtcli.rebalance.survey import offered, why_refused
from qmtcli.rules.fees import fees
from qmtcli.tickets import Markets, Ticket, build

if TYPE_CHECKING:
    from qmtcli.desk import Desk

#: seconds between two looks at orders that stand, and at a link that is lost
_LOOK, _LINK = 1.0, 2.0
#: seconds that a cancel is waited for, and times that one is asked for at the end
_CANCEL, _CANCELS = 5.0, 4
#: seconds for which a link is waited for at the end, and which paced cancels may take there: after the latest
#: `Course.until` it is as long until the closing auction locks what stands
_LAST_LINK, _LAST_CANCELS = 30.0, 20.0
#: the most orders that go before the time is looked at again, and the seconds' worth of them where they are paced
_TOGETHER, _AHEAD = 500, 3
#: milliseconds in which an order that was sent and never answered may be listed after all
_SURFACES = 60_000
#: times that an order is sent anew which was not taken without a word
_BARE = 2
_ZERO = Decimal(0)


class Course(NamedTuple):
    """How a plan is carried out."""

    price: PriceSpec
    strategy: str
    credit: Credit | None = None
    #: times that an order which does not fill is canceled and its rest sent at the price of then, and the seconds that
    #: it is given before
    chase: int = 0
    patience: float = 20.0
    #: seconds after which what stands is canceled
    seconds: float = 300.0
    #: the same by the market's clock, epoch seconds; None: only ``seconds`` counts
    until: float | None = None
    #: when the closing auction, into which what stands is left, has matched, epoch seconds; None: it is canceled
    auction: float | None = None
    #: seconds that a price may be old
    max_age: float = 10.0
    #: orders and cancels a second
    rate: int | None = None
    #: CNY of the account that is not spent
    buffer: Decimal = _ZERO


class Done(NamedTuple):
    """What became of a row."""

    row: Row
    traded: int
    #: CNY, average; 0 without a trade
    traded_price: Decimal
    #: of its orders that may still trade
    standing: int
    #: why it is not where it was to be; None: it is, or is as near as lots allow
    reason: Reason | None
    #: words of a refusal
    message: str
    order_ids: list[str]

    @property
    def final(self) -> int:
        """Shares that are held, by what was planned and what has traded."""
        return self.row.held + (self.traded if self.row.side is Side.BUY else -self.traded)

    @property
    def reached(self) -> bool:
        """Whether that is what was wanted, or as near to it as lots allow."""
        all_of_it = self.reason is None and self.traded == self.row.volume
        return all_of_it or self.reason in _AS_NEAR or self.final == self.row.target


#: reasons for which a name is where it was to be
_AS_NEAR = (Reason.BELOW_LOT, Reason.BELOW_THRESHOLD, Reason.BELOW_MIN_VALUE, Reason.KEPT, Reason.NOT_STOCK)


class _Stop(NamedTuple):
    """Why no more is sent for a row."""

    reason: Reason
    message: str = ""


class Running:
    """One plan under way; `run` brings it to its end, however far somebody had come with it."""

    def __init__(
        self,
        desk: Desk,
        markets: Markets,
        batch: str,
        rows: Sequence[Row],
        cash: Decimal,
        course: Course,
        link: Callable[[NotConnected | None], None],
        progress: Callable[[str], None],
    ) -> None:
        """``cash``: CNY that the plan may spend besides what its sells bring.

        ``link``: told that the link is lost, with the error, and once it is there again, without; ``progress``: told in
        a line how far it is.
        """
        self._desk, self._session, self._ledger, self._markets = desk, desk.session, desk.ledger, markets
        self._batch, self._rows, self._cash = batch, dict(enumerate(rows, 1)), cash
        self._course, self._link, self._progress = course, link, progress
        rates = [rate for rate in (course.rate, limits.of(desk.profile).orders_per_second) if rate is not None]
        #: orders that are made and sent before the time is looked at again
        self._together = min([_TOGETHER, *(rate * _AHEAD for rate in rates)])
        self._sells = [number for number, row in self._rows.items() if row.volume and row.side is Side.SELL]
        self._buys = [number for number, row in self._rows.items() if row.volume and row.side is Side.BUY]
        self._entries: dict[int, list[Entry]] = {}
        #: rows for which nothing more is sent, and those for which nothing can be at the moment
        self._stops: dict[int, _Stop] = {}
        self._waits: dict[int, _Stop] = {}
        #: ids of orders that were canceled by this plan's own runs
        self._own_cancels: set[str] = set()
        self._deadline = 0.0
        self._lost: NotConnected | None = None

    def run(self) -> list[Done]:
        """Carry the plan out; what became of each row."""
        self._deadline = time.monotonic() + self._course.seconds
        asked = self._ledger.events("day = ? AND event = 'cancel'", self._desk.day)
        self._own_cancels = {e["order_id"] for e in asked if json.loads(e["body"]).get("by") == self._batch}
        self._session.follow()
        while True:
            try:
                self._refresh()
                if self._is_over():
                    break
                if self._chase() or self._send(self._sells) or self._send_buys():
                    continue
                if not self._is_under_way():
                    break
                self._wait()
            except NotConnected as error:
                self._wait_for_link(error)
                if self._is_over():
                    break
        self._end()
        return [self._done(number) for number in self._rows]

    # -- what there is -----------------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Bring the ledger up to the broker's orders. Raises NotConnected."""
        self._session.subscribe()
        self._desk.settle(self._session.orders())
        if self._lost is not None:
            self._lost = None
            self._link(None)
        self._read_ledger()

    def _read_ledger(self) -> None:
        found: dict[int, list[Entry]] = defaultdict(list)
        for entry in self._ledger.batch(self._batch):
            found[entry.row].append(entry)
        self._entries = found
        for number, row in self._rows.items():
            if number in self._stops and self._stops[number].reason is Reason.UNKNOWN:
                del self._stops[number]  # what was not known may be by now
            for entry in found.get(number, ()):
                gone = entry.state is State.CANCELED and entry.order_id not in self._own_cancels
                if entry.state.undecided:
                    self._stops[number] = _Stop(Reason.UNKNOWN, entry.message)
                elif entry.state is State.REJECTED and not self._may_try_again(number, entry):
                    self._stops[number] = _Stop(Reason.REJECTED, entry.message)
                elif entry.state is State.DROPPED or (gone and self._rest(number)):
                    self._stops[number] = _Stop(Reason.CANCELED, entry.message)
            assert self._rest(number) >= 0, f"more than {row.volume} of {row.code} was sent"
        done = sum(not self._rest(number) and not self._standing(number) for number in (*self._sells, *self._buys))
        self._progress(f"{done}/{len(self._sells) + len(self._buys)}")

    def _may_try_again(self, number: int, entry: Entry) -> bool:
        """Whether an order was not taken without a word, and is known not to stand: its link was lost, mostly."""
        bare = [each for each in self._entries[number] if each.state is State.REJECTED and not each.order_id]
        return entry in bare and entry.message in ("", "-1") and len(bare) <= _BARE

    def _traded(self, number: int) -> int:
        return sum(entry.traded_volume for entry in self._entries.get(number, ()))

    def _standing(self, number: int) -> int:
        """Shares of a row's orders that may still trade, those that nobody knows about with them."""
        return sum(
            entry.order_volume - entry.traded_volume
            for entry in self._entries.get(number, ())
            if not entry.state.final and entry.state is not State.PLANNED
        )

    def _rest(self, number: int) -> int:
        """Shares of a row that are still to be sent."""
        return self._rows[number].volume - self._traded(number) - self._standing(number)

    def _orders(self, numbers: Iterable[int]) -> list[Order]:
        """Orders of rows that stand."""
        return [
            entry.order
            for number in numbers
            for entry in self._entries.get(number, ())
            if not entry.state.final and entry.order is not None and not entry.order.state.done
        ]

    def _money(self) -> Decimal:
        """CNY that may be spent now: no more than the plan's own, and than the account has. Raises NotConnected."""
        own = self._cash
        for number in (*self._sells, *self._buys):
            for entry in self._entries.get(number, ()):
                amount = Decimal(str(entry.traded_price)) * entry.traded_volume
                if entry.side == "sell":
                    own += amount - self._fees(number, amount)
                    continue
                if not entry.state.final and entry.state is not State.PLANNED:
                    amount += Decimal(entry.price) * (entry.order_volume - entry.traded_volume)
                own -= amount + self._fees(number, amount)
        return min(own, Decimal(str(self._session.asset().cash)) - self._course.buffer)

    def _fees(self, number: int, amount: Decimal) -> Decimal:
        row = self._rows[number]
        instrument = orders.known_instrument(row.code, None, dict(self._markets.told(row.code)))
        assert row.side is not None, "a row with orders has a side"
        return fees(instrument, row.side, amount, self._session.today(), self._markets.schedule).total

    def _is_over(self) -> bool:
        return self._seconds_left() <= self._seconds_for_cancels()

    def _seconds_for_cancels(self) -> float:
        """Seconds before its time that the end begins, for cancels that their rate would have come too late."""
        if self._course.rate is None or self._course.auction is not None:
            return 0.0
        return max(0.0, len(self._orders((*self._sells, *self._buys))) / self._course.rate - _LAST_CANCELS)

    def _is_under_way(self) -> bool:
        """Whether anything may still come of it."""
        now = _machine_ms()
        for number in (*self._sells, *self._buys):
            for entry in self._entries.get(number, ()):
                if entry.state in _UNDER_WAY or (entry.state.undecided and now - entry.sent < _SURFACES):
                    return True
            if number in self._waits and number not in self._stops:
                return True
        return False

    # -- sending -----------------------------------------------------------------------------------------

    def _send(self, numbers: Sequence[int], money: Decimal | None = None) -> bool:
        """Send what is left of rows, of buys what the money is enough for; whether anything was sent.

        Raises NotConnected.
        """
        wanted = [number for number in numbers if self._rest(number) > 0 and number not in self._stops]
        wanted = [number for number in wanted if not self._standing(number)]
        if not wanted:
            return False
        entries = self._next(wanted, money)
        sent = False
        for outcome in self._desk.send(entries, Manner(look=False, rate=self._course.rate)):
            number, error = outcome.entry.row, outcome.error
            sent = sent or not (isinstance(error, Refused) or outcome.entry.state is State.PLANNED)
            if isinstance(error, Refused):
                self._refused(number, error)
            elif isinstance(error, NotConnected):
                raise error
        return sent

    def _next(self, wanted: Sequence[int], money: Decimal | None) -> list[Entry]:
        """The entries of rows that are sent next, no more of them than go before the time is looked at again.

        Raises NotConnected.
        """
        # what cannot be sent at the moment holds nothing up
        wanted = sorted(wanted, key=lambda number: number in self._waits)
        sellable = self._sellable(wanted)
        entries: list[Entry] = []
        for first in range(0, len(wanted), self._together):
            numbers = wanted[first : first + self._together]
            self._markets.load(self._rows[number].code for number in numbers)
            for number in numbers:
                try:
                    made, cost = self._made(number, sellable, money)
                except Refused as refusal:
                    self._refused(number, refusal)
                    continue
                entries += made
                if money is not None:
                    money -= cost
            if entries:
                break
        return entries

    def _send_buys(self) -> bool:
        """Send buys that the money is enough for; where no more of it is to come, as much of each as it is."""
        wanted = [n for n in self._buys if self._rest(n) > 0 and n not in self._stops and not self._standing(n)]
        return bool(wanted) and self._send(wanted, self._money())

    def _is_money_to_come(self) -> bool:
        """Whether sells may still bring money, in time for buys."""
        if self._seconds_left() < min(self._course.patience, self._course.seconds / 4):
            return False
        return any(n not in self._stops and (self._rest(n) > 0 or self._standing(n)) for n in self._sells)

    def _seconds_left(self) -> float:
        left = self._deadline - time.monotonic()
        return left if self._course.until is None else min(left, self._course.until - self._session.now())

    def _sellable(self, numbers: Sequence[int]) -> dict[str, int]:
        """What can be sold of codes of which a part was traded. Raises NotConnected."""
        if not any(self._rows[number].side is Side.SELL for number in numbers):
            return {}
        return {row.stock_code: row.can_use_volume for row in self._session.positions()}

    def _made(self, number: int, sellable: dict[str, int], money: Decimal | None) -> tuple[list[Entry], Decimal]:
        """(the entries of what is to be sent of a row now, CNY that they take). Raises Refused, NotConnected."""
        row, course = self._rows[number], self._course
        assert row.side is not None, "a row with orders has a side"
        self._waits.pop(number, None)
        try:
            market = self._markets.of(row.code, row.side, course.price)
        except NoData:
            self._waits[number] = _Stop(Reason.NO_QUOTE)
            return [], _ZERO
        price, blocked = offered(market, row.side, course.price, self._session.now(), course.max_age)
        if price is None:
            self._waits[number] = _Stop(blocked or Reason.NO_QUOTE)
            return [], _ZERO
        rest = self._rest(number)
        if row.side is Side.SELL:
            # what is asked for beyond what can be sold is the exchange's to refuse, in its words
            volume = orders.whole_lots(rest, row.side, market, max(sellable.get(row.code, 0), rest))
        else:
            volume = self._affordable(number, rest, price, market, money or _ZERO)
        if not volume:
            if number not in self._waits:
                self._stops[number] = _Stop(Reason.BELOW_LOT)
            return [], _ZERO
        entries: list[Entry] = []
        for place, part in zip(self._places(number), orders.split(volume, market, course.price), strict=False):
            ticket = Ticket(row.side, row.code, course.price, str(part), strategy=course.strategy, credit=course.credit)
            built = build(ticket, self._markets, f"{self._batch}.{number}.{place}")
            typed = {"rebalance": self._batch, "side": str(row.side), "stock_code": row.code}
            entries += self._desk.enter(built, self._markets.schedule, "rebalance", typed, self._batch, number)
        return entries, sum((Decimal(entry.risk or 0) for entry in entries), _ZERO)

    def _affordable(self, number: int, rest: int, price: Decimal, market: Market, money: Decimal) -> int:
        """Shares of a buy that the money is enough for; none where it is not enough for all and more is to come."""
        volume = orders.whole_lots(rest, Side.BUY, market, None)
        amount = price * volume
        if not volume or amount + self._fees(number, amount) <= money:
            return volume
        self._waits[number] = _SHORT
        if self._is_money_to_come() or money <= 0:
            return 0
        try:
            return min(volume, orders.volume_for(money, price, Side.BUY, market, self._markets.schedule))
        except Refused:
            return 0

    def _places(self, number: int) -> Iterable[int]:
        """Places for orders of a row: of those that were never sent, then new ones."""
        known = {entry.client_id.split(".")[2]: entry.state for entry in self._entries.get(number, ())}
        yield from (int(place) for place, state in known.items() if state is State.PLANNED)
        place = max(map(int, known), default=0)
        while True:
            place += 1
            yield place

    def _refused(self, number: int, error: Refused) -> None:
        """qmt's own rules are against it: for now where it is the hour, else for good."""
        if error.code in ("off_hours", "not_continuous"):
            self._waits[number] = _Stop(Reason.NOT_SENT, error.code)
        else:
            self._stops[number] = _Stop(why_refused(error), error.code)

    # -- chasing and waiting -------------------------------------------------------------------------------

    def _chase(self) -> bool:
        """Cancel what has waited long enough and would be sent at another price now; whether there was any."""
        if not self._course.chase:
            return False
        late = []
        for number in (*self._sells, *self._buys):
            if number in self._stops or self._chased(number) >= self._course.chase:
                continue
            for entry in self._entries.get(number, ()):
                waited = (_machine_ms() - entry.sent) / 1000
                if entry.order is not None and entry.order.state.cancellable and waited >= self._course.patience:
                    late.append((number, entry.order))
        if not late:
            return False
        self._markets.load(order.stock_code for _, order in late)
        now = self._session.now()
        moved = []
        for number, order in late:
            row = self._rows[number]
            assert row.side is not None, "a row with orders has a side"
            with suppress(NoData):
                market = self._markets.of(row.code, row.side, self._course.price)
                price, _ = offered(market, row.side, self._course.price, now, self._course.max_age)
                if price is not None and float(price) != order.price:
                    moved.append(order)
        if moved:
            self._cancel(moved[: self._together])
        return bool(moved)

    def _chased(self, number: int) -> int:
        """Times that a row's orders were canceled and sent again."""
        entries = self._entries.get(number, ())
        together = max((sum(each.sent == entry.sent for each in entries) for entry in entries), default=1)
        return sum(entry.state is State.CANCELED for entry in entries) // together

    def _cancel(self, wanted: list[Order]) -> None:
        self._own_cancels |= {order.order_id for order in wanted}
        self._desk.cancel(wanted, _CANCEL, by=self._batch, rate=self._course.rate)

    def _wait(self) -> None:
        """Until something is heard, for a while. Raises NotConnected."""
        self._session.pushed(min(_LOOK, max(0.0, self._seconds_left())))

    def _wait_for_link(self, error: NotConnected) -> None:
        if self._lost is None:
            self._lost = error
            self._link(error)
        time.sleep(min(_LINK, max(0.0, self._deadline - time.monotonic())))

    # -- the end -----------------------------------------------------------------------------------------

    def _end(self) -> None:
        """Have what stands canceled, and see it; or leave it to the closing auction, and see what that brings."""
        if self._course.auction is not None:
            return self._see_auction(self._course.auction)
        until, asked = time.monotonic() + _LAST_LINK, 0
        while True:
            try:
                self._refresh()
                standing = self._orders((*self._sells, *self._buys))
                if not standing or asked == _CANCELS:
                    break
                asked += 1
                self._cancel(standing)
            except NotConnected as error:
                self._deadline = until
                if time.monotonic() >= until:
                    break
                self._wait_for_link(error)
        self._read_ledger()
        return None

    def _see_auction(self, matched: float) -> None:
        while True:
            try:
                has_matched = self._session.now() >= matched
                self._refresh()
                if has_matched or not self._is_under_way():
                    return
                self._deadline = time.monotonic() + _LOOK
                if not self._send(self._sells) and not self._send_buys():
                    self._wait()
            except NotConnected as error:
                self._wait_for_link(error)
                if self._session.now() >= matched:
                    return

    def _done(self, number: int) -> Done:
        row, entries = self._rows[number], self._entries.get(number, [])
        traded, standing = self._traded(number), self._standing(number)
        value = sum((Decimal(str(e.traded_price)) * e.traded_volume for e in entries), _ZERO)
        stop = self._stops.get(number) or self._waits.get(number)
        reason, message = row.reason, ""
        left = row.volume - traded
        if left:
            sent = any(entry.sent for entry in entries)
            fallback = _Stop(Reason.UNFILLED if sent else Reason.NOT_SENT)
            reason, message = stop or fallback
            if sent and stop is not None and stop.reason in (Reason.STALE_PRICE, Reason.NO_QUOTE, Reason.NOT_SENT):
                reason, message = fallback
        ids = [entry.order_id for entry in entries if entry.order_id]
        return Done(row, traded, value / traded if traded else _ZERO, standing, reason, message, ids)


def _machine_ms() -> int:
    """Epoch milliseconds by the clock that `Entry.sent` is told by."""
    return time.time_ns() // 1_000_000


#: states of orders that something may still come of by itself
_UNDER_WAY = (State.ACCEPTED, State.OPEN, State.PART_FILLED)
#: there is not enough money for all of it
_SHORT = _Stop(Reason.NO_CASH)
