"""A script of what goes wrong at the native line: which requests, and what becomes of each.

A script is a YAML or JSON file, a list of rules:

    - {call: order, outcome: no answer, nth: 2}
    - {call: query_orders, outcome: late, seconds: 3, first: 5}

``call`` says to which requests, ``outcome`` what happens to them (`OUTCOMES`), together with the outcome's own
parameters. ``code`` and ``remark`` keep a rule to orders (and cancels of orders) that carry them. Of the requests that
are left, ``nth: 2`` means the second, ``first: 5`` the first five, ``every: 3`` each third; without any of them, all.

Every rule counts the requests it is for, by itself: of its process, or with ``shared: true`` of all processes, in a
file beside the script. Rules that meet at one request act together; where two say different things of the same, the
later one holds. What they come to is a `Plan`, which `qmtcli.paper.faulty` carries out.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from qmtcli.errors import ConfigError, UsageError
from qmtcli.paper.counter import Rejection
from qmtcli.paper.native_tables import CLIENT_METHODS
from qmtcli.text import decode, nearest, truth, whole

#: a request by its name in scripts -> the native method
METHODS = {
    "subscribe": "subscribeWithSeq",
    "unsubscribe": "unsubscribeWithSeq",
    "order": "orderStockWithSeq",
    "cancel": "cancelOrderStockWithSeq",
    "query_asset": "queryStockAssetWithSeq",
    "query_orders": "queryStockOrdersWithSeq",
    "query_trades": "queryStockTradesWithSeq",
    "query_positions": "queryStockPositionsWithSeq",
}
for _method in CLIENT_METHODS:
    _words = re.sub("(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", _method.removesuffix("WithSeq")).lower()
    if _words.startswith("query") and _method not in METHODS.values():
        METHODS.setdefault(_words, _method)
QUERIES = frozenset(name for name in METHODS if name.startswith("query"))
#: every name of ``call``; ``query`` is any query
CALLS = ("connect", *METHODS, "query", "stop")
#: requests that write
WRITES = frozenset({"order", "cancel"})
#: requests that have an answer of their own: all but `connect` and `stop`, which are plain calls
_ANSWERED = frozenset(METHODS)


@dataclass(frozen=True)
class Plan:
    """What becomes of one request; as it stands, nothing out of the ordinary."""

    #: whether it reaches the exchange, or whoever else it is for
    stands: bool = True
    #: ms that an order or a cancel is under way
    arrives: int = 0
    #: what an order or a cancel is turned away with
    rejection: Rejection | None = None
    #: whether an order that is turned away leaves a row
    row: bool = True
    #: whether the answer is -1, whatever happened; and its words
    fails: bool = False
    words: str = ""
    #: whether there is an answer at all
    answered: bool = True
    #: ms by the account's clock that the answer takes
    late: int = 0
    #: what the session hears first: ``reply``, ``pushes`` or ``errors``
    first: str = "reply"
    #: whether errors carry the number of the request
    numbered: bool = True
    #: how often the answer and the pushes come
    replies: int = 1
    pushes: int = 1
    #: the link is lost, and what comes of the request with it
    cut: bool = False
    #: from here on nothing has a link, and nobody is told
    dead: bool = False
    #: account status from here on; None: as it was
    status: int | None = None
    #: remark of a foreign order that is there from here on
    foreign: str = ""
    #: the rule that keeps an order out of listings
    unlisted: Rule | None = None


NOTHING = Plan()


# -- outcomes ----------------------------------------------------------------------------------------------


class Kind(NamedTuple):
    """What a parameter may be."""

    expected: str
    #: raises ValueError
    read: Callable[[str], object]


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1e6:
        raise ValueError
    return value


def _which(text: str) -> str:
    if text not in ("both", "answer", "pushes"):
        raise ValueError
    return text


_TRUTH, _SECONDS, _WHOLE = Kind("true | false", truth), Kind("0 <= s", _seconds), Kind("1 <= n", whole)
_NUMBER, _TEXT, _WHICH = Kind("-61", int), Kind("TEXT", str), Kind("both | answer | pushes", _which)

#: parameter of an outcome -> what it may be, and its value where the rule does not say; None: it must
_REJECTION: dict[str, tuple[Kind, object]] = {
    "error_id": (_NUMBER, -1),
    "message": (_TEXT, "委托被拒绝"),
    "row": (_TRUTH, True),
}


class Outcome(NamedTuple):
    """One thing that can happen to a request."""

    calls: frozenset[str]
    takes: Mapping[str, tuple[Kind, object]]
    #: fields of `Plan` by the rule's parameters
    plan: Callable[[Mapping[str, Any]], dict[str, Any]]
    #: what native code sends, and what the program sees of it, through the vendor's own layer
    sends: str
    sees: str


def _rejection(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"rejection": Rejection(given["error_id"], given["message"]), "row": given["row"]}


def _early_error(given: Mapping[str, Any]) -> dict[str, Any]:
    never = {"stands": False, "fails": True} if given["fails"] else {}
    return {**_rejection(given), "first": "errors", "numbered": given["numbered"], **never}


_ALL = frozenset(CALLS) - {"query", "stop"}

OUTCOMES: dict[str, Outcome] = {
    "reject": Outcome(
        WRITES,
        _REJECTION,
        _rejection,
        "order: an id, the error with the request's number, then a 57 row; `row: false`: no row. "
        "cancel: 0, then the cancel error; the order stays",
        "an id > 0 (cancel: 0), then `on_order_error` (`on_cancel_error`): an id is not acceptance",
    ),
    "-1": Outcome(
        _ALL,
        {"message": (_TEXT, "")},
        lambda given: {"stands": False, "fails": True, "words": given["message"]},
        "-1, and nothing is done; a query: an empty list",
        "-1; a list `[]`, an asset or a single row `None`",
    ),
    "-1 and yet live": Outcome(
        WRITES,
        {"message": (_TEXT, "")},
        lambda given: {"fails": True, "words": given["message"]},
        "-1, and then the pushes of an order that stands (a cancel that is done)",
        "-1; the order is in the listings",
    ),
    "no answer": Outcome(
        frozenset(CALLS) - {"query"},
        {"stands": (_TRUTH, True), "pushes": (_TRUTH, True)},
        lambda given: {"answered": False, "stands": given["stands"], "pushes": int(given["pushes"])},
        "no answer, ever; with `stands: true` the request is carried out, with `pushes: true` its pushes come; "
        "connect, stop: the call never returns",
        "a synchronous call never returns; an asynchronous one is never called back",
    ),
    "late": Outcome(
        _ALL,
        {"seconds": (_SECONDS, None), "arrives": (_SECONDS, 0)},
        lambda given: {"late": round(given["seconds"] * 1000), "arrives": round(given["arrives"] * 1000)},
        "the answer after `seconds` of the account's clock, its pushes when they happen; an order or a cancel reaches "
        "the exchange after `arrives` seconds, whether its sender lives or not",
        "the same, later; until an order arrives its row says 49",
    ),
    "twice": Outcome(
        _ANSWERED,
        {"what": (_WHICH, "both")},
        lambda given: {
            "replies": 1 + (given["what"] != "pushes"),
            "pushes": 1 + (given["what"] != "answer"),
        },
        "the answer and the pushes that come with it, each two times",
        "one answer (the vendor drops the second), every push two times",
    ),
    "push before reply": Outcome(
        WRITES,
        {},
        lambda given: {"first": "pushes"},
        "the pushes, then the answer",
        "rows of an order whose id is not known yet",
    ),
    "error only": Outcome(
        WRITES,
        _REJECTION,
        lambda given: {**_rejection(given), "answered": False},
        "as `reject`, but no answer",
        "nothing (an order's row is pushed and listed as 57; the error lies in `queuing_order_errors_byseq`); "
        "a cancel's error comes with the next cancel of that order",
    ),
    "error before reply": Outcome(
        WRITES,
        {**_REJECTION, "numbered": (_TRUTH, False), "fails": (_TRUTH, False)},
        _early_error,
        "the error, with number -1 (`numbered: true`: the request's), then the id; `fails: true`: then -1, and no row",
        "`on_order_error` of an unknown id, then the id; numbered: the id, then the error; numbered and failing: -1, "
        "then the error, and at the next -1 the same error again",
    ),
    "empty lists on a dead link": Outcome(
        _ALL,
        {},
        lambda given: {"dead": True},
        "from here on what a client without a link gets, and no disconnect",
        "`[]`, `None`, -1, at once",
    ),
    "listed only after": Outcome(
        frozenset({"order"}),
        {"queries": (_WHOLE, None)},
        lambda given: {},
        "listings without the order (and its trades), `queries` times",
        "an order that has an id, and pushes, and is not there",
    ),
    "account status": Outcome(
        _ALL,
        {"status": (_NUMBER, None)},
        lambda given: {"status": given["status"]},
        "from here on this status, pushed and answered; but for 0, orders get -1 (status 6: an id, then error -61) and "
        "cancels -1",
        "`on_account_status`, `query_account_status`, and -1",
    ),
    "disconnect before": Outcome(
        _ANSWERED,
        {},
        lambda given: {"cut": True, "stands": False, "answered": False},
        "no answer; the request has reached nobody; a disconnect; from here on what a client without a link gets",
        "`on_disconnected`; the call never returns; then `[]`, `None`, -1, and `connect` -1",
    ),
    "disconnect after": Outcome(
        _ANSWERED,
        {},
        lambda given: {"cut": True, "answered": False},
        "the same, but the request was carried out",
        "the same; the order stands",
    ),
    "foreign order": Outcome(
        _ANSWERED,
        {"text": (_TEXT, "别的程序留下的一个很长的委托备注")},
        lambda given: {"foreign": given["text"]},
        "from here on an order of another program, pushed and listed, whose remark is cut inside a character",
        "`UnicodeDecodeError` when `order_remark` of that row is read",
    ),
}


# -- rules -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """One line of a script."""

    call: str
    outcome: str
    #: parameters of the outcome, complete
    given: Mapping[str, Any] = field(default_factory=dict)
    #: the only code and the only remark it is for; empty: any
    code: str = ""
    remark: str = ""
    #: which of its requests; 0: not said
    nth: int = 0
    first: int = 0
    every: int = 0
    #: whether all processes count together
    shared: bool = False
    #: what it is counted under
    name: str = ""

    def concerns(self, call: str) -> bool:
        """Whether requests of this name are its own."""
        return self.call == call or (self.call == "query" and call in QUERIES)

    def acts(self, number: int) -> bool:
        """Whether it acts on the request of that number, from 1."""
        if self.nth:
            return number == self.nth
        return number <= self.first if self.first else number % (self.every or 1) == 0


_CHOICES = ("nth", "first", "every")
#: keys that mean something for orders and cancels only
_OF_WRITES = ("code", "remark", "arrives")
_KEYS: dict[str, Kind] = {
    "call": _TEXT,
    "outcome": _TEXT,
    "code": Kind("600000.SH", str),
    "remark": _TEXT,
    **dict.fromkeys(_CHOICES, _WHOLE),
    "shared": _TRUTH,
    "name": _TEXT,
}


def read(path: Path) -> list[Rule]:
    """The rules of a script. Raises ConfigError that names the file, the line and, of a wrong word, the right one."""
    try:
        text = decode(path.read_bytes())
    except OSError as error:
        raise ConfigError("faults_unreadable", source=str(path), why=error.strerror or str(error)) from None
    except UsageError:
        raise ConfigError("faults_unreadable", source=str(path), why="not UTF-8, UTF-16 or GBK") from None
    import yaml

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        root: Any = loader.get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        source = f"{path}:{mark.line + 1}" if mark else str(path)
        why = getattr(error, "problem", None) or str(error)
        raise ConfigError("faults_unreadable", source=source, why=why) from None
    if root is None:
        return []
    if root.id != "sequence":
        raise ConfigError("faults_unreadable", source=f"{path}:{root.start_mark.line + 1}", why=f"{root.id}, no list")
    return [_rule(str(path), number, node) for number, node in enumerate(root.value, 1)]


def rule_of(said: Mapping[str, object], source: str) -> Rule:
    """A rule by its keys; ``source`` says where they stand. Raises ConfigError."""
    return _made({key: (_written(value), source) for key, value in said.items()}, source, "")


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rule(path: str, number: int, node: Any) -> Rule:
    source = f"{path}:{node.start_mark.line + 1}"
    if node.id != "mapping":
        raise ConfigError("faults_unreadable", source=source, why=f"{node.id}, no rule")
    said: dict[str, tuple[str, str]] = {}
    for key, value in node.value:
        where = f"{path}:{key.start_mark.line + 1}"
        if key.id != "scalar" or value.id != "scalar":
            raise ConfigError("faults_unreadable", source=where, why=f"{value.id}, no word")
        if key.value in said:
            raise ConfigError("duplicate_key", key=key.value, source=where)
        said[key.value] = (value.value, where)
    # as it is written and where it stands: another rule begins to count anew
    return _made(said, source, f"{number}: {sorted((key, value) for key, (value, _) in said.items())}")


def _made(said: Mapping[str, tuple[str, str]], source: str, name: str) -> Rule:
    for key, names in (("call", CALLS), ("outcome", tuple(OUTCOMES))):
        if key not in said:
            raise ConfigError("faults_unreadable", source=source, why=f"no {key}")
        word, where = said[key]
        if word not in names:
            raise ConfigError(
                "bad_choice", key=key, value=word, source=where, choices=list(names), nearest=nearest(word, names)
            )
    call, outcome = said["call"][0], said["outcome"][0]
    fits = sorted(OUTCOMES[outcome].calls | ({"query"} if QUERIES & OUTCOMES[outcome].calls == QUERIES else set()))
    if call not in fits:
        choices = [name for name in fits if name not in QUERIES or QUERIES - set(fits)]
        raise ConfigError("fault_not_for_call", outcome=outcome, call=call, choices=choices, source=source)
    takes = OUTCOMES[outcome].takes
    values: dict[str, object] = {"name": name}
    given = {key: default for key, (_, default) in takes.items()}
    for key, (text, where) in said.items():
        kind = takes[key][0] if key in takes else _KEYS.get(key)
        if kind is None or (key in _OF_WRITES and call not in WRITES):
            raise ConfigError("unknown_key", key=key, nearest=nearest(key, {*takes, *_KEYS} - {key}), source=where)
        try:
            (given if key in takes else values)[key] = kind.read(text)
        except ValueError:
            raise ConfigError("bad_value", key=key, value=text, expected=kind.expected, source=where) from None
    if lacking := [key for key, value in given.items() if value is None]:
        raise ConfigError("faults_unreadable", source=source, why=f"{outcome}: no {lacking[0]}")
    if len(chosen := [key for key in _CHOICES if key in said]) > 1:
        raise ConfigError("faults_unreadable", source=source, why=f"{' and '.join(chosen)}")
    return Rule(given=given, **values)  # type: ignore[arg-type]


# -- counting ----------------------------------------------------------------------------------------------


class Counts(Protocol):
    """Numbers by name."""

    def bump(self, name: str, by: int = 1) -> int:
        """The number after it grew; one that is not there begins at 0."""
        ...

    def value(self, name: str) -> int | None:
        """None where there is none."""
        ...


class _Own:
    """Numbers of this process."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._lock = threading.Lock()

    def bump(self, name: str, by: int = 1) -> int:
        with self._lock:
            self._numbers[name] = self._numbers.get(name, 0) + by
            return self._numbers[name]

    def value(self, name: str) -> int | None:
        return self._numbers.get(name)


class _Shared:
    """Numbers of all processes, in a file that is opened for each look: it may be carried across forks."""

    def __init__(self, path: str) -> None:
        self._path = path

    def bump(self, name: str, by: int = 1) -> int:
        with self._table() as connection:
            connection.execute("INSERT OR IGNORE INTO counts VALUES (?, 0)", (name,))
            connection.execute("UPDATE counts SET number = number + ? WHERE name = ?", (by, name))
            return int(connection.execute("SELECT number FROM counts WHERE name = ?", (name,)).fetchone()[0])

    def value(self, name: str) -> int | None:
        with self._table() as connection:
            row = connection.execute("SELECT number FROM counts WHERE name = ?", (name,)).fetchone()
            return int(row[0]) if row else None

    @contextmanager
    def _table(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=30)) as connection, connection:
                connection.execute("PRAGMA synchronous=OFF")  # no count outlives the power
                connection.execute("CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, number INTEGER NOT NULL)")
                yield connection
        except sqlite3.Error as error:
            raise ConfigError("state_unusable", path=str(Path(self._path).parent), why=str(error)) from error


class Script:
    """A script as this process follows it; it may be rewritten at any time."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._rules: list[Rule] = []
        self._own = _Own()
        self._shared = _Shared(f"{path}.counts")

    def plan(self, call: str, traits: Callable[[], tuple[str, str]]) -> Plan:
        """What becomes of this request, which counts. ``traits()``: code and remark of the order it is about.

        Raises ConfigError when the script, or its count, cannot be read.
        """
        plan = NOTHING
        for rule in self._now():
            if not rule.concerns(call) or not _is_about(rule, traits):
                continue
            if rule.acts(self._counts(rule).bump(rule.name)):
                plan = replace(plan, **OUTCOMES[rule.outcome].plan(rule.given))
                if rule.outcome == "listed only after":
                    plan = replace(plan, unlisted=rule)
        return plan

    def keep_out(self, rule: Rule, order_id: int) -> None:
        """The order is not to be listed for as long as the rule says."""
        self._counts(rule).bump(f"{rule.name} / {order_id}", 0)

    def lists(self, order_id: int, count: bool) -> bool:
        """Whether an order is in a listing; ``count``: of orders, which count."""
        for rule in self._now():
            if rule.outcome != "listed only after":
                continue
            counts, name = self._counts(rule), f"{rule.name} / {order_id}"
            passed = counts.value(name)
            if passed is not None and count:
                passed = counts.bump(name) - 1
            if passed is not None and passed < rule.given["queries"]:
                return False
        return True

    def _counts(self, rule: Rule) -> Counts:
        return self._shared if rule.shared else self._own

    def _now(self) -> list[Rule]:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - at every request
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError:
            stamp = None
        if stamp is None or stamp != self._stamp:
            self._rules, self._stamp = read(Path(self._path)), stamp
        return self._rules


def _is_about(rule: Rule, traits: Callable[[], tuple[str, str]]) -> bool:
    if not rule.code and not rule.remark:
        return True
    code, remark = traits()
    return rule.code in ("", code) and rule.remark in ("", remark)


_scripts: dict[str, Script] = {}


def script(path: str) -> Script:
    """The script of a run, one a process, whose clients count together."""
    return _scripts.setdefault(path, Script(path))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_scripts.clear)  # a child counts by itself
