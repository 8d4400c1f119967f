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
from functools import cache

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.check_digits import FILLER, WEIGHTS
from scanner.mrz.choose import candidates
from scanner.mrz.document import Format
from scanner.mrz.findings import DIGITS_IN_NAMES_IN_USE
from scanner.mrz.layouts import CHARACTERS, DIGITS, LAYOUTS, LETTERS, Check, Layout, Span
from scanner.mrz.reading import UNKNOWN

Place = tuple[int, int]
"""Line and position, both from 0."""

Mask = NDArray[np.bool_]

_NO_FILLER = DIGITS + LETTERS


@dataclass(frozen=True)
class Form:
    """One way of printing a group: which characters each place may show, the weight of each in the
    group's own sum, and which place is the digit that must equal it (None: no such digit)."""

    allowed: Mask
    weights: tuple[int, ...]
    digit: int | None


@dataclass(frozen=True)
class Group:
    """Places whose characters depend on one another, and on the rest through the composite alone.

    `whole` are the weights in the composite's sum, 0 where it does not cover a place.
    """

    places: tuple[Place, ...]
    whole: tuple[int, ...]
    forms: tuple[Form, ...]
    allowed: Mask
    """The masks of all forms in one array, forms × places × characters."""

    @property
    def index(self) -> tuple[list[int], list[int]]:
        """The places as an index into an array of lines × positions."""
        return [line for line, _ in self.places], [position for _, position in self.places]


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


@cache
def scheme_of(format_: Format) -> Scheme:
    """The scheme of a layout."""
    layout = LAYOUTS[format_]
    whole = layout.checks.get("composite")
    groups = list(_checked_groups(layout))
    taken = {place for group in groups for place in group.places}
    if whole:
        covered = [place for span in whole.covers for place in _places(span)]
        groups.append(_loose_group(layout, [place for place in covered if place not in taken]))
        taken.update(covered, _places(whole.place))
    every = [(line, at) for line in range(layout.height) for at in range(layout.width)]
    checked = np.array([place in taken for place in every]).reshape(layout.height, layout.width)
    groups.append(_free_group(layout, [place for place in every if place not in taken]))
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


def _checked_groups(layout: Layout) -> Iterator[Group]:
    for name, check in layout.checks.items():
        if name == "number" and layout.long_numbers:
            yield _group(layout, *_number_group(layout, check))
        elif name != "composite":
            places, forms = _field_group(layout, check)
            yield _group(layout, places, forms)


def _field_group(layout: Layout, check: Check) -> tuple[list[Place], list[Form]]:
    """A field and its check digit: the digit's own, or both empty."""
    data = [place for span in check.covers for place in _places(span)]
    places = [*data, *_places(check.place)]
    alphabets = [*(_alphabet(layout, place) for place in data), DIGITS]
    weights = _weights(len(data))
    with_digit = Form(_masks(alphabets), (*weights, 0), len(data))
    empty = Form(_masks([FILLER] * len(places)), (0,) * len(places), None)
    return places, [with_digit, empty]


def _number_group(layout: Layout, check: Check) -> tuple[list[Place], list[Form]]:
    """A number that may run on in the optional data."""
    places, short = _field_group(layout, check)
    optional = list(_places(layout.fields["optional"].span))
    free = [_alphabet(layout, place) for place in optional]
    forms = [
        Form(
            np.concatenate([form.allowed, _masks(free)]),
            (*form.weights, *(0 for _ in free)),
            form.digit,
        )
        for form in short
    ]
    field = len(places) - 1
    for counted in (0, 1):  # whether the filler in the check digit's place is counted
        for tail in range(2, len(optional) + 1):
            rest = tail - 1
            alphabets = [_NO_FILLER] * field + [FILLER] + [_NO_FILLER] * rest + [DIGITS]
            alphabets += [FILLER, *free[tail + 1 :]] if tail < len(optional) else []
            weights = _weights(field + counted + rest)
            own = (*weights[:field], 0, *weights[field + counted :])
            padding = (0,) * (len(alphabets) - len(own))
            forms.append(Form(_masks(alphabets), own + padding, field + 1 + rest))
    return places + optional, forms


def _loose_group(layout: Layout, places: list[Place]) -> Group:
    """Places that the composite alone covers."""
    allowed = _masks([_alphabet(layout, place) for place in places])
    return _group(layout, places, [Form(allowed, (0,) * len(places), None)])


def _free_group(layout: Layout, places: list[Place]) -> Group:
    """Places that no check digit covers: letters in names, or digits too for some issuers."""
    plain = [_alphabet(layout, place) for place in places]
    forms = [Form(_masks(plain), (0,) * len(places), None)]
    for issuer in sorted(DIGITS_IN_NAMES_IN_USE) if "name" in layout.fields else ():
        spelt = dict(zip(places, plain, strict=True))
        spelt |= dict.fromkeys(_places(layout.fields["name"].span), CHARACTERS)
        spelt |= dict(zip(_places(layout.fields["issuer"].span), issuer, strict=True))
        forms.append(Form(_masks(list(spelt.values())), (0,) * len(places), None))
    return _group(layout, places, forms)


def _group(layout: Layout, places: list[Place], forms: list[Form]) -> Group:
    whole = _whole_weights(layout)
    allowed = np.array([form.allowed for form in forms])
    return Group(tuple(places), tuple(whole.get(p, 0) for p in places), tuple(forms), allowed)


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


def _weights(count: int) -> tuple[int, ...]:
    return tuple(WEIGHTS[i % 3] for i in range(count))


def _mask(alphabet: str) -> Mask:
    return np.array([character in alphabet for character in CHARACTERS])


def _masks(alphabets: list[str]) -> Mask:
    return np.array([_mask(alphabet) for alphabet in alphabets]).reshape(-1, len(CHARACTERS))
