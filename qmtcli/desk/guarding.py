"""The guard of a plain script on a live profile: its orders and cancels pass the desk's checks and are in the ledger.

The script's own trader sends them. Nothing here asks that trader anything, as its answers may be waiting behind the
very call: quotes are the data service's, and other orders of the day are read over a link of qmt's own.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from qmtcli import orders
from qmtcli.desk import Desk, new_client_id
from qmtcli.desk import limits as limit_rules
from qmtcli.errors import ConfigError, QmtError, Refused, UsageError
from qmtcli.ledger import Entry, State, Used
from qmtcli.messages import error_text, language, say
from qmtcli.model import Credit, Order, OrderRequest, Side
from qmtcli.orders import Market, PriceSpec
from qmtcli.rules import order_types
from qmtcli.symbols import parse_code
from qmtcli.tickets import Built, Markets, Ticket
from qmtcli.xt import codes
from qmtcli.xt.line import Asked, Call, Canceled

#: seconds that answers are waited for when the script has ended
_LAST_WORDS = 1.0
#: seconds for which a quote is good enough
_QUOTE_SECONDS = 3.0
#: orders answered with -1 that are still listened for
_MOST_DENIED = 1000

_Change = Callable[[Entry], Entry]


class Guard:
    """What a script's native line is watched by, see `qmtcli.xt.line.Watch`; from any thread, in one process."""

    def __init__(self, desk: Desk, markets: Markets, name: str, tell: Callable[[QmtError], None]) -> None:
        """``name``: whose orders they are where the script names no strategy. ``tell`` shows the user an error."""
        self._desk, self._markets, self._name, self._tell = desk, markets, name, tell
        self._ledger, self._limits = desk.ledger, limit_rules.of(desk.profile)
        self._pid = os.getpid()
        self._closed = False
        #: whether anything was let pass
        self.sent = False
        #: orders that have no answer yet, and those that were answered with -1, which may stand all the same
        self._flights: dict[Call, Entry] = {}
        self._denied: dict[Call, Entry] = {}
        #: what was told of orders by their ids while it was not known whose they are
        self._early: dict[str, _Change] = {}
        self._heard = threading.Condition()
        #: held while qmt's own link is asked
        self._asking = threading.Lock()

    def prepare(self) -> None:
        """Have what the limits need before the script begins. Raises NotConnected, ConfigError."""
        self._elsewhere()

    # -- what goes down --------------------------------------------------------------------------------

    def order(self, call: Call, asked: Asked) -> str:
        """Let an order pass, its intent on the disk; the remark that it carries. Raises QmtError."""
        self._hold_own(asked.account_id, asked.account_type)
        self._desk.gate.hold_writes()
        self._desk.new_day()
        self._markets.renew(self._desk.day)
        entry = self._entry(asked)
        elsewhere = self._elsewhere() if entry.new_risk else None
        while True:
            self._desk.gate.hold_halt(bool(entry.new_risk))
            with self._heard:
                (claim,) = self._ledger.claim([entry], self._admit, elsewhere, self._limits.orders_per_second)
                if claim.word == "ours":
                    self._flights[call] = claim.entry
                    self.sent = True
                    return entry.remark
            if claim.error is not None:
                raise claim.error
            time.sleep(claim.wait / 1000)

    def cancel(self, asked: Canceled) -> None:
        """Let a cancel pass, which no halt and no limit stops, nor a ledger that cannot be written. Raises Refused."""
        self._hold_own(asked.account_id, asked.account_type)
        self._desk.gate.hold_writes(cancel=True)
        self._desk.new_day()
        words = {"order_sysid": asked.order_sysid} if asked.order_sysid else {}
        order_id = str(asked.order_id) if asked.order_id > 0 else ""
        self._write_down(lambda: self._ledger.ask_cancel(self._desk.day, order_id, **words))
        self.sent = True

    def refused(self, error: Exception) -> str:
        """Tell the user why something was not sent; the words."""
        if not isinstance(error, QmtError):
            error = QmtError("bug", detail=f"{type(error).__name__}: {error}")
        self._tell(error)
        return error_text(error.code, error.params, language())[0]

    def _hold_own(self, account_id: str, account_type: int) -> None:
        """Hold that it is this process's to send, and for the profile's account. Raises Refused."""
        profile = self._desk.profile
        if self._closed or os.getpid() != self._pid:
            raise Refused("script_line_closed")
        if (account_id, account_type) != (profile.account, codes.ACCOUNT_TYPES.get(profile.account_type)):
            raise Refused("script_other_account", account=account_id, profile=profile.name)

    def _admit(self, entry: Entry, used: Used) -> QmtError | None:
        return limit_rules.check_day(self._limits, entry, used)

    def _elsewhere(self) -> Used | None:
        """What the broker's other orders have used of the day's limits. Raises NotConnected."""
        with self._asking:
            return self._desk.made_elsewhere()

    def _entry(self, asked: Asked) -> Entry:
        """The entry of an order, held to what one order may be. Raises QmtError."""
        side, credit = self._purpose(asked.order_type)
        if asked.volume <= 0:
            raise UsageError("bad_volume", text=str(asked.volume))
        if not math.isfinite(asked.price):
            raise UsageError("bad_price", text=str(asked.price))
        try:
            strategy = orders.check_strategy(asked.strategy)
        except UsageError:
            strategy = self._name
        code, price = parse_code(asked.code), Decimal(str(asked.price))
        # with a value of its own, so that a sell goes on without a quote, as one at a typed price does
        spec = PriceSpec(str(price), value=price)
        market = self._markets.of(code, side, spec, age=_QUOTE_SECONDS)
        bound = price if price > 0 and _binds(asked.price_type, market) else Decimal(0)
        request = OrderRequest(code, side, asked.volume, asked.price_type, bound, new_client_id(), strategy, credit)
        ticket = Ticket(side, code, spec, str(asked.volume), strategy=strategy, credit=credit)
        typed = {**ticket.typed, **({"remark": asked.remark} if asked.remark else {})}
        built = Built(ticket, market, [request])
        (entry,) = self._desk.enter(built, self._markets.schedule, "run-strategy", typed)
        return entry

    def _purpose(self, order_type: int) -> tuple[Side, Credit | None]:
        """What an order of a type is on the profile's account. Raises Refused."""
        for (side, credit), number in codes.ORDER_TYPES.items():
            if number == order_type and (credit is not None) == (self._desk.profile.account_type == "CREDIT"):
                return side, credit
        raise Refused("script_order_type", order_type=order_type, profile=self._desk.profile.name)

    # -- what comes up ---------------------------------------------------------------------------------

    def broken(self, call: Call) -> None:
        """The native call of an order raised, so that it may have been sent."""
        with self._heard:
            entry = self._flights.pop(call, None)
            if entry is not None:
                self._change(entry, lambda now: now._replace(state=State.UNKNOWN))

    def answered(self, call: Call, order_id: int, message: str) -> None:
        """An order has its id, which is written before the script knows it; or -1, which has been answered for orders
        that stood."""
        with self._heard:
            entry = self._flights.pop(call, None)
            if entry is None:
                return
            if order_id > 0:
                own = str(order_id)
                self._change(entry, lambda now: now._replace(state=State.ACCEPTED, order_id=own))
                if own in self._early:
                    self._change(entry, self._early.pop(own))
            else:
                self._denied[call] = entry
                if len(self._denied) > _MOST_DENIED:
                    del self._denied[next(iter(self._denied))]
                self._change(entry, lambda now: now._replace(state=State.UNKNOWN, message=message or "-1"))
            if not self._flights:
                self._early.clear()
            self._heard.notify_all()

    def failed(self, account_id: str, call: Call, order_id: int, error_id: int, message: str, remark: str) -> None:
        """An order was turned away: the one with this id, or the one whose request it was."""

        def reject(now: Entry) -> Entry:
            return now._replace(state=State.REJECTED, message=message, error_id=error_id or -1)

        if account_id not in ("", self._desk.profile.account):
            return
        with self._heard:
            if order_id > 0:
                self._learn(str(order_id), reject)
                return
            for waiting in (self._flights, self._denied):
                entry = waiting.get(call)
                if entry is not None and remark in ("", entry.remark):
                    self._change(waiting.pop(call), reject)
                    self._heard.notify_all()

    def seen(self, account_id: str, order: Order) -> None:
        """The row of an order: written where it is the last word on it, or shows that one stands."""
        if account_id not in ("", self._desk.profile.account) or not (order.state.done or self._denied):
            return
        with self._heard:
            for call, entry in self._denied.items():
                if order.order_remark == entry.client_id:
                    self._change(self._denied.pop(call), lambda now: now.seen(order))
                    return
            self._learn(order.order_id, lambda now: now.seen(order))

    def _learn(self, order_id: str, change: _Change) -> None:
        """Something is told of an order by its id, which may be that of an answer to come."""
        entry = self._ledger.of_order(self._desk.day, order_id)
        if entry is not None:
            self._change(entry, change)
        elif self._flights:
            self._early[order_id] = change

    def _change(self, entry: Entry, change: _Change) -> None:
        """Write what is known of an entry now, unless another process is at work on it."""
        self._write_down(partial(self._write, entry.key, change))

    def _write(self, key: int, change: _Change) -> None:
        if not self._ledger.owners.take(key):
            return
        (now,) = self._ledger.select("key = ?", key)
        if now.state.final:
            self._ledger.owners.leave(key)
        else:
            self._ledger.settle([change(now)])

    def _write_down(self, write: Callable[[], None]) -> None:
        """Write about what was sent, which stands whether it can be written or not."""
        try:
            write()
        except ConfigError as error:
            self._desk.gate.permission.warn(say(f"台账未写: {error.params}", f"not written down: {error.params}"))

    # -- the end ---------------------------------------------------------------------------------------

    def close(self) -> list[str]:
        """Send nothing more; the client ids of the orders that got no answer, which are unknown now."""
        self._closed = True
        with self._heard:
            self._heard.wait_for(lambda: not self._flights, _LAST_WORDS)
            left = [*self._flights.values()]
            self._flights.clear()
            for entry in left:
                self._change(entry, lambda now: now._replace(state=State.UNKNOWN))
        return [entry.client_id for entry in left]


def _binds(price_type: int, market: Market) -> bool:
    """Whether the price that goes down with an order of a type is the worst that it can trade at."""
    if price_type in (order_types.FIX_PRICE, order_types.AFTER_HOURS_PRICE):
        return True
    kinds = {number for kind in order_types.MARKET_KINDS for number in kind.codes.values()}
    return price_type in kinds and order_types.needs_protection(market.instrument, market.rules)
