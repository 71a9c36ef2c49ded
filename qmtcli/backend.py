"""Which backend a process trades on: the only place where the paper exchange and the vendor's package meet."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from qmtcli.config import Profile, state_dir
from qmtcli.errors import ConfigError

if TYPE_CHECKING:
    from qmtcli.paper.settings import Settings
    from qmtcli.xt.session import Session

#: the vendor's class of native client, by its module
_CLIENTS = {"xtquant.xtpythonclient": "XtQuantAsyncClient", "xtquant.datacenter": "IPythonApiClient"}
#: names of the fee schedule by the keys of a profile's ``fees``
_FEES = {"commission": "rate", "minimum": "minimum"}


def paper_settings(profile: Profile, env: Mapping[str, str]) -> Settings:
    """The run that a paper profile describes. Raises ConfigError for a clock that is no time."""
    from qmtcli.paper.clock import Clock
    from qmtcli.paper.settings import Settings

    if profile.market == "xtdata":
        raise ConfigError("market_not_served", market=profile.market)
    clock = env.get("QMT_PAPER_CLOCK", "")
    started = Clock().now_ms()
    try:
        Clock(clock, started).now_ms()
    except (ValueError, OSError) as error:
        raise ConfigError("bad_clock", text=clock, why=str(error)) from error
    return Settings(
        home=str(Path(state_dir(env)).absolute() / "paper" / profile.name),
        account=profile.account,
        market=profile.market,
        hours=profile.hours,
        clock=clock,
        clock_started=started,
        cash=profile.cash,
        fees={_FEES[name]: str(value) for name, value in profile.fees.items()},
    )


def prepare(profile: Profile, env: Mapping[str, str]) -> None:
    """Make this process one that trades on the profile's backend, before any of the vendor's code is imported.

    Raises ConfigError when the account's file or its market cannot be used, or when the installed xtquant is not
    the vendor's: what stands in its place might trade for real.
    """
    if profile.live:
        return
    from qmtcli.paper.exchange import current
    from qmtcli.paper.mount import mount
    from qmtcli.xt.loader import prove_package

    settings = paper_settings(profile, env)
    try:
        mount(settings)
    except RuntimeError as error:
        raise ConfigError("too_late_for_paper", why=str(error)) from error
    prove_package()
    current()


def open_session(profile: Profile, env: Mapping[str, str]) -> Session:
    """A session on the profile's backend; nothing is connected yet. Raises ConfigError."""
    from qmtcli.xt import loader, slots
    from qmtcli.xt.session import Session

    prepare(profile, env)
    if profile.live:
        assert profile.path is not None
        loader.load(profile.module_path or "")
        slot = slots.take(Path(state_dir(env)) / "slots", profile.path)
        return Session(
            profile.path, slot.session_id, profile.account, profile.account_type, profile.timeout, on_close=slot.release
        )
    loader.load()

    def prove(client: object, module: str) -> None:
        loader.prove_client(client, module, _CLIENTS[module])

    from qmtcli.paper.exchange import current

    return Session(
        "paper",
        os.getpid(),
        profile.account,
        profile.account_type,
        profile.timeout,
        prove,
        synthetic=current().feed.tape.synthetic,
        now=lambda: current().feed.now_ms() / 1000,
    )
