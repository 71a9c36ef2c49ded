"""Orders on a live profile keep to the same rules: what is certain is refused, what is not warns, and nothing hangs.

The terminal is the vendor's code over a paper account (``terminal/``), the machine's clock stands where a test puts it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, TERMINAL, Result

from qmtcli.commands.common import App
from qmtcli.console import Console
from qmtcli.errors import ConfigError, Refused
from qmtcli.paper.settings import Settings

MORNING = "2026-11-23T10:00:00"
BUY = ("buy", "600000.SH", "100", "--limit", "9.09")
SELL = ("sell", "600000.SH", "100", "--limit", "9.00")


class Live:
    """Runs on a live profile at a moment of the machine's clock."""

    def __init__(self, qmt: Callable[..., Result], folder: Path, user_config: Callable[[str], Path]) -> None:
        self._qmt, self._folder, self._config = qmt, folder, user_config
        (folder / "userdata_mini").mkdir()
        self.configure()

    def configure(self, more: str = "") -> None:
        self._config(
            f"default: live\nprofiles:\n  live:\n    live: true\n    path: {self._folder / 'userdata_mini'}\n"
            f'    account: "2000000365"\n    module_path: {TERMINAL}\n    limits: none\n{more}'
        )

    def run(self, *words: str, at: str = MORNING, stdin: str = "") -> Result:
        account = Settings(str(self._folder / "account"), account="2000000365", clock=at, clock_started=0)
        env = {
            "PYTHONPATH": os.pathsep.join(map(str, (TERMINAL, ROOT))),
            "MACHINE_CLOCK": at,
            "QMTCLI_PAPER": json.dumps(asdict(account)),
        }
        return self._qmt("--profile", "live", *words, env=env, stdin=stdin)

    def refusal(self, *words: str, at: str = MORNING) -> dict[str, Any]:
        """The error of a run that sends nothing."""
        return self.run(*words, "--json", "--yes", at=at).error


@pytest.fixture
def live(qmt: Callable[..., Result], tmp_path: Path, user_config: Callable[[str], Path]) -> Live:
    return Live(qmt, tmp_path, user_config)


def test_an_order_in_trading_hours_is_sent_without_a_word(live: Live) -> None:
    bought = live.run(*BUY, "--yes", "--json")
    assert (bought.status, bought.stderr) == (0, "")
    assert (bought.json["mode"], bought.json["account_id"], bought.json["status"]) == ("live", "2000000365", "filled")


@pytest.mark.parametrize(
    ("at", "phase"),
    [
        ("2026-11-23T20:00:00", "after_hours_done"),
        ("2026-11-23T09:27:00", "pause"),
        ("2026-11-23T15:01:00", "after_hours_orders"),
        ("2026-11-22T10:00:00", "no_trading_day"),
    ],
)
def test_outside_trading_hours_it_is_refused(live: Live, at: str, phase: str) -> None:
    error = live.refusal(*BUY, at=at)
    assert (error["exit_status"], error["code"], error["phase"]) == (6, "off_hours", phase)
    assert (error["time"], error["stock_code"]) == (at.replace("T", " "), "600000.SH")
    assert live.refusal(*BUY, "--dry-run", at=at)["code"] == "off_hours"
    assert live.run("orders", "-o", "id", at=at).stdout == ""


def test_unless_it_is_for_the_next_session(live: Live) -> None:
    night = "2026-11-23T20:00:00"
    sent = live.run(*BUY, "--next-session", "--yes", "--json", at=night)
    assert (sent.status, sent.stderr, sent.json["order_id"]) == (0, "", "1")
    # tomorrow's limits follow from today's close, so no price is outside them
    assert live.run("sell", "600000.SH", "100", "--limit", "20", "--next-session", "--dry-run", at=night).status == 0


@pytest.mark.parametrize(
    ("words", "at", "warned"),
    [
        (SELL, "2026-11-23T12:00:00", "the exchange takes no such order of 600000.SH at 2026-11-23 12:00:00"),
        (("buy", "019547.SH", "10", "--limit", "117.0005"), MORNING, "price 117.0005 is off the tick"),
        (("buy", "019547.SH", "15", "--price", "last"), MORNING, "volume 15 of 019547.SH is not a multiple of 10"),
        (("buy", "508000.SH", "100", "--limit", "4"), MORNING, "price 4 is outside the day's limits"),
    ],
    ids=["lunch", "tick of a bond", "lot of a bond", "band of a REIT"],
)
def test_what_is_not_certain_warns(live: Live, words: tuple[str, ...], at: str, warned: str) -> None:
    done = live.run(*words, "--dry-run", at=at)
    assert done.status == 0
    assert done.stderr.count("warning: ") == 1
    assert f"【live ****0365】warning: {warned}" in done.stderr
    assert "an unconfirmed rule, so not refused" in done.stderr
    silent = live.run(*words, "--dry-run", "--json", at=at)
    assert (silent.status, silent.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("buy", "600000.SH", "100", "--limit", "9.095"), "off_tick"),
        (("buy", "600000.SH", "150", "--limit", "9.09"), "odd_lot"),
        (("buy", "600000.SH", "100", "--limit", "9.94"), "outside_band"),
        (("buy", "600000.SH", "100", "--limit", "9.30"), "outside_cage"),
        (("buy", "600000.SH", "1000100", "--limit", "9.09"), "over_cap"),
        (("buy", "113052.SH", "10", "--limit", "500"), "outside_band"),
        (("buy", "204001.SH", "10", "--limit", "1.5"), "repo_is_lent"),
        (("buy", "000001.SZ", "100", "--market", "ioc", "--protect", "12"), "protect_not_taken"),
        (("buy", "000001.SZ", "100", "--market", "after-hours"), "after_hours_not_live"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_certain_is_refused(live: Live, words: tuple[str, ...], code: str) -> None:
    error = live.refusal(*words)
    assert (error["exit_status"], error["code"], error["mode"]) == (6, code, "live")


def test_no_cage_and_no_market_orders_in_an_auction(live: Live) -> None:
    opening = "2026-11-23T09:17:00"
    assert live.run("buy", "600000.SH", "100", "--limit", "9.30", "--dry-run", at=opening).status == 0
    error = live.refusal("buy", "600000.SH", "100", "--market", "best5-cancel", at=opening)
    assert (error["exit_status"], error["code"], error["phase"]) == (6, "not_continuous", "opening")


def test_rules_and_instruments_of_the_user_hold(live: Live, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("code,board,st\n600000.SH,star,\n")
    live.configure(f"    rules: {{after_hours_live: true}}\n    instruments: {table}\n")
    error = live.refusal(*BUY)
    assert (error["code"], error["minimum"]) == ("below_min", 200)
    allowed = live.run("buy", "000001.SZ", "100", "--market", "after-hours", "--protect", "12", "--dry-run", "--json")
    assert (allowed.status, allowed.json["price_type"], allowed.json["price"]) == (0, 49, 12.0)


def test_a_warning_is_told_once() -> None:
    heard = StringIO()
    warn = App(Console(stdin=BytesIO(), stdout=StringIO(), stderr=heard, env={}, interactive=False)).warner()
    for last in ("2026-12-31", "2026-12-30"):
        warn(ConfigError("calendar_ended", last=last))
    warn(Refused("off_tick", price=1, below=0, above=2))
    assert [line.partition(" — ")[0] for line in heard.getvalue().splitlines()] == [
        "warning: the trading calendar ends on 2026-12-31",
        "warning: price 1 is off the tick",
    ]


BEYOND = "2027-02-01T10:00:00"
ENDED = "warning: the trading calendar ends on 2026-12-31 — import the days"


def test_past_the_calendar_a_buy_stops_and_a_sell_goes_on(live: Live) -> None:
    error = live.refusal(*BUY, at=BEYOND)
    assert (error["exit_status"], error["code"], error["last"]) == (3, "calendar_ended", "2026-12-31")
    assert "qmt calendar import" in error["hint"]
    sell = live.run(*SELL, "--dry-run", at=BEYOND)
    assert sell.status == 0
    assert sell.stderr.count(ENDED) == 1
    sent = live.run(*SELL, "--yes", "--json", at=BEYOND)
    assert (sent.status, sent.error["code"]) == (5, "rejected")  # by the exchange, which knows that none are held
    canceled = live.run("cancel", "--all", "--yes", at=BEYOND)
    assert (canceled.status, canceled.stderr) == (0, "")
    days = "".join(
        f"2027-{day}\n" for day in ("01-04", "01-05", "01-06", "01-07", "01-08", "01-18", "01-29", "02-01", "02-03")
    )
    assert live.run("calendar", "import", "-", stdin=days).status == 0
    buy = live.run(*BUY, "--dry-run", at=BEYOND)
    assert (buy.status, "warning" in buy.stderr) == (0, False)
    assert live.refusal(*BUY, at="2027-02-02T10:00:00")["phase"] == "no_trading_day"


def test_a_damaged_calendar_stops_no_sell(live: Live, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "trading_days.txt").write_text("2027-01-04\nnever\n")
    error = live.refusal(*BUY)
    assert (error["exit_status"], error["code"], error["line"]) == (3, "calendar_damaged", 2)
    sell = live.run(*SELL, "--dry-run")
    assert sell.status == 0
    assert "warning: the imported calendar is damaged: " in sell.stderr
