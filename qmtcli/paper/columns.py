"""One table file as columns: CSV, gzipped or not, or Parquet.

Whatever is wrong with a file is a ConfigError ``tape_unreadable`` that names the file, the line and the
reason. What the columns mean is `qmtcli.paper.folder`'s business.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from math import inf
from pathlib import Path
from typing import Any

from qmtcli.errors import ConfigError, UsageError
from qmtcli.text import decode

#: no number of a market comes near it, and in units of a thousandth it still fits into 64 bits
_MOST = 1e15


class Columns:
    """Rows of one file, by column. Cells are text, or Parquet's own values."""

    def __init__(self, path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]], lines: Sequence[int]):
        self.path = path
        self.size = len(rows)
        self._header, self._rows, self._lines = header, rows, lines
        columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * len(header)
        self._columns = dict(zip(header, columns, strict=True))

    @classmethod
    def read(cls, path: Path) -> Columns:
        """All of a file. Raises ConfigError ``tape_unreadable``."""
        return cls(path, *(_parquet(path) if path.suffix == ".parquet" else _csv(path)))

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def first(self, *names: str) -> str | None:
        """The first of ``names`` that is a column."""
        return next((name for name in names if name in self._columns), None)

    def values(self, name: str) -> Sequence[Any]:
        """A column as the file has it. Raises ConfigError when there is none."""
        if name not in self._columns:
            raise self.error(None, f"no column {name}")
        return self._columns[name]

    def numbers(self, name: str) -> list[float]:
        """A column of numbers, none negative, none beyond all reason. Raises ConfigError."""
        return self._numbers(name, self.values(name))

    def five(self, stem: str) -> list[list[float]]:
        """The columns ``stem1`` … ``stem5``, or ``stem`` alone, whose cells are lists. Raises ConfigError."""
        if stem not in self._columns:
            return [self.numbers(f"{stem}{level}") for level in range(1, 6)]
        cells = [[*_list(cell), 0, 0, 0, 0, 0][:5] for cell in self._columns[stem]]
        return [self._numbers(stem, [row[level] for row in cells]) for level in range(5)]

    def split(self, name: str) -> dict[str, Columns]:
        """The rows of each value of a column."""
        groups: dict[str, list[int]] = {}
        for row, value in enumerate(self.values(name)):
            groups.setdefault(str(value), []).append(row)
        return {
            value: Columns(self.path, self._header, [self._rows[n] for n in of], [self._lines[n] for n in of])
            for value, of in groups.items()
        }

    def error(self, row: int | None, why: str) -> ConfigError:
        """To be raised: what is wrong with a row, or with the header (None)."""
        return _unreadable(self.path, 1 if row is None else self._lines[row], why)

    def _numbers(self, name: str, values: Sequence[Any]) -> list[float]:
        try:
            numbers = list(map(float, values))
        except (TypeError, ValueError):
            row = next(row for row, value in enumerate(values) if not _is_number(value))
            raise self.error(row, f"{name} is {values[row]!r}, not a number") from None
        if numbers and not (min(numbers) >= 0 and max(numbers) < _MOST and sum(numbers) < inf):  # the sum tells of NaN
            row = next(row for row, number in enumerate(numbers) if not 0 <= number < _MOST)
            raise self.error(row, f"{name} is {values[row]}")
        return numbers


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _csv(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    import gzip
    import zlib

    line, rows, lines = 0, [], []
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            text = decode(file.read())
        # splitting is a third faster than the csv module, where nothing is quoted
        reader = csv.reader(StringIO(text, newline="")) if '"' in text else None
        cells = reader or (row.split(",") if row else [] for row in text.splitlines())
        header = [name.strip() for name in next(cells, [])]
        for line, row in enumerate(cells, 2):
            if len(row) == len(header):
                rows.append(row)
                lines.append(reader.line_num if reader else line)
            elif row:
                raise _unreadable(path, line, f"{len(row)} cells under {len(header)} columns")
    except UsageError:
        raise _unreadable(path, 1, "not UTF-8, UTF-16 or GBK") from None
    except (OSError, EOFError, csv.Error, zlib.error) as error:
        raise _unreadable(path, line + 1, str(error)) from None
    if not header:
        raise _unreadable(path, 1, "empty file")
    return header, rows, lines


def _parquet(path: Path) -> tuple[list[str], list[tuple[Any, ...]], range]:
    try:
        import pandas

        frame = pandas.read_parquet(path)
    except ImportError:
        raise _unreadable(path, 1, "Parquet is read by pyarrow, which is not installed") from None
    except Exception as error:  # of many kinds, pyarrow's own
        raise _unreadable(path, 1, str(error).splitlines()[0]) from None
    rows = list(frame.itertuples(index=False, name=None))
    return [str(name) for name in frame.columns], rows, range(1, len(rows) + 1)


def _unreadable(path: Path, line: int, why: str) -> ConfigError:
    return ConfigError("tape_unreadable", file=str(path), line=line, why=why)


def _list(cell: Any) -> list[Any]:
    """A cell that is a list, or its text: ``[1.0, 2.0]``."""
    return cell.strip("[]() ").replace(",", " ").split() if isinstance(cell, str) else list(cell)
