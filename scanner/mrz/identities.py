"""Under which keys a list may hold a document.

A record is keyed by issuing State, number and kind, but not every list holds them as printed: a
long number may have been cut at nine, and the number on a visa may be the passport's, at the
issuer's choice, and then stands under the holder's nationality.
"""

from dataclasses import dataclass

from scanner.mrz.check_digits import FILLER
from scanner.mrz.document import Document, Kind, NumberRule

_CUT_AT = 9


@dataclass(frozen=True)
class Identity:
    """One key. `asked_as` says why it is asked: `number`, `cut_at_nine`, `passport_of_visa`."""

    issuer: str
    number: str
    kind: Kind
    asked_as: str


def identities(document: Document) -> tuple[Identity, ...]:
    """The keys of a document, the number as printed first; empty where it prints none.

    Fillers within a number stand for spaces or hyphens and are left out, as in a list's source.
    """
    number = document.number.replace(FILLER, "")
    if not number:
        return ()
    keys = [Identity(document.issuer, number, document.kind, "number")]
    if document.number_rule is not NumberRule.STANDARD:
        keys.append(Identity(document.issuer, number[:_CUT_AT], document.kind, "cut_at_nine"))
    if document.kind is Kind.VISA and document.nationality:
        keys.append(Identity(document.nationality, number, Kind.PASSPORT, "passport_of_visa"))
    return tuple(keys)
