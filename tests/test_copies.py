"""Which copy of the vendor's package runs, which Pythons it is for, and that a new one is checked before it trades."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from datetime import datetime
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import ROOT, Result, not_on_windows, only_on_windows
from test_live_orders import BUY, TERMINAL, Live

from qmtcli.errors import ConfigError
from qmtcli.messages import error_text
from qmtcli.xt import copies
from qmtcli.xt.diagnose import Plan, checks
from qmtcli.xt.session import Session

WINDOWS = [f"{name}.cp3{minor}-win_amd64.pyd" for name in copies.NATIVE for minor in range(6, 14)]
HERE = [f"{name}{EXTENSION_SUFFIXES[0]}" for name in copies.NATIVE]


def _copy(folder: Path, files: list[str], version: str = "xtquant_250807") -> Path:
    """A folder that holds a copy; its native modules are empty files."""
    (folder / "xtquant").mkdir(parents=True)
    (folder / "xtquant" / "__init__.py").write_text(f'#coding: utf-8\n\n__version__ = "{version}"\n' if version else "")
    for name in files:
        (folder / "xtquant" / name).touch()
    return folder


@pytest.fixture
def terminal(tmp_path: Path) -> Path:
    """A terminal's folder of data; its own copy of the package is not there yet."""
    folder = tmp_path / "broker" / "userdata_mini"
    folder.mkdir(parents=True)
    return folder


def _own(terminal: Path) -> Path:
    return terminal.parent / "bin.x64" / "Lib" / "site-packages"


# -- which one -----------------------------------------------------------------------------------------


def test_a_terminals_own_copy_runs_where_it_fits(terminal: Path) -> None:
    _copy(_own(terminal), HERE, "xtquant_260101")
    found = copies.choose("", str(terminal))
    assert (found.source, found.folder, found.version, found.fits) == (
        "terminal", str(_own(terminal)), "xtquant_260101", True,
    )  # fmt: skip


@pytest.mark.parametrize("files", [[], HERE[:1], WINDOWS], ids=["no native modules", "one of them", "other Pythons"])
def test_else_the_installed_one(terminal: Path, files: list[str]) -> None:
    _copy(_own(terminal), [] if os.name == "nt" and files == WINDOWS else files)
    found = copies.choose("", str(terminal))
    assert (found.source, found.folder) == ("installed", sysconfig.get_paths()["purelib"])
    assert found.version == "xtquant_250807"
    assert found.pythons == ("3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")


def test_the_folder_of_another_edition_says_nothing_of_a_copy(terminal: Path) -> None:
    _copy(_own(terminal), HERE)
    assert copies.choose("", str(terminal.with_name("userdata"))).source == "installed"


def test_a_module_path_comes_first_whatever_it_fits(terminal: Path, tmp_path: Path) -> None:
    _copy(_own(terminal), HERE)
    mine = _copy(tmp_path / "mine", [])
    for named in (mine, mine / "xtquant"):
        found = copies.choose(str(named), str(terminal))
        assert (found.source, found.folder, found.native, found.fits) == ("module_path", str(mine), False, True)
    with pytest.raises(ConfigError) as caught:
        copies.choose(str(tmp_path), str(terminal))
    assert (caught.value.code, caught.value.params) == ("no_xtquant_there", {"path": str(tmp_path)})


def test_an_imitation_tells_the_name_it_was_installed_by(tmp_path: Path) -> None:
    folder = _copy(tmp_path / "mine", [], version="")
    for name in ("xtquant-250807.1.2.dist-info", "xtquant_big_convert-0.3.74.dist-info"):
        (folder / name).mkdir()
    assert copies.choose(str(folder)).version == "xtquant_big_convert-0.3.74"


def test_a_copy_is_another_one_when_any_file_of_it_is(tmp_path: Path) -> None:
    folder = _copy(tmp_path / "mine", HERE)
    before = copies.choose(str(folder))
    (folder / "xtquant" / "__pycache__").mkdir()
    assert copies.choose(str(folder)) == before
    (folder / "xtquant" / HERE[0]).write_bytes(b"another build")
    assert copies.choose(str(folder)).mark != before.mark


# -- which Pythons -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("python", "platform"),
    [((3, 14), "win-amd64"), ((3, 11), "win-arm64"), ((3, 11), "win32"), ((3, 11), "linux-x86_64")],
    ids=["3.14", "ARM64", "32-bit", "Linux"],
)
def test_a_python_that_no_native_module_is_for_is_told(
    python: tuple[int, int], platform: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copy = copies.choose(str(_copy(tmp_path / "mine", WINDOWS)))._replace(fits=False)
    monkeypatch.setattr("sys.version_info", SimpleNamespace(major=python[0], minor=python[1]))
    monkeypatch.setattr("sysconfig.get_platform", lambda: platform)
    wrong = copies.misfit(copy)
    assert wrong is not None
    message, hint = error_text(wrong.code, wrong.params, "en")
    assert message == (
        "xtquant's native modules are for Python 3.6-3.13 on 64-bit (x86-64) Windows; "
        f"this is Python {python[0]}.{python[1]} ({platform})"
    )
    assert hint == (
        "for live trading install qmt in the x86-64 build of Python 3.13, on Windows for ARM too; "
        "paper runs here: --profile paper"
    )


def test_the_pythons_are_those_of_both_modules(tmp_path: Path) -> None:
    files = ["xtpythonclient.cp36-win_amd64.pyd", "xtpythonclient.cp310-win_amd64.pyd", "datacenter.cp36-win_amd64.pyd"]
    found = copies.choose(str(_copy(tmp_path / "mine", files)))
    assert (found.pythons, found.fits, copies.misfit(found._replace(fits=True))) == (("3.6",), False, None)


@not_on_windows("the installed one runs there")
def test_a_live_command_tells_it(
    qmt: Callable[..., Result], user_config: Callable[[str], Path], terminal: Path
) -> None:
    user_config(f'default: live\nprofiles: {{live: {{live: true, account: "2000000365", path: {terminal}}}}}\n')
    error = qmt("asset", "--json", "--profile", "live").error
    assert (error["exit_status"], error["code"], error["pythons"]) == (3, "python_misfit", "3.6-3.13")


@pytest.mark.parametrize(
    ("live", "platform", "result"), [(True, "linux", "fail"), (False, "win32", "warn"), (False, "linux", "ok")]
)
def test_login_check_tells_it_on_paper_too(
    live: bool, platform: str, result: str, terminal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    misfit = copies.choose()._replace(fits=False)
    monkeypatch.setattr(copies, "choose", lambda *_: misfit)
    monkeypatch.setattr("sys.platform", platform)

    def open_session() -> Session:
        raise ConfigError("bug")

    never: Callable[[datetime], bool] = lambda at: False  # noqa: E731
    plan = Plan(open_session, live, str(terminal), "1", "600000.SH", "", list, terminal.parent, never, never)
    found = {check.check: check for check in checks(plan)}
    assert found["python"].result == result
    assert (found["python"].error is not None) == (result != "ok")
    assert found["module"].result == ("skipped" if live else "fail")


def test_login_check_tells_which_copy_runs(
    qmt: Callable[..., Result], tmp_path: Path, user_config: Callable[[str], Path]
) -> None:
    done = Updated(qmt, tmp_path, user_config).run("login-check", "--json")
    seen = {row["check"]: row["seen"] for row in done.json}
    assert seen["module"].startswith("xtquant_1 (")
    assert seen["module"].endswith(f"), module_path: {tmp_path / 'lib'}")
    assert seen["interface"] == "as qmt knows it"


# -- how it is imported --------------------------------------------------------------------------------

VENDORS = """\
import beside, tabulate
def check_for_update(name):
    import requests
    print("news")
try:
    check_for_update("xtquant")
except ImportError:
    pass
"""
#: its own way to what it imitates
OVER_HTTP = "import beside, requests\nassert requests.get\n"


@pytest.mark.parametrize(
    ("code", "requests"),
    [(VENDORS, "raise SystemExit('asked for news')\n"), (OVER_HTTP, "get = print\n")],
    ids=["the vendor's", "an imitation"],
)
def test_a_copy_has_what_lies_beside_it_after_what_is_installed(
    code: str, requests: str, qmt: Callable[..., Result], user_config: Callable[[str], Path], tmp_path: Path
) -> None:
    """And the vendor's ``__init__`` asks nobody for news."""
    folder = _copy(tmp_path / "mine", [])
    (folder / "xtquant" / "__init__.py").write_text(code)
    (folder / "xtquant" / "xttrader.py").write_text("raise ImportError('reached')\n")
    (folder / "beside.py").touch()
    (folder / "requests.py").write_text(requests)
    for name in ("tabulate", "click"):
        (folder / f"{name}.py").write_text("raise SystemExit('shadowed')\n")
    (tmp_path / "userdata_mini").mkdir()
    user_config(
        "default: live\nprofiles:\n  live:\n    live: true\n"
        f'    account: "2000000365"\n    path: {tmp_path / "userdata_mini"}\n    module_path: {folder}\n'
    )
    done = qmt("asset", "--json", "--profile", "live")
    assert (done.status, done.error["code"], done.error["why"]) == (3, "no_native_module", "reached")


def test_another_one_that_was_imported_before_stops_a_live_run(
    qmt: Callable[..., Result], user_config: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = _copy(tmp_path / "mine", [])
    (tmp_path / "userdata_mini").mkdir()
    (tmp_path / "early").mkdir()
    (tmp_path / "early" / "sitecustomize.py").write_text("import xtquant.xtconstant\n")
    user_config(
        "default: live\nprofiles:\n  live:\n    live: true\n"
        f'    account: "2000000365"\n    path: {tmp_path / "userdata_mini"}\n    module_path: {folder}\n'
    )
    path = os.pathsep.join(map(str, (tmp_path / "early", ROOT)))
    error = qmt("asset", "--json", "--profile", "live", env={"PYTHONPATH": path}).error
    assert (error["exit_status"], error["code"], error["path"]) == (3, "another_xtquant", str(folder))


def test_a_terminals_own_copy_is_what_trades(
    qmt: Callable[..., Result], user_config: Callable[[str], Path], tmp_path: Path
) -> None:
    live = Live(qmt, tmp_path, user_config)
    own = tmp_path / "bin.x64" / "Lib" / "site-packages"
    _copy(own, HERE)
    source = (TERMINAL / "xtquant" / "__init__.py").read_text(encoding="utf-8")
    (own / "xtquant" / "__init__.py").write_text(f'{source}\n__version__ = "xtquant_own"\n', encoding="utf-8")
    user_config(
        f"default: live\nprofiles:\n  live:\n    live: true\n    path: {tmp_path / 'userdata_mini'}\n"
        '    account: "2000000365"\n    limits: none\n'
    )
    assert live.run(*BUY, "--yes", "--json").json["status"] == "filled"
    assert (tmp_path / "state" / "packages" / "live").read_text(encoding="utf-8").startswith("xtquant_own (")


@only_on_windows("its native modules load there")
def test_the_real_one_has_all_that_qmt_was_made_for() -> None:
    program = (
        "from qmtcli.backend import package_differences\nfrom qmtcli.xt import copies, loader\n"
        "loader.load(copies.choose())\nprint(package_differences(), loader.is_native())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[] True"


# -- a new one is checked before it trades -------------------------------------------------------------


class Updated(Live):
    """A live profile whose package can be exchanged for another version."""

    def configure(self, more: str = "") -> None:
        self.package = self._folder / "lib" / "xtquant"
        self.package.mkdir(parents=True)
        self.update("xtquant_1")
        self._config(
            f"default: live\nprofiles:\n  live:\n    live: true\n    path: {self._folder / 'userdata_mini'}\n"
            f'    account: "2000000365"\n    module_path: {self.package.parent}\n    limits: none\n'
        )

    def update(self, version: str) -> None:
        source = (TERMINAL / "xtquant" / "__init__.py").read_text(encoding="utf-8")
        (self.package / "__init__.py").write_text(f'{source}\n__version__ = "{version}"\n', encoding="utf-8")


def test_the_first_write_after_a_change_of_version_wants_a_login_check(
    qmt: Callable[..., Result], tmp_path: Path, user_config: Callable[[str], Path]
) -> None:
    live = Updated(qmt, tmp_path, user_config)
    resting = ("buy", "600000.SH", "100", "--limit", "9.00", "--yes", "--json")
    assert live.run(*resting).status == 0
    live.update("xtquant_22")
    error = live.refusal(*BUY)
    assert (error["exit_status"], error["code"]) == (6, "package_changed")
    assert (error["before"].partition(" ")[0], error["now"].partition(" ")[0]) == ("xtquant_1", "xtquant_22")
    # nothing was sent; looking, trying out and cancelling go on
    assert [row["order_id"] for row in live.run("orders", "--json").json] == ["1"]
    assert live.run(*BUY, "--dry-run").status == 0
    assert live.run("cancel", "--all", "--yes", "--json").json[0]["result"] == "canceled"
    failed = live.run("login-check", "--json", "--code", "600999.SH")
    assert failed.status != 0
    assert live.refusal(*BUY)["code"] == "package_changed"
    assert live.run("login-check", "--json").status == 0
    assert live.run(*BUY, "--yes", "--json").status == 0
    record = (tmp_path / "state" / "packages" / "live").read_text(encoding="utf-8")
    assert record.startswith("xtquant_22 (")
    assert json.dumps(error["now"]) == json.dumps(record.strip())
