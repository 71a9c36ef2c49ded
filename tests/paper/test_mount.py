"""The stand-ins are in place of the native modules: here in time or not at all, and in every child."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, not_on_wine

from qmtcli.paper import mount

#: what any Python process can say of itself; a module, so that spawned children can be asked by name
WITNESS = """
import os, sys, time

def tell():
    sys.modules["requests"] = None
    import xtquant.xtpythonclient as native
    client = native.XtQuantAsyncClient
    loader = type(native.__spec__.loader)
    return [
        client.__qualname__, sys.modules[client.connect.__module__].__file__, loader.__module__,
        time.localtime().tm_gmtoff, os.getpid(),
    ]
"""
MOUNT = f"""
import json, os, sys
sys.path.insert(0, {str(ROOT)!r})
from qmtcli.paper.mount import mount
from qmtcli.paper.settings import Settings
mount(Settings(home=os.path.join(os.getcwd(), "home"), clock="2026-11-23T10:00:00"))
sys.path.remove({str(ROOT)!r})
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a program in a folder of its own, which holds the witness, with no trace of this package on its path."""
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "witness.py").write_text(WITNESS, encoding="utf-8")

    def call(script: str, **environ: str) -> subprocess.CompletedProcess[str]:
        (folder / "main.py").write_text(script, encoding="utf-8")
        clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "TZ")}
        return subprocess.run(
            [sys.executable, "main.py"],
            cwd=folder,
            env=clean | environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return call


Run = Callable[..., subprocess.CompletedProcess[str]]


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    """The JSON document on stdout of a program that ended well."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


#: a way to start a child -> the program that has it tell what it is
CHILDREN = {
    "subprocess": """
import subprocess
ask = "import json, witness; print(json.dumps(witness.tell()))"
found = json.loads(subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True).stdout)
""",
    "subprocess in another folder": """
import subprocess, tempfile
ask = f"import json, sys; sys.path.insert(0, {os.getcwd()!r}); import witness; print(json.dumps(witness.tell()))"
with tempfile.TemporaryDirectory() as other:
    found = json.loads(subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True, cwd=other).stdout)
""",
    "grandchild": """
import subprocess
ask = "import json, witness; print(json.dumps(witness.tell()))"
again = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ask!r}], check=True)"
found = json.loads(subprocess.run([sys.executable, "-c", again], capture_output=True, check=True).stdout)
""",
    "spawn": """
import multiprocessing, witness
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(witness.tell)
""",
    "loky": """
import joblib, witness
if __name__ == "__main__":
    found = joblib.Parallel(n_jobs=2)([joblib.delayed(witness.tell)()] * 2)[0]
""",
}


#: joblib by itself waits for ever there
LOKY = pytest.param("loky", marks=not_on_wine("its pipes give the workers of joblib no work"))


@pytest.mark.parametrize("way", [*(way for way in CHILDREN if way != "loky"), LOKY])
def test_a_child_is_on_paper(run: Run, way: str) -> None:
    script = MOUNT + CHILDREN[way] + 'if __name__ == "__main__":\n    print(json.dumps([os.getpid(), *found]))\n'
    parent, name, file, loader, offset, pid = answer(run(script))
    assert pid != parent
    assert (name, loader) == ("XtQuantAsyncClient", "qmtcli.paper.mount")
    assert Path(file) == ROOT / "qmtcli" / "paper" / "trading.py"
    assert offset == 8 * 3600


def test_the_process_itself_is_on_paper(run: Run) -> None:
    name, file, loader, offset, _ = answer(run(MOUNT + "import witness; print(json.dumps(witness.tell()))"))
    assert (name, Path(file).name, loader, offset) == (
        "XtQuantAsyncClient",
        "trading.py",
        "qmtcli.paper.mount",
        8 * 3600,
    )


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "Nowhere/AtAll"])
def test_local_time_is_shanghais_wherever_the_machine_is(run: Run, zone: str) -> None:
    script = MOUNT + "import witness\n" + CHILDREN["subprocess"] + "print(json.dumps([witness.tell()[3], found[3]]))"
    assert answer(run(script, TZ=zone)) == [8 * 3600, 8 * 3600]


def test_nothing_is_loaded_before_it_is_asked_for(run: Run) -> None:
    script = """
heavy = ("sqlite3", "qmtcli.paper.trading", "qmtcli.paper.market", "xtquant")
loaded = lambda: [name for name in heavy if name in sys.modules]
first = loaded()
import witness; witness.tell()
print(json.dumps([first, loaded()]))
"""
    assert answer(run(MOUNT + script)) == [[], ["sqlite3", "qmtcli.paper.trading", "xtquant"]]


@pytest.mark.parametrize(
    "early", ["xtquant.xtpythonclient", "xtquant.datacenter", "xtquant.xttrader", "xtquant.xtconn"]
)
def test_it_is_too_late_once_a_native_module_may_have_been_taken(run: Run, early: str) -> None:
    done = run(f"import sys, types; sys.modules[{early!r}] = types.ModuleType({early!r})\n" + MOUNT)
    assert done.returncode == 1
    assert f"RuntimeError: imported before the stand-ins: {early}" in done.stderr


def test_the_vendors_constants_may_have_been_imported_before(run: Run) -> None:
    script = "import sys; sys.modules['requests'] = None; import xtquant.xtconstant\n" + MOUNT
    assert answer(run(script + "import witness; print(json.dumps(witness.tell()))"))[0] == "XtQuantAsyncClient"


def test_mounting_again_changes_the_settings_and_adds_no_folder(run: Run) -> None:
    script = (
        MOUNT
        + MOUNT.replace('"home"', '"other"')
        + """
from qmtcli.paper.settings import Settings
print(json.dumps([os.path.basename(Settings.from_environment().home), os.environ["PYTHONPATH"].split(os.pathsep)]))
"""
    )
    assert answer(run(script)) == ["other", [mount._CHILD_FOLDER]]


def test_outside_of_a_run_there_is_no_account(run: Run) -> None:
    done = run(f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom qmtcli.paper.exchange import current; current()")
    assert "RuntimeError: QMTCLI_PAPER is not set" in done.stderr


# -- the user's own sitecustomize --------------------------------------------------------------------------


def own(folder: Path, text: str) -> str:
    """A folder with a sitecustomize of the user's own."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    return str(folder)


ASK = """
import subprocess
ask = "import json, sys, sitecustomize; print(json.dumps([sitecustomize.__file__, sitecustomize.WORD]))"
print(subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True, text=True).stdout)
"""


def test_the_users_own_sitecustomize_still_runs_in_a_child(run: Run, tmp_path: Path) -> None:
    folder = own(tmp_path / "own", "WORD = 'ours'\n")
    assert answer(run(MOUNT + ASK, PYTHONPATH=folder)) == [str(tmp_path / "own" / "sitecustomize.py"), "ours"]


def test_it_finds_the_stand_ins_in_place(run: Run, tmp_path: Path) -> None:
    folder = own(tmp_path / "own", "from qmtcli.paper.mount import mounted\nWORD = mounted()\n")
    assert answer(run(MOUNT + ASK, PYTHONPATH=folder))[1] is True


# -- what must not go on -----------------------------------------------------------------------------------


def broken(tmp_path: Path, **files: str) -> str:
    """The child's folder of a package in which these files are not what they should be."""
    package = tmp_path / "site" / "qmtcli"
    shutil.copytree(ROOT / "qmtcli", package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in files.items():
        (package / "paper" / f"{name}.py").write_text(text, encoding="utf-8")
    return str(package / "paper" / "child")


def in_a_run(run: Run, script: str, folder: str) -> subprocess.CompletedProcess[str]:
    environ = answer(run(MOUNT + "print(json.dumps({n: v for n, v in os.environ.items() if n.startswith('QMTCLI')}))"))
    return run(script, PYTHONPATH=folder, **environ)


def test_a_child_that_cannot_be_on_paper_does_not_begin(run: Run, tmp_path: Path) -> None:
    done = in_a_run(run, "print('begun')", broken(tmp_path, mount="raise ValueError('broken')"))
    assert (done.returncode, done.stdout) == (3, "")
    assert "no stand-ins: ValueError('broken')" in done.stderr


def test_a_child_whose_stand_in_cannot_be_loaded_gets_no_other(run: Run, tmp_path: Path) -> None:
    script = """
import sys; sys.modules["requests"] = None
for _ in range(2):
    try:
        import xtquant.xtpythonclient
    except ValueError as error:
        print(error)
"""
    done = in_a_run(run, script, broken(tmp_path, trading="raise ValueError('broken')"))
    assert (done.returncode, done.stdout.splitlines()) == (0, ["broken", "broken"])


def test_a_process_that_is_of_no_run_is_left_alone(run: Run, tmp_path: Path) -> None:
    done = run("import sys; print('qmtcli' in sys.modules)", PYTHONPATH=broken(tmp_path, mount="raise ValueError"))
    assert (done.returncode, done.stdout) == (0, "False\n")
