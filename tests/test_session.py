"""The session with a terminal: links that are lost, accounts that are not logged in, many commands at once.

The terminal is the vendor's code over a paper account (``terminal/``), with faults at the native line.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import CLOCK, NATIVE, ROOT, TERMINAL, Result, Runner, not_on_windows

from qmtcli.errors import NotConnected
from qmtcli.model import OrderRequest, Side
from qmtcli.paper.settings import Settings
from qmtcli.xt import codes, slots
from qmtcli.xt.session import Answer, Session

ACCOUNT = "2000000365"
BUY = ("buy", "600000.SH", "100", "--limit", "9.09", "--yes", "--json")
READS = (("positions",), ("orders",), ("trades",), ("asset",))


class Terminal:
    """A live profile, and what goes wrong on its native line."""

    def __init__(self, qmt: Runner, folder: Path, user_config: Callable[[str], Path]) -> None:
        self._qmt, self.folder, self._user_config = qmt, folder, user_config
        (folder / "userdata_mini").mkdir()
        self.configure("limits: none")

    def configure(self, *lines: str) -> None:
        """Give the profile these lines too."""
        self._user_config(
            f"default: live\nprofiles:\n  live:\n    live: true\n    path: {self.folder / 'userdata_mini'}\n"
            f"    account: '{ACCOUNT}'\n    module_path: {TERMINAL}\n" + "".join(f"    {line}\n" for line in lines)
        )

    def run(self, *words: str, faults: list[dict[str, Any]] | None = None, clock: str = CLOCK) -> Result:
        script = self.folder / "faults.json"
        script.write_text(json.dumps(faults or []))
        settings = Settings(str(self.folder / "account"), ACCOUNT, clock=clock, clock_started=0, faults=str(script))
        return self._qmt("--profile", "live", *words, env={"QMTCLI_PAPER": json.dumps(asdict(settings))})


@pytest.fixture
def terminal(quick_runs: Callable[[str], Runner], tmp_path: Path, user_config: Callable[[str], Path]) -> Terminal:
    return Terminal(quick_runs("live"), tmp_path, user_config)


def status(number: int) -> list[dict[str, Any]]:
    return [{"call": "connect", "outcome": "account status", "status": number}]


@pytest.mark.parametrize("number", [-1, 1, 2, 3, 4, 5, 7, 8, 9])
def test_an_account_that_is_not_logged_in_is_told_with_its_word(terminal: Terminal, number: int) -> None:
    for words in ((*BUY, "--id", "mine"), ("cancel", "--all", "--yes", "--json"), ("positions", "--json")):
        error = terminal.run(*words, faults=status(number)).error
        assert (error["exit_status"], error["code"], error["status"]) == (4, "account_not_ready", number)
        assert codes.ACCOUNT_STATUS[number][1] == error["word"]
    assert terminal.run("orders", "--json").json == []


@pytest.mark.parametrize("words", [(*BUY, "--id", "mine"), ("positions", "--json")], ids=lambda words: words[0])
def test_an_account_that_is_not_logged_in_is_asked_for_once(
    terminal: Terminal, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = terminal.folder / "native.log"
    monkeypatch.setenv("NATIVE_LOG", str(log))
    for waited, times in (((), 1), (("--wait-ready", "0.1"), 2)):
        assert terminal.run(*words, *waited, faults=status(5)).status == 4
        calls = Counter(log.read_text().split())
        assert (calls["start"], calls["orderStockWithSeq"]) == (1, 0)
        # a slow run may find the time over after the first answer
        assert 1 <= calls["queryAccountStatusWithSeq"] <= times
        log.unlink()


@pytest.mark.parametrize("words", READS, ids=lambda words: words[0])
def test_after_the_close_an_account_is_read(terminal: Terminal, words: tuple[str, ...]) -> None:
    assert terminal.run(*words, "--json", faults=status(codes.ACCOUNT_CLOSED)).status == 0


def test_after_the_close_an_order_goes_out_for_the_next_session_only(terminal: Terminal) -> None:
    closed = status(codes.ACCOUNT_CLOSED)
    error = terminal.run(*BUY, faults=closed).error
    assert (error["exit_status"], error["code"], error["word"]) == (4, "account_not_ready", "closed")
    error = terminal.run(*BUY, "--next-session", faults=closed).error
    # the counter's own words: it was asked
    assert (error["exit_status"], error["code"], error["error_id"]) == (5, "rejected", -61)


@pytest.mark.parametrize("words", READS, ids=lambda words: words[0])
@pytest.mark.parametrize("outcome", ["disconnect before", "disconnect after", "empty lists on a dead link"])
def test_what_reads_asks_again_over_a_new_link(terminal: Terminal, words: tuple[str, ...], outcome: str) -> None:
    assert terminal.run(*BUY).status == 0
    undisturbed = terminal.run(*words, "--json").json
    for call in ("query_account_status", f"query_{words[0]}"):
        lost = terminal.run(*words, "--json", faults=[{"call": call, "outcome": outcome, "first": 1}])
        if outcome == "empty lists on a dead link":  # nobody is told of the loss, so there is nothing to mend
            assert (lost.status, lost.error["code"]) == (4, "query_failed")
        else:
            assert (lost.status, lost.stderr, lost.json) == (0, "", undisturbed)
    used = [path.name for path in (terminal.folder / "state" / "slots").rglob("*.mark")]
    assert len(used) >= 2


def test_a_link_that_is_lost_again_is_told(terminal: Terminal) -> None:
    error = terminal.run("orders", "--json", faults=[{"call": "query_orders", "outcome": "disconnect before"}]).error
    assert (error["exit_status"], error["code"]) == (4, "link_lost")


def test_an_order_lost_with_its_link_is_looked_for_over_the_next(terminal: Terminal) -> None:
    lost = [{"call": "order", "outcome": "disconnect after", "first": 1}]
    sent = terminal.run(*BUY, "--id", "mine", faults=lost)
    assert (sent.status, sent.json["status"], sent.json["order_remark"]) == (0, "filled", "mine")
    missing = [{"call": "order", "outcome": "disconnect before", "first": 1}]
    error = terminal.run(*BUY, "--id", "other", faults=missing).error
    assert (error["exit_status"], error["client_id"]) == (7, "other")
    assert [row["order_remark"] for row in terminal.run("orders", "--json").json] == ["mine"]


def test_terminal_and_account_are_waited_for(terminal: Terminal) -> None:
    late = [{"call": "connect", "outcome": "-1", "first": 1}]
    assert terminal.run("asset", "--json", faults=late).error["code"] == "connect_failed"
    assert terminal.run("asset", "--json", "--wait-ready", "20", faults=late).status == 0
    error = terminal.run("asset", "--json", "--wait-ready", "0.1", faults=status(4)).error
    assert (error["exit_status"], error["code"], error["word"]) == (4, "account_not_ready", "initialising")


def test_a_wait_for_a_session_id_is_no_part_of_a_request(terminal: Terminal) -> None:
    folder, path = terminal.folder / "state" / "slots", str(terminal.folder / "userdata_mini")
    # by a clock that is ahead, so that the rest begins when the run looks for an id
    taken = [slots.take(folder, path, clock=lambda: time.time() + 60) for _ in range(slots.SIZE)]
    taken[-1].release(True)
    done = terminal.run("positions", "--json", "--timeout", str(slots.REST_SECONDS - 0.1))
    assert (done.status, done.stderr, done.json) == (0, "", [])


def test_nobody_who_has_sent_waits_long_for_a_session_id() -> None:
    asked: list[tuple[float, ...]] = []

    def take_slot(*seconds: float) -> slots.Slot:
        asked.append(seconds)
        raise NotConnected("no_free_session", count=slots.SIZE)

    session = Session("nowhere", take_slot, ACCOUNT)
    with pytest.raises(NotConnected):
        session.orders()
    assert asked.pop() == ()
    sent = Answer(1, OrderRequest("600000.SH", Side.BUY, 100, 11, Decimal("9.09"), "mine", "qmt"))
    assert not session.look([sent])
    ((seconds,),) = asked
    assert 0 < seconds < 0.7 + 1e-9


@pytest.mark.parametrize("words", [(*BUY, "--as", "fin"), ("asset", "--json")], ids=lambda words: words[0])
def test_an_account_of_another_type_is_told_with_its_type(terminal: Terminal, words: tuple[str, ...]) -> None:
    terminal.configure("account_type: CREDIT", "limits: none")
    error = terminal.run(*words).error
    assert (error["exit_status"], error["code"], error["known"]) == (4, "account_not_found", [f"{ACCOUNT} STOCK"])
    assert error["message"] == f"the terminal has no account {ACCOUNT} CREDIT; it has {ACCOUNT} STOCK"


@not_on_windows("32 starts of a process take too long there")
def test_many_commands_at_once(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert terminal.run(*BUY).status == 0
    undisturbed = terminal.run("positions", "--json").json
    log = terminal.folder / "sessions.log"
    monkeypatch.setenv("NATIVE_SESSIONS", str(log))
    with ThreadPoolExecutor(32) as pool:
        runs = list(pool.map(lambda _: terminal.run("positions", "--json"), range(32)))
    assert [(run.status, run.stderr, run.json) for run in runs] == [(0, "", undisturbed)] * 32
    told = [line.split() for line in log.read_text().splitlines()]
    assert Counter(sign for (sign, *_), _ in told) == {"+": 32, "-": 32}
    in_use, stopped = set[int](), dict[int, float]()
    for (sign, *digits), seconds in told:
        number = int("".join(digits))
        if sign == "-":
            in_use.remove(number)
            stopped[number] = float(seconds)
            continue
        assert number not in in_use
        assert float(seconds) - stopped.get(number, -3.0) > 2.99
        in_use.add(number)
    assert set(stopped) <= set(range(slots.FIRST, slots.FIRST + slots.SIZE))


def test_quotes_of_many_codes_are_asked_for_in_parts(
    qmt: Runner, tmp_path: Path, user_config: Callable[[str], Path]
) -> None:
    """A request has one deadline: what is read for the first time, 5,000 files, is not one request."""
    tapes, log = tmp_path / "tapes", tmp_path / "native.log"
    tapes.mkdir()
    wanted = [f"60{number:04d}.SH" for number in range(1_001)]
    levels = [f"{side}{what}{n}" for side in ("ask", "bid") for n in range(1, 6) for what in ("Price", "Vol")]
    rows = "".join(
        f"{code},2026-11-23T10:00:00.000,{9 + place / 100},9,9,20,8,100,900{',0' * len(levels)}\n"
        for place, code in enumerate(wanted)
    )
    columns = ",".join(("code", "time", "lastPrice", "lastClose", "open", "high", "low", "pvolume", "amount", *levels))
    (tapes / "all_tick.csv").write_text(f"{columns}\n{rows}")
    user_config(f"profiles: {{paper: {{market: '{tapes}', hours: exchange}}}}")
    env = {"QMT_PAPER_CLOCK": "2026-11-23T10:00:02", "NATIVE_LOG": str(log)}
    env["PYTHONPATH"] = os.pathsep.join(map(str, (NATIVE, ROOT)))
    found = qmt("quote", "-", "--json", stdin="\n".join(wanted), timeout=60, env=env)
    assert (found.status, found.stderr) == (0, "")
    assert [(row["stock_code"], row["last_price"]) for row in found.json] == [
        (code, round(9 + place / 100, 2)) for place, code in enumerate(wanted)
    ]
    assert Counter(log.read_text().split())["get_full_tick"] == 3
