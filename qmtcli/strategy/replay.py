"""A strategy on days that have been: an account of its own, the paper exchange's rules, a clock that steps.

Everything is as on paper, the vendor's code included, but that nothing waits: before the clock moves on, all that the
exchange has pushed was told. So the same file on the same tape does the same, to the byte, however often.
"""

from __future__ import annotations

import tempfile
import time as machine
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from qmtcli import backend
from qmtcli.config import Limits, Profile
from qmtcli.desk import Desk, Permission
from qmtcli.errors import NoData, QmtError, UsageError
from qmtcli.ledger import Ledger
from qmtcli.model import Order, Trade
from qmtcli.orders import known_instrument
from qmtcli.strategy import bars
from qmtcli.strategy.context import Context
from qmtcli.strategy.engine import Engine
from qmtcli.strategy.file import Strategy
from qmtcli.strategy.report import Point, Replayed
from qmtcli.strategy.ticks import SHANGHAI, Tick
from qmtcli.tickets import Markets

#: when a replayed day begins and ends, ms since midnight: timers go off in between
OPENS, ENDS = 32_400_000, 56_100_000
#: days up to which the account is looked at every minute, and not only at the end of a day
_BY_MINUTE = 10
_MINUTE = 60_000


class Replay:
    """One strategy on one stretch of days."""

    def __init__(
        self,
        profile: Profile,
        env: Mapping[str, str],
        load: Callable[[], Strategy],
        own_limits: Limits | None = None,
        told: Callable[[str], Mapping[str, Any]] = lambda code: {},
        emit: Callable[..., None] = lambda event, **words: None,
        progress: Callable[[date, int, int], None] = lambda day, done, days: None,
        indexes: Path | None = None,
    ) -> None:
        """``load()``: the strategy, once its file may import xtquant; ``emit(event, **words)``: told what happens, with
        the strategy's time; ``progress(day, done, days)``.

        ``indexes``: where those of the tapes are kept, by default where the profile has them.
        """
        self._profile, self._env = profile, env
        self._load, self._limits = load, own_limits
        self._told, self._emit, self._progress, self._indexes = told, emit, progress, indexes
        #: snapshots that were replayed, and the seconds that took
        self.ticks, self.seconds = 0, 0.0

    def run(self, first: date, last: date) -> Replayed:
        """Replay the days of [first, last]. Raises UsageError, NoData, ConfigError, and what the strategy raises."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            home = Path(folder)
            session, play = backend.open_past(self._profile, self._env, home, first, self._indexes)
            strategy = self._load()
            codes = strategy.declared.symbols
            if not codes:
                raise UsageError("replay_without_symbols")
            past = play(codes, first, last)
            ledger = None
            try:
                with session:
                    days = past.days(first, last)
                    if missing := past.missing(codes):
                        raise NoData("unknown_code", codes=missing)
                    if not days:
                        raise NoData("no_days", first=first.isoformat(), last=last.isoformat())
                    past.step(bars.midnight(days[0]) + OPENS)
                    ledger = Ledger(home / "ledger.sqlite", {}, lambda: past.now / 1000, durable=False)
                    return self._days(strategy, session, past, ledger, home, days)
            finally:
                if ledger is not None:
                    ledger.close()
                past.close()

    def _days(
        self, strategy: Strategy, session: Any, past: Any, ledger: Ledger, home: Path, days: list[date]
    ) -> Replayed:
        profile = self._profile
        desk = Desk(session, profile, Permission(yes=True), lambda: ledger, home / "halt.json")
        markets = Markets(session, profile._replace(hours="exchange"), self._told)
        context = Context(strategy.name, desk, markets, strategy.declared.params, {}, self._say(past), self._limits)
        engine = Engine(strategy, self._call(context), self._day_of(markets), past.trades_on)
        context.attach(engine, lambda: past.now)
        session.follow()
        session.subscribe()
        orders: dict[str, Order] = {}
        trades: list[Trade] = []
        equity: list[Point] = []
        prices: dict[str, list[tuple[int, float]]] = {code: [] for code in strategy.declared.symbols}
        by_minute = len(days) <= _BY_MINUTE
        open_ids: set[str] = set()

        def flush() -> None:
            """Tell all that the exchange has pushed, and what that leads to."""
            while past.look() or context.under_way:
                session.orders()
                session.asset()  # what an answer brings with it has come once the next one is there
                rows = session.news()
                context.hear()
                own = [row for row in rows if context.owns(row)]
                for row in own:
                    if isinstance(row, Order):
                        orders[row.order_id] = row
                        (open_ids.discard if row.state.done else open_ids.add)(row.order_id)
                    else:
                        trades.append(row)
                if own:
                    ledger.see(desk.day, [row for row in own if isinstance(row, Order)])
                    engine.tell(own)

        def due(now: int) -> None:
            """Have time run on to a moment; the nights are no time."""
            while (first := engine.next_due()) is not None and first <= now:
                at = max(first, opens)
                past.step(at)
                if open_ids:
                    flush()
                engine.run_due(at)
                flush()

        opened = session.asset()

        def account(at: int) -> None:
            asset = session.asset() if orders else opened  # which only orders change
            equity.append(Point(at, asset.cash, asset.market_value, asset.total_asset))

        opens = past.now
        begun = machine.perf_counter()
        engine.hook("on_start")
        engine.add_timers(dict(strategy.declared.timers), past.now)
        flush()
        take, step = engine.take, past.step
        for number, day in enumerate(days):
            self._progress(day, number, len(days))
            midnight = bars.midnight(day)
            opens = midnight + OPENS
            due(opens)
            step(opens)
            flush()
            context.renew()
            minute = midnight // _MINUTE
            for stamp, code, make in past.snapshots(strategy.declared.symbols, day):
                if (when := engine.next_due()) is not None and when <= stamp:
                    due(stamp)
                step(stamp)
                if open_ids:
                    flush()
                take(Tick(code, stamp, make))
                self.ticks += 1
                if context.under_way:
                    flush()
                if by_minute and stamp // _MINUTE != minute:
                    minute = stamp // _MINUTE
                    account(stamp)
                    prices[code].append((stamp, engine.ticks[code].last_price))
            due(midnight + ENDS)
            step(midnight + ENDS)
            flush()
            account(midnight + ENDS)
            for code in prices:
                if code in engine.ticks:
                    prices[code].append((midnight + ENDS, engine.ticks[code].last_price))
        if not self.ticks:
            raise NoData("no_ticks", codes=list(strategy.declared.symbols))
        engine.hook("on_stop")
        flush()
        self.seconds = machine.perf_counter() - begun
        self._progress(days[-1], len(days), len(days))
        span = days[0].isoformat(), days[-1].isoformat()
        return Replayed(
            strategy.name, dict(strategy.declared.params), *span, opened.total_asset, [*orders.values()], trades,
            equity, prices,
        )  # fmt: skip

    def _call(self, context: Context) -> Callable[..., None]:
        def call(hook: str, function: Callable[..., object], *arguments: object) -> None:
            try:
                function(context, *arguments)
            except QmtError as error:  # what qmt refuses is told, and the strategy goes on
                context.tell_error(hook, error)

        return call

    def _say(self, past: Any) -> Callable[..., None]:
        def say(event: str, **words: object) -> None:
            at = datetime.fromtimestamp(past.now / 1000, SHANGHAI).isoformat()
            self._emit(event, time=at, **words)

        return say

    def _day_of(self, markets: Markets) -> Callable[[str, date], bars.Day]:
        return lambda code, on: bars.day_of(known_instrument(code, markets.detail(code), dict(self._told(code))), on)


def parse_days(text: str) -> tuple[date, date]:
    """(first, last) of ``2026-01-05:2026-03-31`` or ``20260105``, both included. Raises UsageError."""
    first, colon, last = text.partition(":")
    try:
        found = _date(first), _date(last if colon else first)
    except ValueError:
        raise UsageError("bad_days", text=text) from None
    if found[0] > found[1]:
        raise UsageError("bad_days", text=text)
    return found


def _date(text: str) -> date:
    text = text.strip()
    if len(text) == 8 and text.isdigit():
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return date.fromisoformat(text)
