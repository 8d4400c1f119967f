"""What every reader of pictures is: frames of one document in, one reading out.

Which reader it is, is a matter of configuration (`engine.open_reader`), and nobody else knows what
is inside.
"""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.reading import Reading

Frame = NDArray[np.uint8]
"""A picture: height × width grey, or height × width × 3 in OpenCV's order blue, green, red."""


class ReaderUnavailable(Exception):
    """The reader cannot be opened here; the message is one line: why, and what to do."""


class Reader(Protocol):
    """Reads the MRZ of one document from its frames."""

    @property
    def name(self) -> str: ...

    def read(self, frames: Iterable[Frame]) -> Reading:
        """What the frames of one document say, taken together; never raises for what they show.

        Frames are taken one by one, and no more of them than are needed: a live camera has to wait
        for each. A reader sets itself a bound, because some never end. No frames, or frames that
        show nothing, give an unreadable reading with a note.
        """
        ...
