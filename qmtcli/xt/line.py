"""The native line under a plain script that is guarded: what writes goes through a watch, which hears the answers too.

It lies below the vendor's code, so that no way of calling that code goes round it: every native client that a script
makes is a `Line` around the real one. What is no question and neither an order nor a cancel is refused.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from qmtcli.errors import Refused, UsageError
from qmtcli.model import Order
from qmtcli.xt import loader, rows

#: what of a native client goes past the watch, by the beginnings of its names: questions, and the link
_FREE = (
    "bindOn", "connect", "exportData", "getSmartAlgoParam", "init", "nextSeq", "query", "setTimeout", "smtQuery",
    "start", "stop", "subscribe", "unsubscribe", "subSwitch",
)  # fmt: skip
#: vendor's code that orders through the data service, from within the terminal
_ELSEWHERE = "xtquant.qmttools"
#: holds a sitecustomize that leaves a Python process without trading
_CHILD_FOLDER = str(Path(__file__).with_name("child"))


class Asked(NamedTuple):
    """An order as it is about to go down."""

    account_id: str
    #: xtquant's number
    account_type: int
    code: str
    #: xtquant's ``order_type``
    order_type: int
    #: shares (张 for bonds)
    volume: int
    #: xtquant's ``price_type``
    price_type: int
    #: CNY, whatever the price type makes of it
    price: float
    strategy: str
    remark: str


class Canceled(NamedTuple):
    """A cancel as it is about to go down: by the order's id, or where that is 0 by the exchange's number."""

    account_id: str
    account_type: int
    order_id: int
    order_sysid: str


class Call(NamedTuple):
    """Which order it is: the client it goes through, and the number of its request there."""

    client: int
    seq: int


class Watch(Protocol):
    """Whoever guards a line. It is called in the thread that calls or answers, and waits for neither."""

    def order(self, call: Call, asked: Asked) -> str:
        """Let an order pass, and give the remark that it carries. Raises whatever stands against it."""

    def cancel(self, asked: Canceled) -> None:
        """Let a cancel pass. Raises whatever stands against it."""

    def refused(self, error: Exception) -> str:
        """Tell the user why something was not sent; the words."""

    def broken(self, call: Call) -> None:
        """The native call of an order raised, so that it may have been sent."""

    def answered(self, call: Call, order_id: int, message: str) -> None:
        """An order has its id, or -1."""

    def failed(self, account_id: str, call: Call, order_id: int, error_id: int, message: str, remark: str) -> None:
        """An order was turned away. The number may be another session's, which the remark tells."""

    def seen(self, account_id: str, order: Order) -> None:
        """The row of an order, whoever sent it."""


class NotSent(Exception):
    """A writing call of a script was refused. Nothing was sent, and the user has been told why."""

    def __init__(self, seq: int, words: str) -> None:
        super().__init__(words)
        self.seq = seq


class Line:
    """A native client whose writing calls pass a watch."""

    def __init__(self, client: Any, watch: Watch) -> None:
        self._client, self._watch = client, watch

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return found if name.startswith(_FREE) else functools.partial(self._refuse, name)

    def orderStockWithSeq(self, seq: int, req: Any) -> Any:
        """Send an order that the watch lets pass. Raises NotSent."""
        call = Call(id(self), seq)
        with self._refusing(seq):
            given = _asked(req)
            remark = self._watch.order(call, given)
        try:
            if remark != given.remark:
                req.m_strOrderRemark = req.m_strOrderRemarkNew = remark
            return self._client.orderStockWithSeq(seq, req)
        except BaseException:
            self._watch.broken(call)
            raise

    def cancelOrderStockWithSeq(self, seq: int, req: Any) -> Any:
        """Send a cancel that the watch lets pass. Raises NotSent."""
        with self._refusing(seq):
            account_type, order_id = int(rows.number(req, "m_nAccountType")), int(rows.number(req, "m_nOrderID"))
            sysid = rows.text(req, "m_strOrderSysID")
            self._watch.cancel(Canceled(rows.text(req, "m_strAccountID"), account_type, order_id, sysid))
        return self._client.cancelOrderStockWithSeq(seq, req)

    def _refuse(self, name: str, seq: int = -1, *_: object) -> None:
        with self._refusing(seq):
            raise Refused("script_call_refused", call=name.removesuffix("WithSeq"))

    @contextmanager
    def _refusing(self, seq: int) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # whatever it is, what was not let pass is not sent
            raise NotSent(seq, self._watch.refused(error)) from None

    # -- what is heard before the script hears it --------------------------------------------------------

    def bindOnOrderStockRespCallback(self, callback: Callable[[int, Any], object]) -> None:
        """Have the answers to orders come to the watch, then to ``callback``."""

        def hear(seq: int, resp: Any) -> None:
            with suppress(Exception):  # the script hears what it would hear without a watch, here and below
                order_id = int(rows.number(resp, "m_nOrderID"))
                self._watch.answered(Call(id(self), seq), order_id, rows.text(resp, "m_strErrorMsg"))
            callback(seq, resp)

        self._client.bindOnOrderStockRespCallback(hear)

    def bindOnOrderErrorCallback(self, callback: Callable[[Any], object]) -> None:
        """Have the errors of orders come to the watch, then to ``callback``."""

        def hear(error: Any) -> None:
            with suppress(Exception):
                self._watch.failed(
                    rows.text(error, "account_id"),
                    Call(id(self), int(rows.number(error, "seq"))),
                    int(rows.number(error, "order_id")),
                    int(rows.number(error, "error_id")),
                    rows.reason(rows.text(error, "error_msg")),
                    rows.text(error, "order_remark"),
                )
            callback(error)

        self._client.bindOnOrderErrorCallback(hear)

    def bindOnStockOrderCallback(self, callback: Callable[[Any], object]) -> None:
        """Have the rows of orders come to the watch, then to ``callback``."""

        def hear(row: Any) -> None:
            with suppress(Exception):
                self._watch.seen(rows.text(row, "account_id"), rows.order(row))
            callback(row)

        self._client.bindOnStockOrderCallback(hear)


def _asked(req: Any) -> Asked:
    """What a native request asks for. Raises UsageError where its double fields do not say the same."""
    account, code = rows.text(req, "m_strAccountID"), rows.text(req, "m_strStockCode")
    volume, remark = int(rows.number(req, "m_nOrderVolume")), rows.text(req, "m_strOrderRemark")
    whole = rows.text(req, "m_strOrderRemarkNew")
    doubles = {
        "account_id": (account, rows.text(req, "m_strAccountID1")),
        "stock_code": (code, rows.text(req, "m_strStockCode1")),
        "order_volume": (volume, rows.number(req, "m_dOrderAmount")),
    }
    for name, (one, other) in doubles.items():
        if other and one != other:
            raise UsageError("script_order_unclear", field=name, one=one, other=other)
    return Asked(
        account,
        int(rows.number(req, "m_nAccountType")),
        code,
        int(rows.number(req, "m_nOrderType")),
        volume,
        int(rows.number(req, "m_nPriceType")),
        rows.number(req, "m_dPrice"),
        rows.text(req, "m_strStrategyName"),
        whole or remark,
    )


class _Guarded(ModuleType):
    """The native module in everything but its client."""

    def __init__(self, native: Any, watch: Watch) -> None:
        super().__init__(native.__name__, native.__doc__)
        self._native = native
        self.XtQuantAsyncClient = lambda *given: Line(native.XtQuantAsyncClient(*given), watch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_native"], name)


def guard(watch: Watch, profile: str) -> None:
    """Have every trader of this process, from now on, send through ``watch``; processes that it starts have none.

    Raises ConfigError as `loader.trader_module`, Refused for a package that has no native line.
    """
    module: Any = loader.trader_module()
    name = "xtquant.xtpythonclient"
    native = sys.modules.get(name)
    if native is None or getattr(module, "_XTQC_", None) is not native:
        raise Refused("script_needs_unguarded", profile=profile)
    package: Any = sys.modules["xtquant"]
    module._XTQC_ = package.xtpythonclient = sys.modules[name] = _Guarded(native, watch)
    sys.modules[_ELSEWHERE] = None  # type: ignore[assignment]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_CHILD_FOLDER, os.environ.get("PYTHONPATH")]))
    trader = module.XtQuantTrader
    for method, call in list(vars(trader).items()):
        failure = _failure_of(method)
        if failure is not None and callable(call):
            setattr(trader, method, _failing(call, failure))


def _failure_of(method: str) -> Callable[[str], object] | None:
    """What a method of a trader's that writes returns for a failure, made of its words; None for one that asks."""
    if method.startswith(("_", "query_", "common_")):
        return None
    if method.endswith("_async") or method.startswith(("order_stock", "cancel_order_stock")):
        return lambda words: -1
    if "_transfer" in method:
        return lambda words: (False, words)
    return (lambda words: {"error": {"msg": words}}) if method.startswith("sync_") else None


def _failing(call: Callable[..., Any], failure: Callable[[str], object]) -> Callable[..., Any]:
    """A trader's method that answers what was refused as the vendor's answers a failure."""

    @functools.wraps(call)
    def answer(self: Any, *given: Any, **named: Any) -> Any:
        try:
            return call(self, *given, **named)
        except NotSent as refusal:
            # what the vendor's code has put down for an answer that will never come
            self.cbs.pop(refusal.seq, None)
            self.queuing_order_seq.discard(refusal.seq)
            return failure(str(refusal))

    return answer
