"""What a code is: exchange by suffix, kind and board by prefix.

A prefix is only a default: ST, listing date, T+0 and a fund's limit are properties of the instrument. Marks
of the prefixes: stocks, CDR and indexes from the exchanges' code tables; funds and bonds from one secondary
source; B shares, REITs, exchange-traded bonds, treasuries, 520/530/551 and 899 from memory. A user's own table
(`instruments`) overrides all of it.
"""

from __future__ import annotations

from typing import Any

from qmtcli.errors import UsageError
from qmtcli.model import Board, Instrument, Kind

EXCHANGES = ("SH", "SZ", "BJ")

_SH_ETFS = "510 511 512 513 515 516 517 518 520 530 551 560 561 562 563 588 589"

# suffix -> rows of (prefixes, kind, board); the first match wins
_PREFIXES: dict[str, tuple[tuple[tuple[str, ...], Kind, Board], ...]] = {
    "SH": (
        (("600", "601", "603", "605"), Kind.STOCK, Board.MAIN),
        (("688",), Kind.STOCK, Board.STAR),
        (("689",), Kind.CDR, Board.STAR),
        (("900",), Kind.B_SHARE, Board.MAIN),
        (tuple(_SH_ETFS.split()), Kind.ETF, Board.NONE),
        (("501", "502", "506"), Kind.LOF, Board.NONE),
        (("508",), Kind.REIT, Board.NONE),
        (("110", "111", "113", "118"), Kind.CONV_BOND, Board.NONE),
        (("132", "137"), Kind.EXCH_BOND, Board.NONE),
        (("010", "019", "020"), Kind.TREASURY, Board.NONE),
        (("204",), Kind.REPO, Board.NONE),
        (("000",), Kind.INDEX, Board.NONE),
    ),
    "SZ": (
        (("0010", "0011"), Kind.CDR, Board.MAIN),
        (("000", "001", "002", "003", "004"), Kind.STOCK, Board.MAIN),
        (("300", "301", "302"), Kind.STOCK, Board.CHINEXT),
        (("200",), Kind.B_SHARE, Board.MAIN),
        (("159",), Kind.ETF, Board.NONE),
        (tuple(str(n) for n in range(160, 170)), Kind.LOF, Board.NONE),
        (("180",), Kind.REIT, Board.NONE),
        (("123", "127", "128"), Kind.CONV_BOND, Board.NONE),
        (("120",), Kind.EXCH_BOND, Board.NONE),
        (("100", "101"), Kind.TREASURY, Board.NONE),
        (("1318",), Kind.REPO, Board.NONE),
        (("399",), Kind.INDEX, Board.NONE),
    ),
    "BJ": (
        (("920", "43", "83", "87", "88"), Kind.STOCK, Board.BSE),
        (("899",), Kind.INDEX, Board.NONE),
    ),
}


def classify(code: str) -> tuple[Kind, Board] | None:
    """Kind and board of a full code (``600000.SH``) by its prefix; None for anything else."""
    digits, _, suffix = code.partition(".")
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    for prefixes, kind, board in _PREFIXES.get(suffix, ()):
        if digits.startswith(prefixes):
            return kind, board
    return None


def exchanges_of(digits: str) -> list[str]:
    """Every full code that six bare digits may mean, likeliest first; empty when no exchange has one.

    An index comes after what can be traded: ``000001`` is a bank, then the composite index.
    """
    known = [(full, found[0]) for suffix in EXCHANGES if (found := classify(full := f"{digits}.{suffix}"))]
    return [full for full, _ in sorted(known, key=lambda pair: pair[1] is Kind.INDEX)]


def instrument(code: str, name: str = "", **overrides: Any) -> Instrument:
    """The instrument that ``code``'s prefix says, with fields of `Instrument` overridden.

    Raises UsageError ``code_unknown`` for a code that no prefix covers, unless ``kind`` is given.
    """
    if "kind" not in overrides:
        found = classify(code)
        if found is None:
            raise UsageError("code_unknown", code=code)
        overrides = {"kind": found[0], "board": found[1], **overrides}
    return Instrument(code=code, name=name, **overrides)
