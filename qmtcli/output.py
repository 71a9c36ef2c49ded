"""Rows and columns to text: table, wide, json, ndjson, csv, id. The only place that decides what stdout says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qmtcli.console import Console
from qmtcli.errors import UsageError

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """One column of a table; JSON has every key of a row, whatever the columns."""

    key: str
    zh: str
    en: str
    #: ``text``, ``id``, ``word``, ``number``, ``price``, ``money``, ``percent``, ``time``; ``best``: the first of a list
    kind: str = "text"
    #: shown in a plain table; the others only in ``wide``
    plain: bool = True

    def title(self, lang: str) -> str:
        """The column's caption."""
        return self.zh if lang == "zh" else self.en


def emit_rows(console: Console, rows: Sequence[Row], columns: Sequence[Column], id_key: str, caption: str = "") -> None:
    """Print an array of rows; ``id_key`` is what ``-o id`` prints of each. Raises UsageError for an unknown field."""
    identified = [{**row, **console.identity} for row in rows]
    _emit(console, identified, columns, id_key, caption, many=True)


def emit_row(console: Console, row: Row, columns: Sequence[Column], id_key: str, caption: str = "") -> None:
    """Print one object."""
    _emit(console, [{**row, **console.identity}], columns, id_key, caption, many=False)


def _emit(
    console: Console, rows: list[dict[str, Any]], columns: Sequence[Column], id_key: str, caption: str, many: bool
) -> None:
    rows = [_selected(row, console.fields, columns) for row in rows]
    writer = _WRITERS.get(console.format)
    if writer is not None:
        console.data(writer(console, rows, many, id_key, columns))
    elif many:
        console.data(_table(console, rows, columns, caption))
    else:
        console.data(_card(console, rows[0], columns, caption))


def _selected(row: dict[str, Any], fields: Sequence[str], columns: Sequence[Column]) -> dict[str, Any]:
    if not fields:
        return row
    for name in fields:
        if name not in row:
            import difflib

            near = difflib.get_close_matches(name, row, 1)
            raise UsageError("unknown_field", field=name, nearest=near[0] if near else ", ".join(row))
    return {name: row[name] for name in fields}


def check_fields(console: Console, known: Iterable[str]) -> None:
    """Hold that ``--fields`` names keys of the command's rows, also when there will be none."""
    keys = dict.fromkeys([*known, "mode", "profile", "account_id"])
    _selected(dict(keys), console.fields, ())


def _json(console: Console, rows: list[dict[str, Any]], many: bool, id_key: str, columns: Sequence[Column]) -> str:
    value: object = rows if many else rows[0]
    return json.dumps(value, ensure_ascii=console.ascii, indent=2, allow_nan=False) + "\n"


def _ndjson(console: Console, rows: list[dict[str, Any]], many: bool, id_key: str, columns: Sequence[Column]) -> str:
    return "".join(json.dumps(row, ensure_ascii=console.ascii, allow_nan=False) + "\n" for row in rows)


def _csv(console: Console, rows: list[dict[str, Any]], many: bool, id_key: str, columns: Sequence[Column]) -> str:
    import csv
    import io

    names = list(rows[0]) if rows else list(console.fields) or [column.key for column in columns]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_flat(row[name]) for name in names])
    return text.getvalue()


def _flat(value: object) -> object:
    """A cell of a CSV: lists and objects as JSON, booleans as JSON has them."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict, bool)) else value


def _id(console: Console, rows: list[dict[str, Any]], many: bool, id_key: str, columns: Sequence[Column]) -> str:
    return "".join(f"{row[id_key] if id_key in row else next(iter(row.values()))}\n" for row in rows)


_WRITERS = {"json": _json, "ndjson": _ndjson, "csv": _csv, "id": _id}


# -- for people ----------------------------------------------------------------------------------------


def _chosen(console: Console, row_keys: Iterable[str], columns: Sequence[Column]) -> list[Column]:
    if console.fields:
        by_key = {column.key: column for column in columns}
        return [by_key.get(name, Column(name, name, name)) for name in console.fields]
    return [column for column in columns if column.plain or console.format == "wide"]


def _table(console: Console, rows: list[dict[str, Any]], columns: Sequence[Column], caption: str) -> str:
    from tabulate import tabulate

    shown = _chosen(console, rows[0] if rows else (), columns)
    head = f"{console.tag}{caption}\n" if caption else ""
    if not rows:
        return head
    while True:
        cells = [[_cell(console, row.get(column.key), column.kind) for column in shown] for row in rows]
        text: str = tabulate(
            cells,
            headers=[column.title(console.lang) for column in shown],
            tablefmt="simple",
            disable_numparse=True,
            colalign=["right" if column.kind in _NUMBERS or column.kind == "best" else "left" for column in shown],
        )
        width = console.width
        if width is None or len(shown) == 1 or console.format == "wide" or _columns_of(text) <= width:
            return head + text + "\n"
        shown = shown[:-1]


def _columns_of(text: str) -> int:
    from wcwidth import wcswidth

    return max(int(wcswidth(line)) for line in text.splitlines())


def _card(console: Console, row: dict[str, Any], columns: Sequence[Column], caption: str) -> str:
    from tabulate import tabulate

    lines = [
        (column.title(console.lang), _cell(console, row.get(column.key), column.kind))
        for column in _chosen(console, row, columns)
        if row.get(column.key) not in (None, "", [])
    ]
    head = f"{console.tag}{caption}\n" if caption else ""
    return head + tabulate(lines, tablefmt="plain", disable_numparse=True) + "\n"


def _cell(console: Console, value: Any, kind: str) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return console.word("yes" if value else "no")
    if isinstance(value, list):
        return " ".join(f"{item:.10g}" if isinstance(item, float) else str(item) for item in value[: 1 if kind == "best" else None])
    if kind == "time":
        return str(value)[:19].replace("T", " ")
    if kind == "word":
        return console.word(str(value))
    return _NUMBERS[kind](value) if kind in _NUMBERS else str(value)


def _price(value: float) -> str:
    """At least two decimals, a third where the instrument has one."""
    text = f"{value:.3f}"
    return text[:-1] if text.endswith("0") else text


_NUMBERS: dict[str, Callable[[Any], str]] = {
    "number": lambda value: f"{value:,}",
    "price": _price,
    "money": lambda value: f"{value:,.2f}",
    "percent": lambda value: f"{value:+.2%}",
}
