"""Frames that are made to measure with: the same for everyone, and readable by a person."""

import csv
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.frames.camera import choose, homography, least_scale, project
from benchmarks.frames.desk_top import SIDE
from benchmarks.frames.documents import without_its_mrz
from benchmarks.frames.make import FRAMES_A_BURST, RECIPES, REPOSITORY, make
from benchmarks.frames.mrz_place import find_mrz
from benchmarks.frames.scene import DESK, HARD, Recipe, document, frame
from benchmarks.frames.without_mrz import KINDS, Draw
from benchmarks.reading.pages import have_no_mrz, pages_in
from firmware.demo.catalogue import SPECIMENS_FOLDER

PAGES = pages_in(SPECIMENS_FOLDER)


def quiet(line: str) -> None:
    """Tells nobody."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_mrz_is_found_where_the_specimens_have_it(page: object) -> None:
    one = next(known for known in PAGES if known is page)
    picture = cv2.imread(str(one.paths[0]))
    place = find_mrz(picture, one.lines)
    # The specimens have ten pixels a millimetre, the MRZ's last line 5 mm above the edge of the
    # page, and 7 mm of desk around it.
    assert place.seen
    assert place.pitch == pytest.approx(25.4, rel=0.03)
    assert abs(place.bottom - (picture.shape[0] - 70 - 50)) < 25
    assert place.right - place.left == pytest.approx(25.4 * len(one.lines[0]), rel=0.03)


@pytest.mark.parametrize("recipe", [DESK, HARD], ids=["desk", "hard"])
@pytest.mark.parametrize("number", range(3))
def test_the_whole_mrz_is_in_the_frame_and_large_enough(recipe: Recipe, number: int) -> None:
    page = PAGES[number * 2]
    picture = cv2.imread(str(page.paths[0]))
    shown = document(picture, find_mrz(picture, page.lines))
    for seed in range(25):
        matrix = choose(recipe.view, shown.subject, np.random.default_rng(seed))
        mrz = project(matrix, shown.subject.mrz)
        assert (mrz > 0).all()
        assert (mrz < [recipe.view.width, recipe.view.height]).all()
        pitch = least_scale(matrix, shown.subject.mrz) * 2.54
        assert pitch >= recipe.view.least_pitch


def test_a_page_takes_between_a_fifth_and_most_of_the_frame() -> None:
    page = PAGES[0]
    picture = cv2.imread(str(page.paths[0]))
    shown = document(picture, find_mrz(picture, page.lines))
    shares = []
    for seed in range(40):
        matrix = choose(DESK.view, shown.subject, np.random.default_rng(seed))
        area = cv2.contourArea(project(matrix, shown.subject.page).astype(np.float32))
        shares.append(area / (DESK.view.width * DESK.view.height))
    assert min(shares) >= 0.18
    assert max(shares) > 0.35


def test_the_camera_sees_a_millimetre_as_large_as_its_distance_says() -> None:
    straight = homography((1000, 800), 2 * np.degrees(np.arctan(0.5)), 500, 0, 0, 0)
    at = project(straight, np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]]))
    assert at == pytest.approx(np.array([[500, 400], [520, 400], [500, 420]]))
    leaning = homography((1000, 800), 53.13, 500, 40, 0, 0)
    near, far = project(leaning, np.array([[100.0, 60.0], [100.0, -60.0]]))
    assert abs(near[0] - 500) != pytest.approx(abs(far[0] - 500), rel=0.05)


@pytest.fixture
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames are half as wide and high as they are to be measured with."""
    small = replace(HARD.view, width=640, height=360, least_pitch=4)
    for kind in ("hard", "burst"):
        monkeypatch.setitem(RECIPES, kind, replace(HARD, view=small))


@pytest.mark.usefixtures("small_frames")
def test_the_same_seed_gives_the_same_frames_and_another_one_others(tmp_path: Path) -> None:
    first = make(SPECIMENS_FOLDER, tmp_path / "a", "hard", 3, quiet, 1)
    again = make(SPECIMENS_FOLDER, tmp_path / "b", "hard", 3, quiet, 1)
    other = make(SPECIMENS_FOLDER, tmp_path / "c", "hard", 4, quiet, 1)
    name = pages_in(first)[0].name
    assert (first / name).read_bytes() == (again / name).read_bytes()
    assert (first / name).read_bytes() != (other / name).read_bytes()


def test_frames_carry_the_lines_of_their_pages_and_how_small_the_print_is(tmp_path: Path) -> None:
    folder = make(SPECIMENS_FOLDER, tmp_path, "desk", 1, quiet, 2)
    made = pages_in(folder)
    assert [page.lines for page in made] == [page.lines for page in PAGES[:2]]
    assert cv2.imread(str(made[0].paths[0])).shape == (1080, 1920, 3)
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        assert all(float(row["least_pitch"]) >= 10 for row in csv.DictReader(file))


@pytest.mark.usefixtures("small_frames")
def test_a_burst_is_ten_differing_frames_of_one_document(tmp_path: Path) -> None:
    (burst,) = pages_in(make(SPECIMENS_FOLDER, tmp_path, "burst", 1, quiet, 1))
    assert burst.lines == PAGES[0].lines
    assert len({path.read_bytes() for path in burst.paths}) == FRAMES_A_BURST


@pytest.fixture(scope="module")
def without_mrz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page whose MRZ was cut away, and what is drawn."""
    return make(SPECIMENS_FOLDER, tmp_path_factory.mktemp("none"), "none", 6, quiet, 5)


def test_pictures_without_an_mrz_have_no_lines_and_can_be_opened(without_mrz: Path) -> None:
    made = pages_in(without_mrz)
    assert have_no_mrz(made)
    assert made[0].conditions.startswith("page without its MRZ")
    assert all(cv2.imread(str(page.paths[0])) is not None for page in made)


@pytest.mark.parametrize(("name", "draw"), KINDS, ids=[name for name, _ in KINDS])
def test_every_kind_of_picture_without_an_mrz_shows_something(name: str, draw: Draw) -> None:
    picture, other = (draw(np.random.default_rng(seed)) for seed in (1, 2))
    assert picture.ndim == 3
    assert picture.std() > 5
    assert not np.array_equal(picture, other)


def test_a_page_without_its_mrz_has_no_ink_where_it_was() -> None:
    page = PAGES[0]
    picture = cv2.imread(str(page.paths[0]))
    place = find_mrz(picture, page.lines)
    for seed in range(6):
        cut = without_its_mrz(picture, place, np.random.default_rng(seed))
        rest = cut[int(place.top) : int(place.bottom)]
        assert rest.size == 0 or np.ptp(rest.mean(axis=2)) < 60


def test_a_folder_that_was_made_whole_is_used_again(without_mrz: Path, tmp_path: Path) -> None:
    said: list[str] = []
    copy = tmp_path / "copy"
    shutil.copytree(without_mrz, copy)
    make(SPECIMENS_FOLDER, copy, "none", 6, said.append, 5)
    assert said == []
    make(SPECIMENS_FOLDER, copy, "none", 2, said.append, 1)
    assert len(said) == 1


def test_a_frame_shows_the_page_where_it_says_that_the_mrz_is() -> None:
    page = PAGES[0]
    white = np.full((880, 1250, 3), 255, np.uint8)
    place = find_mrz(cv2.imread(str(page.paths[0])), page.lines)
    desk = np.zeros((SIDE, SIDE, 3), np.uint8)
    made = frame(document(white, place), desk, DESK, np.random.default_rng(1))
    shot = cv2.imdecode(np.frombuffer(made.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    inside = np.zeros(shot.shape, np.uint8)
    cv2.fillConvexPoly(inside, made.mrz.astype(np.int32), 255)
    assert shot[inside > 0].mean() > 100
    assert shot[:20, :20].mean() < 60


def test_frames_of_a_corpus_are_never_written_into_the_repository() -> None:
    command = [sys.executable, "benchmarks/desk.py", "make", "--kind", "desk", "--corpus"]
    done = subprocess.run(
        [*command, str(SPECIMENS_FOLDER), "--out", "benchmarks/frames-of-a-corpus"],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )
    assert done.returncode == 2
    assert "frames of a corpus stay outside it" in done.stderr
    assert not (REPOSITORY / "benchmarks" / "frames-of-a-corpus").exists()
