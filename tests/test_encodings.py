"""Chinese names through every command, whatever a pipe's code page; under json no word on stderr when all is well."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from conftest import CLOCK, Result

from qmtcli.cli import root
from qmtcli.console import Console

BUY = ("buy", "600000.SH", "100", "--limit", "9.09")
#: commands in the order in which they are run; what they say is the same whenever
WORDS: list[tuple[str, ...]] = [
    (*BUY, "--id", "first"),
    (*BUY, "--dry-run", "--id", "dry"),
    ("buy", "600000.SH", "100", "--limit", "9.00", "--id", "rests", "--strategy", "打板"),
    ("buy", "600000.SH", "50", "--limit", "9.09"),
    ("sell", "600000.SH", "100", "--limit", "9.00", "--id", "sold"),
    ("sell", "600000.SH", "浦发银行", "--limit", "9.00"),
    *(("orders",), ("positions",), ("trades",), ("asset",), ("login-check",), ("paper", "status")),
    *(("config", "show"), ("config", "path"), ("calendar", "show")),
    ("cancel", "2"),
    ("quote", "600000.SH", "510300.SH", "000001.SZ"),
    ("quote", "浦发银行"),
    ("config", "init", "--help"),
    ("calendar", "import", "days.txt"),
    ("run-strategy", "script.py"),
    ("paper", "reset", "--yes"),
    ("paper", "deposit", "1万"),
    ("paper", "withdraw", "1万"),
]


def _leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            yield from _leaves(command, (*path, name))
        else:
            yield (*path, name)


def _runs() -> list[tuple[str, ...]]:
    """Those and, without words, every other command."""
    named = [leaf for leaf in _leaves(root()) if not any(words[: len(leaf)] == leaf for words in WORDS)]
    return [*WORDS, *named, ("buy", "--help"), ("--help",)]


@pytest.fixture(autouse=True)
def world(clock: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The paper clock stands still, the reader reads Chinese, and there are files for the commands that want one."""
    clock(CLOCK)
    monkeypatch.setenv("QMT_LANG", "zh")
    Path("days.txt").write_bytes("2027-01-04 # 元旦后\r\n".encode("gbk"))
    Path("script.py").write_text("print('浦发银行')\n", encoding="utf-8")


# starting a command costs so much there that the one code page of its pipes has to do
@pytest.mark.parametrize("encoding", ["cp1252"] if os.name == "nt" else ["cp1252", "cp936"])
def test_every_command_survives_a_pipe_of_any_code_page(
    encoding: str, quick_qmt: Callable[..., Result], tmp_path: Path
) -> None:
    told = {}
    for name in {"utf-8" if os.name != "nt" else encoding, encoding}:
        state = tmp_path / f"{name:-<10}"
        env = {"PYTHONIOENCODING": name, "QMT_STATE": str(state)}
        told[name] = [
            [done.status, done.stdout.replace(state.name, "STATE"), done.stderr.replace(state.name, "STATE")]
            for done in (quick_qmt(*words, env=env) for words in _runs())
        ]
    for words, ours, theirs in zip(_runs(), told.get("utf-8", told[encoding]), told[encoding], strict=True):
        told_alike = slice(None) if words in WORDS else slice(1)
        assert [words, *theirs[told_alike]] == [words, *ours[told_alike]]
        assert ours[0] != 1 and "Traceback" not in ours[2]
    assert sum("浦发银行" in out + err for _, out, err in told[encoding]) >= 8


def test_under_json_stderr_says_nothing_but_what_is_wrong(quick_qmt: Callable[..., Result]) -> None:
    for words in _runs():
        if words[0] == "run-strategy" or "--help" in words:
            continue
        done = quick_qmt(*words, "--json")
        if done.stderr:
            assert (done.stdout, done.error["exit_status"]) == ("", done.status), words
        else:
            assert done.stdout == "" or json.loads(done.stdout) is not None
            assert done.status in (0, 3, 5, 8, 9), words


def test_json_into_a_pipe_of_windows_is_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    for shown, windows, escaped in ((False, True, True), (True, True, False), (False, False, False)):
        console = Console(env={}, stdout_is_terminal=shown)
        monkeypatch.setattr(console, "_windows", windows)
        assert console.ascii == escaped
