"""Volumes of many orders at once, so that what they miss of what is wanted is least and the money is enough. Pure.

What is missed is measured as tracking error is: the sum of the squares of what each name is away, in CNY. Of few orders
the best volumes are found; of many, those that a price of money suggests, filled up with what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from itertools import chain, combinations
from math import ceil, inf
from typing import NamedTuple

#: orders of which the best volumes are searched for; partial choices that the search looks at, before it takes the best
#: so far; and volumes that it considers of each
SEARCHED, LOOKS, LEVELS = 40, 50_000, 16
_HALVINGS = 50
#: of so few orders that there are no more choices than this, all volumes are considered
_WHOLE = 10_000_000
#: names that trade in single shares from a least volume on, and that are tried without an order
_FEW = 3
#: steps that one name is taken back in the end, for what others can do with the money
_STEPS_BACK = 24


class Choice(NamedTuple):
    """The volumes that one order may have: none, and ``least`` to ``most`` in steps; or only those of ``volumes``."""

    #: 1 for a buy, -1 for a sell
    sign: int
    #: CNY that its name is to gain (a buy) or to lose (a sell), above 0
    gap: float
    #: CNY that a share counts for
    worth: float
    #: CNY that a share takes, above 0; of a sell, brings
    price: float
    #: cents that a volume takes in all, fees in; below 0 what a sell brings
    cost: Callable[[int], int]
    least: int
    step: int
    most: int
    #: ascending
    volumes: tuple[int, ...] = ()
    #: whether there may be no order at all; only beside a least volume
    none: bool = True

    def error(self, volume: int) -> float:
        """CNY squared that its name is away, with such a volume."""
        return (self.gap - self.worth * volume) ** 2

    def at(self, short: float) -> int:
        """The volume where its name is short by so much (CNY) for want of money, a sell the more sold for it."""
        return self.nearest((self.gap - self.sign * short * self.price / self.worth) / self.worth)

    def nearest(self, volume: float) -> int:
        """The volume that may be and is nearest to one that is wanted, of two the smaller one."""
        if self.volumes:
            return min(self.volumes, key=lambda each: (abs(each - volume), each))
        if volume < self.least:
            return self.least if self.least <= self.most and (volume > self.least / 2 or not self.none) else 0
        steps = ceil((min(volume, self.most) - self.least) / self.step - 0.5)
        return self.least + steps * self.step

    def dearer(self, volume: int) -> int | None:
        """The next volume that takes more money, or brings less; None where there is none."""
        return self._next(volume) if self.sign > 0 else self._last(volume)

    def cheaper(self, volume: int) -> int | None:
        """The next volume that takes less money, or brings more; None where there is none."""
        return self._last(volume) if self.sign > 0 else self._next(volume)

    def _next(self, volume: int) -> int | None:
        if self.volumes:
            place = self.volumes.index(volume) + 1
            return self.volumes[place] if place < len(self.volumes) else None
        above = volume + self.step if volume else self.least
        return above if above <= self.most else None

    def _last(self, volume: int) -> int | None:
        if self.volumes:
            place = self.volumes.index(volume) - 1
            return self.volumes[place] if place >= 0 else None
        if volume > self.least:
            return volume - self.step
        return 0 if volume and self.none else None


def spend(choices: Sequence[Choice], cash: int) -> list[int]:
    """A volume for each, for which ``cash`` (cents) and what the sells bring is enough, if it can be."""
    volumes, price = _spread(choices, cash)
    if price and len(choices) <= SEARCHED:
        volumes = _Search(choices, volumes, cash, price).run()
        _exchange(choices, volumes, cash)
    return volumes


def _spread(choices: Sequence[Choice], cash: int) -> tuple[list[int], float]:
    """(good volumes, the price of money there: 0 where there is enough)."""
    volumes = [choice.nearest(choice.gap / choice.worth) for choice in choices]
    if not choices or _cost(choices, volumes) <= cash:
        return volumes, 0.0
    price, volumes = _priced(choices, volumes, cash)
    _fill(choices, volumes, _within(choices, volumes, cash))
    return volumes, price


def _cost(choices: Sequence[Choice], volumes: Sequence[int]) -> int:
    return sum(choice.cost(volume) for choice, volume in zip(choices, volumes, strict=True))


def _error(choices: Sequence[Choice], volumes: Sequence[int]) -> float:
    return sum(choice.error(volume) for choice, volume in zip(choices, volumes, strict=True))


def _priced(choices: Sequence[Choice], volumes: Sequence[int], cash: int) -> tuple[float, list[int]]:
    """(the price of money, CNY squared a CNY, at which what is wanted costs about what there is; the volumes then)."""
    rates = [
        choice.cost(volume) / (choice.price * volume) if volume else choice.sign * 100.0
        for choice, volume in zip(choices, volumes, strict=True)
    ]
    low, high = 0.0, max(choice.gap * choice.worth / choice.price for choice in choices)
    high = max(high, *(choice.most * choice.worth**2 / choice.price for choice in choices))
    found = [*volumes]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found = [choice.at(middle) for choice in choices]
        spent = sum(choice.price * volume * rate for choice, volume, rate in zip(choices, found, rates, strict=True))
        low, high = (low, middle) if spent <= cash else (middle, high)
    return 2 * high, [choice.at(high) for choice in choices]


def _within(choices: Sequence[Choice], volumes: list[int], cash: int) -> int:
    """Take steps back until the money is enough, those first that miss least for it; cents that are left."""
    left = cash - _cost(choices, volumes)
    heap: list[tuple[float, int, int, int]] = []

    def push(n: int) -> None:
        choice = choices[n]
        cheaper = choice.cheaper(volumes[n])
        if cheaper is not None:
            freed = choice.cost(volumes[n]) - choice.cost(cheaper)
            loss = choice.error(cheaper) - choice.error(volumes[n])
            heappush(heap, (loss / max(freed, 1), n, cheaper, freed))

    for n in range(len(choices) if left < 0 else 0):
        push(n)
    while left < 0 and heap:
        _, n, volumes[n], freed = heappop(heap)
        left += freed
        push(n)
    return left


def _fill(choices: Sequence[Choice], volumes: list[int], left: int) -> None:
    """Take steps on while there is money, those first that bring names nearest for it."""
    heap: list[tuple[float, int, int, int]] = []

    def push(n: int) -> None:
        choice = choices[n]
        dearer = choice.dearer(volumes[n])
        if dearer is not None:
            cost = choice.cost(dearer) - choice.cost(volumes[n])
            gain = choice.error(volumes[n]) - choice.error(dearer)
            if gain > 0 and cost <= left:
                heappush(heap, (-gain / max(cost, 1), n, dearer, cost))

    for n in range(len(choices)):
        push(n)
    while heap:
        _, n, dearer, cost = heappop(heap)
        if cost <= left:
            volumes[n], left = dearer, left - cost
            push(n)


class _Search:
    """Branch and bound over the volumes that come in large steps; those in single shares share what is left."""

    def __init__(self, choices: Sequence[Choice], known: Sequence[int], cash: int, price: float) -> None:
        """``known`` are good volumes, ``price`` is that of money, for the bound."""
        self._cash, self._price = cash, price
        self._best, self._chosen = _error(choices, known) if _cost(choices, known) <= cash else inf, [*known]
        places = sorted(range(len(choices)), key=lambda n: -choices[n].step * choices[n].worth)
        self._coarse = [n for n in places if choices[n].step > 1 or choices[n].volumes]
        self._fine = [n for n in places if n not in self._coarse]
        self._choices, self._shares = choices, [choices[n] for n in self._fine]
        levels = max(LEVELS, int(_WHOLE ** (1 / max(1, len(self._coarse)))))
        #: (error and priced cost, error, cost, volume) of each volume of a place
        self._options = [sorted(self._told(n, v) for v in _levels(choices[n], known[n], levels)) for n in self._coarse]
        #: of the places from one on: the least of error and priced cost, of error alone, and of cost
        least = [self._told(n, choices[n].at(price / 2)) for n in self._fine]
        rest = [
            (
                sum(told[0] for told in least) - len(least),
                0.0,
                _cost(self._shares, [self._cheapest(n) for n in self._fine]),
            )
        ]
        for options in reversed(self._options):
            priced, errors, costs = rest[-1]
            rest.append((
                priced + options[0][0],
                errors + min(option[1] for option in options),
                costs + min(option[2] for option in options),
            ))  # fmt: skip
        self._rest = rest[::-1]
        self._taken, self._looks = [0] * len(self._coarse), 0

    def _told(self, n: int, volume: int) -> tuple[float, float, int, int]:
        error, cost = self._choices[n].error(volume), self._choices[n].cost(volume)
        return error + self._price * cost / 100, error, cost, volume

    def _cheapest(self, n: int) -> int:
        choice = self._choices[n]
        return 0 if choice.sign > 0 else choice.most

    def run(self) -> list[int]:
        """The best volumes."""
        self._look(0, 0.0, 0)
        return self._chosen

    def _look(self, place: int, error: float, cost: int) -> None:
        if place == len(self._coarse):
            self._end(error, cost)
            return
        priced, errors, costs = self._rest[place + 1]
        for _, more, takes, volume in self._options[place]:
            self._looks += 1
            if self._looks > LOOKS:
                return
            spent, away = cost + takes, error + more
            bound = max(away + errors, away + priced + self._price * (spent - self._cash) / 100)
            if spent + costs <= self._cash and bound < self._best:
                self._taken[place] = volume
                self._look(place + 1, away, spent)

    def _end(self, error: float, cost: int) -> None:
        """Share what is left among the names that trade in single shares, of the first few with and without each."""
        left, every = self._cash - cost, range(len(self._fine))
        few = [place for place in every if self._shares[place].least > 1][:_FEW]
        for none in chain.from_iterable(combinations(few, count) for count in range(len(few) + 1)):
            some = [self._shares[place]._replace(none=place not in few) for place in every if place not in none]
            found = iter(_spread(some, left)[0])
            shares = [0 if place in none else next(found) for place in every]
            self._looks += 20 * len(shares)
            away = error + _error(self._shares, shares)
            if away < self._best and _cost(self._shares, shares) <= left:
                self._best = away
                for n, volume in [*zip(self._coarse, self._taken, strict=True), *zip(self._fine, shares, strict=True)]:
                    self._chosen[n] = volume


def _exchange(choices: Sequence[Choice], volumes: list[int], cash: int) -> None:
    """Take one name some steps back for what others then can do with the money, while that brings them nearer."""
    left, better = cash - _cost(choices, volumes), True
    while better and left >= 0:
        better = False
        for n, choice in enumerate(choices):
            back: int | None = volumes[n]
            for _ in range(_STEPS_BACK):
                back = choice.cheaper(back) if back is not None else None
                if back is None:
                    break
                trial = [*volumes[:n], back, *volumes[n + 1 :]]
                rest = [*choices[:n], choice._replace(volumes=(back,)), *choices[n + 1 :]]
                _fill(rest, trial, cash - _cost(choices, trial))
                if _error(choices, trial) < _error(choices, volumes) - 1e-6:
                    volumes[:], better = trial, True
                    break


def _levels(choice: Choice, volume: int, most: int) -> Sequence[int]:
    """The volumes of an order that are worth a look: so many about a good one, and none at all."""
    if choice.volumes:
        place = choice.volumes.index(volume)
        return choice.volumes[max(0, place - most // 2) : place + most // 2]
    count = (choice.most - choice.least) // choice.step + 1 if choice.most >= choice.least else 0
    place = (volume - choice.least) // choice.step if volume else 0
    first = max(0, min(place - most // 2, count - most))
    return [0, *(choice.least + choice.step * n for n in range(first, min(first + most, count)))]
