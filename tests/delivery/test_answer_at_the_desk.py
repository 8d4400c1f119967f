"""Central's answer reaches the officer's screens while the document still lies there."""

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central.store.store import Answer
from firmware.delivery.link import Address, LinkState
from firmware.delivery.watching import LinkWatch
from firmware.screen import Reply, Shown
from scanner.alert import AnswerData, AnswerOutcome, new_id
from tests.delivery.both_ends import NOW, Desk, HeadOffice, wait_for
from tests.delivery.broker import Broker
from tests.desk.desk_fixture import CLEAN, LISTED, Screen, WholeDesk, typed

HOUR = timedelta(hours=1)


@pytest.fixture
def whole(tmp_path: Path) -> WholeDesk:
    return WholeDesk(tmp_path)


def answer(alert_id: str) -> AnswerData:
    return AnswerData(
        device="desk-1",
        counter=1,
        alert=alert_id,
        outcome=AnswerOutcome.CONFIRMED,
        instruction="Hold the document of A. Eriksson.",
        at=NOW,
        until=NOW + HOUR,
    )


def alert_of(shown: Shown) -> str:
    assert shown.alert_id is not None
    return shown.alert_id


def test_an_answer_reaches_every_screen_with_what_to_do_and_until_when(
    whole: WholeDesk, caplog: pytest.LogCaptureFixture
) -> None:
    alert_id = alert_of(whole.desk.handle(typed(LISTED)))
    with caplog.at_level(logging.DEBUG):
        whole.desk.answered(answer(alert_id))
    assert whole.screen.replies == [
        Reply(
            alert_id=alert_id,
            outcome=AnswerOutcome.CONFIRMED,
            instruction="Hold the document of A. Eriksson.",
            at=NOW,
            until=NOW + HOUR,
            still_shown=True,
        )
    ]
    assert "central answered an alert: confirmed" in caplog.text
    assert "Eriksson" not in caplog.text


def test_an_answer_that_comes_after_the_next_document_says_that_it_is_about_an_earlier_one(
    whole: WholeDesk,
) -> None:
    alert_id = alert_of(whole.desk.handle(typed(LISTED)))
    whole.desk.handle(typed(CLEAN))
    whole.desk.answered(answer(alert_id))
    assert [reply.still_shown for reply in whole.screen.replies] == [False]


def test_a_screen_that_fails_keeps_an_answer_from_no_other_and_breaks_no_link(
    whole: WholeDesk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Screen):
        def answered(self, reply: Reply) -> None:
            raise RuntimeError(f"cannot draw {reply.instruction}")

    monkeypatch.setattr(whole.desk, "_screens", [Broken(), whole.screen])
    whole.desk.answered(answer(new_id()))
    assert len(whole.screen.replies) == 1
    assert "a screen failed: RuntimeError" in caplog.text
    assert "Eriksson" not in caplog.text


@pytest.fixture
def state() -> Iterator[LinkState]:
    yield LinkState(True, NOW, Address("broker", 8883), queued=0, alerts=0)


def test_the_screens_learn_of_the_link_when_it_changes_and_of_each_alert_that_waits(
    state: LinkState, caplog: pytest.LogCaptureFixture
) -> None:
    screen, states = Screen(), [state]
    watch = LinkWatch(lambda: states[-1], [screen])
    with caplog.at_level(logging.INFO):
        for change in (
            {},
            {},
            {"connected": False},
            {"alerts": 1, "queued": 1},
            {"queued": 5},
            {"alerts": 2},
            {"connected": True, "alerts": 0, "queued": 0},
        ):
            states.append(replace(states[-1], **change))
            watch.look()
    assert [(one.connected, one.alerts) for one in screen.links] == [
        (True, 0),
        (False, 0),
        (False, 1),
        (False, 2),
        (True, 0),
    ]
    assert "link down since 12:00:00 UTC, queued alerts: 2" in caplog.text


def test_alerts_that_wait_from_before_the_start_are_said_at_once(
    state: LinkState, caplog: pytest.LogCaptureFixture
) -> None:
    LinkWatch(lambda: replace(state, connected=False, alerts=3), [Screen()]).look()
    assert "queued alerts: 3" in caplog.text


def test_the_officer_has_the_answer_a_moment_after_central_gave_it(
    tmp_path: Path, broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    broker.start()
    whole = WholeDesk(tmp_path)
    whole.desk._outbox = desk.outbox
    desk.on_answer = whole.desk.answered
    with desk.running(), office.receiving():
        alert_id = alert_of(whole.desk.handle(typed(LISTED)))
        wait_for(lambda: desk.outbox.queued() == 0)
        now = datetime.now(UTC)
        outcome = AnswerOutcome.NOT_CONFIRMED
        began = time.monotonic()
        office.store.answer(Answer(alert_id, outcome, "Let go.", now + HOUR), now)
        (reply,) = wait_for(lambda: whole.screen.replies, within_s=5.0)
        took = time.monotonic() - began
    assert (reply.outcome, reply.instruction, reply.still_shown) == (outcome, "Let go.", True)
    assert took < 2.0, "a second, and as much again for a busy machine"
