"""What the commands say to a person at a terminal; with `--json` they say `scanner/report.py`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from scanner.mrz.document import Checks, Document, Parsed
from scanner.mrz.reading import Status
from scanner.mrz.states import name_of
from scanner.said import shown
from scanner.verdict import Verdict
from scanner.watchlist.questions import BUDGET

if TYPE_CHECKING:  # telling what was examined needs nothing of what examines
    from scanner.examine import Examination
    from scanner.sources.capture import Fault

_INDENT = "  "


def scanned_lines(
    examination: "Examination", overlay: "Path | Fault | None" = None
) -> Iterator[str]:
    """One picture: what was read, what it says, the verdict, and where its overlay stands."""
    if examination.fault is not None:
        yield _fault(examination.source, examination.fault)
        yield ""
        return
    reading = examination.reading
    status = f"{reading.status.value} by {reading.reader}" if reading else "not read"
    yield f"{shown(examination.source)}: {status}"
    if reading and reading.note and reading.status is Status.DOUBTFUL:
        yield f"{_INDENT}{reading.note}"
    if isinstance(overlay, Path):
        yield f"{_INDENT}overlay      {shown(str(overlay))}"
    elif overlay is not None:
        yield f"{_INDENT}no overlay: {overlay.message}"
    yield from _told(examination)


def checked_lines(examination: "Examination") -> Iterator[str]:
    """One document from text: what it says, the verdict."""
    yield f"{examination.source}:"
    yield from _told(examination)


def parsed_lines(parsed: Parsed) -> Iterator[str]:
    """One block of lines: the document's fields and findings, or the reason why there is none."""
    yield from parsed.lines
    if parsed.document is not None:
        yield from _document_lines(parsed.document)
    if parsed.reason is not None:
        yield f"{_INDENT}no document: {parsed.reason.message}"
    for finding in parsed.findings:
        yield f"{_INDENT}{'note' if finding.note else 'finding'}: {finding.message}"
    yield ""


def _fault(source: str, fault: "Fault") -> str:
    """A fault of a file names it already; one of the reader does not."""
    told = fault.message
    return told if told.startswith(f"{shown(source)}: ") else f"{shown(source)}: {told}"


def _told(examination: "Examination") -> Iterator[str]:
    parsed = examination.parsed
    for line in examination.reading.lines if examination.reading else ():
        yield f"{_INDENT}{line}"
    if parsed and parsed.document:
        yield from _document_lines(parsed.document)
    if examination.verdict is not None:
        yield from _verdict_lines(examination.verdict)
    yield ""


def _document_lines(document: Document) -> Iterator[str]:
    names = ", ".join(part for part in (document.surname, document.given_names) if part)
    rows = (
        ("document", f"{document.format.value} {document.kind.value}, code {document.code}"),
        ("issuer", _state(document.issuer)),
        ("number", f"{document.number} ({document.number_rule.value.replace('_', ' ')})"),
        ("name", names + (" (perhaps cut)" if document.name_truncated else "")),
        ("nationality", _state(document.nationality)),
        ("born", document.birth_date),
        ("sex", document.sex),
        ("expires", document.expiry_date),
        ("optional", document.optional),
        ("optional 2", document.optional_2),
        ("check digits", _checks(document.checks)),
    )
    for label, value in rows:
        if value:
            yield f"{_INDENT}{label:<13}{value}"


def _state(code: str) -> str:
    name = name_of(code)
    return f"{code} {name}" if name else f"{code} (unknown)"


def _checks(checks: Checks) -> str:
    said = {True: "right", False: "WRONG", None: "none"}
    named = {
        "number": checks.number,
        "birth": checks.birth_date,
        "expiry": checks.expiry_date,
        "optional": checks.optional,
        "composite": checks.composite,
    }
    return ", ".join(f"{name} {said[value]}" for name, value in named.items())


def _verdict_lines(verdict: Verdict) -> Iterator[str]:
    yield f"{_INDENT}{verdict.outcome.value}"
    for reason in verdict.reasons:
        yield f"{_INDENT}{_INDENT}{reason}"
    for beside in verdict.beside:
        yield f"{_INDENT}{_INDENT}beside: {beside}"
    if verdict.lists:
        left = f", {verdict.unasked} left unasked" if verdict.unasked else ""
        yield f"{_INDENT}asked        {verdict.asked} of at most {BUDGET} numbers{left}"
