"""Look-alike characters and the misread numbers that no check digit can tell from the printed."""

from collections.abc import Iterator
from datetime import date
from itertools import combinations, product

import pytest

from scanner.mrz.check_digits import VALUES
from scanner.mrz.confusables import LOOK_ALIKES, check_preserving_look_alikes
from scanner.mrz.document import Format
from scanner.mrz.layouts import DIGITS, LAYOUTS
from scanner.mrz.parse import parse
from scanner.mrz.write import compose, write

TODAY = date(2026, 11, 23)


def is_invisible(one: str, other: str) -> bool:
    """Whether no check digit can tell the two apart: their values agree modulo 10."""
    return VALUES[one] % 10 == VALUES[other] % 10


def lines_of(format_: Format, number: str) -> tuple[str, ...]:
    expiry = None if format_ is Format.FRA_ID else "2031-04-15"
    return write(
        compose(
            format_,
            number=number,
            surname="X",
            birth_date="1974-08-12",
            sex="F",
            expiry_date=expiry,
        )
    )


def test_the_relation_is_symmetric_and_never_pairs_two_digits_or_a_character_with_itself() -> None:
    assert set(LOOK_ALIKES) == set(VALUES)
    for one, others in LOOK_ALIKES.items():
        assert one not in others
        for other, tier in others.items():
            assert LOOK_ALIKES[other][one] == tier
            assert not (one in DIGITS and other in DIGITS)


@pytest.mark.parametrize("pair", ["G6", "S8", "L1", "K<", "U0", "A0"])
def test_known_invisible_pairs_look_alike_and_count_the_same(pair: str) -> None:
    one, other = pair[0], pair[1]
    assert other in LOOK_ALIKES[one]
    assert is_invisible(one, other)


@pytest.mark.parametrize("pair", ["O0", "I1", "B8", "Z2", "S5"])
def test_other_confusions_are_seen_by_a_check_digit_when_they_come_alone(pair: str) -> None:
    one, other = pair[0], pair[1]
    assert other in LOOK_ALIKES[one]
    assert not is_invisible(one, other)


def swapped(number: str, width: int, swaps: int) -> Iterator[str]:
    """Every number that so many look-alike swaps make of one, padding included, that still is
    a number: no filler within it that was not there."""
    padded = f"{number:<<{width}}"
    for places in combinations(range(len(padded)), swaps):
        for others in product(*(LOOK_ALIKES[padded[place]] for place in places)):
            characters = list(padded)
            for place, other in zip(places, others, strict=True):
                characters[place] = other
            variant = "".join(characters).rstrip("<")
            if variant and "<" not in variant:
                yield variant


@pytest.mark.parametrize(
    ("format_", "number"),
    [
        (Format.TD1, "D23145890"),
        (Format.TD2, "AB12"),
        (Format.TD3, "L898902C3"),
        (Format.TD3, "K0GS8KKKK"),
        (Format.MRV_A, "L8988901C"),
        (Format.FRA_ID, "880692310285"),
    ],
)
def test_they_are_exactly_the_numbers_that_writing_anew_leaves_every_check_digit_of(
    format_: Format, number: str
) -> None:
    lines = lines_of(format_, number)
    layout = LAYOUTS[format_]
    digits = [check.printed(lines) for check in layout.checks.values()]
    expected = {
        variant
        for swaps in (1, 2)
        for variant in swapped(number, layout.fields["number"].span.length, swaps)
        if [check.printed(lines_of(format_, variant)) for check in layout.checks.values()] == digits
    }
    assert set(check_preserving_look_alikes(lines, format_, limit=100_000)) == expected - {number}
    assert expected


@pytest.mark.parametrize("number", ["000590240601", "600001795015", "D23145890734"])
def test_a_variant_of_a_long_number_put_in_its_place_keeps_every_check_digit(number: str) -> None:
    upper, middle, lower = lines_of(Format.TD1, number)
    variants = check_preserving_look_alikes((upper, middle, lower), Format.TD1, limit=100_000)
    assert variants
    for variant in variants:
        assert len(variant) == len(number)
        misread = upper[:5] + variant[:9] + "<" + variant[9:] + upper[6 + len(number) :]
        document = parse((misread, middle, lower), TODAY).document
        assert document is not None
        assert document.number == variant
        assert False not in vars(document.checks).values()


def test_single_swaps_come_first_and_the_limit_cuts_the_unlikeliest() -> None:
    lines = lines_of(Format.TD3, "L898902C3")
    everything = check_preserving_look_alikes(lines, Format.TD3, limit=100_000)
    changed = [
        sum(a != b for a, b in zip("L898902C3", variant, strict=True)) for variant in everything
    ]
    assert changed == sorted(changed)
    assert set(changed) == {1, 2}
    assert check_preserving_look_alikes(lines, Format.TD3, limit=5) == everything[:5]
    assert check_preserving_look_alikes(lines, Format.TD3, limit=0) == ()
    assert len(set(everything)) == len(everything)


def test_nothing_speaks_for_a_variant_where_the_check_digits_do_not_hold() -> None:
    upper, lower = lines_of(Format.TD3, "L898902C3")
    for damaged in (lower[:9] + "0" + lower[10:], lower[:3] + "?" + lower[4:], lower[:43] + "?"):
        assert check_preserving_look_alikes((upper, damaged), Format.TD3) == ()
