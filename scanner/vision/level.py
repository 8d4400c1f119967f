"""The MRZ cut out of its picture and laid level, for a person to compare with what was read of it.

A reading's box spans the capitals of the first line to those of the last, from the first character
to the last one. A homography lays it so that each line is a band of its own, all of equal height,
exactly as wide as its characters: whoever shows a band above the line's text has each character
above what it was read as.
"""

import cv2
import numpy as np

from scanner.mrz.reading import Reading
from scanner.vision.overlay import around
from scanner.vision.reader import Frame

CHARACTER_PX = 20
BAND_PX = 40
ABOVE = 0.28
"""The share of a band above the capitals, and below them."""


def levelled(frame: Frame, reading: Reading) -> Frame | None:
    """The bands of `reading`'s lines in grey, or None where it says not where they are."""
    if reading.box is None or not reading.lines:
        return None
    box = np.array(reading.box, np.float32)
    if cv2.contourArea(box) < 1:
        return None
    count = len(reading.lines)
    width, height = CHARACTER_PX * len(reading.lines[0]), BAND_PX * count
    top, bottom = BAND_PX * ABOVE, BAND_PX * (count - ABOVE)
    level = np.array([(0, top), (width, top), (width, bottom), (0, bottom)], np.float32)
    cut, corner = around(frame, box)
    turn = cv2.getPerspectiveTransform(box - corner, level)
    grey = cut if cut.ndim == 2 else cv2.cvtColor(cut, cv2.COLOR_BGR2GRAY)
    strip = cv2.warpPerspective(
        grey, turn, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(strip, np.uint8)
