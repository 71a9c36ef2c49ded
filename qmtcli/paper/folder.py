"""A market from a folder of tapes: files of xtquant's tick and bar columns.

A file belongs to the code its name begins with (``600519.SH_20230207_tick.csv.gz``), or to the codes of its
column ``code`` or ``stock_code``. Its columns say what it holds: ``lastPrice`` ticks, ``close`` bars; of one
day where a part of the name is ``1d`` or the times are in a column ``date``, else of one minute, labelled by
its end. A code that has only bars has a history and no quotes. A file is read when a code and day are asked for
that it may hold, by its name, and then it is kept as an index (`qmtcli.paper.index`). In what units it counts is
told in `qmtcli.paper.reading`.

An optional ``instruments.csv`` (see `qmtcli.rules.instruments`) tells what no prefix does; a column ``levels`` of
it, ``lots`` or ``shares``, is the unit of the level volumes and saves the guess. An optional
``dividends.csv`` tells its ex-days (`qmtcli.paper.dividends`): the preclose of one, where no tape says it, is the
reference price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cached_property, partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zlib import crc32

from qmtcli.errors import ConfigError
from qmtcli.model import Instrument, Kind
from qmtcli.paper.bars import CLOSE, close_of, day_of_ticks, merge, minutes_of
from qmtcli.paper.clock import DAY_MS
from qmtcli.paper.dividends import NAME as DIVIDENDS
from qmtcli.paper.dividends import Dividends
from qmtcli.paper.index import Contents, Index, key_of, open_index
from qmtcli.paper.snapshots import Damaged, Snapshots, pack
from qmtcli.paper.tape import Bar, Tick
from qmtcli.rules.boards import classify, instrument
from qmtcli.rules.corporate import Action
from qmtcli.rules.ticks import tick
from qmtcli.text import day as read_day
from qmtcli.text import read_file

if TYPE_CHECKING:
    from qmtcli.paper.columns import Columns

_TABLE = "instruments.csv"
#: endings of the files that hold tables
_ENDINGS = (".csv", ".csv.gz", ".parquet")


def _unwatched(path: Path | None) -> None:
    """Nobody wants to know."""


#: told of a file, now and then, while it is being read, and of None once it has been: for whoever runs the process
#: to put something here that shows it
watch: Callable[[Path | None], None] = _unwatched

T = TypeVar("T")


class FolderTape:
    """A folder of files as a `qmtcli.paper.tape.Tape`."""

    name = "tape"
    synthetic = False

    def __init__(self, folder: Path, kept: Path | None = None) -> None:
        """``kept``: where indexes of tapes are kept, by default nowhere.

        Raises ConfigError ``tape_empty`` when the folder does not exist or holds no table file.
        """
        paths = sorted(path for path in folder.iterdir() if _is_table(path)) if folder.is_dir() else []
        self._folder = folder
        self._kept = kept and kept / f"{crc32(str(folder.absolute()).encode(errors='surrogateescape')):08x}"
        self._files: dict[str, list[Path]] = {}
        #: files of many codes
        self._mixed: list[Path] = []
        for path in paths:
            if path.name in (_TABLE, DIVIDENDS):
                continue
            code = path.name[:9].upper()
            if _is_code(code):
                self._files.setdefault(code, []).append(path)
            else:
                self._mixed.append(path)
        if not self._files and not self._mixed:
            raise ConfigError("tape_empty", path=str(folder))
        #: by the name each is kept under, and the names of those that turned out to be damaged
        self._indexes: dict[str, Index] = {}
        self._damaged: set[str] = set()
        self._snapshots: dict[tuple[str, date], Snapshots | None] = {}
        self._bars: dict[str, dict[str, dict[date, list[Bar]]]] = {}
        self._dividends = Dividends(folder)
        self._instruments: dict[str, Instrument | None] = {}

    def codes(self) -> Sequence[str]:
        """Codes it holds, in alphabetical order. Raises ConfigError for an unreadable file of many codes."""
        return sorted({*self._files, *self._mixed_codes})

    def instrument(self, code: str) -> Instrument | None:
        """By its prefix and ``instruments.csv``; None for a code it does not hold. Raises ConfigError."""
        if code not in self._instruments:
            held = code in self._files or code in self._mixed_codes
            self._instruments[code] = self._instrument(code) if held else None
        return self._instruments[code]

    def days(self) -> Sequence[date]:
        """Days with ticks of any code, in order; of a folder without ticks, those of its bars.

        Raises ConfigError, ``tape_empty`` when the files hold no rows.
        """
        return self._days

    def preclose(self, code: str, day: date) -> int:
        """Of the day's ticks or bar, else by the last close before it; 0 when the folder tells none."""
        found = self._of(code, day, lambda held: held.preclose)
        if found is not None:
            return found
        for bar in reversed(self.bars(code, "1d", date.min, day)):
            return bar.preclose if bar.day == day else self._reference(code, bar.close, bar.day, day)
        return 0

    def tick(self, code: str, day: date, ms: int) -> Tick | None:
        """The last snapshot at or before ``ms``; None before the first. Raises ConfigError."""
        return self._of(code, day, lambda held: held.tick(ms))

    def ticks(self, code: str, day: date, after: int, until: int) -> Sequence[Tick]:
        """Snapshots with ``after < ms <= until``, in order. Raises ConfigError."""
        return self._of(code, day, lambda held: held.ticks(after, until)) or []

    def approaches(
        self, code: str, day: date, after: int, until: int, buy: int, sell: int
    ) -> Iterator[tuple[Tick, int]]:
        """See `qmtcli.paper.tape.Tape.approaches`. Raises ConfigError."""
        held = self._soundly(lambda: self._snapshots_of(code, day))
        while held is not None:
            try:
                for found in held.approaches(after, until, buy, sell):
                    after = found[0].ms
                    yield found
                return
            except Damaged as damage:
                self._forget(damage)
                held = self._soundly(lambda: self._snapshots_of(code, day))

    def actions(self, code: str, first: date, last: date) -> Sequence[tuple[date, Action]]:
        """Those of ``dividends.csv``. Raises ConfigError."""
        return self._dividends.of(code, first, last)

    def bars(self, code: str, period: str, first: date, last: date) -> Sequence[Bar]:
        """The folder's own bars, and on other days bars made of its minutes or ticks. Raises ConfigError."""
        return self._soundly(lambda: list(self._find_bars(code, period, first, last)))

    # -- from the indexes ------------------------------------------------------------------------------

    def _of(self, code: str, day: date, question: Callable[[Snapshots], T]) -> T | None:
        """What the snapshots of a code on a day answer; None where there are none."""

        def ask() -> T | None:
            held = self._snapshots_of(code, day)
            return None if held is None else question(held)

        return self._soundly(ask)

    def _soundly(self, question: Callable[[], T]) -> T:
        """An answer that no damaged index had part in: such a one is made anew, and the question asked again."""
        while True:
            try:
                return question()
            except Damaged as damage:
                self._forget(damage)

    def _forget(self, damage: Damaged) -> None:
        self._damaged |= {name for name, index in self._indexes.items() if index in damage.args}
        self._indexes = {name: index for name, index in self._indexes.items() if name not in self._damaged}
        self._snapshots = {}

    def _snapshots_of(self, code: str, day: date) -> Snapshots | None:
        if (code, day) not in self._snapshots:
            self._snapshots[code, day] = self._find_snapshots(code, day)
        return self._snapshots[code, day]

    def _find_snapshots(self, code: str, day: date) -> Snapshots | None:
        found = {path: held for path, index in self._open(code, day, day) if (held := index.snapshots(code, day))}
        if len(found) < 2:
            return next(iter(found.values()), None)

        def merged() -> Contents:
            rows = sorted((row for held in found.values() for row in held.rows()), key=itemgetter(0))
            return Contents({code: {day: pack(rows)}}, {})

        return self._index(f"{code}_{day:%Y%m%d}", list(found), code, merged).snapshots(code, day)

    def _find_bars(self, code: str, period: str, first: date, last: date) -> Iterator[Bar]:
        held = self._own_bars(code)
        own, minutes = held.get(period, {}), held.get("1m", {})
        ticked = [day for _, index in self._open(code, first, last) for day in index.days(code)]
        for day in sorted({*own, *minutes, *ticked}):
            if not first <= day <= last:
                continue
            if day in own:
                yield from own[day]
            elif period == "1d" and day in minutes:
                yield merge(minutes[day])._replace(ms=0)
            elif (shown := self._snapshots_of(code, day)) and period == "1d":
                yield from day_of_ticks(day, [shown.last()])
            elif shown:
                yield from minutes_of(day, shown.ticks(-1, DAY_MS), close=self._close(code, day))

    def _close(self, code: str, day: date) -> int:
        of = self.instrument(code)
        return close_of(of, day) if of else CLOSE

    def _own_bars(self, code: str) -> dict[str, dict[date, list[Bar]]]:
        """The bars in a code's files, by period and day."""
        if code not in self._bars:
            found: dict[str, list[Bar]] = {}
            for _, index in self._open(code, date.min, date.max):
                for period, bars in index.bars(code).items():
                    found.setdefault(period, []).extend(bars)
            reference = partial(self._reference, code)
            self._bars[code] = {period: _by_day(sorted(bars), reference) for period, bars in found.items()}
        return self._bars[code]

    @cached_property
    def _days(self) -> list[date]:
        days: set[date] = set()
        for code, paths in self._files.items():
            for path in paths:
                named = _day_in_name(path)
                days.update([named] if named else self._index_of(path, code).days(code))
        for index in map(self._index_of, self._mixed):
            days.update(day for code in index.codes for day in index.days(code))
        if not days:
            days.update(day for code in self.codes() for found in self._own_bars(code).values() for day in found)
        if not days:
            raise ConfigError("tape_empty", path=str(self._folder))
        return sorted(days)

    @cached_property
    def _mixed_codes(self) -> set[str]:
        return {code for path in self._mixed for code in self._index_of(path).codes}

    # -- the indexes -----------------------------------------------------------------------------------

    def _open(self, code: str, first: date, last: date) -> list[tuple[Path, Index]]:
        """Of the files that may hold something of a code on these days. Raises ConfigError."""
        self.instrument(code)
        own = [path for path in self._files.get(code, ()) if first <= (_day_in_name(path) or first) <= last]
        return [(path, self._index_of(path, code)) for path in own] + [
            (path, self._index_of(path)) for path in self._mixed
        ]

    def _index_of(self, path: Path, code: str = "") -> Index:
        """The index of a file of one code, or of many."""
        return self._index(path.name, [path], code, lambda: self._read(path, code))

    def _index(self, name: str, paths: list[Path], code: str, make: Callable[[], Contents]) -> Index:
        if name not in self._indexes:
            kept = self._kept and self._kept / f"{name}.index"
            levels = {held: told for held in ([code] if code else self._table) if (told := self._level_unit(held))}
            key = key_of([path.absolute() for path in paths], levels=levels)
            self._indexes[name] = open_index(kept, key, make, anew=name in self._damaged)
        return self._indexes[name]

    def _read(self, path: Path, code: str) -> Contents:
        from qmtcli.paper import reading
        from qmtcli.paper.columns import Columns

        contents = Contents({}, {})
        try:
            watch(path)
            columns = Columns.read(path)
            for held, rows in ({code: columns} if code else _split(columns)).items():
                watch(path)
                kind, _ = classify(held) or (Kind.STOCK, None)
                if "lastPrice" in rows:
                    days = reading.snapshots(rows, kind, self._level_unit(held))
                    contents.days[held] = {day: pack(of_day) for day, of_day in days}
                elif "close" in rows:
                    period = _period(rows)
                    contents.bars[held] = {period: reading.bars(rows, kind, period)}
                else:
                    raise rows.error(None, "no column lastPrice, of ticks, and no column close, of bars")
        finally:
            watch(None)
        return contents

    # -- what no price tells ---------------------------------------------------------------------------

    @cached_property
    def _table(self) -> dict[str, dict[str, Any]]:
        """What ``instruments.csv`` tells, by code."""
        from qmtcli.rules.instruments import read
        from qmtcli.rules.settings import Form

        path = self._folder / _TABLE
        levels = Form(_level_word, "lots | shares")
        return read(read_file(str(path)), str(path), {"levels": levels}) if path.is_file() else {}

    def _reference(self, code: str, close: int, after: date, day: date) -> int:
        """Reference price of ``day`` by the close of ``after``, the day before it, milli."""
        of = self.instrument(code)
        return self._dividends.reference(code, close, tick(of), after, day) if of else close

    def _level_unit(self, code: str) -> str:
        unit: str = self._table.get(code, {}).get("levels", "")
        return unit

    def _instrument(self, code: str) -> Instrument | None:
        from qmtcli.rules.instruments import fields

        told = fields(code, self._table)
        return instrument(code, **{"name": code, **told}) if "kind" in told or classify(code) else None


def _level_word(text: str) -> str:
    if text not in ("lots", "shares"):
        raise ValueError(text)
    return text


def _is_table(path: Path) -> bool:
    return path.name.lower().endswith(_ENDINGS) and path.is_file()


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


def _split(columns: Columns) -> dict[str, Columns]:
    """A table of many codes, by code. Raises ConfigError."""
    name = columns.first("code", "stock_code")
    if name is None:
        raise columns.error(None, "no code in the file's name, and no column code")
    for row, code in enumerate(columns.values(name)):
        if not _is_code(str(code)):
            raise columns.error(row, f"{name} is {code!r}")
    return columns.split(name)


def _by_day(bars: Sequence[Bar], reference: Callable[[int, date, date], int]) -> dict[date, list[Bar]]:
    """Bars in order. One without a preclose gets it by the last close of the day before; the first day, its open."""
    days: dict[date, list[Bar]] = {}
    close, before = (bars[0].open, bars[0].day) if bars else (0, date.min)
    for bar in bars:
        if bar.day not in days:
            days[bar.day], preclose = [], reference(close, before, bar.day)
        close, before = bar.close, bar.day
        days[bar.day].append(bar if bar.preclose else bar._replace(preclose=preclose))
    return days
