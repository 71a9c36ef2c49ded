"""Calls of the vendor's that may never return, on daemon threads that nobody waits for longer than said."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from qmtcli.errors import NotConnected

#: where an answer is waited for: (True, the answer) or (False, what is to be raised)
Box: TypeAlias = "queue.SimpleQueue[tuple[bool, Any]]"
T = TypeVar("T")


def within(seconds: float, call: Callable[[], T], what: str, box: Box | None = None) -> T:
    """What a call returns, or raises. Raises NotConnected when it does not end in time.

    Native code that holds the interpreter can delay that by as long as it does.
    """
    answers: Box = queue.SimpleQueue() if box is None else box

    def run() -> None:
        try:
            answers.put((True, call()))
        except BaseException as error:
            answers.put((False, error))

    threading.Thread(target=run, name=f"qmt-{what}", daemon=True).start()
    return wait(answers, seconds, what)  # type: ignore[no-any-return]


def wait(box: Box, seconds: float, what: str) -> Any:
    """The answer that comes into a box, or what is raised instead. Raises NotConnected when none comes in time."""
    try:
        fine, answer = box.get(timeout=max(seconds, 0.0))
    except queue.Empty:
        raise NotConnected("no_answer", call=what, seconds=round(seconds, 1)) from None
    if not fine:
        raise answer
    return answer
