"""``qmt reconcile``: settle what the ledger has open, and let a person decide what cannot be known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from qmtcli.commands import complete
from qmtcli.commands.columns import OPEN_ENTRIES
from qmtcli.commands.common import App, command
from qmtcli.errors import ExitStatus, NoData, Refused, UsageError
from qmtcli.messages import say
from qmtcli.output import check_fields, emit_rows

if TYPE_CHECKING:
    from qmtcli.desk import Desk
    from qmtcli.ledger import Entry

#: seconds between two answers of the broker before an order that is in neither may be sent again
_APART = 3.0
_KEYS = (
    "client_id", "day", "order_id", "stock_code", "instrument_name", "side", "order_volume", "price",
    "traded_volume", "state", "strategy_name", "command", "message", "result",
)  # fmt: skip


@command(
    "reconcile",
    "与券商核对台账里未了结的委托; 查不清的由人决定: --resend 再发一次, --drop 认定不成立。",
    "Settle with the broker what the ledger has open. What cannot be known a person decides: --resend sends it once"
    " more, --drop says that it does not stand.",
    epilog="qmt reconcile morning-1 --drop",
)
@click.argument("client_id", metavar="[ID]", required=False, shell_complete=complete.client_ids)
@click.option("--resend", is_flag=True, help=say("再发送一次", "send it once more"))
@click.option("--drop", is_flag=True, help=say("认定不成立", "say that it does not stand"))
@click.option("--next-session", is_flag=True, help=say("交易时间外也发送", "send outside trading hours too"))
@click.option("-y", "--yes", is_flag=True, help=say("不再询问", "do not ask"))
def reconcile(app: App, client_id: str | None, resend: bool, drop: bool, next_session: bool, yes: bool) -> int:
    app.profile  # noqa: B018
    if (resend or drop) and client_id is None:
        raise UsageError("decision_needs_id")
    if resend and drop:
        raise UsageError("one_decision")
    check_fields(app.console, _KEYS)
    desk = app.open_desk(False, yes, next_session)
    if client_id is None:
        desk.settle(app.session.orders())
        return _show(app, [(entry, "") for entry in desk.ledger.not_final()])
    entry = desk.ledger.find(client_id)
    if entry is None:
        raise NoData("unknown_client_id", client_id=client_id)
    if not entry.state.final:
        desk.settle(app.session.orders())
        entry = desk.ledger.select("key = ?", entry.key)[0]
    if not (resend or drop):
        return _show(app, [(entry, "")])
    if not entry.state.undecided:
        raise Refused("not_undecided", client_id=client_id, state=str(entry.state))
    if not desk.ledger.owners.take(entry.key):
        raise Refused("in_other_hands_now", client_id=client_id)
    return _drop(app, desk, entry, yes) if drop else _resend(app, desk, entry, next_session)


def _drop(app: App, desk: Desk, entry: Entry, yes: bool) -> int:
    from qmtcli.ledger import State

    app.confirm(say(f"认定委托 {entry.client_id} 不成立?", f"Does order {entry.client_id} not stand?"), yes)
    dropped = entry._replace(state=State.DROPPED)
    desk.ledger.settle([dropped])
    return _show(app, [(dropped, "dropped")])


def _resend(app: App, desk: Desk, entry: Entry, next_session: bool) -> int:
    """Send an order once more that the broker does not list, in two answers of a sound account."""
    from qmtcli.desk import Manner, settling
    from qmtcli.ledger import State

    if entry.day != desk.day:
        raise Refused("id_of_another_day", client_id=entry.client_id, day=entry.day, today=desk.day)
    app.session.hold_account(closed=next_session)
    time.sleep(_APART)
    listed = app.session.orders()
    (found,) = settling.looked_for([entry], listed, desk.ledger.claims(entry.day), None)
    if found.order_id or any(order.order_remark == entry.client_id for order in listed):
        raise Refused("listed_after_all", client_id=entry.client_id)
    checked = desk.checked(entry._replace(state=State.PLANNED, order_id="", shown="", sent=0), app.markets, again=True)
    desk.gate.admit(say(f"再发送委托 {entry.client_id}?", f"Send order {entry.client_id} once more?"))
    desk.ledger.record(entry.day, "resend", client_id=entry.client_id)
    planned = entry.under_own_id._replace(
        state=State.PLANNED, order_id="", shown="", sent=0, risk=checked.risk, new_risk=checked.new_risk
    )
    desk.ledger.settle([planned], leave=False)
    (outcome,) = desk.send([planned], Manner(in_turn=True))
    if outcome.error is not None:
        raise outcome.error
    status = _show(app, [(outcome.entry, "resent")])
    desk.reported()
    return status


def _show(app: App, found: Sequence[tuple[Entry, str]]) -> int:
    rows: list[dict[str, Any]] = []
    for entry, result in found:
        told = entry._asdict() | {"price": float(entry.price), "state": str(entry.state), "result": result}
        rows.append({key: told[key] for key in _KEYS})
    unknown = sum(1 for entry, _ in found if entry.state.undecided)
    caption = say(f"未了结: {len(rows)}, 其中未知: {unknown}", f"Not final: {len(rows)}, of which unknown: {unknown}")
    emit_rows(app.console, rows, _KEYS, OPEN_ENTRIES, "client_id", caption)
    return ExitStatus.UNKNOWN if unknown else ExitStatus.OK
