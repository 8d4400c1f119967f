"""`borderpost list verify`: every byte of every list, its previous version included, against its
digest, while the desk goes on.

A part that two versions share is read once. A version that is replaced while it is read is not
damaged: what its manifest named may be gone.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from firmware.lists.status import size_of
from firmware.progress import span_left
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.manifest import (
    IN_FORCE,
    NAME,
    PREVIOUS,
    Manifest,
    manifest_path,
    read_manifest,
)
from scanner.watchlist.parts import Part, parts_in
from scanner.watchlist.scrub import Scrub

_WORD_EVERY_S = 30.0


@dataclass(frozen=True)
class Verified:
    """One version of a list, read whole. `damage` has a line for each file that is not whole;
    `replaced` says that it was no longer there at the end. `manifest` is None where the manifest
    itself is what is damaged."""

    list: str
    in_force: bool
    manifest: Manifest | None
    damage: tuple[str, ...]
    size: int
    replaced: bool = False


def names_in(folder: Path) -> tuple[str, ...]:
    """The lists that have a version in a folder. Raises OSError."""
    return tuple(
        sorted(
            {
                path.stem
                for path in folder.iterdir()
                if path.suffix in (IN_FORCE, PREVIOUS) and NAME.fullmatch(path.stem)
            }
        )
    )


class Verification:
    """Reads lists whole. `rest` is called after each megabyte, `said` with every portion read."""

    def __init__(
        self, folder: Path, names: Sequence[str], rest: Callable[[], None], said: "Course"
    ) -> None:
        self._folder = folder
        self._names = names
        self._rest = rest
        self._said = said
        self._read: dict[Part, tuple[str, ...]] = {}

    def run(self) -> Iterator[Verified]:
        """Each version of each list, when it has been read."""
        versions = [
            (name, suffix, *self._manifest(name, suffix))
            for name in self._names
            for suffix in (IN_FORCE, PREVIOUS)
        ]
        parts = {part for *_, manifest, _ in versions if manifest for part in self._parts(manifest)}
        self._said.begin(sum(part.size() for part in parts))
        for name, suffix, manifest, fault in versions:
            if manifest:
                yield self._version(manifest, suffix)
            elif fault:
                yield Verified(name, suffix == IN_FORCE, None, (fault,), 0)

    def _version(self, manifest: Manifest, suffix: str) -> Verified:
        damage: list[str] = []
        for part in self._parts(manifest):
            if part not in self._read:
                self._read[part] = self._scrubbed(part)
            damage += self._read[part]
        replaced = bool(damage) and not self._still_named(manifest)
        return Verified(
            manifest.name,
            suffix == IN_FORCE,
            manifest,
            () if replaced else tuple(damage),
            sum(part.size() for part in self._parts(manifest)),
            replaced,
        )

    def _scrubbed(self, part: Part) -> tuple[str, ...]:
        scrub = Scrub(part, self._rest)
        for size in scrub.run():
            self._said.read(size)
        return tuple(scrub.damage)

    def _parts(self, manifest: Manifest) -> tuple[Part, ...]:
        return parts_in(self._folder, manifest)

    def _still_named(self, manifest: Manifest) -> bool:
        known = (self._manifest(manifest.name, suffix)[0] for suffix in (IN_FORCE, PREVIOUS))
        return manifest in known

    def _manifest(self, name: str, suffix: str) -> tuple[Manifest | None, str]:
        """A version's manifest, or why there is none: of a previous version that is no fault."""
        try:
            return read_manifest(self._folder, name, suffix), ""
        except FileNotFoundError:
            path = manifest_path(self._folder, name, suffix)
            there_should_be = f"{path} is not there; build or fetch the list"
            return None, there_should_be if suffix == IN_FORCE else ""
        except ListDamaged as damage:
            return None, str(damage)


class Course:
    """How far it has come, on standard error: a terminal sees one line that changes, a file or a
    pipe a line every half minute."""

    def __init__(
        self,
        stream: TextIO | None = sys.stderr,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._live = bool(stream and stream.isatty())
        self._whole = self._done = 0
        self._began = self._spoke = clock()

    def begin(self, whole: int) -> None:
        """Now `whole` bytes are to be read."""
        self._whole = whole

    def read(self, size: int) -> None:
        """So many bytes more have been."""
        self._done += size
        if self._live:
            self._write(f"\r\x1b[K{self.told()}")
        elif self._clock() - self._spoke >= _WORD_EVERY_S:
            self._spoke = self._clock()
            self._write(f"{self.told()}\n")

    def make_room(self) -> None:
        """Takes the changing line away."""
        if self._live:
            self._write("\r\x1b[K")

    def told(self) -> str:
        spent = self._clock() - self._began
        left = self._whole - self._done
        rest = f", {span_left(spent / self._done * left)} left" if self._done and left > 0 else ""
        return f"{size_of(self._done)} of {size_of(self._whole)} read{rest}"

    def _write(self, text: str) -> None:
        if self._stream is not None:
            self._stream.write(text)
            self._stream.flush()


def as_object(one: Verified) -> dict[str, Any]:
    """A version for other programs."""
    return {
        "list": one.list,
        "version": one.manifest.version if one.manifest else None,
        "in_force": one.in_force,
        "whole": None if one.replaced else not one.damage,
        "damage": list(one.damage),
        "bytes": one.size,
    }


def lines(one: Verified) -> Iterator[str]:
    """A version for a person: a line, and one more for each damaged part."""
    version = f"version {one.manifest.version}" if one.manifest else "its manifest"
    which = f"{one.list}, {version}{'' if one.in_force else ' (previous)'}"
    if one.replaced:
        yield f"{which}: it was replaced while it was read; verify again"
    elif one.damage:
        yield f"{which}: DAMAGED"
        yield from (f"  {line}" for line in one.damage)
    else:
        yield f"{which}: whole, {size_of(one.size)}"
