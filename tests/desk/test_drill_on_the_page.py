"""A drill as the officer's page has it: on the screen for as long as it lasts, and apart from what
is real."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from firmware.officers.roles import Officer, Role
from firmware.settings import OfficerSettings
from scanner.alert import Message
from tests.desk.desk_fixture import CLEAN, LISTED, typed
from tests.desk.kiosk_page import Json, KioskDesk, kiosk_desk


@pytest.fixture
def page(tmp_path: Path) -> Iterator[KioskDesk]:
    with kiosk_desk(tmp_path) as one:
        yield one


def order(page: KioskDesk, what: str) -> httpx.Response:
    return page.post("drill", do=what)


def specimen(page: KioskDesk) -> Json:
    """The page, once the specimen that was asked for is on it."""
    capture = page.whole.drill.turn()
    assert capture is not None
    return page.put(capture)


def test_a_drill_is_on_the_page_from_its_start_until_its_results_are_gone(page: KioskDesk) -> None:
    assert page.state()["drill"] is None
    assert "drill" in page.state()["may"]
    assert order(page, "start").status_code == 200
    assert page.state()["drill"]["state"] == "running"
    order(page, "next")
    for _ in range(6):
        state = specimen(page)
        assert (state["drill"]["state"], state["drill"]["real"]) == ("running", None)
        if (alert := state["alert"]) is not None:
            assert page.post("referral", alert=alert["id"], action="referred").status_code == 200
        order(page, "next")
        assert page.state()["drill"]["state"] == "running"
    order(page, "end")
    drill = page.state()["drill"]
    assert (drill["state"], len(drill["results"]["lines"])) == ("ended", 6)
    assert order(page, "discard").status_code == 200
    assert page.state()["drill"] is None


def test_a_hit_of_a_drill_stays_until_its_outcome_and_goes_nowhere(page: KioskDesk) -> None:
    order(page, "start")
    order(page, "next")
    specimen(page)
    order(page, "next")
    state = specimen(page)
    assert state["state"] == "refer"
    assert [one["drill"] for one in state["pending"]] == [True]
    assert order(page, "next").json()["error"]["code"] == "hit_open"
    assert page.post("next", capture=state["capture"]).status_code == 409
    page.whole.ticks += 60
    page.whole.drill.turn()
    answered = page.until(lambda state: state["answer"] is not None)
    assert answered["answer"]["outcome"] == "confirmed"
    answer = page.post("referral", alert=state["alert"]["id"], action="handed_over")
    assert answer.status_code == 200
    assert page.post("next", capture=state["capture"]).status_code == 200
    assert page.whole.outbox.queued() == page.whole.outbox.queued_of(Message.DRILL)


def test_a_real_document_stands_out_in_a_drill_and_its_hit_outlasts_it(page: KioskDesk) -> None:
    order(page, "start")
    order(page, "next")
    specimen(page)
    assert page.put(typed(CLEAN))["drill"]["real"].startswith("REAL DOCUMENT")
    state = page.put(typed(LISTED))
    assert state["drill"]["real"].startswith("REAL DOCUMENT")
    assert [one["drill"] for one in state["pending"]] == [False]
    assert page.whole.outbox.queued_alerts() == 1
    order(page, "end")
    order(page, "discard")
    state = page.state()
    assert (state["state"], state["drill"]) == ("refer", None)
    assert page.post("referral", alert=state["alert"]["id"], action="referred").status_code == 200
    assert page.whole.outbox.queued_of(Message.OUTCOME) == 1


def test_a_supervisor_starts_a_drill_an_officer_does_it_and_a_locked_page_still_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    officers = OfficerSettings(sign_in="pin", file=tmp_path / "officers.json")
    with kiosk_desk(tmp_path, officers) as page:
        monkeypatch.setattr(page.whole.drill, "_signing_in", True)
        page.duty._come(Officer("olga", Role.OFFICER))
        assert "drill" not in page.state()["may"]
        assert order(page, "start").status_code == 403
        page.duty._come(Officer("selma", Role.SUPERVISOR))
        assert "drill" in page.state()["may"]
        assert order(page, "start").status_code == 200
        page.duty._come(Officer("olga", Role.OFFICER))
        assert order(page, "next").status_code == 200
        assert specimen(page)["state"] == "no_record"
        page.post("sign-out")
        locked = page.state()
        assert (locked["state"], locked["document"]) == ("locked", None)
        assert locked["drill"]["state"] == "running"
