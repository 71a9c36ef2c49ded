"""The sample market keeps its promise."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import DAY, Bench

from qmtcli.paper.clock import DAY_MS, midnight
from qmtcli.paper.codes import FILLED
from qmtcli.paper.feed import LOOP_MS, number_of
from qmtcli.paper.sample import SampleTape

START = midnight(number_of(DAY)) + 34_200_000


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
