"""Whether a serial reader is there, as far as it says so itself; while nobody else uses it.

Opening the port shows that something is plugged in there. That it is the reader shows only where
its family confirms a command; what it is told is what the desk tells it too, to read and then to
rest.
"""

import time
from enum import StrEnum

import serial

from scanner.sources.families import Family

ANSWERS_WITHIN_S = 1.0
_READ_S = 0.05


class Answer(StrEnum):
    """What a reader said to being asked."""

    CONFIRMED = "confirmed"
    SILENT = "silent"
    """It should have answered and did not, or said something else."""
    NOT_ASKED = "not_asked"
    """Its family answers nothing."""


def probe(port: str, family: Family, baud: int, *, within_s: float = ANSWERS_WITHIN_S) -> Answer:
    """Opens the port and asks. Raises what `serial_port.LOST` names."""
    with serial.Serial(
        port, baud, timeout=_READ_S, write_timeout=within_s, dsrdtr=False, exclusive=True
    ) as opened:
        if not (family.confirms and family.arm):
            return Answer.NOT_ASKED
        opened.write(family.arm)
        heard, until = b"", time.monotonic() + within_s
        while family.confirms not in heard and time.monotonic() < until:
            heard += opened.read(max(1, opened.in_waiting))
        if family.release:
            opened.write(family.release)
        return Answer.CONFIRMED if family.confirms in heard else Answer.SILENT
