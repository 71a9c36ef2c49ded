"""Ticks, bars and instruments in the shapes that xtdata expects of its native line: yuan as floats, volumes in lots."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from qmtcli.model import Instrument, Kind
from qmtcli.paper.clock import SHANGHAI
from qmtcli.paper.tape import Bar, Level, Tick

_BONDS = frozenset({Kind.CONV_BOND, Kind.EXCH_BOND, Kind.TREASURY, Kind.REPO})
#: xtquant's phase of trading by its ``openInt``: opening auction, continuous, closing auction, after hours
_STATUS = {12: 2, 13: 3, 18: 8, 22: 9}

#: columns of bars: name, type
BAR_COLUMNS = {
    "time": "<i8",
    "open": "<f8",
    "high": "<f8",
    "low": "<f8",
    "close": "<f8",
    "volume": "<i8",
    "amount": "<f8",
    "settelementPrice": "<f8",
    "openInterest": "<i8",
    "preClose": "<f8",
    "suspendFlag": "<i4",
}

#: columns of ticks: name, type
TICK_COLUMNS = {
    "time": "<i8",
    "lastPrice": "<f8",
    "open": "<f8",
    "high": "<f8",
    "low": "<f8",
    "lastClose": "<f8",
    "amount": "<f8",
    "volume": "<i8",
    "pvolume": "<i8",
    "tickvol": "<i8",
    "stockStatus": "<i4",
    "openInt": "<i4",
    "lastSettlementPrice": "<f8",
    "askPrice": "O",
    "bidPrice": "O",
    "askVol": "O",
    "bidVol": "O",
    "settlementPrice": "<f8",
    "transactionNum": "<i8",
    "pe": "<f8",
}

#: periods of level 2, of which a paper market has nothing, and the columns that nothing has
LEVEL2: dict[str, dict[str, str]] = {
    "l2quote": {
        "time": "<i8",
        **dict.fromkeys(("lastPrice", "open", "high", "low", "amount"), "<f8"),
        **dict.fromkeys(("volume", "pvolume"), "<i8"),
        **dict.fromkeys(("openInt", "stockStatus"), "<i4"),
        "transactionNum": "<i8",
        **dict.fromkeys(("lastClose", "lastSettlementPrice", "settlementPrice", "pe"), "<f8"),
        **dict.fromkeys(("askPrice", "bidPrice", "askVol", "bidVol"), "O"),
    },
    "l2order": {
        "time": "<i8",
        "price": "<f8",
        **dict.fromkeys(("volume", "entrustNo"), "<i8"),
        **dict.fromkeys(("entrustType", "entrustDirection"), "<i4"),
    },
    "l2transaction": {
        "time": "<i8",
        "price": "<f8",
        "volume": "<i8",
        "amount": "<f8",
        **dict.fromkeys(("tradeIndex", "buyNo", "sellNo"), "<i8"),
        **dict.fromkeys(("tradeType", "tradeFlag"), "<i4"),
    },
    "l2quoteaux": {
        "time": "<i8",
        "avgBidPrice": "<f8", "totalBidQuantity": "<i8", "avgOffPrice": "<f8", "totalOffQuantity": "<i8",
        "withdrawBidQuantity": "<i8", "withdrawBidAmount": "<f8",
        "withdrawOffQuantity": "<i8", "withdrawOffAmount": "<f8",
    },
    "l2orderqueue": {
        "time": "<i8",
        "bidLevelPrice": "<f8", "bidLevelVolume": "O", "offerLevelPrice": "<f8", "offerLevelVolume": "O",
        "bidLevelNumber": "<i8", "offLevelNumber": "<i8",
    },
}  # fmt: skip

_TYPECODES = {"<i8": "q", "<f8": "d", "<i4": "i"}


def lot_of(instrument: Instrument) -> int:
    """Shares in what xtquant counts as one 手 of the instrument."""
    return 10 if instrument.kind in _BONDS else 100


def timetag(epoch_ms: int) -> str:
    """``20260105 09:30:00``, Shanghai."""
    return datetime.fromtimestamp(epoch_ms // 1000, SHANGHAI).strftime("%Y%m%d %H:%M:%S")


def tick_row(stamp: int, tick: Tick, lot: int) -> dict[str, Any]:
    """A snapshot as the vendor's `subscribe_whole_quote` documents it; before a trade the last is the preclose.

    In a call auction what would be left over is the second level of its side, without a price.
    """
    preclose = tick.preclose / 1000
    asks, bids = _lots(tick.asks, lot), _lots(tick.bids, lot)
    if tick.surplus:
        (bids if tick.surplus > 0 else asks).append(abs(tick.surplus) // lot)
    return {
        "time": stamp,
        "lastPrice": tick.last / 1000 if tick.last else preclose,
        "open": tick.open / 1000,
        "high": tick.high / 1000,
        "low": tick.low / 1000,
        "lastClose": preclose,
        "amount": tick.amount / 100,
        "volume": tick.volume // lot,
        "pvolume": tick.volume,
        "stockStatus": _STATUS.get(tick.phase, 0),
        "openInt": tick.phase,
        "transactionNum": tick.trades,
        "lastSettlementPrice": preclose,
        "settlementPrice": 0.0,
        "pe": 0.0,
        "askPrice": _five([price / 1000 for price, _ in tick.asks], 0.0),
        "bidPrice": _five([price / 1000 for price, _ in tick.bids], 0.0),
        "askVol": _five(asks, 0),
        "bidVol": _five(bids, 0),
        "volRatio": 0.0,
        "speed1Min": 0.0,
        "speed5Min": 0.0,
    }


def bar_row(stamp: int, bar: Bar, lot: int) -> dict[str, Any]:
    """A bar by `BAR_COLUMNS`. Day bars without volume are those of a suspended instrument."""
    values = (
        stamp, bar.open / 1000, bar.high / 1000, bar.low / 1000, bar.close / 1000, bar.volume // lot,
        bar.amount / 100, 0.0, 0, bar.preclose / 1000, int(not bar.volume and not bar.ms),
    )  # fmt: skip
    return dict(zip(BAR_COLUMNS, values, strict=True))


def index_label(stamp: int, daily: bool) -> str:
    """How bars of a stamp are labelled in an index."""
    return datetime.fromtimestamp(stamp // 1000, SHANGHAI).strftime("%Y%m%d" if daily else "%Y%m%d%H%M%S")


def columns_of(rows: Sequence[dict[str, Any]], wanted: Sequence[str]) -> list[tuple[str, str, bytes]]:
    """Bars column by column, for version v4: (name, type, bytes); all of them, or those wanted."""
    return [
        (name, kind, array(_TYPECODES[kind], [row[name] for row in rows]).tobytes())
        for name, kind in BAR_COLUMNS.items()
        if not wanted or name in wanted
    ]


def table_of(rows: Sequence[dict[str, Any]], columns: dict[str, str], wanted: Sequence[str]) -> Any:
    """Rows as a structured numpy array; all columns, or those wanted."""
    import numpy as np

    kinds = [(name, kind) for name, kind in columns.items() if not wanted or name in wanted]
    return np.array([tuple(row.get(name, 0) for name, _ in kinds) for row in rows], dtype=np.dtype(kinds))


def matrix_of(
    series: Sequence[Sequence[dict[str, Any]]], wanted: Sequence[str], fill: bool
) -> tuple[list[int], dict[str, Any]]:
    """Bars of several codes on one axis of stamps, for version v2: (stamps, {column: array of code x stamp}).

    A hole holds NaN, or with ``fill`` the close before it, without volume.
    """
    import numpy as np

    stamps = sorted({row["time"] for rows in series for row in rows})
    at = {stamp: place for place, stamp in enumerate(stamps)}
    columns = {name: kind for name, kind in BAR_COLUMNS.items() if not wanted or name in wanted}
    matrix = {name: np.full((len(series), len(stamps)), np.nan) for name in columns}
    for line, rows in enumerate(series):
        held = {at[row["time"]]: row for row in rows}
        before: dict[str, Any] | None = None
        for place, stamp in enumerate(stamps):
            row = held.get(place) or (_filled(before, stamp) if fill else None)
            if row is not None:
                before = row
                for name in columns:
                    matrix[name][line, place] = row[name]
    for name, kind in columns.items():
        if kind != "<f8" and not np.isnan(matrix[name]).any():
            matrix[name] = matrix[name].astype(kind)
    return stamps, matrix


def _filled(before: dict[str, Any] | None, stamp: int) -> dict[str, Any] | None:
    if before is None:
        return None
    close = before["close"]
    flat = {"time": stamp, "open": close, "high": close, "low": close, "volume": 0, "amount": 0.0, "preClose": close}
    return {**before, **flat}


def _lots(levels: Sequence[Level], lot: int) -> list[int]:
    return [volume // lot for _, volume in levels]


def _five(values: list[Any], nothing: float) -> list[Any]:
    return values + [nothing] * (5 - len(values))
