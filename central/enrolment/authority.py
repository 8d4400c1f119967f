"""Who may speak: central's own keys, and the public keys of every enrolled device.

The folder is the register: `central.jwk` and its fellows are central's own (see `own_keys`),
`devices/<device>.pub.jwk` is there for each enrolled device, and `authority/` holds the
certificates. Taking a device's file away ends its enrolment at once, also for a receiver that is
running.

A device renews its keys by itself. The register then holds the key that it has and the one that it
asked for, until something that the new one has signed is heard; from then on the old one counts no
longer. An answer may be lost on the way, so a few that it asked for may be held at a time.
"""

import fcntl
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from joserfc.jwk import OKPKey

from central.enrolment.certificates import Certificates, Sort
from central.enrolment.own_keys import PUBLIC_KEYS, OwnKeys, Remembered
from scanner.alert import (
    Event,
    KeyFault,
    Message,
    PublicKey,
    new_key,
    public_of,
    seal,
    source_of,
    unseal,
    write_key,
)
from scanner.alert.encryption import decrypt, encrypt, is_encrypted
from scanner.alert.enrolment import new_tls_key, private_pem
from scanner.alert.keyfile import new_encryption_key
from scanner.alert.keyset import KeySet, read_key_set, replace_key_set, thumbprints
from scanner.alert.thumbprints import thumbprint
from scanner.device_names import is_device_name
from scanner.durable import replace_durably, sync_folder
from scanner.failing import Told

log = logging.getLogger(__name__)

DEVICE_KEY = "device.jwk"
DEVICE_ENCRYPTION_KEY = "device.enc.jwk"
CENTRAL_PUBLIC_KEY = PUBLIC_KEYS
TLS_KEY, TLS_CERTIFICATE, ROOT = "tls.key", "tls.crt", "ca.crt"
_DEVICE_PREFIX = source_of("")
_PATHS_MOST = 50_000
_EXPECTED = 3
"""How many keys that a device asked for and that were not heard are held."""


class NotEnrolled(Told):
    """The device was not enrolled; the message says why and what to do."""


class Authority:
    """The register in `folder`. For use from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._registered = Remembered(read_key_set)
        self._fault: str | None = None
        self._paths: dict[str, Path] = {}
        self.own = OwnKeys(folder)
        self.certificates = Certificates(folder / "authority")

    def signing_key(self) -> OKPKey:
        """The private key that central signs with at this moment. Raises KeyFault."""
        return self.own.present()

    def make(self) -> None:
        """Makes central's keys and the authority, where they are not there yet. Raises KeyFault or
        AuthorityFault."""
        self.own.make()
        self.certificates.make()

    def enrol(self, device: str, out: Path) -> None:
        """Enrols `device` by hand: its keys, its certificate and what it is to trust are written to
        `out`, to be carried to it. Raises NotEnrolled, KeyFault or AuthorityFault, and writes over
        nothing."""
        check_name(device)
        register = self._of_device(device)
        for path in (register, out / DEVICE_KEY, out / CENTRAL_PUBLIC_KEY):
            if path.exists():
                raise NotEnrolled(
                    f"{path}: there is a key already; to enrol {device} anew, move it away"
                )
        self.make()
        signing, encryption, tls = new_key(), new_encryption_key(), new_tls_key()
        certificate = self.certificates.device(device, tls.public_key())
        write_key(out / DEVICE_KEY, signing, private=True)
        write_key(out / DEVICE_ENCRYPTION_KEY, encryption, private=True)
        replace_key_set(out / CENTRAL_PUBLIC_KEY, self.own.public())
        write_certificate(out, private_pem(tls), certificate, self.certificates.root_pem())
        self.register(device, KeySet((public_of(signing),), public_of(encryption)))

    def devices(self) -> list[str]:
        """The names of the enrolled devices."""
        folder = self._folder / "devices"
        return sorted(path.name.removesuffix(".pub.jwk") for path in folder.glob("*.pub.jwk"))

    def is_enrolled(self, device: str) -> bool:
        """Whether the register holds `device`."""
        return self._of_device(device).exists()

    def was_revoked(self, device: str) -> bool:
        """Whether a certificate of `device` was revoked that would otherwise still count. Raises
        AuthorityFault."""
        return any(
            one.name == device and one.sort == Sort.DEVICE for one in self.certificates.revoked()
        )

    def keys_of(self, source: str) -> Sequence[OKPKey]:
        """The keys that `source` may sign with: one for an enrolled device, or two while it changes
        from one to the next; none for a stranger or for a file that holds no keys."""
        keys = self._keys(source.removeprefix(_DEVICE_PREFIX)) if _is_device(source) else None
        return keys.signing if keys is not None else ()

    def register(self, device: str, keys: KeySet) -> None:
        """Enrols `device` with these public keys, in the place of those before. Raises KeyFault."""
        with self._changing():
            replace_key_set(self._of_device(device), keys)

    def expect(self, device: str, present: OKPKey, asked: KeySet) -> None:
        """Holds what `device`, whose signing key is `present`, has asked for beside it. Raises
        KeyFault, and NotEnrolled where that key counts no longer."""
        with self._changing():
            registered = self.keys_of(source_of(device))
            others = [key for key in registered if key.thumbprint() != present.thumbprint()]
            if len(others) == len(registered):
                raise NotEnrolled(f"{device} is enrolled no longer")
            expected = (*others, *asked.signing)[-_EXPECTED:]
            keys = KeySet((present, *expected), asked.encryption)
            replace_key_set(self._of_device(device), keys)

    def withdraw(self, device: str) -> bool:
        """Takes `device` from the register, and says whether it was there. Raises KeyFault."""
        path = self._of_device(device)
        try:
            with self._changing():
                path.unlink()
                sync_folder(path.parent)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise KeyFault(f"{path}: {error.strerror}") from None
        return True

    def unseal(self, topic: str, payload: bytes) -> Event:
        """What a device said on `topic`: opened where it was encrypted to central, and believed
        where one of the device's keys has signed it. Raises Refused, on any bytes."""
        if is_encrypted(payload):
            payload = decrypt(payload, self.own.decryption())
        event = unseal(topic, payload, self.keys_of)
        self._heard(event)
        return event

    def seal(self, event: Event, device: str) -> bytes:
        """`event`, signed with the key of the moment for `device`. An answer, whose instruction may
        name somebody, is encrypted to the device where it has a key for that. Raises KeyFault."""
        sealed = seal(event, self.own.present())
        keys = self._keys(device) if event.message is Message.ANSWER else None
        if keys is None or keys.encryption is None:
            return sealed
        return encrypt(sealed, keys.encryption)

    def seal_to_all(self, event: Event) -> bytes:
        """`event`, signed with the key of the moment for whoever hears it. Raises KeyFault."""
        return seal(event, self.own.present())

    def keys_owed(self, held: Sequence[str]) -> tuple[PublicKey, ...]:
        """The keys that a device is to be told of which holds those with the thumbprints `held`;
        none where it holds just them. Raises KeyFault."""
        due = self.own.public().signing
        if set(held) == set(thumbprints(due)):
            return ()
        return tuple(PublicKey(x=str(key.as_dict(private=False)["x"])) for key in due)

    def seal_keys(self, event: Event, held: Sequence[str]) -> bytes:
        """An event of keys, signed with one that a device believes which holds `held`. Raises
        KeyFault."""
        present, before = self.own.present(), self.own.before()
        believed = {key.thumbprint(): key for key in (before, present) if key is not None}
        signing = next((believed[one] for one in held if one in believed), present)
        return seal(event, signing)

    def group(self, name: str) -> str:
        """The name under which central's workers share their subscriptions, none for no name.

        A broker's rules say what is delivered, and not who may subscribe: whoever knew the name
        could join, and what fell to their share would be lost. Raises KeyFault.
        """
        return f"{name}-{self.own.secret('mqtt-group')}" if name else ""

    def _heard(self, event: Event) -> None:
        """Drops the other keys of a device once a new one is heard."""
        device = event.source.removeprefix(_DEVICE_PREFIX)
        keys = self._keys(device)
        if keys is None or event.key == thumbprint(keys.signing[0]):
            return
        try:
            with self._changing():
                keys = self._keys(device)
                heard = (
                    [key for key in keys.signing if key.thumbprint() == event.key] if keys else []
                )
                if keys is not None and heard:
                    replace_key_set(self._of_device(device), KeySet(tuple(heard), keys.encryption))
        except KeyFault as fault:
            if self._fault != str(fault):
                self._fault = str(fault)
                log.warning("%s; keys before the new ones go on counting", fault)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One change of the register at a time, whichever process makes it. Raises KeyFault."""
        folder = self._folder / "devices"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(folder / ".lock", os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError as error:
            raise KeyFault(f"{folder}: {error.strerror}") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _keys(self, device: str) -> KeySet | None:
        if not is_device_name(device):
            return None
        try:
            return self._registered.of(self._of_device(device))
        except (OSError, KeyFault):
            return None

    def _of_device(self, device: str) -> Path:
        path = self._paths.get(device)
        if path is None:
            if len(self._paths) >= _PATHS_MOST:
                self._paths.clear()
            path = self._paths[device] = self._folder / "devices" / f"{device}.pub.jwk"
        return path


def check_name(device: str) -> None:
    """Raises NotEnrolled for a name that no device can have."""
    if not is_device_name(device):
        raise NotEnrolled(
            f"a device cannot be called {device!r}: letters, digits, '.', '_' and '-', "
            "at most 63, and not 'ring'"
        )


def write_certificate(out: Path, key: bytes, certificate: bytes, root: bytes) -> None:
    """Writes what TLS needs into the folder `out`. Raises KeyFault."""
    try:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_durably(out / TLS_KEY, key, mode=0o600)
        replace_durably(out / TLS_CERTIFICATE, certificate, mode=0o644)
        replace_durably(out / ROOT, root, mode=0o644)
    except OSError as error:
        raise KeyFault(f"{out}: the certificate cannot be written: {error.strerror}") from None


def _is_device(source: str) -> bool:
    return source.startswith(_DEVICE_PREFIX)
