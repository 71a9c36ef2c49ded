"""A strategy's file: whether it is one, what it declares, and what of it is called."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from qmtcli.errors import UsageError
from qmtcli.strategy.bars import PERIODS
from qmtcli.symbols import parse_code

#: what a file may define, any of them, and what each is given
HOOKS = {
    "on_start": 1, "on_tick": 2, "on_bar_open": 2, "on_bar_close": 2, "on_timer": 2, "on_order": 2, "on_trade": 2,
    "on_link": 2, "on_stop": 1,
}  # fmt: skip
#: what a file or a plan may say beside them
_SAYS = ("symbols", "period", "timers", "params")


class Declared(NamedTuple):
    """What a strategy says of itself; a plan's words come over those of the file."""

    #: codes whose ticks it gets
    symbols: tuple[str, ...] = ()
    #: periods of its bars
    periods: tuple[str, ...] = ()
    #: name → ``14:50``, ``14:50:30``, ``30s``, ``100ms``, ``5m``
    timers: Mapping[str, str] = {}
    params: Mapping[str, Any] = {}


class Strategy(NamedTuple):
    """A file that was loaded."""

    name: str
    declared: Declared
    #: by the names of `HOOKS`: what is called with the context first
    hooks: Mapping[str, Callable[..., object]]


def is_strategy(path: Path) -> bool:
    """Whether a file defines any of the functions of a strategy, on its own or in a class; else it is a plain script.

    A file that is no Python is none, and where it imports xtquant, a function that is given another number of things is
    a callback of its own. Nothing of it runs.
    """
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError):
        return False
    exact = any(name.partition(".")[0] == "xtquant" for each in ast.walk(tree) for name in _imported(each))
    classes = [each for each in tree.body if isinstance(each, ast.ClassDef)]
    return bool(_defined(tree.body, exact, 0) or any(_defined(each.body, exact, 1) for each in classes))


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def _defined(body: list[ast.stmt], exact: bool, more: int) -> set[str]:
    """The names of `HOOKS` in a body; ``exact``: only those of functions that are given so much, and ``more``."""
    found: set[str] = set()
    for each in body:
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
            given = len(each.args.posonlyargs) + len(each.args.args)
            if not exact or given == HOOKS.get(each.name, -1) + more:
                found.add(each.name)
        elif isinstance(each, ast.ImportFrom):
            found.update(alias.asname or alias.name for alias in each.names)
        elif isinstance(each, ast.Assign):
            found.update(target.id for target in each.targets if isinstance(target, ast.Name))
    return found & set(HOOKS)


def load(path: Path, name: str, over: Mapping[str, Any] | None = None) -> Strategy:
    """Run a file and look at what it defines.

    ``over``: a plan's words, ``symbols``, ``period``, ``timers``, ``params``.
    Raises UsageError for what is declared wrongly, and whatever the file raises.
    """
    module = _run(path)
    owner = _owner(module, path)
    said = {key: getattr(module, key, None) for key in _SAYS}
    if not isinstance(owner, ModuleType):
        said |= {key: value for key in _SAYS if (value := getattr(owner, key, None)) is not None}
    params = {**(said["params"] or {}), **((over or {}).get("params") or {})}
    said |= {key: value for key, value in (over or {}).items() if value is not None}
    hooks = {hook: getattr(owner, hook) for hook in HOOKS if callable(getattr(owner, hook, None))}
    return Strategy(name, declared({**said, "params": params}), hooks)


def declared(said: Mapping[str, Any]) -> Declared:
    """What was said, looked at. Raises UsageError."""
    symbols = said.get("symbols") or ()
    periods = said.get("period") or ()
    symbols = (symbols,) if isinstance(symbols, str) else tuple(symbols)
    periods = (periods,) if isinstance(periods, str) else tuple(periods)
    for period in periods:
        if period not in PERIODS:
            raise UsageError("unknown_period", period=str(period), periods=", ".join(PERIODS))
    for symbol in symbols:
        if not isinstance(symbol, str):  # YAML has read 000001 as a number
            raise UsageError("code_unknown", code=str(symbol))
    timers = said.get("timers") or {}
    params = said.get("params") or {}
    if not isinstance(timers, Mapping) or not isinstance(params, Mapping):
        raise UsageError("bad_strategy_words", what="timers" if not isinstance(timers, Mapping) else "params")
    codes = tuple(dict.fromkeys(parse_code(symbol) for symbol in symbols))
    return Declared(codes, periods, {str(name): str(text) for name, text in timers.items()}, dict(params))


def _run(path: Path) -> ModuleType:
    name = f"qmt_strategy_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError("no_strategy_file", path=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec.loader.exec_module(module)
    return module


def _owner(module: ModuleType, path: Path) -> object:
    """The module, or an instance of the one class in it that has the functions. Raises UsageError."""
    if any(callable(getattr(module, hook, None)) for hook in HOOKS):
        return module
    found = [
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and each.__module__ == module.__name__
        and any(callable(getattr(each, hook, None)) for hook in HOOKS)
    ]
    # of classes that build on one another, the last
    found = [each for each in found if not any(other is not each and issubclass(other, each) for other in found)]
    if len(found) != 1:
        names = ", ".join(each.__name__ for each in found)
        raise UsageError("no_one_strategy", path=str(path), names=names)
    made: object = found[0]()
    return made
