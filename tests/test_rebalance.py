"""What `qmt rebalance` does when it is stopped, hindered, doubled, or when the account is not what it was."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from conftest import CLOCK, ROOT, Result, Runner, not_on_windows
from openpyxl import Workbook
from test_reconcile import LOST, Live, live

from qmtcli.orders import parse_price
from qmtcli.rebalance.running import Course, Running
from qmtcli.testing import Paper, paper

__all__ = ["live", "paper"]
pytestmark = pytest.mark.usefixtures("vendor_modules")

Qmt = Callable[..., Result]
TARGETS = "code,volume\n600000.SH,300\n510300.SH,1000\n"
WORDS = ("rebalance", "targets.csv", "--json")


@pytest.fixture(autouse=True)
def targets() -> None:
    Path("targets.csv").write_text(TARGETS)


def _orders(tmp_path: Path) -> list[tuple[str, str, int, int, int]]:
    """(code, remark, volume, traded, status) of the account's orders."""
    with sqlite3.connect(tmp_path / "state" / "paper" / "paper" / "1000000365.sqlite") as account:
        return account.execute("SELECT code, remark, volume, traded, status FROM orders ORDER BY id").fetchall()


def _told(result: Result, *names: str) -> dict[str, Any]:
    return {row["stock_code"]: tuple(row[name] for name in names) for row in result.json}


# -- plans -------------------------------------------------------------------------------------------------


def test_a_plan_is_sent_once_and_only_as_it_was_seen(
    quick_qmt: Qmt, clock: Callable[[str], None], tmp_path: Path
) -> None:
    clock(CLOCK)
    for name in ("first", "moved", "old"):
        planned = quick_qmt(*WORDS, "--plan", f"{name}.json")
        assert (planned.status, _told(planned, "order_volume")) == (0, {"600000.SH": (300,), "510300.SH": (1_000,)})
    assert quick_qmt("apply", "first.json", "--json").status == 0
    sent = _orders(tmp_path)
    assert [(row[0], row[3]) for row in sent] == [("600000.SH", 300), ("510300.SH", 1_000)]
    assert quick_qmt("apply", "first.json", "--json").status == 0  # what was done, told again
    assert quick_qmt("apply", "moved.json", "--json").error["code"] == "plan_account_moved"
    clock("2026-11-24T10:00:00")
    assert quick_qmt("apply", "old.json", "--json").error["code"] == "plan_of_another_day"
    assert quick_qmt("rebalance", "old.json", "--json").error["code"] == "plan_is_no_target"
    text = Path("first.json").read_text("utf-8")
    Path("cut.json").write_text(text[:-200], "utf-8")
    assert quick_qmt("apply", "cut.json", "--json").error["exit_status"] == 2
    whole = json.loads(text)
    whole["rebalance"]["rows"][0]["volume"] = -100
    Path("odd.json").write_text(json.dumps({**whole, "day": "2026-11-24"}))
    assert quick_qmt("apply", "odd.json", "--json").error["code"] == "no_plan"
    assert _orders(tmp_path) == sent


def test_targets_from_excel(quick_qmt: Qmt, clock: Callable[[str], None]) -> None:
    clock(CLOCK)
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["代码", "名称", "权重"],
        [600000, "浦发银行", 0.5],
        ["000001.SZ", "平安银行", 0.45],
        [None, None, None],
    ):
        sheet.append(row)
    book.save("targets.xlsx")
    planned = quick_qmt("rebalance", "targets.xlsx", "--dry-run", "--json")
    assert [row["stock_code"] for row in planned.json] == ["600000.SH", "000001.SZ"]
    sheet.append([1, "平安银行", 0.01])  # Excel has lost the zeros
    book.save("targets.xlsx")
    assert "short_code" in json.dumps(quick_qmt("rebalance", "targets.xlsx", "--json").error)
    Path("cut.xlsx").write_bytes(Path("targets.xlsx").read_bytes()[:2_000])
    assert quick_qmt("rebalance", "cut.xlsx", "--json").error["code"] == "bad_excel"
    piped = quick_qmt("rebalance", "-", "--json", stdin=Path("cut.xlsx").read_bytes())
    assert piped.error["code"] == "bad_excel"


def test_check_asks_and_sends_nothing(quick_qmt: Qmt, clock: Callable[[str], None]) -> None:
    clock(CLOCK)
    assert quick_qmt(*WORDS, "--check").status == 11
    assert quick_qmt("orders", "--json").json == []
    assert quick_qmt(*WORDS).status == 0
    assert quick_qmt(*WORDS, "--check").status == 0


# -- gates and limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "code", "sent"),
    [
        ("order_value: 3000", "limit_order_value", 1),
        ("order_volume: 500", "limit_order_volume", 1),
        ("symbols: [600000.SH]", "limit_symbols", 1),
        ("orders_per_day: 1", "limit_orders_per_day", 1),
        ("day_turnover: 3000", "limit_day_turnover", 1),
        ("price_away: 0.001%", "limit_price_away", 0),
    ],
)
def test_no_rebalancing_passes_a_limit(
    limit: str, code: str, sent: int, quick_qmt: Qmt, user_config: Callable[[str], Path], clock: Callable[[str], None],
    tmp_path: Path,
) -> None:  # fmt: skip
    clock(CLOCK)
    user_config(f"limits: {{{limit}}}\n")
    words = (*WORDS, "--price", "peer+5")
    done = quick_qmt(*words)
    stopped = {name: row for name, row in _told(done, "reason", "message", "traded_volume").items() if row[0]}
    assert (len(stopped), done.status) == (2 - sent, 9 if sent else 6)
    assert set(stopped.values()) == {("over_limit", code, 0)}
    assert len(_orders(tmp_path)) == sent
    assert quick_qmt(*words).status == done.status
    assert len(_orders(tmp_path)) == sent


def test_no_rebalancing_passes_a_gate_or_a_halt(
    quick_qmt: Qmt, user_config: Callable[[str], Path], clock: Callable[[str], None], tmp_path: Path
) -> None:
    clock(CLOCK)
    assert quick_qmt(*WORDS, "--plan", "plan.json").status == 0
    for writes, code in (("none", "writes_not_allowed"), ("plan", "writes_not_allowed")):
        user_config(f"writes: {writes}\n")
        assert quick_qmt(*WORDS).error["code"] == code
    assert quick_qmt("apply", "plan.json", "--json").error["code"] == "plan_needs_person"
    user_config("writes: all\n")
    assert quick_qmt("halt").status == 0
    for words in (WORDS, ("apply", "plan.json", "--json")):
        done = quick_qmt(*words)
        rows = done.json if words is WORDS else [json.loads(line) for line in done.stdout.splitlines()]
        assert (done.status, [row["reason"] for row in rows]) == (6, ["halted", "halted"])
    assert quick_qmt("resume").status == 0
    assert _orders(tmp_path) == []


# -- stopped, doubled, hindered ----------------------------------------------------------------------------


def _start(*words: str) -> subprocess.Popen[bytes]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "qmtcli", *WORDS, *words]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _until(test: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not test():
        assert time.monotonic() < until, "in vain"
        time.sleep(0.02)


def _stand(tmp_path: Path, count: int) -> bool:
    file = tmp_path / "state" / "paper" / "paper" / "1000000365.sqlite"
    try:
        return file.exists() and sum(row[4] == 50 for row in _orders(tmp_path)) == count
    except sqlite3.OperationalError:
        return False


@not_on_windows("it sends no signals")
def test_interrupted_and_said_again(quick_qmt: Qmt, clock: Callable[[str], None], tmp_path: Path) -> None:
    clock(CLOCK)
    with _start("--price", "own-5") as process:
        _until(lambda: _stand(tmp_path, 2))
        assert quick_qmt(*WORDS).error["code"] == "rebalance_running"
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        error = json.loads(process.stderr.read().splitlines()[-1])["error"]
        assert (process.wait(20), error["code"]) == (7, "stopped_after_sending")
    sent = _orders(tmp_path)
    assert {row[1] for row in sent} <= set(error["ids"])
    # what stands is canceled in its time, and nothing was sent beside it
    done = quick_qmt(*WORDS, "--wait-for", "1")
    assert (done.status, set(_told(done, "reason").values())) == (9, {("unfilled",)})
    assert [row[4] for row in _orders(tmp_path)] == [54, 54]
    # canceled by itself, the rest may be sent again
    assert quick_qmt(*WORDS).status == 0
    assert [row[3] for row in _orders(tmp_path)] == [0, 0, 300, 1_000]


@pytest.mark.parametrize(("answer", "reason"), [(2, "no_quote"), (3, "unfilled")])
def test_what_has_no_price_any_more_stops_nothing(
    answer: int, reason: str, quick_qmt: Qmt, clock: Callable[[str], None], tmp_path: Path
) -> None:
    """Missing when it is to be sent, or when its order is to be chased: what stands is canceled all the same."""
    clock(CLOCK)
    words = (*WORDS, "--price", "own-5", "--chase", "1", "--patience", "0", "--wait-for", "2")
    done = quick_qmt(*words, env={"NATIVE_UNQUOTED": f"600000.SH:{answer}"})
    assert (done.status, _told(done, "reason")) == (9, {"600000.SH": (reason,), "510300.SH": ("unfilled",)})
    assert [row[4] for row in _orders(tmp_path)] == [54] * (answer - 1)


@not_on_windows("it sends no signals")
def test_what_a_person_cancels_is_not_sent_again(quick_qmt: Qmt, clock: Callable[[str], None], tmp_path: Path) -> None:
    clock(CLOCK)
    with _start("--price", "own-5", "--chase", "9", "--patience", "0", "--wait-for", "3") as process:
        _until(lambda: _stand(tmp_path, 2))
        assert quick_qmt("cancel", "1").status == 0
        out, _ = process.communicate(timeout=30)
        assert process.returncode == 9
    assert {row["stock_code"]: row["reason"] for row in json.loads(out)} == {
        "600000.SH": "canceled", "510300.SH": "unfilled",
    }  # fmt: skip
    assert len(_orders(tmp_path)) == 2
    # nor by whoever goes on
    assert _told(quick_qmt(*WORDS), "reason") == {"600000.SH": ("canceled",), "510300.SH": (None,)}
    assert [row[3] for row in _orders(tmp_path)] == [0, 0, 1_000]


def test_other_terms_are_another_plan(quick_qmt: Qmt, clock: Callable[[str], None]) -> None:
    clock(CLOCK)
    assert _told(quick_qmt(*WORDS, "--min-value", "3000"), "traded_volume", "resumed") == {
        "600000.SH": (0, False), "510300.SH": (1_000, False),
    }  # fmt: skip
    assert _told(quick_qmt(*WORDS), "traded_volume", "resumed") == {"600000.SH": (300, False), "510300.SH": (0, False)}
    assert _told(quick_qmt(*WORDS), "traded_volume", "resumed") == {"600000.SH": (300, True), "510300.SH": (0, True)}


def test_unknown_on_a_live_account_is_told_and_not_sent_again(live: Live) -> None:
    words = (*WORDS, "--yes", "--wait-for", "2")
    lost = live.run(*words, faults=[{**LOST, "code": "600000.SH"}])
    assert (lost.status, _told(lost, "reason")) == (7, {"600000.SH": ("unknown",), "510300.SH": (None,)})
    assert live.sent() == 2
    assert live.run(*words).status == 7
    # nor by another plan: it may be there after all
    anew = live.run(*words, "--new")
    assert (anew.status, _told(anew, "reason")["600000.SH"]) == (7, ("unknown",))
    assert (live.sent(), live.orders()) == (0, 1)


def test_what_is_listed_late_is_canceled_in_time(live: Live) -> None:
    """Never answered, not listed to the first who ask, and nothing else is to be done: it is looked for on and on."""
    Path("targets.csv").write_text("code,volume\n600000.SH,300\n")
    silent = {"call": "order", "code": "600000.SH", "outcome": "no answer", "pushes": False}
    late = {"call": "order", "code": "600000.SH", "outcome": "listed only after", "queries": 6}
    found = live.run(*WORDS, "--yes", "--price", "own-5", "--wait-for", "8", faults=[silent, late])
    assert (found.status, _told(found, "reason")) == (9, {"600000.SH": ("unfilled",)})
    assert [row["status"] for row in live.run("orders", "--json").json] == ["canceled"]


def test_a_link_that_is_lost_at_the_end_is_waited_for(live: Live) -> None:
    lost = [{"call": "cancel", "outcome": "disconnect before", "nth": 1}]
    lost += [{"call": "connect", "outcome": "-1", "nth": number} for number in range(2, 8)]
    done = live.run(*WORDS, "--yes", "--price", "own-5", "--wait-for", "1", faults=lost)
    assert (done.status, set(_told(done, "reason").values())) == (9, {("unfilled",)})
    assert [row["status"] for row in live.run("orders", "--json").json] == ["canceled", "canceled"]


# -- margin accounts ---------------------------------------------------------------------------------------


def _credits(ledger: Path) -> set[tuple[str, str, int]]:
    """(side, what it is for, xtquant's type) of the orders of a ledger that were sent."""
    with sqlite3.connect(ledger) as entries:
        return {*entries.execute("SELECT side, credit, order_type FROM entries WHERE sent > 0")}


ALL_COLLATERAL = {("buy", "collateral", 23), ("sell", "collateral", 24)}


def test_a_margin_account_trades_collateral_and_says_so(
    quick_qmt: Qmt, user_config: Callable[[str], Path], clock: Callable[[str], None], tmp_path: Path
) -> None:
    clock(CLOCK)
    user_config("profiles: {paper: {account_type: CREDIT}}\n")
    for more in ((), ("--check",), ("--dry-run",), ("--plan", "plan.json")):
        error = quick_qmt(*WORDS, *more).error
        assert (error["exit_status"], error["code"]) == (2, "credit_needed")
    assert quick_qmt(*WORDS, "--as", "fin").status == 2
    assert quick_qmt("orders", "--json").json == []
    assert quick_qmt(*WORDS, "--as", "collateral").status == 0
    assert quick_qmt(*WORDS, "--as", "collateral").json[0]["resumed"] is True
    assert quick_qmt("paper", "next-day").status == 0
    Path("targets.csv").write_text("code,volume\n600000.SH,100\n510300.SH,1500\n")
    assert quick_qmt(*WORDS, "--as", "collateral", "--plan", "plan.json").status == 0
    _hold_plan(quick_qmt, user_config)
    assert quick_qmt("apply", "plan.json", "--json").status == 0
    orders = quick_qmt("orders", "--json").json
    assert [(row["side"], row["order_type"], row["status"]) for row in orders] == [
        ("sell", 24, "filled"), ("buy", 23, "filled"),
    ]  # fmt: skip
    assert _credits(tmp_path / "state" / "ledger" / "paper-paper" / "1000000365-credit.sqlite") == ALL_COLLATERAL


def _hold_plan(qmt: Qmt, user_config: Callable[[str], Path]) -> None:
    """A plan of a margin account is that of no other, and its orders are for nothing else."""
    whole = json.loads(Path("plan.json").read_text("utf-8"))
    for credit, code in (("fin", "no_plan"), ("repay", "no_plan"), ("", "credit_needed")):
        whole["rebalance"]["course"]["credit"] = credit
        Path("other.json").write_text(json.dumps(whole))
        assert qmt("apply", "other.json", "--json").error["code"] == code
    user_config("profiles: {paper: {}}\n")
    assert qmt("apply", "plan.json", "--json").error["code"] == "credit_not_taken"
    for more in ((), ("--check",), ("--plan", "other.json")):
        error = qmt(*WORDS, "--as", "collateral", *more).error
        assert (error["exit_status"], error["code"]) == (2, "credit_not_taken")
    assert qmt("orders", "--json").json == []
    user_config("profiles: {paper: {account_type: CREDIT}}\n")


def test_a_live_margin_account(
    quick_runs: Callable[[str], Runner], qmt: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Live(quick_runs("live"), qmt, tmp_path, monkeypatch, account_type="CREDIT")
    words = (*WORDS, "--yes")
    assert live.run(*words).error["code"] == "credit_needed"
    assert live.sent() == 0
    assert (live.run(*words, "--as", "collateral").status, live.sent()) == (0, 2)
    Path("targets.csv").write_text("code,volume\n600000.SH,100\n510300.SH,1500\n")
    done = live.run(*words, "--as", "collateral", clock="2026-11-24T10:00:00")
    assert (done.status, live.sent()) == (0, 2)
    assert _credits(tmp_path / "state" / "ledger" / "live" / "2000000365-credit.sqlite") == ALL_COLLATERAL
    with sqlite3.connect(tmp_path / "account" / "2000000365.sqlite") as account:
        assert {*account.execute("SELECT type FROM orders")} == {(23,), (24,)}


def test_a_live_account_without_margin_takes_no_purpose(live: Live) -> None:
    error = live.run(*WORDS, "--yes", "--as", "collateral").error
    assert (error["exit_status"], error["code"], live.sent()) == (2, "credit_not_taken", 0)


def test_a_book_is_all_that_is_touched(quick_qmt: Qmt, clock: Callable[[str], None]) -> None:
    clock(CLOCK)
    assert quick_qmt("buy", "600000.SH", "1000", "--limit", "9.09").status == 0
    assert quick_qmt("buy", "600000.SH", "400", "--limit", "9.09", "--strategy", "trend").status == 0
    assert quick_qmt("book", "adjust", "trend", "--cash", "6000").status == 0
    assert quick_qmt("paper", "next-day").status == 0
    Path("trend.csv").write_text("code,weight\n510300.SH,0.95\n")
    done = quick_qmt("rebalance", "trend.csv", "--strategy", "trend", "--others", "sell", "--json")
    assert (done.status, _told(done, "held_volume", "final_volume")["600000.SH"]) == (0, (400, 0))
    held = {row["stock_code"]: row["volume"] for row in quick_qmt("positions", "--json").json}
    book = {row["stock_code"]: row for row in quick_qmt("book", "trend", "--json").json}
    assert held["600000.SH"] == 1_000
    assert held["510300.SH"] == book["510300.SH"]["volume"] == _told(done, "traded_volume")["510300.SH"][0]
    assert book[""]["cash"] >= 0


# -- in the market's own time ------------------------------------------------------------------------------


def _market(paper: Paper, code: str, ask: list[tuple[str, list[tuple[float, int]]]], last: float = 10.0) -> None:
    for at, levels in ask:
        paper.market.tick(code, last, bid=[(last - 0.01, 90_000)], ask=levels, at=at, volume=100_000, preclose=10.0)


def _run(paper: Paper, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "qmtcli", "rebalance", "one.csv", "--json", *words]
    return subprocess.Popen(command, env=paper.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_chased_to_the_price_of_then(paper: Paper) -> None:
    Path("one.csv").write_text("code,volume\n600000.SH,1000\n")
    paper.use(hours="exchange")
    paper.clock.set("14:50:00")
    _market(paper, "600000.SH", [("14:50:00", [(10.01, 300)]), ("14:50:03", [(10.03, 90_000)])])
    with _run(paper, "--chase", "1", "--patience", "0", "--max-age", "60", "--wait-for", "20") as process:
        _until(lambda: bool(paper.account.orders))
        paper.clock.set("14:50:03")
        out, _ = process.communicate(timeout=30)
    (row,) = json.loads(out)
    assert (process.returncode, row["reached"], len(row["order_ids"])) == (0, True, 2)
    first, second = paper.account.orders
    assert (first["status"], first["price"], first["traded_volume"]) == ("part_canceled", 10.01, 300)
    assert (second["status"], second["price"], second["order_volume"]) == ("filled", 10.03, 700)


@pytest.mark.parametrize("rest", ["cancel", "auction"])
def test_the_end_of_the_day(rest: str, paper: Paper) -> None:
    Path("one.csv").write_text("code,volume\n600000.SH,1000\n")
    paper.use(hours="exchange")
    paper.clock.set("14:55:50")
    _market(paper, "600000.SH", [("14:55:50", [(10.01, 300)]), ("14:56:10", [(10.02, 90_000)])])
    paper.market.tick("600000.SH", 10.0, bid=[(10.0, 5_000)], ask=[(10.0, 5_000)], at="14:58:00", phase=18)
    paper.market.tick(
        "600000.SH", 10.0, bid=[(9.99, 5_000)], ask=[(10.01, 5_000)], at="15:00:02", volume=200_000, phase=15
    )
    with _run(paper, "--rest", rest, "--max-age", "60") as process:
        _until(lambda: bool(paper.account.orders))
        paper.clock.set("14:56:01")
        if rest == "cancel":
            process.wait(20)
            assert paper.account.orders[0]["status"] == "part_canceled"
        paper.clock.set("15:00:06")
        out, error = process.communicate(timeout=30)
    (row,) = json.loads(out)
    if rest == "cancel":
        assert (process.returncode, row["traded_volume"], row["reason"]) == (9, 300, "unfilled"), error
    else:
        assert (process.returncode, row["traded_volume"], row["reason"]) == (0, 1_000, None), error
    assert len(paper.account.orders) == 1


def test_what_a_dead_run_left_is_canceled_though_its_time_is_past(paper: Paper) -> None:
    Path("one.csv").write_text("code,volume\n600000.SH,1000\n")
    paper.use(hours="exchange")
    paper.clock.set("14:55:50")
    _market(paper, "600000.SH", [("14:55:50", [(10.01, 300)])])
    with _run(paper) as process:
        _until(lambda: bool(paper.account.orders))
        process.kill()
    paper.clock.set("14:56:20")
    done = paper.run("rebalance", "one.csv", "--json")
    assert (done.status, done.json[0]["reason"], done.json[0]["resumed"]) == (9, "unfilled", True)
    assert [order["status"] for order in paper.account.orders] == ["part_canceled"]


def test_too_late_in_the_day(paper: Paper) -> None:
    Path("one.csv").write_text("code,volume\n600000.SH,1000\n")
    paper.use(hours="exchange")
    paper.clock.set("14:56:40")
    _market(paper, "600000.SH", [("14:56:39", [(10.01, 300)])])
    assert paper.run("rebalance", "one.csv", "--json").error["code"] == "until_passed"
    assert paper.run("rebalance", "one.csv", "--until", "14:58", "--json").error["code"] == "until_too_late"
    paper.clock.set("2026-11-28T14:50:00")  # a Saturday
    assert paper.run("rebalance", "one.csv", "--json").error["code"] == "off_hours"
    paper.clock.set("2026-11-23T14:56:55")
    stale = paper.run("rebalance", "one.csv", "--check", "--json")
    assert (stale.status, stale.json[0]["reason"]) == (11, "stale_price")
    assert paper.account.orders == []


def test_the_worked_example_is_what_the_page_says(tmp_path: Path) -> None:
    """The page's targets are thirty names whose weights come to no more than one."""
    page = (ROOT / "docs" / "rebalance.md").read_text("utf-8")
    table = page.partition("```csv\n")[2].partition("```")[0]
    rows = list(csv.DictReader(table.splitlines()))
    assert len(rows) == 30
    assert 0.9 <= sum(float(row["weight"]) for row in rows) <= 1


# -- how fast ----------------------------------------------------------------------------------------------


CODES = ("600000.SH", "000001.SZ", "000333.SZ", "510300.SH", "159915.SZ", "511880.SH", "518880.SH", "513100.SH")


def _writes(tmp_path: Path) -> list[tuple[int, str]]:
    """(epoch ms, ``sending`` or ``cancel``) of the orders and cancels of the ledger."""
    with sqlite3.connect(tmp_path / "state" / "ledger" / "paper-paper" / "1000000365.sqlite") as ledger:
        wanted = "SELECT clock, event FROM events WHERE event IN ('sending', 'cancel') ORDER BY clock"
        return ledger.execute(wanted).fetchall()


def _most_in_a_second(written: list[tuple[int, str]]) -> int:
    return max(sum(begin <= at < begin + 1_000 for at, _ in written) for begin, _ in written)


def test_a_rate_binds_orders_and_cancels(quick_qmt: Qmt, clock: Callable[[str], None], tmp_path: Path) -> None:
    clock(CLOCK)
    Path("targets.csv").write_text("code,volume\n" + "".join(f"{code},100\n" for code in CODES))
    done = quick_qmt(*WORDS, "--price", "own-5", "--max-rate", "3", "--wait-for", "4")
    assert (done.status, set(_told(done, "reason").values())) == (9, {("unfilled",)})
    assert {row[4] for row in _orders(tmp_path)} == {54}
    written = _writes(tmp_path)
    assert [word for _, word in written] == ["sending"] * len(CODES) + ["cancel"] * len(CODES)
    assert _most_in_a_second(written) == 3


def test_a_rate_does_not_outlast_the_time_there_is(
    quick_qmt: Qmt, clock: Callable[[str], None], tmp_path: Path
) -> None:
    clock(CLOCK)
    Path("targets.csv").write_text("code,volume\n" + "".join(f"{code},100\n" for code in CODES))
    done = quick_qmt(*WORDS, "--price", "own-5", "--max-rate", "1", "--wait-for", "1")
    reasons = Counter(reason for (reason,) in _told(done, "reason").values())
    assert (done.status, reasons) == (9, {"unfilled": 3, "not_sent": 5})
    assert {row[4] for row in _orders(tmp_path)} == {54}
    assert _most_in_a_second(_writes(tmp_path)) == 1


@pytest.mark.parametrize(
    ("rate", "auction", "seconds"), [(2, None, 30.0), (10, None, 0.0), (None, None, 0.0), (2, 1.0, 0.0)]
)
def test_cancels_that_would_come_too_late_begin_early(rate: int | None, auction: float | None, seconds: float) -> None:
    """A hundred orders stand."""
    course = Course(parse_price("peer"), "qmt", rate=rate, auction=auction)
    desk: Any = SimpleNamespace(session=None, ledger=None, profile=SimpleNamespace(limits=None))
    running = Running(desk, cast(Any, None), "b", [], Decimal(0), course, lambda error: None, lambda text: None)
    running._orders = lambda numbers: cast(Any, [None] * 100)  # type: ignore[method-assign]
    assert running._seconds_for_cancels() == seconds
