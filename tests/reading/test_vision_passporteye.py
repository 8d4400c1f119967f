"""Documents are read from pictures with PassportEye and a real Tesseract, behind the one seam."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from firmware.demo.catalogue import SPECIMENS, SPECIMENS_FOLDER
from scanner.mrz.reading import Status
from scanner.vision.engine import open_reader
from scanner.vision.reader import Frame, Reader, ReaderUnavailable

PASSPORT = SPECIMENS[0]


def picture(file: str = PASSPORT.file) -> Frame:
    pixels = cv2.imread(str(SPECIMENS_FOLDER / file))
    assert pixels is not None
    return np.asarray(pixels, np.uint8)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return open_reader("passporteye")


def test_a_page_is_read_surely_and_exactly_with_its_place_and_times(reader: Reader) -> None:
    reading = reader.read([picture()])
    assert reading.status is Status.READ
    assert reading.lines == PASSPORT.lines
    assert reading.reader == "passporteye"
    assert reading.uncertain == ()
    assert set(reading.ms) == {"load", "locate", "recognise", "decode"}
    assert reading.ms["recognise"] > 0
    assert reading.box is not None
    height, width = picture().shape[:2]
    (left, top), (right, _), (_, bottom), (far_left, _) = reading.box
    assert 0 < left < 0.2 * width
    assert 0.8 * width < right < width
    assert 0.7 * height < top < bottom < height
    assert far_left == pytest.approx(left, abs=3)


def test_a_page_upside_down_is_read_and_its_first_line_starts_at_the_right(
    reader: Reader,
) -> None:
    turned = np.ascontiguousarray(picture()[::-1, ::-1])
    reading = reader.read([turned])
    assert reading.lines == PASSPORT.lines
    assert reading.box is not None
    (start, top), (end, _), (_, below), _ = reading.box
    assert start > end
    assert top > below


def test_a_page_on_its_side_in_a_huge_picture_is_read(reader: Reader) -> None:
    side = cv2.rotate(picture(), cv2.ROTATE_90_CLOCKWISE)
    huge = cv2.resize(side, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    reading = reader.read([np.asarray(huge, np.uint8)])
    assert reading.lines == PASSPORT.lines
    assert reading.box is not None
    assert 0 < max(x for x, _ in reading.box) < 0.3 * huge.shape[1]
    assert np.ptp([y for _, y in reading.box]) > 0.75 * huge.shape[0]


def test_a_wrong_check_digit_is_kept_as_printed_and_the_reading_is_doubtful(
    reader: Reader,
) -> None:
    specimen = next(s for s in SPECIMENS if s.check_digit_off_by)
    reading = reader.read([picture(specimen.file)])
    assert reading.status is Status.DOUBTFUL
    assert reading.lines == specimen.lines


def test_the_surest_of_several_frames_is_taken(reader: Reader) -> None:
    blank = np.full((600, 900), 180, np.uint8)
    assert reader.read([blank, picture()]).lines == PASSPORT.lines


@pytest.mark.parametrize(
    "frame",
    [
        np.full((1, 1), 0, np.uint8),
        np.full((600, 900), 255, np.uint8),
        np.zeros((600, 900, 3), np.uint8),
        np.full((3, 2000, 3), 90, np.uint8),
        np.random.default_rng(3).integers(0, 255, (400, 600)).astype(np.uint8),
    ],
    ids=["one pixel", "white", "black", "a thread", "noise"],
)
def test_a_picture_without_an_mrz_is_unreadable_and_says_so(reader: Reader, frame: Frame) -> None:
    reading = reader.read([frame])
    assert reading.status is Status.UNREADABLE
    assert reading.lines == ()
    assert reading.note


def test_no_frames_are_unreadable(reader: Reader) -> None:
    reading = reader.read([])
    assert reading.status is Status.UNREADABLE
    assert reading.note


def test_a_tesseract_that_fails_gives_an_unreadable_reading(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "tesseract"
    broken.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    reading = reader.read([picture()])
    assert reading.status is Status.UNREADABLE
    assert reading.note
    assert "CalledProcessError" in reading.note


def test_no_picture_of_a_document_touches_the_disk(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = tmp_path / "temporary"
    watched.mkdir()
    real = shutil.which("tesseract")
    spy = tmp_path / "tesseract"
    spy.write_text(f'#!/bin/sh\nls {watched} >> {tmp_path}/seen\nexec {real} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("TMPDIR", str(watched))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert reader.read([picture()]).lines == PASSPORT.lines
    assert (tmp_path / "seen").read_text() == ""


def test_without_tesseract_the_reader_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReaderUnavailable, match="tesseract-ocr") as told:
        open_reader("passporteye")
    assert "\n" not in str(told.value)


def test_without_the_package_the_reader_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "passporteye.mrz.image", None)
    with pytest.raises(ReaderUnavailable, match=r"borderpost\[passporteye\]") as told:
        open_reader("passporteye")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["", "nobody"])
def test_a_reader_that_is_not_there_is_refused_with_one_line(name: str) -> None:
    with pytest.raises(ReaderUnavailable, match="passporteye") as told:
        open_reader(name)
    assert "\n" not in str(told.value)


def test_passporteye_is_imported_only_when_opened_and_warns_nobody() -> None:
    script = (
        "import sys, cv2; from scanner.vision.engine import open_reader\n"
        "import scanner.vision.passporteye\n"
        "assert 'passporteye' not in sys.modules and 'skimage' not in sys.modules\n"
        f"picture = cv2.imread({str(SPECIMENS_FOLDER / PASSPORT.file)!r})\n"
        "print(open_reader('passporteye').read([picture]).status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert (done.stdout.strip(), done.stderr) == ("read", "")
