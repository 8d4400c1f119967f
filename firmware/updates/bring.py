"""Brings one list to the version that its publication names, by the shortest way there.

From what lies here, the steps that the publication tells of: deltas, and folds that need no file.
Where nothing leads from here, or a step does not do what it should, the whole version, once, and
that is said beside "updated". Either is put together aside and comes into force at once: the desk
goes on asking the version in force all the while, nothing older ever takes its place, and it is the
one that can be gone back to. A version comes into force only under the root that was signed, and
has to answer for its canaries at once: where it does not, the one before is put back, and this
publication's version is not tried again.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from firmware.updates.attempt import Outcome, Result, Surroundings
from firmware.updates.download import Interrupted
from firmware.updates.fetched import Fetched, NoSpace
from firmware.updates.repository import FetchFailed
from firmware.updates.targets import Targets
from firmware.updates.trust import Refused
from scanner.said import said
from scanner.watchlist.activation import Busy, NoPrevious, alone, rolled_back
from scanner.watchlist.canaries import probe
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.delta_apply import apply_delta
from scanner.watchlist.delta_header import DeltaRefused
from scanner.watchlist.fold import FoldRefused, fold
from scanner.watchlist.keyring import KeyMissing
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import Manifest, read_manifest
from scanner.watchlist.parts import BASE, OVERLAY, parts_in
from scanner.watchlist.publication import Publication, Step, Whole
from scanner.watchlist.whole import WholeRefused, adopt, link_version, put_whole, renew

_STEP_REFUSED = (DeltaRefused, FoldRefused, ListDamaged)
_FAILED: dict[type[Exception], str] = {
    FetchFailed: "unreachable",
    NoSpace: "no_space",
    Busy: "busy",
    KeyMissing: "key",
    ListDamaged: "damaged",
    OSError: "disk",
}


class Bringer:
    """One attempt with the list `name`."""

    def __init__(self, around: Surroundings, name: str) -> None:
        self._around = around
        self._name = name
        self._fetched = Fetched(around.lists, name)
        self._targets = Targets(around, name, self._fetched)
        self._result = Result(name)

    def bring(self) -> Result:
        """Whatever goes wrong is in the result, and the list is then what it was or a version that
        was signed. Raises Interrupted."""
        began = time.monotonic()
        result = self._result
        before = in_force(self._around.lists, self._name)
        result.from_version = before.version if before else None
        try:
            self._bring(before)
        except Refused as refused:
            result.outcome, result.code = Outcome.REFUSED, refused.code
            result.reason = str(refused)
        except tuple(_FAILED) as failed:
            result.code = next(code for kind, code in _FAILED.items() if isinstance(failed, kind))
            result.reason = in_words(failed)
        after = in_force(self._around.lists, self._name)
        result.version = after.version if after else None
        result.bytes = self._targets.came
        result.seconds = time.monotonic() - began
        return result

    def _bring(self, before: Manifest | None) -> None:
        publication = self._targets.publication()
        self._result.publication = publication.number
        self._hold_to_order(before, publication)
        damaged = self._name in self._around.damaged
        if before is None or before.root() != publication.root or damaged:
            self._go(None if damaged else before, publication)
            self._answer_for(publication)
            outcome = Outcome.UPDATED
        else:
            outcome = Outcome.CURRENT
        renew(self._around.lists, self._name, publication.root, publication.as_of)
        self._fetched.tidy()
        self._result.outcome = outcome

    def _hold_to_order(self, before: Manifest | None, publication: Publication) -> None:
        """Nothing older than what is in force, and nothing that failed before."""
        if publication.root == self._fetched.set_aside():
            raise Refused(
                "probe",
                said(
                    "list {name}: version {version} failed its probe before; a newer one is "
                    "waited for",
                    name=self._name,
                    version=publication.version,
                ),
            )
        if before is not None and publication.version < before.version:
            raise Refused(
                "rollback",
                said(
                    "list {name}: version {version} is published and {before} is in force",
                    name=self._name,
                    version=publication.version,
                    before=before.version,
                ),
            )

    def _go(self, before: Manifest | None, publication: Publication) -> None:
        """The steps from what lies here, else the whole version and the steps from that."""
        whole = publication.whole
        onwards = publication.steps_from(whole.version, whole.root()) or ()
        steps = publication.steps_from(before.version, before.root()) if before else None
        afresh = whole.bytes + _bytes(onwards)
        if before is not None and steps is not None and _bytes(steps) <= afresh:
            self._targets.expect(_bytes(steps))
            lists = self._around.lists
            try:
                self._put_together(publication, lambda stage: link_version(lists, stage, before))
            except (*_STEP_REFUSED, WholeRefused, Refused) as refused:
                self._say(
                    "fell_back",
                    said("the whole version was fetched, for {why}", why=refused),
                )
            else:
                return
        elif before is not None:
            self._say("whole", said("nothing shorter led from the version in force"))
        self._targets.expect(afresh)
        try:
            self._put_together(publication, lambda stage: self._put_whole(stage, whole))
        except (*_STEP_REFUSED, WholeRefused) as refused:
            raise Refused("result", str(refused)) from None

    def _put_together(self, publication: Publication, begin: Callable[[Path], None]) -> None:
        """Puts the published version together aside, from the one that `begin` puts there, and in
        force when it is whole. Raises Refused, WholeRefused, DeltaRefused, FoldRefused,
        ListDamaged; what was begun is then of no use to anybody."""

        def steps_from(manifest: Manifest) -> tuple[Step, ...] | None:
            return publication.steps_from(manifest.version, manifest.root())

        stage = self._fetched.stage(begin, lambda manifest: steps_from(manifest) is not None)
        try:
            for step in steps_from(read_manifest(stage, self._name)) or ():
                self._take(stage, step)
            now = read_manifest(stage, self._name)
            adopt(self._around.lists, stage, self._name, self._key(now.key_id))
        except (*_STEP_REFUSED, WholeRefused, Refused):
            self._fetched.drop_stage()
            raise

    def _take(self, lists: Path, step: Step) -> None:
        """Goes one step in `lists`."""
        if self._around.stop.is_set():
            raise Interrupted
        before = read_manifest(lists, self._name)
        key = self._key(before.key_id)
        sizes = {part.kind: part.size() for part in parts_in(lists, before)}
        overlay = sizes.get(OVERLAY, 0)
        file = None
        if step.path is None:
            self._fetched.room_for(sizes[BASE] + overlay)
            after = fold(lists, self._name, key, expected_root=step.to_root)
        else:
            file = self._targets.file(step.path, step.bytes)
            self._fetched.room_for(overlay + step.bytes)
            after = apply_delta(lists, self._name, file, key)
        if (after.version, after.root()) != (step.to_version, step.to_root):
            raise Refused(
                "result",
                said(
                    "list {name}: a step led to version {version}, {root}, and {to_version}, "
                    "{to_root} was signed",
                    name=self._name,
                    version=after.version,
                    root=after.root()[:16],
                    to_version=step.to_version,
                    to_root=step.to_root[:16],
                ),
            )
        if file is not None:
            self._fetched.done_with(file)

    def _put_whole(self, stage: Path, whole: Whole) -> None:
        key = self._key(whole.key_id)
        files = {file.place: self._targets.file(file.path, file.bytes) for file in whole.files}
        put_whole(stage, whole.manifest(self._name), files, key)

    def _key(self, key_id: str) -> ListKey:
        return self._around.keys.key(self._name, key_id)

    def _answer_for(self, publication: Publication) -> None:
        """The version now in force must know its canaries; else the one before comes back."""
        lists = self._around.lists
        now = read_manifest(lists, self._name)
        if now.root() == publication.root:
            fault = probe(lists, now, self._key(now.key_id), publication.canaries)
        else:
            fault = said("it has not the root that was signed")
        if fault is None:
            return
        self._fetched.put_aside(publication.root)
        try:
            with alone(lists, self._name):
                back = rolled_back(lists, self._name)
            told = said("version {version} is in force again", version=back.version)
        except NoPrevious as none:
            told = said("there is none to go back to ({why})", why=none)
        raise Refused(
            "probe",
            said(
                "list {name}: version {version}: {fault}; {told}",
                name=self._name,
                version=now.version,
                fault=fault,
                told=told,
            ),
        )

    def _say(self, code: str, reason: str) -> None:
        self._result.code, self._result.reason = code, reason


def _bytes(steps: Sequence[Step]) -> int:
    return sum(step.bytes for step in steps)


def in_force(lists: Path, name: str) -> Manifest | None:
    """The version of a list that is in force, or None."""
    with suppress(FileNotFoundError, ListDamaged):
        return read_manifest(lists, name)
    return None


def in_words(failed: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(failed, OSError):
        return f"{failed.filename or 'the disk'}: {failed.strerror or failed}"
    return str(failed)
