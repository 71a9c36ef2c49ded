"""Every real high and low lies in the computed band; the days that do not are listed with their reason."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from qmtcli.model import Instrument
from qmtcli.rules.bands import band, limit_rate
from qmtcli.rules.boards import instrument
from qmtcli.rules.corporate import Action, ex_reference

D = Decimal
DAILY = Path(__file__).resolve().parents[3] / "shared/data/1d"
pytestmark = pytest.mark.skipif(not DAILY.exists(), reason=f"no real daily bars at {DAILY}")

LISTED = {
    "688981.SH": date(2020, 7, 16),
    "688750.SH": date(2024, 11, 20),
    "301600.SZ": date(2024, 9, 11),
}

#: ex-days whose reference price the files do not give, by what the companies announced for each share
EX_DAYS = {
    ("600000.SH", date(2010, 6, 10)): Action(cash=D("0.15"), bonus=D("0.3")),
    ("600000.SH", date(2011, 6, 3)): Action(cash=D("0.16"), bonus=D("0.3")),
    ("600000.SH", date(2016, 6, 23)): Action(cash=D("0.515"), bonus=D("0.1")),
    ("600000.SH", date(2017, 5, 25)): Action(cash=D("0.2"), bonus=D("0.3")),
    ("835185.BJ", date(2022, 5, 5)): Action(cash=D("0.35"), bonus=D("0.5")),
    ("835185.BJ", date(2023, 5, 22)): Action(cash=D("0.35"), bonus=D("0.5")),
}

#: first day in the select tier that became BSE: no limit, as on a listing day
TIER_CHANGE = ("835185.BJ", date(2020, 7, 27))


class Row(NamedTuple):
    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    #: reference price: previous close, or what the ``change`` column says (the issue price on a listing day)
    reference: Decimal


def rows(code: str) -> Iterator[Row]:
    previous: Decimal | None = None
    with (DAILY / f"{code}_1d.csv").open() as file:
        for line in csv.DictReader(file):
            first, high, low, close = (D(line[column]) for column in ("open", "high", "low", "close"))
            reference = close - D(line["change"]) if "change" in line else previous
            previous = close
            if reference is not None:
                yield Row(date.fromisoformat(line["date"]), first, high, low, close, reference)


def outside(inst: Instrument) -> list[date]:
    """Days whose high or low lies outside the band, from an unadjusted reference price."""
    found = []
    for row in rows(inst.code):
        limits = band(inst, row.reference, row.day)
        if limits is not None and not (row.low in limits and row.high in limits):
            found.append(row.day)
    return found


CODES = sorted(path.name[:9] for path in DAILY.glob("*_1d.csv"))


def test_the_files_are_the_eight_that_the_exceptions_were_listed_for() -> None:
    assert len(CODES) == 8
    assert sum(1 for code in CODES for _ in rows(code)) == 8350


@pytest.mark.parametrize("code", CODES)
def test_every_high_and_low_lies_in_its_band(code: str) -> None:
    exceptions = sorted(day for known, day in (*EX_DAYS, TIER_CHANGE) if known == code)
    assert outside(instrument(code, listed=LISTED.get(code))) == exceptions


@pytest.mark.parametrize(("code", "day"), EX_DAYS)
def test_on_an_ex_day_the_band_goes_by_the_ex_reference(code: str, day: date) -> None:
    row = next(row for row in rows(code) if row.day == day)
    limits = band(instrument(code), ex_reference(row.reference, EX_DAYS[code, day]), day)
    assert limits is not None
    assert row.low in limits and row.high in limits


def test_the_ex_day_that_ended_at_its_limit() -> None:
    reference = ex_reference(D("15.47"), EX_DAYS["600000.SH", date(2017, 5, 25)])
    limits = band(instrument("600000.SH"), reference, date(2017, 5, 25))
    row = next(row for row in rows("600000.SH") if row.day == date(2017, 5, 25))
    assert (reference, limits) == (D("11.75"), (D("10.58"), D("12.93")))
    assert (row.open, row.high, row.close) == (D("11.75"), D("12.93"), D("12.93"))


@pytest.mark.parametrize("code", LISTED)
def test_days_without_a_limit_follow_from_the_listing_date(code: str) -> None:
    real = list(rows(code))
    known, unknown = instrument(code, listed=LISTED[code]), instrument(code)
    free = [row.day for row in real if band(known, row.reference, row.day) is None]
    assert free == [row.day for row in real[:5]]
    assert LISTED[code] in outside(unknown)


def test_limits_are_reached_to_the_cent() -> None:
    """Highs and lows that equal the limit. Binary ``round`` has other limits on 297 days and loses one of them."""
    reached, differ, lost = 0, 0, []
    for code in CODES:
        inst = instrument(code, listed=LISTED.get(code))
        for row in rows(code):
            action = EX_DAYS.get((code, row.day))
            reference = ex_reference(row.reference, action) if action else row.reference
            limits, rate = band(inst, reference, row.day), limit_rate(inst, row.day)
            if limits is None or rate is None:
                continue
            binary = [D(repr(round(float(reference) * (1 + sign * float(rate)), 2))) for sign in (-1, 1)]
            at_limit = [row.low == limits.down, row.high == limits.up]
            reached += sum(at_limit)
            differ += binary != list(limits)
            lost += [
                row.day for at, wrong, right in zip(at_limit, binary, limits, strict=True) if at and wrong != right
            ]
    assert (reached, differ, lost) == (47, 297, [date(2020, 2, 3)])


@pytest.mark.parametrize(
    ("file", "code", "column", "days"),
    [
        ("600000.SH_000001.SZ_20181203_20190201_minline.csv.gz", "600000.SH", "price", 42),
        ("600000.SH_000001.SZ_20181203_20190201_minline.csv.gz", "000001.SZ", "price", 42),
        ("600009.SH_20200102_20200410_1m.csv.gz", "600009.SH", "close", 64),
    ],
)
def test_every_minute_lies_in_the_band_of_its_day(file: str, code: str, column: str, days: int) -> None:
    """The day before ends with the last minute, so that its price is the next day's reference."""
    minutes: dict[date, list[Decimal]] = {}
    with gzip.open(DAILY.parent / "1m" / file, "rt", newline="") as lines:
        for line in csv.DictReader(lines):
            if line.get("symbol", code) == code:
                day = date.fromisoformat((line.get("minute_start") or line["time"])[:10])
                minutes.setdefault(day, []).append(D(line[column]))
    outside = [
        after
        for (_, before), (after, prices) in pairwise(minutes.items())
        if (limits := band(instrument(code), before[-1], after)) is None or any(p not in limits for p in prices)
    ]
    assert (len(minutes) - 1, outside) == (days, [])
