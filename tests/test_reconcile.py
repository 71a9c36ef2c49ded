"""What is unknown on a live account stays so until it is listed or a person decides, and is never sent by itself."""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from conftest import CLOCK, ROOT, TERMINAL, Result, Runner

from qmtcli.paper.settings import Settings

ACCOUNT = "2000000365"
BUY = ("buy", "600000.SH", "100", "--limit", "9.00", "--id", "mine", "--yes", "--json")
LOST = {"call": "order", "outcome": "no answer", "stands": False}


class Live:
    """A live profile whose terminal is the vendor's code over a paper account."""

    def __init__(
        self,
        quick: Runner,
        qmt: Runner,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        limits: str = "none",
        **settings: Any,
    ) -> None:
        """``limits``: of the profile, as YAML; ``settings``: of the account behind the terminal."""
        self._quick, self._qmt, self.folder, self._settings = quick, qmt, folder, settings
        (folder / "userdata_mini").mkdir()
        file = folder / "user.yaml"
        file.write_text(
            f"default: live\nprofiles:\n  live:\n    live: true\n    path: {folder / 'userdata_mini'}\n"
            f"    account: '{ACCOUNT}'\n    account_type: {settings.get('account_type', 'STOCK')}\n"
            f"    module_path: {TERMINAL}\n    limits: {limits}\n"
        )
        monkeypatch.setenv("QMT_CONFIG", str(file))
        monkeypatch.setenv("NATIVE_LOG", str(folder / "native.log"))

    def run(
        self, *words: str, faults: list[dict[str, Any]] | None = None, clock: str = CLOCK, stdin: str = ""
    ) -> Result:
        """Run qmt at a moment of the machine's clock, which stands there, or with a trailing ``+`` runs on."""
        more = {
            "QMTCLI_PAPER": self.paper(faults or [], "" if clock.endswith("+") else clock), "MACHINE_CLOCK": clock,
        }  # fmt: skip
        if clock == CLOCK:
            return self._quick("--profile", "live", *words, stdin=stdin, env=more)
        path = os.pathsep.join(map(str, (TERMINAL, ROOT)))  # where the quick one's clock does not stand
        more |= {"PYTHONPATH": path, "NATIVE_TOO": "1"}
        return self._qmt("--profile", "live", *words, stdin=stdin, env=more)

    def paper(self, faults: list[dict[str, Any]], clock: str) -> str:
        """The account behind the terminal and what goes wrong there, as its stand-in is told."""
        script = self.folder / "faults.json"
        script.write_text(json.dumps(faults))
        settings = Settings(
            str(self.folder / "account"), ACCOUNT, clock=clock, faults=str(script), **self._settings
        )  # fmt: skip
        return json.dumps(asdict(settings))

    def sent(self) -> int:
        """Orders that went down to the native line since the last answer."""
        log = self.folder / "native.log"
        calls = Counter(log.read_text().split()) if log.exists() else Counter[str]()
        log.unlink(missing_ok=True)
        return calls["orderStockWithSeq"]

    def orders(self) -> int:
        with sqlite3.connect(self.folder / "account" / f"{ACCOUNT}.sqlite") as account:
            return int(account.execute("SELECT count(*) FROM orders").fetchone()[0])


@pytest.fixture
def live(quick_runs: Callable[[str], Runner], qmt: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Live:
    return Live(quick_runs("live"), qmt, tmp_path, monkeypatch)


def test_a_lost_order_is_never_sent_by_itself(live: Live) -> None:
    error = live.run(*BUY, faults=[LOST]).error
    assert (error["exit_status"], error["code"], live.sent()) == (7, "no_answer_to_order", 1)
    for _ in range(2):
        error = live.run(*BUY).error
        assert (error["exit_status"], error["code"]) == (7, "no_answer_to_order")
    for words in (("orders", "--json"), ("positions", "--json")):
        assert live.run(*words).json == []
    (row,) = live.run("reconcile", "--json").json
    assert (row["client_id"], row["state"]) == ("mine", "unknown")
    assert (live.run("reconcile").status, live.run("reconcile", "mine").status) == (7, 7)
    assert (live.sent(), live.orders()) == (0, 0)


def test_a_person_drops_it(live: Live) -> None:
    assert live.run(*BUY, faults=[LOST]).status == 7
    assert live.run("reconcile", "mine", "--drop", "--json").error["code"] == "needs_yes"
    (row,) = live.run("reconcile", "mine", "--drop", "--yes", "--json").json
    assert (row["state"], row["result"]) == ("dropped", "dropped")
    assert live.run("reconcile", "--json").json == []
    error = live.run(*BUY).error
    assert (error["exit_status"], error["code"]) == (5, "dropped_before")
    assert live.run("reconcile", "mine", "--drop", "--yes", "--json").error["code"] == "not_undecided"


def test_a_person_sends_it_again(live: Live) -> None:
    assert live.run(*BUY, faults=[LOST]).status == 7
    assert live.run("reconcile", "mine", "--resend", "--json").error["code"] == "needs_yes"
    live.sent()
    (row,) = live.run("reconcile", "mine", "--resend", "--yes", "--json").json
    assert (row["state"], row["result"], live.sent(), live.orders()) == ("open", "resent", 1, 1)
    again = live.run(*BUY).json
    assert (again["order_id"], again["replayed"], live.sent()) == (row["order_id"], True, 0)


def test_what_the_broker_lists_after_all_is_not_sent_again(live: Live) -> None:
    late = {"call": "order", "outcome": "listed only after", "queries": 4}
    silent = {"call": "order", "outcome": "no answer", "pushes": False}
    # answered with nothing, and not listed to the first who ask
    assert live.run(*BUY, faults=[silent, {**LOST, "call": "query_orders", "stands": True}]).status in (4, 7)
    assert live.orders() in (0, 1)
    done = live.run("reconcile", "--json", faults=[late])
    assert done.status in (0, 7)
    if live.orders():
        (row,) = live.run("reconcile", "mine", "--json").json
        assert row["state"] == "open"
        error = live.run("reconcile", "mine", "--resend", "--yes", "--json").error
        assert error["code"] == "not_undecided"


def test_an_account_that_is_logged_out_decides_nothing(live: Live) -> None:
    assert live.run(*BUY, faults=[LOST]).status == 7
    status = [{"call": "connect", "outcome": "account status", "status": 5}]
    for words in (("reconcile",), ("reconcile", "mine", "--resend", "--yes")):
        error = live.run(*words, "--json", faults=status).error
        assert (error["exit_status"], error["code"]) == (4, "account_not_ready")
    assert live.orders() == 0


def test_listed_once_and_gone_is_unknown(live: Live) -> None:
    assert live.run(*BUY).json["status"] == "reported"
    hidden = [{"call": "order", "outcome": "listed only after", "queries": 99}]
    with sqlite3.connect(live.folder / "account" / f"{ACCOUNT}.sqlite") as account:
        account.execute("UPDATE orders SET day = day - 1")
    assert live.run("orders", "--json", faults=hidden).json == []
    (row,) = live.run("reconcile", "--json").json
    assert (row["state"], row["order_id"]) == ("unknown", "1")
    assert live.run(*BUY).error["exit_status"] == 7
    with sqlite3.connect(live.folder / "account" / f"{ACCOUNT}.sqlite") as account:
        account.execute("UPDATE orders SET day = day + 1")
    assert live.run(*BUY).json["order_id"] == "1"
    assert live.run("reconcile", "--json").status == 0


def test_on_the_next_day_an_open_order_is_unknown_unless_its_day_was_closed(live: Live) -> None:
    assert live.run(*BUY).status == 0
    assert live.run("reconcile", "--json", clock="2026-11-24T10:00:00").json[0]["state"] == "unknown"


def test_a_day_that_was_closed_after_its_end_leaves_nothing_open(live: Live) -> None:
    assert live.run(*BUY).status == 0
    assert live.run("day-close", "--json", clock="2026-11-23T15:40:00").json["unknown"] == []
    assert live.run("reconcile", "--json", clock="2026-11-24T10:00:00").json == []
    (row,) = live.run("orders", "--date", "2026-11-23", "--json", clock="2026-11-24T10:00:00").json
    assert (row["order_id"], row["source"]) == ("1", "qmt")


def test_orders_made_by_hand_are_told_apart(live: Live) -> None:
    assert live.run(*BUY).status == 0
    with sqlite3.connect(live.folder / "account" / f"{ACCOUNT}.sqlite") as account:
        columns = [row[1] for row in account.execute("PRAGMA table_info(orders)")]
        others = ", ".join("id + 1" if name == "id" else "''" if name == "remark" else name for name in columns)
        account.execute(f"INSERT INTO orders SELECT {others} FROM orders")
        account.execute("UPDATE account SET next_id = 3")
    closed = live.run("day-close", "--json").json
    assert (closed["orders"], closed["own_orders"], closed["other_orders"]) == (2, 1, 1)
    rows = live.run("orders", "--date", "2026-11-23", "--json").json
    assert [row["source"] for row in rows] == ["qmt", "other"]


def test_a_batch_tells_what_is_unknown_and_sends_the_rest(live: Live) -> None:
    job = live.folder / "job.csv"
    job.write_text("code,side,volume,price,id\n" + "".join(f"600000.SH,buy,100,9.00,o{row}\n" for row in range(4)))
    done = live.run("batch", str(job), "--yes", "--json", faults=[{**LOST, "remark": "o1"}])
    states = {row["client_id"]: row["status"] for row in map(json.loads, done.stdout.splitlines())}
    assert (done.status, states) == (7, {"o0": "reported", "o1": "unknown", "o2": "reported", "o3": "reported"})
    live.sent()
    again = live.run("batch", str(job), "--yes", "--json")
    assert (again.status, live.sent(), live.orders()) == (7, 0, 3)
