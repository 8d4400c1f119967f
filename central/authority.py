"""Who may speak: central's own signing key, and the public key of every enrolled device.

The folder is the register: `central.jwk` is central's private key, `central.pub.jwk` its public
half, and `devices/<device>.pub.jwk` is there for each enrolled device. A device is enrolled by
making its key pair, handing out the private half and central's public one, and keeping the public
half; taking its file away ends the enrolment at once, also for a receiver that is running.
"""

from collections.abc import Sequence
from pathlib import Path

from joserfc.jwk import OKPKey

from scanner.alert import (
    KeyFault,
    is_device_name,
    new_key,
    read_key,
    source_of,
    write_key,
)

DEVICE_KEY = "device.jwk"
CENTRAL_PUBLIC_KEY = "central.pub.jwk"
_CENTRAL_KEY = "central.jwk"
_DEVICE_PREFIX = source_of("")


class NotEnrolled(Exception):
    """The device was not enrolled; the message says why and what to do."""


class Authority:
    """The register of keys in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, tuple[tuple[int, int], OKPKey]] = {}

    def signing_key(self) -> OKPKey:
        """Central's private key. Raises KeyFault."""
        path = self._folder / _CENTRAL_KEY
        if not path.exists():
            raise KeyFault(
                f"{path}: central has no key; it is made when the first device is enrolled "
                "(borderpost-central enrol)"
            )
        return read_key(path, private=True)

    def enrol(self, device: str, out: Path) -> None:
        """Enrols `device`: its key and central's public one are written to `out`, to be carried to
        the device. Raises NotEnrolled or KeyFault, and writes over nothing."""
        if not is_device_name(device):
            raise NotEnrolled(
                f"a device cannot be called {device!r}: letters, digits, '.', '_' and '-', "
                "at most 63, and not 'ring'"
            )
        register = self._of_device(device)
        for path in (register, out / DEVICE_KEY, out / CENTRAL_PUBLIC_KEY):
            if path.exists():
                raise NotEnrolled(
                    f"{path}: there is a key already; to enrol {device} anew, move it away"
                )
        central = self._central()
        key = new_key()
        write_key(out / DEVICE_KEY, key, private=True)
        write_key(out / CENTRAL_PUBLIC_KEY, central, private=False)
        write_key(register, key, private=False)

    def devices(self) -> list[str]:
        """The names of the enrolled devices."""
        folder = self._folder / "devices"
        return sorted(path.name.removesuffix(".pub.jwk") for path in folder.glob("*.pub.jwk"))

    def keys_of(self, source: str) -> Sequence[OKPKey]:
        """The keys that `source` may sign with: one for an enrolled device, none for a stranger or
        for a file that is no key."""
        device = source.removeprefix(_DEVICE_PREFIX)
        if device == source or not is_device_name(device):
            return ()
        path = self._of_device(device)
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            known = self._read.get(device)
            if known is None or known[0] != stamp:
                known = (stamp, read_key(path, private=False))
                self._read[device] = known
        except (OSError, KeyFault):
            self._read.pop(device, None)
            return ()
        return (known[1],)

    def _central(self) -> OKPKey:
        path = self._folder / _CENTRAL_KEY
        if not path.exists():
            key = new_key()
            write_key(path, key, private=True)
            write_key(self._folder / CENTRAL_PUBLIC_KEY, key, private=False)
        return self.signing_key()

    def _of_device(self, device: str) -> Path:
        return self._folder / "devices" / f"{device}.pub.jwk"
