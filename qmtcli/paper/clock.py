"""What time it is on the paper exchange: the real clock, or one that a test sets.

A clock text is an ISO time, ``2023-02-07T10:00:00``: frozen there. With a trailing ``+`` time runs on from
there, counted from ``started`` so that every process of the run agrees. With a file's path as ``@FILE`` the
file holds such a text and may be rewritten while processes run: that steps the clock.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from functools import lru_cache

#: Asia/Shanghai has had no summer time since 1991, so a fixed offset serves every date of the rules.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")

DAY_MS = 86_400_000
_OFFSET_MS = 8 * 3_600_000


@lru_cache(maxsize=16)
def parse(text: str) -> int:
    """Epoch milliseconds of an ISO time; without an offset it is Shanghai's. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=SHANGHAI)
    return round(moment.timestamp() * 1000)


def day_of(epoch_ms: int) -> int:
    """Days since 1970-01-01 in Shanghai."""
    return (epoch_ms + _OFFSET_MS) // DAY_MS


def time_of(epoch_ms: int) -> int:
    """Milliseconds since midnight in Shanghai."""
    return (epoch_ms + _OFFSET_MS) % DAY_MS


def midnight(day_number: int) -> int:
    """Epoch milliseconds of the midnight that begins a Shanghai day."""
    return day_number * DAY_MS - _OFFSET_MS


class Clock:
    """Epoch milliseconds now. ``started`` (epoch ms) is when the run with a running set clock began."""

    def __init__(self, text: str = "", started: int = 0) -> None:
        self._path = text[1:] if text.startswith("@") else None
        self._text = "" if self._path else text
        self._started = started

    def now_ms(self) -> int:
        """Raises ValueError when the set time cannot be read, OSError when its file cannot."""
        if self._path is not None:
            with open(self._path, encoding="utf-8") as file:  # noqa: PTH123 - read at each tick
                # whoever steps the clock empties the file for a moment: the old time holds until the new one
                self._text = file.read().strip() or self._text
            if not self._text:
                raise ValueError(f"no time in {self._path}")
        text = self._text
        if not text:
            return time.time_ns() // 1_000_000
        if text.endswith("+"):
            return parse(text[:-1]) + time.time_ns() // 1_000_000 - self._started
        return parse(text)
