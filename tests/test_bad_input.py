"""Bad input, each kind with its status, its code and a hint, and nothing sent.

Every case runs in a process of its own, in a copy of one account: 1000 shares of 600000.SH from the day before, 300 of
510300.SH from today, and an open order. After it the account's orders are the same and the native line was not asked
to write.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import CLOCK, ROOT, WINDOWS, Result
from test_streams import READS

ACCOUNT = {"mode": "paper", "profile": "paper", "account_id": "1000000365"}
ACCOUNT_FILE = Path("paper", "paper", "1000000365.sqlite")
PREPARED = (
    ("buy", "600000.SH", "1000", "--limit", "9.09", "--id", "yesterday"),
    ("paper", "next-day"),
    ("buy", "510300.SH", "300", "--price", "peer", "--id", "today"),
    ("buy", "600000.SH", "100", "--limit", "9.00", "--id", "open"),
)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with the account that every case begins with."""
    state = tmp_path_factory.mktemp("prepared")
    env = {name: value for name, value in os.environ.items() if not name.startswith("QMT_")}
    env |= {"QMT_STATE": str(state), "QMT_PAPER_CLOCK": CLOCK, "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(state)}
    for words in PREPARED:
        subprocess.run([sys.executable, "-m", "qmtcli", *words], env=env, check=True, capture_output=True, cwd=state)
    return state


def _orders(state: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(state / ACCOUNT_FILE)) as connection:
        return connection.execute("SELECT * FROM orders ORDER BY id").fetchall()


class Trial:
    """Runs in a copy of the prepared account, each held to send nothing."""

    def __init__(self, qmt: Callable[..., Result], state: Path, log: Path) -> None:
        self._qmt = qmt
        self._state = state
        self._log = log
        self.orders = _orders(state)

    def run(self, *words: str, **how: Any) -> Result:
        """Run under ``--json``."""
        return self._qmt("--json", *words, **how)

    def refusal(self, *words: str, **how: Any) -> dict[str, Any]:
        """The error object of a run that must fail and must not have written anything."""
        done = self.run(*words, **how)
        assert self.written() == []
        assert _orders(self._state) == self.orders
        return self.error(done)

    def error(self, done: Result) -> dict[str, Any]:
        """The one line on stderr, in its fixed shape."""
        assert done.stderr.count("\n") == 1
        error = done.error
        assert list(error)[:4] == ["code", "message", "hint", "exit_status"]
        assert error["exit_status"] == done.status
        assert error["message"] and error["hint"]
        assert "{" not in error["message"] + error["hint"]
        return error

    def written(self) -> list[str]:
        """Native calls that write, since the last answer."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        self._log.unlink(missing_ok=True)
        return [name for name in lines if not name.startswith(READS)]


@pytest.fixture
def trial(
    quick_qmt: Callable[..., Result],
    prepared: Path,
    tmp_path: Path,
    clock: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Trial:
    """A copy of the prepared account, with the native line watched."""
    clock(CLOCK)
    monkeypatch.setenv("NATIVE_LOG", str(tmp_path / "native.log"))
    shutil.copytree(prepared, tmp_path / "state")
    return Trial(quick_qmt, tmp_path / "state", tmp_path / "native.log")


def _subset(error: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {name: error.get(name) for name in wanted}


BUY = ("buy", "600000.SH", "100", "--limit", "9.09")


def _buy(**changed: str) -> tuple[str, ...]:
    """A buy that would be sent, but for what is changed."""
    words = {"code": "600000.SH", "volume": "100", "limit": "9.09"} | changed
    options = [f"--{name}={value}" for name, value in words.items() if name not in ("code", "volume")]
    return ("buy", words["code"], *([words["volume"]] if words["volume"] else []), *options)


def _price(text: str) -> tuple[str, ...]:
    return ("buy", "600000.SH", "100", f"--price={text}")


ORDERS: dict[str, tuple[tuple[str, ...], int, str, dict[str, Any]]] = {
    # codes
    "malformed code": (_buy(code="hello"), 2, "malformed_code", {"stock_code": "hello"}),
    "empty code": (_buy(code=""), 2, "malformed_code", {"stock_code": ""}),
    "foreign exchange": (_buy(code="600000.HK"), 2, "malformed_code", {}),
    "lost zeros": (_buy(code="1"), 2, "short_code", {"padded": "000001"}),
    "ambiguous code": (_buy(code="000001"), 2, "ambiguous_code", {"candidates": ["000001.SZ", "000001.SH"]}),
    "unknown code": (_buy(code="600001.SH"), 10, "unknown_code", {"codes": ["600001.SH"]}),
    "index": (_buy(code="000300.SH", limit="3000"), 6, "not_tradable", {"stock_code": "000300.SH"}),
    # volumes
    "below a lot": (_buy(volume="50"), 6, "below_min", {"minimum": 100, "volume": 50}),
    "odd lot": (_buy(volume="150"), 6, "odd_lot", {"below": 100, "above": 200}),
    "STAR below 200": (_buy(code="688981.SH", volume="150", limit="92"), 6, "below_min", {"minimum": 200}),
    "zero volume": (_buy(volume="0"), 2, "bad_volume", {"text": "0"}),
    "negative volume": (("buy", "600000.SH", "--limit=9.09", "--", "-100"), 2, "bad_volume", {"text": "-100"}),
    "half a share": (_buy(volume="0.5"), 2, "bad_volume", {}),
    "volume no number": (_buy(volume="many"), 2, "bad_volume", {}),
    "NaN volume": (_buy(volume="nan"), 2, "bad_volume", {}),
    "infinite volume": (_buy(volume="inf"), 2, "bad_volume", {}),
    "exponent": (_buy(volume="1e2"), 2, "bad_volume", {}),
    "over the cap": (_buy(volume="1000100"), 6, "over_cap", {"cap": 1_000_000}),
    "over 32 bits": (_buy(volume="4294967396"), 6, "over_cap", {"volume": 4294967396}),
    "beyond all": (_buy(volume="9" * 40 + "00"), 6, "over_cap", {}),
    "all is no buy": (_buy(volume="all"), 2, "all_is_for_selling", {}),
    # amounts
    "volume and value": (_buy(value="10000"), 2, "volume_or_value", {}),
    "neither": (_buy(volume=""), 2, "volume_or_value", {}),
    "negative value": (_buy(volume="", value="-10000"), 2, "bad_money", {"text": "-10000"}),
    "zero value": (_buy(volume="", value="0"), 2, "bad_money", {}),
    "NaN value": (_buy(volume="", value="NaN"), 2, "bad_money", {}),
    "infinite value": (_buy(volume="", value="-Infinity"), 2, "bad_money", {}),
    "value below a lot": (_buy(volume="", value="500"), 6, "below_lot", {"value": 500, "least": 914.01}),
    "value beyond all": (_buy(volume="", value="9" * 30 + "亿"), 6, "too_many_parts", {"parts": 100}),
    # prices
    "no price": (("buy", "600000.SH", "100"), 2, "one_price", {}),
    "two prices": (_buy(price="last"), 2, "one_price", {}),
    "limit and market": (_buy(market="peer"), 2, "one_price", {}),
    "off the tick": (_buy(limit="9.095"), 6, "off_tick", {"price": 9.095, "below": 9.09, "above": 9.1}),
    "above the band": (_buy(limit="9.94"), 6, "outside_band", {"price": 9.94}),
    "below the band": (_buy(limit="0.01"), 6, "outside_band", {"price": 0.01}),
    "outside the cage": (_buy(limit="9.30"), 6, "outside_cage", {"price": 9.3}),
    "zero price": (_buy(limit="0"), 2, "bad_price", {"text": "0"}),
    "negative price": (_buy(limit="-9.09"), 2, "bad_price", {}),
    "NaN price": (_buy(limit="nan"), 2, "bad_price", {}),
    "infinite price": (_buy(limit="inf"), 2, "bad_price", {}),
    "high price": (_buy(limit="999999999"), 6, "outside_band", {"price": 999999999}),
    "huge price": (_buy(limit="9" * 40), 2, "bad_price", {}),
    "tiny price": (_buy(limit="0." + "0" * 40 + "1"), 6, "off_tick", {}),
    "price no word": (_price("best"), 2, "bad_price", {"text": "best"}),
    "offset no number": (_price("peer+x"), 2, "bad_price", {}),
    "offset without sign": (_price("peer2"), 2, "bad_price", {}),
    "market kind of nobody": (("buy", "600000.SH", "100", "--market=now"), 2, "unknown_market_kind", {}),
    "market kind of Shenzhen": (
        ("buy", "600000.SH", "100", "--market=fok"),
        6,
        "market_kind_unavailable",
        {"exchange": "SH", "available": ["best5-cancel", "best5-limit", "peer", "mine", "after-hours"]},
    ),
    "protection without market": (_buy(protect="9.2"), 2, "protect_needs_market", {}),
    "protection in Shenzhen": (
        ("buy", "000001.SZ", "100", "--market=ioc", "--protect=12"),
        6,
        "protect_not_taken",
        {"exchange": "SZ"},
    ),
    "protection outside the band": (
        ("buy", "600000.SH", "100", "--market=peer", "--protect=99"),
        6,
        "outside_band",
        {"price": 99},
    ),
    "after hours on BSE": (
        ("buy", "920185.BJ", "100", "--market=after-hours"),
        6,
        "market_kind_unavailable",
        {"available": ["best5-cancel", "best5-limit", "peer", "mine"]},
    ),
    "after hours of a bond": (("buy", "113052.SH", "10", "--market=after-hours"), 6, "no_after_hours", {}),
    "buying repo": (_buy(code="204001.SH", volume="10", limit="1.5"), 6, "repo_is_lent", {}),
    "lending all": (("sell", "204001.SH", "all", "--limit=1.5"), 2, "all_of_repo", {}),
    "lending too little": (("sell", "204001.SH", "--value=999", "--limit=1.5"), 6, "below_lend", {"least": 1000}),
    # the rest of an order
    "id without a letter": (_buy(id="42"), 2, "bad_client_id", {"text": "42"}),
    "id too long": (_buy(id="a" * 21), 2, "bad_client_id", {}),
    "id not ASCII": (_buy(id="网格"), 2, "bad_client_id", {}),
    "id too long with its date": (_buy(id="abcdefghijklm{date}"), 2, "bad_client_id", {}),
    "empty strategy": (_buy(strategy=""), 2, "bad_strategy", {}),
    "strategy over 23 bytes": (_buy(strategy="一二三四五六七八"), 2, "bad_strategy", {}),
    "strategy with a line": (_buy(strategy="a\nb"), 2, "bad_strategy", {}),
    "unknown field": ((*BUY, "--fields=order"), 2, "unknown_field", {"field": "order"}),
    # sells
    "nothing held": (("sell", "600519.SH", "all", "--price=last"), 6, "not_held", {"stock_code": "600519.SH"}),
    "nothing sellable": (
        ("sell", "510300.SH", "all", "--price=last"),
        6,
        "nothing_to_sell",
        {"stock_code": "510300.SH", "volume": 300, "frozen": 0},
    ),
    "sell outside the band": (("sell", "600000.SH", "100", "--limit=8.12"), 6, "outside_band", {}),
    "sell outside the cage": (("sell", "600000.SH", "100", "--limit=8.20"), 6, "outside_cage", {}),
    # cancels, queries, money
    "cancel of nothing": (("cancel",), 2, "ids_or_all", {}),
    "cancel of all and one": (("cancel", "--all", "3"), 2, "ids_or_all", {}),
    "cancel of one side's id": (("cancel", "3", "--side=buy"), 2, "narrowing_needs_all", {}),
    "cancel of an unknown order": (("cancel", "3", "77"), 10, "unknown_order", {"ids": ["77"]}),
    "cancel of an unknown code": (("cancel", "--all", "--code=x"), 2, "malformed_code", {}),
    "order of no number": (("orders", "first"), 10, "unknown_order", {"ids": ["first"]}),
    "too old": (("quote", "600000.SH", "--max-age=0.0"), 10, "stale_quote", {}),
    "deposit of nothing": (("paper", "deposit", "0"), 2, "bad_money", {}),
    "deposit below a fen": (("paper", "deposit", "0.009"), 2, "bad_money", {}),
    "deposit beyond all": (("paper", "deposit", "9" * 30), 2, "bad_money", {}),
    "deposit of NaN": (("paper", "deposit", "nan"), 2, "bad_money", {}),
    "withdrawal of nothing": (("paper", "withdraw", "0"), 2, "bad_money", {}),
    "withdrawal below a fen": (("paper", "withdraw", "0.009"), 2, "bad_money", {}),
    "withdrawal of NaN": (("paper", "withdraw", "nan"), 2, "bad_money", {}),
    "withdrawal of more than there is": (
        ("paper", "withdraw", "100万"),
        6,
        "not_withdrawable",
        {"value": 1_000_000, "most": 988_875.6},
    ),
    "reset that nobody confirms": (("paper", "reset"), 6, "needs_yes", {}),
    "no such script": (("run-strategy", "gone.py"), 2, "no_strategy_file", {"path": "gone.py"}),
}
#: stands still, so that even the newest snapshot is old
LATER = "2026-11-23T10:00:02"


@pytest.mark.parametrize("case", ORDERS)
def test_refused_here(case: str, trial: Trial) -> None:
    words, status, code, params = ORDERS[case]
    error = trial.refusal(*words, env={"QMT_PAPER_CLOCK": LATER} if code == "stale_quote" else None)
    assert (error["exit_status"], error["code"]) == (status, code)
    assert _subset(error, {**params, **ACCOUNT}) == {**params, **ACCOUNT}


USAGE = {
    "no command": ("--json",),
    "unknown command": ("bye",),
    "unknown option": (*BUY, "--now"),
    "missing code": ("buy",),
    "missing value": (*BUY, "--id"),
    "too many": (*BUY, "200", "300"),
    "flag with a value": (*BUY, "--yes=no"),
    "wait of no number": (*BUY, "--wait-for=long"),
    "wait of NaN": (*BUY, "--wait-for=nan"),
    "negative wait": (*BUY, "--wait-for=-1"),
    "no side": ("cancel", "--all", "--side=both"),
    "age of no number": ("quote", "600000.SH", "--max-age=old"),
    "age of NaN": ("quote", "600000.SH", "--max-age=nan"),
    "number for an option": ("buy", "600000.SH", "-100", "--limit", "9.09"),
}


@pytest.mark.parametrize("case", USAGE)
def test_no_command_line(case: str, trial: Trial) -> None:
    error = trial.refusal(*USAGE[case])
    assert (error["exit_status"], error["code"]) == (2, "usage")
    assert error["hint"].startswith("see qmt ") and error["hint"].endswith("--help")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("buy", "600519.SH", "1000", "--price", "last"), "可用资金不足: 需要 "),
        (("sell", "600519.SH", "100", "--price", "last"), "可用股份不足: 委托 100, 可卖 0"),
        (("sell", "600000.SH", "1100", "--limit", "9.00"), "可用股份不足: 委托 1100, 可卖 1000"),
        (
            ("sell", "510300.SH", "100", "--price", "last"),
            "可用股份不足: T+1, 今日买入的 300 下一交易日才可卖出, 可卖 0",
        ),
    ],
    ids=["no money", "no shares", "too few shares", "T+1"],
)
def test_refused_by_the_exchange(words: tuple[str, ...], reason: str, trial: Trial) -> None:
    done = trial.run(*words, "--id", "mine")
    error = trial.error(done)
    assert (error["exit_status"], error["code"], error["order_id"], error["client_id"]) == (5, "rejected", "4", "mine")
    assert error["reason"].startswith(reason) and reason in error["message"]
    assert _subset(error, ACCOUNT) == ACCOUNT
    assert trial.written() == ["orderStockWithSeq"]
    assert [row["order_id"] for row in trial.run("orders", "--open").json] == ["3"]


# -- stdin ---------------------------------------------------------------------------------------------

ROW = {"stock_code": "600000.SH", "order_id": "3"}
OTHERS = {
    "another account": ({"account_id": "42"}, {"key": "account_id", "theirs": "42", "ours": "1000000365"}),
    "another mode": ({"mode": "live"}, {"key": "mode", "theirs": "live", "ours": "paper"}),
}
STDIN: dict[str, tuple[str | bytes, int, str, dict[str, Any]]] = {
    "nothing": ("", 2, "empty_stdin", {}),
    "blanks": (" \n\t\n", 2, "empty_stdin", {}),
    "broken JSON": ('[{"stock_code": "600000.SH", "order_id": "3"}', 2, "bad_json", {}),
    "a broken line of JSON": (json.dumps(ROW) + '\n{"stock_code":', 2, "bad_json", {}),
    "numbers": ("[600000, 3]", 2, "bad_json", {}),
    "rows without the key": ('[{"name": "x"}]', 2, "row_without_key", {}),
    "an empty key": ('[{"stock_code": "", "order_id": null}]', 2, "row_without_key", {}),
    "no text": (b"\xff\xff\xff", 2, "undecodable_text", {}),
    **{name: (json.dumps([ROW, {**ROW, **row}]), 6, "another_account", said) for name, (row, said) in OTHERS.items()},
}


@pytest.mark.parametrize("case", STDIN)
@pytest.mark.parametrize("words", [("quote", "-"), ("cancel", "-"), ("orders", "-")], ids=" ".join)
def test_bad_stdin(words: tuple[str, ...], case: str, trial: Trial) -> None:
    text, status, code, params = STDIN[case]
    error = trial.refusal(*words, stdin=text)
    assert (error["exit_status"], error["code"]) == (status, code)
    assert _subset(error, {**params, **ACCOUNT}) == {**params, **ACCOUNT}


@pytest.mark.parametrize("command", ["quote", "cancel"])
def test_an_empty_list_is_answered_with_one(trial: Trial, command: str) -> None:
    """What a command prints when there is nothing is an answer, and no missing input."""
    done = trial.run(command, "-", stdin="[]")
    assert (done.status, done.stdout, done.stderr) == (0, "[]\n", "")
    assert trial.written() == []


# -- configuration -------------------------------------------------------------------------------------

LIVE = 'profiles: {live: {live: true, path: /terminal/userdata_mini, account: "2000000365"}}'
CONFIGURATION: dict[str, tuple[str | None, str | None, dict[str, str], tuple[str, ...], str, dict[str, Any]]] = {
    "no file": (None, None, {"QMT_CONFIG": "gone.yaml"}, (), "no_config_file", {"source": "QMT_CONFIG"}),
    "no YAML": ("profiles: [", None, {}, (), "unreadable_config", {}),
    "no mapping": ("- paper", None, {}, (), "bad_value", {}),
    "unknown key": ("defualt: paper", None, {}, (), "unknown_key", {"key": "defualt", "nearest": "default"}),
    "unknown key of a profile": (
        "profiles: {paper: {acount: x}}", None, {}, (), "unknown_key", {"nearest": "account"},
    ),
    "unknown limit": (
        "profiles: {paper: {limits: {order_values: 1}}}", None, {}, (), "unknown_key", {"nearest": "order_value"},
    ),
    "duplicate key": ("default: paper\ndefault: paper", None, {}, (), "duplicate_key", {"key": "default"}),
    "key of a profile": ("account: x", None, {}, (), "profile_key", {"key": "account"}),
    "no such choice": ("output: xml", None, {}, (), "bad_choice", {"key": "output"}),
    "no such value": ("timeout: soon", None, {}, (), "bad_value", {"key": "timeout"}),
    "account without quotes": ("profiles: {paper: {account: 007}}", None, {}, (), "unquoted", {"value": "007"}),
    "no such profile": (None, None, {}, ("--profile", "papr"), "unknown_profile", {"nearest": "paper"}),
    "no such profile in the environment": (
        None, None, {"QMT_PROFILE": "life"}, (), "unknown_profile", {"source": "QMT_PROFILE"},
    ),
    "no such profile in the file": ("default: live", None, {}, (), "unknown_profile", {"name": "live"}),
    "live without a path": (
        "profiles: {live: {live: true, account: x}}", None, {}, (), "missing_key", {"key": "path"},
    ),
    "live in the folder": (None, LIVE, {}, (), "forbidden_key", {"source": "./qmt.yaml:1"}),
    "account in the folder": (
        None, 'profiles: {paper: {account: "42"}}', {}, (), "forbidden_key", {"key": "profiles.paper.account"},
    ),
    "looser in the folder": ("writes: none", "writes: all", {}, (), "may_only_tighten", {"key": "writes"}),
    "yes in the folder": (None, "profiles: {paper: {yes: true}}", {}, (), "may_only_tighten", {}),
    "account in the environment": (None, None, {"QMT_ACCOUNT": "42"}, (), "forbidden_key", {"key": "account"}),
    "writes in the environment": (None, None, {"QMT_WRITES": "all"}, (), "forbidden_key", {"key": "writes"}),
    "limit in the environment": (None, None, {"QMT_LIMITS_ORDER_VALUE": "1"}, (), "forbidden_key", {}),
    "unknown variable": (None, None, {"QMT_PROFIL": "x"}, (), "unknown_key", {"nearest": "QMT_PROFILE"}),
    "no such format": (None, None, {"QMT_OUTPUT": "xml"}, (), "bad_choice", {"source": "QMT_OUTPUT"}),
    "no timeout": (None, None, {}, ("--timeout", "-1"), "bad_value", {"source": "--timeout"}),
    "no such rule": (
        "profiles: {paper: {rules: {bond_tik: 1}}}", None, {}, (), "unknown_key", {"nearest": "bond_tick"},
    ),
    "no such value of a rule": (
        "profiles: {paper: {rules: {b_share_rate: 10}}}", None, {}, (), "bad_value", {"expected": "10% | 0.1"},
    ),
    "rules of a live profile in the folder": (
        LIVE, "profiles: {live: {rules: {bond_tick: 1}}}", {}, (), "forbidden_key",
        {"key": "profiles.live.rules.bond_tick"},
    ),
    "no such account": (None, None, {}, ("--account", "42"), "unknown_account", {"known": ["1000000365"]}),
    "account of no shape": (None, None, {}, ("--account", "../x"), "bad_value", {"source": "--account"}),
    "paper account of Hong Kong": (
        "profiles: {paper: {account_type: HUGANGTONG}}", None, {}, (), "bad_choice", {"nearest": "STOCK"},
    ),
    "no log": (None, None, {}, ("--log", "gone/log"), "log_not_written", {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CONFIGURATION)
def test_bad_configuration(case: str, trial: Trial, user_config: Callable[[str], Path]) -> None:
    user, project, env, words, code, params = CONFIGURATION[case]
    if user is not None:
        user_config(user)
    if project is not None:
        Path("qmt.yaml").write_text(project)
    error = trial.refusal(*BUY, *words, env=env)
    assert (error["exit_status"], error["code"]) == (3, code)
    assert _subset(error, params) == params
    assert "account_id" not in error


@pytest.mark.parametrize(
    ("table", "code", "params"),
    [
        (None, "unreadable_file", {}),
        (b"\xff\xff\xff", "unreadable_file", {"why": "not UTF-8, UTF-16 or GBK"}),
        (b"", "instruments_unreadable", {"line": 1, "why": "no column code"}),
        (
            b"code,st\n600000.SH,1\n600001.SH,maybe\n",
            "instruments_unreadable",
            {"line": 3, "why": "st is 'maybe', expected: true | false"},
        ),
    ],
    ids=["missing", "no text", "empty", "bad line"],
)
def test_a_bad_table_of_instruments(
    table: bytes | None, code: str, params: dict[str, Any], trial: Trial, user_config: Callable[[str], Path],
    tmp_path: Path,
) -> None:  # fmt: skip
    user_config("profiles: {paper: {instruments: mine.csv}}")
    if table is not None:
        (tmp_path / "mine.csv").write_bytes(table)
    error = trial.refusal(*BUY)
    assert (error["exit_status"], error["code"]) == (3, code)
    assert _subset(error, {**params, **ACCOUNT}) == {**params, **ACCOUNT}
    assert str(tmp_path / "mine.csv") in error["message"]


@pytest.mark.parametrize(
    ("user", "env", "code"),
    [
        ("profiles: {paper: {market: xtdata}}", {}, "market_not_served"),
        ("profiles: {paper: {market: ./gone}}", {}, "tape_empty"),
        ("", {"QMT_PAPER_CLOCK": "noon"}, "bad_clock"),
        ("", {"QMT_PAPER_CLOCK": "@gone"}, "bad_clock"),
    ],
)
def test_bad_paper_market(
    user: str, env: dict[str, str], code: str, trial: Trial, user_config: Callable[[str], Path]
) -> None:
    user_config(user)
    error = trial.refusal(*BUY, env=env)
    assert (error["exit_status"], error["code"]) == (3, code)
    assert _subset(error, ACCOUNT) == ACCOUNT


def test_a_state_folder_that_is_a_file(trial: Trial, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for state in (tmp_path / "file", tmp_path / "file" / "below"):
        error = trial.refusal(*BUY, env={"QMT_STATE": str(state)})
        assert (error["exit_status"], error["code"]) == (3, "state_unusable")
        assert error["path"].startswith(str(state))


def test_an_account_file_of_another_version(trial: Trial, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state" / ACCOUNT_FILE) as connection:
        connection.execute("PRAGMA user_version = 999")
    error = trial.refusal(*BUY)
    assert (error["exit_status"], error["code"], error["found"]) == (3, "account_file_version", 999)


@pytest.mark.parametrize(
    "command", [("buy", *BUY[1:]), ("positions",), ("paper", "status"), ("paper", "reset", "--yes")]
)
def test_an_account_file_that_is_none(command: tuple[str, ...], trial: Trial, tmp_path: Path) -> None:
    file = tmp_path / "state" / ACCOUNT_FILE
    for path in file.parent.iterdir():
        path.unlink()
    file.write_bytes(b"not a database " * 1000)
    error = trial.error(trial.run(*command))
    assert (error["exit_status"], error["code"], error["path"]) == (3, "account_file_damaged", str(file))
    assert file.read_bytes() == b"not a database " * 1000


# -- the gate ------------------------------------------------------------------------------------------

#: the paper profile beside a live one, and paper profiles that are held back
PROFILES = """\
profiles:
  live: {live: true, path: $PATH, account: "2000000365", limits: none}
  paper: {}
"""
WRITES = (BUY, ("sell", "600000.SH", "100", "--limit", "9.00"), ("cancel", "3"))


@pytest.mark.parametrize("words", WRITES, ids=lambda words: words[0])
def test_a_write_names_its_profile_once_a_live_one_exists(
    words: tuple[str, ...], trial: Trial, user_config: Callable[[str], Path]
) -> None:
    user_config(PROFILES.replace("$PATH", "/terminal/userdata_mini"))
    error = trial.refusal(*words)
    assert (error["exit_status"], error["code"], error["hint"]) == (6, "name_the_profile", "add --profile paper")
    assert trial.run(*words, "--dry-run").status == 0
    assert trial.run(*words, "--profile", "paper").status == 0
    assert len(trial.written()) == 1


@pytest.mark.parametrize("words", [*WRITES, ("asset",), ("quote", "600000.SH"), ("paper", "status")], ids=" ".join)
def test_a_live_profile_on_a_machine_without_the_native_module(
    words: tuple[str, ...], trial: Trial, user_config: Callable[[str], Path], tmp_path: Path
) -> None:
    if WINDOWS:
        pytest.skip("Windows: the native modules are there")
    (tmp_path / "userdata_mini").mkdir()
    user_config(PROFILES.replace("$PATH", str(tmp_path / "userdata_mini")))
    error = trial.refusal(*words, "--profile", "live")
    code = {"paper": (6, "not_a_paper_profile")}.get(words[0], (3, "python_misfit"))
    assert (error["exit_status"], error["code"]) == code
    assert _subset(error, ACCOUNT) == {"mode": "live", "profile": "live", "account_id": "2000000365"}
    assert list((tmp_path / "userdata_mini").iterdir()) == []


@pytest.mark.parametrize(
    ("writes", "refused"),
    [("none", ["buy", "sell", "cancel"]), ("cancel", ["buy", "sell"]), ("plan", ["buy", "sell"]), ("all", [])],
)
@pytest.mark.parametrize("words", WRITES, ids=lambda words: words[0])
def test_writes_of_the_folder(words: tuple[str, ...], writes: str, refused: list[str], trial: Trial) -> None:
    Path("qmt.yaml").write_text(f"writes: {writes}")
    if words[0] not in refused:
        assert trial.run(*words).status == 0
        return
    error = trial.refusal(*words)
    assert (error["exit_status"], error["code"], error["writes"]) == (6, "writes_not_allowed", writes)
    assert trial.run(*words, "--dry-run").status == 0


@pytest.mark.parametrize(
    ("limits", "words", "code", "params"),
    [
        ("{order_value: 900}", BUY, "limit_order_value", {"value": 914.01, "limit": 900}),
        ("{order_value: 900}", _price("up"), "limit_order_value", {}),
        ("{order_volume: 99}", BUY, "limit_order_volume", {"volume": 100, "limit": 99}),
        ("{price_away: 1%}", _buy(limit="8.80"), "limit_price_away", {"limit": 0.01}),
        ("{price_away: 1%}", ("sell", "600000.SH", "100", "--limit=9.20"), "limit_price_away", {}),
        ("{symbols: [510300.SH]}", BUY, "limit_symbols", {"allowed": ["510300.SH"]}),
    ],
)
def test_limits(
    limits: str,
    words: tuple[str, ...],
    code: str,
    params: dict[str, Any],
    trial: Trial,
    user_config: Callable[[str], Path],
) -> None:
    user_config(f"profiles: {{paper: {{limits: {limits}}}}}")
    error = trial.refusal(*words)
    assert (error["exit_status"], error["code"]) == (6, code)
    assert _subset(error, {**params, **ACCOUNT}) == {**params, **ACCOUNT}


@pytest.mark.parametrize("limits", ["{order_value: 1}", "{order_volume: 1}", "{symbols: [510300.SH]}"])
def test_limits_that_bind_buys_alone(limits: str, trial: Trial, user_config: Callable[[str], Path]) -> None:
    user_config(f"profiles: {{paper: {{limits: {limits}}}}}")
    assert trial.run("sell", "600000.SH", "100", "--limit", "9.00").status == 0
    assert trial.run("cancel", "3").status == 0


@pytest.mark.parametrize(
    ("limits", "limit", "code", "params"),
    [
        ("{order_value: 905}", "9.10", "limit_order_value", {"value": 910.0, "limit": 905}),
        # sold under the last price they are worth the last price
        ("{order_value: 900}", "8.90", "limit_order_value", {"value": 902.0, "limit": 900}),
        ("{order_volume: 99}", "9.10", "limit_order_volume", {"volume": 100, "limit": 99}),
        ("{symbols: [510300.SH]}", "9.10", "limit_symbols", {"allowed": ["510300.SH"]}),
    ],
)
def test_limits_bind_what_sells_borrowed_shares(
    limits: str, limit: str, code: str, params: dict[str, Any], trial: Trial, user_config: Callable[[str], Path]
) -> None:
    user_config(f"profiles: {{paper: {{account_type: CREDIT, limits: {limits}}}}}")
    words = ("sell", "600000.SH", "100", "--limit", limit, "--as")
    error = trial.refusal(*words, "slo")
    assert (error["exit_status"], error["code"], _subset(error, params)) == (6, code, params)
    assert trial.run(*words, "repay", "--dry-run").status == 0


def test_a_market_order_of_borrowed_shares_is_worth_the_most_they_can_be(
    trial: Trial, user_config: Callable[[str], Path]
) -> None:
    user_config("profiles: {paper: {account_type: CREDIT, limits: {order_value: 980}}}")
    error = trial.refusal("sell", "000001.SZ", "100", "--market", "best5-cancel", "--as", "slo")
    assert (error["exit_status"], error["code"], error["value"]) == (6, "limit_order_value", 1293)


# -- the same id ---------------------------------------------------------------------------------------


def test_the_same_id_and_the_same_order(trial: Trial) -> None:
    words = ("buy", "600000.SH", "100", "--limit", "9.00", "--id", "open")
    done = trial.run(*words)
    assert (done.status, done.json["order_id"], done.json["status"], done.json["replayed"]) == (
        0,
        "3",
        "reported",
        True,
    )
    assert trial.run(*words, "--wait").status == 8
    assert trial.written() == []
    assert trial.run("orders", "--open").json[0]["order_id"] == "3"


@pytest.mark.parametrize(
    "words",
    [
        ("buy", "600000.SH", "200", "--limit", "9.00"),
        ("buy", "600000.SH", "100", "--limit", "9.01"),
        ("buy", "510300.SH", "100", "--price", "last"),
        ("sell", "600000.SH", "100", "--limit", "9.00"),
        ("buy", "600000.SH", "100", "--market", "best5-cancel"),
    ],
)
def test_the_same_id_and_another_order(words: tuple[str, ...], trial: Trial) -> None:
    error = trial.refusal(*words, "--id", "open")
    assert (error["exit_status"], error["code"]) == (6, "id_of_another_order")
    assert (error["client_id"], error["order_id"]) == ("open", "3")
