"""Alerts as operators see and answer them."""

import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from central.answering import escalation
from central.store.schema import alerts, answers
from scanner.alert import Action, AnswerOutcome, Message, OutcomeData
from tests.console.office import Office, an_office
from tests.console.sample_site import PEOPLE
from tests.delivery.both_ends import wait_for

MINUTE = timedelta(minutes=1)
CONFIRMED = {"outcome": "confirmed", "instruction": "Keep it.", "answered": None}


def now() -> datetime:
    return datetime.now(UTC)


def listed(browser: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    """Every alert, page by page."""
    found: list[dict[str, Any]] = []
    before = None
    while True:
        cursor = {} if before is None else {"before": before}
        told = browser.get("/console/alerts", params={**query, **cursor})
        assert told.status_code == 200, told.text
        found += told.json()["alerts"]
        before = told.json()["next"]
        if before is None:
            return found


def place_of(office: Office, alert: str, device: str = "north-1") -> str:
    return f"/console/alerts/{device}/{alert}"


def test_an_alert_tells_all_that_an_operator_needs(office: Office) -> None:
    at = now() - 2 * MINUTE
    before = office.site.hit(at - 60 * MINUTE, device="bridge-1")
    alert = office.site.hit(at)
    office.site.answer(alert, at + MINUTE, instruction="Keep the document.")
    done = OutcomeData(
        alert=alert, action=Action.DOCUMENT_HELD, officer="K. Ford", at=at, note="in the safe"
    )
    office.site.say("north-1", Message.OUTCOME, done, at + MINUTE)
    with office.signed_in("olga") as browser:
        told = browser.get(place_of(office, alert)).json()
    assert told["document"] == {
        "format": "TD3",
        "code": "P",
        "kind": "passport",
        "issuer": "UTO",
        "issuer_name": "Utopia (specimens)",
        "number": "L898902C3",
        "surname": "ERIKSSON",
        "given_names": "ANNA MARIA",
        "name_truncated": False,
        "nationality": "UTO",
        "nationality_name": "Utopia (specimens)",
        "birth_date": "1974-08-12",
        "sex": "F",
        "expiry_date": "2034-04-15",
    }
    assert told["outcome"] == "HIT"
    assert (told["site"], told["lane"], told["late"]) == ("Utopia North", "1", False)
    assert told["lists"][0]["age_s"] == 5 * 3600
    assert told["matches"][0]["certainty"] == "exact"
    (answer,) = told["answers"]
    assert answer["instruction"] == "Keep the document."
    assert (answer["by"], answer["held_at"]) == ("omar", None)
    assert told["outcomes"][0]["action"] == "document_held"
    assert [(one["id"], one["device"]) for one in told["earlier"]] == [(before, "bridge-1")]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told["received_at"])
    assert abs(datetime.fromisoformat(told["received_at"]) - at) <= timedelta(milliseconds=1)


def test_what_is_most_pressing_comes_first_and_pages_neither_lose_nor_repeat(
    office: Office,
) -> None:
    at = now()
    ids = {
        name: office.site.hit(at - 9 * MINUTE, number=f"N{name}", minutes=minutes)
        for name, minutes in {"far": 90, "near": 11, "never": None, "over": 5, "soon": 12}.items()
    }
    done = office.site.hit(at, number="DONE")
    office.site.answer(done, at)
    pressing = [ids[name] for name in ("over", "near", "soon", "far", "never")]
    with office.signed_in("olga") as browser:
        for limit in (1, 2, 200):
            assert [one["id"] for one in listed(browser, limit=limit)] == pressing
        assert [one["id"] for one in listed(browser, state="answered", limit=1)] == [done]
        assert {one["id"] for one in listed(browser, state="all", limit=2)} == {done, *pressing}


def test_only_the_latest_ten_of_the_others_on_the_same_document_are_told(office: Office) -> None:
    at = now()
    several = [office.site.hit(at - n * MINUTE) for n in range(14)]
    office.site.hit(at, number="OTHER")
    with office.signed_in("olga") as browser:
        told = browser.get(place_of(office, several[2])).json()
    assert [one["id"] for one in told["earlier"]] == [*several[:2], *several[3:11]]


def test_an_answer_is_recorded_audited_and_on_its_way(office: Office) -> None:
    alert = office.site.hit(now())
    with office.signed_in("olga") as browser:
        sent = {**CONFIRMED, "reason": " asked Utopia ", "holds_hours": 2.5}
        answered = browser.post(f"{place_of(office, alert)}/answer", json=sent)
        assert answered.status_code == 200
        assert listed(browser) == []
    told = answered.json()
    (answer,) = told["answers"]
    assert (told["answer"], answer["outcome"]) == ("confirmed", "confirmed")
    assert (answer["by"], answer["reason"]) == ("olga", "asked Utopia")
    assert answer["instruction"] == "Keep it."
    holds = datetime.fromisoformat(answer["until"]) - datetime.fromisoformat(answer["at"])
    assert holds == timedelta(hours=2.5)
    assert office.audited() == [("olga", "answered", f"north-1/{alert}")]
    (due,) = office.store.due_answers(now())
    assert (due.id, due.data.outcome) == (answer["id"], AnswerOutcome.CONFIRMED)


def test_an_answer_that_somebody_gave_meanwhile_is_not_overwritten_unseen(office: Office) -> None:
    alert = office.site.hit(now())
    path = f"{place_of(office, alert)}/answer"
    with office.signed_in("olga") as olga, office.signed_in("omar") as omar:
        first = olga.post(path, json=CONFIRMED).json()["answers"][0]["id"]
        other = {**CONFIRMED, "outcome": "not_confirmed", "reason": "recovered in May"}
        refused = omar.post(path, json=other)
        assert refused.status_code == 409
        assert refused.json()["error"]["code"] == "answered"
        changed = omar.post(path, json={**other, "answered": first})
        assert changed.status_code == 200
        assert changed.json()["answer"] == "not_confirmed"
        assert olga.post(path, json={**CONFIRMED, "answered": first}).status_code == 409
    assert len(office.audited()) == 2


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_of_many_answers_at_once_exactly_one_counts(office: Office) -> None:
    alert = office.site.hit(now())
    path = f"{place_of(office, alert)}/answer"
    statuses: list[int] = []
    ready = threading.Barrier(6)

    def answer(name: str) -> None:
        with office.signed_in(name) as browser:
            ready.wait(10)
            statuses.append(browser.post(path, json=CONFIRMED).status_code)

    threads = [threading.Thread(target=answer, args=(n,)) for n in ("olga", "omar", "selma") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses) == [200, 409, 409, 409, 409, 409]
    with office.store.reading() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(answers)) == 1
    assert [action for _, action, _ in office.audited()] == ["answered"]


def test_an_id_that_two_devices_have_used_is_answered_for_neither(office: Office) -> None:
    alert = office.site.hit(now())
    with office.store.changing() as tx:
        row = tx.execute(sa.select(alerts)).one()._asdict()
        tx.execute(alerts.insert().values(**{**row, "device": "copycat"}))
    with office.signed_in("olga") as browser:
        refused = browser.post(f"{place_of(office, alert)}/answer", json=CONFIRMED)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "ambiguous")


def test_a_deadline_that_passes_escalates_the_alert_once_and_a_supervisor_takes_note(
    office: Office,
) -> None:
    alert = office.site.hit(now(), minutes=0.02)
    in_time = office.site.hit(now(), number="OTHER")
    path = place_of(office, alert)
    with office.signed_in("selma") as browser:
        assert browser.post(f"{place_of(office, in_time)}/seen").status_code == 409
        wait_for(lambda: browser.get(path).json()["escalated_at"])
        told = browser.get(path).json()
        assert told["overdue"] is True
        assert told["escalated_at"] >= told["answer_until"]
        seen = browser.post(f"{path}/seen").json()["seen_at"]
        assert browser.post(f"{path}/seen").json()["seen_at"] == seen
        answered = browser.post(f"{path}/answer", json=CONFIRMED).json()
        assert (answered["overdue"], answered["escalated_at"]) == (False, told["escalated_at"])
    subject = f"north-1/{alert}"
    assert office.audited() == [
        ("central", "escalated", subject),
        ("selma", "saw escalation", subject),
        ("selma", "answered", subject),
    ]


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_what_ran_out_while_no_console_ran_is_escalated_once_by_however_many_start(
    url: str,
) -> None:
    with an_office(url) as office:
        pass
    from central.store.store import Store

    store = Store(url)
    office.site.store = store
    late = now() - 60 * MINUTE
    ids = {office.site.hit(late, number=f"N{n}", person=PEOPLE[n % 8], minutes=5) for n in range(9)}
    with (
        an_office(url, staff=False) as one,
        an_office(url, staff=False) as two,
        one.signed_in("olga") as browser,
    ):
        told = listed(browser)
        assert {alert["id"] for alert in told} == ids
        assert all(alert["overdue"] for alert in told)
        wait_for(lambda: all(alert["escalated_at"] for alert in listed(browser)))
        escalated = [subject for _, action, subject in two.audited() if action == "escalated"]
    assert sorted(escalated) == sorted(f"north-1/{alert}" for alert in ids)
    with store.changing() as tx:
        assert escalation.escalate(tx, now()) == []
    store.close()
