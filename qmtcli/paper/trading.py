"""The stand-in for ``xtquant.xtpythonclient``: the trading client's native line, over the paper exchange.

It answers a request before the call returns, then pushes what the request caused; what other processes cause
is pushed from a thread that watches the account's file. What the exchange does not simulate answers as a
terminal without that permission does. Facts about the real module: every method and record of its interface
is in the package's tables, made from an introspection of the real one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qmtcli.paper.codes import BUY, SELL, STOCK
from qmtcli.paper.counter import NewOrder
from qmtcli.paper.exchange import Exchange, current
from qmtcli.paper.native_tables import CALLBACKS, CLIENT_METHODS
from qmtcli.paper.records import RECORD_NAMES, fill, record
from qmtcli.paper.refusals import callback_of, refusal
from qmtcli.paper.store import Order, Trade

_POLL_SECONDS = 0.02
#: polls between two looks at the tape for resting orders
_POLLS_A_LOOK = 50


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
        self._session = int(session)
        self._callbacks: dict[str, Callable[..., Any]] = {}
        self._seq = 0
        self._exchange: Exchange | None = None
        self._subscribed: set[str] = set()
        self._seen = 0
        self._delivery = threading.RLock()
        self._stopped = threading.Event()

    # -- the link --------------------------------------------------------------------------------------

    def init(self) -> None:
        """Nothing to do before `start`."""

    def start(self) -> None:
        """Nothing to do before `connect`."""

    def connect(self) -> int:
        """0: the paper terminal is always there."""
        if self._exchange is None:
            exchange = current()
            exchange.refresh()
            self._seen = exchange.store.last_event()
            self._exchange = exchange
        return 0

    def stop(self) -> None:
        """Leave: no push comes after this."""
        self._stopped.set()
        self._exchange = None

    def setTimeout(self, timeout: int) -> None:
        """Accepted; a paper answer is never late of itself."""

    def nextSeq(self) -> int:
        """A new request number, from 1."""
        with self._delivery:
            self._seq += 1
            return self._seq

    def _answer(self, callback: str, *values: object) -> int:
        handler = self._callbacks.get(callback)
        if handler is not None:
            handler(*values)
        return 0

    # -- pushes ----------------------------------------------------------------------------------------

    def subscribeWithSeq(self, seq: int, req: Any) -> int:
        """Pushes of an account begin; -1 for one that this terminal does not have."""
        with self._delivery:
            known = self._exchange is not None and self._owns(req)
            if known:
                first = not self._subscribed
                self._subscribed.add(req.m_strAccountID)
                if first:
                    threading.Thread(target=self._watch, name="paper-pushes", daemon=True).start()
            self._answer("bindOnSubscribeRespCallback", seq, 0 if known else -1)
        return 0

    def unsubscribeWithSeq(self, seq: int, req: Any) -> int:
        """Pushes of an account end."""
        with self._delivery:
            known = req.m_strAccountID in self._subscribed
            self._subscribed.discard(req.m_strAccountID)
            self._answer("bindOnUnsubscribeRespCallback", seq, 0 if known else -1)
        return 0

    def _owns(self, req: Any) -> bool:
        assert self._exchange is not None
        return bool(req.m_strAccountID == self._exchange.settings.account)

    def _watch(self) -> None:
        version, polls = -1, 0
        while not self._stopped.wait(_POLL_SECONDS):
            exchange = self._exchange
            if exchange is None:
                return
            polls += 1
            with self._delivery:
                if polls % _POLLS_A_LOOK == 0:
                    exchange.refresh()
                    self._deliver()
                elif (now := exchange.store.version()) != version:
                    version = now
                    self._deliver()

    def _deliver(self) -> None:
        """Push every event not seen yet, once, in order."""
        exchange = self._exchange
        if exchange is None:
            return
        for number, kind, body in exchange.store.events(self._seen):
            self._seen = number
            if self._subscribed:
                _PUSHES[kind](self, body)

    def _push_order(self, body: dict[str, Any]) -> None:
        self._answer("bindOnStockOrderCallback", self._order(Order(**body)))

    def _push_trade(self, body: dict[str, Any]) -> None:
        assert self._exchange is not None
        trade = Trade(**body)
        order = self._exchange.store.select(Order, "WHERE id = ?", trade.order_id)
        if order:
            self._answer("bindOnStockTradeCallback", self._trade(trade, order[0]))

    def _push_asset(self, body: dict[str, Any]) -> None:
        self._answer("bindOnStockAssetCallback", self._asset(body))

    def _push_position(self, body: dict[str, Any]) -> None:
        self._answer("bindOnStockPositionCallback", self._position(body))

    def _push_order_error(self, body: dict[str, Any]) -> None:
        error = _new(
            "XtOrderError",
            **self._who(),
            order_id=body["order_id"],
            error_id=body["error_id"],
            error_msg=body["message"],
            strategy_name=body["strategy"],
            order_remark=body["remark"],
            seq=body["seq"] if body["session"] == self._session else -1,
        )
        self._answer("bindOnOrderErrorCallback", error)

    def _push_cancel_error(self, body: dict[str, Any]) -> None:
        error = _new(
            "XtCancelError",
            **self._who(),
            order_id=body["order_id"],
            order_sysid=body["sysid"],
            error_id=body["error_id"],
            error_msg=body["message"],
        )
        self._answer("bindOnCancelErrorCallback", error)

    # -- orders ----------------------------------------------------------------------------------------

    def orderStockWithSeq(self, seq: int, req: Any) -> int:
        """Place an order: the response first, then the pushes it caused."""
        exchange = self._exchange
        with self._delivery:
            order_id, why = -1, ""
            TRAFFIC.sent += 1
            if exchange is not None:
                order_id, why = exchange.place(
                    NewOrder(
                        req.m_strAccountID, req.m_strStockCode, req.m_nOrderType, req.m_nOrderVolume,
                        req.m_nPriceType, req.m_dPrice, req.m_strStrategyName, req.m_strOrderRemark,
                        self._session, seq,
                    )
                )  # fmt: skip
            response = _new(
                "OrderStockResp",
                account_id=req.m_strAccountID,
                account_type=req.m_nAccountType,
                order_id=order_id,
                strategy_name=req.m_strStrategyName,
                order_remark=req.m_strOrderRemark,
                error_id=0 if order_id > 0 else -1,
                error_msg=why,
            )
            self._answer("bindOnOrderStockRespCallback", seq, response)
            TRAFFIC.answered += 1
            self._deliver()
        return 0

    def cancelOrderStockWithSeq(self, seq: int, req: Any) -> int:
        """Ask for a cancel, by order id or by the exchange's number."""
        exchange = self._exchange
        with self._delivery:
            result, why = -1, ""
            TRAFFIC.sent += 1
            if exchange is not None:
                result, _, why = exchange.cancel(
                    req.m_strAccountID, req.m_nOrderID, req.m_strOrderSysID, self._session
                )
            response = _new(
                "CancelOrderStockResp",
                account_id=req.m_strAccountID,
                account_type=req.m_nAccountType,
                order_id=req.m_nOrderID,
                order_sysid=req.m_strOrderSysID,
                cancel_result=result,
                error_id=result,
                error_msg=why,
            )
            self._answer("bindOnCancelOrderStockRespCallback", seq, response)
            TRAFFIC.answered += 1
            self._deliver()
        return 0

    # -- queries ---------------------------------------------------------------------------------------

    def _list(self, callback: str, seq: int, req: Any, rows: Callable[[Exchange], list[Any]]) -> int:
        """Answer a list; an empty one without a link or for an account that is not this terminal's."""
        exchange = self._exchange
        with self._delivery:
            found = rows(exchange) if exchange is not None and (req is None or self._owns(req)) else []
            self._answer(callback, seq, found)
            self._deliver()
        return 0

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
        return self._list(
            "bindOnQueryStockAssetCallback", seq, req, lambda exchange: [self._asset(exchange.asset())]
        )

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
                if req.m_strStockCode in ("", position["code"])
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
            instrument_name=order.name,
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
            status_msg=order.message,
            strategy_name=order.strategy,
            order_remark=order.remark,
            direction=0,
            offset_flag=_OFFSET[order.type],
            secu_account=_secu_account(order.code[-2:]),
        )

    def _trade(self, trade: Trade, order: Order) -> Any:
        return _new(
            "XtTrade",
            **self._who(),
            stock_code=order.code,
            instrument_name=order.name,
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
            order_remark=order.remark,
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
            instrument_name=body["name"],
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


_PUSHES: dict[str, Callable[[XtQuantAsyncClient, dict[str, Any]], None]] = {
    "order": XtQuantAsyncClient._push_order,
    "trade": XtQuantAsyncClient._push_trade,
    "asset": XtQuantAsyncClient._push_asset,
    "position": XtQuantAsyncClient._push_position,
    "order_error": XtQuantAsyncClient._push_order_error,
    "cancel_error": XtQuantAsyncClient._push_cancel_error,
}


def _binder(name: str) -> Callable[[XtQuantAsyncClient, Callable[..., Any]], None]:
    def bind(self: XtQuantAsyncClient, callback: Callable[..., Any]) -> None:
        self._callbacks[name] = callback

    return bind


def _refuser(callback: str) -> Callable[..., int]:
    def refuse(self: XtQuantAsyncClient, seq: int, *_: object) -> int:
        with self._delivery:
            return self._answer(callback, seq, refusal(callback))

    return refuse


for _name in CALLBACKS:
    setattr(XtQuantAsyncClient, _name, _binder(_name))
for _name in CLIENT_METHODS:
    if not hasattr(XtQuantAsyncClient, _name):
        setattr(XtQuantAsyncClient, _name, _refuser(callback_of(_name)))
