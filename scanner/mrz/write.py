"""A document written as a machine readable zone, and one composed from what a person would say.

Writing is the inverse of parsing: whatever a valid document says comes back when its lines are
parsed on a day that gives its dates the same century. Check digits are always computed; of
`Document.checks` only what tells an empty check digit (None) from a zero is heeded.
"""

from collections.abc import Mapping
from datetime import date

from scanner.mrz import dates, document_codes, document_numbers, names
from scanner.mrz.check_digits import FILLER, check_digit
from scanner.mrz.document import Checks, Document, Format, NumberRule
from scanner.mrz.layouts import CHARACTERS, LAYOUTS, Field, Layout

_SEXES = {None: FILLER, "F": "F", "M": "M", "X": "X"}


def write(document: Document) -> tuple[str, ...]:
    """The lines of a document's MRZ.

    ValueError, naming the field, where it does not fit its format or holds characters that no MRZ
    has.
    """
    layout = LAYOUTS[document.format]
    field, digit, optional = document_numbers.written(
        layout, document.number, document.number_rule, document.optional or ""
    )
    texts = {
        "code": document.code,
        "issuer": document.issuer,
        "number": field,
        "nationality": document.nationality,
        "birth_date": _date("birth_date", document.birth_date),
        "expiry_date": _date("expiry_date", document.expiry_date),
        "sex": _sex(document.sex),
        "optional": optional,
        "optional_2": document.optional_2 or "",
        **_names(layout, document),
    }
    _refuse_what_has_no_field(layout, document)
    rows = [[FILLER] * layout.width for _ in range(layout.height)]
    for name, place in layout.fields.items():
        _put(rows, place, texts[name])
    return _with_check_digits(layout, rows, digit, document.checks)


def compose(
    format_: Format,
    *,
    number: str,
    surname: str,
    given_names: str = "",
    issuer: str | None = None,
    nationality: str | None = None,
    code: str | None = None,
    birth_date: date | str | None = None,
    sex: str | None = None,
    expiry_date: date | str | None = None,
    optional: str | None = None,
    optional_2: str | None = None,
    number_rule: NumberRule | None = None,
) -> Document:
    """A valid document from what a person would say, as parsing its MRZ would give it.

    Names are transliterated and cut as Doc 9303 says. Left out, `issuer` is Utopia (France for a
    FRA-ID), `nationality` the issuer's, `code` the format's plainest and `number_rule` the Doc's
    own for the number's length. Dates may be partial ISO text. ValueError as for `write`.
    """
    layout = LAYOUTS[format_]
    if issuer is None:
        issuer = "FRA" if format_ is Format.FRA_ID else "UTO"
    code = code if code is not None else _PLAINEST[format_]
    if number_rule is None:
        fits = len(number) <= layout.fields["number"].span.length
        number_rule = NumberRule.STANDARD if fits else NumberRule.LONG_WITHOUT_FILLER
    surname, given_names, truncated = _fitted(
        layout, names.transliterated(surname), names.transliterated(given_names)
    )
    birth, expiry = _iso(birth_date), _iso(expiry_date)
    has = layout.checks
    document = Document(
        format=format_,
        code=code,
        issuer=issuer,
        number=number,
        number_rule=number_rule,
        surname=surname,
        given_names=given_names,
        name_truncated=truncated,
        nationality=issuer if nationality is None else nationality,
        birth_date=birth,
        sex=sex,
        expiry_date=expiry,
        optional=optional or None,
        optional_2=optional_2 or None,
        checks=Checks(
            number=True,
            birth_date=True if birth else None,
            expiry_date=True if expiry and "expiry_date" in has else None,
            optional=True if optional and "optional" in has else None,
            composite=True if "composite" in has else None,
        ),
        kind=document_codes.kind_of(code, format_),
    )
    write(document)
    return document


_PLAINEST = {
    Format.TD1: "I",
    Format.TD2: "I",
    Format.TD3: "P",
    Format.MRV_A: "V",
    Format.MRV_B: "V",
    Format.FRA_ID: "ID",
}


def _put(rows: list[list[str]], field: Field, text: str) -> None:
    name, span = field.name, field.span
    if len(text) > span.length:
        raise ValueError(f"{name}: {span.length} characters fit, not {len(text)}")
    if not set(text) <= set(CHARACTERS):
        raise ValueError(f"{name}: only A to Z, 0 to 9 and < can be written")
    rows[span.line][span.start : span.start + span.length] = f"{text:{FILLER}<{span.length}}"


def _with_check_digits(
    layout: Layout, rows: list[list[str]], number_digit: str, checks: Checks
) -> tuple[str, ...]:
    """The rows with their check digits, the composite last since it covers the others."""
    for name, check in layout.checks.items():
        data = check.data(["".join(row) for row in rows])
        digit = number_digit if name == "number" else check_digit(data)
        if name != "composite" and not data.strip(FILLER) and getattr(checks, name) is None:
            digit = FILLER
        rows[check.place.line][check.place.start] = digit
    return tuple("".join(row) for row in rows)


def _date(name: str, iso: str | None) -> str:
    try:
        return dates.written(iso)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _sex(sex: str | None) -> str:
    if sex not in _SEXES:
        raise ValueError("sex: only F, M, X and None can be written")
    return _SEXES[sex]


def _iso(day: date | str | None) -> str | None:
    return day.isoformat() if isinstance(day, date) else day or None


def _refuse_what_has_no_field(layout: Layout, document: Document) -> None:
    for name in ("expiry_date", "optional_2"):
        if name not in layout.fields and getattr(document, name) is not None:
            raise ValueError(f"{name}: a {layout.format} has no such field")
    if layout.format is Format.FRA_ID and (document.issuer, document.nationality) != ("FRA", "FRA"):
        raise ValueError("issuer and nationality: a FRA-ID is French")


def _fitted(layout: Layout, surname: str, given_names: str) -> tuple[str, str, bool]:
    """The names as they fit the layout, and whether they reach the end of their field."""
    if "name" in layout.fields:
        width = layout.fields["name"].span.length
        surname, given_names = names.cut(surname, given_names, width)
        return surname, given_names, len(_joined(surname, given_names)) == width
    widths = [layout.fields[name].span.length for name in ("surname", "given_names")]
    surname, given_names = names.cut_one(surname, widths[0]), names.cut_one(given_names, widths[1])
    return surname, given_names, len(surname) == widths[0] or len(given_names) == widths[1]


def _joined(surname: str, given_names: str) -> str:
    text = f"{surname}{names.SEPARATOR}{given_names}" if given_names else surname
    return text.replace(" ", FILLER)


def _names(layout: Layout, document: Document) -> Mapping[str, str]:
    """What stands in the name fields. ValueError where it would be read back otherwise."""
    surname, given_names = document.surname, document.given_names
    for name in (surname, given_names):
        if name != " ".join(name.split()) or FILLER in name:
            raise ValueError("name: components must be parted by single spaces")
    if not surname and not given_names:
        raise ValueError("name: there must be one")
    one_field = "name" in layout.fields
    texts = (
        {"name": _joined(surname, given_names)} if one_field else _french_names(layout, document)
    )
    reaches = any(len(text) == layout.fields[name].span.length for name, text in texts.items())
    if reaches is not document.name_truncated:
        raise ValueError("name: name_truncated must say whether the name fills its field")
    return texts


def _french_names(layout: Layout, document: Document) -> dict[str, str]:
    """Given names parted by two fillers, where that neither overflows nor changes whether the
    field is full; by one where it would."""
    surname = document.surname.replace(" ", FILLER)
    components = document.given_names.split()
    room = layout.fields["given_names"].span.length - len(FILLER.join(components))
    if not document.name_truncated:
        room -= 1
    doubled = max(0, min(room, len(components) - 1))
    given_names = "".join(
        component + FILLER * (2 if i < doubled else 1) for i, component in enumerate(components)
    )
    return {"surname": surname, "given_names": given_names.rstrip(FILLER)}
