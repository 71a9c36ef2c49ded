"""``qmt book``: what belongs to each strategy, by the ledger; and adjustments for what was traded by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from qmtcli.commands import complete
from qmtcli.commands.columns import ADJUSTED, BOOK
from qmtcli.commands.common import App, DefaultGroup, command
from qmtcli.errors import NoData, UsageError
from qmtcli.messages import say
from qmtcli.output import check_fields, emit_row, emit_rows

if TYPE_CHECKING:
    from qmtcli.books import Book

_KEYS = (
    "strategy_name", "stock_code", "instrument_name", "volume", "avg_price", "cost", "cash", "bought", "sold", "fees",
    "unknown",
)  # fmt: skip
_ADJUSTED_KEYS = ("strategy_name", "stock_code", "volume", "amount", "cash", "held_volume", "note")

book = DefaultGroup(
    name="book",
    default="show",
    help=say(
        "策略账本: 各策略的持仓与资金 (按台账成交), 及手工调整。",
        "What each strategy holds and has, by the ledger's trades; and adjustments by hand.",
    ),
)


@command(
    "show",
    "策略的持仓与资金; 无代码的一行为资金。",
    "What strategies hold, and their money in a row without a code; of one, or of all.",
    epilog="qmt book trend",
)
@click.argument("name", required=False, shell_complete=complete.strategies)
def show(app: App, name: str | None) -> None:
    app.profile  # noqa: B018
    found = app.books()
    if name is not None and name not in found:
        raise NoData("no_book", name=name, known=sorted(found))
    rows: list[dict[str, Any]] = []
    for each in found.values():
        if name in (None, each.strategy):
            rows += _rows(each)
    emit_rows(app.console, rows, _KEYS, BOOK, "stock_code", say(f"账本: {len(rows)}", f"Books: {len(rows)}"))


def _rows(book: Book) -> list[dict[str, Any]]:
    empty: dict[str, Any] = dict.fromkeys(_KEYS)
    money = {
        "strategy_name": book.strategy,
        "stock_code": "",
        "instrument_name": "",
        "cash": _yuan(book.cash),
        "bought": _yuan(book.bought),
        "sold": _yuan(book.sold),
        "fees": _yuan(book.fees),
        "unknown": book.unknown,
    }
    held = [
        {
            "strategy_name": book.strategy,
            "stock_code": row.stock_code,
            "instrument_name": row.instrument_name,
            "volume": row.volume,
            "avg_price": round(float(row.avg_price), 4),
            "cost": _yuan(row.cost),
        }
        for row in book.holdings.values()
        if row.volume
    ]
    return [{**empty, **row} for row in [money, *held]]


def _yuan(amount: Decimal) -> float:
    return round(float(amount), 2)


@command(
    "adjust",
    "调整账本: 手工的买卖 (buy 或 sell, 代码, 数量, --price 每股价格), 或 --cash 资金。",
    "Adjust a book by a trade made by hand (buy or sell, code, volume, --price), or by money with --cash.",
    epilog="qmt book adjust trend sell 600000.SH 100 --price 9.05",
)
@click.argument("name")
@click.argument("side", required=False, type=click.Choice(["buy", "sell"]))
@click.argument("code", required=False, shell_complete=complete.codes)
@click.argument("volume", required=False)
@click.option("--price", metavar="P", help=say("每股价格, 元", "CNY a share"))
@click.option("--cash", metavar="CNY", help=say("资金, 元; 负即取出", "money, CNY; below 0 it goes"))
@click.option("--note", metavar="TEXT", default="", help=say("说明", "why"))
def adjust(
    app: App,
    name: str,
    side: str | None,
    code: str | None,
    volume: str | None,
    price: str | None,
    cash: str | None,
    note: str,
) -> None:
    from qmtcli import orders
    from qmtcli.symbols import parse_code

    app.profile  # noqa: B018
    check_fields(app.console, _ADJUSTED_KEYS)
    orders.check_strategy(name)
    traded = [word is not None for word in (side, code, volume, price)]
    if any(traded) == (cash is not None) or any(traded) != all(traded):
        raise UsageError("adjust_what")
    shares, amount = 0, Decimal(0)
    if cash is not None:
        amount = _signed(cash)
    else:
        spec = orders.parse_price(str(price))
        if spec.value is None:
            raise UsageError("bad_price", text=str(price))
        code, shares = parse_code(str(code)), orders.parse_volume(str(volume)) * (1 if side == "buy" else -1)
        amount = -spec.value * shares
    ledger = app.ledger
    ledger.adjust(app.today(), name, code or "", shares, amount, note)
    after = app.books()[name]
    held = after.holdings.get(code or "")
    row = {
        "strategy_name": name,
        "stock_code": code or "",
        "volume": shares,
        "amount": _yuan(amount),
        "cash": _yuan(after.cash),
        "held_volume": held.volume if held else 0,
        "note": note,
    }
    emit_row(app.console, row, ADJUSTED, "strategy_name", say("账本已调整", "Book adjusted"))


def _signed(text: str) -> Decimal:
    """Money that came or, below 0, went. Raises UsageError."""
    from qmtcli.text import number

    try:
        value = number(text.replace(",", ""))
    except ValueError:
        raise UsageError("bad_money", text=text) from None
    if not value:
        raise UsageError("bad_money", text=text)
    return value


book.add_command(show)
book.add_command(adjust)
