"""A tape whose instruments are as the user's own table has them."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from qmtcli.model import Instrument
from qmtcli.paper.tape import Tape
from qmtcli.rules.instruments import Overrides, overridden


def override(tape: Tape, overrides: Overrides) -> Tape:
    """The tape in everything but what it says of an instrument."""
    return cast(Tape, _Overridden(tape, overrides))


class _Overridden:
    def __init__(self, tape: Tape, overrides: Overrides) -> None:
        self._tape = tape
        self._overrides = overrides
        self.instrument = cache(self._instrument)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tape, name)

    def _instrument(self, code: str) -> Instrument | None:
        known = self._tape.instrument(code)
        return overridden(known, self._overrides) if known else None
