"""What a rebalancing of 5,000 names costs: its plan, and the whole command that makes it.

Run by hand, with the Python of a fresh environment that holds qmt as users install it, on a quiet machine:

    python -m venv fresh && fresh/bin/python -m pip install . && fresh/bin/python benchmarks/rebalance.py

It rewrites ``rebalance.md`` beside it. Every round does each case once, the plans in another order each time, in a
process of its own; figures are medians. Linux.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NAMES, ROUNDS, COMMAND_ROUNDS = 5_000, 7, 5
DAY, AT = "20261123", "2026-11-23T10:00:02"
#: codes of the boards, by a number from 0
BOARDS = ("60{:04d}.SH", "00{:04d}.SZ", "30{:04d}.SZ", "688{:03d}.SH", "920{:03d}.BJ")
#: what there is of the money that all targets take
CASES = {"enough money": "1", "half of it": "0.5", "a tenth": "0.1"}
#: plans once; prints seconds of the plan, and the peak of the process in MB
PLAN = """
import json, random, resource, sys, time
from datetime import date
from decimal import Decimal
from qmtcli.model import Side
from qmtcli.orders import Market
from qmtcli.rebalance.plan import Holding, Name, Terms, plan
from qmtcli.rebalance.targets import Target, Unit
from qmtcli.rules.boards import instrument
from qmtcli.rules.settings import DEFAULT_SCHEDULE
names, share, boards = int(sys.argv[1]), Decimal(sys.argv[2]), sys.argv[3:]
chance, day, found, held = random.Random(1), date(2026, 11, 23), [], Decimal(0)
for number in range(names):
    price = Decimal(chance.randint(200, 9_000)) / 100
    volume = chance.choice([0, 1_000, 20_000])
    kind = instrument(boards[number % 5].format(number // 5 % 1_000))
    target = Target(number + 2, kind.code, Unit.WEIGHT, Decimal("0.0002"))
    found.append(Name(Market(kind, None, day), Holding(volume, volume), target, price, price))
    held += price * volume
capital = held * 2
terms = Terms(capital, capital * share, DEFAULT_SCHEDULE)
begun = time.perf_counter()
rows = plan(found, terms)
seconds = time.perf_counter() - begun
orders = sum(row.volume > 0 for row in rows)
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, orders]))
"""


def main() -> None:
    """Measure, and write the page."""
    before = os.getloadavg()[0]
    plans, commands = _plans(), _commands()
    lines = [
        "# A rebalancing of 5,000 names",
        "",
        "Made by `benchmarks/rebalance.py`, whose first lines say how to make it again. Medians of interleaved runs,",
        f"{ROUNDS} of the plan and {COMMAND_ROUNDS} of the command; Python {platform.python_version()},"
        f" {platform.machine()}, {os.cpu_count()} cores;",
        f"load {before:.2f} before and {os.getloadavg()[0]:.2f} after them, of which 1 is the benchmark's own.",
        "",
        *plans,
        "",
        *commands,
    ]
    (HERE / "rebalance.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _plans() -> list[str]:
    found: dict[str, list[list[float]]] = {name: [] for name in CASES}
    for _ in range(ROUNDS):
        for name in random.sample([*CASES], len(CASES)):
            argv = [sys.executable, "-c", PLAN, str(NAMES), CASES[name], *BOARDS]
            done = subprocess.run(argv, capture_output=True, text=True, check=True)
            found[name].append(json.loads(done.stdout))
    lines = [
        "The plan alone, of names whose prices and holdings are known. Wanted: under 1 s and under 150 MB.",
        "",
        "| | seconds | peak MB of the process | orders |",
        "|---|---|---|---|",
    ]
    for name, runs in found.items():
        seconds, peak, orders = (statistics.median(run[place] for run in runs) for place in range(3))
        lines.append(f"| {name} | {seconds:.2f} | {peak:.0f} | {orders:,.0f} |")
    return lines


def _commands() -> list[str]:
    found: dict[str, list[tuple[float, float, float, int]]] = {"the first": [], "every later one": []}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        _make_market(work)
        for number in range(COMMAND_ROUNDS):
            for runs in found.values():
                runs.append(_check(work, work / f"state{number}"))
    lines = [
        "The whole command, `qmt rebalance targets.csv --check -o csv`: an account that holds nothing, weights of",
        "0.0002, a folder of tapes with one quote of each code, all in one process on paper. What a terminal's data",
        "service takes for its answers (one quote of all, then of each code two details and whether it is an ex-date)",
        "comes on top. The first run over a folder reads its 5,000 files.",
        "",
        "| run over the folder | seconds | of the processor | peak MB of the process | orders |",
        "|---|---|---|---|---|",
    ]
    for name, runs in found.items():
        seconds, processor, peak, orders = (statistics.median(run[place] for run in runs) for place in range(4))
        lines.append(f"| {name} | {seconds:.1f} | {processor:.1f} | {peak:.0f} | {orders:,.0f} |")
    return lines


def _make_market(work: Path) -> None:
    """Targets, tapes and a profile over them."""
    chance, tapes = random.Random(1), work / "tapes"
    tapes.mkdir()
    codes = [BOARDS[number % 5].format(number // 5 % 1_000) for number in range(NAMES)]
    for code in codes:
        row = _quote(chance.randint(200, 9_000) / 100)
        with (tapes / f"{code}_{DAY}_tick.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, row)
            writer.writeheader()
            writer.writerow(row)
    (tapes / "instruments.csv").write_text("code,levels\n" + "".join(f"{code},shares\n" for code in codes))
    (work / "targets.csv").write_text("code,weight\n" + "".join(f"{code},0.0002\n" for code in codes))
    profile = {"market": str(tapes), "hours": "exchange", "cash": 1_000_000_000}
    (work / "user.yaml").write_text(json.dumps({"profiles": {"paper": profile}}))


def _quote(price: float) -> dict[str, Any]:
    row: dict[str, Any] = {
        "time": "2026-11-23T10:00:00.000", "lastPrice": price, "open": price, "high": price, "low": price,
        "lastClose": price, "pvolume": 1_000_000, "amount": 1e7, "openInt": 13,
    }  # fmt: skip
    for place in range(1, 6):
        row |= {f"bidPrice{place}": round(price - place / 100, 2), f"bidVol{place}": 200_000}
        row |= {f"askPrice{place}": round(price + place / 100, 2), f"askVol{place}": 200_000}
    return row


def _check(work: Path, state: Path) -> tuple[float, float, float, int]:
    """(seconds, those of the processor, peak MB, orders that are planned) of one run."""
    env = {**os.environ, "QMT_STATE": str(state), "QMT_CONFIG": str(work / "user.yaml"), "QMT_PAPER_CLOCK": AT}
    argv = [sys.executable, "-m", "qmtcli", "rebalance", "targets.csv", "--check", "-o", "csv"]
    with (work / "told.csv").open("w+", encoding="utf-8") as told:
        begun = time.perf_counter()
        with subprocess.Popen(argv, cwd=work, env=env, stdout=told) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - begun
        told.seek(0)
        rows = [*csv.DictReader(told)]
    assert process.returncode == 11 and len(rows) == NAMES, f"status {process.returncode}, {len(rows)} rows"
    planned = sum(row["order_volume"] != "0" for row in rows)
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, planned


if __name__ == "__main__":
    main()
