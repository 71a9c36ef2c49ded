"""What happens to strategies, as rows: an event's own words, and for people what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qmtcli.console import Console
from qmtcli.messages import say
from qmtcli.output import price_text

EVENT_KEYS = (
    "strategy", "event", "time", "message", "code", "hook", "client_id", "order_id", "stock_code", "side",
    "order_volume", "price", "traded_volume", "traded_price", "traded_id", "status", "status_msg", "result", "what",
    "traceback", "exit_status", "again_in",
)  # fmt: skip


def row(console: Console, event: Mapping[str, Any]) -> dict[str, Any]:
    """An event as a row; its ``message`` is its own, or what its other words say."""
    found = {key: event.get(key) for key in EVENT_KEYS}
    if found["message"] is None:
        found["message"] = _message(console, event)
    return found


def standing(of: Sequence[tuple[str, str, int, int]]) -> str:
    """How all are, in a line: of each (name, state, orders, trades)."""
    return "  ".join(
        f"{name}: {state}" + say(f", 委托 {orders}, 成交 {trades}", f", orders {orders}, trades {trades}")
        for name, state, orders, trades in of
    )


def _message(console: Console, event: Mapping[str, Any]) -> str | None:
    kind = event["event"]
    if kind in ("sent", "order", "trade"):
        return _order(console, event)
    if kind == "cancel":
        return f"{event['client_id'] or event['order_id']}: {console.word(event['result'])}"
    if kind == "link":
        return say(*_LINKS[event["what"]])
    if kind == "started":
        return " ".join(event.get("symbols") or ())
    if kind == "stopped" and event.get("unknown"):
        return say("有委托结果未知", "the outcome of an order is not known")
    if kind == "ended":
        again = event.get("again_in")
        more = "" if again is None else say(f", {again:g} 秒后重启", f", started again in {again:g} s")
        return say(f"退出码 {event['exit_status']}{more}", f"exit status {event['exit_status']}{more}")
    return None


def _order(console: Console, event: Mapping[str, Any]) -> str:
    """``buy 600000.SH 300 at 9.09: filled 300 at 9.08``."""
    side, code = console.word(event["side"]), event["stock_code"]
    trade = event["event"] == "trade"
    volume = event["traded_volume" if trade else "order_volume"]
    price = price_text(event["traded_price" if trade else "price"])
    text = f"{side} {code} {volume:,}" + (say(f" @ {price}", f" at {price}") if price else "")
    if event["event"] == "order":
        text += f": {console.word(event['status'])}"
        if event["traded_volume"]:
            text += f" {event['traded_volume']:,}"
            text += say(f" @ {price_text(event['traded_price'])}", f" at {price_text(event['traded_price'])}")
        if event.get("status_msg"):
            text += f" ({event['status_msg']})"
    return text


#: what becomes of the terminal and of the quotes
_LINKS = {
    "lost": ("与终端断开或未登录, 不再下单", "the terminal or its login is away: nothing is sent"),
    "back": ("已恢复", "it is back"),
    "stale": ("行情中断", "no quotes any more"),
    "fresh": ("行情恢复", "quotes again"),
}
