"""Rules nobody could confirm, as named settings with the value believed most likely.

A rule read in an official or measured source is a table in its own file; only what is from memory is here.
Fees have their own settings in `fees.FeeSchedule`.
"""

# Annotations are not postponed here: NamedTuple would compile each of them as a string, at import.

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from qmtcli.rules.dates import CHINEXT_REFORM, MAIN_REFORM, SH_CLOSING_AUCTION


class Settings(NamedTuple):
    """Unconfirmed rules. Rates are fractions (0.10 = 10 %), prices yuan, volumes shares (张 for bonds)."""

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
    #: step of a convertible bond order
    conv_bond_step: int = 10
    #: most 张 in one Shanghai convertible bond order
    conv_bond_cap_sh: int = 1_000_000
    #: most 张 in one Shenzhen convertible bond order (10 million yuan of face value)
    conv_bond_cap_sz: int = 100_000
    #: most 张 in one order of a treasury or exchange-traded bond
    bond_cap: int = 1_000_000
    #: most units (100 yuan each) in one repo order
    repo_cap: int = 1_000_000

    # -- bands --
    #: daily limit of B shares that are not ST
    b_share_rate: Decimal = Decimal("0.10")
    #: daily limit of bond and money funds
    bond_fund_rate: Decimal = Decimal("0.10")
    #: limit of a REIT on its listing day
    reit_first_day_rate: Decimal = Decimal("0.30")
    #: lowest opening-auction price on a day without a limit, as a multiple of the preclose
    open_auction_low: Decimal = Decimal("0.5")
    #: highest opening-auction price on a day without a limit, as a multiple of the preclose
    open_auction_high: Decimal = Decimal("9")

    # -- cage --
    #: first day of the cage on the main boards
    main_cage_from: date = MAIN_REFORM
    #: first day of the cage on ChiNext (without its ten-tick part before `main_cage_from`)
    chinext_cage_from: date = CHINEXT_REFORM
    #: distance from the last trade allowed to convertible bonds in continuous trading; None: no cage
    conv_bond_cage: Decimal | None = Decimal("0.10")

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
    #: after-hours orders can be cancelled from 15:05 on
    after_hours_cancel: bool = True

    # -- order types --
    #: BSE market orders need a protection price, as Shanghai's do
    bj_protection_price: bool = True

    # -- settlement --
    #: exchange-traded bonds can be sold on the day they were bought
    exch_bond_t0: bool = True
    #: money of a sale buys on the same day
    proceeds_usable: bool = True
    #: bonus shares can be sold from the ex-date on
    bonus_sellable: bool = True
    #: days of the year that repo interest is counted on
    repo_year: int = 365


#: what holds unless a user says otherwise
DEFAULT = Settings()
