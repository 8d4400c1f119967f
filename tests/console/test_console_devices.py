"""Which devices are blind, and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from central.console.devices import Known, view
from central.settings import ConsoleSettings
from scanner.alert import (
    DeviceFault,
    Message,
    RolloutData,
    StatusData,
    UpdateOutcome,
    Updating,
)
from scanner.watchlist.contract import ListHealth
from tests.console.office import Office
from tests.console.sample_site import a_list

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_device(
    *, heard: timedelta = timedelta(minutes=1), online: bool | None = True, **status: Any
) -> dict[str, Any]:
    """A device as the page shows it at NOW."""
    lists = status.pop("lists", (a_list("sltd", NOW - 5 * HOUR),))
    told = StatusData(lists=lists, **status).model_dump(mode="json")
    heard_at = round((NOW - heard).timestamp() * 1000)
    known = Known("north-1", online, heard_at, heard_at, told, ())
    return view(known, ConsoleSettings(), NOW)


def test_a_device_that_is_well_is_not_blind() -> None:
    told = a_device(queued=7, software="0.1.0")
    assert (told["blind"], told["why"], told["queued"]) == (False, "", 7)
    assert told["lists"][0]["age_s"] == 5 * 3600


@pytest.mark.parametrize("health", [h for h in ListHealth if h is not ListHealth.OK])
def test_a_list_that_is_not_in_order_makes_its_device_blind(health: ListHealth) -> None:
    told = a_device(lists=(a_list("tdawn", NOW), a_list("sltd", NOW, health)))
    assert told["blind"]
    assert told["why"].startswith("list sltd is ")


def test_every_reason_is_told() -> None:
    old = a_list("sltd", NOW - 100 * HOUR)
    assert a_device(lists=(old,))["why"] == "list sltd is 4 days old"
    assert a_device(lists=())["why"] == "it has no list"
    assert a_device(heard=3 * HOUR)["why"] == "silent for 3 h"
    assert a_device(heard=HOUR)["why"] == ""
    told = a_device(online=False, heard=timedelta(minutes=12), lists=(old,))
    assert told["why"] == "offline for 12 min; list sltd is 4 days old"
    never = view(Known("x", None, 0, None, None, ()), ConsoleSettings(), NOW)
    assert never["why"].startswith("it never said how it is; silent for ")


def test_a_list_ages_from_now_and_not_from_when_its_device_last_spoke() -> None:
    then = a_list("sltd", NOW - 71 * HOUR)
    assert not a_device(lists=(then,))["blind"]
    told = view(
        Known("x", True, 0, 0, StatusData(lists=(then,)).model_dump(mode="json"), ()),
        ConsoleSettings(silent_minutes=43_200, list_age_hours=72),
        NOW + 2 * HOUR,
    )
    assert told["lists"][0]["age_s"] == 73 * 3600
    assert "list sltd is 3 days old" in told["why"]


def test_what_became_of_each_list_s_publication_is_told_and_the_last_word_counts(
    office: Office,
) -> None:
    now = datetime.now(UTC)
    updating = Updating(list="tdawn", done=2048, total=4096)
    office.site.status("north-1", now, ring="canary", updating=updating)
    for minutes, outcome in ((2, UpdateOutcome.UPDATED), (9, UpdateOutcome.CURRENT)):
        said = RolloutData(
            list="sltd",
            ring="canary",
            outcome=outcome,
            from_version=7,
            version=8,
            publication=9,
            bytes=3000,
            took_ms=1234,
            at=now - timedelta(minutes=minutes),
        )
        office.site.say("north-1", Message.ROLLOUT, said, now)
    with office.signed_in("tom") as browser:
        (told,) = browser.get("/console/devices").json()["devices"]
    assert (told["ring"], told["updating"]["done"]) == ("canary", 2048)
    (update,) = told["updates"]
    assert (update["outcome"], update["version"], update["publication"]) == ("updated", 8, 9)
    assert (update["bytes"], update["took_s"]) == (3000, 1.2)


def test_the_devices_are_told_with_what_is_missing_of_them(office: Office) -> None:
    now = datetime.now(UTC)
    office.site.status("north-1", now, refused=3, certificate_until=now + HOUR)
    office.site.hit(now, skip=4)
    office.site.hit(now, number="OTHER", skip=1)
    fault = DeviceFault(part="camera", message="no picture for 40 s")
    office.site.status("harbour-1", now, faults=(fault,))
    ended = StatusData(online=False, boot=1, connection=1)
    office.site.say("harbour-1", Message.STATUS, ended, now)
    with office.signed_in("tom") as browser:
        told = browser.get("/console/devices").json()
    harbour, north = told["devices"]
    assert (harbour["device"], harbour["online"], harbour["blind"]) == ("harbour-1", False, True)
    assert harbour["faults"] == [{"part": "camera", "message": "no picture for 40 s"}]
    assert (north["site"], north["lane"]) == ("Utopia North", "1")
    assert north["missing"] == [[1, 4], [6, 6]]
    assert (north["refused"], north["blind"]) == (3, False)
    assert abs(datetime.fromisoformat(north["certificate_until"]) - now - HOUR) < HOUR / 3600
