"""``--follow``: each row that is new or changes, once, whatever becomes of the link, until somebody ends it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CLOCK, ROOT, Result

from qmtcli import backend, config
from qmtcli.errors import NotConnected
from qmtcli.model import Order
from qmtcli.testing import PATIENCE, Paper
from qmtcli.xt import follow

RESTS = ("buy", "600000.SH", "100", "--limit", "8.90", "-o", "id")
FILLS = ("buy", "600000.SH", "100", "--limit", "9.09", "-o", "id")


class Follower:
    """A run that follows, and its stdout as it comes."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qmtcli", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,  # select sees nothing of what is in a buffer
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self.process.stdout is not None
        self._stdout = self.process.stdout

    def lines(self, count: int) -> list[str]:
        """The next lines."""
        found = []
        for _ in range(count):
            assert select.select([self._stdout], [], [], PATIENCE)[0], f"nothing came after {found}"
            found.append(self._stdout.readline().decode().rstrip("\n"))
        return found

    def close_reader(self) -> None:
        """Go away without a word."""
        self._stdout.close()

    def end(self, number: signal.Signals | None = None) -> Result:
        """What is left to hear once it has ended, of itself or by a signal."""
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        assert self.process.stderr is not None
        stdout = b"" if self._stdout.closed else self._stdout.read()
        return Result(status, stdout.decode(), self.process.stderr.read().decode())


@pytest.fixture
def follower(clock: Callable[[str], None]) -> Iterator[Callable[..., Follower]]:
    if os.name == "nt":
        pytest.skip("select takes no pipes on Windows")
    clock(CLOCK)
    begun: list[Follower] = []

    def begin(*words: str) -> Follower:
        begun.append(Follower(*words))
        return begun[-1]

    yield begin
    for one in begun:
        one.process.kill()
        one.process.wait()


def _told(line: str) -> tuple[str, str, int]:
    row = json.loads(line)
    assert (row["mode"], row["account_id"]) == ("paper", "1000000365")
    return row["order_id"], row["status"], row["traded_volume"]


def test_orders_as_they_change_until_ctrl_c(
    follower: Callable[..., Follower], quick_qmt: Callable[..., Result]
) -> None:
    assert quick_qmt(*RESTS).stdout == "1\n"
    following = follower("orders", "--follow", "--json")
    assert [_told(line) for line in following.lines(1)] == [("1", "reported", 0)]
    assert quick_qmt(*FILLS).stdout == "2\n"
    # as reported, first without the counter's number and then with it
    seen = [json.loads(line) for line in following.lines(3)]
    assert [(row["order_id"], row["status"], row["order_sysid"] != "") for row in seen] == [
        ("2", "reported", False), ("2", "reported", True), ("2", "filled", True),
    ]  # fmt: skip
    assert quick_qmt("cancel", "1").status == 0
    assert [_told(line) for line in following.lines(2)] == [("1", "reported_cancel", 0), ("1", "canceled", 0)]
    assert following.end(signal.SIGINT) == Result(130, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_trades_in_a_table_that_grows(
    number: signal.Signals, follower: Callable[..., Follower], quick_qmt: Callable[..., Result]
) -> None:
    following = follower("trades", "--follow", "--lang", "zh", "--fields", "traded_id,side,traded_price,stock_code")
    assert following.lines(3) == [
        "【模拟】当日成交",
        "成交编号  方向        成交价  代码",
        "--------  --------  --------  ----------",
    ]
    for number_of_trade in ("1", "2"):
        assert quick_qmt(*FILLS).status == 0
        assert following.lines(1) == [f"{number_of_trade}         买入          9.03  600000.SH"]
    assert following.end(number) == Result(128 + number, "", "")


def test_a_reader_that_goes_while_nothing_happens_ends_it(follower: Callable[..., Follower]) -> None:
    following = follower("orders", "--follow", "-o", "csv", "--fields", "order_id,status")
    assert following.lines(1) == ["order_id,status"]
    following.close_reader()
    assert following.end() == Result(141, "", "")


def test_orders_that_are_named_end_it(follower: Callable[..., Follower], quick_qmt: Callable[..., Result]) -> None:
    for _ in range(3):
        assert quick_qmt(*RESTS).status == 0
    following = follower("orders", "--follow", "1", "sys:3", "-o", "csv", "--fields", "order_id,status")
    assert following.lines(3) == ["order_id,status", "1,reported", "3,reported"]
    assert quick_qmt("cancel", "--all").status == 0
    ended = following.end()
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == ["1,reported_cancel", "1,canceled", "3,reported_cancel", "3,canceled"]
    assert quick_qmt("orders", "--follow", "77", "--json").error["code"] == "unknown_order"
    again = quick_qmt("orders", "-f", "1", "-o", "id")
    assert (again.status, again.stdout) == (0, "1\n")


def test_open_orders_only_at_the_beginning(follower: Callable[..., Follower], quick_qmt: Callable[..., Result]) -> None:
    assert quick_qmt(*FILLS).status == 0
    assert quick_qmt(*RESTS).status == 0
    following = follower("orders", "--follow", "--open", "-o", "csv", "--fields", "order_id,status")
    assert following.lines(2) == ["order_id,status", "2,reported"]
    assert quick_qmt("cancel", "2").status == 0
    assert following.lines(2) == ["2,reported_cancel", "2,canceled"]


# -- the link ------------------------------------------------------------------------------------------


class Following:
    """Orders of a paper terminal as they are followed, in this process."""

    def __init__(self, paper: Paper, monkeypatch: pytest.MonkeyPatch, every: float = 0.02) -> None:
        monkeypatch.setattr(follow, "_FIRST_WAIT", 0.01)
        profile = config.load({}, os.environ, paper.folder).profile()
        self.session = backend.open_session(profile, os.environ)
        #: what was told of the link, and what is to happen while it is lost
        self.told: list[str] = []
        self.meanwhile: Callable[[], object] = bool
        self.batches = follow.orders(follow.Line(self.session, bool, self._tell, every))

    def _tell(self, error: NotConnected | None) -> None:
        self.told.append(error.code if error else "again")
        if error:
            self.meanwhile()

    def next(self) -> list[tuple[str, str]]:
        """The next batch: ids and states."""
        return [(row.order_id, row.status) for row in next(self.batches)]


@pytest.fixture
def paper(vendor_modules: None, tmp_path: Path) -> Iterator[Paper]:
    with Paper(tmp_path / "paper") as found:
        yield found


@pytest.fixture
def order(paper: Paper) -> Callable[[float], int]:
    """Another program's orders at the same terminal."""

    def place(price: float) -> int:
        trader = paper.trader()
        order_id: int = trader.order_stock(paper.stock_account, "600000.SH", 23, 100, 11, price, "other", "")
        return order_id

    return place


LOST = {
    "disconnect before": "link_lost",
    "disconnect after": "link_lost",
    "empty lists on a dead link": "query_failed",
}


@pytest.mark.parametrize("outcome", LOST)
def test_what_happened_without_a_link_is_told_after_it(
    outcome: str, paper: Paper, order: Callable[[float], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert order(8.90) == 1
    following = Following(paper, monkeypatch)
    assert following.next() == [("1", "reported")]
    following.meanwhile = lambda: (paper.faults.clear(), order(9.09))
    paper.faults.on("query_orders", outcome)
    assert following.next() == [("2", "filled")]
    assert following.told == [LOST[outcome], "again"]


def test_pushes_come_over_the_new_link_too(
    paper: Paper, order: Callable[[float], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    following = Following(paper, monkeypatch, every=10 * PATIENCE)  # what is told is pushed
    assert following.next() == []
    paper.faults.on("query_asset", "disconnect before").once()
    following.meanwhile = lambda: order(8.90)
    following.session.asset()
    assert following.next() == [("1", "reported")]
    assert following.told == ["link_lost", "again"]
    assert order(8.80) == 2
    assert ("2", "reported") in following.next()


def test_a_terminal_that_stays_away_is_asked_again(
    paper: Paper, order: Callable[[float], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    following = Following(paper, monkeypatch)
    assert following.next() == []
    following.meanwhile = lambda: order(9.09)
    paper.faults.on("query_orders", "disconnect before").once()
    paper.faults.on("connect", "-1").nth(1)
    paper.faults.on("connect", "-1").nth(3)
    assert following.next() == [("1", "filled")]
    assert following.told == ["connect_failed", "again"]


def test_an_account_that_is_logged_out_is_waited_for(
    paper: Paper, order: Callable[[float], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    following = Following(paper, monkeypatch)
    assert following.next() == []
    paper.faults.on("query_orders", "account status", status=5).once()
    following.meanwhile = lambda: order(9.09)
    assert following.next() == [("1", "filled")]
    assert following.told == ["account_not_ready", "again"]


def test_without_a_link_at_the_beginning_it_is_an_error(paper: Paper, monkeypatch: pytest.MonkeyPatch) -> None:
    paper.faults.on("connect", "-1")
    with pytest.raises(NotConnected):
        Following(paper, monkeypatch).next()


def test_what_was_not_pushed_is_read(
    paper: Paper, order: Callable[[float], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    paper.faults.on("subscribe", "twice")
    following = Following(paper, monkeypatch, every=0)  # reads, and listens to nothing
    assert following.next() == []
    assert order(8.90) == 1
    assert following.next() == [("1", "reported")]
    assert following.told == []


def _order(**more: Any) -> Order:
    fields: dict[str, Any] = dict.fromkeys(Order._fields, "")
    numbers = dict.fromkeys(("order_volume", "traded_volume", "price", "traded_price", "order_time"), 0)
    return Order(**{**fields, **numbers, "order_id": "1", "order_status": 50, **more})


@pytest.mark.parametrize(
    ("known", "row", "news"),
    [
        ({}, {}, False),
        ({}, {"order_sysid": "7"}, True),
        ({"order_sysid": "7"}, {}, False),
        ({}, {"order_status": 51}, True),
        ({"order_status": 51}, {}, True),  # the cancel was refused
        ({"order_status": 55, "traded_volume": 200}, {"order_status": 55, "traded_volume": 100}, False),
        ({"order_status": 55, "traded_volume": 100}, {"order_status": 56, "traded_volume": 200}, True),
        ({"order_status": 56, "traded_volume": 200}, {"order_status": 55, "traded_volume": 200}, False),
        ({}, {"order_status": 86}, True),
    ],
)
def test_news_of_an_order(known: dict[str, Any], row: dict[str, Any], news: bool) -> None:
    assert follow._order_moved(_order(**known), _order(**row)) == news
