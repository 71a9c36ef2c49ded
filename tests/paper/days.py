"""Days to hold the exchange to: a real one as its file has it, invented ones, and days of orders against them.

Nothing here is the exchange's. Prices are integers in thousandths of a yuan, volumes shares, times milliseconds since
midnight.
"""

from __future__ import annotations

import csv
import gzip
import random
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
    #: 0 before the first trade
    last: int
    #: shares traded so far
    volume: int
    #: xtquant's ``openInt``
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


class Fill(NamedTuple):
    """A trade of an order, by the number of its action."""

    order: int
    at: int
    price: int
    volume: int


def clock(text: str) -> int:
    """Milliseconds since midnight of ``09:30:00.5``."""
    hours, minutes, seconds = text.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1000)


# -- the market ----------------------------------------------------------------------------------------


def read(folder: Path) -> list[Row]:
    """The snapshots of the real day, from the folder of tick files; of one moment the last."""
    with gzip.open(folder / FILE, "rt", newline="") as lines:
        rows = [
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
    return list({row.at: row for row in rows}.values())


def _milli(text: str) -> int:
    return round(float(text) * 1000)


def _levels(row: dict[str, str], side: str) -> list[Level]:
    levels = [(_milli(row[f"{side}Price{n}"]), int(row[f"{side}Vol{n}"])) for n in range(1, 6)]
    return [level for level in levels if level[0] and level[1]]


def invent(seed: int) -> list[Row]:
    """A day that wanders within a few ticks: sides of few levels and none, odd lots, now and then no auction."""
    chance = random.Random(seed)
    rows = [Row(clock(f"09:1{n}:00"), 0, 0, 12, [(PRECLOSE, 100)], [(PRECLOSE, 100)]) for n in range(5, 10)]
    price, last, volume = PRECLOSE, 0, 0
    for begin, end, phase in [
        ("09:25:01", "09:25:02", 13),
        ("09:30:00", "11:30:00", 13),
        ("13:00:00", "14:57:00", 13),
        ("15:00:00", "15:00:02", 15),
    ]:
        auction = clock(end) - clock(begin) < 10_000
        at = clock(begin) + chance.choice([0, 1_000])
        while at < clock(end):
            price += chance.randint(-2, 2) * TICK
            traded = chance.choice([0, 300, 2_000, 5_000] if auction else [0, 0, 18, 100, 100, 300, 1_000])
            last = price + chance.randint(-2, 2) * TICK if traded else last
            volume += traded
            rows.append(Row(at, last, volume, phase, _beside(chance, price, 1), _beside(chance, price, -1)))
            at += chance.choice([1_000, 3_000, 30_000, 120_000])
    return rows


def _beside(chance: random.Random, price: int, sign: int) -> list[Level]:
    (levels,) = chance.choices([0, 1, 3, 5], [1, 5, 10, 84])
    ticks = sorted(chance.sample(range(1, 8), levels))
    return [(price + sign * n * TICK, chance.choice([18, 100, 100, 200, 500, 2_000])) for n in ticks]


# -- the orders ----------------------------------------------------------------------------------------

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
    """Orders of every kind at every distance from the market through the day, and cancels of some, by time."""
    chance = random.Random(seed)
    times = sorted(_moment(chance, rows) for _ in range(orders))
    placed = [_order(chance, at, _shown(rows, at)) for at in times]
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
    return Action(at, "buy" if buying else "sell", volume, _price(chance, row), kind)


def _price(chance: random.Random, row: Row) -> int:
    base = row.last or (row.asks[0][0] if row.asks else PRECLOSE)
    levels = row.asks if chance.random() < 0.5 else row.bids
    if levels and chance.random() < 0.4:
        base = chance.choice(levels)[0]
    if chance.random() < 0.04:
        return chance.choice([DOWN, UP, DOWN - TICK, UP + TICK, base + TICK // 2])
    reach = chance.choice([0, 0, 1, 5, 12, 12, 30, 100, 600, 3_000])
    return min(UP, max(DOWN, base + chance.randint(-reach, reach) * TICK))
