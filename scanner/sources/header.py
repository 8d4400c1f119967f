"""What an encoded picture says of itself before anything of it is decoded: its kind and its size.

A few bytes may declare a picture of gigabytes, so the size is asked first. A kind whose size
cannot be told this way is not decoded at all.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class PictureKind(StrEnum):
    JPEG = "JPEG"
    PROGRESSIVE_JPEG = "progressive JPEG"
    """Its pixels come only when all of it is held in memory, so it cannot be reduced meanwhile."""
    PNG = "PNG"
    TIFF = "TIFF"
    WEBP = "WebP"
    BMP = "BMP"
    GIF = "GIF"


@dataclass(frozen=True)
class Header:
    """`size` is width and height as stored, before any turning; None where the header is cut
    short or damaged."""

    kind: PictureKind
    size: tuple[int, int] | None

    @property
    def pixels(self) -> int | None:
        return self.size[0] * self.size[1] if self.size else None


OTHER_KINDS = (
    (0, b"%PDF", "a PDF"),
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftyp", "a HEIC picture or a film"),
    (4, b"jP  ", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (0, b"II+\0", "a BigTIFF picture"),
    (0, b"MM\0+", "a BigTIFF picture"),
    (0, b"PK\3\4", "an archive or an office document"),
)
"""What people take for pictures and nothing here reads: where its mark stands, the mark, its
name. The first that fits."""


def header_of(data: bytes) -> Header | None:
    """What the picture says of itself; None for what is none of the kinds."""
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG"):
        return Header(PictureKind.PNG, _size(">II", data, 16))
    if data[:4] in (b"II*\0", b"MM\0*"):
        return Header(PictureKind.TIFF, _tiff_size(data))
    if data.startswith(b"RIFF") and data[8:12] in (b"WEBP", b""):
        return Header(PictureKind.WEBP, _webp_size(data))
    if data.startswith(b"BM"):
        return Header(PictureKind.BMP, _bmp_size(data))
    if data.startswith((b"GIF87a", b"GIF89a")):
        return Header(PictureKind.GIF, _size("<HH", data, 6))
    return None


def named_otherwise(data: bytes) -> str | None:
    """What this is, if it is one of the things that people take for pictures."""
    return next((name for at, mark, name in OTHER_KINDS if data.startswith(mark, at)), None)


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """The markers of a JPEG up to its pixels (0xDA), each with where it stands."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        yield marker, place
        if marker == 0xDA:
            return
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")


def _size(form: str, data: bytes, at: int) -> tuple[int, int] | None:
    if len(data) < at + struct.calcsize(form):
        return None
    first, second = struct.unpack_from(form, data, at)
    return int(first), int(second)


def _jpeg(data: bytes) -> Header:
    for marker, place in jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            kind = PictureKind.PROGRESSIVE_JPEG if marker & 2 else PictureKind.JPEG
            size = _size(">HH", data, place + 5)
            return Header(kind, (size[1], size[0]) if size else None)
    return Header(PictureKind.JPEG, None)


def _bmp_size(data: bytes) -> tuple[int, int] | None:
    """The oldest header, of 12 bytes, has 16 bits a side; a height below 0 means top row first."""
    form = "<HH" if data[14:18] == b"\x0c\0\0\0" else "<ii"
    found = _size(form, data, 18)
    return (abs(found[0]), abs(found[1])) if found else None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """VP8X (extended) tells the canvas; VP8 (lossy) and VP8L (lossless) 14 bits a side."""
    if data[12:16] == b"VP8X" and len(data) >= 30:
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return width, height
    if data[12:16] == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    found = _size("<HH", data, 26) if data[12:16] == b"VP8 " else None
    return (found[0] & 0x3FFF, found[1] & 0x3FFF) if found else None


def _tiff_size(data: bytes) -> tuple[int, int] | None:
    """ImageWidth (256) and ImageLength (257) of the first directory, each a SHORT or a LONG."""
    order = "<" if data.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        found: dict[int, int] = {}
        for entry in range(count):
            at = start + 2 + 12 * entry
            tag, form = struct.unpack_from(f"{order}HH", data, at)
            if tag in (256, 257):
                (found[tag],) = struct.unpack_from(
                    f"{order}{'H' if form == 3 else 'I'}", data, at + 8
                )
    except struct.error:
        return None
    return (found[256], found[257]) if found.keys() == {256, 257} else None
