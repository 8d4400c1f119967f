"""The list engine's benchmark: it measures every figure or says why not, goes on where it was
stopped, and reckons the rate of possible matches as the engine gives them."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from benchmarks.listing import command, running
from benchmarks.listing.columns import drawn
from benchmarks.listing.figures import figures_of
from benchmarks.listing.formats import ISSUED, SERIES
from benchmarks.listing.peers import PEERS
from benchmarks.listing.settings import Json, Settings
from benchmarks.listing.stages import stages_of, with_needs
from benchmarks.listing.travellers import Traveller, clean
from benchmarks.listing.world import World, write_source
from benchmarks.reading.peers import FOLDER, CannotSetUp
from scanner.watchlist.build import build_list
from scanner.watchlist.contract import Certainty, ListStatus
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import read_manifest
from scanner.watchlist.store import open_store

KEY = ListKey(bytes(32))
RECORDS = 100_000
SMALL = (
    f"--records {RECORDS} --probes 100000 --asked 400 --cold 20 --csv-rows 6000 --days 3 "
    "--travellers 4 --keep"
).split()


@pytest.fixture(scope="module")
def peers() -> str:
    """SQLite, and the others where their environment is there already: none is set up for this."""
    return ",".join(Settings.peers) if list(FOLDER.glob("lists/.ready-*")) else "sqlite"


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory, peers: str) -> tuple[Settings, Json]:
    """One small run, all of it."""
    folder = tmp_path_factory.mktemp("bench")
    told = folder / "told.json"
    given = [*SMALL, "--work", str(folder / "work"), "--peers", peers, "--json", str(told)]
    assert command.main(given) == 0
    said: Json = json.loads(told.read_text(encoding="utf-8"))
    settings = said["settings"]
    return Settings(**settings | {"work": folder / "work", "peers": tuple(settings["peers"])}), said


def test_every_figure_but_the_kills_is_measured_and_every_goal_that_holds_at_this_size_is_reached(
    whole_run: tuple[Settings, Json],
) -> None:
    settings, said = whole_run
    assert said["not_done"] == {}
    figures = {one.name: one for one in figures_of(settings, said["not_done"])}
    assert [one.name for one in figures.values() if "not measured" in one.measured] == [
        "kill -9 at random moments"
    ]
    for name in (
        "key store, with directory and hashes",
        "read from the disk per key, cold",
        "the same, cold, with an overlay",
        "memory of a process that only looks up",
        "folding the days",
        "applying a day",
        "random probes",
    ):
        assert figures[name].holds, figures[name]


def test_ratios_to_peers_hold_at_a_small_size_too(whole_run: tuple[Settings, Json]) -> None:
    stages = whole_run[1]["stages"]
    ours = sum(stages["build-ours"]["sizes"].values())
    assert stages["build-sqlite"]["bytes"] > 1.8 * ours
    assert stages["build-sqlite"]["build_cpu_s"] > 2 * stages["build-ours"]["build_cpu_s"]
    first_day = stages["apply"]["days"][0]["written_bytes"]
    assert stages["update-sqlite"]["written_bytes"] > 10 * first_day
    assert stages["make-delta"]["same"]
    sizes, least = stages["publish"]["sizes"], stages["publish"]["entropy"]
    assert all(size < 1.15 * bound for size, bound in zip(sizes, least, strict=True))


def test_a_run_goes_on_where_it_was_stopped(
    whole_run: tuple[Settings, Json], peers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, _ = whole_run
    settings.result_path("probes").unlink()
    given = [*SMALL, "--work", str(settings.work), "--peers", peers]
    assert command.main(given) == 0
    told = capsys.readouterr().err
    assert "probes ..." in told
    assert told.count("was done before") == len(stages_of(settings)) - 1


def test_what_was_not_measured_is_told_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cannot(*_: object) -> Path:
        raise CannotSetUp("set-up failed: no such package")

    monkeypatch.setattr(running, "environment", cannot)
    given = ["--records", "1000", "--work", str(tmp_path / "w"), "--only", "build-lmdb,build-ours"]
    assert command.main(given) == 0
    told = capsys.readouterr()
    assert "build-lmdb: not done: set-up failed: no such package" in told.err
    figures = [line for line in told.out.splitlines() if line.startswith("| ")]
    assert sum("not measured: not asked for (--only)" in line for line in figures) > 10
    assert "| key store, with directory and hashes | ≤ 1.03 × the bound | " in told.out


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--records", "1000", "--peers", "oracle"], "no peer 'oracle'; there is sqlite, lmdb"),
        (["--records", "1000", "--only", "nothing"], "no stage 'nothing'; there is columns"),
        (["--records", "1"], "a list of at least 2 records is needed"),
        (["--records", str(10**12)], "GB are free and this run needs"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    given: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([*given, "--work", str(tmp_path / "w")]) == 2
    errors = capsys.readouterr().err
    assert told in errors
    assert errors.count("\n") == 1


def test_another_run_s_work_is_not_gone_on_with(tmp_path: Path) -> None:
    Settings(tmp_path, 1000).write()
    with pytest.raises(ValueError, match="a run with other settings lies there"):
        Settings(tmp_path, 1001).write()


def test_a_stage_brings_what_it_needs() -> None:
    every = stages_of(Settings(Path("/nowhere"), 1000, peers=("sqlite",)))
    assert [one.name for one in with_needs(["cold-sqlite"], every)] == [
        "columns",
        "build-sqlite",
        "cold-sqlite",
    ]
    assert {"build-ours", "build-sqlite"} <= {one.name for one in with_needs(["war*"], every)}


def test_drawn_keys_are_in_order_as_many_as_wanted_and_the_same_for_a_seed() -> None:
    keys = np.concatenate(list(drawn(300_000, (1, 0))))
    assert len(keys) == 300_000
    assert (keys[1:] >= keys[:-1]).all()
    assert (keys == np.concatenate(list(drawn(300_000, (1, 0))))).all()
    assert abs(float(np.mean(keys.astype(np.float64))) / 2.0**64 - 0.5) < 0.005


@pytest.mark.parametrize("series", SERIES, ids=lambda one: one.name)
def test_a_number_says_where_it_stands_among_those_issued(series: object) -> None:
    one = SERIES[SERIES.index(series)]  # type: ignore[arg-type]
    last = int(one.issued * 1_000_000) - 1
    places = np.array([0, 1, 4711, last // 2, last])
    numbers = one.numbers(places)
    assert [one.index(number) for number in numbers] == places.tolist()
    assert all(number in one.look_alikes(number) for number in numbers)


def test_as_many_documents_are_listed_as_a_list_has_records() -> None:
    world = World(20_000, ISSUED // 1000)
    listed = [np.concatenate(list(world.listed(at))) for at in range(len(SERIES))]
    assert abs(sum(map(len, listed)) - 20_000) < 1_000
    assert all(world.is_listed(at, places).all() for at, places in enumerate(listed))


def test_a_source_of_national_formats_is_built_without_a_bad_row(tmp_path: Path) -> None:
    rows = write_source(tmp_path / "list.csv", World(11_000, ISSUED // 10_000))
    as_of = datetime(2026, 11, 25, tzinfo=UTC)
    built = build_list(tmp_path / "list.csv", tmp_path, "formats", key=KEY, as_of=as_of)
    assert (built.bad_rows, built.superseded) == (0, 0)
    assert built.manifest.records + built.manifest.ranges == rows


def test_the_engine_answers_travellers_with_just_the_documents_that_are_reckoned_to(
    tmp_path: Path,
) -> None:
    world = World(150_000_000)
    travellers = [one for at in range(len(SERIES)) for one in clean(world, at, 3)]
    look_up = engine_with(tmp_path, travellers)
    with_answers = 0
    for one in travellers:
        wanted = len({(a.series, a.index) for a in one.answerers})
        assert look_up(one) == wanted, SERIES[one.series].name
        with_answers += bool(wanted)
    assert with_answers > 10


def engine_with(folder: Path, travellers: list[Traveller]) -> Callable[[Traveller], int]:
    """A list of every document that could answer one of them, and how many do answer each."""
    rows = {
        (SERIES[one.series].issuer, number, SERIES[one.series].kind.value)
        for traveller in travellers
        for one in traveller.answerers
        for number in SERIES[one.series].numbers(np.array([one.index]))
    }
    source = folder / "answerers.csv"
    lines = ["issuer,number,number_to,kind,status,recorded,reference"]
    status = ListStatus.STOLEN.value
    lines += [f"{issuer},{number},,{kind},{status},2026-01-05," for issuer, number, kind in rows]
    source.write_text("\n".join(lines) + "\n", encoding="ascii")
    build_list(source, folder, "engine", key=KEY, as_of=datetime(2026, 11, 25, tzinfo=UTC))
    store = open_store(folder, read_manifest(folder, "engine"), KEY)

    def look_up(traveller: Traveller) -> int:
        matches = store.look_up(traveller.asked)
        exact = [one for one in matches if one.certainty is Certainty.EXACT]
        assert {one.asked_as.value for one in exact} <= {"passport_of_visa", "cut_at_nine"}
        return len(matches)

    return look_up


def test_settings_come_back_from_the_work_folder_as_they_were_written(tmp_path: Path) -> None:
    from benchmarks.listing.settings import read

    settings = Settings(tmp_path, 1000, peers=("sqlite",))
    settings.write()
    assert read(tmp_path) == settings
    replace(settings, peers=()).write()
    assert set(PEERS) == {"sqlite", "lmdb", "rocksdict", "rocksdict-compressed"}
