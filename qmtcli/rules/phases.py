"""The trading day: what may be entered, cancelled and matched at which time, by exchange, kind and date.

Clock and cancel windows were read in the exchanges' rules and seen in the full order stream of 600519.SH on
2023-02-07 (last cancel 09:19:49; none 09:20-09:25 and 14:57-15:00; no messages 09:25-09:30 and in lunch).
``open_int`` is from the vendor's document. Repo until 15:30 from the vendor's ``MarketTime.ini``. BSE wrote
after-hours trading into its rules and has not started it. Shenzhen's pause and lunch, bonds' and Shenzhen
funds' closing auctions, and after-hours details are settings.
"""

from __future__ import annotations

from datetime import date, time
from enum import Enum

from qmtcli.model import Board, Instrument, Kind
from qmtcli.rules.dates import CHINEXT_REFORM, RULES_2026, STAR_OPENED
from qmtcli.rules.settings import DEFAULT, Settings

_SHARES = frozenset({Kind.STOCK, Kind.CDR})
_FUNDS = frozenset({Kind.ETF, Kind.LOF, Kind.REIT})
_BONDS = frozenset({Kind.CONV_BOND, Kind.EXCH_BOND, Kind.TREASURY})
_AFTER_HOURS_SINCE = {Board.STAR: STAR_OPENED, Board.CHINEXT: CHINEXT_REFORM, Board.MAIN: RULES_2026}

OPEN_AUCTION_BEGINS = time(9, 15)
OPEN_AUCTION_LOCKS = time(9, 20)
#: the opening auction trades at one price
OPEN_AUCTION_MATCHES = time(9, 25)
MORNING_BEGINS = time(9, 30)
MORNING_ENDS = time(11, 30)
AFTERNOON_BEGINS = time(13, 0)
CLOSE_AUCTION_BEGINS = time(14, 57)
#: the closing auction trades at one price
CLOSE = time(15, 0)
AFTER_HOURS_MATCHES = time(15, 5)
AFTER_HOURS_ENDS = time(15, 30)


class Phase(Enum):
    """A stretch of the trading day and what an exchange does in it with ordinary orders."""

    PRE_OPEN = ("pre_open", False, False, False, 11)
    OPENING = ("opening", True, True, False, 12)
    OPENING_LOCKED = ("opening_locked", True, False, False, 12)
    PAUSE = ("pause", False, False, False, 13)
    PAUSE_SZ = ("pause_sz", False, False, False, 14)
    #: orders and cancels are taken and held until 09:30
    PAUSE_HELD = ("pause_held", True, True, False, 14)
    CONTINUOUS = ("continuous", True, True, True, 13)
    LUNCH = ("lunch", False, False, False, 13)
    LUNCH_SZ = ("lunch_sz", False, False, False, 14)
    LUNCH_CANCELS = ("lunch_cancels", False, True, False, 14)
    CLOSING = ("closing", True, False, False, 18)
    #: 15:00-15:05, after-hours orders only
    AFTER_HOURS_ORDERS = ("after_hours_orders", False, True, False, 15)
    AFTER_HOURS_ORDERS_LOCKED = ("after_hours_orders_locked", False, False, False, 15)
    #: 15:05-15:30, after-hours orders only; they trade at the close, first come first served
    AFTER_HOURS = ("after_hours", False, True, True, 22)
    AFTER_HOURS_LOCKED = ("after_hours_locked", False, False, True, 22)
    AFTER_HOURS_DONE = ("after_hours_done", False, False, False, 23)
    CLOSED = ("closed", False, False, False, 15)

    #: stable word
    word: str
    #: ordinary orders may be entered (after-hours orders: `accepts_after_hours`)
    accepts_orders: bool
    #: orders may be cancelled
    accepts_cancels: bool
    #: orders trade while it lasts; auctions trade when they end
    matches: bool
    #: xtquant's ``openInt``
    open_int: int

    def __init__(self, word: str, accepts_orders: bool, accepts_cancels: bool, matches: bool, open_int: int) -> None:
        self.word = word
        self.accepts_orders = accepts_orders
        self.accepts_cancels = accepts_cancels
        self.matches = matches
        self.open_int = open_int

    @property
    def is_auction(self) -> bool:
        """Orders collect for one price at its end."""
        return self.is_opening or self is Phase.CLOSING

    @property
    def is_opening(self) -> bool:
        """The opening auction, until it matches."""
        return self in (Phase.OPENING, Phase.OPENING_LOCKED)

    @property
    def is_after_hours(self) -> bool:
        """Only after-hours orders are entered and canceled; all others have ended at 15:00."""
        return self in _AFTER_HOURS

    @property
    def is_over(self) -> bool:
        """The day's trading is over, after-hours orders and all."""
        return self in (Phase.CLOSED, Phase.AFTER_HOURS_DONE)


_AFTER_HOURS = frozenset(
    {
        Phase.AFTER_HOURS_ORDERS,
        Phase.AFTER_HOURS_ORDERS_LOCKED,
        Phase.AFTER_HOURS,
        Phase.AFTER_HOURS_LOCKED,
    }
)


def schedule(inst: Instrument, on: date, settings: Settings = DEFAULT) -> list[tuple[time, Phase]]:
    """The phases of a trading day, each from its time until the next one's; the first from midnight."""
    sz = inst.exchange == "SZ"
    pause, lunch = Phase.PAUSE, Phase.LUNCH
    if sz:
        pause = Phase.PAUSE_HELD if settings.sz_pause_orders else Phase.PAUSE_SZ
        lunch = Phase.LUNCH_CANCELS if settings.sz_lunch_cancels else Phase.LUNCH_SZ
    day = [
        (time(0, 0), Phase.PRE_OPEN),
        (OPEN_AUCTION_BEGINS, Phase.OPENING),
        (OPEN_AUCTION_LOCKS, Phase.OPENING_LOCKED),
        (OPEN_AUCTION_MATCHES, pause),
        (MORNING_BEGINS, Phase.CONTINUOUS),
        (MORNING_ENDS, lunch),
        (AFTERNOON_BEGINS, Phase.CONTINUOUS),
    ]
    if inst.kind is Kind.REPO:
        return [*day, (AFTER_HOURS_ENDS, Phase.CLOSED)]
    if has_closing_auction(inst, on, settings):
        day.append((CLOSE_AUCTION_BEGINS, Phase.CLOSING))
    if not has_after_hours(inst, on, settings):
        return [*day, (CLOSE, Phase.CLOSED)]
    early, late = settings.after_hours_early_cancel, settings.after_hours_cancel
    return [
        *day,
        (CLOSE, Phase.AFTER_HOURS_ORDERS if early else Phase.AFTER_HOURS_ORDERS_LOCKED),
        (AFTER_HOURS_MATCHES, Phase.AFTER_HOURS if late else Phase.AFTER_HOURS_LOCKED),
        (AFTER_HOURS_ENDS, Phase.AFTER_HOURS_DONE),
    ]


def phase_at(inst: Instrument, at: time, on: date, settings: Settings = DEFAULT) -> Phase:
    """The phase of ``inst`` at a time (Asia/Shanghai) of a trading day; a phase includes its beginning."""
    return next(phase for begin, phase in reversed(schedule(inst, on, settings)) if begin <= at)


def has_closing_auction(inst: Instrument, on: date, settings: Settings = DEFAULT) -> bool:
    """Whether the day ends with a call auction 14:57-15:00; otherwise trading is continuous to 15:00."""
    if inst.kind is Kind.REPO:
        return False
    if inst.kind in _FUNDS:
        return settings.sz_fund_closing_auction if inst.exchange == "SZ" else on >= RULES_2026
    if inst.kind in _BONDS:
        return settings.sz_bond_closing_auction if inst.exchange == "SZ" else settings.sh_bond_closing_auction
    return inst.exchange != "SH" or on >= settings.sh_closing_auction_from


def has_after_hours(inst: Instrument, on: date, settings: Settings = DEFAULT) -> bool:
    """Whether ``inst`` trades at the fixed closing price after 15:00."""
    if inst.st and not settings.after_hours_st:
        return False
    if inst.kind in _SHARES:
        since = _AFTER_HOURS_SINCE.get(inst.board)
        return since is not None and on >= since
    return inst.kind is Kind.ETF and on >= RULES_2026


def accepts_after_hours(inst: Instrument, at: time, on: date, settings: Settings = DEFAULT) -> bool:
    """Whether an after-hours order may be entered: Shanghai from 09:30, Shenzhen from 09:15."""
    if not has_after_hours(inst, on, settings):
        return False
    begins = OPEN_AUCTION_BEGINS if inst.exchange == "SZ" else MORNING_BEGINS
    return begins <= at < MORNING_ENDS or AFTERNOON_BEGINS <= at < AFTER_HOURS_ENDS
