"""What the plan of a rebalancing of 5,000 names costs.

Run by hand, with the Python of a fresh environment that holds qmt as users install it, on a quiet machine:

    python -m venv fresh && fresh/bin/python -m pip install . && fresh/bin/python benchmarks/rebalance.py

It rewrites ``rebalance.md`` beside it. Every round plans each case once, in another order, in a process of its own;
figures are medians. Linux.
"""

from __future__ import annotations

import json
import platform
import random
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAMES, ROUNDS = 5_000, 7
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
names, share = int(sys.argv[1]), Decimal(sys.argv[2])
chance, day, found, held = random.Random(1), date(2026, 11, 23), [], Decimal(0)
for number in range(names):
    board = ("60{:04d}.SH", "00{:04d}.SZ", "30{:04d}.SZ", "688{:03d}.SH", "920{:03d}.BJ")[number % 5]
    price = Decimal(chance.randint(200, 9_000)) / 100
    volume = chance.choice([0, 1_000, 20_000])
    kind = instrument(board.format(number // 5 % 1_000))
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
    found: dict[str, list[list[float]]] = {name: [] for name in CASES}
    for _ in range(ROUNDS):
        for name in random.sample([*CASES], len(CASES)):
            argv = [sys.executable, "-c", PLAN, str(NAMES), CASES[name]]
            done = subprocess.run(argv, capture_output=True, text=True, check=True)
            found[name].append(json.loads(done.stdout))
    lines = [
        "# A plan of 5,000 names",
        "",
        f"Medians of {ROUNDS} interleaved runs, Python {platform.python_version()}. Wanted: under",
        "1 s and under 150 MB. Made by `benchmarks/rebalance.py`.",
        "",
        "| | seconds | peak MB of the process | orders |",
        "|---|---|---|---|",
    ]
    for name, runs in found.items():
        seconds, peak, orders = (statistics.median(run[place] for run in runs) for place in range(3))
        lines.append(f"| {name} | {seconds:.2f} | {peak:.0f} | {orders:,.0f} |")
    (HERE / "rebalance.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
