"""A list's secret key, and all that is made with it.

A list holds no number in clear: a record is filed under BLAKE2b (RFC 7693) keyed with the list's
secret, over issuer and skeleton. Whoever has the list and not its secret learns nothing from it;
with the secret, document numbers can be enumerated, so the secret never lies beside the list.

What each digest is for stands in BLAKE2b's personalisation, so no two uses share a value.
"""

import secrets
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from scanner.watchlist.skeleton import FOLD, skeleton

SECRET_BYTES: Final = 32
ID_BYTES: Final = 8

_KEY = b"bp list key"
_TAG = b"bp list tag"
_ID = b"bp list id"
_RANGES = b"bp list ranges"
_NONCE = b"bp list nonce"


class ListKey:
    """One list's secret. Shows its `id` and never the secret."""

    def __init__(self, secret: bytes) -> None:
        """Raises ValueError where the secret is not SECRET_BYTES long."""
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"a list's key has {SECRET_BYTES} bytes, not {len(secret)}")
        self._secret = secret
        self._keys = blake2b(digest_size=8, key=secret, person=_KEY)
        self._tags = blake2b(digest_size=8, key=secret, person=_TAG)
        self.id: Final = blake2b(digest_size=ID_BYTES, key=secret, person=_ID).hexdigest()
        """What a manifest names the key by: 16 hexadecimal digits that betray nothing of it."""

    @classmethod
    def new(cls) -> "ListKey":
        """A key of fresh random bytes."""
        return cls(secrets.token_bytes(SECRET_BYTES))

    @property
    def secret(self) -> bytes:
        """The secret itself, to be written into a key file and nowhere else."""
        return self._secret

    def key(self, issuer: str, number: str) -> int:
        """The 64 bits that a number and all its look-alikes are filed under."""
        digest = self._keys.copy()
        digest.update(f"{issuer}\0{skeleton(number)}".encode())
        return int.from_bytes(digest.digest(), "little")

    def exact(self, issuer: str, number: str) -> int:
        """64 bits of the number as it is written; a record keeps the lowest 16, its tag."""
        digest = self._tags.copy()
        digest.update(f"{issuer}\0{number}".encode())
        return int.from_bytes(digest.digest(), "little")

    def many(self, issuers: Sequence[bytes], numbers: Sequence[bytes]) -> tuple[bytes, bytes]:
        """`key` and `exact` of many numbers, eight little-endian bytes each."""
        pairs = list(zip(issuers, numbers, strict=True))
        folded = [issuer + b"\0" + number.translate(FOLD) for issuer, number in pairs]
        whole = [issuer + b"\0" + number for issuer, number in pairs]
        return _digests(self._keys, folded), _digests(self._tags, whole)

    def ranges_key(self) -> bytes:
        """The 32 bytes that ranges are encrypted with."""
        return blake2b(digest_size=32, key=self._secret, person=_RANGES).digest()

    def ranges_nonce(self, content: bytes) -> bytes:
        """The 12 bytes of a nonce that follows from what is encrypted: equal ranges give equal
        files, and no two contents share a nonce."""
        return blake2b(content, digest_size=12, key=self._secret, person=_NONCE).digest()

    def __repr__(self) -> str:
        return f"ListKey({self.id})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ListKey) and secrets.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash(self.id)


def _digests(begun: "blake2b", contents: Sequence[bytes]) -> bytes:
    digests = []
    for content in contents:
        digest = begun.copy()
        digest.update(content)
        digests.append(digest.digest())
    return b"".join(digests)
