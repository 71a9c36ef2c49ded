"""``qmt calendar``: the exchanges' trading days, and what continues the table that came with qmt."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qmtcli.commands import complete
from qmtcli.commands.columns import IMPORTED, TRADING_DAYS
from qmtcli.commands.common import App, Group, command
from qmtcli.errors import ConfigError, UsageError
from qmtcli.messages import say
from qmtcli.output import emit_row, emit_rows

if TYPE_CHECKING:
    from qmtcli.rules.calendar import Calendar

#: trading days shown where no end is named
_SHOWN = 10
_SHANGHAI = timezone(timedelta(hours=8))
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KEYS = ("day", "weekday", "next", "known_until")

calendar = Group(
    name="calendar",
    help=say("交易日历: 查看、导入新一年的交易日。", "Trading days: show them, import those of a new year."),
)


@command("show", "交易日; 默认从今天起的 10 个。", "Trading days, ten from today on unless said otherwise.")
@click.option("--from", "first", metavar="DAY", help=say("从这天起, 如 2026-11-23", "from this day on: 2026-11-23"))
@click.option("--to", "last", metavar="DAY", help=say("到这天为止", "up to this day"))
def show(app: App, first: str | None, last: str | None) -> None:
    from qmtcli.backend import now, supply_calendar
    from qmtcli.rules.calendar import current

    profile, env = app.profile, app.console.env
    begin = _day(first) if first else datetime.fromtimestamp(now(profile, env), _SHANGHAI).date()
    end = _day(last) if last else None
    if end is not None and end < begin:
        raise UsageError("bad_span", first=begin.isoformat(), last=end.isoformat())
    supply_calendar(env)
    known = current()
    known.next_trading_day(begin - timedelta(days=1))
    days = known.trading_days(begin, end or known.last)
    rows = [_row(day, known) for day in (days if end else days[:_SHOWN])]
    caption = say(f"交易日: {len(rows)}, 日历到 {known.last}", f"Trading days: {len(rows)}, known until {known.last}")
    emit_rows(app.console, rows, _KEYS, TRADING_DAYS, "day", caption)


def _row(day: date, known: Calendar) -> dict[str, object]:
    try:
        following = known.next_trading_day(day).isoformat()
    except ConfigError:
        following = None
    return {
        "day": day.isoformat(),
        "weekday": _WEEKDAYS[day.weekday()],
        "next": following,
        "known_until": known.last.isoformat(),
    }


def _day(text: str) -> date:
    from qmtcli.text import day

    try:
        return day(text)
    except ValueError:
        raise UsageError("bad_day", text=text) from None


@command(
    "import",
    "导入交易所公布的交易日: 每行一天, 从早到晚; - 从标准输入读取。此后的命令都用它。",
    "Import trading days that the exchanges published: one a line, earliest first; a dash reads stdin. "
    "Every later command uses them.",
    epilog="qmt calendar import days-2027.txt",
)
@click.argument("file", metavar="FILE", shell_complete=complete.files)
def import_days(app: App, file: str) -> None:
    from qmtcli.backend import calendar_file
    from qmtcli.rules import calendar as rules
    from qmtcli.text import read_file

    app.profile  # noqa: B018
    if file == "-":
        text = app.console.read_text()
        if not text.strip():
            raise UsageError("empty_stdin")
    else:
        text = read_file(file)
    path = calendar_file(app.console.env)
    known = rules.stored_days(read_file(str(path)), str(path)) if path.exists() else []
    days = rules.merged(text, known)
    if days != known:
        _store(path, rules.stored_text(days))
    reach = rules.Calendar([], rules.LAST_VERIFIED).extended(days).last
    row = {"known_until": reach.isoformat(), "added": len({*days} - {*known}), "file": str(path)}
    emit_row(app.console, row, IMPORTED, "known_until", say("交易日历", "Trading calendar"))


def _store(path: Path, text: str) -> None:
    """Write a file whole or not at all. Raises ConfigError."""
    import os
    import tempfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError("state_unusable", path=str(path), why=error.strerror or str(error)) from error


for _command in (show, import_days):
    calendar.add_command(_command)
