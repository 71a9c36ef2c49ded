"""The account's file: transactions, several processes at once, processes that are killed, files that cannot be used."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from conftest import ROOT, not_on_windows
from scripted import audit

from qmtcli.errors import ConfigError
from qmtcli.paper.exchange import Exchange
from qmtcli.paper.settings import Settings
from qmtcli.paper.store import VERSION, Account, Position, Store

PATIENCE = 60

#: what every process here begins with: an exchange on the sample market, and an order in a word
PRELUDE = """
import sys
from qmtcli.paper.counter import NewOrder
from qmtcli.paper.exchange import Exchange
from qmtcli.paper.settings import Settings

def opened():
    return Exchange(Settings(home=sys.argv[1], clock="2026-11-23T10:00:00"))

def place(exchange, code, side, volume, price):
    return exchange.place(NewOrder(code, side, volume, 11, price, "s", "r", 1, 1))[0]
"""


def start(script: str, home: Path, *arguments: str) -> subprocess.Popen[str]:
    """A process over the account's file; its stdin holds it back until it is closed or written to."""
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script, str(home), *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> list[str]:
    """Lines of a process that must end well."""
    text, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    return text.splitlines()


def opened(home: Path) -> Exchange:
    return Exchange(Settings(home=str(home), clock="2026-11-23T10:00:00"))


# -- several processes -------------------------------------------------------------------------------------


def test_many_processes_open_a_new_account_at_once(tmp_path: Path) -> None:
    script = "print('ready', flush=True); sys.stdin.read(); print(opened().asset()['cash'])"
    processes = [start(script, tmp_path / "home") for _ in range(6)]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    assert [ended(process) for process in processes] == [["100000000"]] * 6
    store = opened(tmp_path / "home").store
    assert len(store.select(Account)) == 1
    assert store.execute("SELECT amount, kind FROM flows") == [(100_000_000, "opening")]


def test_an_account_that_another_process_opens_meanwhile_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = opened(tmp_path)
    with exchange.store.transaction():
        exchange.store.execute("DELETE FROM account")
        exchange.store.execute("DELETE FROM flows")
    begin = exchange.store.transaction

    def after_another() -> AbstractContextManager[None]:
        monkeypatch.setattr(exchange.store, "transaction", begin)
        opened(tmp_path).deposit(5)
        return begin()

    monkeypatch.setattr(exchange.store, "transaction", after_another)
    assert exchange.asset()["cash"] == 100_000_005
    assert exchange.store.execute("SELECT kind FROM flows") == [("opening",), ("deposit",)]


def test_many_processes_trade_at_once(tmp_path: Path) -> None:
    script = """
exchange = opened()
for n in range(25):
    print(place(exchange, "600000.SH", 23, 100, 9.09 if n % 2 else 8.95))
    place(exchange, "518880.SH", 23, 100, 7.70)
    place(exchange, "518880.SH", 24, 100, 7.60)
"""
    processes = [start(script, tmp_path) for _ in range(4)]
    ids = [int(line) for process in processes for line in ended(process)]
    exchange = opened(tmp_path)
    audit(exchange)
    assert len(set(ids)) == 100
    assert len(exchange.orders()) == 300
    assert {order.id for order in exchange.orders() if order.code == "600000.SH"} == set(ids)
    held = {position["code"]: position["volume"] for position in exchange.positions()}
    assert held == {"600000.SH": 4 * 12 * 100, "518880.SH": 0}


TRADE_FOR_EVER = """
exchange = opened()
n = 0
while True:
    n += 1
    bought = place(exchange, "600000.SH", 23, 100, 9.09)
    rests = place(exchange, "600000.SH", 23, 200, 8.95)
    place(exchange, "518880.SH", 23, 300, 7.70)
    place(exchange, "518880.SH", 24, 200, 7.60)
    exchange.cancel(rests, "", 1)
    print(bought, rests, flush=True)
    if n % 7 == 0:
        exchange.next_day()
        print("next", flush=True)
"""


def test_processes_that_are_killed_lose_and_double_nothing(tmp_path: Path) -> None:
    opened(tmp_path)
    told: list[str] = []
    for lines in (1, 2, 3, 5, 8, 13, 21):
        pair = [start(TRADE_FOR_EVER, tmp_path) for _ in range(2)]
        for process in pair:
            assert process.stdout is not None
            told += [process.stdout.readline() for _ in range(lines)]
        for process in pair:
            assert process.stdout is not None
            process.kill()
            told += process.stdout.read().splitlines()
            assert process.wait(PATIENCE) != 0
        exchange = opened(tmp_path)
        audit(exchange)
        assert exchange.store.one("PRAGMA integrity_check") == "ok"
        exchange.store.close()
    store = opened(tmp_path).store
    ids = [int(number) for line in told if line.strip() != "next" for number in line.split()]
    assert len(ids) > 100
    assert len(ids) == len(set(ids))
    known = {number for (number,) in store.execute("SELECT id FROM orders")}
    assert known >= set(ids)
    # every id up to the last was given once, and none is missing: a killed order is all there or was never numbered
    assert known == set(range(1, max(known) + 1))


FORK = """
import os
exchange = opened()
place(exchange, "600000.SH", 23, 100, 9.09)
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        for _ in range(20):
            place(exchange, "600000.SH", 23, 100, 8.95)
        os._exit(0)
    children.append(child)
for _ in range(20):
    place(exchange, "600000.SH", 23, 100, 8.95)
if len(sys.argv) > 2:  # leave before the children do, closing the file behind it
    sys.exit()
print([os.waitpid(child, 0)[1] for child in children])
"""


@not_on_windows("it does not fork")
@pytest.mark.parametrize("arguments", [(), ("leave",)], ids=["waits", "leaves first"])
def test_forked_children_trade_on_connections_of_their_own(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    process = start(FORK, tmp_path, *arguments)
    # the children hold the pipe open: at its end all of them are done
    assert ended(process) == ([] if arguments else ["[0, 0, 0]"])
    exchange = opened(tmp_path)
    audit(exchange)
    assert [order.id for order in exchange.orders()] == list(range(1, 82))
    assert exchange.store.one("PRAGMA integrity_check") == "ok"


# -- transactions ------------------------------------------------------------------------------------------


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    store, other = Store(tmp_path / "a.sqlite"), Store(tmp_path / "a.sqlite")
    with pytest.raises(KeyError), store.transaction():
        store.save(Position("600000.SH", "a", 100))
        store.emit("order", order=[])
        with store.transaction():
            store.save(Position("600519.SH", "b", 100))
        raise KeyError
    assert (store.select(Position), store.events(0), store.next_events(0)) == ([], [], [])
    with store.transaction():
        store.save(Position("600000.SH", "a", 100))
        store.emit("order", order=[1])
        assert (other.select(Position), other.events(0)) == ([], [])
    assert other.select(Position) == [Position("600000.SH", "a", 100)]
    assert other.events(0) == store.events(0) == store.next_events(0) == [(1, "order", {"order": [1]})]


def test_what_is_read_together_is_of_one_moment(tmp_path: Path) -> None:
    store, other = Store(tmp_path / "a.sqlite"), Store(tmp_path / "a.sqlite")
    with store.reading():
        before = store.select(Position)
        with other.transaction():
            other.save(Position("600000.SH", "a", 100))
        assert store.select(Position) == before == []
    assert len(store.select(Position)) == 1


def test_every_change_is_seen_in_the_version(tmp_path: Path) -> None:
    store, other = Store(tmp_path / "a.sqlite"), Store(tmp_path / "a.sqlite")
    seen = [store.version()]
    for changing in (other, store, other):
        with changing.transaction():
            changing.save(Position("600000.SH", "a", len(seen)))
        seen.append(store.version())
    assert len(set(seen)) == 4
    assert store.version() == seen[-1]


def test_own_events_are_the_next_only_when_nothing_came_between(tmp_path: Path) -> None:
    store, other = Store(tmp_path / "a.sqlite"), Store(tmp_path / "a.sqlite")
    for number, emitting in enumerate((store, other, store), 1):
        with emitting.transaction():
            emitting.emit("order", order=[number])
    assert [body["order"] for _, _, body in store.next_events(1)] == [[2], [3]]
    assert [body["order"] for _, _, body in store.next_events(2)] == [[3]]
    assert store.next_events(3) == []
    assert store.last_event() == 3


# -- files that cannot be used -----------------------------------------------------------------------------


def test_a_file_of_another_version(tmp_path: Path) -> None:
    opened(tmp_path).store.close()
    with sqlite3.connect(tmp_path / "1000000365.sqlite") as file:
        file.execute("PRAGMA user_version=99")
    with pytest.raises(ConfigError) as raised:
        opened(tmp_path)
    assert (raised.value.code, raised.value.params) == ("account_file_version", {"found": 99, "known": VERSION})


def _is_unusable(raised: pytest.ExceptionInfo[ConfigError], folder: Path, why: str) -> None:
    assert raised.value.code == "state_unusable"
    assert raised.value.params["path"] == str(folder)
    assert why in str(raised.value.params["why"])


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        opened(tmp_path / "file")
    _is_unusable(raised, tmp_path / "file", "exists")
    (tmp_path / "home" / "1000000365.sqlite").mkdir(parents=True)
    with pytest.raises(ConfigError) as raised:
        opened(tmp_path / "home")
    _is_unusable(raised, tmp_path / "home", "unable to open database file")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "1000000365.sqlite").write_text("not a database " * 99, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        opened(tmp_path)
    path = str(tmp_path / "1000000365.sqlite")
    assert (raised.value.code, raised.value.params) == (
        "account_file_damaged",
        {"path": path, "why": "file is not a database"},
    )


def test_a_file_that_breaks_under_way(tmp_path: Path) -> None:
    exchange = opened(tmp_path)
    exchange.store.execute("PRAGMA query_only=1")  # as a disk does that was remounted read-only
    assert exchange.asset()["cash"] == 100_000_000
    with pytest.raises(ConfigError) as raised:
        exchange.deposit(1)
    _is_unusable(raised, tmp_path, "readonly")
    exchange.store.execute("PRAGMA query_only=0")
    exchange.deposit(1)
    assert exchange.asset()["cash"] == 100_000_001


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    exchange = opened(tmp_path)
    exchange.store.execute(f"PRAGMA max_page_count={exchange.store.one('PRAGMA page_count')}")
    with pytest.raises(ConfigError) as raised:
        for _ in range(1_000):
            exchange.deposit(100)
    _is_unusable(raised, tmp_path, "full")
    exchange.store.execute("PRAGMA max_page_count=1000000")
    exchange.deposit(100)
    audit(exchange)


def test_a_creation_that_was_killed_is_begun_anew(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "1000000365.sqlite") as file:
        file.execute("PRAGMA journal_mode=WAL")
    assert opened(tmp_path).asset()["cash"] == 100_000_000


def test_a_closed_file_may_be_moved(tmp_path: Path) -> None:
    exchange = opened(tmp_path / "a")
    exchange.deposit(1)
    exchange.store.close()
    shutil.move(tmp_path / "a", tmp_path / "b")
    assert opened(tmp_path / "b").asset()["cash"] == 100_000_001
