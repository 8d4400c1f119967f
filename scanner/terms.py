"""The words for what a program knows of a record and of an answer by a code, as they stand in
sentences for an officer.

Each is `Said`, so that a screen can say it in its own language.
"""

from collections.abc import Mapping
from types import MappingProxyType

from scanner.said import Said, said
from scanner.watchlist.contract import ListStatus

STATUSES: Mapping[ListStatus, Said] = MappingProxyType(
    {
        ListStatus.STOLEN: said("stolen"),
        ListStatus.LOST: said("lost"),
        ListStatus.REVOKED: said("revoked"),
        ListStatus.INVALID: said("invalid"),
        ListStatus.STOLEN_BLANK: said("stolen blank"),
    }
)
"""Why a document is on a list."""

ANSWERS: Mapping[str, Said] = MappingProxyType(
    {
        "confirmed": said("confirmed"),
        "not_confirmed": said("not confirmed"),
        "need_more": said("need more"),
    }
)
"""What central found of an alert."""
