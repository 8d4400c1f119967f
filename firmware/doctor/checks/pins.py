"""The pins of lamps and buttons on the Pi's header."""

from collections.abc import Iterator
from contextlib import ExitStack

from firmware.buttons import open_buttons
from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, State, of_message, ok, skipped, warn
from firmware.panel import open_panel
from firmware.pins import PinsUnavailable, open_pins
from firmware.settings import PanelSettings
from scanner.said import said


def check(context: Context) -> Iterator[Finding]:
    panel = context.settings.panel
    if panel.pins == "none":
        yield skipped(said("no lamps are configured; verdicts are on the screen alone"))
    elif panel.pins == "mock":
        yield warn(
            said("the pins are mock ones: no lamp will ever light"),
            said('set pins = "gpio" or "none" under [panel]'),
        )
    elif context.desk is not None and context.desk.lamps == "gpio":
        yield ok(said("the running desk holds the pins"))
    else:
        try:
            _take(panel)
        except PinsUnavailable as unavailable:
            yield of_message(State.FAIL, str(unavailable), said("look at the wiring"))
        else:
            yield ok(
                said(
                    "each of the pins could be taken; whether a lamp hangs on it, only a look tells"
                )
            )


def _take(panel: PanelSettings) -> None:
    """Takes every pin and lets go of it. Raises PinsUnavailable."""
    with ExitStack() as taken:
        if (pins := open_pins(panel)) is not None:
            taken.callback(pins.close)
            taken.callback(open_panel(panel, pins).close)
            buttons = open_buttons(panel, pins, dict.fromkeys(panel.buttons, _nothing))
            if buttons is not None:
                taken.callback(buttons.close)


def _nothing() -> None:
    """No button does anything while its pin is tried."""
