"""A signed message closed to the broker: a compact JWE (RFC 7516) around the JWS.

Signed first and encrypted then, so that whoever opens it holds what was signed and can show it, and
a broker sees neither the document nor who signed. The content key is fresh for each message
(A256GCM), wrapped by an agreement with the receiver's pinned X25519 key (ECDH-ES+A256KW, RFC 7518
and 8037). As with signatures, the header must say exactly what we would have said: no message
chooses how it is opened, and nothing is decompressed.

Encryption makes a message longer by a third, so an encrypted one may be longer than a signed one:
whatever can be signed can be encrypted.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from typing import Literal

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import Field, ValidationError

from scanner.alert.envelope import Malformed
from scanner.alert.messages import Said

MAX_ENCRYPTED = 88 * 1024
"""The most bytes that an encrypted payload may have; what is in it may have MAX_PAYLOAD."""

_WRAPPING, _CONTENT, _TYPE = "ECDH-ES+A256KW", "A256GCM", "borderpost-encrypted"
_ALGORITHMS = [_WRAPPING, _CONTENT]
_FORM = re.compile(rb"[A-Za-z0-9_-]{1,512}(?:\.[A-Za-z0-9_-]+){4}")


class _Registry(jwe.JWERegistry):
    max_ciphertext_length = MAX_ENCRYPTED


_REGISTRY = _Registry(algorithms=_ALGORITHMS)


class _Ephemeral(Said):
    kty: Literal["OKP"]
    crv: Literal["X25519"]
    x: str = Field(min_length=43, max_length=43)


class _Header(Said):
    alg: Literal["ECDH-ES+A256KW"]
    enc: Literal["A256GCM"]
    kid: str = Field(min_length=1, max_length=128)
    typ: Literal["borderpost-encrypted"]
    epk: _Ephemeral


def is_encrypted(payload: bytes) -> bool:
    """Whether `payload` has the form of an encrypted message."""
    return payload.count(b".") == 4


def encrypt(signed: bytes, to: OKPKey) -> bytes:
    """`signed`, to be read with the private half of `to` alone."""
    header = {"alg": _WRAPPING, "enc": _CONTENT, "kid": to.thumbprint(), "typ": _TYPE}
    return jwe.encrypt_compact(header, signed, to, registry=_REGISTRY).encode()


def decrypt(payload: bytes, keys: Sequence[OKPKey]) -> bytes:
    """What was encrypted to one of the private `keys`. Raises Malformed, and nothing else, on any
    bytes."""
    if len(payload) > MAX_ENCRYPTED:
        raise Malformed("oversize")
    if not _FORM.fullmatch(payload):
        raise Malformed("form")
    try:
        head = payload.split(b".", 1)[0]
        kid = _Header.model_validate_json(urlsafe_b64decode(head + b"==")).kid
        key = next((key for key in keys if key.thumbprint() == kid), None)
        if key is None:
            raise Malformed("encryption")
        opened = jwe.decrypt_compact(payload, key, registry=_REGISTRY).plaintext
    except Malformed:
        raise
    except (JoseError, ValidationError, ValueError, TypeError, KeyError, RecursionError):
        raise Malformed("encryption") from None
    if opened is None:
        raise Malformed("encryption")
    return opened
