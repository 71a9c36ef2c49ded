"""Where a ledger may lie, what stops when it cannot be used, and what it makes of trades and adjustments."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import CLOCK, Result, not_on_windows
from hypothesis import given
from hypothesis import strategies as st

from qmtcli.books import books
from qmtcli.errors import ConfigError
from qmtcli.ledger import Adjustment, Entry, State, new_entry
from qmtcli.ledger.place import hold_local, mounted_as
from qmtcli.model import OrderRequest, Side

Qmt = Callable[..., Result]
BUY = ("buy", "600000.SH", "100", "--limit", "9.00")


@pytest.fixture(autouse=True)
def world(clock: Callable[[str], None]) -> None:
    clock(CLOCK)


# -- its place -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["OneDrive - 公司", "Dropbox", "坚果云", "BaiduSyncdisk", "iCloud Drive", "Nextcloud"])
def test_a_synchronised_folder_is_refused(name: str, tmp_path: Path, quick_qmt: Qmt) -> None:
    state = tmp_path / name / "qmt" / "state"
    error = quick_qmt(*BUY, "--json", env={"QMT_STATE": str(state)}).error
    assert (error["exit_status"], error["code"]) == (3, "state_synchronised")
    assert error["folder"] == str(tmp_path / name)
    assert quick_qmt("orders", "--json", env={"QMT_STATE": str(state)}).json == []


def test_what_a_synchronising_program_has_marked_is_refused(tmp_path: Path) -> None:
    hold_local(tmp_path, {})
    (tmp_path / ".stfolder").mkdir()
    with pytest.raises(ConfigError, match="state_synchronised"):
        hold_local(tmp_path / "state", {})
    with pytest.raises(ConfigError, match="state_synchronised"):
        hold_local(tmp_path.parent / "other", {"OneDriveCommercial": str(tmp_path.parent)})


@not_on_windows("its paths")
def test_the_nearest_mount_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mounts = {"/": "ext4", "/home": "nfs4", "/home/me/disk": "xfs"}
    kinds = [mounted_as(Path(path), mounts) for path in ("/var/state", "/home/me", "/home/me/disk/state")]
    assert kinds == ["ext4", "nfs4", "xfs"]
    monkeypatch.setattr("qmtcli.ledger.place._mounts", lambda: {"/": "ext4", str(tmp_path): "fuse.sshfs"})
    with pytest.raises(ConfigError, match="state_on_network"):
        hold_local(tmp_path / "state", {})


# -- a ledger that cannot be used ------------------------------------------------------------------------


def _file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger" / "paper-paper" / "1000000365.sqlite"


@pytest.mark.parametrize("broken", ["no database", "another version", "no folder"])
def test_without_a_ledger_nothing_is_sent_and_cancels_pass(broken: str, quick_qmt: Qmt, tmp_path: Path) -> None:
    assert quick_qmt(*BUY).status == 0
    file = _file(tmp_path)
    if broken == "another version":
        with sqlite3.connect(file) as ledger:
            ledger.execute("PRAGMA user_version = 99")
    else:
        for each in file.parent.iterdir():
            each.unlink()
        if broken == "no database":
            file.write_text("this is no database, " * 100)
        else:
            file.parent.rmdir()
            file.parent.write_text("a file")
    error = quick_qmt(*BUY, "--json").error
    assert (error["exit_status"], error["code"]) == (
        3, "ledger_version" if broken == "another version" else "ledger_unusable",
    )  # fmt: skip
    assert [row["status"] for row in quick_qmt("orders", "--json").json] == ["reported"]
    assert quick_qmt("positions", "--json").status == 0
    canceled = quick_qmt("cancel", "1", "--json")
    assert (canceled.status, canceled.json[0]["result"]) == (0, "canceled")


# -- books ---------------------------------------------------------------------------------------------

moves = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "by hand"]), st.sampled_from(["600000.SH", "000001.SZ"]),
        st.integers(1, 50), st.decimals(Decimal("0.01"), Decimal(100), places=2), st.sampled_from(["a", "b"]),
    ),
    max_size=30,
)  # fmt: skip


def _entry(key: int, side: str, code: str, volume: int, price: Decimal, strategy: str) -> Entry:
    request = OrderRequest(code, Side(side), volume, 11, price, f"o{key}", strategy)
    entry = new_entry(0, request, 23, "2026-11-23", side, {})
    return entry._replace(
        key=key, state=State.FILLED, traded_volume=volume, traded_price=float(price), fees=1.0, sent=1
    )  # fmt: skip


@given(moves)
def test_books_hold_what_their_own_moves_have_left(rows: list[tuple[str, str, int, Decimal, str]]) -> None:
    entries, adjustments = [], []
    for key, (side, code, lots, price, strategy) in enumerate(rows, 1):
        volume = lots * 100
        if side == "by hand":
            amount = -(price * volume)
            adjustments.append(Adjustment(key, "2026-11-23", strategy, code, volume, str(amount), "", 0))
        else:
            entries.append(_entry(key, side, code, volume, price, strategy))
    found = books(entries, adjustments, "2026-11-24", lambda entry: Decimal(0))
    for name in ("a", "b"):
        own = [row for row in rows if row[4] == name]
        assert (name in found) == bool(own)
        if not own:
            continue
        cash = sum(
            (
                (price if side == "sell" else -price) * lots * 100 - (side != "by hand")
                for side, _, lots, price, _ in own
            ),
            Decimal(0),
        )
        assert abs(found[name].cash - cash) < Decimal("0.0001")
        for code in {row[1] for row in own}:
            volume = sum((-lots if side == "sell" else lots) * 100 for side, each, lots, _, _ in own if each == code)
            assert found[name].holdings[code].volume == volume


def test_what_is_left_costs_its_part() -> None:
    entries = [
        _entry(1, "buy", "600000.SH", 200, Decimal(10), "a"),
        _entry(2, "sell", "600000.SH", 100, Decimal(12), "a"),
    ]
    book = books(entries, [], "2026-11-23", lambda entry: Decimal(0))["a"]
    held = book.holdings["600000.SH"]
    assert (held.volume, held.cost, held.avg_price) == (100, Decimal("1000.5"), Decimal("10.005"))
    assert (held.bought_today, book.cash) == (200, Decimal(-802))
