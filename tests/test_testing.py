"""The paper terminal for tests: what it puts in a test's hand, that tests do not feel one another, and its page."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Result, not_on_windows

from qmtcli.errors import ConfigError, Refused, UsageError
from qmtcli.paper import mount
from qmtcli.paper.exchange import current
from qmtcli.testing import Paper

CODE, BUY, SELL, LIMIT = "600000.SH", 23, 24, 11
PAGE = ROOT / "docs" / "testing.md"


@pytest.fixture
def paper(vendor_modules: None, tmp_path: Path) -> Iterator[Paper]:
    with Paper(tmp_path / "paper") as found:
        yield found


def buy(paper: Paper, trader: Any, price: float = 9.09, volume: int = 100) -> int:
    order_id: int = trader.order_stock(paper.stock_account, CODE, BUY, volume, LIMIT, price, "s", "r")
    return order_id


# -- time --------------------------------------------------------------------------------------------------


def test_the_clock(paper: Paper) -> None:
    assert paper.clock.now.isoformat() == "2026-11-23T10:00:00+08:00"
    paper.clock.set("14:57:00.500")
    assert paper.clock.now.isoformat() == "2026-11-23T14:57:00.500000+08:00"
    paper.clock.step(seconds=0.5, minutes=3)
    assert paper.clock.now.isoformat() == "2026-11-23T15:00:01+08:00"
    paper.clock.set(datetime(2026, 11, 25, 9, 30))
    assert current().feed.now_ms() == paper.clock.now.timestamp() * 1000
    assert paper.run("paper", "status", "--json").json["day"] == "2026-11-25"
    with pytest.raises(ValueError):
        paper.clock.set("noon")


def test_the_clock_goes_to_an_earlier_day_before_the_first_order(paper: Paper) -> None:
    trader = paper.trader()
    paper.clock.set("2023-02-07T10:00:00")
    assert buy(paper, trader) == 1
    assert [order["time"] for order in paper.account.orders] == ["2023-02-07T10:00:00+08:00"]
    assert paper.next_day() == date(2023, 2, 8)
    assert paper.account.positions[0]["can_use_volume"] == 100
    with pytest.raises(ConfigError) as caught:
        paper.clock.set("2023-02-07T10:00:00")
    assert caught.value.code == "clock_behind_account"


def test_moving_the_clock_has_all_happen_that_is_due(paper: Paper) -> None:
    paper.market.tick(CODE, 10.00, bid=[(9.99, 2000)], ask=[(10.00, 2000)])
    trader = paper.trader()
    assert buy(paper, trader, 9.98) == 1
    paper.market.tick(CODE, 9.97, bid=[(9.96, 500)], ask=[(9.97, 500)], at="10:00:03", volume=3000)
    paper.flush()
    before = ["on_account_status", "on_stock_order", "on_stock_order", "on_stock_asset"]
    assert trader.callback.names == before
    paper.clock.step(3)
    assert trader.callback.names[4:] == ["on_stock_trade", "on_stock_order", "on_stock_asset", "on_stock_position"]


@pytest.mark.parametrize(("hours", "day"), [("exchange", date(2026, 11, 30)), ("always", date(2026, 11, 28))])
def test_the_next_day(paper: Paper, hours: str, day: date) -> None:
    paper.use(hours=hours)
    paper.clock.set("2026-11-27T10:00:00")  # a Friday
    trader = paper.trader()
    buy(paper, trader)
    buy(paper, trader, 8.90)
    assert [held["can_use_volume"] for held in paper.account.positions] == [0]
    assert paper.next_day() == day
    assert [held["can_use_volume"] for held in paper.account.positions] == [100]
    assert (paper.account.orders, paper.account.trades) == ([], [])
    trader.callback.wait("on_stock_order", order_id=2, order_status=54)
    assert trader.order_stock(paper.stock_account, CODE, SELL, 100, LIMIT, 9.00) == 3


# -- the market --------------------------------------------------------------------------------------------


def test_a_tape_written_by_a_test(paper: Paper) -> None:
    paper.market.instrument(CODE, name="浦发银行", t0=True)
    paper.market.tick(CODE, 10.00, bid=[(9.99, 1200), (9.98, 300)], ask=[(10.01, 500)], volume=1000, preclose=9.90)
    paper.market.tick(CODE, 10.02, at="10:00:03", ask=[], volume=1500)
    paper.market.tick(CODE, 9.97, at="10:00:06")
    quotes = []
    for _ in range(3):
        (quote,) = paper.run("quote", CODE, "--json").json
        quotes.append(quote)
        paper.clock.step(3)
    assert [quote["last_price"] for quote in quotes] == [10.00, 10.02, 9.97]
    assert [(quote["open"], quote["high"], quote["low"]) for quote in quotes] == [
        (10.00, 10.00, 10.00), (10.00, 10.02, 10.00), (10.00, 10.02, 9.97),
    ]  # fmt: skip
    assert [quote["pvolume"] for quote in quotes] == [1000, 1500, 1500]
    assert [quote["amount"] for quote in quotes] == [10_000, 15_010, 15_010]
    assert quotes[0]["bid_vol"] == [12, 3]
    assert [quote["ask_price"] for quote in quotes] == [[10.01], [], []]
    assert {(quote["last_close"], quote["instrument_name"], quote["synthetic"]) for quote in quotes} == {
        (9.90, "浦发银行", False)
    }


def test_other_markets(paper: Paper, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    columns = ",".join(f"{name}{n}" for name in ("askPrice", "askVol", "bidPrice", "bidVol") for n in range(1, 6))
    text = f"time,lastPrice,open,high,low,lastClose,volume,amount,{columns}\n20261123093000,5,5,5,5,5,0,0{',0' * 20}\n"
    (tmp_path / "mine" / "000001.SZ_20261123_tick.csv").write_text(text, encoding="utf-8")
    paper.market.folder(tmp_path / "mine")
    assert current().feed.tape.codes() == ["000001.SZ"]
    paper.market.sample()
    assert current().feed.tape.synthetic
    with pytest.raises(ConfigError):
        paper.market.folder(tmp_path / "none")
        current()


def test_sessions_go_on_when_the_market_changes(paper: Paper) -> None:
    trader = paper.trader()
    assert buy(paper, trader) == 1
    paper.market.tick(CODE, 10.00, ask=[(10.00, 500)])
    paper.use(hours="always")
    assert buy(paper, trader, 10.00) == 2
    paper.flush()
    assert trader.callback.names.count("on_stock_trade") == 2
    assert "on_disconnected" not in trader.callback.names
    assert [trade["traded_price"] for trade in paper.account.trades] == [9.03, 10.00]


# -- the account -------------------------------------------------------------------------------------------


def test_the_account_is_what_qmt_shows(paper: Paper) -> None:
    paper.use(cash=50_000, fees={"minimum": "0", "commission": "0.0001"})
    trader = paper.trader()
    buy(paper, trader)
    identity = {"mode": "paper", "profile": "test", "account_id": "1000000365"}
    for words in ("orders", "trades", "positions"):
        shown = paper.run(words, "--json").json
        assert [{**row, **identity} for row in getattr(paper.account, words)] == shown
        assert len(shown) == 1
    assert {**paper.account.asset, **identity} == paper.run("asset", "--json").json
    fee = 0.09 + 0.01  # commission and transfer fee of 903 CNY
    assert paper.account.asset["cash"] == pytest.approx(50_000 - 903 - fee)
    paper.deposit(1_000)
    assert paper.account.asset["total_asset"] == pytest.approx(51_000 - fee)
    assert trader.callback.wait("on_stock_asset", cash=paper.account.asset["cash"]) is not None
    paper.withdraw(500)
    assert paper.account.asset["total_asset"] == pytest.approx(50_500 - fee)
    for move in (paper.deposit, paper.withdraw):
        with pytest.raises(UsageError):
            move(-1)
    with pytest.raises(Refused):
        paper.withdraw(60_000)


def test_the_account_is_seen_past_all_faults(paper: Paper) -> None:
    buy(paper, paper.trader())
    for outcome in ("-1", "no answer", "empty lists on a dead link"):
        paper.faults.query(outcome)
        paper.faults.connect(outcome)
    assert len(paper.account.orders) == 1


# -- sessions ----------------------------------------------------------------------------------------------


def test_a_cancel_that_fails_after_its_answer_is_refused(paper: Paper) -> None:
    buy(paper, paper.trader(), 8.90)
    paper.faults.cancel("reject", message="撤不了")
    refused = paper.run("cancel", "1", "--json")
    assert (refused.status, refused.json[0]["result"], refused.json[0]["message"]) == (5, "refused", "撤不了")
    paper.faults.clear()
    assert paper.run("cancel", "1", "--json").json[0]["result"] == "canceled"


def test_orders_of_one_moment_are_listed_by_number(paper: Paper) -> None:
    trader = paper.trader()
    for _ in range(11):
        buy(paper, trader)
    for words, name in (("orders", "order_id"), ("trades", "traded_id")):
        assert [row[name] for row in paper.run(words, "--json").json] == [str(n) for n in range(1, 12)]


def test_what_is_held_since_today_and_since_before(paper: Paper) -> None:
    trader = paper.trader()
    for volume in (200, 100):
        buy(paper, trader, volume=volume)
    paper.next_day()
    assert trader.order_stock(paper.stock_account, CODE, SELL, 100, LIMIT, 9.00) == 3
    buy(paper, trader, volume=400)
    (held,) = trader.query_position_statistics(paper.stock_account)
    assert (held.position, held.today_position, held.yesterday_position) == (600, 400, 200)
    assert (held.yesterday_init_position, held.can_close_vol) == (300, 200)


def test_a_recorder(paper: Paper) -> None:
    class Mine:
        heard: list[Any]

        def on_stock_order(self, order: Any) -> None:
            self.heard.append(order.order_status)

        def on_stock_trade(self, trade: Any) -> None:
            raise KeyError("mine")

    mine = Mine()
    mine.heard = []
    trader = paper.trader(mine)
    buy(paper, trader)
    recorder = trader.callback
    assert [recorder.wait("on_stock_order").order_status for _ in range(3)] == [50, 50, 56]
    assert recorder.wait("on_stock_trade", order_id=1, traded_volume=100).traded_price == 9.03
    paper.flush()
    assert mine.heard == [50, 50, 56]
    assert [repr(error) for error in recorder.raised] == ["KeyError('mine')"]
    with pytest.raises(TimeoutError, match=r"no on_stock_trade\(order_id=2\) in 0.01 s, but: on_account_status, on_"):
        recorder.wait("on_stock_trade", 0.01, order_id=2)
    with pytest.raises(AttributeError):
        _ = recorder.no_callback


def test_a_trader_that_was_stopped_and_one_whose_callback_hangs(paper: Paper, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hangs:
        released = threading.Event()

        def on_stock_order(self, order: Any) -> None:
            self.released.wait()

    stopped = paper.trader()
    stopped.stop()
    paper.clock.step(1)
    hanging = Hangs()
    buy(paper, paper.trader(hanging))
    monkeypatch.setattr("qmtcli.testing.PATIENCE", 0.1)
    with pytest.raises(TimeoutError, match=r"a callback has not returned in 0\.1 s"):
        paper.flush()
    hanging.released.set()


def test_a_rule_that_is_wrong_is_told_where_it_is_made(paper: Paper) -> None:
    with pytest.raises(ConfigError) as raised:
        paper.faults.order("no anwser")
    assert (raised.value.code, raised.value.params["nearest"]) == ("bad_choice", "no answer")
    with pytest.raises(ConfigError):
        paper.faults.order("reject").times(0)
    with pytest.raises(ConfigError):
        paper.faults.on("order", "late", seconds=1).once().nth(2)
    paper.faults.clear()
    trader = paper.trader()
    paper.faults.order("-1").every(2)
    assert [buy(paper, trader) for _ in range(4)] == [1, -1, 2, -1]
    paper.faults.clear()
    paper.faults.order("-1").every(2)  # a new rule, which counts from one
    assert [buy(paper, trader) for _ in range(2)] == [3, -1]


def test_programs_of_ones_own_on_the_terminal(paper: Paper, tmp_path: Path) -> None:
    paper.faults.order("-1").once().shared()
    script = tmp_path / "buyer.py"
    script.write_text(
        "import asyncio, sys; asyncio.set_event_loop(asyncio.new_event_loop())\n"
        "from xtquant.xttrader import XtQuantTrader; from xtquant.xttype import StockAccount\n"
        "trader = XtQuantTrader('userdata_mini', 9); trader.start(); trader.connect()\n"
        f"print(trader.order_stock(StockAccount('1000000365'), {CODE!r}, 23, 100, 11, 9.09), sys.stdin.read())\n",
        encoding="utf-8",
    )
    assert paper.python(str(script), stdin="in").stdout.splitlines()[-1] == "-1 in"
    done = subprocess.run([sys.executable, str(script)], env=paper.env, capture_output=True, text=True, input="")
    assert done.stdout.split("\n")[-2] == "1 "
    assert [order["status"] for order in paper.account.orders] == ["filled"]


# -- one test and the next ---------------------------------------------------------------------------------


def opened() -> set[str]:
    """Open files of this process, by name where they have one."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return set()
    return {str(link.readlink()) for link in folder.iterdir() if link.exists()}


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is that of another place."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CET-1")
        mount.read_zone()
        yield
    mount.read_zone()


def test_nothing_is_left_behind(vendor_modules: None, berlin: None, tmp_path: Path) -> None:
    environ, zone = dict(os.environ), time.localtime().tm_gmtoff
    with Paper(tmp_path / "first") as first:  # makes what a process makes once
        first.trader()
        assert time.localtime().tm_gmtoff == 8 * 3600
    threads, files = set(threading.enumerate()), opened()
    for name in ("second", "third"):
        with Paper(tmp_path / name) as paper:
            assert (paper.account.orders, paper.clock.now.minute) == ([], 0)
            trader = paper.trader()
            assert buy(paper, trader) == 1
            paper.clock.step(minutes=5)
            paper.faults.order("no answer")
            paper.faults.query_asset("late", seconds=60)
            waiting = [
                threading.Thread(target=buy, args=(paper, trader)),
                threading.Thread(target=trader.query_stock_asset, args=(paper.stock_account,)),
            ]
            for thread in waiting:
                thread.start()
            from xtquant import xtdata

            xtdata.enable_hello = False
            pushed: queue.SimpleQueue[Any] = queue.SimpleQueue()
            xtdata.subscribe_quote(CODE, "tick", callback=pushed.put)
            assert CODE in pushed.get(timeout=10)
            deadline = time.monotonic() + 10
            while not (trader.async_client._late and trader.async_client._unanswered):
                assert time.monotonic() < deadline
                time.sleep(0.001)
        for thread in waiting:  # calls that wait are let go
            thread.join(10)
    del trader
    assert dict(os.environ) == environ
    assert (time.localtime().tm_gmtoff, zone) == (3600, 3600)
    assert set(threading.enumerate()) - threads == set()
    assert opened() - files == set()
    assert not asyncio.get_event_loop_policy().get_event_loop().is_closed()


PLUGIN = 'pytest_plugins = ["qmtcli.testing"]\n'


@pytest.fixture
def run_pytest(tmp_path: Path) -> Callable[..., Result]:
    """Runs pytest over some files, in a process and a folder of their own."""
    folder = tmp_path / "project"
    folder.mkdir()

    def run(*words: str, **files: str) -> Result:
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        env = {**os.environ, "PYTHONPATH": path}
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)
        return Result(done.returncode, done.stdout, done.stderr)

    return run


LEAVES = """
from xtquant.xttrader import XtQuantTrader
from xtquant.xttype import StockAccount
import pytest

def order(trader, price=9.09):
    return trader.order_stock(StockAccount("1000000365"), "600000.SH", 23, 100, 11, price)

def own_trader():
    trader = XtQuantTrader("userdata_mini", 1)
    trader.start()
    return trader

@pytest.mark.parametrize("turn", range(3))
def test_an_account_of_its_own(paper, turn):
    paper.faults.order("-1").nth(2)
    trader = own_trader()
    assert trader.connect() == 0
    assert (order(trader), order(trader), order(trader)) == (1, -1, 2)

def test_without_the_fixture():
    trader = own_trader()
    with pytest.raises(RuntimeError, match="the paper exchange has no account"):
        trader.connect()
"""


def test_the_plugin(run_pytest: Callable[..., Result]) -> None:
    done = run_pytest(conftest=PLUGIN, test_leaves=LEAVES)
    assert (done.status, done.stdout.splitlines()[-1][:8]) == (0, "4 passed"), done.stdout


def test_a_plugin_that_comes_too_late_says_so(run_pytest: Callable[..., Result]) -> None:
    early = "import sys, types; sys.modules['xtquant.xttrader'] = types.ModuleType('xtquant.xttrader')\n"
    done = run_pytest(conftest=early + PLUGIN, test_none="")
    assert done.status == 4
    assert "qmtcli.testing: imported before the stand-ins: xtquant.xttrader" in done.stderr


def test_who_does_not_want_it_pays_nothing(run_pytest: Callable[..., Result]) -> None:
    entries = [entry.value for entry in importlib.metadata.entry_points(group="pytest11")]
    assert [value for value in entries if value.startswith("qmtcli")] == []
    text = "import sys\ndef test_it():\n    assert [name for name in sys.modules if name.startswith('qmtcli')] == []\n"
    assert run_pytest(test_it=text).status == 0


# -- the page ----------------------------------------------------------------------------------------------


def blocks(kind: str) -> list[str]:
    """The page's blocks of a language."""
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_table_of_outcomes_is_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "fault_table.py", "--check"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_examples_of_the_page_hold(run_pytest: Callable[..., Result]) -> None:
    files = {}
    for block in blocks("python"):
        name, _, _ = block.removeprefix("# ").partition(".py\n")
        files[name] = block
    assert list(files) == ["conftest", "buyer", "test_buyer"]
    done = run_pytest(**files)
    assert (done.status, done.stdout.splitlines()[-1][:8]) == (0, "6 passed"), done.stdout


@not_on_windows("a POSIX shell")
def test_the_commands_of_the_page_hold(clock: Callable[[str], None], tmp_path: Path) -> None:
    clock("2026-11-23T10:00:00")
    (script,) = blocks("yaml")
    Path("faults.yaml").write_text(script, encoding="utf-8")
    program = tmp_path / "qmt"
    program.write_text(f"#!/bin/sh\nPYTHONPATH='{ROOT}' exec '{sys.executable}' -m qmtcli \"$@\" 2>>errors\n")
    program.chmod(0o755)
    (console,) = blocks("console")
    for command, shown in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", console, re.MULTILINE):
        done = subprocess.run(["/bin/sh", "-c", f"PATH='{tmp_path}':$PATH; {command}"], capture_output=True, text=True)
        assert (done.stdout, done.stderr) == (shown, "")


def test_every_name_of_the_page_is_there(paper: Paper) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for path in set(re.findall(r"`paper\.([a-z_]+(?:\.[a-z_]+)?)\b", text)):
        found: Any = paper
        for name in path.split("."):
            found = getattr(found, name)
