"""What agreeing views cannot decide: 0 and O, and their like, where no check digit tells."""

from scanner.mrz.document import Format
from scanner.mrz.layouts import LAYOUTS
from scanner.mrz.write import compose, write
from scanner.vision.twins import undecided

TD3 = LAYOUTS[Format.TD3]


def lines_of(number: str, format_: Format = Format.TD3, optional: str | None = None) -> list[str]:
    document = compose(
        format_,
        number=number,
        surname="ROOS",
        given_names="OLGA",
        birth_date="1990-05-10",
        sex="F",
        expiry_date="2034-10-20",
        optional=optional,
    )
    return list(write(document))


def test_one_zero_in_a_number_is_decided_by_its_check_digit() -> None:
    assert undecided(lines_of("B1204567"), TD3) == {}


def test_two_zeros_whose_swaps_cancel_are_undecided() -> None:
    # Weights 7 and 3: two O for 0 change the sum by 4 × 7 + 4 × 3 = 40.
    assert undecided(lines_of("00B124567"), TD3) == {(1, 0): "0O", (1, 1): "0O"}


def test_two_zeros_whose_swaps_do_not_cancel_are_decided() -> None:
    assert undecided(lines_of("0B0124567"), TD3) == {}


def test_a_letter_field_or_a_date_has_no_twins() -> None:
    lines = lines_of("B12345678")
    assert "O" in lines[0]
    assert "0" in lines[1]
    assert undecided(lines, TD3) == {}


def test_optional_data_of_a_visa_has_no_check_digit_so_its_twins_are_undecided() -> None:
    lines = lines_of("B12345678", Format.MRV_A, optional="A10Q5")
    doubts = undecided(lines, LAYOUTS[Format.MRV_A])
    assert doubts == {(1, 29): "1I", (1, 30): "0O", (1, 32): "5S"}


def test_very_many_zeros_are_undecided_without_trying_every_set() -> None:
    lines = lines_of("000000000", optional="00000000000000")
    doubts = undecided(lines, TD3)
    assert {(1, at) for at in range(9)} <= set(doubts)


def test_unknown_characters_are_taken_as_they_are() -> None:
    lines = lines_of("B1204567")
    lines[1] = lines[1][:4] + "?" + lines[1][5:]
    assert undecided(lines, TD3) == {}
