"""What a terminal shows of the books: its native records, for the answers to queries and for pushes.

Where the vendor's documents leave it open, fields hold what users' printed rows and logs of real sessions show:
the broker's number of a price type, a counter's number (合同编号) only once the counter has given one, a long
direction on every stock row, an error of -61 for whatever a counter turns away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

from qmtcli.paper.codes import BUY, CREDIT, JUNK, REPORTED, SELL, STOCK
from qmtcli.paper.records import fill, maker
from qmtcli.paper.store import Order, Trade

#: a broker's number of each ``price_type`` that can be sent; what is not here is shown as it was sent
PRICE_TYPES = {5: 50, 11: 50, 42: 88, 43: 85, 44: 84, 45: 86, 46: 87, 47: 88, 48: 89}
#: a terminal's words for them
_PRICE_WORDS = {
    5: "最新价", 11: "限价", 42: "最优五档即时成交剩余撤销", 43: "最优五档即时成交剩余转限价", 44: "对手方最优价格",
    45: "本方最优价格", 46: "即时成交剩余撤销", 47: "最优五档即时成交剩余撤销", 48: "全额成交或撤销", 49: "盘后定价",
}  # fmt: skip
#: ``error_id`` of whatever a counter turns away; its own code is in the words
_TURNED_AWAY = -61
#: ``DIRECTION_FLAG_LONG``: stocks are held long, and their sells say so too
_LONG = 48
#: ``OFFSET_FLAG_OPEN`` and ``OFFSET_FLAG_CLOSE``, which tell buys from sells
_OFFSET = {BUY: 48, SELL: 49}
#: how shareholder accounts begin; Beijing's are Shenzhen's (from memory)
_HOLDERS = {STOCK: {"SH": "A", "SZ": "0", "BJ": "0"}, CREDIT: {"SH": "E", "SZ": "06", "BJ": "06"}}
#: bytes of the texts that must be whole
_WORDS, _MESSAGE = 23, 127

Maker: TypeAlias = "Callable[..., Any]"
#: kind of record to the fields that its maker takes, and to those that are alike in all
_FIELDS: dict[str, tuple[str, dict[str, object]]] = {
    "XtOrder": (
        "stock_code instrument_name order_id order_sysid order_time order_type order_volume price_type price "
        "traded_volume traded_price order_status status_msg strategy_name order_remark offset_flag secu_account",
        {"direction": _LONG},
    ),
    "XtTrade": (
        "stock_code instrument_name order_type traded_id traded_time traded_price traded_volume traded_amount "
        "commission order_id order_sysid strategy_name order_remark offset_flag secu_account",
        {"direction": _LONG},
    ),
    "XtAsset": ("cash current_balance frozen_cash market_value total_asset fetch_balance", {}),
    "XtPosition": (
        "stock_code instrument_name volume can_use_volume frozen_volume yesterday_volume open_price avg_price "
        "market_value last_price float_profit position_profit profit_rate secu_account",
        {"direction": _LONG},
    ),
    "XtOrderError": ("order_id error_id error_msg strategy_name order_remark seq", {}),
    "XtCancelError": ("order_id order_sysid error_msg", {"error_id": -1}),
    "XtAccountStatus": ("status", {}),
    "XtAccountInfo": ("broker_type", {"broker_name": "模拟柜台", "login_status": 0}),
}
_RESPONSES = {
    "OrderStockResp": "account_id account_type order_id strategy_name order_remark error_id error_msg",
    "CancelOrderStockResp": "account_id account_type order_id order_sysid cancel_result error_id error_msg",
}


class Rows:
    """Records of one account. What makes each kind is made when the first is wanted."""

    def __init__(self, account_id: str, account_type: int) -> None:
        self.account_id = account_id
        self.account_type = account_type
        #: shareholder account (股东代码) by market
        self.holders = {market: _holder(account_id, account_type, market) for market in ("SH", "SZ", "BJ")}
        self._makers: dict[str, Maker] = {}

    def _make(self, kind: str) -> Maker:
        known = self._makers.get(kind)
        if known is None:
            fields, constant = _FIELDS[kind]
            known = maker(kind, *fields.split(), account_id=self.account_id, account_type=self.account_type, **constant)
            self._makers[kind] = known
        return known

    def order(self, order: Order, numbered: bool = True) -> Any:
        """An order; without ``numbered`` as it is before the counter has given it a number."""
        row = self._make("XtOrder")(
            order.code, clipped(order.name, _WORDS), order.id, _number(order) if numbered else "", order.time // 1000,
            order.type, order.volume, PRICE_TYPES.get(order.price_type, order.price_type), order.price / 1000,
            order.traded, order.turnover / order.traded / 1000 if order.traded else 0.0, order.status,
            clipped(order.message, _WORDS), order.strategy, order.remark, _OFFSET[order.type],
            self.holders.get(order.code[-2:], ""),
        )  # fmt: skip
        return _remarked(row, order.remark)

    def trade(self, trade: Trade, order: Order) -> Any:
        """A trade of an order."""
        row = self._make("XtTrade")(
            order.code, clipped(order.name, _WORDS), order.type, str(trade.id), trade.time // 1000, trade.price / 1000,
            trade.volume, trade.amount / 100, trade.fee / 100, order.id, _number(order), order.strategy, order.remark,
            _OFFSET[order.type], self.holders.get(order.code[-2:], ""),
        )  # fmt: skip
        return _remarked(row, order.remark)

    def asset(self, body: Mapping[str, int]) -> Any:
        """The account's money, of what `Books.asset` tells."""
        return self._make("XtAsset")(
            body["cash"] / 100, (body["cash"] + body["frozen"]) / 100, body["frozen"] / 100, body["value"] / 100,
            body["total"] / 100, body["fetch"] / 100,
        )  # fmt: skip

    def position(self, body: Mapping[str, Any]) -> Any:
        """A holding, of what `Books.holding` tells."""
        volume, cost, value = body["volume"], body["cost"] / 100, body["value"] / 100
        average = cost / volume if volume else 0.0
        return self._make("XtPosition")(
            body["code"], clipped(body["name"], _WORDS), volume, body["sellable"], body["frozen"], body["yesterday"],
            average, average, value, body["last"] / 1000, value - cost, value - cost,
            (value - cost) / cost if volume and cost else 0.0, self.holders.get(body["code"][-2:], ""),
        )  # fmt: skip

    def order_error(self, order: Order, seq: int, verbatim: bool = False) -> Any:
        """That an order was turned away; ``seq`` of the request where this session made it, else -1.

        ``verbatim``: with the error's own number and words, not with what a terminal makes of a counter's.
        """
        error, words = (order.error, order.message) if verbatim else (_TURNED_AWAY, _told(order))
        row = self._make("XtOrderError")(order.id, error, clipped(words, _MESSAGE), order.strategy, order.remark, seq)
        return _remarked(row, order.remark)

    def cancel_error(self, order_id: int, sysid: str, message: str) -> Any:
        """That a cancel was refused."""
        return self._make("XtCancelError")(order_id, sysid, message)

    def status(self, status: int = 0) -> Any:
        """The account's link to its broker: up, where it is not told otherwise."""
        return self._make("XtAccountStatus")(status)

    def info(self) -> Any:
        """The account as the terminal lists it."""
        return self._make("XtAccountInfo")(self.account_type)


def order_response(account_id: str, account_type: int, order_id: int, strategy: str, remark: str, message: str) -> Any:
    """The answer to an order: its id, or -1 and why it is none."""
    error = 0 if order_id > 0 else -1
    row = _response("OrderStockResp")(
        account_id, account_type, order_id, strategy, remark, error, clipped(message, _MESSAGE)
    )
    return _remarked(row, remark)


def cancel_response(account_id: str, account_type: int, order_id: int, sysid: str, result: int, message: str) -> Any:
    """The answer to a cancel: 0 for one that is under way, or -1 and why it is not."""
    return _response("CancelOrderStockResp")(
        account_id, account_type, order_id, sysid, result, result, clipped(message, _MESSAGE)
    )


@cache
def _response(kind: str) -> Maker:
    return maker(kind, *_RESPONSES[kind].split())


def _number(order: Order) -> str:
    """The counter's number; of what it turned away a terminal makes one of its own."""
    if order.status == JUNK:
        return f"xt{order.id}"
    return order.sysid if order.status >= REPORTED else ""


def _told(order: Order) -> str:
    """Why an order was turned away, as a terminal tells it: ``限价买入 [SH600000] [COUNTER] [251005][…]``."""
    kind, side = _PRICE_WORDS.get(order.price_type, ""), "买入" if order.type == BUY else "卖出"
    code, _, market = order.code.partition(".")
    return f"{kind}{side} [{market}{code}] [COUNTER] [{-order.error}][{order.message}]"


def _holder(account_id: str, account_type: int, market: str) -> str:
    """The shareholder account on a market, of the account id's last digits."""
    first = _HOLDERS[account_type][market]
    return first + f"{account_id:0>9}"[len(first) - 10 :]


def _remarked(row: Any, remark: str) -> Any:
    """A record whose remark is whole in its short place too.

    The vendor's Python reads the short one, and never answers when it cannot.
    """
    return fill(row, m_strOrderRemark=clipped(remark, _WORDS)) if 4 * len(remark) > _WORDS else row


def clipped(text: str, size: int) -> str:
    """What of a text fits into so many bytes without a piece of a character, which no reader could take."""
    return text if 4 * len(text) <= size else text.encode()[:size].decode(errors="ignore")
