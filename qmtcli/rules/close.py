"""The close of a day, which the after-hours price and the next day's reference price follow from.

It is the closing auction's price. Where that auction traded nothing, or there is none, it is the average of the
minute before the last trade, weighted by volume and that trade included; on BSE the last trade. Without a trade all
day it is the reference price. Sources: the exchanges' trading rules of 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from qmtcli.model import Instrument
from qmtcli.rules.settings import DEFAULT, Settings
from qmtcli.rules.ticks import round_half_up, tick

_MINUTE = timedelta(minutes=1)


def close_price(
    inst: Instrument,
    auction: Decimal | None,
    trades: Sequence[tuple[datetime, Decimal, int]],
    preclose: Decimal,
    settings: Settings = DEFAULT,
) -> Decimal:
    """The close, from the closing auction's price (None: it traded nothing) and the day's trades before it.

    ``trades``: moment, price and volume, in order; those of the last minute suffice.
    """
    if auction is not None:
        return auction
    if not trades:
        return preclose
    at, last, _ = trades[-1]
    if inst.exchange == "BJ":
        return last
    minute = [(price, volume) for moment, price, volume in trades if at - _MINUTE < moment]
    amount = sum(price * volume for price, volume in minute)
    return round_half_up(Decimal(amount) / sum(volume for _, volume in minute), tick(inst, settings))
