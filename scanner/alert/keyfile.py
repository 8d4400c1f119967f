"""Keys as files, one a file, in JWK form (RFC 8037): Ed25519 for signing, X25519 for encrypting.

A private key's file is readable by its owner alone, is written whole or not at all, and is never
written over another.
"""

import json
import os
from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from scanner.durable import sync_folder
from scanner.failing import Told

_MOST_BYTES = 4096


class KeyFault(Told):
    """A key that cannot be read or written; the message says what, where, and what to do."""


def new_key() -> OKPKey:
    """A new private key to sign with."""
    return OKPKey.generate_key("Ed25519", auto_kid=True)


def new_encryption_key() -> OKPKey:
    """A new private key that others encrypt to."""
    return OKPKey.generate_key("X25519", auto_kid=True)


def public_of(key: OKPKey) -> OKPKey:
    """The public half of `key`."""
    return OKPKey.import_key(key.as_dict(private=False))


def content_of(path: Path) -> bytes:
    """The bytes of a file of keys. Raises KeyFault."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise KeyFault(
            f"{path}: there is no key; enrol the device (borderpost-central enrol)"
        ) from None
    except OSError as error:
        raise KeyFault(f"{path}: the key cannot be read: {error.strerror}") from None


def read_key(
    path: Path, *, private: bool, curve: str = "Ed25519", content: bytes | None = None
) -> OKPKey:
    """The key in `path`: the private one, or (of either sort of file) the public half. `content` is
    what it holds, where that is not what can be read there. Raises KeyFault."""
    key = parse_key(content_of(path) if content is None else content, curve)
    if key is None:
        raise KeyFault(f"{path}: this is no {curve} key in JWK form; put the right file there")
    if not private:
        return public_of(key)
    if not key.is_private:
        raise KeyFault(f"{path}: this is a public key; the private one belongs there")
    return key


def write_key(path: Path, key: OKPKey, *, private: bool) -> None:
    """Writes `key` to `path`, which must not exist. Raises KeyFault."""
    content = as_json(key, private=private)
    mode = 0o600 if private else 0o644
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink()
            raise
        sync_folder(path.parent)
    except FileExistsError:
        raise KeyFault(f"{path}: there is a key already; it is not written over") from None
    except OSError as error:
        raise KeyFault(f"{path}: the key cannot be written: {error.strerror}") from None


def as_json(key: OKPKey, *, private: bool) -> bytes:
    """`key` as the content of a file."""
    return (json.dumps(key.as_dict(private=private), indent=1) + "\n").encode()


def parse_key(content: bytes, curve: str = "Ed25519") -> OKPKey | None:
    """The key on `curve` in the content of a file, or None where it is none."""
    try:
        fields = json.loads(content)
        if not isinstance(fields, dict) or fields.get("crv") != curve:
            return None
        return OKPKey.import_key(fields)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        return None
