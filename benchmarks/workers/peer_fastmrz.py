"""fastmrz as a worker: `python peer_fastmrz.py TESSDATA_FOLDER`, with the model `mrz` in it."""

import shutil
import sys
from importlib.metadata import version
from time import perf_counter

import cv2
from talk import Read, Said, serve, since

cv2.setNumThreads(1)


def load() -> tuple[Read, str]:
    if shutil.which("tesseract") is None:
        raise SystemExit("needs the program tesseract: apt install tesseract-ocr")
    from fastmrz import FastMRZ  # noqa: PLC0415 - its time and memory count

    reader = FastMRZ(tessdata_path=sys.argv[1])

    def read(paths: list[str]) -> Said:
        # In red, green, blue: so it comes to it where it opens a file itself.
        picture = cv2.cvtColor(cv2.imread(paths[0], cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        started = perf_counter()
        text = reader.get_details(picture, input_type="numpy", ignore_parse=True)
        ms = since(started)
        return {"lines": [line for line in text.split("\n") if line], "ms": ms}

    return read, f"fastmrz {version('fastmrz')}"


if __name__ == "__main__":
    serve(load)
