"""The truth about a cancel: the word for each order is what its row says, and only what was meant is canceled."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CLOCK, Result

from qmtcli.commands.named import named
from qmtcli.errors import NoData, UsageError
from qmtcli.model import Order
from qmtcli.testing import PATIENCE, Paper

Qmt = Callable[..., Result]
REST = ("buy", "600000.SH", "100", "--limit", "8.90", "-o", "id")


@pytest.fixture(autouse=True)
def world(clock: Callable[[str], None]) -> None:
    clock(CLOCK)


def _words(done: Result) -> list[tuple[str, str]]:
    return [(row["order_id"], row["result"]) for row in done.json]


def test_an_application_for_new_shares_is_left_alone_by_all(quick_qmt: Qmt, tmp_path: Path) -> None:
    for number in ("1", "2", "3"):
        assert quick_qmt(*REST).stdout == f"{number}\n"
    with sqlite3.connect(tmp_path / "state" / "paper" / "paper" / "1000000365.sqlite") as account:
        account.execute("UPDATE orders SET price_type = 54 WHERE id = 1")
        account.execute("UPDATE orders SET status = 86 WHERE id = 2")
    assert [row["status"] for row in quick_qmt("orders", "--json").json] == ["reported", "unknown", "reported"]
    done = quick_qmt("cancel", "--all", "--json")
    assert (done.status, _words(done)) == (0, [("3", "canceled")])
    done = quick_qmt("cancel", "1", "--json")  # who names it means it
    assert (done.status, _words(done)) == (0, [("1", "canceled")])


def test_orders_by_their_contract_number(quick_qmt: Qmt) -> None:
    for _ in range(3):
        assert quick_qmt(*REST).status == 0
    rows = quick_qmt("orders", "sys:2", "3", "--json").json
    assert [row["order_id"] for row in rows] == ["2", "3"]
    done = quick_qmt("cancel", "sys:3", "1", "3", "--json")
    assert (done.status, _words(done)) == (0, [("3", "canceled"), ("1", "canceled")])
    missing = quick_qmt("cancel", "sys:9", "2", "sys:", "--json")
    assert (missing.status, missing.error["code"], missing.error["ids"]) == (10, "unknown_order", ["sys:9", "sys:"])
    assert quick_qmt("orders", "--open", "-o", "id").stdout == "2\n"


def _order(order_id: str, sysid: str) -> Order:
    fields: dict[str, Any] = dict.fromkeys(Order._fields, "")
    return Order(**{**fields, "order_id": order_id, "order_sysid": sysid})


def test_a_contract_number_of_two_markets_names_nothing() -> None:
    rows = [_order("1", "77"), _order("2", "77"), _order("3", "")]
    with pytest.raises(UsageError) as caught:
        named(rows, ["sys:77"])
    assert (caught.value.code, caught.value.params) == ("ambiguous_order", {"id": "sys:77", "ids": ["1", "2"]})
    assert [row.order_id for row in named(rows, ["3", "1", "3"])] == ["3", "1"]
    with pytest.raises(NoData):
        named(rows, ["77"])


@pytest.mark.parametrize(
    ("at", "word"),
    [
        ("09:19:59", "canceled"), ("09:20:00", "locked"), ("09:24:59", "locked"), ("09:27:00", "refused"),
        ("14:56:59", "canceled"), ("14:57:00", "locked"), ("14:59:59", "locked"),
    ],
)  # fmt: skip
def test_an_auction_locks_its_orders_in(
    at: str, word: str, quick_qmt: Qmt, clock: Callable[[str], None], user_config: Callable[[str], Path]
) -> None:
    user_config("profiles: {paper: {hours: exchange}}")
    clock("2026-11-23T09:16:00" if at < "12" else "2026-11-23T14:50:00")
    assert quick_qmt(*REST).status == 0
    clock(f"2026-11-23T{at}")
    done = quick_qmt("cancel", "1", "--json")
    assert (done.status, _words(done)) == (0 if word == "canceled" else 5, [("1", word)])
    assert done.json[0]["message"] == ("" if word == "canceled" else "当前时间不允许撤单")
    assert quick_qmt("orders", "1", "--json").json[0]["status"] == ("canceled" if word == "canceled" else "reported")


def test_what_is_final_is_not_asked_for(quick_qmt: Qmt) -> None:
    assert quick_qmt("buy", "600000.SH", "100", "--limit", "9.09").status == 0
    assert quick_qmt(*REST).status == 0
    assert quick_qmt("sell", "510300.SH", "100", "--limit", "4", "--json").status == 5
    dry = quick_qmt("cancel", "1", "2", "3", "--dry-run", "--json")
    assert (dry.status, _words(dry)) == (0, [("1", "too_late"), ("2", "would_cancel"), ("3", "final")])
    done = quick_qmt("cancel", "1", "2", "3", "--json")
    assert (done.status, _words(done)) == (9, [("1", "too_late"), ("2", "canceled"), ("3", "final")])
    again = quick_qmt("cancel", "2", "3", "--json")
    assert (again.status, _words(again)) == (0, [("2", "canceled"), ("3", "final")])
    assert quick_qmt("cancel", "1").status == 5


@pytest.fixture
def paper(vendor_modules: None, tmp_path: Path) -> Iterator[Paper]:
    with Paper(tmp_path / "paper") as found:
        yield found


@pytest.mark.parametrize(("traded", "word", "status"), [(100, "filled_first", 5), (0, "canceled", 0)])
def test_an_order_that_fills_before_the_cancel_reaches_it(traded: int, word: str, status: int, paper: Paper) -> None:
    paper.market.tick("600000.SH", last=10.00, bid=[(9.99, 2000)], ask=[(10.00, 2000)], preclose=10.00)
    assert paper.run("buy", "600000.SH", "100", "--limit", "9.98", "-o", "id").stdout.split() == ["1"]
    price = 9.97 if traded else 10.00
    paper.market.tick(
        "600000.SH", last=price, bid=[(price - 0.01, 500)], ask=[(price, 500)], at="10:00:03", volume=3000
    )
    paper.faults.cancel("late", seconds=0, arrives=4).once()
    done: list[Result] = []
    canceling = threading.Thread(target=lambda: done.append(paper.run("cancel", "1", "--json")))
    canceling.start()
    deadline = time.monotonic() + PATIENCE
    while paper.account.orders[0]["status"] != "reported_cancel":
        assert time.monotonic() < deadline
    paper.clock.step(seconds=4)
    canceling.join(PATIENCE)
    (result,) = done
    row = result.json[0]
    assert (result.status, row["result"], row["traded_volume"]) == (status, word, traded)
