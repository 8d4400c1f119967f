"""Reads documents with PassportEye: it locates the MRZ, and its OCR (Tesseract) reads it.

PassportEye's own answer is not used: it corrects digits silently, cuts long numbers at nine and
gives no probabilities, and with every check digit holding it is still wrong now and then. What is
used is where it sees an MRZ and what its OCR reads there, in several views of the same print:

- *whole*: the MRZ as it stands, at two sizes;
- *apart*: its fields cut out and stacked, at two sizes, so that digits beside a nationality do not
  turn its letters into digits.

Where characters and fillers stand is seen in the picture (`cells`), because Tesseract miscounts long
runs of `<`. A character is sure where at least two views agree on it and none reads another that
may stand there (what Doc 9303 does not allow at a place is no vote). A reading is *read* when every
character is sure and the lines are sound: every check digit present and true, issuer and code
known. A document with a wrong check digit as printed is therefore *doubtful* to this reader.

PassportEye writes each view to a temporary file for Tesseract and deletes it afterwards.
"""

import logging
import os
import shutil
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.mrz.document import Format
from scanner.mrz.layouts import LAYOUTS, Layout
from scanner.mrz.parse import is_sound, parse
from scanner.mrz.reading import UNKNOWN, Reading, Status, Uncertain
from scanner.vision.cells import Grey, Grid, filler_likeness, find_grid, resized, sheet
from scanner.vision.engine import Frame, ReaderUnavailable

NAME = "passporteye"

LONG_SIDE = 1600
"""Larger pictures are reduced to so many pixels: 44 characters then still have 30 each."""

LOCATOR_WIDTHS = (250, 500, 1000)
"""Widths at which PassportEye's locator is tried in turn; the first is its own default."""

MIN_BOX_ASPECT = 4.0
"""PassportEye's default of 5 leaves out the three lines of a TD1."""

WHOLE_WIDTHS = (1050, 700)
APART_HEIGHTS = (28, 20)

FILLER, NO_FILLER = 0.78, 0.6
"""Likeness to a filler from which a cell is one, and up to which it is none; between, it is
doubtful."""

FILLER_LIKE = "<KECLSXR"
"""What Tesseract makes of a filler after a word."""

TIMES = 4
"""How often a single character is repeated on its row: Tesseract loses one that stands alone."""

MAX_FRAMES = 3

log = logging.getLogger(__name__)

Word = tuple[int, int, int]
"""Line, first position, end (exclusive)."""

Votes = dict[tuple[int, int], Counter[str]]


@dataclass(frozen=True)
class _Zone:
    """An MRZ that was located: its cells, how like a filler each is, and where it is."""

    grid: Grid
    likeness: NDArray[np.float64]
    box: tuple[tuple[float, float], ...]
    whole: str
    """What the OCR read of it at the first size."""


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
                from passporteye.util.ocr import ocr  # noqa: PLC0415
                from pytesseract import pytesseract  # noqa: PLC0415
        except ImportError as error:
            raise ReaderUnavailable(
                f"reader 'passporteye' cannot be loaded ({error}): "
                "install it with pip install 'borderpost[passporteye]'"
            ) from error
        if shutil.which(pytesseract.tesseract_cmd) is None:
            raise ReaderUnavailable(
                "reader 'passporteye' needs the program tesseract: "
                "install it with apt install tesseract-ocr"
            )
        # Its threads cost Tesseract more than they bring on lines this short: 0.8 s instead of 2 s.
        os.environ.setdefault("OMP_THREAD_LIMIT", "1")
        self._pipeline, self._locator, self._scaler = MRZPipeline, MRZBoxLocator, Scaler
        self._tesseract = ocr
        self._load_ms = _since(started)

    def read(self, frames: Sequence[Frame]) -> Reading:
        """Reads up to three frames one by one and gives the surest reading."""
        best = self._unreadable("there is no picture to read")
        for frame in frames[:MAX_FRAMES]:
            reading = self._read_safely(frame)
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
            return self._unreadable(f"PassportEye failed on this picture ({type(error).__name__})")

    def _read_frame(self, frame: Frame) -> Reading:
        clock = {"load": self._load_ms, "locate": 0.0, "recognise": 0.0, "decode": 0.0}
        started = perf_counter()
        zone = self._locate(_grey(frame), clock)
        if zone is None:
            clock["locate"] = _since(started) - clock["recognise"]
            return replace(self._unreadable("no MRZ was found in the picture"), ms=clock)
        clock["locate"] = _since(started) - clock["recognise"]
        return self._recognise(zone, clock)

    def _locate(self, picture: Grey, clock: dict[str, float]) -> _Zone | None:
        """The first of PassportEye's boxes in which an MRZ's cells and fillers are seen."""
        for width in LOCATOR_WIDTHS:
            for cut, box in self._boxes(picture, width):
                view = resized(cut, WHOLE_WIDTHS[0] / cut.shape[1])
                grid = find_grid(view)
                likeness = filler_likeness(grid) if grid else None
                if grid is None or likeness is None:
                    continue
                text = self._ocr(view, clock)
                if text.count(">") > text.count("<"):
                    grid = find_grid(np.ascontiguousarray(view[::-1, ::-1]))
                    likeness = filler_likeness(grid) if grid else None
                    if grid is None or likeness is None:
                        continue
                    text, box = self._ocr(grid.picture, clock), (*box[2:], *box[:2])
                if text.count("<") >= 3:
                    return _Zone(grid, likeness, box, text)
        return None

    def _boxes(
        self, picture: Grey, width: int
    ) -> Iterator[tuple[Grey, tuple[tuple[float, float], ...]]]:
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
        """Takes views until every character is sure, all four at most."""
        layout = _layout(zone)
        filler = zone.likeness >= FILLER
        runs = _words(filler, None)
        fields = _words(filler, layout)
        votes: Votes = {}
        _vote_whole(votes, zone.whole, runs, layout)
        decoded = None
        for size, (whole_width, height) in enumerate(zip(WHOLE_WIDTHS, APART_HEIGHTS, strict=True)):
            if size:
                view = resized(zone.grid.picture, whole_width / zone.grid.picture.shape[1])
                _vote_whole(votes, self._ocr(view, clock), runs, layout)
            if fields:
                view = sheet(zone.grid, fields, height, TIMES)
                _vote_apart(votes, self._ocr(view, clock), fields)
            started = perf_counter()
            decoded = _decode(zone, layout, votes)
            clock["decode"] += _since(started)
            if decoded.status is Status.READ:
                break
        assert decoded is not None  # noqa: S101 - there is always a first size
        return replace(decoded, ms=clock)

    def _ocr(self, view: Grey, clock: dict[str, float]) -> str:
        """What PassportEye's OCR reads in a picture."""
        started = perf_counter()
        ground = int(np.percentile(view, 75))
        framed = cv2.copyMakeBorder(view, 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=ground)
        text = str(self._tesseract(framed))
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


def _grey(frame: Frame) -> Grey:
    """The frame in grey, reduced to what the OCR needs."""
    grey = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    scale = LONG_SIDE / max(grey.shape)
    return resized(np.asarray(grey, np.uint8), scale) if scale < 1 else np.asarray(grey, np.uint8)


def _layout(zone: _Zone) -> Layout:
    """The layout of so many characters a line, by what the first line starts with."""
    rows = _rows(zone.whole, zone.grid.width, len(zone.grid.bands))
    head = rows[0] if rows else ""
    visa = head.startswith("V")
    if zone.grid.width == 30:
        return LAYOUTS[Format.TD1]
    if zone.grid.width == 36:
        if head.startswith("IDFRA"):
            return LAYOUTS[Format.FRA_ID]
        return LAYOUTS[Format.MRV_B if visa else Format.TD2]
    return LAYOUTS[Format.MRV_A if visa else Format.TD3]


def _rows(text: str, width: int, count: int) -> list[str]:
    """The last `count` rows of OCR text that are long enough for lines of that width, or none."""
    rows = ["".join(row.split()) for row in text.splitlines()]
    rows = [row for row in rows if len(row) >= width // 2]
    return rows[-count:] if len(rows) >= count else []


def _words(filler: NDArray[np.bool_], layout: Layout | None) -> list[Word]:
    """The runs of cells that are no fillers, cut at the layout's fields where one is given."""
    cuts = set()
    if layout is not None:
        cuts = {(f.span.line, f.span.start) for f in layout.fields.values()}
    words: list[Word] = []
    for line, cells in enumerate(filler):
        start = None
        for at in range(len(cells) + 1):
            end = at == len(cells) or cells[at]
            if start is not None and (end or (line, at) in cuts):
                words.append((line, start, at))
                start = None
            if not end and start is None:
                start = at
    return words


def _vote_whole(votes: Votes, text: str, runs: Sequence[Word], layout: Layout) -> None:
    """Counts what a view of the whole MRZ says, row by row."""
    for line, row in enumerate(_rows(text, layout.width, layout.height)):
        tokens = [token for token in row.split("<") if token.strip(FILLER_LIKE)]
        _vote(votes, tokens, [run for run in runs if run[0] == line])


def _vote_apart(votes: Votes, text: str, fields: Sequence[Word]) -> None:
    """Counts what a view of the fields apart says; single characters come several times."""
    tokens = text.split()
    many = [word for word in fields if word[2] - word[1] > 1]
    _vote(votes, [token for token in tokens if not _repeated(token)], many)
    single = [word for word in fields if word[2] - word[1] == 1]
    repeats = [token for token in tokens if _repeated(token)]
    if len(single) == len(repeats):
        _vote(votes, [token[0] for token in repeats], single)


def _repeated(token: str) -> bool:
    return len(token) == TIMES and len(set(token)) == 1


def _vote(votes: Votes, tokens: Sequence[str], words: Sequence[Word]) -> None:
    """Counts tokens for the words that they fit in length, both in order. A token may run on
    into fillers that were taken for letters; one that fits no word is left out."""
    at = 0
    for line, start, end in words:
        for found in range(at, len(tokens)):
            token, excess = tokens[found][: end - start], tokens[found][end - start :]
            if len(token) == end - start and not excess.strip(FILLER_LIKE):
                for position, character in enumerate(token, start):
                    votes.setdefault((line, position), Counter())[character] += 1
                at = found + 1
                break


def _decode(zone: _Zone, layout: Layout, votes: Votes) -> Reading:
    """The lines that the votes make, and how sure each character is."""
    lines: list[str] = []
    uncertain: list[Uncertain] = []
    for line, row in enumerate(zone.likeness):
        characters = []
        for at, likeness in enumerate(row):
            character, candidates = _character(likeness, votes.get((line, at)), layout, line, at)
            characters.append(character)
            if candidates is not None:
                uncertain.append(Uncertain(line, at, candidates))
        lines.append("".join(characters))
    sound = is_sound(parse(lines, datetime.now(UTC).date()))
    status = Status.READ if sound and not uncertain else Status.DOUBTFUL
    note = None
    if status is Status.DOUBTFUL and not uncertain:
        note = "the views agree, but a check digit, code or State in the lines does not hold"
    return Reading(status, tuple(lines), NAME, None, tuple(uncertain), zone.box, note=note)


def _character(
    likeness: float, seen: Counter[str] | None, layout: Layout, line: int, at: int
) -> tuple[str, tuple[tuple[str, float], ...] | None]:
    """The character at one place, and where it is doubtful its candidates, else None."""
    if likeness >= FILLER:
        return "<", None
    allowed = layout.alphabet(line, at)
    fair = Counter({c: n for c, n in (seen or Counter()).items() if c in allowed})
    ballot = fair or seen or Counter[str]()
    if likeness > NO_FILLER and not set(ballot) - set(FILLER_LIKE):
        ballot = ballot + Counter("<")
    ranked = ballot.most_common()
    if not ranked:
        return UNKNOWN, ()
    character, count = ranked[0]
    if len(ranked) == 1 and count >= 2 and fair:
        return character, None
    total = sum(ballot.values())
    return character, tuple((c, n / total) for c, n in ranked)
