"""Importing the vendor's package: silently, offline, fast, and from where the profile says.

`prove_client` has the last word before a paper run's first call: the native client is our stand-in. That the package
is the vendor's own was proved before it was imported.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from qmtcli.errors import ConfigError

if TYPE_CHECKING:
    from qmtcli.xt.copies import Copy


def load(copy: Copy | None = None) -> ModuleType:
    """Import ``xtquant``: a live profile's ``copy``, or as Python finds it.

    The vendor's ``__init__`` asks the package index for news and prints; without ``requests`` it does neither. Raises
    ConfigError when there is no such package, or when another one was imported before.
    """
    loaded = sys.modules.get("xtquant")
    if loaded is not None:
        if copy is not None and not _is_of(loaded, copy):
            raise ConfigError("another_xtquant", path=copy.folder, other=str(getattr(loaded, "__file__", None)))
        return loaded
    try:
        if copy is not None and not copy.asks_for_news:
            return _import(copy)
        with _without("requests"):
            return importlib.import_module("xtquant") if copy is None else _import(copy)
    except ImportError as error:
        raise ConfigError("no_xtquant", why=str(error)) from error


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Meanwhile a module cannot be imported; who has it already keeps it."""
    missing = object()
    kept = sys.modules.get(name, missing)
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if kept is missing:
            del sys.modules[name]
        else:
            sys.modules[name] = kept  # type: ignore[assignment]


def _import(copy: Copy) -> ModuleType:
    """The package of that folder. What lies beside it never comes before what is installed: beside a terminal's copy
    that is the terminal's own old numpy, beside an imitation what it needs."""
    if copy.source == "module_path" and copy.folder not in sys.path:
        sys.path.append(copy.folder)
    spec = PathFinder.find_spec("xtquant", [copy.folder])
    if spec is None or spec.loader is None:
        raise ImportError(f"no package xtquant in {copy.folder}")
    module = sys.modules["xtquant"] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules["xtquant"]
        raise
    return sys.modules["xtquant"]


def _is_of(package: ModuleType, copy: Copy) -> bool:
    file = getattr(package, "__file__", None)
    return bool(file) and Path(str(file)).resolve().parents[1] == Path(copy.folder).resolve()


def trader_module() -> ModuleType:
    """``xtquant.xttrader``, without the BSON codec that trading never touches.

    Raises ConfigError when its native module is not there.
    """
    load()
    _defer_bson()
    if "xtquant.xttrader" in sys.modules and sys.modules["xtquant.xttrader"] is None:
        del sys.modules["xtquant.xttrader"]  # a guarded script started this qmt, which is guarded by itself
    try:
        import xtquant.xttrader as xttrader
    except ImportError as error:
        raise _unloadable("xtpythonclient", error) from error
    return xttrader  # type: ignore[no-any-return]


def new_trader(path: str, session_id: int) -> Any:
    """A trader of the vendor's, or an imitation's that answers as one; not started. Raises as `trader_module`."""
    module = trader_module()
    if sys.version_info >= (3, 12):
        import asyncio

        # the vendor asks for a current event loop, which newer Pythons do not make by themselves
        asyncio.set_event_loop(asyncio.new_event_loop())
    if is_native():
        return module.XtQuantTrader(path, session_id)
    from qmtcli.xt import imitation

    return imitation.new_trader(module.XtQuantTrader, path, session_id)


def is_native() -> bool:
    """Whether the trader module that was imported is over a native one, or over anything an imitation put there."""
    return "xtquant.xtpythonclient" in sys.modules


def differences(contract: Mapping[str, Mapping[str, Iterable[str]]]) -> list[str]:
    """``xtpythonclient.XtOrder.order_remark`` and so on: what the copy in use lacks of the vendor's interface.

    ``contract`` holds the members of each class by native module, those of the module itself under "". An imitation
    has no native modules: of it what qmt calls is looked at. Raises ConfigError as `trader_module` and `data_module`.
    """
    trader = trader_module()
    data_module()
    if not is_native():
        from qmtcli.xt import imitation

        return imitation.differences(trader.XtQuantTrader, sys.modules["xtquant.xtdata"])
    found = []
    for module, parts in contract.items():
        native = sys.modules[f"xtquant.{module}"]
        for part, names in parts.items():
            whole = getattr(native, part, None) if part else native
            place = f"{module}.{part}" if part else module
            found += [place] if whole is None else [f"{place}.{name}" for name in names if not hasattr(whole, name)]
    return found


def stock_account(account_id: str, account_type: str = "STOCK") -> Any:
    """What the vendor's calls want to know of an account."""
    load()
    from xtquant.xttype import StockAccount

    return StockAccount(account_id, account_type)


def data_module(request_seconds: int = 0, folder: Path | None = None) -> Any:
    """``xtquant.xtdata``, which prints no greeting, or an imitation's that answers as it.

    With a ``folder``, where a file for it is kept, no request of its client takes longer than ``request_seconds``: the
    vendor's are given 150 s, in which they hold the interpreter. Raises ConfigError when its native module is not
    there.
    """
    load()
    try:
        import xtquant.xtdata as xtdata
    except ImportError as error:
        raise _unloadable("datacenter", error) from error
    if "xtquant.datacenter" not in sys.modules:
        from qmtcli.xt.imitation import Data

        return Data(xtdata)
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


def _unloadable(module: str, error: ImportError) -> ConfigError:
    """Built for other Pythons, or it does not load where it should; then why, without the file, which says nothing."""
    from qmtcli.xt import copies

    file = sys.modules["xtquant"].__file__
    copy = copies.look("installed", Path(file).parents[1]) if file else None
    wrong = copies.misfit(copy) if copy else None
    return wrong or ConfigError("no_native_module", module=module, why=str(error).partition(" (")[0])


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
        return getattr(importlib.import_module(self.__name__), name)


def _defer_bson() -> None:
    name = "xtquant.xtbson"
    if name not in sys.modules:
        module = _DeferredBson(name)
        module.__spec__ = ModuleSpec(name, None, is_package=True)
        module.__path__ = [str(Path(folder) / "xtbson") for folder in sys.modules["xtquant"].__path__]
        sys.modules[name] = module
