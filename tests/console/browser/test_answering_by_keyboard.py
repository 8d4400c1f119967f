"""An operator answers hits without a mouse, and nothing takes the keys out of his hands."""

import re

from playwright.sync_api import Route, expect

from tests.console.browser.at_the_console import People, Room, focused, now, row
from tests.console.sample_site import PEOPLE


def test_a_hit_is_found_answered_and_sent_with_keys_alone(people: People, room: Room) -> None:
    room.site.hit(now(), number="L898902C3", minutes=9)
    room.site.hit(now(), number="K7700012", person=PEOPLE[1], minutes=4)
    page = people.sign_in(room, "olga")
    expect(page.locator("#detail .big-number")).to_have_text("K7700012")  # the less time, the first

    page.keyboard.press("j")
    expect(page.locator("#detail .big-number")).to_have_text("L898902C3")
    page.keyboard.press("Enter")
    assert focused(page) == "Stolen passport"
    page.keyboard.press("n")
    page.keyboard.type("The record is about another document.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("dialog .big-number")).to_have_text("L898902C3")
    expect(page.locator("dialog")).to_contain_text("Not confirmed")
    page.keyboard.press("Enter")

    expect(row(page, "L898902C3")).to_contain_text("Not confirmed")
    expect(page.locator("#detail")).to_contain_text("on its way to the desk")
    assert "L898902C3" in focused(page)
    page.keyboard.press("o")
    expect(page.locator("#detail .big-number")).to_have_text("K7700012")
    (answer,) = _answers(room, "L898902C3")
    assert answer["by"] == "olga"
    assert answer["reason"] == "The record is about another document."
    assert _answers(room, "K7700012") == []


def test_the_last_look_can_be_left_and_nothing_is_sent(people: People, room: Room) -> None:
    room.site.hit(now())
    page = people.sit_down(room, "olga")
    page.keyboard.press("c")
    page.keyboard.type("The issuing State confirms the record.")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement.id") == "reason"
    assert _answers(room, "L898902C3") == []


def test_not_confirmed_without_a_reason_is_not_sent_and_says_what_is_missing(
    people: People, room: Room
) -> None:
    room.site.hit(now())
    page = people.sit_down(room, "olga")
    page.keyboard.press("n")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#complaint")).to_contain_text("Say why")
    expect(page.locator("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement.id") == "reason"


def test_what_arrives_moves_neither_the_focus_nor_what_is_shown(people: People, room: Room) -> None:
    room.site.hit(now(), minutes=9)
    page = people.sit_down(room, "olga")
    page.keyboard.press("m")
    page.keyboard.type("The number is ")
    room.site.hit(now(), number="K7700012", person=PEOPLE[1], minutes=2)
    expect(page.locator(".queue .row").first).to_contain_text("K7700012")
    page.keyboard.type("worn")
    assert page.input_value("#reason") == "The number is worn"
    expect(page.locator("#detail .big-number")).to_have_text("L898902C3")

    page.keyboard.press("Escape")
    assert "L898902C3" in focused(page)
    room.site.hit(now(), number="C22990047", person=PEOPLE[2], minutes=1)
    expect(page.locator(".queue .row").first).to_contain_text("C22990047")
    assert "L898902C3" in focused(page)


def test_a_new_hit_is_announced_once_and_counted_in_the_title(people: People, room: Room) -> None:
    page = people.sit_down(room, "olga")
    room.site.hit(now())
    expect(page).to_have_title(re.compile(r"^\(1\) "))
    room.site.status("north-1", now())
    room.site.hit(now(), number="K7700012", person=PEOPLE[1])
    expect(page).to_have_title(re.compile(r"^\(2\) "))
    announced = page.evaluate("window.announced")
    assert [("L898902C3" in one, "K7700012" in one) for one in announced] == [
        (True, False),
        (False, True),
    ]


def test_a_draft_outlives_another_alert_and_a_reload_and_ends_when_it_is_sent(
    people: People, room: Room
) -> None:
    room.site.hit(now(), minutes=3)
    room.site.hit(now(), number="K7700012", person=PEOPLE[1], minutes=9)
    page = people.sit_down(room, "olga")
    page.keyboard.press("m")
    page.keyboard.type("half a reason")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.locator("#reason").is_hidden()
    expect(row(page, "L898902C3")).to_contain_text("draft")
    page.reload()
    row(page, "L898902C3").click()
    assert page.input_value("#reason") == "half a reason"
    page.keyboard.press("m")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Enter")
    expect(row(page, "L898902C3")).to_contain_text("Need more")
    expect(row(page, "L898902C3")).not_to_contain_text("draft")


def test_where_somebody_else_was_faster_the_answer_is_held_back_and_both_are_shown(
    people: People, room: Room
) -> None:
    alert = room.site.hit(now())
    page = people.sit_down(room, "olga")
    page.keyboard.press("c")
    page.keyboard.type("The issuing State confirms the record.")
    page.keyboard.press("Control+Enter")
    room.site.answer(alert, now(), by="omar")
    page.keyboard.press("Enter")
    conflict = page.locator("#answer .notice")
    expect(conflict).to_contain_text("omar has answered meanwhile")
    assert [one["by"] for one in _answers(room, "L898902C3")] == ["omar"]
    assert page.input_value("#reason") == "The issuing State confirms the record."

    conflict.get_by_role("button", name="I have seen it").click()
    expect(page.locator("#answer button[type=submit]")).to_be_enabled()
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#detail .course")).to_contain_text("by olga")
    assert [one["by"] for one in _answers(room, "L898902C3")] == ["omar", "olga"]


def test_what_the_server_said_before_does_not_take_the_place_of_what_it_said_after(
    people: People, room: Room
) -> None:
    room.site.hit(now())
    page = people.sit_down(room, "olga")

    def late(route: Route) -> None:
        answered = route.fetch()
        (answer,) = _answers(room, "L898902C3")
        room.site.status("north-1", now(), answers_held=(str(answer["id"]),))
        expect(page.locator("#detail .clock")).to_contain_text("the desk has it")
        route.fulfill(response=answered)

    page.route("**/answer", late)
    page.keyboard.press("c")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#answer .status")).to_contain_text("Sent at")
    expect(page.locator("#detail .clock")).to_contain_text("the desk has it")
    expect(page.locator("#answer .notice")).to_be_hidden()


def test_what_became_of_an_answer_is_said_beside_the_alert_that_it_is_about(
    people: People, room: Room
) -> None:
    room.site.hit(now(), minutes=3)
    room.site.hit(now(), number="K7700012", person=PEOPLE[1], minutes=9)
    page = people.sit_down(room, "olga")
    page.route("**/console/alerts/north-1/**", lambda route: route.abort())
    page.keyboard.press("c")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("#detail .big-number")).to_have_text("K7700012")
    expect(page.locator("#complaint")).to_be_empty()
    page.keyboard.press("k")
    expect(page.locator("#complaint")).to_contain_text("not known whether the answer arrived")


def test_letters_do_nothing_once_they_are_switched_off(people: People, room: Room) -> None:
    room.site.hit(now())
    page = people.sit_down(room, "olga")
    page.keyboard.press("?")
    page.get_by_label("Keys of a single letter").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.keyboard.press("2")
    assert page.locator("#reason").is_hidden()
    assert page.locator("#alerts").is_visible()


def _answers(room: Room, number: str) -> list[dict[str, object]]:
    alert = next(one for one in room.store.all_alerts() if one.data.document.number == number)
    return list(room.store.answers_to(alert.id))
