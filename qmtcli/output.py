"""Rows and columns to text: table, wide, json, ndjson, csv, id. The only place that decides what stdout says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from qmtcli.console import Console
from qmtcli.errors import UsageError

if TYPE_CHECKING:
    from decimal import Decimal

Row = Mapping[str, Any]
#: columns of a terminal below which wrapped text is not read any more
_LEAST_PROSE = 16


class Column(NamedTuple):
    """One column of a table; JSON has every key of a row, whatever the columns."""

    key: str
    zh: str
    en: str
    #: ``text``, ``id``, ``word``, ``number``, ``price``, ``money``, ``percent``, ``share``, ``time``; ``best``: the
    #: first of a list; ``count``: how many a list has; ``value``: as YAML has it; ``prose``: text that is wrapped where
    #: a terminal is narrow
    kind: str = "text"
    #: shown in a plain table; the others only in ``wide``
    plain: bool = True
    #: where a terminal is too narrow, columns go by this, the greatest first, and of equals the last one
    goes: int = 0

    def title(self, lang: str) -> str:
        """The column's caption."""
        return self.zh if lang == "zh" else self.en


def emit_rows(
    console: Console, rows: Sequence[Row], keys: Sequence[str], columns: Sequence[Column], id_key: str, caption: str
) -> None:
    """Print an array of rows; ``id_key`` is what ``-o id`` prints of each.

    ``keys`` are those of every row, so that no row has the shape of many. Raises UsageError for an unknown field.
    """
    identified = [{**row, **console.identity} for row in rows]
    _emit(console, identified, (*keys, *console.identity), columns, id_key, caption, many=True)


def emit_row(console: Console, row: Row, columns: Sequence[Column], id_key: str, caption: str = "") -> None:
    """Print one object."""
    whole = {**row, **console.identity}
    _emit(console, [whole], tuple(whole), columns, id_key, caption, many=False)


def emit_stream(
    console: Console,
    batches: Iterable[Sequence[Row]],
    keys: Sequence[str],
    columns: Sequence[Column],
    id_key: str,
    caption: str,
) -> None:
    """Print rows as they come, in batches: a table that grows, CSV, ids, or for either kind of JSON one object a line.

    The arguments are those of `emit_rows`. Raises UsageError for an unknown field.
    """
    keys = _selected(console, (*keys, *console.identity))
    writer = {**_WRITERS, "json": _ndjson}.get(console.format)
    head, lines = "", _lines(console, _layout(console, columns))
    if writer is None:
        head = _head(console, caption) + _ruled(console, _layout(console, columns))
    elif writer is _csv:
        head = _csv(console, [], True, id_key, keys)
    for batch in batches:
        rows = [{key: row[key] for key in keys} for row in ({**row, **console.identity} for row in batch)]
        text = lines(rows) if writer is None else writer(console, rows, True, id_key, keys)
        console.data(head + (text.partition("\n")[2] if writer is _csv else text))
        head = ""  # before the first answer there was none: an error leaves stdout empty


def _emit(
    console: Console,
    rows: list[dict[str, Any]],
    keys: Sequence[str],
    columns: Sequence[Column],
    id_key: str,
    caption: str,
    many: bool,
) -> None:
    keys = _selected(console, keys)
    rows = [{key: row[key] for key in keys} for row in rows]
    writer = _WRITERS.get(console.format)
    if writer is not None:
        console.data(writer(console, rows, many, id_key, keys))
    elif many:
        console.data(_table(console, rows, columns, caption))
    else:
        console.data(_card(console, rows[0], columns, caption))


def check_fields(console: Console, keys: Iterable[str]) -> None:
    """Hold, before anything is sent, that ``--fields`` names keys of the rows to come. Raises UsageError."""
    _selected(console, (*keys, *console.identity))


def _selected(console: Console, keys: Sequence[str]) -> Sequence[str]:
    for name in console.fields:
        if name not in keys:
            raise UsageError("unknown_field", field=name, known=list(keys))
    return console.fields or keys


def _json(console: Console, rows: list[dict[str, Any]], many: bool, id_key: str, keys: Sequence[str]) -> str:
    value: object = rows if many else rows[0]
    return json.dumps(value, ensure_ascii=console.ascii, indent=2, allow_nan=False) + "\n"


def _ndjson(console: Console, rows: list[dict[str, Any]], many: bool, id_key: str, keys: Sequence[str]) -> str:
    return "".join(json.dumps(row, ensure_ascii=console.ascii, allow_nan=False) + "\n" for row in rows)


def _csv(console: Console, rows: list[dict[str, Any]], many: bool, id_key: str, keys: Sequence[str]) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(keys)
    writer.writerows([_flat(value) for value in row.values()] for row in rows)
    return text.getvalue()


def _flat(value: object) -> object:
    """A cell of a CSV: lists and objects as JSON, booleans as JSON has them."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict, bool)) else value


def _id(console: Console, rows: list[dict[str, Any]], many: bool, id_key: str, keys: Sequence[str]) -> str:
    ids = [row[id_key if id_key in keys else keys[0]] for row in rows]
    return "".join(f"{each}\n" for each in ids if each != "")


_WRITERS = {"json": _json, "ndjson": _ndjson, "csv": _csv, "id": _id}


# -- for people ----------------------------------------------------------------------------------------


def _chosen(console: Console, columns: Sequence[Column]) -> list[Column]:
    if console.fields:
        by_key = {column.key: column for column in columns}
        return [by_key.get(name, Column(name, name, name)) for name in console.fields]
    return [column for column in columns if column.plain or console.format == "wide"]


def _width(console: Console) -> int | None:
    """Columns that a table may have; None: any number."""
    return None if console.format == "wide" else console.width


def _head(console: Console, caption: str) -> str:
    """The lines above a table, none of them wider than the terminal."""
    whole, width = f"{console.tag}{caption}", _width(console)
    text = whole if width is None else _wrapped(whole, width)
    return f"{console.mark(console.stdout_is_terminal)}{text.removeprefix(console.tag)}\n"


def _first_to_go(shown: Sequence[Column]) -> int:
    """The place of the column that is left out first."""
    return max(range(len(shown)), key=lambda place: (shown[place].goes, place))


def _table(console: Console, rows: list[dict[str, Any]], columns: Sequence[Column], caption: str) -> str:
    import tabulate

    tabulate.MIN_PADDING = 0  # else a caption is two wider than its column
    shown = _chosen(console, columns)
    head = _head(console, caption)
    if not rows:
        return head
    width = _width(console)
    while True:
        cells = [[_cell(console, row.get(column.key), column.kind) for column in shown] for row in rows]
        titles = [column.title(console.lang) for column in shown]
        widths = [max(map(_columns_of, column)) for column in zip(titles, *cells, strict=True)]
        excess = 0 if width is None else sum(widths) + 2 * (len(shown) - 1) - width
        if excess > 0:
            widths = _narrowed(widths, [column.kind == "prose" for column in shown], excess)
            if not widths and len(shown) > 1:
                del shown[_first_to_go(shown)]
                continue
            cells = [[_wrapped(*cell) for cell in zip(row, widths, strict=True)] for row in cells] if widths else cells
        text: str = tabulate.tabulate(
            cells,
            headers=titles,
            tablefmt="simple",
            disable_numparse=True,
            colalign=["right" if column.kind in _NUMBERS or column.kind == "best" else "left" for column in shown],
        )
        return head + text + "\n"


#: columns that a table which grows leaves to each kind of value, before it has seen any
_ROOM = {"id": 8, "word": 8, "number": 9, "price": 8, "money": 13, "percent": 8, "time": 19}


def _layout(console: Console, columns: Sequence[Column]) -> list[tuple[Column, int]]:
    """The columns of a table that grows with their widths, as many as the terminal has room for."""
    found = [
        (column, max(_columns_of(column.title(console.lang)), _ROOM.get(column.kind, 10)))
        for column in _chosen(console, columns)
    ]
    width = _width(console)
    while width is not None and len(found) > 1 and sum(wide + 2 for _, wide in found) - 2 > width:
        del found[_first_to_go([column for column, _ in found])]
    return found


def _ruled(console: Console, layout: Sequence[tuple[Column, int]]) -> str:
    """The head of a table that grows."""
    titles = [column.title(console.lang) for column, _ in layout]
    return _line(titles, layout) + _line(["-" * width for _, width in layout], layout)


def _lines(console: Console, layout: Sequence[tuple[Column, int]]) -> Callable[[Sequence[Row]], str]:
    """Lines of a table that grows; where what has changed is in a column that is not shown there is none."""
    last = ""

    def lines(rows: Sequence[Row]) -> str:
        nonlocal last
        text = ""
        for row in rows:
            line = _line([_cell(console, row[column.key], column.kind) for column, _ in layout], layout)
            text += line if line != last else ""
            last = line
        return text

    return lines


def _line(cells: Sequence[str], layout: Sequence[tuple[Column, int]]) -> str:
    padded = []
    for cell, (column, width) in zip(cells, layout, strict=True):
        room = " " * (width - _columns_of(cell))
        padded.append(room + cell if column.kind in _NUMBERS or column.kind == "best" else cell + room)
    return "  ".join(padded).rstrip() + "\n"


def _narrowed(widths: Sequence[int], prose: Sequence[bool], excess: int) -> list[int]:
    """Widths with the excess taken from the widest of the texts that can be wrapped; [] when it cannot be."""
    found = list(widths)
    for _ in range(excess):
        width, widest = max(((width, number) for number, width in enumerate(found) if prose[number]), default=(0, 0))
        if width <= _LEAST_PROSE:
            return []
        found[widest] -= 1
    return found


def _wrapped(text: str, width: int) -> str:
    """Text in lines of so many columns, broken at blanks and between Chinese characters."""
    from wcwidth import wcwidth

    lines = []
    while _columns_of(text) > width:
        room, cut, number = width, 0, 0
        while (room := room - max(wcwidth(text[number]), 0)) >= 0:
            number += 1
            if text[number - 1] == " " or wcwidth(text[number - 1]) == 2:
                cut = number
        cut = cut or number
        lines.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return "\n".join([*lines, text])


def _columns_of(text: str) -> int:
    from wcwidth import wcswidth

    return int(wcswidth(text))


def _card(console: Console, row: dict[str, Any], columns: Sequence[Column], caption: str) -> str:
    from tabulate import tabulate

    lines = [
        (column.title(console.lang), cell)
        for column in _chosen(console, columns)
        if (cell := _cell(console, row.get(column.key), column.kind))
    ]
    return _head(console, caption) + tabulate(lines, tablefmt="plain", disable_numparse=True) + "\n"


def _cell(console: Console, value: Any, kind: str) -> str:
    if value is None or value == "":
        return ""
    if kind == "value":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return console.word("yes" if value else "no")
    if isinstance(value, dict):
        return str(value.get("message", ""))
    if kind == "count":
        return f"{len(value):,}" if value else ""
    if isinstance(value, list):
        shown = value[:1] if kind == "best" else value
        return " ".join(price_text(item) if isinstance(item, float) else f"{item:,}" for item in shown)
    if kind == "time":
        return str(value)[:19].replace("T", " ")
    if kind == "word":
        return console.word(str(value))
    return _NUMBERS[kind](value) if kind in _NUMBERS else str(value)


def price_text(value: float | Decimal) -> str:
    """At least two decimals, a third where the instrument has one; nothing for 0, which is no price."""
    if not value:
        return ""
    text = f"{value:.3f}"
    return text[:-1] if text.endswith("0") else text


_NUMBERS: dict[str, Callable[[Any], str]] = {
    "number": lambda value: f"{value:,}",
    "price": price_text,
    "money": lambda value: f"{value:,.2f}",
    "percent": lambda value: f"{value:+.2%}",
    "share": lambda value: f"{value:.2%}",
}
