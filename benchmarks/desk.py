"""Puts pages whose lines are known on frames, as a camera above a desk would take them.

    python benchmarks/desk.py make --corpus DIR --out DIR --kind desk|hard|burst|none [--seed N]

`desk`: 1920×1080 frames of a cluttered desk. `hard`: 1280×720, any rotation, strong perspective,
glare, motion blur, dim light. `burst`: ten differing hard frames of each document. `none`: pictures
without an MRZ. The same corpus, kind and seed give the same files on the same machine, so that
every reader reads the very same frames. The folder gets a `manifest.csv` with the true lines.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # it is run by its path, as a script

from benchmarks.frames.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
