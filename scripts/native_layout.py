"""Measure where each field of the real `xtquant.xtpythonclient` records lies, and how many bytes it holds.

    python scripts/native_layout.py > tests/native-layout.json

Runs on Windows only, with the real module. A record is zeroed and one byte of it is set at a time; the
properties that change read that byte. That tells the faces of one field, read-only ones included, the width
of numbers, and which properties read a longer text first (``[offset, bytes, fallback offset, bytes]``; that
the later one wins was seen with both set). A text ends where the next field begins.
"""

from __future__ import annotations

import ctypes
import json
import sys
from itertools import pairwise
from typing import Any

#: where a pybind11 object keeps the address of its C++ value
VALUE_POINTER = 16


def layout(kind: type) -> dict[str, list[int]]:
    """Field name to ``[offset, bytes]``, offsets within the C++ record."""
    size_of = ctypes.CDLL("ucrtbase")._msize
    size_of.argtypes, size_of.restype = [ctypes.c_void_p], ctypes.c_size_t
    record = kind()
    names = [name for name in dir(kind) if isinstance(getattr(kind, name), property)]
    texts = {name for name in names if isinstance(getattr(record, name), str)}
    address: Any = ctypes.c_void_p.from_address(id(record) + VALUE_POINTER).value
    size = size_of(address)
    before = ctypes.string_at(address, size)
    read: dict[str, list[int]] = {name: [] for name in names}
    for offset in range(size):
        ctypes.memset(address, 0, size)
        ctypes.memset(address + offset, ord("A"), 1)
        for name in names:
            if getattr(record, name):
                read[name].append(offset)
    ctypes.memmove(address, before, size)
    starts = sorted({at for name in names for at in (read[name] if name in texts else read[name][:1])})
    ends = dict(pairwise([*starts, size]))
    return {
        name: [n for at in reversed(read[name]) for n in (at, ends[at] - at)]
        if name in texts
        else [read[name][0], len(read[name])]
        for name in names
    }


def main() -> None:
    """Print the layout of every record, one class a line."""
    sys.modules["requests"] = None  # type: ignore[assignment]  # import xtquant asks PyPI for news otherwise
    import xtquant.xtpythonclient as native

    kinds = {name: kind for name, kind in vars(native).items() if isinstance(kind, type)}
    del kinds["XtQuantAsyncClient"]
    lines = (f"{json.dumps(name)}: {json.dumps(layout(kinds[name]))}" for name in sorted(kinds))
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
