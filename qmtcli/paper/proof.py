"""Holding that the ``xtquant`` of a paper run is the vendor's own, before a line of it runs.

Packages that imitate it install over it. Their traders never reach a native module, so no stand-in would ever be
asked, while ``connect`` answers 0. What is expected is what the installation of ``xtquant`` recorded: each of its
Python files, by digest. A paper run imports the package from that folder alone, in children too, whatever other
finders or other folders of the path would offer, and each file only as it was recorded.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from qmtcli.paper import PACKAGE

#: modules that trading and data go through, each with the beginning of a line that every release of the vendor's has
_MARKS = {
    "xtquant": b"\n__version__ = ",
    "xtquant.xttrader": b"\n        self.async_client = _XTQC_.XtQuantAsyncClient(",
    "xtquant.xttype": b"\nclass StockAccount(",
    "xtquant.xtconstant": b"\nSTOCK_BUY = 23",
    "xtquant.xtdatacenter": b"\nRPCClient = __dc.IPythonApiClient",
    "xtquant.xtconn": b"\n    cl = try_create_client()",
    "xtquant.xtdata": b"\nfrom .xtdatacenter import register_create_nparray",
}


class NotProved(ImportError):
    """``path`` is the file that is not the vendor's own; None when there is no ``xtquant`` at all."""


class Vendor:
    """The vendor's package in one folder."""

    def __init__(self, folder: Path) -> None:
        #: the folder that holds the package
        self.parent = str(folder.parent)
        self._recorded = _recorded(folder.parent)
        self._held: set[str] = set()

    def find(self, name: str, path: Sequence[str] | None, mark: bytes = b"") -> ModuleSpec | None:
        """The spec of ``xtquant`` or of a module in it; None when there is none. Raises NotProved."""
        spec = PathFinder.find_spec(name, [self.parent] if name == "xtquant" else path)
        if spec is not None and spec.origin:
            self._hold(spec.origin, mark)
        return spec

    def owns(self, module: ModuleType) -> bool:
        """Whether a module that is imported already came from the package."""
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        return isinstance(origin, str) and self._name(origin) in self._recorded

    def _name(self, file: str) -> str:
        """As the installation records it: relative to the folder, with slashes."""
        return file.removeprefix(self.parent + os.sep).replace(os.sep, "/")

    def _hold(self, file: str, mark: bytes) -> None:
        if file in self._held:
            return
        expected = self._recorded.get(self._name(file))
        content = Path(file).read_bytes() if expected else b""
        digest = urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()
        if not expected or digest not in expected or mark not in content:
            raise _not_proved(file)
        self._held.add(file)


@lru_cache(maxsize=1)
def vendor() -> Vendor:
    """The package of this run, proved once as far as trading and data go, the rest as it is imported.

    Raises NotProved.
    """
    known = os.environ.get(PACKAGE)
    spec = PathFinder.find_spec("xtquant", [known] if known else None)
    if spec is None:
        raise NotProved("no module named 'xtquant'", name="xtquant")
    if not spec.origin:
        raise _not_proved(next(iter(spec.submodule_search_locations or ()), "xtquant"))
    folder = Path(spec.origin).parent
    found = Vendor(folder)
    for name, mark in _MARKS.items():
        if found.find(name, [str(folder)], mark) is None:
            raise _not_proved(f"{folder}: {name}")
    return found


def _recorded(parent: Path) -> dict[str, set[str]]:
    """Digests of the Python files that installations of the package in this folder recorded."""
    digests: dict[str, set[str]] = {}
    for record in parent.glob("xtquant-*.dist-info/RECORD"):
        for line in record.read_text(encoding="utf-8").splitlines():
            name, _, rest = line.partition(",")
            if name.endswith(".py") and rest.startswith("sha256="):
                digests.setdefault(name, set()).add(rest[len("sha256=") :].partition(",")[0])
    return digests


def _not_proved(file: str) -> NotProved:
    return NotProved(f"{file} is not the vendor's own xtquant: not on paper", name="xtquant", path=file)
