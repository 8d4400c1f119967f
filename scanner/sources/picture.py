"""One encoded picture -> upright pixels, or why not.

OpenCV decodes and turns the picture as its EXIF orientation says. Of what holds several (animated
pictures, a TIFF of many pages) it is the first one.

A picture whose pixels would fill the memory of a small device comes out reduced and in grey: so a
JPEG is reduced while it is decoded, line by line, and no other kind ever stands in memory in colour
and whole. Larger ones still are refused by their header, unread.

OpenCV's codecs print to the process's standard error on their own; that is taken out, what others
wrote meanwhile is passed on.
"""

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike

from scanner.said import said
from scanner.sources.capture import Frame
from scanner.sources.header import Header, PictureKind, header_of, jpeg_segments, named_otherwise

FULL_PIXELS = 30_000_000
"""Pictures of up to so many pixels stay as they are, in colour: 90 MB."""

MOST_PIXELS = {
    PictureKind.JPEG: 400_000_000,
    PictureKind.PROGRESSIVE_JPEG: 120_000_000,
    PictureKind.PNG: 120_000_000,
    PictureKind.WEBP: 100_000_000,
    PictureKind.BMP: 120_000_000,
    PictureKind.GIF: FULL_PIXELS,
    PictureKind.TIFF: 40_000_000,
}
"""Larger pictures are refused. By kind, for decoding one holds more at once than another: 1 byte a
pixel of a PNG, 3 of a progressive JPEG, 4 of a WebP, 9 of a TIFF in one strip. So none takes half a
gigabyte."""

REDUCED = {
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}

_CODEC = re.compile(
    rb"libpng |libjpeg|TIFF|\[ ?[A-Z]{4,5}:|OpenCV\(|Corrupt JPEG|Premature end|Invalid SOS|"
    rb"Application transferred|^\s*$"
)
_stderr = threading.Lock()


class PictureError(ValueError):
    """A file that gives no picture: `code` is stable, the message one line for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Picture:
    """Upright pixels: colour (BGR), or grey where reduced. One of them stands for `reduced` by
    `reduced` pixels of the file."""

    frame: Frame
    reduced: int = 1


def decode(data: bytes) -> Picture:
    """An encoded picture as upright pixels. Raises PictureError."""
    header = header_of(data)
    if header is None:
        raise PictureError("no_picture", _no_picture(data))
    _refuse_too_large(header)
    reduced = _reduction(header)
    frame = None if _is_cut_short(data, header) else _decoded(data, reduced)
    if frame is None:
        message = said(
            "the picture is damaged, cut short or of a rare kind; copy it again or save it as JPEG"
        )
        raise PictureError("damaged", message)
    return Picture(np.asarray(frame, np.uint8), reduced)


def _no_picture(data: bytes) -> str:
    other = named_otherwise(data)
    if other is None:
        return said("this is no picture that can be read; give JPEG or PNG")
    return said("this is {other}, which is not read; save it as JPEG or PNG", other=other)


def _refuse_too_large(header: Header) -> None:
    limit = MOST_PIXELS[header.kind]
    if header.pixels is not None and header.pixels > limit:
        raise PictureError(
            "too_large",
            said(
                "the picture has {pixels} million pixels, and a {kind} may have {limit} "
                "million; scale it down",
                pixels=header.pixels // 1_000_000,
                kind=header.kind,
                limit=limit // 1_000_000,
            ),
        )


def _reduction(header: Header) -> int:
    """The least reduction that leaves no more than FULL_PIXELS."""
    pixels = header.pixels or 0
    if pixels <= FULL_PIXELS:
        return 1
    return next((by for by in REDUCED if pixels <= FULL_PIXELS * by * by), max(REDUCED))


def _decoded(data: bytes, reduced: int) -> MatLike | None:
    with _quiet():
        try:
            return cv2.imdecode(
                np.frombuffer(data, np.uint8), REDUCED.get(reduced, cv2.IMREAD_COLOR)
            )
        except cv2.error:
            return None


def _is_cut_short(data: bytes, header: Header) -> bool:
    """Some decoders fill what is missing of a JPEG with grey; that is no document."""
    if header.size is None:
        return True
    if header.kind not in (PictureKind.JPEG, PictureKind.PROGRESSIVE_JPEG):
        return False
    marker, place = next(reversed(list(jpeg_segments(data))), (0, 0))
    return marker != 0xDA or data.find(b"\xff\xd9", place) < 0


@contextmanager
def _quiet() -> Iterator[None]:
    """Takes what codecs print (straight to the file descriptor) off standard error."""
    with _stderr, tempfile.TemporaryFile() as aside:
        try:
            saved = os.dup(2)
        except OSError:  # there is no standard error to keep clean
            yield
            return
        try:
            os.dup2(aside.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            aside.seek(0)
            others = [line for line in aside if not _CODEC.search(line)]
            if others:
                os.write(2, b"".join(others))
            os.close(saved)
