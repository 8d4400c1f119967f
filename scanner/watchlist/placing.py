"""Where a version's parts are made, and how they come into their places.

Parts are built in a hidden folder of the list's own and renamed whole. What an interrupted update
left, the next one removes: nothing of it was of use to anyone yet.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from scanner.durable import sync_folder
from scanner.watchlist.activation import BUILDING
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.overlay import open_overlay
from scanner.watchlist.table import open_table


@contextmanager
def workshop(folder: Path) -> Iterator[Path]:
    """An empty hidden folder within a list's folder, gone afterwards. What an update left there
    that was cut short is removed first. Raises OSError."""
    place = folder / f"{BUILDING}-update"
    if place.exists():
        shutil.rmtree(place)
    place.mkdir()
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def put_in_place(built: Path, target: Path, check: Callable[[Path], None]) -> None:
    """Renames a folder that was built to the name that says its content. What stands there already
    stays if `check` finds it whole: a version that can be gone back to may need it. `check` raises
    ListDamaged; a damaged one is replaced. Raises OSError."""
    if target.exists():
        try:
            check(target)
        except ListDamaged:
            target.rename(built.with_name(f"damaged-{target.name}"))
        else:
            return
    built.rename(target)
    sync_folder(target.parent)


def check_table(folder: Path, root: str) -> None:
    """Reads all of a table. Raises ListDamaged."""
    with closing(open_table(folder, root)) as table:
        for _ in table.scrubbed():
            pass


def check_overlay(folder: Path, root: str) -> None:
    """Reads all of an overlay. Raises ListDamaged."""
    with closing(open_overlay(folder, root)) as overlay:
        for _ in overlay.adds.scrubbed():
            pass
