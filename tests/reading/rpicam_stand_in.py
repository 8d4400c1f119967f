"""Stands in for `rpicam-vid`: takes its options and writes YUV420 frames to standard output.

Behaviour is chosen by one word before the options: `steady` frames for ever; `die` after three
frames; `truncate` in the middle of the third; `hang` after one; `none` writes nothing; `stubborn`
goes on when asked to end; `loud` floods standard error first. Every start adds a line with the
process's number to the file named second.
"""

import itertools
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np


def main() -> None:
    mode, starts, *options = sys.argv[1:]
    with Path(starts).open("a", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    given = dict(itertools.pairwise(options))
    assert given["--codec"] == "yuv420"
    assert given["--output"] == "-"
    assert given["--timeout"] == "0"
    width, height = int(given["--width"]), int(given["--height"])
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    if mode == "loud":
        sys.stderr.write("[0:00:01] WARN " + "x" * 1_000_000)
    number = 0
    while True:
        if mode == "none" or (mode == "hang" and number == 1) or mode == "stubborn":
            time.sleep(0.05)
            continue
        if mode == "die" and number == 3:
            sys.exit(3)
        frame = picture(number, width, height)
        if mode == "truncate" and number == 2:
            sys.stdout.buffer.write(frame[:1000])
            sys.exit(1)
        try:
            sys.stdout.buffer.write(frame)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            os._exit(0)
        number += 1
        time.sleep(0.01)


def picture(number: int, width: int, height: int) -> bytes:
    """A brightness plane that tells its number and its rows, and colours that must not matter."""
    bright = np.full((height, width), 100 + number % 50, np.uint8)
    bright[:, 0] = np.arange(height) % 200
    return bright.tobytes() + bytes([17]) * (width * height // 2)


if __name__ == "__main__":
    main()
