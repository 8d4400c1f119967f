"""The keys that a device holds: its own signing key, and central's public key, pinned at enrolment.

Two files in JWK form. The device's own is readable by its owner alone and signs whatever the device
says; central's decides what the device believes. From the device's key comes one more secret, under
which the device remembers documents without holding their numbers.
"""

import hashlib
import logging
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from joserfc.jwk import OKPKey

from scanner.alert import CENTRAL, KeyFault, new_key, read_key, write_key
from scanner.mrz.document import Kind

log = logging.getLogger(__name__)

__all__ = ["KeyFault", "Keys", "create_device_key", "document_mark", "load_keys"]


@dataclass(frozen=True)
class Keys:
    """A device's keys: `signing` is private, `central` are the keys that central may sign with."""

    signing: OKPKey
    central: tuple[OKPKey, ...]

    def of(self, source: str) -> Sequence[OKPKey]:
        """The keys that `source` may sign with: to a device only central has anything to say."""
        return self.central if source == CENTRAL else ()


def load_keys(device: Path, central: Path) -> Keys:
    """The keys in two files. Raises KeyFault with one line that says what is wrong and where."""
    keys = Keys(read_key(device, private=True), (read_key(central, private=False),))
    if device.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        log.warning("%s: the device's key is readable by others; chmod 600 it", device)
    return keys


def create_device_key(path: Path) -> OKPKey:
    """A new signing key, written to `path`, which must not exist. Raises KeyFault."""
    key = new_key()
    write_key(path, key, private=True)
    return key


def document_mark(signing: OKPKey, issuer: str, number: str, kind: Kind) -> bytes:
    """What the device remembers a document by: 32 bytes, a keyed BLAKE2b (RFC 7693).

    Without the device's key it cannot be checked against a guessed number; with it, it can, for
    numbers can be enumerated.
    """
    seed = signing.as_dict(private=True)["d"]
    secret = hashlib.blake2b(str(seed).encode(), person=b"borderpost-doc").digest()
    text = "\x1f".join((issuer, number, kind.value))
    return hashlib.blake2b(text.encode(), key=secret, digest_size=32).digest()
