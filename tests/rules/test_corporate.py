"""Ex-day reference price, entitlements, dividend tax."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from qmtcli.rules.corporate import Action, dividend_tax_rate, entitlement, ex_reference

D = Decimal


@pytest.mark.parametrize(
    ("close", "action", "reference"),
    [
        ("15.47", Action(cash=D("0.2"), bonus=D("0.3")), "11.75"),  # 600000.SH on 2017-05-25
        ("10.00", Action(cash=D("0.125")), "9.88"),
        ("10.00", Action(bonus=D("1")), "5.00"),
        ("10.00", Action(rights=D("0.3"), rights_price=D("6")), "9.08"),
        ("10.00", Action(D("0.5"), D("0.2"), D("0.3"), D("6")), "7.53"),
    ],
)
def test_ex_reference(close: str, action: Action, reference: str) -> None:
    assert ex_reference(D(close), action) == D(reference)


def test_ex_reference_of_a_fund() -> None:
    assert ex_reference(D("4.0000"), Action(cash=D("0.0755")), D("0.001")) == D("3.925")


def test_entitlement() -> None:
    assert entitlement(1000, Action(cash=D("0.2"), bonus=D("0.3"))) == (300, D("200.00"))
    assert entitlement(105, Action(cash=D("0.0333"), bonus=D("0.33"))) == (34, D("3.50"))


@pytest.mark.parametrize(
    ("bought", "sold", "rate"),
    [
        (date(2026, 1, 8), date(2026, 2, 8), "0.20"),
        (date(2026, 1, 8), date(2026, 2, 9), "0.10"),
        (date(2026, 1, 31), date(2026, 2, 28), "0.20"),
        (date(2026, 1, 31), date(2026, 3, 1), "0.10"),
        (date(2026, 12, 15), date(2027, 1, 15), "0.20"),
        (date(2026, 12, 15), date(2027, 12, 15), "0.10"),
        (date(2026, 12, 15), date(2027, 12, 16), "0"),
        (date(2024, 2, 29), date(2025, 2, 28), "0.10"),
        (date(2024, 2, 29), date(2025, 3, 1), "0"),
    ],
)
def test_dividend_tax_by_holding_time(bought: date, sold: date, rate: str) -> None:
    assert dividend_tax_rate(bought, sold) == D(rate)
