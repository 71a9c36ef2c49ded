"""The durable order ledger: what was intended before it was sent, then each answer; also the audit trail.

One SQLite file an account, in the state folder, never pruned. Every order is an `Entry` with a client id that is used
once; whoever is at work on an entry holds its lock (`owners`), which dies with the process. An entry is ``sending``
from before its order is sent until an outcome is written: found so without an owner, nobody knows what became of it.

Times are epoch milliseconds: ``at`` by the account's clock, which on paper may be set, ``clock`` by the machine's.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from qmtcli import database
from qmtcli.errors import ConfigError, QmtError, Refused
from qmtcli.ledger.owners import Owners
from qmtcli.ledger.place import hold_local
from qmtcli.model import Order, OrderRequest, StrEnum

VERSION = 1

_SCHEMA = """
CREATE TABLE entries (
  key INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,         -- of the account: grows when a paper account is reset
  day TEXT NOT NULL,              -- trading day, 2026-11-25
  client_id TEXT NOT NULL,
  ticket TEXT NOT NULL,           -- client id of the order it is a part of, mostly its own
  batch TEXT NOT NULL,            -- id of the batch it is of, or empty
  row INTEGER NOT NULL,           -- its row there, from 1; 0 without a batch
  command TEXT NOT NULL,          -- buy, sell, batch, replace, ...
  typed TEXT NOT NULL,            -- JSON: what was asked for
  stock_code TEXT NOT NULL, instrument_name TEXT NOT NULL, side TEXT NOT NULL,
  order_type INTEGER NOT NULL,    -- xtquant's
  order_volume INTEGER NOT NULL, price_type INTEGER NOT NULL,
  price TEXT NOT NULL,            -- CNY, exact
  strategy_name TEXT NOT NULL, credit TEXT NOT NULL,
  risk TEXT NOT NULL,             -- CNY that it is measured by, empty where no price bounds it
  new_risk INTEGER NOT NULL,      -- 1 for what value limits bind: buys, and sells of what is borrowed or lent
  state TEXT NOT NULL,            -- of qmtcli.ledger.State
  order_id TEXT NOT NULL, order_status INTEGER, traded_volume INTEGER NOT NULL, traded_price REAL NOT NULL,
  message TEXT NOT NULL, error_id INTEGER NOT NULL,
  shown TEXT NOT NULL,            -- JSON: the order's row as it was last seen, or empty
  fees REAL,                      -- CNY, as the day's trades told them; NULL before
  sent INTEGER NOT NULL,          -- by the machine's clock; 0 before it is sent
  UNIQUE (epoch, client_id)
);
CREATE INDEX entries_by_day ON entries (day);
CREATE INDEX entries_by_batch ON entries (batch, row) WHERE batch <> '';
CREATE INDEX entries_by_ticket ON entries (ticket);
CREATE INDEX entries_not_final ON entries (key)
  WHERE state IN ('sending', 'accepted', 'open', 'part_filled', 'unknown');
CREATE UNIQUE INDEX claimed ON entries (epoch, day, order_id) WHERE order_id <> '';
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL, clock INTEGER NOT NULL, day TEXT NOT NULL,
  event TEXT NOT NULL,            -- sending, accepted, ..., cancel, refused, halt, ...
  client_id TEXT NOT NULL, order_id TEXT NOT NULL, stock_code TEXT NOT NULL, strategy_name TEXT NOT NULL,
  body TEXT NOT NULL              -- JSON
);
CREATE INDEX events_by_day ON events (day);
CREATE INDEX writes_by_clock ON events (clock) WHERE event IN ('sending', 'cancel');
CREATE TABLE batches (
  id TEXT NOT NULL, epoch INTEGER NOT NULL, day TEXT NOT NULL, content TEXT NOT NULL, name TEXT NOT NULL,
  rows INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (epoch, id)
);
CREATE TABLE closes (             -- a trading day as it ended
  epoch INTEGER NOT NULL, day TEXT NOT NULL, at INTEGER NOT NULL, asset TEXT NOT NULL, positions TEXT NOT NULL,
  orders TEXT NOT NULL, trades TEXT NOT NULL,
  PRIMARY KEY (epoch, day)
);
CREATE TABLE adjustments (        -- of a strategy's book, by hand
  id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, day TEXT NOT NULL, at INTEGER NOT NULL, strategy_name TEXT NOT NULL,
  stock_code TEXT NOT NULL,       -- empty for money alone
  volume INTEGER NOT NULL,        -- shares that came, below 0 went
  amount TEXT NOT NULL,           -- CNY that came, below 0 went
  note TEXT NOT NULL
);
CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class State(StrEnum):
    """What is known of an order that was to be sent."""

    #: nothing was sent
    PLANNED = "planned"
    #: it is being sent; found without an owner, it may have been
    SENDING = "sending"
    #: it has an id, and no row has been seen
    ACCEPTED = "accepted"
    OPEN = "open"
    PART_FILLED = "part_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    #: sent, and nobody knows what became of it
    UNKNOWN = "unknown"
    #: a person has said that it does not stand
    DROPPED = "dropped"

    @property
    def final(self) -> bool:
        """Nothing will change it any more."""
        return self in _FINAL

    @property
    def undecided(self) -> bool:
        """Whether it stands is not known."""
        return self in (State.SENDING, State.UNKNOWN)


_FINAL = frozenset({State.FILLED, State.CANCELED, State.REJECTED, State.DROPPED})
_NOT_FINAL = "state IN ('sending', 'accepted', 'open', 'part_filled', 'unknown')"


class Entry(NamedTuple):
    """A row of ``entries``; `key` is 0 until it is written."""

    key: int
    epoch: int
    day: str
    client_id: str
    ticket: str
    batch: str
    row: int
    command: str
    typed: str
    stock_code: str
    instrument_name: str
    side: str
    order_type: int
    order_volume: int
    price_type: int
    price: str
    strategy_name: str
    credit: str
    risk: str
    new_risk: int
    state: State = State.PLANNED
    order_id: str = ""
    order_status: int | None = None
    traded_volume: int = 0
    traded_price: float = 0.0
    message: str = ""
    error_id: int = 0
    shown: str = ""
    fees: float | None = None
    sent: int = 0

    @property
    def order(self) -> Order | None:
        """The order's row as it was last seen."""
        return Order(**json.loads(self.shown)) if self.shown else None

    @property
    def remark(self) -> str:
        """What the order carries at the broker: the client id, or what a plain script gave it instead."""
        return str(json.loads(self.typed).get("remark") or self.client_id)

    @property
    def under_own_id(self) -> Entry:
        """The entry as one whose order carries its client id."""
        typed = {name: word for name, word in json.loads(self.typed).items() if name != "remark"}
        return self._replace(typed=json.dumps(typed, ensure_ascii=False, sort_keys=True))

    @property
    def turnover(self) -> Decimal:
        """The CNY that it counts for in the day's turnover: what it traded once it is final, before what it risks."""
        if not self.new_risk or self.state in (State.PLANNED, State.REJECTED, State.DROPPED):
            return Decimal(0)
        if self.state.final or not self.risk:
            return Decimal(str(self.traded_price)) * self.traded_volume
        return Decimal(self.risk)

    def seen(self, order: Order) -> Entry:
        """The entry as the order's row has it."""
        return self._replace(
            state=_STATES.get(order.state.word, State.OPEN),
            order_id=order.order_id,
            order_status=order.order_status,
            traded_volume=order.traded_volume,
            traded_price=order.traded_price,
            message=order.status_msg,
            shown=json.dumps(order._asdict(), ensure_ascii=False),
        )


#: by the word of an order's status; every other one is open
_STATES = {
    "part_canceled": State.CANCELED,
    "canceled": State.CANCELED,
    "part_filled": State.PART_FILLED,
    "partsucc_cancel": State.PART_FILLED,
    "filled": State.FILLED,
    "rejected": State.REJECTED,
}


class Used(NamedTuple):
    """What a day's orders have used of its limits."""

    orders: int
    #: CNY
    turnover: Decimal

    def __add__(self, other: object) -> Used:
        assert isinstance(other, Used), "limits are used by orders"
        return Used(self.orders + other.orders, self.turnover + other.turnover)


_NOTHING = Used(0, Decimal(0))


class Claim(NamedTuple):
    """What became of the wish to send an entry's order."""

    entry: Entry
    #: ``ours``: it is ``sending`` now, and this process is its owner; ``undecided``: this process owns an entry that
    #: somebody left; ``known``: it was sent before; ``theirs``: another process is at work on it; ``refused``: it may
    #: not be sent; ``later``: not yet, for the sake of a rate
    word: str
    error: QmtError | None = None
    #: milliseconds
    wait: int = 0


class Adjustment(NamedTuple):
    """A row of ``adjustments``: shares and money of a strategy's book that came, or below 0 went, by hand."""

    id: int
    day: str
    strategy_name: str
    #: empty for money alone
    stock_code: str
    #: shares
    volume: int
    #: CNY, exact
    amount: str
    note: str
    #: epoch milliseconds
    at: int


class Close(NamedTuple):
    """A trading day as it ended, in the fields of the commands' rows."""

    day: str
    #: epoch milliseconds
    at: int
    asset: dict[str, Any]
    positions: list[dict[str, Any]]
    #: each with its ``source``: ``qmt``, or ``other`` for one that is not the ledger's
    orders: list[dict[str, Any]]
    trades: list[dict[str, Any]]


#: locks of what takes turns are beyond those of entries, and within what every system locks
_TURNS = 1 << 30


class Ledger:
    """One account's ledger, for any thread. Every method raises ConfigError ``ledger_unusable`` when the file cannot be
    used."""

    def __init__(self, path: Path, env: Mapping[str, str], at: Callable[[], float], durable: bool = True) -> None:
        """Open the file, or make it. ``at`` tells epoch seconds by the account's clock; ``durable``: what is written is
        on the disk, as it must be wherever an order counts.

        Raises ConfigError for another version's file, and for a folder that is not this machine's own.
        """
        self.path = path
        self._at = at
        #: held for a statement, and from the first of a transaction to its last
        self._turn = threading.RLock()
        try:
            hold_local(path.parent, env)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = database.connect(path, "FULL" if durable else "OFF")
            database.prepare(self._connection, _SCHEMA, VERSION)
            self.owners = Owners(path.with_suffix(".owners"))
        except database.OtherVersion as error:
            raise ConfigError("ledger_version", path=str(path), found=error.found, known=VERSION) from None
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        self.epoch = int(self._note("epoch") or 0)

    def _unusable(self, error: Exception) -> ConfigError:
        return ConfigError("ledger_unusable", path=str(self.path), why=str(error))

    def close(self) -> None:
        """Let go of everything that is this process's own."""
        self.owners.leave_all()
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._turn:
            self._execute("BEGIN IMMEDIATE")
            try:
                yield
                self._execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._execute("ROLLBACK")

    def _execute(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            with self._turn:
                return self._connection.execute(sql, values).fetchall()
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _note(self, name: str) -> str | None:
        rows = self._execute("SELECT value FROM notes WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    def version(self) -> tuple[int, int]:
        """Another one after each change, by whichever process."""
        return int(self._execute("PRAGMA data_version")[0][0]), self._connection.total_changes

    # -- entries ---------------------------------------------------------------------------------------

    def find(self, client_id: str) -> Entry | None:
        """The entry of a client id, of any day."""
        found = self.select("epoch = ? AND client_id = ?", self.epoch, client_id)
        return found[0] if found else None

    def of_order(self, day: str, order_id: str) -> Entry | None:
        """The entry that an order of a trading day is."""
        found = self.select("epoch = ? AND day = ? AND order_id = ?", self.epoch, day, order_id)
        return found[0] if found else None

    def parts(self, ticket: str) -> list[Entry]:
        """The parts of an order, in their order."""
        return self.select("epoch = ? AND ticket = ? ORDER BY key", self.epoch, ticket)

    def batch(self, batch: str) -> list[Entry]:
        """The entries of a batch, by row and part."""
        return self.select("epoch = ? AND batch = ? ORDER BY row, key", self.epoch, batch)

    def has_open(self) -> bool:
        """Whether there are entries that something may still become of, planned ones apart."""
        return bool(self._execute(f"SELECT 1 FROM entries WHERE epoch = ? AND {_NOT_FINAL} LIMIT 1", self.epoch))

    def open_keys(self) -> list[int]:
        """Keys of the entries that `not_final` tells."""
        return [
            row[0]
            for row in self._execute(
                f"SELECT key FROM entries WHERE epoch = ? AND {_NOT_FINAL} ORDER BY key", self.epoch
            )
        ]

    def not_final(self) -> list[Entry]:
        """Entries that something may still become of, planned ones apart, of any day."""
        return self.select(f"epoch = ? AND {_NOT_FINAL} ORDER BY key", self.epoch)

    def all(self) -> list[Entry]:
        """Every entry of the account."""
        return self.select("epoch = ? ORDER BY key", self.epoch)

    def of_day(self, day: str) -> list[Entry]:
        """The entries of a trading day."""
        return self.select("epoch = ? AND day = ? ORDER BY key", self.epoch, day)

    def of_strategy(self, name: str) -> list[Entry]:
        """The entries of a strategy, of any day."""
        return self.select("epoch = ? AND strategy_name = ? ORDER BY key", self.epoch, name)

    def last_number(self, prefix: str) -> int:
        """The greatest N of the client ids ``PREFIX.N``, and of parts of such orders; 0 where there is none."""
        sql = "SELECT client_id FROM entries WHERE epoch = ? AND client_id GLOB ?"
        rows = self._execute(sql, self.epoch, f"{prefix}.*")
        numbers = (str(row[0])[len(prefix) + 1 :].partition(".")[0] for row in rows)
        return max((int(text) for text in numbers if text.isdecimal()), default=0)

    def claims(self, day: str) -> dict[str, int]:
        """Keys of a trading day's entries by the ids of the orders that are theirs."""
        sql = "SELECT order_id, key FROM entries WHERE epoch = ? AND day = ? AND order_id <> ''"
        return {str(order_id): int(key) for order_id, key in self._execute(sql, self.epoch, day)}

    def select(self, where: str, *values: object) -> list[Entry]:
        """Entries by a condition on their columns."""
        return [_entry(row) for row in self._execute(f"{_SELECT} WHERE {where}", *values)]

    def plan(self, entries: Sequence[Entry], batch: str = "", content: str = "", name: str = "") -> list[Entry]:
        """Write new entries, nothing of which was sent, all of them or none; those that are there as they are.

        ``batch``: the id of the batch that they are, with its content and where it came from. Raises Refused when
        another order has one's client id meanwhile.
        """
        with self._transaction():
            if batch:
                self._execute(
                    "INSERT OR IGNORE INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)",
                    batch, self.epoch, entries[0].day, content, name, len(entries), int(self._at() * 1000),
                )  # fmt: skip
            return [self._same(entry) or self._insert(entry) for entry in entries]

    def _same(self, entry: Entry) -> Entry | None:
        """The entry as it is written, if it is. Raises Refused where it is another one."""
        known = self._known(entry)
        if known is not None and (known.day, known.typed) != (entry.day, entry.typed):
            raise Refused("id_of_another_order", client_id=entry.client_id, order_id=known.order_id)
        return known

    def batches(self, day: str, content: str) -> list[str]:
        """Ids of the batches of a day with some content, oldest first."""
        sql = "SELECT id FROM batches WHERE epoch = ? AND day = ? AND content = ? ORDER BY rowid"
        return [str(row[0]) for row in self._execute(sql, self.epoch, day, content)]

    def begin(self, batch: str, day: str, content: str, name: str, rows: int, plan: str) -> None:
        """Write that a batch is begun whose entries come as they are sent, and what it is to do; once."""
        with self._transaction():
            known = self._execute("SELECT 1 FROM batches WHERE epoch = ? AND id = ?", self.epoch, batch)
            if not known:
                values = batch, self.epoch, day, content, name, rows, int(self._at() * 1000)
                self._execute("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)", *values)
                self._execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", f"plan {self.epoch} {batch}", plan)

    def begun(self, batch: str) -> str | None:
        """What a batch that was begun is to do; None where there is no such batch."""
        return self._note(f"plan {self.epoch} {batch}")

    def take_turn(self, what: str) -> bool:
        """Whether this process alone is at something that takes turns, from now on until it ends."""
        return self.owners.take(_TURNS + crc32(what.encode()) % _TURNS)

    def claim(
        self,
        entries: Sequence[Entry],
        admit: Callable[[Entry, Used], QmtError | None],
        outside: Used | None = None,
        rate: int | None = None,
    ) -> list[Claim]:
        """Become the owner of entries that are to be sent, the intent written before anything is.

        ``admit(entry, what the day has used)`` tells why one may not be sent. ``outside``: what orders that are not
        the ledger's have used; None where nothing depends on what the day has used. ``rate``: orders and cancels a
        second, of all processes together.
        """
        claims: list[Claim] = []
        clock = _clock()
        taken: list[int] = []
        try:
            with self._transaction():
                used = _NOTHING if outside is None else self.used(entries[0].day) + outside
                for wanted in entries:
                    claim = self._claim(wanted, admit, used, rate, clock)
                    if claim.word == "ours":
                        used += Used(1, claim.entry.turnover)
                    if claim.word in ("ours", "undecided"):
                        taken.append(claim.entry.key)
                    claims.append(claim)
        except BaseException:
            for key in taken:
                self.owners.leave(key)
            raise
        return claims

    def _claim(
        self,
        wanted: Entry,
        admit: Callable[[Entry, Used], QmtError | None],
        used: Used,
        rate: int | None,
        clock: int,
    ) -> Claim:
        try:
            known = self._same(wanted)
        except Refused as error:
            return Claim(wanted, "refused", error)
        if known is not None and known.state not in (State.PLANNED, State.SENDING, State.UNKNOWN):
            return Claim(known, "known")
        entry = known or self._insert(wanted)
        if not self.owners.take(entry.key):
            return Claim(entry, "theirs")
        if entry.state.undecided:
            return Claim(entry, "undecided")
        # what may have changed since it was planned
        entry = entry._replace(
            order_volume=wanted.order_volume, price_type=wanted.price_type, price=wanted.price, risk=wanted.risk
        )
        refusal = admit(entry, used)
        wait = 0 if refusal is not None or rate is None else self._wait(rate, clock)
        if refusal is not None or wait:
            self.owners.leave(entry.key)
            if refusal is not None:
                self._record(entry, "refused", reason=refusal.code)
                return Claim(entry, "refused", refusal)
            return Claim(entry, "later", wait=wait)
        entry = entry._replace(state=State.SENDING, sent=clock)
        self._update(entry)
        return Claim(entry, "ours")

    def _wait(self, rate: int, clock: int) -> int:
        """Milliseconds until one more order or cancel keeps to a rate a second."""
        rows = self._execute(
            "SELECT clock FROM events WHERE event IN ('sending', 'cancel') AND clock > ? AND clock <= ?"
            " ORDER BY clock DESC LIMIT 1 OFFSET ?",
            clock - 1000,
            clock + 1000,  # what a clock that was set back has still to come to holds nothing up
            rate - 1,
        )
        return int(rows[0][0]) + 1000 - clock if rows else 0

    def writes_within(self, milliseconds: int) -> int:
        """Orders and cancels sent in the last so many milliseconds."""
        sql = "SELECT count(*) FROM events WHERE event IN ('sending', 'cancel') AND clock > ?"
        return int(self._execute(sql, _clock() - milliseconds)[0][0])

    def used(self, day: str, strategy: str | None = None) -> Used:
        """What the ledger's own orders of a day, or those of one strategy, have used of its limits."""
        orders, turnover = 0, Decimal(0)
        rows = self._execute(
            "SELECT new_risk, state, risk, traded_volume, traded_price FROM entries"
            " WHERE epoch = ? AND day = ? AND sent > 0 AND state <> 'dropped'"
            " AND strategy_name = ifnull(?, strategy_name)",
            self.epoch,
            day,
            strategy,
        )
        for new_risk, state, risk, volume, price in rows:
            orders += 1
            if new_risk and state != "rejected":
                final = state in ("filled", "canceled") or not risk
                turnover += Decimal(str(price)) * volume if final else Decimal(risk)
        return Used(orders, turnover)

    def settle(self, entries: Iterable[Entry], leave: bool = True) -> None:
        """Write what is known of entries now, and let them go.

        An order's id that is another entry's already is not written: one order is never two entries'.
        """
        changed = [*entries]
        if changed:
            with self._transaction():
                for entry in changed:
                    try:
                        self._update(entry)
                    except sqlite3.IntegrityError:
                        self._update(entry._replace(state=State.UNKNOWN, order_id="", shown=""))
        if leave:
            for entry in changed:
                self.owners.leave(entry.key)

    def _known(self, entry: Entry) -> Entry | None:
        if entry.key:
            return self.select("key = ?", entry.key)[0]
        return self.find(entry.client_id)

    def _insert(self, entry: Entry) -> Entry:
        try:
            key = self._connection.execute(_INSERT, entry[1:]).lastrowid
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return entry._replace(key=int(key or 0))

    def _update(self, entry: Entry) -> None:
        self._execute(_UPDATE, *entry[1:], entry.key)
        self._record(
            entry, str(entry.state), message=entry.message, traded_volume=entry.traded_volume,
            traded_price=entry.traded_price, error_id=entry.error_id,
        )  # fmt: skip

    # -- the audit trail -------------------------------------------------------------------------------

    def _record(self, entry: Entry, event: str, **more: object) -> None:
        told = {
            "side": entry.side, "order_volume": entry.order_volume, "price": float(entry.price or 0),
            "command": entry.command, "batch": entry.batch, "row": entry.row,
            **{name: value for name, value in more.items() if value},
        }  # fmt: skip
        self._event(entry.day, event, entry.client_id, entry.order_id, entry.stock_code, entry.strategy_name, told)

    def _event(
        self, day: str, event: str, client_id: str, order_id: str, code: str, strategy: str, body: Mapping[str, object]
    ) -> None:
        self._execute(
            _EVENT, int(self._at() * 1000), _clock(), day, event, client_id, order_id, code, strategy,
            json.dumps(body, ensure_ascii=False),
        )  # fmt: skip

    def record(self, day: str, event: str, orders: Iterable[Order] = (), client_id: str = "", **body: object) -> None:
        """Add an event to the audit trail: one of each of some orders, or one of the account."""
        with self._transaction():
            told = [*orders]
            for order in told:
                self._record_order(day, event, order, body)
            if not told:
                self._event(day, event, client_id, "", "", "", body)

    def _record_order(self, day: str, event: str, order: Order, body: Mapping[str, object]) -> None:
        more = {"side": order.side, "order_volume": order.order_volume, "price": order.price, **body}
        self._event(day, event, order.order_remark, order.order_id, order.stock_code, order.strategy_name, more)

    def ask_cancels(self, day: str, orders: Sequence[Order], rate: int | None, **body: object) -> tuple[int, int]:
        """Write that orders are to be canceled, the first of them as many as keep to a rate.

        How many these are, and the milliseconds until there may be more. ``rate`` as in `claim`.
        """
        with self._transaction():
            for number, order in enumerate(orders):
                clock = _clock()
                wait = 0 if rate is None else self._wait(rate, clock)
                if wait:
                    return number, wait
                self._record_order(day, "cancel", order, body)
        return len(orders), 0

    def ask_cancel(self, day: str, order_id: str, **body: object) -> None:
        """Write that an order is to be canceled of which no row is at hand."""
        entry = self.of_order(day, order_id)
        with self._transaction():
            if entry is not None:
                self._record(entry, "cancel", **body)
            else:
                self._event(day, "cancel", "", order_id, "", "", body)

    def see(self, day: str, orders: Iterable[Order]) -> None:
        """Write a day's orders as they were seen to the entries that are theirs, where nobody is at work on these."""
        entries = {entry.order_id: entry for entry in self.not_final() if entry.order_id and entry.day == day}
        mine = [
            entries[order.order_id].seen(order)
            for order in orders
            if order.order_id in entries and self.owners.take(entries[order.order_id].key)
        ]
        self.settle(mine)

    def events(self, where: str = "1", *values: object) -> list[dict[str, Any]]:
        """Events by a condition on their columns, oldest first."""
        names = ("id", "at", "clock", "day", "event", "client_id", "order_id", "stock_code", "strategy_name", "body")
        rows = self._execute(f"SELECT {', '.join(names)} FROM events WHERE {where} ORDER BY id", *values)
        return [dict(zip(names, row, strict=True)) for row in rows]

    # -- days and books --------------------------------------------------------------------------------

    def close_day(self, close: Close) -> None:
        """Keep a trading day as it ended; the last word counts."""
        rows = [json.dumps(part, ensure_ascii=False) for part in close[2:]]
        with self._transaction():
            self._execute(
                "INSERT OR REPLACE INTO closes VALUES (?, ?, ?, ?, ?, ?, ?)", self.epoch, close.day, close.at, *rows
            )
            told = {"orders": len(close.orders), "total_asset": close.asset.get("total_asset")}
            self._event(close.day, "day_close", "", "", "", "", told)

    def closed(self, day: str) -> Close | None:
        """A trading day as it ended; None where nobody has closed it."""
        found = self.closes("day = ?", day)
        return found[0] if found else None

    def closes(self, where: str = "1", *values: object) -> list[Close]:
        """The days that were closed, by a condition on their columns, oldest first."""
        rows = self._execute(
            f"SELECT day, at, asset, positions, orders, trades FROM closes WHERE epoch = ? AND {where} ORDER BY day",
            self.epoch,
            *values,
        )
        return [Close(day, at, *map(json.loads, parts)) for day, at, *parts in rows]

    def adjust(self, day: str, strategy: str, code: str, volume: int, amount: Decimal, note: str) -> None:
        """Write an adjustment of a strategy's book."""
        with self._transaction():
            self._execute(
                "INSERT INTO adjustments (epoch, day, at, strategy_name, stock_code, volume, amount, note)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                self.epoch, day, int(self._at() * 1000), strategy, code, volume, str(amount), note,
            )  # fmt: skip
            self._event(
                day, "adjust", "", "", code, strategy, {"volume": volume, "amount": float(amount), "note": note}
            )

    def adjustments(self) -> list[Adjustment]:
        """The adjustments of all books, oldest first."""
        names = ", ".join(Adjustment._fields)
        rows = self._execute(f"SELECT {names} FROM adjustments WHERE epoch = ? ORDER BY id", self.epoch)
        return [Adjustment(*row) for row in rows]

    def last_day(self) -> str:
        """The last trading day of which there is anything; empty where there is nothing."""
        return str(self._execute("SELECT coalesce(max(day), '') FROM events")[0][0])

    # -- the account -----------------------------------------------------------------------------------

    def begin_anew(self) -> None:
        """The account was reset: what was is no part of what will be, and no client id was ever used."""
        with self._transaction():
            self.epoch += 1
            self._execute("INSERT OR REPLACE INTO notes VALUES ('epoch', ?)", str(self.epoch))


def new_entry(
    epoch: int,
    request: OrderRequest,
    order_type: int,
    day: str,
    command: str,
    typed: Mapping[str, str],
    name: str = "",
    ticket: str = "",
    batch: str = "",
    row: int = 0,
    risk: Decimal | None = None,
    new_risk: bool = True,
) -> Entry:
    """An entry for a request, not written yet; the fields are those of the table."""
    return Entry(
        0, epoch, day, request.client_id, ticket or request.client_id, batch, row, command,
        json.dumps(typed, ensure_ascii=False, sort_keys=True), request.code, name, str(request.side), order_type,
        request.volume, request.price_type, str(request.price), request.strategy, str(request.credit or ""),
        "" if risk is None else str(risk), int(new_risk),
    )  # fmt: skip


_COLUMNS = Entry._fields
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM entries"
_INSERT = f"INSERT INTO entries ({', '.join(_COLUMNS[1:])}) VALUES ({', '.join('?' * (len(_COLUMNS) - 1))})"
_UPDATE = f"UPDATE entries SET {', '.join(f'{name} = ?' for name in _COLUMNS[1:])} WHERE key = ?"
_EVENT = (
    "INSERT INTO events (at, clock, day, event, client_id, order_id, stock_code, strategy_name, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def _entry(row: tuple[Any, ...]) -> Entry:
    entry = Entry(*row)
    return entry._replace(state=State(entry.state))


def _clock() -> int:
    """Epoch milliseconds by the machine's clock."""
    return time.time_ns() // 1_000_000
