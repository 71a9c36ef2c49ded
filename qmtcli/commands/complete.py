"""What the shell is offered for a word being typed; how it asks is in `shells`.

Nothing here connects, creates a file or fails: what cannot be known is not offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from qmtcli.errors import QmtError

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from qmtcli.config import Config
    from qmtcli.paper.settings import Settings

#: what ``shell_complete=`` takes
Completer: TypeAlias = "Callable[[click.Context, click.Parameter, str], list[CompletionItem]]"


def one_of(*values: str) -> Completer:
    """These very words."""
    return lambda ctx, parameter, incomplete: _items(((value, "") for value in values), incomplete)


def files(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files, which the shell itself finds."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def profiles(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Profiles, each with its mode."""
    config = _config(ctx)
    found = config.profiles.values() if config else ()
    return _items(((profile.name, ctx.obj.console.word(profile.mode)) for profile in found), incomplete)


def accounts(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The accounts of the profile in use."""
    config = _config(ctx, "profile")
    if config is None:
        return []
    profile = config.profile()
    return _items(((account, "") for account in (profile.account, *profile.accounts)), incomplete)


def codes(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Codes of the paper market, each with its name; none on a live profile, whose market only a terminal knows."""
    settings = _paper(ctx)
    if settings is None:
        return []
    from qmtcli.paper.exchange import open_tape

    try:
        tape = open_tape(settings)
        held = [code for code in tape.codes() if code.startswith(incomplete.upper())]
        instruments = [(code, tape.instrument(code)) for code in held]
    except QmtError:
        return []
    return _items(((code, known.name if known else "") for code, known in instruments), "")


def client_ids(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Client ids of the ledger's last day, each with its code and state."""
    rows = _ledger(ctx, "SELECT client_id, stock_code, state FROM entries WHERE day = (SELECT max(day) FROM entries)")
    return _items(((client_id, f"{code} {state}") for client_id, code, state in rows), incomplete)


def strategies(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Strategies that the ledger knows."""
    rows = _ledger(ctx, "SELECT strategy_name FROM entries UNION SELECT strategy_name FROM adjustments")
    return _items(((name, "") for (name,) in rows if name), incomplete)


def _ledger(ctx: click.Context, sql: str) -> list[tuple[str, ...]]:
    """What the ledger of the profile in use says; nothing where there is none, or it cannot be read."""
    import sqlite3
    from contextlib import closing

    from qmtcli.backend import ledger_file

    config = _config(ctx, "profile", "account")
    if config is None:
        return []
    file = ledger_file(config.profile(), ctx.obj.console.env)
    if not file.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=0.2)) as ledger:
            return ledger.execute(sql).fetchall()
    except sqlite3.Error:
        return []


def order_ids(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Orders of the paper account's day as its last command left them, only the open ones where those are wanted."""
    from qmtcli.messages import say
    from qmtcli.paper.codes import BUY, OPEN

    settings = _paper(ctx)
    rows = _day_orders(settings.account_file) if settings else []
    open_only = ctx.command.name == "cancel" or ctx.params.get("open_only")
    found = []
    for order_id, status, kind, code, name, volume, milli in rows:
        if status in OPEN or not open_only:
            side = say("买入", "buy") if kind == BUY else say("卖出", "sell")
            at = f" @ {milli / 1000:g}" if milli else ""
            found.append((str(order_id), f"{side} {code} {name} {volume}{at}"))
    return _items(found, incomplete)


def _day_orders(account_file: Path) -> list[tuple[Any, ...]]:
    """Rows of the account's day, none where there is no account; what is on disk stays as it is."""
    if not account_file.is_file():
        return []
    import sqlite3
    from contextlib import closing

    # beside a file that nobody has open even a reader would leave a log, unless it takes the file for immutable
    shared = account_file.with_name(f"{account_file.name}-wal").exists()
    address = f"{account_file.as_uri()}?{'mode=ro' if shared else 'immutable=1'}"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=0.2)) as connection:
            return connection.execute(
                "SELECT id, status, type, code, name, volume, price FROM orders"
                " WHERE day = (SELECT day FROM account) ORDER BY id"
            ).fetchall()
    except sqlite3.Error:
        return []


def market_kinds(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Market order types: those of the code's exchange once the code is typed."""
    from qmtcli.rules import order_types
    from qmtcli.symbols import parse_code

    # click gives up at an option without its value, before it has told arguments apart
    typed = [ctx.params.get("code"), *ctx.args]
    try:
        names = order_types.market_kinds(parse_code(next(filter(None, typed), ""))[-2:])
    except QmtError:
        names = [kind.name for kind in order_types.KINDS]
    return _items(((name, "") for name in names), incomplete)


def _items(found: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    """The words that begin as typed, each with what the shell may say of it."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(word, help=text or None) for word, text in found if word.startswith(incomplete)]


def _config(ctx: click.Context, *flags: str) -> Config | None:
    """The configuration as these of the flags typed so far make it, None when it is broken."""
    from pathlib import Path

    from qmtcli.config import load

    try:
        return load({name: ctx.obj.flags.get(name) for name in flags}, ctx.obj.console.env, Path.cwd())
    except (QmtError, OSError):
        return None


def _paper(ctx: click.Context) -> Settings | None:
    """The run of the paper profile in use; None when a live one is, or the configuration is broken."""
    from qmtcli.backend import paper_settings

    config = _config(ctx, "profile", "account")
    if config is None or config.profile().live:
        return None
    try:
        return paper_settings(config.profile(), ctx.obj.console.env)
    except QmtError:
        return None
