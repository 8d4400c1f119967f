"""What the commands answer in JSON: one object a document, its keys in a fixed order.

The shapes are a contract with other programs: a key is never left out, and what is absent is null.
Only the picture's own fields are left out where no picture was read.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scanner.mrz.document import Checks, Document, Finding, Parsed
from scanner.mrz.reading import Reading
from scanner.verdict import Verdict
from scanner.watchlist.contract import ListState, Match

if TYPE_CHECKING:  # telling what was examined needs nothing of what examines
    from scanner.examine import Examination

Json = dict[str, Any]

_TIMES = ("load", "locate", "recognise", "decode", "look_up", "total")


def as_object(examination: "Examination") -> Json:
    """What `scan --json` says of one document; with `error` where it could not be examined."""
    parsed = examination.parsed
    told: Json = {
        "source": examination.source,
        "reading": _reading(examination.reading, parsed, examination.reduced),
        "document": _document(parsed.document) if parsed else None,
        "findings": [_finding(one) for one in parsed.findings] if parsed else [],
        "verdict": _verdict(examination.verdict),
        "ms": {name: round(examination.ms.get(name, 0.0), 1) for name in _TIMES},
    }
    if examination.fault is not None:
        told["error"] = {"code": examination.fault.code, "message": examination.fault.message}
    return told


def checked_as_object(examination: "Examination") -> Json:
    """What `check --json` says of one document: the object of `scan` without what belongs to a
    picture (`box`, and the times of its reading)."""
    told = as_object(examination)
    if told["reading"] is not None:
        del told["reading"]["box"]
    told["ms"] = {name: told["ms"][name] for name in ("look_up", "total")}
    return told


def parsed_as_object(parsed: Parsed) -> Json:
    """What `parse --json` says of one block of lines."""
    reason = parsed.reason
    return {
        "format": _format(parsed),
        "lines": list(parsed.lines),
        "document": _document(parsed.document),
        "findings": [_finding(one) for one in parsed.findings],
        "reason": {"code": reason.code, "message": reason.message} if reason else None,
    }


def _format(parsed: Parsed | None) -> str | None:
    return parsed.format.value if parsed and parsed.format else None


def _reading(reading: Reading | None, parsed: Parsed | None, reduced: int) -> Json | None:
    if reading is None:
        return None
    return {
        "status": reading.status.value,
        "format": _format(parsed),
        "lines": list(reading.lines),
        "confidence": reading.confidence,
        "reader": reading.reader,
        "uncertain": [
            {
                "line": one.line,
                "position": one.position,
                "candidates": [[character, chance] for character, chance in one.candidates],
            }
            for one in reading.uncertain
        ],
        "box": _box(reading, reduced),
        "note": reading.note,
        "why": reading.why.value if reading.why else None,
    }


def _box(reading: Reading, reduced: int) -> list[list[float]] | None:
    """In pixels of the picture as it stands in its file, once that is upright."""
    if reading.box is None:
        return None
    return [[round(x * reduced, 1), round(y * reduced, 1)] for x, y in reading.box]


def _document(document: Document | None) -> Json | None:
    if document is None:
        return None
    return {
        "format": document.format.value,
        "code": document.code,
        "issuer": document.issuer,
        "number": document.number,
        "number_rule": document.number_rule.value,
        "surname": document.surname,
        "given_names": document.given_names,
        "name_truncated": document.name_truncated,
        "nationality": document.nationality,
        "birth_date": document.birth_date,
        "sex": document.sex,
        "expiry_date": document.expiry_date,
        "optional": document.optional,
        "optional_2": document.optional_2,
        "checks": _checks(document.checks),
    }


def _checks(checks: Checks) -> Mapping[str, bool | None]:
    return {
        "number": checks.number,
        "birth_date": checks.birth_date,
        "expiry_date": checks.expiry_date,
        "optional": checks.optional,
        "composite": checks.composite,
    }


def _finding(finding: Finding) -> Json:
    return {
        "code": finding.code,
        "field": finding.field,
        "message": finding.message,
        "note": finding.note,
    }


def _verdict(verdict: Verdict | None) -> Json | None:
    if verdict is None:
        return None
    return {
        "outcome": verdict.outcome.value,
        "reasons": list(verdict.reasons),
        "beside": list(verdict.beside),
        "matches": [_match(match) for match in verdict.matches],
        "lists": [_list(state) for state in verdict.lists],
        "asked": verdict.asked,
        "unasked": verdict.unasked,
    }


def _match(match: Match) -> Json:
    return {
        "list": match.list,
        "certainty": match.certainty.value,
        "status": match.status.value,
        "kind": match.kind.value,
        "recorded": match.recorded.isoformat() if match.recorded else None,
        "asked_as": match.asked_as.value,
        "why": match.why or None,
    }


def _list(state: ListState) -> Json:
    return {
        "name": state.name,
        "version": state.version,
        "as_of": _moment(state.as_of),
        "age_s": None if state.age_s is None else round(state.age_s),
        "health": state.health.value,
        "age_is_lower_bound": state.age_is_lower_bound,
        "reason": state.reason or None,
    }


def _moment(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
