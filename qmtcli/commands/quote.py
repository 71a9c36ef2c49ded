"""``qmt quote``: snapshots."""

from __future__ import annotations

import click

from qmtcli.commands import complete
from qmtcli.commands.columns import QUOTE
from qmtcli.commands.common import App, Reading, Seconds, command, read_from
from qmtcli.errors import NoData
from qmtcli.messages import say
from qmtcli.model import Quote
from qmtcli.output import emit_rows


@command(
    "quote",
    "行情快照; 代码写法不限 (600000, sh600000, 600000.XSHG), - 从标准输入读取。",
    "Snapshots with five levels. Codes in any usual spelling; a dash reads them from stdin.",
    epilog="qmt positions --json | qmt quote -",
    reading=Reading(QUOTE, Quote._fields, "stock_code", "行情", "Quotes"),
)
@click.argument("codes", nargs=-1, metavar="CODE...", required=True, shell_complete=complete.codes)
@click.option(
    "--max-age",
    metavar="S",
    type=Seconds(min=0),
    help=say("行情不得早于 S 秒", "refuse a snapshot older than S seconds"),
)
def quote(app: App, codes: tuple[str, ...], max_age: float | None) -> None:
    from qmtcli.symbols import parse_code

    app.profile  # noqa: B018
    wanted = [parse_code(word) for word in read_from(codes, app.console, ("stock_code", "code"))]
    quotes = app.session.quotes(wanted) if wanted else []
    if max_age is not None:
        _hold_age(app, quotes, max_age)
    caption = say("行情", "Quotes")
    if quotes and quotes[0].synthetic:
        caption += say(" (生成的样本行情, 非真实)", " (generated sample market, not real)")
    emit_rows(app.console, [quote._asdict() for quote in quotes], Quote._fields, QUOTE, "stock_code", caption)


def _hold_age(app: App, quotes: list[Quote], max_age: float) -> None:
    now = app.session.now()
    old = {quote.stock_code: round(now - quote.tick_time / 1000, 1) for quote in quotes}
    old = {code: age for code, age in old.items() if age > max_age}
    if old:
        raise NoData("stale_quote", codes=list(old), ages=old, max_age=max_age)
