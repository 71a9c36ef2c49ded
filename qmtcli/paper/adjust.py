"""Prices adjusted for ex-days (复权), by the formulas that the vendor publishes for its dividend types.

An ex-day takes ``cash`` from a share and adds ``bonus`` and ``rights`` to it (`qmtcli.rules.corporate.Action`):

    ex(p)        = (p - cash + rights_price x rights) / (1 + bonus + rights)     what p before it is after it
    un(p)        = p x (1 + bonus + rights) + cash - rights_price x rights       and back
    dr           = c / ex(c), of the last close c before it, not rounded

    front        ex of each ex-day after the bar up to today, in order
    back         un of each ex-day up to the bar's, the newest first
    front_ratio  p / the product of the dr after the bar up to today
    back_ratio   p x the product of the dr up to the bar's

The arithmetic is exact, then rounded half up to the price step once. Measured: 000001.SZ on 2013-06-20 (19.47,
10 for 6 and 1.70) has dr 1.614093, which the rounded reference has not. Volumes stay as they were traded, and
ticks are never adjusted. An ex-day before the tape's first close has no dr: it counts as 1.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from fractions import Fraction

from qmtcli.paper.tape import Bar, Tape
from qmtcli.rules.corporate import Action
from qmtcli.rules.ticks import tick

#: a price (milli) as scale x price + shift
_Line = tuple[Fraction, Fraction]
_SAME: _Line = (Fraction(1), Fraction(0))


def adjustment(tape: Tape, code: str, today: date, kind: str) -> Callable[[Bar], Bar] | None:
    """What adjusts a bar, of a minute or a day, as of ``today``; None where there is nothing to adjust."""
    instrument = tape.instrument(code)
    actions = tape.actions(code, date.min, today) if instrument else ()
    if not actions or instrument is None:
        return None
    lines = _lines(tape, code, actions, kind)
    days, step = [day for day, _ in actions], int(tick(instrument) * 1000)

    def adjust(bar: Bar) -> Bar:
        scale, shift = lines[bisect_right(days, bar.day)]
        below = scale.denominator * shift.denominator
        a, b = scale.numerator * shift.denominator, shift.numerator * scale.denominator
        open_, high, low, close, preclose = (
            (2 * (a * price + b) + below * step) // (2 * below * step) * step
            for price in (bar.open, bar.high, bar.low, bar.close, bar.preclose)
        )
        return bar._replace(open=open_, high=high, low=low, close=close, preclose=preclose)

    return adjust


def ratio(tape: Tape, code: str, day: date, action: Action) -> Fraction:
    """``dr`` of an ex-day; 1 without a close before it."""
    for first in (day - timedelta(days=3), day - timedelta(days=15), date.min):
        if bars := tape.bars(code, "1d", first, day - timedelta(days=1)):
            close = bars[-1].close
            scale, shift = _ex(action)
            return close / (scale * close + shift)
    return Fraction(1)


def _lines(tape: Tape, code: str, actions: Sequence[tuple[date, Action]], kind: str) -> list[_Line]:
    """What becomes of a price that so many ex-days came before."""
    if kind.endswith("_ratio"):
        steps = [(ratio(tape, code, day, action), Fraction(0)) for day, action in actions]
        if kind == "front_ratio":
            steps = [(1 / dr, shift) for dr, shift in steps]
    else:
        steps = [_ex(action) for _, action in actions]
        if kind == "back":
            steps = [(1 / scale, -shift / scale) for scale, shift in steps]
    lines = [_SAME]
    if kind.startswith("back"):
        for step in steps:
            lines.append(_after(step, lines[-1]))
    else:
        for step in reversed(steps):
            lines.insert(0, _after(step, lines[0]))
    return lines


def _after(first: _Line, then: _Line) -> _Line:
    """Two changes of a price as one."""
    return then[0] * first[0], then[0] * first[1] + then[1]


def _ex(action: Action) -> _Line:
    grown = Fraction(1 + action.bonus + action.rights)
    return 1 / grown, Fraction(action.rights_price * action.rights - action.cash) * 1000 / grown
