"""The meeting of orders and the market.

Continuous trading. Price, then time, against the five levels of each snapshot and the account's own resting orders.
An arriving order takes what the book displays, best price first, and no share of a snapshot twice; an own order of
the other side stands in that book at its price, behind those displayed ahead of it. What rests trades at its own
price: as far as the book has come to cross it or others have traded through it, and where they traded at it, with
what was left after the queue displayed ahead.

Auctions. Their trades show in the first snapshot after them with more volume than before: an opening auction's price
is that day's open, a closing auction's the last price, its volume what was added. Own orders entered before the
auction's end join it by its rule (`qmtcli.rules.auction`): those with a better limit before the market's, those at the
price after it. The price stays the market's unless own orders want more than it traded; then it moves into the book
that is displayed after it. What is left rests in the book.

After hours (盘后定价) orders of that type trade at the close, first come first served, with what others trade then.

An order that arrives when nothing trades waits for the next snapshot that does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from heapq import heapify, heappop, heapreplace
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from qmtcli.paper.books import Books
from qmtcli.paper.clock import midnight
from qmtcli.paper.codes import (
    AFTER_HOURS,
    BEST5_THEN_LIMIT,
    BUY,
    FILL_OR_KILL,
    IMMEDIATE,
    MARKET_TYPES,
    OPEN,
    SELL,
    SUSPENDED,
)
from qmtcli.paper.feed import Feed, Shown, Trading, Window, number_of
from qmtcli.paper.halts import Halts
from qmtcli.paper.store import Account, Order, Store
from qmtcli.paper.tape import Level, Tick, is_near
from qmtcli.rules.auction import allocate, clear, nearest_to
from qmtcli.rules.phases import Phase

#: states of an order's queue: beyond the displayed levels; not yet in a book, since none was open
DEEP, WAITING = -1, -2
#: a stamp that is never reached
_NEVER = 2**62
#: a limit that every snapshot is near to
_ANY = 2**62


class _Encounter(NamedTuple):
    """A snapshot that orders of a code meet. Sorts by time."""

    stamp: int
    code: str
    tick: Tick
    #: shares that changed hands since the snapshot before; of an auction, in it
    traded: int
    trading: Trading
    #: epoch ms at which its window began
    since: int


class Matching:
    """Runs inside the caller's transaction. Changes the account handed in, which the caller writes."""

    def __init__(self, store: Store, books: Books, feed: Feed) -> None:
        self._store = store
        self._books = books
        self._feed = feed
        self._halts = Halts(feed.tape)
        #: see `_expected`, and the state of things they hold for
        self._expectations: dict[str, int] = {}
        self._expected_in: tuple[date, tuple[int, int]] | None = None

    def enter(self, account: Account, order: Order, shown: Shown, at_ms: int) -> None:
        """An order meets the book on display at a moment, then rests or goes, as its type says; writes it.

        To be called when the account has caught up with that moment.
        """
        self._arrive(account, order, shown, at_ms, self._books.crossing(order))
        known = self._expectations.get(order.code, _NEVER)
        self._expectations[order.code] = min(self._first_stamp([order], at_ms), known)

    def _arrive(self, account: Account, order: Order, shown: Shown, at_ms: int, resting: Iterable[Order]) -> set[int]:
        """As `enter`. ``resting``: orders of its code; returns the ids of those of them that traded with it."""
        stamp, tick = shown
        met: set[int] = set()
        if order.price_type == AFTER_HOURS or not self._trades(order.code, tick, at_ms) or self._parked(order, tick):
            order.queue = WAITING
        elif not order.limit_price:
            # a price of the book's making, and there was none to take
            self._books.finish(account, order)
        else:
            met = self._take(account, order, stamp, tick, at_ms, resting)
            if order.remaining:
                self._rest(account, order, tick)
        self._store.save(order)
        return met

    def has_news(self, account: Account, now: int) -> bool:
        """Whether a resting order has a snapshot to meet."""
        return min(self._expected(account).values(), default=_NEVER) <= now

    def catch_up(self, account: Account, until: int) -> None:
        """Resting orders meet the snapshots that came up since the last time, in the order in which they came."""
        codes = [code for code, stamp in self._expected(account).items() if stamp <= until]
        if codes:
            resting = {code: self._books.open_orders(code) for code in codes}
            self._meet_news(account, resting, until)
            for code, orders in resting.items():
                self._expectations[code] = self._first_stamp(orders, until)
        account.synced = max(account.synced, until)

    # -- what comes ------------------------------------------------------------------------------------

    def _expected(self, account: Account) -> dict[str, int]:
        """By code the moment (epoch ms) before which its resting orders have no snapshot to meet."""
        state = self._feed.day, self._store.upheavals()
        if state != self._expected_in:
            resting: dict[str, list[Order]] = {}
            for order in self._books.open_orders():
                resting.setdefault(order.code, []).append(order)
            self._expectations = {code: self._first_stamp(orders, account.synced) for code, orders in resting.items()}
            self._expected_in = state
        return self._expectations

    def _first_stamp(self, orders: list[Order], after: int) -> int:
        """Of the next snapshot that orders of a code have to meet; the end of the tape's run where that comes first."""
        end = self._feed.run_end(after)
        found = next(self._encounters(orders, after, end - 1), None)
        return found.stamp if found else end if end > after else _NEVER

    # -- what is met -----------------------------------------------------------------------------------

    def _meet_news(self, account: Account, resting: dict[str, list[Order]], until: int) -> None:
        after = stamp = account.synced
        known = {order.id: _progress(order) for orders in resting.values() for order in orders}
        news = [found for orders in resting.values() if (found := self._next(orders, after, until))]
        heapify(news)
        traded: dict[str, None] = {}
        while news:
            encounter = news[0]
            stamp, code = encounter.stamp, encounter.code
            orders = [order for order in resting[code] if order.status in OPEN]
            if self._meet(account, orders, encounter):
                traded[code] = None
            found = self._next(orders, stamp, until)
            if found:
                heapreplace(news, found)
            else:
                heappop(news)
        for orders in resting.values():
            for order in orders:
                if _progress(order) != known[order.id]:
                    self._store.save(order)
        if traded:
            self._books.push_account(account, traded, stamp)

    def _next(self, orders: Iterable[Order], after: int, until: int) -> _Encounter | None:
        """The first snapshot in ``(after, until]`` on which an order of a code may trade.

        On those before it the queues of the orders move, and that is all.
        """
        for encounter in self._encounters(orders, after, until):
            tick, traded = encounter.tick, encounter.traded
            part = [order for order in orders if _joins(order, encounter)]
            if encounter.trading is not Trading.CONTINUOUS or any(_may_trade(order, tick, traded) for order in part):
                return encounter
            for order in part:
                _from_trades(order, tick, traded)
                _move_up(order, tick)
        return None

    def _encounters(self, orders: Iterable[Order], after: int, until: int) -> Iterator[_Encounter]:
        """Snapshots in ``(after, until]`` that orders of a code, their limits as they are, have to meet, in order."""
        still = [order for order in orders if order.status in OPEN]
        instrument = self._feed.tape.instrument(still[0].code) if still else None
        if instrument is None:
            return
        code = instrument.code
        for window in self._feed.windows(instrument, after, until):
            part = [order for order in still if _takes_part(order, window.start, window.trading)]
            if not part:
                continue
            first, last = max(after, window.start - 1), min(until, window.end - 1)
            if window.trading is Trading.AUCTION:
                shown = self._print(code, window)
                if shown and first < shown.stamp <= last:
                    yield shown
                continue
            buy = max((_reach(order) for order in part if order.type == BUY), default=0)
            sell = min((_reach(order) for order in part if order.type != BUY), default=0)
            for (stamp, tick), before in self._feed.approaches(code, first, last, buy, sell):
                if stamp > first:
                    if end := self._halted(code, tick, stamp):
                        first = max(stamp, end - 1)
                        continue
                    yield _Encounter(stamp, code, tick, max(0, tick.volume - before), window.trading, window.start)

    def _print(self, code: str, window: Window) -> _Encounter | None:
        """The snapshot of a window that shows the trades of the auction before it."""
        for (stamp, tick), before in self._feed.approaches(code, window.start - 1, window.end - 1, _ANY, 0):
            if tick.volume > before:
                return _Encounter(stamp, code, tick, tick.volume - before, window.trading, window.start)
        return None

    def _trades(self, code: str, tick: Tick, at_ms: int) -> bool:
        """Whether orders trade on a snapshot: in continuous trading, and not while the instrument is halted."""
        instrument = self._feed.tape.instrument(code)
        continuous = instrument is not None and self._feed.phase(instrument, at_ms) is Phase.CONTINUOUS
        return continuous and not self._halted(code, tick, at_ms)

    def _halted(self, code: str, tick: Tick, at_ms: int) -> int:
        """The moment (epoch ms) up to which an instrument is known to be halted; 0 when it is not."""
        if tick.phase in SUSPENDED:
            return at_ms
        instrument = self._feed.tape.instrument(code)
        assert instrument is not None
        terms = self._books.terms(instrument)
        if not terms.halts:
            return 0
        ms = self._feed.time_shown(at_ms)
        end = self._halts.end(terms, self._feed.tape_day, ms)
        return at_ms + end - ms if end else 0

    def _meet(self, account: Account, orders: list[Order], encounter: _Encounter) -> bool:
        """Orders of one code meet a snapshot; whether one of them traded."""
        traded_before = sum(order.traded for order in orders)
        part = [order for order in orders if _joins(order, encounter)]
        {
            Trading.AUCTION: self._meet_auction,
            Trading.CONTINUOUS: self._meet_continuous,
            Trading.AFTER_HOURS: self._meet_after_hours,
        }[encounter.trading](account, part, encounter)
        return sum(order.traded for order in orders) > traded_before

    # -- arriving --------------------------------------------------------------------------------------

    def _take(
        self, account: Account, order: Order, stamp: int, tick: Tick, at_ms: int, resting: Iterable[Order]
    ) -> set[int]:
        """What the book and own orders in it offer within the order's limit; the ids of the latter."""
        own = sorted((other for other in resting if _crosses(other, order)), key=_priority)
        levels = _within(order, tick)
        if not levels and not own:
            return set()
        taken = self._taken(order.code, stamp)
        offers = list(_merged(levels, taken, own, falling=order.type != BUY))
        if order.price_type == FILL_OR_KILL and sum(volume for _, volume, _ in offers) < order.remaining:
            return set()
        met: set[int] = set()
        for other, group in groupby(offers, key=itemgetter(2)):
            fills = _share(order.remaining, (offer[:2] for offer in group))
            self._books.fill(account, order, fills, at_ms)
            if other is None:
                self._consume(order.code, stamp, taken, fills)
            elif fills:
                self._books.fill(account, other, fills, at_ms)
                self._store.save(other)
                met.add(other.id)
        return met

    def _parked(self, order: Order, tick: Tick) -> bool:
        """Whether an order waits outside the price cage for the market to come near it."""
        instrument = self._feed.tape.instrument(order.code)
        assert instrument is not None
        terms = self._books.terms(instrument)
        if not terms.parks or order.price_type in MARKET_TYPES:
            return False
        return bool(terms.cage_passed(order.type == BUY, order.limit_price, tick))

    def _rest(self, account: Account, order: Order, tick: Tick) -> None:
        """The part that did not trade at once: it joins the queue at its price, or it is canceled."""
        own = tick.bids if order.type == BUY else tick.asks
        if order.price_type == BEST5_THEN_LIMIT:
            rests = self._feed.rules.best5_limit_rests
            order.limit_price = self._last_fill(order) or (_own_best(order, own) if rests else 0)
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

    def _meet_continuous(self, account: Account, orders: list[Order], encounter: _Encounter) -> None:
        """No two orders fill from the same of the shares that changed hands."""
        stamp, _, tick, traded, *_ = encounter
        for order in sorted(orders, key=_priority):
            if order.status not in OPEN:  # an order before it took it
                continue
            if order.queue == WAITING:
                self._arrive(account, order, (stamp, tick), stamp, orders)
                continue
            displayed = self._displayed(order, stamp, tick)
            from_trades = _from_trades(order, tick, traded)
            volume = min(order.remaining, max(displayed, from_trades))
            if volume > displayed:
                traded -= volume
            if volume:
                self._books.fill(account, order, [(order.limit_price, volume)], stamp)
            _move_up(order, tick)

    def _displayed(self, order: Order, stamp: int, tick: Tick) -> int:
        """Shares that the book now shows at or beyond a resting order's price; what it needs of them is taken."""
        levels = _within(order, tick)
        if not levels:
            return 0
        taken = self._taken(order.code, stamp)
        left = _left(levels, taken)
        self._consume(order.code, stamp, taken, _share(order.remaining, left))
        return sum(volume for _, volume in left)

    # -- at one price ----------------------------------------------------------------------------------

    def _meet_auction(self, account: Account, orders: list[Order], encounter: _Encounter) -> None:
        """The market's auction once more, with own orders in it.

        Of the market's orders those that traded stand at its price, and the others where they are displayed.
        """
        stamp, code, tick, traded, _, since = encounter
        instrument = self._feed.tape.instrument(code)
        assert instrument is not None
        opening = since < midnight(number_of(self._feed.tape_day)) + _NOON
        price = (tick.open or tick.last) if opening else tick.last
        before = None if opening else self._feed.tick(code, since - 1)
        nearest = nearest_to(instrument.exchange, before[1].last if before else 0, tick.preclose)
        taken = self._taken(code, stamp)
        shown = {
            BUY: _left([level for level in tick.bids if level[0] <= price], taken),
            SELL: _left([level for level in tick.asks if level[0] >= price], taken),
        }
        sides = {side: _side(side, [(price, traded), *shown[side]], orders) for side in shown}
        levels = {side: [(limit, volume) for limit, volume, _ in queue] for side, queue in sides.items()}
        printed = clear(levels[BUY], levels[SELL], self._books.terms(instrument).tick, nearest)
        assert printed is not None
        for side, queue in sides.items():
            fills = allocate((volume for _, volume, _ in queue), printed.volume)
            others = -traded
            for (_, _, order), volume in zip(queue, fills, strict=True):
                if order is None:
                    others += volume
                else:
                    self._books.fill(account, order, [(printed.price, volume)] if volume else [], stamp)
            self._consume(code, stamp, taken, _share(max(0, others), shown[side]))
        for order in orders:
            if order.status in OPEN:
                order.queue = _queue(order, tick.bids if order.type == BUY else tick.asks)

    def _meet_after_hours(self, account: Account, orders: list[Order], encounter: _Encounter) -> None:
        stamp, _, tick, traded, *_ = encounter
        left = {True: traded, False: traded}
        for order in sorted(orders, key=lambda order: order.id):
            buying = order.type == BUY
            if order.limit_price < tick.last if buying else order.limit_price > tick.last:
                self._books.finish(account, order, "收盘价超出限价")
                continue
            volume = min(order.remaining, left[buying])
            left[buying] -= volume
            self._books.fill(account, order, [(tick.last, volume)] if volume else [], stamp)

    # -- what a snapshot has given ---------------------------------------------------------------------

    def _taken(self, code: str, stamp: int) -> dict[int, int]:
        """Shares by price that orders took of a snapshot."""
        levels = self._store.one("SELECT levels FROM consumed WHERE code = ? AND stamp = ?", code, stamp)
        return {int(price): volume for price, volume in json.loads(levels or "{}").items()}

    def _consume(self, code: str, stamp: int, taken: dict[int, int], fills: Iterable[Level]) -> None:
        found = False
        for price, volume in fills:
            found = True
            taken[price] = taken.get(price, 0) + volume
        if found:
            self._store.execute("INSERT OR REPLACE INTO consumed VALUES (?, ?, ?)", code, stamp, json.dumps(taken))


#: ms since midnight; what trades before it opened that day
_NOON = 43_200_000


def _progress(order: Order) -> tuple[int, int, int]:
    """What changes of an order that meets snapshots."""
    return order.status, order.traded, order.queue


def _takes_part(order: Order, since: int, trading: Trading) -> bool:
    """Whether an order can trade in a window at all; ``since``: its beginning."""
    if trading is Trading.AUCTION and order.time >= since:
        return False
    return (order.price_type == AFTER_HOURS) == (trading is Trading.AFTER_HOURS)


def _joins(order: Order, encounter: _Encounter) -> bool:
    """Whether an order is concerned by a snapshot that its code meets."""
    if order.status not in OPEN or not _takes_part(order, encounter.since, encounter.trading):
        return False
    if encounter.trading is not Trading.CONTINUOUS:
        return True
    buying = order.type == BUY
    return is_near(encounter.tick, _reach(order) if buying else 0, 0 if buying else _reach(order))


def _reach(order: Order) -> int:
    """The limit that snapshots must come near to; a waiting order meets any."""
    if order.queue == WAITING:
        return _ANY if order.type == BUY else 1
    return order.limit_price


def _may_trade(order: Order, tick: Tick, traded: int) -> bool:
    """Whether an order may trade on a snapshot that it joins; else no more than its queue moves."""
    if order.queue == WAITING or _within(order, tick):
        return True
    through = order.limit_price - tick.last if order.type == BUY else tick.last - order.limit_price
    if not tick.last or not traded or through < 0:
        return False
    return through > 0 or (order.queue != DEEP and traded > order.queue)


def _crosses(other: Order, order: Order) -> bool:
    """Whether another order of the account stands in the book where this one can take it."""
    if other.type == order.type or other.status not in OPEN or other.queue == WAITING:
        return False
    if order.type == BUY:
        return other.limit_price <= order.limit_price
    return other.limit_price >= order.limit_price


def _within(order: Order, tick: Tick) -> list[Level]:
    """Opposite levels that an order's limit allows, best first."""
    limit = order.limit_price
    if order.type == BUY:
        return [level for level in tick.asks if level[0] <= limit]
    return [level for level in tick.bids if level[0] >= limit]


def _merged(
    levels: list[Level], taken: dict[int, int], own: list[Order], falling: bool
) -> Iterator[tuple[int, int, Order | None]]:
    """(price, shares, own order or None) of a side, best first; of a level an own order comes after its queue.

    What was taken of a level was taken of its front.
    """
    displayed = dict(levels)
    for price in sorted({*displayed, *(order.limit_price for order in own)}, reverse=falling):
        volume, begin = displayed.get(price, 0), taken.get(price, 0)
        for order in own:
            if order.limit_price == price:
                end = min(order.queue, volume) if order.queue >= 0 else volume
                if end > begin:
                    yield price, end - begin, None
                    begin = end
                yield price, order.remaining, order
        if volume > begin:
            yield price, volume - begin, None


def _side(side: int, market: list[Level], own: Iterable[Order]) -> list[tuple[int, int, Order | None]]:
    """(limit, shares, own order or None) of a side of an auction, best first; at one price the market's first."""
    queue: list[tuple[int, int, Order | None]] = [(limit, volume, None) for limit, volume in market]
    queue += [(order.limit_price, order.remaining, order) for order in sorted(own, key=_priority) if order.type == side]
    return sorted(queue, key=itemgetter(0), reverse=side == BUY)


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


def _own_best(order: Order, own: tuple[Level, ...]) -> int:
    """The best price of an order's side, as far as its limit allows; 0 when there is none."""
    if not own:
        return 0
    return (min if order.type == BUY else max)(own[0][0], order.limit_price)


def _queue(order: Order, own: tuple[Level, ...]) -> int:
    """Shares displayed at an order's price, which are ahead of it; DEEP when five better levels hide them."""
    for price, volume in own:
        if price == order.limit_price:
            return volume
        if order.limit_price > price if order.type == BUY else order.limit_price < price:
            return 0
    return DEEP if len(own) >= 5 else 0


def _priority(order: Order) -> tuple[int, int, int]:
    return (-order.limit_price if order.type == BUY else order.limit_price, order.time, order.id)
