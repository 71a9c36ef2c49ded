"""How shells ask for completions: click's own protocols, mended where one of its shells falls short.

The shells' scripts (``completions/``) call ``qmt`` back with `VARIABLE` set; what is offered is in `complete`.
"""

from __future__ import annotations

import os
from typing import Any

import click
from click import shell_completion
from click.shell_completion import BashComplete, CompletionItem, FishComplete, PowerShellComplete, ZshComplete

#: environment variable that holds a shell's request
VARIABLE = "_QMT_COMPLETE"


class Bash(BashComplete):
    """Bash takes ``--name=value`` apart into three words, and completes the last of them."""

    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        return [word for word in args if word != "="], incomplete


class _Joined(shell_completion.ShellComplete):
    """To the other shells ``--name=value`` is one word, so the whole of it is what they must be offered."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        items = super().get_completions(args, incomplete)
        name, equals, _ = incomplete.partition("=")
        if equals and name.startswith("-"):
            for item in items:
                item.value = f"{name}={item.value}"
        return items


class Zsh(_Joined, ZshComplete):
    """Zsh."""


class Fish(_Joined, FishComplete):
    """Fish, whose script cuts a description at its first comma."""

    def format_completion(self, item: CompletionItem) -> str:
        if item.help:
            item.help = item.help.replace(",", ";")
        return super().format_completion(item)


class PowerShell(_Joined, PowerShellComplete):
    """PowerShell, which on Windows reads a program in the console's code page: what is not ASCII garbles the lines."""

    def format_completion(self, item: CompletionItem) -> str:
        if os.name == "nt" and not (item.help or "").isascii():
            item.help = None
        return super().format_completion(item)


#: by the file that a shell reads
SHELLS: dict[str, type[shell_completion.ShellComplete]] = {
    "qmt.bash": Bash,
    "_qmt": Zsh,
    "qmt.fish": Fish,
    "qmt.ps1": PowerShell,
}


def script(cli: click.Command, shell: type[shell_completion.ShellComplete]) -> str:
    """The script that makes a shell ask."""
    # the base class's, for bash's own looks for a bash to warn about
    return shell_completion.ShellComplete.source(shell(cli, {}, "qmt", VARIABLE))


def answer(cli: click.Command, request: str, obj: Any) -> int:
    """Answer a shell on stdout; ``obj`` is what commands get. The exit status: 1 for a request that is none."""
    for shell in SHELLS.values():
        shell_completion.add_completion_class(shell)
    return shell_completion.shell_complete(cli, {"obj": obj}, "qmt", VARIABLE, request)
