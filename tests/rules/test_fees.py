"""Commission, stamp duty, transfer fee; the minimum of an order over its fills."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmtcli.model import Side
from qmtcli.rules.boards import instrument
from qmtcli.rules.fees import Fees, FeeSchedule, fees, fill_fees

D = Decimal
TODAY = date(2026, 11, 23)
BUY, SELL = Side.BUY, Side.SELL


@pytest.mark.parametrize(
    ("code", "side", "amount", "commission", "stamp", "transfer"),
    [
        ("600000.SH", BUY, "909.00", "5", "0", "0.01"),
        ("600000.SH", SELL, "909.00", "5", "0.45", "0.01"),
        ("600000.SH", SELL, "100000.00", "25", "50", "1"),
        ("600000.SH", BUY, "20000.00", "5", "0", "0.20"),
        ("600000.SH", BUY, "20020.00", "5.01", "0", "0.20"),
        ("920002.BJ", SELL, "100000.00", "25", "50", "1"),
        ("689009.SH", SELL, "100000.00", "25", "50", "0"),
        ("900901.SH", SELL, "100000.00", "25", "50", "0"),
        ("510300.SH", SELL, "100000.00", "25", "0", "0"),
        ("508000.SH", SELL, "100.00", "5", "0", "0"),
        ("110059.SH", SELL, "100000.00", "5", "0", "0"),
        ("110059.SH", BUY, "1000.00", "1", "0", "0"),
        ("123153.SZ", BUY, "1000.00", "0.05", "0", "0"),
        ("019666.SH", SELL, "1000.00", "1", "0", "0"),
        ("204001.SH", SELL, "100000.00", "1", "0", "0"),
        ("204007.SH", SELL, "100000.00", "5", "0", "0"),
        ("131810.SZ", SELL, "1000.00", "0.01", "0", "0"),
        ("131810.SZ", BUY, "1000.00", "0", "0", "0"),
    ],
)
def test_cost_of_an_order(code: str, side: Side, amount: str, commission: str, stamp: str, transfer: str) -> None:
    found = fees(instrument(code), side, D(amount), TODAY)
    assert found == (D(commission), D(stamp), D(transfer))
    assert found.total == D(commission) + D(stamp) + D(transfer)


@pytest.mark.parametrize(
    ("on", "stamp", "transfer"),
    [
        (date(2022, 4, 28), "100", "2"),
        (date(2022, 4, 29), "100", "1"),
        (date(2023, 8, 27), "100", "1"),
        (date(2023, 8, 28), "50", "1"),
    ],
)
def test_taxes_on_the_days_they_changed(on: date, stamp: str, transfer: str) -> None:
    assert fees(instrument("600000.SH"), SELL, D("100000"), on) == (D("25"), D(stamp), D(transfer))


def test_nothing_traded_costs_nothing() -> None:
    assert fees(instrument("600000.SH"), SELL, D("0"), TODAY) == Fees(D(0), D(0), D(0))


def test_each_item_rounds_half_up_to_the_cent() -> None:
    found = fees(instrument("600000.SH"), SELL, D("21010.00"), TODAY)
    assert found == (D("5.25"), D("10.51"), D("0.21"))  # 5.2525, 10.505, 0.2101


def test_a_schedule_of_ones_own() -> None:
    cheap = FeeSchedule(commission=D("0.0001"), minimum=D("0.1"), bond_minimum_sz=D("2"), repo_1=D("0.0001"))
    assert fees(instrument("600000.SH"), BUY, D("10000"), TODAY, cheap).commission == D("1")
    assert fees(instrument("123153.SZ"), BUY, D("1000"), TODAY, cheap).commission == D("2")
    assert fees(instrument("204001.SH"), SELL, D("10000"), TODAY, cheap).commission == D("1")


def test_fees_outside_the_commission() -> None:
    net = FeeSchedule(minimum=D("0"), commission=D("0.0001"), all_in=False)
    assert fees(instrument("600000.SH"), BUY, D("1000"), TODAY, FeeSchedule(all_in=False)).commission == D("5.05")
    assert fees(instrument("600000.SH"), BUY, D("1000000"), TODAY, net).commission == D("154.10")
    assert fees(instrument("920002.BJ"), BUY, D("1000000"), TODAY, net).commission == D("245.00")


def test_who_pays_what_is_a_setting_where_unconfirmed() -> None:
    told = FeeSchedule(fund_stamp=True, cdr_transfer=True)
    for code in ("510300.SH", "501018.SH", "508000.SH"):
        assert fees(instrument(code), SELL, D("100000"), TODAY, told).stamp == D("50")
        assert fees(instrument(code), BUY, D("100000"), TODAY, told).stamp == 0
    assert fees(instrument("689009.SH"), BUY, D("100000"), TODAY, told).transfer == D("1")
    assert fees(instrument("123153.SZ"), SELL, D("100000"), TODAY, told)[1:] == (0, 0)


@pytest.mark.parametrize(
    ("code", "commission"),
    [("204001.SH", "1"), ("204002.SH", "2"), ("204003.SH", "3"), ("204004.SH", "4"), ("204007.SH", "5"),
     ("204014.SH", "10"), ("204028.SH", "20"), ("204091.SH", "30"), ("131806.SZ", "30")],
)  # fmt: skip
def test_money_lent_costs_by_its_term(code: str, commission: str) -> None:
    assert fees(instrument(code), SELL, D("100000"), TODAY).commission == D(commission)


def test_fills_of_one_order_share_one_minimum() -> None:
    stock = instrument("600000.SH")
    first = fill_fees(stock, SELL, D("0"), D("909"), TODAY)
    second = fill_fees(stock, SELL, D("909"), D("909"), TODAY)
    assert (first, second) == (Fees(D("5"), D("0.45"), D("0.01")), Fees(D("0"), D("0.46"), D("0.01")))


@given(
    st.sampled_from(["600000.SH", "510300.SH", "123153.SZ", "204007.SH"]),
    st.sampled_from(list(Side)),
    st.lists(st.decimals("0.01", "1000000", places=2), min_size=1, max_size=8),
)
def test_fills_add_up_to_the_order(code: str, side: Side, amounts: list[Decimal]) -> None:
    inst, before, charged = instrument(code), D(0), D(0)
    for amount in amounts:
        added = fill_fees(inst, side, before, amount, TODAY)
        assert min(added) >= 0
        charged += added.total
        before += amount
    assert charged == fees(inst, side, before, TODAY).total
