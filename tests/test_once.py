"""The same job twice: at once, again the same day, and on another day."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conftest import CLOCK, ROOT, WINDOWS, Result

from qmtcli.ledger.owners import Owners

Qmt = Callable[..., Result]
BUY = ("buy", "600000.SH", "100", "--limit", "9.00")
#: rows of a job, and how often it is done twice at once
ROWS, TIMES = (40, 1) if WINDOWS else (300, 6)


def _remarks(tmp_path: Path) -> Counter[str]:
    with sqlite3.connect(tmp_path / "state" / "paper" / "paper" / "1000000365.sqlite") as account:
        return Counter(row[0] for row in account.execute("SELECT remark FROM orders"))


def test_two_identical_jobs_at_once(quick_qmt: Qmt, tmp_path: Path, count: Callable[[str], None]) -> None:
    assert quick_qmt("paper", "deposit", "1000万").status == 0
    for time in range(TIMES):
        lines = "".join(f"600000.SH,buy,100,9.0{row % 5},t{time}.{row}\n" for row in range(ROWS))
        Path("job.csv").write_text(f"code,side,volume,limit,id\n{lines}")
        with ThreadPoolExecutor(2) as pool:
            runs = list(pool.map(lambda _: quick_qmt("batch", "job.csv", "--json"), range(2)))
        ids = []
        for run in runs:
            assert (run.status, run.stderr) == (0, "")
            rows = [json.loads(line) for line in run.stdout.splitlines()]
            assert len(rows) == ROWS
            ids.append({row["client_id"]: row["order_id"] for row in rows})
        assert ids[0] == ids[1]
        sent = [sum(not json.loads(line)["replayed"] for line in run.stdout.splitlines()) for run in runs]
        assert sum(sent) == ROWS  # each order by one of them
    orders = _remarks(tmp_path)
    assert (len(orders), max(orders.values())) == (ROWS * TIMES, 1)
    count(f"{TIMES} jobs of {ROWS} orders, each done twice at once: {sum(orders.values())} orders")


def test_an_id_lives_one_trading_day(quick_qmt: Qmt, clock: Callable[[str], None], tmp_path: Path) -> None:
    Path("job.csv").write_text("code,side,volume,limit,id\n600000.SH,buy,100,9.00,monday\n")
    clock(CLOCK)
    assert quick_qmt("batch", "job.csv", "--json").status == 0
    assert quick_qmt(*BUY, "--id", "single", "--json").status == 0
    assert quick_qmt(*BUY, "--id", "on-{date}", "--json").json["client_id"] == "on-20261123"
    clock("2026-11-30T10:00:00")  # a week later
    for words in (("batch", "job.csv"), (*BUY, "--id", "single")):
        error = quick_qmt(*words, "--json").error
        assert error["exit_status"] == 6
        assert "id_of_another_day" in json.dumps(error)
    assert quick_qmt(*BUY, "--id", "on-{date}", "--json").json["client_id"] == "on-20261130"
    assert len(_remarks(tmp_path)) == 4


def test_a_batch_without_ids_trades_again_on_another_day(quick_qmt: Qmt, clock: Callable[[str], None]) -> None:
    Path("job.csv").write_text("code,side,volume,limit\n600000.SH,buy,100,9.00\n600000.SH,buy,100,9.00\n")
    clock(CLOCK)
    first = [json.loads(line) for line in quick_qmt("batch", "job.csv", "--json").stdout.splitlines()]
    again = [json.loads(line) for line in quick_qmt("batch", "job.csv", "--json").stdout.splitlines()]
    assert [row["replayed"] for row in [*first, *again]] == [False, False, True, True]
    assert [row["order_id"] for row in again] == [row["order_id"] for row in first] == ["1", "2"]
    # the same orders in another file, with other spaces and spellings
    Path("other.json").write_text(
        json.dumps([{"stock_code": "600000", "order_type": 23, "order_volume": 100, "price": "9.0"}] * 2)
    )
    assert quick_qmt("batch", "other.json", "-o", "id").stdout == "1\n2\n"
    clock("2026-11-24T10:00:00")
    assert quick_qmt("batch", "job.csv", "-o", "id").stdout == "3\n4\n"
    assert quick_qmt("batch", "job.csv", "--new", "-o", "id").stdout == "5\n6\n"
    assert quick_qmt("batch", "job.csv", "-o", "id").stdout == "5\n6\n"


def test_a_reset_account_knows_no_ids(quick_qmt: Qmt) -> None:
    assert quick_qmt(*BUY, "--id", "mine", "-o", "id").stdout == "1\n"
    assert quick_qmt("paper", "reset", "--yes").status == 0
    assert quick_qmt("orders", "--json").json == []
    assert quick_qmt(*BUY, "--id", "mine", "-o", "id").stdout == "2\n"


def test_the_parts_of_an_order_are_one(quick_qmt: Qmt) -> None:
    words = ("buy", "510300.SH", "--value", "1000万", "--price", "last", "--id", "big", "--json")
    assert quick_qmt("paper", "deposit", "2000万").status == 0
    first = quick_qmt(*words).json
    assert len(first["parts"]) == 3
    again = quick_qmt(*words).json
    assert ([part["order_id"] for part in again["parts"]], again["replayed"]) == (["1", "2", "3"], True)
    error = quick_qmt(*BUY, "--id", "big.2", "--json").error
    assert (error["exit_status"], error["code"]) == (6, "id_of_another_order")


OTHER = """
import sys
from pathlib import Path
from qmtcli.ledger.owners import Owners
owners = Owners(Path(sys.argv[1]))
print(*(owners.take(key) for key in (1, 2, 3)), flush=True)
sys.stdin.read()
"""


def test_an_entry_has_one_owner_who_may_die(tmp_path: Path) -> None:
    file = tmp_path / "owners"
    mine = Owners(file)
    assert mine.take(2) and mine.take(2)
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, str(file)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True False True\n"
        assert not mine.take(1)
        other.kill()
        other.wait()
        assert mine.take(1)
        mine.leave_all()
        assert mine.take(3)
    mine.leave_all()
