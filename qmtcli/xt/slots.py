"""Session ids of a live terminal: the lowest free one of a small pool, so that the disk sees few queue files.

Every id leaves a queue file of 72 MiB in ``userdata_mini``, two processes must not share one, and one may be used
again only three seconds after its release (vendor's FAQ). One lock file an id and terminal; the lock dies with its
process, the file keeps the time of the last release.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from qmtcli.errors import NotConnected

#: the first id of the pool; below it lie the ids that people like to choose by hand
FIRST = 26_000
SIZE = 16
REST_SECONDS = 3.0


class Slot(NamedTuple):
    """A session id that is this process's own until ``release``."""

    session_id: int
    release: Callable[[], None]


def take(folder: Path, terminal: str, clock: Callable[[], float] = time.time) -> Slot:
    """The lowest id that is free and rested, or the one that rests shortest, waited for.

    Raises NotConnected when every id is in use.
    """
    from filelock import FileLock, Timeout

    home = folder / hashlib.sha256(terminal.encode()).hexdigest()[:12]
    home.mkdir(parents=True, exist_ok=True)
    resting: list[tuple[float, int]] = []
    for number in range(FIRST, FIRST + SIZE):
        left = _released(home, number) + REST_SECONDS - clock()
        if left > 0:
            resting.append((left, number))
            continue
        try:
            return _hold(home, number, FileLock(home / f"{number}.lock", timeout=0), clock)
        except Timeout:
            continue
    for left, number in sorted(resting):
        time.sleep(max(0.0, min(left, REST_SECONDS)))
        try:
            return _hold(home, number, FileLock(home / f"{number}.lock", timeout=0), clock)
        except Timeout:
            continue
    raise NotConnected("no_free_session", count=SIZE)


def _hold(home: Path, number: int, lock: object, clock: Callable[[], float]) -> Slot:
    from filelock import FileLock

    assert isinstance(lock, FileLock)
    lock.acquire()

    def release() -> None:
        (home / f"{number}.released").write_text(repr(clock()), encoding="ascii")
        lock.release()

    return Slot(number, release)


def _released(home: Path, number: int) -> float:
    try:
        return float((home / f"{number}.released").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0.0
