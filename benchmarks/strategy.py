"""What a strategy costs: its timer beside others, from a tick to the order, replay, and replay beside a backtester.

Run by hand, with the Python of a fresh environment that holds qmt as users install it and the backtester, on a quiet
machine, with the folder of real market data (tick/600519.SH_20230207_tick.csv.gz) as its argument:

    python -m venv fresh && fresh/bin/python -m pip install ".[replay]" backtrader
    fresh/bin/python benchmarks/strategy.py ../shared/data

It rewrites ``strategy.md`` beside it. Linux.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import platform
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SHANGHAI = timezone(timedelta(hours=8))
TIMER_SECONDS, ORDERS, ROUNDS = 60, 1_000, 5
#: trading days that the real day is repeated on
DAYS = [date(2023, 2, 7) + timedelta(days=number) for number in range(100) if number % 7 < 4]
CODE = "600519.SH"

# -- timer -------------------------------------------------------------------------------------------------

BEAT = """
import time
from pathlib import Path
symbols, timers, beats = ["600000.SH"], {"beat": "100ms"}, []
def on_timer(ctx, name):
    beats.append(time.monotonic())
def on_stop(ctx):
    Path("beats").write_text("\\n".join(map(str, beats)))
"""
OTHERS = {
    "sleeps": "import time\nsymbols = ['600000.SH']\ndef on_tick(ctx, tick):\n    time.sleep(10)\n",
    "raises": "symbols = ['600000.SH']\ndef on_tick(ctx, tick):\n    raise ValueError('its own')\n",
    "dies": "import os\nsymbols = ['600000.SH']\ndef on_tick(ctx, tick):\n    os._exit(9)\n",
}
#: keeps the beat by sleeping, for so many seconds
BARE = """
import sys, time
due = begun = time.monotonic()
while due < begun + float(sys.argv[1]):
    due += 0.1
    time.sleep(max(0.0, due - time.monotonic()))
    print(time.monotonic())
"""


def timer(work: Path) -> list[str]:
    """A timer of 100 ms beside three strategies that misbehave, and beside it a bare loop."""
    (work / "beat.py").write_text(BEAT)
    for name, text in OTHERS.items():
        (work / f"{name}.py").write_text(text)
    words = ["run-strategy", "beat.py", *(f"{name}.py" for name in OTHERS), "--json"]
    with (work / "events").open("w") as events:
        run = subprocess.Popen(_qmt(*words), cwd=work, env=_env(work), stdout=events)
        time.sleep(3)
        bare = subprocess.run([sys.executable, "-c", BARE, str(TIMER_SECONDS)], capture_output=True, text=True)
        run.send_signal(signal.SIGINT)
        run.wait()
    told = [json.loads(line) for line in (work / "events").read_text().splitlines()]
    ended = {name: sum(row["event"] == "ended" and row["strategy"] == name for row in told) for name in OTHERS}
    loop = [float(line) for line in bare.stdout.split()]
    beats = [at for at in map(float, (work / "beats").read_text().split()) if loop[0] <= at <= loop[-1]]
    ours, theirs = _lateness(beats), _lateness(loop)
    lines = [
        f"## A timer of 100 ms beside others, {TIMER_SECONDS} s",
        "",
        "One strategy sleeps 10 s at every tick, one raises, one ends its process (they ended"
        f" {ended['raises']} and {ended['dies']} times and were begun anew), and a bare loop of `time.sleep` keeps the"
        " same beat. How late a beat is, in ms. Wanted: at the 99th percentile within 20 ms of the loop.",
        "",
        "| | beats | median | 99th percentile | latest |",
        "|---|---|---|---|---|",
    ]
    for name, late in (('`timers = {"beat": "100ms"}`', ours), ("bare loop", theirs)):
        lines.append(f"| {name} | {len(late)} | {_at(late, 50):.2f} | {_at(late, 99):.2f} | {max(late):.2f} |")
    return [*lines, "", f"Difference at the 99th percentile: {_at(ours, 99) - _at(theirs, 99):.2f} ms."]


def _lateness(beats: Sequence[float]) -> list[float]:
    """How late each beat is, ms, by the earliest of them."""
    off = [at - beats[0] - 0.1 * round((at - beats[0]) / 0.1) for at in beats]
    return [1000 * (each - min(off)) for each in off]


# -- tick to order -----------------------------------------------------------------------------------------

#: orders at every tick; writes how long it took from the tick's arrival to the native call, and bare commits between
ORDER = """
import json, os, sqlite3, time
from pathlib import Path
from qmtcli.paper.trading import XtQuantAsyncClient
from qmtcli.strategy.running import Running
symbols, took, commits, begun = ["600000.SH"], [], [], 0.0
bare = sqlite3.connect(Path("bare.sqlite"), isolation_level=None)
bare.execute("PRAGMA journal_mode=WAL")
bare.execute("PRAGMA synchronous=FULL")
bare.execute("CREATE TABLE one (at INTEGER, text TEXT)")
native, tick = XtQuantAsyncClient.orderStockWithSeq, Running._tick
def order(self, *arguments):
    took.append(time.perf_counter() - begun)
    return native(self, *arguments)
def came(self, *arguments):
    global begun
    begun = time.perf_counter()
    return tick(self, *arguments)
XtQuantAsyncClient.orderStockWithSeq, Running._tick = order, came
def on_tick(ctx, tick):
    if len(took) < COUNT:
        ctx.buy("600000.SH", 100, limit=8.50)
    before = time.perf_counter()
    bare.execute("INSERT INTO one VALUES (?, ?)", (tick.time, "x" * 400))
    commits.append(time.perf_counter() - before)
    if len(took) == COUNT:
        Path("took").write_text(json.dumps([took, commits]))
        ctx.log("enough")
"""


def order(work: Path) -> list[str]:
    """From a tick to the native order call, and what a commit costs between two of them."""
    _write_fast_tape(work / "tapes")
    (work / "user.yaml").write_text(json.dumps({
        "profiles": {"paper": {"market": str(work / "tapes"), "hours": "exchange", "cash": 1_000_000_000}}
    }))  # fmt: skip
    (work / "orders.py").write_text(ORDER.replace("COUNT", str(ORDERS)))
    env = {**_env(work), "QMT_PAPER_CLOCK": "2026-11-23T10:00:00+"}
    run = subprocess.Popen(
        _qmt("run-strategy", "orders.py", "--json"), cwd=work, env=env, stdout=subprocess.PIPE, text=True
    )
    for line in run.stdout or ():
        if json.loads(line)["message"] == "enough":
            break
    run.send_signal(signal.SIGINT)
    run.communicate()
    took, commits = ([1000 * each for each in rows] for rows in json.loads((work / "took").read_text()))
    lines = [
        f"## From a tick to the order, {len(took):,} orders on paper",
        "",
        "From the tick's arrival in the strategy's process to the native order call, the checks and the durable write"
        " of the intent included, ms; between them, in the same process and on the same disk, a bare commit of SQLite"
        " (WAL, synchronous=FULL, one row). Wanted: at the 99th percentile under 2 ms beyond the commit.",
        "",
        "| | median | 99th percentile |",
        "|---|---|---|",
    ]
    for name, rows in (("tick to order", took), ("a bare commit", commits)):
        lines.append(f"| {name} | {_at(rows, 50):.2f} | {_at(rows, 99):.2f} |")
    return [*lines, "", f"Difference at the 99th percentile: {_at(took, 99) - _at(commits, 99):.2f} ms."]


def _write_fast_tape(folder: Path) -> None:
    """Forty snapshots a second of one code."""
    folder.mkdir()
    moment = datetime(2026, 11, 23, 9, 59, 59)
    rows = []
    for number in range(40 * 120):
        at = moment + timedelta(milliseconds=25 * number)
        row: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds"), "lastPrice": 9.0, "open": 9.0, "high": 9.0, "low": 9.0,
            "lastClose": 9.0, "pvolume": 1_000_000 + number, "amount": 9_000_000, "openInt": 13,
        }  # fmt: skip
        for place in range(1, 6):
            row |= {f"askPrice{place}": 9 + place / 100, f"askVol{place}": 100_000}
            row |= {f"bidPrice{place}": 9 - place / 100, f"bidVol{place}": 100_000}
        rows.append(row)
    with (folder / "600000.SH_20261123_tick.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    (folder / "instruments.csv").write_text("code,levels\n600000.SH,shares\n")


# -- replay ------------------------------------------------------------------------------------------------

EMPTY = f"symbols = ['{CODE}']\ndef on_tick(ctx, tick):\n    pass\n"
#: in above, out below, by the closes of five-minute bars
CROSS = f"""
symbols, period, closes = ["{CODE}"], "5m", []
def on_bar_close(ctx, bar):
    closes.append(bar.close)
    if len(closes) < 20:
        return
    fast, slow = sum(closes[-5:]) / 5, sum(closes[-20:]) / 20
    held = ctx.position("{CODE}")
    if fast > slow and not held.volume:
        ctx.buy("{CODE}", 100, price="peer")
    elif fast < slow and held.can_use_volume:
        ctx.sell("{CODE}", "all", price="peer")
"""
#: the same in a backtester; prints bars, seconds, orders, and the money at the end
BACKTRADER = """
import csv, json, sys, time
from datetime import datetime
import backtrader as bt
class Cross(bt.Strategy):
    def __init__(self):
        self.fast, self.slow = bt.ind.SMA(period=5), bt.ind.SMA(period=20)
        self.sent = 0
    def next(self):
        if self.fast > self.slow and not self.position:
            self.buy(size=100)
            self.sent += 1
        elif self.fast < self.slow and self.position:
            self.close()
            self.sent += 1
begun = time.perf_counter()
brain = bt.Cerebro(stdstats=False)
brain.adddata(bt.feeds.GenericCSVData(dataname=sys.argv[1], dtformat="%Y-%m-%d %H:%M:%S", openinterest=-1,
              timeframe=bt.TimeFrame.Minutes, compression=5))
brain.addstrategy(Cross)
brain.broker.setcash(1_000_000)
brain.broker.setcommission(commission=0.00025)
(run,) = brain.run()
print(json.dumps([len(run.data), time.perf_counter() - begun, run.sent, brain.broker.getvalue()]))
"""


def replay(work: Path, data: Path) -> list[str]:
    """Replay through an empty ``on_tick`` and of a strategy, and the latter in a backtester."""
    bars = _write_days(work, data)
    (work / "empty.py").write_text(EMPTY)
    (work / "cross.py").write_text(CROSS)
    cases = {"empty": _replay, "cross": _replay, "backtrader": lambda work, name: _backtrader(work, bars)}
    _replay(work, "empty")  # makes the index
    found: dict[str, list[list[float]]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name in random.sample([*cases], len(cases)):
            found[name].append(cases[name](work, name))
    empty, cross, other = ([statistics.median(column) for column in zip(*runs, strict=True)] for runs in found.values())
    return [
        f"## Replay, {len(DAYS)} days of {empty[0] / len(DAYS):,.0f} snapshots",
        "",
        f"One real day of {CODE}, repeated; medians of {ROUNDS} interleaved rounds, a process each. The index of the"
        " tape was there. Wanted: 100,000 ticks a second through an empty `on_tick`.",
        "",
        "| | snapshots | replay | ticks a second | the whole process |",
        "|---|---|---|---|---|",
        f"| empty `on_tick` | {empty[0]:,.0f} | {empty[1]:.2f} s | {empty[0] / empty[1]:,.0f} | {empty[4]:.2f} s |",
        f"| averages that cross, 5m | {cross[0]:,.0f} | {cross[1]:.2f} s | {cross[0] / cross[1]:,.0f}"
        f" | {cross[4]:.2f} s |",
        "",
        "## Beside a backtester",
        "",
        "The same averages (5 and 20 closes of five minutes, 100 shares, in above, out below) in one run of backtrader,"
        " which is handed the five-minute bars of these days ready-made and knows no book, no T+1, no lots and no"
        " ledger: it fills at the next bar's open. qmt is given the snapshots, makes the bars, sends orders through"
        " its checks and its ledger to an exchange with five levels and a queue.",
        "",
        "| | given | time | a snapshot or bar | orders | money at the end |",
        "|---|---|---|---|---|---|",
        f"| qmt | {cross[0]:,.0f} snapshots | {cross[1]:.2f} s | {1e6 * cross[1] / cross[0]:.1f} µs"
        f" | {cross[2]:.0f} | {cross[3]:,.2f} |",
        f"| backtrader | {other[0]:,.0f} bars | {other[1]:.2f} s | {1e6 * other[1] / other[0]:.1f} µs"
        f" | {other[2]:.0f} | {other[3]:,.2f} |",
    ]


def _write_days(work: Path, data: Path) -> Path:
    """The real day on every day, as tapes; its bars of five minutes as a table, whose file it answers."""
    with gzip.open(data / "tick" / "600519.SH_20230207_tick.csv.gz", "rt") as file:
        rows = [*csv.DictReader(file)]
    tapes = work / "past"
    tapes.mkdir()
    first = DAYS[0]
    for day in DAYS:
        shift = (day - first).days
        with (tapes / f"{CODE}_{day:%Y%m%d}_tick.csv").open("w", newline="") as out:
            writer = csv.DictWriter(out, [name for name in rows[0] if name != "stime"], extrasaction="ignore")
            writer.writeheader()
            writer.writerows({**row, "time": int(row["time"]) + 86_400_000 * shift} for row in rows)
    (tapes / "instruments.csv").write_text(f"code,levels\n{CODE},shares\n")
    (work / "past.yaml").write_text(json.dumps({"profiles": {"paper": {"market": str(tapes), "hours": "exchange"}}}))
    day_bars = _five_minutes(rows)
    bars = work / "bars.csv"
    with bars.open("w", newline="") as out:
        table = csv.writer(out)
        table.writerow(("at", "open", "high", "low", "close", "volume"))
        for day in DAYS:
            table.writerows((f"{day} {at}:00", *values) for at, *values in day_bars)
    return bars


def _five_minutes(rows: Sequence[dict[str, str]]) -> list[tuple[Any, ...]]:
    """(end, open, high, low, close, volume) of the day's bars of five minutes."""
    found: dict[str, list[Any]] = {}
    before = 0
    for row in rows:
        price, volume = float(row["lastPrice"]), int(row["pvolume"])
        if not price:
            continue
        at = datetime.fromtimestamp(int(row["time"]) / 1000, SHANGHAI)
        minute = at.hour * 60 + at.minute
        end = max(575, min(690 if minute < 781 else 900, (minute // 5 + 1) * 5))
        bar = found.setdefault(f"{end // 60:02d}:{end % 60:02d}", [price, price, price, price, 0])
        bar[1], bar[2], bar[3] = max(bar[1], price), min(bar[2], price), price
        bar[4] += volume - before
        before = volume
    return [(at, *values) for at, values in found.items()]


def _replay(work: Path, name: str) -> list[float]:
    """(snapshots, seconds of the replay, orders, money at the end, seconds of the process)."""
    env = {**_env(work), "QMT_CONFIG": str(work / "past.yaml")}
    words = ("run-strategy", f"{name}.py", "--replay", f"{DAYS[0]}:{DAYS[-1]}", "--json")
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _TIMED, *words], cwd=work, env=env, capture_output=True, text=True)
    whole = time.perf_counter() - begun
    row = json.loads(done.stdout)
    return [row["ticks"], float((work / "seconds").read_text()), row["orders"], row["final_asset"], whole]


#: qmt, which writes down how long the replay itself took
_TIMED = """
import sys
from pathlib import Path
from qmtcli.__main__ import main
from qmtcli.strategy.replay import Replay
run = Replay.run
def timed(self, *days):
    found = run(self, *days)
    Path('seconds').write_text(str(self.seconds))
    return found
Replay.run = timed
sys.exit(main(sys.argv[1:]))
"""


def _backtrader(work: Path, bars: Path) -> list[float]:
    """(bars, seconds, orders, money at the end, seconds of the process)."""
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", BACKTRADER, str(bars)], capture_output=True, text=True, check=True)
    return [*json.loads(done.stdout), time.perf_counter() - begun]


# -- all ---------------------------------------------------------------------------------------------------


def _qmt(*words: str) -> list[str]:
    return [sys.executable, "-m", "qmtcli", *words]


def _env(work: Path) -> dict[str, str]:
    config = work / "user.yaml"
    if not config.exists():
        config.write_text("profiles: {paper: {}}\n")
    return {**os.environ, "QMT_STATE": str(work / "state"), "QMT_CONFIG": str(config)}


def _at(rows: Sequence[float], percentile: int) -> float:
    return sorted(rows)[min(len(rows) - 1, len(rows) * percentile // 100)]


def main() -> None:
    """Measure, and write the page."""
    data, before = Path(sys.argv[1]).resolve(), os.getloadavg()[0]
    parts = []
    for part in (timer, order, lambda work: replay(work, data)):
        with tempfile.TemporaryDirectory() as folder:
            parts += ["", *part(Path(folder))]
    lines = [
        "# Strategies",
        "",
        f"Made by `benchmarks/strategy.py`, whose first lines say how to make it again; Python"
        f" {platform.python_version()}, Linux {platform.machine()}, {os.cpu_count()} cores; load"
        f" {before:.2f} before and {os.getloadavg()[0]:.2f} after.",
        *parts,
    ]
    (HERE / "strategy.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
