"""Which backend a process trades on: the only place where the paper exchange and the vendor's package meet."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from qmtcli.config import Profile, state_dir
from qmtcli.errors import ConfigError

if TYPE_CHECKING:
    from qmtcli.ledger import Ledger
    from qmtcli.model import Order
    from qmtcli.paper.exchange import Exchange
    from qmtcli.paper.past import Past
    from qmtcli.paper.rows import Rows
    from qmtcli.paper.settings import Settings
    from qmtcli.xt.copies import Copy
    from qmtcli.xt.session import Session

#: told of the path of a file, now and then, while it is read, and of None afterwards
Watch: TypeAlias = "Callable[[Path | None], None]"

#: the vendor's class of native client, by its module
_CLIENTS = {"xtquant.xtpythonclient": "XtQuantAsyncClient", "xtquant.datacenter": "IPythonApiClient"}
#: the file of imported trading days in the state folder
_CALENDAR = "trading_days.txt"


def calendar_file(env: Mapping[str, str]) -> Path:
    """Where imported trading days are kept, whether there are any or not."""
    return Path(state_dir(env)).absolute() / _CALENDAR


def slots_folder(env: Mapping[str, str]) -> Path:
    """Where the session ids of live terminals are kept, see `qmtcli.xt.slots`."""
    return Path(state_dir(env)).absolute() / "slots"


def halt_file(env: Mapping[str, str]) -> Path:
    """The emergency stop of all profiles, see `qmtcli.halt`."""
    return Path(state_dir(env)).absolute() / "halt.json"


def ledger_file(profile: Profile, env: Mapping[str, str]) -> Path:
    """The ledger of a profile's account, whether there is one yet or not; profiles of one live account share it."""
    whose = profile.account if profile.account_type == "STOCK" else f"{profile.account}-{profile.account_type.lower()}"
    home = "live" if profile.live else f"paper-{profile.name}"
    return Path(state_dir(env)).absolute() / "ledger" / home / f"{whose}.sqlite"


def open_ledger(profile: Profile, env: Mapping[str, str], at: Callable[[], float] | None = None) -> Ledger:
    """The ledger of a profile's account; ``at`` as `Ledger`, by default the profile's clock. Raises ConfigError."""
    from qmtcli.ledger import Ledger

    return Ledger(ledger_file(profile, env), env, at or (lambda: now(profile, env)))


def supply_calendar(env: Mapping[str, str]) -> None:
    """Have the calendar go on by the days imported, if any; the file is read when a day is asked for."""
    from qmtcli.rules import calendar
    from qmtcli.text import read_file

    path = calendar_file(env)
    calendar.supply(str(path) if path.exists() else "", read_file)


def paper_settings(profile: Profile, env: Mapping[str, str]) -> Settings:
    """The run that a paper profile describes. Raises ConfigError for a clock that is no time or a script of faults
    that is none."""
    from qmtcli.paper.clock import Clock
    from qmtcli.paper.settings import Settings
    from qmtcli.rules.settings import write

    if profile.market == "xtdata":
        raise ConfigError("market_not_served", market=profile.market)
    clock = env.get("QMT_PAPER_CLOCK", "")
    started = Clock().now_ms()
    try:
        Clock(clock, started).now_ms()
    except (ValueError, OSError) as error:
        raise ConfigError("bad_clock", text=clock, why=str(error)) from error
    if clock.startswith("@"):
        clock = f"@{Path(clock[1:]).absolute()}"  # children may stand in another folder
    return Settings(
        home=str(Path(state_dir(env)).absolute() / "paper" / profile.name),
        account=profile.account,
        accounts=list(profile.accounts),
        account_type=profile.account_type,
        market=profile.market,
        hours=profile.hours,
        clock=clock,
        clock_started=started,
        cash=profile.cash,
        fees={name: write(value) for name, value in profile.fees.items()},
        rules={name: write(value) for name, value in profile.rules.items()},
        instruments=profile.instruments or "",
        calendar=str(imported) if (imported := calendar_file(env)).exists() else "",
        faults=_faults(env),
    )


def _faults(env: Mapping[str, str]) -> str:
    """The path of the script of faults, which is one; "" without it. Raises ConfigError."""
    if not env.get("QMT_PAPER_FAULTS"):
        return ""
    from qmtcli.paper.faults import read

    path = Path(env["QMT_PAPER_FAULTS"]).absolute()  # children may stand in another folder
    read(path)
    return str(path)


def now(profile: Profile, env: Mapping[str, str]) -> float:
    """Epoch seconds by the profile's clock: the machine's, or on paper what is set for it. Raises ConfigError."""
    import time

    if profile.live:
        return time.time()
    from qmtcli.paper.clock import Clock

    settings = paper_settings(profile, env)
    return Clock(settings.clock, settings.clock_started).now_ms() / 1000


def prepare(profile: Profile, env: Mapping[str, str], watch: Watch | None = None) -> None:
    """Make this process one that trades on the profile's backend, before any of the vendor's code is imported.

    ``watch`` is told of a tape's files while they are read for the first time, see `qmtcli.paper.folder`.
    Raises ConfigError when the account's file or its market cannot be used, when the installed xtquant is not the
    vendor's (what stands in its place might trade for real), and for a live profile within a paper run or with faults.
    """
    if profile.live:
        from qmtcli.paper import mount

        if env.get("QMT_PAPER_FAULTS"):
            raise ConfigError("faults_on_live", profile=profile.name)
        if mount.mounted():
            raise ConfigError("live_within_paper", profile=profile.name)
        return
    take_paper(paper_settings(profile, env))
    if watch is not None and profile.market != "sample":
        from qmtcli.paper import folder

        folder.watch = watch
    open_exchange()


def take_paper(settings: Settings) -> None:
    """Put the paper exchange under the vendor's code of this process and its children. Raises ConfigError."""
    from qmtcli.paper import mount, proof

    try:
        mount.mount(settings)
    except proof.NotProved as error:
        if error.path is None:
            raise ConfigError("no_xtquant", why=str(error)) from error
        raise ConfigError("paper_not_proved", file=error.path) from error
    except RuntimeError as error:
        raise ConfigError("too_late_for_paper", why=str(error)) from error


def open_exchange() -> Exchange:
    """The exchange of the paper run that `prepare` made this process. Raises ConfigError."""
    from qmtcli.paper.exchange import current

    return current()


def keep_children(profile: Profile) -> None:
    """Have every Python that a script of a paper run starts be on paper too, or not start."""
    if not profile.live:
        from qmtcli.paper.mount import keep_children

        keep_children()


def package(profile: Profile) -> Copy:
    """The copy of the vendor's package that a live profile runs. Raises ConfigError where there is none."""
    from qmtcli.xt import copies

    return copies.choose(profile.module_path or "", profile.path or "")


def package_change(profile: Profile, env: Mapping[str, str]) -> tuple[str, str] | None:
    """(what passed, what is there) when a live profile's package is not the one of its last passed login-check.

    What is there at the first live write is taken as it is. Raises ConfigError for a state folder that cannot be used.
    """
    from qmtcli.xt import copies

    found = package(profile)
    record = _passed(profile, env)
    try:
        before = copies.change(found, record)
    except OSError as error:
        raise ConfigError("state_unusable", path=str(record), why=error.strerror or str(error)) from error
    return (before, str(found)) if before else None


def accept_package(profile: Profile, env: Mapping[str, str]) -> None:
    """A live profile's package has passed its login-check. Raises ConfigError as `package_change`."""
    from qmtcli.xt import copies

    record = _passed(profile, env)
    try:
        copies.accept(package(profile), record)
    except OSError as error:
        raise ConfigError("state_unusable", path=str(record), why=error.strerror or str(error)) from error


def package_differences() -> list[str]:
    """What the vendor's package in use lacks of the interface that qmt was made for. Raises ConfigError."""
    from qmtcli.paper import native_tables as known
    from qmtcli.xt import loader

    records = {
        name: [each.lstrip("!") for field in text.split(";") for each in field.split()[1:]]
        for name, text in known.RECORDS.items()
    }
    return loader.differences({
        "xtpythonclient": {**records, "XtQuantAsyncClient": [*known.CLIENT_METHODS, *known.CALLBACKS]},
        "datacenter": {"": known.MARKET_FUNCTIONS, "IPythonApiClient": known.MARKET_METHODS},
    })  # fmt: skip


def _passed(profile: Profile, env: Mapping[str, str]) -> Path:
    return Path(state_dir(env)).absolute() / "packages" / profile.name


def open_past(
    profile: Profile, env: Mapping[str, str], folder: Path, first: date, indexes: Path | None = None
) -> tuple[Session, Callable[[Sequence[str], date, date], Past]]:
    """A session on the past, an account of its own in a folder on the exchange of the profile, and what makes it play.

    That takes codes and the days from first to last, of which their bars are shown where there are no ticks.
    ``indexes``: where those of the tapes are kept, by default where the profile has them. Raises ConfigError.
    """
    from qmtcli.paper import past

    replayed = profile._replace(hours="exchange", wait_ready=0.0)
    ours = {**env, "QMT_STATE": str(folder), "QMT_PAPER_CLOCK": f"{first.isoformat()}T00:00:00"}
    ours.pop("QMT_PAPER_FAULTS", None)
    kept = indexes or paper_settings(profile, env).indexes
    prepare_past = past.settings(paper_settings(replayed, ours), calendar_file(env), kept)
    take_paper(prepare_past)
    return _paper_session(replayed), partial(past.Past, open_exchange())


def _paper_rows(exchange: Exchange) -> Rows:
    from qmtcli.paper.codes import ACCOUNT_TYPES
    from qmtcli.paper.rows import Rows

    return Rows(exchange.settings.account, ACCOUNT_TYPES[exchange.settings.account_type])


def open_session(profile: Profile, env: Mapping[str, str], watch: Watch | None = None, shared: bool = False) -> Session:
    """A session on the profile's backend; nothing is connected yet. ``watch`` as in `prepare`. Raises ConfigError.

    ``shared``: a script is in this process too, whose requests to the data service keep the vendor's own limit.
    """
    prepare(profile, env, watch)
    if profile.live:
        from qmtcli.xt import loader, slots
        from qmtcli.xt.session import Session

        assert profile.path is not None
        loader.load(package(profile))
        folder = slots_folder(env)
        take = partial(slots.take, folder, profile.path)
        state = None if shared else folder
        return Session(profile.path, take, profile.account, profile.account_type, profile.timeout, state=state)
    return _paper_session(profile)


def _paper_session(profile: Profile) -> Session:
    from qmtcli.xt import loader, rows
    from qmtcli.xt.link import Slot
    from qmtcli.xt.session import Session

    loader.load()

    def prove(client: object, module: str) -> None:
        loader.prove_client(client, module, _CLIENTS[module])

    exchange = open_exchange()

    def past(client_id: str, day: str) -> Order | None:
        found = exchange.last_of(client_id, date.fromisoformat(day))
        return None if found is None else rows.order(_paper_rows(exchange).order(found))

    # a process has the ids that are its own number, however often it comes back
    numbers = count(os.getpid(), 1 << 22)
    return Session(
        "paper",
        lambda seconds=0.0: Slot(next(numbers), lambda connected: None),
        profile.account,
        profile.account_type,
        profile.timeout,
        prove,
        synthetic=exchange.feed.tape.synthetic,
        now=lambda: exchange.feed.now_ms() / 1000,
        today=exchange.today,
        stands=exchange.knows,
        past=past,
    )
