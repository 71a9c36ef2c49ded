"""A paper terminal beneath the vendor's own XtQuantTrader, and what a callback object of a user's hears from it.

A test module has the fixtures by ``pytest_plugins = ("sessions",)``.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from qmtcli.paper import PACKAGE, SETTINGS, exchange, mount
from qmtcli.paper.records import Record
from qmtcli.paper.settings import Settings
from qmtcli.xt import loader

ACCOUNT = "1000000365"
CODE, BUY, SELL, LIMIT = "600000.SH", 23, 24, 11
#: 2026-11-23 10:00 in Shanghai, epoch ms
TEN = 1_795_399_200_000
#: longer than anything here takes
PATIENCE = 20
#: far above what an answer takes; what hangs fails here instead of hanging the tests
BOUND_SECONDS = 10.0


class Recorder:
    """A callback object that writes down what comes, in the order in which it comes."""

    def __init__(self) -> None:
        self.seen: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()

    def on_stock_order(self, order: Any) -> None:
        self.seen.put(("order", order.order_id, order.order_status))

    def on_stock_trade(self, trade: Any) -> None:
        self.seen.put(("trade", trade.order_id, trade.traded_volume))

    def on_stock_asset(self, asset: Any) -> None:
        self.seen.put(("asset",))

    def on_stock_position(self, position: Any) -> None:
        self.seen.put(("position", position.stock_code, position.volume))

    def on_order_error(self, error: Any) -> None:
        self.seen.put(("order_error", error.order_id, error.error_msg, error.seq))

    def on_account_status(self, status: Any) -> None:
        self.seen.put(("status", status.account_id, status.account_type, status.status))

    def on_cancel_error(self, error: Any) -> None:
        self.seen.put(("cancel_error", error.order_id, error.order_sysid, error.error_msg))

    def on_order_stock_async_response(self, response: Any) -> None:
        self.seen.put(("response", response.order_id, response.seq))

    def on_cancel_order_stock_async_response(self, response: Any) -> None:
        self.seen.put(("cancel_response", response.cancel_result, response.seq))

    def on_disconnected(self) -> None:
        self.seen.put(("disconnected",))

    def next(self, count: int) -> list[tuple[Any, ...]]:
        """The next so many."""
        return [self.seen.get(timeout=PATIENCE) for _ in range(count)]


class Terminal:
    """The paper terminal of one test, and the sessions opened on it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        self._folder = folder
        self.set_clock("2026-11-23T10:00:00")
        self.traders: list[Any] = []
        for name in (SETTINGS, PACKAGE, "PYTHONPATH", "TZ"):  # all that mounting sets, to be put back
            monkeypatch.setenv(name, os.environ.get(name, ""))
        mount.mount(
            Settings(**{"home": str(folder / "home"), "account": ACCOUNT, "clock": f"@{folder / 'clock'}", **settings})
        )
        exchange.current.cache_clear()

    def set_clock(self, text: str) -> None:
        """Written aside and moved: a reader never sees half of it."""
        aside = self._folder / "next"
        aside.write_text(text, encoding="utf-8")
        aside.replace(self._folder / "clock")

    def session(self, number: int = 1, subscribed: bool = True) -> tuple[Any, Recorder]:
        """A connected trader, and what it hears."""
        trader, recorder = self.trader(number), Recorder()
        trader.register_callback(recorder)
        trader.start()
        assert trader.connect() == 0
        if subscribed:
            assert trader.subscribe(account()) == 0
            assert recorder.next(1) == [("status", ACCOUNT, 2, 0)]
        return trader, recorder

    def trader(self, number: int = 1) -> Any:
        """The vendor's trader, not started."""
        import asyncio

        module = loader.trader_module()
        asyncio.set_event_loop(asyncio.new_event_loop())
        trader = module.XtQuantTrader("userdata_mini", number)
        loader.prove_client(trader.async_client, "xtquant.xtpythonclient", "XtQuantAsyncClient")
        self.traders.append(trader)
        return trader

    def close(self) -> None:
        for trader in self.traders:
            if trader.executor is not None:
                trader.stop()
        self.traders.clear()
        for held in exchange.forget():
            held.store.close()


def account(account_id: str = ACCOUNT, kind: str = "STOCK") -> Any:
    """The vendor's account object."""
    loader.trader_module()
    from xtquant.xttype import StockAccount

    return StockAccount(account_id, kind)


def resting(order_id: int) -> list[tuple[Any, ...]]:
    """The pushes of an order that only rests: the order before and with its number, and the money it holds."""
    return [*[("order", order_id, 50)] * 2, ("asset",)]


def turned_away(order_id: int, words: str, seq: int) -> list[tuple[Any, ...]]:
    """The pushes of an order of 600000.SH that the counter did not take."""
    return [("order_error", order_id, words, seq), ("order", order_id, 57)]


ABOVE = "限价买入 [SH600000] [COUNTER] [43][高于涨停价: 委托 10.5, 涨停 9.93]"
NONE_HELD = "限价卖出 [SH600000] [COUNTER] [51][可用股份不足: 委托 100, 可卖 0]"


def filled(order_id: int, held: int) -> list[tuple[Any, ...]]:
    """The pushes of a buy of 100 that fills at once."""
    return [
        *[("order", order_id, 50)] * 2,
        ("trade", order_id, 100),
        ("order", order_id, 56),
        ("asset",),
        ("position", CODE, held),
    ]


def bounded(call: Callable[[], Any]) -> Any:
    """What a call returns, in time."""
    done: Future[Any] = Future()

    def run() -> None:
        try:
            done.set_result(call())
        except BaseException as problem:
            done.set_exception(problem)

    threading.Thread(target=run, daemon=True).start()
    return done.result(timeout=BOUND_SECONDS)


def plain(value: Any) -> Any:
    """An answer to compare: a record as its fields that are no zero, by their plain names."""
    if isinstance(value, Record):
        names: dict[tuple[int, ...], str] = {}
        for name, place in type(value)._places.items():
            if place not in names or not name.startswith("m_"):
                names[place] = name
        return {name: plain(found) for name in names.values() if (found := getattr(value, name))}
    if isinstance(value, list):
        return [plain(row) for row in value]
    if isinstance(value, dict):
        return {name: plain(found) for name, found in value.items()}
    if hasattr(value, "columns"):  # a table of pandas
        return list(value.columns)
    return round(value, 6) if isinstance(value, float) else value


@pytest.fixture
def open_terminal(vendor: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Terminal]]:
    """Opens the terminal of a test, with settings of its own."""
    opened: list[Terminal] = []

    def open_(**settings: Any) -> Terminal:
        opened.append(Terminal(tmp_path, monkeypatch, **settings))
        return opened[-1]

    yield open_
    for terminal in opened:
        terminal.close()


@pytest.fixture
def terminal(open_terminal: Callable[..., Terminal]) -> Terminal:
    return open_terminal()
