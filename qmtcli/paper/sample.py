"""The generated market: two dozen instruments of every kind around believable prices, not one real print.

Everything is a pure function of (code, day, time of day) over an integer hash, so any process, Python version
and machine shows the same tick, and nothing is stored. Every date is a trading day. Prices move between
anchors one minute apart, so ticks, minute bars and day bars are three views of the same numbers.

600000.SH keeps within 9.02–9.08, so that in the continuous phases it can always be bought at 9.09 and sold
at 9.00, with more than 20,000 shares on display.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate, pairwise
from operator import add, mul, sub
from typing import Any, NamedTuple

from qmtcli.model import Instrument
from qmtcli.paper.clock import DAY_MS
from qmtcli.paper.tape import Bar, Level, Tick, approach
from qmtcli.rules.boards import instrument
from qmtcli.rules.corporate import Action


class _Row(NamedTuple):
    """One line of the market's table."""

    instrument: Instrument
    #: smallest price step, milli
    tick: int
    #: price the days return to, milli
    base: int
    #: the farthest a price gets from ``base``, milli
    swing: int
    #: how far a price strays within the day (standard deviation at noon), milli
    stir: int
    #: lots traded on a middling day; 0: suspended
    lots: int
    #: shares in a lot
    lot: int = 100
    #: price steps between two levels; 0: an index, which has no levels
    gap: int = 1
    #: what one share counts for in the amount, milli; 0: its price (repo: 100 CNY whatever the rate)
    worth: int = 0
    #: at limit-up all through the even days, and back at ``base`` on the odd ones
    locks: bool = False


def _of(code: str, name: str, listed: str, **more: Any) -> Instrument:
    return instrument(code, name, listed=date.fromisoformat(listed), **more)


# fmt: off
_TABLE = (
    # instrument, tick, base, swing, stir, lots a day, lot
    _Row(_of("600000.SH", "浦发银行", "1999-11-10"), 10, 9_050, 30, 25, 900_000),
    _Row(_of("600519.SH", "贵州茅台", "2001-08-27"), 10, 1_480_000, 90_000, 8_000, 30_000, gap=18),
    _Row(_of("601118.SH", "海南橡胶", "2011-01-07"), 10, 5_200, 0, 0, 0),
    _Row(_of("688981.SH", "中芯国际", "2020-07-16"), 10, 95_000, 7_000, 700, 300_000, gap=2),
    _Row(_of("000001.SZ", "平安银行", "1991-04-03"), 10, 11_400, 800, 80, 800_000),
    _Row(_of("000333.SZ", "美的集团", "2013-09-18"), 10, 75_000, 5_000, 500, 250_000),
    _Row(_of("002124.SZ", "ST天邦", "2007-04-03", st=True), 10, 2_900, 110, 20, 200_000),
    _Row(_of("002195.SZ", "岩山科技", "2007-12-13"), 10, 10_000, 1_000, 60, 600_000, locks=True),
    _Row(_of("300750.SZ", "宁德时代", "2018-06-11"), 10, 262_000, 18_000, 2_000, 200_000, gap=3),
    _Row(_of("920185.BJ", "贝特瑞", "2020-07-27"), 10, 24_000, 1_800, 200, 30_000),
    _Row(_of("510300.SH", "沪深300ETF", "2012-05-28"), 1, 4_100, 250, 18, 8_000_000),
    _Row(_of("159915.SZ", "创业板ETF", "2011-12-09", band=Decimal("0.20")), 1, 2_300, 170, 15, 9_000_000),
    _Row(_of("511880.SH", "银华日利", "2013-04-18", t0=True), 1, 100_400, 60, 4, 1_200_000),
    _Row(_of("518880.SH", "黄金ETF", "2013-07-29", t0=True), 1, 7_600, 400, 25, 3_000_000),
    _Row(_of("513100.SH", "纳指ETF", "2013-05-15", t0=True), 1, 1_700, 110, 8, 4_000_000),
    _Row(_of("501050.SH", "50AHLOF", "2016-11-08"), 1, 1_350, 80, 7, 60_000),
    _Row(_of("508000.SH", "张江REIT", "2021-06-21"), 1, 2_650, 120, 10, 40_000),
    _Row(_of("113052.SH", "兴业转债", "2022-01-14"), 1, 121_000, 6_000, 500, 120_000, 10, gap=9),
    _Row(_of("123153.SZ", "英力转债", "2022-08-23"), 1, 128_000, 9_000, 900, 200_000, 10, gap=11),
    _Row(_of("019547.SH", "16国债19", "2016-08-19"), 1, 117_000, 900, 60, 9_000, 10, gap=10),
    _Row(_of("204001.SH", "GC001", "2006-05-08"), 5, 1_600, 300, 60, 90_000_000, 10, worth=100_000),
    _Row(_of("131810.SZ", "R-001", "2006-05-08"), 5, 1_550, 300, 60, 12_000_000, 10, worth=100_000),
    _Row(_of("000001.SH", "上证指数", "1991-07-15"), 10, 3_900_000, 200_000, 16_000, 500_000_000,
         gap=0, worth=12_000),
    _Row(_of("000300.SH", "沪深300", "2005-04-08"), 10, 4_600_000, 250_000, 21_000, 200_000_000,
         gap=0, worth=19_000),
    _Row(_of("399001.SZ", "深证成指", "1994-07-20"), 10, 13_000_000, 800_000, 70_000, 600_000_000,
         gap=0, worth=14_000),
)
# fmt: on

_ROWS = {row.instrument.code: row for row in _TABLE}

# Times of day in ms. Snapshots come every three seconds.
_STEP = 3_000
_SLOT = 30_000  # a level keeps its size so long
_CALL = 33_300_000  # 09:15
_OPEN = 33_900_000  # 09:25
_MORNING = 34_200_000  # 09:30
_NOON = 41_400_000  # 11:30
_AFTERNOON = 46_800_000  # 13:00
_LAST_CALL = 53_820_000  # 14:57
_CLOSE = 54_000_000  # 15:00

#: an ask where there is none
_ANY_PRICE = 1 << 62

#: minutes of the two continuous phases
_MINUTES = 237
#: how much of the day's volume falls on each minute: more at either end
_PROFILE: tuple[int, ...] = tuple(100 + (minute - 118) ** 2 // 90 for minute in range(_MINUTES))
#: hexadecimal digit → its value
_DIGIT = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
#: step of the path (0–15) → what it adds to the minute's volume: the farther, the more
_EFFORT = bytes.maketrans(bytes(range(16)), bytes(4 + abs(2 * step - 15) // 2 for step in range(16)))
#: standard deviation, at its middle, of a bridge over `_MINUTES` steps of -7.5 … 7.5
_BRIDGE = 35
#: fixed-point unit of the path, in price steps
_UNIT = 1 << 10

_MASK = (1 << 64) - 1


def _hash(number: int) -> int:
    """64 well-mixed bits of an integer (the finalizer of splitmix64)."""
    bits = (number + 0x9E3779B97F4A7C15) & _MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
    return bits ^ (bits >> 31)


@lru_cache(maxsize=64)
def _seed(code: str) -> int:
    return _hash(int.from_bytes(code.encode(), "big"))


#: (days between two random values, per cent of the swing): the path of the closes is the sum of such noises
_OCTAVES = ((64, 60), (12, 30), (1, 10))


@lru_cache(maxsize=256)
def _close(code: str, day: int) -> int:
    """Close of an ordinal day, in price steps."""
    row = _ROWS[code]
    base, swing = row.base // row.tick, row.swing // row.tick
    if row.locks:
        return base if day % 2 else base + swing
    seed = _seed(code)
    noise = 0
    for period, weight in _OCTAVES:
        point, into = divmod(day, period)
        here = _hash(seed ^ (point * 128 + period)) % 65_537 - 32_768
        if into:
            there = _hash(seed ^ ((point + 1) * 128 + period)) % 65_537 - 32_768
            here += (there - here) * into // period
        noise += weight * here
    return base + swing * noise // (100 * 32_768)


class _Day(NamedTuple):
    """One day of one instrument: everything its ticks are read from. Prices in price steps."""

    seed: int
    preclose: int
    close: int
    #: price at each of the 238 minute marks from 09:30 to 14:57
    path: list[int]
    #: sum of the prices at a minute's two ends
    doubles: list[int]
    #: shares traded by each minute mark, the opening auction first
    shares: list[int]
    #: shares traded in each minute
    volumes: list[int]
    #: shares traded in the closing auction
    last_shares: int
    #: size of a level in shares, by four random bits
    sizes: list[int]
    #: locked at limit-up: no asks
    locked: bool


@lru_cache(maxsize=64)
def _day(code: str, day: int) -> _Day:
    """The model of one day; the cache only spares the arithmetic."""
    row = _ROWS[code]
    preclose, close = _close(code, day - 1), _close(code, day)
    seed = _hash(_seed(code) ^ day)
    locked = row.locks and not day % 2
    digits = "".join([f"{_hash(seed + block):016x}" for block in range(15)])
    steps = digits[:_MINUTES].encode().translate(_DIGIT)
    path = _path(row, steps, preclose, close, locked)
    lots = row.lots * (75 + (seed >> 8) % 64) // 100
    called = lots // 50
    traded = lots - 2 * called
    weights = list(accumulate(map(mul, _PROFILE, steps.translate(_EFFORT)), initial=0))
    lot, all_ = row.lot, weights[-1]
    shares = [(called + traded * weight // all_) * lot for weight in weights]
    depth = max(8, row.lots // 2_000)
    return _Day(
        seed, preclose, close,
        path, list(map(add, path, path[1:])),
        shares, list(map(sub, shares[1:], shares)), called * lot,
        [depth * (4 + size) // 8 * lot for size in range(16)],
        locked,
    )  # fmt: skip


def _path(row: _Row, steps: bytes, preclose: int, close: int, locked: bool) -> list[int]:
    """A bridge from the opening price to near the close, within ``swing`` of base and 4 % of preclose."""
    base, swing = row.base // row.tick, row.swing // row.tick
    first = close if locked else preclose + (close - preclose) * steps[0] // 16
    stir = 0 if locked else row.stir * _UNIT // row.tick // _BRIDGE
    drift = ((close - first) * _UNIT - stir * sum(steps)) // _MINUTES
    walk = accumulate([stir * step + drift for step in steps], initial=first * _UNIT + _UNIT // 2)
    path = [at >> 10 for at in walk]
    reach = preclose // (10 if row.locks else 25)
    low, high = max(base - swing, preclose - reach), min(base + swing, preclose + reach)
    if min(path) < low or max(path) > high:
        path = [min(max(at, low), high) for at in path]
    return path


def _levels(row: _Row, day: _Day, bid: int, bits: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    """Five levels on either side, (asks, bids), from the best bid on, out of 64 random bits."""
    gap, unit, sizes = row.gap, row.tick, day.sizes
    if not gap:
        return (), ()
    bids = tuple([(at * unit, sizes[bits >> at % 53 & 15]) for at in range(bid, bid - 5 * gap, -gap)])
    if day.locked:
        return (), bids
    ask = bid + gap
    return tuple([(at * unit, sizes[bits >> at % 53 & 15]) for at in range(ask, ask + 5 * gap, gap)]), bids


def _one_level(row: _Row, price: int, volume: int) -> tuple[Level, ...]:
    """What either side shows in a call auction: the price and volume that would match."""
    return ((price * row.tick, volume // row.lot * row.lot),) if volume >= row.lot and row.gap else ()


def _fen(row: _Row, shares: int, double: int) -> int:
    """Amount of so many shares; ``double`` is the sum of twice the price of each, in price steps."""
    return shares * row.worth // 10 if row.worth else double * row.tick // 20


def _traded(day: _Day, minute: int) -> int:
    """Twice the price of each share traded by a minute mark, summed, in price steps."""
    total: int = sum(map(mul, day.volumes[:minute], day.doubles), 2 * day.path[0] * day.shares[0])
    return total


def _part(start: int, rise: int, whole: int, lot: int, into: int) -> tuple[int, int, int]:
    """Price, shares traded and twice their prices summed, so many seconds into a minute of ``whole`` shares."""
    part = whole // lot * into // 60 * lot
    return start + rise * into // 60, part, part * (2 * start * whole + rise * part) // whole if part else 0


# Each of these makes the snapshots of some moments of one stretch of the day.


def _opening_call(row: _Row, day: _Day, moments: range) -> list[Tick]:
    ticks = []
    for ms in moments:
        price = day.path[0] + (0 if day.locked else (_hash(day.seed ^ ms) % 5 - 2) * row.gap)
        level = _one_level(row, price, day.shares[0] * (ms - _CALL) // (_OPEN - _CALL))
        ticks.append(Tick(ms, 0, 0, 0, 0, day.preclose * row.tick, 0, 0, 0, 12, level, level))
    return ticks


def _trading(row: _Row, day: _Day, moments: range) -> list[Tick]:
    path, unit, lot, gap = day.path, row.tick, row.lot, row.gap or 1
    opening, preclose = path[0] * unit, day.preclose * unit
    rest = 13 if row.instrument.exchange == "SH" else 14
    morning, afternoon = _MORNING // 1000, _AFTERNOON // 1000 - 7_200
    ticks = []
    slot = here = -1
    bits = rise = whole = 0
    seen: dict[int, tuple[tuple[Level, ...], tuple[Level, ...]]] = {}
    for ms in moments:
        second = ms // 1000 - (afternoon if ms >= _AFTERNOON else morning)
        minute, into = divmod(max(second, 0), 60)
        if minute != here:
            here = minute
            start, volume, double = path[minute], day.shares[minute], _traded(day, minute)
            top, bottom = max(path[: minute + 1]), min(path[: minute + 1])
            if minute < _MINUTES:
                rise, whole = path[minute + 1] - start, day.volumes[minute]
        if ms // _SLOT != slot:
            slot = ms // _SLOT
            bits = _hash(day.seed ^ slot)
            seen = {}
        price, part, within = _part(start, rise, whole, lot, into)
        bid = price if day.locked else (price - (bits & 1)) // gap * gap
        levels = seen.get(bid)
        if levels is None:
            levels = seen[bid] = _levels(row, day, bid, bits)
        top, bottom, traded = max(top, price), min(bottom, price), volume + part
        amount, phase = _fen(row, traded, double + within), rest if ms in (_OPEN, _NOON) else 13
        tick = Tick(
            ms, price * unit, opening, top * unit, bottom * unit, preclose,
            traded, amount, traded // (8 * lot), phase, *levels,
        )  # fmt: skip
        ticks.append(tick)
    return ticks


def _closing_call(row: _Row, day: _Day, moments: range) -> list[Tick]:
    last = _trading(row, day, range(_LAST_CALL, _LAST_CALL + 1))[0]
    ticks = []
    for ms in moments:
        level = _one_level(row, day.close, day.last_shares * (ms - _LAST_CALL) // (_CLOSE - _LAST_CALL))
        ticks.append(last._replace(ms=ms, phase=18, asks=level, bids=level))
    return ticks


def _closed(row: _Row, day: _Day, moments: range) -> list[Tick]:
    last = _trading(row, day, range(_LAST_CALL, _LAST_CALL + 1))[0]
    close, volume = day.close * row.tick, last.volume + day.last_shares
    amount = _fen(row, volume, _traded(day, _MINUTES) + 2 * day.close * day.last_shares)
    asks, bids = _levels(row, day, day.close, day.seed)
    high, low = max(last.high, close), min(last.low, close)
    final = Tick(
        _CLOSE,
        close,
        last.open,
        high,
        low,
        last.preclose,
        volume,
        amount,
        volume // (8 * row.lot),
        15,
        asks,
        bids,
    )
    return [final for _ in moments]


def _suspended(row: _Row, day: _Day, moments: range) -> list[Tick]:
    return [Tick(ms, 0, 0, 0, 0, day.preclose * row.tick, 0, 0, 0, 17, (), ()) for ms in moments]


#: the grid of snapshots, stretch by stretch, and what makes them
_STRETCHES: tuple[tuple[range, Callable[[_Row, _Day, range], list[Tick]]], ...] = (
    (range(_CALL, _OPEN, _STEP), _opening_call),
    (range(_OPEN, _OPEN + 1, _STEP), _trading),
    (range(_MORNING, _NOON + 1, _STEP), _trading),
    (range(_AFTERNOON, _LAST_CALL, _STEP), _trading),
    (range(_LAST_CALL, _CLOSE, _STEP), _closing_call),
    (range(_CLOSE, _CLOSE + 1, _STEP), _closed),
)


class SampleTape:
    """The generated market as a `qmtcli.paper.tape.Tape`."""

    name = "sample"
    synthetic = True

    def codes(self) -> Sequence[str]:
        """Codes in the order of the table."""
        return list(_ROWS)

    def instrument(self, code: str) -> Instrument | None:
        """The instrument; None for a code it does not hold."""
        row = _ROWS.get(code)
        return row.instrument if row else None

    def days(self) -> None:
        """None: every date is a trading day."""
        return

    def preclose(self, code: str, day: date) -> int:
        """Close of the date before, milli. Raises KeyError for a code it does not hold."""
        row = _ROWS[code]
        return _close(code, day.toordinal() - 1) * row.tick

    def tick(self, code: str, day: date, ms: int) -> Tick | None:
        """The last snapshot at or before ``ms``; None before 09:15 or for a code it does not hold."""
        row = _ROWS.get(code)
        if row is None or ms < _CALL:
            return None
        stretch, make = next(pair for pair in reversed(_STRETCHES) if ms >= pair[0].start)
        at = stretch[min((ms - stretch.start) // _STEP, len(stretch) - 1)]
        return (make if row.lots else _suspended)(row, _day(code, day.toordinal()), range(at, at + 1))[0]

    def ticks(self, code: str, day: date, after: int, until: int) -> Sequence[Tick]:
        """Snapshots with ``after < ms <= until``, in order; none for a code it does not hold."""
        row = _ROWS.get(code)
        ticks: list[Tick] = []
        if row is None:
            return ticks
        model = _day(code, day.toordinal())
        for stretch, make in _STRETCHES:
            first, beyond = ((ms - stretch.start) // _STEP + 1 for ms in (after, until))
            if moments := stretch[max(0, first) : max(0, beyond)]:
                ticks += (make if row.lots else _suspended)(row, model, moments)
        return ticks

    def approach(self, code: str, day: date, after: int, until: int, buy: int, sell: int) -> tuple[Tick, int] | None:
        """See `qmtcli.paper.tape.Tape.approach`; only minutes that may be near are generated."""
        if code not in _ROWS:
            return None
        for begin, end, lowest, highest in _reaches(code, day.toordinal()):
            if after < end and begin <= until and ((buy and lowest <= buy) or (sell and highest >= sell)):
                first, last = max(after, begin - 1), min(until, end - 1)
                shown = self.tick(code, day, first)
                found = approach(self.ticks(code, day, first, last), shown.volume if shown else 0, buy, sell)
                if found:
                    return found
        return None

    def actions(self, code: str, first: date, last: date) -> Sequence[tuple[date, Action]]:
        """None: no instrument of the sample has an ex-day."""
        return []

    def bars(self, code: str, period: str, first: date, last: date) -> Sequence[Bar]:
        """Bars of ``1m`` (the opening auction is the bar of 09:30, as in a terminal) or ``1d``."""
        row = _ROWS.get(code)
        if row is None:
            return []
        make = _minute_bars if period == "1m" else _day_bars
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [bar for day in days for bar in make(row, day)]


#: the minutes in which there are snapshots; the noon is one, and so is what comes after 15:00
_MINUTE_BEGINS = (*range(_CALL, _NOON + 1, 60_000), *range(_AFTERNOON, _CLOSE + 1, 60_000), DAY_MS)


@lru_cache(maxsize=64)
def _reaches(code: str, day: int) -> list[tuple[int, int, int, int]]:
    """Each minute, [begin, end): what bids and last do not fall below in it, and what asks and last do not exceed."""
    row, model = _ROWS[code], _day(code, day)
    reaches = []
    for begin, end in pairwise(_MINUTE_BEGINS):
        trading = _MORNING <= begin <= _NOON or _AFTERNOON <= begin < _LAST_CALL
        if not (trading and row.lots and row.gap):
            reaches.append((begin, end, 0, _ANY_PRICE))
            continue
        minute = (begin - (_MORNING if begin <= _NOON else _AFTERNOON - 7_200_000)) // 60_000
        low, high = sorted(model.path[minute : minute + 2])
        bid = low if model.locked else (low - 1) // row.gap * row.gap
        ask = _ANY_PRICE if model.locked else (high // row.gap + 1) * row.gap * row.tick
        reaches.append((begin, end, bid * row.tick, ask))
    return reaches


def _day_bars(row: _Row, on: date) -> list[Bar]:
    """One bar; of a suspended instrument flat at its preclose, without volume."""
    day = _day(row.instrument.code, on.toordinal())
    if not row.lots:
        flat = day.preclose * row.tick
        return [Bar(on, 0, flat, flat, flat, flat, 0, 0, flat)]
    (end,) = _closed(row, day, range(_CLOSE, _CLOSE + 1))
    return [Bar(on, 0, end.open, end.high, end.low, end.last, end.volume, end.amount, end.preclose)]


def _minute_bars(row: _Row, on: date) -> list[Bar]:
    """What `qmtcli.paper.bars.minutes_of` makes of the day's ticks, without making them; none if suspended.

    A minute's snapshots end three seconds before it does, but for the last of the morning.
    """
    if not row.lots:
        return []
    day = _day(row.instrument.code, on.toordinal())
    path = day.path
    opening, total = path[0], _traded(day, 0)
    volume, amount = day.shares[0], _fen(row, day.shares[0], total)
    bars = [_bar(row, day, on, _MORNING, opening, opening, volume, amount)]
    for minute, whole in enumerate(day.volumes):
        start, rise = path[minute], path[minute + 1] - path[minute]
        price, part, within = _part(start, rise, whole, row.lot, 60 if minute == 119 else 57)
        shares = day.shares[minute] + part
        paid = _fen(row, shares, total + within)
        ms = minute * 60_000 + (_MORNING if minute < 120 else _AFTERNOON - 7_200_000) + 60_000
        bars.append(_bar(row, day, on, ms, start, price, shares - volume, paid - amount))
        volume, amount = shares, paid
        total += whole * day.doubles[minute]
    end = _closed(row, day, range(_CLOSE, _CLOSE + 1))[0]
    called, paid = day.shares[-1], _fen(row, day.shares[-1], total)
    bars.append(_bar(row, day, on, _LAST_CALL + 60_000, path[-1], path[-1], called - volume, paid - amount))
    bars.append(_bar(row, day, on, _LAST_CALL + 120_000, path[-1], path[-1], 0, 0))
    bars.append(_bar(row, day, on, _CLOSE, path[-1], day.close, day.last_shares, end.amount - paid))
    return bars


def _bar(row: _Row, day: _Day, on: date, ms: int, start: int, end: int, volume: int, amount: int) -> Bar:
    """A bar within which the price moved one way."""
    unit = row.tick
    high, low = max(start, end) * unit, min(start, end) * unit
    return Bar(on, ms, start * unit, high, low, end * unit, volume, amount, day.preclose * unit)
