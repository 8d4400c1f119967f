"""A document as the page shows it: its fields spelled out, its lines with what is doubtful in them,
and the records that it matched."""

from collections.abc import Iterator
from datetime import date

from firmware.kiosk.written import Json, Speech
from scanner.alert import AlertDocument, AlertMatch
from scanner.mrz.dates import is_over
from scanner.mrz.document import KINDS, Document, Parsed
from scanner.mrz.layouts import LAYOUTS
from scanner.mrz.reading import Reading
from scanner.terms import STATUSES
from scanner.watchlist.contract import Match


def document(document: Document, today: date, speech: Speech) -> Json:
    """A document that was read or typed."""
    return {
        **_spelled_out(document, today, speech),
        "optional": document.optional,
        "optional_2": document.optional_2,
    }


def alert_document(document: AlertDocument, today: date, speech: Speech) -> Json:
    """A document as its alert tells of it."""
    return {**_spelled_out(document, today, speech), "optional": None, "optional_2": None}


def mrz(reading: Reading, parsed: Parsed | None) -> Iterator[Json]:
    """Line by line: what was read, what is doubtful in it, and which check digits do not hold."""
    wrong = set(_wrong_digits(parsed))
    for line, text in enumerate(reading.lines):
        yield {
            "text": text,
            "doubtful": [
                {
                    "position": one.position,
                    "candidates": [[character, chance] for character, chance in one.candidates],
                }
                for one in reading.uncertain
                if one.line == line
            ],
            "wrong": sorted(position for row, position in wrong if row == line),
        }


def match(match: Match | AlertMatch, speech: Speech) -> Json:
    """A record that the document matched."""
    return {
        "list": match.list,
        "certainty": match.certainty.value,
        "status": match.status.value,
        "status_word": speech.told(STATUSES[match.status]),
        "kind": match.kind.value,
        "kind_word": speech.told(KINDS[match.kind]),
        "recorded": match.recorded.isoformat() if match.recorded else None,
        "why": speech.told(match.why) if match.why else None,
    }


def _spelled_out(document: Document | AlertDocument, today: date, speech: Speech) -> Json:
    expiry = document.expiry_date
    return {
        "format": document.format.value if document.code else None,
        "kind": document.kind.value,
        "kind_word": speech.told(KINDS[document.kind]),
        "code": document.code,
        "issuer": document.issuer,
        "issuer_name": speech.state(document.issuer),
        "number": document.number,
        "surname": document.surname,
        "given_names": document.given_names,
        "name_truncated": document.name_truncated,
        "nationality": document.nationality,
        "nationality_name": speech.state(document.nationality),
        "birth_date": document.birth_date,
        "age_word": speech.age(document.birth_date, today),
        "sex": document.sex,
        "expiry_date": expiry,
        "expired": expiry is not None and is_over(expiry, today),
    }


def _wrong_digits(parsed: Parsed | None) -> Iterator[tuple[int, int]]:
    """Line and position of each check digit that is wrong as printed."""
    if parsed is None or parsed.document is None:
        return
    for name, check in LAYOUTS[parsed.document.format].checks.items():
        if getattr(parsed.document.checks, name) is False:
            yield check.place.line, check.place.start
