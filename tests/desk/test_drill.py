"""A drill at the desk: every kind of verdict by specimens, nothing of it real, and whatever is real
treated as ever."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from firmware import drill_cli
from firmware.demo.catalogue import SPECIMENS
from firmware.desk import Shown
from firmware.drill import DrillRefused
from firmware.drill.programme import PROGRAMME, Act
from firmware.drill.telling import MOST_WAITING, Kept
from firmware.panel import PATTERNS
from firmware.roles import Officer, Role
from firmware.stats import HourlyStats
from scanner.alert import (
    MAX_ACKS,
    Action,
    AnswerOutcome,
    CommandData,
    DrillData,
    DrillEnd,
    DrillPhase,
    Message,
    Order,
)
from scanner.command_line import Failure
from scanner.examine import Examination, Examiner
from scanner.mrz.reading import Reading, Status
from scanner.sources.capture import Capture
from scanner.verdict import Outcome
from scanner.vision.engine import open_reader
from scanner.watchlist.age import ClockReading
from tests.desk.desk_fixture import CLEAN, HEADER, LISTED, WholeDesk, typed
from tests.listing import built, lists_in

STOLEN = next(one.lines for one in SPECIMENS if one.file.startswith("02-"))
"""A printed specimen that the drill's list knows."""
RIGHT: dict[str, Act] = {
    "clear": Act.LET_PASS,
    "hit confirmed": Act.HANDED_OVER,
    "possible not confirmed": Act.RELEASED,
    "hit need more": Act.REFERRED,
    "wrong check digit": Act.SET_ASIDE,
    "unreadable": Act.LET_PASS,
    "list too old": Act.SET_ASIDE,
}
"""What a trainee does who does all of it right."""


@pytest.fixture
def whole(tmp_path: Path) -> WholeDesk:
    return WholeDesk(tmp_path)


def specimen(whole: WholeDesk) -> Shown:
    """The desk shows the specimen that was asked for."""
    capture = whole.drill.turn()
    assert capture is not None
    return whole.desk.handle(capture)


def do(whole: WholeDesk, act: Act, alert_id: str | None) -> None:
    """What the trainee does of what is shown; it goes on to the next."""
    if alert_id is not None:
        whole.desk.refer(alert_id, Action(act.value))
    if act is Act.SET_ASIDE:
        whole.drill.set_aside()
    else:
        whole.drill.next()


def answered(whole: WholeDesk) -> None:
    """So much time passes that the drill has answered its hits."""
    whole.ticks += 10.0
    whole.drill.turn()


def go_through(whole: WholeDesk, acts: dict[str, Act]) -> dict[str, Outcome | None]:
    """A drill from its first specimen to its last; what the desk said of each."""
    said = {}
    whole.drill.next()
    for exercise in PROGRAMME:
        shown = specimen(whole)
        verdict = shown.examination.verdict
        said[exercise.name] = verdict.outcome if verdict else None
        whole.ticks += 2.0
        if exercise.name == "unreadable":
            view = whole.drill.view()
            assert view is not None
            assert view.printed == exercise.specimen.lines
            assert whole.desk.handle(typed(view.printed)).drill
        answered(whole)
        do(whole, acts[exercise.name], shown.alert_id)
    return said


def messages(whole: WholeDesk) -> list[tuple[Message, dict[str, Any]]]:
    """What waits for central."""
    return [(one.message, json.loads(one.body or b"")["data"]) for one in whole.outbox.waiting(100)]


def drill_rows(whole: WholeDesk) -> list[tuple[str, bool]]:
    """Of each row of the journal, what it tells of and whether that is a drill's."""
    return [
        (str(row.what), row.drill)
        for row in whole.journal.entries(datetime(2020, 1, 1, tzinfo=UTC))
    ]


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


def test_a_desk_that_lost_its_power_in_a_drill_is_in_ordinary_mode_and_says_so(
    whole: WholeDesk,
) -> None:
    whole.drill.start("selma")
    whole.desk.handle(typed(STOLEN))
    again = whole.new_drill()
    assert not again.running
    assert again.view() is None
    assert again.referrals == ()
    assert again.notice is not None
    assert "ordinary" in again.notice
    again.turn()
    assert [data["end"] for _, data in messages(whole)] == [None, DrillEnd.CUT.value]
    assert ("drill_ended", True) in drill_rows(whole)
    whole.ticks += 3600
    assert again.notice is None
    assert whole.new_drill().notice is None


@pytest.mark.parametrize("mark", ["", "[]", '{"session": "x", "began_at": "yesterday"}'])
def test_a_mark_that_cannot_be_read_keeps_no_desk_from_starting(
    whole: WholeDesk, mark: str
) -> None:
    (whole.folder / "drill.json").write_text(mark)
    drill = whole.new_drill()
    drill.turn()
    drill.start(None)
    assert drill.running


def test_a_drill_ends_by_itself(whole: WholeDesk) -> None:
    whole.drill.start(None)
    whole.ticks += 30 * 60 - 1
    whole.drill.turn()
    assert whole.drill.running
    whole.ticks += 1
    whole.drill.turn()
    assert not whole.drill.running
    view = whole.drill.view()
    assert view is not None
    assert view.results is not None
    assert not (whole.folder / "drill.json").exists()
    assert messages(whole)[-1][1]["end"] == DrillEnd.TIME.value
    whole.ticks += 600
    whole.drill.turn()
    assert whole.drill.view() is None


@pytest.mark.parametrize("kept", [True, False])
def test_results_are_kept_where_the_trainee_says_so_and_nowhere_else(
    whole: WholeDesk, kept: bool
) -> None:
    whole.drill.start("selma")
    go_through(whole, RIGHT)
    whole.drill.end()
    whole.drill.keep(kept, "olga")
    assert whole.drill.view() is None
    on_disk = list(Kept(whole.folder).all())
    told = [DrillData.model_validate(data, strict=False) for _, data in messages(whole)]
    assert [one.phase for one in told][:2] == [DrillPhase.BEGAN, DrillPhase.ENDED]
    if kept:
        assert [one["officer"] for one in on_disk] == ["olga"]
        assert [step.exercise for step in told[-1].steps] == [one.name for one in PROGRAMME]
        assert all(step.right and step.took_ms for step in told[-1].steps)
        assert told[-1].officer == "olga"
    else:
        assert on_disk == []
        assert all(one.officer is None and one.steps == () for one in told)
    with pytest.raises(DrillRefused):
        whole.drill.keep(True, "olga")


def test_kept_results_are_listed_by_command(
    whole: WholeDesk, capsys: pytest.CaptureFixture[str]
) -> None:
    config = whole.folder / "borderpost.toml"
    config.write_text(
        f'[device]\nname = "desk-1"\nsite = "Utopia"\ndata = "{whole.folder}"\n'
        '[[sources]]\nkind = "folder"\nname = "pages"\npath = "pages"\n'
        '[lists]\n[[lists.use]]\nname = "sltd"\n'
    )
    whole.drill.start(None)
    go_through(whole, {**RIGHT, "clear": Act.SET_ASIDE})
    whole.drill.end()
    whole.drill.keep(True, "olga")
    drill_cli.drills(config=config)
    head, first, second, *_ = capsys.readouterr().out.splitlines()
    assert head.endswith(f"olga  {len(PROGRAMME) - 1} of {len(PROGRAMME)} right")
    assert first.strip() == "WRONG  clear: set aside after 12.0 s"
    assert second.strip() == "right  hit confirmed: handed over after 12.0 s"
    drill_cli.drills(as_json=True, config=config)
    assert json.loads(capsys.readouterr().out)["drill"] is True
    next((whole.folder / "drills").glob("*.json")).write_text("{}")
    with pytest.raises(Failure, match="remove it"):
        drill_cli.drills(config=config)


def test_kept_results_go_after_their_time(whole: WholeDesk) -> None:
    whole.drill.start(None)
    whole.drill.end()
    whole.drill.keep(True)
    kept, now = Kept(whole.folder), datetime.now(UTC)
    assert kept.purge(now, timedelta(days=1)) == 0
    assert kept.purge(now + timedelta(days=2), timedelta(days=1)) == 1
    assert list(kept.all()) == []


def test_a_supervisor_starts_a_drill_or_where_nobody_signs_in_whom_the_configuration_lets(
    whole: WholeDesk,
) -> None:
    behind_a_sign_in = whole.new_drill(signing_in=True)
    for role in Role:
        may = behind_a_sign_in.may_start(Officer("olga", role))
        assert may is (role is Role.SUPERVISOR)
    assert not behind_a_sign_in.may_start(None)
    assert whole.drill.may_start(None)


def command(order: Order, until: datetime | None = None) -> CommandData:
    return CommandData(device="desk-1", counter=1, order=order, until=until)


def test_central_starts_a_drill_if_its_wish_is_not_too_late(whole: WholeDesk) -> None:
    now = datetime.now(UTC)
    assert not whole.drill.commanded(command(Order.BLANK))
    assert whole.drill.commanded(command(Order.DRILL, now - timedelta(seconds=1)))
    whole.drill.turn()
    assert not whole.drill.running
    assert whole.drill.commanded(command(Order.DRILL, now + timedelta(minutes=5)))
    whole.drill.turn()
    assert whole.drill.running
    assert messages(whole)[0][1]["by_central"] is True


def test_what_drills_say_never_stands_in_an_alert_s_way(
    whole: WholeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_WAITING < MAX_ACKS
    monkeypatch.setattr("firmware.drill.telling.MOST_WAITING", 3)
    for _ in range(2):
        whole.drill.start(None)
        whole.drill.end()
    assert whole.outbox.queued_of(Message.DRILL) == 3
    whole.desk.handle(typed(LISTED))
    assert messages(whole)[-1][0] is Message.ALERT


def test_a_disk_that_takes_no_mark_begins_no_drill(
    whole: WholeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("firmware.drill.telling.replace_durably", full)
    with pytest.raises(DrillRefused) as refused:
        whole.drill.start(None)
    assert refused.value.code == "disk"
    assert not whole.drill.running


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
