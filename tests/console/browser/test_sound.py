"""A new hit sounds once: in one tab, for each alert, and not again."""

from playwright.sync_api import expect

from tests.console.browser.at_the_console import People, Room, now, row, sounds
from tests.console.sample_site import PEOPLE

SILENT_UNTIL_TOUCHED = """
let touched = false;
for (const touch of ["click", "keydown"]) addEventListener(touch, () => (touched = true), true);
const { get } = Object.getOwnPropertyDescriptor(BaseAudioContext.prototype, "state");
Object.defineProperty(BaseAudioContext.prototype, "state", {
  get() { return touched ? get.call(this) : "suspended"; },
});
const { resume } = AudioContext.prototype;
AudioContext.prototype.resume = function () {
  return touched ? resume.call(this) : new Promise(() => {});
};
"""
"""What a browser does with a page that nobody has touched; Playwright itself counts as a touch."""


def test_a_new_hit_sounds_once_also_when_it_is_heard_of_again(people: People, room: Room) -> None:
    page = people.sign_in(room, "olga")
    expect(page.locator("#sound")).to_contain_text("Sound on")
    assert sounds(page) == 0
    alert = room.site.hit(now())
    expect(row(page, "L898902C3")).to_be_visible()
    page.wait_for_timeout(200)
    assert sounds(page) == 1
    room.site.answer(alert, now())
    expect(row(page, "L898902C3")).to_contain_text("Confirmed")
    assert sounds(page) == 1
    page.wait_for_timeout(700)  # the first sound has ended
    room.site.hit(now(), number="K7700012", person=PEOPLE[1])
    expect(row(page, "K7700012")).to_be_visible()
    page.wait_for_timeout(200)
    assert sounds(page) == 2


def test_of_two_tabs_one_sounds_and_the_other_takes_over(people: People, room: Room) -> None:
    first = people.sign_in(room, "olga")
    second = first.context.new_page()
    second.goto(room.url)
    second.locator("#who").click()  # a browser lets a page sound once it was touched
    expect(second.locator("#sound")).to_contain_text("Sound in another tab")
    room.site.hit(now())
    expect(row(second, "L898902C3")).to_be_visible()
    first.wait_for_timeout(300)
    assert (sounds(first), sounds(second)) == (1, 0)

    first.close()
    expect(second.locator("#sound")).to_contain_text("Sound on")
    room.site.hit(now(), number="K7700012", person=PEOPLE[1])
    expect(row(second, "K7700012")).to_be_visible()
    second.wait_for_timeout(300)
    assert sounds(second) == 1


def test_what_has_sounded_does_not_sound_again_after_a_reload(people: People, room: Room) -> None:
    page = people.sign_in(room, "olga")
    room.site.hit(now())
    expect(row(page, "L898902C3")).to_be_visible()
    page.wait_for_timeout(200)
    assert sounds(page) == 1
    page.reload()
    expect(row(page, "L898902C3")).to_be_visible()
    page.locator("#who").click()
    expect(page.locator("#sound")).to_contain_text("Sound on")
    page.wait_for_timeout(300)
    assert sounds(page) == 0


def test_a_silent_browser_is_said_with_a_button_and_mute_is_shown(
    people: People, room: Room
) -> None:
    page = people.sign_in(room, "olga")
    page.context.add_init_script(SILENT_UNTIL_TOUCHED)
    page.reload()
    expect(page.locator("#blocked")).to_be_visible()
    page.locator("#unblock").click()
    expect(page.locator("#blocked")).to_be_hidden()
    expect(page.locator("#sound")).to_contain_text("Sound on")

    page.keyboard.press("s")
    expect(page.locator("#sound")).to_contain_text("Muted")
    room.site.hit(now())
    expect(row(page, "L898902C3")).to_be_visible()
    page.keyboard.press("s")
    expect(page.locator("#sound")).to_contain_text("Sound on")
    page.wait_for_timeout(300)
    assert sounds(page) == 0
