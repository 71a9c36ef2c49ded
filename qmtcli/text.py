"""What files, pipes and people write, made plain: text, full-width forms, numbers in 万 and 亿, days, misspellings."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from decimal import Decimal

from qmtcli.errors import ConfigError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

_MARKS = ((BOM_UTF8, "utf-8"), (BOM_UTF16_LE, "utf-16-le"), (BOM_UTF16_BE, "utf-16-be"))
_HALFWIDTH = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_UNITS = {"万": 10_000, "亿": 100_000_000}
_TRUE, _FALSE = ("true", "yes", "on", "1", "是"), ("false", "no", "off", "0", "否")


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


def read_file(path: str) -> str:
    """Text of a file, decoded as `decode` does. Raises ConfigError ``unreadable_file``."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib would be most of the cost
            return decode(file.read())
    except OSError as error:
        raise ConfigError("unreadable_file", path=path, why=error.strerror or str(error)) from None
    except UsageError:
        raise ConfigError("unreadable_file", path=path, why="not UTF-8, UTF-16 or GBK") from None


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


def whole(text: str) -> int:
    """A whole number above 0: ``100``, ``1万``. Raises ValueError."""
    value = number(text)
    if value <= 0 or value % 1:
        raise ValueError(text)
    return int(value)


def part(text: str) -> Decimal:
    """A part of a whole: ``0.1`` or ``10%``. Raises ValueError."""
    text = halfwidth(text).strip()
    return number(text[:-1]) / 100 if text.endswith("%") else number(text)


def truth(text: str) -> bool:
    """``true``, ``yes``, ``on``, ``1``, ``是``, and their opposites. Raises ValueError."""
    word = text.strip().lower()
    if word not in _TRUE + _FALSE:
        raise ValueError(text)
    return word in _TRUE


def day(text: str) -> date:
    """``2027-01-04``, ``20270104`` or, as spreadsheets have it, ``2027/1/4``. Raises ValueError."""
    from datetime import date

    text = text.strip()
    whole = len(text) == 8 and text.isdigit()
    parts = [text[:4], text[4:6], text[6:]] if whole else text.replace("/", "-").split("-")
    if len(parts) != 3 or len(parts[0]) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(text)
    return date(*map(int, parts))
