"""Daily limits on the days around each change, days without one, halts."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmtcli.errors import ConfigError
from qmtcli.rules.bands import (
    Band,
    band,
    halts,
    halts_from_open,
    is_no_limit_day,
    limit_rate,
    opening_range,
    resume_time,
)
from qmtcli.rules.boards import instrument
from qmtcli.rules.settings import Settings
from qmtcli.rules.ticks import round_half_up, tick

D = Decimal
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("code", "st_", "on", "rate"),
    [
        ("600000.SH", False, TODAY, "0.10"),
        ("600000.SH", True, date(2026, 7, 3), "0.05"),
        ("600000.SH", True, date(2026, 7, 6), "0.10"),
        ("000001.SZ", True, date(2026, 7, 5), "0.05"),
        ("688981.SH", True, date(2026, 7, 3), "0.20"),
        ("689009.SH", False, TODAY, "0.20"),
        ("300750.SZ", False, date(2020, 8, 21), "0.10"),
        ("300750.SZ", False, date(2020, 8, 24), "0.20"),
        ("300750.SZ", True, date(2020, 8, 24), "0.20"),
        ("920002.BJ", True, date(2026, 7, 3), "0.30"),
        ("900901.SH", False, TODAY, "0.10"),
        ("900901.SH", True, date(2026, 7, 3), "0.05"),
        ("200011.SZ", True, date(2026, 7, 6), "0.10"),
        ("510300.SH", False, TODAY, "0.10"),
        ("511880.SH", False, TODAY, "0.10"),
        ("588000.SH", False, TODAY, "0.20"),
        ("159915.SZ", False, date(2020, 8, 23), "0.10"),
        ("159915.SZ", False, date(2020, 8, 24), "0.20"),
        ("161725.SZ", False, TODAY, "0.10"),
        ("123153.SZ", False, date(2022, 7, 29), None),
        ("123153.SZ", False, date(2022, 8, 1), "0.20"),
        ("019666.SH", False, TODAY, None),
        ("204001.SH", False, TODAY, None),
        ("000001.SH", False, TODAY, None),
    ],
)
def test_rate_of_the_day(code: str, st_: bool, on: date, rate: str | None) -> None:
    assert limit_rate(instrument(code, st=st_), on) == (None if rate is None else D(rate))


def test_what_is_said_of_an_instrument_comes_first() -> None:
    fund = instrument("159919.SZ", band=D("0.20"))
    assert band(fund, D("4.000"), TODAY) == (D("3.200"), D("4.800"))
    assert band(instrument("508000.SH", band=D("0.5"), listed=TODAY), D("2.000"), TODAY) == (D("1"), D("3"))


def test_measured_limits() -> None:
    bond = instrument("123153.SZ")
    assert band(bond, D("116.800"), date(2023, 3, 15)) == Band(D("93.440"), D("140.160"))
    assert band(instrument("600000.SH"), D("11.75"), date(2017, 5, 25)) == Band(D("10.58"), D("12.93"))


@pytest.mark.parametrize(
    ("preclose", "expected"),
    [
        ("0.01", ("0.01", "0.02")),
        ("0.02", ("0.01", "0.03")),
        ("0.04", ("0.03", "0.05")),
        ("0.05", ("0.04", "0.06")),
    ],
)
def test_a_limit_is_a_tick_away_at_least_and_never_below_one(preclose: str, expected: tuple[str, str]) -> None:
    assert band(instrument("600000.SH"), D(preclose), TODAY) == tuple(map(D, expected))


def test_convertible_bonds_on_their_listing_day() -> None:
    listed = date(2023, 4, 11)
    bond = instrument("123153.SZ", listed=listed)
    assert band(bond, D("100"), listed) == Band(D("56.700"), D("157.300"))
    assert band(bond, D("100"), date(2023, 4, 12)) == Band(D("80.000"), D("120.000"))
    assert band(instrument("123153.SZ"), D("100"), listed, 1) == Band(D("56.700"), D("157.300"))
    assert band(bond, D("100"), listed, 2) == Band(D("80.000"), D("120.000"))


def test_reits_on_their_listing_day() -> None:
    reit = instrument("508000.SH", listed=TODAY)
    assert band(reit, D("2"), TODAY) == Band(D("1.4"), D("2.6"))
    assert band(reit, D("2"), TODAY, settings=Settings(reit_first_day_rate=D("0.1"))) == Band(D("1.8"), D("2.2"))
    assert band(reit, D("2"), date(2026, 11, 24)) == Band(D("1.8"), D("2.2"))


def test_settings_move_unconfirmed_rates() -> None:
    other = Settings(b_share_rate=D("0.2"), bond_fund_rate=D("0.3"))
    assert limit_rate(instrument("900901.SH"), TODAY, other) == D("0.2")
    assert limit_rate(instrument("511880.SH"), TODAY, other) == D("0.3")
    assert limit_rate(instrument("510300.SH"), TODAY, other) == D("0.10")
    risky, before = instrument("900901.SH", st=True), date(2026, 7, 3)
    assert limit_rate(risky, before) == D("0.05")
    assert limit_rate(risky, before, Settings(b_share_st_as_main=False)) == D("0.10")


@pytest.mark.parametrize(
    ("code", "listed", "last_free", "first_bound"),
    [
        ("688001.SH", date(2019, 7, 22), date(2019, 7, 26), date(2019, 7, 29)),
        ("688001.SH", date(2020, 1, 21), date(2020, 2, 4), date(2020, 2, 5)),
        ("300900.SZ", date(2020, 8, 24), date(2020, 8, 28), date(2020, 8, 31)),
        ("300900.SZ", date(2020, 8, 21), date(2020, 8, 21), date(2020, 8, 24)),
        ("601061.SH", date(2023, 4, 10), date(2023, 4, 14), date(2023, 4, 17)),
        ("601061.SH", date(2023, 4, 7), date(2023, 4, 7), date(2023, 4, 10)),
        ("920002.BJ", date(2024, 5, 30), date(2024, 5, 30), date(2024, 5, 31)),
    ],
)
def test_no_limit_days_are_counted_from_the_listing(
    code: str, listed: date, last_free: date, first_bound: date
) -> None:
    inst = instrument(code, listed=listed)
    assert band(inst, D("10.00"), listed) is None
    assert band(inst, D("10.00"), last_free) is None
    assert band(inst, D("10.00"), first_bound) is not None


def test_no_limit_days_of_a_calendar_of_ones_own() -> None:
    stock = instrument("688001.SH")
    assert [is_no_limit_day(stock, date(2031, 1, 1), number) for number in (1, 5, 6)] == [True, True, False]
    assert is_no_limit_day(stock, date(2031, 1, 1)) is False
    assert is_no_limit_day(instrument("510300.SH"), TODAY, 1) is False
    with pytest.raises(ConfigError, match="calendar_ended"):
        is_no_limit_day(instrument("688001.SH", listed=date(2026, 12, 30)), date(2027, 1, 5))
    assert is_no_limit_day(instrument("688001.SH", listed=date(2026, 12, 1)), date(2027, 1, 5)) is False
    assert is_no_limit_day(instrument("688001.SH", listed=date(2026, 12, 1)), date(2026, 11, 30)) is False


def test_first_day_of_delisting_or_relisting_is_free_the_next_is_ten_percent() -> None:
    last_of_st, first, second = date(2025, 6, 27), date(2025, 6, 30), date(2025, 7, 1)
    leaving = instrument("600001.SH", "退市示例", st=True, delisting=first)
    assert band(leaving, D("1.00"), last_of_st) == Band(D("0.95"), D("1.05"))
    assert band(leaving, D("1.00"), first) is None
    assert band(leaving, D("1.00"), second) == Band(D("0.90"), D("1.10"))
    growing = instrument("300001.SZ", delisting=first)
    assert band(growing, D("1.00"), first) is None
    assert band(growing, D("1.00"), second) == Band(D("0.80"), D("1.20"))
    back = instrument("000001.SZ", st=True, relisted=first)
    assert is_no_limit_day(back, first) and not is_no_limit_day(back, second)
    assert band(back, D("1.00"), second) == Band(D("0.95"), D("1.05"))
    assert is_no_limit_day(instrument("510300.SH", delisting=first), first) is False


@given(
    st.sampled_from(["600000.SH", "688981.SH", "300750.SZ", "920002.BJ", "510300.SH", "588000.SH", "123153.SZ"]),
    st.integers(1, 10_000_000),
    st.booleans(),
)
def test_a_band_encloses_its_reference_on_the_tick(code: str, ticks: int, risky: bool) -> None:
    inst = instrument(code, st=risky)
    step = tick(inst)
    preclose = ticks * step
    found = band(inst, preclose, date(2025, 1, 2))
    rate = limit_rate(inst, date(2025, 1, 2))
    assert found is not None and rate is not None
    assert preclose in found and found.up > preclose and found.down >= step
    assert found.down < preclose or preclose == step
    if preclose * rate >= step:
        assert found == (
            round_half_up(preclose * (1 - rate), step),
            round_half_up(preclose * (1 + rate), step),
        )


def test_a_band_holds_its_ends() -> None:
    limits = Band(D("9.00"), D("11.00"))
    assert D("9.00") in limits and D("11.00") in limits
    assert D("8.99") not in limits and D("11.01") not in limits


def test_the_opening_range_of_a_free_day_is_a_setting() -> None:
    stock = instrument("688001.SH")
    assert opening_range(stock, D("10.01")) == Band(D("5.01"), D("90.09"))
    other = Settings(open_auction_low=D("0.1"), open_auction_high=D("2"))
    assert opening_range(stock, D("10.00"), other) == Band(D("1.00"), D("20.00"))


def test_halts_of_free_days_and_of_convertible_bonds() -> None:
    new = date(2026, 11, 23)
    stock, bond = instrument("688001.SH", listed=new), instrument("123153.SZ", listed=new)
    assert halts(stock, new) == ((D("0.30"), 10), (D("0.60"), 10))
    assert halts(bond, new) == ((D("0.20"), 30), (D("0.30"), None))
    assert halts(instrument("510300.SH"), new) == ()
    # with a daily limit there are none, and convertible bonds had none before 2022-08-01
    assert halts(stock, date(2026, 11, 30)) == halts(bond, date(2026, 11, 24)) == ()
    assert halts(instrument("123153.SZ"), date(2022, 7, 29)) == halts(bond, new)


def test_what_halts_are_counted_from() -> None:
    stock, bond = instrument("688001.SH"), instrument("123153.SZ")
    assert [halts_from_open(inst) for inst in (stock, bond)] == [True, False]
    assert halts_from_open(bond, Settings(conv_bond_halts_from_open=True))


def test_a_halt_ends_at_1457_at_the_latest() -> None:
    new = date(2026, 11, 23)
    (ten, _), (half_hour, rest) = (halts(instrument(code, listed=new), new) for code in ("688001.SH", "123153.SZ"))
    assert resume_time(ten, time(9, 31, 2)) == time(9, 41, 2)
    assert resume_time(ten, time(14, 47)) == time(14, 57)
    assert resume_time(half_hour, time(14, 30)) == time(14, 57)
    assert resume_time(rest, time(9, 30)) == time(14, 57)
