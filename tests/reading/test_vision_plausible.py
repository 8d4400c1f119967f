"""What is an MRZ and what is other text, however clear."""

from datetime import date

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scanner.mrz.check_digits import FILLER
from scanner.mrz.document import Document, Format
from scanner.mrz.layouts import CHARACTERS, DIGITS, LETTERS, WIDTHS
from scanner.mrz.write import compose, write
from scanner.vision.decode import decode
from scanner.vision.plausible import plausible
from tests.reading.probabilities import picture, with_
from tests.reading.test_mrz_round_trip import documents

PROSE = (
    "THIS PASSPORT CONTAINS THIRTY TWO PAGES AND REMAINS THE PROPERTY OF THE STATE THAT ISSUED IT "
    "VALID FOR ALL COUNTRIES UNLESS OTHERWISE ENDORSED ON PAGE 12 THE BEARER MUST SIGN ON PAGE 3 "
    "IN CASE OF LOSS TELEPHONE 0900 555 01 23 PLACE OF BIRTH AMSTERDAM HEIGHT 178 CM EYES BROWN"
)


@given(documents(), st.floats(0.7, 0.999))
@settings(max_examples=100, deadline=None)
def test_a_document_that_can_be_read_is_an_mrz(drawn: tuple[Document, date], clear: float) -> None:
    lines = write(drawn[0])
    decoded = decode(picture(lines, clear=clear))
    text = "".join(lines)
    assume(2 <= text.count(FILLER) <= 0.8 * len(text))  # any that a person bears
    assert plausible(decoded)


def test_a_document_with_every_check_digit_wrong_in_print_is_an_mrz() -> None:
    lines = write(
        compose(Format.TD3, number="B1204567", surname="ROOS", birth_date="1990-05-10", sex="F")
    )
    for at in (9, 19, 43):
        lines = with_(lines, (1, at), str((int(lines[1][at]) + 3) % 10))
    assert plausible(decode(picture(lines)))


@given(st.sampled_from(sorted(WIDTHS)), st.integers(0, 200), st.floats(0.5, 0.999))
@settings(max_examples=100, deadline=None)
def test_prose_is_no_mrz(width: int, start: int, clear: float) -> None:
    text = (PROSE * 3).replace(" ", FILLER)[start:]
    lines = tuple(text[i * width : (i + 1) * width] for i in range(WIDTHS[width]))
    assert not plausible(decode(picture(lines, clear=clear)))


def test_rows_of_any_letters_or_digits_are_no_mrz() -> None:
    dice = np.random.default_rng(20261124)
    for _ in range(300):
        width = int(dice.choice(sorted(WIDTHS)))
        rows = []
        for _ in range(WIDTHS[width]):
            alphabet = dice.choice([LETTERS, DIGITS, CHARACTERS, DIGITS + FILLER])
            rows.append("".join(dice.choice(list(alphabet), width)))
        assert not plausible(decode(picture(rows))), rows


@pytest.mark.parametrize(("width", "height"), WIDTHS.items())
def test_fillers_alone_are_no_mrz(width: int, height: int) -> None:
    assert not plausible(decode(picture((FILLER * width,) * height)))
    first = with_((FILLER * width,) * height, (0, 0), "P")
    assert not plausible(decode(picture(first)))


@given(st.sampled_from(sorted(WIDTHS)), st.integers(0, 2**32 - 1), st.floats(0.1, 6.0))
@settings(max_examples=100, deadline=None)
def test_noise_is_no_mrz(width: int, seed: int, spread: float) -> None:
    noise = np.random.default_rng(seed).normal(0, spread, (WIDTHS[width], width, len(CHARACTERS)))
    assert not plausible(decode(noise.astype(np.float32)))
