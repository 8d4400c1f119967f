"""One list's place on a device: which of its versions answers.

The version in force answers, and goes on answering out of the pages that are whole where others are
damaged: each is verified as it is read, so what a whole page says is as good as it was. The damage
is said beside.

Where what a document needs cannot be read, or the version's key is not at hand, the previous
version is asked in its place. What it finds is a match; that it finds nothing clears nobody, since
what is new in the version in force it cannot know. So the list counts as damaged or locked all the
same. What was found damaged is told until its files change.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from scanner.said import said
from scanner.watchlist.activation import parts_of
from scanner.watchlist.contract import ListDamaged, ListHealth, Match, Question
from scanner.watchlist.keyring import KeyMissing, KeySource
from scanner.watchlist.manifest import IN_FORCE, PREVIOUS, Manifest, read_manifest
from scanner.watchlist.store import Store, open_store


@dataclass(frozen=True)
class Answer:
    """What a list said. `store` is the version that answered, None where none could. `health` and
    `reason` are those of the version in force: it is not OK where another one answered."""

    matches: tuple[Match, ...]
    store: Store | None
    health: ListHealth
    reason: str = ""


@dataclass
class _Opened:
    """A version as it was opened, or why it was not. Texts, not exceptions: an exception that is
    kept keeps the frames of an asking, and with them the numbers asked."""

    files: tuple[object, ...]
    store: Store | None = None
    manifest: Manifest | None = None
    damage: str = ""
    health: ListHealth = field(default=ListHealth.DAMAGED)

    def look_up(self, questions: Sequence[Question]) -> tuple[Match, ...] | None:
        """What it answers, or None where it is not open, or what is asked for is damaged."""
        if self.store is None:
            return None
        try:
            return self.store.look_up(questions)
        except ListDamaged as damage:
            self.damage = str(damage)
            return None

    def close(self) -> None:
        if self.store is not None:
            self.store.close()


class Slot:
    """One list in a folder. Not safe to ask from several threads at once."""

    def __init__(self, folder: Path, name: str, keys: KeySource) -> None:
        self._folder = folder
        self._name = name
        self._keys = keys
        self._opened: dict[str, _Opened] = {}

    def ask(self, questions: Sequence[Question]) -> Answer:
        """Asks the version that may answer. Raises FileNotFoundError where there is no list."""
        current = self._current(IN_FORCE)
        told = current.damage
        matches = current.look_up(questions)
        if matches is not None:
            reason = said("a part of it is damaged: {told}", told=told) if told else ""
            return Answer(matches, current.store, ListHealth.OK, reason)
        return self._of_previous(current, questions) or Answer(
            (), None, current.health, current.damage
        )

    def _of_previous(self, damaged: _Opened, questions: Sequence[Question]) -> Answer | None:
        """What the previous version finds in place of one that cannot be asked."""
        with suppress(FileNotFoundError):
            previous = self._current(PREVIOUS)
            matches = previous.look_up(questions)
            if matches is not None and previous.manifest and previous.manifest != damaged.manifest:
                reason = said(
                    "version {version} is asked instead: {damage}",
                    version=previous.manifest.version,
                    damage=damaged.damage,
                )
                return Answer(matches, previous.store, damaged.health, reason)
        return None

    def _current(self, suffix: str) -> _Opened:
        """A version as its files are now, opened again only when they have changed. Raises
        FileNotFoundError where there is none."""
        try:
            manifest = read_manifest(self._folder, self._name, suffix)
        except FileNotFoundError:
            self._forget(suffix)
            raise
        except ListDamaged as damage:
            self._forget(suffix)
            return self._keep(suffix, _Opened((), damage=str(damage)))
        files = (manifest, *map(_identity, _files_of(self._folder, manifest)))
        known = self._opened.get(suffix)
        if known is None or known.files != files or known.health is ListHealth.LOCKED:
            self._forget(suffix)
            known = self._keep(suffix, self._open(manifest, files))
            if known.damage and self._was_replaced(suffix, manifest):
                return self._current(suffix)
        return known

    def _open(self, manifest: Manifest, files: tuple[object, ...]) -> _Opened:
        opened = _Opened(files, manifest=manifest)
        try:
            key = self._keys.key(self._name, manifest.key_id)
            opened.store = open_store(self._folder, manifest, key)
        except KeyMissing as missing:
            opened.damage, opened.health = str(missing), ListHealth.LOCKED
        except ListDamaged as damage:
            opened.damage = str(damage)
        return opened

    def _was_replaced(self, suffix: str, manifest: Manifest) -> bool:
        """Whether another version was put in force while this one was being opened."""
        try:
            return read_manifest(self._folder, self._name, suffix) != manifest
        except (FileNotFoundError, ListDamaged):
            return True

    def _keep(self, suffix: str, opened: _Opened) -> _Opened:
        self._opened[suffix] = opened
        return opened

    def _forget(self, suffix: str) -> None:
        known = self._opened.pop(suffix, None)
        if known is not None:
            known.close()


def _files_of(folder: Path, manifest: Manifest) -> list[Path]:
    """Every file that a version is made of."""
    files: list[Path] = []
    for part in parts_of(folder, manifest):
        try:
            files += sorted(part.iterdir()) if part.is_dir() else [part]
        except OSError:
            files.append(part)
    return files


def _identity(path: Path) -> tuple[object, ...]:
    """What changes when a file is replaced or written to; the name alone when it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return (path,)
    return (path, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
