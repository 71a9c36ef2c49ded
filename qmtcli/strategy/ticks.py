"""A snapshot as a strategy sees it: xtdata's row, looked into only where something is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


class Tick:
    """One snapshot of one code; prices CNY, level volumes in lots (手), ``pvolume`` in shares."""

    __slots__ = ("_make", "_row", "stock_code", "time")

    def __init__(self, stock_code: str, time: int, make: Callable[[], dict[str, Any]]) -> None:
        #: ``600000.SH``
        self.stock_code = stock_code
        #: epoch ms
        self.time = time
        self._make = make
        self._row: dict[str, Any] | None = None

    @property
    def row(self) -> dict[str, Any]:
        """The row by xtdata's names, see its ``get_full_tick``."""
        if self._row is None:
            self._row = self._make()
        return self._row

    @property
    def at(self) -> datetime:
        """The moment, in Shanghai."""
        return datetime.fromtimestamp(self.time / 1000, SHANGHAI)

    @property
    def last_price(self) -> float:
        """The last price; before the day's first trade the previous close."""
        return float(self.row["lastPrice"])

    @property
    def open(self) -> float:
        """Of the day; 0 before its first trade."""
        return float(self.row["open"])

    @property
    def high(self) -> float:
        """Of the day so far."""
        return float(self.row["high"])

    @property
    def low(self) -> float:
        """Of the day so far."""
        return float(self.row["low"])

    @property
    def last_close(self) -> float:
        """The previous close, ex-right on an ex-day."""
        return float(self.row["lastClose"])

    @property
    def volume(self) -> int:
        """Lots traded today."""
        return int(self.row["volume"])

    @property
    def pvolume(self) -> int:
        """Shares traded today."""
        return int(self.row.get("pvolume") or self.row["volume"] * 100)

    @property
    def amount(self) -> float:
        """CNY traded today."""
        return float(self.row["amount"])

    @property
    def ask_price(self) -> list[float]:
        """Five levels, best first."""
        return list(self.row["askPrice"])

    @property
    def ask_vol(self) -> list[int]:
        """Lots at the five levels."""
        return list(self.row["askVol"])

    @property
    def bid_price(self) -> list[float]:
        """Five levels, best first."""
        return list(self.row["bidPrice"])

    @property
    def bid_vol(self) -> list[int]:
        """Lots at the five levels."""
        return list(self.row["bidVol"])

    @property
    def phase(self) -> int:
        """xtquant's ``openInt``: 12 opening auction, 13 continuous trading, 18 closing auction, 15 closed."""
        return int(self.row["openInt"])

    def __repr__(self) -> str:
        return f"Tick({self.stock_code}, {self.at:%H:%M:%S}, {self.last_price})"


class Bar:
    """One bar of one code: what traded in it. Prices CNY, volume in shares, amount CNY."""

    __slots__ = ("amount", "close", "high", "last_close", "low", "open", "period", "stock_code", "time", "volume")

    def __init__(self, stock_code: str, period: str, time: int, price: float, last_close: float) -> None:
        self.stock_code = stock_code
        #: ``1m``, ``5m``, ``15m``, ``30m``, ``1h``, ``1d``
        self.period = period
        #: its label, epoch ms: its end; of a day's bar midnight
        self.time = time
        self.open = self.high = self.low = self.close = price
        self.volume = 0
        self.amount = 0.0
        #: previous close of the day
        self.last_close = last_close

    @property
    def at(self) -> datetime:
        """The label, in Shanghai."""
        return datetime.fromtimestamp(self.time / 1000, SHANGHAI)

    def values(self) -> tuple[str, str, int, float, float, float, float, int, float]:
        """(code, period, time, open, high, low, close, volume, amount)."""
        return (
            self.stock_code, self.period, self.time, self.open, self.high, self.low, self.close, self.volume,
            self.amount,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"Bar({self.stock_code}, {self.period}, {self.at:%Y-%m-%d %H:%M}, {self.close})"
