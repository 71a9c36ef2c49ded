"""Subscriptions to the market: one thread that looks at the tape and calls back with what came up."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from qmtcli.paper import history
from qmtcli.paper.feed import Feed
from qmtcli.paper.shapes import bar_row, lot_of, tick_row

_POLL_SECONDS = 0.05
#: polls between two looks at the account, whose day may have turned
_POLLS_A_DAY_CHECK = 20

Callback = Callable[[dict[str, Any]], object]


class Subscription:
    """What one subscriber has been told. It begins with what is on display."""

    def __init__(self, codes: Sequence[str], callback: Callback | None, period: str = "tick") -> None:
        self.codes = codes
        self.callback = callback
        self.period = period
        #: epoch ms of the newest snapshot that was pushed, by code
        self._seen: dict[str, int] = {}

    def news(self, feed: Feed, now: int) -> list[dict[str, Any]]:
        """The pushes due at ``now``, in order."""
        raise NotImplementedError

    def _new_ticks(self, feed: Feed, code: str, now: int) -> list[tuple[int, Any]]:
        seen = self._seen.get(code)
        if seen is None:
            shown = feed.tick(code, now)
            ticks = [shown] if shown else []
        else:
            ticks = feed.ticks(code, seen, now)
        if ticks:
            self._seen[code] = ticks[-1][0]
        return ticks


class TickSubscription(Subscription):
    """Every snapshot of one code: ``{code: [row]}``."""

    def news(self, feed: Feed, now: int) -> list[dict[str, Any]]:
        (code,) = self.codes
        instrument = feed.tape.instrument(code)
        assert instrument is not None
        lot = lot_of(instrument)
        return [{code: [tick_row(stamp, tick, lot)]} for stamp, tick in self._new_ticks(feed, code, now)]


class BarSubscription(Subscription):
    """The newest bar of one code whenever a snapshot changes it: ``{code: [row]}``."""

    def __init__(self, code: str, period: str, dividend_type: str, callback: Callback | None) -> None:
        super().__init__([code], callback, period)
        self._dividend_type = dividend_type
        self._pushed = 0

    def news(self, feed: Feed, now: int) -> list[dict[str, Any]]:
        (code,) = self.codes
        new = self._new_ticks(feed, code, now)
        if not new:
            return []
        instrument = feed.tape.instrument(code)
        assert instrument is not None
        # the bars that snapshots since the last push can have touched: two, unless the clock jumped
        count = 2 if self._pushed else 1
        bars = history.bars(feed, code, self.period, None, None, count, self._dividend_type)
        due = [(stamp, bar) for stamp, bar in bars if stamp >= self._pushed]
        self._pushed = due[-1][0] if due else self._pushed
        return [{code: [bar_row(stamp, bar, lot_of(instrument))]} for stamp, bar in due]


class WholeSubscription(Subscription):
    """The newest snapshot of each of many codes that has one: ``{code: row, …}``."""

    def news(self, feed: Feed, now: int) -> list[dict[str, Any]]:
        rows = {}
        for code in self.codes:
            new = self._new_ticks(feed, code, now)
            instrument = feed.tape.instrument(code)
            if new and instrument is not None:
                rows[code] = tick_row(*new[-1], lot_of(instrument))
        return [rows] if rows else []


class Pushes:
    """The subscriptions of one client. ``feed`` gives the market as it stands, on the day in force."""

    def __init__(self, feed: Callable[[], Feed]) -> None:
        self._feed = feed
        self._lock = threading.Lock()
        self._subscriptions: dict[int, Subscription] = {}
        self._last_number = 0
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, subscription: Subscription) -> int:
        """Its number, above 0."""
        with self._lock:
            self._last_number += 1
            self._subscriptions[self._last_number] = subscription
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="paper-quotes", daemon=True)
                self._thread.start()
            return self._last_number

    def remove(self, number: int) -> None:
        """No push of it begins after this."""
        with self._lock:
            self._subscriptions.pop(number, None)

    def numbers(self) -> list[int]:
        """Subscriptions in force."""
        with self._lock:
            return list(self._subscriptions)

    def all(self) -> list[tuple[int, Subscription]]:
        """Subscriptions in force, with their numbers."""
        with self._lock:
            return list(self._subscriptions.items())

    def stop(self) -> None:
        """End them all."""
        self._stopped.set()
        with self._lock:
            self._subscriptions.clear()

    def _watch(self) -> None:
        for poll in count():
            if poll % _POLLS_A_DAY_CHECK == 0:
                feed = self._feed()
            now = feed.now_ms()
            for number in self.numbers():
                subscription = self._subscriptions.get(number)
                if subscription is None or subscription.callback is None:
                    continue
                for news in subscription.news(feed, now):
                    if number in self._subscriptions:
                        _call(subscription.callback, news)
            if self._stopped.wait(_POLL_SECONDS):
                return


def _call(callback: Callback, news: dict[str, Any]) -> None:
    try:
        callback(news)
    except Exception:
        # a subscriber's mistake must not silence the others
        traceback.print_exc()
