"""One session with a terminal: connect, subscribe, ask, place, cancel, listen, close. Thin, and never hanging.

What the vendor's package does to its callers ends here: calls without a timeout, None for "failed", ``[]`` for "not
connected", strings that raise when they are read, callbacks in threads of its own.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from qmtcli.errors import NoData, NotConnected, QmtError
from qmtcli.model import Asset, Order, OrderRequest, OrderStatus, Position, Quote, Trade
from qmtcli.xt import codes, loader, rows

#: seconds without a word after which the day's orders are read instead, and those that a reading may take
_QUIET, _LOOK = 1.0, 0.7
#: comes in place of an answer when the link is lost
_LOST = object()
T = TypeVar("T")


class Answer:
    """What is known of one order that was sent."""

    def __init__(self, seq: int, request: OrderRequest) -> None:
        #: the number the vendor gave the request
        self.seq = seq
        self.request = request
        #: the order's id once a response or its row came, "" before; "-1" when the terminal said no
        self.order_id = ""
        #: words of a refusal
        self.message = ""
        self.error_id = 0
        #: the row as it was last pushed or read
        self.order: Order | None = None
        #: whether the day's orders were read when nothing more was waited for
        self.looked = False

    @property
    def refused(self) -> bool:
        """The terminal, the counter or the exchange said no."""
        return bool(self.error_id) or (self.order is not None and self.order.state is OrderStatus.JUNK)

    def fits(self, order: Order) -> bool:
        """Whether a row can only be this order's: it carries the client id, and what was asked for."""
        request = self.request
        asked = (request.client_id, request.code, request.side, request.volume)
        return asked == (order.order_remark, order.stock_code, order.side, order.order_volume)


class Cancel:
    """What is known of one cancel that was sent."""

    def __init__(self, order: Order) -> None:
        #: the row as it was last pushed or read
        self.order = order
        #: the terminal's result once a response came: 0 for a request under way, -1; None before
        self.result: int | None = None
        #: words of a refusal
        self.message = ""

    @property
    def settled(self) -> bool:
        """Nothing more is to be waited for: the order is final, or the cancel was refused in words.

        A bare -1 is no word: it has been answered for what was done.
        """
        return self.order.state.done or bool(self.message)


class Session:
    """A context manager around one `XtQuantTrader`; calls raise NotConnected when the link does not hold."""

    def __init__(
        self,
        path: str,
        session_id: int,
        account_id: str,
        account_type: str = "STOCK",
        timeout: float = 10.0,
        prove: Callable[[object, str], None] | None = None,
        synthetic: bool = False,
        on_close: Callable[[], None] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``prove(native client, its module)`` is asked before the first call goes through that client.

        ``now`` tells epoch seconds by the market's clock, which on paper may be a set one.
        """
        self._on_close = on_close
        self.now = now
        self.account_id = account_id
        self.account_type = account_type
        self.timeout = timeout
        self._path = path
        self._session_id = session_id
        self._prove = prove
        self._synthetic = synthetic
        self._events: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._answers: dict[int, Answer] = {}
        self._orders: dict[str, Order] = {}
        #: rows as they came, until somebody takes them
        self._pushed: list[Order | Trade] = []
        self._errors: dict[str, tuple[int, str]] = {}
        #: by the request's number, and by the order's id
        self._cancels: dict[int | str, Cancel] = {}
        self._subscribed = False
        self._lost = False
        #: by the monotonic clock, while there is only a moment for what is asked
        self._look_until: float | None = None
        #: where the answer under way is waited for
        self._box: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._trader: Any = None
        self._data: Any = None

    # -- the link --------------------------------------------------------------------------------------

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect(self) -> None:
        """Make the one connection; asked for by whatever needs the trader first.

        Raises NotConnected when the terminal does not answer 0.
        """
        if self._trader is not None:
            return
        trader = loader.new_trader(self._path, self._session_id)
        if self._prove is not None:
            self._prove(getattr(trader, "async_client", None), "xtquant.xtpythonclient")
        self._account = loader.stock_account(self.account_id, self.account_type)
        trader.register_callback(_Listener(self._events, lambda: self._box.put(_LOST)))
        trader.start()
        result = self._on_thread(trader.connect, "connect")
        if result != 0:
            raise NotConnected("connect_failed", path=self._path, result=result)
        self._trader = trader

    def subscribe(self) -> None:
        """Have the account's pushes delivered. Raises NotConnected when the terminal does not know the account."""
        self.connect()
        if self._subscribed:
            return
        if self._on_thread(lambda: self._trader.subscribe(self._account), "subscribe") != 0:
            raise NotConnected("subscribe_failed", account_id=self.account_id)
        self._subscribed = True

    def close(self) -> None:
        """Leave; the vendor's ``stop`` can hang, so it is given a moment and then left behind."""
        trader, self._trader = self._trader, None
        if trader is not None:
            stopping = threading.Thread(target=_quietly, args=(trader.stop,), daemon=True)
            stopping.start()
            stopping.join(min(1.0, self.timeout))
        if self._on_close is not None:
            self._on_close()

    def _on_thread(self, call: Callable[[], T], what: str) -> T:
        """The result of a vendor call that has no asynchronous form; NotConnected when it does not end in time."""
        box = self._box = queue.SimpleQueue()

        def run() -> None:
            try:
                box.put((True, call()))
            except BaseException as error:
                box.put((False, error))

        threading.Thread(target=run, name=f"qmt-{what}", daemon=True).start()
        fine, result = self._answer_in(box, what)
        if not fine:
            raise result
        return result  # type: ignore[no-any-return]

    def _answer_in(self, box: queue.SimpleQueue[Any], what: str) -> Any:
        seconds = self.timeout
        if self._look_until is not None:
            seconds = max(0.0, min(seconds, self._look_until - time.monotonic()))
        try:
            answer = box.get(timeout=seconds)
        except queue.Empty:
            raise NotConnected("no_answer", call=what, seconds=seconds) from None
        if answer is _LOST:
            raise NotConnected("link_lost", call=what)
        return answer

    def _ask(self, call: Callable[[Callable[[Any], None]], object], what: str) -> Any:
        """The answer to an asynchronous vendor query; NotConnected when none comes or it is None."""
        self.connect()
        box = self._box = queue.SimpleQueue()
        call(box.put)
        answer = self._answer_in(box, what)
        self._drain()
        if answer is None or self._lost:
            raise NotConnected("query_failed", call=what)
        return answer

    def _rows(
        self,
        call: Callable[[Callable[[Any], None]], object],
        what: str,
        contradicted: Callable[[Any], bool] = lambda asset: False,
    ) -> list[Any]:
        """A list that is known to be one: without a link, and for a query that failed, the vendor answers ``[]`` too.

        ``contradicted(asset's row)``: whether other answers say that there must be rows.
        """
        found = self._ask(call, what)
        if not found and contradicted(self._native_asset()):
            found = self._ask(call, what)
            if not found:
                raise NotConnected("lists_disagree", call=what)
        return list(found)

    # -- questions -------------------------------------------------------------------------------------

    def _native_asset(self) -> Any:
        return self._ask(
            lambda answer: self._trader.query_stock_asset_async(self._account, answer), "query_stock_asset"
        )

    def asset(self) -> Asset:
        """Money and value of the account."""
        return rows.asset(self._native_asset())

    def positions(self) -> list[Position]:
        """Holdings of the account, those sold out today (volume 0) included."""
        found = self._rows(
            lambda answer: self._trader.query_stock_positions_async(self._account, answer),
            "query_stock_positions",
            lambda asset: rows.asset(asset).market_value > 0,
        )
        return [rows.position(row) for row in found]

    def orders(self, open_only: bool = False) -> list[Order]:
        """Orders of the trading day, oldest first."""
        found = self._rows(
            self._query_orders,
            "query_stock_orders",
            lambda asset: any(
                rows.trade(row).of_an_order for row in self._ask(self._query_trades, "query_stock_trades")
            ),
        )
        orders = sorted((rows.order(row) for row in found), key=lambda order: (order.order_time, order.order_id))
        return [order for order in orders if not (open_only and order.state.done)]

    def trades(self) -> list[Trade]:
        """Trades of the trading day, oldest first."""
        found = self._rows(
            self._query_trades,
            "query_stock_trades",
            lambda asset: any(
                rows.order(row).traded_volume for row in self._ask(self._query_orders, "query_stock_orders")
            ),
        )
        return sorted((rows.trade(row) for row in found), key=lambda trade: (trade.traded_time, trade.traded_id))

    def _query_orders(self, answer: Callable[[Any], None]) -> object:
        return self._trader.query_stock_orders_async(self._account, answer, False)

    def _query_trades(self, answer: Callable[[Any], None]) -> object:
        return self._trader.query_stock_trades_async(self._account, answer)

    def accounts(self) -> list[tuple[str, int]]:
        """(account id, account type number) of every account the terminal is logged in to."""
        found = self._rows(lambda answer: self._trader.query_account_infos_async(answer), "query_account_infos")
        return [(rows.text(row, "account_id"), int(rows.number(row, "account_type"))) for row in found]

    def account_status(self) -> int | None:
        """xtquant's status of the account (0 is up); None when the terminal does not list it."""
        found = self._rows(lambda answer: self._trader.query_account_status_async(answer), "query_account_status")
        states = [int(rows.number(row, "status")) for row in found if rows.text(row, "account_id") == self.account_id]
        return states[0] if states else None

    def pushed(self, seconds: float) -> list[Order | Trade]:
        """The rows pushed since the last answer, as soon as there are any; none when the time is over.

        Raises NotConnected when the link is lost.
        """
        if not self._pushed:
            self._next_event(seconds)
        self._drain()
        if self._lost:
            raise NotConnected("link_lost", call="subscribe")
        found, self._pushed = self._pushed, []
        return found

    # -- the market ------------------------------------------------------------------------------------

    def data(self) -> Any:
        """The vendor's ``xtdata``, connected. Raises NotConnected when there is no data service."""
        if self._data is None:
            xtdata = loader.data_module()
            try:
                client = xtdata.get_client()
            except QmtError:
                raise
            except Exception as error:
                raise NotConnected("no_data_service", why=str(error)) from error
            if self._prove is not None:
                self._prove(client, "xtquant.datacenter")
            self._data = xtdata
        return self._data

    def quotes(self, codes: Iterable[str]) -> list[Quote]:
        """Snapshots in the order asked for. Raises NoData naming the codes the service does not know."""
        wanted = list(dict.fromkeys(codes))
        data = self.data()
        ticks = data.get_full_tick(wanted)
        missing = [code for code in wanted if code not in ticks]
        details = {code: self.instrument(code) for code in wanted}
        if missing:
            known = [code for code in missing if details[code] is not None]
            unknown = [code for code in missing if code not in known]
            raise NoData("unknown_code", codes=unknown) if unknown else NoData("no_quote", codes=known)
        return [rows.quote(code, ticks[code], details[code] or {}, self._synthetic) for code in wanted]

    def instrument(self, code: str) -> dict[str, Any] | None:
        """xtquant's instrument detail; None for a code that the service does not know."""
        detail: dict[str, Any] | None = self.data().get_instrument_detail(code)
        return detail

    # -- orders ----------------------------------------------------------------------------------------

    def place(self, request: OrderRequest) -> Answer:
        """Send an order, once. Returns at once; `settle` waits for what becomes of it."""
        self.subscribe()
        seq = self._trader.order_stock_async(
            self._account,
            request.code,
            codes.ORDER_TYPES[request.side],
            request.volume,
            request.price_type,
            float(request.price),
            request.strategy,
            request.client_id,
        )
        answer = Answer(int(seq), request)
        self._answers[answer.seq] = answer
        return answer

    def settle(self, answer: Answer, seconds: float, until: Callable[[Order], bool], patient: bool = False) -> Answer:
        """Listen until ``until(row)`` holds, the terminal says no, or the time is over; then look once more.

        ``patient``: a bare -1 is no no, for it has been answered for orders that stood.
        """
        deadline = time.monotonic() + seconds
        while True:
            self._absorb(answer)
            if answer.error_id or (answer.order_id == "-1" and not patient):
                break
            if answer.order is not None and until(answer.order):
                break
            left = deadline - time.monotonic()
            if left <= 0 or self._lost:
                break
            if not self._next_event(min(left, _QUIET)) and time.monotonic() + _LOOK < deadline:
                self._look()
        answer.looked = not answer.error_id and self._look()
        self._absorb(answer, last=True)
        return answer

    def cancel(self, order: Order) -> Cancel:
        """Ask for a cancel, once. Returns at once; what becomes of the order is for `watch` to say."""
        self.subscribe()
        cancel = self._cancels[order.order_id] = Cancel(order)
        self._cancels[int(self._trader.cancel_order_stock_async(self._account, int(order.order_id)))] = cancel
        return cancel

    def watch(self, cancels: list[Cancel], seconds: float) -> bool:
        """Listen until every cancel is settled or the time is over; then look once more.

        False when the last look failed, so that the rows are as they were known before.
        """
        begun = time.monotonic()
        while True:
            self._drain()
            for cancel in cancels:
                cancel.order = self._orders.get(cancel.order.order_id, cancel.order)
            waiting = [cancel for cancel in cancels if not cancel.settled]
            bare = all(cancel.result for cancel in waiting)
            left = begun + (min(seconds, _QUIET) if bare else seconds) - time.monotonic()
            if not waiting or left <= 0 or self._lost:
                break
            if not self._next_event(min(left, _QUIET)) and time.monotonic() + _LOOK < begun + seconds:
                self._look()
        seen = all(cancel.order.state.done for cancel in cancels) or self._look()
        for cancel in cancels:
            cancel.order = self._orders.get(cancel.order.order_id, cancel.order)
        return seen

    def _look(self) -> bool:
        """Read the day's orders into the books, in a moment or not at all; whether they were read.

        Pushes that were on their way have come once the query is answered.
        """
        self._look_until = time.monotonic() + _LOOK
        try:
            for order in self.orders():
                self._note(order)
        except NotConnected:
            return False
        finally:
            self._look_until = None
        return True

    def _note(self, order: Order) -> None:
        """Take a row into the books; what is final stays so, whatever comes late."""
        known = self._orders.get(order.order_id)
        if known is None or not known.state.done:
            self._orders[order.order_id] = order

    def _absorb(self, answer: Answer, last: bool = False) -> None:
        """Bring an answer up to what was heard; ``last``: nothing more is waited for."""
        self._drain()
        if answer.order_id in ("", "-1"):
            claimed = {other.order_id for other in self._answers.values()}
            for order in self._orders.values():
                if answer.fits(order) and order.order_id not in claimed:
                    answer.order_id = order.order_id
        if last and not answer.order_id:
            # the vendor keeps the error of a request that got no answer, and tells nobody
            kept = getattr(self._trader, "queuing_order_errors_byseq", {}).get(answer.seq)
            if kept is not None:
                self._take_error(kept)
        answer.order = self._orders.get(answer.order_id)
        if answer.order_id in self._errors:
            answer.error_id, answer.message = self._errors[answer.order_id]
        elif not answer.error_id and answer.order is not None and answer.order.state is OrderStatus.JUNK:
            answer.message = answer.order.status_msg

    def _take_error(self, error: Any) -> None:
        """An order's error belongs to the request whose number it carries, else to the order whose id it does.

        Another session's error may carry a number that is one of ours, so id and remark must not contradict it.
        """
        told = int(rows.number(error, "error_id")) or -1, rows.reason(rows.text(error, "error_msg"))
        order_id, remark = str(int(rows.number(error, "order_id"))), rows.text(error, "order_remark")
        answer = self._answers.get(int(rows.number(error, "seq")))
        if answer is not None and answer.order_id in ("", "-1", order_id) and remark in ("", answer.request.client_id):
            answer.error_id, answer.message = told
        elif order_id != "-1":
            self._errors[order_id] = told

    def _take_cancel(self, cancel: Cancel | None, result: int, told: Any) -> None:
        """What a response or an error tells of a cancel; once refused it stays so."""
        if cancel is not None:
            cancel.result = cancel.result or result
            if result:
                cancel.message = rows.text(told, "error_msg") or cancel.message

    def _drain(self) -> None:
        while self._next_event(0):
            pass

    def _next_event(self, seconds: float) -> bool:
        """Take one callback's message into the books; False when none came in time."""
        try:
            kind, value = self._events.get(timeout=seconds) if seconds > 0 else self._events.get_nowait()
        except queue.Empty:
            return False
        if kind == "response":
            answer = self._answers.get(int(rows.number(value, "seq")))
            order_id = int(rows.number(value, "order_id"))
            if answer is not None and (order_id > 0 or not answer.order_id):
                answer.order_id = str(order_id)
                answer.message = rows.text(value, "error_msg")
        elif kind == "order":
            order = rows.order(value)
            self._pushed.append(order)
            self._note(order)
        elif kind == "trade":
            self._pushed.append(rows.trade(value))
        elif kind == "order_error":
            self._take_error(value)
        elif kind == "cancel_response":
            self._take_cancel(self._cancels.get(int(rows.number(value, "seq"))), rows.cancel_result(value), value)
        elif kind == "cancel_error":
            self._take_cancel(self._cancels.get(str(int(rows.number(value, "order_id")))), -1, value)
        elif kind == "disconnected":
            self._lost = True
        return True


class _Listener:
    """The callback object of a trader: it only hands on what comes, so that no vendor thread ever waits for us."""

    def __init__(self, events: queue.SimpleQueue[tuple[str, Any]], lost: Callable[[], None]) -> None:
        self.events = events
        self.lost = lost

    def on_disconnected(self) -> None:
        self.events.put(("disconnected", None))
        self.lost()

    def on_stock_order(self, order: Any) -> None:
        self.events.put(("order", order))

    def on_stock_trade(self, trade: Any) -> None:
        self.events.put(("trade", trade))

    def on_order_error(self, error: Any) -> None:
        self.events.put(("order_error", error))

    def on_cancel_error(self, error: Any) -> None:
        self.events.put(("cancel_error", error))

    def on_order_stock_async_response(self, response: Any) -> None:
        self.events.put(("response", response))

    def on_cancel_order_stock_async_response(self, response: Any) -> None:
        self.events.put(("cancel_response", response))

    def __getattr__(self, name: str) -> Callable[..., None]:
        if not name.startswith("on_"):
            raise AttributeError(name)
        return lambda *_: None


def _quietly(call: Callable[[], object]) -> None:
    try:
        call()
    except Exception:  # the vendor's stop raises what it likes; the session is over either way
        return
