"""A package that imitates xtquant, for the full terminal or over a network, made to answer as the vendor's own does.

Each difference was seen in one that people install: asynchronous calls that work while the caller waits and have their
callback elsewhere in the argument list, truth values for numbers, ids that are strings, rows that are mappings or know
the terminal's names only, fields and methods that are missing, exceptions where the vendor answers -1 or None.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from qmtcli.errors import NotConnected

#: what a trader may lack: its default does as well
_DISPENSABLE = ("register_callback", "start", "stop", "set_timeout", "set_relaxed_response_order_enabled")
#: what of the vendor's is called, or is done without where it is missing
_SURFACE = {
    "XtQuantTrader": (
        *_DISPENSABLE,
        *("connect", "subscribe", "order_stock", "cancel_order_stock"),
        *("query_stock_asset", "query_stock_positions", "query_stock_orders", "query_stock_trades"),
        *("query_account_infos", "query_account_status", "query_credit_detail"),
    ),
    "xtdata": (
        *("enable_hello", "get_client", "get_full_tick", "get_instrument_detail"),
        *("get_market_data_ex", "get_divid_factors", "subscribe_quote", "unsubscribe_quote"),
    ),
}
#: what the terminal's own names of fields begin with, by their type
_PREFIXES = ("m_str", "m_n", "m_d", "m_e", "m_b")
#: what a tick has in any case
_TICK: dict[str, Any] = {
    **dict.fromkeys(("time", "volume", "pvolume", "openInt"), 0),
    **dict.fromkeys(("lastPrice", "open", "high", "low", "lastClose", "amount"), 0.0),
    **dict.fromkeys(("askPrice", "bidPrice", "askVol", "bidVol"), ()),
}


class _Missing(NotConnected, AttributeError):
    """For whom it calls a failure, for ``getattr`` with a default just what it expects."""


def differences(trader: object, xtdata: object) -> list[str]:
    """``XtQuantTrader.set_timeout`` and so on: what of the vendor's an imitation does not have."""
    parts = {"XtQuantTrader": trader, "xtdata": xtdata}
    return [f"{part}.{name}" for part, names in _SURFACE.items() for name in names if not hasattr(parts[part], name)]


def new_trader(make: Callable[[str, int], Any], path: str, session_id: int) -> Trader:
    """A trader made by an imitation's class. Raises NotConnected where it raises."""
    return Trader(_telling("XtQuantTrader", make)(path, session_id))


class Row:
    """A row under the vendor's names, whether it is a mapping or knows the terminal's own names only."""

    __slots__ = ("_row", "order_id")

    def __init__(self, row: object, order_id: int) -> None:
        self._row = row
        self.order_id = order_id

    def __getattr__(self, name: str) -> Any:
        found = _field(self._row, name)
        if found is None:
            raise AttributeError(name)
        return found


def _field(row: object, name: str) -> Any:
    """A field by the vendor's name or the terminal's own: ``account_id``, ``m_strAccountID``; None without it."""
    own = "".join({"id": "ID", "sysid": "SysID"}.get(part, part.capitalize()) for part in name.split("_"))
    for each in (name, *(prefix + own for prefix in _PREFIXES)):
        found = row.get(each) if isinstance(row, Mapping) else getattr(row, each, None)
        if found is not None:
            return found
    return None


class Trader:
    """An imitation of `XtQuantTrader`. Calls that the vendor answers later are made on threads of their own."""

    def __init__(self, trader: Any) -> None:
        self._trader = trader
        self._numbers = itertools.count(1)
        #: ids as the imitation has them, by the numbers they have here
        self._ids: dict[int, Any] = {}
        self._callback: Any = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("query_") and name.endswith("_async"):
            return self._question(_part(self._trader, name[: -len("_async")]))
        if name in _DISPENSABLE:
            return getattr(self._trader, name, lambda *_: 0)
        return _part(self._trader, name)

    def register_callback(self, callback: Any) -> None:
        """Have ``callback`` hear of everything in the vendor's form."""
        self._callback = callback
        if register := getattr(self._trader, "register_callback", None):
            register(_Callback(callback, self._row))

    def connect(self) -> Any:
        """0 for a link. Raises NotConnected where the imitation raises."""
        return _number(_call(self._trader, "connect"))

    def subscribe(self, account: object) -> Any:
        """0 when the account's pushes will come. Raises NotConnected where the imitation raises."""
        return _number(_call(self._trader, "subscribe", account))

    def order_stock_async(self, account: object, *order: object) -> int:
        """The number of the request; its response comes to the callback, with -1 for what is no id."""

        def send() -> dict[str, object]:
            return {"order_id": self._trader.order_stock(account, *order) or -1}

        return self._send(send, {"order_id": -1}, "on_order_stock_async_response")

    def cancel_order_stock(self, account: object, order_id: int) -> Any:
        """0 for a request sent, -1 for none."""
        return _number(self._trader.cancel_order_stock(account, self._ids.get(order_id, order_id)))

    def cancel_order_stock_async(self, account: object, order_id: int) -> int:
        """The number of the request; its response comes to the callback."""

        def send() -> dict[str, object]:
            return {"order_id": order_id, "cancel_result": self.cancel_order_stock(account, order_id)}

        failed: dict[str, object] = {"order_id": order_id, "cancel_result": -1}
        return self._send(send, failed, "on_cancel_order_stock_async_response")

    def _send(self, send: Callable[[], dict[str, object]], failed: dict[str, object], heard: str) -> int:
        """Have ``send`` done, once; what it tells of the answer goes to the callback ``heard``."""
        number = next(self._numbers)

        def run() -> None:
            try:
                told = send()
            except Exception as error:
                told = {**failed, "error_msg": _words(error)}
            getattr(self._callback, heard)(self._row({"seq": number, **told}))

        threading.Thread(target=run, name="qmt-send", daemon=True).start()
        return number

    def _question(self, ask: Callable[..., Any]) -> Callable[..., int]:
        """The vendor's asynchronous form of a query: None to the callback for one that failed."""

        def asked(*arguments: Any) -> int:
            callback = next(argument for argument in arguments if callable(argument))
            others = [argument for argument in arguments if argument is not callback]

            def run() -> None:
                try:
                    answer = self._answer(ask(*others))
                except Exception:
                    answer = None
                callback(answer)

            threading.Thread(target=run, name="qmt-query", daemon=True).start()
            return next(self._numbers)

        return asked

    def _answer(self, answer: Any) -> Any:
        if isinstance(answer, (list, tuple)):
            return [self._row(row) for row in answer]
        # an account without money and worth, not even none of them, is a failed query
        return self._row(answer) if any(_field(answer, name) is not None for name in ("cash", "total_asset")) else None

    def _row(self, row: Any) -> Row:
        own = _field(row, "order_id")
        number = _id(own)
        self._ids[number] = own
        return Row(row, number)


class _Callback:
    """The callback object of an imitation; rows go on in the vendor's form."""

    def __init__(self, callback: Any, row: Callable[[Any], Row]) -> None:
        self._callback = callback
        self._row = row

    def __getattr__(self, name: str) -> Callable[..., None]:
        hear = getattr(self._callback, name)
        return lambda *values: hear(*map(self._row, values))


def _id(own: Any) -> int:
    """An id as a number, -1 for a truth value; a text that is none has the same number in every process."""
    if isinstance(own, bool):
        return -1
    try:
        return int(own or 0)
    except (TypeError, ValueError):
        return int.from_bytes(sha256(str(own).encode("utf-8", "replace")).digest()[:6], "big")


def _number(answer: Any) -> Any:
    """The vendor's number for a truth value, and a number for its text; what is neither stays what it is."""
    if isinstance(answer, bool):
        return 0 if answer else -1
    try:
        return int(answer)
    except (TypeError, ValueError):
        return answer


class Data:
    """An imitation of ``xtdata``; calls raise NotConnected where it raises."""

    def __init__(self, xtdata: Any) -> None:
        self._xtdata = xtdata

    def __getattr__(self, name: str) -> Any:
        found = _part(self._xtdata, name)
        return _telling(name, found) if callable(found) else found

    def get_client(self) -> None:
        """Nothing to connect to by itself."""

    def get_full_tick(self, codes: list[str]) -> dict[str, dict[str, Any]]:
        """Ticks with all the fields of the vendor's; no code that there is no tick of."""
        found: dict[str, Any] = _call(self._xtdata, "get_full_tick", codes) or {}
        return {code: {**_TICK, **tick} for code, tick in found.items() if tick}

    def get_instrument_detail(self, code: str) -> dict[str, Any] | None:
        """The instrument's detail, None for a code that is not known."""
        return _call(self._xtdata, "get_instrument_detail", code) or None


def _part(whole: object, name: str) -> Any:
    """An attribute. Raises NotConnected where the imitation has not got it."""
    try:
        return getattr(whole, name)
    except AttributeError:
        raise _Missing("imitation_failed", call=name, why="it has no such function") from None


def _call(whole: object, name: str, *arguments: Any) -> Any:
    return _telling(name, _part(whole, name))(*arguments)


def _telling(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def tell(*arguments: Any, **named: Any) -> Any:
        try:
            return call(*arguments, **named)
        except Exception as error:
            raise NotConnected("imitation_failed", call=name, why=_words(error)) from error

    return tell


def _words(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
