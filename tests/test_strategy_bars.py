"""Bars made of ticks as they come, against the same made apart from it in pandas."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmtcli.model import Board, Instrument, Kind
from qmtcli.strategy.bars import GRACE, MINUTES, Bars, always, day_of
from qmtcli.strategy.ticks import Bar, Tick

CODE = "600519.SH"
ON = date(2023, 2, 7)
MAIN = Instrument(CODE, "", Kind.STOCK, Board.MAIN)
STAR = Instrument("688981.SH", "", Kind.STOCK, Board.STAR)


def _at(text: str) -> int:
    return int(datetime.fromisoformat(f"2023-02-07T{text}+08:00").timestamp() * 1000)


def _tick(text: str, price: float, volume: int, high: float = 0, low: float = 0, opened: float = 10.0) -> Tick:
    row = {"lastPrice": price, "open": opened, "high": high or max(price, opened), "low": low or min(price, opened),
           "lastClose": 10.0, "pvolume": volume, "volume": volume // 100, "amount": volume * 10.0}  # fmt: skip
    return Tick(CODE, _at(text), lambda: row)


def _made(ticks: list[Tick], period: str, until: int | None = None) -> tuple[list[Bar], list[str]]:
    """The bars that closed, and what opened and closed in its order."""
    bars, closed, said = Bars(CODE, period, lambda on: day_of(MAIN, on)), [], []
    for tick in ticks:
        before = bars.end(tick.time)
        gone, opened = bars.take(tick)
        for bar in (before, gone):
            if bar is not None:
                closed.append(bar)
                said.append(f"close {bar.at:%H:%M}")
        if opened is not None:
            said.append(f"open {opened.at:%H:%M}")
    if until is not None and (last := bars.end(until)) is not None:
        closed.append(last)
        said.append(f"close {last.at:%H:%M}")
    return closed, said


# -- a real day ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def day() -> pd.DataFrame:
    folder = Path(__file__).parents[2] / "shared" / "data" / "tick" / "600519.SH_20230207_tick.csv.gz"
    if not folder.is_file():
        pytest.skip("the folder of real market data is not beside the repository")
    return pd.read_csv(folder)


def _ticks(day: pd.DataFrame) -> list[Tick]:
    rows: list[dict[str, Any]] = day.to_dict("records")  # type: ignore[assignment]
    return [Tick(CODE, int(row["time"]), lambda row=row: row) for row in rows]  # type: ignore[misc]


def _apart(day: pd.DataFrame, minutes: int) -> pd.DataFrame:
    """Bars of a day's snapshots by their last, by pandas alone."""
    rows = day[(day["open"] > 0) & (day["pvolume"] > 0)].copy()
    clock = (rows["time"] // 1000 + 8 * 3600) % 86400
    morning, noon, after, close = 9 * 3600 + 1800, 11 * 3600 + 1800, 13 * 3600, 15 * 3600
    traded = clock.clip(morning, noon - 1) - morning
    later = clock >= after
    traded[later] = clock[later].clip(upper=close - 1) - after + 7200
    ends = (traded // (60 * minutes) + 1) * 60 * minutes
    label = morning + ends
    label[ends > 7200] += after - noon
    if minutes == 1:
        label[clock < morning] = morning
    rows["label"] = label
    rows["top"] = rows["high"].where(rows["high"] > rows["high"].shift(fill_value=0), rows["lastPrice"])
    rows["bottom"] = rows["low"].where(rows["low"] < rows["low"].shift(fill_value=1e9), rows["lastPrice"])
    rows["first"] = rows["lastPrice"]
    rows.iloc[0, rows.columns.get_loc("first")] = rows["open"].iloc[0]
    made = rows.groupby("label").agg(
        open=("first", "first"), high=("top", "max"), low=("bottom", "min"), close=("lastPrice", "last"),
        volume=("pvolume", "last"), amount=("amount", "last"),
    )  # fmt: skip
    for name in ("volume", "amount"):
        made[name] = made[name] - made[name].shift(fill_value=0)
    return made


@pytest.mark.parametrize("period", MINUTES)
def test_bars_of_a_real_day_are_those_made_apart(day: pd.DataFrame, period: str) -> None:
    closed, _ = _made(_ticks(day), period, _at("16:00:00"))
    expected = _apart(day, MINUTES[period])
    assert len(closed) == len(expected) > 3
    for bar, (label, row) in zip(closed, expected.iterrows(), strict=True):
        seconds = (bar.time // 1000 + 8 * 3600) % 86400
        assert (seconds, bar.volume) == (label, row["volume"])
        assert (bar.open, bar.high, bar.low, bar.close) == pytest.approx(
            (row["open"], row["high"], row["low"], row["close"]), abs=1e-9
        )
        assert bar.amount == pytest.approx(row["amount"], abs=0.01)


def test_the_bar_of_the_day_is_the_exchanges(day: pd.DataFrame) -> None:
    (bar,), said = _made(_ticks(day), "1d", _at("16:00:00"))
    last = day.iloc[-1]
    assert (bar.open, bar.close) == (1808.08, 1797.0)  # the auctions, of which the orders tell
    assert (bar.high, bar.low, bar.volume) == (last["high"], last["low"], last["pvolume"])
    assert bar.amount == pytest.approx(last["amount"], abs=0.01)
    assert said == ["open 00:00", "close 00:00"]


# -- when they open and close ----------------------------------------------------------------------------


def test_a_bar_opens_once_and_closes_once_over_lunch_and_auctions() -> None:
    ticks = [
        _tick("09:25:03", 10, 100), _tick("09:30:01", 10, 200), _tick("09:30:59", 10.1, 300),
        _tick("09:31:00", 10.2, 400), _tick("11:29:58", 10, 500), _tick("11:30:03", 10, 600),
        _tick("13:00:01", 10, 700), _tick("14:59:58", 10, 800), _tick("15:00:03", 10, 900), _tick("15:00:09", 10, 900),
    ]  # fmt: skip
    closed, said = _made(ticks, "1m", _at("15:01:00"))
    labels = ["09:30", "09:31", "09:32", "11:30", "13:01", "15:00"]
    assert said == [word for label in labels for word in (f"open {label}", f"close {label}")]
    assert [bar.volume for bar in closed] == [100, 200, 100, 200, 100, 200]


def test_what_comes_late_reopens_nothing() -> None:
    ticks = [_tick("09:30:01", 10, 100), _tick("09:31:06", 10, 200), _tick("09:30:59", 10.5, 150)]
    _, said = _made(ticks, "1m")
    assert said == ["open 09:31", "close 09:31", "open 09:32"]


def test_a_quiet_bar_closes_a_moment_after_its_end() -> None:
    bars = Bars(CODE, "5m", lambda on: day_of(MAIN, on))
    bars.take(_tick("09:31:00", 10, 100))
    assert bars.end(_at("09:35:00") + GRACE - 1) is None
    found = bars.end(_at("09:35:00") + GRACE)
    assert found is not None and f"{found.at:%H:%M}" == "09:35"
    assert bars.end(_at("10:00:00")) is None


def test_a_bar_whose_beginning_was_missed_is_none() -> None:
    """A run that begins at 10:07 knows nothing of what traded before in that bar."""
    ticks = [_tick("10:07:00", 10, 5000), _tick("10:09:00", 11, 5100), _tick("10:10:30", 10.5, 5300)]
    closed, said = _made(ticks, "5m", _at("10:15:05"))
    assert said == ["open 10:15", "close 10:15"]
    assert (closed[0].open, closed[0].volume) == (10.5, 200)


def test_after_hours_trading_ends_a_days_bar_later() -> None:
    assert day_of(MAIN, ON).over(54_000_000) == 54_000_000 + 60_000
    assert day_of(STAR, ON).over(54_000_000) == 55_800_000 + 60_000


def test_a_market_that_never_closes_has_bars_by_the_clock() -> None:
    day = always(ON)
    assert day.label(_at("20:01:30") - day.midnight, 5) == (20 * 60 + 5) * 60_000


@given(st.lists(st.tuples(st.integers(0, 14_400), st.integers(1, 2000)), min_size=1, max_size=80))
def test_no_share_is_lost_or_counted_twice(steps: list[tuple[int, int]]) -> None:
    """Every bar opens before it closes, in order, and their volumes are what was traded."""
    ticks, volume = [], 0
    for second in sorted({second for second, _ in steps}):
        volume += dict(steps)[second]
        of_day = 34_200 + second if second < 7200 else 46_800 + second - 7200
        text = f"{of_day // 3600:02}:{of_day % 3600 // 60:02}:{of_day % 60:02}"
        ticks.append(_tick(text, 10 + second % 7 / 10, volume))
    first = _tick("09:25:00", 10, 1, opened=10.0)
    for tick in ticks:
        tick.row["pvolume"] += 1
    for period in MINUTES:
        closed, said = _made([first, *ticks], period, _at("23:00:00"))
        assert sum(bar.volume for bar in closed) == volume + 1
        assert [word.split()[0] for word in said] == ["open", "close"] * len(closed)
        assert [bar.time for bar in closed] == sorted({bar.time for bar in closed})
