"""Matching and books on scripted tapes: exact prices, volumes and cents."""

from __future__ import annotations

import sqlite3
import threading
from datetime import date, timedelta
from pathlib import Path

import pytest
from scripted import BOND, DAY, SH, SZ, Bench, ScriptedTape, audit, snap

from qmtcli.errors import ConfigError, Refused, UsageError
from qmtcli.paper.codes import CANCELED, FILLED, JUNK, PART_CANCELED, PART_FILLED, REPORTED
from qmtcli.paper.store import Order
from qmtcli.rules.boards import instrument

ASKS = [(10.01, 300), (10.02, 500), (10.03, 1000), (10.04, 1000), (10.05, 2000)]
BIDS = [(10.00, 400), (9.99, 600), (9.98, 1000), (9.97, 1000), (9.96, 2000)]
#: fees of an order of less than 20,000 yuan, in fen: the least commission (the transfer fee comes on top)
LEAST = 500
YUAN = 100
CASH = 1_000_000 * YUAN


def book(at: str = "10:00:00", last: float = 10.00, volume: int = 10_000, **levels: object):  # type: ignore[no-untyped-def]
    return snap(at, last, volume, **{"asks": ASKS, "bids": BIDS, **levels})  # type: ignore[arg-type]


# -- arriving ----------------------------------------------------------------------------------------------


def test_an_order_takes_the_best_prices_first_within_its_limit(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book())
    order = bench.order(bench.buy(1_000, 10.03))
    assert bench.fills(order.id) == [(10.01, 300), (10.02, 500), (10.03, 200)]
    assert (order.status, order.traded, order.frozen) == (FILLED, 1_000, 0)


def test_the_rest_waits_at_the_limit_and_holds_its_cost(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book())
    order = bench.order(bench.buy(1_000, 10.02))
    assert bench.fills(order.id) == [(10.01, 300), (10.02, 500)]
    assert (order.status, order.traded) == (PART_FILLED, 800)
    spent = 300 * 1001 + 500 * 1002  # fen
    asset = bench.exchange.asset()
    # 200 x 10.02, and of the transfer fee what the rest adds: 0.10 of the whole, 0.08 paid
    assert asset["frozen"] == 200 * 1002 + 2
    assert asset["cash"] == CASH - spent - LEAST - 8 - asset["frozen"]
    assert asset["total"] == asset["cash"] + asset["frozen"] + 800 * 1000


def test_a_sell_takes_the_highest_bids_first(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book())
    bench.give(1_000)
    order = bench.order(bench.sell(900, 9.99))
    assert bench.fills(order.id) == [(10.00, 400), (9.99, 500)]
    amount = 400 * 1000 + 500 * 999
    stamp, transfer = 450, 9  # 8,995.00 x 0.0005 = 4.4975, x 0.00001 = 0.08995
    assert bench.exchange.asset()["cash"] == CASH + amount - LEAST - stamp - transfer


def test_what_a_snapshot_displays_is_given_once(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), book("10:00:03"))
    bench.buy(200, 10.01)
    second = bench.buy(600, 10.02)
    assert bench.fills(second) == [(10.01, 100), (10.02, 500)]
    third = bench.buy(100, 10.02)
    assert bench.fills(third) == []
    bench.exchange.cancel(third, "", 1)
    bench.clock.put("10:00:03")
    fourth = bench.buy(100, 10.02)
    assert bench.fills(fourth) == [(10.01, 100)]


def test_both_sides_of_a_snapshot_are_given_apart(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book())
    bench.give(400)
    bench.buy(300, 10.01)
    assert bench.fills(bench.sell(400, 10.00)) == [(10.00, 400)]
    assert bench.fills(bench.buy(500, 10.02)) == [(10.02, 500)]


# -- resting -----------------------------------------------------------------------------------------------


def test_a_resting_order_fills_at_its_price_when_the_book_crosses_it(tmp_path: Path) -> None:
    bench = Bench.of(
        tmp_path, book(), book("10:00:03", 9.97, 10_000, asks=[(9.97, 100), (9.98, 200)], bids=[(9.96, 100)])
    )
    order = bench.buy(500, 9.98)
    bench.clock.put("10:00:03")
    assert bench.fills(order) == [(9.98, 300)]
    assert bench.order(order).status == PART_FILLED


def test_what_a_crossing_gave_to_a_resting_order_is_gone_for_others(tmp_path: Path) -> None:
    crossing = book("10:00:03", 9.97, 10_000, asks=[(9.97, 100), (9.98, 200)], bids=[(9.96, 100)])
    bench = Bench.of(tmp_path, book(), crossing)
    bench.buy(200, 9.98)
    bench.clock.put("10:00:03")
    assert bench.fills(bench.buy(300, 9.98)) == [(9.98, 100)]


def test_a_resting_order_fills_on_trade_through_up_to_what_traded(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), book("10:00:03", 9.96, 10_700))
    order = bench.buy(1_000, 9.97)
    bench.clock.put("10:00:02.999")
    assert bench.fills(order) == []
    bench.clock.put("10:00:03")
    assert bench.fills(order) == [(9.97, 700)]
    assert bench.order(order).queue == 0  # all that was ahead at 9.97 went before anything at 9.96


def test_the_book_and_the_trades_of_a_snapshot_do_not_add_up(tmp_path: Path) -> None:
    crossing = book("10:00:03", 9.97, 10_200, asks=[(9.97, 100), (9.98, 200)], bids=[(9.96, 100)])
    more_trades = book("10:00:06", 9.97, 10_600, asks=[(9.98, 200)], bids=[(9.96, 100)])
    bench = Bench.of(tmp_path, book(), crossing, more_trades)
    order = bench.buy(1_000, 9.98)
    bench.clock.put("10:00:06")
    assert bench.fills(order) == [(9.98, 300), (9.98, 400)]


def test_at_touch_the_queue_ahead_trades_first(tmp_path: Path) -> None:
    ticks = [book(), book("10:00:03", 10.00, 10_300), book("10:00:06", 10.00, 10_600), book("10:00:09", 10.00, 10_600)]
    bench = Bench.of(tmp_path, *ticks)
    order = bench.buy(1_000, 10.00)
    assert bench.order(order).queue == 400
    bench.clock.put("10:00:03")
    assert (bench.fills(order), bench.order(order).queue) == ([], 100)
    bench.clock.put("10:00:09")
    assert bench.fills(order) == [(10.00, 200)]


def test_trades_at_a_better_price_do_not_reach_a_resting_order(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), book("10:00:03", 10.00, 90_000))
    order = bench.buy(1_000, 9.99)
    bench.clock.put("10:00:03")
    assert (bench.fills(order), bench.order(order).queue) == ([], 600)


def test_a_stale_last_price_below_the_limit_is_no_trade_through(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(last=9.95), book("10:00:03", last=9.95))
    order = bench.buy(1_000, 10.00)
    bench.clock.put("10:00:03")
    assert (bench.fills(order), bench.order(order).queue) == ([], 400)


def test_the_queue_shrinks_with_what_is_displayed_and_never_grows(tmp_path: Path) -> None:
    fewer, more = [(10.00, 150)], [(10.00, 5_000)]
    bench = Bench.of(
        tmp_path, book(), book("10:00:03", bids=fewer), book("10:00:06", bids=more), book("10:00:09", volume=10_250)
    )
    order = bench.buy(1_000, 10.00)
    bench.clock.put("10:00:06")
    assert bench.order(order).queue == 150
    bench.clock.put("10:00:09")
    assert bench.fills(order) == [(10.00, 100)]


@pytest.mark.parametrize(
    ("price", "queue"),
    [(10.01, 0), (10.00, 400), (9.98, 0), (9.95, -1)],
    ids=["better than all", "best", "between two levels", "beyond the fifth"],
)
def test_the_queue_ahead_by_where_the_price_is(tmp_path: Path, price: float, queue: int) -> None:
    bids = [(10.00, 400), (9.99, 600), (9.97, 1000), (9.96, 1000), (9.955, 2000)]
    bench = Bench.of(tmp_path, book(bids=bids, asks=[(10.02, 100)]))
    assert bench.order(bench.buy(100, price)).queue == queue


def test_a_price_below_the_last_of_few_levels_has_no_queue(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(bids=[(10.00, 400), (9.99, 600)]))
    assert bench.order(bench.buy(100, 9.95)).queue == 0


def test_a_deep_order_joins_the_queue_when_its_level_comes_up(tmp_path: Path) -> None:
    ticks = [
        book(), book("10:00:03", 9.96, 10_100, bids=[(9.95, 500)]), book("10:00:06", 9.95, 10_700, bids=[(9.95, 1)]),
    ]  # fmt: skip
    bench = Bench.of(tmp_path, *ticks)
    order = bench.buy(1_000, 9.95)
    bench.clock.put("10:00:03")
    assert bench.order(order).queue == 500
    bench.clock.put("10:00:06")
    assert bench.fills(order) == [(9.95, 100)]


def test_no_two_orders_fill_from_the_same_trades(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), book("10:00:03", 9.96, 11_000))
    late, better = bench.buy(800, 9.98), bench.buy(600, 9.99)
    bench.clock.put("10:00:03")
    assert (bench.fills(better), bench.fills(late)) == ([(9.99, 600)], [(9.98, 400)])


def test_of_two_orders_at_a_price_the_first_fills_first(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), book("10:00:03", 10.00, 11_000))
    first, second = bench.buy(500, 10.00), bench.buy(500, 10.00)
    bench.clock.put("10:00:03")
    assert (bench.fills(first), bench.fills(second)) == ([(10.00, 500)], [(10.00, 100)])


def test_a_resting_sell_fills_on_the_other_side(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), book("10:00:03", 10.01, 10_500), book("10:00:06", 10.02, 10_600))
    bench.give(1_000)
    order = bench.sell(1_000, 10.01)
    assert bench.order(order).queue == 300
    bench.clock.put("10:00:03")
    assert bench.fills(order) == [(10.01, 200)]
    bench.clock.put("10:00:06")
    assert bench.fills(order) == [(10.01, 200), (10.01, 100)]


def test_a_resting_sell_moves_up_when_it_is_the_best(tmp_path: Path) -> None:
    ticks = [
        book("10:00:03", asks=[(10.01, 120)]),
        book("10:00:06", asks=[(10.01, 900)]),
        book("10:00:09", 10.01, 10_200),
    ]
    bench = Bench.of(tmp_path, book(), *ticks)
    bench.give(1_000)
    order = bench.sell(1_000, 10.01)
    bench.clock.put("10:00:03")
    assert bench.order(order).queue == 120
    bench.clock.put("10:00:09")
    assert bench.fills(order) == [(10.01, 80)]


def test_a_resting_sell_fills_when_others_trade_above_it(tmp_path: Path) -> None:
    # a better ask came and went between two snapshots, and is on display again
    bench = Bench.of(tmp_path, book(), book("10:00:03", 10.03, 10_500))
    bench.give(1_000)
    order = bench.sell(1_000, 10.02)
    bench.clock.put("10:00:03")
    assert bench.fills(order) == [(10.02, 500)]


def test_many_snapshots_at_once_are_met_one_by_one(tmp_path: Path) -> None:
    ticks = [book(), *(book(f"10:00:{second:02}", 9.97, 10_000 + 100 * second) for second in range(3, 31, 3))]
    watched, asleep = Bench.of(tmp_path / "a", *ticks), Bench.of(tmp_path / "b", *ticks)
    for bench in (watched, asleep):
        bench.buy(1_700, 9.98)
    for second in range(3, 31, 3):
        watched.clock.put(f"10:00:{second:02}")
        watched.exchange.refresh()
    asleep.clock.put("10:00:30")
    assert asleep.exchange.orders() == watched.exchange.orders()
    assert asleep.exchange.trades() == watched.exchange.trades()
    assert asleep.fills(1) == [(9.98, 300)] * 5 + [(9.98, 200)]


def test_orders_of_two_codes_meet_their_snapshots_in_the_order_of_time(tmp_path: Path) -> None:
    tape = ScriptedTape({
        SH: {DAY: [book(), book("10:00:05", 9.97, 10_100)]},
        SZ: {DAY: [book(), book("10:00:04", 9.97, 10_100), book("10:00:06", 9.97, 10_200)]},
    })  # fmt: skip
    bench = Bench(tmp_path, tape)
    bench.buy(500, 9.98), bench.buy(500, 9.98, code=SZ)
    bench.clock.put("10:01:00")
    assert [order.code for _, order in bench.exchange.trades()] == [SZ, SH, SZ]


# -- market orders -----------------------------------------------------------------------------------------


def market(folder: Path, kind: int, code: str, volume: int, price: float = 0, selling: bool = False, **levels: object):  # type: ignore[no-untyped-def]
    """(status, fills, price it rests at) of a market order on the book, protected by the edge of the band."""
    price = price or (0 if code == SZ else 9.00 if selling else 11.00)
    bench = Bench.of(folder, book(**levels), code=code)
    if selling:
        bench.give(10_000, code=code)
    order = bench.order((bench.sell if selling else bench.buy)(volume, price, code, kind))
    assert (order.frozen > 0) == (order.status in (REPORTED, PART_FILLED))
    return order.status, bench.fills(order.id), order.limit_price / 1000 if order.frozen else 0


ALL_ASKS = [(10.01, 300), (10.02, 500), (10.03, 1000), (10.04, 1000), (10.05, 2000)]


@pytest.mark.parametrize(("kind", "code"), [(42, SH), (47, SZ), (46, SZ)])
def test_five_levels_and_the_rest_is_canceled(tmp_path: Path, kind: int, code: str) -> None:
    assert market(tmp_path / "1", kind, code, 800) == (FILLED, ALL_ASKS[:2], 0)
    assert market(tmp_path / "2", kind, code, 5_000) == (PART_CANCELED, ALL_ASKS, 0)
    assert market(tmp_path / "3", kind, code, 100, asks=[]) == (CANCELED, [], 0)


def test_five_levels_and_the_rest_becomes_a_limit_order(tmp_path: Path) -> None:
    assert market(tmp_path / "1", 43, SH, 5_000) == (PART_FILLED, ALL_ASKS, 10.05)
    assert market(tmp_path / "2", 43, SH, 100, asks=[]) == (REPORTED, [], 10.00)
    assert market(tmp_path / "3", 43, SH, 100, asks=[], bids=[]) == (CANCELED, [], 0)


def test_what_became_a_limit_order_holds_what_it_costs_there(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book())
    bench.buy(5_000, 11.00, kind=43)
    # the fees of 48,183.00 paid are 12.05 and 0.48, those of 50,193.00 are 12.55 and 0.50
    assert bench.exchange.asset()["frozen"] == 200 * 1005 + 52


@pytest.mark.parametrize("code", [SH, SZ])
def test_the_best_price_opposite_is_the_limit(tmp_path: Path, code: str) -> None:
    assert market(tmp_path / "1", 44, code, 1_000) == (PART_FILLED, [(10.01, 300)], 10.01)
    assert market(tmp_path / "2", 44, code, 1_000, selling=True) == (PART_FILLED, [(10.00, 400)], 10.00)
    assert market(tmp_path / "3", 44, code, 100, asks=[]) == (CANCELED, [], 0)


@pytest.mark.parametrize("code", [SH, SZ])
def test_the_best_price_of_the_own_side_is_the_limit(tmp_path: Path, code: str) -> None:
    assert market(tmp_path / "1", 45, code, 1_000) == (REPORTED, [], 10.00)
    assert market(tmp_path / "2", 45, code, 100, bids=[]) == (CANCELED, [], 0)
    # at limit-up nobody asks: the sell has no price to take, and must not sweep the bids instead
    assert market(tmp_path / "3", 45, code, 100, selling=True, asks=[]) == (CANCELED, [], 0)


def test_all_or_nothing(tmp_path: Path) -> None:
    assert market(tmp_path / "1", 48, SZ, 4_800) == (FILLED, ALL_ASKS, 0)
    assert market(tmp_path / "2", 48, SZ, 4_900) == (CANCELED, [], 0)


def test_all_or_nothing_takes_nothing_of_the_snapshot(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), code=SZ)
    bench.buy(4_900, 0, SZ, 48)
    assert bench.fills(bench.buy(4_800, 0, SZ, 48)) == ALL_ASKS


def test_shanghai_market_orders_keep_to_their_protection_price(tmp_path: Path) -> None:
    assert market(tmp_path / "1", 42, SH, 5_000, 10.02) == (PART_CANCELED, ALL_ASKS[:2], 0)
    assert market(tmp_path / "2", 42, SH, 2_000, 9.99, selling=True) == (PART_CANCELED, [(10.00, 400), (9.99, 600)], 0)
    assert market(tmp_path / "3", 47, SZ, 5_000, 10.02) == (PART_CANCELED, ALL_ASKS, 0)


def test_what_becomes_a_limit_order_is_protected_too(tmp_path: Path) -> None:
    """SSE: neither the trade price nor the limit that a market order turns into is worse than its protection."""
    assert market(tmp_path / "1", 44, SH, 100, 9.99) == (REPORTED, [], 9.99)
    assert market(tmp_path / "2", 44, SH, 100, 10.02, selling=True) == (REPORTED, [], 10.02)
    assert market(tmp_path / "3", 45, SH, 100, 9.98) == (REPORTED, [], 9.98)
    assert market(tmp_path / "4", 43, SH, 100, 9.98) == (REPORTED, [], 9.98)
    assert market(tmp_path / "5", 43, SH, 100, 10.05, selling=True) == (REPORTED, [], 10.05)


def test_a_protection_price_beyond_the_band(tmp_path: Path) -> None:
    assert market(tmp_path / "1", 44, SH, 100, 99.00) == (FILLED, [(10.01, 100)], 0)
    assert market(tmp_path / "2", 42, SH, 100, 0.01, selling=True) == (FILLED, [(10.00, 100)], 0)


def test_market_orders_on_a_day_without_a_band(tmp_path: Path) -> None:
    tape = ScriptedTape(
        {SH: {DAY: [book(asks=[(15.00, 100)], bids=[(5.00, 100)])]}}, [instrument(SH, "新股", listed=DAY)]
    )
    bench = Bench(tmp_path, tape)
    bench.give(100)
    assert bench.fills(bench.buy(100, 20.00, kind=42)) == [(15.00, 100)]
    assert bench.fills(bench.sell(100, 0.01, kind=42)) == [(5.00, 100)]


def test_a_market_buy_needs_money_for_the_edge_of_the_band(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), code=SZ, cash=10_500)
    assert bench.order(bench.buy(1_000, 0, SZ, 47)).message == "可用资金不足: 需要 11005.11, 可用 10500.00"
    assert bench.order(bench.buy(900, 0, SZ, 47)).status == FILLED


def test_latest_price_is_a_limit_at_the_last(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(last=10.02))
    order = bench.order(bench.buy(1_000, 0, kind=5))
    assert (order.price, order.status, bench.fills(order.id)) == (10_020, PART_FILLED, ALL_ASKS[:2])


# -- what is turned away -----------------------------------------------------------------------------------

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("order", "error", "words"),
    [
        (("buy", 100, 10.00, "600001.SH", 11), -20, "证券代码不存在: 600001.SH"),
        (("buy", 100, 10.00, "", 11), -20, "证券代码不存在: "),
        (("buy", 100, 10.00, "000001.SH", 11), -21, "无此交易权限: 000001.SH"),
        (("buy", 100, 10.00, "204001.SH", 11), -21, "无此交易权限: 204001.SH"),
        (("buy", 100, 10.00, "900901.SH", 11), -21, "无此交易权限: 900901.SH"),
        (("buy", 0, 10.00, SH, 11), -30, "委托数量非法: 0"),
        (("buy", -(2**31), 10.00, SH, 11), -30, "委托数量非法: -2147483648"),
        (("buy", 150, 10.00, SH, 11), -31, "600000.SH 的数量 150 不是 100 的整数倍"),
        (("buy", 2**31 - 1, 10.00, SH, 11), -31, "600000.SH 单笔委托最多 1000000"),
        (("buy", 100, 0.0, SH, 11), -41, "委托价格非法: 0"),
        (("buy", 100, -10.0, SH, 11), -41, "委托价格非法: -10"),
        (("buy", 100, NAN, SH, 11), -41, "委托价格非法: 0"),
        (("buy", 100, INF, SH, 11), -41, "委托价格非法: 0"),
        (("buy", 100, 1e300, SH, 11), -41, "委托价格非法: 0"),
        (("buy", 100, 10.005, SH, 11), -42, "价格不合价位: 最小变动 0.01"),
        (("buy", 100, 2.0**31 - 1, SH, 11), -43, "高于涨停价: 委托 2.14748e+09, 涨停 11"),
        (("buy", 100, 11.01, SH, 11), -43, "高于涨停价: 委托 11.01, 涨停 11"),
        (("sell", 100, 8.99, SH, 11), -43, "低于跌停价: 委托 8.99, 跌停 9"),
        (("buy", 100, 10.22, SH, 11), -44, "超出价格范围: 有效申报价格不高于 10.21"),
        (("sell", 100, 9.79, SH, 11), -44, "超出价格范围: 有效申报价格不低于 9.8"),
        (("buy", 100, 10.00, SH, 47), -40, "报价类型不支持: 47"),
        (("buy", 100, 10.00, SZ, 43), -40, "报价类型不支持: 43"),
        (("buy", 100, 10.005, SH, 42), -42, "价格不合价位: 最小变动 0.01"),
        (("buy", 100, 8.99, SH, 43), -43, "低于跌停价: 委托 8.99, 跌停 9"),
        (("sell", 100, 11.01, SH, 44), -43, "高于涨停价: 委托 11.01, 涨停 11"),
        (("buy", 10, 100.0, BOND, 42), -40, "报价类型不支持: 42"),
        (("buy", 99_900, 10.01, SH, 11), -50, "可用资金不足: 需要 1000259.00, 可用 1000000.00"),
        (("sell", 100, 10.00, SH, 11), -51, "可用股份不足: 委托 100, 可卖 0"),
        (("buy", 100, 10.00, "600519.SH", 11), -22, "证券停牌: 600519.SH"),
        (("buy", 100, 10.00, "688981.SH", 11), -22, "证券停牌: 688981.SH"),
    ],
)
def test_an_order_that_breaks_a_rule(
    tmp_path: Path, order: tuple[str, int, float, str, int], error: int, words: str
) -> None:
    halted = [book(asks=[], bids=[], phase=17)]
    tape = ScriptedTape(
        {code: {DAY: [book()]} for code in (SH, SZ, BOND, "000001.SH", "204001.SH", "900901.SH")}
        | {"600519.SH": {DAY: halted}, "688981.SH": {}}
    )
    bench = Bench(tmp_path, tape)
    side, volume, price, code, kind = order
    before = bench.exchange.asset()
    row = bench.order(getattr(bench, side)(volume, price, code, kind))
    assert (row.status, row.error, row.sysid, row.volume) == (JUNK, error, "", volume)
    assert row.message.startswith(words)
    assert bench.exchange.asset() == before
    assert [kind for kind, _ in bench.events()] == ["order", "order_error"]


@pytest.mark.parametrize(("side", "price", "code"), [
    ("buy", 10.21, SH), ("sell", 9.80, SH), ("buy", 11.000, "510300.SH"), ("sell", 9.000, "510300.SH"),
])  # fmt: skip
def test_the_last_price_that_is_allowed(tmp_path: Path, side: str, price: float, code: str) -> None:
    bench = Bench.of(tmp_path, book(), code=code)
    bench.give(100, code=code)
    assert bench.order(getattr(bench, side)(100, price, code)).status == FILLED


def test_the_last_fen_is_enough(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), cash=1_006)
    assert bench.order(bench.buy(100, 10.01)).message == "可用资金不足: 需要 1006.01, 可用 1006.00"
    bench.exchange.deposit(1)
    assert bench.order(bench.buy(100, 10.01)).status == FILLED
    assert bench.exchange.asset()["cash"] == 0


@pytest.mark.parametrize(("order_type", "kind"), [(23, 0), (23, 18), (23, -1), (27, 11), (0, 11)])
def test_what_never_becomes_an_order(tmp_path: Path, order_type: int, kind: int) -> None:
    bench = Bench.of(tmp_path, book())
    assert bench.send(order_type, 100, 10.00, kind=kind) == -1
    assert (bench.exchange.orders(), bench.events()) == ([], [])


def test_prices_with_the_noise_of_floats_are_on_the_tick(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book())
    assert bench.order(bench.buy(100, 10.010000000000002)).status == FILLED
    assert bench.order(bench.buy(100, 3.3366666666666664 * 3)).price == 10_010


# -- money and shares --------------------------------------------------------------------------------------


def test_fees_are_the_orders_however_many_fills_it_has(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), book("10:00:03", 10.02, 30_000), book("10:00:06", 10.01, 60_000))
    order = bench.buy(4_000, 10.02)
    bench.clock.put("10:00:06")
    trades = bench.trades(order)
    assert len(trades) == 3
    amount = sum(trade.amount for trade in trades)
    assert amount == 300 * 1001 + 500 * 1002 + 3_200 * 1002
    assert [trade.fee for trade in trades] == [LEAST + 3, 5, 534]
    assert bench.order(order).fee == 1_002 + 40  # 40,077.00 x 0.00025 = 10.01925 -> 10.02, x 0.00001 -> 0.40
    assert bench.exchange.asset()["cash"] == CASH - amount - bench.order(order).fee


def test_a_cancel_frees_what_was_held(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book())
    bench.give(500)
    buy, sell = bench.buy(1_000, 9.99), bench.sell(300, 10.05)
    assert bench.exchange.asset()["frozen"] == 1_000 * 999 + LEAST + 10
    assert (bench.position()["frozen"], bench.position()["sellable"]) == (300, 200)
    assert bench.exchange.cancel(buy, "", 1) == (0, "")
    assert bench.exchange.cancel(0, str(sell), 1) == (0, "")
    assert bench.exchange.asset()["frozen"] == 0
    assert bench.exchange.asset()["cash"] == CASH
    assert (bench.position()["frozen"], bench.position()["sellable"]) == (0, 500)
    assert [bench.order(order).status for order in (buy, sell)] == [CANCELED, CANCELED]


def test_a_partly_filled_order_ends_as_partly_canceled(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book())
    order = bench.buy(1_000, 10.01)
    bench.exchange.cancel(order, "", 1)
    assert (bench.order(order).status, bench.order(order).traded) == (PART_CANCELED, 300)
    pushed = [(kind, body["order"][10]) for kind, body in bench.events() if "order" in body]
    assert pushed == [("order", REPORTED), ("fill", PART_FILLED), ("order", 52), ("order", PART_CANCELED)]


@pytest.mark.parametrize(
    ("order_id", "sysid"), [(1, ""), (7, ""), (0, "1"), (0, "9" * 23), (0, "x"), (0, ""), (2**62, "")]
)
def test_what_cannot_be_canceled(tmp_path: Path, order_id: int, sysid: str) -> None:
    bench = Bench.of(tmp_path, book())
    bench.buy(100, 10.01)
    result, why = bench.exchange.cancel(order_id, sysid, 5)
    assert (result, why) == (-1, "委托状态不允许撤单" if "1" in (str(order_id), sysid) else "委托不存在")
    assert bench.events()[-1] == (
        "cancel_error", {"order_id": order_id, "sysid": sysid, "message": why, "session": 5},
    )  # fmt: skip


def test_open_orders_hold_money_against_each_other(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), cash=10_010)
    first = bench.buy(900, 9.99)
    assert bench.order(bench.buy(200, 9.99)).message == "可用资金不足: 需要 2003.02, 可用 1013.91"
    assert bench.order(bench.buy(100, 9.99)).status == bench.order(first).status == REPORTED


def test_open_sells_hold_shares_against_each_other(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book())
    bench.give(500)
    bench.sell(400, 10.05)
    assert bench.order(bench.sell(200, 10.05)).message == "可用股份不足: 委托 200, 可卖 100"
    assert bench.order(bench.sell(100, 10.05)).status == REPORTED


def test_a_share_bought_today_is_sold_tomorrow(tmp_path: Path) -> None:
    tomorrow = date(2026, 11, 24)
    bench = Bench(tmp_path, ScriptedTape({SH: {DAY: [book()], tomorrow: [book()]}}))
    bench.give(100)
    bench.buy(300, 10.01)
    assert (bench.position()["volume"], bench.position()["sellable"], bench.position()["yesterday"]) == (400, 100, 100)
    why = "可用股份不足: T+1, 今日买入的 300 下一交易日才可卖出, 可卖 100"
    assert bench.order(bench.sell(200, 10.00)).message == why
    bench.clock.put("2026-11-24T10:00:00")
    assert (bench.position()["sellable"], bench.position()["yesterday"]) == (400, 400)
    assert bench.order(bench.sell(400, 10.00)).status == FILLED


def test_a_convertible_bond_is_sold_on_the_day(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), code=BOND)
    bench.buy(20, 10.01, BOND)
    assert bench.position(BOND)["sellable"] == 20
    assert bench.order(bench.sell(20, 10.00, BOND)).status == FILLED
    # 1 yuan least commission, no stamp duty, no transfer fee
    assert bench.exchange.asset()["cash"] == CASH - 20 * 1001 - 100 + 20 * 1000 - 100


def test_sold_out_holdings_stay_for_the_day(tmp_path: Path) -> None:
    tomorrow = date(2026, 11, 24)
    bench = Bench(tmp_path, ScriptedTape({SH: {DAY: [book()], tomorrow: [book()]}}))
    bench.give(100)
    bench.sell(100, 10.00)
    assert (bench.position()["volume"], bench.position()["cost"], bench.position()["yesterday"]) == (0, 0, 100)
    bench.clock.put("2026-11-24T10:00:00")
    assert bench.exchange.positions() == []


def test_the_money_of_a_sale_buys_today_and_leaves_tomorrow(tmp_path: Path) -> None:
    tomorrow = date(2026, 11, 24)
    bench = Bench(tmp_path, ScriptedTape({SH: {DAY: [book()], tomorrow: [book()]}}), cash=1_000)
    bench.give(400)
    bench.sell(400, 10.00)
    received = 400 * 1000 - LEAST - 200 - 4
    assert bench.exchange.asset()["cash"] == 1_000 * YUAN + received
    assert bench.exchange.asset()["fetch"] == 1_000 * YUAN
    bench.clock.put("2026-11-24T10:00:00")
    assert bench.exchange.asset()["fetch"] == 1_000 * YUAN + received


def test_a_sale_never_costs_more_than_it_brought(tmp_path: Path) -> None:
    tape = ScriptedTape(
        {SH: {DAY: [snap("10:00:00", 0.20, 100, bids=[(0.20, 5), (0.19, 1000)])._replace(preclose=200)]}}
    )
    bench = Bench(tmp_path, tape, cash=0)
    bench.give(105, 0.20)
    order = bench.sell(105, 0.19)
    assert [(trade.amount, trade.fee) for trade in bench.trades(order)] == [(100, 100), (1_900, LEAST + 1 - 100)]
    assert bench.exchange.asset()["cash"] == 2_000 - LEAST - 1


def test_half_a_fen_is_rounded_up(tmp_path: Path) -> None:
    code = "510300.SH"
    bench = Bench.of(tmp_path, book(bids=[(10.001, 1_000)]), code=code)
    bench.give(105, code=code)
    (trade,) = bench.trades(bench.sell(105, 10.001, code))
    assert trade.amount == 105_011  # 1,050.105 yuan


def test_the_band_is_the_days(tmp_path: Path) -> None:
    tomorrow = date(2026, 11, 24)
    higher = book()._replace(preclose=12_000)
    bench = Bench(tmp_path, ScriptedTape({SH: {DAY: [book()], tomorrow: [higher]}}))
    assert bench.order(bench.buy(100, 10.05)).status == FILLED
    bench.clock.put("2026-11-24T10:00:00")
    assert bench.order(bench.buy(100, 10.05)).message == "低于跌停价: 委托 10.05, 跌停 10.8"


def test_an_odd_lot_is_sold_whole(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book())
    bench.give(150)
    assert bench.order(bench.sell(20, 10.00)).error == -31
    assert bench.order(bench.sell(50, 10.00)).status == FILLED


@pytest.mark.parametrize("fen", [0, -1, 10**15, 10**30])
def test_a_deposit_that_is_none(tmp_path: Path, fen: int) -> None:
    bench = Bench.of(tmp_path, book())
    with pytest.raises(UsageError, match="bad_money"):
        bench.exchange.deposit(fen)
    assert bench.exchange.asset()["cash"] == CASH


@pytest.mark.parametrize("fen", [0, -1, 10**15, 10**30])
def test_a_withdrawal_that_is_none(tmp_path: Path, fen: int) -> None:
    bench = Bench.of(tmp_path, book())
    with pytest.raises(UsageError, match="bad_money"):
        bench.exchange.withdraw(fen)
    assert bench.exchange.asset()["cash"] == CASH


def test_what_can_be_withdrawn_is_what_no_order_holds_and_no_sale_of_today_brought(tmp_path: Path) -> None:
    tape = ScriptedTape({SH: {DAY: [book()], date(2026, 11, 24): [book("09:30:00")]}})
    bench = Bench(tmp_path, tape)
    bench.give(100)
    bench.sell(100, 10.00)
    bench.buy(100, 9.50)
    fetch = bench.exchange.asset()["fetch"]
    assert fetch == CASH - (950_00 + 501)
    with pytest.raises(Refused) as caught:
        bench.exchange.withdraw(fetch + 1)
    assert caught.value.code == "not_withdrawable"
    assert caught.value.params == {"value": (fetch + 1) / 100, "most": fetch / 100}
    bench.exchange.withdraw(fetch)
    left = bench.exchange.asset()
    assert (left["fetch"], left["cash"] > 0) == (0, True)
    bench.clock.put("2026-11-24T10:00:00")
    rest = bench.exchange.asset()["cash"]
    assert bench.exchange.asset()["fetch"] == rest
    bench.exchange.withdraw(rest)
    assert bench.exchange.asset()["cash"] == 0
    flows = bench.exchange.store.execute("SELECT kind, amount FROM flows ORDER BY rowid")
    assert flows[-2:] == [("withdrawal", -fetch), ("withdrawal", -rest)]


def test_a_deposit_and_a_new_beginning(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book())
    bench.exchange.deposit(12_345)
    assert bench.exchange.asset()["cash"] == CASH + 12_345
    last = bench.buy(100, 10.01)
    bench.exchange.reset()
    assert (bench.exchange.orders(), bench.exchange.trades(), bench.exchange.positions()) == ([], [], [])
    assert bench.exchange.asset() == {"cash": CASH, "frozen": 0, "value": 0, "total": CASH, "fetch": CASH}
    assert bench.buy(100, 10.01) == last + 1  # a session that remembers an id must not meet it again
    assert bench.fills(last + 1) == [(10.01, 100)]


# -- days and phases ---------------------------------------------------------------------------------------


def test_the_day_ends_after_its_last_snapshot(tmp_path: Path) -> None:
    tomorrow = date(2026, 11, 24)
    tape = ScriptedTape(
        {SH: {DAY: [book(), book("14:00:00", 9.97, 10_300)], tomorrow: [book("09:30:00", 9.97, 99_999)]}}
    )
    bench = Bench(tmp_path, tape)
    order = bench.buy(500, 9.98)
    bench.clock.put("2026-11-24T10:00:00")
    assert bench.exchange.orders() == []
    found = bench.exchange.store.execute("SELECT status, traded, frozen, message FROM orders WHERE id = ?", order)
    assert found == [(PART_CANCELED, 300, 0, "收盘自动撤单")]
    assert bench.exchange.asset()["frozen"] == 0
    assert bench.exchange.store.execute("SELECT day, volume FROM trades") == [(20_780, 300)]


@pytest.mark.parametrize(
    "moment",
    [
        "09:00:00",
        "09:27:00",
        "11:30:00",
        "12:59:59",
        "15:00:00",
        "2026-11-22T10:00:00",
        "2026-11-25T10:00:00",
        "2020-01-02T10:00:00",
    ],
)
def test_outside_the_phases_no_order_is_taken(tmp_path: Path, moment: str) -> None:
    bench = Bench.of(tmp_path, book("09:15:00"), at=moment)
    assert bench.order(bench.buy(100, 10.01)).message == "当前时间不允许此类证券交易"


@pytest.mark.parametrize(("moment", "why"), [("11:31:00", "当前时间不允许撤单"), ("13:00:00", "")])
def test_a_cancel_waits_for_the_end_of_lunch(tmp_path: Path, moment: str, why: str) -> None:
    bench = Bench.of(tmp_path, book())
    order = bench.buy(100, 9.98)
    bench.clock.put(moment)
    assert bench.exchange.cancel(order, "", 1) == (-1 if why else 0, why)


def test_nothing_trades_in_the_closing_auction(tmp_path: Path) -> None:
    auction = snap("14:57:03", 9.90, 99_999, phase=18, asks=[(9.90, 1_000)], bids=[(9.90, 1_000)])
    bench = Bench.of(tmp_path, book(), auction)
    resting = bench.buy(100, 9.98)
    bench.clock.put("14:57:03")
    arriving = bench.buy(100, 10.01)
    assert (bench.fills(resting), bench.fills(arriving)) == ([], [])
    assert bench.order(bench.buy(100, 11.00, kind=42)).message == "当前时间不允许此类证券交易"


def test_a_halted_instrument_does_not_trade(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), book("10:00:03", 9.90, 99_999, phase=20))
    order = bench.buy(100, 9.98)
    bench.clock.put("10:00:03")
    assert bench.fills(order) == []


def test_a_tape_without_phase_codes_trades_by_the_clock(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(phase=0))
    assert bench.fills(bench.buy(100, 10.01)) == [(10.01, 100)]


def test_an_account_opened_on_a_sunday_is_on_fridays_day(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), at="2026-11-22T10:00:00")
    assert bench.exchange.feed.day == date(2026, 11, 20)


def test_a_weekend_is_no_day_of_the_exchange(tmp_path: Path) -> None:
    friday = date(2026, 11, 20)
    tape = ScriptedTape({SH: {friday: [book()], DAY: [book()]}})
    bench = Bench(tmp_path, tape, at="2026-11-20T10:00:00")
    bench.buy(100, 10.01)
    for moment, sellable in [("2026-11-21T10:00:00", 0), ("2026-11-22T10:00:00", 0), (f"{DAY}T09:00:00", 100)]:
        bench.clock.put(moment)
        assert bench.position()["sellable"] == sellable
        assert bench.exchange.feed.day == (DAY if sellable else friday)


def test_next_day_is_of_the_endless_calendar_alone(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path / "always", book(), hours="always")
    bench.buy(300, 10.01)
    order = bench.buy(500, 9.98)
    assert bench.exchange.next_day() == date(2026, 11, 24)
    assert (bench.exchange.orders(), bench.position()["sellable"]) == ([], 300)
    assert bench.exchange.store.one("SELECT status FROM orders WHERE id = ?", order) == CANCELED
    bench = Bench.of(tmp_path / "exchange", book())
    with pytest.raises(Refused, match="day_follows_calendar"):
        bench.exchange.next_day()


def test_days_of_the_endless_calendar(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book("09:30:00"), hours="always", at="2026-12-31T23:00:00")
    days = []
    for moment in ("2026-12-31T23:59:59", "2027-01-01T00:00:00", "2027-01-01T23:00:00", "2027-02-06T05:00:00"):
        bench.clock.put(moment)
        bench.exchange.refresh()
        days.append(str(bench.exchange.feed.day))
    assert days == ["2026-12-31", "2027-01-01", "2027-01-01", "2027-02-06"]
    bench.exchange.next_day()
    bench.exchange.next_day()
    bench.clock.put("2027-02-07T05:00:00")
    bench.exchange.refresh()
    # it had run ahead of the dates, and goes on from where it is
    assert str(bench.exchange.feed.day) == "2027-02-09"


def test_at_midnight_the_endless_calendar_ends_the_day(tmp_path: Path) -> None:
    ticks = [book("09:30:00"), *(book(f"10:{minute:02}:00", 9.97, 10_000 + minute) for minute in range(60))]
    bench = Bench.of(tmp_path, *ticks, hours="always", at="2026-11-23T21:21:03")
    shown = bench.exchange.feed.time_shown(bench.clock.now_ms())
    assert shown == (9 * 60 + 30) * 60_000 + 3_000  # the fourth loop has just begun
    order = bench.buy(5_000, 9.98)
    bench.clock.put("2026-11-24T08:00:00")
    bench.exchange.refresh()
    (status, traded, message), *_ = bench.exchange.store.execute(
        "SELECT status, traded, message FROM orders WHERE id = ?", order
    )
    # 59 shares in the snapshots from 10:01 to 10:59, before midnight; those of the night are another day's
    assert (status, traded, message) == (PART_CANCELED, 59, "收盘自动撤单")


# -- the file ----------------------------------------------------------------------------------------------


def test_reading_writes_nothing_when_nothing_came_up(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), book("10:00:03", 10.00), book("10:00:06", 9.98))
    bench.buy(100, 9.98)
    witness = sqlite3.connect(bench.settings.account_file)
    before = witness.execute("PRAGMA data_version").fetchone()

    def read() -> bool:
        bench.exchange.refresh()
        for ask in (bench.exchange.orders, bench.exchange.trades, bench.exchange.positions, bench.exchange.asset):
            ask()
        return bool(witness.execute("PRAGMA data_version").fetchone() != before)

    bench.clock.put("10:00:05.999")  # the snapshot of 10:00:03 is none of the order's business
    assert not read()
    bench.clock.put("10:00:06")
    assert read()
    before = witness.execute("PRAGMA data_version").fetchone()
    bench.clock.put("10:30:00")
    assert not read()


def test_old_pushes_go_at_the_end_of_the_day_and_young_ones_stay(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), hours="always")
    bench.buy(100, 10.01)
    bench.exchange.store.execute("UPDATE events SET at = at - 3600001")
    bench.buy(100, 10.01)
    young = bench.exchange.store.events(3)
    assert [kind for _, kind, _ in young] == ["order", "fill", "account"]
    bench.exchange.next_day()
    assert bench.exchange.store.events(0) == young
    bench.exchange.store.execute("DELETE FROM events")
    bench.buy(100, 10.01)
    assert bench.exchange.store.events(0)[0][0] == 7  # a number is never used twice


def test_an_account_outlives_a_change_of_its_market(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book())
    bench.buy(300, 10.01)
    order = bench.buy(100, 9.98)
    moved = Bench.of(tmp_path, book(), code=SZ)
    assert (moved.position()["volume"], moved.position()["value"]) == (300, 0)
    assert moved.exchange.asset()["value"] == 0
    moved.clock.put("10:00:30")
    assert moved.order(order).status == REPORTED
    assert moved.exchange.cancel(order, "", 1) == (0, "")


def test_the_clock_is_read_once_a_command(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), book("10:00:03", asks=[(10.01, 100)]))

    class Jumpy:
        reads = 0

        def now_ms(self) -> int:
            self.reads += 1
            bench.clock.put(f"10:00:{self.reads:02}")
            return bench.clock.now_ms()

    bench.exchange.feed.clock = jumpy = Jumpy()  # type: ignore[assignment]
    bench.buy(100, 10.01)
    assert jumpy.reads == 1


def test_fees_of_the_profile(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), fees={"commission": "0.001", "minimum": "1"})
    assert bench.order(bench.buy(300, 10.01)).fee == 300 + 3  # 3,003.00: 3.003 -> 3.00, 0.03003 -> 0.03


def test_prices_of_a_fund_have_thousandths(tmp_path: Path) -> None:
    code = "159915.SZ"
    tape = ScriptedTape({code: {DAY: [book()]}}, [instrument(code, "创业板ETF")])
    bench = Bench(tmp_path, tape)
    assert bench.order(bench.buy(100, 12.001, code)).message == "高于涨停价: 委托 12.001, 涨停 12"
    assert bench.order(bench.buy(100, 11.999, code)).status == FILLED


# -- a cage that orders wait outside of ------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "status"), [(date(2023, 4, 7), REPORTED), (date(2023, 4, 10), JUNK)])
def test_an_order_outside_chinexts_early_cage_waits_for_it(tmp_path: Path, day: date, status: int) -> None:
    code = "300750.SZ"
    # asked at 10.01: a buy of up to 10.21; then at 10.20: of up to 10.40
    ticks = [book(), book("10:00:03"), book("10:00:06", asks=[(10.20, 700)])]
    bench = Bench(tmp_path, ScriptedTape({code: {day: ticks}}), f"{day}T10:00:00")
    order = bench.buy(100, 10.30, code)
    bench.clock.put(f"{day}T10:00:03")
    assert (bench.order(order).status, bench.fills(order)) == (status, [])
    at_market = bench.buy(100, 0, code, 47)
    assert bench.fills(at_market) == [(10.01, 100)]
    bench.clock.put(f"{day}T10:00:06")
    assert bench.fills(order) == ([(10.20, 100)] if status == REPORTED else [])


# -- several threads of one process ----------------------------------------------------------------------------


def test_an_order_placed_while_another_thread_looks_at_the_account_meets_the_market(tmp_path: Path) -> None:
    bench = Bench.of(tmp_path, book(), book("10:00:03", 9.90, 20_000, asks=[(9.90, 900)], bids=[]))
    books, placed, looked = bench.exchange._books, threading.Event(), threading.Event()
    read = books.open_orders

    def slowly(code: str = "") -> list[Order]:
        found = read(code)
        if threading.current_thread() is looker:
            looked.set()
            placed.wait(0.2)  # longer than an order takes that does not wait
        return found

    books.open_orders = slowly  # type: ignore[method-assign]
    looker = threading.Thread(target=bench.exchange.refresh)
    looker.start()
    looked.wait(10)
    order = bench.buy(100, 9.98)
    placed.set()
    looker.join()
    bench.clock.put("10:00:03")
    assert bench.fills(order) == [(9.98, 100)]


# -- a market that was changed under the account ---------------------------------------------------------------


@pytest.mark.parametrize("ending", ["cancel", "next day"])
def test_an_order_of_an_instrument_that_is_gone_gives_back_what_it_held(tmp_path: Path, ending: str) -> None:
    bench = Bench.of(tmp_path, book(), hours="always")
    bench.give(500)
    bought, sold = bench.buy(100, 9.90), bench.sell(200, 10.10)
    bench.exchange.store.close()
    bench = Bench.of(tmp_path, book(), code=SZ, hours="always")
    if ending == "cancel":
        assert [bench.exchange.cancel(order, "", 1) for order in (bought, sold)] == [(0, ""), (0, "")]
    else:
        bench.exchange.next_day()
    assert bench.exchange.asset()["frozen"] == 0
    assert (bench.position()["volume"], bench.position()["sellable"]) == (500, 500)
    audit(bench.exchange, {SH: 500})


@pytest.mark.parametrize("ordered", [True, False])
def test_an_account_of_the_endless_calendar_waits_for_the_exchanges_to_come_to_its_day(
    tmp_path: Path, ordered: bool
) -> None:
    tape = ScriptedTape({SH: {DAY: [book()], DAY + timedelta(days=3): [book()]}})
    bench = Bench(tmp_path, tape, hours="always")
    if ordered:
        bench.buy(100, 10.01)
    for _ in range(3):
        bench.exchange.next_day()
    bench.exchange.store.close()
    bench = Bench(tmp_path, tape)
    if ordered:
        with pytest.raises(ConfigError) as caught:
            bench.buy(100, 10.01)
        assert (caught.value.code, caught.value.params) == (
            "clock_behind_account",
            {"clock": "2026-11-23", "day": "2026-11-26"},
        )
        bench.clock.put("2026-11-26T10:00:00")
    assert bench.order(bench.buy(100, 10.01)).status == FILLED
