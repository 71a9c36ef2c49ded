"""The trading line used as it should not be: nothing hangs, no push is lost or comes twice."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sessions import (
    ACCOUNT,
    BUY,
    CODE,
    LIMIT,
    PATIENCE,
    Recorder,
    Terminal,
    account,
    bounded,
    filled,
    resting,
)  # fmt: skip

from qmtcli.paper import exchange, trading
from qmtcli.paper.records import fill

pytest_plugins = ("sessions",)


def order(trader: Any, price: float = 9.09) -> int:
    return int(trader.order_stock(account(), CODE, BUY, 100, LIMIT, price))


# -- too early, too late ----------------------------------------------------------------------------------------


def test_calls_before_start_fail_at_once_and_leave_nothing_behind(terminal: Terminal) -> None:
    trader, recorder = terminal.trader(), Recorder()
    trader.register_callback(recorder)
    assert bounded(trader.connect) == 0
    # the vendor's own: it has no executor yet
    for call in (
        lambda: trader.subscribe(account()),
        lambda: trader.query_stock_asset(account()),
        lambda: trader.query_account_infos(),
        trader.stop,
    ):
        with pytest.raises(AttributeError):
            bounded(call)
    late = terminal.trader(2)
    late.register_callback(recorder)
    late.start()
    assert late.connect() == late.connect() == 0
    assert late.subscribe(account()) == 0
    assert recorder.next(1) == [("status", ACCOUNT, 2, 0)]
    assert order(late) == 1
    assert recorder.next(6) == filled(1, 100)


def test_a_subscription_before_start_is_none(terminal: Terminal) -> None:
    trader, recorder = terminal.trader(), Recorder()
    trader.register_callback(recorder)
    trader.connect()
    with pytest.raises(AttributeError):
        trader.subscribe(account())
    trader.start()
    assert order(trader, 8.90) == 1
    assert trader.unsubscribe(account()) == -1
    assert trader.subscribe(account()) == 0
    assert recorder.next(1) == [("status", ACCOUNT, 2, 0)]
    assert order(trader, 8.90) == 2
    assert recorder.next(3) == resting(2)
    assert recorder.seen.empty()


def test_calls_after_stop_fail_at_once(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    order(trader)
    recorder.next(6)
    bounded(trader.stop)
    bounded(trader.stop)
    for call in (
        lambda: trader.query_stock_asset(account()),
        lambda: trader.subscribe(account()),
        lambda: order(trader),
        lambda: trader.cancel_order_stock(account(), 1),
        lambda: trader.query_stock_orders_async(account(), print),
    ):
        with pytest.raises(RuntimeError, match="after shutdown"):
            bounded(call)
    assert recorder.seen.empty()
    assert len(exchange.current().orders()) == 1


def test_without_a_callback_object(terminal: Terminal) -> None:
    trader = terminal.trader()
    trader.start()
    trader.connect()
    assert trader.subscribe(account()) == 0
    assert [order(trader), order(trader, 10.50), order(trader, 8.90)] == [1, 2, 3]
    assert trader.cancel_order_stock(account(), 3) == 0
    assert [row.order_status for row in trader.query_stock_orders(account())] == [56, 57, 54]
    with pytest.raises(AttributeError):
        trader.order_stock_async(account(), CODE, BUY, 100, LIMIT, 9.09)


# -- callbacks --------------------------------------------------------------------------------------------------


def test_a_callback_that_raises_takes_nothing_from_the_next(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    for name in ("on_stock_order", "on_stock_trade", "on_order_stock_async_response"):
        heard = getattr(recorder, name)

        def fail(row: Any, heard: Callable[[Any], None] = heard) -> None:
            heard(row)
            raise ValueError("a user's mistake")

        setattr(recorder, name, fail)
    for number in (1, 2):
        seq = trader.order_stock_async(account(), CODE, BUY, 100, LIMIT, 9.09)
        assert recorder.next(7) == [("response", number, seq), *filled(number, 100 * number)]


def test_a_callback_may_ask_without_waiting(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    answers: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
    recorder.on_stock_trade = (  # type: ignore[method-assign]
        lambda trade: trader.query_stock_positions_async(account(), answers.put)
    )
    order(trader)
    assert [row.volume for row in answers.get(timeout=PATIENCE)] == [100]


def test_a_callback_may_wait_in_the_relaxed_order(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    trader.set_relaxed_response_order_enabled(True)
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask(trade: Any) -> None:
        answers.put(trader.query_stock_position(account(), CODE).volume)
        answers.put(trader.query_stock_order(account(), trade.order_id).order_status)

    recorder.on_stock_trade = ask  # type: ignore[method-assign]
    for number in (1, 2):
        assert order(trader) == number
        assert answers.get(timeout=PATIENCE) == 100 * number
        assert answers.get(timeout=PATIENCE) == 56
    trader.set_relaxed_response_order_enabled(False)


def test_a_callback_that_waits_for_its_own_thread_holds_up_nobody_else(terminal: Terminal) -> None:
    trader, recorder = terminal.session(1)
    other, heard = terminal.session(2)
    asked, answered = threading.Event(), threading.Event()

    def ask(asset: Any) -> None:
        asked.set()
        trader.query_stock_asset(account())  # its answer stands behind it in the vendor's one line
        answered.set()

    recorder.on_stock_asset = ask  # type: ignore[method-assign]
    assert order(trader, 8.90) == 1
    assert asked.wait(PATIENCE)
    assert order(other) == 2
    assert heard.next(3 + 6) == [*resting(1), *filled(2, 100)]
    assert not answered.is_set()
    trader.executor._max_workers += 1  # which no user does: another hand takes the answer
    trader.executor.submit(print, end="")
    assert answered.wait(PATIENCE)


def test_a_listener_at_the_native_line_may_ask_and_stop(terminal: Terminal) -> None:
    """Its callbacks come from within the call that caused them, unlike those of the vendor's layer."""
    client, heard = trading.XtQuantAsyncClient(b"userdata_mini", "own", 7), []
    assert client.connect() == 0
    request = fill(trading.SubscribeReq(), account_id=ACCOUNT, account_type=2)
    query = fill(trading.QueryStockAssetReq(), account_id=ACCOUNT, account_type=2)
    sent = fill(
        trading.OrderStockReq(), account_id=ACCOUNT, account_type=2, stock_code=CODE, order_type=BUY, order_volume=100,
        price_type=LIMIT, price=9.09,
    )  # fmt: skip

    def ordered(row: Any) -> None:
        heard.append((row.order_id, row.order_status))
        client.queryStockAssetWithSeq(client.nextSeq(), query)
        if row.order_id == 2 and row.order_status == 56:
            client.stop()

    client.bindOnStockOrderCallback(ordered)
    client.bindOnStockAssetCallback(lambda row: heard.append("asset"))
    client.bindOnQueryStockAssetCallback(lambda seq, rows: None)
    client.subscribeWithSeq(1, request)
    for seq in (2, 3):
        client.orderStockWithSeq(seq, sent)
    assert heard == [(1, 50), (1, 50), (1, 56), "asset", (2, 50), (2, 50), (2, 56)]


# -- at once ----------------------------------------------------------------------------------------------------


def test_orders_and_cancels_of_many_threads(terminal: Terminal) -> None:
    trader, recorder = terminal.session(1)
    _, heard = terminal.session(2)
    done: list[tuple[int, int]] = []

    def work() -> None:
        for _ in range(5):
            order_id = order(trader, 8.90)
            done.append((order_id, trader.cancel_order_stock(account(), order_id)))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(done) == [(number, 0) for number in range(1, 31)]
    pushes = recorder.next(30 * 6)
    assert heard.next(30 * 6) == pushes
    for number in range(1, 31):
        states = [push[2] for push in pushes if push[0] == "order" and push[1] == number]
        assert states == [50, 50, 51, 54]
    assert recorder.seen.empty()


def test_stop_while_others_trade(terminal: Terminal) -> None:
    trader, recorder = terminal.session(1)
    other, heard = terminal.session(2)
    leaving = threading.Event()

    def work() -> None:
        while not leaving.is_set():
            order(other, 8.90)
            time.sleep(0)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    recorder.next(9)
    bounded(trader.stop)
    seen = recorder.seen.qsize()
    heard.next(9)
    leaving.set()
    thread.join(PATIENCE)
    assert recorder.seen.qsize() == seen
    assert other.query_stock_asset(account()) is not None
