"""The parts of a version as they lie on disk, opened one by one and without the list's key.

Opening holds everything but pages against the digests that the manifest vouches for, and compares
the files' sizes: directories, tombstones and ranges are read whole, pages are not.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.layout import base_folder, overlay_folder, ranges_path
from scanner.watchlist.manifest import Manifest
from scanner.watchlist.overlay import TOMBSTONES, open_overlay
from scanner.watchlist.ranges import verified
from scanner.watchlist.table import DETAILS, DIRECTORY, KEYS, Table, open_table

BASE, OVERLAY, RANGES = "base", "overlay", "ranges"
_OF_TABLE = (DIRECTORY, KEYS, DETAILS)
_FILES = {BASE: _OF_TABLE, OVERLAY: (TOMBSTONES, *_OF_TABLE)}


def files_of(kind: str) -> tuple[str, ...]:
    """The names of the files in a part that is a folder."""
    return _FILES.get(kind, ())


@dataclass(frozen=True)
class Part:
    """One folder or file of a version. `root` is what the manifest has of it, in hexadecimal."""

    kind: str
    path: Path
    root: str

    def open(self) -> Table | None:
        """The table in it; ranges have none. Raises ListDamaged."""
        if self.kind == BASE:
            return open_table(self.path, self.root)
        if self.kind == OVERLAY:
            return open_overlay(self.path, self.root).adds
        verified(self.path, self.root)
        return None

    def files(self) -> tuple[Path, ...]:
        """Every file that it ought to have."""
        return tuple(self.path / name for name in files_of(self.kind)) or (self.path,)

    def size(self) -> int:
        """Bytes on disk; a file that is not there has none."""
        size = 0
        for path in self.files():
            with suppress(OSError):
                size += path.stat().st_size
        return size


def parts_in(lists: Path, manifest: Manifest) -> tuple[Part, ...]:
    """What a version is made of: its base, its overlay where it has one, its ranges."""
    name, base = manifest.name, manifest.base
    parts = [Part(BASE, base_folder(lists, name, base), base)]
    if manifest.overlay:
        root = manifest.overlay
        parts.append(Part(OVERLAY, overlay_folder(lists, name, root), root))
    digest = manifest.ranges_digest
    return (*parts, Part(RANGES, ranges_path(lists, name, digest), digest))


def fault_at_opening(lists: Path, manifest: Manifest) -> str:
    """Why a version could not be opened, in one line; empty where it could."""
    for part in parts_in(lists, manifest):
        try:
            table = part.open()
        except ListDamaged as damage:
            return str(damage)
        if table is not None:
            table.close()
    return ""
