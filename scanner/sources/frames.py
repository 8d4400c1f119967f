"""Frames of a serial reader: header, text, ETX, check; and what to do with a damaged one.

A frame whose check bytes are wrong or missing, or that was cut short, is not thrown away: its rows
are given with every character doubtful. Shown as sure it could clear a stolen passport; thrown
away it would hide one that is listed, since doubtful rows are still looked up. So the officer
reads again, and a match is not lost.
"""

from dataclasses import dataclass, field
from functools import reduce
from operator import xor

from scanner.said import said
from scanner.sources.families import DLE, ETX, Check, Family, Framing
from scanner.sources.rowreader import Complaint, RawRow, RowReader, fitted, without_padding
from scanner.sources.rows import Block, Row, in_order

LONGEST_FRAME = 600

TRAILER = {Check.NONE: 0, Check.XOR: 1, Check.CRC16: 2}
"""How many bytes follow a frame's ETX."""

Heard = Block | Complaint


@dataclass
class _Frame:
    """A frame being received: `raw` is what the check covers, `body` the text within."""

    raw: bytearray
    body: bytearray = field(default_factory=bytearray)
    trailer: bytearray | None = None
    escaped: bool = False


class FrameReader:
    """Bytes of a family that sends frames. What lies between frames is noise."""

    def __init__(self, family: Family, framing: Framing) -> None:
        self._family = family
        self._framing = framing
        self._header = bytearray()
        self._frame: _Frame | None = None
        self._noise = 0

    def byte(self, byte: int) -> list[Heard]:
        if self._frame is None:
            return self._header_byte(byte)
        if self._frame.trailer is None:
            return self._body_byte(self._frame, byte)
        self._frame.trailer.append(byte)
        return self._ended(self._frame, self._frame.trailer)

    def idle(self) -> list[Heard]:
        """A short silence: check bytes that have not come yet will not come."""
        frame = self._frame
        if frame is None or frame.trailer is None:
            return []
        self._frame = None
        return _unsure(said("a frame's check is missing"), frame, self._family)

    def timeout(self) -> list[Heard]:
        """A long silence: nothing more of this frame will come."""
        heard = self.idle() or self._cut_short()
        self._noise += sum(map(_printable, self._header))
        self._header.clear()
        return heard + self._said_noise()

    def _header_byte(self, byte: int) -> list[Heard]:
        header = self._framing.header
        self._header.append(byte)
        while self._header and not _begins(header, self._header):
            self._noise += _printable(self._header[0])
            del self._header[0]
        if len(self._header) < len(header):
            return []
        self._frame = _Frame(bytearray(self._header))
        self._header.clear()
        return self._said_noise()

    def _body_byte(self, frame: _Frame, byte: int) -> list[Heard]:
        if self._framing.stuffed and byte == DLE and not frame.escaped:
            frame.escaped = True
            return []
        bare, frame.escaped = not frame.escaped, False
        if bare and byte == self._framing.header[0]:
            return [*self._cut_short(), *self._header_byte(byte)]
        frame.raw.append(byte)
        if bare and byte == ETX:
            frame.trailer = bytearray()
            return self._ended(frame, frame.trailer)
        frame.body.append(byte)
        return self._cut_short() if len(frame.body) > LONGEST_FRAME else []

    def _ended(self, frame: _Frame, trailer: bytearray) -> list[Heard]:
        check = self._framing.check
        if len(trailer) < TRAILER[check]:
            return []
        self._frame = None
        if check_holds(check, bytes(frame.raw), bytes(trailer)):
            return blocks_of(bytes(frame.body), self._family, sure=True)
        return _unsure(said("a frame's check is wrong"), frame, self._family)

    def _cut_short(self) -> list[Heard]:
        frame, self._frame = self._frame, None
        if frame is None or not frame.body:
            return []
        return _unsure(said("a frame was cut short"), frame, self._family)

    def _said_noise(self) -> list[Heard]:
        noise, self._noise = self._noise, 0
        return (
            [Complaint(said("{count} characters outside a frame were dropped", count=noise))]
            if noise
            else []
        )


def blocks_of(body: bytes, family: Family, *, sure: bool) -> list[Heard]:
    """The documents in a frame's text, whose rows come top to bottom; not `sure`: every character
    is doubtful."""
    reader = RowReader(family.unknown)
    ended = [*(reader.take(byte) for byte in body), reader.end()]
    raws = [found for found in ended if isinstance(found, RawRow)]
    heard: list[Heard] = [found for found in ended if isinstance(found, Complaint)]
    rows = without_padding(raws, family.unknown) if family.padded else None
    if rows is None:
        identifiers = family.framing.identifiers if family.framing and sure else 0
        found = [fitted(raw, family.unknown, identifiers) for raw in raws]
        heard += [row for row in found if isinstance(row, Complaint)]
        rows = [row for row in found if isinstance(row, Row)]
    if not sure:
        rows = [row.doubted() for row in rows]
    return heard + list(in_order(rows, family.bottom_last))


def check_holds(check: Check, covered: bytes, trailer: bytes) -> bool:
    """Whether the trailer is the check of the bytes that it covers (first byte to ETX)."""
    if check is Check.NONE:
        return True
    if check is Check.XOR:
        return trailer == bytes([reduce(xor, covered, 0)])
    value = crc16(covered)
    return trailer in (value.to_bytes(2, "little"), value.to_bytes(2, "big"))


def crc16(data: bytes) -> int:
    """CRC-16 with the polynomial 0x8005 reflected, from 0 (its check value is 0xBB3D)."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


def _unsure(what: str, frame: _Frame, family: Family) -> list[Heard]:
    blocks = blocks_of(bytes(frame.body), family, sure=False)
    return [Complaint(said("{what}: what it holds is not sure", what=what), damage=True), *blocks]


def _printable(byte: int) -> bool:
    return 0x20 <= byte < 0x7F


def _begins(header: tuple[int | None, ...], data: bytearray) -> bool:
    return all(want is None or want == byte for want, byte in zip(header, data, strict=False))
