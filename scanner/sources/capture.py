"""What a source of documents yields, and what every source is.

A source turns a device or a folder into one `Capture` a document. It owns reconnecting and
re-arming; whoever consumes it sees documents and a `health`, never an exception from the device.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from threading import Event
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.document import Document
from scanner.mrz.reading import Reading

Frame = NDArray[np.uint8]
"""A picture: height × width grey, or height × width × 3 in OpenCV's order blue, green, red."""


@dataclass(frozen=True)
class Fault:
    """Why a capture holds nothing: a stable code and one line (what, where, what to do)."""

    code: str
    message: str


@dataclass(frozen=True)
class Capture:
    """One document as it came in: frames of it, or its text as a reading, or what is known of it
    without any, or a fault. Text may have frames beside it, to be looked at."""

    source: str
    """Where from: a file's path as given, or the name of the device in the configuration."""
    frames: tuple[Frame, ...] = ()
    more: Iterable[Frame] = ()
    """Further frames of the very same document, for a reader whom `frames` are not enough: a
    camera goes on looking at what still lies there. Taking one may take a moment, and each can be
    taken once; they end by themselves."""
    text: Reading | None = None
    document: Document | None = None
    """A document that nobody read: what is known of it was typed (`scanner.mrz.typed`)."""
    fault: Fault | None = None
    reduced: int = 1
    """Pixels of the original, each way, that one pixel of the frames stands for."""


@dataclass(frozen=True)
class Health:
    """How a source is: `ok`, and one line for a person where it is not."""

    ok: bool
    message: str = ""


class Source(Protocol):
    """Where documents come from."""

    @property
    def name(self) -> str: ...

    @property
    def health(self) -> Health: ...

    def captures(self, stop: Event) -> Iterator[Capture]:
        """Yields one capture a document until `stop` is set or the source is exhausted."""
        ...
