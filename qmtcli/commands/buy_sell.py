"""``qmt buy`` and ``qmt sell``: one order, sent once, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from qmtcli.commands import complete, sent
from qmtcli.commands.common import App, Seconds, command
from qmtcli.commands.planning import keep, plan_option
from qmtcli.errors import ExitStatus, Refused, UsageError
from qmtcli.messages import say
from qmtcli.model import Credit, Side
from qmtcli.output import check_fields

if TYPE_CHECKING:
    from qmtcli.batch import Row
    from qmtcli.desk import Desk, Outcome
    from qmtcli.ledger import Entry
    from qmtcli.tickets import Ticket

_WAIT_SECONDS = 60.0


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of an order, in the order of the help."""
    from qmtcli.orders import PRICE_NAMES
    from qmtcli.rules.order_types import KINDS

    kinds = "|".join(kind.name for kind in KINDS)
    names = "|".join(PRICE_NAMES)
    options: list[Callable[..., Any]] = [
        click.option("--limit", metavar="P", help=say("限价, 元", "limit price, CNY")),
        click.option("--price", metavar="P",
                     help=say(f"限价, 或 {names}[±N 跳]", f"limit price, or {names}[±N ticks]"),
                     shell_complete=complete.one_of(*PRICE_NAMES)),
        click.option("--market", metavar="KIND",
                     help=say(f"市价委托: {kinds}", f"the exchange's market order: {kinds}"),
                     shell_complete=complete.market_kinds),
        click.option("--protect", metavar="P",
                     help=say("市价委托的保护价; 盘后定价的限价",
                              "protection price of a market order; the worst close of after-hours")),
        click.option("--value", metavar="CNY",
                     help=say("按金额 (费用在内), 代替数量", "CNY, fees in, instead of a volume")),
        click.option("--round", "snap", is_flag=True,
                     help=say("价格取整到最小变动单位", "round the price to the tick")),
        click.option("--id", "client_id", metavar="ID",
                     help=say("委托标识; 同日同标识不重复下单", "client id; the same id today is the same order")),
        click.option("--strategy", metavar="NAME", help=say("策略名", "strategy name")),
        click.option("--wait", is_flag=True,
                     help=say("等到最终状态, 最多 60 秒", "wait for the final state, 60 s at most")),
        click.option("--wait-for", metavar="S", type=Seconds(0, 3600),
                     help=say("等到最终状态, 最多 S 秒", "wait for the final state, S seconds at most")),
        click.option("--next-session", is_flag=True,
                     help=say("交易时间外也发送, 由券商或交易所决定",
                              "send outside trading hours too, for broker and exchange to decide")),
        click.option("--as", "credit", metavar="|".join(Credit), type=click.Choice([str(word) for word in Credit]),
                     help=say("信用账户必填: 担保品、融资、融券、还券还款",
                              "on a margin account, required: what the order is for")),
        plan_option,
        click.option("--dry-run", is_flag=True,
                     help=say("只检查和预览, 不发送", "check and preview, send nothing")),
        click.option("-y", "--yes", is_flag=True, help=say("不再询问", "do not ask")),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


class _Run(NamedTuple):
    """How an order is sent, whatever it is."""

    client_id: str | None
    #: seconds to wait for the final state; None: for the acknowledgement only
    wait: float | None
    next_session: bool
    plan: str | None
    dry_run: bool
    yes: bool

    @property
    def sends(self) -> bool:
        """Whether anything is sent."""
        return not self.dry_run and self.plan is None


def _run(words: dict[str, Any]) -> _Run:
    """How it is to be sent, taken out of the words of a command line. Raises UsageError."""
    from qmtcli import tickets

    client_id, wait, wait_for = words.pop("client_id"), words.pop("wait"), words.pop("wait_for")
    if client_id is not None:
        tickets.dated(client_id, date.max)
    seconds = wait_for if wait_for is not None else _WAIT_SECONDS if wait else None
    more = [words.pop(name) for name in ("next_session", "plan", "dry_run", "yes")]
    return _Run(client_id, seconds, *more)


@command(
    "buy",
    "买入。数量以股 (债券以张) 计, 也可写 3手、2万; 或用 --value 指定金额。",
    "Buy. The volume is in shares (张 for bonds); 3手 and 2万 are understood; or --value CNY.",
    epilog="qmt buy 600000.SH 100 --limit 9.09",
)
@click.argument("code", shell_complete=complete.codes)
@click.argument("volume", required=False)
@_options
def buy(app: App, **asked: Any) -> int:
    return _many(app, Side.BUY, asked) if asked["code"] == "-" else _order(app, Side.BUY, asked)


@command(
    "sell",
    "卖出。数量以股计, all 为现在可卖的全部; --everything 卖出全部持仓; - 从标准输入读取 (如 qmt positions --json)。",
    "Sell. The volume is in shares; all is everything that can be sold now; --everything sells every holding; a dash"
    " reads rows from stdin, such as those of positions.",
    epilog="qmt sell 600000.SH all --price peer",
)
@click.argument("code", required=False, shell_complete=complete.codes)
@click.argument("volume", required=False, shell_complete=complete.one_of("all"))
@click.option("--everything", is_flag=True, help=say("全部持仓, 各按其规则", "every holding, each by its own rules"))
@_options
def sell(app: App, everything: bool, **asked: Any) -> int:
    if everything and asked["code"] is not None:
        raise UsageError("everything_or_code")
    if not everything and asked["code"] is None:
        raise UsageError("code_or_everything")
    if everything or asked["code"] == "-":
        return _many(app, Side.SELL, asked, everything)
    return _order(app, Side.SELL, asked)


def _order(app: App, side: Side, words: dict[str, Any]) -> int:
    from qmtcli import tickets
    from qmtcli.desk import new_client_id

    app.profile  # noqa: B018
    run = _run(words)
    ticket = tickets.ticket(side, **words)
    desk = app.open_desk(not run.sends, run.yes, run.next_session)
    desk.gate.check_purpose(ticket.side, ticket.credit)
    client_id, left = new_client_id(), 0
    entries: list[Entry] = []
    if run.client_id is not None:
        client_id = tickets.dated(run.client_id, app.session.today())
        entries = desk.recall(client_id, ticket.typed) if run.sends else []
    if not entries:
        most = _most(app, ticket) if words["strategy"] is not None and ticket.volume == tickets.ALL else None
        built = tickets.build(ticket, app.markets, client_id, run.next_session, most)
        entries, left = desk.enter(built, app.markets.schedule, str(side), ticket.typed), built.left
        if app.console.interactive or run.dry_run:
            app.console.say(sent.preview(built, app.markets.schedule))
        elif built.note:
            app.console.say(built.note)
        if run.plan is not None:
            return keep(app, desk, run.plan, entries)
        if run.client_id is not None and run.sends:
            entries = desk.adopt(entries)
    return _send(app, desk, ticket, run, entries, left)


def _most(app: App, ticket: Ticket) -> int:
    """What a strategy may sell of a code, as far as its own book goes."""
    from qmtcli.books import sellable, selling
    from qmtcli.orders import known_instrument
    from qmtcli.rules.settlement import is_t0

    app.session.connect()
    app.settle()
    sells = selling(app.ledger.not_final(), ticket.strategy, ticket.code)
    instrument = known_instrument(ticket.code, None, app.told(ticket.code))
    return sellable(app.books().get(ticket.strategy), ticket.code, sells, is_t0(instrument))


def _send(app: App, desk: Desk, ticket: Ticket, run: _Run, entries: list[Entry], left: int) -> int:
    """Send what is to be sent, and tell what became of it. Raises what stands against the whole of it."""
    from qmtcli.desk import Manner, Outcome

    def result(outcomes: list[Outcome]) -> dict[str, Any]:
        return sent.whole([sent.order_row(outcome) for outcome in outcomes], run.dry_run, left)

    def as_now(entry: Entry) -> Entry:
        return desk.reprice(entry, ticket, app.markets, run.next_session)

    check_fields(app.console, result([Outcome(entry) for entry in entries]))
    left_over = any(entry.key for entry in entries)
    if run.sends and any(desk.may_send(entry) for entry in entries):
        desk.gate.admit(say("发送?", "Send it?"))
        if len(entries) > 1:
            entries = desk.ledger.plan(entries)
    manner = Manner(run.wait, in_turn=True, prepare=as_now if left_over else None)
    outcomes = list(desk.send(entries, manner))
    if outcomes[0].error is not None:
        raise outcomes[0].error
    sent.emit(app.console, ticket.side, run.dry_run, result(outcomes))
    desk.reported()
    return _status(outcomes, run.wait is not None)


def _many(app: App, side: Side, words: dict[str, Any], everything: bool = False) -> int:
    """An order of each holding, or of each row of stdin."""
    from qmtcli import batch, tables, tickets
    from qmtcli.commands.batching import Asked, own, run
    from qmtcli.desk import new_client_id

    app.profile  # noqa: B018
    how = _run(words)
    if everything:
        held = [row for row in app.session.positions() if row.can_use_volume > 0]
        rows = [batch.Row(0, {"code": row.stock_code, "volume": tickets.ALL}, {}) for row in held]
    else:
        rows = _sellable(app, [*own(app, batch.rows(tables.read(app.console.read_input())))])
    snap = words.pop("snap")
    defaults = {name: word for name, word in words.items() if word is not None and name != "code"}
    defaults |= {"side": str(side), **({"snap": "yes"} if snap else {})}
    base = None if how.client_id is None else tickets.dated(how.client_id, app.session.today())

    def ids(row: int) -> str:
        return new_client_id() if base is None else tickets.part_id(base, row - 1)

    asked = Asked(
        "-", str(side), how.dry_run, how.yes, how.next_session, wait=how.wait, plan=how.plan, ids=ids, each=everything
    )
    return run(app, batch.wanted(rows, defaults, sells_all=side is Side.SELL), asked)


def _sellable(app: App, rows: list[Row]) -> list[Row]:
    """Rows without holdings of which nothing can be sold now, as they say themselves; those are told.

    Raises Refused where none is left.
    """
    locked = [row.words.get("code", "") for row in rows if row.words.get("sellable") == "0"]
    if locked:
        codes = ", ".join(locked)
        app.console.say(say(f"现在不可卖 (T+1 或冻结): {codes}", f"cannot be sold now (T+1 or frozen): {codes}"))
        if len(locked) == len(rows):
            raise Refused("none_to_sell", codes=locked)
    return [row for row in rows if row.words.get("sellable") != "0"]


def _status(outcomes: list[Outcome], waited: bool) -> int:
    """The status of the whole: 7 where a part is unknown, 9 where one was turned away, else the most of all."""
    found = [outcome.status(waited) for outcome in outcomes]
    if ExitStatus.UNKNOWN in found:
        return ExitStatus.UNKNOWN
    if any(outcome.error is not None for outcome in outcomes):
        return ExitStatus.PARTIAL
    return max(found)
