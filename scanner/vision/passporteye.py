"""Reads documents with PassportEye: it locates the MRZ, and its OCR (Tesseract) reads it.

PassportEye's own answer is not used: it corrects digits silently, cuts long numbers at nine and
gives no probabilities, and with every check digit holding it is still wrong now and then. What is
used is where it sees an MRZ and what its OCR reads there, in several views of the same print:

- *whole*: the MRZ as it stands, at two sizes;
- *apart*: its fields cut out and stacked, at two sizes, so that digits beside a nationality do not
  turn its letters into digits.

Where characters and fillers stand is seen in the picture (`cells`), because Tesseract miscounts
long runs of `<`. A character is sure where at least two views agree on it (`views`), none reads
another that may stand there (what Doc 9303 does not allow at a place is no vote), and it is not one
of a pair that every view confuses alike (`twins`). A reading is *read* when every character is sure
and the lines are sound: every check digit present and true, issuer and code known. A document with
a wrong check digit as printed is therefore *doubtful* to this reader.

PassportEye's own OCR hands Tesseract each view in a temporary file, which stays behind where the
process is killed. So Tesseract is called here, as PassportEye calls it, but through a pipe: no
picture of a document touches a disk.
"""

import logging
import os
import shutil
import subprocess
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.mrz.parse import is_sound, parse
from scanner.mrz.reading import Reading, Status
from scanner.said import said
from scanner.vision.cells import Grey, Grid, filler_likeness, find_grid, resized, sheet
from scanner.vision.reader import Frame, ReaderUnavailable
from scanner.vision.views import TIMES, Ballot, layout_for
from scanner.vision.why import explained

NAME = "passporteye"

LONG_SIDE = 1600
"""Larger pictures are reduced to so many pixels: 44 characters then still have 30 each."""

LEAST_SIDE = 24
"""Less holds no two lines of an MRZ, and PassportEye stumbles over it."""

LOCATOR_WIDTHS = (250, 500, 1000)
"""Widths at which PassportEye's locator is tried in turn; the first is its own default."""

MIN_BOX_ASPECT = 4.0
"""PassportEye's default of 5 leaves out the three lines of a TD1."""

WHOLE_WIDTHS = (1050, 700)
APART_HEIGHTS = (32, 24)

LEAST_FILLERS = 3
"""Text with fewer fillers is no MRZ."""

MAX_FRAMES = 3

TESSERACT = (
    *("tesseract", "stdin", "stdout", "--psm", "6"),
    *("-c", "tessedit_char_whitelist=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789><"),
    *("-c", "load_system_dawg=F", "-c", "load_freq_dawg=F", "txt"),
)
"""Tesseract as `passporteye.util.ocr` calls it, but for where the picture comes from."""

log = logging.getLogger(__name__)

Box = tuple[tuple[float, float], ...]
"""Four corners (x, y) in pixels, clockwise from the first line's start."""


@dataclass(frozen=True)
class _Zone:
    """An MRZ that was located: its cells, how like a filler each is, and where it is in the reduced
    picture."""

    grid: Grid
    likeness: NDArray[np.float64]
    box: Box
    text: str
    """What the OCR read of the whole at the first size."""


class PassportEye:
    """The reader behind `--reader passporteye`."""

    name = NAME

    def __init__(self) -> None:
        """Imports PassportEye. Raises ReaderUnavailable where it or Tesseract is missing."""
        started = perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                from passporteye.mrz.image import MRZBoxLocator, MRZPipeline, Scaler  # noqa: PLC0415
        except ImportError as error:
            raise ReaderUnavailable(
                f"reader 'passporteye' cannot be loaded ({error}): "
                "install it with pip install 'borderpost[passporteye]'"
            ) from error
        if shutil.which(TESSERACT[0]) is None:
            raise ReaderUnavailable(
                "reader 'passporteye' needs the program tesseract: "
                "install it with apt install tesseract-ocr"
            )
        # Its threads cost Tesseract more than they bring on lines this short: 0.8 s instead of 2 s.
        os.environ.setdefault("OMP_THREAD_LIMIT", "1")
        self._pipeline, self._locator, self._scaler = MRZPipeline, MRZBoxLocator, Scaler
        self._load_ms = _since(started)

    def read(self, frames: Iterable[Frame]) -> Reading:
        """Reads up to three frames one by one and gives the surest reading."""
        best = self._unreadable(said("there is no picture to read"))
        for at, frame in enumerate(islice(frames, MAX_FRAMES)):
            reading = replace(self._read_safely(frame), frame=at)
            if _rank(reading) < _rank(best) or not best.ms:
                best = reading
            if best.status is Status.READ:
                break
        return best

    def _read_safely(self, frame: Frame) -> Reading:
        """PassportEye and Tesseract fail in many ways on odd pictures; none reaches the caller."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self._read_frame(frame)
        except Exception as error:
            # The type alone: messages may quote what was read.
            log.warning("PassportEye failed on a picture: %s", type(error).__name__)
            return self._unreadable(
                said("PassportEye failed on this picture ({error})", error=type(error).__name__)
            )

    def _read_frame(self, frame: Frame) -> Reading:
        clock = {"load": self._load_ms, "locate": 0.0, "recognise": 0.0, "decode": 0.0}
        started = perf_counter()
        if min(frame.shape[:2]) < LEAST_SIDE:
            small = said(
                "the picture is too small: {width} x {height} pixels",
                width=frame.shape[1],
                height=frame.shape[0],
            )
            return replace(self._unreadable(small), ms=clock)
        picture, scale = _grey(frame)
        zone = self._locate(picture, clock)
        clock["locate"] = _since(started) - clock["recognise"]
        if zone is None:
            return explained(Reading(Status.UNREADABLE, (), NAME, ms=clock), picture)
        box = tuple((x / scale, y / scale) for x, y in zone.box)
        reading = replace(self._recognise(zone, clock), box=box)
        return explained(reading, picture, zone.box)

    def _locate(self, picture: Grey, clock: dict[str, float]) -> _Zone | None:
        """The first of PassportEye's boxes in which an MRZ is seen."""
        for width in LOCATOR_WIDTHS:
            for cut, box in self._boxes(picture, width):
                view = resized(cut, WHOLE_WIDTHS[0] / cut.shape[1])
                zone = self._zone(view, box, clock)
                if zone is not None and zone.text.count(">") > zone.text.count("<"):
                    turned = np.ascontiguousarray(view[::-1, ::-1])
                    zone = self._zone(turned, (*box[2:], *box[:2]), clock)
                if zone is not None and zone.text.count("<") >= LEAST_FILLERS:
                    return zone
        return None

    def _zone(self, view: Grey, box: Box, clock: dict[str, float]) -> _Zone | None:
        """The MRZ that fills a level view, either way up, where its cells and fillers are seen."""
        grid = find_grid(view)
        likeness = filler_likeness(grid) if grid else None
        if grid is None or likeness is None:
            return None
        return _Zone(grid, likeness, box, self._ocr(view, clock))

    def _boxes(self, picture: Grey, width: int) -> Iterator[tuple[Grey, Box]]:
        """What PassportEye takes for an MRZ: the picture of each box, level, and its corners."""
        pipeline = self._pipeline(None)
        pipeline.replace_component("loader", lambda: picture / 255.0, ["img"], [])
        pipeline.replace_component("scaler", self._scaler(width))
        pipeline.replace_component("box_locator", self._locator(min_box_aspect=MIN_BOX_ASPECT))
        scale = 1.0 / pipeline["scale_factor"]
        for box in pipeline["boxes"]:
            cut = box.extract_from_image(pipeline["img"], scale)
            if min(cut.shape) < 10:
                continue
            corners = box.as_poly()[::-1] * scale
            yield (
                np.ascontiguousarray(np.clip(cut, 0, 1) * 255).astype(np.uint8),
                tuple((float(column), float(row)) for row, column in corners),
            )

    def _recognise(self, zone: _Zone, clock: dict[str, float]) -> Reading:
        """Takes a view of the whole and one of the fields apart, and two more where that does not
        make every character sure."""
        layout = layout_for(zone.grid.width, zone.text)
        ballot = Ballot(zone.likeness, layout)
        picture, text = zone.grid.picture, zone.text
        reading = None
        for width, height in zip(WHOLE_WIDTHS, APART_HEIGHTS, strict=True):
            if reading is not None:
                text = self._ocr(resized(picture, width / picture.shape[1]), clock)
            ballot.count_whole(text)
            if ballot.fields:
                ballot.count_apart(self._ocr(sheet(zone.grid, ballot.fields, height, TIMES), clock))
            started = perf_counter()
            reading = _reading(ballot)
            clock["decode"] += _since(started)
            if reading.status is Status.READ:
                break
        return replace(reading or self._unreadable(said("nothing was read")), ms=clock)

    def _ocr(self, view: Grey, clock: dict[str, float]) -> str:
        """What PassportEye's OCR reads in a picture. Raises OSError and CalledProcessError."""
        started = perf_counter()
        ground = int(np.percentile(view, 75))
        framed = cv2.copyMakeBorder(view, 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=ground)
        bitmap = cv2.imencode(".bmp", framed)[1].tobytes()
        done = subprocess.run(TESSERACT, input=bitmap, capture_output=True, check=True)
        text = done.stdout.decode(errors="replace").strip()
        clock["recognise"] += _since(started)
        return text

    @staticmethod
    def _unreadable(note: str) -> Reading:
        return Reading(Status.UNREADABLE, (), NAME, note=note)


def _since(started: float) -> float:
    """Milliseconds."""
    return (perf_counter() - started) * 1000


def _rank(reading: Reading) -> tuple[int, int]:
    """Surer readings first."""
    order = (Status.READ, Status.DOUBTFUL, Status.UNREADABLE)
    return order.index(reading.status), len(reading.uncertain)


def _grey(frame: Frame) -> tuple[Grey, float]:
    """The frame in grey, reduced to what the OCR needs, and by which factor."""
    grey = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    scale = min(1.0, LONG_SIDE / max(grey.shape))
    picture = np.asarray(grey, np.uint8)
    return (resized(picture, scale) if scale < 1 else picture), scale


def _reading(ballot: Ballot) -> Reading:
    """What the views taken so far make together."""
    lines, uncertain = ballot.result()
    sound = is_sound(parse(lines, datetime.now(UTC).date()))
    if sound and not uncertain:
        return Reading(Status.READ, lines, NAME)
    note = None
    if not uncertain:
        note = said("the views agree, but a check digit, code or State in the lines does not hold")
    return Reading(Status.DOUBTFUL, lines, NAME, uncertain=uncertain, note=note)
