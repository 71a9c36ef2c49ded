"""Strategies on days that have been: the same each time, by the exchange's rules, as on paper with a stepped clock."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import CLOCK, ROOT, Result, Runner, not_on_windows
from test_reconcile import Live

Qmt = Callable[..., Result]

DAYS = "2026-11-23:2026-11-25"
CROSS = """
symbols = ["600000.SH", "510300.SH"]
period = "5m"
params = {"fast": 2, "slow": 5}
closes = {}

def on_bar_close(ctx, bar):
    seen = closes.setdefault(bar.stock_code, [])
    seen.append(bar.close)
    if len(seen) >= ctx.params["slow"]:
        fast, slow = (sum(seen[-n:]) / n for n in (ctx.params["fast"], ctx.params["slow"]))
        ctx.target(bar.stock_code, volume=1000 if fast > slow else 0)
"""


@pytest.fixture
def replay(qmt: Qmt, tmp_path: Path) -> Callable[..., tuple[dict[str, Any], Path]]:
    """Replays a strategy; its figures, and the folder of its report."""

    def run(text: str, days: str = DAYS, *words: str, name: str = "one") -> tuple[dict[str, Any], Path]:
        file, out = Path(f"{name}.py"), tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        done = qmt("run-strategy", str(file), "--replay", days, "--report", str(out), "--json", *words)
        assert done.status == 0, done.stderr
        return done.json, out

    return run


Replay = Callable[..., "tuple[dict[str, Any], Path]"]


def _events(out: Path, event: str = "log") -> list[Any]:
    rows = [json.loads(line) for line in (out / "events.ndjson").read_text(encoding="utf-8").splitlines()]
    return [row["message"] for row in rows if row["event"] == event]


def _orders(out: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((out / "orders.json").read_text(encoding="utf-8"))
    return rows


def test_the_same_file_on_the_same_tape_is_the_same_to_the_byte(replay: Replay) -> None:
    first, here = replay(CROSS)
    second, there = replay(CROSS)
    assert first == second
    assert first["orders"] > 3
    names = sorted(path.name for path in here.iterdir())
    assert names == sorted(path.name for path in there.iterdir())
    assert {"orders.csv", "trades.json", "equity.csv", "figures.json", "report.html"} <= {*names}
    for name in names:
        assert (here / name).read_bytes() == (there / name).read_bytes(), name


def test_the_equity_is_what_the_trades_leave(replay: Replay) -> None:
    figures, out = replay(CROSS)
    trades = pd.read_csv(out / "trades.csv")
    equity = pd.read_csv(out / "equity.csv")
    sign = trades["side"].map({"buy": -1, "sell": 1})
    cash = 1_000_000 + (sign * trades["traded_amount"]).sum() - trades["commission"].sum()
    assert equity["cash"].iloc[-1] == pytest.approx(cash, abs=0.005)
    assert figures["fees"] == pytest.approx(trades["commission"].sum(), abs=0.005)
    assert figures["final_asset"] == pytest.approx(equity["total_asset"].iloc[-1], abs=0.005)


STEPPED = """
symbols = ["600519.SH"]
seen = 0

def on_tick(ctx, tick):
    global seen
    if not "09:30:00" <= f"{tick.at:%H:%M:%S}" < "09:31:30":
        return
    seen += 1
    if seen % 5 == 1:
        ctx.buy(tick.stock_code, 100, price="peer")
    elif seen % 5 == 3:
        ctx.buy(tick.stock_code, 100, limit=round(tick.last_price - 20, 2))
    elif seen % 5 == 4:
        ctx.cancel()
    ctx.log(f"tick {tick.time}")

def on_order(ctx, order):
    ctx.log(f"order {order.order_remark} {order.status} {order.traded_volume}")
"""


def test_paper_with_a_stepped_clock_and_replay_do_the_same(
    qmt: Qmt, shared_data: Path, user_config: Callable[[str], Path], tmp_path: Path
) -> None:
    """The strategy's process is driven from tick to tick, each when the one before was told."""
    user_config(f"profiles: {{paper: {{market: '{(shared_data / 'tick').as_posix()}', hours: exchange, cash: 1亿}}}}")
    Path("stepped.py").write_text(STEPPED, encoding="utf-8")
    out = tmp_path / "out"
    done = qmt("run-strategy", "stepped.py", "--replay", "2023-02-07", "--report", str(out), "--json")
    assert done.status == 0, done.stderr
    told = _events(out)
    stamps = [int(word.split()[1]) for word in told if word.startswith("tick")]
    assert len(stamps) > 20

    clock = tmp_path / "clock"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "QMT_PAPER_CLOCK": f"@{clock}"}

    def step(ms: int) -> None:
        at = pd.Timestamp(ms, unit="ms", tz="Asia/Shanghai").tz_localize(None)
        clock.write_text(at.isoformat(timespec="milliseconds"))

    step(stamps[0] - 2000)
    command = [sys.executable, "-m", "qmtcli", "run-strategy", "stepped.py", "--json"]
    seen: list[str] = []
    with subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None

        def hear(wanted: Callable[[dict[str, Any]], bool]) -> None:
            for line in process.stdout or ():
                event = json.loads(line)
                if event["event"] == "log":
                    seen.append(event["message"])
                if wanted(event):
                    return

        hear(lambda event: event["event"] == "started")
        for stamp in stamps:
            step(stamp)
            hear(lambda event, stamp=stamp: event["message"] == f"tick {stamp}")  # type: ignore[misc]
        step(stamps[-1] + 60_000)
        paper = qmt("orders", "--json", env={"QMT_PAPER_CLOCK": f"@{clock}"}).json
        process.terminate()
        process.wait(20)
    assert [word for word in seen if word.startswith("tick")] == [f"tick {stamp}" for stamp in stamps]
    replayed = _orders(out)
    names = [*replayed[0]]
    assert [{name: row[name] for name in names} for row in paper] == replayed
    assert {row["status"] for row in replayed} == {"filled", "canceled"}


# -- what QMT's built-in runner does to those who use it -------------------------------------------------


def test_an_order_goes_out_at_the_tick_that_asks_for_it_and_not_at_the_bars_last(replay: Replay) -> None:
    _, out = replay(
        """
        symbols, period = ["600000.SH"], "5m"
        def on_tick(ctx, tick):
            if f"{tick.at:%H:%M:%S}" == "10:01:00":
                ctx.log(tick.time // 1000)
                ctx.buy("600000.SH", 100, limit=9.09)
        """,
        "2026-11-23",
    )
    (order,) = _orders(out)
    assert [order["order_time"]] == [int(text) for text in _events(out)]


def test_one_bar_may_have_many_orders(replay: Replay) -> None:
    figures, _ = replay(
        """
        symbols, period, sent = ["600000.SH"], "1h", []
        def on_tick(ctx, tick):
            if len(sent) < 7:
                sent.append(ctx.buy("600000.SH", 100, limit=9.09))
        """,
        "2026-11-23",
    )
    # those before the opening auction's end are taken too
    assert figures["orders"] == 7


def test_history_warms_up_and_calls_nothing(replay: Replay) -> None:
    _, out = replay(
        """
        symbols, period = ["600000.SH"], "1d"
        def on_start(ctx):
            frame = ctx.history("600000.SH", "1d", 500)
            ctx.log(len(frame), frame.index[-1])
        def on_bar_open(ctx, bar):
            ctx.log(f"open {bar.at:%Y%m%d}")
        """,
        "2026-11-23:2026-11-24",
    )
    warmed, *opened = _events(out)
    assert warmed == "500 20261120"  # of the days before, and never of one to come
    assert opened == ["open 20261123", "open 20261124"]


def test_nothing_has_to_be_switched_on_to_trade_and_its_own_callbacks_come(replay: Replay) -> None:
    _, out = replay(
        """
        symbols, sent = ["600000.SH"], []
        def on_tick(ctx, tick):
            if not sent and tick.phase == 13:
                sent.append(ctx.buy("600000.SH", 100, limit=9.09))
        def on_order(ctx, order):
            ctx.log("order", order.status)
        def on_trade(ctx, trade):
            ctx.log("trade", trade.traded_volume)
        """,
        "2026-11-23",
    )
    assert _events(out)[-2:] == ["trade 100", "order filled"]


def test_bar_functions_are_not_called_at_every_tick(replay: Replay) -> None:
    figures, out = replay(
        """
        symbols, period = ["600000.SH"], "30m"
        def on_bar_open(ctx, bar):
            ctx.log(f"open {bar.at:%H:%M}")
        def on_bar_close(ctx, bar):
            ctx.log(f"close {bar.at:%H:%M}")
        """,
        "2026-11-23",
    )
    labels = ["10:00", "10:30", "11:00", "11:30", "13:30", "14:00", "14:30", "15:00"]
    assert _events(out) == [word for label in labels for word in (f"open {label}", f"close {label}")]
    assert figures["ticks"] > 4000


# -- rules, timers, mistakes -----------------------------------------------------------------------------


def test_what_was_bought_today_is_sold_tomorrow(replay: Replay) -> None:
    _, out = replay(
        """
        symbols, timers = ["600000.SH"], {"buy": "10:00", "sell": "10:05"}
        def on_timer(ctx, name):
            if name == "sell":
                ctx.sell("600000.SH", "all", price="peer")
            elif not ctx.position("600000.SH").volume:
                ctx.buy("600000.SH", 300, limit=9.09)
        """,
        "2026-11-23:2026-11-24",
    )
    assert [(row["side"], row["time"][:16]) for row in _orders(out)] == [
        ("buy", "2026-11-23T10:00"), ("sell", "2026-11-24T10:05"),
    ]  # fmt: skip
    assert len(_events(out, "error")) == 1


def test_missed_timers_are_not_piled_up_and_each_goes_off_once_a_day(replay: Replay) -> None:
    _, out = replay(
        """
        symbols, timers = ["600000.SH"], {"noon": "12:00", "often": "1h"}
        def on_timer(ctx, name):
            ctx.log(name, f"{ctx.now:%d %H:%M:%S}")
        """,
        "2026-11-23:2026-11-24",
    )
    told = _events(out)
    assert [word for word in told if word.startswith("noon")] == ["noon 23 12:00:00", "noon 24 12:00:00"]
    first_day = [word for word in told if word.startswith("often 23")]
    assert first_day == [f"often 23 {hour:02}:00:00" for hour in range(10, 16)]
    # the night is one missed stretch
    assert next(word for word in told if word.startswith("often 24")) == "often 24 09:00:00"


def test_a_strategys_own_limits_hold_it(replay: Replay) -> None:
    Path("mine.py").write_text(
        "symbols, n = ['600000.SH'], []\n"
        "def on_tick(ctx, tick):\n"
        "    if len(n) < 4 and tick.phase == 13:\n"
        "        n.append(1)\n"
        "        ctx.buy('600000.SH', 100, limit=9.09)\n"
    )
    Path("plan.yaml").write_text("strategies: [{file: mine.py, limits: {orders_per_day: 2}}]")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "qmtcli", "run-strategy", "plan.yaml", "--replay", "2026-11-23", "--json"],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    row = json.loads(done.stdout)
    assert (row["orders"], row["errors"]) == (2, 2)


def test_a_sweep_tells_of_every_combination(qmt: Qmt) -> None:
    Path("cross.py").write_text(CROSS, encoding="utf-8")
    done = qmt("run-strategy", "cross.py", "--replay", "2026-11-23", "--sweep", "fast=2,3", "--sweep", "slow=4,6",
               "--json", timeout=120)  # fmt: skip
    assert (done.status, done.stderr) == (0, "")
    told = [row["params"] for row in done.json]
    assert told == [{"fast": fast, "slow": slow} for fast in (2, 3) for slow in (4, 6)]
    alone = qmt(
        "run-strategy", "cross.py", "--replay", "2026-11-23", "--param", "fast=3", "--param", "slow=6", "--json"
    )
    assert alone.json["final_asset"] == done.json[3]["final_asset"]


@not_on_windows("a cluster of its processes")
def test_a_sweep_on_a_cluster_tells_the_same(qmt: Qmt) -> None:
    """The figures are those of this machine, and a scheduler that is not there is told of."""
    distributed = pytest.importorskip("distributed")
    Path("cross.py").write_text(CROSS, encoding="utf-8")
    words = ("run-strategy", "cross.py", "--replay", "2026-11-23", "--sweep", "fast=2,3", "--json")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, host="127.0.0.1", dashboard_address=None, protocol="tcp"
    ) as cluster:
        address = cluster.scheduler_address
        there = qmt(*words, "--backend", f"dask:{address}", timeout=120)
    assert (there.status, there.stderr) == (0, "")
    assert there.json == qmt(*words, timeout=120).json
    for backend, code in (("spark", "bad_backend"), ("dask:", "bad_backend"), ("dask:nowhere", "backend_unusable")):
        refused = qmt(*words, "--backend", backend)
        assert (refused.status, refused.stdout, refused.error["code"]) == (2, "", code)


def test_a_replay_leaves_no_trace_on_the_account(qmt: Qmt, replay: Replay) -> None:
    replay(CROSS)
    assert qmt("orders", "--json").json == []
    assert qmt("log", "--json").json == []


def test_a_strategys_own_mistake_ends_its_replay_with_its_traceback(qmt: Qmt) -> None:
    Path("bad.py").write_text("symbols = ['600000.SH']\ndef on_tick(ctx, tick):\n    1 / 0\n")
    done = qmt("run-strategy", "bad.py", "--replay", "2026-11-23", "--json")
    assert (done.status, done.stdout) == (1, "")
    error = json.loads(done.stderr)["error"]
    assert (error["code"], error["line"]) == ("strategy_failed", 3)
    assert error["why"].endswith("ZeroDivisionError: division by zero") and "qmtcli" not in error["why"]


@pytest.mark.parametrize(
    ("name", "days"), [("cross", "2026-11-17:2026-11-20"), ("guard", "2026-11-17"), ("dayend", "2026-11-17:2026-11-18")]
)
def test_the_documents_examples_run(qmt: Qmt, tmp_path: Path, name: str, days: str) -> None:
    done = qmt(
        "run-strategy", str(ROOT / "docs" / "strategies" / f"{name}.py"), "--replay", days, "--report",
        str(tmp_path / "out"), "--json", timeout=120,
    )  # fmt: skip
    assert done.status == 0, done.stderr
    told = [json.loads(line) for line in (tmp_path / "out" / "events.ndjson").read_text(encoding="utf-8").splitlines()]
    # the bar of 11:30 is over in the lunch break, in which no order is taken
    assert {(row["code"], row["time"][11:19]) for row in told if row["event"] == "error"} <= {("off_hours", "11:31:00")}
    assert bool(done.json["trades"]) == (name != "guard")


def test_a_file_may_import_xtquant(qmt: Qmt, clock: Callable[[str], None]) -> None:
    """Its constants, and its market data, which are those of the day that is replayed, or of now."""
    Path("own.py").write_text(
        "from xtquant import xtconstant, xtdata\n"
        "symbols, timers = ['600000.SH'], {'one': '14:56:59'}\n"
        "def on_timer(ctx, name):\n"
        "    at = xtdata.get_full_tick(['600000.SH'])['600000.SH']['timetag']\n"
        "    ctx.log(xtconstant.STOCK_BUY, at)\n"
        "def on_stop(ctx): pass\n",
        encoding="utf-8",
    )
    done = qmt("run-strategy", "own.py", "--replay", "2026-11-20", "--report", "out", "--json", timeout=120)
    assert (done.status, done.stderr) == (0, "")
    told = [json.loads(line)["message"] for line in Path("out/events.ndjson").read_text(encoding="utf-8").splitlines()]
    assert [word[:17] for word in told] == ["23 20261120 14:56"]
    clock("2026-11-23T14:56:58+")
    done = qmt("run-strategy", "own.py", "--until", "14:57", "--json")
    said = [json.loads(line)["message"] for line in done.stdout.splitlines() if json.loads(line)["event"] == "log"]
    assert (done.status, [word[:11] for word in said]) == (0, ["23 20261123"])


def test_what_a_file_prints_is_no_data(qmt: Qmt) -> None:
    Path("prints.py").write_text(
        "print('at first')\nsymbols = ['600000.SH']\ndef on_start(ctx):\n    print('in a call')\n", encoding="utf-8"
    )
    done = qmt("run-strategy", "prints.py", "--replay", "2026-11-23", "--json")
    assert (done.status, done.json["strategy"]) == (0, "prints")


def _tape_of_bars(user_config: Callable[[str], Path], rows: str, name: str = "600519.SH_1d.csv") -> None:
    Path("tapes").mkdir()
    Path("tapes", name).write_text(rows, encoding="utf-8")
    user_config(f"profiles: {{paper: {{market: '{Path('tapes').absolute().as_posix()}', cash: 1000000000}}}}")


def test_days_of_which_there_are_bars_alone_are_replayed(qmt: Qmt, user_config: Callable[[str], Path]) -> None:
    """What a bar shows comes in its order, history holds nothing of what is still to come, and volume bounds fills."""
    _tape_of_bars(
        user_config,
        "date,open,high,low,close,volume,amount\n2023-02-06,1790,1800,1780,1795,90000,161550000\n"
        "2023-02-07,1800,1810,1790,1797,100000,179700000\n2023-02-08,1797,1830,1795,1820,80000,144000000\n",
    )
    Path("bars.py").write_text(
        textwrap.dedent("""
        symbols, period, timers = ["600519.SH"], "1d", {"buys": "10:00", "late": "14:55"}
        def on_start(ctx):
            ctx.log(*ctx.history("600519.SH", "1d", 5)["close"])
        def on_tick(ctx, tick):
            day = ctx.history("600519.SH", "1d", 5)
            ctx.log("tick", tick.last_price, list(day["close"])[-2:], day["high"].iloc[-1])
        def on_timer(ctx, name):
            if name == "buys":
                ctx.buy("600519.SH", 90_000, limit=1810)
        def on_bar_close(ctx, bar):
            ctx.log(bar.open, bar.high, bar.low, bar.close, bar.volume)
        """),
        encoding="utf-8",
    )
    words = ("run-strategy", "bars.py", "--replay", "2023-02-07:2023-02-08", "--json")
    done = qmt(*words, "--report", "one")
    assert (done.status, done.stderr) == (0, "")
    assert (done.json["days"], done.json["ticks"], done.json["orders"]) == (2, 12, 2)
    told = [json.loads(line) for line in Path("one/events.ndjson").read_text(encoding="utf-8").splitlines()]
    assert [row["message"] for row in told if row["event"] == "log"][:8] == [
        "1795.0",
        "tick 1795.0 [1795.0] 1800.0",
        "tick 1800.0 [1795.0, 1800.0] 1800.0",
        "tick 1810.0 [1795.0, 1810.0] 1810.0",
        "tick 1790.0 [1795.0, 1790.0] 1810.0",
        "tick 1797.0 [1795.0, 1797.0] 1810.0",
        "tick 1797.0 [1795.0, 1797.0] 1810.0",
        "1800.0 1810.0 1790.0 1797.0 100000",
    ]
    with Path("one/trades.csv").open(encoding="utf-8-sig", newline="") as file:
        trades = [(float(row["traded_price"]), int(row["traded_volume"])) for row in csv.DictReader(file)]
    # a quarter of the 20,000 that had traded, at once and each time that it is met again
    assert trades == [(1800.01, 5_000), *[(1810.0, 5_000)] * 4, (1797.01, 4_000), (1810.0, 4_000)]
    assert qmt(*words, "--report", "two").json == done.json
    for name in ("orders.csv", "trades.csv", "equity.csv", "events.ndjson", "report.html"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()


def test_a_price_is_made_of_no_old_tick(qmt: Qmt, user_config: Callable[[str], Path]) -> None:
    """A minute after the last one a snapshot is asked for, by an order and by who looks; before, none is."""
    _tape_of_bars(
        user_config,
        "date,open,high,low,close,volume,amount\n2023-02-06,1790,1800,1780,1795,90000,161550000\n"
        "2023-02-07,1800,1810,1790,1797,100000,179700000\n",
    )
    Path("old.py").write_text(
        textwrap.dedent("""
        from qmtcli.xt.session import Session
        symbols, timers, asked, quotes = ["600519.SH"], {"soon": "14:45:59", "late": "14:46:01"}, [], Session.quotes
        Session.quotes = lambda self, codes: asked.append(codes) or quotes(self, codes)
        def on_timer(ctx, name):
            ctx.quote("600519.SH")
            ctx.buy("600519.SH", 100, price="peer")
            ctx.target("600519.SH", value=1_000_000)
            ctx.log(name, len(asked))
        """),
        encoding="utf-8",
    )
    done = qmt("run-strategy", "old.py", "--replay", "2023-02-07", "--report", "out", "--json")
    assert (done.status, done.json["orders"]) == (0, 3), done.stderr
    told = [json.loads(line) for line in Path("out/events.ndjson").read_text(encoding="utf-8").splitlines()]
    # what was asked for an order is good for a minute
    assert [row["message"] for row in told if row["event"] == "log"] == ["soon 0", "late 2"]


def test_minutes_make_the_bars_of_a_replay(qmt: Qmt, user_config: Callable[[str], Path]) -> None:
    rows = [(f"2023-02-07 09:{minute}:00", 1800 + minute - 31, 1000 * (minute - 30)) for minute in range(31, 41)]
    _tape_of_bars(
        user_config,
        "time,open,high,low,close,volume\n"
        + "".join(f"{at},{price},{price + 2},{price - 1},{price + 1},{volume}\n" for at, price, volume in rows),
        "600519.SH_1m.csv",
    )
    Path("five.py").write_text(
        'symbols, period = ["600519.SH"], "5m"\n'
        "def on_bar_close(ctx, bar):\n"
        '    ctx.log(f"{bar.at:%H:%M}", bar.open, bar.high, bar.low, bar.close, bar.volume)\n',
        encoding="utf-8",
    )
    done = qmt("run-strategy", "five.py", "--replay", "2023-02-07", "--report", "out", "--json")
    assert (done.status, done.json["ticks"]) == (0, 41)
    told = [json.loads(line)["message"] for line in Path("out/events.ndjson").read_text(encoding="utf-8").splitlines()]
    assert told == ["09:35 1800.0 1806.0 1799.0 1805.0 15000", "09:40 1805.0 1811.0 1804.0 1810.0 40000"]


def test_a_tape_of_days_without_trades_is_no_replay_of_nothing(qmt: Qmt, user_config: Callable[[str], Path]) -> None:
    _tape_of_bars(user_config, "date,open,high,low,close,volume\n2023-02-07,1800,1800,1800,1800,0\n")
    Path("none.py").write_text("symbols = ['600519.SH']\ndef on_tick(ctx, tick): pass\n", encoding="utf-8")
    done = qmt("run-strategy", "none.py", "--replay", "2023-02-07", "--json")
    assert (done.status, done.stdout, done.error["code"]) == (10, "", "no_ticks")


@pytest.fixture
def live(
    qmt: Runner, quick_runs: Callable[[str], Runner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Runner]:
    """Runs on the live profile of a terminal whose data service has a market; the replay's own xtquant is the
    vendor's."""

    def terminal(market: str) -> Runner:
        found = Live(quick_runs("live"), qmt, tmp_path, monkeypatch, market=market, hours="exchange")
        env = {"QMTCLI_PAPER": found.paper([], CLOCK)}
        return lambda *words, **more: qmt("--profile", "live", *words, env=env, timeout=120, **more)

    return terminal


def test_what_a_terminal_has_downloaded_is_replayed_as_a_tape_of_it(
    live: Callable[..., Runner], qmt: Qmt, tmp_path: Path
) -> None:
    """Ticks where there are any; no session id is taken, and the orders are those of a replay of the tape itself."""
    terminal = live("sample")
    Path("cross.py").write_text(CROSS, encoding="utf-8")
    words = ("run-strategy", "cross.py", "--replay", "2026-11-17:2026-11-18", "--json")
    done = terminal(*words, "--report", "live")
    assert (done.status, done.stderr) == (0, ""), done.stderr
    assert {path.name.partition("-")[0] for path in (tmp_path / "state").rglob("slots/*")} == {"xtdata"}
    assert done.json["orders"] > 3
    assert (done.json["mode"], done.json["profile"]) == ("paper", "live")
    own = qmt(*words, "--profile", "paper", "--report", "paper", env={"QMT_CONFIG": ""})
    kept = ("orders", "trades", "ticks", "first", "last", "errors")
    assert [done.json[name] for name in kept] == [own.json[name] for name in kept]
    for name in ("orders.csv", "trades.csv"):
        texts = [Path(folder, name).read_text(encoding="utf-8") for folder in ("live", "paper")]
        assert texts[0].replace("2000000365", "1000000365") == texts[1]
    swept = terminal(*words, "--sweep", "fast=2,3")
    assert (swept.status, len(swept.json)) == (0, 2)


def test_what_a_terminal_has_not_downloaded_is_said(live: Callable[..., Runner]) -> None:
    Path("tapes").mkdir()
    Path("tapes/600519.SH_1d.csv").write_text(
        "date,open,high,low,close,volume,amount\n2023-02-07,1800,1810,1790,1797,100000,179700000\n", encoding="utf-8"
    )
    terminal = live(str(Path("tapes").absolute()))
    Path("one.py").write_text("symbols = ['600519.SH']\ndef on_tick(ctx, tick): pass\n", encoding="utf-8")
    done = terminal("run-strategy", "one.py", "--replay", "2023-02-07", "--json")
    assert (done.status, done.json["ticks"]) == (0, 6), done.stderr
    done = terminal("run-strategy", "one.py", "--replay", "2023-02-08", "--json")
    assert (done.status, done.stdout, done.error["code"], done.error["codes"]) == (
        10, "", "not_downloaded", ["600519.SH"],
    )  # fmt: skip
