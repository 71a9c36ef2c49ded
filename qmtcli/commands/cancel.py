"""``qmt cancel``: ask for cancels and tell what became of each order."""

from __future__ import annotations

from typing import NamedTuple

import click

from qmtcli.commands import complete
from qmtcli.commands.columns import CANCELED
from qmtcli.commands.common import App, command, nothing_sent, read_from
from qmtcli.desk import is_own
from qmtcli.errors import ExitStatus, NoData, UsageError
from qmtcli.messages import say
from qmtcli.model import Order, OrderStatus
from qmtcli.output import check_fields, emit_rows

_WAIT_SECONDS = 5.0
#: price type of a subscription to new shares, which is an order row too and not ours to cancel
_SUBSCRIPTION = 54


@command(
    "cancel",
    "撤单: 按编号, 或 --all (可用 --code, --side, --mine 限定); - 从标准输入读取编号。",
    "Cancel orders by id, or --all of them (--code, --side, --mine narrow it). A dash reads ids from stdin.",
    epilog="qmt orders --open --json | qmt cancel -",
)
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=complete.order_ids)
@click.option("--all", "everything", is_flag=True, help=say("所有可撤的委托", "every order that can be canceled"))
@click.option(
    "--code",
    "codes",
    multiple=True,
    metavar="CODE",
    help=say("只撤此代码", "only orders of this code"),
    shell_complete=complete.codes,
)
@click.option("--side", type=click.Choice(["buy", "sell"]), help=say("只撤买或卖", "only buys or only sells"))
@click.option("--mine", is_flag=True, help=say("只撤 qmt 下的", "only orders made by qmt"))
@click.option("--dry-run", is_flag=True, help=say("只看不撤", "show what would be canceled, send nothing"))
@click.option("-y", "--yes", is_flag=True, help=say("不再询问", "do not ask"))
def cancel(
    app: App,
    ids: tuple[str, ...],
    everything: bool,
    codes: tuple[str, ...],
    side: str | None,
    mine: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    from qmtcli.symbols import parse_code

    app.profile  # noqa: B018
    if bool(ids) == everything:
        raise UsageError("ids_or_all")
    if ids and (codes or side or mine):
        raise UsageError("narrowing_needs_all")
    wanted = list(dict.fromkeys(read_from(ids, app.console, ("order_id",))))
    only = {parse_code(code) for code in codes}
    check_fields(app.console, Canceled._fields)
    desk = app.open_desk(dry_run, yes)
    rows = app.session.orders()
    if everything:
        chosen = [
            row
            for row in rows
            if row.state.cancellable
            and row.price_type != _SUBSCRIPTION
            and (not only or row.stock_code in only)
            and (side is None or row.side == side)
            and (not mine or is_own(row))
        ]
    else:
        known = {row.order_id: row for row in rows}
        missing = [order_id for order_id in wanted if order_id not in known]
        if missing:
            raise NoData("unknown_order", ids=missing)
        chosen = [known[order_id] for order_id in wanted]
    if chosen:
        desk.admit_cancel(say(f"撤销 {len(chosen)} 笔委托?", f"Cancel {len(chosen)} orders?"))
    results = [_result(row, refusal, dry_run) for row, refusal in desk.cancel(chosen, _WAIT_SECONDS)]
    caption = say(f"撤单: {len(results)}", f"Cancels: {len(results)}") + nothing_sent(dry_run)
    emit_rows(app.console, [row._asdict() for row in results], Canceled._fields, CANCELED, "order_id", caption)
    desk.reported()
    return ExitStatus.OK if dry_run else _status([row.result for row in results])


class Canceled(NamedTuple):
    """What became of an order whose cancel was asked for."""

    order_id: str
    order_sysid: str
    stock_code: str
    instrument_name: str
    side: str
    order_volume: int
    traded_volume: int
    order_status: int
    status: str
    #: ``canceled``, ``filled_first``, ``final`` (rejected before), ``refused``, ``pending``; ``would_cancel``
    result: str
    #: words of a refusal
    message: str


def _result(row: Order, refusal: str, dry_run: bool) -> Canceled:
    word = _FINAL.get(row.state)
    if word is None:
        word = "would_cancel" if dry_run else "refused" if refusal else "pending"
    return Canceled(
        row.order_id, row.order_sysid, row.stock_code, row.instrument_name, row.side, row.order_volume,
        row.traded_volume, row.order_status, row.status, word, refusal,
    )  # fmt: skip


_FINAL = {
    OrderStatus.CANCELED: "canceled",
    OrderStatus.PART_CANCEL: "canceled",
    OrderStatus.SUCCEEDED: "filled_first",
    OrderStatus.JUNK: "final",
}


def _status(words: list[str]) -> int:
    """0 when every order was seen canceled; else the most that can be said of all of them."""
    kinds = set(words) - {"final"}
    if kinds <= {"canceled"}:
        return ExitStatus.OK
    if "pending" in kinds:
        return ExitStatus.OPEN
    return ExitStatus.PARTIAL if "canceled" in kinds else ExitStatus.REJECTED
