"""Order types by name and vendor code."""

from __future__ import annotations

import pytest

from qmtcli.errors import Refused
from qmtcli.rules.boards import instrument
from qmtcli.rules.order_types import (
    AFTER_HOURS_PRICE,
    FIX_PRICE,
    LATEST_PRICE,
    MARKET_KINDS,
    market_kind,
    market_kinds,
    needs_protection,
    price_type,
)
from qmtcli.rules.settings import Settings


def test_each_exchange_has_its_own() -> None:
    assert market_kinds("BJ") == ["best5-cancel", "best5-limit", "peer", "mine"]
    assert market_kinds("SH") == [*market_kinds("BJ"), "after-hours"]
    assert market_kinds("SZ") == ["best5-cancel", "peer", "mine", "ioc", "fok", "after-hours"]


def test_codes_are_the_vendors() -> None:
    xtconstant = pytest.importorskip("xtquant.xtconstant")
    assert {
        (kind.name, exchange): price_type(kind.name, exchange)
        for kind in MARKET_KINDS
        for exchange in ("SH", "SZ")
        if exchange in kind.codes
    } == {
        ("best5-cancel", "SH"): xtconstant.MARKET_SH_CONVERT_5_CANCEL,
        ("best5-limit", "SH"): xtconstant.MARKET_SH_CONVERT_5_LIMIT,
        ("peer", "SH"): xtconstant.MARKET_PEER_PRICE_FIRST,
        ("mine", "SH"): xtconstant.MARKET_MINE_PRICE_FIRST,
        ("peer", "SZ"): xtconstant.MARKET_PEER_PRICE_FIRST,
        ("mine", "SZ"): xtconstant.MARKET_MINE_PRICE_FIRST,
        ("ioc", "SZ"): xtconstant.MARKET_SZ_INSTBUSI_RESTCANCEL,
        ("best5-cancel", "SZ"): xtconstant.MARKET_SZ_CONVERT_5_CANCEL,
        ("fok", "SZ"): xtconstant.MARKET_SZ_FULL_OR_CANCEL,
    }
    assert (LATEST_PRICE, FIX_PRICE) == (xtconstant.LATEST_PRICE, xtconstant.FIX_PRICE)
    assert price_type("after-hours", "SH") == price_type("after-hours", "SZ") == AFTER_HOURS_PRICE == 49
    with pytest.raises(Refused, match="market_kind_unavailable"):
        price_type("after-hours", "BJ")


def test_a_type_of_another_exchange_is_refused_with_the_own_ones() -> None:
    with pytest.raises(Refused) as caught:
        price_type("fok", "SH")
    assert caught.value.code == "market_kind_unavailable"
    assert caught.value.params == {"kind": "fok", "exchange": "SH", "available": market_kinds("SH")}


def test_codes_lead_back_to_their_kind() -> None:
    for kind in MARKET_KINDS:
        assert all(market_kind(code) is kind for code in kind.codes.values())
    assert market_kind(FIX_PRICE) is market_kind(LATEST_PRICE) is market_kind(49) is market_kind(0) is None


def test_who_needs_a_protection_price() -> None:
    sh, sz, bj = (instrument(code) for code in ("600000.SH", "000001.SZ", "920002.BJ"))
    assert needs_protection(sh) and needs_protection(bj) and not needs_protection(sz)
    assert not needs_protection(bj, Settings(bj_protection_price=False))
