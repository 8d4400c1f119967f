"""One encoded picture -> upright pixels, or why not.

OpenCV decodes and turns the picture as its EXIF orientation says. Its codecs print to the process's
standard error on their own; that is taken out, what others wrote meanwhile is passed on.
"""

import os
import re
import struct
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
from cv2.typing import MatLike

from scanner.sources.capture import Frame

MOST_PIXELS = 100_000_000
"""A decoded picture of this size takes 300 MB: more would exhaust a small device."""

MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"RIFF", b"II*\0", b"MM\0*")

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


def decode(data: bytes) -> Frame:
    """An encoded picture as upright pixels, height × width × 3 (BGR). Raises PictureError."""
    size = _pixels_declared(data)
    if size is not None and size > MOST_PIXELS:
        limit = MOST_PIXELS // 1_000_000
        message = f"the picture has more than {limit} million pixels; scale it down"
        raise PictureError("too_large", message)
    frame = None if _is_cut_short(data) else _decoded(data)
    if frame is not None:
        return np.asarray(frame, np.uint8)
    if data.startswith(MAGIC):
        message = "the picture is damaged or cut short; copy it or take it again"
        raise PictureError("damaged", message)
    raise PictureError("no_picture", "this is no picture that can be read; give JPEG or PNG")


def _decoded(data: bytes) -> MatLike | None:
    with _quiet():
        try:
            return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        except cv2.error:
            return None


def _is_cut_short(data: bytes) -> bool:
    """Some decoders fill what is missing of a JPEG with grey; that is no document."""
    segments = list(_jpeg_segments(data))
    if not segments:
        return False
    marker, place = segments[-1]
    return marker != 0xDA or data.find(b"\xff\xd9", place) < 0


def _pixels_declared(data: bytes) -> int | None:
    """Width times height as a JPEG's or PNG's header says, before anything is allocated."""
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return int(width * height)
    for marker, place in _jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and place + 9 <= len(data):
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return int(width * height)
    return None


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """The markers of a JPEG up to its pixels (0xDA), each with where it stands."""
    if not data.startswith(b"\xff\xd8"):
        return
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
