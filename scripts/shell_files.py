"""Make what shells and manuals need out of the commands: ``completions/`` and ``man/``.

    python scripts/shell_files.py [--check]

The scripts that make a shell ask are click's, and ask ``qmt`` itself. The pages say what ``--help`` says, and
here what no command says. ``--check`` writes nothing and exits 1 when a file is stale.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from qmtcli import __version__  # noqa: E402
from qmtcli.config import VARIABLES  # noqa: E402
from qmtcli.errors import ExitStatus  # noqa: E402
from qmtcli.messages import set_language  # noqa: E402

FOLDERS = ("completions", "man")
#: last line of a completion script, before click's version: another click may well word its script otherwise
MADE = "# Made by scripts/shell_files.py with click "

DESCRIPTION = (
    "qmt trades Chinese A-shares from the shell: live through miniQMT and the broker's terminal, or on paper on any "
    "machine. Standard output carries data and nothing else; messages, questions and previews go to standard error. "
    "The default output is a table, also into a pipe; programs ask for json, ndjson, csv or id. Under json an error "
    "is one JSON object on standard error. Codes are understood in their usual spellings: 600000.SH, 600000, "
    "sh600000, 600000.XSHG.",
)

PAPER_AND_LIVE = (
    "A profile is on paper unless its configuration says live: true, and without a configuration there is the "
    "profile paper. On paper an order goes through the vendor's own trader to an exchange inside qmt: no terminal, "
    "no network, no money. The sample market is generated and says so in every quote; a folder of recorded ticks can "
    "take its place.",
    "On a live profile the same commands trade real money in the terminal that the profile names. Every row and error "
    "says its mode, profile and account. As soon as a live profile exists, an order or cancel sent without a person "
    "at a terminal must name its profile.",
)

EXIT_STATUS = {
    ExitStatus.OK: "Done; an order: acknowledged; with --wait: filled; a cancel: seen canceled.",
    ExitStatus.BUG: "A bug in qmt.",
    ExitStatus.USAGE: "Usage, or malformed input.",
    ExitStatus.CONFIG: "Configuration or environment.",
    ExitStatus.NOT_CONNECTED: "Terminal, broker link or data service not connected.",
    ExitStatus.REJECTED: "Refused by the broker or the exchange.",
    ExitStatus.REFUSED: "Refused by qmt, nothing sent.",
    ExitStatus.UNKNOWN: "The outcome is unknown: look, do not resend.",
    ExitStatus.OPEN: "The order stands and is not final yet.",
    ExitStatus.PARTIAL: "Final, but in part; some of a batch, some of the accounts.",
    ExitStatus.NO_DATA: "No data, unknown to the service, or too old.",
    ExitStatus.NO: "Asked a question, and the answer is no.",
    ExitStatus.INTERRUPTED: "Interrupted, nothing sent.",
    ExitStatus.PIPE_CLOSED: "The reader of the output has gone, nothing sent.",
    ExitStatus.TERMINATED: "Terminated, nothing sent.",
}

ENVIRONMENT = {
    "QMT_PROFILE": "Profile to use, as --profile.",
    "QMT_OUTPUT": "Output format, as --output.",
    "QMT_LANG": "Language, as --lang.",
    "QMT_LOG": "File that keeps messages and errors, as --log.",
    "QMT_DEBUG": "Whether to show tracebacks, as --debug.",
    "QMT_TIMEOUT": "Seconds that one request may take, as --timeout.",
    "QMT_CONFIG": "Path of the user's configuration file.",
    "QMT_STATE": "Folder of the paper accounts and locks.",
    "QMT_PAPER_CLOCK": "What time it is on the paper exchange: 2023-02-07T10:00:00 stands still, with + after it it "
    "runs on, @FILE reads it from a file.",
    "QMT_PAPER_FAULTS": "A script of what goes wrong on the paper exchange: answers late, lost, doubled or wrong, lost "
    "links. Refused on a live profile.",
    "NO_COLOR": "No colour, as --no-color.",
}

FILES = {
    "~/.config/qmt/config.yaml": "The user's configuration; qmt config path prints where it is on this system, "
    "qmt config init writes a first one.",
    "./qmt.yaml": "A folder's configuration. It may choose a profile and tighten; where money goes it may not say.",
    "~/.local/state/qmt/paper/PROFILE/ACCOUNT.sqlite": "A paper account.",
    "~/.local/state/qmt/trading_days.txt": "Trading days from qmt calendar import.",
}

EXAMPLES = {
    "qmt buy 600000.SH 100 --limit 9.09": "Buy 100 shares at 9.09 at most.",
    "qmt sell 600000.SH all --price peer --wait": "Sell all that can be sold at the best bid and wait for the outcome.",
    "qmt orders --open --json | qmt cancel -": "Cancel every open order.",
    "qmt positions --json | qmt quote -": "Quotes of what is held.",
    "qmt buy 600519.SH --value 20万 --price last+2 --dry-run": "What an order would be; nothing is sent.",
    "qmt sell 204001.SH --value 1万 --price peer": "Lend 10,000 CNY for a day, by repo.",
    "qmt paper next-day": "On paper: settle the day, and what was bought can be sold.",
}


def made() -> dict[str, str]:
    """Every generated file, by its path below the repository."""
    set_language("en")  # before the commands are imported, which say their help in it
    from qmtcli.cli import COMMANDS, root
    from qmtcli.commands.shells import SHELLS, script

    cli = root()
    ctx = context(cli, "qmt")
    files = {
        f"completions/{name}": f"{script(cli, shell).rstrip()}\n\n{MADE}{version('click')}; do not edit.\n"
        for name, shell in SHELLS.items()
    }
    commands = {name: (entry.en, cli.get_command(ctx, name)) for name, entry in COMMANDS.items()}
    files["man/qmt.1"] = text(main_page(ctx, {name: purpose for name, (purpose, _) in commands.items()}))
    for name, (purpose, command) in commands.items():
        assert command is not None
        files[f"man/qmt-{name}.1"] = text(command_page(context(command, name, ctx), purpose))
    return files


# -- pages ---------------------------------------------------------------------------------------------


def main_page(ctx: click.Context, purposes: dict[str, str]) -> Iterator[str]:
    """The lines of qmt(1)."""
    yield from head("qmt", "trade Chinese A-shares from the shell")
    yield f"{bold('qmt')} {italic('command')} [{italic('options')}] [{italic('arguments')}]"
    yield from section("DESCRIPTION", *DESCRIPTION)
    yield from section("COMMANDS")
    for name, purpose in purposes.items():
        yield from entry(f"{bold(f'qmt-{name}')}(1)", purpose)
    yield from section("OPTIONS")
    yield from options(ctx, common=False)
    yield from section("COMMON OPTIONS", "Taken before and after the name of a command.")
    yield from options(ctx, common=True)
    yield from section("PAPER AND LIVE", *PAPER_AND_LIVE)
    yield from section("EXIT STATUS")
    for status in ExitStatus:
        yield from entry(bold(str(status.value)), EXIT_STATUS[status])
    yield ".PP"
    yield roff("No order stands after 2, 3, 4, 5, 6, 10 and 11; it stands after 0 and 8; after 7, 9 and 1, look.")
    yield from section("ENVIRONMENT", "Flags go before these variables, and these before configuration files.")
    for name in (*VARIABLES, "NO_COLOR"):
        yield from entry(bold(name), ENVIRONMENT[name])
    yield from section("FILES")
    for path, meaning in FILES.items():
        yield from entry(italic(path), meaning)
    yield from section("EXAMPLES")
    for line, meaning in EXAMPLES.items():
        yield from entry(bold(line), meaning)
    yield from section("SEE ALSO")
    yield ", ".join(f"{bold(f'qmt-{name}')}(1)" for name in purposes)


def command_page(ctx: click.Context, purpose: str) -> Iterator[str]:
    """The lines of the page of one command, or of a group with its commands."""
    command = ctx.command
    group = command.commands if isinstance(command, click.Group) else {}
    parts = [context(part, name, ctx) for name, part in group.items()] or [ctx]
    yield from head(f"qmt-{ctx.info_name}", purpose)
    for number, part in enumerate(parts):
        yield from [".br"] if number else []
        yield synopsis(part)
    yield from section("DESCRIPTION", command.help or "")
    own = [line for part in parts for line in (*(subsection(part) if group else ()), *options(part, common=False))]
    if own:
        yield from section("COMMANDS" if group else "OPTIONS")
        yield from own
    yield from section("COMMON OPTIONS")
    yield from options(parts[0], common=True)
    if command.epilog:
        yield from section("EXAMPLE")
        yield bold(command.epilog)
    yield from section("SEE ALSO")
    yield f"{bold('qmt')}(1), for exit status, environment and files"


def subsection(ctx: click.Context) -> Iterator[str]:
    """The heading of one command of a group."""
    yield f".SS {synopsis(ctx)}"
    yield roff(ctx.command.help or "")


def options(ctx: click.Context, common: bool) -> Iterator[str]:
    """Entries of the options that every command has, or of all others."""
    from qmtcli.commands.common import CommonOption

    for parameter in ctx.command.get_params(ctx):
        record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
        of_every = isinstance(parameter, CommonOption) or parameter is ctx.command.get_help_option(ctx)
        if record is not None and of_every == common:
            *aliases, last = record[0].split(", ")
            name, _, value = last.partition(" ")
            names = ", ".join(bold(word) for word in (*aliases, name))
            yield from entry(f"{names} {italic(value)}" if value else names, record[1])


def context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    """A command as it is when it runs by that name."""
    return click.Context(command, parent, name, **command.context_settings)


def synopsis(ctx: click.Context) -> str:
    """One command with its arguments."""
    return " ".join([bold(ctx.command_path), *(italic(piece) for piece in ctx.command.collect_usage_pieces(ctx))])


# -- roff ----------------------------------------------------------------------------------------------

#: characters that roff would take for something else, or print as something else
ESCAPES = str.maketrans({
    "\\": r"\(rs", "-": r"\-", "'": r"\(aq", '"': r"\(dq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti",
})  # fmt: skip


def roff(words: str) -> str:
    """Plain text as roff that is ASCII; no line of it is a request."""
    escaped = "".join(letter if letter.isascii() else rf"\[u{ord(letter):04X}]" for letter in words.translate(ESCAPES))
    return rf"\&{escaped}" if escaped.startswith(".") else escaped


def bold(words: str) -> str:
    """Words to be typed as they are."""
    return rf"\fB{roff(words)}\fR"


def italic(words: str) -> str:
    """Words that stand for others."""
    return rf"\fI{roff(words)}\fR"


def head(name: str, purpose: str) -> Iterator[str]:
    """A page's title and name, up to its synopsis."""
    yield f'.TH {roff(name.upper())} 1 "" "qmt {__version__}" "qmt"'
    yield from section("NAME", f"{name} - {purpose}")
    yield from section("SYNOPSIS")


def section(title: str, *paragraphs: str) -> Iterator[str]:
    """A heading and what follows it."""
    yield f".SH {title}"
    for number, paragraph in enumerate(paragraphs):
        yield from [".PP"] if number else []
        yield roff(paragraph)


def entry(term: str, meaning: str) -> Iterator[str]:
    """A term, being roff, and what it means."""
    yield from (".TP", term, roff(meaning))


def text(lines: Iterator[str]) -> str:
    """A page; a letter that the reader's device does not have is shown as a question mark."""
    page = "\n".join(lines)
    letters = sorted(set(re.findall(r"\\\[u\w+\]", page)))
    made_by = r".\" Made by scripts/shell_files.py from the commands; do not edit."
    return "\n".join([made_by, *(f".fchar {letter} ?" for letter in letters), page, ""])


# -- files ---------------------------------------------------------------------------------------------


def stale(files: dict[str, str]) -> list[str]:
    """Paths of files that are missing, differ, or belong to nothing."""
    found = {path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).glob("*")}
    old = {name for name, wanted in files.items() if not is_current(ROOT / name, wanted)}
    return sorted(old | found - files.keys())


def is_current(path: Path, wanted: str) -> bool:
    """Whether a file says what it should; what another click made is as good."""
    if not path.is_file():
        return False
    found = path.read_text("utf-8")
    return found == wanted or (MADE in found and found.rpartition(MADE)[2] != wanted.rpartition(MADE)[2])


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when a file is stale")
    check = parser.parse_args().check
    files = made()
    names = stale(files)
    if check and names:
        print(f"stale: {' '.join(names)}; run python scripts/shell_files.py", file=sys.stderr)
        return 1
    for name in [] if check else names:
        path = ROOT / name
        path.unlink(missing_ok=True)
        if name in files:
            path.parent.mkdir(exist_ok=True)
            path.write_text(files[name], "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
