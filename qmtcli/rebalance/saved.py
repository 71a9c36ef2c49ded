"""A plan of a rebalancing as the ledger and a plan's file keep it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from qmtcli import orders
from qmtcli.model import Credit, Side
from qmtcli.rebalance.plan import Reason, Row
from qmtcli.rebalance.running import Course


class Saved(NamedTuple):
    """A plan that was made, and how it is to be carried out."""

    #: id of its orders' batch
    batch: str
    #: what tells it from others of the day
    content: str
    #: file that it came from
    name: str
    #: CNY that weights are of
    capital: Decimal
    #: CNY that may be spent besides what sells bring
    cash: Decimal
    rows: list[Row]
    course: Course
    #: whether it was begun before
    resumed: bool = False


def dump(saved: Saved) -> dict[str, Any]:
    """What JSON can hold."""
    course = saved.course
    return {
        "batch": saved.batch,
        "content": saved.content,
        "name": saved.name,
        "capital": str(saved.capital),
        "cash": str(saved.cash),
        "course": {
            **course._asdict(),
            "price": course.price.text,
            "credit": str(course.credit or ""),
            "buffer": str(course.buffer),
        },
        "rows": [{name: _plain(value) for name, value in row._asdict().items()} for row in saved.rows],
    }


def _plain(value: object) -> object:
    return str(value) if isinstance(value, (Decimal, Side, Reason)) else value


def load(told: Mapping[str, Any]) -> Saved:
    """What `dump` told. Raises ValueError, KeyError, TypeError or ArithmeticError for anything else, and UsageError."""
    course = dict(told["course"])
    course |= {
        "price": orders.parse_price(course["price"]),
        "credit": _credit(course["credit"]),
        "buffer": Decimal(course["buffer"]),
    }
    return Saved(
        str(told["batch"]),
        str(told["content"]),
        str(told["name"]),
        Decimal(told["capital"]),
        Decimal(told["cash"]),
        [_row(row) for row in told["rows"]],
        Course(**course),
    )


def _credit(told: str) -> Credit | None:
    """What orders are for on a margin account: nothing else than collateral, which no money is borrowed for."""
    if told not in ("", Credit.COLLATERAL):
        raise ValueError("credit")
    return Credit(told) if told else None


def _row(told: Mapping[str, Any]) -> Row:
    more = {
        "side": Side(told["side"]) if told["side"] else None,
        "reason": Reason(told["reason"]) if told["reason"] else None,
        "cost": Decimal(told["cost"]),
    }
    more |= {name: None if told[name] is None else Decimal(told[name]) for name in ("ideal", "price", "last")}
    row = Row(**{**told, **more})
    if row.volume < 0 or (row.volume and row.side is None):
        raise ValueError("volume")
    return row
