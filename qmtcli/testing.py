"""A paper terminal for tests, of qmt itself and of programs that trade through xtquant.

    # conftest.py
    pytest_plugins = ["qmtcli.testing"]

puts the paper exchange under the vendor's code before any test imports it, and gives every test that asks for it the
fixture `paper`: a terminal of its own in a temporary folder, with the clock, the market, the faults and the days in the
test's hand. What the test starts (threads, ``subprocess``, ``multiprocessing``) is on the same terminal. A test that
does not ask for the fixture has no account to trade on. Without pytest, `Paper` is a context manager.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache, partialmethod
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qmtcli import backend, config
from qmtcli.model import CreditDetail
from qmtcli.paper import exchange, mount, proof
from qmtcli.paper.clock import SHANGHAI, parse
from qmtcli.paper.faults import rule_of
from qmtcli.paper.settings import Settings
from qmtcli.xt import loader, rows

if TYPE_CHECKING:
    from qmtcli.paper.exchange import Exchange

#: a Monday morning in continuous trading, on which a terminal's clock stands at first
OPENING = "2026-11-23T10:00:00"
#: the terminal's profile, for ``qmt`` in a test
PROFILE = "test"
#: seconds after which something that should have come has not
PATIENCE = 10.0

Levels = Sequence[tuple[float, int]]


def pytest_configure(config: pytest.Config) -> None:
    """Put the paper exchange under xtquant, before test modules import it."""
    try:
        mount.attach()
    except (RuntimeError, proof.NotProved) as error:
        raise pytest.UsageError(f"qmtcli.testing: {error}") from error
    loader.load()


@pytest.fixture
def paper(tmp_path: Path) -> Iterator[Paper]:
    """A paper terminal of this test's own."""
    with Paper(tmp_path / "paper") as terminal:
        yield terminal


class Paper:
    """A paper terminal in a folder; within it this process and its children trade on nothing else.

    One at a time. Its market is at first the generated one, its hours the exchange's, and its clock stands still.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: keys of its profile, as a configuration file has them
        self._profile: dict[str, Any] = {"hours": "exchange"}
        self.clock = Clock(self)
        self.market = Market(self)
        self.faults = Faults(folder / "faults.json")
        self.account = Account(self)
        self._environ: dict[str, str] = {}
        self._traders: list[Any] = []
        self._numbers = count(1)

    def __enter__(self) -> Paper:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._environ = dict(os.environ)
        for name in [name for name in os.environ if name.startswith("QMT_")]:
            del os.environ[name]
        os.environ.update(
            QMT_STATE=str(self.folder / "state"),
            QMT_CONFIG=str(self.folder / "config.yaml"),
            QMT_PROFILE=PROFILE,
            QMT_PAPER_CLOCK=f"@{self.folder / 'clock'}",
            QMT_PAPER_FAULTS=str(self.folder / "faults.json"),
        )
        asyncio.set_event_loop(_loop())
        self.clock.set(OPENING)
        self.faults.clear()
        self.use()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def use(self, **keys: Any) -> None:
        """Change keys of its profile, those of a configuration file: ``hours="always"``, ``cash=50_000``, ``fees={…}``.

        Sessions that are connected go on. ``cash`` is what a new account begins with: say it before the first order.
        Raises ConfigError.
        """
        self._profile.update(keys)
        text = json.dumps({"profiles": {PROFILE: self._profile}})  # which is YAML
        (self.folder / "config.yaml").write_text(text, encoding="utf-8")
        profile = config.load({}, os.environ, self.folder).profile()
        backend.take_paper(backend.paper_settings(profile, os.environ))
        loader.load()
        before = exchange.forget()
        for client in _clients() if before else ():
            client.move(exchange.current())
        for held in before:
            held.store.close()

    def close(self) -> None:
        """End every session, subscription and call that waits; the environment is as it was."""
        for client in _clients():
            client.let_go()
        for trader in self._traders:
            _within(PATIENCE, trader.stop)
        for client in _clients():
            client.leave()
        if "xtquant.xtdata" in sys.modules:
            sys.modules["xtquant.xtdata"].disconnect()
        for thread in threading.enumerate():
            if thread.name.startswith("paper-"):
                thread.join(PATIENCE)
        for held in exchange.forget():
            held.store.close()
        for trader in self._traders:
            trader.loop.close()
            if getattr(trader, "oldloop", _loop()) is not _loop():  # on Pythons that make none, it is `new_trader`'s
                trader.oldloop.close()
            trader.oldloop = _loop()  # which its end makes the current one
        asyncio.set_event_loop(_loop())
        self._traders.clear()
        os.environ.clear()
        os.environ.update(self._environ)
        mount.read_zone()

    # -- time ------------------------------------------------------------------------------------------

    def next_day(self) -> date:
        """Settle the day and begin the next trading day, at the same time of day; its date."""
        held = self._exchange()
        if held.feed.always:
            day = held.next_day()
            self.flush()
            return day
        from qmtcli.rules.calendar import next_trading_day

        now = self.clock.now
        day = next_trading_day(now.date())
        self.clock.set(datetime.combine(day, now.timetz()))
        return day

    def flush(self) -> None:
        """Have everything happen that is due by the clock, and everybody in this process told of it.

        The clock does it whenever it moves. Raises TimeoutError when a callback of a `trader` does not return.
        """
        self._exchange().refresh()
        for client in _clients():
            client.catch_up()
        for trader in self._traders:
            for executor in (trader.executor, trader.relaxed_resp_executor):
                _finish(executor)

    def _exchange(self) -> Exchange:
        return exchange.current()

    # -- sessions --------------------------------------------------------------------------------------

    @property
    def stock_account(self) -> Any:
        """The account, as the vendor's calls want it."""
        settings = Settings.from_environment()
        return loader.stock_account(settings.account, settings.account_type)

    def trader(self, callback: object = None, subscribe: bool = True) -> Any:
        """A trader of the vendor's, started and connected; its ``callback`` is a `Recorder`.

        What that hears goes on to ``callback``, when one is given. Raises ConnectionError when the terminal does not
        take it.
        """
        trader = loader.new_trader("userdata_mini", next(self._numbers))
        loader.prove_client(trader.async_client, "xtquant.xtpythonclient", "XtQuantAsyncClient")
        trader.register_callback(Recorder(callback))
        trader.start()
        self._traders.append(trader)
        if trader.connect() != 0 or (subscribe and trader.subscribe(self.stock_account) != 0):
            raise ConnectionError("the paper terminal took no session: see its faults")
        return trader

    def deposit(self, yuan: int | float | Decimal) -> None:
        """Pay money in, CNY. Raises UsageError for what is no amount of it."""
        self._exchange().deposit(round(yuan * 100))
        self.flush()

    def withdraw(self, yuan: int | float | Decimal) -> None:
        """Pay money out, CNY. Raises UsageError, and Refused for more than can be withdrawn."""
        self._exchange().withdraw(round(yuan * 100))
        self.flush()

    # -- other processes -------------------------------------------------------------------------------

    @property
    def env(self) -> dict[str, str]:
        """The environment of a process that is to be on this terminal."""
        return dict(os.environ)

    def run(self, *words: str, stdin: str = "", timeout: float = 60) -> Result:
        """Run ``qmt`` with these words on this terminal. Raises subprocess.TimeoutExpired."""
        return self.python("-m", "qmtcli", *words, stdin=stdin, timeout=timeout)

    def python(self, *words: str, stdin: str = "", timeout: float = 60) -> Result:
        """Run Python with these words on this terminal: ``paper.python("strategy.py", "--once")``."""
        done = subprocess.run(
            [sys.executable, *words],
            input=stdin.encode(),
            capture_output=True,
            env=self.env,
            timeout=timeout,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


class Clock:
    """What time it is on the terminal, here and in children. It stands until it is moved, and moving it is `flush`."""

    def __init__(self, terminal: Paper) -> None:
        self._terminal = terminal

    @property
    def now(self) -> datetime:
        """The time in Shanghai."""
        return datetime.fromisoformat(self._path.read_text(encoding="ascii"))

    def set(self, at: str | datetime) -> None:
        """To a moment, ``2026-11-25T10:00:00``, or to a time of the day it is, ``10:00:03.500``. Raises ValueError."""
        if isinstance(at, str) and "T" not in at:
            at = f"{self.now.date()}T{at}"
        text = at if isinstance(at, str) else at.isoformat()
        moment = datetime.fromtimestamp(parse(text) / 1000, SHANGHAI).isoformat(timespec="milliseconds")
        aside = self._path.with_name("clock.next")
        aside.write_text(moment, encoding="ascii")
        try:
            aside.replace(self._path)  # nobody reads half of it
        except PermissionError:  # Windows, where somebody is reading it
            self._path.write_text(moment, encoding="ascii")
        if exchange.current.cache_info().currsize:
            self._terminal.flush()

    def step(self, seconds: float = 0, **more: float) -> None:
        """Forward: ``step(3)``, ``step(minutes=5)``."""
        self.set(self.now + timedelta(seconds=seconds, **more))

    @property
    def _path(self) -> Path:
        return self._terminal.folder / "clock"


class Market:
    """A tape written by the test. With the first tick it is the terminal's market, in place of the generated one.

    Children see what was written before they first asked.
    """

    def __init__(self, terminal: Paper) -> None:
        self._terminal = terminal
        #: by code and day
        self._ticks: dict[tuple[str, date], list[dict[str, Any]]] = {}
        self._instruments: dict[str, dict[str, str]] = {}

    def instrument(self, code: str, **told: object) -> None:
        """What its code does not tell: ``name="…"``, ``st=True``, ``listed="2010-01-01"``, ``t0=True``."""
        self._instruments.setdefault(code, {}).update({name: str(value).lower() for name, value in told.items()})
        if self._ticks:
            self._show()

    def tick(
        self,
        code: str,
        last: float,
        *,
        bid: Levels | None = None,
        ask: Levels | None = None,
        at: str = "",
        volume: int | None = None,
        preclose: float | None = None,
        phase: int = 13,
    ) -> None:
        """One snapshot, after those before it: prices in CNY, level sizes and ``volume`` (of the day so far) in shares.

        ``at`` is a time of the clock's day or a moment, the clock's own without it. Levels, best first, and volume that
        are not given are as before; the close of the day before is at first the last price.
        """
        now = self._terminal.clock.now
        moment = datetime.fromisoformat(at if "T" in at else f"{now.date()}T{at}") if at else now.replace(tzinfo=None)
        ticks = self._ticks.setdefault((code, moment.date()), [])
        before = ticks[-1] if ticks else {}
        if volume is None:
            volume = before.get("pvolume", 0)
        traded = volume - before.get("pvolume", 0)
        row = {
            "time": moment.isoformat(timespec="milliseconds"),
            "lastPrice": last,
            "open": before.get("open", last),
            "high": max(last, before.get("high", last)),
            "low": min(last, before.get("low", last)),
            "lastClose": before.get("lastClose", last) if preclose is None else preclose,
            "pvolume": volume,
            "amount": round(before.get("amount", 0) + traded * last, 2),
            "openInt": phase,
            **_side("ask", ask, before),
            **_side("bid", bid, before),
        }
        ticks.append(row)
        self._instruments.setdefault(code, {})
        self._show()

    def folder(self, path: str | Path) -> None:
        """Play a folder of tapes instead. Raises ConfigError when it holds none."""
        self._terminal.use(market=str(Path(path).absolute()))

    def sample(self) -> None:
        """Play the generated market, as at first."""
        self._terminal.use(market="sample")

    def _show(self) -> None:
        folder = self._terminal.folder / "tapes"
        folder.mkdir(exist_ok=True)
        for (code, day), ticks in self._ticks.items():
            _write(folder / f"{code}_{day:%Y%m%d}_tick.csv", ticks)
        known = [{"code": code, "levels": "shares", **told} for code, told in self._instruments.items()]
        _write(folder / "instruments.csv", [{**dict.fromkeys(_TOLD, ""), **row} for row in known])
        self.folder(folder)


_TOLD = ("code", "levels", "name", "st", "listed", "t0", "band")


def _side(name: str, levels: Levels | None, before: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for number in range(1, 6):
        price, volume = f"{name}Price{number}", f"{name}Vol{number}"
        if levels is None:
            found[price], found[volume] = before.get(price, 0), before.get(volume, 0)
        else:
            found[price], found[volume] = levels[number - 1] if number <= len(levels) else (0, 0)
    return found


def _write(path: Path, table: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)


class Fault:
    """One rule of the script, to say more of."""

    def __init__(self, script: Faults, place: int) -> None:
        self._script = script
        self._place = place

    def once(self) -> Fault:
        """The first time only."""
        return self.times(1)

    def times(self, number: int) -> Fault:
        """The first so many times."""
        return self._but(first=number)

    def nth(self, number: int) -> Fault:
        """That time only, from 1."""
        return self._but(nth=number)

    def every(self, number: int) -> Fault:
        """Each so manieth time."""
        return self._but(every=number)

    def shared(self) -> Fault:
        """All processes count together."""
        return self._but(shared=True)

    def _but(self, **changes: object) -> Fault:
        self._script.change(self._place, **changes)
        return self


class Faults:
    """The script of what goes wrong, in force at once and in every process; `qmtcli.paper.faults` has the outcomes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rules: list[dict[str, object]] = []
        self._numbers = count(1)

    def on(self, call: str, outcome: str, **more: object) -> Fault:
        """From now on, ``outcome`` for requests of that name; ``more``: its parameters, ``code`` and ``remark``.

        Raises ConfigError for what is not known.
        """
        rule = {"name": str(next(self._numbers)), "call": call, "outcome": outcome, **more}
        rule_of(rule, f"{call}({outcome!r})")
        self._rules.append(rule)
        self._save()
        return Fault(self, len(self._rules) - 1)

    order = partialmethod(on, "order")
    cancel = partialmethod(on, "cancel")
    connect = partialmethod(on, "connect")
    subscribe = partialmethod(on, "subscribe")
    query = partialmethod(on, "query")
    query_asset = partialmethod(on, "query_asset")
    query_orders = partialmethod(on, "query_orders")
    query_trades = partialmethod(on, "query_trades")
    query_positions = partialmethod(on, "query_positions")
    query_account_status = partialmethod(on, "query_account_status")

    def change(self, place: int, **changes: object) -> None:
        """Change a rule of the list. Raises ConfigError."""
        rule = {**self._rules[place], **changes}
        rule_of(rule, f"{rule['call']}({rule['outcome']!r})")
        self._rules[place] = rule
        self._save()

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._rules.clear()
        self._save()

    def _save(self) -> None:
        aside = self._path.with_suffix(".next")
        aside.write_text(json.dumps(self._rules), encoding="utf-8")
        aside.replace(self._path)


class Account:
    """What the account holds, past all faults: dicts with the fields of ``qmt … --json``, in CNY and shares."""

    def __init__(self, terminal: Paper) -> None:
        self._terminal = terminal

    @property
    def asset(self) -> dict[str, Any]:
        """Money and value; of a margin account its debts and ratios too, which are None of another."""
        (asset,) = self._ask("queryStockAssetWithSeq", "QueryStockAssetReq", rows.asset)
        debts = self._ask("queryCreditDetailWithSeq", "QueryCreditDetailReq", rows.credit_detail)
        return {**asset, **(debts[0] if debts else dict.fromkeys(CreditDetail._fields))}

    @property
    def positions(self) -> list[dict[str, Any]]:
        """Holdings, those sold out today (volume 0) included."""
        return self._ask("queryStockPositionsWithSeq", "QueryStockPositionsReq", rows.position)

    @property
    def orders(self) -> list[dict[str, Any]]:
        """Orders of the day, oldest first."""
        return self._ask("queryStockOrdersWithSeq", "QueryStockOrdersReq", rows.order)

    @property
    def trades(self) -> list[dict[str, Any]]:
        """Trades of the day, oldest first."""
        return self._ask("queryStockTradesWithSeq", "QueryStockTradesReq", rows.trade)

    def _ask(self, method: str, request: str, row: Callable[[Any], Any]) -> list[dict[str, Any]]:
        from qmtcli.paper.records import fill, record
        from qmtcli.paper.refusals import callback_of

        client = _sound_client()
        answers: list[Any] = []
        getattr(client, callback_of(method))(lambda seq, found: answers.extend(found))
        client.connect()
        account = self._terminal.stock_account
        asked = fill(record(request)(), m_strAccountID=account.account_id, m_nAccountType=account.account_type)
        getattr(client, method)(client.nextSeq(), asked)
        client.stop()
        return [row(answer)._asdict() for answer in answers]


def _sound_client() -> Any:
    """A native client with no faults."""
    from qmtcli.paper.trading import XtQuantAsyncClient

    return type("SoundClient", (XtQuantAsyncClient,), {})(b"", b"", 0)


class Recorder:
    """A callback object that keeps what it hears, in order, and hands it on."""

    def __init__(self, then: object = None) -> None:
        #: (name of the callback, what it was given)
        self.heard: list[tuple[str, Any]] = []
        #: what the callback behind it raised, which the vendor's layer would swallow
        self.raised: list[Exception] = []
        self._then = then
        self._waited_for: set[int] = set()
        self._news = threading.Condition()

    def __getattr__(self, name: str) -> Callable[..., None]:
        if not name.startswith("on_"):
            raise AttributeError(name)

        def hear(*values: Any) -> None:
            with self._news:
                self.heard.append((name, values[0] if values else None))
                self._news.notify_all()
            try:
                getattr(self._then, name, _nothing)(*values)
            except Exception as error:
                self.raised.append(error)
                raise

        return hear

    @property
    def names(self) -> list[str]:
        """What was heard, by name."""
        return [name for name, _ in self.heard]

    def wait(self, name: str, timeout: float = PATIENCE, **fields: object) -> Any:
        """What the next callback of that name, with these fields, was given: ``wait("on_stock_trade", order_id=1)``.

        Each is waited for once. Raises TimeoutError that tells what was heard instead.
        """
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                for number, (heard, value) in enumerate(self.heard):
                    if number not in self._waited_for and heard == name and _has(value, fields):
                        self._waited_for.add(number)
                        return value
                if not self._news.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    wanted = ", ".join(f"{field}={value!r}" for field, value in fields.items())
                    raise TimeoutError(
                        f"no {name}({wanted}) in {timeout:g} s, but: {', '.join(self.names) or 'nothing'}"
                    )


def _has(value: Any, fields: Mapping[str, object]) -> bool:
    return all(getattr(value, name, None) == wanted for name, wanted in fields.items())


def _nothing(*_: object) -> None:
    """What a callback object does that has no such method."""


@dataclass(frozen=True)
class Result:
    """What one run of a program left."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """stdout as the one JSON document it must be."""
        return json.loads(self.stdout)

    @property
    def error(self) -> dict[str, Any]:
        """The error object on stderr, which must be all there is."""
        assert self.stdout == ""
        found: dict[str, Any] = json.loads(self.stderr)["error"]
        return found


def _clients() -> list[Any]:
    from qmtcli.paper.faulty import CLIENTS

    return list(CLIENTS)


@lru_cache(maxsize=1)
def _loop() -> asyncio.AbstractEventLoop:
    """An event loop that is current in tests: the vendor asks for one, which newer Pythons do not make."""
    return asyncio.new_event_loop()


def _finish(executor: Any) -> None:
    """Wait until an executor has done what it was given before. Raises TimeoutError when it does not."""
    try:
        executor.submit(bool).result(PATIENCE)
    except RuntimeError:  # its trader was stopped
        return
    except futures.TimeoutError:
        raise TimeoutError(f"a callback has not returned in {PATIENCE:g} s") from None


def _within(seconds: float, call: Callable[[], object]) -> None:
    """Give a call a moment, and leave it behind where it hangs."""
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
