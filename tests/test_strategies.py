"""Strategies in real time: many at once, each in its own process, and what one does to the others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import NATIVE, ROOT, TERMINAL, Result, Runner, not_on_windows
from test_reconcile import Live

from qmtcli.strategy import supervisor

Qmt = Callable[..., Result]


class Run:
    """A run of qmt and what it says."""

    def __init__(self, *words: str, path: Sequence[Path] = ()) -> None:
        """``path``: folders of modules that its processes find first."""
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT)))}
        self.events: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qmtcli", "run-strategy", *words, "--json"],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        # who waits for what never comes is told so, and does not wait for ever
        self._patience = threading.Timer(60, self.process.kill)
        self._patience.daemon = True
        self._patience.start()

    def until(self, wanted: Callable[[dict[str, Any]], bool], count: int = 1) -> None:
        """Read until so many events are as wanted."""
        for line in self.process.stdout or ():
            event = json.loads(line)
            self.events.append(event)
            count -= wanted(event)
            if not count:
                return
        said = self.process.stderr.read() if self.process.stderr is not None else b""
        raise AssertionError(f"it ended: {self.events[-5:]} {said.decode()}")

    def stop(self) -> int:
        """Stop it as Ctrl-C does; its exit status."""
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate(timeout=30)
        self._patience.cancel()
        self.events += [json.loads(line) for line in out.splitlines()]
        return self.process.returncode

    def told(self, strategy: str, event: str = "log") -> list[Any]:
        """What a strategy has said."""
        return [row["message"] for row in self.events if (row["strategy"], row["event"]) == (strategy, event)]


@pytest.fixture
def run() -> Iterator[Callable[..., Run]]:
    """Starts runs, of which none outlives its test."""
    runs: list[Run] = []

    def start(*words: str, path: Sequence[Path] = (), **files: str) -> Run:
        for name, text in files.items():
            Path(f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
        runs.append(Run(*words, *(f"{name}.py" for name in files), path=path))
        return runs[-1]

    yield start
    for each in runs:
        each._patience.cancel()
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
def test_quotes_come_by_subscription_and_a_timer_asks_for_none(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A timer looks at quotes and orders by them; what it needs to know of a code it asks for once."""
    monkeypatch.setenv("NATIVE_LOG", str(tmp_path / "native.log"))
    one = run(
        path=[NATIVE],
        looks="""
        import os
        from pathlib import Path
        from qmtcli.paper.market import IPythonApiClient
        symbols, timers, ticks = ["600000.SH"], {"look": "100ms"}, []
        def on_tick(ctx, tick):
            ticks.append(tick)
        def asked():
            calls = Path(os.environ["NATIVE_LOG"]).read_text().split()
            return [name for name in calls if hasattr(IPythonApiClient, name)]
        def on_timer(ctx, name):
            if ticks:
                ctx.quote("600000.SH")
                ctx.buy("600000.SH", 100, price="peer")
                ctx.log(*asked())
        """,
    )
    one.until(lambda event: event["event"] == "log", 12)
    assert one.stop() == 0
    calls = one.told("looks")
    assert "subscribe_quote" in calls[0] and "get_full_tick" not in calls[-1]
    assert {*calls[1:]} == {calls[1]}


@not_on_windows("Ctrl-C to one process alone")
def test_its_book_is_read_again_where_the_ledger_has_changed_and_not_before(run: Callable[..., Run], qmt: Qmt) -> None:
    one = run(
        holds="""
        from qmtcli.ledger import Ledger
        symbols, timers, read = ["600000.SH"], {"look": "100ms"}, []
        entries = Ledger.of_strategy
        Ledger.of_strategy = lambda self, name: read.append(name) or entries(self, name)
        def on_timer(ctx, name):
            ctx.book.holdings.clear()
            ctx.log(ctx.position("600000.SH").volume, len(read))
        """
    )
    one.until(lambda event: event["message"] == "0 1", 3)
    assert qmt("book", "adjust", "holds", "buy", "600000.SH", "200", "--price", "9.09").status == 0
    one.until(lambda event: event["message"] == "200 2", 3)
    assert one.stop() == 0


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


@not_on_windows("Ctrl-C to one process alone")
def test_killed_between_the_intent_and_the_call_it_is_sent_by_the_next_run(run: Callable[..., Run], qmt: Qmt) -> None:
    """On paper it is proved that it was not sent; the same id then is no order yet."""
    one = run(
        dies="""
        import os
        from qmtcli.xt.session import Session
        symbols, timers = ["600000.SH"], {"step": "200ms"}
        def on_timer(ctx, name):
            if ctx.state.setdefault("runs", 0) == 0:
                ctx.state["runs"] = 1
                Session.place = lambda self, request: os._exit(9)
            ctx.buy("600000.SH", 100, limit=9.09, id="once-{date}")
        def on_trade(ctx, trade):
            ctx.log("trade", trade.traded_volume)
        """
    )
    one.until(lambda event: event["message"] == "trade 100")
    assert one.stop() == 0
    assert [row["traded_volume"] for row in qmt("orders", "--json").json] == [100]
    assert len([row for row in one.events if row["event"] == "ended"]) == 2


@not_on_windows("Ctrl-C to one process alone")
def test_after_refusals_and_a_death_an_order_has_an_id_that_none_had(run: Callable[..., Run], qmt: Qmt) -> None:
    """What was refused before it was written leaves a gap; with an id given twice the next order would not be sent."""
    Path("plan.yaml").write_text("strategies: [{file: gaps.py, limits: {order_value: 2000}}]")
    Path("gaps.py").write_text(
        textwrap.dedent("""
        import os
        symbols, timers = ["600000.SH"], {"go": "200ms"}
        def on_timer(ctx, name):
            runs = ctx.state["runs"] = ctx.state.get("runs", 0) + 1
            if runs == 1:
                for volume in (500, 600):
                    try:
                        ctx.buy("600000.SH", volume, limit=8.5)
                    except Exception as error:
                        ctx.log(error.code)
            if runs <= 3:
                ctx.buy("600000.SH", 100, limit=8.5)
                os._exit(9)
            ctx.log("all")
        """)
    )
    one = run("plan.yaml")
    one.until(lambda event: event["message"] == "all")
    assert one.stop() == 0
    assert one.told("gaps")[:2] == ["limit_order_value"] * 2
    rows = qmt("orders", "--json").json
    assert [row["order_volume"] for row in rows] == [100, 100, 100]
    assert len({row["order_remark"] for row in rows}) == 3


@not_on_windows("Ctrl-C to one process alone")
def test_of_an_order_in_parts_those_that_went_are_told(
    run: Callable[..., Run], qmt: Qmt, user_config: Callable[[str], Path]
) -> None:
    user_config("profiles: {paper: {cash: 100000000, limits: {orders_per_day: 1}}}")
    one = run(
        parts="""
        symbols, timers, sent = ["600000.SH"], {"go": "200ms"}, []
        def on_timer(ctx, name):
            if not sent:
                sent.append(name)
                ctx.buy("600000.SH", value=13_000_000, limit=8.5)
        """
    )
    one.until(lambda event: event["event"] == "error")
    assert one.stop() == 0
    told = [(row["event"], row["order_volume"], row["code"]) for row in one.events if row["event"] in ("sent", "error")]
    (row,) = qmt("orders", "--json").json
    assert told == [("sent", row["order_volume"], None), ("error", None, "limit_orders_per_day")]
    (error,) = (row for row in one.events if row["event"] == "error")
    assert error["message"].endswith(" — see qmt limits; sells and cancels go on")


@not_on_windows("Ctrl-C to one process alone")
def test_numbers_of_trades_are_those_of_a_day(run: Callable[..., Run], qmt: Qmt) -> None:
    """Brokers begin anew each day: what has the number of a trade of yesterday's is told all the same."""
    one = run(
        days="""
        from qmtcli.xt import rows
        symbols, timers, days, trade = ["600000.SH"], {"go": "100ms"}, set(), rows.trade
        rows.trade = lambda row: trade(row)._replace(traded_id="t1", order_id="o1")
        def on_timer(ctx, name):
            if ctx.today not in days:
                days.add(ctx.today)
                ctx.buy("600000.SH", 100, price="peer")
        def on_trade(ctx, trade):
            ctx.log("trade", ctx.today)
        """
    )
    one.until(lambda event: event["event"] == "log")
    assert qmt("paper", "next-day").status == 0
    one.until(lambda event: event["event"] == "log")
    assert one.stop() == 0
    assert len({*one.told("days")}) == 2


@not_on_windows("Ctrl-C to one process alone")
def test_what_a_rate_holds_back_is_counted_in(
    run: Callable[..., Run], qmt: Qmt, user_config: Callable[[str], Path]
) -> None:
    """Two targets and more orders within a second: each waits its turn, and none is sent twice."""
    user_config("profiles: {paper: {limits: {orders_per_second: 2}}}")
    one = run(
        paced="""
        symbols, timers = ["600000.SH"], {"go": "100ms"}
        def on_timer(ctx, name):
            if ctx.state.get("done"):
                return
            ctx.state["done"] = True
            for _ in range(3):
                ctx.target("600000.SH", volume=300, price="8.50")
            for number in range(3):
                ctx.buy("600000.SH", 100, limit=8.4)
            ctx.log("sent")
        """
    )
    one.until(lambda event: event["message"] == "sent")
    assert one.stop() == 0
    rows = qmt("orders", "--json").json
    assert sorted(row["order_volume"] for row in rows) == [100, 100, 100, 300]
    sending = [row for row in qmt("log", "--json").json if row["event"] == "sending"]
    assert [row["order_volume"] for row in sending] == [300, 100, 100, 100]
    at = [datetime.fromisoformat(row["time"]) for row in sending]
    assert all(later - before >= timedelta(seconds=0.999) for before, later in zip(at, at[2:], strict=False))


LOST = {"call": "query_positions", "outcome": "disconnect before", "nth": 1}
AWAY = [{"call": "connect", "outcome": "-1", "nth": number} for number in (2, 3, 4)]
LOGGED_OUT = {"call": "query_positions", "outcome": "account status", "status": 4, "nth": 1}


@not_on_windows("Ctrl-C to one process alone")
@pytest.mark.parametrize(
    "faults", [[LOST, *AWAY], [LOST], [LOGGED_OUT]], ids=["the link", "the link, and back at once", "the login"]
)
def test_a_day_with_a_terminal(
    faults: list[dict[str, Any]],
    run: Callable[..., Run],
    qmt: Qmt,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Lost and back: told, nothing sent meanwhile, and what was missed is told afterwards."""
    (tmp_path / "faults.json").write_text(json.dumps(faults))
    monkeypatch.setenv("QMT_PAPER_FAULTS", str(tmp_path / "faults.json"))
    one = run(
        lives="""
        symbols, timers, told = ["600000.SH"], {"go": "100ms"}, []
        def on_start(ctx):
            ctx.buy("600000.SH", 100, limit=8.5, id="rests-{date}")
        def on_link(ctx, what):
            ctx.log("link", what)
            told.append(what)
            if what == "back":
                ctx.buy("600000.SH", 100, limit=9.09, id="after-{date}")
        def on_timer(ctx, name):
            if told == ["lost"]:
                ctx.buy("600000.SH", 100, limit=9.09)
            elif not told:
                ctx.positions(account=True)
        def on_order(ctx, order):
            ctx.log(order.order_remark[:5], order.status)
        """
    )
    monkeypatch.delenv("QMT_PAPER_FAULTS")
    one.until(lambda event: event["event"] == "link")
    if len(faults) > 1:  # somebody cancels while it is away, for seven seconds
        assert qmt("cancel", "--all").status == 0
    one.until(lambda event: event["message"] == "after filled")
    assert one.stop() == 0
    told = [word for word in one.told("lives") if word.startswith("link") or word.endswith("canceled")]
    assert told == ["link lost", "link back", *(["rests canceled"] if len(faults) > 1 else [])]
    assert [row["code"] for row in one.events].count("strategy_waits") > 3, "it tried meanwhile"
    # one that is refused is told once, not at each attempt
    assert len([row for row in one.events if row["hook"] == "link"]) == 1
    rows = qmt("orders", "--json").json
    assert sorted(row["order_remark"][:5] for row in rows) == ["after", "rests"]


#: the first lines of a strategy whose own waiting goes by a machine's clock that is so many times as fast
FAST = """
import time
from types import SimpleNamespace
from qmtcli.strategy import running
SPEED, zero, idle = {speed}, time.monotonic(), running.Running._idle
running.time = SimpleNamespace(
    time=time.time, sleep=time.sleep, monotonic=lambda: zero + (time.monotonic() - zero) * SPEED
)
running.Running._idle = lambda self, seconds: idle(self, seconds / SPEED)
"""


@not_on_windows("Ctrl-C to one process alone")
@pytest.mark.parametrize(
    ("where", "speed", "attempts", "least"), [("paper", 600, 84, 2_400), ("live", 6, 4, 15)], ids=["paper", "live"]
)
def test_while_the_terminal_is_away_attempts_are_few_and_nothing_is_sent(
    where: str, speed: int, attempts: int, least: int, run: Callable[..., Run], qmt: Runner, tmp_path: Path,
    quick_runs: Callable[[str], Runner], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Forty minutes on paper, a quarter of one at a terminal; then all is read before the next order."""
    faults = [LOST, *({"call": "connect", "outcome": "-1", "nth": 2 + number} for number in range(attempts))]
    words: list[str] = []
    if where == "live":
        live = Live(quick_runs("live"), qmt, tmp_path, monkeypatch, "{order_value: 50000, price_away: 10%}")
        monkeypatch.setenv("QMTCLI_PAPER", live.paper(faults, clock=""))
        monkeypatch.setenv("MACHINE_CLOCK", "2026-11-23T10:00:00+")
        monkeypatch.setenv("NATIVE_TOO", "1")
        words = ["--profile", "live", "--yes"]
    else:
        (tmp_path / "faults.json").write_text(json.dumps(faults))
        monkeypatch.setenv("QMT_PAPER_FAULTS", str(tmp_path / "faults.json"))
        monkeypatch.setenv("NATIVE_LOG", str(tmp_path / "native.log"))
    one = run(
        *words,
        path=[TERMINAL if where == "live" else NATIVE],
        lives=FAST.format(speed=speed)
        + textwrap.dedent("""
        timers, told, at = {"go": "60s" if SPEED > 100 else "1s"}, [], []
        def on_start(ctx):
            ctx.buy("600000.SH", 100, limit=8.9, id="rests-{date}")
        def on_link(ctx, what):
            told.append(what)
            at.append(running.time.monotonic())
            if what == "back":
                ctx.buy("600000.SH", 100, limit=9.09, id="after-{date}")
                ctx.log("away", int(at[-1] - at[0]))
        def on_timer(ctx, name):
            if told == ["lost"]:
                ctx.buy("600000.SH", 100, limit=9.09)
            elif not told:
                ctx.positions(account=True)
        """),
    )
    one.until(lambda event: str(event["message"]).startswith("away"))
    assert one.stop() == 0
    assert least <= int(one.told("lives")[-1].split()[1]) <= 1.5 * least
    assert [row["code"] for row in one.events].count("strategy_waits") >= (20 if where == "paper" else 5)
    assert [row["exit_status"] for row in one.events if row["event"] == "ended"] == [0], (
        "it went on, and was not begun anew"
    )
    calls = (tmp_path / "native.log").read_text().split()
    writes = [number for number, name in enumerate(calls) if name == "orderStockWithSeq"]
    assert len(writes) == 2
    back = len(calls) - calls[::-1].index("connect")
    assert back < writes[1]
    assert {"queryStockOrdersWithSeq", "queryStockTradesWithSeq"} <= {*calls[back : writes[1]]}


@not_on_windows("Ctrl-C to one process alone")
def test_quotes_that_fall_silent_are_subscribed_anew_and_it_is_told(
    run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sample's three seconds between two snapshots are half an hour here."""
    monkeypatch.setenv("NATIVE_LOG", str(tmp_path / "native.log"))
    one = run(
        path=[NATIVE],
        watched=FAST.format(speed=600)
        + textwrap.dedent("""
        symbols = ["600000.SH"]
        def on_link(ctx, what):
            ctx.log(what)
        """),
    )
    one.until(lambda event: event["message"] == "fresh", 2)
    assert one.stop() == 0
    assert one.told("watched")[:4] == ["stale", "fresh", "stale", "fresh"]
    calls = Counter((tmp_path / "native.log").read_text().split())
    assert 0 < calls["unsubscribe_quote"] < calls["subscribe_quote"]


@not_on_windows("Ctrl-C to one process alone")
def test_what_no_push_has_told_is_read(
    run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "faults.json").write_text(json.dumps([{"call": "order", "outcome": "no answer", "pushes": False}]))
    monkeypatch.setenv("QMT_PAPER_FAULTS", str(tmp_path / "faults.json"))
    one = run(
        buys=FAST.format(speed=60)
        + textwrap.dedent("""
        symbols, sent = ["600000.SH"], []
        def on_tick(ctx, tick):
            if not sent:
                sent.append(ctx.buy("600000.SH", 100, price="peer"))
        def on_order(ctx, order):
            ctx.log(order.status)
        def on_trade(ctx, trade):
            ctx.log("trade", trade.traded_volume)
        """),
    )
    one.until(lambda event: event["message"] == "trade 100")
    assert one.stop() == 0
    assert one.told("buys") == ["filled", "trade 100"]


@pytest.mark.parametrize(("status", "runs"), [(4, 15), (1, 11)], ids=["a terminal that is away", "its own mistake"])
def test_a_terminal_that_is_away_uses_up_no_starts(
    status: int, runs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fourteen times in a row is no reason to give up; a mistake is, after ten starts anew."""
    for wait in ("_FIRST_WAIT", "_LAST_WAIT"):
        monkeypatch.setattr(supervisor, wait, 0.001)
    text = f"import sys; f = open('runs', 'ab'); f.write(b'1'); sys.exit({status} if f.tell() < 15 else 0)"
    wanted = supervisor.Wanted("one", [sys.executable, "-c", text], tmp_path / "one.log", tmp_path / "one.json")
    run = supervisor.Supervisor([wanted], lambda: "now")
    ended = [event["exit_status"] for events in run.run() for event in events]
    assert ended == [status] * 14 + [0] if status == 4 else ended == [status] * 11
    assert len(ended) == runs


@not_on_windows("it is killed")
def test_the_status_of_one_whose_parent_was_killed_is_lost(run: Callable[..., Run], qmt: Qmt) -> None:
    def state() -> str:
        (row,) = qmt("run-strategy", "--status", "--json").json
        return str(row["state"])

    one = run(beat=BEAT)
    one.until(lambda event: event["event"] == "started")
    assert state() == "running"
    second = run(beat=BEAT)  # which is refused, and leaves what is told of the first alone
    second.until(lambda event: event["event"] == "ended")
    assert state() == "running"
    one.process.kill()
    one.process.wait()
    assert state() == "lost"
    third = run(beat=BEAT)
    third.until(lambda event: event["event"] == "started")
    assert (state(), third.stop(), state()) == ("running", 0, "ended")


def test_an_account_that_begins_anew_has_strategies_that_begin_anew(qmt: Qmt, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "strategies" / "paper"
    for account in ("1000000365", "1000000366"):
        (folder / account).mkdir(parents=True)
        (folder / account / "beat.state").write_text("{}")
    assert qmt("paper", "reset", "--yes").status == 0
    assert [path.parent.name for path in folder.rglob("*.state")] == ["1000000366"]


@not_on_windows("Ctrl-C to one process alone")
def test_it_is_the_account_of_the_command_line_that_it_trades_on(
    run: Callable[..., Run], qmt: Qmt, user_config: Callable[[str], Path]
) -> None:
    user_config("profiles: {paper: {accounts: ['1000000366']}}")
    one = run(
        "--account", "1000000366",
        buys="""
        symbols, sent = ["600000.SH"], []
        def on_tick(ctx, tick):
            if not sent:
                sent.append(ctx.buy("600000.SH", 100, price="peer"))
        """,
    )  # fmt: skip
    one.until(lambda event: event["event"] == "trade")
    assert one.stop() == 0
    assert len(qmt("orders", "--json", "--account", "1000000366").json) == 1
    assert qmt("orders", "--json").json == []


@not_on_windows("Ctrl-C to one process alone")
def test_what_it_prints_and_what_it_raised_is_in_its_log(run: Callable[..., Run], tmp_path: Path) -> None:
    one = run(
        prints="""
        print("at first")
        symbols = ["600000.SH"]
        def on_tick(ctx, tick):
            print("in a call")
            ctx.log("said")
            raise ValueError("its own")
        """
    )
    one.until(lambda event: event["event"] == "ended")
    one.stop()
    assert {row["event"] for row in one.events} <= {"started", "log", "failed", "ended", "link", "stopped"}
    (log,) = (tmp_path / "state" / "strategies").rglob("prints.log")
    text = log.read_text(encoding="utf-8")
    assert all(word in text for word in ("at first", "in a call", "said", "ValueError: its own", "prints.py"))


@not_on_windows("a pipe that is closed")
def test_a_closed_pipe_after_an_order_is_seven_with_its_id(run: Callable[..., Run]) -> None:
    one = run(
        buys="""
        symbols, timers, sent = ["600000.SH"], {"say": "100ms"}, []
        def on_timer(ctx, name):
            if not sent:
                sent.append(ctx.buy("600000.SH", 100, limit=8.5, id="mine-{date}"))
            ctx.log("more")
        """
    )
    one.until(lambda event: event["event"] == "sent")
    assert one.process.stdout is not None and one.process.stderr is not None
    one.process.stdout.close()
    error = json.loads(one.process.stderr.read())["error"]
    assert one.process.wait(30) == 7
    assert [text[:5] for text in error["ids"]] == ["mine-"]


def test_a_plain_script_may_call_its_callbacks_what_it_likes(tmp_path: Path) -> None:
    from qmtcli.strategy.file import is_strategy

    def found(text: str) -> bool:
        (tmp_path / "one.py").write_text(textwrap.dedent(text))
        return is_strategy(tmp_path / "one.py")

    callback = "def on_tick(datas):\n    print(datas)\n"
    assert not found(f"from xtquant import xtdata\n{callback}")
    assert found(f"from xtquant import xtdata\n{callback}\ndef on_stop(ctx): pass\n")
    assert found(callback)  # and its mistake is told
    assert found("class One:\n    def on_bar_close(self, ctx, bar): pass\n")
    assert not found("print(1)")
    assert not found("def on_tick(")


def test_until_is_a_time_of_day(qmt: Qmt) -> None:
    Path("beat.py").write_text(BEAT)
    for text in ("25:00", "5m"):
        done = qmt("run-strategy", "beat.py", "--until", text, "--json")
        assert (done.status, done.stdout, done.error["code"]) == (2, "", "bad_timer")


def test_a_state_that_cannot_be_read_is_not_an_empty_one(qmt: Qmt, tmp_path: Path) -> None:
    """It ends before anything is called; and keeping one touches no file of another's."""
    from qmtcli.strategy.running import State

    state = State(tmp_path / "beat.state")
    (tmp_path / "beat.new").write_text("another's")
    assert state.read() == {}
    state.keep({"bought": ["600000.SH"]})
    assert State(tmp_path / "beat.state").read() == {"bought": ["600000.SH"]}
    assert (tmp_path / "beat.new").read_text() == "another's"
    folder = tmp_path / "state" / "strategies" / "paper" / "1000000365"
    folder.mkdir(parents=True)
    (folder / "beat.state").write_text("{")
    Path("beat.py").write_text(BEAT)
    done = qmt("run-strategy", "beat.py", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.status, [row["code"] for row in rows if row["event"] == "error"]) == (3, ["state_unusable"])
    assert [row for row in rows if row["event"] == "log"] == []
