"""What it costs to send many orders once, and to print many rows.

Run by hand, with the Python of a fresh environment that holds qmt as users install it, on a quiet machine:

    python -m venv fresh && fresh/bin/python -m pip install . && fresh/bin/python benchmarks/batch.py

It rewrites ``batch.md`` beside it. Every round runs every case once, in another order; figures are medians. A batch is
set against a loop of `order_stock_async` over the same stand-in, which checks and writes down nothing
(``by_hand_batch.py``). Linux.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
QMT = Path(sys.executable).with_name("qmt")
FORMATS = ("json", "ndjson", "csv", "table")
#: prints so many rows of orders in a format
PRINTER = """
import sys
from qmtcli.commands.columns import ORDERS
from qmtcli.console import Console
from qmtcli.model import Order
from qmtcli.output import emit_rows
row = dict(zip(Order._fields, ("1", "1", "600000.SH", "浦发银行", "buy", 23, 100, 50, "limit", 9.0, 100, 9.0, 56,
           "filled", "", 1795399200, "2026-11-23T10:00:00+08:00", "qmt", "b1234567.1")))
console = Console(interactive=False)
console.format = sys.argv[1]
emit_rows(console, [row] * int(sys.argv[2]), Order._fields, ORDERS, "order_id", "Orders")
"""


class Run(NamedTuple):
    """One run."""

    seconds: float
    #: peak resident memory, MB
    peak: float


def run(argv: list[str], env: dict[str, str], cwd: Path) -> Run:
    """Run a program with its output thrown away."""
    launcher = (
        "import os, sys, time\n"
        "null = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)\n"
        "begun = time.perf_counter()\n"
        "_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[null]), 0)\n"
        "print(time.perf_counter() - begun, usage.ru_maxrss, status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", launcher, *argv], env=env, cwd=cwd, capture_output=True, text=True, check=True
    )
    seconds, peak, status = done.stdout.split()
    assert status == "0", done.stderr
    return Run(float(seconds), int(peak) * 1024 / 1e6)


def orders(file: Path, count: int) -> None:
    """A file of so many orders that rest."""
    lines = "".join(f"600000.SH,buy,100,{8.9 + number % 10 / 100:.2f}\n" for number in range(count))
    file.write_text(f"code,side,volume,price\n{lines}")


def batches(counts: list[int], rounds: int) -> dict[tuple[str, int], list[Run]]:
    """The runs of both, by name and number of orders."""
    found: dict[tuple[str, int], list[Run]] = {}
    for _ in range(rounds):
        cases = [(name, count) for name in ("qmt batch", "by hand") for count in counts]
        random.shuffle(cases)
        for name, count in cases:
            with tempfile.TemporaryDirectory() as folder:
                work = Path(folder)
                orders(work / "orders.csv", count)
                (work / "user.yaml").write_text("profiles: {paper: {cash: 10亿}}\n", encoding="utf-8")
                env = {
                    **os.environ,
                    "QMT_STATE": str(work / "state"),
                    "QMT_CONFIG": str(work / "user.yaml"),
                    "TZ": "Asia/Shanghai",
                }
                argv = [str(QMT), "batch", "orders.csv", "-o", "ndjson"]
                if name == "by hand":
                    argv = [sys.executable, str(HERE / "by_hand_batch.py"), str(work / "accounts"), "orders.csv"]
                found.setdefault((name, count), []).append(run(argv, env, work))
    return found


def prints(rows: int, rounds: int) -> dict[str, list[Run]]:
    """The runs that print, by format."""
    found: dict[str, list[Run]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name in random.sample(FORMATS, len(FORMATS)):
                argv = [sys.executable, "-c", PRINTER, name, str(rows)]
                found.setdefault(name, []).append(run(argv, dict(os.environ), Path(folder)))
    return found


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--rows", type=int, default=100_000)
    given = parser.parse_args()
    counts = [given.orders // 4, given.orders]
    sent, printed = batches(counts, given.rounds), prints(given.rows, given.rounds)
    load = os.getloadavg()[0]
    lines = [
        "# Many orders, many rows",
        "",
        f"Made by `benchmarks/batch.py`: medians of {given.rounds} interleaved rounds, a new process and a new account"
        f" each; Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores,"
        f" load {load:.1f}.",
        "",
        "| orders | `qmt batch` | loop of `order_stock_async` | ratio | peak of `qmt batch` | of the loop |",
        "|---|---|---|---|---|---|",
    ]
    for count in counts:
        mine, other = (
            Run(*(statistics.median(values) for values in zip(*sent[name, count], strict=True)))
            for name in ("qmt batch", "by hand")
        )
        lines.append(
            f"| {count:,} | {mine.seconds:.2f} s | {other.seconds:.2f} s | {mine.seconds / other.seconds:.2f} |"
            f" {mine.peak:.0f} MB | {other.peak:.0f} MB |"
        )
    lines += ["", f"Printing {given.rows:,} rows of orders:", "", "| format | time | peak |", "|---|---|---|"]
    for name in FORMATS:
        median = Run(*(statistics.median(values) for values in zip(*printed[name], strict=True)))
        lines.append(f"| {name} | {median.seconds:.2f} s | {median.peak:.0f} MB |")
    (HERE / "batch.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
