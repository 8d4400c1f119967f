"""Publishes a list: the day's delta or a new base, and what each ring's devices are to have.

The first ring gets what was built last; a later ring gets what the ring before it has, when it is
opened. Everything that a publication names is a target that the list's own keys sign, and lies in
the repository before the signature does; the online key's timestamp makes it visible last. So
whatever is interrupted, devices see the old publication whole, and the same command again completes
the new one.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, TargetFile, Targets

from central.publishing.published import KEPT, History, Past, Published
from central.publishing.repository import (
    RepositoryFolder,
    RepositoryUnusable,
    ends,
    file_of,
    next_version,
)
from central.publishing.sweep import sweep
from scanner.durable import replace_durably, sync_folder
from scanner.watchlist.delta import NoDelta, Progress, make_delta, ranges_of
from scanner.watchlist.delta_apply import apply_delta
from scanner.watchlist.fold import fold
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import Manifest, read_manifest
from scanner.watchlist.publication import (
    MOST_BYTES,
    Canary,
    File,
    Publication,
    Step,
    Whole,
    read_publication,
    ring_in,
    role_of,
    target_of,
)
from scanner.watchlist.version import open_version

BASE_EVERY = timedelta(days=30)
"""A base is folded anew, and offered whole, at least so often."""
OVERLAY_MOST = 0.1
"""The share of a base's records that may have changed before it is folded."""


class PublishRefused(Exception):
    """Nothing was published; the message says why in one line."""


@dataclass(frozen=True)
class Wish:
    """What is to be published: the list `name` as it was built last in `lists`, for `ring`."""

    lists: Path
    name: str
    ring: str
    key: ListKey
    canaries: tuple[Canary, ...] = ()
    base: bool = False
    """Whether to fold a new base although none is due."""


class Publisher:
    """Publishes lists into one repository. Raises PublishRefused, RepositoryUnusable, ListDamaged,
    OSError."""

    def __init__(
        self,
        repository: RepositoryFolder,
        signers: Sequence[Signer],
        online: Signer,
        progress: Progress = lambda *_: None,
    ) -> None:
        self._repository = repository
        self._signers = signers
        self._online = online
        self._progress = progress

    def publish(self, wish: Wish, now: datetime) -> Publication:
        """Publishes what was built last for the wish's ring."""
        self._check_role(wish.name)
        published = Published(wish.lists, wish.name)
        history = self._brought_up(published, wish, now)
        publication = self._publication(published, history, wish)
        self._sign(wish.name, {wish.ring: publication}, now)
        return publication

    def open_ring(self, name: str, ring: str, before: str, now: datetime) -> Publication:
        """Gives `ring` what the ring `before` has."""
        self._check_role(name)
        publication = self.publication(name, before)
        if publication is None:
            raise PublishRefused(f"list {name}: nothing is published for ring {before}")
        opened = publication.model_copy(update={"ring": ring})
        self._sign(name, {ring: opened}, now)
        return opened

    def publication(self, name: str, ring: str) -> Publication | None:
        """What a ring's devices are told to have, or None."""
        metadata = self._repository.published(role_of(name))
        found = _publications(self._repository, metadata.signed) if metadata else ()
        return next((one for _, one in found if (one.name, one.ring) == (name, ring)), None)

    def _check_role(self, name: str) -> None:
        """That these signers may sign the list, before any work is done."""
        targets = self._repository.of(Targets.type).signed
        role = (targets.delegations.roles or {}).get(role_of(name)) if targets.delegations else None
        if role is None:
            raise PublishRefused(
                f"nobody signs a list {name} here; delegate it first (lists keys delegate)"
            )
        have = {signer.public_key.keyid for signer in self._signers} & set(role.keyids)
        if len(have) < role.threshold:
            raise PublishRefused(
                f"list {name}: {role.threshold} of its keys must sign and {len(have)} were given"
            )

    def _brought_up(self, published: Published, wish: Wish, now: datetime) -> History:
        """The published copy made equal to what was built, step by step."""
        built = read_manifest(wish.lists, wish.name)
        before = published.manifest()
        history = published.history()
        if before is None or history.whole is None or before.key_id != built.key_id:
            return self._begin(published, wish, built, history, now)
        history = self._mended(published, wish, history.up_to(before), before, now)
        if history.source_root != built.root():
            try:
                history = self._delta(published, wish, before, built, history, now)
            except NoDelta:
                return self._begin(published, wish, built, history, now)
        if self._base_is_due(published, history, wish, now):
            history = self._fold(published, wish, history, now)
        return history.since(now - KEPT)

    def _begin(
        self, published: Published, wish: Wish, built: Manifest, history: History, now: datetime
    ) -> History:
        """A base that no steps lead to: the first, or one under a new key, or one too different."""
        published.begin_with(wish.lists, built)
        self._put_whole(published, wish.name)
        begun = History(number=history.number, begun_with=built.root(), whole=built, whole_at=now)
        published.keep(begun)
        return begun

    def _delta(
        self,
        published: Published,
        wish: Wish,
        before: Manifest,
        built: Manifest,
        history: History,
        now: datetime,
    ) -> History:
        """The step from what devices have to what was built. Raises NoDelta."""
        path = published.lists / f"{wish.name}.delta"
        with ExitStack() as stack:
            old = stack.enter_context(closing(open_version(published.lists, before, wish.key)))
            new = stack.enter_context(closing(open_version(wish.lists, built, wish.key)))
            made = make_delta(old, new, ranges_of(wish.lists, new), path, self._progress)
        header = made.header
        target = f"lists/{wish.name}/delta-{header.from_version}-{header.to_version}"
        self._put_target(target, path)
        step = Step(
            kind="delta",
            from_version=header.from_version,
            from_root=header.from_root,
            to_version=header.to_version,
            to_root=header.to_root,
            path=target,
            bytes=made.size,
        )
        after = replace(history, steps=(*history.steps, Past(step, now, built.root())))
        published.keep(after)
        apply_delta(published.lists, wish.name, path, wish.key)
        path.unlink()
        return after

    def _base_is_due(
        self, published: Published, history: History, wish: Wish, now: datetime
    ) -> bool:
        manifest = published.manifest()
        if manifest is None or manifest.overlay is None:
            return False
        old = history.whole_at is None or now - history.whole_at >= BASE_EVERY
        with closing(open_version(published.lists, manifest, wish.key)) as version:
            overlay = version.overlay
            changed = (overlay.adds.records + overlay.removals) if overlay else 0
            large = changed > OVERLAY_MOST * max(1, version.base.records)
        return wish.base or old or large

    def _fold(self, published: Published, wish: Wish, history: History, now: datetime) -> History:
        before = read_manifest(published.lists, wish.name)
        fold(published.lists, wish.name, wish.key, progress=self._progress)
        return self._folded(published, wish, history, (before.version, before.root()), now)

    def _mended(
        self,
        published: Published,
        wish: Wish,
        history: History,
        here: Manifest,
        now: datetime,
    ) -> History:
        """The history of a copy that was folded and then nothing more was done."""
        whole = history.whole
        end = (whole.version, whole.root()) if whole else (0, "")
        if history.steps:
            last = history.steps[-1].step
            end = (last.to_version, last.to_root)
        if end == (here.version, here.root()):
            return history
        if end[0] != here.version or here.overlay is not None:
            raise PublishRefused(
                f"{published.lists}: the published copy of list {wish.name} is not what its "
                "history says; restore it from a copy, or remove it and publish the list whole"
            )
        return self._folded(published, wish, history, end, now)

    def _folded(
        self,
        published: Published,
        wish: Wish,
        history: History,
        before: tuple[int, str],
        now: datetime,
    ) -> History:
        """Notes that the copy was folded, once the new base is there whole."""
        after = read_manifest(published.lists, wish.name)
        self._put_whole(published, wish.name)
        step = Step(
            kind="fold",
            from_version=before[0],
            from_root=before[1],
            to_version=after.version,
            to_root=after.root(),
        )
        steps = (*history.steps, Past(step, now, history.source_root))
        folded = replace(history, whole=after, whole_at=now, steps=steps)
        published.keep(folded)
        return folded

    def _put_whole(self, published: Published, name: str) -> None:
        manifest = read_manifest(published.lists, name)
        for place, file in published.files():
            self._put_target(f"{_prefix(manifest)}/{place.replace('/', '-')}", file)

    def _publication(self, published: Published, history: History, wish: Wish) -> Publication:
        manifest = read_manifest(published.lists, wish.name)
        built = read_manifest(wish.lists, wish.name)
        whole = history.whole
        assert whole is not None  # noqa: S101  it was begun with one
        publication = Publication(
            name=wish.name,
            ring=wish.ring,
            number=history.number + 1,
            version=manifest.version,
            root=manifest.root(),
            as_of=max(built.as_of, manifest.as_of),
            whole=whole_of(self._repository, whole),
            steps=tuple(past.step for past in history.steps),
            canaries=wish.canaries,
        )
        published.keep(replace(history, number=publication.number))
        return publication

    def _sign(self, name: str, publications: Mapping[str, Publication], now: datetime) -> None:
        role = role_of(name)
        latest = self._repository.latest(role)
        if latest is None:
            signed = Targets(version=1, expires=ends(role, now))
        else:
            signed = deepcopy(latest.signed)
            next_version(signed, role, now)
        for ring, publication in publications.items():
            path = self._repository.folder / f".{name}.publication"
            content = publication.model_dump_json(indent=1).encode() + b"\n"
            if len(content) > MOST_BYTES:
                raise PublishRefused(f"list {name}: the publication has grown beyond its limit")
            replace_durably(path, content, mode=0o644)
            signed.targets[target_of(name, ring)] = self._put_target(target_of(name, ring), path)
            path.unlink()
        self._keep_only_what_is_named(name, signed)
        metadata = Metadata(signed)
        for signer in self._signers:
            metadata.sign(signer, append=True)
        self._hold_to_threshold(role, metadata)
        self._repository.put(role, metadata)
        self._repository.publish(self._online, now)
        sweep(self._repository, now)

    def _keep_only_what_is_named(self, name: str, signed: Targets) -> None:
        """The targets that any ring's publication names, with their lengths and digests."""
        named: dict[str, TargetFile] = {}
        for target, publication in _publications(self._repository, signed):
            named[target.path] = target
            paths = [step.path for step in publication.steps if step.path]
            paths += [file.path for file in publication.whole.files]
            for each in paths:
                named[each] = signed.targets.get(each) or target_in(self._repository, each)
        signed.targets = named

    def _hold_to_threshold(self, role: str, metadata: Metadata[Any]) -> None:
        targets = self._repository.of(Targets.type).signed
        try:
            targets.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
        except UnsignedMetadataError:
            raise PublishRefused(
                f"{role}: too few of its keys were given; nothing was published"
            ) from None

    def _put_target(self, path: str, file: Path) -> TargetFile:
        """Lays a file into the repository as the target `path`. Raises OSError."""
        target = TargetFile.from_file(path, str(file), ["sha256"])
        placed = file_of(self._repository, target)
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


def published_in(repository: RepositoryFolder) -> Iterator[Publication]:
    """What every ring's devices are to have of every list. Raises RepositoryUnusable,
    PublicationUnusable."""
    targets = repository.of(Targets.type).signed
    for role in (targets.delegations.roles or {}) if targets.delegations else {}:
        metadata = repository.published(role)
        if metadata:
            yield from (one for _, one in _publications(repository, metadata.signed))


def _publications(
    repository: RepositoryFolder, signed: Targets
) -> Iterator[tuple[TargetFile, Publication]]:
    """The publications among what a list's role signs."""
    for path, target in sorted(signed.targets.items()):
        if named := ring_in(path):
            yield target, read_publication(file_of(repository, target).read_bytes(), *named)


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


def _prefix(manifest: Manifest) -> str:
    """What the targets of a whole version begin with."""
    return f"lists/{manifest.name}/whole-{manifest.version}-{manifest.root()[:16]}"
