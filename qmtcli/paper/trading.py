"""The stand-in for ``xtquant.xtpythonclient``: the trading client's native line, over the paper exchange.

It answers a request before the call returns, then pushes what the request caused; what other processes cause
is pushed from a thread that watches the accounts' files. What the exchange does not simulate answers as a
terminal without that permission does. Facts about the real module: every method and record of its interface
is in the package's tables, made from an introspection of the real one.

The life of an order, as logs of real sessions show it: the response; the order as reported, first without a
counter's number and then with it; a trade and the order's new state, for each fill. Of one that is turned away:
the response, the error, the order as junk.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qmtcli.errors import QmtError
from qmtcli.paper import SETTINGS
from qmtcli.paper.answers import ANSWERS, Answer
from qmtcli.paper.codes import ACCOUNT_TYPES, JUNK, MARKETS, REPORTED
from qmtcli.paper.counter import NewOrder
from qmtcli.paper.exchange import Exchange, current, of
from qmtcli.paper.native_tables import CALLBACKS, CLIENT_METHODS
from qmtcli.paper.records import RECORD_NAMES, record, whole
from qmtcli.paper.refusals import callback_of, refusal
from qmtcli.paper.rows import Rows, cancel_response, order_response
from qmtcli.paper.settings import Settings
from qmtcli.paper.store import Event, Order, Trade

#: of a cancel by the order's id
_ANY_MARKET = -1
_POLL_SECONDS = 0.02
#: polls between two looks at the tape for resting orders
_POLLS_A_LOOK = 50
#: what is said of an account that this terminal does not have, or that is not logged in
NO_ACCOUNT = "资金账号未登录"
#: callbacks that the vendor's Python forgets to bind, so that its caller would wait for ever, and one it binds
_FORGOTTEN = {"bindOnQueryComPositionRespCallback": "bindOnQueryComFundRespCallback"}


@dataclass
class Traffic:
    """Orders and cancels that this process sent, and how many of them have their answer."""

    sent: int = 0
    answered: int = 0


TRAFFIC = Traffic()


def __getattr__(name: str) -> Any:
    if name in RECORD_NAMES:
        return record(name)
    raise AttributeError(f"module 'xtquant.xtpythonclient' has no attribute {name!r}")


@dataclass(slots=True)
class Account:
    """An account of the terminal, in one session."""

    exchange: Exchange
    rows: Rows
    #: number of the last push that was delivered; None without a subscription
    seen: int | None = None
    #: pushes are on their way, and more of them were caused meanwhile
    delivering: bool = False
    more: bool = False


class XtQuantAsyncClient:
    """One session of the paper terminal."""

    __module__ = "xtquant.xtpythonclient"

    def __new__(cls, *_: object) -> XtQuantAsyncClient:
        """One whose line has the run's faults, where the run has a script of them."""
        if cls is XtQuantAsyncClient and SETTINGS in os.environ and Settings.from_environment().faults:
            from qmtcli.paper.faulty import FaultyClient

            cls = FaultyClient
        return super().__new__(cls)

    def __init__(self, path: str | bytes, name: str | bytes, session: int) -> None:
        for argument in (path, name):
            if not isinstance(argument, (str, bytes)):
                raise TypeError("__init__(): incompatible constructor arguments.")
        int(session)
        #: tells this session's requests from all others; two processes may have chosen the same session id
        self._key = int.from_bytes(os.urandom(6), "big")
        self._callbacks: dict[str, Callable[..., Any]] = {}
        self._seq = 0
        #: that of the profile's account; None without a link
        self._exchange: Exchange | None = None
        #: those that were asked for, by account id
        self._accounts: dict[str, Account] = {}
        #: held from a request to the last push it caused, so that nothing comes between or out of order
        self._delivery = threading.RLock()
        self._stopped = threading.Event()
        self._watcher: threading.Thread | None = None

    # -- the link --------------------------------------------------------------------------------------

    def init(self) -> None:
        """Nothing to do before `start`."""

    def start(self) -> None:
        """Nothing to do before `connect`."""

    def connect(self) -> int:
        """0: the paper terminal is always there; -1 once the session was stopped. Raises ConfigError."""
        with self._delivery:
            if self._stopped.is_set():
                return -1
            if self._exchange is None:
                exchange = current()
                exchange.refresh()
                self._exchange = exchange
            return 0

    def stop(self) -> None:
        """Leave: no push comes after this."""
        self._stopped.set()
        with self._delivery:
            self._unlink()

    def _unlink(self) -> None:
        self._exchange = None
        for account in self._accounts.values():
            account.seen = None
        self._accounts.clear()

    def setTimeout(self, timeout: int) -> None:
        """Accepted; a paper answer is never late of itself."""

    def nextSeq(self) -> int:
        """A new request number, from 1."""
        with self._delivery:
            self._seq += 1
            return self._seq

    def _answer(self, callback: str, *values: object) -> None:
        handler = self._callbacks.get(callback) or self._callbacks.get(_FORGOTTEN.get(callback, ""))
        if handler is not None:
            handler(*values)

    def _ids(self) -> list[str]:
        """Accounts of the terminal; none without a link."""
        if self._exchange is None:
            return []
        settings = self._exchange.settings
        return [settings.account, *(account for account in settings.accounts if account != settings.account)]

    def _of(self, account_id: str) -> Account:
        """An account of the terminal; opened, and created, when it is first asked for. Raises ConfigError."""
        if account_id not in self._accounts:
            self._accounts[account_id] = Account(of(account_id), self._rows(account_id))
        return self._accounts[account_id]

    def _rows(self, account_id: str) -> Rows:
        known = self._accounts.get(account_id)
        assert self._exchange is not None, "there are no accounts without a link"
        return known.rows if known else Rows(account_id, ACCOUNT_TYPES[self._exchange.settings.account_type])

    def _owned(self, req: Any) -> Account | None:
        """The request's account, when there is a link and the account is the terminal's."""
        if self._exchange is None:
            return None
        account_id, account_type = _whose(req)
        if account_id not in self._accounts and account_id not in self._ids():
            return None
        account = self._of(account_id)
        return account if account_type == account.rows.account_type else None

    # -- pushes ----------------------------------------------------------------------------------------

    def subscribeWithSeq(self, seq: int, req: Any) -> int:
        """Pushes of an account begin, with its status; -1 for one that this terminal does not have."""
        with self._delivery:
            account = self._owned(req)
            begins = account is not None and account.seen is None
            last = account.exchange.store.last_event() if account is not None else 0
            self._answer("bindOnSubscribeRespCallback", seq, -1 if account is None else 0)
            if account is not None and begins:
                account.seen = last
                self._watch_from_now_on()
                self._answer("bindOnUpdateAccountStatusCallback", account.rows.status())
        return seq

    def unsubscribeWithSeq(self, seq: int, req: Any) -> int:
        """Pushes of an account end."""
        with self._delivery:
            account = self._owned(req)
            known = account is not None and account.seen is not None
            if account is not None:
                account.seen = None
            self._answer("bindOnUnsubscribeRespCallback", seq, 0 if known else -1)
        return seq

    def _subscribed(self) -> list[Account]:
        return [account for account in self._accounts.values() if account.seen is not None]

    def _watch_from_now_on(self) -> None:
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, name="paper-pushes", daemon=True)
            self._watcher.start()

    def _watch(self) -> None:
        versions: dict[str, tuple[int, int]] = {}
        polls = 0
        try:
            while not self._stopped.wait(_POLL_SECONDS):
                polls += 1
                with self._delivery:
                    if self._exchange is None:
                        return
                    for account in self._subscribed():
                        if polls % _POLLS_A_LOOK == 0:
                            account.exchange.refresh()
                        if (now := account.exchange.store.version()) != versions.get(account.rows.account_id):
                            versions[account.rows.account_id] = now
                            self._deliver(account, account.exchange.store.events)
        except QmtError:
            with self._delivery:
                self._unlink()
                self._answer("bindOnDisconnectedCallback")
        except RuntimeError:
            return  # the vendor's executor takes nothing any more: the program is leaving

    def _deliver(self, account: Account, events: Callable[[int], list[Event]]) -> None:
        """Push the events of an account not seen yet, once, in order."""
        if account.delivering:
            account.more = True  # caused by whoever heard a push: they follow the pushes before them
            return
        account.delivering = True
        try:
            while account.seen is not None:
                account.more = False
                for number, kind, body in events(account.seen):
                    account.seen = number
                    _PUSHES[kind](self, account.rows, **body)
                    if account.seen != number:
                        return  # who heard it ended the subscription
                if not account.more:
                    return
                events = account.exchange.store.events
        finally:
            account.delivering = False

    def _push_order(self, rows: Rows, order: list[Any], again: bool = False) -> None:
        row = Order(*order)
        if row.status == JUNK:
            return  # its error, which comes next, comes first
        if row.status == REPORTED and not again:
            self._answer("bindOnStockOrderCallback", rows.order(row, numbered=False))
        self._answer("bindOnStockOrderCallback", rows.order(row))

    def _push_fill(self, rows: Rows, trade: list[Any], order: list[Any]) -> None:
        row = Order(*order)
        self._answer("bindOnStockTradeCallback", rows.trade(Trade(*trade), row))
        self._answer("bindOnStockOrderCallback", rows.order(row))

    def _push_account(self, rows: Rows, asset: dict[str, int], holdings: list[dict[str, Any]]) -> None:
        self._answer("bindOnStockAssetCallback", rows.asset(asset))
        for holding in holdings:
            self._answer("bindOnStockPositionCallback", rows.position(holding))

    def _push_order_error(self, rows: Rows, order: list[Any], session: int, seq: int, scripted: bool = False) -> None:
        row = Order(*order)
        error = rows.order_error(row, seq if session == self._key else -1, scripted)
        self._answer("bindOnOrderErrorCallback", error)
        self._answer("bindOnStockOrderCallback", rows.order(row))

    def _push_cancel_error(self, rows: Rows, order_id: int, sysid: str, message: str, session: int) -> None:
        if session != self._key:
            return  # the vendor's layer would keep it, and tell it at this session's next cancel of that order
        self._answer("bindOnCancelErrorCallback", rows.cancel_error(order_id, sysid, message))

    # -- orders ----------------------------------------------------------------------------------------

    def orderStockWithSeq(self, seq: int, req: Any) -> int:
        """Place an order: the response first, then the pushes it caused."""
        with self._delivery:
            TRAFFIC.sent += 1
            account = self._owned(req)
            order_id, why = -1, "" if self._exchange is None else NO_ACCOUNT
            strategy, remark = whole(req, "m_strStrategyName"), _remark(req)
            if account is not None:
                new = NewOrder(
                    whole(req, "m_strStockCode"), req.m_nOrderType, req.m_nOrderVolume, req.m_nPriceType, req.m_dPrice,
                    strategy, remark, self._key, seq,
                )  # fmt: skip
                order_id, why = self._place(account.exchange, new)
            response = order_response(*_whose(req), order_id, strategy, remark, why)
            return self._close_request(account, "bindOnOrderStockRespCallback", seq, response)

    def cancelOrderStockWithSeq(self, seq: int, req: Any) -> int:
        """Ask for a cancel, by order id or by the exchange's number."""
        with self._delivery:
            TRAFFIC.sent += 1
            account = self._owned(req)
            result, why = -1, "" if self._exchange is None else NO_ACCOUNT
            order_id, sysid = req.m_nOrderID, whole(req, "m_strOrderSysID")
            if account is not None:
                result, why = self._cancel(account.exchange, order_id, sysid, _market(req))
            response = cancel_response(*_whose(req), order_id, sysid, result, why)
            return self._close_request(account, "bindOnCancelOrderStockRespCallback", seq, response)

    def _place(self, exchange: Exchange, new: NewOrder) -> tuple[int, str]:
        return exchange.place(new)

    def _cancel(self, exchange: Exchange, order_id: int, sysid: str, market: str) -> tuple[int, str]:
        return exchange.cancel(order_id, sysid, self._key, market=market)

    def _reply(self, callback: str, seq: int, response: Any) -> None:
        self._answer(callback, seq, response)
        TRAFFIC.answered += 1

    def _close_request(self, account: Account | None, callback: str, seq: int, response: Any) -> int:
        self._reply(callback, seq, response)
        if account is not None:
            self._deliver(account, account.exchange.store.next_events)
        return seq

    # -- queries ---------------------------------------------------------------------------------------

    def queryAccountInfosWithSeq(self, seq: int, req: Any) -> int:
        """The accounts of the terminal."""
        with self._delivery:
            found = [self._rows(account_id).info() for account_id in self._ids()]
            self._answer("bindOnQueryAccountInfosCallback", seq, found)
        return seq

    def queryAccountStatusWithSeq(self, seq: int, req: Any) -> int:
        """Their link to the broker: 0, always up."""
        with self._delivery:
            found = [self._rows(account_id).status() for account_id in self._ids()]
            self._answer("bindOnQueryAccountStatusCallback", seq, found)
        return seq

    def _query(self, callback: str, seq: int, req: Any, answer: Answer) -> int:
        """Answer of an account's books; without a link, or for another terminal's account, as if it had none."""
        with self._delivery:
            account = self._owned(req)
            found = None if account is None else answer(account.exchange, account.rows, req)
            self._answer(callback, seq, refusal(callback) if found is None else found)
            if account is not None:
                self._deliver(account, account.exchange.store.events)
        return seq

    def exportDataWithSeq(self, seq: int, fixed: bytes, user: bytes) -> int:
        """Write rows of an account into a CSV file of the caller's."""
        from qmtcli.paper import export

        with self._delivery:
            wanted = export.parse(fixed)
            known = self._exchange is not None and wanted.account_id in self._ids()
            account = self._of(wanted.account_id) if known else None
            if account is None or account.rows.account_type != wanted.account_type:
                told = export.unknown(wanted)
            else:
                told = export.write(wanted, account.exchange, account.rows)
            self._answer("bindOnExportDataRespCallback", seq, told)
        return 0


_PUSHES: dict[str, Callable[..., None]] = {
    "order": XtQuantAsyncClient._push_order,
    "fill": XtQuantAsyncClient._push_fill,
    "account": XtQuantAsyncClient._push_account,
    "order_error": XtQuantAsyncClient._push_order_error,
    "cancel_error": XtQuantAsyncClient._push_cancel_error,
}


def _whose(req: Any) -> tuple[str, int]:
    """Account id and type of a request; some have one name for them, some the other."""
    if hasattr(req, "account_id"):
        return whole(req, "account_id"), req.account_type
    return whole(req, "m_strAccountID"), req.m_nAccountType


def _remark(req: Any) -> str:
    """The remark in its long field, or in the short one of a caller that fills only that."""
    return whole(req, "m_strOrderRemarkNew") or whole(req, "m_strOrderRemark")


def _market(req: Any) -> str:
    """The market a cancel names: the end of its codes, empty where it names none."""
    number = req.m_nMarket
    return "" if number == _ANY_MARKET else next((end for end, known in MARKETS.items() if known == number), "?")


def _binder(name: str) -> Callable[[XtQuantAsyncClient, Callable[..., Any]], None]:
    def bind(self: XtQuantAsyncClient, callback: Callable[..., Any]) -> None:
        self._callbacks[name] = callback

    return bind


def _asker(callback: str, answer: Answer) -> Callable[[XtQuantAsyncClient, int, Any], int]:
    def ask(self: XtQuantAsyncClient, seq: int, req: Any) -> int:
        return self._query(callback, seq, req, answer)

    return ask


def _refuser(callback: str) -> Callable[..., int]:
    # the real module answers a request with its number, but for those whose answer is JSON with 0
    numbered = CALLBACKS[callback][1] != "str"

    def refuse(self: XtQuantAsyncClient, seq: int, *_: object) -> int:
        with self._delivery:
            self._answer(callback, seq, refusal(callback))
        return seq if numbered else 0

    return refuse


for _name in CALLBACKS:
    setattr(XtQuantAsyncClient, _name, _binder(_name))
for _name in CLIENT_METHODS:
    if _name in ANSWERS:
        setattr(XtQuantAsyncClient, _name, _asker(callback_of(_name), ANSWERS[_name]))
    elif not hasattr(XtQuantAsyncClient, _name):
        setattr(XtQuantAsyncClient, _name, _refuser(callback_of(_name)))
