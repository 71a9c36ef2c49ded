"""Sectors (板块) and types of what a tape holds, by xtquant's names and numbers; and the user's own sectors."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import chain, count
from pathlib import Path

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


_SCHEMA = """
CREATE TABLE IF NOT EXISTS sectors (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS folders (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS members (sector TEXT, code TEXT, PRIMARY KEY (sector, code));
"""
#: seconds that a process waits for another one's transaction
_PATIENCE = 30.0


class OwnSectors:
    """The sectors that the user made, in a file of their own: a terminal keeps them too. In the order of making."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """All of them."""
        return self._ask("SELECT name FROM sectors ORDER BY rowid")

    def members(self, name: str) -> list[str]:
        """Codes of one in the order in which they came; none of an unknown one."""
        return self._ask("SELECT code FROM members WHERE sector = ? ORDER BY rowid", name)

    def create(self, name: str, again: bool, folder: bool = False, taken: Container[str] = ()) -> str:
        """Make a sector, or a folder of them, and tell its name.

        ``again``: where the name is in use, here or among those ``taken``, one with the first number behind it that
        makes a new one.
        """
        table = "folders" if folder else "sectors"
        with self._changing() as data:
            for candidate in chain([name], (f"{name}{n}" for n in count(1))):
                new = candidate not in taken and (
                    data.execute(f"INSERT OR IGNORE INTO {table} VALUES (?)", (candidate,)).rowcount > 0
                )
                if new or not again:
                    return candidate
        raise AssertionError("there is always a number that is free")

    def add(self, name: str, codes: Iterable[str]) -> None:
        """Add codes to one, which is made if it is not there."""
        with self._changing() as data:
            data.execute("INSERT OR IGNORE INTO sectors VALUES (?)", (name,))
            data.executemany("INSERT OR IGNORE INTO members VALUES (?, ?)", [(name, code) for code in codes])

    def drop(self, name: str, codes: Iterable[str]) -> bool:
        """Take codes out of one; whether there is such a sector."""
        with self._changing() as data:
            data.executemany("DELETE FROM members WHERE sector = ? AND code = ?", [(name, code) for code in codes])
            return data.execute("SELECT 1 FROM sectors WHERE name = ?", (name,)).fetchone() is not None

    def remove(self, name: str) -> bool:
        """Remove one; whether there was such a sector."""
        with self._changing() as data:
            data.execute("DELETE FROM members WHERE sector = ?", (name,))
            return data.execute("DELETE FROM sectors WHERE name = ?", (name,)).rowcount > 0

    def reset(self, name: str, codes: Iterable[str]) -> None:
        """Make these its codes, and no others."""
        with self._changing() as data:
            data.execute("INSERT OR IGNORE INTO sectors VALUES (?)", (name,))
            data.execute("DELETE FROM members WHERE sector = ?", (name,))
            data.executemany("INSERT OR IGNORE INTO members VALUES (?, ?)", [(name, code) for code in codes])

    def _ask(self, question: str, *values: str) -> list[str]:
        if not self._path.is_file():
            return []
        with closing(sqlite3.connect(self._path, timeout=_PATIENCE)) as data:
            data.executescript(_SCHEMA)
            return [answer for (answer,) in data.execute(question, values)]

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all that is done in it, or nothing."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=_PATIENCE)) as data:
            data.executescript(_SCHEMA)
            with data:
                yield data
