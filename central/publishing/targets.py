"""What lists are made of in the repository: files laid there as targets, found again, and read.

A target's file lies in the repository before any signature names it, under a name of its own, and
is never written over.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tuf.api.metadata import TargetFile, Targets

from central.publishing.published import Published
from central.publishing.repository import RepositoryFolder, RepositoryUnusable, file_of
from scanner.durable import sync_folder
from scanner.watchlist.manifest import Manifest, read_manifest
from scanner.watchlist.publication import File, Publication, Whole, read_publication, ring_in


def put_target(repository: RepositoryFolder, path: str, file: Path) -> TargetFile:
    """Lays a file into the repository as the target `path`. Raises OSError."""
    target = TargetFile.from_file(path, str(file), ["sha256"])
    placed = file_of(repository, target)
    if not placed.exists():
        placed.parent.mkdir(parents=True, exist_ok=True)
        made = placed.with_name(f".{placed.name}.new")
        made.unlink(missing_ok=True)
        try:
            os.link(file, made)
        except OSError:
            shutil.copyfile(file, made)
        made.replace(placed)
        sync_folder(placed.parent)
    return target


def target_in(repository: RepositoryFolder, path: str) -> TargetFile:
    """The target `path` as its file in the repository says. Raises RepositoryUnusable."""
    folder, _, name = path.rpartition("/")
    found = sorted((repository.targets / folder).glob(f"*.{name}"))
    if len(found) != 1:
        raise RepositoryUnusable(
            f"{repository.targets / folder}: {len(found)} files are there as {name}, and one "
            "should be"
        )
    return TargetFile.from_file(path, str(found[0]), ["sha256"])


def put_whole(repository: RepositoryFolder, published: Published, name: str) -> None:
    """Lays every file of the published copy's version into the repository. Raises OSError."""
    manifest = read_manifest(published.lists, name)
    for place, file in published.files():
        put_target(repository, f"{_prefix(manifest)}/{place.replace('/', '-')}", file)


def whole_of(repository: RepositoryFolder, whole: Manifest) -> Whole:
    """A whole version as it lies in the repository. Raises RepositoryUnusable."""
    prefix = _prefix(whole)
    folder = repository.targets / prefix
    files = []
    for file in sorted(folder.glob("[0-9a-f]*.*")):
        name = file.name.split(".", 1)[1]
        files.append(
            File(
                path=f"{prefix}/{name}",
                place=name.replace("-", "/", 1),
                bytes=file.stat().st_size,
            )
        )
    if not files:
        raise RepositoryUnusable(f"{folder}: the whole version is not there; publish with --base")
    return Whole(
        version=whole.version,
        as_of=whole.as_of,
        key_id=whole.key_id,
        records=whole.records,
        ranges=whole.ranges,
        base=whole.base,
        overlay=whole.overlay,
        ranges_digest=whole.ranges_digest,
        files=tuple(files),
    )


def published_in(repository: RepositoryFolder) -> Iterator[Publication]:
    """What every ring's devices are to have of every list. Raises RepositoryUnusable,
    PublicationUnusable."""
    targets = repository.of(Targets.type).signed
    for role in (targets.delegations.roles or {}) if targets.delegations else {}:
        metadata = repository.published(role)
        if metadata:
            yield from (one for _, one in publications(repository, metadata.signed))


def publications(
    repository: RepositoryFolder, signed: Targets
) -> Iterator[tuple[TargetFile, Publication]]:
    """The publications among what a list's role signs."""
    for path, target in sorted(signed.targets.items()):
        if named := ring_in(path):
            yield target, read_publication(file_of(repository, target).read_bytes(), *named)


def _prefix(manifest: Manifest) -> str:
    """What the targets of a whole version begin with."""
    return f"lists/{manifest.name}/whole-{manifest.version}-{manifest.root()[:16]}"
