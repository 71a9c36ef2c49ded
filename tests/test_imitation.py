"""A live profile over a package that imitates xtquant: the same answers as over the vendor's own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Result
from test_live_orders import BUY, TERMINAL, Live

from qmtcli.errors import NotConnected
from qmtcli.xt import imitation

IMITATION = Path(__file__).with_name("imitation")
RESTS = ("buy", "600000.SH", "100", "--limit", "9.00", "--id", "rests", "--yes", "--json")


class Imitated(Live):
    """Runs on a live profile over the imitation."""

    def configure(self, more: str = "") -> None:
        self._config(
            f"default: live\nprofiles:\n  live:\n    live: true\n    path: {self._folder / 'userdata_mini'}\n"
            f'    account: "2000000365"\n    module_path: {IMITATION}\n    limits: none\n    timeout: 3\n{more}'
        )


@pytest.fixture
def live(qmt: Callable[..., Result], tmp_path: Path, user_config: Callable[[str], Path]) -> Imitated:
    return Imitated(qmt, tmp_path, user_config)


@pytest.fixture
def trait(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives the imitation one more trait."""
    return lambda name, value="1": monkeypatch.setenv(f"IMITATION_{name}", value)


def test_orders_trades_and_cancels_have_ids_and_words_as_ever(live: Imitated) -> None:
    bought = live.run(*BUY, "--yes", "--json")
    assert (bought.status, bought.stderr) == (0, "")
    assert (bought.json["status"], bought.json["traded_price"]) == ("filled", 9.03)
    rests = live.run(*RESTS)
    assert (rests.status, rests.json["status"]) == (0, "reported")
    rows = live.run("orders", "--json").json
    assert {row["order_id"] for row in rows} == {bought.json["order_id"], rests.json["order_id"]}
    assert all(row["order_id"].isdecimal() for row in rows)
    assert [row["order_id"] for row in live.run("trades", "--json").json] == [bought.json["order_id"]]
    assert [row["volume"] for row in live.run("positions", "--json").json] == [100]
    canceled = live.run("cancel", rests.json["order_id"], "--yes", "--json")
    assert (canceled.status, canceled.json[0]["result"], canceled.stderr) == (0, "canceled", "")
    late = live.run("cancel", bought.json["order_id"], "--yes", "--json")
    assert late.json[0]["status"] == "filled"


def test_the_account_and_the_market(live: Imitated) -> None:
    done = live.run("login-check", "--json")
    told = {row["check"]: row["seen"] for row in done.json if row["result"] == "warn"}
    assert (done.status, list(told)) == (0, ["interface"])
    assert told["interface"].startswith("this xtquant has no XtQuantTrader.start, XtQuantTrader.stop, ")
    quote = live.run("quote", "600000.SH", "--json")
    assert (quote.status, quote.stderr, quote.json[0]["last_price"], quote.json[0]["ask_price"]) == (0, "", 9.03, [])
    assert live.run("quote", "600999.SH", "--json").error["code"] == "unknown_code"
    asset = live.run("asset", "--json")
    assert (asset.status, asset.json["cash"]) == (0, 1_000_000)


@pytest.mark.parametrize(("trait_name", "code"), [("LOST", "query_failed"), ("HANGS", "no_answer")])
def test_a_failed_query_is_never_an_empty_answer(
    live: Imitated, trait: Callable[..., None], trait_name: str, code: str
) -> None:
    trait(trait_name)
    for words in (("positions",), ("asset",)):
        error = live.run(*words, "--json", "--timeout", "0.5" if code == "no_answer" else "10").error
        assert (error["exit_status"], error["code"]) == (4, code)


def test_what_it_raises_is_told_in_its_words(live: Imitated, trait: Callable[..., None]) -> None:
    trait("FAILS")
    for words, call in ((("asset",), "connect"), (("quote", "600000.SH"), "get_full_tick")):
        error = live.run(*words, "--json").error
        assert (error["exit_status"], error["code"], error["call"]) == (4, "imitation_failed", call)
        assert error["why"] == "no service at 127.0.0.1:6379"


def test_an_order_without_an_id_that_is_not_listed_is_unknown(live: Imitated, trait: Callable[..., None]) -> None:
    trait("REFUSES")
    error = live.run(*RESTS).error
    assert (error["exit_status"], error["code"], error["client_id"]) == (7, "answered_minus_one", "rests")
    assert live.run("orders", "--json").json == []


def test_an_order_without_an_id_is_known_by_its_row(live: Imitated, trait: Callable[..., None]) -> None:
    trait("CUTS")
    sent = live.run(*RESTS)
    assert (sent.status, sent.json["status"], sent.json["order_remark"]) == (0, "reported", "rests")


def test_a_status_that_nobody_knows_is_an_open_order(live: Imitated, trait: Callable[..., None]) -> None:
    assert live.run(*RESTS).status == 0
    trait("STATUS", "86")
    rows = live.run("orders", "--open", "--json").json
    assert [(row["order_status"], row["status"]) for row in rows] == [(86, "unknown")]


def test_what_it_prints_is_no_data(live: Imitated) -> None:
    done = live.run("asset", "-o", "csv")
    assert done.stdout.startswith("cash,")
    assert "imitation of xtquant 1.0" in live.run("asset").stderr


def test_what_it_has_not_got_is_told_and_may_be_asked_for() -> None:
    trader = imitation.Trader(object())
    assert getattr(trader, "queuing_order_errors_byseq", None) is None
    assert trader.set_timeout(3) == 0
    with pytest.raises(NotConnected) as caught:
        trader.query_account_infos_async(print)
    assert (caught.value.code, caught.value.params["call"]) == ("imitation_failed", "query_account_infos")


# -- how a copy differs from the vendor's --------------------------------------------------------------

DIFFERENCES = "from qmtcli.backend import package_differences\nprint(*package_differences())\n"


@pytest.mark.parametrize(
    ("folder", "taken", "lacks"),
    [
        (TERMINAL, "", ""),
        (
            TERMINAL,
            "from qmtcli.paper import trading, market, native_tables\n"
            "del trading.XtOrder.order_remark, market.set_test_mode\n"
            "native_tables.RECORDS['XtNews'] = 'i m_nNewsID news_id;15s m_strNews news'\n",
            "xtpythonclient.XtOrder.order_remark xtpythonclient.XtNews datacenter.set_test_mode",
        ),
        (
            IMITATION,
            "",
            "XtQuantTrader.start XtQuantTrader.stop XtQuantTrader.set_timeout "
            "XtQuantTrader.set_relaxed_response_order_enabled XtQuantTrader.query_credit_detail "
            "xtdata.enable_hello xtdata.get_client xtdata.get_market_data_ex xtdata.get_divid_factors "
            "xtdata.subscribe_quote xtdata.unsubscribe_quote",
        ),
    ],
    ids=["the vendor's", "an older one", "an imitation"],
)
def test_a_copy_is_told_by_what_it_lacks(folder: Path, taken: str, lacks: str) -> None:
    path = os.pathsep.join(map(str, (folder, ROOT)))
    command = [sys.executable, "-c", f"import xtquant\n{taken}{DIFFERENCES}"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == lacks


def test_all_that_the_session_calls_is_looked_for() -> None:
    source = (ROOT / "qmtcli" / "xt" / "session.py").read_text(encoding="utf-8")
    calls = {name.removesuffix("_async") for name in re.findall(r"trader\.(\w+)", source)}
    assert calls - set(imitation._SURFACE["XtQuantTrader"]) == set()
    assert set(re.findall(r"(?:data|self\.data\(\))\.(get_\w+)", source)) <= set(imitation._SURFACE["xtdata"])
