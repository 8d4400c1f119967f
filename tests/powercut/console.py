"""The guest's end of its console, by which it speaks with the machine that it runs on.

A line is written in one call and is said once that has returned: whatever it promises must last
from then on.
"""

import json
import os
import select
import threading
from typing import Any

Message = dict[str, Any]


class Wrong(Exception):
    """What must not be."""


_writing = threading.Lock()
_left = b""


def say(said: str, **more: Any) -> None:
    """Says something."""
    line = f"@ {json.dumps({'said': said, **more})}\n".encode()
    with _writing:
        while line:
            line = line[os.write(1, line) :]


def hear(within_s: float) -> list[Message]:
    """What was said to us; waits for it, at most `within_s`."""
    global _left
    if not select.select([0], [], [], within_s)[0]:
        return []
    *lines, _left = (_left + os.read(0, 65536)).split(b"\n")
    return [json.loads(line) for line in lines if line]
