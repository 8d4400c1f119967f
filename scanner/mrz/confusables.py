"""Characters that are taken for one another, and what such a slip can do unseen.

One relation says which characters look alike. It never pairs two digits: numbers of digits alone
are dense, and every number would have neighbours on a list. From the relation and the values of
the check digits everything else is computed: a single swap is invisible exactly when the two
values agree modulo 10, and two swaps are where their weighted differences cancel.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from types import MappingProxyType

from scanner.mrz.check_digits import FILLER, VALUES, WEIGHTS, holds
from scanner.mrz.document import Format, NumberRule
from scanner.mrz.document_numbers import ReadNumber, read_number
from scanner.mrz.layouts import LAYOUTS, Layout, Span

_CLOSE = "0O 0Q 0D 1I 1L 2Z 5S 6G 8B OQ OD IL UV VY MN CG"
"""Pairs that readers and people confuse most, in OCR-B and in worn print."""

_LOOSE = (
    "0A 0C 0U 1J 1T 3B 3E 4A 7T 7Y 7Z 8S 9G 9P "
    "BE BR BS CO DQ EF FP GO GQ HK HM HN IJ IT KR KX LE MW NW OU PR QG TY VW XY "
    "<C <K <L"
)
"""Pairs that take more wear, blur or glare. A filler is confused only where a number ends."""


def _relation(*tiers: str) -> Mapping[str, Mapping[str, int]]:
    table: dict[str, dict[str, int]] = {character: {} for character in VALUES}
    for tier, pairs in enumerate(tiers, start=1):
        for pair in pairs.split():
            one, other = pair[0], pair[1]
            table[one].setdefault(other, tier)
            table[other].setdefault(one, tier)
    return MappingProxyType({key: MappingProxyType(value) for key, value in table.items()})


LOOK_ALIKES: Mapping[str, Mapping[str, int]] = _relation(_CLOSE, _LOOSE)
"""For each character those that look like it, with 1 for close and 2 for loose."""


@dataclass(frozen=True)
class _Swap:
    """One character of the number read as another: what it costs in likelihood, and what it adds
    to each sum that covers it, modulo 10."""

    index: int
    character: str
    tier: int
    shifts: tuple[int, ...]


def check_preserving_look_alikes(
    lines: Sequence[str], format_: Format, limit: int = 64
) -> tuple[str, ...]:
    """The document numbers that one or two look-alike swaps make of the one in the lines and that
    leave every check digit over it true; long numbers whole.

    Fewest swaps first, then closest resemblance, then leftmost. Empty where a check digit over the
    number does not hold or a character of it is unknown: nothing then speaks for a variant.
    """
    layout = LAYOUTS[format_]
    number = read_number(layout, lines)
    if not number.text or not _holds_throughout(layout, lines, number):
        return ()
    padded, weights = _weights(layout, number)
    long = number.rule is not NumberRule.STANDARD
    variants = (
        _applied(padded, group, long=long)
        for group in _invisible_groups(list(_swaps(padded, weights)))
    )
    distinct = dict.fromkeys(variant for variant in variants if variant is not None)
    return tuple(islice(distinct, limit))


def _holds_throughout(layout: Layout, lines: Sequence[str], number: ReadNumber) -> bool:
    composite = layout.checks.get("composite")
    return number.check is True and (
        composite is None or holds(composite.data(lines), composite.printed(lines)) is True
    )


def _weights(layout: Layout, number: ReadNumber) -> tuple[str, list[tuple[int, ...]]]:
    """The number with its padding, and for each of its characters the weight that it has in every
    sum over it: its own check digit's and the composite's."""
    field, optional = layout.fields["number"].span, layout.fields["optional"].span
    padded = f"{number.text:{FILLER}<{field.length}}"
    skipped = 1 if number.rule is NumberRule.LONG_WITH_FILLER else 0
    composite = layout.checks.get("composite")
    weights = []
    for index in range(len(padded)):
        beyond = index - field.length
        own = WEIGHTS[(index if beyond < 0 else index + skipped) % 3]
        line, position = field.line, field.start + index
        if beyond >= 0:
            line, position = optional.line, optional.start + beyond
        whole = (WEIGHTS[_offset(composite.covers, line, position) % 3],) if composite else ()
        weights.append((own, *whole))
    return padded, weights


def _offset(spans: Sequence[Span], line: int, position: int) -> int:
    """How many covered characters come before a covered one."""
    before = 0
    for span in spans:
        if span.covers(line, position):
            return before + position - span.start
        before += span.length
    raise ValueError("the check digit does not cover this position")


def _swaps(padded: str, weights: Sequence[tuple[int, ...]]) -> Iterator[_Swap]:
    for index, printed in enumerate(padded):
        for other, tier in LOOK_ALIKES[printed].items():
            difference = VALUES[other] - VALUES[printed]
            shifts = tuple(weight * difference % 10 for weight in weights[index])
            yield _Swap(index, other, tier, shifts)


def _invisible_groups(swaps: Sequence[_Swap]) -> Iterator[Sequence[_Swap]]:
    """One swap, then two, that change no sum; the likeliest of each first."""
    singles = [(swap,) for swap in swaps if not any(swap.shifts)]
    pairs = [
        (one, other)
        for one, other in combinations(swaps, 2)
        if one.index != other.index
        and not any((a + b) % 10 for a, b in zip(one.shifts, other.shifts, strict=True))
    ]
    for groups in (singles, pairs):
        yield from sorted(groups, key=_unlikelihood)


def _unlikelihood(group: Sequence[_Swap]) -> tuple[int, list[tuple[int, str]]]:
    return sum(swap.tier for swap in group), [(swap.index, swap.character) for swap in group]


def _applied(padded: str, group: Sequence[_Swap], *, long: bool) -> str | None:
    """The number after the swaps, or None where a filler would come to stand, or vanish, within."""
    characters = list(padded)
    for swap in group:
        characters[swap.index] = swap.character
    variant = "".join(characters).rstrip(FILLER)
    text = padded.rstrip(FILLER)
    if long and len(variant) != len(text):
        return None
    same_fillers = (
        all((a == FILLER) == (b == FILLER) for a, b in zip(variant, text, strict=False))
        and FILLER not in variant[len(text) :]
    )
    return variant if variant and same_fillers else None
