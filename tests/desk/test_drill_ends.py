"""How a drill begins and ends: by whom, by time, by a power cut; and what is kept of it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from firmware import drill_cli
from firmware.drill import DrillRefused
from firmware.drill.programme import PROGRAMME, Act
from firmware.drill.telling import MOST_WAITING, Kept
from firmware.officers.roles import Officer, Role
from scanner.alert import (
    MAX_ACKS,
    CommandData,
    DrillData,
    DrillEnd,
    DrillPhase,
    Message,
    Order,
)
from scanner.command_line import Failure
from tests.desk.desk_fixture import LISTED, WholeDesk, typed
from tests.desk.drilling import RIGHT, STOLEN, drill_rows, go_through, messages


@pytest.fixture
def whole(tmp_path: Path) -> WholeDesk:
    return WholeDesk(tmp_path)


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


@pytest.mark.parametrize("mark", ["", "[]", '{"session": "x"}', '{"drill": false}'])
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
    long_ago = datetime.now(UTC) - timedelta(days=400)
    for now in (long_ago, datetime.now(UTC)):
        drill = whole.new_drill(now=now)
        drill.start(None)
        drill.end()
        drill.keep(True)
    assert len(list(Kept(whole.folder).all())) == 2
    whole.drill.turn()
    (one,) = Kept(whole.folder).all()
    assert datetime.fromisoformat(one["began_at"]) > long_ago + timedelta(days=365)


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
