"""The account's file: one SQLite database, every transition one transaction, any number of processes.

Money in fen, prices in thousandths of a yuan (milli), volumes in shares, times in epoch milliseconds,
days as a count since 1970-01-01.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from qmtcli import database
from qmtcli.errors import ConfigError
from qmtcli.paper.codes import IN_FLIGHT

VERSION = 2
_SCHEMA = """
CREATE TABLE account (
  id TEXT PRIMARY KEY,
  cash INTEGER NOT NULL,          -- fen, frozen money included
  frozen INTEGER NOT NULL,        -- fen that open buy orders hold
  held INTEGER NOT NULL,          -- fen of cash that cannot be withdrawn before the next day
  day INTEGER NOT NULL,           -- the account's trading day
  wall_day INTEGER NOT NULL,      -- Shanghai date of the last command that turned or opened a day
  synced INTEGER NOT NULL,        -- resting orders have met every snapshot up to here
  next_id INTEGER NOT NULL        -- of the next order; never used twice, not even after a reset
);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, day INTEGER NOT NULL, time INTEGER NOT NULL, code TEXT NOT NULL, name TEXT NOT NULL,
  type INTEGER NOT NULL, volume INTEGER NOT NULL, price_type INTEGER NOT NULL,
  price INTEGER NOT NULL,         -- milli, as entered, 0 for a market order without protection
  limit_price INTEGER NOT NULL,   -- milli, the worst price it may trade at, 0 when there is none
  status INTEGER NOT NULL, strategy TEXT NOT NULL, remark TEXT NOT NULL, traded INTEGER NOT NULL,
  turnover INTEGER NOT NULL,      -- sum of milli x shares
  fee INTEGER NOT NULL,
  frozen INTEGER NOT NULL,        -- while it is open: fen of a buy, shares of a sell
  queue INTEGER NOT NULL,         -- shares ahead of it at its price, else a state of qmtcli.paper.matching
  message TEXT NOT NULL, error INTEGER NOT NULL,
  sent REAL NOT NULL,             -- CNY, the price as it was sent
  session INTEGER NOT NULL, seq INTEGER NOT NULL,  -- whose last request on it this was, for its errors
  due INTEGER NOT NULL            -- when it, or a cancel of it, arrives at the exchange; 0: nothing is in flight
);
CREATE INDEX orders_by_day ON orders (day);
CREATE INDEX open_orders ON orders (code, type, limit_price) WHERE status IN (50, 51, 52, 55);
CREATE INDEX orders_in_flight ON orders (due) WHERE due > 0;
CREATE TABLE trades (
  id INTEGER PRIMARY KEY AUTOINCREMENT, order_id INTEGER NOT NULL, day INTEGER NOT NULL, time INTEGER NOT NULL,
  price INTEGER NOT NULL, volume INTEGER NOT NULL, amount INTEGER NOT NULL, fee INTEGER NOT NULL
);
CREATE INDEX trades_by_day ON trades (day);
CREATE TABLE positions (
  code TEXT PRIMARY KEY, name TEXT NOT NULL, volume INTEGER NOT NULL, yesterday INTEGER NOT NULL,
  locked INTEGER NOT NULL,        -- bought today and not sellable today
  frozen INTEGER NOT NULL,        -- held by open sell orders
  cost INTEGER NOT NULL,          -- fen, fees in
  lots TEXT NOT NULL              -- JSON, oldest first: [day bought, shares, fen of dividends not taxed yet]
);
CREATE TABLE loans (              -- money lent by repo
  id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL, name TEXT NOT NULL,
  volume INTEGER NOT NULL,        -- units of 100 yuan
  rate INTEGER NOT NULL,          -- thousandths of a percent a year
  amount INTEGER NOT NULL,        -- fen
  maturity INTEGER NOT NULL,      -- the day on which it is back
  days INTEGER NOT NULL           -- that earn interest
);
CREATE TABLE flows (              -- money (fen) and shares that came or, below 0, went otherwise than by a trade
  day INTEGER NOT NULL, time INTEGER NOT NULL, kind TEXT NOT NULL, amount INTEGER NOT NULL,
  code TEXT NOT NULL, shares INTEGER NOT NULL
);
CREATE TABLE consumed (           -- what orders took of the snapshot last traded with
  code TEXT PRIMARY KEY, stamp INTEGER NOT NULL,
  levels TEXT NOT NULL            -- JSON: shares by price
);
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,            -- by the machine's clock, whatever the account's says
  kind TEXT NOT NULL, body TEXT NOT NULL
);
"""


@dataclass(slots=True)
class Account:
    """The one row of ``account``."""

    id: str
    cash: int
    frozen: int
    held: int
    day: int
    wall_day: int
    synced: int
    next_id: int

    @property
    def available(self) -> int:
        """Fen that can be spent."""
        return self.cash - self.frozen


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
    queue: int = 0
    message: str = ""
    error: int = 0
    sent: float = 0.0
    session: int = 0
    seq: int = 0
    due: int = 0

    @property
    def remaining(self) -> int:
        """Shares not traded yet."""
        return self.volume - self.traded

    @property
    def sysid(self) -> str:
        """The exchange's number (合同编号); none for an order that has not reached it."""
        return "" if self.error or self.status == IN_FLIGHT else str(self.id)


@dataclass(slots=True)
class Trade:
    """A row of ``trades``; ``id`` 0 until it is added."""

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
    frozen: int = 0
    cost: int = 0
    lots: str = "[]"

    @property
    def sellable(self) -> int:
        """Shares that can be sold now."""
        return self.volume - self.locked - self.frozen


@dataclass(slots=True)
class Loan:
    """A row of ``loans``; ``id`` 0 until it is added."""

    id: int
    code: str
    name: str
    volume: int
    rate: int
    amount: int
    maturity: int
    days: int


#: a push: its number, its kind and what it says
Event: TypeAlias = "tuple[int, str, dict[str, Any]]"
Row: TypeAlias = "Account | Order | Trade | Position | Loan"
R = TypeVar("R", Account, Order, Trade, Position, Loan)


def values_of(row: Row) -> tuple[Any, ...]:
    """A row's values in the order of its columns."""
    values: tuple[Any, ...] = _VALUES[type(row)](row)
    return values


def _select(table: str, columns: tuple[str, ...]) -> str:
    return f"SELECT {', '.join(columns)} FROM {table} "


def _save(table: str, columns: tuple[str, ...]) -> str:
    key, *others = columns
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "
        f"ON CONFLICT ({key}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in others)}"
    )


def _add(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns[1:])}) VALUES ({', '.join('?' * (len(columns) - 1))})"


_TABLES: dict[type, str] = {
    Account: "account", Order: "orders", Trade: "trades", Position: "positions", Loan: "loans",
}  # fmt: skip
_VALUES = {kind: attrgetter(*kind.__slots__) for kind in _TABLES}  # type: ignore[attr-defined]
_SELECT = {kind: _select(table, kind.__slots__) for kind, table in _TABLES.items()}  # type: ignore[attr-defined]
_SAVE = {kind: _save(table, kind.__slots__) for kind, table in _TABLES.items()}  # type: ignore[attr-defined]
_ADD = {kind: _add(table, kind.__slots__) for kind, table in _TABLES.items()}  # type: ignore[attr-defined]


class Store:
    """One connection to an account's file, shared by the threads of a process under one lock.

    Every method raises ConfigError ``state_unusable`` when the file cannot be read or written any more, and
    ``account_file_damaged`` when what is in it cannot be made out.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises ConfigError ``account_file_version`` for a file of another qmt."""
        self._path = path
        #: held over what other threads of this process may not come between; a transaction holds it
        self.lock = threading.RLock()
        self._depth = 0
        self._queued: list[tuple[str, dict[str, Any]]] = []
        #: the pushes of this connection's last transaction
        self._own: list[Event] = []
        self._commits = 0
        self._undone = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._connect()
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        _STORES.add(self)

    def _connect(self) -> sqlite3.Connection:
        return database.connect(self._path, "NORMAL")

    def _prepare(self) -> None:
        try:
            # small pages: an order changes little on each of many, and the log takes them whole
            database.prepare(self._connection, _SCHEMA, VERSION, page_size=1024)
        except database.OtherVersion as error:
            raise ConfigError("account_file_version", found=error.found, known=VERSION) from None

    def _unusable(self, error: Exception) -> ConfigError:
        if type(error) is sqlite3.DatabaseError:  # its subclasses are about all else
            return ConfigError("account_file_damaged", path=str(self._path), why=str(error))
        return ConfigError("state_unusable", path=str(self._path.parent), why=str(error))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; other processes wait. Nested ones belong to the outermost."""
        with self.lock:
            if self._depth:
                yield
                return
            self.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
                own = self._write_events() if self._queued else []
                self.execute("COMMIT")
                self._own = own
                self._commits += 1
            finally:
                self._depth = 0
                self._queued = []
                if self._connection.in_transaction:
                    self._undone += 1
                    self.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Everything read is of one moment; nothing is to be written."""
        with self.lock:
            if self._depth:
                yield
                return
            self.execute("BEGIN")
            try:
                yield
            finally:
                self.execute("ROLLBACK")

    def execute(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        with self.lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.DatabaseError as error:
                raise self._unusable(error) from error

    def one(self, sql: str, *values: object) -> Any:
        """The first column of the first row, None without a row."""
        rows = self.execute(sql, *values)
        return rows[0][0] if rows else None

    def select(self, kind: type[R], where: str = "", *values: object) -> list[R]:
        """Rows of a table as objects; ``where`` is what follows the table's name."""
        return [kind(*row) for row in self.execute(_SELECT[kind] + where, *values)]

    def save(self, row: Row) -> None:
        """Insert a row, or write it over the one with its key."""
        self.execute(_SAVE[type(row)], *values_of(row))

    def add(self, row: Trade | Loan) -> None:
        """Insert a new row and number it."""
        with self.lock:
            row.id = self._insert(_ADD[type(row)], values_of(row)[1:])

    # -- pushes ----------------------------------------------------------------------------------------

    def emit(self, kind: str, **body: object) -> None:
        """Queue a push to every subscribed session of every process; it is there when the transaction is."""
        assert self._depth, "a push belongs to what caused it"
        self._queued.append((kind, body))

    def _write_events(self) -> list[Event]:
        at = time.time_ns() // 1_000_000
        sql = "INSERT INTO events (at, kind, body) VALUES (?, ?, ?)"
        return [(self._insert(sql, (at, kind, json.dumps(body))), kind, body) for kind, body in self._queued]

    def _insert(self, sql: str, values: Sequence[object]) -> int:
        """The number of the new row."""
        try:
            return int(self._connection.execute(sql, values).lastrowid or 0)
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error

    def events(self, after: int) -> list[Event]:
        """Pushes with an id above ``after``, in order."""
        rows = self.execute("SELECT id, kind, body FROM events WHERE id > ? ORDER BY id", after)
        return [(number, kind, json.loads(body)) for number, kind, body in rows]

    def next_events(self, after: int) -> list[Event]:
        """As `events`, or only this process's own last ones where they are the next: that spares the file."""
        with self.lock:
            return self._own if self._own and self._own[0][0] == after + 1 else self.events(after)

    def last_event(self) -> int:
        """Id of the newest push, 0 when there has been none."""
        return int(self.one("SELECT seq FROM sqlite_sequence WHERE name = 'events'") or 0)

    def forget_events(self, seconds: int) -> None:
        """Delete pushes older than this by the machine's clock."""
        self.execute("DELETE FROM events WHERE at < ?", time.time_ns() // 1_000_000 - seconds * 1000)

    def version(self) -> tuple[int, int]:
        """Two numbers, one of which changes with every change of the file: by another connection, or by this."""
        return int(self.one("PRAGMA data_version")), self._commits

    def upheavals(self) -> tuple[int, int]:
        """Two numbers, one of which changes when the file is no longer as this process knew it.

        Another connection changed it, or a transaction of this one's was undone.
        """
        return int(self.one("PRAGMA data_version")), self._undone

    def close(self) -> None:
        """Close the connection; the store cannot be used afterwards."""
        with self.lock:
            _STORES.discard(self)
            self._connection.close()


# SQLite forbids carrying a connection across a fork, and a child of one may trade: each side gets its own.

_STORES: weakref.WeakSet[Store] = weakref.WeakSet()
_parted: list[Store] = []


def _before_fork() -> None:
    for store in list(_STORES):
        store.lock.acquire()
        store._connection.close()
        _parted.append(store)


def _after_fork() -> None:
    while _parted:
        store = _parted.pop()
        store._connection = store._connect()
        store._undone += 1  # nothing is known of what others did meanwhile
        store.lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
