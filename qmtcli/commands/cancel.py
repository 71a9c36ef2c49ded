"""``qmt cancel``: ask for cancels and tell what became of each order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from qmtcli.commands import complete
from qmtcli.commands.columns import CANCELED
from qmtcli.commands.common import App, command, nothing_sent, read_from
from qmtcli.commands.named import named
from qmtcli.commands.planning import keep, plan_option
from qmtcli.desk import is_own
from qmtcli.errors import ExitStatus, QmtError, UsageError
from qmtcli.messages import say
from qmtcli.output import check_fields, emit_rows

if TYPE_CHECKING:
    from qmtcli.desk import Canceling
    from qmtcli.model import Order

_WAIT_SECONDS = 5.0


@command(
    "cancel",
    "撤单: 按委托编号, 按合同编号 (sys:123), 或 --all (可用 --code, --side, --mine 限定); - 从标准输入读取编号。",
    "Cancel orders by id, by contract number (sys:123), or --all of them (--code, --side, --mine narrow it)."
    " A dash reads ids from stdin.",
    epilog="qmt orders --open --json | qmt cancel -",
)
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=complete.order_ids)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help=say("所有可撤的委托, 新股申购除外", "every order that can be canceled, applications for new shares apart"),
)
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
@plan_option
@click.option("--dry-run", is_flag=True, help=say("只看不撤", "show what would be canceled, send nothing"))
@click.option("-y", "--yes", is_flag=True, help=say("不再询问", "do not ask"))
def cancel(
    app: App,
    ids: tuple[str, ...],
    everything: bool,
    codes: tuple[str, ...],
    side: str | None,
    mine: bool,
    plan: str | None,
    dry_run: bool,
    yes: bool,
) -> int:
    from qmtcli.symbols import parse_code

    app.profile  # noqa: B018
    if bool(ids) == everything:
        raise UsageError("ids_or_all")
    if ids and (codes or side or mine):
        raise UsageError("narrowing_needs_all")
    wanted = read_from(ids, app.console, ("order_id",))
    only = {parse_code(code) for code in codes}
    check_fields(app.console, Canceled._fields)
    desk = app.open_desk(dry_run or plan is not None, yes)
    rows = app.session.orders()
    if everything:
        chosen = [
            row
            for row in rows
            if row.state.cancellable
            and not row.subscription
            and (not only or row.stock_code in only)
            and (side is None or row.side == side)
            and (not mine or is_own(row))
        ]
    else:
        chosen = named(rows, wanted)
    if plan is not None:
        return keep(app, desk, plan, cancels=chosen)
    if chosen and not dry_run:
        desk.gate.admit_cancel(say(f"撤销 {len(chosen)} 笔委托?", f"Cancel {len(chosen)} orders?"))
    results = [_result(app, found) for found in desk.cancel(chosen, _WAIT_SECONDS)]
    caption = say(f"撤单: {len(results)}", f"Cancels: {len(results)}") + nothing_sent(dry_run)
    emit_rows(app.console, [row._asdict() for row in results], Canceled._fields, CANCELED, "order_id", caption)
    desk.reported()
    return ExitStatus.OK if dry_run else _status({row.result for row in results})


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
    #: a word of `qmtcli.desk.Canceling`; ``locked``: refused in a call auction that lets no order go
    result: str
    #: words of a refusal
    message: str


def _result(app: App, found: Canceling) -> Canceled:
    row, word = found.order, found.result
    if word == "refused" and _locked(app, row):
        word = "locked"
    return Canceled(
        row.order_id, row.order_sysid, row.stock_code, row.instrument_name, row.side, row.order_volume,
        row.traded_volume, row.order_status, row.status, word, found.message,
    )  # fmt: skip


def _locked(app: App, row: Order) -> bool:
    """Whether the order lies in a call auction that lets no order go: 09:20-09:25, 14:57-15:00."""
    from datetime import datetime, timedelta, timezone

    from qmtcli.orders import known_instrument
    from qmtcli.rules.phases import phase_at
    from qmtcli.rules.settings import DEFAULT

    profile = app.profile
    if not profile.live and profile.hours == "always":
        return False
    now = datetime.fromtimestamp(app.session.now(), timezone(timedelta(hours=8)))
    try:
        instrument = known_instrument(row.stock_code, None, app.told(row.stock_code))
    except QmtError:  # what the rules do not know keeps the word it has
        return False
    phase = phase_at(instrument, now.time(), now.date(), DEFAULT._replace(**profile.rules))
    return phase.is_auction and not phase.accepts_cancels


def _status(words: set[str]) -> int:
    """0 when every order was seen canceled; else the most that can be said of all of them."""
    words = words - {"final"}
    if words <= {"canceled"}:
        return ExitStatus.OK
    if "unknown" in words:
        return ExitStatus.UNKNOWN
    if "pending" in words:
        return ExitStatus.OPEN
    return ExitStatus.PARTIAL if "canceled" in words else ExitStatus.REJECTED
