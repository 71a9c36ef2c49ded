"""A holding's lots: what was bought when, for the tax on dividends, which falls due when the shares are sold.

First in, first out (财税〔2015〕101号; the order is from memory). Lots are kept as JSON, oldest first: the day
(since 1970-01-01) of the purchase, shares, and fen of dividends received on them and not taxed yet.
"""

from __future__ import annotations

import json
from decimal import Decimal
from functools import lru_cache

from qmtcli.paper.feed import date_of
from qmtcli.rules.corporate import dividend_tax_rate

Lot = list[int]


def bought(lots: str, day: int, volume: int) -> str:
    """Lots with a purchase added."""
    held = _read(lots)
    if held and held[-1][0] == day:
        held[-1][1] += volume
    else:
        held.append([day, volume, 0])
    return json.dumps(held)


def received(lots: str, shares: int, dividend: int) -> str:
    """Lots after an ex-day that brought so many new shares and fen of dividends to tax."""
    held = _read(lots)
    left, ratio_shares, ratio_fen = sum(lot[1] for lot in held), shares, dividend
    for lot in held:
        # each takes its part of what is left, so that nothing is lost in rounding
        more, fen = ratio_shares * lot[1] // left, ratio_fen * lot[1] // left
        left, ratio_shares, ratio_fen = left - lot[1], ratio_shares - more, ratio_fen - fen
        lot[1] += more
        lot[2] += fen
    return json.dumps(held)


def sold(lots: str, day: int, volume: int) -> tuple[str, int]:
    """(lots without the oldest ``volume`` shares, fen of tax on their dividends)."""
    held, tax = _read(lots), 0
    while volume and held:
        lot = held[0]
        part = min(volume, lot[1])
        fen = lot[2] * part // lot[1]
        if fen:
            tax += int(fen * _rate(lot[0], day) + Decimal("0.5"))
        lot[1] -= part
        lot[2] -= fen
        volume -= part
        if not lot[1]:
            del held[0]
    return json.dumps(held), tax


def _read(lots: str) -> list[Lot]:
    found: list[Lot] = json.loads(lots)
    return found


@lru_cache(maxsize=256)
def _rate(bought_on: int, sold_on: int) -> Decimal:
    return dividend_tax_rate(date_of(bought_on), date_of(sold_on))
