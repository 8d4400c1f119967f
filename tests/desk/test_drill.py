"""A drill at the desk: every kind of verdict by specimens, nothing of it real, and whatever is real
treated as ever."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from firmware.drill import DrillRefused
from firmware.drill.programme import PROGRAMME, Act
from firmware.panel import PATTERNS
from firmware.record.stats import HourlyStats
from scanner.alert import (
    Action,
    AnswerOutcome,
    Message,
)
from scanner.examine import Examination, Examiner
from scanner.mrz.reading import Reading, Status
from scanner.sources.capture import Capture
from scanner.verdict import Outcome
from scanner.vision.engine import open_reader
from scanner.watchlist.age import ClockReading
from tests.desk.desk_fixture import CLEAN, HEADER, LISTED, WholeDesk, typed
from tests.desk.drilling import RIGHT, STOLEN, answered, drill_rows, go_through, messages, specimen
from tests.listing import built, lists_in


@pytest.fixture
def whole(tmp_path: Path) -> WholeDesk:
    return WholeDesk(tmp_path)


def test_every_kind_of_verdict_and_of_answer_is_given_and_the_lamps_are_as_in_reality(
    whole: WholeDesk,
) -> None:
    whole.drill.start("selma")
    said = go_through(whole, RIGHT)
    assert said == {one.name: one.outcome for one in PROGRAMME}
    assert set(said.values()) == set(Outcome)
    assert {reply.outcome for reply in whole.screen.replies} == set(AnswerOutcome)
    assert all(reply.drill and reply.instruction for reply in whole.screen.replies)
    assert all(shown.drill for shown in whole.screen.shown)
    verdicts = [shown.examination.verdict for shown in whole.screen.shown]
    assert whole.lamps.shown == [PATTERNS[one.outcome] for one in verdicts if one]
    whole.drill.end()
    view = whole.drill.view()
    assert view is not None
    assert view.results is not None
    assert (view.results.right, view.results.wrong) == (len(PROGRAMME), 0)
    assert all(line.seconds is not None and line.seconds >= 2.0 for line in view.results.lines)


def test_what_was_wrong_is_told_with_what_was_right(whole: WholeDesk) -> None:
    wrong = {
        **{one.name: Act.LET_PASS for one in PROGRAMME},
        "clear": Act.SET_ASIDE,
        "hit confirmed": Act.RELEASED,
        "possible not confirmed": Act.HANDED_OVER,
        "hit need more": Act.RELEASED,
        "unreadable": Act.SET_ASIDE,
    }
    whole.drill.start(None)
    go_through(whole, wrong)
    whole.drill.end()
    view = whole.drill.view()
    assert view is not None
    assert view.results is not None
    assert (view.results.right, view.results.wrong) == (0, len(PROGRAMME))
    for exercise, line in zip(PROGRAMME, view.results.lines, strict=True):
        assert exercise.expected in line.told
        assert line.word == exercise.title


@pytest.mark.parametrize(
    ("name", "act", "wait"),
    [("possible not confirmed", Act.RELEASED, False), ("unreadable", Act.LET_PASS, False)],
)
def test_what_is_right_only_later_is_wrong_before(name: str, act: Act, wait: bool) -> None:
    exercise = next(one for one in PROGRAMME if one.name == name)
    assert not exercise.is_right(act, answered=wait, typed=wait)
    assert exercise.is_right(act, answered=True, typed=True)


def test_nothing_of_a_drill_is_written_as_real(whole: WholeDesk) -> None:
    whole.drill.start("selma")
    go_through(whole, RIGHT)
    whole.drill.end()
    assert {message for message, _ in messages(whole)} == {Message.DRILL}
    assert all(data["drill"] is True for _, data in messages(whole))
    assert whole.outbox.queued_alerts() == 0
    assert whole.referrals.known == ()
    assert whole.journal.pending(datetime(2020, 1, 1, tzinfo=UTC)) == []
    rows = drill_rows(whole)
    assert all(drill for _, drill in rows)
    assert [what for what, _ in rows].count("referral") == 3
    whole.desk.handle(typed(CLEAN))
    clock = [datetime.now(UTC)]
    stats = HourlyStats(
        whole.journal,
        whole.outbox,
        lambda: ClockReading(clock[0], True, 0.0, 0.0),
        keep=timedelta(days=1),
    )
    clock[0] += timedelta(hours=1)
    stats.look()
    (counted,) = [data["counts"] for message, data in messages(whole) if message is Message.STATS]
    assert counted == {"CLEAR": None}, "one document, which is too few to be told; no specimen"


def test_a_real_document_is_checked_for_real_in_the_middle_of_a_drill(whole: WholeDesk) -> None:
    whole.drill.start(None)
    whole.drill.next()
    specimen(whole)
    shown = whole.desk.handle(typed(LISTED))
    assert not shown.drill
    assert shown.examination.verdict is not None
    assert shown.examination.verdict.outcome is Outcome.HIT
    assert whole.outbox.queued_alerts() == 1
    assert shown.alert_id is not None
    assert ("scan", False) in drill_rows(whole)
    view = whole.drill.view()
    assert view is not None
    assert "REAL" in view.real
    whole.desk.refer(shown.alert_id, Action.REFERRED)
    assert Message.OUTCOME in [message for message, _ in messages(whole)]


def test_a_printed_specimen_is_a_drill_s_while_one_runs_and_a_document_otherwise(
    whole: WholeDesk,
) -> None:
    assert not whole.desk.handle(typed(STOLEN)).drill
    whole.drill.start(None)
    shown = whole.desk.handle(typed(STOLEN))
    assert shown.drill
    assert shown.alert_id is not None
    assert whole.drill.is_open(shown.alert_id)
    (referral,) = whole.drill.referrals
    assert (referral.drill, referral.alert.document.number) == (True, "H48273961")
    assert whole.desk.handle(typed(STOLEN)).alert_id == shown.alert_id
    assert whole.outbox.queued_alerts() == 0
    whole.drill.end()
    assert not whole.desk.handle(typed(STOLEN)).drill
    assert whole.drill.referrals == ()


def test_a_specimen_that_the_desk_s_own_list_knows_is_a_real_hit(whole: WholeDesk) -> None:
    source = whole.folder / "sltd.csv"
    source.write_text(HEADER + "UTO,H48273961,,passport,stolen,2026-01-05,R-2\n")
    built(source, whole.folder / "lists", as_of=datetime.now(UTC))
    whole.drill.start(None)
    shown = whole.desk.handle(typed(STOLEN))
    assert not shown.drill
    assert whole.outbox.queued_alerts() == 1


@pytest.mark.parametrize("other", ["LINDQVIST<<ASTRID<<<<<<", "LINDQVIST<<ASTRID<MARIA"])
def test_what_only_has_a_specimen_s_number_is_a_document(whole: WholeDesk, other: str) -> None:
    first, second = PROGRAMME[0].specimen.lines
    whole.drill.start(None)
    assert whole.desk.handle(typed((first, second))).drill
    of_another = f"{first[:5]}{other}".ljust(44, "<")
    assert not whole.desk.handle(typed((of_another, second))).drill


def test_a_specimen_that_comes_when_its_drill_is_over_is_nothing_real(whole: WholeDesk) -> None:
    whole.drill.start(None)
    whole.drill.next()
    capture = whole.drill.turn()
    assert capture is not None
    whole.drill.end()
    whole.drill.start(None)
    shown = whole.desk.handle(capture)
    assert shown.drill
    assert shown.examination.verdict is None
    assert shown.examination.fault is not None
    assert ("scan", False) not in drill_rows(whole)


def test_pictures_give_the_same_verdicts_as_lines(whole: WholeDesk) -> None:
    drill = whole.drill = whole.new_drill(sees=True)
    examiner = Examiner(open_reader("litert"), lists_in(whole.folder / "lists"), _trusted)
    drill.start(None)
    for exercise in PROGRAMME:
        drill.set_aside()
        capture = drill.turn()
        assert capture is not None
        assert capture.frames
        rehearsed = drill.rehearsed(capture, examiner.examine(capture))
        assert rehearsed is not None
        verdict = rehearsed.examination.verdict
        assert verdict is not None
        assert verdict.outcome is exercise.outcome, exercise.name
        if rehearsed.alert_id is not None:
            assert drill.acted(rehearsed.alert_id, Action.REFERRED)


def test_a_hit_of_a_drill_cannot_be_passed_over(whole: WholeDesk) -> None:
    whole.drill.start(None)
    shown = whole.desk.handle(typed(STOLEN))
    with pytest.raises(DrillRefused) as refused:
        whole.drill.next()
    assert refused.value.code == "hit_open"
    whole.drill.passed_on()
    assert shown.alert_id is not None
    assert whole.drill.is_open(shown.alert_id)
    whole.desk.refer(shown.alert_id, Action.REFERRED)
    whole.drill.next()


def test_printed_specimens_are_done_in_any_order_and_what_they_push_aside_was_let_pass(
    whole: WholeDesk,
) -> None:
    wrong_digit = next(one for one in PROGRAMME if one.name == "wrong check digit").specimen.lines
    whole.drill.start(None)
    printed = Capture("camera", text=Reading(Status.READ, wrong_digit, "litert"))
    assert whole.desk.handle(printed).drill
    hit = whole.desk.handle(typed(STOLEN)).alert_id
    assert whole.desk.handle(typed(PROGRAMME[0].specimen.lines)).drill
    assert hit is not None
    assert whole.drill.is_open(hit), "a hit is pushed aside by nothing"
    whole.desk.refer(hit, Action.DOCUMENT_HELD)
    whole.drill.next()
    whole.drill.end()
    view = whole.drill.view()
    assert view is not None
    assert view.results is not None
    assert [line.right for line in view.results.lines] == [False, True, True]


def test_the_drill_s_answer_holds_for_no_document(whole: WholeDesk) -> None:
    whole.drill.start(None)
    whole.desk.handle(typed(STOLEN))
    changes: list[int] = []
    whole.drill.listen(lambda: changes.append(len(whole.screen.replies)))
    answered(whole)
    (reply,) = whole.screen.replies
    assert changes == [1], "whoever shows referrals hears of it"
    assert (reply.drill, reply.still_shown) == (True, True)
    assert whole.drill.referrals[0].answer is not None
    assert whole.answers.held() == ()


def test_an_outcome_after_the_end_of_its_drill_goes_nowhere(whole: WholeDesk) -> None:
    whole.drill.start(None)
    shown = whole.desk.handle(typed(STOLEN))
    assert shown.alert_id is not None
    whole.drill.end()
    whole.desk.refer(shown.alert_id, Action.REFERRED)
    assert {message for message, _ in messages(whole)} == {Message.DRILL}
    assert ("referral", True) not in drill_rows(whole)


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_a_specimen_without_its_picture_is_a_fault_and_stops_no_desk(
    whole: WholeDesk, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    file = PROGRAMME[0].specimen.file
    if content is not None:
        (whole.folder / file).write_bytes(content)
    monkeypatch.setattr("firmware.drill.specimens.SPECIMENS_FOLDER", whole.folder)
    drill = whole.new_drill(sees=True)
    drill.start(None)
    drill.next()
    capture = drill.turn()
    assert capture is not None
    assert capture.fault is not None
    rehearsed = drill.rehearsed(capture, Examination("drill", fault=capture.fault))
    assert rehearsed is not None
    assert rehearsed.examination.verdict is None


def test_every_exercise_is_of_a_specimen_of_utopia() -> None:
    for exercise in PROGRAMME:
        document = exercise.specimen.document
        assert document is not None
        assert document.issuer == "UTO"
        assert exercise.right <= set(Act)
        assert (exercise.answering is None) is (exercise.outcome not in _ALERTING)


_ALERTING = (Outcome.HIT, Outcome.POSSIBLE)


def _trusted() -> ClockReading:
    return ClockReading(datetime.now(UTC), True, 0.0, 0.0)
