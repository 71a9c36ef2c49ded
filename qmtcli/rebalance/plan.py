"""The trades that bring holdings to their targets, each with the reason for what it leaves undone. Pure.

Values are counted at last prices, money at the prices that orders would be sent with, fees in.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from math import ceil
from typing import NamedTuple

from qmtcli.model import Side, StrEnum
from qmtcli.orders import Market
from qmtcli.rebalance.rounding import Choice, spend
from qmtcli.rebalance.targets import Target, Unit
from qmtcli.rules.fees import fees
from qmtcli.rules.lots import LotRule, check_sell_lot, lot_rule
from qmtcli.rules.settings import FeeSchedule

_ZERO = Decimal(0)
#: lots about what is needed that are looked at where odd ones count
_ABOUT = 40


class Reason(StrEnum):
    """Why a name is not, or was not brought, where it was to be."""

    # before anything is sent
    LIMIT_UP = "limit_up"
    LIMIT_DOWN = "limit_down"
    SUSPENDED = "suspended"
    NO_QUOTE = "no_quote"
    STALE_PRICE = "stale_price"
    #: bought today
    T1_LOCKED = "t1_locked"
    #: held by open orders, or by the broker
    FROZEN = "frozen"
    #: less than one lot away
    BELOW_LOT = "below_lot"
    BELOW_THRESHOLD = "below_threshold"
    BELOW_MIN_VALUE = "below_min_value"
    TURNOVER_CAP = "turnover_cap"
    NO_CASH = "no_cash"
    #: the file does not name it, and others are kept
    KEPT = "kept"
    #: a repo, 标准券, new shares that are not listed: never touched
    NOT_STOCK = "not_stock"
    # on the way
    REJECTED = "rejected"
    OVER_LIMIT = "over_limit"
    HALTED = "halted"
    #: qmt's own rules refused it
    REFUSED = "refused"
    #: its order was canceled by somebody else
    CANCELED = "canceled"
    #: its order did not fill in time
    UNFILLED = "unfilled"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


class Holding(NamedTuple):
    """What there is of one code, in shares (张 for bonds)."""

    volume: int = 0
    #: what can be sold now
    sellable: int = 0
    frozen: int = 0
    #: what open orders may still buy, less what they may sell
    coming: int = 0


class Name(NamedTuple):
    """What is known of one code."""

    #: instrument, day and rules
    market: Market
    held: Holding
    #: None: the file does not name it
    target: Target | None
    #: CNY that a share counts for; None: no price
    last: Decimal | None
    #: CNY that an order towards its target would be sent with; None where none can be
    price: Decimal | None
    #: why no order towards its target can be sent; None: one can
    blocked: Reason | None = None
    #: whether it trades without a dividend or new shares from today on, so that volumes of before may be wrong
    ex_date: bool = False

    @property
    def code(self) -> str:
        """``600000.SH``."""
        return self.market.instrument.code


class Terms(NamedTuple):
    """What holds for the whole."""

    #: CNY that weights are of
    capital: Decimal
    #: CNY that can be spent, what is to stay of it taken off
    cash: Decimal
    schedule: FeeSchedule
    #: CNY that a name may be away without a trade
    threshold: Decimal = _ZERO
    #: CNY that an order is worth at least
    min_value: Decimal = _ZERO
    #: CNY of buys and sells together; None: no cap
    max_turnover: Decimal | None = None


class Row(NamedTuple):
    """One name of a plan."""

    code: str
    name: str
    held: int
    #: shares, a fraction where a weight or a value makes one; None where nothing says how many
    ideal: Decimal | None
    #: what it would be brought to if there were money and nothing stood in the way
    target: int
    side: Side | None
    #: of its orders, 0 without any
    volume: int
    #: CNY
    price: Decimal | None
    last: Decimal | None
    #: CNY that its orders take, fees in; below 0 what they bring
    cost: Decimal
    reason: Reason | None
    ex_date: bool

    @property
    def final(self) -> int:
        """What is held once its orders have filled, and those that were open before."""
        return self.held + (self.volume if self.side is Side.BUY else -self.volume)

    @property
    def reached(self) -> bool:
        """Whether that is what was wanted."""
        return self.final == self.target


def wanted(target: Target, capital: Decimal, last: Decimal | None) -> Decimal | None:
    """The shares that a target comes to, as a fraction; None where that takes a price and there is none."""
    if target.unit is Unit.VOLUME or not target.amount:
        return target.amount
    if not last:
        return None
    return target.amount * (capital if target.unit is Unit.WEIGHT else 1) / last


class _Case(NamedTuple):
    """A name that is away from its target."""

    name: Name
    lot: LotRule
    side: Side
    #: shares, a fraction
    ideal: Decimal
    #: shares that it is away, above 0
    need: Decimal
    #: what its order may be at most, in shares
    most: int
    #: volumes that its order may have, ascending, 0 among them; empty: none, and the lot's least and its steps
    volumes: tuple[int, ...]
    #: as the row has it
    target: int
    #: why it cannot come nearer, before money is looked at
    reason: Reason | None

    @property
    def nearest(self) -> int:
        """The volume that comes nearest."""
        return _nearest(self.need, self.lot, self.most, self.volumes)


def plan(names: Sequence[Name], terms: Terms) -> list[Row]:
    """The trades, a row a name in their order."""
    cases = [_case(name, terms) for name in names]
    _cap_turnover(cases, terms)
    ours = [n for n, case in enumerate(cases) if isinstance(case, _Case)]
    choices = [_choice(case, terms) for case in cases if isinstance(case, _Case)]
    volumes = dict(zip(ours, spend(choices, int(terms.cash * 100)), strict=True))
    return [_row(case, volumes[n], terms) if isinstance(case, _Case) else case for n, case in enumerate(cases)]


def _case(name: Name, terms: Terms) -> _Case | Row:
    """What may be done about a name; its row where that is nothing."""
    held = name.held.volume + name.held.coming
    if name.target is None:
        return _rest(name, None, held, name.blocked or Reason.KEPT)
    ideal = wanted(name.target, terms.capital, name.last)
    if ideal is None:
        return _rest(name, None, held, name.blocked or Reason.NO_QUOTE)
    need = abs(ideal - held)
    if not need:
        return _rest(name, ideal, held, None)
    side = Side.BUY if ideal > held else Side.SELL
    lot = lot_rule(name.market.instrument, name.market.day, name.market.rules)
    most, volumes = _may(name, lot, side, need, held)
    freely = _nearest(need, lot, most, volumes)
    target = held + freely if side is Side.BUY else held - freely
    exits = side is Side.SELL and not ideal
    if freely and name.last is not None and not exits and need * name.last < terms.threshold:
        return _rest(name, ideal, held, Reason.BELOW_THRESHOLD)
    near = not exits and need < lot.step
    if name.blocked is not None or name.price is None:
        if near or not freely:
            return _rest(name, ideal, held, Reason.BELOW_LOT)
        return _rest(name, ideal, target, name.blocked or Reason.NO_QUOTE)
    reason = None
    if side is Side.SELL and name.held.sellable < held:
        most, volumes = _may(name, lot, side, need, name.held.sellable)
        if freely > name.held.sellable:
            reason = Reason.FROZEN if name.held.frozen >= freely - name.held.sellable else Reason.T1_LOCKED
    if exits:
        volumes = volumes[-1:] or (_nearest(need, lot, most, volumes),)
    case = _Case(name, lot, side, ideal, need, most, volumes, target, reason)
    if not case.nearest and (side is Side.BUY or not most):
        if near or reason is None:
            return _rest(name, ideal, held, Reason.BELOW_LOT)
        return _rest(name, ideal, target, reason)
    if case.nearest and case.nearest * name.price < terms.min_value:
        return _rest(name, ideal, held, Reason.BELOW_MIN_VALUE)
    return case


def _rest(name: Name, ideal: Decimal | None, target: int, reason: Reason | None) -> Row:
    """The row of a name that nothing is done about."""
    instrument, held = name.market.instrument, name.held.volume + name.held.coming
    return Row(
        name.code, instrument.name, held, ideal, target, None, 0, name.price, name.last, _ZERO, reason, name.ex_date
    )


def _may(name: Name, lot: LotRule, side: Side, need: Decimal, sellable: int) -> tuple[int, tuple[int, ...]]:
    """(the most that an order may be, its volumes where they are no even steps from the lot's least on)."""
    if side is Side.BUY:
        return lot.min_buy + max(0, ceil((need - lot.min_buy) / lot.step)) * lot.step, ()
    if sellable <= 0:
        return 0, (0,)
    # a name is never sold to a lot below its target, whatever others could do with the money
    most = min(sellable, max(ceil(need + lot.step) - 1, lot.min_buy))
    if lot.step == 1:
        return (most, ()) if sellable >= lot.min_buy else (sellable, (0, sellable))
    market, odd = name.market, sellable % lot.step
    if not odd and lot.step == lot.min_buy:
        return most // lot.step * lot.step, ()
    middle = int(need // lot.step)
    first, last = max(0, middle - _ABOUT), min(middle + _ABOUT, sellable // lot.step)
    found = {sellable, *(n * lot.step + rest for n in range(first, last + 1) for rest in (0, odd))}
    legal = [
        volume
        for volume in found
        if 0 < volume <= most and check_sell_lot(market.instrument, volume, sellable, market.day, market.rules) is None
    ]
    return max(legal, default=0), (0, *sorted(legal))


def _nearest(need: Decimal, lot: LotRule, most: int, volumes: Sequence[int]) -> int:
    """The volume that an order may have and that is nearest to what is needed, of two the smaller one."""
    if volumes:
        return min(volumes, key=lambda volume: (abs(volume - need), volume))
    if need < lot.min_buy:
        return lot.min_buy if lot.min_buy <= most and need > lot.min_buy - need else 0
    below = lot.min_buy + int((min(need, Decimal(most)) - lot.min_buy) // lot.step) * lot.step
    above = below + lot.step
    return below if above > most or need - below <= above - need else above


def _cap_turnover(cases: list[_Case | Row], terms: Terms) -> None:
    """Keep buys and sells together within what they may be, those first that are farthest away."""
    if terms.max_turnover is None:
        return
    left = terms.max_turnover
    ours = [(n, case) for n, case in enumerate(cases) if isinstance(case, _Case)]
    for n, case in sorted(ours, key=lambda each: -each[1].need * (each[1].name.last or _ZERO)):
        price = case.name.price or _ZERO
        value = case.nearest * price
        if value > left:
            most = int(left / price)
            fits = _fitting(most, case.lot, case.volumes)
            if not fits or fits * price < terms.min_value:
                cases[n] = _rest(case.name, case.ideal, case.target, Reason.TURNOVER_CAP)
                continue
            cases[n] = case = case._replace(most=fits, volumes=(0, fits), reason=Reason.TURNOVER_CAP)
            value = fits * price
        left -= value


def _fitting(most: int, lot: LotRule, volumes: Sequence[int]) -> int:
    """The largest volume that an order may have and that is not above ``most``."""
    if volumes:
        return max((volume for volume in volumes if volume <= most), default=0)
    return 0 if most < lot.min_buy else lot.min_buy + (most - lot.min_buy) // lot.step * lot.step


def _choice(case: _Case, terms: Terms) -> Choice:
    """The volumes that a case's order may have."""
    name = case.name
    price = name.price or _ZERO
    worth = name.last or price

    def cost(volume: int) -> int:
        return int((_cost(name, case.side, volume, price, terms.schedule) * 100).to_integral_value(ROUND_CEILING))

    lot, least, volumes = case.lot, case.lot.min_buy, case.volumes
    if terms.min_value:
        least += max(0, ceil((terms.min_value / price - least) / lot.step)) * lot.step
        volumes = tuple(volume for volume in volumes if not volume or volume >= least)
    gap, sign = float(case.need * worth), 1 if case.side is Side.BUY else -1
    return Choice(sign, gap, float(worth), float(price), cost, least, lot.step, case.most, volumes)


def _cost(name: Name, side: Side, volume: int, price: Decimal, schedule: FeeSchedule) -> Decimal:
    """CNY that an order takes, below 0 what it brings, fees in."""
    amount = price * volume
    total = fees(name.market.instrument, side, amount, name.market.day, schedule).total
    return amount + total if side is Side.BUY else total - amount


def _row(case: _Case, volume: int, terms: Terms) -> Row:
    """The row of a name whose order has its volume."""
    name, side = case.name, case.side
    held, instrument = name.held.volume + name.held.coming, name.market.instrument
    price = name.price or _ZERO
    target, reason = case.target, case.reason
    final = held + volume if side is Side.BUY else held - volume
    if reason is None and final != target:
        if abs(case.need - volume) < max(case.lot.step, 0 if volume else case.lot.min_buy):
            target = final  # as near as lots allow
        else:
            reason = Reason.NO_CASH
    elif reason is None and not volume:
        reason = Reason.BELOW_LOT
    return Row(
        name.code, instrument.name, held, case.ideal, target, side if volume else None, volume, price, name.last,
        _cost(name, side, volume, price, terms.schedule) if volume else _ZERO, reason, name.ex_date,
    )  # fmt: skip


def needs_orders(rows: Sequence[Row]) -> bool:
    """Whether anything is left to be done, or stands in the way of it."""
    return any(row.volume or not row.reached for row in rows)
