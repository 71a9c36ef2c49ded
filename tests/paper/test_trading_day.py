"""What a day holds besides continuous trading: auctions, after hours, halts, orders in flight, ex-days, lent money."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from scripted import BOND, DAY, SH, SZ, Bench, ScriptedTape, audit, snap

from qmtcli.errors import Refused
from qmtcli.paper.codes import AFTER_HOURS, CANCELED, FILLED, IN_FLIGHT, JUNK, PART_CANCELED, PART_FILLED, REPORTED
from qmtcli.paper.counter import NewOrder
from qmtcli.paper.exchange import Exchange
from qmtcli.paper.feed import number_of
from qmtcli.paper.settings import Settings
from qmtcli.paper.tape import Tick
from qmtcli.rules.boards import instrument
from qmtcli.rules.corporate import Action

ASKS = [(10.01, 300), (10.02, 500), (10.03, 1000), (10.04, 1000), (10.05, 2000)]
BIDS = [(10.00, 400), (9.99, 600), (9.98, 1000), (9.97, 1000), (9.96, 2000)]
CASH = 1_000_000_00


def book(at: str, last: float = 10.00, volume: int = 10_000, **levels: object) -> Tick:
    return snap(at, last, volume, **{"asks": ASKS, "bids": BIDS, **levels})  # type: ignore[arg-type]


def called(at: str, price: float, volume: int) -> Tick:
    """What a call auction shows before its end."""
    level = [(price, volume)]
    return snap(at, 0, phase=12, asks=level, bids=level)


def opening(*, volume: int = 5_000, **levels: object) -> list[Tick]:
    """An opening auction of 10.00."""
    return [
        called("09:15:03", 9.90, 900),
        book("09:25:01", volume=volume, phase=12, **levels),
        book("09:30:01", volume=volume, **levels),
    ]


# -- auctions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [SH, SZ])
def test_an_order_with_a_better_limit_trades_at_the_price_of_the_auction(tmp_path: Path, code: str) -> None:
    bench = Bench.of(tmp_path, *opening(), code=code, at="09:16:00")
    order = bench.buy(800, 10.50, code)
    bench.clock.put("09:25:00")
    assert (bench.fills(order), bench.order(order).status) == ([], REPORTED)
    bench.clock.put("09:25:01")
    assert (bench.fills(order), bench.order(order).status) == ([(10.00, 800)], FILLED)
    assert bench.trades(order)[0].time == bench.clock.now


def test_an_auction_keeps_its_price_while_it_traded_enough_for_own_orders(tmp_path: Path) -> None:
    # 500 traded, and 300 were still asked for at the price
    bench = Bench.of(tmp_path, *opening(volume=500, asks=[(10.00, 300), (10.01, 700)], bids=[]), at="09:16:00")
    first, second, third = bench.buy(100, 10.20), bench.buy(400, 10.50), bench.buy(400, 10.00)
    bench.clock.put("09:25:01")
    # those with a better limit take what the market's buys had, which take what was left
    assert [bench.fills(order) for order in (first, second, third)] == [[(10.00, 100)], [(10.00, 400)], []]
    assert [bench.order(order).status for order in (first, second, third)] == [FILLED, FILLED, REPORTED]


def test_an_order_larger_than_the_auction_moves_its_price_into_the_book(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, *opening(volume=500), at="09:16:00")
    bench.give(9_000)
    first, second, third = bench.buy(600, 10.50), bench.buy(700, 10.20), bench.buy(100, 10.00)
    seller, dear = bench.sell(200, 10.02), bench.sell(200, 10.03)
    bench.clock.put("09:25:01")
    # 500 were sold at 10.00, and 300 and 500 asked for at 10.01 and 10.02, before those of one's own
    assert [bench.fills(order) for order in (first, second, third, seller, dear)] == [
        [(10.02, 600)], [(10.02, 700)], [], [], [],
    ]  # fmt: skip
    audit(bench.exchange, {SH: 9_000})


def test_an_order_larger_than_all_on_display_rests(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, *opening(volume=500, asks=ASKS[:1], bids=BIDS[:1]), at="09:16:00")
    order = bench.buy(1_000, 10.50)
    bench.clock.put("09:25:01")
    assert bench.fills(order) == [(10.50, 800)]
    assert (bench.order(order).status, bench.order(order).queue) == (PART_FILLED, 0)


@pytest.mark.parametrize(
    ("code", "price"),
    # all trades at any price from 10.01 to 10.50: Shanghai takes the middle, Shenzhen the nearest to the previous close
    [(SH, 10.26), (SZ, 10.01)],
)
def test_each_exchange_decides_between_prices_equally_good(tmp_path: Path, code: str, price: float) -> None:
    bench = Bench.of(tmp_path, *opening(volume=500, asks=ASKS[:1], bids=[]), code=code, at="09:16:00")
    order = bench.buy(800, 10.50, code)
    bench.clock.put("09:25:01")
    assert bench.fills(order) == [(price, 800)]


def test_at_the_price_of_the_auction_the_market_comes_first(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, *opening(asks=[(10.00, 300), (10.01, 700)], bids=[]), at="09:16:00")
    order, sell_side = bench.buy(1_000, 10.00), bench.buy(100, 9.99)
    bench.clock.put("09:25:01")
    assert bench.fills(order) == [(10.00, 300)]
    assert bench.fills(sell_side) == []
    # the 300 are gone from the snapshot, and nobody is ahead any more
    assert bench.order(order).queue == 0


def test_a_sell_in_the_auction(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, *opening(), at="09:16:00")
    bench.give(2_000)
    better, at_price, worse = bench.sell(700, 9.50), bench.sell(700, 10.00), bench.sell(600, 10.01)
    bench.clock.put("09:25:01")
    # of the 400 bids left over the better one takes what it takes, and the market's own 5,000 the rest
    assert [bench.fills(order) for order in (better, at_price, worse)] == [[(10.00, 700)], [], []]
    assert bench.order(worse).queue == 300
    audit(bench.exchange, {SH: 2_000})


def test_a_sell_at_the_price_of_the_auction_meets_the_bids_left_over(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, *opening(), at="09:16:00")
    bench.give(2_000)
    better, at_price = bench.sell(300, 9.50), bench.sell(700, 10.00)
    bench.clock.put("09:25:01")
    assert [bench.fills(order) for order in (better, at_price)] == [[(10.00, 300)], [(10.00, 100)]]
    audit(bench.exchange, {SH: 2_000})


def test_without_an_auction_trade_an_order_meets_the_first_continuous_snapshot(tmp_path: Path) -> None:
    ticks = [called("09:15:03", 9.90, 900), book("09:25:01", 0, 0, phase=12), book("09:30:01", 0, 0)]
    bench = Bench.of(tmp_path, *ticks, at="09:16:00")
    order, deeper = bench.buy(800, 10.50), bench.buy(100, 9.99)
    bench.clock.put("09:29:59")
    assert (bench.fills(order), bench.order(order).status) == ([], REPORTED)
    bench.clock.put("09:30:01")
    assert bench.fills(order) == ASKS[:2]
    assert bench.order(deeper).queue == 600


def test_an_order_of_shenzhens_pause_is_held_until_trading_begins(tmp_path: Path) -> None:
    ticks = [called("09:15:03", 9.90, 900), book("09:25:02", phase=12), book("09:30:01", volume=10_000)]
    bench = Bench.of(tmp_path, *ticks, code=SZ, at="09:25:01")
    order = bench.buy(400, 10.50, SZ)
    bench.clock.put("09:29:59")
    # the auction was over when it came, though its trades were not on display yet
    assert bench.fills(order) == []
    bench.clock.put("09:30:01")
    assert bench.fills(order) == [(10.01, 300), (10.02, 100)]


def test_a_cancel_of_shenzhens_pause_does_not_undo_the_auction(tmp_path: Path) -> None:
    ticks = [*opening(), book("09:30:00", 9.90, 9_000, asks=[(9.90, 900)], bids=[])]
    bench = Bench.of(tmp_path, *ticks, code=SZ, at="09:18:00")
    traded, resting = bench.buy(100, 10.50, SZ), bench.buy(100, 9.95, SZ)
    # before the market shows what the auction gave
    bench.clock.put("09:25:00")
    assert [bench.exchange.cancel(order, "", 1) for order in (traded, resting)] == [(0, ""), (0, "")]
    assert [bench.order(order).status for order in (traded, resting)] == [51, 51]
    bench.clock.put("09:30:00")
    assert [bench.order(order).status for order in (traded, resting)] == [FILLED, CANCELED]
    audit(bench.exchange)


def closing(code: str = SH, **levels: object) -> list[Tick]:
    """A closing auction of 9.95, in which 2,000 traded."""
    levels = {"asks": [(9.96, 500)], "bids": [(9.95, 300), (9.94, 900)], **levels}
    return [
        book("10:00:00"),
        book("14:57:02", phase=18, asks=[(9.90, 700)], bids=[(9.90, 700)]),
        book("15:00:00", 9.95, 12_000, phase=18, **levels),
        book("15:00:01", 9.95, 12_000, phase=15, **levels),
    ]


def test_what_rests_takes_part_in_the_closing_auction(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, *closing())
    better, at_price, deeper = bench.buy(100, 9.98), bench.buy(100, 9.95), bench.buy(100, 9.94)
    bench.clock.put("14:59:59")
    assert bench.exchange.trades() == []
    late = bench.buy(300, 10.10)
    bench.clock.put("15:00:00")
    assert [bench.fills(order) for order in (better, at_price, deeper, late)] == [
        [(9.95, 100)], [], [], [(9.95, 300)],
    ]  # fmt: skip
    bench.exchange.refresh()
    bench.clock.put("15:00:01")
    assert len(bench.exchange.trades()) == 2


@pytest.mark.parametrize("moment", ["15:00:00", "15:00:01", "15:29:00", "23:59:59"])
def test_an_auction_is_met_once_however_late_one_looks(tmp_path: Path, moment: str) -> None:
    bench = Bench.of(tmp_path, *closing())
    order = bench.buy(100, 9.98)
    bench.clock.put(moment)
    assert bench.fills(order) == [(9.95, 100)]
    assert bench.fills(order) == [(9.95, 100)]


def test_no_closing_auction_without_one(tmp_path: Path) -> None:
    day, fund = date(2026, 7, 3), "510300.SH"
    ticks = [book("10:00:00"), book("14:58:00", 9.90, 20_000, bids=[(9.90, 300)], asks=[(9.91, 100)])]
    bench = Bench(tmp_path, ScriptedTape({fund: {day: ticks}}), f"{day}T10:00:00")
    order = bench.buy(100, 9.98, fund)
    bench.clock.put(f"{day}T14:58:00")
    assert bench.fills(order) == [(9.98, 100)]


# -- after hours -------------------------------------------------------------------------------------------


def after_hours() -> list[Tick]:
    return [
        *closing(),
        book("15:05:03", 9.95, 12_400, phase=22),
        book("15:10:00", 9.95, 12_600, phase=22),
        book("15:30:01", 9.95, 13_000, phase=23),
    ]


def test_after_hours_orders_trade_at_the_close_with_what_others_trade(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, *after_hours(), at="10:00:00")
    early = bench.buy(300, 10.10, kind=AFTER_HOURS)
    assert (bench.order(early).status, bench.exchange.asset()["frozen"]) == (REPORTED, 300 * 1010 + 500 + 3)
    bench.clock.put("15:01:00")
    second = bench.buy(500, 9.95, kind=AFTER_HOURS)
    bench.clock.put("15:05:03")
    assert (bench.fills(early), bench.fills(second)) == ([(9.95, 300)], [(9.95, 100)])
    bench.clock.put("15:29:00")
    assert bench.fills(second) == [(9.95, 100), (9.95, 200)]
    bench.clock.put("15:31:00")
    assert bench.fills(second) == [(9.95, 100), (9.95, 200), (9.95, 200)]
    audit(bench.exchange)


def test_a_limit_beyond_the_close_is_not_for_after_hours(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, *after_hours())
    order = bench.buy(300, 9.94, kind=AFTER_HOURS)
    bench.clock.put("15:05:03")
    row = bench.order(order)
    assert (row.status, row.message, bench.exchange.asset()["frozen"]) == (CANCELED, "收盘价超出限价", 0)


@pytest.mark.parametrize(("moment", "code", "status"), [
    ("09:20:00", SH, JUNK), ("09:20:00", SZ, REPORTED), ("12:00:00", SH, JUNK), ("15:29:59", SH, REPORTED),
    ("15:30:00", SH, JUNK), ("10:00:00", "920185.BJ", JUNK), ("10:00:00", "510300.SH", REPORTED),
])  # fmt: skip
def test_when_after_hours_orders_are_taken(tmp_path: Path, moment: str, code: str, status: int) -> None:
    tape = ScriptedTape({code: {DAY: [book("09:15:00"), *after_hours()]}})
    bench = Bench(tmp_path, tape, moment)
    assert bench.order(bench.buy(100, 10.00, code, AFTER_HOURS)).status == status


def test_after_the_close_a_limit_beyond_it_is_turned_away(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, *after_hours())
    bench.give(300)
    bench.clock.put("15:02:00")
    bought, sold = bench.buy(300, 9.94, kind=AFTER_HOURS), bench.sell(300, 9.96, kind=AFTER_HOURS)
    assert [(bench.order(order).status, bench.order(order).message) for order in (bought, sold)] == [
        (JUNK, "劣于收盘价: 委托 9.94, 收盘 9.95"),
        (JUNK, "劣于收盘价: 委托 9.96, 收盘 9.95"),
    ]


def test_after_hours_one_order_may_be_larger_than_in_the_day(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book("10:00:00"), code="300001.SZ", cash=100_000_000)
    in_the_day, after, most = (
        bench.order(bench.buy(volume, 10.00, "300001.SZ", kind))
        for volume, kind in ((300_100, 11), (1_000_000, AFTER_HOURS), (1_000_100, AFTER_HOURS))
    )
    assert [order.status for order in (in_the_day, after, most)] == [JUNK, REPORTED, JUNK]


def test_after_hours_only_orders_for_it_can_be_canceled(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, *after_hours())
    of_the_day, after = bench.buy(300, 9.50), bench.buy(300, 9.95, kind=AFTER_HOURS)
    bench.clock.put("15:02:00")
    assert bench.exchange.cancel(of_the_day, "", 1) == (-1, "当前时间不允许撤单")
    assert bench.exchange.cancel(after, "", 1) == (0, "")


def test_after_hours_orders_do_not_trade_in_the_day(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book("10:00:00"), book("10:00:03", 9.90, 99_999, asks=[(9.90, 900)], bids=[]))
    order = bench.buy(300, 10.10, kind=AFTER_HOURS)
    bench.clock.put("10:00:03")
    assert bench.fills(order) == []
    bench.give(100)
    # nor with an own order
    bench.sell(100, 9.80)
    assert bench.fills(order) == []


# -- an account with itself --------------------------------------------------------------------------------


def test_own_orders_meet_behind_those_displayed_ahead(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book("10:00:00"))
    bench.give(2_000)
    resting = bench.buy(300, 10.00)
    order = bench.sell(1_000, 9.99)
    # 400 were ahead of it at 10.00; then the next price
    assert bench.fills(order) == [(10.00, 400), (10.00, 300), (9.99, 300)]
    assert bench.fills(resting) == [(10.00, 300)]
    assert [bench.order(n).status for n in (resting, order)] == [FILLED, FILLED]
    audit(bench.exchange, {SH: 2_000})


def test_each_own_order_has_its_own_queue(tmp_path: Path) -> None:
    later = book("10:00:03", bids=[(10.00, 700)])
    bench = Bench.of(tmp_path, book("10:00:00"), later)
    bench.give(3_000)
    first = bench.buy(100, 10.00)
    bench.clock.put("10:00:03")
    second = bench.buy(200, 10.00)
    # 400 were ahead of the first, then 300 came, which are ahead of the second
    assert bench.fills(bench.sell(1_000, 10.00)) == [(10.00, 400), (10.00, 100), (10.00, 300), (10.00, 200)]
    assert [bench.order(n).status for n in (first, second)] == [FILLED, FILLED]
    audit(bench.exchange, {SH: 3_000})


def test_what_was_taken_of_a_level_was_ahead_of_an_own_order(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book("10:00:00"), book("10:00:03", bids=[(10.00, 700)]))
    bench.give(3_000)
    resting = bench.buy(200, 10.00)
    bench.clock.put("10:00:03")
    # 400 of the 700 are ahead of it
    assert bench.fills(bench.sell(300, 10.00)) == [(10.00, 300)]
    assert bench.fills(resting) == []
    assert bench.fills(bench.sell(500, 10.00)) == [(10.00, 100), (10.00, 200), (10.00, 200)]
    audit(bench.exchange, {SH: 3_000})


def test_an_own_order_between_the_levels_comes_first(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book("10:00:00", asks=[(10.05, 300)]))
    bench.give(2_000)
    asked = bench.sell(200, 10.03)
    assert bench.fills(bench.buy(400, 10.05)) == [(10.03, 200), (10.05, 200)]
    assert bench.order(asked).status == FILLED
    # 100 are left of what the snapshot displays
    assert bench.fills(bench.buy(400, 10.05)) == [(10.05, 100)]
    audit(bench.exchange, {SH: 2_000})


def test_a_partly_met_own_order_goes_on_resting(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book("10:00:00", asks=[]))
    bench.give(2_000)
    asked = bench.sell(500, 10.03)
    assert bench.fills(bench.buy(200, 10.10)) == [(10.03, 200)]
    row = bench.order(asked)
    assert (row.status, row.traded, row.frozen) == (PART_FILLED, 200, 300)
    assert bench.position()["sellable"] == 1_500
    audit(bench.exchange, {SH: 2_000})


# -- halts -------------------------------------------------------------------------------------------------


def listed_today(*ticks: Tick) -> ScriptedTape:
    return ScriptedTape({SH: {DAY: list(ticks)}}, [instrument(SH, "新股", listed=DAY)])


def test_a_day_without_limits_is_halted_at_thirty_per_cent(tmp_path: Path) -> None:
    touched = book("10:00:03", 13.00, 20_000, asks=[(13.01, 5_000)], bids=[(13.00, 100)])
    tape = listed_today(
        book("10:00:00")._replace(open=10_000),
        touched._replace(open=10_000),
        touched._replace(ms=touched.ms + 5 * 60_000, open=10_000),
        touched._replace(ms=touched.ms + 10 * 60_000, open=10_000),
    )
    bench = Bench(tmp_path, tape, "10:00:03")
    order = bench.buy(100, 13.05)
    assert (bench.fills(order), bench.order(order).status) == ([], REPORTED)
    bench.clock.put("10:10:02")
    assert bench.fills(order) == []
    bench.clock.put("10:10:03")
    assert bench.fills(order) == [(13.01, 100)]


def test_what_rests_does_not_trade_while_halted(tmp_path: Path) -> None:
    falls = book("10:00:03", 6.90, 20_000, bids=[(6.90, 100)], asks=[(6.91, 5_000)])._replace(open=10_000)
    tape = listed_today(book("10:00:00"), falls, falls._replace(ms=falls.ms + 600_000, volume=21_000))
    bench = Bench(tmp_path, tape)
    order = bench.buy(100, 9.50)
    bench.clock.put("10:10:02")
    assert bench.fills(order) == []
    bench.clock.put("10:10:03")
    assert bench.fills(order) == [(9.50, 100)]


def test_the_opening_range_of_a_day_without_limits(tmp_path: Path) -> None:
    bench = Bench(tmp_path, listed_today(called("09:15:00", 10.00, 100)), "09:16:00")
    messages = [bench.order(bench.buy(100, price)).message for price in (4.99, 5.00, 90.00, 90.01)]
    assert messages == ["超出申报范围: 5 至 90", "", "", "超出申报范围: 5 至 90"]


# -- in flight ---------------------------------------------------------------------------------------------


def test_the_opening_range_is_not_for_the_closing_auction(tmp_path: Path) -> None:
    grown = book("14:57:00", 120.00, 20_000, asks=[(120.00, 100)], bids=[(119.00, 100)])._replace(open=100_000)
    bench = Bench(tmp_path, listed_today(book("10:00:00"), grown), "14:58:00")
    bench.give(100)
    assert bench.order(bench.sell(100, 120.00)).status == REPORTED


def bond(at: str, last: float, volume: int) -> Tick:
    """A bond that opened at 96.00, four per cent down."""
    shown = snap(at, last, volume, asks=[(last + 0.01, 1_000)], bids=[(last, 1_000)])
    return shown._replace(open=96_000, preclose=100_000)


def test_a_bond_with_a_daily_limit_is_not_halted(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, bond("09:30:00", 96.00, 100), bond("10:00:00", 118.00, 20_000), code=BOND)
    assert bench.fills(bench.buy(10, 118.01, BOND)) == [(118.01, 10)]


@pytest.mark.parametrize(
    ("last", "moment", "fills"),
    [
        # 20 % up from the reference price, 25 % from the open: half an hour; farther: until 14:57
        (119.99, "10:00:05", [(119.99, 10)]),
        (120.00, "10:30:02", []),
        (120.00, "10:30:03", [(120.00, 10)]),
        (131.00, "14:56:59", []),
        (131.00, "14:57:00", [(131.00, 10)]),
    ],
)
def test_the_halts_of_a_new_bond_are_counted_from_its_reference_price(
    tmp_path: Path, last: float, moment: str, fills: list[tuple[float, int]]
) -> None:
    ticks = [bond(at, last - 0.01, 20_000) for at in ("10:00:03", "10:30:03", "14:57:00")]
    ticks[0] = ticks[0]._replace(last=round(last * 1000))
    tape = ScriptedTape({BOND: {DAY: [bond("09:30:00", 96.00, 100), *ticks]}}, [instrument(BOND, "新债", listed=DAY)])
    bench = Bench(tmp_path, tape, "10:00:03")
    order = bench.buy(10, last, BOND)
    bench.clock.put(moment)
    assert bench.fills(order) == fills


def test_a_bond_that_opens_far_away_is_halted_from_the_first_moment(tmp_path: Path) -> None:
    opened = bond("09:25:02", 130.00, 10_000)._replace(open=130_000)
    tape = ScriptedTape({BOND: {DAY: [opened]}}, [instrument(BOND, "新债", listed=DAY)])
    bench = Bench(tmp_path, tape, "09:30:00")
    order = bench.buy(10, 130.01, BOND)
    assert (bench.fills(order), bench.order(order).status) == ([], REPORTED)


def test_an_order_in_flight_arrives_by_itself(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book("10:00:00"), book("10:00:05", 10.05, asks=[(10.05, 900)], bids=[]))
    order = bench.buy(100, 10.10, delay_ms=5_000)
    row = bench.order(order)
    assert (row.status, row.sysid, row.frozen) == (IN_FLIGHT, "", 0)
    bench.clock.put("10:00:04.999")
    assert bench.order(order).status == IN_FLIGHT
    bench.clock.put("10:01:00")
    row = bench.order(order)
    # it met the book of its arrival, not that of its sending or of the look
    assert (row.status, row.sysid, bench.fills(order)) == (FILLED, str(order), [(10.05, 100)])
    assert bench.trades(order)[0].time == row.time == bench.clock.now - 55_000
    assert [body["order"][10] for kind, body in bench.events() if kind == "order"] == [49, 50]


def test_an_order_in_flight_can_be_turned_away(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book("10:00:00"), cash=100)
    order = bench.buy(100, 10.10, delay_ms=1_000)
    bench.clock.put("10:00:01")
    assert bench.order(order).status == JUNK
    (error,) = [body for kind, body in bench.events() if kind == "order_error"]
    assert (error["session"], error["seq"]) == (1, 1)


def test_an_order_in_flight_cannot_be_canceled(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book("10:00:00"))
    order = bench.buy(100, 10.10, delay_ms=1_000)
    assert bench.exchange.cancel(order, "", 1) == (-1, "委托未报, 不能撤单")


def test_until_a_cancel_arrives_the_order_trades(tmp_path: Path) -> None:
    through = book("10:00:03", 9.90, 20_000, asks=[(9.90, 60)], bids=[])
    bench = Bench.of(tmp_path, book("10:00:00"), through)
    order = bench.buy(100_000, 9.98)
    assert bench.exchange.cancel(order, "", 1, delay_ms=4_000) == (0, "")
    assert bench.order(order).status == 51
    bench.clock.put("10:00:03")
    assert (bench.order(order).status, bench.order(order).traded) == (52, 10_000)
    bench.clock.put("10:00:04")
    row = bench.order(order)
    assert (row.status, row.traded, row.frozen) == (PART_CANCELED, 10_000, 0)
    audit(bench.exchange)


def test_a_cancel_can_come_too_late(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book("10:00:00"), book("10:00:03", 9.90, 20_000, asks=[(9.90, 900)], bids=[]))
    order = bench.buy(100, 9.98)
    bench.exchange.cancel(order, "", 7, delay_ms=4_000)
    bench.clock.put("10:00:04")
    assert bench.order(order).status == FILLED
    (error,) = [body for kind, body in bench.events() if kind == "cancel_error"]
    assert (error["order_id"], error["session"], error["message"]) == (order, 7, "委托状态不允许撤单")


def test_a_cancel_that_arrives_when_none_is_taken_is_refused(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book("10:00:00"), at="14:56:59")
    order = bench.buy(100, 9.98)
    assert bench.exchange.cancel(order, "", 7, delay_ms=2_000) == (0, "")
    bench.clock.put("14:57:02")
    row = bench.order(order)
    assert (row.status, row.due, row.frozen > 0) == (REPORTED, 0, True)
    told = [(kind, body) for kind, body in bench.events() if kind in ("order", "cancel_error")]
    assert [kind for kind, _ in told] == ["order", "order", "order", "cancel_error"]
    assert (told[-1][1]["session"], told[-1][1]["message"]) == (7, "当前时间不允许撤单")


def test_the_end_of_the_day_ends_what_is_in_flight(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book("10:00:00"), hours="always")
    order = bench.buy(100, 9.98, delay_ms=3_600_000)
    bench.exchange.next_day()
    bench.clock.put("12:00:00")
    (status,) = bench.exchange.store.execute("SELECT status, due FROM orders WHERE id = ?", order)
    assert status == (CANCELED, 0)


# -- ex-days -----------------------------------------------------------------------------------------------


class ExDays(ScriptedTape):
    """Shanghai's stock has an ex-day on each of some days."""

    def __init__(self, actions: dict[date, Action]) -> None:
        days = [DAY + timedelta(days=n) for n in (0, 1, 2)]
        super().__init__({SH: {day: [book("10:00:00")] for day in days}})
        self._actions = actions

    def actions(self, code: str, first: date, last: date) -> list[tuple[date, Action]]:
        return [(day, action) for day, action in sorted(self._actions.items()) if first <= day <= last]


def test_a_dividend_comes_on_the_ex_day_and_is_taxed_at_the_sale(tmp_path: Path) -> None:
    tape = ExDays({DAY + timedelta(days=1): Action(cash=Decimal("0.50"), bonus=Decimal("0.3"))})
    bench = Bench(tmp_path, tape)
    bench.buy(300, 10.01)
    paid = 300 * 1001 + 503
    bench.clock.put("2026-11-24T10:00:00")
    held = bench.position()
    assert (held["volume"], held["sellable"], held["yesterday"]) == (390, 390, 390)
    assert held["cost"] == paid - 150_00
    assert bench.exchange.asset()["cash"] == CASH - paid + 150_00
    before = bench.exchange.asset()["cash"]
    bench.sell(190, 10.00)
    # 190 of 390 shares carry 73.07 of the 150.00, taxed at 20 %; stamp duty 0.95, transfer 0.02, commission 5.00
    assert bench.exchange.asset()["cash"] == before + 190 * 1000 - 597 - 1461
    audit(bench.exchange)


def test_what_is_bought_on_the_ex_day_receives_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ExDays({DAY: Action(cash=Decimal(1), bonus=Decimal(1))}))
    bench.buy(300, 10.01)
    bench.clock.put("2026-11-24T10:00:00")
    assert bench.position()["volume"] == 300


def test_ex_days_slept_through_come_in_order(tmp_path: Path) -> None:
    actions = {DAY + timedelta(days=n): Action(bonus=Decimal("0.5"), cash=Decimal("0.10")) for n in (1, 2)}
    bench = Bench(tmp_path, ExDays(actions))
    bench.buy(100, 10.01)
    paid = 100 * 1001 + 501
    bench.clock.put("2026-11-25T10:00:00")
    assert bench.position()["volume"] == 225
    assert bench.exchange.asset()["cash"] == CASH - paid + 1000 + 1500


def test_an_ex_day_comes_once_though_the_tape_has_ended(tmp_path: Path) -> None:
    last = DAY + timedelta(days=2)
    bench = Bench(tmp_path, ExDays({last: Action(cash=Decimal("0.50"))}))
    bench.buy(300, 10.01)
    for day in range(24, 28):
        bench.clock.put(f"2026-11-{day}T10:00:00")
        bench.exchange.refresh()
    assert bench.exchange.store.execute("SELECT day, amount FROM flows WHERE kind = 'dividend'") == [
        (number_of(last), 150_00)
    ]


def test_an_ex_day_that_the_tape_leaves_out_comes(tmp_path: Path) -> None:
    missing, later = date(2026, 11, 26), date(2026, 12, 7)
    tape = ExDays({missing: Action(bonus=Decimal(1))})
    tape._ticks[SH][later] = [book("10:00:00")]
    bench = Bench(tmp_path, tape)
    bench.buy(300, 10.01)
    for day, held in ((date(2026, 11, 25), 300), (missing, 600), (later, 600)):
        bench.clock.put(f"{day}T10:00:00")
        assert bench.position()["volume"] == held


# -- repo --------------------------------------------------------------------------------------------------

REPO = "204001.SH"


def rates(at: str) -> Tick:
    return snap(at, 1.500, 1_000, asks=[(1.505, 10_000)], bids=[(1.500, 2_000), (1.495, 50_000)])


def test_money_is_lent_and_comes_back_with_its_interest(tmp_path: Path) -> None:
    friday, monday = date(2026, 11, 20), DAY
    tape = ScriptedTape({REPO: {friday: [rates("10:00:00")], monday: [rates("10:00:00")]}})
    bench = Bench(tmp_path, tape, "2026-11-20T10:00:00")
    order = bench.order(bench.sell(3_000, 1.495, REPO))
    assert (order.status, bench.fills(order.id)) == (FILLED, [(1.500, 2_000), (1.495, 1_000)])
    asset = bench.exchange.asset()
    # 300,000 yuan at 0.001 %
    assert (asset["cash"], asset["value"], asset["total"]) == (CASH - 300_000_00 - 300, 300_000_00, CASH - 300)
    lent = bench.position(REPO)
    assert (lent["volume"], lent["sellable"], lent["value"]) == (3_000, 0, 300_000_00)
    bench.clock.put("2026-11-23T10:00:00")
    # traded on a Friday for a day: interest from Monday to Tuesday
    interest = round(200_000_00 * 1.500 / 100 / 365) + round(100_000_00 * 1.495 / 100 / 365)
    assert bench.exchange.asset()["cash"] == CASH - 300 + interest
    assert bench.exchange.positions() == []
    audit(bench.exchange)


@pytest.mark.parametrize(
    ("day", "rules", "kept"),
    [
        ("2026-11-24", {}, True),
        ("2026-11-24", {"repo_withdrawable": "true"}, False),
        # it came back on Tuesday
        ("2026-11-25", {}, False),
    ],
)
def test_what_comes_back_can_be_spent_at_once_and_withdrawn_the_next_day(
    tmp_path: Path, day: str, rules: dict[str, str], kept: bool
) -> None:
    bench = Bench.of(tmp_path, rates("10:00:00"), code=REPO, rules=rules)
    bench.sell(1_000, 1.500, REPO)
    left = bench.exchange.asset()["cash"]
    bench.clock.put(f"{day}T10:00:00")
    asset = bench.exchange.asset()
    assert asset["cash"] == left + 100_000_00 + round(100_000_00 * 1.500 / 100 / 365)
    assert asset["fetch"] == (left if kept else asset["cash"])


def test_lending_needs_the_money(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, rates("10:00:00"), code=REPO, cash=10_000)
    assert bench.order(bench.sell(100, 1.495, REPO)).message == "可用资金不足: 需要 10000.10, 可用 10000.00"
    resting = bench.sell(90, 1.600, REPO)
    assert (bench.order(resting).status, bench.exchange.asset()["frozen"]) == (REPORTED, 9_000_09)
    bench.exchange.cancel(resting, "", 1)
    assert bench.exchange.asset()["frozen"] == 0


def test_a_loan_past_the_end_of_the_calendar_is_not_made(tmp_path: Path) -> None:
    last = date(2026, 12, 31)
    bench = Bench(tmp_path, ScriptedTape({REPO: {last: [rates("10:00:00")]}}), "2026-12-31T10:00:00")
    row = bench.order(bench.sell(100, 1.495, REPO))
    assert (row.status, row.error) == (JUNK, -62)
    assert "2026-12-31" in row.message


# -- limits of a day ---------------------------------------------------------------------------------------


def test_a_risk_warning_stock_has_a_daily_cap(tmp_path: Path) -> None:
    tape = ScriptedTape({SH: {DAY: [book("10:00:00", asks=[(10.01, 300_000)])]}}, [instrument(SH, "ST股", st=True)])
    bench = Bench(tmp_path, tape, cash=100_000_000)
    filled, resting = bench.buy(200_000, 10.01), bench.buy(100_000, 9.90)
    bench.exchange.cancel(resting, "", 1)
    assert bench.order(bench.buy(300_100, 9.90)).message.startswith("超过风险警示股票单日买入上限: 500000")
    assert bench.order(bench.buy(300_000, 9.90)).status == REPORTED
    assert bench.order(filled).status == FILLED


def test_the_money_of_a_sale_buys_the_same_day_unless_a_setting_says_otherwise(tmp_path: Path) -> None:
    for usable, status in ((True, FILLED), (False, JUNK)):
        bench = Bench.of(tmp_path / str(usable), book("10:00:00"), cash=100)
        bench.exchange.feed.rules = bench.exchange.feed.rules._replace(proceeds_usable=usable)
        bench.give(200)
        bench.sell(200, 10.00)
        assert bench.order(bench.buy(100, 10.01)).status == status


def ruled(folder: Path, *ticks: Tick, code: str = SH, **rules: str) -> Bench:
    return Bench(folder, ScriptedTape({code: {DAY: list(ticks)}}), rules=rules)


def test_what_an_account_may_not_buy_it_may_sell(tmp_path: Path) -> None:
    star = "688981.SH"
    bench = ruled(tmp_path, book("10:00:00"), code=star, star_permission="false")
    bench.give(300, code=star)
    assert bench.order(bench.buy(200, 10.01, star)).message == "无此交易权限: 688981.SH"
    assert bench.order(bench.sell(300, 10.00, star)).status == FILLED


def test_settings_of_market_orders_without_a_counterpart(tmp_path: Path) -> None:
    rules = {"best5_limit_rests": "false", "no_best_price_cancels": "false"}
    bench = ruled(tmp_path, book("10:00:00", asks=[]), **rules)
    assert bench.order(bench.buy(100, 11.00, kind=43)).status == CANCELED
    assert bench.order(bench.buy(100, 11.00, kind=44)).error == -46


def test_the_money_of_a_sale_can_be_withdrawn_tomorrow(tmp_path: Path) -> None:
    for withdrawable, most in (("false", 100_00), ("true", 100_00 + 2_000_00 - 502 - 100)):
        bench = Bench(
            tmp_path / withdrawable, ScriptedTape({SH: {DAY: [book("10:00:00")]}}), cash=100,
            rules={"proceeds_withdrawable": withdrawable},
        )  # fmt: skip
        bench.give(200)
        bench.sell(200, 10.00)
        with pytest.raises(Refused):
            bench.exchange.withdraw(most + 1)
        bench.exchange.withdraw(most)
        audit(bench.exchange, {SH: 200})


def test_a_user_says_what_an_instrument_is(tmp_path: Path) -> None:
    table = tmp_path / "instruments.csv"
    table.write_text("code,st,name\n600000.SH,yes,*ST浦发\n", encoding="utf-8")
    settings = Settings(str(tmp_path), clock="2026-07-03T10:00:00", instruments=str(table))
    exchange = Exchange(settings)
    known = exchange.feed.tape.instrument("600000.SH")
    assert known is not None and (known.st, known.name) == (True, "*ST浦发")
    # 5 % until 2026-07-06
    _, message = exchange.place(NewOrder("600000.SH", 23, 100, 11, 9.80, "s", "r", 1, 1))
    (order,) = exchange.orders()
    assert order.message.startswith("高于涨停价"), message


def test_a_shanghai_market_order_needs_a_protection_price(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book("10:00:00"))
    row = bench.order(bench.buy(100, kind=42))
    assert (row.status, row.error) == (JUNK, -45)
