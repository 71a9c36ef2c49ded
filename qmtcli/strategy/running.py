"""A strategy in real time, on paper or live: one loop that nothing but the strategy itself holds up.

What comes, ticks, pushes and the word to stop, comes into one box, and is told one at a time. The link to the terminal
is a state: while there is none, or the account is not up, nothing is sent, the strategy is told, and one attempt after
another, further and further apart, is made; then the day is read again before anything else.
"""

from __future__ import annotations

import json
import os
import queue
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from qmtcli.desk import Desk
from qmtcli.errors import ConfigError, ExitStatus, NotConnected, QmtError, Refused
from qmtcli.model import Order, Trade
from qmtcli.orders import known_instrument
from qmtcli.strategy import bars
from qmtcli.strategy.context import Context
from qmtcli.strategy.engine import Engine
from qmtcli.strategy.file import Strategy
from qmtcli.strategy.ticks import Tick
from qmtcli.tickets import Markets

#: seconds between two looks at a clock that is set, and at orders of which nothing is heard
_STEP = 0.05
#: seconds without a tick in trading hours after which quotes are subscribed anew
_STALE = 60.0
#: seconds before the first and, doubled each time, at most before a later attempt at a new link
_FIRST_WAIT, _LAST_WAIT = 1.0, 30.0
#: seconds between two readings of what stands while an order has not had its last word: a push may never come
_LOOK = 15.0
#: seconds that are waited for the outcome of orders at the end
_LAST_WORDS = 3.0

Emit = Callable[..., None]


class Place(NamedTuple):
    """Where a strategy runs."""

    desk: Desk
    markets: Markets
    told: Callable[[str], Mapping[str, Any]]
    #: whether the market keeps no hours
    always: bool
    #: whether its clock is set, and may be stepped
    set_clock: bool
    trades_on: Callable[[date], bool]


class Running:
    """One run of one strategy."""

    def __init__(self, strategy: Strategy, place: Place, context: Context, emit: Emit, until: int | None) -> None:
        """``until``: epoch ms at which it stops of itself."""
        self._strategy, self._place, self._context, self._emit = strategy, place, context, emit
        self._until = until
        self._session, self._ledger = place.desk.session, place.desk.ledger
        self.inbox: queue.SimpleQueue[tuple[str, dict[str, Any]] | str | None] = queue.SimpleQueue()
        self._engine = Engine(strategy, self._call, self._day_of, place.trades_on)
        self._offset = time.time() - time.monotonic()
        context.attach(self._engine, self.now)
        self._known: dict[str, Order] = {}
        self._trades: set[tuple[str, str]] = set()
        #: whose numbers these are
        self._day: date | None = None
        self._retry, self._wait = 0.0, 0.0
        self._links = 0
        self._heard = self._looked = time.monotonic()
        self._stale = False
        self._numbers: list[int] = []
        self._stopped = False
        #: whether ``on_start`` was called: nothing is told before
        self._begun = False

    def now(self) -> int:
        """Epoch ms by the market's clock; of a machine's clock its jumps are left out."""
        if self._place.set_clock:
            return int(self._session.now() * 1000)
        return int((time.monotonic() + self._offset) * 1000)

    def stop(self) -> None:
        """Have it stop, from any thread or signal handler."""
        self.inbox.put("stop")

    def run(self) -> int:
        """Run until it is stopped; the exit status: 7 where an order's outcome is not known.

        Raises Refused where the strategy runs already, and whatever it raises itself.
        """
        if not self._ledger.take_turn(f"strategy {self._context.name}"):
            raise Refused("strategy_runs", name=self._context.name)
        self._session.wake = lambda: self.inbox.put(None)
        self._session.follow()
        while not (self._link() and self._subscribed()):
            while (left := self._retry - time.monotonic()) > 0:
                if self._idle(left) == "stop":
                    return ExitStatus.OK
        self._begun = True
        self._engine.hook("on_start")
        self._engine.add_timers(dict(self._strategy.declared.timers), self.now())
        self._emit("started", symbols=list(self._strategy.declared.symbols), params=self._context.params)
        while not self._stopped:
            self._turn()
        self._engine.hook("on_stop")
        return self._end()

    def _turn(self) -> None:
        """One thing that has come, or whose time has."""
        item = self._idle(self._pause())
        if isinstance(item, tuple):
            self._tick(*item)
        elif item == "stop":
            self._stopped = True
            return
        if not self._context.down:
            self._news()
        now = self.now()
        if (due := self._engine.next_due()) is not None and due <= now:
            self._engine.run_due(now, quiet=self.inbox.empty())
        self._context.save()
        if self._context.down and time.monotonic() >= self._retry:
            self._link()
        self._watch_quotes()
        self._stopped = self._stopped or (self._until is not None and now >= self._until)

    def _pause(self) -> float:
        """Seconds until there is something to do, whatever comes."""
        waits = [_STALE / 4]
        if (due := self._engine.next_due()) is not None:
            waits.append((due - self.now()) / 1000)
        if self._until is not None:
            waits.append((self._until - self.now()) / 1000)
        if self._place.set_clock or self._context.under_way:
            waits.append(_STEP)
        if self._context.down:
            waits.append(self._retry - time.monotonic())
        return max(0.0, min(waits))

    def _idle(self, seconds: float) -> tuple[str, dict[str, Any]] | str | None:
        try:
            return self.inbox.get(timeout=seconds) if seconds > 0 else self.inbox.get_nowait()
        except queue.Empty:
            return None

    # -- what comes ------------------------------------------------------------------------------------

    def _tick(self, code: str, row: dict[str, Any]) -> None:
        self._heard = time.monotonic()
        if self._stale:
            self._stale = False
            self._tell_link("fresh")
        self._engine.take(Tick(code, int(row["time"]), lambda: row))

    def _news(self) -> None:
        """Pushes, what became of orders that are under way, and now and then what no push has told."""
        try:
            found: list[Order | Trade] = self._session.news()
            self._context.hear()
            if self._session.links != self._links:  # a question has made it anew
                raise NotConnected("link_lost", call="subscribe")
            if not found and self._context.awaited and time.monotonic() - self._looked >= _LOOK:
                found = self._read()
        except NotConnected as error:
            self._lost(error)
            return
        self._tell([row for row in found if self._context.owns(row)])

    def _read(self) -> list[Order | Trade]:
        """What stands, of which nothing was told yet. Raises NotConnected."""
        self._renew()
        orders, trades = self._session.orders(), self._session.trades()
        if self._context.under_way:
            self._session.look()
        self._looked = time.monotonic()
        self._place.desk.settle(orders)
        fresh: list[Order | Trade] = [
            order for order in orders if _standing(order) != _standing(self._known.get(order.order_id))
        ]
        return fresh + [trade for trade in trades if (trade.traded_id, trade.order_id) not in self._trades]

    def _tell(self, rows: list[Order | Trade]) -> None:
        if rows:
            self._renew()
        orders: list[Order] = []
        fresh: list[Order | Trade] = []
        for row in rows:
            if isinstance(row, Order):
                orders.append(row)
            elif (row.traded_id, row.order_id) in self._trades:
                continue
            self._know(row)
            fresh.append(row)
        if orders:
            self._ledger.see(self._place.desk.day, orders)
        for row in fresh:
            kind = "order" if isinstance(row, Order) else "trade"
            self._emit(kind, **_told(row))
        self._engine.tell(fresh)

    def _renew(self) -> None:
        """Forget what was of another day: the numbers of orders and trades are those of one."""
        self._context.renew()
        if self._day != self._context.today:
            self._day = self._context.today
            self._known.clear()
            self._trades.clear()
            self._context.awaited.clear()

    def _know(self, row: Order | Trade) -> None:
        if isinstance(row, Order):
            self._known[row.order_id] = row
            awaited = self._context.awaited
            (awaited.discard if row.state.done else awaited.add)(row.order_remark)
        else:
            self._trades.add((row.traded_id, row.order_id))

    # -- the link --------------------------------------------------------------------------------------

    def _link(self) -> bool:
        """Make the link, and read again what may have been missed; whether it holds."""
        missing = self._begun and self._wait > 0
        try:
            self._session.subscribe()
            found = [row for row in self._read() if self._context.owns(row)]
        except NotConnected as error:
            self._lost(error)
            return False
        self._context.down, self._wait, self._links = "", 0.0, self._session.links
        if missing:
            self._tell_link("back")
            self._tell(found)
        else:
            for row in found:
                self._know(row)
        return True

    def _lost(self, error: NotConnected) -> None:
        """The link is lost, or still is."""
        first = not self._wait
        self._session.close()  # a link may be dead without a word
        self._context.down = error.code
        self._wait = min(2 * self._wait, _LAST_WAIT) or _FIRST_WAIT
        self._retry = time.monotonic() + self._wait
        if first:
            self._context.tell_error("link", error)
            self._tell_link("lost")

    def _tell_link(self, what: str) -> None:
        self._emit("link", what=what)
        if self._begun:
            self._engine.hook("on_link", what)

    def _subscribe(self) -> None:
        codes = self._strategy.declared.symbols
        self._heard = time.monotonic()
        if codes:
            self._numbers = self._session.follow_quotes(codes, lambda code, row: self.inbox.put((code, row)))

    def _subscribed(self) -> bool:
        """Have quotes pushed; whether the data service is there."""
        try:
            self._subscribe()
        except NotConnected as error:
            self._lost(error)
            return False
        return True

    def _watch_quotes(self) -> None:
        """Subscribe anew where no quote has come for long in trading hours."""
        if not self._strategy.declared.symbols or time.monotonic() - self._heard < _STALE or not self._is_trading():
            return
        if not self._stale:
            self._stale = True
            self._tell_link("stale")
        try:
            self._session.leave_quotes(self._numbers)
            self._subscribe()
        except QmtError as error:
            self._heard = time.monotonic()
            self._context.tell_error("link", error)

    def _is_trading(self) -> bool:
        if self._place.always:
            return not self._place.set_clock
        now = self._context.now
        minute = now.hour * 60 + now.minute
        hours = 571 <= minute < 690 or 781 <= minute < 897  # a minute into each half of the day
        return hours and self._place.trades_on(now.date())

    # -- calls -----------------------------------------------------------------------------------------

    def _call(self, hook: str, function: Callable[..., object], *arguments: object) -> None:
        try:
            function(self._context, *arguments)
        except QmtError as error:  # what qmt refuses is told, and the strategy goes on
            self._context.tell_error(hook, error)

    def _day_of(self, code: str, on: date) -> bars.Day:
        if self._place.always:
            return bars.always(on)
        detail = self._place.markets.detail(code)
        return bars.day_of(known_instrument(code, detail, dict(self._place.told(code))), on)

    def _end(self) -> int:
        until = time.monotonic() + _LAST_WORDS
        while self._context.under_way and not self._context.down and time.monotonic() < until:
            self._news()
            time.sleep(0.01)
        if self._context.under_way and not self._context.down and self._session.look():
            self._context.hear()
        self._context.save()
        unknown = self._context.under_way
        self._emit("stopped", unknown=unknown)
        return ExitStatus.UNKNOWN if unknown else ExitStatus.OK


def _standing(order: Order | None) -> tuple[str, int] | None:
    """What of an order a push would tell; the rest of a row is told by some and not by others."""
    return None if order is None else (order.status, order.traded_volume)


def _told(row: Order | Trade) -> dict[str, Any]:
    names: tuple[str, ...]
    if isinstance(row, Order):
        names = ("order_id", "stock_code", "side", "order_volume", "price", "traded_volume",
                 "traded_price", "status", "status_msg")  # fmt: skip
    else:
        names = ("traded_id", "order_id", "stock_code", "side", "traded_price", "traded_volume",
                 "commission")  # fmt: skip
    return {"client_id": row.order_remark, **{name: getattr(row, name) for name in names}}


class State:
    """A strategy's state in its file: whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any]:
        """What was kept; nothing where nothing was. Raises ConfigError for what cannot be read: it is not nothing."""
        try:
            found: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigError("state_unusable", path=str(self.path), why=str(error)) from error
        return found

    def keep(self, state: Mapping[str, Any]) -> None:
        """Write it beside the old one and put it in its place. Raises ConfigError."""
        beside = self.path.with_name(f"{self.path.name}.new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps(state, ensure_ascii=False, sort_keys=True), encoding="utf-8")
            os.replace(beside, self.path)  # noqa: PTH105
        except OSError as error:
            raise ConfigError("state_unusable", path=str(self.path), why=str(error)) from error
