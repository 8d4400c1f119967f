"""Brings the published copy of a list up to what was built: by the day's delta, a fold of the base
when one is due, or a new beginning; and keeps the history of that.

Devices go the very same steps. Each step's file lies in the repository before the history names it,
and the copy is changed after that, so whatever is interrupted is done again alike.
"""

from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from central.publishing.published import KEPT, History, Past, Published
from central.publishing.repository import RepositoryFolder
from central.publishing.targets import put_target, put_whole
from scanner.watchlist.delta import NoDelta, Progress, make_delta, ranges_of
from scanner.watchlist.delta_apply import apply_delta
from scanner.watchlist.fold import fold
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import Manifest, read_manifest
from scanner.watchlist.publication import Canary, Step
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
    afresh: int = 0
    """After a loss: to publish the version whole, as if nothing had been published before, and to
    count every version on by so many, past those that devices have seen. 0: nothing was lost."""


class Steps:
    """The steps of one list's published copy, for the repository in which devices find them. Raises
    PublishRefused, RepositoryUnusable, ListDamaged, OSError."""

    def __init__(
        self, repository: RepositoryFolder, published: Published, wish: Wish, progress: Progress
    ) -> None:
        self._repository = repository
        self._published = published
        self._wish = wish
        self._progress = progress

    def bring_up(self, now: datetime) -> History:
        """Makes the published copy equal to what was built, and gives its history."""
        published, wish = self._published, self._wish
        built = read_manifest(wish.lists, wish.name)
        history = published.history()
        if wish.afresh:
            counted = replace(history, number=history.number + wish.afresh)
            return self._begin(built, counted, now)
        before = published.manifest()
        if before is None or history.whole is None or before.key_id != built.key_id:
            return self._begin(built, history, now)
        history = self._mended(history.up_to(before), before, now)
        if history.source_root != built.root():
            try:
                history = self._delta(before, built, history, now)
            except NoDelta:
                return self._begin(built, history, now)
        if self._base_is_due(history, now):
            history = self._fold(history, now)
        return history.since(now - KEPT)

    def _begin(self, built: Manifest, history: History, now: datetime) -> History:
        """A base that no steps lead to: the first, or one under a new key, or one too different."""
        self._published.begin_with(self._wish.lists, built)
        put_whole(self._repository, self._published, self._wish.name)
        begun = History(number=history.number, begun_with=built.root(), whole=built, whole_at=now)
        self._published.keep(begun)
        return begun

    def _delta(self, before: Manifest, built: Manifest, history: History, now: datetime) -> History:
        """The step from what devices have to what was built. Raises NoDelta."""
        published, wish = self._published, self._wish
        path = published.lists / f"{wish.name}.delta"
        with ExitStack() as stack:
            old = stack.enter_context(closing(open_version(published.lists, before, wish.key)))
            new = stack.enter_context(closing(open_version(wish.lists, built, wish.key)))
            made = make_delta(old, new, ranges_of(wish.lists, new), path, self._progress)
        header = made.header
        target = f"lists/{wish.name}/delta-{header.from_version}-{header.to_version}"
        put_target(self._repository, target, path)
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

    def _base_is_due(self, history: History, now: datetime) -> bool:
        published, wish = self._published, self._wish
        manifest = published.manifest()
        if manifest is None or manifest.overlay is None:
            return False
        old = history.whole_at is None or now - history.whole_at >= BASE_EVERY
        with closing(open_version(published.lists, manifest, wish.key)) as version:
            overlay = version.overlay
            changed = (overlay.adds.records + overlay.removals) if overlay else 0
            large = changed > OVERLAY_MOST * max(1, version.base.records)
        return wish.base or old or large

    def _fold(self, history: History, now: datetime) -> History:
        published, wish = self._published, self._wish
        before = read_manifest(published.lists, wish.name)
        fold(published.lists, wish.name, wish.key, progress=self._progress)
        return self._folded(history, (before.version, before.root()), now)

    def _mended(self, history: History, here: Manifest, now: datetime) -> History:
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
                f"{self._published.lists}: the published copy of list {self._wish.name} is not "
                "what its history says; restore it from a copy, or remove it and publish the list "
                "whole"
            )
        return self._folded(history, end, now)

    def _folded(self, history: History, before: tuple[int, str], now: datetime) -> History:
        """Notes that the copy was folded, once the new base is there whole."""
        after = read_manifest(self._published.lists, self._wish.name)
        put_whole(self._repository, self._published, self._wish.name)
        step = Step(
            kind="fold",
            from_version=before[0],
            from_root=before[1],
            to_version=after.version,
            to_root=after.root(),
        )
        steps = (*history.steps, Past(step, now, history.source_root))
        folded = replace(history, whole=after, whole_at=now, steps=steps)
        self._published.keep(folded)
        return folded
