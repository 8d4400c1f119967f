"""The buttons at the desk: a trigger and a foot switch that have the document read now, and one for
privacy that blanks the officer's screen and shows it again.

Each is a switch between its pin and ground; the pin's own resistor holds it high. A contact bounces
for some milliseconds when it closes and when it opens: the pin library leaves out what is shorter
than that, where it can, and of what comes through, a press so soon after the last movement counts
as part of it. What a press does must be short, and must not raise: it runs in the thread that
watches the pins.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from firmware.pins import Pins, PinsUnavailable
from firmware.settings import PanelSettings

log = logging.getLogger(__name__)

Act = Callable[[], None]


class Presses:
    """Of the movements of one contact, those that are presses. Times are monotonic seconds."""

    def __init__(
        self, act: Act, debounce_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._act = act
        self._debounce_s = debounce_s
        self._clock = clock
        self._moved_at = float("-inf")

    def closed(self) -> None:
        """The contact has closed."""
        now = self._clock()
        bounced = now - self._moved_at < self._debounce_s
        self._moved_at = now
        if bounced:
            return
        try:
            self._act()
        except Exception as error:
            # The thread that watches the pins would end with it; the text could quote a document.
            log.error("buttons: a press came to nothing: %s", type(error).__name__)

    def opened(self) -> None:
        """The contact has opened."""
        self._moved_at = self._clock()


class Buttons:
    """The buttons that the configuration names, each with what it does. Raises PinsUnavailable."""

    def __init__(
        self,
        settings: PanelSettings,
        pins: Pins,
        acts: Mapping[str, Act],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from gpiozero import Button  # noqa: PLC0415  slow to import, and not every desk has buttons

        debounce_s = settings.debounce_ms / 1000
        with ExitStack() as taken:
            for name, pin in settings.buttons.items():
                presses = Presses(acts[name], debounce_s, clock)
                button = taken.enter_context(
                    pins.take(name, pin, Button, pull_up=True, bounce_time=debounce_s)
                )
                button.when_pressed, button.when_released = presses.closed, presses.opened
            self._taken = taken.pop_all()

    def close(self) -> None:
        """Pins released; no press counts any more."""
        self._taken.close()


def open_buttons(
    settings: PanelSettings, pins: Pins | None, acts: Mapping[str, Act]
) -> Buttons | None:
    """The buttons on these pins, None where there are none; `acts` is what each may do at this
    desk. Raises PinsUnavailable."""
    names = ", ".join(settings.buttons)
    if not names:
        return None
    if pins is None:
        raise PinsUnavailable(
            f'panel: {names} cannot be had with pins = "none"; set pins under [panel], or leave '
            "the buttons out"
        )
    if "privacy" in settings.buttons and "privacy" not in acts:
        raise PinsUnavailable(
            "panel: privacy blanks the officer's page, and there is none; set enabled = true under "
            "[kiosk], or leave the button out"
        )
    log.info("panel: buttons: %s", names)
    return Buttons(settings, pins, acts)
