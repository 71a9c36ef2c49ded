"""Volumes: smallest buy, step, largest order, and what may be sold as an odd lot.

Sources: SSE 3.3.8, 3.3.9, 3.3.11 and SZSE 3.3.8, 3.3.10, 3.3.13 (2023 numbering; unchanged in 2026: main
boards and ChiNext stay at multiples of 100); STAR's and BSE's own rules. From one secondary source: funds, B
shares, the minimum of convertible bonds, the cap after hours. ChiNext's caps before its reform are from memory;
REITs', other bonds' and repo's lots, and caps of all but shares, are settings. An odd remainder is sold at once
(一次性申报卖出).
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from qmtcli.errors import Refused
from qmtcli.model import Board, Instrument, Kind
from qmtcli.rules.dates import BSE_ST_CAP, CHINEXT_REFORM, RULES_2026
from qmtcli.rules.settings import DEFAULT, Settings

_MILLION = 1_000_000
#: most shares in one order at the after-hours fixed price, on every board
AFTER_HOURS_CAP = _MILLION
_SHARES = frozenset({Kind.STOCK, Kind.CDR})
_FUNDS = frozenset({Kind.ETF, Kind.LOF, Kind.REIT})


class LotRule(NamedTuple):
    """Volumes of one instrument's orders, in shares (张 for bonds, units of 100 yuan for repo)."""

    #: smallest buy
    min_buy: int
    #: a buy is a multiple of this; above `min_buy` where that is no multiple of it
    step: int
    #: most in one limit order
    limit_cap: int
    #: most in one market order; None: no market orders
    market_cap: int | None


class Violation(NamedTuple):
    """A rule that an order breaks: a stable code, and the values its text needs."""

    code: str
    params: dict[str, object]


def lot_rule(inst: Instrument, on: date, settings: Settings = DEFAULT) -> LotRule:
    """The volume rule of ``inst`` on a day. Raises Refused ``not_tradable`` for an index."""
    if inst.kind in _SHARES:
        if inst.board is Board.STAR:
            return LotRule(200, 1, 100_000, 50_000)
        if inst.board is Board.BSE:
            return LotRule(100, 1, settings.bse_limit_cap, settings.bse_market_cap)
        if inst.board is Board.CHINEXT and on >= CHINEXT_REFORM:
            return LotRule(100, 100, 300_000, 150_000)
        return LotRule(100, 100, _MILLION, _MILLION)
    if inst.kind in _FUNDS:
        lot = settings.reit_lot if inst.kind is Kind.REIT else 100
        return LotRule(lot, lot, settings.fund_cap, settings.fund_cap)
    if inst.kind is Kind.B_SHARE:
        return LotRule(100, 100, _MILLION, None)
    if inst.kind is Kind.CONV_BOND:
        cap = settings.conv_bond_cap_sh if inst.exchange == "SH" else settings.conv_bond_cap_sz
        return LotRule(10, settings.conv_bond_step, cap, cap if settings.bond_market_orders else None)
    if inst.kind is Kind.REPO:
        cap = settings.repo_cap
        return LotRule(settings.repo_lot, settings.repo_lot, cap, cap if settings.bond_market_orders else None)
    if inst.kind is Kind.INDEX:
        raise Refused("not_tradable", code=inst.code)
    cap = settings.bond_cap
    return LotRule(settings.bond_lot, settings.bond_lot, cap, cap if settings.bond_market_orders else None)


def st_daily_buy_cap(inst: Instrument, on: date) -> int | None:
    """Most shares of one ST stock that one client may buy in a day, after-hours included; None: no cap.

    Shanghai since 2013; Shenzhen as far as known since its rules of 2026.
    """
    if not inst.st or inst.kind not in _SHARES:
        return None
    if inst.board is Board.BSE:
        return 200_000 if on >= BSE_ST_CAP else None
    return 500_000 if inst.exchange == "SH" or on >= RULES_2026 else None


def order_cap(rule: LotRule, market: bool, after_hours: bool = False) -> int | None:
    """Most in one order of a type; None: there is no such order. ``market``: one of `order_types`."""
    return AFTER_HOURS_CAP if after_hours else rule.market_cap if market else rule.limit_cap


def check_buy_volume(
    inst: Instrument,
    volume: int,
    on: date,
    market: bool,
    settings: Settings = DEFAULT,
    after_hours: bool = False,
) -> Violation | None:
    """The first rule that a buy of ``volume`` breaks, or None; the order's type as for `order_cap`."""
    if inst.kind is Kind.INDEX:
        return Violation("not_tradable", {"code": inst.code})
    rule = lot_rule(inst, on, settings)
    if found := _check_size(inst, volume, order_cap(rule, market, after_hours)):
        return found
    if volume < rule.min_buy:
        return Violation("below_min", {"code": inst.code, "volume": volume, "minimum": rule.min_buy})
    if odd := volume % rule.step:
        below = volume - odd
        params = {"volume": volume, "step": rule.step, "below": below, "above": below + rule.step}
        return Violation("odd_lot", {"code": inst.code, **params})
    return None


def check_sell_volume(
    inst: Instrument,
    volume: int,
    sellable: int | None,
    on: date,
    market: bool,
    settings: Settings = DEFAULT,
    after_hours: bool = False,
) -> Violation | None:
    """The first rule that a sell of ``volume`` breaks, or None.

    ``sellable`` is what can be sold now; with None an odd lot passes, since it may be the whole remainder.
    Selling more than there is breaks no rule of volumes. A repo lends money and follows the rule of buys.
    """
    if inst.kind in (Kind.INDEX, Kind.REPO):
        return check_buy_volume(inst, volume, on, market, settings, after_hours)
    rule = lot_rule(inst, on, settings)
    if found := _check_size(inst, volume, order_cap(rule, market, after_hours)):
        return found
    return check_sell_lot(inst, volume, sellable, on, settings)


def check_sell_lot(
    inst: Instrument, volume: int, sellable: int | None, on: date, settings: Settings = DEFAULT
) -> Violation | None:
    """The first rule that a sell of ``volume`` breaks, as `check_sell_volume`, whatever one order may be at most."""
    rule = lot_rule(inst, on, settings)
    if inst.kind in _FUNDS and not settings.fund_odd_lot_sells and volume % rule.step:
        params = {"volume": volume, "step": rule.step, "remainder": 0}
        return Violation("odd_lot_sell", {"code": inst.code, **params})
    if sellable is None or volume >= sellable:
        return None
    if rule.step == 1:
        if volume >= rule.min_buy:
            return None
        params = {"volume": volume, "minimum": rule.min_buy, "sellable": sellable}
        return Violation("below_min_sell", {"code": inst.code, **params})
    remainder = sellable % rule.step
    if volume % rule.step in (0, remainder):
        return None
    params = {"volume": volume, "step": rule.step, "remainder": remainder}
    return Violation("odd_lot_sell", {"code": inst.code, **params})


def round_volume_down(inst: Instrument, volume: int, settings: Settings = DEFAULT) -> int:
    """The largest legal buy that is not above ``volume``, order caps aside; 0 when there is none."""
    rule = lot_rule(inst, date.max, settings)
    return volume - volume % rule.step if volume >= rule.min_buy else 0


def split(inst: Instrument, volume: int, cap: int, settings: Settings = DEFAULT) -> list[int]:
    """``volume`` as legal orders of at most ``cap``, which is at least twice the smallest order (else
    ValueError).

    Largest first; an odd remainder stays whole in the last one. Empty for no volume.
    """
    rule = lot_rule(inst, date.max, settings)
    cap -= cap % rule.step
    if cap < 2 * rule.min_buy:
        raise ValueError(f"cap {cap} is below two orders of {rule.min_buy}")
    full, rest = divmod(max(volume, 0), cap)
    children = [cap] * full
    if not rest:
        return children
    short = rule.min_buy - rest
    if children and short > 0 and short % rule.step == 0:
        children[-1] -= short
        rest += short
    return [*children, rest]


def _check_size(inst: Instrument, volume: int, cap: int | None) -> Violation | None:
    if volume <= 0:
        return Violation("volume_not_positive", {"code": inst.code, "volume": volume})
    if cap is None:
        return Violation("no_market_orders", {"code": inst.code})
    if volume > cap:
        return Violation("over_cap", {"code": inst.code, "volume": volume, "cap": cap})
    return None
