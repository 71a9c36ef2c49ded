"""The counter in front of the exchange: what is wrong with an order, in a terminal's words, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from qmtcli.model import Instrument, Kind
from qmtcli.paper.books import Books
from qmtcli.paper.codes import BUY, LATEST_PRICE, MARKET_TYPES, OWN_PRICE, PEER_PRICE, SUSPENDED
from qmtcli.paper.feed import Feed
from qmtcli.paper.store import Account, Order
from qmtcli.paper.tape import Tick
from qmtcli.paper.terms import Terms
from qmtcli.rules.phases import Phase

_OFF_HOURS = "当前时间不允许此类证券交易"


class Rejection(NamedTuple):
    """Why an order is turned away: ``error_id`` and the words of a terminal."""

    error_id: int
    message: str


@dataclass(frozen=True)
class NewOrder:
    """An order as it arrives at the native line."""

    account_id: str
    code: str
    order_type: int
    volume: int
    price_type: int
    #: CNY
    price: float
    strategy: str
    remark: str
    #: of the sending session, so that an error can be matched to its request
    session: int
    seq: int


class Counter:
    """Judges orders over an account's books and the market on display."""

    def __init__(self, books: Books, feed: Feed) -> None:
        self._books = books
        self._feed = feed

    def judge(self, account: Account, order: Order, new: NewOrder, tick: Tick | None) -> Rejection | None:
        """The first thing that is wrong with an order, or None; sets the worst price it may trade at."""
        instrument = self._feed.tape.instrument(new.code)
        if instrument is None:
            return Rejection(-20, f"证券代码不存在: {new.code}")
        if instrument.kind in (Kind.INDEX, Kind.REPO):
            return Rejection(-21, f"无此证券的交易权限: {new.code}")
        if new.volume <= 0:
            return Rejection(-30, f"委托数量非法: {new.volume}")
        phase = self._feed.phase(instrument)
        if tick is None or phase is None or not phase.accepts_orders:
            return Rejection(-61, _OFF_HOURS)
        if tick.phase in SUSPENDED:
            return Rejection(-22, f"证券停牌: {new.code}")
        terms = self._books.terms(new.code)
        return (
            self._judge_price(order, new, tick, terms, phase)
            or self._judge_volume(order, instrument, terms)
            or self._judge_means(account, order)
        )

    def _judge_price(self, order: Order, new: NewOrder, tick: Tick, terms: Terms, phase: Phase) -> Rejection | None:
        if order.price_type in MARKET_TYPES:
            if order.code[-2:] not in MARKET_TYPES[order.price_type] or not terms.market_orders:
                return Rejection(-40, "该证券不支持此报价类型")
            if not phase.matches:
                return Rejection(-61, _OFF_HOURS)
            order.limit_price = _market_limit(order, tick, terms)
            return None
        if order.price_type == LATEST_PRICE:
            order.price = order.limit_price = tick.last or tick.preclose
            return None
        if not new.price > 0:  # NaN compares false
            return Rejection(-41, "委托价格非法")
        if abs(new.price * 1000 - order.price) > 1e-4 or order.price % terms.tick:
            return Rejection(-42, f"委托价格不符合最小变动单位 {terms.tick / 1000:g}")
        if terms.up and order.price > terms.up:
            return Rejection(-43, f"委托价格 {order.price / 1000:g} 高于涨停价 {terms.up / 1000:g}")
        if order.price < terms.down:
            return Rejection(-43, f"委托价格 {order.price / 1000:g} 低于跌停价 {terms.down / 1000:g}")
        buying = order.type == BUY
        cage = terms.cage(buying, tick) if phase.matches else 0
        if cage and (order.price > cage if buying else order.price < cage):
            return Rejection(-44, f"委托价格超出有效申报价格范围 {cage / 1000:g}")
        return None

    def _judge_volume(self, order: Order, instrument: Instrument, terms: Terms) -> Rejection | None:
        buying = order.type == BUY
        sellable = None if buying else self._books.sellable(order.code)
        why = terms.volume_violation(buying, order.volume, sellable, order.price_type in MARKET_TYPES)
        return Rejection(-31, why) if why else None

    def _judge_means(self, account: Account, order: Order) -> Rejection | None:
        if order.type == BUY:
            need, available = self._books.freeze(order), account.cash - self._books.frozen_cash()
            if need > available:
                return Rejection(-50, f"可用资金不足: 需要 {need / 100:.2f}, 可用 {available / 100:.2f}")
            return None
        sellable = self._books.sellable(order.code)
        if order.volume <= sellable:
            return None
        position = self._books.position(order.code)
        if position is not None and position.locked and order.volume <= position.volume:
            why = f"T+1, 今日买入的 {position.locked} 下一交易日才可卖出, 可卖 {sellable}"
        else:
            why = f"委托 {order.volume}, 可卖 {sellable}"
        return Rejection(-51, f"证券可用数量不足: {why}")


def _market_limit(order: Order, tick: Tick, terms: Terms) -> int:
    """The worst price of a market order: its protection price where it carries one, else the edge of the band."""
    buying = order.type == BUY
    peers, own = (tick.asks, tick.bids) if buying else (tick.bids, tick.asks)
    if order.price_type == PEER_PRICE:
        return peers[0][0] if peers else 0
    if order.price_type == OWN_PRICE:
        return own[0][0] if own else 0
    edge = terms.up if buying else terms.down
    if order.price > 0 and order.code[-2:] != "SZ":
        return min(order.price, edge or order.price) if buying else max(order.price, edge)
    return edge or (tick.last or tick.preclose) * (2 if buying else 0)
