"""Orders against a real day's five levels: what fills, at which prices, and what must not.

The tape's row of a moment is read here by the standard library alone. Its level volumes are shares; a quote's are lots.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import Result

Qmt = Callable[..., Result]

CODE = "600519.SH"
SHANGHAI = timezone(timedelta(hours=8))
#: three moments of 2023-02-07: the quiet level, the thin one, one that shows an odd lot
MOMENTS = ["09:36:30", "10:13:59.500", "14:40:26"]


class Row(NamedTuple):
    """A snapshot as the file has it: prices in CNY, volumes in shares."""

    ms: int
    last: Decimal
    asks: list[tuple[Decimal, int]]
    bids: list[tuple[Decimal, int]]


class Tape:
    """The day's rows."""

    def __init__(self, file: Path) -> None:
        with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
            self.rows = [
                Row(
                    int(row["time"]),
                    Decimal(row["lastPrice"]),
                    [(Decimal(row[f"askPrice{n}"]), int(row[f"askVol{n}"])) for n in range(1, 6)],
                    [(Decimal(row[f"bidPrice{n}"]), int(row[f"bidVol{n}"])) for n in range(1, 6)],
                )
                for row in csv.DictReader(lines)
            ]

    def at(self, time: str) -> Row:
        """The row on display at a time of the day."""
        ms = datetime.fromisoformat(f"2023-02-07T{time}+08:00").timestamp() * 1000
        return [row for row in self.rows if row.ms <= ms][-1]

    def after(self, row: Row) -> Iterator[Row]:
        """The rows that came up after one."""
        return (later for later in self.rows if later.ms > row.ms)


@pytest.fixture(scope="session")
def tape(request: pytest.FixtureRequest) -> Tape:
    from conftest import SHARED_DATA

    file = SHARED_DATA / "tick" / f"{CODE}_20230207_tick.csv.gz"
    if not file.is_file():
        pytest.skip("the folder of real market data is not beside the repository")
    return Tape(file)


@pytest.fixture
def qmt_on_ticks(qmt: Qmt, user_config: Callable[[str], Path], shared_data: Path) -> Qmt:
    market = (shared_data / "tick").as_posix()
    user_config(
        "default: day\n"
        "profiles:\n"
        f"  day: {{market: '{market}', hours: exchange}}\n"
        f"  loop: {{market: '{market}', hours: always}}\n"
    )
    return qmt


def _lots(levels: list[tuple[Decimal, int]]) -> tuple[list[float], list[int]]:
    return [float(price) for price, _ in levels], [volume // 100 for _, volume in levels]


def _levels(quote: dict[str, Any], side: str) -> tuple[list[float], list[int]]:
    return quote[f"{side}_price"], quote[f"{side}_vol"]


@pytest.mark.parametrize("time", MOMENTS)
def test_a_quote_shows_the_levels_of_the_moment(
    qmt_on_ticks: Qmt, tape: Tape, clock: Callable[[str], None], time: str
) -> None:
    row = tape.at(time)
    clock(f"2023-02-07T{time}")
    done = qmt_on_ticks("quote", CODE, "--json")
    assert (done.status, done.stderr) == (0, "")
    (quote,) = done.json
    assert (quote["stock_code"], quote["synthetic"], quote["mode"]) == (CODE, False, "paper")
    assert (quote["last_price"], quote["last_close"]) == (float(row.last), 1795.0)
    assert _levels(quote, "ask") == _lots(row.asks)
    assert _levels(quote, "bid") == _lots(row.bids)
    assert quote["tick_time"] == row.ms
    assert quote["time"] == datetime.fromtimestamp(row.ms / 1000, SHANGHAI).isoformat()


@pytest.mark.parametrize("time", MOMENTS)
def test_an_order_takes_what_the_best_level_displays(
    qmt_on_ticks: Qmt, tape: Tape, clock: Callable[[str], None], time: str
) -> None:
    best, shown = tape.at(time).asks[0]
    assert shown >= 100
    clock(f"2023-02-07T{time}")
    done = qmt_on_ticks("buy", CODE, "100", "--limit", str(best), "--wait", "--json")
    assert (done.status, done.stderr) == (0, "")
    assert (done.json["status"], done.json["traded_volume"], done.json["traded_price"]) == ("filled", 100, float(best))
    (trade,) = qmt_on_ticks("trades", "--json").json
    assert (trade["traded_price"], trade["traded_volume"]) == (float(best), 100)


def test_an_order_above_the_first_level_pays_each_level_its_own_price(
    qmt_on_ticks: Qmt, tape: Tape, clock: Callable[[str], None]
) -> None:
    first, second, third = tape.at("10:13:59.500").asks[:3]
    assert [first, second, third] == [
        (Decimal("1799.95"), 100),
        (Decimal("1799.98"), 200),
        (Decimal("1799.99"), 400),
    ]
    clock("2023-02-07T10:13:59.500")
    done = qmt_on_ticks("buy", CODE, "500", "--limit", "1800.00", "--wait", "--json")
    assert (done.status, done.stderr) == (0, "")
    assert (done.json["status"], done.json["traded_volume"]) == ("filled", 500)
    assert done.json["traded_price"] == 1799.978  # (100 x 1799.95 + 200 x 1799.98 + 200 x 1799.99) / 500
    trades = qmt_on_ticks("trades", "--json").json
    assert [(trade["traded_price"], trade["traded_volume"]) for trade in trades] == [
        (1799.95, 100),
        (1799.98, 200),
        (1799.99, 200),
    ]
    assert qmt_on_ticks("positions", "--json").json[0]["volume"] == 500


def test_what_was_taken_from_a_level_is_gone_while_it_is_displayed(
    qmt_on_ticks: Qmt, clock: Callable[[str], None]
) -> None:
    clock("2023-02-07T10:13:59.500")
    first = qmt_on_ticks("buy", CODE, "100", "--limit", "1799.98", "--json").json
    assert (first["status"], first["traded_price"]) == ("filled", 1799.95)
    second = qmt_on_ticks("buy", CODE, "100", "--limit", "1799.98", "--json").json
    assert (second["status"], second["traded_price"]) == ("filled", 1799.98)


@pytest.mark.parametrize("time", MOMENTS)
def test_an_order_below_the_best_ask_rests(
    qmt_on_ticks: Qmt, tape: Tape, clock: Callable[[str], None], time: str
) -> None:
    below = tape.at(time).asks[0][0] - Decimal("0.01")
    clock(f"2023-02-07T{time}")
    done = qmt_on_ticks("buy", CODE, "100", "--limit", str(below), "--wait-for", "0.5", "--json")
    assert (done.status, done.stderr) == (8, "")
    assert (done.json["order_status"], done.json["traded_volume"], done.json["traded_price"]) == (50, 0, 0.0)
    assert qmt_on_ticks("trades", "--json").json == []


def test_a_resting_order_fills_when_the_tape_trades_through_it(
    qmt_on_ticks: Qmt, tape: Tape, clock: Callable[[str], None], tmp_path: Path
) -> None:
    limit, start = Decimal("1799.00"), tape.at("10:14:00")
    reached = next(row for row in tape.after(start) if row.last <= limit or row.asks[0][0] <= limit)
    through = next(row for row in tape.after(start) if 0 < row.last < limit)
    assert start.ms < reached.ms <= through.ms
    file = tmp_path / "clock"

    def step(ms: float) -> None:
        file.write_text(datetime.fromtimestamp(ms / 1000, SHANGHAI).isoformat(), encoding="utf-8")

    clock(f"@{file}")
    step(start.ms)
    placed = qmt_on_ticks("buy", CODE, "100", "--limit", str(limit), "--json")
    assert (placed.status, placed.json["order_status"]) == (0, 50)
    step(reached.ms - 1)
    (resting,) = qmt_on_ticks("orders", "--json").json
    assert (resting["order_status"], resting["traded_volume"]) == (50, 0)
    step(through.ms)
    (filled,) = qmt_on_ticks("orders", "--json").json
    assert (filled["order_status"], filled["traded_volume"], filled["traded_price"]) == (56, 100, 1799.0)
    (trade,) = qmt_on_ticks("trades", "--json").json
    assert start.ms < trade["traded_time"] * 1000 + 999
    assert reached.ms // 1000 <= trade["traded_time"] <= through.ms // 1000


def test_the_loop_shows_and_fills_the_same_levels_at_any_date(
    qmt_on_ticks: Qmt, tape: Tape, clock: Callable[[str], None]
) -> None:
    row = tape.at("10:13:59.500")
    clock("2027-05-01T10:13:59.500")
    (quote,) = qmt_on_ticks("--profile", "loop", "quote", CODE, "--json").json
    assert (_levels(quote, "ask"), _levels(quote, "bid")) == (_lots(row.asks), _lots(row.bids))
    assert quote["time"].startswith("2027-05-01T10:13:5")
    done = qmt_on_ticks("--profile", "loop", "buy", CODE, "300", "--limit", "1799.98", "--wait", "--json")
    assert (done.status, done.json["traded_volume"], done.json["traded_price"]) == (0, 300, 1799.97)


def test_out_of_hours_the_real_day_takes_no_order(qmt_on_ticks: Qmt, clock: Callable[[str], None]) -> None:
    clock("2023-02-07T20:00:00")
    done = qmt_on_ticks("buy", CODE, "100", "--limit", "1797.00", "--json")
    assert done.status in (5, 6)
    assert qmt_on_ticks("trades", "--json").json == []
