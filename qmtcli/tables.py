"""Rows of a table as a file or a pipe has them: CSV, JSON, JSON lines, Excel. Every cell is text, codes with them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from io import BytesIO, StringIO
from typing import Any, NamedTuple

from qmtcli.errors import UsageError
from qmtcli.text import decode

#: what files of Excel begin with: the present kind, and the one before
_XLSX, _XLS = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


class Line(NamedTuple):
    """One row as it was written."""

    #: where it is in the file, from 1
    number: int
    #: by the names of the columns as they are written; empty cells are ""
    cells: dict[str, str]
    #: whether it ends before its table's last column
    short: bool = False


def read(data: bytes) -> Iterator[Line]:
    """The rows of a file, as they are read. Raises UsageError for text that is none, and a file of another kind."""
    if data.startswith(_XLSX):
        return _excel_lines(data)
    if data.startswith(_XLS):
        raise UsageError("old_excel")
    return parse(decode(data))


def parse(text: str) -> Iterator[Line]:
    """The rows of CSV (separated by comma, semicolon or tab), JSON or JSON lines. Raises UsageError.

    A JSON object whose ``parts`` are rows is these rows.
    """
    return _json_lines(text) if text.lstrip()[:1] in ("[", "{") else _csv_lines(text)


def _csv_lines(text: str) -> Iterator[Line]:
    lines = text.splitlines()
    first = next((number for number, line in enumerate(lines) if line.strip() and line[0] != "#"), len(lines))
    header = lines[first] if first < len(lines) else ""
    delimiter = max("\t;,", key=header.count)
    reader = csv.reader(StringIO("\n".join(lines[first:])), delimiter=delimiter)
    names: list[str] = []
    for cells in reader:
        number = first + reader.line_num
        if not any(cell.strip() for cell in cells) or cells[0].startswith("#"):
            continue
        if not names:
            names = [cell.strip() for cell in cells]
            continue
        if len(cells) > len(names):
            raise UsageError("batch_row_too_long", line=number, cells=len(cells), columns=len(names))
        found = dict(zip(names, (cell.strip() for cell in cells), strict=False))
        yield Line(number, found, len(cells) < len(names))


def _json_lines(text: str) -> Iterator[Line]:
    decoder = json.JSONDecoder(parse_float=str, parse_int=str)
    place = _past(text, 0, " \t\r\n")
    array = text[place] == "["
    place = _past(text, place + 1 if array else place, " \t\r\n,")
    while place < len(text) and text[place] != "]":
        number = text.count("\n", 0, place) + 1
        try:
            value, place = decoder.raw_decode(text, place)
        except ValueError as error:
            raise UsageError("bad_json", why=str(error)) from None
        if not isinstance(value, dict):
            raise UsageError("bad_json", why=f"{type(value).__name__} instead of an object (line {number})")
        parts = value.get("parts")
        for each in parts if isinstance(parts, list) and parts else [value]:
            yield Line(number, {name: _text(cell) for name, cell in each.items()})
        place = _past(text, place, " \t\r\n,")
    if array and place >= len(text):
        raise UsageError("bad_json", why="the array does not end")


def _past(text: str, place: int, blanks: str) -> int:
    while place < len(text) and text[place] in blanks:
        place += 1
    return place


def _text(value: Any) -> str:
    if value is None or isinstance(value, (list, dict)):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _excel_lines(data: bytes) -> Iterator[Line]:
    """The rows of the sheet that was in front when the workbook was saved."""
    from openpyxl import load_workbook

    try:
        sheet = load_workbook(BytesIO(data), read_only=True, data_only=True).active
        rows = [*sheet.iter_rows(values_only=True)] if sheet is not None else []
    except Exception as error:  # of zip, XML and openpyxl's own, each in its own way
        raise UsageError("bad_excel", why=f"{type(error).__name__}: {error}") from None
    names: list[str] = []
    for number, values in enumerate(rows, 1):
        cells = [_cell(value) for value in values]
        if not any(cells) or cells[0].startswith("#"):
            continue
        if not names:
            names = cells
        else:
            yield Line(number, {name: cell for name, cell in zip(names, cells, strict=False) if name})


def _cell(value: object) -> str:
    """A cell as it would be typed: 600000 for a number that is one, no exponents."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:.15f}".rstrip("0")
    return str(value).strip()
