"""``qmt rebalance``: an account, or a strategy's book, brought to the targets of a file."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta, timezone
from decimal import Decimal
from time import time_ns
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from qmtcli.commands import complete
from qmtcli.commands.common import App, Seconds, command, hold_own
from qmtcli.commands.planning import plan_option
from qmtcli.errors import ExitStatus, Refused, UsageError
from qmtcli.messages import say
from qmtcli.orders import PRICE_NAMES
from qmtcli.output import check_fields

if TYPE_CHECKING:
    from qmtcli.books import Book
    from qmtcli.desk import Desk
    from qmtcli.ledger import Entry
    from qmtcli.model import Asset
    from qmtcli.rebalance.plan import Holding
    from qmtcli.rebalance.running import Course
    from qmtcli.rebalance.saved import Saved
    from qmtcli.rebalance.targets import Target

_SHANGHAI = timezone(timedelta(hours=8))
#: when what stands is canceled, unless it is said; the last moment to say; and when the closing auction has matched
_UNTIL, _LAST, _MATCHED = time(14, 56), time(14, 56, 30), time(15, 0, 5)
#: prices of `--price`
_PRICES = f"{'|'.join(PRICE_NAMES)}[±N]"


@command(
    "rebalance",
    "再平衡: 按目标文件 (权重、金额或数量; CSV、JSON 或 Excel; - 为标准输入) 调整持仓。先卖后买, 到时撤单,"
    " 逐只说明未到位的原因; 同日再次运行即继续。",
    "Bring the account to the targets of a file: by weight, value or volume, in CSV, JSON or Excel (- for stdin)."
    " Sells first, buys as the money comes, what stands is canceled in time, and every difference has its reason;"
    " run again the same day, it goes on.",
    epilog="qmt rebalance targets.csv --others keep --until 14:56",
)
@click.argument("file", shell_complete=complete.files)
@click.option("--capital", metavar="CNY|account|book", help=say("权重所占的资金: 金额、总资产或策略账本",
              "what weights are of: an amount, the account's total asset, or the strategy's book"))  # fmt: skip
@click.option("--others", type=click.Choice(["sell", "keep"]),
              help=say("文件未列出的持仓: 卖出或保留; 有此类持仓时必填",
                       "holdings that the file does not name; required where there are any"))  # fmt: skip
@click.option("--cash-ok", is_flag=True, help=say("权重之和可低于 0.9", "weights may come to less than 0.9"))
@click.option("--price", metavar="P", default="peer",
              help=say(f"限价 (peer): {_PRICES} 跳", f"limit price (peer): {_PRICES} ticks"))  # fmt: skip
@click.option("--max-age", metavar="S", type=Seconds(0, 86400), default=10.0,
              help=say("行情最多多旧, 秒 (10)", "how old prices may be, seconds (10)"))  # fmt: skip
@click.option("--cash-buffer", metavar="CNY|%", default="0", help=say("留存的现金", "cash that is not spent"))
@click.option("--threshold", metavar="CNY|%", default="0",
              help=say("偏离小于此数的不调整", "names less far away are left"))  # fmt: skip
@click.option("--min-value", metavar="CNY", default="0", help=say("每只委托的最小金额", "least value of an order"))
@click.option("--max-turnover", metavar="CNY|%", help=say("买卖合计的上限", "most of buys and sells together"))
@click.option("--chase", metavar="N", type=click.IntRange(0), default=0,
              help=say("未成交则撤单按新价再报, 最多 N 次",
                       "cancel what does not fill and send the rest anew, N times"))  # fmt: skip
@click.option("--patience", metavar="S", type=Seconds(0, 3600), default=20.0,
              help=say("每次等待成交的秒数 (20)", "seconds that an order is given before (20)"))  # fmt: skip
@click.option("--until", metavar="HH:MM[:SS]", help=say("何时撤掉未成交的 (不晚于 14:56:30)",
              "when what stands is canceled, 14:56:30 at the latest"))  # fmt: skip
@click.option("--wait-for", metavar="S", type=Seconds(0, 14400), default=300.0,
              help=say("最多用时, 秒 (300)", "seconds that it may take (300)"))  # fmt: skip
@click.option("--rest", type=click.Choice(["cancel", "auction"]), default="cancel",
              help=say("到时未成交的: 撤单 (cancel), 或留到收盘集合竞价",
                       "what stands then: canceled (cancel), or left to the closing auction"))  # fmt: skip
@click.option("--strategy", metavar="NAME", help=say("只动此策略的账本", "work on this strategy's book alone"))
@click.option("--as", "credit", type=click.Choice(["collateral"]),
              help=say("信用账户必填: 担保品买卖", "on a margin account, required"))  # fmt: skip
@click.option("--max-rate", metavar="N", type=click.IntRange(1),
              help=say("每秒最多 N 笔委托与撤单", "at most N orders and cancels a second"))  # fmt: skip
@click.option(
    "--new", "anew", is_flag=True, help=say("重新计划, 即使今天已做过", "plan anew, though it was done today")
)
@click.option("--check", is_flag=True, help=say("只回答: 0 已到位, 11 需要委托", "only answer: 0 on target, 11 not"))
@plan_option
@click.option("--dry-run", is_flag=True, help=say("只计划, 不发送", "plan, send nothing"))
@click.option("-y", "--yes", is_flag=True, help=say("不再询问", "do not ask"))
def rebalance(app: App, file: str, plan: str | None, check: bool, dry_run: bool, yes: bool, **words: Any) -> int:
    from qmtcli.commands.rebalancing import KEYS, carry_out, hold_purpose, hold_turn, planned
    from qmtcli.rebalance import plan as plans

    app.profile  # noqa: B018
    asked = _asked(words)
    targets = _targets(app, file, words["cash_ok"])
    check_fields(app.console, KEYS)
    sends = not (plan or check or dry_run)
    desk = app.open_desk(not sends, yes)
    hold_purpose(desk, asked.course)
    app.session.connect()
    app.settle()
    until, auction = _times(app, words)
    course = asked.course._replace(until=until, auction=auction)
    if sends:
        hold_turn(desk, course.strategy)
    saved = _saved(app, desk, file, targets, asked._replace(course=course, kept=plan is not None))
    if plan is not None:
        _keep(app, desk, plan, saved)
    if not sends:
        planned(app, saved)
        return ExitStatus.NO if check and plans.needs_orders(saved.rows) else ExitStatus.OK
    if app.console.interactive:
        _preview(app, saved)
    return carry_out(app, desk, saved)


class _Asked(NamedTuple):
    """What is asked for, as far as it can be read without the account."""

    course: Course
    capital: str
    others: str | None
    of_book: bool
    anew: bool
    buffer: str
    threshold: str
    min_value: Decimal
    max_turnover: str | None
    #: whether the plan is written to a file
    kept: bool = False


def _asked(words: dict[str, Any]) -> _Asked:
    """The words of a command line, read. Raises UsageError."""
    from qmtcli import orders, tickets
    from qmtcli.model import Credit
    from qmtcli.rebalance.running import Course

    spec = orders.parse_price(words["price"])
    if not spec.needs_quote:
        raise UsageError("named_price", text=words["price"])
    strategy = words["strategy"]
    if strategy is not None:
        orders.check_strategy(strategy)
    capital = words["capital"] or ("account" if strategy is None else "book")
    if capital == "book" and strategy is None:
        raise UsageError("book_needs_strategy")
    if capital not in ("account", "book"):
        orders.parse_money(capital)
    for name in ("cash_buffer", "threshold", "max_turnover"):
        if words[name] is not None:
            _amount(words[name], Decimal(1))
    course = Course(
        spec, strategy or tickets.DEFAULT_STRATEGY, Credit(words["credit"]) if words["credit"] else None,
        words["chase"], words["patience"], words["wait_for"], max_age=words["max_age"], rate=words["max_rate"],
    )  # fmt: skip
    return _Asked(
        course, capital, words["others"], strategy is not None, words["anew"], words["cash_buffer"],
        words["threshold"], _amount(words["min_value"], Decimal(0)), words["max_turnover"],
    )  # fmt: skip


def _amount(text: str, capital: Decimal) -> Decimal:
    """CNY: ``5000``, ``5万``, or ``0.5%`` of the capital. Raises UsageError ``bad_money``."""
    from qmtcli.text import number, part

    try:
        found = part(text) * capital if text.strip().endswith(("%", "％")) else number(text.replace(",", ""))
    except ValueError:
        raise UsageError("bad_money", text=text) from None
    if found < 0:
        raise UsageError("bad_money", text=text)
    return found


def _targets(app: App, file: str, cash_ok: bool) -> list[Target]:
    """What the file says. Raises UsageError, Refused."""
    from qmtcli import batch, tables
    from qmtcli.commands.batch import read
    from qmtcli.commands.batching import hold_sound
    from qmtcli.rebalance import targets

    lines = [*tables.read(read(app, file))]
    found = targets.read(lines)
    hold_sound(app, [batch.Problem(line, error) for line, error in found.problems], len(lines))
    for row in found.whose:
        hold_own(app.console, row)
    targets.hold_sum(found.targets, cash_ok)
    return found.targets


def _times(app: App, words: dict[str, Any]) -> tuple[float | None, float | None]:
    """(when what stands is canceled, when the closing auction has matched), epoch seconds, None: at no certain time.

    Raises UsageError.
    """
    now = datetime.fromtimestamp(app.session.now(), _SHANGHAI)
    keeps_hours = app.profile.live or app.profile.hours == "exchange"
    at = _UNTIL if keeps_hours else None
    if words["until"] is not None:
        try:
            at = time.fromisoformat(words["until"])
        except ValueError:
            raise UsageError("bad_time", text=words["until"]) from None
        if keeps_hours and at > _LAST:
            raise UsageError("until_too_late", text=words["until"], latest=f"{_LAST}")
    auction = words["rest"] == "auction"
    if auction and not keeps_hours:
        raise UsageError("no_closing_auction", profile=app.profile.name)
    until = None if at is None else datetime.combine(now.date(), at, _SHANGHAI)
    matched = datetime.combine(now.date(), _MATCHED, _SHANGHAI).timestamp() if auction else None
    return None if until is None else until.timestamp(), matched


def _saved(app: App, desk: Desk, file: str, targets: list[Target], asked: _Asked) -> Saved:
    """The plan of the day, as it was begun, or made now. Raises Refused, UsageError, NotConnected, NoData."""
    from qmtcli import batch as batches
    from qmtcli.commands.rebalancing import hold_time
    from qmtcli.rebalance import saved
    from qmtcli.rebalance import targets as rules

    course = asked.course
    content = rules.content(
        targets, capital=asked.capital, others=asked.others or "", strategy=course.strategy if asked.of_book else "",
        threshold=asked.threshold, buffer=asked.buffer, turnover=asked.max_turnover or "", least=str(asked.min_value),
    )  # fmt: skip
    known = [] if desk.dry_run else desk.ledger.batches(desk.day, content)
    if known and not asked.anew:
        begun = desk.ledger.begun(known[-1])
        if begun is not None:
            app.console.say(
                say(
                    f"继续今天的 {known[-1]}; 重新计划用 --new", f"going on with {known[-1]} of today; --new plans anew"
                )
            )
            found = saved.load(json.loads(begun))
            return found._replace(course=course._replace(buffer=found.course.buffer), resumed=True)
    if not desk.dry_run:
        hold_time(app, course)
    # what is kept in a file is another plan each time; it is known once it is applied
    again = f"{content} {time_ns()}" if asked.kept else content
    batch = batches.batch_id(desk.day, again, len(known))
    return _planned(app, desk, file, targets, asked, batch, content)


def _planned(app: App, desk: Desk, file: str, targets: list[Target], asked: _Asked, batch: str, content: str) -> Saved:
    from qmtcli.backend import ledger_file
    from qmtcli.orders import check_hours
    from qmtcli.rebalance import plan as plans
    from qmtcli.rebalance import survey
    from qmtcli.rebalance.saved import Saved
    from qmtcli.rebalance.targets import Target, Unit, may_trade

    session, markets, course = app.session, app.markets, asked.course
    asset = session.asset()
    waiting = app.ledger.not_final() if ledger_file(app.profile, app.console.env).exists() else []
    holdings, book = _holdings(app, asked, waiting)
    others = [code for code, held in holdings.items() if held.volume and may_trade(code)]
    others = [code for code in others if code not in {target.code for target in targets}]
    if others and asked.others is None:
        raise UsageError("others_needed", codes=others)
    wanted = [*targets, *(Target(0, code, Unit.VOLUME, Decimal(0)) for code in others if asked.others == "sell")]
    capital = _capital(app, asked, asset, book, holdings)
    buffer = _amount(asked.buffer, capital)
    cash = Decimal(str(asset.cash)) - buffer
    if book is not None:
        cash = min(cash, survey.free(book, waiting) - buffer)
    undecided = {entry.stock_code for entry in waiting if entry.state.undecided}
    names = survey.names(wanted, holdings, capital, markets, course.price, course.max_age, undecided)
    if not desk.dry_run:
        check_hours(course.price, names[0].market)
    terms = plans.Terms(
        capital, cash, markets.schedule, _amount(asked.threshold, capital), asked.min_value,
        None if asked.max_turnover is None else _amount(asked.max_turnover, capital),
    )  # fmt: skip
    kept = course._replace(buffer=buffer)
    return Saved(batch, content, file, capital, cash, plans.plan(names, terms), kept)


def _holdings(app: App, asked: _Asked, waiting: list[Entry]) -> tuple[dict[str, Holding], Book | None]:
    """What there is, by code, and the book where it is a strategy's. Raises NotConnected, Refused."""
    from qmtcli.rebalance import survey

    positions = app.session.positions()
    if not asked.of_book:
        return survey.of_account(positions, app.session.orders(open_only=True)), None
    book = app.books().get(asked.course.strategy)
    if book is None:
        raise Refused("no_capital", capital=asked.capital, strategy=asked.course.strategy)
    return survey.of_book(book, waiting, positions, app.markets), book


def _capital(app: App, asked: _Asked, asset: Asset, book: Book | None, holdings: dict[str, Holding]) -> Decimal:
    """CNY that weights are of. Raises Refused where there is none."""
    from qmtcli.orders import parse_money

    if asked.capital == "account":
        capital = Decimal(str(asset.total_asset))
    elif asked.capital == "book":
        assert book is not None, "a book is a strategy's"
        app.markets.load(holdings)
        prices = app.markets.prices(holdings)
        capital = book.cash + sum((held.volume * prices[code] for code, held in holdings.items()), Decimal(0))
    else:
        capital = parse_money(asked.capital)
    if capital <= 0:
        raise Refused("no_capital", capital=asked.capital, strategy=asked.course.strategy)
    return capital


def _keep(app: App, desk: Desk, file: str, saved: Saved) -> None:
    """Write the plan's file. Raises ConfigError."""
    from qmtcli.commands.planning import write
    from qmtcli.rebalance.saved import dump

    write(app, desk, file, [row.code for row in saved.rows if row.side is not None], rebalance=dump(saved))


def _preview(app: App, saved: Saved) -> None:
    for row in saved.rows:
        if row.side is not None:
            side = say("买入", "buy") if row.side == "buy" else say("卖出", "sell")
            app.console.say(f"{side} {row.code} {row.name} {row.held:,} -> {row.final:,}  {row.volume:,} @ {row.price}")
