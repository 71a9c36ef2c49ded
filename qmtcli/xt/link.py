"""One link to a terminal: an `XtQuantTrader` of the vendor's, which connects once, asked with deadlines.

What the vendor's package does to its callers ends here: calls without a timeout, None for "failed", callbacks in
threads of its own.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from qmtcli.errors import NotConnected
from qmtcli.xt import loader
from qmtcli.xt.deadline import Box, wait, within

#: seconds that the vendor's ``stop`` is given before it is left behind
_STOP_SECONDS = 1.0
T = TypeVar("T")


class Slot(NamedTuple):
    """A session id that is this process's own until ``release(connected)``."""

    session_id: int
    #: told whether the terminal has known a session of that id
    release: Callable[[bool], None]


class Link:
    """Made connected; once lost it never comes back, and a late callback of it concerns nobody else."""

    def __init__(
        self,
        path: str,
        slot: Slot,
        seconds: float,
        prove: Callable[[object, str], None] | None,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """``prove(native client, its module)`` is asked before the first call goes through that client; ``wake`` is
        called whenever there is an event.

        Raises NotConnected when the terminal does not answer 0 in time, ConfigError as `loader.trader_module`.
        """
        #: what comes by itself: a callback's name without its ``on_``, and its argument
        self.events: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.lost = False
        self._wake = wake
        #: where the answer under way is waited for, and what it is to
        self._box: Box = queue.SimpleQueue()
        self._what = ""
        self._slot = slot
        try:
            self.trader = loader.new_trader(path, slot.session_id)
            if prove is not None:
                prove(getattr(self.trader, "async_client", None), "xtquant.xtpythonclient")
            self.trader.register_callback(_Listener(self._hear))
            self.trader.start()
        except BaseException:
            slot.release(False)
            raise
        # while it is not known whether the terminal took the id, the id stays this process's own
        result = self.call(self.trader.connect, "connect", seconds)
        if result != 0:
            slot.release(False)
            raise NotConnected("connect_failed", path=path, result=result)

    def close(self) -> None:
        """Leave."""
        stopping = threading.Thread(target=_quietly, args=(self.trader.stop,), daemon=True)
        stopping.start()
        stopping.join(_STOP_SECONDS)
        self._slot.release(True)

    def call(self, call: Callable[[], T], what: str, seconds: float) -> T:
        """The result of a vendor call that has no asynchronous form.

        Raises NotConnected when it does not end in time, and whatever the call raises.
        """
        return within(seconds, call, what, self._new_box(what))

    def ask(self, call: Callable[[Callable[[Any], None]], object], what: str, seconds: float) -> Any:
        """The answer to an asynchronous vendor query, None where it failed. Raises NotConnected when none comes."""
        box = self._new_box(what)
        call(lambda answer: box.put((True, answer)))
        return wait(box, seconds, what)

    def _new_box(self, what: str) -> Box:
        box: Box = queue.SimpleQueue()
        self._box, self._what = box, what
        if self.lost:
            self._give_up()
        return box

    def _give_up(self) -> None:
        self._box.put((False, NotConnected("link_lost", call=self._what)))

    def _hear(self, name: str, value: Any) -> None:
        self.events.put((name, value))
        if name == "disconnected":
            self.lost = True  # before the box is looked up: who makes a new one looks at this
            self._give_up()
        self._wake()


class _Listener:
    """The callback object of a trader: it only hands on what comes, so that no vendor thread ever waits for us."""

    def __init__(self, hear: Callable[[str, Any], None]) -> None:
        self._hear = hear

    def __getattr__(self, name: str) -> Callable[..., None]:
        if not name.startswith("on_"):
            raise AttributeError(name)
        return lambda value=None, *_: self._hear(name[3:], value)


def _quietly(call: Callable[[], object]) -> None:
    try:
        call()
    except Exception:  # the vendor's stop raises what it likes; the link is over either way
        return
