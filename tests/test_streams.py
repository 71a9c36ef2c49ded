"""The contract of the streams, with real descriptors: stdout is data or nothing, whatever else happens to a run."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import CLOCK, NATIVE, ROOT, WINDOWS, Result, not_on_windows
from wcwidth import wcswidth

QMT = [sys.executable, "-m", "qmtcli"]
#: seconds after which a run hangs
_PATIENCE = 60
BUY = ("buy", "600000.SH", "100", "--limit", "9.09")
#: beginnings of the names of native calls that change nothing; every other call counts as one that writes
READS = (
    "query", "subscribe", "unsubscribe", "connect", "init", "start", "stop", "setTimeout", "nextSeq", "bind",
    "get", "is_", "load_config", "set_config_addr", "shutdown", "commonControl", "supply",
)  # fmt: skip


@pytest.fixture(autouse=True)
def world(clock: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The paper clock stands still, and children find this qmt."""
    clock(CLOCK)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("TERM", raising=False)


@pytest.fixture
def native(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Counter[str]]:
    """The runs to come keep count of native calls; the answer is the count of those since the last answer."""
    log = tmp_path / "native.log"
    monkeypatch.setenv("PYTHONPATH", f"{NATIVE}{os.pathsep}{ROOT}")
    monkeypatch.setenv("NATIVE_LOG", str(log))

    def counted() -> Counter[str]:
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return Counter(lines)

    return counted


def _writes(calls: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in calls.items() if not name.startswith(READS)}


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with an account that has bought, and has an order that rests."""
    state = tmp_path_factory.mktemp("traded")
    env = {**os.environ, "QMT_STATE": str(state), "QMT_PAPER_CLOCK": CLOCK, "PYTHONPATH": str(ROOT)}
    for price in ("9.09", "9.00"):
        words = ("buy", "600000.SH", "300", "--limit", price, "--id", f"a{price}")
        subprocess.run([sys.executable, "-m", "qmtcli", *words], env=env, check=True, capture_output=True)
    return state


# -- the native line -----------------------------------------------------------------------------------


def test_a_dry_run_and_a_plan_make_no_writing_call(
    native: Callable[[], Counter[str]], quick_qmt: Callable[..., Result]
) -> None:
    assert quick_qmt("buy", "600000.SH", "200", "--limit", "9.09").status == 0
    assert quick_qmt("buy", "600000.SH", "200", "--limit", "9.00", "--id", "rests").status == 0
    assert quick_qmt("paper", "next-day").status == 0
    assert quick_qmt("buy", "600000.SH", "200", "--limit", "8.95", "--id", "rests2").status == 0
    Path("job.csv").write_text("code,side,volume,price\n600000.SH,buy,100,9.00\n600000.SH,sell,100,peer\n")
    Path("targets.csv").write_text("code,value\n510300.SH,50000\n")
    native()
    for words in (
        (*BUY, "--dry-run"),
        ("buy", "600000.SH", "--value", "1000万", "--price", "peer", "--dry-run", "--wait"),
        ("sell", "600000.SH", "all", "--price", "peer", "--dry-run"),
        ("sell", "600000.SH", "100", "--market", "best5-cancel", "--dry-run", "--yes"),
        ("cancel", "--all", "--dry-run"),
        ("cancel", "3", "--dry-run", "--yes"),
        ("replace", "3", "--limit", "8.96", "--dry-run", "--yes"),
        ("batch", "job.csv", "--dry-run", "--yes"),
        ("sell", "--everything", "--price", "down", "--dry-run", "--yes"),
        (*BUY, "--plan", "buy.json", "--yes"),
        ("sell", "600000.SH", "all", "--price", "peer", "--plan", "sell.json"),
        ("sell", "--everything", "--price", "down", "--plan", "all.json", "--yes"),
        ("cancel", "--all", "--plan", "cancel.json", "--yes"),
        ("replace", "3", "--limit", "8.96", "--plan", "replace.json"),
        ("batch", "job.csv", "--plan", "batch.json", "--yes"),
        *(("apply", f"{name}.json", "--dry-run", "--yes") for name in ("buy", "sell", "all", "replace", "batch")),
        ("rebalance", "targets.csv", "--others", "sell", "--dry-run", "--yes"),
        ("rebalance", "targets.csv", "--others", "sell", "--plan", "rebalance.json", "--yes"),
        ("apply", "rebalance.json", "--dry-run", "--yes"),
        *(("max", "600000.SH", "--limit", "9.09"), ("limits",), ("reconcile",), ("day-close",), ("report",)),
    ):
        assert quick_qmt(*words).status == 0
        calls = native()
        assert calls["connect"] + calls["get_full_tick"] >= 1 or words[0] in ("limits", "report")
        assert _writes(calls) == {}
    assert [row["order_id"] for row in quick_qmt("orders", "--open", "--json").json] == ["3"]


def test_a_buy_makes_exactly_one_writing_call(native: Callable[[], Counter[str]], qmt: Callable[..., Result]) -> None:
    assert qmt(*BUY, "--id", "one").status == 0
    assert _writes(native()) == {"orderStockWithSeq": 1}
    assert qmt(*BUY, "--id", "one").status == 0
    assert _writes(native()) == {}
    assert qmt("buy", "600000.SH", "100", "--limit", "9.00", "--id", "two", "--wait-for", "0").status == 8
    assert _writes(native()) == {"orderStockWithSeq": 1}
    assert qmt("cancel", "1", "2").status == 9
    assert _writes(native()) == {"cancelOrderStockWithSeq": 1}


@pytest.mark.parametrize(
    "words",
    [
        ("login-check", "--json"),
        ("quote", "600000.SH", "510300.SH", "--json"),
        (*BUY, "--json", "--id", "b"),
        (*BUY, "--id", "b", "--dry-run"),
        ("sell", "600000.SH", "100", "--limit", "9.00", "--json", "--id", "s"),
        ("sell", "600000.SH", "100", "--limit", "9.00", "--id", "s"),
        ("cancel", "2"),
        ("cancel", "2", "-o", "csv"),
        ("positions",),
        ("orders", "-o", "ndjson"),
        ("trades", "-o", "csv"),
        ("asset", "-o", "id"),
        ("paper", "status", "--json"),
    ],
    ids=" ".join,
)
def test_noise_of_the_vendor_changes_no_stdout(
    words: tuple[str, ...],
    qmt: Callable[..., Result],
    tmp_path: Path,
    traded: Path,
    native: Callable[[], Counter[str]],
) -> None:
    native()
    source = sqlite3.connect(traded / "paper" / "paper" / "1000000365.sqlite")
    results = []
    for name, noise in (("quiet", {}), ("noisy", {"NATIVE_NOISE": "1"})):
        folder = tmp_path / name / "paper" / "paper"
        folder.mkdir(parents=True)
        with sqlite3.connect(folder / "1000000365.sqlite") as copy:
            source.backup(copy)
        results.append(qmt(*words, env={"QMT_STATE": str(tmp_path / name), **noise}))
    source.close()
    quiet, noisy = results
    assert (noisy.status, noisy.stdout.replace("noisy", "quiet")) == (quiet.status, quiet.stdout)
    if {"--json", "-o"} & set(words):
        assert noisy.stderr == quiet.stderr
    elif native():
        assert "noise of native code\n" in noisy.stderr and "noise of Python code\n" in noisy.stderr


def test_noise_of_the_vendor_does_not_come_between_an_error_and_its_reader(
    qmt: Callable[..., Result], native: Callable[[], Counter[str]]
) -> None:
    noise = {"NATIVE_NOISE": "1"}
    for words, code in (
        (("quote", "600999.SH"), "unknown_code"),
        (("sell", "600000.SH", "100", "--limit", "9"), "rejected"),
    ):
        done = qmt(*words, "--json", env=noise)
        assert (done.stdout, json.loads(done.stderr)["error"]["code"]) == ("", code)
    assert native()


# -- descriptors ---------------------------------------------------------------------------------------


def _shell(line: str) -> Result:
    """A line of the shell in which ``qmt`` is this one."""
    script = f'qmt() {{ "{sys.executable}" -m qmtcli "$@"; }}\n{line}'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return Result(done.returncode, done.stdout, done.stderr)


posix = not_on_windows("a POSIX shell's")


def _to_a_closed_pipe(*words: str) -> tuple[int, str]:
    """(status, stderr) of a run whose reader has gone before it began."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*QMT, *words], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    return done.returncode, done.stderr


@posix
@pytest.mark.parametrize(
    "words",
    [
        ("--version",),
        ("--help",),
        ("buy", "--help"),
        ("positions",),
        ("orders", "--json"),
        ("quote", "600000.SH", "-o", "csv"),
        ("config", "path"),
        ("paper", "status"),
        ("cancel", "--all"),
    ],
    ids=" ".join,
)
def test_a_reader_that_has_gone_ends_a_command_silently(words: tuple[str, ...]) -> None:
    assert _to_a_closed_pipe(*words) == (141, "")


@posix
def test_a_reader_that_has_gone_after_an_order_was_sent(qmt: Callable[..., Result]) -> None:
    status, stderr = _to_a_closed_pipe(*BUY, "--id", "mine", "--json")
    error = json.loads(stderr)["error"]
    assert (status, error["exit_status"], error["code"]) == (7, 7, "stopped_after_sending")
    assert (error["ids"], error["mode"], error["account_id"]) == (["mine", "1"], "paper", "1000000365")
    assert qmt("buy", "600000.SH", "100", "--limit", "9.00", "-o", "id").stdout == "2\n"
    status, stderr = _to_a_closed_pipe("cancel", "2", "--json")
    assert (status, json.loads(stderr)["error"]["ids"]) == (7, ["2"])


@posix
@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_missing_descriptors(closed: str, tmp_path: Path) -> None:
    lines = [f"qmt buy 600000.SH 100 --limit 9.09 {closed}", f"qmt sell 600000.SH 100 --limit 9.00 {closed}"]
    done = _shell(f"{lines[0]}; echo $?; {lines[1]}; echo $?; qmt positions {closed}; echo $?; qmt --version {closed}")
    shown = ["【paper】Buy", "Result     filled"]
    seen = [line for line in done.stdout.splitlines() if line.isdecimal() or line in shown]
    assert seen == ([] if ">&-" in closed.split() else shown) + ["0", "5", "0"]
    assert ("order 2 was rejected" in done.stderr) == ("2>&-" not in closed)
    assert done.status == 0
    file = tmp_path / "state" / "paper" / "paper" / "1000000365.sqlite"
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT id, status FROM orders").fetchall() == [(1, 56), (2, 57)]


@posix
def test_pipes_between_commands() -> None:
    assert (
        _shell("qmt buy 600000.SH 300 --limit 9.09 -o id; qmt buy 510300.SH 300 --price peer -o id").stdout == "1\n2\n"
    )
    assert (
        _shell("qmt buy 600000.SH 300 --limit 9.00 -o id; qmt buy 600000.SH 300 --limit 8.95 -o id").stdout == "3\n4\n"
    )
    done = _shell("qmt positions --json | qmt quote - --fields stock_code,last_price -o csv")
    assert done == Result(0, "stock_code,last_price\n510300.SH,3.977\n600000.SH,9.03\n", "")
    assert _shell("qmt positions -o ndjson | qmt quote - -o id").stdout == "510300.SH\n600000.SH\n"
    assert _shell("qmt quote -o id 600000 000001.SZ | qmt quote - -o id").stdout == "600000.SH\n000001.SZ\n"
    done = _shell("qmt orders --open --json | qmt cancel - -o csv --fields order_id,result")
    assert done == Result(0, "order_id,result\n3,canceled\n4,canceled\n", "")
    done = _shell("qmt orders --open --json | qmt cancel - --json")
    assert done == Result(0, "[]\n", "")


# -- language and encoding -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "words", "chinese"),
    [
        ({"LANG": "zh_CN.UTF-8"}, (), True),
        ({"LANG": "en_US.UTF-8"}, (), False),
        ({"LANG": "de_DE.UTF-8"}, (), False),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, (), False),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_TW.UTF-8", "LC_MESSAGES": "C"}, (), True),
        ({"LANG": "en_US.UTF-8", "QMT_LANG": "zh"}, (), True),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "zh_CN.UTF-8", "QMT_LANG": "en"}, (), False),
        ({"LANG": "zh_CN.UTF-8", "QMT_LANG": "zh"}, ("--lang", "en"), False),
        ({"LANG": "en_US.UTF-8", "QMT_LANG": "en"}, ("--lang=zh",), True),
    ],
)
def test_language(env: dict[str, str], words: tuple[str, ...], chinese: bool, qmt: Callable[..., Result]) -> None:
    done = qmt("config", "show", "--fields", "lang", *words, env=env)
    assert done.status == 2
    assert done.stderr.startswith("【模拟】qmt: 没有字段 lang" if chinese else "【paper】qmt: there is no field lang")


def test_language_of_the_configuration(user_config: Callable[[str], Path], qmt: Callable[..., Result]) -> None:
    user_config("lang: zh")
    assert qmt("paper", "status", "--fields", "day").stdout == "【模拟】模拟账户\n交易日  2026-11-23\n"
    assert qmt("paper", "status", "--fields", "day", "--lang", "en").stdout.startswith("【paper】Paper account\n")


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "ascii", "LANG": "zh_CN.UTF-8"},
        {"LC_ALL": "C", "QMT_LANG": "zh"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "QMT_LANG": "zh"},
        {"PYTHONIOENCODING": "cp1252:strict", "QMT_LANG": "zh"},
    ],
    ids=["ascii", "C", "C without UTF-8", "cp1252"],
)
def test_text_is_utf8_whatever_the_system_says(env: dict[str, str], qmt: Callable[..., Result]) -> None:
    done = qmt("quote", "600000.SH", "--fields", "instrument_name", env=env)
    shown = "【模拟】行情 (生成的样本行情, 非真实)\n名称\n--------\n浦发银行\n"
    assert done == Result(0, shown, "")
    done = qmt("quote", "嗯", env=env)
    assert (done.status, done.stdout) == (2, "")
    assert "不是证券代码 — 写成 600000.SH, sh600000 或 600000.XSHG 的样子\n" in done.stderr
    help_text = qmt("quote", "--help", env=env).stdout
    assert "行情快照" in help_text


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere arguments are text")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("quote", b"\xff"), "malformed_code"),
        ((*BUY, "--strategy", b"\xff"), "bad_strategy"),
        ((*BUY, "--id", b"\xff"), "bad_client_id"),
        (("--profile", b"\xff", "asset"), "escaped_text"),
    ],
)
def test_arguments_that_are_no_text(words: tuple[str | bytes, ...], code: str) -> None:
    done = subprocess.run([*QMT, *words, "--json"], capture_output=True, check=False)
    assert (json.loads(done.stderr)["error"]["code"], done.stdout) == (code, b"")


# -- being stopped -------------------------------------------------------------------------------------


class Stopped:
    """A run that is stopped at a certain native call."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._fifo = tmp_path / "fifo"
        os.mkfifo(self._fifo)
        self.line = os.open(self._fifo, os.O_RDONLY | os.O_NONBLOCK)
        monkeypatch.setenv("PYTHONPATH", f"{NATIVE}{os.pathsep}{ROOT}")

    def __call__(self, number: signal.Signals, words: tuple[str, ...], **at: str) -> Result:
        """Run; when the native line is where ``at`` says (NATIVE_HOLD or NATIVE_TELL), send the signal."""
        env = {**os.environ, **{name: f"{place}:{self._fifo}" for name, place in at.items()}}
        with subprocess.Popen([*QMT, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as process:
            try:
                assert select.select([self.line], [], [], _PATIENCE)[0], "the call was not made"
                os.read(self.line, 100)
                process.send_signal(number)
                stdout, stderr = process.communicate(timeout=_PATIENCE)
            finally:
                process.kill()
        return Result(process.returncode, stdout.decode(), stderr.decode())


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stopped]:
    """Runs that are stopped."""
    if WINDOWS:
        pytest.skip("Windows: it sends no signals")
    found = Stopped(tmp_path, monkeypatch)
    yield found
    os.close(found.line)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("call", ["connect", "queryStockPositionsWithSeq"])
def test_stopped_before_anything_was_sent(number: signal.Signals, status: int, call: str, stopped: Stopped) -> None:
    assert stopped(number, ("positions",), NATIVE_HOLD=call) == Result(status, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_an_order_is_being_sent(number: signal.Signals, stopped: Stopped) -> None:
    done = stopped(number, (*BUY, "--id", "mine", "--json"), NATIVE_HOLD="orderStockWithSeq")
    assert (done.status, done.error["exit_status"], done.error["ids"]) == (7, 7, ["mine"])
    assert done.error["hint"] == "do not resend; look at qmt orders first"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_waiting_for_a_fill(number: signal.Signals, stopped: Stopped) -> None:
    words = ("buy", "600000.SH", "100", "--limit", "9.00", "--id", "mine", "--wait", "--json")
    # the first query looks for the id, the second for the acknowledged order, the third is the wait's
    done = stopped(number, words, NATIVE_TELL="queryStockOrdersWithSeq:3")
    assert (done.status, done.error["exit_status"], done.error["ids"]) == (7, 7, ["mine", "1"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_canceling(number: signal.Signals, stopped: Stopped, qmt: Callable[..., Result]) -> None:
    assert qmt("buy", "600000.SH", "100", "--limit", "9.00", "-o", "id").stdout == "1\n"
    done = stopped(number, ("cancel", "1"), NATIVE_HOLD="cancelOrderStockWithSeq")
    assert (done.status, done.stdout) == (7, "")
    assert done.stderr.endswith("after something was sent: 1 — do not resend; look at qmt orders first\n")


# -- a person at a terminal ----------------------------------------------------------------------------


class Terminal:
    """A terminal with a person at it."""

    def __init__(self) -> None:
        import pty  # which Windows does not have

        self.person, self.device = pty.openpty()

    def run(self, *words: str, answer: str = "", stdout_too: bool = False, columns: int = 80, **streams: Any) -> Result:
        """Run with stdin and stderr on the terminal; ``answer`` is typed at the question. stderr as it was shown."""
        given = {"stdin": self.device, "stderr": self.device, "stdout": subprocess.PIPE, **streams}
        if stdout_too:
            given["stdout"] = self.device
        env = {"TERM": "xterm", **os.environ, "COLUMNS": str(columns)}
        shown, asked = "", False
        with subprocess.Popen([*QMT, *words], env=env, **given) as process:
            try:
                deadline = time.monotonic() + _PATIENCE
                while process.poll() is None or self._something_to_see():
                    assert time.monotonic() < deadline, f"no end after {shown}"
                    if self._something_to_see():
                        shown += os.read(self.person, 65536).decode()
                    if shown.endswith("[y/N] ") and not asked:
                        os.write(self.person, answer.encode())
                        asked = True
                stdout = process.stdout.read().decode() if process.stdout else ""
            finally:
                process.kill()
        return Result(process.returncode, stdout, shown.replace("\r\n", "\n"))

    def _something_to_see(self) -> bool:
        return bool(select.select([self.person], [], [], 0.05)[0])


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A terminal with a person at it."""
    if WINDOWS:
        pytest.skip("Windows: no pseudo terminals of this kind")
    found = Terminal()
    yield found
    os.close(found.person)
    os.close(found.device)


@pytest.mark.parametrize(("answer", "status"), [("\n", 6), ("n\n", 6), ("\x04", 6), ("y\n", 0), ("YES\n", 0)])
def test_a_question(answer: str, status: int, terminal: Terminal, qmt: Callable[..., Result]) -> None:
    assert qmt(*BUY).status == 0
    done = terminal.run("paper", "reset", "-o", "csv", "--fields", "positions", answer=answer)
    assert (done.status, done.stdout) == (status, "" if status else "positions\n0\n")
    assert done.stderr.startswith("【paper】Erase the paper account? [y/N] ")
    refused = "【paper】qmt: declined: nothing was sent or changed — answer y to go on\n"
    assert done.stderr.endswith(refused) == (status == 6)
    assert qmt("positions", "-o", "id").stdout == ("600000.SH\n" if status else "")


def test_a_question_is_asked_only_where_somebody_sees_it_and_can_answer(terminal: Terminal) -> None:
    for streams in ({"stdin": subprocess.DEVNULL}, {"stderr": subprocess.DEVNULL}):
        done = terminal.run("paper", "reset", **streams)
        assert (done.status, "[y/N]" in done.stderr) == (6, False)
    assert terminal.run("paper", "reset", "--yes").stderr == ""


def test_the_preview_of_an_order(terminal: Terminal) -> None:
    done = terminal.run("buy", "600000.SH", "300", "--limit", "9.09", "--json")
    assert (done.json["status"], done.stderr) == ("filled", "")
    done = terminal.run("buy", "600000.SH", "300", "--limit", "9.09", "--lang", "zh")
    assert done.stdout.startswith("【模拟】买入\n结果      已成\n")
    assert done.stderr == "【模拟】买入 600000.SH 浦发银行 300 (3 手) @ 9.09 | 最多 2,732.03 元 | 涨跌停 8.13-9.93\n"


def test_a_table_fits_the_terminal(terminal: Terminal, qmt: Callable[..., Result]) -> None:
    assert qmt(*BUY).status == 0
    done = terminal.run("orders", "--lang", "zh", stdout_too=True)
    assert done.stderr == (
        "【模拟】当日委托: 1\n"
        "委托编号  代码       名称      方向  状态  委托价  委托量  成交量  成交均价\n"
        "--------  ---------  --------  ----  ----  ------  ------  ------  --------\n"
        "1         600000.SH  浦发银行  买入  已成    9.09     100     100      9.03\n"
    )


WANTED = "code,volume\n600000.SH,1200\n510300.SH,1000000\n601118.SH,1000\n688981.SH,5000\n"


def test_a_narrow_terminal_still_says_what_became_of_a_name_and_why(terminal: Terminal) -> None:
    Path("wanted.csv").write_text(WANTED)
    words = ("rebalance", "wanted.csv", "--check", "--lang", "zh")
    done = terminal.run(*words, stdout_too=True, columns=60, stderr=subprocess.DEVNULL)
    assert (done.status, done.stderr) == (11, (
        "【模拟】再平衡计划: 卖出 0 只 0.00 元, 买入 1 只 999,669.96\n"
        "元 (未发送)\n"
        "代码       持仓       目标  方向   委托量  结果  原因\n"
        "---------  ----  ---------  ----  -------  ----  --------\n"
        "600000.SH     0      1,200              0     0  资金不足\n"
        "510300.SH     0  1,000,000  买入  251,300     0  资金不足\n"
        "601118.SH     0      1,000              0     0  停牌\n"
        "688981.SH     0      5,000              0     0  资金不足\n"
    ))  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("columns", [60, 72, 80, 100])
def test_no_line_of_a_rebalancing_is_wider_than_the_terminal(
    columns: int, lang: str, terminal: Terminal, qmt: Callable[..., Result]
) -> None:
    Path("wanted.csv").write_text(WANTED)
    assert qmt("rebalance", "wanted.csv", "--plan", "plan.json").status == 0
    again = ("rebalance", "wanted.csv", "--new")
    for words in ((*again, "--dry-run"), ("apply", "plan.json"), again):
        done = terminal.run(*words, "--lang", lang, stdout_too=True, columns=columns, stderr=subprocess.DEVNULL)
        lines = done.stderr.splitlines()
        assert max(map(wcswidth, lines)) <= columns, done.stderr
        reason = {"zh": ("资金不足", "停牌"), "en": ("no cash", "suspended")}[lang]
        assert [line.endswith(reason) for line in lines[-4:]] == [True] * 4, done.stderr
        assert "沪深300ETF" in done.stderr or columns < 80


def test_what_passes_is_wiped_before_what_stays(terminal: Terminal) -> None:
    Path("job.csv").write_text("code,side,volume,price\n" + "600000.SH,buy,100,9.09\n" * 3)
    done = terminal.run("batch", "job.csv", stdout_too=True)
    rows = [line.rpartition("\x1b[K")[2] for line in done.stderr.splitlines() if "600000.SH" in line]
    assert [row[:18] for row in rows] == [f"{number}         filled  " for number in (1, 2, 3)]


def test_what_strategies_do_is_a_table_with_a_line_of_how_they_are(
    terminal: Terminal, clock: Callable[[str], None]
) -> None:
    clock("2026-11-23T14:56:58+")
    Path("one.py").write_text(
        "symbols, sent = ['600000.SH'], []\n"
        "def on_tick(ctx, tick):\n"
        "    if not sent:\n"
        "        sent.append(ctx.buy('600000.SH', 300, price='peer'))\n"
        "        ctx.log('enough')\n"
    )
    done = terminal.run("run-strategy", "one.py", "--until", "14:57", stdout_too=True, columns=40)
    shown = re.sub(r"\d\.\d\d", "P", done.stderr)
    assert [line.rpartition("\x1b[K")[2].split(maxsplit=2) for line in shown.split("\n")[3:-1]] == [
        ["one", "started", "600000.SH"],
        ["one", "sent", "buy 600000.SH 300 at P"],
        ["one", "log", "enough"],
        ["one", "order", "buy 600000.SH 300 at P: reported"],
        ["one", "trade", "buy 600000.SH 300 at P"],
        ["one", "order", "buy 600000.SH 300 at P: filled 300 at P"],
        ["one", "stopped"],
        ["one", "ended", "exit status 0"],
    ]
    passing = re.findall(r"\x1b\[K(【paper】.*?)\r", shown)
    assert {wcswidth(line) for line in passing} == {39}
    assert passing[0] == "【paper】one: running, orders 0, trades"
    assert passing[-1] == "【paper】one: ended, orders 1, trades 1"


def test_advice_is_wrapped_and_not_left_out(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_PYTHON_HOST_PLATFORM", "linux-x86_64")
    words = ("login-check", "--code", "999999.SH")
    done = terminal.run(*words, "--lang", "zh", stdout_too=True, columns=60)
    assert (done.status, done.stderr.splitlines()[-5:]) == (10, [
        "行情      失败  没有这个代码:      核对代码与市场后缀;",
        "                999999.SH          样本行情只有二十来个",
        "                                   : 600000.SH,",
        "                                   000001.SZ, 510300.SH",
        "                                   ...",
    ])  # fmt: skip
    done = terminal.run(*words, stdout_too=True, columns=80)
    assert (done.status, done.stderr.splitlines()[-4:]) == (10, [
        "tick            FAIL    unknown code: 999999.SH     check code and market",
        "                                                    suffix; the sample market",
        "                                                    has some twenty: 600000.SH,",
        "                                                    000001.SZ, 510300.SH ...",
    ])  # fmt: skip
    done = terminal.run(*words, stdout_too=True, columns=40)
    assert done.stderr.splitlines()[-2:] == ["tick            FAIL    unknown code:", f"{'':24}999999.SH"]


LIVE = """\
profiles:
  live: {live: true, path: /terminal/userdata_mini, account: "2000000365"}
"""


@pytest.mark.parametrize(
    ("env", "words", "colored"),
    [
        ({}, (), True),
        ({"NO_COLOR": "1"}, (), False),
        ({"NO_COLOR": ""}, (), True),
        ({"TERM": "dumb"}, (), False),
        ({}, ("--no-color",), False),
    ],
)
def test_a_live_account_is_marked_in_red_on_a_terminal(
    env: dict[str, str],
    words: tuple[str, ...],
    colored: bool,
    terminal: Terminal,
    user_config: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user_config(LIVE)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    done = terminal.run("--profile", "live", "paper", "status", *words)
    mark = "【live ****0365】"
    assert done.stderr.startswith(f"\x1b[1;31m{mark}\x1b[0mqmt: " if colored else f"{mark}qmt: ")
    assert ("\x1b" in done.stderr) == colored


def test_no_colour_into_a_pipe(user_config: Callable[[str], Path], qmt: Callable[..., Result]) -> None:
    user_config(LIVE)
    assert qmt("--profile", "live", "paper", "status").stderr.startswith("【live ****0365】qmt: ")


# -- the rest ------------------------------------------------------------------------------------------


def test_debug_shows_a_traceback(qmt: Callable[..., Result]) -> None:
    done = qmt("quote", "999999.SH", "--debug")
    lines = done.stderr.splitlines()
    assert (done.status, done.stdout) == (10, "")
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1].startswith("【paper】qmt: unknown code: 999999.SH — ")
    assert "Traceback" not in qmt("quote", "999999.SH").stderr


def _logged(file: str = "qmt.log") -> list[str]:
    """Entries of a log without their times, which are there."""
    entries = [line.partition(" ") for line in Path(file).read_text(encoding="utf-8").splitlines()]
    assert all(datetime.fromisoformat(time).tzinfo for time, _, _ in entries)
    return [text for _, _, text in entries]


def test_a_log_keeps_what_was_said(qmt: Callable[..., Result]) -> None:
    assert qmt("quote", "999999.SH", "--log", "qmt.log", "--json").status == 10
    assert qmt(*BUY, "--dry-run", "-o", "id", "--log", "qmt.log").status == 0
    assert _logged() == [
        "$ qmt quote 999999.SH --log qmt.log --json",
        "【paper】unknown_code: unknown code: 999999.SH",
        "【paper】exit 10: qmt quote 999999.SH --log qmt.log --json",
        "$ qmt buy 600000.SH 100 --limit 9.09 --dry-run -o id --log qmt.log",
        "【paper】buy 600000.SH 浦发银行 100 (1 lot) @ 9.09 | at most 914.01 CNY | limits 8.13-9.93",
        "【paper】exit 0: qmt buy 600000.SH 100 --limit 9.09 --dry-run -o id --log qmt.log",
    ]


@pytest.mark.parametrize("place", ["--log qmt.log", "--log=qmt.log", "QMT_LOG", "the user's file"])
def test_a_log_has_what_is_wrong_with_the_command_line(
    place: str, qmt: Callable[..., Result], user_config: Callable[[str], Path]
) -> None:
    user_config(f"log: {Path('qmt.log').absolute()}" if place == "the user's file" else "")
    words = ["buy", "600000.SH", "--price", "9", "--nosuch", *(place.split() if place[0] == "-" else ())]
    assert qmt(*words, env={"QMT_LOG": "qmt.log"} if place == "QMT_LOG" else {}).status == 2
    command = " ".join(["qmt", *words])
    assert _logged() == [f"$ {command}", "usage: there is no option --nosuch", f"exit 2: {command}"]


def test_a_log_of_a_run_that_is_stopped_says_so(stopped: Stopped) -> None:
    words = ("positions", "--log", "qmt.log")
    assert stopped(signal.SIGTERM, words, NATIVE_HOLD="connect").status == 143
    assert _logged() == ["$ qmt positions --log qmt.log", "【paper】exit 143: qmt positions --log qmt.log"]


@pytest.mark.skipif(sys.platform != "linux", reason="a device of Linux")
def test_a_full_disk_under_the_log_stops_nothing(qmt: Callable[..., Result]) -> None:
    done = qmt(*BUY, "--json", "--log", "/dev/full")
    assert (done.status, done.stderr, done.json["status"]) == (0, "", "filled")


@posix
def test_a_name_that_is_no_text_is_logged_all_the_same(qmt: Callable[..., Result]) -> None:
    command = [*QMT, "quote", b"\xff", "--log", "qmt.log"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2
    assert _logged()[0] == r"$ qmt quote \udcff --log qmt.log"


# -- Windows -------------------------------------------------------------------------------------------

GUARDED = """
import ctypes, msvcrt, os, sys
from qmtcli.console import Console
kernel = ctypes.windll.kernel32
kernel.GetStdHandle.restype = ctypes.c_void_p
before = kernel.GetStdHandle(-11)
console = Console()
console.format = "json"
console.guard()
files = [open(os.devnull, "w") for _ in range(100)]
assert before not in [msvcrt.get_osfhandle(file.fileno()) for file in files]
assert kernel.GetStdHandle(-11) == msvcrt.get_osfhandle(1)
assert kernel.GetStdHandle(-12) == msvcrt.get_osfhandle(2)
for handle in (before, kernel.GetStdHandle(-11), kernel.GetStdHandle(-12)):
    kernel.WriteFile(ctypes.c_void_p(handle), b"noise", 5, ctypes.byref(ctypes.c_ulong()), None)
for library in ("msvcrt", "ucrtbase"):
    ctypes.CDLL(library).puts(b"noise")
    ctypes.CDLL(library).fflush(None)
os.write(1, b"noise")
os.write(2, b"noise")
print("noise", flush=True)
print("noise", file=sys.stderr, flush=True)
console.data("浦发银行\\n")
console.warn("nothing")
"""


@pytest.mark.skipif(os.name != "nt", reason="handles of Windows")
def test_no_handle_of_windows_leads_to_stdout() -> None:
    done = subprocess.run([sys.executable, "-c", GUARDED], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout, done.stderr) == (0, "浦发银行\r\n".encode(), b"")
