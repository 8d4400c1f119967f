"""Brings a backup back: read whole and found right first, then put where nothing is yet.

Nothing is written over. What is there is somebody's: a store that still takes alerts, keys that
devices believe. Whoever wants it gone moves it away, and knows then where it is. A configuration
and a broker's files that are there stay, and the rest is brought back beside them: the broker may
have outlived headquarters, and knows of revocations that the backup does not.
"""

import hashlib
import tarfile
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from central.backup.form import (
    CONFIGURATION,
    CONTENTS,
    BackupFault,
    Contents,
    Part,
    StoreSaid,
    part_of,
    place_for,
)
from central.backup.store_copy import bring_back, is_empty, look_through
from central.enrolment.authority import Authority
from central.enrolment.certificates import AuthorityFault
from central.settings import Settings, load
from scanner.alert import KeyFault
from scanner.durable import replace_durably

EVERY_PART = frozenset(Part)


@dataclass(frozen=True)
class Unpacked:
    """A backup whose every byte is what it should be, in a folder of its own."""

    folder: Path
    contents: Contents

    def of(self, part: Part) -> list[str]:
        """The members of a part."""
        return [name for name in self.contents.members if part_of(name) is part]


@dataclass(frozen=True)
class Restored:
    """What was brought back: how many files, what has no place here, what was there and stays, and
    the store."""

    files: int
    without_place: list[str]
    staying: list[Path]
    store: StoreSaid | None


@contextmanager
def unpacked(backup: BinaryIO) -> Iterator[Unpacked]:
    """A backup, unpacked for the moment. Raises BackupFault or OSError."""
    with tempfile.TemporaryDirectory(prefix=".borderpost-restore-") as name:
        folder = Path(name)
        found: dict[str, tuple[int, str]] = {}
        try:
            with tarfile.open(fileobj=backup, mode="r|gz") as tar:
                for member in tar:
                    found[member.name] = _take(tar, member, folder)
        except (tarfile.TarError, EOFError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise BackupFault(f"this is no backup, or it was cut short: {error}") from None
        yield Unpacked(folder, _contents(folder, found))


def check(backup: Unpacked) -> Iterator[str]:
    """What is found of a backup, a line for each part. Raises BackupFault."""
    authority = Authority(backup.folder / "keys")
    try:
        authority.signing_key()
        authority.certificates.roots.every()
    except (KeyFault, AuthorityFault) as fault:
        raise BackupFault(f"the keys cannot be used: {fault}") from None
    yield f"keys: central's, the authority's, and of {len(authority.devices())} devices"
    others = len(backup.of(Part.FILES)) + len(backup.of(Part.BROKERS))
    yield f"configuration, and {others} files that it names"
    said = backup.contents.store
    found = look_through(backup.folder / said.kind.member, said.kind)
    yield f"{said.kind}: {found} (alerts: {said.alerts}, audit trail up to {said.audit})"


def restore(backup: Unpacked, config: Path, parts: Collection[Part] = EVERY_PART) -> Restored:
    """Brings these parts back to where the configuration says, which is the backup's own where
    there is none yet. Raises BackupFault, SettingsError, StoreFault or OSError."""
    settings = load(config if config.exists() else backup.folder / CONFIGURATION)
    where = dict(_places(backup, config, settings, parts))
    staying = [path for name, path in where.items() if path and _may_stay(name) and path.exists()]
    placed = {name: path for name, path in where.items() if path and path not in staying}
    _check_nothing_is_there(placed.values(), settings, parts)
    for name, path in placed.items():
        _put(backup.folder / name, path, backup.contents.members[name].mode)
    store = None
    if Part.STORE in parts:
        said = backup.contents.store
        store = bring_back(backup.folder / said.kind.member, said.kind, settings.store.url)
    without_place = [name for name, path in where.items() if path is None]
    return Restored(len(placed), without_place, staying, store)


def _may_stay(name: str) -> bool:
    return part_of(name) in (Part.CONFIGURATION, Part.BROKERS)


def _places(
    backup: Unpacked, config: Path, settings: Settings, parts: Collection[Part]
) -> Iterator[tuple[str, Path | None]]:
    """Where each member goes, but the store."""
    for part in sorted(set(parts) - {Part.STORE}):
        for name in backup.of(part):
            yield name, place_for(name, config, settings)


def _check_nothing_is_there(
    placed: Iterable[Path], settings: Settings, parts: Collection[Part]
) -> None:
    for path in placed:
        if path.exists():
            raise BackupFault(f"{path}: is there already; nothing is written over, move it away")
    devices = settings.keys.folder / "devices"
    if Part.KEYS in parts and any(devices.glob("*.jwk")):
        raise BackupFault(f"{devices}: devices are enrolled there; move {devices.parent} away")
    if Part.STORE in parts and not is_empty(settings.store.url):
        raise BackupFault(
            "[store] url: there is a store already; nothing is written over, move it away or "
            "name an empty one"
        )


def _put(copy: Path, path: Path, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_durably(path, copy.read_bytes(), mode=mode)


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> tuple[int, str]:
    """Unpacks a member; its length and digest."""
    known = member.name == CONTENTS or part_of(member.name) is not None
    source = tar.extractfile(member) if known and member.isfile() else None
    if source is None:
        raise BackupFault(f"{member.name!r}: no backup holds such a thing")
    path, digest, length = folder / member.name, hashlib.sha256(), 0
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("xb") as target:
        while block := source.read(1 << 20):
            digest.update(block)
            length += len(block)
            target.write(block)
    return length, digest.hexdigest()


def _contents(folder: Path, found: dict[str, tuple[int, str]]) -> Contents:
    """What the backup says that it holds, once it does hold just that."""
    if found.pop(CONTENTS, None) is None:
        raise BackupFault("the backup was cut short: its contents are not in it")
    try:
        contents = Contents.model_validate_json((folder / CONTENTS).read_bytes())
    except ValidationError:
        raise BackupFault("the backup was made by a later release, or is damaged") from None
    said = {name: (one.bytes, one.sha256) for name, one in contents.members.items()}
    for name in sorted(said.keys() | found.keys()):
        if said.get(name) != found.get(name):
            raise BackupFault(f"{name} in the backup is not what was put in")
    if contents.store.kind.member not in said:
        raise BackupFault("the backup holds no store")
    return contents
