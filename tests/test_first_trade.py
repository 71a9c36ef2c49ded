"""The README's first trade and first quarter of an hour, by processes of their own, at any hour of any year."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, WINDOWS, Result, not_on_windows

Qmt = Callable[..., Result]

T_PLUS_1 = "可用股份不足: T+1, 今日买入的 100 下一交易日才可卖出, 可卖 0"
MOMENTS = [
    "2026-11-23T10:00:00",
    "2026-11-23T00:00:00",
    "2026-11-23T03:00:00",
    "2026-11-23T09:29:59",
    "2026-10-01T12:00:00",  # a closure, at noon
    "2026-11-22T20:15:00",  # a Sunday
    "2027-02-01T10:00:00+",  # past every published calendar, and running
    "2099-12-31T23:59:59",
]


@pytest.mark.parametrize("moment", MOMENTS[::3] if WINDOWS else MOMENTS)
def test_bought_today_sold_on_the_next_day(qmt: Qmt, clock: Callable[[str], None], moment: str) -> None:
    clock(moment)
    bought = qmt("buy", "600000.SH", "100", "--limit", "9.09", "--json")
    assert (bought.status, bought.stderr) == (0, "")
    order = bought.json
    assert (order["mode"], order["profile"], order["status"]) == ("paper", "paper", "filled")
    assert (order["price"], order["traded_volume"]) == (9.09, 100)
    assert 9.0 <= order["traded_price"] <= 9.09

    held = qmt("positions", "--json")
    assert (held.status, held.stderr) == (0, "")
    assert [(row["stock_code"], row["volume"], row["can_use_volume"]) for row in held.json] == [("600000.SH", 100, 0)]

    early = qmt("sell", "600000.SH", "100", "--limit", "9.00", "--json")
    assert early.status == 5
    assert (early.error["code"], early.error["reason"]) == ("rejected", T_PLUS_1)
    assert T_PLUS_1 in early.error["message"]

    turned = qmt("paper", "next-day", "--json")
    assert (turned.status, turned.json["positions"], turned.json["orders"]) == (0, 1, 0)
    assert turned.json["day"] > moment[:10]

    sold = qmt("sell", "600000.SH", "100", "--limit", "9.00", "--json")
    assert (sold.status, sold.stderr) == (0, "")
    assert (sold.json["mode"], sold.json["status"], sold.json["traded_volume"]) == ("paper", "filled", 100)
    assert 9.0 <= sold.json["traded_price"] <= 9.09
    assert [(row["volume"], row["can_use_volume"]) for row in qmt("positions", "--json").json] in ([], [(0, 0)])


def test_the_real_clock_and_what_a_person_reads(qmt: Qmt, tmp_path: Path) -> None:
    bought = qmt("buy", "600000.SH", "100", "--limit", "9.09")
    assert (bought.status, bought.stderr) == (0, "")
    assert bought.stdout.splitlines()[:2] == ["【paper】Buy", "Result     filled"]
    held = qmt("positions", "--lang", "zh")
    assert (held.status, held.stderr) == (0, "")
    assert held.stdout.startswith("【模拟】")
    assert re.search(r"^600000\.SH\s+浦发银行\s+100\s", held.stdout, re.MULTILINE)
    assert [file.name for file in (tmp_path / "work").iterdir()] == []
    account = tmp_path / "state" / "paper" / "paper" / "1000000365.sqlite"
    connection = sqlite3.connect(account)
    assert connection.execute("SELECT code, volume FROM positions").fetchall() == [("600000.SH", 100)]
    connection.close()


def test_a_sale_refused_for_t_plus_1_says_so_to_a_person(qmt: Qmt, clock: Callable[[str], None]) -> None:
    clock("2026-11-23T10:00:00")
    assert qmt("buy", "600000.SH", "100", "--limit", "9.09").status == 0
    refused = qmt("sell", "600000.SH", "100", "--limit", "9.00")
    assert (refused.status, refused.stdout) == (5, "")
    assert refused.stderr.startswith("【paper】qmt: order 2 was rejected: " + T_PLUS_1)


def test_two_processes_at_once_trade_one_account(qmt: Qmt, clock: Callable[[str], None]) -> None:
    clock("2026-11-23T10:00:00")
    command = [sys.executable, "-m", "qmtcli", "buy", "600000.SH", "100", "--limit", "9.09", "-o", "id"]
    started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sorted(process.communicate()[0] for process in started) == ["1\n", "2\n", "3\n"]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert [row["volume"] for row in qmt("positions", "--json").json] == [300]


def _readme_commands() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text.partition("## A first quarter of an hour")[2].split("\n\n")[1]
    return [line.strip().partition("  #")[0].strip() for line in block.splitlines()]


@not_on_windows("the pipes of a POSIX shell")
def test_the_readme_as_written(qmt: Qmt, clock: Callable[[str], None], tmp_path: Path) -> None:
    """Every line of the first quarter of an hour, through a shell, after the first order."""
    clock("2026-11-23T10:00:30")  # the next day's last price at this time is the best ask, so --price last fills
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "qmt"
    script.write_text(f"#!/bin/sh\nPYTHONPATH='{ROOT}' exec '{sys.executable}' -m qmtcli \"$@\"\n", encoding="utf-8")
    script.chmod(0o755)
    commands = _readme_commands()
    assert commands[0] == "qmt positions"
    assert len(commands) == 9
    first = re.search(r"&& (qmt buy .*)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert first is not None
    found = {}
    for command in [first[1], *commands]:
        done = subprocess.run(
            ["/bin/sh", "-c", f"PATH='{folder}':$PATH; {command}"], capture_output=True, text=True, check=False
        )
        found[command] = (done.returncode, done.stderr)
    refused = "qmt sell 600000.SH 100 --limit 9.00"
    status, message = found.pop(refused)
    assert status == 5
    assert T_PLUS_1 in message
    nothing_open = "qmt orders --open --json | qmt cancel -"
    assert found.pop(nothing_open)[0] == 0
    assert {command: outcome for command, outcome in found.items() if outcome != (0, "")} == {}
