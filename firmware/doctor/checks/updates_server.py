"""The server that lists are fetched from: with a first root to believe it by, reached, and with
something published."""

from collections.abc import Iterator

from firmware.choice import configured_clock
from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, State, of_message, ok, skipped
from firmware.updates.plan import PlanUnusable, plan_of
from firmware.updates.repository import FetchFailed
from scanner.said import said

_ASKED = "metadata/timestamp.json"
_LOOK = said("look at network, updates.url and updates.ca")


def check(context: Context) -> Iterator[Finding]:
    settings = context.settings
    if settings.updates.url is None:
        yield skipped(said("no server of lists is configured"))
        return
    try:
        clock = configured_clock(settings)
        plan = plan_of(settings, context.lists, context.chosen.keys, clock)
        size = sum(len(piece.content) for piece in plan.repository.read(_ASKED))
    except PlanUnusable as unusable:
        yield of_message(State.FAIL, str(unusable), _LOOK)
    except (FetchFailed, OSError) as failed:
        yield of_message(State.FAIL, str(failed), _LOOK)
    else:
        yield ok(
            said(
                "{url}: it answers, {file} has {size} bytes",
                url=settings.updates.url,
                file=_ASKED,
                size=size,
            )
        )
