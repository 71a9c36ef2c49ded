"""The index of a tape: what its files say, packed so that opening one costs next to nothing.

It is made when a file is first asked for and kept beside the accounts, where the next process finds it: for as long
as the file it was made from has the same path, size and time of change. One that is damaged, stale or of another qmt
is made anew, one that cannot be written stays in memory. All of it may be deleted at any time.

An index begins with a head, JSON, that says what it was made from and where the bars and the table of each day lie;
everything in it carries a checksum, which is held to when that piece is read and not before.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import zlib
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from qmtcli.paper.snapshots import Damaged, Snapshots
from qmtcli.paper.tape import Bar

_FORMAT = f"4 {sys.byteorder}"
#: mark, length of the head, checksum of the head
_START = struct.Struct("<4sII")
_MARK = b"qmti"
#: read at once in the hope that it holds the head
_FIRST = 4096

#: what an index was made from; equal keys, equal contents
Key = dict[str, Any]
#: bytes from a position on
_Read = Callable[[int, int], bytes]


class Contents(NamedTuple):
    """What some files hold, by code: a table and the blocks of each day, and bars by period."""

    days: dict[str, dict[date, tuple[bytes, bytes]]]
    bars: dict[str, dict[str, list[Bar]]]


def key_of(paths: Sequence[Path], **more: object) -> Key:
    """The key of an index of some files as they are now; ``more``, JSON values, is what else it was made by."""
    return {"format": _FORMAT, "files": [_state(path) for path in paths], **more}


def _state(path: Path) -> list[str | int]:
    try:
        found = path.stat()
    except OSError:  # whoever reads it will say what is wrong
        return [str(path), -1, -1]
    return [str(path), found.st_size, found.st_mtime_ns]


class Index:
    """What some files of a tape hold. Raises Damaged, with itself, when that cannot be read any more."""

    def __init__(self, read: _Read, key: Key) -> None:
        """Raises Damaged for what is no index, or one of another key."""
        self._read = read
        first = read(0, _FIRST)
        if len(first) < _START.size:
            raise Damaged
        mark, size, checksum = _START.unpack_from(first)
        self._body = _START.size + size
        if mark != _MARK:
            raise Damaged
        head = (first if len(first) >= self._body else read(0, self._body))[_START.size : self._body]
        if zlib.crc32(head) != checksum:
            raise Damaged
        found = json.loads(head)
        if found["key"] != key:
            raise Damaged
        self._days: dict[str, dict[str, list[int]]] = found["days"]
        self._bars: dict[str, dict[str, list[int]]] = found["bars"]

    @property
    def codes(self) -> set[str]:
        """Codes of which it holds anything."""
        return {*self._days, *self._bars}

    def days(self, code: str) -> list[date]:
        """Days of which it has snapshots of a code, in order."""
        return [date.fromisoformat(day) for day in self._days.get(code, ())]

    def snapshots(self, code: str, day: date) -> Snapshots | None:
        """The snapshots of a code on a day; None where there are none."""
        place = self._days.get(code, {}).get(day.isoformat())
        if place is None:
            return None
        begin = place[0] + place[1]
        return Snapshots(self._piece(*place), lambda at, size, checksum: self._piece(begin + at, size, checksum))

    def bars(self, code: str) -> dict[str, list[Bar]]:
        """A code's bars by period, as its files have them."""
        return {period: _unpack_bars(self._piece(*place)) for period, place in self._bars.get(code, {}).items()}

    def _piece(self, at: int, size: int, checksum: int) -> bytes:
        piece = self._read(self._body + at, size)
        if zlib.crc32(piece) != checksum:
            raise Damaged(self)
        return piece


def open_index(kept: Path | None, key: Key, make: Callable[[], Contents], *, anew: bool = False) -> Index:
    """The index of a key: the one that is kept, else one made anew, which is then kept where that can be.

    ``anew``: whatever is kept, and held in memory, where nothing happens to it. Raises what ``make`` raises.
    """
    if kept is not None and not anew:
        with suppress(Damaged, OSError):
            return Index(_reader(kept), key)
    data = _encode(key, make())
    if kept is not None:
        with suppress(Damaged, OSError):
            _write(kept, data)
            if not anew:
                return Index(_reader(kept), key)
    return Index(lambda at, size: data[at : at + size], key)


def _reader(path: Path) -> _Read:
    """Opens the file for each read: of a market's worth of files no process may hold as many open."""

    def read(at: int, size: int) -> bytes:
        try:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - many, and the quicker
                if at:
                    file.seek(at)
                return file.read(size)
        except OSError:
            return b""

    return read


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing, whatever else writes there. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.iterdir():
        if left.name.startswith(f"{path.name}.") and left.suffix == ".part":
            left.unlink(missing_ok=True)  # by a process that was killed; one that lives makes do without
    part = path.with_name(f"{path.name}.{os.getpid()}-{os.urandom(4).hex()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _encode(key: Key, contents: Contents) -> bytes:
    pieces: list[bytes] = []
    end = 0

    def put(piece: bytes, more: bytes = b"") -> list[int]:
        nonlocal end
        place = [end, len(piece), zlib.crc32(piece)]
        pieces.extend((piece, more))
        end += len(piece) + len(more)
        return place

    days = {
        code: {day.isoformat(): put(*packed) for day, packed in of.items()} for code, of in contents.days.items() if of
    }
    bars = {
        code: {period: put(_pack_bars(found)) for period, found in of.items()} for code, of in contents.bars.items()
    }
    head = json.dumps({"key": key, "days": days, "bars": bars}, separators=(",", ":")).encode()
    return b"".join([_START.pack(_MARK, len(head), zlib.crc32(head)), head, *pieces])


def _pack_bars(bars: Sequence[Bar]) -> bytes:
    cells = chain.from_iterable((bar.day.toordinal(), *bar[1:]) for bar in bars)
    return zlib.compress(array("q", cells).tobytes())


def _unpack_bars(packed: bytes) -> list[Bar]:
    cells = array("q", zlib.decompress(packed)).tolist()
    width = len(Bar._fields)
    rows = (cells[at : at + width] for at in range(0, len(cells), width))
    return [Bar(date.fromordinal(row[0]), *row[1:]) for row in rows]
