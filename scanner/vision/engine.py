"""The seam behind which pictures become characters.

A `Reader` takes the frames of one document and gives one `Reading`; which one is a matter of
configuration (`--reader`), and nobody else knows what is inside. Readers are opened by name and
imported only then: PassportEye alone takes seconds to import.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.reading import Reading

Frame = NDArray[np.uint8]
"""A picture: height × width grey, or height × width × 3 in OpenCV's order blue, green, red."""

READERS = ("passporteye",)
"""The names that `open_reader` takes today."""

PLANNED = ("litert",)
"""Names that are reserved for readers that are not there yet."""


class ReaderUnavailable(Exception):
    """The reader cannot be opened here; the message is one line: why, and what to do."""


class Reader(Protocol):
    """Reads the MRZ of one document from its frames."""

    @property
    def name(self) -> str: ...

    def read(self, frames: Sequence[Frame]) -> Reading:
        """What the frames of one document say, taken together; never raises for what they show.

        No frames, or frames that show nothing, give an unreadable reading with a note.
        """
        ...


def open_reader(name: str) -> Reader:
    """The reader of that name, ready to read. Raises ReaderUnavailable with one line."""
    if name == "passporteye":
        from scanner.vision.passporteye import PassportEye  # noqa: PLC0415 - slow, and optional

        return PassportEye()
    if name in PLANNED:
        raise ReaderUnavailable(
            f"reader {name!r} is not part of this version yet; use --reader passporteye"
        )
    raise ReaderUnavailable(f"no reader {name!r}; there is {', '.join(READERS)}")
