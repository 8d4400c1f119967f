"""The one strip that training draws and the device cuts out: both ends import this.

A strip holds one MRZ line, rectified so that a character is `PITCH` px wide and a capital `CAP` px
tall, in the middle of `HEIGHT` px. The recogniser answers for columns `STEP` px apart, the first of
them centred on x = `STEP` / 2 - 0.5. OCR-B's capitals are about as tall as the pitch is wide (Doc
9303-3 §4.4: 2.4 to 2.6 mm, ten an inch).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT = 32
PITCH = 16
CAP = 16.0
STEP = 4

BLANK = 37
"""The recogniser's class for what lies between characters; 0 to 36 are `layouts.CHARACTERS`."""
CLASSES = 38
SMOOTHING = 0.04
"""The share of every label that training spreads over all classes: it keeps the probabilities
honest. Without it a prototype was sure at 0.7 of what it had wrong."""
EDGE = 3 * PITCH
"""Empty px that a whole line's strip has before its first and after its last cell."""


def normalised(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pictures (number, height, width) as the networks take them: (number, height, width, 1), each
    freed of its mean and of its contrast, but for what is nearly flat, which stays so."""
    taken = np.empty((*pictures.shape, 1), np.float32)
    for i, picture in enumerate(pictures):
        (mean,), (spread,) = cv2.meanStdDev(picture)
        np.multiply(picture, np.float32(1 / (spread[0] + 8.0)), out=taken[i, ..., 0])
        taken[i] -= np.float32(mean[0] / (spread[0] + 8.0))
    return taken
