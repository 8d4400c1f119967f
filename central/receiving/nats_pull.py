"""Draws messages from one JetStream consumer, as they come and as far as there is room.

A receiver asks the consumer for a number of messages, and each comes as soon as it is there; when
they have come, or the time of asking is over, it asks again. (The library's `fetch` waits for a
whole batch instead.) While it waits, the server sends a sign of life each second. Where those stay
away, the server that led the consumer is gone and the asking with it, so it asks anew; where
nothing answers for some seconds, the connection is given up.
"""

import asyncio
import json
import time
from collections.abc import Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NothingCame

ASKED_FOR_S, ALIVE_EVERY_S = 10, 1
SILENT_AFTER_S = 2.5
LOST_AFTER_S = 15.0
PAUSE_S = 0.2
_NANO = 1_000_000_000
_ALIVE, _OVER, _NOBODY = "100", "408", "503"


class ConsumerGone(Exception):
    """Nothing answers for the consumer; the message says which."""


class Pull:
    """Give each message to `take`. `room` says how many more may come."""

    def __init__(
        self,
        client: Client,
        stream: str,
        consumer: str,
        room: Callable[[], int],
        take: Callable[[Msg], None],
    ) -> None:
        self._client = client
        self._name = f"{stream}/{consumer}"
        self._ask = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._room = room
        self._take = take
        self._freed = asyncio.Event()
        self._heard_at = time.monotonic()

    def there_is_room(self) -> None:
        """Some of what came is no longer held. For the event loop's thread."""
        self._freed.set()

    async def run(self) -> None:
        """Draws until it is cancelled. Raises ConsumerGone."""
        inbox = self._client.new_inbox()
        answers = await self._client.subscribe(f"{inbox}.*")
        asking = 0
        while True:
            self._freed.clear()
            wanted = self._room()
            if wanted <= 0:
                await self._freed.wait()
                self._heard_at = time.monotonic()
                continue
            asking += 1
            reply = f"{inbox}.{asking}"
            await self._client.publish(self._ask, _asking(wanted), reply=reply)
            while wanted > 0:
                try:
                    message = await answers.next_msg(timeout=SILENT_AFTER_S)
                except NothingCame:
                    break
                status = (message.headers or {}).get("Status")
                if status != _NOBODY:
                    self._heard_at = time.monotonic()
                if status is None:
                    self._take(message)
                    wanted -= 1
                elif message.subject == reply and status != _ALIVE:
                    if status != _OVER:
                        await asyncio.sleep(PAUSE_S)
                    break
            if time.monotonic() - self._heard_at > LOST_AFTER_S:
                raise ConsumerGone(f"the cluster does not serve {self._name}")


def _asking(count: int) -> bytes:
    return json.dumps(
        {
            "batch": count,
            "expires": ASKED_FOR_S * _NANO,
            "idle_heartbeat": ALIVE_EVERY_S * _NANO,
        }
    ).encode()
