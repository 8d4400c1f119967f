"""The keys that sign a repository's metadata, as files that can be carried.

A private key is a PEM file (PKCS 8, Ed25519), for its owner alone, under a passphrase if one is
given. Its public half is a small JSON file beside it, which is all that a repository needs to know
of it; so a key can live on a machine without a network, and only drafts and signatures travel.
"""

import json
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, Key, SSlibKey

from scanner.durable import replace_durably, sync_folder

PUBLIC = ".pub"
"""What the file of the public half ends with, after the private one's name."""
_LARGEST = 64 * 1024


class KeyUnusable(Exception):
    """A key that cannot be read, made or used; the message is one line and says what to do."""


def new_key(path: Path, passphrase: bytes | None) -> Key:
    """Makes a key pair, the private half at `path`. Raises KeyUnusable."""
    public_path = path.with_name(path.name + PUBLIC)
    for each in (path, public_path):
        if each.exists():
            raise KeyUnusable(f"{each}: there is a key already; it is not written over")
    private = Ed25519PrivateKey.generate()
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
    public = SSlibKey.from_crypto(private.public_key())
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        said = {"keyid": public.keyid, **public.to_dict()}
        replace_durably(public_path, json.dumps(said, indent=1).encode() + b"\n", mode=0o644)
        sync_folder(path.parent)
    except OSError as error:
        raise KeyUnusable(f"{path}: the key cannot be written: {error.strerror}") from None
    return public


def read_public(path: Path) -> Key:
    """The public key in a file. Raises KeyUnusable."""
    try:
        with path.open("rb") as file:
            said = json.loads(file.read(_LARGEST))
        keyid = said.pop("keyid")
        key = Key.from_dict(keyid, said)
    except OSError as error:
        raise KeyUnusable(f"{path}: the key cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KeyUnusable(
            f"{path}: this is no public key; give the file that ends with {PUBLIC}"
        ) from None
    if not isinstance(key, SSlibKey):
        raise KeyUnusable(f"{path}: keys of kind {key.keytype} are not used here")
    return key


def read_signer(path: Path, passphrase: bytes | None) -> CryptoSigner:
    """Whoever signs with the private key in a file. Raises KeyUnusable."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST)
        private = serialization.load_pem_private_key(content, passphrase)
    except OSError as error:
        raise KeyUnusable(f"{path}: the key cannot be read: {error.strerror}") from None
    except TypeError:
        needs = "a passphrase and none was given" if passphrase is None else "no passphrase"
        raise KeyUnusable(f"{path}: the key needs {needs}") from None
    except ValueError:
        raise KeyUnusable(
            f"{path}: this is no private key, or the passphrase is another one"
        ) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyUnusable(f"{path}: the key is not Ed25519; make one with lists keys new")
    return CryptoSigner(private)
