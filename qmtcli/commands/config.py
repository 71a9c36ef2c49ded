"""``qmt config``: the configuration, where each value comes from, and a first file."""

from __future__ import annotations

import click

from qmtcli.commands.columns import SETTINGS
from qmtcli.commands.common import App, Group, command
from qmtcli.errors import ConfigError
from qmtcli.messages import say
from qmtcli.output import emit_row, emit_rows

#: the folder of a terminal in the first file's example
_EXAMPLE = r"D:\broker\userdata_mini"

config = Group(
    name="config",
    help=say("配置文件: 建立、查看、位置。", "The configuration: make a first file, show it, tell where it is."),
)


@command("show", "每个值及其来源。", "Every value and where it comes from.")
def show(app: App) -> None:
    from qmtcli.config import Setting

    app.profile  # noqa: B018
    rows = [setting._asdict() for setting in app.config.settings]
    emit_rows(app.console, rows, Setting._fields, SETTINGS, "key", say("配置", "Configuration"))


@command("path", "用户配置文件的位置。", "Where the user's configuration file is.")
def path(app: App) -> None:
    from qmtcli.config import state_dir, user_file

    file = user_file(app.console.env)
    row = {"path": str(file), "exists": file.is_file(), "state": str(state_dir(app.console.env))}
    if app.console.format in ("table", "wide"):
        app.console.data(f"{file}\n")
    else:
        emit_row(app.console, row, (), "path")


@command(
    "init",
    "写出带注释的配置文件; 已有的不覆盖。",
    "Write a commented configuration file; an existing one stays as it is.",
)
@click.option("--force", is_flag=True, help=say("覆盖已有的, 旧的留作 .bak", "replace an existing one, kept as .bak"))
def init(app: App, force: bool) -> None:
    from qmtcli.config import template, user_file

    file = user_file(app.console.env)
    if file.exists() and not force:
        raise ConfigError("config_exists", path=str(file))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            file.replace(file.with_name(file.name + ".bak"))
        file.write_text(_reported(app, _with_terminal(template())), encoding="utf-8")
    except OSError as error:
        raise ConfigError("config_not_written", path=str(file), why=str(error)) from error
    if app.console.format in ("table", "wide"):
        app.console.data(f"{file}\n")
    else:
        emit_row(app.console, {"path": str(file), "written": True}, (), "path")


def _reported(app: App, text: str) -> str:
    """The first file with the answer of a person, where one can be asked, whether the account is a reported one."""
    if not app.console.interactive:
        return text
    question = say("程序化交易是否已向券商报告 (实盘)?", "Was program trading reported to the broker (live)?")
    return text.replace("reported: false", "reported: true ") if app.console.confirm(question) else text


def _with_terminal(text: str) -> str:
    """The first file with the folder of the terminal that is on this machine, where one with a minimal mode is."""
    from qmtcli.xt import discover

    found = next((terminal.path for terminal in discover.here() if terminal.minimal), None)
    return text if found is None else text.replace(_EXAMPLE, found)


for _command in (init, show, path):
    config.add_command(_command)
