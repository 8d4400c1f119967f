"""Makes a backup, of a headquarters that goes on working.

The keys are copied before the store: a device that is enrolled in between is in the trail of the
store and not yet in the register, which shows when the backup is brought back, and not the other
way round.
"""

import hashlib
import io
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from central.backup.form import CONTENTS, BackupFault, Contents, Member, Part, part_of, places_of
from central.backup.store_copy import copy_out
from central.settings import Settings
from scanner.durable import sync_folder

NAME = "central-{:%Y%m%dT%H%M%SZ}.backup"
_NAMES = "central-*T*Z.backup"
_LEVEL = 1
"""Of compression: what takes the time is the disk."""


def make(config: Path, settings: Settings, out: BinaryIO, work: Path | None = None) -> Contents:
    """Writes a backup to `out`. The store's copy stands in `work` meanwhile, else where temporary
    files do. Raises BackupFault, StoreFault or OSError."""
    members: dict[str, Member] = {}
    with (
        tempfile.TemporaryDirectory(prefix=".borderpost-backup-", dir=work) as folder,
        tarfile.open(fileobj=out, mode="w:gz", compresslevel=_LEVEL) as tar,
    ):
        for place in places_of(config, settings):
            with _unless_used_up(place.name):
                members[place.name] = _add(tar, place.name, place.path)
        copy = Path(folder) / "store"
        said = copy_out(settings.store.url, copy)
        copy.chmod(0o600)
        members[said.kind.member] = _add(tar, said.kind.member, copy)
        contents = Contents(
            made_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            software=version("borderpost"),
            store=said,
            members=members,
        )
        content = contents.model_dump_json(indent=1).encode()
        tar.addfile(_header(CONTENTS, len(content), 0o600), io.BytesIO(content))
    return contents


def make_file(config: Path, settings: Settings, out: Path) -> tuple[Path, Contents]:
    """Makes a backup as the file `out`, or under a name of its own within the folder `out`; it is
    its owner's alone. It is whole and on the disk, or not there. Raises as `make` does."""
    path = out / NAME.format(datetime.now(UTC)) if out.is_dir() else out
    with _new_file(path) as file:
        contents = make(config, settings, file, path.parent)
    return path, contents


def forget_old(folder: Path, keep: int) -> list[Path]:
    """Removes all but the newest `keep` backups that have a name of ours. Raises OSError."""
    old = sorted(folder.glob(_NAMES))[:-keep]
    for path in old:
        path.unlink()
    return old


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    if path.exists():
        raise BackupFault(f"{path}: is there already; nothing is written over")
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextmanager
def _unless_used_up(name: str) -> Iterator[None]:
    """What the authority removes meanwhile, as it does with tokens, is not there to be copied."""
    try:
        yield
    except FileNotFoundError:
        if part_of(name) is not Part.KEYS:
            raise


def _add(tar: tarfile.TarFile, name: str, path: Path) -> Member:
    """Puts a file in. One that is replaced meanwhile is put in as it was, whole."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        mode = stat.S_IMODE(status.st_mode)
        digesting = _Digesting(file)
        tar.addfile(_header(name, status.st_size, mode), digesting)
    return Member(bytes=status.st_size, sha256=digesting.digest.hexdigest(), mode=mode)


class _Digesting:
    """A file that is read once, and its digest then."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self.digest.update(block)
        return block


def _header(name: str, size: int, mode: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, mode
    header.mtime = int(datetime.now(UTC).timestamp())
    return header
