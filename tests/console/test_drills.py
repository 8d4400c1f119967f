"""Drills at central: kept apart in the store, and in nothing that shows what is real; neither this
central nor one that does not know drills can take one for real."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as mqtt
import pytest
import sqlalchemy as sa

from central import drills, retention
from central.api.app import PREFIX
from central.brokers.publish_link import Link
from central.receiving.inflow import LinkDown
from central.settings import RetentionSettings
from central.store.schema import drills as table
from central.store.schema import messages, metadata
from central.store.store import Store
from central.systems import tokens
from central.systems.follow import Follower
from central.systems.republish import Republisher
from central.systems.tokens import Scope
from scanner.alert import (
    CENTRAL,
    TABLE,
    AlertData,
    DrillData,
    DrillEnd,
    DrillPhase,
    DrillStep,
    Event,
    Malformed,
    Message,
    address_of,
    new_id,
    new_key,
    seal,
    sign,
    source_of,
    topic_of,
    unseal,
)
from scanner.alert.envelope import body_of
from tests.console.office import Office, events
from tests.console.sample_site import Site, an_alert
from tests.delivery.stores import sqlite_store

NOW = datetime.now(UTC)
MINUTE = timedelta(minutes=1)
DESK = "north-1"
TRAINEE = "T. Rainee"
over_both_databases = pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
Said = list[tuple[datetime, DrillData]]


def steps() -> tuple[DrillStep, ...]:
    return tuple(
        DrillStep(
            exercise=name, expected=name, shown=name, act="handed_over", right=right, took_ms=2000
        )
        for name, right in (("HIT", True), ("POSSIBLE", False))
    )


def a_drill(session: str, began: datetime = NOW - 9 * MINUTE) -> Said:
    """All that a device says of a drill whose trainee kept the results."""
    ended = began + 5 * MINUTE
    start = DrillData(session=session, phase=DrillPhase.BEGAN, began_at=began, at=began)
    over = DrillData(
        session=session, phase=DrillPhase.ENDED, began_at=began, at=ended, end=DrillEnd.OFFICER
    )
    kept = over.model_copy(update={"officer": TRAINEE, "steps": steps()})
    return [(began, start), (ended, over), (ended, kept)]


def say(site: Site, said: Said, device: str = DESK) -> None:
    for at, data in said:
        site.say(device, Message.DRILL, data, at)


def shown(office: Office, follow: Follower, told: list[str]) -> dict[str, Any]:
    """Everything by which central shows what is real, without what every message changes: when
    its device was heard, and how many were counted."""
    store = office.store
    with store.changing() as tx:
        token = tokens.add_token(tx, new_id()[-12:], list(Scope), None, datetime.now(UTC))
    follow.look(threading.Event())
    with office.signed_in("selma") as browser:
        pages = {
            path: browser.get(path)
            for path in (
                *(f"/console/alerts?state={state}" for state in ("open", "answered", "all")),
                *("/console/history", "/console/history?outcome=HIT", "/console/history.csv"),
                *("/console/trends?days=1", "/console/trends?days=30", "/console/devices"),
            )
        }
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=20) as client:
        for path in ("/alerts", "/stats", "/lists", "/devices"):
            pages[path] = client.get(f"{office.url}{PREFIX}{path}")
        metrics = client.get(f"{office.url}/metrics").text
    assert all(page.status_code == 200 for page in pages.values()), pages
    other = _AnotherSystem()
    with pytest.raises(LinkDown):
        Republisher(store, "other", lambda: other).tell(other, 0)
    return {
        **{path: _steady(page) for path, page in pages.items()},
        "metrics": [
            line
            for line in metrics.splitlines()
            if line.startswith("borderpost_")
            and not line.startswith(_PASSING)
            and 'message="drill"' not in line
        ],
        "commands": [(row.id, row.data) for row in store.all_alerts()],
        "unshown": [row.id for row in store.unshown()],
        "followed": list(told),
        "republished": other.told,
    }


_PASSING = (
    "borderpost_device_heard",
    "borderpost_device_list_age",
    "borderpost_device_certificate_left",
    "borderpost_console",
)
"""What changes by itself."""


class _AnotherSystem(Link):
    """Another system's broker, which is gone before it has taken what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bytes]] = []

    def publish(self, given: list[tuple[str, bytes]], *, retain: bool = False) -> None:
        self.told = given
        raise LinkDown("gone")


def _steady(page: httpx.Response) -> Any:
    if "json" not in page.headers["content-type"]:
        return page.text
    return json.loads(page.text, object_hook=_without_the_moment)


def _without_the_moment(told: dict[str, Any]) -> dict[str, Any]:
    passing = ("now", "heard_at", "why", "age_s", "overdue")
    return {name: value for name, value in told.items() if name not in passing}


@over_both_databases
def test_a_drill_changes_nothing_that_is_shown_as_real(office: Office) -> None:
    site, store = office.site, office.store
    site.status(DESK, NOW - 21 * MINUTE)
    site.answer(site.hit(NOW - 20 * MINUTE), NOW - 19 * MINUTE)
    site.hit(NOW - 15 * MINUTE, minutes=600)
    told: list[str] = []
    follow = Follower(store, lambda row: told.append(row.id), NOW - timedelta(days=1))
    before = shown(office, follow, told)
    assert len(before["followed"]) == 2
    with office.signed_in("olga") as browser, events(browser) as stream:
        said = [site.said(DESK, Message.DRILL, data, at) for at, data in a_drill(new_id())]
        committed = store.commit(said, NOW)
        assert (committed.alerts, committed.new) == ([], 3)
        after = shown(office, follow, told)
        hit = site.hit(datetime.now(UTC), minutes=600)
        name, event = stream.next("alert", "answer", "escalated")
        assert (name, event["id"]) == ("alert", hit), "the first that the page hears of is real"
    assert after == before
    with store.reading() as db:
        (drill,) = drills.every(db)
        rows = {
            name: db.scalar(sa.select(sa.func.count()).select_from(metadata.tables[name]))
            for name in ("alerts", "outcomes", "stats", "answers", "drills")
        }
    assert (drill["device"], drill["officer"], len(drill["steps"])) == (DESK, TRAINEE, 2)
    assert rows == {"alerts": 3, "outcomes": 0, "stats": 0, "answers": 1, "drills": 3}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A store that devices speak to."""
    one = Site(Store(sqlite_store(tmp_path)))
    yield one
    one.store.close()


def test_a_trainee_s_name_is_nowhere_else_in_the_store(site: Site) -> None:
    say(site, a_drill(new_id()))
    with site.store.reading() as db:
        everything = {
            name: json.dumps([list(map(str, row)) for row in db.execute(sa.select(one))])
            for name, one in metadata.tables.items()
            if name not in ("drills", "messages")
        }
    assert [name for name, rows in everything.items() if TRAINEE in rows] == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_a_drill_is_one_in_whatever_order_it_is_told(site: Site, order: tuple[int, ...]) -> None:
    said, other = a_drill(new_id()), a_drill(new_id(), NOW - 60 * MINUTE)
    say(site, [said[place] for place in order])
    say(site, other[:1], "harbour-1")
    with site.store.reading() as db:
        found = list(drills.every(db))
        assert list(drills.every(db, "harbour-1")) == found[:1]
    under_way, over = found
    assert (under_way["device"], under_way["end"]) == ("harbour-1", None)
    assert (over["device"], over["end"]) == (DESK, "officer")
    assert over["ended_at"] is not None
    assert [step["right"] for step in over["steps"]] == [True, False]


def test_drills_go_with_the_alerts_of_their_time(site: Site) -> None:
    long_ago = NOW - timedelta(days=40)
    say(site, a_drill(new_id(), long_ago))
    say(site, a_drill(new_id()))
    policy = RetentionSettings(alerts_days=30)
    assert retention.due(site.store, policy, NOW).drills == 3
    purged = retention.purge(site.store, policy, NOW, actor="a test", role="")
    assert purged.drills == 3
    with site.store.reading() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(table)) == 3
        payloads = list(db.scalars(sa.select(messages.c.payload).order_by(messages.c.received_at)))
    assert [bool(payload) for payload in payloads] == [False] * 3 + [True] * 3


KEY = new_key()


def event(message: Message, data: Any) -> Event:
    return Event(message, new_id(), source_of(DESK), NOW, data, new_id(), 1)


def heard(topic: str, payload: bytes) -> Event:
    return unseal(topic, payload, lambda source: [KEY] if source != CENTRAL else [])


def test_a_drill_is_believed_by_its_own_topic_and_by_no_other() -> None:
    data = a_drill(new_id())[-1][1]
    payload = seal(event(Message.DRILL, data), KEY)
    assert heard(topic_of(Message.DRILL, DESK), payload).data == data
    for message, row in TABLE.items():
        if not row.from_central and message is not Message.DRILL:
            with pytest.raises(Malformed):
                heard(topic_of(message, DESK), payload)


def _marked(data: dict[str, Any]) -> None:
    data["drill"] = True


def _renamed(data: dict[str, Any]) -> None:
    data["drill"] = False


@pytest.mark.parametrize(
    ("message", "data", "change"),
    [
        (Message.ALERT, an_alert(NOW), _marked),
        (Message.DRILL, a_drill(new_id())[0][1], _renamed),
        (Message.DRILL, a_drill(new_id())[0][1], lambda data: data.pop("session")),
    ],
)
def test_an_alert_with_a_drill_s_mark_and_a_drill_without_are_refused(
    message: Message, data: AlertData | DrillData, change: Callable[[dict[str, Any]], None]
) -> None:
    whole = json.loads(body_of(event(message, data)))
    topic = topic_of(message, DESK)
    assert heard(topic, sign(json.dumps(whole).encode(), KEY)).message is message
    change(whole["data"])
    with pytest.raises(Malformed) as refused:
        heard(topic, sign(json.dumps(whole).encode(), KEY))
    assert refused.value.code == "event"


def test_a_central_that_does_not_know_drills_does_not_hear_them_and_would_refuse_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic = topic_of(Message.DRILL, DESK)
    known = [row for message, row in TABLE.items() if message is not Message.DRILL]
    filters = [row.topic.replace("<device>", "+").replace("<ring>", "+") for row in known]
    assert not any(mqtt.topic_matches_sub(one, topic) for one in filters)
    payload = seal(event(Message.DRILL, a_drill(new_id())[-1][1]), KEY)
    older = {one.name: one.value for one in Message if one is not Message.DRILL}
    monkeypatch.setattr("scanner.alert.topics.Message", StrEnum("Message", older))
    assert address_of(topic) is None
    with pytest.raises(Malformed) as refused:
        heard(topic, payload)
    assert refused.value.code == "topic"
