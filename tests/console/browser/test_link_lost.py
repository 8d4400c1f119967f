"""The page never passes off what is old as what is there."""

import signal
from pathlib import Path

from playwright.sync_api import expect

from central.store.store import Store
from tests.console.browser.at_the_console import People, Room, now, row, sign_in, sounds
from tests.console.sample_site import PEOPLE


def test_killed_and_started_again_the_console_has_missed_nothing(
    people: People, store: Store, tmp_path: Path
) -> None:
    room = Room(store)
    server = room.process(tmp_path / "central.toml")
    try:
        page = people.sign_in(room, "olga")
        before = room.site.hit(now())
        expect(row(page, "L898902C3")).to_be_visible()
        page.keyboard.press("c")
        page.keyboard.type("The issuing State confirms the record.")

        server.kill()
        server.wait(10)
        expect(page.locator("#lost")).to_be_visible(timeout=20_000)
        expect(page.locator("#lost")).to_contain_text("Not connected since")
        assert "Not connected" in page.title()
        page.keyboard.press("Control+Enter")
        page.keyboard.press("Enter")
        expect(page.locator("#complaint")).to_contain_text("not known whether the answer arrived")
        room.site.hit(now(), number="K7700012", person=PEOPLE[1])
        room.site.answer(before, now(), by="omar")

        server = room.process(tmp_path / "central.toml")
        expect(page.locator("#lost")).to_be_hidden()
        expect(row(page, "K7700012")).to_be_visible()
        expect(row(page, "L898902C3")).to_contain_text("Confirmed")
        assert page.input_value("#reason") == "The issuing State confirms the record."
        expect(page.locator("#answer .notice")).to_contain_text("omar has answered meanwhile")
        page.wait_for_timeout(1000)
        assert sounds(page) == 2
    finally:
        server.kill()
        server.wait(10)


def test_a_server_that_stands_still_is_noticed(
    people: People, store: Store, tmp_path: Path
) -> None:
    room = Room(store)
    server = room.process(tmp_path / "central.toml")
    try:
        context = people.context()
        page = context.new_page()
        page.clock.install()
        sign_in(page, room.url, "olga")
        server.send_signal(signal.SIGSTOP)
        page.clock.fast_forward(19_000)
        expect(page.locator("#lost")).to_be_visible()
        server.send_signal(signal.SIGCONT)
        page.clock.fast_forward(10_000)
        expect(page.locator("#lost")).to_be_hidden()
    finally:
        server.kill()
        server.wait(10)


def test_whoever_is_signed_out_elsewhere_is_told_so_and_keeps_the_draft(
    people: People, room: Room
) -> None:
    room.site.hit(now())
    page = people.sit_down(room, "olga")
    page.keyboard.press("m")
    page.keyboard.type("half a reason")
    page.context.clear_cookies()
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Enter")
    expect(page.locator("dialog.signed-out")).to_contain_text("You are signed out")
    assert page.input_value("#reason") == "half a reason"


def test_signing_out_leaves_nothing_of_a_draft_in_the_browser(people: People, room: Room) -> None:
    room.site.hit(now())
    page = people.sit_down(room, "olga")
    page.keyboard.press("m")
    page.keyboard.type("half a reason")
    kept = "JSON.stringify(sessionStorage) + JSON.stringify(localStorage)"
    assert "half a reason" in page.evaluate(kept)
    page.locator("#who").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    assert "half a reason" not in page.evaluate(kept)
    page.goto(room.url)
    assert page.url.endswith("/sign-in")
