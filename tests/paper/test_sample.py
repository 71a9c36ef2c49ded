"""The generated market: the same everywhere, consistent with itself, and 600000.SH always tradable."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmtcli.model import Kind
from qmtcli.paper.bars import close_of, minutes_of
from qmtcli.paper.sample import SampleTape
from qmtcli.paper.tape import Tick, approaches
from qmtcli.rules.settings import Settings

TAPE = SampleTape()
WHOLE = (0, 86_400_000)
CONTINUOUS = ((34_200_000, 41_400_000), (46_800_000, 53_820_000 - 1))
SUSPENDED = "601118.SH"
LIMIT_UP = "002195.SZ"
#: of narrow and wide prices, locked every other day, without snapshots that trade, without levels
KINDS = ["600000.SH", "600519.SH", "113052.SH", LIMIT_UP, SUSPENDED, "000001.SH"]
TRADED = [code for code in TAPE.codes() if code != SUSPENDED]
#: a Monday, a Sunday, a leap day, past every published calendar, and far away
DAYS = [date(2026, 11, 23), date(2026, 11, 22), date(2024, 2, 29), date(2027, 2, 1), date(2099, 12, 31)]


@cache
def _day_of_ticks(code: str, day: date) -> list[Tick]:
    return list(TAPE.ticks(code, day, *WHOLE))


@pytest.mark.parametrize(
    ("code", "day", "ms", "expected"),
    [
        (
            "600000.SH",
            date(2026, 11, 23),
            36000000,
            Tick(
                ms=36000000,
                last=9030,
                open=9030,
                high=9050,
                low=9030,
                preclose=9030,
                volume=19258100,
                amount=17402553700,
                trades=24072,
                phase=13,
                asks=((9030, 101200), (9040, 106800), (9050, 61800), (9060, 39300), (9070, 28100)),
                bids=((9020, 90000), (9010, 73100), (9000, 101200), (8990, 90000), (8980, 67500)),
            ),
        ),
        (
            "600519.SH",
            date(2027, 2, 1),
            33450000,
            Tick(
                ms=33450000,
                last=0,
                open=0,
                high=0,
                low=0,
                preclose=1461400,
                volume=0,
                amount=0,
                trades=0,
                phase=12,
                asks=((1462950, 17800),),
                bids=((1462950, 17800),),
                surplus=-3000,
            ),
        ),
        (
            "123153.SZ",
            date(2025, 1, 1),
            53999000,
            Tick(
                ms=53997000,
                last=128155,
                open=128133,
                high=129694,
                low=127502,
                preclose=127812,
                volume=2665600,
                amount=34215600798,
                trades=33320,
                phase=18,
                asks=((128177, 53490),),
                bids=((128177, 53490),),
                surplus=750,
            ),
        ),
        (
            "204001.SH",
            date(2030, 6, 7),
            55800001,
            Tick(
                ms=55800000,
                last=1540,
                open=1540,
                high=1600,
                low=1520,
                preclose=1540,
                volume=1242000000,
                amount=12420000000000,
                trades=15525000,
                phase=15,
                asks=((1545, 1012500), (1550, 618750), (1555, 843750), (1560, 506250), (1565, 787500)),
                bids=((1540, 956250), (1535, 787500), (1530, 450000), (1525, 731250), (1520, 393750)),
            ),
        ),
        (
            "688981.SH",
            date(2026, 11, 23),
            55_000_000,
            Tick(
                ms=54999000,
                last=92530,
                open=93380,
                high=93650,
                low=92410,
                preclose=93580,
                volume=31837000,
                amount=296234707250,
                trades=39796,
                phase=22,
                asks=(),
                bids=((92530, 18700),),
            ),
        ),
    ],
)
def test_a_tick_is_the_same_in_every_process_and_version(code: str, day: date, ms: int, expected: Tick) -> None:
    assert TAPE.tick(code, day, ms) == expected


def test_600000_can_be_bought_at_9_09_and_sold_at_9_00_at_every_moment_of_the_loop() -> None:
    days = DAYS + [date(2026, 11, 1) + timedelta(days=n * 13) for n in range(20)]
    for day in days:
        for first, last in CONTINUOUS:
            for tick in TAPE.ticks("600000.SH", day, first - 1, last):
                assert tick.asks[0][0] <= 9090, (day, tick)
                assert sum(volume for price, volume in tick.asks if price <= 9090) >= 20_000, (day, tick)
                assert tick.bids[0][0] >= 9000, (day, tick)
                assert sum(volume for price, volume in tick.bids if price >= 9000) >= 20_000, (day, tick)
                # inside the price cage of 2 % and far below the limit of 10 %
                assert tick.asks[0][0] * 1.02 >= 9090
                assert tick.bids[0][0] * 0.98 <= 9000


def test_600000_closes_within_three_fen_of_9_05_for_a_hundred_years() -> None:
    first = date(1990, 12, 19).toordinal()
    closes = {TAPE.preclose("600000.SH", date.fromordinal(first + n)) for n in range(0, 36_500, 3)}
    assert closes <= set(range(9020, 9081, 10))
    assert len(closes) >= 5


@pytest.mark.parametrize("code", TRADED)
def test_the_ticks_of_a_day_agree_with_each_other(code: str) -> None:
    instrument = TAPE.instrument(code)
    assert instrument is not None
    band = 0.05 if instrument.st else 0.10
    lot = 10 if instrument.kind in (Kind.CONV_BOND, Kind.TREASURY, Kind.REPO) else 100
    for day in DAYS[:1]:
        ticks = _day_of_ticks(code, day)
        assert [tick.ms for tick in ticks] == sorted({tick.ms for tick in ticks})
        assert {tick.preclose for tick in ticks} == {TAPE.preclose(code, day)}
        for before, tick in pairwise(ticks):
            assert tick.volume >= before.volume
            assert tick.amount >= before.amount
            assert tick.trades >= before.trades
            assert (tick.amount == before.amount) == (tick.volume == before.volume), (before, tick)
        for tick in ticks:
            assert tick.volume % lot == 0
            if tick.ms < 33_900_000:
                assert (tick.last, tick.volume, tick.phase) == (0, 0, 12)
                assert tick.asks == tick.bids
                continue
            assert tick.low <= tick.last <= tick.high
            assert tick.low <= tick.open <= tick.high
            if instrument.kind is Kind.INDEX:
                assert tick.asks == tick.bids == ()
                continue
            assert tick.surplus == 0 or tick.phase == 18
            if instrument.kind is not Kind.REPO:
                # a minute's trades run ahead of its rounded price by less than a price step
                step = 10 if instrument.kind is Kind.STOCK else 1
                assert (tick.low - step) * tick.volume <= tick.amount * 10 <= (tick.high + step) * tick.volume
                assert tick.preclose * (1 - band) <= tick.low <= tick.high <= tick.preclose * (1 + band)
            for levels, sign in ((tick.asks, 1), (tick.bids, -1)):
                prices = [price * sign for price, _ in levels]
                assert prices == sorted(set(prices))
                assert all(volume > 0 and volume % lot == 0 for _, volume in levels)
            if tick.phase in (13, 14) and code != LIMIT_UP:
                assert len(tick.asks) == len(tick.bids) == 5
                assert tick.bids[0][0] <= tick.last <= tick.asks[0][0]
                assert tick.bids[0][0] < tick.asks[0][0]


@pytest.mark.parametrize("code", TRADED)
def test_days_join_on_and_stay_bounded(code: str) -> None:
    first = DAYS[0]
    bars = TAPE.bars(code, "1d", first, first + timedelta(days=90))
    assert [bar.day for bar in bars] == [first + timedelta(days=n) for n in range(91)]
    instrument = TAPE.instrument(code)
    assert instrument is not None
    middle = (max(bar.close for bar in bars) + min(bar.close for bar in bars)) / 2
    for before, bar in pairwise(bars):
        assert bar.preclose == before.close == TAPE.preclose(code, bar.day)
        if code != LIMIT_UP and instrument.kind is not Kind.REPO:
            assert abs(bar.close / bar.preclose - 1) <= 0.03
            assert abs(bar.close / middle - 1) <= 0.08


@pytest.mark.parametrize("code", TRADED)
def test_bars_are_made_of_the_ticks(code: str) -> None:
    day = DAYS[0]
    ticks = [tick for tick in _day_of_ticks(code, day) if tick.last]
    (whole,) = TAPE.bars(code, "1d", day, day)
    assert whole.open == ticks[0].last
    assert whole.high == max(tick.last for tick in ticks) == ticks[-1].high
    assert whole.low == min(tick.last for tick in ticks) == ticks[-1].low
    assert (whole.close, whole.volume, whole.amount) == (ticks[-1].last, ticks[-1].volume, ticks[-1].amount)
    minutes = TAPE.bars(code, "1m", day, day)
    instrument = TAPE.instrument(code)
    assert instrument is not None
    assert minutes == minutes_of(day, _day_of_ticks(code, day), close=close_of(instrument, day))
    assert [minutes[n].ms for n in (0, 1, 120, 121, 240)] == [
        34_200_000,
        34_260_000,
        41_400_000,
        46_860_000,
        54_000_000,
    ]
    repo = instrument.kind is Kind.REPO
    assert (len(minutes), minutes[-1].ms) == ((271, 55_800_000) if repo else (241, 54_000_000))
    assert sum(bar.volume for bar in minutes) == whole.volume
    assert sum(bar.amount for bar in minutes) == whole.amount
    assert (max(bar.high for bar in minutes), min(bar.low for bar in minutes)) == (whole.high, whole.low)


MOMENTS = [33_300_000, 33_899_999, 33_900_000, 34_199_999, 34_200_001, 41_399_999, 43_000_000]
MOMENTS += [46_800_000, 53_819_999, 53_820_000, 53_999_999, 54_000_000, 86_399_999]


@pytest.mark.parametrize("ms", MOMENTS)
def test_tick_is_the_last_snapshot_so_far(ms: int) -> None:
    ticks = _day_of_ticks("300750.SZ", DAYS[0])
    assert TAPE.tick("300750.SZ", DAYS[0], ms) == [tick for tick in ticks if tick.ms <= ms][-1]
    assert TAPE.ticks("300750.SZ", DAYS[0], ms - 60_000, ms) == [t for t in ticks if ms - 60_000 < t.ms <= ms]


def test_before_the_call_auction_and_for_a_foreign_code_there_is_nothing() -> None:
    assert TAPE.tick("600000.SH", DAYS[0], 33_299_999) is None
    assert TAPE.tick("600001.SH", DAYS[0], 40_000_000) is None
    assert TAPE.ticks("600001.SH", DAYS[0], *WHOLE) == []
    assert TAPE.bars("600001.SH", "1d", DAYS[0], DAYS[0]) == []
    assert TAPE.instrument("600001.SH") is None


def test_the_phases_of_a_day() -> None:
    shown = {code: [tick.phase for tick in _day_of_ticks(code, DAYS[0])] for code in ("600000.SH", "000001.SZ")}
    late = [15] + [22] * 500 + [23]
    assert shown["600000.SH"] == [12] * 200 + [13] * (1 + 2401 + 2340) + [18] * 60 + late
    assert shown["000001.SZ"] == [12] * 200 + [14] + [13] * 2400 + [14] + [13] * 2340 + [18] * 60 + late


def test_a_suspended_stock_shows_its_preclose_and_nothing_else() -> None:
    tick = TAPE.tick(SUSPENDED, DAYS[0], 36_000_000)
    assert tick == Tick(36_000_000, 0, 0, 0, 0, 5200, 0, 0, 0, 17, (), ())
    (bar,) = TAPE.bars(SUSPENDED, "1d", DAYS[0], DAYS[0])
    assert (bar.open, bar.close, bar.volume, bar.amount) == (5200, 5200, 0, 0)
    assert TAPE.bars(SUSPENDED, "1m", DAYS[0], DAYS[0]) == []


def test_a_stock_at_limit_up_has_bids_only_every_other_day() -> None:
    even = next(day for day in DAYS if day.toordinal() % 2 == 0)
    up = TAPE.tick(LIMIT_UP, even, 36_000_000)
    assert up is not None
    assert (up.preclose, up.last, up.asks, up.bids[0][0]) == (10_000, 11_000, (), 11_000)
    after = TAPE.tick(LIMIT_UP, even + timedelta(days=1), 54_000_000)
    assert after is not None
    assert (after.preclose, after.last) == (11_000, 10_000)
    assert len(after.asks) == 5


def test_every_kind_is_on_the_market() -> None:
    instruments = [TAPE.instrument(code) for code in TAPE.codes()]
    assert {item.kind for item in instruments if item} == set(Kind) - {Kind.B_SHARE, Kind.CDR, Kind.EXCH_BOND}
    assert [item.code for item in instruments if item and item.st] == ["002124.SZ"]
    assert [item.code for item in instruments if item and item.t0] == ["511880.SH", "518880.SH", "513100.SH"]
    wide = TAPE.instrument("159915.SZ")
    assert wide is not None
    assert wide.band == Decimal("0.20")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_approaches_are_the_near_snapshots(data: st.DataObject) -> None:
    code, day = data.draw(st.sampled_from(KINDS)), data.draw(st.sampled_from(DAYS[:2]))
    ticks = _day_of_ticks(code, day)
    # a limit that one snapshot just comes near to, looked for from a little before it on
    there = data.draw(st.sampled_from(ticks))
    lowest = min([price for price in (there.last, *(level[0] for level in there.bids[:1])) if price], default=0)
    highest = max(there.last, *(level[0] for level in there.asks[:1]), 0)
    by = st.sampled_from([-1, 0, 0, 0, 1])
    buy, sell = data.draw(st.sampled_from([(lowest, 0), (0, highest), (lowest, highest), (0, 0)]))
    buy, sell = buy and buy + data.draw(by), sell and sell + data.draw(by)
    after = there.ms - data.draw(st.integers(0, 200_000))
    until = data.draw(st.sampled_from([there.ms - 1, there.ms, there.ms + 60_000, 86_400_000]))
    shown = TAPE.tick(code, day, after)
    expected = approaches([tick for tick in ticks if after < tick.ms <= until], shown.volume if shown else 0, buy, sell)
    assert list(TAPE.approaches(code, day, after, until, buy, sell)) == list(expected)


@pytest.mark.parametrize("code", ["600519.SH", "019547.SH", LIMIT_UP])
def test_no_minute_is_passed_over_that_comes_near(code: str) -> None:
    for before, tick in pairwise(_day_of_ticks(code, DAYS[0])):
        if tick.bids and tick.asks and tick.last and tick.ms % 9_000 == 0:
            bid, ask = min(tick.bids[0][0], tick.last), max(tick.asks[0][0], tick.last)
            for limits in ((bid, 0), (0, ask)):
                found = TAPE.approaches(code, DAYS[0], tick.ms - 1, tick.ms, *limits)
                assert list(found) == [(tick, before.volume)]


def test_nothing_approaches_of_an_unknown_code() -> None:
    assert list(TAPE.approaches("600001.SH", DAYS[0], *WHOLE, 10_000, 0)) == []


@pytest.mark.parametrize("setting", ["after_hours_early_cancel", "after_hours_cancel", "sz_pause_orders"])
@pytest.mark.parametrize("code", ["600000.SH", "000001.SZ"])
def test_a_day_is_shown_whole_whatever_can_be_canceled_in_it(code: str, setting: str) -> None:
    day = date(2026, 11, 23)
    usual, other = (
        SampleTape("exchange", rules).ticks(code, day, 0, 86_400_000)
        for rules in (Settings(), Settings(**{setting: False}))
    )
    assert [tick.ms for tick in other] == [tick.ms for tick in usual]
