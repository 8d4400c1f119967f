"""A drill with everything that is real around it: Mosquitto, a receiver, central's commands."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from central import audit, drills_cli
from firmware.drill import Drill, Record
from firmware.record.journal import Journal
from firmware.settings import DrillSettings
from scanner.alert import Message
from scanner.command_line import Failure, Refusal
from tests.delivery.both_ends import PLACE, Desk, HeadOffice, running, wait_for
from tests.delivery.broker import Broker
from tests.delivery.test_central_commands import run


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as one:
        one.start()
        yield one


@pytest.fixture
def office(tmp_path: Path, broker: Broker) -> Iterator[HeadOffice]:
    one = HeadOffice(tmp_path, broker.port, "5")
    yield one
    one.store.close()


@pytest.fixture
def desk(tmp_path: Path, broker: Broker, office: HeadOffice) -> Desk:
    keys = office.enrol("desk-1")
    return Desk(tmp_path / "desk-1", "desk-1", keys, broker.port, "5")


@contextmanager
def a_drill_at(desk: Desk) -> Iterator[Drill]:
    """The desk's drill, with the desk's uplink."""
    drill = Drill(
        DrillSettings(),
        desk.folder,
        Record(Journal(desk.folder / "journal.db", desk.name), desk.outbox),
        desk.now,
        place=PLACE,
        sees=False,
        signing_in=True,
    )

    def captures(stop: threading.Event) -> None:
        for _specimen in drill.captures(stop):
            pass

    desk.on_command = drill.commanded
    with desk.running() as uplink, running(captures):
        wait_for(lambda: uplink.connected)
        yield drill


def test_central_asks_for_a_drill_and_hears_how_it_went_and_of_nothing_else(
    office: HeadOffice, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    with office.receiving(), a_drill_at(desk) as drill:
        out, _ = run("drill", "desk-1", "--reason", "training", "--config", str(office.config))
        assert out.startswith("desk-1 is asked for a drill")
        wait_for(lambda: drill.running)
        drill.next()
        drill.set_aside()
        drill.end()
        drill.keep(True, "olga")
        wait_for(lambda: desk.outbox.queued() == 0)
    drills_cli.drills(as_json=True, config=office.config)
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["device"], told["by_central"], told["end"]) == ("desk-1", True, "officer")
    drills_cli.drills(config=office.config)
    assert "DRILL  asked for by central  ended at the desk" in capsys.readouterr().out
    assert office.alert_ids() == []
    assert office.shown == []
    with office.store.reading() as db:
        acts = [(row["action"], row["subject"]) for row in audit.rows(db)]
    assert acts == [("drill asked for", "desk-1")]


def test_a_wish_for_a_drill_that_comes_late_is_not_carried_out(
    office: HeadOffice, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with a_drill_at(desk):
        pass  # so that the broker keeps what comes for it
    drills_cli.drill("desk-1", within=0.1, config=office.config)
    desk.clock_is_off = timedelta(hours=1)
    with a_drill_at(desk) as drill:
        wait_for(lambda: "too late" in caplog.text)
        assert not drill.running


def test_a_drill_is_asked_of_nobody_who_is_not_enrolled_or_cannot_be_reached(
    office: HeadOffice, desk: Desk, broker: Broker
) -> None:
    with pytest.raises(Failure, match="no device desk-9 is enrolled"):
        drills_cli.drill("desk-9", config=office.config)
    broker.stop()
    with pytest.raises(Failure, match="desk-1 is not asked for a drill"):
        drills_cli.drill("desk-1", config=office.config)
    with pytest.raises(Refusal, match="one line"):
        drills_cli.drill("desk-1", reason="two\nlines", config=office.config)
    assert desk.outbox.queued_of(Message.DRILL) == 0
