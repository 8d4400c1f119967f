"""The benchmark of updates: it measures every figure or says why not, goes on where it was stopped,
and what a day takes stays below what it may, with all metadata, at ten million records too."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, TargetFile, Targets
from tuf.api.serialization.json import JSONSerializer

from benchmarks.listing.days import days
from benchmarks.listing.settings import Json, Settings
from benchmarks.updating import command
from scanner.watchlist.delta_blocks import additions_written, removals_written
from scanner.watchlist.publication import File, Publication, Step, Whole

RECORDS, DAYS, DEVICES, CUTS = 20_000, 1, 2, 4
SMALL = (
    f"--records {RECORDS} --days {DAYS} --devices {DEVICES} --cuts {CUTS} --peers sqlite --keep"
).split()


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench") / "work"


@pytest.fixture(scope="module")
def told(work: Path) -> Json:
    """One small run, all of it."""
    path = work.with_name("told.json")
    assert command.main([*SMALL, "--work", str(work), "--json", str(path)]) == 0
    said: Json = json.loads(path.read_text(encoding="utf-8"))
    return said


def test_a_device_updates_each_day_and_writes_a_fraction_of_what_sqlite_does(told: Json) -> None:
    assert told["not_done"] == {}
    first, *others = told["stages"]["days"]["days"]
    assert first["arrived"]
    assert len(others) == DAYS
    for day in others:
        assert day["arrived"]
        assert day["delta"] < day["sent"] < day["delta"] + 16_000
        assert day["written_bytes"] < told["stages"]["update-sqlite"]["written_bytes"] / 2


def test_a_device_that_was_away_and_a_fleet_arrive(told: Json) -> None:
    (away,) = told["stages"]["catch-up"]["devices"]
    assert (away["behind"], away["outcome"], away["code"]) == (1, "updated", "")
    assert told["stages"]["fleet"]["updated"] == DEVICES


def test_next_to_nothing_is_sent_again_over_a_link_that_fails(told: Json) -> None:
    whole = told["stages"]["whole"]
    cut, clean = whole["cut"], whole["clean"]
    assert cut["cuts"] >= CUTS
    assert cut["outcome"] == clean["outcome"] == "updated"
    heads_a_try = 1500
    assert cut["sent"] - clean["sent"] <= heads_a_try * cut["attempts"]


def test_a_run_goes_on_where_it_was_stopped_and_tells_what_it_did_not_measure(
    told: Json, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "results" / "fleet.json").unlink()
    assert command.main([*SMALL, "--work", str(work), "--only", "catch-up"]) == 0
    said = capsys.readouterr()
    assert said.err.count("was done before") == len(said.err.splitlines()) - 2
    assert "not measured: not asked for (--only) (fleet)" in said.out
    assert "not measured: the run has fewer days" in said.out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--records", "1000", "--peers", "oracle"], "no peer 'oracle'; there is sqlite, lmdb"),
        (["--records", "1000", "--only", "nothing"], "no stage 'nothing'; there is columns"),
        (["--records", str(10**12)], "GB are free and this run needs"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    given: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([*given, "--work", str(tmp_path / "w")]) == 2
    errors = capsys.readouterr().err
    assert said in errors
    assert errors.count("\n") == 1


def test_a_day_of_ten_million_records_takes_less_than_1_25_mb_with_all_metadata() -> None:
    (day,) = days(Settings(Path("/nowhere"), 10_000_000, days=1))
    assert (len(day.added), len(day.removed)) == (100_000, 19_000)  # the others were added before
    removed, added = removals_written(day.removed), additions_written(day.added)
    delta = sum(map(len, removed)) + sum(map(len, added))
    assert delta + _metadata_of(steps=66) <= 1_250_000


def _metadata_of(steps: int) -> int:
    """Bytes of what is fetched beside a delta when so many steps are kept."""
    digest, now = "0" * 64, datetime.now(UTC)
    whole = Whole(
        version=1,
        as_of=now,
        key_id="0" * 16,
        records=10_000_000,
        ranges=1,
        base=digest,
        ranges_digest=digest,
        files=tuple(File(path=f"lists/sltd/{n}", place=str(n), bytes=1) for n in range(5)),
    )
    root = whole.root()
    publication = Publication(
        name="sltd",
        ring="all",
        number=1,
        version=steps + 1,
        root=root,
        as_of=now,
        whole=whole,
        steps=tuple(
            Step(
                kind="delta",
                from_version=number,
                from_root=root,
                to_version=number + 1,
                to_root=root,
                path=f"lists/sltd/delta-{number}-{number + 1}",
                bytes=1_000_000,
            )
            for number in range(1, steps + 1)
        ),
    )
    targets = Targets(version=1, expires=now.replace(microsecond=0))
    for number in range(steps + 12):
        path = f"lists/sltd/delta-{number}-{number + 1}"
        targets.targets[path] = TargetFile(1_000_000, {"sha256": digest}, path)
    signed = Metadata(targets)
    signed.sign(CryptoSigner.generate_ed25519())
    small = 4096  # timestamp, snapshot and the answers' heads
    said = publication.model_dump_json(indent=1)
    return len(said) + len(signed.to_bytes(JSONSerializer(compact=False))) + small
