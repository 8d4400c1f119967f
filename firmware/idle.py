"""Work that stands back for everything else on the machine: the lowest priority for the processor,
and the disk's idle class where the kernel's scheduler knows it (ioprio_set(2))."""

import ctypes
import os
import platform
from contextlib import suppress

_IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "armv7l": 314, "armv6l": 314, "riscv64": 30}
"""The system call's number; the C library has no name for it."""
_THIS_PROCESS = 1
_IDLE_CLASS = 3 << 13


def stand_back() -> None:
    """Makes this process the last to be served, for good. What the kernel refuses is left out."""
    with suppress(OSError):
        os.nice(19)
    call = _IOPRIO_SET.get(platform.machine())
    if call is not None:
        ctypes.CDLL(None).syscall(call, _THIS_PROCESS, 0, _IDLE_CLASS)
