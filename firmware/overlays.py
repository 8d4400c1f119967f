"""The folder of `borderpost scan --overlay`: one drawing a picture, for the eyes of its owner.

A drawing shows a person and a document, so it is written only where somebody asked for it, and
readable by nobody else (mode 0600, a new folder 0700). Nothing is ever written over: where the name
is taken, the drawing gets a number.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import cv2

from scanner.examine import Examination
from scanner.sources.capture import Capture, Fault
from scanner.vision.overlay import draw

SUFFIX = ".overlay.png"


class FolderRefused(Exception):
    """The folder cannot take drawings; the message is one line: why, and what to do."""


class OverlayFolder:
    """Makes `folder`. Raises FolderRefused where that fails, or where it is one of the folders
    `scanned`: the drawings would be taken for pages by the next scan."""

    def __init__(self, folder: Path, scanned: Sequence[Path] = ()) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(path.is_dir() and path.samefile(folder) for path in scanned):
                raise FolderRefused(f"{folder}: this folder is scanned itself; name another")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "no folder can have this name"
            raise FolderRefused(f"{folder}: overlays cannot go there ({why})") from None
        self._folder = folder

    def write(self, capture: Capture, examination: Examination) -> Path | Fault | None:
        """Draws one document and says where the drawing stands, or why it does not; None where
        there is nothing to draw."""
        reading, verdict = examination.reading, examination.verdict
        if not capture.frames or reading is None:
            return None
        words = [verdict.outcome.value, *verdict.reasons, *verdict.beside] if verdict else []
        name = Path(capture.source).name
        drawn = cv2.imencode(".png", draw(capture.frames[0], reading, name, words))[1]
        try:
            return self._write(name, drawn.tobytes())
        except OSError as error:
            why = error.strerror or type(error).__name__
            return Fault("no_overlay", f"{self._folder}: the overlay cannot be written ({why})")

    def _write(self, name: str, data: bytes) -> Path:
        for path in self._free(name):
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                continue
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            return path
        raise AssertionError("numbers do not end")

    def _free(self, name: str) -> Iterator[Path]:
        """`page.jpg.overlay.png`, then `page.jpg.2.overlay.png`, and so on."""
        yield self._folder / f"{name}{SUFFIX}"
        for number in count(2):
            yield self._folder / f"{name}.{number}{SUFFIX}"
