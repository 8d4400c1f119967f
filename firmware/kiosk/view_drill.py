"""A drill as the page shows it: its banner and task while it runs, and then how it went."""

from firmware.drill.view import DrillView
from firmware.kiosk.written import Json, Speech


def drill(shown: DrillView | None, *, is_real: bool, hidden: bool, speech: Speech) -> Json | None:
    """The drill; `is_real` says that the document on the page is none of its specimens. That there
    is a drill is told while the page is locked, too: then without what was done in it."""
    if shown is None:
        return None
    results = None if hidden else shown.results
    return {
        "state": "running" if shown.running else "ended",
        "step": shown.step,
        "of": shown.of,
        "task": speech.told(shown.task),
        "printed": [] if hidden else list(shown.printed),
        "ends_at": shown.ends_at,
        "may": [] if hidden else list(shown.may),
        "real": speech.told(shown.real) if shown.running and is_real else None,
        "results": None
        if results is None
        else {
            "right": results.right,
            "wrong": results.wrong,
            "why": speech.told(results.why),
            "lines": [
                {
                    "word": speech.told(line.word),
                    "told": speech.told(line.told),
                    "right": line.right,
                    "seconds": line.seconds,
                }
                for line in results.lines
            ],
        },
    }
