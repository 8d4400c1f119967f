"""Says to the devices of a ring that something is published for them.

A hint is signed by central, bound to its ring, and its counter is above every earlier one's to that
ring: whoever keeps one and says it again wakes nobody. A broker keeps the latest (retained), so a
device that was away hears it on its next connection. It wakes devices and decides nothing: what is
trusted, the repository says.

A NATS cluster keeps none: devices that are away look by themselves.
"""

import asyncio
from datetime import UTC, datetime

import sqlalchemy as sa
from nats.aio.client import Client

from central.authority import Authority
from central.inflow import LinkDown
from central.moments import to_ms
from central.nats_inflow import access
from central.nats_names import subject_of
from central.opening import broker_password
from central.publish_link import Link
from central.rows import put_rows
from central.schema import hints
from central.settings import NatsSettings, Settings
from central.store import Store
from central.voice import Voice
from scanner.alert import UpdateData

SAID_WITHIN_S = 10.0
_MOST = 128


def say(settings: Settings, store: Store, ring: str, what: str) -> None:
    """Says to `ring`, at every broker, that `what` is published. Raises LinkDown where one of them
    did not take it, KeyFault and StoreFault."""
    data = UpdateData(ring=ring, counter=_counter(store, ring), publication=what[:_MOST])
    message = Voice(Authority(settings.keys.folder)).say_to_ring(data)
    if settings.nats.servers:
        _by_nats(settings.nats, broker_password(settings.nats), message)
        return
    broker, password = settings.broker, broker_password(settings.broker)
    downs = []
    for host, port in broker.addresses:
        try:
            _by_mqtt(
                Link(broker.model_copy(update={"host": host, "port": port}), password), message
            )
        except LinkDown as down:
            downs.append(str(down))
    if downs:
        raise LinkDown("; ".join(downs))


def _counter(store: Store, ring: str) -> int:
    """The next counter of a ring: the time in milliseconds where that is greater."""
    with store.changing(quietly=True) as tx:
        chosen = sa.select(hints.c.counter).where(hints.c.ring == ring).with_for_update()
        counter = max((tx.scalar(chosen) or 0) + 1, to_ms(datetime.now(UTC)))
        put_rows(tx, hints, [{"ring": ring, "counter": counter}])
    return counter


def _by_mqtt(link: Link, message: tuple[str, bytes]) -> None:
    try:
        link.open()
        link.publish([message], retain=True)
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
