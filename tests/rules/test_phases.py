"""The trading day by exchange, kind and date."""

from __future__ import annotations

from datetime import date, time

import pytest

from qmtcli.rules.boards import instrument
from qmtcli.rules.phases import (
    Phase,
    accepts_after_hours,
    has_after_hours,
    has_closing_auction,
    phase_at,
    schedule,
)
from qmtcli.rules.settings import Settings

TODAY = date(2026, 11, 23)
EVE, REFORM = date(2026, 7, 3), date(2026, 7, 6)

MORNING = [
    ("00:00", Phase.PRE_OPEN),
    ("09:15", Phase.OPENING),
    ("09:20", Phase.OPENING_LOCKED),
    ("09:25", Phase.PAUSE),
    ("09:30", Phase.CONTINUOUS),
    ("11:30", Phase.LUNCH),
    ("13:00", Phase.CONTINUOUS),
]
MORNING_SZ = [*MORNING]
MORNING_SZ[3], MORNING_SZ[5] = ("09:25", Phase.PAUSE_HELD), ("11:30", Phase.LUNCH_SZ)
CLOSING = [("14:57", Phase.CLOSING)]
CLOSED = [("15:00", Phase.CLOSED)]
AFTER_HOURS = [
    ("15:00", Phase.AFTER_HOURS_ORDERS),
    ("15:05", Phase.AFTER_HOURS),
    ("15:30", Phase.AFTER_HOURS_DONE),
]


@pytest.mark.parametrize(
    ("code", "on", "rows"),
    [
        ("600000.SH", date(2018, 8, 17), MORNING + CLOSED),
        ("600000.SH", date(2018, 8, 20), MORNING + CLOSING + CLOSED),
        ("600000.SH", EVE, MORNING + CLOSING + CLOSED),
        ("600000.SH", REFORM, MORNING + CLOSING + AFTER_HOURS),
        ("000001.SZ", EVE, MORNING_SZ + CLOSING + CLOSED),
        ("000001.SZ", REFORM, MORNING_SZ + CLOSING + AFTER_HOURS),
        ("688981.SH", date(2019, 7, 22), MORNING + CLOSING + AFTER_HOURS),
        ("300750.SZ", date(2020, 8, 21), MORNING_SZ + CLOSING + CLOSED),
        ("300750.SZ", date(2020, 8, 24), MORNING_SZ + CLOSING + AFTER_HOURS),
        ("920002.BJ", TODAY, MORNING + CLOSING + CLOSED),
        ("510300.SH", EVE, MORNING + CLOSED),
        ("510300.SH", REFORM, MORNING + CLOSING + AFTER_HOURS),
        ("501018.SH", EVE, MORNING + CLOSED),
        ("501018.SH", REFORM, MORNING + CLOSING + CLOSED),
        ("159915.SZ", EVE, MORNING_SZ + CLOSING + CLOSED),
        ("159915.SZ", REFORM, MORNING_SZ + CLOSING + AFTER_HOURS),
        ("900901.SH", TODAY, MORNING + CLOSING + CLOSED),
        ("110059.SH", TODAY, MORNING + CLOSED),
        ("123153.SZ", TODAY, MORNING_SZ + CLOSING + CLOSED),
        ("204001.SH", TODAY, [*MORNING, ("15:30", Phase.CLOSED)]),
        ("131810.SZ", TODAY, [*MORNING_SZ, ("15:30", Phase.CLOSED)]),
    ],
)
def test_the_day_of_each_kind(code: str, on: date, rows: list[tuple[str, Phase]]) -> None:
    assert schedule(instrument(code), on) == [(time.fromisoformat(at), phase) for at, phase in rows]


@pytest.mark.parametrize(
    ("at", "phase"),
    [
        ("00:00:00", Phase.PRE_OPEN),
        ("09:14:59.999999", Phase.PRE_OPEN),
        ("09:15:00", Phase.OPENING),
        ("09:19:59.999999", Phase.OPENING),
        ("09:20:00", Phase.OPENING_LOCKED),
        ("09:25:00", Phase.PAUSE),
        ("11:30:00", Phase.LUNCH),
        ("14:56:59.999999", Phase.CONTINUOUS),
        ("14:57:00", Phase.CLOSING),
        ("15:30:00", Phase.AFTER_HOURS_DONE),
        ("23:59:59", Phase.AFTER_HOURS_DONE),
    ],
)
def test_a_phase_begins_at_its_time(at: str, phase: Phase) -> None:
    assert phase_at(instrument("600000.SH"), time.fromisoformat(at), TODAY) is phase


def test_what_each_phase_does() -> None:
    table = {p.word: (p.accepts_orders, p.accepts_cancels, p.matches, p.is_auction, p.open_int) for p in Phase}
    yes, no = True, False
    assert table == {
        "pre_open": (no, no, no, no, 11),
        "opening": (yes, yes, no, yes, 12),
        "opening_locked": (yes, no, no, yes, 12),
        "pause": (no, no, no, no, 13),
        "pause_sz": (no, no, no, no, 14),
        "pause_held": (yes, yes, no, no, 14),
        "continuous": (yes, yes, yes, no, 13),
        "lunch": (no, no, no, no, 13),
        "lunch_sz": (no, no, no, no, 14),
        "lunch_cancels": (no, yes, no, no, 14),
        "closing": (yes, no, no, yes, 18),
        "after_hours_orders": (no, yes, no, no, 15),
        "after_hours_orders_locked": (no, no, no, no, 15),
        "after_hours": (no, yes, yes, no, 22),
        "after_hours_locked": (no, no, yes, no, 22),
        "after_hours_done": (no, no, no, no, 23),
        "closed": (no, no, no, no, 15),
    }


def test_openings_and_ends() -> None:
    assert {phase for phase in Phase if phase.is_opening} == {Phase.OPENING, Phase.OPENING_LOCKED}
    assert {phase for phase in Phase if phase.is_over} == {Phase.CLOSED, Phase.AFTER_HOURS_DONE}


@pytest.mark.parametrize(
    ("code", "st", "last_without", "first_with"),
    [
        ("688981.SH", False, date(2019, 7, 21), date(2019, 7, 22)),
        ("300750.SZ", False, date(2020, 8, 23), date(2020, 8, 24)),
        ("600000.SH", True, EVE, REFORM),
        ("000001.SZ", False, EVE, REFORM),
        ("001001.SZ", False, EVE, REFORM),
        ("510300.SH", False, EVE, REFORM),
        ("159915.SZ", False, EVE, REFORM),
    ],
)
def test_first_day_of_after_hours_trading(code: str, st: bool, last_without: date, first_with: date) -> None:
    inst = instrument(code, st=st)
    assert not has_after_hours(inst, last_without)
    assert has_after_hours(inst, first_with)


@pytest.mark.parametrize("code", ["920002.BJ", "501018.SH", "508000.SH", "900901.SH", "123153.SZ", "000001.SH"])
def test_no_after_hours_trading_for_the_rest(code: str) -> None:
    assert not has_after_hours(instrument(code), TODAY)


@pytest.mark.parametrize(
    ("at", "sh", "sz"),
    [
        ("09:14:59", False, False),
        ("09:15", False, True),
        ("09:29:59", False, True),
        ("09:30", True, True),
        ("11:30", False, False),
        ("13:00", True, True),
        ("15:29:59", True, True),
        ("15:30", False, False),
    ],
)
def test_when_after_hours_orders_are_taken(at: str, sh: bool, sz: bool) -> None:
    when = time.fromisoformat(at)
    assert accepts_after_hours(instrument("600000.SH"), when, TODAY) is sh
    assert accepts_after_hours(instrument("000001.SZ"), when, TODAY) is sz
    assert not accepts_after_hours(instrument("000001.SZ"), when, EVE)


def test_settings_move_what_is_unconfirmed() -> None:
    sz, noon, pause, late = instrument("000001.SZ"), time(12, 0), time(9, 26), time(15, 10)
    other = Settings(
        sz_pause_orders=False, sz_lunch_cancels=True, after_hours_cancel=False, sh_closing_auction_from=TODAY
    )
    assert phase_at(sz, pause, TODAY, other) is Phase.PAUSE_SZ
    assert phase_at(sz, noon, TODAY, other) is Phase.LUNCH_CANCELS
    assert phase_at(sz, late, TODAY, other) is Phase.AFTER_HOURS_LOCKED
    assert phase_at(sz, time(15, 2), TODAY, other) is Phase.AFTER_HOURS_ORDERS
    early = Settings(after_hours_early_cancel=False)
    assert phase_at(sz, time(15, 2), TODAY, early) is Phase.AFTER_HOURS_ORDERS_LOCKED
    assert phase_at(sz, late, TODAY, early) is Phase.AFTER_HOURS
    assert not has_closing_auction(instrument("600000.SH"), REFORM, other)
    assert not has_after_hours(instrument("600000.SH", st=True), TODAY, Settings(after_hours_st=False))
    assert not has_closing_auction(instrument("159915.SZ"), TODAY, Settings(sz_fund_closing_auction=False))
    assert not has_closing_auction(instrument("123153.SZ"), TODAY, Settings(sz_bond_closing_auction=False))
    assert has_closing_auction(instrument("110059.SH"), TODAY, Settings(sh_bond_closing_auction=True))
