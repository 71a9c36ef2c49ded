"""``export_data`` and ``query_data``: rows of an account as CSV, in a file that the caller names.

The document tells of ``deal`` only, and names its first columns: those of the row, ``account_Type`` so written.
The other kinds and the form of the times follow it. Without times it is the present day's rows.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

from qmtcli.paper.clock import parse as time_of
from qmtcli.paper.exchange import Exchange
from qmtcli.paper.rows import Rows
from qmtcli.paper.store import Order, Trade

#: kind of data -> columns, fields of its record
_COLUMNS = {
    "deal": (
        "account_id account_type stock_code order_type traded_id traded_time traded_price traded_volume "
        "traded_amount order_id order_sysid strategy_name order_remark direction offset_flag commission "
        "secu_account instrument_name"
    ),
    "order": (
        "account_id account_type stock_code order_id order_sysid order_time order_type order_volume price_type "
        "price traded_volume traded_price order_status status_msg strategy_name order_remark direction "
        "offset_flag secu_account instrument_name"
    ),
    "position": (
        "account_id account_type stock_code volume can_use_volume open_price market_value frozen_volume "
        "on_road_volume yesterday_volume avg_price direction last_price profit_rate secu_account instrument_name"
    ),
    "account": "account_id account_type cash frozen_cash market_value total_asset fetch_balance",
}


class Wanted(NamedTuple):
    """A request to export."""

    account_id: str
    account_type: int
    path: str
    data_type: str
    start: str
    end: str


def parse(fixed: bytes) -> Wanted:
    """The request in the vendor's BSON; all empty for what is none."""
    from xtquant import xtbson

    found: dict[str, Any] = xtbson.BSON.decode(fixed) if fixed else {}
    names = ("accountID", "resultPath", "dataType", "startTime", "endTime")
    account_id, path, data_type, start, end = (str(found.get(name) or "") for name in names)
    return Wanted(account_id, int(found.get("accountType") or 0), path, data_type, start, end)


def unknown(wanted: Wanted) -> str:
    """The answer for an account that the terminal does not have, in its words."""
    return _failed(f"can not find account info, accountID:{wanted.account_id} accountType:{wanted.account_type}")


def write(wanted: Wanted, exchange: Exchange, rows: Rows) -> str:
    """Write the file. The answer is JSON: that it was written, or why not."""
    if wanted.data_type not in _COLUMNS:
        return _failed(f"invalid data type: {wanted.data_type}")
    try:
        first, last = _moment(wanted.start, "00:00:00"), _moment(wanted.end, "23:59:59.999")
    except ValueError as error:
        return _failed(f"invalid time: {error}")
    columns = _COLUMNS[wanted.data_type].split()
    found = _rows(wanted.data_type, exchange, rows, first, last)
    try:
        # pandas, which reads it back, wants UTF-8
        with Path(wanted.path).open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow("account_Type" if column == "account_type" else column for column in columns)
            lines.writerows([getattr(row, column) for column in columns] for row in found)
    except OSError as error:
        return _failed(f"can not write {wanted.path}: {error.strerror}")
    return json.dumps({"msg": "export success"})


def _failed(why: str) -> str:
    return json.dumps({"error": {"errorMsg": why}}, ensure_ascii=False)


def _moment(text: str, time: str) -> int | None:
    """Epoch ms of ``20241125`` (at ``time``) or ``20241125093000``; None without one. Raises ValueError."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) in (8, 14)):
        raise ValueError(text)
    at = f"{text[8:10]}:{text[10:12]}:{text[12:]}" if len(text) == 14 else time
    return time_of(f"{text[:4]}-{text[4:6]}-{text[6:8]}T{at}")


def _rows(kind: str, exchange: Exchange, rows: Rows, first: int | None, last: int | None) -> list[Any]:
    if kind == "account":
        return [rows.asset(exchange.asset())]
    if kind == "position":
        return [rows.position(held) for held in exchange.positions()]
    if first is None and last is None:
        if kind == "order":
            return [rows.order(order) for order in exchange.orders()]
        return [rows.trade(trade, order) for trade, order in exchange.trades()]
    exchange.refresh()
    span = (first or 0, 2**62 if last is None else last)
    with exchange.store.reading():
        if kind == "order":
            orders = exchange.store.select(Order, "WHERE time BETWEEN ? AND ? ORDER BY id", *span)
            return [rows.order(order) for order in orders]
        trades = exchange.store.select(Trade, "WHERE time BETWEEN ? AND ? ORDER BY id", *span)
        of = {order.id: order for order in exchange.store.select(Order)}
    return [rows.trade(trade, of[trade.order_id]) for trade in trades]
