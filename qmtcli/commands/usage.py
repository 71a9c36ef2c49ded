"""What is wrong with a command line, in the reader's language: click's complaints in our words."""

from __future__ import annotations

import click

from qmtcli.messages import say


def complaint(error: click.UsageError) -> str:
    """The one line that tells it."""
    ctx = error.ctx
    command = ctx.command if ctx else None
    if isinstance(error, click.MissingParameter):
        name = _name(error.param, ctx)
        return say(f"缺少 {name}", f"{name} is missing")
    if isinstance(error, click.BadParameter):
        name, wanted = _name(error.param, ctx), _wanted(error.param)
        return say(f"{name} 应为 {wanted}", f"{name} takes {wanted}") if wanted else f"{name}: {error.message}"
    if isinstance(error, click.NoSuchOption):
        if error.option_name[1:].isdecimal():
            return say("这里没有负数", "nothing here is negative")
        near = _near(error.option_name, error.possibilities)
        return say(f"没有选项 {error.option_name}", f"there is no option {error.option_name}") + near
    if isinstance(error, click.BadOptionUsage):
        options = {name: option for option in command.params for name in option.opts} if command else {}
        if getattr(options.get(error.option_name), "is_flag", False):
            return say(f"{error.option_name} 不带值", f"{error.option_name} takes no value")
        return say(f"{error.option_name} 缺少值", f"{error.option_name} needs a value")
    if isinstance(error, click.exceptions.NoSuchCommand):
        near = _near(error.command_name, error.possibilities)
        return say(f"没有命令 {error.command_name}", f"there is no command {error.command_name}") + near
    if isinstance(command, click.Group):
        return say("缺少命令", "a command is missing")
    return error.format_message()


def _name(parameter: click.Parameter | None, ctx: click.Context | None) -> str:
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return parameter.make_metavar(ctx).removesuffix("...") if parameter and ctx else ""


def _wanted(parameter: click.Parameter | None) -> str:
    kind = parameter.type if parameter else None
    if isinstance(kind, click.Choice):
        return " | ".join(kind.choices)
    if isinstance(kind, click.FloatRange):
        if kind.max is None:
            return say(f"不小于 {kind.min:g} 的数", f"a number of at least {kind.min:g}")
        return say(f"{kind.min:g} 到 {kind.max:g} 的数", f"a number from {kind.min:g} to {kind.max:g}")
    return ""


def _near(word: str, names: list[str] | None) -> str:
    """A suggestion, where one is nearer than click thinks near enough."""
    from difflib import get_close_matches

    near = get_close_matches(word, names or (), 1, 0.7)
    return say(f", 是否想用 {near[0]}?", f"; did you mean {near[0]}?") if near else ""
