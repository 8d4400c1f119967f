"""Writes a table from records in order, page by page, in little memory.

The same records give the same three files to the byte, in whatever portions they arrive: a fold
on a device ends in the root that the publisher signed.
"""

import os
from array import array
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from scanner.durable import replace_durably, sync_folder
from scanner.watchlist.directory import MOST_RECORDS, Directory, page_digest, root_of
from scanner.watchlist.page import PAGE
from scanner.watchlist.page_writer import MOST_RECORDS as MOST_A_PAGE
from scanner.watchlist.page_writer import encode, how_many_fit
from scanner.watchlist.record_arrays import Records
from scanner.watchlist.table import DETAILS, DETAILS_A_PAGE, DIRECTORY, KEYS

_AT_ONCE = 64 * 1024
"""Records that are gathered before pages are cut from them."""


class TableWriter:
    """Writes into `folder`, which it makes. Used with `with`; without `finish` there is no table,
    since the directory comes last."""

    def __init__(self, folder: Path, key_id: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key_id = key_id
        self._keys: BinaryIO = (folder / KEYS).open("wb")
        self._details: BinaryIO = (folder / DETAILS).open("wb")
        self._firsts, self._ranks = array("Q"), array("I")
        self._page_digests, self._detail_digests = bytearray(), bytearray()
        self._held: list[Records] = []
        self._count_held = 0
        self._last: tuple[int, int] = (0, 0)
        self._laid = 0
        self._rows = np.empty(0, "<u4")

    def __enter__(self) -> "TableWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._keys.close()
        self._details.close()

    def append(self, records: Records) -> None:
        """The next records. Raises ValueError where they are out of order or too many."""
        if not len(records):
            return
        first = (int(records.keys[0]), int(records.rest[0]))
        if first < self._last or not records.are_in_order():
            raise ValueError("records must come in their order")
        if self._laid + self._count_held + len(records) > MOST_RECORDS:
            raise ValueError(f"a table holds at most {MOST_RECORDS} records")
        self._last = (int(records.keys[-1]), int(records.rest[-1]))
        self._held.append(records)
        self._count_held += len(records)
        if self._count_held >= _AT_ONCE:
            self._lay_pages(finished=False)

    def finish(self) -> str:
        """Makes all of it durable and gives the table's root, in hexadecimal."""
        self._lay_pages(finished=True)
        self._lay_details(finished=True)
        for file in (self._keys, self._details):
            file.flush()
            os.fsync(file.fileno())
        directory = Directory(
            self._key_id,
            self._laid,
            self._firsts,
            self._ranks,
            bytes(self._page_digests),
            bytes(self._detail_digests),
        )
        content = directory.written()
        replace_durably(self._folder / DIRECTORY, content, mode=0o644)
        sync_folder(self._folder.parent)
        return root_of(content).hex()

    def _lay_pages(self, *, finished: bool) -> None:
        """Cuts pages as long as what is held surely fills one, or to the end."""
        whole = Records.together(self._held)
        keys, classes, at = whole.keys, whole.classes, 0
        while at < len(keys) and (finished or len(keys) - at >= MOST_A_PAGE):
            end = at + how_many_fit(keys[at : at + MOST_A_PAGE])
            page = encode(keys[at:end], classes[at:end])
            self._firsts.append(int(keys[at]))
            self._ranks.append(self._laid)
            self._page_digests += page_digest(page)
            self._keys.write(page)
            self._laid += end - at
            at = end
        details = whole[:at].days.astype("<u4") | whole[:at].tags.astype("<u4") << np.uint32(16)
        self._rows = np.concatenate([self._rows, details.astype("<u4")])
        self._lay_details(finished=False)
        self._held, self._count_held = [whole[at:]], len(keys) - at

    def _lay_details(self, *, finished: bool) -> None:
        last = len(self._rows) if finished else len(self._rows) // DETAILS_A_PAGE * DETAILS_A_PAGE
        for at in range(0, last, DETAILS_A_PAGE):
            page = self._rows[at : min(last, at + DETAILS_A_PAGE)].tobytes().ljust(PAGE, b"\0")
            self._detail_digests += page_digest(page)
            self._details.write(page)
        self._rows = self._rows[last:]
