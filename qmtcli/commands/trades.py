"""``qmt trades``: the trades of the trading day."""

from __future__ import annotations

from qmtcli.commands.columns import TRADES
from qmtcli.commands.common import App, Reading, command, follow_option
from qmtcli.messages import say
from qmtcli.model import Trade
from qmtcli.output import emit_rows, emit_stream


@command(
    "trades",
    "当日成交。",
    "Trades of the day, each with its fees.",
    epilog="qmt trades --follow -o ndjson",
    reading=Reading(TRADES, Trade._fields, "traded_id", "当日成交", "Trades today"),
)
@follow_option(
    "持续输出新成交, 每行一笔; 断线重连后不遗漏",
    "go on with each new trade, a line each, across lost links",
)
def trades(app: App, follow: bool) -> None:
    app.profile  # noqa: B018
    what = say("当日成交", "Trades today")
    if follow:
        from qmtcli.xt import follow as following

        batches = ([row._asdict() for row in rows] for rows in following.trades(app.line()))
        emit_stream(app.console, batches, Trade._fields, TRADES, "traded_id", what)
        return
    rows = [row._asdict() for row in app.session.trades()]
    emit_rows(app.console, rows, Trade._fields, TRADES, "traded_id", f"{what}: {len(rows)}")
