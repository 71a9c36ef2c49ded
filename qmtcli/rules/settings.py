"""What a user may set of the rules: those nobody could confirm, with the value believed most likely, and fees.

A rule read in an official or measured source is a table in its own file; only what is from memory is here, with
what a broker decides. A profile names the fields under ``rules:`` and ``fees:``; how each is written follows from
its type, see `RULES` and `FEES`.
"""

# Annotations are not postponed here: NamedTuple would compile each of them as a string, at import.

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, NamedTuple, get_args

from qmtcli.rules.dates import CHINEXT_REFORM, MAIN_REFORM, SH_CLOSING_AUCTION
from qmtcli.text import day, number, part, truth, whole

#: a part of a whole: 0.10 or 10%
Fraction = Annotated[Decimal, "of a whole"]
#: a part of what was traded; by law a broker takes at most 0.003
Commission = Annotated[Decimal, "of the amount"]
#: yuan, not negative
Money = Annotated[Decimal, "yuan"]


class Settings(NamedTuple):
    """Unconfirmed rules. Prices and steps are yuan (percent for repo), volumes shares (张 for bonds)."""

    # -- ticks --
    #: price step of treasuries and exchange-traded bonds
    bond_tick: Decimal = Decimal("0.001")
    #: price step of repo (a rate in percent)
    repo_tick: Decimal = Decimal("0.005")

    # -- lots --
    #: most shares in one limit order on BSE
    bse_limit_cap: int = 1_000_000
    #: most shares in one market order on BSE
    bse_market_cap: int = 1_000_000
    #: most units in one fund order
    fund_cap: int = 1_000_000
    #: the odd remainder of a fund can be sold
    fund_odd_lot_sells: bool = True
    #: smallest buy of a REIT, and step of its orders
    reit_lot: int = 100
    #: step of a convertible bond order
    conv_bond_step: int = 10
    #: most 张 in one Shanghai convertible bond order
    conv_bond_cap_sh: int = 1_000_000
    #: most 张 in one Shenzhen convertible bond order (10 million yuan of face value)
    conv_bond_cap_sz: int = 100_000
    #: smallest buy of a treasury or exchange-traded bond, and step of its orders
    bond_lot: int = 10
    #: most 张 in one order of a treasury or exchange-traded bond
    bond_cap: int = 1_000_000
    #: bonds of every kind take market orders
    bond_market_orders: bool = False
    #: smallest repo order and its step, units of 100 yuan
    repo_lot: int = 10
    #: most units (100 yuan each) in one repo order
    repo_cap: int = 1_000_000

    # -- bands --
    #: daily limit of B shares that are not ST
    b_share_rate: Fraction = Decimal("0.10")
    #: ST B shares have the limit of ST shares of the main boards
    b_share_st_as_main: bool = True
    #: daily limit of bond and money funds
    bond_fund_rate: Fraction = Decimal("0.10")
    #: limit of a REIT on its listing day
    reit_first_day_rate: Fraction = Decimal("0.30")
    #: lowest opening-auction price on a day without a limit, as a multiple of the preclose
    open_auction_low: Decimal = Decimal("0.5")
    #: highest opening-auction price on a day without a limit, as a multiple of the preclose
    open_auction_high: Decimal = Decimal("9")
    #: halts of convertible bonds are counted from the open, as those of stocks; otherwise from the reference price
    conv_bond_halts_from_open: bool = False

    # -- cage --
    #: first day of the cage on the main boards
    main_cage_from: date = MAIN_REFORM
    #: first day of the cage on ChiNext (without its ten-tick part before `main_cage_from`)
    chinext_cage_from: date = CHINEXT_REFORM
    #: distance from the last trade allowed to convertible bonds in continuous trading; None: no cage
    conv_bond_cage: Fraction | None = Decimal("0.10")

    # -- phases --
    #: Shenzhen takes orders and cancels 09:25-09:30 and holds them
    sz_pause_orders: bool = True
    #: Shenzhen takes cancels during lunch
    sz_lunch_cancels: bool = False
    #: first day of the closing auction of Shanghai stocks
    sh_closing_auction_from: date = SH_CLOSING_AUCTION
    #: Shenzhen funds have a closing auction
    sz_fund_closing_auction: bool = True
    #: Shenzhen bonds have a closing auction
    sz_bond_closing_auction: bool = True
    #: Shanghai bonds have a closing auction
    sh_bond_closing_auction: bool = False
    #: risk-warning stocks take part in after-hours trading
    after_hours_st: bool = True
    #: after-hours orders can be cancelled 15:00-15:05
    after_hours_early_cancel: bool = True
    #: after-hours orders can be cancelled from 15:05 on
    after_hours_cancel: bool = True

    # -- order types --
    #: BSE market orders need a protection price, as Shanghai's do
    bj_protection_price: bool = True
    #: a best5-limit order that meets no one becomes a limit order at the own side's best; otherwise it is cancelled
    best5_limit_rests: bool = True
    #: an order at the best price of a side without one is cancelled; otherwise it is rejected
    no_best_price_cancels: bool = True
    #: after-hours orders are sent on live profiles too; miniQMT's own constants have no such type
    after_hours_live: bool = False

    # -- the account --
    #: the account may buy STAR shares
    star_permission: bool = True
    #: the account may buy ChiNext shares
    chinext_permission: bool = True
    #: the account may buy BSE shares
    bse_permission: bool = True

    # -- settlement --
    #: CDR can be sold on the day they were bought
    cdr_t0: bool = False
    #: B shares can be sold on the day they were bought
    b_share_t0: bool = False
    #: LOFs other than the known T+0 ones can be sold on the day they were bought
    lof_t0: bool = False
    #: REITs can be sold on the day they were bought
    reit_t0: bool = False
    #: exchange-traded bonds can be sold on the day they were bought
    exch_bond_t0: bool = True
    #: money of a sale buys on the same day
    proceeds_usable: bool = True
    #: money of a sale can be withdrawn on the same day
    proceeds_withdrawable: bool = False
    #: money that comes back from repo can be withdrawn on the same day
    repo_withdrawable: bool = False
    #: bonus shares can be sold from the ex-date on
    bonus_sellable: bool = True
    #: days of the year that repo interest is counted on
    repo_year: int = 365


class FeeSchedule(NamedTuple):
    """A broker's rates: fractions of the amount, minimums in yuan an order; and who pays what, where unconfirmed."""

    #: commission on shares and funds
    commission: Commission = Decimal("0.00025")
    #: least commission of an order of shares or funds
    minimum: Money = Decimal("5")
    #: commission on bonds
    bond_commission: Commission = Decimal("0.00005")
    #: least commission of a Shanghai bond order
    bond_minimum_sh: Money = Decimal("1")
    #: least commission of a Shenzhen bond order
    bond_minimum_sz: Money = Decimal("0")
    #: commission on money lent by repo, by the days of its term
    repo_1: Commission = Decimal("0.00001")
    repo_2: Commission = Decimal("0.00002")
    repo_3: Commission = Decimal("0.00003")
    repo_4: Commission = Decimal("0.00004")
    repo_7: Commission = Decimal("0.00005")
    repo_14: Commission = Decimal("0.0001")
    repo_28: Commission = Decimal("0.0002")
    repo_91: Commission = Decimal("0.0003")
    repo_182: Commission = Decimal("0.0003")
    #: handling and regulatory fees are inside the commission; otherwise they come on top
    all_in: bool = True
    #: the exchange's handling fee, Shanghai and Shenzhen
    handling: Commission = Decimal("0.0000341")
    #: the exchange's handling fee, Beijing
    handling_bj: Commission = Decimal("0.000125")
    #: regulatory fee
    regulatory: Commission = Decimal("0.00002")
    #: sales of funds pay stamp duty
    fund_stamp: bool = False
    #: CDR pay the transfer fee of A shares
    cdr_transfer: bool = False


#: what holds unless a user says otherwise
DEFAULT = Settings()
#: what the paper exchange charges unless told otherwise
DEFAULT_SCHEDULE = FeeSchedule()


# -- as text -------------------------------------------------------------------------------------------


class Form(NamedTuple):
    """How a setting of one type is written."""

    #: the value of a text; raises ValueError
    read: Callable[[str], object]
    #: what is expected, in no language
    expected: str


def _thousandths(text: str) -> Decimal:
    value = number(text)
    if value <= 0 or value % Decimal("0.001"):  # the paper exchange counts in thousandths of a yuan
        raise ValueError(text)
    return value


def _fraction(text: str) -> Decimal:
    value = part(text)
    if not 0 < value <= 1:
        raise ValueError(text)
    return value


def _commission(text: str) -> Decimal:
    value = part(text)
    if not 0 <= value <= Decimal("0.003"):
        raise ValueError(text)
    return value


def _money(text: str) -> Decimal:
    value = number(text)
    if value < 0:
        raise ValueError(text)
    return value


FRACTION = Form(_fraction, "10% | 0.1")

_FORMS: dict[object, Form] = {
    bool: Form(truth, "true | false"),
    int: Form(whole, "100 | 1万"),
    date: Form(day, "2023-04-10"),
    Decimal: Form(_thousandths, "0.01"),
    Fraction: FRACTION,
    Commission: Form(_commission, "0.025% | 0.00025 (<= 0.3%)"),
    Money: Form(_money, "5 | 0"),
}


def _form(annotation: object) -> Form:
    """The form of a field's type; of one that may be None, with the word ``none``."""
    if annotation in _FORMS:
        return _FORMS[annotation]
    read, expected = _FORMS[get_args(annotation)[0]]
    return Form(lambda text: None if text.strip().lower() == "none" else read(text), f"{expected} | none")


#: how each field is written
RULES = {name: _form(annotation) for name, annotation in Settings.__annotations__.items()}
FEES = {name: _form(annotation) for name, annotation in FeeSchedule.__annotations__.items()}


def parse(texts: Mapping[str, str]) -> Settings:
    """The rules with some of them said otherwise. Raises ValueError for what is no such name or value."""
    return DEFAULT._replace(**_read(texts, RULES))


def parse_fees(texts: Mapping[str, str]) -> FeeSchedule:
    """The usual fees with some of them said otherwise. Raises ValueError for what is no such name or value."""
    return DEFAULT_SCHEDULE._replace(**_read(texts, FEES))


def _read(texts: Mapping[str, str], forms: Mapping[str, Form]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in forms:
            raise ValueError(f"no such setting: {name}")
        try:
            values[name] = forms[name].read(text)
        except ValueError:
            raise ValueError(f"{name} is {text!r}, not like {forms[name].expected}") from None
    return values


def write(value: object) -> str:
    """The text that a setting of this value is read from."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
