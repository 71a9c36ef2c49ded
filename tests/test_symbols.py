"""The spellings of a security code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmtcli.errors import ExitStatus, UsageError
from qmtcli.messages import error_text
from qmtcli.rules.boards import exchanges_of
from qmtcli.symbols import parse_code

NAMES = {"SH": ["XSHG", "SS", "SHSE", "SSE"], "SZ": ["XSHE", "SZSE"], "BJ": ["BSE", "BJSE"]}
AROUND = [("", ""), (" ", "\r\n"), ('"', '",'), ("“", "”"), ("\ufeff", "，"), ('="', '"')]


def refusal(text: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        parse_code(text)
    assert caught.value.exit_status is ExitStatus.USAGE
    return caught.value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("600000.SH", "600000.SH"),
        ("600000.sh", "600000.SH"),
        ("sh600000", "600000.SH"),
        ("SZ000001", "000001.SZ"),
        ("sh.600000", "600000.SH"),
        ("600000.XSHG", "600000.SH"),
        ("000001.XSHE", "000001.SZ"),
        ("600000.SS", "600000.SH"),
        ("SHSE.600000", "600000.SH"),
        ("SZSE.000001", "000001.SZ"),
        ("BSE.920001", "920001.BJ"),
        ("600000.SSE", "600000.SH"),
        ("000001.SZSE", "000001.SZ"),
        ("920001.BSE", "920001.BJ"),
        ("bj920001", "920001.BJ"),
    ],
)
def test_usual_spellings(text: str, code: str) -> None:
    assert parse_code(text) == code


@given(
    digits=st.text("0123456789", min_size=6, max_size=6),
    exchange=st.sampled_from(sorted(NAMES)),
    data=st.data(),
)
def test_every_spelling_of_a_code_is_that_code(digits: str, exchange: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([exchange, *NAMES[exchange]]))
    text = data.draw(st.sampled_from([f"{digits}.{name}", f"{name}.{digits}", f"{name}{digits}"]))
    text = data.draw(st.sampled_from([text, text.lower(), text.title()]))
    if data.draw(st.booleans()):
        text = text.translate({n: n + 0xFEE0 for n in range(0x21, 0x7F)})
    before, after = data.draw(st.sampled_from(AROUND))
    assert parse_code(before + text + after) == f"{digits}.{exchange}"


@given(st.text("0123456789", min_size=6, max_size=6))
def test_a_bare_code_is_read_when_one_exchange_has_it(digits: str) -> None:
    candidates = exchanges_of(digits)
    if len(candidates) == 1:
        assert parse_code(digits) == candidates[0]
    else:
        assert refusal(digits).code == "ambiguous_code"


def test_bare_codes_of_each_exchange() -> None:
    read = [parse_code(code) for code in ("600000", "300750", "920001")]
    assert read == ["600000.SH", "300750.SZ", "920001.BJ"]


def test_a_bank_or_an_index_is_asked_for() -> None:
    error = refusal("000001")
    assert error.code == "ambiguous_code"
    assert error.params == {"code": "000001", "candidates": ["000001.SZ", "000001.SH"]}


def test_a_bare_code_that_no_table_knows_needs_its_exchange() -> None:
    error = refusal("999999")
    assert error.params == {"code": "999999", "candidates": ["999999.SH", "999999.SZ", "999999.BJ"]}


def test_whether_a_code_exists_is_not_asked() -> None:
    assert parse_code("999999.SH") == "999999.SH"
    assert parse_code("600000.SZ") == "600000.SZ"


@pytest.mark.parametrize(
    ("text", "padded"),
    [("1.SZ", "000001.SZ"), ("333", "000333"), ("sz1", "000001.SZ"), ("XSHE.2594", "002594.SZ")],
)
def test_zeros_that_a_spreadsheet_ate_are_not_guessed(text: str, padded: str) -> None:
    error = refusal(text)
    assert (error.code, error.params) == ("short_code", {"code": text, "padded": padded})
    assert padded in error_text(error.code, error.params, "en")[1]
    assert padded in error_text(error.code, error.params, "zh")[1]


@pytest.mark.parametrize("text", ["", " ", ".", ".SH", "SH", "SH.", "600000.", ".600000", "60 000", "-60000"])
def test_what_has_no_digits_or_no_exchange_where_it_says_one(text: str) -> None:
    assert refusal(text).code == "malformed_code"


@pytest.mark.parametrize(
    "text",
    [
        "600000.HK",
        "hk00700",
        "6000000",
        "6000000.SH",
        "60000A.SH",
        "600000.SH.SH",
        "600000-SH",
        "600000SH",
        "600000.0",
        "1.600000",
        "浦发银行",
        "٦٠٠٠٠٠.SH",
        "ſh600000",
    ],
)
def test_what_is_no_code(text: str) -> None:
    error = refusal(text)
    assert (error.code, error.params) == ("malformed_code", {"code": text})
