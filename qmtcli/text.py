"""What files, pipes and people write, made plain: bytes to text, full-width forms, 万 and 亿, misspellings."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable
from decimal import Decimal

from qmtcli.errors import UsageError

_MARKS = ((BOM_UTF8, "utf-8"), (BOM_UTF16_LE, "utf-16-le"), (BOM_UTF16_BE, "utf-16-be"))
_HALFWIDTH = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_UNITS = {"万": 10_000, "亿": 100_000_000}


def decode(data: bytes) -> str:
    """Text of a file or a pipe in UTF-8 (with or without mark), UTF-16 or GBK; the mark is not part of it.

    GBK is read as GB 18030, which contains it. Raises UsageError ``undecodable_text``.
    """
    try:
        for mark, encoding in _MARKS:
            if data.startswith(mark):
                return data[len(mark) :].decode(encoding)
        if b"\0" in data:  # UTF-16 without a mark: the NULs are the high bytes of its ASCII
            return data.decode("utf-16-be" if data[::2].count(0) > data[1::2].count(0) else "utf-16-le")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("gb18030")
    except UnicodeDecodeError:
        raise UsageError("undecodable_text") from None


def halfwidth(text: str) -> str:
    """``text`` with full-width digits, letters, signs and spaces as their ASCII forms."""
    return text if text.isascii() else text.translate(_HALFWIDTH)


def number(text: str) -> Decimal:
    """A plain decimal, with 万 or 亿 after it if wanted: ``50000``, ``50_000``, ``5万``, ``1.5亿``.

    Raises ValueError; NaN, infinities and exponents are no numbers here.
    """
    text = halfwidth(text).strip()
    unit = _UNITS.get(text[-1:], 1)
    digits = text[:-1].rstrip() if unit > 1 else text
    if not set("0123456789_.+-").issuperset(digits):
        raise ValueError(text)
    try:
        return Decimal(digits) * unit
    except ArithmeticError:
        raise ValueError(text) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """The one of ``known`` (not empty) that is spelled most like ``word``."""
    from difflib import get_close_matches

    spelled = {name.lower(): name for name in known}
    return spelled[get_close_matches(word.lower(), spelled, 1, 0.0)[0]]
