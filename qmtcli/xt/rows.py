"""The vendor's rows as ours: strings that cannot raise, numbers that are numbers, prices without float noise."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from qmtcli.model import Asset, CreditDetail, Order, OrderStatus, Position, Quote, Trade
from qmtcli.xt import codes

_SHANGHAI = timezone(timedelta(hours=8))
_STATUS_WORDS = {status.number: status.word for status in OrderStatus}


def text(row: Any, name: str) -> str:
    """A string field; a text that the native line cut inside a character comes up with a replacement character."""
    try:
        value = getattr(row, name, "")
    except UnicodeDecodeError as error:
        return error.object.decode("utf-8", "replace")
    return value if isinstance(value, str) else "" if value is None else str(value)


def reason(told: str) -> str:
    """The counter's words out of what a terminal makes of them: ``限价买入 [SZ162411] [COUNTER] [12313][当前时间…]``.

    What has another form is left as it is.
    """
    _, counter, words = told.partition("[COUNTER]")
    words = words.strip()
    code, _, rest = words[1:].partition("]")
    if words.startswith("[") and code.isdigit():
        words = rest
    if words.startswith("["):
        words = words[1:].replace("]", "", 1)
    return words if counter and words else told


def number(row: Any, name: str) -> float:
    """A number field; imitators leave some out or send strings."""
    value = getattr(row, name, 0)
    try:
        return float(value or 0)
    except (TypeError, ValueError):
        return 0.0


def cancel_result(row: Any) -> int:
    """0 for a request under way, else -1 or what the terminal has for it; imitators answer True and False."""
    value = getattr(row, "cancel_result", -1)
    return int(value) - 1 if isinstance(value, bool) else int(number(row, "cancel_result"))


def _integer(row: Any, name: str) -> int:
    return int(number(row, name))


def iso(epoch_seconds: float) -> str:
    """ISO 8601 in Shanghai; "" for 0."""
    return datetime.fromtimestamp(epoch_seconds, _SHANGHAI).isoformat() if epoch_seconds else ""


def _price(value: float) -> float:
    """A price without the float noise of the native line; no A-share tick is finer than a thousandth."""
    return round(value, 3)


def order(row: Any) -> Order:
    """An order's row; a status number we do not know is ``unknown``, which counts as open."""
    status, order_type = _integer(row, "order_status"), _integer(row, "order_type")
    price_type, at = _integer(row, "price_type"), _integer(row, "order_time")
    return Order(
        order_id=_identity(row, "order_id"),
        order_sysid=text(row, "order_sysid"),
        stock_code=text(row, "stock_code"),
        instrument_name=text(row, "instrument_name"),
        side=codes.SIDES.get(order_type, str(order_type)),
        order_type=order_type,
        order_volume=_integer(row, "order_volume"),
        price_type=price_type,
        price_kind=codes.PRICE_KINDS.get(price_type, str(price_type)),
        price=_price(number(row, "price")),
        traded_volume=_integer(row, "traded_volume"),
        traded_price=round(number(row, "traded_price"), 4),
        order_status=status,
        status=_STATUS_WORDS.get(status, "unknown"),
        status_msg=text(row, "status_msg"),
        order_time=at,
        time=iso(at),
        strategy_name=text(row, "strategy_name"),
        order_remark=text(row, "order_remark"),
    )


def _identity(row: Any, name: str) -> str:
    value = getattr(row, name, "")
    return str(int(value)) if isinstance(value, (int, float)) else str(value)


def trade(row: Any) -> Trade:
    """A trade's row."""
    order_type, at = _integer(row, "order_type"), _integer(row, "traded_time")
    return Trade(
        traded_id=text(row, "traded_id"),
        order_id=_identity(row, "order_id"),
        order_sysid=text(row, "order_sysid"),
        stock_code=text(row, "stock_code"),
        instrument_name=text(row, "instrument_name"),
        side=codes.SIDES.get(order_type, str(order_type)),
        order_type=order_type,
        traded_price=_price(number(row, "traded_price")),
        traded_volume=_integer(row, "traded_volume"),
        traded_amount=round(number(row, "traded_amount"), 2),
        commission=round(number(row, "commission"), 2),
        traded_time=at,
        time=iso(at),
        strategy_name=text(row, "strategy_name"),
        order_remark=text(row, "order_remark"),
    )


def asset(row: Any) -> Asset:
    """The account's money."""
    names = ("cash", "frozen_cash", "market_value", "total_asset", "fetch_balance")
    return Asset(*(round(number(row, name), 2) for name in names))


def credit_detail(row: Any) -> CreditDetail:
    """What a margin account owes and may owe."""
    return CreditDetail(*(round(number(row, name), 4) for name in CreditDetail._fields))


def position(row: Any) -> Position:
    """A holding's row."""
    volume, value, cost = _integer(row, "volume"), number(row, "market_value"), number(row, "avg_price")
    profit = value - cost * volume
    return Position(
        stock_code=text(row, "stock_code"),
        instrument_name=text(row, "instrument_name"),
        volume=volume,
        can_use_volume=_integer(row, "can_use_volume"),
        frozen_volume=_integer(row, "frozen_volume"),
        on_road_volume=_integer(row, "on_road_volume"),
        yesterday_volume=_integer(row, "yesterday_volume"),
        avg_price=round(cost, 4),
        last_price=_price(number(row, "last_price")),
        market_value=round(value, 2),
        profit=round(profit, 2),
        profit_rate=round(profit / (cost * volume), 4) if volume and cost else 0.0,
    )


def quote(code: str, tick: dict[str, Any], detail: dict[str, Any], synthetic: bool) -> Quote:
    """A snapshot, with what the instrument's detail adds."""
    last, close, at = float(tick["lastPrice"]), float(tick["lastClose"]), int(tick["time"])
    ask_price, ask_vol = _levels(tick["askPrice"], tick["askVol"])
    bid_price, bid_vol = _levels(tick["bidPrice"], tick["bidVol"])
    return Quote(
        stock_code=code,
        instrument_name=str(detail.get("InstrumentName") or ""),
        last_price=_price(last),
        change=round(last / close - 1, 6) if last and close else 0.0,
        open=_price(float(tick["open"])),
        high=_price(float(tick["high"])),
        low=_price(float(tick["low"])),
        last_close=_price(close),
        up_stop_price=_price(float(detail.get("UpStopPrice") or 0)),
        down_stop_price=_price(float(detail.get("DownStopPrice") or 0)),
        volume=int(tick["volume"]),
        pvolume=int(tick.get("pvolume") or 0),
        amount=round(float(tick["amount"]), 2),
        ask_price=ask_price,
        ask_vol=ask_vol,
        bid_price=bid_price,
        bid_vol=bid_vol,
        phase=int(tick.get("openInt") or 0),
        tick_time=at,
        time=iso(at / 1000),
        synthetic=synthetic,
    )


def _levels(prices: list[float], volumes: list[float]) -> tuple[list[float], list[int]]:
    """Displayed levels, without the zeros that stand for empty ones."""
    shown = [(price, volume) for price, volume in zip(prices, volumes, strict=False) if price > 0]
    return [_price(float(price)) for price, _ in shown], [int(volume) for _, volume in shown]
