"""What the layouts have of their own, decoded: long numbers, empty check digits, visas, cards."""

import pytest

from scanner.mrz.check_digits import check_digit
from scanner.mrz.document import Format, NumberRule
from scanner.mrz.reading import Status
from scanner.mrz.write import compose, write
from scanner.vision.decode import decode
from tests.reading.decoding import is_read_as, lines_of, place_of
from tests.reading.probabilities import picture, with_


@pytest.mark.parametrize("format_", [Format.TD1, Format.TD2])
@pytest.mark.parametrize("rule", [NumberRule.LONG_WITHOUT_FILLER, NumberRule.LONG_WITH_FILLER])
@pytest.mark.parametrize("number", ["000590240601", "B120456789C"])
def test_long_numbers_are_read_and_put_right_under_both_rules(
    format_: Format, rule: NumberRule, number: str
) -> None:
    document = compose(
        format_, number=number, number_rule=rule, surname="ROOS", birth_date="1990-05-10"
    )
    lines = write(document)
    assert is_read_as(decode(picture(lines)), lines)
    place = place_of(format_, "optional", 1)
    true = lines[place[0]][place[1]]
    other = "8" if true != "8" else "3"
    doubtful = decode(picture(lines, {place: {true: 0.3, other: 0.69}}))
    assert doubtful.status is Status.DOUBTFUL
    assert doubtful.lines == lines


@pytest.mark.parametrize("digit", ["<", "0"])
def test_empty_optional_data_may_have_a_filler_or_a_zero_for_its_check_digit(digit: str) -> None:
    lines = with_(lines_of(), (1, 42), digit)
    assert is_read_as(decode(picture(lines)), lines)
    unclear = decode(picture(lines, {(1, 42): {digit: 0.7, "4": 0.29}}))
    assert unclear.lines == lines
    assert unclear.evidence.agree


def test_a_russian_document_without_expiry_and_with_digits_in_its_name_is_read() -> None:
    lines = lines_of(code="PN", issuer="RUS", surname="ROOS3", given_names="ALEKSE1")
    empty = (lines[0], lines[1][:21] + "<<<<<<<" + lines[1][28:43])
    covered = empty[1][:10] + empty[1][13:20] + empty[1][21:43]
    printed = (empty[0], empty[1] + check_digit(covered))
    assert is_read_as(decode(picture(printed)), printed)


@pytest.mark.parametrize("format_", [Format.MRV_A, Format.MRV_B])
def test_a_visa_is_known_by_its_first_letter(format_: Format) -> None:
    lines = lines_of(format_, optional="X5")
    decoded = decode(picture(lines))
    assert is_read_as(decoded, lines)
    assert decoded.format is format_


@pytest.mark.parametrize("format_", [Format.TD3, Format.MRV_A, Format.TD2, Format.MRV_B])
def test_an_unclear_first_letter_leaves_the_layout_to_the_rest(format_: Format) -> None:
    lines = lines_of(format_, optional="X5")
    chances = {"P": 0.3, "V": 0.3, "I": 0.3}
    decoded = decode(picture(lines, {(0, 0): chances}))
    assert decoded.lines == lines
    assert decoded.format is format_
    assert decoded.status is Status.DOUBTFUL


def test_a_french_card_is_told_from_a_french_td2() -> None:
    card = lines_of(Format.FRA_ID, number="880692310285", optional="952042")
    td2 = lines_of(Format.TD2, code="ID", issuer="FRA")
    assert decode(picture(card)).format is Format.FRA_ID
    assert decode(picture(td2)).format is Format.TD2
    unclear = {(0, 0): {"I": 0.4, "1": 0.4}, (0, 1): {"D": 0.4, "O": 0.4}}
    assert decode(picture(card, unclear)).lines == card
    assert decode(picture(td2, unclear)).lines == td2
