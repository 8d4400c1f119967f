"""The lamps' pins on the Pi's header."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, State, of_message, ok, skipped, warn
from firmware.panel import PanelUnavailable, open_panel


def check(context: Context) -> Iterator[Finding]:
    panel = context.settings.panel
    if panel.pins == "none":
        yield skipped("no lamps are configured; verdicts are on the screen alone")
    elif panel.pins == "mock":
        yield warn(
            "the pins are mock ones: no lamp will ever light",
            'set pins = "gpio" or "none" under [panel]',
        )
    elif context.desk is not None and context.desk.lamps == "gpio":
        yield ok("the running desk holds the pins")
    else:
        try:
            open_panel(panel).close()
        except PanelUnavailable as unavailable:
            yield of_message(State.FAIL, str(unavailable), "look at the wiring")
        else:
            yield ok(
                "each of the pins could be taken; whether a lamp hangs on it, only a look tells"
            )
