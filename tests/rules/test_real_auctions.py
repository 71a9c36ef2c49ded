"""Both auctions of a real day, from every order of it: price, volume, who traded, what was left, what was shown.

The order stream of 600519.SH on 2023-02-07 is replayed here; of qmt only the auction itself is used.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import pytest

from qmtcli.rules.auction import Level, Print, allocate, clear, leftover, nearest_to

DATA = Path(__file__).resolve().parents[3] / "shared/data"
STREAM = DATA / "l2/600519.SH_20230207_orders_trades.csv.gz"
SNAPSHOTS = DATA / "tick/600519.SH_20230207_tick.csv.gz"
pytestmark = pytest.mark.skipif(not STREAM.exists(), reason=f"no real order stream at {STREAM}")

#: CNY; prices here are in fen, which are the instrument's ticks
PRECLOSE = 1795_00
BUY, SELL = "B", "S"
#: whose order rested when a trade was made by a buyer, by a seller, or in an auction
RESTED = {"B": [SELL], "S": [BUY], "N": [BUY, SELL]}


class Message(NamedTuple):
    """One line of the stream."""

    #: seconds since midnight
    at: float
    #: A added, D deleted, T traded
    kind: str
    #: the order by side: one of an added or deleted order, both of a trade
    orders: dict[str, int]
    price: int
    volume: int
    flag: str


class Snapshot(NamedTuple):
    at: float
    phase: int
    volume: int
    asks: list[Level]
    bids: list[Level]


class Book:
    """Orders in the sequence of the exchange, which is that of their time."""

    def __init__(self) -> None:
        #: price and what is left of it, by side and number
        self.orders: dict[str, dict[int, Level]] = {BUY: {}, SELL: {}}

    def apply(self, message: Message) -> None:
        """Raises KeyError or AssertionError when the stream speaks of an order that is not there like that."""
        if message.kind == "A":
            for side, number in message.orders.items():
                self.orders[side][number] = message.price, message.volume
            return
        for side in RESTED[message.flag] if message.kind == "T" else message.orders:
            price, left = self.orders[side].pop(message.orders[side])
            assert price == message.price or message.flag == "N"
            assert left == message.volume or (message.kind == "T" and left > message.volume)
            if left > message.volume:
                self.orders[side][message.orders[side]] = price, left - message.volume

    def queue(self, side: str) -> list[tuple[int, Level]]:
        """The orders by priority: price, then number, which in Shanghai grows with time."""
        sign = -1 if side == BUY else 1
        return sorted(self.orders[side].items(), key=lambda item: (sign * item[1][0], item[0]))

    def levels(self, side: str) -> list[Level]:
        return [level for _, level in self.queue(side)]

    def clear(self) -> Print | None:
        nearest = nearest_to("SH", 0, PRECLOSE)
        return clear(self.orders[BUY].values(), self.orders[SELL].values(), 1, nearest)


def seconds(text: str) -> float:
    hours, minutes, rest = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


OPENING, PAUSE, CLOSING, CLOSE = seconds("9:15:00"), seconds("9:25:00"), seconds("14:57:00"), seconds("15:00:00")


def fen(text: str) -> int:
    return round(float(text) * 100)


@pytest.fixture(scope="module")
def stream() -> list[Message]:
    with gzip.open(STREAM, "rt", newline="") as lines:
        return [
            Message(
                seconds(row["time"]),
                row["type"],
                {row["side"]: int(row["order_no"])}
                if row["side"]
                else {BUY: int(row["buy_no"]), SELL: int(row["sell_no"])},
                fen(row["price"]),
                int(row["qty"]),
                row["flag"],
            )
            for row in csv.DictReader(lines)
            if row["type"] in ("A", "D", "T")
        ]


@pytest.fixture(scope="module")
def snapshots() -> list[Snapshot]:
    def levels(row: dict[str, str], side: str) -> list[Level]:
        return [(fen(row[f"{side}Price{n}"]), int(row[f"{side}Vol{n}"])) for n in range(1, 6)]

    with gzip.open(SNAPSHOTS, "rt", newline="") as lines:
        return [
            Snapshot(
                seconds(row["stime"].split()[1]),
                int(row["openInt"]),
                int(row["pvolume"]),
                levels(row, "ask"),
                levels(row, "bid"),
            )
            for row in csv.DictReader(lines)
        ]


def before(stream: Iterable[Message], end: float) -> Book:
    """The book as an auction finds it."""
    book = Book()
    for message in takewhile(lambda message: message.at < end, stream):
        book.apply(message)
    return book


def traded(stream: Iterable[Message], begin: float) -> dict[str, Counter[int]]:
    """What each order traded in the auction that ended at a time."""
    fills = {BUY: Counter[int](), SELL: Counter[int]()}
    for message in stream:
        if message.kind == "T" and message.flag == "N" and begin <= message.at < begin + 60:
            for side, number in message.orders.items():
                fills[side][number] += message.volume
    return fills


#: the end of an auction, what it gave, and the phase shown after it
AUCTIONS = pytest.mark.parametrize(
    ("end", "printed", "phase"),
    [(PAUSE, Print(1808_08, 42_718, 82), 13), (CLOSE, Print(1797_00, 40_203, 5_397), 15)],
    ids=["opening", "closing"],
)


@AUCTIONS
def test_an_auction_of_the_real_day(
    stream: list[Message], snapshots: list[Snapshot], end: float, printed: Print, phase: int
) -> None:
    book, real = before(stream, end), traded(stream, end)
    assert book.clear() == printed
    for side in (BUY, SELL):
        queue = book.queue(side)
        fills = allocate((left for _, (_, left) in queue), printed.volume)
        assert {number: fill for (number, _), fill in zip(queue, fills, strict=True) if fill} == real[side]
    shown = next(row for row in snapshots if row.at >= end and row.phase == phase)
    assert _five(leftover(book.levels(BUY), printed.volume)) == shown.bids
    assert _five(leftover(book.levels(SELL), printed.volume)) == shown.asks
    if phase == 15:
        assert shown == snapshots[-1]


def test_the_largest_volume_alone_would_not_decide_the_opening(stream: list[Message]) -> None:
    book = before(stream, PAUSE)
    bought = sum(left for price, left in book.orders[BUY].values() if price >= 1808_00)
    sold = sum(left for price, left in book.orders[SELL].values() if price <= 1808_00)
    assert min(bought, sold) == 42_718


def test_the_exchange_showed_the_auctions_of_its_orders(stream: list[Message], snapshots: list[Snapshot]) -> None:
    """During an auction level 1 is its price and volume so far, level 2 what would be left, on the side that has it."""
    shown = [row for row in snapshots if row.phase in (12, 18) and row.asks[0][0] and not row.asks[2][0]]
    assert len(shown) == 174
    moments = list(_auctions(stream))
    between_orders = []
    for row in shown:
        display = Print(*row.asks[0], row.bids[1][1] - row.asks[1][1])
        asked = next((asked for at, was, asked in moments if row.at - 4 <= at < row.at + 1 and was == display), None)
        assert asked is not None, row
        if display.price not in asked:
            between_orders.append(display)
    assert between_orders == [Print(1788_04, 1_000, 0)]


def _auctions(stream: Iterable[Message]) -> Iterator[tuple[float, Print | None, set[int]]]:
    """The auction after each message of an auction's time, and the prices that orders stood at."""
    book = Book()
    for message in stream:
        book.apply(message)
        if OPENING <= message.at < PAUSE or CLOSING <= message.at < CLOSE:
            asked = {price for side in (BUY, SELL) for price, _ in book.orders[side].values()}
            yield message.at, book.clear(), asked


def _five(levels: Iterable[Level]) -> list[Level]:
    """The first five prices of orders in their priority."""
    total: dict[int, int] = {}
    for price, volume in levels:
        total[price] = total.get(price, 0) + volume
    return list(total.items())[:5]
