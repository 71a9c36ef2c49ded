"""``qmt positions``: what the account holds."""

from __future__ import annotations

import click

from qmtcli.commands import complete
from qmtcli.commands.columns import POSITIONS
from qmtcli.commands.common import App, Reading, command
from qmtcli.errors import NoData
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
@click.option(
    "--strategy",
    metavar="NAME",
    help=say("只列此策略账本的", "only what is this strategy's, by its book"),
    shell_complete=complete.strategies,
)
def positions(app: App, everything: bool, strategy: str | None) -> None:
    app.profile  # noqa: B018 - names the account before anything is asked
    held = app.session.positions()
    if strategy is not None:
        held = _of_book(app, strategy, held)
    rows = [row._asdict() for row in held if everything or row.volume]
    caption = say(f"持仓: {len(rows)}", f"Holdings: {len(rows)}")
    emit_rows(app.console, rows, Position._fields, POSITIONS, "stock_code", caption)


def _of_book(app: App, strategy: str, held: list[Position]) -> list[Position]:
    """The account's holdings as far as they are a strategy's. Raises NoData where it has no book."""
    from qmtcli.books import selling

    app.settle()
    found = app.books()
    if strategy not in found:
        raise NoData("no_book", name=strategy, known=sorted(found))
    book, rows = found[strategy], []
    for row in held:
        own = book.holdings.get(row.stock_code)
        if own is None or not own.volume:
            continue
        sells = selling(app.ledger.not_final(), strategy, row.stock_code)
        free = max(min(row.can_use_volume, own.volume - sells), 0)
        price, cost = row.last_price, float(own.cost)
        value = round(price * own.volume, 2)
        rows.append(
            row._replace(
                volume=own.volume,
                can_use_volume=free,
                frozen_volume=min(sells, own.volume),
                yesterday_volume=max(own.volume - own.bought_today, 0),
                avg_price=round(float(own.avg_price), 4),
                market_value=value,
                profit=round(value - cost, 2),
                profit_rate=round(value / cost - 1, 6) if cost else 0.0,
            )
        )
    return rows
