"""Giving an order another price: it is canceled, seen canceled, and its rest is sent once.

The new order's entry is planned before the cancel goes out, so that whoever is interrupted goes on by saying the same
again: what is canceled already is not canceled twice, and the rest has a client id that is used once.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from qmtcli import orders
from qmtcli.desk import limits
from qmtcli.errors import OutcomeUnknown, Partial, QmtError, Refused, Rejected
from qmtcli.ledger import Entry, State, Used
from qmtcli.model import Order, OrderStatus, Side
from qmtcli.orders import PriceSpec
from qmtcli.tickets import Markets, Ticket, build
from qmtcli.xt import codes

if TYPE_CHECKING:
    from qmtcli.desk import Desk

#: seconds that a cancel is waited for
CANCEL_SECONDS = 5.0


class Replacing(NamedTuple):
    """An order that is to have another price."""

    #: its row as it was last seen
    order: Order
    #: of what takes its place
    entry: Entry


def client_id(day: str, order_id: str, price: str) -> str:
    """The client id of what takes an order's place at a price: the same whenever the same is asked for."""
    told = hashlib.sha256(f"{day} {order_id} {price}".encode()).hexdigest()
    return f"r{order_id[-10:]}.{told[:6]}"


def typed(order: Order, price: PriceSpec) -> dict[str, str]:
    """What was asked for, in words that are the same whenever it is asked for."""
    word = f"{price.value.normalize():f}" if price.value is not None else price.text
    return {"replaces": order.order_id, "price": word}


def begin(desk: Desk, markets: Markets, order: Order, price: PriceSpec, new_id: str, snap: bool = False) -> Replacing:
    """The replacement of an order, checked and planned, or as it was left by whoever began it; nothing is canceled.

    Raises Refused where it cannot be replaced, or not so; NotConnected, NoData.
    """
    words = typed(order, price)
    if not desk.dry_run and (known := desk.recall(new_id, words)):
        return Replacing(order, known[0])
    if order.state.done:
        raise Refused("order_is_final", order_id=order.order_id, status=order.status)
    if order.subscription or codes.PRICE_KINDS.get(order.price_type, "limit") != "limit":
        raise Refused("only_limit_orders", order_id=order.order_id, kind=order.price_kind)
    built = build(_ticket(order, price, snap), markets, new_id)
    (entry,) = desk.enter(built, markets.schedule, "replace", words)
    if not desk.dry_run:
        # its own place is free again once it is canceled, so what it holds counts for it
        held = limits.outside([order], [])
        used = desk.ledger.used(desk.day)
        free = Used(used.orders, used.turnover - min(held.turnover, used.turnover))
        if error := limits.check_day(limits.of(desk.profile), entry, free):
            raise error
    return Replacing(order, entry)


def _ticket(order: Order, price: PriceSpec, snap: bool) -> Ticket:
    """A ticket for as much of an order as is a whole number of lots now; the rest is known after the cancel."""
    purpose = next((credit for (_, credit), number in codes.ORDER_TYPES.items() if number == order.order_type), None)
    return Ticket(Side(order.side), order.stock_code, price, str(order.order_volume), strategy=order.strategy_name or
                  "qmt", credit=purpose)  # fmt: skip


def replace(desk: Desk, markets: Markets, replacing: Replacing) -> tuple[Replacing, QmtError | None]:
    """Cancel the order, unless that is done or what takes its place was sent; what is to be sent, or why nothing is.

    Raises NotConnected.
    """
    order, entry = replacing
    if entry.state is not State.PLANNED:
        return replacing, None
    (entry,) = desk.ledger.plan([entry])
    if entry.state is not State.PLANNED:
        return Replacing(order, entry), None
    if not order.state.done:
        (found,) = desk.cancel([order], CANCEL_SECONDS)
        order = found.order
        if found.result not in ("unknown", "pending"):
            del desk.sent[order.order_id]  # what became of the cancel is known
        if found.result == "unknown":
            error: QmtError = OutcomeUnknown("cancel_unknown", order_id=order.order_id)
            return Replacing(order, entry), error
        if not order.state.done:
            return Replacing(order, entry), _not_canceled(found.result, order, found.message)
    if order.state is OrderStatus.SUCCEEDED:
        return Replacing(order, entry), Partial("filled_first", order_id=order.order_id)
    rest = order.order_volume - order.traded_volume
    market = markets.of(entry.stock_code, Side(entry.side), orders.parse_price(entry.price))
    sellable = None
    if entry.side == "sell":
        held = {row.stock_code: row for row in desk.session.positions()}.get(entry.stock_code)
        sellable = held.can_use_volume if held else 0
    volume = orders.whole_lots(rest, Side(entry.side), market, sellable)
    if not volume:
        return Replacing(order, entry), Partial("rest_below_lot", order_id=order.order_id, volume=rest)
    risk = Decimal(entry.risk) * volume / entry.order_volume if entry.risk else None
    entry = entry._replace(order_volume=volume, risk="" if risk is None else str(risk))
    return Replacing(order, entry), None


def _not_canceled(result: str, order: Order, message: str) -> QmtError:
    if result == "refused":
        return Rejected("cancel_refused", order_id=order.order_id, reason=message)
    return OutcomeUnknown("cancel_pending", order_id=order.order_id)
