"""The table of layouts is whole, and the check digits of published specimens come out of it."""

import pytest

from scanner.mrz.check_digits import check_digit, holds
from scanner.mrz.document import Checks, Document, Format
from scanner.mrz.layouts import CHARACTERS, DIGITS, LAYOUTS, WIDTHS, Layout

EVERY_LAYOUT = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.format)


@EVERY_LAYOUT
def test_every_position_of_a_layout_belongs_to_exactly_one_field_or_check_digit(
    layout: Layout,
) -> None:
    spans = [field.span for field in layout.fields.values()]
    spans += [check.place for check in layout.checks.values()]
    for line in range(layout.height):
        for position in range(layout.width):
            owners = [span for span in spans if span.covers(line, position)]
            assert len(owners) == 1, (line, position, owners)
    assert sum(span.length for span in spans) == layout.height * layout.width


@EVERY_LAYOUT
def test_every_position_has_an_alphabet_within_the_37_characters(layout: Layout) -> None:
    for line in range(layout.height):
        for position in range(layout.width):
            assert set(layout.alphabet(line, position)) <= set(CHARACTERS)
    with pytest.raises(IndexError):
        layout.alphabet(0, layout.width)


@EVERY_LAYOUT
def test_fields_and_checks_are_those_of_a_document(layout: Layout) -> None:
    assert set(layout.fields) - {"name"} <= set(Document.__annotations__)
    assert set(layout.checks) <= set(Checks.__annotations__)


def test_only_digits_and_fillers_may_stand_in_dates_and_check_digits() -> None:
    td3 = LAYOUTS[Format.TD3]
    for position in (9, 13, 18, 19, 21, 26, 27, 42, 43):
        assert set(td3.alphabet(1, position)) == set(DIGITS + "<")


def test_each_width_has_one_number_of_lines() -> None:
    assert WIDTHS == {30: 3, 36: 2, 44: 2}
    assert all(WIDTHS[layout.width] == layout.height for layout in LAYOUTS.values())


@pytest.mark.parametrize(
    ("data", "digit"),
    [
        ("520727", "3"),  # Doc 9303-3 Appendix A, example 1
        ("AB2134<<<", "5"),  # example 2
        ("L898902C3", "6"),  # Doc 9303-4 Appendix B
        ("740812", "2"),
        ("ZE184226B<<<<<", "1"),
        ("L898902C3674081221204159ZE184226B<<<<<1", "0"),
        ("D23145890", "7"),  # Doc 9303-5 Appendix B
    ],
)
def test_check_digits_are_those_that_doc_9303_computes(data: str, digit: str) -> None:
    assert check_digit(data) == digit


def test_an_empty_check_digit_holds_only_under_empty_data() -> None:
    assert holds("<<<<<<", "<") is None
    assert holds("<<<<<<", "0") is True
    assert holds("<<<<<<", "1") is False
    assert holds("740812", "<") is False
    assert holds("740812", "B") is False


def test_an_unknown_character_leaves_a_check_digit_open() -> None:
    assert holds("74?812", "2") is None
    assert holds("740812", "?") is None
