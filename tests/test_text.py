"""Reading what files and people write."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmtcli.errors import ConfigError, ExitStatus, UsageError
from qmtcli.text import day, decode, halfwidth, number, part, read_file, truth, whole

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


def test_whole_numbers_parts_and_truths() -> None:
    assert (whole("100"), whole("1.5万"), part("10%"), part("0.1"), part(" ５％ ")) == (
        100, 15_000, Decimal("0.1"), Decimal("0.1"), Decimal("0.05"),
    )  # fmt: skip
    assert [truth(text) for text in ("true", "Yes", "ON", "1", "是")] == [True] * 5
    assert [truth(text) for text in ("false", "No", "OFF", " 0 ", "否")] == [False] * 5


@pytest.mark.parametrize("read", [whole, part, truth, day], ids=lambda read: read.__name__)
@pytest.mark.parametrize("text", ["", "maybe", "1e3", "0.5.1", "%"])
def test_what_is_none_of_them(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError):
        read(text)


@pytest.mark.parametrize("text", ["0", "-1", "0.5"])
def test_what_is_no_whole_number(text: str) -> None:
    with pytest.raises(ValueError):
        whole(text)


@pytest.mark.parametrize("text", ["2027-01-04", "20270104", "2027/1/4", " 2027-1-4 "])
def test_days(text: str) -> None:
    assert day(text) == date(2027, 1, 4)


@pytest.mark.parametrize(
    "text",
    ["2027-02-30", "20271301", "27-01-04", "2027-01", "2027-W01-1", "٢٠٢٧٠١٠٤", "2027-01-04T00:00", "04/01/2027"],
)
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(ValueError):
        day(text)


def test_a_file_is_read_in_any_encoding(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(TABLE.encode("gbk"))
    assert read_file(str(file)) == TABLE


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"\xff\xfea")
    for name, why in (
        ("gone", "No such file or directory"),
        (".", "Is a directory"),
        ("bad", "not UTF-8, UTF-16 or GBK"),
    ):
        path = str(tmp_path / name)
        with pytest.raises(ConfigError) as caught:
            read_file(path)
        assert caught.value.code == "unreadable_file"
        assert caught.value.params["path"] == path
        if os.name != "nt":
            assert caught.value.params["why"] == why
