"""What a device and the authority say to each other when the device is enrolled or renewed.

The same three things go through the enrolment service and, where there is no network, by files:

- a *request*: the device's name, a certificate request (PKCS #10) for its TLS key and its public
  signing and encryption keys, signed with that signing key. The private halves stay on the device;
- a *renewal*: a request for new keys, with the present certificate, signed with the present signing
  key and then with the present TLS key. Both stand in the message itself, so a renewal is believed
  the same way through any proxy, or from a memory stick;
- an *answer*: the certificate, the authority's own, and central's public keys, signed by central.
  It names the request that it answers, so an old answer cannot be put in its place.

All are compact JWS whose header must say exactly what we would have said. Nothing here touches the
disk or the network.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from scanner.alert.keyset import KeySet, parse_key_set
from scanner.alert.messages import DeviceName, PublicKey, Said

MAX_MESSAGE = 16 * 1024
"""The most bytes that any of these may have."""

_ED25519, _ES256 = "Ed25519", "ES256"
_REQUEST, _RENEWAL = "borderpost-request+json", "borderpost-renewal+json"
_RENEWAL_BY_TLS, _ANSWER = "borderpost-renewal+jws", "borderpost-answer+json"

KeysOf = Callable[[str], Sequence[OKPKey]]
"""From a device's name to the public keys that it may sign with."""
Pem = Annotated[str, StringConstraints(max_length=4096, pattern=r"^-----BEGIN ")]
M = TypeVar("M", bound=BaseModel)


class Unacceptable(Exception):
    """A message of an enrolment that is not believed; the message says why, in a few words."""


class EncryptionKey(Said):
    """A public X25519 key (RFC 8037)."""

    kty: Literal["OKP"] = "OKP"
    crv: Literal["X25519"] = "X25519"
    x: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]


class Request(Said):
    """What a device asks for."""

    device: DeviceName
    csr: Pem
    signing: PublicKey
    encryption: EncryptionKey

    def keys(self) -> KeySet:
        """The device's public keys."""
        keys = parse_key_set(
            {"keys": [self.signing.model_dump(), self.encryption.model_dump()]},
        )
        if keys is None:
            raise Unacceptable("its keys are none")
        return keys

    def tls_key(self) -> ec.EllipticCurvePublicKey:
        """The public key that the certificate is asked for. Raises Unacceptable."""
        try:
            csr = x509.load_pem_x509_csr(self.csr.encode())
            names = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            genuine = csr.is_signature_valid
        except (ValueError, TypeError, InvalidSignature):
            raise Unacceptable("its certificate request is none") from None
        key = csr.public_key()
        if not genuine or [name.value for name in names] != [self.device]:
            raise Unacceptable("its certificate request is for another name or key")
        if not isinstance(key, ec.EllipticCurvePublicKey) or not is_p256(key):
            raise Unacceptable("its TLS key is not on the curve P-256")
        return key


class Renewal(Said):
    """A request by a device that is enrolled."""

    request: Annotated[str, StringConstraints(max_length=MAX_MESSAGE)]
    certificate: Pem


class Answer(Said):
    """What the authority gives for a request."""

    device: DeviceName
    request: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    certificate: Pem
    authority: Pem
    keys: dict[str, Any] = Field(max_length=1)

    def central_keys(self) -> KeySet:
        """Central's public keys. Raises Unacceptable."""
        keys = parse_key_set(self.keys)
        if keys is None:
            raise Unacceptable("central's keys are none")
        return keys


def new_tls_key() -> ec.EllipticCurvePrivateKey:
    """A new private key for TLS."""
    return ec.generate_private_key(ec.SECP256R1())


def is_p256(key: ec.EllipticCurvePublicKey) -> bool:
    """Whether `key` is on the curve that we use."""
    return isinstance(key.curve, ec.SECP256R1)


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as the content of a file."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def shown_fingerprint(authority: str) -> str:
    """The SHA-256 fingerprint of an authority's certificate (PEM), for people to compare."""
    digest = x509.load_pem_x509_certificate(authority.encode()).fingerprint(hashes.SHA256()).hex()
    return " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))


def digest_of(request: bytes) -> str:
    """What an answer names its request by."""
    return hashlib.sha256(request).hexdigest()


def make_request(
    device: str, signing: OKPKey, encryption: OKPKey, tls: ec.EllipticCurvePrivateKey
) -> bytes:
    """A request for the private keys given."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(tls, hashes.SHA256())
    request = Request(
        device=device,
        csr=csr.public_bytes(serialization.Encoding.PEM).decode(),
        signing=PublicKey(x=str(signing.as_dict(private=False)["x"])),
        encryption=EncryptionKey(x=str(encryption.as_dict(private=False)["x"])),
    )
    return _signed(request.model_dump_json().encode(), signing, _ED25519, _REQUEST)


def read_request(message: bytes) -> Request:
    """The request in `message`, which is signed with the key that it asks for. Raises
    Unacceptable."""
    request = _model(Request, _payload(message))
    _verify(message, request.keys().signing, _ED25519, _REQUEST)
    return request


def make_renewal(
    request: bytes, signing: OKPKey, certificate: bytes, tls: ec.EllipticCurvePrivateKey
) -> bytes:
    """A renewal, signed with the private keys that the device has at present."""
    renewal = Renewal(request=request.decode(), certificate=certificate.decode())
    inner = _signed(renewal.model_dump_json().encode(), signing, _ED25519, _RENEWAL)
    return _signed(inner, _ec_key(tls), _ES256, _RENEWAL_BY_TLS)


@dataclass(frozen=True)
class Renewing:
    """A renewal that is believed: the request in it, as it is and as it reads; the certificate that
    it was signed under, which is the caller's to judge; and which of the device's keys signed."""

    message: bytes
    request: Request
    certificate: x509.Certificate
    signer: OKPKey


def read_renewal(message: bytes, keys_of: KeysOf) -> Renewing:
    """The renewal in `message`, signed with one of `keys_of` the device. Raises Unacceptable."""
    inner = _payload(message)
    renewal = _model(Renewal, _payload(inner))
    request = read_request(renewal.request.encode())
    try:
        certificate = x509.load_pem_x509_certificate(renewal.certificate.encode())
        key = certificate.public_key()
    except ValueError:
        raise Unacceptable("its certificate is none") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not is_p256(key):
        raise Unacceptable("its certificate is not for a key on the curve P-256")
    _verify(message, (_ec_key(key),), _ES256, _RENEWAL_BY_TLS)
    signer = _verify(inner, keys_of(request.device), _ED25519, _RENEWAL)
    return Renewing(renewal.request.encode(), request, certificate, signer)


def seal_answer(answer: Answer, key: OKPKey) -> bytes:
    """An answer, signed with central's private key."""
    return _signed(answer.model_dump_json().encode(), key, _ED25519, _ANSWER)


def read_answer(message: bytes, request: bytes, pinned: Sequence[OKPKey] | None) -> Answer:
    """The answer to `request`. It is signed with one of the `pinned` keys; where none is pinned
    yet, with one that it names itself. Raises Unacceptable."""
    answer = _model(Answer, _payload(message))
    _verify(message, answer.central_keys().signing if pinned is None else pinned, _ED25519, _ANSWER)
    if answer.request != digest_of(request):
        raise Unacceptable("it answers another request")
    return answer


def _ec_key(key: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) -> ECKey:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ECKey.import_key(private_pem(key))
    pem = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return ECKey.import_key(pem)


def _signed(payload: bytes, key: OKPKey | ECKey, algorithm: str, sort: str) -> bytes:
    header = {"alg": algorithm, "typ": sort, "kid": key.thumbprint()}
    return jws.serialize_compact(header, payload, key, algorithms=[algorithm]).encode()


def _payload(message: bytes) -> bytes:
    """What was signed, before the signature is looked at: it names the key to look with."""
    if len(message) > MAX_MESSAGE:
        raise Unacceptable("it is too long")
    try:
        return jws.extract_compact(message).payload
    except (JoseError, ValueError, TypeError, RecursionError):
        raise Unacceptable("it is no compact JWS") from None


def _verify(message: bytes, keys: Sequence[OKPKey | ECKey], algorithm: str, sort: str) -> Any:
    """The one of `keys` that has signed `message`. Raises Unacceptable."""
    try:
        signed = jws.extract_compact(message)
        for key in keys:
            if signed.headers() != {"alg": algorithm, "typ": sort, "kid": key.thumbprint()}:
                continue
            if jws.validate_compact(signed, key, algorithms=[algorithm]):
                return key
    except (JoseError, ValueError, TypeError, RecursionError):
        pass
    raise Unacceptable("its signature does not hold")


def _model(model: type[M], content: bytes) -> M:
    try:
        return model.model_validate_json(content)
    except (ValidationError, ValueError, RecursionError):
        raise Unacceptable("it is not in the form of this version") from None
