"""The page can be read and used by everybody: in the dark, on a phone, enlarged, by ear."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.browser.at_the_console import People, Room, now, row
from tests.console.browser.measures import brightness, contrast, violations
from tests.console.sample_site import PASSWORD, PEOPLE

PAGE = Path(__file__).parents[3] / "central" / "console" / "page"
THEME = (PAGE / "theme.css").read_text()
GROUNDS = ("--ground", "--panel", "--raised", "--chosen")
TEXTS = ("--text", "--soft", "--link", "--hit", "--possible", "--good", "--ask")
ON_FILLS = (
    ("--on-hit", "--hit-fill"),
    ("--on-possible", "--possible-fill"),
    ("--on-good", "--good-fill"),
    ("--on-ask", "--ask-fill"),
)
EDGES = ("--edge", "--focus")


def _themes() -> dict[str, dict[str, str]]:
    blocks = re.findall(r"(:root[^{]*)\{([^}]*)\}", THEME)
    return {
        f"{number} {selector.strip()}": dict(re.findall(r"(--[\w-]+):\s*(#\w+)", block))
        for number, (selector, block) in enumerate(blocks)
    }


THEMES = _themes()


def test_the_three_places_where_colours_stand_name_the_same_ones_and_light_is_light() -> None:
    dark, by_system, by_switch = THEMES.values()
    assert dark.keys() == by_system.keys() == by_switch.keys()
    assert by_system == by_switch
    assert brightness(dark["--ground"]) < 0.01
    assert brightness(by_switch["--ground"]) > 0.8


@pytest.mark.parametrize("theme", THEMES)
def test_every_text_can_be_read_on_every_ground(theme: str) -> None:
    colours = THEMES[theme]
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS] + list(ON_FILLS)
    poor = {pair: contrast(*(colours[name] for name in pair)) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}
    edges = {(e, g): contrast(colours[e], colours[g]) for e in EDGES for g in GROUNDS}
    assert {pair: ratio for pair, ratio in edges.items() if ratio < 3.0} == {}


def test_no_rule_brings_a_colour_of_its_own() -> None:
    for sheet in PAGE.glob("*.css"):
        if sheet.name != "theme.css":
            assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;\s,)])", sheet.read_text()) == [], (
                sheet.name
            )


def test_axe_finds_nothing_in_any_section(people: People, full_room: Room) -> None:
    page = people.sit_down(full_room, "selma")
    page.keyboard.press("c")
    found = violations(page)
    page.keyboard.press("Control+Enter")
    found += violations(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    found += violations(page)
    page.keyboard.press("Escape")
    for key in "2345":
        page.keyboard.press(key)
        summary = page.locator("main > section:visible .summary")
        expect(summary).not_to_have_text(re.compile("^$|…$"))
        if key == "3":
            page.locator("#history tbody button").first.click()
        found += violations(page)
    assert found == []


def test_axe_finds_nothing_in_the_light_either(people: People, full_room: Room) -> None:
    page = people.sit_down(full_room, "selma", color_scheme="light")
    page.keyboard.press("n")
    assert violations(page) == []


def test_on_a_phone_nothing_is_wider_than_the_screen_and_fingers_hit_what_they_mean(
    people: People, full_room: Room
) -> None:
    page = people.sit_down(
        full_room, "selma", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    _fits(page)
    row(page, "C01X0006H").tap()
    expect(page.locator("#detail .big-number")).to_have_text("C01X0006H")
    assert page.locator("#queue").is_hidden()
    _fits(page)
    page.locator(".choice", has_text="Not confirmed").tap()
    expect(page.locator("#reason")).to_be_visible()
    _fits(page)
    page.locator("#to-queue").tap()
    expect(page.locator("#queue")).to_be_visible()
    for name in ("Devices", "History", "Trends", "Audit"):
        page.locator("#nav a", has_text=name).tap()
        _fits(page)


def test_a_hit_that_arrives_while_another_is_on_the_phone_s_screen_is_not_overlooked(
    people: People, room: Room
) -> None:
    room.site.hit(now())
    page = people.sit_down(room, "olga", viewport={"width": 360, "height": 740}, has_touch=True)
    row(page, "L898902C3").tap()
    room.site.hit(now(), number="K7700012", person=PEOPLE[1])
    expect(page.locator("#arrived")).to_have_text("1 new alert – show")
    expect(page.locator("#detail .big-number")).to_have_text("L898902C3")
    page.locator("#arrived").tap()
    expect(page.locator("#detail .big-number")).to_have_text("K7700012")
    expect(page.locator("#arrived")).to_be_hidden()


def test_enlarged_to_twice_its_size_everything_is_still_there(
    people: People, full_room: Room
) -> None:
    page = people.sit_down(full_room, "selma", viewport={"width": 640, "height": 360})
    page.keyboard.press("j")
    expect(page.locator(".queue .row:focus")).to_be_visible()
    page.keyboard.press("c")
    expect(page.locator("#reason")).to_be_visible()
    page.locator("#answer button[type=submit]").scroll_into_view_if_needed()
    assert page.locator("#answer button[type=submit]").is_visible()
    assert _overflow(page) <= 0


def test_with_forced_colours_and_without_motion_the_choice_is_still_told(
    people: People, room: Room
) -> None:
    room.site.hit(now())
    page = people.sit_down(room, "olga", forced_colors="active", reduced_motion="reduce")
    page.keyboard.press("c")
    border = "getComputedStyle(document.querySelector('.choice:has(:checked)')).borderTopWidth"
    assert page.evaluate(border) == "2px"
    room.site.hit(now(), number="K7700012", person=PEOPLE[1])
    fresh = page.locator(".row.fresh")
    expect(fresh).to_be_visible()
    assert fresh.evaluate("row => getComputedStyle(row).animationName") == "none"


def test_colours_follow_the_system_until_the_switch_says_otherwise(
    people: People, room: Room
) -> None:
    page = people.sit_down(room, "olga", color_scheme="light")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.locator("#who").click()
    page.select_option("#theme", "dark")
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark


def test_signing_in_needs_no_script_and_says_what_was_wrong(people: People, room: Room) -> None:
    page = people.context(java_script_enabled=False).new_page()
    page.goto(room.url)
    page.fill("#name", "olga")
    page.fill("#password", "not this one")
    page.keyboard.press("Enter")
    expect(page.locator("#error")).to_be_visible()
    assert page.input_value("#name") == "olga"
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("noscript .banner-lost")).to_be_visible()


def test_the_page_of_the_operator_names_the_same_keys_as_the_page_s_help(
    people: People, room: Room
) -> None:
    page = people.sit_down(room, "olga")
    page.keyboard.press("?")
    shown = page.locator("dialog.help tr").evaluate_all(
        "rows => rows.map(row => [...row.children].map(cell => cell.textContent))"
    )
    text = (PAGE.parents[2] / "docs" / "console.md").read_text()
    told = re.findall(r"^\| `(.+?)` \| (.+?) \|$", text.split("## Keys")[1], re.MULTILINE)
    assert [tuple(pair) for pair in shown] == told


def _fits(page: Page) -> None:
    """Nothing sticks out at the side, and whatever can be touched is large enough."""
    assert _overflow(page) <= 0
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, a, summary, select, input, .choice, .pill')]
          .filter(one => one.checkVisibility() && !one.closest('.for-ears, .skip, .choice input'))
          .filter(one => !(one.matches('input[type=radio], input[type=checkbox], .skip')))
          .map(one => [one.outerHTML.slice(0, 60), one.getBoundingClientRect().height])
          .filter(([, height]) => height < 44)"""
    )
    assert small == []


def _overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    wider: int = page.evaluate(
        "Math.max(document.documentElement.scrollWidth, document.querySelector('main').scrollWidth)"
        " - document.documentElement.clientWidth"
    )
    return wider
