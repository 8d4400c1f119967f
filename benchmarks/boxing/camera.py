"""Stands in for `rpicam-vid` over a desk where nothing lies: takes its options, and writes YUV420
frames to standard output at the rate asked for, a sensor's noise in them, until nobody reads."""

import itertools
import sys
import time

import numpy as np

_PICTURES = 8


def main(options: list[str]) -> None:
    given = dict(itertools.pairwise(options))
    width, height = int(given["--width"]), int(given["--height"])
    every = 1 / float(given["--framerate"])
    random = np.random.default_rng(1)
    colours = bytes([128]) * (width * height // 2)
    desk = np.full((height, width), 90, np.int16)
    frames = [
        (desk + random.integers(-2, 3, desk.shape, np.int16)).astype(np.uint8).tobytes() + colours
        for _ in range(_PICTURES)
    ]
    due = time.monotonic()
    for frame in itertools.cycle(frames):
        try:
            sys.stdout.buffer.write(frame)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            return
        due += every
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main(sys.argv[1:])
