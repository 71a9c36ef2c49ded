"""The meeting of orders and the market: price, then time, against the five levels of each snapshot.

An arriving order takes what the book displays, best price first, and no share of a snapshot twice. What rests
trades at its own price: as far as the book has come to cross it or others have traded through it, and where they
traded at it, with what was left after the queue displayed ahead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from operator import itemgetter

from qmtcli.paper.books import Books
from qmtcli.paper.codes import BEST5_THEN_LIMIT, BUY, FILL_OR_KILL, IMMEDIATE, OPEN, SUSPENDED
from qmtcli.paper.feed import Feed, Shown
from qmtcli.paper.store import Account, Order, Store
from qmtcli.paper.tape import Level, Tick
from qmtcli.rules.phases import Phase

#: states of an order's queue: beyond the displayed levels; not yet in a book, since none was open
DEEP, WAITING = -1, -2


class Matching:
    """Runs inside the caller's transaction. Changes the account handed in, which the caller writes."""

    def __init__(self, store: Store, books: Books, feed: Feed) -> None:
        self._store = store
        self._books = books
        self._feed = feed

    def arrive(self, account: Account, order: Order, shown: Shown, at_ms: int) -> None:
        """An order meets the book on display at a moment, then rests or goes, as its type says; writes it."""
        stamp, tick = shown
        if not order.limit_price:
            # a price of the book's making, and there was none to take
            self._books.finish(account, order)
        elif not self._open(order.code, tick, at_ms):
            order.queue = WAITING
        else:
            self._take(account, order, stamp, tick, at_ms)
            if order.remaining:
                self._rest(account, order, tick)
        self._store.save(order)

    def has_news(self, account: Account, now: int) -> bool:
        """Whether a resting order has a snapshot to meet."""
        rows = self._store.execute("SELECT DISTINCT code FROM orders WHERE status IN (50, 55)")
        shown = [self._feed.tick(code, now) for (code,) in rows]
        return any(stamp > account.synced for stamp, _ in filter(None, shown))

    def catch_up(self, account: Account, until: int) -> None:
        """Resting orders meet the snapshots that came up since the last time, in the order in which they came."""
        if self.has_news(account, until):
            self._meet_news(account, until)
        account.synced = max(account.synced, until)

    def _meet_news(self, account: Account, until: int) -> None:
        resting: dict[str, list[Order]] = {}
        for order in self._books.open_orders():
            resting.setdefault(order.code, []).append(order)
        news = [arrival for orders in resting.values() for arrival in self._news(orders, account.synced, until)]
        met: dict[int, Order] = {}
        filled: dict[str, int] = {}
        for stamp, tick, code, traded in sorted(news, key=itemgetter(0)):
            orders = [order for order in resting[code] if order.status in OPEN and _is_near(order, tick)]
            if orders and self._open(code, tick, stamp):
                met.update((order.id, order) for order in orders)
                if self._meet(account, orders, stamp, tick, traded):
                    filled[code] = stamp
        for order in met.values():
            self._store.save(order)
        for code, stamp in filled.items():
            self._books.push_account(account, code, stamp)

    def _news(self, orders: list[Order], after: int, until: int) -> Iterator[tuple[int, Tick, str, int]]:
        """Snapshots in ``(after, until]`` near an order, each with the shares traded since the one before it."""
        code = orders[0].code
        shown = self._feed.tick(code, after)
        before = shown[1].volume if shown else 0
        for stamp, tick in self._feed.ticks(code, after, until):
            if any(_is_near(order, tick) for order in orders):
                yield stamp, tick, code, max(0, tick.volume - before)
            before = tick.volume

    def _open(self, code: str, tick: Tick, at_ms: int) -> bool:
        """Whether orders trade on a snapshot: in continuous trading, and not while the instrument is halted."""
        instrument = self._feed.tape.instrument(code)
        trading = instrument is not None and self._feed.phase(instrument, at_ms) is Phase.CONTINUOUS
        return trading and tick.phase not in SUSPENDED

    # -- arriving --------------------------------------------------------------------------------------

    def _take(self, account: Account, order: Order, stamp: int, tick: Tick, at_ms: int) -> None:
        """What the book displays within the order's limit."""
        levels = _within(order, tick)
        if not levels:
            return
        taken = self._taken(order.code, stamp)
        fills = _share(order.remaining, _left(levels, taken))
        if order.price_type == FILL_OR_KILL and sum(volume for _, volume in fills) < order.volume:
            return
        self._consume(order.code, stamp, taken, fills)
        self._books.fill(account, order, fills, at_ms)

    def _rest(self, account: Account, order: Order, tick: Tick) -> None:
        """The part that did not trade at once: it joins the queue at its price, or it is canceled."""
        own = tick.bids if order.type == BUY else tick.asks
        if order.price_type == BEST5_THEN_LIMIT:
            order.limit_price = self._last_fill(order) or (own[0][0] if own else 0)
        if order.price_type in IMMEDIATE or not order.limit_price:
            self._books.finish(account, order)
            return
        if order.price_type == BEST5_THEN_LIMIT:
            self._books.hold(account, order)
        order.queue = _queue(order, own)

    def _last_fill(self, order: Order) -> int:
        """Price of an order's last trade; 0 when it has none."""
        return self._store.one("SELECT price FROM trades WHERE order_id = ? ORDER BY id DESC", order.id) or 0

    # -- resting ---------------------------------------------------------------------------------------

    def _meet(self, account: Account, orders: list[Order], stamp: int, tick: Tick, traded: int) -> bool:
        """Resting orders of one code meet a snapshot; whether one of them traded.

        ``traded``: shares that changed hands since the snapshot before. No two orders fill from the same of them.
        """
        any_filled = False
        for order in sorted(orders, key=_priority):
            if order.queue == WAITING:
                self.arrive(account, order, (stamp, tick), stamp)
                any_filled = any_filled or order.traded > 0
                continue
            displayed = self._displayed(order, stamp, tick)
            from_trades = _from_trades(order, tick, traded)
            volume = min(order.remaining, max(displayed, from_trades))
            if volume > displayed:
                traded -= volume
            if volume:
                any_filled = True
                self._books.fill(account, order, [(order.limit_price, volume)], stamp)
            _move_up(order, tick)
        return any_filled

    def _displayed(self, order: Order, stamp: int, tick: Tick) -> int:
        """Shares that the book now shows at or beyond a resting order's price; what it needs of them is taken."""
        levels = _within(order, tick)
        if not levels:
            return 0
        taken = self._taken(order.code, stamp)
        left = _left(levels, taken)
        self._consume(order.code, stamp, taken, _share(order.remaining, left))
        return sum(volume for _, volume in left)

    # -- what a snapshot has given ---------------------------------------------------------------------

    def _taken(self, code: str, stamp: int) -> dict[int, int]:
        """Shares by price that orders took of a snapshot."""
        levels = self._store.one("SELECT levels FROM consumed WHERE code = ? AND stamp = ?", code, stamp)
        return {int(price): volume for price, volume in json.loads(levels or "{}").items()}

    def _consume(self, code: str, stamp: int, taken: dict[int, int], fills: Iterable[Level]) -> None:
        for price, volume in fills:
            taken[price] = taken.get(price, 0) + volume
        self._store.execute("INSERT OR REPLACE INTO consumed VALUES (?, ?, ?)", code, stamp, json.dumps(taken))


def _is_near(order: Order, tick: Tick) -> bool:
    """Whether a snapshot concerns a waiting order: nobody of its side is before it in price, or trades came to it."""
    limit = order.limit_price
    if order.queue == WAITING:
        return True
    if order.type == BUY:
        return not tick.bids or tick.bids[0][0] <= limit or 0 < tick.last <= limit
    return not tick.asks or tick.asks[0][0] >= limit or tick.last >= limit


def _within(order: Order, tick: Tick) -> list[Level]:
    """Opposite levels that an order's limit allows, best first."""
    limit = order.limit_price
    if order.type == BUY:
        return [level for level in tick.asks if level[0] <= limit]
    return [level for level in tick.bids if level[0] >= limit]


def _left(levels: Iterable[Level], taken: dict[int, int]) -> list[Level]:
    """Levels without what has been taken of them."""
    left = ((price, volume - taken.get(price, 0)) for price, volume in levels)
    return [level for level in left if level[1] > 0]


def _share(volume: int, levels: Iterable[Level]) -> list[Level]:
    """The first ``volume`` shares of some levels."""
    share = []
    for price, available in levels:
        if not volume:
            break
        share.append((price, min(volume, available)))
        volume -= min(volume, available)
    return share


def _from_trades(order: Order, tick: Tick, traded: int) -> int:
    """How far others' trades reach a resting order: all of them through its price, at it those behind the queue."""
    if not tick.last:
        return 0
    through = order.limit_price - tick.last if order.type == BUY else tick.last - order.limit_price
    if through < 0 or not traded or (not through and order.queue == DEEP):
        return 0
    ahead = 0 if through else order.queue
    order.queue = max(0, ahead - traded)
    return max(0, traded - ahead)


def _move_up(order: Order, tick: Tick) -> None:
    """Those ahead have left as far as the snapshot shows fewer of them."""
    ahead = _queue(order, tick.bids if order.type == BUY else tick.asks)
    if ahead >= 0:
        order.queue = ahead if order.queue < 0 else min(order.queue, ahead)


def _queue(order: Order, own: tuple[Level, ...]) -> int:
    """Shares displayed at an order's price, which are ahead of it; DEEP when five better levels hide them."""
    for price, volume in own:
        if price == order.limit_price:
            return volume
        if order.limit_price > price if order.type == BUY else order.limit_price < price:
            return 0
    return DEEP if len(own) >= 5 else 0


def _priority(order: Order) -> tuple[int, int]:
    return (-order.limit_price if order.type == BUY else order.limit_price, order.id)
