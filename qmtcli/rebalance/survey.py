"""What is known of the names of a plan: prices and their age, what stands in the way, what is held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from decimal import Decimal

from qmtcli import orders
from qmtcli.books import Book, sellable, selling
from qmtcli.errors import NoData, NotConnected, QmtError, Refused
from qmtcli.ledger import Entry
from qmtcli.model import Instrument, Kind, Order, Position, Quote, Side
from qmtcli.orders import Market, PriceSpec
from qmtcli.rebalance.plan import Holding, Name, Reason, wanted
from qmtcli.rebalance.targets import Target, may_trade
from qmtcli.rules.boards import classify
from qmtcli.rules.settlement import is_t0
from qmtcli.tickets import Markets
from qmtcli.xt import codes


def of_account(positions: Iterable[Position], open_orders: Iterable[Order]) -> dict[str, Holding]:
    """What the account holds, by code."""
    held = {
        row.stock_code: Holding(row.volume, row.can_use_volume, row.frozen_volume)
        for row in positions
        if row.volume > 0
    }
    for order in open_orders:
        if order.side not in ("buy", "sell") or order.subscription or order.state.done:
            continue
        rest = order.order_volume - order.traded_volume
        known = held.get(order.stock_code, Holding())
        held[order.stock_code] = known._replace(coming=known.coming + (rest if order.side == "buy" else -rest))
    return held


def of_book(
    book: Book, entries: Sequence[Entry], positions: Iterable[Position], markets: Markets
) -> dict[str, Holding]:
    """What a strategy holds, by code; ``entries``: those of the ledger that are not final."""
    account = {row.stock_code: row.can_use_volume for row in positions}
    mine = [entry for entry in entries if entry.strategy_name == book.strategy and entry.sent]
    found: dict[str, Holding] = {}
    for code in dict.fromkeys([*book.holdings, *(entry.stock_code for entry in mine)]):
        held = book.holdings.get(code)
        volume = held.volume if held else 0
        buys = sum(e.order_volume - e.traded_volume for e in mine if (e.stock_code, e.side) == (code, "buy"))
        sells = selling(mine, book.strategy, code)
        instrument = orders.known_instrument(code, None, dict(markets.told(code)))
        free = min(sellable(book, code, sells, is_t0(instrument, markets.rules)), account.get(code, 0))
        if volume or buys or sells:
            found[code] = Holding(volume, free, min(sells, volume), buys - sells)
    return found


def free(book: Book, entries: Sequence[Entry]) -> Decimal:
    """CNY of a book that its open buys do not hold; ``entries`` as for `of_book`."""
    mine = [entry for entry in entries if (entry.strategy_name, entry.side) == (book.strategy, "buy") and entry.sent]
    held = (Decimal(entry.risk or 0) - Decimal(str(entry.traded_price)) * entry.traded_volume for entry in mine)
    return book.cash - sum(held, Decimal(0))


def names(
    targets: Sequence[Target],
    holdings: Mapping[str, Holding],
    capital: Decimal,
    markets: Markets,
    spec: PriceSpec,
    max_age: float,
    undecided: Set[str] = frozenset(),
) -> list[Name]:
    """All that is known of what is named and of what is held, the file's first.

    ``undecided``: codes of orders of which nobody knows whether they stand. Raises NotConnected, ConfigError, NoData.
    """
    named = {target.code: target for target in targets}
    wanted_codes = [*named, *(code for code in holdings if code not in named)]
    markets.load(code for code in wanted_codes if may_trade(code))
    found = []
    for code in wanted_codes:
        held = holdings.get(code, Holding())
        if not may_trade(code):
            kind = (classify(code) or (Kind.INDEX,))[0]
            market = Market(Instrument(code, "", kind), None, markets.session.today())
            found.append(Name(market, held, None, None, None, Reason.NOT_STOCK))
        else:
            name = _name(code, held, named.get(code), capital, markets, spec, max_age)
            found.append(name._replace(price=None, blocked=Reason.UNKNOWN) if code in undecided else name)
    return found


def _name(
    code: str,
    held: Holding,
    target: Target | None,
    capital: Decimal,
    markets: Markets,
    spec: PriceSpec,
    max_age: float,
) -> Name:
    try:
        market = markets.of(code, Side.BUY, spec)
    except NoData as error:
        if error.code == "unknown_code" and target is not None and target.amount:
            raise
        day = markets.session.today()
        market = Market(orders.known_instrument(code, None, dict(markets.told(code))), None, day, markets.rules)
    last = _last(market.quote)
    if target is None:
        return Name(market, held, None, last, None)
    listed = market.instrument.listed
    if listed is not None and listed > market.day:
        return Name(market, held, None, None, None, Reason.NOT_STOCK)
    ideal = wanted(target, capital, last)
    there = held.volume + held.coming
    if ideal is None or ideal == there:
        return Name(market, held, target, last, None, Reason.NO_QUOTE if ideal is None else None)
    side = Side.BUY if ideal > there else Side.SELL
    price, blocked = offered(market, side, spec, markets.session.now(), max_age)
    ex_date = False
    with suppress(NotConnected):
        ex_date = markets.session.is_ex_date(code, market.day)
    return Name(market, held, target, last, price, blocked, ex_date)


def _last(quote: Quote | None) -> Decimal | None:
    """What a share counts for: the last price, before the first trade of a day the one of the day before."""
    if quote is None:
        return None
    price = quote.last_price or quote.last_close
    return Decimal(str(price)) if price else None


def offered(
    market: Market, side: Side, spec: PriceSpec, now: float, max_age: float
) -> tuple[Decimal | None, Reason | None]:
    """(the price that an order would be sent with, why none can be sent).

    ``now``: epoch seconds by the market's clock; ``max_age``: seconds that a price may be old.
    """
    quote = market.quote
    if quote is None or not (quote.last_price or quote.last_close):
        return None, Reason.NO_QUOTE
    if quote.phase in codes.SUSPENDED:
        return None, Reason.SUSPENDED
    if now - quote.tick_time / 1000 > max_age:
        return None, Reason.STALE_PRICE
    band = orders.price_band(market)
    if band is not None:
        at_limit, reason = {
            Side.BUY: (not quote.ask_price and quote.last_price >= float(band.up), Reason.LIMIT_UP),
            Side.SELL: (not quote.bid_price and 0 < quote.last_price <= float(band.down), Reason.LIMIT_DOWN),
        }[side]
        if at_limit:
            return None, reason
    try:
        return orders.resolve_price(spec, side, market)[0], None
    except NoData:
        return None, Reason.NO_QUOTE
    except Refused:
        return None, Reason.REFUSED


def why_refused(error: QmtError) -> Reason:
    """The reason that a refusal of qmt's own comes to."""
    if error.code == "halted":
        return Reason.HALTED
    return Reason.OVER_LIMIT if error.code.startswith("limit_") else Reason.REFUSED
