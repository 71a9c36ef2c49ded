"""What ``login-check`` looks at, in order, each with what was seen and what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from qmtcli.errors import ConfigError, NoData, NotConnected, QmtError
from qmtcli.messages import say
from qmtcli.xt import codes, copies, loader
from qmtcli.xt.copies import Copy
from qmtcli.xt.session import Session


class Check(NamedTuple):
    """One line of the report. ``result`` is ``ok``, ``warn``, ``fail`` or ``skipped``."""

    check: str
    result: str
    seen: str
    #: what went wrong, for the words and the status; None when nothing did
    error: QmtError | None = None


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


def checks(plan: Plan) -> Iterator[Check]:
    """Every check, in order; what stands on a failed one is skipped."""
    yield Check("configuration", "ok", f"{say('实盘', 'live') if plan.live else say('模拟', 'paper')} {plan.account}")
    blocked = False
    steps: list[tuple[str, Callable[[], str]]] = []
    if plan.live:
        steps.append(("folder", lambda: _folder(Path(plan.path))))
    session: list[Session] = []

    def module() -> str:
        session.append(plan.open_session())
        return _module(plan)

    steps += [
        ("python", lambda: _python(plan)),
        ("module", module),
        ("interface", lambda: _interface(plan)),
        ("connect", lambda: _connect(session[0])),
        ("account", lambda: _account(session[0])),
        ("asset", lambda: f"{session[0].asset().total_asset:,.2f}"),
    ]
    for name, step in steps:
        if blocked:
            yield Check(name, "skipped", "")
            continue
        try:
            yield Check(name, "ok", step())
        except _Warned as warned:
            yield Check(name, "warn", "", warned.error)
        except QmtError as error:
            blocked = True
            yield Check(name, "fail", "", error)
    if not session:
        yield Check("quote", "skipped", "")
        return
    # data has a service of its own: it can be there when the trading link is not
    try:
        yield Check("quote", "ok", _quote(session[0], plan.quote_code))
    except QmtError as error:
        yield Check("quote", "fail", "", error)


class _Warned(Exception):
    """Something is to be known, and what stands on it can go on."""

    def __init__(self, error: QmtError) -> None:
        super().__init__(error)
        self.error = error


def _copy(plan: Plan) -> Copy:
    return copies.choose(plan.module_path, plan.path) if plan.live else copies.choose()


def _python(plan: Plan) -> str:
    """That this Python can trade live; on paper it need not, which is told where it could: on Windows."""
    wrong = copies.misfit(_copy(plan))
    if wrong is None or not (plan.live or sys.platform == "win32"):
        return copies.this_python()
    raise wrong if plan.live else _Warned(wrong)


def _module(plan: Plan) -> str:
    """The copy that runs, which has been loaded by now."""
    loader.trader_module()
    if not plan.live:
        return str(getattr(loader.load(), "__version__", "?"))
    copy = _copy(plan)
    return f"{copy}, {copy.source}: {copy.folder}"


def _interface(plan: Plan) -> str:
    if missing := plan.differences():
        raise _Warned(ConfigError("package_differs", missing=missing))
    return say("与 qmt 所知的一致", "as qmt knows it")


def _folder(path: Path) -> str:
    """The terminal's folder, looked at and never made: the vendor would create a missing one."""
    if not path.is_dir():
        raise ConfigError("no_folder", path=str(path))
    if path.name.lower() != "userdata_mini":
        raise ConfigError("not_userdata_mini", path=str(path))
    return str(path)


def _connect(session: Session) -> str:
    session.connect()
    return say("已连接", "connected")


def _account(session: Session) -> str:
    known = [account for account, _ in session.accounts()]
    if session.account_id not in known:
        raise NotConnected("account_not_found", account_id=session.account_id, known=known)
    status = session.account_status()
    if status not in (0, 6):
        words = codes.ACCOUNT_STATUS.get(-1 if status is None else status, (str(status), str(status)))
        raise NotConnected("account_not_ready", account_id=session.account_id, status=status, word=say(*words))
    with suppress(NotConnected):
        session.subscribe()
    return f"{session.account_id} {say(*codes.ACCOUNT_STATUS[status])}"


def _quote(session: Session, code: str) -> str:
    quote = session.quotes([code])[0]
    if not quote.last_price:
        raise NoData("no_quote", codes=[code])
    age = session.now() - quote.tick_time / 1000
    return f"{code} {quote.last_price:g}, " + say(f"{age:.0f} 秒前", f"{age:.0f} s old")
