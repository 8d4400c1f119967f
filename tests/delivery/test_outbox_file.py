"""The outbox's file: small, quick however much waits, and taken over from the first release."""

import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from firmware.delivery.outbox import Outbox
from firmware.delivery.packing import PRESENT, Damaged, packed, unpacked
from scanner.alert import (
    AckData,
    Acknowledged,
    AlertData,
    Event,
    Message,
    Missing,
    StatsData,
    TallyData,
    body_of,
    new_id,
    new_key,
    seal,
    sign,
    source_of,
    topic_of,
    unseal,
)
from tests.delivery.both_ends import MARKS, NOW, alert

KEY = new_key()
STATS = StatsData(since=NOW, until=NOW, counts={"CLEAR": 7}, suppressed_below=5)
FIRST_FORMAT = """
CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE epoch (id TEXT NOT NULL);
CREATE TABLE message (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
  document BLOB, payload BLOB NOT NULL, put_at REAL NOT NULL, done_at REAL);
CREATE INDEX waiting ON message (n) WHERE done_at IS NULL;
CREATE INDEX done ON message (done_at) WHERE done_at IS NOT NULL;
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def varied(dice: random.Random) -> AlertData:
    """An alert about somebody else each time."""
    one = alert("".join(dice.choices("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", k=9)), NOW)
    document = one.document.model_copy(
        update={
            "surname": "".join(dice.choices("ABCDEFGHIKLMNOPRSTUVYZ", k=dice.randint(4, 16))),
            "given_names": "".join(dice.choices("ABCDEFGHIKLMNO ", k=dice.randint(4, 16))).strip(),
            "birth_date": f"19{dice.randint(30, 99)}-{dice.randint(1, 12):02}-11",
        }
    )
    at = NOW + timedelta(seconds=dice.random() * 1e7)
    return one.model_copy(update={"document": document, "captured_at": at})


def event_of(outbox: Outbox) -> Iterator[Event]:
    """What waits, as central reads it."""
    for one in outbox.waiting(1000):
        payload = sign(one.body or b"", KEY)
        yield unseal(topic_of(one.message, "desk-1"), payload, lambda _: [KEY])


def test_an_alert_takes_less_than_half_a_kilobyte_of_the_card(path: Path) -> None:
    outbox = Outbox(path, "desk-1", MARKS)
    dice, count = random.Random(7), 1500  # noqa: S311
    for _ in range(count):
        outbox.put_alert(varied(dice), NOW)
    outbox.close()
    assert path.stat().st_size / count < 400


def test_what_was_packed_comes_out_as_it_went_in_and_smaller() -> None:
    content = varied(random.Random(1)).model_dump_json().encode()  # noqa: S311
    assert unpacked(packed(content), PRESENT) == content
    assert len(packed(content)) < len(content) / 3
    for damaged in (packed(content)[:-9], b"", b"\xff" * 40):
        with pytest.raises(Damaged):
            unpacked(damaged, PRESENT)
    with pytest.raises(Damaged):
        unpacked(packed(content), PRESENT + 1)


def test_a_row_that_the_first_dictionary_packed_is_read_by_every_later_release() -> None:
    row = bytes.fromhex("ab462de80d0c8128046c30b6821e2a6d88ada08796cae6388a6400")
    assert unpacked(row, 1) == (
        b'{"since":"2026-01-01T00:00:00Z","until":"2026-01-01T01:00:00Z",'
        b'"counts":{"CLEAR":7},"suppressed_below":5}'
    )


def test_a_message_is_sent_as_it_was_put(path: Path) -> None:
    outbox = Outbox(path, "desk-1", MARKS)
    said = varied(random.Random(3))  # noqa: S311
    now = datetime(2026, 11, 23, 12, 0, 0, 123457, tzinfo=UTC)
    outbox.put_alert(said, now)
    outbox.put(Message.STATS, STATS, now)
    first, second = event_of(outbox)
    assert (first.data, first.time, first.n, first.epoch) == (said, now, 1, outbox.epoch())
    assert (second.data, second.time, second.n) == (STATS, now, 2)


def test_a_row_that_the_card_has_damaged_holds_up_no_other(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Outbox(path, "desk-1", MARKS)
    damaged, whole = outbox.put_alert(alert(), NOW), outbox.put_alert(alert(), NOW)
    with sqlite3.connect(path) as other:
        other.execute("UPDATE event SET data = zeroblob(40) WHERE place = 1")
    other.close()
    assert [(one.id, one.body is None) for one in outbox.waiting(9)] == [
        (damaged, True),
        (whole, False),
    ]
    assert f"message {damaged} is damaged" in caplog.text


def test_what_waits_is_found_and_counted_without_a_look_at_what_is_done(path: Path) -> None:
    outbox = Outbox(path, "desk-1", MARKS)
    outbox.put_alert(alert(), NOW)
    with sqlite3.connect(path) as other:
        other.execute(
            "WITH RECURSIVE n (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n LIMIT 20000)"
            " INSERT INTO event SELECT n, randomblob(16), 'alert', NULL, 0, 1, x'00', 1 FROM n"
        )
        other.execute("UPDATE counter SET value = 20001 WHERE name = 'place'")
    other.close()
    last = outbox.put_alert(alert(), NOW)
    steps: list[None] = []
    with outbox._database.look() as db:
        db.set_progress_handler(lambda: steps.append(None), 100)
    assert [one.id for one in outbox.waiting(9)][1:] == [last]
    assert outbox.waiting_of([20002])[0].id == last
    assert (outbox.queued(), outbox.last_n()) == (2, 20002)
    assert len(steps) < 20, "a look at 20,000 rows takes more than a thousand"


def test_a_file_of_the_first_release_is_taken_over_with_all_that_it_holds(path: Path) -> None:
    epoch, source = new_id(), source_of("desk-1")
    events = [
        Event(Message.ALERT, new_id(), source, NOW, alert("DONE1"), epoch, 1),
        Event(Message.STATS, new_id(), source, NOW, STATS, epoch, 2),
        Event(Message.ALERT, new_id(), source, NOW + timedelta(days=1), alert(), epoch, 3),
    ]
    with sqlite3.connect(path) as old:
        old.executescript(FIRST_FORMAT)
        old.execute("INSERT INTO epoch VALUES (?)", (epoch,))
        old.execute("INSERT INTO counter VALUES ('n', 3), ('boot', 77)")
        old.execute("INSERT INTO mark VALUES ('ack', 5)")
        for event, done_at in zip(events, (NOW.timestamp(), None, None), strict=True):
            row = (event.n, event.id, event.message, b"m", seal(event, KEY), event.time.timestamp())
            old.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, done_at))
    old.close()

    outbox = Outbox(path, "desk-1", MARKS)
    assert list(event_of(outbox)) == events[1:]
    assert (outbox.epoch(), outbox.last_n()) == (epoch, 3)
    assert (outbox.queued(), outbox.queued_alerts()) == (2, 1)
    assert outbox.document_of(events[0].id) == b"m"
    outbox.put_alert(alert(), NOW)
    assert [event.n for event in event_of(outbox)] == [2, 3, 4]
    named = Acknowledged(id=events[2].id, epoch=epoch, n=3)
    assert outbox.acknowledge(AckData(device="desk-1", counter=5, committed=(named,)), NOW) is None
    assert outbox.acknowledge(AckData(device="desk-1", counter=6, committed=(named,)), NOW) == [3]
    assert outbox.next_boot(datetime.fromtimestamp(0, UTC)) == 78
    outbox.close()
    assert Outbox(path, "desk-1", MARKS).queued() == 2


def test_the_body_around_packed_data_is_the_body_that_was_checked(path: Path) -> None:
    outbox = Outbox(path, "desk-1", MARKS)
    outbox.put_alert(varied(random.Random(9)), NOW)  # noqa: S311
    (event,) = event_of(outbox)
    (waiting,) = outbox.waiting(1)
    assert waiting.body is not None
    assert abs(len(waiting.body) - len(body_of(event))) < 16


class WhatWaits(RuleBasedStateMachine):
    """Whatever comes and goes, the counts are those of the rows, and the sequence has no gap."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.outbox = self.open()
        self.counter = 0
        self.put: set[str] = set()
        self.done: set[str] = set()

    def open(self) -> Outbox:
        return Outbox(self.folder / "outbox.db", "desk-1", MARKS)

    def teardown(self) -> None:
        self.outbox.close()
        shutil.rmtree(self.folder)

    @rule()
    def put_one(self) -> None:
        self.put.add(self.outbox.put_alert(alert(), NOW))

    @rule()
    def put_stats(self) -> None:
        self.put.add(self.outbox.put(Message.STATS, STATS, NOW))

    @rule(which=st.integers(0, 5))
    def acknowledge(self, which: int) -> None:
        waiting = self.outbox.waiting(6)
        if which < len(waiting):
            one = waiting[which]
            self.counter += 1
            named = (Acknowledged(id=one.id, epoch=one.epoch, n=one.n),)
            ack = AckData(device="desk-1", counter=self.counter, committed=named)
            assert self.outbox.acknowledge(ack, NOW) == [one.place]
            self.done.add(one.id)

    @rule(high=st.integers(0, 20), first=st.integers(1, 9), last=st.integers(1, 9))
    def tally(self, high: int, first: int, last: int) -> None:
        self.counter += 1
        missing = (Missing(first=first, last=last),) if first <= last < high else ()
        before = {one.id for one in self.outbox.waiting(1000)}
        self.outbox.reconcile(
            TallyData(
                device="desk-1",
                counter=self.counter,
                epoch=self.outbox.epoch(),
                high=high,
                missing=missing,
            ),
            NOW,
        )
        after = {one.id for one in self.outbox.waiting(1000)}
        assert before <= after
        self.done -= after

    @rule()
    def open_anew(self) -> None:
        self.outbox.close()
        self.outbox = self.open()

    @rule()
    def purge(self) -> None:
        self.outbox.purge(NOW + timedelta(days=31), timedelta(days=30))

    @invariant()
    def nothing_is_lost_and_the_counts_are_right(self) -> None:
        waiting = self.outbox.waiting(1000)
        assert {one.id for one in waiting} == self.put - self.done
        alerts = [one for one in waiting if one.message is Message.ALERT]
        assert (self.outbox.queued(), self.outbox.queued_alerts()) == (len(waiting), len(alerts))
        present = [one.n for one in waiting if one.epoch == self.outbox.epoch()]
        assert present == sorted(set(present))
        assert self.outbox.last_n() >= max(present, default=0)


WhatWaits.TestCase.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)
test_whatever_comes_and_goes_nothing_is_lost_and_what_waits_is_counted = WhatWaits.TestCase
