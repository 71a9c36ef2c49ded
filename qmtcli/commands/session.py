"""``qmt session``: the session ids that qmt uses at a live terminal, and the queue files they leave there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qmtcli.commands.columns import SESSIONS
from qmtcli.commands.common import App, Group, command
from qmtcli.errors import Refused
from qmtcli.messages import say
from qmtcli.output import emit_rows

if TYPE_CHECKING:
    from pathlib import Path

    from qmtcli.xt.slots import Use

session = Group(
    name="session",
    help=say(
        "实盘终端的会话编号与其队列文件: 列出、清理。",
        "Session ids at a live terminal and the queue files they leave: list, clean.",
    ),
)


class _Row(NamedTuple):
    session_id: int
    state: str
    file: str
    #: bytes; None: there is none
    size: int | None


def _terminal(app: App) -> tuple[Path, str]:
    """The folder of session ids and the terminal's. Raises Refused on a paper profile, ConfigError."""
    from qmtcli.backend import slots_folder

    profile = app.profile
    if profile.path is None:
        raise Refused("not_a_live_profile", profile=profile.name)
    return slots_folder(app.console.env), profile.path


def _show(app: App, uses: list[Use], caption: str) -> None:
    rows = [_Row(use.session_id, use.state, str(use.file), use.size)._asdict() for use in uses]
    emit_rows(app.console, rows, _Row._fields, SESSIONS, "session_id", f"{caption}: {len(rows)}")


@command("list", "会话编号: 使用中、歇息中、可用; 与各自的队列文件。", "Session ids, and the queue file of each.")
def list_uses(app: App) -> None:
    from qmtcli.xt import slots

    _show(app, slots.uses(*_terminal(app)), say("会话编号", "Session ids"))


@command(
    "clean",
    "删除空闲会话编号的队列文件 (每个 72 MiB)。",
    "Remove the queue files of ids that are free, 72 MiB each.",
)
def clean(app: App) -> None:
    from qmtcli.xt import slots

    _show(app, slots.clean(*_terminal(app)), say("已处理的队列文件", "Queue files looked at"))


session.add_command(list_uses)
session.add_command(clean)
