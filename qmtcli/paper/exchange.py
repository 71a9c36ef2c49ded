"""The exchange: time, the entry of orders, and their meeting with the market.

Every public method first brings the account up to now: the day turns, resting orders meet the snapshots that
came up since. Nothing runs in between, so there is no daemon; what happened is always a function of the file,
the tape and the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from qmtcli.errors import Refused
from qmtcli.paper.books import Books
from qmtcli.paper.clock import Clock, day_of, midnight
from qmtcli.paper.codes import (
    BEST5_THEN_LIMIT,
    BUY,
    CANCEL_PENDING,
    CANCELED,
    CONTINUOUS,
    FILL_OR_KILL,
    FIX_PRICE,
    IMMEDIATE,
    JUNK,
    LATEST_PRICE,
    MARKET_TYPES,
    OPEN,
    REPORTED,
    SELL,
    STOCK,
)
from qmtcli.paper.counter import Counter, NewOrder
from qmtcli.paper.feed import Feed, date_of
from qmtcli.paper.settings import Settings
from qmtcli.paper.store import Account, Order, Store, Trade
from qmtcli.paper.tape import Level, Tape, Tick

_INT32 = 2**31


class Exchange:
    """One account on one market."""

    def __init__(self, settings: Settings, tape: Tape | None = None) -> None:
        """Open the account, creating it on first use. Raises ConfigError."""
        self.settings = settings
        self.feed = Feed(
            tape or open_tape(settings.market), Clock(settings.clock, settings.clock_started), settings.hours
        )
        self.store = Store(settings.account_file)
        self.books = Books(self.store, self.feed, settings.fees)
        self._counter = Counter(self.books, self.feed)
        self._account()

    # -- time ------------------------------------------------------------------------------------------

    def refresh(self) -> Account:
        """Bring the account up to now; without a new day and without resting orders there is nothing to write."""
        account = self._account()
        now = self.feed.now_ms()
        if day_of(now) <= account.wall_day and not self._open_orders():
            return account
        with self.store.transaction():
            account = self._account()
            today = day_of(now)
            if today > account.wall_day:
                self._rest_until(account, min(now, midnight(account.wall_day + 1) - 1))
                if self.feed.is_trading_day(date_of(today)):
                    self._turn_day(account, max(account.day + 1, today) if self.feed.always else today)
                account.wall_day = today
                account.synced = midnight(today) - 1
                self.store.save(account)
            self._rest_until(account, now)
            return account

    def next_day(self) -> date:
        """Settle the day and begin the next one; only the endless calendar can.

        Raises Refused when the day follows the calendar.
        """
        if not self.feed.always:
            raise Refused("day_follows_calendar")
        with self.store.transaction():
            account = self.refresh()
            self._turn_day(account, account.day + 1)
            self.store.save(account)
        return self.feed.day

    def _open_orders(self) -> list[Order]:
        return self.store.select(Order, "WHERE status IN (50, 55) ORDER BY id")

    def _account(self) -> Account:
        found = self.store.select(Account)
        if not found:
            with self.store.transaction():
                found = self.store.select(Account)
                if not found:
                    found = [self._open_account()]
        self.feed.day = date_of(found[0].day)
        return found[0]

    def _open_account(self) -> Account:
        now = self.feed.now_ms()
        today = day_of(now)
        cash = self.settings.cash * 100
        account = Account(self.settings.account, STOCK, cash, 0, today, today, now, 1)
        self.store.save(account)
        self.store.execute("INSERT INTO flows VALUES (?, ?, ?, 'opening')", today, now, cash)
        return account

    def _turn_day(self, account: Account, day: int) -> None:
        self.books.settle_day(account)
        account.day = day
        self.feed.day = date_of(day)

    # -- orders ----------------------------------------------------------------------------------------

    def place(self, new: NewOrder) -> tuple[int, str]:
        """Enter an order: (its id, "") or (-1, why it never became one).

        An id is not acceptance: an order that breaks a rule becomes a 57 row and an error push.
        """
        with self.store.transaction():
            account = self.refresh()
            if new.account_id != account.id:
                return -1, "资金账号未登录"
            if new.order_type not in (BUY, SELL):
                return -1, "无此业务权限"
            if new.price_type not in (FIX_PRICE, LATEST_PRICE, *MARKET_TYPES):
                return -1, "不支持的报价类型"
            order = self._new_order(account, new)
            shown = self.feed.tick(new.code)
            rejection = self._counter.judge(account, order, new, shown[1] if shown else None)
            if rejection is not None:
                order.status, order.error, order.message = JUNK, *rejection
                self.books.push_order(order)
                self.store.emit(
                    "order_error", order_id=order.id, error_id=rejection.error_id, message=rejection.message,
                    strategy=new.strategy, remark=new.remark, session=new.session, seq=new.seq,
                )  # fmt: skip
                return order.id, ""
            order.sysid = str(order.id)
            order.frozen = self.books.freeze(order)
            self.books.push_order(order)
            assert shown is not None, "an order without a market was not turned away"
            self._meet_book(account, order, *shown)
            self.store.save(account)
            return order.id, ""

    def cancel(self, account_id: str, order_id: int, sysid: str, session: int) -> tuple[int, Order | None, str]:
        """Ask for a cancel: (0, the order, "") when it is under way, else (-1, the order or None, why)."""
        with self.store.transaction():
            account = self.refresh()
            found = (
                self.store.select(Order, "WHERE day = ? AND (id = ? OR (sysid = ? AND sysid <> ''))",
                                  account.day, order_id, sysid)
                if account_id == account.id else []
            )  # fmt: skip
            order: Order | None = found[0] if found else None
            why = ""
            if order is None:
                why = "委托不存在"
            elif order.status not in OPEN:
                why = "委托状态不允许撤单"
            elif not self._may_cancel(order.code):
                why = "当前时间不允许撤单"
            if why or order is None:
                self.store.emit(
                    "cancel_error", order_id=order_id, sysid=sysid, error_id=-1, message=why, session=session
                )
                return -1, order, why
            order.status = CANCEL_PENDING[order.status]
            self.books.push_order(order)
            self.books.finish(order, CANCELED, "")
            self.store.save(account)
            self.books.push_account(account, order.code)
            return 0, order, ""

    def _may_cancel(self, code: str) -> bool:
        phase = self.feed.phase(self.books.instrument(code))
        return phase is not None and phase.accepts_cancels

    def _new_order(self, account: Account, new: NewOrder) -> Order:
        order_id = account.next_id
        account.next_id += 1
        self.store.save(account)
        instrument = self.feed.tape.instrument(new.code)
        price = round(new.price * 1000) if abs(new.price) < _INT32 else 0
        return Order(
            order_id, account.day, self.feed.now_ms(), new.code, instrument.name if instrument else "",
            new.order_type, new.volume, new.price_type, price, price, REPORTED, new.strategy, new.remark,
        )  # fmt: skip

    # -- matching --------------------------------------------------------------------------------------

    def _meet_book(self, account: Account, order: Order, stamp: int, tick: Tick) -> None:
        """An arriving order takes what the book displays, then rests or goes, as its type says."""
        if tick.phase == CONTINUOUS:
            levels = self._left(order, stamp, tick)
            wanted = sum(volume for _, volume in levels)
            if order.price_type == FILL_OR_KILL and wanted < order.volume:
                levels = []
            for price, volume in levels:
                self._consume(order.code, stamp, price, min(volume, order.remaining))
                self.books.fill(account, order, price, min(volume, order.remaining), stamp)
                if not order.remaining:
                    return
        if order.price_type in IMMEDIATE or not order.limit_price:
            self.books.finish(order, CANCELED, "")
            return
        if order.price_type == BEST5_THEN_LIMIT:
            self._rest_of_market(order, tick)
            if order.status not in OPEN:
                return
        own = tick.bids if order.type == BUY else tick.asks
        order.queue = _queue(order, own)
        self.store.save(order)

    def _rest_of_market(self, order: Order, tick: Tick) -> None:
        own = tick.bids if order.type == BUY else tick.asks
        if order.traded:
            trades = self.store.select(Trade, "WHERE order_id = ? ORDER BY id DESC LIMIT 1", order.id)
            order.limit_price = trades[0].price
        elif own:
            order.limit_price = own[0][0]
        else:
            self.books.finish(order, CANCELED, "")
            return
        order.frozen = self.books.freeze(order)

    def _left(self, order: Order, stamp: int, tick: Tick) -> list[Level]:
        """Opposite levels the order may take, less what this snapshot has already given."""
        buying = order.type == BUY
        taken = dict(
            self.store.execute("SELECT price, volume FROM consumed WHERE code = ? AND stamp = ?", order.code, stamp)
        )
        levels = []
        for price, volume in tick.asks if buying else tick.bids:
            if price > order.limit_price if buying else price < order.limit_price:
                break
            left = volume - taken.get(price, 0)
            if left > 0:
                levels.append((price, left))
        return levels

    def _consume(self, code: str, stamp: int, price: int, volume: int) -> None:
        self.store.execute("DELETE FROM consumed WHERE code = ? AND stamp < ?", code, stamp)
        self.store.execute(
            "INSERT INTO consumed VALUES (?, ?, ?, ?) "
            "ON CONFLICT (code, stamp, price) DO UPDATE SET volume = volume + excluded.volume",
            code, stamp, price, volume,
        )  # fmt: skip

    def _rest_until(self, account: Account, until: int) -> None:
        """Resting orders meet the snapshots since the account was last brought up to now."""
        resting: dict[str, list[Order]] = {}
        for order in self._open_orders():
            resting.setdefault(order.code, []).append(order)
        if until <= account.synced or not resting:
            return
        arrivals = [
            (stamp, tick, code, before)
            for code, orders in resting.items()
            for stamp, tick, before in _with_before(
                self.feed, code, max(account.synced, min(order.time for order in orders)), until
            )
        ]
        for stamp, tick, code, before in sorted(arrivals, key=lambda arrival: arrival[0]):
            orders = [order for order in resting[code] if order.status in OPEN and order.time < stamp]
            traded = max(0, tick.volume - before)
            for order in sorted(orders, key=_priority):
                traded -= self._meet_snapshot(account, order, stamp, tick, traded)
        account.synced = until
        self.store.save(account)

    def _meet_snapshot(self, account: Account, order: Order, stamp: int, tick: Tick, traded: int) -> int:
        """A resting order meets one snapshot; shares it took of what traded since the one before."""
        if tick.phase != CONTINUOUS:
            return 0
        buying, price = order.type == BUY, order.limit_price
        crossing = self._left(order, stamp, tick)
        through = traded if tick.last and (tick.last < price if buying else tick.last > price) else 0
        touched = 0
        if tick.last == price and order.queue >= 0:
            touched = max(0, traded - order.queue)
            order.queue = max(0, order.queue - traded)
        displayed = sum(volume for _, volume in crossing)
        volume = min(order.remaining, max(displayed, through, touched))
        if volume:
            left = volume
            for level, available in crossing:
                self._consume(order.code, stamp, level, min(left, available))
                left = max(0, left - available)
            self.books.fill(account, order, price, volume, stamp)
        if order.status in OPEN:
            queue = _queue(order, tick.bids if buying else tick.asks)
            if queue >= 0 and (order.queue < 0 or queue < order.queue):
                order.queue = queue
            self.store.save(order)
        return min(volume, traded) if volume > displayed else 0

    # -- questions -------------------------------------------------------------------------------------

    def orders(self, order_id: int = 0, open_only: bool = False) -> list[Order]:
        """Today's orders."""
        account = self.refresh()
        where, values = "WHERE day = ?", [account.day]
        if order_id:
            where, values = where + " AND id = ?", [*values, order_id]
        if open_only:
            where += " AND status IN (50, 55)"
        return self.store.select(Order, where + " ORDER BY id", *values)

    def trades(self) -> list[tuple[Trade, Order]]:
        """Today's trades, each with its order."""
        account = self.refresh()
        orders = {order.id: order for order in self.store.select(Order, "WHERE day = ?", account.day)}
        rows = self.store.select(Trade, "WHERE day = ? ORDER BY id", account.day)
        return [(trade, orders[trade.order_id]) for trade in rows]

    def positions(self) -> list[dict[str, object]]:
        """Holdings, sold-out ones of today included, in the form of a position push."""
        self.refresh()
        return self.books.holdings()

    def asset(self) -> dict[str, object]:
        """Money and value, in the form of an asset push."""
        return self.books.asset(self.refresh())

    # -- the owner's hand ------------------------------------------------------------------------------

    def deposit(self, fen: int) -> None:
        """Pay money in."""
        with self.store.transaction():
            account = self.refresh()
            account.cash += fen
            self.store.save(account)
            self.store.execute(
                "INSERT INTO flows VALUES (?, ?, ?, 'deposit')", account.day, self.feed.now_ms(), fen
            )
            self.store.emit("asset", **self.books.asset(account))

    def reset(self) -> None:
        """Begin anew: no orders, no holdings, the opening cash."""
        with self.store.transaction():
            for table in ("account", "orders", "trades", "positions", "flows", "consumed"):
                self.store.execute(f"DELETE FROM {table}")
            self._account()


def open_tape(market: str) -> Tape:
    """The tape that a profile's ``market`` names. Raises ConfigError when it cannot be read."""
    if market == "sample":
        from qmtcli.paper.sample import SampleTape

        return SampleTape()
    from pathlib import Path

    from qmtcli.paper.folder import FolderTape

    return FolderTape(Path(market))


@lru_cache(maxsize=1)
def current() -> Exchange:
    """The exchange of this process's paper run. Raises RuntimeError outside of one, ConfigError as `Exchange`."""
    return Exchange(Settings.from_environment())


def _priority(order: Order) -> tuple[int, int]:
    return (-order.limit_price if order.type == BUY else order.limit_price, order.id)


def _queue(order: Order, own: tuple[Level, ...]) -> int:
    """Shares displayed at the order's price; 0 when it is better than all displayed, -1 when it is not shown."""
    for price, volume in own:
        if price == order.limit_price:
            return volume
    if not own or (order.limit_price > own[0][0] if order.type == BUY else order.limit_price < own[0][0]):
        return 0
    return -1


def _with_before(feed: Feed, code: str, after: int, until: int) -> Iterator[tuple[int, Tick, int]]:
    """Snapshots in ``(after, until]``, each with the day's volume at the one before."""
    shown = feed.tick(code, after)
    before = shown[1].volume if shown else 0
    for stamp, tick in feed.ticks(code, after, until):
        yield stamp, tick, before
        before = tick.volume
