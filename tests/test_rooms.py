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
    "config": BELOW | {"symbols"},
    "console": BELOW,
    "output": BELOW | {"console"},
    "orders": BELOW | {"rules"},
    "xt": BELOW,
    "paper": BELOW | {"rules"},
    "backend": BELOW | {"config", "xt", "paper"},
    "desk": BELOW | {"config", "xt", "orders"},
    "strategy": BELOW | {"config", "backend", "desk", "xt"},
    "commands": BELOW | {"__init__", "symbols", "rules", "config", "console", "output", "orders", "xt", "paper", "backend",
                         "desk", "strategy"},
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
        if (parts := name.split("."))[0] == "qmtcli" and len(parts) > 1 and ((PACKAGE / parts[1]).exists() or (PACKAGE / f"{parts[1]}.py").exists())
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


HEAVY = ("pandas", "numpy", "tabulate", "yaml", "requests", "pkg_resources", "platformdirs.windows")


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--version"], ("click", "xtquant", "qmtcli.console", *HEAVY)),
        (["--help"], ("xtquant", "sqlite3", "asyncio", "qmtcli.xt", "qmtcli.paper", "qmtcli.commands.buy_sell", *HEAVY)),
        (["positions", "--json"], ("xtquant.xtdata", "xtquant.xtbson.bson37", "qmtcli.paper.market", "qmtcli.orders", *HEAVY)),
        (["buy", "600000.SH", "100", "--limit", "9.09", "--json"], HEAVY),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_pays_for_what_it_uses(arguments: list[str], absent: tuple[str, ...]) -> None:
    script = (
        "import sys, os\n"
        "from qmtcli import __main__ as start\n"
        f"sys.argv = ['qmt', *{arguments!r}]\n"
        "def leave(status):\n"
        f"    loaded = [name for name in {absent!r} if name in sys.modules]\n"
        "    sys.stderr.write('LOADED ' + ' '.join(loaded) + '\\n'); sys.stderr.flush(); os.kill(os.getpid(), 9)\n"
        "import atexit; real, os._exit = os._exit, leave; sys.exit = leave\n"
        "start.run()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "LOADED \n" in done.stderr, done.stderr
