"""The part of a picture in which an MRZ lies: small enough to be kept beside what was read of it,
where the whole picture would be megabytes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.reading import Reading
from scanner.vision.reader import Frame

Corners = NDArray[np.float32]
"""Four (x, y), clockwise from the first line's start."""


@dataclass(frozen=True, eq=False)
class Cut:
    """A part of a picture, and the MRZ's corners in it."""

    frame: Frame
    corners: Corners


def cut_out(frame: Frame, reading: Reading) -> Cut | None:
    """A copy of the part around `reading`'s lines; None where it says not where they are."""
    if reading.box is None or not reading.lines:
        return None
    box = np.array(reading.box, np.float32)
    if _area(box) < 1:
        return None
    part, corner = around(frame, box)
    return Cut(part.copy(), box - corner)


def around(frame: Frame, box: Corners) -> tuple[Frame, NDArray[np.float32]]:
    """The part of the frame in which the box lies, with room around it, and where it begins."""
    room = float(np.ptp(box, axis=0).max()) * 0.1 + 8
    height, width = frame.shape[:2]
    left, top = np.clip(np.floor(box.min(axis=0) - room), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(box.max(axis=0) + room), (left + 1, top + 1), (width, height))
    part = frame[top : int(bottom), left : int(right)]
    return part, np.array((left, top), np.float32)


def _area(box: Corners) -> float:
    x, y = box.T
    return abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2
