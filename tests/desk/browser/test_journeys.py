"""An officer's day at the page: what is laid down, what is shown, what is done of it.

Every journey is made twice: on the small touch screen in English, and on a monitor in Arabic. They
look at states and places rather than at words, which the catalogues' own tests hold.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from scanner.alert import AnswerOutcome
from scanner.mrz.reading import Reading, Status, Uncertain
from scanner.sources.capture import Capture
from tests.console.browser.at_the_console import People
from tests.delivery.both_ends import wait_for
from tests.desk.browser.booth import (
    CLEAN,
    EMPTY_DESK,
    LOOK_ALIKE,
    MONITOR,
    STOLEN,
    TOUCH,
    WRONG_DIGIT,
    Booth,
    sit_down,
)
from tests.desk.desk_fixture import CLEAN as CLEAN_LINES

SEATS: dict[str, dict[str, Any]] = {
    "touch, English": {"viewport": TOUCH, "language": "en"},
    "monitor, Arabic": {"viewport": MONITOR, "language": "ar", "color_scheme": "light"},
}
INSTRUCTION = "Hold the document and call the shift leader."
NOTES_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((one) => one.value)))
  .observe({ type: "layout-shift" });
"""


@pytest.fixture(scope="module", params=SEATS)
def seat(
    request: pytest.FixtureRequest, browser: Browser, one_booth: Booth
) -> Iterator[tuple[Page, list[str]]]:
    """A page in front of an officer, and what it has asked for since it was there."""
    people = People(browser)
    page = sit_down(people, one_booth, **SEATS[request.param])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(NOTES_SHIFTS)
    yield page, asked
    people.close()


@pytest.fixture
def page(seat: tuple[Page, list[str]], booth: Booth) -> Iterator[Page]:
    """The page with nothing on the desk. It asks nobody else for anything, whatever happens."""
    page, asked = seat
    expect(_state(page, "ready")).to_be_visible()
    page.evaluate("window.shifts.length = 0")
    yield page
    assert [url for url in asked if not url.startswith(booth.url)] == []


def test_a_document_without_a_record_is_spelled_out_below_its_picture(
    page: Page, booth: Booth
) -> None:
    booth.lay(CLEAN)
    expect(_state(page, "no_record")).to_be_visible()
    document = page.locator("#document")
    for printed in ("LINDQVIST", "ASTRID MAREN", "U71B40952", "UTO", "1986", "2034"):
        expect(document).to_contain_text(printed)
    expect(document.locator(".age")).to_contain_text(re.compile(r"\d\d"))
    lines = page.locator("#mrz .cells")
    assert lines.all_inner_texts()[1].replace("\n", "").startswith("U71B409521UTO8603142F3411207")
    shown = "node => node.complete && node.naturalWidth / node.naturalHeight"
    assert page.locator("#mrz img").first.evaluate(shown) == pytest.approx(44 / 4, rel=0.1)
    expect(page.locator(".condition")).to_have_count(5)  # a list, the link, the queue, two devices
    expect(page.locator(".condition.unwell")).to_have_count(0)  # once the link stands
    assert page.evaluate("window.shifts") == []
    page.keyboard.press("F8")
    expect(_state(page, "ready")).to_be_visible()
    expect(document).not_to_contain_text("LINDQVIST")


def test_a_hit_waits_for_central_and_for_its_outcome_whatever_comes_next(
    page: Page, booth: Booth
) -> None:
    booth.lay(STOLEN)
    expect(_state(page, "refer")).to_be_visible()
    expect(page.locator(".certainty")).to_be_visible()
    expect(page.locator(".next [data-do=outcome]")).to_be_enabled()
    assert page.locator("[data-do=next]").count() == 0
    booth.answer(AnswerOutcome.CONFIRMED, INSTRUCTION)
    expect(page.locator("#verdict .instruction")).to_have_text(INSTRUCTION)
    expect(page.locator("#announce")).to_contain_text(INSTRUCTION)
    assert page.evaluate("window.shifts") == []

    booth.lay(CLEAN)
    expect(_state(page, "no_record")).to_be_visible()
    chip = page.locator(".chip.answered")
    expect(chip).to_contain_text("…3961")
    chip.click()
    expect(page.locator("dialog .about")).to_contain_text(INSTRUCTION)
    page.locator("dialog [data-key=look]").click()
    expect(page.locator("#document")).to_contain_text("MARCHETTI")

    page.locator(".next [data-do=outcome]").tap()
    page.locator("dialog [data-action=document_held]").tap()
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(".next [data-do=next]")).to_be_enabled()
    assert wait_for(lambda: _outcomes(booth))[-1] == "document_held"


def test_a_possible_hit_looks_across_the_desk_like_a_document_to_look_at_more_closely(
    page: Page, booth: Booth
) -> None:
    booth.lay(LOOK_ALIKE)
    expect(_state(page, "refer")).to_be_visible()
    expect(page.locator("#mrz .mrz-line")).to_have_count(3)
    from_afar = """() => {
      const verdict = document.getElementById("verdict");
      const shapes = [...verdict.querySelectorAll(".place .body")];
      const drawn = shapes.map((one) => one.getAttribute("d"));
      return [getComputedStyle(verdict).backgroundColor, drawn];
    }"""
    possible = page.evaluate(from_afar)
    booth.lay(WRONG_DIGIT)
    expect(_state(page, "look_closer")).to_be_visible()
    assert page.evaluate(from_afar) == possible
    expect(page.locator("#mrz .cell.wrong").first).to_be_visible()
    expect(page.locator(".chip")).to_have_count(1)


def test_what_cannot_be_read_is_typed_with_check_digits_that_live(page: Page, booth: Booth) -> None:
    booth.lay(EMPTY_DESK)
    expect(_state(page, "read_again")).to_be_visible()
    page.locator(".next [data-do=typed]").click()
    first, second = page.locator(".typed-line").all()
    for character in "p<ut":
        page.locator(".key", has_text=re.compile(f"^{character}$", re.IGNORECASE)).click()
    page.keyboard.type(CLEAN_LINES[0][4:].lower().replace("<", " "))
    expect(first).to_have_value(CLEAN_LINES[0])
    page.keyboard.press("Enter")
    number, digit = CLEAN_LINES[1][:9], CLEAN_LINES[1][9]
    page.keyboard.type(number + str((int(digit) + 1) % 10))
    expect(page.locator(".ruler .wrong")).to_have_count(1)
    expect(page.locator(".typed-faults")).to_contain_text(digit)
    page.locator(".key").last.click()
    page.keyboard.type(CLEAN_LINES[1][9:])
    expect(page.locator(".ruler .right")).to_have_count(4)
    expect(page.locator(".ruler .wrong")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(_state(page, "no_record")).to_be_visible()
    expect(page.locator("#document .tag")).to_be_visible()
    expect(second).to_be_hidden()


def test_a_number_alone_is_found_on_a_list_and_is_never_clear(page: Page, booth: Booth) -> None:
    for number, state in (("K55500124", "read_again"), ("K55500123", "refer")):
        page.keyboard.press("F2")
        page.locator(".choice", has=page.locator("[value=number]")).click()
        page.keyboard.type(number)
        page.keyboard.press("Enter")
        page.keyboard.type("uto")
        page.locator(".done").click()
        expect(_state(page, state)).to_be_visible()
        expect(page.locator("#document .number")).to_have_text(number)


def test_a_touch_beside_a_doubtful_character_corrects_it(page: Page, booth: Booth) -> None:
    assert booth.box is not None
    lower = f"{CLEAN_LINES[1][:3]}8{CLEAN_LINES[1][4:]}"
    doubt = Uncertain(1, 3, (("8", 0.6), ("B", 0.4)))
    read = Reading(Status.DOUBTFUL, (CLEAN_LINES[0], lower), "scanner", uncertain=(doubt,))
    booth.box.desk.take(Capture("scanner", text=read))
    expect(_state(page, "read_again")).to_be_visible()
    marked = page.locator("#mrz .cell.doubtful")
    box = marked.bounding_box()
    assert box is not None
    x, y = box["x"] - box["width"] * 0.8, box["y"] + box["height"] / 2
    wait_for(lambda: page.touchscreen.tap(x, y) or page.locator("dialog").count())
    page.locator(".candidate", has_text="B").tap()
    expect(_state(page, "no_record")).to_be_visible()
    expect(page.locator("dialog")).to_have_count(0)
    expect(marked).to_have_count(0)
    expect(page.locator("#document .tag")).to_be_visible()


def test_a_drill_is_seen_all_the_time_and_what_is_real_in_it_stands_out(
    page: Page, booth: Booth
) -> None:
    before = booth.office.alert_ids()
    page.keyboard.press("F10")
    page.locator("dialog [data-do=drill]").click()
    bar = page.locator("#drill")
    bar.locator("[data-key=next]").click()
    expect(_state(page, "no_record")).to_be_visible()
    page.keyboard.press("F8")
    bar.locator("[data-key=next]").click()
    expect(_state(page, "refer")).to_be_visible()
    _say_what_was_done(page, "referred")
    expect(bar).not_to_have_class(re.compile("real"))
    assert booth.office.alert_ids() == before

    booth.lay(STOLEN)  # by the camera: this desk's own list has it
    expect(page.locator("#drill.real")).to_be_visible()
    expect(_state(page, "refer")).to_be_visible()
    _say_what_was_done(page, "document_held")
    assert wait_for(lambda: len(booth.office.alert_ids()) == len(before) + 1)

    bar.locator("[data-key=end]").click()
    bar.locator("[data-key=results]").click()
    expect(page.locator("dialog .finding.ok")).to_have_count(2)
    page.keyboard.press("Escape")
    bar.locator("[data-key=discard]").click()
    expect(bar).to_be_hidden()


def _say_what_was_done(page: Page, action: str) -> None:
    page.keyboard.press("F4")
    page.locator(f"dialog [data-action={action}]").click()
    expect(page.locator("dialog")).to_have_count(0)


def _state(page: Page, state: str) -> Any:
    return page.locator(f"#verdict[data-state={state}]")


def _outcomes(booth: Booth) -> list[str]:
    """What central knows was done."""
    with booth.office.store.reading() as db:
        return [row[0] for row in db.exec_driver_sql("select action from outcomes")]
