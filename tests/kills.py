"""Runs of qmt that are killed, each followed by the same command again: run as a program, it tells what became of all.

    python kills.py MODE SEED KILLS FOLDER
    python kills.py MODE steps COMMAND FOLDER
    python kills.py paper rebalance SEED:KILLS FOLDER

MODE is ``paper``, or ``live`` for the vendor's code over a stand-in that plays a terminal. The first form kills at
random instants until so many runs were killed, the second at each step of the ledger in turn, the third at random
instants of rebalancings. Each answer is a line of JSON: kills, orders wanted, doubled, lost, and those that are
unknown; of a rebalancing also what is held.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from dataclasses import asdict
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from qmtcli.__main__ import run
from qmtcli.backend import ledger_file
from qmtcli.config import Profile
from qmtcli.ledger import Ledger
from qmtcli.paper.settings import Settings

TERMINAL = Path(__file__).with_name("terminal")
ACCOUNT = "2000000365"
CLOCK = "2026-11-23T10:00:00"
#: when the runs on paper begin: what the market does, and so how long they take, is the same at any hour
PAPER_CLOCK = "2026-11-23T10:40:00"
#: imported before the runs are forked
IMPORTED = """
    asyncio csv sqlite3 yaml platformdirs click qmtcli.config qmtcli.console qmtcli.desk qmtcli.orders qmtcli.output
    qmtcli.symbols qmtcli.paper.market qmtcli.paper.sample qmtcli.paper.trading qmtcli.batch qmtcli.commands.batching
"""
#: what every order meets on its way: an answer that comes late, and orders that arrive late
FAULTS: list[dict[str, Any]] = [
    {"name": "1", "call": "order", "outcome": "late", "seconds": 0.02, "arrives": 0.06, "every": 3},
    {"name": "2", "call": "order", "outcome": "late", "seconds": 0.03},
    {"name": "3", "call": "cancel", "outcome": "late", "seconds": 0.02, "arrives": 0.04},
]
BATCH = """code,side,volume,price
600000.SH,buy,100,9.00
600000.SH,buy,200,9.09
510300.SH,buy,100,last
600000.SH,buy,100,9.00
000001.SZ,buy,100,peer
600000.SH,buy,300,8.95
600000.SH,buy,100,9.09
510300.SH,buy,200,down
"""
ROWS = len(BATCH.splitlines()) - 1
#: what is held the day before, and what is to be held
HELD = "code,side,volume,price\n600000.SH,buy,5000,9.09\n000001.SZ,buy,3000,peer\n688981.SH,buy,450,peer\n"
TARGETS = """code,volume
600000.SH,2100
688981.SH,0
510300.SH,70000
600519.SH,200
300750.SZ,1000
113052.SH,380
"""


class World:
    """One account, and the command that is said again and again."""

    def __init__(self, mode: str, folder: Path) -> None:
        self.mode, self.folder, self.begun = mode, folder, time.time()
        folder.mkdir(parents=True)
        (folder / "userdata_mini").mkdir()
        (folder / "batch.csv").write_text(BATCH)
        (folder / "faults.json").write_text(json.dumps(FAULTS))
        (folder / "config.yaml").write_text(
            f"profiles:\n  live:\n    live: true\n    path: {folder / 'userdata_mini'}\n    account: '{ACCOUNT}'\n"
            f"    module_path: {TERMINAL}\n    limits: none\n  paper: {{account: '{ACCOUNT}'}}\n"
        )
        self.home = folder / "terminal" if mode == "live" else folder / "state" / "paper" / "paper"
        self.env = {
            "QMT_STATE": str(folder / "state"),
            "QMT_CONFIG": str(folder / "config.yaml"),
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
        }
        if mode == "live":
            settings = Settings(
                str(self.home), ACCOUNT, clock=f"{CLOCK}+", clock_started=time.time_ns() // 1_000_000,
                faults=str(folder / "faults.json"),
            )  # fmt: skip
            self.env["QMTCLI_PAPER"] = json.dumps(asdict(settings))
        else:
            self.env["QMT_PAPER_FAULTS"] = str(folder / "faults.json")

    def start(self, *words: str, step: int = 0) -> int:
        """The process id of a run in the background, which kills itself at a step of the ledger."""
        child = os.fork()
        if child == 0:
            self._run([*words, "--profile", self.mode, *(["--yes"] if words[0] != "paper" else [])], step)
        return child

    def _run(self, words: list[str], step: int) -> NoReturn:
        os.environ.clear()
        os.environ.update(self.env)
        if self.mode == "paper":
            now = datetime.fromisoformat(PAPER_CLOCK) + timedelta(seconds=time.time() - self.begun)
            os.environ["QMT_PAPER_CLOCK"] = f"{now.isoformat(timespec='milliseconds')}+"
        os.chdir(self.folder)
        out = os.open("out.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for descriptor in (1, 2):
            os.dup2(out, descriptor)
        sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115
        if step:
            _kill_at(step)
        sys.argv = ["qmt", *words]
        run()

    def holdings(self) -> dict[str, int]:
        """Shares that the account holds, by code."""
        with sqlite3.connect(self.home / f"{ACCOUNT}.sqlite", timeout=30) as account:
            return dict(account.execute("SELECT code, volume FROM positions WHERE volume > 0"))

    def orders(self) -> Counter[str]:
        """How many orders there are by client id."""
        file = self.home / f"{ACCOUNT}.sqlite"
        with sqlite3.connect(file, timeout=30) as account:
            return Counter(row[0] for row in account.execute("SELECT remark FROM orders"))

    def entries(self) -> list[tuple[str, str, int]]:
        """(client id, state, volume) of the ledger."""
        file = ledger_file(Profile(self.mode, live=self.mode == "live", account=ACCOUNT), self.env)
        with sqlite3.connect(file, timeout=30) as ledger:
            return list(ledger.execute("SELECT client_id, state, order_volume FROM entries"))


def _kill_at(step: int) -> None:
    """Have this process killed before and, by even numbers, after so manieth statement of the ledger's."""
    real, number = Ledger._execute, 0

    def execute(self: Ledger, sql: str, *values: object) -> list[tuple[Any, ...]]:
        nonlocal number
        number += 2
        if number == step + 1:
            os.kill(os.getpid(), signal.SIGKILL)
        rows = real(self, sql, *values)
        if number == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return rows

    Ledger._execute = execute  # type: ignore[method-assign]


def killed(child: int, after: float) -> bool:
    """Whether a run was still under way after so many seconds, and is no more."""
    until = time.monotonic() + after
    while time.monotonic() < until:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.0005)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def status_of(child: int) -> int:
    """The exit status of a run."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def told(world: World, wanted: int, kills: int, statuses: list[int]) -> dict[str, Any]:
    """What became of all: ``lost`` are entries that are neither at the exchange nor said to be unknown."""
    orders, entries = world.orders(), world.entries()
    unknown = {client_id for client_id, state, _ in entries if state in ("unknown", "sending")}
    lost = [client_id for client_id, _, _ in entries if client_id not in orders and client_id not in unknown]
    return {
        "kills": kills,
        "wanted": wanted,
        "entries": len(entries),
        "doubled": sorted(client_id for client_id, count in orders.items() if count > 1),
        "lost": lost,
        "unknown": len(unknown),
        "statuses": statuses,
    }


def at_random(mode: str, seed: int, kills: int, folder: Path) -> None:
    """Batches and replaces killed at random instants; the last run of each goes to its end."""
    chance, done, number = random.Random(seed), 0, 0
    took = 0.25
    while done < kills:
        number += 1
        world, here = World(mode, folder / str(number)), 0
        for _ in range(8):
            here += killed(world.start("batch", "batch.csv", "--json"), chance.uniform(0, took))
        begun = time.monotonic()
        statuses = [status_of(world.start("batch", "batch.csv", "--json"))]
        took = max(0.05, min(0.6, (time.monotonic() - begun) * 1.2))
        order_id = _resting(world)
        if order_id is not None:
            replace = ("replace", order_id, "--limit", "8.97", "--json")
            for _ in range(4):
                here += killed(world.start(*replace), chance.uniform(0, took / 2))
            statuses.append(status_of(world.start(*replace)))
            if statuses[-1] == 7 and mode == "paper":  # a cancel that was on its way
                statuses[-1] = status_of(world.start(*replace))
        done += here
        print(json.dumps(told(world, ROWS + (order_id is not None), here, statuses)), flush=True)


def _resting(world: World) -> str | None:
    """The id of the batch's sixth order, which rests."""
    with sqlite3.connect(world.home / f"{ACCOUNT}.sqlite", timeout=30) as account:
        found = account.execute("SELECT id FROM orders WHERE remark LIKE '%.6' AND status IN (48, 49, 50)").fetchone()
    return None if found is None else str(found[0])


def at_each_step(mode: str, command: str, folder: Path) -> None:
    """A command killed at each step of the ledger in turn, until one goes to its end by itself."""
    step = 0
    while True:
        step += 1
        world = World(mode, folder / str(step))
        (world.folder / "faults.json").write_text(json.dumps(FAULTS[1:2]))
        (world.folder / "batch.csv").write_text("\n".join(BATCH.splitlines()[:3]) + "\n")
        wanted, words = 2, ("batch", "batch.csv", "--json")
        if command == "replace":
            assert status_of(world.start("buy", "600000.SH", "100", "--limit", "8.90", "--id", "rests")) in (0, 8)
            wanted, words = 2, ("replace", "1", "--limit", "8.97", "--json")
        first = status_of(world.start(*words, step=step))
        statuses = [status_of(world.start(*words))]
        if statuses[-1] == 7 and command == "replace" and mode == "paper":
            statuses.append(status_of(world.start(*words)))
        died = first == -signal.SIGKILL
        print(json.dumps(told(world, wanted, int(died), statuses)), flush=True)
        if not died:
            return


def rebalanced(seed: int, kills: int, folder: Path) -> None:
    """Rebalancings killed at random instants; the last run of each goes to its end. The first is not disturbed."""
    chance, done, number, took = random.Random(seed), 0, 0, 0.3
    command = ("rebalance", "targets.csv", "--others", "sell", "--chase", "50", "--patience", "0.2", "--json")
    while done < kills or number < 2:
        number += 1
        world, here = World("paper", folder / str(number)), 0
        (world.folder / "held.csv").write_text(HELD)
        (world.folder / "targets.csv").write_text(TARGETS)
        assert status_of(world.start("batch", "held.csv")) == 0
        assert status_of(world.start("paper", "next-day")) == 0
        for _ in range(8 if number > 1 else 0):
            here += killed(world.start(*command), chance.uniform(0, took))
        begun = time.monotonic()
        statuses = [status_of(world.start(*command))]
        if number == 1:
            took = (time.monotonic() - begun) * 1.2
        done += here
        row = told(world, 0, here, statuses)
        print(json.dumps({**row, "holdings": world.holdings()}), flush=True)


if __name__ == "__main__":
    for name in IMPORTED.split():
        import_module(name)
    how, what, count, where = sys.argv[1:]
    if what == "rebalance":
        rebalanced(*map(int, count.split(":")), Path(where))
    elif what == "steps":
        at_each_step(how, count, Path(where))
    else:
        at_random(how, int(what), int(count), Path(where))
