"""Putting the stand-ins in place of the vendor's native modules, in this process and in its children.

The finder is lazy: a program that never imports xtquant pays nothing, one that only trades never loads the market.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from qmtcli.paper.settings import VARIABLE, Settings

#: native module -> our stand-in
STAND_INS = {
    "xtquant.xtpythonclient": "qmtcli.paper.trading",
    "xtquant.datacenter": "qmtcli.paper.market",
}
#: modules of the vendor's that take hold of a native one when they are imported
_HOLDERS = ("xtquant.xttrader", "xtquant.xtdatacenter", "xtquant.xtconn", "xtquant.xtdata")

_CHILD_FOLDER = str(Path(__file__).parent / "child")


class _StandInLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        source = importlib.import_module(STAND_INS[module.__name__])
        hidden = {"__name__", "__spec__", "__loader__", "__package__", "__file__", "__cached__", "__builtins__"}
        module.__dict__.update({name: value for name, value in vars(source).items() if name not in hidden})


class _StandInFinder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, _StandInLoader()) if fullname in STAND_INS else None


def mount(settings: Settings) -> None:
    """Make this process, and every one it starts, a paper run.

    Raises RuntimeError when the vendor's modules already hold their native ones: it would be too late.
    """
    taken = [name for name in (*_HOLDERS, *STAND_INS) if name in sys.modules]
    if taken and not mounted():
        raise RuntimeError(f"imported before the stand-ins: {', '.join(taken)}")
    settings.export(os.environ)
    _keep_shanghai_time()
    path = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    if _CHILD_FOLDER not in path:
        os.environ["PYTHONPATH"] = os.pathsep.join([_CHILD_FOLDER, *path])
    attach()


def attach() -> None:
    """Put the finder in, once; a child of a paper run does only this."""
    if not mounted():
        sys.meta_path.insert(0, _StandInFinder())


def _keep_shanghai_time() -> None:
    """Local time is Shanghai's, here and in children: xtdata reads and writes it.

    The second form is for machines without a table of zones, and for Windows, whose C library knows no names.
    """
    for zone in ("Asia/Shanghai", "CST-8") if hasattr(time, "tzset") else ("CST-8",):
        if time.localtime().tm_gmtoff == 8 * 3600:
            return
        os.environ["TZ"] = zone
        if hasattr(time, "tzset"):
            time.tzset()


def mounted() -> bool:
    """Whether the stand-ins stand here."""
    return any(isinstance(finder, _StandInFinder) for finder in sys.meta_path)
