"""``login-check``: what it looks at, in which order, what it says of each, and which terminals it finds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from conftest import CLOCK, TERMINAL, Result, Runner, not_on_windows

from qmtcli.__main__ import main
from qmtcli.console import Console
from qmtcli.errors import ConfigError, NotConnected
from qmtcli.paper.settings import Settings
from qmtcli.xt import copies, diagnose, discover, machine
from qmtcli.xt.diagnose import Plan, checks
from qmtcli.xt.discover import Terminal
from qmtcli.xt.machine import Disk, Process
from qmtcli.xt.session import Session

NAMES = (
    *("configuration", "python", "folder", "writable", "administrator", "disk", "permission", "terminal", "module"),
    *("interface", "session", "connect", "accounts", "status", "subscribe", "asset", "data", "tick", "clock"),
    "trading_day",
)


class Live:
    """``login-check`` of a live profile on a folder."""

    def __init__(self, qmt: Runner, folder: Path, user_config: Callable[[str], Path]) -> None:
        self._qmt, self.folder, self._config = qmt, folder, user_config

    def run(self, path: Path, *words: str, account: str = "2000000365", faults: list[Any] | None = None) -> Result:
        self._config(
            f"default: live\nprofiles:\n  live:\n    live: true\n    path: {path}\n    account: '{account}'\n"
            f"    module_path: {TERMINAL}\n"
        )
        script = self.folder / "faults.json"
        script.write_text(json.dumps(faults or []))
        settings = Settings(
            str(self.folder / "account"), "2000000365", clock=CLOCK, clock_started=0, faults=str(script)
        )
        return self._qmt("login-check", "--json", *words, env={"QMTCLI_PAPER": json.dumps(asdict(settings))})


@pytest.fixture
def live(quick_runs: Callable[[str], Runner], tmp_path: Path, user_config: Callable[[str], Path]) -> Live:
    return Live(quick_runs("live"), tmp_path, user_config)


def told(done: Result) -> dict[str, str]:
    return {row["check"]: row["result"] for row in done.json}


def userdata(tmp_path: Path) -> Path:
    path = tmp_path / "broker" / "userdata_mini"
    path.mkdir(parents=True)
    return path


def test_all_is_well(live: Live, tmp_path: Path) -> None:
    done = live.run(userdata(tmp_path))
    assert (done.status, done.stderr, tuple(told(done))) == (0, "", NAMES)
    assert {name for name, result in told(done).items() if result not in ("ok", "skipped")} == set()
    seen = {row["check"]: row["seen"] for row in done.json}
    assert (seen["accounts"], seen["status"], seen["asset"]) == ("2000000365", "ok", "1,000,000.00")
    assert seen["tick"].startswith("600000.SH 9.0")
    assert (seen["clock"][-2:], seen["trading_day"]) == (" s", "2026-11-23, a trading day")


def test_a_missing_folder_is_not_made(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "broker" / "userdata_mini"
    done = live.run(path)
    assert (done.status, path.parent.exists()) == (3, False)
    results = told(done)
    assert results["folder"] == "fail"
    assert {name for name, result in results.items() if result == "ok"} == {"configuration", "python", "trading_day"}
    (row,) = [row for row in done.json if row["check"] == "folder"]
    assert (row["code"], row["seen"]) == ("no_folder", f"there is no folder {path}")


@pytest.mark.parametrize(
    ("made", "given", "code", "better"),
    [
        (["userdata", "userdata_mini"], "userdata", "not_userdata_mini", "userdata_mini"),
        (["userdata_mini"], ".", "not_userdata_mini", "userdata_mini"),
        (["userdata"], "userdata", "no_minimal_mode", ""),
        (["somewhere"], "somewhere", "not_userdata_mini", ""),
    ],
)
def test_another_folder_is_told_from_the_minimal_modes(
    live: Live, tmp_path: Path, made: list[str], given: str, code: str, better: str
) -> None:
    for name in made:
        (tmp_path / "broker" / name).mkdir(parents=True)
    done = live.run((tmp_path / "broker" / given).resolve())
    (row,) = [row for row in done.json if row["check"] == "folder"]
    assert (done.status, row["result"], row["code"]) == (3, "fail", code)
    if better:
        assert row["fix"].endswith(str(tmp_path / "broker" / better))


@pytest.mark.parametrize(
    ("faults", "check", "code"),
    [
        ([{"call": "connect", "outcome": "-1"}], "connect", "connect_failed"),
        ([{"call": "connect", "outcome": "account status", "status": 1}], "status", "account_not_ready"),
        ([{"call": "subscribe", "outcome": "-1"}], "subscribe", "subscribe_failed"),
        ([{"call": "query_asset", "outcome": "-1"}], "asset", "query_failed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_first_failure_decides(live: Live, tmp_path: Path, faults: list[Any], check: str, code: str) -> None:
    done = live.run(userdata(tmp_path), faults=faults)
    failed = [(row["check"], row["code"]) for row in done.json if row["result"] == "fail"]
    assert (done.status, failed[0]) == (4, (check, code))
    # the market's data have a service of their own
    assert (told(done)["data"], told(done)["tick"]) == ("ok", "ok")


def test_an_account_that_the_terminal_does_not_have(live: Live, tmp_path: Path) -> None:
    done = live.run(userdata(tmp_path), account="2000000366")
    (row,) = [row for row in done.json if row["result"] == "fail"]
    assert (done.status, row["check"], row["code"]) == (4, "accounts", "account_not_found")
    assert "2000000365" in row["seen"]


def test_a_service_that_does_not_know_the_code(live: Live, tmp_path: Path) -> None:
    done = live.run(userdata(tmp_path), "--code", "600999.SH")
    assert (done.status, told(done)["data"], told(done)["tick"], told(done)["clock"]) == (10, "ok", "fail", "skipped")


@not_on_windows("it makes nothing read-only for its owner")
def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.why_not_written(userdata(tmp_path)) == ""
    assert list((tmp_path / "broker" / "userdata_mini").iterdir()) == []
    assert machine.why_not_written(tmp_path / "nowhere") == "No such file or directory"


# -- on a machine of our making ------------------------------------------------------------------------


class Machine:
    """Facts that `qmtcli.xt.machine` would tell."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        self.path = path
        self.processes: list[Process] | None = []
        self.administrator: bool | None = False
        self.disk = Disk(10**11, 10**12)
        self.why = ""
        monkeypatch.setattr(machine, "processes", lambda: self.processes)
        monkeypatch.setattr(machine, "is_administrator", lambda: self.administrator)
        monkeypatch.setattr(machine, "disk", lambda folder: self.disk)
        monkeypatch.setattr(machine, "why_not_written", lambda folder: self.why)
        native = copies.choose()._replace(native=True, fits=True)
        monkeypatch.setattr(copies, "choose", lambda *_: native)

    def look(self) -> dict[str, diagnose.Check]:
        def open_session() -> Session:
            raise ConfigError("no_xtquant", why="none here")

        def open_day(at: datetime) -> bool:
            return True

        plan = Plan(
            open_session, True, str(self.path), "1", "600000.SH", "", list, self.path.parent, open_day, open_day
        )
        return {check.check: check for check in checks(plan)}

    def result(self, name: str) -> tuple[str, str]:
        check = self.look()[name]
        return check.result, check.error.code if check.error else check.seen


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, userdata(tmp_path))


def test_processes_of_the_terminal(made: Machine) -> None:
    home = made.path.parent
    assert made.result("terminal") == ("warn", "terminal_not_running")
    made.processes = [Process("XtItClient.exe", str(home / "bin.x64" / "XtItClient.exe"))]
    assert made.result("terminal") == ("warn", "terminal_not_running")
    made.processes = [Process("XtMiniQmt.exe", "/another/bin.x64/XtMiniQmt.exe")]
    assert made.result("terminal") == ("warn", "terminal_not_running")
    for path in (str(home / "bin.x64" / "XtMiniQmt.exe").upper(), ""):
        made.processes = [Process("xtminiqmt.EXE", path)]
        assert made.result("terminal") == ("ok", "runs in minimal mode")
    made.processes = None
    assert made.result("terminal")[0] == "skipped"


def test_the_disk_and_the_queue_files_on_it(made: Machine) -> None:
    (made.path / "down_queue_1").write_bytes(b"0" * 2_000_000)
    assert made.result("disk") == ("ok", "100.0 GB free; 1 queue files, 2.0 MB")
    made.disk = Disk(diagnose.QUEUE_FILE, 10**12)
    assert made.result("disk") == ("warn", "disk_low")
    made.disk = Disk(diagnose.QUEUE_FILE - 1, 10**12)
    assert made.result("disk") == ("fail", "disk_full")
    assert made.result("connect")[0] == "skipped"
    made.disk = Disk(10**11, 10**12)
    for number in range(40):
        (made.path / f"down_queue_{number}").touch()
    assert made.result("disk") == ("warn", "disk_low")


def test_permission_and_writing(made: Machine) -> None:
    assert made.result("permission") == ("warn", "no_up_queue")
    (made.path / "up_queue_xtquant").touch()
    assert made.result("permission") == ("ok", "up_queue_xtquant")
    made.why = "Permission denied"
    assert made.result("writable") == ("fail", "folder_not_written")


def test_causes_that_were_seen_come_first() -> None:
    assert diagnose._causes({})[0] == "the terminal is not logged in in minimal mode"
    seen = {"permission": "warn", "administrator": "warn", "terminal": "ok"}
    assert diagnose._causes(seen)[:2] == [
        "it is on C: and nobody is an administrator",
        "the account has no API permission: ask the broker",
    ]
    assert len(diagnose._causes(seen)) == 6


def test_causes_are_the_fix_of_a_link_that_failed(made: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(doctor: object) -> str:
        raise NotConnected("connect_failed", path="", result=-1)

    made.administrator = True
    steps = [(name, (), fail if name == "connect" else look, live) for name, _, look, live in diagnose._STEPS[:12]]
    monkeypatch.setattr(diagnose, "_STEPS", steps)
    check = made.look()["connect"]
    assert check.fix.split("; ")[:2] == [
        "the terminal is not logged in in minimal mode", "the account has no API permission: ask the broker",
    ]  # fmt: skip


# -- terminals -----------------------------------------------------------------------------------------


def test_terminals_are_found_once_each(tmp_path: Path) -> None:
    for home, names in {
        "国金QMT交易端": ["userdata_mini", "userdata"],
        "iQuant": ["userdata"],
        "Program Files/某某证券QMT": ["userdata_mini"],
        "else/QMT": ["userdata_mini"],
        "qmt-notes": [],
    }.items():
        for name in [*names, "bin.x64"]:
            (tmp_path / home / name).mkdir(parents=True)
    running = tmp_path / "else" / "QMT"
    processes = [Process("XtMiniQmt.exe", str(running / "bin.x64" / "XtMiniQmt.exe")), Process("explorer.exe", "")]
    installed = [("国金证券QMT交易端", str(tmp_path / "国金QMT交易端") + "/"), ("迅投", ""), ("Word", str(tmp_path))]
    assert discover.find(processes, installed, [tmp_path]) == [
        Terminal(str(running / "userdata_mini"), "running", True, True),
        Terminal(str(tmp_path / "国金QMT交易端" / "userdata_mini"), "registry", True, False),
        Terminal(str(tmp_path / "Program Files" / "某某证券QMT" / "userdata_mini"), "folder", True, False),
        Terminal(str(tmp_path / "iQuant" / "userdata"), "folder", False, False),
    ]


def test_no_terminals(tmp_path: Path) -> None:
    assert discover.find([], [], [tmp_path / "nowhere"]) == []


def test_a_terminal_becomes_a_configuration(quick_qmt: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    terminal = Terminal(r"D:\国金QMT\userdata_mini", "registry", True, False)
    profiles = yaml.safe_load(f"profiles:\n{discover.configuration(terminal)}")["profiles"]
    assert profiles == {"live": {"live": True, "path": terminal.path, "account": ""}}


@not_on_windows("there may be terminals there")
def test_where_no_terminal_is_none_is_offered(quick_qmt: Runner) -> None:
    done = quick_qmt("login-check", "--discover", "--json")
    assert (done.status, done.json, done.stderr) == (0, [], "")
    assert quick_qmt("login-check", "--discover").stdout == "Terminals: 0\n"


def test_the_first_configuration_has_the_folder_of_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, minimal = Terminal(r"D:\iQuant\userdata", "running", False, False), r"E:\国金QMT\userdata_mini"
    monkeypatch.setattr(discover, "here", lambda: [full, Terminal(minimal, "registry", True, False)])
    file = tmp_path / "user.yaml"
    console = Console(BytesIO(), StringIO(), StringIO(), {"QMT_CONFIG": str(file)})
    assert main(["config", "init"], console) == 0
    (line,) = [line for line in file.read_text("utf-8").splitlines() if " path: " in line]
    assert line.split()[:3] == ["#", "path:", minimal]
