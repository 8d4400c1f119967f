"""One document at the desk: disk first, then lamps; and a disk that refuses hides no hit."""

import logging
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from firmware.panel import DARK, FAULT, PATTERNS, READY
from firmware.screen import Shown
from scanner.alert import AnswerData, AnswerOutcome, new_id
from scanner.sources.capture import Capture, Fault
from scanner.verdict import Outcome
from tests.desk.desk_fixture import CLEAN, LISTED, WholeDesk, typed
from tests.listing import built

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def whole(tmp_path: Path) -> WholeDesk:
    return WholeDesk(tmp_path)


def _outcome(shown: Shown) -> Outcome:
    assert shown.examination.verdict is not None
    return shown.examination.verdict.outcome


def _refuse_writes(path: Path) -> sqlite3.Connection:
    """Holds the file's write lock, as a disk that does not answer would."""
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    return holder


def test_a_listed_document_is_a_hit_with_an_alert_on_disk(whole: WholeDesk) -> None:
    shown = whole.desk.handle(typed(LISTED))
    assert _outcome(shown) is Outcome.HIT
    assert shown.faults == ()
    (waiting,) = whole.outbox.waiting(10)
    assert waiting.id == shown.alert_id


def test_the_alert_is_on_disk_before_a_lamp_lights(whole: WholeDesk) -> None:
    queued_when_lit: list[int] = []
    whole.lamps.show = lambda pattern: queued_when_lit.append(  # type: ignore[method-assign]
        whole.outbox.queued()
    )
    whole.desk.handle(typed(LISTED))
    assert queued_when_lit == [1]


@pytest.mark.parametrize(
    "as_of",
    [
        "0001-11-23T00:00:00Z",
        "0206-11-23T00:00:00Z",
        "9999-11-23T00:00:00Z",
        "1970-01-01T00:00:00+14:00",
        "9998-12-31T23:59:59-12:00",
    ],
)
def test_a_list_with_an_impossible_date_hides_no_hit(whole: WholeDesk, as_of: str) -> None:
    moment = datetime.fromisoformat(as_of)
    built(whole.folder / "sltd.csv", whole.folder / "lists", "sltd", as_of=moment)
    shown = whole.desk.handle(typed(LISTED))
    assert _outcome(shown) is Outcome.HIT
    assert shown.alert_id is not None
    assert whole.lamps.shown == [PATTERNS[Outcome.HIT]]


def test_a_clean_document_is_clear_and_raises_no_alert(whole: WholeDesk) -> None:
    shown = whole.desk.handle(typed(CLEAN))
    assert _outcome(shown) is Outcome.CLEAR
    assert whole.lamps.shown == [PATTERNS[Outcome.CLEAR]]
    assert whole.outbox.queued() == 0


def test_a_scan_that_hit_nothing_leaves_nothing_of_the_document_on_disk_or_in_the_log(
    whole: WholeDesk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        whole.desk.handle(typed(CLEAN))
    (entry,) = whole.journal.entries(LONG_AGO)
    assert entry.outcome == "CLEAR"
    assert entry.alert is None
    kept = b"".join(path.read_bytes() for path in whole.folder.glob("*.db*"))
    for personal in (b"U71B40952", b"LINDQVIST", b"ASTRID", b"860314"):
        assert personal not in kept
        assert personal.decode() not in caplog.text


def test_a_hit_s_line_in_the_journal_names_its_alert_and_nothing_of_the_document(
    whole: WholeDesk,
) -> None:
    shown = whole.desk.handle(typed(LISTED))
    (entry,) = whole.journal.entries(LONG_AGO)
    assert entry.alert == shown.alert_id
    kept = b"".join(path.read_bytes() for path in whole.folder.glob("journal.db*"))
    assert b"L898902C3" not in kept


def test_an_outbox_that_refuses_hides_no_hit_and_the_alert_is_written_when_it_can_be(
    whole: WholeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware.database._BUSY_S", 0.1)
    whole.outbox.epoch()
    whole.outbox.close()
    holder = _refuse_writes(whole.folder / "outbox.db")
    shown = whole.desk.handle(typed(LISTED))
    assert _outcome(shown) is Outcome.HIT
    assert whole.lamps.shown == [PATTERNS[Outcome.HIT]]
    assert "not yet on disk" in shown.faults[0]
    assert whole.desk.unwritten == 1

    holder.close()
    stop = Event()
    running = threading.Thread(target=whole.desk.run, args=(stop,))
    running.start()
    deadline = time.monotonic() + 10
    while whole.desk.unwritten and time.monotonic() < deadline:
        time.sleep(0.02)
    stop.set()
    running.join(5)
    assert whole.desk.unwritten == 0
    assert whole.outbox.queued() == 1


def test_a_journal_that_refuses_is_a_fault_beside_the_verdict(
    whole: WholeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware.database._BUSY_S", 0.1)
    whole.desk.handle(typed(CLEAN))
    whole.journal.close()
    holder = _refuse_writes(whole.folder / "journal.db")
    shown = whole.desk.handle(typed(CLEAN))
    holder.close()
    assert _outcome(shown) is Outcome.CLEAR
    assert "the journal is not written" in shown.faults[0]


def test_a_picture_that_could_not_be_taken_lights_the_fault_lamp(whole: WholeDesk) -> None:
    capture = Capture("x.jpg", fault=Fault("not_a_picture", "x.jpg: this is no picture"))
    shown = whole.desk.handle(capture)
    assert shown.examination.verdict is None
    assert whole.lamps.shown == [FAULT]


def test_a_document_that_central_answered_on_is_possible_and_never_clear(
    whole: WholeDesk,
) -> None:
    first = whole.desk.handle(typed(LISTED))
    assert first.alert_id is not None
    now = datetime.now(UTC)
    answer = AnswerData(
        device="desk-1",
        counter=1,
        alert=first.alert_id,
        outcome=AnswerOutcome.NOT_CONFIRMED,
        instruction="Recovered.",
        at=now,
        until=now + timedelta(hours=1),
    )
    whole.answers.take(new_id(), answer, now)
    again = whole.desk.handle(typed(LISTED))
    assert _outcome(again) is Outcome.POSSIBLE
    assert again.examination.verdict is not None
    assert any("nswered by central on" in line for line in again.examination.verdict.reasons)


def test_no_verdict_stays_on_the_lamps_while_the_next_document_is_examined(
    whole: WholeDesk,
) -> None:
    stop = Event()
    whole.desk.offer(typed(CLEAN), stop)
    whole.desk.offer(typed(LISTED), stop)
    stop.set()
    whole.desk.run(stop)
    clear, hit = PATTERNS[Outcome.CLEAR], PATTERNS[Outcome.HIT]
    assert whole.lamps.shown == [READY, DARK, clear, DARK, hit]


def test_the_desk_returns_to_ready_and_finishes_what_it_took_in_before_it_stops(
    whole: WholeDesk,
) -> None:
    stop = Event()
    whole.desk.offer(typed(LISTED), stop)
    whole.desk.offer(typed(CLEAN), stop)
    stop.set()
    whole.desk.run(stop)
    assert [_outcome(shown) for shown in whole.screen.shown] == [Outcome.HIT, Outcome.CLEAR]
    assert whole.lamps.shown[0] == READY
    assert whole.desk.idle


def test_lamps_that_fail_keep_no_hit_from_the_screen(
    whole: WholeDesk, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(pattern: object) -> None:
        raise OSError("the pin is gone")

    whole.lamps.show = broken  # type: ignore[method-assign]
    stop = Event()
    whole.desk.offer(typed(LISTED), stop)
    stop.set()
    whole.desk.run(stop)
    assert [_outcome(shown) for shown in whole.screen.shown] == [Outcome.HIT]
    assert "the lamps do not answer" in caplog.text


def test_a_desk_that_died_of_a_document_shows_the_fault_until_its_time_is_over(
    whole: WholeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = Event()
    monkeypatch.setattr(whole.screen, "show", lambda shown: 1 / 0)
    whole.desk.offer(typed(CLEAN), stop)
    stop.set()
    with pytest.raises(ZeroDivisionError):
        whole.desk.run(stop)
    assert whole.lamps.shown[-1] == FAULT
    whole.desk.run(stop)
    assert whole.lamps.shown[-1] == FAULT
