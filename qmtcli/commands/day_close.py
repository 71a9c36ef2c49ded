"""``qmt day-close``: keep the trading day as it ended, since a terminal knows today only."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from qmtcli.commands.columns import DAY_CLOSE
from qmtcli.commands.common import App, command
from qmtcli.errors import ExitStatus
from qmtcli.messages import say
from qmtcli.output import check_fields, emit_row

if TYPE_CHECKING:
    from qmtcli.ledger import Entry
    from qmtcli.model import Order, Trade

_SHANGHAI = timezone(timedelta(hours=8))
_KEYS = (
    "day", "closed_at", "orders", "own_orders", "other_orders", "trades", "positions", "total_asset", "cash", "profit",
    "unknown",
)  # fmt: skip


@command(
    "day-close",
    "收盘归档: 存下当日委托 (含手工的)、成交、持仓、资金, 并了结台账; 之后用 orders --date、log --days 查看。",
    "Keep the day: orders (those made by hand too), trades, holdings and money; and settle the ledger. See it later"
    " with orders --date and log --days.",
)
def day_close(app: App) -> int:
    from qmtcli.ledger import Close

    app.profile  # noqa: B018
    check_fields(app.console, _KEYS)
    desk, session = app.open_desk(), app.session
    day = session.today().isoformat()
    orders, trades = session.orders(), session.trades()
    positions, asset = session.positions(), session.asset()
    desk.settle(orders)
    ledger = desk.ledger
    ledger.settle(_expired(app, ledger.of_day(day)))
    ledger.settle(_with_fees(ledger.of_day(day), trades))
    unknown = [entry.client_id for entry in ledger.of_day(day) if entry.state.undecided]
    before = ledger.closes("day < ?", day)
    at = session.now()
    told = [{**order._asdict(), "source": _source(order, ledger.of_day(day))} for order in orders]
    ledger.close_day(
        Close(
            day, int(at * 1000), asset._asdict(), [row._asdict() for row in positions], told,
            [trade._asdict() for trade in trades],
        )
    )  # fmt: skip
    own = sum(1 for order in told if order["source"] == "qmt")
    row: dict[str, Any] = {
        "day": day,
        "closed_at": datetime.fromtimestamp(at, _SHANGHAI).isoformat(timespec="seconds"),
        "orders": len(told),
        "own_orders": own,
        "other_orders": len(told) - own,
        "trades": len(trades),
        "positions": sum(1 for held in positions if held.volume),
        "total_asset": asset.total_asset,
        "cash": asset.cash,
        "profit": round(asset.total_asset - before[-1].asset["total_asset"], 2) if before else None,
        "unknown": unknown,
    }
    emit_row(app.console, row, DAY_CLOSE, "day", say("收盘归档", "Day closed"))
    return ExitStatus.UNKNOWN if unknown else ExitStatus.OK


def _expired(app: App, entries: list[Entry]) -> list[Entry]:
    """Entries that are open after the last phase of their day, as they have ended: an order lives one day."""
    from qmtcli.ledger import State
    from qmtcli.orders import known_instrument
    from qmtcli.rules.phases import phase_at
    from qmtcli.rules.settings import DEFAULT

    profile = app.profile
    if not profile.live and profile.hours == "always":
        return []
    now = datetime.fromtimestamp(app.session.now(), _SHANGHAI)
    found = []
    for entry in entries:
        if entry.state not in (State.OPEN, State.PART_FILLED) or entry.day != now.date().isoformat():
            continue
        instrument = known_instrument(entry.stock_code, None, app.told(entry.stock_code))
        if phase_at(instrument, now.time(), now.date(), DEFAULT._replace(**profile.rules)).is_over:
            found.append(entry._replace(state=State.CANCELED, message=say("收盘失效", "expired at the close")))
    return found


def _source(order: Order, entries: list[Entry]) -> str:
    """Whether an order is the ledger's, or was made by hand or elsewhere."""
    own = any(entry.order_id == order.order_id for entry in entries)
    return "qmt" if own else "other"


def _with_fees(entries: list[Entry], trades: list[Trade]) -> list[Entry]:
    """Entries with the fees that the day's trades tell, those of which that is news."""
    fees: dict[str, float] = {}
    for trade in trades:
        fees[trade.order_id] = fees.get(trade.order_id, 0.0) + trade.commission
    found = []
    for entry in entries:
        told = fees.get(entry.order_id)
        if told is not None and told > 0 and entry.fees != round(told, 2):
            found.append(entry._replace(fees=round(told, 2)))
    return found
