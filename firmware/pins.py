"""The pins that lamps and buttons are on, taken one by one and by name.

Pins are chosen openly: `gpio` drives the Pi's header through gpiozero and lgpio and refuses to
start where there is none, `mock` uses gpiozero's own mock pins, `none` is a desk without any. A pin
that cannot be had is said with its name in the configuration, never left out.
"""

import logging
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from firmware.settings import PanelSettings

log = logging.getLogger(__name__)

_Device = TypeVar("_Device")

MOCK_STATES = 100
"""Of a mock pin, the last changes that are kept, for tests to look at."""


class PinsUnavailable(Exception):
    """The pins that the configuration names cannot be had; the message says what to do."""


class Pins:
    """A header of pins. Closing it lets go of it; whoever took pins closes those first."""

    def __init__(self, factory: Any) -> None:
        self.factory = factory

    def take(self, name: str, pin: int, device: Callable[..., _Device], **options: Any) -> _Device:
        """gpiozero's `device` on a pin; `name` is what the configuration calls that. Raises
        PinsUnavailable."""
        try:
            return device(pin, pin_factory=self.factory, **options)
        except Exception as error:
            # lgpio raises its own kinds of error, and gpiozero several more, all meaning this.
            raise PinsUnavailable(
                f"panel: pin {pin} for {name} cannot be used ({error}); free it from whatever "
                f"holds it, or set {name} to another pin under [panel]"
            ) from None

    def close(self) -> None:
        """Lets go of the header."""
        self.factory.close()


def open_pins(settings: PanelSettings) -> Pins | None:
    """The header that the configuration names, None for none. Raises PinsUnavailable."""
    if settings.pins == "none":
        return None
    if settings.pins == "mock":
        log.info("panel: mock pins, as configured; no lamp will light and no button will do")
        return Pins(_mock_factory())
    try:
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415

        return Pins(LGPIOFactory())
    except Exception as error:
        raise PinsUnavailable(
            f"panel: this machine has no GPIO pins that can be used ({error}); "
            'connect them, or set pins = "none" under [panel]'
        ) from None


def _mock_factory() -> Any:
    """gpiozero's mock pins, which would note every change for as long as the desk runs."""
    from gpiozero.pins.mock import MockFactory, MockPin  # noqa: PLC0415  slow to import

    class Pin(MockPin):  # type: ignore[misc]  # gpiozero has no types
        states: Any

        def clear_states(self) -> None:
            super().clear_states()
            self.states = deque(self.states, MOCK_STATES)

    return MockFactory(pin_class=Pin)
