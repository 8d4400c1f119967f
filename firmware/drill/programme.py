"""What a trainee goes through: specimens in the order of the programme, and what is right of each.

There is an exercise for every kind of verdict and for each answer that central can give. What is
right is a set, for an officer may refer a hit or keep its document and be right both times; what is
wrong is what would let a traveller pass who should not, or keep one who should go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from firmware.demo.catalogue import SPECIMENS, Specimen
from scanner.alert import AnswerOutcome
from scanner.mrz.document import Document
from scanner.said import Said, said
from scanner.verdict import Outcome

SPECIMENS_ISSUER = "UTO"
"""Utopia: no State issues documents under this code."""
_TELLING = (
    *("format", "issuer", "number", "surname", "given_names"),
    *("nationality", "birth_date", "sex", "expiry_date"),
)


class Setting(StrEnum):
    """How a specimen is put to the trainee."""

    PICTURE = "picture"
    UNREADABLE = "unreadable"
    """As a picture that nobody could read; its lines are shown to type from."""
    OLD_LISTS = "old_lists"
    """As a picture, asked of lists that are too old."""


class Act(StrEnum):
    """What the trainee did of a specimen: the outcomes of a referral, and where there was none."""

    LET_PASS = "let_pass"  # noqa: S105  no password
    SET_ASIDE = "set_aside"
    REFERRED = "referred"
    DOCUMENT_HELD = "document_held"
    HANDED_OVER = "handed_over"
    RELEASED = "released"
    OTHER = "other"


@dataclass(frozen=True)
class Answering:
    """What the drill says in central's place."""

    outcome: AnswerOutcome
    instruction: Said


@dataclass(frozen=True)
class Exercise:
    """One specimen and what is right of it: the verdict, the acts, and what a hit is answered.
    `title` names it once it is over.
    `right` stands whenever it is done, `right_once_answered` only behind central's answer."""

    name: str
    title: Said
    specimen: Specimen
    outcome: Outcome
    right: frozenset[Act]
    expected: Said
    setting: Setting = Setting.PICTURE
    answering: Answering | None = None
    right_once_answered: frozenset[Act] = frozenset()

    def is_right(self, act: Act, *, answered: bool, typed: bool) -> bool:
        """Whether `act` was right, done after central's answer or before, and where nothing could
        be read, after the lines were typed or without."""
        if self.setting is Setting.UNREADABLE and not typed:
            return False
        return act in self.right or (answered and act in self.right_once_answered)


def _specimen(number: str) -> Specimen:
    return next(one for one in SPECIMENS if one.file.startswith(f"{number}-"))


PROGRAMME: tuple[Exercise, ...] = (
    Exercise(
        "clear",
        said("A document without a record"),
        _specimen("01"),
        Outcome.CLEAR,
        frozenset({Act.LET_PASS}),
        said("Nothing spoke against the document: let the traveller go on."),
    ),
    Exercise(
        "hit confirmed",
        said("A hit that central confirmed"),
        _specimen("02"),
        Outcome.HIT,
        frozenset({Act.REFERRED, Act.DOCUMENT_HELD, Act.HANDED_OVER}),
        said("The document is listed as stolen, and central confirmed it: refer or hold it."),
        answering=Answering(
            AnswerOutcome.CONFIRMED,
            said("Drill: the record is valid. Hold the document and call the second line."),
        ),
    ),
    Exercise(
        "possible not confirmed",
        said("A possible hit that central did not confirm"),
        _specimen("08"),
        Outcome.POSSIBLE,
        frozenset({Act.REFERRED}),
        said("Another document was meant: release it once central says so, or refer it."),
        answering=Answering(
            AnswerOutcome.NOT_CONFIRMED,
            said("Drill: the record is of another document. Let the traveller go on."),
        ),
        right_once_answered=frozenset({Act.RELEASED}),
    ),
    Exercise(
        "hit need more",
        said("A hit of which central asked for more"),
        _specimen("10"),
        Outcome.HIT,
        frozenset({Act.REFERRED, Act.DOCUMENT_HELD}),
        said("Central needs more before it can say: refer the traveller or hold the document."),
        answering=Answering(
            AnswerOutcome.NEED_MORE,
            said("Drill: ask for the passport that this visa belongs to."),
        ),
        right_once_answered=frozenset({Act.OTHER}),
    ),
    Exercise(
        "wrong check digit",
        said("A wrong check digit"),
        _specimen("04"),
        Outcome.LOOK_CLOSER,
        frozenset({Act.SET_ASIDE}),
        said("A check digit is printed wrong: set the document aside to be looked at closer."),
    ),
    Exercise(
        "unreadable",
        said("A document that could not be read"),
        _specimen("07"),
        Outcome.READ_AGAIN,
        frozenset({Act.LET_PASS}),
        said("Nothing could be read: type the lines, and then let the traveller go on."),
        setting=Setting.UNREADABLE,
    ),
    Exercise(
        "list too old",
        said("A list that was too old"),
        _specimen("03"),
        Outcome.NOT_CHECKED,
        frozenset({Act.SET_ASIDE}),
        said("The list was too old to say anything: set the document aside to be checked."),
        setting=Setting.OLD_LISTS,
    ),
)


def exercise_about(exercises: Sequence[Exercise], document: Document) -> int | None:
    """The place of the exercise whose specimen this is, if there is one."""
    for place, exercise in enumerate(exercises):
        if is_of(exercise.specimen, document):
            return place
    return None


def is_specimen(document: Document) -> bool:
    """Whether this is a specimen of ours: of Utopia, and one of the catalogue."""
    return any(is_of(specimen, document) for specimen in SPECIMENS)


def is_of(specimen: Specimen, document: Document) -> bool:
    """Whether the document is this specimen, in all that tells documents and people apart: no
    document of a State's can be."""
    one = specimen.document
    if one is None or document.issuer != SPECIMENS_ISSUER:
        return False
    return all(getattr(document, name) == getattr(one, name) for name in _TELLING)
