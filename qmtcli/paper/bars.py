"""Bars made of ticks, and of finer bars. A bar of minutes is labelled by its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from qmtcli.paper.tape import Bar, Tick

_MINUTE = 60_000
_MORNING = 34_200_000  # 09:30
_NOON = 41_400_000  # 11:30
_AFTERNOON = 46_800_000  # 13:00
_CLOSE = 54_000_000  # 15:00


def minutes_of(day: date, ticks: Iterable[Tick]) -> list[Bar]:
    """Minute bars of one day's ticks, for the minutes that have a snapshot after the first trade.

    The opening auction is the bar of 09:30, as in a terminal. A high or low of the day that no snapshot shows
    belongs to the first snapshot that knows of it.
    """
    bars: dict[int, Bar] = {}
    volume = amount = high = 0
    low: int | None = None
    for tick in ticks:
        if not tick.last:
            continue
        top = tick.high if tick.high > high else tick.last
        bottom = tick.low if low is None or tick.low < low else tick.last
        traded, paid = tick.volume - volume, tick.amount - amount
        ms = _label(tick.ms)
        start = tick.last if volume else tick.open or tick.last
        piece = Bar(day, ms, start, top, bottom, tick.last, traded, paid, tick.preclose)
        bars[ms] = merge([bars[ms], piece]) if ms in bars else piece
        volume, amount, high, low = tick.volume, tick.amount, tick.high, tick.low
    return list(bars.values())


def day_of_ticks(day: date, ticks: Sequence[Tick]) -> list[Bar]:
    """The bar of one day's ticks; none without a trade."""
    return [
        Bar(day, 0, end.open, end.high, end.low, end.last, end.volume, end.amount, end.preclose)
        for end in ticks[-1:]
        if end.last
    ]


def merge(bars: Sequence[Bar]) -> Bar:
    """One bar out of several in order, dated as the last of them. Raises IndexError for none."""
    first, last = bars[0], bars[-1]
    high, low = max(bar.high for bar in bars), min(bar.low for bar in bars)
    volume, amount = sum(bar.volume for bar in bars), sum(bar.amount for bar in bars)
    return Bar(last.day, last.ms, first.open, high, low, last.close, volume, amount, first.preclose)


def _label(ms: int) -> int:
    """End of the minute that a moment begins or is in, within the trading hours."""
    end = (ms // _MINUTE + 1) * _MINUTE
    if ms < _MORNING:
        return _MORNING
    return min(end, _NOON if ms < _AFTERNOON else _CLOSE)
