"""``qmt paper``: the paper account itself, which no terminal lets one touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from qmtcli.commands.columns import PAPER
from qmtcli.commands.common import App, Group, command
from qmtcli.errors import Refused, UsageError
from qmtcli.messages import say
from qmtcli.output import emit_row

if TYPE_CHECKING:
    from qmtcli.paper.exchange import Exchange

paper = Group(
    name="paper",
    help=say(
        "模拟账户: 状态、重置、入金、出金、下一交易日。",
        "The paper account: status, reset, deposit, withdraw, next day.",
    ),
)

#: of one deposit: 10 万亿 CNY, far from what the account's file can hold
_MOST_FEN = 10**15


def _exchange(app: App) -> Exchange:
    """The exchange of the profile in use. Raises Refused on a live one, ConfigError."""
    profile = app.profile
    if profile.live:
        raise Refused("not_a_paper_profile", profile=profile.name)
    from qmtcli import backend

    backend.prepare(profile, app.console.env, app.show_reading)
    return backend.open_exchange()


def _show(app: App, exchange: Exchange) -> None:
    asset: dict[str, Any] = exchange.asset()
    row = {
        "day": exchange.feed.day.isoformat(),
        "market": exchange.settings.market,
        "hours": exchange.settings.hours,
        "synthetic": exchange.feed.tape.synthetic,
        "total_asset": asset["total"] / 100,
        "cash": asset["cash"] / 100,
        "frozen_cash": asset["frozen"] / 100,
        "market_value": asset["value"] / 100,
        "orders": len(exchange.orders()),
        "positions": sum(1 for row in exchange.positions() if row["volume"]),
        "file": str(exchange.settings.account_file),
        "account_type": exchange.settings.account_type,
        "accounts": sorted({exchange.settings.account, *exchange.settings.accounts}),
        "clock": exchange.settings.clock or None,
        "faults": exchange.settings.faults or None,
    }
    emit_row(app.console, row, PAPER, "account_id", say("模拟账户", "Paper account"))


@command("status", "模拟账户的状态。", "The state of the paper account.")
def status(app: App) -> None:
    _show(app, _exchange(app))


@command("reset", "清空模拟账户, 从头开始。", "Begin anew: no orders, no holdings, the opening cash.")
@click.option("-y", "--yes", is_flag=True, help=say("不再询问", "do not ask"))
def reset(app: App, yes: bool) -> None:
    from qmtcli import backend
    from qmtcli.commands.strategies import forget_states

    exchange = _exchange(app)
    app.confirm(say("清空模拟账户?", "Erase the paper account?"), yes)
    exchange.reset()
    if backend.ledger_file(app.profile, app.console.env).exists():
        app.ledger.begin_anew()
    forget_states(app)
    _show(app, exchange)


@command("deposit", "入金, 元 (5万 亦可)。", "Pay money in, CNY (5万 is understood).")
@click.argument("amount", metavar="CNY")
def deposit(app: App, amount: str) -> None:
    exchange = _exchange(app)
    exchange.deposit(_fen(amount))
    _show(app, exchange)


@command(
    "withdraw",
    "出金, 元 (5万 亦可); 最多为可取资金。",
    "Pay money out, CNY, at most what can be withdrawn.",
)
@click.argument("amount", metavar="CNY")
def withdraw(app: App, amount: str) -> None:
    exchange = _exchange(app)
    exchange.withdraw(_fen(amount))
    _show(app, exchange)


def _fen(amount: str) -> int:
    """An amount as typed, in whole fen. Raises UsageError."""
    from qmtcli.orders import parse_money

    fen = parse_money(amount) * 100
    if not 1 <= fen <= _MOST_FEN or fen % 1:
        raise UsageError("bad_money", text=amount)
    return int(fen)


@command(
    "next-day",
    "结算当日, 进入下一交易日 (T+1 解锁)。",
    "Settle the day and begin the next: what was bought can be sold.",
)
def next_day(app: App) -> None:
    exchange = _exchange(app)
    exchange.next_day()
    _show(app, exchange)


for _command in (status, reset, deposit, withdraw, next_day):
    paper.add_command(_command)
