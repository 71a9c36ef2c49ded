"""What a table of a tape says: its columns as rows of snapshots, or as bars.

Units. ``pvolume`` is shares, ``volume_lot`` lots. ``volume`` alone is shares or lots, whichever the table's
amount over its price comes nearer to; shares where there is no amount. Level volumes are lots in xtquant's
own files, which are known by their lists (``askVol``), and shares in some others: where each level has a column
(``askVol1``), shares when at least `_ENOUGH` of them are shown and one in five of these is a multiple of 100 (of
bonds, whose lot is 10: nine in ten a multiple of 10), for a count of lots has no reason to be round; else lots.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import chain, groupby
from math import sqrt
from operator import itemgetter

from qmtcli.model import Kind
from qmtcli.paper.clock import DAY_MS, SHANGHAI
from qmtcli.paper.columns import Columns
from qmtcli.paper.snapshots import Row
from qmtcli.paper.tape import Bar

_BONDS = frozenset({Kind.CONV_BOND, Kind.EXCH_BOND, Kind.TREASURY, Kind.REPO})
#: level volumes a table must show before their unit is guessed from them, and how many are looked at
_ENOUGH, _LOOKED_AT = 100, 4_000
#: lot -> how many of the level volumes must be whole lots to be shares
_ROUND = {100: 0.2, 10: 0.9}

_EPOCH = date(1970, 1, 1)
_OFFSET_MS = 8 * 3_600_000


def snapshots(columns: Columns, kind: Kind, levels: str) -> Iterator[tuple[date, Iterator[Row]]]:
    """Days in order, and each one's rows in order, which are to be read before the next day is.

    ``levels``: the unit of the level volumes, ``lots`` or ``shares``; guessed where empty. Raises ConfigError.
    """
    lot, nothing = _lot(kind), [0.0] * columns.size
    prices = [columns.numbers(name) for name in ("lastPrice", "open", "high", "low", "lastClose")]
    amount, volume = columns.numbers("amount"), columns.numbers(columns.first("pvolume", "volume") or "volume")
    unit = 1 if "pvolume" in columns else _volume_unit(kind, prices[0], volume, amount)
    ask_volumes, bid_volumes = columns.five("askVol"), columns.five("bidVol")
    levels = levels or ("lots" if "askVol" in columns else "")
    level_unit = {"lots": lot, "shares": 1}.get(levels) or _level_unit(lot, [*ask_volumes, *bid_volumes])
    counts = [columns.numbers(name) if name in columns else nothing for name in ("transactionNum", "openInt")]
    asks = zip(columns.five("askPrice"), ask_volumes, strict=True)
    bids = zip(columns.five("bidPrice"), bid_volumes, strict=True)
    moments = _moments(columns, "time")
    cells = [
        [at % DAY_MS for at in moments],
        *[_integers(column, 1000) for column in prices],
        _integers(volume, unit),
        _integers(amount, 100),
        *map(_integers, counts),
    ]
    for price, size in chain(asks, bids):
        cells += _integers(price, 1000), _integers(size, level_unit)
    rows: Iterable[tuple[int, Row]] = zip(moments, map(_row, zip(*cells, strict=True)), strict=True)
    if any(map(int.__gt__, moments, moments[1:])):
        rows = sorted(rows, key=itemgetter(0))
    for number, of_day in groupby(rows, lambda row: row[0] // DAY_MS):
        yield _EPOCH + timedelta(days=number), map(itemgetter(1), of_day)


def bars(columns: Columns, kind: Kind, period: str) -> list[Bar]:
    """Bars as the table has them; ``preclose`` is 0 where it does not say. Raises ConfigError."""
    prices = [columns.numbers(name) for name in ("open", "high", "low", "close")]
    amounts = columns.numbers("amount") if "amount" in columns else None
    if "volume_lot" in columns:
        volumes, unit = columns.numbers("volume_lot"), _lot(kind)
    else:
        volumes = columns.numbers("volume")
        unit = _volume_unit(kind, prices[3], volumes, amounts)
    name = columns.first("preClose", "preclose", "lastClose")
    precloses = columns.numbers(name) if name else None
    found = []
    for row, at in enumerate(_moments(columns, columns.first("date", "time", "datetime") or "time")):
        day, ms = _EPOCH + timedelta(days=at // DAY_MS), 0 if period == "1d" else at % DAY_MS
        open_, high, low, close = [round(column[row] * 1000) for column in prices]
        amount = round(amounts[row] * 100) if amounts else 0
        preclose = round(precloses[row] * 1000) if precloses else 0
        found.append(Bar(day, ms, open_, high, low, close, round(volumes[row]) * unit, amount, preclose))
    return found


def _integers(column: Sequence[float], per: int = 1) -> list[int]:
    return [round(number * per) for number in column]


def _row(cells: Row) -> Row:
    """A line as `Row` has it: of the levels those that show a price and a volume, then zeros.

    A second level without a price is what a call auction would leave of that side (`Tick.surplus`).
    """
    if 0 not in cells[10:]:
        return (*cells[:10], 0, *cells[10:])
    surplus = (0 if cells[22] else cells[23]) - (0 if cells[12] else cells[13])
    sides = [zip(cells[at : at + 10 : 2], cells[at + 1 : at + 10 : 2], strict=True) for at in (10, 20)]
    shown = [[cell for level in side if all(level) for cell in level] for side in sides]
    return (*cells[:10], surplus, *[cell for side in shown for cell in (*side, *[0] * (10 - len(side)))])


# -- units -------------------------------------------------------------------------------------------------


def _lot(kind: Kind) -> int:
    return 10 if kind in _BONDS else 100


def _level_unit(lot: int, columns: Sequence[list[float]]) -> int:
    """Shares in a unit of these level volumes, guessed as the module says."""
    step = max(1, sum(map(len, columns)) // _LOOKED_AT)
    shown = [volume for column in columns for volume in column[::step] if volume]
    whole = sum(1 for volume in shown if volume % lot == 0)
    return 1 if len(shown) >= _ENOUGH and whole >= _ROUND[lot] * len(shown) else lot


def _volume_unit(kind: Kind, prices: list[float], volumes: list[float], amounts: list[float] | None) -> int:
    """Shares in a unit of these volumes: the likelier by what a unit of them cost."""
    lot = _lot(kind)
    for price, volume, amount in zip(prices, volumes, amounts or (), strict=False):
        if price and volume and amount:
            return lot if amount / volume / (100 if kind is Kind.REPO else price) > sqrt(lot) else 1
    return 1


# -- times -------------------------------------------------------------------------------------------------


def _moments(columns: Columns, name: str) -> list[int]:
    """Ms since 1970-01-01 00:00 in Shanghai: of epoch ms, ``20230207``, ``20230207093000`` or an ISO time."""
    values = columns.values(name)
    try:
        numbers = list(map(float, values))
    except (TypeError, ValueError):
        numbers = []
    if numbers and min(numbers) >= 1e11 and max(numbers) < 1e13:
        return [int(number) + _OFFSET_MS for number in numbers]
    moments = []
    for row, value in enumerate(values):
        try:
            moments.append(_moment(str(value).strip()))
        except ValueError:
            raise columns.error(row, f"{name} is {value!r}, not a time") from None
    return moments


def _moment(text: str) -> int:
    if text.isdecimal():
        if len(text) == 13:
            return int(text) + _OFFSET_MS
        if len(text) not in (8, 14):
            raise ValueError(text)
        moment = datetime.strptime(text, "%Y%m%d" if len(text) == 8 else "%Y%m%d%H%M%S")
    else:
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        moment = moment.astimezone(SHANGHAI).replace(tzinfo=None)
    return (moment - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
