"""What became of entries that nobody is at work on: looked for among the broker's orders of the day.

An order is an entry's where its remark is the client id and it is what was asked for; no order is two entries'. Not
being listed proves nothing at a terminal. The paper exchange keeps what is on its way in the account's file, so there,
where its sender is dead, an order that is not in the file was never sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from qmtcli.ledger import Entry, Ledger, State
from qmtcli.model import Order

#: entries that are settled at once
_TOGETHER = 500
#: milliseconds that the broker's clock may be behind this machine's
_CLOCKS_APART = 30_000


def looked_for(
    entries: Sequence[Entry],
    orders: Sequence[Order],
    claims: Mapping[str, int],
    stands: Callable[[str], bool] | None,
) -> list[Entry]:
    """Entries of today as the day's orders have them. ``claims``: keys of the day's entries by the orders that are
    theirs; ``stands(client id)``: as `qmtcli.xt.session.Session.stands`."""
    own = {entry.key for entry in entries}
    claimed = {order_id for order_id, key in claims.items() if key not in own}
    by_id = {order.order_id: order for order in orders}
    by_remark: dict[str, list[Order]] = {}
    for each in orders:
        by_remark.setdefault(each.order_remark, []).append(each)
    settled = []
    for entry in entries:
        order = by_id.get(entry.order_id) if entry.order_id else _fitting(entry, by_remark, claimed)
        if order is not None:
            claimed.add(order.order_id)
            settled.append(entry.seen(order))
        elif stands is not None and not entry.shown and not stands(entry.client_id):
            settled.append(entry._replace(state=State.PLANNED, sent=0, order_id="", shown=""))
        else:
            settled.append(entry._replace(state=State.UNKNOWN))
    return settled


def _fitting(entry: Entry, by_remark: dict[str, list[Order]], claimed: set[str]) -> Order | None:
    """The order that was sent for an entry of which no id is known; ``claimed``: ids of orders that are others'."""
    asked = (entry.stock_code, entry.side, entry.order_volume)
    for order in by_remark.get(entry.remark, ()):
        # a script's own remark may be that of many orders, those of earlier hours among them
        own = entry.remark == entry.client_id or order.order_time * 1000 > entry.sent - _CLOCKS_APART
        if own and order.order_id not in claimed and (order.stock_code, order.side, order.order_volume) == asked:
            return order
    return None


def _as_it_ended(entry: Entry, past: Callable[[str, str], Order | None] | None) -> Entry:
    """An entry of an earlier day, as it ended where that can be known: on paper what is in no file was not sent."""
    if past is None:
        return entry._replace(state=State.UNKNOWN)
    order = past(entry.client_id, entry.day)
    if order is None:
        return entry._replace(state=State.DROPPED, message="not sent")
    return entry.seen(order)


def settle(
    ledger: Ledger,
    day: str,
    orders: Sequence[Order],
    stands: Callable[[str], bool] | None = None,
    past: Callable[[str, str], Order | None] | None = None,
) -> None:
    """Settle what the ledger has open, as far as the orders of the day tell.

    What another process is at work on is left to it. Entries of an earlier day are unknown where nobody knows that day;
    ``stands`` and ``past`` as `qmtcli.xt.session.Session` has them.
    """
    waiting = ledger.open_keys()
    for first in range(0, len(waiting), _TOGETHER):
        mine = [key for key in waiting[first : first + _TOGETHER] if ledger.owners.take(key)]
        # read when they are this process's own
        before = [entry for key in mine for entry in ledger.select("key = ?", key) if not entry.state.final]
        today = [entry for entry in before if entry.day >= day]
        now = looked_for(today, orders, ledger.claims(day), stands) if today else []
        now += [_as_it_ended(entry, past) for entry in before if entry.day < day]
        ledger.settle(set(now) - set(before), leave=False)
        for key in mine:
            ledger.owners.leave(key)
