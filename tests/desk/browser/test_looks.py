"""The page can be read and used by everybody, and weighs little: what its files say, and what axe,
a ruler and a finger find in every state and sheet."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.browser.at_the_console import People
from tests.console.browser.measures import brightness, contrast, violations
from tests.desk.browser.booth import (
    LOOK_ALIKE,
    MONITOR,
    STOLEN,
    TOUCH,
    WRONG_DIGIT,
    Booth,
    sit_down,
)

PAGE = Path(__file__).parents[3] / "firmware" / "kiosk" / "page"
MOST_BYTES = 150_000
FILLS = ("--wait-fill", "--go-fill", "--attend-fill", "--none-fill")
GROUNDS = ("--ground", "--panel", "--raised", "--chosen")
TEXTS = ("--text", "--soft", "--mark")
EDGES = ("--edge", "--focus")


def _themes() -> dict[str, dict[str, str]]:
    """Every colour of each theme: by day and by night, where it has two, and in the sun."""
    both, sun = re.findall(r":root(?:\[data-theme=\"sunlight\"\])? \{([^}]*--[^}]*)\}", _THEME)
    colours = re.findall(r"(--[\w-]+): (?:light-dark\((#\w+), (#\w+)\)|(#\w+));", both)
    return {
        "day": {name: light or same for name, light, _, same in colours},
        "night": {name: dark or same for name, _, dark, same in colours},
        "sun": dict(re.findall(r"(--[\w-]+): (#\w+);", sun)),
    }


_THEME = (PAGE / "theme.css").read_text()
THEMES = _themes()


def test_the_page_weighs_little_and_names_no_other_place() -> None:
    files = [path for path in PAGE.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    for path in files:
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert re.findall(r"https?://|//cdn|@import|url\(", text) == [], path.name


def test_no_rule_brings_a_colour_of_its_own_and_none_moves() -> None:
    for sheet in PAGE.glob("*.css"):
        rules = sheet.read_text()
        assert re.findall(r"animation|transition|@keyframes", rules) == [], sheet.name
        if sheet.name != "theme.css":
            colours = re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;\s,)])", rules)
            assert set(colours) <= {"#000", "#8a8a8a"}, sheet.name  # the blank screen


@pytest.mark.parametrize("theme", THEMES)
def test_every_text_can_be_read_and_every_verdict_throws_the_same_light(theme: str) -> None:
    colours = THEMES[theme]
    assert colours.keys() == THEMES["day"].keys()
    pairs = [*product(TEXTS, GROUNDS), ("--on-press", "--press-fill")]
    pairs += [("--on-fill", fill) for fill in FILLS]
    poor = {pair: contrast(*(colours[name] for name in pair)) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}
    edges = {pair: contrast(*(colours[n] for n in pair)) for pair in product(EDGES, GROUNDS)}
    assert {pair: ratio for pair, ratio in edges.items() if ratio < 3.0} == {}
    light = [brightness(colours[fill]) for fill in FILLS]
    assert max(light) / min(light) < 1.1
    for fill in FILLS:
        red, green, blue = (int(colours[fill][at : at + 2], 16) for at in (1, 3, 5))
        assert red < 1.3 * max(green, blue), fill


@pytest.fixture(scope="module", params=["dark", "light"])
def page(request: pytest.FixtureRequest, browser: Browser, one_booth: Booth) -> Iterator[Page]:
    """The small touch screen in English, dark; the monitor in Arabic, light."""
    people = People(browser)
    small = request.param == "dark"
    seat = {} if small else {"viewport": MONITOR, "language": "ar"}
    yield sit_down(people, one_booth, color_scheme=request.param, **seat)
    people.close()


def test_axe_a_ruler_and_a_finger_find_nothing_in_any_state_or_sheet(
    page: Page, booth: Booth
) -> None:
    """Everything on the small screen; on the monitor, what differs there."""
    small = page.viewport_size == TOUCH
    found = _faults(page, "ready")
    for specimen, state in ((LOOK_ALIKE, "refer"), (WRONG_DIGIT, "look_closer")):
        booth.lay(specimen)
        expect(page.locator(f"#verdict[data-state={state}]")).to_be_visible()
        found += _faults(page, state)
    for key in ("F2", "F3", "F6", "F1", "F10") if small else ("F2", "F6"):
        page.keyboard.press(key)
        expect(page.locator("dialog")).to_be_visible()
        found += _faults(page, key)
        page.keyboard.press("Escape")
    if small:
        page.keyboard.press("F10")
        page.locator("dialog [data-do=health]").click()
        expect(page.locator(".finding").first).to_be_visible()
        found += _faults(page, "health")
        page.keyboard.press("Escape")
    assert found == []


def test_in_a_small_window_everything_is_still_there(page: Page, booth: Booth) -> None:
    booth.lay(STOLEN)
    expect(page.locator("#verdict[data-state=refer]")).to_be_visible()
    before = page.viewport_size
    page.set_viewport_size({"width": 400, "height": 700})
    assert _overflow(page) <= 0
    page.locator(".next button").scroll_into_view_if_needed()
    expect(page.locator(".next button")).to_be_in_viewport()
    page.keyboard.press("F4")
    page.locator("dialog .outcome").last.scroll_into_view_if_needed()
    assert _overflow(page) <= 0
    page.keyboard.press("Escape")
    assert before is not None
    page.set_viewport_size(before)


def test_with_forced_colours_the_state_still_has_its_word_shape_and_edge(
    people: People, booth: Booth
) -> None:
    booth.lay(STOLEN)
    page = sit_down(people, booth, forced_colors="active")
    expect(page.locator("#verdict[data-state=refer] .shape .body").first).to_be_visible()
    edge = "getComputedStyle(document.getElementById('verdict')).borderTopStyle"
    assert page.evaluate(edge) == "solid"


def test_the_language_is_chosen_on_screen_and_remembered(people: People, booth: Booth) -> None:
    page = people.context().new_page()
    page.goto(booth.url)
    for language, direction in (("fr", "ltr"), ("ar", "rtl")):
        page.locator(".open-menu").click()
        page.locator(f".choice:has([name=language][value={language}])").click()
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("html")).to_have_attribute("dir", direction)
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "ar")
    page.locator(".open-menu").click()
    page.locator(".choice:has([value=sunlight])").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "sunlight")


def test_the_officers_guide_names_the_same_keys_as_the_page(page: Page, booth: Booth) -> None:
    text = (PAGE.parents[2] / "docs" / "desk.md").read_text()
    keys = text.split("## Keys")[1].split("\n## ")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|$", keys, re.MULTILINE))
    page.keyboard.press("F1")
    shown = page.locator("dialog tr").evaluate_all(
        "rows => rows.map(row => [...row.children].map(cell => cell.textContent))"
    )
    page.keyboard.press("Escape")
    assert [key for key, _ in shown] == list(told)
    if page.locator("html").get_attribute("lang") == "en":
        assert dict(shown) == told


def _faults(page: Page, where: str) -> list[str]:
    """What axe holds against the page as it stands, what is too small to touch, what sticks out."""
    small: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("button, a, input:not([type=radio]), .choice")]
          .filter((one) => one.checkVisibility())
          .filter((one) => {
            const { width, height } = one.getBoundingClientRect();
            return width < 44 || height < 44;
          })
          .map((one) => "too small: " + one.outerHTML.slice(0, 80))"""
    )
    wide = ["wider than the window"] if _overflow(page) > 0 else []
    return [f"{where}: {fault}" for fault in (*violations(page), *small, *wide)]


def _overflow(page: Page) -> int:
    wider: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wider
