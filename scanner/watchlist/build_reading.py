"""The first half of a build: its source is read, filed under the list's key and dealt out to runs.

From time to time all of it is made durable and how far the build has come is written down; an
interrupted build goes on from there, and tells again what it had told of the rows before.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from scanner.watchlist.build_report import Estimate, Progress, Stages, Superseded, Told
from scanner.watchlist.build_state import State, beginning, state_in
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.notes import Notes, NotesDamaged
from scanner.watchlist.portions import Portion, Single, read_portions
from scanner.watchlist.record_arrays import rest_column
from scanner.watchlist.runs import ROW, Replaced, Rows, Runs, RunsDamaged
from scanner.watchlist.source import SourceUnusable

KEPT_EVERY = 2_000_000
"""Rows between two moments from which a build can go on."""


class Reading:
    """The reading of one source, in a build's hidden folder. Used with `with`. `resumed_at` counts
    the rows after which it goes on, 0 where it begins."""

    def __init__(
        self, source: Path, folder: Path, key: ListKey, told: Told, stages: Stages
    ) -> None:
        """Goes on with what is in the folder, or clears it. Raises SourceUnusable, OSError."""
        self._source = source
        self._folder = folder
        self._key = key
        self._told = told
        self._stages = stages
        begun_with = beginning(source, key.id)
        self.state = state_in(folder, begun_with) or State(begun_with)
        with ExitStack() as stack:
            try:
                self.runs, self.notes = self._opened(stack)
            except (RunsDamaged, NotesDamaged):
                self.state = State(begun_with)
                self.runs, self.notes = self._opened(stack)
            self._stack = stack.pop_all()
        self.resumed_at = self.kept = self.state.rows

    def __enter__(self) -> "Reading":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self) -> None:
        """Reads the source to its end. Raises SourceUnusable, OSError."""
        if self.resumed_at:
            self._tell_again()
        if self.state.read:
            return
        estimate = Estimate(self.state.share)
        for portion in self._stages.making("read", self._portions()):
            self._take(portion)
            share = self.state.share
            self.tell_progress("reading", share, estimate.left_s(share))
            if self.state.rows - self.kept >= KEPT_EVERY:
                self._keep()
        if not self._source_is_the_same():
            self.discard()
            raise SourceUnusable(f"{self._source}: it changed while it was read; build again")
        self.state.read = True
        self._keep()

    def tell_progress(self, stage: str, share: float, left_s: float | None) -> None:
        """Tells how far a stage is."""
        self._told.progress(Progress(stage, self.state.rows, self.kept, share, left_s))

    def tell_replaced(self, replaced: Replaced) -> None:
        """Reports replaced rows, by their lines."""
        for line, by_line in zip(*_by_line(replaced), strict=True):
            self._told.report(Superseded(line, by_line))

    def tell_replaced_ranges(self, lines: list[tuple[int, int]]) -> None:
        """Reports replaced ranges, each by its line and that of the row that replaced it."""
        for line, by_line in lines:
            self._told.report(Superseded(line, by_line))

    def discard(self) -> None:
        """Removes all that was kept, so that the next build begins anew."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _opened(self, stack: ExitStack) -> tuple[Runs, Notes]:
        if not self.state.rows and not self.state.read:
            if self._folder.exists():
                shutil.rmtree(self._folder)
            self._folder.mkdir()
        runs = stack.enter_context(Runs(self._folder / "runs", self.state.runs))
        return runs, stack.enter_context(Notes(self._folder, self._key, self.state.notes))

    def _tell_again(self) -> None:
        self._told.resumed(self.resumed_at)
        for bad in self.notes.bad_rows():
            self._told.report(bad)
        for line, by_line in self.notes.replaced():
            self._told.report(Superseded(line, by_line))

    def _portions(self) -> Iterator[Portion]:
        """What is left of the source. What goes wrong with reading it is its own fault, and not
        that of the disk that is written to."""
        try:
            with self._source.open("rb") as file:
                yield from read_portions(file, str(self._source), self.state.position)
        except OSError as error:
            raise SourceUnusable(f"{self._source}: {error.strerror or error}") from None

    def _take(self, portion: Portion) -> None:
        state = self.state
        rows = self._filed(portion.singles)
        with self._stages.of("deal"):
            self._note_replaced(self.runs.add(rows))
        for bad in portion.bad:
            self._told.report(bad)
        self.notes.add(portion.bad, portion.ranges)
        state.records += len(portion.singles)
        state.bad_rows += len(portion.bad)
        state.rows += len(portion.singles) + len(portion.ranges) + len(portion.bad)
        state.offset, state.line = portion.end.offset, portion.end.line

    def _filed(self, singles: list[Single]) -> Rows:
        """Records as the runs take them."""
        rows = np.empty(len(singles), ROW)
        if not singles:
            return rows
        lines, issuers, numbers, classes, days = zip(*singles, strict=True)
        with self._stages.of("hash"):
            keys, exact = self._key.many(issuers, numbers)
        with self._stages.of("deal"):
            rows["key"] = np.frombuffer(keys, "<u8")
            rows["exact"] = np.frombuffer(exact, "<u8")
            rows["line"] = lines
            rows["rest"] = rest_column(
                np.array(classes, np.uint8),
                rows["exact"].astype(np.uint16),
                np.array(days, np.uint16),
            )
        return rows

    def _keep(self) -> None:
        """Makes durable all that was read so far, then says so."""
        with self._stages.of("deal"):
            self.state.runs, replaced = self.runs.kept()
            self._note_replaced(replaced)
            self.state.notes = self.notes.kept()
            self.state.keep(self._folder)
        self.kept = self.state.rows

    def _note_replaced(self, replaced: Replaced) -> None:
        if len(replaced):
            self.notes.add_replaced(*_by_line(replaced))
            self.state.replaced += len(replaced)
            self.tell_replaced(replaced)

    def _source_is_the_same(self) -> bool:
        try:
            return beginning(self._source, self._key.id) == self.state.begun_with
        except SourceUnusable:
            return False


def _by_line(replaced: Replaced) -> tuple[list[int], list[int]]:
    order = np.argsort(replaced.lines, kind="stable")
    return replaced.lines[order].tolist(), replaced.by_lines[order].tolist()
