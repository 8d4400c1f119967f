"""The outbox keeps what it was told: through kills, full disks and many threads."""

import signal
import sqlite3
import stat
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from firmware.database import HEARD
from firmware.delivery.outbox import Outbox, OutboxFault
from scanner.alert import (
    AckData,
    Acknowledged,
    Message,
    StatsData,
    TallyData,
    new_id,
    new_key,
    public_of,
    sign,
    source_of,
    topic_of,
    unseal,
)
from tests.delivery.both_ends import MARKS, NOW, alert, victim

KEY = new_key()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "data" / "outbox.db", "desk-1", MARKS)


def acknowledgement(
    outbox: Outbox, *ids: str, counter: int = 1, epoch: str | None = None
) -> AckData:
    numbers = {one.id: one.n for one in outbox.waiting(1000)}
    return AckData(
        device="desk-1",
        counter=counter,
        committed=tuple(
            Acknowledged(id=id_, epoch=epoch or outbox.epoch(), n=numbers.get(id_, 1))
            for id_ in ids
        ),
    )


def test_what_is_put_waits_signed_and_in_sequence(outbox: Outbox) -> None:
    ids = [outbox.put_alert(alert(), NOW) for _ in range(3)]
    waiting = outbox.waiting(10)
    assert [one.id for one in waiting] == ids
    events = [
        unseal(topic_of(one.message, "desk-1"), sign(one.body, KEY), lambda _: [public_of(KEY)])
        for one in waiting
        if one.body
    ]
    assert [(event.epoch, event.n) for event in events] == [(outbox.epoch(), n) for n in (1, 2, 3)]
    assert {event.source for event in events} == {source_of("desk-1")}


def test_the_file_and_its_log_are_their_owner_s_alone(tmp_path: Path, outbox: Outbox) -> None:
    outbox.put_alert(alert(), NOW)
    files = sorted((tmp_path / "data").iterdir())
    assert files
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_messages_of_every_kind_share_one_sequence_without_gaps(outbox: Outbox) -> None:
    stats = StatsData(since=NOW, until=NOW, counts={"CLEAR": 7}, suppressed_below=5)
    outbox.put_alert(alert(), NOW)
    outbox.put(Message.STATS, stats, NOW)
    outbox.put(Message.ALERT, alert(), NOW)
    assert [(one.n, one.message) for one in outbox.waiting(10)] == [
        (1, Message.ALERT),
        (2, Message.STATS),
        (3, Message.ALERT),
    ]


def test_many_threads_at_once_leave_no_gap_and_lose_nothing(outbox: Outbox) -> None:
    put: list[str] = []

    def work() -> None:
        for _ in range(25):
            put.append(outbox.put_alert(alert(), NOW))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waiting = outbox.waiting(1000)
    assert [one.n for one in waiting] == list(range(1, 101))
    assert {one.id for one in waiting} == set(put)


def test_what_was_put_is_there_after_a_kill(tmp_path: Path) -> None:
    process = victim("put", str(tmp_path / "outbox.db"), "20")
    said, _ = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    waiting = Outbox(tmp_path / "outbox.db", "desk-1", MARKS).waiting(100)
    assert [one.id for one in waiting] == said.decode().split()
    assert len(waiting) == 20


def test_a_full_disk_is_one_typed_fault_and_costs_no_number(tmp_path: Path) -> None:
    process = victim("fill", str(tmp_path / "outbox.db"))
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    fault, count = said.decode().splitlines()
    assert str(tmp_path / "outbox.db") in fault
    assert 1 < int(count) < 1000


def test_a_damaged_file_is_one_typed_fault(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").write_bytes(b"this is no database, whatever its name says" * 100)
    outbox = Outbox(tmp_path / "outbox.db", "desk-1", MARKS)
    with pytest.raises(OutboxFault, match="damaged; move it away"):
        outbox.put_alert(alert(), NOW)


def test_a_folder_that_cannot_be_is_one_typed_fault_and_mends(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the place of the folder")
    outbox = Outbox(tmp_path / "data" / "outbox.db", "desk-1", MARKS)
    with pytest.raises(OutboxFault, match=r"outbox\.db"):
        outbox.put_alert(alert(), NOW)
    (tmp_path / "data").unlink()
    outbox.put_alert(alert(), NOW)
    assert [one.n for one in outbox.waiting(10)] == [1]


def test_an_acknowledgement_ends_exactly_what_it_names(outbox: Outbox) -> None:
    first, second = outbox.put_alert(alert(), NOW), outbox.put_alert(alert(), NOW)
    assert outbox.acknowledge(acknowledgement(outbox, first), NOW) == [1]
    assert [one.id for one in outbox.waiting(10)] == [second]
    assert outbox.queued() == 1


def test_an_acknowledgement_said_before_is_none(outbox: Outbox) -> None:
    first, second = outbox.put_alert(alert(), NOW), outbox.put_alert(alert(), NOW)
    late = acknowledgement(outbox, second, counter=5)
    assert outbox.acknowledge(acknowledgement(outbox, first, counter=5), NOW) == [1]
    assert outbox.acknowledge(late, NOW) is None
    assert outbox.queued() == 1


def test_acknowledgements_that_overtake_one_another_both_count_once(outbox: Outbox) -> None:
    first, second = (outbox.put_alert(alert(), NOW) for _ in range(2))
    earlier = acknowledgement(outbox, first, counter=5)
    assert outbox.acknowledge(acknowledgement(outbox, second, counter=6), NOW) == [2]
    assert outbox.acknowledge(earlier, NOW) == [1]
    assert outbox.acknowledge(earlier, NOW) is None


def test_one_that_was_overtaken_by_many_counts_no_more(outbox: Outbox) -> None:
    first = outbox.put_alert(alert(), NOW)
    for counter in range(10, 10 + HEARD + 1):
        outbox.acknowledge(acknowledgement(outbox, new_id(), counter=counter), NOW)
    assert outbox.acknowledge(acknowledgement(outbox, first, counter=10), NOW) is None
    assert outbox.acknowledge(acknowledgement(outbox, first, counter=9), NOW) is None
    assert outbox.queued() == 1


def test_an_acknowledgement_from_before_central_said_what_it_holds_counts_no_more(
    outbox: Outbox,
) -> None:
    first = outbox.put_alert(alert(), NOW)
    held_back = acknowledgement(outbox, first, counter=5)
    tally = TallyData(device="desk-1", counter=7, epoch=outbox.epoch(), high=0)
    assert outbox.reconcile(tally, NOW) is not None
    assert outbox.acknowledge(held_back, NOW) is None
    assert outbox.queued() == 1


def test_an_acknowledgement_of_another_epoch_or_place_ends_nothing(outbox: Outbox) -> None:
    first, second = outbox.put_alert(alert(), NOW), outbox.put_alert(alert(), NOW)
    assert outbox.acknowledge(acknowledgement(outbox, first, epoch=new_id()), NOW) == []
    swapped = Acknowledged(id=first, epoch=outbox.epoch(), n=2)
    ack = AckData(device="desk-1", counter=2, committed=(swapped,))
    assert outbox.acknowledge(ack, NOW) == []
    assert [one.id for one in outbox.waiting(10)] == [first, second]


def test_only_what_is_done_and_old_is_removed(outbox: Outbox) -> None:
    first, _ = outbox.put_alert(alert(), NOW), outbox.put_alert(alert(), NOW)
    outbox.acknowledge(acknowledgement(outbox, first), NOW)
    keep = timedelta(days=30)
    assert outbox.purge(NOW + timedelta(days=29), keep) == 0
    assert outbox.purge(NOW + timedelta(days=31), keep) == 1
    assert outbox.purge(NOW + timedelta(days=9999), keep) == 0
    assert outbox.queued() == 1


def test_a_new_file_is_a_new_epoch_and_an_old_one_goes_on(tmp_path: Path) -> None:
    one = Outbox(tmp_path / "one.db", "desk-1", MARKS)
    one.put_alert(alert(), NOW)
    one.close()
    again = Outbox(tmp_path / "one.db", "desk-1", MARKS)
    again.put_alert(alert(), NOW)
    assert [row.n for row in again.waiting(10)] == [1, 2]
    assert again.epoch() == one.epoch()
    assert Outbox(tmp_path / "other.db", "desk-1", MARKS).epoch() != one.epoch()


def test_the_boot_number_grows_with_every_start_even_where_the_clock_stands(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db", "desk-1", MARKS)
    earlier = NOW - timedelta(days=3000)
    boots = [outbox.next_boot(now) for now in (NOW, NOW, earlier)]
    assert boots == sorted(set(boots))


def test_the_card_holds_no_deleted_document(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db", "desk-1", MARKS)
    first = outbox.put_alert(alert(), NOW)
    with sqlite3.connect(tmp_path / "outbox.db") as other:
        ((packed,),) = other.execute("SELECT data FROM event").fetchall()
    other.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert packed[20:] in content
    outbox.acknowledge(acknowledgement(outbox, first), NOW)
    outbox.purge(NOW + timedelta(days=31), timedelta(days=30))
    outbox.close()
    assert [path.name for path in tmp_path.iterdir()] == ["outbox.db"]
    assert packed[20:] not in (tmp_path / "outbox.db").read_bytes()
