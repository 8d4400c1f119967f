"""How each layout may be printed when every check digit holds: the constraints of the trellis.

Every position belongs to one *group*: a field with its check digit, the positions that only the
composite covers, or those that no check digit covers. A group has one or more *forms*, each a way
of printing it that the rules allow:

- a field and its digit; or, both left empty, all fillers (Doc 9303-4 §4.2.2.2, and in use for
  dates that are unknown or never come);
- a document number over nine characters that runs on in the optional data, for every length and
  under both rules of counting (`scanner.mrz.document_numbers`);
- names of letters, or with digits in them where the issuer spells so.

All of it is derived from `scanner.mrz`; nothing about Doc 9303 is repeated here but what a check
digit may look like. The composite is always a digit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from scanner.mrz.check_digits import FILLER, WEIGHTS
from scanner.mrz.choose import candidates
from scanner.mrz.document import Format
from scanner.mrz.findings import DIGITS_IN_NAMES_IN_USE
from scanner.mrz.layouts import CHARACTERS, DIGITS, LAYOUTS, LETTERS, Check, Layout, Span
from scanner.mrz.reading import UNKNOWN
from scanner.vision.sums import Form, Indices, Mask

Place = tuple[int, int]
"""Line and position, both from 0."""

_NO_FILLER = DIGITS + LETTERS


@dataclass(frozen=True)
class Group:
    """Places whose characters depend on one another, and on the rest through the composite alone;
    `is_checked` where a check digit covers them."""

    places: tuple[Place, ...]
    forms: tuple[Form, ...]
    is_checked: bool
    allowed: Mask
    """The masks of all forms in one array, forms × places × characters."""

    @cached_property
    def index(self) -> tuple[Indices, Indices]:
        """The places as an index into an array of lines × positions."""
        lines, positions = zip(*self.places, strict=True)
        return np.array(lines), np.array(positions)

    def ways(self, characters: Indices) -> int:
        """In how many of the forms characters, one a place, are printed."""
        fits = self.allowed[:, np.arange(len(characters)), characters].all(axis=1)
        return sum(self.forms[i].holds(characters) for i in np.flatnonzero(fits))


@dataclass(frozen=True)
class Scheme:
    """A layout's groups, the place of its composite, and which characters may stand where."""

    layout: Layout
    groups: tuple[Group, ...]
    composite: Place | None
    allowed: Mask
    """What may stand at each place, lines × positions × characters, whatever stands elsewhere."""
    checked: Mask
    """The places that a check digit covers or is, lines × positions."""


@dataclass(frozen=True)
class _Way:
    """A form before it is one: what each place may show, its weight in the own sum, the digit."""

    alphabets: list[str]
    weights: list[int]
    digit: int | None


@cache
def scheme_of(format_: Format) -> Scheme:
    """The scheme of a layout."""
    layout = LAYOUTS[format_]
    whole = layout.checks.get("composite")
    groups = [_group(layout, *ways, is_checked=True) for ways in _fields(layout)]
    taken = {place for group in groups for place in group.places}
    if whole:
        covered = [place for span in whole.covers for place in _places(span)]
        loose = [place for place in covered if place not in taken]
        groups.append(_group(layout, loose, [_plain(layout, loose)], is_checked=True))
        taken.update(covered, _places(whole.place))
    every = [(line, at) for line in range(layout.height) for at in range(layout.width)]
    checked = np.array([place in taken for place in every]).reshape(layout.height, layout.width)
    free = [place for place in every if place not in taken]
    groups.append(_group(layout, free, list(_free(layout, free)), is_checked=False))
    allowed = np.array([_mask(_alphabet(layout, place)) for place in every])
    return Scheme(
        layout,
        tuple(group for group in groups if group.places),
        next(iter(_places(whole.place))) if whole else None,
        allowed.reshape(layout.height, layout.width, len(CHARACTERS)),
        checked,
    )


def covered(layout: Layout, name: str, lines: Sequence[str]) -> Mask:
    """The places of a check digit and of what it covers in these lines: a long number runs on in
    the optional data."""
    check = layout.checks[name]
    spans = [check.place, *check.covers]
    if name == "number" and layout.long_numbers and check.printed(lines) == FILLER:
        spans.append(layout.fields["optional"].span)
    found = np.zeros((layout.height, layout.width), np.bool_)
    for span in spans:
        found[span.line, span.start : span.start + span.length] = True
    return found


def _fields(layout: Layout) -> Iterator[tuple[list[Place], list[_Way]]]:
    """The places of each field that has a check digit of its own, and the ways to print them."""
    for name, check in layout.checks.items():
        if name == "number" and layout.long_numbers:
            yield _number(layout, check)
        elif name != "composite":
            yield _field(layout, check)


def _field(layout: Layout, check: Check) -> tuple[list[Place], list[_Way]]:
    """A field and its check digit, or both empty."""
    data = [place for span in check.covers for place in _places(span)]
    alphabets = [_alphabet(layout, place) for place in data]
    empty = [FILLER] * (len(data) + 1)
    return [*data, *_places(check.place)], [
        _Way([*alphabets, DIGITS], [*_weights(len(data)), 0], len(data)),
        _Way(empty, [0] * len(empty), None),
    ]


def _number(layout: Layout, check: Check) -> tuple[list[Place], list[_Way]]:
    """A number that may run on in the optional data."""
    places, short = _field(layout, check)
    optional = list(_places(layout.fields["optional"].span))
    free = [_alphabet(layout, place) for place in optional]
    ways = [
        _Way([*way.alphabets, *free], [*way.weights, *(0 for _ in free)], way.digit)
        for way in short
    ]
    for rest in range(1, len(optional)):
        for filler_counts in (False, True):
            ways.append(_long(len(places) - 1, rest, free, filler_counts=filler_counts))
    return places + optional, ways


def _long(field: int, rest: int, free: list[str], *, filler_counts: bool) -> _Way:
    """The field full, a filler, the rest of the number, its check digit, and where there is room a
    filler and anything."""
    alphabets = [_NO_FILLER] * field + [FILLER] + [_NO_FILLER] * rest + [DIGITS]
    alphabets += ([FILLER, *free])[: len(free) - rest - 1]
    weights = _weights(field + rest + 1)
    tail = weights[field + 1 :] if filler_counts else weights[field:-1]
    own = [*weights[:field], 0, *tail]
    return _Way(alphabets, own + [0] * (len(alphabets) - len(own)), field + 1 + rest)


def _plain(layout: Layout, places: list[Place]) -> _Way:
    """Every place for itself."""
    return _Way([_alphabet(layout, place) for place in places], [0] * len(places), None)


def _free(layout: Layout, places: list[Place]) -> Iterator[_Way]:
    """Places that no check digit covers: names of letters, or with digits for some issuers."""
    plain = _plain(layout, places)
    yield plain
    for issuer in sorted(DIGITS_IN_NAMES_IN_USE) if "name" in layout.fields else ():
        spelt = dict(zip(places, plain.alphabets, strict=True))
        spelt |= dict.fromkeys(_places(layout.fields["name"].span), CHARACTERS)
        spelt |= dict(zip(_places(layout.fields["issuer"].span), issuer, strict=True))
        yield _Way(list(spelt.values()), plain.weights, None)


def _group(layout: Layout, places: list[Place], ways: list[_Way], *, is_checked: bool) -> Group:
    counted = _whole_weights(layout)
    whole = tuple(counted.get(place, 0) for place in places)
    forms = tuple(Form(_masks(way.alphabets), tuple(way.weights), whole, way.digit) for way in ways)
    return Group(tuple(places), forms, is_checked, np.array([form.allowed for form in forms]))


def _whole_weights(layout: Layout) -> dict[Place, int]:
    whole = layout.checks.get("composite")
    covered = [place for span in whole.covers for place in _places(span)] if whole else []
    return dict(zip(covered, _weights(len(covered)), strict=True))


def _alphabet(layout: Layout, place: Place) -> str:
    """What may stand at a place of a document that is taken for this layout; a document code
    begins with a letter (Doc 9303-4 to 7, the first field)."""
    line, position = place
    alphabet = LETTERS if place == (0, 0) else layout.alphabet(line, position)
    if line > 0:
        return alphabet
    before = UNKNOWN * position
    return "".join(
        character
        for character in alphabet
        if layout.format in candidates(layout.width, before + character)
    )


def _places(span: Span) -> Iterator[Place]:
    return ((span.line, span.start + i) for i in range(span.length))


def _weights(count: int) -> list[int]:
    return [WEIGHTS[i % 3] for i in range(count)]


def _mask(alphabet: str) -> Mask:
    return np.array([character in alphabet for character in CHARACTERS])


def _masks(alphabets: list[str]) -> Mask:
    return np.array([_mask(alphabet) for alphabet in alphabets]).reshape(-1, len(CHARACTERS))
