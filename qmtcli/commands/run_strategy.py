"""``qmt run-strategy``: strategies, a process each, or on the past; or a plain xtquant script, as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qmtcli.commands import complete
from qmtcli.commands.common import App, command
from qmtcli.errors import UsageError
from qmtcli.messages import say

if TYPE_CHECKING:
    from qmtcli.desk.guarding import Guard


@command(
    "run-strategy",
    "运行策略: 定义了 on_tick 等函数的文件, 可多个, 或一个 YAML 清单; 每个一个进程。--replay 在过去的日子上运行。"
    " 没有这些函数的文件是普通 xtquant 脚本, 原样运行, 标准输出归它自己。",
    "Run strategies: files that define on_tick and the like, several at once, or a YAML list of them; a process each."
    " --replay runs one on days that have been. A file without such functions is a plain xtquant script: run as it is,"
    " its stdout is its own.",
    epilog="qmt run-strategy cross.py --replay 2026-11-02:2026-11-20 --report out",
)
@click.argument("file", type=click.Path(), required=False, shell_complete=complete.files)
@click.argument("arguments", metavar="[FILE|ARGUMENT]...", nargs=-1)
@click.option("--replay", metavar="FROM[:TO]", help=say("在这些日子上回放", "run it on these days of the past"))
@click.option("--report", metavar="DIR", help=say("回放报告写入目录", "write the replay's report to a folder"),
              shell_complete=complete.files)  # fmt: skip
@click.option("--param", "params", metavar="K=V", multiple=True, help=say("策略参数", "a parameter of the strategy"))
@click.option("--sweep", "sweeps", metavar="K=A,B", multiple=True,
              help=say("回放每个参数组合", "replay every combination of parameters"))  # fmt: skip
@click.option("--backend", metavar="dask:ADDRESS|ray[:ADDRESS]",
              help=say("参数组合分布到集群", "spread the combinations over a cluster"))  # fmt: skip
@click.option("--symbols", metavar="CODE,…", help=say("代码, 代替文件里的", "codes, instead of the file's"))
@click.option("--until", metavar="HH:MM", help=say("到时停止", "stop at this time"))
@click.option("--status", is_flag=True, help=say("查看正在运行的策略", "show the strategies that run"))
@click.option("--new", metavar="NAME", help=say("生成一个策略模板", "write a template of a strategy"))
@click.option(
    "--unguarded", is_flag=True,
    help=say("实盘: 普通脚本不经 qmt 检查直接下单", "live: let a plain script order past qmt's checks and ledger"),
)  # fmt: skip
@click.option("-y", "--yes", is_flag=True, help=say("不再询问", "do not ask"))
@click.option("--as-child", hidden=True)
def run_strategy(app: App, file: str | None, arguments: tuple[str, ...], unguarded: bool, **asked: Any) -> int:
    if asked["as_child"] is not None:
        from qmtcli.commands.strategies import child

        return child(app, asked["as_child"], asked["yes"])
    if asked["status"]:
        from qmtcli.commands.strategies import status

        return status(app)
    if asked["new"] is not None:
        from qmtcli.commands.strategies import template

        return template(app, asked["new"])
    if file is None:
        raise UsageError("no_strategy_given")
    app.profile  # noqa: B018
    from qmtcli.strategy.file import is_strategy

    path = Path(file)
    if not path.is_file():
        raise UsageError("no_strategy_file", path=file)
    if path.suffix in (".yaml", ".yml") or is_strategy(path):
        from qmtcli.commands.strategies import replay, run

        files = [file, *arguments]
        return replay(app, files, asked) if asked["replay"] is not None else run(app, files, asked)
    for name in ("replay", "report", "params", "sweeps", "backend", "symbols", "until"):
        if asked[name]:
            raise UsageError("plain_script", path=file)
    from qmtcli.strategy.runner import run_plain

    guard = _guard(app, path, unguarded, asked["yes"]) if app.profile.live else None
    try:
        return run_plain(app.profile, app.console.env, file, list(arguments), guard, app.show_reading)
    finally:
        app.close()  # the vendor's threads have ended with the script: nothing can be asked any more


def _guard(app: App, path: Path, unguarded: bool, yes: bool) -> Guard | None:
    """What a script on a live profile sends through; None where it may go past it. Raises QmtError."""
    from qmtcli.backend import halt_file
    from qmtcli.desk.gate import Gate

    permission = app.permission(yes, next_session=True)  # a script's orders are no matter of the hour
    gate = Gate(app.profile, permission, halt_file(app.console.env))
    if unguarded:
        gate.hold_halt(True)
        zh, en = (
            f"运行 {path.name}? 它的委托不经过限额与台账",
            f"Run {path.name}? Its orders pass no limit and no ledger",
        )
        gate.admit(say(zh, en))
        return None
    gate.admit_script(say(f"运行脚本 {path.name}?", f"Run the script {path.name}?"))
    from qmtcli.desk.guarding import Guard
    from qmtcli.orders import check_strategy
    from qmtcli.tickets import DEFAULT_STRATEGY

    try:
        name = check_strategy(path.stem)
    except UsageError:
        name = DEFAULT_STRATEGY
    app.open_session(shared=True)
    guard = Guard(app.open_desk(yes=yes, next_session=True), app.markets, name, app.console.error)
    if app.profile.writes == "all":
        guard.prepare()
    return guard
