"""A reading command on several profiles: a process each, since a process has one backend, and their rows as one.

The rows are of those that answered; each other is an error on stderr, and the status then says that it is not all.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from qmtcli.commands.columns import WHOSE
from qmtcli.console import FORMATS
from qmtcli.errors import ExitStatus
from qmtcli.messages import say
from qmtcli.output import emit_rows

if TYPE_CHECKING:
    from qmtcli.commands.common import App, Reading

#: options that say which profiles and how the answer looks, each with a value or without one
_VALUED = ("--profile", "-o", "--output", "--fields", "--log")
_FLAGS = ("--all-profiles", "--json")


#: what a process starts as: qmt from where this one has it, and nothing from the folder it happens to stand in
START = "import sys; sys.path[:] = {path}; from qmtcli.__main__ import run; run()"


class Answer(NamedTuple):
    """What one process said."""

    rows: list[dict[str, Any]]
    #: body of the error object; None: it answered
    error: dict[str, Any] | None


def read(app: App, reading: Reading, words: Sequence[str]) -> int:
    """Run the command line ``words`` on each of the profiles asked for; the exit status. Raises ConfigError."""
    profiles = [app.config.profile(name).name for name in app.several]
    answers = run_each(app, [["--profile", name] for name in profiles], _without(words))
    rows = [row for answer in answers for row in answer.rows]
    failed = [answer.error for answer in answers if answer.error is not None]
    if len(failed) < len(answers):
        keys, columns = (*reading.keys, "mode", "profile", "account_id"), (*WHOSE, *reading.columns)
        emit_rows(app.console, rows, keys, columns, reading.id_key, f"{say(reading.zh, reading.en)}: {len(rows)}")
    for error in failed:
        app.console.error_of(error)
    if not failed:
        return ExitStatus.OK
    return ExitStatus.PARTIAL if len(failed) < len(answers) else int(failed[0]["exit_status"])


def run_each(
    app: App, whose: Sequence[Sequence[str]], words: Sequence[str], accept: Sequence[int] = (ExitStatus.OK,)
) -> list[Answer]:
    """Run the command line ``words`` with each of the options that name an account, all at once; what each said.

    ``accept``: exit statuses of those whose rows are on stdout.
    """
    if not whose:
        return []
    runs = [_start(app, [*name, *words]) for name in whose]
    with ThreadPoolExecutor(len(runs)) as pool:
        try:
            return list(pool.map(lambda name, run: _answer(name[1], run, accept), whose, runs))
        except BaseException:  # whoever is interrupted keeps nobody waiting
            for run in runs:
                run.terminate()
            raise


def _start(app: App, words: Sequence[str]) -> subprocess.Popen[bytes]:
    start = [sys.executable, "-c", START.format(path=ascii(sys.path))]
    told = ["-o", "json", "--lang", app.console.lang]
    return subprocess.Popen(
        [*start, *told, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def _answer(profile: str, run: subprocess.Popen[bytes], accept: Sequence[int]) -> Answer:
    out, err = run.communicate()
    try:
        if run.returncode in accept and out:
            found = json.loads(out)
            return Answer(found if isinstance(found, list) else [found], None)
        error: dict[str, Any] = json.loads(err.splitlines()[-1])["error"]
    except (ValueError, IndexError, KeyError):
        tail = err.decode("utf-8", "replace").strip()
        error = {"code": "bug", "message": tail, "hint": "", "exit_status": run.returncode or int(ExitStatus.BUG)}
    return Answer([], {"profile": profile, **error})


def _without(words: Sequence[str]) -> list[str]:
    """The command line without what the processes are told in other words."""
    kept: list[str] = []
    left = iter(words)
    for word in left:
        if word == "--":
            return [*kept, word, *left]
        name = word.partition("=")[0]
        if name in _VALUED:
            if name == word:
                next(left, None)
        elif word not in _FLAGS and not (word.startswith("-o") and word[2:] in FORMATS):
            kept.append(word)
    return kept
