"""The server that lists are fetched from: reached, and with something published."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, State, of_message, ok, skipped
from firmware.updates.repository import FetchFailed, WebRepository

_ASKED = "metadata/timestamp.json"
_WITHIN_S = 10.0
_LOOK = "look at network, updates.url and updates.ca"


def check(context: Context) -> Iterator[Finding]:
    updates = context.settings.updates
    if updates.url is None:
        yield skipped("no server of lists is configured")
        return
    server = WebRepository(updates.url, updates.ca, silence_s=_WITHIN_S)
    try:
        size = sum(len(piece.content) for piece in server.read(_ASKED))
    except (FetchFailed, OSError) as failed:
        yield of_message(State.FAIL, str(failed), _LOOK)
    else:
        yield ok(f"{updates.url}: it answers, {_ASKED} has {size} bytes")
