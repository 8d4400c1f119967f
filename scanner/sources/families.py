"""Serial MRZ readers as data: what each family puts on the wire and what it wants to be told.

The deframer and the port know no family by name; whatever differs stands here. Sources: the
makers' integration manuals (3M RTE native protocol, Access ATB420 for ARINC, DESKO for CUTE,
Elyctis ID BOX scanner commands, Microscan and Code Corporation OCR settings, Honeywell and Newland
serial triggers). Where a manual leaves the check's extent open, ours is: the exclusive-or of every
byte from SOH to ETX.
"""

from dataclasses import dataclass
from enum import StrEnum

SOH, STX, ETX, ACK, DLE, SYN, GS = 0x01, 0x02, 0x03, 0x06, 0x10, 0x16, 0x1D


class Check(StrEnum):
    """What follows a frame's ETX to show that it arrived whole."""

    NONE = "none"
    XOR = "xor"
    """One byte: the exclusive-or of the frame, first byte to ETX."""
    CRC16 = "crc16"
    """Two bytes: CRC-16 (polynomial 0x8005 reflected, from 0) over STX to ETX without the
    stuffing; either byte order is taken, which costs one part in 65,536 of its strength."""


@dataclass(frozen=True)
class Framing:
    """A frame between a header and ETX. In `header`, None stands for any one byte.

    `stuffed`: bytes below 0x20 within the frame come after a DLE. `identifiers`: at most so many
    characters of the device's own may precede a row, and are cut where the frame's check holds.
    """

    header: tuple[int | None, ...]
    check: Check = Check.NONE
    stuffed: bool = False
    identifiers: int = 0


@dataclass(frozen=True)
class Family:
    """One family of readers.

    `trigger` asks for one read and `release` ends it; `arm` keeps the reader reading and must be
    sent again after every read. All three are None where the reader talks unasked. `baud` is the
    maker's default.
    """

    name: str
    title: str
    baud: int = 9600
    framing: Framing | None = None
    answers: bytes = b""
    """Not empty: the reader answers `letter, length high (0), length low, data`, with one of
    these letters; text outside such an answer is still taken as rows."""
    trigger: bytes | None = None
    release: bytes | None = None
    arm: bytes | None = None
    confirms: bytes = b""
    """What its answer to `arm` holds; empty where it answers nothing."""
    unknown: str = "?"
    """Characters that stand for one that the reader could not read."""
    bottom_last: bool = False
    """Where rows are missing it is always the upper ones."""
    padded: bool = False
    """Two rows are always filled up to 44 characters with `_`, also those of 36."""


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("generic", "any reader that sends rows of text"),
        Family(
            "3m",
            "3M RTE native",
            framing=Framing((SOH, None, None, ord("O"), ord("U"), STX, None), Check.XOR),
            bottom_last=True,
            padded=True,
        ),
        Family("desko", "DESKO (CUTE)", framing=Framing((STX,)), unknown="?*#@"),
        Family(
            "elyctis",
            "Elyctis ID BOX",
            baud=115200,
            answers=b"ICL",
            trigger=bytes([0x49, 0, 0]),
            arm=bytes([0x43, 0, 1, 1]),
            confirms=b"C\x00\x01",
        ),
        Family(
            "honeywell",
            "Honeywell imagers",
            baud=115200,
            trigger=bytes([SYN]) + b"T\r",
            release=bytes([SYN]) + b"U\r",
            arm=bytes([SYN]) + b"T\r",
        ),
        Family(
            "newland",
            "Newland style",
            trigger=b"~" + bytes([SOH]) + b"0000@SCNTRG1;" + bytes([ETX]),
            release=b"~" + bytes([SOH]) + b"0000@SCNTRG0;" + bytes([ETX]),
            arm=b"~" + bytes([SOH]) + b"0000@SCNTRG1;" + bytes([ETX]),
            confirms=b"0000@SCNTRG1" + bytes([ACK]),
        ),
        Family("code", "Code Corporation", baud=115200),
        Family("microscan", "Microscan", baud=115200),
        Family(
            "arinc",
            "airline keyboards (ARINC, MUSE)",
            framing=Framing((STX,), Check.CRC16, stuffed=True, identifiers=2),
        ),
    )
}


def family_named(name: str) -> Family:
    """The family of that name. Raises ValueError with the names that there are."""
    try:
        return FAMILIES[name]
    except KeyError:
        known = ", ".join(sorted(FAMILIES))
        message = f"serial reader family '{name}' is unknown; choose one of: {known}"
        raise ValueError(message) from None
