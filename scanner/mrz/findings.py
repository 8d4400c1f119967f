"""What an officer should know of a parsed document: each rule is a small function over it.

Messages never repeat names or numbers; they say what and where, counting from 1 as Doc 9303 does.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from scanner.mrz import document_codes, states
from scanner.mrz.codes import FindingCode
from scanner.mrz.dates import ReadDate, is_over
from scanner.mrz.document import Document, Finding, Kind
from scanner.mrz.layouts import DIGITS, Layout
from scanner.mrz.reading import UNKNOWN
from scanner.said import said

_WORDS = {
    "code": said("document code"),
    "issuer": said("issuing State"),
    "number": said("document number"),
    "name": said("name"),
    "surname": said("surname"),
    "given_names": said("given names"),
    "nationality": said("nationality"),
    "birth_date": said("date of birth"),
    "sex": said("sex"),
    "expiry_date": said("date of expiry"),
    "optional": said("optional data"),
    "optional_2": said("second optional data"),
    "composite": said("composite"),
}

_DATE_PROBLEMS = {
    FindingCode.DATE: said("does not exist"),
    FindingCode.DATE_CHARACTERS: said("has letters in it"),
}

_NO_EXPIRY_IN_USE = frozenset({"RUS"})
DIGITS_IN_NAMES_IN_USE = frozenset({"RUS"})
"""Russian internal documents leave the expiry out and spell Cyrillic letters with digits."""

_HOLDER_IS_A_NATIONAL = (Kind.PASSPORT, Kind.IDENTITY, Kind.CREW)


def find(
    layout: Layout,
    lines: Sequence[str],
    document: Document,
    dates: dict[str, ReadDate],
    today: date,
) -> Iterator[Finding]:
    """Every finding of a document, in the order in which an officer wants them."""
    yield from _unknown_characters(layout, lines)
    yield from _check_digits(layout, document)
    yield from _code(document)
    yield from _states(document)
    yield from _number(document)
    yield from _dates(document, dates, today)
    yield from _sex(layout, lines)
    yield from _names(document)


def _unknown_characters(layout: Layout, lines: Sequence[str]) -> Iterator[Finding]:
    if not any(UNKNOWN in line for line in lines):
        return
    places = [(name, field.span) for name, field in layout.fields.items()]
    places += [(name, check.place) for name, check in layout.checks.items()]
    for name, span in places:
        if UNKNOWN in span.text(lines):
            yield Finding(
                FindingCode.UNKNOWN_CHARACTER,
                name,
                said(
                    "a character of the {field} could not be read (line {line}, position "
                    "{position})",
                    field=_WORDS[name],
                    line=span.line + 1,
                    position=span.start + span.text(lines).index(UNKNOWN) + 1,
                ),
            )


def _check_digits(layout: Layout, document: Document) -> Iterator[Finding]:
    for name, check in layout.checks.items():
        if getattr(document.checks, name) is False:
            yield Finding(
                FindingCode.CHECK_DIGIT,
                name,
                said(
                    "the {field} check digit is wrong as printed (line {line}, position "
                    "{position})",
                    field=_WORDS[name],
                    line=check.place.line + 1,
                    position=check.place.start + 1,
                ),
            )


def _code(document: Document) -> Iterator[Finding]:
    code = document.code
    if UNKNOWN in code or document_codes.is_known(code, document.format):
        return
    if document_codes.is_legacy_passport(code, document.format, document.expiry_date):
        yield Finding(
            FindingCode.LEGACY_CODE,
            "code",
            said("the passport's second letter is its issuer's own, as was allowed before 2026"),
            note=True,
        )
    else:
        yield Finding(
            FindingCode.UNKNOWN_CODE,
            "code",
            said(
                "the document code is none that Doc 9303 allows on a {format}",
                format=document.format,
            ),
        )


def _states(document: Document) -> Iterator[Finding]:
    issuer, nationality = document.issuer, document.nationality
    if UNKNOWN not in issuer and states.name_of(issuer) is None:
        yield Finding(
            FindingCode.UNKNOWN_ISSUER,
            "issuer",
            said("no State or organisation has the issuer's code"),
        )
    if not nationality and document.kind is Kind.PASSPORT:
        yield Finding(
            FindingCode.NO_NATIONALITY,
            "nationality",
            said("the nationality is left out"),
            note=True,
        )
    elif UNKNOWN not in nationality and states.name_of(nationality) is None:
        yield Finding(
            FindingCode.UNKNOWN_NATIONALITY,
            "nationality",
            said("no nationality has the code printed"),
        )
    if document.kind in _HOLDER_IS_A_NATIONAL and _one_letter_apart(issuer, nationality):
        yield Finding(
            FindingCode.ISSUER_NATIONALITY,
            "issuer",
            said("issuer and nationality differ in one letter: perhaps altered or misread"),
        )


def _one_letter_apart(issuer: str, nationality: str) -> bool:
    """Both known, not the same State under two codes, and different in exactly one position."""
    return (
        issuer in states.CODES
        and nationality in states.CODES
        and nationality not in states.aliases(issuer)
        and states.letters_apart(issuer, nationality) == 1
    )


def _number(document: Document) -> Iterator[Finding]:
    if not document.number:
        yield Finding(FindingCode.NO_NUMBER, "number", said("the document number is empty"))


def _dates(document: Document, dates: dict[str, ReadDate], today: date) -> Iterator[Finding]:
    for field, read in dates.items():
        if read.problem:
            yield Finding(
                read.problem,
                field,
                said(
                    "the {field} {problem}",
                    field=_WORDS[field],
                    problem=_DATE_PROBLEMS[read.problem],
                ),
            )
    birth, expiry = dates["birth_date"], dates.get("expiry_date")
    if _is_partial(birth):
        yield _partial("birth_date", note=True)
    if expiry is None:
        return
    if expiry.iso is None and not expiry.problem and document.checks.expiry_date is None:
        yield Finding(
            FindingCode.NO_EXPIRY,
            "expiry_date",
            said("the date of expiry is left out"),
            note=document.issuer in _NO_EXPIRY_IN_USE,
        )
    elif _is_partial(expiry):
        yield _partial("expiry_date", note=False)
    if expiry.iso and not expiry.problem and is_over(expiry.iso, today):
        yield Finding(
            FindingCode.EXPIRED,
            "expiry_date",
            said("the document expired on {day}", day=expiry.iso),
            note=True,
        )


def _is_partial(read: ReadDate) -> bool:
    return not read.problem and (read.iso is None or len(read.iso) < len("YYYY-MM-DD"))


def _partial(field: str, *, note: bool) -> Finding:
    return Finding(
        FindingCode.PARTIAL_DATE,
        field,
        said("parts of the {field} are left out", field=_WORDS[field]),
        note=note,
    )


def _sex(layout: Layout, lines: Sequence[str]) -> Iterator[Finding]:
    field = layout.fields["sex"]
    printed = field.text(lines)
    if printed not in field.alphabet and printed != UNKNOWN:
        yield Finding(
            FindingCode.SEX,
            "sex",
            said(
                "the sex is none of F, M, X and < (line {line}, position {position})",
                line=field.span.line + 1,
                position=field.span.start + 1,
            ),
        )


def _names(document: Document) -> Iterator[Finding]:
    names = {"surname": document.surname, "given_names": document.given_names}
    if not any(names.values()):
        yield Finding(FindingCode.NO_NAME, "surname", said("there is no name"))
    if document.issuer not in DIGITS_IN_NAMES_IN_USE:
        for field, name in names.items():
            if any(character in DIGITS for character in name):
                yield Finding(
                    FindingCode.NAME_CHARACTERS,
                    field,
                    said("there are digits in the {field}", field=_WORDS[field]),
                )
    if document.name_truncated:
        yield Finding(
            FindingCode.NAME_TRUNCATED,
            "given_names" if document.given_names else "surname",
            said("the name fills its field: assume that it was cut"),
            note=True,
        )
