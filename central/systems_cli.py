"""The commands that other systems are connected with."""

import json
import logging
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from central.moments import in_iso_ms
from central.opening import open_store
from central.show import line_of, object_of
from scanner.command_line import Refusal

if TYPE_CHECKING:  # the store needs the extra `central`
    from central.store import AlertRow


def asyncapi() -> None:
    """Prints the AsyncAPI document of what crosses the network."""
    from central.asyncapi import as_yaml  # noqa: PLC0415  needs the extra `central`

    sys.stdout.write(as_yaml())


def follow_alerts(config: Path, since: str | None, *, as_json: bool) -> None:
    """Prints each alert as it is committed, until SIGTERM or until nobody reads it."""
    from central.follow import Follower  # noqa: PLC0415  needs the extra `central`

    begin = None if since is None else _moment(since)
    logging.basicConfig(format="%(levelname)s: %(message)s", stream=sys.stderr)
    stop = Event()
    with open_store(config) as store:
        follower = Follower(store, _print_object if as_json else _print_line, begin)

        def end(*_: object) -> None:
            stop.set()
            follower.wake()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        follower.run(stop)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment.timestamp()
    except (ValueError, OverflowError):
        raise Refusal(
            "--since is a moment such as 2026-11-23 or 2026-11-23T12:00:00Z (UTC where it names "
            "no zone)"
        ) from None
    return moment


def _print_object(alert: "AlertRow") -> None:
    told = object_of(alert, [])
    del told["answers"]
    told["received_at"] = in_iso_ms(alert.received_at)
    print(json.dumps(told, ensure_ascii=False), flush=True)


def _print_line(alert: "AlertRow") -> None:
    print(line_of(alert), flush=True)
