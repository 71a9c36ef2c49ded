"""Putting the stand-ins in place of the vendor's native modules, in this process and in its children.

The finder is lazy: a program that never imports xtquant pays nothing, one that only trades never loads the market.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from importlib.machinery import ModuleSpec

from qmtcli.paper import PACKAGE, SETTINGS

TYPE_CHECKING = False  # what every child of a run imports keeps away from typing, which would be most of the cost
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from qmtcli.paper.proof import Vendor
    from qmtcli.paper.settings import Settings

#: native module -> our stand-in
STAND_INS = {
    "xtquant.xtpythonclient": "qmtcli.paper.trading",
    "xtquant.datacenter": "qmtcli.paper.market",
}
#: modules of the vendor's that take hold of a native one when they are imported
_HOLDERS = ("xtquant.xttrader", "xtquant.xtdatacenter", "xtquant.xtconn", "xtquant.xtdata")

_CHILD_FOLDER = os.path.join(os.path.dirname(__file__), "child")  # noqa: PTH118, PTH120


class _StandInLoader:
    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        source = importlib.import_module(STAND_INS[module.__name__])
        hidden = {"__name__", "__spec__", "__loader__", "__package__", "__file__", "__cached__", "__builtins__"}
        module.__dict__.update({name: value for name, value in vars(source).items() if name not in hidden})


class _StandInFinder:
    """Finds the native modules here, and the rest of the package nowhere but in its proven files."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in STAND_INS:
            return ModuleSpec(fullname, _StandInLoader())  # type: ignore[arg-type]  # importlib.abc is as dear
        if fullname.partition(".")[0] != "xtquant":
            return None
        return _vendor().find(fullname, path)


def mount(settings: Settings) -> None:
    """Make this process, and every one it starts, a paper run.

    Raises RuntimeError when the vendor's modules already hold their native ones: it would be too late. Raises
    NotProved when the installed package is not the vendor's.
    """
    attach()
    os.environ[PACKAGE] = _vendor().parent
    settings.export(os.environ)
    keep_shanghai_time()
    path = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    if _CHILD_FOLDER not in path:
        os.environ["PYTHONPATH"] = os.pathsep.join([_CHILD_FOLDER, *path])


def attach() -> None:
    """Put the finder in, once; a child of a paper run does only this. Raises as `mount`."""
    if mounted():
        return
    early = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "xtquant"}
    late = [name for name in early if name in (*_HOLDERS, *STAND_INS) or not _vendor().owns(early[name])]
    if late:
        raise RuntimeError(f"imported before the stand-ins: {', '.join(late)}")
    sys.meta_path.insert(0, _StandInFinder())


def keep_children() -> None:
    """From now on refuse to start a Python that would not be on paper. It cannot be undone in this process."""
    from qmtcli.paper.children import keep

    keep({SETTINGS: "", PACKAGE: "", "PYTHONPATH": _CHILD_FOLDER})


def keep_shanghai_time() -> None:
    """Local time is Shanghai's, here and in children: xtdata reads and writes it.

    The second form is for machines without a table of zones, and for Windows, whose C library knows no names.
    """
    for zone in ("Asia/Shanghai", "CST-8") if hasattr(time, "tzset") else ("CST-8",):
        if time.localtime().tm_gmtoff == 8 * 3600:
            return
        os.environ["TZ"] = zone
        read_zone()


def read_zone() -> None:
    """Have the C library read what zone local time is in, as the environment says."""
    if hasattr(time, "tzset"):
        time.tzset()
    else:
        import ctypes

        ctypes.CDLL("ucrtbase")._tzset()  # the C library reads TZ once, and Python offers no other way


def _vendor() -> Vendor:
    from qmtcli.paper.proof import vendor

    return vendor()


def mounted() -> bool:
    """Whether the stand-ins stand here."""
    return any(isinstance(finder, _StandInFinder) for finder in sys.meta_path)
