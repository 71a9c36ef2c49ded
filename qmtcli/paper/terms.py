"""The rules of one instrument on one day, in the exchange's integers: what an order of it must keep to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache

from qmtcli.messages import error_text
from qmtcli.model import Instrument, Kind, Side
from qmtcli.paper.tape import Level, Tick
from qmtcli.rules import bands, cage, fees, lots, settings, settlement, ticks

#: fen lent by one unit of repo volume
REPO_FEN = settlement.REPO_UNIT * 100


def milli(price: Decimal) -> int:
    """Thousandths of a yuan."""
    return int(price * 1000)


def fen(turnover: int) -> int:
    """Fen of a sum of milli x shares, rounded half up."""
    return (turnover + 5) // 10


def decimal(price: int) -> Decimal:
    """CNY of a price in milli."""
    return Decimal(price) / 1000


@dataclass(frozen=True)
class Terms:
    """Prices in milli, fees in fen; ``down`` and ``up`` are 0 on a day without price limits."""

    instrument: Instrument
    day: date
    tick: int
    down: int
    up: int
    t0: bool
    schedule: fees.FeeSchedule
    rules: settings.Settings
    preclose: int

    @property
    def lends(self) -> bool:
        """Whether a sale lends money (repo): the price is a rate, and what is lent comes back."""
        return self.instrument.kind is Kind.REPO

    @property
    def unlimited(self) -> bool:
        """Whether it is a share on a day without price limits."""
        return not self.up and self.instrument.kind in (Kind.STOCK, Kind.CDR)

    @cached_property
    def halts(self) -> tuple[bands.Halt, ...]:
        """The intraday halts that the day may have."""
        return bands.halts(self.instrument, self.day)

    @property
    def halts_from_open(self) -> bool:
        """Whether they are counted from the open; otherwise from the reference price."""
        return bands.halts_from_open(self.instrument, self.rules)

    @property
    def market_orders(self) -> bool:
        """Whether the instrument takes market orders at all."""
        return lots.lot_rule(self.instrument, self.day, self.rules).market_cap is not None

    @property
    def opening_range(self) -> tuple[int, int]:
        """(lowest, highest) price in the opening auction of a day without price limits."""
        low, high = bands.opening_range(self.instrument, decimal(self.preclose), self.rules)
        return milli(low), milli(high)

    def amount(self, turnover: int, volume: int) -> int:
        """Fen of ``volume`` shares that cost ``turnover`` (milli x shares) in all."""
        return volume * REPO_FEN if self.lends else fen(turnover)

    def volume_violation(self, buying: bool, volume: int, sellable: int | None, market: bool, after_hours: bool) -> str:
        """Why a volume is not one of the instrument's, in words; empty when it is."""
        found = (
            lots.check_buy_volume(self.instrument, volume, self.day, market, self.rules, after_hours)
            if buying
            else lots.check_sell_volume(self.instrument, volume, sellable, self.day, market, self.rules, after_hours)
        )
        return "" if found is None else error_text(found.code, found.params, "zh")[0]

    @property
    def parks(self) -> bool:
        """Whether a limit order outside the cage waits for it; otherwise it is rejected."""
        return cage.parks(self.instrument, self.day)

    def cage_passed(self, buying: bool, price: int, tick: Tick) -> int:
        """The price that a limit order may not pass in continuous trading, where it does; else 0."""
        found = cage.cage(
            self.instrument,
            Side.BUY if buying else Side.SELL,
            _best(tick.bids),
            _best(tick.asks),
            decimal(tick.last) if tick.last else None,
            decimal(tick.preclose),
            self.day,
            self.rules,
        )
        bound = 0 if found is None else milli(found)
        return bound if bound and (price > bound if buying else price < bound) else 0

    def fee(self, buying: bool, amount: int) -> int:
        """Fen that an order costs which traded ``amount`` fen so far; a sale never costs more than it brought."""
        return self._fees(buying, amount)

    @cached_property
    def _fees(self) -> Callable[[bool, int], int]:
        # the counter asks before an order and the books after it, and orders are often of one size
        return lru_cache(maxsize=1024)(self._find_fee)

    def _find_fee(self, buying: bool, amount: int) -> int:
        side = Side.BUY if buying else Side.SELL
        fee = int(fees.fees(self.instrument, side, Decimal(amount) / 100, self.day, self.schedule).total * 100)
        return fee if buying else min(fee, amount)


def _best(levels: Sequence[Level]) -> Decimal | None:
    return decimal(levels[0][0]) if levels else None


@lru_cache(maxsize=4096)
def terms_of(
    instrument: Instrument,
    preclose: int,
    day: date,
    overrides: tuple[tuple[str, str], ...],
    rules: settings.Settings = settings.DEFAULT,
) -> Terms:
    """The terms of a day; ``overrides`` replace rates of the fee schedule."""
    band = bands.band(instrument, decimal(preclose), day, settings=rules)
    schedule = settings.parse_fees(dict(overrides))
    return Terms(
        instrument,
        day,
        milli(ticks.tick(instrument, rules)),
        milli(band.down) if band else 0,
        milli(band.up) if band else 0,
        settlement.is_t0(instrument, rules),
        schedule,
        rules,
        preclose,
    )
