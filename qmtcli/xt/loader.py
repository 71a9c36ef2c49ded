"""Importing the vendor's package: silently, offline, fast, and from where the profile says.

`prove_client` has the last word before a paper run's first call: the native client is our stand-in. That the package
is the vendor's own was proved before it was imported.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from qmtcli.errors import ConfigError


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
        raise ConfigError("no_native_module", module="xtpythonclient", why=_why(error)) from error
    return xttrader  # type: ignore[no-any-return]


def new_trader(path: str, session_id: int) -> Any:
    """A trader of the vendor's, not started. Raises as `trader_module`."""
    module = trader_module()
    if sys.version_info >= (3, 12):
        import asyncio

        # the vendor asks for a current event loop, which newer Pythons do not make by themselves
        asyncio.set_event_loop(asyncio.new_event_loop())
    return module.XtQuantTrader(path, session_id)


def stock_account(account_id: str, account_type: str = "STOCK") -> Any:
    """What the vendor's calls want to know of an account."""
    load()
    from xtquant.xttype import StockAccount

    return StockAccount(account_id, account_type)


def data_module(request_seconds: int = 0, folder: Path | None = None) -> Any:
    """``xtquant.xtdata``, which prints no greeting. Raises ConfigError when its native module is not there.

    With a ``folder``, where a file for it is kept, no request of its client takes longer than ``request_seconds``: the
    vendor's are given 150 s, in which they hold the interpreter.
    """
    load()
    try:
        import xtquant.xtdata as xtdata
    except ImportError as error:
        raise ConfigError("no_native_module", module="datacenter", why=_why(error)) from error
    xtdata.enable_hello = False
    if folder is not None:
        _limit_requests(request_seconds, folder)
    return xtdata


def _limit_requests(seconds: int, folder: Path) -> None:
    """Have the clients to come read a configuration of the vendor's with another limit in it."""
    import re

    try:
        import xtquant.xtdatacenter as server
    except ImportError:  # a package that imitates xtquant may do without
        return
    own = vars(server).get("__rpc_config_file")
    if not own or not Path(own).is_file():
        return
    text = Path(own).read_text(encoding="utf-8")
    path = folder / f"xtdata-{seconds}.ini"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(re.sub(r"(?m)^requestTimeoutSecond=.*$", f"requestTimeoutSecond={seconds}", text), "utf-8")
    vars(server)["__rpc_config_file"] = str(path)


def _why(error: ImportError) -> str:
    """Without the file it wanted the name from, which says nothing more."""
    return str(error).partition(" (")[0]


def prove_client(client: object, module: str, class_name: str) -> None:
    """Hold that the native client behind a vendor object is our stand-in of ``module``. Raises ConfigError."""
    mounted = sys.modules.get(module)
    loader = type(getattr(getattr(mounted, "__spec__", None), "loader", None))
    if loader.__module__ != "qmtcli.paper.mount" or not isinstance(client, getattr(mounted, class_name, ())):
        raise ConfigError("paper_not_proved", file=str(getattr(mounted, "__file__", None) or module))


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
