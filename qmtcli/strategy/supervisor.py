"""Many strategies at once, each in a process of its own: started, watched, started again, stopped together.

A process tells its events as lines of JSON on its stdout, and stops when its stdin says so or ends: nobody outlives who
started it.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from qmtcli.errors import ExitStatus
from qmtcli.ledger.owners import Owners

#: seconds before the first start anew and, doubled each time, at most before a later one
_FIRST_WAIT, _LAST_WAIT = 1.0, 60.0
#: starts anew in a row, each after a run shorter than so many seconds
_STARTS, _STEADY = 10, 60.0
#: seconds that processes are given to stop
_STOPPING = 15.0
#: seconds that a look at who runs may take, and the pause between two attempts
_LOOKING, _PAUSE = 1.0, 0.05
#: exit statuses after which a start anew would end the same way
_FOR_GOOD = (
    ExitStatus.OK, ExitStatus.USAGE, ExitStatus.CONFIG, ExitStatus.REFUSED, ExitStatus.UNKNOWN, ExitStatus.NO_DATA,
)  # fmt: skip


class Wanted(NamedTuple):
    """A strategy that is to run."""

    name: str
    #: the command line of its process
    command: Sequence[str]
    #: file of its log
    log: Path
    #: file in which its state of affairs is kept, beside it one that is locked while somebody looks after it
    status: Path


class _Child:
    """One strategy's process, and those before it."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.process: subprocess.Popen[bytes] | None = None
        self.begun = 0.0
        #: in a row
        self.starts = 0
        self.restarts = 0
        #: by the monotonic clock, when it is to be started anew; None: it is not
        self.again: float | None = 0.0
        self.wait = 0.0
        self.exit_status: int | None = None
        self.orders = self.trades = 0
        self.state = "starting"
        #: whether its state of affairs is ours to keep: another may run it already, and this one is about to be told so
        self.kept = False


Event = dict[str, Any]


class Supervisor:
    """Runs strategies until all have ended or they are told to stop."""

    def __init__(self, wanted: Sequence[Wanted], clock: Callable[[], str]) -> None:
        """``clock()``: the time, ISO 8601, for events of its own."""
        self._children = [_Child(each) for each in wanted]
        self._clock = clock
        self._events: queue.SimpleQueue[tuple[_Child, Event | None]] = queue.SimpleQueue()
        self._stopping = 0.0

    def stop(self) -> None:
        """Have all of them stop; from a signal handler too."""
        if not self._stopping:
            self._stopping = time.monotonic()
        for child in self._children:
            child.again = None
            if child.process is not None and child.process.stdin is not None:
                with suppress(OSError, ValueError):
                    child.process.stdin.write(b"stop\n")
                    child.process.stdin.flush()

    def run(self) -> Iterator[list[Event]]:
        """Events as they come, each with its ``strategy``."""
        for child in self._children:
            child.kept = _take(child.wanted.status)
        try:
            while any(child.process is not None or child.again is not None for child in self._children):
                for child in self._children:
                    if child.process is None and child.again is not None and time.monotonic() >= child.again:
                        self._start(child)
                found = self._next()
                if found:
                    yield found
                if self._stopping and time.monotonic() - self._stopping > _STOPPING:
                    self._kill()
        finally:
            self.stop()
            self._kill_after(_STOPPING)

    @property
    def statuses(self) -> list[int]:
        """The exit status of each that has ended, and of each that was waiting to be started anew."""
        return [child.exit_status for child in self._children if child.exit_status is not None]

    @property
    def standing(self) -> list[tuple[str, str, int, int]]:
        """Of each its name, its state, and how many orders and trades it has had."""
        return [(child.wanted.name, child.state, child.orders, child.trades) for child in self._children]

    def _start(self, child: _Child) -> None:
        child.wanted.log.parent.mkdir(parents=True, exist_ok=True)
        group: dict[str, Any] = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {"start_new_session": True}  # type: ignore[attr-defined]
        )
        with child.wanted.log.open("ab") as log:
            child.process = subprocess.Popen(
                child.wanted.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, **group
            )
        child.begun, child.again, child.state = time.monotonic(), None, "running"
        child.exit_status = None
        assert child.process.stdout is not None, "it was asked for"
        threading.Thread(target=self._read, args=(child, child.process.stdout), daemon=True).start()
        self._note(child)
        if self._stopping:  # since it was looked at
            self.stop()

    def _read(self, child: _Child, lines: IO[bytes]) -> None:
        for line in lines:
            try:
                found = json.loads(line)
            except ValueError:
                found = {"event": "log", "message": line.decode("utf-8", "replace").rstrip()}
            self._events.put((child, found))
        self._events.put((child, None))

    def _next(self) -> list[Event]:
        waits = [child.again - time.monotonic() for child in self._children if child.again is not None]
        try:
            child, event = self._events.get(timeout=max(0.01, min([0.5, *waits])))
        except queue.Empty:
            return []
        if event is None:
            return self._ended(child)
        child.orders += event.get("event") == "sent"
        child.trades += event.get("event") == "trade"
        if event.get("event") in ("started", "link", "sent", "trade"):
            child.state = "waiting" if event.get("what") == "lost" else "running"
            self._note(child)
        return [{"strategy": child.wanted.name, "time": self._clock(), **event}]

    def _ended(self, child: _Child) -> list[Event]:
        assert child.process is not None, "its output has ended"
        status = child.process.wait()
        child.process = None
        steady = time.monotonic() - child.begun > _STEADY
        # a terminal that is away is no fault of the strategy's
        child.starts = 0 if steady else child.starts + (status != ExitStatus.NOT_CONNECTED)
        child.wait = 0.0 if steady else child.wait
        words: dict[str, Any] = {"exit_status": status}
        child.exit_status = status
        if self._stopping or status in _FOR_GOOD or child.starts > _STARTS:
            child.state = "ended" if status == ExitStatus.OK else "failed"
        else:
            child.wait = min(2 * child.wait, _LAST_WAIT) or _FIRST_WAIT
            child.again, child.state = time.monotonic() + child.wait, "restarting"
            child.restarts += 1
            words["again_in"] = child.wait
        self._note(child)
        return [{"strategy": child.wanted.name, "event": "ended", "time": self._clock(), **words}]

    def _note(self, child: _Child) -> None:
        """Keep how things are, for ``--status``."""
        if not child.kept:
            return
        told = {
            "strategy": child.wanted.name, "state": child.state, "pid": child.process.pid if child.process else None,
            "restarts": child.restarts, "orders": child.orders, "trades": child.trades, "time": self._clock(),
            "exit_status": child.exit_status, "log": str(child.wanted.log),
        }  # fmt: skip
        beside = child.wanted.status.with_name(f"{child.wanted.status.name}.new")
        with suppress(OSError):
            beside.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
            os.replace(beside, child.wanted.status)  # noqa: PTH105

    def _kill_after(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while any(child.process is not None and child.process.poll() is None for child in self._children):
            if time.monotonic() > until:
                self._kill()
                return
            time.sleep(0.02)

    def _kill(self) -> None:
        for child in self._children:
            if child.process is not None:
                child.process.kill()


def status(path: Path) -> Event | None:
    """How the strategy of a status file is, its state ``lost`` where who looked after it has died; None for no such
    file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or not {"state", "pid"} <= {*found}:
        return None
    if found["state"] not in ("ended", "failed"):
        with suppress(OSError):
            owners = _owners(path)
            if owners.take(1):
                owners.leave(1)
                found["state"] = "lost"
    return found


def _owners(path: Path) -> Owners:
    return Owners(path.with_name(f"{path.name}.lock"))


def _take(path: Path) -> bool:
    """Become who keeps a status file; who only looks holds it for a moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    owners, until = _owners(path), time.monotonic() + _LOOKING
    while not owners.take(1):
        if time.monotonic() > until:
            return False
        time.sleep(_PAUSE)
    return True
