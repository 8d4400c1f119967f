"""From probabilities to lines: what is read, what is doubtful, and what stays as it is printed."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.mrz.check_digits import check_digit
from scanner.mrz.choose import choose
from scanner.mrz.document import Document, Format
from scanner.mrz.layouts import CHARACTERS, LAYOUTS
from scanner.mrz.parse import parse
from scanner.mrz.reading import Status
from scanner.mrz.write import write
from scanner.vision.decode import Thresholds, decode
from tests.reading.decoding import candidates_at, is_read_as, lines_of, place_of
from tests.reading.probabilities import picture, with_
from tests.reading.test_mrz_round_trip import documents

TODAY = date(2026, 11, 23)


@given(documents())
@settings(max_examples=150, deadline=None)
def test_a_clear_picture_of_any_valid_document_is_read_as_it_is(
    drawn: tuple[Document, date],
) -> None:
    document, _ = drawn
    lines = write(document)
    decoded = decode(picture(lines, clear=0.999))
    assert is_read_as(decoded, lines)
    assert decoded.format is choose(lines).format
    assert decoded.misprinted == ()
    assert decoded.confidence > 0.9


@given(documents(), st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_read_is_what_is_likeliest_at_every_place_and_nothing_is_repaired_in_it(
    drawn: tuple[Document, date], data: st.DataObject
) -> None:
    lines = write(drawn[0])
    places = [(line, at) for line in range(len(lines)) for at in range(len(lines[0]))]
    doubts = {}
    for line, at in data.draw(st.lists(st.sampled_from(places), max_size=6, unique=True)):
        other = data.draw(st.sampled_from(CHARACTERS))
        share = data.draw(st.floats(0.02, 0.97))
        if other != lines[line][at]:
            doubts[line, at] = {lines[line][at]: 0.99 - share, other: share}
    log_p = picture(lines, doubts, clear=0.999)
    decoded = decode(log_p)
    likeliest = ["".join(CHARACTERS[i] for i in row) for row in log_p.argmax(axis=2)]
    layout = LAYOUTS[decoded.format]
    if decoded.status is Status.READ:
        for line, row in enumerate(decoded.lines):
            for at, character in enumerate(row):
                # What the layout does not allow may yield to what it does.
                assert character == likeliest[line][at] or (
                    likeliest[line][at] not in layout.alphabet(line, at) or (line, at) == (0, 0)
                )
    else:
        assert decoded.uncertain


@pytest.mark.parametrize("format_", Format)
def test_a_misread_digit_is_put_right_and_the_reading_is_doubtful(format_: Format) -> None:
    lines = lines_of(format_)
    place = place_of(format_, "number", 2)
    decoded = decode(picture(lines, {place: {"2": 0.25, "7": 0.74}}))
    assert decoded.status is Status.DOUBTFUL
    assert decoded.lines == lines
    assert decoded.misprinted == ()
    assert set(candidates_at(decoded, place)) == {"2", "7"}


@pytest.mark.parametrize("format_", Format)
def test_o_for_zero_is_put_right_and_the_reading_is_doubtful(format_: Format) -> None:
    lines = lines_of(format_)
    place = place_of(format_, "number", 3)
    decoded = decode(picture(lines, {place: {"0": 0.03, "O": 0.96}}))
    assert decoded.status is Status.DOUBTFUL
    assert decoded.lines == lines
    assert place in {(one.line, one.position) for one in decoded.uncertain}


@pytest.mark.parametrize("format_", Format)
@pytest.mark.parametrize("name", ["number", "birth_date", "expiry_date", "optional", "composite"])
def test_a_check_digit_that_is_clearly_wrong_in_print_is_read_as_printed(
    format_: Format, name: str
) -> None:
    layout = LAYOUTS[format_]
    if name not in layout.checks:
        return
    lines = lines_of(format_, optional="A1B2" if name == "optional" else None)
    span = layout.checks[name].place
    place = span.line, span.start
    wrong = str((int(span.text(lines)) + 4) % 10)
    printed = with_(lines, place, wrong)
    decoded = decode(picture(printed, clear=0.999))
    assert is_read_as(decoded, printed)
    assert name in decoded.misprinted
    document = parse(printed, TODAY).document
    assert document is not None
    failing = [name for name in layout.checks if getattr(document.checks, name) is False]
    assert list(decoded.misprinted) == failing


def test_a_wrong_check_digit_that_is_not_clear_is_doubtful_and_tells_both() -> None:
    lines = lines_of()
    place = (1, 9)
    printed = with_(lines, place, "8")
    assert lines[1][9] != "8"
    decoded = decode(picture(printed, {place: {"8": 0.7, lines[1][9]: 0.28}}))
    assert decoded.status is Status.DOUBTFUL
    assert decoded.lines == lines
    assert {"8", lines[1][9]} <= set(candidates_at(decoded, place))


def test_a_number_that_its_check_digit_does_not_fit_is_not_read_where_one_character_is_faint() -> (
    None
):
    lines = with_(lines_of(), (1, 3), "7")
    decoded = decode(picture(lines, {(1, 6): {"6": 0.94}}, clear=0.999))
    assert decoded.status is Status.DOUBTFUL
    assert decoded.lines == lines
    assert "number" in decoded.misprinted
    assert (1, 6) in {(one.line, one.position) for one in decoded.uncertain}


@pytest.mark.parametrize("format_", [Format.TD1, Format.TD2, Format.TD3])
def test_what_stands_for_a_check_digit_and_is_none_is_no_misprint_however_clear(
    format_: Format,
) -> None:
    lines = lines_of(format_)
    span = LAYOUTS[format_].checks["composite"].place
    printed = with_(lines, (span.line, span.start), "<")
    decoded = decode(picture(printed, clear=0.9999))
    assert decoded.status is Status.DOUBTFUL
    assert decoded.lines == printed
    assert (span.line, span.start) in {(one.line, one.position) for one in decoded.uncertain}


def test_where_a_check_digit_fails_the_other_fields_must_be_as_clear() -> None:
    lines = lines_of(Format.MRV_A)
    place = place_of(Format.MRV_A, "expiry_date", 2)
    faint = {place: {lines[1][place[1]]: 0.7}}
    limits = Thresholds(checked=0.7, unaided=0.98)
    assert is_read_as(decode(picture(lines, faint, clear=0.9999), limits), lines)
    printed = with_(lines, (1, 9), str((int(lines[1][9]) + 4) % 10))
    shown = picture(printed, faint, clear=0.9999)
    assert is_read_as(decode(shown, replace(limits, unaided=0.7)), printed)
    decoded = decode(shown, limits)
    assert decoded.status is Status.DOUBTFUL
    assert decoded.lines == printed
    assert place in {(one.line, one.position) for one in decoded.uncertain}


def test_o_against_zero_in_a_name_is_settled_by_the_layout() -> None:
    lines = lines_of()
    place = place_of(Format.TD3, "name", 1)
    assert lines[0][place[1]] == "O"
    decoded = decode(picture(lines, {place: {"0": 0.5, "O": 0.49}}))
    assert is_read_as(decoded, lines)


def test_a_clear_digit_in_a_name_stays_as_printed() -> None:
    printed = with_(lines_of(), place_of(Format.TD3, "name", 1), "3")
    decoded = decode(picture(printed, clear=0.9999))
    assert is_read_as(decoded, printed)
    assert decoded.misprinted == ()
    assert decoded.evidence.misfits == 1


def test_a_digit_in_a_name_that_is_not_quite_clear_is_doubtful() -> None:
    printed = with_(lines_of(), place_of(Format.TD3, "name", 1), "0")
    decoded = decode(picture(printed, {(0, 6): {"0": 0.98, "O": 0.015}}))
    assert decoded.status is Status.DOUBTFUL
    assert {"0", "O"} <= set(candidates_at(decoded, (0, 6)))


def test_letters_in_a_specimens_date_stay_as_printed() -> None:
    lines = lines_of()
    printed = (lines[0], lines[1][:21] + "XXXXXX" + lines[1][27:])
    decoded = decode(picture(printed, clear=0.9999))
    assert is_read_as(decoded, printed)
    assert "expiry_date" in decoded.misprinted


def test_an_unknown_state_an_odd_code_and_an_impossible_date_are_read() -> None:
    lines = list(lines_of(code="PX", issuer="QQQ", nationality="ZZZ"))
    data = lines[1][:13] + "909999" + check_digit("909999") + lines[1][20:43]
    covered = data[:10] + data[13:20] + data[21:43]
    lines[1] = data + check_digit(covered)
    assert is_read_as(decode(picture(lines)), tuple(lines))


def test_a_first_letter_that_doc_9303_does_not_know_is_read_where_it_is_clear() -> None:
    lines = with_(lines_of(), (0, 0), "S")
    assert is_read_as(decode(picture(lines, clear=0.9999)), lines)


def test_two_slips_that_no_check_digit_sees_leave_the_number_in_doubt() -> None:
    # Weights 7 and 3: two O for 0 change the sum by 4 × 7 + 4 × 3 = 40.
    lines = lines_of(number="00B124567")
    doubts = {(1, 0): {"0": 0.6, "O": 0.39}, (1, 1): {"0": 0.6, "O": 0.39}}
    decoded = decode(picture(lines, doubts))
    assert decoded.status is Status.DOUBTFUL
    assert candidates_at(decoded, (1, 0))["O"] > 0.2
    lone = decode(picture(lines, {(1, 0): {"0": 0.6, "O": 0.39}}))
    assert lone.confidence > decoded.confidence


@given(
    st.sampled_from(["checked", "unchecked", "borne_out", "confidence", "misprinted", "gap"]),
    st.floats(0.0, 20.0),
    st.booleans(),
    st.floats(0.5, 0.999),
)
@settings(deadline=None)
def test_a_stricter_threshold_never_makes_a_reading_sure(
    name: str, more: float, wrong: bool, clear: float
) -> None:
    lines = with_(lines_of(), (1, 2), "7") if wrong else lines_of()
    log_p = picture(lines, clear=clear)
    lenient = Thresholds()
    strict = replace(lenient, **{name: getattr(lenient, name) + more})
    if decode(log_p, strict).status is Status.READ:
        assert decode(log_p, lenient).status is Status.READ


def test_uncertain_places_are_what_is_not_clear_with_their_probabilities() -> None:
    lines = lines_of()
    place = place_of(Format.TD3, "name", 0)
    decoded = decode(picture(lines, {place: {"R": 0.6, "K": 0.39}}))
    assert decoded.status is Status.DOUBTFUL
    assert [(one.line, one.position) for one in decoded.uncertain] == [place]
    assert decoded.uncertain[0].candidates[0] == ("R", pytest.approx(0.6, abs=0.02))
    assert decoded.uncertain[0].candidates[1] == ("K", pytest.approx(0.39, abs=0.02))


@pytest.mark.parametrize("shape", [(2, 40, 37), (3, 44, 37), (2, 30, 37), (3, 30, 38)])
def test_what_has_no_documents_size_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="no MRZ has"):
        decode(np.zeros(shape, np.float32))


def test_impossible_and_unnormalised_probabilities_are_borne() -> None:
    log_p = picture(lines_of())
    harsh = np.where(log_p < np.log(0.5), -np.inf, log_p + 3).astype(np.float32)
    assert is_read_as(decode(harsh), lines_of())
    for nothing in (-np.inf, np.nan):
        blank = decode(np.full((2, 44, 37), nothing, np.float32))
        assert blank.status is Status.DOUBTFUL
