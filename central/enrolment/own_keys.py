"""Central's own keys: the one that it signs with, and the one that devices encrypt to.

Devices believe what is signed with the keys that they have pinned. So the signing key changes in
two steps. `rotate` makes the next key and announces it, signed with the present one, while the
present one goes on signing; `finish` signs with the next from then on. The one before is kept, for
a device that was away for both steps believes nothing else: the news is told to it with that key.

The key that devices encrypt to changes at once: a device has the new one from its next renewal on,
and what was encrypted to the one before is read until that is forgotten.

Files are read again when they change, so a receiver that runs follows without being started anew.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from joserfc.jwk import OKPKey

from scanner.alert import KeyFault, new_key, read_key, write_key
from scanner.alert.keyfile import as_json, new_encryption_key, public_of
from scanner.alert.keyset import KeySet, replace_key_set
from scanner.durable import replace_durably, sync_folder
from scanner.failing import Told

PUBLIC_KEYS = "central.pub.jwk"
_PRESENT, _NEXT, _BEFORE = "central.jwk", "central.next.jwk", "central.before.jwk"
_ENCRYPTION, _ENCRYPTION_BEFORE = "central.enc.jwk", "central.enc.before.jwk"
_SEED = "central.seed"
"""What words of central's own are made from, once the key that they came from is another."""

T = TypeVar("T")


class NoRotation(Told):
    """The step does not follow; the message says what to do first."""


class Remembered(Generic[T]):
    """What `read` made of each file, until the file changes. For use from any thread."""

    def __init__(self, read: Callable[[Path], T]) -> None:
        self._read = read
        self._known: dict[Path, tuple[tuple[int, int, int], T]] = {}

    def of(self, path: Path) -> T:
        """What the file holds now. Raises what `read` raises, and OSError."""
        stat = path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            known = (stamp, self._read(path))
            self._known[path] = known
        return known[1]


class OwnKeys:
    """Central's keys in `folder`. Every method raises KeyFault where a file refuses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._signing = Remembered(lambda path: read_key(path, private=True))
        self._encryption = Remembered(lambda path: read_key(path, private=True, curve="X25519"))

    def make(self) -> None:
        """Makes what is not there yet."""
        for name, new in ((_PRESENT, new_key), (_ENCRYPTION, new_encryption_key)):
            if not (self._folder / name).exists():
                write_key(self._folder / name, new(), private=True)
        self._publish()

    def present(self) -> OKPKey:
        """The private key that central signs with."""
        path = self._folder / _PRESENT
        if not path.exists():
            raise KeyFault(
                f"{path}: central has no key; it is made when the first device is enrolled "
                "(borderpost-central enrol)"
            )
        return self._signing.of(path)

    def following(self) -> OKPKey | None:
        """The private key that is announced and does not sign yet."""
        return self._if_any(_NEXT)

    def before(self) -> OKPKey | None:
        """The private key that central signed with before, where it is kept."""
        return self._if_any(_BEFORE)

    def encryption(self) -> OKPKey | None:
        """The private key that devices encrypt to."""
        path = self._folder / _ENCRYPTION
        return self._encryption.of(path) if path.exists() else None

    def decryption(self) -> list[OKPKey]:
        """The private keys that devices may have encrypted to."""
        before = self._folder / _ENCRYPTION_BEFORE
        keys = (self.encryption(), self._encryption.of(before) if before.exists() else None)
        return [key for key in keys if key is not None]

    def encryption_changed_at(self) -> datetime | None:
        """Since when devices are given another key to encrypt to, while the one before is kept."""
        if not (self._folder / _ENCRYPTION_BEFORE).exists():
            return None
        return datetime.fromtimestamp((self._folder / _ENCRYPTION).stat().st_mtime, UTC)

    def public(self) -> KeySet:
        """What devices are to pin: the present key, the next one where there is one, and the one
        to encrypt to."""
        following, encryption = self.following(), self.encryption()
        signing = [self.present(), *([following] if following is not None else [])]
        return KeySet(
            tuple(public_of(key) for key in signing),
            public_of(encryption) if encryption is not None else None,
        )

    def secret(self, purpose: str) -> str:
        """A word that only central knows, the same at all of its workers for one purpose."""
        kept = self._folder / _SEED
        seed = kept.read_bytes() if kept.exists() else _private(self.encryption() or self.present())
        named = purpose.encode()[: hashlib.blake2b.PERSON_SIZE]
        return hashlib.blake2b(seed, person=named, digest_size=16).hexdigest()

    def rotate(self) -> str:
        """Makes and announces the next key, and gives its thumbprint. Raises NoRotation where one
        is announced already."""
        self.present()
        if (following := self.following()) is not None:
            raise NoRotation(
                f"{following.thumbprint()} is announced already; borderpost-central keys finish "
                "signs with it from then on"
            )
        key = new_key()
        write_key(self._folder / _NEXT, key, private=True)
        self._publish()
        return key.thumbprint()

    def finish(self, *, forget: bool = False) -> str:
        """Signs with the announced key from now on, and gives its thumbprint; with `forget`, the
        one before is destroyed. Raises NoRotation where none is announced.

        A power cut in between leaves the next key announced, and the step can be done again.
        """
        following = self.following()
        if following is None:
            raise NoRotation("no key is announced; begin with borderpost-central keys rotate")
        before = self._folder / _BEFORE
        try:
            if forget:
                before.unlink(missing_ok=True)
            else:
                replace_durably(before, as_json(self.present(), private=True))
            (self._folder / _NEXT).replace(self._folder / _PRESENT)
            sync_folder(self._folder)
        except OSError as error:
            raise KeyFault(f"{error.filename}: {error.strerror}") from None
        self._publish()
        return following.thumbprint()

    def rotate_encryption(self) -> str:
        """Makes another key to encrypt to, and gives its thumbprint; the one before is kept. Raises
        NoRotation where one from before is kept already."""
        present, before = self.encryption(), self._folder / _ENCRYPTION_BEFORE
        if present is None or before.exists():
            raise NoRotation(
                "there is no key to encrypt to; enrol a device first"
                if present is None
                else "the key before is still kept; first keys forget --of encryption"
            )
        key = new_encryption_key()
        seed = self._folder / _SEED
        try:
            if not seed.exists():
                replace_durably(seed, _private(present))
            replace_durably(before, as_json(present, private=True))
            replace_durably(self._folder / _ENCRYPTION, as_json(key, private=True))
        except OSError as error:
            raise KeyFault(f"{error.filename}: {error.strerror}") from None
        self._publish()
        return key.thumbprint()

    def forget_encryption(self) -> None:
        """Destroys the key that devices encrypted to before. Raises NoRotation."""
        self._forget(_ENCRYPTION_BEFORE)

    def forget_signing(self) -> None:
        """Destroys the key that central signed with before: a device that was away for its change
        is enrolled anew. Raises NoRotation."""
        self._forget(_BEFORE)

    def _forget(self, name: str) -> None:
        try:
            (self._folder / name).unlink()
            sync_folder(self._folder)
        except FileNotFoundError:
            raise NoRotation("there is no key from before") from None
        except OSError as error:
            raise KeyFault(f"{error.filename}: {error.strerror}") from None

    def _publish(self) -> None:
        replace_key_set(self._folder / PUBLIC_KEYS, self.public())

    def _if_any(self, name: str) -> OKPKey | None:
        path = self._folder / name
        try:
            return self._signing.of(path)
        except FileNotFoundError:
            return None


def _private(key: OKPKey) -> bytes:
    return str(key.as_dict(private=True)["d"]).encode()
