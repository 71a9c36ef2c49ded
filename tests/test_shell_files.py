"""What shells and manuals are given: the generated files are current and complete, and TAB offers what there is.

Completions are asked for as the shells ask, through `main`; where bash, zsh or fish is installed, by the shell itself.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import click
import pytest
from click.shell_completion import CompletionItem
from conftest import CLOCK, ROOT, WINDOWS, Result

from qmtcli.__main__ import main
from qmtcli.cli import COMMANDS, root
from qmtcli.commands import shells
from qmtcli.config import VARIABLES
from qmtcli.console import Console
from qmtcli.errors import ExitStatus
from qmtcli.paper.counter import NewOrder
from qmtcli.paper.exchange import Exchange
from qmtcli.paper.settings import Settings

SCRIPT = ROOT / "scripts" / "shell_files.py"
SHELLS = ("bash", "zsh", "fish", "powershell")


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("shell_files", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


shell_files = _script()


def _commands() -> Iterator[tuple[str, list[str], click.Command]]:
    """(page, words, command) of every command that does something; those of a group share its page."""
    cli = root()
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        parts = command.commands if isinstance(command, click.Group) else {}
        for words, part in [([name, word], part) for word, part in parts.items()] or [([name], command)]:
            yield f"qmt-{name}.1", words, part


# -- files ---------------------------------------------------------------------------------------------


def test_files_are_current() -> None:
    # in a process of its own: the language of the help is that of the first import
    command = [sys.executable, SCRIPT, "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "QMT_LANG": "zh"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_stale_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_files, "ROOT", tmp_path)
    made = f"body\n{shell_files.MADE}9.0.0; do not edit.\n"
    files = {f"man/{name}": "a page" for name in ("missing.1", "other.1", "same.1")}
    files |= {f"completions/{name}": made for name in ("changed", "other-click", "same")}
    for name, text in {
        "man/of-no-command.1": "a page",
        "man/other.1": "another page",
        "man/same.1": "a page",
        "completions/changed": made.replace("body", "hand"),
        "completions/other-click": made.replace("body", "its body").replace("9.0.0", "8.5.0"),
        "completions/same": made,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert shell_files.stale(files) == ["completions/changed", "man/missing.1", "man/of-no-command.1", "man/other.1"]


def test_check_says_what_is_stale_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shell_files, "ROOT", tmp_path)
    monkeypatch.setattr(shell_files, "made", lambda: {"man/qmt.1": "a page"})
    monkeypatch.setattr(sys, "argv", ["shell_files.py", "--check"])
    assert shell_files.main() == 1
    assert capsys.readouterr().err == "stale: man/qmt.1; run python scripts/shell_files.py\n"
    assert not (tmp_path / "man").exists()


def test_writing_makes_all_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_files, "ROOT", tmp_path)
    monkeypatch.setattr(shell_files, "made", lambda: {"man/qmt.1": "a page"})
    monkeypatch.setattr(sys, "argv", ["shell_files.py"])
    (tmp_path / "man").mkdir()
    (tmp_path / "man" / "of-no-command.1").touch()
    assert shell_files.main() == 0
    assert [(path.name, path.read_text()) for path in (tmp_path / "man").iterdir()] == [("qmt.1", "a page")]


def test_the_folders_hold_a_script_for_each_shell_and_a_page_for_each_command() -> None:
    assert {path.name for path in (ROOT / "completions").iterdir()} == {"qmt.bash", "_qmt", "qmt.fish", "qmt.ps1"}
    assert {path.name for path in (ROOT / "man").iterdir()} == {"qmt.1", *(page for page, _, _ in _commands())}


@pytest.mark.parametrize(("page", "words", "command"), [pytest.param(*one, id=" ".join(one[1])) for one in _commands()])
def test_a_page_has_every_option(page: str, words: list[str], command: click.Command) -> None:
    text = (ROOT / "man" / page).read_text("ascii")
    parameters = command.get_params(shell_files.context(command, words[-1]))
    names = [name for one in parameters if isinstance(one, click.Option) and not one.hidden for name in one.opts]
    assert shell_files.bold(" ".join(["qmt", *words])) in text
    assert {"--profile", "--help", "-h"} <= set(names)
    assert [name for name in names if shell_files.bold(name) not in text] == []


def test_the_main_page_has_every_status_variable_and_command() -> None:
    text = (ROOT / "man" / "qmt.1").read_text("ascii")
    assert [status for status in ExitStatus if f".TP\n\\fB{status.value}\\fR\n" not in text] == []
    assert set(shell_files.EXIT_STATUS) == set(ExitStatus)
    assert [name for name in VARIABLES if f".TP\n\\fB{name}\\fR\n" not in text] == []
    assert set(shell_files.ENVIRONMENT) == {*VARIABLES, "NO_COLOR"}
    assert [name for name in COMMANDS if f"{shell_files.bold(f'qmt-{name}')}(1)" not in text] == []


@pytest.mark.parametrize("example", [*shell_files.EXAMPLES, *(c.epilog for _, _, c in _commands() if c.epilog)])
def test_an_example_is_understood(example: str) -> None:
    for part in example.split(" | "):
        name, *words = part.split()
        command: click.Command = root()
        while isinstance(command, click.Group):
            name, command, words = command.resolve_command(click.Context(command), words)
        assert command.make_context(name, words).args == []


def test_roff_takes_no_text_for_a_request() -> None:
    assert shell_files.roff('.so -x\'s "a\\b" 2万') == r"\&.so \-x\(aqs \(dqa\(rsb\(dq 2\[u4E07]"


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
@pytest.mark.parametrize("device", ["ascii", "utf8"])
def test_groff_has_nothing_to_say(device: str) -> None:
    pages = sorted((ROOT / "man").glob("*.1"))
    done = subprocess.run(
        ["groff", "-man", "-ww", "-z", f"-T{device}", *pages], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


# -- completions ---------------------------------------------------------------------------------------


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """What a shell is offered at the end of a line; stderr must stay silent."""

    def offered(line: str, shell: str = "bash") -> list[str]:
        words = line.split(" ")
        monkeypatch.setenv("_QMT_COMPLETE", f"{shell}_complete")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words) - 1))
        assert main([], Console()) == 0
        out, err = capfd.readouterr()
        assert err == ""
        lines = out.splitlines() if out.strip() else []
        if shell in ("bash", "fish"):
            return [line.partition("\t")[0].removeprefix("plain,") for line in lines]
        assert len(lines) % 3 == 0
        return lines[1::3]

    return offered


@pytest.fixture
def exchange(clock: Callable[[str], None], tmp_path: Path) -> Iterator[Exchange]:
    """The paper account with a filled order, 1, and an open one, 2."""
    clock(CLOCK)
    exchange = Exchange(Settings(str(tmp_path / "state" / "paper" / "paper"), clock=CLOCK))
    for price in (9.09, 8.91):
        exchange.place(NewOrder("600000.SH", 23, 100, 11, price, strategy="", remark="", session=1, seq=1))
    yield exchange
    exchange.store.close()


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("qmt ", [*COMMANDS]),
        ("qmt bu", ["buy"]),
        ("qmt config ", ["init", "path", "show"]),
        ("qmt paper n", ["next-day"]),
        ("qmt buy --ma", ["--market"]),
        ("qmt buy 6000", ["600000.SH"]),
        ("qmt quote 600000.SH 5131", ["513100.SH"]),
        ("qmt cancel --all --code 30", ["300750.SZ"]),
        ("qmt cancel --all --side ", ["buy", "sell"]),
        ("qmt sell 600000.SH ", ["all"]),
        ("qmt buy 600000.SH 100 --price ", ["peer", "own", "last", "mid", "up", "down"]),
        ("qmt buy 600000.SH 100 --market ", ["best5-cancel", "best5-limit", "peer", "mine", "after-hours"]),
        ("qmt buy 920185.BJ 100 --market ", ["best5-cancel", "best5-limit", "peer", "mine"]),
        ("qmt buy --market ", ["best5-cancel", "best5-limit", "peer", "mine", "ioc", "fok", "after-hours"]),
        ("qmt calendar ", ["import", "show"]),
        ("qmt --account ", ["1000000365"]),
        ("qmt positions -o ", ["table", "wide", "json", "ndjson", "csv", "id"]),
        ("qmt --lang ", ["zh", "en"]),
        ("qmt --profile ", ["paper"]),
        ("qmt cancel ", []),
        ("qmt nonsense bu", ["buy"]),
        ("qmt buy --no-such-option 6000", ["600000.SH"]),
    ],
)
def test_offered(ask: Callable[..., list[str]], shell: str, line: str, offered: list[str]) -> None:
    assert ask(line, shell) == offered


@pytest.mark.parametrize("shell", SHELLS)
def test_order_ids(ask: Callable[..., list[str]], exchange: Exchange, shell: str) -> None:
    assert ask("qmt cancel ", shell) == ["2"]
    assert ask("qmt orders ", shell) == ["1", "2"]
    assert ask("qmt orders --open ", shell) == ["2"]


def test_order_ids_are_of_the_accounts_day(ask: Callable[..., list[str]], exchange: Exchange) -> None:
    exchange.next_day()
    assert ask("qmt orders ") == []


def test_the_accounts_file_stays_as_it_is(ask: Callable[..., list[str]], exchange: Exchange) -> None:
    exchange.store.close()
    file = exchange.settings.account_file
    before = file.read_bytes()
    assert ask("qmt cancel ") == ["2"]
    assert [(path, path.read_bytes()) for path in file.parent.iterdir()] == [(file, before)]


def test_a_broken_account_offers_nothing(ask: Callable[..., list[str]], exchange: Exchange) -> None:
    exchange.store.close()
    exchange.settings.account_file.write_bytes(b"not a database" * 100)
    assert ask("qmt cancel ") == []


@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shell != "bash"])
def test_a_value_joined_to_its_option_keeps_it(ask: Callable[..., list[str]], shell: str) -> None:
    assert ask("qmt quote --profile=pa", shell) == ["--profile=paper"]


def test_bash_takes_a_joined_value_apart(ask: Callable[..., list[str]]) -> None:
    assert ask("qmt quote --profile = pa") == ["paper"]
    assert ask("qmt quote --profile =") == ["paper"]
    assert ask("qmt --profile = paper quote 30") == ["300750.SZ"]


PROFILES = """\
default: ticks
profiles:
  ticks: {market: ./tapes}
  live: {live: true, path: /terminal/userdata_mini, account: "2000000000"}
  terminal: {market: xtdata}
  gone: {market: ./gone}
"""


def test_the_profile_in_use_decides(
    ask: Callable[..., list[str]], exchange: Exchange, user_config: Callable[[str], Path], tmp_path: Path
) -> None:
    user_config(PROFILES)
    (tmp_path / "tapes").mkdir()
    (tmp_path / "tapes" / "600519.SH_20230207_tick.csv").touch()
    assert ask("qmt --profile ") == ["paper", "ticks", "live", "terminal", "gone"]
    assert ask("qmt quote --profile li") == ["live"]
    assert ask("qmt quote ") == ["600519.SH"]
    assert ask("qmt --profile paper quote 6000") == ["600000.SH"]
    assert ask("qmt quote --profile paper 6000") == ["600000.SH"]
    assert ask("qmt --profile paper cancel ") == ["2"]
    for profile in ("live", "terminal", "gone", "unknown"):
        assert ask(f"qmt --profile {profile} quote ") == []
        assert ask(f"qmt --profile {profile} cancel ") == []


def test_accounts_are_those_of_the_profile(
    ask: Callable[..., list[str]], exchange: Exchange, user_config: Callable[[str], Path]
) -> None:
    user_config(
        'profiles: {paper: {accounts: ["1002"]}, live: {live: true, path: /terminal/userdata_mini, account: "2"}}'
    )
    assert ask("qmt cancel --account ") == ["1000000365", "1002"]
    assert ask("qmt --account 1002 asset --account ") == ["1000000365", "1002"]
    assert ask("qmt --profile live --account ") == ["2"]
    assert ask("qmt --account 1000000365 cancel ") == ["2"]
    assert ask("qmt --account 1002 cancel ") == []
    assert ask("qmt --account 1003 cancel ") == []


def test_a_broken_configuration_offers_what_needs_none(
    ask: Callable[..., list[str]], user_config: Callable[[str], Path]
) -> None:
    user_config("profiles: [")
    assert ask("qmt --profile ") == []
    assert ask("qmt quote ") == []
    assert ask("qmt cancel ") == []
    assert ask("qmt quote --ma") == ["--max-age"]


def test_files_are_left_to_the_shell(ask: Callable[..., list[str]]) -> None:
    assert ask("qmt run-strategy de") == ["file,de"]
    assert ask("qmt quote --log ") == ["file,"]
    assert ask("qmt calendar import da") == ["file,da"]


def test_a_request_of_no_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_QMT_COMPLETE", "tcsh_complete")
    assert main([], Console()) == 1


def test_descriptions(qmt: Callable[..., Result], exchange: Exchange) -> None:
    def told(line: str, word: str, lang: str) -> str:
        return qmt(env={"_QMT_COMPLETE": "fish_complete", "COMP_WORDS": line, "COMP_CWORD": word, "LANG": lang}).stdout

    assert told("qmt bu", "bu", "zh_CN.UTF-8") == "plain,buy\t买入\n"
    assert told("qmt buy 6000", "6000", "en_US.UTF-8") == "plain,600000.SH\t浦发银行\n"
    assert told("qmt cancel ", "", "en_US.UTF-8") == "plain,2\tbuy 600000.SH 浦发银行 100 @ 8.91\n"
    assert told("qmt --profile ", "", "zh_CN.UTF-8") == "plain,paper\t模拟\n"


def test_nothing_of_the_vendor_is_imported_and_nothing_created(tmp_path: Path) -> None:
    lines = ["qmt ", "qmt buy 6000", "qmt cancel ", "qmt --profile ", "qmt orders --open ", "qmt buy --ma"]
    script = f"""\
import os, sys
from qmtcli.__main__ import main
for line in {lines!r}:
    os.environ.update(_QMT_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(line.count(" ")))
    assert main([]) == 0
print("LOADED", *(name for name in sys.modules if name.split(".")[0] in ("xtquant", "pandas", "numpy", "tabulate")))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout.splitlines()[-1], done.stderr) == ("LOADED", "")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(("first", "loaded"), [("qmt ", False), ("qmt bu", False), ("qmt buy --ma", True)])
def test_names_of_commands_need_no_command(first: str, loaded: bool) -> None:
    script = (
        "import sys; from qmtcli.__main__ import main\n"
        "assert main([]) == 0; print('qmtcli.commands.buy_sell' in sys.modules)"
    )
    env = {**os.environ, "_QMT_COMPLETE": "bash_complete", "COMP_WORDS": first, "COMP_CWORD": str(first.count(" "))}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=env, check=True)
    assert done.stdout.splitlines()[-1] == str(loaded)


def test_powershell_on_windows_is_told_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = shells.PowerShell(root(), {}, "qmt", shells.VARIABLE)
    monkeypatch.setattr(shells, "os", SimpleNamespace(name="nt"))
    assert shell.format_completion(CompletionItem("600000.SH", help="浦发银行")) == "plain\n600000.SH\n_"
    assert shell.format_completion(CompletionItem("buy", help="buy")) == "plain\nbuy\nbuy"


# -- the shells themselves -----------------------------------------------------------------------------


@pytest.fixture
def in_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Lines that a script prints in a shell in which ``qmt`` is this one."""
    program = tmp_path / "bin" / "qmt"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m qmtcli "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("HOME", str(tmp_path))

    def run(shell: str, script: str, *options: str) -> list[str]:
        path = None if WINDOWS else shutil.which(shell)
        if path is None:
            pytest.skip(f"there is no {shell} of POSIX here")
        done = subprocess.run([path, *options, "-c", script], capture_output=True, text=True, check=False, timeout=60)
        assert done.stderr == ""
        return done.stdout.splitlines()

    return run


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("qmt buy 6000", ["600000.SH"]),
        ("qmt --profile = pa", ["paper"]),
        ("qmt --profile = paper quote 5131", ["513100.SH"]),
        ("qmt paper ''", ["deposit", "next-day", "reset", "status", "withdraw"]),
    ],
)
def test_bash(in_shell: Callable[..., list[str]], words: str, offered: list[str]) -> None:
    script = f"""\
(( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404 )) || exit
source "{ROOT}/completions/qmt.bash"
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
complete -p qmt
_qmt_completion qmt
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    registered, *found = in_shell("bash", script, "--norc") or pytest.skip("bash is older than 4.4")
    assert registered == "complete -o nosort -F _qmt_completion qmt"
    assert found == offered


def test_zsh(in_shell: Callable[..., list[str]]) -> None:
    script = f"""\
compdef() {{ print -r -- "$@" }}
_describe() {{ print -rl -- "${{(@P)3}}" }}
compadd() {{ print -rl -- "${{(@P)5}}" }}
source "{ROOT}/completions/_qmt"
ask() {{ words=("$@"); CURRENT=$#; _qmt_completion }}
ask qmt buy 6000
ask qmt quote --profile=pa
ask qmt buy 600000.SH 100 --market=best5-
"""
    assert in_shell("zsh", script, "-f") == [
        "_qmt_completion qmt",
        "600000.SH:浦发银行",
        "--profile=paper:paper",
        "--market=best5-cancel",
        "--market=best5-limit",
    ]


def test_fish(in_shell: Callable[..., list[str]]) -> None:
    script = f"""\
source "{ROOT}/completions/qmt.fish"
complete -C "qmt buy 6000"
complete -C "qmt quote --profile=pa"
complete -C "qmt buy --lim"
"""
    assert in_shell("fish", script, "--no-config") == [
        "600000.SH\t浦发银行",
        "--profile=paper\tpaper",
        "--limit\tlimit price; CNY",
    ]


def test_a_shell_can_have_its_script_from_qmt_itself(qmt: Callable[..., Result]) -> None:
    done = qmt(env={"_QMT_COMPLETE": "powershell_source"})
    assert done.stdout.startswith("Register-ArgumentCompleter -Native -CommandName qmt -ScriptBlock {")
    assert (done.status, done.stderr) == (0, "")
