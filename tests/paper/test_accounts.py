"""Several accounts of one terminal, and its credit accounts, beneath the vendor's own XtQuantTrader."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sessions import ACCOUNT, BUY, CODE, LIMIT, PATIENCE, SELL, Recorder, Terminal, account, plain

from qmtcli.paper import exchange
from qmtcli.paper.settings import Settings

pytest_plugins = ("sessions",)

SECOND, THIRD = "1000000366", "88"
Open = Callable[..., Terminal]


class Teller(Recorder):
    """Writes down whose each push is."""

    def on_stock_order(self, order: Any) -> None:
        self.seen.put((order.account_id, "order", order.order_id, order.order_status))

    def on_stock_trade(self, trade: Any) -> None:
        self.seen.put((trade.account_id, "trade", trade.order_id, trade.traded_volume))

    def on_stock_asset(self, asset: Any) -> None:
        self.seen.put((asset.account_id, "asset"))

    def on_stock_position(self, position: Any) -> None:
        self.seen.put((position.account_id, "position", position.volume))

    def on_order_error(self, error: Any) -> None:
        self.seen.put((error.account_id, "error", error.order_id))


def filled(account_id: str, order_id: int, held: int) -> list[tuple[Any, ...]]:
    return [
        *[(account_id, "order", order_id, 50)] * 2,
        (account_id, "trade", order_id, 100),
        (account_id, "order", order_id, 56),
        (account_id, "asset"),
        (account_id, "position", held),
    ]


@pytest.fixture
def many(open_terminal: Open) -> Terminal:
    """A terminal of three accounts; the profile's own is among ``accounts`` too, once."""
    return open_terminal(accounts=[SECOND, ACCOUNT, THIRD])


def connected(terminal: Terminal, *subscribed: str) -> tuple[Any, Teller]:
    trader, teller = terminal.session(subscribed=False)[0], Teller()
    trader.register_callback(teller)
    for account_id in subscribed:
        assert trader.subscribe(account(account_id)) == 0
        assert teller.next(1) == [("status", account_id, 2, 0)]
    return trader, teller


# -- several ------------------------------------------------------------------------------------------------


def test_the_terminal_lists_its_accounts_and_opens_none_for_it(many: Terminal, tmp_path: Path) -> None:
    trader, _ = connected(many)
    assert [row.account_id for row in trader.query_account_infos()] == [ACCOUNT, SECOND, THIRD]
    assert [(row.account_id, row.status) for row in trader.query_account_status()] == [
        (ACCOUNT, 0), (SECOND, 0), (THIRD, 0),
    ]  # fmt: skip
    assert [file.name for file in sorted((tmp_path / "home").glob("*.sqlite"))] == [f"{ACCOUNT}.sqlite"]


def test_each_has_its_own_books_on_one_market(many: Terminal, tmp_path: Path) -> None:
    trader, _ = connected(many)
    assert trader.order_stock(account(SECOND), CODE, BUY, 100, LIMIT, 9.09) == 1
    assert trader.order_stock(account(SECOND), CODE, BUY, 100, LIMIT, 8.90) == 2
    assert trader.order_stock(account(THIRD), CODE, BUY, 200, LIMIT, 9.09) == 1
    held = {who: [row.volume for row in trader.query_stock_positions(account(who))] for who in (ACCOUNT, SECOND, THIRD)}
    assert held == {ACCOUNT: [], SECOND: [100], THIRD: [200]}
    orders = {who: len(trader.query_stock_orders(account(who))) for who in held}
    assert orders == {ACCOUNT: 0, SECOND: 2, THIRD: 1}
    assert trader.cancel_order_stock(account(THIRD), 2) == -1
    assert trader.cancel_order_stock(account(SECOND), 2) == 0
    assert trader.query_stock_asset(account()).cash == 1_000_000
    (row,) = trader.query_stock_trades(account(THIRD))
    assert (row.account_id, row.secu_account) == (THIRD, "A000000088")
    tapes = {id(exchange.of(who).feed.tape) for who in held}
    assert len(tapes) == 1
    assert len(list((tmp_path / "home").glob("*.sqlite"))) == 3


def test_pushes_of_each_come_once_in_order(many: Terminal) -> None:
    trader, teller = connected(many, ACCOUNT, SECOND)
    other, heard = connected(many, SECOND, THIRD)
    expected: dict[str, list[tuple[Any, ...]]] = {ACCOUNT: [], SECOND: [], THIRD: []}
    for number in range(1, 11):
        for who in expected:
            assert trader.order_stock(account(who), CODE, BUY, 100, LIMIT, 9.09) == number
            expected[who] += filled(who, number, 100 * number)

    def of(pushes: list[tuple[Any, ...]], who: str) -> list[tuple[Any, ...]]:
        return [push for push in pushes if push[0] == who]

    for listener, whose in ((teller, (ACCOUNT, SECOND)), (heard, (SECOND, THIRD))):
        pushes = listener.next(sum(len(expected[who]) for who in whose))
        assert {who: of(pushes, who) for who in whose} == {who: expected[who] for who in whose}
    assert trader.query_stock_asset(account()) is not None
    assert other.query_stock_asset(account(THIRD)) is not None
    assert teller.seen.empty()
    assert heard.seen.empty()


def test_subscriptions_are_each_accounts_own(many: Terminal) -> None:
    trader, teller = connected(many, ACCOUNT, SECOND)
    assert trader.unsubscribe(account(THIRD)) == -1
    assert trader.unsubscribe(account(SECOND)) == 0
    trader.order_stock(account(SECOND), CODE, BUY, 100, LIMIT, 9.09)
    trader.order_stock(account(), CODE, BUY, 100, LIMIT, 10.50)
    assert teller.next(2) == [(ACCOUNT, "error", 1), (ACCOUNT, "order", 1, 57)]
    assert trader.subscribe(account(SECOND)) == 0
    assert teller.next(1) == [("status", SECOND, 2, 0)]
    trader.order_stock(account(SECOND), CODE, BUY, 100, LIMIT, 9.09)
    assert teller.next(6) == filled(SECOND, 2, 200)
    assert teller.seen.empty()


def test_threads_trade_at_once(many: Terminal) -> None:
    trader, teller = connected(many, ACCOUNT, SECOND)
    ids: dict[str, list[int]] = {ACCOUNT: [], SECOND: []}
    lock = threading.Lock()

    def place(who: str) -> None:
        for _ in range(10):
            order_id = trader.order_stock(account(who), CODE, BUY, 100, LIMIT, 9.09)
            with lock:
                ids[who].append(order_id)

    threads = [threading.Thread(target=place, args=(who,), daemon=True) for who in [*ids] * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert {who: sorted(found) for who, found in ids.items()} == {who: [*range(1, 31)] for who in ids}
    pushes = teller.next(2 * 30 * 6)
    for who in ids:
        assert [push for push in pushes if push[0] == who] == [
            push for number in range(1, 31) for push in filled(who, number, 100 * number)
        ]
    assert teller.seen.empty()


def test_settings_reach_children_with_their_accounts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path), accounts=[SECOND], account_type="CREDIT")
    environ: dict[str, str] = {}
    settings.export(environ)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert Settings.from_environment() == settings


# -- credit -------------------------------------------------------------------------------------------------


@pytest.fixture
def credit(open_terminal: Open) -> tuple[Any, Recorder]:
    """A session on a terminal of a credit account, subscribed."""
    trader, recorder = open_terminal(account_type="CREDIT").session(subscribed=False)
    assert trader.subscribe(account(kind="CREDIT")) == 0
    assert recorder.next(1) == [("status", ACCOUNT, 3, 0)]
    return trader, recorder


def test_an_account_of_the_other_type_is_foreign(credit: tuple[Any, Recorder]) -> None:
    trader, _ = credit
    assert trader.subscribe(account()) == -1
    assert trader.order_stock(account(), CODE, BUY, 100, LIMIT, 9.09) == -1
    assert trader.query_stock_asset(account()) is None
    assert trader.query_credit_detail(account()) == []
    assert [(row.account_type, row.broker_type) for row in trader.query_account_infos()] == [(3, 3)]


def test_collateral_is_bought_and_sold(credit: tuple[Any, Recorder]) -> None:
    trader, recorder = credit
    mine = account(kind="CREDIT")
    assert trader.order_stock(mine, CODE, BUY, 200, LIMIT, 9.09) == 1
    recorder.next(6)
    exchange.current().next_day()
    assert trader.order_stock(mine, CODE, SELL, 100, LIMIT, 9.00) == 2
    (order,) = trader.query_stock_orders(mine)
    assert (order.account_type, order.order_type, order.order_status, order.secu_account) == (3, 24, 56, "E000000365")
    assert {row.account_type for row in trader.query_stock_trades(mine) + trader.query_stock_positions(mine)} == {3}
    assert [row.secu_account for row in trader.query_secu_account(mine)] == ["E000000365", "0600000365"]


@pytest.mark.parametrize("order_type", [27, 28, 29, 30, 31, 32, 40, 41, 42, 43, 44, 45])
def test_nothing_is_lent(credit: tuple[Any, Recorder], order_type: int) -> None:
    trader, recorder = credit
    mine = account(kind="CREDIT")
    said: list[str] = []
    recorder.on_order_stock_async_response = (  # type: ignore[method-assign]
        lambda answer: said.append(answer.error_msg) or recorder.seen.put((answer.order_id,))
    )
    trader.order_stock_async(mine, CODE, order_type, 100, LIMIT, 9.09)
    assert recorder.next(1) == [(-1,)]
    assert said == ["无此业务权限"]
    assert trader.query_stock_orders(mine) == []
    assert trader.query_stock_asset(mine).cash == 1_000_000
    assert recorder.seen.empty()


def test_a_credit_account_without_debts(credit: tuple[Any, Recorder]) -> None:
    trader, _ = credit
    mine = account(kind="CREDIT")
    trader.order_stock(mine, CODE, BUY, 100, LIMIT, 9.09)
    trader.order_stock(mine, "510300.SH", BUY, 100, LIMIT, 3.98)
    trader.order_stock(mine, CODE, BUY, 100, LIMIT, 8.90)
    (detail,) = trader.query_credit_detail(mine)
    asset, held = trader.query_stock_asset(mine), {row.stock_code: row for row in trader.query_stock_positions(mine)}
    stock, fund = held[CODE].market_value, held["510300.SH"].market_value
    assert plain(detail) == {
        "account_id": ACCOUNT, "account_type": 3, "update_time": 1_795_399_200, "frozen_cash": asset.frozen_cash,
        "balance": asset.total_asset, "available": asset.cash, "market_value": round(stock + fund, 2),
        "fetch_balance": asset.fetch_balance, "stock_value": stock, "fund_value": fund,
        "position_profit": round(held[CODE].float_profit + held["510300.SH"].float_profit, 2),
        "enable_bail_balance": round(asset.cash + 0.65 * stock + 0.9 * fund, 2), "per_assurescale_value": 999.0,
        "assure_asset": asset.total_asset,
    }  # fmt: skip
    assert detail.m_dTotalDebt == detail.m_dFinDebt == detail.m_dFinMaxQuota == 0
    assert trader.query_stk_compacts(mine) == trader.query_credit_subjects(mine) == []
    assert trader.query_credit_slo_code(mine) == []


def test_what_may_be_collateral(credit: tuple[Any, Recorder]) -> None:
    trader, _ = credit
    rows = {row.instrument_id: plain(row) for row in trader.query_credit_assure(account(kind="CREDIT"))}
    whose = {"account_id": ACCOUNT, "account_type": 3}
    assert rows["600000"] == {**whose, "instrument_id": "600000", "assure_status": 48, "assure_ratio": 0.65}
    assert rows["159915"] == {
        **whose, "exchange_id": 1, "instrument_id": "159915", "assure_status": 48, "assure_ratio": 0.9,
    }  # fmt: skip
    assert rows["002124"] == {**whose, "exchange_id": 1, "instrument_id": "002124", "assure_status": 50}  # ST
    assert "204001" not in rows
    assert "399001" not in rows
