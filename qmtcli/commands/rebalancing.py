"""Carrying out a rebalancing that was planned, and telling what became of it: of ``rebalance`` and of ``apply``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from qmtcli.commands.batching import status
from qmtcli.commands.columns import REBALANCED
from qmtcli.commands.common import App, nothing_sent
from qmtcli.errors import ExitStatus, Refused
from qmtcli.messages import say
from qmtcli.model import Side
from qmtcli.output import emit_rows, emit_stream
from qmtcli.rebalance.plan import Reason, Row
from qmtcli.rebalance.running import Done, Running
from qmtcli.xt.rows import iso

if TYPE_CHECKING:
    from qmtcli.desk import Desk
    from qmtcli.rebalance.running import Course
    from qmtcli.rebalance.saved import Saved

KEYS = (
    "stock_code", "instrument_name", "held_volume", "ideal_volume", "target_volume", "side", "order_volume", "price",
    "last_price", "value", "traded_volume", "traded_price", "final_volume", "reached", "reason", "message", "ex_date",
    "order_ids", "batch", "resumed", "strategy_name",
)  # fmt: skip
#: reasons -> exit status of a row that is not where it was to be, where that is not `ExitStatus.PARTIAL`
_STATUS = {
    Reason.REJECTED: ExitStatus.REJECTED,
    Reason.OVER_LIMIT: ExitStatus.REFUSED,
    Reason.HALTED: ExitStatus.REFUSED,
    Reason.REFUSED: ExitStatus.REFUSED,
    Reason.UNKNOWN: ExitStatus.UNKNOWN,
}


def hold_purpose(desk: Desk, course: Course) -> None:
    """Hold that orders say what they are for where the account is a margin one, and only there.

    Raises UsageError, Refused.
    """
    for side in Side:
        desk.gate.check_purpose(side, course.credit)


def hold_turn(desk: Desk, strategy: str) -> None:
    """Hold that no other rebalancing under a strategy's name is under way. Raises Refused."""
    if not desk.ledger.take_turn(f"rebalance {strategy}"):
        raise Refused("rebalance_running", strategy=strategy)


def hold_time(app: App, course: Course) -> None:
    """Hold that there is time for a plan before what stands is canceled. Raises Refused ``until_passed``."""
    now = app.session.now()
    if course.until is not None and course.until <= now and course.auction is None:
        raise Refused("until_passed", until=iso(course.until)[11:16], now=iso(now)[11:19])


def carry_out(app: App, desk: Desk, saved: Saved, stream: bool = False) -> int:
    """Carry a plan out, from its beginning or from where somebody left it; its exit status. ``stream`` as in `emit`.

    Raises what stands against the whole of it.
    """
    orders = [row for row in saved.rows if row.volume]
    if not orders:
        nothing = [_undone(row) for row in saved.rows]
        emit(app, nothing, saved, say("再平衡: 无需委托", "Rebalanced: no orders needed"), stream)
        return _status(nothing)
    desk.gate.admit(f"{summary(saved.rows)}. {say('发送?', 'Send it?')}")
    app.session.subscribe(closed=False)
    from qmtcli.rebalance.saved import dump

    told = json.dumps(dump(saved), ensure_ascii=False)
    desk.ledger.begin(saved.batch, desk.day, saved.content, saved.name, len(saved.rows), told)
    running = Running(
        desk, app.markets, saved.batch, saved.rows, saved.cash, saved.course, app.line().told, app.console.passing
    )
    done = running.run()
    app.console.passing("")
    reached, count = sum(each.reached for each in done), len(done)
    emit(app, done, saved, say(f"再平衡: {reached}/{count} 到位", f"Rebalanced: {reached}/{count} on target"), stream)
    desk.reported()
    return _status(done)


def _undone(row: Row) -> Done:
    return Done(row, 0, Decimal(0), 0, row.reason, "", [])


def planned(app: App, saved: Saved, stream: bool = False) -> None:
    """Show a plan, nothing of which was sent; ``stream`` as in `emit`."""
    caption = say("再平衡计划", "Plan") + f": {summary(saved.rows)}" + nothing_sent(True)
    emit(app, [_undone(row) for row in saved.rows], saved, caption, stream)


def emit(app: App, done: Sequence[Done], saved: Saved, caption: str, stream: bool = False) -> None:
    """The rows of a plan, or of what became of it; ``stream``: as JSON an object a line, not an array.

    For a person either is a table that knows how wide its columns have to be.
    """
    strategy = saved.course.strategy
    more = {"batch": saved.batch, "resumed": saved.resumed, "strategy_name": strategy}
    rows = [{**_told(each), **more} for each in done]
    if stream and app.console.machine:
        emit_stream(app.console, [rows], KEYS, REBALANCED, "stock_code", caption)
    else:
        emit_rows(app.console, rows, KEYS, REBALANCED, "stock_code", caption)


def _told(done: Done) -> dict[str, Any]:
    row = done.row
    return {
        "stock_code": row.code,
        "instrument_name": row.name,
        "held_volume": row.held,
        "ideal_volume": None if row.ideal is None else round(float(row.ideal), 2),
        "target_volume": row.target,
        "side": None if row.side is None else str(row.side),
        "order_volume": row.volume,
        "price": None if row.price is None else float(row.price),
        "last_price": None if row.last is None else float(row.last),
        "value": round(float((row.price or 0) * row.volume), 2),
        "traded_volume": done.traded,
        "traded_price": round(float(done.traded_price), 4),
        "final_volume": done.final,
        "reached": done.reached,
        "reason": None if done.reason is None else str(done.reason),
        "message": done.message,
        "ex_date": row.ex_date,
        "order_ids": done.order_ids,
    }


def summary(rows: Sequence[Row]) -> str:
    """A plan in one line."""
    parts = []
    for side, zh, en in (("sell", "卖出", "sells"), ("buy", "买入", "buys")):
        ours = [row for row in rows if row.volume and row.side == side]
        amount = sum((abs(row.cost) for row in ours), Decimal(0))
        parts.append(say(f"{zh} {len(ours)} 只 {amount:,.2f} 元", f"{len(ours)} {en} {amount:,.2f} CNY"))
    return ", ".join(parts)


def _status(done: Sequence[Done]) -> int:
    """What a row's end comes to, of all: 7 where anything is unknown, 8 where only orders stand, else 0, 9, 5 or 6."""
    return status([_status_of(each) for each in done])


def _status_of(done: Done) -> int:
    if done.reason is Reason.UNKNOWN:
        return ExitStatus.UNKNOWN
    if done.standing:
        return ExitStatus.OPEN
    if done.reached:
        return ExitStatus.OK
    return ExitStatus.PARTIAL if done.reason is None else _STATUS.get(done.reason, ExitStatus.PARTIAL)
