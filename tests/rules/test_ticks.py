"""Price steps and rounding."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmtcli.rules.boards import instrument
from qmtcli.rules.settings import Settings
from qmtcli.rules.ticks import neighbours, on_tick, round_half_up, tick

D = Decimal
STEPS = st.sampled_from([D("0.01"), D("0.001"), D("0.005")])
PRICES = st.decimals("0.0001", "100000", allow_nan=False, places=6)


@pytest.mark.parametrize(
    ("code", "step"),
    [
        ("600000.SH", "0.01"),
        ("688981.SH", "0.01"),
        ("689009.SH", "0.01"),
        ("300750.SZ", "0.01"),
        ("920002.BJ", "0.01"),
        ("510300.SH", "0.001"),
        ("160216.SZ", "0.001"),
        ("508000.SH", "0.001"),
        ("123153.SZ", "0.001"),
        ("019666.SH", "0.001"),
        ("900901.SH", "0.001"),
        ("200011.SZ", "0.01"),
        ("204001.SH", "0.005"),
    ],
)
def test_tick_of_each_kind(code: str, step: str) -> None:
    assert tick(instrument(code)) == D(step)


def test_unconfirmed_ticks_are_settings() -> None:
    other = Settings(repo_tick=D("0.01"), bond_tick=D("0.1"))
    assert tick(instrument("131810.SZ"), other) == D("0.01")
    assert tick(instrument("101904.SZ"), other) == D("0.1")


@pytest.mark.parametrize(
    ("x", "step", "rounded"),
    [
        ("12.925", "0.01", "12.93"),
        ("12.935", "0.01", "12.94"),
        ("2.675", "0.01", "2.68"),
        ("12.9249", "0.01", "12.92"),
        ("1.8625", "0.005", "1.865"),
        ("1.862", "0.005", "1.860"),
    ],
)
def test_halves_go_up(x: str, step: str, rounded: str) -> None:
    assert str(round_half_up(D(x), D(step))) == rounded


@given(PRICES, STEPS)
def test_rounding_is_the_nearest_step_and_idempotent(x: Decimal, step: Decimal) -> None:
    rounded = round_half_up(x, step)
    assert rounded % step == 0
    assert -step / 2 < rounded - x <= step / 2
    assert round_half_up(rounded, step) == rounded


@given(PRICES, st.sampled_from(["600000.SH", "510300.SH", "204001.SH"]))
def test_neighbours_enclose_a_price_and_stand_on_the_tick(price: Decimal, code: str) -> None:
    inst = instrument(code)
    below, above = neighbours(price, inst)
    assert below <= price <= above
    assert on_tick(below, inst) and on_tick(above, inst)
    assert above - below == (0 if on_tick(price, inst) else tick(inst))


def test_neighbours_by_example() -> None:
    bank = instrument("600000.SH")
    assert neighbours(D("9.087"), bank) == (D("9.08"), D("9.09"))
    assert neighbours(D("9.09"), bank) == (D("9.09"), D("9.09"))
    assert on_tick(D("9.0900"), bank) and not on_tick(D("9.095"), bank)
