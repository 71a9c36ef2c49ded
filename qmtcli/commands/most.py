"""``qmt max``: how much can be bought and sold now at a price."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from qmtcli.commands import complete
from qmtcli.commands.columns import MOST
from qmtcli.commands.common import App, command
from qmtcli.errors import Refused
from qmtcli.messages import say
from qmtcli.model import Side
from qmtcli.output import emit_row

if TYPE_CHECKING:
    from qmtcli.orders import Market
    from qmtcli.rules.settings import FeeSchedule


@command(
    "max",
    "按某价格现在最多能买、能卖多少 (费用在内; 受 limits 约束的另列)。",
    "How much can be bought and sold now at a price: fees in, and what the profile's limits leave of it.",
    epilog="qmt max 600000.SH --limit 9.09",
)
@click.argument("code", shell_complete=complete.codes)
@click.option("--limit", metavar="P", help=say("限价, 元", "limit price, CNY"))
@click.option(
    "--price", metavar="P", help=say("限价, 或 peer、own、last… [±N 跳]", "limit price, or peer, own, last… [±N ticks]")
)
@click.option("--round", "snap", is_flag=True, help=say("价格取整到最小变动单位", "round the price to the tick"))
def most(app: App, code: str, limit: str | None, price: str | None, snap: bool) -> None:
    from qmtcli import tickets
    from qmtcli.desk import limits as rules

    app.profile  # noqa: B018
    ticket = tickets.ticket(Side.BUY, code, "1", None, limit, price, None, None, snap)
    markets, session = app.markets, app.session
    market = markets.of(ticket.code, Side.BUY, ticket.price)
    at, _, _ = tickets.priced(ticket, market)
    cash = session.asset().cash
    held = markets.holdings.get(ticket.code)
    side = Side.SELL if market.lends else Side.BUY
    found = _volume(cash, at, side, market, markets.schedule)
    buys, sells = (0, found) if market.lends else (found, held.can_use_volume if held else 0)
    limits, within = rules.of(app.profile), buys
    if limits.symbols is not None and ticket.code not in limits.symbols:
        within = 0
    if limits.order_volume is not None:
        within = min(within, limits.order_volume)
    if limits.order_value is not None:
        within = min(within, _volume(float(limits.order_value), at, side, market, markets.schedule))
    row: dict[str, Any] = {
        "stock_code": ticket.code,
        "instrument_name": market.instrument.name,
        "price": float(at),
        "cash": cash,
        "buy_volume": buys,
        "buy_volume_within_limits": within,
        "sell_volume": sells,
        "held_volume": held.volume if held else 0,
    }
    emit_row(app.console, row, MOST, "stock_code", say("最多可买卖", "At most"))


def _volume(money: float, price: Decimal, side: Side, market: Market, schedule: FeeSchedule) -> int:
    """The largest volume that so much money (CNY) is enough for, over several orders where one may not be so large."""
    from qmtcli.orders import volume_for

    if money <= 0:
        return 0
    try:
        return volume_for(Decimal(str(money)), price, side, market, schedule)
    except Refused as error:
        if error.code in ("below_lot", "below_lend"):
            return 0
        raise
