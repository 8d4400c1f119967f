"""All records of a table in order, in portions: for folds, deltas and the exhaustive check."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from scanner.said import said
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.page_writer import decode
from scanner.watchlist.record_arrays import U64, Records
from scanner.watchlist.table import DETAILS_A_PAGE, KEYS, Table

PAGES_AT_ONCE = 64


def scan(table: Table) -> Iterator[Records]:
    """Portions of some 44,000 records, every page verified. Raises ListDamaged."""
    details = _Details(table)
    for begin in range(0, table.directory.pages, PAGES_AT_ONCE):
        end = min(begin + PAGES_AT_ONCE, table.directory.pages)
        table.expect(range(end, end + PAGES_AT_ONCE), details.ahead())
        pages = [unpacked(table, number) for number in range(begin, end)]
        keys = np.concatenate([keys for keys, _ in pages])
        classes = np.concatenate([classes for _, classes in pages]).astype(np.uint64)
        rest = classes << np.uint64(32) | details.next(len(keys))
        yield Records(keys, rest)


def unpacked(table: Table, number: int) -> tuple[U64, NDArray[np.uint8]]:
    """The keys and classes of one page. Raises ListDamaged."""
    try:
        return decode(table.key_page(number), table.directory.firsts[number])
    except ValueError as error:
        raise ListDamaged(
            said(
                "{file}: page {number}: {error}",
                file=table.folder / KEYS,
                number=number,
                error=error,
            )
        ) from None


class _Details:
    """The pages of details, one after the other."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._page = 0
        self._held = np.empty(0, np.uint64)

    def ahead(self) -> range:
        """The pages that the next portions lie in."""
        return range(self._page, self._page + PAGES_AT_ONCE)

    def next(self, count: int) -> np.ndarray:
        """Tag and day of the next records, as `rest` has them."""
        parts = [self._held]
        have = len(self._held)
        while have < count:
            page = np.frombuffer(self._table.detail_page(self._page), "<u4")
            self._page += 1
            parts.append(page.astype(np.uint64))
            have += DETAILS_A_PAGE
        whole = np.concatenate(parts)
        self._held = whole[count:]
        return whole[:count]
