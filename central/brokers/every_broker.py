"""Publishes one message at every broker that devices may be at, for a command that ends then: which
of them a device is at, the broker knows.

A NATS cluster is one place. It keeps nothing for devices that are away, whatever `retain` says.
"""

import asyncio

from nats.aio.client import Client

from central.brokers.nats_names import subject_of
from central.brokers.publish_link import Link
from central.opening import broker_password
from central.receiving.inflow import LinkDown
from central.receiving.nats_inflow import access
from central.settings import NatsSettings, Settings

SAID_WITHIN_S = 10.0


def at_every_broker(settings: Settings, message: tuple[str, bytes], *, retain: bool) -> None:
    """Raises LinkDown where one of them did not take it; the others have it then."""
    if settings.nats.servers:
        _by_nats(settings.nats, broker_password(settings.nats), message)
        return
    broker, password = settings.broker, broker_password(settings.broker)
    downs = []
    for host, port in broker.addresses:
        link = Link(broker.model_copy(update={"host": host, "port": port}), password)
        try:
            _by_mqtt(link, message, retain=retain)
        except LinkDown as down:
            downs.append(str(down))
    if downs:
        raise LinkDown("; ".join(downs))


def _by_mqtt(link: Link, message: tuple[str, bytes], *, retain: bool) -> None:
    try:
        link.open()
        link.publish([message], retain=retain)
    finally:
        link.close()


def _by_nats(settings: NatsSettings, password: str | None, message: tuple[str, bytes]) -> None:
    topic, payload = message

    async def said() -> None:
        client = Client()
        await client.connect(list(settings.servers), **access(settings, password))
        try:
            await client.publish(subject_of(topic), payload)
            await client.flush(timeout=2)
        finally:
            await client.close()

    try:
        asyncio.run(asyncio.wait_for(said(), SAID_WITHIN_S))
    except LinkDown:
        raise
    except Exception as error:
        raise LinkDown(f"{settings.servers[0]}: {str(error) or type(error).__name__}") from None
