"""``qmt replace``: another price for an order that stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from qmtcli.commands import complete, sent
from qmtcli.commands.columns import REPLACED
from qmtcli.commands.common import App, Seconds, command, nothing_sent
from qmtcli.commands.named import named
from qmtcli.commands.planning import keep, plan_option
from qmtcli.errors import ExitStatus, UsageError
from qmtcli.messages import say
from qmtcli.output import check_fields, emit_row

if TYPE_CHECKING:
    from qmtcli.desk import Outcome
    from qmtcli.model import Order


@command(
    "replace",
    "改价: 撤单, 确认已撤, 把余下数量按新价格委托一次。中断后再次运行同样的命令即继续。",
    "Another price: cancel an order, see it canceled, send its rest once. Interrupted, the same command goes on.",
    epilog="qmt replace 12 --limit 9.10",
)
@click.argument("order", metavar="ID", shell_complete=complete.order_ids)
@click.option("--limit", metavar="P", help=say("新限价, 元", "the new limit price, CNY"))
@click.option(
    "--price",
    metavar="P",
    help=say("新限价, 或 peer、own、last… [±N 跳]", "limit price, or peer, own, last… [±N ticks]"),
)
@click.option("--round", "snap", is_flag=True, help=say("价格取整到最小变动单位", "round the price to the tick"))
@click.option("--id", "client_id", metavar="ID", help=say("新委托的标识", "client id of the new order"))
@click.option("--wait", is_flag=True, help=say("等到最终状态, 最多 60 秒", "wait for the final state, 60 s at most"))
@click.option("--wait-for", metavar="S", type=Seconds(0, 3600),
              help=say("等到最终状态, 最多 S 秒", "wait for the final state, S seconds at most"))  # fmt: skip
@plan_option
@click.option("--dry-run", is_flag=True, help=say("只检查, 不发送", "check, send nothing"))
@click.option("-y", "--yes", is_flag=True, help=say("不再询问", "do not ask"))
def replace(
    app: App,
    order: str,
    limit: str | None,
    price: str | None,
    snap: bool,
    client_id: str | None,
    wait: bool,
    wait_for: float | None,
    plan: str | None,
    dry_run: bool,
    yes: bool,
) -> int:
    from qmtcli import orders, tickets
    from qmtcli.desk import Manner, replacing

    app.profile  # noqa: B018
    given = [text for text in (limit, price) if text is not None]
    if len(given) != 1:
        raise UsageError("one_price")
    spec = orders.parse_price(given[0])
    desk = app.open_desk(dry_run or plan is not None, yes)
    (row,) = named(app.session.orders(), [order])
    words = replacing.typed(row, spec)
    new_id = replacing.client_id(desk.day, row.order_id, words["price"])
    if client_id is not None:
        new_id = tickets.dated(client_id, app.session.today())
    begun = replacing.begin(desk, app.markets, row, spec, new_id, snap)
    check_fields(app.console, _row(desk.unsent(begun.entry), row))
    if plan is not None:
        return keep(app, desk, plan, replaces={row.order_id: (words["price"], new_id)})
    if app.console.interactive or dry_run:
        app.console.say(say(f"{row.order_id} {row.stock_code}: {row.price} -> {begun.entry.price}",
                            f"{row.order_id} {row.stock_code}: {row.price} -> {begun.entry.price}"))  # fmt: skip
    if dry_run:
        _emit(app, desk.unsent(begun.entry), row, True)
        return ExitStatus.OK
    if desk.may_send(begun.entry):
        desk.gate.admit(say("撤单并重新委托?", "Cancel it and send the new one?"))
    done, error = replacing.replace(desk, app.markets, begun)
    if error is not None:
        raise error
    seconds = wait_for if wait_for is not None else 60.0 if wait else None
    (outcome,) = desk.send([done.entry], Manner(seconds, in_turn=True))
    if outcome.error is not None:
        raise outcome.error
    _emit(app, outcome, done.order, False)
    desk.reported()
    short = done.order.order_volume - done.order.traded_volume - outcome.entry.order_volume
    return ExitStatus.PARTIAL if short > 0 and not outcome.replayed else outcome.status(seconds is not None)


def _emit(app: App, outcome: Outcome, order: Order, dry_run: bool) -> None:
    emit_row(app.console, _row(outcome, order), REPLACED, "order_id", say("改价", "Replaced") + nothing_sent(dry_run))


def _row(outcome: Outcome, order: Order) -> dict[str, Any]:
    left = max(order.order_volume - order.traded_volume - outcome.entry.order_volume, 0)
    return {
        **sent.order_row(outcome),
        "replaces": order.order_id,
        "replaced_status": order.status,
        "replaced_traded_volume": order.traded_volume,
        "left_volume": left,
    }
