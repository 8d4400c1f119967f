"""An MQTT broker inside the process, for the demo alone: amqtt on a loopback port.

It keeps nothing over a restart and speaks MQTT 3.1.1 only. A site runs Mosquitto.
"""

import asyncio
import logging
import socket
import threading
from concurrent.futures import Future

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig

_START_WITHIN_S = 20.0


class DemoBroker:
    """Starts with the `with` block and stops with it; `port` is free and on 127.0.0.1."""

    def __init__(self) -> None:
        self.port = free_port()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="broker", daemon=True)
        self._broker: Broker | None = None

    def __enter__(self) -> "DemoBroker":
        for noisy in ("amqtt", "transitions", "websockets"):
            logging.getLogger(noisy).setLevel(logging.CRITICAL)
        self._thread.start()
        self._within(asyncio.run_coroutine_threadsafe(self._start(), self._loop))
        return self

    def __exit__(self, *_: object) -> None:
        self._within(asyncio.run_coroutine_threadsafe(self._stop(), self._loop))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_WITHIN_S)
        self._loop.close()

    async def _start(self) -> None:
        config = {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
        self._broker = Broker(BrokerConfig.from_dict(config), loop=self._loop)
        await self._broker.start()

    async def _stop(self) -> None:
        if self._broker is not None:
            await self._broker.shutdown()

    def _within(self, future: "Future[None]") -> None:
        future.result(_START_WITHIN_S)


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
