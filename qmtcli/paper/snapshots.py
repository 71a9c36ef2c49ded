"""The snapshots of one code on one day, packed so that a question touches only what answers it.

Rows of integers lie in compressed blocks. A table beside them says of each block when it begins and how far the
market came in it: the lowest price at which a buy would have been near, the highest for a sell (`is_near`). So a
block in which nothing happens to an order is passed over without a look inside, and of 64 such blocks in one step.
"""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from operator import itemgetter

from qmtcli.paper.reaches import NEVER, Reaches
from qmtcli.paper.tape import Level, Tick

#: `Tick`'s integers, then price and volume of five asks and of five bids; empty levels last, as zeros
Row = Sequence[int]

#: bytes of a packed day: position, size, checksum → what is there. Raises Damaged.
Read = Callable[[int, int, int], bytes]

_BLOCK = 64
_ROW = 31
_LAST, _PRECLOSE, _VOLUME, _SURPLUS, _ASK, _BID = 1, 5, 6, 10, 11, 21
#: what a row's price has to reach for a buy and for a sell are packed with it
_LOW, _HIGH, _WIDTH = _ROW, _ROW + 1, _ROW + 2
#: columns of the table
_COLUMNS = 7


class Damaged(Exception):
    """What was packed is not there any more, or not as it was written."""


def pack(rows: Iterable[Row]) -> tuple[bytes, bytes]:
    """The table and the blocks of one day's rows, which are in order of time; of several of one moment the last."""
    table: list[tuple[int, ...]] = []
    blocks: list[bytes] = []
    end, rest = 0, _last_of_each_moment(rows)
    while block := list(islice(rest, _BLOCK)):
        lows = [min(row[_BID], row[_LAST] or NEVER) for row in block]
        highs = [max(row[_ASK] or NEVER, row[_LAST]) for row in block]
        whole = chain.from_iterable((*row, low, high) for row, low, high in zip(block, lows, highs, strict=True))
        packed = zlib.compress(array("q", whole).tobytes())
        end += len(packed)
        blocks.append(packed)
        last = block[-1]
        table.append((block[0][0], last[_VOLUME], last[_PRECLOSE], min(lows), max(highs), end, zlib.crc32(packed)))
    return array("q", chain.from_iterable(zip(*table, strict=True))).tobytes(), b"".join(blocks)


def _last_of_each_moment(rows: Iterable[Row]) -> Iterator[Row]:
    for _, of_moment in groupby(rows, itemgetter(0)):
        (last,) = deque(of_moment, 1)
        yield last


class Snapshots:
    """One code on one day. Every question raises Damaged where its answer cannot be read any more."""

    def __init__(self, table: bytes, read: Read) -> None:
        columns = array("q", table)
        size = len(columns) // _COLUMNS
        self._begins, self._volumes, precloses, lows, highs, self._ends, self._checksums = (
            columns[at : at + size] for at in range(0, len(columns), size)
        )
        self._reaches = Reaches(self._begins, lows, highs)
        #: previous close by the day's last snapshot, milli
        self.preclose: int = precloses[-1]
        self._read = read
        #: the block last looked into: its number and its rows, one after the other
        self._seen: tuple[int, array[int]] = (-1, array("q"))

    def tick(self, ms: int) -> Tick | None:
        """The last snapshot at or before ``ms``; None before the first."""
        number = bisect_right(self._begins, ms) - 1
        if number < 0:
            return None
        block = self._unpack(number)
        return _tick(block, bisect_right(block[::_WIDTH], ms) - 1)

    def last(self) -> Tick:
        """The day's last snapshot."""
        block = self._unpack(len(self._begins) - 1)
        return _tick(block, len(block) // _WIDTH - 1)

    def ticks(self, after: int, until: int) -> list[Tick]:
        """Snapshots with ``after < ms <= until``, in order."""
        found: list[Tick] = []
        for number in range(self._reaches.number(after), bisect_right(self._begins, until)):
            block = self._unpack(number)
            times = block[::_WIDTH]
            found += [_tick(block, at) for at in range(bisect_right(times, after), bisect_right(times, until))]
        return found

    def rows(self) -> Iterator[Row]:
        """Everything, as it was packed."""
        for number in range(len(self._begins)):
            block = self._unpack(number)
            yield from (block[at : at + _ROW] for at in range(0, len(block), _WIDTH))

    def approaches(self, after: int, until: int, buy: int, sell: int) -> Iterator[tuple[Tick, int]]:
        """See `qmtcli.paper.tape.Tape.approaches`."""
        low, high = buy or -1, sell or NEVER + 1
        for number in self._reaches.near(after, until, buy, sell):
            block = self._unpack(number)
            times, lows, highs = block[::_WIDTH], block[_LOW::_WIDTH], block[_HIGH::_WIDTH]
            for at in range(bisect_right(times, after), bisect_right(times, until)):
                if lows[at] <= low or highs[at] >= high:
                    yield _tick(block, at), self._volume_before(number, block, at)

    def _volume_before(self, number: int, block: array[int], at: int) -> int:
        if at:
            return block[(at - 1) * _WIDTH + _VOLUME]
        return self._volumes[number - 1] if number else 0

    def _unpack(self, number: int) -> array[int]:
        seen = self._seen
        if seen[0] != number:
            begin = self._ends[number - 1] if number else 0
            packed = self._read(begin, self._ends[number] - begin, self._checksums[number])
            seen = self._seen = number, array("q", zlib.decompress(packed))
        return seen[1]


def _tick(block: array[int], at: int) -> Tick:
    row = block[at * _WIDTH : at * _WIDTH + _ROW].tolist()
    levels: tuple[Level, ...] = tuple(zip(row[_ASK::2], row[_ASK + 1 :: 2], strict=True))
    asks, bids = levels[:5], levels[5:]
    if not (asks[-1][1] and bids[-1][1]):
        asks, bids = (tuple([level for level in side if level[1]]) for side in (asks, bids))
    return Tick._make((*row[:_SURPLUS], asks, bids, row[_SURPLUS]))
