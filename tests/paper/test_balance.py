"""The books balance whatever is done: orders, cancels, fills, days, dividends, loans and crashes in any order.

After every step the whole account is computed anew from its trades and flows and compared to the fen, see `audit`.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from conftest import WINDOWS
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from scripted import DAY, Bench, ScriptedTape, audit, ms, snap

from qmtcli.paper.clock import day_of, midnight, parse
from qmtcli.paper.codes import AFTER_HOURS
from qmtcli.paper.tape import Tick
from qmtcli.rules.boards import instrument
from qmtcli.rules.corporate import Action

#: steps in a run of this file
EXAMPLES, LEAST_STEPS = (100, 2_500) if WINDOWS else (400, 10_000)
SH, SZ, ST, BOND, REPO = CODES = ["600000.SH", "000001.SZ", "002124.SZ", "113052.SH", "204001.SH"]
DAYS = [DAY + timedelta(days=n) for n in (0, 1, 2, 3, 4, 7, 8, 9)]
ACTIONS = {
    SH: [(day, Action(cash=Decimal("0.317"), bonus=Decimal("0.3"))) for day in DAYS[1::2]],
    SZ: [(day, Action(cash=Decimal("0.013"))) for day in DAYS],
    ST: [(DAYS[2], Action(bonus=Decimal(1)))],
}


class Market(ScriptedTape):
    """Five instruments, eight days from the opening auction to after hours; prices, sizes and volumes wander."""

    def __init__(self) -> None:
        chance = random.Random(1)
        steps = {SH: 10, SZ: 10, ST: 10, BOND: 1, REPO: 5}
        ticks = {code: {day: _wander(chance, step, code) for day in DAYS} for code, step in steps.items()}
        super().__init__(ticks, [instrument(ST, "ST股", st=True)])

    def actions(self, code: str, first: date, last: date) -> list[tuple[date, Action]]:
        return [(day, action) for day, action in ACTIONS.get(code, []) if first <= day <= last]


def _wander(chance: random.Random, step: int, code: str) -> list[Tick]:
    base = 2_000 if code == REPO else 10_000
    ticks, price, volume = [], base, 0
    moments = [*range(ms("09:15:00"), ms("09:25:00"), 120_000), ms("09:25:01")]
    moments += [*range(ms("09:30:01"), ms("11:30:00"), 240_000), *range(ms("13:00:01"), ms("14:57:00"), 240_000)]
    moments += [ms("14:57:02"), ms("15:00:01"), *range(ms("15:05:03"), ms("15:30:03"), 300_000)]
    for at in moments:
        opening = at < ms("09:25:00")
        price = min(base * 109 // 100, max(base * 91 // 100, price + chance.randint(-4, 4) * step))
        volume += 0 if opening else chance.choice([0, 0, 100, 300, 900, 3_000])
        gap = chance.randint(1, 2)
        asks, bids = (
            tuple((price + sign * step * n * gap, chance.randint(1, 9) * 100) for n in range(1, chance.randint(1, 6)))
            for sign in (1, -1)
        )
        # now and then a side is empty, or what would be a level has gone
        asks = () if chance.random() < 0.05 else asks
        last = 0 if opening else price
        ticks.append(snap("00:00:00")._replace(ms=at, last=last, open=last, volume=volume, asks=asks, bids=bids))
    return ticks


KINDS = st.sampled_from([11, 11, 11, 11, 11, 5, 42, 43, 44, 45, 46, 48, AFTER_HOURS])
#: market order types of one exchange by those of the other
OF_MARKET: dict[str, dict[int, int]] = {"SH": {46: 42, 48: 42}, "SZ": {42: 47, 43: 47}}
DELAYS = st.sampled_from([0, 0, 0, 0, 400_000])


class Crash(BaseException):
    """The process dies."""


#: what the run has seen
SEEN: Counter[str] = Counter()


class Account(RuleBasedStateMachine):
    """Orders, cancels, time, days, money and crashes in any order."""

    hours = "always"
    market = Market()

    def _turn_the_day(self) -> None:
        raise NotImplementedError

    @initialize()
    def open(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._bench = Bench(Path(self._folder.name), self.market, "09:21:00", self.hours, cash=60_000)
        self._sent: list[int] = []
        #: statements that the process still lives for; None: for good
        self._lives: int | None = None

    def teardown(self) -> None:
        for name in ("trades", "loans"):
            SEEN[name] += self._bench.exchange.store.one(f"SELECT count(*) FROM {name}")
        for kind, count in self._bench.exchange.store.execute("SELECT kind, count(*) FROM flows GROUP BY kind"):
            SEEN[kind] += count
        self._bench.exchange.store.close()
        self._folder.cleanup()

    def _do(self, step: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        """A step of a process that may die in the middle of it, and what it leaves to the next one."""
        SEEN["steps"] += 1
        store, lives = self._bench.exchange.store, self._lives
        if lives is None:
            return step(*arguments, **more)
        self._lives, execute = None, store.execute
        before = _written(self._bench)

        def dying(sql: str, *values: object) -> Any:
            nonlocal lives
            lives -= 1
            if not lives and not sql.startswith("ROLLBACK"):
                raise Crash
            return execute(sql, *values)

        store.execute = dying  # type: ignore[method-assign]
        try:
            return step(*arguments, **more)
        except Crash:
            SEEN["crashes"] += 1
            self._bench.reopen()
            assert _written(self._bench) == before  # all of a step, or nothing
            return None
        finally:
            store.execute = execute  # type: ignore[method-assign]

    def _order(self, send: Callable[..., int], code: str, volume: int, milli: int, kind: int, delay_ms: int) -> None:
        order_id = self._do(send, volume, milli / 1000, code, kind, delay_ms=delay_ms)
        if order_id:
            self._sent.append(order_id)

    @rule(
        code=st.sampled_from(CODES[:-1]), lots=st.integers(1, 12), odd=st.sampled_from([0, 0, 0, 0, 0, 37]),
        away=st.integers(-4, 12), kind=KINDS, delay_ms=DELAYS,
    )  # fmt: skip
    def buy(self, code: str, lots: int, odd: int, away: int, kind: int, delay_ms: int) -> None:
        price = self._last(code) + away * 10
        self._order(self._bench.buy, code, 100 * lots + odd, price, OF_MARKET[code[-2:]].get(kind, kind), delay_ms)

    @rule(part=st.sampled_from([1, 2, 3]), away=st.integers(-12, 4), kind=KINDS, delay_ms=DELAYS)
    def sell(self, part: int, away: int, kind: int, delay_ms: int) -> None:
        self._sell(part, away, kind, delay_ms)

    def _sell(self, part: int, away: int, kind: int, delay_ms: int) -> None:
        for held in self._bench.exchange.positions():
            code, sellable = str(held["code"]), int(str(held["sellable"])) // part
            price = self._last(code) + away * 10
            if sellable and code != REPO:
                kind = OF_MARKET[code[-2:]].get(kind, kind)
                self._order(self._bench.sell, code, sellable, price, kind, delay_ms)

    @rule(code=st.sampled_from([SH, SZ]))
    def hold_over_a_dividend(self, code: str) -> None:
        """What chance alone seldom does: shares bought, kept until the next day and sold, and taxed for it."""
        self._order(self._bench.buy, code, 200, self._last(code) + 500, 11, 0)
        self._pass(241)
        self._turn_the_day()
        self._pass(1_500)
        self._sell(1, -50, 11, 0)
        self._pass(241)

    @rule(units=st.integers(1, 9), away=st.integers(-12, 4), delay_ms=DELAYS)
    def lend(self, units: int, away: int, delay_ms: int) -> None:
        self._order(self._bench.sell, REPO, units * 10, self._last(REPO) + away * 5, 11, delay_ms)

    def _last(self, code: str) -> int:
        shown = self._bench.exchange.feed.tick(code)
        return shown[1].last if shown and shown[1].last else 2_000 if code == REPO else 10_000

    @precondition(lambda self: self._sent)
    @rule(which=st.integers(0, 10_000), delay_ms=st.sampled_from([0, 0, 400_000]))
    def cancel(self, which: int, delay_ms: int) -> None:
        self._do(self._bench.exchange.cancel, self._sent[which % len(self._sent)], "", 1, delay_ms)

    @rule(seconds=st.sampled_from([1, 59, 240, 241, 600, 600, 3_600, 30_000]))
    def wait(self, seconds: int) -> None:
        self._pass(seconds)

    def _pass(self, seconds: int) -> None:
        self._bench.clock.now += seconds * 1000
        self._do(self._bench.exchange.refresh)

    @rule(yuan=st.integers(1, 5_000))
    def deposit(self, yuan: int) -> None:
        self._do(self._bench.exchange.deposit, yuan * 100)

    @rule(statements=st.integers(1, 40))
    def die_soon(self, statements: int) -> None:
        self._lives = statements

    @invariant()
    def the_books_balance(self) -> None:
        exchange = self._bench.exchange
        audit(exchange)
        asset = exchange.asset()
        assert asset["cash"] >= 0
        assert asset["fetch"] <= asset["cash"]
        assert asset["total"] == asset["cash"] + asset["frozen"] + asset["value"]


def _written(bench: Bench) -> list[list[tuple[Any, ...]]]:
    tables = ("account", "orders", "trades", "positions", "loans", "flows", "consumed", "events")
    return [bench.exchange.store.execute(f"SELECT * FROM {table} ORDER BY rowid") for table in tables]


class EndlessAccount(Account):
    """On the endless calendar, whose days turn when they are told to."""

    @rule()
    def next_day(self) -> None:
        self._turn_the_day()

    def _turn_the_day(self) -> None:
        self._do(self._bench.exchange.next_day)


#: the morning of the last day of the tape
_END = parse(f"{DAYS[-1]}T09:15:00")


class ExchangeAccount(Account):
    """At the exchange's hours: auctions, lunch, after hours and nights."""

    hours = "exchange"

    @rule()
    def sleep_to_the_next_morning(self) -> None:
        self._turn_the_day()

    def _turn_the_day(self) -> None:
        clock = self._bench.clock
        if clock.now < _END:
            clock.now = midnight(day_of(clock.now) + 1) + ms("09:16:00")
            self._do(self._bench.exchange.refresh)


TestEndlessAccount = EndlessAccount.TestCase
TestExchangeAccount = ExchangeAccount.TestCase
TestEndlessAccount.settings = TestExchangeAccount.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_that_was_enough(count: Callable[[str], None]) -> None:
    count(f"books: {dict(SEEN)}")
    assert SEEN["steps"] >= LEAST_STEPS
    for name in ("trades", "crashes", "repo", "dividend", "dividend_tax"):
        assert SEEN[name] >= EXAMPLES // 50, name
