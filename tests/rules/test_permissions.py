"""Boards that an account may buy."""

from __future__ import annotations

import pytest

from qmtcli.model import Side
from qmtcli.rules.boards import instrument
from qmtcli.rules.permissions import permitted
from qmtcli.rules.settings import Settings

OWN = {"688981.SH": "star", "689009.SH": "star", "300750.SZ": "chinext", "920002.BJ": "bse"}
ALL = (*OWN, "600000.SH", "000001.SZ", "510300.SH", "123153.SZ", "204001.SH")


@pytest.mark.parametrize("code", ALL)
def test_everything_unless_a_setting_says_otherwise(code: str) -> None:
    assert permitted(instrument(code), Side.BUY)


@pytest.mark.parametrize("board", ["star", "chinext", "bse"])
def test_a_board_that_may_not_be_bought_can_still_be_sold(board: str) -> None:
    without = Settings(**{f"{board}_permission": False})
    refused = [code for code in ALL if not permitted(instrument(code), Side.BUY, without)]
    assert refused == [code for code in OWN if OWN[code] == board]
    assert all(permitted(instrument(code), Side.SELL, without) for code in ALL)
