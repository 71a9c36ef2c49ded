"""A market from a folder of tapes: files of xtquant's tick and bar columns.

A file belongs to the code its name begins with (``600519.SH_20230207_tick.csv.gz``), or to the codes of its
column ``code`` or ``stock_code``. Its columns say what it holds: ``lastPrice`` ticks, ``close`` bars; of one
day where a part of the name is ``1d`` or the times are in a column ``date``, else of one minute, labelled by
its end. A code that has only bars has a history and no quotes. A code's files are read when it is asked for.

Units. ``pvolume`` is shares, ``volume_lot`` lots. ``volume`` alone is shares or lots, whichever the file's
amount over its price comes nearer to; shares where there is no amount. Level volumes are lots in xtquant's
own files and shares in some others: shares when at least `_ENOUGH` of them are shown and one in five of these
is a multiple of 100 (of bonds, whose lot is 10: nine in ten a multiple of 10), for a count of lots has no
reason to be round; else lots.

An optional ``instruments.csv`` (see `qmtcli.rules.instruments`) tells what no prefix does; a column ``levels`` of
it, ``lots`` or ``shares``, is the unit of the level volumes and saves the guess.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

from qmtcli.errors import ConfigError
from qmtcli.model import Instrument, Kind
from qmtcli.paper.bars import day_of_ticks, merge, minutes_of
from qmtcli.paper.clock import DAY_MS, SHANGHAI
from qmtcli.paper.columns import ENDINGS, Columns
from qmtcli.paper.tape import Bar, Level, Tick, approach
from qmtcli.rules.corporate import Action
from qmtcli.text import day as read_day
from qmtcli.text import read_file

_TABLE = "instruments.csv"
_BONDS = frozenset({Kind.CONV_BOND, Kind.EXCH_BOND, Kind.TREASURY, Kind.REPO})
#: level volumes a file must show before their unit is guessed from them, and how many are looked at
_ENOUGH, _LOOKED_AT = 100, 4_000
#: lot -> how many of the level volumes must be whole lots to be shares
_ROUND = {100: 0.2, 10: 0.9}

_EPOCH = date(1970, 1, 1)
_OFFSET_MS = 8 * 3_600_000

_Side = list[tuple[list[float], list[float]]]


class _Ticks(NamedTuple):
    """The columns of one file that ticks are made of."""

    #: lastPrice, open, high, low, lastClose
    prices: list[list[float]]
    volume: list[float]
    amount: list[float]
    trades: list[float] | None
    phase: list[float] | None
    asks: _Side
    bids: _Side
    #: shares in a unit of ``volume``, and of a level's volume
    volume_unit: int
    level_unit: int

    def tick(self, ms: int, row: int) -> Tick:
        last, open_, high, low, preclose = [round(column[row] * 1000) for column in self.prices]
        volume, amount = round(self.volume[row]) * self.volume_unit, round(self.amount[row] * 100)
        trades = round(self.trades[row]) if self.trades else 0
        phase = round(self.phase[row]) if self.phase else 0
        asks, bids = self._levels(self.asks, row), self._levels(self.bids, row)
        return Tick(ms, last, open_, high, low, preclose, volume, amount, trades, phase, asks, bids)

    def _levels(self, side: _Side, row: int) -> tuple[Level, ...]:
        unit = self.level_unit
        return tuple([(round(p[row] * 1000), round(v[row]) * unit) for p, v in side if p[row] > 0 and v[row] > 0])


class _Day(NamedTuple):
    """The snapshots of one code on one day: when, and where each is found."""

    times: list[int]
    rows: list[tuple[_Ticks, int]]

    def tick(self, index: int) -> Tick:
        ticks, row = self.rows[index]
        return ticks.tick(self.times[index], row)

    def all(self) -> list[Tick]:
        return [self.tick(index) for index in range(len(self.times))]


class _Code(NamedTuple):
    """All that the folder has of one code."""

    days: dict[date, _Day]
    #: bars by period and day, in order
    bars: dict[str, dict[date, list[Bar]]]


class FolderTape:
    """A folder of files as a `qmtcli.paper.tape.Tape`. Files are read when their code is first asked for."""

    name = "tape"
    synthetic = False

    def __init__(self, folder: Path) -> None:
        """Raises ConfigError ``tape_empty`` when the folder does not exist or holds no table file."""
        paths = sorted(path for path in folder.iterdir() if _is_table(path)) if folder.is_dir() else []
        self._folder = folder
        self._files: dict[str, list[Path]] = {}
        #: files of many codes
        self._mixed: list[Path] = []
        for path in paths:
            if path.name == _TABLE:
                continue
            code = path.name[:9].upper()
            if _is_code(code):
                self._files.setdefault(code, []).append(path)
            else:
                self._mixed.append(path)
        if not self._files and not self._mixed:
            raise ConfigError("tape_empty", path=str(folder))
        self._read: dict[str, _Code] = {}

    def codes(self) -> Sequence[str]:
        """Codes it holds, in alphabetical order. Raises ConfigError for an unreadable file of many codes."""
        return sorted({*self._files, *self._parts})

    def instrument(self, code: str) -> Instrument | None:
        """By its prefix and ``instruments.csv``; None for a code it does not hold. Raises ConfigError."""
        if code not in self._files and code not in self._parts:
            return None
        return self._instrument(code)

    def days(self) -> Sequence[date]:
        """Days with ticks of any code, in order; of a folder without ticks, those of its bars.

        Raises ConfigError, ``tape_empty`` when the files hold no rows.
        """
        return self._days

    def preclose(self, code: str, day: date) -> int:
        """Of the day's ticks or bar, else the last close before it; 0 when the folder tells none."""
        held = self._code(code)
        if day in held.days:
            return held.days[day].tick(-1).preclose
        for bar in reversed(self.bars(code, "1d", date.min, day)):
            return bar.preclose if bar.day == day else bar.close
        return 0

    def tick(self, code: str, day: date, ms: int) -> Tick | None:
        """The last snapshot at or before ``ms``; None before the first. Raises ConfigError."""
        of_day = self._code(code).days.get(day)
        index = bisect_right(of_day.times, ms) if of_day else 0
        return of_day.tick(index - 1) if of_day and index else None

    def ticks(self, code: str, day: date, after: int, until: int) -> Sequence[Tick]:
        """Snapshots with ``after < ms <= until``, in order. Raises ConfigError."""
        of_day = self._code(code).days.get(day)
        if of_day is None:
            return []
        first, beyond = bisect_right(of_day.times, after), bisect_right(of_day.times, until)
        return [of_day.tick(index) for index in range(first, beyond)]

    def approach(self, code: str, day: date, after: int, until: int, buy: int, sell: int) -> tuple[Tick, int] | None:
        """See `qmtcli.paper.tape.Tape.approach`. Raises ConfigError."""
        shown = self.tick(code, day, after)
        return approach(self.ticks(code, day, after, until), shown.volume if shown else 0, buy, sell)

    def actions(self, code: str, first: date, last: date) -> Sequence[tuple[date, Action]]:
        """None: a folder does not tell them."""
        return []

    def bars(self, code: str, period: str, first: date, last: date) -> Sequence[Bar]:
        """The folder's own bars, and on other days bars made of its minutes or ticks. Raises ConfigError."""
        held = self._code(code)
        own, minutes = held.bars.get(period, {}), held.bars.get("1m", {})
        bars: list[Bar] = []
        for day in sorted({*own, *minutes, *held.days}):
            if not first <= day <= last:
                continue
            if day in own:
                bars += own[day]
            elif period == "1d" and day in minutes:
                bars.append(merge(minutes[day])._replace(ms=0))
            elif day in held.days:
                ticks = held.days[day].all()
                bars += minutes_of(day, ticks) if period == "1m" else day_of_ticks(day, ticks)
        return bars

    # -- reading ---------------------------------------------------------------------------------------

    @cached_property
    def _parts(self) -> dict[str, list[Columns]]:
        """Rows of the files of many codes, by code."""
        parts: dict[str, list[Columns]] = {}
        for path in self._mixed:
            columns = Columns.read(path)
            name = columns.first("code", "stock_code")
            if name is None:
                raise columns.error(None, "no code in the file's name, and no column code")
            for row, code in enumerate(columns.values(name)):
                if not _is_code(str(code)):
                    raise columns.error(row, f"{name} is {code!r}")
            for code, rows in columns.split(name).items():
                parts.setdefault(code, []).append(rows)
        return parts

    @cached_property
    def _table(self) -> dict[str, dict[str, Any]]:
        """What ``instruments.csv`` tells, by code."""
        from qmtcli.rules.instruments import read

        path = self._folder / _TABLE
        return read(read_file(str(path)), str(path), {"levels": _level_word}) if path.is_file() else {}

    @cached_property
    def _days(self) -> list[date]:
        days: set[date] = set()
        for code in self.codes():
            named = [_day_in_name(path) for path in self._files.get(code, ())]
            if code in self._parts or None in named:
                days.update(self._code(code).days)
            else:
                days.update(day for day in named if day)
        if not days:
            days.update(day for code in self.codes() for found in self._code(code).bars.values() for day in found)
        if not days:
            raise ConfigError("tape_empty", path=str(self._folder))
        return sorted(days)

    def _code(self, code: str) -> _Code:
        held = self._read.get(code)
        if held is None:
            sources = [Columns.read(path) for path in self._files.get(code, ())]
            held = self._read[code] = self._load(code, sources + self._parts.get(code, []))
        return held

    def _load(self, code: str, sources: Sequence[Columns]) -> _Code:
        snapshots: list[tuple[int, _Ticks, int]] = []
        bars: dict[str, list[Bar]] = {}
        instrument = self._instrument(code)
        kind = instrument.kind if instrument else Kind.STOCK
        for columns in sources:
            if "lastPrice" in columns:
                ticks = _ticks(columns, kind, self._level_unit(code))
                snapshots += [(at, ticks, row) for row, at in enumerate(_moments(columns, "time"))]
            else:
                period = _period(columns)
                bars.setdefault(period, []).extend(_bars(columns, kind, period))
        snapshots.sort(key=lambda snapshot: snapshot[0])
        days: dict[date, _Day] = {}
        number, of_day = -1, _Day([], [])
        for at, ticks, row in snapshots:
            if at // DAY_MS != number:
                number = at // DAY_MS
                of_day = days[_EPOCH + timedelta(days=number)] = _Day([], [])
            of_day.times.append(at % DAY_MS)
            of_day.rows.append((ticks, row))
        return _Code(days, {period: _by_day(sorted(found)) for period, found in bars.items()})

    # -- what no price tells ---------------------------------------------------------------------------

    def _level_unit(self, code: str) -> str:
        unit: str = self._table.get(code, {}).get("levels", "")
        return unit

    def _instrument(self, code: str) -> Instrument | None:
        from qmtcli.rules.boards import classify, instrument
        from qmtcli.rules.instruments import fields

        told = fields(code, self._table)
        return instrument(code, **{"name": code, **told}) if "kind" in told or classify(code) else None


def _level_word(text: str) -> str:
    if text not in ("lots", "shares"):
        raise ValueError(text)
    return text


def _is_table(path: Path) -> bool:
    return path.name.lower().endswith(ENDINGS) and path.is_file()


def _is_code(text: str) -> bool:
    return len(text) == 9 and text[:6].isdecimal() and text[6:] in (".SH", ".SZ", ".BJ")


def _name_parts(path: Path) -> list[str]:
    return path.name.lower().split(".", 2)[1].split("_")[1:] if _is_code(path.name[:9].upper()) else []


def _day_in_name(path: Path) -> date | None:
    """The one day that a name of ticks speaks of; None when it speaks of none, of more, or of bars."""
    parts = _name_parts(path)
    days = [part for part in parts if len(part) == 8 and part.isdecimal()]
    if len(days) != 1 or "1d" in parts or "1m" in parts:
        return None
    try:
        return read_day(days[0])
    except ValueError:
        return None


def _period(columns: Columns) -> str:
    parts = _name_parts(columns.path)
    named = next((part for part in parts if part in ("1d", "1m")), "")
    return named or ("1d" if "date" in columns else "1m")


# -- columns → ticks and bars ------------------------------------------------------------------------------


def _ticks(columns: Columns, kind: Kind, levels: str) -> _Ticks:
    lot = 10 if kind in _BONDS else 100
    prices = [columns.numbers(name) for name in ("lastPrice", "open", "high", "low", "lastClose")]
    amount, volume = (
        columns.numbers("amount"),
        columns.numbers(columns.first("pvolume", "volume") or "volume"),
    )
    unit = 1 if "pvolume" in columns else _volume_unit(kind, lot, prices[0], volume, amount)
    ask_volumes, bid_volumes = columns.five("askVol"), columns.five("bidVol")
    level_unit = {"lots": lot, "shares": 1}.get(levels) or _level_unit(lot, [*ask_volumes, *bid_volumes])
    return _Ticks(
        prices,
        volume,
        amount,
        columns.numbers("transactionNum") if "transactionNum" in columns else None,
        columns.numbers("openInt") if "openInt" in columns else None,
        list(zip(columns.five("askPrice"), ask_volumes, strict=True)),
        list(zip(columns.five("bidPrice"), bid_volumes, strict=True)),
        unit,
        level_unit,
    )


def _level_unit(lot: int, columns: Sequence[list[float]]) -> int:
    """Shares in a unit of these level volumes, guessed as the module says."""
    step = max(1, sum(map(len, columns)) // _LOOKED_AT)
    shown = [volume for column in columns for volume in column[::step] if volume]
    whole = sum(1 for volume in shown if volume % lot == 0)
    return 1 if len(shown) >= _ENOUGH and whole >= _ROUND[lot] * len(shown) else lot


def _volume_unit(kind: Kind, lot: int, prices: list[float], volumes: list[float], amounts: list[float] | None) -> int:
    """Shares in a unit of these volumes: the likelier by what a unit of them cost."""
    for price, volume, amount in zip(prices, volumes, amounts or (), strict=False):
        if price and volume and amount:
            return lot if amount / volume / (100 if kind is Kind.REPO else price) > sqrt(lot) else 1
    return 1


def _bars(columns: Columns, kind: Kind, period: str) -> list[Bar]:
    """Bars as the file has them; ``preclose`` is 0 where it does not say."""
    lot = 10 if kind in _BONDS else 100
    prices = [columns.numbers(name) for name in ("open", "high", "low", "close")]
    amounts = columns.numbers("amount") if "amount" in columns else None
    if "volume_lot" in columns:
        volumes, unit = columns.numbers("volume_lot"), lot
    else:
        volumes = columns.numbers("volume")
        unit = _volume_unit(kind, lot, prices[3], volumes, amounts)
    name = columns.first("preClose", "preclose", "lastClose")
    precloses = columns.numbers(name) if name else None
    bars = []
    for row, at in enumerate(_moments(columns, columns.first("date", "time", "datetime") or "time")):
        day, ms = _EPOCH + timedelta(days=at // DAY_MS), 0 if period == "1d" else at % DAY_MS
        open_, high, low, close = [round(column[row] * 1000) for column in prices]
        amount = round(amounts[row] * 100) if amounts else 0
        preclose = round(precloses[row] * 1000) if precloses else 0
        bars.append(Bar(day, ms, open_, high, low, close, round(volumes[row]) * unit, amount, preclose))
    return bars


def _by_day(bars: Sequence[Bar]) -> dict[date, list[Bar]]:
    """Bars in order. One without a preclose gets the last close of the day before; the first day, its open."""
    days: dict[date, list[Bar]] = {}
    close = bars[0].open if bars else 0
    for bar in bars:
        if bar.day not in days:
            days[bar.day], preclose = [], close
        close = bar.close
        days[bar.day].append(bar if bar.preclose else bar._replace(preclose=preclose))
    return days


def _moments(columns: Columns, name: str) -> list[int]:
    """Ms since 1970-01-01 00:00 in Shanghai: of epoch ms, ``20230207``, ``20230207093000`` or an ISO time."""
    values = columns.values(name)
    try:
        numbers = list(map(float, values))
    except (TypeError, ValueError):
        numbers = []
    if numbers and min(numbers) >= 1e11 and max(numbers) < 1e13:
        return [int(number) + _OFFSET_MS for number in numbers]
    moments = []
    for row, value in enumerate(values):
        try:
            moments.append(_moment(str(value).strip()))
        except ValueError:
            raise columns.error(row, f"{name} is {value!r}, not a time") from None
    return moments


def _moment(text: str) -> int:
    if text.isdecimal():
        if len(text) == 13:
            return int(text) + _OFFSET_MS
        if len(text) not in (8, 14):
            raise ValueError(text)
        moment = datetime.strptime(text, "%Y%m%d" if len(text) == 8 else "%Y%m%d%H%M%S")
    else:
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        moment = moment.astimezone(SHANGHAI).replace(tzinfo=None)
    return (moment - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
