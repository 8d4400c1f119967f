"""Headquarters that publishes the benchmark's list day by day, with real keys and signatures.

What a day adds and removes is known (`benchmarks.listing.days`), so its delta is written straight
from that instead of out of two whole versions, which takes minutes a day at full size; the lists'
benchmark shows that both give the same bytes. Like any delta it is tried on the version before it,
and its root is what that gives. Signing, folding when it is due, what is published and what is
swept are headquarters' own.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import numpy as np
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import TargetFile

from benchmarks.listing import peers
from benchmarks.listing.building import secret_of
from benchmarks.listing.daily import live_ranks
from benchmarks.listing.days import Day, days, total
from benchmarks.listing.settings import LIST, Settings
from central.publishing.ceremony import commit, delegate, sign, start
from central.publishing.publish import Publisher
from central.publishing.published import History, Past, Published
from central.publishing.repository import RepositoryFolder, file_of
from central.publishing.steps import Wish
from scanner.mrz.document import Kind
from scanner.watchlist.activation import activate
from scanner.watchlist.delta_apply import next_overlay
from scanner.watchlist.delta_blocks import additions_written, removals_written
from scanner.watchlist.delta_file import open_delta, write_delta
from scanner.watchlist.delta_header import DeltaHeader
from scanner.watchlist.layout import overlay_folder
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import Manifest, read_manifest
from scanner.watchlist.publication import Canary, Publication, Step
from scanner.watchlist.record_arrays import U64, Records
from scanner.watchlist.version import open_version

RING = "all"
_CANARIES = (Canary(issuer="UTO", number="ABSENT001", kind=Kind.PASSPORT, listed=False),)


class Headquarters:
    """A repository in `folder`, made anew; its list is the run's."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        peers.removed(folder)
        peers.removed(settings.lists / ".published")
        self.repository = RepositoryFolder(folder)
        self._settings = settings
        self._key = ListKey(secret_of(settings))
        self._published = Published(settings.lists, LIST)
        self._builder, self._online = (CryptoSigner.generate_ed25519() for _ in range(2))
        self._began = datetime.now(UTC)
        self._known: list[Day] = []
        self._begin()

    @property
    def root(self) -> bytes:
        """The root that devices are installed with."""
        return (self.repository.metadata / "1.root.json").read_bytes()

    def published_days(self) -> Iterator[tuple[Publication, int]]:
        """Publishes the first version, then every day; gives each publication and the bytes of its
        delta."""
        yield self._publish(0), 0
        for number, day in enumerate(days(self._settings), 1):
            size = self._take(day, self._began + timedelta(days=number))
            yield self._publish(number), size

    def _begin(self) -> None:
        roots = [CryptoSigner.generate_ed25519() for _ in range(3)]
        targets = CryptoSigner.generate_ed25519()
        start(
            self.repository,
            [one.public_key for one in roots],
            [targets.public_key],
            self._online.public_key,
            self._began,
        )
        delegate(self.repository, LIST, [self._builder.public_key], 1, self._began)
        for path in self.repository.draft_paths():
            for signer in roots if ".root." in path.name else [targets]:
                sign(path, signer)
        commit(self.repository, self._online, self._began)

    def _publish(self, number: int) -> Publication:
        wish = Wish(self._settings.lists, LIST, RING, self._key, _CANARIES)
        publisher = Publisher(self.repository, [self._builder], self._online)
        return publisher.publish(wish, self._began + timedelta(days=number))

    def _take(self, day: Day, at: datetime) -> int:
        """Makes the day's step of the published copy, as publishing does; gives its bytes."""
        gone, live = total(self._known) if self._known else (np.empty(0, np.uint64), Records.none())
        ranks = live_ranks(self._settings, day, live, gone)
        self._known.append(day)
        before = read_manifest(self._published.lists, LIST)
        path = self._published.lists / "day.delta"
        after = self._written(path, before, ranks, day.added, at)
        target = f"lists/{LIST}/delta-{before.version}-{after.version}"
        placed = file_of(self.repository, TargetFile.from_file(target, str(path), ["sha256"]))
        size = path.stat().st_size
        step = Step(
            kind="delta",
            from_version=before.version,
            from_root=before.root(),
            to_version=after.version,
            to_root=after.root(),
            path=target,
            bytes=size,
        )
        history: History = self._published.history()
        steps = (*history.steps, Past(step, at, history.source_root))
        self._published.keep(replace(history, steps=steps))
        activate(self._published.lists, after)
        path.replace(placed)
        return size

    def _written(
        self, path: Path, before: Manifest, ranks: U64, added: Records, at: datetime
    ) -> Manifest:
        """Writes the delta that leads from `before`, and beside it the overlay that it makes; gives
        the version that is then to be put in force."""
        header = DeltaHeader(
            name=before.name,
            key_id=before.key_id,
            from_root=before.root(),
            to_root=before.root(),
            from_version=before.version,
            to_version=before.version + 1,
            as_of=at,
            from_records=before.records,
            to_records=before.records + len(added) - len(ranks),
            removals=len(ranks),
            additions=len(added),
            ranges=before.ranges,
            ranges_digest=before.ranges_digest,
            ranges_bytes=0,
        )
        self._write(path, header, ranks, added)
        after = header.result(before, self._tried(path, before))
        self._write(path, replace(header, to_root=after.root()), ranks, added)
        return after

    def _write(self, path: Path, header: DeltaHeader, ranks: U64, added: Records) -> None:
        write_delta(path, header, chain(removals_written(ranks), additions_written(added)), None)

    def _tried(self, path: Path, before: Manifest) -> str:
        """The root of the overlay that a delta makes of the version before it; it is put where the
        published copy has its overlays."""
        tried = self._published.lists / LIST / ".building-benchmark"
        peers.removed(tried)
        with (
            open_delta(path) as delta,
            closing(open_version(self._published.lists, before, self._key)) as version,
        ):
            root = next_overlay(version, delta, tried)
        if root is None:
            raise ValueError("a day changes nothing")
        tried.rename(overlay_folder(self._published.lists, LIST, root))
        return root
