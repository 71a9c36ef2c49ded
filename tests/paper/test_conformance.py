"""Both stand-ins against the contract: every class, method and function; each request is answered once, as declared."""

from __future__ import annotations

import importlib
import inspect
import json
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from qmtcli.paper import trading
from qmtcli.paper.native_tables import CALLBACKS, CLIENT_METHODS, MARKET_FUNCTIONS, MARKET_METHODS
from qmtcli.paper.records import fill, raw
from qmtcli.paper.settings import Settings

CONTRACT = json.loads((Path(__file__).resolve().parents[1] / "native-contract.json").read_text("utf-8"))
CLASSES = CONTRACT["xtpythonclient"]["classes"]
REQUESTS = [name for name in CLIENT_METHODS if name.endswith("WithSeq")]

#: requests the real client answers through another one's callback, seen on the real client without a terminal
SHARED = {
    "orderStockImmediateWithSeq": "bindOnOrderStockRespCallback",
    "cancelOrderStockImmediateWithSeq": "bindOnCancelOrderStockRespCallback",
    "smtAppointmentCancelWithSeq": "bindOnSmtAppointmentRespCallback",
    "smtAppointmentOrderWithSeq": "bindOnSmtAppointmentRespCallback",
    "smtCompactRenewalWithSeq": "bindOnSmtAppointmentRespCallback",
    "smtCompactReturnWithSeq": "bindOnSmtAppointmentRespCallback",
    "smtNegotiateOrderWithSeq": "bindOnSmtAppointmentRespCallback",
}
#: silent there; here by the type of what they send
SHARED |= {
    "sendCommandOrderReqWithSeq": "bindOnOrderStockRespCallback",
    "sendCancelCommandOrderReqWithSeq": "bindOnCancelOrderStockRespCallback",
}
#: requests the real client does not number: it returns 0 instead of the request's number
UNNUMBERED = {
    "exportDataWithSeq",
    "getSmartAlgoParamWithSeq",
    "querySmartAlgoTaskWithSeq",
    "smartOrderStockWithSeq",
    "syncTransactionFromExternalWithSeq",
}
#: answers of the real client to an order or a subscription that reaches no terminal
FAILED = {"OrderStockResp": ("order_id", -1), "CancelOrderStockResp": ("cancel_result", -1)}

#: far above what an answer takes; a request that hangs fails here instead of hanging the tests
BOUND_SECONDS = 10.0


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The account of a paper run that this process belongs to."""
    settings = Settings(home=str(tmp_path), account="1000000365")
    environ: dict[str, str] = {}
    settings.export(environ)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return settings.account


class Wire:
    """A client with every callback bound, and what came through them."""

    def __init__(self) -> None:
        self.client: Any = trading.XtQuantAsyncClient(b"userdata_mini", "xtquant", 100)
        self.heard: queue.SimpleQueue[tuple[str, tuple[Any, ...]]] = queue.SimpleQueue()
        for name in CALLBACKS:
            getattr(self.client, name)(self._listener(name))
        self.client.init()
        self.client.start()

    def _listener(self, name: str) -> Callable[..., None]:
        return lambda *values: self.heard.put((name, values))

    def ask(self, method: str, *arguments: object) -> tuple[int, object, str, Any]:
        """Number, returned value, callback and answer of one request; what is pushed meanwhile is type-checked."""
        seq = self.client.nextSeq()
        call: Future[object] = Future()

        def run() -> None:
            try:
                call.set_result(getattr(self.client, method)(seq, *arguments))
            except BaseException as problem:
                call.set_exception(problem)

        threading.Thread(target=run, daemon=True).start()
        value = call.result(timeout=BOUND_SECONDS)
        while True:
            name, values = self.heard.get(timeout=BOUND_SECONDS)
            assert len(values) == len(CALLBACKS[name])
            for got, declared in zip(values, CALLBACKS[name], strict=True):
                assert_declared(got, declared)
            if CALLBACKS[name][0] == "int":
                assert values[0] == seq
                return seq, value, name, values[1]

    def rest(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Answers nobody waited for."""
        heard = []
        while not self.heard.empty():
            heard.append(self.heard.get())
        return [(name, values) for name, values in heard if CALLBACKS[name][:1] == ("int",)]


@pytest.fixture
def wire(account: str) -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.client.stop()


def assert_declared(value: Any, declared: str) -> None:
    if declared.startswith("list["):
        assert type(value) is list
        for row in value:
            assert_declared(row, declared[5:-1])
    else:
        assert type(value) is {"int": int, "str": str}.get(declared) or type(value) is getattr(trading, declared)


def arguments(method: str, account: str) -> list[Any]:
    """Default-constructed arguments after the number; ``account`` where a request names one."""
    made: list[Any] = []
    for declared in CLIENT_METHODS[method][1:]:
        if declared == "str" or declared.startswith("list["):
            made.append("" if declared == "str" else [])
            continue
        request = getattr(trading, declared)()
        for field in ("account_id", "m_strAccountID"):
            if hasattr(request, field):
                setattr(request, field, account)
        made.append(request)
    return made


def expected_callback(method: str) -> str:
    stem = "bindOn" + method[0].upper() + method.removesuffix("WithSeq")[1:]
    (name,) = {SHARED.get(method, ""), stem + "Callback", stem + "RespCallback"} & CALLBACKS.keys()
    return name


# -- xtpythonclient ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_is_in_the_trading_stand_in(name: str) -> None:
    cls = getattr(trading, name)
    assert (cls.__name__, cls.__module__) == (name, "xtquant.xtpythonclient")
    assert getattr(trading, name) is cls


def test_the_trading_stand_in_has_no_other_class() -> None:
    with pytest.raises(AttributeError):
        _ = trading.NoSuchReq


@pytest.mark.parametrize("method", CLASSES["XtQuantAsyncClient"]["methods"])
def test_every_client_method_takes_the_arguments_of_the_contract(method: str) -> None:
    count = 1 if method in CALLBACKS else len(CLIENT_METHODS[method])
    function = getattr(trading.XtQuantAsyncClient, method)
    inspect.signature(function).bind(None, *range(count))


@pytest.mark.parametrize("owner", ["", "1000000365"], ids=["foreign", "own"])
@pytest.mark.parametrize("method", REQUESTS)
def test_every_request_is_answered_once_through_its_callback(method: str, owner: str, account: str, wire: Wire) -> None:
    assert wire.client.connect() == 0
    _, value, callback, _ = wire.ask(method, *arguments(method, owner))
    assert type(value) is int
    assert callback == expected_callback(method)
    wire.ask("queryStockAssetWithSeq", *arguments("queryStockAssetWithSeq", account))
    assert wire.rest() == []


@pytest.mark.parametrize("method", REQUESTS)
def test_a_request_returns_its_number(method: str, account: str, wire: Wire) -> None:
    wire.client.connect()
    seq, value, _, _ = wire.ask(method, *arguments(method, account))
    assert value == (0 if method in UNNUMBERED else seq)


@pytest.mark.parametrize("method", REQUESTS)
def test_without_a_link_every_request_fails_at_once(method: str, account: str, wire: Wire) -> None:
    _, _, callback, answer = wire.ask(method, *arguments(method, account))
    declared = CALLBACKS[callback][1]
    if declared == "int":
        assert answer == -1
    elif declared in FAILED:
        field, value = FAILED[declared]
        assert getattr(answer, field) == value
    elif declared.startswith("list[") and declared != "list[ComFund]":
        assert answer == []


def test_a_remark_comes_back_in_whole_characters(account: str, wire: Wire) -> None:
    wire.client.connect()
    (order,) = arguments("orderStockWithSeq", account)
    fill(order, account_type=2, stock_code="600000.SH", order_type=23, order_volume=100, price_type=11, price=9.09)
    order.order_remark = "中" * 8
    _, _, _, answer = wire.ask("orderStockWithSeq", order)
    assert answer.order_id > 0
    assert raw(order, "m_strOrderRemark") == ("中" * 8).encode()[:23]
    # the vendor's Python reads it before it answers its caller, who would wait for ever
    assert answer.m_strOrderRemark == "中" * 7


def test_numbers_count_from_one(wire: Wire) -> None:
    assert [wire.client.nextSeq() for _ in range(3)] == [1, 2, 3]


# -- datacenter -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def market() -> Any:
    return importlib.import_module("qmtcli.paper.market")


def test_the_market_client_can_be_made_without_arguments(market: Any, account: str) -> None:
    assert type(market.IPythonApiClient()) is market.IPythonApiClient


@pytest.mark.parametrize("method", MARKET_METHODS)
def test_every_market_method_takes_the_arguments_of_the_contract(method: str, market: Any) -> None:
    function = getattr(market.IPythonApiClient, method)
    inspect.signature(function).bind(None, *MARKET_METHODS[method])


@pytest.mark.parametrize("function", MARKET_FUNCTIONS)
def test_every_market_function_takes_the_arguments_of_the_contract(function: str, market: Any) -> None:
    inspect.signature(getattr(market, function)).bind(*MARKET_FUNCTIONS[function])


def test_the_tables_hold_the_whole_contract() -> None:
    assert CLIENT_METHODS.keys() | CALLBACKS.keys() == CLASSES["XtQuantAsyncClient"]["methods"].keys()
    assert MARKET_METHODS.keys() == CONTRACT["datacenter"]["classes"]["IPythonApiClient"]["methods"].keys()
    assert MARKET_FUNCTIONS.keys() == CONTRACT["datacenter"]["functions"].keys()
