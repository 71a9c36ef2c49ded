"""On Windows: the vendor's real native modules without a terminal, and commands in a batch file of cmd.exe."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import CLOCK, ROOT, Result, only_on_windows

pytestmark = only_on_windows("the vendor's native modules load there")

Qmt = Callable[..., Result]

#: a configuration whose live profile has that terminal
LIVE = "profiles:\n  live: {{live: true, path: '{}', account: '2000000365', limits: none}}\n"
QUEUES = "down_queue_*"


@pytest.fixture
def terminal(tmp_path: Path, user_config: Callable[[str], Path]) -> Path:
    """Where the terminal's folder would be: no terminal runs there, and nothing is there yet."""
    folder = tmp_path / "broker" / "userdata_mini"
    folder.parent.mkdir()
    user_config(LIVE.format(folder))
    return folder


def _check(found: Result, name: str) -> dict[str, str]:
    return next(row for row in found.json if row["check"] == name)


def test_a_missing_folder_is_not_made(terminal: Path, qmt: Qmt) -> None:
    found = qmt("login-check", "--profile", "live", "--json")
    assert (found.status, found.stderr) == (3, "")
    assert _check(found, "folder")["code"] == "no_folder"
    assert list(terminal.parent.iterdir()) == []


def test_without_a_terminal_the_real_client_is_refused(terminal: Path, qmt: Qmt) -> None:
    """Time and again with the same session id: each costs the disk 72 MiB."""
    terminal.mkdir()
    for _ in range(2):
        found = qmt("login-check", "--profile", "live", "--json")
        assert (found.status, _check(found, "connect")["code"]) == (4, "connect_failed")
        assert len(list(terminal.glob(QUEUES))) == 1
    assert qmt("positions", "--profile", "live", "--json").error["exit_status"] == 4


def test_two_processes_at_once_share_no_session_id(terminal: Path, qmt: Qmt) -> None:
    terminal.mkdir()
    command = [sys.executable, "-m", "qmtcli", "positions", "--profile", "live"]
    started = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(2)]
    for process in started:
        process.communicate()
    assert [process.returncode for process in started] == [4, 4]
    assert len(list(terminal.glob(QUEUES))) == 2


# -- the data service ------------------------------------------------------------------------------------------

#: the vendor's own, which holds no data and lives some twenty seconds
SERVICE = """
import sys
from pathlib import Path
sys.modules["requests"] = None  # it would ask for a newer version
import xtquant
from xtquant import datacenter, xtdatacenter
own = Path(xtquant.__file__).parent
datacenter.set_config_dir(str(own / "config"))
datacenter.set_data_home_dir("data")
datacenter.set_token("")
datacenter.log_init()
datacenter.start_init_quote()
datacenter.listen("127.0.0.1", {port}, {port})
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def _service(folder: Path, port: int) -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVICE.format(port=port)],
        cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line == "ready\n":
                break
        else:
            pytest.fail(f"the data service did not start: {''.join(said)}")
        yield
        process.kill()


def test_an_empty_data_service_answers_or_is_given_up(terminal: Path, qmt: Qmt, tmp_path: Path) -> None:
    terminal.mkdir()
    with _service(tmp_path, 58610):
        begun = time.monotonic()
        error = qmt("quote", "600000.SH", "--profile", "live", "--json").error
        assert error["exit_status"] in (4, 10)
        assert time.monotonic() - begun < 15


def test_without_a_data_service_there_is_no_quote(terminal: Path, qmt: Qmt) -> None:
    terminal.mkdir()
    assert qmt("quote", "600000.SH", "--profile", "live", "--json").error["exit_status"] == 4


# -- cmd.exe ---------------------------------------------------------------------------------------------------


def _batch(folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    script = folder / "trade.bat"
    script.write_text("\r\n".join(["@echo off", *lines, ""]), encoding="ascii", newline="")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "QMT_PAPER_CLOCK": CLOCK}
    return subprocess.run(["cmd.exe", "/c", str(script)], capture_output=True, text=True, env=env, check=False)


def test_a_batch_file_sees_the_exit_statuses(tmp_path: Path) -> None:
    qmt = f'"{sys.executable}" -m qmtcli'
    done = _batch(
        tmp_path,
        f"{qmt} buy 600000.SH 100 --limit 9.09 -o id",
        "echo bought %ERRORLEVEL%",
        f"{qmt} sell 600000.SH 100 --limit 9.00 >nul 2>nul || echo refused",
        f"{qmt} sell 600000.SH 100 --limit 9.00 >nul 2>nul",
        "if %ERRORLEVEL% == 5 exit /b 5",
        "exit /b 1",
    )
    assert (done.returncode, done.stdout) == (5, "1\nbought 0\nrefused\n")


def test_a_pipe_of_cmd_carries_data_from_command_to_command(tmp_path: Path) -> None:
    qmt = f'"{sys.executable}" -m qmtcli'
    done = _batch(
        tmp_path,
        f"{qmt} buy 600000.SH 100 --limit 9.00 --wait-for 0 >nul",
        f"{qmt} orders --open --json | {qmt} cancel - -o csv --fields order_id,status",
    )
    assert (done.returncode, done.stdout) == (0, "order_id,status\n1,canceled\n")
