"""The trellis against trying everything: the best lines whose check digits hold, and how probable
each character is, given that they do."""

from collections.abc import Iterator, Sequence
from itertools import product
from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.mrz.check_digits import FILLER, check_digit
from scanner.mrz.choose import candidates, read_checks
from scanner.mrz.document import Format, NumberRule
from scanner.mrz.document_numbers import read_number
from scanner.mrz.findings import DIGITS_IN_NAMES_IN_USE
from scanner.mrz.layouts import CHARACTERS, DIGITS, LAYOUTS
from scanner.mrz.write import compose, write
from scanner.vision.posterior import Posterior
from scanner.vision.schemes import scheme_of
from scanner.vision.sums import Scores
from scanner.vision.trellis import best_lines, bound
from tests.reading.test_mrz_round_trip import documents

NEVER = -300.0


def satisfy(format_: Format, lines: Sequence[str]) -> bool:
    """Whether nothing in the lines is against Doc 9303, as parsing would see it."""
    layout = LAYOUTS[format_]
    checks = read_checks(layout, lines, read_number(layout, lines))
    return (
        False not in vars(checks).values()
        and (checks.composite is True or "composite" not in layout.checks)
        and format_ in candidates(layout.width, lines[0])
        and lines[0][0] not in DIGITS + FILLER
        and not any(layout.misfits(i, line) for i, line in enumerate(_without_name(format_, lines)))
    )


def _without_name(format_: Format, lines: Sequence[str]) -> list[str]:
    """The lines, but for the name where the issuer spells names with digits."""
    layout, rows = LAYOUTS[format_], list(lines)
    if "name" in layout.fields and layout.fields["issuer"].text(lines) in DIGITS_IN_NAMES_IN_USE:
        span = layout.fields["name"].span
        blank = FILLER * span.length
        row = rows[span.line]
        rows[span.line] = row[: span.start] + blank + row[span.start + span.length :]
    return rows


def shown(lines: Sequence[str], options: dict[tuple[int, int], dict[str, float]]) -> Scores:
    """Log probabilities: the lines for certain, but for the places with options."""
    found = np.full((len(lines), len(lines[0]), len(CHARACTERS)), NEVER)
    for line, text in enumerate(lines):
        for at, character in enumerate(text):
            for option, chance in options.get((line, at), {character: 1.0}).items():
                found[line, at, CHARACTERS.index(option)] = log(chance)
    return found


def every(
    lines: Sequence[str], options: dict[tuple[int, int], dict[str, float]]
) -> Iterator[tuple[tuple[str, ...], float]]:
    """Every combination of the options, with its log probability."""
    for chosen in product(*(chances.items() for chances in options.values())):
        changed = [list(line) for line in lines]
        for (line, at), (character, _) in zip(options, chosen, strict=True):
            changed[line][at] = character
        total = sum(log(chance) for _, chance in chosen)
        yield tuple("".join(line) for line in changed), total


@st.composite
def doubtful_documents(
    draw: st.DrawFn,
) -> tuple[Format, tuple[str, ...], dict[tuple[int, int], dict[str, float]]]:
    """A document, and up to six places with up to three characters each, one of them the true."""
    document, _ = draw(documents())
    lines = write(document)
    layout = LAYOUTS[document.format]
    checked = [check.place for check in layout.checks.values()]
    checked += [field.span for name, field in layout.fields.items() if name != "code"]
    places = [(s.line, s.start + i) for s in checked for i in range(s.length)]
    options = {}
    for line, at in draw(st.lists(st.sampled_from(places), max_size=6, unique=True)):
        others = draw(st.lists(st.sampled_from(CHARACTERS), min_size=1, max_size=2))
        characters = list(dict.fromkeys([*others, lines[line][at]]))
        weights = [draw(st.integers(1, 50)) for _ in characters]
        options[line, at] = {
            character: weight / sum(weights)
            for character, weight in zip(characters, weights, strict=True)
        }
    return document.format, lines, options


@given(doubtful_documents())
@settings(max_examples=60, deadline=None)
def test_no_lines_whose_check_digits_hold_are_likelier_than_the_trellis_finds(
    doubtful: tuple[Format, tuple[str, ...], dict[tuple[int, int], dict[str, float]]],
) -> None:
    format_, lines, options = doubtful
    scheme, scores = scheme_of(format_), shown(lines, options)
    found = best_lines(scheme, scores)
    assert satisfy(format_, found.lines)
    best = max(score for each, score in every(lines, options) if satisfy(format_, each))
    assert found.score == pytest.approx(best)
    assert dict(every(lines, options))[found.lines] == pytest.approx(best)
    assert bound(scheme, scores) >= found.score - 1e-9


@given(doubtful_documents())
@settings(max_examples=60, deadline=None)
def test_a_character_is_as_probable_as_all_lines_with_it_whose_check_digits_hold(
    doubtful: tuple[Format, tuple[str, ...], dict[tuple[int, int], dict[str, float]]],
) -> None:
    format_, lines, options = doubtful
    layout = LAYOUTS[format_]
    weights = {
        each: exp(score) * _ways(format_, each)
        for each, score in every(lines, options)
        if satisfy(format_, each)
    }
    posterior = Posterior(scheme_of(format_), shown(lines, options))
    total = sum(weights.values())
    assert posterior.log_total() == pytest.approx(log(total))
    likeliest = max(weights, key=lambda each: weights[each])
    at = np.array([[CHARACTERS.index(character) for character in line] for line in likeliest])
    assert posterior.share(at) == pytest.approx(weights[likeliest] / total)
    chances = posterior.chances()
    assert chances.sum(axis=2) == pytest.approx(np.ones((layout.height, layout.width)))
    for (line, at), characters in options.items():
        for character in characters:
            share = sum(w for each, w in weights.items() if each[line][at] == character) / total
            found = chances[line, at, CHARACTERS.index(character)]
            assert found == pytest.approx(share, abs=1e-9)


def _ways(format_: Format, lines: Sequence[str]) -> int:
    """How often the lines count: a long number once a rule that its check digit holds under, a
    name of letters once more where it might have digits."""
    layout = LAYOUTS[format_]
    number = read_number(layout, lines)
    ways = 1
    if number.rule is not NumberRule.STANDARD:
        ways = _both_rules(number.text)
    issuer, name = layout.fields["issuer"].text(lines), layout.fields.get("name")
    if name and issuer in DIGITS_IN_NAMES_IN_USE and not set(name.text(lines)) & set(DIGITS):
        ways *= 2
    return ways


def _both_rules(number: str) -> int:
    return 2 if check_digit(number) == check_digit(f"{number[:9]}<{number[9:]}") else 1


@pytest.mark.parametrize("format_", Format)
def test_a_scheme_says_of_every_place_what_may_stand_there(format_: Format) -> None:
    scheme = scheme_of(format_)
    layout = LAYOUTS[format_]
    places = [place for group in scheme.groups for place in group.places]
    places += [scheme.composite] if scheme.composite else []
    assert len(places) == len(set(places)) == layout.height * layout.width
    assert scheme.allowed.any(axis=2).all()


def test_a_clear_slip_is_put_right_by_the_two_check_digits_over_it() -> None:
    document = compose(
        Format.TD3,
        number="L0070",
        surname="ROOS",
        birth_date="1990-05-10",
        expiry_date="2031-01-01",
    )
    lines = write(document)
    scores = shown(lines, {(1, 1): {"0": 0.1, "8": 0.9}, (1, 4): {"0": 0.3, "5": 0.7}})
    assert best_lines(scheme_of(Format.TD3), scores).lines == lines
