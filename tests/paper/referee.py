"""A slow second opinion of what a day's orders trade, and an auditor of what the tape offered.

Both share no code with the exchange, keep no index, and hold every snapshot against every order. The referee goes by
the exchange's words:

An order that arrives in continuous trading takes what the snapshot on display shows of the other side within its
limit, best first, less what earlier orders took of the same snapshot; own orders of the other side stand there too,
each behind the shares displayed ahead of it. What is left rests, or goes, as its type says. What rests has the shares
displayed at its price ahead of it; beyond the fifth of five levels nobody knows how many.

A snapshot concerns a resting order when no order of its side on display is better, or the last trade was at its price
or better. It then trades at its limit the larger of what the book shows at that price or better, and of what others
have traded since the snapshot before: through its price all of it, at its price what exceeds the queue ahead. Orders
share both, buys before sells, the better price first, then the earlier. The queue then is what is left of it, or what
is displayed when that is less.

An auction shows in the first snapshot after it with more volume. It is held again with all orders: the market's volume
wanted and offered at its price, what is then shown at that price or worse, and one's own. At equal limits the market's
come first. The rest joins the book. Where an auction traded nothing, orders arrive with the first continuous snapshot.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from days import DOWN, PRECLOSE, TICK, UP, Action, Fill, Level, Row, clock

#: a queue whose length nobody knows
UNKNOWN = 10**12

#: xtquant's price types
LAST, LIMIT, BEST_FIVE, BEST_FIVE_THEN_LIMIT, PEER, OWN = 5, 11, 42, 43, 44, 45
SHANGHAI_MARKET = (BEST_FIVE, BEST_FIVE_THEN_LIMIT, PEER, OWN)


@dataclass
class Order:
    """One that was accepted."""

    number: int
    buying: bool
    kind: int
    volume: int
    limit: int
    #: entered in an auction, and in no book yet
    waiting: bool
    left: int
    #: shares ahead at its price
    queue: int = 0
    open: bool = True
    last_fill: int = 0

    @property
    def sign(self) -> int:
        return 1 if self.buying else -1

    def allows(self, price: int) -> bool:
        """Whether it may trade at a price."""
        return self.sign * price <= self.sign * self.limit

    def protected(self, price: int) -> int:
        """A price, or its limit where it may not go so far."""
        return price if self.allows(price) else self.limit

    @property
    def state(self) -> tuple[int, int]:
        """xtquant's status, and the shares traded."""
        traded = self.volume - self.left
        if not self.left:
            return 56, traded
        if self.open:
            return 55 if traded else 50, traded
        return 53 if traded else 54, traded


@dataclass
class Referee:
    """Judges one day of one account that has money enough."""

    rows: list[Row]
    #: shares that can be sold
    sellable: int
    orders: dict[int, Order] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    #: actions that were turned away
    refused: list[int] = field(default_factory=list)
    #: shares taken of the snapshot on display, by price
    taken: dict[int, int] = field(default_factory=dict)

    def judge(self, actions: list[Action]) -> None:
        """Go through the day."""
        events = [(row.at, 0, n) for n, row in enumerate(self.rows)] + [(a.at, 1, n) for n, a in enumerate(actions)]
        shown, printed = Row(0, 0, 0, 0, [], []), set()
        for at, is_action, n in sorted(events):
            if is_action:
                if not self._act(n, actions[n], shown):
                    self.refused.append(n)
                continue
            shown, before = self.rows[n], shown.volume
            self.taken = {}
            now, traded = phase(at), shown.volume - before
            if now == "continuous":
                self._meet(shown, traded)
            elif now in ("pause", "closed") and traded and now not in printed:
                printed.add(now)
                self._auction(shown, traded)

    # -- what the owner does ---------------------------------------------------------------------------

    def _act(self, number: int, action: Action, shown: Row) -> bool:
        """Whether it was accepted."""
        if action.what == "cancel":
            return self._cancel(action)
        if not self._is_valid(action, shown):
            return False
        buying, market, now = action.what == "buy", action.kind in SHANGHAI_MARKET, phase(action.at)
        price = (shown.last or PRECLOSE) if action.kind == LAST else max(DOWN, min(UP, action.price))
        order = Order(number, buying, action.kind, action.volume, price, now != "continuous", action.volume)
        self.orders[number] = order
        self.sellable -= 0 if buying else action.volume
        best = shown.bids if buying == (action.kind == OWN) else shown.asks
        if action.kind in (PEER, OWN) and not best:
            self._end(order)
            return True
        if action.kind in (PEER, OWN):
            order.limit = order.protected(best[0][0])
        if market or not order.waiting:
            self._arrive(order, shown, action.at)
        return True

    def _cancel(self, action: Action) -> bool:
        order = self.orders.get(action.target)
        if order is None or not order.open or phase(action.at) not in ("opening", "continuous"):
            return False
        self._end(order)
        return True

    def _is_valid(self, action: Action, shown: Row) -> bool:
        now, buying, market = phase(action.at), action.what == "buy", action.kind in SHANGHAI_MARKET
        if now not in ("opening", "locked", "continuous", "closing") or (market and now != "continuous"):
            return False
        if not market and action.kind not in (LIMIT, LAST):
            return False
        if action.kind != LAST and action.price % TICK:
            return False
        # a protection price beyond the far edge of the band protects as that edge does
        if action.kind != LAST and (action.price < DOWN and not (market and not buying)):
            return False
        if action.kind != LAST and (action.price > UP and not (market and buying)):
            return False
        if buying:
            return action.volume % 100 == 0
        return action.volume <= self.sellable and action.volume % 100 in (0, self.sellable % 100)

    def _arrive(self, order: Order, shown: Row, at: int) -> None:
        order.waiting = False
        for price, volume, other in self._offers(order, shown):
            volume = min(volume, order.left)
            if not volume or not order.allows(price):
                break
            self._fill(order, at, price, volume)
            if other is None:
                self.taken[price] = self.taken.get(price, 0) + volume
            else:
                self._fill(other, at, price, volume)
        own = shown.bids if order.buying else shown.asks
        if order.left and order.kind == BEST_FIVE_THEN_LIMIT:
            order.limit = order.last_fill or (order.protected(own[0][0]) if own else 0)
        if order.left and (order.kind == BEST_FIVE or not order.limit):
            self._end(order)
        order.queue = ahead(order, own)

    def _offers(self, order: Order, shown: Row) -> list[tuple[int, int, Order | None]]:
        """What stands against an order, best first: displayed shares, and own orders among them."""
        displayed = dict(shown.asks if order.buying else shown.bids)
        others = [o for o in self.orders.values() if o.open and o.buying != order.buying and not o.waiting]
        offers: list[tuple[int, int, Order | None]] = []
        for price in sorted({*displayed, *(other.limit for other in others)}, reverse=not order.buying):
            shares = displayed.get(price, 0)
            gone = self.taken.get(price, 0)
            for other in sorted((o for o in others if o.limit == price), key=lambda o: o.number):
                before = min(other.queue, shares)
                offers += [(price, max(0, before - gone), None), (price, other.left, other)]
                gone = max(gone, before)
            offers.append((price, max(0, shares - gone), None))
        return [offer for offer in offers if offer[1]]

    # -- what the market does --------------------------------------------------------------------------

    def _meet(self, row: Row, traded: int) -> None:
        for order in self._by_priority():
            if not order.open:
                continue
            if order.waiting:
                self._arrive(order, row, row.at)
                continue
            own, other = (row.bids, row.asks) if order.buying else (row.asks, row.bids)
            touched = row.last > 0 and order.allows(row.last)
            leads = not own or order.allows(own[0][0])
            if not (leads or touched):
                continue
            levels = [(price, volume - self.taken.get(price, 0)) for price, volume in other if order.allows(price)]
            displayed = sum(volume for _, volume in levels)
            reached = 0
            if touched and traded:
                before = order.queue if row.last == order.limit else 0
                reached = max(0, traded - before)
                order.queue = UNKNOWN if before == UNKNOWN else max(0, before - traded)
            volume = min(order.left, max(displayed, reached))
            if volume > displayed:
                traded -= volume
            need = order.left
            for price, offered in levels:
                self.taken[price] = self.taken.get(price, 0) + min(need, offered)
                need -= min(need, offered)
            if volume:
                self._fill(order, row.at, order.limit, volume)
            order.queue = min(order.queue, ahead(order, own))

    def _auction(self, row: Row, traded: int) -> None:
        own = self._by_priority()
        market = {
            True: [(row.last, traded), *(level for level in row.bids if level[0] <= row.last)],
            False: [(row.last, traded), *(level for level in row.asks if level[0] >= row.last)],
        }
        levels = {side: market[side] + [(o.limit, o.left) for o in own if o.buying == side] for side in (True, False)}
        price, volume = auction(levels[True], levels[False])
        for buying in (True, False):
            sign, left = 1 if buying else -1, volume
            for at in sorted({at for at, _ in levels[buying] if sign * at >= sign * price}, reverse=buying):
                left = max(0, left - sum(wanted for level, wanted in market[buying] if level == at))
                for order in [o for o in own if o.buying == buying and o.limit == at]:
                    got = min(order.left, left)
                    left -= got
                    if got:
                        self._fill(order, row.at, price, got)
        for order in self._by_priority():
            order.queue = ahead(order, row.bids if order.buying else row.asks)
            order.waiting = False

    def _by_priority(self) -> list[Order]:
        return sorted(
            (o for o in self.orders.values() if o.open), key=lambda o: (not o.buying, -o.sign * o.limit, o.number)
        )

    # -- the books -------------------------------------------------------------------------------------

    def _fill(self, order: Order, at: int, price: int, volume: int) -> None:
        self.fills.append(Fill(order.number, at, price, volume))
        order.left -= volume
        order.last_fill = price
        order.open = order.left > 0

    def _end(self, order: Order) -> None:
        order.open = False
        if not order.buying:
            self.sellable += order.left


def phase(at: int) -> str:
    """Of a Shanghai stock in 2023."""
    for begin, name in [
        ("15:00:00", "closed"),
        ("14:57:00", "closing"),
        ("13:00:00", "continuous"),
        ("11:30:00", "lunch"),
        ("09:30:00", "continuous"),
        ("09:25:00", "pause"),
        ("09:20:00", "locked"),
        ("09:15:00", "opening"),
    ]:
        if at >= clock(begin):
            return name
    return "night"


def ahead(order: Order, own: list[Level]) -> int:
    """The shares displayed at an order's price."""
    if order.limit in dict(own):
        return dict(own)[order.limit]
    hidden = len(own) == 5 and order.sign * order.limit < order.sign * own[-1][0]
    return UNKNOWN if hidden else 0


def auction(buys: list[Level], sells: list[Level]) -> tuple[int, int]:
    """Price and volume of Shanghai's: the most shares, all better orders in full, least left; of several the middle."""
    outcomes = []
    for price in {price for price, _ in buys + sells}:
        bought = sum(volume for at, volume in buys if at >= price)
        sold = sum(volume for at, volume in sells if at <= price)
        volume = min(bought, sold)
        if sum(n for at, n in buys if at > price) <= volume >= sum(n for at, n in sells if at < price):
            outcomes.append((-volume, abs(bought - sold), price))
    best = [outcome for outcome in outcomes if outcome[:2] == min(outcomes)[:2]]
    low, high = min(best)[2], max(best)[2]
    return (low + high + TICK) // (2 * TICK) * TICK, -best[0][0]


# -- the auditor ---------------------------------------------------------------------------------------

#: continuous trading, and the moments that show the trades of an auction
_TRADING = [
    (clock(begin), clock(end))
    for begin, end in [
        ("09:25:00", "09:25:10"),
        ("09:30:00", "11:30:00"),
        ("13:00:00", "14:57:00"),
        ("15:00:00", "15:00:10"),
    ]
]


def beyond_the_tape(rows: list[Row], actions: list[Action], fills: list[Fill]) -> list[str]:
    """What is wrong with fills: each order against itself, and all of them against what each snapshot offered.

    Of the shares that own buys got at up to some price, the tape must have displayed as many at up to that price, or
    others must have traded so low since the snapshot before, or own sells must have given them at that very time and
    price; and so with sells. No share that others traded serves twice.
    """
    wrong = [text for n, action in enumerate(actions) if (text := _broken(n, action, fills))]
    ends = [row.at for row in rows[1:]] + [clock("24:00:00")]
    traded = 0
    for row, end in zip(rows, ends, strict=True):
        before, traded = traded, row.volume
        bought, sold = _from_others(actions, [fill for fill in fills if row.at <= fill.at < end])
        if _beyond(bought, row.asks, 1, row.last) + _beyond(sold, row.bids, -1, row.last) > traded - before:
            wrong.append(f"{row} gave not so much: bought {bought}, sold {sold}")
    return wrong


def _broken(number: int, order: Action, fills: list[Fill]) -> str:
    """What is wrong with an order's fills, whatever the market was."""
    own = [fill for fill in fills if fill.order == number]
    sign = 1 if order.what == "buy" else -1
    right = (
        sum(fill.volume for fill in own) <= order.volume
        and all(fill.volume > 0 and DOWN <= fill.price <= UP and fill.price % TICK == 0 for fill in own)
        and all(order.kind != 11 or sign * fill.price <= sign * order.price for fill in own)
        and all(fill.at >= order.at and any(begin <= fill.at < end for begin, end in _TRADING) for fill in own)
    )
    return "" if right else f"{order}: {own}"


def _from_others(actions: list[Action], fills: list[Fill]) -> tuple[list[Level], list[Level]]:
    """(price, shares) bought and sold, without what the account's own orders traded with each other."""
    sides: dict[str, Counter[tuple[int, int]]] = {"buy": Counter(), "sell": Counter()}
    for fill in fills:
        sides[actions[fill.order].what][fill.at, fill.price] += fill.volume
    bought, sold = sides["buy"] - sides["sell"], sides["sell"] - sides["buy"]
    return [(price, n) for (_, price), n in bought.items()], [(price, n) for (_, price), n in sold.items()]


def _beyond(fills: list[Level], levels: list[Level], sign: int, last: int) -> int:
    """The shares that must come of others' trades at ``last``; more than there can be when these were no so good."""
    most = 0
    for price, _ in fills:
        got = sum(volume for at, volume in fills if sign * at <= sign * price)
        shown = sum(volume for at, volume in levels if sign * at <= sign * price)
        if got > shown and (not last or sign * last > sign * price):
            return 10**9
        most = max(most, got - shown)
    return most
