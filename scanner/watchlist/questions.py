"""What to ask the lists about one document: the number as printed, and what else it may be.

A number is listed under more than one key (Doc 9303-5 and 9303-7; `scanner.mrz.identities`), and
what was read need not be what is printed. So beside the number as read are asked, likeliest first:

- what the reader's candidates make of it where a character is doubtful or unread;
- the nationality as issuer, and the States one letter away from the issuer, wherever issuer and
  nationality differ. No check digit covers the issuer, and a single misread letter makes the two
  differ: where they are equal it has not happened. (Visas and residence permits are given to
  foreigners, so there the two differ rightly, and equal ones are as suspect.) A visa's number may
  be the passport's, so there the States one letter away from the nationality are asked as well;
- the numbers that a camera confuses with this one although every check digit holds.

All but the first are guesses and give a possible match at most. A scan has a budget of keys. Of a
doubtful reading, what the budget leaves unasked is counted. Of a sure one, look-alikes fill what
room there is, the likeliest first, and have no end that could be counted.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import prod

from scanner.mrz.check_digits import FILLER
from scanner.mrz.confusables import check_preserving_look_alikes
from scanner.mrz.document import Document, Format, Kind, NumberRule, Parsed
from scanner.mrz.document_numbers import ReadNumber, read_number
from scanner.mrz.identities import identities
from scanner.mrz.layouts import CHARACTERS, LAYOUTS, Layout
from scanner.mrz.reading import UNKNOWN, Reading, Status
from scanner.mrz.states import CODES, aliases, letters_apart, padded
from scanner.watchlist.contract import AskedAs, Question

BUDGET = 256
"""Keys a scan."""

_CANDIDATES_SHARE = 0.5
_EXAMINED = 4096
"""How many combinations of candidates are looked at in search of those that may be right."""

_PADDED = {code: padded(code) for code in CODES}

_Place = tuple[int, int]
"""Line and position, from 0."""

_Options = tuple[tuple[str, float], ...]
"""What may stand in one place, each with its probability, likeliest first."""

_ONLY_ONE: _Options = (("", 1.0),)

_OF_FOREIGNERS = (Kind.VISA, Kind.RESIDENCE)
"""Whose holders are not the issuer's nationals."""


@dataclass(frozen=True)
class Questions:
    """What is asked, likeliest first, and how many keys the budget left unasked (at most: of
    what was not even looked at, not all would have been asked)."""

    asked: tuple[Question, ...] = ()
    unasked: int = 0


def questions(parsed: Parsed, reading: Reading, budget: int = BUDGET) -> Questions:
    """The questions about a document; none where there is no document."""
    document = parsed.document
    if document is None:
        return Questions()
    page = _Page(parsed.lines, document, LAYOUTS[document.format], reading)
    candidates = list(page.read_otherwise())
    share = int(budget * _CANDIDATES_SHARE)
    likely = list(_unique([*page.as_read(), *candidates[:share], *page.other_issuers()]))
    look_alikes = page.look_alikes(room=budget - len(likely))
    wanted = list(_unique([*likely, *look_alikes, *candidates[share:]]))
    asked = tuple(wanted[:budget])
    return Questions(asked, len(wanted) - len(asked) + page.not_looked_at)


def questions_of_number(document: Document) -> Questions:
    """The questions about a document of which nothing was read, and its number alone is known."""
    return Questions(tuple(_unique(_keys(document))))


class _Page:
    """One document's page: its lines, what they say, and where the reader was in doubt."""

    def __init__(
        self, lines: Sequence[str], document: Document, layout: Layout, reading: Reading
    ) -> None:
        self._lines = lines
        self._document = document
        self._layout = layout
        self._doubts = _doubts(lines, layout, reading)
        self._checked = reading.status is Status.READ or document.checks.number is True
        self.not_looked_at = 0
        """Combinations of candidates that were not even formed."""

    def as_read(self) -> Iterator[Question]:
        """The number as it was read, under every key and every alias of its issuer."""
        sure = self._checked and not self._number_doubted() and not self._doubted("issuer")
        for key in _keys(self._document):
            of_holder = key.kind is not self._document.kind
            exact = sure and not (of_holder and self._doubted("nationality"))
            yield replace(key, exact=exact)

    def read_otherwise(self) -> Iterator[Question]:
        """What the candidates make of the number and its States, likeliest first, as long as the
        number's check digit can hold; where it can hold for none of them, all of them."""
        places = self._places_of_number()
        of_holder = self._document.kind is Kind.VISA
        if not (places or self._doubted("issuer") or (of_holder and self._doubted("nationality"))):
            return
        slots = [
            self._states("issuer"),
            self._states("nationality") if of_holder else _ONLY_ONE,
            *(self._doubts[place] for place in places),
        ]
        examined = list(islice(_likeliest(slots), _EXAMINED))
        self.not_looked_at += prod(map(len, slots)) - len(examined)
        read = [
            (issuer, nationality, self._number(dict(zip(places, chosen, strict=True))))
            for issuer, nationality, *chosen in examined
        ]
        holding = [one for one in read if one[2].check]
        for issuer, nationality, number in holding or read:
            document = replace(
                self._document, issuer=issuer, number=number.text, number_rule=number.rule
            )
            if nationality:
                document = replace(document, nationality=nationality)
            yield from _guesses(document, AskedAs.CANDIDATE)

    def other_issuers(self) -> Iterator[Question]:
        """The nationality as issuer and the States one letter away, where a letter of the issuer
        may have been misread: of a visa's too, and of the State whose passport it may name."""
        issuer, nationality = self._document.issuer, self._document.nationality
        if self._layout.format is Format.FRA_ID:
            return
        kind = self._document.kind
        if nationality in aliases(issuer) and kind not in _OF_FOREIGNERS:
            return
        if kind is not Kind.VISA and nationality in CODES:
            document = replace(self._document, issuer=nationality)
            yield from _guesses(document, AskedAs.NATIONALITY_AS_ISSUER)
        for code in _one_letter_from(issuer):
            document = replace(self._document, issuer=code)
            yield from _guesses(document, AskedAs.ISSUER_LOOK_ALIKE)
        for code in _one_letter_from(nationality) if kind is Kind.VISA else ():
            document = replace(self._document, nationality=code)
            yield from _guesses(document, AskedAs.ISSUER_LOOK_ALIKE)

    def look_alikes(self, room: int) -> Iterator[Question]:
        """The numbers that a camera confuses with this one and that no check digit tells apart:
        the likeliest of them, as many as there is room for. Those with the skeleton of the number
        as read are among them: records answer to a skeleton, but ranges of blanks do not."""
        document = self._document
        keys_each = sum(1 for _ in _keys(document))
        if keys_each == 0 or room < keys_each:
            return
        room //= keys_each
        for number in check_preserving_look_alikes(self._lines, document.format, room):
            yield from _guesses(replace(document, number=number), AskedAs.LOOK_ALIKE)

    def _doubted(self, field: str) -> bool:
        """Whether a character of the field is in doubt."""
        span = self._layout.fields[field].span
        return any(span.covers(*place) for place in self._doubts)

    def _number_doubted(self) -> bool:
        """Whether a character of the number is in doubt, or where it ends. A check digit in doubt
        changes nothing in the number, unless it may be the filler that says that more follows."""
        digit = self._layout.checks["number"].place
        return any(
            not digit.covers(*place)
            or (self._layout.long_numbers and FILLER in dict(self._doubts[place]))
            for place in self._places_of_number()
        )

    def _places_of_number(self) -> tuple[_Place, ...]:
        """The doubtful places that the number, its check digit included, is read from."""
        spans = [self._layout.fields["number"].span, self._layout.checks["number"].place]
        if self._layout.long_numbers and (
            self._document.number_rule is not NumberRule.STANDARD
            or any(spans[1].covers(*place) for place in self._doubts)
        ):
            spans.append(self._layout.fields["optional"].span)
        return tuple(place for place in self._doubts if any(span.covers(*place) for span in spans))

    def _number(self, chosen: Mapping[_Place, str]) -> ReadNumber:
        lines = [list(line) for line in self._lines]
        for (line, position), character in chosen.items():
            lines[line][position] = character
        return read_number(self._layout, ["".join(line) for line in lines])

    def _states(self, field: str) -> _Options:
        """The known States that a field may name. One that is wholly unread names none: the
        nationality stands in for the issuer, and the other States stay unasked."""
        as_read = getattr(self._document, field)
        if not self._doubted(field):
            return ((as_read, 1.0),)
        span = self._layout.fields[field].span
        letters = [
            dict(self._doubts.get((span.line, span.start + at), ((letter, 1.0),)))
            for at, letter in enumerate(span.text(self._lines))
        ]
        states = [
            (code, prod(options[letter] for letter, options in zip(printed, letters, strict=True)))
            for code, printed in _PADDED.items()
            if all(letter in options for letter, options in zip(printed, letters, strict=True))
        ]
        if len(states) == len(CODES):
            self.not_looked_at += len(CODES) - 1
            return ((self._document.nationality, 1.0),)
        return _by_likelihood(states) or ((as_read, 1.0),)


def _doubts(lines: Sequence[str], layout: Layout, reading: Reading) -> Mapping[_Place, _Options]:
    """What may stand at each doubtful or unread place."""
    told = {(one.line, one.position): one.candidates for one in reading.uncertain}
    doubts: dict[_Place, _Options] = {}
    for line, characters in enumerate(lines):
        for position, character in enumerate(characters):
            place = (line, position)
            if place in told or character == UNKNOWN:
                doubts[place] = _options(
                    character, told.get(place, ()), layout.alphabet(line, position)
                )
    return doubts


def _options(printed: str, candidates: _Options, alphabet: str) -> _Options:
    options = {letter: chance for letter, chance in candidates if letter in CHARACTERS}
    if not options:
        options = dict.fromkeys(alphabet, 1 / len(alphabet))
    if printed != UNKNOWN:
        options.setdefault(printed, max(0.0, 1 - sum(options.values())))
    return _by_likelihood(options.items())


def _by_likelihood(options: Iterable[tuple[str, float]]) -> _Options:
    return tuple(sorted(options, key=lambda option: -option[1]))


def _likeliest(slots: Sequence[_Options]) -> Iterator[tuple[str, ...]]:
    """Every combination of one option a slot, the likeliest first.

    From each combination the next ones take the following option in one slot, no earlier than the
    last slot that was moved, so each combination is formed once.
    """

    def entry(at: tuple[int, ...], moved: int) -> tuple[float, tuple[int, ...], int]:
        return -prod(slot[one][1] for slot, one in zip(slots, at, strict=True)), at, moved

    heap = [entry((0,) * len(slots), 0)]
    while heap:
        _, at, moved = heapq.heappop(heap)
        yield tuple(slot[one][0] for slot, one in zip(slots, at, strict=True))
        for slot in range(moved, len(slots)):
            if at[slot] + 1 < len(slots[slot]):
                heapq.heappush(heap, entry((*at[:slot], at[slot] + 1, *at[slot + 1 :]), slot))


def _keys(document: Document) -> Iterator[Question]:
    """Every key that a list may hold the document under."""
    for identity in identities(document):
        number = identity.number
        if UNKNOWN in number + identity.issuer:
            continue
        for issuer in sorted(aliases(identity.issuer), key=lambda code: code != identity.issuer):
            asked_as = (
                AskedAs(identity.asked_as) if issuer == identity.issuer else AskedAs.ISSUER_ALIAS
            )
            yield Question(issuer, number, identity.kind, asked_as, exact=True)


def _guesses(document: Document, asked_as: AskedAs) -> Iterator[Question]:
    for key in _keys(document):
        yield replace(key, asked_as=asked_as, exact=False)


def _unique(asked: Iterable[Question]) -> Iterator[Question]:
    """The first question of each key."""
    known: set[tuple[str, str, Kind]] = set()
    for question in asked:
        key = (question.issuer, question.number, question.kind)
        if key not in known:
            known.add(key)
            yield question


def _one_letter_from(code: str) -> Iterator[str]:
    """The known States whose codes differ from this one in one letter."""
    return (known for known in CODES if letters_apart(known, code) == 1)
