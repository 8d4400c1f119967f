"""RapidOCR (PP-OCR on onnxruntime) as a worker, with a filter that keeps the lines of an MRZ.

RapidOCR reads every text of the picture and knows nothing of travel documents. The filter joins the
pieces of a row, takes what other scripts have for `<`, and keeps the two or three
neighbouring rows that are as long as an MRZ's. As a general OCR engine miscounts long runs of
`<`, a run at the end of a row is made as long as the format asks. That is kinder to it than its own
output is.
"""

import re
from importlib.metadata import version
from time import perf_counter

import cv2
from talk import Read, Said, serve, since

cv2.setNumThreads(1)

LIKE_FILLERS = str.maketrans(dict.fromkeys("‹〈《«＜≤", "<") | {"《": "<<", "«": "<<"})
FORMATS = ((44, 2), (36, 2), (30, 3))
SLACK = 4
"""A row may have so many characters too few or too many before its end is mended."""

Row = tuple[float, float, str]
"""Where it is from the top, how high it is, and its text."""


def rows_of(boxes: list[list[list[float]]], texts: list[str]) -> list[Row]:
    """The texts joined to rows, from the top; within a row from the left."""
    pieces = []
    for box, text in zip(boxes, texts, strict=True):
        xs, ys = [point[0] for point in box], [point[1] for point in box]
        pieces.append((sum(ys) / 4, max(ys) - min(ys), min(xs), text))
    rows: list[list[tuple[float, float, float, str]]] = []
    for piece in sorted(pieces):
        row = rows[-1] if rows else None
        if row and abs(row[0][0] - piece[0]) < 0.4 * min(row[0][1], piece[1]):
            row.append(piece)
        else:
            rows.append([piece])
    return [
        (row[0][0], row[0][1], "".join(text for *_, text in sorted(row, key=lambda p: p[2])))
        for row in rows
    ]


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
    """The neighbouring rows that are most nearly as long as an MRZ's lines, the lowest of equals,
    or none."""
    lines = [cleaned(text) for *_, text in rows]
    found: list[tuple[int, int, list[str]]] = []
    for width, count in FORMATS:
        for first in range(len(lines) - count + 1):
            some = lines[first : first + count]
            off = [abs(len(line) - width) for line in some]
            if max(off) <= SLACK and "<<" in "".join(some):
                found.append((sum(off), -first, [mended(line, width) for line in some]))
    return min(found)[2] if found else []


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
            lines = mrz_of(rows_of(found.boxes.tolist(), list(found.txts)))
        return {"lines": lines, "ms": since(started)}

    return read, f"RapidOCR {version('rapidocr')}, MRZ line filter"


if __name__ == "__main__":
    serve(load)
