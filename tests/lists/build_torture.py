"""Kills builds of a list at random moments and looks at the list afterwards.

    python tests/lists/build_torture.py --kills 500 --shard 1

Two sources are built by turns over the same list. Each build runs in a process of its own and is
killed (SIGKILL) a few times before it may end: mostly at any moment of it, every fifth time within
the moments in which the new version is put in force. After each kill the list in force must be the
old version or the new one, whole: its manifest, every page of its parts and every record. The
build that then runs to its end must come to the very root of a build that nobody interrupted, and
leave nothing behind. A shard goes on where it was stopped; what all shards came to is added up.

Exit code 1 at the first wrong or lost list; the list is then left for inspection.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scanner.watchlist import build, build_reading, portions
from scanner.watchlist.activation import parts_of
from scanner.watchlist.build import build_list
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import PREVIOUS, Manifest, read_manifest
from scanner.watchlist.overlay_scan import scan_version
from scanner.watchlist.record_arrays import Records
from scanner.watchlist.version import open_version
from tests.lists.tally import Tally, together

STATE = Path("build/torture/builds")
KEY, NAME = ListKey(bytes(range(32))), "sltd"
AS_OF = datetime(2026, 11, 25, tzinfo=UTC)
ROWS, KEPT_EVERY, PORTION = 40_000, 6_000, 100_000
_STARTED, _ACTIVATING = b"s", b"a"
_LONGEST_ACTIVATION_S = 0.06


class Wrong(Exception):
    """What must not be."""


@dataclass(frozen=True)
class Source:
    """A source, and what a build of it that nobody interrupted comes to."""

    path: Path
    root: str
    records: Records
    bad_rows: int
    superseded: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500, help="kills of this shard, in all")
    parser.add_argument("--shard", type=int, default=1)
    arguments = parser.parse_args()
    build_reading.KEPT_EVERY, portions._PORTION_BYTES = KEPT_EVERY, PORTION
    STATE.mkdir(parents=True, exist_ok=True)
    tally = Tally(STATE / f"shard-{arguments.shard}.json")
    folder = STATE / f"shard-{arguments.shard}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rng = random.Random(f"{arguments.shard} {tally.kills}")  # noqa: S311 - test data, no secret
    start = time.monotonic()
    sources = [_source(folder, number) for number in range(2)]
    try:
        _torture(folder / "lists", sources, rng, tally, arguments.kills)
    except (Wrong, ListDamaged, FileNotFoundError) as wrong:
        print(f"{folder / 'lists'}: {wrong}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    print(f"shard {arguments.shard}: {tally.said()}, in {time.monotonic() - start:.0f} s here")
    print(f"all shards: {together(STATE.glob('shard-*.json'))}; 0 wrong lists, 0 lists lost")
    return 0


def _source(folder: Path, number: int) -> Source:
    """Rows of which some are bad, some are replaced and some are ranges; and their list."""
    path = folder / f"{number}.csv"
    lines = ["issuer,number,number_to,kind,status,recorded,reference"]
    for at in range(ROWS):
        lines.append(f"UTO,{number}{at * 7 % (ROWS - 500):08},,passport,stolen,2026-01-05,")
        if at % 400 == 0:
            lines.append(f"UTO,B{at:07},B{at + 9:07},passport,stolen_blank,2026-01-05,")
        if at % 900 == 0:
            lines.append("UTO,,,passport,lost,2026-01-05,")
    path.write_text("\n".join(lines) + "\n")
    lists = folder / f"uncut-{number}"
    built = build_list(path, lists, NAME, key=KEY, as_of=AS_OF, skip_bad_rows=True)
    records = _records(lists, built.manifest)
    return Source(path, built.manifest.root(), records, built.bad_rows, built.superseded)


def _torture(
    lists: Path, sources: list[Source], rng: random.Random, tally: Tally, wanted: int
) -> None:
    took, previous = _run(lists, sources[0]), sources[0]
    for source in _by_turns(sources):
        before = read_manifest(lists, NAME)
        for _ in range(rng.randint(1, 6)):
            in_activation = rng.random() < 0.2
            delay = rng.random() * (_LONGEST_ACTIVATION_S if in_activation else took)
            killed = _killed(lists, source, in_activation, delay)
            now = _check(lists, before, previous, source)
            if not killed:
                before, previous = now, source
                break
            moment = "activate" if in_activation else "build"
            tally.count(f"{moment}, {'old' if now == before else 'new'} version")
            if tally.kills % 50 == 0:
                print(f"{tally.kills} of {wanted} kills", file=sys.stderr, flush=True)
            if now != before:
                before, previous = now, source
        _run(lists, source)
        if _check(lists, before, previous, source).root() != source.root:
            raise Wrong("a build ended and another version is in force")
        _check_left(lists)
        previous = source
        if tally.kills >= wanted:
            return


def _by_turns(sources: list[Source]) -> Iterator[Source]:
    while True:
        yield from reversed(sources)


def _run(lists: Path, source: Source) -> float:
    """Builds to the end; gives the seconds."""
    begun = time.monotonic()
    told: list[int] = []
    built = build_list(
        source.path,
        lists,
        NAME,
        key=KEY,
        as_of=AS_OF,
        skip_bad_rows=True,
        report=lambda problem: told.append(problem.line),
    )
    came_to = (built.manifest.root(), built.bad_rows, built.superseded)
    if came_to != (source.root, source.bad_rows, source.superseded):
        raise Wrong(f"a resumed build came to {came_to}")
    if len(told) != len(set(told)) or len(told) != source.bad_rows + source.superseded:
        raise Wrong(f"{len(told)} rows were reported")
    return time.monotonic() - begun


def _killed(lists: Path, source: Source, in_activation: bool, delay: float) -> bool:
    """Builds in a process of its own and kills it; False where it had ended already."""
    heard, told = os.pipe()
    child = os.fork()
    if not child:
        os.close(heard)
        _build_and_tell(lists, source, told)
    os.close(told)
    try:
        while signalled := os.read(heard, 1):
            if signalled == (_ACTIVATING if in_activation else _STARTED):
                break
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    finally:
        os.close(heard)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise Wrong("a build failed by itself")
    return os.WIFSIGNALED(status)


def _build_and_tell(lists: Path, source: Source, told: int) -> None:
    """In the child: says when the build starts and when it puts a version in force."""
    status = 1
    try:
        activate = build.activate

        def telling(lists: Path, manifest: Manifest) -> None:
            os.write(told, _ACTIVATING)
            activate(lists, manifest)

        build.activate = telling
        os.write(told, _STARTED)
        build_list(source.path, lists, NAME, key=KEY, as_of=AS_OF, skip_bad_rows=True)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _check(lists: Path, before: Manifest, old: Source, new: Source) -> Manifest:
    """The list after a kill: the old version or the new, whole. Gives which."""
    now = read_manifest(lists, NAME)
    if now == before:
        wanted = old
    elif now.root() == new.root and now.version == before.version + 1:
        wanted = new
    else:
        raise Wrong(f"version {now.version} is neither the old one nor the new")
    _check_whole(lists, now, wanted.records)
    if (lists / f"{NAME}{PREVIOUS}").exists():
        previous = read_manifest(lists, NAME, PREVIOUS)
        _check_whole(lists, previous, None)
    return now


def _check_whole(lists: Path, manifest: Manifest, records: Records | None) -> None:
    """Raises Wrong where a version does not have these records, ListDamaged where it is damaged."""
    with closing(open_version(lists, manifest, KEY)) as version:
        for _ in version.scrubbed():
            pass
    found = _records(lists, manifest)
    if len(found) != manifest.records:
        raise Wrong(f"version {manifest.version} does not have as many records as it says")
    if records is not None and not (
        np.array_equal(found.keys, records.keys) and np.array_equal(found.rest, records.rest)
    ):
        raise Wrong(f"version {manifest.version} has other records than it should have")


def _check_left(lists: Path) -> None:
    """Raises Wrong where anything lies beside the two versions."""
    named: set[Path] = set()
    for manifest in (read_manifest(lists, NAME), read_manifest(lists, NAME, PREVIOUS)):
        named |= set(parts_of(lists, manifest))
    there = {path for path in (lists / NAME).iterdir() if path.name != ".lock"}
    there |= {path for path in lists.iterdir() if path.is_file() and path.name.startswith(".")}
    if there != named:
        raise Wrong(f"left over: {sorted(path.name for path in there ^ named)}")


def _records(lists: Path, manifest: Manifest) -> Records:
    with closing(open_version(lists, manifest, KEY)) as version:
        return Records.together(scan_version(version))


if __name__ == "__main__":
    sys.exit(main())
