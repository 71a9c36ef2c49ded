"""What qmt says of every fault of the native line, on a live account and on paper: the table of docs/outcomes.md.

Every cell of the table is a run, and is held to what the account's file says: what is said of an order is true of it,
no order goes out twice, a failed reading is no empty answer. ``--regenerate`` writes the table anew.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import CLOCK, ROOT, TERMINAL, Result, Runner

from qmtcli.backend import ledger_file
from qmtcli.config import Profile
from qmtcli.paper.faults import OUTCOMES
from qmtcli.paper.settings import Settings

PAGE = ROOT / "docs" / "outcomes.md"
BEGIN, END = "<!-- outcomes: made by tests/test_outcomes.py -->\n", "<!-- end of outcomes -->\n"
ACCOUNT = "2000000365"
#: runs that are under way at once: most of the time they wait
AT_ONCE = 24
#: what an order or a cancel waits for, and what one request may take where it is not answered
ACK_SECONDS, CANCEL_SECONDS, TIMEOUT = 3.0, 5.0, 4.0
#: what was there before: a holding of 300 shares and one of 100 bought today, and an order that rests
FILLED, RESTING = 2, 3

READS = ("positions", "orders", "trades", "asset")
COMMANDS: dict[str, tuple[str, ...]] = {
    "buy": ("buy", "600000.SH", "100", "--limit", "9.09", "--id", "mine", "--yes"),
    "sell": ("sell", "600000.SH", "100", "--limit", "9.00", "--id", "mine", "--yes"),
    "cancel": ("cancel", str(RESTING), "--yes"),
    "replace": ("replace", str(RESTING), "--limit", "8.95", "--id", "mine", "--yes"),
    "batch": ("batch", "{folder}/batch.csv", "--yes", "--wait-for", "1", "--max-rate", "1"),
    **{name: (name,) for name in READS},
    "quote": ("quote", "600000.SH"),
}
#: two orders, which meet the same: a second apart, so that what the first one's fault does to the link is known
BATCH = "side,code,volume,limit,id\nbuy,600000.SH,100,9.09,mine\nsell,600000.SH,100,9.00,also\n"
MODES = {"live": "On a live account", "paper": "On paper"}
#: the one query that a command lives by
QUERY, QUERIES = (
    "its query",
    {"buy": "query_orders", "cancel": "query_orders", **{name: f"query_{name}" for name in READS}},
)
#: the states in which an account is not ready, and the one after the close
NOT_READY, CLOSED = 5, 6


#: the data service, which scripts of faults leave alone
DATA, _DATA = "data service", {"failure": "NATIVE_FAIL", "no answer": "NATIVE_MUTE"}


class Fault(NamedTuple):
    """A row of the table."""

    call: str
    outcome: str
    given: dict[str, Any]
    commands: tuple[str, ...]

    def rule(self, command: str) -> dict[str, Any] | None:
        """The rule of a script; None for what no script can do."""
        if self.call == DATA:
            return None
        call = QUERIES[command] if self.call == QUERY else self.call
        return {"call": call, "outcome": self.outcome, **self.given}

    @property
    def timeout(self) -> float | None:
        """What one request may take; None: as long as by default, since every one is answered."""
        silent = self.outcome == "no answer" or self.given.get("seconds") == 60
        return TIMEOUT if silent and self.call not in ("order", "cancel", "stop") else None

    @property
    def env(self) -> dict[str, str]:
        """What disturbs the native line of the data service."""
        return {_DATA[self.outcome]: self.given["call"]} if self.call == DATA else {}

    @property
    def said(self) -> str:
        """The outcome and its parameters, as a script has them."""
        given = ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in self.given.items())
        return f"`{self.outcome}`" + (f" {given}" if given else "")


def _faults(call: str, commands: tuple[str, ...], *more: tuple[str, dict[str, Any]]) -> list[Fault]:
    """Every outcome that a request can have, with the parameters that make a difference in ``more``."""
    asked = "query_orders" if call == QUERY else call
    named = [(name, _NEEDED.get(name, {})) for name, outcome in OUTCOMES.items() if asked in outcome.calls]
    found = [Fault(call, name, given, commands) for name, given in [*named, *more]]
    return sorted(found, key=lambda fault: [*OUTCOMES].index(fault.outcome))


#: parameters without which a script is none
_NEEDED: dict[str, dict[str, Any]] = {
    "late": {"seconds": 0.3},
    "listed only after": {"queries": 1},
    "account status": {"status": NOT_READY},
}
_CLOSED = ("account status", {"status": CLOSED})
_NEVER = ("late", {"seconds": 60})
_OF_WRITES = (
    ("reject", {"row": False}),
    ("no answer", {"pushes": False}),
    ("no answer", {"stands": False}),
    ("late", {"seconds": 60, "arrives": 60}),
    ("late", {"seconds": 0, "arrives": 60}),
    ("error only", {"row": False}),
    _CLOSED,
)
FAULTS = [
    *_faults(
        "order", ("buy", "sell", "replace", "batch"), *_OF_WRITES, _NEVER,
        ("error before reply", {"numbered": True}),
        ("error before reply", {"fails": True}),
        ("error before reply", {"numbered": True, "fails": True}),
        ("listed only after", {"queries": 99}),
    ),
    *_faults("cancel", ("cancel", "replace"), *_OF_WRITES),
    *_faults("connect", ("buy", "cancel", "batch", *READS, "quote"), _NEVER, _CLOSED),
    *_faults("subscribe", ("buy", "cancel", "batch"), _NEVER, _CLOSED),
    *_faults(QUERY, ("buy", "cancel", *READS), _NEVER, _CLOSED, ("disconnect before", {"nth": 1})),
    Fault("query", "-1", {}, ("buy", "cancel", *READS)),
    Fault("query", "late", {"seconds": 60}, ("buy", "cancel", *READS)),
    Fault("stop", "no answer", {}, (*COMMANDS,)),
    *(
        Fault(DATA, outcome, {"call": call}, ("buy", "sell", "cancel", "quote"))
        for outcome in _DATA
        for call in ("connect", "get_full_tick", "get_instrument_detail")
    ),
]  # fmt: skip


class Cell(NamedTuple):
    """One run: what was asked of a command, and when what went wrong."""

    mode: str
    number: int
    command: str

    @property
    def fault(self) -> Fault:
        """What goes wrong."""
        return FAULTS[self.number]

    def __str__(self) -> str:
        return f"{self.mode}-{self.command}-{self.fault.call} {self.fault.said}".replace("`", "")


CELLS = [Cell(mode, number, name) for mode in MODES for number, fault in enumerate(FAULTS) for name in fault.commands]
if os.name == "nt":  # where a run starts as slowly as a person's: every fault once
    CELLS = [cell for cell in CELLS if cell.mode == "live" and cell.command == cell.fault.commands[0]]


class Done(NamedTuple):
    """What a run left behind."""

    result: Result
    #: orders of the day by id: status and remark
    orders: dict[int, tuple[int, str]]
    #: the ledger's entries by client id: state and the order's id
    entries: dict[str, tuple[str, str]]
    #: from its start to its end
    seconds: float

    @property
    def said(self) -> str:
        """The exit status, and the word for it: a state, a result, or the code of an error."""
        status, stdout = self.result.status, self.result.stdout
        if not stdout:
            return f"{status} {self.result.error['code']}"
        if stdout[0] == "{" and stdout.count("\n{"):
            words = [json.loads(line)["status"] for line in stdout.splitlines()]
            return f"{status} {', '.join(sorted(set(words)))}"
        rows = json.loads(stdout)
        row = rows if isinstance(rows, dict) else rows[0] if rows else {}
        return f"{status} {row.get('result') or (row.get('client_id') and row['status']) or ''}".strip()


class World:
    """Runs of qmt, each on a copy of one account."""

    def __init__(self, folder: Path, runs: Callable[[str], Runner]) -> None:
        self._folder, self._runs = folder, {mode: runs(mode) for mode in MODES}
        (folder / "userdata_mini").mkdir()
        (folder / "batch.csv").write_text(BATCH)
        (folder / "config.yaml").write_text(
            f"profiles:\n  live:\n    live: true\n    path: {folder / 'userdata_mini'}\n    account: '{ACCOUNT}'\n"
            f"    module_path: {TERMINAL}\n    limits: none\n  paper:\n    account: '{ACCOUNT}'\n"
        )
        self._seed = self._file(folder, "paper")
        for words in (
            ("buy", "600000.SH", "300", "--limit", "9.09"),
            ("paper", "next-day"),
            ("buy", "600000.SH", "100", "--limit", "9.09"),
            ("buy", "600000.SH", "100", "--limit", "8.90"),
        ):
            assert self._qmt("paper", folder, *words).status == 0

    @staticmethod
    def _file(folder: Path, mode: str) -> Path:
        home = folder / "terminal" if mode == "live" else folder / "state" / "paper" / "paper"
        return home / f"{ACCOUNT}.sqlite"

    def _qmt(
        self, mode: str, folder: Path, *words: str, faults: Path | None = None, more: Mapping[str, str] | None = None
    ) -> Result:
        env = {**(more or {}), "QMT_STATE": str(folder / "state"), "QMT_CONFIG": str(self._folder / "config.yaml")}
        clock = f"{CLOCK}+"
        if mode == "live":
            started = time.time_ns() // 1_000_000
            home = str(self._file(folder, mode).parent)
            settings = Settings(home, ACCOUNT, clock=clock, clock_started=started, faults=str(faults or ""))
            env["QMTCLI_PAPER"] = json.dumps(asdict(settings))
        else:
            env.update({"QMT_PAPER_CLOCK": clock, **({"QMT_PAPER_FAULTS": str(faults)} if faults else {})})
        return self._runs[mode]("--profile", mode, *words, env=env)

    def run(
        self,
        mode: str,
        command: str,
        rule: Mapping[str, Any] | None,
        name: str,
        timeout: float | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Done:
        """Run a command under a rule, its native line disturbed as ``env`` says."""
        folder = self._folder / name
        file = self._file(folder, mode)
        file.parent.mkdir(parents=True)
        with sqlite3.connect(self._seed) as seed, sqlite3.connect(file) as copy:
            seed.backup(copy)
        faults = folder / "faults.json"
        faults.write_text(json.dumps([rule] if rule else []))
        asked = [word.format(folder=self._folder) for word in COMMANDS[command]]
        words = (*asked, "--json", *(("--timeout", str(timeout)) if timeout else ()))
        begun = time.monotonic()
        result = self._qmt(mode, folder, *words, faults=faults, more=env)
        return self._done(mode, folder, result, time.monotonic() - begun)

    def reconciled(self, mode: str, name: str) -> Done:
        """What there is once the ledger of an earlier run was settled, with nothing going wrong."""
        begun = time.monotonic()
        result = self._qmt(mode, self._folder / name, "reconcile", "--json")
        return self._done(mode, self._folder / name, result, time.monotonic() - begun)

    def _done(self, mode: str, folder: Path, result: Result, seconds: float) -> Done:
        with sqlite3.connect(self._file(folder, mode)) as account:
            rows = account.execute("SELECT id, status, remark FROM orders WHERE day = (SELECT day FROM account)")
            orders = {number: (status, remark) for number, status, remark in rows}
        ledger = ledger_file(Profile(mode, live=mode == "live", account=ACCOUNT), {"QMT_STATE": str(folder / "state")})
        entries: dict[str, tuple[str, str]] = {}
        if ledger.exists():
            with sqlite3.connect(ledger) as file:
                known = file.execute("SELECT client_id, state, order_id FROM entries")
                entries = {client_id: (state, order_id) for client_id, state, order_id in known}
        return Done(result, orders, entries, seconds)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, quick_runs: Callable[[str], Runner]) -> World:
    return World(tmp_path_factory.mktemp("outcomes"), quick_runs)


def _name_of(cell: Cell) -> str:
    """The folder of a cell's run."""
    return f"{cell.mode}-{cell.number}-{cell.command}"


def _disturbed(cell: Cell, name: str) -> tuple[Any, ...]:
    fault = cell.fault
    return fault.rule(cell.command), name, fault.timeout, fault.env


@pytest.fixture(scope="module")
def done(world: World, request: pytest.FixtureRequest) -> Iterator[Callable[[Cell], Done]]:
    """The runs of the cells that are asked for, all of them under way at once."""
    cells: Iterable[Any] = (
        item.callspec.params.get("cell") for item in request.session.items if hasattr(item, "callspec")
    )
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs: dict[Cell, Future[Done]] = {
            cell: pool.submit(world.run, cell.mode, cell.command, *_disturbed(cell, _name_of(cell)))
            for cell in cells
            if isinstance(cell, Cell)
        }
        yield lambda cell: runs[cell].result()


@pytest.fixture(scope="module")
def undisturbed(world: World) -> Callable[[str, str], Done]:
    """What a command says when nothing goes wrong."""
    known: dict[tuple[str, str], Done] = {}

    def run(mode: str, command: str) -> Done:
        if (mode, command) not in known:
            known[mode, command] = world.run(mode, command, None, f"undisturbed-{mode}-{command}")
        return known[mode, command]

    return run


def _table(mode: str, said: Callable[[Cell], str]) -> list[str]:
    lines = [f"| request | outcome | {' | '.join(COMMANDS)} |", "|---" * (2 + len(COMMANDS)) + "|"]
    for number, fault in enumerate(FAULTS):
        cells = [said(Cell(mode, number, name)) if name in fault.commands else "" for name in COMMANDS]
        lines.append(f"| {fault.call} | {fault.said} | {' | '.join(cells)} |")
    return lines


def _page(text: str, said: Callable[[Cell], str]) -> str:
    """The page with its table as it should be."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin and end, f"{PAGE.name} has lost the marks of the table"
    tables = "\n\n".join("\n".join([f"### {title}", "", *_table(mode, said)]) for mode, title in MODES.items())
    return f"{before}{BEGIN}\n{tables}\n\n{END}{after}"


def test_the_page_has_every_fault(done: Callable[[Cell], Done], regenerate: bool) -> None:
    if regenerate:
        PAGE.write_text(_page(PAGE.read_text("utf-8"), lambda cell: done(cell).said), "utf-8")
    text = PAGE.read_text("utf-8")
    listed = [line.split(" | ")[1] for line in text.splitlines() if line.startswith("| ")]
    assert listed == ["outcome", *(fault.said for fault in FAULTS)] * len(MODES)


def _on_page(cell: Cell) -> str:
    part = PAGE.read_text("utf-8").partition(f"### {MODES[cell.mode]}\n")[2]
    line = next(line for line in part.splitlines() if line.startswith(f"| {cell.fault.call} | {cell.fault.said} |"))
    return line.removesuffix(" |").split(" | ")[2 + [*COMMANDS].index(cell.command)].strip()


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_what_is_said_is_on_the_page_and_true(
    cell: Cell, done: Callable[[Cell], Done], undisturbed: Callable[[str, str], Done], world: World
) -> None:
    found = done(cell)
    assert found.said == _on_page(cell)
    status, stdout, stderr = found.result.status, found.result.stdout, found.result.stderr
    if not stdout:
        assert found.result.error["exit_status"] == status  # one object, and no traceback beside it
    else:
        assert stderr == ""
    assert status not in (1, 2, 3)
    _hold_ledger(found)
    if cell.command in ("replace", "batch"):
        assert max(Counter(remark for _, remark in found.orders.values()).values()) == 1
        after = world.reconciled(cell.mode, _name_of(cell))
        _hold_ledger(after)
        undecided = {client_id for client_id, (state, _) in after.entries.items() if state in ("unknown", "sending")}
        assert (after.result.status == 7) == bool(undecided)
        made = {remark for _, remark in after.orders.values()}
        # what there is is found; at a terminal what is not there may be yet to come
        assert not undecided & made and (cell.mode == "live" or not undecided)
    elif cell.command in ("buy", "sell"):
        _hold_order(status, stdout, found.orders)
    elif cell.command == "cancel":
        _hold_cancel(found.said, found.orders)
    elif status == 0:
        expected = _rows(undisturbed(cell.mode, cell.command).result)
        assert [row for row in _rows(found.result) if not row.get("order_remark", "").startswith("别的")] == expected
    else:
        assert (stdout, status) == ("", 4)


def _rows(result: Result) -> list[dict[str, Any]]:
    return result.json if isinstance(result.json, list) else [result.json]


@pytest.mark.parametrize("mode", MODES)
def test_the_slowest_end_within_their_deadline_and_a_second(mode: str, world: World) -> None:
    slow = {
        ("positions", "connect", TIMEOUT): {"outcome": "no answer"},
        ("orders", "query_orders", TIMEOUT): {"outcome": "no answer"},
        ("buy", "subscribe", TIMEOUT): {"outcome": "no answer"},
        ("buy", "order", ACK_SECONDS): {"outcome": "no answer", "stands": False},
        ("cancel", "cancel", CANCEL_SECONDS): {"outcome": "error only"},
    }
    with ThreadPoolExecutor(len(slow)) as pool:
        # what a start takes when as many begin at once
        begun = [pool.submit(world.run, mode, "buy", None, f"start-{mode}-{number}") for number in range(len(slow))]
        start = max(run.result().seconds for run in begun)
        runs = {
            (command, call, seconds): pool.submit(
                world.run, mode, command, {"call": call, **more}, f"slow-{mode}-{command}-{call}", TIMEOUT
            )
            for (command, call, seconds), more in slow.items()
        }
    for (_, _, seconds), run in runs.items():
        assert seconds <= run.result().seconds < seconds + 1 + start


def _hold_order(status: int, stdout: str, orders: dict[int, tuple[int, str]]) -> None:
    """At most one order was made, and it stands or does not, as the exit status says."""
    made = [state for number, (state, remark) in orders.items() if number > RESTING]
    assert len(made) <= 1
    if status in (0, 8):
        assert made and made[0] != 57 and json.loads(stdout)["order_id"] == str(RESTING + 1)
    elif status != 7:
        assert made in ([], [57])


#: state of an entry -> xtquant's numbers of the order's; one that is rejected may never have been an order
_NUMBERS = {
    "filled": (56,), "canceled": (53, 54), "rejected": (57, None), "planned": (None,),
    "open": (48, 49, 50, 51, 52), "part_filled": (55, 52), "accepted": (48, 49, 50, 51, 55, 56, None),
}  # fmt: skip


def _hold_ledger(found: Done) -> None:
    """What the ledger says is true, or that it is unknown."""
    states = {remark: state for state, remark in found.orders.values()}
    for client_id, (state, _) in found.entries.items():
        if state not in ("unknown", "sending"):
            assert states.get(client_id) in _NUMBERS[state], (client_id, state, found.orders)


def _hold_cancel(said: str, orders: dict[int, tuple[int, str]]) -> None:
    """The order that was to be canceled is what the word for it says."""
    state, word = orders[RESTING][0], said.partition(" ")[2]
    assert orders.keys() == {FILLED, RESTING}
    if word == "canceled":
        assert state == 54
    elif word in ("refused", "locked") or said.startswith(("4", "6")):
        assert state == 50
