"""What a technician says of a device that nobody can see on it, and the file that says the same
where nobody sits at it.

The file lies on the boot partition, which any computer can write: `borderpost-setup.toml`. The
enrolment token in it is taken out as soon as it has counted; a token that has counted is worth
nothing to whoever reads the card.
"""

import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tomlkit
from pydantic import AfterValidator, Field

from firmware.settings import Device, IdentitySettings, Section, Settings, UpdateSettings
from scanner.durable import replace_durably
from scanner.toml_errors import check

BROKER_PORT = 8883
NONE = "none"
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Answers:
    """How a desk is called and whom it speaks to. `broker` None is a desk that tells nobody;
    without `enrolment`, the service's address, the device is enrolled by files."""

    device: str
    site: str
    lane: str
    ring: str
    broker: tuple[str, int] | None
    enrolment: str | None
    lists: str | None


def address(text: str) -> tuple[str, int]:
    """A broker's host and port; the port may be left out. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, str(BROKER_PORT)
    if not host or " " in host or not port.isdecimal() or not 0 < int(port) <= 65535:
        raise ValueError('must be a host, or a host and a port, such as "broker.example:8883"')
    return host, int(port)


def _broker(text: str) -> str:
    if text != NONE:
        address(text)
    return text


class AnswersFile(Section):
    """The file `borderpost-setup.toml`. The device's name is the machine's, unless it is given."""

    device: str | None = None
    site: str = Field(min_length=1)
    lane: str = "1"
    ring: str = "all"
    broker: Annotated[str, AfterValidator(_broker)]
    enrolment: str | None = None
    token: str = ""
    lists: str | None = None

    def answers(self) -> Answers:
        """The same as given at a terminal. Raises ValueError."""
        told = Answers(
            device=self.device or this_machine(),
            site=self.site,
            lane=self.lane,
            ring=self.ring,
            broker=None if self.broker == NONE else address(self.broker),
            enrolment=self.enrolment,
            lists=self.lists,
        )
        Device(name=told.device, site=told.site, lane=told.lane)
        UpdateSettings(ring=told.ring, url=told.lists)
        IdentitySettings(service=told.enrolment)
        return told


def read(path: Path) -> AnswersFile:
    """The file's answers. Raises SettingsError with all that is wrong in it."""
    return check(path, AnswersFile)


def forget_token(path: Path) -> None:
    """Takes the token out of the file; all else stays as it was written. Raises OSError."""
    document = tomlkit.parse(path.read_text())
    if document.get("token"):
        document["token"] = ""
        replace_durably(path, tomlkit.dumps(document).encode())


def already(settings: Settings) -> Answers:
    """What a configuration says already."""
    broker = settings.broker
    nobody = broker.host == "localhost" and not broker.tls
    return Answers(
        device=settings.device.name,
        site=settings.device.site,
        lane=settings.device.lane,
        ring=settings.updates.ring,
        broker=None if nobody else (broker.host, broker.port),
        enrolment=settings.identity.service,
        lists=settings.updates.url,
    )


def this_machine() -> str:
    """The machine's own name, as a device may be called."""
    return _NOT_IN_A_NAME.sub("-", socket.gethostname().split(".")[0])[:63]
