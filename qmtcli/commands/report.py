"""``qmt report``: what a trader declares for program trading: software, rates, counts (程序化交易管理规定, art. 7)."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from qmtcli.commands.columns import REPORT
from qmtcli.commands.common import App, command
from qmtcli.errors import UsageError
from qmtcli.messages import say
from qmtcli.output import emit_rows

if TYPE_CHECKING:
    from qmtcli.ledger import Ledger

_KEYS = (
    "period", "days", "orders", "cancels", "declarations", "most_in_a_day", "most_in_a_second", "cancel_share",
    "other_orders", "whole_account", "high_frequency", "reported", "software", "version", "interface",
)  # fmt: skip
#: of one account: orders and cancels in a second, or in a day, from which it counts as high-frequency
_HFT_SECOND, _HFT_DAY = 300, 20_000


@command(
    "report",
    "程序化交易报告所需: 软件与版本、每秒最高笔数、全账户每日笔数、撤单占比; 按日, 或 --month 按月。",
    "What is declared for program trading: software and version, highest rate a second, counts a day of the whole"
    " account, share of cancels; by day, or by month with --month.",
    epilog="qmt report --month 2026-11",
)
@click.argument("period", metavar="[PERIOD]", required=False)
@click.option("--month", is_flag=True, help=say("按月", "by month"))
def report(app: App, period: str | None, month: bool) -> None:
    from qmtcli import __version__
    from qmtcli.backend import ledger_file

    profile = app.profile
    digits = (period or "").replace("-", "")
    if period is not None and (not digits.isdigit() or len(digits) not in (4, 6, 8)):
        raise UsageError("bad_period", text=period)
    there = ledger_file(profile, app.console.env).exists()
    days = _days(app.ledger, period or "") if there else []
    software = {"software": "qmt (qmtcli)", "version": __version__, "interface": f"xtquant {_interface()}"}
    rows = []
    for name, group in groupby(days, key=lambda day: day["day"][:7] if month else day["day"]):
        rows.append({**_together(name, [*group]), "reported": profile.reported, **software})
    caption = say(f"程序化交易报告: {len(rows)}", f"Program trading: {len(rows)}")
    emit_rows(app.console, rows, _KEYS, REPORT, "period", caption)


def _interface() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("xtquant")
    except PackageNotFoundError:
        return ""


def _days(ledger: Ledger, period: str) -> list[dict[str, Any]]:
    """The counts of each day of which there is anything: of the whole account where it was closed."""
    closes = {close.day: close for close in ledger.closes()}
    writes: dict[str, list[tuple[str, int]]] = {}
    for event in ledger.events("event IN ('sending', 'cancel')"):
        writes.setdefault(event["day"], []).append((event["event"], event["clock"]))
    rows = []
    for day in sorted({*closes, *writes}):
        if not day.startswith(period):
            continue
        own = writes.get(day, [])
        orders = sum(1 for event, _ in own if event == "sending")
        cancels, other, second = len(own) - orders, 0, _most_in_a_second([clock for _, clock in own])
        close = closes.get(day)
        if close is not None:
            others = [row for row in close.orders if row["source"] == "other"]
            other = len(others)
            orders = max(orders, len(close.orders) - other) + other
            cancels += sum(1 for row in others if row["status"] in ("canceled", "part_canceled"))
            by_second = Counter(row["order_time"] for row in close.orders)
            second = max(second, max(by_second.values(), default=0))
        rows.append(
            {"day": day, "orders": orders, "cancels": cancels, "other": other, "second": second, "closed": bool(close)}
        )
    return rows


def _most_in_a_second(clocks: list[int]) -> int:
    """The most of some moments (milliseconds, in order) that lie within one second."""
    most = first = 0
    for last, clock in enumerate(clocks):
        while clock - clocks[first] >= 1000:
            first += 1
        most = max(most, last - first + 1)
    return most


def _together(name: str, days: list[dict[str, Any]]) -> dict[str, Any]:
    orders, cancels = (sum(day[key] for day in days) for key in ("orders", "cancels"))
    most_in_a_day = max(day["orders"] + day["cancels"] for day in days)
    most_in_a_second = max(day["second"] for day in days)
    return {
        "period": name,
        "days": len(days),
        "orders": orders,
        "cancels": cancels,
        "declarations": orders + cancels,
        "most_in_a_day": most_in_a_day,
        "most_in_a_second": most_in_a_second,
        "cancel_share": round(cancels / orders, 4) if orders else None,
        "other_orders": sum(day["other"] for day in days),
        "whole_account": all(day["closed"] for day in days),
        "high_frequency": most_in_a_second >= _HFT_SECOND or most_in_a_day >= _HFT_DAY,
    }
