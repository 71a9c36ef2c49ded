"""Dividends, bonus shares and rights issues: the reference price of the ex-day, what a holder gets, the tax
on it.

Formula of the exchanges' rules (one secondary source); 600000.SH on 2017-05-25 (15.47, 10 for 13 and 2.00:
11.75) measured. Dividend tax: 财税〔2015〕101号, at the sale, first in first out.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from qmtcli.rules.ticks import CENT, round_half_up

_ZERO = Decimal(0)


class Action(NamedTuple):
    """What one share receives on an ex-day, before tax."""

    #: cash dividend, yuan a share
    cash: Decimal = _ZERO
    #: bonus and transfer shares a share (10送3: 0.3)
    bonus: Decimal = _ZERO
    #: rights offered a share
    rights: Decimal = _ZERO
    #: price of a right, yuan
    rights_price: Decimal = _ZERO


def ex_reference(close: Decimal, action: Action, tick: Decimal = CENT) -> Decimal:
    """The reference price (preclose) of the ex-day from the last close before it."""
    value = close - action.cash + action.rights_price * action.rights
    return round_half_up(value / (1 + action.bonus + action.rights), tick)


def entitlement(volume: int, action: Action) -> tuple[int, Decimal]:
    """(new shares, cash before tax) that ``volume`` shares held over the record day receive.

    Rights are not taken up. Fractions of a share are dropped: the depository deals them out by lot.
    """
    return int(volume * action.bonus), round_half_up(volume * action.cash, CENT)


def dividend_tax_rate(bought: date, sold: date) -> Decimal:
    """Tax on a person's dividend by holding time: 20 % up to a month, 10 % up to a year, then none."""
    if sold <= _months_after(bought, 1):
        return Decimal("0.20")
    return Decimal("0.10") if sold <= _months_after(bought, 12) else _ZERO


def _months_after(day: date, months: int) -> date:
    """The same day ``months`` later, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month + months, 12)
    last = date(year, month + 1, 1) - timedelta(days=1)
    return last.replace(day=min(day.day, last.day))
