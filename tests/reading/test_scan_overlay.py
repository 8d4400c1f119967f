"""`borderpost scan --overlay`: a drawing per page that shows why it was read as it was."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from firmware.demo.catalogue import SPECIMENS, SPECIMENS_FOLDER
from scanner.mrz.reading import Reading, Status, Uncertain
from scanner.vision.overlay import STATUS, WIDTH, draw
from scanner.vision.reader import Frame
from tests.in_process import borderpost, in_text
from tests.reading.specimens_9303 import TD1, TD3

GOOD = SPECIMENS_FOLDER / SPECIMENS[0].file

Corners = tuple[tuple[float, float], ...]


def scan(*arguments: object) -> subprocess.CompletedProcess[str]:
    return in_text(borderpost("scan", *arguments))


def drawn(path: Path) -> Frame:
    pixels = cv2.imread(str(path))
    assert pixels is not None
    return np.asarray(pixels, np.uint8)


def reading(
    lines: tuple[str, ...], box: Corners | None, *uncertain: Uncertain, status: Status = Status.READ
) -> Reading:
    return Reading(status, lines, "litert", None, uncertain, box)


def chequered(rows: int, columns: int, box: Corners) -> tuple[Frame, NDArray[np.int64]]:
    """A picture in which each cell of the box has a grey level of its own, and the levels."""
    levels = np.random.default_rng(5).integers(30, 220, (rows, columns))
    flat = np.kron(levels, np.ones((60, 40))).astype(np.uint8)
    height, width = flat.shape
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    onto = cv2.getPerspectiveTransform(corners, np.array(box, np.float32))
    whole = cv2.warpPerspective(flat, onto, (1200, 900), borderValue=(255,))
    return np.asarray(whole, np.uint8), levels


LEVEL = ((100.0, 600.0), (1100.0, 600.0), (1100.0, 760.0), (100.0, 760.0))
TURNED = tuple((x, y) for x, y in (*LEVEL[2:], *LEVEL[:2]))
ON_ITS_SIDE = ((700.0, 40.0), (700.0, 880.0), (560.0, 880.0), (560.0, 40.0))
IN_PERSPECTIVE = ((150.0, 200.0), (1050.0, 420.0), (1000.0, 600.0), (100.0, 330.0))


@pytest.mark.parametrize("box", [LEVEL, TURNED, ON_ITS_SIDE, IN_PERSPECTIVE])
@pytest.mark.parametrize("lines", [TD3, TD1], ids=["two lines", "three lines"])
def test_each_line_is_laid_level_with_each_character_in_a_cell_of_its_own(
    lines: tuple[str, ...], box: Corners
) -> None:
    frame, levels = chequered(len(lines), len(lines[0]), box)
    picture = draw(frame, reading(lines, box), "a.jpg")[:, :, 0].astype(int)
    cell = (WIDTH - 40) / (len(lines[0]) + 2)
    middles = [round(20 + cell * (1.5 + position)) for position in range(len(lines[0]))]
    found = [
        np.flatnonzero(np.abs(picture[:, middles] - row).max(axis=1) < 12).tolist()
        for row in levels
    ]
    assert all(len(rows) >= 10 for rows in found)
    assert [rows[0] for rows in found] == sorted(rows[0] for rows in found)


def test_a_doubtful_character_is_marked_in_its_cell_and_nowhere_else() -> None:
    frame, _ = chequered(2, 44, LEVEL)
    doubt = Uncertain(1, 9, (("0", 0.6), ("O", 0.3), ("Q", 0.1)))
    without = draw(frame, reading(TD3, LEVEL, Uncertain(1, 9), status=Status.DOUBTFUL), "a.jpg")
    marked = draw(frame, reading(TD3, LEVEL, doubt, status=Status.DOUBTFUL), "a.jpg")
    plain = draw(frame, reading(TD3, LEVEL, status=Status.DOUBTFUL), "a.jpg")
    cell = (WIDTH - 40) / 46
    left, right = 20 + cell * 10 - 4, 20 + cell * 11 + 4
    columns = np.flatnonzero((plain != without).any(axis=(0, 2)))
    assert left <= columns.min() < columns.max() <= right
    assert marked.shape[0] > without.shape[0]
    below = marked[without.shape[0] - 20 :]
    columns = np.flatnonzero((below != 255).any(axis=(0, 2)))
    assert left <= columns.min() < columns.max() <= right


@pytest.mark.parametrize("status", Status)
def test_the_box_has_the_colour_of_the_status(status: Status) -> None:
    frame = np.full((900, 1200, 3), 255, np.uint8)
    lines = () if status is Status.UNREADABLE else TD3
    with_box = draw(frame, reading(lines, LEVEL, status=status), "a.jpg")
    without = draw(frame, reading(lines, None, status=status), "a.jpg")
    added = with_box[: without.shape[0]][(with_box[: without.shape[0]] != without).any(axis=2)]
    colours, counts = np.unique(added, axis=0, return_counts=True)
    assert tuple(colours[counts.argmax()]) == STATUS[status]


@pytest.mark.parametrize(
    "box",
    [None, ((5.0, 5.0),) * 4, ((0.0, 0.0), (900.0, 0.0), (500.0, 0.0), (100.0, 0.0)),
     ((-500.0, -500.0), (3000.0, -500.0), (3000.0, 2000.0), (-500.0, 2000.0)),
     ((9000.0, 9000.0), (9900.0, 9000.0), (9900.0, 9100.0), (9000.0, 9100.0))],
    ids=["none", "a point", "a line", "beyond the frame", "outside the frame"],
)  # fmt: skip
@pytest.mark.parametrize("shape", [(1, 1), (900, 1200), (40, 9000, 3), (9000, 40)])
def test_any_box_on_any_frame_gives_a_drawing(box: Corners | None, shape: tuple[int, ...]) -> None:
    picture = draw(np.full(shape, 90, np.uint8), reading(TD3, box), "a.jpg", ["CLEAR"])
    assert picture.shape[1:] == (WIDTH, 3)
    assert 40 < picture.shape[0] < 2000


def test_words_that_are_long_or_in_another_script_stay_inside() -> None:
    frame = np.full((100, 200), 90, np.uint8)
    told = draw(frame, reading(TD3, None), "\u4e2d\n" * 300, ["x" * 2000])
    assert (told[:, -15:] == 255).all()


def test_a_page_is_drawn_for_its_owner_alone_and_says_where(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "drawings"
    done = scan(GOOD, "--overlay", folder)
    path = folder / f"{GOOD.name}.overlay.png"
    assert done.returncode == 0
    assert [one.name for one in folder.iterdir()] == [path.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert f"overlay      {path}" in done.stdout
    assert drawn(path).shape[1] == WIDTH


def test_nothing_is_written_over(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        (said,) = map(json.loads, scan(GOOD, "--overlay", tmp_path, "--json").stdout.splitlines())
        names.append(Path(said["overlay"]).name)
    stem = GOOD.name
    assert names == [f"{stem}.overlay.png", f"{stem}.2.overlay.png", f"{stem}.3.overlay.png"]
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(names)


def test_a_page_without_an_mrz_is_drawn_too_and_texts_and_bad_files_are_not(
    tmp_path: Path,
) -> None:
    pages, drawings = tmp_path / "pages", tmp_path / "drawings"
    pages.mkdir()
    cv2.imwrite(str(pages / "empty.png"), np.full((300, 400), 180, np.uint8))
    (pages / "typed.txt").write_text("\n".join(TD3))
    (pages / "bad.jpg").write_text("no picture")
    done = scan(pages, "--overlay", drawings, "--json")
    said = {Path(one["source"]).name: one for one in map(json.loads, done.stdout.splitlines())}
    assert [one.name for one in drawings.iterdir()] == ["empty.png.overlay.png"]
    assert "overlay" in said["empty.png"]
    assert "overlay" not in said["typed.txt"]
    assert "overlay" not in said["bad.jpg"]


def test_without_the_option_nothing_is_written_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.jpg"
    page.write_bytes(GOOD.read_bytes())
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    command = [sys.executable, "-m", "firmware.cli", "scan", str(page)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0
    assert [one.name for one in tmp_path.iterdir()] == ["page.jpg"]


def test_a_drawing_that_cannot_be_written_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    long = tmp_path / ("a" * 250 + ".jpg")
    long.write_bytes(GOOD.read_bytes())
    done = scan(long, GOOD, "--overlay", tmp_path / "drawings", "--json")
    first, second = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1
    assert first["error"]["code"] == "no_overlay"
    assert "File name too long" in first["error"]["message"]
    assert first["reading"]["lines"] == second["reading"]["lines"]
    assert Path(second["overlay"]).exists()


@pytest.mark.parametrize("which", ["the scanned folder", "a file"])
def test_a_folder_that_cannot_take_drawings_is_wrong_usage(which: str, tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_bytes(GOOD.read_bytes())
    folder = tmp_path if which == "the scanned folder" else tmp_path / "page.jpg"
    done = scan(tmp_path, "--overlay", folder)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"borderpost: {folder}: ")
