"""Stands in for `rpicam-vid` over a desk: nothing, the first picture, nothing, the second picture.

`rpicam_specimens.py FIRST SECOND [rpicam-vid's options]`; YUV420 frames on standard output.
"""

import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
FPS = 10


def desk(width: int, height: int) -> Grey:
    random = np.random.default_rng(1)
    wood = cv2.GaussianBlur(random.normal(0, 40, (height, width)), (0, 0), 9)
    return np.clip(90 + wood, 0, 255).astype(np.uint8)


def laid(bare: Grey, picture: Path) -> Grey:
    page = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    assert page is not None
    covered = bare.copy()
    top, left = ((bare.shape[i] - page.shape[i]) // 2 for i in (0, 1))
    covered[top : top + page.shape[0], left : left + page.shape[1]] = page
    return covered


def scenes(bare: Grey, pictures: list[Path]) -> Iterator[Grey]:
    for picture in pictures:
        yield from itertools.repeat(bare, 2 * FPS)
        yield from itertools.repeat(laid(bare, picture), 3 * FPS)
    yield from itertools.repeat(bare)


def main() -> None:
    given = dict(itertools.pairwise(sys.argv[3:]))
    width, height = int(given["--width"]), int(given["--height"])
    random = np.random.default_rng(2)
    colours = bytes([128]) * (width * height // 2)
    for scene in scenes(desk(width, height), [Path(name) for name in sys.argv[1:3]]):
        noise = random.integers(-2, 3, scene.shape, np.int16)
        bright = np.clip(scene + noise, 0, 255).astype(np.uint8)
        try:
            sys.stdout.buffer.write(bright.tobytes() + colours)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            return
        time.sleep(1 / FPS)


if __name__ == "__main__":
    main()
