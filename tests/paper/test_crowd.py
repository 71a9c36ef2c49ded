"""Sixteen processes trade on one account, some are killed: nothing is lost or doubled, every push comes once."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from conftest import ROOT
from scripted import audit

from qmtcli.paper.codes import BUY, JUNK, REPORTED
from qmtcli.paper.counter import NewOrder
from qmtcli.paper.exchange import Exchange
from qmtcli.paper.settings import Settings
from qmtcli.paper.store import Order, Trade

#: fewer where a process and a lock are slow
PROCESSES, KILLED, ORDERS = (6, 2, 60) if os.name == "nt" else (16, 5, 200)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    started = time.time_ns() // 1_000_000
    return Settings(str(tmp_path), clock="2026-11-23T10:00:00+", clock_started=started, cash=100_000_000)


def test_a_crowd_on_one_account(settings: Settings, tmp_path: Path, count: Callable[[str], None]) -> None:
    exchange = Exchange(settings)
    first_event = exchange.store.last_event()
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])}
    program = str(Path(__file__).with_name("crowd.py"))
    crowd, logs = [], []
    for number in range(PROCESSES):
        logs.append(tmp_path / f"{number}.log")
        command = [sys.executable, program, json.dumps(asdict(settings)), f"p{number}", str(ORDERS)]
        with logs[-1].open("w") as log:
            crowd.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, env=env, text=True))
    chance = random.Random(7)
    try:
        _until(lambda: all(log.read_text().startswith("ready") for log in logs))
        for process in crowd:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        # each of the first is killed at a moment of its own, somewhere in its orders
        for process, log in zip(crowd[:KILLED], logs, strict=False):
            after = chance.randrange(10, ORDERS - 20)
            _until(lambda log=log, after=after: f"sent {after}\n" in log.read_text())
            time.sleep(chance.random() / 100)
            process.kill()
        _until(lambda: all(_answers(log)[1] == ORDERS for log in logs[KILLED:]))
        end, _ = exchange.place(NewOrder("600000.SH", BUY, 100, 11, 8.60, "crowd", "end", 1, 1))
        for process in crowd:
            process.wait(60)
    finally:
        for process in crowd:
            process.kill()
            process.wait()
    assert [process.returncode for process in crowd[KILLED:]] == [0] * (PROCESSES - KILLED)
    assert all(process.returncode for process in crowd[:KILLED])

    # nothing lost, nothing doubled
    orders = {order.remark: order for order in exchange.store.select(Order)}
    assert max(Counter(order.remark for order in exchange.store.select(Order)).values()) == 1
    for number, log in enumerate(logs):
        answers, _ = _answers(log)
        for n, order_id in answers.items():
            assert orders[f"p{number}-{n}"].id == order_id
        # the last line of one that was killed may be cut
        lines = [line.split() for line in log.read_text().splitlines() if line.startswith("sent ")]
        sent = {int(line[1]) for line in lines if len(line) == 2}
        unanswered = {n for n in range(ORDERS) if f"p{number}-{n}" in orders} - set(answers)
        assert unanswered <= sent - set(answers) and len(unanswered) <= 1
    audit(exchange)

    # every survivor saw every push, once, in order
    happened = [row for _, kind, body in exchange.store.events(first_event) for row in _pushes(kind, body)]
    last = happened.index(["order", end, 50, 0])
    for log in logs[KILLED:]:
        seen = json.loads(log.read_text().splitlines()[-1])
        assert seen[: last + 1] == happened[: last + 1]
    count(f"crowd: {len(orders)} orders, {len(happened)} pushes to each of {PROCESSES - KILLED} survivors")
    assert len(orders) >= ORDERS * (PROCESSES - KILLED)
    assert exchange.store.select(Trade)
    exchange.store.close()


def _pushes(kind: str, body: dict[str, list[object]]) -> list[list[object]]:
    """What a client hears of an event."""
    if kind not in ("order", "order_error", "fill"):
        return []
    order = Order(*body["order"])  # type: ignore[arg-type]
    row: list[object] = ["order", order.id, order.status, order.traded]
    if kind == "fill":
        return [["fill", body["trade"][0]], row]
    if kind == "order_error":
        return [["order_error", order.id], row]
    # before and with its number; the row of one that is turned away comes after its error
    return {REPORTED: [row, row], JUNK: []}.get(order.status, [row])


def _answers(log: Path) -> tuple[dict[int, int], int]:
    """(order ids by number, how many answers) of a process's log."""
    lines = [line.split() for line in log.read_text().splitlines() if line.startswith("answer ")]
    found = {int(line[1]): int(line[2]) for line in lines if len(line) == 3}
    return found, len(found)


def _until(holds: object) -> None:
    deadline = time.monotonic() + 120
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)
