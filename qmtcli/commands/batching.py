"""Many orders as one batch: checked whole before the first is sent, then sent over one session, told as they end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from qmtcli import batch as batches
from qmtcli import tickets
from qmtcli.commands import sent
from qmtcli.commands.columns import BATCH
from qmtcli.commands.common import App, hold_own, nothing_sent
from qmtcli.desk import Desk, Manner, Outcome
from qmtcli.errors import ExitStatus, QmtError, Refused, UsageError
from qmtcli.ledger import Entry, State, new_entry
from qmtcli.messages import error_text, say
from qmtcli.model import OrderRequest
from qmtcli.output import check_fields, emit_stream
from qmtcli.xt import codes

if TYPE_CHECKING:
    from qmtcli.tickets import Ticket

#: problems that an error names; the rest it counts
_SHOWN = 5
#: seconds for which what a price was made from is good enough
_FRESH = 2.0


class Asked(NamedTuple):
    """What is asked for a batch as a whole."""

    #: what it came from, for the audit trail
    name: str
    command: str
    dry_run: bool = False
    yes: bool = False
    next_session: bool = False
    #: one after another, and none after one that is not taken
    stop_on_error: bool = False
    #: orders a second
    rate: int | None = None
    #: another batch, though the same was begun today
    anew: bool = False
    #: seconds to wait for final states; None: for the acknowledgements only
    wait: float | None = None
    #: file for a plan, instead of sending
    plan: str | None = None
    #: client ids by row, where the orders are no batch that goes on when it is run again
    ids: Callable[[int], str] | None = None
    #: whether a row that cannot be sent leaves the others alone
    each: bool = False


def own(app: App, rows: Iterable[batches.Row]) -> Iterator[batches.Row]:
    """Rows that are this account's, or nobody's. Raises Refused at one of another."""
    for row in rows:
        hold_own(app.console, row.whose)
        yield row


def run(app: App, found: Iterable[batches.Wanted | batches.Problem], asked: Asked) -> int:
    """Check, send and tell a batch; its exit status. Raises what stands against the whole of it."""
    wanted = _sound(app, found)
    check_fields(app.console, BATCH_KEYS)
    desk = app.open_desk(asked.dry_run or asked.plan is not None, asked.yes, asked.next_session)
    entries, failed = _entries(app, desk, wanted, asked)
    if asked.plan is not None:
        from qmtcli.commands.planning import keep

        return keep(app, desk, asked.plan, entries)
    to_send = [entry for entry in entries if desk.may_send(entry)]
    if to_send:
        if app.console.interactive or asked.dry_run:
            app.console.say(_preview(to_send))
        if not asked.dry_run:
            desk.gate.admit(say(f"发送 {len(to_send)} 笔?", f"Send {len(to_send)} orders?"))
        # a link that cannot be made is told as that, before anything counts as sent
        if not asked.dry_run:
            app.session.subscribe(closed=asked.next_session)
    if not asked.dry_run:
        batch = next((entry.batch for entry in entries if entry.batch), "")
        entries = desk.ledger.plan(entries, batch, batches.content(wanted), asked.name)
    refresh = _Refresh(app, desk, [order.ticket for order in wanted], asked.next_session)
    manner = Manner(asked.wait, asked.stop_on_error, look=False, rate=asked.rate, prepare=refresh)
    return send(app, desk, entries, manner, {row: order.line for row, order in enumerate(wanted, 1)}, failed)


def send(
    app: App,
    desk: Desk,
    entries: Sequence[Entry],
    manner: Manner,
    lines: Mapping[int, int],
    failed: Sequence[Outcome] = (),
) -> int:
    """Send entries and tell of each as it ends; the exit status. ``lines`` of a file by row; ``failed``: those that
    are not to be sent."""
    statuses: list[int] = []
    waited, total = manner.wait is not None, len(entries) + len(failed)
    ended = desk.send(entries, manner)

    def rows() -> Generator[list[dict[str, Any]], None, None]:
        for outcome in chain(failed, ended):
            left_out = outcome.entry.state is State.PLANNED and outcome.error is None and not desk.dry_run
            statuses.append(ExitStatus.PARTIAL if left_out else outcome.status(waited))
            app.console.passing(f"{len(statuses):,}/{total:,}")
            yield [_row(app, outcome, lines, waited)]

    caption = say(f"委托: {total}", f"Orders: {total}") + nothing_sent(desk.dry_run)
    with closing(rows()) as stream, closing(ended):
        emit_stream(app.console, stream, BATCH_KEYS, BATCH, "order_id", caption)
    app.console.passing("")
    desk.reported()
    return status(statuses)


def status(found: Sequence[int]) -> int:
    """The exit status of a whole: 7 where anything is unknown, what is true of all where there is such, else 9."""
    words = set(found)
    if ExitStatus.UNKNOWN in words:
        return ExitStatus.UNKNOWN
    if words <= {ExitStatus.OK, ExitStatus.OPEN}:
        return max(words, default=ExitStatus.OK)
    return words.pop() if len(words) == 1 else ExitStatus.PARTIAL


def _sound(app: App, found: Iterable[batches.Wanted | batches.Problem]) -> list[batches.Wanted]:
    """The orders of a batch that has no problem. Raises UsageError."""
    problems: list[batches.Problem] = []
    wanted: list[batches.Wanted] = []
    for each in found:
        if isinstance(each, batches.Problem):
            problems.append(each)
        else:
            wanted.append(each)
    rows = len(problems) + len(wanted)
    seen: dict[str, int] = {}
    for order in wanted:
        if order.client_id is not None and seen.setdefault(order.client_id, order.line) != order.line:
            error = UsageError("id_twice", client_id=order.client_id, line=seen[order.client_id])
            problems.append(batches.Problem(order.line, error))
    hold_sound(app, problems, rows)
    return wanted


def hold_sound(app: App, problems: Sequence[batches.Problem], rows: int) -> None:
    """Hold that there are no problems. Raises an error that names them, of the kind of the first."""
    if not problems:
        return
    told = []
    for line, error in sorted(problems, key=lambda problem: problem.line):
        message, _ = error_text(error.code, error.params, app.console.lang)
        told.append({"line": line, "code": error.code, "message": message})
    place = say("第 {line} 行: {message}", "line {line}: {message}")
    shown = "; ".join(place.format_map(each) for each in told[:_SHOWN])
    if len(told) > _SHOWN:
        shown += "; …"
    if isinstance(problems[0].error, UsageError):
        raise UsageError("batch_refused", shown=shown, count=len(told), rows=rows, errors=told)
    raise Refused("batch_refused", shown=shown, count=len(told), rows=rows, errors=told)


def _entries(app: App, desk: Desk, wanted: Sequence[batches.Wanted], asked: Asked) -> tuple[list[Entry], list[Outcome]]:
    """The entries of a batch's orders: those of the ledger where there are, else made now; and what cannot be sent.

    Raises an error that names every row that cannot be sent, where that is to stop the others.
    """
    batch, goes_on = "", False
    if asked.ids is None:
        told = batches.content(wanted)
        known = [] if desk.dry_run else desk.ledger.batches(desk.day, told)
        goes_on = bool(known) and not asked.anew
        batch = known[-1] if goes_on else batches.batch_id(desk.day, told, len(known))
    by_row: dict[int, list[Entry]] = {}
    for entry in desk.ledger.batch(batch) if goes_on else ():
        by_row.setdefault(entry.row, []).append(entry)
    problems: list[batches.Problem] = []
    failed: list[Outcome] = []
    fresh = [row for row in range(1, len(wanted) + 1) if row not in by_row]
    if fresh:
        app.markets.load(wanted[row - 1].ticket.code for row in fresh)
    for row in fresh:
        order = wanted[row - 1]
        try:
            by_row[row] = _made(app, desk, order, batch, row, asked)
        except QmtError as error:
            if not isinstance(error, (UsageError, Refused)) and error.code not in _OF_A_ROW:
                raise
            if asked.each:
                failed.append(Outcome(_unsent(order, row, desk.day, asked.command), error=error))
            else:
                problems.append(batches.Problem(order.line, error))
    hold_sound(app, problems, len(wanted))
    return [entry for row in sorted(by_row) for entry in by_row[row]], failed


def _unsent(order: batches.Wanted, row: int, day: str, command: str) -> Entry:
    """An entry for what cannot be sent, which is only told of."""
    ticket = order.ticket
    request = OrderRequest(
        ticket.code,
        ticket.side,
        0,
        codes.FIX_PRICE,
        ticket.price.value or Decimal(0),
        "",
        ticket.strategy,
        ticket.credit,
    )
    order_type = codes.ORDER_TYPES.get((ticket.side, ticket.credit), 0)
    return new_entry(0, request, order_type, day, command, ticket.typed, row=row)


#: errors that are a row's own, besides those of its words and of the rules
_OF_A_ROW = frozenset({"no_quote", "unknown_code", "no_such_price"})


def _made(app: App, desk: Desk, order: batches.Wanted, batch: str, row: int, asked: Asked) -> list[Entry]:
    """The entries of one order of a batch, new or those that its own client id has."""
    ticket, typed = order.ticket, order.ticket.typed
    client_id = batches.row_id(batch, row) if asked.ids is None else asked.ids(row)
    if asked.ids is not None and not desk.dry_run and (known := desk.recall(client_id, typed)):
        return known
    if order.client_id is not None:
        client_id = tickets.dated(order.client_id, app.session.today())
        if not desk.dry_run and (known := desk.recall(client_id, typed)):
            return known
    desk.gate.check_purpose(ticket.side, ticket.credit)
    built = tickets.build(ticket, app.markets, client_id, asked.next_session)
    return desk.enter(built, app.markets.schedule, asked.command, typed, batch, row)


def _preview(entries: Sequence[Entry]) -> str:
    """A batch in one line, before it is sent."""
    parts = [say(f"{len(entries)} 笔委托", f"{len(entries)} orders")]
    for side, zh, en in (("buy", "买入最多", "buys at most"), ("sell", "卖出至少", "sells at least")):
        amounts = [float(entry.risk) for entry in entries if entry.side == side and entry.risk]
        if amounts:
            parts.append(f"{say(zh, en)} {sum(amounts):,.2f} {say('元', 'CNY')} ({len(amounts)})")
    return " | ".join(parts)


class _Refresh:
    """Makes an entry's price anew where what it was made from has got old."""

    def __init__(self, app: App, desk: Desk, asked: Sequence[Ticket], next_session: bool) -> None:
        self._app, self._desk, self._asked, self._next_session = app, desk, asked, next_session

    def __call__(self, entry: Entry) -> Entry:
        """The entry as it is to be sent now. Raises QmtError."""
        ticket = self._asked[entry.row - 1]
        if self._app.markets.read_within(ticket.code, _FRESH):
            return entry
        return self._desk.reprice(entry, ticket, self._app.markets, self._next_session)


def _row(app: App, outcome: Outcome, lines: Mapping[int, int], waited: bool) -> dict[str, Any]:
    error = None
    if outcome.error is not None:
        message, hint = error_text(outcome.error.code, outcome.error.params, app.console.lang)
        error = {"code": outcome.error.code, "message": message, "hint": hint}
    return {
        "row": outcome.entry.row,
        "line": lines.get(outcome.entry.row),
        **sent.order_row(outcome),
        "exit_status": int(outcome.status(waited)),
        "error": error,
    }


BATCH_KEYS = (
    "row", "line", "client_id", "order_id", "order_sysid", "stock_code", "instrument_name", "side", "order_type",
    "order_volume", "price_type", "price_kind", "price", "traded_volume", "traded_price", "order_status", "status",
    "status_msg", "order_time", "time", "strategy_name", "order_remark", "worst_amount", "replayed", "exit_status",
    "error",
)  # fmt: skip
