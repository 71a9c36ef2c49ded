"""The emergency stop: a file in the state folder, of all profiles, which outlives processes and reboots."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from qmtcli.errors import ConfigError


class Halt(NamedTuple):
    """That nothing new may be sent, since when, and whether sells of what is held may."""

    #: ISO 8601; empty where the file does not say
    since: str = ""
    allow_sells: bool = False


def read(path: Path) -> Halt | None:
    """The halt in force, None without one. A file that cannot be read is a halt too."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return Halt()
    try:
        found = json.loads(text)
        return Halt(str(found["since"]), found["allow_sells"] is True)
    except (ValueError, KeyError, TypeError):
        return Halt()


def begin(path: Path, halt: Halt) -> None:
    """Put a halt in force, and on the disk. Raises ConfigError ``state_unusable``."""
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("w", encoding="utf-8") as file:
            json.dump(halt._asdict(), file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise ConfigError("state_unusable", path=str(path.parent), why=error.strerror or str(error)) from error


def end(path: Path) -> bool:
    """End the halt; whether there was one. Raises ConfigError ``state_unusable``."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ConfigError("state_unusable", path=str(path.parent), why=error.strerror or str(error)) from error
    return True
