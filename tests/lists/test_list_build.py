"""Building a list: all or nothing, whatever interrupts it."""

import json
import os
import shlex
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scanner.watchlist.age import ClockReading
from scanner.watchlist.build import BuildRefused, Built, Problem, build_list
from scanner.watchlist.lists import Lists
from scanner.watchlist.manifest import read_manifest
from scanner.watchlist.source import SourceUnusable

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HEADER = "issuer,number,number_to,kind,status,recorded,reference"
GOOD = "UTO,L898902C3,,passport,stolen,2026-01-05,"
Build = Callable[..., Built]


def _visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_build_gives_a_data_file_named_by_its_content_and_a_manifest(
    build: Build, folder: Path
) -> None:
    built = build(GOOD, "UTO,A1,A9,passport,stolen_blank,2026-01-05,")
    manifest = built.manifest
    assert _visible(folder) == {"sltd.json", f"sltd-{manifest.sha256[:16]}.sqlite"}
    assert (manifest.version, manifest.records, manifest.ranges) == (1, 1, 1)
    said = json.loads((folder / "sltd.json").read_text())
    assert set(said) == {
        *("format", "name", "version", "as_of", "file", "sha256", "size", "records", "ranges"),
        "check",
    }


def test_bad_rows_stop_the_build_and_leave_the_list_as_it_was(build: Build, folder: Path) -> None:
    build(GOOD)
    before = _visible(folder)
    told: list[Problem] = []
    with pytest.raises(BuildRefused, match="2 rows are bad and nothing was built"):
        build("nonsense", GOOD, "UTO,,,,,,", report=told.append)
    assert [problem.line for problem in told] == [2, 4]
    assert _visible(folder) == before
    assert read_manifest(folder, "sltd").version == 1


def test_bad_rows_are_left_out_where_that_was_asked_for(build: Build) -> None:
    built = build("nonsense", GOOD, skip_bad_rows=True)
    assert (built.bad_rows, built.manifest.records) == (1, 1)


def test_a_list_is_not_emptied_by_a_source_in_which_every_row_is_bad(
    build: Build, folder: Path
) -> None:
    build(GOOD)
    with pytest.raises(BuildRefused, match="every row is bad"):
        build("nonsense", "UTO,,,,,,", skip_bad_rows=True)
    assert read_manifest(folder, "sltd").version == 1


def test_a_disk_that_is_full_refuses_the_build_and_leaves_the_list_as_it_was(
    build: Build, folder: Path, tmp_path: Path
) -> None:
    build(GOOD)
    many = tmp_path / "many.csv"
    _write_many(many, 60_000)
    command = shlex.join([sys.executable, "-c", BUILDER, str(many), str(folder)])
    builder = subprocess.run(  # noqa: S602 - the shell sets the limit
        f"ulimit -f 1000; exec {command}",
        shell=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert "BuildRefused" in builder.stderr
    assert "the list could not be written" in builder.stderr
    assert read_manifest(folder, "sltd").version == 1
    assert list(folder.glob(".building-*")) == []


def test_a_wrong_header_stops_the_build_even_where_bad_rows_are_skipped(tmp_path: Path) -> None:
    source = tmp_path / "source.csv"
    source.write_text("number,issuer\nL898902C3,UTO\n")
    with pytest.raises(SourceUnusable):
        build_list(source, tmp_path / "lists", "sltd", as_of=NOW, skip_bad_rows=True)
    assert _visible(tmp_path / "lists") == set()


def test_of_equal_records_the_later_holds_and_the_earlier_are_reported(
    build: Build, folder: Path
) -> None:
    told: list[Problem] = []
    built = build(
        "UTO,L898902C3,,passport,lost,2026-01-05,",
        "UTO,L898902C3,,visa,lost,2026-01-05,",
        "uto,L8-98902C3,,passport,stolen,2026-02-05,",
        "UTO,A1,A9,passport,stolen_blank,2026-01-05,",
        "UTO,A1,A9,passport,stolen_blank,2026-03-05,",
        "UTO,L898902C3,,passport,revoked,2026-03-05,",
        report=told.append,
    )
    assert [(problem.line, problem.reason.split(" on ")[1]) for problem in told] == [
        (2, "line 4, which holds"),
        (4, "line 7, which holds"),
        (5, "line 6, which holds"),
    ]
    assert (built.superseded, built.manifest.records, built.manifest.ranges) == (3, 2, 1)


def test_the_reference_never_enters_the_list(build: Build, folder: Path) -> None:
    build(f"{GOOD}CASE-4711 Jane Doe")
    for path in folder.iterdir():
        assert b"CASE-4711" not in path.read_bytes()


def test_versions_count_up_and_the_previous_files_stay(build: Build, folder: Path) -> None:
    first = build(GOOD).manifest
    second = build(GOOD, "UTO,A1,,visa,lost,2026-01-05,").manifest
    third = build(GOOD, "UTO,A2,,visa,lost,2026-01-05,").manifest
    assert [one.version for one in (first, second, third)] == [1, 2, 3]
    assert _visible(folder) == {"sltd.json", "sltd.previous", second.file, third.file}
    assert read_manifest(folder, "sltd", ".previous") == second


def test_the_same_source_gives_the_same_file(build: Build) -> None:
    rows = [GOOD, "UTO,A1,A9,passport,stolen_blank,2026-01-05,", "D,B7,,identity,lost,2026-01-05,"]
    assert build(*rows).manifest.sha256 == build(*reversed(rows)).manifest.sha256


def test_building_one_list_leaves_another_with_a_longer_name_alone(
    build: Build, folder: Path
) -> None:
    other = build(GOOD, name="sltd-north").manifest
    for number in range(4):
        build(f"UTO,A{number},,visa,lost,2026-01-05,")
    assert (folder / other.file).exists()


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


def _write_many(path: Path, count: int) -> None:
    with path.open("w") as file:
        file.write(HEADER + "\n")
        for number in range(count):
            file.write(f"UTO,N{number:08d},,passport,stolen,2026-01-05,reference {number}\n")


def test_progress_is_told_and_memory_does_not_grow_with_the_list(tmp_path: Path) -> None:
    source = tmp_path / "many.csv"
    told: list[int] = []

    def peak(count: int) -> int:
        _write_many(source, count)
        tracemalloc.start()
        try:
            build_list(source, tmp_path / "lists", "many", as_of=NOW, progress=told.append)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small, large = peak(2_000), peak(20_000)
    assert told == [2_000, 10_000, 20_000, 20_000]
    assert large < small + 500_000


BUILDER = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from scanner.watchlist.build import build_list
def progress(rows):
    print(rows, flush=True)
build_list(Path(sys.argv[1]), Path(sys.argv[2]), "sltd", as_of=datetime.now(UTC), progress=progress)
"""


@pytest.mark.parametrize("progress", [1, 3, 7], ids=["early", "midway", "when all is read"])
def test_a_build_that_is_killed_leaves_the_old_version_and_the_next_build_clears_up(
    build: Build, folder: Path, tmp_path: Path, progress: int
) -> None:
    build(GOOD)
    many = tmp_path / "many.csv"
    _write_many(many, 60_000)
    builder = subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(many), str(folder)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert builder.stdout is not None
    for _ in range(progress):
        builder.stdout.readline()
    os.kill(builder.pid, signal.SIGKILL)
    builder.communicate()
    manifest = read_manifest(folder, "sltd")
    assert manifest.version == 1
    assert _visible(folder) == {"sltd.json", manifest.file}
    assert [path.name for path in folder.glob(".building-*")]
    build(GOOD, "UTO,A1,,visa,lost,2026-01-05,")
    assert list(folder.glob(".building-*")) == []


def test_one_list_is_built_by_one_builder_at_a_time(build: Build, folder: Path) -> None:
    refused: list[str] = []

    def meanwhile(rows: int) -> None:
        try:
            build(GOOD)
        except BuildRefused as error:
            refused.append(str(error))

    build(GOOD, progress=meanwhile)
    assert len(refused) == 1
    assert "being built already" in refused[0]


def test_a_device_that_looks_while_a_list_is_replaced_always_finds_one_whole(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD)
    lists = Lists(folder)
    seen = []

    def look(rows: int) -> None:
        seen.append(lists.states(clock)[0])

    for number in range(3):
        build(GOOD, f"UTO,B{number},,visa,lost,2026-01-05,", progress=look)
        look(0)
    assert [state.version for state in seen] == [1, 2, 2, 3, 3, 4]
    assert {state.health.value for state in seen} == {"ok"}
