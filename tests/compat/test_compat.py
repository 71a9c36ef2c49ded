"""Programs that nobody here wrote, as PyPI has them, traded through their own interfaces on the paper exchange.

Each has an environment of its own on top of the one that runs the tests, made once and kept in ``.cache/compat``. A
``drive_*.py`` beside this file is what a user of the program would write; it leaves what the program told it as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from filelock import FileLock

HERE = Path(__file__).parent
CACHE = ROOT / ".cache" / "compat"
INSTALL_SECONDS, RUN_SECONDS = 300, 60

FIRST, SECOND = "2026-11-23T10:00:00", "2026-11-24T10:00:00"
#: 10:00 of the first and of the second day, epoch seconds
TEN, TEN_NEXT = 1_795_399_200, 1_795_485_600

Levels = list[tuple[float, int]]
#: what is on display at ten: date -> code -> (last close, last, asks, bids), levels as price and lots
MARKET: dict[str, dict[str, tuple[float, float, Levels, Levels]]] = {
    "2026-11-23": {
        "600000.SH": (9.95, 10.00, [(10.01, 3), (10.02, 5), (10.03, 9)], [(10.00, 4), (9.99, 9)]),
        "000001.SZ": (11.75, 11.81, [(11.82, 7), (11.83, 9)], [(11.81, 6), (11.80, 9)]),
    },
    "2026-11-24": {
        "600000.SH": (10.00, 10.10, [(10.10, 6), (10.11, 9)], [(10.09, 3), (10.08, 9)]),
        "000001.SZ": (11.81, 11.90, [(11.91, 7), (11.92, 9)], [(11.90, 6), (11.89, 9)]),
    },
}
NO_LEVEL = [(0, 0)] * 5
NAMES = {"600000.SH": "浦发银行", "000001.SZ": "平安银行"}


@lru_cache
def environment(programs: tuple[str, ...], needs: tuple[str, ...]) -> tuple[str, str]:
    """(the Python that has the programs, ""), or ("", why they could not be had).

    With ``needs`` these are installed instead of what the programs ask for.
    """
    key = sha256(repr([programs, needs, sys.version, sys.prefix]).encode()).hexdigest()[:12]
    folder = CACHE / f"{programs[0].partition('==')[0]}-{key}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, symlinks=os.name != "nt")
            _put_on_top_of_ours(python)
            for wanted in [("--no-deps", *programs), needs] if needs else [programs]:
                if why := _pip(python, *wanted):
                    return "", why
            (folder / "complete").touch()
    return str(python), ""


def _put_on_top_of_ours(python: Path) -> None:
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    theirs = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    ours = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
    adding = "".join(f"; site.addsitedir({folder!r})" for folder in sorted(ours))
    (Path(theirs) / "ours.pth").write_text(f"import site{adding}", encoding="utf-8")


def _pip(python: Path, *wanted: str) -> str:
    """Install; why it failed, or ""."""
    options = ["--quiet", "--no-compile", "--no-input", "--disable-pip-version-check", "--retries", "1"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pip", "--python", python, "install", *options, *wanted],
            capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"not within {INSTALL_SECONDS} s"
    return (done.stderr.strip().splitlines() or ["pip failed"])[-1] if done.returncode else ""


Drive = Callable[..., Any]


@pytest.fixture
def drive(tmp_path: Path, user_config: Callable[[str], Path]) -> Drive:
    """Run a driver through ``qmt run-strategy`` on an account over `MARKET`; what it left."""
    tapes, result = tmp_path / "tapes", tmp_path / "result.json"
    _write_tapes(tapes)
    user_config(f"profiles:\n  paper: {{market: {json.dumps(str(tapes))}, hours: exchange}}\n")

    def run(script: str, *arguments: str, at: str, programs: tuple[str, ...], needs: tuple[str, ...] = ()) -> Any:
        python, why = environment(programs, needs)
        if why:
            pytest.skip(f"{', '.join(programs)} cannot be installed: {why}")
        done = subprocess.run(
            [python, "-m", "qmtcli", "run-strategy", str(HERE / script), "--", str(result), *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT), "QMT_PAPER_CLOCK": at},
            capture_output=True, text=True, encoding="utf-8", timeout=RUN_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(result.read_text("utf-8"))

    return run


def _write_tapes(folder: Path) -> None:
    folder.mkdir()
    header = ["time", "lastPrice", "open", "high", "low", "lastClose", "amount", "volume"]
    header += [f"{side}{what}{n}" for side in ("ask", "bid") for n in (1, 2, 3, 4, 5) for what in ("Price", "Vol")]
    for code in NAMES:
        lines = [",".join(header)]
        for ten, day in zip((TEN, TEN_NEXT), MARKET.values(), strict=True):
            preclose, last, asks, bids = day[code]
            levels = [*asks, *NO_LEVEL[len(asks) :], *bids, *NO_LEVEL[len(bids) :]]
            row = [(ten - 3) * 1000, *[last] * 4, preclose, last * 50_000, 500, *chain.from_iterable(levels)]
            lines.append(",".join(map(str, row)))
        (folder / f"{code}.csv").write_text("\n".join(lines), encoding="utf-8")
    table = "code,name,levels\n" + "".join(f"{code},{name},lots\n" for code, name in NAMES.items())
    (folder / "instruments.csv").write_text(table, encoding="utf-8")


def pick(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_easytrader(drive: Drive) -> None:
    programs = ("easytrader==0.23.7",)
    balance = "cash", "frozen_cash", "market_value", "total_asset"
    position = "stock_code", "volume", "can_use_volume", "yesterday_volume", "market_value"
    entrust = "order_id", "stock_code", "order_type_name", "price", "traded_volume", "order_status", "order_status_name"
    trade = "order_id", "traded_price", "traded_volume", "traded_amount", "offset_flag_name", "traded_time"

    first = drive("drive_easytrader.py", "first", at=FIRST, programs=programs)
    assert first["opening"] == []
    assert first["sent"] == [{"entrust_no": number} for number in (1, 2, 3, 4)]
    assert first["canceled"] == [{"success": True, "message": "success"}, {"success": False, "message": "failed"}]
    # 5,007.00 bought for a fee of 5.05, and 1,980.00 frozen with 5.02
    assert pick(first["resting"], *balance) == [(993_002.93, 1_985.02, 5_000.00, 999_987.95)]
    assert pick(first["entrusts"], *entrust) == [
        (1, "600000.SH", "买入", 10.02, 500, 56, "已成"),
        (2, "600000.SH", "买入", 9.90, 0, 54, "已撤"),
        (3, "600000.SH", "卖出", 10.00, 0, 57, "废单"),
        (4, "000001.SZ", "买入", 0, 200, 56, "已成"),
    ]
    assert pick(first["trades"], *trade) == [
        (1, 10.01, 300, 3_003.00, "买入", TEN),
        (1, 10.02, 200, 2_004.00, "买入", TEN),
        (4, 11.82, 200, 2_364.00, "买入", TEN),
    ]
    assert sorted(pick(first["position"], *position)) == [
        ("000001.SZ", 200, 0, 0, 2_362.00),
        ("600000.SH", 500, 0, 0, 5_000.00),
    ]
    assert pick(first["balance"], *balance) == [(992_618.93, 0, 7_362.00, 999_980.93)]

    second = drive("drive_easytrader.py", "second", at=SECOND, programs=programs)
    assert sorted(pick(second["opening"], *position)) == [
        ("000001.SZ", 200, 200, 200, 2_380.00),
        ("600000.SH", 500, 500, 500, 5_050.00),
    ]
    assert second["sent"] == [{"entrust_no": 5}]
    assert pick(second["entrusts"], *entrust) == [(5, "600000.SH", "卖出", 10.00, 500, 56, "已成")]
    assert pick(second["trades"], *trade) == [
        (5, 10.09, 300, 3_027.00, "卖出", TEN_NEXT),
        (5, 10.08, 200, 2_016.00, "卖出", TEN_NEXT),
    ]
    assert sorted(pick(second["position"], *position)) == [
        ("000001.SZ", 200, 200, 200, 2_380.00),
        ("600000.SH", 0, 0, 500, 0),
    ]
    # sold 5,043.00: commission 5.00, stamp duty 2.52, transfer fee 0.05
    assert pick(second["balance"], *balance) == [(997_654.36, 0, 2_380.00, 1_000_034.36)]


@pytest.mark.parametrize("gateway", ["XT", "QMT"])
def test_vnpy(drive: Drive, gateway: str) -> None:
    programs = "vnpy==4.5.0", "vnpy_xt==1.4.6", "vnpy_qmt==0.3.3"
    # what it imports without its windows, which are 645 MB
    needs = "ta-lib", "loguru", "tzlocal", "requests"
    found = drive("drive_vnpy.py", gateway, at=FIRST, programs=programs, needs=needs)
    assert found == {
        "contract": ["浦发银行", 0.01],
        "tick": [10.01, 3, 10.00, 4, 10.95, 8.96],
        "opening": 1_000_000,
        "before the cancel": ["ALLTRADED", "NOTTRADED", "REJECTED"],
        "orders": [["ALLTRADED", 500], ["CANCELLED", 0], ["REJECTED", 0]],
        "trades": [[0, 10.01, 300], [0, 10.02, 200]],
        "positions": [["600000.SSE", 500, 0]],
        "account": ["1000000365", 999_987.95, 0],
    }


def test_pyqmt(drive: Drive) -> None:
    programs = ("pyqmt==1.0.5",)
    first = drive("drive_pyqmt.py", "first", at=FIRST, programs=programs)
    assert first == {
        "sent": [1, 2],
        "open": [[1, "已成"], [2, "已报"]],
        "canceled": True,
        # nothing to sell today: it does not send
        "sold": -1,
        "limits": [8.96, 10.95],
        "limit": "正常",
        "orders": [
            [1, "600000.SH", "买入", 10.02, 500, 10.014, "已成", "网格一"],
            [2, "600000.SH", "买入", 10.00, 0, 0, "已撤", ""],
        ],
        "trades": [[1, 10.01, 300, 3_003.00, 5.03], [1, 10.02, 200, 2_004.00, 0.02]],
        "positions": [["浦发银行", 500, 0, 0, "5000.00"]],
        "asset": [[994_987.95, 0, 5_000.00, 999_987.95]],
    }
    second = drive("drive_pyqmt.py", "second", at=SECOND, programs=programs)
    assert second == {
        "sold": 3,
        "orders": [[3, "600000.SH", "卖出", 10.00, 500, 10.086, "已成", ""]],
        "trades": [[3, 10.09, 300, 3_027.00, 6.54], [3, 10.08, 200, 2_016.00, 1.03]],
        "positions": [["浦发银行", 0, 0, 500, "0.00"]],
        "asset": [[1_000_023.38, 0, 0, 1_000_023.38]],
    }


def test_bullet_trade(drive: Drive) -> None:
    programs, needs = ("bullet-trade==0.10.0",), ("python-dotenv",)
    found = drive("drive_bullet_trade.py", at=FIRST, programs=programs, needs=needs)
    assert found["connected"] is True
    assert found["open"] == ["2"]
    assert found["canceled"] == [False, True]
    assert found["orders"] == [
        ["1", "600000.XSHG", "filled", 500, 10.014, "a"],
        ["2", "600000.XSHG", "canceled", 0, 0, "b"],
        ["3", "000001.XSHE", "filled", 200, 11.82, "c"],
        ["4", "000001.XSHE", "rejected", 0, 0, "d"],
    ]
    assert [trade[:4] for trade in found["trades"]] == [
        ["1", 300, 10.01, 3_003.00],
        ["1", 200, 10.02, 2_004.00],
        ["3", 200, 11.82, 2_364.00],
    ]
    account = found["account"]
    assert (account["available_cash"], account["total_value"]) == (992_618.93, 999_980.93)
    held = "security", "amount", "closeable_amount", "market_value"
    assert sorted(pick(account["positions"], *held)) == [
        ("000001.XSHE", 200, 0, 2_362.00),
        ("600000.XSHG", 500, 0, 5_000.00),
    ]
