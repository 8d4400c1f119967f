"""Draws what was read of a picture, so that a person can see why: where the MRZ was found, the
MRZ itself cut out straight, and under each of its characters what it was read as.

Nothing here knows which reader it was: all is drawn from the `Reading` alone. Its box is four
corners, clockwise from the first line's start, so a homography lays the lines level, and equal
cells stand for equal characters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from scanner.mrz.reading import UNKNOWN, Reading, Status, Uncertain
from scanner.vision.cut import around
from scanner.vision.reader import Frame

WIDTH = 1400
MOST_HEIGHT = 1000
"""The whole picture is reduced to fit into so many pixels."""

MARGIN = 20
AROUND = 0.15
"""What is shown above and below a line, of its height: a box that is a little off is seen."""

MOST_CANDIDATES = 3

Colour = tuple[int, int, int]
BLACK: Colour = (20, 20, 20)
GREY: Colour = (120, 120, 120)
WHITE: Colour = (255, 255, 255)
PALE: Colour = (190, 225, 255)
STATUS: dict[Status, Colour] = {
    Status.READ: (50, 150, 30),
    Status.DOUBTFUL: (0, 120, 240),
    Status.UNREADABLE: (40, 40, 210),
}

_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class _Cells:
    """Where the characters of one line stand on the canvas: the first one's left edge, and how
    wide each is."""

    left: float
    width: float

    def edge(self, position: int) -> int:
        return round(self.left + position * self.width)

    def middle(self, position: int) -> int:
        return round(self.left + (position + 0.5) * self.width)


def draw(frame: Frame, reading: Reading, title: str, words: Sequence[str] = ()) -> Frame:
    """One drawing: `title` (the picture's name) and status, the `words` of the verdict, the frame
    with the box, and the lines one by one."""
    parts = [_heading(reading, title, words), _whole(frame, reading)]
    if reading.box is not None:
        box = np.array(reading.box, np.float32)
        if cv2.contourArea(box) >= 1:
            parts += [
                part for line in range(_rows(reading)) for part in _line(frame, reading, line)
            ]
    return np.vstack(parts)


def _rows(reading: Reading) -> int:
    return max(1, len(reading.lines))


def _heading(reading: Reading, title: str, words: Sequence[str]) -> Frame:
    confidence = "" if reading.confidence is None else f", confidence {reading.confidence:.4f}"
    status = f"{reading.status.value.upper()} by {reading.reader}{confidence}"
    rows = [(title, BLACK, 0.8), (status, STATUS[reading.status], 0.8)]
    if reading.note:
        rows.append((reading.note, GREY, 0.6))
    rows += [(word, BLACK, 0.6) for word in words]
    canvas = _blank(30 * len(rows) + 16)
    for row, (text, colour, size) in enumerate(rows, start=1):
        _put(canvas, _fitting(text, size), (MARGIN, 30 * row), size, colour)
    return canvas


def _whole(frame: Frame, reading: Reading) -> Frame:
    """The frame, reduced to the canvas, with the box and a dot where its first line starts."""
    height, width = frame.shape[:2]
    scale = min(1.0, WIDTH / width, MOST_HEIGHT / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = _colour(np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8))
    if reading.box is not None:
        corners = np.rint(np.array(reading.box) * scale).astype(np.int32)
        colour = STATUS[reading.status]
        cv2.polylines(small, [corners], isClosed=True, color=colour, thickness=2)
        start = (int(corners[0][0]), int(corners[0][1]))
        cv2.circle(small, start, 7, colour, thickness=-1)
    canvas = _blank(size[1])
    left = (WIDTH - size[0]) // 2
    canvas[:, left : left + size[0]] = small
    return canvas


def _line(frame: Frame, reading: Reading, line: int) -> tuple[Frame, Frame]:
    """One line cut out straight, and under it what it was read as."""
    text = reading.lines[line] if reading.lines else ""
    characters = max(1, len(text))
    width = (WIDTH - 2 * MARGIN) / (characters + 2)
    cells = _Cells(MARGIN + width, width)
    doubts = {one.position: one for one in reading.uncertain if one.line == line}
    strip = _strip(frame, reading, line, cells, characters)
    for position in doubts:
        corners = (cells.edge(position), 1), (cells.edge(position + 1), strip.shape[0] - 2)
        cv2.rectangle(strip, *corners, STATUS[Status.DOUBTFUL], 2)
    return strip, _read_as(text, doubts, cells)


def _strip(frame: Frame, reading: Reading, line: int, cells: _Cells, characters: int) -> Frame:
    """The line's share of the box as the canvas shows it, with what is around it."""
    box = np.array(reading.box, np.float32)
    across = float(np.linalg.norm(box[1] - box[0]) + np.linalg.norm(box[2] - box[3]))
    down = float(np.linalg.norm(box[3] - box[0]) + np.linalg.norm(box[2] - box[1]))
    whole = cells.width * characters * down / max(1.0, across)
    row = min(120.0, max(24.0, whole / _rows(reading)))
    left, right = cells.left, cells.left + cells.width * characters
    top = row * (AROUND - line)
    bottom = top + row * _rows(reading)
    level = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
    size = WIDTH, round(row * (1 + 2 * AROUND))
    cut, corner = around(frame, box)
    to_canvas = cv2.getPerspectiveTransform(box - corner, level)
    strip = cv2.warpPerspective(
        cut, to_canvas, size, flags=cv2.INTER_CUBIC, borderValue=(*WHITE, 0)
    )
    return _colour(np.asarray(strip, np.uint8))


def _read_as(text: str, doubts: dict[int, Uncertain], cells: _Cells) -> Frame:
    """The characters of a line in their cells; what else a doubtful one may be stands below it,
    with its probability in per cent."""
    most = max((len(one.candidates[:MOST_CANDIDATES]) for one in doubts.values()), default=0)
    canvas = _blank(56 + 36 * most)
    for position, character in enumerate(text):
        colour = BLACK
        if position in doubts:
            left, right = cells.edge(position), cells.edge(position + 1)
            cv2.rectangle(canvas, (left, 0), (right, canvas.shape[0] - 18), PALE, -1)
            colour = STATUS[Status.DOUBTFUL]
        if character == UNKNOWN:
            colour = STATUS[Status.UNREADABLE]
        _centred(canvas, character, (cells.middle(position), 30), 0.8, colour)
    for position, doubt in doubts.items():
        for row, (character, chance) in enumerate(doubt.candidates[:MOST_CANDIDATES]):
            below = 56 + 36 * row
            _centred(canvas, character, (cells.middle(position), below), 0.55, BLACK)
            _centred(canvas, f"{chance:.0%}", (cells.middle(position), below + 14), 0.33, GREY)
    return canvas


def _blank(height: int) -> Frame:
    return np.full((height, WIDTH, 3), 255, np.uint8)


def _colour(frame: Frame) -> Frame:
    if frame.ndim == 3:
        return frame
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR), np.uint8)


def _fitting(text: str, size: float) -> str:
    """What of the text fits into one line; letters that the font lacks are question marks."""
    shown = text.encode("ascii", "replace").decode()
    shown = "".join(letter if letter.isprintable() else "?" for letter in shown)
    while shown and _extent(shown, size) > WIDTH - 2 * MARGIN:
        shown = shown[: int(len(shown) * 0.9)]
    return shown


def _extent(text: str, size: float) -> int:
    return int(cv2.getTextSize(text, _FONT, size, 1)[0][0])


def _centred(canvas: Frame, text: str, at: tuple[int, int], size: float, colour: Colour) -> None:
    middle, base = at
    _put(canvas, text, (middle - _extent(text, size) // 2, base), size, colour)


def _put(canvas: Frame, text: str, at: tuple[int, int], size: float, colour: Colour) -> None:
    cv2.putText(canvas, text, at, _FONT, size, colour, 1, cv2.LINE_AA)
