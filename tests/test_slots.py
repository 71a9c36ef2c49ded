"""Session ids of a live terminal: whose they are, how long they rest, what they leave on the disk."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import ROOT

from qmtcli.errors import NotConnected
from qmtcli.xt import slots
from qmtcli.xt.link import Slot

TERMINAL = "/terminal/userdata_mini"


class Desk:
    """A pool with a clock that stands until somebody sleeps."""

    def __init__(self, folder: Path, terminal: str = TERMINAL) -> None:
        self.folder, self.terminal = folder, terminal
        self.now = 1_000.0
        self.slept = 0.0

    def take(self, seconds: float = slots.WAIT_SECONDS) -> Slot:
        return slots.take(self.folder, self.terminal, seconds, lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds

    def uses(self) -> dict[int, str]:
        return {use.session_id: use.state for use in slots.uses(self.folder, self.terminal, lambda: self.now)}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_each_gets_an_id_of_his_own_the_lowest_first(desk: Desk) -> None:
    taken = [desk.take().session_id for _ in range(slots.SIZE)]
    assert taken == list(range(slots.FIRST, slots.FIRST + slots.SIZE))
    assert set(desk.uses().values()) == {"in_use"}


def test_terminals_have_ids_of_their_own(desk: Desk, tmp_path: Path) -> None:
    assert desk.take().session_id == Desk(tmp_path, "/other/userdata_mini").take().session_id


def test_an_id_that_was_connected_rests_three_seconds(desk: Desk) -> None:
    desk.take().release(True)
    assert desk.uses() == {slots.FIRST: "resting"}
    desk.now += 2.9
    assert desk.take().session_id == slots.FIRST + 1
    desk.now += 0.1
    assert desk.take().session_id == slots.FIRST
    assert desk.slept == 0


def test_an_id_that_never_was_connected_needs_no_rest(desk: Desk) -> None:
    for _ in range(3):
        slot = desk.take()
        assert slot.session_id == slots.FIRST
        slot.release(False)


def test_where_all_rest_the_first_that_has_rested_is_waited_for(desk: Desk) -> None:
    taken = [desk.take() for _ in range(slots.SIZE)]
    for slot in taken[1:]:
        slot.release(True)
        desk.now += 0.1
    assert desk.take().session_id == taken[1].session_id
    assert desk.slept == pytest.approx(3 - 0.1 * (slots.SIZE - 1), abs=0.11)


def test_a_clock_that_was_set_back_makes_no_rest_longer(desk: Desk) -> None:
    for slot in [desk.take() for _ in range(slots.SIZE)]:
        slot.release(True)
    desk.now -= 3_600
    desk.take()
    assert desk.slept == pytest.approx(3, abs=0.11)


def test_while_all_are_in_use_one_waits_and_gives_up(desk: Desk) -> None:
    taken = [desk.take() for _ in range(slots.SIZE)]
    with pytest.raises(NotConnected, match="no_free_session"):
        desk.take()
    assert desk.slept == pytest.approx(slots.WAIT_SECONDS, abs=0.2)
    with pytest.raises(NotConnected, match="no_free_session"):
        desk.take(0.7)
    assert desk.slept == pytest.approx(slots.WAIT_SECONDS + 0.7, abs=0.3)
    taken[5].release(False)
    assert desk.take().session_id == taken[5].session_id


def test_another_thread_may_let_an_id_go(desk: Desk) -> None:
    slot = desk.take()
    leaving = threading.Thread(target=slot.release, args=(False,))
    leaving.start()
    leaving.join()
    assert desk.take().session_id == slot.session_id


HOLDER = """\
import sys
from pathlib import Path
from qmtcli.xt import slots
print(slots.take(Path(sys.argv[1]), sys.argv[2]).session_id, flush=True)
sys.stdin.read()
"""


def test_of_a_process_that_was_killed_the_rest_begins_when_it_is_found(desk: Desk, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path), TERMINAL]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as holder:
        assert holder.stdout is not None and int(holder.stdout.readline()) == slots.FIRST
        assert desk.uses() == {slots.FIRST: "in_use"}
        other = desk.take()
        assert other.session_id == slots.FIRST + 1
        holder.kill()
    assert desk.uses() == {slots.FIRST: "killed", slots.FIRST + 1: "in_use"}
    assert desk.take().session_id == slots.FIRST + 2
    desk.now += 3
    assert desk.take().session_id == slots.FIRST


def test_queue_files_of_free_ids_are_removed_and_no_others(tmp_path: Path) -> None:
    terminal = tmp_path / "userdata_mini"
    terminal.mkdir()
    desk = Desk(tmp_path / "slots", str(terminal))
    in_use, resting, free = desk.take(), desk.take(), desk.take()
    strangers = terminal / "down_queue_7"
    for number in (7, in_use.session_id, resting.session_id, free.session_id):
        (terminal / f"down_queue_{number}").write_bytes(b"12345")
    resting.release(True)
    free.release(False)
    cleaned = slots.clean(desk.folder, desk.terminal, lambda: desk.now)
    assert [(use.session_id, use.state, use.size) for use in cleaned] == [
        (in_use.session_id, "in_use", 5), (resting.session_id, "resting", 5), (free.session_id, "free", None),
    ]  # fmt: skip
    assert sorted(file.name for file in terminal.iterdir()) == sorted(
        [strangers.name, f"down_queue_{in_use.session_id}", f"down_queue_{resting.session_id}"]
    )
    desk.now += 3
    assert [use.size for use in slots.clean(desk.folder, desk.terminal, lambda: desk.now)] == [5, None]
    assert strangers.exists()
