"""A document that an officer typed because nothing could read it, checked while it is typed.

Lines that are only half typed may still become any layout that they fit. So what is said of them
early is what every one of those layouts says: a check digit is held against its data once all of
both is there, wherever all the layouts that are left have it in the same place. Nobody has to say
first what sort of document it is.

Where not even the lines can be read, the number, its State and the kind can be looked up alone.
Nothing else is known of such a document, and its code and dates are left empty.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from scanner.mrz.check_digits import check_digit
from scanner.mrz.choose import OLD_FRENCH, candidates
from scanner.mrz.document import Checks, Document, Format, Kind, NumberRule
from scanner.mrz.layouts import CHARACTERS, LAYOUTS, WIDTHS, Check, Layout
from scanner.mrz.parse import normalised, parse
from scanner.mrz.reading import UNKNOWN
from scanner.mrz.text import FIRST_LETTERS
from scanner.said import Said, counted, said

MOST_LINES = 3
LONGEST = max(WIDTHS)
LONGEST_NUMBER = 30
"""As a list's source may hold it."""
_IN_ITS_FIELD = 9

_FORMATS: Mapping[Kind, Format] = MappingProxyType(
    {Kind.PASSPORT: Format.TD3, Kind.VISA: Format.MRV_A}
)
_ALLOWED = frozenset(CHARACTERS + UNKNOWN)


@dataclass(frozen=True)
class Problem:
    """What is wrong at a position of a line, from 0."""

    position: int
    message: Said


@dataclass(frozen=True)
class Digit:
    """A check digit, where it stands in its line, and what it must be by what it covers."""

    position: int
    expected: str
    got: str


@dataclass(frozen=True)
class TypedLine:
    """One line as far as it is typed. `width` is how long it must become, where that is known."""

    text: str
    width: int | None
    problems: tuple[Problem, ...]
    check_digits: tuple[Digit, ...]


@dataclass(frozen=True)
class Typed:
    """Lines as far as they are typed. `complete`: they are a whole document's, right or wrong."""

    lines: tuple[TypedLine, ...]
    format: Format | None
    complete: bool


def check_typed(rows: Sequence[str], today: date) -> Typed:
    """What can be said of rows so far."""
    lines = [normalised(row) for row in rows]
    layouts = list(_possible(lines))
    parsed = parse(lines, today)
    widths = {layout.width for layout in layouts}
    width = widths.pop() if len(widths) == 1 else None
    digits = list(_digits(lines, layouts))
    told = tuple(
        TypedLine(
            line,
            width,
            tuple(_problems(lines, at, layouts, width)),
            tuple(digit for row, digit in digits if row == at),
        )
        for at, line in enumerate(lines)
    )
    only = layouts[0].format if len(layouts) == 1 else None
    return Typed(told, parsed.format or only, parsed.document is not None)


def number_alone(issuer: str, number: str, kind: Kind) -> Document:
    """The document that has this number. Raises ValueError where that is no number."""
    cleaned = "".join(number.split()).replace("-", "").replace("<", "").upper()
    if not cleaned or len(cleaned) > LONGEST_NUMBER or not _ALLOWED - {UNKNOWN} >= set(cleaned):
        raise ValueError("not a document number")
    return Document(
        format=_FORMATS.get(kind, Format.TD1),
        code="",
        issuer=normalised(issuer),
        number=cleaned,
        number_rule=(
            NumberRule.STANDARD if len(cleaned) <= _IN_ITS_FIELD else NumberRule.LONG_WITHOUT_FILLER
        ),
        surname="",
        given_names="",
        name_truncated=False,
        nationality="",
        birth_date=None,
        sex=None,
        expiry_date=None,
        optional=None,
        optional_2=None,
        checks=Checks(),
        kind=kind,
    )


def _possible(lines: Sequence[str]) -> Iterator[Layout]:
    """The layouts that the lines may still become. A line that another one follows is finished."""
    begun = [line for line in lines if line]
    longest = max((len(line) for line in begun), default=0)
    finished = {len(line) for line in begun[:-1]} & set(WIDTHS)
    height = max((at for at, line in enumerate(lines, start=1) if line), default=0)
    for layout in LAYOUTS.values():
        fits = 0 < longest <= layout.width and height <= layout.height
        if fits and finished <= {layout.width} and _begins(layout, lines[0]):
            yield layout


def _begins(layout: Layout, first: str) -> bool:
    """Whether the first line, as far as it is typed, is one of this layout's."""
    if not first or first[0] == UNKNOWN:
        return True
    return first[0] in FIRST_LETTERS[layout.format] and (
        len(first) < len(OLD_FRENCH) or layout.format in candidates(layout.width, first)
    )


def _problems(
    lines: Sequence[str], at: int, layouts: Sequence[Layout], width: int | None
) -> Iterator[Problem]:
    line = lines[at]
    for position, character in enumerate(line):
        if character not in _ALLOWED:
            yield Problem(position, said("This character cannot stand in an MRZ."))
        elif character != UNKNOWN and not _may_stand(character, at, position, layouts):
            yield Problem(position, _misplaced(character))
    whole = LONGEST if width is None else width
    if len(line) > whole:
        over = len(line) - whole
        yield Problem(
            whole,
            counted("{count} character is too many.", "{count} characters are too many.", over),
        )
    elif line and any(lines[at + 1 :]) and len(line) not in (WIDTHS if width is None else (width,)):
        yield Problem(len(line), _too_short(len(line), width))


def _too_short(length: int, width: int | None) -> Said:
    if width is None:
        return said("The end of this line is missing.")
    missing = width - length
    return counted("{count} character is missing.", "{count} characters are missing.", missing)


def _may_stand(character: str, line: int, position: int, layouts: Sequence[Layout]) -> bool:
    fitting = [one for one in layouts if line < one.height and position < one.width]
    return not fitting or any(character in one.alphabet(line, position) for one in fitting)


def _misplaced(character: str) -> Said:
    if character.isdigit():
        return said("A digit cannot stand here.")
    return said("A letter cannot stand here.") if character.isalpha() else said("< is wrong here.")


def _digits(lines: Sequence[str], layouts: Sequence[Layout]) -> Iterator[tuple[int, Digit]]:
    """Each check digit that every possible layout has, where all of it is typed."""
    if not layouts:
        return
    first, *others = layouts
    for name, check in first.checks.items():
        if not all(other.checks.get(name) == check for other in others):
            continue
        if _is_typed(check, lines) and not _may_run_on(name, check, lines, layouts):
            data, got = check.data(lines), check.printed(lines)
            place = check.place
            yield place.line, Digit(place.start, check_digit(data), got)


def _is_typed(check: Check, lines: Sequence[str]) -> bool:
    spans = (check.place, *check.covers)
    texts = [span.text(lines) if span.line < len(lines) else "" for span in spans]
    return all(
        len(text) == span.length and not set(text) - set(CHARACTERS)
        for span, text in zip(spans, texts, strict=True)
    ) and not _is_left_empty(check, lines)


def _is_left_empty(check: Check, lines: Sequence[str]) -> bool:
    """Data and check digit are both fillers, as optional data may be."""
    return not (check.data(lines) + check.printed(lines)).strip("<")


def _may_run_on(name: str, check: Check, lines: Sequence[str], layouts: Sequence[Layout]) -> bool:
    """A filler for the number's check digit says that number and digit go on further right."""
    runs_on = any(layout.long_numbers for layout in layouts)
    return name == "number" and runs_on and check.printed(lines) == "<"
