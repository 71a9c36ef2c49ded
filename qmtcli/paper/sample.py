"""The generated market: two dozen instruments of every kind around believable prices, not one real print.

Everything is a pure function of (code, day, time of day) over an integer hash, so any process, Python version
and machine shows the same tick, and nothing is stored. Prices move between anchors one minute apart, so ticks,
minute bars and day bars are three views of the same numbers. The phases of a day, and with them its auctions
and its after-hours trading, are those of `qmtcli.rules.phases` for the instrument and the date.

Under ``hours: always`` every date is a day of the market; under ``hours: exchange`` the exchanges' trading days
are. Some instruments pay dividends or give shares, on the same days of every year: from one ex-day to the next
their prices grow by what the next one takes.

600000.SH keeps within 9.02–9.08, so that in the continuous phases it can always be bought at 9.09 and sold
at 9.00, with more than 20,000 shares on display. It has no ex-days.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate
from operator import add, mul, sub
from typing import Any, NamedTuple

from qmtcli.model import Instrument
from qmtcli.paper.reaches import NEVER, Reaches
from qmtcli.paper.tape import Bar, Level, Tick, approaches
from qmtcli.rules import calendar, phases
from qmtcli.rules.boards import instrument
from qmtcli.rules.corporate import Action, ex_reference
from qmtcli.rules.phases import Phase, schedule
from qmtcli.rules.settings import DEFAULT, Settings


class _Payment(NamedTuple):
    """What an instrument gives every year, on the second Thursday of a month that has no holiday about then."""

    month: int
    #: milli a share
    cash: int
    #: thousandths of a share a share
    bonus: int = 0

    @property
    def action(self) -> Action:
        return Action(Decimal(self.cash) / 1000, Decimal(self.bonus) / 1000)


class _Row(NamedTuple):
    """One line of the market's table."""

    instrument: Instrument
    #: smallest price step, milli
    tick: int
    #: price the days return to, milli; of one that pays: just after an ex-day
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
    pays: tuple[_Payment, ...] = ()


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
    _Row(_of("000333.SZ", "美的集团", "2013-09-18"), 10, 75_000, 5_000, 500, 250_000, pays=(_Payment(7, 3_500),)),
    _Row(_of("002124.SZ", "ST天邦", "2007-04-03", st=True), 10, 2_900, 110, 20, 200_000),
    _Row(_of("002195.SZ", "岩山科技", "2007-12-13"), 10, 10_000, 1_000, 60, 600_000, locks=True),
    _Row(_of("300750.SZ", "宁德时代", "2018-06-11"), 10, 262_000, 18_000, 2_000, 200_000, gap=3),
    _Row(_of("920185.BJ", "贝特瑞", "2020-07-27"), 10, 24_000, 1_800, 200, 30_000, pays=(_Payment(5, 200, 100),)),
    _Row(_of("510300.SH", "沪深300ETF", "2012-05-28"), 1, 4_100, 250, 18, 8_000_000),
    _Row(_of("159915.SZ", "创业板ETF", "2011-12-09", band=Decimal("0.20")), 1, 2_300, 170, 15, 9_000_000),
    _Row(_of("511880.SH", "银华日利", "2013-04-18", t0=True), 1, 100_400, 60, 4, 1_200_000),
    _Row(_of("518880.SH", "黄金ETF", "2013-07-29", t0=True), 1, 7_600, 400, 25, 3_000_000),
    _Row(_of("513100.SH", "纳指ETF", "2013-05-15", t0=True), 1, 1_700, 110, 8, 4_000_000),
    _Row(_of("501050.SH", "50AHLOF", "2016-11-08"), 1, 1_350, 80, 7, 60_000),
    _Row(_of("508000.SH", "张江REIT", "2021-06-21"), 1, 2_650, 120, 10, 40_000,
         pays=tuple([_Payment(month, 20) for month in (3, 5, 8, 11)])),
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


def _ms(at: time) -> int:
    """Milliseconds since midnight."""
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1000


# Times of day in ms. Snapshots come every three seconds.
_STEP = 3_000
_MINUTE = 60_000
_SLOT = 30_000  # a level keeps its size so long
_CALL, _OPEN = _ms(phases.OPEN_AUCTION_BEGINS), _ms(phases.OPEN_AUCTION_MATCHES)
_MORNING, _NOON = _ms(phases.MORNING_BEGINS), _ms(phases.MORNING_ENDS)
_AFTERNOON = _ms(phases.AFTERNOON_BEGINS)
_LAST_CALL, _CLOSE = _ms(phases.CLOSE_AUCTION_BEGINS), _ms(phases.CLOSE)
_LATE, _LATE_ENDS = _ms(phases.AFTER_HOURS_MATCHES), _ms(phases.AFTER_HOURS_ENDS)
_DAY_ENDS = 86_400_000

_NOON_MINUTE = (_NOON - _MORNING) // _MINUTE
#: the most minutes of continuous trading that a day has: those of repo
_MINUTES = _NOON_MINUTE + (_LATE_ENDS - _AFTERNOON) // _MINUTE
#: how much of the day's volume falls on each minute: more at either end
_PROFILE: tuple[int, ...] = tuple(100 + (minute - 118) ** 2 // 90 for minute in range(_MINUTES))
#: hexadecimal digit → its value
_DIGIT = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
#: step of the path (0–15) → what it adds to the minute's volume: the farther, the more
_EFFORT = bytes.maketrans(bytes(range(16)), bytes(4 + abs(2 * step - 15) // 2 for step in range(16)))
#: standard deviation, at its middle, of a bridge over some 240 steps of -7.5 … 7.5
_BRIDGE = 35
#: fixed-point unit of the path, in price steps
_UNIT = 1 << 10

_MASK = (1 << 64) - 1

#: a Monday: on it and the day after, both calendars of the market count the days alike
_LEVEL = date(2026, 11, 23)


def _hash(number: int) -> int:
    """64 well-mixed bits of an integer (the finalizer of splitmix64)."""
    bits = (number + 0x9E3779B97F4A7C15) & _MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
    return bits ^ (bits >> 31)


@lru_cache(maxsize=64)
def _seed(code: str) -> int:
    return _hash(int.from_bytes(code.encode(), "big"))


# -- from day to day ---------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _ex_days(pays: tuple[_Payment, ...], year: int) -> tuple[list[int], list[_Payment]]:
    """Ordinals of the ex-days of a year and of its neighbours, in order, and what each gives."""
    found = []
    for payment in pays:
        for of in (year - 1, year, year + 1):
            first = date(of, payment.month, 1)
            found.append((first.toordinal() + (3 - first.weekday()) % 7 + 7, payment))
    found.sort()
    return [day for day, _ in found], [payment for _, payment in found]


def _grown(row: _Row, day: int, price: int) -> int:
    """A price (steps) on an ordinal day: with what it has grown by since the ex-day before."""
    if not row.pays:
        return price
    days, payments = _ex_days(row.pays, date.fromordinal(day).year)
    after = bisect_right(days, day)
    given = price * payments[after].bonus // 1000 + payments[after].cash // row.tick
    return price + given * (day - days[after - 1]) // (days[after] - days[after - 1])


#: (days between two random values, per cent of the swing): the path of the closes is the sum of such noises
_OCTAVES = ((64, 60), (12, 30), (1, 10))


@lru_cache(maxsize=256)
def _close(code: str, number: int, day: int) -> int:
    """Close of an ordinal day, the market's day of that number, in price steps."""
    row = _ROWS[code]
    base, swing = row.base // row.tick, row.swing // row.tick
    if row.locks:
        return base if number % 2 else base + swing
    seed = _seed(code)
    noise = 0
    for period, weight in _OCTAVES:
        point, into = divmod(number, period)
        here = _hash(seed ^ (point * 128 + period)) % 65_537 - 32_768
        if into:
            there = _hash(seed ^ ((point + 1) * 128 + period)) % 65_537 - 32_768
            here += (there - here) * into // period
        noise += weight * here
    return _grown(row, day, base + swing * noise // (100 * 32_768))


def _reference(row: _Row, number: int, before: int, day: int) -> int:
    """Reference price of the day of a number, in price steps; ``before`` is the ordinal of the day before it."""
    close = _close(row.instrument.code, number - 1, before)
    if row.pays:
        for ex, payment in zip(*_ex_days(row.pays, date.fromordinal(day).year), strict=True):
            if before < ex <= day:
                step = Decimal(row.tick) / 1000
                close = int(ex_reference(close * step, payment.action, step) / step)
    return close


# -- a day -------------------------------------------------------------------------------------------------

#: what makes the snapshots of some moments of a phase, given xtquant's ``openInt`` of it
_Maker = Callable[["_Row", "_Day", range, int], list[Tick]]


class _Stretch(NamedTuple):
    """The snapshots of one phase of a day."""

    moments: range
    make: _Maker
    open_int: int

    def ticks(self, row: _Row, day: _Day, moments: range) -> list[Tick]:
        return self.make(row, day, moments, self.open_int)


class _Day(NamedTuple):
    """One day of one instrument: everything its ticks are read from. Prices in price steps."""

    seed: int
    preclose: int
    close: int
    #: price at each minute mark of continuous trading
    path: list[int]
    #: sum of the prices at a minute's two ends
    doubles: list[int]
    #: shares traded by each minute mark, the opening auction first
    shares: list[int]
    #: shares traded in each minute
    volumes: list[int]
    #: shares traded in the closing auction; 0 when there is none
    last_shares: int
    #: shares traded after hours, where there is such trading
    late_shares: int
    #: size of a level in shares, by four random bits
    sizes: list[int]
    #: locked at limit-up: no asks
    locked: bool
    stretches: tuple[_Stretch, ...]

    @property
    def end(self) -> int:
        """When continuous trading ends."""
        return _AFTERNOON + (len(self.volumes) - _NOON_MINUTE) * _MINUTE


def _model(row: _Row, number: int, before: int, on: date, rules: Settings) -> _Day:
    """The day of a number; ``before`` is the ordinal of the day before it."""
    code, day = row.instrument.code, on.toordinal()
    preclose, close = _reference(row, number, before, day), _close(code, number, day)
    stretches, minutes, called_last = _plan(row, on, rules)
    seed = _hash(_seed(code) ^ number)
    locked = row.locks and not number % 2
    digits = "".join([f"{_hash(seed + block):016x}" for block in range(-(-minutes // 16))])
    steps = digits[:minutes].encode().translate(_DIGIT)
    path = _path(row, steps, preclose, close, _grown(row, day, row.base // row.tick), locked)
    lots = row.lots * (75 + (seed >> 8) % 64) // 100
    called = lots // 50
    last = called if called_last else 0
    weights = list(accumulate(map(mul, _PROFILE, steps.translate(_EFFORT)), initial=0))
    lot, all_ = row.lot, weights[-1]
    shares = [(called + (lots - called - last) * weight // all_) * lot for weight in weights]
    depth = max(8, row.lots // 2_000)
    return _Day(
        seed, preclose, close,
        path, list(map(add, path, path[1:])),
        shares, list(map(sub, shares[1:], shares)), last * lot, lots // 400 * lot,
        [depth * (4 + size) // 8 * lot for size in range(16)],
        locked, stretches,
    )  # fmt: skip


def _path(row: _Row, steps: bytes, preclose: int, close: int, base: int, locked: bool) -> list[int]:
    """A bridge from the opening price to the close, within ``swing`` of base and 4 % of preclose."""
    minutes, swing = len(steps), row.swing // row.tick
    first = close if locked else preclose + (close - preclose) * steps[0] // 16
    stir = 0 if locked else row.stir * _UNIT // row.tick // _BRIDGE
    drift = ((close - first) * _UNIT - stir * sum(steps)) // minutes
    walk = accumulate([stir * step + drift for step in steps], initial=first * _UNIT + _UNIT // 2)
    path = [at >> 10 for at in walk]
    reach = preclose // (10 if row.locks else 25)
    low, high = max(base - swing, preclose - reach), min(base + swing, preclose + reach)
    if min(path) < low or max(path) > high:
        low, high = min(low, close), max(high, close)
        path = [min(max(at, low), high) for at in path]
    return path


def _plan(row: _Row, on: date, rules: Settings) -> tuple[tuple[_Stretch, ...], int, bool]:
    """The snapshots of a day, how many minutes it trades continuously, and whether an auction ends it.

    A phase in which something moves is shown every three seconds, another once, as it begins.
    """
    plan = [(_ms(begin), phase) for begin, phase in schedule(row.instrument, on, rules)]
    ends = [begin for begin, _ in plan[1:]] + [_DAY_ENDS]
    stretches, minutes = [], 0
    for (begin, phase), end in zip(plan, ends, strict=True):
        make = _MAKERS.get(phase)
        if make is not None:
            moving = phase.is_auction or phase.matches
            moments = range(begin, end, _STEP) if moving else range(begin, begin + 1)
            stretches.append(_Stretch(moments, make, phase.open_int) if row.lots else _Stretch(moments, _suspended, 17))
        if phase is Phase.CONTINUOUS:
            minutes += (end - begin) // _MINUTE
    return tuple(stretches), minutes, any(phase is Phase.CLOSING for _, phase in plan)


# -- moments -----------------------------------------------------------------------------------------------


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
    """A price and so many shares, in whole lots; nothing for less than one."""
    return ((price * row.tick, volume // row.lot * row.lot),) if volume >= row.lot and row.gap else ()


def _called(row: _Row, day: _Day, ms: int, price: int, volume: int) -> tuple[tuple[Level, ...], int]:
    """What a call auction that nears a price shows: what would match, and the surplus (see `Tick`)."""
    bits = _hash(day.seed ^ ms)
    level = _one_level(row, price + (0 if day.locked else (bits % 5 - 2) * row.gap), volume)
    surplus = day.sizes[bits >> 8 & 15] if level else 0
    return level, surplus if day.locked or bits >> 12 & 1 else -surplus


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


# Each of these makes the snapshots of some moments of one phase.


def _opening_call(row: _Row, day: _Day, moments: range, open_int: int) -> list[Tick]:
    ticks = []
    for ms in moments:
        volume = day.shares[0] * (ms - _CALL) // (_OPEN - _CALL)
        level, surplus = _called(row, day, ms, day.path[0], volume)
        ticks.append(Tick(ms, 0, 0, 0, 0, day.preclose * row.tick, 0, 0, 0, open_int, level, level, surplus))
    return ticks


def _trading(row: _Row, day: _Day, moments: range, open_int: int) -> list[Tick]:
    path, unit, lot, gap = day.path, row.tick, row.lot, row.gap or 1
    opening, preclose = path[0] * unit, day.preclose * unit
    minutes = len(day.volumes)
    morning, afternoon = _MORNING // 1000, _AFTERNOON // 1000 - 60 * _NOON_MINUTE
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
            if minute < minutes:
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
        tick = Tick(
            ms, price * unit, opening, top * unit, bottom * unit, preclose,
            traded, _fen(row, traded, double + within), traded // (8 * lot), open_int, *levels,
        )  # fmt: skip
        ticks.append(tick)
    return ticks


def _closing_call(row: _Row, day: _Day, moments: range, open_int: int) -> list[Tick]:
    (last,) = _trading(row, day, range(day.end, day.end + 1), open_int)
    ticks = []
    for ms in moments:
        volume = day.last_shares * (ms - _LAST_CALL) // (_CLOSE - _LAST_CALL)
        level, surplus = _called(row, day, ms, day.close, volume)
        ticks.append(last._replace(ms=ms, asks=level, bids=level, surplus=surplus))
    return ticks


def _closed(row: _Row, day: _Day, moments: range, open_int: int) -> list[Tick]:
    (last,) = _trading(row, day, range(day.end, day.end + 1), open_int)
    close, volume = day.close * row.tick, last.volume + day.last_shares
    amount = _fen(row, volume, _traded(day, len(day.volumes)) + 2 * day.close * day.last_shares)
    asks, bids = _levels(row, day, day.close, day.seed)
    final = last._replace(
        last=close, high=max(last.high, close), low=min(last.low, close),
        volume=volume, amount=amount, trades=volume // (8 * row.lot), asks=asks, bids=bids,
    )  # fmt: skip
    return [final._replace(ms=ms) for ms in moments]


def _after_hours(row: _Row, day: _Day, moments: range, open_int: int) -> list[Tick]:
    """At one price, so whoever waits is of one side: buyers or sellers, by the day."""
    (end,) = _closed(row, day, range(_CLOSE, _CLOSE + 1), open_int)
    ticks = []
    for ms in moments:
        part = day.late_shares * (ms - _LATE) // (_LATE_ENDS - _LATE) // row.lot * row.lot
        volume, amount = end.volume + part, end.amount + _fen(row, part, 2 * day.close * part)
        waiting = _one_level(row, day.close, day.sizes[_hash(day.seed ^ ms // _SLOT) & 15])
        asks, bids = ((), waiting) if day.locked or day.seed >> 20 & 1 else (waiting, ())
        ticks.append(
            end._replace(ms=ms, volume=volume, amount=amount, trades=volume // (8 * row.lot), asks=asks, bids=bids)
        )
    return ticks


def _suspended(row: _Row, day: _Day, moments: range, open_int: int) -> list[Tick]:
    return [Tick(ms, 0, 0, 0, 0, day.preclose * row.tick, 0, 0, 0, open_int, (), ()) for ms in moments]


#: what makes the snapshots of a phase; the market is not on display before the first of these
_MAKERS: dict[Phase, _Maker] = {
    Phase.OPENING: _opening_call,
    Phase.OPENING_LOCKED: _opening_call,
    Phase.PAUSE: _trading,
    Phase.PAUSE_SZ: _trading,
    Phase.PAUSE_HELD: _trading,
    Phase.CONTINUOUS: _trading,
    Phase.LUNCH: _trading,
    Phase.LUNCH_SZ: _trading,
    Phase.LUNCH_CANCELS: _trading,
    Phase.CLOSING: _closing_call,
    Phase.CLOSED: _closed,
    Phase.AFTER_HOURS_ORDERS: _closed,
    Phase.AFTER_HOURS_ORDERS_LOCKED: _closed,
    Phase.AFTER_HOURS: _after_hours,
    Phase.AFTER_HOURS_LOCKED: _after_hours,
    Phase.AFTER_HOURS_DONE: _after_hours,
}


def _reaches(row: _Row, day: _Day) -> tuple[list[int], Reaches]:
    """Minutes with snapshots, by when they begin, and how far each comes: its prices lie between its two ends'."""
    begins, lows, highs = array("q"), array("q"), array("q")
    for stretch in day.stretches:
        for begin in range(stretch.moments.start, stretch.moments.stop, _MINUTE):
            begins.append(begin)
            if stretch.make is not _trading or not row.gap:
                lows.append(0)
                highs.append(NEVER)
                continue
            morning = (begin - _MORNING) // _MINUTE
            minute = max(0, morning if begin < _AFTERNOON else _NOON_MINUTE + (begin - _AFTERNOON) // _MINUTE)
            ends = day.path[minute : minute + 2]
            bid = min(ends) if day.locked else (min(ends) - 1) // row.gap * row.gap
            lows.append(bid * row.tick)
            highs.append(NEVER if day.locked else (max(ends) // row.gap + 1) * row.gap * row.tick)
    return begins.tolist(), Reaches(begins, lows, highs)


class SampleTape:
    """The generated market as a `qmtcli.paper.tape.Tape`. There is nothing of an instrument before its listing."""

    name = "sample"
    synthetic = True

    def __init__(self, hours: str = "always", rules: Settings = DEFAULT) -> None:
        """``hours`` as of `qmtcli.paper.feed.Feed`: which dates are days of the market."""
        self._always = hours == "always"
        self._rules = rules
        self._day = lru_cache(maxsize=64)(self._make_day)
        self._reaches = lru_cache(maxsize=64)(self._find_reaches)

    def codes(self) -> Sequence[str]:
        """Codes in the order of the table."""
        return list(_ROWS)

    def instrument(self, code: str) -> Instrument | None:
        """The instrument; None for a code it does not hold."""
        row = _ROWS.get(code)
        return row.instrument if row else None

    def days(self) -> None:
        """None: it never ends."""
        return

    def preclose(self, code: str, day: date) -> int:
        """Close of the day before, milli; of an ex-day the reference price. Raises KeyError for an unknown code."""
        row = _ROWS[code]
        number, before = self._numbered(day)
        return _reference(row, number, before, day.toordinal()) * row.tick

    def tick(self, code: str, day: date, ms: int) -> Tick | None:
        """The last snapshot at or before ``ms``; None before 09:15 or for a code it does not hold."""
        row = _row(code, day)
        if row is None or ms < _CALL:
            return None
        model = self._day(code, day)
        stretch = next(stretch for stretch in reversed(model.stretches) if ms >= stretch.moments.start)
        moments = stretch.moments
        at = moments[min((ms - moments.start) // _STEP, len(moments) - 1)]
        return stretch.ticks(row, model, range(at, at + 1))[0]

    def ticks(self, code: str, day: date, after: int, until: int) -> Sequence[Tick]:
        """Snapshots with ``after < ms <= until``, in order; none for a code it does not hold."""
        row = _row(code, day)
        ticks: list[Tick] = []
        if row is None:
            return ticks
        model = self._day(code, day)
        for stretch in model.stretches:
            first, beyond = ((ms - stretch.moments.start) // _STEP + 1 for ms in (after, until))
            if moments := stretch.moments[max(0, first) : max(0, beyond)]:
                ticks += stretch.ticks(row, model, moments)
        return ticks

    def approaches(
        self, code: str, day: date, after: int, until: int, buy: int, sell: int
    ) -> Iterator[tuple[Tick, int]]:
        """See `qmtcli.paper.tape.Tape.approaches`; only minutes that may be near are generated."""
        begins, reaches = self._reaches(code, day)
        for number in reaches.near(after, until, buy, sell):
            first, last = max(after, begins[number] - 1), min(until, begins[number] + _MINUTE - 1)
            shown = self.tick(code, day, first)
            yield from approaches(self.ticks(code, day, first, last), shown.volume if shown else 0, buy, sell)

    def actions(self, code: str, first: date, last: date) -> Sequence[tuple[date, Action]]:
        """See `qmtcli.paper.tape.Tape.actions`; none for a code it does not hold."""
        row = _ROWS.get(code)
        if row is None or not row.pays:
            return []
        begin, end = max(first, row.instrument.listed or first).toordinal(), last.toordinal()
        found: list[tuple[date, Action]] = []
        for year in range(date.fromordinal(begin).year, last.year + 1):
            for day, payment in zip(*_ex_days(row.pays, year), strict=True):
                ex = date.fromordinal(day)
                if ex.year == year and begin <= day <= end:
                    found.append((ex, payment.action))
        return found

    def bars(self, code: str, period: str, first: date, last: date) -> Sequence[Bar]:
        """Bars of ``1m`` (the opening auction is the bar of 09:30, as in a terminal) or ``1d``."""
        row = _ROWS.get(code)
        if row is None:
            return []
        make = _minute_bars if period == "1m" else _day_bars
        days = self._days(max(first, row.instrument.listed or first), last)
        return [bar for day in days for bar in make(row, self._day(code, day), day)]

    def _days(self, first: date, last: date) -> Sequence[date]:
        if self._always:
            return [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return calendar.trading_days(first, last)

    def _make_day(self, code: str, day: date) -> _Day:
        return _model(_ROWS[code], *self._numbered(day), day, self._rules)

    def _find_reaches(self, code: str, day: date) -> tuple[list[int], Reaches]:
        row = _row(code, day)
        return _reaches(row, self._day(code, day)) if row else ([], Reaches(array("q"), array("q"), ()))

    def _numbered(self, day: date) -> tuple[int, int]:
        """The number of a day of the market, and the ordinal of the one before."""
        if self._always:
            return day.toordinal(), day.toordinal() - 1
        between = len(calendar.trading_days(*sorted((day, _LEVEL)))) - 1
        number = _LEVEL.toordinal() + (between if day > _LEVEL else -between)
        return number, calendar.previous_trading_day(day).toordinal()


def _row(code: str, day: date) -> _Row | None:
    """The line of a code that is listed by then."""
    row = _ROWS.get(code)
    return row if row and (row.instrument.listed or day) <= day else None


def _day_bars(row: _Row, day: _Day, on: date) -> list[Bar]:
    """One bar; of a suspended instrument flat at its preclose, without volume."""
    if not row.lots:
        flat = day.preclose * row.tick
        return [Bar(on, 0, flat, flat, flat, flat, 0, 0, flat)]
    end = _last(row, day)
    return [Bar(on, 0, end.open, end.high, end.low, end.last, end.volume, end.amount, end.preclose)]


def _last(row: _Row, day: _Day) -> Tick:
    """The last snapshot of a day."""
    stretch = day.stretches[-1]
    return stretch.ticks(row, day, stretch.moments[-1:])[0]


def _minute_bars(row: _Row, day: _Day, on: date) -> list[Bar]:
    """What `qmtcli.paper.bars.minutes_of` makes of the day's ticks, without making them; none if suspended.

    A minute's snapshots end three seconds before it does, but for the last of the morning and of the afternoon
    where no auction follows. What trades after hours belongs to the last minute.
    """
    if not row.lots:
        return []
    path, unit, last = day.path, row.tick, _last(row, day)
    bars: list[Bar] = []
    volume = amount = 0

    def add_bar(ms: int, start: int, stop: int, shares: int, paid: int) -> None:
        """A bar within which the price moved one way; shares and fen are those of the day so far."""
        nonlocal volume, amount
        high, low = max(start, stop) * unit, min(start, stop) * unit
        bars.append(
            Bar(on, ms, start * unit, high, low, stop * unit, shares - volume, paid - amount, day.preclose * unit)
        )
        volume, amount = shares, paid

    total = _traded(day, 0)
    add_bar(_MORNING, path[0], path[0], day.shares[0], _fen(row, day.shares[0], total))
    final = len(day.volumes) - 1
    for minute, whole in enumerate(day.volumes):
        start, rise = path[minute], path[minute + 1] - path[minute]
        whole_minute = minute == _NOON_MINUTE - 1 or (minute == final and not day.last_shares)
        price, part, within = _part(start, rise, whole, row.lot, 60 if whole_minute else 57)
        shares = day.shares[minute] + part
        ms = minute * _MINUTE + (_MORNING if minute < _NOON_MINUTE else _AFTERNOON - _NOON_MINUTE * _MINUTE) + _MINUTE
        add_bar(ms, start, price, shares, _fen(row, shares, total + within))
        total += whole * day.doubles[minute]
    if day.last_shares:
        called = _fen(row, day.shares[-1], total)
        add_bar(_LAST_CALL + _MINUTE, path[-1], path[-1], day.shares[-1], called)
        add_bar(_LAST_CALL + 2 * _MINUTE, path[-1], path[-1], day.shares[-1], called)
        add_bar(_CLOSE, path[-1], day.close, last.volume, last.amount)
    return bars
