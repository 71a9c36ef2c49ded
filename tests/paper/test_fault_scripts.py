"""Scripts of faults: how they are written, what is wrong with one, and how their rules count."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Result, not_on_windows

from qmtcli.errors import ConfigError
from qmtcli.messages import error_text
from qmtcli.paper import faults
from qmtcli.paper.faults import Rule, read, rule_of, script
from qmtcli.paper.native_tables import CLIENT_METHODS
from qmtcli.testing import Paper


def no_order() -> tuple[str, str]:
    return "", ""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a script."""

    def write(text: str) -> Path:
        path = tmp_path / "faults.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


# -- reading -----------------------------------------------------------------------------------------------


def test_yaml_and_json_are_the_same(written: Callable[[str], Path]) -> None:
    yaml = read(written("- call: order\n  outcome: late\n  seconds: 1.5\n  nth: 2\n  shared: yes\n"))
    json = read(written('[{"call": "order", "outcome": "late", "seconds": 1.5, "nth": 2, "shared": true}]'))
    wanted = Rule("order", "late", {"seconds": 1.5, "arrives": 0.0}, nth=2, shared=True)
    assert [(rule.call, rule.given, rule.nth, rule.shared) for rule in (*yaml, *json)] == [
        (wanted.call, wanted.given, wanted.nth, wanted.shared)
    ] * 2


def test_an_empty_script_is_one(written: Callable[[str], Path]) -> None:
    assert read(written("# nothing yet\n")) == []


def test_what_is_not_said(written: Callable[[str], Path]) -> None:
    (rule,) = read(written("[{call: order, outcome: reject}]"))
    assert dict(rule.given) == {"error_id": -1, "message": "委托被拒绝", "row": True}
    assert [rule.acts(number) for number in (1, 2, 1000)] == [True, True, True]


WRONG = [
    ("- {call: order, outcome: no anwser}", "bad_choice", ":1", "no answer"),
    ("- {call: ordr, outcome: reject}", "bad_choice", ":1", "order"),
    ("- call: order\n  outcome: late\n  secnds: 3", "unknown_key", ":3", "seconds"),
    ("- {call: order, outcome: late, seconds: soon}", "bad_value", ":1", "0 <= s"),
    ("- {call: order, outcome: late, seconds: nan}", "bad_value", ":1", "0 <= s"),
    ("- {call: order, outcome: late}", "faults_unreadable", ":1", "late: no seconds"),
    ("- {call: order, outcome: reject, nth: 0}", "bad_value", ":1", "1 <= n"),
    ("- {call: order, outcome: reject, shared: perhaps}", "bad_value", ":1", "true | false"),
    ("- {call: order, outcome: twice, what: all}", "bad_value", ":1", "both | answer | pushes"),
    ("- {call: order, outcome: reject, nth: 1, first: 2}", "faults_unreadable", ":1", "nth and first"),
    ("- {call: connect, outcome: reject}", "fault_not_for_call", ":1", "cancel"),
    ("- {call: query, outcome: listed only after, queries: 1}", "fault_not_for_call", ":1", "order"),
    ("- {call: connect, outcome: '-1', remark: mine}", "unknown_key", ":1", "remark"),
    ("- {call: query, outcome: late, seconds: 1, arrives: 1}", "unknown_key", ":1", "arrives"),
    ("- {call: order}", "faults_unreadable", ":1", "no outcome"),
    ("\n\n- {outcome: reject}", "faults_unreadable", ":3", "no call"),
    ("- {call: order, call: order, outcome: reject}", "duplicate_key", ":1", "call"),
    ("- {call: [order], outcome: reject}", "faults_unreadable", ":1", "sequence, no word"),
    ("- order", "faults_unreadable", ":1", "scalar, no rule"),
    ("call: order", "faults_unreadable", ":1", "mapping, no list"),
    ("- {call: order]", "faults_unreadable", ":1", ""),
    ("- {call: order, outcome: \x01}", "faults_unreadable", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "place", "word"), WRONG)
def test_what_is_wrong_is_told_with_its_place(
    written: Callable[[str], Path], text: str, code: str, place: str, word: str
) -> None:
    path = written(text)
    with pytest.raises(ConfigError) as raised:
        read(path)
    error = raised.value
    assert (error.code, error.params["source"]) == (code, f"{path}{place}")
    for language in ("zh", "en"):
        message, hint = error_text(error.code, error.params, language)
        assert str(path) in message
        assert word in message + hint


def test_a_file_that_is_none(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.yaml"):
        with pytest.raises(ConfigError) as raised:
            read(path)
        assert raised.value.code == "faults_unreadable"
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xff\xff")
    with pytest.raises(ConfigError):
        read(tmp_path / "bad.yaml")


def test_names_of_requests() -> None:
    assert set(faults.METHODS.values()) <= set(CLIENT_METHODS)
    assert faults.METHODS["query_ipo_data"] == "queryIPODataWithSeq"
    assert faults.METHODS["query_secu_account"] == "querySecuAccountWithSeq"
    assert faults.METHODS["query_orders"] == "queryStockOrdersWithSeq"


@pytest.mark.parametrize("outcome", faults.OUTCOMES)
def test_every_outcome_makes_a_plan(outcome: str) -> None:
    made = faults.OUTCOMES[outcome]
    needed = {key: 1 for key, (_, default) in made.takes.items() if default is None}
    for call in made.calls:
        rule = rule_of({"call": call, "outcome": outcome, **needed}, "here")
        assert set(made.plan(rule.given)) <= {field.name for field in fields(faults.Plan)}


# -- counting ----------------------------------------------------------------------------------------------


def acted(path: Path, calls: str, about: Callable[[], tuple[str, str]] = no_order) -> list[bool]:
    """Whether something goes wrong with each of some requests."""
    following = script(str(path))
    return [following.plan(call, about) != faults.NOTHING for call in calls.split()]


@pytest.mark.parametrize(
    ("which", "acts"),
    [("", "YYYYYY"), ("nth: 2", "-Y----"), ("first: 2", "YY----"), ("every: 2", "-Y-Y-Y"), ("every: 3", "--Y--Y")],
)
def test_which_of_its_requests(written: Callable[[str], Path], which: str, acts: str) -> None:
    path = written(f"- {{call: order, outcome: '-1', {which}}}")
    assert acted(path, "order cancel " * 6) == [flag for act in acts for flag in (act == "Y", False)]


def test_a_rule_counts_its_own_requests_alone(written: Callable[[str], Path]) -> None:
    path = written(
        "- {call: order, outcome: '-1', remark: a, nth: 2}\n"
        "- {call: order, outcome: '-1', code: 600000.SH, nth: 4}\n"
        "- {call: query, outcome: '-1', nth: 2}\n"
    )
    following = script(str(path))
    orders = [("600000.SH", "a"), ("000001.SZ", "b"), ("600000.SH", "b"), ("600000.SH", "a"), ("600000.SH", "a")]
    found = [following.plan("order", lambda order=order: order) != faults.NOTHING for order in orders]  # type: ignore[misc]
    assert found == [False, False, False, True, True]
    assert acted(path, "query_asset order query_orders query_trades") == [False, False, True, False]


def test_a_rewritten_script_is_followed_at_once(written: Callable[[str], Path]) -> None:
    path = written("- {call: order, outcome: '-1', nth: 2}\n- {call: cancel, outcome: '-1', nth: 2}\n")
    assert acted(path, "order cancel") == [False, False]
    # what is changed counts anew, the rest goes on
    written("- {call: order, outcome: '-1', nth: 2, shared: false}\n- {call: cancel, outcome: '-1', nth: 2}\n")
    assert acted(path, "order cancel order") == [False, True, True]
    path.unlink()
    with pytest.raises(ConfigError):
        acted(path, "order")


@not_on_windows("it does not fork")
def test_a_forked_child_counts_by_itself(written: Callable[[str], Path]) -> None:
    path = written("- {call: order, outcome: '-1', nth: 2}")
    assert acted(path, "order") == [False]
    child = os.fork()
    if child == 0:
        os._exit(acted(path, "order order").index(True))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert acted(path, "order") == [True]


_COUNTS = """
import sys
from qmtcli.paper.faults import NOTHING, script
following = script(sys.argv[1])
sys.stdin.read()
print(sum(following.plan("order", lambda: ("", "")) != NOTHING for _ in range(20)))
"""


def test_processes_that_count_together_count_exactly(written: Callable[[str], Path]) -> None:
    path = written("- {call: order, outcome: '-1', every: 3, shared: true}")
    command = [sys.executable, "-c", _COUNTS, str(path)]
    begin, end = os.pipe()  # at whose end all of them begin
    started = [subprocess.Popen(command, stdin=begin, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(4)]
    os.close(begin)
    os.close(end)
    assert sum(int(process.communicate()[0]) for process in started) == 80 // 3
    assert acted(path, "order") == [True]


# -- runs of qmt and of scripts ----------------------------------------------------------------------------


@pytest.fixture
def paper(vendor_modules: None, tmp_path: Path) -> Iterator[Paper]:
    with Paper(tmp_path / "paper") as found:
        yield found


Qmt = Callable[..., Result]
#: seconds that are short, and enough for what is answered
MOMENT = "2" if os.name == "nt" else "0.3"
ORDER = ("buy", "600000.SH", "100", "--limit", "8.90", "--id", "mine", "--json")


def test_orders_that_qmt_sends(paper: Paper, quick_qmt: Qmt) -> None:
    paper.faults.order("reject", message="不让买").once().shared()
    refused = quick_qmt(*ORDER)
    assert (refused.status, refused.error["code"], refused.error["reason"]) == (5, "rejected", "不让买")
    paper.faults.clear()
    paper.faults.order("-1", message="柜台忙")
    refused = quick_qmt(*ORDER[:-3], "--json")
    assert (refused.status, refused.error["code"], refused.error["reason"]) == (5, "not_taken", "柜台忙")
    paper.faults.clear()
    paper.faults.order("push before reply")
    paper.faults.order("twice")
    done = quick_qmt(*ORDER[:-3], "--json")
    assert (done.status, done.stderr, done.json["order_id"], done.json["status"]) == (0, "", "2", "reported")


def test_an_order_that_qmt_gets_no_answer_to(paper: Paper, quick_qmt: Qmt) -> None:
    paper.faults.order("no answer", pushes=False)
    paper.faults.order("listed only after", queries=99)
    unknown = quick_qmt(*ORDER)
    assert (unknown.status, unknown.error["code"], unknown.error["ids"]) == (7, "no_answer_to_order", ["mine"])
    paper.faults.clear()
    again = quick_qmt(*ORDER)
    assert (again.status, again.json["order_id"], again.json["replayed"]) == (0, "1", True)
    assert len(paper.account.orders) == 1


@pytest.mark.parametrize(
    ("call", "outcome", "status", "code"),
    [
        ("connect", "-1", 4, "connect_failed"),
        ("subscribe", "-1", 4, "subscribe_failed"),
        ("order", "disconnect before", 7, "no_answer_to_order"),
        ("query_orders", "disconnect before", 4, "link_lost"),
        ("subscribe", "disconnect before", 4, "link_lost"),
        ("query_orders", "empty lists on a dead link", 4, "query_failed"),
    ],
)
def test_a_link_that_qmt_loses(paper: Paper, quick_qmt: Qmt, call: str, outcome: str, status: int, code: str) -> None:
    paper.faults.on(call, outcome)
    lost = quick_qmt(*ORDER)
    assert (lost.status, lost.error["code"]) == (status, code)
    assert paper.account.orders == []


@pytest.mark.parametrize("outcome", ["no answer", "disconnect after"])
def test_an_order_that_qmt_finds_by_its_row(paper: Paper, quick_qmt: Qmt, outcome: str) -> None:
    paper.faults.order(outcome).once()
    done = quick_qmt(*ORDER)
    assert (done.status, done.json["order_id"], done.json["status"]) == (0, "1", "reported")


def test_an_order_answered_minus_one_that_stands(paper: Paper, quick_qmt: Qmt) -> None:
    paper.faults.order("-1 and yet live")
    done = quick_qmt(*ORDER)
    assert (done.status, done.json["order_id"], done.json["status"]) == (0, "1", "reported")


def test_cancels_that_qmt_asks_for(paper: Paper, quick_qmt: Qmt) -> None:
    for _ in range(3):
        assert quick_qmt(*ORDER[:-3], "-o", "id").status == 0
    paper.faults.cancel("-1").shared().once()
    assert quick_qmt("cancel", "1", "--json").status == 5
    paper.faults.clear()
    paper.faults.cancel("-1 and yet live")
    assert quick_qmt("cancel", "1", "--json").status == 0
    paper.faults.clear()
    paper.faults.cancel("no answer", stands=False)
    assert quick_qmt("--timeout", MOMENT, "cancel", "2", "--json").status == 7
    paper.faults.clear()
    paper.faults.cancel("disconnect before")
    assert quick_qmt("cancel", "3", "--json").status == 7


def test_a_listing_with_a_foreign_order(paper: Paper, quick_qmt: Qmt) -> None:
    paper.faults.query_orders("foreign order")
    listed = quick_qmt("orders", "--json")
    assert (listed.status, [row["order_remark"] for row in listed.json]) == (0, ["别的程序留下的\ufffd"])


def test_a_query_that_qmt_gets_no_answer_to(paper: Paper, quick_qmt: Qmt) -> None:
    paper.faults.query_positions("no answer")
    lost = quick_qmt("--timeout", MOMENT, "positions", "--json")
    assert (lost.status, lost.error["code"], lost.error["call"]) == (4, "no_answer", "query_stock_positions")


def test_faults_by_a_variable_and_in_children(
    quick_qmt: Qmt, clock: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock("2026-11-23T10:00:00")
    monkeypatch.chdir(tmp_path)
    Path("faults.yaml").write_text("- {call: query_asset, outcome: account status, status: 3}\n", encoding="utf-8")
    monkeypatch.setenv("QMT_PAPER_FAULTS", "faults.yaml")  # a path of the folder one stands in
    told = (
        "from xtquant.xttrader import XtQuantTrader; from xtquant.xttype import StockAccount; import asyncio\n"
        "asyncio.set_event_loop(asyncio.new_event_loop())\n"
        "trader = XtQuantTrader('x', 9); trader.start(); trader.connect()\n"
        "trader.query_stock_asset(StockAccount('1000000365')); print(trader.query_account_status()[0].status)\n"
    )
    Path("told.py").write_text(told, encoding="utf-8")
    child = "import os, subprocess, sys; os.mkdir('deep')\nsubprocess.run([sys.executable, '../told.py'], cwd='deep')\n"
    Path("child.py").write_text(child, encoding="utf-8")
    for name in ("told.py", "child.py"):
        run = quick_qmt("run-strategy", name)
        assert (run.status, run.stdout.split()) == (0, ["3"])


def test_a_script_that_is_wrong_ends_the_run_before_it_begins(
    quick_qmt: Qmt, monkeypatch: pytest.MonkeyPatch, written: Callable[[str], Path]
) -> None:
    monkeypatch.setenv("QMT_PAPER_FAULTS", str(written("- {call: order, outcome: rejekt}")))
    wrong = quick_qmt("orders", "--json")
    assert (wrong.status, wrong.error["code"], wrong.error["nearest"]) == (3, "bad_choice", "reject")
    monkeypatch.setenv("QMT_PAPER_FAULTS", "nowhere.yaml")
    assert quick_qmt("orders", "--json").error["code"] == "faults_unreadable"


def test_no_faults_on_a_live_profile(
    quick_qmt: Qmt, monkeypatch: pytest.MonkeyPatch, user_config: Callable[[str], Path], written: Callable[[str], Path]
) -> None:
    user_config('profiles:\n  real: {live: true, path: /userdata_mini, account: "1"}\n')
    monkeypatch.setenv("QMT_PAPER_FAULTS", str(written("[]")))
    refused = quick_qmt("--profile", "real", "orders", "--json")
    assert (refused.status, refused.error["code"]) == (3, "faults_on_live")
    assert quick_qmt("orders", "--json").status == 0


def test_an_order_is_kept_out_of_the_listings_of_all_processes(paper: Paper, quick_qmt: Qmt) -> None:
    paper.faults.order("listed only after", queries=3).shared()
    paper.faults.order("no answer", pushes=False)
    trader = paper.trader()
    trader.order_stock_async(paper.stock_account, "600000.SH", 23, 100, 11, 8.90)
    paper.flush()
    assert [len(quick_qmt("orders", "--json").json) for _ in range(3)] == [0, 0, 0]
    assert len(trader.query_stock_orders(paper.stock_account)) == 1


def test_a_session_without_a_script_has_no_faults(
    vendor_modules: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qmtcli.paper.settings import Settings
    from qmtcli.paper.trading import XtQuantAsyncClient

    kinds: Counter[Any] = Counter()
    for path in ("", str(tmp_path / "faults.yaml")):
        Settings(home=str(tmp_path), faults=path).export(os.environ)
        kinds[type(XtQuantAsyncClient("x", "y", 1)).__name__] += 1
    monkeypatch.delenv("QMTCLI_PAPER")
    kinds[type(XtQuantAsyncClient("x", "y", 1)).__name__] += 1
    assert kinds == {"XtQuantAsyncClient": 2, "FaultyClient": 1}
