"""Security codes: the many spellings of ``600000.SH``, read into that one."""

from __future__ import annotations

from qmtcli.errors import UsageError
from qmtcli.text import halfwidth

#: an exchange's names, as prefix or suffix, beside its own: JoinQuant, Yahoo, gm and vn.py
_EXCHANGES = {
    **dict.fromkeys(("SH", "XSHG", "SS", "SHSE", "SSE"), "SH"),
    **dict.fromkeys(("SZ", "XSHE", "SZSE"), "SZ"),
    **dict.fromkeys(("BJ", "BJSE", "BSE"), "BJ"),
}
#: what files leave around a code: blanks, list commas, quotes, marks of byte order, Excel's ``="000001"``
_AROUND = " \t\r\n\f\v\u00a0\ufeff\u200b,;、'\"`‘’“”="
_DIGITS = frozenset("0123456789")
_LENGTH = 6


def parse_code(text: str) -> str:
    """``600000.SH`` from any usual spelling of it; whether such an instrument exists is not asked.

    Raises UsageError ``malformed_code``, ``short_code`` (leading zeros lost) or ``ambiguous_code``.
    """
    digits, exchange = _split(text)
    if len(digits) < _LENGTH:
        padded = digits.zfill(_LENGTH)
        raise UsageError("short_code", code=text, padded=f"{padded}.{exchange}" if exchange else padded)
    if exchange:
        return f"{digits}.{exchange}"

    from qmtcli.rules.boards import exchanges_of

    candidates = exchanges_of(digits) or [f"{digits}.{each}" for each in ("SH", "SZ", "BJ")]
    if len(candidates) > 1:
        raise UsageError("ambiguous_code", code=text, candidates=candidates)
    return candidates[0]


def _split(text: str) -> tuple[str, str]:
    """The digits, at most six, and the exchange, ``""`` when it is not said."""
    plain = halfwidth(text).strip(_AROUND)
    plain = plain.upper() if plain.isascii() else ""
    left, dot, right = plain.partition(".")
    if not dot:
        right = plain.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        left = plain[: len(plain) - len(right)]
    digits, name = (left, right) if left[:1] in _DIGITS else (right, left)
    exchange = _EXCHANGES.get(name, "")
    said = bool(name) or bool(dot)
    if not digits or len(digits) > _LENGTH or not _DIGITS.issuperset(digits) or (said and not exchange):
        raise UsageError("malformed_code", code=text)
    return digits, exchange
