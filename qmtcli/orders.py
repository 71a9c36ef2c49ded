"""Building an order from what was asked for, and the checks that the order itself decides.

What only the account knows (money, shares, T+1) is the exchange's to refuse; what the order shows to be wrong
(volume, tick, band, cage) is refused here, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from qmtcli.errors import NoData, Refused, UsageError
from qmtcli.model import Instrument, OrderRequest, Quote, Side
from qmtcli.rules import boards, cage, fees, lots, marks, order_types, ticks
from qmtcli.rules.bands import Band, band
from qmtcli.text import number

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
    #: name of a market order type, see `qmtcli.rules.order_types`
    market: str = ""

    @property
    def needs_quote(self) -> bool:
        """Whether the price itself cannot be known without the market."""
        return self.value is None


class Market(NamedTuple):
    """What is known of an instrument when an order of it is built; no quote: the checks that need one are left out."""

    instrument: Instrument
    quote: Quote | None
    day: date
    #: a refusal that stands on an unconfirmed rule only warns, as on a live account
    lenient: bool = False


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
    """An exchange's own market order type by name. Raises UsageError ``unknown_market_kind``."""
    names = [row.name for row in order_types.MARKET_KINDS]
    if kind not in names:
        raise UsageError("unknown_market_kind", kind=kind, known=names)
    return PriceSpec(kind, market=kind)


def known_instrument(code: str, detail: dict[str, object] | None) -> Instrument:
    """An instrument by its code's rules and what the terminal tells of it."""
    name = str((detail or {}).get("InstrumentName") or "")
    opened = str((detail or {}).get("OpenDate") or "")
    listed = None
    if len(opened) == 8 and opened.isdigit() and opened > "19900101":
        listed = date(int(opened[:4]), int(opened[4:6]), int(opened[6:]))
    return boards.instrument(code, name, st="ST" in name.upper(), listed=listed)


def price_band(market: Market) -> Band | None:
    """The day's limits: the terminal's own where it tells them, else by the rules; None without limits or quote."""
    quote = market.quote
    if quote is None:
        return None
    if quote.up_stop_price and quote.down_stop_price:
        return Band(_exact(quote.down_stop_price), _exact(quote.up_stop_price))
    return band(market.instrument, _exact(quote.last_close), market.day) if quote.last_close else None


def resolve_price(spec: PriceSpec, side: Side, market: Market, snap: bool = False) -> tuple[Decimal, str]:
    """The price to send and, where it is not what was typed, why.

    A named price is clamped to band and cage; a number is refused where it does not fit, unless ``snap`` rounds
    it to the tick. Raises Refused, NoData.
    """
    if spec.value is not None:
        return _typed_price(spec.value, side, market, snap)
    step = ticks.tick(market.instrument)
    base = _named_price(spec.name, side, market)
    rounded = ticks.neighbours(base, market.instrument)[0 if side is Side.BUY else 1]
    wanted = rounded + spec.ticks * step
    limit = price_band(market)
    price = wanted
    if limit is not None:
        price = min(max(price, limit.down), limit.up)
    bound = _cage(side, market)
    if bound is not None:
        price = min(price, bound) if side is Side.BUY else max(price, bound)
    return price, "" if price == wanted else f"{spec.text} = {wanted} -> {price}"


def _typed_price(value: Decimal, side: Side, market: Market, snap: bool) -> tuple[Decimal, str]:
    instrument = market.instrument
    price = value
    if not ticks.on_tick(value, instrument):
        below, above = ticks.neighbours(value, instrument)
        if not snap:
            _refuse(market, "off_tick", price=value, below=below, above=above)
        price = below if side is Side.BUY else above
    limit = price_band(market)
    if limit is not None and not limit.down <= price <= limit.up:
        _refuse(market, "outside_band", price=price, down=limit.down, up=limit.up)
    bound = _cage(side, market)
    if bound is not None and (price > bound if side is Side.BUY else price < bound):
        _refuse(market, "outside_cage", price=price, bound=bound)
    return price, "" if price == value else f"{value} -> {price}"


def _refuse(market: Market, code: str, **params: object) -> None:
    if not market.lenient or marks.confirmed(code, market.instrument):
        raise Refused(code, code=market.instrument.code, **params)


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
    if quote is None:
        return None
    return cage.cage(
        market.instrument,
        side,
        _exact(quote.bid_price[0]) if quote.bid_price else None,
        _exact(quote.ask_price[0]) if quote.ask_price else None,
        _exact(quote.last_price) if quote.last_price else None,
        _exact(quote.last_close),
        market.day,
    )


def _exact(price: float | Decimal) -> Decimal:
    return price if isinstance(price, Decimal) else Decimal(str(price))


def check_volume(volume: int, side: Side, market: Market, sellable: int | None, market_order: bool) -> None:
    """Hold that a volume is one that the instrument trades in. Raises Refused."""
    instrument = market.instrument
    found = (
        lots.check_buy_volume(instrument, volume, market.day, market_order)
        if side is Side.BUY
        else lots.check_sell_volume(instrument, volume, sellable, market.day, market_order)
    )
    if volume > _INT32_MAX:
        cap = lots.lot_rule(instrument, market.day).limit_cap
        raise Refused("over_cap", code=instrument.code, volume=volume, cap=cap)
    if found is not None and (not market.lenient or marks.confirmed(found.code, instrument)):
        raise Refused(found.code, **found.params)


def volume_for(value: Decimal, price: Decimal, side: Side, market: Market, schedule: fees.FeeSchedule) -> int:
    """The largest legal volume whose cost, fees included, is at most ``value``.

    Raises Refused ``below_lot`` or ``too_many_parts``.
    """
    instrument, day = market.instrument, market.day
    rule = lots.lot_rule(instrument, day)
    volume = int(value / price)
    _check_parts(instrument, volume, rule.limit_cap)
    while volume >= rule.min_buy:
        volume = rule.min_buy + (volume - rule.min_buy) // rule.step * rule.step
        cost = price * volume
        if cost + fees.fees(instrument, side, cost, day, schedule).total <= value:
            return volume
        volume -= rule.step
    least = price * rule.min_buy
    least += fees.fees(instrument, side, least, day, schedule).total
    raise Refused("below_lot", code=instrument.code, value=value, volume=rule.min_buy, least=least)


def split(volume: int, market: Market, market_order: bool) -> list[int]:
    """A volume in orders that each keep to the cap. Raises Refused ``too_many_parts``."""
    rule = lots.lot_rule(market.instrument, market.day)
    cap = rule.market_cap if market_order and rule.market_cap else rule.limit_cap
    _check_parts(market.instrument, volume, cap)
    return lots.split(market.instrument, volume, cap)


def _check_parts(instrument: Instrument, volume: int, cap: int) -> None:
    if volume > _MOST_PARTS * cap:
        most = _MOST_PARTS * cap
        raise Refused("too_many_parts", code=instrument.code, volume=volume, most=most, parts=_MOST_PARTS)


def most(request: OrderRequest, market: Market, schedule: fees.FeeSchedule) -> Decimal | None:
    """The most CNY a buy can cost, or the least a sell can bring, fees counted; None when no price bounds it."""
    price = request.price
    if not price:
        limit = price_band(market)
        if limit is None:
            return None
        price = limit.up if request.side is Side.BUY else limit.down
    value = price * request.volume
    cost = fees.fees(market.instrument, request.side, value, market.day, schedule).total
    return value + cost if request.side is Side.BUY else value - cost


def fee_schedule(terms: Mapping[str, Decimal]) -> fees.FeeSchedule:
    """The broker's terms of a profile (``commission``, ``minimum``) over the usual ones."""
    usual = fees.DEFAULT_SCHEDULE
    return usual._replace(rate=terms.get("commission", usual.rate), minimum=terms.get("minimum", usual.minimum))


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
