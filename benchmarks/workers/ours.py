"""Our own readers as a worker: `python ours.py NAME`. Frames of one page are read together."""

import sys
from pathlib import Path
from threading import Event
from time import perf_counter

import cv2
from talk import Read, Said, serve, since

from scanner.sources.replay import Replay

cv2.setNumThreads(1)


def load() -> tuple[Read, str]:
    from scanner.vision.engine import open_reader  # noqa: PLC0415 - its time and memory count

    reader = open_reader(sys.argv[1])

    def read(paths: list[str]) -> Said:
        captures = Replay([Path(path) for path in paths]).captures(Event())
        frames = [frame for capture in captures for frame in capture.frames]
        started = perf_counter()
        reading = reader.read(frames)
        ms = since(started)
        status, note = reading.status.value, reading.note
        return {"lines": list(reading.lines), "status": status, "ms": ms, "note": note}

    return read, reader.name


if __name__ == "__main__":
    serve(load)
