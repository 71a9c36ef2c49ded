"""What ``buy`` and ``sell`` check of hours, order types and kinds on a paper market that keeps hours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import CLOCK, Result

from qmtcli.errors import ConfigError, Refused
from qmtcli.model import Quote, Side
from qmtcli.orders import Market, keeping_hours, parse_price, resolve_price
from qmtcli.rules import boards
from qmtcli.rules.settings import Settings

Qmt = Callable[..., Result]

#: a Monday
DAY = "2026-11-23"
BUY = ("buy", "600000.SH", "100", "--limit", "9.09")
AFTER = ("--market", "after-hours")


@pytest.fixture
def exchange(quick_qmt: Qmt, user_config: Callable[[str], Path]) -> Callable[..., Result]:
    """Runs, under ``--json``, on a paper exchange that keeps hours, at a moment of its clock."""
    user_config("profiles: {paper: {hours: exchange}}")

    def run(at: str, *words: str) -> Result:
        return quick_qmt("--json", *words, env={"QMT_PAPER_CLOCK": at if "T" in at else f"{DAY}T{at}"})

    return run


def _subset(error: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    return {name: error.get(name) for name in wanted}


@pytest.mark.parametrize(
    ("at", "words", "phase"),
    [
        ("03:00:00", BUY, "pre_open"),
        ("09:14:59", BUY, "pre_open"),
        ("09:25:00", BUY, "pause"),
        ("11:30:00", BUY, "lunch"),
        ("12:00:00", ("buy", "000001.SZ", "100", "--price", "last"), "lunch_sz"),
        ("15:00:00", BUY, "after_hours_orders"),
        ("15:10:00", BUY, "after_hours"),
        ("15:30:00", BUY, "after_hours_done"),
        ("15:00:00", ("buy", "113052.SH", "10", "--price", "last"), "closed"),
        ("15:30:00", ("sell", "204001.SH", "10", "--limit", "1.5"), "closed"),
        ("2026-11-22T10:00:00", BUY, "no_trading_day"),
        ("2026-10-01T10:00:00", BUY, "no_trading_day"),
        ("09:10:00", ("buy", "000001.SZ", "100", *AFTER), "pre_open"),
        ("09:20:00", ("buy", "600519.SH", "100", *AFTER), "opening_locked"),
        ("15:30:00", ("buy", "600519.SH", "100", *AFTER), "after_hours_done"),
    ],
)
def test_off_hours(exchange: Callable[..., Result], at: str, words: tuple[str, ...], phase: str) -> None:
    done = exchange(at, *words)
    moment = at.replace("T", " ") if "T" in at else f"{DAY} {at}"
    wanted = {"code": "off_hours", "exit_status": 6, "phase": phase, "time": moment, "stock_code": words[1]}
    assert _subset(done.error, **wanted) == wanted
    assert done.status == 6
    assert "--next-session" in done.error["hint"]


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("09:15:00", BUY),
        ("09:24:59", BUY),
        ("09:26:00", ("buy", "000001.SZ", "100", "--price", "last")),
        ("09:30:00", BUY),
        ("14:58:00", BUY),
        ("14:58:00", ("buy", "113052.SH", "10", "--price", "last")),
        ("15:29:59", ("sell", "204001.SH", "10", "--limit", "1.5")),
        ("09:15:00", ("buy", "000001.SZ", "100", *AFTER)),
        ("10:00:00", ("buy", "600519.SH", "100", *AFTER)),
        ("15:29:59", ("buy", "600519.SH", "100", *AFTER)),
    ],
)
def test_in_hours(exchange: Callable[..., Result], at: str, words: tuple[str, ...]) -> None:
    done = exchange(at, *words, "--dry-run")
    assert (done.status, done.json["dry_run"], done.json["status"]) == (0, True, "not_sent")


def test_the_next_session_is_for_the_exchange_to_decide(exchange: Callable[..., Result]) -> None:
    done = exchange("03:00:00", *BUY, "--next-session")
    assert (done.status, done.error["code"], done.error["error_id"]) == (5, "rejected", -61)
    assert exchange("2026-11-28T10:00:00", *BUY, "--next-session", "--dry-run").status == 0


def test_what_was_sent_in_time_is_told_at_any_hour(exchange: Callable[..., Result]) -> None:
    assert exchange("14:56:00", *BUY, "--id", "mine").json["order_id"] == "1"
    again = exchange("15:40:00", *BUY, "--id", "mine")
    assert (again.status, again.json["order_id"], again.json["replayed"]) == (0, "1", True)
    assert exchange("15:40:00", *BUY, "--id", "other").error["code"] == "off_hours"


MARKET = ("buy", "600000.SH", "100", "--market", "best5-cancel")


@pytest.mark.parametrize(("at", "phase"), [("09:17:00", "opening"), ("14:58:00", "closing")])
def test_market_orders_are_for_continuous_trading(exchange: Callable[..., Result], at: str, phase: str) -> None:
    wanted = {"code": "not_continuous", "exit_status": 6, "phase": phase, "stock_code": "600000.SH"}
    assert _subset(exchange(at, *MARKET).error, **wanted) == wanted
    assert exchange("10:00:00", *MARKET, "--dry-run").status == 0
    assert exchange(at, *MARKET, "--next-session", "--dry-run").status == 0


def test_the_cage_is_for_continuous_trading(exchange: Callable[..., Result]) -> None:
    high = ("buy", "600000.SH", "100", "--limit", "9.30", "--dry-run")
    assert exchange("10:00:00", *high).error["code"] == "outside_cage"
    for auction in ("09:17:00", "09:22:00", "14:58:00"):
        assert exchange(auction, *high).status == 0
    up = exchange("09:17:00", "buy", "600000.SH", "100", "--price", "up", "--dry-run").json["price"]
    assert up > 9.90  # the band's edge
    assert exchange("10:00:00", "buy", "600000.SH", "100", "--price", "up", "--dry-run").json["price"] < 9.30
    # a protection price is no limit price
    protected = exchange("10:00:00", *MARKET, "--protect", "9.30", "--dry-run")
    assert (protected.status, protected.json["price"]) == (0, 9.3)


def test_the_limits_of_the_next_session_are_not_these(exchange: Callable[..., Result]) -> None:
    far = ("buy", "600000.SH", "100", "--limit", "10.50", "--dry-run")
    assert exchange("10:00:00", *far).error["code"] == "outside_band"
    assert exchange("20:00:00", *far, "--next-session").status == 0
    wanted = exchange("20:00:00", "buy", "600000.SH", "100", "--price", "up", "--next-session", "--dry-run").error
    assert (wanted["exit_status"], wanted["code"]) == (10, "no_such_price")
    unprotected = exchange("20:00:00", *MARKET, "--next-session", "--dry-run").error
    assert (unprotected["exit_status"], unprotected["code"]) == (6, "protect_needed")


def _new_stock(at: str, told: list[str], **rules: Any) -> Market:
    """A STAR stock on its listing day at a time of day, its terminal telling no limits."""
    stock = boards.instrument("688001.SH", listed=date(2026, 11, 23))
    quote = Quote("688001.SH", "", 0.0, 0.0, 0.0, 0.0, 0.0, 20.0, 0.0, 0.0, 0, 0, 0.0, [], [], [], [], 12, 0, "", False)
    market = Market(stock, quote, date(2026, 11, 23), Settings(**rules))
    if "live" in told:
        market = market._replace(warn=lambda error: told.append(error.code))
    return keeping_hours(market, datetime.fromisoformat(f"{DAY}T{at}"), Side.BUY)


def test_a_day_without_limits_has_a_range_in_its_opening_auction() -> None:
    price = parse_price("181")
    with pytest.raises(Refused) as caught:
        resolve_price(price, Side.BUY, _new_stock("09:17:00", []))
    assert caught.value.code == "outside_opening_range"
    assert caught.value.params == {"code": "688001.SH", "price": 181, "down": 10, "up": 180}
    assert resolve_price(price, Side.BUY, _new_stock("14:58:00", [])) == (181, "")
    assert resolve_price(price, Side.BUY, _new_stock("09:17:00", [], open_auction_high=Decimal(10))) == (181, "")
    told = ["live"]
    assert resolve_price(price, Side.BUY, _new_stock("09:17:00", told)) == (181, "")
    assert told == ["live", "outside_opening_range"]


def test_limits_that_no_calendar_can_count_to_are_not_checked_live() -> None:
    day = date(2027, 1, 5)
    told: list[str] = []
    market = _new_stock("14:58:00", told)
    market = market._replace(day=day, instrument=market.instrument._replace(listed=date(2026, 12, 30)))
    with pytest.raises(ConfigError, match="calendar_ended"):
        resolve_price(parse_price("181"), Side.SELL, market)
    live = market._replace(warn=lambda error: told.append(error.code))
    assert resolve_price(parse_price("181"), Side.SELL, live) == (181, "")
    assert told[0] == "calendar_ended"
    settled = market._replace(instrument=market.instrument._replace(listed=date(2019, 7, 22)))
    with pytest.raises(Refused, match="outside_band"):
        resolve_price(parse_price("181"), Side.SELL, settled)


# -- after hours ---------------------------------------------------------------------------------------


def test_an_after_hours_order_carries_its_worst_close(exchange: Callable[..., Result]) -> None:
    at, buy, sell = "10:00:00", ("buy", "000001.SZ", "100", *AFTER), ("sell", "000001.SZ", "100", *AFTER)
    quote = exchange(at, "quote", "000001.SZ").json[0]
    for words, price in ((buy, quote["up_stop_price"]), (sell, quote["down_stop_price"])):
        done = exchange(at, *words, "--dry-run").json
        assert (done["price_type"], done["price_kind"], done["price"]) == (49, "after-hours", price)
    last = f"{quote['last_price']:.2f}"
    assert exchange(at, *buy, "--protect", last, "--dry-run").json["price"] == quote["last_price"]
    assert exchange(at, *buy, "--protect", "last", "--dry-run").json["price"] == quote["last_price"]
    assert exchange(at, *buy, "--protect", "99", "--dry-run").error["code"] == "outside_band"


@pytest.mark.parametrize(
    ("words", "code", "params"),
    [
        (("buy", "920185.BJ", "100", *AFTER), "market_kind_unavailable", {"exchange": "BJ"}),
        (("buy", "501050.SH", "100", *AFTER), "no_after_hours", {"stock_code": "501050.SH"}),
        (("buy", "113052.SH", "10", *AFTER), "no_after_hours", {}),
        (("buy", "300750.SZ", "1000100", *AFTER), "over_cap", {"cap": 1_000_000}),
        (("buy", "688981.SH", "150", *AFTER), "below_min", {"minimum": 200}),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_who_takes_no_such_after_hours_order(
    exchange: Callable[..., Result], words: tuple[str, ...], code: str, params: dict[str, Any]
) -> None:
    wanted = {"code": code, "exit_status": 6, **params}
    assert _subset(exchange("10:00:00", *words).error, **wanted) == wanted


def test_st_stocks_after_hours_are_a_setting(
    exchange: Callable[..., Result], user_config: Callable[[str], Path]
) -> None:
    order = ("buy", "002124.SZ", "100", *AFTER, "--dry-run")
    assert exchange("10:00:00", *order).status == 0
    user_config("profiles: {paper: {hours: exchange, rules: {after_hours_st: false}}}")
    assert exchange("10:00:00", *order).error["code"] == "no_after_hours"


def test_many_shares_after_hours_are_fewer_orders(exchange: Callable[..., Result]) -> None:
    amount = ("buy", "300750.SZ", "--value", "1.2亿", "--dry-run")
    limit, after = (exchange("10:00:00", *amount, *how).json for how in (("--price", "last"), AFTER))
    assert len(limit["parts"]) == 2  # 300,000 at most
    assert after["parts"] == []


# -- repo ----------------------------------------------------------------------------------------------


def test_money_is_lent_by_selling_repo(exchange: Callable[..., Result], quick_qmt: Qmt) -> None:
    done = exchange("10:00:00", "sell", "204001.SH", "10", "--limit", "1.5", "--dry-run").json
    assert (done["side"], done["order_volume"], done["price"], done["price_kind"]) == ("sell", 10, 1.5, "limit")
    assert done["worst_amount"] == 1000.01
    lots = exchange("10:00:00", "sell", "204007", "3手", "--limit", "1.5", "--dry-run")
    assert lots.status == 10  # a code that the sample market does not have
    value = exchange("10:00:00", "sell", "131810.SZ", "--value", "1.2万", "--price", "last", "--dry-run").json
    assert (value["order_volume"], value["worst_amount"]) == (120, 12_000.12)
    env = {"QMT_PAPER_CLOCK": "2026-11-26T10:00:00"}  # a Thursday: the money is away over the weekend
    told = quick_qmt("sell", "204001.SH", "100", "--limit", "1.5", "--dry-run", env=env).stderr
    assert told == (
        "【paper】lend 10,000 CNY 204001.SH GC001 100 (10 lots) @ 1.50%, 1 day | with fees 10,000.10 CNY"
        " | back on 2026-11-27, interest 1.23 CNY\n"
    )


@pytest.mark.parametrize(
    ("words", "status", "code", "params"),
    [
        (("buy", "204001.SH", "10", "--limit", "1.5"), 6, "repo_is_lent", {"stock_code": "204001.SH"}),
        (("buy", "204001.SH", "--value", "1000", "--limit", "1.5"), 6, "repo_is_lent", {}),
        (("sell", "204001.SH", "15", "--limit", "1.5"), 6, "odd_lot", {"below": 10, "above": 20}),
        (("sell", "204001.SH", "5", "--limit", "1.5"), 6, "below_min", {"minimum": 10}),
        (("sell", "204001.SH", "10", "--limit", "1.501"), 6, "off_tick", {"below": 1.5, "above": 1.505}),
        (("sell", "204001.SH", "1000010", "--limit", "1.5"), 6, "over_cap", {"cap": 1_000_000}),
        (("sell", "204001.SH", "--value", "999", "--limit", "1.5"), 6, "below_lend", {"value": 999, "least": 1000}),
        (("sell", "204001.SH", "all", "--limit", "1.5"), 2, "all_of_repo", {}),
        (("sell", "204001.SH", "10", "--market", "peer"), 6, "no_market_orders", {}),
        (("sell", "204001.SH", "10", "--price", "up"), 10, "no_such_price", {"name": "up"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_no_repo_order_is(
    exchange: Callable[..., Result], words: tuple[str, ...], status: int, code: str, params: dict[str, Any]
) -> None:
    wanted = {"code": code, "exit_status": status, **params}
    assert _subset(exchange("10:00:00", *words).error, **wanted) == wanted


def test_limits_bind_what_is_lent_as_a_buy(quick_qmt: Qmt, user_config: Callable[[str], Path]) -> None:
    lend = ("--json", "sell", "204001.SH", "20", "--limit", "3", "--dry-run")
    user_config("profiles: {paper: {limits: {order_value: 1500}}}")
    error = quick_qmt(*lend).error
    assert (error["code"], error["value"], error["limit"]) == ("limit_order_value", 2000.02, 1500)
    user_config("profiles: {paper: {limits: {price_away: 1%}}}")
    assert quick_qmt(*lend).status == 0


# -- rules by name -------------------------------------------------------------------------------------


def test_a_rule_said_otherwise_holds_here(quick_qmt: Qmt, user_config: Callable[[str], Path]) -> None:
    bond = ("--json", "buy", "019547.SH", "10", "--limit", "117.005", "--dry-run")
    env = {"QMT_PAPER_CLOCK": CLOCK}
    assert quick_qmt(*bond, env=env).status == 0
    user_config("profiles: {paper: {rules: {bond_tick: 0.01, bond_lot: 100, fund_cap: 1000}}}")
    error = quick_qmt(*bond, env=env).error
    assert (error["code"], error["below"], error["above"]) == ("off_tick", 117, 117.01)
    error = quick_qmt("--json", "buy", "019547.SH", "10", "--limit", "117.01", env=env).error
    assert (error["code"], error["minimum"]) == ("below_min", 100)
    parts = quick_qmt("--json", "buy", "510300.SH", "--value", "1万", "--price", "last", "--dry-run", env=env).json[
        "parts"
    ]
    assert [part["order_volume"] for part in parts] == [1000, 1000, 500]
    user_config("profiles: {paper: {rules: {fund_cap: 100}}}")
    error = quick_qmt("--json", "buy", "510300.SH", "--value", "1万", "--price", "last", env=env).error
    assert (error["exit_status"], error["code"], error["cap"]) == (6, "over_cap", 100)


def test_an_account_does_not_go_back_to_a_day_that_it_has_left(exchange: Callable[..., Result]) -> None:
    assert exchange("2026-11-24T09:00:00", "paper", "status").json["day"] == "2026-11-24"
    assert exchange("10:00", "paper", "status").json["day"] == DAY  # it never had an order
    assert exchange("2026-11-24T10:00:00", *BUY).json["time"].startswith("2026-11-24")
    error = exchange("10:00", "asset")
    assert error.status == 3
    assert _subset(error.error, code=0, clock=0, day=0) == {
        "code": "clock_behind_account", "clock": "2026-11-23", "day": "2026-11-24",
    }  # fmt: skip
    assert exchange("2026-11-24T09:31:00", "asset").status == 0
    assert exchange("10:00", "paper", "reset", "--yes").json["day"] == DAY
    assert exchange("10:00", *BUY).json["time"].startswith(DAY)
