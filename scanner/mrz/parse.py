"""Lines of a machine readable zone in, a document or a typed reason why not out.

Nothing is repaired: the lines are upper-cased and freed of white space around them, and what is
printed wrongly stays so and becomes a finding. `?` stands for a character that nobody could read;
there is a document all the same, with a finding, and no verdict from the check digits over it.
Parsing is total: every text gives an answer, none raises.
"""

from collections.abc import Sequence
from datetime import date

from scanner.mrz import document_codes, names
from scanner.mrz.check_digits import FILLER
from scanner.mrz.choose import choose, read_checks
from scanner.mrz.codes import ReasonCode
from scanner.mrz.dates import ReadDate, read_birth_date, read_expiry_date
from scanner.mrz.document import Document, Format, Parsed, Reason
from scanner.mrz.document_numbers import ReadNumber, read_number
from scanner.mrz.findings import find
from scanner.mrz.layouts import CHARACTERS, LAYOUTS, WIDTHS, Layout
from scanner.mrz.reading import UNKNOWN
from scanner.said import said

UPPER = {ord(lower): ord(lower) - 32 for lower in "abcdefghijklmnopqrstuvwxyz"}
"""Only A to Z have an upper case here: no other letter may turn into one of them."""

_ALLOWED = frozenset(CHARACTERS + UNKNOWN)
_SEXES = {"F": "F", "M": "M", "X": "X"}


def parse(lines: Sequence[str], today: date) -> Parsed:
    """What the lines of one document say. `today` settles centuries and what has expired."""
    printed = tuple(stripped for line in lines if (stripped := normalised(line)))
    reason = _why_not(printed)
    if reason:
        return Parsed(printed, None, reason=reason)
    layout = choose(printed)
    number = read_number(layout, printed)
    dates = _dates(layout, printed, today)
    document = _document(layout, printed, number, dates)
    return Parsed(printed, document, tuple(find(layout, printed, document, dates, today)))


def is_sound(parsed: Parsed) -> bool:
    """Whether nothing about the document asks for a closer look.

    There is a document and no finding but notes; the check digits of the number and, where the
    format has one, of the whole hold; so do those of the dates and the optional data, save where
    field and check digit are legitimately both left empty (an unknown date of birth, a Russian
    internal document's expiry, a TD3's optional data).
    """
    document = parsed.document
    if document is None or not all(finding.note for finding in parsed.findings):
        return False
    has_composite = "composite" in LAYOUTS[document.format].checks
    checks = document.checks
    return (
        checks.number is True
        and (checks.composite is True or not has_composite)
        and False not in (checks.birth_date, checks.expiry_date, checks.optional)
    )


def normalised(line: str) -> str:
    """A line in upper case, without the white space around it."""
    return line.strip().translate(UPPER)


def _why_not(lines: Sequence[str]) -> Reason | None:
    if not lines:
        return Reason(
            ReasonCode.EMPTY, said("there is no text: give the two or three lines of an MRZ")
        )
    for i, line in enumerate(lines):
        if not _ALLOWED.issuperset(line):
            at = next(k for k, character in enumerate(line) if character not in _ALLOWED)
            return Reason(
                ReasonCode.CHARACTERS,
                said(
                    "line {line}, position {position}: U+{code} cannot stand in an MRZ, only A to "
                    "Z, 0 to 9 and < can (? for one that could not be read)",
                    line=i + 1,
                    position=at + 1,
                    code=f"{ord(line[at]):04X}",
                ),
            )
    if len(lines) == 1:
        return Reason(
            ReasonCode.SINGLE_LINE,
            said(
                "one line only, of {count} characters: a driving licence's, or the other "
                "lines are missing (a travel document has two or three)",
                count=len(lines[0]),
            ),
        )
    return _why_no_layout(lines)


def _why_no_layout(lines: Sequence[str]) -> Reason | None:
    width = len(lines[0])
    for i, line in enumerate(lines):
        if len(line) != width:
            return Reason(
                ReasonCode.MIXED_LENGTHS,
                said(
                    "line {line} has {count} characters, line 1 has {width}: all lines of a "
                    "document are equally long",
                    line=i + 1,
                    count=len(line),
                    width=width,
                ),
            )
    if width not in WIDTHS:
        return Reason(
            ReasonCode.LINE_LENGTH,
            said("the lines have {width} characters: an MRZ has 30, 36 or 44", width=width),
        )
    if len(lines) != WIDTHS[width]:
        return Reason(
            ReasonCode.LINE_COUNT,
            said(
                "{count} lines of {width} characters: there must be {expected}",
                count=len(lines),
                width=width,
                expected=WIDTHS[width],
            ),
        )
    return None


def _dates(layout: Layout, lines: Sequence[str], today: date) -> dict[str, ReadDate]:
    dates = {"birth_date": read_birth_date(layout.fields["birth_date"].text(lines), today)}
    if "expiry_date" in layout.fields:
        dates["expiry_date"] = read_expiry_date(layout.fields["expiry_date"].text(lines), today)
    return dates


def _document(
    layout: Layout, lines: Sequence[str], number: ReadNumber, dates: dict[str, ReadDate]
) -> Document:
    def text(name: str) -> str:
        field = layout.fields.get(name)
        return field.text(lines).rstrip(FILLER) if field else ""

    code = text("code")
    surname, given_names, truncated = _names(layout, lines)
    return Document(
        format=layout.format,
        code=code,
        issuer=text("issuer"),
        number=number.text,
        number_rule=number.rule,
        surname=surname,
        given_names=given_names,
        name_truncated=truncated,
        nationality="FRA" if layout.format is Format.FRA_ID else text("nationality"),
        birth_date=dates["birth_date"].iso,
        sex=_SEXES.get(text("sex")),
        expiry_date=dates["expiry_date"].iso if "expiry_date" in dates else None,
        optional=number.optional or None,
        optional_2=text("optional_2") or None,
        checks=read_checks(layout, lines, number),
        kind=document_codes.kind_of(code, layout.format),
    )


def _names(layout: Layout, lines: Sequence[str]) -> tuple[str, str, bool]:
    fields = layout.fields
    if "name" in fields:
        field = fields["name"].text(lines)
        return *names.split(field), names.reaches_the_end(field)
    surname, given_names = fields["surname"].text(lines), fields["given_names"].text(lines)
    return (
        names.spaced(surname),
        names.spaced(given_names),
        names.reaches_the_end(surname) or names.reaches_the_end(given_names),
    )
