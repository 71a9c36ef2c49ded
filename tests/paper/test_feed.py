"""The tape as the clock shows it: the loop and its seams, and what holds of any tape at any moment."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import DAY, SH, SZ, ScriptedTape, SetClock, ms, snap

from qmtcli.paper.clock import DAY_MS, Clock, day_of, midnight, parse, time_of
from qmtcli.paper.feed import LOOP_MS, Feed, date_of, number_of
from qmtcli.paper.sample import SampleTape
from qmtcli.paper.tape import Tick
from qmtcli.rules.phases import Phase

MIDNIGHT = midnight(number_of(DAY))
LOOP = "09:30:00"


def feed(*ticks: Tick, hours: str = "always", code: str = SH, day: date = DAY) -> Feed:
    """A feed over one day's ticks, on that day."""
    found = Feed(ScriptedTape({code: {day: list(ticks)}}), SetClock("10:00:00"), hours)  # type: ignore[arg-type]
    found.day = day
    return found


def at(moment: str) -> int:
    """Epoch ms of a time of `DAY`, or of a full ISO time."""
    return parse(moment if "T" in moment else f"{DAY}T{moment}")


def clock_of(stamp: int) -> str:
    """The time of day of a stamp."""
    seconds, milliseconds = divmod(time_of(stamp), 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" + (
        f".{milliseconds:03}" if milliseconds else ""
    )


def stamps(found: list[tuple[int, Tick]]) -> list[tuple[str, float]]:
    """(time of the stamp, last price) of ticks."""
    return [(clock_of(stamp), tick.last / 1000) for stamp, tick in found]


AUCTION, FIRST, SECOND = snap("09:25:03", 1, phase=12), snap("09:30:05", 2), snap("11:29:59", 3)
LUNCH, THIRD, LAST = snap("11:30:02", 4), snap("13:00:04", 5), snap("14:56:58", 6)
AFTER = snap("14:57:03", 7, phase=18)
WHOLE = (AUCTION, FIRST, SECOND, LUNCH, THIRD, LAST, AFTER)


@pytest.mark.parametrize(
    ("moment", "stamp", "last"),
    [
        ("09:30:00", "09:30:00", 2),  # the first continuous snapshot stands for the auction's
        ("09:30:05", "09:30:00", 2),  # and does not come up a second time
        ("11:29:58.999", "09:30:00", 2),
        ("11:29:59", "11:29:59", 3),
        ("11:30:00", "11:30:00", 4),  # no lunch: what came up in it opens the afternoon
        ("11:30:03.999", "11:30:00", 4),
        ("11:30:04", "11:30:04", 5),
        ("13:26:58", "13:26:58", 6),
        ("13:26:59.999", "13:26:58", 6),  # the last moment of the loop
        ("13:27:00", "13:27:00", 2),  # and it begins again
        ("23:21:03.999", "23:21:00", 4),  # the afternoon of the fourth loop
        ("2026-11-23T23:59:59.999", "23:21:04", 5),
        ("2026-11-24T00:00:00", "00:00:00", 5),  # midnight is a seam: another day of the account begins
        ("2026-11-24T01:17:59", "01:17:58", 6),
        ("2026-11-24T09:29:59.999", "09:12:00", 2),
        ("2026-11-24T09:30:00", "09:30:00", 2),  # the seventh loop is cut short
    ],
)
def test_the_seams_of_the_loop(moment: str, stamp: str, last: float) -> None:
    shown = feed(*WHOLE).tick(SH, at(moment))
    assert shown is not None
    assert (clock_of(shown[0]), shown[1].last) == (stamp, last * 1000)


def test_a_whole_loop_in_order() -> None:
    found = feed(*WHOLE).ticks(SH, at("09:29:59.999"), at("13:27:00"))
    assert stamps(found) == [
        ("09:30:00", 2), ("11:29:59", 3), ("11:30:00", 4), ("11:30:04", 5), ("13:26:58", 6), ("13:27:00", 2),
    ]  # fmt: skip


def test_a_day_of_loops() -> None:
    found = feed(*WHOLE).ticks(SH, at("09:29:59.999"), at("09:29:59.999") + DAY_MS)
    # six loops of five, the beginning of the seventh, and the seam of midnight
    assert len(found) == 6 * 5 + 1 + 1


def test_an_instrument_that_trades_in_the_afternoon_only() -> None:
    found = feed(THIRD, LAST)
    assert found.tick(SH, at("11:29:59")) is None
    assert stamps(found.ticks(SH, at("09:30:00"), at("15:26:59"))) == [("11:30:04", 5), ("13:26:58", 6)]


def test_an_instrument_that_trades_until_noon() -> None:
    found = feed(AUCTION, FIRST)
    assert stamps(found.ticks(SH, at("09:30:00"), at("13:27:00"))) == [("11:30:00", 2), ("13:27:00", 2)]


def test_an_instrument_that_is_called_and_never_trades() -> None:
    assert stamps(feed(AUCTION).ticks(SH, at("09:29:59"), at("13:26:59"))) == [("09:30:00", 1), ("11:30:00", 1)]


def test_a_code_without_ticks() -> None:
    found = feed(*WHOLE)
    assert found.tick(SZ, at("10:00:00")) is None
    assert found.ticks(SZ, at("09:00:00"), at("23:00:00")) == []


def test_another_day_shows_other_ticks_at_the_same_moment() -> None:
    other = date(2026, 11, 24)
    found = Feed(
        ScriptedTape({SH: {DAY: [FIRST], other: [SECOND._replace(ms=FIRST.ms)]}}), SetClock("10:00:00"), "always"
    )  # type: ignore[arg-type]
    first = found.tick(SH)
    found.day = other
    assert (first, found.tick(SH)) == ((at(LOOP), FIRST), (at(LOOP), SECOND._replace(ms=FIRST.ms)))


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-11-22T23:59:59", None),
        ("00:00:00", None),
        ("09:25:02.999", None),
        ("09:25:03", ("09:25:03", 1)),
        ("12:00:00", ("11:30:02", 4)),
        ("23:59:59.999", ("14:57:03", 7)),
        ("2026-11-24T00:00:00", ("14:57:03", 7)),
        ("2026-12-31T10:00:00", ("14:57:03", 7)),
    ],
)
def test_exchange_hours_show_the_day_as_it_was(moment: str, shown: tuple[str, float] | None) -> None:
    found = feed(*WHOLE, hours="exchange").tick(SH, at(moment))
    assert (stamps([found])[0] if found else None) == shown


def test_before_the_first_day_of_a_tape_nothing_is_on_display() -> None:
    found = feed(*WHOLE, hours="exchange")
    found.day = date(2020, 1, 2)
    assert found.tick(SH, at("2020-01-02T10:00:00")) is None
    assert found.phase(found.tape.instrument(SH), at("2020-01-02T10:00:00")) is None  # type: ignore[arg-type]
    assert found.ticks(SH, at("2020-01-01T10:00:00"), at("2020-01-02T10:00:00")) == []


def test_the_day_to_come_is_not_on_display() -> None:
    found = feed(snap("00:00:00", 1), hours="exchange")
    assert found.tick(SH, at("2026-11-22T23:59:59.999")) is None
    assert found.tick(SH, at("00:00:00")) == (MIDNIGHT, snap("00:00:00", 1))


def test_exchange_hours_have_phases_on_the_days_of_the_tape() -> None:
    found = feed(*WHOLE, hours="exchange")
    instrument = found.tape.instrument(SH)
    assert instrument is not None
    moments = [
        "09:14:59",
        "09:15:00",
        "09:25:00",
        "09:30:00",
        "11:30:00",
        "13:00:00",
        "14:57:00",
        "2026-11-24T10:00:00",
    ]
    phases = [
        Phase.PRE_OPEN,
        Phase.OPENING,
        Phase.PAUSE,
        Phase.CONTINUOUS,
        Phase.LUNCH,
        Phase.CONTINUOUS,
        Phase.CLOSING,
        None,
    ]
    assert [found.phase(instrument, at(moment)) for moment in moments] == phases


def test_the_days_of_a_tape_are_looped() -> None:
    days = [date(2023, 2, 6), date(2023, 2, 7), date(2023, 2, 8)]
    found = Feed(ScriptedTape({SH: {day: [FIRST] for day in days}}), SetClock("10:00:00"), "always")  # type: ignore[arg-type]
    shown = []
    for number in range(number_of(DAY), number_of(DAY) + 4):
        found.day = date_of(number)
        shown.append(found.tape_day)
    assert sorted(set(shown)) == days
    assert shown[3] == shown[0]


def test_the_endless_calendar_trades_every_day() -> None:
    found = feed(*WHOLE)
    assert found.trading_days(date(2027, 2, 6), date(2027, 2, 8)) == [
        date(2027, 2, 6),
        date(2027, 2, 7),
        date(2027, 2, 8),
    ]
    assert feed(*WHOLE, hours="exchange").trading_days(date(2026, 10, 1), date(2026, 10, 9)) == [
        date(2026, 10, 8), date(2026, 10, 9),
    ]  # fmt: skip


# -- what holds of any tape at any moment ------------------------------------------------------------------

TICKS = st.lists(
    st.one_of(
        st.integers(ms("09:15:00"), ms("15:00:00")),
        st.sampled_from(
            [ms(edge) + by for edge in ("09:30:00", "11:30:00", "13:00:00", "14:57:00") for by in (-1, 0, 1)]
        ),
    ),
    unique=True,
    max_size=12,
).map(lambda times: [snap("00:00:00", n + 1)._replace(ms=ms) for n, ms in enumerate(sorted(times))])
EDGES = [
    "09:30:00", "11:30:00", "13:27:00", "15:27:00", "17:24:00", "21:21:00", "2026-11-24T00:00:00",
    "2026-11-24T01:18:00", "2026-11-24T09:30:00",
]  # fmt: skip
MOMENTS = st.one_of(
    st.integers(MIDNIGHT, MIDNIGHT + 2 * DAY_MS),
    st.sampled_from([at(edge) + by for edge in EDGES for by in (-1, 0, 1)]),
    st.integers(MIDNIGHT // LOOP_MS, MIDNIGHT // LOOP_MS + 12).map(lambda n: n * LOOP_MS),
)
HOURS = st.sampled_from(["always", "exchange"])


@settings(max_examples=300, deadline=None)
@given(TICKS, HOURS, MOMENTS, MOMENTS, MOMENTS)
def test_ranges(ticks: list[Tick], hours: str, one: int, two: int, three: int) -> None:
    first, middle, last = sorted((one, two, three))
    found = feed(*ticks, hours=hours)
    whole = found.ticks(SH, first, last)
    times = [stamp for stamp, _ in whole]
    assert times == sorted(set(times))
    assert all(first < stamp <= last for stamp in times)
    assert found.ticks(SH, first, middle) + found.ticks(SH, middle, last) == whole
    assert [found.tick(SH, stamp) for stamp in times] == whole


@settings(max_examples=300, deadline=None)
@given(TICKS, HOURS, MOMENTS)
def test_moments(ticks: list[Tick], hours: str, moment: int) -> None:
    found = feed(*ticks, hours=hours)
    before = found.ticks(SH, moment - 2 * DAY_MS, moment)
    # what came up last, unless that was before a seam at which nothing took its place
    last = before[-1] if before and _no_seam(found, before[-1][0], moment) else None
    assert found.tick(SH, moment) == last


def _no_seam(found: Feed, earlier: int, later: int) -> bool:
    same_day = day_of(earlier) == day_of(later)
    straight = found.time_shown(later) - found.time_shown(earlier) == later - earlier
    return straight and (same_day or not found.always)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SampleTape().codes()), st.integers(0, 40), st.integers(0, DAY_MS), st.integers(1, 20_000))
def test_the_sample_market_under_the_loop(code: str, days: int, moment: int, length: int) -> None:
    found = Feed(SampleTape(), SetClock("10:00:00"), "always")  # type: ignore[arg-type]
    found.day = date_of(number_of(DAY) + days)
    start = midnight(number_of(found.day)) + moment
    for stamp, tick in found.ticks(code, start, start + length):
        assert found.tick(code, stamp) == (stamp, tick)
    shown = found.tick(code, start)
    assert shown is not None
    assert start - 3_000 < shown[0] <= start
    assert shown[1].phase in (13, 17)


# -- the clock ---------------------------------------------------------------------------------------------


def test_a_clock_may_stand_run_or_be_stepped(tmp_path: Path) -> None:
    assert Clock("2023-02-07T10:00:00").now_ms() == 1_675_735_200_000
    assert Clock("2023-02-07T03:00:00+01:00").now_ms() == 1_675_735_200_000
    started = Clock().now_ms()
    assert 0 <= Clock("2023-02-07T10:00:00+", started).now_ms() - 1_675_735_200_000 < 60_000
    file = tmp_path / "clock"
    file.write_text("2023-02-07T10:00:00\n", encoding="utf-8")
    clock = Clock(f"@{file}")
    assert clock.now_ms() == 1_675_735_200_000
    file.write_text("2023-02-07T10:00:03\n", encoding="utf-8")
    assert clock.now_ms() == 1_675_735_203_000


def test_a_clock_whose_file_is_being_written_stands_still(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    file.write_text("2023-02-07T10:00:00\n", encoding="utf-8")
    clock = Clock(f"@{file}")
    clock.now_ms()
    file.write_text("", encoding="utf-8")
    assert clock.now_ms() == 1_675_735_200_000  # and is not the machine's for a moment
    with pytest.raises(ValueError, match="no time in"):
        Clock(f"@{file}").now_ms()


@pytest.mark.parametrize("text", ["tomorrow", "10:00:00", "2023-02-30T10:00:00"])
def test_a_clock_that_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Clock(text).now_ms()
