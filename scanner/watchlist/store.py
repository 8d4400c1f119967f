"""Asks one version of a list what a scan asks, and says how surely each record answers.

Records are filed under a keyed hash of issuer and skeleton (`listkey`), so one look-up gives the
number as asked and every look-alike of it; the tag tells the two apart. Questions of one skeleton
are looked up once. Ranges of stolen blanks are compared in plain string order, unfolded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from scanner.mrz.document import KINDS, Kind
from scanner.said import joined, said
from scanner.watchlist.contract import (
    AskedAs,
    Certainty,
    ListStatus,
    Match,
    Question,
    damaged,
)
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import Manifest
from scanner.watchlist.records import TAG_BITS, Record, date_of, kind_of, status_of
from scanner.watchlist.version import Version, open_version

_TAG = (1 << TAG_BITS) - 1
_FAR_GUESSES = {AskedAs.LOOK_ALIKE, AskedAs.ISSUER_LOOK_ALIKE, AskedAs.NATIONALITY_AS_ISSUER}
"""One guess at a time: only an equal number of an equal kind answers these. Otherwise a common
number would be found at some State or other, and true hits would be buried."""

_GUESSED = {
    AskedAs.CANDIDATE: said("a number that the doubtful characters may stand for is listed"),
    AskedAs.LOOK_ALIKE: said("a number that a camera may confuse with the one read is listed"),
    AskedAs.ISSUER_LOOK_ALIKE: said("listed for a State whose code differs in one letter"),
    AskedAs.NATIONALITY_AS_ISSUER: said("listed for the State of the holder's nationality"),
}


@dataclass(frozen=True)
class _Answer:
    """A record or a range as it answers a number: `same_number` or one that looks alike."""

    identity: tuple[object, ...]
    same_number: bool
    kind: Kind
    status: ListStatus
    recorded: date


class Store:
    """One version of one list, open under its key. Safe to ask from several threads."""

    def __init__(self, version: Version, key: ListKey) -> None:
        self._version = version
        self._key = key

    @property
    def name(self) -> str:
        return self._version.manifest.name

    @property
    def version(self) -> int:
        return self._version.manifest.version

    @property
    def as_of(self) -> datetime:
        return self._version.manifest.as_of

    def look_up(self, questions: Sequence[Question]) -> tuple[Match, ...]:
        """Every record that answers one of the questions, once, in the best light: an exact
        answer before a possible one, an earlier question before a later one. Raises ListDamaged."""
        best: dict[tuple[object, ...], Match] = {}
        found: dict[int, tuple[Record, ...]] = {}
        for question in questions:
            key = self._key.key(question.issuer, question.number)
            if key not in found:
                found[key] = self._version.find(key)
            for answer in self._answers(question, found[key]):
                match = self._match(question, answer)
                known = best.setdefault(answer.identity, match)
                if match.certainty is Certainty.EXACT is not known.certainty:
                    best[answer.identity] = match
        return tuple(best.values())

    def close(self) -> None:
        """Closes the files; the store answers nothing afterwards."""
        self._version.close()

    def _answers(self, question: Question, records: Sequence[Record]) -> Iterator[_Answer]:
        near = self._near(question, records)
        if question.asked_as not in _FAR_GUESSES:
            return near
        return (one for one in near if one.same_number and one.kind is question.kind)

    def _near(self, question: Question, records: Sequence[Record]) -> Iterator[_Answer]:
        """Every record of the number, whatever its kind, and of those that look like it."""
        tag = self._key.exact(question.issuer, question.number) & _TAG if records else 0
        for record in records:
            yield self._answer(record, record.tag == tag)
        for span in self._version.ranges.covering(question.issuer, question.number):
            yield _Answer((span,), True, span.kind, span.status, span.recorded)

    def _answer(self, record: Record, same_number: bool) -> _Answer:
        try:
            kind, status = kind_of(record.class_byte), status_of(record.class_byte)
        except ValueError as error:
            raise damaged(
                said("list {list}", list=self.name),
                said("a record cannot be read: {error}", error=error),
                self._version.base.folder,
            ) from None
        identity = (record.key, record.rest)
        return _Answer(identity, same_number, kind, status, date_of(record.day))

    def _match(self, question: Question, answer: _Answer) -> Match:
        doubts: list[str] = []
        if not answer.same_number:
            doubts.append(said("look-alike of a listed number"))
        if answer.kind is not question.kind:
            doubts.append(
                said("listed as another kind of document, {kind}", kind=KINDS[answer.kind])
            )
        if not question.exact:
            doubts.append(_GUESSED.get(question.asked_as, said("the number was not read surely")))
        return Match(
            list=self.name,
            certainty=Certainty.POSSIBLE if doubts else Certainty.EXACT,
            status=answer.status,
            kind=answer.kind,
            recorded=answer.recorded,
            asked_as=question.asked_as,
            why=joined(doubts),
        )


def open_store(lists: Path, manifest: Manifest, key: ListKey) -> Store:
    """Opens one version of a list. Raises ListDamaged."""
    return Store(open_version(lists, manifest, key), key)
