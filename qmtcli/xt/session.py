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

_ACK_STEP = 1.0
#: comes in place of an answer when the link is lost
_LOST = object()
T = TypeVar("T")


class Answer:
    """What is known of one order that was sent."""

    def __init__(self, seq: int) -> None:
        #: the number the vendor gave the request
        self.seq = seq
        #: the order's id once a response came, "" before; "-1" when the terminal said no
        self.order_id = ""
        #: words of a refusal
        self.message = ""
        self.error_id = 0
        #: the row as it was last pushed or read
        self.order: Order | None = None

    @property
    def refused(self) -> bool:
        """The terminal, the counter or the exchange said no."""
        return bool(self.error_id) or (self.order is not None and self.order.state is OrderStatus.JUNK)


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
        self._errors: dict[str, tuple[int, str]] = {}
        self._cancel_errors: dict[str, str] = {}
        self._subscribed = False
        self._lost = False
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
        try:
            answer = box.get(timeout=self.timeout)
        except queue.Empty:
            raise NotConnected("no_answer", call=what, seconds=self.timeout) from None
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

    def _rows(self, call: Callable[[Callable[[Any], None]], object], what: str) -> list[Any]:
        """A list that is known to be one: without a link the vendor answers ``[]`` too."""
        found = self._ask(call, what)
        if not found:
            self._native_asset()
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
            lambda answer: self._trader.query_stock_positions_async(self._account, answer), "query_stock_positions"
        )
        return [rows.position(row) for row in found]

    def orders(self, open_only: bool = False) -> list[Order]:
        """Orders of the trading day, oldest first."""
        found = self._rows(
            lambda answer: self._trader.query_stock_orders_async(self._account, answer, False), "query_stock_orders"
        )
        orders = sorted(map(rows.order, found), key=lambda order: (order.order_time, _by_number(order.order_id)))
        return [order for order in orders if not (open_only and order.state.done)]

    def trades(self) -> list[Trade]:
        """Trades of the trading day, oldest first."""
        found = self._rows(
            lambda answer: self._trader.query_stock_trades_async(self._account, answer), "query_stock_trades"
        )
        return sorted(map(rows.trade, found), key=lambda trade: (trade.traded_time, _by_number(trade.traded_id)))

    def accounts(self) -> list[tuple[str, int]]:
        """(account id, account type number) of every account the terminal is logged in to."""
        found = self._rows(lambda answer: self._trader.query_account_infos_async(answer), "query_account_infos")
        return [(rows.text(row, "account_id"), int(rows.number(row, "account_type"))) for row in found]

    def account_status(self) -> int | None:
        """xtquant's status of the account (0 is up); None when the terminal does not list it."""
        found = self._rows(lambda answer: self._trader.query_account_status_async(answer), "query_account_status")
        states = [int(rows.number(row, "status")) for row in found if rows.text(row, "account_id") == self.account_id]
        return states[0] if states else None

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
        answer = Answer(int(seq))
        self._answers[answer.seq] = answer
        return answer

    def settle(self, answer: Answer, seconds: float, until: Callable[[Order], bool]) -> Answer:
        """Listen until ``until(row)`` holds, the terminal says no, or the time is over; then look once more."""
        deadline = time.monotonic() + seconds
        looked = time.monotonic()
        while True:
            self._absorb(answer)
            if answer.order_id == "-1" or (answer.order is not None and until(answer.order)):
                return self._latest(answer)
            left = deadline - time.monotonic()
            if left <= 0 or self._lost:
                break
            self._next_event(min(left, _ACK_STEP))
            if answer.order_id and time.monotonic() - looked >= _ACK_STEP:
                looked = time.monotonic()
                self._look(answer)
                if answer.error_id:
                    # turned away without a row: all that will ever come is the error
                    return answer
        return self._latest(answer)

    def _latest(self, answer: Answer) -> Answer:
        """An order as it is now: pushes that were on their way have come once the query is answered."""
        if answer.order_id not in ("", "-1"):
            self._look(answer)
        self._absorb(answer)
        return answer

    def cancel(self, order: Order) -> str:
        """Ask for a cancel: "" when the request is under way, else the refusal's words.

        What becomes of the order is for `watch` to say.
        """
        self.subscribe()
        self._cancel_errors.pop(order.order_id, None)
        result = self._on_thread(
            lambda: self._trader.cancel_order_stock(self._account, int(order.order_id)), "cancel_order_stock"
        )
        if result in (0, True) and result is not False:
            return ""
        self._drain()
        return self._cancel_errors.pop(order.order_id, "") or f"cancel_order_stock: {result}"

    def cancel_error(self, order_id: str) -> str:
        """Words of a cancel's failure that came after its answer; "" when none did."""
        return self._cancel_errors.get(order_id, "")

    def watch(self, orders: list[Order], seconds: float) -> dict[str, Order]:
        """The rows of ``orders`` whose cancel was asked for, by id: once each is final or its cancel has failed, or the
        time is over."""
        deadline = time.monotonic() + seconds
        waiting = {order.order_id: order for order in orders}
        looked = False
        while True:
            self._drain()
            for order_id in waiting:
                waiting[order_id] = self._orders.get(order_id, waiting[order_id])
            left = deadline - time.monotonic()
            if looked or all(order.state.done for order in waiting.values()):
                return waiting
            if left <= 0 or all(row.state.done or order_id in self._cancel_errors for order_id, row in waiting.items()):
                looked = True
                self._orders.update({order.order_id: order for order in self.orders()})
                continue
            self._next_event(min(left, _ACK_STEP))

    def _look(self, answer: Answer) -> None:
        try:
            found = [order for order in self.orders() if order.order_id == answer.order_id]
        except NotConnected:
            return
        if found:
            self._orders[answer.order_id] = found[0]

    def _absorb(self, answer: Answer) -> None:
        self._drain()
        if answer.order_id in self._orders:
            answer.order = self._orders[answer.order_id]
        if answer.order_id in self._errors:
            answer.error_id, answer.message = self._errors[answer.order_id]
        elif answer.order is not None and answer.order.state is OrderStatus.JUNK:
            answer.message = answer.order.status_msg

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
            if answer is not None and not answer.order_id:
                answer.order_id = str(int(rows.number(value, "order_id")))
                answer.message = rows.text(value, "error_msg")
        elif kind == "order":
            order = rows.order(value)
            known = self._orders.get(order.order_id)
            if known is None or not known.state.done:
                self._orders[order.order_id] = order
        elif kind == "order_error":
            order_id = str(int(rows.number(value, "order_id")))
            words = rows.reason(rows.text(value, "error_msg"))
            self._errors[order_id] = (int(rows.number(value, "error_id")) or -1, words)
        elif kind == "cancel_error":
            self._cancel_errors[str(int(rows.number(value, "order_id")))] = rows.text(value, "error_msg")
        elif kind == "disconnected":
            self._lost = True
        return True


def _by_number(text: str) -> tuple[int, str]:
    """Sorts ids that are numbers as numbers, whatever else there is."""
    return len(text), text


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

    def on_order_error(self, error: Any) -> None:
        self.events.put(("order_error", error))

    def on_cancel_error(self, error: Any) -> None:
        self.events.put(("cancel_error", error))

    def on_order_stock_async_response(self, response: Any) -> None:
        self.events.put(("response", response))

    def __getattr__(self, name: str) -> Callable[..., None]:
        if not name.startswith("on_"):
            raise AttributeError(name)
        return lambda *_: None


def _quietly(call: Callable[[], object]) -> None:
    try:
        call()
    except Exception:  # the vendor's stop raises what it likes; the session is over either way
        return
