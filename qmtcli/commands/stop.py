"""``qmt halt`` and ``qmt resume``: the emergency stop of all profiles, and its end."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import click

from qmtcli import halt as halts
from qmtcli.commands.columns import HALT
from qmtcli.commands.common import App, command
from qmtcli.errors import ExitStatus
from qmtcli.messages import say
from qmtcli.output import check_fields, emit_row

if TYPE_CHECKING:
    from qmtcli.config import Config

_SHANGHAI = timezone(timedelta(hours=8))


@command(
    "halt",
    "全部停止: 所有配置都不再发送新委托, 重启后仍然有效, 直到 qmt resume。不需要连接, 也不询问。",
    "Stop: no profile sends a new order, reboots or not, until qmt resume. Needs no connection and never asks.",
    epilog="qmt halt --cancel-open",
)
@click.option(
    "--cancel-open", is_flag=True, help=say("并撤销所有配置的未完成委托", "cancel the open orders of every profile too")
)
@click.option("--allow-sells", is_flag=True, help=say("仍允许卖出持仓", "let holdings be sold all the same"))
def halt(app: App, cancel_open: bool, allow_sells: bool) -> int:
    from qmtcli.backend import halt_file

    check_fields(app.console, _row(None, []))
    since = datetime.fromtimestamp(time.time(), _SHANGHAI).isoformat(timespec="seconds")
    found = halts.Halt(since, allow_sells)
    halts.begin(halt_file(app.console.env), found)  # before anything that could fail
    canceled: list[dict[str, Any]] = []
    status: int = ExitStatus.OK
    if cancel_open:
        from qmtcli.commands.several import run_each

        answers = run_each(app, _accounts(app, app.config), ["cancel", "--all", "--yes"], accept=_ANSWERED)
        canceled = [row for answer in answers for row in answer.rows]
        errors = [answer.error for answer in answers if answer.error is not None]
        for error in errors:
            app.console.error_of(error)
        left = [row for row in canceled if row["result"] not in ("canceled", "final")]
        if errors or left:
            unknown = any(row["result"] == "unknown" for row in left)
            status = ExitStatus.UNKNOWN if unknown else ExitStatus.PARTIAL
    emit_row(app.console, _row(found, canceled), HALT, "since", say("已停止", "Halted"))
    return status


@command("resume", "结束 qmt halt: 可以再发送委托。", "End qmt halt: orders may be sent again.")
def resume(app: App) -> None:
    from qmtcli.backend import halt_file

    check_fields(app.console, _row(None, []))
    path = halt_file(app.console.env)
    before = halts.read(path)
    halts.end(path)
    was = say("已恢复", "Resumed") if before else say("本来就没有停止", "Nothing was halted")
    emit_row(app.console, _row(None, []) | {"since": before.since if before else ""}, HALT, "since", was)


#: exit statuses of a cancel whose rows are on stdout
_ANSWERED = (ExitStatus.OK, ExitStatus.REJECTED, ExitStatus.UNKNOWN, ExitStatus.OPEN, ExitStatus.PARTIAL)


def _row(found: halts.Halt | None, canceled: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "halted": found is not None,
        "since": found.since if found else "",
        "allow_sells": found.allow_sells if found else False,
        "canceled": canceled,
    }


def _accounts(app: App, config: Config) -> list[list[str]]:
    """What names each account that may have open orders: every live one, and those on paper that there are."""
    from qmtcli.backend import paper_settings

    found = []
    for profile in config.profiles.values():
        for account in (profile.account, *profile.accounts):
            words = ["--profile", profile.name, *(["--account", account] if profile.accounts else [])]
            if profile.live or paper_settings(profile._replace(account=account), app.console.env).account_file.exists():
                found.append(words)
    return found
