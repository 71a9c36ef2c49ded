"""``qmt calendar``: what is shown, what an import takes and keeps, and who uses it afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from conftest import CLOCK, Result

Qmt = Callable[..., Result]


def _new_year() -> list[str]:
    """The first weeks of a believable 2027, to the day after the Spring Festival."""
    closed = {date(2027, 1, 1), *(date(2027, 2, 5) + timedelta(days=n) for n in range(8))}
    days = (date(2027, 1, 1) + timedelta(days=n) for n in range(60))
    return [day.isoformat() for day in days if day.weekday() < 5 and day not in closed]


NEW = _new_year()
TEXT = "\n".join(NEW)
HOURS = "profiles: {paper: {hours: exchange}}"
BUY = ("buy", "600000.SH", "100", "--limit", "9.09", "--json")


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Where imported days are kept."""
    return tmp_path / "state" / "trading_days.txt"


def test_ten_trading_days_from_today_on(quick_qmt: Qmt, clock: Callable[[str], None]) -> None:
    clock("2026-09-24T10:00:00")
    shown = quick_qmt("calendar", "show", "--json")
    assert (shown.status, shown.stderr, len(shown.json)) == (0, "", 10)
    first, second = shown.json[:2]
    assert {**first} == {
        "day": "2026-09-24", "weekday": "thu", "next": "2026-09-28", "known_until": "2026-12-31",
        "mode": "paper", "profile": "paper", "account_id": "1000000365",
    }  # fmt: skip
    assert second["day"] == "2026-09-28"
    clock("2026-12-30T10:00:00")
    assert [(row["day"], row["next"]) for row in quick_qmt("calendar", "show", "--json").json] == [
        ("2026-12-30", "2026-12-31"),
        ("2026-12-31", None),
    ]


def test_a_span_of_days(quick_qmt: Qmt) -> None:
    assert quick_qmt("calendar", "show", "--from", "20260930", "--to", "2026/10/9", "-o", "id").stdout.split() == [
        "2026-09-30",
        "2026-10-08",
        "2026-10-09",
    ]
    assert quick_qmt("calendar", "show", "--from", "2026-10-01", "--to", "2026-10-07", "--json").json == []
    whole = quick_qmt("calendar", "show", "--from", "2026-01-01", "--to", "2026-12-31", "-o", "id").stdout.split()
    assert len(whole) == 242


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("show", "--from", "tomorrow"), 2, "bad_day"),
        (("show", "--to", "2026-02-30"), 2, "bad_day"),
        (("show", "--from", "2026-11-24", "--to", "2026-11-23"), 2, "bad_span"),
        (("show", "--from", "2027-01-01"), 3, "calendar_ended"),
        (("show", "--from", "2026-12-01", "--to", "2027-01-01"), 3, "calendar_ended"),
        (("import", "gone.txt"), 3, "unreadable_file"),
        (("import", "."), 3, "unreadable_file"),
        (("import", "-"), 2, "empty_stdin"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_shown_or_imported(quick_qmt: Qmt, words: tuple[str, ...], status: int, code: str) -> None:
    done = quick_qmt("--json", "calendar", *words)
    assert (done.status, done.error["code"], done.error["exit_status"]) == (status, code, status)
    assert done.error["hint"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk"])
def test_an_import_reaches_further(quick_qmt: Qmt, stored: Path, encoding: str) -> None:
    Path("days.txt").write_bytes(f"# 交易日\r\n{TEXT}".encode(encoding))
    done = quick_qmt("calendar", "import", "days.txt", "--json")
    assert (done.status, done.stderr) == (0, "")
    assert (done.json["known_until"], done.json["added"], done.json["file"]) == (NEW[-1], len(NEW), str(stored))
    assert [file.name for file in stored.parent.iterdir()] == ["trading_days.txt"]
    shown = quick_qmt("calendar", "show", "--from", "2026-12-31", "--to", NEW[-1], "-o", "id").stdout.split()
    assert shown == ["2026-12-31", *NEW]
    again = quick_qmt("calendar", "import", "-", "--json", stdin=TEXT)
    assert (again.status, again.json["added"], again.json["known_until"]) == (0, 0, NEW[-1])


def test_a_list_that_is_refused_changes_nothing(quick_qmt: Qmt, stored: Path) -> None:
    assert quick_qmt("calendar", "import", "-", stdin=TEXT).status == 0
    before = stored.read_bytes()
    for text, line, code in (
        ("2026-12-31\n2027-01-01", 2, "calendar_closed_day"),
        ("2026-12-30\n2027-01-04", 2, "calendar_contradicts"),
        (f"{TEXT}\n2027-01-04", len(NEW) + 1, "calendar_line"),
        (f"{TEXT}\nsoon", len(NEW) + 1, "calendar_line"),
        ("2027-06-01", 1, "calendar_gap"),
    ):
        error = quick_qmt("--json", "calendar", "import", "-", stdin=text).error
        assert (error["exit_status"], error["code"], error["line"]) == (2, code, line)
    error = quick_qmt("--json", "calendar", "import", "-", stdin="# nothing\n").error
    assert (error["exit_status"], error["code"]) == (2, "calendar_empty")
    error = quick_qmt("--json", "calendar", "import", "-", stdin=b"\xff\xff\xff").error
    assert (error["exit_status"], error["code"]) == (2, "undecodable_text")
    assert stored.read_bytes() == before


def test_a_state_folder_that_is_none(quick_qmt: Qmt, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    error = quick_qmt("--json", "calendar", "import", "-", stdin=TEXT, env={"QMT_STATE": str(tmp_path / "file")}).error
    assert (error["exit_status"], error["code"]) == (3, "state_unusable")


def test_paper_trades_on_imported_days(
    quick_qmt: Qmt, user_config: Callable[[str], Path], clock: Callable[[str], None]
) -> None:
    user_config(HOURS)
    clock("2027-01-05T10:00:00")
    error = quick_qmt(*BUY).error
    assert (error["exit_status"], error["code"]) == (3, "calendar_ended")
    assert "qmt calendar import" in error["hint"]
    assert quick_qmt("calendar", "import", "-", stdin=TEXT).status == 0
    assert quick_qmt(*BUY).json["status"] == "filled"
    clock("2027-02-08T10:00:00")
    assert quick_qmt(*BUY).error["phase"] == "no_trading_day"


PARENT = """
import subprocess, sys
child = "from qmtcli.paper.exchange import current; from datetime import date;"
child += "print([str(day) for day in current().feed.trading_days(date(2026, 12, 30), date(2027, 1, 5))])"
print(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout)
"""


def test_children_of_a_paper_run_trade_on_them_too(
    quick_qmt: Qmt, user_config: Callable[[str], Path], clock: Callable[[str], None]
) -> None:
    user_config(HOURS)
    clock("2026-12-31T10:00:00")
    Path("parent.py").write_text(PARENT, encoding="utf-8")
    assert quick_qmt("calendar", "import", "-", stdin=TEXT).status == 0
    done = quick_qmt("run-strategy", "parent.py")
    assert (done.status, done.stdout.strip()) == (0, "['2026-12-30', '2026-12-31', '2027-01-04', '2027-01-05']")


def test_a_damaged_store_is_told_by_whom_it_concerns(
    quick_qmt: Qmt, stored: Path, user_config: Callable[[str], Path], clock: Callable[[str], None]
) -> None:
    clock(CLOCK)
    stored.parent.mkdir()
    stored.write_text("2027-01-04\n2027-01-03\n")
    for words in (("calendar", "show"), ("calendar", "import", "-")):
        error = quick_qmt("--json", *words, stdin=TEXT).error
        assert (error["exit_status"], error["code"], error["line"]) == (3, "calendar_damaged", 2)
        assert (error["path"], "qmt calendar import" in error["hint"]) == (str(stored), True)
    # an endless market has no need of it
    assert quick_qmt(*BUY).status == 0
    assert quick_qmt("positions").status == 0
    user_config(HOURS)
    assert quick_qmt(*BUY).error["code"] == "calendar_damaged"


def test_no_other_command_reads_it(quick_qmt: Qmt, stored: Path) -> None:
    """A store that is no file cannot be read by mistake."""
    stored.mkdir(parents=True)
    for words in (BUY, ("positions",), ("quote", "600000.SH"), ("cancel", "--all"), ("paper", "next-day")):
        assert quick_qmt(*words).status == 0
    assert quick_qmt("--json", "calendar", "show").error["code"] == "unreadable_file"
