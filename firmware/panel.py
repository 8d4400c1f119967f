"""The lamps at the desk: three steady, neutral lights that a traveller cannot read as an alarm.

Each state of the desk has one pattern; what is behind *attend* stands on the officer's screen, so a
hit looks no different from a document that is to be looked at more closely. Pins are chosen openly:
`gpio` drives the Pi's header through gpiozero and lgpio and refuses to start where there is none,
`mock` uses gpiozero's own mock pins, `none` is a desk without lamps.
"""

import logging
from enum import StrEnum
from typing import Protocol

from firmware.settings import PanelSettings
from scanner.verdict import Outcome

log = logging.getLogger(__name__)


class Light(StrEnum):
    OFF = "off"
    ON = "on"
    SLOW = "slow"
    """On and off in turn, a second each."""


Pattern = tuple[Light, Light, Light]
"""The lamps ready, go and attend."""

DARK: Pattern = (Light.OFF, Light.OFF, Light.OFF)
"""A document is being examined."""
READY: Pattern = (Light.ON, Light.OFF, Light.OFF)
FAULT: Pattern = (Light.OFF, Light.OFF, Light.SLOW)
"""The desk itself needs attention: nothing was checked."""

PATTERNS: dict[Outcome, Pattern] = {
    Outcome.HIT: (Light.OFF, Light.OFF, Light.ON),
    Outcome.POSSIBLE: (Light.OFF, Light.OFF, Light.ON),
    Outcome.NOT_CHECKED: (Light.OFF, Light.OFF, Light.SLOW),
    Outcome.READ_AGAIN: (Light.SLOW, Light.OFF, Light.OFF),
    Outcome.LOOK_CLOSER: (Light.OFF, Light.OFF, Light.ON),
    Outcome.CLEAR: (Light.OFF, Light.ON, Light.OFF),
}


class PanelUnavailable(Exception):
    """The lamps that the configuration names cannot be had; the message says what to do."""


class Panel(Protocol):
    """The desk's lamps."""

    def show(self, pattern: Pattern) -> None: ...

    def close(self) -> None: ...


class NoPanel:
    """A desk without lamps."""

    def show(self, pattern: Pattern) -> None:
        """Nothing to show it on."""

    def close(self) -> None:
        """Nothing to let go."""


class LampPanel:
    """Three lamps and perhaps a buzzer on gpiozero pins."""

    def __init__(self, settings: PanelSettings, factory: object) -> None:
        from gpiozero import LED, Buzzer  # noqa: PLC0415  slow to import, and not every desk has it

        pins = (settings.lamp_ready, settings.lamp_go, settings.lamp_attend)
        self.lamps = tuple(LED(pin, pin_factory=factory) for pin in pins)
        self.buzzer = None
        if settings.buzzer is not None:
            self.buzzer = Buzzer(settings.buzzer, pin_factory=factory)
        self._factory = factory
        self._shown: Pattern = DARK

    def show(self, pattern: Pattern) -> None:
        """Sets the lamps; a buzzer, where one is configured, ticks once at each new verdict."""
        if self.buzzer is not None and pattern not in (self._shown, READY, DARK):
            self.buzzer.beep(on_time=0.05, off_time=0.05, n=1)
        self._shown = pattern
        for lamp, light in zip(self.lamps, pattern, strict=True):
            if light is Light.SLOW:
                lamp.blink(on_time=1, off_time=1)
            elif light is Light.ON:
                lamp.on()
            else:
                lamp.off()

    def close(self) -> None:
        """Lamps off, pins released."""
        for lamp in self.lamps:
            lamp.close()
        if self.buzzer is not None:
            self.buzzer.close()
        self._factory.close()  # type: ignore[attr-defined]


def open_panel(settings: PanelSettings) -> Panel:
    """The panel that the configuration names. Raises PanelUnavailable."""
    if settings.pins == "none":
        log.info("panel: no lamps are configured; verdicts are on the screen alone")
        return NoPanel()
    if settings.pins == "mock":
        from gpiozero.pins.mock import MockFactory  # noqa: PLC0415

        log.info("panel: mock pins, as configured; no lamp will light")
        return LampPanel(settings, MockFactory())
    try:
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415

        return LampPanel(settings, LGPIOFactory())
    except Exception as error:
        # lgpio raises its own kinds of error, and gpiozero several more, all meaning this.
        raise PanelUnavailable(
            f"panel: this machine has no GPIO pins that can be used ({error}); "
            'connect them, or set pins = "none" under [panel]'
        ) from error
