"""What somebody types into the history's search, as the store's indexes can find it.

A document number is found however it is written (hyphens, spaces, small letters) and by how it
begins; a name by how the surname or the given names begin, spelled as a passport's machine-readable
zone spells it; an issuing State by its code; an alert by its id. Each way of reading what was typed
is a condition of its own, so that each can use its own index.

What is rare is found by the index of the name or number, and sorted; what is frequent is found soon
on a walk from the newest back. PostgreSQL knows by its statistics which it is. SQLite does not, so
there it is counted first, up to a limit, and the index is hidden from it for what is frequent.
"""

import re
import unicodedata
from collections.abc import Iterator

import sqlalchemy as sa

from central.store.schema import alerts

SHORTEST_NUMBER = 2
FREQUENT = 5_000
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


Condition = sa.ColumnElement[bool]


def meant(typed: str, db: sa.Connection) -> Iterator[tuple[Condition, "Columns"]]:
    """Each way of understanding `typed`, and how to write what else is asked of the alerts beside
    it; an alert that any of them finds is meant."""
    dialect = db.dialect.name
    plain, hidden = Columns(dialect), Columns(dialect, hidden=dialect == "sqlite")
    for by_index, walk in zip(_meanings(typed, plain), _meanings(typed, hidden), strict=True):
        if dialect == "sqlite" and _is_frequent(db, by_index):
            yield walk, plain
        else:
            yield by_index, hidden


class Columns:
    """How columns are written in a condition; `hidden`, where no index may serve them."""

    def __init__(self, dialect: str, *, hidden: bool = False) -> None:
        self._dialect = dialect
        self._hidden = hidden

    def is_(self, column: sa.Column[str], value: str) -> Condition:
        """Has this value."""
        return self._shown(column) == value

    def begins(self, column: sa.Column[str], start: str) -> Condition:
        """As a range, which an index serves; in PostgreSQL byte by byte, whatever its locale."""
        if self._dialect == "postgresql":
            return sa.and_(column.op("~>=~")(start), column.op("~<~")(start + _LAST))
        shown = self._shown(column)
        return sa.and_(shown >= start, shown < start + _LAST)

    def _shown(self, column: sa.Column[str]) -> sa.ColumnElement[str]:
        return column.concat("") if self._hidden else column


def _is_frequent(db: sa.Connection, condition: Condition) -> bool:
    some = sa.select(sa.literal(1)).select_from(alerts).where(condition).limit(FREQUENT).subquery()
    return db.scalar(sa.select(sa.func.count()).select_from(some)) == FREQUENT


def _meanings(typed: str, of: Columns) -> list[Condition]:
    if _ID.fullmatch(typed.strip().lower()):
        return [of.is_(alerts.c.id, typed.strip().lower())]
    return [*_of_number(typed, of), *_of_names(typed, of), *_of_issuer(typed, of)]


def _of_number(typed: str, of: Columns) -> Iterator[Condition]:
    number = re.sub(r"[^A-Z0-9]", "", typed.upper())
    if len(number) >= SHORTEST_NUMBER:
        yield of.begins(alerts.c.number, number)


def _of_names(typed: str, of: Columns) -> Iterator[Condition]:
    """The whole as a surname or as given names, and each split of it into both."""
    for name in sorted(_spellings(typed)):
        words = name.split()
        if not words or any(character.isdigit() for character in name):
            continue
        yield of.begins(alerts.c.surname, name)
        yield of.begins(alerts.c.given_names, name)
        for cut in range(1, min(len(words), 5)):
            first, second = " ".join(words[:cut]), " ".join(words[cut:])
            for surname, given in ((first, second), (second, first)):
                yield sa.and_(
                    of.begins(alerts.c.surname, surname),
                    of.begins(alerts.c.given_names, given),
                )


def _of_issuer(typed: str, of: Columns) -> Iterator[Condition]:
    code = typed.strip().upper()
    if re.fullmatch(r"[A-Z]{1,3}", code):
        yield of.is_(alerts.c.issuer, code)


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
