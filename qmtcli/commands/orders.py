"""``qmt orders``: the orders of the trading day."""

from __future__ import annotations

import click

from qmtcli.commands import complete
from qmtcli.commands.columns import ORDERS
from qmtcli.commands.common import App, Reading, command, read_from
from qmtcli.commands.named import named
from qmtcli.messages import say
from qmtcli.model import Order
from qmtcli.output import emit_rows


@command(
    "orders",
    "当日委托, 全部或按编号。",
    "Orders of the day: all, or those named. A dash reads ids from stdin.",
    reading=Reading(ORDERS, Order._fields, "order_id", "当日委托", "Orders today"),
)
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=complete.order_ids)
@click.option("--open", "open_only", is_flag=True, help=say("只列未完成的", "only those that are not final"))
def orders(app: App, ids: tuple[str, ...], open_only: bool) -> None:
    app.profile  # noqa: B018
    wanted = read_from(ids, app.console, ("order_id",))
    rows = app.session.orders()
    if wanted:
        chosen = set(named(rows, wanted))
        rows = [row for row in rows if row in chosen]
    rows = [row for row in rows if not (open_only and row.state.done)]
    what = say("未完成委托", "Open orders") if open_only else say("当日委托", "Orders today")
    emit_rows(app.console, [row._asdict() for row in rows], Order._fields, ORDERS, "order_id", f"{what}: {len(rows)}")
