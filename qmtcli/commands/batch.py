"""``qmt batch``: orders from a file or a pipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from qmtcli.commands import complete
from qmtcli.commands.common import App, Seconds, command
from qmtcli.errors import UsageError
from qmtcli.messages import say


@command(
    "batch",
    "批量委托: 从 CSV、JSON、NDJSON 或 Excel 文件 (或 - 标准输入) 读取。全部检查后才发送; 结果按完成顺序逐行输出;"
    " 同日再次运行从停下处继续。",
    "Orders from a CSV, JSON, NDJSON or Excel file, or from stdin (-). All are checked before the first is sent;"
    " results come as they end, a line each; run again the same day, it goes on where it stopped.",
    epilog="qmt batch orders.csv -o ndjson",
)
@click.argument("file", shell_complete=complete.files)
@click.option(
    "--stop-on-error", is_flag=True, help=say("逐笔发送, 有一笔未被接受即停", "one by one; none after an error")
)
@click.option("--max-rate", metavar="N", type=click.IntRange(1), help=say("每秒最多 N 笔", "at most N orders a second"))
@click.option(
    "--new", "anew", is_flag=True, help=say("当作新的一批, 即使今天已发过同样内容", "another batch of the same content")
)
@click.option("--wait", is_flag=True, help=say("等到最终状态, 最多 60 秒", "wait for final states, 60 s at most"))
@click.option(
    "--wait-for", metavar="S", type=Seconds(0, 3600),
    help=say("等到最终状态, 最多 S 秒", "wait for final states, S seconds at most"),
)  # fmt: skip
@click.option("--next-session", is_flag=True,
              help=say("交易时间外也发送", "send outside trading hours too"))  # fmt: skip
@click.option("--plan", metavar="FILE", help=say("存为计划, 不发送", "write a plan, send nothing"),
              shell_complete=complete.files)  # fmt: skip
@click.option("--dry-run", is_flag=True, help=say("只检查, 不发送", "check, send nothing"))
@click.option("-y", "--yes", is_flag=True, help=say("不再询问", "do not ask"))
def batch(app: App, file: str, **options: Any) -> int:
    from qmtcli import batch as batches
    from qmtcli import tables
    from qmtcli.commands.batching import Asked, own, run

    app.profile  # noqa: B018
    rows = batches.rows(tables.read(read(app, file)))
    seconds = options["wait_for"] if options["wait_for"] is not None else 60.0 if options["wait"] else None
    asked = Asked(
        file, "batch", options["dry_run"], options["yes"], options["next_session"], options["stop_on_error"],
        options["max_rate"], options["anew"], seconds, options["plan"],
    )  # fmt: skip
    return run(app, batches.wanted(own(app, rows), {}), asked)


def read(app: App, file: str) -> bytes:
    """What a file, or stdin, says. Raises UsageError."""
    if file == "-":
        return app.console.read_input()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise UsageError("no_such_file", path=file, why=error.strerror or str(error)) from None
