"""Fixtures: every test has a state folder, a configuration and a clock of its own, and never the user's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
#: real market data beside the repository; tests that need it skip where it is not
SHARED_DATA = ROOT.parent / "shared" / "data"
#: a Monday morning in continuous trading
CLOCK = "2026-11-23T10:00:00"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate", action="store_true", help="write the golden files anew; then read what changed")


@pytest.fixture(scope="session")
def regenerate(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew."""
    return bool(request.config.getoption("--regenerate"))


@dataclass(frozen=True)
class Result:
    """What one run of qmt left."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """stdout as the one JSON document it must be."""
        return json.loads(self.stdout)

    @property
    def error(self) -> dict[str, Any]:
        """The error object on stderr, which must be all there is."""
        assert self.stdout == ""
        found: dict[str, Any] = json.loads(self.stderr)["error"]
        return found


@pytest.fixture(autouse=True)
def _own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's configuration, state or language."""
    for name in list(os.environ):
        if name.startswith(("QMT_", "QMTCLI_", "_QMT_")) or name in ("LC_ALL", "LC_MESSAGES", "NO_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("QMT_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets the paper exchange's clock for the runs to come."""
    return lambda text: monkeypatch.setenv("QMT_PAPER_CLOCK", text)


@pytest.fixture
def qmt(tmp_path: Path) -> Callable[..., Result]:
    """Run qmt as a user does: a process of its own, its stdout and stderr pipes."""

    def run(
        *arguments: str, stdin: str | bytes = b"", env: Mapping[str, str] | None = None, timeout: float = 60
    ) -> Result:
        text = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [sys.executable, "-m", "qmtcli", *arguments],
            input=text,
            capture_output=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
                **(env or {}),
            },
            timeout=timeout,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def shared_data() -> Path:
    """The folder of real market data, or a skip."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder of real market data is not beside the repository")
    return SHARED_DATA


@pytest.fixture
def user_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Writes the user's configuration file."""

    def write(text: str) -> Path:
        path = tmp_path / "user.yaml"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("QMT_CONFIG", str(path))
        return path

    return write
