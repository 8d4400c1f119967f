"""Doc 9303 as data and pure functions: layouts, check digits, names, States, parsing, writing.

This package imports nothing of ours. Its functions are in modules of the same name
(`scanner.mrz.parse.parse`); the values that they pass are here.
"""

from scanner.mrz.codes import FINDING_CODES, REASON_CODES, FindingCode, ReasonCode
from scanner.mrz.document import (
    Checks,
    Document,
    Finding,
    Format,
    Kind,
    NumberRule,
    Parsed,
    Reason,
)
from scanner.mrz.identities import Identity
from scanner.mrz.layouts import LAYOUTS, Layout
from scanner.mrz.parse import is_sound
from scanner.mrz.reading import UNKNOWN, Reading, Status, Uncertain
from scanner.mrz.text import blocks, reading_of
from scanner.mrz.write import compose

__all__ = [
    "FINDING_CODES",
    "LAYOUTS",
    "REASON_CODES",
    "UNKNOWN",
    "Checks",
    "Document",
    "Finding",
    "FindingCode",
    "Format",
    "Identity",
    "Kind",
    "Layout",
    "NumberRule",
    "Parsed",
    "Reading",
    "Reason",
    "ReasonCode",
    "Status",
    "Uncertain",
    "blocks",
    "compose",
    "is_sound",
    "reading_of",
]
