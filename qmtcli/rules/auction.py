"""The call auction (集合竞价): one price for all, at the opening and at the close.

SSE 3.6.2 and SZSE 3.5.2 alike: the largest volume; every buy above the price and every sell below it trades in
full; at the price itself one side does. The last follows from the first, the second does not: 600519.SH could have
opened on 2023-02-07 with the same volume at 1808.00 and at 1808.08. Of several such prices the one that leaves
least (未成交量最小), and of several of those

* Shanghai takes the middle (seen on that day at 09:15:11: 1788.04, where no order stood). It speaks of prices that
  were asked for (申报价格): of those alone, and of more than two the middle of the lowest and the highest. Rounding
  it half up to the tick is ours, the rule is silent.
* Shenzhen takes the nearest to the previous close, at the close to the last trade; Beijing to the day's last trade,
  else the previous close. They speak of prices (价格): every price on the tick is one.

Prices are integers of any unit, volumes shares. Who is better in price, then earlier, trades first; what is left
goes on into continuous trading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import NamedTuple

#: price, volume
Level = tuple[int, int]


class Print(NamedTuple):
    """What an auction gives."""

    price: int
    volume: int
    #: what is good enough for the price and yet does not trade: buys above 0, sells below
    surplus: int


class _Stretch(NamedTuple):
    """Prices from ``low`` to ``high``, all alike."""

    low: int
    high: int
    #: wanted at a price or better, and strictly better
    buys: int
    better_buys: int
    sells: int
    better_sells: int

    @property
    def volume(self) -> int:
        return min(self.buys, self.sells)

    @property
    def left(self) -> int:
        return abs(self.buys - self.sells)


def nearest_to(exchange: str, last: int, preclose: int) -> int | None:
    """What `clear` decides by between prices equally good; ``last`` 0: no trade yet on the day."""
    return None if exchange == "SH" else last or preclose


def clear(buys: Iterable[Level], sells: Iterable[Level], tick: int, nearest: int | None) -> Print | None:
    """The price and volume of an auction; None when no two orders meet.

    Levels in any order, one price as often as it likes. ``nearest`` from `nearest_to`; None: the middle.
    """
    bought, sold = _by_price(buys), _by_price(sells)
    stretches = list(_stretches(bought, sold, tick, between=nearest is not None))
    volume = max((at.volume for at in stretches), default=0)
    if not volume:
        return None
    fair = [at for at in stretches if at.volume == volume >= max(at.better_buys, at.better_sells)]
    least = min(at.left for at in fair)
    best = [at for at in fair if at.left == least]
    low, high = best[0].low, best[-1].high
    price = _middle(low, high, tick) if nearest is None else min(max(nearest, low), high)
    wanted = sum(volume for at, volume in bought.items() if at >= price)
    offered = sum(volume for at, volume in sold.items() if at <= price)
    return Print(price, volume, wanted - offered)


def allocate(volumes: Iterable[int], volume: int) -> list[int]:
    """What each order of one side gets of an auction's volume; ``volumes`` by price, then time, best first."""
    fills = []
    for wanted in volumes:
        fills.append(min(wanted, volume))
        volume -= fills[-1]
    return fills


def leftover(levels: Iterable[Level], volume: int) -> list[Level]:
    """What an auction's volume leaves of one side's levels, best first as they come."""
    levels = list(levels)
    fills = allocate((wanted for _, wanted in levels), volume)
    left = [(price, wanted - fill) for (price, wanted), fill in zip(levels, fills, strict=True)]
    return [level for level in left if level[1]]


def _by_price(levels: Iterable[Level]) -> Counter[int]:
    total = Counter[int]()
    for price, volume in levels:
        total[price] += volume
    return total


def _stretches(buys: Counter[int], sells: Counter[int], tick: int, between: bool) -> Iterator[_Stretch]:
    """The prices that were asked for, rising; ``between``: and those between them."""
    bought, sold = buys.total(), 0
    prices = sorted({*buys, *sells})
    for price, following in zip_longest(prices, prices[1:], fillvalue=0):
        better_buys, sells_here = bought - buys[price], sold + sells[price]
        yield _Stretch(price, price, bought, better_buys, sells_here, sold)
        bought, sold = better_buys, sells_here
        if between and price + tick < following:
            yield _Stretch(price + tick, following - tick, bought, bought, sold, sold)


def _middle(low: int, high: int, tick: int) -> int:
    """Half up to the tick."""
    return (low + high + tick) // (2 * tick) * tick
