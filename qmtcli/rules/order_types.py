"""Order types by name: their vendor codes (``xtconstant`` 250807.1.2), where they exist, what they need.

Market orders are for continuous trading only. Shanghai's carry a protection price, Shenzhen's do not. What
becomes of a remainder (best5-limit, peer, mine) is from memory. An after-hours order is none of them, but carries
the worst close it trades at; its 49 is not in ``xtconstant``: simulated, refused live unless a setting allows it.
"""

from __future__ import annotations

from typing import NamedTuple

from qmtcli.errors import Refused
from qmtcli.model import Instrument
from qmtcli.rules.settings import DEFAULT, Settings

#: a limit order
FIX_PRICE = 11
#: the terminal makes it a limit order at the last price it knows
LATEST_PRICE = 5
#: fixed price after hours (盘后定价申报)
AFTER_HOURS_PRICE = 49


class MarketKind(NamedTuple):
    """One of the exchanges' own order types that name no price to trade at."""

    #: as in ``--market KIND``
    name: str
    #: vendor's ``price_type`` by exchange; where it is missing the type does not exist
    codes: dict[str, int]


MARKET_KINDS: tuple[MarketKind, ...] = (
    # takes up to five opposite levels, the rest is cancelled
    MarketKind("best5-cancel", {"SH": 42, "BJ": 42, "SZ": 47}),
    # takes up to five opposite levels, the rest becomes a limit order at the last fill (else own best)
    MarketKind("best5-limit", {"SH": 43, "BJ": 43}),
    # a limit order at the opposite best on arrival; cancelled when there is none
    MarketKind("peer", {"SH": 44, "SZ": 44, "BJ": 44}),
    # a limit order at the own side's best on arrival; cancelled when there is none
    MarketKind("mine", {"SH": 45, "SZ": 45, "BJ": 45}),
    # takes what the whole book offers, the rest is cancelled
    MarketKind("ioc", {"SZ": 46}),
    # all at once or nothing
    MarketKind("fok", {"SZ": 48}),
)
#: trades at the day's close after hours; no market order
AFTER_HOURS = MarketKind("after-hours", {"SH": AFTER_HOURS_PRICE, "SZ": AFTER_HOURS_PRICE})
#: what ``--market`` may name
KINDS = (*MARKET_KINDS, AFTER_HOURS)


def market_kinds(exchange: str) -> list[str]:
    """What ``--market`` may name on ``SH``, ``SZ`` or ``BJ``."""
    return [kind.name for kind in KINDS if exchange in kind.codes]


def price_type(name: str, exchange: str) -> int:
    """The vendor's ``price_type`` of kind ``name`` (`MarketKind.name`) on an exchange.

    Raises Refused ``market_kind_unavailable`` where that exchange has no such type.
    """
    for kind in KINDS:
        if kind.name == name and exchange in kind.codes:
            return kind.codes[exchange]
    raise Refused("market_kind_unavailable", kind=name, exchange=exchange, available=market_kinds(exchange))


def market_kind(price_type: int) -> MarketKind | None:
    """The market order type behind a vendor's ``price_type``; None for other orders and numbers that are none."""
    return next((kind for kind in MARKET_KINDS if price_type in kind.codes.values()), None)


def needs_protection(inst: Instrument, settings: Settings = DEFAULT) -> bool:
    """Whether a market order of ``inst`` carries a protection price, the worst one it may trade at."""
    return inst.exchange == "SH" or (inst.exchange == "BJ" and settings.bj_protection_price)
