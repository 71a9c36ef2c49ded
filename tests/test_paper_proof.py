"""Paper is proved: over anything but the vendor's own package every paper command stops, and nothing of it runs.

Whatever runs of a folder under suspicion is written down by an audit hook of the tests' own, in every process.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Result

Qmt = Callable[..., Result]

#: every command that needs a paper account
COMMANDS = {
    "login-check": ["login-check"],
    "quote": ["quote", "600000.SH"],
    "buy": ["buy", "600000.SH", "100", "--limit", "9.09"],
    "dry run": ["buy", "600000.SH", "100", "--limit", "9.09", "--dry-run"],
    "sell": ["sell", "600000.SH", "100", "--limit", "9.00"],
    "cancel": ["cancel", "--all"],
    "positions": ["positions"],
    "orders": ["orders"],
    "trades": ["trades"],
    "asset": ["asset"],
    "run-strategy": ["run-strategy", "script.py"],
    "paper status": ["paper", "status"],
    "paper reset": ["paper", "reset", "--yes"],
    "paper deposit": ["paper", "deposit", "100"],
    "paper withdraw": ["paper", "withdraw", "100"],
    "paper next-day": ["paper", "next-day"],
}

#: a sitecustomize that writes down which files of the folder execute
WATCH = """
import os, sys
def watch(event, arguments):
    file = getattr(arguments[0], 'co_filename', '') if event == 'exec' else ''
    if file.startswith(os.environ['WATCHED']):
        with open(os.environ['EXECUTED'], 'a') as written:
            written.write(file + '\\n')
sys.addaudithook(watch)
"""
#: a module that imitates any other: what it is asked for is a class whose every method answers 0
IMITATION = """
class Anything:
    def __init__(self, *arguments): pass
    def __getattr__(self, name): return lambda *arguments: 0
def __getattr__(name):
    if name.startswith('__'): raise AttributeError(name)
    return Anything
"""


class Site:
    """A folder that comes first on the path of the processes of one test."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._watch = tmp_path / "site", tmp_path / "watch"
        self.package, self._executed = self.folder / "xtquant", tmp_path / "executed"
        self.folder.mkdir()
        self._watch.mkdir()
        self.early("")
        (tmp_path / "work" / "script.py").write_text("from xtquant import xttrader\n", encoding="utf-8")
        monkeypatch.setenv("WATCHED", str(self.folder))
        monkeypatch.setenv("EXECUTED", str(self._executed))
        self.env = {"PYTHONPATH": os.pathsep.join(map(str, (self._watch, self.folder, ROOT)))}

    @property
    def executed(self) -> list[str]:
        """Files of the folder that ran."""
        return self._executed.read_text(encoding="utf-8").splitlines() if self._executed.exists() else []

    def early(self, code: str) -> None:
        """Run code before qmt starts."""
        (self._watch / "sitecustomize.py").write_text(WATCH + code, encoding="utf-8")

    def copy_vendor(self, record: bool = True) -> None:
        """The installed package without its libraries, and what its installation recorded."""
        spec = importlib.util.find_spec("xtquant")
        assert spec is not None
        assert spec.origin is not None
        source = Path(spec.origin).parent
        shutil.copytree(source, self.package, ignore=shutil.ignore_patterns("*.pyd", "*.dll", "doc", "__pycache__"))
        (info,) = source.parent.glob("xtquant-*.dist-info")
        if record:
            shutil.copytree(info, self.folder / info.name)

    def append(self, module: str, line: str) -> None:
        """Add a line to a module of the package."""
        with (self.package / f"{module}.py").open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")

    def imitate(self, *modules: str, before: str = "") -> None:
        """Put imitations in the place of modules of the package."""
        self.package.mkdir(exist_ok=True)
        for module in modules:
            (self.package / f"{module}.py").write_text(before + IMITATION, encoding="utf-8")

    def record_as_vendor(self) -> None:
        """Record the package as its installation under the vendor's name would."""
        info = self.folder / "xtquant-999.1.dist-info"
        info.mkdir()
        lines = []
        for file in sorted(self.package.rglob("*.py")):
            digest = base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest()).rstrip(b"=").decode()
            lines.append(f"{file.relative_to(self.folder).as_posix()},sha256={digest},{file.stat().st_size}\n")
        (info / "RECORD").write_text("".join(lines), encoding="utf-8")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path, monkeypatch)


ALL = (
    "__init__",
    "xttrader",
    "xttype",
    "xtconstant",
    "xtdata",
    "xtdatacenter",
    "xtconn",
    "xtpythonclient",
    "datacenter",
)
MARKS = """
# __version__ = "xtquant_250807"
# self.async_client = _XTQC_.XtQuantAsyncClient(path.encode('gb18030'), 'xtquant', session)
# class StockAccount(object):
# STOCK_BUY = 23
# RPCClient = __dc.IPythonApiClient
# cl = try_create_client()
# from .xtdatacenter import register_create_nparray
"""


def _whole(site: Site) -> None:
    site.imitate(*ALL)


def _recorded(site: Site) -> None:
    site.imitate(*ALL)
    site.record_as_vendor()


def _marks_in_comments(site: Site) -> None:
    site.imitate(*ALL, before=MARKS)
    site.record_as_vendor()


def _without_record(site: Site) -> None:
    site.copy_vendor(record=False)


def _replaced(module: str) -> Callable[[Site], None]:
    def make(site: Site) -> None:
        site.copy_vendor()
        site.imitate(module, before=MARKS)

    return make


def _one_line_more(module: str) -> Callable[[Site], None]:
    def make(site: Site) -> None:
        site.copy_vendor()
        site.append(module, "pass")

    return make


def _shadowed(site: Site) -> None:
    """A package wins over a module of its name."""
    site.copy_vendor()
    (site.package / "xttrader").mkdir()
    (site.package / "xttrader" / "__init__.py").write_text(IMITATION, encoding="utf-8")


FORMS: dict[str, Callable[[Site], None]] = {
    "a whole imitation, recorded under the vendor's name": _recorded,
    "the vendor's marks in comments": _marks_in_comments,
    "the vendor's files, recorded nowhere": _without_record,
    "xttrader replaced": _replaced("xttrader"),
    "xtdata replaced": _replaced("xtdata"),
    "xttrader with one line more": _one_line_more("xttrader"),
    "xtconn with one line more": _one_line_more("xtconn"),
    "the package's own code with one line more": _one_line_more("__init__"),
    "xttrader shadowed by a package": _shadowed,
}


def _holds(done: Result, site: Site, tmp_path: Path, code: str) -> None:
    """Status 3, a hint, and nothing else happened."""
    assert done.status == 3, done
    if done.stdout:  # login-check says it in its rows
        failed = [row for row in json.loads(done.stdout) if row["result"] == "fail"]
        assert {row["code"] for row in failed} == {code}
        assert all(row["fix"] for row in failed)
    else:
        assert done.error["code"] == code
        assert done.error["hint"]
    assert site.executed == []
    assert not (tmp_path / "state" / "paper").exists()


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_over_an_imitation_every_command_stops(qmt: Qmt, site: Site, tmp_path: Path, words: list[str]) -> None:
    _whole(site)
    done = qmt(*words, "--json", env=site.env)
    _holds(done, site, tmp_path, "paper_not_proved")
    if not done.stdout:
        assert done.error["file"] == str(site.package / "__init__.py")


@pytest.mark.parametrize("command", ["buy", "paper status"])
@pytest.mark.parametrize("make", FORMS.values(), ids=FORMS)
def test_whatever_its_form(qmt: Qmt, site: Site, tmp_path: Path, make: Callable[[Site], None], command: str) -> None:
    make(site)
    _holds(qmt(*COMMANDS[command], "--json", env=site.env), site, tmp_path, "paper_not_proved")


def test_a_person_reads_which_file_and_what_to_do(qmt: Qmt, site: Site) -> None:
    _replaced("xttrader")(site)
    done = qmt("positions", env={**site.env, "LANG": "zh_CN.UTF-8"})
    assert (done.status, done.stdout) == (3, "")
    assert done.stderr.rstrip() == (
        f"【模拟】qmt: 不能证明这是模拟: {site.package / 'xttrader.py'} 不是迅投原版 xtquant, 已停止 — "
        "有软件包覆盖了 xtquant; 在新的虚拟环境安装, 或 python -m pip install --force-reinstall xtquant"
    )


def test_a_copy_with_its_record_is_the_vendors(qmt: Qmt, site: Site) -> None:
    """The control: nothing but its files decides; and imitations of the native modules beside them are not reached."""
    site.copy_vendor()
    site.imitate("xtpythonclient", "datacenter")
    done = qmt(*COMMANDS["buy"], "--json", env=site.env)
    assert (done.status, done.stderr, done.json["status"]) == (0, "", "filled")
    assert {Path(file).name for file in site.executed} >= {"__init__.py", "xttrader.py", "xtdata.py", "xtconn.py"}
    assert {Path(file).stem for file in site.executed}.isdisjoint({"xtpythonclient", "datacenter"})


# -- what was imported before qmt started --------------------------------------------------------------------------

MODULE = "import types, sys\ndef put(name):\n    sys.modules[name] = types.ModuleType(name)\n"
EARLY = {
    "a trader": MODULE + "put('xtquant')\nput('xtquant.xttrader')\n",
    "a native module": MODULE + "put('xtquant.xtpythonclient')\n",
    "the other native module": MODULE + "put('xtquant.datacenter')\n",
    "the package": MODULE + "put('xtquant')\n",
    "the vendor's trader over another native module": MODULE
    + "put('xtquant.xtpythonclient')\nimport xtquant.xttrader\ndel sys.modules['xtquant.xtpythonclient']\n",
    "types of an imitation": MODULE + "put('xtquant.xttype')\n",
}


@pytest.mark.parametrize("code", EARLY.values(), ids=EARLY)
def test_what_was_imported_before_is_too_late(qmt: Qmt, site: Site, tmp_path: Path, code: str) -> None:
    site.early(code)
    _holds(qmt(*COMMANDS["buy"], "--json", env=site.env), site, tmp_path, "too_late_for_paper")


def test_an_imitation_that_a_pth_file_imports_stops_qmt(qmt: Qmt, site: Site, tmp_path: Path) -> None:
    _whole(site)
    (site.folder / "imitation.pth").write_text("import xtquant.xttrader\n", encoding="utf-8")
    site.early(f"import site\nsite.addsitedir({str(site.folder)!r})\n")
    done = qmt(*COMMANDS["buy"], "--json", env=site.env)
    assert (done.status, done.error["code"]) == (3, "paper_not_proved")
    assert {Path(file).name for file in site.executed} == {"__init__.py", "xttrader.py"}  # the .pth file's doing
    assert not (tmp_path / "state" / "paper").exists()


def test_the_vendors_constants_imported_before_do_no_harm(qmt: Qmt, site: Site) -> None:
    site.early("import xtquant.xtconstant, xtquant.xttype\n")
    done = qmt(*COMMANDS["buy"], "--json", env=site.env)
    assert (done.status, done.json["status"]) == (0, "filled")


# -- children, and scripts with a package of their own -------------------------------------------------------------

TRADE = """
import os, sys
def trade():
    import xtquant
    from xtquant import xtconstant, xtdata
    from xtquant.xttrader import XtQuantTrader, XtQuantTraderCallback
    from xtquant.xttype import StockAccount
    trader = XtQuantTrader('userdata_mini', os.getpid())
    trader.register_callback(XtQuantTraderCallback())
    trader.start()
    account = StockAccount('1000000365')
    assert (trader.connect(), trader.subscribe(account)) == (0, 0)
    order_id = trader.order_stock(account, '600000.SH', xtconstant.STOCK_BUY, 100, xtconstant.FIX_PRICE, 9.09, '', '')
    return order_id, xtquant.__file__
"""
#: starts itself in ways that make the imitation the first package on the child's path
CHILDREN = (
    TRADE
    + """
import subprocess
if len(sys.argv) > 1:
    print(*trade())
else:
    folder, path = os.environ['WATCHED'], os.environ['PYTHONPATH'].split(os.pathsep)
    sys.path.insert(0, folder)
    print(*trade(), flush=True)
    first = {**os.environ, 'PYTHONPATH': os.pathsep.join([path[0], folder, *path[1:]])}
    subprocess.run([sys.executable, __file__, 'x'], env=first, check=True)
    subprocess.run([sys.executable, '-c', open(__file__).read(), 'x'], cwd=folder, check=True)
    subprocess.run([sys.executable, os.path.join(folder, 'beside.py'), 'x'], check=True)
"""
)


def test_children_are_not_fooled(qmt: Qmt, site: Site, tmp_path: Path) -> None:
    """A run keeps to the package that it proved, wherever its paths lead to."""
    _whole(site)
    (tmp_path / "work" / "script.py").write_text(CHILDREN, encoding="utf-8")
    (site.folder / "beside.py").write_text(CHILDREN, encoding="utf-8")
    env = {"PYTHONPATH": site.env["PYTHONPATH"].replace(str(site.folder), str(tmp_path / "nothing"))}
    done = qmt("run-strategy", "script.py", env=env)
    spec = importlib.util.find_spec("xtquant")
    assert spec is not None
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{number} {spec.origin}" for number in (1, 2, 3, 4)]
    assert {Path(file).name for file in site.executed} == {"beside.py"}
    assert [row["volume"] for row in qmt("positions", "--json").json] == [400]


def test_a_child_whose_package_was_replaced_meanwhile_trades_nowhere(qmt: Qmt, site: Site, tmp_path: Path) -> None:
    site.copy_vendor()
    script = (
        "import subprocess, sys\n"
        f"open({str(site.package / 'xttrader.py')!r}, 'a').write('pass')\n"
        "sys.exit(subprocess.run([sys.executable, '-c', 'import xtquant.xttrader']).returncode)\n"
    )
    (tmp_path / "work" / "script.py").write_text(script, encoding="utf-8")
    done = qmt("run-strategy", "script.py", env=site.env)
    assert (done.status, done.stdout) == (1, "")
    message = f"NotProved: {site.package / 'xttrader.py'} is not the vendor's own xtquant: not on paper"
    assert done.stderr.splitlines()[-1].endswith(message)
    assert [file for file in site.executed if file.endswith("xttrader.py")] == []


def test_a_file_that_nothing_went_through_is_proved_when_it_is_imported(qmt: Qmt, site: Site, tmp_path: Path) -> None:
    site.copy_vendor()
    site.append("xtview", "pass")
    (tmp_path / "work" / "script.py").write_text("import xtquant.xtconstant\nimport xtquant.xtview\n", encoding="utf-8")
    done = qmt("run-strategy", "script.py", env=site.env)
    assert (done.status, done.stdout) == (1, "")
    assert "xtview.py is not the vendor's own xtquant" in done.stderr.splitlines()[-1]


# -- a package that people install ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def big_convert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that ``xtquant-big-convert`` installs, or a skip where the package index cannot be reached."""
    folder = tmp_path_factory.mktemp("big-convert")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, "--target", str(folder), "xtquant-big-convert"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        pytest.skip(f"pip cannot install xtquant-big-convert: {reason}")
    return folder


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_over_xtquant_big_convert_every_command_stops(
    qmt: Qmt, site: Site, tmp_path: Path, big_convert: Path, words: list[str]
) -> None:
    site.copy_vendor()
    before = (site.package / "xttrader.py").read_bytes()
    shutil.copytree(big_convert, site.folder, dirs_exist_ok=True)
    assert (site.package / "xttrader.py").read_bytes() != before
    _holds(qmt(*words, "--json", env=site.env), site, tmp_path, "paper_not_proved")
