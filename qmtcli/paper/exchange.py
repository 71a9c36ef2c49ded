"""The exchange: time, the entry of orders, and what can be asked.

Every public method first brings the account up to now: the day turns, resting orders meet the snapshots that
came up since. Nothing runs in between, so there is no daemon; what happened is always a function of the file,
the tape and the clock. What changes the account reads the clock once, for one moment of it all.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path

from qmtcli.errors import ConfigError, Refused, UsageError
from qmtcli.paper.books import Books
from qmtcli.paper.clock import Clock, day_of, midnight
from qmtcli.paper.codes import (
    AFTER_HOURS,
    BUY,
    CANCEL_PENDING,
    CANCELLABLE,
    FIX_PRICE,
    IN_FLIGHT,
    JUNK,
    LATEST_PRICE,
    MARKET_TYPES,
    REPORTED,
    SELL,
)
from qmtcli.paper.counter import Counter, NewOrder
from qmtcli.paper.feed import Feed, date_of, number_of
from qmtcli.paper.matching import Matching
from qmtcli.paper.settings import Settings
from qmtcli.paper.store import Account, Order, Store, Trade, values_of
from qmtcli.paper.tape import Tape
from qmtcli.rules import calendar
from qmtcli.rules import settings as rule_settings
from qmtcli.rules.phases import Phase
from qmtcli.text import read_file

#: beyond this a price (CNY) is none, and has no place in the account's integers
_MOST = 2**31
_MOST_FEN = 10**15
_FINAL = "委托状态不允许撤单"
#: what an order is again whose cancel came too late
_CANCEL_REFUSED = {pending: status for status, pending in CANCEL_PENDING.items()}
#: 09:30, ms since midnight
_PAUSE_ENDS = 34_200_000
#: most digits of an order's number
_DIGITS = 10
#: pushes are kept for so long, for sessions that were stopped or asleep
_PUSH_SECONDS = 3600


class Exchange:
    """One account on one market."""

    def __init__(self, settings: Settings, tape: Tape | None = None) -> None:
        """Open the account, creating it on first use. Raises ConfigError."""
        self.settings = settings
        calendar.supply(settings.calendar, read_file)
        clock = Clock(settings.clock, settings.clock_started)
        rules = rule_settings.parse(settings.rules)
        self.feed = Feed(tape or open_tape(settings), clock, settings.hours, rules)
        self.store = Store(settings.account_file)
        self._books = Books(self.store, self.feed, settings.fees)
        self._counter = Counter(self._books, self.feed)
        self._matching = Matching(self.store, self._books, self.feed)
        self._account()

    # -- time ------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Bring the account up to now; without a new day or a snapshot to meet nothing is written."""
        with self.store.lock:
            account, now = self._account(), self.feed.now_ms()
            if (
                self._left(account, now)
                or day_of(now) > account.wall_day
                or self._arrivals(now)
                or self._matching.has_news(account, now)
            ):
                with self.store.transaction():
                    account, _ = self._up_to_now()
                    self.store.save(account)

    def _up_to_now(self) -> tuple[Account, int]:
        """The account and the moment it stands at, inside a transaction; the caller writes it."""
        account, now = self._account(), self.feed.now_ms()
        if self._left(account, now):
            self._go_back(account, now)
        today = day_of(now)
        if today > account.wall_day:
            self._catch_up(account, midnight(account.wall_day + 1) - 1)
            if self.feed.is_trading_day(date_of(today)):
                self._turn_day(account, max(account.day + 1, today) if self.feed.always else today, now)
            account.wall_day = today
        self._catch_up(account, now)
        return account, now

    def _left(self, account: Account, now: int) -> bool:
        """Whether the clock shows a day that the account has left: one that was set, or after days of no calendar."""
        if not self.feed.always and account.day > account.wall_day:
            return day_of(now) < account.day
        return bool(self.settings.clock) and day_of(now) < account.wall_day

    def _go_back(self, account: Account, now: int) -> None:
        """To an earlier day, which an account can that never had an order.

        Raises ConfigError ``clock_behind_account`` for one that had.
        """
        if self.store.one("SELECT 1 FROM orders LIMIT 1"):
            clock = date_of(day_of(now)).isoformat()
            day = date_of(max(account.wall_day, account.day)).isoformat()
            raise ConfigError("clock_behind_account", clock=clock, day=day)
        account.day, account.wall_day, account.synced = self._trading_day(now), day_of(now), now
        self.feed.day = date_of(account.day)

    def _arrivals(self, until: int) -> list[Order]:
        """Orders that arrive, or whose cancel does, by then."""
        return [order for order in self._books.in_flight() if order.due <= until]

    def _catch_up(self, account: Account, until: int) -> None:
        """What came up meets what rests, and what was in flight arrives, in the order in which it did."""
        for flying in self._arrivals(until):
            self._matching.catch_up(account, flying.due)
            (order,) = self.store.select(Order, "WHERE id = ?", flying.id)
            self._land(account, order, flying.due)
        self._matching.catch_up(account, until)

    def _land(self, account: Account, order: Order, at_ms: int) -> None:
        order.due = 0
        if order.status == IN_FLIGHT:
            order.status, order.time = REPORTED, at_ms
            self._enter(account, order, at_ms)
            return
        why = "" if order.status in CANCEL_PENDING.values() else _FINAL
        why = why or self._why_not_now(order, at_ms)
        if not why:
            self._end(account, order, at_ms)
            return
        if order.status in _CANCEL_REFUSED:
            order.status = _CANCEL_REFUSED[order.status]
            self.store.emit("order", order=values_of(order), again=True)
        self.store.save(order)
        self._refuse_cancel(order.id, "", why, order.session)

    def next_day(self) -> date:
        """Settle the day and begin the next one; only the endless calendar can.

        Raises Refused when the day follows the calendar.
        """
        if not self.feed.always:
            raise Refused("day_follows_calendar")
        with self.store.transaction():
            account, now = self._up_to_now()
            self._turn_day(account, account.day + 1, now)
            self.store.save(account)
        return self.feed.day

    def _turn_day(self, account: Account, day: int, at_ms: int) -> None:
        self._books.settle_day(account)
        self.store.forget_events(_PUSH_SECONDS)
        before = date_of(account.day)
        account.day = day
        self.feed.day = date_of(day)
        self._books.begin_day(account, before, at_ms)

    def _account(self) -> Account:
        """The account as it is written; a new one when there is none yet."""
        found = self.store.select(Account)
        if not found:
            with self.store.transaction():
                found = self.store.select(Account) or [self._open_account(1)]
        self.feed.day = date_of(found[0].day)
        return found[0]

    def _open_account(self, next_id: int) -> Account:
        now = self.feed.now_ms()
        account = Account(self.settings.account, 0, 0, 0, self._trading_day(now), day_of(now), now, next_id)
        self._books.flow(account, now, "opening", self.settings.cash * 100)
        self.store.save(account)
        return account

    def _trading_day(self, now: int) -> int:
        """The last trading day up to a moment, which a new account stands at."""
        today = day_of(now)
        if self.feed.is_trading_day(date_of(today)):
            return today
        from qmtcli.rules.calendar import previous_trading_day

        return number_of(previous_trading_day(date_of(today)))

    # -- orders ----------------------------------------------------------------------------------------

    def place(self, new: NewOrder, delay_ms: int = 0) -> tuple[int, str]:
        """Enter an order: (its id, "") or (-1, why it never became one).

        An id is not acceptance: an order that breaks a rule becomes a 57 row and an error push. With a delay it is
        in flight until then, and arrives though its sender be dead.
        """
        if new.order_type not in (BUY, SELL):
            return -1, "无此业务权限"
        if new.price_type not in (FIX_PRICE, LATEST_PRICE, AFTER_HOURS, *MARKET_TYPES):
            return -1, "不支持的报价类型"
        with self.store.transaction():
            account, now = self._up_to_now()
            order = self._new_order(account, new, now)
            if delay_ms:
                order.status, order.due = IN_FLIGHT, now + delay_ms
                self.store.save(order)
                self.store.emit("order", order=values_of(order))
            else:
                self._enter(account, order, now)
            self.store.save(account)
        return order.id, ""

    def _new_order(self, account: Account, new: NewOrder, now: int) -> Order:
        order_id = account.next_id
        account.next_id += 1
        instrument = self.feed.tape.instrument(new.code)
        sent = new.price if abs(new.price) < _MOST else 0.0  # NaN compares false
        error, message = new.rejection or (0, "")
        return Order(
            order_id, account.day, now, new.code, instrument.name if instrument else "",
            new.order_type, new.volume, new.price_type, round(sent * 1000), 0, REPORTED, new.strategy, new.remark,
            message=message, error=error, sent=sent, session=new.session, seq=new.seq,
        )  # fmt: skip

    def _enter(self, account: Account, order: Order, at_ms: int) -> None:
        """An order is at the counter, and from there at the exchange or turned away; writes it."""
        shown = self.feed.tick(order.code, at_ms)
        scripted = bool(order.error)
        rejection = None if scripted else self._counter.judge(account, order, shown, at_ms)
        if rejection is not None:
            order.error, order.message = rejection
        if order.error:
            order.status = JUNK
            self.store.save(order)
            self._books.post(account, order)
            self.store.emit(
                "order_error", order=values_of(order), session=order.session, seq=order.seq, scripted=scripted
            )
            return
        assert shown is not None, "an order without a market was not turned away"
        self._books.post(account, order)
        self._matching.enter(account, order, shown, at_ms)
        self._books.push_account(account, [order.code], at_ms)

    def cancel(self, order_id: int, sysid: str, session: int, delay_ms: int = 0, market: str = "") -> tuple[int, str]:
        """Ask for a cancel, by the order's id or else by its number: (0, "") when it is under way, else (-1, why).

        Only an order of the ``market`` (``SH``) will do, where one is named.

        A cancel that is under way is seen through at once; with a delay when it arrives, and where the exchange holds
        it over a pause after that; until then the order may trade.
        """
        with self.store.transaction():
            account, now = self._up_to_now()
            wanted = order_id or (int(sysid) if sysid.isdecimal() and len(sysid) <= _DIGITS else 0)
            found = self._orders(account, wanted) if wanted else []
            order = next((order for order in found if order.code.endswith(market)), None)
            why = self._why_not_cancel(order, now)
            if why or order is None:
                self._refuse_cancel(order_id, sysid, why, session)
            else:
                order.status = CANCEL_PENDING[order.status]
                self.store.emit("order", order=values_of(order))
                due = max(now + delay_ms, self._held_until(order, now))
                if due > now:
                    order.session, order.due = session, due
                    self.store.save(order)
                else:
                    self._end(account, order, now)
            self.store.save(account)
            return (-1, why) if why else (0, "")

    def _end(self, account: Account, order: Order, at_ms: int) -> None:
        self._books.finish(account, order)
        self.store.save(order)
        self._books.push_account(account, [order.code], at_ms)

    def _refuse_cancel(self, order_id: int, sysid: str, why: str, session: int) -> None:
        self.store.emit("cancel_error", order_id=order_id, sysid=sysid, message=why, session=session)

    def _why_not_cancel(self, order: Order | None, now: int) -> str:
        if order is None:
            return "委托不存在"
        if order.status == IN_FLIGHT:
            return "委托未报, 不能撤单"
        if order.status not in CANCELLABLE:
            return _FINAL
        return self._why_not_now(order, now)

    def _why_not_now(self, order: Order, now: int) -> str:
        """Why the exchange takes no cancel of an order at a moment; empty when it does."""
        instrument = self.feed.tape.instrument(order.code)
        if instrument is None:  # the profile's market was changed under it
            return ""
        phase = self.feed.phase(instrument, now)
        if phase is None or not phase.accepts_cancels or (phase.is_after_hours and order.price_type != AFTER_HOURS):
            return "当前时间不允许撤单"
        return ""

    def _held_until(self, order: Order, now: int) -> int:
        """The last moment of the pause over which the exchange holds a cancel; ``now`` when it does not."""
        instrument = self.feed.tape.instrument(order.code)
        if instrument is None or self.feed.phase(instrument, now) is not Phase.PAUSE_HELD:
            return now
        return midnight(day_of(now)) + _PAUSE_ENDS - 1

    # -- questions -------------------------------------------------------------------------------------

    def orders(self, order_id: int = 0, open_only: bool = False) -> list[Order]:
        """Orders of the day, or the one of an id; those that can be canceled."""
        self.refresh()
        with self.store.reading():
            found = self._orders(self._account(), order_id)
        return [order for order in found if order.status in CANCELLABLE] if open_only else found

    def _orders(self, account: Account, order_id: int) -> list[Order]:
        if order_id:
            return self.store.select(Order, "WHERE id = ? AND day = ?", order_id, account.day)
        return self.store.select(Order, "WHERE day = ? ORDER BY id", account.day)

    def trades(self) -> list[tuple[Trade, Order]]:
        """Trades of the day, each with its order."""
        self.refresh()
        with self.store.reading():
            account = self._account()
            orders = {order.id: order for order in self._orders(account, 0)}
            rows = self.store.select(Trade, "WHERE day = ? ORDER BY id", account.day)
        return [(trade, orders[trade.order_id]) for trade in rows]

    def positions(self) -> list[dict[str, object]]:
        """Holdings, those sold out today and money lent by repo included, in the form of a position push."""
        self.refresh()
        with self.store.reading():
            self._account()
            now = self.feed.now_ms()
            return [self._books.holding(position, now) for position in self._books.positions()] + self._books.lent()

    def asset(self) -> dict[str, int]:
        """Money (fen) and value, in the form of an asset push."""
        self.refresh()
        with self.store.reading():
            return self._books.asset(self._account(), self.feed.now_ms())

    def today(self) -> date:
        """The account's trading day."""
        self.refresh()
        return self.feed.day

    def last_of(self, remark: str, day: date) -> Order | None:
        """The last order of a day that carries a remark."""
        found = self.store.select(
            Order, "WHERE day = ? AND remark = ? ORDER BY id DESC LIMIT 1", number_of(day), remark
        )
        return found[0] if found else None

    def knows(self, remark: str) -> bool:
        """Whether an order of the day carries a remark, on its way or listed by nobody it may be."""
        with self.store.reading():
            sql = "SELECT 1 FROM orders WHERE day = ? AND remark = ? LIMIT 1"
            return self.store.one(sql, self._account().day, remark) is not None

    # -- the owner's hand ------------------------------------------------------------------------------

    def deposit(self, fen: int) -> None:
        """Pay money in. Raises UsageError ``bad_money`` for what is no amount of it."""
        if not 0 < fen < _MOST_FEN:
            raise UsageError("bad_money", text=f"{fen / 100:g}")
        with self.store.transaction():
            account, now = self._up_to_now()
            self._books.flow(account, now, "deposit", fen)
            self.store.save(account)
            self._books.push_account(account, (), now)

    def withdraw(self, fen: int) -> None:
        """Pay money out. Raises UsageError ``bad_money`` for what is no amount of it, Refused ``not_withdrawable``."""
        if not 0 < fen < _MOST_FEN:
            raise UsageError("bad_money", text=f"{fen / 100:g}")
        with self.store.transaction():
            account, now = self._up_to_now()
            fetch = self._books.withdrawable(account)
            if fen > fetch:
                raise Refused("not_withdrawable", value=fen / 100, most=fetch / 100)
            self._books.flow(account, now, "withdrawal", -fen)
            self.store.save(account)
            self._books.push_account(account, (), now)

    def reset(self) -> None:
        """Begin anew: no orders, no holdings, the opening cash. No id is given out again."""
        with self.store.transaction():
            next_id = self._account().next_id
            for table in ("account", "orders", "trades", "positions", "loans", "flows", "consumed"):
                self.store.execute(f"DELETE FROM {table}")
            account = self._open_account(next_id)
            self.feed.day = date_of(account.day)
            self._books.push_account(account, (), account.synced)


def open_tape(settings: Settings) -> Tape:
    """The tape of a run's market, its instruments as the user's table has them. Raises ConfigError."""
    tape: Tape
    if settings.market == "sample":
        from qmtcli.paper.sample import SampleTape

        tape = SampleTape(settings.hours, rule_settings.parse(settings.rules))
    else:
        from qmtcli.paper.folder import FolderTape

        tape = FolderTape(Path(settings.market), settings.indexes)
    if settings.instruments:
        from qmtcli.paper.overridden import override
        from qmtcli.rules.instruments import read

        tape = override(tape, read(read_file(settings.instruments), settings.instruments))
    return tape


#: exchanges of the run's accounts but its first, by account id
_others: dict[str, Exchange] = {}


@lru_cache(maxsize=1)
def current() -> Exchange:
    """The exchange of this process's paper run, with the profile's own account.

    Raises RuntimeError outside of one, ConfigError as `Exchange`.
    """
    _others.clear()
    return Exchange(Settings.from_environment())


def of(account: str) -> Exchange:
    """The exchange with one of the run's accounts, on the market that is every account's. Raises as `current`."""
    own = current()
    if account == own.settings.account:
        return own
    if account not in _others:
        _others[account] = Exchange(replace(own.settings, account=account), own.feed.tape)
    return _others[account]


def forget() -> list[Exchange]:
    """The exchanges that this process had open, for the caller to close; the next `current` opens anew."""
    found = [current(), *_others.values()] if current.cache_info().currsize else []
    current.cache_clear()
    _others.clear()
    return found
