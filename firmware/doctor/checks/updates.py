"""Lists over the air: what became of the last attempt."""

from collections.abc import Iterator
from datetime import UTC, datetime

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, State, of_message, ok, skipped
from scanner.said import said
from scanner.watchlist.age import span

_SEE = said("`borderpost list update` tries again and says why")
_TRUSTED = "trust/timestamp.json"


def check(context: Context) -> Iterator[Finding]:
    settings = context.settings
    if settings.updates.url is None:
        yield skipped(said("no server of lists is configured; they are brought by hand"))
        return
    desk = context.desk
    if desk is not None and desk.updates:
        for told in desk.updates:
            yield of_message(State.WARN, told, _SEE)
        return
    last = settings.device.data / _TRUSTED
    try:
        at = datetime.fromtimestamp(last.stat().st_mtime, UTC)
    except OSError:
        yield skipped(said("nothing was fetched yet"))
        return
    ago = span(max(0.0, (context.clock.now - at).total_seconds()))
    if desk is None:
        yield ok(said("something new was last believed {ago} ago", ago=ago))
        return
    yield ok(
        said(
            "something new was last believed {ago} ago, and nothing failed since the desk began",
            ago=ago,
        )
    )
