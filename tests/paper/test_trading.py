"""The trading stand-in beneath the vendor's own XtQuantTrader: answers, pushes and their order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from sessions import (
    ABOVE,
    ACCOUNT,
    BUY,
    CODE,
    LIMIT,
    NONE_HELD,
    PATIENCE,
    SELL,
    TEN,
    Recorder,
    Terminal,
    account,
    filled,
    resting,
    turned_away,
)  # fmt: skip

from qmtcli.paper import exchange

pytest_plugins = ("sessions",)

# -- orders and their pushes -------------------------------------------------------------------------------


def test_an_order_that_fills(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    seq = trader.order_stock_async(account(), CODE, BUY, 100, LIMIT, 9.09, "strategy", "remark")
    assert recorder.next(7) == [("response", 1, seq), *filled(1, 100)]


def test_every_push_comes_once_however_often_the_file_is_looked_at(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    seqs = [trader.order_stock_async(account(), CODE, BUY, 100, LIMIT, 9.09) for _ in range(40)]
    expected = [push for n, seq in enumerate(seqs, 1) for push in (("response", n, seq), *filled(n, 100 * n))]
    assert recorder.next(len(expected)) == expected
    assert trader.query_stock_asset(account()) is not None
    assert recorder.seen.empty()


def test_the_synchronous_form_answers_the_id(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    assert trader.order_stock(account(), CODE, BUY, 100, LIMIT, 9.09) == 1
    assert recorder.next(6) == filled(1, 100)


def test_an_order_that_rests_is_filled_while_a_script_waits(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    feed = exchange.current().feed
    crossed = next(stamp for stamp, tick in feed.ticks(CODE, TEN, TEN + 3_600_000) if tick.asks[0][0] <= 9_020)
    assert trader.order_stock(account(), CODE, BUY, 100, LIMIT, 9.02) == 1
    assert recorder.next(3) == resting(1)
    terminal.set_clock(datetime.fromtimestamp(crossed / 1000, timezone.utc).isoformat())
    assert recorder.next(4) == filled(1, 100)[2:]


def test_an_order_that_is_turned_away(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    seq = trader.order_stock_async(account(), CODE, BUY, 100, LIMIT, 10.50)
    assert recorder.next(3) == [("response", 1, seq), *turned_away(1, ABOVE, seq)]
    assert trader.order_stock(account(), CODE, SELL, 100, LIMIT, 9.00) == 2
    assert recorder.next(2) == turned_away(2, NONE_HELD, seq + 1)
    assert trader.order_stock(account(), "300750.SZ", BUY, 400_000, LIMIT, 260.00) == 3
    words = [row.status_msg for row in trader.query_stock_orders(account())]
    # 23 bytes, and no piece of a character: the reading of a row must not raise
    assert words == ["高于涨停价: 委托", "可用股份不足: 委", "300750.SZ 单笔委托"]
    assert [row.order_sysid for row in trader.query_stock_orders(account())] == ["xt1", "xt2", "xt3"]


@pytest.mark.parametrize(("kind", "order_type", "words"), [(0, BUY, "不支持的报价类型"), (LIMIT, 27, "无此业务权限")])
def test_an_order_that_never_becomes_one(terminal: Terminal, kind: int, order_type: int, words: str) -> None:
    trader, recorder = terminal.session()
    assert trader.order_stock(account(), CODE, order_type, 100, kind, 9.09) == -1
    seq = trader.order_stock_async(account(), CODE, order_type, 100, kind, 9.09)
    assert recorder.next(1) == [("response", -1, seq)]
    assert trader.query_stock_orders(account()) == []
    assert recorder.seen.empty()


def test_a_cancel(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    for number in (1, 2, 3, 4):
        assert trader.order_stock(account(), CODE, BUY, 100, LIMIT, 8.90) == number
    recorder.next(4 * 3)
    assert trader.cancel_order_stock(account(), 1) == 0
    assert recorder.next(3) == [("order", 1, 51), ("order", 1, 54), ("asset",)]
    assert trader.cancel_order_stock_sysid(account(), 0, "2") == 0
    assert recorder.next(3) == [("order", 2, 51), ("order", 2, 54), ("asset",)]
    seq = trader.cancel_order_stock_async(account(), 3)
    assert recorder.next(4) == [("cancel_response", 0, seq), ("order", 3, 51), ("order", 3, 54), ("asset",)]
    seq = trader.cancel_order_stock_sysid_async(account(), "SH", "4")
    assert recorder.next(4) == [("cancel_response", 0, seq), ("order", 4, 51), ("order", 4, 54), ("asset",)]
    assert trader.query_stock_asset(account()).frozen_cash == 0


@pytest.mark.parametrize("market", [1, "SZ", "BJ", "IF", 9])
def test_a_cancel_by_number_is_of_its_market(terminal: Terminal, market: int | str) -> None:
    trader, recorder = terminal.session()
    trader.order_stock(account(), CODE, BUY, 100, LIMIT, 8.90)
    recorder.next(3)
    assert trader.cancel_order_stock_sysid(account(), market, "1") == -1
    assert recorder.next(1) == [("cancel_error", 0, "1", "委托不存在")]


def test_a_cancel_that_fails(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    trader.order_stock(account(), CODE, BUY, 100, LIMIT, 9.09)
    recorder.next(6)
    assert trader.cancel_order_stock(account(), 1) == -1
    assert recorder.next(1) == [("cancel_error", 1, "", "委托状态不允许撤单")]
    assert trader.cancel_order_stock_sysid(account(), 0, "77") == -1
    assert recorder.next(1) == [("cancel_error", 0, "77", "委托不存在")]
    seq = trader.cancel_order_stock_async(account(), 99)
    assert recorder.next(2) == [("cancel_response", -1, seq), ("cancel_error", 99, "", "委托不存在")]


# -- several sessions --------------------------------------------------------------------------------------


def test_another_session_of_the_process_hears_the_same(terminal: Terminal) -> None:
    trader, recorder = terminal.session(1)
    _, other = terminal.session(1)  # the same id, as two scripts may have that were copied from one
    for number in range(1, 11):
        trader.order_stock(account(), CODE, BUY, 100, LIMIT, 9.09)
        assert other.next(6) == recorder.next(6) == filled(number, 100 * number)
    seq = trader.order_stock_async(account(), CODE, BUY, 100, LIMIT, 10.50)
    assert recorder.next(3) == [("response", 11, seq), *turned_away(11, ABOVE, seq)]
    # the request was another session's: its number means nothing here
    assert other.next(2) == turned_away(11, ABOVE, -1)


def test_the_error_of_a_cancel_is_told_to_who_asked(terminal: Terminal) -> None:
    trader, recorder = terminal.session(1)
    other, heard = terminal.session(2)
    assert trader.cancel_order_stock(account(), 1) == -1
    assert recorder.next(1) == [("cancel_error", 1, "", "委托不存在")]
    assert other.order_stock(account(), CODE, BUY, 100, LIMIT, 8.90) == 1
    assert other.cancel_order_stock(account(), 1) == 0
    # the vendor's layer keeps an error it did not ask for, and would tell it now
    assert heard.next(6) == [*resting(1), ("order", 1, 51), ("order", 1, 54), ("asset",)]


def test_pushes_begin_with_the_subscription_and_end_with_it(terminal: Terminal) -> None:
    trader, recorder = terminal.session(1, subscribed=False)
    busy, heard = terminal.session(2)
    for order_id in (1, 3):
        assert trader.order_stock(account(), CODE, BUY, 100, LIMIT, 9.09) == order_id
        assert trader.query_stock_asset(account()) is not None  # whatever was pushed came before this answer
        assert recorder.seen.empty()
        assert heard.next(6) == filled(order_id, 100 * order_id)
        assert trader.subscribe(account()) == trader.subscribe(account()) == 0
        assert recorder.next(1) == [("status", ACCOUNT, 2, 0)]
        assert len([thread for thread in threading.enumerate() if thread.name == "paper-pushes"]) == 2
        assert busy.order_stock(account(), CODE, BUY, 100, LIMIT, 9.09) == order_id + 1
        assert recorder.next(6) == heard.next(6) == filled(order_id + 1, 100 * (order_id + 1))
        assert trader.unsubscribe(account()) == 0
        assert trader.unsubscribe(account()) == -1


TESTS = str(Path(__file__).parent)
LISTENER = """
import json, queue, sys
sys.modules["requests"] = None
from sessions import Recorder, account
from xtquant.xttrader import XtQuantTrader
import asyncio
asyncio.set_event_loop(asyncio.new_event_loop())
trader, recorder = XtQuantTrader("x", 7), Recorder()
trader.register_callback(recorder)
trader.start()
assert trader.connect() == 0 and trader.subscribe(account()) == 0
recorder.next(1)
"""


def child(script: str) -> subprocess.Popen[str]:
    """Another process of the same paper run."""
    path = [os.environ["PYTHONPATH"], str(ROOT), str(ROOT / "tests"), TESTS]
    return subprocess.Popen(
        [sys.executable, "-c", LISTENER + script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        text=True,
    )


def test_another_process_hears_the_same(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    with child("print('ready', flush=True)\nprint(json.dumps(recorder.next(6 * 20)))\n") as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        for _ in range(20):
            trader.order_stock(account(), CODE, BUY, 100, LIMIT, 9.09)
        heard = [tuple(push) for push in json.loads(other.stdout.readline())]
        other.kill()
    assert heard == recorder.next(6 * 20) == [push for n in range(1, 21) for push in filled(n, 100 * n)]


def test_what_another_process_does_is_heard_here(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    script = f"for n in range(20): assert trader.order_stock(account(), {CODE!r}, 23, 100, 11, 9.09) == n + 1\n"
    with child(script + "import os; os._exit(0)\n") as other:
        assert recorder.next(6 * 20) == [push for n in range(1, 21) for push in filled(n, 100 * n)]
        assert other.wait(PATIENCE) == 0
    assert trader.query_stock_positions(account())[0].volume == 2_000
    assert recorder.seen.empty()


# -- accounts and links ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("account_id", "kind"), [("1000000366", "STOCK"), (ACCOUNT, "CREDIT"), ("", "STOCK")])
def test_an_account_that_is_not_the_terminals(terminal: Terminal, account_id: str, kind: str) -> None:
    trader, recorder = terminal.session()
    trader.order_stock(account(), CODE, BUY, 100, LIMIT, 9.09)
    recorder.next(6)
    foreign = account(account_id, kind)
    assert (trader.subscribe(foreign), trader.unsubscribe(foreign)) == (-1, -1)
    assert (trader.order_stock(foreign, CODE, BUY, 100, LIMIT, 9.09), trader.cancel_order_stock(foreign, 1)) == (-1, -1)
    assert _answers(trader, foreign) == ([], [], [], None, None, None, [])
    assert len(trader.query_stock_orders(account())) == 1
    assert recorder.seen.empty()


def _answers(trader: Any, account: Any) -> tuple[Any, ...]:
    return (
        trader.query_stock_orders(account),
        trader.query_stock_trades(account),
        trader.query_stock_positions(account),
        trader.query_stock_asset(account),
        trader.query_stock_order(account, 1),
        trader.query_stock_position(account, CODE),
        trader.query_secu_account(account),
    )


def _is_unlinked(trader: Any) -> None:
    assert _answers(trader, account()) == ([], [], [], None, None, None, [])
    assert (trader.query_account_infos(), trader.query_account_status()) == ([], [])
    assert (trader.order_stock(account(), CODE, BUY, 100, LIMIT, 9.09), trader.cancel_order_stock(account(), 1)) == (
        -1,
        -1,
    )


def test_without_a_link(terminal: Terminal) -> None:
    trader = terminal.trader()
    trader.register_callback(Recorder())
    trader.start()
    _is_unlinked(trader)
    assert trader.subscribe(account()) == -1


def test_a_session_that_was_stopped(terminal: Terminal) -> None:
    trader, recorder = terminal.session(1)
    busy, heard = terminal.session(2)
    client, watcher = trader.async_client, trader.async_client._watcher
    trader.stop()
    watcher.join(PATIENCE)
    assert not watcher.is_alive()
    assert trader.connect() == -1
    busy.order_stock(account(), CODE, BUY, 100, LIMIT, 9.09)
    assert heard.next(6) == filled(1, 100)
    assert recorder.seen.empty()
    assert client.connect() == -1


def test_a_link_that_is_lost(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    exchange.current().store.close()
    assert recorder.next(1) == [("disconnected",)]
    _is_unlinked(trader)


def test_an_executor_that_is_gone_ends_the_pushes_quietly(terminal: Terminal) -> None:
    trader, _ = terminal.session(1)
    busy, heard = terminal.session(2)
    trader.executor.shutdown()  # as the interpreter does when it leaves
    busy.order_stock(account(), CODE, BUY, 100, LIMIT, 9.09)
    heard.next(6)
    trader.async_client._watcher.join(PATIENCE)
    assert not trader.async_client._watcher.is_alive()


def test_the_terminals_accounts(terminal: Terminal) -> None:
    trader, _ = terminal.session()
    (info,), (status,) = trader.query_account_infos(), trader.query_account_status()
    assert (info.account_id, info.account_type, info.login_status) == (ACCOUNT, 2, 0)
    assert (status.account_id, status.account_type, status.status) == (ACCOUNT, 2, 0)
    assert [row.market for row in trader.query_secu_account(account())] == ["SH", "SZ"]


# -- rows --------------------------------------------------------------------------------------------------


def is_row(row: Any, *expected: dict[str, Any], **more: Any) -> None:
    """Hold a native record to what its fields must be."""
    wanted = {name: value for fields in (*expected, more) for name, value in fields.items()}
    assert {name: getattr(row, name) for name in wanted} == wanted


def test_rows(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    trader.order_stock(account(), CODE, BUY, 100, LIMIT, 9.09, "strategy", "remark")
    trader.order_stock(account(), CODE, BUY, 200, LIMIT, 8.90)
    recorder.next(9)
    order, waiting = trader.query_stock_orders(account())
    (trade,) = trader.query_stock_trades(account())
    (position,) = trader.query_stock_positions(account())
    asset = trader.query_stock_asset(account())
    at, price, fee = TEN // 1000, trade.traded_price, 5.01
    both = {
        "account_id": ACCOUNT,
        "account_type": 2,
        "stock_code": CODE,
        "instrument_name": "浦发银行",
        "order_id": 1,
        "order_sysid": "1",
        "order_type": BUY,
        "strategy_name": "strategy",
        "order_remark": "remark",
        "direction": 48,
        "offset_flag": 48,
        "secu_account": "A000000365",
        "traded_volume": 100,
        "traded_price": price,
    }
    is_row(order, both, order_time=at, order_volume=100, price_type=50, price=9.09, order_status=56, status_msg="")
    is_row(trade, both, traded_id="1", traded_time=at, traded_amount=round(100 * price, 2), commission=fee)
    assert (position.volume, position.can_use_volume, position.frozen_volume, position.yesterday_volume) == (
        100,
        0,
        0,
        0,
    )
    assert position.avg_price == pytest.approx(price + fee / 100)
    assert (waiting.order_status, waiting.traded_price) == (50, 0.0)
    assert asset.frozen_cash == 1_785.02
    assert asset.cash == pytest.approx(1_000_000 - 100 * price - fee - 1_785.02)
    assert asset.total_asset == pytest.approx(asset.cash + asset.frozen_cash + asset.market_value)
    assert [row.order_id for row in trader.query_stock_orders(account(), True)] == [2]
    assert trader.query_stock_order(account(), 2).order_id == 2
    assert trader.query_stock_position(account(), CODE).volume == 100
    assert trader.query_stock_position(account(), "600519.SH") is None


def test_texts_are_cut_between_characters(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    remark, strategy = "备注" * 20, "策略" * 10  # 120 and 60 bytes; the native line keeps 127 and 23
    # not the synchronous form, which would wait for ever for an answer that the vendor's Python cannot read
    seq = trader.order_stock_async(account(), CODE, BUY, 100, LIMIT, 9.09, strategy, remark)
    assert recorder.next(7)[0] == ("response", 1, seq)
    (order,), (trade,) = trader.query_stock_orders(account()), trader.query_stock_trades(account())
    assert (order.order_remark, trade.order_remark) == (remark, remark)
    assert (order.strategy_name, trade.strategy_name) == ("策略策略策略策", "策略策略策略策")
    trader.order_stock_async(account(), CODE, BUY, 100, LIMIT, 10.50, strategy, remark)
    assert recorder.next(3)[1:] == turned_away(2, ABOVE, seq + 3)


@pytest.mark.parametrize(
    "wrong", [{"order_volume": 2**31}, {"order_remark": None}, {"price": "9.09"}, {"stock_code": 600000}]
)
def test_what_the_native_line_does_not_take(terminal: Terminal, wrong: dict[str, Any]) -> None:
    trader, _ = terminal.session()
    right = {"stock_code": CODE, "order_type": BUY, "order_volume": 100, "price_type": LIMIT, "price": 9.09}
    with pytest.raises(TypeError, match="incompatible function arguments"):
        trader.order_stock(account(), **(right | wrong))
    assert trader.query_stock_orders(account()) == []


@pytest.mark.parametrize("price", [float("nan"), float("inf"), -9.09, 0.0, 2.0**31, 1e300])
def test_prices_that_are_none(terminal: Terminal, price: float) -> None:
    trader, recorder = terminal.session()
    assert trader.order_stock(account(), CODE, BUY, 100, LIMIT, price) == 1
    assert recorder.next(2)[1] == ("order", 1, 57)
    assert trader.query_stock_order(account(), 1).order_status == 57


def test_a_callback_may_place_the_next_order(terminal: Terminal) -> None:
    trader, recorder = terminal.session()
    heard: list[Callable[[Any], None]] = [recorder.on_stock_trade]

    def again(trade: Any) -> None:
        heard[0](trade)
        if trade.order_id < 3:
            trader.order_stock_async(account(), CODE, BUY, 100, LIMIT, 9.09)

    recorder.on_stock_trade = again  # type: ignore[method-assign]
    trader.order_stock_async(account(), CODE, BUY, 100, LIMIT, 9.09)
    found = recorder.next(3 * 7)
    assert [push[1] for push in found if push[0] == "trade"] == [1, 2, 3]


def test_the_traffic_is_counted(terminal: Terminal) -> None:
    trader, _ = terminal.session()
    traffic = sys.modules["xtquant.xtpythonclient"].TRAFFIC
    before = traffic.sent, traffic.answered
    trader.order_stock(account(), CODE, BUY, 100, LIMIT, 9.09)
    trader.cancel_order_stock(account(), 1)
    assert (traffic.sent, traffic.answered) == (before[0] + 2, before[1] + 2)
