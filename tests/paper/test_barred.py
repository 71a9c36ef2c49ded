"""Snapshots made of bars: the bars that they make again are those that there were, and the book is a cautious one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from conftest import SHARED_DATA
from hypothesis import given, settings
from hypothesis import strategies as st

from qmtcli.model import Instrument
from qmtcli.paper.barred import barred
from qmtcli.paper.bars import day_of_ticks, minutes_of
from qmtcli.paper.clock import DAY_MS
from qmtcli.paper.folder import FolderTape
from qmtcli.paper.tape import Bar, Tape, Tick
from qmtcli.rules.boards import instrument
from qmtcli.rules.settings import DEFAULT

CODE, DAY = "600000.SH", date(2026, 11, 23)
MORNING, NOON, AFTERNOON, CLOSE = 34_200_000, 41_400_000, 46_800_000, 54_000_000
MINUTE = 60_000
#: the ends of a day's minutes: the opening auction's, those of continuous trading, the closing auction's
LABELS = [
    MORNING,
    *range(MORNING + MINUTE, NOON + 1, MINUTE),
    *range(AFTERNOON + MINUTE, CLOSE - 2 * MINUTE, MINUTE),
    CLOSE,
]


class Bars(Tape):
    """A tape of bars of one code, and of the ticks of one day."""

    name, synthetic = "tape", False

    def __init__(self, bars: dict[str, Sequence[Bar]], ticked: date | None = None) -> None:
        self._bars, self._ticked = bars, ticked

    def instrument(self, code: str) -> Instrument | None:
        return instrument(code) if code == CODE else None

    def days(self) -> Sequence[date]:
        return [self._ticked] if self._ticked else sorted({bar.day for bars in self._bars.values() for bar in bars})

    def tick(self, code: str, day: date, ms: int) -> Tick | None:
        return (self.ticks(code, day, -1, ms) or [None])[-1]

    def ticks(self, code: str, day: date, after: int, until: int) -> Sequence[Tick]:
        own = Tick(36_000_000, 9_000, 9_000, 9_000, 9_000, 9_000, 100, 90_000, 1, 13, (), ())
        return [own] if day == self._ticked and after < own.ms <= until else []

    def bars(self, code: str, period: str, first: date, last: date) -> Sequence[Bar]:
        return [bar for bar in self._bars.get(period, ()) if first <= bar.day <= last]


def shown(bars: dict[str, Sequence[Bar]], day: date = DAY) -> list[Tick]:
    """What is shown of a day, after the first snapshot of all, which has no price."""
    first, *found = [*barred(Bars(bars), [CODE], day, day, DEFAULT).ticks(CODE, day, -1, DAY_MS)] or [None]
    assert first is None or (first.ms, first.last, first.preclose, first.volume) == (33_300_000, 0, 9_000, 0)
    return found


@st.composite
def days(draw: st.DrawFn) -> list[Bar]:
    found: list[Bar] = []
    for ms in sorted(draw(st.sets(st.sampled_from(LABELS), min_size=1, max_size=12))):
        low = draw(st.integers(8_200, 9_800)) // 10 * 10
        high = low + draw(st.integers(0, 10)) * 10
        ends = st.integers(low // 10, high // 10).map(lambda price: price * 10)
        volume = draw(st.sampled_from([0, 100, 700, 12_300, 5_000_001]))
        if found and not volume:
            low = high = found[-1].close
            ends = st.just(low)
        amount = volume * low // 10
        found.append(Bar(DAY, ms, draw(ends), high, low, draw(ends), volume, amount, 9_000))
    return found


@given(days())
@settings(deadline=None)
def test_the_bars_made_of_what_is_shown_are_those_there_were(bars: list[Bar]) -> None:
    traded = next((place for place, bar in enumerate(bars) if bar.volume), len(bars))
    ticks = shown({"1m": bars})
    assert minutes_of(DAY, ticks) == bars[traded:]
    stamps = [tick.ms for tick in ticks]
    assert stamps == sorted({*stamps})
    for day in day_of_ticks(DAY, ticks):
        assert (day.volume, day.amount) == (sum(bar.volume for bar in bars), sum(bar.amount for bar in bars))
        assert (day.high, day.low) == (max(b.high for b in bars[traded:]), min(b.low for b in bars[traded:]))


@given(days())
@settings(deadline=None)
def test_at_most_a_quarter_of_what_traded_is_offered(bars: list[Bar]) -> None:
    before = 0
    for tick in shown({"1m": bars}):
        for (price, volume), away in (
            (level, way) for side, way in ((tick.asks, 10), (tick.bids, -10)) for level in side
        ):
            assert price == tick.last + away
            assert volume % 100 == 0 and 0 < volume <= (tick.volume - before) / 4
        before = tick.volume


def _bar(price: int, volume: int = 40_000, ms: int = 36_000_000) -> Bar:
    return Bar(DAY, ms, price, price, price, price, volume, volume * price // 10, 9_000)


def test_at_a_price_limit_nobody_is_on_the_other_side() -> None:
    (up,), (down,) = shown({"1m": [_bar(9_900)]}), shown({"1m": [_bar(8_100)]})
    assert (up.asks, up.bids) == ((), ((9_900, 10_000),))
    assert (down.asks, down.bids) == (((8_100, 10_000),), ())
    (near,) = shown({"1m": [_bar(9_890)]})
    assert (near.asks, near.bids) == (((9_900, 10_000),), ((9_880, 10_000),))


def test_one_that_rests_gets_a_quarter_too_and_at_a_limit_nothing() -> None:
    def new(bar: Bar, buy: int) -> list[int]:
        tape = barred(Bars({"1m": [bar]}), [CODE], DAY, DAY, DEFAULT)
        found = tape.approaches(CODE, DAY, -1, DAY_MS, buy, 0)
        return [tick.volume - before for tick, before in found if tick.last]

    assert new(_bar(9_000), 9_000) == [10_000]
    for ms in (36_000_000, MORNING, CLOSE):
        assert new(_bar(9_900, ms=ms), 9_900) == [0]
    assert new(_bar(9_000, ms=CLOSE), 9_000) == [10_000]
    assert new(_bar(9_000), 8_900) == []


def test_a_day_of_one_bar_shows_its_open_its_extremes_and_its_close() -> None:
    bar = Bar(DAY, 0, 9_000, 9_300, 8_900, 9_200, 50_000, 45_000_000, 9_000)
    ticks = shown({"1d": [bar]})
    assert [(tick.ms // MINUTE, tick.last, tick.volume) for tick in ticks] == [
        (570, 9_000, 10_000), (630, 8_900, 20_000), (810, 9_300, 30_000), (885, 9_200, 40_000), (900, 9_200, 50_000),
    ]  # fmt: skip
    assert day_of_ticks(DAY, ticks) == [bar]
    fell = shown({"1d": [bar._replace(open=9_200, close=9_000)]})
    assert [tick.last for tick in fell] == [9_200, 9_300, 8_900, 9_000, 9_000]


def test_a_day_with_ticks_is_its_own_and_the_days_of_bars_are_there_too() -> None:
    tape = barred(
        Bars({"1m": [_bar(9_900)], "1d": [_bar(9_900, ms=0)]}, date(2026, 11, 20)), [CODE], date.min, DAY, DEFAULT
    )
    assert tape.days() == [date(2026, 11, 20), DAY]
    assert [tick.last for tick in tape.ticks(CODE, date(2026, 11, 20), -1, DAY_MS)] == [9_000]
    assert [tick.last for tick in tape.ticks(CODE, DAY, -1, DAY_MS)] == [0, 9_900]
    assert tape.ticks("600001.SH", DAY, -1, DAY_MS) == []
    assert tape.tick(CODE, DAY, 33_299_999) is None


def test_a_day_on_which_nothing_traded_shows_nothing() -> None:
    assert shown({"1d": [_bar(9_000, 0, 0)]}) == []


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="no real market data here")
@pytest.mark.parametrize(("folder", "code", "period"), [("1m", "600009.SH", "1m"), ("1d", "600000.SH", "1d")])
def test_real_bars_are_made_again(tmp_path: Path, folder: str, code: str, period: str) -> None:
    for file in (SHARED_DATA / folder).glob(f"{code}*"):
        shutil.copy(file, tmp_path)
    tape = FolderTape(tmp_path)
    days = [*tape.days()][:40]
    over = barred(tape, [code], days[0], days[-1], DEFAULT)
    compared = 0
    for day in days:
        ticks = over.ticks(code, day, -1, DAY_MS)
        made = minutes_of(day, ticks) if period == "1m" else day_of_ticks(day, ticks)
        assert made == tape.bars(code, period, day, day)
        compared += len(made)
    assert compared == (40 * 239 if period == "1m" else 40)
