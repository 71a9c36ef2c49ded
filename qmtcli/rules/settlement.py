"""When shares and money come free: T+1 and T+0, what can be sold, repo terms and interest.

A shares and stock ETFs are T+1; so by setting are CDR, B shares, LOFs and REITs. Bond, money, gold,
commodity-futures and cross-border funds (`funds`) are T+0, convertible bonds and treasuries by one secondary
source. A purchase freezes price x volume
+ fees; the money of a sale buys the same day and can be withdrawn the next trading day, as can what comes back from
repo.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from qmtcli.errors import UsageError
from qmtcli.model import Instrument, Kind
from qmtcli.rules.calendar import next_trading_day
from qmtcli.rules.funds import is_t0 as is_t0_fund
from qmtcli.rules.settings import DEFAULT, Settings
from qmtcli.rules.ticks import CENT, round_half_up

#: yuan lent by one unit of repo volume
REPO_UNIT = 100

_REPO_TERMS = frozenset({1, 2, 3, 4, 7, 14, 28, 91, 182})
_REPO_TERMS_SZ = {
    "131800": 3,
    "131801": 7,
    "131802": 14,
    "131803": 28,
    "131805": 91,
    "131806": 182,
    "131809": 4,
    "131810": 1,
    "131811": 2,
}


def is_t0(inst: Instrument, settings: Settings = DEFAULT) -> bool:
    """Whether ``inst`` may be sold on the day it was bought."""
    if inst.t0 is not None:
        return inst.t0
    if inst.kind in (Kind.ETF, Kind.LOF) and is_t0_fund(inst.code):
        return True
    unconfirmed: bool | None = getattr(settings, f"{inst.kind}_t0", None)
    return inst.kind in (Kind.CONV_BOND, Kind.TREASURY) if unconfirmed is None else unconfirmed


def sellable(opening: int, bought: int, sold: int, frozen: int, t0: bool) -> int:
    """What can be sold now (``can_use_volume``).

    The day's opening sellable volume and, where ``t0``, today's purchases, less today's sales and what open
    sell orders hold.
    """
    return opening + (bought if t0 else 0) - sold - frozen


def repo_term(code: str) -> int:
    """Days of a repo by its code (``204001.SH``: 1). Raises UsageError ``code_unknown`` for another code."""
    digits = code[:6]
    term = int(digits[3:]) if digits.startswith("204") else _REPO_TERMS_SZ.get(digits, 0)
    if term not in _REPO_TERMS:
        raise UsageError("code_unknown", code=code)
    return term


def repo_days(code: str, traded: date) -> tuple[date, int]:
    """(maturity, days that earn interest) of money lent on a trading day.

    The money is back on the maturity, the first trading day from the end of the term on. Interest runs from
    the trading day after the trade to the trading day after the maturity. Raises ConfigError
    ``calendar_ended``.
    """
    maturity = next_trading_day(traded + timedelta(days=repo_term(code) - 1))
    return maturity, (next_trading_day(maturity) - next_trading_day(traded)).days


def repo_interest(amount: Decimal, rate: Decimal, days: int, settings: Settings = DEFAULT) -> Decimal:
    """Yuan earned by lending ``amount`` at ``rate`` percent a year for ``days`` that earn interest."""
    return round_half_up(amount * rate * days / (100 * settings.repo_year), CENT)
