"""What was fetched of a list and is not yet in force: a folder of its own beside the lists.

It is on the lists' own disk, so that files get their places by a link and not by a copy. Only what
the newest publication may still need stays in it: a delta goes when it is applied, and downloads
that an older publication named when a newer one is read. It also remembers the one version that was
put in force and failed its probe, so that it is not tried again and again.
"""

import json
import shutil
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from scanner.durable import clear_left, replace_durably
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.manifest import Manifest, read_manifest
from scanner.watchlist.parts import parts_in

FOLDER = ".fetched"
SPARE_BYTES = 32 << 20
"""What stays free on the disk for alerts and the journal."""
_ASIDE = "set-aside.json"
_STAGE = "stage"


class NoSpace(Exception):
    """The disk has no room for what is to be fetched; the message says how much is needed."""


class Fetched:
    """The folder of list `name` beside `lists`."""

    def __init__(self, lists: Path, name: str) -> None:
        self.name = name
        self.folder = lists / FOLDER / name

    def room_for(self, size: int, digest: str = "") -> Path:
        """The folder, once there is room in it for `size` bytes, less what has come already of the
        file with this digest. Raises NoSpace, OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if digest:
            size -= sum(one.stat().st_size for one in self._downloads() if _is_of(one, {digest}))
        free = shutil.disk_usage(self.folder).free
        if free < size + SPARE_BYTES:
            raise NoSpace(
                f"list {self.name}: {(size + SPARE_BYTES) >> 20} MB are needed and {free >> 20} MB "
                "are free; make room"
            )
        return self.folder

    def has_other_than(self, digest: str) -> bool:
        """Whether anything but the file with this digest has come."""
        return any(not _is_of(one, {digest}) for one in self._downloads())

    def keep_only(self, digests: Collection[str]) -> None:
        """Removes whatever has come of other files than those with these digests. Raises
        OSError."""
        for file in self._downloads():
            if not _is_of(file, digests):
                file.unlink()
        clear_left(self.folder)

    def done_with(self, file: Path) -> None:
        """A file that was fetched is needed no more. Raises OSError."""
        file.unlink(missing_ok=True)

    def _downloads(self) -> list[Path]:
        """Files that came or are coming, and the notes of how far."""
        if not self.folder.is_dir():
            return []
        return [
            file
            for file in self.folder.iterdir()
            if not file.name.startswith((".", _ASIDE)) and not file.is_dir()
        ]

    def stage(self, begin: Callable[[Path], None], leads_on: Callable[[Manifest], bool]) -> Path:
        """A folder of lists in which a version is put together. What an attempt before this one put
        there stays if it `leads_on`; else `begin` puts the first version into it. Raises what
        `begin` does, and OSError."""
        stage = self.folder / _STAGE
        try:
            manifest = read_manifest(stage, self.name)
            there = all(part.path.exists() for part in parts_in(stage, manifest))
            if there and leads_on(manifest):
                return stage
        except (FileNotFoundError, ListDamaged):
            pass
        if stage.exists():
            shutil.rmtree(stage)
        stage.mkdir(parents=True)
        begin(stage)
        return stage

    def drop_stage(self) -> None:
        """What was put together is of no use."""
        shutil.rmtree(self.folder / _STAGE, ignore_errors=True)

    def tidy(self) -> None:
        """What was fetched is in force, or of no use any more."""
        with suppress(OSError):
            for file in self.folder.iterdir():
                if file.is_dir():
                    shutil.rmtree(file, ignore_errors=True)
                elif file.name != _ASIDE:
                    file.unlink()

    def set_aside(self) -> str | None:
        """The root of the version that failed its probe."""
        try:
            return str(json.loads((self.folder / _ASIDE).read_bytes())["root"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put_aside(self, root: str) -> None:
        """The version with this root failed its probe. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        replace_durably(self.folder / _ASIDE, json.dumps({"root": root}).encode())


def forget_others(lists: Path, names: Collection[str]) -> None:
    """Removes what was fetched of lists that are not among these. Raises OSError."""
    folder = lists / FOLDER
    for other in folder.iterdir() if folder.is_dir() else ():
        if other.name not in names:
            shutil.rmtree(other)


def _is_of(file: Path, digests: Collection[str]) -> bool:
    return file.name.split(".", 1)[0] in digests
