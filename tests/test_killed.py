"""Killed anywhere: a batch and a replacement that are killed and said again send each order once, and lose none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import CLOCK, ROOT, TERMINAL, not_on_windows, only_on_windows

KILLS = Path(__file__).with_name("kills.py")
#: runs killed at random instants, in each of the processes that are at it side by side
AT_RANDOM = {"paper": (260, 2), "live": (60, 1)}


def _told(mode: str, *words: str) -> list[dict[str, Any]]:
    path = [ROOT, TERMINAL] if mode == "live" else [ROOT]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "MACHINE_CLOCK": CLOCK}
    if mode == "paper":
        del env["MACHINE_CLOCK"]
    done = subprocess.run(
        [sys.executable, str(KILLS), mode, *words], env=env, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def _hold(mode: str, found: list[dict[str, Any]]) -> None:
    """Nothing is doubled or lost; on paper everything is known in the end, at a terminal what is not ends with 7."""
    assert [row["doubled"] for row in found if row["doubled"]] == []
    assert [row["lost"] for row in found if row["lost"]] == []
    for row in found:
        if mode == "paper":
            assert (row["unknown"], row["entries"], row["statuses"][-1]) == (0, row["wanted"], 0)
        else:
            assert (7 in row["statuses"]) == bool(row["unknown"])


@not_on_windows("it has no fork; there tests kill in another way")
@pytest.mark.parametrize("mode", AT_RANDOM)
def test_killed_at_random_instants(mode: str, tmp_path: Path, count: Callable[[str], None]) -> None:
    kills, processes = AT_RANDOM[mode]
    with ThreadPoolExecutor(processes) as pool:
        runs = [pool.submit(_told, mode, str(seed), str(kills), str(tmp_path / str(seed))) for seed in range(processes)]
        found = [row for run in runs for row in run.result()]
    _hold(mode, found)
    total, unknown = sum(row["kills"] for row in found), sum(row["unknown"] for row in found)
    count(f"{mode}: {total} runs killed at random instants, 0 orders doubled, 0 lost, {unknown} unknown")
    assert total >= kills * processes


@not_on_windows("it has no fork; there tests kill in another way")
@pytest.mark.parametrize("command", ["batch", "replace"])
@pytest.mark.parametrize("mode", AT_RANDOM)
def test_killed_at_every_step_of_the_ledger(
    mode: str, command: str, tmp_path: Path, count: Callable[[str], None]
) -> None:
    found = _told(mode, "steps", command, str(tmp_path / "steps"))
    _hold(mode, found)
    total = sum(row["kills"] for row in found)
    count(f"{mode}: {command} killed at each of {total} steps of the ledger, 0 orders doubled, 0 lost")
    assert total > 20
    # killed between the intent and the call: only a person can say what became of it
    assert any(row["unknown"] for row in found) == (mode == "live")


#: rebalancings killed at random instants, in each of the processes
REBALANCED = (105, 2)


@not_on_windows("it has no fork")
def test_a_rebalancing_killed_at_random_instants(tmp_path: Path, count: Callable[[str], None]) -> None:
    kills, processes = REBALANCED
    with ThreadPoolExecutor(processes) as pool:
        runs = [
            pool.submit(_told, "paper", "rebalance", f"{seed}:{kills}", str(tmp_path / str(seed)))
            for seed in range(processes)
        ]
        found = [row for run in runs for row in run.result()]
    assert [row for row in found if row["doubled"] or row["lost"] or row["unknown"]] == []
    assert {row["statuses"][-1] for row in found} == {0}
    # what is held in the end is what an undisturbed run brings
    assert len({json.dumps(row["holdings"], sort_keys=True) for row in found}) == 1
    total = sum(row["kills"] for row in found)
    count(
        f"paper: {total} rebalancings killed at random instants, 0 orders doubled, the holdings of an undisturbed one"
    )
    assert total >= kills * processes


ORDERS = "code,side,volume,price\n" + "600000.SH,buy,100,9.00\n" * 6


@only_on_windows("TerminateProcess")
def test_terminated_at_random_instants(tmp_path: Path, count: Callable[[str], None]) -> None:
    """One batch at a time, each begun and ended by the system again and again, then left to its end."""
    chance, kills, doubled = Random(1), 0, 0
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "qmtcli", "batch", "orders.csv", "--json"]
    for number in range(5):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "orders.csv").write_text(ORDERS)
        env["QMT_STATE"] = str(folder / "state")
        begun = time.monotonic()
        here = 0
        while here < 10:
            process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            # most of a run is its start, which sends nothing
            time.sleep(chance.uniform(0.8, 1.6))
            if process.poll() is None:
                process.kill()
                here += 1
            process.communicate()
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        listed = subprocess.run(
            [*command[:3], "orders", "--json", "--fields", "order_remark"],
            cwd=folder, env=env, capture_output=True, text=True, check=True,
        )  # fmt: skip
        remarks = Counter(row["order_remark"] for row in json.loads(listed.stdout))
        assert len(remarks) == 6
        doubled += sum(count - 1 for count in remarks.values())
        assert time.monotonic() - begun < 120
        kills += here
    count(f"{kills} runs terminated, {doubled} orders doubled, 0 lost")
    assert (kills, doubled) == (50, 0)
