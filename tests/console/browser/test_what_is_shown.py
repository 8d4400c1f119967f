"""Each section shows what the store holds, to whom it may be shown, and as text."""

from datetime import timedelta

from playwright.sync_api import Page, Response, expect

from scanner.alert import (
    Action,
    DeviceFault,
    Message,
    OutcomeData,
    RolloutData,
    StatusData,
    UpdateOutcome,
)
from scanner.mrz.reading import Entered
from scanner.watchlist.contract import ListHealth
from tests.console.browser.at_the_console import (
    People,
    Room,
    now,
    row,
    sign_in,
    sounds,
    wait_for,
)
from tests.console.sample_site import PEOPLE, a_list, an_alert

HOSTILE = (
    "UTO",
    "<IMG SRC=X ONERROR=DOCUMENT.TITLE=1>",
    "</BUTTON><SCRIPT>1</SCRIPT>",
    "F",
    "1990",
)
HOSTILE_INSTRUCTION = "<img src=x onerror=\"document.title='taken'\"><b>Release</b>"


def test_an_alert_is_spelled_out(people: People, room: Room) -> None:
    at = now()
    room.site.hit(at - timedelta(hours=3), device="bridge-1", minutes=600)
    about = {"outcome": "POSSIBLE", "minutes": 5, "entered": Entered.TYPED}
    alert = room.site.hit(at - timedelta(seconds=40), **about)
    done = OutcomeData(alert=alert, action=Action.REFERRED, officer="K. Ford", at=at, note="line 2")
    room.site.say("north-1", Message.OUTCOME, done, at)
    page = people.sit_down(room, "olga")
    detail = page.locator("#detail")
    for said in (
        "Possible",
        "Lost passport",
        "Utopia North · lane 1",
        "Utopia (specimens) · UTO",
        "ERIKSSON",
        "ANNA MARIA",
        "12 Aug 1974",
        "15 Apr 2034",
        "Lima 8 9 8 9 0 2 Charlie 3",
        "Possible match",
        "sltd, version 7",
        "5 h old",
        "5 Jan 2026",
        "bridge-1: not answered",
        "Traveller referred",
        "reported by K. Ford: line 2",
        "typed by the officer",
        "Entered at the desk",
    ):
        expect(detail).to_contain_text(said)
    left = detail.locator(".clock-time").inner_text()
    minutes, seconds = map(int, left.split(":"))
    assert 200 <= minutes * 60 + seconds <= 260


def test_time_is_counted_by_the_server_whatever_the_browser_s_clock_says(
    people: People, room: Room
) -> None:
    room.site.hit(now(), minutes=5)
    page = people.context().new_page()
    page.clock.set_fixed_time(now() + timedelta(days=400))
    sign_in(page, room.url, "olga")
    minutes, seconds = map(int, page.locator("#detail .clock-time").inner_text().split(":"))
    assert 240 <= minutes * 60 + seconds <= 300


def test_names_and_instructions_are_text_and_nothing_else(people: People, room: Room) -> None:
    alert = room.site.hit(now(), person=HOSTILE)
    room.site.answer(alert, now(), instruction=HOSTILE_INSTRUCTION)
    fault = DeviceFault(part="<b>camera</b>", message="<script>document.title=1</script>")
    said = RolloutData(
        list="sltd",
        ring="canary",
        outcome=UpdateOutcome.REFUSED,
        version=7,
        code="probe",
        reason="<b>version 8</b>",
        at=now(),
    )
    room.site.say("north-1", Message.ROLLOUT, said, now())
    room.site.status("north-1", now(), ring="canary", faults=(fault,))
    page = people.sit_down(room, "selma")
    row(page, "L898902C3").click()
    expect(page.locator("#detail")).to_contain_text(HOSTILE[1])
    expect(page.locator("#detail")).to_contain_text(HOSTILE_INSTRUCTION)
    for key in "2345":
        page.keyboard.press(key)
    expect(page.locator("#devices")).to_contain_text(fault.message)
    expect(page.locator("#devices")).to_contain_text(
        f"sltd refused what is published (probe: {said.reason})"
    )
    expect(page.locator("#history")).to_contain_text(HOSTILE[2])
    assert page.locator("main img, main b, main script").count() == 0
    assert page.title() == "Borderpost central"


def test_devices_show_who_is_blind_and_why_first(people: People, room: Room) -> None:
    at = now()
    room.site.status("airport-1", at)
    room.site.status("harbour-1", at, lists=(a_list("sltd", at, ListHealth.DAMAGED),))
    room.site.status("north-2", at, queued=3)
    room.site.say("north-2", Message.STATUS, StatusData(online=False, boot=1, connection=1), at)
    page = people.sit_down(room, "tom")
    expect(page.locator("#nav a", has_text="Devices")).to_contain_text("2")
    cards = page.locator(".device")
    expect(cards).to_have_count(3)
    assert [card.split("\n")[0] for card in cards.all_inner_texts()] == [
        "harbour-1",
        "north-2",
        "airport-1",
    ]
    expect(cards.nth(0)).to_contain_text("Blind")
    expect(cards.nth(0)).to_contain_text("damaged")
    expect(cards.nth(1)).to_contain_text("offline")
    expect(cards.nth(1)).to_contain_text("3 messages")
    expect(cards.nth(2)).to_contain_text("Sees")
    room.site.status("harbour-1", now(), revision=1)
    expect(page.locator(".device.blind")).to_have_count(1)


def test_of_a_large_fleet_the_worst_are_shown_and_any_is_found(people: People, room: Room) -> None:
    at = now()
    fleet = [
        room.site.said(f"desk-{n:03}", Message.STATUS, StatusData(lists=(a_list("sltd", at),)), at)
        for n in range(300)
    ]
    room.store.commit(fleet, at)
    room.site.status("zebra-1", at, lists=())
    page = people.sit_down(room, "tom")
    expect(page.locator(".device")).to_have_count(200)
    expect(page.locator(".device").first).to_contain_text("zebra-1")
    expect(page.locator("#devices")).to_contain_text("101 devices more")
    page.locator("#device-filter").fill("desk-29")
    expect(page.locator(".device")).to_have_count(10)


def test_each_role_is_shown_its_own_sections_and_asks_for_no_others(
    people: People, room: Room
) -> None:
    room.site.hit(now())
    shown = {}
    refused: list[str] = []

    def note(said: Response) -> None:
        if said.status >= 400:
            refused.append(said.url)

    for name in ("olga", "selma", "tom", "ada"):
        page = people.sit_down(room, name)
        page.on("response", note)
        for key in "12345":
            page.keyboard.press(key)
        shown[name] = page.locator("#nav a .nav-word").all_inner_texts()
        if name in ("tom", "ada"):
            assert page.locator("#answer").is_hidden()
        if name == "tom":
            assert "L898902C3" not in page.content()
    assert shown == {
        "olga": ["Alerts", "Devices", "History", "Trends"],
        "selma": ["Alerts", "Devices", "History", "Trends", "Audit"],
        "tom": ["Devices", "Trends"],
        "ada": ["History", "Trends", "Audit"],
    }
    assert refused == []


def test_history_is_searched_and_given_as_csv_to_whom_it_may_be(people: People, room: Room) -> None:
    two_of_one_person(room)
    page = people.sit_down(room, "ada")
    page.keyboard.press("/")
    page.keyboard.type("THISTLEWOOD")
    page.keyboard.press("Enter")
    expect(page.locator("#history .summary")).to_contain_text("2 found")
    page.locator("#history tbody button").first.click()
    expect(page.locator(".history-detail .big-number")).to_have_text("C01X0006H")
    page.select_option("#h-answer", "confirmed")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#history .summary")).to_contain_text("1 found")
    with page.expect_download() as download:
        page.get_by_role("link", name="As CSV").click()
    told = download.value.path().read_text()
    assert "THISTLEWOOD" in told
    assert "ERIKSSON" not in told

    page = people.sit_down(room, "olga")
    page.keyboard.press("3")
    expect(page.locator("#history tbody tr").first).to_be_visible()
    assert page.get_by_role("link", name="As CSV").count() == 0


def test_every_plot_has_its_figures_as_a_table(people: People, full_room: Room) -> None:
    page = people.sit_down(full_room, "ada")
    page.keyboard.press("4")
    expect(page.locator("figure")).to_have_count(6)
    for figure in page.locator("figure").all():
        assert figure.locator("table tbody tr").count() > 0, figure.inner_text()
        assert figure.locator("svg.drawing rect").count() > 0
        assert figure.locator("svg.drawing").get_attribute("aria-hidden") == "true"
    page.get_by_label("7 days").check()
    expect(page.locator("figure").first.locator("tbody tr")).to_have_count(24 * 7)


def test_the_audit_trail_names_who_answered_and_says_that_it_is_whole(
    people: People, room: Room
) -> None:
    room.site.hit(now())
    answer_by_keys(people.sit_down(room, "olga"))
    page = people.sit_down(room, "ada")
    page.keyboard.press("5")
    expect(page.locator("#audit .summary")).to_contain_text("The chain is whole")
    expect(page.locator("#audit tbody tr", has_text="answer")).to_contain_text("olga")


def test_a_late_alert_is_shown_as_late_and_takes_nobody_s_place(people: People, room: Room) -> None:
    room.site.hit(now(), captured=now() - timedelta(hours=19), minutes=10)
    room.site.hit(now(), number="K7700012", person=PEOPLE[1], minutes=9)
    page = people.sit_down(room, "olga")
    expect(page.locator(".queue .row").first).to_contain_text("K7700012")
    row(page, "L898902C3").click()
    expect(page.locator("#detail")).to_contain_text("late: 19 h after it was read")


def test_a_desk_that_was_long_away_may_bring_hundreds_at_once(people: People, room: Room) -> None:
    page = people.sit_down(room, "olga")
    long_ago = now() - timedelta(days=30)
    brought = [
        room.site.said(
            "north-1", Message.ALERT, an_alert(long_ago, number=f"X{number:07}"), long_ago
        )
        for number in range(400)
    ]
    room.store.commit(brought, now())
    expect(page.locator(".group-late .number")).to_have_text("400")
    page.keyboard.press("c")
    page.keyboard.type("The issuing State confirms the record.")
    assert page.input_value("#reason") == "The issuing State confirms the record."
    wait_for(lambda: sounds(page) >= 1)
    assert sounds(page) <= 3


def test_the_longest_names_and_numbers_fit_a_phone(people: People, room: Room) -> None:
    longest = ("UTO", "W" * 39, "M" * 39, "F", "1990-01-01")
    room.site.hit(now(), person=longest, number="W" * 64)
    page = people.sit_down(room, "olga", viewport={"width": 360, "height": 740})
    for part in (".queue .row", "#pane"):
        if part == "#pane":
            row(page, "W").click()
        wider = "node => node.scrollWidth - node.clientWidth"
        assert page.locator(part).evaluate(wider) <= 0


def two_of_one_person(room: Room) -> None:
    """Two alerts on one person and some on others, one of the two confirmed."""
    confirmed = room.site.hit(now() - timedelta(hours=2), person=PEOPLE[4], number="C01X0001H")
    room.site.answer(confirmed, now() - timedelta(hours=1))
    room.site.hit(now(), person=PEOPLE[4], number="C01X0006H")
    room.site.hit(now())


def answer_by_keys(page: Page) -> None:
    page.keyboard.press("c")
    page.keyboard.type("The issuing State confirms the record.")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_contain_text("on its way to the desk")
