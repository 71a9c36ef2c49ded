"""Daily price limits (涨跌幅): which rate, on which day, from which reference price; and the halts of days
without one.

Limit = reference x (1 ± rate), half up to the tick; at least one tick away from the reference; never below
one tick. The reference is the exchange's preclose: the previous close, the ex-right reference on an ex-day,
the issue price on the listing day. Sources: the exchanges' trading rules (2023, 2026); 123153.SZ on
2023-03-15 (116.800: 140.160, 93.440) measured. Convertible bonds from one secondary source; B shares, REITs'
first day, bond funds, the opening range and what halts of convertible bonds are counted from are settings.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from qmtcli.model import Board, Instrument, Kind
from qmtcli.rules.calendar import trading_days
from qmtcli.rules.dates import (
    BSE_OPENED,
    CHINEXT_REFORM,
    CONV_BOND_LIMITS,
    MAIN_REFORM,
    RULES_2026,
    STAR_OPENED,
)
from qmtcli.rules.funds import is_bond_or_money, is_wide
from qmtcli.rules.settings import DEFAULT, Settings
from qmtcli.rules.ticks import round_half_up, tick

_5, _10, _20, _30 = Decimal("0.05"), Decimal("0.10"), Decimal("0.20"), Decimal("0.30")
_SHARES = frozenset({Kind.STOCK, Kind.CDR})
_FUNDS = frozenset({Kind.ETF, Kind.LOF, Kind.REIT})

#: listing day of a convertible bond: 100 x 1.3 x 1.1 x 1.1 and 100 x 0.7 x 0.9 x 0.9
_CONV_BOND_FIRST_DAY = (Decimal("0.433"), Decimal("0.573"))

#: board -> (listings from this day on, trading days without a limit after the listing)
_NO_LIMIT_DAYS: dict[Board, tuple[date, int]] = {
    Board.STAR: (STAR_OPENED, 5),
    Board.CHINEXT: (CHINEXT_REFORM, 5),
    Board.MAIN: (MAIN_REFORM, 5),
    Board.BSE: (BSE_OPENED, 1),
}

#: longer than any five trading days with holidays between: beyond it no calendar is asked
_FIVE_DAYS_AT_MOST = 25


class Band(NamedTuple):
    """The prices an order may carry on one day, both included, yuan."""

    down: Decimal
    up: Decimal

    def __contains__(self, price: object) -> bool:
        return isinstance(price, Decimal) and self.down <= price <= self.up


class Halt(NamedTuple):
    """One stage of the intraday halts of a day without a limit."""

    #: distance that triggers it, once a day; from what: `halts_from_open`
    rate: Decimal
    #: its length; None: until 14:57
    minutes: int | None


_STOCK_HALTS = (Halt(_30, 10), Halt(Decimal("0.60"), 10))
_CONV_BOND_HALTS = (Halt(_20, 30), Halt(_30, None))
_HALTS_END = time(14, 57)


def limit_rate(inst: Instrument, on: date, settings: Settings = DEFAULT) -> Decimal | None:
    """The daily limit as a fraction (0.10) on an ordinary day; None for what has none.

    A stock in its delisting period is not an ST stock any more: 10 % on the main boards, 20 % on STAR and
    ChiNext.
    """
    if inst.band is not None:
        return inst.band
    st = inst.st and not (inst.delisting is not None and inst.delisting <= on)
    if inst.kind in _SHARES:
        return _share_rate(inst.board, st, on)
    if inst.kind is Kind.B_SHARE:
        return _share_rate(Board.MAIN, st, on) if st and settings.b_share_st_as_main else settings.b_share_rate
    if inst.kind in _FUNDS:
        if is_wide(inst.code) and on >= CHINEXT_REFORM:
            return _20
        return settings.bond_fund_rate if is_bond_or_money(inst.code) else _10
    if inst.kind is Kind.CONV_BOND and on >= CONV_BOND_LIMITS:
        return _20
    return None


def is_no_limit_day(inst: Instrument, on: date, trading_day_number: int | None = None) -> bool:
    """Whether a stock trades without a limit: newly listed, or on the first day of a delisting period or relisting.

    Of a new listing five days under the registration system, one on BSE, one before it.

    ``trading_day_number`` is 1 on the listing day; None counts trading days from ``inst.listed`` (unknown: no
    such day). Raises ConfigError ``calendar_ended`` when that count needs days past the calendar's end.
    """
    if inst.kind not in _SHARES:
        return False
    if on in (inst.delisting, inst.relisted):
        return True
    since, days = _NO_LIMIT_DAYS[inst.board]
    number = trading_day_number or _day_number(inst, on)
    if number is None:
        return False
    listed = inst.listed or on
    return number <= (days if listed >= since else 1)


def band(
    inst: Instrument,
    preclose: Decimal,
    on: date,
    trading_day_number: int | None = None,
    *,
    settings: Settings = DEFAULT,
) -> Band | None:
    """The price band of a day from its reference price; None when there is no limit.

    ``trading_day_number`` is 1 on the listing day; None: from the listing date. Raises ConfigError as
    `is_no_limit_day`.
    """
    rate = limit_rate(inst, on, settings)
    if rate is None or is_no_limit_day(inst, on, trading_day_number):
        return None
    down_rate = up_rate = rate
    if inst.band is None and inst.kind in (Kind.CONV_BOND, Kind.REIT):
        first_day = trading_day_number == 1 if trading_day_number else inst.listed == on
        if first_day and inst.kind is Kind.CONV_BOND:
            down_rate, up_rate = _CONV_BOND_FIRST_DAY
        elif first_day:
            down_rate = up_rate = settings.reit_first_day_rate
    step = tick(inst, settings)
    down = min(round_half_up(preclose * (1 - down_rate), step), preclose - step)
    up = max(round_half_up(preclose * (1 + up_rate), step), preclose + step)
    return Band(max(down, step), up)


def opening_range(inst: Instrument, preclose: Decimal, settings: Settings = DEFAULT) -> Band:
    """What the opening auction of a day without a limit accepts: by default 50 % to 900 % of the preclose."""
    step = tick(inst, settings)
    return Band(
        max(round_half_up(preclose * settings.open_auction_low, step), step),
        round_half_up(preclose * settings.open_auction_high, step),
    )


def halts(inst: Instrument, on: date) -> tuple[Halt, ...]:
    """Halts of ``inst`` on a day, nearest first: of a stock on one without a limit, of a convertible bond while new.

    Before they had a daily limit convertible bonds were halted on any day. Raises ConfigError as `is_no_limit_day`.
    """
    if inst.kind is Kind.CONV_BOND:
        return _CONV_BOND_HALTS if on < CONV_BOND_LIMITS or inst.listed == on else ()
    return _STOCK_HALTS if is_no_limit_day(inst, on) else ()


def halts_from_open(inst: Instrument, settings: Settings = DEFAULT) -> bool:
    """Whether halts are counted from the open; otherwise from the reference price."""
    return inst.kind is not Kind.CONV_BOND or settings.conv_bond_halts_from_open


def resume_time(halt: Halt, halted_at: time) -> time:
    """When trading goes on after a halt: at 14:57 at the latest."""
    if halt.minutes is None:
        return _HALTS_END
    end = datetime.combine(date.min, halted_at) + timedelta(minutes=halt.minutes)
    return min(end.time(), _HALTS_END)


def _share_rate(board: Board, st: bool, on: date) -> Decimal:
    if board is Board.BSE:
        return _30
    if board is Board.STAR or (board is Board.CHINEXT and on >= CHINEXT_REFORM):
        return _20
    return _5 if st and board is Board.MAIN and on < RULES_2026 else _10


def _day_number(inst: Instrument, on: date) -> int | None:
    """Trading days from the listing to ``on``, both included; None when unknown, not yet or long ago."""
    if inst.listed is None or not 0 <= (on - inst.listed).days <= _FIVE_DAYS_AT_MOST:
        return None
    return len(trading_days(inst.listed, on))
