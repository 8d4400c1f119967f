"""Writes an overlay from what was added and removed, each in order, in little memory."""

import itertools
from pathlib import Path
from types import TracebackType

import numpy as np

from scanner.durable import replace_durably
from scanner.watchlist.elias_fano_arrays import encode
from scanner.watchlist.overlay import HEADER, MAGIC, RUN, TOMBSTONES, overlay_root
from scanner.watchlist.record_arrays import U64, Records
from scanner.watchlist.table_writer import TableWriter


class OverlayWriter:
    """Writes into `folder`, which it makes, over the base with the root `base`, in hexadecimal.
    Used with `with`; without `finish` there is no overlay, since the tombstones come last."""

    def __init__(self, folder: Path, key_id: str, base: str, base_records: int) -> None:
        self._folder = folder
        self._base, self._base_records = base, base_records
        self._adds = TableWriter(folder, key_id)
        self._added = self._removed = 0
        self._held = np.empty(0, np.uint64)
        self._next = 0
        self._runs = bytearray()

    def __enter__(self) -> "OverlayWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._adds.__exit__(kind, error, trace)

    def add(self, records: Records) -> None:
        """The next records that the base has not. Raises ValueError where out of order."""
        self._adds.append(records)
        self._added += len(records)

    def remove(self, ranks: U64) -> None:
        """The next ranks in the base that are listed no longer. Raises ValueError where they do not
        rise, or the base has no such rank."""
        if not len(ranks):
            return
        rise = bool((ranks[1:] > ranks[:-1]).all())
        if not rise or int(ranks[0]) < self._next or int(ranks[-1]) >= self._base_records:
            raise ValueError("removals must be ranks of the base, each above the one before")
        self._next = int(ranks[-1]) + 1
        self._removed += len(ranks)
        self._lay(np.concatenate([self._held, ranks]), finished=False)

    def finish(self) -> str | None:
        """Makes all of it durable and gives the overlay's root, in hexadecimal; None where nothing
        was added or removed, and then a version has no overlay."""
        self._lay(self._held, finished=True)
        adds = self._adds.finish()
        head = HEADER.pack(
            MAGIC,
            bytes.fromhex(self._base),
            bytes.fromhex(adds),
            self._base_records,
            self._removed,
        )
        content = head + bytes(self._runs)
        replace_durably(self._folder / TOMBSTONES, content, mode=0o644)
        return overlay_root(content) if self._added or self._removed else None

    def _lay(self, ranks: U64, *, finished: bool) -> None:
        last = len(ranks) if finished else len(ranks) // RUN * RUN
        for begin, end in itertools.pairwise([*range(0, last, RUN), last]):
            self._runs += encode(ranks[begin:end])
        self._held = ranks[last:]
