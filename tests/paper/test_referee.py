"""The exchange against a second opinion, over a real day and invented ones: every fill, and none beyond the tape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from conftest import SHARED_DATA
from days import CODE, DAY, PRECLOSE, Action, Fill, Row, clock, invent, read, script
from referee import Referee, beyond_the_tape
from scripted import Bench, ScriptedTape

from qmtcli.paper.clock import parse
from qmtcli.paper.codes import BUY, SELL
from qmtcli.paper.exchange import Exchange
from qmtcli.paper.folder import FolderTape
from qmtcli.paper.tape import Tape, Tick

MIDNIGHT = parse(f"{DAY}T00:00:00")
DAWN, EVENING = clock("09:00:00"), clock("15:45:00")
#: shares held at dawn, an odd lot among them
HELD = 1_000_037


class Outcome(NamedTuple):
    """What came of a day's actions; actions by their number."""

    fills: list[Fill]
    #: (status, shares traded) of each accepted order
    states: dict[int, tuple[int, int]]
    refused: list[int]


def trade(
    tape: Tape, actions: list[Action], looks: Iterable[int] = (), in_flight: bool = False, hands: int = 1
) -> Outcome:
    """The exchange's day.

    ``looks``: times at which one looks besides; ``in_flight``: every order is sent at dawn; ``hands``: connections to
    the account that take turns.
    """
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder), tape, f"{DAY}T09:00:00", cash=10**11)
        bench.give(HELD, PRECLOSE / 1000, CODE)
        others = [Exchange(bench.settings, tape) for _ in range(hands - 1)]
        for other in others:
            other.feed.clock = bench.clock  # type: ignore[assignment]
        turns = [bench.exchange, *others]
        ids: dict[int, int] = {}
        refused = []
        events = [(DAWN if in_flight else action.at, 1, n) for n, action in enumerate(actions)]
        for at, is_action, n in sorted(events + [(at, 0, 0) for at in looks] + [(EVENING, 0, 0)]):
            bench.clock.now = MIDNIGHT + at
            turns.append(turns.pop(0))
            bench.exchange = turns[0]
            if not is_action:
                bench.exchange.refresh()
            elif actions[n].what == "cancel":
                if bench.exchange.cancel(ids[actions[n].target], "", 1)[0]:
                    refused.append(n)
            else:
                side = BUY if actions[n].what == "buy" else SELL
                delay = actions[n].at - at
                ids[n] = bench.send(side, actions[n].volume, actions[n].price / 1000, CODE, actions[n].kind, delay)
        numbers = {order_id: n for n, order_id in ids.items()}
        trades = [trade for trade, _ in bench.exchange.trades()]
        fills = [Fill(numbers[t.order_id], t.time - MIDNIGHT, t.price, t.volume) for t in trades]
        orders = {numbers[order.id]: order for order in bench.exchange.orders()}
        for exchange in turns:
            exchange.store.close()
    refused += [n for n, order in orders.items() if order.status == 57]
    states = {n: (order.status, order.traded) for n, order in orders.items() if order.status != 57}
    return Outcome(fills, states, sorted(refused))


def opinion(rows: list[Row], actions: list[Action]) -> Outcome:
    """The referee's day."""
    referee = Referee(rows, HELD)
    referee.judge(actions)
    states = {n: order.state for n, order in referee.orders.items()}
    return Outcome(referee.fills, states, sorted(referee.refused))


def written(rows: list[Row]) -> ScriptedTape:
    """Rows as a tape of the exchange."""
    opened = next((row.last for row in rows if row.volume), 0)
    ticks = [
        Tick(
            row.at, row.last, opened if row.volume else 0, row.last, row.last, PRECLOSE, row.volume, 0, 0, row.phase,
            tuple(row.asks), tuple(row.bids),
        )
        for row in rows
    ]  # fmt: skip
    return ScriptedTape({CODE: {date.fromisoformat(DAY): ticks}})


class Session(NamedTuple):
    """A day, its orders, and what the exchange made of them."""

    rows: list[Row]
    tape: Tape
    actions: list[Action]
    outcome: Outcome


@pytest.fixture(scope="module", params=[1, 2])
def session(request: pytest.FixtureRequest) -> Session:
    folder = SHARED_DATA / "tick"
    if not folder.is_dir():
        pytest.skip("the folder of real market data is not beside the repository")
    rows, tape = read(folder), FolderTape(folder)
    actions = script(rows, request.param, 600)
    return Session(rows, tape, actions, trade(tape, actions))


def agree(mine: Outcome, others: Outcome, actions: list[Action]) -> None:
    """Two outcomes of the same actions are the same, whatever the order of what happened in one moment."""
    apart = Counter(mine.fills)
    apart.subtract(others.fills)
    assert [(n, fill, actions[fill.order]) for fill, n in apart.items() if n] == []
    assert mine.refused == others.refused
    assert mine.states == others.states


def test_the_referee_gives_the_same_fills(session: Session) -> None:
    agree(session.outcome, opinion(session.rows, session.actions), session.actions)


def test_no_fill_is_beyond_what_the_tape_offered(session: Session) -> None:
    assert beyond_the_tape(session.rows, session.actions, session.outcome.fills) == []


def test_the_day_had_a_bit_of_everything(session: Session) -> None:
    """What the other tests compare is no empty day."""
    fills, states, refused = session.outcome
    assert len(fills) > 700 and len(refused) > 60
    assert {status for status, _ in states.values()} == {50, 53, 54, 55, 56}
    assert sum(fill.at == clock("9:25:01") for fill in fills) > 5
    assert sum(fill.at == clock("15:00:00") for fill in fills) > 5
    sides = {(fill.at, fill.price, session.actions[fill.order].what) for fill in fills}
    assert sum((at, price, "sell") in sides for at, price, what in sides if what == "buy") > 20
    assert {session.actions[n].kind for n in states} == {5, 11, 42, 43, 44, 45}
    assert any(session.actions[n].volume % 100 for n in states)


def test_looking_at_every_snapshot_changes_nothing(session: Session) -> None:
    looks = [row.at for row in session.rows]
    assert trade(session.tape, session.actions, looks) == session.outcome


def test_a_day_slept_through_is_caught_up_with_at_once(session: Session) -> None:
    """Every order is in flight since dawn, and nobody looks before the evening."""
    orders = [action for action in session.actions[::2] if action.what != "cancel"]
    assert trade(session.tape, orders, in_flight=True) == trade(session.tape, orders)


@pytest.mark.parametrize("seed", range(15))
def test_invented_days(seed: int) -> None:
    rows = invent(seed)
    actions = script(rows, seed, 120)
    outcome = trade(written(rows), actions)
    agree(outcome, opinion(rows, actions), actions)
    assert beyond_the_tape(rows, actions, outcome.fills) == []
    assert trade(written(rows), actions, [row.at for row in rows]) == outcome
    assert trade(written(rows), actions, [row.at for row in rows[::7]], hands=3) == outcome


# -- the auditor ---------------------------------------------------------------------------------------

BOOK = [
    Row(clock("10:00:00"), 1_800_000, 0, 13, [(1_800_010, 300), (1_800_020, 200)], [(1_799_990, 300)]),
    Row(clock("10:00:03"), 1_800_000, 500, 13, [(1_800_010, 300)], [(1_799_990, 300)]),
]
ORDERS = [Action(clock("10:00:00"), "buy", 1_000, 1_800_020), Action(clock("10:00:00"), "sell", 900, 1_799_990)]


@pytest.mark.parametrize(
    ("fills", "wrong"),
    [
        ([(0, "10:00:00", 1_800_010, 300), (0, "10:00:01", 1_800_020, 200)], 0),
        ([(0, "10:00:00", 1_800_010, 301)], 1),
        ([(0, "10:00:00", 1_800_010, 200), (0, "10:00:02", 1_800_010, 200)], 1),
        ([(0, "10:00:00", 1_800_000, 100)], 1),
        ([(0, "10:00:03", 1_800_000, 500), (0, "10:00:03", 1_800_010, 300)], 0),
        ([(0, "10:00:03", 1_800_000, 500), (0, "10:00:03", 1_800_010, 301)], 1),
        ([(0, "10:00:03", 1_800_000, 300), (1, "10:00:03", 1_799_990, 500)], 0),
        ([(0, "10:00:03", 1_800_000, 300), (1, "10:00:03", 1_799_990, 501)], 1),
        ([(0, "10:00:03", 1_799_990, 100)], 1),
        ([(0, "10:00:03", 1_799_990, 900), (1, "10:00:03", 1_799_990, 900)], 0),
        ([(0, "10:00:00", 1_800_030, 100)], 1),
        ([(0, "09:59:59", 1_800_020, 100)], 1),
        ([(0, "12:00:00", 1_800_010, 100)], 1),
        ([(1, "10:00:03", 1_799_990, 300), (1, "10:00:04", 1_800_000, 500), (1, "10:00:05", 1_799_990, 200)], 2),
    ],
)
def test_the_auditor_finds_what_the_tape_did_not_offer(fills: list[tuple[int, str, int, int]], wrong: int) -> None:
    done = [Fill(order, clock(at), price, volume) for order, at, price, volume in fills]
    assert len(beyond_the_tape(BOOK, ORDERS, done)) == wrong
