"""What seals the device's private keys on its card.

The keys change while the desk runs, whenever its certificate is renewed, and systemd's credentials
cannot be changed by the service that they are given to. So the credential is a secret of 32 bytes,
`identity.seal`, which stays, and the keys' files are sealed with it by whoever writes them: each is
a compact JWE (RFC 7516, `dir` and A256GCM). Nothing more privileged than the desk has to write when
its keys change, and the files are still changed all at once.

A device without that secret keeps its keys as they are, readable by their owner alone.
"""

import os
from pathlib import Path

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from scanner import credentials
from scanner.alert import KeyFault
from scanner.alert.keyfile import content_of

CREDENTIAL = "identity.seal"
SECRET_BYTES = 32
_ALGORITHMS = ["dir", "A256GCM"]
_HEADER = {"alg": "dir", "enc": "A256GCM", "typ": "borderpost-sealed"}


class Seal:
    """Closes and opens the content of private files."""

    def __init__(self, secret: bytes) -> None:
        self._key = OctKey.import_key(secret)

    def closed(self, content: bytes) -> bytes:
        return jwe.encrypt_compact(dict(_HEADER), content, self._key, _ALGORITHMS).encode()

    def opened(self, content: bytes) -> bytes | None:
        """What was closed, or None where another secret closed it, or none."""
        try:
            return jwe.decrypt_compact(content, self._key, _ALGORITHMS).plaintext
        except (JoseError, ValueError, TypeError, KeyError):
            return None


def at_hand() -> Seal | None:
    """This device's seal, if it has one. Raises KeyFault."""
    try:
        secret = credentials.secret(CREDENTIAL)
    except (credentials.CannotSeal, OSError) as error:
        raise KeyFault(f"the keys' seal cannot be opened: {error}") from None
    if secret is None:
        return None
    if len(secret) != SECRET_BYTES:
        raise KeyFault("the keys' seal is damaged; run borderpost setup, and enrol the device anew")
    return Seal(secret)


def new_secret() -> bytes:
    return os.urandom(SECRET_BYTES)


def is_sealed(content: bytes) -> bool:
    """Whether a file's content is sealed; a key in the clear is JSON, PEM or 32 bytes."""
    return content.startswith(b"eyJ") and content.count(b".") == 4


def private_content(path: Path) -> bytes:
    """What a private file holds, opened where it is sealed. Raises KeyFault."""
    content = content_of(path)
    if not is_sealed(content):
        return content
    seal = at_hand()
    if seal is None:
        raise KeyFault(
            f"{path}: it is sealed, and what opens it is not at hand; ask as root, or as the "
            "desk's user while the desk runs"
        )
    opened = seal.opened(content)
    if opened is None:
        raise KeyFault(f"{path}: it is sealed with another secret; enrol the device anew")
    return opened
