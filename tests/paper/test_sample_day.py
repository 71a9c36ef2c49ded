"""The generated market through a day and from day to day: phases, auctions, after hours, ex-days, trading days."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import Bench, audit, ms

from qmtcli.errors import ConfigError
from qmtcli.model import Kind
from qmtcli.paper.codes import AFTER_HOURS
from qmtcli.paper.sample import SampleTape
from qmtcli.paper.tape import Tick
from qmtcli.rules import bands
from qmtcli.rules.corporate import Action, ex_reference
from qmtcli.rules.settings import DEFAULT
from qmtcli.rules.ticks import tick as step_of

TAPE = SampleTape()
EXCHANGE = SampleTape("exchange")
DAY = date(2026, 11, 23)
WHOLE = (0, 86_400_000)
#: the days before and on which Shanghai funds got a closing auction, and shares and ETFs after-hours trading
EVE, RULES_2026 = date(2026, 7, 3), date(2026, 7, 6)


def _tick(code: str, day: date, at: str, tape: SampleTape = TAPE) -> Tick:
    found = tape.tick(code, day, ms(at))
    assert found is not None
    return found


# -- phases ------------------------------------------------------------------------------------------------------

#: code, day: xtquant's openInt at moments of the day
PHASES = [
    # a Shanghai share before and since it has a closing auction, and since it trades after hours
    ("600000.SH", date(2018, 8, 17), {"09:24:59": 12, "09:25:00": 13, "11:30:00": 13, "14:59:59": 13, "15:00:00": 15}),
    ("600000.SH", date(2018, 8, 20), {"14:56:59": 13, "14:57:00": 18, "14:59:59": 18, "15:10:00": 15}),
    ("600000.SH", EVE, {"15:00:00": 15, "15:10:00": 15, "16:00:00": 15}),
    ("600000.SH", RULES_2026, {"15:00:00": 15, "15:04:59": 15, "15:05:00": 22, "15:29:59": 22, "15:30:00": 23}),
    # Shenzhen's own pause and lunch; STAR and ChiNext after hours since they had it
    ("000001.SZ", RULES_2026, {"09:25:00": 14, "09:29:59": 14, "09:30:00": 13, "11:30:00": 14, "12:59:59": 14}),
    ("300750.SZ", date(2020, 8, 21), {"15:10:00": 15}),
    ("300750.SZ", date(2020, 8, 24), {"15:10:00": 22, "18:00:00": 23}),
    ("688981.SH", date(2020, 7, 16), {"15:10:00": 22}),
    ("920185.BJ", DAY, {"09:25:00": 13, "14:58:00": 18, "15:10:00": 15}),
    # funds
    ("510300.SH", EVE, {"14:58:00": 13, "15:00:00": 15, "15:10:00": 15}),
    ("510300.SH", RULES_2026, {"14:58:00": 18, "15:10:00": 22}),
    ("501050.SH", RULES_2026, {"14:58:00": 18, "15:10:00": 15}),
    ("159915.SZ", EVE, {"14:58:00": 18, "15:10:00": 15}),
    # bonds by the settings, repo until half past three
    ("113052.SH", DAY, {"14:58:00": 13, "15:00:00": 15}),
    ("123153.SZ", DAY, {"14:58:00": 18, "15:00:00": 15}),
    ("204001.SH", DAY, {"14:58:00": 13, "15:00:00": 13, "15:29:59": 13, "15:30:00": 15}),
    ("131810.SZ", DAY, {"11:45:00": 14, "15:29:59": 13, "15:30:00": 15}),
]


@pytest.mark.parametrize(("code", "day", "phases"), PHASES)
def test_each_kind_keeps_its_hours_of_the_date(code: str, day: date, phases: dict[str, int]) -> None:
    assert {at: _tick(code, day, at).phase for at in phases} == phases


def test_what_is_a_setting_is_one() -> None:
    rules = DEFAULT._replace(sh_bond_closing_auction=True, sz_bond_closing_auction=False, after_hours_st=False)
    tape = SampleTape(rules=rules)
    assert [_tick(code, DAY, "14:58:00", tape).phase for code in ("113052.SH", "123153.SZ")] == [18, 13]
    assert _tick("002124.SZ", DAY, "15:10:00", tape).phase == 15
    assert _tick("002124.SZ", DAY, "15:10:00").phase == 22


def test_nothing_is_shown_of_an_instrument_before_its_listing() -> None:
    eve, listed = date(2020, 7, 15), date(2020, 7, 16)
    assert TAPE.tick("688981.SH", eve, ms("10:00:00")) is None
    assert TAPE.ticks("688981.SH", eve, *WHOLE) == []
    assert [bar.day for bar in TAPE.bars("688981.SH", "1d", date(2000, 1, 1), listed)] == [listed]


# -- auctions ----------------------------------------------------------------------------------------------------

KINDS = {code: found.kind for code in TAPE.codes() if (found := TAPE.instrument(code))}
CALLED = [code for code, kind in KINDS.items() if kind is not Kind.INDEX and code != "601118.SH"]
UNCALLED = ["113052.SH", "019547.SH", "204001.SH", "131810.SZ"]
LOTS = {Kind.CONV_BOND: 10, Kind.TREASURY: 10, Kind.REPO: 10}


@pytest.mark.parametrize(
    ("code", "begin", "end"),
    [(code, "09:15:00", "09:25:00") for code in CALLED]
    + [(code, "14:57:00", "15:00:00") for code in CALLED if code not in UNCALLED],
)
def test_an_auction_nears_its_print(code: str, begin: str, end: str) -> None:
    ticks, after = TAPE.ticks(code, DAY, ms(begin) - 1, ms(end) - 1), _tick(code, DAY, end)
    assert {tick.phase for tick in ticks} == {12 if begin == "09:15:00" else 18}
    # nothing trades while it lasts; what would match grows, and then does
    (volume, amount), *others = {(tick.volume, tick.amount) for tick in ticks}
    assert not others
    assert all(tick.asks == tick.bids and len(tick.asks) <= 1 for tick in ticks)
    matched = [tick.asks[0][1] if tick.asks else 0 for tick in ticks]
    assert matched == sorted(matched)
    assert 0.9 * (after.volume - volume) <= matched[-1] <= after.volume - volume
    # at a price near those it would have been, and all of it at one
    assert abs(ticks[-1].asks[0][0] - after.last) <= 2 * (after.bids[0][0] - after.bids[1][0])
    worth = 100_000 if KINDS[code] is Kind.REPO else after.last
    assert after.amount - amount == (after.volume - volume) * worth // 10
    # something is always left, in whole lots, now of one side and now of the other
    lot = LOTS.get(KINDS[code], 100)
    assert all(tick.surplus % lot == 0 and bool(tick.surplus) == bool(tick.asks) for tick in ticks)
    assert {tick.surplus > 0 for tick in ticks if tick.surplus} == ({True, False} if after.asks else {True})


def test_the_opening_print_is_the_days_open() -> None:
    for code in CALLED:
        tick = _tick(code, DAY, "09:25:00")
        assert tick.ms == ms("09:25:00")
        assert tick.open == tick.last == tick.high == tick.low > 0
        assert _tick(code, DAY, "15:00:00").open == tick.open


@pytest.mark.parametrize(("code", "day"), [("204001.SH", date(2024, 8, 12)), ("113052.SH", DAY), ("019547.SH", DAY)])
def test_without_an_auction_the_close_is_the_last_trade(code: str, day: date) -> None:
    """On a day of 4 % too, which a repo rate may have."""
    (whole,) = TAPE.bars(code, "1d", day, day)
    last = TAPE.bars(code, "1m", day, day)[-1]
    end = _tick(code, day, "16:00:00")
    assert whole.close == last.close == end.last == TAPE.preclose(code, day + timedelta(days=1))
    assert (sum(bar.volume for bar in TAPE.bars(code, "1m", day, day)), whole.volume) == (end.volume, end.volume)


# -- after hours -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["600000.SH", "688981.SH", "300750.SZ", "510300.SH", "002195.SZ"])
def test_after_hours_volume_grows_at_the_close(code: str) -> None:
    close = _tick(code, DAY, "15:00:00")
    ticks = TAPE.ticks(code, DAY, ms("15:00:00"), WHOLE[1])
    assert (len(ticks), ticks[0].ms, ticks[-1].ms) == (501, ms("15:05:00"), ms("15:30:00"))
    volumes = [tick.volume for tick in ticks]
    assert volumes[0] == close.volume < volumes[-1] <= close.volume * 1.01
    assert volumes == sorted(volumes)
    assert sum(b > a for a, b in pairwise(volumes)) > 50
    for tick in ticks:
        assert (tick.last, tick.open, tick.high, tick.low) == (close.last, close.open, close.high, close.low)
        assert tick.volume % 100 == 0
        assert tick.amount - close.amount == (tick.volume - close.volume) * close.last // 10
        # at one price, so that only one side can be waiting
        ((price, volume),) = tick.asks + tick.bids
        assert (price, volume > 0, volume % 100) == (close.last, True, 0)
    (bar,) = TAPE.bars(code, "1d", DAY, DAY)
    last_minute = TAPE.bars(code, "1m", DAY, DAY)[-1]
    assert bar.volume == volumes[-1]
    assert last_minute.volume == volumes[-1] - _tick(code, DAY, "14:59:59").volume


# -- ex-days -----------------------------------------------------------------------------------------------------


def test_the_ex_days_of_a_year() -> None:
    year = date(2026, 1, 1), date(2026, 12, 31)
    found = {code: TAPE.actions(code, *year) for code in TAPE.codes()}
    assert {code: actions for code, actions in found.items() if actions} == {
        "000333.SZ": [(date(2026, 7, 9), Action(Decimal("3.5")))],
        "920185.BJ": [(date(2026, 5, 14), Action(Decimal("0.2"), Decimal("0.1")))],
        "508000.SH": [
            (date(2026, month, day), Action(Decimal("0.02"))) for month, day in ((3, 12), (5, 14), (8, 13), (11, 12))
        ],
    }
    assert TAPE.actions("000333.SZ", date(2026, 7, 10), date(2027, 7, 7)) == []
    assert TAPE.actions("000333.SZ", date(2026, 7, 9), date(2026, 7, 9)) == found["000333.SZ"]
    assert TAPE.actions("999999.SH", *year) == []
    # from the listing on
    assert [day.year for day, _ in TAPE.actions("000333.SZ", date.min, date(2016, 1, 1))] == [2014, 2015]


@pytest.mark.parametrize("tape", [TAPE, EXCHANGE], ids=["always", "exchange"])
@pytest.mark.parametrize("code", ["000333.SZ", "920185.BJ", "508000.SH"])
def test_an_ex_day_begins_at_the_reference_price(code: str, tape: SampleTape) -> None:
    instrument = tape.instrument(code)
    assert instrument is not None
    for ex, action in tape.actions(code, date(2023, 1, 1), date(2026, 12, 31)):
        before, on = tape.bars(code, "1d", ex - timedelta(days=1), ex)
        reference = ex_reference(Decimal(before.close) / 1000, action, step_of(instrument))
        assert reference * 1000 == on.preclose == tape.preclose(code, ex)
        # the price falls by about what was taken, and the day is one like others
        assert before.close - on.preclose >= int(action.cash * 1000)
        band = bands.band(instrument, Decimal(on.preclose) / 1000, ex)
        assert band is not None
        assert band.down * 1000 <= on.low <= on.high <= band.up * 1000
        assert abs(on.close / on.preclose - 1) <= 0.03
        assert tape.tick(code, ex, ms("09:15:00")).preclose == on.preclose  # type: ignore[union-attr]


@given(st.sampled_from(["000333.SZ", "920185.BJ", "508000.SH"]), st.dates(date(2022, 1, 1), date(2126, 1, 1)))
@settings(max_examples=200, deadline=None)
def test_prices_of_what_pays_stay_bounded_for_ever_and_days_join_on(code: str, day: date) -> None:
    before, on = TAPE.bars(code, "1d", day - timedelta(days=1), day)
    actions = [action for _, action in TAPE.actions(code, day, day)]
    instrument = TAPE.instrument(code)
    assert instrument is not None
    if actions:
        assert ex_reference(Decimal(before.close) / 1000, actions[0], step_of(instrument)) * 1000 == on.preclose
    else:
        assert on.preclose == before.close
    assert abs(on.close / on.preclose - 1) <= 0.03
    low, high = {"000333.SZ": (70, 84), "920185.BJ": (22, 29), "508000.SH": (2.5, 2.8)}[code]
    assert low * 1000 <= on.low <= on.high <= high * 1000


def test_600000_has_no_ex_day() -> None:
    assert TAPE.actions("600000.SH", date.min, date(2126, 1, 1)) == []


# -- the exchanges' trading days ---------------------------------------------------------------------------------


@pytest.mark.parametrize("code", TAPE.codes())
def test_days_of_the_exchanges_join_on_over_weekends_and_holidays(code: str) -> None:
    bars = EXCHANGE.bars(code, "1d", date(2026, 9, 28), date(2026, 10, 16))
    assert [f"{bar.day:%m%d}" for bar in bars] == [
        "0928", "0929", "0930", "1008", "1009", "1012", "1013", "1014", "1015", "1016",
    ]  # fmt: skip
    for before, on in pairwise(bars):
        assert on.preclose == before.close == EXCHANGE.preclose(code, on.day)
        assert abs(on.close / on.preclose - 1) <= (0.101 if code == "002195.SZ" else 0.05)


def test_both_calendars_agree_on_a_monday() -> None:
    for code in TAPE.codes():
        if not TAPE.actions(code, date(2020, 1, 1), DAY):
            assert EXCHANGE.tick(code, DAY, ms("10:00:00")) == TAPE.tick(code, DAY, ms("10:00:00"))


def test_past_the_end_of_the_calendar_there_is_an_error_and_no_guess() -> None:
    with pytest.raises(ConfigError, match="calendar_ended"):
        EXCHANGE.tick("600000.SH", date(2027, 1, 4), ms("10:00:00"))
    assert TAPE.tick("600000.SH", date(2027, 1, 4), ms("10:00:00")) is not None


# -- what an account makes of it ---------------------------------------------------------------------------------


def test_an_account_trades_in_the_auctions_and_after_hours(tmp_path: Path) -> None:
    bench = Bench(tmp_path, SampleTape("exchange"), "09:20:00")
    opening = bench.buy(1_000, 9.09)
    bench.clock.put("09:24:59")
    assert bench.order(opening).traded == 0
    bench.clock.put("09:25:00")
    order = bench.order(opening)
    assert (order.status, order.turnover) == (56, 1_000 * _tick("600000.SH", DAY, "09:25:00").open)
    bench.clock.put("14:58:00")
    closing = bench.buy(1_000, 9.09)
    late = bench.buy(1_000, 9.09, kind=AFTER_HOURS)
    bench.clock.put("15:00:00")
    close = _tick("600000.SH", DAY, "15:00:00").last
    assert (bench.order(closing).status, bench.order(closing).turnover) == (56, 1_000 * close)
    bench.clock.put("15:05:00")
    assert bench.order(late).traded == 0
    bench.clock.put("15:30:00")
    assert (bench.order(late).status, bench.order(late).turnover) == (56, 1_000 * close)
    audit(bench.exchange)


@pytest.mark.parametrize(
    ("code", "day", "shares", "fen"),
    [("920185.BJ", "2026-05-13", 100, 20_000), ("000333.SZ", "2026-07-08", 0, 350_000)],
)
def test_a_holder_receives_what_an_ex_day_gives(tmp_path: Path, code: str, day: str, shares: int, fen: int) -> None:
    bench = Bench(tmp_path, SampleTape("exchange"), f"{day}T10:00:00")
    bench.give(1_000, 20, code)
    cash = bench.exchange.asset()["cash"]
    bench.clock.put(f"{day[:8]}{int(day[8:]) + 1:02}T09:00:00")
    (held,) = bench.exchange.positions()
    assert (held["volume"], bench.exchange.asset()["cash"] - cash) == (1_000 + shares, fen)
