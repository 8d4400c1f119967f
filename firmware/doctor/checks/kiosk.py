"""The officer's page: served while the desk runs."""

import socket
from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, skipped

_WITHIN_S = 2.0


def check(context: Context) -> Iterator[Finding]:
    kiosk = context.settings.kiosk
    if not kiosk.enabled:
        yield skipped("the page is switched off, as configured")
    elif context.desk is None:
        yield skipped("no desk runs here, so there is no page")
    else:
        where = ("127.0.0.1", kiosk.port)
        try:
            socket.create_connection(where, timeout=_WITHIN_S).close()
        except OSError as error:
            yield fail(
                f"http://127.0.0.1:{kiosk.port}/ does not answer: {error.strerror or error}",
                "restart the desk (`systemctl restart borderpost`) and look at its log",
            )
        else:
            yield ok(f"it is served at http://127.0.0.1:{kiosk.port}/")
