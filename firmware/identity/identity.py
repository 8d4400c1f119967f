"""Who this device is: its keys, its certificate, and whom it believes, in one folder.

`Identity` is what the rest of the device asks for keys. They change under it, when the certificate
is renewed or central announces new keys, without the device being started anew.

**A clock that is not set.** A Pi has no clock of its own and wakes in the past. So a server's
certificate is never refused for not being valid yet: nothing is gained by that check, and a device
whose clock nobody sets would be cut off for good. That a certificate has ended is held against the
clock, or against the moment from which the device's own certificate is valid, if the clock stands
before that.
"""

import os
import ssl
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from joserfc.jwk import OKPKey

from firmware.identity.files import change, finish
from firmware.identity.keys import CENTRAL_KEYS, Keys, load_keys, pinned
from firmware.identity.seal import is_sealed, private_content
from scanner.alert import KeyFault, KeysData

TLS_KEY, TLS_CERTIFICATE, ROOT, SERVICE = "tls.key", "tls.crt", "ca.crt", "service.url"
_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME."""


class Identity:
    """The identity in `folder`. For use from any thread. `conceals` says that the broker may not
    see what is in messages. Raises KeyFault."""

    def __init__(self, folder: Path, *, conceals: bool = False) -> None:
        self.folder = folder
        self.fault: str | None = None
        """What a technician should know about it, or None."""
        self._conceals = conceals
        self._changing = threading.RLock()
        self._read()

    @property
    def signing(self) -> OKPKey:
        return self._keys.signing

    @property
    def marks(self) -> bytes:
        return self._keys.marks

    @property
    def central_keys(self) -> tuple[str, ...]:
        return self._keys.central_keys

    @property
    def keys(self) -> Keys:
        """The keys as they stand now."""
        return self._keys

    @property
    def certificate(self) -> x509.Certificate | None:
        """The device's certificate, or None for a device that was enrolled without one."""
        return self._certificate

    @property
    def certificate_until(self) -> datetime | None:
        return self._certificate.not_valid_after_utc if self._certificate is not None else None

    @property
    def has_certificate(self) -> bool:
        return self._certificate is not None

    @property
    def service(self) -> str | None:
        """The address of the enrolment service that gave the certificate, or None for files that
        were carried by hand."""
        try:
            return (self.folder / SERVICE).read_text().strip()
        except (OSError, UnicodeDecodeError):
            return None

    def of(self, source: str) -> Sequence[OKPKey]:
        return self._keys.of(source)

    def conceal(self, signed: bytes) -> bytes:
        return self._keys.conceal(signed)

    def reveal(self, payload: bytes) -> bytes:
        return self._keys.reveal(payload)

    def take(self, data: KeysData) -> None:
        with self._changing:
            central = pinned(self._keys.central, data)
            self.change({CENTRAL_KEYS: central.as_json()})

    def change(self, files: dict[str, bytes]) -> None:
        """Puts `files` in the place of those before, all at once. Raises KeyFault."""
        with self._changing:
            change(self.folder, files)
            self._read()

    def tls(self) -> ssl.SSLContext:
        """A context for one connection, with the certificate of this moment. Raises OSError where
        its files cannot be used."""
        with self._changing:
            context = server_context((self.folder / ROOT).read_text(), self._certificate)
            _load(context, self.folder / TLS_CERTIFICATE, self.folder / TLS_KEY)
        return context

    def _read(self) -> None:
        with self._changing:
            try:
                finish(self.folder)
            except OSError as error:
                raise KeyFault(f"{error.filename or self.folder}: {error.strerror}") from None
            self._keys = load_keys(self.folder, conceals=self._conceals)
            self._certificate = _certificate(self.folder / TLS_CERTIFICATE)


def server_context(root: str, own: x509.Certificate | None) -> ssl.SSLContext:
    """A context for connections to a server whose certificate comes from `root` (PEM) and is for
    its host's name. Raises OSError."""
    context = ssl.create_default_context(cadata=root)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags = ssl.VerifyFlags(context.verify_flags | _NO_CHECK_TIME)
    not_before = own.not_valid_before_utc.timestamp() if own is not None else 0.0

    class Socket(_HeldToItsEnd):
        earliest = not_before

    context.sslsocket_class = Socket
    return context


class _HeldToItsEnd(ssl.SSLSocket):
    """Looks at the end of the server's certificate, where OpenSSL looks at no date."""

    earliest = 0.0

    def do_handshake(self, block: bool = False) -> None:
        super().do_handshake(block)
        shown: Any = self.getpeercert()
        if ssl.cert_time_to_seconds(shown["notAfter"]) < max(time.time(), self.earliest):
            raise ssl.SSLCertVerificationError(
                ssl.SSLErrorNumber.SSL_ERROR_SSL,
                "the server's certificate has ended (or this device's clock is wrong)",
            )


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Loads a certificate and its key. OpenSSL takes a key from a file alone; one that is sealed on
    the disk is given to it by a file in memory, which has no name. Raises OSError."""
    if not is_sealed(key.read_bytes()):
        context.load_cert_chain(certificate, key)
        return
    try:
        opened = private_content(key)
    except KeyFault as fault:
        raise OSError(str(fault)) from None
    with os.fdopen(os.memfd_create("tls"), "wb") as file:
        file.write(opened)
        file.flush()
        context.load_cert_chain(certificate, f"/proc/self/fd/{file.fileno()}")


def _certificate(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyFault(f"{path}: the certificate cannot be read: {error.strerror}") from None
    except ValueError:
        raise KeyFault(f"{path}: this is no certificate; enrol the device anew") from None
