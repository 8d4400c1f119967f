"""The journal, the answers held, the publishing window and the keys of a device."""

import logging
import resource
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from firmware.delivery.answers import Answers, Taken
from firmware.delivery.outbox import Outbox
from firmware.delivery.window import Window
from firmware.identity.keys import KeyFault, document_mark, load_keys
from firmware.record.journal import Journal, JournalFault
from scanner.alert import (
    Action,
    AnswerData,
    AnswerOutcome,
    new_id,
    new_key,
    read_key,
    write_key,
)
from scanner.examine import Examination
from scanner.mrz.document import Kind
from scanner.mrz.parse import parse
from scanner.mrz.reading import Reading, Status
from scanner.mrz.write import write
from scanner.verdict import Outcome, Verdict
from scanner.watchlist.contract import ListHealth, ListState
from tests.delivery.both_ends import MARKS, NOW, alert, document

HOUR = timedelta(hours=1)


def examination(outcome: Outcome) -> Examination:
    lines = write(document())
    return Examination(
        source="scanner",
        reading=Reading(Status.READ, lines, "serial"),
        parsed=parse(lines, NOW.date()),
        verdict=Verdict(outcome, (), (), (ListState("sltd", 7, NOW, 1.0, ListHealth.OK),)),
        ms={"total": 12.5},
    )


def test_the_journal_says_when_what_and_which_lists_and_nothing_of_the_document(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path / "journal.db", "desk-1")
    alert_id = new_id()
    journal.write(examination(Outcome.CLEAR), now=NOW, alert_id=None, officer="7")
    journal.write(examination(Outcome.HIT), now=NOW, alert_id=alert_id)
    journal.referral(alert_id, Action.RELEASED, now=NOW, officer="7")
    clear, hit, referral = journal.entries(NOW)
    assert (clear.outcome, clear.officer, clear.device) == ("CLEAR", "7", "desk-1")
    assert (clear.lists, clear.reader, clear.ms) == ((("sltd", 7),), "serial", 12.5)
    assert (clear.alert, hit.alert) == (None, alert_id)
    assert (referral.what, referral.outcome) == ("referral", "released")
    journal.close()
    content = (tmp_path / "journal.db").read_bytes()
    for personal in (b"L898902C3", b"ERIKSSON", b"ANNA"):
        assert personal not in content


def test_a_scan_that_hit_nothing_cannot_be_tied_to_an_alert(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", "desk-1")
    with pytest.raises(ValueError, match="hit nothing"):
        journal.write(examination(Outcome.CLEAR), now=NOW, alert_id=new_id())


def test_the_journal_refuses_to_be_changed_or_shortened_by_anyone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", "desk-1")
    journal.write(examination(Outcome.CLEAR), now=NOW, alert_id=None)
    with sqlite3.connect(tmp_path / "journal.db") as other:
        for change in ("UPDATE entry SET outcome = 'HIT'", "DELETE FROM entry"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                other.execute(change)


def test_the_journal_keeps_its_rows_for_their_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", "desk-1")
    keep = timedelta(days=365)
    journal.write(examination(Outcome.CLEAR), now=NOW - timedelta(days=366), alert_id=None)
    journal.write(examination(Outcome.CLEAR), now=NOW, alert_id=None)
    assert journal.purge(NOW, keep) == 1
    kept = [(entry.what, entry.at) for entry in journal.entries(NOW - timedelta(days=999))]
    assert kept == [("scan", NOW), ("purged", NOW)]


def test_a_damaged_journal_is_one_typed_fault(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"no database at all, be it called so or not " * 99)
    with pytest.raises(JournalFault, match="damaged"):
        Journal(tmp_path / "journal.db", "desk-1").purge(NOW, HOUR)


def answer(alert_id: str, counter: int, **change: object) -> AnswerData:
    said = AnswerData(
        device="desk-1",
        counter=counter,
        alert=alert_id,
        outcome=AnswerOutcome.NOT_CONFIRMED,
        instruction="Let go.",
        at=NOW,
        until=NOW + HOUR,
    )
    return said.model_copy(update=change)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox.db", "desk-1", MARKS)


@pytest.fixture
def answers(tmp_path: Path, outbox: Outbox) -> Answers:
    return Answers(tmp_path / "answers.db", MARKS, outbox.document_of)


def test_an_answer_holds_for_its_document_until_its_time(
    tmp_path: Path, outbox: Outbox, answers: Answers
) -> None:
    alert_id, answer_id = outbox.put_alert(alert(), NOW), new_id()
    assert answers.take(answer_id, answer(alert_id, 1), NOW) is Taken.HELD
    answers.close()
    again = Answers(tmp_path / "answers.db", MARKS, outbox.document_of)
    held = again.holding(document(), NOW)
    assert held is not None
    assert (held.outcome, held.at, held.until) == ("not_confirmed", NOW, NOW + HOUR)
    assert again.holding(document("L898902C4"), NOW) is None
    assert again.holding(document(), NOW + HOUR) is None
    assert again.purge(NOW + HOUR) == 1


def test_the_newest_answer_holds_even_when_an_older_one_comes_later(
    outbox: Outbox, answers: Answers
) -> None:
    alert_id = outbox.put_alert(alert(), NOW)
    older, newer = new_id(), new_id()
    confirmed = answer(alert_id, 1, outcome=AnswerOutcome.CONFIRMED)
    assert answers.take(newer, confirmed, NOW) is Taken.HELD
    assert answers.take(older, answer(alert_id, 2), NOW) is Taken.HELD
    held = answers.holding(document(), NOW)
    assert held is not None
    assert held.outcome == "confirmed"


def test_an_answer_that_another_took_the_place_of_does_not_come_back_when_that_one_ends(
    outbox: Outbox, answers: Answers
) -> None:
    let_pass = answer(outbox.put_alert(alert(), NOW), 1, until=NOW + 3 * HOUR)
    hold_it = answer(outbox.put_alert(alert(), NOW), 2, outcome=AnswerOutcome.CONFIRMED)
    assert answers.take(new_id(), let_pass, NOW) is Taken.HELD
    assert answers.take(new_id(), hold_it, NOW) is Taken.HELD
    assert answers.holding(document(), NOW + HOUR) is None
    assert answers.purge(NOW + HOUR) == 0
    assert answers.holding(document(), NOW + HOUR) is None
    assert answers.purge(NOW + 3 * HOUR) == 2


def test_an_answer_replayed_over_or_about_a_strange_alert_is_not_held(
    outbox: Outbox, answers: Answers
) -> None:
    alert_id = outbox.put_alert(alert(), NOW)
    first = new_id()
    assert answers.take(first, answer(alert_id, 5), NOW) is Taken.HELD
    assert answers.take(first, answer(alert_id, 6), NOW) is Taken.HELD_ALREADY
    assert answers.take(new_id(), answer(alert_id, 6), NOW) is Taken.REPLAYED
    assert answers.take(new_id(), answer(new_id(), 7), NOW) is Taken.UNKNOWN_ALERT
    assert answers.take(new_id(), answer(alert_id, 8, until=NOW), NOW) is Taken.OVER
    assert answers.held() == (first,)


def test_the_answers_hold_no_document_number(tmp_path: Path, outbox: Outbox) -> None:
    answers = Answers(tmp_path / "answers.db", MARKS, outbox.document_of)
    answers.take(new_id(), answer(outbox.put_alert(alert(), NOW), 1), NOW)
    answers.close()
    assert b"L898902C3" not in (tmp_path / "answers.db").read_bytes()


def test_answers_that_cannot_be_read_hold_up_no_verdict_and_are_a_fault(
    tmp_path: Path, outbox: Outbox
) -> None:
    (tmp_path / "answers.db").write_bytes(b"no database at all, whatever it is called " * 99)
    answers = Answers(tmp_path / "answers.db", MARKS, outbox.document_of)
    assert answers.holding(document(), NOW) is None
    assert answers.fault is not None
    assert "damaged" in answers.fault


def test_a_document_is_remembered_under_the_device_s_own_secret() -> None:
    mark = document_mark(MARKS, "UTO", "L898902C3", Kind.PASSPORT)
    assert mark == document_mark(MARKS, "UTO", "L898902C3", Kind.PASSPORT)
    others = {
        document_mark(bytes(32), "UTO", "L898902C3", Kind.PASSPORT),
        document_mark(MARKS, "UTO", "L898902C3", Kind.VISA),
        document_mark(MARKS, "UTOL", "898902C3", Kind.PASSPORT),
    }
    assert len(others | {mark}) == 4


def test_the_window_is_bounded_and_frees_what_is_acknowledged() -> None:
    window = Window(size=3)
    for n in (1, 2, 3):
        window.sent(n, 0.0)
    assert window.room == 0
    window.done([2], 1.0)
    assert window.room == 1


def test_the_pause_between_tries_doubles_up_to_its_limit() -> None:
    window = Window(first_s=2.0, longest_s=60.0)
    now, pauses = 1000.0, []
    for _ in range(8):
        window.sent(1, now)
        pauses.append(window.until_due(now))
        now += pauses[-1]
        assert window.due(now + 1e-6) == [1]
    for pause, middle in zip(pauses, (2, 4, 8, 16, 32, 60, 60, 60), strict=True):
        assert 0.8 * middle <= pause <= 1.2 * middle


def test_messages_that_central_keeps_refusing_hold_up_no_other() -> None:
    window = Window(size=2, laggards=5)
    for n in (1, 2):
        for _ in range(3):
            window.sent(n, 0.0)
    assert window.room == 2
    for n in (3, 4, 5):
        for _ in range(3):
            window.sent(n, 0.0)
    assert window.room == 0


def test_an_acknowledgement_after_a_silence_makes_everything_due() -> None:
    window = Window(first_s=100.0)
    window.sent(1, 0.0)
    window.sent(2, 0.0)
    assert window.due(50.0) == []
    window.done([1], 50.0)
    assert window.due(50.0) == [2]


def new_device_key(path: Path) -> OKPKey:
    key = new_key()
    write_key(path, key, private=True)
    return key


def test_a_missing_or_wrong_key_is_one_clear_line(tmp_path: Path) -> None:
    device, central = tmp_path / "device.jwk", tmp_path / "central.pub.jwk"
    with pytest.raises(KeyFault, match=r"device\.jwk: there is no key; enrol the device"):
        load_keys(tmp_path)
    key = new_device_key(device)
    with pytest.raises(KeyFault, match=r"central\.pub\.jwk: there is no key"):
        load_keys(tmp_path)
    for content in (b"", b"[]", b"{}", b'{"kty":"OKP","crv":"Ed25519","x":"??"}', b"\xff" * 9000):
        central.write_bytes(content)
        with pytest.raises(KeyFault, match="no public keys"):
            load_keys(tmp_path)
    central.unlink()
    write_key(central, key, private=False)
    assert load_keys(tmp_path).signing.thumbprint() == key.thumbprint()
    with pytest.raises(KeyFault, match="public key; the private one belongs there"):
        read_key(central, private=True)
    with pytest.raises(KeyFault, match="not written over"):
        new_device_key(device)


def test_a_key_that_the_disk_has_no_room_for_leaves_nothing_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "device.jwk"
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limit[1]))
    try:
        with pytest.raises(KeyFault, match="the key cannot be written"):
            new_device_key(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert list(tmp_path.iterdir()) == []
    assert new_device_key(path).is_private


def test_a_device_key_that_others_can_read_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = new_device_key(tmp_path / "device.jwk")
    write_key(tmp_path / "central.pub.jwk", key, private=False)
    (tmp_path / "device.jwk").chmod(0o644)
    with caplog.at_level(logging.WARNING):
        load_keys(tmp_path)
    assert "readable by others" in caplog.text
