"""Six digits to a date: the century that the MRZ leaves out, and the parts that it leaves open.

A birth is never in the future: it falls in the latest century that is not after today. An expiry
falls in the century that brings it nearest to today. Unknown parts are fillers (Doc 9303-3 §4.8)
and must be the last ones; what cannot be a date keeps its longest prefix that can.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from scanner.mrz.check_digits import FILLER
from scanner.mrz.codes import FindingCode
from scanner.mrz.reading import UNKNOWN


@dataclass(frozen=True)
class ReadDate:
    """`iso` may be partial or None; `problem` is what is wrong with the characters, if anything."""

    iso: str | None
    problem: FindingCode | None = None


def read_birth_date(raw: str, today: date) -> ReadDate:
    """`raw` is YYMMDD of MRZ characters and `?`."""
    return _read(raw, lambda days: max((d for d in days if d <= today), default=None), today)


def read_expiry_date(raw: str, today: date) -> ReadDate:
    """`raw` is YYMMDD of MRZ characters and `?`. Of two equally near dates the later one."""
    return _read(
        raw, lambda days: min(reversed(days), key=lambda d: abs(d - today), default=None), today
    )


def is_over(iso: str, today: date) -> bool:
    """Whether the last day that a (partial) date may mean is before today."""
    return iso < today.isoformat()[: len(iso)]


def written(iso: str | None) -> str:
    """A (partial) ISO date as YYMMDD with fillers. ValueError where it is none."""
    if iso is None:
        return FILLER * 6
    parts = iso.split("-")
    if [len(part) for part in parts] != [4, 2, 2][: len(parts)] or not "".join(parts).isdecimal():
        raise ValueError("a date must be YYYY-MM-DD, YYYY-MM or YYYY")
    numbers = [int(part) for part in parts]
    year, month, day = (*numbers, 1, 1)[:3]
    date(year, month, day)
    return f"{iso[2:].replace('-', ''):{FILLER}<6}"


_Choice = Callable[[Sequence[date]], date | None]


def _read(raw: str, choose: _Choice, today: date) -> ReadDate:
    parts = [raw[0:2], raw[2:4], raw[4:6]]
    known = []
    for part in parts:
        if not part.isdecimal():
            break
        known.append(int(part))
    problem = _problem(parts[len(known) :])
    while known:
        day = choose(_in_each_century(known, today))
        if day is not None:
            return ReadDate(day.isoformat()[: (4, 7, 10)[len(known) - 1]], problem)
        known.pop()
        problem = problem or FindingCode.DATE
    return ReadDate(None, problem)


def _problem(rest: Sequence[str]) -> FindingCode | None:
    """What is wrong with the parts from the first one on that is no number."""
    text = "".join(rest)
    if any(character.isalpha() for character in text):
        return FindingCode.DATE_CHARACTERS
    if UNKNOWN in text or not text.strip(FILLER):
        return None
    return FindingCode.DATE


def _in_each_century(known: Sequence[int], today: date) -> list[date]:
    """The first day that the known parts may mean, in each century near today, where it exists."""
    days = []
    this_century = today.year // 100 * 100
    for century in (this_century - 100, this_century, this_century + 100):
        try:
            days.append(date(century + known[0], *(*known[1:], 1, 1)[:2]))
        except ValueError:
            continue
    return days
