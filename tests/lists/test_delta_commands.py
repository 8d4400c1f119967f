"""Headquarters publishes a list day by day: build, diff, apply, fold."""

from pathlib import Path

import pytest

from central.cli import app
from scanner.command_line import run_command
from scanner.watchlist.keyring import write_keys
from scanner.watchlist.manifest import read_manifest
from tests.list_versions import KEY, NAME, listed_in

HEADER = "issuer,number,number_to,kind,status,recorded,reference"


def row(number: int, status: str = "lost") -> str:
    return f"UTO,{number:09d},,passport,{status},2026-11-20,"


class Office:
    """A publisher's working folder, and what its commands say."""

    def __init__(
        self, folder: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch
    ) -> None:
        self.folder, self._capture, self._patch = folder, capture, patch
        patch.chdir(folder)
        write_keys(folder / "keys" / "sltd.key", (KEY,))

    def build(self, *rows: str, out: str = "built") -> str:
        (self.folder / "sltd.csv").write_text("\n".join([HEADER, *rows]) + "\n")
        return self.run("build", "sltd.csv", out)

    def run(self, *arguments: str, code: int = 0) -> str:
        """What a command says, on standard output or, where it fails, on standard error."""
        line = ["borderpost-central", "lists", *arguments, "--key", "keys/sltd.key"]
        self._patch.setattr("sys.argv", line)
        ended = run_command(app, "borderpost-central")
        out, told = self._capture.readouterr()
        assert ended == code, told
        said = told if code else out
        assert len(said.splitlines()) == 1
        return said


@pytest.fixture
def office(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Office:
    return Office(tmp_path, capsys, monkeypatch)


def test_a_list_is_published_day_by_day_and_folded(office: Office) -> None:
    days = [[row(number) for number in range(day, 500 + 20 * day)] for day in range(1, 4)]
    office.build(*days[0])
    office.build(*days[0], out="published")
    for day in days[1:]:
        office.build(*day)
        said = office.run("diff", "published", "built", "delta")
        assert "20 records added, 1 removed, the same ranges; from root" in said
        applied = office.run("apply", "delta", "published")
        assert said.split()[-1] == applied.split()[-1]
    published, built = office.folder / "published", office.folder / "built"
    assert listed_in(published) == listed_in(built)
    root = read_manifest(built, NAME).root()
    assert "was expected" in office.run("fold", "published", "--root", "00" * 32, code=1)
    assert root in office.run("fold", "published", "--root", root)
    assert read_manifest(published, NAME).base == read_manifest(built, NAME).base
    assert "no overlay to fold" in office.run("fold", "published")


def test_a_delta_that_does_not_follow_is_one_line_and_changes_nothing(office: Office) -> None:
    office.build(row(1), row(2))
    office.build(row(1), row(3))
    office.run("diff", "built", "built", "delta")
    before = read_manifest(office.folder / "built", NAME)
    assert "starts from version 1" in office.run("apply", "delta", "built", code=1)
    (office.folder / "delta").write_bytes(b"no delta")
    assert "ends early" in office.run("apply", "delta", "built", code=1)
    assert "No such file" in office.run("apply", "none", "built", code=1)
    assert read_manifest(office.folder / "built", NAME) == before
