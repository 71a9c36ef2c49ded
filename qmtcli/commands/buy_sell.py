"""``qmt buy`` and ``qmt sell``: one order, sent once, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from qmtcli.commands import complete, sent
from qmtcli.commands.common import App, Seconds, command
from qmtcli.errors import ExitStatus, NoData, NotConnected, QmtError, Refused, UsageError
from qmtcli.messages import error_text, say
from qmtcli.model import Credit, OrderRequest, OrderStatus, Side
from qmtcli.output import check_fields

if TYPE_CHECKING:
    from qmtcli.desk import Outcome
    from qmtcli.orders import Market, PriceSpec
    from qmtcli.rules.settings import FeeSchedule

_WAIT_SECONDS = 60.0
_SHANGHAI = timezone(timedelta(hours=8))


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of an order, in the order of the help."""
    from qmtcli.orders import PRICE_NAMES
    from qmtcli.rules.order_types import KINDS

    kinds = "|".join(kind.name for kind in KINDS)
    names = "|".join(PRICE_NAMES)
    options = [
        click.option("--limit", metavar="P", help=say("限价, 元", "limit price, CNY")),
        click.option("--price", metavar="P",
                     help=say(f"限价, 或 {names}[±N 跳]", f"limit price, or {names}[±N ticks]"),
                     shell_complete=complete.one_of(*PRICE_NAMES)),
        click.option("--market", metavar="KIND",
                     help=say(f"市价委托: {kinds}", f"the exchange's market order: {kinds}"),
                     shell_complete=complete.market_kinds),
        click.option("--protect", metavar="P",
                     help=say("市价委托的保护价; 盘后定价的限价",
                              "protection price of a market order; the worst close of after-hours")),
        click.option("--value", metavar="CNY",
                     help=say("按金额 (费用在内), 代替数量", "CNY, fees in, instead of a volume")),
        click.option("--round", "snap", is_flag=True,
                     help=say("价格取整到最小变动单位", "round the price to the tick")),
        click.option("--id", "client_id", metavar="ID",
                     help=say("委托标识; 同日同标识不重复下单", "client id; the same id today is the same order")),
        click.option("--strategy", metavar="NAME", help=say("策略名", "strategy name")),
        click.option("--wait", is_flag=True,
                     help=say("等到最终状态, 最多 60 秒", "wait for the final state, 60 s at most")),
        click.option("--wait-for", metavar="S", type=Seconds(0, 3600),
                     help=say("等到最终状态, 最多 S 秒", "wait for the final state, S seconds at most")),
        click.option("--next-session", is_flag=True,
                     help=say("交易时间外也发送, 由券商或交易所决定",
                              "send outside trading hours too, for broker and exchange to decide")),
        click.option("--as", "credit", metavar="|".join(Credit), type=click.Choice([str(word) for word in Credit]),
                     help=say("信用账户必填: 担保品、融资、融券、还券还款",
                              "on a margin account, required: what the order is for")),
        click.option("--dry-run", is_flag=True,
                     help=say("只检查和预览, 不发送", "check and preview, send nothing")),
        click.option("-y", "--yes", is_flag=True, help=say("不再询问", "do not ask")),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


class _Asked(NamedTuple):
    """The command line of one order."""

    side: Side
    code: str
    volume: str | None
    limit: str | None
    price: str | None
    market: str | None
    protect: str | None
    value: str | None
    snap: bool
    client_id: str | None
    strategy: str | None
    wait: bool
    wait_for: float | None
    next_session: bool
    credit: str | None
    dry_run: bool
    yes: bool

    @property
    def purpose(self) -> Credit | None:
        """What it is for on a margin account."""
        return None if self.credit is None else Credit(self.credit)

    @property
    def seconds(self) -> float | None:
        """How long to wait for the final state; None: for the acknowledgement only."""
        return self.wait_for if self.wait_for is not None else _WAIT_SECONDS if self.wait else None

    def id_on(self, day: date) -> str | None:
        """The caller's own client id, ``{date}`` in it expanded. Raises UsageError."""
        from qmtcli.orders import check_client_id

        if self.client_id is None:
            return None
        return check_client_id(self.client_id.replace("{date}", f"{day:%Y%m%d}"))

    def spec(self) -> PriceSpec:
        """The price as typed. Raises UsageError."""
        from qmtcli import orders

        given = [text for text in (self.limit, self.price, self.market) if text is not None]
        if len(given) != 1:
            raise UsageError("one_price")
        if self.market is not None:
            return orders.market_price(self.market)
        if self.protect is not None:
            raise UsageError("protect_needs_market")
        return orders.parse_price(given[0])


@command(
    "buy",
    "买入。数量以股 (债券以张) 计, 也可写 3手、2万; 或用 --value 指定金额。",
    "Buy. The volume is in shares (张 for bonds); 3手 and 2万 are understood; or --value CNY.",
    epilog="qmt buy 600000.SH 100 --limit 9.09",
)
@click.argument("code", shell_complete=complete.codes)
@click.argument("volume", required=False)
@_options
def buy(app: App, **asked: Any) -> int:
    return _order(app, _Asked(side=Side.BUY, **asked))


@command(
    "sell",
    "卖出。数量以股计, all 为现在可卖的全部。",
    "Sell. The volume is in shares; all is everything that can be sold now.",
    epilog="qmt sell 600000.SH all --price peer",
)
@click.argument("code", shell_complete=complete.codes)
@click.argument("volume", required=False, shell_complete=complete.one_of("all"))
@_options
def sell(app: App, **asked: Any) -> int:
    return _order(app, _Asked(side=Side.SELL, **asked))


def _order(app: App, asked: _Asked) -> int:
    from qmtcli import desk as desks
    from qmtcli import orders
    from qmtcli.desk import Outcome
    from qmtcli.rules.settings import DEFAULT_SCHEDULE
    from qmtcli.symbols import parse_code

    app.profile  # noqa: B018
    code, spec = parse_code(asked.code), asked.spec()
    given_id = asked.id_on(date.max) is not None
    strategy = desks.DEFAULT_STRATEGY if asked.strategy is None else orders.check_strategy(asked.strategy)
    if (asked.volume is None) == (asked.value is None):
        raise UsageError("volume_or_value")
    if spec.after_hours and app.profile.live and not app.profile.rules.get("after_hours_live"):
        raise Refused("after_hours_not_live", profile=app.profile.name)
    desk = app.open_desk(asked.dry_run, asked.yes, asked.next_session)
    desk.check_purpose(asked.side, asked.purpose)
    market = _market(app, code, asked.side, spec)
    orders.check_type(spec, asked.side, market)
    client_id = asked.id_on(market.day) or desks.new_client_id()
    try:
        if not asked.next_session:
            orders.check_hours(spec, market)
    except Refused:
        if not (given_id and desk.knows(client_id)):  # what was sent in time is told at any hour
            raise
    schedule = DEFAULT_SCHEDULE._replace(**app.profile.fees)
    price, price_type, note = _price(asked, spec, market)
    volumes, left = _volumes(app, asked, spec, price, market, schedule)
    requests = [
        OrderRequest(code, asked.side, volume, price_type, price, _child_id(client_id, number), strategy, asked.purpose)
        for number, volume in enumerate(volumes)
    ]
    last = Decimal(str(market.quote.last_price)) if market.quote and market.quote.last_price else None
    for request in requests:
        desk.check_limits(request, orders.at_risk(request, market, schedule), last, market.lends)
    if app.console.interactive or asked.dry_run:
        app.console.say(sent.preview(requests, market, schedule, note))
    elif note:
        app.console.say(note)

    def result(outcomes: list[Outcome]) -> dict[str, Any]:
        rows = [sent.order_row(outcome, market, orders.most(outcome.request, market, schedule)) for outcome in outcomes]
        return sent.whole(rows, asked.dry_run, left)

    check_fields(app.console, result([Outcome(request) for request in requests]))
    desk.admit(say("发送?", "Send it?"))
    outcomes = desk.place_all(requests, given_id, asked.seconds)
    sent.emit(app.console, asked.side, asked.dry_run, result(outcomes))
    desk.reported()
    return _status(outcomes, asked.seconds is not None)


def _market(app: App, code: str, side: Side, spec: PriceSpec) -> Market:
    """What is known of the instrument; a sell at a typed price goes without where the market does not answer."""
    from qmtcli.orders import Market, keeping_hours, known_instrument
    from qmtcli.rules.settings import DEFAULT

    profile, session = app.profile, app.session
    try:
        quote = session.quotes([code])[0]
        detail = session.instrument(code)
    except (NotConnected, NoData) as error:
        if side is Side.BUY or spec.needs_quote or error.code == "unknown_code":
            raise
        app.console.warn(say(f"没有行情, 未检查涨跌停: {code}", f"no quote: price limits not checked for {code}"))
        quote, detail = None, None
    now = datetime.fromtimestamp(session.now(), _SHANGHAI)
    instrument = known_instrument(code, detail, app.told(code))
    market = Market(
        instrument,
        quote,
        _trading_day(detail, now),
        DEFAULT._replace(**profile.rules),
        warn=_warner(app) if profile.live else None,
    )
    if not profile.live and profile.hours == "always":
        return market
    if profile.live:
        from qmtcli.backend import supply_calendar

        supply_calendar(app.console.env)
    market = keeping_hours(market, now, side)
    if quote is not None and market.day != now.date() and market.phase is not None and market.phase.accepts_orders:
        unchecked = say(f"行情属于 {market.day}, 未检查涨跌停", f"the prices are of {market.day}: limits not checked")
        app.console.warn(unchecked)
    return market


def _warner(app: App) -> Callable[[QmtError], None]:
    """What tells a person, once, of something that is not certain enough to refuse an order."""
    told: set[str] = set()

    def warn(error: QmtError) -> None:
        if error.code not in told:
            told.add(error.code)
            message, more = error_text(error.code, error.params, app.console.lang)
            if isinstance(error, Refused):
                more = say("规则未经证实, 不拒绝", "an unconfirmed rule, so not refused")
            app.console.warn(f"{say('注意', 'warning')}: {message} — {more}")

    return warn


def _trading_day(detail: dict[str, object] | None, now: datetime) -> date:
    text = str((detail or {}).get("TradingDay") or "")
    if len(text) == 8 and text.isdigit() and text > "19900101":
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    return now.date()


def _price(asked: _Asked, spec: PriceSpec, market: Market) -> tuple[Decimal, int, str]:
    """(price to send, the vendor's price type, what was changed about the price)."""
    from qmtcli import orders
    from qmtcli.rules import order_types

    if not spec.market:
        price, note = orders.resolve_price(spec, asked.side, market, asked.snap)
        return price, order_types.FIX_PRICE, note
    instrument = market.instrument
    price_type = order_types.price_type(spec.market, instrument.exchange)
    if not spec.after_hours and not order_types.needs_protection(instrument, market.rules):
        if asked.protect is not None:
            raise Refused("protect_not_taken", code=instrument.code, exchange=instrument.exchange)
        return Decimal(0), price_type, ""
    if asked.protect is not None:
        typed = orders.parse_price(asked.protect)
        price, note = orders.resolve_price(typed, asked.side, market, asked.snap, caged=False)
        return price, price_type, note
    if orders.price_band(market) is None:
        raise Refused("protect_needed", code=instrument.code)
    edge = orders.parse_price("up" if asked.side is Side.BUY else "down")
    price, _ = orders.resolve_price(edge, asked.side, market, caged=not spec.after_hours)
    return price, price_type, "" if spec.after_hours else say(f"保护价 {price}", f"protection price {price}")


def _volumes(
    app: App, asked: _Asked, spec: PriceSpec, price: Decimal, market: Market, schedule: FeeSchedule
) -> tuple[list[int], int]:
    """(volumes of the orders to send, shares of the holding that stay behind)."""
    from qmtcli import orders
    from qmtcli.rules.lots import lot_rule

    if asked.value is not None:
        basis = price or _worst_price(asked.side, market)
        volume = orders.volume_for(orders.parse_money(asked.value), basis, asked.side, market, schedule)
        return orders.split(volume, market, spec), 0
    assert asked.volume is not None
    if asked.volume == "all":
        if asked.side is Side.BUY:
            raise UsageError("all_is_for_selling")
        if market.lends:
            raise UsageError("all_of_repo")
        if asked.purpose is Credit.SLO:
            raise UsageError("all_of_borrowed")
        held = [row for row in app.session.positions() if row.stock_code == market.instrument.code]
        sellable = held[0].can_use_volume if held else 0
        if sellable <= 0:
            volume, frozen = (held[0].volume, held[0].frozen_volume) if held else (0, 0)
            if not volume:
                raise Refused("not_held", code=market.instrument.code)
            raise Refused("nothing_to_sell", code=market.instrument.code, volume=volume, frozen=frozen)
        left = held[0].volume - sellable
        if left:
            app.console.say(say(f"{left} 股不可卖 (T+1 或冻结)", f"{left} shares cannot be sold now (T+1 or frozen)"))
        return orders.split(sellable, market, spec), left
    lot = lot_rule(market.instrument, market.day, market.rules)
    volume = orders.parse_volume(asked.volume, lot.min_buy if lot.step > 1 else 100)
    orders.check_volume(volume, asked.side, market, None, spec)
    return [volume], 0


def _worst_price(side: Side, market: Market) -> Decimal:
    from qmtcli.orders import parse_price, resolve_price

    return resolve_price(parse_price("up" if side is Side.BUY else "down"), side, market)[0]


def _child_id(client_id: str, number: int) -> str:
    suffix = f".{number + 1}" if number else ""
    return client_id[: 20 - len(suffix)] + suffix


def _status(outcomes: list[Outcome], waited: bool) -> int:
    """The status of the whole: 9 when a part was turned away, else the most that can be said of every part."""
    if any(outcome.reason for outcome in outcomes):
        return ExitStatus.PARTIAL
    return max(_status_of(outcome, waited) for outcome in outcomes)


def _status_of(outcome: Outcome, waited: bool) -> int:
    order = outcome.order
    if not outcome.order_id:
        return ExitStatus.OK
    if order is None or not order.state.acknowledged:
        return ExitStatus.OPEN
    if not waited or order.state is OrderStatus.SUCCEEDED:
        return ExitStatus.OK
    return ExitStatus.PARTIAL if order.state.done else ExitStatus.OPEN
