"""Bars made of ticks, and of finer bars. A bar of minutes is labelled by its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from qmtcli.model import Instrument
from qmtcli.paper.tape import Bar, Tick
from qmtcli.rules.phases import Phase, schedule

_MINUTE = 60_000
_MORNING = 34_200_000  # 09:30
_NOON = 41_400_000  # 11:30
_AFTERNOON = 46_800_000  # 13:00
#: 15:00
CLOSE = 54_000_000


def close_of(instrument: Instrument, on: date) -> int:
    """When the last bar of a day ends (ms since midnight): 15:00, or 15:30 where trading goes on till then."""
    ends = (begin for begin, phase in schedule(instrument, on) if phase in (Phase.CLOSED, Phase.AFTER_HOURS_ORDERS))
    at = next(ends)
    return (at.hour * 60 + at.minute) * _MINUTE


def minutes_of(day: date, ticks: Iterable[Tick], before: Tick | None = None, close: int = CLOSE) -> list[Bar]:
    """Minute bars of one day's ticks, for the minutes that have a snapshot after the first trade.

    ``before`` is the snapshot before the first of ``ticks``, None for those of a whole day. The opening auction
    is the bar of 09:30, as in a terminal; what trades after ``close`` belongs to the bar that ends there. A high
    or low of the day that no snapshot shows belongs to the first snapshot that knows of it.
    """
    bars: dict[int, Bar] = {}
    for tick in ticks:
        if tick.last:
            traded = before is not None and before.last
            top = tick.last if before and traded and tick.high <= before.high else tick.high
            bottom = tick.last if before and traded and tick.low >= before.low else tick.low
            start = tick.last if traded else tick.open or tick.last
            volume, amount = tick.volume, tick.amount
            if before is not None:
                volume, amount = volume - before.volume, amount - before.amount
            ms = _label(tick.ms, close)
            piece = Bar(day, ms, start, top, bottom, tick.last, volume, amount, tick.preclose)
            bars[ms] = merge((bars[ms], piece)) if ms in bars else piece
        before = tick
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


def _label(ms: int, close: int) -> int:
    """End of the minute that a moment begins or is in, within the trading hours."""
    end = (ms // _MINUTE + 1) * _MINUTE
    if ms < _MORNING:
        return _MORNING
    return min(end, _NOON if ms < _AFTERNOON else close)
