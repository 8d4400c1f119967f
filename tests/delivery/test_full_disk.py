"""A disk that is full, or that turns read-only: the hit is shown with the fault beside it, and the
alert is written as soon as the disk takes it."""

import logging
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from firmware.delivery.outbox import Outbox, OutboxFault
from firmware.delivery.unwritten import Unwritten
from firmware.panel import PATTERNS
from scanner.verdict import Outcome
from tests.delivery.both_ends import MARKS, NOW, alert, wait_for
from tests.desk.desk_fixture import LISTED, WholeDesk, typed

may_mount = os.geteuid() == 0 and shutil.which("mount") is not None


class SmallDisk:
    """A file system of its own, in memory, of 1 MiB."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def mount(self, options: str) -> bool:
        line = ["mount", "-t", "tmpfs", "-o", options, "borderpost-test", str(self.folder)]
        return subprocess.run(line, capture_output=True, check=False).returncode == 0

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)

    def fill(self) -> None:
        """Leaves not a byte."""
        with (self.folder / "filler").open("ab", buffering=0) as filler:
            block = 4096
            while block:
                try:
                    filler.write(b"\0" * block)
                except OSError:
                    block //= 2

    def make_room(self) -> None:
        (self.folder / "filler").unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    one = SmallDisk(folder)
    if not (may_mount and one.mount("size=1m")):
        pytest.skip("a file system of its own can be mounted only by root")
    yield one
    one.unmount()


def test_a_disk_that_fills_up_under_the_log_loses_nothing_that_was_put(disk: SmallDisk) -> None:
    outbox = Outbox(disk.folder / "outbox.db", "desk-1", MARKS)
    put = [outbox.put_alert(alert(), NOW)]
    disk.fill()
    with pytest.raises(OutboxFault, match="the disk is full; make room"):
        for _ in range(2000):
            put.append(outbox.put_alert(alert(), NOW))
    assert [one.id for one in outbox.waiting(5000)] == put
    assert outbox.queued() == len(put)
    disk.make_room()
    put.append(outbox.put_alert(alert(), NOW))
    waiting = outbox.waiting(5000)
    assert [one.id for one in waiting] == put
    assert [one.n for one in waiting] == list(range(1, len(put) + 1))


def test_a_disk_that_turns_read_only_is_one_typed_fault_and_mends(disk: SmallDisk) -> None:
    outbox = Outbox(disk.folder / "outbox.db", "desk-1", MARKS)
    first = outbox.put_alert(alert(), NOW)
    outbox.close()
    assert disk.mount("remount,ro")
    with pytest.raises(OutboxFault, match="cannot be written; mend the permissions or the disk"):
        outbox.put_alert(alert(), NOW)
    assert disk.mount("remount,rw")
    outbox.put_alert(alert(), NOW)
    assert [one.n for one in outbox.waiting(9)] == [1, 2]
    assert outbox.waiting(1)[0].id == first


def test_a_hit_on_a_full_disk_is_shown_with_the_fault_and_written_when_there_is_room(
    tmp_path: Path, disk: SmallDisk, caplog: pytest.LogCaptureFixture
) -> None:
    whole = WholeDesk(tmp_path)
    outbox = Outbox(disk.folder / "outbox.db", "desk-1", MARKS)
    whole.desk._outbox = outbox
    outbox.epoch()
    disk.fill()
    shown = whole.desk.handle(typed(LISTED))
    while shown.alert_id is not None:
        shown = whole.desk.handle(typed(LISTED))
    assert shown.examination.verdict is not None
    assert shown.examination.verdict.outcome is Outcome.HIT
    assert whole.lamps.shown[-1] == PATTERNS[Outcome.HIT]
    assert "the alert is not yet on disk" in shown.faults[0]
    assert "the disk is full; make room" in shown.faults[0]
    written = outbox.queued()

    disk.make_room()
    stop = Event()
    running = threading.Thread(target=whole.desk.run, args=(stop,))
    running.start()
    with caplog.at_level(logging.INFO):
        wait_for(lambda: whole.desk.unwritten == 0)
    stop.set()
    running.join(5)
    assert outbox.queued() == written + 1
    assert "L898902C3" not in caplog.text


def test_what_the_disk_refuses_is_kept_in_bounded_memory_and_in_order() -> None:
    unwritten = Unwritten(room=3)
    assert [unwritten.keep(alert(f"A{n}")) for n in range(5)] == [True] * 3 + [False] * 2
    written: list[str] = []

    def refuse(_: object) -> None:
        raise OutboxFault("the disk is full")

    assert unwritten.write(refuse) == 0
    assert len(unwritten) == 3
    assert unwritten.write(lambda one: written.append(one.document.number)) == 3
    assert written == ["A0", "A1", "A2"]


def test_a_desk_without_room_even_in_memory_says_to_tell_central(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = WholeDesk(tmp_path)
    whole.desk._unwritten = Unwritten(room=0)

    def refuse(*_: object, **__: object) -> None:
        raise OutboxFault("outbox.db: the disk is full; make room")

    monkeypatch.setattr(whole.outbox, "put_alert", refuse)
    shown = whole.desk.handle(typed(LISTED))
    assert whole.lamps.shown == [PATTERNS[Outcome.HIT]]
    assert "tell central yourself" in shown.faults[1]


def test_a_thousand_unwritten_alerts_take_less_than_half_a_megabyte() -> None:
    unwritten = Unwritten()
    for n in range(1000):
        unwritten.keep(alert(f"X{n:08}"))
    assert sum(len(one) for one in unwritten._alerts) < 500_000


def test_a_desk_that_stops_with_unwritten_alerts_tries_once_more_and_says_how_many_it_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = WholeDesk(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise OutboxFault("outbox.db: the disk is full; make room")

    stop = Event()
    stop.set()
    with monkeypatch.context() as full:
        full.setattr(whole.outbox, "put_alert", refuse)
        whole.desk.handle(typed(LISTED))
        whole.desk.run(stop)
    assert "1 alerts end with this process" in caplog.text
    whole.desk.run(stop)
    assert whole.outbox.queued() == 1
    assert "L898902C3" not in caplog.text
