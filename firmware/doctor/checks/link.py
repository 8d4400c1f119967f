"""The link to central, as the running desk sees it."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, ok, skipped, warn
from scanner.said import said


def check(context: Context) -> Iterator[Finding]:
    desk = context.desk
    if desk is None:
        yield skipped(said("no desk runs here; what a broker says is asked directly"))
    elif desk.connected:
        yield ok(desk.link)
    else:
        yield warn(
            said("{link}; the desk checks documents all the same", link=desk.link),
            said("look at cable, network and broker (`borderpost doctor` asks each broker)"),
        )
