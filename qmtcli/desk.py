"""The one door through which every order and cancel goes: may it be sent, is it only looked at, what became of it.

What was sent is kept in `Desk.sent` until its outcome has been reported, so that a process that is stopped in
between can say what it left behind.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from qmtcli.config import Limits, Profile
from qmtcli.errors import OutcomeUnknown, Refused, Rejected, UsageError
from qmtcli.model import Credit, Order, OrderRequest, OrderStatus, Side
from qmtcli.xt import codes
from qmtcli.xt.session import Answer, Cancel, Session

#: seconds that every write waits for its acknowledgement
ACK_SECONDS = 3.0
_ID_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
#: what orders carry as strategy name when nobody gave one; it tells them from orders made by hand
DEFAULT_STRATEGY = "qmt"


class Permission(NamedTuple):
    """What the person or the program that runs this command has said, or can be asked."""

    #: ``--yes``
    yes: bool = False
    #: whether this run named its profile, by flag or variable
    named: bool = False
    #: whether any profile is live
    live_exists: bool = False
    #: asks on the terminal; None where nobody can be asked
    ask: Callable[[str], bool] | None = None
    #: ``--next-session``: a broker that has closed for the day may keep orders for the next
    next_session: bool = False
    #: (what passed login-check, what is there now) when the vendor's package has changed since; only live
    changed: Callable[[], tuple[str, str] | None] = lambda: None


class Outcome(NamedTuple):
    """What became of one order."""

    request: OrderRequest
    #: the order's row; None for a dry run
    order: Order | None = None
    order_id: str = ""
    #: nothing was sent: the same client id did this before
    replayed: bool = False
    #: words of the refusal of a part after the first
    reason: str = ""


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

    def __init__(self, session: Session, profile: Profile, permission: Permission, dry_run: bool = False) -> None:
        self.session = session
        self.profile = profile
        self.permission = permission
        self.dry_run = dry_run
        #: client ids and order ids sent by this process whose outcome has not been reported yet
        self.sent: list[str] = []

    # -- may it be sent --------------------------------------------------------------------------------

    def admit(self, question: str) -> None:
        """Hold that this run may place orders, asking where a person has to say so. Raises Refused."""
        if self.dry_run:
            return
        if self.profile.writes in ("none", "cancel", "plan"):
            raise Refused("writes_not_allowed", profile=self.profile.name, writes=self.profile.writes)
        self._admit_profile()
        if not self.profile.live:
            return
        if change := self.permission.changed():
            raise Refused("package_changed", before=change[0], now=change[1], profile=self.profile.name)
        if self.permission.yes:
            self._admit_unattended()
        elif self.permission.ask is None:
            raise Refused("needs_yes", profile=self.profile.name)
        elif not self.permission.ask(question):
            raise Refused("declined")

    def check_purpose(self, side: Side, credit: Credit | None) -> None:
        """Hold that an order says what it is for where the account is a margin one, and only there.

        A plain buy there is one of collateral (担保品买入), not with borrowed money. Raises UsageError, and Refused on
        an account that is for reading only.
        """
        kind = self.profile.account_type
        self._admit_account()
        if kind == "CREDIT" and credit is None:
            raise UsageError("credit_needed", profile=self.profile.name)
        if kind != "CREDIT" and credit is not None:
            raise UsageError("credit_not_taken", profile=self.profile.name, account_type=kind)
        if (side, credit) not in codes.ORDER_TYPES:
            raise UsageError("credit_of_other_side", side=str(side), credit=str(credit))

    def _admit_account(self) -> None:
        if self.profile.account_type not in ("STOCK", "CREDIT"):
            raise Refused("account_for_reading", profile=self.profile.name, account_type=self.profile.account_type)

    def admit_cancel(self, question: str) -> None:
        """Hold that this run may cancel; no limit ever stops a cancel, and only ``writes: none`` does."""
        if self.dry_run:
            return
        if self.profile.writes == "none":
            raise Refused("writes_not_allowed", profile=self.profile.name, writes="none")
        self._admit_account()
        self._admit_profile()
        if not self.profile.live or self.permission.yes:
            return
        if self.permission.ask is None:
            raise Refused("needs_yes", profile=self.profile.name)
        if not self.permission.ask(question):
            raise Refused("declined")

    def _admit_profile(self) -> None:
        if self.permission.live_exists and self.permission.ask is None and not self.permission.named:
            raise Refused("name_the_profile", profile=self.profile.name)

    def _admit_unattended(self) -> None:
        limits = self.profile.limits
        if limits is None:
            raise Refused("no_limits", profile=self.profile.name)
        if isinstance(limits, Limits):
            held = [
                name
                for name in ("orders_per_day", "orders_per_second", "day_turnover")
                if getattr(limits, name) is not None
            ]
            if held:
                # a limit that is written down and not kept is worse than none
                raise Refused("limits_need_a_ledger", limits=held)

    def check_limits(
        self, request: OrderRequest, value: Decimal | None, last: Decimal | None, lends: bool = False
    ) -> None:
        """Hold an order to the profile's limits on one order. Raises Refused.

        ``value`` is the CNY at risk; value, volume and symbols bind buys, the distance from the last price sells too.
        What sells borrowed shares is bound as a buy, and so is what ``lends`` (a repo's sell), whose price is a rate.
        """
        limits = self.profile.limits
        if not isinstance(limits, Limits):
            return
        new_risk = request.side is Side.BUY or lends or request.credit is Credit.SLO
        if limits.symbols is not None and new_risk and request.code not in limits.symbols:
            raise Refused("limit_symbols", code=request.code, allowed=sorted(limits.symbols))
        if limits.order_volume is not None and new_risk and request.volume > limits.order_volume:
            raise Refused("limit_order_volume", volume=request.volume, limit=limits.order_volume)
        if limits.order_value is not None and new_risk and (value is None or value > limits.order_value):
            raise Refused("limit_order_value", value=value, limit=limits.order_value)
        if limits.price_away is not None and request.price and not lends:
            if last is None:
                raise Refused("limit_price_away_unknown", code=request.code)
            away = abs(request.price / last - 1)
            if away > limits.price_away:
                raise Refused("limit_price_away", away=round(float(away), 4), limit=float(limits.price_away))

    # -- orders ----------------------------------------------------------------------------------------

    def place_all(self, requests: list[OrderRequest], given_id: bool, wait: float | None) -> list[Outcome]:
        """Send the parts of one order in turn; after one that is turned away nothing more is sent.

        Raises as `place`; Rejected only for the first part, for then no order stands.
        """
        outcomes: list[Outcome] = []
        for request in requests:
            try:
                outcomes.append(self.place(request, given_id, wait))
            except Rejected as error:
                if not outcomes:
                    raise
                order_id, reason = str(error.params.get("order_id", "")), str(error.params["reason"])
                refused = Outcome(request, order_id=order_id, reason=reason)
                return [*outcomes, refused, *map(Outcome, requests[len(outcomes) + 1 :])]
        return outcomes

    def place(self, request: OrderRequest, given_id: bool, wait: float | None) -> Outcome:
        """Send an order once and tell what became of it.

        ``given_id``: the client id is the caller's own, so the same one today is the same order. ``wait``: seconds
        to wait for its final state, None for its acknowledgement only. Raises Rejected, Refused, OutcomeUnknown.
        """
        self.check_purpose(request.side, request.credit)
        if self.dry_run:
            return Outcome(request)
        if given_id and (earlier := self._earlier(request)):
            if earlier.state is OrderStatus.JUNK:
                raise _rejected(request, earlier.order_id, earlier.status_msg, -1, replayed=True)
            return Outcome(request, earlier, earlier.order_id, replayed=True)
        # a link that cannot be made is told as that, before anything counts as sent
        self.session.subscribe(closed=self.permission.next_session)
        self.sent.append(request.client_id)
        answer = self.session.place(request)
        # on paper one look tells whether an order that was answered with -1 stands, a terminal may need a while
        self.session.settle(answer, ACK_SECONDS, lambda order: order.state.acknowledged, patient=self.profile.live)
        if answer.order_id not in ("", "-1"):
            self.sent.append(answer.order_id)
        if wait and not answer.refused and answer.order_id != "-1":
            self.session.settle(answer, wait, lambda order: order.state.done)
        self._hold_answer(request, answer)
        return Outcome(request, answer.order, answer.order_id)

    def _hold_answer(self, request: OrderRequest, answer: Answer) -> None:
        told = answer.order_id not in ("", "-1")
        if answer.refused and told:
            self._settled(request, answer)
            raise _rejected(request, answer.order_id, answer.message, answer.error_id, replayed=False)
        if answer.refused or (answer.order_id == "-1" and answer.looked and not self.profile.live):
            self._settled(request, answer)
            raise Rejected("not_taken", reason=answer.message or "-1", client_id=request.client_id)
        if answer.order_id == "-1":
            # -1 has been answered for orders that stood
            raise OutcomeUnknown("answered_minus_one", client_id=request.client_id, reason=answer.message)
        if not told:
            raise OutcomeUnknown("no_answer_to_order", client_id=request.client_id, stock_code=request.code)

    def _settled(self, request: OrderRequest, answer: Answer) -> None:
        self.sent = [sent for sent in self.sent if sent not in (request.client_id, answer.order_id)]

    def knows(self, client_id: str) -> bool:
        """Whether an order of today carries this client id, so that to place it again sends nothing."""
        return any(order.order_remark == client_id for order in self.session.orders())

    def _earlier(self, request: OrderRequest) -> Order | None:
        """The order of today that carries this client id. Raises Refused when it is another order."""
        for order in self.session.orders():
            if order.order_remark != request.client_id:
                continue
            # a terminal's row shows its broker's number of a price type, so the words are compared
            kind = codes.PRICE_KINDS.get(order.price_type)
            same = (
                order.stock_code == request.code
                and order.order_type == codes.ORDER_TYPES[request.side, request.credit]
                and order.order_volume == request.volume
                and kind in (None, codes.PRICE_KINDS[request.price_type])
                and abs(order.price - float(request.price)) < 1e-6
            )
            if not same:
                raise Refused("id_of_another_order", client_id=request.client_id, order_id=order.order_id)
            return order
        return None

    def cancel(self, orders: list[Order], wait: float) -> list[Canceling]:
        """Ask for cancels, all at once, then wait for each order's final word.

        What is final already is not asked for.
        """
        wanted = [order for order in orders if not order.state.done]
        if self.dry_run or not wanted:
            return [_canceling(order) or Canceling(order, "would_cancel") for order in orders]
        self.session.subscribe()
        cancels: dict[str, Cancel] = {}
        for order in wanted:
            self.sent.append(order.order_id)
            cancels[order.order_id] = self.session.cancel(order)
        seen = self.session.watch(list(cancels.values()), wait)
        return [_canceling(order) or _canceled(cancels[order.order_id], seen) for order in orders]

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


def _rejected(request: OrderRequest, order_id: str, reason: str, error_id: int, replayed: bool) -> Rejected:
    return Rejected(
        "rejected",
        reason=reason,
        error_id=error_id,
        order_id=order_id,
        client_id=request.client_id,
        stock_code=request.code,
        replayed=replayed,
    )


def new_client_id() -> str:
    """An id of our own making: ``q``, the second in base 36, and chance; never the same twice."""
    seconds, text = int(time.time()), ""
    while seconds:
        seconds, digit = divmod(seconds, 36)
        text = _ID_ALPHABET[digit] + text
    return "q" + text + "".join(secrets.choice(_ID_ALPHABET) for _ in range(6))


def is_own(order: Order) -> bool:
    """Whether an order was made by qmt: its strategy name or its client id says so."""
    remark = order.order_remark
    made = len(remark) == 13 and remark[0] == "q" and all(char in _ID_ALPHABET for char in remark)
    return order.strategy_name == DEFAULT_STRATEGY or made
