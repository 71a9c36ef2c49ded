"""The command table: what there is, where it lives, one line each. Nothing heavy is imported until a command runs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

import click

from qmtcli.commands.common import Group, tell_version
from qmtcli.messages import say

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Entry(NamedTuple):
    """Where a command lives and what it is for."""

    module: str
    zh: str
    en: str


#: name -> where and what; the order is that of ``qmt --help``
COMMANDS: dict[str, Entry] = {
    "login-check": Entry(
        "login_check", "检查配置、接口、连接、账号和行情", "check configuration, module, link, account, quotes"
    ),
    "quote": Entry("quote", "五档行情", "snapshots with five levels"),
    "buy": Entry("buy_sell", "买入", "buy"),
    "sell": Entry("buy_sell", "卖出", "sell"),
    "batch": Entry("batch", "批量委托", "orders from a file or a pipe"),
    "cancel": Entry("cancel", "撤单", "cancel orders"),
    "replace": Entry("replace", "改价: 撤单后把余量重新委托", "another price for an order"),
    "rebalance": Entry("rebalance", "再平衡: 按目标调整持仓", "bring the account to its targets"),
    "apply": Entry("planning", "执行计划文件", "send a plan"),
    "max": Entry("most", "最多可买、可卖数量", "how much can be bought and sold"),
    "positions": Entry("positions", "持仓", "holdings"),
    "orders": Entry("orders", "当日委托", "orders of the day"),
    "trades": Entry("trades", "当日成交", "trades of the day"),
    "asset": Entry("asset", "资金", "money and value"),
    "run-strategy": Entry("run_strategy", "运行策略文件", "run a strategy file"),
    "limits": Entry("limits", "限制及今日已用", "limits, and what is used up today"),
    "halt": Entry("stop", "全部停止: 不再发送委托", "stop: no new orders on any profile"),
    "resume": Entry("stop", "结束 halt", "end a halt"),
    "reconcile": Entry("reconcile", "与券商核对未了结的委托", "settle with the broker what is open"),
    "log": Entry("log", "台账流水, 每日净值", "the audit trail; net value by day"),
    "day-close": Entry("day_close", "收盘归档", "keep the day as it ended"),
    "book": Entry("book", "策略账本: show, adjust", "what belongs to each strategy: show, adjust"),
    "report": Entry("report", "程序化交易报告所需", "what is declared for program trading"),
    "config": Entry("config", "配置: init, show, path", "configuration: init, show, path"),
    "calendar": Entry("calendar", "交易日历: show, import", "trading days: show, import"),
    "session": Entry("session", "实盘会话编号: list, clean", "session ids of a live terminal: list, clean"),
    "paper": Entry(
        "paper",
        "模拟账户: status, reset, deposit, withdraw, next-day",
        "the paper account: status, reset, deposit, withdraw, next-day",
    ),
}


#: functions of commands whose names are Python's own words
_FUNCTIONS = {"max": "most"}


class Commands(Group):
    """The root: finds commands by the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        entry = COMMANDS.get(name)
        if entry is None:
            return None
        module = importlib.import_module(f"qmtcli.commands.{entry.module}")
        found: click.Command = getattr(module, _FUNCTIONS.get(name, name.replace("-", "_")))
        return found

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        names = [name for name in COMMANDS if name.startswith(incomplete)]
        found = [CompletionItem(name, help=say(COMMANDS[name].zh, COMMANDS[name].en)) for name in names]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(say("命令", "Commands")):
            formatter.write_dl([(name, say(entry.zh, entry.en)) for name, entry in COMMANDS.items()])


def root() -> click.Group:
    """The command ``qmt``."""
    return Commands(
        name="qmt",
        help=say(
            "在命令行交易 A 股: 经 miniQMT 实盘, 或在任何机器上用内置的模拟交易所。",
            "Trade A-shares from the shell: live through miniQMT, or on the embedded paper exchange on any machine.",
        ),
        params=[tell_version()],
        epilog="qmt buy 600000.SH 100 --limit 9.09",
    )
