"""One document, from what came in to the verdict: the order of things, and nothing else."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path

from scanner.failing import where
from scanner.mrz.document import Document, Parsed
from scanner.mrz.parse import parse
from scanner.mrz.reading import Reading
from scanner.said import said
from scanner.sources.capture import Capture, Fault, Frame
from scanner.verdict import Answered, Verdict, judge
from scanner.vision.cut import Cut, cut_out
from scanner.vision.reader import Reader
from scanner.watchlist.age import ClockReading
from scanner.watchlist.contract import Inquiry
from scanner.watchlist.lists import Lists
from scanner.watchlist.questions import questions, questions_of_number

log = logging.getLogger(__name__)

_READER_TIMES = ("load", "locate", "recognise", "decode")


@dataclass(frozen=True)
class Examination:
    """What became of one capture: reading, parsed, inquiry and verdict, or a fault and none of
    them. `ms` are milliseconds: `load`, `locate`, `recognise` and `decode` as the reader tells
    them, `look_up`, and `total` from the capture to the verdict."""

    source: str
    reading: Reading | None = None
    parsed: Parsed | None = None
    inquiry: Inquiry | None = None
    verdict: Verdict | None = None
    fault: Fault | None = None
    ms: Mapping[str, float] = field(default_factory=dict)
    reduced: int = 1
    """Pixels of the original, each way, for one of the pixels that the reading speaks of."""
    cut: Cut | None = field(default=None, compare=False, repr=False)
    """The part of the picture that the lines are in."""


class Examiner:
    """Examines captures. `reader` reads pictures and may be None where only text comes in;
    `answered` gives what central answered about a document before."""

    def __init__(
        self,
        reader: Reader | None,
        lists: Lists,
        clock: Callable[[], ClockReading],
        answered: Callable[[Document], Answered | None] = lambda document: None,
    ) -> None:
        self._reader = reader
        self._lists = lists
        self._clock = clock
        self._answered = answered

    def examine(self, capture: Capture) -> Examination:
        """The verdict on one capture, or the fault that stood in its way. A reader that fails is
        a fault too, never an exception."""
        began = time.perf_counter()
        taken: list[Frame] = []
        reading = self._read(capture, taken)
        if isinstance(reading, Fault):
            return Examination(capture.source, fault=reading, ms={"total": _ms_since(began)})
        clock = self._clock()
        if capture.document is not None:
            parsed, wanted = Parsed((), capture.document), questions_of_number(capture.document)
        else:
            parsed = parse(reading.lines, _day(clock))
            wanted = questions(parsed, reading)
        asked = time.perf_counter()
        inquiry = self._lists.ask(wanted, clock)
        look_up = _ms_since(asked)
        answered = self._answered(parsed.document) if parsed.document else None
        verdict = judge(reading, parsed, inquiry, clock, answered)
        ms = {
            **{name: reading.ms.get(name, 0.0) for name in _READER_TIMES},
            "look_up": look_up,
            "total": _ms_since(began),
        }
        return Examination(
            capture.source,
            reading,
            parsed,
            inquiry,
            verdict,
            ms=ms,
            reduced=capture.reduced,
            cut=cut_out(taken[reading.frame], reading) if reading.frame < len(taken) else None,
        )

    def _read(self, capture: Capture, taken: list[Frame]) -> Reading | Fault:
        """The reading; the frames that it was taken from are added to `taken`."""
        if capture.fault is not None:
            return capture.fault
        if capture.text is not None:
            taken += capture.frames
            return capture.text
        if self._reader is None:
            return Fault(
                "no_reader", said("there is no reader for pictures; choose one with --reader")
            )
        try:
            return self._reader.read(_noted(chain(capture.frames, capture.more), taken))
        except Exception as error:
            return _reader_failed(self._reader.name, error)


def _noted(frames: Iterable[Frame], taken: list[Frame]) -> Iterator[Frame]:
    for frame in frames:
        taken.append(frame)
        yield frame


def _reader_failed(reader: str, error: Exception) -> Fault:
    """Says where the reader failed; not what the error says, which may repeat what was read."""
    place = Path(where(error)).name
    log.error("reader %s failed: %s at %s", reader, type(error).__name__, place)
    return Fault(
        "reader_failed",
        said(
            "reader {reader} failed on this picture ({error} at {place}); read the document again",
            reader=reader,
            error=type(error).__name__,
            place=place,
        ),
    )


def _day(clock: ClockReading) -> date:
    return clock.now.date()


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
