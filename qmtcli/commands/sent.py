"""How ``buy`` and ``sell`` show an order: the line before it is sent, and the object of what became of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from qmtcli.commands.columns import SENT
from qmtcli.commands.common import nothing_sent
from qmtcli.errors import ConfigError, Rejected
from qmtcli.ledger import State
from qmtcli.messages import say
from qmtcli.model import Credit, OrderRequest, Side
from qmtcli.output import emit_row, emit_rows, price_text
from qmtcli.xt import codes

if TYPE_CHECKING:
    from qmtcli.console import Console
    from qmtcli.desk import Outcome
    from qmtcli.orders import Market
    from qmtcli.rules.settings import FeeSchedule
    from qmtcli.tickets import Built


def emit(console: Console, side: Side, dry_run: bool, result: dict[str, Any]) -> None:
    """One object; for people and for ``-o id`` each part of an order that was split has a line of its own."""
    parts = result["parts"]
    caption = (say("买入", "Buy") if side is Side.BUY else say("卖出", "Sell")) + nothing_sent(dry_run)
    if parts and console.format in ("table", "wide", "id"):
        emit_rows(console, parts, list(result), SENT, "order_id", caption)
    else:
        emit_row(console, result, SENT, "order_id", caption)


def whole(rows: list[dict[str, Any]], dry_run: bool, left: int) -> dict[str, Any]:
    """The object of an order, from the rows of its parts; ``left``: shares of the holding that stay behind."""
    more = {"dry_run": dry_run, "left_volume": left, "parts": []}
    if len(rows) == 1:
        return {**rows[0], **more}
    return {**_summed(rows), **more, "parts": [{**row, **more} for row in rows]}


def _summed(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The parts of an order as one: the first, with the volumes and money of all and the status they share."""
    traded = sum(part["traded_volume"] for part in parts)
    spent = sum(part["traded_volume"] * part["traded_price"] for part in parts)
    same = len({part["status"] for part in parts}) == 1
    worst = [part["worst_amount"] for part in parts]
    return {
        **parts[0],
        "order_volume": sum(part["order_volume"] for part in parts),
        "traded_volume": traded,
        "traded_price": round(spent / traded, 4) if traded else 0.0,
        "order_status": parts[0]["order_status"] if same else None,
        "status": parts[0]["status"] if same else "mixed",
        "worst_amount": None if None in worst else round(sum(worst), 2),
        "replayed": all(part["replayed"] for part in parts),
    }


def preview(built: Built, schedule: FeeSchedule) -> str:
    """The order in one line, before it is sent."""
    from qmtcli import orders
    from qmtcli.rules.lots import lot_rule

    requests, market, note = built.requests, built.market, built.note
    instrument, request = market.instrument, requests[0]
    volume = sum(request.volume for request in requests)
    lot = lot_rule(instrument, market.day, market.rules)
    count = volume / lot.min_buy
    lots = f" ({count:g} {say('手', 'lot' if count == 1 else 'lots')})" if lot.step > 1 else ""
    amounts = [orders.most(request, market, schedule) for request in requests]
    total = sum(amount for amount in amounts if amount is not None)
    if market.lends:
        return " | ".join(_lent(request, volume, lots, market, Decimal(total)) + ([note] if note else []))
    band = orders.price_band(market)
    side = say("买入", "buy") if request.side is Side.BUY else say("卖出", "sell")
    price = price_text(request.price) or say("市价", "market")
    if orders.is_after_hours(request):
        price = say(f"收盘价, 不越过 {price}", f"the close, not past {price}")
    if request.credit is not None:
        side = say(*_CREDIT[request.side, request.credit])
    parts = [f"{side} {instrument.code} {instrument.name} {volume:,}{lots} @ {price}"]
    if total:
        most = say("最多", "at most") if request.side is Side.BUY else say("至少", "at least")
        parts.append(f"{most} {total:,.2f} {say('元', 'CNY')}")
    if band is not None:
        parts.append(f"{say('涨跌停', 'limits')} {price_text(band.down)}-{price_text(band.up)}")
    return " | ".join(parts + ([note] if note else []))


#: (a terminal's word, English) of an order on a margin account
_CREDIT = {
    (Side.BUY, Credit.COLLATERAL): ("担保品买入", "buy collateral"),
    (Side.SELL, Credit.COLLATERAL): ("担保品卖出", "sell collateral"),
    (Side.BUY, Credit.FIN): ("融资买入", "buy with borrowed money"),
    (Side.SELL, Credit.SLO): ("融券卖出", "sell borrowed shares"),
    (Side.BUY, Credit.REPAY): ("买券还券", "buy to give back shares"),
    (Side.SELL, Credit.REPAY): ("卖券还款", "sell to repay money"),
}


def _lent(request: OrderRequest, volume: int, lots: str, market: Market, total: Decimal) -> list[str]:
    """What a repo order lends, for how long and at what interest, as far as the calendar tells."""
    from qmtcli.rules.settlement import REPO_UNIT, repo_days, repo_interest, repo_term

    code, amount, cny = request.code, Decimal(REPO_UNIT * volume), say("元", "CNY")
    term = repo_term(code)
    lent = f"{say('借出', 'lend')} {amount:,} {cny} {code} {market.instrument.name} {volume:,}{lots}"
    parts = [
        f"{lent} @ {price_text(request.price)}%, {term} {say('天', 'day' if term == 1 else 'days')}",
        f"{say('费用在内', 'with fees')} {total:,.2f} {cny}",
    ]
    if market.at is None:  # a market that is always open has a calendar of its own
        return parts
    try:
        back, days = repo_days(code, market.day)
    except ConfigError:
        return parts
    interest = repo_interest(amount, request.price, days, market.rules)
    return [*parts, say(f"{back} 可用, 利息 {interest:,} 元", f"back on {back}, interest {interest:,} CNY")]


def order_row(outcome: Outcome) -> dict[str, Any]:
    """The row of one order sent, or not sent."""
    entry, order = outcome.entry, outcome.order
    told = outcome.error.params.get("reason") if isinstance(outcome.error, Rejected) else None
    state = entry.state
    status = "not_sent" if state is State.PLANNED else "sent" if state is State.ACCEPTED else str(state)
    row: dict[str, Any] = {
        "client_id": entry.client_id,
        "order_id": entry.order_id,
        "order_sysid": "",
        "stock_code": entry.stock_code,
        "instrument_name": entry.instrument_name,
        "side": entry.side,
        "order_type": entry.order_type,
        "order_volume": entry.order_volume,
        "price_type": entry.price_type,
        "price_kind": codes.PRICE_KINDS.get(entry.price_type, str(entry.price_type)),
        "price": float(entry.price),
        "traded_volume": 0,
        "traded_price": 0.0,
        "order_status": None,
        "status": status,
        "status_msg": str(told or entry.message),
        "order_time": None,
        "time": None,
        "strategy_name": entry.strategy_name,
        "order_remark": entry.client_id,
    }
    if order is not None:
        row.update({key: value for key, value in order._asdict().items() if value not in ("", None)})
        if state is State.REJECTED:
            row.update(status="rejected", status_msg=str(told or entry.message))  # a row cuts the words short
    worst = float(entry.risk) if entry.risk else None
    return {**row, "worst_amount": worst, "replayed": outcome.replayed}
