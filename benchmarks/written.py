"""What a benchmark measured, as a file: beside the figures the machine that they are of."""

import json
import os
import platform
from pathlib import Path
from typing import Any

from scanner.durable import replace_durably


def write(
    path: Path, stages: dict[str, Any], not_done: dict[str, str], **asked_for: dict[str, Any]
) -> None:
    """Writes the stages' results, what was not measured and why, and, under its name, what was
    asked for. Raises OSError."""
    said = {
        **asked_for,
        "machine": {
            "cpus": os.cpu_count(),
            "machine": platform.machine(),
            "python": platform.python_version(),
            "kernel": platform.release(),
        },
        "stages": stages,
        "not_done": not_done,
    }
    replace_durably(path.resolve(), json.dumps(said, indent=1).encode() + b"\n", mode=0o644)
