"""Importing the vendor's package: silently, offline, fast, and from where the profile says.

`prove_package` and `prove_client` have the last word before a paper run's first call: the package is the vendor's
own, and its native clients are our stand-ins. Packages that imitate xtquant install over it and answer ``connect``
with 0 themselves.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from qmtcli.errors import ConfigError

#: files of the package that trading and data go through, with a line that only the vendor's own have
_MARKS = {
    "__init__.py": b"__version__",
    "xttrader.py": b"_XTQC_.XtQuantAsyncClient(",
    "xtdatacenter.py": b"RPCClient = __dc.IPythonApiClient",
    "xtconn.py": b"try_create_client()",
    "xtdata.py": b"from .xtdatacenter import register_create_nparray",
}


def load(module_path: str = "") -> ModuleType:
    """Import ``xtquant``, from ``module_path`` when the profile names a folder.

    Its ``__init__`` asks the package index for news and prints; without ``requests`` it does neither.
    Raises ConfigError when there is no such package.
    """
    if module_path and module_path not in sys.path:
        sys.path.insert(0, module_path)
    if "xtquant" in sys.modules:
        return sys.modules["xtquant"]
    missing = object()
    requests = sys.modules.get("requests", missing)
    sys.modules["requests"] = None  # type: ignore[assignment]
    try:
        import xtquant
    except ImportError as error:
        raise ConfigError("no_xtquant", why=str(error)) from error
    finally:
        if requests is missing:
            del sys.modules["requests"]
        else:
            sys.modules["requests"] = requests  # type: ignore[assignment]
    return xtquant  # type: ignore[no-any-return]


def trader_module() -> ModuleType:
    """``xtquant.xttrader``, without the BSON codec that trading never touches.

    Raises ConfigError when its native module is not there.
    """
    load()
    _defer_bson()
    try:
        import xtquant.xttrader as xttrader
    except ImportError as error:
        raise ConfigError("no_native_module", module="xtpythonclient", why=str(error)) from error
    return xttrader  # type: ignore[no-any-return]


def data_module() -> Any:
    """``xtquant.xtdata``, which prints no greeting. Raises ConfigError when its native module is not there."""
    load()
    try:
        import xtquant.xtdata as xtdata
    except ImportError as error:
        raise ConfigError("no_native_module", module="datacenter", why=str(error)) from error
    xtdata.enable_hello = False
    return xtdata


def prove_package() -> None:
    """Hold, before any of it runs, that the ``xtquant`` to be imported is the vendor's own.

    Its files must be those that its installation recorded; a copy without such a record, out of a terminal say,
    must have the lines that reach for the native clients. Raises ConfigError with the file that is not the vendor's.
    """
    spec = PathFinder.find_spec("xtquant")
    if spec is None or not spec.origin:
        raise ConfigError("no_xtquant", why="no module named 'xtquant'")
    folder = Path(spec.origin).parent
    recorded = _recorded(folder)
    for name, mark in _MARKS.items():
        file = folder / name
        content = file.read_bytes() if file.is_file() else b""
        if mark not in content or (recorded and recorded.get(f"xtquant/{name}") != _digest(content)):
            raise ConfigError("paper_not_proved", file=str(file))


def prove_client(client: object, module: str, class_name: str) -> None:
    """Hold that the native client behind a vendor object is our stand-in of ``module``. Raises ConfigError."""
    mounted = sys.modules.get(module)
    loader = type(getattr(getattr(mounted, "__spec__", None), "loader", None))
    if loader.__module__ != "qmtcli.paper.mount" or type(client) is not getattr(mounted, class_name, None):
        raise ConfigError("paper_not_proved", file=str(getattr(mounted, "__file__", None) or module))


def _recorded(folder: Path) -> dict[str, str]:
    """Digests by file that the installation of ``xtquant`` in this folder recorded; empty without a record."""
    digests = {}
    for record in folder.parent.glob("xtquant-*.dist-info/RECORD"):
        for line in record.read_text(encoding="utf-8").splitlines():
            name, _, rest = line.partition(",")
            if rest.startswith("sha256="):
                digests[name] = rest[len("sha256=") :].partition(",")[0]
    return digests


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


class _DeferredBson(ModuleType):
    """``xtquant.xtbson`` that is imported when somebody asks for something in it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        import importlib

        return getattr(importlib.import_module(self.__name__), name)


def _defer_bson() -> None:
    name = "xtquant.xtbson"
    if name not in sys.modules:
        module = _DeferredBson(name)
        module.__spec__ = ModuleSpec(name, None, is_package=True)
        module.__path__ = [str(Path(folder) / "xtbson") for folder in sys.modules["xtquant"].__path__]
        sys.modules[name] = module
