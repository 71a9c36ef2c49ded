"""What holds whatever is done: the books balance, and the sample market keeps its promise."""

from __future__ import annotations

import random
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from scripted import DAY, Bench, ScriptedTape, audit, snap

from qmtcli.paper.clock import DAY_MS, midnight
from qmtcli.paper.codes import FILLED
from qmtcli.paper.feed import LOOP_MS, number_of
from qmtcli.paper.sample import SampleTape
from qmtcli.paper.tape import Tick

CODES = ["600000.SH", "000001.SZ", "113052.SH"]
START = midnight(number_of(DAY)) + 34_200_000


def _tape(seed: int) -> ScriptedTape:
    """Three instruments, two days; prices, sizes and volumes wander."""
    chance = random.Random(seed)
    days = [DAY, DAY + timedelta(days=1)]
    steps = {code: 1 if code == "113052.SH" else 10 for code in CODES}
    return ScriptedTape({code: {day: _wander(chance, step) for day in days} for code, step in steps.items()})


def _wander(chance: random.Random, step: int) -> list[Tick]:
    ticks, price, volume = [], 10_000, 1_000
    for ms in range(34_200_000, 41_400_000, 60_000):
        price = min(10_900, max(9_100, price + chance.randint(-4, 4) * step))
        volume += chance.choice([0, 0, 100, 300, 900, 3_000])
        gap = chance.randint(1, 2)
        asks, bids = (
            tuple((price + sign * step * n * gap, chance.randint(1, 9) * 100) for n in range(1, chance.randint(1, 6)))
            for sign in (1, -1)
        )
        # now and then a side is empty, or what would be a level has gone
        tick = snap("00:00:00")._replace(ms=ms, last=price, volume=volume, asks=asks, bids=bids)
        ticks.append(tick._replace(asks=()) if chance.random() < 0.05 else tick)
    return ticks


class Account(RuleBasedStateMachine):
    """Orders, cancels, time and days in any order."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._bench = Bench(Path(self._folder.name), _tape(1), "09:30:00", "always", cash=30_000)
        self._exchange = self._bench.exchange
        self._sent: list[int] = []

    def teardown(self) -> None:
        self._exchange.store.close()
        self._folder.cleanup()

    @rule(
        code=st.sampled_from(CODES), buying=st.booleans(), lots=st.integers(1, 12), odd=st.sampled_from([0, 0, 0, 37]),
        away=st.integers(-6, 6), kind=st.sampled_from([11, 11, 11, 11, 5, 42, 43, 44, 45, 46, 47, 48]),
    )  # fmt: skip
    def order(self, code: str, buying: bool, lots: int, odd: int, away: int, kind: int) -> None:
        shown = self._exchange.feed.tick(code)
        price = (shown[1].last if shown else 10_000) + away * 10
        send = self._bench.buy if buying else self._bench.sell
        self._sent.append(send(100 * lots + odd, price / 1000, code, kind))

    @rule(code=st.sampled_from(CODES), kind=st.sampled_from([11, 44]))
    def sell_everything(self, code: str, kind: int) -> None:
        held = {position["code"]: position for position in self._exchange.positions()}
        shown = self._exchange.feed.tick(code)
        if code in held and shown and shown[1].bids:
            self._bench.sell(int(str(held[code]["sellable"])), shown[1].bids[-1][0] / 1000, code, kind)

    @precondition(lambda self: self._sent)
    @rule(which=st.integers(0, 10_000))
    def cancel(self, which: int) -> None:
        self._exchange.cancel(self._sent[which % len(self._sent)], "", 1)

    @rule(seconds=st.sampled_from([1, 59, 60, 61, 600, 3_600, 30_000]))
    def wait(self, seconds: int) -> None:
        self._bench.clock.now += seconds * 1000
        self._exchange.refresh()

    @rule()
    def next_day(self) -> None:
        self._exchange.next_day()

    @rule(yuan=st.integers(1, 5_000))
    def deposit(self, yuan: int) -> None:
        self._exchange.deposit(yuan * 100)

    @invariant()
    def the_books_balance(self) -> None:
        audit(self._exchange)
        asset = self._exchange.asset()
        assert asset["cash"] >= 0
        assert asset["fetch"] <= asset["cash"]
        assert asset["total"] == asset["cash"] + asset["frozen"] + asset["value"]


TestAccount = Account.TestCase
TestAccount.settings = settings(max_examples=12, stateful_step_count=40, deadline=None)


# -- the sample market's promise ---------------------------------------------------------------------------

CODE = "600000.SH"
#: where the loop's stretches begin and end, ms after 09:30
SEAMS = [n * LOOP_MS + by for n in range(7) for by in (0, 7_200_000)] + [14 * 3_600_000 + 30 * 60_000, DAY_MS]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One account on the sample market, that is emptied again and again."""
    return Bench(tmp_path_factory.mktemp("market"), SampleTape(), "09:30:00", "always")


def holds(market: Bench, at_ms: int, days: int = 0) -> None:
    """At one moment, so many days on, 600000.SH is bought at 9.09, and on the next day sold at 9.00."""
    market.clock.now = at_ms
    market.exchange.reset()
    for _ in range(days):
        market.exchange.next_day()
    bought = market.order(market.buy(100, 9.09, CODE))
    market.exchange.next_day()
    sold = market.order(market.sell(100, 9.00, CODE))
    assert (bought.status, sold.status) == (FILLED, FILLED), (bought.message, sold.message)


@pytest.mark.parametrize("by", [-1, 0, 1, 2_999, 3_000])
def test_the_promise_holds_at_the_seams(market: Bench, by: int) -> None:
    for day, seam in enumerate(SEAMS):
        holds(market, START + day * 9 * DAY_MS + seam + by)


def test_the_promise_holds_through_the_day(market: Bench) -> None:
    for n in range(150):
        # coprime steps: every minute of the loop and every weekday come up
        holds(market, START + n * (5 * DAY_MS + 2_213_057))


def test_the_promise_holds_day_after_day(market: Bench) -> None:
    market.clock.put("2027-02-01T22:17:00")
    market.exchange.reset()
    for _ in range(60):
        assert market.order(market.buy(100, 9.09, CODE)).status == FILLED
        market.exchange.next_day()
        assert market.order(market.sell(100, 9.00, CODE)).status == FILLED


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at_ms=st.integers(START, START + 900 * DAY_MS), days=st.integers(0, 5))
def test_the_promise_holds_at_any_moment(market: Bench, at_ms: int, days: int) -> None:
    holds(market, at_ms, days)
