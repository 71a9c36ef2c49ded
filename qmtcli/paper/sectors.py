"""Sectors (板块) and types of what a tape holds, by xtquant's names and numbers."""

from __future__ import annotations

from collections.abc import Callable

from qmtcli.model import Board, Instrument, Kind

_SHARES = frozenset({Kind.STOCK, Kind.CDR})
_FUNDS = frozenset({Kind.ETF, Kind.LOF, Kind.REIT})
_BONDS = frozenset({Kind.CONV_BOND, Kind.EXCH_BOND, Kind.TREASURY})

#: what a sector holds, by the end of its name
_KINDS: dict[str, frozenset[Kind]] = {
    "A股": _SHARES,
    "B股": frozenset({Kind.B_SHARE}),
    "ETF": frozenset({Kind.ETF}),
    "基金": _FUNDS,
    "转债": frozenset({Kind.CONV_BOND}),
    "债券": _BONDS,
    "指数": frozenset({Kind.INDEX}),
}
#: whose, by its beginning
_EXCHANGES = {
    "沪深": ("SH", "SZ"),
    "上证": ("SH",),
    "深证": ("SZ",),
    "沪市": ("SH",),
    "深市": ("SZ",),
    "京市": ("BJ",),
}


def _held(kinds: frozenset[Kind], exchanges: tuple[str, ...]) -> Callable[[Instrument], bool]:
    return lambda instrument: instrument.kind in kinds and instrument.exchange in exchanges


def _listed_on(board: Board) -> Callable[[Instrument], bool]:
    return lambda instrument: instrument.board is board


#: a sector's members by its name
SECTORS: dict[str, Callable[[Instrument], bool]] = {
    name: _held(_KINDS[name[2:]], _EXCHANGES[name[:2]])
    for name in (
        "沪深A股", "上证A股", "深证A股", "京市A股", "沪深B股", "上证B股", "深证B股",
        "沪深ETF", "沪市ETF", "深市ETF", "沪深基金", "沪市基金", "深市基金",
        "沪深转债", "上证转债", "深证转债", "沪深债券", "沪市债券", "深市债券",
        "沪深指数", "沪市指数", "深市指数",
    )
}  # fmt: skip
SECTORS["创业板"] = _listed_on(Board.CHINEXT)
SECTORS["科创板"] = _listed_on(Board.STAR)

#: types of `get_stock_type` by name
TYPES: dict[str, Callable[[Instrument], bool]] = {
    "stock": lambda instrument: instrument.kind in _SHARES | {Kind.B_SHARE},
    "index": lambda instrument: instrument.kind is Kind.INDEX,
    "fund": lambda instrument: instrument.kind in _FUNDS,
    "etf": lambda instrument: instrument.kind is Kind.ETF,
    "bond": lambda instrument: instrument.kind in _BONDS,
    "convertible_bond": lambda instrument: instrument.kind is Kind.CONV_BOND,
    "repurchase": lambda instrument: instrument.kind is Kind.REPO,
}

#: types of `is_stock_type` by number, after the vendor's xtstocktype
TAGS: dict[int, Callable[[Instrument], bool]] = {
    1: lambda instrument: instrument.exchange == "SH",
    2: lambda instrument: instrument.exchange == "SZ",
    20002: lambda instrument: instrument.exchange == "BJ",
    100001: lambda instrument: instrument.kind in _SHARES,
    100002: lambda instrument: instrument.kind is Kind.B_SHARE,
    100003: TYPES["stock"],
    100004: TYPES["fund"],
    100005: TYPES["index"],
    100013: TYPES["etf"],
    100037: lambda instrument: instrument.kind is Kind.LOF,
}
