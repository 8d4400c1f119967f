"""What every command of headquarters begins with: its configuration, and the store and the brokers
that are named there."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import typer

from central.enrolment.authority import Authority
from central.settings import BrokerSettings, NatsSettings, RepublishSettings, Settings, load
from scanner.backoff import Backoff
from scanner.command_line import Failure, Refusal

if TYPE_CHECKING:  # the store need the extra `central`
    from central.receiving.inflow import Source
    from central.store.store import Store

log = logging.getLogger(__name__)

DEFAULT_CONFIG = Path("/etc/borderpost-central/central.toml")


@contextmanager
def open_store(settings: Settings | Path, *, waiting: Event | None = None) -> Iterator["Store"]:
    """The configured store; what it refuses ends the command. Whoever runs for long may wait for a
    server that is not there yet, until the event `waiting` ends it."""
    from central.answering.answers import AnsweredMeanwhile, UnknownAlert  # noqa: PLC0415
    from central.store.store import StoreFault  # noqa: PLC0415

    chosen = load(settings) if isinstance(settings, Path) else settings
    try:
        store = _opened(chosen.store.url, waiting)
        try:
            yield store
        finally:
            store.close()
    except (StoreFault, UnknownAlert, AnsweredMeanwhile) as refusal:
        raise Failure(str(refusal)) from None


def _opened(url: str, waiting: Event | None) -> "Store":
    from central.store.store import Store, StoreAway  # noqa: PLC0415

    backoff, said = Backoff(0.5, 10.0), ""
    while True:
        try:
            return Store(url)
        except StoreAway as away:
            if waiting is None:
                raise
            if str(away) != said:
                said = str(away)
                log.warning("%s; it is tried again", away)
            backoff.wait(waiting)
            if waiting.is_set():
                raise typer.Exit from None


def sources(settings: Settings) -> list["Source"]:
    """Where devices are heard: the NATS cluster, or the MQTT brokers. Raises Refusal."""
    if settings.nats.servers:
        from central.receiving.nats_inflow import nats_sources  # noqa: PLC0415

        return nats_sources(settings.nats, broker_password(settings.nats))
    from central.receiving.connection import brokers  # noqa: PLC0415

    group = Authority(settings.keys.folder).group(settings.broker.group)
    broker = settings.broker.model_copy(update={"group": group})
    return brokers(broker, broker_password(broker))


def broker_password(
    settings: BrokerSettings | NatsSettings | RepublishSettings,
) -> str | None:
    """The password for the broker, where one is configured. Raises Refusal."""
    path = settings.password_file
    if path is None:
        return None
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        raise Refusal(f"{path}: the broker's password cannot be read") from None
