"""What trading costs: commission, stamp duty, transfer fee.

Stamp duty (0.0005 since 2023-08-28, 0.001 before; sells of shares) and transfer fee (0.00001 since
2022-04-29, 0.00002 before from one source; A shares, both sides) are law and dated here. Commission is the
broker's: `settings.FeeSchedule` holds habits, to be set to one's own contract. It normally contains the exchange's
handling fee and the regulatory fee. Each item is rounded half up to 0.01. A minimum applies to an order, not
to a fill.
"""

# Annotations are not postponed here: NamedTuple would compile each of them as a string, at import.

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from qmtcli.model import Instrument, Kind, Side
from qmtcli.rules.dates import STAMP_DUTY_HALVED, TRANSFER_FEE_HALVED
from qmtcli.rules.settings import DEFAULT_SCHEDULE, FeeSchedule
from qmtcli.rules.settlement import repo_term
from qmtcli.rules.ticks import CENT, round_half_up

__all__ = ["DEFAULT_SCHEDULE", "FeeSchedule", "Fees", "fees", "fill_fees"]

_ZERO = Decimal("0.00")
_STAMPED = frozenset({Kind.STOCK, Kind.CDR, Kind.B_SHARE})
_FUNDS = frozenset({Kind.ETF, Kind.LOF, Kind.REIT})
_BONDS = frozenset({Kind.CONV_BOND, Kind.EXCH_BOND, Kind.TREASURY})


class Fees(NamedTuple):
    """The cost of one order or fill, yuan, to the cent."""

    commission: Decimal
    stamp: Decimal
    transfer: Decimal

    @property
    def total(self) -> Decimal:
        """The sum of all items."""
        return self.commission + self.stamp + self.transfer


def fees(inst: Instrument, side: Side, amount: Decimal, on: date, schedule: FeeSchedule = DEFAULT_SCHEDULE) -> Fees:
    """The cost of an order that traded ``amount`` yuan in all; nothing traded costs nothing."""
    if amount <= 0:
        return Fees(_ZERO, _ZERO, _ZERO)
    stamp = transfer = _ZERO
    if side is Side.SELL and (inst.kind in _STAMPED or (schedule.fund_stamp and inst.kind in _FUNDS)):
        stamp = amount * (Decimal("0.0005") if on >= STAMP_DUTY_HALVED else Decimal("0.001"))
    if inst.kind is Kind.STOCK or (schedule.cdr_transfer and inst.kind is Kind.CDR):
        transfer = amount * (Decimal("0.00001") if on >= TRANSFER_FEE_HALVED else Decimal("0.00002"))
    commission = _commission(inst, side, amount, schedule)
    return Fees(round_half_up(commission, CENT), round_half_up(stamp, CENT), round_half_up(transfer, CENT))


def fill_fees(
    inst: Instrument,
    side: Side,
    before: Decimal,
    amount: Decimal,
    on: date,
    schedule: FeeSchedule = DEFAULT_SCHEDULE,
) -> Fees:
    """What a fill of ``amount`` adds to an order that had traded ``before``: fills add up to `fees`."""
    old, new = fees(inst, side, before, on, schedule), fees(inst, side, before + amount, on, schedule)
    return Fees(*(after - earlier for after, earlier in zip(new, old, strict=True)))


def _commission(inst: Instrument, side: Side, amount: Decimal, schedule: FeeSchedule) -> Decimal:
    if inst.kind is Kind.REPO:
        lent: Decimal = getattr(schedule, f"repo_{repo_term(inst.code)}")
        return amount * lent if side is Side.SELL else _ZERO
    rate, minimum = schedule.commission, schedule.minimum
    if inst.kind in _BONDS:
        rate = schedule.bond_commission
        minimum = schedule.bond_minimum_sh if inst.exchange == "SH" else schedule.bond_minimum_sz
    levies = _ZERO
    if not schedule.all_in:
        handling = schedule.handling_bj if inst.exchange == "BJ" else schedule.handling
        levies = amount * (handling + schedule.regulatory)
    return max(amount * rate, minimum) + levies
