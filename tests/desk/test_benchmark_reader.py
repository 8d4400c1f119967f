"""The reader's benchmark scores pages through the seam, and says what it did not measure."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.demo.catalogue import SPECIMENS_FOLDER

REPOSITORY = Path(__file__).parents[2]
COMMAND = [sys.executable, "benchmarks/reader.py"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )


def test_two_pages_are_scored_in_words_and_in_json(tmp_path: Path) -> None:
    out = tmp_path / "score.json"
    done = run("--corpus", str(SPECIMENS_FOLDER), "--limit", "2", "--json", str(out))
    assert done.returncode == 0, done.stderr
    assert "every line exact        2 of 2 (100.0%)" in done.stdout
    assert "Not measured:" in done.stdout
    told = json.loads(out.read_text(encoding="utf-8"))
    assert (told["pages"], told["sure_but_wrong"]) == (2, [])
    assert [mark["file"] for mark in told["marks"]] == ["01-passport.jpg", "02-passport-stolen.jpg"]


def test_a_page_with_other_lines_than_the_manifest_says_is_not_exact(tmp_path: Path) -> None:
    picture = SPECIMENS_FOLDER / "01-passport.jpg"
    (tmp_path / "page.jpg").write_bytes(picture.read_bytes())
    (tmp_path / "manifest.csv").write_text(
        "file,format,line1,line2\n"
        f"page.jpg,TD3,P<UTONOBODY<<NO{'<' * 29},U71B409521UTO8603142F3411207<<<<<<<<<<<<<<<8\n",
        encoding="utf-8",
    )
    done = run("--corpus", str(tmp_path))
    assert "every line exact        0 of 1" in done.stdout
    assert "document number exact   1 of 1" in done.stdout
    assert "sure but wrong          1: page.jpg" in done.stdout


def test_stopping_prints_the_score_so_far() -> None:
    with subprocess.Popen(
        [*COMMAND, "--corpus", str(SPECIMENS_FOLDER)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        told, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "of 11 pages" in told
    assert "median time a page" in told
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--corpus", "/nowhere"], "there is no manifest.csv"),
        (["--corpus", str(SPECIMENS_FOLDER), "--reader", "nobody"], "no reader 'nobody'"),
        (["--corpus", str(SPECIMENS_FOLDER), "--limit", "0"], "no page was read"),
    ],
)
def test_what_cannot_be_scored_is_told_in_one_line(arguments: list[str], told: str) -> None:
    done = run(*arguments)
    assert done.returncode in {1, 2}
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
