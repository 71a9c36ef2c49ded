"""The vendor's numbers as the paper exchange uses them, held to ``xtconstant`` by a test."""

from __future__ import annotations

from qmtcli.rules.order_types import MARKET_KINDS

BUY, SELL = 23, 24
#: account types, by the names that settings give them
STOCK, CREDIT = 2, 3
ACCOUNT_TYPES = {"STOCK": STOCK, "CREDIT": CREDIT}

#: ``exchange_id``, the number of a market, by the end of its codes
MARKETS = {"SH": 0, "SZ": 1, "BJ": 70}

#: an order on its way to the exchange
IN_FLIGHT = 49
REPORTED, PART_CANCELED, CANCELED, PART_FILLED, FILLED, JUNK = 50, 53, 54, 55, 56, 57
#: while a cancel is on its way
CANCEL_PENDING = {REPORTED: 51, PART_FILLED: 52}
CANCELLABLE = frozenset(CANCEL_PENDING)
#: at the exchange, and may still trade
OPEN = frozenset({*CANCEL_PENDING, *CANCEL_PENDING.values()})

FIX_PRICE, LATEST_PRICE = 11, 5
#: at the day's close, after it
AFTER_HOURS = 49
#: a limit order at the opposite or at the own best price on arrival
PEER_PRICE, OWN_PRICE = 44, 45
BEST5_THEN_LIMIT, FILL_OR_KILL = 43, 48
#: market order types that leave nothing on the book
IMMEDIATE = frozenset({42, 46, 47, FILL_OR_KILL})
#: exchanges of each market order type
MARKET_TYPES: dict[int, set[str]] = {}
for _kind in MARKET_KINDS:
    for _exchange, _number in _kind.codes.items():
        MARKET_TYPES.setdefault(_number, set()).add(_exchange)

#: xtquant's ``openInt``: continuous trading, and the states in which an instrument does not trade
CONTINUOUS = 13
SUSPENDED = frozenset({1, 17, 20})
