"""The desk itself: whether it runs. Where it does, it holds the devices, and its word about them
counts."""

import time
from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, ok, skipped
from scanner.said import said
from scanner.watchlist.age import span


def check(context: Context) -> Iterator[Finding]:
    desk = context.desk
    if desk is None:
        yield skipped(said("no desk runs here as configured; its devices are asked directly"))
        return
    ago = span(max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - desk.at))
    yield ok(
        said(
            "it runs (process {process}) and told how it is {ago} ago; its word counts",
            process=desk.process,
            ago=ago,
        )
    )
