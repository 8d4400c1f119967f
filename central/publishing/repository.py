"""The repository folder: metadata and targets, laid out so that any web server can serve it.

    metadata/<n>.root.json  <n>.targets.json  <n>.snapshot.json  <n>.list-<name>.json
    metadata/timestamp.json
    targets/lists/<name>/<sha256>.<file>
    drafts/<n>.<role>.json            what still wants signatures; no device looks here

Every file but the timestamp has a name of its own and is never written over. So a publication holds
from the one moment when the new timestamp is renamed into place, and one that was interrupted
leaves the old one whole. The Update Framework specification 1.0.33, §6 (consistent snapshots).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.exceptions import RepositoryError, UnsignedMetadataError
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

from scanner.durable import replace_durably, sync_folder

LASTS: Mapping[str, timedelta] = {
    Root.type: timedelta(days=366),
    Targets.type: timedelta(days=366),
    Snapshot.type: timedelta(days=14),
    Timestamp.type: timedelta(days=3),
}
LIST_LASTS = timedelta(days=90)
"""For how long a signature of each role holds; that of a list's own role."""

_SERIALIZER = JSONSerializer(compact=False)
_VERSIONED = re.compile(r"(\d+)\.(.+)\.json")


class RepositoryUnusable(Exception):
    """The repository cannot be read or written as asked; the message is one line."""


class RepositoryFolder:
    """The repository in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.metadata = folder / "metadata"
        self.targets = folder / "targets"
        self.drafts = folder / "drafts"

    def make(self) -> None:
        """Makes the folders that are not there yet. Raises OSError."""
        for each in (self.metadata, self.targets, self.drafts):
            each.mkdir(parents=True, exist_ok=True)
        sync_folder(self.folder)

    def latest(self, role: str) -> Metadata[Any] | None:
        """The newest metadata of a role, or None. Raises RepositoryUnusable."""
        if role == Timestamp.type:
            path = self.metadata / f"{role}.json"
            return self._read(path) if path.exists() else None
        versions = [n for n, name in self._versioned(self.metadata) if name == role]
        if not versions:
            return None
        return self._read(self.metadata / f"{max(versions)}.{role}.json")

    def of(self, role: str) -> Metadata[Any]:
        """The newest metadata of a role. Raises RepositoryUnusable where there is none."""
        found = self.latest(role)
        if found is None:
            raise RepositoryUnusable(f"{self.metadata}: there is no {role} metadata yet")
        return found

    def snapshot(self) -> Metadata[Any] | None:
        """The snapshot that devices see, or None. Raises RepositoryUnusable."""
        timestamp = self.latest(Timestamp.type)
        if timestamp is None:
            return None
        version = timestamp.signed.snapshot_meta.version
        return self._read(self.metadata / f"{version}.{Snapshot.type}.json")

    def published(self, role: str) -> Metadata[Any] | None:
        """The metadata of a role that devices see, by the snapshot; None where they see none."""
        snapshot = self.snapshot()
        meta = snapshot.signed.meta.get(f"{role}.json") if snapshot else None
        return None if meta is None else self._read(self.metadata / f"{meta.version}.{role}.json")

    def draft(self, role: str) -> Metadata[Any] | None:
        """What still wants signatures of a role, or None."""
        versions = [n for n, name in self._versioned(self.drafts) if name == role]
        return self._read(self.drafts / f"{max(versions)}.{role}.json") if versions else None

    def draft_paths(self) -> list[Path]:
        """The drafts that there are."""
        return sorted(self.drafts / f"{n}.{name}.json" for n, name in self._versioned(self.drafts))

    def put_draft(self, role: str, metadata: Metadata[Any]) -> Path:
        """Writes a draft, over an earlier one of the same version. Raises OSError."""
        self.make()
        path = self.drafts / f"{metadata.signed.version}.{role}.json"
        replace_durably(path, metadata.to_bytes(_SERIALIZER), mode=0o644)
        return path

    def put(self, role: str, metadata: Metadata[Any]) -> None:
        """Writes a new version of a role's metadata; devices see it with the next timestamp.
        Raises RepositoryUnusable, OSError."""
        path = self.metadata / f"{metadata.signed.version}.{role}.json"
        content = metadata.to_bytes(_SERIALIZER)
        if path.exists() and path.read_bytes() != content:
            seen = self.published(role)
            if role == Root.type or (seen and seen.signed.version >= metadata.signed.version):
                raise RepositoryUnusable(f"{path}: this version is published already")
        replace_durably(path, content, mode=0o644)

    def publish(self, online: Signer, now: datetime, on: int = 0) -> None:
        """Makes all that was put visible to devices at one moment: a new snapshot and, last, a new
        timestamp, their versions counted on by `on` more than by one. Raises RepositoryUnusable,
        OSError."""
        root = self.of(Root.type).signed
        snapshot = Metadata(self._next(Snapshot, now, on))
        snapshot.signed.meta = {
            f"{role}.json": MetaFile(version)
            for role, version in sorted(self.newest().items())
            if role not in (Root.type, Snapshot.type)
        }
        self._sign(root, snapshot, online)
        self.put(Snapshot.type, snapshot)
        timestamp = Metadata(self._next(Timestamp, now, on))
        timestamp.signed.snapshot_meta = MetaFile(snapshot.signed.version)
        self._sign(root, timestamp, online)
        content = timestamp.to_bytes(_SERIALIZER)
        replace_durably(self.metadata / f"{Timestamp.type}.json", content, mode=0o644)

    def _next(self, kind: type[Any], now: datetime, on: int) -> Any:
        """The next version of a role that is signed online: past every file there is, also of a
        publication that was interrupted."""
        before = self.latest(kind.type)
        version = 1 if before is None else before.signed.version + 1
        return kind(version=version + on, expires=ends(kind.type, now))

    def _sign(self, root: Root, metadata: Metadata[Any], signer: Signer) -> None:
        metadata.sign(signer)
        role = metadata.signed.type
        try:
            root.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
        except UnsignedMetadataError:
            raise RepositoryUnusable(
                f"{self.folder}: the key given is not the one that may sign the {role}; nothing "
                "was published"
            ) from None

    def newest(self) -> dict[str, int]:
        """The newest version of every role but the timestamp, seen by devices or not."""
        found: dict[str, int] = {}
        for version, role in self._versioned(self.metadata):
            found[role] = max(version, found.get(role, 0))
        return found

    def _versioned(self, folder: Path) -> Iterator[tuple[int, str]]:
        if not folder.is_dir():
            return
        for path in folder.iterdir():
            if match := _VERSIONED.fullmatch(path.name):
                yield int(match[1]), match[2]

    def _read(self, path: Path) -> Metadata[Any]:
        try:
            return Metadata[Any].from_bytes(path.read_bytes())
        except OSError as error:
            raise RepositoryUnusable(f"{path}: {error.strerror}") from None
        except (RepositoryError, ValueError):
            raise RepositoryUnusable(f"{path}: this is no metadata; restore the file") from None


def file_of(repository: RepositoryFolder, target: TargetFile) -> Path:
    """Where a target's file lies (consistent snapshots)."""
    folder, _, name = target.path.rpartition("/")
    return repository.targets / folder / f"{target.hashes['sha256']}.{name}"


def ends(role: str, now: datetime) -> datetime:
    """When a signature of `role` that is made now ends, to the second."""
    return (now + LASTS.get(role, LIST_LASTS)).astimezone(UTC).replace(microsecond=0)


def next_version(signed: Signed, role: str, now: datetime) -> None:
    """Makes of a role's content its next version, from now on."""
    signed.version += 1
    signed.expires = ends(role, now)
