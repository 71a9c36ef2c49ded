"""Where terminals are installed: by what runs, by the registry, by the usual folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from qmtcli.xt import machine
from qmtcli.xt.machine import Process

MINIMAL, FULL = "userdata_mini", "userdata"
#: programs of a terminal: in minimal mode, and the full one; both in a folder ``bin.x64`` of its
_MINIMAL_PROGRAM = "xtminiqmt.exe"
_PROGRAMS = (_MINIMAL_PROGRAM, "xtitclient.exe")
#: what installed programs and folders of terminals are called
_NAMES = ("qmt", "迅投", "iquant", "智能交易终端", "极速策略交易")
#: where people install, below a disk
_USUAL = ("", "Program Files", "Program Files (x86)", "software", "soft")


class Terminal(NamedTuple):
    """A terminal on this machine."""

    #: its ``userdata_mini``, or the ``userdata`` of one that has no minimal mode
    path: str
    #: what told of it: ``running``, ``registry`` or ``folder``
    source: str
    #: whether it has a minimal mode, which is what xtquant connects to
    minimal: bool
    #: whether it runs in minimal mode
    running: bool


def here() -> list[Terminal]:
    """Every terminal on this machine, as `find`."""
    return find(machine.processes() or (), machine.installed(), machine.drives())


def find(processes: Iterable[Process], installed: Iterable[tuple[str, str]], roots: Iterable[Path]) -> list[Terminal]:
    """Every terminal, once, those that run first. Arguments as `qmtcli.xt.machine` has them."""
    processes = list(processes)
    running = {home for process in processes if process.name.lower() == _MINIMAL_PROGRAM for home in _homes(process)}
    found: dict[Path, Terminal] = {}
    for source, homes in (
        ("running", (home for process in processes for home in _homes(process))),
        ("registry", (Path(place) for name, place in installed if place and _is_terminal(name))),
        ("folder", _usual(roots)),
    ):
        for home in homes:
            known = next((known for known in found if _same(known, home)), None)
            if known is None and (path := _userdata(home)):
                up = any(_same(each, home) for each in running)
                found[home] = Terminal(str(path), source, path.name == MINIMAL, up)
    return sorted(found.values(), key=lambda terminal: (not terminal.running, not terminal.minimal))


def configuration(terminal: Terminal) -> str:
    """The lines of a profile for it, as a configuration file has them."""
    return f'  live:\n    live: true\n    path: {terminal.path}\n    account: ""\n'


def is_running(processes: Iterable[Process], userdata: Path) -> bool:
    """Whether the terminal of a ``userdata_mini`` runs in minimal mode; one whose place is not told may be it."""
    minimal = [process for process in processes if process.name.lower() == _MINIMAL_PROGRAM]
    return any(not process.path or any(_same(home, userdata.parent) for home in _homes(process)) for process in minimal)


def _homes(process: Process) -> Iterator[Path]:
    """The folder of the terminal that a process belongs to; none where it belongs to none, or to nobody knows which."""
    if process.name.lower() in _PROGRAMS and process.path:
        yield Path(process.path).parent.parent


def _usual(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        for place in _USUAL:
            yield from sorted(folder for folder in _folders(root / place) if _is_terminal(folder.name))


def _folders(place: Path) -> list[Path]:
    try:
        return [entry for entry in place.iterdir() if entry.is_dir()]
    except OSError:
        return []


def _is_terminal(name: str) -> bool:
    return any(part in name.lower() for part in _NAMES)


def _userdata(home: Path) -> Path | None:
    """What of a terminal's folder a session wants, or the next to it; None where it is no terminal's."""
    return next((home / name for name in (MINIMAL, FULL) if (home / name).is_dir()), None)


def _same(one: Path, other: Path) -> bool:
    return str(one).rstrip("\\/").lower() == str(other).rstrip("\\/").lower()
