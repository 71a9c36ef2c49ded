"""Settings: flags > QMT_* variables > ./qmt.yaml > the user's file > defaults; and who may say what.

What decides where real money goes, and how much of it, is said by the user's own file or by flags. The folder
one happens to stand in may choose a profile and tighten, never loosen; the environment may choose. `keys`
holds every key with its rule, `places` reads files, variables and flags; here they become a `Config`.

Named tuples with evaluated annotations: every command imports this, and a frozen dataclass costs ten times as much.
"""

import os
import sys
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from qmtcli.config.keys import PAPER_ACCOUNT_TYPES, PROFILE, TOP, Said, parse, tighter
from qmtcli.config.places import PROJECT_FILE, VARIABLES, Layer, from_env, from_flags, read
from qmtcli.errors import ConfigError
from qmtcli.text import nearest

__all__ = [
    "VARIABLES",
    "Config",
    "Limits",
    "Profile",
    "Setting",
    "load",
    "state_dir",
    "template",
    "user_file",
]


class Limits(NamedTuple):
    """What one order and one day may be at most. A limit that is None is not set."""

    #: CNY
    order_value: Decimal | None = None
    #: shares (张 for bonds)
    order_volume: int | None = None
    #: distance from the last price, as a fraction of it
    price_away: Decimal | None = None
    orders_per_day: int | None = None
    orders_per_second: int | None = None
    #: CNY
    day_turnover: Decimal | None = None
    #: the only codes that may be bought, as ``600000.SH``
    symbols: frozenset[str] | None = None


class Profile(NamedTuple):
    """One account and how it is reached."""

    name: str
    live: bool = False
    #: the terminal's ``userdata_mini``; live only
    path: str | None = None
    #: at most 23 bytes, which is what the vendor's records keep; the default is the paper exchange's own
    account: str = "1000000365"
    #: ids of the terminal's other accounts; paper only
    accounts: tuple[str, ...] = ()
    #: as in ``xtconstant.ACCOUNT_TYPE_DICT``
    account_type: str = "STOCK"
    #: folder whose ``xtquant`` is used; None: the installed one; live only
    module_path: str | None = None
    #: ``sample``, ``xtdata`` or the path of a folder of tapes; paper only
    market: str = "sample"
    #: ``always`` or ``exchange``; paper only
    hours: str = "always"
    #: ``none``, ``cancel``, ``plan`` or ``all``
    writes: str = "all"
    #: whether questions count as answered with yes
    yes: bool = False
    #: whether program trading on the account was reported to the broker
    reported: bool = False
    #: None: nothing was said, which refuses unattended live writing; ``"none"``: explicitly no limits
    limits: Limits | Literal["none"] | None = None
    #: seconds that one request may take
    timeout: float = 10.0
    #: seconds that terminal and account are waited for; 0: they are up or not
    wait_ready: float = 0.0
    #: CNY that a new paper account begins with; paper only
    cash: int = 1_000_000
    #: the broker's terms, where set, by the names of `qmtcli.rules.settings.FeeSchedule`
    fees: Mapping[str, Any] = MappingProxyType({})
    #: rules said otherwise, by the names of `qmtcli.rules.settings.Settings`
    rules: Mapping[str, Any] = MappingProxyType({})
    #: the user's own table of instruments, see `qmtcli.rules.instruments`; None: there is none
    instruments: str | None = None

    @property
    def mode(self) -> str:
        """``paper`` or ``live``."""
        return "live" if self.live else "paper"


class Setting(NamedTuple):
    """One line of ``qmt config show``."""

    #: dotted: ``profiles.live.limits.order_value``
    key: str
    #: in the types of JSON
    value: object
    #: ``--timeout``, ``QMT_TIMEOUT``, ``./qmt.yaml:3``, ``/home/me/.config/qmt/config.yaml:7`` or ``default``
    source: str


class Config(NamedTuple):
    """Everything that was set, checked."""

    #: name of the profile in use
    default: str
    profiles: Mapping[str, Profile]
    #: whether a flag or the environment of this very run named the profile
    named: bool = False
    output: str = "table"
    #: ``zh`` or ``en``; None: the system's
    lang: str | None = None
    #: file that keeps messages and errors
    log: str | None = None
    debug: bool = False
    #: where each key that was set comes from, by dotted key
    sources: Mapping[str, str] = MappingProxyType({})

    def profile(self, name: str | None = None) -> Profile:
        """The profile of that name, or the one in use. Raises ConfigError ``unknown_profile``."""
        return self.profiles[_known(name or self.default, self.profiles, "--profile")]

    @property
    def has_live(self) -> bool:
        """Whether any profile is live, which makes a write without a terminal name its profile."""
        return any(profile.live for profile in self.profiles.values())

    @property
    def settings(self) -> list[Setting]:
        """Every value with its source, without keys of the other mode and parts of a mapping not set."""
        rows = [(key, getattr(self, key)) for key in TOP]
        for profile in self.profiles.values():
            rows += [(f"profiles.{profile.name}.{key}", value) for key, value in _values(profile)]
        return [Setting(key, _plain(value), self.sources.get(key, "default")) for key, value in rows]


def load(flags: Mapping[str, object], env: Mapping[str, str], cwd: Path) -> Config:
    """Read and check everything.

    ``flags`` are settings and profile keys by name, and ``profile`` for the profile in use; None: not given.
    A profile key given as a flag holds for the profile in use. Raises ConfigError.
    """
    layers = (*_files(env, cwd), from_env(env, cwd), from_flags(flags, cwd))
    top: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for layer in layers:
        for key, said in layer.top.items():
            if key in TOP:
                top[key], sources[key] = parse(TOP[key], said), said.source
    names = dict.fromkeys(("paper", *(name for layer in layers for name in layer.profiles)))
    default = _known(top.pop("default", "paper"), names, sources.get("default", "default"))
    profiles = {}
    for name in names:
        said_of, profiles[name] = _profile(name, layers, in_use=name == default)
        sources.update((f"profiles.{name}.{key}", said.source) for key, said in said_of.items())
    named = any("default" in layer.top for layer in layers if layer.place in ("env", "flag"))
    return Config(default, profiles, named, sources=sources, **top)


def user_file(env: Mapping[str, str]) -> Path:
    """The user's own configuration file, whether it exists or not."""
    if env.get("QMT_CONFIG"):
        return Path(env["QMT_CONFIG"])
    return _home("config") / "config.yaml"


def state_dir(env: Mapping[str, str]) -> Path:
    """The folder of ledgers, paper accounts and locks, whether it exists or not."""
    if env.get("QMT_STATE"):
        return Path(env["QMT_STATE"])
    return _home("state")


def _home(kind: Literal["config", "state"]) -> Path:
    """The user's folder of this kind, where platformdirs has it."""
    home = os.environ.get("HOME", "")
    if sys.platform == "linux" and home.startswith("/") and f"XDG_{kind.upper()}_HOME" not in os.environ:
        # the usual case by itself: importing platformdirs would be a twentieth of a short command
        return Path(home, ".config" if kind == "config" else ".local/state", "qmt")
    import platformdirs

    folders = platformdirs.PlatformDirs("qmt", appauthor=False)
    return folders.user_config_path if kind == "config" else folders.user_state_path


def template() -> str:
    """A user's first file. A ``#`` not followed by exactly one blank begins an example to uncomment."""
    return Path(__file__).with_name("template.yaml").read_text(encoding="utf-8")


def _files(env: Mapping[str, str], cwd: Path) -> tuple[Layer, Layer]:
    """What the user's file and ./qmt.yaml say; the latter nothing when it is itself the user's file."""
    path, project_path = cwd / user_file(env), cwd / PROJECT_FILE
    user = read(path, str(path), "user")
    if user is None and env.get("QMT_CONFIG"):
        # a mistyped path must not end on another account without a word
        raise ConfigError("no_config_file", path=str(path), source="QMT_CONFIG")
    if user is not None and project_path.exists() and project_path.samefile(path):
        return user, Layer("project", {}, {})
    project = read(project_path, f"./{PROJECT_FILE}", "project")
    return user or Layer("user", {}, {}), project or Layer("project", {}, {})


def _profile(name: str, layers: tuple[Layer, ...], in_use: bool) -> tuple[dict[str, Said], Profile]:
    """A profile and what was said of it, each layer above the one before. Raises ConfigError."""
    values: dict[str, Any] = {}
    said_of: dict[str, Said] = {}
    limited_by = set()
    of_folder: dict[str, Said] = {}
    own_account = ""
    for layer in layers:
        if layer.place == "flag":
            own_account = str(values.get("account", Profile._field_defaults["account"]))
        for key, said in layer.of(name, in_use):
            value = parse(PROFILE[key], said)
            if layer.place == "project" and PROFILE[key].project == "tighten":
                _hold_back(key, value, values, said)
            if layer.place == "project":
                of_folder[key] = said
            if key.startswith("limits"):
                limited_by.add(layer.place)
                for other in _displaced(key, values):
                    del values[other], said_of[other]
            values[key], said_of[key] = value, said
    _check_mode(name, values, said_of)
    if values.get("live"):
        _hold_folder(name, of_folder, limits_alone=limited_by == {"project"})
    else:
        _choose_account(values, said_of, own_account)

    parts: dict[str, dict[str, Any]] = {}
    for key in [key for key in values if "." in key]:
        group, _, part = key.partition(".")
        parts.setdefault(group, {})[part] = values.pop(key)
    if "limits" in parts:
        values["limits"] = Limits(**parts["limits"])
    return said_of, Profile(name, fees=parts.get("fees", {}), rules=parts.get("rules", {}), **values)


def limits_of(said: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Limits as YAML has them, read as a profile's ``limits:`` are. Raises ConfigError."""
    found = {}
    for name, value in said.items():
        key = f"limits.{name}"
        if key not in PROFILE:
            near = nearest(key, [each for each in PROFILE if each.startswith("limits.")])
            raise ConfigError("unknown_key", key=key, source=source, nearest=near)
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        kind = "seq" if isinstance(value, list) else type(value).__name__
        found[name] = parse(PROFILE[key], Said(key, text, kind, source, Path()))
    return found


def _hold_folder(name: str, said_of: Mapping[str, Said], limits_alone: bool) -> None:
    """Hold that the folder at hand does not say of a live profile what is the user's to say."""
    for key, said in said_of.items():
        if PROFILE[key].project == "paper":
            raise ConfigError("forbidden_key", key=said.key, source=said.source)
        if limits_alone and key.startswith("limits"):
            # else a folder's large numbers would open the way to unattended writing
            raise ConfigError("limits_of_folder_alone", profile=name, source=said.source)


def _choose_account(values: dict[str, Any], said_of: Mapping[str, Said], own: str) -> None:
    """Hold that a paper account that a flag names is one of the profile's; the rest of them are the others."""
    known = tuple(dict.fromkeys((own, *values.get("accounts", ()))))
    account = values.get("account", own)
    if account not in known:
        raise ConfigError("unknown_account", account=account, known=list(known), source=said_of["account"].source)
    if "accounts" in values:
        values["accounts"] = tuple(each for each in known if each != account)


def _displaced(key: str, values: Mapping[str, object]) -> list[str]:
    """What a limit makes void: ``limits: none`` every limit below it, a limit the ``none``."""
    if key == "limits":
        return [other for other in values if other.startswith("limits.")]
    return ["limits"] if "limits" in values else []


def _hold_back(key: str, new: object, values: Mapping[str, object], said: Said) -> None:
    old = values.get(key)
    if not tighter(key, new, old):
        held = [other for other in values if key == "limits" and other.startswith("limits.")]
        bound = held or ("default" if old is None else _plain(old))
        raise ConfigError("may_only_tighten", key=said.key, value=said.text, bound=bound, source=said.source)


def _check_mode(name: str, values: Mapping[str, object], said_of: Mapping[str, Said]) -> None:
    mode = "live" if values.get("live") else "paper"
    for key, said in said_of.items():
        if PROFILE[key].mode not in (None, mode):
            raise ConfigError("wrong_mode", key=said.key, profile=name, mode=mode, source=said.source)
    if mode == "paper" and values.get("account_type", "STOCK") not in PAPER_ACCOUNT_TYPES:
        said = said_of["account_type"]
        near = nearest(said.text, PAPER_ACCOUNT_TYPES)
        where = {"key": said.key, "value": said.text, "source": said.source}
        raise ConfigError("bad_choice", **where, choices=list(PAPER_ACCOUNT_TYPES), nearest=near)
    for key in ("path", "account") if mode == "live" else ():
        if key not in values:
            raise ConfigError("missing_key", key=key, profile=name, source=said_of["live"].source)


def _known(name: str, known: Mapping[str, object], source: str) -> str:
    if name not in known:
        near = nearest(name, known)
        raise ConfigError("unknown_profile", name=name, known=list(known), nearest=near, source=source)
    return name


def _values(profile: Profile) -> list[tuple[str, object]]:
    """The keys that have a meaning in the profile's mode, with their values; of mappings the parts set."""
    rows = []
    for key, rule in PROFILE.items():
        group, _, part = key.partition(".")
        value = getattr(profile, group)
        if isinstance(value, Limits):
            value = {name: limit for name, limit in value._asdict().items() if limit is not None}
        if rule.mode not in (None, profile.mode):
            continue
        if not part and not isinstance(value, Mapping):
            rows.append((key, value))
        elif part and isinstance(value, Mapping) and part in value:
            rows.append((key, value[part]))
    return rows


def _plain(value: object) -> object:
    """``value`` in the types of JSON."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return sorted(value) if isinstance(value, frozenset) else value
