"""Start, error boundary, exit status."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # typing's own takes longer to import than all that --version does
if TYPE_CHECKING:
    from typing import NoReturn

    from qmtcli.commands.common import App
    from qmtcli.console import Console
    from qmtcli.errors import QmtError


def run() -> NoReturn:
    """The console script: everything there is, and out, whatever the vendor's threads are doing."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        _tell_version()
    import gc
    import os

    gc.set_threshold(100_000)  # what a start makes is kept: looking through it for garbage takes a twentieth of it
    from qmtcli.console import open_missing_descriptors

    open_missing_descriptors()
    status = main(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(status)


def _tell_version() -> NoReturn:
    """Past the streams and what they need, which would take longer than all the rest."""
    import os

    from qmtcli import __version__

    try:
        os.write(1, f"qmt {__version__}{os.linesep}".encode())
    except OSError as error:
        sys.exit(141 if isinstance(error, BrokenPipeError) else 0)  # no descriptor: nobody is there to be told
    sys.exit(0)


class Terminated(BaseException):
    """SIGTERM came."""


def main(argv: list[str], console: Console | None = None) -> int:
    """Run qmt; the exit status. Everything that goes wrong is reported here."""
    from qmtcli.commands.common import App
    from qmtcli.console import Console

    own = console is None
    console = console or Console()
    _first_look(argv, console)
    if own:
        _on_terminate()
    app = App(console)
    app.words = list(argv)
    try:
        try:
            status = _run(argv, app)
        finally:
            app.close()
    except BaseException as error:
        if console.debug and not isinstance(error, (SystemExit, KeyboardInterrupt, BrokenPipeError)):
            import traceback

            traceback.print_exc(file=console.stderr)
        status = _report(error, app)
    console.end_log(status)
    return status


def _run(argv: list[str], app: App) -> int:
    from qmtcli.cli import root

    if request := app.console.env.get("_QMT_COMPLETE"):
        from qmtcli.commands.shells import answer

        return answer(root(), request, app)
    cli = root()
    # not cli.main, which has a status of its own for a closed pipe
    with cli.make_context("qmt", list(argv), obj=app) as ctx:
        status = int(cli.invoke(ctx) or 0)
        app.settle()
        return status


def _report(error: BaseException, app: App) -> int:
    """The exit status of what ended the run, told on stderr where anybody is to be told."""
    import click

    from qmtcli.errors import ExitStatus, OutcomeUnknown, QmtError, UsageError

    sent = app.desk.sent if app.desk is not None else []
    if isinstance(error, click.exceptions.Exit):
        return int(error.exit_code)
    if isinstance(error, BrokenPipeError):
        if not sent:
            return ExitStatus.PIPE_CLOSED
    elif isinstance(error, (KeyboardInterrupt, click.exceptions.Abort)):
        if not sent:
            return ExitStatus.INTERRUPTED
    elif isinstance(error, Terminated):
        if not sent:
            return ExitStatus.TERMINATED
    elif isinstance(error, click.exceptions.NoArgsIsHelpError):
        app.console.stderr.write(error.format_message() + "\n")
        return ExitStatus.USAGE
    elif isinstance(error, click.UsageError):
        from qmtcli.commands.usage import complaint

        command = error.ctx.command_path if error.ctx else "qmt"
        error = UsageError("usage", detail=complaint(error), command=command)
    elif isinstance(error, QmtError) and (not sent or error.exit_status == ExitStatus.UNKNOWN):
        pass
    elif not sent:
        error = _as_own(error)
    if sent and not (isinstance(error, QmtError) and error.exit_status == ExitStatus.UNKNOWN):
        why = type(error).__name__ if not isinstance(error, QmtError) else error.code
        error = OutcomeUnknown("stopped_after_sending", ids=list(sent), why=why)
    assert isinstance(error, QmtError)
    app.open_log()
    if sent:
        error.params.setdefault("ids", list(sent))
    app.console.error(error)
    return int(error.exit_status)


def _as_own(error: BaseException) -> QmtError:
    """An exception that no room foresaw: a full disk or a locked file is the environment's, the rest is a bug."""
    import sqlite3

    from qmtcli.errors import ConfigError, QmtError

    if isinstance(error, sqlite3.OperationalError):
        return ConfigError("state_unusable", path="", why=str(error))
    return QmtError("bug", detail=f"{type(error).__name__}: {error}")


def _first_look(argv: list[str], console: Console) -> None:
    """Format, language, log and debug as far as the bare words tell, so that even a usage error is told in them."""
    from qmtcli.console import FORMATS
    from qmtcli.messages import set_language

    formats = [console.env.get("QMT_OUTPUT", "")]
    languages = [console.env.get("QMT_LANG", "")]
    for word, following in zip(argv, [*argv[1:], ""], strict=False):
        if word == "--":
            break
        name, _, value = word.partition("=")
        if word == "--json":
            formats.append("json")
        elif name in ("-o", "--output"):
            formats.append(value or following)
        elif name == "--lang":
            languages.append(value or following)
        elif name == "--log":
            console.log_file = value or following
        elif word == "--debug":
            console.debug = True
    console.command = " ".join(["qmt", *argv])
    console.format = next((name for name in reversed(formats) if name in FORMATS), console.format)
    console.lang = next((name for name in reversed(languages) if name in ("zh", "en")), console.lang)
    set_language(console.lang)


def _on_terminate() -> None:
    import signal

    def leave(number: int, frame: object) -> None:
        raise Terminated

    signal.signal(signal.SIGTERM, leave)


if __name__ == "__main__":
    run()
