"""A table of records on disk, open for lookups: one page read for a key, one more on a match.

A table is a folder of three files: `keys`, pages of sorted keys with a class byte each (`page`);
`details`, pages of day and tag, found by rank; `directory`, which vouches for every page
(`directory`). A page is read with pread, not mapped: a bad sector is then an error that is
handled and not a signal that ends the process. Every page is held against its digest each time it
is read, so a flipped bit is damage and never an answer.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from struct import Struct
from typing import Final

from scanner.said import said
from scanner.watchlist.contract import CHANGED, ListDamaged, damaged
from scanner.watchlist.directory import Directory, page_digest, parsed, root_of
from scanner.watchlist.page import PAGE, class_at, find
from scanner.watchlist.records import Record

KEYS: Final = "keys"
DETAILS: Final = "details"
DIRECTORY: Final = "directory"
DETAIL: Final = Struct("<HH")
"""Day and tag of a record."""
DETAILS_A_PAGE: Final = PAGE // DETAIL.size
"""What to do about damage."""
_MOST_DIRECTORY: Final = 256 * 1024 * 1024

Found = tuple[int, int]
"""A record's rank in its table and its class byte."""


class Table:
    """One table, its directory in memory. Safe to ask from several threads."""

    def __init__(self, folder: Path, directory: Directory, files: tuple[int, int]) -> None:
        self.folder = folder
        self.directory = directory
        self.pages_read = 0
        """Since it was opened; what a benchmark counts."""
        self._keys, self._details = files

    @property
    def records(self) -> int:
        return self.directory.records

    def find(self, key: int) -> tuple[Found, ...]:
        """Every record with this key. Raises ListDamaged."""
        found: list[Found] = []
        for number in self.directory.pages_with(key):
            page = self.key_page(number)
            rank = self.directory.ranks[number]
            try:
                indexes = find(page, self.directory.firsts[number], key)
            except ValueError as error:
                raise self._damaged(KEYS, number, str(error)) from None
            found += [(rank + index, class_at(page, index)) for index in indexes]
        return tuple(found)

    def record(self, key: int, found: Found) -> Record:
        """A record that was found, with its day and tag. Raises ListDamaged."""
        rank, class_byte = found
        page = self.detail_page(rank // DETAILS_A_PAGE)
        day, tag = DETAIL.unpack_from(page, rank % DETAILS_A_PAGE * DETAIL.size)
        return Record(key, class_byte, tag, day)

    def key_page(self, number: int) -> bytes:
        """A page of keys, whole. Raises ListDamaged."""
        return self._page(self._keys, KEYS, number, self.directory.page_digest(number))

    def detail_page(self, number: int) -> bytes:
        """A page of details, whole. Raises ListDamaged."""
        return self._page(self._details, DETAILS, number, self.directory.detail_digest(number))

    def expect(self, key_pages: range, detail_pages: range) -> None:
        """Tells the system that these pages are read soon. Without it each page of a walk over the
        table is waited for by itself."""
        for file, pages in ((self._keys, key_pages), (self._details, detail_pages)):
            with suppress(OSError):
                begin, size = pages.start * PAGE, len(pages) * PAGE
                os.posix_fadvise(file, begin, size, os.POSIX_FADV_WILLNEED)

    def scrubbed(self) -> Iterator[int]:
        """Reads every page against its digest, giving after each how many were read. Raises
        ListDamaged at the first that is not whole."""
        for number in range(self.directory.pages):
            self.key_page(number)
            yield number + 1
        for number in range(self.directory.detail_pages):
            self.detail_page(number)
            yield self.directory.pages + number + 1

    def close(self) -> None:
        """Closes the files; the table answers nothing afterwards."""
        files, self._keys, self._details = (self._keys, self._details), -1, -1
        for file in files:
            if file >= 0:
                os.close(file)

    def _page(self, file: int, name: str, number: int, digest: bytes) -> bytes:
        self.pages_read += 1
        try:
            page = os.pread(file, PAGE, number * PAGE)
        except OSError as error:
            raise self._damaged(name, number, error.strerror or str(error)) from None
        if page_digest(page) != digest:
            raise self._damaged(name, number, "its content is not what the directory says")
        return page

    def _damaged(self, name: str, number: int, why: str) -> ListDamaged:
        return damaged(
            self.folder / name,
            said("page {number} cannot be used: {why}", number=number, why=why),
            self.folder,
        )


def open_table(folder: Path, root: str) -> Table:
    """Opens the table that has this root, in hexadecimal. Raises ListDamaged."""
    directory = _directory(folder / DIRECTORY, root)
    files: list[int] = []
    try:
        for name, pages in ((KEYS, directory.pages), (DETAILS, directory.detail_pages)):
            path = folder / name
            files.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
            there = os.fstat(files[-1])
            if not S_ISREG(there.st_mode):
                raise damaged(path, said("this is no plain file"))
            size = there.st_size
            if size != pages * PAGE:
                raise damaged(
                    path,
                    said(
                        "the file has {size} bytes and should have {due}",
                        size=size,
                        due=pages * PAGE,
                    ),
                )
            with suppress(OSError):  # a hint alone: keys lie anywhere, reading ahead is for nothing
                os.posix_fadvise(files[-1], 0, 0, os.POSIX_FADV_RANDOM)
    except OSError as error:
        _close(files)
        raise damaged(str(error.filename), error.strerror or error) from None
    except ListDamaged:
        _close(files)
        raise
    return Table(folder, directory, (files[0], files[1]))


def _directory(path: Path, root: str) -> Directory:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_DIRECTORY)
    except OSError as error:
        raise damaged(path, error.strerror or error) from None
    if root_of(content).hex() != root:
        raise damaged(path, CHANGED)
    try:
        return parsed(content)
    except ValueError as error:
        raise damaged(path, error) from None


def _close(files: list[int]) -> None:
    for file in files:
        os.close(file)
