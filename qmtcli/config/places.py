"""The places settings come from: YAML files, QMT_* variables, flags; each read into the same flat `Layer`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from qmtcli.config.keys import PROFILE, SHARED, TOP, Said
from qmtcli.errors import ConfigError, UsageError
from qmtcli.text import decode, nearest

PROJECT_FILE = "qmt.yaml"

#: every environment variable qmt reads, with the setting it gives; None: it is no setting
VARIABLES: dict[str, str | None] = {
    "QMT_PROFILE": "default",
    "QMT_OUTPUT": "output",
    "QMT_LANG": "lang",
    "QMT_LOG": "log",
    "QMT_DEBUG": "debug",
    "QMT_TIMEOUT": "timeout",
    "QMT_CONFIG": None,  # path of the user's file
    "QMT_STATE": None,  # folder of ledgers, paper accounts and locks
    "QMT_PAPER_CLOCK": None,  # what time it is on the paper exchange, see `qmtcli.paper.clock`
    "QMT_PAPER_FAULTS": None,  # a script of what goes wrong on the paper exchange, see `qmtcli.paper.faults`
}

_PROFILE_NAMES = frozenset(key.partition(".")[0] for key in PROFILE)
_SHARED_NAMES = frozenset(key.partition(".")[0] for key in SHARED)
#: keys that stand for a mapping, and the full key of each of its parts
_PARTS = {
    name: {key.partition(".")[2]: key for key in PROFILE if key.startswith(f"{name}.")} for name in _PROFILE_NAMES
}

Place = Literal["user", "project", "env", "flag"]


class Layer(NamedTuple):
    """What one place says, by key."""

    place: Place
    top: dict[str, Said]
    profiles: dict[str, dict[str, Said]]

    def of(self, profile: str, in_use: bool) -> Iterator[tuple[str, Said]]:
        """What is said of a profile: what holds for all, then its own. A flag holds for the one in use."""
        if self.place != "flag" or in_use:
            yield from ((key, said) for key, said in self.top.items() if key in PROFILE)
        yield from self.profiles.get(profile, {}).items()


def from_env(env: Mapping[str, str], cwd: Path) -> Layer:
    """The QMT_* variables set and not empty. Raises ConfigError ``forbidden_key``, ``unknown_key``."""
    top = {}
    for name, text in env.items():
        if not name.startswith("QMT_") or not text:
            continue
        if name not in VARIABLES:
            key = name[len("QMT_") :].lower()
            if key in {known.replace(".", "_") for known in PROFILE} - set(VARIABLES.values()):
                raise ConfigError("forbidden_key", key=key, source=name)
            near = nearest(name, VARIABLES)
            raise ConfigError("unknown_key", key=name, nearest=near, source="environment")
        if setting := VARIABLES[name]:
            top[setting] = Said(setting, text, "str", name, cwd)
    return Layer("env", top, {})


def from_flags(flags: Mapping[str, object], cwd: Path) -> Layer:
    """The flags that were given. Raises KeyError for a name that is no key."""
    top = {}
    for name, value in flags.items():
        key = "default" if name == "profile" else name
        if key not in TOP and key not in PROFILE:
            raise KeyError(name)
        if value is not None:
            top[key] = Said(key, str(value), "str", f"--{name.replace('_', '-')}", cwd)
    return Layer("flag", top, {})


def read(path: Path, shown: str, place: Place) -> Layer | None:
    """What a file says, None without the file; ``shown`` names it in sources. Raises ConfigError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, shown, None, error.strerror or str(error)) from None
    import yaml

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(decode(data))
        return _File(loader, shown, path.parent, place).layer()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or str(error)
        raise _unreadable(path, shown, mark.line + 1 if mark else None, why) from None
    except UsageError:
        raise _unreadable(path, shown, None, "not UTF-8, UTF-16 or GBK") from None
    except RecursionError:
        raise _unreadable(path, shown, None, "nested without end") from None


def _unreadable(path: Path, shown: str, line: int | None, why: str) -> ConfigError:
    source = shown if line is None else f"{shown}:{line}"
    return ConfigError("unreadable_config", path=str(path), line=line, why=why, source=source)


def _bad(key: str, value: str, expected: str, source: str) -> ConfigError:
    return ConfigError("bad_value", key=key, value=value, expected=expected, source=source)


class _File:
    """One file's nodes on their way into a layer: nodes and not values, for their text and their lines.

    Nodes are Any: the stubs of yaml do not know their ``id``.
    """

    def __init__(self, loader: Any, shown: str, base: Path, place: Place) -> None:
        self._loader = loader
        self._shown = shown
        self._base = base
        self._place = place

    def layer(self) -> Layer:
        top: dict[str, Said] = {}
        profiles: dict[str, dict[str, Said]] = {}
        for key, source, node in self._entries("", self._loader.get_single_node()):
            if key == "profiles":
                for name, where, body in self._entries(key, node):
                    if not name.replace("-", "").replace("_", "").isalnum():  # it names files
                        raise _bad(key, name, "A-Z 0-9 - _", where)
                    profiles[name] = self._profile(f"profiles.{name}", body)
            elif key in TOP or key in _SHARED_NAMES:
                top |= self._say("", key, source, node)
            elif key in _PROFILE_NAMES:
                self._may_say(key, key, source)
                raise ConfigError("profile_key", key=key, source=source)
            else:
                near = nearest(key, {*TOP, *_SHARED_NAMES, "profiles"})
                raise ConfigError("unknown_key", key=key, nearest=near, source=source)
        return Layer(self._place, top, profiles)

    def _profile(self, prefix: str, body: Any) -> dict[str, Said]:
        said: dict[str, Said] = {}
        for key, source, node in self._entries(prefix, body):
            if key not in _PROFILE_NAMES:
                near = nearest(key, _PROFILE_NAMES)
                raise ConfigError("unknown_key", key=f"{prefix}.{key}", nearest=near, source=source)
            said |= self._say(f"{prefix}.", key, source, node)
        return said

    def _say(self, prefix: str, key: str, source: str, node: Any) -> dict[str, Said]:
        """A key that is known, by itself or by the parts of its mapping; ``prefix`` is for reading only."""
        parts = _PARTS.get(key, {})
        if not parts or (node.id != "mapping" and key in PROFILE):
            return {key: self._said(prefix, key, source, node)}
        said = {}
        for part, where, child in self._entries(f"{prefix}{key}", node):
            if part not in parts:
                near = nearest(part, parts)
                raise ConfigError("unknown_key", key=f"{prefix}{key}.{part}", nearest=near, source=where)
            said[parts[part]] = self._said(prefix, parts[part], where, child)
        return said

    def _said(self, prefix: str, key: str, source: str, node: Any) -> Said:
        self._may_say(f"{prefix}{key}", key, source)
        kind = {"sequence": "seq", "mapping": "map"}.get(node.id) or node.tag.rpartition(":")[2]
        text = node.value if node.id == "scalar" else ""
        if kind == "seq" and all(item.id == "scalar" for item in node.value):
            text = ", ".join(item.value for item in node.value)
        return Said(f"{prefix}{key}", text, kind, source, self._base)

    def _may_say(self, shown: str, key: str, source: str) -> None:
        rule = TOP.get(key) or PROFILE.get(key)
        if self._place == "project" and rule and rule.project == "never":
            raise ConfigError("forbidden_key", key=shown, source=source)

    def _entries(self, prefix: str, node: Any) -> list[tuple[str, str, Any]]:
        """(key, source, value) of a mapping, merged (``<<``) ones included; nothing of an empty value."""
        if node is None or (node.id == "scalar" and node.tag.endswith(":null")):
            return []
        if node.id != "mapping":
            raise _bad(prefix or "-", node.id, "KEY: VALUE", self._source(node))
        seen = set()
        for key, _ in node.value:
            if key.id != "scalar":
                raise _bad(prefix or "-", key.id, "KEY: VALUE", self._source(key))
            if key.value in seen:
                raise ConfigError("duplicate_key", key=key.value, source=self._source(key))
            seen.add(key.value)
        self._loader.flatten_mapping(node)
        entries = {key.value: (self._source(key), value) for key, value in node.value}
        return [(key, source, value) for key, (source, value) in entries.items()]

    def _source(self, node: Any) -> str:
        return f"{self._shown}:{node.start_mark.line + 1}"
