"""How far the market comes in each piece of a day, to find the pieces near an order without a look into the others."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from operator import neg

#: an ask where there is none: beyond any price
NEVER = 1 << 62
#: values that are passed over in one step
_BLOCK = 64


class Reaches:
    """Pieces in order: when each begins (ms since midnight), and its lowest and highest price (milli).

    A piece is near a buy at its lowest price or above, and near a sell at its highest or below, as its snapshots are
    by `qmtcli.paper.tape.is_near`.
    """

    def __init__(self, begins: array[int], lows: array[int], highs: Iterable[int]) -> None:
        self._begins = begins
        self._lows, self._highs = _tree(lows), _tree(array("q", map(neg, highs)))

    def number(self, ms: int) -> int:
        """The piece in which what comes after ``ms`` begins, or the one before it."""
        return max(0, bisect_right(self._begins, ms) - 1)

    def near(self, after: int, until: int, buy: int, sell: int) -> Iterator[int]:
        """Numbers of the pieces with a moment in ``(after, until]`` that may be near, in order; 0: no order."""
        sides = [(levels, most) for levels, most in ((self._lows, buy), (self._highs, -sell)) if most]
        number, beyond = self.number(after), bisect_right(self._begins, until)
        while (number := min([_search(levels, number, most) for levels, most in sides], default=beyond)) < beyond:
            yield number
            number += 1


# -- the first of many that is small enough ------------------------------------------------------------------


def _tree(values: array[int]) -> list[array[int]]:
    """The values, then the least of each block of them, then the least of each block of those …"""
    levels = [values]
    while len(levels[-1]) > _BLOCK:
        below = levels[-1]
        levels.append(array("q", [min(below[at : at + _BLOCK]) for at in range(0, len(below), _BLOCK)]))
    return levels


def _search(levels: list[array[int]], start: int, most: int) -> int:
    """Where, from ``start`` on, the first value of the lowest level is that is at most ``most``; past the end: none."""
    depth = 0
    while (found := _scan(levels[depth], start, start - start % _BLOCK + _BLOCK, most)) == len(levels[depth]):
        start, depth = start // _BLOCK + 1, depth + 1
        if depth == len(levels):
            return len(levels[0])
    for level in reversed(levels[:depth]):
        found = _scan(level, found * _BLOCK, (found + 1) * _BLOCK, most)
    return found


def _scan(values: array[int], start: int, stop: int, most: int) -> int:
    """As `_search`, within a block."""
    block = values[start:stop]
    if not block or min(block) > most:
        return len(values)
    return values.index(next(filter(most.__ge__, block)), start)
