"""What an account may buy: STAR, BSE and ChiNext ask for money and experience (适当性), which a broker checks.

An account may buy on every board unless a setting says otherwise; what is held can always be sold.
"""

from __future__ import annotations

from qmtcli.model import Board, Instrument, Side
from qmtcli.rules.settings import DEFAULT, Settings


def permitted(inst: Instrument, side: Side, settings: Settings = DEFAULT) -> bool:
    """Whether the account may enter an order of ``inst``."""
    allowed = {
        Board.STAR: settings.star_permission,
        Board.CHINEXT: settings.chinext_permission,
        Board.BSE: settings.bse_permission,
    }
    return side is Side.SELL or allowed.get(inst.board, True)
