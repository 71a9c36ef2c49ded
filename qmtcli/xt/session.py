"""One session with a terminal: connect, subscribe, ask, place, cancel, listen, close. Thin, and never hanging.

A lost link is a state: what reads makes a new one, with another session id, and asks again, once; what was sent over
it is looked for over the new one. An account that the terminal has not logged in to its broker is no account yet:
every question about it, every order and every cancel says so.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

from qmtcli.errors import NoData, NotConnected, QmtError
from qmtcli.messages import say
from qmtcli.model import Asset, CreditDetail, Order, OrderRequest, OrderStatus, Position, Quote, Trade
from qmtcli.xt import codes, loader, rows
from qmtcli.xt.deadline import within
from qmtcli.xt.link import Link, Slot

_SHANGHAI = timezone(timedelta(hours=8))
#: seconds without a word after which the day's orders are read instead, and those that a reading may take
_QUIET, _LOOK = 1.0, 0.7
#: codes of one request for quotes: a request has one deadline, and may hold the interpreter
_CODES = 500
#: seconds between two looks whether terminal and account are up
_READY_STEP = 1.0
#: what becomes of a question about the account
_Answer = Callable[[Any], None]
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
    """A context manager around one `Link` at a time; calls raise NotConnected when no link holds."""

    def __init__(
        self,
        path: str,
        take_slot: Callable[..., Slot],
        account_id: str,
        account_type: str = "STOCK",
        timeout: float = 10.0,
        prove: Callable[[object, str], None] | None = None,
        synthetic: bool = False,
        now: Callable[[], float] = time.time,
        state: Path | None = None,
        today: Callable[[], date] | None = None,
        stands: Callable[[str], bool] | None = None,
        past: Callable[[str, str], Order | None] | None = None,
    ) -> None:
        """``take_slot()`` gives a session id that nobody else has, ``take_slot(seconds)`` in that time; each raises
        NotConnected when there is none. ``prove(native client, its module)`` is asked before the first call goes
        through that client.

        ``now`` tells epoch seconds by the market's clock, which on paper may be a set one. ``state``: a folder for what
        the data service's client wants to read; None where its requests need no limit. ``today()``: the trading day of
        orders sent now, by default the date in Shanghai. ``stands(client id)``: whether an order of today carries it,
        listed or not; None where nobody can know, as at a terminal. ``past(client id, day)``: the order of an earlier
        day that carries it; None where nobody knows earlier days.
        """
        self.now = now
        self.today = today or self._date
        self.stands = stands
        self.past = past
        self.account_id = account_id
        self.account_type = account_type
        self.timeout = timeout
        self._path = path
        self._take_slot = take_slot
        self._prove = prove
        self._synthetic = synthetic
        self._state = state
        #: by the number that the request has on the link at hand
        self._answers_by_seq: dict[int, Answer] = {}
        self._orders: dict[str, Order] = {}
        #: by the order's id, and by the client id it was sent with
        self._answers_by_id: dict[str, Answer] = {}
        self._answers_by_client: dict[str, Answer] = {}
        #: answers of which something was heard, until somebody takes them
        self._told: dict[str, Answer] = {}
        #: rows as they came, until somebody takes them; kept where somebody is going to
        self._pushed: list[Order | Trade] = []
        self._following = False
        self._errors: dict[str, tuple[int, str]] = {}
        #: by the order's id, and by the request's number
        self._cancels: dict[str, Cancel] = {}
        self._cancels_by_seq: dict[int, Cancel] = {}
        self._link: Link | None = None
        #: how many links there have been: with another one, what was pushed between the two has not come
        self.links = 0
        self._subscribed = False
        #: xtquant's status of the account, None where the terminal does not tell; unknown until it was asked for
        self._status: int | None = None
        self._status_known = False
        self._data: Any = None
        #: called, in a thread of the vendor's, when something has come by itself
        self.wake: Callable[[], None] = lambda: None
        #: by the monotonic clock, when the question under way has to be answered; and whether no time is added to it
        self._deadline: float | None = None
        self._hurried = False

    # -- the link --------------------------------------------------------------------------------------

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect(self) -> Link:
        """The link, made anew where there is none or it is lost; asked for by whatever needs the trader first.

        Raises NotConnected when the terminal does not answer 0.
        """
        if self._is_lost:
            self._leave()
        if self._link is None:
            self._link = Link(self._path, self._wait_for_slot(), self._seconds(), self._prove, lambda: self.wake())
            self._account = loader.stock_account(self.account_id, self.account_type)
            self.links += 1
        return self._link

    def _wait_for_slot(self) -> Slot:
        """A session id; the wait for others to let one go is no part of what the terminal has to answer in."""
        if self._hurried:
            return self._take_slot(self._seconds())
        begun = time.monotonic()
        slot = self._take_slot()
        if self._deadline is not None:
            self._deadline += time.monotonic() - begun
        return slot

    def subscribe(self, closed: bool = True) -> Link:
        """Have the account's pushes delivered, which whatever writes does first; the link that does.

        Raises NotConnected when the terminal does not know the account or has it not logged in; ``closed``: whether a
        broker that is closed for the day (收盘后) is good enough.
        """
        with self._in_time():
            link = self.connect()
            if not self._subscribed:
                if link.call(lambda: link.trader.subscribe(self._account), "subscribe", self._seconds()) != 0:
                    self.hold_account(closed)  # which may be why, and has a word for it
                    raise NotConnected("subscribe_failed", account_id=self.account_id)
                self._subscribed = True
                self._status_known = False  # pushes tell of it from now on; a query waits for those on their way
            self.hold_account(closed)
            return link

    def hold_account(self, closed: bool = True) -> None:
        """Hold that the terminal has the account logged in to its broker. Raises NotConnected, as `subscribe`."""
        with self._in_time():
            self._drain()
            if not self._status_known or self.connect().lost:
                self._status, self._status_known = self.account_status(), True
        up = (None, codes.ACCOUNT_OK, codes.ACCOUNT_CLOSED) if closed else (None, codes.ACCOUNT_OK)
        if self._status not in up:
            self._status_known = False
            word = say(*codes.ACCOUNT_STATUS.get(self._status or 0, (str(self._status), str(self._status))))
            raise NotConnected("account_not_ready", account_id=self.account_id, status=self._status, word=word)

    def wait_ready(self, seconds: float) -> None:
        """Wait until terminal and account are up. Raises NotConnected, the last reason, when the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.hold_account()
            except NotConnected:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise
                time.sleep(min(_READY_STEP, left))

    def close(self) -> None:
        """Leave."""
        self._leave()

    @property
    def _is_lost(self) -> bool:
        return self._link is not None and self._link.lost

    @contextmanager
    def _in_time(self, seconds: float | None = None) -> Iterator[None]:
        """All that is asked within has one deadline, the outermost's.

        By default that is the timeout of one request, from when there is a session id to ask with.
        """
        if self._deadline is not None:
            yield
            return
        self._deadline = time.monotonic() + (self.timeout if seconds is None else seconds)
        self._hurried = seconds is not None
        try:
            yield
        finally:
            self._deadline, self._hurried = None, False

    def _seconds(self) -> float:
        """What is left for the question under way."""
        return self.timeout if self._deadline is None else self._deadline - time.monotonic()

    def _leave(self) -> None:
        """Leave the link, and forget what was true of it only."""
        link, self._link = self._link, None
        self._subscribed = self._status_known = False
        if link is not None:
            self._hear(link)
            link.close()
        self._answers_by_seq.clear()
        self._cancels_by_seq.clear()

    def _ask(self, call: Callable[[Any, _Answer], object], what: str) -> Any:
        """What an asynchronous query of the trader answers. Raises NotConnected when none comes or it is None."""
        link = self.connect()
        answer = link.ask(lambda put: call(link.trader, put), what, self._seconds())
        self._drain()
        if answer is None or link.lost:
            raise NotConnected("query_failed", call=what)
        return answer

    def _rows(
        self,
        call: Callable[[Any, _Answer], object],
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

    def _read(self, question: Callable[[], T]) -> T:
        """The answer to a question about the account; where the link is lost meanwhile, over a new one."""
        with self._in_time():
            try:
                self.hold_account()
                return question()
            except NotConnected:
                if not self._is_lost:
                    raise
            self.hold_account()
            return question()

    # -- questions -------------------------------------------------------------------------------------

    def _native_asset(self) -> Any:
        return self._ask(lambda trader, put: trader.query_stock_asset_async(self._account, put), "query_stock_asset")

    def asset(self) -> Asset:
        """Money and value of the account."""
        return rows.asset(self._read(self._native_asset))

    def credit_detail(self) -> CreditDetail:
        """Debts, ratios and quotas of a margin account."""
        found = self._read(
            lambda: self._ask(
                lambda trader, put: trader.query_credit_detail_async(self._account, put), "query_credit_detail"
            )
        )
        if not found:
            raise NotConnected("query_failed", call="query_credit_detail")
        return rows.credit_detail(found[0])

    def positions(self) -> list[Position]:
        """Holdings of the account, those sold out today (volume 0) included."""
        found = self._read(lambda: self._list("positions", lambda asset: rows.asset(asset).market_value > 0))
        return [rows.position(row) for row in found]

    def orders(self, open_only: bool = False) -> list[Order]:
        """Orders of the trading day, oldest first."""

        def traded(asset: Any) -> bool:
            return any(rows.trade(row).of_an_order for row in self._ask(*self._query("trades")))

        found = self._read(lambda: self._list("orders", traded))
        orders = sorted(
            (rows.order(row) for row in found), key=lambda order: (order.order_time, _by_number(order.order_id))
        )
        return [order for order in orders if not (open_only and order.state.done)]

    def orders_soon(self) -> list[Order]:
        """As `orders`, in a moment or not at all."""
        with self._in_time(_LOOK):
            return self.orders()

    @property
    def asked(self) -> bool:
        """Whether there is a link to the terminal that holds."""
        return self._link is not None and not self._link.lost

    def trades(self) -> list[Trade]:
        """Trades of the trading day, oldest first."""

        def filled(asset: Any) -> bool:
            return any(rows.order(row).traded_volume for row in self._ask(*self._query("orders")))

        found = self._read(lambda: self._list("trades", filled))
        return sorted(
            (rows.trade(row) for row in found), key=lambda trade: (trade.traded_time, _by_number(trade.traded_id))
        )

    def accounts(self) -> list[str]:
        """Ids of the accounts the terminal is logged in to. Raises NotConnected when this one is not among them."""
        found = self._rows(lambda trader, put: trader.query_account_infos_async(put), "query_account_infos")
        self._own(found)
        return list(dict.fromkeys(rows.text(row, "account_id") for row in found))

    def account_status(self) -> int | None:
        """xtquant's status of the account (0 is up); None when the terminal does not tell any account's.

        Raises NotConnected when it tells of other accounts only.
        """
        found = self._rows(lambda trader, put: trader.query_account_status_async(put), "query_account_status")
        if not found:
            return None
        return int(rows.number(self._own(found), "status"))

    def _own(self, found: list[Any]) -> Any:
        """The row of the account among those of all. Raises NotConnected, which tells of the others."""
        for row in found:
            if self._is_own(row):
                return row
        known = sorted({f"{rows.text(row, 'account_id')} {_type_of(row)}".rstrip() for row in found})
        raise NotConnected("account_not_found", account_id=self.account_id, account_type=self.account_type, known=known)

    def _is_own(self, row: Any) -> bool:
        """Whether a row is of the account; its type counts where it is told, for one id may have several."""
        kinds = (0, codes.ACCOUNT_TYPES.get(self.account_type, 0))
        return rows.text(row, "account_id") == self.account_id and int(rows.number(row, "account_type")) in kinds

    def _query(self, what: str) -> tuple[Callable[[Any, _Answer], object], str]:
        """An asynchronous query of the trader for the account's ``orders`` and the like, and its name."""
        name, more = f"query_stock_{what}", (False,) if what == "orders" else ()
        return lambda trader, put: getattr(trader, f"{name}_async")(self._account, put, *more), name

    def _list(self, what: str, contradicted: Callable[[Any], bool]) -> list[Any]:
        return self._rows(*self._query(what), contradicted)

    def follow(self) -> None:
        """Keep what is pushed from now on, for `pushed`."""
        self._following = True

    def news(self) -> list[Order | Trade]:
        """The rows pushed since the last answer, at once. Raises NotConnected when the link that they come over is
        lost, or the account is not up any more."""
        self._drain()
        found, self._pushed = self._pushed, []
        if not found:
            if self._is_lost or not self._subscribed:
                raise NotConnected("link_lost", call="subscribe")
            self.hold_account()
        return found

    def pushed(self, seconds: float) -> list[Order | Trade]:
        """The rows pushed since the last answer, as soon as there are any; none when the time is over.

        Raises NotConnected when the link that `subscribe` had them pushed over is lost.
        """
        if not self._pushed and self._link is not None:
            self._next_event(seconds)
        self._drain()
        if self._is_lost or not self._subscribed:
            raise NotConnected("link_lost", call="subscribe")
        found, self._pushed = self._pushed, []
        return found

    def _date(self) -> date:
        return datetime.fromtimestamp(self.now(), _SHANGHAI).date()

    # -- the market ------------------------------------------------------------------------------------

    def data(self) -> Any:
        """The vendor's ``xtdata``, connected. Raises NotConnected when there is no data service."""
        if self._data is None:
            xtdata = loader.data_module(self._request_seconds, self._state)
            client = self._of_data(xtdata.get_client, "xtdata.get_client")
            if self._prove is not None:
                self._prove(client, "xtquant.datacenter")
            self._data = xtdata
        return self._data

    def data_address(self) -> str:
        """Where the data service is, ``127.0.0.1:58610``; "" where its client does not say."""
        client = self.data().get_client()
        ask = getattr(client, "get_peer_addr", None)
        return str(self._of_data(ask, "get_peer_addr")) if ask is not None else ""

    def quotes(self, codes: Iterable[str]) -> list[Quote]:
        """Snapshots in the order asked for. Raises NoData naming the codes the service does not know."""
        wanted = list(dict.fromkeys(codes))
        data = self.data()
        ticks: dict[str, Any] = {}
        for first in range(0, len(wanted), _CODES):
            part = wanted[first : first + _CODES]
            ticks |= self._of_data(lambda part=part: data.get_full_tick(part) or {}, "get_full_tick")  # type: ignore[misc]
        missing = [code for code in wanted if code not in ticks]
        details = {code: self.instrument(code) for code in wanted}
        if missing:
            known = [code for code in missing if details[code] is not None]
            unknown = [code for code in missing if code not in known]
            raise NoData("unknown_code", codes=unknown) if unknown else NoData("no_quote", codes=known)
        return [rows.quote(code, ticks[code], details[code] or {}, self._synthetic) for code in wanted]

    def as_quote(self, code: str, tick: dict[str, Any], detail: dict[str, Any] | None) -> Quote:
        """A pushed row as a snapshot."""
        return rows.quote(code, tick, detail or {}, self._synthetic)

    def history(self, code: str, period: str, count: int, dividend_type: str = "none") -> Any:
        """xtdata's bars of a code, the last ``count``, as a DataFrame. Raises NotConnected."""
        data = self.data()
        found = self._of_data(
            lambda: data.get_market_data_ex([], [code], period, count=count, dividend_type=dividend_type),
            "get_market_data_ex",
        )
        return found[code]

    def held(self, code: str, period: str, first: date, last: date) -> Any:
        """xtdata's rows of a code on the days from first to last, as far as the service has them, as a DataFrame.

        ``period``: ``tick``, ``1m`` or ``1d``. Raises NotConnected.
        """
        data, stretch = self.data(), {"start_time": f"{first:%Y%m%d}", "end_time": f"{last:%Y%m%d}"}
        found = self._of_data(
            lambda: data.get_market_data_ex([], [code], period, count=-1, **stretch), "get_market_data_ex"
        )
        return found[code]

    def dividends(self, code: str, first: date, last: date) -> Any:
        """xtdata's ex-days of a code from first to last, CNY and shares a share, a DataFrame. Raises NotConnected."""
        data = self.data()
        return self._of_data(
            lambda: data.get_divid_factors(code, f"{first:%Y%m%d}", f"{last:%Y%m%d}"), "get_divid_factors"
        )

    def follow_quotes(self, codes: Iterable[str], hear: Callable[[str, dict[str, Any]], None]) -> list[int]:
        """Have every snapshot of codes handed to ``hear(code, row)``, in a thread of the service's; the numbers of the
        subscriptions. Raises NotConnected, NoData naming the codes that the service does not know."""
        data, numbers, unknown = self.data(), [], []

        def take(told: dict[str, list[dict[str, Any]]]) -> None:
            for code, found in told.items():
                for row in found:
                    hear(code, row)

        for code in codes:
            number = int(
                self._of_data(
                    lambda code=code: data.subscribe_quote(code, "tick", count=0, callback=take),  # type: ignore[misc]
                    "subscribe_quote",
                )
            )
            numbers.append(number)
            if number <= 0:
                unknown.append(code)
        if unknown:
            raise NoData("unknown_code", codes=unknown)
        return numbers

    def leave_quotes(self, numbers: Iterable[int]) -> None:
        """End subscriptions, as far as the service can be reached."""
        data = self.data()
        for number in numbers:
            self._of_data(lambda number=number: data.unsubscribe_quote(number), "unsubscribe_quote")  # type: ignore[misc]

    def instrument(self, code: str) -> dict[str, Any] | None:
        """xtquant's instrument detail; None for a code that the service does not know."""
        data = self.data()
        detail: dict[str, Any] | None = self._of_data(lambda: data.get_instrument_detail(code), "get_instrument_detail")
        return detail

    def is_ex_date(self, code: str, day: date) -> bool:
        """Whether a dividend or new shares are taken off a code's price on a day, as far as the service knows."""
        data, text = self.data(), f"{day:%Y%m%d}"
        return bool(self._of_data(lambda: data.get_client().get_divid_factors(code, text, text), "get_divid_factors"))

    @property
    def _request_seconds(self) -> int:
        """What one request of the data service's client may take; meanwhile it may hold the whole interpreter."""
        return max(1, int(self.timeout / 4))

    def _of_data(self, call: Callable[[], T], what: str) -> T:
        """What a call to the data service answers. Raises NotConnected when it does not within the timeout."""
        held = 0 if self._state is None else self._request_seconds
        try:
            return within(max(self.timeout - held, self.timeout / 2), call, what)
        except QmtError:
            raise
        except Exception as error:  # its native code raises what it likes
            raise NotConnected("no_data_service", why=str(error)) from error

    # -- orders ----------------------------------------------------------------------------------------

    def place(self, request: OrderRequest) -> Answer:
        """Send an order, once. Returns at once; `settle` waits for what becomes of it."""
        seq = self._sending().order_stock_async(
            self._account,
            request.code,
            codes.ORDER_TYPES[request.side, request.credit],
            request.volume,
            request.price_type,
            float(request.price),
            request.strategy,
            request.client_id,
        )
        answer = Answer(int(seq), request)
        self._answers_by_client[request.client_id] = answer
        self._answers_by_seq[answer.seq] = answer
        return answer

    def listen(self, seconds: float, look: bool = True) -> bool:
        """Wait for the next word on what was sent, ``seconds`` at most; ``look``: read the day's orders in silence.

        False when nothing more can come: the link is lost, and no other is to be had.
        """
        if self._told or seconds <= 0:
            return True
        self._drain()
        return bool(self._told) or self._listen(seconds, look)

    def told(self) -> list[Answer]:
        """The answers of which something was heard since they were last asked for."""
        self._drain()
        found, self._told = self._told, {}
        return [*found.values()]

    def look(self, answers: Iterable[Answer] = ()) -> bool:
        """Read the day's orders, in a moment or not at all; whether they were read.

        Of ``answers``, for which nothing more is waited, what is known by then is in them afterwards.
        """
        seen = self._look()
        self._drain()
        for answer in answers:
            answer.looked = seen
            if not answer.order_id and self._link is not None and answer.seq in self._answers_by_seq:
                # the vendor keeps the error of a request that got no answer, and tells nobody
                kept = getattr(self._link.trader, "queuing_order_errors_byseq", {}).get(answer.seq)
                if kept is not None:
                    self._take_error(kept)
        return seen

    def forget(self, answer: Answer) -> None:
        """Nothing more is to be heard of an order whose outcome is known; its row goes too."""
        self._answers_by_seq.pop(answer.seq, None)
        for known, key in ((self._answers_by_client, answer.request.client_id), (self._answers_by_id, answer.order_id)):
            if known.get(key) is answer:
                del known[key]
        self._told.pop(answer.request.client_id, None)
        self._orders.pop(answer.order_id, None)
        self._errors.pop(answer.order_id, None)

    def cancel(self, order: Order) -> Cancel:
        """Ask for a cancel, once. Returns at once; what becomes of the order is for `watch` to say."""
        trader = self._sending()
        cancel = self._cancels[order.order_id] = Cancel(order)
        self._cancels_by_seq[int(trader.cancel_order_stock_async(self._account, int(order.order_id)))] = cancel
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
            if not waiting or left <= 0 or not self._listen(left):
                break
        seen = all(cancel.order.state.done for cancel in cancels) or self._look()
        for cancel in cancels:
            cancel.order = self._orders.get(cancel.order.order_id, cancel.order)
        return seen

    def _sending(self) -> Any:
        """The trader of a link that pushes come over, which may be lost by now: then nobody answers."""
        link = self._link if self._link is not None and self._subscribed else self.subscribe()
        return link.trader

    def _listen(self, left: float, look: bool = True) -> bool:
        """Wait for the next word on what was sent, ``left`` seconds at most; in silence look.

        False when nothing more can come: the link is lost, and no other is to be had.
        """
        if self._link is None or self._is_lost:
            return self._look(left)
        begun = time.monotonic()
        if not self._next_event(min(left, _QUIET)) and look and time.monotonic() - begun + _LOOK < left:
            self._look()
        return True

    def _look(self, seconds: float = _LOOK) -> bool:
        """Read the day's orders into the books, in a moment or not at all; whether they were read.

        Pushes that were on their way have come once the query is answered.
        """
        try:
            with self._in_time(seconds):
                for order in self.orders():
                    self._note(order)
        except NotConnected:
            return False
        return True

    def _note(self, order: Order) -> None:
        """Take a row into the books; what is final stays so, whatever comes late."""
        known = self._orders.get(order.order_id)
        if known is not None and known.state.done:
            return
        self._orders[order.order_id] = order
        answer = self._answers_by_id.get(order.order_id)
        if answer is None:
            answer = self._answers_by_client.get(order.order_remark)
            if answer is None or answer.order_id not in ("", "-1") or not answer.fits(order):
                return
            self._name(answer, order.order_id)
        self._refresh(answer)

    def _name(self, answer: Answer, order_id: str) -> None:
        """The id of an answer's order is known."""
        answer.order_id = order_id
        if order_id not in ("", "-1"):
            self._answers_by_id[order_id] = answer

    def _refresh(self, answer: Answer) -> None:
        """Bring an answer up to what was heard of its order."""
        answer.order = self._orders.get(answer.order_id)
        if answer.order_id in self._errors:
            answer.error_id, answer.message = self._errors[answer.order_id]
        elif not answer.error_id and answer.order is not None and answer.order.state is OrderStatus.JUNK:
            answer.message = answer.order.status_msg
        self._told[answer.request.client_id] = answer

    # -- what comes by itself --------------------------------------------------------------------------

    def _drain(self) -> None:
        if self._link is not None:
            self._hear(self._link)

    def _hear(self, link: Link) -> None:
        """Take what has come over a link into the books."""
        while not link.events.empty():
            self._take(*link.events.get())

    def _next_event(self, seconds: float) -> bool:
        """Take the next callback's message into the books; False when none came in time."""
        assert self._link is not None, "listened to without a link"
        try:
            self._take(*self._link.events.get(timeout=seconds))
        except queue.Empty:
            return False
        return True

    def _take(self, name: str, value: Any) -> None:
        if name == "order_stock_async_response":
            answer = self._answers_by_seq.get(int(rows.number(value, "seq")))
            order_id = int(rows.number(value, "order_id"))
            if answer is not None and (order_id > 0 or not answer.order_id):
                answer.message = rows.text(value, "error_msg")
                self._name(answer, str(order_id))
                self._refresh(answer)
        elif name == "stock_order":
            order = rows.order(value)
            if self._following:
                self._pushed.append(order)
            self._note(order)
        elif name == "stock_trade":
            if self._following:
                self._pushed.append(rows.trade(value))
        elif name == "order_error":
            self._take_error(value)
        elif name == "cancel_order_stock_async_response":
            cancel = self._cancels_by_seq.get(int(rows.number(value, "seq")))
            self._take_cancel(cancel, rows.cancel_result(value), value)
        elif name == "cancel_error":
            self._take_cancel(self._cancels.get(str(int(rows.number(value, "order_id")))), -1, value)
        elif name == "account_status" and self._is_own(value):
            self._status, self._status_known = int(rows.number(value, "status")), True

    def _take_error(self, error: Any) -> None:
        """An order's error belongs to the request whose number it carries, else to the order whose id it does.

        Another session's error may carry a number that is one of ours, so id and remark must not contradict it.
        """
        told = int(rows.number(error, "error_id")) or -1, rows.reason(rows.text(error, "error_msg"))
        order_id, remark = str(int(rows.number(error, "order_id"))), rows.text(error, "order_remark")
        answer = self._answers_by_seq.get(int(rows.number(error, "seq")))
        if answer is not None and answer.order_id in ("", "-1", order_id) and remark in ("", answer.request.client_id):
            answer.error_id, answer.message = told
            self._refresh(answer)
        elif order_id != "-1":
            self._errors[order_id] = told
            if order_id in self._answers_by_id:
                self._refresh(self._answers_by_id[order_id])

    def _take_cancel(self, cancel: Cancel | None, result: int, told: Any) -> None:
        """What a response or an error tells of a cancel; once refused it stays so."""
        if cancel is not None:
            cancel.result = cancel.result or result
            if result:
                cancel.message = rows.text(told, "error_msg") or cancel.message


def _type_of(row: Any) -> str:
    """The type of account that a row tells; "" where it tells none."""
    number = int(rows.number(row, "account_type"))
    return next((name for name, known in codes.ACCOUNT_TYPES.items() if known == number), str(number or ""))


def _by_number(text: str) -> tuple[int, str]:
    """Sorts ids that are numbers as numbers, whatever else there is."""
    return len(text), text
