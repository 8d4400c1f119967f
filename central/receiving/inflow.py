"""The way by which messages reach the receiver, whatever carries them.

An inflow is one connection to one broker, used by one thread and thrown away when it breaks. It
takes messages in and keeps each in its `inbox` until the receiver has committed it and says so;
only then does it tell its broker. What was not committed when it breaks comes again, from the
broker or from the device.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any, Protocol


class LinkDown(Exception):
    """There is no connection; the message says why."""


@dataclass(frozen=True)
class Delivery:
    """A message as it came. `topic` is empty where it is no text; `retained` says that the broker
    had kept it from before this connection; `token` is for the inflow that brought it."""

    topic: str
    payload: bytes
    retained: bool = False
    token: Any = None


class Inflow(Protocol):
    """One connection. Every method but `publish` and `wake` is for the thread that opened it."""

    inbox: list[Delivery]
    """What has come and is not yet acknowledged, in order; the oldest first."""

    def open(self, stop: Event) -> None:
        """Connects, and asks for what every device says. Raises LinkDown, also on `stop`."""

    def turn(self, wait_s: float, most: int) -> None:
        """Keeps the connection alive, sends what was published, and takes in what is there, until
        the inbox holds `most`. Waits for something to come or for `wake`, at most `wait_s`. Raises
        LinkDown."""

    def acknowledge(self, count: int) -> None:
        """The first `count` of the inbox are committed: removes them, and tells the broker."""

    def publish(self, topic: str, payload: bytes) -> None:
        """Has `payload` published at QoS 1 at the next `turn`, and wakes that. For any thread. What
        is lost is said again on another occasion."""

    def wake(self) -> None:
        """Ends the waiting in `turn`. For any thread."""

    def close(self) -> None:
        """Sends what was published, where it still can, and lets go of the connection."""


@dataclass(frozen=True)
class Source:
    """A broker, as the log names it, and how to make a new connection to it."""

    name: str
    connect: Callable[[], Inflow]
