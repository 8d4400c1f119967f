"""Reading every byte of a list against its digests, to find damage before a document meets it.

What is read comes from the disk: the page cache would hide what has become of the card. So the
cache is told to forget a file before it is read, and each portion after. A scrub stands back for
the desk: `Pace` rests after each portion as long as it took, and `firmware/idle.py` lowers the
priority of whoever scrubs. No key is needed.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.page import PAGE
from scanner.watchlist.parts import Part
from scanner.watchlist.table import DETAILS, KEYS, Table

PORTION = 256
"""Pages between two rests: a megabyte."""
_LONGEST_REST_S = 0.5


class Pace:
    """Rests after each portion as long as reading it took, so half of the card is the desk's."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._since = clock()

    def rest(self) -> None:
        """Called after each portion."""
        self._sleep(min(_LONGEST_REST_S, self._clock() - self._since))
        self._since = self._clock()


class Scrub:
    """Reads one part of a list. `damage` has a line for each of its files that is not whole."""

    def __init__(self, part: Part, rest: Callable[[], None]) -> None:
        """`rest` is called after each portion."""
        self.part = part
        self.damage: list[str] = []
        self._rest = rest

    def run(self) -> Iterator[int]:
        """Reads all of it, giving after each portion its size in bytes. Damage is noted, and what
        follows is still read."""
        left = self.part.size()
        for path in self.part.files():
            _forget(path)
        try:
            table = self.part.open()
        except ListDamaged as damage:
            self.damage.append(str(damage))
            table = None
        if table is not None:
            with closing(table):
                for read in self._pages(table):
                    left -= read
                    yield read
        yield max(0, left)

    def _pages(self, table: Table) -> Iterator[int]:
        directory = table.directory
        yield from self._file(table.folder / KEYS, directory.pages, table.key_page)
        yield from self._file(table.folder / DETAILS, directory.detail_pages, table.detail_page)

    def _file(self, path: Path, pages: int, read: Callable[[int], bytes]) -> Iterator[int]:
        damage: list[str] = []
        for begin in range(0, pages, PORTION):
            portion = range(begin, min(begin + PORTION, pages))
            place, size = begin * PAGE, len(portion) * PAGE
            _advise(path, os.POSIX_FADV_WILLNEED, place, size)
            for number in portion:
                try:
                    read(number)
                except ListDamaged as found:
                    damage.append(str(found))
            _forget(path, place, size)
            yield size
            self._rest()
        if damage:
            more = f" ({len(damage)} of its {pages} pages are damaged)" if damage[1:] else ""
            self.damage.append(damage[0] + more)


def _forget(path: Path, place: int = 0, size: int = 0) -> None:
    _advise(path, os.POSIX_FADV_DONTNEED, place, size)


def _advise(path: Path, advice: int, place: int, size: int) -> None:
    """Tells the page cache what is wanted of a part of a file, to its end where `size` is 0."""
    with suppress(OSError):  # advice alone: what is wrong with a file, reading it tells
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            os.posix_fadvise(file, place, size, advice)
        finally:
            os.close(file)
