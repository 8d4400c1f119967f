"""One stage in a process of its own:

    python -m benchmarks.listing.worker WORK STAGE MODULE:FUNCTION ARGUMENTS

It puts its result into the work folder, with what the whole process used beside it. Where it cannot
do its work it says so in one line on standard error.
"""

import importlib
import json
import sys
from pathlib import Path

from benchmarks.listing.measure import memory_mb, spent
from benchmarks.listing.settings import read


def main(work: str, name: str, calls: str, arguments: str) -> int:
    settings = read(Path(work))
    module, function = calls.split(":")
    with spent() as used:
        imported = importlib.import_module(module)
        result = getattr(imported, function)(settings, **json.loads(arguments))
    whole = {
        "process_cpu_s": used.cpu_s,
        "process_wall_s": used.wall_s,
        "most_memory_mb": memory_mb("VmHWM"),
    }
    settings.keep(name, {**result, **whole})
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
