"""The counter in front of the exchange: what is wrong with an order, in a terminal's words, or nothing.

Its words begin with what they are about, for of a row's ``status_msg`` the native line keeps seven characters; those
on volumes are the rules' own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from qmtcli.errors import ConfigError
from qmtcli.messages import error_text
from qmtcli.model import Instrument, Kind, Side
from qmtcli.paper.books import Books
from qmtcli.paper.clock import time_of
from qmtcli.paper.codes import AFTER_HOURS, BUY, LATEST_PRICE, MARKET_TYPES, OWN_PRICE, PEER_PRICE, SUSPENDED
from qmtcli.paper.feed import Feed, Shown
from qmtcli.paper.store import Account, Order
from qmtcli.paper.tape import Tick
from qmtcli.paper.terms import Terms
from qmtcli.rules.lots import st_daily_buy_cap
from qmtcli.rules.order_types import needs_protection
from qmtcli.rules.permissions import permitted
from qmtcli.rules.phases import Phase, accepts_after_hours

#: 15:00, ms since midnight
_CLOSE_MS = 54_000_000
_OFF_HOURS = "当前时间不允许此类证券交易"
#: what the account may not trade: nothing to own, foreign money
_NOT_PERMITTED = frozenset({Kind.INDEX, Kind.B_SHARE})


class Rejection(NamedTuple):
    """Why an order is turned away: ``error_id`` and the words of a terminal."""

    error_id: int
    message: str


@dataclass(frozen=True)
class NewOrder:
    """An order as it arrives at the native line."""

    code: str
    order_type: int
    volume: int
    price_type: int
    #: CNY; whatever a caller may send, NaN too
    price: float
    strategy: str
    remark: str
    #: the sending session and its number of the request, so that an error finds it
    session: int
    seq: int
    #: why it is turned away whatever the rules say; None: the counter judges
    rejection: Rejection | None = None


class Counter:
    """Judges orders over an account's books and the market on display."""

    def __init__(self, books: Books, feed: Feed) -> None:
        self._books = books
        self._feed = feed

    def judge(self, account: Account, order: Order, shown: Shown | None, at_ms: int) -> Rejection | None:
        """The first thing that is wrong with an order at a moment, or None; sets the worst price it may trade at."""
        code = order.code
        instrument = self._feed.tape.instrument(code)
        if instrument is None:
            return Rejection(-20, f"证券代码不存在: {code}")
        if instrument.kind in _NOT_PERMITTED or (instrument.kind is Kind.REPO and order.type == BUY):
            return Rejection(-21, f"无此交易权限: {code}")
        if not permitted(instrument, Side.BUY if order.type == BUY else Side.SELL, self._feed.rules):
            return Rejection(-21, f"无此交易权限: {code}")
        if order.volume <= 0:
            return Rejection(-30, f"委托数量非法: {order.volume}")
        phase = self._feed.phase(instrument, at_ms)
        if phase is None or not self._accepts(order, instrument, phase, at_ms):
            return Rejection(-61, _OFF_HOURS)
        if shown is None or shown[1].phase in SUSPENDED:
            return Rejection(-22, f"证券停牌: {code}")
        tick, terms = shown[1], self._books.terms(instrument)
        return (
            _judge_price(order, tick, terms, phase)
            or self._judge_volume(order, terms)
            or self._judge_day(account, order, instrument)
            or self._judge_means(account, order)
        )

    def _accepts(self, order: Order, instrument: Instrument, phase: Phase, at_ms: int) -> bool:
        if order.price_type != AFTER_HOURS:
            return phase.accepts_orders
        at = (datetime.min + timedelta(milliseconds=time_of(at_ms))).time()
        return not self._feed.always and accepts_after_hours(instrument, at, self._feed.tape_day, self._feed.rules)

    def _judge_volume(self, order: Order, terms: Terms) -> Rejection | None:
        buying = order.type == BUY
        sellable = None if buying else self._sellable(order.code)
        market, after_hours = order.price_type in MARKET_TYPES, order.price_type == AFTER_HOURS
        why = terms.volume_violation(buying, order.volume, sellable, market, after_hours)
        return Rejection(-31, why) if why else None

    def _judge_day(self, account: Account, order: Order, instrument: Instrument) -> Rejection | None:
        """What the day's other orders, or days to come, have to say."""
        if instrument.kind is Kind.REPO:
            try:
                self._feed.repo_days(order.code)
            except ConfigError as error:
                return Rejection(-62, error_text(error.code, error.params, "zh")[0])
        cap = st_daily_buy_cap(instrument, self._feed.day) if order.type == BUY else None
        if cap is not None and (bought := self._books.bought_today(account, order.code)) + order.volume > cap:
            return Rejection(-32, f"超过风险警示股票单日买入上限: {cap}, 今日已委托 {bought}")
        return None

    def _judge_means(self, account: Account, order: Order) -> Rejection | None:
        if self._books.spends(order):
            need, available = self._books.cost(order), account.available
            if not self._feed.rules.proceeds_usable:
                available = max(0, available - account.held)
            if need > available:
                return Rejection(-50, f"可用资金不足: 需要 {need / 100:.2f}, 可用 {available / 100:.2f}")
            return None
        sellable = self._sellable(order.code)
        if order.volume <= sellable:
            return None
        position = self._books.position(order.code)
        if position is not None and position.locked and order.volume <= position.volume:
            why = f"T+1, 今日买入的 {position.locked} 下一交易日才可卖出, 可卖 {sellable}"
        else:
            why = f"委托 {order.volume}, 可卖 {sellable}"
        return Rejection(-51, f"可用股份不足: {why}")

    def _sellable(self, code: str) -> int:
        position = self._books.position(code)
        return position.sellable if position else 0


def _judge_price(order: Order, tick: Tick, terms: Terms, phase: Phase) -> Rejection | None:
    if order.price_type in MARKET_TYPES:
        return _judge_market_price(order, tick, terms, phase)
    if order.price_type == LATEST_PRICE:
        order.price = tick.last or tick.preclose
    elif not order.sent > 0:
        return Rejection(-41, f"委托价格非法: {order.sent:g}")
    elif wrong := _off_tick(order, terms):
        return wrong
    if wrong := _above_band(order, terms) or _below_band(order, terms):
        return wrong
    order.limit_price = order.price
    buying = order.type == BUY
    if order.price_type == AFTER_HOURS:
        close = tick.last if phase.is_after_hours and tick.ms >= _CLOSE_MS else 0
        if close and (order.price < close if buying else order.price > close):
            return Rejection(-43, f"劣于收盘价: 委托 {order.price / 1000:g}, 收盘 {close / 1000:g}")
        return None
    if phase.is_opening and terms.unlimited:
        low, high = terms.opening_range
        if not low <= order.price <= high:
            return Rejection(-43, f"超出申报范围: {low / 1000:g} 至 {high / 1000:g}")
    if phase is Phase.CONTINUOUS and not terms.parks and (cage := terms.cage_passed(buying, order.price, tick)):
        bound = "不高于" if buying else "不低于"
        return Rejection(-44, f"超出价格范围: 有效申报价格{bound} {cage / 1000:g}")
    return None


def _judge_market_price(order: Order, tick: Tick, terms: Terms, phase: Phase) -> Rejection | None:
    if order.code[-2:] not in MARKET_TYPES[order.price_type] or not terms.market_orders:
        return Rejection(-40, f"报价类型不支持: {order.price_type}")
    if phase is not Phase.CONTINUOUS:
        return Rejection(-61, _OFF_HOURS)
    if needs_protection(terms.instrument, terms.rules):
        if not order.sent > 0:
            return Rejection(-45, "须填保护限价: 市价委托的 price")
        # a protection beyond the far edge of the band protects less, beyond the near one from every trade
        beyond = _below_band if order.type == BUY else _above_band
        if wrong := _off_tick(order, terms) or beyond(order, terms):
            return wrong
    order.limit_price = _market_limit(order, tick, terms)
    if not order.limit_price and not terms.rules.no_best_price_cancels:
        return Rejection(-46, f"无最优价格可申报: {order.price_type}")
    return None


def _off_tick(order: Order, terms: Terms) -> Rejection | None:
    if abs(order.sent * 1000 - order.price) > 1e-4 or order.price % terms.tick:
        return Rejection(-42, f"价格不合价位: 最小变动 {terms.tick / 1000:g}")
    return None


def _above_band(order: Order, terms: Terms) -> Rejection | None:
    if terms.up and order.price > terms.up:
        return Rejection(-43, f"高于涨停价: 委托 {order.price / 1000:g}, 涨停 {terms.up / 1000:g}")
    return None


def _below_band(order: Order, terms: Terms) -> Rejection | None:
    if order.price < terms.down:
        return Rejection(-43, f"低于跌停价: 委托 {order.price / 1000:g}, 跌停 {terms.down / 1000:g}")
    return None


def _market_limit(order: Order, tick: Tick, terms: Terms) -> int:
    """The worst price of a market order: its protection price where it carries one, else the edge of the band.

    An order at the best price on display has that price, as far as it is protected; 0 when there is none.
    """
    buying = order.type == BUY
    bound = min if buying else max
    # a day without a band has no edge: twice the last price, and one tick, are beyond any level
    worst = (terms.up or 2 * (tick.last or tick.preclose)) if buying else (terms.down or terms.tick)
    if needs_protection(terms.instrument, terms.rules):
        worst = bound(order.price, worst)
    if order.price_type not in (PEER_PRICE, OWN_PRICE):
        return worst
    levels = tick.asks if buying == (order.price_type == PEER_PRICE) else tick.bids
    return bound(levels[0][0], worst) if levels else 0
