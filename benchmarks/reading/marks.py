"""How well pages were read: a mark for each, and the figures over all of them."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import mean, median

from benchmarks.reading.pages import Page
from scanner.mrz.parse import parse
from scanner.mrz.reading import Status


@dataclass(frozen=True)
class Answer:
    """What a reader said of one page. `status` is None for a reader that gives lines alone, and
    for a failure `note` says which."""

    lines: tuple[str, ...]
    ms: float
    status: Status | None = None
    note: str | None = None


@dataclass(frozen=True)
class Mark:
    """How one page was read. `character_error` is the edit distance over all lines divided by
    their true length, at most 1; on a picture without an MRZ it is 0 where nothing was found."""

    key: str
    file: str
    layout: str
    conditions: str
    status: str
    exact: bool
    number: bool
    character_error: float
    sure_but_wrong: bool
    ms: float
    note: str | None = None


@dataclass(frozen=True)
class Score:
    """The figures over all pages that were marked."""

    pages: int
    lines_exact: int
    number_exact: int
    mean_character_error: float
    sure: int
    doubtful: int
    unreadable: int
    sure_but_wrong: tuple[str, ...]
    median_ms: float
    ninth_decile_ms: float
    median_ms_where_exact: float | None
    """Giving up is quick: this is the time of the pages that it reads."""


def edits(a: str, b: str) -> int:
    """The least number of characters to insert, delete or replace (Levenshtein)."""
    above = list(range(len(b) + 1))
    for row, x in enumerate(a, 1):
        here = [row]
        for column, y in enumerate(b, 1):
            here.append(min(above[column] + 1, here[-1] + 1, above[column - 1] + (x != y)))
        above = here
    return above[-1]


def number_of(lines: Sequence[str]) -> str | None:
    document = parse(lines, datetime.now(UTC).date()).document
    return document.number if document else None


def would_be_taken(lines: Sequence[str]) -> bool:
    """Whether a user of a reader without a status would take its lines: there is a document, the
    check digit of its number holds and no other one fails."""
    document = parse(lines, datetime.now(UTC).date()).document
    if document is None:
        return False
    checks = document.checks
    others = (checks.birth_date, checks.expiry_date, checks.optional, checks.composite)
    return checks.number is True and False not in others


def mark(page: Page, answer: Answer) -> Mark:
    truth, read = "\n".join(page.lines), "\n".join(answer.lines)
    exact = answer.lines == page.lines
    number = number_of(page.lines)
    status = answer.status or _status_of(answer.lines)
    return Mark(
        key=page.key,
        file=page.name,
        layout=page.layout,
        conditions=page.conditions,
        status=status.value,
        exact=exact,
        number=bool(answer.lines) and number is not None and number_of(answer.lines) == number,
        character_error=min(1.0, edits(truth, read) / len(truth)) if truth else float(bool(read)),
        sure_but_wrong=status is Status.READ and not exact,
        ms=answer.ms,
        note=answer.note,
    )


def _status_of(lines: Sequence[str]) -> Status:
    if not lines:
        return Status.UNREADABLE
    return Status.READ if would_be_taken(lines) else Status.DOUBTFUL


def score(marks: Sequence[Mark]) -> Score:
    status = Counter(one.status for one in marks)
    times = sorted(one.ms for one in marks)
    of_exact = [one.ms for one in marks if one.exact]
    return Score(
        pages=len(marks),
        lines_exact=sum(one.exact for one in marks),
        number_exact=sum(one.number for one in marks),
        mean_character_error=mean(one.character_error for one in marks),
        sure=status[Status.READ.value],
        doubtful=status[Status.DOUBTFUL.value],
        unreadable=status[Status.UNREADABLE.value],
        sure_but_wrong=tuple(one.file for one in marks if one.sure_but_wrong),
        median_ms=median(times),
        ninth_decile_ms=times[math.ceil(0.9 * len(times)) - 1],
        median_ms_where_exact=median(of_exact) if of_exact else None,
    )
