"""The call auction: the rule by hand, and against a reference that tries every price."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmtcli.rules.auction import Level, Print, allocate, clear, leftover, nearest_to

Book = list[Level]
#: how Shanghai decides
MIDDLE = None


@pytest.mark.parametrize(
    ("buys", "sells"),
    [([], []), ([(1000, 100)], []), ([(1000, 100)], [(1001, 100)]), ([(1000, 0)], [(1000, 100)])],
)
def test_nothing_meets(buys: Book, sells: Book) -> None:
    assert clear(buys, sells, 1, MIDDLE) is None
    assert clear(buys, sells, 1, 1000) is None


@pytest.mark.parametrize("nearest", [MIDDLE, 900, 2000])
def test_the_largest_volume_decides(nearest: int | None) -> None:
    buys, sells = [(1010, 100), (1005, 300)], [(1000, 200), (1005, 100), (1006, 500)]
    assert clear(buys, sells, 1, nearest) == Print(1005, 300, 100)


@pytest.mark.parametrize("nearest", [MIDDLE, 900, 2000])
def test_of_equal_volumes_every_better_order_must_trade(nearest: int | None) -> None:
    """300 shares change hands at 1000 as at 1002; at 1000 someone who bids more would be left."""
    assert clear([(1002, 400)], [(1000, 300)], 1, nearest) == Print(1002, 300, 100)
    assert clear([(1002, 300)], [(1000, 400)], 1, nearest) == Print(1000, 300, -100)


@pytest.mark.parametrize("nearest", [MIDDLE, 900, 2000])
def test_of_equal_volumes_the_one_that_leaves_least(nearest: int | None) -> None:
    buys, sells = [(1004, 100), (1003, 50)], [(1000, 100), (1004, 20)]
    assert clear(buys, sells, 1, nearest) == Print(1004, 100, -20)


@pytest.mark.parametrize(
    ("nearest", "price"), [(MIDDLE, 1005), (900, 1000), (1000, 1000), (1003, 1003), (1010, 1010), (2000, 1010)]
)
def test_between_prices_equally_good_each_exchange_decides_its_way(nearest: int | None, price: int) -> None:
    assert clear([(1010, 100)], [(1000, 100)], 1, nearest) == Print(price, 100, 0)


@pytest.mark.parametrize(("high", "price"), [(10_050, 10_030), (10_040, 10_020), (10_030, 10_020), (10_010, 10_010)])
def test_the_middle_is_rounded_half_up_to_the_tick(high: int, price: int) -> None:
    assert clear([(high, 100)], [(10_000, 100)], 10, MIDDLE) == Print(price, 100, 0)


def test_shanghai_asks_only_the_prices_of_orders() -> None:
    """At 1001 to 1004 nothing would be left; the orders stand at 1000, leaving 50, and at 1005, leaving 70."""
    buys, sells = [(1010, 100), (1000, 50)], [(990, 100), (1005, 70)]
    assert clear(buys, sells, 1, MIDDLE) == Print(1000, 100, 50)
    assert clear(buys, sells, 1, 2000) == Print(1004, 100, 0)


def test_the_middle_of_prices_that_leave_as_much_on_either_side() -> None:
    buys, sells = [(1010, 100), (1000, 50)], [(990, 100), (1004, 50)]
    assert clear(buys, sells, 1, MIDDLE) == Print(1002, 100, 0)


@pytest.mark.parametrize(
    ("exchange", "last", "nearest"), [("SH", 0, None), ("SH", 11, None), ("SZ", 0, 10), ("SZ", 11, 11), ("BJ", 11, 11)]
)
def test_what_decides_between_prices_equally_good(exchange: str, last: int, nearest: int | None) -> None:
    assert nearest_to(exchange, last, preclose=10) == nearest


def test_who_comes_first_is_served_first() -> None:
    assert allocate([300, 200, 100], 400) == [300, 100, 0]
    assert allocate([300], 0) == [0]
    assert leftover([(1002, 300), (1001, 200), (1000, 100)], 400) == [(1001, 100), (1000, 100)]
    assert leftover([(1002, 300)], 300) == []


# -- against every price -------------------------------------------------------------------------------

books = st.lists(
    st.tuples(st.integers(100, 106).map(lambda n: n * 10), st.integers(1, 4).map(lambda n: n * 50)), max_size=6
)


def tried(buys: Book, sells: Book, nearest: int | None) -> tuple[int, int] | None:
    """(price, volume) by trying every price there is, or in Shanghai every price that was asked for."""
    asked = {price for price, _ in buys + sells}
    prices = sorted(asked) if nearest is None else range(0, 1300, 10)

    def trades(price: int) -> tuple[int, int]:
        return (
            sum(volume for at, volume in buys if at >= price),
            sum(volume for at, volume in sells if at <= price),
        )

    most = max((min(trades(price)) for price in prices), default=0)
    if not most:
        return None
    prices = [price for price in prices if min(trades(price)) == most]
    prices = [price for price in prices if sum(volume for at, volume in buys if at > price) <= most]
    prices = [price for price in prices if sum(volume for at, volume in sells if at < price) <= most]
    prices = [price for price in prices if most in trades(price)]
    left = {price: abs(trades(price)[0] - trades(price)[1]) for price in prices}
    prices = [price for price in prices if left[price] == min(left.values())]
    if nearest is not None:
        return min(prices, key=lambda price: abs(price - nearest)), most
    middle = Decimal(prices[0] + prices[-1]) / 20
    return int(middle.quantize(Decimal(1), ROUND_HALF_UP)) * 10, most


@settings(max_examples=500)
@given(books, books, st.none() | st.integers(98, 108).map(lambda n: n * 10))
def test_trying_every_price_finds_the_same(buys: Book, sells: Book, nearest: int | None) -> None:
    found = clear(buys, sells, 10, nearest)
    assert (found and found[:2]) == tried(buys, sells, nearest)


@given(books, books, st.none() | st.integers(98, 108).map(lambda n: n * 10))
def test_no_better_order_is_left_and_both_sides_trade_the_same(buys: Book, sells: Book, nearest: int | None) -> None:
    found = clear(buys, sells, 10, nearest)
    if found is None:
        assert max(buys, default=(0, 0)) < min(sells, default=(9999, 0))
        return
    buys, sells = sorted(buys, reverse=True), sorted(sells)
    price, volume, surplus = found
    for orders, better in ((buys, 1), (sells, -1)):
        fills = allocate((wanted for _, wanted in orders), volume)
        assert sum(fills) == volume
        for (at, wanted), fill in zip(orders, fills, strict=True):
            assert fill == 0 or better * (at - price) >= 0
            assert fill == wanted or better * (at - price) <= 0
    bids, asks = leftover(buys, volume), leftover(sells, volume)
    assert sum(wanted for _, wanted in buys) == volume + sum(wanted for _, wanted in bids)
    assert not bids or not asks or bids[0][0] < asks[0][0]
    left = [sum(wanted for at, wanted in side if at == price) for side in (bids, asks)]
    assert left == [max(0, surplus), max(0, -surplus)]
