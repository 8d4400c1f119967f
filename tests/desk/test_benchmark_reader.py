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
ALONE = ["--peers", "none"]
WARM = [*ALONE, "--cold-starts", "0"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )


def row(table: str, name: str) -> list[str]:
    """The cells of one row, one a reader."""
    line = next(line for line in table.splitlines() if line.startswith(f"| {name} "))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_pages_are_scored_in_a_table_and_in_json(tmp_path: Path) -> None:
    out = tmp_path / "score.json"
    done = run("--corpus", str(SPECIMENS_FOLDER), "--limit", "2", "--json", str(out), *ALONE)
    assert done.returncode == 0, done.stderr
    assert row(done.stdout, "every line exact") == ["2 (100.0%)"]
    assert row(done.stdout, "ratio to ours") == ["1.0"]
    assert "Not measured:" in done.stdout
    (suite,) = json.loads(out.read_text(encoding="utf-8"))["suites"]
    (told,) = suite["readers"]
    assert (told["score"]["pages"], told["score"]["sure_but_wrong"]) == (2, [])
    assert [mark["file"] for mark in told["marks"]] == [
        "01-passport.jpg",
        "06-passport-stolen-blank.jpg",
    ]
    assert told["first_reading_ms"] > told["score"]["median_ms"]
    assert told["peak_mb"] > told["before_mb"] > 0


def test_the_command_line_gives_what_the_reader_alone_gives(tmp_path: Path) -> None:
    out = tmp_path / "score.json"
    arguments = ["--corpus", str(SPECIMENS_FOLDER), "--limit", "2", "--through-cli", *WARM]
    done = run(*arguments, "--json", str(out))
    assert done.returncode == 0, done.stderr
    (suite,) = json.loads(out.read_text(encoding="utf-8"))["suites"]
    alone, scanned = (
        [{**mark, "ms": 0, "note": None} for mark in told["marks"]] for told in suite["readers"]
    )
    assert scanned == alone


def test_a_page_with_other_lines_than_the_manifest_says_is_not_exact(tmp_path: Path) -> None:
    picture = SPECIMENS_FOLDER / "01-passport.jpg"
    (tmp_path / "page.jpg").write_bytes(picture.read_bytes())
    (tmp_path / "manifest.csv").write_text(
        "file,format,line1,line2\n"
        f"page.jpg,TD3,P<UTONOBODY<<NO{'<' * 29},U71B409521UTO8603142F3411207<<<<<<<<<<<<<<<8\n",
        encoding="utf-8",
    )
    done = run("--corpus", str(tmp_path), *WARM)
    assert row(done.stdout, "every line exact") == ["0 (0.0%)"]
    assert row(done.stdout, "document number exact") == ["1 (100.0%)"]
    assert row(done.stdout, "sure but wrong") == ["1"]
    assert "sure but wrong, litert: page.jpg" in done.stdout


def test_a_document_found_where_there_is_none_is_told(tmp_path: Path) -> None:
    for name in ("01-passport.jpg", "09-empty-desk.jpg"):
        (tmp_path / name).write_bytes((SPECIMENS_FOLDER / name).read_bytes())
    (tmp_path / "manifest.csv").write_text(
        "file,format,line1,line2\n01-passport.jpg,,,\n09-empty-desk.jpg,,,\n", encoding="utf-8"
    )
    done = run("--corpus", str(tmp_path), *WARM)
    assert row(done.stdout, "pictures without an MRZ") == ["2"]
    assert row(done.stdout, "documents reported") == ["1"]


def test_stopping_prints_the_score_so_far() -> None:
    with subprocess.Popen(
        [*COMMAND, "--corpus", str(SPECIMENS_FOLDER), *WARM],
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
    assert 1 <= int(row(told, "pages")[0]) < 11
    assert row(told, "median ms")
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--corpus", "/nowhere"], "there is no manifest.csv"),
        (["--corpus", str(SPECIMENS_FOLDER), "--reader", "nobody"], "no reader 'nobody'"),
        (["--corpus", str(SPECIMENS_FOLDER), "--peers", "nobody"], "no 'nobody'; there is"),
        (["--corpus", str(SPECIMENS_FOLDER), "--suite", "sea"], "no 'sea'; there is corpus"),
        (["--corpus", str(SPECIMENS_FOLDER), "--limit", "0"], "no page was read"),
        (["--corpus", str(SPECIMENS_FOLDER), "--resume"], "--resume needs --json FILE"),
    ],
)
def test_what_cannot_be_scored_is_told_in_one_line(arguments: list[str], told: str) -> None:
    done = run(*ALONE, *arguments)
    assert done.returncode in {1, 2}
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
