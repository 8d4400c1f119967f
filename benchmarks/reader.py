"""Scores our readers of pictures, and the open peers beside them, on pages whose lines are known.

    python benchmarks/reader.py --corpus DIR [--suite all] [--reader NAME] [--peers NAMES|none]
                                [--through-cli] [--json FILE [--resume]] [--limit N]

DIR holds pictures and `manifest.csv` (or `specimens.csv`) with the columns file, format, line1,
line2, line3, and conditions where known. With `--suite`, its pages are also put on frames
(`benchmarks/desk.py`). Each reader runs in a process of its own with one thread; peers each in an
environment of their own, which is set up on first use. What the columns mean, and what is not
measured, is printed below the tables. Ctrl-C stops and prints the score so far.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # it is run by its path, as a script

from benchmarks.reading.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
