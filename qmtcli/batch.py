"""Rows of orders, and the tickets that they ask for. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from qmtcli.errors import QmtError, UsageError
from qmtcli.model import Asset, Order, Position, Quote, Side, Trade
from qmtcli.tables import Line
from qmtcli.text import nearest, truth
from qmtcli.tickets import ALL, Ticket, ticket
from qmtcli.xt import codes

#: what a column is called -> what it says
_NAMES: dict[str, str] = {
    "stock_code": "code", "code": "code", "symbol": "code", "代码": "code", "证券代码": "code",
    "side": "side", "order_type": "order_type", "方向": "side", "买卖": "side", "买卖方向": "side",
    "order_volume": "volume", "volume": "volume", "数量": "volume", "委托数量": "volume", "委托量": "volume",
    "value": "value", "金额": "value",
    "price": "price", "limit": "limit", "价格": "price", "委托价": "price", "委托价格": "price",
    "market": "market", "price_type": "price_type", "price_kind": "price_kind", "protect": "protect", "round": "snap",
    "client_id": "client_id", "id": "client_id", "order_remark": "remark", "标识": "client_id", "委托标识": "client_id",
    "strategy": "strategy", "strategy_name": "strategy", "策略": "strategy",
    "as": "credit", "credit": "credit", "can_use_volume": "sellable", "可用": "sellable",
}  # fmt: skip
#: of rows that other commands print: they say nothing of what is to be ordered
_ASIDE = frozenset(
    {*Order._fields, *Trade._fields, *Position._fields, *Asset._fields, *Quote._fields}
    | {"mode", "profile", "account_id", "worst_amount", "replayed", "dry_run", "left_volume", "parts", "row", "line"}
    | {"source", "last", "typed", "risk", "exit_status", "error", "result", "message", "reason"}
) - set(_NAMES)  # fmt: skip
#: columns of holdings and quotes
_OF_NO_ORDER = frozenset({"can_use_volume", "last_price", "tick_time"})
_SIDES = {"buy": Side.BUY, "sell": Side.SELL, "b": Side.BUY, "s": Side.SELL, "买": Side.BUY, "卖": Side.SELL,
          "买入": Side.BUY, "卖出": Side.SELL}  # fmt: skip
#: xtquant's order types -> side and what the order is for on a margin account
_ORDER_TYPES = {number: (side, credit) for (side, credit), number in [*codes.ORDER_TYPES.items()][::-1]}
_PLAIN_TYPES = {"23": Side.BUY, "24": Side.SELL}


class Row(NamedTuple):
    """One row as it was written."""

    #: where it is in the file, from 1
    line: int
    #: as text, by what the column says; those that are empty are left out
    words: dict[str, str]
    #: ``mode`` and ``account_id`` where it says whose it is
    whose: dict[str, str]


class Problem(NamedTuple):
    """What is wrong with a row."""

    line: int
    error: QmtError


class Wanted(NamedTuple):
    """An order of a batch."""

    line: int
    ticket: Ticket
    #: the caller's own, as typed; None: made from the batch's
    client_id: str | None


def rows(found: Iterable[Line]) -> Iterator[Row]:
    """The rows of a file. Raises UsageError for one that holds none, or columns that no order has."""
    line = None
    for line in found:
        yield _row(line.number, line.cells)
    if line is None:
        raise UsageError("empty_batch")


def _row(line: int, cells: Mapping[str, str]) -> Row:
    words: dict[str, str] = {}
    for name, text in cells.items():
        key = _NAMES.get(name.lower())
        if key is None:
            if name.lower() not in _ASIDE and name:
                raise UsageError("unknown_column", column=name, nearest=nearest(name, _NAMES), line=line)
        elif text != "":
            words.setdefault(key, text)
    if _OF_NO_ORDER & cells.keys():
        # what a holding is, or the day has traded, is no volume of an order
        words.pop("volume", None)
    return Row(line, words, {name: cells[name] for name in ("mode", "account_id") if cells.get(name)})


def wanted(found: Iterable[Row], defaults: Mapping[str, str], sells_all: bool = False) -> Iterator[Wanted | Problem]:
    """What rows ask for, each by itself. ``defaults`` hold where a row says nothing of their kind; ``sells_all``: a row
    without a volume of its own sells all that can be sold, as one of a holding does."""
    return (_wanted(row, defaults, sells_all) for row in found)


def _wanted(row: Row, defaults: Mapping[str, str], sells_all: bool) -> Wanted | Problem:
    try:
        words = _merged(row, defaults, sells_all)
        code = words.get("code")
        if code is None:
            raise UsageError("row_without_code")
        side, credit = _side(words)
        asked = ticket(
            side, code, words.get("volume"), words.get("value"), words.get("limit"), words.get("price"),
            words.get("market"), words.get("protect"), truth(words.get("snap", "no")), words.get("strategy"), credit,
        )  # fmt: skip
        return Wanted(row.line, asked, words.get("client_id"))
    except QmtError as error:
        return Problem(row.line, error)
    except ValueError as error:
        return Problem(row.line, UsageError("bad_cell", why=str(error)))


def _merged(row: Row, defaults: Mapping[str, str], sells_all: bool) -> dict[str, str]:
    """The words of a row, with those of the command line where it has none."""
    words = dict(row.words)
    listed = "remark" in words and "client_id" not in words
    if listed and not _is_of_an_order(row):
        words["client_id"] = words["remark"]
    if any(name in defaults for name in ("limit", "price", "market")):
        for name in ("limit", "price", "market", "price_type", "price_kind", "protect"):
            words.pop(name, None)
    if "volume" in defaults or "value" in defaults:
        for name in ("volume", "value"):
            words.pop(name, None)
    words.update(defaults)
    if sells_all and "value" not in words:
        words.setdefault("volume", ALL)
    return _priced(words)


def _is_of_an_order(row: Row) -> bool:
    """Whether a row shows an order that there is, whose remark is its own."""
    return "price_kind" in row.words


def _priced(words: dict[str, str]) -> dict[str, str]:
    """Words with one price: a row of an order has a kind of price, and 0 where that is none."""
    kind = words.pop("price_kind", None)
    number = words.pop("price_type", None)
    if kind is None and number is not None:
        if not number.isdigit() or int(number) not in codes.PRICE_KINDS:
            raise UsageError("unknown_price_type", price_type=number)
        kind = codes.PRICE_KINDS[int(number)]
    if kind is not None and kind != "limit" and "market" not in words and "limit" not in words:
        protect = words.pop("price", None)
        words["market"] = kind
        if protect and protect.strip("0.") and "protect" not in words:
            words["protect"] = protect
    return words


def _side(words: Mapping[str, str]) -> tuple[Side, str | None]:
    """(side, what it is for on a margin account)."""
    said, number, credit = words.get("side"), words.get("order_type"), words.get("credit")
    if said is not None:
        if said.lower() in _SIDES:
            return _SIDES[said.lower()], credit
        if said not in _PLAIN_TYPES:
            raise UsageError("bad_side", text=said)
        number = said
    if number is None:
        raise UsageError("row_without_side")
    if number.lower() in _SIDES:
        return _SIDES[number.lower()], credit
    if number in _PLAIN_TYPES:
        return _PLAIN_TYPES[number], credit
    if number.isdigit() and int(number) in _ORDER_TYPES:
        side, purpose = _ORDER_TYPES[int(number)]
        return side, credit or (None if purpose is None else str(purpose))
    raise UsageError("bad_side", text=number)


def content(orders: Sequence[Wanted]) -> str:
    """What tells a batch from another: its orders, as typed and in their order, whatever the file looks like."""
    told = hashlib.sha256(b"[")
    for number, order in enumerate(orders):
        row = json.dumps([order.client_id, order.ticket.typed], ensure_ascii=False, sort_keys=True)
        told.update(f"{', ' if number else ''}{row}".encode())
    told.update(b"]")
    return told.hexdigest()


def batch_id(day: str, told: str, again: int) -> str:
    """A short name of a batch: ``b`` and seven letters and digits. ``again``: how many before it were the same."""
    number = int.from_bytes(hashlib.sha256(f"{day} {told} {again}".encode()).digest()[:8], "big")
    text = ""
    for _ in range(7):
        number, digit = divmod(number, 36)
        text += "0123456789abcdefghijklmnopqrstuvwxyz"[digit]
    return f"b{text}"


def row_id(batch: str, row: int) -> str:
    """The client id of a batch's row that brought none."""
    return f"{batch}.{row}"
