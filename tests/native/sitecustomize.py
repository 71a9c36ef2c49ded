"""What tests do to a run at its native line: with this folder on PYTHONPATH every method there is wrapped.

NATIVE_LOG=FILE         every call adds its name to the file
NATIVE_SESSIONS=FILE    every session adds "+ID SECONDS" to the file when it is made and "-ID SECONDS" when it stops, by
                        the machine's monotonic clock
NATIVE_NOISE=1          every call prints, through Python and past it, on both streams, as vendors do; from the first
                        one on a thread does so all the time
NATIVE_TELL=NAME:N:FIFO when the Nth call of NAME has returned, a line is written to the FIFO
NATIVE_HOLD=NAME:FIFO   a call of NAME writes a line to the FIFO and never returns
NATIVE_FAIL=NAME        a call of NAME of the data service's client raises
NATIVE_MUTE=NAME        a call of NAME of the data service's client never returns
NATIVE_UNQUOTED=CODE:N  from the Nth answer of get_full_tick on the code is missing in it
"""

from __future__ import annotations

import ctypes
import functools
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qmtcli.paper.market import IPythonApiClient
from qmtcli.paper.trading import XtQuantAsyncClient

_puts = ctypes.CDLL(None if os.name == "posix" else "ucrtbase").puts
_calls: Counter[str] = Counter()
_told, _, _tell_fifo = os.environ.get("NATIVE_TELL", "").rpartition(":")
_held, _, _hold_fifo = os.environ.get("NATIVE_HOLD", "").rpartition(":")


def _wrapped(client: type, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*arguments: Any) -> Any:
        _calls[name] += 1
        if "NATIVE_LOG" in os.environ:
            with Path(os.environ["NATIVE_LOG"]).open("a") as log:
                log.write(f"{name}\n")
        if name == "stop" and client is XtQuantAsyncClient:
            _tell_session("-", _sessions[id(arguments[0])])
        if "NATIVE_NOISE" in os.environ:
            _make_noise()
            if sum(_calls.values()) == 1:
                threading.Thread(target=_never_stop, daemon=True).start()
        if name == _held:
            Path(_hold_fifo).write_text("held\n")
            threading.Event().wait()
        if client is IPythonApiClient and name == os.environ.get("NATIVE_FAIL"):
            raise RuntimeError(f"{name} failed")
        if client is IPythonApiClient and name == os.environ.get("NATIVE_MUTE"):
            threading.Event().wait()
        answer = method(*arguments)
        if name == "get_full_tick" and "NATIVE_UNQUOTED" in os.environ:
            code, number = os.environ["NATIVE_UNQUOTED"].split(":")
            if _calls[name] >= int(number):
                answer = json.dumps({key: row for key, row in json.loads(answer).items() if key != code})
        if f"{name}:{_calls[name]}" == _told:
            Path(_tell_fifo).write_text("told\n")
        return answer

    return call


def _made(client: XtQuantAsyncClient, path: bytes, name: bytes, session: int) -> None:
    _make(client, path, name, session)
    _sessions[id(client)] = session
    _tell_session("+", session)


def _tell_session(sign: str, session: int) -> None:
    if "NATIVE_SESSIONS" in os.environ:
        with Path(os.environ["NATIVE_SESSIONS"]).open("a") as log:
            log.write(f"{sign}{session} {time.monotonic()}\n")


def _make_noise() -> None:
    for stream in (sys.stdout, sys.stderr):
        os.write(stream.fileno(), b"noise of native code\n")
        print("noise of Python code", file=stream, flush=True)
    _puts(b"noise of C code")


def _never_stop() -> None:
    while True:
        _make_noise()
        threading.Event().wait(0.01)


_sessions: dict[int, int] = {}
_make = XtQuantAsyncClient.__init__
XtQuantAsyncClient.__init__ = _made  # type: ignore[method-assign]
for _client in (XtQuantAsyncClient, IPythonApiClient):
    for _name, _method in list(vars(_client).items()):
        if callable(_method) and not _name.startswith("_"):
            setattr(_client, _name, _wrapped(_client, _name, _method))
