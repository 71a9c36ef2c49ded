"""What ``login-check`` looks at, in order, each with what was seen and what to do about it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

from qmtcli.errors import ConfigError, NoData, NotConnected, QmtError
from qmtcli.messages import error_text, say
from qmtcli.model import Quote
from qmtcli.xt import codes, copies, discover, loader, machine, slots
from qmtcli.xt.copies import Copy
from qmtcli.xt.session import Session

#: bytes of the queue file that a session id leaves, and what a disk should have left
QUEUE_FILE = 75_497_752
_LOW_DISK = 1_000_000_000
#: queue files that are too many
_MANY_FILES = 32
#: seconds that the machine may be apart from a tick of trading hours
_APART = 60.0
_SHANGHAI = timezone(timedelta(hours=8))


class Check(NamedTuple):
    """One line of the report. ``result`` is ``ok``, ``warn``, ``fail`` or ``skipped``."""

    check: str
    result: str
    seen: str
    #: what went wrong, for the words and the status; None when nothing did
    error: QmtError | None = None
    #: what to do, where it is more than the error's own hint
    fix: str = ""


class Plan(NamedTuple):
    """What there is to check."""

    #: opens the session's backend; raises when module or configuration do not allow it
    open_session: Callable[[], Session]
    live: bool
    path: str
    account: str
    quote_code: str
    module_path: str
    #: what the package that was loaded lacks of the vendor's interface
    differences: Callable[[], list[str]]
    #: where the session ids of terminals are kept
    slots: Path
    #: whether the exchanges trade on the day of a moment in Shanghai; raises ConfigError past the calendar's end
    is_trading_day: Callable[[datetime], bool]
    #: whether they trade continuously at that moment; raises as it
    is_trading: Callable[[datetime], bool]


class _Warned(Exception):
    """Something is to be known, and what stands on it can go on."""

    def __init__(self, error: QmtError) -> None:
        super().__init__(error)
        self.error = error


class _Skipped(Exception):
    """There is nothing to look at here."""


def checks(plan: Plan) -> Iterator[Check]:
    """Every check, in order; what stands on a failed one is skipped."""
    doctor = _Doctor(plan)
    results: dict[str, str] = {}
    for name, needs, look, only_live in _STEPS:
        if only_live and not plan.live:
            continue
        if any(results.get(need) in ("fail", "skipped") for need in needs):
            check = Check(name, "skipped", "")
        else:
            check = _looked(name, lambda look=look: look(doctor))  # type: ignore[misc]
        if check.error is not None and check.error.code == "connect_failed":
            check = check._replace(fix="; ".join(_causes(results)))
        results[name] = check.result
        yield check


def _looked(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, "ok", look())
    except _Skipped as why:
        return Check(name, "skipped", str(why))
    except _Warned as warned:
        return Check(name, "warn", "", warned.error)
    except QmtError as error:
        return Check(name, "fail", "", error)


def _causes(results: dict[str, str]) -> list[str]:
    """Why a terminal does not answer, likeliest first: what was seen before what happens most (vendor's FAQ)."""
    causes = [
        ("terminal", say("终端未以极简模式 (独立交易) 登录", "the terminal is not logged in in minimal mode")),
        ("folder", say("path 不是这个终端的", "the path is another terminal's")),
        ("administrator", say("终端在 C 盘而未以管理员运行", "it is on C: and nobody is an administrator")),
        ("writable", say("文件夹不可写", "the folder cannot be written")),
        ("permission", say("账号未开通接口权限, 问券商", "the account has no API permission: ask the broker")),
        ("session", say("会话编号 3 秒内用过", "the session id was used within three seconds")),
    ]
    return [cause for _, cause in sorted(causes, key=lambda cause: results.get(cause[0]) != "warn")]


class _Doctor:
    """Looks at one thing after another, and keeps what the next ones need."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.folder = Path(plan.path)
        self._session: Session | None = None
        self._quote: Quote | None = None

    @property
    def session(self) -> Session:
        """What `module` opened."""
        assert self._session is not None
        return self._session

    # -- this machine ----------------------------------------------------------------------------------

    def configuration(self) -> str:
        return f"{say('实盘', 'live') if self.plan.live else say('模拟', 'paper')} {self.plan.account}"

    def _copy(self) -> Copy:
        plan = self.plan
        return copies.choose(plan.module_path, plan.path) if plan.live else copies.choose()

    def python(self) -> str:
        """That this Python can trade live; on paper it need not, which is told where it could: on Windows."""
        wrong = copies.misfit(self._copy())
        if wrong is None or not (self.plan.live or sys.platform == "win32"):
            return copies.this_python()
        raise wrong if self.plan.live else _Warned(wrong)

    def userdata(self) -> str:
        """The terminal's folder, looked at and never made: the vendor would create a missing one."""
        path, name = self.folder, self.folder.name.lower()
        if not path.is_dir():
            raise ConfigError("no_folder", path=str(path))
        if name == discover.MINIMAL:
            return str(path)
        for better in (path / discover.MINIMAL, path.parent / discover.MINIMAL):
            if better.is_dir():
                raise ConfigError("not_userdata_mini", path=str(path), better=str(better))
        if name == discover.FULL:
            raise ConfigError("no_minimal_mode", path=str(path))
        raise ConfigError("not_userdata_mini", path=str(path), better=discover.MINIMAL)

    def writable(self) -> str:
        if why := machine.why_not_written(self.folder):
            raise ConfigError("folder_not_written", path=str(self.folder), why=why)
        return say("可写", "can be written")

    def administrator(self) -> str:
        administrator = machine.is_administrator()
        if administrator is None:
            raise _Skipped(say("此系统无此权限", "no such rights on this system"))
        if self.folder.drive.upper() == "C:" and not administrator:
            raise _Warned(ConfigError("not_administrator", path=str(self.folder)))
        return say("管理员", "administrator") if administrator else self.folder.drive

    def disk(self) -> str:
        disk = machine.disk(self.folder)
        if disk is None:
            raise _Skipped(say("问不到", "cannot be asked for"))
        sizes = [file.stat().st_size for file in self.folder.glob("down_queue_*")]
        told = {"free": _size(disk.free), "count": len(sizes), "size": _size(sum(sizes))}
        if disk.free < QUEUE_FILE:
            raise ConfigError("disk_full", **told)
        if disk.free < _LOW_DISK or len(sizes) > _MANY_FILES:
            raise _Warned(ConfigError("disk_low", **told))
        free, count, size = told.values()
        return say(f"剩余 {free}; 队列文件 {count} 个, {size}", f"{free} free; {count} queue files, {size}")

    def permission(self) -> str:
        self._hold_native()
        if not (self.folder / "up_queue_xtquant").exists():
            raise _Warned(ConfigError("no_up_queue", path=str(self.folder)))
        return "up_queue_xtquant"

    def terminal(self) -> str:
        self._hold_native()
        processes = machine.processes()
        if processes is None:
            raise _Skipped(say("此系统上没有终端", "no terminal runs on this system"))
        if discover.is_running(processes, self.folder):
            return say("极简模式在运行", "runs in minimal mode")
        raise _Warned(ConfigError("terminal_not_running", path=str(self.folder)))

    def _hold_native(self) -> None:
        if not self._copy().native:
            raise _Skipped(say("这个 xtquant 不用终端的队列", "this xtquant does not use a terminal's queues"))

    # -- the link --------------------------------------------------------------------------------------

    def module(self) -> str:
        """The copy that runs, which has been loaded by now."""
        self._session = self.plan.open_session()
        loader.trader_module()
        if not self.plan.live:
            return str(getattr(loader.load(), "__version__", "?"))
        copy = self._copy()
        return f"{copy}, {copy.source}: {copy.folder}"

    def interface(self) -> str:
        if missing := self.plan.differences():
            raise _Warned(ConfigError("package_differs", missing=missing))
        return say("与 qmt 所知的一致", "as qmt knows it")

    def session_id(self) -> str:
        states = [use.state for use in slots.uses(self.plan.slots, self.plan.path)]
        if states.count("in_use") == slots.SIZE:
            raise _Warned(NotConnected("no_free_session", count=slots.SIZE))
        used = states.count("in_use")
        return say(f"{slots.SIZE} 个中 {used} 个在使用", f"{used} of {slots.SIZE} in use")

    def connect(self) -> str:
        self.session.connect()
        return say("已连接", "connected")

    def accounts(self) -> str:
        return ", ".join(self.session.accounts())

    def status(self) -> str:
        self.session.hold_account()
        status = self.session.account_status()
        return say("终端未告知", "not told") if status is None else say(*codes.ACCOUNT_STATUS[status])

    def subscribe(self) -> str:
        self.session.subscribe()
        return say("已订阅", "subscribed")

    def asset(self) -> str:
        return f"{self.session.asset().total_asset:,.2f}"

    # -- the market ------------------------------------------------------------------------------------

    def data(self) -> str:
        return self.session.data_address() or say("已连接", "connected")

    def tick(self) -> str:
        code = self.plan.quote_code
        try:
            quote = self._quote = self.session.quotes([code])[0]
        except NotConnected as error:
            # the service is there: `data` has just talked to it
            raise NoData(
                "service_without_data", codes=[code], why=error_text(error.code, error.params, "en")[0]
            ) from error
        if not quote.last_price:
            raise NoData("no_quote", codes=[code])
        age = self.session.now() - quote.tick_time / 1000
        return f"{code} {quote.last_price:g}, " + say(f"{age:.0f} 秒前", f"{age:.0f} s old")

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self.session.now() if self._session else time.time(), _SHANGHAI)

    def clock(self) -> str:
        """That the machine's clock and the tick's time are of one moment, where ticks are of now."""
        assert self._quote is not None
        try:
            if not self.plan.is_trading(self._moment()):
                raise _Skipped(say("非交易时间", "outside trading hours"))
        except ConfigError as error:
            raise _Warned(error) from error
        apart = self.session.now() - self._quote.tick_time / 1000
        if abs(apart) > _APART:
            raise _Warned(NoData("clock_apart", seconds=round(apart)))
        return f"{apart:+.1f} s"

    def day(self) -> str:
        moment = self._moment()
        try:
            trades = self.plan.is_trading_day(moment)
        except ConfigError as error:
            raise _Warned(error) from error
        day = moment.date().isoformat()
        return f"{day}, " + (say("交易日", "a trading day") if trades else say("休市", "no trading day"))


def _size(count: int) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"


#: name, the checks it stands on, how it looks, whether it is of a live profile only
_STEPS: tuple[tuple[str, tuple[str, ...], Callable[[_Doctor], str], bool], ...] = (
    ("configuration", (), _Doctor.configuration, False),
    ("python", (), _Doctor.python, False),
    ("folder", (), _Doctor.userdata, True),
    ("writable", ("folder",), _Doctor.writable, True),
    ("administrator", ("folder",), _Doctor.administrator, True),
    ("disk", ("folder",), _Doctor.disk, True),
    ("permission", ("folder",), _Doctor.permission, True),
    ("terminal", ("folder",), _Doctor.terminal, True),
    ("module", ("python", "folder"), _Doctor.module, False),
    ("interface", ("module",), _Doctor.interface, False),
    ("session", ("folder",), _Doctor.session_id, True),
    ("connect", ("module", "writable", "disk"), _Doctor.connect, False),
    ("accounts", ("connect",), _Doctor.accounts, False),
    ("status", ("accounts",), _Doctor.status, False),
    ("subscribe", ("status",), _Doctor.subscribe, False),
    ("asset", ("status",), _Doctor.asset, False),
    # data has a service of its own: it can be there when the trading link is not
    ("data", ("module",), _Doctor.data, False),
    ("tick", ("data",), _Doctor.tick, False),
    ("clock", ("tick",), _Doctor.clock, True),
    ("trading_day", (), _Doctor.day, True),
)
