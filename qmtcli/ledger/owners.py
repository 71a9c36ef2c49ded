"""Who is at work on an entry: a lock of the system's on one byte of a file, which dies with its process."""

from __future__ import annotations

import os
from pathlib import Path

#: descriptors by path: closing one would let go of every lock that the process has on the file
_DESCRIPTORS: dict[Path, int] = {}


class Owners:
    """The locks of a ledger's entries, by their keys (from 1)."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        if path not in _DESCRIPTORS:
            _DESCRIPTORS[path] = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._descriptor = _DESCRIPTORS[path]
        self._held: set[int] = set()

    def take(self, key: int) -> bool:
        """Whether an entry is this process's own from now on; False when another process is at work on it."""
        if key in self._held:
            return True
        if not _lock(self._descriptor, key):
            return False
        self._held.add(key)
        return True

    def leave(self, key: int) -> None:
        """Let an entry go."""
        if key in self._held:
            self._held.remove(key)
            _unlock(self._descriptor, key)

    def leave_all(self) -> None:
        """Let every entry go."""
        for key in [*self._held]:
            self.leave(key)


if os.name == "nt":
    import msvcrt

    def _lock(descriptor: int, key: int) -> bool:
        os.lseek(descriptor, key, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True

    def _unlock(descriptor: int, key: int) -> None:
        os.lseek(descriptor, key, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined]

else:
    import fcntl

    def _lock(descriptor: int, key: int) -> bool:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, key)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _unlock(descriptor: int, key: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, key)
