"""The files that are published of one list: its publication, and what that names.

Each is fetched into the list's own folder once there is room for it, and counts only as the file
that was signed. When a publication is read, what was fetched for an older one goes.
"""

from pathlib import Path

from firmware.updates.attempt import Surroundings
from firmware.updates.download import digest_of, fetch
from firmware.updates.fetched import Fetched
from firmware.updates.trust import Refused
from scanner.said import said
from scanner.watchlist.publication import (
    MOST_BYTES,
    Publication,
    PublicationUnusable,
    read_publication,
)


class Targets:
    """The files of list `name`. `came` counts the bytes that have come."""

    def __init__(self, around: Surroundings, name: str, fetched: Fetched) -> None:
        self._around = around
        self._name = name
        self._fetched = fetched
        self.came = self._total = 0

    def expect(self, count: int) -> None:
        """So many bytes more are to come."""
        self._total = self.came + count

    def file(self, path: str, size: int) -> Path:
        """A target's file. Raises Refused, FetchFailed, NoSpace, OSError, Interrupted."""
        around = self._around
        target = around.trusted.lookup(path)
        if target is None:
            raise Refused(
                "unsigned", said("list {name}: nobody signed {path}", name=self._name, path=path)
            )
        if target.length != size:
            raise Refused(
                "result",
                said(
                    "list {name}: {path} has another length than its publication says",
                    name=self._name,
                    path=path,
                ),
            )
        folder = self._fetched.room_for(size, digest_of(target))
        return fetch(around.repository, target, folder, around.stop, self._has_come)

    def _has_come(self, count: int) -> None:
        self.came += count
        self._around.progress(self._name, self.came, max(self._total, self.came))

    def publication(self) -> Publication:
        around = self._around
        target = around.trusted.targets.get(self._name)
        if target is None:
            raise Refused(
                "unsigned",
                said(
                    "list {name}: nothing is published for ring {ring}",
                    name=self._name,
                    ring=around.ring,
                ),
            )
        if target.length > MOST_BYTES:
            raise Refused(
                "too_large",
                said("list {name}: the publication is larger than it may be", name=self._name),
            )
        folder = self._fetched.room_for(target.length, digest_of(target))
        path = fetch(around.repository, target, folder, around.stop, self._has_come)
        try:
            publication = read_publication(path.read_bytes(), self._name, around.ring)
        except PublicationUnusable as unusable:
            raise Refused("malformed", str(unusable)) from None
        self._forget_what_others_named(publication, digest_of(target))
        return publication

    def _forget_what_others_named(self, publication: Publication, digest: str) -> None:
        """Removes what was fetched for an older publication and this one has no use for."""
        if not self._fetched.has_other_than(digest):
            return
        paths = [step.path for step in publication.steps if step.path is not None]
        paths += [file.path for file in publication.whole.files]
        named = (self._around.trusted.lookup(path) for path in paths)
        self._fetched.keep_only({digest, *(digest_of(one) for one in named if one is not None)})
