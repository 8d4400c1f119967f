"""Puts several views of one MRZ together: what each reads is a vote, character by character.

Which cells hold fillers is known from the picture, and so is the length of every run of characters
between them. A view's words are matched to these runs by length and order, so that a run of fillers
that the OCR engine miscounts, or reads as `K`, shifts nothing. A word that fits nowhere is no vote.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.choose import candidates
from scanner.mrz.layouts import LAYOUTS, Layout
from scanner.mrz.reading import UNKNOWN, Uncertain
from scanner.vision.twins import undecided

FILLER, NO_FILLER = 0.78, 0.6
"""Likeness to a filler from which a cell is one, and up to which it is none. Between, it is none
unless all that the views read there is what a filler is mistaken for: then it is doubtful."""

FILLER_LIKE = "<KECLSXR"
"""What Tesseract makes of fillers."""

TIMES = 4
"""How often a single character is repeated where fields stand apart: Tesseract loses one that
stands alone on its row."""

Word = tuple[int, int, int]
"""Line, first position, end (exclusive)."""


def layout_for(width: int, text: str) -> Layout:
    """The layout of so many characters a line, by how its first line starts in OCR text."""
    rows = _rows(text, width)
    return LAYOUTS[candidates(width, rows[0] if rows else UNKNOWN)[0]]


class Ballot:
    """The votes of all views of one MRZ.

    `likeness` says how like a filler each cell is, lines × characters. `runs` are the stretches
    between fillers, `fields` the same cut at the layout's fields.
    """

    def __init__(self, likeness: NDArray[np.float64], layout: Layout) -> None:
        self._likeness = likeness
        self._layout = layout
        self._votes: dict[tuple[int, int], Counter[str]] = {}
        starts = {(f.span.line, f.span.start) for f in layout.fields.values()}
        filler = likeness >= FILLER
        self.runs = _stretches(filler, set())
        self.fields = _stretches(filler, starts)

    def count_whole(self, text: str) -> None:
        """Counts what a view of the whole MRZ says, row by row."""
        rows = _rows(text, self._layout.width)[-self._layout.height :]
        if len(rows) < self._layout.height:
            return
        for line, row in enumerate(rows):
            tokens = [token for token in row.split("<") if token.strip(FILLER_LIKE)]
            self._count(tokens, [run for run in self.runs if run[0] == line], FILLER_LIKE)

    def count_apart(self, text: str) -> None:
        """Counts what a view of the fields on rows of their own says."""
        tokens = [_once(token) for token in text.split()]
        if len(tokens) != len(self.fields):
            self._count(tokens, self.fields)
            return
        for token, word in zip(tokens, self.fields, strict=True):
            self._count([token], [word])

    def _count(self, tokens: Sequence[str], words: Sequence[Word], excess: str = "") -> None:
        """Matches tokens to words of their length, both in order. A token may run on into fillers
        that were taken for one of `excess`."""
        at = 0
        for line, start, end in words:
            for found in range(at, len(tokens)):
                token, rest = tokens[found][: end - start], tokens[found][end - start :]
                if len(token) < end - start or rest.strip(excess):
                    continue
                for position, character in enumerate(token, start):
                    self._votes.setdefault((line, position), Counter())[character] += 1
                at = found + 1
                break

    def result(self) -> tuple[tuple[str, ...], tuple[Uncertain, ...]]:
        """The lines that the votes make, and every doubtful place in reading order."""
        lines: list[str] = []
        doubts: dict[tuple[int, int], Uncertain] = {}
        for line, row in enumerate(self._likeness):
            characters = []
            for at, likeness in enumerate(row):
                ranked, sure = self._ranked(line, at, float(likeness))
                characters.append(ranked[0][0] if ranked else UNKNOWN)
                if not sure:
                    total = sum(count for _, count in ranked)
                    shares = tuple((character, count / total) for character, count in ranked)
                    doubts[line, at] = Uncertain(line, at, shares)
            lines.append("".join(characters))
        for place, pair in undecided(lines, self._layout).items():
            shares = tuple((character, 0.5) for character in pair)
            doubts.setdefault(place, Uncertain(*place, shares))
        return tuple(lines), tuple(doubts[place] for place in sorted(doubts))

    def _ranked(self, line: int, at: int, likeness: float) -> tuple[list[tuple[str, int]], bool]:
        """The characters seen at one place with their votes, most first, and whether the first is
        sure: two views say so, and none says another that may stand there."""
        if likeness >= FILLER:
            return [("<", 1)], True
        seen = self._votes.get((line, at), Counter())
        allowed = self._layout.alphabet(line, at)
        fair = Counter({c: n for c, n in seen.items() if c in allowed})
        ballot = fair or seen
        if likeness > NO_FILLER and not set(ballot) - set(FILLER_LIKE):
            ballot = ballot + Counter("<")
        ranked = ballot.most_common()
        return ranked, bool(fair) and len(ranked) == 1 and ranked[0][1] >= 2


def _rows(text: str, width: int) -> list[str]:
    """The rows of OCR text that are long enough to be lines of that width."""
    rows = ["".join(row.split()) for row in text.splitlines()]
    return [row for row in rows if len(row) >= width // 2]


def _stretches(filler: NDArray[np.bool_], cuts: set[tuple[int, int]]) -> list[Word]:
    """The runs of cells that are no fillers, cut before the places in `cuts`."""
    words: list[Word] = []
    for line, cells in enumerate(filler):
        start = None
        for at, empty in enumerate([*cells, True]):
            if start is not None and (empty or (line, at) in cuts):
                words.append((line, start, at))
                start = None
            if not empty and start is None:
                start = at
    return words


def _once(token: str) -> str:
    """The one character of a row that repeats it; other rows as they are."""
    return token[0] if len(token) == TIMES and len(set(token)) == 1 else token
