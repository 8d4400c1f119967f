"""Which broker to speak to next, and in which version of MQTT.

A device may be given several independent brokers. It holds a connection to one at a time: the
first as long as that is there, after a failure the next, and after a while on another it looks
whether the first answers again (by a bare TCP connection, beside the one that carries messages)
and goes back.

`auto` speaks MQTT 5, and 3.1.1 to a broker that refuses 5 or that has never answered to it. What a
broker speaks is remembered until the process ends, and after some hours 5 is tried again.
"""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Thread
from typing import Literal

from scanner.backoff import spread
from scanner.said import said

Version = Literal["5", "3.1.1"]
Protocol = Literal["auto", "5", "3.1.1"]

RETURN_AFTER_S = 300.0
"""How long a device stays with another broker before it looks whether the first answers again."""
FIVE_AGAIN_AFTER_S = 6 * 3600.0
PROBE_WITHIN_S = 5.0


@dataclass(frozen=True)
class Address:
    """Where a broker listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address_of(text: str) -> Address:
    """The address that "host:port" names."""
    host, _, port = text.rpartition(":")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


@dataclass(frozen=True)
class Link:
    """The brokers and how to speak to them. A dead link is known within twice `keepalive_s`.

    `others` are independent of the first and take the same credentials. `tls` gives the context of
    each connection anew, so that a certificate that was renewed counts from the next one on.
    """

    host: str
    port: int = 1883
    protocol: Protocol = "auto"
    client_id: str = ""
    keepalive_s: int = 8
    username: str | None = None
    password: str | None = None
    tls: Callable[[], ssl.SSLContext] | None = None
    others: tuple[Address, ...] = ()

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Every broker, the first one first."""
        return (Address(self.host, self.port), *self.others)


@dataclass(frozen=True)
class LinkState:
    """How the link is, for whoever stands at the desk: `since` is when it came to be so, `queued`
    counts everything that central has not yet acknowledged, `alerts` the alerts alone."""

    connected: bool
    since: datetime
    broker: Address
    queued: int
    alerts: int

    def __str__(self) -> str:
        since = f"{self.since:%H:%M:%S} UTC"
        up = said("link up since {time}, queued alerts: {count}", time=since, count=self.alerts)
        down = said("link down since {time}, queued alerts: {count}", time=since, count=self.alerts)
        return up if self.connected else down


class LinkDown(Exception):
    """There is no connection; the message says why."""


class VersionRefused(LinkDown):
    """The broker says that it does not speak this version of MQTT."""


class Unanswered(LinkDown):
    """There was a connection, and not a word of MQTT came by it."""


@dataclass(frozen=True)
class _Spoken:
    version: Version
    since: float
    sure: bool


class Brokers:
    """The brokers of one link, for the one thread that connects. Times are monotonic seconds."""

    def __init__(
        self,
        link: Link,
        *,
        return_after_s: float = RETURN_AFTER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._addresses = link.addresses
        self._at = 0
        self._return_after_s = return_after_s
        self._clock = clock
        self._return_at = 0.0
        self._probe: _Probe | None = None
        self._spoken: dict[Address, _Spoken] = {}

    @property
    def address(self) -> Address:
        """The broker whose turn it is."""
        return self._addresses[self._at]

    @property
    def version(self) -> Version:
        """The version to speak to it."""
        if self._link.protocol != "auto":
            return self._link.protocol
        spoken = self._spoken.get(self.address)
        if spoken is None or self._clock() - spoken.since > FIVE_AGAIN_AFTER_S:
            return "5"
        return spoken.version

    def connected(self) -> None:
        """The broker whose turn it is took the connection."""
        spoken = self._spoken.get(self.address)
        version = self.version
        if spoken is None or not spoken.sure or spoken.version != version:
            self._spoken[self.address] = _Spoken(version, self._clock(), sure=True)
        self._wait_to_return()

    def failed(self, down: LinkDown) -> bool:
        """Takes note of a failure and passes the turn on where that helps. True where every broker
        has failed since the first one's turn."""
        if self._link.protocol == "auto" and self._another_version(down):
            return False
        self._at = (self._at + 1) % len(self._addresses)
        self._wait_to_return()
        return self._at == 0

    def first_is_back(self) -> bool:
        """Whether to leave this broker for the first one, whose turn it then is. To be asked now
        and then; it does not wait."""
        if self._at == 0:
            return False
        if self._probe is None:
            if self._clock() >= self._return_at:
                self._probe = _Probe(self._addresses[0])
            return False
        if not self._probe.over:
            return False
        there = self._probe.there
        self._wait_to_return()
        if there:
            self._at = 0
        return there

    def _another_version(self, down: LinkDown) -> bool:
        """Whether the same broker is to be asked at once in another version."""
        version, spoken = self.version, self._spoken.get(self.address)
        if isinstance(down, VersionRefused) and version == "5":
            self._spoken[self.address] = _Spoken("3.1.1", self._clock(), sure=True)
            return True
        if isinstance(down, Unanswered):
            if version == "5" and (spoken is None or spoken.version == "3.1.1"):
                self._spoken[self.address] = _Spoken("3.1.1", self._clock(), sure=False)
                return True
            if spoken is not None and not spoken.sure:
                del self._spoken[self.address]
        return False

    def _wait_to_return(self) -> None:
        self._return_at = self._clock() + spread(self._return_after_s)
        self._probe = None


class _Probe:
    """Whether anything listens at an address: one TCP connection, in a thread of its own."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self.over = False
        self.there = False
        Thread(target=self._look, name="probe", daemon=True).start()

    def _look(self) -> None:
        try:
            where = (self._address.host, self._address.port)
            socket.create_connection(where, timeout=PROBE_WITHIN_S).close()
            self.there = True
        except OSError:
            self.there = False
        finally:
            self.over = True
