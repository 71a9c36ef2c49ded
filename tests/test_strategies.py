"""Strategies in real time: many at once, each in its own process, and what one does to the others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Result, not_on_windows

Qmt = Callable[..., Result]


class Run:
    """A run of qmt and what it says."""

    def __init__(self, *words: str) -> None:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.events: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qmtcli", "run-strategy", *words, "--json"],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def until(self, wanted: Callable[[dict[str, Any]], bool], count: int = 1) -> None:
        """Read until so many events are as wanted."""
        for line in self.process.stdout or ():
            event = json.loads(line)
            self.events.append(event)
            count -= wanted(event)
            if not count:
                return
        raise AssertionError(f"it ended: {self.events[-5:]}")

    def stop(self) -> int:
        """Stop it as Ctrl-C does; its exit status."""
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate(timeout=30)
        self.events += [json.loads(line) for line in out.splitlines()]
        return self.process.returncode

    def told(self, strategy: str, event: str = "log") -> list[Any]:
        """What a strategy has said."""
        return [row["message"] for row in self.events if (row["strategy"], row["event"]) == (strategy, event)]


@pytest.fixture
def run() -> Iterator[Callable[..., Run]]:
    """Starts runs, of which none outlives its test."""
    runs: list[Run] = []

    def start(*words: str, **files: str) -> Run:
        for name, text in files.items():
            Path(f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
        runs.append(Run(*words, *(f"{name}.py" for name in files)))
        return runs[-1]

    yield start
    for each in runs:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()


BEAT = """
symbols, timers = ["600000.SH"], {"beat": "100ms"}
def on_timer(ctx, name):
    ctx.log(f"{ctx.now.timestamp():.3f}")
def on_stop(ctx):
    ctx.log("bye")
"""


@not_on_windows("Ctrl-C to one process alone")
def test_one_that_sleeps_one_that_raises_and_one_that_is_killed_leave_the_fourth_alone(run: Callable[..., Run]) -> None:
    four = run(
        beat=BEAT,
        sleeps="""
        import time
        symbols = ["600000.SH"]
        def on_tick(ctx, tick):
            time.sleep(10)
        """,
        raises="""
        symbols = ["600000.SH"]
        def on_tick(ctx, tick):
            raise ValueError("its own")
        """,
        dies="""
        import os, signal
        symbols = ["600000.SH"]
        def on_tick(ctx, tick):
            os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    four.until(lambda event: event["event"] == "ended" and event["strategy"] == "dies")
    four.until(lambda event: event["event"] == "ended" and event["strategy"] == "raises")
    four.until(lambda event: event["strategy"] == "beat" and event["event"] == "log", 20)
    for name, status in (("raises", 1), ("dies", -9)):
        ended = [row for row in four.events if (row["strategy"], row["event"]) == (name, "ended")]
        assert [(row["exit_status"], row["again_in"]) for row in ended] == [(status, 2.0**n) for n in range(len(ended))]
    assert {*four.told("raises", "failed")} == {"ValueError: its own"}
    begun = time.monotonic()
    four.stop()
    assert time.monotonic() - begun < 20
    assert {row["exit_status"] for row in four.events if (row["strategy"], row["event"]) == ("beat", "ended")} == {0}
    assert four.told("beat")[-1] == "bye"


@not_on_windows("Ctrl-C to one process alone")
def test_killed_with_orders_open_it_knows_them_its_book_and_its_state(run: Callable[..., Run], qmt: Qmt) -> None:
    """It dies after an order, after its state, and in a callback; each step is sent once."""
    one = run(
        steps="""
        import os
        symbols, timers = ["600000.SH"], {"step": "200ms"}
        def on_start(ctx):
            ctx.log("run", ctx.state.get("runs", 0), len(ctx.orders()), ctx.position("600000.SH").volume)
            ctx.state["runs"] = ctx.state.get("runs", 0) + 1
        def on_timer(ctx, name):
            runs = ctx.state["runs"]
            ctx.buy("600000.SH", 100, limit=9.09, id="first-{date}")
            if runs == 1:
                os._exit(9)
            ctx.buy("600000.SH", 200, limit=8.5, id="rests-{date}")
            if runs == 2:
                os._exit(9)
            ctx.target("600000.SH", volume=400)
            ctx.log("all", len(ctx.orders()))
        """
    )
    one.until(lambda event: str(event["message"]).startswith("all"), 3)
    assert one.stop() == 0
    runs = [word for word in one.told("steps") if word.startswith("run")]
    assert runs == ["run 0 0 0", "run 1 1 100", "run 2 2 100"]
    rows = qmt("orders", "--json").json
    assert Counter((row["order_remark"].split("-")[0][:5], row["order_volume"]) for row in rows) == Counter(
        {("first", 100): 1, ("rests", 200): 1, ("steps", 100): 1}
    )
    assert {row["strategy_name"] for row in rows} == {"steps"}


@not_on_windows("Ctrl-C to one process alone")
def test_its_orders_and_trades_are_told_and_go_into_its_book(run: Callable[..., Run], qmt: Qmt) -> None:
    one = run(
        buys="""
        symbols, sent = ["600000.SH"], []
        def on_tick(ctx, tick):
            if not sent:
                sent.append(ctx.buy("600000.SH", 300, price="peer"))
        def on_trade(ctx, trade):
            ctx.log("trade", trade.traded_volume)
        def on_order(ctx, order):
            ctx.log(order.status, ctx.position("600000.SH").volume, ctx.position("600000.SH").can_use_volume)
        """
    )
    one.until(lambda event: str(event["message"]).startswith("filled"))
    assert one.stop() == 0
    assert one.told("buys")[-2:] == ["trade 300", "filled 300 0"]
    book = {row["stock_code"]: row for row in qmt("book", "buys", "--json").json}
    assert book["600000.SH"]["volume"] == 300
    (row,) = qmt("run-strategy", "--status", "--json").json
    assert (row["state"], row["orders"], row["trades"], row["exit_status"]) == ("ended", 1, 1, 0)


@not_on_windows("Ctrl-C to one process alone")
def test_a_halt_stops_its_buys_and_it_is_told(run: Callable[..., Run], qmt: Qmt) -> None:
    assert qmt("halt").status == 0
    one = run(
        tries="""
        symbols, timers = ["600000.SH"], {"try": "200ms"}
        def on_timer(ctx, name):
            ctx.buy("600000.SH", 100, limit=9.09)
        """
    )
    one.until(lambda event: event["event"] == "error", 2)
    assert one.stop() == 0
    assert {row["code"] for row in one.events if row["event"] == "error"} == {"halted"}
    assert qmt("orders", "--json").json == []


@not_on_windows("Ctrl-C to one process alone")
def test_the_same_strategy_does_not_run_twice(run: Callable[..., Run]) -> None:
    first = run(beat=BEAT)
    first.until(lambda event: event["event"] == "started")
    second = run(beat=BEAT)
    second.until(lambda event: event["event"] == "ended")
    assert [row["code"] for row in second.events if row["event"] == "error"] == ["strategy_runs"]
    assert second.process.wait(10) == 6
    assert first.stop() == 0


@not_on_windows("it is killed")
def test_nobody_outlives_who_started_it(run: Callable[..., Run]) -> None:
    one = run(
        tells="""
        import os
        symbols, timers = ["600000.SH"], {"beat": "100ms"}
        def on_start(ctx):
            ctx.log(os.getpid())
        """
    )
    one.until(lambda event: event["event"] == "log")
    pid = int(one.told("tells")[0])
    one.process.kill()
    one.process.wait()
    until = time.monotonic() + 10
    while time.monotonic() < until and Path(f"/proc/{pid}").exists():
        time.sleep(0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_on_a_live_profile_somebody_has_to_say_yes(qmt: Qmt, user_config: Callable[[str], Path]) -> None:
    user_config("profiles: {live: {live: true, path: /x/userdata_mini, account: '2000000365'}}")
    Path("beat.py").write_text(BEAT)
    done = qmt("--profile", "live", "run-strategy", "beat.py", "--json")
    assert (done.status, json.loads(done.stderr)["error"]["code"]) == (6, "needs_yes")
    done = qmt("--profile", "live", "run-strategy", "beat.py", "--json", "--yes")
    assert (done.status, json.loads(done.stderr)["error"]["code"]) == (6, "no_limits")


def test_until_it_stops_of_itself(qmt: Qmt, clock: Callable[[str], None]) -> None:
    clock("2026-11-23T14:56:59+")
    Path("beat.py").write_text(BEAT)
    done = qmt("run-strategy", "beat.py", "--until", "14:57", "--json")
    assert done.status == 0, done.stderr
    told = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert told[-2:] == ["stopped", "ended"]


def test_what_is_wrong_with_a_file_is_told(qmt: Qmt) -> None:
    Path("beat.py").write_text(BEAT)
    Path("plan.yaml").write_text("strategies: [{file: beat.py, symbols: [600000]}, {file: bad.py}]")
    Path("bad.py").write_text("import sys\ndef on_tick(ctx, tick): pass\nprint(1 / 0)\n")
    done = qmt("run-strategy", "plan.yaml", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    told = {(row["strategy"], row["event"], row["code"] or row["message"]) for row in rows if row["event"] != "ended"}
    assert ("beat", "error", "code_unknown") in told
    assert ("bad", "failed", "ZeroDivisionError: division by zero") in told
    assert done.status == 2
