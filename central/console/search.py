"""What somebody types into the history's search, as the store's indexes can find it.

A document number is found however it is written (hyphens, spaces, small letters) and by how it
begins; a name by how the surname or the given names begin, spelled as a passport's machine-readable
zone spells it; an issuing State by its code; an alert by its id. Each way of reading what was typed
is a condition of its own, so that each can use its own index.
"""

import re
import unicodedata
from collections.abc import Iterator

import sqlalchemy as sa

from central.schema import alerts

SHORTEST_NUMBER = 2
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LAST = "\U0010ffff"
_LETTERS = {
    "Ä": "AE",
    "Ö": "OE",
    "Ü": "UE",
    "Å": "AA",
    "Æ": "AE",
    "Ø": "OE",
    "Œ": "OE",
    "Þ": "TH",
    "Ð": "D",
    "Đ": "D",
    "Ł": "L",
}
"""Doc 9303's recommended transliterations, where dropping an accent is not what it recommends."""


def conditions(typed: str, dialect: str) -> list[sa.ColumnElement[bool]]:
    """Each way of understanding `typed`; an alert that any of them finds is meant."""
    if _ID.fullmatch(typed.strip().lower()):
        return [alerts.c.id == typed.strip().lower()]
    return [*_of_number(typed, dialect), *_of_names(typed, dialect), *_of_issuer(typed)]


def _of_number(typed: str, dialect: str) -> Iterator[sa.ColumnElement[bool]]:
    number = re.sub(r"[^A-Z0-9]", "", typed.upper())
    if len(number) >= SHORTEST_NUMBER:
        yield _begins(alerts.c.number, number, dialect)


def _of_names(typed: str, dialect: str) -> Iterator[sa.ColumnElement[bool]]:
    """The whole as a surname or as given names, and each split of it into both."""
    for name in _spellings(typed):
        words = name.split()
        if not words or any(character.isdigit() for character in name):
            continue
        yield _begins(alerts.c.surname, name, dialect)
        yield _begins(alerts.c.given_names, name, dialect)
        for cut in range(1, min(len(words), 5)):
            first, second = " ".join(words[:cut]), " ".join(words[cut:])
            for surname, given in ((first, second), (second, first)):
                yield sa.and_(
                    _begins(alerts.c.surname, surname, dialect),
                    _begins(alerts.c.given_names, given, dialect),
                )


def _of_issuer(typed: str) -> Iterator[sa.ColumnElement[bool]]:
    code = typed.strip().upper()
    if re.fullmatch(r"[A-Z]{1,3}", code):
        yield alerts.c.issuer == code


def _spellings(typed: str) -> set[str]:
    """As the machine-readable zone writes it, with the letters that it has no other way to write
    both spelled out and bare."""
    upper = re.sub(r"['’`´]", "", typed.upper())
    spelled_out = "".join(_LETTERS.get(letter, letter) for letter in upper)
    return {_bare(upper), _bare(spelled_out)}


def _bare(name: str) -> str:
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", name)
        if not unicodedata.combining(letter)
    )
    return " ".join(re.sub(r"[^A-Z0-9]+", " ", plain).split())


def _begins(column: sa.Column[str], start: str, dialect: str) -> sa.ColumnElement[bool]:
    """As a range, which an index serves; in PostgreSQL byte by byte, whatever its locale."""
    if dialect == "postgresql":
        return sa.and_(column.op("~>=~")(start), column.op("~<~")(start + _LAST))
    return sa.and_(column >= start, column < start + _LAST)
