"""A trainee at the desk, and what a drill leaves on its disk."""

import json
from datetime import UTC, datetime
from typing import Any

from firmware.demo.catalogue import SPECIMENS
from firmware.drill.programme import PROGRAMME, Act
from firmware.screen import Shown
from scanner.alert import Action, Message
from scanner.verdict import Outcome
from tests.desk.desk_fixture import WholeDesk, typed

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
