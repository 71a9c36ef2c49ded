"""A user's own table of instruments, over what the prefix of a code says and what a terminal tells.

CSV with a header: ``code`` (``600000.SH``) and any of ``name, kind, board, st, listed, t0, band, delisting,
relisted``, the fields of `Instrument`. An empty cell says nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from io import StringIO
from types import MappingProxyType
from typing import Any

from qmtcli.errors import ConfigError
from qmtcli.model import Board, Instrument, Kind
from qmtcli.rules.boards import classify
from qmtcli.rules.settings import FRACTION, Form
from qmtcli.text import day, truth

#: fields of `Instrument` that are told, by code; besides them what a reader of `read` asked for more
Overrides = Mapping[str, Mapping[str, Any]]

_TRUTH, _DAY = Form(truth, "true | false"), Form(day, "2026-11-23")
_COLUMNS: dict[str, Form] = {
    "name": Form(str, ""),
    "kind": Form(lambda text: Kind(text.lower()), " | ".join(Kind)),
    "board": Form(lambda text: Board(text.lower()), " | ".join(Board)),
    "st": _TRUTH,
    "listed": _DAY,
    "t0": _TRUTH,
    "band": FRACTION,
    "delisting": _DAY,
    "relisted": _DAY,
}
_SHARES = frozenset({Kind.STOCK, Kind.CDR, Kind.B_SHARE})


def read(text: str, file: str, more: Mapping[str, Form] = MappingProxyType({})) -> dict[str, dict[str, Any]]:
    """What a table tells, by code; ``more`` are columns of the caller's own.

    Raises ConfigError ``instruments_unreadable`` with the ``file``'s name, the line and why.
    """

    def error(line: int, why: str) -> ConfigError:
        return ConfigError("instruments_unreadable", file=file, line=line, why=why)

    forms = {**_COLUMNS, **more}
    rows = csv.reader(StringIO(text, newline=""))
    header = [name.strip().lower() for name in next(rows, [])]
    if "code" not in header:
        raise error(1, "no column code")
    for name in header:
        if name != "code" and name not in forms:
            raise error(1, f"no such column: {name!r}, only {', '.join(['code', *forms])}")
    if len(set(header)) < len(header):
        raise error(1, "a column twice")
    found: dict[str, dict[str, Any]] = {}
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise error(rows.line_num, f"{len(cells)} cells under {len(header)} columns")
            told = dict(zip(header, cells, strict=True))
            code = told.pop("code").upper()
            if code in found:
                raise error(rows.line_num, f"{code} is told twice")
            try:
                found[code] = _told(code, told, forms)
            except ValueError as wrong:
                raise error(rows.line_num, str(wrong)) from None
    except csv.Error as wrong:
        raise error(rows.line_num, str(wrong)) from None
    return found


def fields(code: str, overrides: Overrides) -> dict[str, Any]:
    """The fields of `Instrument` that the table tells of a code."""
    return {name: value for name, value in overrides.get(code, {}).items() if name in _COLUMNS}


def overridden(instrument: Instrument, overrides: Overrides) -> Instrument:
    """An instrument with what the table tells of it."""
    return instrument._replace(**fields(instrument.code, overrides))


def _told(code: str, cells: Mapping[str, str], forms: Mapping[str, Form]) -> dict[str, Any]:
    """The cells of a line that say something, read. Raises ValueError."""
    digits, _, exchange = code.partition(".")
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()) or exchange not in ("SH", "SZ", "BJ"):
        raise ValueError(f"code is {code!r}, not like 600000.SH")
    told: dict[str, Any] = {}
    for name, text in cells.items():
        if text:
            try:
                told[name] = forms[name].read(text)
            except ValueError:
                raise ValueError(f"{name} is {text!r}, expected: {forms[name].expected}") from None
    by_prefix = classify(code) or (None, Board.NONE)
    kind, board = told.get("kind", by_prefix[0]), told.get("board", by_prefix[1])
    if kind is None:
        raise ValueError(f"the prefix of {code} says nothing, and no kind is told")
    if kind in _SHARES and board is Board.NONE:
        board = Board.BSE if exchange == "BJ" else Board.MAIN
    elif kind not in _SHARES and board is not Board.NONE:
        if "board" in told:
            raise ValueError(f"{kind} has no board")
        board = Board.NONE
    if "kind" in told or "board" in told:
        told["kind"], told["board"] = kind, board
    return told
