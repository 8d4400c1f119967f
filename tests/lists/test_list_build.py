"""Building a list: all or nothing, whatever interrupts it, and nothing of the source missing."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from scanner.mrz.document import Kind
from scanner.watchlist import build_reading, runs
from scanner.watchlist.age import ClockReading
from scanner.watchlist.build import FOLDER, BuildRefused, Built, Problem, Progress
from scanner.watchlist.contract import ListStatus
from scanner.watchlist.manifest import read_manifest
from scanner.watchlist.records import class_of, day_of
from scanner.watchlist.source import SourceUnusable
from scanner.watchlist.version import open_version
from tests.listing import KEY, built, lists_in

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HEADER = "issuer,number,number_to,kind,status,recorded,reference"
GOOD = "UTO,L898902C3,,passport,stolen,2026-01-05,"
RANGE = "UTO,AB000100,AB000199,passport,stolen_blank,2026-01-05,"
ROOT = Path(__file__).parents[2]
Build = Callable[..., Built]


class Stop(BaseException):
    """Cuts a build short, as Ctrl-C does."""


def _visible(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


def _contents(folder: Path) -> bytes:
    return b"\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def _lines(told: list[Problem]) -> list[int]:
    return [problem.line for problem in told]


@pytest.fixture
def in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds deal out, note down and portion a few rows at a time, as long ones do with many."""
    monkeypatch.setattr(os, "fsync", lambda file: None)
    monkeypatch.setattr("scanner.watchlist.portions._PORTION_BYTES", 700)
    monkeypatch.setattr(build_reading, "KEPT_EVERY", 40)
    monkeypatch.setattr(runs, "GATHERED", 30)
    monkeypatch.setattr(runs, "SORTED_AT_ONCE", 64)
    monkeypatch.setattr("scanner.watchlist.notes._AT_ONCE", 3)


def test_a_build_gives_parts_named_by_their_content_and_a_manifest(
    build: Build, folder: Path
) -> None:
    manifest = build(GOOD, RANGE).manifest
    base, ranges = f"sltd/base-{manifest.base[:16]}", f"sltd/ranges-{manifest.ranges_digest[:16]}"
    parts = {base, ranges, *(f"{base}/{part}" for part in ("keys", "details", "directory"))}
    assert _visible(folder) == {"sltd", "sltd.json"} | parts
    assert (manifest.version, manifest.records, manifest.ranges) == (1, 1, 1)
    assert (manifest.key_id, manifest.overlay) == (KEY.id, None)
    assert json.loads((folder / "sltd.json").read_text())["as_of"] == NOW.isoformat()
    assert not (folder / "sltd" / FOLDER).exists()


KINDS = [kind.value for kind in Kind]
STATUSES = [status.value for status in ListStatus]


def _rows(count: int) -> list[tuple[str, str, str, str, str]]:
    """Rows of every kind, status and length, look-alikes of each other among them."""
    letters = "0OD1IL2Z5S6G8BAC9"
    rows = []
    for number in range(count):
        text, rest = "", number
        for _ in range(1 + number % 30):
            rest, at = divmod(rest * 7 + 3, len(letters))
            text += letters[at]
        kind, status = KINDS[number % 6], STATUSES[number % 5]
        text = f"{text}{number}"[-30:]
        rows.append(("UTO", text, kind, status, f"20{number % 90:02}-0{1 + number % 9}-11"))
    return rows


@pytest.mark.usefixtures("in_small_steps")
def test_every_record_of_a_built_list_is_found_as_a_device_looks_it_up(
    build: Build, folder: Path
) -> None:
    rows = _rows(1_500)
    blanks = [f"UTO,X{at:05},X{at + 3:05},visa,stolen_blank,2026-01-05," for at in range(0, 90, 9)]
    lines = [
        f"{issuer},{number},,{kind},{status},{day}," for issuer, number, kind, status, day in rows
    ]
    manifest = build(*lines, *blanks).manifest
    assert (manifest.records, manifest.ranges) == (len({row[:3] for row in rows}), 10)
    with closing(open_version(folder, manifest, KEY)) as version:
        for issuer, number, kind, status, day in rows:
            wanted = (
                class_of(Kind(kind), ListStatus(status)),
                KEY.exact(issuer, number) & 0xFFFF,
                day_of(date.fromisoformat(day)),
            )
            found = version.find(KEY.key(issuer, number))
            assert wanted in {(one.class_byte, one.tag, one.day) for one in found}
        for at in range(0, 90, 9):
            inside = [
                bool(list(version.ranges.covering("UTO", f"X{at + by:05}"))) for by in range(5)
            ]
            assert inside == [True] * 4 + [False]


def test_bad_rows_stop_the_build_and_leave_the_list_as_it_was(build: Build, folder: Path) -> None:
    build(GOOD)
    before = _visible(folder)
    told: list[Problem] = []
    with pytest.raises(BuildRefused, match="2 rows are bad and nothing was built"):
        build("nonsense", GOOD, "UTO,,,,,,", report=told.append)
    assert _lines(told) == [2, 4]
    assert _visible(folder) == before
    assert read_manifest(folder, "sltd").version == 1


def test_bad_rows_are_left_out_where_that_was_asked_for(build: Build) -> None:
    done = build("nonsense", GOOD, skip_bad_rows=True)
    assert (done.bad_rows, done.manifest.records) == (1, 1)


def test_a_source_that_was_refused_for_bad_rows_need_not_be_read_again_to_skip_them(
    tmp_path: Path, folder: Path
) -> None:
    source = tmp_path / "source.csv"
    source.write_text(f"{HEADER}\nnonsense\n{GOOD}\n")
    with pytest.raises(BuildRefused, match="--skip-bad-rows"):
        built(source, folder, as_of=NOW)
    told: list[Problem] = []
    done = built(source, folder, as_of=NOW, skip_bad_rows=True, report=told.append)
    assert (done.resumed_at, done.bad_rows, done.manifest.records) == (2, 1, 1)
    assert _lines(told) == [2]


def test_a_list_is_not_emptied_by_a_source_in_which_every_row_is_bad(
    build: Build, folder: Path
) -> None:
    build(GOOD)
    with pytest.raises(BuildRefused, match="every row is bad"):
        build("nonsense", "UTO,,,,,,", skip_bad_rows=True)
    assert read_manifest(folder, "sltd").version == 1


@pytest.mark.parametrize("content", ["number,issuer\nL898902C3,UTO\n", "", None])
def test_a_file_that_is_no_source_makes_nothing(tmp_path: Path, content: str | None) -> None:
    source = tmp_path / "source.csv"
    if content is not None:
        source.write_text(content)
    with pytest.raises(SourceUnusable):
        built(source, tmp_path / "lists", as_of=NOW, skip_bad_rows=True)
    assert not (tmp_path / "lists").exists()


def test_a_pipe_is_no_source(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceUnusable, match="built from a file"):
        built(tmp_path / "pipe", tmp_path / "lists", as_of=NOW)


EQUAL = (
    "UTO,L898902C3,,passport,lost,2026-01-05,",
    "UTO,L898902C3,,visa,lost,2026-01-05,",
    "uto,L8-98902C3,,passport,stolen,2026-02-05,",
    "UTO,A1,A9,passport,stolen_blank,2026-01-05,",
    "UTO,A1,A9,passport,stolen_blank,2026-03-05,",
    "UTO,L8989O2C3,,passport,lost,2026-01-05,",
)
LAST = "UTO,L898902C3,,passport,revoked,2026-03-05,"
FILLER = tuple(f"UTO,F{number:05},,passport,lost,2026-01-05," for number in range(100))


@pytest.mark.usefixtures("in_small_steps")
@pytest.mark.parametrize("between", [(), FILLER], ids=["together", "far apart"])
def test_of_equal_records_the_later_holds_and_the_earlier_are_reported(
    build: Build, folder: Path, between: tuple[str, ...]
) -> None:
    told: list[Problem] = []
    done = build(*EQUAL, *between, LAST, report=told.append)
    last = 8 + len(between)
    assert sorted((problem.line, problem.reason.split(" on ")[1]) for problem in told) == [
        (2, "line 4, which holds"),
        (4, f"line {last}, which holds"),
        (5, "line 6, which holds"),
    ]
    manifest = done.manifest
    assert (done.superseded, manifest.records, manifest.ranges) == (3, 3 + len(between), 1)
    with closing(open_version(folder, manifest, KEY)) as version:
        found = version.find(KEY.key("UTO", "L898902C3"))
        (span,) = version.ranges.covering("UTO", "A5")
    assert sorted(one.class_byte for one in found) == sorted(
        class_of(kind, status)
        for kind, status in (
            (Kind.PASSPORT, ListStatus.REVOKED),
            (Kind.PASSPORT, ListStatus.LOST),
            (Kind.VISA, ListStatus.LOST),
        )
    )
    assert span.recorded == date(2026, 3, 5)


def test_neither_reference_nor_number_enters_the_list_nor_what_a_cut_build_leaves(
    build: Build, folder: Path
) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == "writing":
            raise Stop

    with pytest.raises(Stop):
        build(f"{GOOD}CASE-4711", RANGE, progress=stop)
    left = _contents(folder)
    build(f"{GOOD}CASE-4711", RANGE)
    for content in (left, _contents(folder)):
        for clear in (b"CASE-4711", b"L898902C3", b"AB000100"):
            assert clear not in content
    assert len(left) > 100


def test_versions_count_up_and_the_previous_parts_stay(build: Build, folder: Path) -> None:
    manifests = [build(GOOD, f"UTO,A{at},,visa,lost,2026-01-05,").manifest for at in range(3)]
    assert [one.version for one in manifests] == [1, 2, 3]
    bases = {path.name for path in (folder / "sltd").glob("base-*")}
    assert bases == {f"base-{one.base[:16]}" for one in manifests[1:]}
    assert read_manifest(folder, "sltd", ".previous") == manifests[1]


@pytest.mark.usefixtures("in_small_steps")
def test_the_same_rows_in_any_order_give_the_same_root(build: Build) -> None:
    rows = [f"{a},{b},,{c},{d},{e}," for a, b, c, d, e in dict.fromkeys(_rows(300))]
    rows = [*{row.rsplit(",", 4)[0]: row for row in rows}.values(), RANGE]
    assert build(*rows).manifest.root() == build(*reversed(rows)).manifest.root()


def test_building_one_list_leaves_another_with_a_longer_name_alone(
    build: Build, folder: Path
) -> None:
    other = build(GOOD, name="sltd-north").manifest
    for number in range(4):
        build(f"UTO,A{number},,visa,lost,2026-01-05,")
    with closing(open_version(folder, other, KEY)) as version:
        assert version.find(KEY.key("UTO", "L898902C3"))


@pytest.mark.parametrize("name", ["", "SLTD", "a/b", "..", "a.b", "x" * 64])
def test_a_name_that_cannot_be_a_files_is_refused(build: Build, name: str) -> None:
    with pytest.raises(BuildRefused, match="cannot be called"):
        build(GOOD, name=name)


def test_a_damaged_manifest_does_not_stop_the_next_build(build: Build, folder: Path) -> None:
    build(GOOD)
    build(GOOD)
    (folder / "sltd.json").write_text("{")
    assert build(GOOD).manifest.version == 3


def test_an_empty_list_can_be_built(build: Build) -> None:
    manifest = build().manifest
    assert (manifest.records, manifest.ranges) == (0, 0)


def test_a_list_as_of_a_moment_without_a_zone_is_refused(build: Build) -> None:
    with pytest.raises(ValueError, match="time zone"):
        build(GOOD, as_of=datetime(2026, 11, 23))  # noqa: DTZ001 - the mistake itself


MIXED = [*FILLER, "nonsense", *EQUAL, RANGE, *FILLER[:50], LAST, "UTO,A9,A1,visa,lost,2026-01-05,"]


@pytest.mark.usefixtures("in_small_steps")
def test_a_build_that_is_cut_at_any_moment_goes_on_to_the_very_same_list(
    tmp_path: Path, folder: Path
) -> None:
    source = tmp_path / "source.csv"
    source.write_text("\n".join([HEADER, *MIXED]) + "\n")
    whole: list[Problem] = []
    uncut = built(source, tmp_path / "uncut", as_of=NOW, skip_bad_rows=True, report=whole.append)
    moments: list[Progress] = []
    built(source, folder, as_of=NOW, skip_bad_rows=True, progress=moments.append)
    reading = sum(one.stage == "reading" for one in moments)
    assert reading > 8
    for moment in (*range(reading + 2), reading + 20, len(moments) - 1):
        left = moment

        def stop(progress: Progress) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Stop

        with pytest.raises(Stop):
            built(source, folder, as_of=NOW, skip_bad_rows=True, progress=stop)
        told: list[Problem] = []
        done = built(source, folder, as_of=NOW, skip_bad_rows=True, report=told.append)
        assert done.manifest.root() == uncut.manifest.root()
        assert (done.bad_rows, done.superseded) == (uncut.bad_rows, uncut.superseded) == (2, 53)
        assert sorted(_lines(told)) == sorted(_lines(whole))
        assert done.resumed_at == moments[moment].kept


@pytest.mark.usefixtures("in_small_steps")
def test_a_build_begins_anew_when_its_source_or_key_is_another(
    tmp_path: Path, folder: Path
) -> None:
    source = tmp_path / "source.csv"

    def cut(rows: list[str]) -> None:
        def stop(progress: Progress) -> None:
            if progress.kept >= 80:
                raise Stop

        source.write_text("\n".join([HEADER, *rows]) + "\n")
        with pytest.raises(Stop):
            built(source, folder, as_of=NOW, progress=stop)

    cut([*FILLER, *FILLER[:50]])
    source.write_text("\n".join([HEADER, *FILLER[1:], GOOD]) + "\n")
    done = built(source, folder, as_of=NOW)
    assert (done.resumed_at, done.manifest.records, done.superseded) == (0, 100, 0)
    cut([*FILLER])
    other = type(KEY)(bytes(reversed(range(32))))
    done = built(source, folder, as_of=NOW, key=other)
    assert (done.resumed_at, done.manifest.key_id) == (0, other.id)


def test_a_source_that_changes_while_it_is_read_is_refused(tmp_path: Path, folder: Path) -> None:
    source = tmp_path / "source.csv"
    source.write_text(f"{HEADER}\n{GOOD}\n")

    def change(progress: Progress) -> None:
        source.write_text(f"{HEADER}\n{GOOD}\n{GOOD}\n")

    with pytest.raises(SourceUnusable, match="changed while it was read"):
        built(source, folder, as_of=NOW, progress=change)
    assert not (folder / "sltd" / FOLDER).exists()


@pytest.mark.usefixtures("in_small_steps")
@pytest.mark.parametrize("kept", ["runs", "ranges", "state.json"])
def test_what_the_disk_changed_of_a_cut_build_never_reaches_a_list(
    tmp_path: Path, folder: Path, kept: str
) -> None:
    source = tmp_path / "source.csv"
    source.write_text("\n".join([HEADER, *FILLER, *[RANGE] * 5]) + "\n")

    def stop(progress: Progress) -> None:
        if progress.stage == "writing":
            raise Stop

    with pytest.raises(Stop):
        built(source, folder, as_of=NOW, progress=stop)
    place = folder / "sltd" / FOLDER / kept
    path = max(place.iterdir(), key=lambda one: one.stat().st_size) if place.is_dir() else place
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    if kept == "state.json":
        assert built(source, folder, as_of=NOW).resumed_at == 0
    else:
        with pytest.raises(BuildRefused, match="not to be trusted"):
            built(source, folder, as_of=NOW)
        assert not (folder / "sltd.json").exists()
        assert built(source, folder, as_of=NOW).manifest.records == 100


def _write_many(path: Path, count: int, *, equal: bool = False) -> None:
    with path.open("w") as file:
        file.write(HEADER + "\n")
        for number in range(count):
            at = 0 if equal else number
            file.write(f"UTO,N{at:08d},,passport,stolen,2026-01-05,reference {number}\n")


BUILDER = """
import resource, sys
from datetime import datetime, UTC
from pathlib import Path
from scanner.watchlist import build_reading, portions
from scanner.watchlist.build import build_list
from scanner.watchlist.listkey import ListKey
build_reading.KEPT_EVERY, portions._PORTION_BYTES = int(sys.argv[3]), int(sys.argv[4])
def progress(now):
    print(now.stage, now.rows, flush=True)
built = build_list(
    Path(sys.argv[1]), Path(sys.argv[2]), "sltd", key=ListKey(bytes(range(32))),
    as_of=datetime.now(UTC), progress=progress,
)
hwm = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print("peak", hwm[0].split()[1])
"""


def _builder(
    source: Path, folder: Path, kept_every: int = 4_000, portion: int = 50_000
) -> list[str]:
    numbers = (str(kept_every), str(portion))
    return [sys.executable, "-c", BUILDER, str(source), str(folder), *numbers]


def test_a_build_killed_again_and_again_ends_in_the_very_same_list(
    build: Build, folder: Path, tmp_path: Path
) -> None:
    before = build(GOOD).manifest
    source = tmp_path / "many.csv"
    _write_many(source, 30_000)
    whole = built(source, tmp_path / "uncut", as_of=NOW).manifest
    resumed = 0
    for kill in range(1, 6):
        with subprocess.Popen(
            _builder(source, folder), stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as builder:
            assert builder.stdout is not None
            first = builder.stdout.readline().split()
            resumed += int(first[1]) > 2_000
            for _ in range(5 * kill):
                builder.stdout.readline()
            time.sleep(0.003 * kill)
            builder.send_signal(signal.SIGKILL)
        assert read_manifest(folder, "sltd") == before
    done = built(source, folder, as_of=NOW)
    assert (done.manifest.root(), done.manifest.version) == (whole.root(), 2)
    assert resumed >= 3
    assert done.resumed_at > 4_000


def test_a_disk_that_is_full_refuses_the_build_in_one_line_and_it_goes_on_later(
    build: Build, folder: Path, tmp_path: Path
) -> None:
    build(GOOD)
    source = tmp_path / "many.csv"
    _write_many(source, 40_000)
    command = shlex.join(_builder(source, folder, 20_000))
    full = subprocess.run(  # noqa: S602 - the shell sets the limit
        f"ulimit -f 100; exec {command}",
        shell=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    last = full.stderr.splitlines()[-1]
    assert "BuildRefused" in last
    assert "the list could not be written" in last
    assert "goes on from where it was" in last
    assert read_manifest(folder, "sltd").version == 1
    done = built(source, folder, as_of=NOW)
    assert (done.manifest.version, done.manifest.records) == (2, 40_000)
    assert done.resumed_at


@pytest.mark.parametrize("equal", [False, True], ids=["all different", "all equal"])
def test_memory_does_not_grow_with_the_list(tmp_path: Path, equal: bool) -> None:
    def peak_mb(count: int) -> int:
        source = tmp_path / "many.csv"
        _write_many(source, count, equal=equal)
        command = _builder(source, tmp_path / "lists", 100_000, 1 << 20)
        told = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
        return int(told.stdout.split()[-1]) // 1024

    small, large = peak_mb(20_000), peak_mb(200_000)
    assert large < 160
    assert large - small < 60


def test_progress_is_told_in_shares_of_each_stage(tmp_path: Path) -> None:
    source = tmp_path / "many.csv"
    _write_many(source, 60_000)
    told: list[Progress] = []
    done = built(source, tmp_path / "lists", "many", as_of=NOW, progress=told.append)
    for stage in ("reading", "writing"):
        shares = [one.share for one in told if one.stage == stage]
        assert shares == sorted(shares)
        assert len(shares) >= 3
        assert shares[-1] == 1
    left = [one.left_s for one in told if one.left_s is not None]
    assert left
    assert told[-1].rows == 60_000
    assert done.seconds["hash"] > 0
    assert set(done.seconds) == {"read", "hash", "deal", "sort", "write", "ranges", "activate"}


def test_one_list_is_built_by_one_builder_at_a_time(build: Build, folder: Path) -> None:
    refused: list[str] = []

    def meanwhile(progress: Progress) -> None:
        with pytest.raises(BuildRefused) as refusal:
            build(GOOD)
        refused.append(str(refusal.value))

    with pytest.raises(SourceUnusable, match="changed"):
        build(GOOD, progress=meanwhile)
    assert "another process is writing list sltd" in refused[0]


def test_a_device_that_looks_while_a_list_is_replaced_always_finds_one_whole(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD)
    lists = lists_in(folder)
    seen = []

    def look(progress: Progress | None = None) -> None:
        seen.append(lists.states(clock)[0])

    for number in range(3):
        build(GOOD, f"UTO,B{number},,visa,lost,2026-01-05,", progress=look)
        look()
    assert [state.version for state in seen] == sorted(state.version or 0 for state in seen)
    assert {state.version for state in seen} == {1, 2, 3, 4}
    assert {state.health.value for state in seen} == {"ok"}


def test_a_source_with_more_ranges_than_a_list_holds_is_refused(
    build: Build, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.watchlist.notes.MOST_RANGES", 3)
    rows = [f"UTO,B{at}0,B{at}9,passport,stolen_blank,2026-01-05," for at in range(4)]
    assert build(*rows[:3], *rows[:3]).manifest.ranges == 3
    with pytest.raises(BuildRefused, match="at most 3 ranges"):
        build(*rows)
    assert read_manifest(folder, "sltd").version == 1


def test_what_a_killed_writer_left_of_a_manifest_goes_with_the_next_version(
    build: Build, folder: Path
) -> None:
    build(GOOD, name="sltd-north")
    left = [folder / ".sltd.json.x1y2", folder / ".sltd.previous.x1y2"]
    other = folder / ".sltd-north.json.x1y2"
    for path in (*left, other):
        path.write_text("{")
    build(GOOD)
    assert [path.exists() for path in (*left, other)] == [False, False, True]
