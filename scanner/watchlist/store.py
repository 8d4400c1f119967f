"""The list's store: one SQLite file a version, read-only, found whole before it is asked.

Records are keyed by issuer and the number's skeleton, so one index look-up gives the number as
asked and every look-alike of it. Ranges of stolen blanks are keyed by issuer and length and
compared in plain string order; `reach`, the largest upper end of all ranges that start no later,
says where a walk down from the number can stop.

Opening reads the whole file once against the size and SHA-256 in its manifest. An error of SQLite
afterwards is a damaged list, never an answer.
"""

import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from urllib.parse import quote

from scanner.mrz.document import Kind
from scanner.watchlist.contract import (
    AskedAs,
    Certainty,
    ListDamaged,
    ListStatus,
    Match,
    Question,
)
from scanner.watchlist.manifest import Manifest
from scanner.watchlist.skeleton import skeleton

SCHEMA = """
CREATE TABLE record (
  issuer TEXT NOT NULL, skeleton TEXT NOT NULL, number TEXT NOT NULL, kind TEXT NOT NULL,
  status TEXT NOT NULL, recorded TEXT NOT NULL,
  PRIMARY KEY (issuer, skeleton, number, kind)
) WITHOUT ROWID, STRICT;
CREATE TABLE range (
  issuer TEXT NOT NULL, length INTEGER NOT NULL, low TEXT NOT NULL, high TEXT NOT NULL,
  kind TEXT NOT NULL, status TEXT NOT NULL, recorded TEXT NOT NULL, reach TEXT NOT NULL,
  PRIMARY KEY (issuer, length, low, high, kind)
) WITHOUT ROWID, STRICT;
"""
RECORDS = "SELECT number, kind, status, recorded FROM record WHERE issuer = ? AND skeleton = ?"
RANGES = (
    "SELECT low, high, kind, status, recorded, reach FROM range"
    " WHERE issuer = ? AND length = ? AND low <= ? ORDER BY low DESC"
)

_BLOCK = 1024 * 1024
_FAR_GUESSES = {AskedAs.LOOK_ALIKE, AskedAs.ISSUER_LOOK_ALIKE, AskedAs.NATIONALITY_AS_ISSUER}
"""One guess at a time: only an equal number of an equal kind answers these. Otherwise a common
number would be found at some State or other, and true hits would be buried."""

_GUESSED = {
    AskedAs.CANDIDATE: "a number that the doubtful characters may stand for is listed",
    AskedAs.LOOK_ALIKE: "a number that a camera may confuse with the one read is listed",
    AskedAs.ISSUER_LOOK_ALIKE: "listed for a State whose code differs in one letter",
    AskedAs.NATIONALITY_AS_ISSUER: "listed for the State of the holder's nationality",
}


@dataclass(frozen=True)
class _Record:
    """A record or a range as it answers a number: `same_number` or one that looks alike."""

    key: tuple[str, ...]
    same_number: bool
    kind: Kind
    status: ListStatus
    recorded: date


class Store:
    """One version of one list, open and whole. Safe to ask from several threads."""

    def __init__(self, manifest: Manifest, path: Path, connection: sqlite3.Connection) -> None:
        self._manifest = manifest
        self._path = path
        self._connection = connection
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._manifest.name

    @property
    def version(self) -> int:
        return self._manifest.version

    @property
    def as_of(self) -> datetime:
        return self._manifest.as_of

    def look_up(self, questions: Sequence[Question]) -> tuple[Match, ...]:
        """Every record that answers one of the questions, once, in the best light: an exact
        answer before a possible one, an earlier question before a later one. Raises ListDamaged."""
        best: dict[tuple[str, ...], Match] = {}
        try:
            with self._lock:
                for question in questions:
                    for record in self._answers(question):
                        match = self._match(question, record)
                        known = best.setdefault(record.key, match)
                        if match.certainty is Certainty.EXACT is not known.certainty:
                            best[record.key] = match
        except (sqlite3.Error, ValueError) as error:
            raise ListDamaged(
                f"{self._path}: the list cannot be read ({type(error).__name__}); "
                "fetch or build it again"
            ) from None
        return tuple(best.values())

    def close(self) -> None:
        """Closes the file; the store answers nothing afterwards."""
        with self._lock:
            self._connection.close()

    def _answers(self, question: Question) -> Iterator[_Record]:
        near = self._near(question.issuer, question.number)
        if question.asked_as not in _FAR_GUESSES:
            return near
        return (one for one in near if one.same_number and one.kind is question.kind)

    def _near(self, issuer: str, number: str) -> Iterator[_Record]:
        """Every record of the number, whatever its kind, and of those that look like it."""
        rows = self._connection.execute(RECORDS, (issuer, skeleton(number)))
        for listed, kind, status, recorded in rows:
            record = (issuer, listed, kind)
            yield _Record(record, listed == number, *_typed(kind, status, recorded))
        ranges = self._connection.execute(RANGES, (issuer, len(number), number))
        for low, high, kind, status, recorded, reach in ranges:
            if reach < number:
                break
            if number <= high:
                span = (issuer, low, high, kind)
                yield _Record(span, True, *_typed(kind, status, recorded))

    def _match(self, question: Question, record: _Record) -> Match:
        doubts = []
        if not record.same_number:
            doubts.append("look-alike of a listed number")
        if record.kind is not question.kind:
            doubts.append(f"listed as another kind of document, {record.kind.value}")
        if not question.exact:
            doubts.append(_GUESSED.get(question.asked_as, "the number was not read surely"))
        return Match(
            list=self.name,
            certainty=Certainty.POSSIBLE if doubts else Certainty.EXACT,
            status=record.status,
            kind=record.kind,
            recorded=record.recorded,
            asked_as=question.asked_as,
            why="; ".join(doubts),
        )


def _typed(kind: str, status: str, recorded: str) -> tuple[Kind, ListStatus, date]:
    return Kind(kind), ListStatus(status), date.fromisoformat(recorded)


def open_store(folder: Path, manifest: Manifest) -> Store:
    """Opens one version of a list and finds it whole. Raises ListDamaged when it is not."""
    path = folder / manifest.file
    _verify(path, manifest)
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1",
            uri=True,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise ListDamaged(f"{path}: the list cannot be opened ({error})") from None
    return Store(manifest, path, connection)


def _verify(path: Path, manifest: Manifest) -> None:
    """Reads the whole file against its manifest. Raises ListDamaged."""
    again = "fetch or build the list again"
    try:
        with path.open("rb") as file:
            digest, size = hashlib.sha256(), 0
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except FileNotFoundError:
        raise ListDamaged(f"{path}: the file is missing; {again}") from None
    except OSError as error:
        raise ListDamaged(f"{path}: {error.strerror or error}; {again}") from None
    if size != manifest.size:
        raise ListDamaged(
            f"{path}: the file has {size} bytes, its manifest says {manifest.size}; {again}"
        )
    if digest.hexdigest() != manifest.sha256:
        raise ListDamaged(f"{path}: the content is not what its manifest says; {again}")
