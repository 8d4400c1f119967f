"""Makes the pictures of docs/console.md from invented people:

.venv/bin/python -m tests.console.browser.screenshots [FOLDER]
"""

import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, expect, sync_playwright

from central.store.store import Store
from scanner.alert import AnswerOutcome
from tests.console.browser.at_the_console import People, Room, now
from tests.console.browser.conftest import ARGUMENTS, CHROMIUM
from tests.console.sample_site import PEOPLE, Site, fill

FOLDER = Path(__file__).parents[3] / "docs" / "screenshots"
DESK = {"width": 1360, "height": 850}
PHONE = {"width": 360, "height": 740}
COLOURS = 128


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as kept, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        people = People(browser)
        store = Store(f"sqlite:///{kept}/central.db")
        fill(Site(store), now())
        room = Room(store, staffed=True)
        _just_now(room)
        with room.open():
            _at_the_desk(people, room, _keeping(folder))
            _on_the_phone(people, room, _keeping(folder))
            people.close()
        store.close()
        browser.close()


def _just_now(room: Room) -> None:
    """A hit that has just arrived, on a document with a history."""
    earlier = room.site.hit(now() - timedelta(days=9), device="harbour-2", number="K7T0O41B8")
    room.site.answer(earlier, now() - timedelta(days=9), AnswerOutcome.NEED_MORE)
    room.site.hit(now() - timedelta(seconds=8), person=PEOPLE[0], number="K7T0O41B8", minutes=5)


def _at_the_desk(people: People, room: Room, keep: Callable[[Page, str], None]) -> None:
    page = people.sit_down(room, "selma", viewport=DESK)
    _just_arrived(page).click()
    keep(page, "alert")
    page.keyboard.press("c")
    page.locator("#reason").fill("The issuing State confirms the record.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("dialog")).to_be_visible()
    keep(page, "last-look")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    for key, name in {"2": "devices", "4": "trends"}.items():
        page.keyboard.press(key)
        expect(page.locator("main > section:visible .card").first).to_be_visible()
        keep(page, name)


def _on_the_phone(people: People, room: Room, keep: Callable[[Page, str], None]) -> None:
    light = people.sit_down(room, "olga", viewport=PHONE, has_touch=True, color_scheme="light")
    dark = people.sit_down(room, "olga", viewport=PHONE, has_touch=True)
    for page in (light, dark):
        _just_arrived(page).tap()
    dark.locator("#to-queue").tap()
    keep(dark, "phone-queue")
    keep(light, "phone-alert")


def _just_arrived(page: Page) -> Locator:
    return page.locator(".group-open .row", has_text="K7T0O41B8")


def _keeping(folder: Path) -> Callable[[Page, str], None]:
    def keep(page: Page, name: str) -> None:
        file = folder / f"{name}.png"
        page.screenshot(path=file, animations="disabled")
        small(Image.open(file)).save(file, optimize=True)
        if name == "phone-alert":
            _side_by_side(folder)

    return keep


def _side_by_side(folder: Path) -> None:
    """The two of the phone as one picture."""
    parts = [folder / "phone-queue.png", folder / "phone-alert.png"]
    pictures = [Image.open(part).convert("RGB") for part in parts]
    both = Image.new("RGB", (PHONE["width"] * 2 + 24, PHONE["height"]), (128, 128, 128))
    for at, picture in enumerate(pictures):
        both.paste(picture, (at * (PHONE["width"] + 24), 0))
    small(both).save(folder / "phone.png", optimize=True)
    for part in parts:
        part.unlink()


def small(picture: Image.Image) -> Image.Image:
    """The same in few colours: a tenth of the size, and nobody sees a difference."""
    return picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
