"""Arrows between rooms run down only, and heavy packages are imported where they are needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGE = ROOT / "qmtcli"

#: room -> what it may import besides itself; rooms below are named, not whole branches
BELOW = {"errors", "messages", "model", "text"}
MAY: dict[str, set[str]] = {
    "__init__": set(),
    "errors": set(),
    "messages": set(),
    "model": set(),
    "text": {"errors"},
    "symbols": BELOW | {"rules"},
    "rules": BELOW,
    "config": BELOW | {"symbols", "rules"},
    "console": BELOW,
    "output": BELOW | {"console"},
    "orders": BELOW | {"rules"},
    "xt": BELOW,
    "database": set(),
    "ledger": BELOW | {"database"},
    "halt": BELOW,
    "tickets": BELOW | {"symbols", "rules", "config", "orders", "xt"},
    "batch": BELOW | {"tables", "tickets", "xt"},
    "plans": BELOW | {"ledger"},
    "tables": BELOW,
    "rebalance": BELOW | {"symbols", "rules", "tables", "orders", "tickets", "books", "ledger", "desk", "xt"},
    "books": BELOW | {"ledger", "orders", "rules"},
    "paper": BELOW | {"rules", "database"},
    "backend": BELOW | {"rules", "config", "xt", "paper", "ledger"},
    "desk": BELOW | {"symbols", "rules", "config", "xt", "orders", "tickets", "ledger", "halt"},
    "strategy": BELOW | {"symbols", "rules", "config", "orders", "tickets", "books", "ledger", "backend", "desk", "xt"},
    "testing": BELOW | {"config", "backend", "xt", "paper", "rules"},
    "commands": BELOW | {"__init__", "symbols", "rules", "config", "console", "output", "orders", "xt", "paper",
                         "backend", "desk", "strategy", "tickets", "ledger", "halt", "batch",
                         "plans", "books", "tables", "rebalance"},
    "cli": BELOW | {"commands"},
    "__main__": BELOW | {"__init__", "console", "commands", "cli"},
}  # fmt: skip
KNOWS_CLICK = {"commands", "cli", "__main__"}


def _room(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_arrows_run_down(file: Path) -> None:
    room = _room(file)
    own = {
        parts[1]
        for name in _imports(file)
        if (parts := name.split("."))[0] == "qmtcli"
        and len(parts) > 1
        and ((PACKAGE / parts[1]).exists() or (PACKAGE / f"{parts[1]}.py").exists())
    }
    assert own - {room} <= MAY[room]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_only_the_command_line_knows_click(file: Path) -> None:
    if _room(file) not in KNOWS_CLICK:
        assert "click" not in {name.split(".")[0] for name in _imports(file)}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_only_xt_knows_the_vendor(file: Path) -> None:
    """And the stand-ins its codec, which lies below the native line."""
    vendor = {name for name in _imports(file) if name.split(".")[0] == "xtquant"}
    if _room(file) == "paper":
        vendor -= {"xtquant", *(name for name in vendor if "xtbson" in name)}
    assert not vendor or _room(file) == "xt"


@pytest.mark.parametrize("room", sorted(MAY))
def test_every_room_says_what_belongs_in_it(room: str) -> None:
    path = PACKAGE / room
    file = path / "__init__.py" if path.is_dir() else PACKAGE / f"{room}.py"
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))


def test_every_room_is_in_the_table() -> None:
    assert {_room(file) for file in FILES} <= set(MAY)


HEAVY = ("openpyxl", "pandas", "numpy", "tabulate", "yaml", "requests", "pkg_resources")
#: what the usual paper run needs neither to read nor to trade
ASIDE = (
    "filelock",
    "qmtcli.strategy",
    "qmtcli.xt.diagnose",
    "qmtcli.xt.slots",
    # elsewhere it alone knows the user's folders
    *(("platformdirs", "shutil", "tempfile") if sys.platform == "linux" else ()),
)
#: what a command needs when it runs, and not to tell of itself
RUNNING = ("asyncio", "dataclasses", "decimal", "json", "pathlib", "sqlite3", "xtquant")


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--version"], ("click", "re", "typing", "qmtcli.console", "qmtcli.errors", *RUNNING, *HEAVY)),
        (
            ["--help"],
            (
                "platformdirs",
                "qmtcli.backend",
                "qmtcli.commands.buy_sell",
                "qmtcli.config",
                "qmtcli.desk",
                "qmtcli.model",
                "qmtcli.output",
                "qmtcli.paper",
                "qmtcli.rules",
                "qmtcli.xt",
                *RUNNING,
                *HEAVY,
            ),
        ),
        (
            ["positions", "--json"],
            (
                "qmtcli.commands.buy_sell",
                "qmtcli.desk",
                "qmtcli.orders",
                "qmtcli.paper.market",
                "secrets",
                "xtquant.xtbson.bson37",
                "xtquant.xtdata",
                *ASIDE,
                *HEAVY,
            ),
        ),
        (["buy", "600000.SH", "100", "--limit", "9.09", "--json"], (*ASIDE, *HEAVY)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_pays_for_what_it_uses(
    arguments: list[str], absent: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("QMT_STATE", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    script = (
        "import sys, os\n"
        "told = os.dup(2)\n"
        "before = set(sys.modules)\n"
        "from qmtcli import __main__ as start\n"
        f"sys.argv = ['qmt', *{arguments!r}]\n"
        "def leave(status):\n"
        f"    loaded = [name for name in {absent!r} if name in sys.modules and name not in before]\n"
        "    os.write(told, ('LOADED ' + ' '.join(loaded) + '\\n').encode()); os.kill(os.getpid(), 9)\n"
        "import atexit; real, os._exit = os._exit, leave; sys.exit = leave\n"
        "start.run()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "LOADED \n" in done.stderr, done.stderr
