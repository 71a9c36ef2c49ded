"""What files and pipes of orders ask for, and what a batch says of what is wrong with them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmtcli import batch, tables
from qmtcli.batch import Problem, Wanted
from qmtcli.errors import UsageError
from qmtcli.model import Credit, Side


def _wanted(text: str, **defaults: str) -> list[Wanted]:
    found = [*batch.wanted(batch.rows(tables.parse(text)), defaults)]
    assert [each for each in found if isinstance(each, Problem)] == []
    return [each for each in found if isinstance(each, Wanted)]


def _typed(text: str, **defaults: str) -> list[dict[str, str]]:
    return [order.ticket.typed for order in _wanted(text, **defaults)]


def _problem(text: str) -> tuple[int, str]:
    (found,) = [each for each in batch.wanted(batch.rows(tables.parse(text)), {}) if isinstance(each, Problem)]
    return found.line, found.error.code


ONE = {"side": "buy", "stock_code": "600000.SH", "volume": "100", "price": "9.09", "strategy": "qmt"}


@pytest.mark.parametrize(
    "text",
    [
        "code,side,volume,price\n600000,buy,100,9.09\n",
        "stock_code,order_type,order_volume,price_type,price\n600000.SH,23,100,11,9.09\n",
        "代码\t方向\t数量\t价格\n600000\t买入\t100\t9.09\n",
        "code;side;volume;limit\n sh600000 ; BUY ; 100 ; 9.090 \n",
        "# a remark\n\ncode,side,volume,price\n\n600000,b,100,9.09\n# another\n",
        '[{"code": "600000", "side": "buy", "volume": 100, "price": 9.09}]',
        '{"stock_code": "600000.SH", "order_type": 23, "order_volume": 100, "price_kind": "limit", "price": 9.09}\n',
        '\n[\n\n  {"code": "600000.XSHG", "side": "buy", "volume": "100", "limit": "9.09", "value": null}\n]\n',
    ],
    ids=["plain", "xtquant", "chinese", "semicolons", "remarks", "array", "lines", "spread"],
)
def test_the_same_order_in_many_words(text: str) -> None:
    assert _typed(text) == [ONE]
    assert batch.content(_wanted(text)) == batch.content(_wanted("code,side,volume,price\n600000,buy,100,9.09\n"))


def test_numbers_of_json_keep_their_text() -> None:
    (typed,) = _typed('[{"code": 600000, "side": "sell", "volume": 1e2, "price": 11.10}]'.replace("1e2", "100"))
    assert typed == {"side": "sell", "stock_code": "600000.SH", "volume": "100", "price": "11.1", "strategy": "qmt"}
    assert _problem('[{"code": 1, "side": "sell", "volume": 100, "price": 11.10}]')[1] == "short_code"


def test_kinds_of_price_and_of_margin_orders() -> None:
    typed = _typed(
        "code,side,volume,price,market,protect,as,round,strategy,id\n"
        "600000,buy,100,peer+2,,,,,,\n"
        "600000,sell,all,,best5-cancel,,,,,\n"
        "688981,buy,200,,best5-cancel,99.5,,,,\n"
        "600000,buy,100,9.091,,,collateral,yes,trend,mine\n"
    )
    assert [each.get("price") for each in typed] == ["peer+2", "best5-cancel", "best5-cancel", "9.091"]
    assert (typed[1]["volume"], typed[2]["protect"]) == ("all", "99.5")
    assert (typed[3]["as"], typed[3]["round"], typed[3]["strategy"]) == ("collateral", "yes", "trend")
    (order,) = _wanted("stock_code,order_type,order_volume,price\n600000.SH,27,100,9\n")
    assert (order.ticket.side, order.ticket.credit) == (Side.BUY, Credit.FIN)


def test_rows_of_other_commands() -> None:
    held = {"stock_code": "600000.SH", "volume": 300, "can_use_volume": 200, "last_price": 9.03, "mode": "paper"}
    rows = [*batch.rows(tables.parse(json.dumps([held])))]
    (sell,) = batch.wanted(rows, {"side": "sell", "price": "down"}, sells_all=True)
    assert isinstance(sell, Wanted) and sell.ticket.typed["volume"] == "all"
    assert rows[0].whose == {"mode": "paper"}
    # the day's volume of a quote is nobody's order
    quote = {"stock_code": "600000.SH", "last_price": 9.03, "volume": 123456, "pvolume": 12345600, "tick_time": 1}
    (problem,) = batch.wanted(batch.rows(tables.parse(json.dumps(quote))), {"side": "buy", "price": "peer"})
    assert isinstance(problem, Problem) and problem.error.code == "volume_or_value"
    # an order that there is keeps its remark to itself
    order = {"stock_code": "600000.SH", "side": "buy", "order_volume": 100, "price_type": 50, "price_kind": "limit",
             "price": 9.0, "order_remark": "mine", "order_id": "7", "order_status": 54}  # fmt: skip
    (again,) = _wanted(json.dumps([order]))
    assert (again.client_id, again.ticket.typed["price"]) == (None, "9")
    (mine,) = _wanted('{"code": "600000", "side": "buy", "volume": 100, "price": 9, "order_remark": "mine"}')
    assert mine.client_id == "mine"
    parts = {"stock_code": "600000.SH", "parts": [{**order, "order_volume": 200}, {**order, "order_volume": 300}]}
    assert [each["volume"] for each in _typed(json.dumps(parts))] == ["200", "300"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (",buy,100,9.09", "row_without_code"),
        ("600000,,100,9.09", "row_without_side"),
        ("600000,hold,100,9.09", "bad_side"),
        ("1,buy,100,9.09", "short_code"),
        ("600000,buy,,9.09", "volume_or_value"),
        ("600000,buy,100,", "one_price"),
        ("600000,buy,-1,9.09", "bad_volume"),
        ("600000,buy,100.5,9.09", "bad_volume"),
        ("600000,buy,100,nan", "bad_price"),
        ("600000,buy,all,9.09", "all_is_for_selling"),
    ],
)
def test_what_is_wrong_with_a_row_is_told_with_its_line(row: str, code: str) -> None:
    assert _problem(f"code,side,volume,price\n600000,buy,100,9.09\n\n{row}\n") == (4, code)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_batch"),
        ("code,side,volume,price\n", "empty_batch"),
        ("[]", "empty_batch"),
        ("[{}", "bad_json"),
        ('[{"code": "600000"}', "bad_json"),
        ("[1]", "bad_json"),
        ("code,sied\n600000,buy\n", "unknown_column"),
        ("code,side\n600000,buy,100\n", "batch_row_too_long"),
    ],
)
def test_what_is_no_batch(text: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        [*batch.rows(tables.parse(text))]
    assert caught.value.code == code


prices = st.decimals(Decimal("0.01"), Decimal("999"), places=2)
orders = st.lists(
    st.tuples(
        st.sampled_from(["600000.SH", "000001.SZ", "510300.SH"]), st.sampled_from(["buy", "sell"]),
        st.integers(1, 10**6), prices,
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@given(orders)
def test_csv_and_json_say_the_same(rows: list[tuple[str, str, int, Decimal]]) -> None:
    head = ("code", "side", "volume", "price")
    table = "\n".join(",".join(map(str, row)) for row in [head, *rows])
    lines = "\n".join(json.dumps(dict(zip(head, map(str, row), strict=True))) for row in rows)
    array = json.dumps([dict(zip(head, (*row[:3], float(row[3])), strict=True)) for row in rows], indent=1)
    told = [batch.content(_wanted(text)) for text in (table, lines, array)]
    assert len(set(told)) == 1
    assert [order.line for order in _wanted(table)] == list(range(2, len(rows) + 2))
    assert [order.line for order in _wanted(lines)] == list(range(1, len(rows) + 1))


@given(st.text("abc019", min_size=1, max_size=64), st.integers(0, 99), st.integers(1, 99_999))
def test_ids_of_rows_are_client_ids(content: str, again: int, row: int) -> None:
    from qmtcli.orders import check_client_id

    name = batch.batch_id("2026-11-23", content, again)
    assert check_client_id(batch.row_id(name, row)) == f"{name}.{row}"
    assert name != batch.batch_id("2026-11-24", content, again) != batch.batch_id("2026-11-24", content, again + 1)
