"""Headquarters builds lists, looks at them and changes their keys: `borderpost-central lists`."""

import json
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from central.cli import app
from scanner.command_line import run_command
from scanner.watchlist.build import FOLDER
from scanner.watchlist.keyring import read_keys, user_folder
from scanner.watchlist.manifest import read_manifest

HEADER = "issuer,number,number_to,kind,status,recorded,reference"
GOOD = "UTO,L898902C3,,passport,stolen,2026-01-05,"
ROOT = Path(__file__).parents[2]


class Office:
    """An operator with a home of their own, and what the commands say."""

    def __init__(
        self, folder: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch
    ) -> None:
        self._capture, self._patch = capture, patch
        patch.setenv("XDG_DATA_HOME", str(folder / "home"))
        patch.chdir(folder)
        self.source("sltd.csv", GOOD)

    def source(self, name: str, *rows: str) -> None:
        Path(name).write_text("\n".join([HEADER, *rows]) + "\n")

    def run(self, *arguments: str, code: int = 0) -> list[str]:
        """The lines of a command: on standard output or, where it fails, on standard error."""
        self._patch.setattr("sys.argv", ["borderpost-central", "lists", *arguments])
        ended = run_command(app, "borderpost-central")
        out, told = self._capture.readouterr()
        assert ended == code, told
        return (told if code else out).splitlines()


@pytest.fixture
def office(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Office:
    return Office(tmp_path, capsys, monkeypatch)


def test_the_first_build_makes_a_key_and_says_so_and_later_ones_use_it(office: Office) -> None:
    key_file = user_folder() / "sltd.key"
    first, built = office.run("build", "sltd.csv", "lists")
    assert first == f"{key_file}: made a key for list sltd; every desk that asks it needs it"
    assert "list sltd version 1, 1 records and 0 ranges under key" in built
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    (again,) = office.run("build", "sltd.csv", "lists")
    assert "version 2" in again
    (key,) = read_keys(key_file)
    assert {read_manifest(Path("lists"), "sltd", one).key_id for one in (".json", ".previous")} == {
        key.id
    }
    assert [path.name for path in key_file.parent.iterdir()] == ["sltd.key"]


def test_a_list_that_is_there_never_gets_a_key_made_for_want_of_its_own(office: Office) -> None:
    office.run("build", "sltd.csv", "lists")
    for damage in ("", "{"):
        (user_folder() / "sltd.key").unlink(missing_ok=True)
        (refusal,) = office.run("build", "sltd.csv", "lists", code=1)
        assert "sltd.key is not there" in refusal
        assert "bring the key" in refusal
        if not damage:
            (Path("lists") / "sltd.json").write_text("{")
    assert not (user_folder() / "sltd.key").exists()


@pytest.mark.parametrize("place", ["lists/sltd.key", "lists/keys/sltd.key", "link"])
def test_a_key_that_lies_with_the_lists_is_refused(office: Office, place: str) -> None:
    office.run("new-key", "sltd", "--key", "lists/keys/sltd.key")
    Path("lists/sltd.key").write_bytes(Path("lists/keys/sltd.key").read_bytes())
    Path("link").symlink_to("lists/sltd.key")
    (refusal,) = office.run("build", "sltd.csv", "lists", "--key", place, code=1)
    assert "lies with the lists" in refusal
    assert not Path("lists/sltd.json").exists()


def test_a_named_key_file_is_made_by_the_first_build_and_missed_by_later_ones(
    office: Office,
) -> None:
    made, _ = office.run("build", "sltd.csv", "lists", "--key", "keys/sltd.key")
    assert made.startswith("keys/sltd.key: made a key for list sltd")
    (refusal,) = office.run("build", "sltd.csv", "lists", "--key", "keys/typo.key", code=1)
    assert "keys/typo.key is not there" in refusal
    assert not Path("keys/typo.key").exists()


def test_a_named_key_file_that_is_none_is_refused(office: Office) -> None:
    Path("bad.key").write_text("secret")
    (refusal,) = office.run("build", "sltd.csv", "lists", "--key", "bad.key", code=1)
    assert "hexadecimal" in refusal
    assert "secret" not in refusal


def test_a_key_is_changed_and_the_next_build_says_what_that_means(office: Office) -> None:
    office.run("build", "sltd.csv", "lists")
    old = read_manifest(Path("lists"), "sltd").key_id
    (made,) = office.run("new-key", "sltd")
    new, kept = read_keys(user_folder() / "sltd.key")
    assert new.id in made
    assert kept.id == old
    told, _ = office.run("build", "sltd.csv", "lists")
    assert f"was under key {old} and will be under {new.id}" in told
    assert read_manifest(Path("lists"), "sltd").key_id == new.id


def test_no_key_is_made_for_a_source_that_cannot_be_built(office: Office) -> None:
    Path("wrong.csv").write_text("nonsense\n")
    assert "header" in office.run("build", "wrong.csv", "lists", code=1)[0]
    assert "No such file" in office.run("build", "none.csv", "lists", code=1)[0]
    assert not user_folder().exists()
    assert not Path("lists").exists()


def test_a_resumed_build_says_so_and_tells_bad_rows_again(office: Office) -> None:
    office.source("sltd.csv", GOOD, "nonsense")
    said = office.run("build", "sltd.csv", "lists", code=1)
    assert len(said) == 2
    *_, resumed, built = office.run("build", "sltd.csv", "lists", "--skip-bad-rows")
    assert "going on after row 2" in resumed
    assert "1 bad rows, 0 replaced; resumed after row 2" in built


def test_ctrl_c_ends_a_build_with_one_line_that_says_how_to_go_on(office: Office) -> None:
    rows = (f"UTO,N{number:07},,passport,stolen,2026-01-05," for number in range(400_000))
    office.source("sltd.csv", *rows)
    command = [sys.executable, "-m", "central.cli", "lists", "build"]
    with subprocess.Popen(
        [*command, str(Path("sltd.csv").resolve()), str(Path("lists").resolve())],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as builder:
        while not (Path("lists/sltd") / FOLDER / "runs").exists():
            time.sleep(0.01)
        builder.send_signal(signal.SIGINT)
        _, told = builder.communicate(timeout=30)
    assert builder.returncode == 1
    assert told.splitlines() == [
        "borderpost-central: interrupted; list sltd is as it was, and the same command goes on "
        "from the beginning"
    ]
    assert not Path("lists/sltd.json").exists()


def test_inspect_tells_versions_sizes_key_root_and_age_and_no_number(office: Office) -> None:
    office.source("sltd.csv", GOOD, "UTO,AB0001,AB0199,passport,stolen_blank,2026-01-05,")
    office.run("build", "sltd.csv", "lists", "--as-of", "2026-11-01T04:00:00Z")
    office.run("build", "sltd.csv", "lists", "--as-of", "2026-11-02T04:00:00Z")
    manifest = read_manifest(Path("lists"), "sltd")
    said = "\n".join(office.run("inspect", "lists"))
    assert "sltd, in force: version 2, all there" in said
    assert "sltd, previous: version 1, all there" in said
    for told in (manifest.root(), manifest.key_id, "1; 1 ranges", "keys 4,096", "a record"):
        assert told in said
    assert "ago" in said
    assert "L898902C3" not in said
    assert "AB0" not in said


def test_inspect_tells_other_programs_the_same(office: Office) -> None:
    office.run("build", "sltd.csv", "lists")
    ((one,),) = [json.loads(line) for line in office.run("inspect", "lists", "sltd", "--json")]
    manifest = read_manifest(Path("lists"), "sltd")
    assert (one["name"], one["standing"], one["version"]) == ("sltd", "in force", 1)
    assert one["root"] == manifest.root()
    assert (one["fault"], one["records"]) == (None, 1)
    assert [part["kind"] for part in one["parts"]] == ["base", "ranges"]
    assert sum(one["parts"][0]["bytes"].values()) > 8192


def test_inspect_tells_what_is_missing_or_cut_and_ends_with_1(office: Office) -> None:
    office.run("build", "sltd.csv", "lists")
    (keys,) = Path("lists").rglob("keys")
    keys.write_bytes(keys.read_bytes()[:-1])
    office._patch.setattr("sys.argv", ["borderpost-central", "lists", "inspect", "lists"])
    assert run_command(app, "borderpost-central") == 1
    assert "the file has 4095 bytes and should have 4096" in office._capture.readouterr().out
    assert "holds no list" in office.run("inspect", "lists", "other", code=1)[0]
