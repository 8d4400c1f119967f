"""Seals a device's secrets to this machine, as set-up does wherever systemd can open them again.

Sealed are: the seal of the device's own keys, and with it those keys; the keys of lists; what the
broker asks for besides. What lay in the clear is removed once it is sealed. A file that lies
outside the configuration's folder stays where somebody has put it: on a medium of its own it may be
kept better than here.
"""

from collections.abc import Iterator
from pathlib import Path

from firmware.delivery.broker_access import PASSWORD, PRIVATE_KEY
from firmware.doctor.kernel import Kernel
from firmware.identity.enrolling import is_enrolled
from firmware.identity.files import seal_in_place
from firmware.identity.keys import DEVICE_KEY
from firmware.identity.seal import CREDENTIAL, new_secret, private_content
from firmware.settings import Settings
from scanner import credentials
from scanner.durable import sync_folder
from scanner.watchlist.keyring import SUFFIX


def can_be_sealed(kernel: Kernel) -> bool:
    """Whether there is something that opens secrets for the desk: systemd, and its program."""
    return (kernel.root / "run/systemd/system").is_dir() and credentials.can_seal()


def seal_all(settings: Settings, near: Path) -> list[str]:
    """Seals whatever is not sealed yet, and gives its names; files are taken from within `near`.
    Raises CannotSeal, KeyFault, OSError."""
    sealed = []
    enrolled = is_enrolled(settings.identity.folder)
    if credentials.unsealed(CREDENTIAL) is None:
        if enrolled:
            # A new seal would lock out for good what another one has sealed.
            private_content(settings.identity.folder / DEVICE_KEY)
        credentials.seal(CREDENTIAL, credentials.secret(CREDENTIAL) or new_secret())
        sealed.append("the seal of the device's keys")
    if enrolled and seal_in_place(settings.identity.folder):
        sealed.append("the device's keys")
    for name, file in _in_the_clear(settings):
        if file.resolve().is_relative_to(near.resolve()):
            sealed += seal_one(name, file.read_bytes())
            file.unlink()
            sync_folder(file.parent)
    return sealed


def seal_one(name: str, content: bytes) -> list[str]:
    """Seals a secret, and gives its name, unless it is sealed already. Raises CannotSeal,
    OSError."""
    if credentials.unsealed(name) == content:
        return []
    credentials.seal(name, content)
    return [name]


def _in_the_clear(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Files of secrets that are there, each with what its credential is called."""
    for key in sorted(settings.lists.keys.glob(f"*{SUFFIX}")):
        yield key.name, key
    broker = settings.broker
    for name, file in ((PASSWORD, broker.password_file), (PRIVATE_KEY, broker.private_key)):
        if file is not None and file.is_file():
            yield name, file
