"""``qmt orders``: the orders of the trading day."""

from __future__ import annotations

from collections.abc import Iterator

import click

from qmtcli.commands import complete
from qmtcli.commands.columns import ORDERS
from qmtcli.commands.common import App, Reading, command, follow_option, read_from
from qmtcli.commands.named import named
from qmtcli.errors import NoData, UsageError
from qmtcli.messages import say
from qmtcli.model import Order
from qmtcli.output import Column, emit_rows, emit_stream


@command(
    "orders",
    "当日委托, 全部或按编号 (委托编号, 或 sys:合同编号)。",
    "Orders of the day: all, or those named by id or by contract number (sys:123). A dash reads ids from stdin.",
    epilog="qmt orders --follow -o ndjson",
    reading=Reading(ORDERS, Order._fields, "order_id", "当日委托", "Orders today"),
)
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=complete.order_ids)
@click.option("--open", "open_only", is_flag=True, help=say("只列未完成的", "only those that are not final"))
@click.option(
    "--date",
    "day",
    metavar="DAY",
    help=say("某个已归档交易日 (qmt day-close) 的委托", "orders of a day that was closed (qmt day-close)"),
)
@follow_option(
    "持续输出新增与变化的委托, 每行一笔; 断线重连后不遗漏; 指定的委托都完成即结束",
    "go on with each order that is new or changes, a line each, across lost links; ends when those named are final",
)
def orders(app: App, ids: tuple[str, ...], open_only: bool, day: str | None, follow: bool) -> None:
    app.profile  # noqa: B018
    if day is not None:
        if follow or open_only:
            raise UsageError("date_alone")
        _of_day(app, day, ids)
        return
    wanted = read_from(ids, app.console, ("order_id",))
    what = say("未完成委托", "Open orders") if open_only else say("当日委托", "Orders today")
    if follow:
        batches = ([row._asdict() for row in rows] for rows in _followed(app, wanted, open_only))
        emit_stream(app.console, batches, Order._fields, ORDERS, "order_id", what)
        return
    rows = app.session.orders()
    if wanted:
        chosen = {row.order_id for row in named(rows, wanted)}
        rows = [row for row in rows if row.order_id in chosen]
    rows = [row for row in rows if not (open_only and row.state.done)]
    emit_rows(app.console, [row._asdict() for row in rows], Order._fields, ORDERS, "order_id", f"{what}: {len(rows)}")


def _of_day(app: App, text: str, ids: tuple[str, ...]) -> None:
    """The orders of a day that was closed, each with whether it was qmt's. Raises NoData for one that was not."""
    from qmtcli.backend import ledger_file
    from qmtcli.text import day as read_day

    try:
        day = read_day(text).isoformat()
    except ValueError:
        raise UsageError("bad_day", text=text) from None
    there = ledger_file(app.profile, app.console.env).exists()
    close = app.ledger.closed(day) if there else None
    if close is None:
        raise NoData("day_not_closed", day=day)
    rows = [row for row in close.orders if not ids or row["order_id"] in ids]
    columns = (*ORDERS, Column("source", "来源", "Source"))
    caption = say(f"{day} 委托: {len(rows)}", f"Orders of {day}: {len(rows)}")
    emit_rows(app.console, rows, (*Order._fields, "source"), columns, "order_id", caption)


def _followed(app: App, wanted: list[str], open_only: bool) -> Iterator[list[Order]]:
    """Orders as they change: those named, until all of them are final; with ``open_only`` none that was final before.

    Raises as `named`.
    """
    from qmtcli.xt import follow

    batches = follow.orders(app.line())
    rows = next(batches)
    chosen = {row.order_id for row in named(rows, wanted)}
    waiting = {row.order_id for row in rows if row.order_id in chosen and not row.state.done}
    yield [row for row in rows if (not wanted or row.order_id in chosen) and not (open_only and row.state.done)]
    while not wanted or waiting:
        rows = next(batches)
        waiting -= {row.order_id for row in rows if row.state.done}
        yield [row for row in rows if not wanted or row.order_id in chosen]
