"""``qmt log``: the audit trail of the ledger, and the days that were closed. It needs no connection."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import click

from qmtcli.commands import complete
from qmtcli.commands.columns import DAYS, LOG
from qmtcli.commands.common import App, command, follow_option
from qmtcli.errors import UsageError
from qmtcli.messages import say
from qmtcli.output import emit_rows, emit_stream

if TYPE_CHECKING:
    from qmtcli.ledger import Close, Ledger

_SHANGHAI = timezone(timedelta(hours=8))
#: seconds between two looks for news
_STEP = 0.25
_KEYS = (
    "time", "day", "event", "client_id", "order_id", "stock_code", "side", "order_volume", "price", "traded_volume",
    "traded_price", "strategy_name", "command", "batch", "row", "message",
)  # fmt: skip
_DAY_KEYS = (
    "day", "total_asset", "profit", "profit_rate", "cash", "market_value", "orders", "other_orders", "trades",
    "buy_amount", "sell_amount", "fees",
)  # fmt: skip


@command(
    "log",
    "台账的流水: 何时发送、如何答复、为何拒绝; 默认最近一个交易日。--days 为每日净值与盈亏。",
    "The audit trail: what was sent when, what was answered, what was refused; of the last trading day by default."
    " --days shows net value and profit by day.",
    epilog="qmt log --date 2026-11-24 -o csv > tuesday.csv",
)
@click.argument("ids", metavar="[ID]...", nargs=-1, shell_complete=complete.client_ids)
@click.option("--date", "day", metavar="DAY", help=say("某个交易日, 2026-11-24", "a trading day, 2026-11-24"))
@click.option("--all", "everything", is_flag=True, help=say("所有交易日", "all days"))
@click.option("--code", metavar="CODE", help=say("只看此代码", "only of this code"), shell_complete=complete.codes)
@click.option("--strategy", metavar="NAME", help=say("只看此策略", "only of this strategy"))
@click.option("--days", is_flag=True, help=say("每日净值、盈亏与笔数", "net value, profit and counts by day"))
@follow_option("持续输出新的流水, 每行一条", "go on with what is new, a line each")
def log(
    app: App,
    ids: tuple[str, ...],
    day: str | None,
    everything: bool,
    code: str | None,
    strategy: str | None,
    days: bool,
    follow: bool,
) -> None:
    from qmtcli.backend import ledger_file

    app.profile  # noqa: B018
    if days and (ids or day or code or strategy or follow):
        raise UsageError("days_alone")
    there = ledger_file(app.profile, app.console.env).exists() or follow
    if days:
        _days(app, app.ledger.closes() if there else [])
        return
    where, values = _condition(app, ids, day, everything, code, strategy) if there else ("0", [])
    what = say("流水", "Log")
    if follow:
        emit_stream(app.console, _followed(app, app.ledger, where, values), _KEYS, LOG, "client_id", what)
        return
    rows = [_row(event) for event in app.ledger.events(where, *values)] if there else []
    emit_rows(app.console, rows, _KEYS, LOG, "client_id", f"{what}: {len(rows)}")


def _condition(
    app: App, ids: tuple[str, ...], day: str | None, everything: bool, code: str | None, strategy: str | None
) -> tuple[str, list[object]]:
    from qmtcli.symbols import parse_code
    from qmtcli.text import day as read_day

    parts, values = [], list[object]()
    if ids:
        marks = ", ".join("?" * len(ids))
        parts.append(f"(client_id IN ({marks}) OR order_id IN ({marks}))")
        values += [*ids, *ids]
    if day is not None:
        try:
            values.append(read_day(day).isoformat())
        except ValueError:
            raise UsageError("bad_day", text=day) from None
        parts.append("day = ?")
    elif not ids and not everything:
        parts.append("day = ?")
        values.append(app.ledger.last_day())
    for name, word in (("stock_code", parse_code(code) if code else None), ("strategy_name", strategy)):
        if word is not None:
            parts.append(f"{name} = ?")
            values.append(word)
    return " AND ".join(parts) or "1", values


def _row(event: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(event["body"])
    more = {name: body.get(name) or None for name in ("command", "batch", "row", "traded_volume", "traded_price")}
    at = datetime.fromtimestamp(event["at"] / 1000, _SHANGHAI).isoformat(timespec="milliseconds")
    words = {name: word for name, word in body.items() if name not in _KEYS and name not in ("error_id",)}
    message = body.get("message") or " ".join(f"{name}={word}" for name, word in words.items())
    return {
        "time": at,
        **{name: event[name] for name in ("day", "event", "client_id", "order_id", "stock_code", "strategy_name")},
        **{name: body.get(name) for name in ("side", "order_volume", "price")},
        **more,
        "message": message,
    }


def _followed(app: App, ledger: Ledger, where: str, values: list[object]) -> Iterator[list[dict[str, Any]]]:
    last = 0
    while True:
        events = ledger.events(f"({where}) AND id > ?", *values, last)
        if events:
            last = events[-1]["id"]
            yield [_row(event) for event in events]
        app.console.hold_reader()
        time.sleep(_STEP)


def _days(app: App, closes: list[Close]) -> None:
    rows: list[dict[str, Any]] = []
    before: float | None = None
    for close in closes:
        total = close.asset["total_asset"]
        sides = {side: [row for row in close.trades if row["side"] == side] for side in ("buy", "sell")}
        rows.append(
            {
                "day": close.day,
                "total_asset": total,
                "profit": None if before is None else round(total - before, 2),
                "profit_rate": None if not before else round(total / before - 1, 6),
                "cash": close.asset["cash"],
                "market_value": close.asset["market_value"],
                "orders": len(close.orders),
                "other_orders": sum(1 for order in close.orders if order["source"] == "other"),
                "trades": len(close.trades),
                "buy_amount": round(sum(row["traded_amount"] for row in sides["buy"]), 2),
                "sell_amount": round(sum(row["traded_amount"] for row in sides["sell"]), 2),
                "fees": round(sum(row["commission"] for row in close.trades), 2),
            }
        )
        before = total
    emit_rows(app.console, rows, _DAY_KEYS, DAYS, "day", say(f"交易日: {len(rows)}", f"Days: {len(rows)}"))
