"""The page while it may not be believed, or may not be seen: the daemon is gone or hangs, its lists
are too old, nobody is signed in, the screen is blank."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from firmware.officers.officers import Officers
from firmware.officers.roles import Role
from tests.console.browser.at_the_console import People
from tests.delivery.both_ends import HeadOffice, wait_for
from tests.desk.browser.booth import CLEAN, STOLEN, Booth, sit_down

PAGE = Path(__file__).parents[3] / "firmware" / "kiosk" / "page"
TWO_SECONDS_MS = 2000


def test_the_page_s_own_times_add_up_to_less_than_two_seconds() -> None:
    times = dict(re.findall(r"const (\w+_MS) = (\d+);", (PAGE / "link.js").read_text()))
    assert int(times["SILENT_MS"]) + int(times["LOOK_EVERY_MS"]) < TWO_SECONDS_MS


def test_a_daemon_that_is_started_anew_is_missed_and_found_again_with_what_was_open(
    people: People, office: HeadOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    booth = Booth(tmp_path, office).open()
    page = sit_down(people, booth)
    booth.lay(STOLEN)
    expect(page.locator("#verdict[data-state=refer]")).to_be_visible()
    booth.close()
    expect(page.locator("#verdict[data-state=lost]")).to_be_visible()
    expect(page.locator(".condition")).to_have_count(1)
    expect(page.locator(".bar button:enabled")).to_have_count(0)

    booth.open(lists={"use": [{"name": "sltd", "max_age_hours": 2.0}]})
    expect(page.locator("#verdict[data-state=ready]")).to_be_visible()
    expect(page.locator(".chip")).to_contain_text("…3961")
    booth.lay(CLEAN)
    expect(page.locator("#verdict[data-state=not_checked]")).to_be_visible()
    expect(page.locator(".condition.unwell", has_text="sltd")).to_be_visible()

    assert booth.box is not None
    assert booth.box.kiosk is not None
    with monkeypatch.context() as hanging:  # its connections stay open
        hanging.setattr(booth.box.kiosk.pages, "_wake", lambda: time.sleep(2.5))
        booth.box.kiosk.pages.tell()
        expect(page.locator("#verdict[data-state=lost]")).to_be_visible()
    expect(page.locator("#verdict[data-state=not_checked]")).to_be_visible()
    booth.close()


def test_a_locked_or_blank_page_shows_nothing_while_documents_are_checked(
    people: People, office: HeadOffice, tmp_path: Path
) -> None:
    file = tmp_path / "officers.json"
    Officers(file).add("anna", Role.OFFICER, pin="471182")
    booth = Booth(tmp_path, office, "desk-2", officers={"sign_in": "pin", "file": str(file)})
    with office.receiving():
        booth.open()
        page = sit_down(people, booth, until="#lock form")
        booth.lay(STOLEN)
        wait_for(booth.office.alert_ids)
        assert "MARCHETTI" not in page.content()

        page.keyboard.type("anna")
        page.keyboard.press("Enter")
        page.keyboard.type("471183")
        page.keyboard.press("Enter")
        expect(page.locator("#lock .error")).not_to_be_empty()
        page.keyboard.type("471182")
        page.keyboard.press("Enter")
        expect(page.locator("#document")).to_contain_text("MARCHETTI")
        expect(page.locator(".open-menu")).to_contain_text("anna")

        page.keyboard.press("F9")
        expect(page.locator(".blanked")).to_be_focused()
        assert "MARCHETTI" not in page.content()
        page.keyboard.press("Space")
        expect(page.locator("#document")).to_contain_text("MARCHETTI")
        page.keyboard.press("F10")
        page.locator("dialog [data-do=sign_out]").click()
        expect(page.locator("#lock form")).to_be_visible()
        assert "MARCHETTI" not in page.content()
        booth.close()
