"""Funds that differ from their kind: sold on the day they were bought (T+0), or limited to 20 % a day.

Both lists are published by the exchanges and change with every new product; these are the well-known ones.
Shanghai's prefixes 511 (bond and money), 518 (gold), 513 and 520 (cross-border, with rare exceptions) are T+0
and 588, 589 (STAR indexes) 20 %; Shenzhen's 159 and the LOFs are told apart by product only. A user's
instrument file overrides both.
"""

from __future__ import annotations

_T0_PREFIXES = ("511", "513", "518", "520")

# cross-border, gold, commodity futures, bonds and money; then the LOFs
_T0_LIST = """
159501 159509 159513 159605 159607 159612 159632 159655 159659 159660 159696 159740 159741 159742
159792 159866 159920 159941 159954 159960
159812 159830 159831 159834 159934 159937
159980 159981 159985
159649 159650 159651 159816 159972 159001 159003 159005
160216 160719 160723 161116 161125 161126 161127 161128 161129 161130 161226 162411 162415 164701 164824
501018 501300 501312
"""
_T0_CODES = frozenset(_T0_LIST.split())

_WIDE_PREFIXES = ("588", "589")

# ChiNext indexes, then ChiNext with STAR
_WIDE_LIST = """
159675 159681 159682 159810 159814 159821 159908 159915 159948 159949 159952 159955 159956 159957 159958
159964 159966 159967 159971 159977
159780 159781 159782 159783
"""
_WIDE_CODES = frozenset(_WIDE_LIST.split())


def is_t0(code: str) -> bool:
    """Whether the fund ``code`` (``513100.SH``) may be sold on the day it was bought."""
    return code.startswith(_T0_PREFIXES) or code[:6] in _T0_CODES


def is_wide(code: str) -> bool:
    """Whether the fund ``code`` has a 20 % daily limit."""
    return code.startswith(_WIDE_PREFIXES) or code[:6] in _WIDE_CODES


def is_bond_or_money(code: str) -> bool:
    """Whether the fund ``code`` is a Shanghai bond or money fund."""
    return code.startswith("511")
