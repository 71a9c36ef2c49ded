"""A day of trouble, unattended: thirty names a minute before the end, and nearly everything goes wrong at once."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from conftest import Result, Runner
from test_reconcile import ACCOUNT, Live

from qmtcli.rules.boards import instrument
from qmtcli.rules.ticks import tick as tick_of

FRIDAY, MONDAY = "2026-11-20", "2026-11-23"
#: what is held from Friday: code -> shares
HELD = {
    "600001.SH": 3_000, "600002.SH": 3_050, "600003.SH": 2_000, "600004.SH": 4_000, "600005.SH": 1_000,
    "600006.SH": 2_000, "000011.SZ": 2_000, "000012.SZ": 5_000, "300101.SZ": 1_000, "688101.SH": 337,
    "688102.SH": 500, "920101.BJ": 700,
}  # fmt: skip
LIMIT_UP, LIMIT_DOWN, SUSPENDED, EX_DIVIDEND = {"000021.SZ", "000022.SZ"}, "600003.SH", "600004.SH", "600005.SH"
#: the file does not name these: they are to be sold
GONE = {"600002.SH", LIMIT_DOWN, SUSPENDED, "688101.SH", "000012.SZ"}
#: all that is to be sold, whole or down to the target
SOLD = GONE - {LIMIT_DOWN, SUSPENDED} | {"600001.SH", "600006.SH", "000011.SZ", "688102.SH"}
BOUGHT = [
    "000021.SZ", "000022.SZ", "000023.SZ", "000024.SZ", "000025.SZ", "000026.SZ", "000027.SZ", "000028.SZ",
    "300102.SZ", "300103.SZ", "300104.SZ", "300105.SZ", "600021.SH", "600022.SH", "600023.SH", "600024.SH",
    "510301.SH", "113101.SH",
]  # fmt: skip
#: turned away by the counter
REJECTED = {"000023.SZ", "300102.SZ", "600021.SH"}
#: so little is offered that most of the order is still there at the end
THIN = {"000024.SZ": 100, "600022.SH": 100}
PRICE = {"510301.SH": 4.0, "113101.SH": 120.0, "688101.SH": 40.0, "688102.SH": 50.0}
#: CNY that there were before Friday
CASH = 450_000
#: of the live profile: none of them stands in the way
LIMITS = "{order_value: 60000, price_away: 5%, orders_per_day: 200, day_turnover: 2000000}"
STEP = timedelta(seconds=3)
SHANGHAI = timezone(timedelta(hours=8))


def _rows(code: str, begin: str, end: str, day: str) -> list[dict[str, Any]]:
    """The snapshots of a code, all of them alike."""
    price = PRICE.get(code, 10.0)
    step = float(tick_of(instrument(code)))
    bid = [(round(price - step * n, 3), 200_000) for n in range(1, 6)]
    ask = [(round(price + step * n, 3), 200_000) for n in range(1, 6)]
    last, phase = price, 13
    if day == MONDAY:
        if code in LIMIT_UP:
            last, bid, ask = 11.0, [(round(11 - step * n, 2), 90_000) for n in range(5)], []
        elif code == LIMIT_DOWN:
            last, bid, ask = 9.0, [], [(round(9 + step * n, 2), 90_000) for n in range(5)]
        elif code == SUSPENDED:
            phase, bid, ask = 1, [], []
        elif code in THIN:
            ask = [(ask[0][0], THIN[code])]
    levels = {}
    for side, rows in (("bid", bid), ("ask", ask)):
        for n in range(1, 6):
            shown = rows[n - 1] if n <= len(rows) else (0, 0)
            levels[f"{side}Price{n}"], levels[f"{side}Vol{n}"] = shown
    moment, until = datetime.fromisoformat(f"{day}T{begin}"), datetime.fromisoformat(f"{day}T{end}")
    found = []
    while moment <= until:
        found.append({
            "time": moment.isoformat(timespec="milliseconds"), "lastPrice": last, "open": price,
            "high": max(price, last),
            "low": min(price, last), "lastClose": price, "pvolume": 1_000_000, "amount": 1e7, "openInt": phase,
            **levels,
        })  # fmt: skip
        moment += STEP
    return found


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


class World:
    """qmt on an account that a day of trouble is about to happen to, on paper or at a live terminal."""

    def __init__(self, run: Callable[..., Result], ledger: Path, account: Path, log: Path, live: bool) -> None:
        """``run(words, at=, stdin=, faults=)``; ``ledger``, ``account`` and the native line's ``log`` are files."""
        self.run, self._ledger, self._account, self._log, self.live = run, ledger, account, log, live

    def calls(self) -> Counter[str]:
        """Calls that went down to the native line since the last answer, by name."""
        found = Counter(self._log.read_text().split())
        self._log.unlink()
        return found

    def states(self, code: str) -> list[str]:
        """The states of a code's entries of Monday in the ledger."""
        with sqlite3.connect(self._ledger) as ledger:
            wanted = "SELECT state FROM entries WHERE day = ? AND stock_code = ?"
            return [row[0] for row in ledger.execute(wanted, (MONDAY, code))]

    def entries(self) -> dict[str, tuple[Any, ...]]:
        """Monday's orders as the ledger has them: client id -> code, side, volume, traded, status."""
        with sqlite3.connect(self._ledger) as ledger:
            found = ledger.execute(
                "SELECT client_id, stock_code, side, order_volume, traded_volume, order_status FROM entries"
                " WHERE day = ? AND order_id <> ''",
                (MONDAY,),
            )
            return {row[0]: row[1:] for row in found}

    def last_write(self) -> str:
        """When the ledger was last written, ``14:56:07``."""
        with sqlite3.connect(self._ledger) as ledger:
            (last,) = ledger.execute("SELECT max(at) FROM events").fetchone()
        return datetime.fromtimestamp(last / 1000, SHANGHAI).strftime("%H:%M:%S")

    def orders(self) -> list[tuple[Any, ...]]:
        """Monday's orders as the exchange has them: client id, code, side, volume, traded, status."""
        with sqlite3.connect(self._account) as account:
            told = account.execute(
                "SELECT remark, code, type, volume, traded, status FROM orders WHERE day = (SELECT day FROM account)"
            ).fetchall()
        return [(remark, code, {23: "buy", 24: "sell"}[side], *more) for remark, code, side, *more in told]


def _paper(
    tmp_path: Path, tapes: Path, qmt: Runner, user_config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> World:
    user_config(f"profiles:\n  paper: {{market: '{tapes}', hours: exchange, cash: {CASH}}}\n")
    script, log = tmp_path / "faults.json", tmp_path / "native.log"
    monkeypatch.setenv("NATIVE_LOG", str(log))

    def run(*words: str, at: str, stdin: str = "", faults: Sequence[dict[str, Any]] = ()) -> Result:
        script.write_text(json.dumps([*faults]))
        return qmt(*words, stdin=stdin, env={"QMT_PAPER_CLOCK": at, "QMT_PAPER_FAULTS": str(script)})

    state = tmp_path / "state"
    ledger, account = state / "ledger" / "paper-paper", state / "paper" / "paper"
    return World(run, ledger / "1000000365.sqlite", account / "1000000365.sqlite", log, False)


def _terminal(tmp_path: Path, tapes: Path, runs: tuple[Runner, Runner], monkeypatch: pytest.MonkeyPatch) -> World:
    live = Live(*runs, tmp_path, monkeypatch, LIMITS, market=str(tapes), hours="exchange", cash=CASH)

    def run(*words: str, at: str, stdin: str = "", faults: Sequence[dict[str, Any]] = ()) -> Result:
        return live.run(*words, clock=at, stdin=stdin, faults=[*faults])

    ledger = tmp_path / "state" / "ledger" / "live" / f"{ACCOUNT}.sqlite"
    return World(run, ledger, tmp_path / "account" / f"{ACCOUNT}.sqlite", tmp_path / "native.log", True)


@pytest.fixture(params=["paper", "live"])
def world(
    request: pytest.FixtureRequest, tmp_path: Path, quick_runs: Callable[[str], Runner], qmt: Runner,
    user_config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch,
) -> World:  # fmt: skip
    """qmt on an account that holds what it holds on Monday."""
    tapes = tmp_path / "tapes"
    tapes.mkdir()
    codes = [*HELD, *BOUGHT]
    for code in codes:
        _write(tapes / f"{code}_{FRIDAY.replace('-', '')}_tick.csv", _rows(code, "10:00:00", "10:01:00", FRIDAY))
        _write(tapes / f"{code}_{MONDAY.replace('-', '')}_tick.csv", _rows(code, "14:55:00", "14:57:00", MONDAY))
    _write(tapes / "instruments.csv", [{"code": code, "levels": "shares"} for code in codes])
    _write(tapes / "dividends.csv", [{"code": EX_DIVIDEND, "ex_date": MONDAY, "cash": 0.5}])
    quick = quick_runs(request.param)
    found = (
        _paper(tmp_path, tapes, quick, user_config, monkeypatch)
        if request.param == "paper"
        else _terminal(tmp_path, tapes, (quick, qmt), monkeypatch)
    )
    rows = "".join(f"{code},{_lots(code, volume)}\n" for code, volume in HELD.items())
    words = ("buy", "-", "--price", "peer", "-o", "id", "--yes")
    bought = found.run(*words, at=f"{FRIDAY}T10:00:00", stdin=f"code,volume\n{rows}")
    assert (bought.status, bought.stderr) == (0, "")
    return found


def _lots(code: str, volume: int) -> int:
    """What can be bought: odd lots only where an exchange trades them."""
    return volume if code[:3] in ("688", "920") else volume // 100 * 100


EXPECTED: dict[str, str | None] = {
    **dict.fromkeys([*HELD, *BOUGHT]),
    **dict.fromkeys(LIMIT_UP, "limit_up"),
    LIMIT_DOWN: "limit_down",
    SUSPENDED: "suspended",
    **dict.fromkeys(REJECTED, "rejected"),
    **dict.fromkeys(THIN, "unfilled"),
}
#: sells that take seconds to get to the exchange
SLOW = ("600001.SH", "600002.SH", "688102.SH", "000012.SZ")
#: a buy that reaches nobody, and is never answered: on paper that is known, at a terminal it is not
LOST_BUY = "000025.SZ"
#: a sell that is carried out and never answered, a buy that is and is answered with -1, and one that is listed late
MUTE_SELL, DENIED_BUY, LATE_BUY = "600006.SH", "000026.SZ", "600022.SH"
FAULTS: list[dict[str, Any]] = [
    *({"call": "order", "outcome": "reject", "message": "证券不可交易", "code": code} for code in sorted(REJECTED)),
    *({"call": "order", "outcome": "late", "seconds": 1.5, "arrives": 5, "code": code} for code in SLOW),
    {"call": "order", "outcome": "no answer", "stands": False, "code": LOST_BUY, "nth": 1},
    *({"call": "order", "outcome": "no answer", "pushes": False, "code": code} for code in (MUTE_SELL, LATE_BUY)),
    {"call": "order", "outcome": "listed only after", "queries": 6, "code": LATE_BUY},
    {"call": "order", "outcome": "-1 and yet live", "code": DENIED_BUY},
    {"call": "order", "outcome": "disconnect after", "nth": 11},
    {"call": "query_orders", "outcome": "disconnect before", "nth": 6},
]


def test_a_day_of_trouble(world: World) -> None:
    names = [*(code for code in HELD if code not in GONE), *BOUGHT]
    assert len({*names, *HELD}) == 30
    rows = "".join(f"{code},{0.96 / len(names):.4f}\n" for code in names)
    Path("targets.csv").write_text(f"code,weight\n{rows}")
    words = ("rebalance", "targets.csv", "--others", "sell", "--chase", "2", "--patience", "5", "--json", "--yes")
    world.calls()
    ended = world.run(*words, "--until", "14:56", at=f"{MONDAY}T14:55:40+", faults=FAULTS)
    found = {row["stock_code"]: row for row in ended.json}
    assert {code: row["reason"] for code, row in found.items()} == _expected(world)
    assert ended.status == (7 if world.live else 9)
    # every difference has its reason, and what has none is where it was to be
    assert [
        row for row in found.values() if (row["final_volume"] == row["target_volume"]) != (row["reason"] is None)
    ] == []
    assert [code for code, row in found.items() if row["ex_date"]] == [EX_DIVIDEND]
    for code in THIN:
        assert 0 < found[code]["traded_volume"] < found[code]["order_volume"]
    for code in REJECTED:
        assert (found[code]["message"], found[code]["final_volume"]) == ("证券不可交易", 0)
    assert found["688101.SH"]["final_volume"] == 0  # the odd rest went whole
    _hold_account(world, found)
    sent = sum(1 for row in found.values() if row["order_volume"])
    calls = world.calls()
    assert calls["connect"] == 4  # that of the data service with them: the link was lost twice
    # at a terminal nothing goes again; on paper what was lost does, and what was called into a link that was gone
    again = calls["orderStockWithSeq"] - sent
    assert again >= 1 if not world.live else again == 0
    # in the end nothing stands, and holdings are what was said
    held = {row["stock_code"]: row["volume"] for row in world.run("positions", "--json", at=f"{MONDAY}T14:56:03").json}
    assert {code: held.get(code, 0) for code in found} == {code: row["final_volume"] for code, row in found.items()}
    _hold_again(world, words, found)


def _expected(world: World) -> dict[str, str | None]:
    return EXPECTED | ({LOST_BUY: "unknown"} if world.live else {})


def _hold_again(world: World, words: Sequence[str], before: dict[str, dict[str, Any]]) -> None:
    """Said once more with time left, only what was canceled of the thin ones is sent, and nothing that is unknown."""
    world.calls()
    ended = world.run(*words, "--until", "14:56:30", "--wait-for", "3", at=f"{MONDAY}T14:56:10+")
    found = {row["stock_code"]: row for row in ended.json}
    assert {row["resumed"] for row in found.values()} == {True}
    assert ({code: row["reason"] for code, row in found.items()}, ended.status) == (
        _expected(world), 7 if world.live else 9,
    )  # fmt: skip
    assert world.calls()["orderStockWithSeq"] == len(THIN)
    assert {code for code, row in found.items() if row["traded_volume"] != before[code]["traded_volume"]} <= set(THIN)
    assert world.states(LOST_BUY) == ["unknown" if world.live else "filled"]
    _hold_account(world, found)


def _hold_account(world: World, found: dict[str, dict[str, Any]]) -> None:
    """The account's file and the ledger tell the same of every order, and it is what was asked for."""
    told = world.orders()
    assert {remark: tuple(more) for remark, *more in told} == world.entries()
    assert max(Counter(remark for remark, *_ in told).values()) == 1
    assert {status for *_, status in told} <= {53, 54, 56, 57}
    assert world.last_write() < "14:56:30"
    assert {code for _, code, side, *_ in told if side == "sell"} == SOLD
    for code, row in found.items():
        mine = [order for order in told if order[1] == code]
        assert {order[2] for order in mine} <= {row["side"]}
        assert sum(order[4] for order in mine) == row["traded_volume"] <= row["order_volume"]
