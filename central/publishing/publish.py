"""Publishes a list: the day's delta or a new base, and what each ring's devices are to have.

The first ring gets what was built last; a later ring gets what the ring before it has, when it is
opened. Everything that a publication names is a target that the list's own keys sign, and lies in
the repository before the signature does; the online key's timestamp makes it visible last. So
whatever is interrupted, devices see the old publication whole, and the same command again completes
the new one.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, TargetFile, Targets

from central.publishing.published import History, Published
from central.publishing.repository import RepositoryFolder, ends, next_version
from central.publishing.steps import PublishRefused, Steps, Wish
from central.publishing.sweep import sweep
from central.publishing.targets import publications, put_target, target_in, whole_of
from scanner.durable import replace_durably
from scanner.watchlist.delta import Progress
from scanner.watchlist.manifest import read_manifest
from scanner.watchlist.publication import MOST_BYTES, Publication, role_of, target_of


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
        history = Steps(self._repository, published, wish, self._progress).bring_up(now)
        publication = self._publication(published, history, wish)
        self._sign(wish.name, {wish.ring: publication}, now, wish.afresh)
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
        found = publications(self._repository, metadata.signed) if metadata else ()
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

    def _sign(
        self, name: str, publications: Mapping[str, Publication], now: datetime, on: int = 0
    ) -> None:
        role = role_of(name)
        latest = self._repository.latest(role)
        if latest is None:
            signed = Targets(version=1, expires=ends(role, now))
        else:
            signed = deepcopy(latest.signed)
            next_version(signed, role, now)
        if on:
            signed.version += on
            signed.targets = {}
        for ring, publication in publications.items():
            path = self._repository.folder / f".{name}.publication"
            content = publication.model_dump_json(indent=1).encode() + b"\n"
            if len(content) > MOST_BYTES:
                raise PublishRefused(f"list {name}: the publication has grown beyond its limit")
            replace_durably(path, content, mode=0o644)
            signed.targets[target_of(name, ring)] = put_target(
                self._repository, target_of(name, ring), path
            )
            path.unlink()
        self._keep_only_what_is_named(name, signed)
        metadata = Metadata(signed)
        for signer in self._signers:
            metadata.sign(signer, append=True)
        self._hold_to_threshold(role, metadata)
        self._repository.put(role, metadata)
        self._repository.publish(self._online, now, on)
        sweep(self._repository, now)

    def _keep_only_what_is_named(self, name: str, signed: Targets) -> None:
        """The targets that any ring's publication names, with their lengths and digests."""
        named: dict[str, TargetFile] = {}
        for target, publication in publications(self._repository, signed):
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
