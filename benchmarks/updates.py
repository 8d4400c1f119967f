"""Measures updates over the air: what a day costs a device, beside what it would cost open stores.

    python benchmarks/updates.py --records N [--days N] [--devices N] [--cuts N] [--work DIR]
                                 [--json FILE] [--only STAGES] [--peers sqlite,lmdb|none] [--keep]

Real headquarters publish day by day into a real repository, a web server serves it, and devices
update from it: one each day, some that were away for long, one over a link that fails, and a fleet
at once. Every stage runs in a process of its own and leaves its result in the work folder: a run
that was stopped goes on where it was. A full run (150 million records) needs some 30 GB of disk for
a while.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # it is run by its path, as a script

from benchmarks.updating.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
