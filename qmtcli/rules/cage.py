"""Effective price range (有效申报价格范围, price cage) of limit orders in continuous trading.

An order outside it is rejected, or, on ChiNext before 2023-04-10, waits until the range has come to it.

SSE 3.3.14, SZSE 3.3.16 (2026); STAR has no ten-tick part, BSE 5 %. Funds have none, nor do call auctions and
after-hours trading. That orders are rejected, since 2023, is from one secondary source. The main boards' first day
and ChiNext's early form, and convertible bonds, are settings.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from qmtcli.model import Board, Instrument, Kind, Side
from qmtcli.rules.dates import BSE_OPENED, MAIN_REFORM, STAR_OPENED
from qmtcli.rules.settings import DEFAULT, Settings
from qmtcli.rules.ticks import round_half_up, tick

_2, _5 = Decimal("0.02"), Decimal("0.05")


def cage(
    inst: Instrument,
    side: Side,
    best_bid: Decimal | None,
    best_ask: Decimal | None,
    last: Decimal | None,
    preclose: Decimal,
    on: date,
    settings: Settings = DEFAULT,
) -> Decimal | None:
    """The highest price of a buy, or the lowest of a sell, that is not rejected; None where there is no cage.

    A missing level or trade is None. The daily band limits further.
    """
    sign = 1 if side is Side.BUY else -1
    step = tick(inst, settings)
    if inst.kind is Kind.CONV_BOND:
        if settings.conv_bond_cage is None:
            return None
        base = preclose if last is None else last
        return round_half_up(base * (1 + sign * settings.conv_bond_cage), step)
    found = _width(inst, on, settings)
    if found is None:
        return None
    rate, ticks = found
    bases = (best_ask, best_bid, last) if side is Side.BUY else (best_bid, best_ask, last)
    base = next((price for price in bases if price is not None), preclose)
    return round_half_up(base + sign * max(base * rate, ticks * step), step)


def parks(inst: Instrument, on: date) -> bool:
    """Whether an order outside the cage waits for it instead of being rejected."""
    return inst.board is Board.CHINEXT and on < MAIN_REFORM


def _width(inst: Instrument, on: date, settings: Settings) -> tuple[Decimal, int] | None:
    """(fraction, least ticks) of the cage."""
    if inst.kind not in (Kind.STOCK, Kind.CDR):
        return None
    ten_ticks = 10 if on >= settings.main_cage_from else 0
    since, rate, ticks = {
        Board.MAIN: (settings.main_cage_from, _2, ten_ticks),
        Board.CHINEXT: (settings.chinext_cage_from, _2, ten_ticks),
        Board.STAR: (STAR_OPENED, _2, 0),
        Board.BSE: (BSE_OPENED, _5, 10),
    }[inst.board]
    return (rate, ticks) if on >= since else None
