"""``qmt run-strategy``: a plain xtquant script on the profile's backend. Its stdout is its own."""

from __future__ import annotations

import click

from qmtcli.commands.common import App, command
from qmtcli.messages import say


@command(
    "run-strategy",
    "在所选配置的后端上运行一个 xtquant 脚本; 脚本的标准输出归它自己。",
    "Run a plain xtquant script on the profile's backend, as it is; its stdout is its own.",
    epilog="qmt run-strategy demo.py -- --its --own arguments",
)
@click.argument("file", type=click.Path())
@click.argument("arguments", metavar="[ARGUMENT]...", nargs=-1)
@click.option(
    "--unguarded",
    is_flag=True,
    help=say("实盘: 允许脚本绕过 qmt 直接下单", "live: let the script order past qmt's own checks"),
)
def run_strategy(app: App, file: str, arguments: tuple[str, ...], unguarded: bool) -> int:
    from qmtcli.strategy.runner import run_plain

    return run_plain(app.profile, app.console.env, file, list(arguments), unguarded, app.show_reading)
