"""The rows of the day as they change, whatever becomes of the link.

Pushes tell at once, and can be lost: with the link, or without a word. So the whole day is read again after every new
link, and whenever nothing was heard for a while; what that shows anew comes as if it had been pushed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from typing import NamedTuple, TypeVar

from qmtcli.errors import NotConnected
from qmtcli.model import Order, Trade
from qmtcli.xt.session import Session

#: seconds without a push after which the day is read again
EVERY = 10.0
#: seconds between two looks at whether anybody still listens
_STEP = 0.5
#: seconds before the first and, doubled each time, at most before a later attempt at a new link
_FIRST_WAIT, _LAST_WAIT = 1.0, 30.0
R = TypeVar("R", Order, Trade)


class Line(NamedTuple):
    """What following needs of whoever follows."""

    session: Session
    #: called at least twice a second; raises what is to end the following
    pulse: Callable[[], None]
    #: told that the link is lost, with the error, and once it is there again, without
    told: Callable[[NotConnected | None], None]
    every: float = EVERY


def orders(line: Line) -> Iterator[list[Order]]:
    """First the orders of the day, then each that is new or has changed. Raises NotConnected before the first."""
    return _follow(line, Session.orders, Order, lambda order: order.order_id, _order_moved)


def trades(line: Line) -> Iterator[list[Trade]]:
    """First the trades of the day, then each new one. Raises NotConnected before the first."""
    return _follow(
        line, Session.trades, Trade, lambda trade: (trade.traded_id, trade.order_id, trade.stock_code), _never
    )


def _order_moved(known: Order, order: Order) -> bool:
    """Whether a row is news of an order, and not a late word of what it was before."""
    if known.state.done or order.traded_volume < known.traded_volume:
        return False
    before = known.order_status, known.traded_volume, known.order_sysid, known.status_msg
    after = order.order_status, order.traded_volume, order.order_sysid, order.status_msg
    # a row may lack what an earlier one had
    return any(new != old and new != "" for old, new in zip(before, after, strict=True))


def _never(known: Trade, trade: Trade) -> bool:
    return False


def _follow(
    line: Line,
    read: Callable[[Session], list[R]],
    kind: type[R],
    key: Callable[[R], Hashable],
    moved: Callable[[R, R], bool],
) -> Iterator[list[R]]:
    known: dict[Hashable, R] = {}

    def news(rows: list[R]) -> list[R]:
        found = []
        for row in rows:
            before = known.get(key(row))
            if before is None or moved(before, row):
                known[key(row)] = row
                found.append(row)
        return found

    session = line.session
    session.follow()
    session.subscribe()  # before the first reading, so that nothing falls between
    yield news(read(session))
    wait = 0.0
    while True:
        try:
            if wait:
                _pause(line, wait)
            pushed = [] if wait else _heard(line)
            if not pushed:
                session.subscribe()
            found = news([row for row in pushed if isinstance(row, kind)] if pushed else read(session))
        except NotConnected as error:
            if not wait:
                line.told(error)
            session.close()  # a link may be dead without a word
            wait = min(2 * wait, _LAST_WAIT) or _FIRST_WAIT
            continue
        if wait:
            line.told(None)
        wait = 0.0
        if found:
            yield found


def _heard(line: Line) -> list[Order | Trade]:
    """What is pushed next; nothing when it has been quiet for long. Raises NotConnected when the link is lost."""
    until = time.monotonic() + line.every
    while (left := until - time.monotonic()) > 0:
        line.pulse()
        if pushed := line.session.pushed(min(left, _STEP)):
            return pushed
    return []


def _pause(line: Line, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        line.pulse()
        time.sleep(min(left, _STEP))
