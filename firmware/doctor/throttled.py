"""What a Raspberry Pi's firmware has noticed of voltage and heat: the bits of `get_throttled`.

The low bits are of now, those from 16 on of the time since boot. Depending on kernel and user they
are had from sysfs or from `vcgencmd`; the kernel's own monitor knows the voltage alone.
"""

import subprocess
from enum import IntFlag

from firmware.doctor.kernel import Kernel

_SYSFS = "sys/devices/platform/soc*/*firmware/get_throttled"
_PROGRAM = "usr/bin/vcgencmd"
_WITHIN_S = 3.0


class Throttled(IntFlag):
    """The firmware's bits."""

    UNDER_VOLTAGE = 1 << 0
    CAPPED = 1 << 1
    SLOWED = 1 << 2
    HOT = 1 << 3
    WAS_UNDER_VOLTAGE = 1 << 16
    WAS_CAPPED = 1 << 17
    WAS_SLOWED = 1 << 18
    WAS_HOT = 1 << 19


def throttled(kernel: Kernel) -> Throttled | None:
    """The bits, or None where this machine does not tell."""
    for path in kernel.there(_SYSFS):
        if (said := kernel.text(path)) is not None:
            return _bits(said)
    return _bits(_from_program(kernel))


def _from_program(kernel: Kernel) -> str:
    """`throttled=0x50000`, or nothing."""
    program = kernel.root / _PROGRAM
    if not program.exists():
        return ""
    try:
        done = subprocess.run(
            [program, "get_throttled"],
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().rpartition("=")[2]


def _bits(said: str) -> Throttled | None:
    """sysfs writes the number in hexadecimal digits alone, the program with 0x before them."""
    try:
        return Throttled(int(said, 16) & 0xF000F)
    except ValueError:
        return None
