"""Unconfirmed rules and fees as text: every field can be said, read back, and not said wrongly."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmtcli.rules.settings import (
    DEFAULT,
    DEFAULT_SCHEDULE,
    FEES,
    RULES,
    FeeSchedule,
    Form,
    Settings,
    parse,
    parse_fees,
    write,
)

D = Decimal
FIELDS: list[tuple[str, Form, object]] = [
    (name, forms[name], value)
    for forms, values in ((RULES, DEFAULT), (FEES, DEFAULT_SCHEDULE))
    for name, value in values._asdict().items()
]


def test_every_field_has_a_form() -> None:
    assert list(RULES) == list(Settings._fields)
    assert list(FEES) == list(FeeSchedule._fields)


@pytest.mark.parametrize(("name", "form", "value"), FIELDS, ids=lambda each: each if isinstance(each, str) else "")
def test_a_default_is_read_back_from_its_text(name: str, form: Form, value: object) -> None:
    read = form.read(write(value))
    assert (read, type(read)) == (value, type(value))
    assert form.expected


def test_texts_replace_what_they_name() -> None:
    texts = {
        "bond_tick": "0.01",
        "bond_cap": "2万",
        "sz_lunch_cancels": "YES",
        "main_cage_from": "20230410",
        "chinext_cage_from": "2023/4/1",
        "b_share_rate": "5%",
        "conv_bond_cage": "none",
        "open_auction_high": "3",
    }
    assert parse(texts) == DEFAULT._replace(
        bond_tick=D("0.01"),
        bond_cap=20_000,
        sz_lunch_cancels=True,
        main_cage_from=date(2023, 4, 10),
        chinext_cage_from=date(2023, 4, 1),
        b_share_rate=D("0.05"),
        conv_bond_cage=None,
        open_auction_high=D(3),
    )
    assert parse({"conv_bond_cage": "0.2"}).conv_bond_cage == D("0.2")
    assert parse({}) == DEFAULT
    told = {"commission": "0.01%", "minimum": "0", "repo_7": "0", "all_in": "false"}
    assert parse_fees(told) == DEFAULT_SCHEDULE._replace(
        commission=D("0.0001"), minimum=D(0), repo_7=D(0), all_in=False
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bond_tick", "0"),
        ("bond_tick", "-0.01"),
        ("bond_tick", "0.0001"),  # the exchange counts in thousandths
        ("bond_tick", "1%"),
        ("bond_tick", "nan"),
        ("bond_tick", "1e-2"),
        ("bond_tick", "none"),
        ("bond_cap", "0"),
        ("bond_cap", "1.5"),
        ("bond_cap", ""),
        ("sz_lunch_cancels", "maybe"),
        ("sz_lunch_cancels", ""),
        ("main_cage_from", "2023-02-30"),
        ("main_cage_from", "today"),
        ("main_cage_from", "23-04-10"),
        ("b_share_rate", "10"),  # ten per cent are 10% or 0.1
        ("b_share_rate", "0"),
        ("b_share_rate", "101%"),
        ("conv_bond_cage", "no"),
        ("bond_ticks", "0.01"),
    ],
)
def test_what_is_no_such_name_or_value(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is '{text}', not like|no such setting: {name}"):
        parse({name: text})


@pytest.mark.parametrize(
    ("name", "text"), [("commission", "0.31%"), ("commission", "-1"), ("minimum", "-0.01"), ("all_in", "5"), ("x", "1")]
)
def test_what_is_no_such_fee(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is '{text}', not like|no such setting: {name}"):
        parse_fees({name: text})


@given(
    st.one_of(
        st.booleans().map(lambda value: ("sz_lunch_cancels", value)),
        st.integers(1, 10**12).map(lambda value: ("bond_cap", value)),
        st.integers(1, 10**9).map(lambda value: ("bond_tick", D(value) / 1000)),
        st.decimals("0.0000000001", 1, places=10).map(lambda value: ("b_share_rate", value)),
        st.dates(date(1900, 1, 1)).map(lambda value: ("main_cage_from", value)),
        st.one_of(st.none(), st.decimals("0.01", 1, places=2)).map(lambda value: ("conv_bond_cage", value)),
    )
)
def test_any_value_is_read_back_from_its_text(told: tuple[str, Any]) -> None:
    name, value = told
    assert parse({name: write(value)}) == DEFAULT._replace(**{name: value})
