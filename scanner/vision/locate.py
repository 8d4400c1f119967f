"""Finds the MRZ lines of a frame: the frame is reduced, the locator draws its maps, `blocks` reads
them. Most frames need one look at a long side of `SIDES[0]` px; small print is found in a larger
one, and print that fills a large frame to its edges in a smaller one."""

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.vision.blocks import Block, blocks
from scanner.vision.interpreter import Network
from scanner.vision.lines import CORE, WITHIN, Maps
from scanner.vision.shapes import normalised

SIDES = (512, 1024, 320)
"""Long sides of the reduced frame, in px, in the order in which they are tried."""
MULTIPLE = 32


class Locator:
    """The locator's network and what leads to it and from it."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def locate(self, frame: NDArray[np.uint8], side: int = SIDES[0]) -> list[Block]:
        """The blocks of lines in a grey frame, the surest first."""
        height, width = frame.shape
        scale = side / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        return blocks(self.maps(_resized(frame, size)), max(height, width) / max(size))

    def maps(self, small: NDArray[np.uint8]) -> Maps:
        """The maps of a reduced frame."""
        height, width = small.shape
        down, across = -height % MULTIPLE, -width % MULTIPLE
        tone = int(np.median(small[::4, ::4]))
        padded = cv2.copyMakeBorder(small, 0, down, 0, across, cv2.BORDER_CONSTANT, value=tone)
        (out,) = self._network.run(normalised(np.asarray(padded, np.uint8)[None]))
        maps = np.array(out[0], np.float32)
        for channel in (CORE, WITHIN):
            maps[..., channel] = 1 / (1 + np.exp(-maps[..., channel]))
        maps[(height + 1) // 2 :] = 0
        maps[:, (width + 1) // 2 :] = 0
        return maps


def _resized(frame: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The frame at another size. Whole halves first: they cost a tenth of one odd reduction."""
    while min(frame.shape) > 1 and frame.shape[1] >= 2 * size[0] and frame.shape[0] >= 2 * size[1]:
        half = (frame.shape[1] // 2, frame.shape[0] // 2)
        frame = np.asarray(cv2.resize(frame, half, interpolation=cv2.INTER_AREA), np.uint8)
    interpolation = cv2.INTER_AREA if frame.shape[1] > size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, size, interpolation=interpolation), np.uint8)
