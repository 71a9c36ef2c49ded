"""Everything between qmt and whoever started it: streams, terminal or not, language, format, prompts.

One object, replaceable in tests. Its ``stdout`` is the only way to the caller's stdout: once `guard` has been
called, descriptor 1 itself leads elsewhere, so that nothing the vendor prints, from Python or from native code, in
whatever thread, reaches it.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from typing import IO, Any, TextIO

from qmtcli.errors import QmtError
from qmtcli.messages import error_text, word

FORMATS = ("table", "wide", "json", "ndjson", "csv", "id")
#: how many handles of Windows are opened to find a certain one again; a number that was freed is among the next used
_HANDLES = 64
#: formats whose reader is a program
MACHINE = frozenset({"json", "ndjson", "csv", "id"})


class Console:
    """The caller's streams and wishes."""

    def __init__(
        self,
        stdin: IO[bytes] | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        env: Mapping[str, str] | None = None,
        interactive: bool | None = None,
        stdout_is_terminal: bool | None = None,
    ) -> None:
        self.env: Mapping[str, str] = os.environ if env is None else env
        self._own_stdout = stdout is None
        self._own_stderr = stderr is None
        self._windows = os.name == "nt"
        self.stdin: IO[bytes] = sys.stdin.buffer if stdin is None else stdin
        self.stderr: TextIO = _utf8(sys.stderr) if stderr is None else stderr
        self.stdout: TextIO = _utf8(sys.stdout) if stdout is None else stdout
        self.interactive = _is_terminal(sys.stdin) and _is_terminal(sys.stderr) if interactive is None else interactive
        self.stdout_is_terminal = _is_terminal(self.stdout) if stdout_is_terminal is None else stdout_is_terminal
        self.stderr_is_terminal = _is_terminal(self.stderr)
        self.format = "table"
        self.lang = system_language(self.env)
        self.debug = False
        self.color = not self.env.get("NO_COLOR") and _obeys_escapes(self.env)
        self.fields: tuple[str, ...] = ()
        self.log: TextIO | None = None
        #: the command line, and the file that it names for a log, as far as the bare words tell
        self.command = ""
        self.log_file: str | None = None
        #: whether a `passing` line is on display
        self._passing = False
        #: words that tell paper from live on stderr and in captions, once the profile is known
        self.tag = ""
        #: ``mode``, ``profile`` and ``account_id`` of every row and error, once the profile is known
        self.identity: dict[str, str] = {}

    @property
    def machine(self) -> bool:
        """Whether a program reads stdout."""
        return self.format in MACHINE

    @property
    def width(self) -> int | None:
        """Columns of the terminal that shows stdout, None when nothing shows it."""
        if not self.stdout_is_terminal:
            return None
        import shutil

        return shutil.get_terminal_size().columns

    def word(self, key: str) -> str:
        """A word in the reader's language."""
        return word(key, self.lang)

    def mark(self, terminal: bool) -> str:
        """`tag` as a line begins with it; on a terminal a live account's is red."""
        loud = terminal and self.color and self.identity.get("mode") == "live"
        return f"\x1b[1;31m{self.tag}\x1b[0m" if loud else self.tag

    # -- out -------------------------------------------------------------------------------------------

    def data(self, text: str) -> None:
        """Write data. Raises BrokenPipeError when the reader has gone."""
        self.passing("")
        self.stdout.write(text)
        self.stdout.flush()

    def hold_reader(self) -> None:
        """Hold that the reader of stdout is there, which a write would tell; for whoever has long nothing to write.

        Raises BrokenPipeError; on Windows, where only a write tells, never.
        """
        if os.name == "nt":
            return
        import select

        watch = select.poll()
        watch.register(self.stdout, 0)
        if any(event & (select.POLLERR | select.POLLHUP) for _, event in watch.poll(0)):
            raise BrokenPipeError

    def say(self, text: str) -> None:
        """Tell a person something; silent while a program reads stdout."""
        self._log(text)
        if not self.machine:
            self._stderr(text)

    def warn(self, text: str) -> None:
        """Tell a person something that must not be missed: under json too, on a terminal or in the log."""
        self._log(text)
        if not self.machine or self.interactive:
            self._stderr(text)

    def passing(self, text: str) -> None:
        """Show a person at a terminal what takes so long: the next such line takes its place, an empty one wipes it."""
        if (text or self._passing) and self.stderr_is_terminal and not self.machine and _obeys_escapes(self.env):
            self._passing = bool(text)
            self._write_error(f"\r\x1b[K{self.mark(True) + self._clipped(text) if text else ''}", end="")

    def _clipped(self, text: str) -> str:
        """As much of a text as one line has room for beside the mark: what a second line shows would stay."""
        import shutil

        from wcwidth import wcwidth

        room = shutil.get_terminal_size().columns - 1 - sum(map(wcwidth, self.tag))
        for place, char in enumerate(text):
            room -= max(wcwidth(char), 0)
            if room < 0:
                return text[:place]
        return text

    def error(self, error: QmtError) -> None:
        """Report an error: one line, or one JSON object when a program reads stdout as JSON."""
        message, hint = error_text(error.code, error.params, self.lang)
        body = {"code": error.code, "message": message, "hint": hint, "exit_status": int(error.exit_status)}
        self.error_of({**body, **_plain(error.params), **body, **self.identity})

    def error_of(self, body: dict[str, Any]) -> None:
        """Report an error by the body of its object; one that happened elsewhere says on which profile."""
        elsewhere = "" if self.identity or "profile" not in body else f"{body['profile']}: "
        self._log(f"{elsewhere}{body['code']}: {body['message']}")
        if self.format in ("json", "ndjson"):
            import json

            ascii_only = self._windows and not self.stderr_is_terminal
            self._write_error(json.dumps({"error": body}, ensure_ascii=ascii_only))
        else:
            hint = f" — {body['hint']}" if body["hint"] else ""
            self._stderr(f"qmt: {elsewhere}{body['message']}{hint}")

    def _stderr(self, text: str) -> None:
        self._write_error(f"{self.mark(self.stderr_is_terminal)}{text}")

    def _write_error(self, text: str, end: str = "\n") -> None:
        try:
            self.stderr.write(text + end)
            self.stderr.flush()
        except (OSError, ValueError):
            return  # nobody is there to be told

    def open_log(self, path: str) -> None:
        """Keep what is told in a file from now on, and how the run ends. Raises OSError."""
        self.log = open(path, "a", encoding="utf-8", errors="backslashreplace")  # noqa: PTH123, SIM115 - for the run
        self._log(f"$ {self.command}")

    def end_log(self, status: int) -> None:
        """The log's last line of the run."""
        self._log(f"exit {status}: {self.command}")

    def _log(self, text: str) -> None:
        if self.log is None:
            return
        from datetime import datetime

        now = datetime.now().astimezone().isoformat(timespec="milliseconds")
        try:
            self.log.write(f"{now} {self.tag}{' '.join(text.splitlines())}\n")
            self.log.flush()
        except (OSError, ValueError):
            return  # a full disk must not end a run that has sent an order

    @property
    def ascii(self) -> bool:
        """Whether JSON escapes what is not ASCII: Windows shells read a pipe in the console's code page."""
        return self._windows and not self.stdout_is_terminal

    # -- in --------------------------------------------------------------------------------------------

    def read_input(self) -> bytes:
        """All of stdin."""
        return self.stdin.read()

    def read_text(self) -> str:
        """All of stdin as text, in whatever encoding it came."""
        from qmtcli.text import decode

        return decode(self.read_input())

    def confirm(self, question: str) -> bool:
        """Ask on the terminal; anything but a clear yes is no. Only where `interactive` holds."""
        self.stderr.write(f"{self.mark(self.stderr_is_terminal)}{question} [y/N] ")
        self.stderr.flush()
        answer = self.stdin.readline().decode("utf-8", "replace")
        return answer.strip().lower() in ("y", "yes", "是")

    # -- the descriptor --------------------------------------------------------------------------------

    def guard(self) -> None:
        """Lead descriptors away from the caller's streams, which from now on only this object has.

        What is written to descriptor 1 goes to stderr; while a program reads the output, what is written to 1 or 2
        goes nowhere, for stderr then says nothing but what went wrong.
        """
        if not self._own_stdout:
            return
        self._own_stdout = False
        self.stdout.flush()
        self.stdout = _kept(1)
        if self.machine and not self.debug:
            if self._own_stderr:
                self.stderr.flush()
                self.stderr = _kept(2)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            _lead(1, nowhere)
            if self._own_stderr:
                _lead(2, nowhere)
            os.close(nowhere)
        else:
            _lead(1, 2)


def _kept(descriptor: int) -> TextIO:
    """A stream of our own to where a descriptor leads; ``open`` knows a console of Windows, which takes no bytes."""
    kept = os.dup(descriptor)
    newline = "\r\n" if os.name == "nt" else "\n"
    return open(kept, "w", encoding="utf-8", errors="backslashreplace", newline=newline)  # noqa: PTH123


def _lead(descriptor: int, target: int) -> None:
    """Have a descriptor lead where another one does, for C libraries and for Windows too."""
    if os.name != "nt":
        os.dup2(target, descriptor)
        return
    import ctypes
    import msvcrt

    before = msvcrt.get_osfhandle(descriptor)  # type: ignore[attr-defined]
    os.dup2(target, descriptor)
    now = msvcrt.get_osfhandle(descriptor)  # type: ignore[attr-defined]
    ctypes.windll.kernel32.SetStdHandle(-10 - descriptor, now)  # type: ignore[attr-defined]
    # code that has kept the old handle's number must not find there what is opened next, a database say
    others: list[int] = []
    while now != before and len(others) < _HANDLES:
        others.append(os.open(os.devnull, os.O_WRONLY))
        now = msvcrt.get_osfhandle(others[-1])  # type: ignore[attr-defined]
    for other in others[:-1] if now == before else others:
        os.close(other)


def _utf8(stream: Any) -> TextIO:
    """The stream, writing UTF-8 and never raising over a character."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    return stream  # type: ignore[no-any-return]


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


def _obeys_escapes(env: Mapping[str, str]) -> bool:
    """Whether a terminal understands colours and the like; the old console of Windows only when it is told to."""
    return env.get("TERM") != "dumb" and (os.name != "nt" or "WT_SESSION" in env)


def _plain(params: Mapping[str, object]) -> dict[str, object]:
    """Params as JSON values; an instrument's ``code`` goes by the name it has in rows."""
    return {"stock_code" if key == "code" else key: _json_value(value) for key, value in params.items()}


def _json_value(value: object) -> object:
    from decimal import Decimal

    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value if isinstance(value, (int, float, str, list, dict, type(None))) else str(value)


def system_language(env: Mapping[str, str]) -> str:
    """``zh`` or ``en``, as the system is set."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if env.get(name):
            return "zh" if env[name].lower().startswith("zh") else "en"
    if os.name == "nt":
        import ctypes

        # LANGID of the user interface; the low ten bits are the language, 4 is Chinese
        return "zh" if ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF == 4 else "en"  # type: ignore[attr-defined]
    return "en"


def open_missing_descriptors() -> None:
    """Open descriptors 0 to 2 on the null device where the caller closed them.

    Otherwise the next file to be opened, a database say, would become stdout.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
