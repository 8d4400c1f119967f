"""Reads the lines of a located block: strips -> columns -> characters, two or three times.

The first look reads strips as the locator placed them, and finds how many characters there are and
where each stands. The second cuts the strips anew along the characters, which are now upright,
level and of the right size: that alone took a prototype from 65 to 74 pages of 79. It is read by
another network, the verifier, of the same make but trained from other weights on other strips: what
misleads one seldom misleads the other as surely. Where both looks are clear and agree, that is all.
Else the first network looks once more, at the same print as the verifier but shifted by a part of a
pixel and a little larger; and so does the verifier where its strips lay beside the print. The last
two looks are joined: where they do not agree, neither was sure.
"""

from dataclasses import dataclass, replace
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.layouts import WIDTHS
from scanner.vision.align import Columns, align, expected, goes_on, pitch_of, seen_at, slots
from scanner.vision.blocks import Block
from scanner.vision.characters import normalised
from scanner.vision.decode import LogP
from scanner.vision.interpreter import Network
from scanner.vision.rectify import Pyramid, Ruling, first_ruling, refined
from scanner.vision.shapes import CAP, CLASSES, EDGE, PITCH, SMOOTHING

LEAST_CHANCE = 2e-5
"""What is left to every class of a column."""
GOOD = -0.7
"""A fit that needs no other hypothesis; `POOR` is none at all."""
POOR = -1.6
NOT_SO = -2.2
"""A fit that no other number of characters can mend: the right one had -1.5 or more on every page,
whatever the strip was cut for."""
NO_PRINT = -3.2
"""A fit that is none the other way up either: print that stands on its head has -2 or so."""
CAPS_A_PITCH = 1.03
"""How tall a capital of OCR-B is, in pitches."""
SURELY_SHORT = 29.0
"""Two lines of so few capitals' widths have 36 characters, not 44; between, the first pass
tells."""
REACH = 0.66
"""So far from a line's middle, in capitals, an edge may cut print: the tail of a Q lies lower than
capitals do, and print that is cut seems smaller than it is."""
CLEAR = 0.96
"""Two looks that leave every character this probability need no third."""
NOTHING = 0.3
"""A look that has a place for empty by so much lay beside the print."""
_EACH = np.ones((CLASSES, 1), np.float32)
"""A product with it is a sum over classes, in a third of the time."""
FAR, NEAR = 4.0 * PITCH, 0.8 * PITCH
"""How far places are sought from where they are expected, in the first pass and later."""


@dataclass(frozen=True)
class Characters:
    """What a block says: log probabilities (lines, characters, 37) and where its lines are."""

    log_p: LogP
    ruling: Ruling
    goes_on: bool
    """Whether there seem to be more characters than were read: a line was cut short."""
    cut_off: bool
    """Whether an edge of the frame goes through characters, or touches them."""

    @property
    def whole(self) -> bool:
        """Whether all that is printed was in view."""
        return not (self.goes_on or self.cut_off)

    @property
    def box(self) -> tuple[tuple[float, float], ...]:
        """The corners of the MRZ in px of the frame, clockwise from the first line's start."""
        left, right = EDGE - 0.5, self.ruling.width - EDGE - 0.5
        around = self.ruling.place(
            np.array([left, right, right, left]), np.array([4.0, 4.0, 27.0, 27.0])
        )
        corners = (*around[0, :2].tolist(), *around[-1, 2:].tolist())
        return tuple((corner.real, corner.imag) for corner in corners)


class _Pass(NamedTuple):
    """A first pass: how well it fits, and what the next one starts from."""

    fit: float
    ruling: Ruling
    columns: Columns
    places: NDArray[np.float64]


class Recogniser:
    """The recogniser's two networks and what leads to them and from them."""

    def __init__(self, network: Network, verifier: Network) -> None:
        self._network = network
        self._verifier = verifier

    def columns(self, strips: NDArray[np.uint8], network: Network | None = None) -> Columns:
        """What stands in each column of strips (lines, HEIGHT, width)."""
        (out,) = (network or self._network).look_at(strips)
        logits, geometry = out[:, 0, :, :CLASSES], out[:, 0, :, CLASSES:]
        chances = np.exp(logits - logits.max(axis=2, keepdims=True))
        chances /= chances @ _EACH
        # What the smoothing of labels taught it to hold back is given back.
        chances -= np.float32(SMOOTHING / CLASSES)
        np.maximum(chances, np.float32(LEAST_CHANCE), out=chances)
        chances /= chances @ _EACH
        return Columns(chances, geometry)

    def read(self, frame: Pyramid, block: Block, *, beyond: int = 0) -> Characters | None:
        """The characters of a block, or None where nothing fits. Its lines may go on for so many
        characters `beyond` either end."""
        first = self._first(frame, block, beyond)
        if first is None:
            return None
        _, ruling, columns, places = first
        evenly = expected(places.shape[1], places.shape[1])
        before = slots(columns, places)
        for network in (self._verifier, self._network, self._verifier):
            ruling = _follow(ruling, columns, places)
            if network is self._network:
                ruling = _nudged(ruling)
            columns = self.columns(frame.strips(ruling), network)
            places = align(columns, evenly, NEAR).places
            now = slots(columns, places)
            joined, last = _joined(before, now), before
            before = now
            if joined.max(axis=2).min() > np.log(CLEAR):
                break
            if network is self._network and not _lay_beside(last):
                break
        return Characters(
            joined,
            ruling,
            goes_on=goes_on(columns, places),
            cut_off=_is_cut_off(ruling, frame.level(0).shape),
        )

    def _first(self, frame: Pyramid, block: Block, beyond: int) -> _Pass | None:
        """The first pass, as located or the other way up."""
        best: _Pass | None = None
        for way in (block, block.turned()):
            found = self._beyond(frame, way, beyond) if beyond else self._within(frame, way)
            if best is None or found.fit > best.fit:
                best = found
            if best.fit > GOOD or best.fit < NO_PRINT:
                break
        return best if best is not None and best.fit > POOR else None

    def _within(self, frame: Pyramid, block: Block) -> _Pass:
        """A look at a block as long as it was located."""
        passes: list[_Pass] = []
        guesses = _guesses(block)
        for guess in guesses:
            ruling = first_ruling(block, guess)
            columns = self.columns(frame.strips(ruling))
            for length in sorted(guesses, key=lambda length: length != guess):
                passes.append(_fitted(ruling, columns, expected(length, guess), FAR))
                if passes[-1].fit > GOOD:
                    return passes[-1]
            if max(found.fit for found in passes) < NOT_SO:
                break
        return max(passes, key=lambda found: found.fit)

    def _beyond(self, frame: Pyramid, block: Block, beyond: int) -> _Pass:
        """A look further out than located, at the pitch that the located part shows."""
        guess = _guesses(block)[0]
        columns = self.columns(frame.strips(first_ruling(block, guess)))
        seen = guess * PITCH / pitch_of(columns)
        lengths = _lengths(len(block.lines))
        whole = max(round(seen) + 2 * beyond, *lengths)
        wide = float(np.mean([line.length / line.cap for line in block.lines])) / seen
        caps = (whole - seen) / 2 * wide
        ruling = first_ruling(block.led_on(caps), whole)
        columns = self.columns(frame.strips(ruling))
        passes = []
        for length in lengths:
            middle = (whole - length) // 2
            places = expected(whole, whole)[middle : middle + length]
            passes.append(_fitted(ruling, columns, places, (beyond + 2) * PITCH))
        return max(passes, key=lambda found: found.fit)


def _is_cut_off(ruling: Ruling, shape: tuple[int, ...]) -> bool:
    """Whether characters reach to the frame's edge: what tells a Q from an O may lie beyond it."""
    along = np.linspace(EDGE + 2, ruling.width - EDGE - 3, (ruling.width - 2 * EDGE) // PITCH + 1)
    middle, down = ruling.at(along)
    points = np.array([middle - REACH * CAP * down, middle + REACH * CAP * down])
    return any(
        bool(values.min() < -0.5 or values.max() > size - 0.5)
        for values, size in ((points.real, shape[1]), (points.imag, shape[0]))
    )


def _fitted(ruling: Ruling, columns: Columns, places: NDArray[np.float64], reach: float) -> _Pass:
    aligned = align(columns, places, reach)
    clear = float(slots(columns, aligned.places).max(axis=2).mean())
    return _Pass(aligned.score + clear, ruling, columns, aligned.places)


def _guesses(block: Block) -> list[int]:
    """How many characters a strip may hold, by the shape of the capitals; most lines have 44."""
    ratio = median(line.length / line.cap for line in block.lines) * CAPS_A_PITCH
    widths = sorted(_lengths(len(block.lines)), reverse=True)
    return widths[::-1] if ratio < SURELY_SHORT else widths


def _lengths(lines: int) -> list[int]:
    return [width for width, height in WIDTHS.items() if height == lines]


def _follow(ruling: Ruling, columns: Columns, places: NDArray[np.float64]) -> Ruling:
    centres, rises, heights, trust = seen_at(columns, places)
    return refined(ruling, centres, trust, rises, heights)


def _nudged(ruling: Ruling) -> Ruling:
    """The same print a third of a px away and a little larger."""
    lower = replace(ruling, middle=ruling.middle + ruling.down * 0.35)
    middle, _ = lower.at(np.arange(1.4, ruling.width + 1))
    return Ruling(middle, ruling.down * 0.96)


def _lay_beside(look: LogP) -> bool:
    """Whether a look saw nothing at some place: what it has for blank is spread over all."""
    return bool(look.min(axis=2).max() > np.log(NOTHING / look.shape[2]))


def _joined(one: LogP, other: LogP) -> LogP:
    """The geometric mean of probabilities: a look that doubts makes the whole doubt, and what one
    look alone takes for possible counts for less than what both do."""
    return np.asarray(normalised((one + other) / 2), np.float32)
