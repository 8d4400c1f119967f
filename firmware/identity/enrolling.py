"""The device's part of its enrolment: making its keys, asking, and taking what it is given.

The private keys are made here and never leave the device. They wait beside the identity, in
`pending`, together with the request that was made for them, until an answer to that very request
has come: an enrolment that was cut off asks the same again, and its token still counts for it.
Nothing of an answer is kept unless all of it is true.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from firmware.identity.files import change, finish, write_folder
from firmware.identity.identity import ROOT, SERVICE, TLS_CERTIFICATE, TLS_KEY, Identity
from firmware.identity.keys import CENTRAL_KEYS, DEVICE_KEY, ENCRYPTION_KEY, MARKS, MARKS_BYTES
from firmware.identity.seal import private_content
from scanner.alert import KeyFault, new_key
from scanner.alert.enrolment import (
    Answer,
    Unacceptable,
    make_renewal,
    make_request,
    new_tls_key,
    private_pem,
    read_answer,
    read_request,
)
from scanner.alert.enrolment_token import Token
from scanner.alert.keyfile import as_json, new_encryption_key, parse_key
from scanner.alert.keyset import KeySet

_PENDING, _REQUEST = "pending", "request.jws"


class EnrolmentFailed(Exception):
    """The device was not enrolled or renewed; the message says why and what to do."""


class Unreachable(EnrolmentFailed):
    """The enrolment service does not answer."""


@dataclass(frozen=True)
class Pending:
    """Keys that an answer is awaited for."""

    device: str
    request: bytes
    keys: dict[str, bytes]

    def tls_public(self) -> ec.EllipticCurvePublicKey:
        key = serialization.load_pem_private_key(self.keys[TLS_KEY], None).public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise EnrolmentFailed("the pending keys are damaged")
        return key


def is_enrolled(folder: Path) -> bool:
    """Whether there is an identity in `folder`. Raises KeyFault."""
    try:
        finish(folder)
    except OSError as error:
        raise KeyFault(f"{error.filename or folder}: {error.strerror}") from None
    return (folder / DEVICE_KEY).exists()


def begin(folder: Path, device: str) -> Pending:
    """The keys that `device` asks to be enrolled with: those that wait already, or new ones. Raises
    KeyFault."""
    waiting = folder / _PENDING
    try:
        if (found := _pending(waiting, device)) and not _in_use(folder, found):
            return found
        shutil.rmtree(waiting, ignore_errors=True)
        fresh = _fresh(device, encryption=None)
        write_folder(waiting, {**fresh.keys, _REQUEST: fresh.request})
    except OSError as error:
        raise KeyFault(
            f"{error.filename or folder}: the keys cannot be written: {error.strerror}"
        ) from None
    return fresh


def complete(
    folder: Path, pending: Pending, answer: bytes, *, token: Token | None, service: str | None
) -> Answer:
    """Takes the answer to `pending`, and the device is enrolled. Where there is a token, the
    authority must be the one that it names. Raises EnrolmentFailed or KeyFault."""
    given = _believed(answer, pending, None)
    root = x509.load_pem_x509_certificate(given.authority.encode())
    if token is not None and not token.is_of(root.fingerprint(hashes.SHA256())):
        raise EnrolmentFailed("the answer is from another authority than the token")
    files = {
        **pending.keys,
        **_given(given),
        MARKS: _marks(folder),
        **({SERVICE: f"{service}\n".encode()} if service is not None else {}),
    }
    change(folder, files)
    shutil.rmtree(folder / _PENDING, ignore_errors=True)
    return given


def renewal(identity: Identity, device: str) -> tuple[Pending, bytes]:
    """New keys for a device that is enrolled, and the message that asks for them. The key that
    central encrypts to stays: it may have said something already that only that one opens."""
    own = identity.certificate
    tls = _tls_key(identity.folder / TLS_KEY)
    if own is None or not isinstance(tls, ec.EllipticCurvePrivateKey):
        raise EnrolmentFailed(f"{identity.folder}: there is no certificate to renew")
    encryption = identity.keys.encryption
    kept = as_json(encryption, private=True) if encryption is not None else None
    pending = _fresh(device, encryption=kept)
    certificate = own.public_bytes(serialization.Encoding.PEM)
    return pending, make_renewal(pending.request, identity.signing, certificate, tls)


def take_renewal(identity: Identity, pending: Pending, answer: bytes) -> Answer:
    """Takes the answer to a renewal, which one of central's pinned keys has signed. Raises
    EnrolmentFailed or KeyFault."""
    given = _believed(answer, pending, identity.keys.central)
    identity.change({**pending.keys, **_given(given), MARKS: identity.marks})
    return given


def _tls_key(path: Path) -> object:
    try:
        return serialization.load_pem_private_key(private_content(path), None)
    except (KeyFault, ValueError, TypeError):
        return None


def _fresh(device: str, encryption: bytes | None) -> Pending:
    """New keys; those of `encryption` go on where it is given."""
    signing, tls = new_key(), new_tls_key()
    kept = parse_key(encryption, "X25519") if encryption is not None else None
    opening = kept or new_encryption_key()
    keys = {
        DEVICE_KEY: as_json(signing, private=True),
        ENCRYPTION_KEY: as_json(opening, private=True),
        TLS_KEY: private_pem(tls),
    }
    return Pending(device, make_request(device, signing, opening, tls), keys)


def _pending(waiting: Path, device: str) -> Pending | None:
    """What waits already for `device`. Raises OSError, KeyFault."""
    if not waiting.is_dir():
        return None
    keys = {name: private_content(waiting / name) for name in (DEVICE_KEY, ENCRYPTION_KEY, TLS_KEY)}
    request = (waiting / _REQUEST).read_bytes()
    try:
        asked = read_request(request).device
    except Unacceptable:
        return None
    return Pending(device, request, keys) if asked == device else None


def _in_use(folder: Path, pending: Pending) -> bool:
    """Whether these keys are the identity's already: the power went before they were cleared."""
    key = folder / DEVICE_KEY
    return key.exists() and private_content(key) == pending.keys[DEVICE_KEY]


def _believed(message: bytes, pending: Pending, central: KeySet | None) -> Answer:
    """The answer, once all that it gives is found true. Raises EnrolmentFailed."""
    try:
        answer = read_answer(
            message, pending.request, central.signing if central is not None else None
        )
        root = x509.load_pem_x509_certificate(answer.authority.encode())
        certificate = x509.load_pem_x509_certificate(answer.certificate.encode())
        certificate.verify_directly_issued_by(root)
    except Unacceptable as fault:
        raise EnrolmentFailed(f"the authority's answer is not believed: {fault}") from None
    except (ValueError, TypeError, InvalidSignature):
        raise EnrolmentFailed("the authority's answer is not believed: its certificate") from None
    names = [one.value for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [pending.device] or answer.device != pending.device:
        raise EnrolmentFailed("the authority's answer is for another device")
    if certificate.public_key() != pending.tls_public():
        raise EnrolmentFailed("the authority's answer is for another key")
    return answer


def _given(answer: Answer) -> dict[str, bytes]:
    return {
        TLS_CERTIFICATE: answer.certificate.encode(),
        ROOT: answer.authority.encode(),
        CENTRAL_KEYS: answer.central_keys().as_json(),
    }


def _marks(folder: Path) -> bytes:
    """The secret that documents are remembered under: the one before, for a device that is enrolled
    anew has not forgotten them."""
    if is_enrolled(folder):
        return Identity(folder).marks
    return os.urandom(MARKS_BYTES)
