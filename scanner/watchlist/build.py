"""Builds a list from its source, so that a folder shows the old version or the new one, whole.

Rows are read in portions, filed under the list's key and dealt out to runs on disk (`runs`); from
time to time all of it is made durable and how far the build has come is written down. Then the runs
are sorted one after the other and laid into a table, the ranges are encrypted, and the manifest
that puts the version in force comes last. Memory stays the same however long the list is, and the
same source under the same key gives the same bytes.

Whatever interrupts a build leaves the list as it was, and the next build of the same source goes on
where that one was.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np

from scanner.watchlist.activation import (
    BUILDING,
    Busy,
    activate,
    alone,
    next_version,
)
from scanner.watchlist.build_state import State, beginning, state_in
from scanner.watchlist.layout import base_folder, ranges_path
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import NAME, Manifest
from scanner.watchlist.notes import Notes, TooManyRanges
from scanner.watchlist.placing import check_table, put_in_place
from scanner.watchlist.portions import Portion, Single, read_portions
from scanner.watchlist.ranges import Span, write_ranges
from scanner.watchlist.runs import ROW, Replaced, Rows, Runs
from scanner.watchlist.source import BadRow, SourceUnusable
from scanner.watchlist.table_writer import TableWriter

_KEPT_EVERY = 2_000_000
"""Rows between two moments from which a build can go on."""
_TABLE = "table"

_T = TypeVar("_T")


class BuildRefused(Exception):
    """Nothing was built; the message says why and what to do."""


@dataclass(frozen=True)
class Superseded:
    """A row that a later row with the same issuer, number and kind replaced."""

    line: int
    by_line: int

    @property
    def reason(self) -> str:
        return f"the same issuer, number and kind stand on line {self.by_line}, which replaces it"


Problem = BadRow | Superseded
"""What is reported of a row: `line` and `reason`."""


@dataclass(frozen=True)
class Progress:
    """How far a stage is: `share` from 0 to 1, `left_s` the seconds that it may still take, and
    `kept` the rows after which a build that is interrupted now goes on."""

    stage: str
    rows: int
    kept: int
    share: float
    left_s: float | None


@dataclass(frozen=True)
class Built:
    """What a build came to: the manifest in force, how many rows were bad or replaced, from which
    row on it was resumed (0: from the beginning), and the seconds that each stage took."""

    manifest: Manifest
    bad_rows: int
    superseded: int
    resumed_at: int
    seconds: dict[str, float] = field(default_factory=dict)


def build_list(
    source: Path,
    folder: Path,
    name: str,
    *,
    key: ListKey,
    as_of: datetime,
    skip_bad_rows: bool = False,
    report: Callable[[Problem], None] = lambda problem: None,
    progress: Callable[[Progress], None] = lambda progress: None,
) -> Built:
    """Builds a CSV source into the next version of a list and puts it in force.

    `as_of` is the moment up to which the source is right, with its zone. `report` is told every
    bad row, also those that an earlier, interrupted build had met, and every replaced row.
    Raises SourceUnusable, BuildRefused (bad rows without `skip_bad_rows`, a name that cannot be a
    list's, a build that runs already, a disk that refuses), ValueError (`as_of` without a zone).
    """
    if not NAME.fullmatch(name):
        raise BuildRefused(
            f"a list cannot be called {name!r}: use small letters, digits, - and _, at most 63"
        )
    if as_of.tzinfo is None:
        raise ValueError("as_of needs a time zone")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone(folder, name) as place:
            build = _Build(source, place / f"{BUILDING}-csv", key, report, progress)
            build.read()
            if build.state.bad_rows and not skip_bad_rows:
                shutil.rmtree(build.folder, ignore_errors=True)
                rows = build.state.bad_rows
                raise BuildRefused(
                    f"{source}: {'1 row is' if rows == 1 else f'{rows} rows are'} bad and nothing "
                    "was built; mend the source, or build without them with --skip-bad-rows"
                )
            return build.finish(folder, name, as_of)
    except Busy as busy:
        raise BuildRefused(str(busy)) from None
    except OSError as error:
        where = error.filename if error.filename is not None else folder
        raise BuildRefused(
            f"{where}: the list could not be written: {error.strerror or error}"
        ) from None


class _Build:
    """One build, in its hidden folder."""

    def __init__(
        self,
        source: Path,
        folder: Path,
        key: ListKey,
        report: Callable[[Problem], None],
        progress: Callable[[Progress], None],
    ) -> None:
        self.folder = folder
        self._source = source
        self._key = key
        self._report = report
        self._progress = progress
        self.seconds = dict.fromkeys(("read", "hash", "deal", "sort and write", "ranges"), 0.0)
        with _reading(source):
            begun_with = beginning(source, key.id)
        self.state = state_in(folder, begun_with) or State(begun_with)
        if not self.state.rows:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            self.state = State(begun_with)
        self.resumed_at = self._kept = self.state.rows
        self._since = time.monotonic()

    def read(self) -> None:
        """Reads the source from where it was left, files its records and deals them out."""
        state = self.state
        with self._opened() as (runs, notes):
            for bad in notes.bad_rows():
                self._report(bad)
            if state.read:
                return
            last = state.rows
            with _reading(self._source) as file:
                portions = read_portions(file, str(self._source), state.position)
                for portion in self._timed("read", portions):
                    self._take(portion, runs, notes)
                    self._told("reading", state.offset / max(1, state.begun_with["size"]))
                    if state.rows - last >= _KEPT_EVERY:
                        self._keep(runs, notes)
                        last = state.rows
            if not self._source_is_the_same():
                shutil.rmtree(self.folder, ignore_errors=True)
                raise SourceUnusable(f"{self._source}: it changed while it was read; build again")
            state.read = True
            self._keep(runs, notes)

    def finish(self, lists: Path, name: str, as_of: datetime) -> Built:
        """Sorts the runs, lays them into a table, and puts the version in force."""
        state = self.state
        with self._opened() as (runs, notes):
            spans, replaced_ranges = self._spans(notes)
            for line, by_line in replaced_ranges:
                self._report(Superseded(line, by_line))
            state.replaced += len(replaced_ranges)
            table = self.folder / _TABLE
            shutil.rmtree(table, ignore_errors=True)
            records = 0
            with TableWriter(table, self._key.id) as writer:
                for number, (part, replaced) in enumerate(
                    self._timed("sort and write", runs.in_order()), start=1
                ):
                    self._tell_replaced(replaced)
                    writer.append(part)
                    records += len(part)
                    self._told("writing", number / 256)
                if state.bad_rows and not records + len(spans):
                    shutil.rmtree(self.folder, ignore_errors=True)
                    raise BuildRefused(f"{self._source}: every row is bad, and nothing was built")
                root = writer.finish()
        with self._stage("ranges"):
            digest = write_ranges(lambda digest: ranges_path(lists, name, digest), spans, self._key)
        base = base_folder(lists, name, root)
        put_in_place(table, base, lambda folder: check_table(folder, root))
        manifest = Manifest(
            name=name,
            version=next_version(lists, name),
            as_of=as_of,
            key_id=self._key.id,
            records=records,
            ranges=len(spans),
            base=root,
            overlay=None,
            ranges_digest=digest,
        )
        activate(lists, manifest)
        shutil.rmtree(self.folder, ignore_errors=True)
        return Built(manifest, state.bad_rows, state.replaced, self.resumed_at, self.seconds)

    def _spans(self, notes: Notes) -> tuple[list[Span], list[tuple[int, int]]]:
        try:
            return notes.spans()
        except TooManyRanges as too_many:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise BuildRefused(f"{self._source}: {too_many}; nothing was built") from None

    def _take(self, portion: Portion, runs: Runs, notes: Notes) -> None:
        state = self.state
        rows = self._filed(portion.singles)
        with self._stage("deal"):
            self._tell_replaced(runs.add(rows))
        for bad in portion.bad:
            self._report(bad)
        notes.add(portion.bad, portion.ranges)
        state.bad_rows += len(portion.bad)
        state.rows += len(portion.singles) + len(portion.ranges) + len(portion.bad)
        state.offset, state.line = portion.end.offset, portion.end.line

    def _filed(self, singles: list[Single]) -> Rows:
        """Records as the runs take them."""
        with self._stage("hash"):
            keys, exact = self._key.many([(issuer, number) for _, issuer, number, _, _ in singles])
        rows = np.empty(len(singles), ROW)
        rows["key"] = np.frombuffer(keys, "<u8")
        rows["exact"] = np.frombuffer(exact, "<u8")
        rows["line"] = [line for line, *_ in singles]
        rest = np.array([class_byte << 32 | day for *_, class_byte, day in singles], np.uint64)
        rows["rest"] = rest | (rows["exact"] & np.uint64(0xFFFF)) << np.uint64(16)
        return rows

    @contextmanager
    def _opened(self) -> Iterator[tuple[Runs, Notes]]:
        """The runs and notes as the state has them; where they are not, all from the beginning."""
        try:
            runs = Runs(self.folder / "runs", self.state.sizes)
            notes = Notes(self.folder, self.state.notes)
        except ValueError:
            self.state = State(self.state.begun_with)
            self.resumed_at = self._kept = 0
            runs, notes = Runs(self.folder / "runs"), Notes(self.folder, {})
        with runs, notes:
            yield runs, notes

    def _keep(self, runs: Runs, notes: Notes) -> None:
        """Makes durable all that was read so far, then says so."""
        self.state.sizes, replaced = runs.kept()
        self._tell_replaced(replaced)
        self.state.notes = notes.kept()
        self.state.keep(self.folder)
        self._kept = self.state.rows

    def _tell_replaced(self, replaced: Replaced) -> None:
        order = np.argsort(replaced.lines, kind="stable")
        lines, by_lines = replaced.lines[order].tolist(), replaced.by_lines[order].tolist()
        for line, by_line in zip(lines, by_lines, strict=True):
            self._report(Superseded(line, by_line))
        self.state.replaced += len(replaced)

    def _told(self, stage: str, share: float) -> None:
        spent = time.monotonic() - self._since
        left = spent / share * (1 - share) if share > 0.01 and not self.resumed_at else None
        self._progress(Progress(stage, self.state.rows, self._kept, min(1.0, share), left))

    def _source_is_the_same(self) -> bool:
        with suppress(OSError):
            return beginning(self._source, self._key.id) == self.state.begun_with
        return False

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        begun = time.process_time()
        yield
        self.seconds[name] += time.process_time() - begun

    def _timed(self, name: str, parts: Iterator[_T]) -> Iterator[_T]:
        """The same parts; the time that making them takes is put down to a stage."""
        while True:
            with self._stage(name):
                part = next(parts, None)
            if part is None:
                return
            yield part


@contextmanager
def _reading(source: Path) -> Iterator[BinaryIO]:
    """The source, open. Raises SourceUnusable where it cannot be opened or read."""
    try:
        file = source.open("rb")
    except OSError as error:
        raise SourceUnusable(f"{source}: {error.strerror or error}") from None
    with file:
        yield file
