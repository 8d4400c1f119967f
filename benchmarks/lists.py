"""Measures the list engine, and the open stores beside it, on a synthetic list of any size.

    python benchmarks/lists.py --records N [--work DIR] [--json FILE] [--only STAGES]
                               [--peers sqlite,lmdb,rocksdict|none] [--keep]

Every stage runs in a process of its own, one after the other, and leaves its result in the work
folder: a run that was stopped goes on where it was. What each figure means, its goal, and what was
not measured and why, is printed below the table. LMDB and RocksDB are set up on first use, in an
environment of their own. A full run (150 million records) needs some 40 GB of disk for a while.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # it is run by its path, as a script

from benchmarks.listing.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
