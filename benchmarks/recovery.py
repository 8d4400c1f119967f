"""Loses each part of a site in turn, with real processes, and measures the way back from it.

    python benchmarks/recovery.py [--only broker-gone,card-dead] [--json FILE]

The commands are those of docs/recovery.md. A run fails where an alert is lost or an answer changed.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # it is run by its path, as a script

from benchmarks.recovering.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
