"""The keys that a device holds: its own, and central's public keys, pinned at enrolment.

Its own signing key signs whatever the device says; central's keys decide what the device believes.
Keys change while the device runs, so whoever needs one asks for it each time. One secret never
changes: the device remembers documents under it, without holding their numbers, and would forget
all of them with it.
"""

import hashlib
import logging
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from joserfc.jwk import OKPKey

from firmware.identity.seal import private_content
from scanner.alert import CENTRAL, KeyFault, KeysData, read_key
from scanner.alert.encryption import decrypt, encrypt, is_encrypted
from scanner.alert.keyset import KeySet, parse_key_set, read_key_set, thumbprints
from scanner.mrz.document import Kind

log = logging.getLogger(__name__)

__all__ = ["DeviceKeys", "KeyFault", "Keys", "document_mark", "load_keys"]

DEVICE_KEY, ENCRYPTION_KEY, CENTRAL_KEYS = "device.jwk", "device.enc.jwk", "central.pub.jwk"
MARKS = "marks.key"
MARKS_BYTES = 32


class DeviceKeys(Protocol):
    """What the rest of the device needs of its keys; each time, for they change."""

    @property
    def signing(self) -> OKPKey:
        """The device's private signing key."""

    @property
    def marks(self) -> bytes:
        """The secret that documents are remembered under."""

    @property
    def central_keys(self) -> tuple[str, ...]:
        """The thumbprints of the keys that central may sign with."""

    @property
    def certificate_until(self) -> datetime | None:
        """When the device's certificate ends, or None where it has none."""

    def of(self, source: str) -> Sequence[OKPKey]:
        """The keys that `source` may sign with: to a device only central has anything to say."""

    def conceal(self, signed: bytes) -> bytes:
        """A signed message as the broker is to see it: encrypted to central where it may not see
        what is in it."""

    def reveal(self, payload: bytes) -> bytes:
        """What central signed, out of what the broker gave. Raises Refused."""

    def take(self, data: KeysData) -> None:
        """Pins the keys that central signs with from now on. Raises KeyFault."""


@dataclass(frozen=True)
class Keys:
    """A device's keys as they stood when they were read; `encryption` is the device's own private
    key, and `conceals` says whether the broker may not see what is in a message."""

    signing: OKPKey
    central: KeySet
    marks: bytes
    encryption: OKPKey | None = None
    conceals: bool = False

    @property
    def central_keys(self) -> tuple[str, ...]:
        return thumbprints(self.central.signing)

    @property
    def certificate_until(self) -> datetime | None:
        return None

    def of(self, source: str) -> Sequence[OKPKey]:
        return self.central.signing if source == CENTRAL else ()

    def conceal(self, signed: bytes) -> bytes:
        if not self.conceals or self.central.encryption is None:
            return signed
        return encrypt(signed, self.central.encryption)

    def reveal(self, payload: bytes) -> bytes:
        if not is_encrypted(payload):
            return payload
        return decrypt(payload, [self.encryption] if self.encryption is not None else [])

    def take(self, data: KeysData) -> None:
        raise KeyFault("these keys are for reading alone")


def load_keys(folder: Path, *, conceals: bool = False) -> Keys:
    """The keys in a device's folder. Raises KeyFault with one line that says what is wrong and
    where."""
    path = folder / DEVICE_KEY
    signing = read_key(path, private=True, content=private_content(path))
    central = read_key_set(folder / CENTRAL_KEYS)
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        log.warning("%s: the device's key is readable by others; chmod 600 it", path)
    own = folder / ENCRYPTION_KEY
    encryption = (
        read_key(own, private=True, curve="X25519", content=private_content(own))
        if own.exists()
        else None
    )
    if conceals and central.encryption is None:
        raise KeyFault(
            f"{folder / CENTRAL_KEYS}: there is no key to encrypt to, as [identity] encrypt asks "
            "for; enrol the device anew"
        )
    return Keys(signing, central, _marks(folder, signing), encryption, conceals)


def pinned(central: KeySet, data: KeysData) -> KeySet:
    """Central's keys, once `data` has taken the place of those that it signed with."""
    said = parse_key_set({"keys": [key.model_dump() for key in data.keys]})
    if said is None:
        raise KeyFault("central announces keys that are none")
    return KeySet(said.signing, central.encryption)


def marks_of(signing: OKPKey) -> bytes:
    """The secret of a device that has no file for it: it follows from its first signing key."""
    seed = str(signing.as_dict(private=True)["d"])
    return hashlib.blake2b(seed.encode(), person=b"borderpost-doc").digest()


def document_mark(marks: bytes, issuer: str, number: str, kind: Kind) -> bytes:
    """What the device remembers a document by: 32 bytes, a keyed BLAKE2b (RFC 7693).

    Without the device's secret it cannot be checked against a guessed number; with it, it can, for
    numbers can be enumerated.
    """
    text = "\x1f".join((issuer, number, kind.value))
    return hashlib.blake2b(text.encode(), key=marks, digest_size=32).digest()


def _marks(folder: Path, signing: OKPKey) -> bytes:
    path = folder / MARKS
    if not path.exists():
        return marks_of(signing)
    secret = private_content(path)
    if len(secret) < MARKS_BYTES:
        raise KeyFault(f"{path}: the key is damaged; put it back, or remove it")
    return secret
