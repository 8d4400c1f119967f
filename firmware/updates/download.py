"""Fetches a file that was signed, and goes on where it was cut.

The bytes go into a part file that is named by what it is to become. A cut link, a killed process or
a restart leaves it there, and the next try asks for the rest alone. After a power cut the end of
the part file may be whatever the card had there, so what is surely on the card is noted now and
then, and only that much is gone on from. Only the whole file's length and digest decide; where they
are wrong after a download that went on, it may have been joined from two files, so it is fetched
once more from the start.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import BinaryIO

from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import TargetFile

from firmware.clock import boot_id
from firmware.updates.repository import Repository
from firmware.updates.trust import TARGETS, Refused
from scanner.durable import replace_durably, sync_folder
from scanner.said import said

NOTED_EVERY = 8 << 20
"""Bytes between two notes of what is surely on the card."""

Progress = Callable[[int], None]
"""Is told how many bytes more have come."""


class Interrupted(Exception):
    """The download was told to stop; what has come so far stays."""


def fetch(
    repository: Repository,
    target: TargetFile,
    folder: Path,
    stop: Event,
    progress: Progress = lambda count: None,
) -> Path:
    """The file of `target` in `folder`, whole and verified. Raises Refused, FetchFailed, OSError
    and Interrupted; what has come then stays, and the next call goes on with it."""
    digest = digest_of(target)
    part = folder / f"{digest}.part"
    whole = folder / digest
    if is_whole(whole, target):
        return whole
    begun = _begun(part)
    try:
        _fetch_rest(repository, target, part, begun, stop, progress)
        if begun and not is_whole(part, target):
            _fetch_rest(repository, target, part, 0, stop, progress)
        if not is_whole(part, target):
            raise Refused(
                "tampered", said("{path}: this is not the file that was signed", path=target.path)
            )
    except Refused:
        _forget(part)
        raise
    part.replace(whole)
    _note_of(part).unlink(missing_ok=True)
    sync_folder(folder)
    return whole


def path_of(target: TargetFile) -> str:
    """Where a repository has the file: its digest stands in its name (consistent snapshots)."""
    folder, separator, name = target.path.rpartition("/")
    return f"{TARGETS}{folder}{separator}{digest_of(target)}.{name}"


def digest_of(target: TargetFile) -> str:
    """The digest that a file is named by, here and in a repository."""
    return str(next(iter(target.hashes.values())))


def _fetch_rest(
    repository: Repository,
    target: TargetFile,
    part: Path,
    begun: int,
    stop: Event,
    progress: Progress,
) -> None:
    with part.open("r+b" if part.exists() else "w+b") as file:
        file.truncate(begun)
        file.seek(begun)
        noted = _note(file, part)
        if begun == target.length:
            return
        for piece in repository.read(path_of(target), begun):
            if stop.is_set():
                raise Interrupted
            if piece.at != file.tell():
                file.truncate(0)
                file.seek(piece.at)
                noted = 0
            if file.tell() + len(piece.content) > target.length:
                raise Refused(
                    "too_large", said("{path}: more comes than was signed", path=target.path)
                )
            file.write(piece.content)
            progress(len(piece.content))
            if file.tell() - noted >= NOTED_EVERY:
                noted = _note(file, part)
        _note(file, part)


def _begun(part: Path) -> int:
    """How much of a part file is surely what came."""
    try:
        size = part.stat().st_size
        noted = json.loads(_note_of(part).read_bytes())
        synced, boot = int(noted["synced"]), noted["boot"]
    except (OSError, ValueError, TypeError, KeyError):
        return 0
    return size if boot == boot_id() else min(size, synced)


def _note(file: BinaryIO, part: Path) -> int:
    """Syncs the part file and notes how far it goes."""
    file.flush()
    os.fsync(file.fileno())
    synced = file.tell()
    replace_durably(_note_of(part), json.dumps({"synced": synced, "boot": boot_id()}).encode())
    return synced


def _note_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _note_of(part).unlink(missing_ok=True)


def is_whole(path: Path, target: TargetFile) -> bool:
    """Whether a file is the one that was signed. Raises OSError."""
    try:
        with path.open("rb") as file:
            target.verify_length_and_hashes(file)
    except (FileNotFoundError, LengthOrHashMismatchError):
        return False
    return True
