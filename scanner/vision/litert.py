"""Our own reader: locate -> recognise -> decode, three small networks and a decoder that knows Doc
9303.

    frame -> locate.Locator -> blocks -> recognise.Recogniser -> probabilities -> decode -> reading

Frames of one document add up: their probabilities are fused until the reading is *read* or there
are no more frames. A frame that shows nothing changes nothing.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.mrz.reading import Reading, Status
from scanner.said import said
from scanner.vision.blocks import Block
from scanner.vision.decode import DEFAULT, Decoded, Evidence, Thresholds, decode
from scanner.vision.fuse import Together
from scanner.vision.interpreter import MODELS, open_network, verified
from scanner.vision.lines import LINE_CAPS, Line
from scanner.vision.locate import VIEWS, Locator, View
from scanner.vision.plausible import plausible
from scanner.vision.reader import Frame
from scanner.vision.readers import LITERT
from scanner.vision.recognise import Characters, Recogniser
from scanner.vision.rectify import Pyramid
from scanner.vision.why import Nothing, Place, explained, nothing, place_of

log = logging.getLogger(__name__)

NETWORKS = ("locator", "recogniser", "verifier")
MOST_BLOCKS = 3
"""Blocks of one frame that are read; the surest come first."""
MOST_FRAMES = 15
MOST_CAPS_OF_THREE = 34.0
"""The length of a TD1's lines, in capitals."""
FURTHER = 11
"""So many characters are sought beyond the ends of lines that seem cut short."""
CLEAR = -0.12
"""A mean log probability of a character that needs no other guess."""
LEAST_SHOWN = 0.6
"""Frames with a smaller share of a view's long side show nothing more in it."""
LEAST_SIDE = 24
LARGEST_SIDE = 4000


@dataclass(frozen=True)
class _Seen:
    """What one frame showed."""

    characters: Characters
    decoded: Decoded
    scale: float
    grey: NDArray[np.uint8]
    frame: int = 0

    @property
    def is_clear(self) -> bool:
        """Whether no other guess at the lines can be better. Lines of which a part was cut off may
        be clear, too, but their check digits do not hold."""
        evidence = self.decoded.evidence
        return evidence.agree and (self.sure or evidence.mean_log_p > CLEAR)

    @property
    def rank(self) -> tuple[bool, bool, bool, float]:
        evidence = self.decoded.evidence
        return self.sure and evidence.agree, self.sure, evidence.agree, evidence.mean_log_p

    @property
    def sure(self) -> bool:
        """Held against the same thresholds always: which guess is taken must not hang on those that
        are fixed by what is taken."""
        return self.characters.whole and self.decoded.evidence.is_read(DEFAULT)


class LitertReader:
    """The reader behind `--reader litert` and `--reader tflite-runtime`: named as what runs it."""

    def __init__(self, models: Path = MODELS, interpreter: str = LITERT) -> None:
        """Loads the networks. Raises ReaderUnavailable with one line."""
        started = perf_counter()
        self.name = interpreter
        locator, recogniser, verifier = (
            open_network(models / f"{name}.tflite", interpreter=interpreter) for name in NETWORKS
        )
        self._locator = Locator(locator)
        self._recogniser = Recogniser(recogniser, verifier)
        self._thresholds = Thresholds(**json.loads(verified(models / "thresholds.json")))
        self._load_ms = (perf_counter() - started) * 1000
        self._clock = dict.fromkeys(("load", "locate", "recognise", "decode"), 0.0)

    def read(self, frames: Iterable[Frame]) -> Reading:
        """Reads frame after frame until what they say together is *read*."""
        self._clock = {"load": self._load_ms, "locate": 0.0, "recognise": 0.0, "decode": 0.0}
        none = Nothing(said("there is no picture to read"))
        best: _Seen | None = None
        together = Together()
        for at, frame in enumerate(islice(frames, MOST_FRAMES)):
            seen = self._frame_safely(frame)
            if isinstance(seen, Nothing):
                none = none.or_rather(seen)
                continue
            seen = replace(seen, frame=at)
            if seen.characters.whole:
                together.add(seen.characters.log_p, seen.characters.box)
            if best is None or seen.rank > best.rank:
                best = seen
            if together.frames > 1:
                best = self._fused(best, together)
            if best.decoded.status is Status.READ:
                break
        return self._reading(best or none)

    def evidence(self, frame: Frame) -> tuple[Evidence | None, tuple[str, ...]]:
        """What the decision about one frame rests on, and its lines: what thresholds are fixed
        with. None where no MRZ is seen, or a part of one."""
        self._clock = dict.fromkeys(("locate", "recognise", "decode"), 0.0)
        seen = self._frame(frame)
        if isinstance(seen, Nothing) or not seen.characters.whole:
            return None, ()
        return seen.decoded.evidence, seen.decoded.lines

    def _fused(self, best: _Seen, together: Together) -> _Seen:
        """What all frames say together is what counts, also where one of them alone is sure."""
        started = perf_counter()
        decoded = decode(together.log_p, self._thresholds)
        self._clock["decode"] += _since(started)
        return replace(best, decoded=decoded)

    def _frame_safely(self, frame: Frame) -> _Seen | Nothing:
        """One odd picture must not end a run, nor the watch over a desk."""
        try:
            return self._frame(frame)
        except Exception as error:
            # The type alone: messages may quote what was read.
            log.error("the reader failed on a picture: %s", type(error).__name__)
            return Nothing(
                said("the reader failed on this picture ({error})", error=type(error).__name__)
            )

    def _frame(self, frame: Frame) -> _Seen | Nothing:
        """What one frame shows, or why nothing."""
        grey, scale = _grey(frame)
        if min(grey.shape) < LEAST_SIDE:
            return Nothing(
                said(
                    "the picture is too small: {width} x {height} pixels",
                    width=frame.shape[1],
                    height=frame.shape[0],
                )
            )
        best: _Seen | None = None
        place: Place | None = None
        pyramid = Pyramid(grey)
        for view in VIEWS:
            if view is not VIEWS[0] and max(grey.shape) < LEAST_SHOWN * view.side:
                continue
            for block in self._blocks(grey, view):
                seen = self._block(pyramid, block, scale)
                if seen is None and block.is_sure:
                    place = place or place_of(block)
                elif seen is not None and (best is None or seen.rank > best.rank):
                    best = seen
            if best is not None:
                return best
        return nothing(grey, place)

    def _blocks(self, grey: NDArray[np.uint8], view: View) -> list[Block]:
        started = perf_counter()
        found = self._locator.locate(grey, view)[:MOST_BLOCKS]
        self._clock["locate"] += _since(started)
        return found

    def _block(self, pyramid: Pyramid, block: Block, scale: float) -> _Seen | None:
        """The block, or what it may be if the locator erred, where that is an MRZ."""
        best: _Seen | None = None
        for guess, beyond in _guesses(block):
            characters = self._characters(pyramid, guess, beyond)
            if characters is None and guess is block and not block.is_sure:
                break  # no print at all
            seen = self._decoded(characters, pyramid, scale) if characters else None
            if seen is not None and (best is None or seen.rank > best.rank):
                best = seen
            if best is not None and best.is_clear:
                break
        return best

    def _characters(self, pyramid: Pyramid, block: Block, beyond: int) -> Characters | None:
        started = perf_counter()
        characters = self._recogniser.read(pyramid, block, beyond=beyond)
        self._clock["recognise"] += _since(started)
        return characters

    def _decoded(self, characters: Characters, pyramid: Pyramid, scale: float) -> _Seen | None:
        started = perf_counter()
        decoded = decode(characters.log_p, self._thresholds)
        self._clock["decode"] += _since(started)
        if not characters.whole and decoded.status is Status.READ:
            decoded = replace(decoded, status=Status.DOUBTFUL)
        if not plausible(decoded):
            return None
        return _Seen(characters, decoded, scale, pyramid.level(0))

    def _reading(self, seen: _Seen | Nothing) -> Reading:
        if isinstance(seen, Nothing):
            return Reading(
                Status.UNREADABLE, (), self.name, ms=self._clock, note=seen.note, why=seen.why
            )
        decoded, box = seen.decoded, seen.characters.box
        reading = Reading(
            status=decoded.status,
            lines=decoded.lines,
            reader=self.name,
            confidence=decoded.confidence,
            uncertain=decoded.uncertain,
            box=tuple((x * seen.scale, y * seen.scale) for x, y in box),
            frame=seen.frame,
            ms=self._clock,
        )
        return explained(reading, seen.grey, box)


def _grey(frame: Frame) -> tuple[NDArray[np.uint8], float]:
    """The frame in grey, no larger than is useful, and px of the frame a px of that."""
    grey = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    scale = max(1.0, max(grey.shape) / LARGEST_SIDE)
    if scale > 1:
        grey = cv2.resize(grey, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8), scale


def _guesses(block: Block) -> Iterator[tuple[Block, int]]:
    """The block as located; without a line that is none, where three are too long for a TD1's; led
    on beyond its ends, which glare or a hand may have cut short; with one that was missed, where
    two are as short as a TD1's."""
    lines = block.lines
    caps = sum(line.length / line.cap for line in lines) / len(lines)
    three_too_long = len(lines) == 3 and caps > MOST_CAPS_OF_THREE
    if len(lines) > 1:
        yield block, 0
    if three_too_long:
        yield Block(lines[1:]), 0
        yield Block(lines[:2]), 0
    if len(lines) > 1:
        yield block, FURTHER
    if len(lines) == 1 or (len(lines) == 2 and caps < MOST_CAPS_OF_THREE):
        for guess in _with_one_more(block):
            yield guess, 0


def _with_one_more(block: Block) -> Iterator[Block]:
    """With a line below or above, at the distance of the others or at that of Doc 9303."""
    lines = block.lines
    first, last = lines[0], lines[-1]
    across = first.direction
    step = np.array([-across[1], across[0]]) * LINE_CAPS * first.cap
    if len(lines) > 1:
        step = (last.middle - first.middle) / (len(lines) - 1)
    yield Block((*lines, _moved(last, step)))
    yield Block((_moved(first, -step), *lines))


def _moved(line: Line, step: NDArray[np.float64]) -> Line:
    start, end = np.asarray(line.start) + step, np.asarray(line.end) + step
    return replace(
        line, start=(float(start[0]), float(start[1])), end=(float(end[0]), float(end[1]))
    )


def _since(started: float) -> float:
    """Milliseconds."""
    return (perf_counter() - started) * 1000
