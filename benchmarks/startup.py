"""What it costs to start qmt: wall time and peak memory, beside the least that the same could cost.

Run by hand, with the Python of a fresh environment that holds qmt as users install it, on a quiet machine:

    python -m venv fresh && fresh/bin/python -m pip install . && fresh/bin/python benchmarks/startup.py

It rewrites ``startup.md`` beside it. Every round runs every case once, each round in another order, so that what
else the machine does meets all of them alike; the figures are medians over the rounds. On a busy machine they still
say little of single milliseconds: the table's head tells the load, and processor time stands beside wall time.
Linux and macOS.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
QMT = Path(sys.executable).with_name("qmt")
BUY = ("buy", "600000.SH", "100", "--limit", "9.09", "--json")

#: Starts a program and tells nanoseconds, processor seconds, peak resident memory and exit status. A process of its
#: own, as small as Python gets: the peak of a child is never told as less than that of the process it was forked from.
LAUNCHER = """
import os, sys, time
null = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
started = time.perf_counter_ns()
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[null]), 0)
print(time.perf_counter_ns() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, status)
"""
#: bytes in a unit of ``ru_maxrss``
RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Case(NamedTuple):
    """One line of the table."""

    title: str
    argv: tuple[str | Path, ...]


class Run(NamedTuple):
    """One run of a case."""

    #: wall time, ms
    ms: float
    #: processor time, user and system, ms
    cpu: float
    #: peak resident memory, MB (10**6 bytes)
    mb: float


class Figures(NamedTuple):
    """A case over all rounds."""

    #: wall time, ms
    median: float
    fastest: float
    #: processor time, ms, median
    cpu: float
    #: peak resident memory, MB, median
    mb: float


class Aim(NamedTuple):
    """Something the table is held to."""

    title: str
    figure: Callable[[dict[str, Figures]], float]
    most: float
    unit: str


def cases(folder: Path) -> dict[str, Case]:
    """What is run; ``folder`` keeps the accounts and the empty script."""
    python, accounts = sys.executable, folder / "by_hand"
    return {
        "pass": Case("`python -c pass`", (python, "-c", "pass")),
        "empty": Case("an empty console script", (empty_script(folder),)),
        "version": Case("**`qmt --version`**", (QMT, "--version")),
        "click": Case('`python -c "import click"`', (python, "-c", "import click")),
        "help": Case("**`qmt --help`**", (QMT, "--help")),
        "positions by hand": Case("`by_hand_positions.py`", (python, HERE / "by_hand_positions.py", accounts)),
        "positions": Case("**`qmt positions --json`**", (QMT, "positions", "--json")),
        "buy by hand": Case("`by_hand_buy.py`", (python, HERE / "by_hand_buy.py", accounts)),
        "buy": Case(f"**`qmt {' '.join(BUY)}`**", (QMT, *BUY)),
    }


AIMS = (
    Aim("`--version` over an empty console script", lambda of: of["version"].median - of["empty"].median, 3, " ms"),
    Aim("`--help` to `import click`", lambda of: of["help"].median / of["click"].median, 1.25, " ×"),
    Aim("`positions` to the script", lambda of: of["positions"].median / of["positions by hand"].median, 1.3, " ×"),
    Aim("`buy` to the script", lambda of: of["buy"].median / of["buy by hand"].median, 1.3, " ×"),
    Aim("most memory of qmt", lambda of: max(of[key].mb for key in ("version", "help", "positions", "buy")), 45, " MB"),
)


def empty_script(folder: Path) -> Path:
    """The script that pip made for qmt, over a module that does nothing."""
    (folder / "empty.py").write_text("def main():\n    return 0\n", encoding="utf-8")
    script = folder / "empty_script"
    text = QMT.read_text(encoding="utf-8").replace("from qmtcli.__main__ import run", "from empty import main")
    script.write_text(text.replace("run()", "main()"), encoding="utf-8")
    script.chmod(0o755)
    return script


def run(case: Case, folder: Path) -> Run:
    """Run a case once, as a user without any settings would. Ends the benchmark when it fails."""
    env = {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8"}
    launch = (sys.executable, "-I", "-S", "-c", LAUNCHER, *map(str, case.argv))
    done = subprocess.run(launch, env=env, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr or not done.stdout.endswith(" 0\n"):
        sys.exit(f"{case.title}: {done.stdout}{done.stderr}")
    ns, cpu, peak, _ = map(float, done.stdout.split())
    return Run(ns / 1e6, cpu * 1e3, peak * RSS_UNIT / 1e6)


def measure(rounds: int) -> dict[str, tuple[Case, Figures]]:
    """Every case, interleaved; one more round before them fills caches and opens the accounts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = cases(folder)
        for key in ("buy", "buy by hand", *table):
            run(table[key], folder)
        runs: dict[str, list[Run]] = {key: [] for key in table}
        shuffle = random.Random(0).sample
        for _ in range(rounds):
            for key in shuffle(list(table), len(table)):
                runs[key].append(run(table[key], folder))
    return {key: (table[key], _figures(runs[key])) for key in table}


def _figures(runs: list[Run]) -> Figures:
    times = [one.ms for one in runs]
    cpu, mb = (statistics.median(getattr(one, name) for one in runs) for name in ("cpu", "mb"))
    return Figures(statistics.median(times), min(times), cpu, mb)


def machine() -> str:
    """Processor, cores and system."""
    processor = platform.processor() or platform.machine()
    if sys.platform == "linux" and (found := re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())):
        processor = found[1]
    return f"{processor}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def report(found: dict[str, tuple[Case, Figures]], rounds: int, load: tuple[float, float]) -> str:
    """The Markdown of ``startup.md``."""
    figures = {key: of for key, (_, of) in found.items()}
    packages = ", ".join(f"{name} {version(name)}" for name in ("qmtcli", "xtquant", "click"))
    lines = [
        "# What it costs to start qmt",
        "",
        "Made by `benchmarks/startup.py`, whose first lines say how to make it again.",
        f"Python {platform.python_version()}; {packages}; {machine()}; {rounds} interleaved rounds;",
        f"load {load[0]:.2f} before and {load[1]:.2f} after them, of which 1 is the benchmark's own after a minute.",
        "",
        "| | wall, ms: median | fastest | processor, ms: median | peak memory, MB: median |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {case.title} | {of.median:.1f} | {of.fastest:.1f} | {of.cpu:.1f} | {of.mb:.1f} |"
            for case, of in found.values()
        ),
        "",
        "| | measured | aim | |",
        "|---|---:|---:|---|",
    ]
    for aim in AIMS:
        figure = aim.figure(figures)
        held = "held" if figure <= aim.most else "missed"
        lines.append(f"| {aim.title} | {figure:.2f}{aim.unit} | ≤ {aim.most:g}{aim.unit} | {held} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--out", type=Path, default=HERE / "startup.md")
    asked = parser.parse_args()
    before = os.getloadavg()[0]
    found = measure(asked.rounds)
    text = report(found, asked.rounds, (before, os.getloadavg()[0]))
    asked.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
