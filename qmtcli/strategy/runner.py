"""Running a plain xtquant script in this process, on the profile's backend."""

from __future__ import annotations

import atexit
import runpy
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path

from qmtcli import backend
from qmtcli.config import Profile
from qmtcli.errors import ExitStatus, OutcomeUnknown, Refused, UsageError


def run_plain(profile: Profile, env: Mapping[str, str], file: str, arguments: list[str], unguarded: bool) -> int:
    """Run a script as ``__main__``; its exit status. What it raises is printed as Python prints it: status 1.

    Ctrl-C is how a script in ``run_forever`` ends: 130 when it had sent nothing, 0 when every order it sent has
    its answer. Raises UsageError for a file that is not there, Refused on a live profile without ``unguarded``,
    OutcomeUnknown when it ends with orders that have no answer yet.
    """
    path = Path(file)
    if not path.is_file():
        raise UsageError("no_strategy_file", path=file)
    if profile.live and not unguarded:
        raise Refused("script_needs_unguarded", profile=profile.name)
    backend.prepare(profile, env)
    if profile.live:
        from qmtcli.xt import loader

        loader.load(profile.module_path or "")
    sys.argv = [file, *arguments]
    sys.path.insert(0, str(path.parent.absolute()))
    status = int(ExitStatus.OK)
    try:
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as leaving:
            status = _status_of(leaving)
        except Exception as error:
            _print_as_python_does(error, str(path))
            status = ExitStatus.BUG
        _end_as_python_does()
    except KeyboardInterrupt:
        return _interrupted()
    return status


def _end_as_python_does() -> None:
    """Wait for the threads that the script left running, then run its exit handlers."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()


def _print_as_python_does(error: BaseException, script: str) -> None:
    """The traceback from the script's first line on, without the frames that brought it there."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != script:
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)


def _interrupted() -> int:
    """What Ctrl-C leaves behind, by the orders and cancels that the native line took and answered."""
    native = sys.modules.get("xtquant.xtpythonclient")
    traffic = getattr(native, "TRAFFIC", None)
    if traffic is None or not traffic.sent:
        return ExitStatus.INTERRUPTED
    if traffic.sent > traffic.answered:
        raise OutcomeUnknown("stopped_after_sending", ids=[], why="KeyboardInterrupt")
    return ExitStatus.OK


def _status_of(leaving: SystemExit) -> int:
    if leaving.code is None or isinstance(leaving.code, int):
        return leaving.code or 0
    print(leaving.code, file=sys.stderr)
    return ExitStatus.BUG
