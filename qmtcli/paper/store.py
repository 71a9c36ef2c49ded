"""The account's file: one SQLite database, every transition one transaction, any number of processes.

Money in fen, prices in thousandths of a yuan (milli), volumes in shares, times in epoch milliseconds,
days as a count since 1970-01-01.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from qmtcli.errors import ConfigError

VERSION = 1

_SCHEMA = """
CREATE TABLE account (
  id TEXT PRIMARY KEY, type INTEGER NOT NULL,
  cash INTEGER NOT NULL,          -- fen, frozen money included
  held INTEGER NOT NULL,          -- fen of cash that cannot be withdrawn before the next day
  day INTEGER NOT NULL, wall_day INTEGER NOT NULL, synced INTEGER NOT NULL, next_id INTEGER NOT NULL);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, day INTEGER NOT NULL, time INTEGER NOT NULL, code TEXT NOT NULL, name TEXT NOT NULL,
  type INTEGER NOT NULL, volume INTEGER NOT NULL, price_type INTEGER NOT NULL,
  price INTEGER NOT NULL,         -- milli, as entered, 0 for a market order without protection
  limit_price INTEGER NOT NULL,   -- milli, the worst price it may trade at
  status INTEGER NOT NULL, traded INTEGER NOT NULL, turnover INTEGER NOT NULL, -- sum of milli x shares
  fee INTEGER NOT NULL, frozen INTEGER NOT NULL,
  queue INTEGER NOT NULL,         -- shares displayed ahead of it at its price, -1 when not displayed
  strategy TEXT NOT NULL, remark TEXT NOT NULL, sysid TEXT NOT NULL, message TEXT NOT NULL, error INTEGER NOT NULL);
CREATE INDEX orders_by_day ON orders (day, status);
CREATE TABLE trades (
  id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, day INTEGER NOT NULL, time INTEGER NOT NULL,
  price INTEGER NOT NULL, volume INTEGER NOT NULL, amount INTEGER NOT NULL, fee INTEGER NOT NULL);
CREATE INDEX trades_by_day ON trades (day);
CREATE TABLE positions (
  code TEXT PRIMARY KEY, name TEXT NOT NULL, volume INTEGER NOT NULL, yesterday INTEGER NOT NULL,
  locked INTEGER NOT NULL,        -- bought today and not sellable today
  cost INTEGER NOT NULL);         -- fen, fees in
CREATE TABLE flows (day INTEGER NOT NULL, time INTEGER NOT NULL, amount INTEGER NOT NULL, kind TEXT NOT NULL);
CREATE TABLE consumed (
  code TEXT NOT NULL, stamp INTEGER NOT NULL, price INTEGER NOT NULL, volume INTEGER NOT NULL,
  PRIMARY KEY (code, stamp, price));
CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, body TEXT NOT NULL);
"""


@dataclass(slots=True)
class Account:
    """The one row of ``account``."""

    id: str
    type: int
    cash: int
    held: int
    day: int
    wall_day: int
    synced: int
    next_id: int


@dataclass(slots=True)
class Order:
    """A row of ``orders``."""

    id: int
    day: int
    time: int
    code: str
    name: str
    type: int
    volume: int
    price_type: int
    price: int
    limit_price: int
    status: int
    strategy: str
    remark: str
    traded: int = 0
    turnover: int = 0
    fee: int = 0
    frozen: int = 0
    queue: int = -1
    sysid: str = ""
    message: str = ""
    error: int = 0

    @property
    def remaining(self) -> int:
        """Shares not traded yet."""
        return self.volume - self.traded


@dataclass(slots=True)
class Trade:
    """A row of ``trades``."""

    id: int
    order_id: int
    day: int
    time: int
    price: int
    volume: int
    amount: int
    fee: int


@dataclass(slots=True)
class Position:
    """A row of ``positions``."""

    code: str
    name: str
    volume: int = 0
    yesterday: int = 0
    locked: int = 0
    cost: int = 0


Row: TypeAlias = "Account | Order | Trade | Position"
R = TypeVar("R", Account, Order, Trade, Position)


def values_of(row: Row) -> list[Any]:
    """A row's values in the order of its columns."""
    return [getattr(row, name) for name in row.__slots__]


_TABLES: dict[type, str] = {Account: "account", Order: "orders", Trade: "trades", Position: "positions"}


class Store:
    """One connection to an account's file, shared by the threads of a process under one lock."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises ConfigError when the folder or the file cannot be used."""
        self._lock = threading.RLock()
        self._depth = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=30.0, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise ConfigError("state_unusable", path=str(path.parent), why=str(error)) from error

    def _prepare(self) -> None:
        version = self._patiently("PRAGMA user_version")
        if version == 0:
            # WAL first: it cannot be set inside the transaction that creates the tables
            self._patiently("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        if version == 0:
            with self.transaction():
                if self._connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                    for statement in _SCHEMA.split(";"):
                        self._connection.execute(statement)
                    self._connection.execute(f"PRAGMA user_version={VERSION}")
        elif version != VERSION:
            raise ConfigError("account_file_version", found=version, known=VERSION)

    def _patiently(self, pragma: str) -> Any:
        # SQLite does not call the busy handler while another process switches the journal mode
        deadline = time.monotonic() + 30
        while True:
            try:
                return self._connection.execute(pragma).fetchone()[0]
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; other processes wait. Nested ones belong to the outermost."""
        with self._lock:
            if self._depth:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            else:
                self._connection.execute("COMMIT")
            finally:
                self._depth = 0

    def execute(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, *values: object) -> Any:
        """The first column of the first row, None without a row."""
        rows = self.execute(sql, *values)
        return rows[0][0] if rows else None

    def select(self, kind: type[R], where: str = "", *values: object) -> list[R]:
        """Rows of a table as objects; ``where`` is what follows the table's name."""
        columns = ", ".join(kind.__slots__)
        return [kind(*row) for row in self.execute(f"SELECT {columns} FROM {_TABLES[kind]} {where}", *values)]

    def save(self, row: Row) -> None:
        """Insert or replace a row."""
        kind = type(row)
        columns = ", ".join(kind.__slots__)
        marks = ", ".join("?" * len(kind.__slots__))
        self.execute(f"INSERT OR REPLACE INTO {_TABLES[kind]} ({columns}) VALUES ({marks})", *values_of(row))

    def emit(self, kind: str, **body: object) -> None:
        """Queue a push to every subscribed session of every process."""
        self.execute("INSERT INTO events (kind, body) VALUES (?, ?)", kind, json.dumps(body))

    def events(self, after: int) -> list[tuple[int, str, dict[str, Any]]]:
        """Pushes with an id above ``after``, in order."""
        rows = self.execute("SELECT id, kind, body FROM events WHERE id > ? ORDER BY id", after)
        return [(number, kind, json.loads(body)) for number, kind, body in rows]

    def last_event(self) -> int:
        """Id of the newest push, 0 when there has been none."""
        return int(self.one("SELECT seq FROM sqlite_sequence WHERE name = 'events'") or 0)

    def version(self) -> int:
        """A number that changes whenever another connection has changed the file."""
        return int(self.one("PRAGMA data_version"))

    def close(self) -> None:
        """Close the connection; the store cannot be used afterwards."""
        with self._lock:
            self._connection.close()
