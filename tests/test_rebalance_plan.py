"""The plan of a rebalancing: what it may trade, what it costs, how near it comes, and what is said of the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_DOWN, Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmtcli import orders
from qmtcli.errors import Refused, UsageError
from qmtcli.model import Credit, Side
from qmtcli.orders import Market
from qmtcli.rebalance import saved
from qmtcli.rebalance.plan import Holding, Name, Reason, Row, Terms, needs_orders, plan, wanted
from qmtcli.rebalance.running import Course
from qmtcli.rebalance.targets import Target, Unit, content, hold_sum, read
from qmtcli.rules.boards import instrument
from qmtcli.rules.fees import fees
from qmtcli.rules.lots import check_buy_volume, check_sell_lot, lot_rule
from qmtcli.rules.settings import DEFAULT_SCHEDULE
from qmtcli.tables import parse

DAY = date(2026, 11, 23)
#: one of each board and kind
CODES = ("600000.SH", "000001.SZ", "688981.SH", "920185.BJ", "300750.SZ", "510300.SH", "113052.SH", "508000.SH")
BLOCKS = (Reason.LIMIT_UP, Reason.LIMIT_DOWN, Reason.SUSPENDED, Reason.STALE_PRICE, Reason.UNKNOWN)
CENT = Decimal("0.01")


def _name(
    code: str,
    held: int = 0,
    sellable: int | None = None,
    weight: str | None = "0",
    last: str = "10",
    blocked: Reason | None = None,
    frozen: int = 0,
    unit: Unit = Unit.WEIGHT,
    price: str | None = None,
) -> Name:
    target = None if weight is None else Target(2, code, unit, Decimal(weight))
    free = held if sellable is None else sellable
    market = Market(instrument(code, "名称"), None, DAY)
    return Name(market, Holding(held, free, frozen), target, Decimal(last), Decimal(price or last), blocked)


def _cost(row: Row) -> Decimal:
    """CNY that a row's order takes, by the rules."""
    if not row.volume or row.side is None or row.price is None:
        return Decimal(0)
    amount = row.price * row.volume
    total = fees(instrument(row.code), row.side, amount, DAY).total
    return amount + total if row.side is Side.BUY else total - amount


def _rows(*names: Name, cash: str = "0", capital: str = "100000", **terms: Decimal) -> list[Row]:
    return plan(names, Terms(Decimal(capital), Decimal(cash), DEFAULT_SCHEDULE, **terms))


# -- what holds of every plan ------------------------------------------------------------------------------


@st.composite
def _cases(draw: st.DrawFn, most: int = 8) -> tuple[list[Name], Terms]:
    codes = draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=most, unique=True))
    names, worth = [], Decimal(draw(st.integers(0, 200_000)))
    cash = worth
    for code in codes:
        price = Decimal(draw(st.integers(100, 9_000))) / 100
        held = draw(st.sampled_from([0, 0, 100, 137, 200, 350, 1_000, 12_345]))
        sellable = draw(st.integers(0, held))
        frozen = draw(st.integers(0, held - sellable))
        worth += price * held
        way = draw(st.sampled_from([None, "kept", *BLOCKS]) if draw(st.booleans()) else st.none())
        weight = Decimal(draw(st.integers(0, 1_000)))
        target = None if way == "kept" else Target(2, code, Unit.WEIGHT, weight)
        blocked = way if isinstance(way, Reason) else None
        market = Market(instrument(code), None, DAY)
        names.append(Name(market, Holding(held, sellable, frozen), target, price, price, blocked))
    total = sum((name.target.amount for name in names if name.target), Decimal(0)) or Decimal(1)
    scale = Decimal(draw(st.sampled_from(["1", "0.9", "0.5"])))
    found = []
    for name in names:
        if name.target is None:
            found.append(name)
            continue
        weight = (name.target.amount / total * scale).quantize(Decimal("0.0001"), ROUND_DOWN)
        side = Side.BUY if weight * worth / name.last > name.held.volume else Side.SELL
        offered = name.last * (Decimal("1.001") if side is Side.BUY else Decimal("0.999"))
        found.append(
            name._replace(target=name.target._replace(amount=weight), price=offered.quantize(Decimal("0.001")))
        )
    return found, Terms(max(worth, Decimal(1)), cash, DEFAULT_SCHEDULE)


@given(_cases())
@settings(max_examples=300, deadline=None)
def test_every_order_is_legal_and_paid_for(case: tuple[list[Name], Terms]) -> None:
    names, terms = case
    rows = plan(names, terms)
    assert [row.code for row in rows] == [name.code for name in names]
    for name, row in zip(names, rows, strict=True):
        kind = name.market.instrument
        if row.side is Side.BUY:
            assert check_buy_volume(kind, row.volume, DAY, False) in (None, *_over_cap(kind.code, row.volume))
        elif row.side is Side.SELL:
            assert row.volume <= name.held.sellable
            assert check_sell_lot(kind, row.volume, name.held.sellable, DAY) is None
        else:
            assert row.volume == 0
        if name.target is None or name.blocked is not None:
            assert row.volume == 0
        # whatever is not where it was to be has its reason
        assert row.reached or row.reason is not None
    # sells first: then the buys, in any order, never take more than there is
    money = terms.cash
    for row in sorted(rows, key=lambda row: row.side is Side.BUY):
        money -= _cost(row)
        assert money >= 0 or row.side is not Side.BUY


def _over_cap(code: str, volume: int) -> Iterator[object]:
    """What `check_buy_volume` may say of a volume that is sent in several orders."""
    found = check_buy_volume(instrument(code), volume, DAY, False)
    if found is not None and found.code == "over_cap":
        yield found


@given(_cases())
@settings(max_examples=300, deadline=None)
def test_within_a_lot_where_money_and_rules_allow(case: tuple[list[Name], Terms]) -> None:
    names, terms = case
    terms = terms._replace(cash=terms.cash + terms.capital * 2 + 100_000)  # as much as there can be need of
    for name, row in zip(names, plan(names, terms), strict=True):
        if name.target is None or name.blocked is not None or row.ideal is None:
            continue
        lot = lot_rule(name.market.instrument, DAY)
        free = (row.side is not Side.SELL and row.ideal >= row.held) or name.held.sellable == name.held.volume
        if free:
            assert abs(row.ideal - row.final) <= max(lot.step, lot.min_buy)
            assert row.reached


# -- as near as can be -------------------------------------------------------------------------------------


def _error(names: list[Name], terms: Terms, finals: list[int]) -> float:
    """CNY squared that names are away."""
    found = 0.0
    for name, final in zip(names, finals, strict=True):
        assert name.target is not None and name.last is not None
        ideal = wanted(name.target, terms.capital, name.last) or Decimal(0)
        found += float((ideal - final) * name.last) ** 2
    return found


def _every(name: Name, terms: Terms) -> list[tuple[int, Decimal, float]]:
    """(holding, CNY, CNY squared that it is away) of every order that there may be towards the target."""
    assert name.target is not None and name.last is not None and name.price is not None
    ideal = wanted(name.target, terms.capital, name.last) or Decimal(0)
    held, kind = name.held.volume, name.market.instrument
    lot = lot_rule(kind, DAY)
    found = [(held, Decimal(0))]
    if ideal > held:
        for volume in range(1, int(ideal - held) + lot.min_buy + lot.step):
            if check_buy_volume(kind, volume, DAY, False) is None:
                amount = name.price * volume
                found.append((held + volume, amount + fees(kind, Side.BUY, amount, DAY).total))
    else:
        least = ideal - lot.step if ideal else Decimal(-1)
        for volume in range(1, name.held.sellable + 1):
            near = held - volume > least or volume <= lot.min_buy
            if near and check_sell_lot(kind, volume, name.held.sellable, DAY) is None:
                amount = name.price * volume
                found.append((held - volume, fees(kind, Side.SELL, amount, DAY).total - amount))
        if not ideal and name.held.sellable:
            found = [each for each in found if each[0] == held - name.held.sellable]
    return [(final, cost, float((ideal - final) * name.last) ** 2) for final, cost in found]


@given(_cases(most=3))
@settings(max_examples=100, deadline=None)
def test_no_worse_than_brute_force(case: tuple[list[Name], Terms]) -> None:
    names, terms = case
    names = [name for name in names if name.target is not None and name.blocked is None]
    choices = [sorted(_every(name, terms), key=lambda each: each[2])[:250] for name in names]
    best = min(
        (sum(each[2] for each in some) for some in product(*choices) if sum(each[1] for each in some) <= terms.cash),
        default=None,
    )
    ours = _error(names, terms, [row.final for row in plan(names, terms)])
    several = sum(lot_rule(name.market.instrument, DAY).step == 1 for name in names) > 1
    # of several names that trade in single shares the last share or two may be away
    assert best is None or ours <= (best * 1.005 + 1e4 if several else best * (1 + 1e-9) + 1)


# -- every reason ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "terms", "volume", "reason"),
    [
        (_name("600000.SH", weight="0.5"), {}, 5_000, None),
        (_name("600000.SH", 300, weight=None), {}, 0, Reason.KEPT),
        (_name("600000.SH", 300, weight="0"), {}, 300, None),
        (_name("600000.SH", 350, 150, weight="0"), {}, 150, Reason.T1_LOCKED),
        (_name("600000.SH", 350, 150, weight="0", frozen=200), {}, 150, Reason.FROZEN),
        (_name("600000.SH", 300, 0, weight="0"), {}, 0, Reason.T1_LOCKED),
        (_name("600000.SH", 300, 0, weight="0.0201"), {}, 0, Reason.BELOW_LOT),  # less than a lot away
        (_name("600000.SH", 300, 0, weight="0.02"), {}, 0, Reason.T1_LOCKED),
        (_name("600000.SH", weight="0.0099", blocked=Reason.LIMIT_UP), {}, 0, Reason.BELOW_LOT),
        (_name("688981.SH", 150, weight="0"), {}, 150, None),  # the odd rest goes whole
        (_name("688981.SH", 500, weight="0.045"), {}, 0, Reason.BELOW_LOT),  # a sell is 200 at least
        (_name("920185.BJ", 500, weight="0.0399"), {}, 101, None),
        (_name("600000.SH", 350, weight="0.02"), {}, 150, None),  # and the odd 50 with a whole lot
        (_name("600000.SH", 100, weight="0.013"), {}, 0, Reason.BELOW_LOT),
        (_name("600000.SH", 1_000, weight="0.08"), {"threshold": Decimal(2_001)}, 0, Reason.BELOW_THRESHOLD),
        (_name("600000.SH", 100, weight="0"), {"threshold": Decimal(6_000)}, 100, None),  # who goes, goes
        (_name("600000.SH", 1_000, weight="0.08"), {"min_value": Decimal(2_001)}, 0, Reason.BELOW_MIN_VALUE),
        (_name("600000.SH", weight="0.5"), {"max_turnover": Decimal(12_345)}, 1_200, Reason.TURNOVER_CAP),
        (_name("600000.SH", weight="0.5"), {"max_turnover": Decimal(500)}, 0, Reason.TURNOVER_CAP),
        (_name("600000.SH", weight="0.5", last="30"), {}, 1_700, None),  # of 1,666.67
        (_name("600000.SH", weight="2", blocked=Reason.LIMIT_UP), {}, 0, Reason.LIMIT_UP),
        (_name("600000.SH", weight="3"), {}, 9_900, Reason.NO_CASH),
        (_name("600000.SH", 1_000, weight="300", unit=Unit.VOLUME), {}, 700, None),
        (_name("600000.SH", 1_000, weight="3450", unit=Unit.VALUE), {}, 700, None),
    ],
)  # fmt: skip
def test_reasons(name: Name, terms: dict[str, Decimal], volume: int, reason: Reason | None) -> None:
    (row,) = _rows(name, cash="100000", **terms)
    assert (row.volume, row.reason) == (volume, reason)
    assert needs_orders([row]) == bool(volume or not row.reached)


def test_what_cannot_trade_keeps_its_weight_as_cash() -> None:
    locked = _name("600000.SH", weight="0.5", blocked=Reason.LIMIT_UP)
    rows = _rows(locked, _name("000001.SZ", weight="0.4"), cash="100000")
    assert [row.volume for row in rows] == [0, 4_000]
    rows = _rows(locked, _name("000001.SZ", weight="0.5"), cash="50000")
    assert [row.volume for row in rows] == [0, 4_900]  # for 5,000 and its fees it is not enough


def test_no_name_is_sold_below_its_target_for_the_sake_of_others() -> None:
    kept = _name("600519.SH", 1_000, weight=None, last="90")
    over, short = _name("600000.SH", 2_000, weight="0.1"), _name("000001.SZ", weight="0.8")
    rows = _rows(kept, over, short, cash="0")
    assert [(row.final, row.reason) for row in rows[1:]] == [(1_000, None), (900, Reason.NO_CASH)]


def test_open_orders_count_as_what_they_may_bring() -> None:
    name = _name("600000.SH", 1_000, weight="0.2")
    (row,) = _rows(name._replace(held=name.held._replace(coming=1_000)), cash="100000")
    assert (row.held, row.volume) == (2_000, 0)


# -- files -------------------------------------------------------------------------------------------------


def _codes(text: str) -> list[str]:
    return [error.code for _, error in read([*parse(text)]).problems]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("600000.SH,5%", "weight_in_percent"),
        ("600000.SH,5", "weight_in_percent"),
        ("600000.SH,-0.1", "bad_target"),
        ("600000.SH,x", "bad_target"),
        ("600000.SH,nan", "bad_target"),
        ("600000.SH,", "row_without_target"),
        ("600000.SH", "row_without_target"),
        (",0.1", "row_without_code"),
        ("1,0.1", "short_code"),
        ("204001.SH,0.1", "no_target_for"),
        ("000001.SH,0.1", "no_target_for"),
        ("900901.SH,0.1", "no_target_for"),
        ("777777.SH,0.1", "code_unknown"),
    ],
)
def test_a_wrong_row_is_named(row: str, code: str) -> None:
    assert _codes(f"code,weight\n510300.SH,0.5\n{row}\n") == [code]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "no_targets"),
        ("code,weight\n", "no_targets"),
        ("[]", "no_targets"),
        ("code\n600000.SH\n", "one_target_column"),
        ("code,weight,volume\n600000.SH,0.1,100\n", "one_target_column"),
        ("code,wieght\n600000.SH,0.1\n", "unknown_column"),
        ('[{"code": "600000.SH", "weight": 0.5', "bad_json"),
        ('{"plan": 1, "orders": []}', "plan_is_no_target"),
    ],
)
def test_a_file_of_something_else_is_refused(text: str, code: str) -> None:
    with pytest.raises(UsageError) as raised:
        read([*parse(text)])
    assert raised.value.code == code


def test_files_of_every_kind_say_the_same() -> None:
    expected = [("600000.SH", Decimal("0.5")), ("000001.SZ", Decimal("0.45"))]
    texts = (
        "code,weight\n600000.SH,0.5\n000001,0.45\n",
        "证券代码;权重;名称\nSH600000;0.5;浦发\n000001.SZ;0.45;平安\n",
        '[{"stock_code": "600000.SH", "weight": 0.5}, {"stock_code": "000001.SZ", "weight": 0.45}]',
        '{"code": "600000", "weight": "0.50"}\n{"code": "000001.XSHE", "weight": 0.45}\n',
    )
    found = [read([*parse(text)]).targets for text in texts]
    assert [[(target.code, target.amount) for target in targets] for targets in found] == [expected] * len(texts)
    assert len({content(targets, capital="account") for targets in found}) == 1
    assert content(found[0], capital="account") != content(found[0], capital="book")


@pytest.mark.parametrize(
    ("weights", "cash_ok", "fine"),
    [
        ("0.5 0.5", False, True),
        ("0.333333 0.333333 0.333334", False, True),
        ("0.5 0.4", False, True),
        ("0.5 0.39", False, False),
        ("0.5 0.39", True, True),
        ("0.6 0.41", True, False),
        ("0", True, True),
    ],
)
def test_the_sum_of_weights(weights: str, cash_ok: bool, fine: bool) -> None:
    targets = [Target(n, CODES[n], Unit.WEIGHT, Decimal(each)) for n, each in enumerate(weights.split())]
    try:
        hold_sum(targets, cash_ok)
        assert fine
    except Refused as error:
        assert (error.code, fine) == ("weights_sum", False)


@given(_cases())
@settings(max_examples=50, deadline=None)
def test_a_plan_is_kept_whole(case: tuple[list[Name], Terms]) -> None:
    names, terms = case
    course = Course(orders.parse_price("peer+2"), "trend", Credit.COLLATERAL, 2, until=1.5, buffer=CENT)
    kept = saved.Saved("b1", "c", "f", terms.capital, terms.cash, plan(names, terms), course)
    assert saved.load(json.loads(json.dumps(saved.dump(kept)))) == kept
