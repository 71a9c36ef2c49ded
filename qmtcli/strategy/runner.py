"""Running a plain xtquant script on the profile's backend, in this process, as Python itself would run it."""

from __future__ import annotations

import atexit
import builtins
import os
import signal
import sys
import threading
from collections.abc import Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

from qmtcli import backend
from qmtcli.config import Profile
from qmtcli.desk.guarding import Guard
from qmtcli.errors import ExitStatus, OutcomeUnknown, QmtError, UsageError
from qmtcli.xt import line, loader


class _Terminated(KeyboardInterrupt):
    """SIGTERM came: a script that tidies up after Ctrl-C does so here too."""


def run_plain(
    profile: Profile,
    env: Mapping[str, str],
    file: str,
    arguments: list[str],
    guard: Guard | None = None,
    watch: backend.Watch | None = None,
) -> int:
    """Run a script as ``__main__``; its exit status. What it raises is printed as Python prints it, status 1; what the
    paper exchange below it raises, a tape that cannot be read, is raised here.

    Ctrl-C and SIGTERM are how a script in ``run_forever`` ends: 130 or 143 when it had sent nothing, 0 when every
    order it sent has its answer. ``guard``: what its orders and cancels pass; ``watch`` as in `backend.prepare`. Raises
    UsageError for a file that is not there, Refused for a package that cannot be guarded, OutcomeUnknown when it is
    stopped and an order may have been sent that has no answer, guarded when it ends so, too.
    """
    path = Path(file)
    if not path.is_file():
        raise UsageError("no_strategy_file", path=file)
    backend.prepare(profile, env, watch)
    backend.keep_children(profile)
    loader.load(backend.package(profile) if profile.live else None)
    if guard is not None:
        line.guard(guard, profile.name)
    signal.signal(signal.SIGTERM, _terminate)
    sys.argv = [file, *arguments]
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        sys.path[0] = str(path.resolve().parent)
    try:
        try:
            status = _execute(_absolute(path))
        finally:
            _end_as_python_does()
    except KeyboardInterrupt as stop:
        return _stopped(stop) if guard is None else _stopped_guarded(stop, guard)
    if guard is not None and (unanswered := guard.close()):
        raise OutcomeUnknown("stopped_after_sending", ids=unanswered, why=f"status {status}")
    return status


def _absolute(path: Path) -> str:
    """The name that a script knows itself by; Windows takes the dots out of it."""
    return os.path.abspath(path) if os.name == "nt" else str(path.absolute())  # noqa: PTH100


def _execute(file: str) -> int:
    """Run a file in a module that takes the place of ``__main__``, for threads, pickles and exit handlers too."""
    source = SourceFileLoader("__main__", file)
    main = ModuleType("__main__")
    main.__dict__.update(__annotations__={}, __builtins__=builtins, __cached__=None, __file__=file, __loader__=source)
    sys.modules["__main__"] = main
    try:
        exec(source.source_to_code(source.get_data(file), file), main.__dict__)
    except (KeyboardInterrupt, QmtError):
        raise
    except SystemExit as leaving:
        return _status_of(leaving)
    except BaseException as error:
        _print_as_python_does(error, file)
        return ExitStatus.BUG
    return ExitStatus.OK


def _end_as_python_does() -> None:
    """Wait for the threads that the script left running, then run its exit handlers."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
    finally:
        atexit._run_exitfuncs()


def _print_as_python_does(error: BaseException, script: str) -> None:
    """The traceback from the script's first line on, without the frames that brought it there."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != script:
        trace = trace.tb_next
    sys.excepthook(type(error), error.with_traceback(trace), trace)


def _stopped(stop: KeyboardInterrupt) -> int:
    """What a stopped script leaves behind, by the orders and cancels that the native line took and answered."""
    native = sys.modules.get("xtquant.xtpythonclient")
    traffic = getattr(native, "TRAFFIC", None)
    if native is None or (traffic is not None and not traffic.sent):
        return ExitStatus.TERMINATED if isinstance(stop, _Terminated) else ExitStatus.INTERRUPTED
    if traffic is None or traffic.sent > traffic.answered:
        # the real native line keeps no count
        raise OutcomeUnknown("stopped_after_sending", ids=[], why=type(stop).__name__.lstrip("_"))
    return ExitStatus.OK


def _stopped_guarded(stop: KeyboardInterrupt, guard: Guard) -> int:
    """What a stopped script leaves behind, as far as its orders have their answers."""
    if unanswered := guard.close():
        raise OutcomeUnknown("stopped_after_sending", ids=unanswered, why=type(stop).__name__.lstrip("_"))
    if guard.sent:
        return ExitStatus.OK
    return ExitStatus.TERMINATED if isinstance(stop, _Terminated) else ExitStatus.INTERRUPTED


def _status_of(leaving: SystemExit) -> int:
    if leaving.code is None or isinstance(leaving.code, int):
        return leaving.code or 0
    print(leaving.code, file=sys.stderr)
    return ExitStatus.BUG


def _terminate(number: int, frame: object) -> None:
    raise _Terminated
