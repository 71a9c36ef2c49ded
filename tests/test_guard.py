"""A plain script on a live profile: its orders and cancels pass the desk, and nothing else goes down.

The terminal is the vendor's code over a paper account (``terminal/``); what went down is counted at the native line.
"""

from __future__ import annotations

import json
import os
import sqlite3
import textwrap
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pytest
from conftest import CLOCK, ROOT, TERMINAL, Result, Runner, not_on_windows

from qmtcli.paper.native_tables import CLIENT_METHODS
from qmtcli.paper.settings import Settings
from qmtcli.paper.trading import XtQuantAsyncClient
from qmtcli.xt.line import Line, Watch

ACCOUNT = "2000000365"
START = f"""
import os, threading, time
from xtquant.xttrader import XtQuantTrader, XtQuantTraderCallback
from xtquant.xttype import StockAccount

heard, answered = [], threading.Event()

class Callback(XtQuantTraderCallback):
    def on_stock_order(self, order):
        heard.append(order.order_remark)
    def on_order_stock_async_response(self, response):
        heard.append(response.order_id)
        answered.set()

trader = XtQuantTrader("userdata_mini", 1)
trader.register_callback(Callback())
trader.start()
account = StockAccount("{ACCOUNT}", "STOCK")
assert (trader.connect(), trader.subscribe(account)) == (0, 0)

def buy(volume=100, price=9.00, kind=11, code="600000.SH", strategy="", remark=""):
    return trader.order_stock(account, code, 23, volume, kind, price, strategy, remark)

def sell(volume=100, price=9.02):
    return trader.order_stock(account, "600000.SH", 24, volume, 11, price, "", "")
"""


class Live:
    """Plain scripts on a live profile."""

    def __init__(self, quick: Runner, qmt: Runner, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._quick, self._qmt, self._folder = quick, qmt, folder
        #: where the machine's clock stands; with a trailing ``+`` it runs on from there
        self.clock = CLOCK
        (folder / "userdata_mini").mkdir()
        monkeypatch.setenv("QMT_CONFIG", str(folder / "user.yaml"))
        monkeypatch.setenv("NATIVE_LOG", str(folder / "native.log"))
        self.configure()

    def configure(self, more: str = "limits: none", module_path: Path = TERMINAL) -> None:
        self.account_type = "CREDIT" if "CREDIT" in more else "STOCK"
        (self._folder / "user.yaml").write_text(
            "default: live\nprofiles:\n  live:\n    live: true\n    reported: true\n"
            f"    path: {self._folder / 'userdata_mini'}\n    account: '{ACCOUNT}'\n"
            f"    module_path: {module_path}\n    {more}\n"
        )

    def run(self, *words: str, faults: list[dict[str, Any]] | None = None) -> Result:
        rules = self._folder / "faults.json"
        rules.write_text(json.dumps(faults or []))
        clock = "" if self.clock.endswith("+") else self.clock
        settings = Settings(
            str(self._folder / "account"), ACCOUNT, account_type=self.account_type, clock=clock, faults=str(rules)
        )
        more = {"QMTCLI_PAPER": json.dumps(asdict(settings)), "MACHINE_CLOCK": self.clock}
        if clock:
            return self._quick("--profile", "live", *words, env=more)
        more |= {"PYTHONPATH": os.pathsep.join(map(str, (TERMINAL, ROOT))), "NATIVE_TOO": "1"}
        return self._qmt("--profile", "live", *words, env=more)

    def script(
        self, body: str, *words: str, faults: list[dict[str, Any]] | None = None, yes: bool = True
    ) -> tuple[Result, list[str]]:
        """A run of a script, and the codes of what its run said; `sent` begins anew."""
        self.sent()
        start = START.replace('"STOCK"', f'"{self.account_type}"')
        Path("script.py").write_text(start + textwrap.dedent(body), encoding="utf-8")
        flags = ["--yes"] if yes else []
        done = self.run("run-strategy", "script.py", *flags, *words, "--json", faults=faults)
        lines = [line for line in done.stderr.splitlines() if line.startswith("{")]
        return done, [json.loads(line)["error"]["code"] for line in lines]

    def sent(self) -> Counter[str]:
        """What went down to the native line since the last answer, questions apart."""
        log = self._folder / "native.log"
        calls = Counter(log.read_text().split()) if log.exists() else Counter[str]()
        log.unlink(missing_ok=True)
        return Counter({name: count for name, count in calls.items() if _writes(name)})

    def log(self) -> list[dict[str, Any]]:
        """The audit trail."""
        rows: list[dict[str, Any]] = self.run("log", "--json").json
        return rows

    def ledger(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the ledger, as it is."""
        with closing(sqlite3.connect(self._folder / "state" / "ledger" / "live" / f"{ACCOUNT}.sqlite")) as ledger:
            return ledger.execute(sql).fetchall()

    def entries(self) -> list[tuple[Any, ...]]:
        """(state, order id, strategy) of what the ledger has, as it is."""
        return self.ledger("SELECT state, order_id, strategy_name FROM entries ORDER BY key")

    def unknown(self) -> list[tuple[str, str]]:
        """(client id, state) of what is not final, once qmt has looked for it."""
        return [(row["client_id"], row["state"]) for row in self.run("reconcile", "--json").json]


def _writes(name: str) -> bool:
    return name.startswith(("order", "cancel", "transfer", "bank", "smart", "smt", "sync", "ctp", "operate"))


@pytest.fixture
def live(quick_runs: Callable[[str], Runner], qmt: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Live:
    return Live(quick_runs("live"), qmt, tmp_path, monkeypatch)


def test_orders_land_once_and_are_in_the_ledger_under_their_ids(live: Live) -> None:
    done, codes = live.script(
        """
        print(buy(strategy="mine", remark="自己的备注 1"), buy(100, 9.09))
        assert trader.order_stock_async(account, "600000.SH", 23, 100, 11, 9.00, "a name that is cut in it", "x") > 0
        assert answered.wait(20)
        time.sleep(0.1)
        remarks = dict.fromkeys(each for each in heard if isinstance(each, str))
        print(*[("自己的备注 1", "x").index(each) if each in ("自己的备注 1", "x") else each for each in remarks])
        """
    )
    assert (done.status, codes, done.stderr) == (0, [], "")
    ids, said = done.stdout.splitlines()
    first, made, last = said.split()
    assert (ids, first, last) == ("1 2", "0", "1")
    assert live.sent() == {"orderStockWithSeq": 3}
    assert [row[1:] for row in live.entries()] == [("1", "mine"), ("2", "script"), ("3", "a name that is cut in i")]
    rows = [row for row in live.log() if row["event"] == "sending"]
    assert (len(rows), rows[1]["client_id"]) == (3, made)
    listed = live.run("orders", "--json").json
    assert [row["order_remark"] for row in listed] == ["自己的备注 1", made, "x"]
    filled = [row for row in live.log() if row["event"] == "filled"]
    assert [(row["client_id"], row["traded_volume"]) for row in filled] == [(made, 100)]


def test_a_halt_stops_orders_in_the_middle_and_no_cancel(live: Live, tmp_path: Path) -> None:
    body = f"""
        halt = {str(tmp_path / "state" / "halt.json")!r}
        print(buy())
        open(halt, "w").write('{{"since": "now", "allow_sells": false}}')
        print(buy(), sell(), trader.order_stock_async(account, "600000.SH", 23, 100, 11, 9.00, "", ""))
        open(halt, "w").write('{{"since": "now", "allow_sells": true}}')
        print(buy(), sell() > 0)
        print(trader.cancel_order_stock(account, 1), trader.cancel_order_stock_async(account, 1) > 0)
        os.remove(halt)
        print(buy() > 0)
        """
    done, codes = live.script(body)
    assert done.stdout.splitlines() == ["1", "-1 -1 -1", "-1 True", "0 True", "True"]
    assert codes == ["halted"] * 4
    assert live.sent() == {"orderStockWithSeq": 3, "cancelOrderStockWithSeq": 2}
    assert [row["order_id"] for row in live.log() if row["event"] == "cancel"] == ["1", "1"]
    assert live.entries()[0][0] == "canceled"


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ("order_value: 950", "limit_order_value"),
        ("order_volume: 150", "limit_order_volume"),
        ("symbols: [510300.SH]", "limit_symbols"),
        ("price_away: 0.5%", "limit_price_away"),
        ("orders_per_day: 1", "limit_orders_per_day"),
        ("day_turnover: 1850", "limit_day_turnover"),
    ],
)
def test_every_limit_holds(live: Live, limit: str, code: str) -> None:
    live.configure(f"limits: {{{limit}}}")
    fits = {"limit_symbols": "1", "limit_price_away": "buy(100, 9.02)"}.get(code, "buy()")
    # the last of them is over each of the limits, sells are over none
    done, codes = live.script(f"print({fits} > 0, buy(200, 8.95), sell(100, 9.02) > 0)")
    assert (done.stdout, codes) == ("True -1 True\n", [code])
    assert live.sent() == {"orderStockWithSeq": 1 if code == "limit_symbols" else 2}


def test_a_price_that_binds_nobody_is_no_measure(live: Live) -> None:
    live.configure("limits: {order_value: 500}")
    body = "print(buy(100, 0.01, 47, '000001.SZ'), buy(100, 0.01, 5), buy(100, float('nan')), buy(0), buy(100.5))"
    done, codes = live.script(body)
    assert done.stdout == "-1 -1 -1 -1 -1\n"
    assert codes == ["limit_order_value", "limit_order_value", "bad_price", "bad_volume", "script_order_unclear"]
    assert live.sent() == {}


def test_without_a_quote_a_buy_is_refused_and_a_sell_and_a_cancel_go_on(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.configure("limits: {order_value: 5000}")
    monkeypatch.setenv("NATIVE_FAIL", "get_full_tick")
    done, codes = live.script("print(buy(), sell(), trader.cancel_order_stock(account, 1))")
    assert (done.stdout, codes) == ("-1 1 -1\n", ["no_data_service"])
    assert live.sent() == {"orderStockWithSeq": 1, "cancelOrderStockWithSeq": 1}


def test_a_margin_accounts_orders_are_what_they_are_for(live: Live) -> None:
    live.configure("account_type: CREDIT\n    limits: {order_value: 1000}")
    done, codes = live.script(
        """
        print(*(trader.order_stock(account, "600000.SH", kind, 100, 11, 9.00) for kind in (23, 24, 27, 28, 31, 40)))
        print(trader.order_stock(account, "600000.SH", 28, 200, 11, 9.00))
        """
    )
    assert done.stdout == "1 2 -1 -1 -1 -1\n-1\n"  # on paper nothing is borrowed
    assert codes == ["script_order_type", "limit_order_value"]
    assert live.sent() == {"orderStockWithSeq": 5}


@pytest.mark.parametrize(("writes", "canceled"), [("none", -1), ("cancel", 0), ("plan", 0)])
def test_what_the_profile_does_not_allow(live: Live, writes: str, canceled: int) -> None:
    assert live.script("print(buy())")[0].stdout == "1\n"
    live.configure(f"writes: {writes}\n    limits: none")
    done, codes = live.script("print(buy(), sell(), trader.cancel_order_stock(account, 1))")
    assert done.stdout == f"-1 -1 {canceled}\n"
    assert codes == ["writes_not_allowed"] * (3 if canceled else 2)
    assert live.sent() == ({} if canceled else {"cancelOrderStockWithSeq": 1})


def test_what_qmt_cannot_check_is_not_sent(live: Live) -> None:
    done, codes = live.script(
        """
        import xtquant.xtpythonclient as native
        print(trader.fund_transfer(account, 1, 1.0)[0], trader.secu_transfer(account, 1, "600000.SH", 100, 1)[0])
        print(trader.bank_transfer_in(account, "1", "1", 1.0)[0])
        print(trader.bank_transfer_out_async(account, "1", "1", 1.0))
        print(trader.smt_appointment_order_async(account, "600000.SH", 1, 100, 0.1))
        print("error" in trader.sync_transaction_from_external("ADD", "DEAL", account, []))
        def tried(call, *given):
            try:
                return call(*given)
            except Exception as error:
                return type(error).__name__
        request = native.OrderStockImmediateReq()
        print(tried(trader.async_client.orderStockImmediateWithSeq, 1, request))
        other = native.XtQuantAsyncClient(b"userdata_mini", "xtquant", 2)
        request = native.OrderStockReq()
        request.m_strAccountID, request.m_nAccountType, request.m_strStockCode1 = account.account_id, 2, "000001.SZ"
        request.m_strStockCode, request.m_nOrderType, request.m_nOrderVolume = "600000.SH", 23, 100
        print(tried(other.orderStockWithSeq, 1, request))
        def told():
            from xtquant.qmttools import functions
        print(tried(told))
        print(trader.order_stock(StockAccount("1"), "600000.SH", 23, 100, 11, 9.0))
        print(trader.order_stock(StockAccount(account.account_id, "CREDIT"), "600000.SH", 23, 100, 11, 9.0))
        print(trader.order_stock(account, "600000.SH", 27, 100, 11, 9.0))
        print(trader.cancel_order_stock(StockAccount("1"), 1))
        print(not trader.cbs, not trader.queuing_order_seq, trader.query_stock_asset(account).cash)
        """
    )
    assert done.stdout.split() == [
        *("False", "False", "False", "-1", "-1", "True"),
        *("NotSent", "NotSent", "ModuleNotFoundError", "-1", "-1", "-1", "-1"),
        *("True", "True", "1000000.0"),
    ]  # fmt: skip
    assert codes[:7] == ["script_call_refused"] * 7
    assert codes[7:] == [
        "script_order_unclear", "script_other_account", "script_other_account", "script_order_type",
        "script_other_account",
    ]  # fmt: skip
    assert live.sent() == {}


def test_of_all_native_calls_only_questions_and_the_link_go_past_the_guard() -> None:
    client = XtQuantAsyncClient("", "", 1)
    line = Line(client, cast(Watch, None))
    past = {name for name in CLIENT_METHODS if getattr(line, name) == getattr(client, name)}
    assert {name for name in CLIENT_METHODS if "uery" not in name and name in past} == {
        "connect", "exportDataWithSeq", "getSmartAlgoParamWithSeq", "init", "nextSeq", "setTimeout", "start", "stop",
        "subSwitchWithSeq", "subscribeWithSeq", "unsubscribeWithSeq",
    }  # fmt: skip
    assert all(name in past for name in CLIENT_METHODS if "uery" in name)


def test_threads_and_callbacks_keep_to_a_day_together(live: Live) -> None:
    live.configure("limits: {orders_per_day: 10}")
    done, codes = live.script(
        """
        ids = []
        def several():
            for _ in range(4):
                ids.append(buy())
        class Other(Callback):
            def on_order_stock_async_response(self, response):
                if response.order_remark != "again":
                    trader.order_stock_async(account, "600000.SH", 23, 100, 11, 9.00, "", "again")
                else:
                    answered.set()
        trader.register_callback(Other())
        trader.order_stock_async(account, "600000.SH", 23, 100, 11, 9.00, "", "")
        assert answered.wait(20)
        threads = [threading.Thread(target=several) for _ in range(4)]
        [each.start() for each in threads]
        [each.join() for each in threads]
        print(len([each for each in ids if each > 0]), len({*ids}) - 1, ids.count(-1))
        """
    )
    assert (done.stdout, codes) == ("8 8 8\n", ["limit_orders_per_day"] * 8)
    assert live.sent() == {"orderStockWithSeq": 10}


def test_orders_made_elsewhere_count(live: Live) -> None:
    done, _ = live.script("print(buy(), buy())", "--unguarded")
    live.configure("limits: {orders_per_day: 3}")
    done, codes = live.script("print(buy(), buy())")
    assert (done.stdout, codes) == ("3 -1\n", ["limit_orders_per_day"])


def test_a_rate_delays_and_a_halt_meanwhile_counts(live: Live, tmp_path: Path) -> None:
    live.configure("limits: {orders_per_second: 2}")
    body = f"""
        def halt():
            open({str(tmp_path / "state" / "halt.json")!r}, "w").close()
        print(buy(), buy(), buy(), buy())
        threading.Timer(0.2, halt).start()
        print(buy())
        """
    done, codes = live.script(body)
    assert (done.stdout, codes) == ("1 2 3 4\n-1\n", ["halted"])
    clocks = [row[0] for row in live.ledger("SELECT clock FROM events WHERE event = 'sending' ORDER BY id")]
    assert clocks[2] - clocks[0] >= 1000


# -- answers that do not come, or say what is not so -----------------------------------------------------

KILLED = """
from qmtcli.paper.trading import XtQuantAsyncClient
def die(*_):
    os.kill(os.getpid(), 9)
XtQuantAsyncClient.{method} = die
buy(remark={remark!r})
"""


@pytest.mark.parametrize(
    ("method", "state", "remark"),
    [("orderStockWithSeq", "unknown", ""), ("_reply", "open", ""), ("_reply", "open", "mine")],
)
def test_killed_between_intent_and_answer_it_is_not_forgotten(live: Live, method: str, state: str, remark: str) -> None:
    live.clock = f"{CLOCK}+" if remark else CLOCK
    # an order of the same shape and remark, which is another's
    assert live.script(f"print(buy(remark={remark!r}))")[0].stdout == "1\n"
    done, _ = live.script(KILLED.format(method=method, remark=remark))
    assert done.status not in (0, 1)
    assert [row[:2] for row in live.entries()] == [("accepted", "1"), ("sending", "")]
    assert [word for _, word in live.unknown()] == ["open", state]
    assert [row[1] for row in live.entries()] == ["1", "2" if state == "open" else ""]
    live.sent()
    assert live.script("print('again')")[0].stdout == "again\n"
    assert live.sent() == {}


def test_an_order_of_an_earlier_hour_is_not_what_was_sent_now(live: Live, tmp_path: Path) -> None:
    live.clock = f"{CLOCK}+"
    assert live.script("print(buy(remark='mine'))", "--unguarded")[0].stdout == "1\n"
    with closing(sqlite3.connect(tmp_path / "account" / f"{ACCOUNT}.sqlite")) as account, account:
        account.execute("UPDATE orders SET time = time - 3600000")
    live.script(KILLED.format(method="orderStockWithSeq", remark="mine"))
    ((client_id, state),) = live.unknown()
    assert state == "unknown"
    resent = live.run("reconcile", client_id, "--resend", "--yes", "--json")
    assert [row["state"] for row in resent.json] == ["open"]
    assert live.run("orders", "--json").json[-1]["order_remark"] == client_id
    assert "remark" not in json.loads(live.ledger("SELECT typed FROM entries")[0][0])


def test_minus_one_is_not_known_to_be_nothing(live: Live) -> None:
    done, _ = live.script("print(buy())", faults=[{"call": "order", "outcome": "-1"}])
    assert (done.status, done.stdout, live.sent()) == (0, "-1\n", {"orderStockWithSeq": 1})
    assert [state for _, state in live.unknown()] == ["unknown"]


@pytest.mark.parametrize("remark", ["", "mine"])
def test_minus_one_and_yet_live_is_found(live: Live, remark: str) -> None:
    live.clock = f"{CLOCK}+" if remark else CLOCK
    body = f"print(buy(remark={remark!r})); time.sleep(0.1)"
    done, _ = live.script(body, faults=[{"call": "order", "outcome": "-1 and yet live"}])
    assert done.stdout == "-1\n"
    assert [row[0] for row in live.entries()] == ["unknown" if remark else "open"]
    assert [state for _, state in live.unknown()] == ["open"]


def test_a_rejection_is_written(live: Live) -> None:
    body = "print(buy() > 0); time.sleep(0.1)"
    done, _ = live.script(body, faults=[{"call": "order", "outcome": "reject", "error_id": -61, "row": False}])
    assert done.stdout == "True\n"
    assert [row[0] for row in live.entries()] == ["rejected"]


def test_a_script_that_ends_without_its_answer_ends_with_seven(live: Live) -> None:
    body = 'trader.order_stock_async(account, "600000.SH", 23, 100, 11, 9.00, "", "")'
    done, codes = live.script(body, faults=[{"call": "order", "outcome": "no answer", "stands": False}])
    assert (done.status, codes) == (7, ["stopped_after_sending"])
    assert [row[0] for row in live.entries()] == ["unknown"]
    (client_id,) = json.loads(done.stderr)["error"]["ids"]
    assert live.unknown() == [(client_id, "unknown")]


@pytest.mark.parametrize(("body", "status"), [("", 130), ("buy()", 0)])
def test_a_stopped_script(live: Live, body: str, status: int) -> None:
    assert live.script(f"{body}\nraise KeyboardInterrupt")[0].status == status


# -- who may start -----------------------------------------------------------------------------------------


def test_somebody_has_to_say_yes(live: Live) -> None:
    assert live.script("print('ran')", yes=False)[1] == ["needs_yes"]
    live.configure("")
    assert live.script("print('ran')")[1] == ["no_limits"]
    live.configure("writes: none")  # which nobody has to say yes to
    done, _ = live.script("print('ran')", yes=False)
    assert (done.status, done.stdout) == (0, "ran\n")


def test_unguarded_goes_past_and_starts_under_no_halt(live: Live, tmp_path: Path) -> None:
    done, codes = live.script("print(buy())", "--unguarded", yes=False)
    assert (done.status, codes, live.sent()) == (6, ["needs_yes"], {})
    done, codes = live.script("print(buy(), buy(remark='mine'))", "--unguarded")
    assert (done.stdout, codes, live.sent()) == ("1 2\n", [], {"orderStockWithSeq": 2})
    assert [row["order_remark"] for row in live.run("orders", "--json").json] == ["", "mine"]
    assert not (tmp_path / "state" / "ledger").exists()
    assert live.run("halt").status == 0
    done, codes = live.script("print(buy())", "--unguarded")
    assert (done.status, codes, live.sent()) == (6, ["halted"], {})


def test_a_process_that_it_starts_cannot_trade_and_qmt_can(live: Live) -> None:
    body = """
        import subprocess, sys
        def child(*words):
            return subprocess.run([sys.executable, *words], capture_output=True, text=True)
        print(child("-c", "import xtquant.xttrader").stderr.split()[-1])
        print(child("-c", "import sys; print(len(sys.path) > 1)").stdout.strip())
        order = ["buy", "600000.SH", "100", "--limit", "9.00", "-o", "id"]
        done = child("-m", "qmtcli", "--profile", "live", *order, "--yes")
        print(done.returncode, done.stdout.strip())
        """
    live.clock = f"{CLOCK}+"  # whose children find the terminal too
    done, codes = live.script(body)
    assert (done.stdout.split(), codes) == (["sys.modules", "True", "0", "1"], [])


def test_a_package_that_imitates_xtquant_cannot_be_guarded(live: Live) -> None:
    live.configure(module_path=ROOT / "tests" / "imitation")
    done, codes = live.script("print(buy())")
    assert (done.status, codes) == (6, ["script_needs_unguarded"])


@not_on_windows("fork")
def test_a_forked_process_sends_nothing(live: Live) -> None:
    # past the vendor's code, which asks its native client first, whose locks a fork may have left held
    body = """
        import xtquant.xtpythonclient as native
        request = native.OrderStockReq()
        if os.fork() == 0:
            try:
                trader.async_client.orderStockWithSeq(1, request)
            except Exception as error:
                os._exit(0 if type(error).__name__ == "NotSent" else 1)
            os._exit(1)
        print(os.wait()[1])
        """
    done, codes = live.script(body)
    assert (done.stdout, codes, live.sent()) == ("0\n", ["script_line_closed"], {})
