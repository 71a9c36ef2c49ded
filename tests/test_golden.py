"""Everything qmt says, to the letter: transcripts of shell sessions, and the tree of commands.

A file in ``golden/`` is a session in an empty folder, with an account of its own and the paper clock standing still::

    # remarks
    $ a command of the shell
    > its further lines
    | what it wrote to stdout
    ! what it wrote to stderr; |... and !... are lines that do not end
    = its exit status, where that is not 0

``python -m pytest tests/test_golden.py --regenerate`` runs the commands and writes what they say now. Whoever does
that reads every line of the difference as a user would.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from conftest import CLOCK, ROOT

from qmtcli import __version__
from qmtcli.cli import root
from qmtcli.commands.common import CommonOption
from qmtcli.console import FORMATS

GOLDEN = Path(__file__).with_name("golden")
SESSIONS = sorted(path.stem for path in GOLDEN.glob("*.txt"))
_MARK = "-- end of a command --"
#: commands whose stdout is a script's own
_OWN_STDOUT = {"run-strategy"}


def _commands(text: str) -> list[str]:
    """The commands of a transcript, as a shell takes them."""
    found: list[str] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(line[2:])
        elif line[:1] == ">":
            found[-1] += f"\n{line[2:]}"
    return found


def _run(commands: list[str], quick_program: Path) -> list[tuple[str, str, int]]:
    """(stdout, stderr, status) of each command, all of them in one shell."""
    end = f"\n{{ s=$?; printf '\\n{_MARK}%d\\n' $s; printf '\\n{_MARK}\\n' >&2; }}\n"
    # of a length that does not change, for tables show paths
    top = Path(tempfile.mkdtemp(prefix="qmt_", dir="/tmp"))
    try:
        program = top / "bin" / "qmt"
        program.parent.mkdir()
        program.symlink_to(quick_program)
        (top / "work").mkdir()
        done = subprocess.run(
            ["sh", "-c", "".join(f"{command}{end}" for command in commands)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=top / "work",
            env={
                "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "HOME": str(top),
                "LANG": "C.UTF-8",
                "COLUMNS": "80",
                "QMT_STATE": str(top / "state"),
                "QMT_PAPER_CLOCK": CLOCK,
                # what a transcript says is the same on any day
                "MACHINE_CLOCK": CLOCK,
                "_PYTHON_HOST_PLATFORM": "linux-x86_64",
            },
            check=False,
        )
    finally:
        shutil.rmtree(top)
    out = _plain(done.stdout.decode(), top).split(f"\n{_MARK}")
    err = _plain(done.stderr.decode(), top).split(f"\n{_MARK}\n")
    results = []
    for number in range(len(commands)):
        status, _, following = out[number + 1].partition("\n")
        results.append((out[number], err[number], int(status)))
        out[number + 1] = following
    return results


def _plain(text: str, top: Path) -> str:
    """What differs between machines and versions, made the same without a change of length."""
    text = text.replace(str(top), "/tmp/qmt_XXXXXXXX").replace(f"qmt {__version__}", "qmt VERSION")
    text = re.sub(r"\d+\.\d GB", "XX.X GB", text)
    text = re.sub(r"xtquant \d{6}\.\d\.\d", "xtquant VVVVVV.V.V", text)
    return re.sub(r"Python 3\.\d\d", "Python 3.XX", re.sub(r"xtquant_\d{6}", "xtquant_XXXXXX", text))


def _transcript(text: str, quick_program: Path) -> str:
    """A transcript of the same commands, with what they say now."""
    results = iter(_run(_commands(text), quick_program))
    lines: list[str] = []
    said: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line[:1] in ("|", "!", "="):
            continue
        if line[:1] != ">":
            lines += said
            said = _said(*next(results)) if line.startswith("$ ") else []
        lines.append(line)
    return "\n".join(lines[:-1]) + "\n"


def _said(out: str, err: str, status: int) -> list[str]:
    return [*_signed("|", out), *_signed("!", err), *([f"= {status}"] if status else [])]


def _signed(sign: str, text: str) -> list[str]:
    *lines, rest = text.split("\n")
    unended = [f"{sign}... {rest}"] if rest else []
    return [f"{sign} {line}" if line else sign for line in lines] + unended


@pytest.fixture(scope="session")
def transcripts(quick_program: Path, request: pytest.FixtureRequest) -> Iterator[dict[str, Future[str]]]:
    """What the sessions to be tested say now; they run side by side."""
    tests = [item.name for item in request.session.items if item.name.startswith("test_session[")]
    names = [test.removeprefix("test_session[").removesuffix("]") for test in tests]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {
            name: pool.submit(_transcript, (GOLDEN / f"{name}.txt").read_text("utf-8"), quick_program) for name in names
        }


@pytest.mark.skipif(sys.platform != "linux", reason="the sessions show the paths and words of Linux")
@pytest.mark.parametrize("session", SESSIONS)
def test_session(session: str, transcripts: dict[str, Future[str]], regenerate: bool) -> None:
    _hold(f"{session}.txt", transcripts[session].result(), regenerate)


def _hold(name: str, text: str, regenerate: bool) -> None:
    path = GOLDEN / name
    if regenerate:
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


# -- nothing is left out -------------------------------------------------------------------------------


def _leaves() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its words."""
    cli = root()
    for name in cli.list_commands(click.Context(cli)):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from ((f"{name} {part}", found) for part, found in command.commands.items())
        else:
            yield name, command


@pytest.mark.parametrize("name", [name for name, _ in _leaves() if name not in _OWN_STDOUT])
def test_a_command_is_seen_in_every_format_and_language(name: str) -> None:
    commands = _commands((GOLDEN / f"{name.replace(' ', '-')}.txt").read_text("utf-8"))
    own = [command for command in commands if f"qmt {name}" in command]
    wanted = {"--lang zh", "--json", *(f"-o {format}" for format in FORMATS if format not in ("table", "json"))}
    assert [words for words in sorted(wanted) if not any(words in command for command in own)] == []
    assert [command for command in own if not any(words in command for words in wanted)] != []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_command_shows_its_help(language: str) -> None:
    commands = _commands((GOLDEN / f"help-{language}.txt").read_text("utf-8"))
    groups = {name.partition(" ")[0] for name, _ in _leaves() if " " in name}
    wanted = ["qmt", *(f"qmt {name}" for name in (*groups, *(name for name, _ in _leaves())))]
    assert sorted(command for command in commands if command.startswith("qmt")) == sorted(
        f"{name} --help" for name in wanted
    )


# -- the contract with scripts, over every transcript ------------------------------------------------------


class Said(NamedTuple):
    """One command of a transcript and what it said."""

    command: str
    out: str
    err: str
    status: int


def _all_said() -> list[Said]:
    found = []
    for session in SESSIONS:
        for block in re.split(r"^\$ ", (GOLDEN / f"{session}.txt").read_text("utf-8"), flags=re.MULTILINE)[1:]:
            first, *lines = block.splitlines()
            out, err = ("".join(f"{line[2:]}\n" for line in lines if line[:1] == sign) for sign in "|!")
            status = next((int(line[2:]) for line in lines if line.startswith("= ")), 0)
            found.append(Said(first, out, err, status))
    return found


ALL_SAID = _all_said()
#: shape of the JSON of each command
ROWS = (
    "login-check", "quote", "cancel", "positions", "orders", "trades", "config show", "calendar show", "session list",
    "session clean", "limits", "rebalance", "reconcile", "log", "book show", "report",
)  # fmt: skip
#: commands whose JSON is an object a line, as they end
STREAMS = {"batch", "apply"}
SHAPES = dict.fromkeys(ROWS, list) | (
    dict.fromkeys(("buy", "sell", "asset", "config init", "config path", "calendar import"), dict)
    | dict.fromkeys(("paper status", "paper reset", "paper deposit", "paper withdraw", "paper next-day"), dict)
    | dict.fromkeys(("replace", "max", "halt", "resume", "day-close", "book adjust"), dict)
)


def _name(command: str) -> str:
    """The command that a line runs, without its options: ``paper status``."""
    line = command.rpartition("qmt ")[2]
    found = [name for name, _ in _leaves() if re.search(rf"(^|\s){name}(\s|$)", line)]
    return max(found, key=len, default="")


def _is_of_many(command: str) -> bool:
    """Whether a buy or a sell is of many orders, or is written as a plan."""
    return bool(re.search(r"--everything|(buy|sell) - ", command))


JSON_SAID = [said for said in ALL_SAID if re.search(r"--json(\s|$)", said.command.rpartition("| ")[2])]


@pytest.mark.parametrize("said", JSON_SAID, ids=lambda said: said.command)
def test_json_is_one_document_or_one_error(said: Said) -> None:
    name = _name(said.command)
    if said.err:
        error = json.loads(said.err)["error"]
        assert said.err.count("\n") == 1
        # of several profiles those that answered have rows all the same
        assert said.status == 9 if said.out else said.status == error["exit_status"]
        assert error["code"] and error["message"] and error["hint"]
    elif name in STREAMS or _is_of_many(said.command):
        assert all(isinstance(json.loads(line), dict) for line in said.out.splitlines())
    elif name not in _OWN_STDOUT:
        assert isinstance(json.loads(said.out), SHAPES[name])


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_the_keys_of_a_command_are_always_the_same(name: str) -> None:
    documents = [
        json.loads(said.out)
        for said in JSON_SAID
        if _name(said.command) == name
        and not re.search("--fields|--days|--date|--plan|--everything|(buy|sell) - ", said.command)
        and said.out
    ]
    rows = [row for document in documents for row in (document if isinstance(document, list) else [document])]
    rows += [part for row in rows for part in row.get("parts", [])]
    identity = {"mode", "profile", "account_id"}
    assert len({frozenset(row) - identity for row in rows}) == 1


def test_an_error_is_one_line() -> None:
    """But for the help that stands for a command, and what a script prints itself."""
    wrong = [
        said
        for said in ALL_SAID
        if said.status in (1, 2, 3, 4, 5, 6, 7, 10)
        and _name(said.command) not in ("", "login-check", "cancel", "reconcile", *STREAMS, *_OWN_STDOUT)
        and (said.out or said.err.count("\n") != 1)
    ]
    assert wrong == []


# -- the tree of commands ------------------------------------------------------------------------------


def _tree() -> Iterator[str]:
    cli = root()
    yield "qmt"
    yield from _parameters(cli, True)
    for name, command in _leaves():
        yield f"qmt {name}"
        yield from _parameters(command, False)


def _parameters(command: click.Command, common: bool) -> Iterator[str]:
    ctx = click.Context(command, **command.context_settings)
    for parameter in command.get_params(ctx):
        if isinstance(parameter, CommonOption) == common or parameter.name == "version":
            names = parameter.make_metavar(ctx) if isinstance(parameter, click.Argument) else ", ".join(parameter.opts)
            flag = isinstance(parameter, click.Option) and parameter.is_flag
            kind = parameter.type
            takes = "|".join(kind.choices) if isinstance(kind, click.Choice) else "" if flag else kind.name
            several = " several" if parameter.multiple or parameter.nargs == -1 else ""
            yield f"  {names}  {takes}{several}{' required' if parameter.required else ''}".rstrip()


def test_tree_of_commands(regenerate: bool) -> None:
    _hold("commands.tree", "\n".join(_tree()) + "\n", regenerate)
