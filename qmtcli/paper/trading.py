"""The stand-in for ``xtquant.xtpythonclient``: the trading client's native line, over the paper exchange.

It answers a request before the call returns, then pushes what the request caused; what other processes cause
is pushed from a thread that watches the account's file. What the exchange does not simulate answers as a
terminal without that permission does. Facts about the real module: every method and record of its interface
is in the package's tables, made from an introspection of the real one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qmtcli.errors import QmtError
from qmtcli.paper.codes import BUY, SELL, STOCK
from qmtcli.paper.counter import NewOrder
from qmtcli.paper.exchange import Exchange, current
from qmtcli.paper.native_tables import CALLBACKS, CLIENT_METHODS
from qmtcli.paper.records import RECORD_NAMES, fill, raw, record
from qmtcli.paper.refusals import callback_of, refusal
from qmtcli.paper.store import Event, Order, Trade

_POLL_SECONDS = 0.02
#: polls between two looks at the tape for resting orders
_POLLS_A_LOOK = 50
_NO_ACCOUNT = "资金账号未登录"


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


def _new(name: str, **values: object) -> Any:
    return fill(record(name)(), **values)


class XtQuantAsyncClient:
    """One session of the paper terminal."""

    __module__ = "xtquant.xtpythonclient"

    def __init__(self, path: str | bytes, name: str | bytes, session: int) -> None:
        for argument in (path, name):
            if not isinstance(argument, (str, bytes)):
                raise TypeError("__init__(): incompatible constructor arguments.")
        int(session)
        #: tells this session's requests from all others; two processes may have chosen the same session id
        self._key = int.from_bytes(os.urandom(6), "big")
        self._callbacks: dict[str, Callable[..., Any]] = {}
        self._seq = 0
        #: None without a link
        self._exchange: Exchange | None = None
        self._subscribed = False
        self._seen = 0
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
            self._exchange = None

    def setTimeout(self, timeout: int) -> None:
        """Accepted; a paper answer is never late of itself."""

    def nextSeq(self) -> int:
        """A new request number, from 1."""
        with self._delivery:
            self._seq += 1
            return self._seq

    def _answer(self, callback: str, *values: object) -> None:
        handler = self._callbacks.get(callback)
        if handler is not None:
            handler(*values)

    def _owned(self, req: Any) -> Exchange | None:
        """The exchange, when there is a link and the request's account is the terminal's."""
        exchange = self._exchange
        if exchange is None or raw(req, "account_id") != exchange.settings.account.encode():
            return None
        return exchange if req.account_type == STOCK else None

    # -- pushes ----------------------------------------------------------------------------------------

    def subscribeWithSeq(self, seq: int, req: Any) -> int:
        """Pushes of an account begin; -1 for one that this terminal does not have."""
        with self._delivery:
            exchange = self._owned(req)
            if exchange is not None and not self._subscribed:
                self._subscribed = True
                self._seen = exchange.store.last_event()
                self._watch_from_now_on()
            self._answer("bindOnSubscribeRespCallback", seq, -1 if exchange is None else 0)
        return seq

    def unsubscribeWithSeq(self, seq: int, req: Any) -> int:
        """Pushes of an account end."""
        with self._delivery:
            known = self._subscribed and self._owned(req) is not None
            self._subscribed = self._subscribed and not known
            self._answer("bindOnUnsubscribeRespCallback", seq, 0 if known else -1)
        return seq

    def _watch_from_now_on(self) -> None:
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, name="paper-pushes", daemon=True)
            self._watcher.start()

    def _watch(self) -> None:
        version, polls = (0, 0), 0
        try:
            while not self._stopped.wait(_POLL_SECONDS):
                polls += 1
                with self._delivery:
                    if self._exchange is None:
                        return
                    if polls % _POLLS_A_LOOK == 0:
                        self._exchange.refresh()
                    if (now := self._exchange.store.version()) != version:
                        version = now
                        self._deliver(self._exchange.store.events)
        except QmtError:
            with self._delivery:
                self._exchange = None
                self._answer("bindOnDisconnectedCallback")
        except RuntimeError:
            return  # the vendor's executor takes nothing any more: the program is leaving

    def _deliver(self, events: Callable[[int], list[Event]]) -> None:
        """Push the events not seen yet, once, in order."""
        if self._subscribed:
            for number, kind, body in events(self._seen):
                self._seen = number
                _PUSHES[kind](self, **body)

    def _push_order(self, order: list[Any]) -> None:
        self._answer("bindOnStockOrderCallback", self._order(Order(*order)))

    def _push_fill(self, trade: list[Any], order: list[Any]) -> None:
        self._answer("bindOnStockTradeCallback", self._trade(Trade(*trade), Order(*order)))
        self._push_order(order)

    def _push_account(self, asset: dict[str, int], holdings: list[dict[str, Any]]) -> None:
        self._answer("bindOnStockAssetCallback", self._asset(asset))
        for holding in holdings:
            self._answer("bindOnStockPositionCallback", self._position(holding))

    def _push_order_error(self, order: list[Any], session: int, seq: int) -> None:
        rejected = Order(*order)
        error = _new(
            "XtOrderError",
            **self._who(),
            order_id=rejected.id,
            error_id=rejected.error,
            error_msg=_whole(rejected.message, 127),
            strategy_name=rejected.strategy,
            **_remarks(rejected.remark),
            seq=seq if session == self._key else -1,
        )
        self._answer("bindOnOrderErrorCallback", error)

    def _push_cancel_error(self, order_id: int, sysid: str, message: str, session: int) -> None:
        if session != self._key:
            return  # the vendor's layer would keep it, and tell it at this session's next cancel of that order
        error = _new(
            "XtCancelError", **self._who(), order_id=order_id, order_sysid=sysid, error_id=-1, error_msg=message
        )
        self._answer("bindOnCancelErrorCallback", error)

    # -- orders ----------------------------------------------------------------------------------------

    def orderStockWithSeq(self, seq: int, req: Any) -> int:
        """Place an order: the response first, then the pushes it caused."""
        with self._delivery:
            TRAFFIC.sent += 1
            exchange = self._owned(req)
            order_id, why = -1, "" if self._exchange is None else _NO_ACCOUNT
            strategy, remark = _text(req, "m_strStrategyName"), _remark(req)
            if exchange is not None:
                new = NewOrder(
                    _text(req, "m_strStockCode"), req.m_nOrderType, req.m_nOrderVolume, req.m_nPriceType, req.m_dPrice,
                    strategy, remark, self._key, seq,
                )  # fmt: skip
                order_id, why = exchange.place(new)
            response = _new(
                "OrderStockResp",
                account_id=_text(req, "m_strAccountID"),
                account_type=req.m_nAccountType,
                order_id=order_id,
                strategy_name=strategy,
                **_remarks(remark),
                error_id=0 if order_id > 0 else -1,
                error_msg=why,
            )
            return self._close_request("bindOnOrderStockRespCallback", seq, response)

    def cancelOrderStockWithSeq(self, seq: int, req: Any) -> int:
        """Ask for a cancel, by order id or by the exchange's number."""
        with self._delivery:
            TRAFFIC.sent += 1
            exchange = self._owned(req)
            result, why = -1, "" if self._exchange is None else _NO_ACCOUNT
            order_id, sysid = req.m_nOrderID, _text(req, "m_strOrderSysID")
            if exchange is not None:
                result, why = exchange.cancel(order_id, sysid, self._key)
            response = _new(
                "CancelOrderStockResp",
                account_id=_text(req, "m_strAccountID"),
                account_type=req.m_nAccountType,
                order_id=order_id,
                order_sysid=sysid,
                cancel_result=result,
                error_id=result,
                error_msg=why,
            )
            return self._close_request("bindOnCancelOrderStockRespCallback", seq, response)

    def _close_request(self, callback: str, seq: int, response: Any) -> int:
        self._answer(callback, seq, response)
        TRAFFIC.answered += 1
        if self._exchange is not None:
            self._deliver(self._exchange.store.next_events)
        return seq

    # -- queries ---------------------------------------------------------------------------------------

    def _list(self, callback: str, seq: int, req: Any, rows: Callable[[Exchange], list[Any]]) -> int:
        """Answer a list; an empty one without a link or for an account that is not this terminal's."""
        with self._delivery:
            exchange = self._exchange if req is None else self._owned(req)
            self._answer(callback, seq, [] if exchange is None else rows(exchange))
            if exchange is not None:
                self._deliver(exchange.store.events)
        return seq

    def queryAccountInfosWithSeq(self, seq: int, req: Any) -> int:
        """The accounts of the terminal."""
        return self._list(
            "bindOnQueryAccountInfosCallback",
            seq,
            None,
            lambda _: [_new("XtAccountInfo", **self._who(), broker_name="模拟柜台", login_status=0)],
        )

    def queryAccountStatusWithSeq(self, seq: int, req: Any) -> int:
        """Their link to the broker: 0, always up."""
        return self._list(
            "bindOnQueryAccountStatusCallback",
            seq,
            None,
            lambda _: [_new("XtAccountStatus", **self._who(), status=0)],
        )

    def queryStockAssetWithSeq(self, seq: int, req: Any) -> int:
        """Money and value of the account."""
        return self._list("bindOnQueryStockAssetCallback", seq, req, lambda exchange: [self._asset(exchange.asset())])

    def queryStockOrdersWithSeq(self, seq: int, req: Any) -> int:
        """Orders of the day, one of them, or those that can be canceled."""
        return self._list(
            "bindOnQueryStockOrdersCallback",
            seq,
            req,
            lambda exchange: [self._order(order) for order in exchange.orders(req.m_nOrderID, req.m_bCanCancel)],
        )

    def queryStockTradesWithSeq(self, seq: int, req: Any) -> int:
        """Trades of the day."""
        return self._list(
            "bindOnQueryStockTradesCallback",
            seq,
            req,
            lambda exchange: [self._trade(trade, order) for trade, order in exchange.trades()],
        )

    def queryStockPositionsWithSeq(self, seq: int, req: Any) -> int:
        """Holdings, or the one of a code."""
        return self._list(
            "bindOnQueryStockPositionsCallback",
            seq,
            req,
            lambda exchange: [
                self._position(position)
                for position in exchange.positions()
                if _text(req, "m_strStockCode") in ("", position["code"])
            ],
        )

    def querySecuAccountWithSeq(self, seq: int, req: Any) -> int:
        """Shareholder accounts, one an exchange."""
        return self._list(
            "bindOnQuerySecuAccountRespCallback",
            seq,
            req,
            lambda _: [
                _new("SecuAccount", market=market, secu_account=_secu_account(market), main=True)
                for market in ("SH", "SZ")
            ],
        )

    # -- rows ------------------------------------------------------------------------------------------

    def _who(self) -> dict[str, object]:
        assert self._exchange is not None
        return {"account_type": STOCK, "account_id": self._exchange.settings.account}

    def _order(self, order: Order) -> Any:
        return _new(
            "XtOrder",
            **self._who(),
            stock_code=order.code,
            instrument_name=_whole(order.name, 23),
            order_id=order.id,
            order_sysid=order.sysid,
            order_time=order.time // 1000,
            order_type=order.type,
            order_volume=order.volume,
            price_type=order.price_type,
            price=order.price / 1000,
            traded_volume=order.traded,
            traded_price=order.turnover / order.traded / 1000 if order.traded else 0.0,
            order_status=order.status,
            status_msg=_whole(order.message, 23),
            strategy_name=order.strategy,
            **_remarks(order.remark),
            direction=0,
            offset_flag=_OFFSET[order.type],
            secu_account=_secu_account(order.code[-2:]),
        )

    def _trade(self, trade: Trade, order: Order) -> Any:
        return _new(
            "XtTrade",
            **self._who(),
            stock_code=order.code,
            instrument_name=_whole(order.name, 23),
            order_type=order.type,
            traded_id=str(trade.id),
            traded_time=trade.time // 1000,
            traded_price=trade.price / 1000,
            traded_volume=trade.volume,
            traded_amount=trade.amount / 100,
            commission=trade.fee / 100,
            order_id=order.id,
            order_sysid=order.sysid,
            strategy_name=order.strategy,
            **_remarks(order.remark),
            direction=0,
            offset_flag=_OFFSET[order.type],
            secu_account=_secu_account(order.code[-2:]),
        )

    def _asset(self, body: dict[str, Any]) -> Any:
        return _new(
            "XtAsset",
            **self._who(),
            cash=body["cash"] / 100,
            current_balance=(body["cash"] + body["frozen"]) / 100,
            frozen_cash=body["frozen"] / 100,
            market_value=body["value"] / 100,
            total_asset=body["total"] / 100,
            fetch_balance=body["fetch"] / 100,
        )

    def _position(self, body: dict[str, Any]) -> Any:
        volume, cost = body["volume"], body["cost"] / 100
        return _new(
            "XtPosition",
            **self._who(),
            stock_code=body["code"],
            instrument_name=_whole(body["name"], 23),
            volume=volume,
            can_use_volume=body["sellable"],
            frozen_volume=body["frozen"],
            on_road_volume=0,
            yesterday_volume=body["yesterday"],
            open_price=cost / volume if volume else 0.0,
            avg_price=cost / volume if volume else 0.0,
            market_value=body["value"] / 100,
            last_price=body["last"] / 1000,
            float_profit=body["value"] / 100 - cost,
            position_profit=body["value"] / 100 - cost,
            profit_rate=(body["value"] / 100 - cost) / cost if volume and cost else 0.0,
            direction=0,
            secu_account=_secu_account(body["code"][-2:]),
        )


#: xtconstant.OFFSET_FLAG_OPEN and OFFSET_FLAG_CLOSE, which tell buys from sells on stocks
_OFFSET = {BUY: 48, SELL: 49}


def _secu_account(market: str) -> str:
    return {"SH": "A000000365", "SZ": "0000000365", "BJ": "0000000365"}.get(market, "")


_PUSHES: dict[str, Callable[..., None]] = {
    "order": XtQuantAsyncClient._push_order,
    "fill": XtQuantAsyncClient._push_fill,
    "account": XtQuantAsyncClient._push_account,
    "order_error": XtQuantAsyncClient._push_order_error,
    "cancel_error": XtQuantAsyncClient._push_cancel_error,
}


def _text(req: Any, name: str) -> str:
    """A text field as far as it is whole; the native line may have cut it inside a character."""
    return raw(req, name).decode(errors="ignore")


def _remark(req: Any) -> str:
    """The remark in its long field, or in the short one of a caller that fills only that."""
    return _text(req, "m_strOrderRemarkNew") or _text(req, "m_strOrderRemark")


def _remarks(remark: str) -> dict[str, str]:
    """Both places of a remark. The vendor's Python reads the short one, and never answers when it cannot."""
    return {"order_remark": remark, "m_strOrderRemark": _whole(remark, 23)}


def _whole(text: str, size: int) -> str:
    """What of a text fits into so many bytes without a piece of a character, which no reader could take."""
    return text.encode()[:size].decode(errors="ignore")


def _binder(name: str) -> Callable[[XtQuantAsyncClient, Callable[..., Any]], None]:
    def bind(self: XtQuantAsyncClient, callback: Callable[..., Any]) -> None:
        self._callbacks[name] = callback

    return bind


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
    if not hasattr(XtQuantAsyncClient, _name):
        setattr(XtQuantAsyncClient, _name, _refuser(callback_of(_name)))
