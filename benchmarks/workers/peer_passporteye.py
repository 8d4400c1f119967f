"""PassportEye's own `read_mrz` as a worker: `python peer_passporteye.py [TESSDATA_FOLDER]`.

With a folder, Tesseract reads with the model `mrz` in it. The package's pipeline is run as
`read_mrz` runs it, but for its first stage (opening the file), which is run before the clock. Short
lines are filled and long ones cut as the package itself does before it takes the fields.
"""

import shutil
import sys
import warnings
from importlib.metadata import version
from time import perf_counter

import imageio  # noqa: F401 - what opens pictures stands outside of the reader's own memory
import numpy as np  # noqa: F401
from talk import Read, Said, serve, since

WIDTHS = {"TD1": 30, "TD2": 36, "MRVB": 36, "TD3": 44, "MRVA": 44}


def load() -> tuple[Read, str]:
    if shutil.which("tesseract") is None:
        raise SystemExit("needs the program tesseract: apt install tesseract-ocr")
    warnings.simplefilter("ignore")
    from passporteye.mrz.image import MRZPipeline  # noqa: PLC0415 - its time counts
    from passporteye.mrz.text import MRZOCRCleaner  # noqa: PLC0415

    model = f"--tessdata-dir {sys.argv[1]} -l mrz" if len(sys.argv) > 1 else ""

    def read(paths: list[str]) -> Said:
        pipeline = MRZPipeline(paths[0], model)
        pipeline["img"]
        started = perf_counter()
        mrz = pipeline.result
        ms = since(started)
        width = WIDTHS.get(mrz.mrz_type) if mrz is not None else None
        if width is None:
            return {"lines": [], "ms": ms}
        lines = MRZOCRCleaner.apply(mrz.aux["raw_text"])
        return {"lines": [line[:width].ljust(width, "<") for line in lines], "ms": ms}

    return read, f"PassportEye {version('passporteye')}"


if __name__ == "__main__":
    serve(load)
