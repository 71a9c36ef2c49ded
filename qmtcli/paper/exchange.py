"""The exchange and the counter in front of it: what an order meets, in the order it meets it.

Every public method first brings the account up to now: the day turns, resting orders meet the snapshots that
came up since. Nothing runs in between, so there is no daemon; what happened is always a function of the file,
the tape and the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from typing import NamedTuple

from qmtcli.errors import Refused
from qmtcli.model import Instrument, Kind
from qmtcli.paper.clock import Clock, day_of, midnight, time_of
from qmtcli.paper.feed import Feed, date_of
from qmtcli.paper.settings import Settings
from qmtcli.paper.store import Account, Order, Position, Row, Store, Trade
from qmtcli.paper.tape import Level, Tape, Tick
from qmtcli.paper.terms import Terms, terms_of

BUY, SELL = 23, 24
REPORTED, PART_CANCELED, CANCELED, PART_FILLED, FILLED, JUNK = 50, 53, 54, 55, 56, 57
CANCEL_PENDING = {REPORTED: 51, PART_FILLED: 52}
OPEN = (REPORTED, PART_FILLED)

FIX_PRICE, LATEST_PRICE = 11, 5
#: a limit order at the opposite or at the own best price on arrival
PEER_PRICE, OWN_PRICE = 44, 45
#: market order types that leave nothing on the book
IMMEDIATE = {42: 5, 46: None, 47: 5, 48: None}
BEST5_THEN_LIMIT, FILL_OR_KILL = 43, 48
#: exchanges of each market order type (constants and comments of xtconstant)
MARKET_TYPES = {
    42: ("SH", "BJ"), 43: ("SH", "BJ"), 44: ("SH", "SZ", "BJ"), 45: ("SH", "SZ", "BJ"),
    46: ("SZ",), 47: ("SZ",), 48: ("SZ",),
}  # fmt: skip

_CONTINUOUS = 13
_SUSPENDED = (1, 17, 20)
_INT32 = 2**31


class Rejection(NamedTuple):
    """Why the counter or the exchange turns an order away: ``error_id`` and the words of a terminal."""

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


class Exchange:
    """One account on one market."""

    def __init__(self, settings: Settings, tape: Tape | None = None) -> None:
        """Open the account, creating it on first use. Raises ConfigError."""
        self.settings = settings
        self.feed = Feed(
            tape or open_tape(settings.market), Clock(settings.clock, settings.clock_started), settings.hours
        )
        self.store = Store(settings.account_file)
        self._account()

    # -- time ------------------------------------------------------------------------------------------

    def refresh(self) -> Account:
        """Bring the account up to now."""
        with self.store.transaction():
            account = self._account()
            now = self.feed.now_ms()
            today = day_of(now)
            if today > account.wall_day:
                self._rest_until(account, min(now, midnight(account.wall_day + 1) - 1))
                if self.feed.is_trading_day(date_of(today)):
                    self._turn_day(account, max(account.day + 1, today) if self.feed.always else today)
                account.wall_day = today
                account.synced = midnight(today) - 1
                self.store.save(account)
            self._rest_until(account, now)
            return account

    def next_day(self) -> date:
        """Settle the day and begin the next one; only the endless calendar can.

        Raises Refused when the day follows the calendar.
        """
        if not self.feed.always:
            raise Refused("day_follows_calendar")
        with self.store.transaction():
            account = self.refresh()
            self._turn_day(account, account.day + 1)
            self.store.save(account)
        return self.feed.day

    def _account(self) -> Account:
        found = self.store.select(Account)
        if not found:
            with self.store.transaction():
                found = self.store.select(Account)
                if not found:
                    found = [self._open_account()]
        account: Account = found[0]
        self.feed.day = date_of(account.day)
        return account

    def _open_account(self) -> Account:
        now = self.feed.now_ms()
        today = day_of(now)
        cash = self.settings.cash * 100
        account = Account([cash, today, 0, self.settings.account, 1, now, 2, today])
        self.store.save(account)
        self.store.execute("INSERT INTO flows VALUES (?, ?, ?, 'opening')", today, now, cash)
        return account

    def _turn_day(self, account: Account, day: int) -> None:
        for order in self._open_orders():
            self._finish(order, CANCELED, "收盘自动撤单")
        self.store.execute("UPDATE positions SET locked = 0, yesterday = volume")
        self.store.execute("DELETE FROM positions WHERE volume = 0")
        self.store.execute("DELETE FROM consumed")
        account.day = day
        account.held = 0
        self.feed.day = date_of(day)

    # -- orders ----------------------------------------------------------------------------------------

    def place(self, new: NewOrder) -> tuple[int, str]:
        """Enter an order: (its id, "") or (-1, why it never became one).

        An id is not acceptance: an order that breaks a rule becomes a 57 row and an error push.
        """
        with self.store.transaction():
            account = self.refresh()
            if new.account_id != account.id:
                return -1, "资金账号未登录"
            if new.order_type not in (BUY, SELL):
                return -1, "无此业务权限"
            if new.price_type not in (FIX_PRICE, LATEST_PRICE, *MARKET_TYPES):
                return -1, "不支持的报价类型"
            order = self._new_order(account, new)
            instrument = self.feed.tape.instrument(new.code)
            shown = self.feed.tick(new.code)
            rejection = self._judge(account, order, new, instrument, shown)
            if rejection is not None:
                order.status, order.error, order.message = JUNK, *rejection
                self._push_order(order)
                self.store.emit(
                    "order_error", order_id=order.id, error_id=rejection.error_id, message=rejection.message,
                    strategy=new.strategy, remark=new.remark, session=new.session, seq=new.seq,
                )  # fmt: skip
                return order.id, ""
            order.sysid = str(order.id)
            order.frozen = self._freeze(order)
            self._push_order(order)
            assert shown is not None and instrument is not None
            self._meet_book(account, order, *shown)
            self.store.save(account)
            return order.id, ""

    def cancel(self, account_id: str, order_id: int, sysid: str, session: int) -> tuple[int, Order | None, str]:
        """Ask for a cancel: (0, the order, "") when it is under way, else (-1, the order or None, why)."""
        with self.store.transaction():
            account = self.refresh()
            found = (
                self.store.select(Order, "WHERE day = ? AND (id = ? OR (sysid = ? AND sysid <> ''))",
                                  account.day, order_id, sysid)
                if account_id == account.id else []
            )  # fmt: skip
            order: Order | None = found[0] if found else None
            why = ""
            if order is None:
                why = "委托不存在"
            elif order.status not in OPEN:
                why = "委托状态不允许撤单"
            elif not self.feed.always and not self._phase_allows(order.code, cancel=True):
                why = "当前时间不允许撤单"
            if why or order is None:
                self.store.emit(
                    "cancel_error", order_id=order_id, sysid=sysid, error_id=-1, message=why, session=session
                )
                return -1, order, why
            order.status = CANCEL_PENDING[order.status]
            self._push_order(order)
            self._finish(order, CANCELED, "")
            self.store.save(account)
            self._push_account(account, order.code)
            return 0, order, ""

    def _new_order(self, account: Account, new: NewOrder) -> Order:
        order_id = account.next_id
        account.next_id += 1
        self.store.save(account)
        instrument = self.feed.tape.instrument(new.code)
        price = round(new.price * 1000) if abs(new.price) < _INT32 else 0
        return Order([
            new.code, account.day, 0, 0, 0, order_id, price, "", instrument.name if instrument else "", price,
            new.price_type, -1, new.remark, REPORTED, new.strategy, "", self.feed.now_ms(), 0, 0,
            new.order_type, new.volume,
        ])  # fmt: skip

    def _judge(
        self,
        account: Account,
        order: Order,
        new: NewOrder,
        instrument: Instrument | None,
        shown: tuple[int, Tick] | None,
    ) -> Rejection | None:
        """What is wrong with an order, or None; sets the order's limit price."""
        if instrument is None:
            return Rejection(-20, f"证券代码不存在: {new.code}")
        if instrument.kind in (Kind.INDEX, Kind.REPO):
            return Rejection(-21, f"无此证券的交易权限: {new.code}")
        if new.volume <= 0:
            return Rejection(-30, f"委托数量非法: {new.volume}")
        if shown is None or (not self.feed.always and not self._phase_allows(new.code)):
            return Rejection(-61, "当前时间不允许此类证券交易")
        tick = shown[1]
        if tick.phase in _SUSPENDED:
            return Rejection(-22, f"证券停牌: {new.code}")
        terms = self.terms(instrument, tick.preclose)
        return (
            self._judge_price(order, new, tick, terms)
            or self._judge_volume(order, instrument, terms)
            or self._judge_means(account, order, terms)
        )

    def _judge_price(self, order: Order, new: NewOrder, tick: Tick, terms: Terms) -> Rejection | None:
        buying = order.type == BUY
        market = MARKET_TYPES.get(order.price_type)
        if market is not None:
            if order.code[-2:] not in market or not terms.market_orders:
                return Rejection(-40, "该证券不支持此报价类型")
            if not self.feed.always and not self._phase_allows(order.code, matching=True):
                return Rejection(-61, "当前时间不允许市价委托")
            order.limit_price = self._market_limit(order, new, tick, terms)
            return None
        if order.price_type == LATEST_PRICE:
            order.price = order.limit_price = tick.last or tick.preclose
            return None
        if not new.price > 0:  # NaN compares false
            return Rejection(-41, "委托价格非法")
        if abs(new.price * 1000 - order.price) > 1e-4 or order.price % terms.tick:
            return Rejection(-42, f"委托价格不符合最小变动单位 {terms.tick / 1000:g}")
        if terms.down and not terms.down <= order.price <= terms.up:
            bound = "涨停价" if order.price > terms.up else "跌停价"
            limit = terms.up if order.price > terms.up else terms.down
            sign = "高于" if order.price > terms.up else "低于"
            return Rejection(-43, f"委托价格 {order.price / 1000:g} {sign}{bound} {limit / 1000:g}")
        cage = terms.cage(buying, tick)
        if cage and (order.price > cage if buying else order.price < cage):
            return Rejection(-44, f"委托价格超出有效申报价格范围 {cage / 1000:g}")
        return None

    def _market_limit(self, order: Order, new: NewOrder, tick: Tick, terms: Terms) -> int:
        """The worst price of a market order: its protection price where it carries one, else the band's edge."""
        buying = order.type == BUY
        peers, own = (tick.asks, tick.bids) if buying else (tick.bids, tick.asks)
        if order.price_type == PEER_PRICE:
            return peers[0][0] if peers else 0
        if order.price_type == OWN_PRICE:
            return own[0][0] if own else 0
        edge = terms.up if buying else terms.down
        protected = round(new.price * 1000) if new.price > 0 else 0
        if protected and order.code[-2:] != "SZ":
            return min(protected, edge or protected) if buying else max(protected, edge)
        return edge or (tick.last or tick.preclose) * (2 if buying else 0)

    def _judge_volume(self, order: Order, instrument: Instrument, terms: Terms) -> Rejection | None:
        sellable = None if order.type == BUY else self.sellable(order.code)
        violation = terms.volume_violation(order.type == BUY, order.volume, sellable, order.price_type in MARKET_TYPES)
        return Rejection(-31, f"委托数量不符合交易单位: {violation}") if violation else None

    def _judge_means(self, account: Account, order: Order, terms: Terms) -> Rejection | None:
        if order.type == BUY:
            need, available = self._freeze(order), account.cash - self.frozen_cash()
            if need > available:
                return Rejection(-50, f"可用资金不足: 需要 {need / 100:.2f}, 可用 {available / 100:.2f}")
            return None
        sellable = self.sellable(order.code)
        if order.volume <= sellable:
            return None
        position = self.position(order.code)
        if position is not None and position.locked and order.volume <= position.volume:
            return Rejection(
                -51,
                f"证券可用数量不足: T+1, 今日买入的 {position.locked} 下一交易日才可卖出 (可卖 {sellable})",
            )
        return Rejection(-51, f"证券可用数量不足: 委托 {order.volume}, 可卖 {sellable}")

    def _phase_allows(self, code: str, cancel: bool = False, matching: bool = False) -> bool:
        from qmtcli.rules.phases import phase_at

        now = self.feed.now_ms()
        today = date_of(day_of(now))
        instrument = self.feed.tape.instrument(code)
        if instrument is None or self.feed.tape_day != today or not self.feed.is_trading_day(today):
            return False
        phase = phase_at(instrument, time_of_day(now), today)
        return phase.matches if matching else phase.accepts_cancels if cancel else phase.accepts_orders

    # -- matching --------------------------------------------------------------------------------------

    def _meet_book(self, account: Account, order: Order, stamp: int, tick: Tick) -> None:
        """An arriving order takes what the book displays, then rests or goes, as its type says."""
        if tick.phase == _CONTINUOUS:
            levels = self._left(order, stamp, tick)
            wanted = sum(volume for _, volume in levels)
            if order.price_type == FILL_OR_KILL and wanted < order.volume:
                levels = []
            for price, volume in levels:
                self._consume(order.code, stamp, price, min(volume, order.remaining))
                self._fill(account, order, price, min(volume, order.remaining), stamp)
                if not order.remaining:
                    return
        if order.price_type in IMMEDIATE or not order.limit_price:
            self._finish(order, CANCELED, "")
            return
        if order.price_type == BEST5_THEN_LIMIT:
            self._rest_of_market(order, tick)
            if order.status not in OPEN:
                return
        own = tick.bids if order.type == BUY else tick.asks
        order.queue = _queue(order, own)
        self.store.save(order)

    def _rest_of_market(self, order: Order, tick: Tick) -> None:
        own = tick.bids if order.type == BUY else tick.asks
        if order.traded:
            trades = self.store.select(Trade, "WHERE order_id = ? ORDER BY id DESC LIMIT 1", order.id)
            order.limit_price = trades[0].price
        elif own:
            order.limit_price = own[0][0]
        else:
            self._finish(order, CANCELED, "")
            return
        order.frozen = self._freeze(order)

    def _left(self, order: Order, stamp: int, tick: Tick) -> list[Level]:
        """Opposite levels the order may take, less what this snapshot has already given."""
        buying = order.type == BUY
        taken = dict(
            self.store.execute("SELECT price, volume FROM consumed WHERE code = ? AND stamp = ?", order.code, stamp)
        )
        levels = []
        for price, volume in tick.asks if buying else tick.bids:
            if price > order.limit_price if buying else price < order.limit_price:
                break
            left = volume - taken.get(price, 0)
            if left > 0:
                levels.append((price, left))
        return levels

    def _consume(self, code: str, stamp: int, price: int, volume: int) -> None:
        self.store.execute("DELETE FROM consumed WHERE code = ? AND stamp < ?", code, stamp)
        self.store.execute(
            "INSERT INTO consumed VALUES (?, ?, ?, ?) "
            "ON CONFLICT (code, stamp, price) DO UPDATE SET volume = volume + excluded.volume",
            code, stamp, price, volume,
        )  # fmt: skip

    def _rest_until(self, account: Account, until: int) -> None:
        """Resting orders meet the snapshots since the account was last brought up to now."""
        if until <= account.synced:
            return
        resting: dict[str, list[Order]] = {}
        for order in self._open_orders():
            resting.setdefault(order.code, []).append(order)
        arrivals = [
            (stamp, tick, code, before)
            for code in resting
            for stamp, tick, before in _with_before(self.feed, code, account.synced, until)
        ]
        for stamp, tick, code, before in sorted(arrivals, key=lambda arrival: arrival[0]):
            orders = [order for order in resting[code] if order.status in OPEN and order.time < stamp]
            traded = max(0, tick.volume - before)
            for order in sorted(orders, key=_priority):
                traded -= self._meet_snapshot(account, order, stamp, tick, traded)
        account.synced = until
        self.store.save(account)

    def _meet_snapshot(self, account: Account, order: Order, stamp: int, tick: Tick, traded: int) -> int:
        """A resting order meets one snapshot; shares it took of what traded since the one before."""
        if tick.phase != _CONTINUOUS:
            return 0
        buying, price = order.type == BUY, order.limit_price
        crossing = self._left(order, stamp, tick)
        through = traded if tick.last and (tick.last < price if buying else tick.last > price) else 0
        touched = 0
        if tick.last == price and order.queue >= 0:
            touched = max(0, traded - order.queue)
            order.queue = max(0, order.queue - traded)
        displayed = sum(volume for _, volume in crossing)
        volume = min(order.remaining, max(displayed, through, touched))
        if volume:
            left = volume
            for level, available in crossing:
                self._consume(order.code, stamp, level, min(left, available))
                left = max(0, left - available)
            self._fill(account, order, price, volume, stamp)
        if order.status in OPEN:
            queue = _queue(order, tick.bids if buying else tick.asks)
            if queue >= 0 and (order.queue < 0 or queue < order.queue):
                order.queue = queue
            self.store.save(order)
        return min(volume, traded) if volume > displayed else 0

    # -- books -----------------------------------------------------------------------------------------

    def _fill(self, account: Account, order: Order, price: int, volume: int, stamp: int) -> None:
        """Trade: money, shares, fees, rows and pushes."""
        buying = order.type == BUY
        instrument = self.feed.tape.instrument(order.code)
        assert instrument is not None
        terms = self.terms(instrument)
        order.traded += volume
        order.turnover += price * volume
        amount = _fen(order.turnover) - _fen(order.turnover - price * volume)
        fee = terms.fee(buying, _fen(order.turnover)) - order.fee
        order.fee += fee
        order.status = PART_FILLED if order.remaining else FILLED
        order.frozen = self._freeze(order) if order.remaining else 0
        account.cash += -amount - fee if buying else amount - fee
        if not buying:
            account.held += amount - fee
        trade_id = int(self.store.one("SELECT coalesce(max(id), 0) + 1 FROM trades"))
        trade = Trade([amount, account.day, fee, trade_id, order.id, price, max(stamp, order.time), volume])
        self.store.save(trade)
        self._move_shares(order, volume, amount, fee, terms)
        self.store.emit("trade", **_body(trade))
        self._push_order(order)
        self.store.save(account)
        self._push_account(account, order.code)

    def _move_shares(self, order: Order, volume: int, amount: int, fee: int, terms: Terms) -> None:
        position = self.position(order.code) or Position([order.code, 0, 0, order.name, 0, 0])
        if order.type == BUY:
            position.volume += volume
            position.locked += 0 if terms.t0 else volume
            position.cost += amount + fee
        else:
            position.cost -= position.cost * volume // position.volume
            position.volume -= volume
        self.store.save(position)

    def _freeze(self, order: Order) -> int:
        """Fen an open buy order holds: what its rest may cost, and the fees of the whole."""
        if order.type != BUY:
            return 0
        instrument = self.feed.tape.instrument(order.code)
        assert instrument is not None
        rest = order.limit_price * order.remaining
        total = _fen(order.turnover + rest)
        return total - _fen(order.turnover) + self.terms(instrument).fee(True, total) - order.fee

    def _finish(self, order: Order, status: int, message: str) -> None:
        order.status = PART_CANCELED if status == CANCELED and order.traded else status
        order.message = message
        order.frozen = 0
        self._push_order(order)

    def _push_order(self, order: Order) -> None:
        self.store.save(order)
        self.store.emit("order", **_body(order))

    def _push_account(self, account: Account, code: str) -> None:
        self.store.emit("asset", **self._asset(account))
        position = self.position(code)
        if position is not None:
            self.store.emit("position", **self._position(position))

    def terms(self, instrument: Instrument, preclose: int | None = None) -> Terms:
        """The rules of an instrument today."""
        day = self.feed.day
        if preclose is None:
            preclose = self.feed.tape.preclose(instrument.code, self.feed.tape_day)
        return terms_of(instrument, preclose, day, tuple(sorted(self.settings.fees.items())))

    # -- questions -------------------------------------------------------------------------------------

    def frozen_cash(self) -> int:
        """Fen held by open buy orders."""
        return int(self.store.one("SELECT coalesce(sum(frozen), 0) FROM orders WHERE status IN (50, 55)"))

    def frozen_shares(self, code: str) -> int:
        """Shares held by open sell orders."""
        return int(
            self.store.one(
                "SELECT coalesce(sum(volume - traded), 0) FROM orders WHERE status IN (50, 55) AND type = ? AND code = ?",
                SELL, code,
            )
        )  # fmt: skip

    def position(self, code: str) -> Position | None:
        """The holding of one code; None when there is none."""
        found = self.store.select(Position, "WHERE code = ?", code)
        return found[0] if found else None

    def sellable(self, code: str) -> int:
        """Shares that can be sold now."""
        position = self.position(code)
        return 0 if position is None else int(position.volume - position.locked - self.frozen_shares(code))

    def orders(self, order_id: int = 0, open_only: bool = False) -> list[Order]:
        """Today's orders."""
        account = self.refresh()
        where, values = "WHERE day = ?", [account.day]
        if order_id:
            where, values = where + " AND id = ?", [*values, order_id]
        if open_only:
            where += " AND status IN (50, 55)"
        return list(self.store.select(Order, where + " ORDER BY id", *values))

    def trades(self) -> list[tuple[Trade, Order]]:
        """Today's trades, each with its order."""
        account = self.refresh()
        orders = {order.id: order for order in self.store.select(Order, "WHERE day = ?", account.day)}
        rows = self.store.select(Trade, "WHERE day = ? ORDER BY id", account.day)
        return [(trade, orders[trade.order_id]) for trade in rows]

    def positions(self) -> list[dict[str, object]]:
        """Holdings, sold-out ones of today included, in the form of a position push."""
        self.refresh()
        return [self._position(position) for position in self.store.select(Position, "ORDER BY code")]

    def asset(self) -> dict[str, object]:
        """Money and value, in the form of an asset push."""
        return self._asset(self.refresh())

    def _asset(self, account: Account) -> dict[str, object]:
        frozen = self.frozen_cash()
        value = sum(_fen(p.volume * self._last(p.code)) for p in self.store.select(Position))
        available = account.cash - frozen
        return {
            "cash": available, "frozen": frozen, "value": value, "total": account.cash + value,
            "fetch": max(0, available - account.held),
        }  # fmt: skip

    def _position(self, position: Position) -> dict[str, object]:
        last = self._last(position.code)
        return {
            "code": position.code, "name": position.name, "volume": position.volume,
            "sellable": self.sellable(position.code), "frozen": self.frozen_shares(position.code),
            "yesterday": position.yesterday, "cost": position.cost, "last": last,
            "value": _fen(position.volume * last),
        }  # fmt: skip

    def _last(self, code: str) -> int:
        shown = self.feed.tick(code)
        if shown is not None and shown[1].last:
            return shown[1].last
        return self.feed.tape.preclose(code, self.feed.tape_day)

    def _open_orders(self) -> list[Order]:
        return list(self.store.select(Order, "WHERE status IN (50, 55) ORDER BY id"))

    # -- the owner's hand ------------------------------------------------------------------------------

    def deposit(self, fen: int) -> None:
        """Pay money in."""
        with self.store.transaction():
            account = self.refresh()
            account.cash += fen
            self.store.save(account)
            self.store.execute(
                "INSERT INTO flows VALUES (?, ?, ?, 'deposit')", account.day, self.feed.now_ms(), fen
            )
            self.store.emit("asset", **self._asset(account))

    def reset(self) -> None:
        """Begin anew: no orders, no holdings, the opening cash."""
        with self.store.transaction():
            for table in ("account", "orders", "trades", "positions", "flows", "consumed"):
                self.store.execute(f"DELETE FROM {table}")
            self._account()


def open_tape(market: str) -> Tape:
    """The tape that a profile's ``market`` names. Raises ConfigError when it cannot be read."""
    if market == "sample":
        from qmtcli.paper.sample import SampleTape

        return SampleTape()
    from pathlib import Path

    from qmtcli.paper.folder import FolderTape

    return FolderTape(Path(market))


@lru_cache(maxsize=1)
def current() -> Exchange:
    """The exchange of this process's paper run. Raises RuntimeError outside of one, ConfigError as `Exchange`."""
    return Exchange(Settings.from_environment())


def time_of_day(epoch_ms: int) -> time:
    """Shanghai's time of day, to the second."""
    seconds = time_of(epoch_ms) // 1000
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60)


def _fen(turnover: int) -> int:
    """Fen of a sum of milli x shares, rounded half up."""
    return (turnover + 5) // 10


def _body(row: Row) -> dict[str, object]:
    return dict(zip(row.__slots__, row.values(), strict=True))


def _priority(order: Order) -> tuple[int, int]:
    return (-order.limit_price if order.type == BUY else order.limit_price, order.id)


def _queue(order: Order, own: tuple[Level, ...]) -> int:
    """Shares displayed at the order's price; 0 when it is better than all displayed, -1 when it is not shown."""
    for price, volume in own:
        if price == order.limit_price:
            return volume
    if not own or (order.limit_price > own[0][0] if order.type == BUY else order.limit_price < own[0][0]):
        return 0
    return -1


def _with_before(feed: Feed, code: str, after: int, until: int) -> Iterator[tuple[int, Tick, int]]:
    """Snapshots in ``(after, until]``, each with the day's volume at the one before."""
    shown = feed.tick(code, after)
    before = shown[1].volume if shown else 0
    for stamp, tick in feed.ticks(code, after, until):
        yield stamp, tick, before
        before = tick.volume
