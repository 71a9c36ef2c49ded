"""Every key of the configuration: how its text is read, who may say it, and in which mode it has a meaning.

A value stays text with its source until its key reads it, so that ``000123`` cannot lose its zeros.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path, PureWindowsPath
from typing import Any, Literal, NamedTuple

from qmtcli.errors import ConfigError, UsageError
from qmtcli.rules.settings import FEES, RULES, Form
from qmtcli.text import nearest, number, truth, whole

#: what a profile may write, from least to most
WRITES = ("none", "cancel", "plan", "all")
#: account types of the paper exchange
PAPER_ACCOUNT_TYPES = ("STOCK", "CREDIT")


class Said(NamedTuple):
    """A value as somebody wrote it."""

    #: dotted, as it stands where it was said
    key: str
    #: the items of a list are joined by commas
    text: str
    #: what YAML takes it for: str, int, float, bool, null, timestamp, seq, map
    kind: str
    #: see `qmtcli.config.Setting.source`
    source: str
    #: the folder that relative paths start from
    base: Path


class Key(NamedTuple):
    """The rule of one key."""

    #: the value of what was said; raises ValueError
    read: Callable[[Said], object]
    #: what is expected, in no language
    expected: str
    choices: tuple[str, ...] = ()
    #: what ./qmt.yaml may do with it; ``paper``: set it on paper profiles
    project: Literal["set", "paper", "tighten", "never"] = "set"
    #: the only mode in which it has a meaning
    mode: Literal["paper", "live"] | None = None


def parse(key: Key, said: Said) -> Any:
    """The value of what was said. Raises ConfigError, ``bad_value`` or ``bad_choice`` for the most part."""
    try:
        if said.kind in ("map", "null") or (said.kind == "seq" and key.read not in (_symbols, _accounts)):
            raise ValueError
        return key.read(said)
    except ValueError:
        where = {"key": said.key, "value": said.text, "source": said.source}
        if key.choices:
            near = nearest(said.text, key.choices)
            raise ConfigError("bad_choice", **where, choices=list(key.choices), nearest=near) from None
        raise ConfigError("bad_value", **where, expected=key.expected) from None


def tighter(key: str, new: Any, old: Any) -> bool:
    """Whether ``new`` allows nothing that ``old`` does not; an ``old`` of None was not said."""
    if key == "writes":
        return WRITES.index(new) <= WRITES.index(old or "all")
    if key == "yes":
        return not new or bool(old)
    if key == "limits":
        return bool(new == old)
    return old is None or bool(new <= old)


def _text(said: Said) -> str:
    if said.kind != "str":
        raise ConfigError("unquoted", key=said.key, value=said.text, source=said.source)
    if not said.text.isprintable():
        raise ConfigError("escaped_text", key=said.key, source=said.source)
    if not said.text.strip():
        raise ValueError
    return said.text


def _account(said: Said) -> str:
    return _account_id(_text(said))


def _accounts(said: Said) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_account_id(text.strip()) for text in said.text.split(",")))


def _account_id(text: str) -> str:
    if len(text) > 23 or not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise ValueError
    return text


def _path(said: Said) -> str:
    text = os.path.expanduser(_text(said))  # noqa: PTH111 - Path would rewrite the separators
    if Path(text).is_absolute() or PureWindowsPath(text).is_absolute():
        return text
    return os.path.normpath(said.base / text)


def _market(said: Said) -> str:
    if said.text in ("sample", "xtdata"):
        return said.text
    if not said.text.startswith((".", "~")) and "/" not in said.text and "\\" not in said.text:
        raise ValueError  # a misspelt word, not a folder
    return _path(said)


def _truth(said: Said) -> bool:
    return truth(said.text)


def _positive(said: Said) -> Decimal:
    value = number(said.text)
    if value <= 0:
        raise ValueError
    return value


def _whole(said: Said) -> int:
    return whole(said.text)


def _seconds(said: Said) -> float:
    value = _positive(said)
    if value > 3600:
        raise ValueError
    return float(value)


def _percent(said: Said) -> Decimal:
    text = said.text.strip()
    if not text.endswith("%") or not 0 < number(text[:-1]) <= 100:
        raise ValueError
    return number(text[:-1]) / 100


def _symbols(said: Said) -> frozenset[str]:
    from qmtcli.symbols import parse_code

    try:
        return frozenset(parse_code(code) for code in said.text.split(","))
    except UsageError:
        raise ValueError from None


def _choice(*names: str) -> Key:
    by_lower = {name.lower(): name for name in names}

    def read(said: Said) -> str:
        if said.text.lower() not in by_lower:
            raise ValueError
        return by_lower[said.text.lower()]

    return Key(read, " | ".join(names), names)


def _form(form: Form, project: Literal["set", "paper"]) -> Key:
    """The key of a field of `qmtcli.rules.settings`."""
    return Key(lambda said: form.read(said.text), form.expected, project=project)


_BOOL = Key(_truth, "true | false")
_MONEY = Key(_positive, "50000 | 5万", project="tighten")
_WHOLE = Key(_whole, "100 | 1万", project="tighten")

#: settings of the whole program
TOP: dict[str, Key] = {
    "default": Key(_text, "NAME"),
    "output": _choice("table", "wide", "json", "ndjson", "csv", "id"),
    "lang": _choice("zh", "en"),
    "log": Key(_path, "FILE", project="never"),
    "debug": _BOOL,
}
#: settings of a profile; those with a dot stand in a mapping of their own
PROFILE: dict[str, Key] = {
    "live": _BOOL._replace(project="never"),
    "path": Key(_path, r"D:\broker\userdata_mini", project="never", mode="live"),
    "account": Key(_account, '"1000000365"', project="never"),
    "accounts": Key(_accounts, '["1000000365", "1000000366"]', project="never", mode="paper"),
    # decides what an order means: 23 is a buy on a STOCK account and a buy of collateral on a CREDIT one
    "account_type": _choice("STOCK", "CREDIT", "HUGANGTONG", "SHENGANGTONG")._replace(project="never"),
    "module_path": Key(_path, "FOLDER", project="never", mode="live"),
    "market": Key(_market, "sample | xtdata | ./FOLDER", mode="paper"),
    "hours": _choice("always", "exchange")._replace(mode="paper"),
    "writes": _choice(*WRITES)._replace(project="tighten"),
    "yes": _BOOL._replace(project="tighten"),
    "reported": _BOOL._replace(project="never", mode="live"),
    "limits": Key(_choice("none").read, "none | {order_value: 50000, price_away: 3%}", project="tighten"),
    "limits.order_value": _MONEY,
    "limits.order_volume": _WHOLE,
    "limits.price_away": Key(_percent, "3%", project="tighten"),
    "limits.orders_per_day": _WHOLE,
    "limits.orders_per_second": _WHOLE,
    "limits.day_turnover": _MONEY,
    "limits.symbols": Key(_symbols, "[600000.SH, 510300.SH]", project="tighten"),
    "timeout": Key(_seconds, "0 < s <= 3600"),
    "wait_ready": Key(_seconds, "0 < s <= 3600"),
    "cash": Key(_whole, "1000000 | 100万", mode="paper"),
    **{f"fees.{name}": _form(form, "set") for name, form in FEES.items()},
    # what a rule is on a live profile decides whether an order goes out
    **{f"rules.{name}": _form(form, "paper") for name, form in RULES.items()},
    "instruments": Key(_path, "FILE.csv", project="paper"),
}
#: profile keys that may also stand at the top of a file, for all profiles
SHARED = frozenset({"writes", "timeout", "wait_ready"} | {key for key in PROFILE if key.startswith("limits")})
