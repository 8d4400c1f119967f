"""Where everything stands in each machine readable zone: the one table behind reading and writing.

A layout is data: fields, and check digits with the ranges that each covers. Parsing slices by it,
writing fills it, and a decoder of pictures asks it which characters may stand at a position.
Lines and positions count from 0 here (Doc 9303 counts from 1).

Sources: Doc 9303-5 §4.2.2 (TD1), 9303-6 §4.2.2 (TD2), 9303-4 §4.2.2 (TD3), 9303-7 §4.2 and §5.2
(MRV-A, MRV-B). The French identity card of 1988 to 2021 (FRA-ID) has the size of a TD2 and a field
order of its own: surname, department and office of issue above; number, given names and birth date
below; no nationality and no expiry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from scanner.mrz.check_digits import FILLER
from scanner.mrz.document import Format
from scanner.mrz.reading import UNKNOWN

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
CHARACTERS = FILLER + DIGITS + LETTERS
"""The 37 characters of an MRZ (Doc 9303-3 §4.3)."""


@dataclass(frozen=True)
class Span:
    """A run of characters within one line."""

    line: int
    start: int
    length: int

    def text(self, lines: Sequence[str]) -> str:
        return lines[self.line][self.start : self.start + self.length]

    def covers(self, line: int, position: int) -> bool:
        return line == self.line and self.start <= position < self.start + self.length


@dataclass(frozen=True)
class Field:
    """A field of `Document`, or `name`, which holds surname and given names together.

    `alphabet` are the characters that may rightly stand there. (Russian internal documents print
    digits in names, where they stand for Cyrillic letters.)
    """

    name: str
    span: Span
    alphabet: str

    def text(self, lines: Sequence[str]) -> str:
        return self.span.text(lines)


@dataclass(frozen=True)
class Check:
    """A check digit: the field of `Checks` it fills, where it stands, and what it covers."""

    name: str
    place: Span
    covers: tuple[Span, ...]

    def printed(self, lines: Sequence[str]) -> str:
        return self.place.text(lines)

    def data(self, lines: Sequence[str]) -> str:
        return "".join(span.text(lines) for span in self.covers)


@dataclass(frozen=True)
class Layout:
    """One format. `long_numbers`: a number over nine characters runs on in the optional data."""

    format: Format
    height: int
    width: int
    fields: Mapping[str, Field]
    checks: Mapping[str, Check]
    long_numbers: bool = False

    def alphabet(self, line: int, position: int) -> str:
        """The characters that may stand at a position, whatever stands elsewhere."""
        for check in self.checks.values():
            if check.place.covers(line, position):
                return DIGITS + FILLER
        for field in self.fields.values():
            if field.span.covers(line, position):
                return field.alphabet
        raise IndexError(f"{self.format} has no line {line} with a position {position}")

    def misfits(self, line: int, row: str) -> int:
        """How many characters of a row cannot rightly stand in a line; unknown ones count not."""
        return sum(
            character not in self.alphabet(line, position)
            for position, character in enumerate(row)
            if character != UNKNOWN
        )


_ALPHABETS = {
    "code": CHARACTERS,
    "issuer": LETTERS + FILLER,
    "nationality": LETTERS + FILLER,
    "number": CHARACTERS,
    "name": LETTERS + FILLER,
    "surname": LETTERS + FILLER,
    "given_names": LETTERS + FILLER,
    "birth_date": DIGITS + FILLER,
    "expiry_date": DIGITS + FILLER,
    "sex": "FMX" + FILLER,
    "optional": CHARACTERS,
    "optional_2": CHARACTERS,
}

_Place = tuple[int, int, int]


def _fields(**places: _Place) -> Mapping[str, Field]:
    return MappingProxyType(
        {name: Field(name, Span(*place), _ALPHABETS[name]) for name, place in places.items()}
    )


def _checks(**checks: tuple[_Place, tuple[_Place, ...]]) -> Mapping[str, Check]:
    return MappingProxyType(
        {
            name: Check(name, Span(*place), tuple(Span(*span) for span in covers))
            for name, (place, covers) in checks.items()
        }
    )


def _lower_line(optional_length: int) -> dict[str, _Place]:
    """The lower line that TD2, TD3 and both visas share."""
    return {
        "number": (1, 0, 9),
        "nationality": (1, 10, 3),
        "birth_date": (1, 13, 6),
        "sex": (1, 20, 1),
        "expiry_date": (1, 21, 6),
        "optional": (1, 28, optional_length),
    }


_LOWER_CHECKS: dict[str, tuple[_Place, tuple[_Place, ...]]] = {
    "number": ((1, 9, 1), ((1, 0, 9),)),
    "birth_date": ((1, 19, 1), ((1, 13, 6),)),
    "expiry_date": ((1, 27, 1), ((1, 21, 6),)),
}

_TD1 = Layout(
    Format.TD1,
    height=3,
    width=30,
    long_numbers=True,
    fields=_fields(
        code=(0, 0, 2),
        issuer=(0, 2, 3),
        number=(0, 5, 9),
        optional=(0, 15, 15),
        birth_date=(1, 0, 6),
        sex=(1, 7, 1),
        expiry_date=(1, 8, 6),
        nationality=(1, 15, 3),
        optional_2=(1, 18, 11),
        name=(2, 0, 30),
    ),
    checks=_checks(
        number=((0, 14, 1), ((0, 5, 9),)),
        birth_date=((1, 6, 1), ((1, 0, 6),)),
        expiry_date=((1, 14, 1), ((1, 8, 6),)),
        composite=((1, 29, 1), ((0, 5, 25), (1, 0, 7), (1, 8, 7), (1, 18, 11))),
    ),
)

_TD2 = Layout(
    Format.TD2,
    height=2,
    width=36,
    long_numbers=True,
    fields=_fields(code=(0, 0, 2), issuer=(0, 2, 3), name=(0, 5, 31), **_lower_line(7)),
    checks=_checks(
        **_LOWER_CHECKS,
        composite=((1, 35, 1), ((1, 0, 10), (1, 13, 7), (1, 21, 14))),
    ),
)

_TD3 = Layout(
    Format.TD3,
    height=2,
    width=44,
    fields=_fields(code=(0, 0, 2), issuer=(0, 2, 3), name=(0, 5, 39), **_lower_line(14)),
    checks=_checks(
        **_LOWER_CHECKS,
        optional=((1, 42, 1), ((1, 28, 14),)),
        composite=((1, 43, 1), ((1, 0, 10), (1, 13, 7), (1, 21, 22))),
    ),
)

_MRV_A = Layout(
    Format.MRV_A,
    height=2,
    width=44,
    fields=_fields(code=(0, 0, 2), issuer=(0, 2, 3), name=(0, 5, 39), **_lower_line(16)),
    checks=_checks(**_LOWER_CHECKS),
)

_MRV_B = Layout(
    Format.MRV_B,
    height=2,
    width=36,
    fields=_fields(code=(0, 0, 2), issuer=(0, 2, 3), name=(0, 5, 31), **_lower_line(8)),
    checks=_checks(**_LOWER_CHECKS),
)

_FRA_ID = Layout(
    Format.FRA_ID,
    height=2,
    width=36,
    fields=_fields(
        code=(0, 0, 2),
        issuer=(0, 2, 3),
        surname=(0, 5, 25),
        optional=(0, 30, 6),
        number=(1, 0, 12),
        given_names=(1, 13, 14),
        birth_date=(1, 27, 6),
        sex=(1, 34, 1),
    ),
    checks=_checks(
        number=((1, 12, 1), ((1, 0, 12),)),
        birth_date=((1, 33, 1), ((1, 27, 6),)),
        composite=((1, 35, 1), ((0, 0, 36), (1, 0, 35))),
    ),
)

LAYOUTS: Mapping[Format, Layout] = MappingProxyType(
    {layout.format: layout for layout in (_TD1, _TD2, _TD3, _MRV_A, _MRV_B, _FRA_ID)}
)

WIDTHS: Mapping[int, int] = MappingProxyType(
    {layout.width: layout.height for layout in LAYOUTS.values()}
)
"""How many lines there are of each width."""
