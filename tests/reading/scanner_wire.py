"""What each family of serial readers puts on the wire for one document, as their makers say.

Written from the protocols, not from the deframer, so that the two can disagree.
"""

from collections.abc import Callable, Sequence


def on_the_wire(family: str, rows: Sequence[str]) -> list[bytes]:
    """The pieces in which a reader of that family sends a document; each is sent at once."""
    return ENCODERS.get(family, _rows_with_cr)(rows)


def _rows_with_cr(rows: Sequence[str]) -> list[bytes]:
    return [row.encode() + b"\r" for row in rows]


def _rows_with_crlf(rows: Sequence[str]) -> list[bytes]:
    return [row.encode() + b"\r\n" for row in rows]


def _rte_native(rows: Sequence[str]) -> list[bytes]:
    width = 44 if len(rows) < 3 else 30
    lines = [""] * (3 - len(rows)) + [row.ljust(width, "_") for row in rows]
    text = b"1" + b"".join(line.encode() + b"\r" for line in lines)  # "1": a printable flag
    length = len(text) + 7
    frame = b"\x01" + bytes([length & 0x7F, length >> 7]) + b"OU\x02" + text + b"\x03"
    check = 0
    for byte in frame:
        check ^= byte
    return [frame + bytes([check])]


def _cute(rows: Sequence[str]) -> list[bytes]:
    return [b"\x02" + b"".join(row.encode() + b"\r" for row in rows) + b"\x03"]


def _elyctis(rows: Sequence[str]) -> list[bytes]:
    text = b"".join(row.encode() + b"\r" for row in rows)
    return [b"I" + len(text).to_bytes(2, "big") + text]


def _arinc(rows: Sequence[str]) -> list[bytes]:
    text = b"".join(row.encode() + b"\r" for row in rows)
    plain = b"\x02" + text + b"\x03"
    stuffed = b"\x02" + text.replace(b"\r", b"\x10\r") + b"\x03"
    return [stuffed + _crc_16(plain).to_bytes(2, "little")]


def _crc_16(data: bytes) -> int:
    """CRC-16, bit by bit from its definition: x^16 + x^15 + x^2 + 1, least bit first."""
    register = 0
    for byte in data:
        for bit in range(8):
            carry = (register ^ byte >> bit) & 1
            register >>= 1
            if carry:
                register ^= 0xA001
    return register


ENCODERS: dict[str, Callable[[Sequence[str]], list[bytes]]] = {
    "3m": _rte_native,
    "desko": _cute,
    "elyctis": _elyctis,
    "arinc": _arinc,
    "code": _rows_with_crlf,
    "microscan": _rows_with_crlf,
}
