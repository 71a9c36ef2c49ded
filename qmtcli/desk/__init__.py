"""The one door through which every order and cancel goes: may it be sent, was it sent before, what became of it.

`gate` says whether this run may write at all, `limits` how much, the ledger what was sent, `sending` sends, `settling`
finds what others left; `guarding` has the trader of a plain script pass all of it. What was sent is kept in `Desk.sent`
until its outcome has been reported, so that a process that is stopped in between can say what it left behind.
"""

from __future__ import annotations

import json
import secrets
import time as clock
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, time, timedelta, timezone
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from qmtcli import orders
from qmtcli.config import Profile
from qmtcli.desk import limits, settling
from qmtcli.desk.gate import Gate, Permission
from qmtcli.desk.sending import ACK_SECONDS, Manner, Outcome, Sending, request_of
from qmtcli.errors import ConfigError, Refused
from qmtcli.ledger import Entry, Ledger, State, Used, new_entry
from qmtcli.messages import say
from qmtcli.model import Order, OrderStatus
from qmtcli.rules import calendar
from qmtcli.rules.settings import FeeSchedule
from qmtcli.tickets import DEFAULT_STRATEGY, Built, Markets, Ticket, priced
from qmtcli.xt import codes
from qmtcli.xt.session import Cancel, Session

__all__ = ["ACK_SECONDS", "Canceling", "Desk", "Manner", "Outcome", "Permission", "is_own", "new_client_id"]

_SHANGHAI = timezone(timedelta(hours=8))
#: the end of the last phase of a trading day
_CLOSED = time(15, 30)
#: seconds after which the orders that were made by hand are counted again
_RECOUNT = 10.0
_ID_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


class Canceling(NamedTuple):
    """What became of one order that was to be canceled."""

    #: its row as it was last seen
    order: Order
    #: ``canceled``; ``filled_first``: before the cancel reached it; ``too_late``: filled before it was asked for;
    #: ``final``: rejected; ``refused``: it stands; ``pending``: asked for, not final yet; ``unknown``: no answer, or
    #: none that could be read; ``would_cancel``
    result: str
    #: words of a refusal
    message: str = ""


class Desk:
    """Orders and cancels of one session."""

    def __init__(
        self,
        session: Session,
        profile: Profile,
        permission: Permission,
        ledger: Callable[[], Ledger],
        halt_file: Path,
        dry_run: bool = False,
    ) -> None:
        """``ledger()`` opens the account's; it is opened once there is something to write or to look up."""
        self.session = session
        self.profile = profile
        self.dry_run = dry_run
        self.gate = Gate(profile, permission, halt_file)
        self._open = ledger
        self._ledger: Ledger | None = None
        self._elsewhere: tuple[Used, float] | None = None
        #: client ids and order ids sent by this process whose outcome has not been reported yet
        self.sent: dict[str, None] = {}

    @property
    def ledger(self) -> Ledger:
        """The account's ledger. Raises ConfigError where it cannot be used."""
        if self._ledger is None:
            self._ledger = self._open()
        return self._ledger

    @cached_property
    def day(self) -> str:
        """The trading day of what is sent now: on a live account after the close the next one, where it is for that."""
        today = self.session.today()
        if self.profile.live and self.gate.permission.next_session:
            now = datetime.fromtimestamp(self.session.now(), _SHANGHAI)
            with suppress(ConfigError):  # past the calendar's end the date has to do
                if now.time() >= _CLOSED or not calendar.is_trading_day(today):
                    today = calendar.next_trading_day(today)
        return today.isoformat()

    def new_day(self) -> None:
        """The trading day may have turned, for whoever outlives one."""
        self.__dict__.pop("day", None)

    # -- orders ----------------------------------------------------------------------------------------

    def recall(self, client_id: str, typed: Mapping[str, str]) -> list[Entry]:
        """The entries of an order of today with this client id; none where there was none.

        Raises Refused when it was another order, or one of another day.
        """
        other = self.ledger.find(client_id)
        if other is None:
            return []
        # read afterwards: another process may be writing all of them just now
        found = self.ledger.parts(client_id)
        if other.day != self.day:
            raise Refused("id_of_another_day", client_id=client_id, day=other.day, today=self.day)
        if not found or json.loads(other.typed) != typed:
            raise Refused("id_of_another_order", client_id=client_id, order_id=other.order_id)
        return found

    def enter(
        self,
        built: Built,
        schedule: FeeSchedule,
        command: str,
        typed: Mapping[str, str],
        batch: str = "",
        row: int = 0,
    ) -> list[Entry]:
        """The entries of a ticket's requests, held to what one order may be; nothing is written yet.

        Raises Refused, UsageError.
        """
        entries = []
        market = built.market
        epoch = 0 if self.dry_run else self.ledger.epoch
        for request in built.requests:
            self.gate.check_purpose(request.side, request.credit)
            new_risk = limits.new_risk(request, market.lends)
            if not self.dry_run:
                self.gate.hold_halt(new_risk)
            risk = orders.at_risk(request, market, schedule)
            limits.check_order(limits.of(self.profile), request, risk, built.last, market.lends)
            entries.append(
                new_entry(
                    epoch,
                    request,
                    codes.ORDER_TYPES[request.side, request.credit],
                    self.day,
                    command,
                    typed,
                    market.instrument.name,
                    built.requests[0].client_id,
                    batch,
                    row,
                    risk,
                    new_risk,
                )
            )
        return entries

    def reprice(self, entry: Entry, asked: Ticket, markets: Markets, next_session: bool = False) -> Entry:
        """An entry that was not sent with the price that its ticket has now. Raises Refused, NoData, NotConnected."""
        market = markets.of(asked.code, asked.side, asked.price, age=0.0)
        if not next_session:
            orders.check_hours(asked.price, market)
        price, price_type, _ = priced(asked, market)
        now = entry._replace(price=str(price), price_type=price_type)
        request = request_of(now)
        risk = orders.at_risk(request, market, markets.schedule)
        last = market.quote.last_price if market.quote else 0
        limits.check_order(
            limits.of(self.profile), request, risk, Decimal(str(last)) if last else None, market.lends
        )  # fmt: skip
        return now._replace(risk="" if risk is None else str(risk))

    def made_elsewhere(self) -> Used | None:
        """What orders of the account that are not the ledger's have used of the day's limits; None without such limits.

        Raises NotConnected.
        """
        if not limits.binds_day(limits.of(self.profile)):
            return None
        if self._elsewhere is None or clock.monotonic() - self._elsewhere[1] > _RECOUNT:
            found = limits.outside(self.session.orders(), self.ledger.of_day(self.day))
            self._elsewhere = found, clock.monotonic()
        return self._elsewhere[0]

    def adopt(self, entries: list[Entry]) -> list[Entry]:
        """Entries that the ledger does not know as the broker has them: sent from elsewhere, or before the ledger was.

        Raises Refused when an order of today carries the client id and is another one, NotConnected.
        """
        by_remark = {order.order_remark: order for order in self.session.orders()}
        found = []
        for entry in entries:
            order = by_remark.get(entry.client_id)
            if order is None:
                found.append(entry)
                continue
            # a terminal's row shows its broker's number of a price type, so the words are compared
            kind = codes.PRICE_KINDS.get(order.price_type)
            same = (
                order.stock_code == entry.stock_code
                and order.order_type == entry.order_type
                and order.order_volume == entry.order_volume
                and kind in (None, codes.PRICE_KINDS[entry.price_type])
                and abs(order.price - float(entry.price)) < 1e-6
            )
            if not same:
                raise Refused("id_of_another_order", client_id=entry.client_id, order_id=order.order_id)
            found.append(entry.seen(order))
        return found if found == entries else self.ledger.plan(found)

    def send(self, entries: Sequence[Entry], manner: Manner = Manner()) -> Generator[Outcome, None, None]:  # noqa: B008
        """Send entries, each once; their outcomes as they come. A dry run sends nothing, and each is as it was."""
        if self.dry_run:
            return (Outcome(entry) for entry in entries)
        return Sending(self, entries, manner).run()

    def checked(self, entry: Entry, markets: Markets, again: bool = False) -> Entry:
        """An entry of a plan, held again to what one order may be; as it is where it was sent before and not ``again``.

        Raises UsageError, Refused, NoData, NotConnected.
        """
        orders.check_client_id(entry.client_id)
        if not again and not self.dry_run:
            known = self.ledger.find(entry.client_id)
            if known is not None and known.state is not State.PLANNED:
                return entry
        request = request_of(entry)
        kind = codes.PRICE_KINDS.get(request.price_type, "")
        spec = orders.parse_price(entry.price) if kind == "limit" else orders.market_price(kind)
        market = markets.of(request.code, request.side, spec)
        orders.check_type(spec, request.side, market)
        orders.check_hours(spec, market)
        if kind == "limit":
            orders.resolve_price(spec, request.side, market)
        built = Built(Ticket(request.side, request.code, spec, str(request.volume)), market, [request])
        (checked,) = self.enter(built, markets.schedule, entry.command, json.loads(entry.typed), entry.batch, entry.row)
        return checked._replace(ticket=entry.ticket)

    def unsent(self, entry: Entry) -> Outcome:
        """The outcome of what was only looked at."""
        return Outcome(entry)

    def may_send(self, entry: Entry) -> bool:
        """Whether sending an entry may send an order: on paper what somebody left may turn out not to be sent."""
        return entry.state is State.PLANNED or (entry.state.undecided and self.session.stands is not None)

    def settle(self, orders: Sequence[Order] | None = None) -> None:
        """Settle what the ledger has open. ``orders``: those of the day, where just read.

        Raises NotConnected.
        """
        if orders is None:
            orders = self.session.orders() if self.ledger.has_open() else []
        settling.settle(self.ledger, self.day, orders, self.session.stands, self.session.past)

    # -- cancels ---------------------------------------------------------------------------------------

    def cancel(self, orders: list[Order], wait: float, by: str = "", rate: int | None = None) -> list[Canceling]:
        """Ask for cancels, all at once, then wait for each order's final word.

        What is final already is not asked for. ``by``: the batch that asks for the sake of its own orders. ``rate``:
        orders and cancels a second where whoever asks has said so; no limit of the profile holds a cancel up.
        """
        wanted = [order for order in orders if not order.state.done]
        if self.dry_run or not wanted:
            return [_canceling(order) or Canceling(order, "would_cancel") for order in orders]
        self.session.subscribe()
        cancels: dict[str, Cancel] = {}
        for order in self._in_turn(wanted, by, rate):
            self.sent[order.order_id] = None
            cancels[order.order_id] = self.session.cancel(order)
        seen = self.session.watch(list(cancels.values()), wait)
        found = [_canceling(order) or _canceled(cancels[order.order_id], seen) for order in orders]
        asked = [each for each in found if each.order.order_id in cancels]

        def told() -> None:
            for each in asked:
                self.ledger.record(self.day, f"cancel_{each.result}", [each.order], message=each.message)
            if seen:
                self.ledger.see(self.day, [each.order for each in found])

        self._write_down(told)
        return found

    def _in_turn(self, wanted: Sequence[Order], by: str, rate: int | None) -> Iterator[Order]:
        """The orders as their cancels may be sent, which is written down before."""
        while wanted:
            try:
                count, pause = self.ledger.ask_cancels(self.day, wanted, rate, **({"by": by} if by else {}))
            except ConfigError as error:
                self._not_written(error)
                count, pause = len(wanted[:rate]), 1000
            yield from wanted[:count]
            wanted = wanted[count:]
            if wanted:
                clock.sleep(pause / 1000)

    def _write_down(self, write: Callable[[], None]) -> None:
        """Write about a cancel, which goes on where the ledger cannot be written."""
        try:
            write()
        except ConfigError as error:
            self._not_written(error)

    def _not_written(self, error: ConfigError) -> None:
        self.gate.permission.warn(say(f"台账未写: {error.params}", f"not written down: {error.params}"))

    def reported(self) -> None:
        """What was sent has its outcome; a process that is stopped from here on leaves nothing open."""
        self.sent.clear()


def _canceling(order: Order) -> Canceling | None:
    """The word for an order that was final before its cancel was asked for; None for one that was not."""
    if not order.state.done:
        return None
    return Canceling(order, "too_late" if order.state is OrderStatus.SUCCEEDED else _FINAL[order.state])


def _canceled(cancel: Cancel, seen: bool) -> Canceling:
    """What became of an order whose cancel was sent, by its row; ``seen``: the row is of after the cancel."""
    state = cancel.order.state
    word = _FINAL.get(state)
    if word is None and (not seen or cancel.result is None):
        word = "unknown"
    elif word is None:
        word = "refused" if cancel.result and state.cancellable else "pending"
    return Canceling(cancel.order, word, cancel.message or ("-1" if word == "refused" else ""))


_FINAL = {
    OrderStatus.CANCELED: "canceled",
    OrderStatus.PART_CANCEL: "canceled",
    OrderStatus.SUCCEEDED: "filled_first",
    OrderStatus.JUNK: "final",
}


def new_client_id() -> str:
    """An id of our own making: ``q``, the second in base 36, and chance; never the same twice."""
    seconds, text = int(clock.time()), ""
    while seconds:
        seconds, digit = divmod(seconds, 36)
        text = _ID_ALPHABET[digit] + text
    return "q" + text + "".join(secrets.choice(_ID_ALPHABET) for _ in range(6))


def is_own(order: Order) -> bool:
    """Whether an order was made by qmt: its strategy name or its client id says so."""
    remark = order.order_remark
    made = len(remark) == 13 and remark[0] == "q" and all(char in _ID_ALPHABET for char in remark)
    return order.strategy_name == DEFAULT_STRATEGY or made
