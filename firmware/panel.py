"""The lamps at the desk: three steady, neutral lights that a traveller cannot read as an alarm.

Nothing blinks. One lamp is lit at a time, the one whose place the state has on the officer's page;
what is behind *attend* stands there, so a hit looks no different from a document that is to be
looked at more closely. *Ready* asks for a document, for the same one again where nothing was read
of it. A buzzer, which is off unless its pin is set, ticks once at each verdict, the same for all.
"""

import logging
from contextlib import ExitStack
from enum import StrEnum
from typing import Protocol

from firmware.pins import Pins
from firmware.settings import PanelSettings
from scanner.verdict import Outcome

log = logging.getLogger(__name__)

_TICK_S = 0.05


class Light(StrEnum):
    OFF = "off"
    ON = "on"


Pattern = tuple[Light, Light, Light]
"""The lamps ready, go and attend."""

DARK: Pattern = (Light.OFF, Light.OFF, Light.OFF)
"""A document is being examined."""
READY: Pattern = (Light.ON, Light.OFF, Light.OFF)
ATTEND: Pattern = (Light.OFF, Light.OFF, Light.ON)
FAULT: Pattern = ATTEND
"""The desk itself needs attention: nothing was checked."""

PATTERNS: dict[Outcome, Pattern] = {
    Outcome.HIT: ATTEND,
    Outcome.POSSIBLE: ATTEND,
    Outcome.NOT_CHECKED: ATTEND,
    Outcome.READ_AGAIN: READY,
    Outcome.LOOK_CLOSER: ATTEND,
    Outcome.CLEAR: (Light.OFF, Light.ON, Light.OFF),
}


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
    """Three lamps and perhaps a buzzer on gpiozero pins. Raises PinsUnavailable."""

    def __init__(self, settings: PanelSettings, pins: Pins) -> None:
        from gpiozero import LED, Buzzer  # noqa: PLC0415  slow to import, and not every desk has it

        named = {
            "lamp_ready": settings.lamp_ready,
            "lamp_go": settings.lamp_go,
            "lamp_attend": settings.lamp_attend,
        }
        with ExitStack() as taken:
            self.lamps = tuple(
                taken.enter_context(pins.take(name, pin, LED)) for name, pin in named.items()
            )
            self.buzzer = None
            if settings.buzzer is not None:
                self.buzzer = taken.enter_context(pins.take("buzzer", settings.buzzer, Buzzer))
            self._taken = taken.pop_all()
        self._shown: Pattern | None = None

    def show(self, pattern: Pattern) -> None:
        """Sets the lamps; a buzzer, where there is one, ticks once as each examination ends."""
        if self.buzzer is not None and self._shown == DARK != pattern:
            self.buzzer.beep(on_time=_TICK_S, off_time=_TICK_S, n=1)
        self._shown = pattern
        for lamp, light in zip(self.lamps, pattern, strict=True):
            lamp.value = light is Light.ON

    def close(self) -> None:
        """Lamps off, pins released."""
        self._taken.close()


def open_panel(settings: PanelSettings, pins: Pins | None) -> Panel:
    """The lamps that the configuration names, on these pins. Raises PinsUnavailable."""
    if pins is None:
        log.info("panel: no lamps are configured; verdicts are on the screen alone")
        return NoPanel()
    return LampPanel(settings, pins)
