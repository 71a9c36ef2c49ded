"""Reading what files and people write."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmtcli.errors import ExitStatus, UsageError
from qmtcli.text import decode, halfwidth, number

TABLE = "代码,名称\r\n600000.SH,浦发银行\r\n"


@pytest.mark.parametrize(
    "data",
    [
        TABLE.encode("utf-8"),
        TABLE.encode("utf-8-sig"),
        b"\xff\xfe" + TABLE.encode("utf-16-le"),
        b"\xfe\xff" + TABLE.encode("utf-16-be"),
        TABLE.encode("utf-16-le"),
        TABLE.encode("utf-16-be"),
        TABLE.encode("gbk"),
    ],
    ids=["utf8", "utf8-mark", "utf16le-mark", "utf16be-mark", "utf16le", "utf16be", "gbk"],
)
def test_encodings_of_windows_are_read(data: bytes) -> None:
    assert decode(data) == TABLE


def test_gb18030_beyond_gbk_is_read() -> None:
    assert decode("𠀀一二".encode("gb18030")) == "𠀀一二"


def test_nothing_is_an_empty_text() -> None:
    assert decode(b"") == ""
    assert decode(b"\xef\xbb\xbf") == ""


@pytest.mark.parametrize("data", [b"\xff\xfea", b"\xff", b"\xef\xbb\xbf\xff", b"a\0b"])
def test_bytes_that_are_no_text_are_malformed_input(data: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        decode(data)
    assert (caught.value.code, caught.value.exit_status) == ("undecodable_text", ExitStatus.USAGE)


@given(st.text())
def test_utf8_comes_back_as_it_was(text: str) -> None:
    data = text.encode("utf-8")
    if b"\0" not in data and not text.startswith("\ufeff"):
        assert decode(data) == text


def test_halfwidth_changes_the_forms_and_nothing_else() -> None:
    assert halfwidth("６０００００．ＳＨ\u3000，浦发") == "600000.SH ,浦发"
    assert halfwidth("600000.SH") == "600000.SH"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("50000", "50000"),
        ("50_000", "50000"),
        ("5万", "50000"),
        ("1.5 亿", "150000000"),
        (" ５０ ", "50"),
        ("0.001", "0.001"),
        ("-3", "-3"),
        ("007", "7"),
    ],
)
def test_numbers(text: str, value: str) -> None:
    assert number(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    ["", "万", "5万亿", "5千", "1e5", "1E999999999", "nan", "inf", "0x1", "1:30", "5,0", "1.2.3", "--1", "٣"],
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError):
        number(text)
