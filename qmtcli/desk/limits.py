"""The profile's ``limits:``, on one order and on the orders of a day. They bind buys and new risk.

Sells keep the distance from the last price and the rate, and no limit ever stops a cancel.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from qmtcli.config import Limits, Profile
from qmtcli.errors import Refused
from qmtcli.ledger import Entry, Used
from qmtcli.model import Credit, Order, OrderRequest, OrderStatus, Side


def of(profile: Profile) -> Limits:
    """The limits of a profile, none of them set where it has none."""
    return profile.limits if isinstance(profile.limits, Limits) else Limits()


def new_risk(request: OrderRequest, lends: bool) -> bool:
    """Whether value limits bind an order: a buy, a sell of borrowed shares, and the sell of a repo, which lends."""
    return request.side is Side.BUY or lends or request.credit is Credit.SLO


def check_order(
    limits: Limits, request: OrderRequest, value: Decimal | None, last: Decimal | None, lends: bool = False
) -> None:
    """Hold one order to the limits on one order. Raises Refused.

    ``value``: the CNY at risk, None where no price bounds it; ``last``: the last price; ``lends``: a repo's sell, whose
    price is a rate.
    """
    if new_risk(request, lends):
        check_value(limits, request.code, request.volume, value)
    if limits.price_away is not None and request.price and not lends:
        if last is None:
            raise Refused("limit_price_away_unknown", code=request.code)
        away = abs(request.price / last - 1)
        if away > limits.price_away:
            raise Refused("limit_price_away", away=round(float(away), 4), limit=float(limits.price_away))


def check_value(limits: Limits, code: str, volume: int, value: Decimal | None) -> None:
    """Hold new risk to what it may be. Raises Refused."""
    if limits.symbols is not None and code not in limits.symbols:
        raise Refused("limit_symbols", code=code, allowed=sorted(limits.symbols))
    if limits.order_volume is not None and volume > limits.order_volume:
        raise Refused("limit_order_volume", volume=volume, limit=limits.order_volume)
    if limits.order_value is not None and (value is None or value > limits.order_value):
        raise Refused("limit_order_value", value=value, limit=limits.order_value)


def check_day(limits: Limits, entry: Entry, used: Used) -> Refused | None:
    """Why an order may not be sent any more on a day that has used so much of its limits; None: it may."""
    if not entry.new_risk:
        return None
    value = Decimal(entry.risk) if entry.risk else None
    try:
        check_value(limits, entry.stock_code, entry.order_volume, value)
    except Refused as error:
        return error
    if limits.orders_per_day is not None and used.orders >= limits.orders_per_day:
        return Refused("limit_orders_per_day", used=used.orders, limit=limits.orders_per_day)
    if limits.day_turnover is not None and (value is None or used.turnover + value > limits.day_turnover):
        return Refused("limit_day_turnover", used=used.turnover, value=value, limit=limits.day_turnover)
    return None


def binds_day(limits: Limits) -> bool:
    """Whether the orders of the whole account have to be known before one is sent."""
    return limits.orders_per_day is not None or limits.day_turnover is not None


def outside(orders: Iterable[Order], entries: Iterable[Entry]) -> Used:
    """What the broker's orders of the day that are not in the ledger have used: made by hand, or elsewhere."""
    known = [*entries]
    ids, clients = {entry.order_id for entry in known}, {entry.client_id for entry in known}
    count, turnover = 0, Decimal(0)
    for order in orders:
        if order.order_id in ids or order.order_remark in clients:
            continue
        count += 1
        if order.side == Side.BUY and not order.subscription and order.state is not OrderStatus.JUNK:
            turnover += Decimal(str(order.traded_price)) * order.traded_volume
            if not order.state.done:
                turnover += Decimal(str(order.price)) * (order.order_volume - order.traded_volume)
    return Used(count, turnover)
