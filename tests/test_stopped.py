"""A batch that is stopped, crashes or loses its reader once it has sent: 7 with the ids, and nothing more is sent."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Result, not_on_windows

ORDERS = "code,side,volume,price,id\n" + "".join(f"600000.SH,buy,100,9.00,o{row}\n" for row in range(40))
#: one of the forty a fifth of a second
WORDS = ("batch", "job.csv", "--max-rate", "5", "--json")


def _orders(tmp_path: Path) -> list[str]:
    file = tmp_path / "state" / "paper" / "paper" / "1000000365.sqlite"
    if not file.exists():
        return []
    with sqlite3.connect(file) as account:
        return [row[0] for row in account.execute("SELECT remark FROM orders ORDER BY id")]


def _start(program: str = "") -> subprocess.Popen[bytes]:
    Path("job.csv").write_text(ORDERS)
    start = [sys.executable, "-c", program, *WORDS] if program else [sys.executable, "-m", "qmtcli", *WORDS]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(start, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _hold(process: subprocess.Popen[bytes], why: str, tmp_path: Path) -> None:
    assert process.stderr is not None
    told = process.stderr.read()
    assert process.wait(20) == 7, told
    error = json.loads(told.splitlines()[-1])["error"]
    assert (error["code"], error["exit_status"], error["why"]) == ("stopped_after_sending", 7, why)
    sent = _orders(tmp_path)
    assert 0 < len(sent) < 40
    assert set(sent) <= set(error["ids"])
    time.sleep(0.6)  # in which three more would have gone
    assert _orders(tmp_path) == sent


@not_on_windows("it sends no signals")
@pytest.mark.parametrize(("number", "why"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "Terminated")])
def test_interrupted(number: signal.Signals, why: str, tmp_path: Path) -> None:
    with _start() as process:
        assert process.stdout is not None and process.stdout.readline()
        process.send_signal(number)
        _hold(process, why, tmp_path)


def test_a_reader_who_leaves(tmp_path: Path) -> None:
    with _start() as process:
        assert process.stdout is not None and process.stdout.readline()
        process.stdout.close()
        _hold(process, "BrokenPipeError" if os.name != "nt" else "OSError", tmp_path)


CRASH = """
from qmtcli.commands import batching
real, count = batching._row, 0
def row(*words):
    global count
    count += 1
    if count == 3:
        raise RuntimeError("a bug")
    return real(*words)
batching._row = row
from qmtcli.__main__ import run
run()
"""


def test_a_crash(tmp_path: Path) -> None:
    with _start(CRASH) as process:
        _hold(process, "RuntimeError", tmp_path)


def test_after_it_was_stopped_it_goes_on(tmp_path: Path, quick_qmt: Callable[..., Result]) -> None:
    with _start(CRASH) as process:
        assert process.wait(20) == 7
    sent = len(_orders(tmp_path))
    done = quick_qmt("batch", "job.csv", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.status, len(rows), sum(row["replayed"] for row in rows)) == (0, 40, sent)
    assert sorted(_orders(tmp_path)) == sorted(f"o{row}" for row in range(40))
