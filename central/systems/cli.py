"""The commands that other systems are connected with."""

import json
import logging
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from central.moments import in_iso_ms
from central.opening import DEFAULT_CONFIG, broker_password, open_store
from central.receiving.show import line_of, object_of
from central.settings import load
from scanner.command_line import Refusal

if TYPE_CHECKING:  # the store needs the extra `central`
    from central.store.store import AlertRow

Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]


def asyncapi() -> None:
    """Prints the AsyncAPI document of what crosses the network."""
    from central.systems.asyncapi import as_yaml  # noqa: PLC0415  needs the extra `central`

    sys.stdout.write(as_yaml())


def follow_alerts(config: Path, since: str | None, *, as_json: bool) -> None:
    """Prints each alert as it is committed, until SIGTERM or until nobody reads it."""
    from central.systems.follow import Follower  # noqa: PLC0415  needs the extra `central`

    begin = None if since is None else _moment(since)
    logging.basicConfig(format="%(levelname)s: %(message)s", stream=sys.stderr)
    stop = Event()
    with open_store(config) as store:
        follower = Follower(store, _print_object if as_json else _print_line, begin)
        _on_signal(stop, follower.wake)
        follower.run(stop)


def republish(config: Config = DEFAULT_CONFIG) -> None:
    """Tells other systems of alerts and answers at a broker of their choice, until SIGTERM."""
    from central.brokers.publish_link import Link  # noqa: PLC0415  needs the extra `central`
    from central.systems.republish import Republisher, check  # noqa: PLC0415  needs the extra `central`

    whole = load(config)
    settings = whole.republish
    check(settings)
    password = broker_password(settings)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s", stream=sys.stderr)
    stop = Event()
    with open_store(whole) as store:
        republisher = Republisher(store, settings.prefix, lambda: Link(settings, password))
        _on_signal(stop, republisher.wake)
        republisher.run(stop)


def _on_signal(stop: Event, wake: Callable[[], None]) -> None:
    def end(*_: object) -> None:
        stop.set()
        wake()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


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
