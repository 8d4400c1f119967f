"""Measures delivery between devices and headquarters, through a real Mosquitto on this machine.

    python benchmarks/delivery.py [--only outbox,latency,receivers,fleet] [--json FILE] [--quick]

Each stage stands beside what it is to be compared with, measured in the same run; below the table
stand what each row says and what was not measured. The stage fleet makes one certificate for each
device and keeps them in `build/`, so that the next run need not.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # it is run by its path, as a script

from benchmarks.delivering.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
