"""``qmt trades``: the trades of the trading day."""

from __future__ import annotations

from qmtcli.commands.columns import TRADES
from qmtcli.commands.common import App, Reading, command
from qmtcli.messages import say
from qmtcli.model import Trade
from qmtcli.output import emit_rows


@command(
    "trades",
    "当日成交。",
    "Trades of the day, each with its fees.",
    reading=Reading(TRADES, Trade._fields, "traded_id", "当日成交", "Trades today"),
)
def trades(app: App) -> None:
    app.profile  # noqa: B018
    rows = [row._asdict() for row in app.session.trades()]
    caption = say(f"当日成交: {len(rows)}", f"Trades today: {len(rows)}")
    emit_rows(app.console, rows, Trade._fields, TRADES, "traded_id", caption)
