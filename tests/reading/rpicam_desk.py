"""Stands in for `rpicam-vid` over a desk, one scene after another; the last one stays.

`rpicam_desk.py SCENE… [rpicam-vid's options]`; YUV420 frames on standard output. A scene is
`FILE:SECONDS:BLUR`: a picture laid in the middle of the desk (`-`: nothing) for so long, defocused
by so many pixels.
"""

import itertools
import sys
import time
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
FPS = 10


def desk(width: int, height: int) -> Grey:
    random = np.random.default_rng(1)
    wood = cv2.GaussianBlur(random.normal(0, 40, (height, width)), (0, 0), 9)
    return np.clip(90 + wood, 0, 255).astype(np.uint8)


def shown(bare: Grey, file: str, blur: float) -> Grey:
    scene = bare.copy()
    if file != "-":
        page = cv2.imread(file, cv2.IMREAD_GRAYSCALE)
        assert page is not None
        top, left = ((bare.shape[i] - page.shape[i]) // 2 for i in (0, 1))
        scene[top : top + page.shape[0], left : left + page.shape[1]] = page
    return np.asarray(cv2.GaussianBlur(scene, (0, 0), blur) if blur else scene, np.uint8)


def frames(scenes: list[str], width: int, height: int) -> Iterator[Grey]:
    bare = desk(width, height)
    for scene in scenes:
        file, seconds, blur = scene.rsplit(":", 2)
        still = shown(bare, file, float(blur))
        yield from itertools.repeat(still, round(float(seconds) * FPS))
    yield from itertools.repeat(still)


def main() -> None:
    words = sys.argv[1:]
    first = next(number for number, word in enumerate(words) if word.startswith("--"))
    options = words[first:]
    width, height = (int(options[options.index(name) + 1]) for name in ("--width", "--height"))
    random = np.random.default_rng(2)
    grain = [random.integers(-2, 3, (height, width), np.int16) for _ in range(5)]
    colours = bytes([128]) * (width * height // 2)
    for scene, noise in zip(frames(words[:first], width, height), itertools.cycle(grain)):
        began = time.monotonic()
        bright = np.clip(scene + noise, 0, 255).astype(np.uint8)
        try:
            sys.stdout.buffer.write(bright.tobytes() + colours)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            return
        time.sleep(max(0.0, 1 / FPS - (time.monotonic() - began)))


if __name__ == "__main__":
    main()
