"""One connection of the receiver to a NATS cluster, to which the devices speak MQTT.

What devices say in sequence is drawn from a JetStream work queue that all receivers share
(`central.brokers.nats_streams`), and acknowledged there once it is committed: what a receiver took
and did not acknowledge goes to another. What central says is published to the subject that the
device's subscription has in NATS. A device that is away does not get it; it is said again when it
is back.

nats-py lives in an event loop, which here has a thread of its own; the receiver's thread takes from
a bounded buffer what has come. A connection that breaks is thrown away, and the next one goes to
the next server of the cluster.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import cycle
from threading import Condition, Event, Thread
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NotAnswered
from nats.js import JetStreamContext
from nats.js.errors import ServiceUnavailableError

from central.brokers.mqtt_client import tls_context
from central.brokers.nats_names import SAID, STATUS, subject_of, topic_of_subject
from central.brokers.nats_streams import ensure, reader_of_statuses
from central.receiving.inflow import Delivery, LinkDown, Source
from central.receiving.nats_pull import ConsumerGone, Pull
from central.settings import NatsSettings

CONNECT_WITHIN_S = 4
READY_WITHIN_S, ANSWERED_WITHIN_S, PAUSE_S = 20.0, 2.0, 0.2
ELECTING = (NotAnswered, NoRespondersError, ServiceUnavailableError)
GOODBYE_WITHIN_S = 1.0
ALIVE_EVERY_S = 3
HELD = 400
"""Messages that this end holds of each stream: in the buffer and in the inbox."""
TO_SAY = 10_000
"""What may wait to be published; beyond it the oldest is dropped, and said again later."""
ACKNOWLEDGE = b"+ACK"


def nats_sources(settings: NatsSettings, password: str | None) -> list[Source]:
    """The cluster, as one source: each new connection goes to the next of its servers."""
    servers = cycle(settings.servers)
    name = ", ".join(settings.servers)
    return [Source(name, lambda: NatsInflow(settings, next(servers), password))]


def access(settings: NatsSettings, password: str | None) -> dict[str, Any]:
    """What nats-py connects with. Raises LinkDown."""
    options: dict[str, Any] = {
        "name": "borderpost-central",
        "allow_reconnect": False,
        "connect_timeout": CONNECT_WITHIN_S,
    }
    if settings.ca is not None:
        options["tls"] = tls_context(settings.ca, settings.certificate, settings.private_key)
        options["tls_handshake_first"] = True
    if settings.username is not None:
        options |= {"user": settings.username, "password": password}
    return options


class NatsInflow:
    """An `Inflow` by JetStream."""

    def __init__(self, settings: NatsSettings, server: str, password: str | None) -> None:
        self._settings = settings
        self._server = server
        self._password = password
        self.inbox: list[Delivery] = []
        self._news = Condition()
        self._came: deque[Delivery] = deque()
        self._woken = False
        self._failure: str | None = None
        self._to_say: deque[tuple[str, bytes]] = deque()
        self._said_more = asyncio.Event()
        self._client = Client()
        self._pulls: list[Pull] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="nats", daemon=True)

    def open(self, stop: Event) -> None:
        self._thread.start()
        connecting = asyncio.run_coroutine_threadsafe(self._connect(), self._loop)
        while not connecting.done():
            if stop.wait(0.02):
                connecting.cancel()
                raise LinkDown("stopped")
        try:
            connecting.result()
        except LinkDown:
            raise
        except NotAnswered:
            why = "no answer: JetStream needs most of the cluster's servers"
            raise LinkDown(f"{self._server}: {why}") from None
        except Exception as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise LinkDown(f"{self._server}: {why}") from None

    def turn(self, wait_s: float, most: int) -> None:
        with self._news:
            if not self._came or len(self.inbox) >= most:
                self._news.wait_for(
                    lambda: self._woken or self._failure or self._is_due(most), wait_s
                )
            self._woken = False
            while self._came and len(self.inbox) < most:
                self.inbox.append(self._came.popleft())
            if self._failure is not None:
                raise LinkDown(self._failure)

    def acknowledge(self, count: int) -> None:
        done = self.inbox[:count]
        del self.inbox[:count]
        self._say([(one.token, ACKNOWLEDGE) for one in done if one.token])
        self._soon(self._make_room)

    def publish(self, topic: str, payload: bytes) -> None:
        self._say([(subject_of(topic), payload)])

    def wake(self) -> None:
        with self._news:
            self._woken = True
            self._news.notify()

    def close(self) -> None:
        if self._thread.is_alive():
            leaving = asyncio.run_coroutine_threadsafe(self._leave(), self._loop)
            try:
                leaving.result(2 * GOODBYE_WITHIN_S)
            except Exception:
                leaving.cancel()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def _is_due(self, most: int) -> bool:
        return bool(self._came) and len(self.inbox) < most

    def _say(self, more: list[tuple[str, bytes]]) -> None:
        self._to_say.extend(more)
        while len(self._to_say) > TO_SAY:
            self._to_say.popleft()
        self._soon(self._said_more.set)

    def _soon(self, call: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the connection is closed; what is lost is said again
            self._loop.call_soon_threadsafe(call)

    # What follows runs in the event loop's thread.

    async def _connect(self) -> None:
        """Connects, and begins to draw. Raises whatever nats-py does."""
        settings = self._settings
        await self._client.connect(
            [self._server],
            ping_interval=ALIVE_EVERY_S,
            error_cb=self._on_error,
            disconnected_cb=self._on_end,
            closed_cb=self._on_end,
            **access(settings, self._password),
        )
        reader, before = await self._readers(self._client.jetstream(timeout=ANSWERED_WITHIN_S))
        self._draw(SAID, settings.group, lambda message: self._on_message(message, message.reply))
        self._draw(STATUS, reader, lambda message: self._on_status(message, before))
        self._begin(self._keep_saying())

    async def _readers(self, context: JetStreamContext) -> tuple[str, int]:
        """What `reader_of_statuses` gives, once all streams are there. While the servers elect who
        leads, what they are asked is lost or refused: it is asked again."""
        deadline = self._loop.time() + READY_WITHIN_S
        while True:
            try:
                await ensure(context, self._settings.replicas, self._settings.group)
                return await reader_of_statuses(context)
            except ELECTING:
                if self._loop.time() > deadline:
                    raise
                await asyncio.sleep(PAUSE_S)

    def _draw(self, stream: str, consumer: str, take: Callable[[Msg], None]) -> None:
        pull = Pull(self._client, stream, consumer, self._room, take)
        self._pulls.append(pull)
        self._begin(pull.run())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(self._loop.create_task(self._guarded(work)))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ConsumerGone as gone:
            self._fail(f"{self._server}: {gone}")
        except Exception as error:
            self._fail(f"{self._server}: {str(error) or type(error).__name__}")

    def _room(self) -> int:
        """How many more may come; some at a time, so that a single one freed asks for nothing."""
        room = HELD - len(self._came) - len(self.inbox)
        return room if room >= HELD // 4 else 0

    def _make_room(self) -> None:
        for pull in self._pulls:
            pull.there_is_room()

    def _on_message(self, message: Msg, token: str) -> None:
        self._take(message, retained=False, token=token)

    def _on_status(self, message: Msg, before: int) -> None:
        retained = message.metadata.sequence.stream <= before
        self._take(message, retained=retained, token=None)

    def _take(self, message: Msg, *, retained: bool, token: str | None) -> None:
        topic = topic_of_subject(message.subject)
        with self._news:
            self._came.append(Delivery(topic, message.data, retained, token))
            self._news.notify()

    async def _keep_saying(self) -> None:
        while True:
            await self._said_more.wait()
            self._said_more.clear()
            await self._say_what_waits()

    async def _say_what_waits(self) -> None:
        while self._to_say:
            await self._client.publish(*self._to_say.popleft())

    async def _leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            if self._client.is_connected:
                await self._say_what_waits()
                await self._client.flush(timeout=1)
        finally:
            await self._client.close()

    async def _on_error(self, error: Exception) -> None:
        if self._client.is_connected:
            self._fail(f"{self._server}: {str(error) or type(error).__name__}")

    async def _on_end(self) -> None:
        self._fail(f"{self._server}: the connection broke")

    def _fail(self, why: str) -> None:
        with self._news:
            self._failure = self._failure or why
            self._news.notify()
