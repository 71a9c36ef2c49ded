"""Building an order from what was asked for, and the checks that the order itself decides.

What only the account knows (money, shares, T+1) is the exchange's to refuse; what the order shows to be wrong
(volume, tick, band, cage, hours) is refused here, before anything is sent. On a live account a refusal that stands on
an unconfirmed rule is a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from qmtcli.errors import ConfigError, NoData, QmtError, Refused, UsageError
from qmtcli.model import Credit, Instrument, Kind, OrderRequest, Quote, Side
from qmtcli.rules import bands, boards, cage, calendar, fees, lots, marks, order_types, phases, ticks
from qmtcli.rules.bands import Band
from qmtcli.rules.phases import Phase
from qmtcli.rules.settings import DEFAULT, Settings
from qmtcli.rules.settlement import REPO_UNIT
from qmtcli.text import number

T = TypeVar("T")

#: names of a price that the market gives, besides a number
PRICE_NAMES = ("peer", "own", "last", "mid", "up", "down")
_INT32_MAX = 2**31 - 1
#: CNY; no price has come near it, and past it decimals would lose their last digits
_NO_PRICE = 10**9
#: orders that one command may become
_MOST_PARTS = 100


class PriceSpec(NamedTuple):
    """A price as typed: a number, a name with an offset in ticks, or an exchange's market order type."""

    text: str
    value: Decimal | None = None
    name: str = ""
    ticks: int = 0
    #: name of an order type without a price, see `qmtcli.rules.order_types`
    market: str = ""

    @property
    def after_hours(self) -> bool:
        """Whether it is the day's close, after hours."""
        return self.market == order_types.AFTER_HOURS.name

    @property
    def is_market(self) -> bool:
        """Whether it makes a market order."""
        return bool(self.market) and not self.after_hours

    @property
    def needs_quote(self) -> bool:
        """Whether the price itself cannot be known without the market."""
        return self.value is None


class Market(NamedTuple):
    """What is known of an instrument when an order of it is built; no quote: the checks that need one are left out."""

    instrument: Instrument
    quote: Quote | None
    day: date
    rules: Settings = DEFAULT
    #: now, Shanghai; None where trading is continuous at any hour
    at: datetime | None = None
    #: the phase of trading now; None on a day that is no trading day
    phase: Phase | None = Phase.CONTINUOUS
    #: whether the prices at hand are those of the session that the order is for, so that its limits follow from them
    current: bool = True
    #: told what an unconfirmed rule would refuse, as on a live account; None: it is refused
    warn: Callable[[QmtError], None] | None = None

    @property
    def lends(self) -> bool:
        """Whether a sell lends money: volume in units of 100 CNY, the price a rate in percent a year."""
        return self.instrument.kind is Kind.REPO


def parse_money(text: str) -> Decimal:
    """CNY: ``50000``, ``5万``, ``1.2亿``. Raises UsageError ``bad_money``."""
    return _positive(text.replace(",", ""), "bad_money")


def parse_volume(text: str, lot: int = 100) -> int:
    """Shares: ``100``, ``3手`` (lots), ``2万``. Raises UsageError ``bad_volume``."""
    lots_given = text.endswith("手")
    value = _positive(text.removesuffix("手").replace(",", ""), "bad_volume") * (lot if lots_given else 1)
    if value != value.to_integral_value():
        raise UsageError("bad_volume", text=text)
    return int(value)


def _positive(text: str, code: str) -> Decimal:
    try:
        value = number(text)
    except ValueError:
        raise UsageError(code, text=text) from None
    if value <= 0:
        raise UsageError(code, text=text)
    return value


def parse_price(text: str) -> PriceSpec:
    """``9.09``, or one of `PRICE_NAMES` with an offset in ticks: ``peer+2``. Raises UsageError ``bad_price``."""
    for name in PRICE_NAMES:
        if text.startswith(name):
            offset = text[len(name) :]
            if not offset:
                return PriceSpec(text, name=name)
            if offset[0] in "+-" and offset[1:].isdecimal():
                return PriceSpec(text, name=name, ticks=int(offset))
            raise UsageError("bad_price", text=text)
    value = _positive(text, "bad_price")
    if value >= _NO_PRICE:
        raise UsageError("bad_price", text=text)
    return PriceSpec(text, value=value)


def market_price(kind: str) -> PriceSpec:
    """An exchange's own order type by name. Raises UsageError ``unknown_market_kind``."""
    names = [row.name for row in order_types.KINDS]
    if kind not in names:
        raise UsageError("unknown_market_kind", kind=kind, known=names)
    return PriceSpec(kind, market=kind)


def known_instrument(code: str, detail: dict[str, object] | None, told: Mapping[str, Any]) -> Instrument:
    """An instrument by its code's rules, what the terminal tells of it, and over both what the user ``told``."""
    name = str((detail or {}).get("InstrumentName") or "")
    opened = str((detail or {}).get("OpenDate") or "")
    listed = None
    if len(opened) == 8 and opened.isdigit() and opened > "19900101":
        listed = date(int(opened[:4]), int(opened[4:6]), int(opened[6:]))
    return boards.instrument(code, **{"name": name, "st": "ST" in name.upper(), "listed": listed, **told})


def keeping_hours(market: Market, now: datetime, side: Side) -> Market:
    """A market as it is at a moment (Shanghai) of an exchange that keeps hours.

    Without a calendar for the day a live sell goes on as on a trading day, warned; else raises ConfigError.
    """
    today = now.date()
    try:
        trades = calendar.is_trading_day(today)
    except ConfigError as error:
        if market.warn is None or side is Side.BUY:
            raise
        market.warn(error)
        trades = True
    phase = phases.phase_at(market.instrument, now.time(), today, market.rules) if trades else None
    current = phase is not None and not phase.is_over and market.day == today
    return market._replace(at=now, phase=phase, current=current)


def check_hours(spec: PriceSpec, market: Market) -> None:
    """Hold that such an order is taken now. Raises Refused ``off_hours`` or ``not_continuous``."""
    phase, at = market.phase, market.at
    if at is None:
        return
    when = {"phase": "no_trading_day" if phase is None else phase.word, "time": f"{at:%Y-%m-%d %H:%M:%S}"}
    if spec.after_hours:
        taken = phases.accepts_after_hours(market.instrument, at.time(), at.date(), market.rules)
    else:
        taken = phase is not None and phase.accepts_orders
    if phase is None or not taken:
        _refuse(market, "off_hours", **when)
    elif spec.is_market and phase is not Phase.CONTINUOUS:
        _refuse(market, "not_continuous", **when)


def check_type(spec: PriceSpec, side: Side, market: Market) -> None:
    """Hold that the instrument takes orders of such a side and type at all. Raises Refused."""
    instrument = market.instrument
    if market.lends and side is Side.BUY:
        raise Refused("repo_is_lent", code=instrument.code)
    if spec.is_market and lots.lot_rule(instrument, market.day, market.rules).market_cap is None:
        _refuse(market, "no_market_orders")
    if spec.after_hours:
        order_types.price_type(spec.market, instrument.exchange)
        if not phases.has_after_hours(instrument, market.day, market.rules):
            _refuse(market, "no_after_hours")


def price_band(market: Market) -> Band | None:
    """The day's limits: the terminal's own where it tells them, else by the rules; None without limits or quote."""
    quote = market.quote
    if quote is None or not market.current:
        return None
    if quote.up_stop_price and quote.down_stop_price:
        return Band(_exact(quote.down_stop_price), _exact(quote.up_stop_price))
    if not quote.last_close:
        return None
    preclose = _exact(quote.last_close)
    return _counted(market, lambda: bands.band(market.instrument, preclose, market.day, settings=market.rules))


def _opening_range(market: Market) -> Band | None:
    """What the opening auction of a day without limits takes; None at another time, on another day."""
    quote = market.quote
    if quote is None or not quote.last_close or market.phase is None or not market.phase.is_opening:
        return None
    if not _counted(market, lambda: bands.is_no_limit_day(market.instrument, market.day)):
        return None
    return bands.opening_range(market.instrument, _exact(quote.last_close), market.rules)


def _counted(market: Market, ask: Callable[[], T]) -> T | None:
    """What a rule says that counts trading days; on a live account None, warned, where it cannot."""
    try:
        return ask()
    except ConfigError as error:
        if market.warn is None:
            raise
        market.warn(error)
        return None


def resolve_price(
    spec: PriceSpec, side: Side, market: Market, snap: bool = False, caged: bool = True
) -> tuple[Decimal, str]:
    """The price to send and, where it is not what was typed, why.

    A named price is clamped to band and cage; a number is refused where it does not fit, unless ``snap`` rounds
    it to the tick. ``caged``: the cage, which is for limit orders, holds for it. Raises Refused, NoData.
    """
    if spec.value is not None:
        return _typed_price(spec.value, side, market, snap, caged)
    step = ticks.tick(market.instrument, market.rules)
    base = _named_price(spec.name, side, market)
    rounded = ticks.neighbours(base, market.instrument, market.rules)[0 if side is Side.BUY else 1]
    wanted = rounded + spec.ticks * step
    limit = price_band(market) or _opening_range(market)
    price = wanted
    if limit is not None:
        price = min(max(price, limit.down), limit.up)
    bound = _cage(side, market) if caged else None
    if bound is not None:
        price = min(price, bound) if side is Side.BUY else max(price, bound)
    return price, "" if price == wanted else f"{spec.text} = {wanted} -> {price}"


def _typed_price(value: Decimal, side: Side, market: Market, snap: bool, caged: bool) -> tuple[Decimal, str]:
    instrument = market.instrument
    price = value
    if not ticks.on_tick(value, instrument, market.rules):
        below, above = ticks.neighbours(value, instrument, market.rules)
        if not snap:
            _refuse(market, "off_tick", price=value, below=below, above=above)
        price = below if side is Side.BUY else above
    limit = price_band(market)
    if limit is not None and price not in limit:
        _refuse(market, "outside_band", price=price, down=limit.down, up=limit.up)
    opening = None if limit else _opening_range(market)
    if opening is not None and price not in opening:
        _refuse(market, "outside_opening_range", price=price, down=opening.down, up=opening.up)
    bound = _cage(side, market) if caged else None
    if bound is not None and (price > bound if side is Side.BUY else price < bound):
        _refuse(market, "outside_cage", price=price, bound=bound)
    return price, "" if price == value else f"{value} -> {price}"


def _refuse(market: Market, code: str, /, **params: object) -> None:
    """Raise Refused, or warn where the rule is not confirmed and the account live."""
    error = Refused(code, **{"code": market.instrument.code, **params})
    if market.warn is None or marks.confirmed(code, market.instrument, market.phase):
        raise error
    market.warn(error)


def _named_price(name: str, side: Side, market: Market) -> Decimal:
    quote = market.quote
    code = market.instrument.code
    if quote is None:
        raise NoData("no_quote", codes=[code])
    asks, bids = quote.ask_price, quote.bid_price
    peers, own = (asks, bids) if side is Side.BUY else (bids, asks)
    limit = price_band(market)
    prices: dict[str, float | Decimal | None] = {
        "peer": peers[0] if peers else None,
        "own": own[0] if own else None,
        "last": quote.last_price or None,
        "mid": (_exact(asks[0]) + _exact(bids[0])) / 2 if asks and bids else None,
        "up": limit.up if limit else None,
        "down": limit.down if limit else None,
    }
    found = prices[name]
    if found is None:
        raise NoData("no_such_price", code=code, name=name)
    return _exact(found)


def _cage(side: Side, market: Market) -> Decimal | None:
    quote = market.quote
    if quote is None or market.phase is not Phase.CONTINUOUS or cage.parks(market.instrument, market.day):
        return None
    return cage.cage(
        market.instrument,
        side,
        _exact(quote.bid_price[0]) if quote.bid_price else None,
        _exact(quote.ask_price[0]) if quote.ask_price else None,
        _exact(quote.last_price) if quote.last_price else None,
        _exact(quote.last_close),
        market.day,
        market.rules,
    )


def _exact(price: float | Decimal) -> Decimal:
    return price if isinstance(price, Decimal) else Decimal(str(price))


def check_volume(volume: int, side: Side, market: Market, sellable: int | None, spec: PriceSpec) -> None:
    """Hold that a volume is one that the instrument trades in. Raises Refused."""
    instrument, day, rules = market.instrument, market.day, market.rules
    found = (
        lots.check_buy_volume(instrument, volume, day, spec.is_market, rules, spec.after_hours)
        if side is Side.BUY
        else lots.check_sell_volume(instrument, volume, sellable, day, spec.is_market, rules, spec.after_hours)
    )
    if volume > _INT32_MAX:
        raise Refused("over_cap", code=instrument.code, volume=volume, cap=_cap(market, spec))
    if found is not None and found.code != "no_market_orders":  # `check_type` has told it
        _refuse(market, found.code, **found.params)


def whole_lots(volume: int, side: Side, market: Market, sellable: int | None) -> int:
    """As much of a volume as one order may be; an odd lot of a sell where it is all that can be sold. 0: none of it."""
    rule = lots.lot_rule(market.instrument, market.day, market.rules)
    found = lots.check_sell_volume(market.instrument, volume, sellable, market.day, False, market.rules)
    if side is Side.SELL and found is None:
        return volume
    least = rule.min_buy if side is Side.BUY else min(rule.min_buy, rule.step)
    if side is Side.SELL and rule.step == 1:
        least = rule.min_buy
    return 0 if volume < least else least + (volume - least) // rule.step * rule.step


def volume_for(value: Decimal, price: Decimal, side: Side, market: Market, schedule: fees.FeeSchedule) -> int:
    """The largest legal volume whose cost, fees included, is at most ``value``; of repo, that lends at most it.

    Raises Refused ``below_lot``, ``below_lend`` or ``too_many_parts``.
    """
    instrument, day = market.instrument, market.day
    rule = lots.lot_rule(instrument, day, market.rules)
    worth = Decimal(REPO_UNIT) if market.lends else price
    volume = int(value / worth)
    _check_parts(instrument, volume, rule.limit_cap)
    while volume >= rule.min_buy:
        volume = rule.min_buy + (volume - rule.min_buy) // rule.step * rule.step
        cost = worth * volume
        if market.lends or cost + fees.fees(instrument, side, cost, day, schedule).total <= value:
            return volume
        volume -= rule.step
    least = worth * rule.min_buy
    if market.lends:
        raise Refused("below_lend", code=instrument.code, value=value, least=least)
    least += fees.fees(instrument, side, least, day, schedule).total
    raise Refused("below_lot", code=instrument.code, value=value, volume=rule.min_buy, least=least)


def split(volume: int, market: Market, spec: PriceSpec) -> list[int]:
    """A volume in orders that each keep to the cap. Raises Refused ``too_many_parts``, ``over_cap``."""
    instrument, rules = market.instrument, market.rules
    cap = _cap(market, spec)
    _check_parts(instrument, volume, cap)
    if volume > cap < 2 * lots.lot_rule(instrument, market.day, rules).min_buy:
        raise Refused("over_cap", code=instrument.code, volume=volume, cap=cap)
    return lots.split(instrument, volume, cap, rules) if volume > cap else [volume]


def _cap(market: Market, spec: PriceSpec) -> int:
    """The most that one order of a type may be."""
    rule = lots.lot_rule(market.instrument, market.day, market.rules)
    return lots.order_cap(rule, spec.is_market, spec.after_hours) or rule.limit_cap


def _check_parts(instrument: Instrument, volume: int, cap: int) -> None:
    if volume > _MOST_PARTS * cap:
        most = _MOST_PARTS * cap
        raise Refused("too_many_parts", code=instrument.code, volume=volume, most=most, parts=_MOST_PARTS)


def most(request: OrderRequest, market: Market, schedule: fees.FeeSchedule) -> Decimal | None:
    """The most CNY a buy can cost, or the least a sell can bring, fees counted; None when no price bounds it.

    Of repo, which lends, what leaves the account.
    """
    if market.lends:
        lent = Decimal(REPO_UNIT * request.volume)
        return lent + fees.fees(market.instrument, request.side, lent, market.day, schedule).total
    price = request.price
    if not price:
        limit = price_band(market)
        if limit is None:
            return None
        price = limit.up if request.side is Side.BUY else limit.down
    value = price * request.volume
    cost = fees.fees(market.instrument, request.side, value, market.day, schedule).total
    return value + cost if request.side is Side.BUY else value - cost


def at_risk(request: OrderRequest, market: Market, schedule: fees.FeeSchedule) -> Decimal | None:
    """The CNY that an order is measured by: `most`, or what shares that it borrows to sell may be worth."""
    if request.credit is not Credit.SLO:
        return most(request, market, schedule)
    band, last = price_band(market), market.quote.last_price if market.quote else None
    if not request.price:
        return None if band is None else band.up * request.volume
    return max(request.price, Decimal(str(last or 0))) * request.volume


def is_after_hours(request: OrderRequest) -> bool:
    """Whether an order trades at the day's close, after hours."""
    return request.price_type == order_types.AFTER_HOURS_PRICE


def check_client_id(text: str) -> str:
    """A client id: 1 to 20 ASCII letters, digits, ``-_.:``, a letter among them. Raises UsageError."""
    fine = (
        1 <= len(text) <= 20
        and text.isascii()
        and all(char.isalnum() or char in "-_.:" for char in text)
        and any(char.isalpha() for char in text)
    )
    if not fine:
        raise UsageError("bad_client_id", text=text)
    return text


def check_strategy(text: str) -> str:
    """A strategy name: what the native line keeps of it, 23 bytes. Raises UsageError."""
    if not text or not text.isprintable() or len(text.encode()) > 23:
        raise UsageError("bad_strategy", text=text)
    return text
