"""``ctx``: what a strategy is given to look at the market and its account, and to trade with.

Every order and cancel goes through the desk, so limits, gate, halt and ledger hold for a strategy as for a command.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from qmtcli import tickets
from qmtcli.books import Book, books, sellable, selling, traded_fees
from qmtcli.config import Limits
from qmtcli.desk import Desk, Manner, limits
from qmtcli.desk.sending import Outcome, Sending
from qmtcli.errors import NotConnected, OutcomeUnknown, QmtError, Refused, UsageError
from qmtcli.ledger import Entry, State, Used
from qmtcli.model import Asset, Order, Position, Quote, Side, Trade
from qmtcli.orders import known_instrument
from qmtcli.rules.lots import lot_rule
from qmtcli.rules.settlement import is_t0
from qmtcli.strategy.engine import Engine
from qmtcli.strategy.ticks import SHANGHAI, Tick
from qmtcli.symbols import parse_code
from qmtcli.tickets import Markets

if TYPE_CHECKING:
    import pandas

#: seconds that a cancel waits for its last word
_CANCEL_SECONDS = 3.0
#: ms for which a tick is good enough for a price; then a snapshot is asked for
_FRESH = 60_000
#: characters of a strategy's name in the ids of its orders, and of what tells it from others with the same
_NAME, _MARK = 6, 4


class Context:
    """What a strategy's functions get as their first argument."""

    def __init__(
        self,
        name: str,
        desk: Desk,
        markets: Markets,
        params: Mapping[str, Any],
        state: dict[str, Any],
        emit: Callable[..., None],
        own_limits: Limits | None = None,
        keep: Callable[[dict[str, Any]], None] = lambda state: None,
    ) -> None:
        """``emit(event, **words)`` tells the world; ``keep(state)`` keeps what is to survive a restart."""
        #: its name, which its orders carry
        self.name = name
        #: what the file and the plan say under ``params``
        self.params = dict(params)
        #: JSON values that survive a restart; kept after each call, and before each order
        self.state = state
        #: why nothing can be sent, the code of an error; "" while there is a link and the account is up
        self.down = ""
        #: client ids of orders whose last word has not come
        self.awaited: set[str] = set()
        self._desk, self._session, self._markets = desk, desk.session, markets
        self._emit, self._keep = emit, keep
        self._kept = json.dumps(state, sort_keys=True, ensure_ascii=False)
        self._limits = own_limits
        self._engine: Engine | None = None
        rate = own_limits.orders_per_second if own_limits is not None else None
        self._sending = Sending(desk, [], Manner(look=False, rate=rate))
        self._clock: Callable[[], int] = lambda: int(self._session.now() * 1000)
        self._day: date | None = None
        #: its book, and what the ledger was at when it was made of it, on which day
        self._book, self._written = _no_book(name), ((-1, -1), "")
        mark = _base36(zlib.crc32(name.encode()))[:_MARK]
        short = "".join(char for char in name if char.isascii() and (char.isalnum() or char in "-_"))[:_NAME]
        self._prefix = f"{short}_{mark}"
        #: of the last order that was given an id here
        self._number = desk.ledger.last_number(self._prefix)
        markets.pushed = self._pushed

    def attach(self, engine: Engine, clock: Callable[[], int]) -> None:
        """Have the engine that calls it and the clock (epoch ms) that it goes by."""
        self._engine, self._clock = engine, clock

    # -- time and words --------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The market's time, in Shanghai: of a replay the moment that is replayed."""
        return datetime.fromtimestamp(self._clock() / 1000, SHANGHAI)

    @property
    def today(self) -> date:
        """The trading day."""
        return self._session.today()

    def log(self, *words: object) -> None:
        """Say something: an event, on stdout and in the strategy's log."""
        self._emit("log", message=" ".join(map(str, words)))

    def every(self, seconds: float, call: Callable[[], object]) -> None:
        """Call something every so many seconds, 0.1 at least. Raises UsageError."""
        assert self._engine is not None, "called by an engine"
        engine = self._engine
        engine.every(round(seconds * 1000), lambda: engine.guarded("every", call), self._clock())

    # -- the market ------------------------------------------------------------------------------------

    def quote(self, code: str) -> Tick | Quote:
        """The last tick of a code that the strategy subscribes; of another one, and of one that has been silent for a
        minute, a snapshot, which has to be asked for. Raises NoData, NotConnected.
        """
        code = parse_code(code)
        tick = self._fresh(code)
        return tick if tick is not None else self._session.quotes([code])[0]

    def _fresh(self, code: str) -> Tick | None:
        """The last tick, where it is not old."""
        tick = self._engine.ticks.get(code) if self._engine is not None else None
        return None if tick is None or self._clock() - tick.time > _FRESH else tick

    def history(self, code: str, period: str = "1d", count: int = 100, dividend_type: str = "none") -> pandas.DataFrame:
        """The last ``count`` bars up to now, by xtdata's columns and labels. Raises NotConnected.

        In a replay nothing of it is later than the moment that is replayed.
        """
        found: pandas.DataFrame = self._session.history(parse_code(code), period, count, dividend_type)
        return found

    def _pushed(self, code: str) -> Quote | None:
        """What the last tick says, for an order's checks."""
        tick = self._fresh(code)
        return None if tick is None else self._session.as_quote(code, tick.row, self._markets.detail(code))

    # -- the account -----------------------------------------------------------------------------------

    def asset(self) -> Asset:
        """Money and value of the account, which all that trade on it share. Raises NotConnected."""
        return self._session.asset()

    @property
    def book(self) -> Book:
        """What is the strategy's own: holdings and money by its own trades, see ``qmt book``."""
        ledger, markets, day = self._desk.ledger, self._markets, self.today.isoformat()
        written = ledger.version(), day
        if written != self._written:
            entries = ledger.of_strategy(self.name)
            moves = [each for each in ledger.adjustments() if each.strategy_name == self.name]
            found = books(entries, moves, day, partial(traded_fees, markets.told, markets.schedule))
            self._book = found.get(self.name) or _no_book(self.name)
            self._written = written
        return self._book._replace(holdings={**self._book.holdings})

    def positions(self, account: bool = False) -> list[Position]:
        """What the strategy holds by its own book, or what the account holds. Raises NotConnected for the account."""
        if account:
            return self._session.positions()
        book = self.book
        return [self._position(book, code) for code in sorted(book.holdings) if book.holdings[code].volume]

    def position(self, code: str) -> Position:
        """What the strategy holds of a code; volume 0 where it holds none."""
        return self._position(self.book, parse_code(code))

    def _position(self, book: Book, code: str) -> Position:
        held = book.holdings.get(code)
        instrument = known_instrument(code, None, dict(self._markets.told(code)))
        volume = held.volume if held is not None else 0
        frozen = selling(self._desk.ledger.not_final(), self.name, code)
        tick = self._engine.ticks.get(code) if self._engine is not None else None
        last = tick.last_price if tick is not None else 0.0
        cost = float(held.cost) if held is not None else 0.0
        value = round(last * volume, 2)
        return Position(
            stock_code=code,
            instrument_name=held.instrument_name if held is not None else "",
            volume=volume,
            can_use_volume=sellable(book, code, frozen, is_t0(instrument)),
            frozen_volume=frozen,
            on_road_volume=0,
            yesterday_volume=volume - (held.bought_today if held is not None else 0),
            avg_price=round(cost / volume, 4) if volume else 0.0,
            last_price=last,
            market_value=value,
            profit=round(value - cost, 2) if last else 0.0,
            profit_rate=round((value - cost) / cost, 6) if last and cost else 0.0,
        )

    def orders(self, open_only: bool = False) -> list[Order]:
        """The strategy's own orders of today, oldest first. Raises NotConnected."""
        return [order for order in self._session.orders(open_only) if self.owns(order)]

    def trades(self) -> list[Trade]:
        """The strategy's own trades of today, oldest first. Raises NotConnected."""
        return [trade for trade in self._session.trades() if self.owns(trade)]

    def owns(self, row: Order | Trade) -> bool:
        """Whether an order or a trade is the strategy's own."""
        return row.strategy_name == self.name or row.order_remark.startswith(f"{self._prefix}.")

    # -- orders ----------------------------------------------------------------------------------------

    def buy(self, code: str, volume: int | str | None = None, **words: Any) -> str:
        """Buy: the order's client id, once it is sent; what becomes of it comes to ``on_order``.

        ``volume`` in shares, or as typed (``3手``), or ``value=`` in CNY; one of ``limit=`` (CNY), ``price=``
        (``peer``, ``last+1``, … as ``--price``), ``market=`` (and ``protect=``); ``id=``: the same id on the same day
        is the same order, sent once. Raises Refused, UsageError, NoData, NotConnected: then nothing was sent, or of an
        order in several parts (more than an exchange takes at once) those of which a ``sent`` event tells; and
        OutcomeUnknown where another process was at it.
        """
        return self._order(Side.BUY, code, volume, words)

    def sell(self, code: str, volume: int | str | None = None, **words: Any) -> str:
        """Sell, as `buy`; ``volume="all"`` is what the strategy's own book lets it sell now."""
        return self._order(Side.SELL, code, volume, words)

    def _order(self, side: Side, code: str, volume: int | str | None, words: dict[str, Any]) -> str:
        if self.down:
            raise NotConnected("strategy_waits", what=self.down)
        self.renew()
        client_id = words.pop("id", None)
        snap = bool(words.pop("round", False))
        names = ("value", "limit", "price", "market", "protect", "credit")
        typed = {name: _text(words.pop(name, None)) for name in names}
        if words:
            raise UsageError("unknown_order_words", words=", ".join(words))
        asked = tickets.ticket(
            side, code, _text(volume), typed["value"], typed["limit"], typed["price"], typed["market"],
            typed["protect"], snap, self.name, typed["credit"],
        )  # fmt: skip
        desk = self._desk
        if client_id is not None:
            client_id = tickets.dated(client_id, self.today)
            if known := desk.recall(client_id, asked.typed):
                # what is planned only was held back, or its sender died before it was sent
                left = [desk.reprice(entry, asked, self._markets) for entry in known if entry.state is State.PLANNED]
                self._send(left, None)
                return client_id
        else:
            client_id = f"{self._prefix}.{self._number + 1}"
        most = None
        if asked.volume == tickets.ALL:
            held = self.position(asked.code)
            most = held.can_use_volume
            if not most and held.volume:
                raise Refused("nothing_to_sell", code=asked.code, volume=held.volume, frozen=held.frozen_volume)
        built = tickets.build(asked, self._markets, client_id, most=most)
        entries = desk.enter(built, self._markets.schedule, "run-strategy", asked.typed)
        self._number += 1
        self._send(entries, built.last)
        return client_id

    def _send(self, entries: list[Entry], last: Decimal | None) -> None:
        """Send entries, each once. Raises what stands against it."""
        self._hold_own_limits(entries, last)
        self.save()
        if len(entries) > 1:  # so that whoever comes after a death knows of all parts
            entries = self._desk.ledger.plan(entries)
        failed = self._sending.post(entries)
        unsent = {each.entry.client_id for each in failed if not isinstance(each.error, OutcomeUnknown)}
        for entry in entries:
            if entry.client_id not in unsent:
                self.awaited.add(entry.client_id)
                self._emit(
                    "sent", client_id=entry.client_id, stock_code=entry.stock_code, side=entry.side,
                    order_volume=entry.order_volume, price=float(entry.price),
                )  # fmt: skip
        for outcome in failed:
            if outcome.error is not None:
                raise outcome.error

    def _hold_own_limits(self, entries: list[Entry], last: Decimal | None) -> None:
        """Hold orders to the strategy's own limits, beside the profile's. Raises Refused."""
        if self._limits is None:
            return
        used = self._desk.ledger.used(self._desk.day, self.name)
        for entry in entries:
            value = Decimal(entry.risk) if entry.risk else None
            if self._limits.price_away is not None and float(entry.price) and last:
                away = abs(Decimal(entry.price) / last - 1)
                if away > self._limits.price_away:
                    raise Refused("limit_price_away", away=round(float(away), 4), limit=float(self._limits.price_away))
            refusal = limits.check_day(self._limits, entry, used)
            if refusal is not None:
                raise refusal
            used += Used(1, value or Decimal(0))

    def target(
        self, code: str, volume: int | None = None, value: float | None = None, weight: float | None = None,
        price: str = "peer", **words: Any,
    ) -> str | None:  # fmt: skip
        """Bring the strategy's holding of a code to a volume (shares), a value (CNY) or a weight (of the account).

        What its open orders will still bring is counted in. The client id of the order that is sent; None where none
        is needed: less than a lot away, or nothing that can be sold. Raises as `buy`.
        """
        code = parse_code(code)
        if sum(each is not None for each in (volume, value, weight)) != 1:
            raise UsageError("one_target")
        self.renew()
        held = self.position(code)
        if volume is None:
            last = self._markets.last(code)
            total = self.asset().total_asset * weight if weight is not None else value
            assert total is not None, "one of the three"
            volume = int(total / last) if last else held.volume
        coming = sum(
            (1 if entry.side == Side.BUY else -1) * (entry.order_volume - entry.traded_volume)
            for entry in self._desk.ledger.not_final()
            if entry.strategy_name == self.name and entry.stock_code == code
        )
        missing = volume - held.volume - coming
        lot = lot_rule(known_instrument(code, None, dict(self._markets.told(code))), self.today, self._markets.rules)
        if missing > 0:
            missing = missing if missing >= lot.min_buy and lot.step == 1 else missing // max(lot.step, 1) * lot.step
            return self.buy(code, missing, price=price, **words) if missing >= lot.min_buy else None
        most = min(-missing, held.can_use_volume)
        if most < held.can_use_volume or volume:
            most = most if lot.step == 1 and most >= lot.min_buy else most // max(lot.step, 1) * lot.step
        return self.sell(code, most, price=price, **words) if most > 0 else None

    def cancel(self, which: str | Order | None = None, wait: float = _CANCEL_SECONDS) -> list[str]:
        """Cancel an order by its client id, its order id or its row, or every open one of the strategy's own.

        Waits for each's last word, so many seconds at most: ``canceled``, ``filled_first``, ``too_late``, ``refused``,
        ``pending``, ``unknown``. Raises NotConnected, UsageError for an id that is none of its orders.
        """
        if self.down:
            raise NotConnected("strategy_waits", what=self.down)
        own = self.orders()
        if which is None:
            wanted = [order for order in own if order.state.cancellable]
        else:
            wanted_id = which.order_id if isinstance(which, Order) else which
            wanted = [order for order in own if wanted_id in (order.order_id, order.order_remark)]
            if not wanted:
                raise UsageError("no_such_own_order", ids=wanted_id)
        found = self._desk.cancel(wanted, wait)
        for each in found:
            self._emit("cancel", order_id=each.order.order_id, client_id=each.order.order_remark, result=each.result)
        return [each.result for each in found]

    # -- for whoever drives it -------------------------------------------------------------------------

    def hear(self) -> list[Outcome]:
        """What is known by now of orders that were sent, written down; refusals and doubts are told."""
        outcomes = self._sending.heard()
        for outcome in outcomes:
            for told in (outcome.entry.client_id, outcome.entry.order_id):
                self._desk.sent.pop(told, None)
            if outcome.error is not None:
                if not isinstance(outcome.error, OutcomeUnknown):
                    self.awaited.discard(outcome.entry.client_id)
                self.tell_error("order", outcome.error, client_id=outcome.entry.client_id)
        return outcomes

    @property
    def under_way(self) -> bool:
        """Whether orders are under way of which nothing is known yet."""
        return self._sending.under_way

    def renew(self) -> None:
        """Forget what was known of the account, and on another day what was known of the one before."""
        if self.today != self._day:
            self._day = self.today
            self._desk.new_day()
        self._markets.renew(self.today.isoformat())

    def tell_error(self, hook: str, error: QmtError, **words: object) -> None:
        """Tell of what qmt refused, or could not do."""
        from qmtcli.messages import error_line

        message = error_line(error.code, error.params)
        self._emit("error", hook=hook, code=error.code, message=message, exit_status=int(error.exit_status), **words)

    def save(self) -> None:
        """Keep the state, where it has changed."""
        if not self.state and self._kept == "{}":
            return
        text = json.dumps(self.state, sort_keys=True, ensure_ascii=False)
        if text != self._kept:
            self._keep(self.state)
            self._kept = text


def _no_book(name: str) -> Book:
    return Book(name, Decimal(0), {}, Decimal(0), Decimal(0), Decimal(0), 0)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + text
    return text or "0"
