"""A trading client whose native line follows a script of faults.

Every request runs through the client as it is; what the exchange is told of it, and what the session is told in answer,
is what the request's plan makes of it. Nothing here knows the vendor's layer: it sees what native code would send.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from operator import itemgetter
from random import randrange
from typing import Any, NamedTuple
from weakref import WeakSet

from qmtcli.paper.codes import BUY, FIX_PRICE, REPORTED
from qmtcli.paper.counter import NewOrder, Rejection
from qmtcli.paper.exchange import Exchange, current, of
from qmtcli.paper.faults import METHODS, NOTHING, WRITES, Plan, script
from qmtcli.paper.records import fill, raw, record
from qmtcli.paper.refusals import callback_of, refusal
from qmtcli.paper.settings import Settings
from qmtcli.paper.store import Order
from qmtcli.paper.trading import NO_ACCOUNT, Account, XtQuantAsyncClient

_POLL_SECONDS = 0.02
#: account status after hours: ids are given out, and no order comes of them
_CLOSED = 6
_OFF_HOURS = Rejection(-61, "当前时间不允许此类证券交易")

_ERRORS = ("bindOnOrderErrorCallback", "bindOnCancelErrorCallback")
#: pushes that are about one order
_OF_AN_ORDER = (*_ERRORS, "bindOnStockOrderCallback", "bindOnStockTradeCallback")

#: clients that are not forgotten yet
CLIENTS: WeakSet[FaultyClient] = WeakSet()


class _Said(NamedTuple):
    """Something the session is to hear: ``kind`` is ``reply``, ``push`` or ``error``."""

    kind: str
    callback: str
    values: tuple[Any, ...]


#: what is heard first -> what comes after it
_AFTER = {"reply": ("push", "error"), "pushes": ("reply",), "errors": ("reply", "push")}


def _no_order_id() -> int:
    """The id of an order that no listing will ever have, far from any the exchange gives out."""
    return randrange(1 << 30, 1 << 31)


class FaultyClient(XtQuantAsyncClient):
    """One session of a paper terminal on which things go wrong."""

    __module__ = "xtquant.xtpythonclient"

    def __init__(self, path: str | bytes, name: str | bytes, session: int) -> None:
        super().__init__(path, name, session)
        self._script = script(Settings.from_environment().faults)
        #: of the request under way: its plan, what it asks, the id of its order, and what it has said so far
        self._plan = NOTHING
        self._request: Any = None
        self._order_id = 0
        self._said: list[_Said] | None = None
        #: the link was lost or never told of, and no other comes
        self._lost = False
        #: account status as it was last made; None: the exchange's own
        self._status: int | None = None
        self._status_told = True
        self._foreign: list[Any] = []
        #: orders that this session hears nothing of
        self._silent: set[int] = set()
        #: answers under way: epoch ms by the account's clock, and what then happens
        self._late: list[tuple[int, Callable[[], None]]] = []
        #: callbacks of the requests that get no answer, by number
        self._unanswered: dict[int, str] = {}
        #: set when calls that never return are to return
        self._freed = threading.Event()
        CLIENTS.add(self)

    # -- calls -----------------------------------------------------------------------------------------

    def connect(self) -> int:
        """As scripted: it may hang, be late, answer -1, or answer 0 for a link that is none."""
        plan = self._script.plan("connect", _no_traits)
        if not plan.answered:
            self._freed.wait()
        if plan.late:
            feed = current().feed
            due = feed.now_ms() + plan.late
            while feed.now_ms() < due and not self._freed.wait(_POLL_SECONDS):
                pass
        with self._delivery:
            if plan.fails or self._lost or not plan.answered:
                return -1
            result = super().connect()
            self._change(plan)
            return result

    def stop(self) -> None:
        """Leave; as scripted, it may hang before it does."""
        if not self._script.plan("stop", _no_traits).answered:
            self._freed.wait()
        super().stop()
        self._late.clear()
        self._unanswered.clear()  # nobody can be answered any more

    # -- requests --------------------------------------------------------------------------------------

    def _run(self, call: str, seq: int, request: Any) -> int:
        reply = callback_of(METHODS[call])
        with self._delivery:
            plan = self._under_status(call, self._script.plan(call, lambda: self._traits(call, request)))
            self._change(plan)
            self._plan, self._request, self._order_id, self._said = plan, request, 0, []
            number = seq
            try:
                if plan.stands or call in WRITES:
                    number = getattr(super(), METHODS[call])(seq, request)
                else:
                    self._answer(reply, seq, refusal(reply))
            finally:
                said, self._plan, self._said = self._said, NOTHING, None
            self._tell(plan, seq, reply, [self._edited(call, plan, word) for word in said])
            self._tell_status()
        return number

    def _traits(self, call: str, request: Any) -> tuple[str, str]:
        """Code and remark of the order that a request is about."""
        if call == "order":
            return _text(request, "m_strStockCode"), _text(request, "m_strOrderRemark", "m_strOrderRemarkNew")
        order_id = request.m_nOrderID or int(_text(request, "m_strOrderSysID") or 0)
        account = self._owned(request)
        orders = account.exchange.orders(order_id) if account and order_id else []
        return (orders[0].code, orders[0].remark) if orders else ("", "")

    def _under_status(self, call: str, plan: Plan) -> Plan:
        """A plan as the account's status lets it be."""
        status = self._status if plan.status is None else plan.status
        if not status or call not in WRITES:
            return plan
        if status == _CLOSED and call == "order":
            return replace(plan, rejection=_OFF_HOURS, row=False)
        return replace(plan, stands=False, fails=True, words=NO_ACCOUNT)

    def _change(self, plan: Plan) -> None:
        """What holds from here on."""
        if plan.dead:
            self._unlink()
            self._lost = True
        if plan.status is not None:
            self._status, self._status_told = plan.status, False
        if plan.foreign and self._exchange is not None:
            own = self._of(self._exchange.settings.account)
            self._foreign.append(self._foreign_order(own, plan.foreign))
            if own.seen is not None:
                self._answer("bindOnStockOrderCallback", self._foreign[-1])

    def _tell_status(self) -> None:
        if self._status_told or self._status is None:
            return
        for account in self._subscribed():
            self._status_told = True
            self._answer("bindOnUpdateAccountStatusCallback", account.rows.status(self._status))

    # -- what the exchange is told ---------------------------------------------------------------------

    def _place(self, exchange: Exchange, new: NewOrder) -> tuple[int, str]:
        plan, why = self._plan, ""
        if plan.stands and (plan.row or not plan.rejection):
            order_id, why = exchange.place(replace(new, rejection=plan.rejection), plan.arrives)
        else:
            order_id = _no_order_id() if plan.stands else -1
            if plan.rejection:
                self._push_error("XtOrderError", order_id, strategy_name=new.strategy, seq=new.seq)
        self._order_id = order_id
        if plan.unlisted and order_id > 0:
            self._script.keep_out(plan.unlisted, order_id)
        return (-1, plan.words) if plan.fails or not plan.stands else (order_id, why)

    def _cancel(self, exchange: Exchange, order_id: int, sysid: str, market: str) -> tuple[int, str]:
        plan, answer = self._plan, (0, "")
        self._order_id = order_id
        if plan.rejection:
            self._push_error("XtCancelError", order_id, order_sysid=sysid)
        elif plan.stands:
            answer = exchange.cancel(order_id, sysid, self._key, plan.arrives, market)
        return (-1, plan.words) if plan.fails or not plan.stands else answer

    def _push_error(self, kind: str, order_id: int, **more: object) -> None:
        """Say an error that the exchange knows nothing of."""
        assert self._plan.rejection is not None
        error = fill(
            record(kind)(),
            account_type=self._request.m_nAccountType,
            account_id=raw(self._request, "m_strAccountID"),
            order_id=order_id,
            error_id=self._plan.rejection.error_id,
            error_msg=self._plan.rejection.message,
            **more,
        )
        self._answer("bindOnOrderErrorCallback" if kind == "XtOrderError" else "bindOnCancelErrorCallback", error)

    # -- what the session is told ----------------------------------------------------------------------

    def _answer(self, callback: str, *values: Any) -> None:
        if self._said is not None:
            kind = "error" if callback in _ERRORS else "push" if len(values) == 1 else "reply"
            self._said.append(_Said(kind, callback, values))
        elif not self._silent or callback not in _OF_AN_ORDER or values[0].order_id not in self._silent:
            super()._answer(callback, *values)

    def _reply(self, callback: str, seq: int, response: Any) -> None:
        if self._said is not None:
            self._said.append(_Said("reply", callback, (seq, response)))
        else:
            super()._reply(callback, seq, response)

    def _edited(self, call: str, plan: Plan, word: _Said) -> _Said:
        if word.kind == "error" and not plan.numbered and word.callback == "bindOnOrderErrorCallback":
            fill(word.values[0], seq=-1)
        if word.callback == "bindOnUpdateAccountStatusCallback" and self._status is not None:
            fill(word.values[0], status=self._status)
            self._status_told = bool(plan.pushes)
        if word.kind != "reply" or call in WRITES or self._exchange is None:
            return word
        seq, answer = word.values
        if call in ("query_orders", "query_trades") and self._owned(self._request) is not None:
            orders = call == "query_orders"
            answer = [row for row in answer if self._script.lists(row.order_id, orders)]
            if orders and self._request.m_nOrderID == 0:
                answer += [row for row in self._foreign if row.account_id == self._request.account_id]
        elif call == "query_account_status" and self._status is not None:
            answer = [fill(row, status=self._status) for row in answer]
        return word._replace(values=(seq, answer))

    def _tell(self, plan: Plan, seq: int, reply: str, said: list[_Said]) -> None:
        if plan.cut:
            said = []
        if not plan.pushes:
            said = [word for word in said if word.kind == "reply"]
            self._silent.add(self._order_id)
        for word in sorted(said, key=lambda word: word.kind in _AFTER[plan.first]):
            if word.kind != "reply":
                for _ in range(plan.pushes):
                    self._answer(word.callback, *word.values)
            elif plan.answered and plan.late and self._exchange is not None:
                self._delay(self._exchange.feed.now_ms() + plan.late, word, plan.replies)
            elif plan.answered:
                self._speak(word, plan.replies)
        if not plan.answered:
            self._unanswered[seq] = reply
        if plan.cut and self._exchange is not None:
            self._unlink()
            self._lost = True
            self._late.clear()
            self._answer("bindOnDisconnectedCallback")

    def _speak(self, word: _Said, times: int) -> None:
        say = self._reply if word.callback in _WRITTEN else self._answer
        say(word.callback, *word.values)
        for _ in range(1, times):
            self._answer(word.callback, *word.values)

    def _delay(self, due: int, word: _Said, times: int) -> None:
        self._late.append((due, lambda: self._speak(word, times)))
        if len(self._late) == 1:
            threading.Thread(target=self._wait, name="paper-late", daemon=True).start()

    def _wait(self) -> None:
        while self._late and not self._stopped.wait(_POLL_SECONDS):
            try:
                self.speak_due()
            except RuntimeError:
                return  # the vendor's executor takes nothing any more: the program is leaving

    def speak_due(self) -> None:
        """Say what has become due by the account's clock, in its order."""
        with self._delivery:
            if self._exchange is None:
                return
            now = self._exchange.feed.now_ms()
            due = sorted((entry for entry in self._late if entry[0] <= now), key=itemgetter(0))
            self._late = [entry for entry in self._late if entry[0] > now]
            for _, speak in due:
                speak()

    def _foreign_order(self, account: Account, remark: str) -> Any:
        """A row whose long remark is empty, and whose short one no reader can take."""
        now = account.exchange.feed.now_ms()
        order = Order(_no_order_id(), 0, now, "600000.SH", "", BUY, 100, FIX_PRICE, 9_000, 9_000, REPORTED, "", "")
        return fill(account.rows.order(order), m_strOrderRemark=remark)

    # -- for tests -------------------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Say all that is due now: what the market and other sessions have done, and late answers."""
        with self._delivery:
            for account in [*self._accounts.values()]:
                account.exchange.refresh()
                self._deliver(account, account.exchange.store.events)
        self.speak_due()

    def move(self, exchange: Exchange) -> None:
        """Go on with another exchange over the same account, and over the terminal's others."""
        with self._delivery:
            if self._exchange is not None:
                self._exchange = exchange
                for account_id, account in self._accounts.items():
                    account.exchange = of(account_id)

    def leave(self) -> None:
        """Stop, whatever the script says, and keep hold of nobody."""
        super().stop()
        self._callbacks.clear()

    def let_go(self) -> None:
        """End every call that waits: what hangs returns, and what got no answer, or not yet, gets -1."""
        self._freed.set()
        with self._delivery:
            waiting, self._unanswered = self._unanswered, {}
            late, self._late = self._late, []
            for _, speak in late:
                speak()
            for seq, callback in waiting.items():
                self._answer(callback, seq, refusal(callback))


def _no_traits() -> tuple[str, str]:
    return "", ""


def _text(request: Any, *names: str) -> str:
    """The last of some text fields that is not empty, as far as it is whole."""
    texts = [raw(request, name).decode(errors="ignore") for name in names]
    return next((text for text in reversed(texts) if text), "")


def _scripted(call: str) -> Callable[[FaultyClient, int, Any], int]:
    return lambda self, seq, request: self._run(call, seq, request)


#: callbacks of the requests that write
_WRITTEN = frozenset(callback_of(METHODS[call]) for call in WRITES)

for _call, _method in METHODS.items():
    setattr(FaultyClient, _method, _scripted(_call))
