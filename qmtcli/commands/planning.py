"""``--plan`` of the commands that write, and ``qmt apply``, which sends a plan after a person has looked at it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qmtcli.commands import complete
from qmtcli.commands.columns import PLANNED
from qmtcli.commands.common import App, command
from qmtcli.errors import ConfigError, ExitStatus, NoData, NotConnected, UsageError
from qmtcli.messages import say
from qmtcli.output import check_fields, emit_row

if TYPE_CHECKING:
    from qmtcli.desk import Desk
    from qmtcli.ledger import Entry
    from qmtcli.model import Order
    from qmtcli.plans import Plan, Seen

_SHANGHAI = timezone(timedelta(hours=8))


def plan_option(function: Any) -> Any:
    """``--plan FILE`` of a command that writes."""
    return click.option(
        "--plan",
        metavar="FILE",
        help=say("存为计划, 不发送; 由 qmt apply 执行", "write a plan for qmt apply, send nothing"),
        shell_complete=complete.files,
    )(function)


def keep(
    app: App,
    desk: Desk,
    file: str,
    entries: Sequence[Entry] = (),
    cancels: Sequence[Order] = (),
    replaces: dict[str, tuple[str, str]] | None = None,
) -> int:
    """Write a plan, and tell of it; nothing is sent. ``replaces`` as in `qmtcli.plans.Plan`. Raises as `_seen`."""
    from qmtcli import plans

    codes = plans.codes_of(entries, cancels)
    canceled = [order.order_id for order in cancels] if replaces is None else []
    row_of = partial(_row, file)
    check_fields(app.console, row_of(plans.nothing(desk.day)))
    plan = write(app, desk, file, codes, entries, canceled, replaces)
    emit_row(app.console, row_of(plan), PLANNED, "plan", say("计划 (未发送)", "Plan (nothing sent)"))
    return ExitStatus.OK


def write(
    app: App,
    desk: Desk,
    file: str,
    codes: Sequence[str],
    entries: Sequence[Entry] = (),
    cancels: Sequence[str] = (),
    replaces: dict[str, tuple[str, str]] | None = None,
    rebalance: dict[str, Any] | None = None,
) -> Plan:
    """Write the file of a plan about some codes; the other arguments are as in `qmtcli.plans.Plan`.

    Raises NotConnected, and ConfigError where the file cannot be written.
    """
    from qmtcli import plans

    made = datetime.fromtimestamp(app.session.now(), _SHANGHAI).isoformat(timespec="seconds")
    plan = plans.Plan(
        dict(app.console.identity), desk.day, made, _seen(app, codes), [*entries], [*cancels], replaces or {}, rebalance
    )
    try:
        Path(file).write_text(plans.dump(plan), encoding="utf-8")
    except OSError as error:
        raise ConfigError("unwritable_file", path=file, why=error.strerror or str(error)) from None
    return plan


def _row(file: str, plan: Plan) -> dict[str, Any]:
    return {
        "plan": file, "day": plan.day, "made": plan.made, "orders": len(plan.orders), "cancels": len(plan.cancels),
        "replaces": len(plan.replaces),
        "buy_amount": _amount(plan.orders, "buy"), "sell_amount": _amount(plan.orders, "sell"),
    }  # fmt: skip


def _amount(entries: Sequence[Entry], side: str) -> float:
    return round(sum((float(entry.risk or 0) for entry in entries if entry.side == side), 0.0), 2)


def _seen(app: App, codes: Sequence[str]) -> Seen:
    """Account and market as they are now; a price that is not to be had is missing. Raises NotConnected."""
    from qmtcli import plans

    prices: dict[str, float | None] = {}
    for code in codes:
        with suppress(NoData, NotConnected):
            prices[code] = app.session.quotes([code])[0].last_price
    return plans.seen(app.session.asset(), app.session.positions(), codes, prices)


@command(
    "apply",
    "执行计划文件 (或 - 标准输入): 当日、同一账户, 价格与持仓没有变动太多; 先撤单, 后委托。再次执行不会重复。",
    "Send a plan (or - for stdin) of today and of this account, unless prices or holdings have moved too far: cancels,"
    " then orders. Applied again, it sends nothing twice.",
    epilog="qmt apply plan.json",
)
@click.argument("file", shell_complete=complete.files)
@click.option("--max-move", metavar="PERCENT", default="1%", show_default=True,
              help=say("价格与资金允许的变动", "how far prices and money may have moved"))  # fmt: skip
@click.option("--max-rate", metavar="N", type=click.IntRange(1), help=say("每秒最多 N 笔", "at most N orders a second"))
@click.option("--dry-run", is_flag=True, help=say("只检查, 不发送", "check, send nothing"))
@click.option("-y", "--yes", is_flag=True, help=say("不再询问", "do not ask"))
def apply(app: App, file: str, max_move: str, max_rate: int | None, dry_run: bool, yes: bool) -> int:
    from qmtcli import plans
    from qmtcli.commands.batch import read
    from qmtcli.commands.batching import BATCH_KEYS, send, status
    from qmtcli.desk import Manner, replacing
    from qmtcli.orders import parse_price
    from qmtcli.text import decode, part

    app.profile  # noqa: B018
    try:
        most = part(max_move)
    except ValueError:
        raise UsageError("bad_percent", text=max_move) from None
    plan = plans.load(decode(read(app, file)), app.console.identity)
    if plan.rebalance is not None:
        return _rebalance(app, plan, most, max_rate, dry_run, yes)
    check_fields(app.console, BATCH_KEYS)
    desk = app.open_desk(dry_run, yes, planned=True)
    plans.hold_day(plan, desk.day)
    begun = not dry_run and any(desk.ledger.find(entry.client_id) for entry in plan.orders)
    if not begun:  # what was sent of it has moved the account itself
        plans.hold_fresh(plan, _seen(app, [*plan.seen.volumes]), most)
    rows = {order.order_id: order for order in app.session.orders()}
    cancels = [rows[order_id] for order_id in plan.cancels if order_id in rows]
    entries = [desk.checked(entry, app.markets) for entry in plan.orders]
    begun_ones = [
        replacing.begin(desk, app.markets, rows[order_id], parse_price(price), client_id)
        for order_id, (price, client_id) in plan.replaces.items()
        if order_id in rows
    ]
    question = say(
        f"{plan.made} 的计划: 撤单 {len(cancels)}, 改价 {len(plan.replaces)}, 委托 {len(entries)}",
        f"Plan of {plan.made}: {len(cancels)} cancels, {len(plan.replaces)} replacements, {len(entries)} orders",
    )
    for entry in entries:
        app.console.say(_line(entry))
    if not dry_run:
        desk.gate.admit(f"{question}. {say('发送?', 'Send it?')}")
    statuses: list[int] = []
    if cancels and not dry_run:
        canceled = desk.cancel(cancels, 5.0)
        statuses += [ExitStatus.OK if each.result in ("canceled", "final") else ExitStatus.PARTIAL for each in canceled]
    for each in begun_ones if not dry_run else ():
        done, error = replacing.replace(desk, app.markets, each)
        if error is None:
            entries.insert(0, done.entry)
        else:
            app.console.error(error)
            statuses.append(int(error.exit_status))
    statuses.append(send(app, desk, entries, Manner(look=False, rate=max_rate), {}))
    return status(statuses)


def _rebalance(app: App, plan: Plan, most: Decimal, max_rate: int | None, dry_run: bool, yes: bool) -> int:
    """Carry out a plan of ``qmt rebalance``. Raises Refused where account or prices have moved, UsageError."""
    from qmtcli import plans
    from qmtcli.commands.rebalancing import KEYS, carry_out, hold_purpose, hold_time, hold_turn, planned
    from qmtcli.rebalance import saved

    assert plan.rebalance is not None, "it is one"
    try:
        found = saved.load(plan.rebalance)
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        raise UsageError("no_plan", why=f"{type(error).__name__}: {error}") from None
    check_fields(app.console, KEYS)
    desk = app.open_desk(dry_run, yes, planned=True)
    hold_purpose(desk, found.course)
    plans.hold_day(plan, desk.day)
    app.session.connect()
    app.settle()
    begun = None if dry_run else desk.ledger.begun(found.batch)
    if begun is None:
        plans.hold_fresh(plan, _seen(app, [*plan.seen.volumes]), most)
    else:  # what was sent of it has moved the account itself
        found = saved.load(json.loads(begun))._replace(resumed=True)
    if max_rate is not None:
        found = found._replace(course=found.course._replace(rate=max_rate))
    if dry_run:
        planned(app, found, stream=True)
        return ExitStatus.OK
    hold_turn(desk, found.course.strategy)
    if begun is None:
        hold_time(app, found.course)
    return carry_out(app, desk, found, stream=True)


def _line(entry: Entry) -> str:
    side = say("买入", "buy") if entry.side == "buy" else say("卖出", "sell")
    price = Decimal(entry.price)
    return (
        f"{side} {entry.stock_code} {entry.instrument_name} {entry.order_volume:,} @ {price or say('市价', 'market')}"
    )
