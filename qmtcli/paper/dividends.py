"""The ex-days of a folder of tapes: an optional ``dividends.csv``.

A line is an ex-day: ``code``, ``ex_date``, and any of ``cash`` (yuan a share, before tax), ``bonus`` (shares a share,
given and transferred), ``rights`` (shares offered a share) and ``rights_price`` (yuan). For announcements, which count
for ten shares, there are ``cash_per_10``, ``bonus_per_10`` and ``rights_per_10``. An empty cell is nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from qmtcli.rules.corporate import Action, ex_reference

if TYPE_CHECKING:
    from qmtcli.paper.columns import Columns

NAME = "dividends.csv"
_SHARES = ("cash", "bonus", "rights")
#: no share gives as many of anything
_MOST = 10**6


class Dividends:
    """What the file says; nothing where there is none. Every question raises ConfigError for one unreadable."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def of(self, code: str, first: date, last: date) -> Sequence[tuple[date, Action]]:
        """Ex-days of a code, those of ``first <= ex-day <= last``, in order."""
        days, actions = self._known.get(code, ([], []))
        begin, end = bisect_left(days, first), bisect_right(days, last)
        return list(zip(days[begin:end], actions[begin:end], strict=True))

    def reference(self, code: str, close: int, step: Decimal, after: date, day: date) -> int:
        """Reference price (milli) on ``day`` of an instrument that closed there on ``after``, the day before it.

        ``step``: the price step, yuan.
        """
        for ex, action in self.of(code, after, day):
            if ex > after:
                close = int(ex_reference(Decimal(close) / 1000, action, step) * 1000)
        return close

    @cached_property
    def _known(self) -> dict[str, tuple[list[date], list[Action]]]:
        """By code: ex-days in order, and what each gives."""
        if not self._path.is_file():
            return {}
        from qmtcli.paper.columns import Columns

        columns = Columns.read(self._path)
        if not any(name in columns or f"{name}_per_10" in columns for name in _SHARES):
            raise columns.error(None, "no column cash, bonus or rights")
        found: dict[str, dict[date, Action]] = {}
        for row, code in enumerate(columns.values("code")):
            days, day = found.setdefault(_code(columns, row, code), {}), _day(columns, row)
            if day in days:
                raise columns.error(row, f"a second line of {code} on {day}")
            days[day] = _action(columns, row)
        return {code: (sorted(days), [days[day] for day in sorted(days)]) for code, days in found.items()}


def _code(columns: Columns, row: int, cell: object) -> str:
    from qmtcli.rules.boards import classify

    code = str(cell).strip().upper()
    if classify(code) is None:
        raise columns.error(row, f"code is {cell!r}")
    return code


def _day(columns: Columns, row: int) -> date:
    cell = columns.values("ex_date")[row]
    text = str(cell).strip()[:10]
    try:
        return date.fromisoformat(text if "-" in text else f"{text[:4]}-{text[4:6]}-{text[6:]}")
    except ValueError:
        raise columns.error(row, f"ex_date is {cell!r}, not a date") from None


def _action(columns: Columns, row: int) -> Action:
    cash, bonus, rights = [
        _number(columns, row, name) + _number(columns, row, f"{name}_per_10") / 10 for name in _SHARES
    ]
    price = _number(columns, row, "rights_price")
    if bool(rights) != bool(price):
        raise columns.error(row, "rights and rights_price go together")
    return Action(cash, bonus, rights, price)


def _number(columns: Columns, row: int, name: str) -> Decimal:
    cell = columns.values(name)[row] if name in columns else ""
    try:
        number = Decimal(str(cell).strip() or 0)
        reasonable = 0 <= number < _MOST  # raises for NaN
    except InvalidOperation:
        raise columns.error(row, f"{name} is {cell!r}, not a number") from None
    if not reasonable:
        raise columns.error(row, f"{name} is {cell!r}")
    return number
