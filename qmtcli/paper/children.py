"""Keeping the children of a paper run on paper: a Python that would start without the stand-ins is not started.

On Windows it would load the vendor's real modules and trade for real. What carries the stand-ins to children is the
environment, which a child may not be given, and which Python ignores under ``-I`` and ``-E`` and hardly uses
under ``-S``. A child started through a shell is not seen here.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # every child of a run imports this module, and typing would be most of its cost
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

#: audit events of process starts -> (executable, words or command line, environment or None for ours)
_STARTS: dict[str, Callable[..., tuple[Any, Any, Any]]] = {
    "subprocess.Popen": lambda executable, words, folder, env: (executable, words, env),
    "os.exec": lambda executable, words, env: (executable, words, env),
    "os.posix_spawn": lambda executable, words, env: (executable, words, env),
    "os.spawn": lambda mode, executable, words, env: (executable, words, env),
    # multiprocessing on Windows; the command line that CPython reports here is garbled
    "_winapi.CreateProcess": lambda executable, line, folder: (executable, (), None),
}
#: one word of options: letters that stand alone, then perhaps one that takes the rest of the word, or the next one
_OPTIONS = r"(?s)-([^-cmWX]*)([cmWX]?)(.*)"


def keep(carriers: Mapping[str, str]) -> None:
    """From now on a Python is only started with the ``carriers``, variables that hold these texts.

    Any other start raises RuntimeError.
    """

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _STARTS:
            return
        executable, line, env = _STARTS[event](*arguments)
        words = _words(line)
        program = os.fsdecode(executable or (words[0] if words else ""))
        if program != sys.executable and not _is_python(program):
            return
        lost = _lost(carriers, os.environ if env is None else env)
        if lost or sys.flags.ignore_environment or sys.flags.no_site or _ignores_environment(words[1:]):
            why = f"without {', '.join(lost)}" if lost else "ignoring the environment"
            raise RuntimeError(f"a Python started {why} would leave this paper run: {' '.join(words[:4]) or program}")

    sys.addaudithook(watch)


def _is_python(program: str) -> bool:
    name = program.replace("\\", "/").rpartition("/")[2].lower()
    return name.removesuffix(".exe").rstrip("0123456789.") in ("python", "pythonw", "py", "pyw")


def _words(line: Any) -> list[str]:
    import re

    if isinstance(line, (str, bytes, os.PathLike)):
        return [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', os.fsdecode(line))]
    return [os.fsdecode(word) for word in line or ()]


def _ignores_environment(words: Sequence[str]) -> bool:
    """Whether Python's own options, which end at the program, tell it to start without what the environment says."""
    import re

    rest = iter(words)
    for word in rest:
        options = re.fullmatch(_OPTIONS, word)
        if options is None:
            return False
        if not {"I", "E", "S"}.isdisjoint(options[1]):
            return True
        if options[2] in ("c", "m"):
            return False
        if options[2] and not options[3]:
            next(rest, None)
    return False


def _lost(carriers: Mapping[str, str], env: Mapping[Any, Any]) -> list[str]:
    given = {os.fsdecode(name): os.fsdecode(value) for name, value in env.items()}
    return [name for name, text in carriers.items() if text not in (given.get(name) or ())]
