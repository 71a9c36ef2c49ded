"""An order as a person or a program asks for it, and its way to the requests that may be sent.

A `Ticket` is what was asked for; `Markets` is what is known of the market, read once for all the orders of a run;
`build` makes of both the requests, each checked by what the order itself decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

from qmtcli import orders
from qmtcli.config import Profile
from qmtcli.errors import NoData, NotConnected, QmtError, Refused, UsageError
from qmtcli.messages import say
from qmtcli.model import Credit, OrderRequest, Position, Quote, Side
from qmtcli.orders import Market, PriceSpec
from qmtcli.rules import order_types
from qmtcli.rules.lots import lot_rule
from qmtcli.rules.settings import DEFAULT, DEFAULT_SCHEDULE, FeeSchedule
from qmtcli.symbols import parse_code
from qmtcli.text import number
from qmtcli.xt.session import Session

#: what orders carry as strategy name when nobody gave one; it tells them from orders made by hand
DEFAULT_STRATEGY = "qmt"
#: what an order of everything that can be sold says instead of a volume
ALL = "all"
_SHANGHAI = timezone(timedelta(hours=8))
#: characters of a client id
_ID_LENGTH = 20


class Ticket(NamedTuple):
    """What was asked for, before the market is looked at."""

    side: Side
    #: ``600000.SH``
    code: str
    price: PriceSpec
    #: as typed: ``100``, ``3手``, `ALL`; None with a value
    volume: str | None = None
    #: CNY as typed, fees in
    value: str | None = None
    #: protection price of a market order, as typed
    protect: str | None = None
    #: whether the price is rounded to the tick
    snap: bool = False
    strategy: str = DEFAULT_STRATEGY
    credit: Credit | None = None

    @property
    def typed(self) -> dict[str, str]:
        """The order in words that are the same whenever the same order is asked for."""
        price = self.price
        words = {
            "side": str(self.side),
            "stock_code": self.code,
            "volume": _plain(self.volume),
            "value": _plain(self.value),
            "price": _plain(price.text) if price.value is not None else price.text,
            "protect": _plain(self.protect),
            "round": "yes" if self.snap else "",
            "strategy": self.strategy,
            "as": str(self.credit or ""),
        }
        return {name: word for name, word in words.items() if word}


def ticket(
    side: Side,
    code: str,
    volume: str | None = None,
    value: str | None = None,
    limit: str | None = None,
    price: str | None = None,
    market: str | None = None,
    protect: str | None = None,
    snap: bool = False,
    strategy: str | None = None,
    credit: str | None = None,
) -> Ticket:
    """A ticket from words as they are typed; exactly one price, and a volume or a value. Raises UsageError."""
    code = parse_code(code)
    spec = _spec(limit, price, market, protect)
    if (volume is None) == (value is None):
        raise UsageError("volume_or_value")
    if volume is not None and volume != ALL:
        orders.parse_volume(volume)
    if volume == ALL and side is Side.BUY:
        raise UsageError("all_is_for_selling")
    if value is not None:
        orders.parse_money(value)
    name = DEFAULT_STRATEGY if strategy is None else orders.check_strategy(strategy)
    purpose = None if credit is None else Credit(credit)
    return Ticket(side, code, spec, volume, value, protect, snap, name, purpose)


def _spec(limit: str | None, price: str | None, market: str | None, protect: str | None) -> PriceSpec:
    given = [text for text in (limit, price, market) if text is not None]
    if len(given) != 1:
        raise UsageError("one_price")
    if market is not None:
        return orders.market_price(market)
    if protect is not None:
        raise UsageError("protect_needs_market")
    return orders.parse_price(given[0])


def _plain(text: str | None) -> str:
    """A number as typed, written as it is always written; other words as they are."""
    if text is None:
        return ""
    try:
        value = number(text.replace(",", ""))
    except ValueError:
        return text
    return f"{value.normalize():f}"


class Markets:
    """What is known of the market, by code."""

    def __init__(
        self,
        session: Session,
        profile: Profile,
        told: Callable[[str], Mapping[str, Any]] = lambda code: {},
        warn: Callable[[QmtError], None] = lambda error: None,
        tell: Callable[[str], None] = lambda text: None,
        calendar: Callable[[], None] = lambda: None,
    ) -> None:
        """``told(code)``: what the user's own table of instruments says. ``warn``: told of what is not certain enough
        to refuse an order on a live account. ``tell``: told what cannot be checked, and what stays behind.
        ``calendar()`` has the imported trading days used, which on paper the exchange sees to."""
        self.session = session
        self.profile = profile
        self.rules = DEFAULT._replace(**profile.rules)
        self.schedule: FeeSchedule = DEFAULT_SCHEDULE._replace(**profile.fees)
        self.told, self._warn, self.tell, self._calendar = told, warn, tell, calendar
        #: by code: the quote, and when it was read by the monotonic clock
        self._quotes: dict[str, tuple[Quote, float]] = {}
        self._details: dict[str, dict[str, Any] | None] = {}
        #: the quote of a code that is pushed anyway, None for one that is not
        self.pushed: Callable[[str], Quote | None] = lambda code: None
        self._day = ""

    def renew(self, day: str) -> None:
        """Forget what the account held, and on another day what was known of the one before."""
        self.__dict__.pop("holdings", None)
        if day != self._day:
            self._day = day
            self._quotes.clear()
            self._details.clear()

    def detail(self, code: str) -> dict[str, Any] | None:
        """xtquant's detail of an instrument, read once. Raises NotConnected."""
        if code not in self._details:
            self._details[code] = self.session.instrument(code)
        return self._details[code]

    def last(self, code: str) -> float:
        """The last price, CNY, or the last close; 0 without. Raises NotConnected, NoData."""
        quote = self._quote(code, 60.0)
        return quote.last_price or quote.last_close

    def load(self, codes: Iterable[str]) -> None:
        """Read the quotes of many codes at once; of those without one `of` tells. Raises NotConnected."""
        wanted = [*dict.fromkeys(codes)]
        while wanted:
            try:
                found = self.session.quotes(wanted)
            except NoData as error:
                without = error.params["codes"]
                assert isinstance(without, list), "the error names the codes"
                for code in without:
                    self._quotes.pop(code, None)
                wanted = [code for code in wanted if code not in without]
                continue
            self._quotes.update((quote.stock_code, (quote, time.monotonic())) for quote in found)
            return

    def of(self, code: str, side: Side, spec: PriceSpec, age: float = 60.0) -> Market:
        """What is known of an instrument; a sell at a typed price goes without where the market does not answer.

        ``age``: seconds after which a quote is read again. Raises NotConnected, NoData, ConfigError.
        """
        profile, quote, detail = self.profile, None, None
        try:
            quote = self._quote(code, age)
            detail = self.detail(code)
        except (NotConnected, NoData) as error:
            if side is Side.BUY or spec.needs_quote or error.code == "unknown_code":
                raise
            self.tell(say(f"没有行情, 未检查涨跌停: {code}", f"no quote: price limits not checked for {code}"))
        now = datetime.fromtimestamp(self.session.now(), _SHANGHAI)
        market = Market(
            orders.known_instrument(code, detail, dict(self.told(code))),
            quote,
            _trading_day(detail, now),
            self.rules,
            warn=self._warn if profile.live else None,
        )
        if not profile.live and profile.hours == "always":
            return market
        self._calendar()
        market = orders.keeping_hours(market, now, side)
        if quote is not None and market.day != now.date() and market.phase is not None and market.phase.accepts_orders:
            unchecked = say(
                f"行情属于 {market.day}, 未检查涨跌停", f"the prices are of {market.day}: limits not checked"
            )
            self.tell(unchecked)
        return market

    def read_within(self, code: str, seconds: float) -> bool:
        """Whether a quote was read so short a time ago."""
        _, read = self._quotes.get(code, (None, float("-inf")))
        return time.monotonic() - read <= seconds

    def prices(self, codes: Iterable[str]) -> dict[str, Decimal]:
        """What a share counts for, CNY, of codes that `load` has read: the last price, or the last close; 0 without."""
        quotes = {code: self._quotes[code][0] if code in self._quotes else None for code in codes}
        return {
            code: Decimal(str((quote.last_price or quote.last_close) if quote else 0)) for code, quote in quotes.items()
        }

    def _quote(self, code: str, age: float) -> Quote:
        if (pushed := self.pushed(code)) is not None:
            return pushed
        quote, read = self._quotes.get(code, (None, 0.0))
        if quote is None or time.monotonic() - read > age:
            quote = self.session.quotes([code])[0]
            self._quotes[code] = quote, time.monotonic()
        return quote

    @cached_property
    def holdings(self) -> dict[str, Position]:
        """What the account held when it was first asked for, by code. Raises NotConnected."""
        return {row.stock_code: row for row in self.session.positions()}


class Built(NamedTuple):
    """A ticket made requests, which may be sent."""

    ticket: Ticket
    market: Market
    #: more than one where a volume is over what one order may be
    requests: list[OrderRequest]
    #: what was changed about the price
    note: str = ""
    #: shares of the holding that stay behind
    left: int = 0

    @property
    def last(self) -> Decimal | None:
        """The last price, CNY; None where it is not known."""
        quote = self.market.quote
        return Decimal(str(quote.last_price)) if quote and quote.last_price else None


def build(
    asked: Ticket, markets: Markets, client_id: str, next_session: bool = False, most: int | None = None
) -> Built:
    """The requests of a ticket, the first with this client id. ``most``: all that may be sold of the holding, where
    that is not what the account says. Raises Refused, NoData, NotConnected, ConfigError, UsageError."""
    spec = asked.price
    if spec.after_hours and markets.profile.live and not markets.profile.rules.get("after_hours_live"):
        raise Refused("after_hours_not_live", profile=markets.profile.name)
    market = markets.of(asked.code, asked.side, spec)
    orders.check_type(spec, asked.side, market)
    if not next_session:
        orders.check_hours(spec, market)
    price, price_type, note = priced(asked, market)
    volumes, left = _volumes(asked, price, market, markets, most)
    requests = [
        OrderRequest(
            asked.code, asked.side, volume, price_type, price, part_id(client_id, part), asked.strategy, asked.credit
        )
        for part, volume in enumerate(volumes)
    ]
    return Built(asked, market, requests, note, left)


def priced(asked: Ticket, market: Market) -> tuple[Decimal, int, str]:
    """(price to send, the vendor's price type, what was changed about the price). Raises Refused, NoData."""
    spec, side = asked.price, asked.side
    if not spec.market:
        price, note = orders.resolve_price(spec, side, market, asked.snap)
        return price, order_types.FIX_PRICE, note
    instrument = market.instrument
    price_type = order_types.price_type(spec.market, instrument.exchange)
    if not spec.after_hours and not order_types.needs_protection(instrument, market.rules):
        if asked.protect is not None:
            raise Refused("protect_not_taken", code=instrument.code, exchange=instrument.exchange)
        return Decimal(0), price_type, ""
    if asked.protect is not None:
        typed = orders.parse_price(asked.protect)
        price, note = orders.resolve_price(typed, side, market, asked.snap, caged=False)
        return price, price_type, note
    if orders.price_band(market) is None:
        raise Refused("protect_needed", code=instrument.code)
    edge = orders.parse_price("up" if side is Side.BUY else "down")
    price, _ = orders.resolve_price(edge, side, market, caged=not spec.after_hours)
    return price, price_type, "" if spec.after_hours else say(f"保护价 {price}", f"protection price {price}")


def _volumes(
    asked: Ticket, price: Decimal, market: Market, markets: Markets, most: int | None
) -> tuple[list[int], int]:
    """(volumes of the orders to send, shares of the holding that stay behind)."""
    spec = asked.price
    if asked.value is not None:
        basis = price or _worst_price(asked.side, market)
        value = orders.parse_money(asked.value)
        volume = orders.volume_for(value, basis, asked.side, market, markets.schedule)
        return orders.split(volume, market, spec), 0
    assert asked.volume is not None
    if asked.volume == ALL:
        volume, left = _sellable(asked, market, markets, most)
        return orders.split(volume, market, spec), left
    lot = lot_rule(market.instrument, market.day, market.rules)
    volume = orders.parse_volume(asked.volume, lot.min_buy if lot.step > 1 else 100)
    orders.check_volume(volume, asked.side, market, None, spec)
    return [volume], 0


def _sellable(asked: Ticket, market: Market, markets: Markets, most: int | None) -> tuple[int, int]:
    """(shares that can be sold now, those that stay behind)."""
    if market.lends:
        raise UsageError("all_of_repo")
    if asked.credit is Credit.SLO:
        raise UsageError("all_of_borrowed")
    held = markets.holdings.get(asked.code)
    sellable = held.can_use_volume if held else 0
    if most is not None:
        sellable = min(sellable, most)
    if sellable <= 0:
        volume, frozen = (held.volume, held.frozen_volume) if held else (0, 0)
        if not volume or most == 0:
            raise Refused("not_held", code=asked.code)
        raise Refused("nothing_to_sell", code=asked.code, volume=volume, frozen=frozen)
    assert held is not None
    left = held.volume - sellable
    if left and most is None:
        markets.tell(say(f"{left} 股不可卖 (T+1 或冻结)", f"{left} shares cannot be sold now (T+1 or frozen)"))
    return sellable, left


def _worst_price(side: Side, market: Market) -> Decimal:
    return orders.resolve_price(orders.parse_price("up" if side is Side.BUY else "down"), side, market)[0]


def part_id(client_id: str, part: int) -> str:
    """The client id of a part of an order that is more than one, counted from 0."""
    suffix = f".{part + 1}" if part else ""
    return client_id[: _ID_LENGTH - len(suffix)] + suffix


def dated(client_id: str, day: date) -> str:
    """A client id as typed, ``{date}`` in it expanded. Raises UsageError."""
    return orders.check_client_id(client_id.replace("{date}", f"{day:%Y%m%d}"))


def _trading_day(detail: Mapping[str, object] | None, now: datetime) -> date:
    text = str((detail or {}).get("TradingDay") or "")
    if len(text) == 8 and text.isdigit() and text > "19900101":
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    return now.date()
