"""Running strategies: the processes that they are, what is printed of them, and their replays."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta, timezone
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from qmtcli.commands.columns import REPLAYS, STRATEGIES, STRATEGY_EVENTS
from qmtcli.commands.common import App
from qmtcli.commands.several import START
from qmtcli.errors import ConfigError, ExitStatus, OutcomeUnknown, QmtError, StrategyFailed, UsageError
from qmtcli.messages import error_line, say
from qmtcli.output import check_fields, emit_row, emit_rows, emit_stream

if TYPE_CHECKING:
    from qmtcli.config import Limits

_SHANGHAI = timezone(timedelta(hours=8))
#: what a plan says of one strategy
_WORDS = ("file", "name", "symbols", "period", "timers", "params", "limits")
STATUS_KEYS = ("strategy", "state", "pid", "restarts", "orders", "trades", "time", "exit_status", "log")
REPLAY_KEYS = (
    "strategy", "params", "first", "last", "days", "opening_asset", "final_asset", "total_return", "annual_return",
    "max_drawdown", "drawdown_days", "volatility", "sharpe", "orders", "rejected", "trades", "turnover", "fees",
    "cost_share", "round_trips", "win_rate", "profit_factor", "errors", "ticks",
)  # fmt: skip


class Asked(NamedTuple):
    """One strategy that is asked for."""

    file: str
    name: str
    #: ``symbols``, ``period``, ``timers``, ``params``: over what the file says
    over: dict[str, Any]
    #: as a profile's
    limits: dict[str, Any] | None
    #: a folder of tapes that it is replayed on; "": the profile's market
    market: str = ""


def _asked(app: App, files: Sequence[str], options: Mapping[str, Any]) -> list[Asked]:
    """The strategies that files and plans ask for. Raises UsageError, ConfigError."""
    from qmtcli.orders import check_strategy

    found: list[Asked] = []
    for file in files:
        if not Path(file).is_file():
            raise UsageError("no_strategy_file", path=file)
        if Path(file).suffix in (".yaml", ".yml"):
            found += _plan(Path(file))
        else:
            found.append(Asked(file, Path(file).stem, {}, None))
    params = _params(options["params"])
    symbols = options["symbols"].split(",") if options["symbols"] else None
    wanted = []
    for each in found:
        over = dict(each.over)
        if params:
            over["params"] = {**(over.get("params") or {}), **params}
        if symbols:
            over["symbols"] = symbols
        check_strategy(each.name)
        wanted.append(each._replace(over=over))
    names = [each.name for each in wanted]
    for name in names:
        if names.count(name) > 1:
            raise UsageError("strategy_twice", name=name)
    return wanted


def _plan(path: Path) -> list[Asked]:
    """The strategies of a YAML list. Raises UsageError."""
    import yaml

    from qmtcli.text import decode

    try:
        said = yaml.safe_load(decode(path.read_bytes()))
        rows = said.get("strategies") if isinstance(said, dict) else said
        if not isinstance(rows, list) or not rows:
            raise UsageError("bad_strategy_plan", path=str(path), why="no list of strategies")
        found = []
        for row in rows:
            words = {"file": row} if isinstance(row, str) else row
            if not isinstance(words, dict) or "file" not in words:
                raise UsageError("bad_strategy_plan", path=str(path), why=f"no file: {row}")
            if unknown := sorted({*words} - {*_WORDS}):
                raise UsageError("bad_strategy_plan", path=str(path), why=f"{', '.join(unknown)}?")
            file = path.parent / str(words["file"])
            over = {name: words[name] for name in ("symbols", "period", "timers", "params") if name in words}
            found.append(Asked(str(file), str(words.get("name") or file.stem), over, words.get("limits")))
            if not file.is_file():
                raise UsageError("no_strategy_file", path=str(file))
        return found
    except yaml.YAMLError as error:
        raise UsageError("bad_strategy_plan", path=str(path), why=str(error).replace("\n", " ")) from None


def _params(words: Sequence[str]) -> dict[str, Any]:
    """Parameters as typed, ``k=v``; values as YAML has them. Raises UsageError."""
    found = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise UsageError("bad_param", text=word)
        found[name] = _value(word, text)
    return found


def _value(word: str, text: str) -> Any:
    """A value as YAML has it. Raises UsageError."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise UsageError("bad_param", text=word) from None


def _limits(said: dict[str, Any] | None) -> Limits | None:
    """A strategy's own limits. Raises ConfigError."""
    if said is None:
        return None
    from qmtcli.config import Limits, limits_of

    if not isinstance(said, dict):
        raise ConfigError("bad_value", key="limits", value=str(said), source="plan", expected="{order_value: 50000}")
    return Limits(**limits_of(said, "plan"))


# -- in real time ----------------------------------------------------------------------------------------


def run(app: App, files: Sequence[str], options: Mapping[str, Any]) -> int:
    """Run strategies, each in its own process, until they end or are stopped; the exit status."""
    from qmtcli.commands import happenings
    from qmtcli.commands.batching import status as whole
    from qmtcli.desk.gate import Gate
    from qmtcli.strategy.supervisor import Supervisor, Wanted

    profile, console = app.profile, app.console
    wanted = _asked(app, files, options)
    for each in wanted:
        _limits(each.limits)
    until = _time(options["until"])
    check_fields(console, happenings.EVENT_KEYS)
    names = ", ".join(each.name for each in wanted)
    from qmtcli.backend import halt_file

    Gate(profile, app.permission(options["yes"]), halt_file(console.env)).admit(
        say(f"运行策略 {names}?", f"Run {names}?")
    )
    folder = _folder(app)
    folder.mkdir(parents=True, exist_ok=True)
    # its stderr is its log, whatever it prints
    start = [*_interpreter(), *_words_of(app, "table")]
    children = [
        Wanted(
            each.name,
            [*start, "--yes", "--as-child", _spec(each, until=until)],
            folder / f"{_file_name(each.name)}.log",
            folder / f"{_file_name(each.name)}.json",
        )
        for each in wanted
    ]
    supervisor = Supervisor(
        children, lambda: datetime.fromtimestamp(time.time(), _SHANGHAI).isoformat(timespec="seconds")
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: supervisor.stop())

    sent: list[str] = []

    def rows() -> Generator[list[dict[str, Any]], None, None]:
        for found in supervisor.run():
            sent.extend(event["client_id"] for event in found if event["event"] == "sent")
            yield [happenings.row(console, event) for event in found]
            console.passing(happenings.standing(supervisor.standing))
        console.passing("")

    with closing(rows()) as stream:
        caption = say(f"策略: {names}", f"Strategies: {names}")
        try:
            emit_stream(console, stream, happenings.EVENT_KEYS, STRATEGY_EVENTS, "client_id", caption)
        except BrokenPipeError as error:
            if not sent:
                raise
            raise OutcomeUnknown("stopped_after_sending", ids=sent, why=type(error).__name__) from error
    return whole(supervisor.statuses)


def _interpreter() -> list[str]:
    """The command line of this Python with this qmt."""
    return [sys.executable, "-c", START.format(path=ascii(sys.path))]


def _words_of(app: App, form: str) -> list[str]:
    """What follows it for a process that does a part of this run: on the same account, by the same options."""
    flags = {name: value for name, value in app.flags.items() if name in ("account", "timeout", "wait_ready")}
    words = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
    return ["--profile", app.profile.name, *words, "-o", form, "--lang", app.console.lang, "run-strategy"]


def _spec(asked: Asked, **more: object) -> str:
    """What such a process is told."""
    return json.dumps({**asked._asdict(), "file": str(Path(asked.file).absolute()), **more}, default=str)


def _file_name(name: str) -> str:
    """A strategy's name as that of a file, on any system."""
    return "".join(f"%{ord(char):02X}" if char in '%<>:"/\\|?*' else char for char in name)


def _folder(app: App) -> Path:
    from qmtcli.config import state_dir

    home = Path(state_dir(app.console.env)).absolute() / "strategies"
    return home / app.profile.name / app.profile.account


def forget_states(app: App) -> None:
    """Have the strategies of an account that begins anew begin anew too. Raises ConfigError."""
    for path in _folder(app).glob("*.state"):
        try:
            path.unlink()
        except OSError as error:
            raise ConfigError("state_unusable", path=str(path), why=error.strerror or str(error)) from error


def status(app: App) -> int:
    """Show the strategies that a profile has run."""
    from qmtcli.strategy import supervisor

    found = [supervisor.status(path) for path in sorted(_folder(app).glob("*.json"))]
    rows = [{key: row.get(key) for key in STATUS_KEYS} for row in found if row is not None]
    caption = say(f"策略: {len(rows)}", f"Strategies: {len(rows)}")
    emit_rows(app.console, rows, STATUS_KEYS, STRATEGIES, "strategy", caption)
    return ExitStatus.OK


def child(app: App, text: str, yes: bool) -> int:
    """Be the process of one strategy: its events on stdout, stopped by a word on stdin."""
    from qmtcli.backend import supply_calendar
    from qmtcli.rules import calendar
    from qmtcli.strategy import file as files
    from qmtcli.strategy.context import Context
    from qmtcli.strategy.running import Place, Running, State

    said = json.loads(text)
    profile, console = app.profile, app.console
    if "fetch" in said:
        return _fetching_child(app, said)
    if "days" in said:
        return _replayed_child(app, said)
    console.guard()
    folder = _folder(app)
    lock = threading.Lock()

    def emit(event: str, **words: object) -> None:
        now = app.session.now() if app.desk is not None else time.time()
        at = datetime.fromtimestamp(now, _SHANGHAI).isoformat(timespec="milliseconds")
        line = json.dumps({"event": event, "time": at, **words}, ensure_ascii=False, default=str)
        with lock:
            console.data(line + "\n")
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    def trades_on(day: date) -> bool:
        if not profile.live and profile.hours == "always":
            return True
        supply_calendar(console.env)
        return calendar.is_trading_day(day)

    try:
        desk = app.open_desk(False, yes)
        strategy = files.load(Path(said["file"]), said["name"], said["over"])  # which may import the vendor's modules
        desk.gate.admit(say("运行?", "Run it?"))
        kept = State(folder / f"{_file_name(strategy.name)}.state")
        context = Context(
            strategy.name, desk, app.markets, strategy.declared.params, kept.read(), emit, _limits(said["limits"]),
            kept.keep,
        )  # fmt: skip
    except Exception as error:
        status = _failed(error, emit)
        # what cannot be loaded now cannot be a moment later
        return status if isinstance(error, QmtError) else ExitStatus.USAGE
    place = Place(
        desk, app.markets, app.told, not profile.live and profile.hours == "always",
        not profile.live and bool(console.env.get("QMT_PAPER_CLOCK")), trades_on,
    )  # fmt: skip
    running = Running(strategy, place, context, emit, _until(app, said["until"]))

    def obey() -> None:
        sys.stdin.readline()  # a word, or the end of whoever started this
        running.stop()

    signal.signal(signal.SIGTERM, lambda *_: running.stop())
    threading.Thread(target=obey, daemon=True).start()
    try:
        return running.run()
    except Exception as error:
        context.save()
        return _failed(error, emit)
    finally:
        desk.reported()


def _failed(error: Exception, emit: Callable[..., None]) -> int:
    """Tell of what ends a strategy; the exit status. A mistake of its own goes into its log with all its lines."""
    if isinstance(error, QmtError):
        message = error_line(error.code, error.params)
        emit("error", hook="run", code=error.code, message=message, exit_status=int(error.exit_status))
        return int(error.exit_status)
    import traceback

    told = "".join(traceback.format_exception(error))
    emit("failed", message=f"{type(error).__name__}: {error}", traceback=told)
    return ExitStatus.BUG


def _time(text: str | None) -> int | None:
    """A time of day, ms since midnight. Raises UsageError."""
    if text is None:
        return None
    from qmtcli.strategy.engine import parse_timer

    interval, at = parse_timer(text)
    if interval:
        raise UsageError("bad_timer", text=text)
    return at


def _until(app: App, at: int | None) -> int | None:
    """Epoch ms of a time of today, ms since midnight."""
    if at is None:
        return None
    now = datetime.fromtimestamp(app.session.now(), _SHANGHAI)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return int(midnight.timestamp() * 1000) + at


# -- on the past -----------------------------------------------------------------------------------------


def replay(app: App, files: Sequence[str], options: Mapping[str, Any]) -> int:
    """Replay one strategy, or one with each combination of parameters; the exit status."""
    from qmtcli.strategy.replay import parse_days
    from qmtcli.strategy.sweep import check

    days = parse_days(options["replay"])
    wanted = _asked(app, files, options)
    check_fields(app.console, REPLAY_KEYS)
    combinations = _combinations(options["sweeps"])
    check(options["backend"])
    if not app.profile.live:
        return _replays(app, wanted, combinations, days, options)
    from tempfile import TemporaryDirectory

    from qmtcli.commands.downloaded import fetch

    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        failed = fetch(app, map(_spec, wanted), Path(folder), days)
        if failed is not None:
            app.console.error_of(failed)
            return int(failed["exit_status"])
        app.say_paper()
        wanted = [each._replace(market=str(Path(folder) / str(number))) for number, each in enumerate(wanted)]
        return _replays(app, wanted, combinations, days, options)


def _replays(
    app: App, wanted: Sequence[Asked], combinations: Sequence[dict[str, Any]], days: tuple[date, date],
    options: Mapping[str, Any],
) -> int:  # fmt: skip
    """Print the figures of all; the exit status."""
    if len(wanted) * len(combinations) == 1:
        folder = Path(options["report"]) if options["report"] else None
        row = _replayed(app, wanted[0], days, folder, app.console.passing)
        app.console.passing("")
        emit_row(app.console, row, REPLAYS, "strategy", say("回放", "Replay"))
        return ExitStatus.OK
    rows = _swept(app, wanted, combinations, days, options["report"], options["backend"])
    caption = say(f"回放: {len(rows)}", f"Replays: {len(rows)}")
    emit_rows(app.console, rows, REPLAY_KEYS, REPLAYS, "strategy", caption)
    return ExitStatus.OK


def _combinations(words: Sequence[str]) -> list[dict[str, Any]]:
    """Every combination of ``key=a,b,c``. Raises UsageError."""
    axes = []
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name or not text:
            raise UsageError("bad_param", text=word)
        axes.append([(name, _value(word, value)) for value in text.split(",")])
    return [dict(each) for each in product(*axes)]


def _replayed(
    app: App, asked: Asked, days: tuple[date, date], folder: Path | None, told: Callable[[str], None]
) -> dict[str, Any]:
    """Replay one strategy in this process; its figures. Raises what it raises."""
    from qmtcli.strategy import file as files
    from qmtcli.strategy.replay import Replay
    from qmtcli.strategy.report import figures, write

    app.console.guard()  # what the file prints is no data
    events: list[str] = []
    errors = 0

    def emit(event: str, **words: object) -> None:
        nonlocal errors
        events.append(json.dumps({"event": event, **words}, ensure_ascii=False, default=str))
        if event == "error":
            errors += 1
            if errors == 1:
                app.console.warn(f"{words['time']} {words['hook']}: {words['message']}")

    def progress(day: date, done: int, total: int) -> None:
        told(f"{asked.name} {day.isoformat()} {done}/{total}")

    profile, indexes = app.profile, None
    if asked.market:
        profile = profile._replace(live=False, market=asked.market)
        indexes = Path(asked.market, "indexes")
    load = partial(files.load, Path(asked.file), asked.name, asked.over)
    run = Replay(profile, app.console.env, load, _limits(asked.limits), app.told, emit, progress, indexes)
    try:
        found = run.run(*days)
    except QmtError:
        raise
    except Exception as error:
        raise _own(error, asked.file) from error
    if folder is not None:
        write(found, folder)
        (folder / "events.ndjson").write_bytes("".join(f"{line}\n" for line in events).encode())
    row = {**figures(found), "errors": errors, "ticks": run.ticks}
    whole = {"strategy": found.name, "params": found.params, "first": found.first, "last": found.last, **row}
    return {key: whole.get(key) for key in REPLAY_KEYS}


def _own(error: Exception, file: str) -> Exception:
    """A strategy's own mistake, told from its first line on; the error itself where it is none of its own."""
    import traceback

    lines = traceback.extract_tb(error.__traceback__)
    path = str(Path(file).resolve())
    own = [number for number, line in enumerate(lines) if str(Path(line.filename).resolve()) == path]
    if not own:
        return error
    told = "".join(traceback.format_list(lines[own[0] :])) + f"{type(error).__name__}: {error}"
    return StrategyFailed("strategy_failed", path=file, line=lines[own[-1]].lineno, why=told)


def _swept(
    app: App, wanted: Sequence[Asked], combinations: Sequence[dict[str, Any]], days: tuple[date, date],
    report: str | None, on: str | None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Replay each strategy with each combination, side by side. Raises what the first that fails raises."""
    from qmtcli.strategy.sweep import Job, sweep

    jobs = []
    words = _words_of(app, "json")
    for each, params in product(wanted, combinations):
        over = {**each.over, "params": {**(each.over.get("params") or {}), **params}}
        name = "_".join([_file_name(each.name), *(f"{key}={value}" for key, value in params.items())])
        folder = None if report is None else str(Path(report).absolute() / name)
        span = [day.isoformat() for day in days]
        spec = _spec(each._replace(over=over), days=span, report=folder)
        jobs.append(Job(f"{each.name} {over['params']}", [*words, "--as-child", spec]))
    found: list[dict[str, Any]] = []
    for row in sweep(jobs, _interpreter(), app.console.env, on):
        found.append(row)
        app.console.passing(f"{len(found)}/{len(jobs)}")
    app.console.passing("")
    return found


def _fetching_child(app: App, said: Mapping[str, Any]) -> int:
    """Be the process that reads what a strategy is to be replayed on."""
    from qmtcli.backend import open_session
    from qmtcli.commands.downloaded import keep
    from qmtcli.strategy import file as files

    app.console.guard()
    session = open_session(app.profile, app.console.env)  # waits for no terminal, as `App.session` may: that connects
    try:
        strategy = files.load(Path(said["file"]), said["name"], said["over"])
    except QmtError:
        raise
    except Exception as error:
        raise _own(error, said["file"]) from error
    keep(session, strategy.declared.symbols, said)
    app.console.data("[]\n")
    return ExitStatus.OK


def _replayed_child(app: App, said: Mapping[str, Any]) -> int:
    """Be the process of one replay among several."""
    asked = Asked(said["file"], said["name"], said["over"], said["limits"], said["market"])
    first, last = map(date.fromisoformat, said["days"])
    folder = None if said["report"] is None else Path(said["report"])
    row = _replayed(app, asked, (first, last), folder, lambda text: None)
    app.console.identity = {}  # which the whole has
    emit_row(app.console, row, REPLAYS, "strategy")
    return ExitStatus.OK


# -- a new one -------------------------------------------------------------------------------------------


def template(app: App, name: str) -> int:
    """Write a file to begin with. Raises UsageError where there is one."""
    from qmtcli.orders import check_strategy

    path = Path(f"{check_strategy(name)}.py")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_TEMPLATE)
    except FileExistsError:
        raise UsageError("file_exists", path=str(path)) from None
    except OSError as error:
        raise UsageError("report_not_written", path=str(path), why=error.strerror or str(error)) from None
    app.console.say(say(f"已写入 {path}", f"written: {path}"))
    return ExitStatus.OK


_TEMPLATE = '''"""A strategy. Keep the functions that you need; ``ctx`` is described in docs/strategies.md.

    qmt run-strategy THIS.py --replay 2026-11-02:2026-11-20 --report out     on the past
    qmt run-strategy THIS.py                                                 on paper, or live
"""

symbols = ["600000.SH"]
period = "1m"
timers = {"before_close": "14:55"}
params = {"volume": 100}


def on_start(ctx):
    """Once, before anything else. History is for warming up; it never trades."""
    ctx.log("start", ctx.params)


def on_bar_close(ctx, bar):
    """Once, when a bar is complete."""


def on_tick(ctx, tick):
    """At every snapshot."""


def on_timer(ctx, name):
    """When a timer goes off."""
    if name == "before_close":
        ctx.target("600000.SH", volume=ctx.params["volume"])


def on_order(ctx, order):
    """When one of this strategy's own orders has changed."""


def on_trade(ctx, trade):
    """At each of its own trades."""


def on_link(ctx, what):
    """``lost`` and ``back``: the terminal; ``stale`` and ``fresh``: the quotes."""


def on_stop(ctx):
    """Before it ends."""
'''
