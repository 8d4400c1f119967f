"""RapidOCR (PP-OCR on onnxruntime) as a worker, with a filter that keeps the lines of an MRZ.

RapidOCR reads every text of the picture, at any slant, and knows nothing of travel documents. The
filter joins the pieces of a row along the row's own direction, takes what other scripts have for
`<`, and keeps the two or three parallel rows, one below the other, that are most nearly as long as
an MRZ's. As a general OCR engine miscounts long runs of `<`, a run at the end of a row is made as
long as the format asks. That is kinder to it than its own output is.
"""

import re
from dataclasses import dataclass
from importlib.metadata import version
from math import hypot
from time import perf_counter

import cv2
from talk import Read, Said, serve, since

cv2.setNumThreads(1)

LIKE_FILLERS = str.maketrans(dict.fromkeys("‹〈《«＜≤", "<") | {"《": "<<", "«": "<<"})
FORMATS = ((44, 2), (36, 2), (30, 3))
SLACK = 4
"""A row may have so many characters too few or too many before its end is mended."""


@dataclass(frozen=True)
class Row:
    """A text: its middle, the direction that it runs in, how long and how high it is."""

    x: float
    y: float
    across: float
    down: float
    length: float
    height: float
    text: str

    def along(self, other: "Row") -> float:
        """How far the other's middle is on in this one's direction, in this one's heights."""
        return ((other.x - self.x) * self.across + (other.y - self.y) * self.down) / self.height

    def below(self, other: "Row") -> float:
        """How far the other's middle is below this one's line, in this one's heights."""
        return ((other.y - self.y) * self.across - (other.x - self.x) * self.down) / self.height

    def is_parallel(self, other: "Row") -> bool:
        return self.across * other.across + self.down * other.down > 0.98


def row_of(box: list[list[float]], text: str) -> Row:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = box
    length = max(1.0, hypot(bx - ax, by - ay))
    height = max(1.0, hypot(dx - ax, dy - ay))
    across, down = (bx - ax) / length, (by - ay) / length
    return Row((ax + cx) / 2, (ay + cy) / 2, across, down, length, height, text)


def joined(rows: list[Row]) -> list[Row]:
    """Pieces that stand on one line, close to each other, made one row."""
    left = sorted(rows, key=lambda row: -row.length)
    whole: list[Row] = []
    while left:
        row = left.pop(0)
        for piece in list(left):
            apart = abs(row.along(piece)) * row.height - (row.length + piece.length) / 2
            on_line = row.is_parallel(piece) and abs(row.below(piece)) < 0.4
            if on_line and -row.height < apart < 2 * row.height:
                left.remove(piece)
                row = _with(row, piece)
        whole.append(row)
    return whole


def _with(row: Row, piece: Row) -> Row:
    first, last = (row, piece) if row.along(piece) > 0 else (piece, row)
    x, y = last.x - first.x, last.y - first.y
    length = hypot(x, y) + (first.length + last.length) / 2
    shift = ((first.length + last.length) / 2 + hypot(x, y) - first.length) / 2
    return Row(
        first.x + first.across * shift,
        first.y + first.down * shift,
        row.across,
        row.down,
        length,
        row.height,
        first.text + last.text,
    )


def cleaned(text: str) -> str:
    return re.sub(r"[^A-Z0-9<]", "", text.translate(LIKE_FILLERS).replace(" ", "").upper())


def mended(line: str, width: int) -> str:
    """The run of fillers at the end, or before a last digit, made as long as the format asks."""
    run = re.search(r"<+(\d{0,2})$", line)
    if run is None or len(line) == width:
        return line
    kept, tail = line[: run.start()], run.group(1)
    return kept + "<" * (width - len(kept) - len(tail)) + tail


def mrz_of(rows: list[Row]) -> list[str]:
    """The lines of the rows that most nearly make an MRZ, or none."""
    found: list[tuple[int, list[str]]] = []
    for width, count in FORMATS:
        long = [row for row in rows if abs(len(cleaned(row.text)) - width) <= SLACK]
        for first in long:
            group = [first]
            while len(group) < count and (following := _next(group[-1], long)):
                group.append(following)
            lines = [cleaned(row.text) for row in group]
            if len(lines) == count and "<<" in "".join(lines):
                off = sum(abs(len(line) - width) for line in lines)
                found.append((off, [mended(line, width) for line in lines]))
    return min(found)[1] if found else []


def _next(row: Row, rows: list[Row]) -> Row | None:
    """The nearest row below it that is parallel and stands under it."""
    under = [
        other
        for other in rows
        if row.is_parallel(other)
        and 0.7 < row.below(other) < 4
        and abs(row.along(other)) * row.height < 0.3 * row.length
    ]
    return min(under, key=row.below) if under else None


def load() -> tuple[Read, str]:
    from rapidocr import RapidOCR  # noqa: PLC0415 - its time and memory count

    engine = RapidOCR(
        params={
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Global.log_level": "error",
        }
    )

    def read(paths: list[str]) -> Said:
        picture = cv2.imread(paths[0], cv2.IMREAD_COLOR)
        started = perf_counter()
        found = engine(picture)
        lines: list[str] = []
        if found.boxes is not None and found.txts is not None:
            pieces = zip(found.boxes.tolist(), found.txts, strict=True)
            lines = mrz_of(joined([row_of(box, text) for box, text in pieces]))
        return {"lines": lines, "ms": since(started)}

    return read, f"RapidOCR {version('rapidocr')}, MRZ line filter"


if __name__ == "__main__":
    serve(load)
