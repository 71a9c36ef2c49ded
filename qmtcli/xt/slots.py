"""Session ids of a live terminal: the lowest free one of a small pool, so that the disk sees few queue files.

Every id leaves a queue file of 72 MiB in ``userdata_mini``, two processes must not share one, and one that was
connected may be used again only three seconds after its release (vendor's FAQ). One lock file an id and terminal, whose
lock dies with its process, and beside it a mark: that it is held, or when it was released.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from qmtcli.errors import NotConnected
from qmtcli.xt.link import Slot

if TYPE_CHECKING:
    from filelock import FileLock

#: the first id of the pool; below it lie the ids that people like to choose by hand
FIRST = 26_000
SIZE = 16
REST_SECONDS = 3.0
#: how long an id is waited for while all of them are in use or at rest, by those who are in no hurry
WAIT_SECONDS = 30.0
#: between two looks for one
_STEP = 0.1
_HELD = "held"
#: locks of the ids that are this process's own: one that is forgotten would be let go
_own: set[FileLock] = set()


def _now() -> float:
    """Epoch seconds."""
    return time.time_ns() / 1e9


class Use(NamedTuple):
    """What there is of one session id."""

    session_id: int
    #: ``in_use``, ``resting``, ``killed`` (its process ended without a word) or ``free``
    state: str
    #: the terminal's queue file of it, and its size in bytes; None: there is none
    file: Path
    size: int | None


def take(
    folder: Path,
    terminal: str,
    seconds: float = WAIT_SECONDS,
    clock: Callable[[], float] = _now,
    sleep: Callable[[float], None] = time.sleep,
) -> Slot:
    """The lowest id that is free and rested, waited for. ``folder`` is that of every terminal's ids.

    Raises NotConnected when none comes free in ``seconds``.
    """
    home = _home(folder, terminal)
    home.mkdir(parents=True, exist_ok=True)
    waited = 0.0
    while waited < seconds:
        pause = _STEP
        for number in _POOL:
            lock = _try_lock(home, number)
            if lock is None:
                continue
            left = _rest(home, number, clock)
            if left <= 0:
                return _hold(home, number, lock, clock)
            lock.release()
            pause = min(left, pause)
        sleep(pause)
        waited += pause
    raise NotConnected("no_free_session", count=SIZE)


def uses(folder: Path, terminal: str, clock: Callable[[], float] = _now) -> list[Use]:
    """Every id of the pool that is in use or has left something, in order."""
    found = []
    for number in _POOL:
        use = _use(_home(folder, terminal), terminal, number, clock)
        if use.state != "free" or use.size is not None:
            found.append(use)
    return found


def clean(folder: Path, terminal: str, clock: Callable[[], float] = _now) -> list[Use]:
    """Remove the queue files of ids that are free; what there is afterwards, of each that had one.

    A file stays where its id is in use or at rest, where its process was killed (an order may still lie in it), and
    where the terminal holds it open.
    """
    home = _home(folder, terminal)
    found = []
    for use in [use for use in uses(folder, terminal, clock) if use.size is not None]:
        lock = _try_lock(home, use.session_id) if use.state == "free" else None
        if lock is not None:
            try:
                use.file.unlink()
                use = use._replace(size=None)
            except OSError:
                use = use._replace(state="in_use")
            lock.release()
        found.append(use)
    return found


_POOL = range(FIRST, FIRST + SIZE)


def _home(folder: Path, terminal: str) -> Path:
    return folder / hashlib.sha256(terminal.encode()).hexdigest()[:12]


def _try_lock(home: Path, number: int) -> FileLock | None:
    """The id's lock, ours until it is released; None where another process has it."""
    from filelock import FileLock, Timeout

    # who leaves a session need not be the thread that opened it
    lock = FileLock(home / f"{number}.lock", timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock


def _hold(home: Path, number: int, lock: FileLock, clock: Callable[[], float]) -> Slot:
    _own.add(lock)
    mark = _mark(home, number)
    mark.write_text(_HELD, encoding="ascii")

    def release(connected: bool) -> None:
        if connected:
            mark.write_text(repr(clock()), encoding="ascii")
        else:
            mark.unlink(missing_ok=True)
        lock.release()
        _own.discard(lock)

    return Slot(number, release)


def _rest(home: Path, number: int, clock: Callable[[], float]) -> float:
    """Seconds that an id, whose lock is ours, has to rest.

    They begin now where its process was killed, and where the clock has been set back since.
    """
    text, now = _read(home, number), clock()
    try:
        released = float(text)
    except ValueError:
        if text != _HELD:
            return 0.0
        released = math.inf
    if released > now:
        released = now
        _mark(home, number).write_text(repr(now), encoding="ascii")
    return released + REST_SECONDS - now


def _use(home: Path, terminal: str, number: int, clock: Callable[[], float]) -> Use:
    file = Path(terminal) / f"down_queue_{number}"
    size = file.stat().st_size if file.is_file() else None
    # on Windows a lock that was let go leaves no file
    if not ((home / f"{number}.lock").exists() or _mark(home, number).exists()):
        return Use(number, "free", file, size)
    lock = _try_lock(home, number)
    if lock is None:
        return Use(number, "in_use", file, size)
    state = "killed" if _read(home, number) == _HELD else "resting" if _rest(home, number, clock) > 0 else "free"
    lock.release()
    return Use(number, state, file, size)


def _mark(home: Path, number: int) -> Path:
    return home / f"{number}.mark"


def _read(home: Path, number: int) -> str:
    try:
        return _mark(home, number).read_text(encoding="ascii")
    except OSError:
        return ""
