"""Makes the pictures of docs/desk.md, of invented people's documents:

.venv/bin/python -m tests.desk.browser.screenshots [FOLDER]
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from firmware.demo.catalogue import SPECIMENS, SPECIMENS_FOLDER
from firmware.kiosk.stage import StagedStream
from firmware.officers.officers import Officers
from firmware.officers.roles import Role
from scanner.alert import AnswerOutcome
from scanner.mrz.reading import Reading, Status, Uncertain
from scanner.sources import camera as sources
from tests.console.browser.at_the_console import People
from tests.console.browser.conftest import ARGUMENTS, CHROMIUM
from tests.console.browser.screenshots import small
from tests.delivery.both_ends import HeadOffice, wait_for
from tests.delivery.broker import Broker
from tests.desk.browser.booth import (
    CLEAN,
    EXPIRED,
    LOOK_ALIKE,
    MONITOR,
    STOLEN,
    WRONG_DIGIT,
    Booth,
    captures_of,
    sit_down,
)

FOLDER = Path(__file__).parents[3] / "docs" / "screenshots"
INSTRUCTION = "Keep the document and call the shift leader to lane 1."
OLD = {"use": [{"name": "sltd", "max_age_hours": 2.0}]}
PIN = "471182"


class Camera:
    """Takes the pictures into `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, page: Page, name: str, state: str | None = None) -> None:
        """A picture of the page, once it shows that state."""
        if state:
            expect(page.locator(f"#verdict[data-state={state}]")).to_be_visible()
        page.evaluate("Promise.all([...document.images].map((one) => one.decode().catch(() => 0)))")
        page.evaluate("new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 100)))")
        file = self._folder / f"desk-{name}.png"
        page.screenshot(path=file, animations="disabled")
        small(Image.open(file)).save(file, optimize=True)


def main() -> None:
    camera = Camera(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
    with tempfile.TemporaryDirectory() as kept, sync_playwright() as playwright:
        folder = Path(kept)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        people = People(browser)
        with Broker(folder) as broker:
            broker.start()
            office = HeadOffice(folder, broker.port, "5")
            officers = folder / "officers.json"
            Officers(officers).add("anna", Role.SUPERVISOR, pin=PIN)
            signing_in = {"sign_in": "pin", "file": str(officers)}
            booth = Booth(folder, office, drill={"allowed": True}, officers=signing_in)
            stream = StagedStream()
            booth.sources[0] = sources.Camera("camera", stream)
            with office.receiving():
                booth.open()
                page = sit_down(people, booth, until="#lock form")
                camera.take(page, "locked")
                _sign_in(page)
                _verdicts(camera, page, booth)
                _sheets(camera, page, booth)
                _elsewhere(camera, people, booth)
                _live(camera, page, stream)
                _drill(camera, page)
                _faults(camera, page, booth)
        people.close()
        browser.close()


def _sign_in(page: Page) -> None:
    for typed in ("anna", PIN):
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
    expect(page.locator("#lock")).to_be_hidden()


def _verdicts(camera: Camera, page: Page, booth: Booth) -> None:
    camera.take(page, "ready", "ready")
    booth.lay(CLEAN)
    camera.take(page, "clear", "no_record")
    booth.lay(WRONG_DIGIT)
    camera.take(page, "look-closer", "look_closer")
    booth.lay(LOOK_ALIKE)
    camera.take(page, "possible", "refer")
    booth.answer(AnswerOutcome.NOT_CONFIRMED, "Another document is meant. Let the traveller go on.")
    expect(page.locator(".central .instruction")).to_be_visible()
    booth.lay(STOLEN)
    expect(page.locator(".central-word")).to_contain_text("Waiting")
    camera.take(page, "hit", "refer")
    booth.answer(AnswerOutcome.CONFIRMED, INSTRUCTION)
    expect(page.locator(".central .instruction")).to_have_text(INSTRUCTION)
    camera.take(page, "answer", "refer")


def _sheets(camera: Camera, page: Page, booth: Booth) -> None:
    page.keyboard.press("F4")
    camera.take(page, "outcome")
    page.keyboard.press("Escape")
    _lay_doubtful(page, booth)
    camera.take(page, "read-again", "read_again")
    page.keyboard.press("F3")
    camera.take(page, "correct")
    page.keyboard.press("Escape")
    page.keyboard.press("F2")
    page.keyboard.type("8")
    expect(page.locator(".ruler .right").first).to_be_visible()
    camera.take(page, "typing")
    page.locator(".choice:has([value=number])").click()
    page.keyboard.type("K55500123")
    camera.take(page, "number-alone")
    page.keyboard.press("Escape")
    page.keyboard.press("F10")
    camera.take(page, "menu")
    page.locator("dialog [data-do=health]").click()
    expect(page.locator(".finding").first).to_be_visible()
    camera.take(page, "health")
    page.keyboard.press("Escape")


def _lay_doubtful(page: Page, booth: Booth) -> None:
    """A page that the reader is not sure of in two places."""
    booth.lay(CLEAN)
    expect(page.locator("#verdict[data-state=no_record]")).to_be_visible()
    assert booth.box is not None
    assert booth.box.kiosk is not None
    shown = booth.box.kiosk.display.seen.shown
    assert shown is not None
    sure = shown.examination.reading
    assert sure is not None
    upper, lower = sure.lines
    doubts = (Uncertain(1, 3, (("8", 0.6), ("B", 0.4))), Uncertain(1, 7, (("5", 0.7), ("S", 0.3))))
    lines = (upper, f"{lower[:3]}8{lower[4:]}")
    read = Reading(Status.DOUBTFUL, lines, "litert", uncertain=doubts, box=sure.box)
    for capture in captures_of(CLEAN):
        booth.box.desk.take(replace(capture, text=read))


def _elsewhere(camera: Camera, people: People, booth: Booth) -> None:
    """The same desk on a monitor, in Arabic, and in direct sun."""
    booth.lay(EXPIRED)
    monitor = sit_down(people, booth, viewport=MONITOR, color_scheme="light")
    camera.take(monitor, "monitor", "no_record")
    booth.lay(STOLEN)
    arabic = sit_down(people, booth, viewport=MONITOR, language="ar")
    camera.take(arabic, "arabic", "refer")
    sun = sit_down(people, booth)
    sun.evaluate("document.documentElement.dataset.theme = 'sunlight'")
    camera.take(sun, "sunlight", "refer")
    booth.clear()
    for page in (monitor, arabic, sun):
        page.close()


def _drill(camera: Camera, page: Page) -> None:
    page.keyboard.press("F10")
    page.locator("dialog [data-do=drill]").click()
    bar = page.locator("#drill")
    bar.locator("[data-key=next]").click()
    expect(page.locator("#verdict[data-state=no_record]")).to_be_visible()
    page.keyboard.press("F8")
    bar.locator("[data-key=next]").click()
    expect(page.locator("#verdict[data-state=refer] .central")).to_be_visible()
    camera.take(page, "drill", "refer")
    page.keyboard.press("F4")
    page.locator("dialog [data-action=referred]").click()
    bar.locator("[data-key=end]").click()
    bar.locator("[data-key=results]").click()
    camera.take(page, "drill-results")
    page.keyboard.press("Escape")
    bar.locator("[data-key=discard]").click()


def _live(camera: Camera, page: Page, stream: StagedStream) -> None:
    stream.lay(cv2.imread(str(SPECIMENS_FOLDER / SPECIMENS[CLEAN - 1].file), cv2.IMREAD_GRAYSCALE))
    expect(page.locator("#verdict[data-state=no_record]")).to_be_visible()
    page.keyboard.press("F7")
    live = page.locator("img.live")
    wait_for(lambda: live.evaluate("one => one.naturalWidth"))
    camera.take(page, "live")
    page.keyboard.press("Escape")
    stream.lay(None)
    page.keyboard.press("F8")
    expect(page.locator("#verdict[data-state=ready]")).to_be_visible()


def _faults(camera: Camera, page: Page, booth: Booth) -> None:
    booth.lay(CLEAN)
    expect(page.locator("#verdict[data-state=no_record]")).to_be_visible()
    booth.close()
    camera.take(page, "lost", "lost")
    changes: dict[str, Any] = {"lists": OLD}
    booth.open(**changes)
    expect(page.locator("#lock form")).to_be_visible()
    _sign_in(page)
    booth.lay(CLEAN)
    camera.take(page, "not-checked", "not_checked")
    booth.close()


if __name__ == "__main__":
    main()
