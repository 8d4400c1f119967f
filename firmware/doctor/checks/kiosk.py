"""The officer's page: served while the desk runs."""

import socket
from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, skipped
from scanner.said import said

_WITHIN_S = 2.0


def check(context: Context) -> Iterator[Finding]:
    kiosk = context.settings.kiosk
    if not kiosk.enabled:
        yield skipped(said("the page is switched off, as configured"))
    elif context.desk is None:
        yield skipped(said("no desk runs here, so there is no page"))
    else:
        where = ("127.0.0.1", kiosk.port)
        try:
            socket.create_connection(where, timeout=_WITHIN_S).close()
        except OSError as error:
            yield fail(
                said(
                    "http://127.0.0.1:{port}/ does not answer: {error}",
                    port=kiosk.port,
                    error=error.strerror or error,
                ),
                said("restart the desk (`systemctl restart borderpost`) and look at its log"),
            )
        else:
            yield ok(said("it is served at http://127.0.0.1:{port}/", port=kiosk.port))
