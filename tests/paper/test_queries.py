"""Every question the vendor's trader can ask, and every request it can make: what comes back, and that it does."""

from __future__ import annotations

import inspect
import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sessions import ACCOUNT, BOUND_SECONDS, BUY, CODE, LIMIT, SELL, TEN, Terminal, account, bounded, plain

from qmtcli.paper import exchange

pytest_plugins = ("sessions",)

AT = TEN // 1000
NO_PERMISSION = "账号无此业务权限"

HELD = {"account_id": ACCOUNT, "account_type": 2}
OF_CODE = {
    **HELD, "stock_code": CODE, "m_strStockCode": CODE, "instrument_name": "浦发银行", "secu_account": "A000000365",
    "direction": 48,
}  # fmt: skip
ORDERED = {**OF_CODE, "strategy_name": "网格", "order_remark": "a", "m_strOrderRemark": "a"}
SOLD = {
    **ORDERED, "order_id": 2, "order_sysid": "2", "order_time": AT, "order_type": SELL, "offset_flag": 49,
    "order_volume": 500, "price_type": 50, "price": 9.00, "traded_volume": 500, "traded_price": 9.01,
    "order_status": 56,
}  # fmt: skip
RESTS = {
    **ORDERED, "order_id": 3, "order_sysid": "3", "order_time": AT, "order_type": BUY, "offset_flag": 48,
    "order_volume": 200, "price_type": 50, "price": 8.90, "order_status": 50,
}  # fmt: skip
TRADE = {
    **ORDERED, "order_id": 2, "order_sysid": "2", "order_type": SELL, "offset_flag": 49, "traded_id": "2",
    "m_strTradedID": "2", "traded_time": AT, "traded_price": 9.01, "traded_volume": 500, "traded_amount": 4_505.00,
    "commission": 7.30,
}  # fmt: skip
#: 2,000 bought for 18,060.00 and a fee of 5.18; 500 of them sold
VALUE, COST = 13_530.00, 13_548.89
AVERAGE, PROFIT = round(COST / 1500, 6), -18.89
POSITION = {
    **OF_CODE, "volume": 1500, "can_use_volume": 1500, "yesterday_volume": 2000, "open_price": AVERAGE,
    "avg_price": AVERAGE, "last_price": 9.02, "market_value": VALUE, "float_profit": PROFIT, "position_profit": PROFIT,
    "profit_rate": round(PROFIT / COST, 6),
}  # fmt: skip
CASH, FROZEN, FETCH = 984_647.50, 1_785.02, 980_149.80
TOTAL = round(CASH + FROZEN + VALUE, 2)
ASSET = {
    **HELD, "cash": CASH, "current_balance": round(CASH + FROZEN, 2), "frozen_cash": FROZEN, "market_value": VALUE,
    "total_asset": TOTAL, "fetch_balance": FETCH,
}  # fmt: skip
INFO = {**HELD, "broker_type": 2, "broker_name": "模拟柜台", "product_id": -1}
STATISTIC = {
    "account_id": ACCOUNT, "exchange_id": "SH", "exchange_name": "上交所", "instrument_id": "600000",
    "instrument_name": "浦发银行", "direction": 48, "position": 1500, "yesterday_position": 1500,
    "yesterday_init_position": 2000, "can_close_vol": 1500, "position_cost": COST, "open_cost": COST,
    "avg_price": AVERAGE, "open_price": AVERAGE, "position_profit": PROFIT, "float_profit": PROFIT,
    "instrument_value": VALUE, "last_price": 9.02,
}  # fmt: skip
FUND = {
    "success": True, "error": "", "currentBalance": round(CASH + FROZEN, 2), "enableBalance": CASH,
    "fetchBalance": FETCH, "interest": 0.0, "assetBalance": TOTAL, "fetchCash": FETCH, "marketValue": VALUE,
    "debt": 0.0,
}  # fmt: skip
FUND_POSITION = {
    "success": True, "error": "", "stockAccount": "A000000365", "exchangeType": "SH", "stockCode": "600000",
    "stockName": "浦发银行", "totalAmt": 1500.0, "enableAmount": 1500.0, "lastPrice": 9.02, "costPrice": AVERAGE,
    "income": PROFIT, "incomeRate": round(PROFIT / COST, 6), "marketValue": VALUE, "costBalance": COST,
    "bsOnTheWayVol": 0, "prEnableVol": 0, "stockCode1": "600000",
}  # fmt: skip
LIMITS = {"KCB": 1000, "SH": 1000, "SZ": 0}
LIMIT_ROWS = [
    {"new_purchase_limit_key": "KCB", "new_purchase_limit_value": 1000},
    {"new_purchase_limit_key": "SH", "new_purchase_limit_value": 1000},
    {"new_purchase_limit_key": "SZ"},
]
HOLDERS = [
    {"market": "SH", "secu_account": "A000000365", "main": True},
    {"market": "SZ", "secu_account": "0000000365", "main": True},
]
EXPORTED = [
    "account_id", "account_Type", "stock_code", "order_type", "traded_id", "traded_time", "traded_price",
    "traded_volume", "traded_amount", "order_id", "order_sysid", "strategy_name", "order_remark", "direction",
    "offset_flag", "commission", "secu_account", "instrument_name",
]  # fmt: skip
REFUSED = (False, NO_PERMISSION)

Arguments = Callable[[Any, Path], tuple[Any, ...]]


def no_account(own: Any, folder: Path) -> tuple[Any, ...]:
    return ()


def and_account(*more: object) -> Arguments:
    return lambda own, folder: (own, *more)


def into_file(data_type: str) -> Arguments:
    return lambda own, folder: (own, str(folder / "x.csv"), data_type)


own = and_account()
#: question -> its arguments, and the answer; a record as its fields that are no zero
QUESTIONS: dict[str, tuple[Arguments, Any]] = {
    "query_account_info": (no_account, [INFO]),
    "query_account_infos": (no_account, [INFO]),
    "query_account_status": (no_account, [HELD]),
    "query_stock_asset": (own, ASSET),
    "query_stock_orders": (own, [SOLD, RESTS]),
    "query_stock_order": (and_account(2), SOLD),
    "query_stock_trades": (own, [TRADE]),
    "query_stock_positions": (own, [POSITION]),
    "query_stock_position": (and_account(CODE), POSITION),
    "query_position_statistics": (own, [STATISTIC]),
    "query_secu_account": (own, HOLDERS),
    "query_new_purchase_limit": (own, LIMITS),
    "query_ipo_data": (no_account, {}),
    "query_com_fund": (own, FUND),
    "query_com_position": (own, [FUND_POSITION]),
    "query_data": (into_file("deal"), EXPORTED),
    "query_credit_detail": (own, []),
    "query_credit_assure": (own, []),
    "query_credit_slo_code": (own, []),
    "query_credit_subjects": (own, []),
    "query_stk_compacts": (own, []),
    "query_bank_info": (own, []),
    "query_bank_amount": (and_account("A", "1", "secret"), []),
    "query_bank_transfer_stream": (and_account("20261101", "20261130"), []),
    "query_smart_algo_task": (own, []),
    "get_smart_algo_param": (lambda own, folder: (["VWAP"],), {}),
    "smt_query_quoter": (own, []),
    "smt_query_order": (own, []),
    "smt_query_compact": (own, []),
    "export_data": (into_file("deal"), {"msg": "export success"}),
    "sync_transaction_from_external": (
        lambda own, folder: ("ADD", "DEAL", own, [{"m_nVolume": 1}]),
        {"error": {"msg": NO_PERMISSION}},
    ),
    "fund_transfer": (and_account(510, 100.0), REFUSED),
    "secu_transfer": (and_account(510, CODE, 100, 0), REFUSED),
    "bank_transfer_in": (and_account("A", "1", 100.0), REFUSED),
    "bank_transfer_out": (and_account("A", "1", 100.0), REFUSED),
    "ctp_transfer_option_to_future": (lambda own, folder: ("1", "2", 100.0), REFUSED),
    "ctp_transfer_future_to_option": (lambda own, folder: ("1", "2", 100.0), REFUSED),
}
#: what the asynchronous form hands to its callback, where that is not what the other returns
RAW: dict[str, Any] = {"query_new_purchase_limit_async": LIMIT_ROWS, "query_ipo_data_async": []}

_ALGO = ("VWAP", "10:25:00", "14:50:00", {})
#: request answered through the callback object -> its arguments, the callback, and fields of what it is called with
REQUESTS: dict[str, tuple[Arguments, str, dict[str, Any]]] = {
    "order_stock_async": (
        and_account(CODE, BUY, 100, LIMIT, 8.90), "on_order_stock_async_response",
        {"account_id": ACCOUNT, "order_id": 4, "error_msg": ""},
    ),
    "cancel_order_stock_async": (
        and_account(3), "on_cancel_order_stock_async_response",
        {"account_id": ACCOUNT, "order_id": 3, "cancel_result": 0, "error_msg": ""},
    ),
    "cancel_order_stock_sysid_async": (
        and_account("SH", "3"), "on_cancel_order_stock_async_response",
        {"account_id": ACCOUNT, "order_sysid": "3", "cancel_result": 0, "error_msg": ""},
    ),
    "bank_transfer_in_async": (
        and_account("A", "1", 1.0), "on_bank_transfer_async_response", {"success": False, "msg": NO_PERMISSION},
    ),
    "bank_transfer_out_async": (
        and_account("A", "1", 1.0), "on_bank_transfer_async_response", {"success": False, "msg": NO_PERMISSION},
    ),
    "ctp_transfer_option_to_future_async": (
        lambda own, folder: ("1", "2", 1.0), "on_ctp_internal_transfer_async_response",
        {"success": False, "msg": NO_PERMISSION},
    ),
    "ctp_transfer_future_to_option_async": (
        lambda own, folder: ("1", "2", 1.0), "on_ctp_internal_transfer_async_response",
        {"success": False, "msg": NO_PERMISSION},
    ),
    "smart_algo_order_async": (
        and_account(CODE, BUY, 100, LIMIT, 9.0, "s", "r", *_ALGO), "on_smart_algo_order_async_response",
        {"task_id": -1, "error_msg": NO_PERMISSION},
    ),
    "cancel_smart_algo_task_async": (
        and_account(1), "on_operate_smart_task_async_response", {"success": False, "error_msg": NO_PERMISSION},
    ),
    "smt_negotiate_order_async": (
        and_account("", "000001.SZ", 7, 100, 0.2), "on_smt_appointment_async_response",
        {"success": False, "msg": NO_PERMISSION},
    ),
    "smt_appointment_order_async": (
        and_account("000001.SZ", 7, 100, 0.2), "on_smt_appointment_async_response",
        {"success": False, "msg": NO_PERMISSION},
    ),
}  # fmt: skip
#: neither: the session itself, orders and cancels (in tests of their own), and what the vendor's code cannot run
ELSEWHERE = {
    "cancel_order_stock", "cancel_order_stock_sysid", "common_op_async_with_seq", "common_op_sync_with_seq", "connect",
    "order_stock", "register_callback", "run_forever", "set_relaxed_response_order_enabled", "set_timeout", "sleep",
    "start", "stop", "subscribe", "unsubscribe",
    # NameError; AttributeErrors: the native requests have no fields of the names it sets
    "smt_appointment_cancel_async", "smt_compact_renewal_async", "smt_compact_return_async",
}  # fmt: skip


def trade(terminal: Terminal, kind: str = "STOCK") -> tuple[Any, Any]:
    """A trader and its account, which sold a part of what it had bought the day before, and buys more."""
    trader, _ = terminal.session(subscribed=False)
    mine = account(kind=kind)
    assert trader.order_stock(mine, CODE, BUY, 2000, LIMIT, 9.09, "网格", "a") == 1
    exchange.current().next_day()
    assert trader.order_stock(mine, CODE, SELL, 500, LIMIT, 9.00, "网格", "a") == 2
    assert trader.order_stock(mine, CODE, BUY, 200, LIMIT, 8.90, "网格", "a") == 3
    return trader, mine


def test_no_method_of_the_vendors_is_forgotten(terminal: Terminal) -> None:
    found = {name for name, _ in inspect.getmembers(type(terminal.trader()), inspect.isfunction) if name[0] != "_"}
    forms = {f"{name}_async" for name in QUESTIONS} & found
    assert found == QUESTIONS.keys() | forms | REQUESTS.keys() | ELSEWHERE


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_answered_in_kind(terminal: Terminal, tmp_path: Path, name: str) -> None:
    trader, mine = trade(terminal)
    arguments, expected = QUESTIONS[name]
    assert plain(bounded(lambda: getattr(trader, name)(*arguments(mine, tmp_path)))) == expected
    form = getattr(trader, f"{name}_async", None)
    if form is None or f"{name}_async" in REQUESTS:
        return
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
    form(*arguments(mine, tmp_path), answers.put)
    assert plain(answers.get(timeout=BOUND_SECONDS)) == RAW.get(f"{name}_async", expected)
    assert answers.empty()


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_answered_through_its_callback(terminal: Terminal, tmp_path: Path, name: str) -> None:
    trader, mine = trade(terminal)
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
    arguments, callback, expected = REQUESTS[name]
    setattr(trader.callback, callback, heard.put)
    seq = getattr(trader, name)(*arguments(mine, tmp_path))
    answer = heard.get(timeout=BOUND_SECONDS)
    assert {field: getattr(answer, field) for field in expected} == expected
    assert answer.seq == seq > 0


# -- parts of the lists --------------------------------------------------------------------------------------


def test_orders_that_can_be_canceled(terminal: Terminal) -> None:
    trader, mine = trade(terminal)
    assert plain(trader.query_stock_orders(mine, True)) == [RESTS]
    assert plain(trader.query_stock_orders(mine, cancelable_only=False)) == [SOLD, RESTS]
    assert trader.query_stock_order(mine, 1) is None  # yesterday's
    assert trader.query_stock_order(mine, 77) is None
    assert trader.query_stock_position(mine, "600519.SH") is None
    assert trader.query_stock_position(mine, "") is not None


@pytest.mark.parametrize(
    ("lots", "limits"),
    # at 9.02: 9,922.00 are too few; 10,824.00 are one unit of 10,000 and two of 5,000; 29,766.00
    [(11, (0, 0)), (12, (1000, 1000)), (33, (2000, 2500))],
)
def test_limits_of_new_shares_follow_the_holdings(terminal: Terminal, lots: int, limits: tuple[int, int]) -> None:
    trader, _ = terminal.session(subscribed=False)
    trader.order_stock(account(), CODE, BUY, lots * 100, LIMIT, 9.09)
    # no shares, and those of Beijing: of neither account
    trader.order_stock(account(), "510300.SH", BUY, 100_000, LIMIT, 4.00)
    trader.order_stock(account(), "920185.BJ", BUY, 1_000, LIMIT, 24.50)
    assert trader.query_stock_asset(account()).market_value > 100_000
    assert trader.query_new_purchase_limit(account()) == {"KCB": limits[1], "SH": limits[0], "SZ": 0}


# -- files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data_type", "times", "ids"),
    [
        ("order", (), [2, 3]),
        ("order", ("20261123", "20261123"), [1, 2, 3]),
        ("order", ("20261123100000",), [1, 2, 3]),
        ("order", ("20261124",), []),
        ("deal", ("20261123000000", "20261123235959"), [1, 2]),
        ("deal", (None, "20261123095959"), []),
    ],
)
def test_an_export_of_some_time(
    terminal: Terminal, tmp_path: Path, data_type: str, times: tuple[str, ...], ids: list[int]
) -> None:
    trader, mine = trade(terminal)  # on the endless calendar, at one moment of the clock
    table = trader.query_data(mine, str(tmp_path / "x.csv"), data_type, *times)
    assert list(table["order_id"]) == ids
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize(("data_type", "first"), [("position", {"volume": 1500}), ("account", {"cash": CASH})])
def test_an_export_of_what_there_is(
    terminal: Terminal, tmp_path: Path, data_type: str, first: dict[str, object]
) -> None:
    trader, mine = trade(terminal)
    table = trader.query_data(mine, str(tmp_path / "x.csv"), data_type)
    assert {name: table[name][0] for name in first} == first


def test_an_export_that_fails(terminal: Terminal, tmp_path: Path) -> None:
    trader, mine = trade(terminal)

    def told(*arguments: object) -> str:
        answer: dict[str, dict[str, str]] = trader.query_data(*arguments)
        return answer["error"]["errorMsg"]

    assert told(account("77"), "x.csv", "deal") == "can not find account info, accountID:77 accountType:2"
    assert told(account(kind="CREDIT"), "x.csv", "deal").endswith(f"accountID:{ACCOUNT} accountType:3")
    assert told(mine, str(tmp_path / "x.csv"), "profit") == "invalid data type: profit"
    assert told(mine, str(tmp_path / "x.csv"), "deal", "2026-11-23") == "invalid time: 2026-11-23"
    assert told(mine, str(tmp_path), "deal").startswith(f"can not write {tmp_path}: ")
    assert list(tmp_path.glob("*.csv")) == []
    trader.async_client.stop()
    assert told(mine, str(tmp_path / "x.csv"), "deal").startswith("can not find account info")
