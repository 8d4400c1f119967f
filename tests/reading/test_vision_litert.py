"""Our own reader, with its real networks, on pictures of documents put down in every way."""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from firmware.demo.catalogue import SPECIMENS, SPECIMENS_FOLDER, Specimen
from scanner.mrz.findings import FindingCode
from scanner.mrz.parse import parse
from scanner.mrz.reading import Reading, Status
from scanner.vision.interpreter import MODELS
from scanner.vision.litert import LitertReader
from scanner.vision.reader import Frame, ReaderUnavailable
from tests.reading import shots
from tests.reading.shots import Shot, upright

ROOT = Path(__file__).parents[2]
DOCUMENTS = {specimen.file: specimen for specimen in SPECIMENS if specimen.lines}
PASSPORT, WRONG_DIGIT, CARD = SPECIMENS[0], SPECIMENS[3], SPECIMENS[2]

each = pytest.mark.parametrize("file", DOCUMENTS)


def random_grey() -> Frame:
    return np.random.default_rng(1).integers(0, 256, (720, 1280), np.uint8)


def empty_desk() -> Frame:
    pixels = cv2.imread(str(SPECIMENS_FOLDER / "09-empty-desk.jpg"))
    assert pixels is not None
    return np.asarray(pixels, np.uint8)


WITHOUT_MRZ = {
    "an empty desk": empty_desk,
    "a desk full of papers": shots.desk,
    "a page of text": shots.text_page,
    "the other side of a document": lambda: shots.without_mrz(upright(PASSPORT)),
    "noise": random_grey,
    "a lens that is covered": lambda: np.zeros((720, 1280, 3), np.uint8),
    "a lamp into the lens": lambda: np.full((720, 1280), 255, np.uint8),
    "a single pixel": lambda: np.zeros((1, 1, 3), np.uint8),
    "a single grey pixel": lambda: np.full((1, 1), 7, np.uint8),
    "a line of pixels": lambda: np.full((1, 4000), 200, np.uint8),
}


@each
@pytest.mark.parametrize("way", shots.WAYS)
def test_every_specimen_is_read_exactly_and_its_box_is_where_the_ink_is(
    our_reader: LitertReader, file: str, way: str
) -> None:
    shot = shots.WAYS[way](upright(DOCUMENTS[file]))
    reading = our_reader.read([shot.frame])
    assert reading.lines == DOCUMENTS[file].lines
    assert reading.status is Status.READ
    assert reading.uncertain == ()
    assert reading.box is not None
    assert np.hypot(*(np.array(reading.box) - shot.mrz).T).max() < 0.7 * shot.pitch


@each
@pytest.mark.parametrize("along", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_glare_over_characters_never_gives_a_wrong_read_and_says_where_or_what_is_doubtful(
    our_reader: LitertReader, file: str, along: float
) -> None:
    reading = our_reader.read([shots.with_glare(upright(DOCUMENTS[file]), along).frame])
    if reading.lines != DOCUMENTS[file].lines:
        assert reading.status is not Status.READ
        assert reading.uncertain or reading.note


def test_a_wrong_check_digit_in_print_stays_is_read_surely_and_is_a_finding(
    our_reader: LitertReader,
) -> None:
    reading = our_reader.read([upright(WRONG_DIGIT).frame])
    assert reading.status is Status.READ
    assert reading.lines == WRONG_DIGIT.lines
    found = parse(reading.lines, date(2026, 11, 23)).findings
    assert {one.code for one in found} == {FindingCode.CHECK_DIGIT}
    assert {one.field for one in found} == {"number", "composite"}


@pytest.mark.parametrize("what", WITHOUT_MRZ)
def test_where_there_is_no_mrz_nothing_is_read_and_a_note_says_so(
    our_reader: LitertReader, what: str
) -> None:
    reading = our_reader.read([WITHOUT_MRZ[what]()])
    assert (reading.status, reading.lines, reading.box) == (Status.UNREADABLE, (), None)
    assert reading.note
    assert set(reading.ms) == {"load", "locate", "recognise", "decode"}


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("specimen", [PASSPORT, CARD], ids=lambda one: one.file)
def test_print_that_the_frames_edge_cuts_is_never_sure(
    our_reader: LitertReader, specimen: Specimen, degrees: int
) -> None:
    shot = upright(specimen)
    ink_ends = shot.mrz[2:, 1].mean()
    whole, cut = (
        np.rot90(shot.frame[: round(ink_ends + spare * shot.pitch)], degrees // 90).copy()
        for spare in (0.4, -0.2)
    )
    assert_read(our_reader.read([whole]), specimen.lines)
    assert our_reader.read([cut]).status is not Status.READ


def test_no_frames_at_all_are_an_unreadable_reading(our_reader: LitertReader) -> None:
    assert our_reader.read([]).status is Status.UNREADABLE


def test_of_two_sides_in_view_the_one_that_carries_the_mrz_is_read(
    our_reader: LitertReader,
) -> None:
    other_side = shots.without_mrz(upright(PASSPORT))
    shot = shots.beside(upright(CARD), other_side)
    assert_read(our_reader.read([shot.frame]), CARD.lines)


def test_of_two_documents_in_view_one_is_read_and_the_two_are_not_mixed(
    our_reader: LitertReader,
) -> None:
    shot = shots.beside(upright(PASSPORT), upright(WRONG_DIGIT).frame)
    reading = our_reader.read([shot.frame])
    assert reading.status is Status.READ
    assert reading.lines in (PASSPORT.lines, WRONG_DIGIT.lines)


def test_a_grey_frame_and_one_of_twenty_megapixels_are_read_and_the_box_is_in_their_pixels(
    our_reader: LitertReader,
) -> None:
    small = upright(PASSPORT)
    large = shots.reduced(small, 5400)
    grey = np.asarray(cv2.cvtColor(large.frame, cv2.COLOR_BGR2GRAY), np.uint8)
    reading = our_reader.read([grey])
    assert_read(reading, PASSPORT.lines)
    assert np.hypot(*(np.array(reading.box) - large.mrz).T).max() < 0.7 * large.pitch


def test_frames_that_show_nothing_change_nothing(our_reader: LitertReader) -> None:
    page, blank = upright(PASSPORT).frame, shots.desk((1280, 720))
    alone, among = our_reader.read([page]), our_reader.read([blank, page, blank])
    assert_read(among, PASSPORT.lines)
    assert (among.confidence, among.box) == (alone.confidence, alone.box)


@pytest.fixture(scope="module")
def hard_frames(our_reader: LitertReader) -> dict[str, list[Frame]]:
    """Frames of two passports in a hand that is never still: small, out of focus and with noise of
    their own. None is read surely by itself."""
    hard = {}
    for one in (PASSPORT, WRONG_DIGIT):
        ways = [shots.reduced(shots.turned(upright(one), 5.0 * n), 440) for n in range(-4, 4)]
        for blur in np.arange(0.7, 1.8, 0.1):
            frames = [shots.noisy(way, n, 25.0, blur).frame for n, way in enumerate(ways)]
            if all(our_reader.read([frame]).status is Status.DOUBTFUL for frame in frames):
                hard[one.file] = frames
                break
    return hard


@pytest.mark.parametrize("file", [PASSPORT.file, WRONG_DIGIT.file])
def test_blurred_frames_of_one_document_add_up(
    our_reader: LitertReader, hard_frames: dict[str, list[Frame]], file: str
) -> None:
    frames = hard_frames[file]
    alone = [our_reader.read([frame]) for frame in frames]
    together = our_reader.read(frames)
    assert together.lines == DOCUMENTS[file].lines
    assert (together.confidence or 0) > max(one.confidence or 0 for one in alone)


def test_one_frame_again_and_again_makes_nothing_surer(
    our_reader: LitertReader, hard_frames: dict[str, list[Frame]]
) -> None:
    frame = hard_frames[PASSPORT.file][4]
    alone, again = our_reader.read([frame]), our_reader.read([frame] * 8)
    assert (again.status, again.lines) == (alone.status, alone.lines)
    assert (again.confidence or 0) <= (alone.confidence or 0) + 0.02


@pytest.mark.parametrize("blur", [1.4, 1.6, 1.8])
@pytest.mark.parametrize("file", ["01-passport.jpg", "06-passport-stolen-blank.jpg"])
def test_frames_that_are_all_out_of_focus_are_never_read_wrongly_together(
    our_reader: LitertReader, file: str, blur: float
) -> None:
    small = shots.reduced(upright(DOCUMENTS[file]), 420)
    for noise in (0.0, 12.0):
        reading = our_reader.read([shots.noisy(small, n, noise, blur).frame for n in range(8)])
        assert reading.status is not Status.READ or reading.lines == DOCUMENTS[file].lines


def test_frames_of_different_documents_are_not_mixed(
    our_reader: LitertReader, hard_frames: dict[str, list[Frame]]
) -> None:
    one, other = (hard_frames[each.file][0] for each in (PASSPORT, WRONG_DIGIT))
    alone = [our_reader.read([frame]).lines for frame in (one, other)]
    assert our_reader.read([one, other]).lines in alone


def spoilt(folder: Path, what: str) -> Path:
    """A copy of the models of which one thing is not as it should be."""
    copy = folder / "models"
    copy.mkdir()
    for path in (*MODELS.glob("*.tflite"), MODELS / "thresholds.json", MODELS / "SHA256SUMS"):
        shutil.copy(path, copy)
    if what == "SHA256SUMS of another version":
        (copy / "SHA256SUMS").write_text(
            "".join(f"{'0' * 64}  {path.name}\n" for path in copy.glob("*.*"))
        )
    else:
        (copy / what).unlink()
    return copy


@pytest.mark.parametrize(
    "what",
    [
        "SHA256SUMS",
        "SHA256SUMS of another version",
        "locator.tflite",
        "recogniser.tflite",
        "verifier.tflite",
        "thresholds.json",
    ],
)
def test_a_model_that_is_missing_or_not_what_it_should_be_is_one_line(
    tmp_path: Path, what: str
) -> None:
    with pytest.raises(ReaderUnavailable) as told:
        LitertReader(spoilt(tmp_path, what))
    assert "install borderpost anew" in str(told.value)
    assert "\n" not in str(told.value)


FOOTPRINT = """
import re, sys, time
from pathlib import Path
import cv2, numpy as np
frames = [cv2.imread(path) for path in sys.argv[1:]]
# Not what getrusage tells: that begins at what the process had that started this one.
used = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
before, started = used(), time.perf_counter()
from scanner.vision.engine import open_reader
from scanner.vision.readers import DEFAULT
reader = open_reader(DEFAULT)
loaded = time.perf_counter() - started
for frame in frames:
    reader.read([frame])
print(loaded, used() - before)
"""


def seconds_and_megabytes(folder: Path, frames: Iterable[Frame]) -> tuple[float, float]:
    """What loading the reader takes, and what it has had at most once it has read the frames."""
    paths = []
    for number, frame in enumerate(frames):
        paths.append(str(folder / f"{number:03}.png"))
        cv2.imwrite(paths[-1], frame, [cv2.IMWRITE_PNG_COMPRESSION, 0])
    done = subprocess.run(
        [sys.executable, "-c", FOOTPRINT, *paths],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    seconds, megabytes = map(float, done.stdout.split())
    return seconds, megabytes


def test_it_loads_in_under_a_second_and_takes_less_than_150_mb_of_its_own(tmp_path: Path) -> None:
    frames = [shots.on_a_desk(upright(one)).frame for one in (PASSPORT, CARD)]
    frames += [shots.desk(), upright(PASSPORT).frame]
    seconds, megabytes = seconds_and_megabytes(tmp_path, frames)
    assert seconds < 1.0
    assert megabytes < 150


@pytest.mark.timeout(120)
def test_pictures_of_many_sizes_take_no_more_memory_than_those_of_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    long, short = rng.integers(500, 2000, 40), rng.uniform(0.2, 1.0, 40)
    without, with_mrz = shots.desk(), upright(PASSPORT).frame

    def of_all_sizes() -> Iterator[Frame]:
        for i, (side, share) in enumerate(zip(long, short, strict=True)):
            size = (int(side), int(side * share))
            picture = with_mrz if i % 3 == 0 else without
            yield np.asarray(cv2.resize(picture, size[::-1] if i % 2 else size), np.uint8)

    _, megabytes = seconds_and_megabytes(tmp_path, of_all_sizes())
    assert megabytes < 150


def assert_read(reading: Reading, lines: tuple[str, ...]) -> None:
    assert reading.lines == lines
    assert reading.status is Status.READ


def test_the_ways_of_showing_a_page_move_its_mrz_with_it() -> None:
    """The tests above rest on it: the ink is dark inside of where the MRZ is said to be, and next
    to it there is none."""

    def ink(shot: Shot, centre: float) -> float:
        flat = np.array([(0, 0), (440, 0), (440, 40), (0, 40)], np.float32)
        matrix = cv2.getPerspectiveTransform(shot.mrz.astype(np.float32), flat)
        cut = cv2.warpPerspective(shot.frame, matrix, (440, 80))[..., 1]
        rows = cut[int(40 * centre) - 4 : int(40 * centre) + 4]
        return float(np.percentile(rows, 95) - np.percentile(rows, 2))

    for way in ("upside down", "askew", "in perspective"):
        shot = shots.WAYS[way](upright(PASSPORT))
        assert ink(shot, 0.2) > 3 * ink(shot, 1.15)
