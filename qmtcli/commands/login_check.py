"""``qmt login-check``: what works and what does not, each with its fix; and which terminals there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from qmtcli.commands import complete
from qmtcli.commands.columns import CHECKS, TERMINALS
from qmtcli.commands.common import App, command
from qmtcli.errors import ExitStatus
from qmtcli.messages import error_text, say
from qmtcli.output import emit_rows

if TYPE_CHECKING:
    from datetime import datetime


@command(
    "login-check",
    "检查: 配置、接口、连接、账号、资金、行情; 每项给出所见与处理办法, 第一个失败决定退出码。",
    "Check configuration, module, link, account, asset and a quote; each with its fix. "
    "The first failure decides the exit status.",
)
@click.option(
    "--code",
    default="600000.SH",
    metavar="CODE",
    help=say("用哪个代码检查行情, 默认 600000.SH", "code of the quote, 600000.SH unless said"),
    shell_complete=complete.codes,
)
@click.option(
    "--discover",
    "looking",
    is_flag=True,
    help=say("找出本机安装的终端, 给出配置", "find the terminals on this machine and offer a configuration"),
)
def login_check(app: App, code: str, looking: bool) -> int:
    from qmtcli.backend import package_differences, slots_folder, supply_calendar
    from qmtcli.rules import calendar
    from qmtcli.rules.boards import instrument
    from qmtcli.rules.phases import Phase, phase_at
    from qmtcli.symbols import parse_code
    from qmtcli.xt.diagnose import Check, Plan, checks

    if looking:
        return _discover(app)

    def _phase(at: datetime) -> Phase:
        return phase_at(instrument("600000.SH"), at.time(), at.date())

    profile = app.profile
    supply_calendar(app.console.env)
    plan = Plan(
        lambda: app.session,
        profile.live,
        profile.path or "",
        profile.account,
        parse_code(code),
        profile.module_path or "",
        package_differences,
        slots_folder(app.console.env),
        lambda at: calendar.is_trading_day(at.date()),
        lambda at: calendar.is_trading_day(at.date()) and _phase(at) is Phase.CONTINUOUS,
    )
    found: list[Check] = list(checks(plan))
    rows: list[dict[str, str | None]] = []
    for check in found:
        seen, fix = check.seen, check.fix
        if check.error is not None:
            seen, fix = error_text(check.error.code, check.error.params, app.console.lang)
            fix = check.fix or fix
        rows.append({
            "check": check.check,
            "result": check.result,
            "seen": seen,
            "fix": fix,
            "code": None if check.error is None else check.error.code,
        })  # fmt: skip
    emit_rows(app.console, rows, list(rows[0]), CHECKS, "check", say("检查", "Checks"))
    failed = [check.error for check in found if check.result == "fail" and check.error is not None]
    if failed:
        return failed[0].exit_status
    if profile.live:
        from qmtcli.backend import accept_package

        accept_package(profile, app.console.env)
    return ExitStatus.OK


def _discover(app: App) -> int:
    from qmtcli.xt import discover

    found = discover.here()
    rows = [{**terminal._asdict(), "configuration": discover.configuration(terminal)} for terminal in found]
    keys = (*discover.Terminal._fields, "configuration")
    emit_rows(app.console, rows, keys, TERMINALS, "path", say(f"终端: {len(rows)}", f"Terminals: {len(rows)}"))
    if found:
        app.console.say(say("配置 (填上资金账号):", "a configuration, to which the account is added:"))
        app.console.say(f"profiles:\n{discover.configuration(found[0])}".rstrip())
    return ExitStatus.OK
