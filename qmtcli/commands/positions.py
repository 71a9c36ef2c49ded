"""``qmt positions``: what the account holds."""

from __future__ import annotations

import click

from qmtcli.commands.columns import POSITIONS
from qmtcli.commands.common import App, Reading, command
from qmtcli.messages import say
from qmtcli.model import Position
from qmtcli.output import emit_rows


@command(
    "positions",
    "持仓; 今日已卖空的以 --all 显示。",
    "Holdings; those sold out today with --all.",
    reading=Reading(POSITIONS, Position._fields, "stock_code", "持仓", "Holdings"),
)
@click.option("--all", "everything", is_flag=True, help=say("包括今日已卖空的", "those sold out today too"))
def positions(app: App, everything: bool) -> None:
    app.profile  # noqa: B018 - names the account before anything is asked
    rows = [row._asdict() for row in app.session.positions() if everything or row.volume]
    caption = say(f"持仓: {len(rows)}", f"Holdings: {len(rows)}")
    emit_rows(app.console, rows, Position._fields, POSITIONS, "stock_code", caption)
