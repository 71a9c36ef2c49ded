"""Which refusals stand on a confirmed rule: on a live account an unconfirmed one only warns."""

from __future__ import annotations

from qmtcli.model import Board, Instrument, Kind

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
}


def confirmed(code: str, inst: Instrument) -> bool:
    """Whether the rule behind refusal ``code`` (`lots.Violation.code`, …) is known for certain."""
    if code == "over_cap" and inst.board is Board.BSE:
        return False
    return inst.kind not in _FROM_MEMORY.get(code, frozenset())
