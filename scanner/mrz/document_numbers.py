"""Document numbers over nine characters (TD1, TD2).

The first nine stand in the field, a filler where the check digit would be, and the rest, its check
digit and a filler at the start of the optional data (Doc 9303-5 §4.2.2 note j and §4.2.4, Doc
9303-6 likewise). The Doc leaves the filler out of the check digit; some cards count it, so both are
accepted and which it was is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from scanner.mrz.check_digits import FILLER, VALUES, check_digit, holds
from scanner.mrz.document import NumberRule
from scanner.mrz.layouts import Layout
from scanner.mrz.reading import UNKNOWN


@dataclass(frozen=True)
class ReadNumber:
    """The whole number, how it was printed, whether its check digit holds, and what of the
    optional data is not of it."""

    text: str
    rule: NumberRule
    check: bool | None
    optional: str


def read_number(layout: Layout, lines: Sequence[str]) -> ReadNumber:
    """The document number of lines of the layout's size."""
    field = layout.fields["number"].text(lines)
    optional = layout.fields["optional"].text(lines)
    printed = layout.checks["number"].printed(lines)
    if layout.long_numbers and printed == FILLER and FILLER not in field:
        long = _read_long(field, optional)
        if long is not None:
            return long
    return ReadNumber(
        text=field.rstrip(FILLER),
        rule=NumberRule.STANDARD,
        check=holds(field, printed),
        optional=optional.rstrip(FILLER),
    )


def _read_long(field: str, optional: str) -> ReadNumber | None:
    tail, _, further = optional.partition(FILLER)
    rest, digit = tail[:-1], tail[-1:]
    if not rest or not (digit.isdecimal() or digit == UNKNOWN):
        return None
    number = field + rest
    rule, check = NumberRule.LONG_WITHOUT_FILLER, holds(number, digit)
    if check is False and holds(field + FILLER + rest, digit):
        rule, check = NumberRule.LONG_WITH_FILLER, True
    return ReadNumber(number, rule, check, further.rstrip(FILLER))


def written(layout: Layout, number: str, rule: NumberRule, optional: str) -> tuple[str, str, str]:
    """The number field, its check digit and the optional data, unpadded for the last.

    ValueError where the number does not fit the rule or the format.
    """
    width = layout.fields["number"].span.length
    if not VALUES.keys() >= set(number):
        raise ValueError("number: only A to Z, 0 to 9 and < can be written")
    if rule is NumberRule.STANDARD:
        if not 0 < len(number) <= width:
            raise ValueError(f"number: 1 to {width} characters fit, not {len(number)}")
        field = f"{number:{FILLER}<{width}}"
        return field, check_digit(field), optional
    room = layout.fields["optional"].span.length - 2
    if not layout.long_numbers:
        raise ValueError(f"number: {layout.format} has no room for more than {width} characters")
    if not width < len(number) <= width + room or FILLER in number:
        raise ValueError(f"number: a long one has {width + 1} to {width + room} characters")
    field, rest = number[:width], number[width:]
    between = FILLER if rule is NumberRule.LONG_WITH_FILLER else ""
    digit = check_digit(field + between + rest)
    return field, FILLER, f"{rest}{digit}{FILLER}{optional}".rstrip(FILLER)
