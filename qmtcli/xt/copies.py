"""Which copy of the vendor's package a live profile runs: where it lies, its version, the Pythons it is built for.

Only files are looked at, so that what does not fit is told before it fails to load.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import NamedTuple

from qmtcli.errors import ConfigError

#: the native modules, built for one Python each: ``xtpythonclient.cp311-win_amd64.pyd``
NATIVE = ("xtpythonclient", "datacenter")
#: where a terminal keeps a copy of its own
_OF_TERMINAL = ("bin.x64", "Lib", "site-packages")


class Copy(NamedTuple):
    """One copy of the package."""

    #: ``module_path``, ``terminal`` or ``installed``
    source: str
    #: the folder that holds the package
    folder: str
    #: the vendor's ``__version__``, for an imitation the name and version it was installed by; "" when neither is told
    version: str
    #: versions of Python that both native modules are built for, oldest first; () where there are none
    pythons: tuple[str, ...]
    #: whether it has any of the native modules; an imitation has none
    native: bool
    #: whether the native modules, if it has any, are built for this Python
    fits: bool
    #: whether its ``__init__`` asks the package index for news, as the vendor's does
    asks_for_news: bool
    #: another one whenever a file of the package is
    mark: str

    def __str__(self) -> str:
        return f"{self.version or 'xtquant'} ({self.mark})"


def choose(module_path: str = "", terminal: str = "") -> Copy:
    """The copy to use: that of ``module_path``, else the terminal's own where it fits, else the installed one.

    ``terminal`` is the profile's ``path``. Raises ConfigError where there is none.
    """
    if module_path:
        # the package's own folder is named as readily as the one that holds it
        for folder in (Path(module_path), Path(module_path).parent):
            if found := look("module_path", folder):
                return found
        raise ConfigError("no_xtquant_there", path=module_path)
    place = Path(terminal)
    if place.name.lower() == "userdata_mini":
        found = look("terminal", place.parent.joinpath(*_OF_TERMINAL))
        if found and found.native and found.fits:
            return found
    if found := next(_installed(), None):
        return found
    raise ConfigError("no_xtquant", why="No module named 'xtquant'")


def misfit(copy: Copy) -> ConfigError | None:
    """What to tell of a copy that this Python cannot load; None for one that it can."""
    if copy.fits:
        return None
    newest = copy.pythons[-1] if copy.pythons else "?"
    return ConfigError("python_misfit", pythons=_span(copy.pythons), newest=newest, python=this_python())


def this_python() -> str:
    """``Python 3.12 (win-amd64)``: what a native module has to be built for."""
    import sysconfig

    return f"Python {sys.version_info.major}.{sys.version_info.minor} ({sysconfig.get_platform()})"


def change(copy: Copy, record: Path) -> str:
    """The copy that passed before, where it was another one; "" for the same, and for the first, which is recorded.

    Raises OSError.
    """
    try:
        passed = record.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        passed = ""
    if not passed:
        accept(copy, record)
    return "" if passed in ("", str(copy)) else passed


def accept(copy: Copy, record: Path) -> None:
    """From now on this is the copy that passed. Raises OSError."""
    record.parent.mkdir(parents=True, exist_ok=True)
    whole = record.with_name(f"{record.name}.{os.getpid()}")
    whole.write_text(f"{copy}\n", encoding="utf-8")
    whole.replace(record)


def _installed() -> Iterator[Copy]:
    for folder in sys.path:
        if found := look("installed", Path(folder)):
            yield found


def look(source: str, folder: Path) -> Copy | None:
    """The copy in a folder; None where there is none."""
    package = folder / "xtquant"
    try:
        sizes = {entry.name: entry.stat().st_size for entry in os.scandir(package) if entry.is_file()}
    except OSError:
        return None
    if "__init__.py" not in sizes:
        return None
    built = [_pythons(sizes, name) for name in NATIVE]
    native = any(name.partition(".")[0] in NATIVE for name in sizes)
    code = (package / "__init__.py").read_bytes()
    version = _version(code) or _installed_as(folder)
    return Copy(
        source,
        str(folder),
        version,
        tuple(sorted(set.intersection(*built), key=lambda text: tuple(map(int, text.split("."))))),
        native,
        not native or all(PathFinder.find_spec(name, [str(package)]) for name in NATIVE),
        b"check_for_update" in code,
        _mark(version, sizes),
    )


def _pythons(names: Iterable[str], module: str) -> set[str]:
    """``3.11`` for each ``MODULE.cp311-win_amd64.pyd``."""
    tags = (name.split(".") for name in names)
    return {
        f"{parts[1][2]}.{parts[1][3:].partition('-')[0]}"
        for parts in tags
        if len(parts) == 3 and parts[0] == module and parts[1].startswith("cp") and parts[2] == "pyd"
    }


def _version(code: bytes) -> str:
    for line in code.splitlines():
        name, _, value = line.partition(b"=")
        if name.strip() == b"__version__":
            return value.decode("utf-8", "replace").strip(" \"'")
    return ""


def _installed_as(folder: Path) -> str:
    """The name and version of a package over the vendor's, which says none in its code."""
    installed = sorted(path.name.removesuffix(".dist-info") for path in folder.glob("*xtquant*.dist-info"))
    return next((name for name in installed if not name.startswith("xtquant-")), "")


def _mark(version: str, sizes: dict[str, int]) -> str:
    import hashlib

    return hashlib.sha256(repr((version, sorted(sizes.items()))).encode()).hexdigest()[:8]


def _span(pythons: tuple[str, ...]) -> str:
    return "-".join(dict.fromkeys((pythons[0], pythons[-1]))) if pythons else "?"
