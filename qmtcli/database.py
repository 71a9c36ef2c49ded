"""A SQLite file that several processes share: opened in WAL mode, its tables made by whoever comes first."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

#: seconds that a process waits for another one's transaction
PATIENCE = 30.0


class OtherVersion(Exception):
    """The file is another program version's."""

    def __init__(self, found: int) -> None:
        super().__init__(found)
        self.found = found


def connect(path: Path, synchronous: str) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time; ``synchronous`` as SQLite has it. Raises sqlite3.Error."""
    connection = sqlite3.connect(
        path, timeout=PATIENCE, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.execute(f"PRAGMA synchronous={synchronous}")
    return connection


def prepare(connection: sqlite3.Connection, schema: str, version: int, page_size: int = 4096) -> None:
    """Make the tables of a new file, and hold that it can be written. Raises OtherVersion, sqlite3.Error."""
    found = _patiently(connection, "PRAGMA user_version")
    if found == 0:
        connection.execute(f"PRAGMA page_size={page_size}")
        # WAL first: it cannot be set inside the transaction that creates the tables
        _patiently(connection, "PRAGMA journal_mode=WAL")
    elif found != version:
        raise OtherVersion(found)
    # a transaction even when there is nothing to create: a file that cannot be written must fail here,
    # before an order has been sent
    connection.execute("BEGIN IMMEDIATE")
    try:
        if found == 0 and connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in schema.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={version}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _patiently(connection: sqlite3.Connection, pragma: str) -> Any:
    # SQLite does not call the busy handler while another process switches the journal mode
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return connection.execute(pragma).fetchone()[0]
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
