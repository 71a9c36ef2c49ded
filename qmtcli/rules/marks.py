"""Which refusals stand on a confirmed rule: on a live account an unconfirmed one only warns."""

from __future__ import annotations

from qmtcli.model import Board, Instrument, Kind
from qmtcli.rules.phases import Phase

_BONDS = frozenset({Kind.CONV_BOND, Kind.EXCH_BOND, Kind.TREASURY, Kind.REPO})
_FUNDS = frozenset({Kind.ETF, Kind.LOF, Kind.REIT})

#: error code of a refusal -> kinds for which its rule is from memory
_FROM_MEMORY: dict[str, frozenset[Kind]] = {
    "off_tick": frozenset({Kind.EXCH_BOND, Kind.TREASURY, Kind.REPO}),
    "below_min": frozenset({Kind.EXCH_BOND, Kind.TREASURY, Kind.REPO, Kind.REIT}),
    "odd_lot": _BONDS | {Kind.REIT},
    "odd_lot_sell": _BONDS | _FUNDS,
    "over_cap": _BONDS | _FUNDS,
    "no_market_orders": _BONDS,
    "outside_band": frozenset({Kind.B_SHARE, Kind.REIT}),
    "outside_cage": frozenset({Kind.CONV_BOND}),
    "outside_opening_range": frozenset(Kind),
}
#: phases in which an exchange's or its brokers' way with orders is from memory: Shenzhen's pause, and lunch, over
#: which brokers keep orders
_UNSURE_PHASES = frozenset({Phase.PAUSE_SZ, Phase.PAUSE_HELD, Phase.LUNCH, Phase.LUNCH_SZ, Phase.LUNCH_CANCELS})


def confirmed(code: str, inst: Instrument, phase: Phase | None = None) -> bool:
    """Whether the rule behind refusal ``code`` (`lots.Violation.code`, …) is known for certain.

    ``phase`` is the one of the moment, where the refusal depends on it.
    """
    if code == "over_cap" and inst.board is Board.BSE:
        return False
    if code == "no_after_hours":
        return not inst.st
    if code == "off_hours":
        return phase not in _UNSURE_PHASES
    if code == "not_continuous":
        # whether Shenzhen's funds and bonds are in an auction before the close is from memory
        return not (phase is Phase.CLOSING and inst.exchange == "SZ" and inst.kind in _BONDS | _FUNDS)
    return inst.kind not in _FROM_MEMORY.get(code, frozenset())
