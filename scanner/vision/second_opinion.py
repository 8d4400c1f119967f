"""Asks a second reader where the first is doubtful, and shows where the two differ.

*Only doubtful readings go to the second.* What the first is sure of it promises, and asking about
it would cost a second a page. Where the first sees no MRZ there is nothing to compare: the second's
answer would be the only one, from the weaker reader, and a desk without a document would be asked
about all day.

*Agreement makes nothing sure.* The second reads a fair share of pages wrong with every check digit
holding (`docs/decisions/0006-when-passporteye-is-sure.md`), and both look at the same glare: two
that agree need not be independent. So the reading stays doubtful and its lines stay the first's.

*A disagreement becomes a candidate.* Where the two read different characters, the place is
uncertain and the second's character stands among its candidates, so that the lists are asked for it
too. Probabilities are mixed as in a linear opinion pool, the second's with the weight `WEIGHT`.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import tee

from scanner.failing import where
from scanner.mrz.layouts import CHARACTERS
from scanner.mrz.reading import UNKNOWN, Reading, Status, Uncertain
from scanner.said import Said, joined, listed, said
from scanner.vision.reader import Frame, Reader, ReaderUnavailable

WEIGHT = 0.2
"""How much the second counts, of 1: it reads about half as many pages exactly as the first."""

log = logging.getLogger(__name__)

_Place = tuple[int, int]
_Chances = Mapping[str, float]


class SecondOpinion:
    """A reader and another one that is asked where the first is doubtful.

    `open_other` opens the other at its first use: PassportEye takes seconds to import. Where it
    cannot be opened, or fails, the first's reading stands and its note says so.
    """

    def __init__(self, first: Reader, open_other: Callable[[], Reader]) -> None:
        self._first = first
        self._open_other = open_other
        self._other: Reader | None = None

    @property
    def name(self) -> str:
        return self._first.name

    def read(self, frames: Iterable[Frame]) -> Reading:
        frames, again = tee(frames)
        ours = self._first.read(frames)
        if ours.status is not Status.DOUBTFUL:
            return ours
        try:
            self._other = self._other or self._open_other()
            theirs = self._other.read(again)
        except ReaderUnavailable as unavailable:
            return _noted(ours, said("no second opinion: {why}", why=unavailable))
        except Exception as error:
            # The type and the place alone: messages may quote what was read.
            log.warning("the second reader failed: %s at %s", type(error).__name__, where(error))
            return _noted(
                ours,
                said("no second opinion: the reader failed ({error})", error=type(error).__name__),
            )
        return compared(ours, theirs)


def compared(ours: Reading, theirs: Reading) -> Reading:
    """The first reading with what the second adds to it: candidates, a note, and its time."""
    told = replace(ours, ms=_added(ours.ms, theirs.ms))
    name = theirs.reader
    if theirs.status is Status.UNREADABLE:
        return _noted(told, said("second opinion: {reader} read nothing", reader=name))
    if _shape(theirs) != _shape(ours):
        return _noted(
            told, said("second opinion: {reader} saw lines of another number or width", reader=name)
        )
    differing = tuple(_differing(ours, theirs))
    if not differing:
        return _noted(
            told,
            said("second opinion: {reader} reads the same, which makes nothing sure", reader=name),
        )
    places = _told_together(differing)
    told = replace(told, uncertain=tuple(_pooled(ours, theirs, set(differing))))
    return _noted(
        told,
        said("second opinion: {reader} reads otherwise at {places}", reader=name, places=places),
    )


def _differing(ours: Reading, theirs: Reading) -> Iterator[_Place]:
    """Where the two read different characters; what the second could not read is no difference."""
    for line, (a, b) in enumerate(zip(ours.lines, theirs.lines, strict=True)):
        for position, (mine, other) in enumerate(zip(a, b, strict=True)):
            if other not in (mine, UNKNOWN):
                yield line, position


def _pooled(ours: Reading, theirs: Reading, differing: set[_Place]) -> Iterator[Uncertain]:
    """Every place that the first doubts or where the two differ, in the order of the lines."""
    mine = {(one.line, one.position): dict(one.candidates) for one in ours.uncertain}
    other = {(one.line, one.position): dict(one.candidates) for one in theirs.uncertain}
    for place in sorted(mine.keys() | differing):
        line, position = place
        known = mine.get(place, _only(ours.lines[line][position]))
        if place in differing and known:  # where nothing is known, everything is asked already
            read = theirs.lines[line][position]
            known = _pool(known, _chances(read, other.get(place, {})))
        yield Uncertain(line, position, tuple(sorted(known.items(), key=lambda one: -one[1])))


def _only(letter: str) -> dict[str, float]:
    return {} if letter == UNKNOWN else {letter: 1.0}


def _chances(read: str, candidates: _Chances) -> _Chances:
    """What the second takes for possible, of 1 together."""
    known = {letter: chance for letter, chance in candidates.items() if letter in CHARACTERS}
    whole = sum(known.values())
    if not known.get(read):
        return {read: 1.0}
    return {letter: chance / whole for letter, chance in known.items()}


def _pool(mine: _Chances, other: _Chances) -> dict[str, float]:
    return {
        letter: (1 - WEIGHT) * mine.get(letter, 0.0) + WEIGHT * other.get(letter, 0.0)
        for letter in dict.fromkeys((*mine, *other))
    }


def _told_together(places: Sequence[_Place]) -> str:
    """`line 1 position 3, line 2 positions 10 to 12`, counted from 1 as a person counts."""
    runs: list[list[_Place]] = []
    for (line, position), before in zip(places, (None, *places), strict=False):
        if before == (line, position - 1):
            runs[-1].append((line, position))
        else:
            runs.append([(line, position)])
    return listed([_run(run) for run in runs])


def _run(run: Sequence[_Place]) -> Said:
    (line, first), (_, last) = run[0], run[-1]
    if first == last:
        return said("line {line} position {first}", line=line + 1, first=first + 1)
    return said(
        "line {line} positions {first} to {last}", line=line + 1, first=first + 1, last=last + 1
    )


def _shape(reading: Reading) -> tuple[int, ...]:
    return tuple(len(line) for line in reading.lines)


def _added(mine: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {name: mine.get(name, 0.0) + other.get(name, 0.0) for name in {**mine, **other}}


def _noted(reading: Reading, note: str) -> Reading:
    return replace(reading, note=joined((reading.note or "", note)))
