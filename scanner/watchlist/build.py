"""Builds a list from its source, so that a folder shows the old version or the new one, whole.

Rows are read, filed under the list's key and dealt out to runs on disk (`build_reading`, `runs`).
Then the runs are sorted one after the other and laid into a table, the ranges are encrypted, and
the manifest that puts the version in force comes last. Memory stays the same however long the list
is, and the same source under the same key gives the same bytes.

Whatever interrupts a build leaves the list as it was, and the next build of the same source goes on
where that one was.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from scanner.watchlist.activation import BUILDING, Busy, activate, alone, next_version
from scanner.watchlist.build_reading import Reading
from scanner.watchlist.build_report import (
    Estimate,
    Problem,
    Progress,
    Stages,
    Superseded,
    Told,
)
from scanner.watchlist.layout import base_folder, ranges_path
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import NAME, Manifest
from scanner.watchlist.notes import NotesDamaged, TooManyRanges
from scanner.watchlist.placing import check_table, put_in_place
from scanner.watchlist.ranges import Span, write_ranges
from scanner.watchlist.runs import RunsDamaged, TooManyAlike
from scanner.watchlist.source import check_source
from scanner.watchlist.table_writer import TableWriter

__all__ = ["BuildRefused", "Built", "Problem", "Progress", "Superseded", "build_list"]

FOLDER = f"{BUILDING}-csv"
"""Where a list is built, within the list's own folder."""
_TABLE, _RANGES = "table", "sealed-ranges"


class BuildRefused(Exception):
    """Nothing was built or changed; the message says why in one line."""


@dataclass(frozen=True)
class Built:
    """What a build came to: the manifest in force, how many rows were bad or replaced, after which
    row it was resumed (0: it was not), and the CPU seconds that each stage took here."""

    manifest: Manifest
    bad_rows: int
    superseded: int
    resumed_at: int
    seconds: dict[str, float]


def build_list(
    source: Path,
    folder: Path,
    name: str,
    *,
    key: ListKey,
    as_of: datetime,
    skip_bad_rows: bool = False,
    past: int = 0,
    report: Callable[[Problem], None] = lambda problem: None,
    progress: Callable[[Progress], None] = lambda progress: None,
    resumed: Callable[[int], None] = lambda rows: None,
) -> Built:
    """Builds a CSV source into the next version of a list and puts it in force.

    `as_of` is the moment up to which the source is right, with its zone. The version is above
    `past`: after a loss, devices may have later ones than the folder knows of. `report` is told
    every bad and every replaced row; where an interrupted build goes on, `resumed` is told after
    how many rows, and `report` again what was wrong with these. Raises SourceUnusable, BuildRefused
    (bad rows without `skip_bad_rows`, a name that cannot be a list's, a build that runs already, a
    disk that refuses), ValueError (`as_of` without a zone).
    """
    if not NAME.fullmatch(name):
        raise BuildRefused(
            f"a list cannot be called {name!r}: small letters, digits, - and _, at most 63"
        )
    if as_of.tzinfo is None:
        raise ValueError("as_of needs a time zone")
    check_source(source)
    stages = Stages()
    with _refusals(source, folder):
        folder.mkdir(parents=True, exist_ok=True)
        with alone(folder, name) as place:
            told = Told(report, progress, resumed)
            with Reading(source, place / FOLDER, key, told, stages) as reading:
                try:
                    reading.run()
                    if reading.state.bad_rows and not skip_bad_rows:
                        raise BuildRefused(_bad_rows(source, reading.state.bad_rows))
                    build = _Build(reading, place / FOLDER / _TABLE, key, stages, past)
                    return build.finished(source, folder, name, as_of)
                except (RunsDamaged, NotesDamaged):
                    reading.discard()
                    raise


class _Build:
    """The second half of a build: from what was read to a version in force."""

    def __init__(
        self, reading: Reading, table: Path, key: ListKey, stages: Stages, past: int
    ) -> None:
        self._reading = reading
        self._table = table
        self._key = key
        self._stages = stages
        self._past = past
        self._replaced = reading.state.replaced

    def finished(self, source: Path, lists: Path, name: str, as_of: datetime) -> Built:
        """Sorts, writes and activates. Raises BuildRefused and what stands in the way of sorting,
        OSError."""
        state = self._reading.state
        with self._stages.of("ranges"):
            spans = self._spans()
        if state.bad_rows and not state.records + len(spans):
            raise BuildRefused(f"{source}: every row is bad, and nothing was built")
        root, records = self._written()
        with self._stages.of("ranges"):
            written = self._table.with_name(_RANGES)
            digest = write_ranges(lambda digest: written, spans, self._key)
        with self._stages.of("activate"):
            written.replace(ranges_path(lists, name, digest))
            base = base_folder(lists, name, root)
            put_in_place(self._table, base, lambda folder: check_table(folder, root))
            manifest = Manifest(
                name=name,
                version=max(next_version(lists, name), self._past + 1),
                as_of=as_of,
                key_id=self._key.id,
                records=records,
                ranges=len(spans),
                base=root,
                overlay=None,
                ranges_digest=digest,
            )
            activate(lists, manifest)
            self._reading.discard()
        seconds, resumed_at = self._stages.seconds, self._reading.resumed_at
        return Built(manifest, state.bad_rows, self._replaced, resumed_at, seconds)

    def _spans(self) -> list[Span]:
        spans, replaced = self._reading.notes.spans()
        self._replaced += len(replaced)
        self._reading.tell_replaced_ranges(replaced)
        return spans

    def _written(self) -> tuple[str, int]:
        """The table of all records: its root, and how many they are."""
        shutil.rmtree(self._table, ignore_errors=True)
        records, replaced_before = 0, self._reading.state.replaced
        estimate = Estimate()
        with TableWriter(self._table, self._key.id) as writer:
            for part, replaced, share in self._stages.making("sort", self._reading.runs.in_order()):
                self._reading.tell_replaced(replaced)
                self._replaced += len(replaced)
                replaced_before += len(replaced)
                with self._stages.of("write"):
                    writer.append(part)
                records += len(part)
                self._reading.tell_progress("writing", share, estimate.left_s(share))
            if records + replaced_before != self._reading.state.records:
                raise RunsDamaged(
                    f"{self._table.parent}: {self._reading.state.records} records were read, and "
                    f"{records + replaced_before} came to be sorted"
                )
            with self._stages.of("write"):
                return writer.finish(), records


def _bad_rows(source: Path, count: int) -> str:
    rows = "1 row is" if count == 1 else f"{count} rows are"
    return (
        f"{source}: {rows} bad and nothing was built; mend the source, or build without them with "
        "--skip-bad-rows"
    )


@contextmanager
def _refusals(source: Path, folder: Path) -> Iterator[None]:
    """What stands in the way of a build, said as a refusal."""
    try:
        yield
    except Busy as busy:
        raise BuildRefused(str(busy)) from None
    except (TooManyRanges, TooManyAlike) as too_many:
        raise BuildRefused(f"{source}: {too_many}; nothing was built") from None
    except (RunsDamaged, NotesDamaged) as damage:
        raise BuildRefused(
            f"{damage}: the disk is not to be trusted; nothing was built, and the next build "
            "begins anew"
        ) from None
    except OSError as error:
        where = error.filename if error.filename is not None else folder
        raise BuildRefused(
            f"{where}: the list could not be written: {error.strerror or error}; when that is "
            "mended, the same build goes on from where it was"
        ) from None
