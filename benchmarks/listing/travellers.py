"""What rate of POSSIBLE a clean traveller meets: a document that is not listed itself, surely read.

Of each format some documents are drawn among those issued and not listed, written as an MRZ,
parsed, and asked as a scan asks (`questions`). For every question it is worked out which issued
documents could answer it, as the store answers: those of equal skeleton and issuer, of any kind;
for far guesses only those of equal number and kind. Each of them is listed with the probability
that its share of a list of this size gives (the rate by arithmetic), or is listed or not by the
rule of the synthetic list (the rate by counting). Ranges of stolen blanks are left out: nobody
carries one rightly.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

import numpy as np

from benchmarks.listing.formats import SERIES, Series
from benchmarks.listing.settings import Json, Settings
from benchmarks.listing.world import World
from scanner.mrz.document import Format, Kind
from scanner.mrz.parse import parse
from scanner.mrz.reading import Reading, Status
from scanner.mrz.write import compose, write
from scanner.watchlist.contract import AskedAs, Question
from scanner.watchlist.questions import questions

SIZES: Final = (150_000_000, 10_000_000)
_TODAY = date(2026, 11, 25)
_FAR = {AskedAs.LOOK_ALIKE, AskedAs.ISSUER_LOOK_ALIKE, AskedAs.NATIONALITY_AS_ISSUER}
_CODES = {Kind.PASSPORT: "P", Kind.IDENTITY: "I", Kind.VISA: "V", Kind.RESIDENCE: "IR"}
_FOREIGNERS = (Kind.VISA, Kind.RESIDENCE)
_NATIONALITIES = sorted({series.issuer for series in SERIES})
LOOKS_ALIKE, OTHER_KIND, EQUAL = "look-alike", "other kind", "equal number"

_DIGITS, _ONE_LETTER, _LETTERS = "digits alone", "a letter and digits", "letters and digits"
_SCATTERED, _LONG, _VISAS = "scattered letters and digits", "over nine characters", "visas"
_GROUPS = (_DIGITS, _ONE_LETTER, _LETTERS, _SCATTERED, _LONG, _VISAS)


@dataclass(frozen=True)
class Answerer:
    """A document that would answer a traveller's questions if it were listed: where it stands, and
    as what it would answer."""

    series: int
    index: int
    why: str


@dataclass(frozen=True)
class Traveller:
    """One document, with the keys that its scan asks and all that could answer."""

    series: int
    index: int
    asked: tuple[Question, ...]
    answerers: tuple[Answerer, ...]


def possible(settings: Settings) -> Json:
    """Rates by format, at each size of list."""
    told: Json = {"sizes": list(SIZES), "series": []}
    for at, series in enumerate(SERIES):
        worlds = [World(size, seed=settings.seed) for size in SIZES]
        travellers = clean(worlds[0], at, settings.travellers)
        told["series"].append(
            {
                "name": series.name,
                "group": _group(series),
                "issued": worlds[0].issued_of(at),
                "travellers": len(travellers),
                "keys": float(np.mean([len(keys_of(one.asked)) for one in travellers])),
                "rates": [_rates(world, travellers) for world in worlds],
            }
        )
    told["means"] = [_mean(told["series"], which) for which in range(len(SIZES))]
    told["groups"] = [
        {
            "name": group,
            "issued": sum(one["issued"] for one in those),
            "means": [_mean(those, which)["reckoned"] for which in range(len(SIZES))],
        }
        for group in _GROUPS
        if (those := [one for one in told["series"] if one["group"] == group])
    ]
    keys = sum(one["keys"] * one["issued"] for one in told["series"])
    told["mean_keys"] = keys / sum(one["issued"] for one in told["series"])
    return told


def clean(world: World, series: int, count: int) -> list[Traveller]:
    """Documents of a series that are not listed."""
    source = np.random.default_rng((world.seed, 6, series))
    drawn = source.integers(0, world.issued_of(series), count)
    drawn = drawn[~world.is_listed(series, drawn)]
    nationalities = source.choice(_NATIONALITIES, len(drawn)).tolist()
    numbers = SERIES[series].numbers(drawn)
    return [
        _traveller(world, series, *one)
        for one in zip(drawn.tolist(), numbers, nationalities, strict=True)
    ]


def lines_of(of: Series, number: str, nationality: str) -> tuple[str, ...]:
    """The MRZ of a document of a series; only visas and residence permits are given to those of
    another nationality."""
    document = compose(
        of.format,
        number=number,
        surname="ROOS",
        given_names="OLGA",
        issuer=of.issuer,
        nationality=nationality if of.kind in _FOREIGNERS else of.issuer,
        code=None if of.format is Format.FRA_ID else _CODES[of.kind],
        birth_date="1990-05-10",
        sex="F",
        expiry_date=None if of.format is Format.FRA_ID else "2034-10-20",
    )
    return write(document)


def answered(world: World, travellers: Sequence[Traveller]) -> list[set[str]]:
    """For each traveller as what listed documents answer, by the rule of the synthetic list."""
    found: list[set[str]] = [set() for _ in travellers]
    for series in range(len(SERIES)):
        pairs = [
            (at, one)
            for at, traveller in enumerate(travellers)
            for one in traveller.answerers
            if one.series == series
        ]
        listed = world.is_listed(series, np.array([one.index for _, one in pairs], np.int64))
        for (at, one), is_listed in zip(pairs, listed.tolist(), strict=True):
            if is_listed:
                found[at].add(one.why)
    return found


def keys_of(asked: Sequence[Question]) -> set[tuple[str, str]]:
    """What is looked up: one key for all questions of an issuer and a number."""
    return {(one.issuer, one.number) for one in asked}


def _rates(world: World, travellers: Sequence[Traveller]) -> Json:
    counted = answered(world, travellers)
    reasons: defaultdict[str, float] = defaultdict(float)
    missed = 0.0
    for traveller in travellers:
        missed += (1 - world.share) ** len({(a.series, a.index) for a in traveller.answerers})
        for why in {one.why for one in traveller.answerers}:
            these = {(a.series, a.index) for a in traveller.answerers if a.why == why}
            reasons[why] += 1 - (1 - world.share) ** len(these)
    count = max(1, len(travellers))
    return {
        "reckoned": 1 - missed / count,
        "counted": sum(map(bool, counted)) / count,
        "by_reason": {why: chance / count for why, chance in sorted(reasons.items())},
    }


def _mean(series: Sequence[Json], which: int) -> Json:
    """The rates of several series at one size of list, each weighed by what was issued of it."""
    issued = sum(one["issued"] for one in series)
    reasons: defaultdict[str, float] = defaultdict(float)
    reckoned = 0.0
    for one in series:
        weight = one["issued"] / issued
        reckoned += weight * one["rates"][which]["reckoned"]
        for why, rate in one["rates"][which]["by_reason"].items():
            reasons[why] += weight * rate
    return {"reckoned": reckoned, "by_reason": dict(sorted(reasons.items()))}


def _group(series: Series) -> str:
    if series.kind is Kind.VISA:
        return _VISAS
    if len(series.alphabets) > 9:
        return _LONG
    if not series.first:
        return _SCATTERED
    letters = sum(1 for one in series.alphabets if "A" in one)
    return (_DIGITS, _ONE_LETTER, _LETTERS)[min(letters, 2)]


def _traveller(world: World, series: int, index: int, number: str, nationality: str) -> Traveller:
    of = SERIES[series]
    lines = lines_of(of, number, nationality)
    parsed = parse(lines, _TODAY)
    if parsed.document is None or parsed.document.kind is not of.kind:
        raise ValueError(f"{of.name}: this is not parsed as what it is")
    asked = questions(parsed, Reading(Status.READ, lines, "benchmark")).asked
    own = (series, index)
    answerers = {
        one
        for question in asked
        for one in _answerers(world, question)
        if (one.series, one.index) != own
    }
    return Traveller(series, index, asked, tuple(sorted(answerers, key=str)))


def _answerers(world: World, question: Question) -> Iterator[Answerer]:
    """The issued documents that answer a question if they are listed."""
    far = question.asked_as in _FAR
    for at, series in _of_issuer(question.issuer):
        numbers = [question.number] if far else series.look_alikes(question.number)
        if far and series.kind is not question.kind:
            continue
        for number in numbers:
            index = series.index(number)
            if index is not None and 0 <= index < world.issued_of(at):
                yield Answerer(at, index, _why(question, series.kind, number))


def _why(question: Question, kind: Kind, number: str) -> str:
    if question.asked_as not in (AskedAs.NUMBER, AskedAs.ISSUER_ALIAS):
        return question.asked_as.value
    if number != question.number:
        return LOOKS_ALIKE
    return OTHER_KIND if kind is not question.kind else EQUAL


@cache
def _of_issuer(issuer: str) -> tuple[tuple[int, Series], ...]:
    return tuple((at, series) for at, series in enumerate(SERIES) if series.issuer == issuer)
