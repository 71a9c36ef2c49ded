"""``qmt login-check``: what works and what does not, each with its fix."""

from __future__ import annotations

import click

from qmtcli.commands import complete
from qmtcli.commands.columns import CHECKS
from qmtcli.commands.common import App, command
from qmtcli.errors import ExitStatus
from qmtcli.messages import error_text, say
from qmtcli.output import emit_rows


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
def login_check(app: App, code: str) -> int:
    from qmtcli.backend import package_differences
    from qmtcli.symbols import parse_code
    from qmtcli.xt.diagnose import Check, Plan, checks

    profile = app.profile
    plan = Plan(
        lambda: app.session,
        profile.live,
        profile.path or "",
        profile.account,
        parse_code(code),
        profile.module_path or "",
        package_differences,
    )
    found: list[Check] = list(checks(plan))
    rows: list[dict[str, str | None]] = []
    for check in found:
        seen, fix = check.seen, ""
        if check.error is not None:
            seen, fix = error_text(check.error.code, check.error.params, app.console.lang)
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
