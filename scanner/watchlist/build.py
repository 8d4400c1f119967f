"""Builds a list from its source, so that a folder shows the old version or the new one, whole.

The rows are staged in a SQLite file in a hidden folder beside the list, sorted there, and written
out in order: memory stays the same however long the list is, and the same source gives the same
records. Then the data file is made durable, renamed to a name that says its content, and the
manifest that puts it in force comes last. Whatever interrupts a build leaves the list as it was;
the next build of the same list clears up.
"""

import fcntl
import hashlib
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from scanner.durable import sync_folder
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.manifest import (
    FORMAT,
    IN_FORCE,
    NAME,
    PREVIOUS,
    Manifest,
    data_name,
    manifest_path,
    read_manifest,
    write_manifest,
)
from scanner.watchlist.skeleton import skeleton
from scanner.watchlist.source import BadRow, Row, read_source
from scanner.watchlist.store import SCHEMA

_STAGE = """
CREATE TABLE record (line, issuer, skeleton, number, kind, status, recorded);
CREATE TABLE range (line, issuer, length, low, high, kind, status, recorded);
"""
_RECORDS = "SELECT * FROM record ORDER BY issuer, skeleton, number, kind, line"
_RANGES = "SELECT * FROM range ORDER BY issuer, length, low, high, kind, line"
_PROGRESS_ROWS = 10_000
_BLOCK = 1024 * 1024


class BuildRefused(Exception):
    """Nothing was built; the message says why and what to do."""


@dataclass(frozen=True)
class Superseded:
    """A row that a later row with the same issuer, number and kind replaced."""

    line: int
    by_line: int

    @property
    def reason(self) -> str:
        return f"the same issuer, number and kind stand on line {self.by_line}, which holds"


Problem = BadRow | Superseded
"""What is reported of a row: `line` and `reason`."""


@dataclass(frozen=True)
class Built:
    """What a build came to: the manifest in force, and how many rows were bad or replaced."""

    manifest: Manifest
    bad_rows: int
    superseded: int


def build_list(
    source: Path,
    folder: Path,
    name: str,
    *,
    as_of: datetime,
    skip_bad_rows: bool = False,
    report: Callable[[Problem], None] = lambda problem: None,
    progress: Callable[[int], None] = lambda rows: None,
) -> Built:
    """Builds a CSV source into the next version of a list and puts it in force.

    `as_of` is the moment up to which the source is right, with its zone. `report` is told every
    bad and every replaced row, in no more than two passes; `progress` is told the rows read.
    Raises SourceUnusable, BuildRefused (bad rows without `skip_bad_rows`, or a name that cannot
    be a list's), ValueError (`as_of` without a zone) and OSError.
    """
    if not NAME.fullmatch(name):
        raise BuildRefused(
            f"a list cannot be called {name!r}: use small letters, digits, - and _, at most 63"
        )
    if as_of.tzinfo is None:
        raise ValueError("as_of needs a time zone")
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder, name), _disk_faults(folder), _workshop(folder, name) as workshop:
        stage = workshop / "stage.sqlite"
        bad_rows = _stage(source, stage, report, progress)
        if bad_rows and not skip_bad_rows:
            rows = "1 row is" if bad_rows == 1 else f"{bad_rows} rows are"
            raise BuildRefused(
                f"{source}: {rows} bad and nothing was built; mend the source, or build without "
                "them with --skip-bad-rows"
            )
        data = workshop / "data.sqlite"
        counts = _write(stage, data, report)
        if bad_rows and not counts.records + counts.ranges:
            raise BuildRefused(f"{source}: every row is bad, and nothing was built")
        manifest = _activate(data, folder, name, as_of, counts)
    return Built(manifest, bad_rows, counts.superseded)


@contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    """One build of a list at a time."""
    with (folder / f".{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildRefused(f"{folder}: list {name} is being built already") from None
        yield


@contextmanager
def _disk_faults(folder: Path) -> Iterator[None]:
    """What SQLite says of the disk, said as a refusal."""
    try:
        yield
    except sqlite3.Error as error:
        raise BuildRefused(f"{folder}: the list could not be written: {error}") from None


@contextmanager
def _workshop(folder: Path, name: str) -> Iterator[Path]:
    """A hidden folder to build in, on the list's own file system; gone afterwards, and so are
    those of builds that were killed."""
    for left in folder.glob(f".building-{name}.*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".building-{name}.", dir=folder) as workshop:
        yield Path(workshop)


def _stage(
    source: Path,
    stage: Path,
    report: Callable[[Problem], None],
    progress: Callable[[int], None],
) -> int:
    """Puts every good row on stage; gives the number of bad ones."""
    bad_rows = rows = 0
    with closing(_scratch(stage)) as database, database:
        database.executescript(_STAGE)
        for row in read_source(source):
            rows += 1
            if isinstance(row, BadRow):
                bad_rows += 1
                report(row)
            else:
                _stage_row(database, row)
            if rows % _PROGRESS_ROWS == 0:
                progress(rows)
    progress(rows)
    return bad_rows


def _stage_row(database: sqlite3.Connection, row: Row) -> None:
    told = (row.kind.value, row.status.value, row.recorded.isoformat())
    if row.number_to is None:
        key: tuple[object, ...] = (row.line, row.issuer, skeleton(row.number), row.number)
        database.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?)", key + told)
    else:
        key = (row.line, row.issuer, len(row.number), row.number, row.number_to)
        database.execute("INSERT INTO range VALUES (?, ?, ?, ?, ?, ?, ?, ?)", key + told)


@dataclass
class _Counts:
    records: int = 0
    ranges: int = 0
    superseded: int = 0


def _write(stage: Path, data: Path, report: Callable[[Problem], None]) -> _Counts:
    """Writes the staged rows in the order of their keys, the later of equal ones."""
    counts = _Counts()

    def superseded(row: Superseded) -> None:
        counts.superseded += 1
        report(row)

    with closing(_scratch(stage)) as staged, closing(_scratch(data)) as database, database:
        database.executescript(f"PRAGMA user_version = {FORMAT}; {SCHEMA}")
        records = _latest(staged.execute(_RECORDS), 5, superseded)
        counts.records = database.executemany(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)", records
        ).rowcount
        ranges = _with_reach(_latest(staged.execute(_RANGES), 6, superseded))
        counts.ranges = database.executemany(
            "INSERT INTO range VALUES (?, ?, ?, ?, ?, ?, ?, ?)", ranges
        ).rowcount
    counts.records, counts.ranges = max(0, counts.records), max(0, counts.ranges)
    return counts


def _latest(
    rows: Iterator[tuple[object, ...]], key_end: int, superseded: Callable[[Superseded], None]
) -> Iterator[tuple[object, ...]]:
    """Of sorted rows, the last of each run of equal keys, without its line."""
    before: tuple[object, ...] | None = None
    for row in rows:
        if before is not None and before[1:key_end] == row[1:key_end]:
            superseded(Superseded(int(str(before[0])), int(str(row[0]))))
        elif before is not None:
            yield before[1:]
        before = row
    if before is not None:
        yield before[1:]


def _with_reach(ranges: Iterator[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    """Adds to sorted ranges the largest upper end so far of the same issuer and length."""
    group: tuple[object, ...] = ()
    reach = ""
    for row in ranges:
        high = str(row[3])
        reach = max(reach, high) if row[:2] == group else high
        group = row[:2]
        yield (*row, reach)


def _scratch(path: Path) -> sqlite3.Connection:
    """A file that nobody needs unless it is finished: it is made durable once, at the end."""
    database = sqlite3.connect(path)
    database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
    return database


def _activate(data: Path, folder: Path, name: str, as_of: datetime, counts: _Counts) -> Manifest:
    with data.open("rb+") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    previous = _in_force(folder, name)
    manifest = Manifest(
        format=FORMAT,
        name=name,
        version=_next_version(folder, name, previous),
        as_of=as_of,
        file=data_name(name, digest),
        sha256=digest,
        size=data.stat().st_size,
        records=counts.records,
        ranges=counts.ranges,
    )
    data.replace(folder / manifest.file)
    sync_folder(folder)
    if previous:
        write_manifest(folder, previous, PREVIOUS)
    write_manifest(folder, manifest)
    _forget_older(folder, name, {manifest.file, previous.file if previous else ""})
    return manifest


def _next_version(folder: Path, name: str, previous: Manifest | None) -> int:
    """One more than any version there was: past a damaged manifest a number is left out."""
    if previous is None:
        return 2 if manifest_path(folder, name).exists() else 1
    try:
        return read_manifest(folder, name).version + 1
    except (FileNotFoundError, ListDamaged):
        return previous.version + 2


def _in_force(folder: Path, name: str) -> Manifest | None:
    """The version that the new one follows: the one in force, or where its manifest is damaged
    the one before, so that a damaged list can be built again."""
    for suffix in (IN_FORCE, PREVIOUS):
        with suppress(FileNotFoundError, ListDamaged):
            return read_manifest(folder, name, suffix)
    return None


def _forget_older(folder: Path, name: str, keep: set[str]) -> None:
    """Removes data files older than the previous version's."""
    for path in folder.glob(f"{name}-*.sqlite"):
        of_this_list = re.fullmatch(rf"{re.escape(name)}-[0-9a-f]{{16}}\.sqlite", path.name)
        if of_this_list and path.name not in keep:
            path.unlink(missing_ok=True)
