"""Removes from a repository what nobody is told to have any more, so that its disk is bounded.

A file goes when nothing that devices see names it and it is older than the steps that are kept:
whoever began to fetch it while it was named has had that long to come to the end of it. Roots stay
for ever, since a device that was away goes from one to the next; so does the newest version of each
role, from which the next one is counted.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tuf.api.metadata import Root, Targets

from central.publishing.published import KEPT
from central.publishing.repository import RepositoryFolder, file_of


def sweep(repository: RepositoryFolder, now: datetime) -> None:
    """Removes what is named no more and older than KEPT. Raises RepositoryUnusable, OSError."""
    needed = set(_needed(repository))
    for path in (*repository.metadata.glob("*.*.json"), *repository.targets.rglob("*.*")):
        is_root = path.name.endswith(f".{Root.type}.json")
        if path in needed or is_root or not path.is_file():
            continue
        if now - datetime.fromtimestamp(path.stat().st_mtime, UTC) > KEPT:
            path.unlink()
            if path.parent != repository.metadata and not any(path.parent.iterdir()):
                path.parent.rmdir()


def _needed(repository: RepositoryFolder) -> Iterator[Path]:
    """The files that devices are told of, and the newest metadata of each role."""
    for role, version in repository.newest().items():
        yield repository.metadata / f"{version}.{role}.json"
    snapshot = repository.snapshot()
    if snapshot is None:
        return
    yield repository.metadata / f"{snapshot.signed.version}.{snapshot.signed.type}.json"
    for name, meta in snapshot.signed.meta.items():
        yield repository.metadata / f"{meta.version}.{name}"
        seen = repository.published(name.removesuffix(".json"))
        if seen is not None and isinstance(seen.signed, Targets):
            for target in seen.signed.targets.values():
                yield file_of(repository, target)
