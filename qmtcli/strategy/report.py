"""What came of a strategy's replay: its figures, and the files that hold them. Pure but for `write`.

Days are those of Shanghai, whatever the machine's time zone.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from io import StringIO
from itertools import pairwise
from math import fsum, isfinite, nan, sqrt
from pathlib import Path
from typing import Any, NamedTuple

from qmtcli.errors import UsageError
from qmtcli.model import Order, OrderStatus, Side, Trade
from qmtcli.strategy.ticks import SHANGHAI

#: trading days that make a year
YEAR = 242
#: deviation of daily returns below which they count as all the same: above what floats make of equal ones
_NOISE = 1e-12
_DAY, _OFFSET = 86_400_000, 8 * 3_600_000
#: figures in CNY
_MONEY = ("opening_asset", "final_asset", "fees")
_EPOCH = datetime(1970, 1, 1, 8, tzinfo=SHANGHAI)
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


class Point(NamedTuple):
    """The account at a moment; money in CNY."""

    #: epoch ms
    time: int
    cash: float
    market_value: float
    #: frozen money is part of it
    total_asset: float


class Replayed(NamedTuple):
    """A replay that is over."""

    #: of the strategy
    name: str
    params: dict[str, Any]
    #: days of the replay, ISO 8601
    first: str
    last: str
    #: CNY, total asset before the first event
    opening: float
    #: as they were last seen, in order of time
    orders: list[Order]
    #: in order of time
    trades: list[Trade]
    #: in order of time; a day may have several
    equity: list[Point]
    #: by code, (epoch ms, CNY)
    prices: dict[str, list[tuple[int, float]]]


def figures(run: Replayed) -> dict[str, float | int | None]:
    """A replay in numbers, money to the cent, fractions to 8 places; None for what is not defined, never NaN or an
    infinity.

    A day is a day of Shanghai with a point, its end the total asset at its last point. A daily return is a day's end
    against that of the day before, the first day's against the opening. Traded amounts are buys and sells together.

    ``days``: how many. ``opening_asset``: CNY, total asset before the first event.
    ``final_asset``: CNY, total asset at the last point; the opening without points.
    ``total_return``: ``final_asset / opening_asset - 1``; None unless the opening is above 0.
    ``annual_return``: ``(final_asset / opening_asset) ** (242 / days) - 1``; None without a day.
    ``max_drawdown``: the deepest fall below the highest total asset before, over all points and the opening; a
    fraction, 0 or below 0.
    ``drawdown_days``: the most days in a row whose ends are below the highest end, or opening, before them.
    ``volatility``: sample deviation of the daily returns * sqrt(242); None with fewer than two.
    ``sharpe``: mean of the daily returns / their sample deviation * sqrt(242), risk-free rate 0; None with fewer than
    two of them, or without deviation.
    ``orders``, ``trades``: how many. ``rejected``: orders that exchange or counter turned away.
    ``turnover``: traded amount / mean of the days' ends (of the opening, without a day); of the whole replay, not a
    year's.
    ``fees``: CNY, of all trades. ``cost_share``: fees / traded amount; None without trades.
    ``round_trips``: sell orders that sold what the replay had bought. By code what was bought first is sold first, the
    profit is after the fees of both sides, a trade's spread over its shares; shares that were never bought are left
    out, with their part of the fees.
    ``win_rate``: round trips with a profit / round trips; None without any.
    ``profit_factor``: profits of the round trips that gained / losses of those that lost; None without a loss.
    """
    ends = _ends(run.equity)
    final = ends[-1] if ends else run.opening
    returns = [_ratio(after - before, before) for before, after in pairwise([run.opening, *ends])]
    deviation = _deviation(returns)
    amount = _total(trade.traded_amount for trade in run.trades if trade.side in (Side.BUY, Side.SELL))
    fees = _total(trade.commission for trade in run.trades)
    falls = [fall for fall in (*([0.0] if run.opening > 0 else []), *drawdowns(run)) if isfinite(fall)]
    trips = _round_trips(run.trades)
    gains = [profit for profit in trips if profit > 0]
    found: dict[str, float | int | None] = {
        "days": len(ends),
        "opening_asset": run.opening,
        "final_asset": final,
        "total_return": _ratio(final - run.opening, run.opening),
        "annual_return": _annual(_ratio(final, run.opening), len(ends)),
        "max_drawdown": min(falls, default=None),
        "drawdown_days": _days_below([run.opening, *ends]),
        "volatility": deviation * sqrt(YEAR),
        "sharpe": _ratio(_mean(returns) * sqrt(YEAR), deviation),
        "orders": len(run.orders),
        "rejected": sum(order.state is OrderStatus.JUNK for order in run.orders),
        "trades": len(run.trades),
        "turnover": _ratio(amount, _mean(ends or [run.opening])),
        "fees": fees,
        "cost_share": _ratio(fees, amount),
        "round_trips": len(trips),
        "win_rate": _ratio(len(gains), len(trips)),
        "profit_factor": _ratio(_total(gains), -_total(profit for profit in trips if profit < 0)),
    }
    return {
        key: round(value, 2 if key in _MONEY else 8) if value is not None and isfinite(value) else None
        for key, value in found.items()
    }


def drawdowns(run: Replayed) -> list[float]:
    """How far each point is below the highest total asset before it, a fraction, 0 or below 0; NaN while that is not
    above 0."""
    found, peak = [], run.opening
    for point in run.equity:
        value = _asset(point)
        peak = max(peak, value)
        found.append(value / peak - 1 if peak > 0 else nan)
    return found


def moment(milliseconds: int) -> datetime:
    """A moment (epoch ms) in Shanghai."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def plain(value: object) -> Any:
    """A parameter as JSON has it, the same in every process: sets in order, objects without their addresses."""
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(plain, value), key=lambda each: json.dumps(each, sort_keys=True))
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, (date, time)):
        return value.isoformat()
    if value is None or isinstance(value, (str, int)) or (isinstance(value, float) and isfinite(value)):
        return value
    return _ADDRESS.sub("", str(value))


def _asset(point: Point) -> float:
    """Total asset without what floats add to it: else an account that stands still would fall."""
    return round(point.total_asset, 4)


def _day(milliseconds: int) -> int:
    """The number of a moment's day."""
    return (milliseconds + _OFFSET) // _DAY


def _ends(points: Iterable[Point]) -> list[float]:
    """Total asset at each day's last point."""
    return list({_day(point.time): _asset(point) for point in points}.values())


def _ratio(part: float, whole: float) -> float:
    """NaN unless the whole is above 0."""
    return part / whole if whole > 0 else nan


def _total(values: Iterable[float]) -> float:
    try:
        return fsum(values)
    except (OverflowError, ValueError):
        return nan


def _mean(values: Sequence[float]) -> float:
    return _ratio(_total(values), len(values))


def _deviation(values: Sequence[float]) -> float:
    """The sample's standard deviation, 0 where it is but noise; NaN of fewer than two."""
    mean = _mean(values)
    found = sqrt(_ratio(_total((value - mean) * (value - mean) for value in values), len(values) - 1))
    return 0.0 if found < _NOISE else found


def _annual(growth: float, days: int) -> float:
    if not days or not growth >= 0:
        return nan
    try:
        return float(growth ** (YEAR / days)) - 1
    except OverflowError:
        return nan


def _days_below(values: Sequence[float]) -> int:
    """The longest run of values below the highest before them."""
    peak, below, longest = values[0], 0, 0
    for value in values[1:]:
        below = below + 1 if value < peak else 0
        peak, longest = max(peak, value), max(longest, below)
    return longest


def _round_trips(trades: Sequence[Trade]) -> list[float]:
    """The profit (CNY, after fees) of each sell order that sold what was bought."""
    #: by code, what is left of each buy: shares, and CNY that each cost
    lots: defaultdict[str, deque[tuple[int, float]]] = defaultdict(deque)
    found: defaultdict[object, float] = defaultdict(float)
    for number, trade in enumerate(trades):
        held, left = lots[trade.stock_code], trade.traded_volume
        if left <= 0:
            continue
        if trade.side == Side.BUY:
            held.append((left, (trade.traded_amount + trade.commission) / left))
        elif trade.side == Side.SELL:
            brought = (trade.traded_amount - trade.commission) / left
            # a counter may use an order's number again on another day
            order = (_day(trade.traded_time * 1000), trade.stock_code, trade.order_id)
            while left and held:
                volume, cost = held.popleft()
                closed = min(volume, left)
                found[order if trade.of_an_order else number] += closed * (brought - cost)
                left -= closed
                if closed < volume:
                    held.appendleft((volume - closed, cost))
    return [round(profit, 6) for profit in found.values()]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value


# -- files -----------------------------------------------------------------------------------------------


def write(run: Replayed, folder: Path) -> list[Path]:
    """Write a replay's orders, trades and equity as CSV (UTF-8 with a mark, for Excel) and JSON, its figures and its
    page; the files. The same replay makes the same bytes.

    Raises UsageError when the page cannot be made, and then nothing is written, or a file cannot be written.
    """
    from qmtcli.strategy.page import page

    found, texts = figures(run), {}
    equity = [(moment(each.time).isoformat(timespec="milliseconds"), *each) for each in run.equity]
    tables: tuple[tuple[str, tuple[str, ...], Sequence[tuple[Any, ...]]], ...] = (
        ("orders", Order._fields, run.orders),
        ("trades", Trade._fields, run.trades),
        ("equity", ("at", *Point._fields), equity),
    )
    for name, keys, rows in tables:
        cells = [[_finite(value) for value in row] for row in rows]
        texts[f"{name}.csv"] = _csv(keys, cells)
        texts[f"{name}.json"] = _json(keys, cells)
    told = {"name": run.name, "first": run.first, "last": run.last, "params": plain(run.params), **found}
    texts["figures.json"] = json.dumps(told, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    texts["report.html"] = page(run, found)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_bytes(text.encode("utf-8", "replace"))
    except OSError as error:
        path = str(error.filename or folder)
        raise UsageError("report_not_written", path=path, why=error.strerror or str(error)) from None
    return [folder / name for name in texts]


def _csv(keys: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(keys)
    writer.writerows(rows)
    return "\ufeff" + text.getvalue()


def _json(keys: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """An array, one row a line."""
    lines = [json.dumps(dict(zip(keys, row, strict=True)), ensure_ascii=False, allow_nan=False) for row in rows]
    return "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n"
