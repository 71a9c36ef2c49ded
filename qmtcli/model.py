"""The nouns of qmt: what every room above the vendor's line speaks of.

Named tuples with evaluated annotations: every command imports this, and a frozen dataclass costs ten times as much.
"""

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import NamedTuple, Optional


class StrEnum(str, Enum):
    """`enum.StrEnum` of Python 3.11, for 3.10."""

    def __str__(self) -> str:
        return str(self.value)


class Kind(StrEnum):
    """What an instrument is."""

    STOCK = "stock"
    CDR = "cdr"
    B_SHARE = "b_share"
    ETF = "etf"
    LOF = "lof"
    REIT = "reit"
    CONV_BOND = "conv_bond"
    EXCH_BOND = "exch_bond"
    TREASURY = "treasury"
    REPO = "repo"
    INDEX = "index"


class Board(StrEnum):
    """Where a stock is listed; ``NONE`` for everything that is no stock."""

    MAIN = "main"
    STAR = "star"
    CHINEXT = "chinext"
    BSE = "bse"
    NONE = "none"


class Side(StrEnum):
    """Direction of an order."""

    BUY = "buy"
    SELL = "sell"


class Credit(StrEnum):
    """What an order on a margin account is for."""

    #: 担保品买入、卖出: with the account's own money and shares
    COLLATERAL = "collateral"
    #: 融资买入: with borrowed money
    FIN = "fin"
    #: 融券卖出: of borrowed shares
    SLO = "slo"
    #: 买券还券, 卖券还款: to give back what was borrowed
    REPAY = "repay"


class Instrument(NamedTuple):
    """What the rules need to know of one instrument."""

    #: ``600000.SH``
    code: str
    name: str
    kind: Kind
    board: Board = Board.NONE
    #: risk-warning stock (ST, *ST)
    st: bool = False
    #: listing date; None when unknown
    listed: Optional[date] = None  # noqa: UP045
    #: may be sold on the day it was bought; None: by its kind
    t0: Optional[bool] = None  # noqa: UP045
    #: daily price limit as a fraction (0.20); None: by its board and kind
    band: Optional[Decimal] = None  # noqa: UP045
    #: first day of its delisting period (退市整理期), on which it has no limit; None: none announced
    delisting: Optional[date] = None  # noqa: UP045
    #: first day back after a suspended listing, on which it has no limit; None: none
    relisted: Optional[date] = None  # noqa: UP045

    @property
    def exchange(self) -> str:
        """``SH``, ``SZ`` or ``BJ``."""
        return self.code[-2:]


class OrderStatus(Enum):
    """Life of an order, by xtquant's number: (number, word)."""

    UNREPORTED = (48, "unreported")
    WAIT_REPORTING = (49, "wait_reporting")
    REPORTED = (50, "reported")
    REPORTED_CANCEL = (51, "reported_cancel")
    PARTSUCC_CANCEL = (52, "partsucc_cancel")
    PART_CANCEL = (53, "part_canceled")
    CANCELED = (54, "canceled")
    PART_SUCC = (55, "part_filled")
    SUCCEEDED = (56, "filled")
    JUNK = (57, "rejected")
    UNKNOWN = (255, "unknown")

    @property
    def number(self) -> int:
        """xtquant's ``order_status``."""
        return self.value[0]

    @property
    def word(self) -> str:
        """The word beside the number in JSON."""
        return self.value[1]

    @property
    def done(self) -> bool:
        """Nothing will happen to it any more. A number we do not know is not done."""
        return self in _DONE

    @property
    def acknowledged(self) -> bool:
        """The counter has taken it on (50 or more), or turned it away."""
        return self.number >= 50 and self is not OrderStatus.UNKNOWN

    @property
    def cancellable(self) -> bool:
        """It can still be asked to go: open, and not asked already."""
        return not self.done and self not in (OrderStatus.REPORTED_CANCEL, OrderStatus.PARTSUCC_CANCEL)


_DONE = frozenset({OrderStatus.PART_CANCEL, OrderStatus.CANCELED, OrderStatus.SUCCEEDED, OrderStatus.JUNK})


class OrderRequest(NamedTuple):
    """An order that has passed the checks and may be sent."""

    code: str
    side: Side
    #: shares (张 for bonds)
    volume: int
    #: xtquant's ``price_type``
    price_type: int
    #: CNY; 0 for a market order without a protection price
    price: Decimal
    #: carried in ``order_remark``, at most 20 ASCII characters with a letter among them
    client_id: str
    strategy: str
    #: None on every account but a margin one
    credit: Credit | None = None


class Order(NamedTuple):
    """An order of the day, in xtquant's fields."""

    order_id: str
    #: the exchange's number (合同编号)
    order_sysid: str
    stock_code: str
    instrument_name: str
    side: str
    order_type: int
    #: shares
    order_volume: int
    price_type: int
    price_kind: str
    #: CNY
    price: float
    #: shares
    traded_volume: int
    #: CNY, average
    traded_price: float
    order_status: int
    status: str
    status_msg: str
    #: epoch seconds
    order_time: int
    #: the same, ISO 8601 with +08:00
    time: str
    strategy_name: str
    order_remark: str

    @property
    def state(self) -> OrderStatus:
        """The status as one we know; a foreign number is `OrderStatus.UNKNOWN`, which counts as open."""
        return STATUS_BY_NUMBER.get(self.order_status, OrderStatus.UNKNOWN)

    @property
    def subscription(self) -> bool:
        """An application for new shares, which is an order row too: of price type 54, or of status 86 (BSE)."""
        return self.price_type == 54 or self.order_status == 86


STATUS_BY_NUMBER = {status.number: status for status in OrderStatus}


class Trade(NamedTuple):
    """A trade of the day, in xtquant's fields."""

    traded_id: str
    order_id: str
    order_sysid: str
    stock_code: str
    instrument_name: str
    side: str
    order_type: int
    #: CNY
    traded_price: float
    #: shares
    traded_volume: int
    #: CNY
    traded_amount: float
    #: CNY, all fees
    commission: float
    #: epoch seconds
    traded_time: int
    time: str
    strategy_name: str
    order_remark: str

    @property
    def of_an_order(self) -> bool:
        """Whether an order of the day must be behind it; counters list what came without one (bonus shares) too."""
        return self.side in ("buy", "sell") and self.order_id not in ("", "0", "-1")


class Position(NamedTuple):
    """A holding, in xtquant's fields; volumes in shares, money in CNY."""

    stock_code: str
    instrument_name: str
    volume: int
    #: what can be sold now
    can_use_volume: int
    frozen_volume: int
    on_road_volume: int
    yesterday_volume: int
    avg_price: float
    last_price: float
    market_value: float
    #: market value less cost
    profit: float
    #: fraction of the cost
    profit_rate: float


class Asset(NamedTuple):
    """Money and value of the account, CNY."""

    #: can be spent now
    cash: float
    frozen_cash: float
    market_value: float
    total_asset: float
    #: can be withdrawn
    fetch_balance: float


class CreditDetail(NamedTuple):
    """Debts, ratios and quotas of a margin account, CNY, in xtquant's fields."""

    total_debt: float
    fin_debt: float
    slo_debt: float
    #: 维持担保比例, as the terminal has it
    per_assurescale_value: float
    #: 可用保证金
    enable_bail_balance: float
    #: net of debts
    assure_asset: float
    #: what may still be borrowed: money, and shares by their value
    fin_enable_quota: float
    slo_enable_quota: float


class Quote(NamedTuple):
    """A snapshot with five levels; prices CNY, level volumes in lots (手), ``pvolume`` in shares."""

    stock_code: str
    instrument_name: str
    last_price: float
    #: fraction against the previous close
    change: float
    open: float
    high: float
    low: float
    last_close: float
    up_stop_price: float
    down_stop_price: float
    #: lots traded today
    volume: int
    #: shares traded today
    pvolume: int
    #: CNY traded today
    amount: float
    ask_price: list[float]
    ask_vol: list[int]
    bid_price: list[float]
    bid_vol: list[int]
    #: xtquant's ``openInt`` code of the trading phase
    phase: int
    #: epoch milliseconds of the snapshot
    tick_time: int
    time: str
    #: True when the market is generated
    synthetic: bool
