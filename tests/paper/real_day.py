"""A real day as its file has it, and a day of orders against it. Shares nothing with the exchange.

Prices are integers in thousandths of a yuan, volumes shares, times milliseconds since midnight.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections import Counter
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

CODE = "600519.SH"
DAY = "2023-02-07"
FILE = f"{CODE}_20230207_tick.csv.gz"
TICK = 10
PRECLOSE, DOWN, UP = 1_795_000, 1_615_500, 1_974_500

Level = tuple[int, int]


class Row(NamedTuple):
    """A snapshot."""

    at: int
    last: int
    #: shares traded so far
    volume: int
    phase: int
    #: best first
    asks: list[Level]
    bids: list[Level]


class Action(NamedTuple):
    """What the account's owner does."""

    at: int
    #: ``buy``, ``sell`` or ``cancel``
    what: str
    volume: int = 0
    price: int = 0
    #: xtquant's price type
    kind: int = 11
    #: which action's order a cancel is for
    target: int = -1


def read(folder: Path) -> list[Row]:
    """The snapshots of the day, from the folder of tick files."""
    with gzip.open(folder / FILE, "rt", newline="") as lines:
        return [
            Row(
                clock(row["stime"].split()[1]),
                _milli(row["lastPrice"]),
                int(row["pvolume"]),
                int(row["openInt"]),
                _levels(row, "ask"),
                _levels(row, "bid"),
            )
            for row in csv.DictReader(lines)
        ]


def clock(text: str) -> int:
    """Milliseconds since midnight of ``09:30:00.5``."""
    hours, minutes, seconds = text.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1000)


def _milli(text: str) -> int:
    return round(float(text) * 1000)


def _levels(row: dict[str, str], side: str) -> list[Level]:
    levels = [(_milli(row[f"{side}Price{n}"]), int(row[f"{side}Vol{n}"])) for n in range(1, 6)]
    return [level for level in levels if level[0] and level[1]]


#: when orders are sent, and how often
_HOURS = [
    ("09:14:00", "09:15:00", 1),
    ("09:15:00", "09:20:00", 10),
    ("09:20:00", "09:25:00", 10),
    ("09:25:00", "09:30:00", 2),
    ("09:30:00", "09:35:00", 10),
    ("09:35:00", "11:30:00", 30),
    ("11:30:00", "13:00:00", 2),
    ("13:00:00", "14:57:00", 30),
    ("14:57:00", "15:00:00", 15),
    ("15:00:00", "15:40:00", 2),
]


def script(rows: list[Row], seed: int, orders: int) -> list[Action]:
    """Orders of every kind at every distance from the market through the day, and cancels of some."""
    chance = random.Random(seed)
    times = [_moment(chance, rows) for _ in range(orders)]
    placed = [_order(chance, at, _shown(rows, at)) for at in sorted(times)]
    cancels = [
        (order.at + round(chance.expovariate(1 / chance.choice([5_000, 60_000, 1_800_000]))), n)
        for n, order in enumerate(placed)
        if chance.random() < 0.35
    ]
    marked = sorted([(order.at, 0, n) for n, order in enumerate(placed)] + [(at, 1, n) for at, n in cancels])
    where = {n: index for index, (_, cancel, n) in enumerate(marked) if not cancel}
    return [Action(at, "cancel", target=where[n]) if cancel else placed[n] for at, cancel, n in marked]


def _moment(chance: random.Random, rows: list[Row]) -> int:
    begin, end, _ = chance.choices(_HOURS, [weight for *_, weight in _HOURS])[0]
    at = chance.randrange(clock(begin), clock(end))
    # at a snapshot, just before one, or between two
    return _shown(rows, at).at + chance.choice([0, 0, -1, 500, 1_500]) if chance.random() < 0.7 else at


def _shown(rows: list[Row], at: int) -> Row:
    return max((row for row in rows if row.at <= at), key=lambda row: row.at, default=rows[0])


def _order(chance: random.Random, at: int, row: Row) -> Action:
    buying = chance.random() < 0.5
    volume = chance.choice([100, 100, 200, 300, 500, 1_000, 3_000, 20_000])
    if not buying and chance.random() < 0.15:
        volume += 37
    kind = chance.choice([11] * 24 + [5, 5, 42, 42, 43, 43, 43, 44, 44, 45, 45, 47])
    return Action(at, "buy" if buying else "sell", volume, _price(chance, row, buying), kind)


def _price(chance: random.Random, row: Row, buying: bool) -> int:
    base = row.last or (row.asks[0][0] if row.asks else PRECLOSE)
    peers, own = (row.asks, row.bids) if buying else (row.bids, row.asks)
    levels = chance.choice([peers, own])
    if levels and chance.random() < 0.4:
        base = chance.choice(levels)[0]
    reach = chance.choice([0, 0, 1, 5, 30, 100, 600, 3_000])
    if chance.random() < 0.03:
        return chance.choice([DOWN, UP, DOWN - TICK, UP + TICK, base + 5])
    return min(UP, max(DOWN, base // TICK * TICK + chance.randint(-reach, reach) * TICK))


#: continuous trading, and the moments that show the trades of an auction
_TRADING = [
    (clock(begin), clock(end))
    for begin, end in [
        ("09:25:00", "09:25:10"),
        ("09:30:00", "11:30:00"),
        ("13:00:00", "14:57:00"),
        ("15:00:00", "15:00:10"),
    ]
]


class Fill(NamedTuple):
    """A trade of an order, by the number of its action."""

    order: int
    at: int
    price: int
    volume: int


def beyond_the_tape(rows: list[Row], actions: list[Action], fills: list[Fill]) -> list[str]:
    """What is wrong with fills: each order against itself, and all of them against what each snapshot offered.

    Of the shares that own buys got at up to some price, the tape must have displayed as many at up to that price, or
    others must have traded so low since the snapshot before, or own sells must have given them at that very time and
    price; and so with sells. No share that others traded serves twice.
    """
    wrong = [text for n, action in enumerate(actions) if (text := _broken(n, action, fills))]
    moments = [list(group) for _, group in groupby(rows, key=attrgetter("at"))]
    ends = [group[0].at for group in moments[1:]] + [clock("24:00:00")]
    traded = 0
    for group, end in zip(moments, ends, strict=True):
        before, traded = traded, group[-1].volume
        bought, sold = _from_others(actions, [fill for fill in fills if group[0].at <= fill.at < end])
        asks, bids = [level for row in group for level in row.asks], [level for row in group for level in row.bids]
        not_bought = _beyond(bought, asks, 1, min(row.last for row in group))
        not_sold = _beyond(sold, bids, -1, max(row.last for row in group))
        if not_bought + not_sold > traded - before:
            wrong.append(f"{group} gave not so much: bought {bought}, sold {sold}")
    return wrong


def _broken(number: int, order: Action, fills: list[Fill]) -> str:
    """What is wrong with an order's fills, whatever the market was."""
    own = [fill for fill in fills if fill.order == number]
    sign = 1 if order.what == "buy" else -1
    right = (
        sum(fill.volume for fill in own) <= order.volume
        and all(fill.volume > 0 and DOWN <= fill.price <= UP and fill.price % TICK == 0 for fill in own)
        and all(order.kind != 11 or sign * fill.price <= sign * order.price for fill in own)
        and all(fill.at >= order.at and any(begin <= fill.at < end for begin, end in _TRADING) for fill in own)
    )
    return "" if right else f"{order}: {own}"


def _from_others(actions: list[Action], fills: list[Fill]) -> tuple[list[Level], list[Level]]:
    """(price, shares) bought and sold, without what the account's own orders traded with each other."""
    sides: dict[str, Counter[tuple[int, int]]] = {"buy": Counter(), "sell": Counter()}
    for fill in fills:
        sides[actions[fill.order].what][fill.at, fill.price] += fill.volume
    bought, sold = sides["buy"] - sides["sell"], sides["sell"] - sides["buy"]
    return [(price, n) for (_, price), n in bought.items()], [(price, n) for (_, price), n in sold.items()]


def _beyond(fills: list[Level], levels: list[Level], sign: int, last: int) -> int:
    """The shares that must come of others' trades at ``last``; more than there can be when these were no so good."""
    most = 0
    for price, _ in fills:
        got = sum(volume for at, volume in fills if sign * at <= sign * price)
        shown = sum(volume for at, volume in levels if sign * at <= sign * price)
        if got > shown and (not last or sign * last > sign * price):
            return 10**9
        most = max(most, got - shown)
    return most
