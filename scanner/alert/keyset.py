"""The public keys of one speaker: those that it signs with, and the one that it is written to with.

As a file and on the wire this is a JWK Set (RFC 7517) of keys on Curve25519 (RFC 8037): Ed25519 for
signing, X25519 for encrypting. A speaker has two signing keys while it changes from one to the
next; the latest stands last.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from scanner.alert.keyfile import KeyFault, content_of, public_of
from scanner.durable import replace_durably

SIGNING, ENCRYPTION = "Ed25519", "X25519"
MOST_KEYS = 8


@dataclass(frozen=True)
class KeySet:
    """Public keys; `encryption` is None for a speaker that nothing is encrypted to."""

    signing: tuple[OKPKey, ...]
    encryption: OKPKey | None = None

    def as_dict(self) -> dict[str, Any]:
        """As a JWK Set."""
        keys: list[dict[str, Any]] = [_public(key, use="sig") for key in self.signing]
        if self.encryption is not None:
            keys.append(_public(self.encryption, use="enc"))
        return {"keys": keys}

    def as_json(self) -> bytes:
        """As the content of a file."""
        return (json.dumps(self.as_dict(), indent=1) + "\n").encode()


def thumbprints(keys: Sequence[OKPKey]) -> tuple[str, ...]:
    """The SHA-256 thumbprints (RFC 7638) of `keys`."""
    return tuple(key.thumbprint() for key in keys)


def parse_key_set(fields: object) -> KeySet | None:
    """The keys of a JWK Set, or of a single JWK; None where it is neither, or holds no signing key
    or any other kind of key."""
    if not isinstance(fields, dict):
        return None
    every = fields.get("keys", [fields])
    if not isinstance(every, list) or not 0 < len(every) <= MOST_KEYS:
        return None
    signing: list[OKPKey] = []
    encryption: OKPKey | None = None
    for one in every:
        key = _parsed(one)
        if key is None:
            return None
        if key.curve_name == SIGNING:
            signing.append(key)
        else:
            encryption = key
    return KeySet(tuple(signing), encryption) if signing else None


def read_key_set(path: Path) -> KeySet:
    """The public keys in `path`. Raises KeyFault."""
    content = content_of(path)
    try:
        keys = parse_key_set(json.loads(content))
    except (ValueError, RecursionError):
        keys = None
    if keys is None:
        raise KeyFault(f"{path}: these are no public keys in JWK form; put the right file there")
    return keys


def replace_key_set(path: Path, keys: KeySet) -> None:
    """Writes `keys` to `path`, in the place of what is there. Raises KeyFault."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_durably(path, keys.as_json(), mode=0o644)
    except OSError as error:
        raise KeyFault(f"{path}: the keys cannot be written: {error.strerror}") from None


def _public(key: OKPKey, *, use: str) -> dict[str, Any]:
    fields = public_of(key).as_dict(private=False)
    return {"kty": "OKP", "crv": fields["crv"], "x": fields["x"], "use": use}


def _parsed(fields: object) -> OKPKey | None:
    if not isinstance(fields, dict) or fields.get("crv") not in (SIGNING, ENCRYPTION):
        return None
    try:
        return OKPKey.import_key(
            {name: fields[name] for name in ("kty", "crv", "x")}, {"use": _use_of(fields["crv"])}
        )
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _use_of(curve: str) -> str:
    return "sig" if curve == SIGNING else "enc"
