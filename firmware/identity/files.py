"""The files of a device's identity, changed all at once or not at all.

An identity is several files that belong together: a certificate is worth nothing without its key.
The new ones are written into a folder beside them, and its renaming to `next` is the moment of the
change: before it the old identity holds, after it the new one. The files are then moved into their
places; a power cut on the way leaves the rest in `next`, and whoever opens the identity moves them
first. So what is read is always whole, and always under the same plain names.

Where the device has a seal, its private keys are written sealed (`seal.py`).
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from firmware.identity.seal import at_hand, is_sealed
from scanner.alert import KeyFault
from scanner.durable import sync_folder

PUBLIC = ("central.pub.jwk", "tls.crt", "ca.crt", "service.url")
"""What others may read; everything else is readable by its owner alone."""
PRIVATE = ("device.jwk", "device.enc.jwk", "tls.key", "marks.key")
"""What is sealed."""
_NEXT, _UNFINISHED = "next", ".unfinished"


def change(folder: Path, files: Mapping[str, bytes]) -> None:
    """Puts `files` into `folder`, all of them or none. Raises KeyFault."""
    try:
        finish(folder)
        write_folder(folder / _NEXT, files)
        finish(folder)
    except OSError as error:
        raise KeyFault(
            f"{error.filename or folder}: the identity cannot be written: {error.strerror}"
        ) from None


def finish(folder: Path) -> None:
    """Finishes a change that a power cut has interrupted. Raises OSError."""
    following = folder / _NEXT
    if not following.is_dir():
        return
    for path in sorted(following.iterdir()):
        path.replace(folder / path.name)
    sync_folder(folder)
    following.rmdir()
    sync_folder(folder)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Makes `folder`, with all of `files` or not at all. Raises OSError, KeyFault."""
    seal = at_hand()
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = folder.parent / f"{_UNFINISHED}-{folder.name}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    for name, content in files.items():
        mode = 0o644 if name in PUBLIC else 0o600
        handle = os.open(unfinished / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(seal.closed(content) if seal and name in PRIVATE else content)
            file.flush()
            os.fsync(file.fileno())
    sync_folder(unfinished)
    unfinished.rename(folder)
    sync_folder(folder.parent)


def seal_in_place(folder: Path) -> bool:
    """Seals what private files lie in the clear, and says whether there were any. The device has a
    seal. Raises KeyFault."""
    try:
        finish(folder)
        held = {name: (folder / name).read_bytes() for name in PRIVATE if (folder / name).exists()}
    except OSError as error:
        raise KeyFault(f"{error.filename or folder}: {error.strerror}") from None
    clear = {name: content for name, content in held.items() if not is_sealed(content)}
    if clear:
        change(folder, clear)
    return bool(clear)
