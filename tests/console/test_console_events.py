"""What reaches an open page, when, and what does not."""

import statistics
import time
from datetime import UTC, datetime, timedelta

import anyio
import httpx
import pytest

from central.console import sessions
from central.console.roles import MAY, Role
from central.console.sessions import Who
from central.console.subscribers import KEPT, QUEUE, Page, Subscribers
from central.store.schema import sessions as table
from scanner.alert import Message, StatusData
from tests.console.office import Office, an_office, events
from tests.delivery.both_ends import wait_for

MINUTE = timedelta(minutes=1)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_a_committed_alert_is_on_every_page_at_once(office: Office) -> None:
    taken = []
    with (
        office.signed_in("olga") as one,
        office.signed_in("omar") as two,
        events(one) as first,
        events(two) as second,
    ):
        for n in range(10):
            alert = office.site.hit(now(), number=f"N{n}")
            committed = time.monotonic()
            for stream in (first, second):
                name, told = stream.next("alert")
                assert (name, told["id"]) == ("alert", alert)
                assert told["document"]["surname"] == "ERIKSSON"
            taken.append(time.monotonic() - committed)
    assert statistics.median(taken) < 0.25  # a few milliseconds where nothing else runs


def test_whatever_happens_to_an_alert_reaches_the_page(office: Office) -> None:
    with office.signed_in("selma") as browser, events(browser) as stream:
        alert = office.site.hit(now() - MINUTE, minutes=1.01)
        path = f"/console/alerts/north-1/{alert}"
        name, told = stream.next("escalated")
        assert (name, told["id"]) == ("escalated", alert)
        browser.post(f"{path}/seen")
        assert stream.next("escalated")[1]["seen_at"]
        sent = {"outcome": "confirmed", "answered": None}
        answer = browser.post(f"{path}/answer", json=sent).json()["answers"][0]["id"]
        assert stream.next("answer")[1]["answers"][0]["held_at"] is None
        office.site.status("north-1", now(), answers_held=(answer,))
        assert stream.next("answer")[1]["answers"][0]["held_at"]


def test_a_device_that_goes_blind_and_comes_back_is_told_at_once(office: Office) -> None:
    office.site.status("north-1", now())
    with office.signed_in("tom") as browser, events(browser) as stream:
        ended = StatusData(online=False, boot=1, connection=1)
        office.site.say("north-1", Message.STATUS, ended, now())
        while not (told := stream.next("device")[1])["blind"]:
            pass  # what it said before can still be on its way
        assert told["device"] == "north-1"
        office.site.status("north-1", now(), boot=2)
        while stream.next("device")[1]["blind"]:
            pass


def test_a_device_that_only_time_has_made_blind_is_told_as_well(url: str) -> None:
    with an_office(url, silent_minutes=2) as office:
        with office.signed_in("tom") as browser, events(browser) as stream:
            office.site.status("north-1", now() - 2 * MINUTE + timedelta(seconds=6))
            assert stream.next("device")[1]["blind"] is False
            told = stream.next("device")[1]
        assert (told["blind"], told["why"]) == (True, "silent for 2 min")


def test_a_technician_s_page_is_sent_nothing_of_any_alert(office: Office) -> None:
    with office.signed_in("tom") as browser, events(browser) as stream:
        alert = office.site.hit(now())
        office.site.status("north-1", now())
        seen = [stream.next(), stream.next()]
    assert {name for name, _ in seen} <= {"device", "ping"}
    assert alert not in str(seen)


def test_a_page_that_was_cut_off_is_given_what_it_missed_once(office: Office) -> None:
    with office.signed_in("olga") as browser:
        with events(browser) as stream:
            office.site.hit(now(), number="BEFORE")
            stream.next("alert")
            last = stream.last
        missed = [office.site.hit(now(), number=f"N{n}") for n in range(5)]
        time.sleep(0.3)  # so that they are told while nobody listens
        with events(browser, last) as stream:
            after = office.site.hit(now(), number="AFTER")
            told = [stream.next("alert")[1]["id"] for _ in range(6)]
    assert told == [*missed, after]


@pytest.mark.parametrize("last", ["nonsense", "-", "abc-1", "", "x" * 64, "1-1-1", "-5"])
def test_a_page_that_saw_another_server_or_nothing_is_told_to_look_anew(
    office: Office, last: str
) -> None:
    office.site.hit(now())
    query = {"last": last}
    with (
        office.signed_in("olga") as browser,
        browser.stream("GET", "/console/events", params=query) as response,
    ):
        lines = response.iter_lines()
        hello = [next(lines) for _ in range(3)]
    assert hello[0].startswith("id: ")
    assert '"resumed":false' in hello[2]


def test_pings_tell_a_page_that_it_is_not_cut_off(office: Office) -> None:
    with office.signed_in("ada") as browser:
        assert browser.get("/console/events").status_code == 403
    with office.signed_in("tom") as browser, events(browser) as stream:
        begun = time.monotonic()
        assert "now" in stream.next("ping")[1]
        assert time.monotonic() - begun < 15


def test_a_session_that_ends_takes_its_open_pages_with_it(office: Office) -> None:
    with office.signed_in("olga") as browser, events(browser) as stream:
        with office.store.changing() as tx:
            tx.execute(table.delete())
        assert stream.is_over()


def test_an_open_page_counts_as_somebody_there(office: Office) -> None:
    limits = office.console.limits
    with office.signed_in("olga") as browser, events(browser) as stream:
        nearly = round((limits.idle.total_seconds() - 15) * 1000)
        with office.store.changing() as tx:
            tx.execute(table.update().values(used_at=table.c.used_at - nearly))

        def is_used() -> bool:
            with office.store.reading() as db:
                (session,) = office.console.feed.pages.sessions()
                found = sessions.still(db, [session], limits, now())
            return found[session].used_at > (now() - MINUTE).timestamp() * 1000

        wait_for(is_used)
        assert stream.next("ping")


def page_of(role: Role = Role.OPERATOR, session: str = "s") -> Page:
    return Page(Who("olga", role, session, 0), MAY[role])


def told(pages: Subscribers, count: int) -> None:
    from central.console.roles import May

    pages.tell([(May.ALERTS, "alert", f'{{"id":{n}}}') for n in range(count)])


def test_a_page_that_takes_nothing_is_let_go_and_holds_up_nobody() -> None:
    async def run() -> tuple[int, int]:
        pages = Subscribers()
        slow, quick = page_of(session="slow"), page_of(session="quick")
        pages.join(slow, "")
        pages.join(quick, "")
        taken = 0

        async def take() -> None:
            nonlocal taken
            async for text in quick.texts():
                taken += bool(text)
                if taken == 2 * QUEUE:
                    return

        async with anyio.create_task_group() as group:
            group.start_soon(take)
            for n in range(2 * QUEUE // 64):
                told(pages, 64)
                while taken < 64 * (n + 1):
                    await anyio.sleep(0)
        left = [text async for text in slow.texts()]
        return taken, len(left)

    assert anyio.run(run) == (2 * QUEUE, 0)


def test_what_was_told_longer_ago_than_is_kept_is_not_resumed_in_part() -> None:
    async def run() -> tuple[bool, bool, bool]:
        pages = Subscribers()
        place, _ = pages.join(page_of(), "")
        told(pages, KEPT)
        _, whole = pages.join(page_of(), place)
        told(pages, 1)
        _, part = pages.join(page_of(), place)
        future, _ = place.split("-")[0], None
        _, ahead = pages.join(page_of(), f"{future}-{KEPT + 99}")
        return whole, part, ahead

    assert anyio.run(run) == (True, False, False)


def test_a_server_that_stops_ends_every_stream(url: str) -> None:
    with an_office(url) as office:
        browser = office.signed_in("olga")
        with browser.stream("GET", "/console/events") as response:
            lines = response.iter_lines()
            next(lines)
            office.console.feed.close()
            for _line in lines:
                pass
    with pytest.raises(httpx.HTTPError):
        browser.get("/console/me")
