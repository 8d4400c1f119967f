"""Measures the box as a service: its start, what it takes while it waits, and its memory.

    python benchmarks/box.py [--records N] [--rounds N] [--seconds S] [--work DIR] [--json FILE]

The start is timed part by part up to the first verdict, each part beside a bare process that only
imports what the part needs, in the same run. Then the desk waits under a camera for a while, and
its memory is taken apart. What is measured how, and what is not, is printed with the figures.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # it is run by its path, as a script

from benchmarks.boxing.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
