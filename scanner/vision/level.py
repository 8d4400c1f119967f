"""The MRZ cut out of its picture and laid level, for a person to compare with what was read of it.

A reading's box spans the capitals of the first line to those of the last, from the first character
to the last one. A homography lays it so that each line is a band of its own, all of equal height,
exactly as wide as its characters: whoever shows a band above the line's text has each character
above what it was read as.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from scanner.vision.cut import Cut
from scanner.vision.reader import Frame

CHARACTER_PX = 20
BAND_PX = 40
ABOVE = 0.28
"""The share of a band above the capitals, and below them."""


def levelled(cut: Cut, lines: Sequence[str]) -> Frame:
    """The bands of these lines, in grey."""
    count = len(lines)
    width, height = CHARACTER_PX * len(lines[0]), BAND_PX * count
    top, bottom = BAND_PX * ABOVE, BAND_PX * (count - ABOVE)
    level = np.array([(0, top), (width, top), (width, bottom), (0, bottom)], np.float32)
    turn = cv2.getPerspectiveTransform(cut.corners, level)
    grey = cut.frame if cut.frame.ndim == 2 else cv2.cvtColor(cut.frame, cv2.COLOR_BGR2GRAY)
    strip = cv2.warpPerspective(
        grey, turn, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(strip, np.uint8)
