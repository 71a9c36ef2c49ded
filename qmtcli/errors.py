"""What can go wrong, as a tree by what the user must do next, and the exit status of each branch.

An error carries a stable ``code`` and the values its text needs; the words are in `qmtcli.messages`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitStatus(IntEnum):
    """Exit status of ``qmt``. No order stands: 2 3 4 5 6 10 11; stands: 0 8; look: 7 9 (1)."""

    OK = 0
    BUG = 1
    USAGE = 2
    CONFIG = 3
    NOT_CONNECTED = 4
    REJECTED = 5
    REFUSED = 6
    UNKNOWN = 7
    OPEN = 8
    PARTIAL = 9
    NO_DATA = 10
    NO = 11
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    TERMINATED = 143


class QmtError(Exception):
    """Anything qmt reports to its user. ``params`` fill the text of ``code`` and appear in JSON as they are."""

    exit_status: ClassVar[ExitStatus] = ExitStatus.BUG

    def __init__(self, code: str, /, **params: object) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


class UsageError(QmtError):
    """The command line or the input is malformed: correct it."""

    exit_status = ExitStatus.USAGE


class ConfigError(QmtError):
    """Configuration, installation or environment is wrong: mend it."""

    exit_status = ExitStatus.CONFIG


class NotConnected(QmtError):
    """Terminal, broker link or data service is not there: start it, log in, try again."""

    exit_status = ExitStatus.NOT_CONNECTED


class Rejected(QmtError):
    """The broker or the exchange said no, in its own words. No order stands."""

    exit_status = ExitStatus.REJECTED


class Refused(QmtError):
    """qmt said no before anything was sent."""

    exit_status = ExitStatus.REFUSED


class OutcomeUnknown(QmtError):
    """Something was sent and its outcome is not known: look, do not resend."""

    exit_status = ExitStatus.UNKNOWN


class Partial(QmtError):
    """Done in part."""

    exit_status = ExitStatus.PARTIAL


class NoData(QmtError):
    """The service is there and does not have, or does not know, what was asked for."""

    exit_status = ExitStatus.NO_DATA


class StrategyFailed(QmtError):
    """A strategy's own code raised: mend it."""

    exit_status = ExitStatus.BUG
