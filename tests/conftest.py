"""Fixtures: every test has a state folder, a configuration and a clock of its own, and never the user's."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import prefork
import pytest

from qmtcli.paper import mount
from qmtcli.testing import Result

#: helpers of tests/paper that assert, some of them plugins of the modules beside them
pytest.register_assert_rewrite("sessions")

ROOT = Path(__file__).resolve().parents[1]
#: real market data beside the repository; tests that need it skip where it is not
SHARED_DATA = ROOT.parent / "shared" / "data"
#: a sitecustomize that watches and disturbs the native line of the processes that find it
NATIVE = Path(__file__).with_name("native")
#: an xtquant that is a terminal for live profiles, and a sitecustomize that sets the machine's clock
TERMINAL = Path(__file__).with_name("terminal")
#: a Monday morning in continuous trading
CLOCK = "2026-11-23T10:00:00"
WINDOWS = os.name == "nt"
#: whether that Windows is Wine
WINE = WINDOWS and hasattr(ctypes.CDLL("ntdll"), "wine_get_version")


def not_on_windows(why: str) -> pytest.MarkDecorator:
    """Marks a test of what Windows has not."""
    return pytest.mark.skipif(WINDOWS, reason=f"Windows: {why}")


def only_on_windows(why: str) -> pytest.MarkDecorator:
    """Marks a test of what is nowhere else."""
    return pytest.mark.skipif(not WINDOWS, reason=f"only Windows: {why}")


def not_on_wine(why: str) -> pytest.MarkDecorator:
    """Marks a test of what Windows has and Wine has not."""
    return pytest.mark.skipif(WINE, reason=f"Wine: {why}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate", action="store_true", help="write the golden files anew; then read what changed")


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Has a line printed at the end of the whole run: how much a test has tried."""
    return lambda text: record_property("count", text)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests have counted."""
    lines = [
        text
        for report in terminalreporter.getreports("passed")
        for name, text in report.user_properties
        if name == "count"
    ]
    if lines:
        terminalreporter.section("counts")
        terminalreporter.write_line("\n".join(lines))


#: the few tests that take long on Windows, where the suite runs in two processes: last they would run in one
LONG = ("test_killed.py", "test_windows.py", "test_encodings.py", "test_crowd.py", "test_compat.py", "test_balance.py")


#: files whose tests start qmt again and again for the sake of rules that are the same everywhere: where a start takes
#: seconds, every so manieth of their tests has to do
SAMPLED = {
    "test_bad_input.py": 6, "test_calendar_command.py": 3, "test_cancel.py": 3, "test_guard.py": 4,
    "test_hours.py": 6, "test_imitation.py": 2, "test_limits.py": 12, "test_live_orders.py": 3, "test_outcomes.py": 6,
    "test_paper_proof.py": 3, "test_real_ticks.py": 3, "test_rebalance.py": 6, "test_rebalance_day.py": 2,
    "test_reconcile.py": 3, "test_replay.py": 4, "test_report.py": 3, "test_session.py": 3, "test_streams.py": 5,
}  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On Windows: long tests first, and of some a sample."""
    if not WINDOWS:
        return
    numbers: Counter[str] = Counter()
    kept, left = [], []
    for item in items:
        name = item.path.name
        (left if numbers[name] % SAMPLED.get(name, 1) else kept).append(item)
        numbers[name] += 1
    config.hook.pytest_deselected(items=left)
    items[:] = sorted(kept, key=lambda item: item.path.name not in LONG)


@pytest.fixture(scope="session")
def regenerate(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew."""
    return bool(request.config.getoption("--regenerate"))


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


def _run(
    program: list[str],
    path: list[Path],
    *arguments: str,
    stdin: str | bytes = b"",
    env: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> Result:
    done = subprocess.run(
        [*program, *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([*map(str, path), os.environ.get("PYTHONPATH", "")]),
            **(env or {}),
        },
        timeout=timeout,
        check=False,
    )
    # what ends a line in a pipe is the system's
    out, err = (said.decode().replace(os.linesep, "\n") for said in (done.stdout, done.stderr))
    return Result(done.returncode, out, err)


@pytest.fixture
def qmt() -> Callable[..., Result]:
    """Run qmt as a user does: a process of its own, its stdout and stderr pipes."""
    return partial(_run, [sys.executable, "-m", "qmtcli"], [ROOT])


@contextmanager
def _quick(folder: Path, *path: Path, **more: str) -> Iterator[Path]:
    """A program that is qmt and starts fast, see `prefork`, with a sitecustomize of ``path``."""
    program = folder / "qmt"
    program.write_text(prefork.CLIENT.format(python=sys.executable, socket=str(folder / "socket")))
    program.chmod(0o755)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, path), str(ROOT)]), **more}
    command = [sys.executable, prefork.__file__, str(folder / "socket")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env) as server:
        assert server.stdout is not None and server.stdout.readline() == b"ready\n"
        yield program
        server.terminate()


@pytest.fixture(scope="session")
def quick_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """qmt that starts fast; the native line is that of ``native``."""
    with _quick(tmp_path_factory.mktemp("prefork"), NATIVE) as program:
        yield program


@pytest.fixture(scope="session")
def quick_live_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """qmt that starts fast and trades through the terminal of ``terminal`` at `CLOCK`."""
    with _quick(tmp_path_factory.mktemp("prefork"), TERMINAL, MACHINE_CLOCK=CLOCK, NATIVE_TOO="1") as program:
        yield program


Runner: TypeAlias = "Callable[..., Result]"


@pytest.fixture(scope="session")
def quick_runs(request: pytest.FixtureRequest) -> Callable[[str], Runner]:
    """Runs of qmt on ``paper`` and on ``live`` profiles, by the quick programs where there are any."""

    def runs(mode: str) -> Runner:
        if not WINDOWS:
            name = "quick_program" if mode == "paper" else "quick_live_program"
            return partial(_run, [str(request.getfixturevalue(name))], [])
        path = [NATIVE] if mode == "paper" else [TERMINAL]
        qmt = partial(_run, [sys.executable, "-m", "qmtcli"], [*path, ROOT])
        return (
            qmt
            if mode == "paper"
            else lambda *words, env, **more: qmt(*words, env={"MACHINE_CLOCK": CLOCK, "NATIVE_TOO": "1", **env}, **more)
        )

    return runs


@pytest.fixture
def quick_qmt(quick_runs: Callable[[str], Runner]) -> Runner:
    """`qmt` by the quick program, where there is one, with the native line of ``native``."""
    return quick_runs("paper")


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


@pytest.fixture(scope="module")
def vendor_modules() -> Iterator[None]:
    """The vendor's modules are imported anew over the stand-ins, and put away afterwards."""
    _put_vendor_away()
    yield
    _put_vendor_away()


def _put_vendor_away() -> None:
    # the package too, whoever imported it: it keeps hold of its modules
    for name in [name for name in sys.modules if name.partition(".")[0] == "xtquant"]:
        del sys.modules[name]
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != mount.__name__]
