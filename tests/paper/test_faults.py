"""Every outcome of a script of faults, as the vendor's own trader tells it to a program; and scripts themselves."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import audit

from qmtcli.paper import exchange
from qmtcli.paper.faults import OUTCOMES
from qmtcli.testing import PATIENCE, Paper

CODE, BUY, LIMIT = "600000.SH", 23, 11


@pytest.fixture
def paper(vendor: None, tmp_path: Path) -> Iterator[Paper]:
    with Paper(tmp_path / "paper") as found:
        yield found


class Session:
    """A connected trader, its orders of 100 shares that rest, and what it is told."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self.trader = paper.trader()
        self._read = 0

    def order(self, price: float = 8.90, remark: str = "") -> int:
        """Send one asynchronously; the request's number."""
        seq: int = self.trader.order_stock_async(self._paper.stock_account, CODE, BUY, 100, LIMIT, price, "s", remark)
        return seq

    def order_and_wait(self) -> int:
        """Send one synchronously; its id."""
        order_id: int = self.trader.order_stock(self._paper.stock_account, CODE, BUY, 100, LIMIT, 8.90, "s", "")
        return order_id

    def cancel(self, order_id: int) -> int:
        seq: int = self.trader.cancel_order_stock_async(self._paper.stock_account, order_id)
        return seq

    def cancel_and_wait(self, order_id: int) -> int:
        result: int = self.trader.cancel_order_stock(self._paper.stock_account, order_id)
        return result

    def told(self) -> list[tuple[Any, ...]]:
        """What was heard since the last answer of this, and is due."""
        self._paper.flush()
        heard = self.trader.callback.heard
        new, self._read = heard[self._read :], len(heard)
        return [_SHAPES[name](value) for name, value in new]

    def answers(self) -> tuple[Any, ...]:
        """What its queries and its calls answer."""
        account, trader = self._paper.stock_account, self.trader
        return (
            trader.query_stock_orders(account), trader.query_stock_trades(account),
            trader.query_stock_positions(account), trader.query_stock_asset(account),
            trader.query_stock_order(account, 1), trader.query_account_status(),
            trader.subscribe(account), self.order_and_wait(), self.cancel_and_wait(1),
        )  # fmt: skip


_SHAPES: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "on_order_stock_async_response": lambda told: ("response", told.order_id, told.seq),
    "on_cancel_order_stock_async_response": lambda told: ("cancel_response", told.cancel_result, told.seq),
    "on_stock_order": lambda told: ("order", told.order_id, told.order_status),
    "on_stock_trade": lambda told: ("trade", told.order_id, told.traded_volume),
    "on_stock_asset": lambda told: ("asset",),
    "on_stock_position": lambda told: ("position", told.volume),
    "on_order_error": lambda told: ("error", told.order_id, told.error_id, told.error_msg, told.seq),
    "on_cancel_error": lambda told: ("cancel_error", told.order_id, told.error_id, told.error_msg),
    "on_account_status": lambda told: ("status", told.status),
    "on_disconnected": lambda told: ("disconnected",),
}

#: what a client without a link gets, see `Session.answers`
NO_LINK = ([], [], [], None, None, [], -1, -1, -1)
WORDS = "委托被拒绝"


def rests(order_id: int = 1) -> list[tuple[Any, ...]]:
    """The pushes of an order that rests."""
    return [("order", order_id, 50), ("order", order_id, 50), ("asset",)]


def is_canceled(order_id: int = 1) -> list[tuple[Any, ...]]:
    """The pushes of its cancel."""
    return [("order", order_id, 51), ("order", order_id, 54), ("asset",)]


@pytest.fixture
def session(paper: Paper) -> Session:
    made = Session(paper)
    assert made.told() == [("status", 0)]
    return made


@pytest.fixture
def resting(session: Session) -> Session:
    """A session whose order 1 rests."""
    session.order()
    session.told()
    return session


class Call:
    """A call of a trader on a thread of its own."""

    def __init__(self, trader: Any, call: Callable[..., Any], *arguments: Any) -> None:
        self.answer: Any = "none yet"
        self._trader = trader
        self._before = self._waiting()
        self._thread = threading.Thread(target=lambda: self._make(call, *arguments), daemon=True)
        self._thread.start()

    def _make(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.answer = call(*arguments)

    def _waiting(self) -> int:
        client = self._trader.async_client
        return len(client._unanswered) + len(client._late)

    def is_unanswered(self) -> bool:
        """Whether it is still waiting once all that was said has been heard."""
        deadline = time.monotonic() + PATIENCE
        while self._waiting() == self._before:
            assert time.monotonic() < deadline, "the call was answered"
            time.sleep(0.001)
        self._trader.executor.submit(bool).result(PATIENCE)
        return self._thread.is_alive()

    def ends(self) -> Any:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.answer


def statuses(paper: Paper) -> list[int]:
    """The orders of the account, by status, whatever anybody was told of them."""
    return [order["order_status"] for order in paper.account.orders]


# -- orders ------------------------------------------------------------------------------------------------


def test_nothing_goes_wrong_without_a_rule(paper: Paper, session: Session) -> None:
    seq = session.order()
    assert session.told() == [("response", 1, seq), *rests()]
    assert session.cancel_and_wait(1) == 0
    assert session.told() == is_canceled()


def test_reject(paper: Paper, session: Session) -> None:
    paper.faults.order("reject", error_id=-61, message="不让买").once()
    seq = session.order()
    assert session.told() == [("response", 1, seq), ("error", 1, -61, "不让买", seq), ("order", 1, 57)]
    assert (statuses(paper), paper.account.orders[0]["status_msg"]) == ([57], "不让买")
    assert session.order_and_wait() == 2
    assert statuses(paper) == [57, 50]


def test_reject_without_a_row(paper: Paper, session: Session) -> None:
    paper.faults.order("reject", row=False)
    seq = session.order()
    (response, error) = session.told()
    assert response[0::2] == ("response", seq)
    assert error == ("error", response[1], -1, WORDS, seq)
    assert response[1] > 1 << 29
    assert session.order_and_wait() > 1 << 29
    assert statuses(paper) == []


def test_minus_one(paper: Paper, session: Session) -> None:
    paper.faults.order("-1", message="柜台忙")
    seq = session.order()
    assert session.told() == [("response", -1, seq)]
    assert session.trader.callback.heard[-1][1].error_msg == "柜台忙"
    assert session.order_and_wait() == -1
    assert statuses(paper) == []


def test_minus_one_and_yet_live(paper: Paper, session: Session) -> None:
    paper.faults.order("-1 and yet live")
    seq = session.order()
    assert session.told() == [("response", -1, seq), *rests()]
    assert session.order_and_wait() == -1
    assert statuses(paper) == [50, 50]


@pytest.mark.parametrize("stands", [True, False])
@pytest.mark.parametrize("pushes", [True, False])
def test_no_answer(paper: Paper, session: Session, stands: bool, pushes: bool) -> None:
    paper.faults.order("no answer", stands=stands, pushes=pushes)
    session.order()
    assert session.told() == (rests() if stands and pushes else [])
    assert statuses(paper) == ([50] if stands else [])
    waiting = Call(session.trader, session.order_and_wait)
    assert waiting.is_unanswered()


def test_of_a_silent_order_nothing_is_ever_pushed(paper: Paper, session: Session) -> None:
    paper.faults.order("no answer", pushes=False).once()
    session.order()
    session.order()
    session.told()
    assert session.cancel_and_wait(1) == 0
    assert session.told() == [("asset",)]
    assert session.cancel_and_wait(2) == 0
    assert session.told() == is_canceled(2)


def test_late(paper: Paper, session: Session) -> None:
    paper.faults.order("late", seconds=3)
    seq = session.order()
    assert session.told() == rests()
    waiting = Call(session.trader, session.order_and_wait)
    assert waiting.is_unanswered()
    paper.clock.step(2.999)
    assert session.told() == rests(2)
    paper.clock.step(0.001)
    assert session.told() == [("response", 1, seq)]
    assert waiting.ends() == 2


def test_late_answers_come_in_their_order_and_without_a_hand(paper: Paper, session: Session) -> None:
    paper.faults.order("late", seconds=3).nth(1)
    paper.faults.order("late", seconds=1).nth(2)
    first, second = session.order(), session.order()
    session.told()
    paper.clock._path.write_text("2026-11-23T10:00:03", encoding="ascii")  # as another process may move it
    heard = [session.trader.callback.wait("on_order_stock_async_response").seq for _ in range(2)]
    assert heard == [second, first]


def test_an_order_on_its_way(paper: Paper, session: Session) -> None:
    paper.faults.order("late", seconds=0, arrives=3)
    seq = session.order()
    assert session.told() == [("response", 1, seq), ("order", 1, 49)]
    paper.clock.step(2.999)
    assert (session.told(), statuses(paper)) == ([], [49])
    paper.clock.step(0.001)
    assert (session.told(), statuses(paper)) == (rests(), [50])


def test_an_order_on_its_way_outlives_its_sender(paper: Paper) -> None:
    paper.faults.order("late", seconds=0, arrives=3)
    script = (
        "import os; from xtquant.xttrader import XtQuantTrader; from xtquant.xttype import StockAccount\n"
        "import asyncio; asyncio.set_event_loop(asyncio.new_event_loop())\n"
        "trader = XtQuantTrader('x', 9); trader.start(); trader.connect()\n"
        f"trader.order_stock(StockAccount('1000000365'), {CODE!r}, 23, 100, 11, 8.90); os._exit(7)"
    )
    assert paper.python("-c", script).status == 7
    assert statuses(paper) == [49]
    paper.clock.step(3)
    assert statuses(paper) == [50]


def test_a_rejection_on_its_way(paper: Paper, session: Session) -> None:
    paper.faults.order("late", seconds=0, arrives=3)
    paper.faults.order("reject")
    seq = session.order()
    assert session.told() == [("response", 1, seq), ("order", 1, 49)]
    paper.clock.step(3)
    assert session.told() == [("error", 1, -1, WORDS, seq), ("order", 1, 57)]


@pytest.mark.parametrize(("what", "pushes"), [("both", 2), ("answer", 1), ("pushes", 2)])
def test_twice(paper: Paper, session: Session, what: str, pushes: int) -> None:
    paper.faults.order("twice", what=what)
    spoken: list[int] = []
    answer = session.trader.async_client._callbacks["bindOnOrderStockRespCallback"]
    session.trader.async_client.bindOnOrderStockRespCallback(lambda seq, told: (spoken.append(seq), answer(seq, told)))
    seq = session.order()
    told = [("response", 1, seq), *(push for push in rests() for _ in range(pushes))]
    assert session.told() == told
    assert spoken == [seq] * (1 if what == "pushes" else 2)
    assert session.order_and_wait() == 2


def test_push_before_reply(paper: Paper, session: Session) -> None:
    paper.faults.order("push before reply")
    seq = session.order()
    assert session.told() == [*rests(), ("response", 1, seq)]
    assert session.order_and_wait() == 2


def test_listed_only_after(paper: Paper, session: Session) -> None:
    paper.faults.order("listed only after", queries=2, remark="late")
    session.order(9.09, remark="late")
    session.order(9.09, remark="at once")
    assert ("order", 1, 56) in session.told()
    listed = []
    for _ in range(3):
        trades = session.trader.query_stock_trades(paper.stock_account)
        orders = session.trader.query_stock_orders(paper.stock_account)
        listed.append(([row.order_id for row in orders], [row.order_id for row in trades]))
    assert listed == [([2], [2]), ([2], [2]), ([1, 2], [1, 2])]
    assert statuses(paper) == [56, 56]


def test_a_look_for_one_order_counts_too(paper: Paper, session: Session) -> None:
    paper.faults.order("listed only after", queries=1).once()
    session.order()
    session.order()
    account = paper.stock_account
    assert session.trader.query_stock_order(account, 2).order_id == 2
    assert session.trader.query_stock_order(account, 1) is None
    assert session.trader.query_stock_order(account, 1).order_id == 1


def test_rules_that_meet_act_together(paper: Paper, session: Session) -> None:
    paper.faults.order("-1 and yet live", message="一")
    paper.faults.order("listed only after", queries=1)
    paper.faults.order("twice", what="pushes")
    paper.faults.order("-1 and yet live", message="二")
    seq = session.order()
    assert session.told() == [("response", -1, seq), *(push for push in rests() for _ in range(2))]
    assert session.trader.callback.wait("on_order_stock_async_response").error_msg == "二"
    account = paper.stock_account
    assert [len(session.trader.query_stock_orders(account)) for _ in range(2)] == [0, 1]


# -- how the failure of an order reaches a program, row by row ---------------------------------------------


def test_an_id_and_then_the_error(paper: Paper, session: Session) -> None:
    paper.faults.order("reject", row=False)
    seq = session.order()
    assert [told[0] for told in session.told()] == ["response", "error"]
    assert seq not in session.trader.queuing_order_errors_byseq


def test_the_error_and_then_the_answer(paper: Paper, session: Session) -> None:
    paper.faults.order("error before reply", numbered=True)
    seq = session.order()
    assert session.told() == [("response", 1, seq), ("error", 1, -1, WORDS, seq), ("order", 1, 57)]
    assert list(session.trader.queuing_order_errors_byid) == [1]  # a stale entry stays


def test_the_error_and_no_answer(paper: Paper, session: Session) -> None:
    paper.faults.order("error only", row=False)
    seq = session.order()
    assert session.told() == []
    assert list(session.trader.queuing_order_errors_byseq) == [seq]
    waiting = Call(session.trader, session.order_and_wait)
    assert waiting.is_unanswered()
    assert statuses(paper) == []


def test_the_error_and_no_answer_of_an_order_with_a_row(paper: Paper, session: Session) -> None:
    paper.faults.order("error only", error_id=-61, message="不让买")
    session.order()
    assert session.told() == [("order", 1, 57)]
    assert statuses(paper) == [57]


def test_an_error_without_a_number_before_the_answer(paper: Paper, session: Session) -> None:
    paper.faults.order("error before reply")
    seq = session.order()
    assert session.told() == [("error", 1, -1, WORDS, -1), ("response", 1, seq), ("order", 1, 57)]
    assert session.order_and_wait() == 2
    assert session.told() == [("error", 2, -1, WORDS, -1), ("order", 2, 57)]


def test_an_error_and_minus_one_and_later_another_minus_one(paper: Paper, session: Session) -> None:
    paper.faults.order("error before reply", numbered=True, fails=True, message="第一").once()
    paper.faults.order("-1").nth(2)
    first, second = session.order(), session.order()
    error = ("error", -1, -1, "第一", first)
    assert session.told() == [("response", -1, first), error, ("response", -1, second), error]
    assert statuses(paper) == []


def test_errors_and_answers_two_times(paper: Paper, session: Session) -> None:
    paper.faults.order("twice")
    seq = session.order(10.50)
    response, *pushes = session.told()
    assert response == ("response", 1, seq)
    assert [push[:3] for push in pushes] == [("error", 1, -61)] * 2 + [("order", 1, 57)] * 2


def test_a_callback_that_raises_swallows_the_error(paper: Paper) -> None:
    class Clumsy:
        def on_order_stock_async_response(self, response: Any) -> None:
            raise ValueError("clumsy")

    paper.faults.order("reject", row=False)
    trader = paper.trader(Clumsy())
    seq = trader.order_stock_async(paper.stock_account, CODE, BUY, 100, LIMIT, 8.90)
    paper.flush()
    assert trader.callback.names == ["on_account_status", "on_order_stock_async_response"]
    assert [str(error) for error in trader.callback.raised] == ["clumsy"]
    assert list(trader.queuing_order_errors_byseq) == [seq]


def test_the_error_of_a_cancel_comes_with_the_next_one(paper: Paper, resting: Session) -> None:
    paper.faults.cancel("error only", error_id=-7, message="撤不了").once()
    resting.cancel(1)
    assert (resting.told(), statuses(paper)) == ([], [50])
    seq = resting.cancel(1)
    assert resting.told() == [("cancel_response", 0, seq), ("cancel_error", 1, -7, "撤不了"), *is_canceled()]


# -- cancels -----------------------------------------------------------------------------------------------


def test_a_cancel_that_is_rejected(paper: Paper, resting: Session) -> None:
    paper.faults.cancel("reject", error_id=-7, message="撤不了")
    seq = resting.cancel(1)
    error = ("cancel_error", 1, -7, "撤不了")
    assert resting.told() == [("cancel_response", 0, seq), error]
    assert resting.cancel_and_wait(1) == 0
    assert (resting.told(), statuses(paper)) == ([error], [50])


def test_a_cancel_that_is_answered_minus_one(paper: Paper, resting: Session) -> None:
    paper.faults.cancel("-1").times(2)
    seq = resting.cancel(1)
    assert resting.told() == [("cancel_response", -1, seq)]
    assert (resting.cancel_and_wait(1), statuses(paper)) == (-1, [50])
    paper.faults.cancel("-1 and yet live")
    assert resting.cancel_and_wait(1) == -1
    assert (resting.told(), statuses(paper)) == (is_canceled(), [54])


@pytest.mark.parametrize("stands", [True, False])
def test_a_cancel_without_an_answer(paper: Paper, resting: Session, stands: bool) -> None:
    paper.faults.cancel("no answer", stands=stands)
    waiting = Call(resting.trader, resting.cancel_and_wait, 1)
    assert waiting.is_unanswered()
    assert resting.told() == (is_canceled() if stands else [])
    assert statuses(paper) == ([54] if stands else [50])


def test_a_late_cancel(paper: Paper, resting: Session) -> None:
    paper.faults.cancel("late", seconds=3, arrives=5)
    seq = resting.cancel(1)
    assert resting.told() == [("order", 1, 51)]
    paper.clock.step(3)
    assert resting.told() == [("cancel_response", 0, seq)]
    paper.clock.step(2)
    assert resting.told() == is_canceled()[1:]


def test_a_cancel_in_disorder(paper: Paper, resting: Session) -> None:
    resting.order()
    resting.told()
    paper.faults.cancel("push before reply").nth(1)
    paper.faults.cancel("twice").nth(2)
    seq = resting.cancel(1)
    assert resting.told() == [*is_canceled(), ("cancel_response", 0, seq)]
    seq = resting.cancel(2)
    assert resting.told() == [("cancel_response", 0, seq), *(push for push in is_canceled(2) for _ in range(2))]
    resting.order()
    resting.told()
    paper.faults.cancel("error before reply").once()
    seq = resting.cancel(3)
    # the vendor keeps the early error until the answer
    assert resting.told() == [("cancel_response", 0, seq), ("cancel_error", 3, -1, WORDS)]
    assert statuses(paper) == [54, 54, 50]


def test_cancels_of_one_order_only(paper: Paper, session: Session) -> None:
    session.order(remark="a")
    session.order(remark="b")
    paper.faults.cancel("-1", remark="b")
    assert (session.cancel_and_wait(1), session.cancel_and_wait(2)) == (0, -1)
    assert session.trader.cancel_order_stock_sysid(paper.stock_account, "SH", "2") == -1
    assert session.trader.cancel_order_stock_sysid(paper.stock_account, "SH", "999") == -1


# -- queries -----------------------------------------------------------------------------------------------

#: the vendor's call of each query -> what it is in a script, and what it answers where there is nothing
QUERIES = {
    "query_stock_asset": ("query_asset", None),
    "query_stock_orders": ("query_orders", []),
    "query_stock_trades": ("query_trades", []),
    "query_stock_positions": ("query_positions", []),
}


def ask(session: Session, paper: Paper, name: str) -> Any:
    """What a query answers, without its values."""
    found = getattr(session.trader, name)(paper.stock_account)
    return len(found) if isinstance(found, list) else found and "asset"


@pytest.fixture
def holding(paper: Paper, session: Session) -> Session:
    """A session of an account with an order, a trade and a holding."""
    session.order(9.09)
    session.told()
    return session


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_goes_wrong(paper: Paper, holding: Session, name: str) -> None:
    call, nothing = QUERIES[name]
    right = 1 if nothing == [] else "asset"
    paper.faults.on(call, "-1").once()
    assert getattr(holding.trader, name)(paper.stock_account) == nothing
    assert ask(holding, paper, name) == right
    paper.faults.clear()

    paper.faults.on(call, "no answer").once()
    waiting = Call(holding.trader, ask, holding, paper, name)
    assert waiting.is_unanswered()
    assert ask(holding, paper, name) == right
    holding.trader.async_client.let_go()
    assert waiting.ends() in (0, None)
    paper.faults.clear()

    paper.faults.on(call, "late", seconds=1).once()
    waiting = Call(holding.trader, ask, holding, paper, name)
    assert waiting.is_unanswered()
    paper.clock.step(1)
    assert waiting.ends() == right
    paper.faults.clear()

    paper.faults.on(call, "twice")
    assert ask(holding, paper, name) == right
    assert holding.told() == []


@pytest.mark.parametrize("name", QUERIES)
def test_an_asynchronous_query_is_never_called_back(paper: Paper, holding: Session, name: str) -> None:
    paper.faults.query("no answer")
    answers: list[Any] = []
    more = (answers.append, False) if name == "query_stock_orders" else (answers.append,)
    getattr(holding.trader, f"{name}_async")(paper.stock_account, *more)
    assert (holding.told(), answers) == ([], [])


def test_a_foreign_order_with_a_broken_remark(paper: Paper, session: Session) -> None:
    session.order(remark="own")
    session.told()
    paper.faults.query_orders("foreign order").once()
    for _ in range(2):  # it stays
        own, foreign = session.trader.query_stock_orders(paper.stock_account)
        assert own.order_remark == "own"
        for name in ("order_remark", "m_strOrderRemark"):
            with pytest.raises(UnicodeDecodeError):
                getattr(foreign, name)
    assert session.told() == [("order", foreign.order_id, 50)]
    assert statuses(paper) == [50]
    assert session.trader.query_stock_order(paper.stock_account, 1).order_remark == "own"
    assert session.trader.query_stock_order(paper.stock_account, 2) is None


# -- the account's status ----------------------------------------------------------------------------------


def test_account_status(paper: Paper, session: Session) -> None:
    paper.faults.order("account status", status=5).nth(1)
    paper.faults.order("account status", status=0).nth(3)
    seq = session.order()
    assert session.told() == [("response", -1, seq), ("status", 5)]
    assert session.trader.query_account_status()[0].status == 5
    assert session.trader.query_stock_asset(paper.stock_account) is not None
    assert (session.order_and_wait(), session.cancel_and_wait(1)) == (-1, -1)
    seq = session.order()
    assert session.told() == [("response", 1, seq), *rests(), ("status", 0)]
    assert session.trader.query_account_status()[0].status == 0


def test_an_account_that_is_closed_gives_ids_out(paper: Paper, resting: Session) -> None:
    paper.faults.order("account status", status=6)
    seq = resting.order()
    response, error, status = resting.told()
    assert (response[0::2], status) == (("response", seq), ("status", 6))
    assert error == ("error", response[1], -61, "当前时间不允许此类证券交易", seq)
    assert resting.cancel_and_wait(1) == -1
    assert statuses(paper) == [50]


@pytest.mark.parametrize("call", ["connect", "subscribe"])
def test_an_account_that_is_down_from_the_beginning(paper: Paper, call: str) -> None:
    paper.faults.on(call, "account status", status=1)
    session = Session(paper)
    assert session.told() == [("status", 1)]
    assert session.order_and_wait() == -1


# -- the link ----------------------------------------------------------------------------------------------


def test_a_connect_that_fails(paper: Paper) -> None:
    paper.faults.connect("-1").once()
    with pytest.raises(ConnectionError):
        paper.trader()


def test_a_late_connect(paper: Paper, session: Session) -> None:
    paper.faults.connect("late", seconds=2)
    connecting = Call(session.trader, session.trader.connect)
    connecting._thread.join(0.1)
    assert connecting.answer == "none yet"
    paper.clock.step(2)
    assert connecting.ends() == 0


@pytest.mark.parametrize("call", ["connect", "stop"])
def test_a_call_that_never_returns(paper: Paper, session: Session, call: str) -> None:
    paper.faults.on(call, "no answer")
    waiting = Call(session.trader, getattr(session.trader, call))
    waiting._thread.join(0.1)
    assert waiting.answer == "none yet"
    assert session.order_and_wait() == 1  # nobody else waits for it
    session.trader.async_client.let_go()  # as the end of a test does
    assert waiting.ends() == (-1 if call == "connect" else None)


def test_subscribe(paper: Paper) -> None:
    trader = paper.trader(subscribe=False)
    paper.faults.subscribe("-1").nth(1)
    paper.faults.subscribe("no answer").nth(2)
    assert trader.subscribe(paper.stock_account) == -1
    trader.order_stock(paper.stock_account, CODE, BUY, 100, LIMIT, 8.90)
    paper.flush()
    assert trader.callback.heard == []
    waiting = Call(trader, trader.subscribe, paper.stock_account)
    assert waiting.is_unanswered()
    trader.order_stock(paper.stock_account, CODE, BUY, 100, LIMIT, 8.90)
    paper.flush()
    assert trader.callback.names == ["on_account_status", *["on_stock_order"] * 2, "on_stock_asset"]
    assert trader.subscribe(paper.stock_account) == 0
    assert trader.unsubscribe(paper.stock_account) == 0


@pytest.mark.parametrize("outcome", ["disconnect before", "disconnect after"])
def test_a_link_that_drops_with_an_order(paper: Paper, session: Session, outcome: str) -> None:
    paper.faults.order(outcome).once()
    other = Session(paper)
    waiting = Call(session.trader, session.order_and_wait)
    assert waiting.is_unanswered()
    assert session.told() == [("disconnected",)]
    assert statuses(paper) == ([50] if outcome == "disconnect after" else [])
    assert session.answers() == NO_LINK
    assert session.trader.connect() == -1
    assert session.told() == []
    other.order()
    other.told()
    assert session.told() == []
    assert Session(paper).order_and_wait() > 0  # a new trader has a new link


@pytest.mark.parametrize("call", ["cancel", "query_asset", "subscribe"])
def test_a_link_that_drops_with_another_request(paper: Paper, resting: Session, call: str) -> None:
    paper.faults.on(call, "disconnect after")
    account, trader = paper.stock_account, resting.trader
    calls: dict[str, Callable[[], Any]] = {
        "cancel": lambda: trader.cancel_order_stock(account, 1),
        "query_asset": lambda: trader.query_stock_asset(account),
        "subscribe": lambda: trader.subscribe(account),
    }
    waiting = Call(trader, calls[call])
    assert waiting.is_unanswered()
    assert resting.told() == [("disconnected",)]
    assert statuses(paper) == [54 if call == "cancel" else 50]


def test_a_late_answer_is_lost_with_the_link(paper: Paper, session: Session) -> None:
    paper.faults.order("late", seconds=1).nth(1)
    paper.faults.order("disconnect before").nth(2)
    session.order()
    session.order()
    paper.clock.step(1)
    assert session.told() == [*rests(), ("disconnected",)]


def test_empty_lists_on_a_dead_link(paper: Paper, resting: Session) -> None:
    paper.faults.query_asset("empty lists on a dead link")
    assert resting.trader.query_stock_asset(paper.stock_account) is None
    assert resting.answers() == NO_LINK
    assert (resting.told(), statuses(paper)) == ([], [50])


def test_a_link_that_is_dead_from_the_beginning(paper: Paper) -> None:
    paper.faults.connect("empty lists on a dead link")
    with pytest.raises(ConnectionError):  # connect answered 0, and the subscription -1
        paper.trader()
    (trader,) = paper._traders
    assert trader.connected
    assert trader.query_stock_orders(paper.stock_account) == []


# -- whatever the script says ------------------------------------------------------------------------------

RULES = st.sampled_from(
    [
        (call, outcome)
        for outcome, made in OUTCOMES.items()
        for call in ("order", "cancel", "query_orders", "query_asset")
        if call in made.calls
    ]
)
WHICH = st.sampled_from([{}, {"nth": 2}, {"first": 1}, {"every": 2}])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(RULES, WHICH), max_size=6), st.lists(st.sampled_from([8.90, 9.09, 99.0]), max_size=5))
def test_whatever_goes_wrong_the_books_balance(vendor: None, rules: list[Any], prices: list[float]) -> None:
    with tempfile.TemporaryDirectory() as folder, Paper(Path(folder)) as paper:
        session = Session(paper)
        for (call, outcome), which in rules:
            needed = {key: 1 for key, (_, default) in OUTCOMES[outcome].takes.items() if default is None}
            paper.faults.on(call, outcome, **needed, **which)
        account = paper.stock_account
        answers: list[Any] = []
        for number, price in enumerate(prices, 1):
            session.order(price)
            session.trader.query_stock_orders_async(account, answers.append)
            session.trader.query_stock_asset_async(account, answers.append)
            if number % 2:
                session.cancel(number)
        paper.clock.step(seconds=1)
        session.told()
        audit(exchange.current())
        assert len(paper.account.orders) <= len(prices)
        assert session.trader.callback.raised == []
