"""No way to an order passes a limit, a gate or a halt; no limit stops a cancel, and value limits no sell."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import CLOCK, Result, not_on_windows

from qmtcli.config import Limits
from qmtcli.desk import limits
from qmtcli.errors import Refused
from qmtcli.ledger import Used, new_entry
from qmtcli.model import Credit, OrderRequest, Side

Qmt = Callable[..., Result]
#: one order of 100 shares, in every way that there is to one; what each needs is beside it
WAYS: dict[str, tuple[tuple[str, ...], str]] = {
    "batch": (("batch", "-"), "code,side,volume,price\n600000.SH,buy,100,9.00\n"),
    "buy": (("buy", "600000.SH", "100", "--limit", "9.00"), ""),
    "value": (("buy", "600000.SH", "--value", "1000", "--limit", "9.00"), ""),
    "market": (("buy", "600000.SH", "100", "--market", "best5-cancel"), ""),
    "piped": (("buy", "-", "100", "--limit", "9.00"), '[{"stock_code": "600000.SH"}]'),
    "apply": (("apply", "plan.json"), ""),
    "replace": (("replace", "1", "--limit", "8.95"), ""),
}


@pytest.fixture(autouse=True)
def world(clock: Callable[[str], None]) -> None:
    clock(CLOCK)


@pytest.fixture
def ready(quick_qmt: Qmt) -> Qmt:
    """An order that rests, a holding of 300, and a plan, all made before there were limits."""
    for words in (
        ("buy", "600000.SH", "300", "--limit", "9.09"),
        ("paper", "next-day"),
        ("buy", "600000.SH", "100", "--limit", "8.90"),
        ("buy", "600000.SH", "100", "--limit", "9.00", "--plan", "plan.json"),
    ):
        assert quick_qmt(*words).status == 0
    return quick_qmt


def _resting(qmt: Qmt) -> str:
    return qmt("orders", "--open", "-o", "id").stdout.strip()


def _refusal(qmt: Qmt, words: tuple[str, ...], stdin: str) -> tuple[int, str]:
    """(exit status, code) of an order that is not sent, whichever way it is told."""
    done = qmt(*words, "--json", stdin=stdin)
    if done.stdout:
        row = json.loads(done.stdout.splitlines()[0])
        return done.status, row["error"]["code"]
    error = done.error
    return done.status, error["errors"][0]["code"] if error["code"] == "batch_refused" else error["code"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ("order_value: 500", "limit_order_value"),
        ("order_volume: 50", "limit_order_volume"),
        ("symbols: [510300.SH]", "limit_symbols"),
        ("price_away: 0.1%", "limit_price_away"),
        ("orders_per_day: 1", "limit_orders_per_day"),
        ("day_turnover: 950", "limit_day_turnover"),
    ],
)
def test_no_way_passes_a_limit(way: str, limit: str, code: str, ready: Qmt, user_config: Callable[[str], Path]) -> None:
    words, stdin = WAYS[way]
    order_id = _resting(ready)
    words = tuple(order_id if word == "1" else word for word in words)
    if way == "replace" and code == "limit_day_turnover":
        limit = "day_turnover: 800"  # what it replaces gives its own back
    if way == "market" and code == "limit_price_away":
        pytest.skip("a market order has no price")
    user_config(f"limits: {{{limit}}}\n")
    before = ready("orders", "--json").json
    assert _refusal(ready, words, stdin) == (6, code)
    assert ready("orders", "--json").json == before
    assert ready("sell", "600000.SH", "100", "--limit", "9.02", "--json").status == 0
    assert ready("cancel", order_id).status == 0


@pytest.mark.parametrize("way", WAYS)
def test_no_way_passes_a_gate_or_a_halt(way: str, ready: Qmt, user_config: Callable[[str], Path]) -> None:
    words, stdin = WAYS[way]
    order_id = _resting(ready)
    words = tuple(order_id if word == "1" else word for word in words)
    for writes in ("none", "cancel", "plan"):
        user_config(f"writes: {writes}\n")
        code = "plan_needs_person" if (way, writes) == ("apply", "plan") else "writes_not_allowed"
        assert _refusal(ready, words, stdin) == (6, code)
    user_config("writes: all\n")
    assert ready("halt", "--allow-sells").status == 0
    assert _refusal(ready, words, stdin) == (6, "halted")
    assert ready("sell", "600000.SH", "100", "--limit", "9.02", "--json").status == 0
    assert ready("halt").status == 0
    assert _refusal(ready, ("sell", "600000.SH", "100", "--limit", "9.02"), "") == (6, "halted")
    assert _refusal(ready, ("sell", "--everything", "--price", "down"), "") == (6, "halted")
    assert ready("cancel", order_id).status == 0
    assert ready("resume").status == 0
    assert ready(*WAYS["buy"][0]).status == 0


def test_a_halt_that_cannot_be_read_is_one(quick_qmt: Qmt, tmp_path: Path) -> None:
    assert quick_qmt("halt").status == 0
    for text in ("", "{}", "[1", "\x00"):
        (tmp_path / "state" / "halt.json").write_text(text)
        assert _refusal(quick_qmt, WAYS["buy"][0], "") == (6, "halted")


@not_on_windows("a start takes as long as the batch")
def test_a_halt_in_the_middle_of_a_batch_stops_the_rest(quick_qmt: Qmt, tmp_path: Path) -> None:
    Path("job.csv").write_text("code,side,volume,price\n" + "600000.SH,buy,100,9.00\n" * 6)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(quick_qmt, "batch", "job.csv", "--max-rate", "2", "--json")
        while not quick_qmt("orders", "-o", "id").stdout:
            pass
        assert quick_qmt("halt").status == 0
        done = run.result()
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    halted = [row for row in rows if row["error"] and row["error"]["code"] == "halted"]
    assert done.status == 9 and 0 < len(halted) < 6
    assert len(quick_qmt("orders", "--json").json) == 6 - len(halted)
    assert quick_qmt("resume").status == 0
    assert quick_qmt("batch", "job.csv", "-o", "id").status == 0  # it goes on where it stopped
    assert len(quick_qmt("orders", "--json").json) == 6


def test_daily_limits_hold_across_processes(quick_qmt: Qmt, user_config: Callable[[str], Path]) -> None:
    user_config("limits: {orders_per_day: 5}\n")
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: quick_qmt(*WAYS["buy"][0], "--json"), range(12)))
    assert sorted(run.status for run in runs) == [0] * 5 + [6] * 7
    (row,) = quick_qmt("limits", "--json").json
    assert (row["limit"], row["used"], row["left"]) == ("orders_per_day", 5, 0)


def test_orders_made_elsewhere_count(quick_qmt: Qmt, user_config: Callable[[str], Path], tmp_path: Path) -> None:
    for _ in range(2):
        assert quick_qmt(*WAYS["buy"][0], env={"QMT_STATE": str(tmp_path / "state")}).status == 0
    for file in (tmp_path / "state" / "ledger" / "paper-paper").iterdir():
        file.unlink()  # as if another program had made them
    user_config("limits: {orders_per_day: 3, day_turnover: 2000}\n")
    rows = {row["limit"]: row for row in quick_qmt("limits", "--json").json}
    assert (rows["orders_per_day"]["used"], rows["day_turnover"]["used"]) == (2, 1800)
    assert _refusal(quick_qmt, WAYS["buy"][0], "") == (6, "limit_day_turnover")
    assert quick_qmt("buy", "600000.SH", "100", "--limit", "1.0", "--next-session", "--json").status == 6  # its band


@not_on_windows("a start takes longer than a rate")
def test_rates_delay_and_do_not_refuse(quick_qmt: Qmt, user_config: Callable[[str], Path], tmp_path: Path) -> None:
    user_config("limits: {orders_per_second: 4}\n")
    Path("job.csv").write_text("code,side,volume,price\n" + "600000.SH,buy,100,9.00\n" * 5)
    Path("more.csv").write_text("code,side,volume,price\n" + "510300.SH,buy,100,last\n" * 5)
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda file: quick_qmt("batch", file, "--json"), ("job.csv", "more.csv")))
    assert [run.status for run in runs] == [0, 0]
    import sqlite3

    with sqlite3.connect(tmp_path / "state" / "ledger" / "paper-paper" / "1000000365.sqlite") as ledger:
        clocks = [row[0] for row in ledger.execute("SELECT clock FROM events WHERE event = 'sending' ORDER BY clock")]
    assert len(clocks) == 10
    assert all(later - clock >= 1000 for clock, later in zip(clocks, clocks[4:], strict=False))


# -- the rules themselves ------------------------------------------------------------------------------


def _request(**more: Any) -> OrderRequest:
    given = {"side": Side.BUY, "volume": 100, "price": Decimal("10"), "credit": None, **more}
    return OrderRequest("600000.SH", given["side"], given["volume"], 11, given["price"], "a", "s", given["credit"])


def test_market_orders_and_repo_are_valued_by_their_own_rule() -> None:
    held = Limits(order_value=Decimal(1000))
    limits.check_order(held, _request(), Decimal("1000"), None)
    with pytest.raises(Refused, match="limit_order_value"):
        limits.check_order(held, _request(price=Decimal(0)), Decimal("1100"), None)  # at limit-up
    with pytest.raises(Refused, match="limit_order_value"):
        limits.check_order(held, _request(price=Decimal(0)), None, None)  # without one
    repo = _request(side=Side.SELL, price=Decimal("1.5"))
    with pytest.raises(Refused, match="limit_order_value"):
        limits.check_order(held, repo, Decimal(10_000), None, lends=True)
    limits.check_order(held, repo, Decimal(10_000), None)  # a sell
    with pytest.raises(Refused, match="limit_order_value"):
        limits.check_order(held, _request(side=Side.SELL, credit=Credit.SLO), Decimal(10_000), None)


def test_a_day_is_held_to_what_is_used() -> None:
    held = Limits(orders_per_day=2, day_turnover=Decimal(3000))

    def why(used: Used, side: Side = Side.BUY) -> str:
        request = _request(side=side)
        entry = new_entry(0, request, 23, "2026-11-23", "buy", {}, risk=Decimal(1000), new_risk=side is Side.BUY)
        error = limits.check_day(held, entry, used)
        return error.code if error else ""

    assert why(Used(1, Decimal(2000))) == ""
    assert why(Used(1, Decimal("2000.01"))) == "limit_day_turnover"
    assert why(Used(2, Decimal(0))) == "limit_orders_per_day"
    assert why(Used(9, Decimal(9999)), Side.SELL) == ""
