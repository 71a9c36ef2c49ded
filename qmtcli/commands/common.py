"""What commands share: the options every one of them takes, and the run they take part in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from qmtcli.commands import complete
from qmtcli.console import FORMATS, Console
from qmtcli.errors import ConfigError, NotConnected, QmtError, Refused, UsageError
from qmtcli.messages import error_text, say, set_language

if TYPE_CHECKING:
    from pathlib import Path

    from qmtcli.books import Book
    from qmtcli.config import Config, Profile
    from qmtcli.desk import Desk, Permission
    from qmtcli.ledger import Ledger
    from qmtcli.output import Column
    from qmtcli.tickets import Markets
    from qmtcli.xt.follow import Line
    from qmtcli.xt.session import Session


#: seconds that pass before somebody wonders
_NOTICEABLE = 0.5


class App:
    """One run of qmt: what was asked for on the command line, and what it opens on the way."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.flags: dict[str, object] = {}
        #: the command line
        self.words: list[str] = []
        #: profiles named by flags, in order; and whether it is all there are
        self.named: list[str] = []
        self.all_profiles = False
        #: the desk that sends this run's orders, once there is one
        self.desk: Desk | None = None
        self._session: Session | None = None
        #: by the monotonic clock
        self._reading_since = 0.0

    @cached_property
    def config(self) -> Config:
        """The configuration. Raises ConfigError."""
        from pathlib import Path

        from qmtcli.config import load

        config = load(self.flags, self.console.env, Path.cwd())
        console = self.console
        console.format, console.debug = config.output, config.debug
        if config.lang:
            console.lang = config.lang
            set_language(config.lang)
        if config.log:
            try:
                console.open_log(config.log)
            except OSError as error:
                raise ConfigError("log_not_written", path=config.log, why=error.strerror) from error
        return config

    @cached_property
    def profile(self) -> Profile:
        """The profile in use. Raises ConfigError."""
        profile = self.config.profile()
        console = self.console
        console.identity = {"mode": profile.mode, "profile": profile.name, "account_id": profile.account}
        tail = profile.account[-4:]
        console.tag = f"【{console.word('live')} ****{tail}】" if profile.live else f"【{console.word('paper')}】"
        return profile

    def say_paper(self) -> None:
        """Say of what comes that it is on paper, whatever the profile: it is a replay."""
        self.console.identity = {**self.console.identity, "mode": "paper"}
        self.console.tag = f"【{self.console.word('paper')}】"

    @property
    def several(self) -> list[str]:
        """The profiles to run on, where it is not the one in use. Raises ConfigError."""
        if self.all_profiles:
            return list(self.config.profiles)
        named = list(dict.fromkeys(self.named))
        return named if len(named) > 1 else []

    def told(self, code: str) -> dict[str, Any]:
        """What the user's own table of instruments, if the profile names one, tells of a code. Raises ConfigError."""
        if self.profile.instruments is None:
            return {}
        from qmtcli.rules.instruments import fields

        return fields(code, self._instruments)

    @cached_property
    def _instruments(self) -> Mapping[str, Mapping[str, Any]]:
        """The user's own table of instruments. Raises ConfigError."""
        from qmtcli.rules.instruments import read
        from qmtcli.text import read_file

        path = str(self.profile.instruments)
        return read(read_file(path), path)

    @property
    def session(self) -> Session:
        """The session on the profile's backend, the vendor's stdout put aside.

        Raises ConfigError, and NotConnected when the profile waits for the terminal in vain.
        """
        if self._session is None:
            self.console.guard()
            return self.open_session()
        return self._session

    def open_session(self, shared: bool = False) -> Session:
        """Open the session; ``shared``: with a plain script in this process, whose stdout is its own. Raises as
        `session`."""
        from qmtcli.backend import open_session

        profile = self.profile
        self._session = open_session(profile, self.console.env, self.show_reading, shared)
        if profile.wait_ready:
            self._session.wait_ready(profile.wait_ready)
        return self._session

    def line(self) -> Line:
        """What following rows needs: the session, whether anybody still listens, and whom to tell of the link."""
        from qmtcli.xt.follow import Line

        def told(error: NotConnected | None) -> None:
            if error is None:
                self.console.say(say("已重新连接", "connected again"))
            else:
                self.console.error(error)

        return Line(self.session, self.console.hold_reader, told)

    def show_reading(self, path: Path | None) -> None:
        """Show which file of a tape is being read, once that has taken noticeable time; None: it has been."""
        import time

        now = time.monotonic()
        self._reading_since = self._reading_since or now
        if path is None:
            self.console.passing("")
        elif now - self._reading_since > _NOTICEABLE:
            self.console.passing(say(f"首次读取行情文件, 建立索引: {path.name}", f"reading a tape, once: {path.name}"))

    def open_desk(
        self, dry_run: bool = False, yes: bool = False, next_session: bool = False, planned: bool = False
    ) -> Desk:
        """The door for orders and cancels."""
        from qmtcli.backend import halt_file
        from qmtcli.desk import Desk

        permission = self.permission(yes, next_session, planned)
        ledger, halt = lambda: self.ledger, halt_file(self.console.env)
        self.desk = Desk(self.session, self.profile, permission, ledger, halt, dry_run)
        return self.desk

    def permission(self, yes: bool = False, next_session: bool = False, planned: bool = False) -> Permission:
        """What was said for this run, and who can be asked."""
        from qmtcli.backend import package_change
        from qmtcli.desk import Permission

        config, profile, console = self.config, self.profile, self.console
        return Permission(
            yes=yes or profile.yes,
            named=config.named,
            live_exists=config.has_live,
            ask=console.confirm if console.interactive else None,
            next_session=next_session,
            changed=lambda: package_change(profile, console.env),
            planned=planned,
            warn=console.warn,
        )

    @cached_property
    def ledger(self) -> Ledger:
        """The account's ledger. Raises ConfigError."""
        from qmtcli.backend import open_ledger

        at = self._session.now if self._session is not None else None
        return open_ledger(self.profile, self.console.env, at)

    @cached_property
    def markets(self) -> Markets:
        """What is known of the market for the orders of this run. Raises ConfigError."""
        from qmtcli.backend import supply_calendar
        from qmtcli.tickets import Markets

        def calendar() -> None:
            if self.profile.live:
                supply_calendar(self.console.env)

        return Markets(self.session, self.profile, self.told, self.warner(), self.console.warn, calendar)

    def warner(self) -> Callable[[QmtError], None]:
        """What tells a person, once, of something that is not certain enough to refuse an order."""
        told: set[str] = set()

        def warn(error: QmtError) -> None:
            if error.code not in told:
                told.add(error.code)
                message, more = error_text(error.code, error.params, self.console.lang)
                if isinstance(error, Refused):
                    more = say("规则未经证实, 不拒绝", "an unconfirmed rule, so not refused")
                self.console.warn(f"{say('注意', 'warning')}: {message} — {more}")

        return warn

    def today(self) -> str:
        """The account's trading day, without a connection. Raises ConfigError."""
        from datetime import datetime, timedelta, timezone

        from qmtcli import backend

        if self._session is not None:
            return self._session.today().isoformat()
        if self.profile.live:
            now = backend.now(self.profile, self.console.env)
            return datetime.fromtimestamp(now, timezone(timedelta(hours=8))).date().isoformat()
        backend.prepare(self.profile, self.console.env, self.show_reading)
        return backend.open_exchange().today().isoformat()

    def books(self) -> dict[str, Book]:
        """The books of the account's strategies, by name. Raises ConfigError."""
        from functools import partial

        from qmtcli.backend import ledger_file
        from qmtcli.books import books, traded_fees
        from qmtcli.rules.settings import DEFAULT_SCHEDULE

        if not ledger_file(self.profile, self.console.env).exists():
            return {}
        schedule = DEFAULT_SCHEDULE._replace(**self.profile.fees)
        ledger = self.ledger
        return books(ledger.all(), ledger.adjustments(), self.today(), partial(traded_fees, self.told, schedule))

    def settle(self) -> None:
        """Settle what the ledger has open, where this run has asked the terminal and there is anything.

        What cannot be read now is for the next command.
        """
        from qmtcli.backend import ledger_file

        if self._session is None or not self._session.asked or not ledger_file(self.profile, self.console.env).exists():
            return
        from contextlib import suppress

        with suppress(ConfigError, NotConnected):  # whoever writes next is told of a ledger that cannot be used
            ledger, session = self.ledger, self._session
            if ledger.has_open():
                from qmtcli.desk import settling

                day, orders = session.today().isoformat(), session.orders_soon()
                settling.settle(ledger, day, orders, session.stands, session.past)

    def open_log(self) -> None:
        """Open the log, if it is not open and can be: what is wrong with the command line is found before it is."""
        from contextlib import suppress
        from pathlib import Path

        from qmtcli.config import load

        if self.console.log is None:
            with suppress(QmtError, OSError):
                if path := load({"log": self.console.log_file}, self.console.env, Path.cwd()).log:
                    self.console.open_log(path)

    def close(self) -> None:
        """Leave the session."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def confirm(self, question: str, yes: bool) -> None:
        """Hold that a person agrees to what cannot be undone. Raises Refused."""
        if yes:
            return
        if not self.console.interactive:
            raise Refused("needs_yes", profile=self.profile.name)
        if not self.console.confirm(question):
            raise Refused("declined")


def stdin_words(console: Console, keys: Sequence[str]) -> list[str]:
    """What ``-`` stands for: words of stdin, or of a JSON document the value of the first of ``keys`` in each row.

    Raises UsageError for no input, for JSON that cannot be read, and Refused for rows of another account.
    """
    text = console.read_text().strip()
    if not text:
        raise UsageError("empty_stdin")
    if text[0] not in "[{":
        return [word for line in text.splitlines() for word in line.partition("#")[0].replace(",", " ").split()]
    return [_value_of(row, keys) for row in own_rows(console, text)]


def own_rows(console: Console, text: str) -> list[dict[str, Any]]:
    """Rows of a JSON array, object, or of JSON lines. Raises UsageError, and Refused for another account's rows."""
    import json

    try:
        value = json.loads(text)
    except ValueError as whole:
        try:
            value = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            raise UsageError("bad_json", why=str(whole)) from None
    rows = value if isinstance(value, list) else [value]
    for row in rows:
        if not isinstance(row, dict):
            raise UsageError("bad_json", why=f"{type(row).__name__} instead of an object")
        hold_own(console, row)
    return rows


def hold_own(console: Console, row: Mapping[str, Any]) -> None:
    """Hold that a row is of the account in use, where it says whose it is. Raises Refused."""
    for key in ("mode", "account_id"):
        said, ours = row.get(key), console.identity.get(key)
        if said is not None and ours is not None and said != ours:
            raise Refused("another_account", key=key, theirs=said, ours=ours)


def _value_of(row: dict[str, Any], keys: Sequence[str]) -> str:
    for key in keys:
        if row.get(key) not in (None, ""):
            return str(row[key])
    raise UsageError("row_without_key", keys=list(keys))


# -- options -------------------------------------------------------------------------------------------


def _profile(ctx: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> None:
    if value and ctx.obj is not None:
        ctx.obj.named.extend(value)
        ctx.obj.flags["profile"] = value[-1]


def _all_profiles(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and ctx.obj is not None:
        ctx.obj.all_profiles = True


def _set(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
        if value is not None and ctx.obj is not None:
            ctx.obj.flags[name] = value

    return callback


def _json(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and ctx.obj is not None:
        ctx.obj.flags["output"] = "json"


def _fields(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value and ctx.obj is not None:
        ctx.obj.console.fields = tuple(name.strip() for name in value.split(",") if name.strip())


def _no_color(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and ctx.obj is not None:
        ctx.obj.console.color = False


def _debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and ctx.obj is not None:
        ctx.obj.flags["debug"] = "true"
        ctx.obj.console.debug = True


class Seconds(click.FloatRange):
    """A number of seconds; NaN, which lies in every range, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = super().convert(value, param, ctx)
        if seconds != seconds:
            self.fail(str(value), param, ctx)
        return seconds


class CommonOption(click.Option):
    """An option of every command, before and after its name; listed apart in the help."""


def common_options() -> list[click.Parameter]:
    """New instances of the options that every command takes."""

    def option(*names: str, help: str, callback: Any, **more: Any) -> CommonOption:
        return CommonOption(names, help=help, callback=callback, expose_value=False, **more)

    return [
        option("-o", "--output", metavar="FORMAT", type=click.Choice(FORMATS), callback=_set("output"),
               help=say("输出格式: ", "") + ", ".join(FORMATS)),
        option("--json", is_flag=True, help=say("等于 -o json", "the same as -o json"), callback=_json),
        option("--fields", metavar="A,B", help=say("只输出这些字段", "print these fields only"), callback=_fields),
        option("--profile", metavar="NAME", multiple=True, callback=_profile, shell_complete=complete.profiles,
               help=say("使用的配置; 查询命令可给多个", "profile to use; those that read take several")),
        option("--all-profiles", is_flag=True, callback=_all_profiles,
               help=say("查询命令: 所有配置", "of those that read: every profile")),
        option("--account", metavar="ID", callback=_set("account"), shell_complete=complete.accounts,
               help=say("使用的资金账号, 属于该配置", "account of the profile to use")),
        option("--timeout", metavar="S", callback=_set("timeout"),
               help=say("每次请求的秒数上限", "seconds that one request may take")),
        option("--wait-ready", metavar="S", callback=_set("wait_ready"),
               help=say("等待终端与账号就绪的秒数上限", "seconds to wait for terminal and account to be up")),
        option("--lang", metavar="zh|en", type=click.Choice(["zh", "en"]), help=say("语言", "language"),
               callback=_set("lang")),
        option("--log", metavar="FILE", help=say("消息与错误另存到文件", "keep messages and errors in a file"),
               callback=_set("log"), shell_complete=complete.files),
        option("--no-color", is_flag=True, help=say("不用颜色", "no colour"), callback=_no_color),
        option("--debug", is_flag=True, help=say("出错时打印调用栈", "show tracebacks"), callback=_debug),
    ]  # fmt: skip


def tell_version() -> click.Option:
    """``--version``; the entry point answers it before anything is imported, this is for the help and for scripts."""

    def show(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            from qmtcli import __version__

            ctx.obj.console.data(f"qmt {__version__}\n")
            ctx.exit()

    return click.Option(
        ["-V", "--version"], is_flag=True, is_eager=True, expose_value=False, callback=show,
        help=say("版本", "show the version"),
    )  # fmt: skip


class _Ours(click.Command):
    """A command whose usage, help and complaints are in the reader's language.

    The help has two sections of options: the command's own, then those of every command.
    """

    def __init__(self, name: str, **kwargs: Any) -> None:
        kwargs["params"] = [*(kwargs.get("params") or []), *common_options()]
        kwargs["context_settings"] = {"max_content_width": 100}
        super().__init__(name, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # an option without its value does not say whose it is
            raise

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix=say("用法: ", "Usage: "))

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        return ["-h", "--help"]

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = say("显示帮助", "show this help")
        return option

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own: list[tuple[str, str]] = []
        common: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                (common if isinstance(parameter, CommonOption) else own).append(record)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)
        with formatter.section(say("选项", "Options")):
            formatter.write_dl(own)
        with formatter.section(say("通用选项", "Common options")):
            formatter.write_dl(common)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.epilog:
            with formatter.section(say("例", "Example")):
                formatter.write(f"{'':>{formatter.current_indent}}{self.epilog}\n")


class Command(_Ours):
    """A command of qmt."""

    allow_extra_args = True  # told below, in the reader's language

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        if ctx.args and not ctx.resilient_parsing:
            words = " ".join(ctx.args)
            ctx.fail(say(f"多余的参数: {words}", f"not understood: {words}"))
        return rest


class Group(_Ours, click.Group):
    """A group of commands, in the order they were added; alone it shows its help."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name, no_args_is_help=True, **kwargs)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.exceptions.NoSuchCommand(args[0], possibilities=known, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(say("命令", "Commands")):
            formatter.write_dl([(name, command.get_short_help_str(80)) for name, command in self.commands.items()])


class DefaultGroup(Group):
    """A group that is, without the name of one of its commands, a certain one of them."""

    def __init__(self, name: str, default: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.no_args_is_help = False
        self._default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing and (not args or (args[0].startswith("-") and args[0] not in ("-h", "--help"))):
            args = [self._default, *args]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        known = args[0] in self.commands or ctx.resilient_parsing
        return super().resolve_command(ctx, args if known else [self._default, *args])


class Reading(NamedTuple):
    """What a command reads, so that the rows of several profiles can stand together."""

    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    #: what ``-o id`` prints of a row
    id_key: str
    zh: str
    en: str


def command(
    name: str, zh: str, en: str, epilog: str = "", reading: Reading | None = None
) -> Callable[[Callable[..., Any]], Command]:
    """Make a function a command of qmt; it gets the `App` first and returns its exit status (None: 0).

    With a ``reading`` it can be run on several profiles.
    """

    def decorate(function: Callable[..., Any]) -> Command:
        @wraps(function)
        def run(app: App, /, *arguments: Any, **options: Any) -> Any:
            if not app.several:
                return function(app, *arguments, **options)
            if reading is None or options.get("follow"):
                raise UsageError("one_profile", command=name)
            from qmtcli.commands.several import read

            return read(app, reading, app.words)

        decorator = click.command(name, cls=Command, help=say(zh, en), epilog=epilog or None)
        return decorator(click.pass_obj(run))

    return decorate


def follow_option(zh: str, en: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--follow`` of a command that lists rows."""
    return click.option("-f", "--follow", is_flag=True, help=say(zh, en))


def nothing_sent(dry_run: bool) -> str:
    """What the caption of a dry run adds."""
    return say(" (未发送)", " (nothing sent)") if dry_run else ""


def read_from(words: Sequence[str], console: Console, keys: Sequence[str]) -> list[str]:
    """Arguments with each ``-`` replaced by what stdin says. Raises as `stdin_words`."""
    found: list[str] = []
    for word in words:
        found.extend(stdin_words(console, keys) if word == "-" else [word])
    return found
