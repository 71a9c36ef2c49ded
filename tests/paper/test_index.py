"""The index of a tape: made once, kept, and never believed when it is stale, damaged or another's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from conftest import ROOT, Result, not_on_windows
from test_folder import DAY, HEADER, NEXT, WHOLE, at, row, write

from qmtcli.errors import ConfigError
from qmtcli.paper import folder
from qmtcli.paper.folder import FolderTape
from qmtcli.paper.tape import Tick

CODE = "600000.SH"
NAME = f"{CODE}_20230207_tick.csv"


@pytest.fixture
def tapes(tmp_path: Path) -> Path:
    """A folder with a day of ticks."""
    found = tmp_path / "tapes"
    found.mkdir()
    write(found / NAME, HEADER, *lines())
    return found


@pytest.fixture
def bars(tapes: Path) -> Path:
    """With bars in it too."""
    path = tapes / f"{CODE}_1d.csv"
    write(path, "date,open,high,low,close,volume", "2023-02-06,9.9,10,9.8,9.95,1234")
    return path


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where indexes are kept."""
    return tmp_path / "kept"


def lines(last: str = "10.00", count: int = 200) -> list[str]:
    return [row(at(10, 0, 0) + 3000 * n, last, volume=str(n)) for n in range(count)]


def ticks(tapes: Path, kept: Path | None) -> list[Tick]:
    return list(FolderTape(tapes, kept).ticks(CODE, DAY, *WHOLE))


def indexes(kept: Path) -> list[Path]:
    return sorted(kept.rglob("*.index"))


def spoil(path: Path) -> None:
    """Make a file unreadable in such a way that an index of it is still believed."""
    state = path.stat()
    path.write_bytes(b"?" * state.st_size)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def everything(tapes: Path, kept: Path | None) -> list[object]:
    """All that a tape can be asked for."""
    tape = FolderTape(tapes, kept)
    first, last = date(2023, 1, 1), date(2023, 12, 31)
    return [
        tape.codes(), tape.days(), tape.preclose(CODE, DAY), tape.preclose(CODE, NEXT),
        tape.tick(CODE, DAY, 36_100_000), tape.ticks(CODE, DAY, *WHOLE),
        list(tape.approaches(CODE, DAY, 36_100_000, 86_400_000, 9_990, 0)),
        list(tape.approaches(CODE, DAY, -1, 86_400_000, 10_000, 0)), tape.bars(CODE, "1d", first, last),
        tape.bars(CODE, "1m", first, last),
    ]  # fmt: skip


# -- kept ------------------------------------------------------------------------------------------------------


def test_what_was_read_once_is_not_read_again(tapes: Path, bars: Path, kept: Path) -> None:
    expected = everything(tapes, None)
    assert everything(tapes, kept) == expected
    assert [path.name for path in indexes(kept)] == [f"{bars.name}.index", f"{NAME}.index"]
    for path in tapes.iterdir():
        spoil(path)
    assert everything(tapes, kept) == expected
    with pytest.raises(ConfigError):
        everything(tapes, None)


def test_nothing_is_kept_unless_there_is_a_place_for_it(tapes: Path) -> None:
    before = sorted(tapes.rglob("*"))
    assert len(ticks(tapes, None)) == 200
    assert sorted(tapes.rglob("*")) == before


def test_files_of_many_codes_and_days_in_several_files_are_kept_too(tapes: Path, kept: Path) -> None:
    write(tapes / "market.csv", f"stock_code,{HEADER}", *[f"{code},{row(at(11))}" for code in (CODE, "000001.SZ")])
    expected = everything(tapes, None)
    assert len(ticks(tapes, kept)) == 201
    assert everything(tapes, kept) == expected
    for path in tapes.iterdir():
        spoil(path)
    assert everything(tapes, kept) == expected
    assert FolderTape(tapes, kept).tick("000001.SZ", DAY, 40_000_000) is not None


def test_two_folders_do_not_share_an_index(tapes: Path, kept: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(other / NAME, HEADER, *lines("10.01"))
    os.utime(other / NAME, ns=(0, (tapes / NAME).stat().st_mtime_ns))
    assert {tick.last for tick in ticks(tapes, kept)} == {10_000}
    assert {tick.last for tick in ticks(other, kept)} == {10_010}
    assert {tick.last for tick in ticks(tapes, kept)} == {10_000}


# -- stale -----------------------------------------------------------------------------------------------------


def test_a_tape_that_grew_is_read_again(tapes: Path, kept: Path) -> None:
    assert len(ticks(tapes, kept)) == 200
    modified = (tapes / NAME).stat().st_mtime_ns
    write(tapes / NAME, HEADER, *lines(count=201))
    os.utime(tapes / NAME, ns=(modified, modified))
    assert len(ticks(tapes, kept)) == 201


def test_a_tape_written_anew_is_read_again(tapes: Path, kept: Path) -> None:
    ticks(tapes, kept)
    modified = (tapes / NAME).stat().st_mtime_ns
    write(tapes / NAME, HEADER, *lines("10.01"))
    os.utime(tapes / NAME, ns=(modified, modified + 100))  # the finest step of NTFS
    assert {tick.last for tick in ticks(tapes, kept)} == {10_010}


def test_a_unit_told_later_is_heeded(tapes: Path, kept: Path) -> None:
    assert ticks(tapes, kept)[0].asks[0] == (10_010, 100)
    write(tapes / "instruments.csv", "code,levels", f"{CODE},shares")
    assert ticks(tapes, kept)[0].asks[0] == (10_010, 1)
    write(tapes / "instruments.csv", "code,name,levels", f"{CODE},浦发银行,shares")
    spoil(tapes / NAME)
    assert ticks(tapes, kept)[0].asks[0] == (10_010, 1)


def test_an_index_of_another_qmt_is_made_anew(tapes: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ticks(tapes, kept)
    (path,) = indexes(kept)
    now = path.read_bytes()
    monkeypatch.setattr("qmtcli.paper.index._FORMAT", "0 earlier")
    assert ticks(tapes, kept) == expected
    assert path.read_bytes() != now
    monkeypatch.undo()
    assert ticks(tapes, kept) == expected
    assert path.read_bytes() == now


def test_a_bad_tape_leaves_no_index_and_says_so_each_time(tapes: Path, kept: Path) -> None:
    write(tapes / NAME, HEADER, *lines(), row(at(11), "ten"))
    for _ in range(2):
        with pytest.raises(ConfigError) as caught:
            ticks(tapes, kept)
        assert caught.value.params["line"] == 202
    assert indexes(kept) == []
    write(tapes / NAME, HEADER, *lines())
    assert len(ticks(tapes, kept)) == 200


def test_a_tape_that_is_gone_is_named(tapes: Path, kept: Path) -> None:
    tape = FolderTape(tapes, kept)
    (tapes / NAME).unlink()
    with pytest.raises(ConfigError) as caught:
        tape.tick(CODE, DAY, 0)
    assert (caught.value.code, caught.value.params["file"]) == ("tape_unreadable", str(tapes / NAME))


# -- damaged ---------------------------------------------------------------------------------------------------


def damages(size: int) -> list[Callable[[bytes], bytes]]:
    """Ways to damage a file: a byte changed here and there, the rest cut off, and worse."""

    def changed(at: int) -> Callable[[bytes], bytes]:
        return lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    def cut(at: int) -> Callable[[bytes], bytes]:
        return lambda data: data[:at]

    spots = sorted({*range(16), *range(16, size, max(1, size // 40)), size - 1})
    return [*map(changed, spots), *map(cut, spots), lambda data: b"?" * len(data)]


def test_a_damaged_index_is_made_anew(tapes: Path, kept: Path) -> None:
    expected = ticks(tapes, kept)
    (path,) = indexes(kept)
    whole = path.read_bytes()
    for damage in damages(len(whole)):
        path.write_bytes(damage(whole))
        assert ticks(tapes, kept) == expected
        assert path.read_bytes() == whole


def test_an_index_damaged_or_replaced_while_it_is_in_use_is_made_anew(tapes: Path, bars: Path, kept: Path) -> None:
    expected = everything(tapes, kept)
    tape = FolderTape(tapes, kept)
    assert tape.preclose(CODE, DAY) == 9_950
    for path in indexes(kept):
        path.write_bytes(b"")
    assert tape.ticks(CODE, DAY, *WHOLE) == expected[5]
    assert list(tape.bars(CODE, "1d", date(2023, 1, 1), DAY)) == expected[8]
    for path in indexes(kept):
        path.unlink()
    assert tape.tick(CODE, DAY, 36_100_000) == expected[4]
    tape = FolderTape(tapes, kept)
    assert tape.preclose(CODE, DAY) == 9_950
    write(tapes / NAME, HEADER, *lines("10.01", 300))
    other = ticks(tapes, kept)
    assert tape.ticks(CODE, DAY, *WHOLE) == other


# -- where it cannot be written ------------------------------------------------------------------------------------


def test_where_nothing_can_be_written_it_stays_in_memory(tapes: Path, kept: Path) -> None:
    expected = everything(tapes, None)
    kept.write_text("no folder")
    assert everything(tapes, kept) == expected
    assert kept.read_text() == "no folder"


@not_on_windows("a process has no such limits")
def test_a_disk_that_takes_no_more(tapes: Path, kept: Path) -> None:
    import resource

    expected = ticks(tapes, None)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        assert ticks(tapes, kept) == expected
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path for path in kept.rglob("*") if path.is_file()] == []


def test_what_a_killed_process_left_is_cleared_away(tapes: Path, kept: Path) -> None:
    expected = ticks(tapes, kept)
    (path,) = indexes(kept)
    left = path.with_name(f"{path.name}.4711-00c0ffee.part")
    left.write_bytes(path.read_bytes()[:100])
    assert ticks(tapes, kept) == expected
    path.unlink()
    assert ticks(tapes, kept) == expected
    assert sorted(path.parent.iterdir()) == [path]


def test_many_processes_at_once(tapes: Path, kept: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from datetime import date; from qmtcli.paper.folder import FolderTape\n"
        "tape = FolderTape(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "sys.stdin.read()\n"
        f"print(hash(tuple(tape.ticks({CODE!r}, date(2023, 2, 7), -1, 86400000))))\n"
    )
    command = [sys.executable, "-c", script, str(tapes), str(kept)]
    crowd = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) for _ in range(4)
    ]
    told = [process.communicate()[0] for process in crowd]
    assert set(told) == {f"{hash(tuple(ticks(tapes, None)))}\n"}
    assert [path.name for path in kept.rglob("*") if path.is_file()] == [f"{NAME}.index"]


# -- whoever watches ---------------------------------------------------------------------------------------------


def test_reading_is_told_as_it_goes(tapes: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str | None] = []
    monkeypatch.setattr(folder, "watch", lambda path: told.append(path and path.name))
    ticks(tapes, kept)
    assert [name for name, before in zip(told, [None, *told], strict=False) if name != before] == [NAME, None]
    ticks(tapes, kept)
    assert told[-1] is None
    assert told.count(None) == 1
    write(tapes / NAME, HEADER, "1")
    with pytest.raises(ConfigError):
        ticks(tapes, kept)
    assert told[-1] is None


def test_a_run_keeps_its_indexes_beside_the_account(
    qmt: Callable[..., Result], tapes: Path, tmp_path: Path, user_config: Callable[[str], Path]
) -> None:
    user_config(f"profiles: {{paper: {{market: {tapes}, hours: exchange}}}}")
    env = {"QMT_PAPER_CLOCK": "2023-02-07T10:05:00"}
    asked = ("quote", CODE, "--json")
    first = qmt(*asked, env=env)
    assert (first.status, first.stderr) == (0, "")
    assert [path.name for path in indexes(tmp_path / "state" / "paper" / "paper" / "tapes")] == [f"{NAME}.index"]
    spoil(tapes / NAME)
    assert qmt(*asked, env=env) == first
