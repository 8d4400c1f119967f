"""The specimen files that are committed are those that the catalogue declares."""

import importlib.util
from datetime import date
from io import BytesIO
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from PIL import Image

from firmware.demo.catalogue import (
    RECORDS,
    SPECIMENS,
    SPECIMENS_FOLDER,
    Specimen,
    demo_list_csv,
    specimens_csv,
)
from scanner.mrz.document import Format
from scanner.mrz.parse import is_sound, parse

TODAY = date(2026, 11, 23)
REPOSITORY = Path(__file__).parents[2]

with_lines = pytest.mark.parametrize(
    "specimen", [s for s in SPECIMENS if s.lines], ids=lambda specimen: specimen.file
)
each = pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda specimen: specimen.file)


@pytest.fixture(scope="module")
def renderer() -> ModuleType:
    path = REPOSITORY / "tests" / "data" / "render_specimens.py"
    spec = importlib.util.spec_from_file_location("render_specimens", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_csv_files_are_up_to_date() -> None:
    assert (SPECIMENS_FOLDER / "specimens.csv").read_text(encoding="utf-8") == specimens_csv()
    assert (SPECIMENS_FOLDER / "demo-list.csv").read_text(encoding="utf-8") == demo_list_csv()


def test_the_folder_holds_the_pictures_of_the_catalogue_and_no_others() -> None:
    pictures = {path.name for path in SPECIMENS_FOLDER.glob("*.jpg")}
    assert pictures == {specimen.file for specimen in SPECIMENS}


@each
def test_a_picture_opens_and_is_modest(specimen: Specimen) -> None:
    path = SPECIMENS_FOLDER / specimen.file
    assert path.stat().st_size < 150_000
    assert cv2.imread(str(path)) is not None


@each
def test_drawing_a_page_anew_gives_the_committed_picture(
    specimen: Specimen, renderer: ModuleType
) -> None:
    if not renderer.OCR_B.exists() or not renderer.DEJAVU.exists():
        pytest.skip("fonts-ocr-b or fonts-dejavu-core is not installed")
    jpeg = BytesIO()
    renderer.render(specimen).save(jpeg, "JPEG", quality=renderer.JPEG_QUALITY)
    drawn = np.asarray(Image.open(jpeg).convert("L"), np.int16)
    committed = np.asarray(Image.open(SPECIMENS_FOLDER / specimen.file).convert("L"), np.int16)
    assert drawn.shape == committed.shape
    # Versions of FreeType and libjpeg differ in the last bit of an edge, never in what is drawn.
    assert np.abs(drawn - committed).mean() < 1.0


@with_lines
def test_the_printed_lines_are_sound_unless_a_check_digit_is_meant_to_be_wrong(
    specimen: Specimen,
) -> None:
    parsed = parse(specimen.lines, TODAY)
    assert is_sound(parsed) is (specimen.check_digit_off_by == 0)
    assert parsed.document is not None
    assert specimen.document is not None
    assert parsed.document.number == specimen.document.number


@with_lines
def test_a_specimen_stays_in_force_for_years_unless_it_is_the_expired_one(
    specimen: Specimen,
) -> None:
    assert specimen.document is not None
    assert specimen.document.expiry_date is not None
    in_force = specimen.document.expiry_date >= "2034"
    assert in_force is ("expired" not in specimen.file)


def test_every_format_of_doc_9303_is_among_the_specimens() -> None:
    formats = {specimen.document.format for specimen in SPECIMENS if specimen.document}
    assert formats == set(Format) - {Format.FRA_ID}


def test_the_list_holds_the_documents_that_must_hit_and_none_that_must_be_clear() -> None:
    def listed(number: str) -> bool:
        return any(
            number == r.number
            or (
                bool(r.number_to)
                and len(number) == len(r.number)
                and r.number <= number <= r.number_to
            )
            for r in RECORDS
        )

    for specimen in SPECIMENS:
        if specimen.document:
            assert listed(specimen.document.number) is ("HIT" in specimen.expected)
