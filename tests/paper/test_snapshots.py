"""A packed day answers as the ticks it was packed from, and looks into no block that has nothing to say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmtcli.paper import reaches, snapshots
from qmtcli.paper.snapshots import Snapshots, pack
from qmtcli.paper.tape import Level, Tick, approaches

prices = st.integers(8, 14)
volumes = st.integers(1, 10**12)
#: a limit of a resting order, or none
limits = st.one_of(st.just(0), prices)
moments = st.integers(-2, 45)


@st.composite
def levels(draw: st.DrawFn, step: int) -> tuple[Level, ...]:
    """Up to five levels from some best price on; few prices, so that limits meet them exactly."""
    best, count = draw(prices), draw(st.integers(0, 5))
    return tuple([(best + step * n, draw(volumes)) for n in range(count)])


@st.composite
def days(draw: st.DrawFn) -> list[Tick]:
    """A day in order of time; several snapshots of a moment among them, of which the last stands."""
    times = sorted(draw(st.lists(st.integers(0, 40), min_size=1, max_size=40)))
    return [
        Tick(
            ms, draw(limits), draw(prices), draw(prices), draw(prices), draw(prices), draw(volumes), draw(volumes),
            draw(volumes), draw(st.integers(0, 20)), draw(levels(1)), draw(levels(-1)), draw(st.integers(-9, 9)),
        )
        for ms in times
    ]  # fmt: skip


def standing(ticks: list[Tick]) -> list[Tick]:
    """The last tick of each moment."""
    return list({tick.ms: tick for tick in ticks}.values())


def row(tick: Tick) -> list[int]:
    """A tick as it is packed."""
    sides = [[cell for level in side for cell in level] for side in (tick.asks, tick.bids)]
    return [*tick[:10], tick.surplus, *[cell for side in sides for cell in (*side, *[0] * (10 - len(side)))]]


def opened(ticks: list[Tick]) -> tuple[Snapshots, list[int]]:
    """A packed day, and where each look into its blocks went."""
    table, blocks = pack(map(row, ticks))
    looks: list[int] = []

    def read(at: int, size: int, checksum: int) -> bytes:
        looks.append(at)
        return blocks[at : at + size]

    return Snapshots(table, read), looks


@pytest.fixture(params=[2, 3, 64], autouse=True, scope="module")
def _blocks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Blocks so small that a day of a few snapshots makes a high tree of them; and as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshots, "_BLOCK", request.param)
        patch.setattr(reaches, "_BLOCK", request.param)
        yield


@settings(max_examples=50)
@given(days(), moments, moments)
def test_packed_ticks_are_the_ticks(ticks: list[Tick], after: int, until: int) -> None:
    day, _ = opened(ticks)
    ticks = standing(ticks)
    assert day.ticks(after, until) == [tick for tick in ticks if after < tick.ms <= until]
    assert day.tick(until) == next((tick for tick in reversed(ticks) if tick.ms <= until), None)
    assert (day.last(), day.preclose) == (ticks[-1], ticks[-1].preclose)
    assert [list(packed) for packed in day.rows()] == [row(tick) for tick in ticks]


@settings(max_examples=120)
@given(days(), moments, moments, limits, limits)
def test_approaches_are_the_near_snapshots(ticks: list[Tick], after: int, until: int, buy: int, sell: int) -> None:
    day, _ = opened(ticks)
    ticks = standing(ticks)
    before = sum(tick.volume for tick in [tick for tick in ticks if tick.ms <= after][-1:])
    expected = approaches([tick for tick in ticks if after < tick.ms <= until], before, buy, sell)
    assert list(day.approaches(after, until, buy, sell)) == list(expected)


def test_what_passes_an_order_by_is_not_looked_at() -> None:
    quiet = [Tick(ms, 100, 100, 100, 100, 100, ms, 0, 0, 13, ((101, 1),), ((99, 1),)) for ms in range(9_000)]
    touched = quiet[6_000]._replace(last=90)
    day, looks = opened([*quiet[:6_000], touched, *quiet[6_001:]])
    assert list(day.approaches(10, 86_400_000, 95, 0)) == [(touched, 5_999)]
    assert list(day.approaches(10, 86_400_000, 80, 120)) == []
    assert list(day.approaches(10, 5_999, 95, 0)) == []
    assert list(day.approaches(6_000, 86_400_000, 95, 0)) == []
    assert len(set(looks)) == 1
