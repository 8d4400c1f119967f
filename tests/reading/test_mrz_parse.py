"""Parsing: published specimens, typed reasons, findings, and the tables of their codes."""

import ast
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import scanner.mrz
from scanner.mrz import dates
from scanner.mrz.codes import FINDING_CODES, REASON_CODES, FindingCode, ReasonCode
from scanner.mrz.document import Checks, Document, Format, Kind, NumberRule
from scanner.mrz.parse import is_sound, parse
from scanner.mrz.write import compose, write

TODAY = date(2026, 11, 23)

TD1 = (
    "I<UTOD231458907<<<<<<<<<<<<<<<",
    "7408122F1204159UTO<<<<<<<<<<<6",
    "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
)
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
TD3 = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
)
MRV_A = (
    "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L8988901C4XXX4009078F96121096ZE184226B<<<<<<",
)
MRV_B = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<")


def test_the_specimen_passport_of_doc_9303_says_all_that_it_prints() -> None:
    parsed = parse(TD3, TODAY)
    assert parsed.lines == TD3
    assert parsed.reason is None
    assert parsed.document == Document(
        format=Format.TD3,
        code="P",
        issuer="UTO",
        number="L898902C3",
        number_rule=NumberRule.STANDARD,
        surname="ERIKSSON",
        given_names="ANNA MARIA",
        name_truncated=False,
        nationality="UTO",
        birth_date="1974-08-12",
        sex="F",
        expiry_date="2012-04-15",
        optional="ZE184226B",
        optional_2=None,
        checks=Checks(True, True, True, True, True),
        kind=Kind.PASSPORT,
    )
    assert [(found.code, found.field, found.note) for found in parsed.findings] == [
        ("expired", "expiry_date", True)
    ]


@pytest.mark.parametrize(
    ("lines", "format_"),
    [
        (TD1, Format.TD1),
        (TD2, Format.TD2),
        (TD3, Format.TD3),
        (MRV_A, Format.MRV_A),
        (MRV_B, Format.MRV_B),
    ],
)
def test_the_specimens_of_doc_9303_are_sound_and_print_themselves(
    lines: tuple[str, ...], format_: Format
) -> None:
    parsed = parse(lines, TODAY)
    assert parsed.format is format_
    assert is_sound(parsed)
    assert parsed.document is not None
    assert (parsed.document.surname, parsed.document.given_names) == ("ERIKSSON", "ANNA MARIA")
    assert write(parsed.document) == lines


@pytest.mark.parametrize(
    ("lines", "code", "says"),
    [
        ([], "empty", "no text"),
        (["", "   ", "\r\n"], "empty", "no text"),
        ([TD3[0], TD3[1][:6] + "é" + TD3[1][7:]], "characters", "line 2, position 7: U+00E9"),
        ([TD3[0], TD3[1][:6] + " " + TD3[1][7:]], "characters", "line 2, position 7: U+0020"),
        (["ı" * 44, TD3[1]], "characters", "line 1, position 1: U+0131"),
        ([TD3[1]], "single_line", "44 characters"),
        ([TD3[0], TD3[1][:-1]], "mixed_lengths", "line 2 has 43 characters, line 1 has 44"),
        ([TD3[0][:-1], TD3[1][:-1]], "line_length", "43 characters"),
        (TD1[:2], "line_count", "2 lines of 30 characters: there must be 3"),
        ([*TD3, TD3[0]], "line_count", "3 lines of 44 characters: there must be 2"),
    ],
)
def test_what_is_no_document_gets_a_typed_reason_that_says_where(
    lines: list[str], code: str, says: str
) -> None:
    parsed = parse(lines, TODAY)
    assert parsed.document is None
    assert parsed.findings == ()
    assert parsed.reason is not None
    assert parsed.reason.code == code
    assert says in parsed.reason.message
    assert "\n" not in parsed.reason.message
    assert not is_sound(parsed)


def test_lower_case_and_line_ends_are_no_fault() -> None:
    assert parse([f"  {line.lower()}\r\n" for line in TD3], TODAY) == parse(TD3, TODAY)


def test_an_unknown_character_leaves_open_what_it_covers_and_no_more() -> None:
    lines = (TD3[0], TD3[1][:3] + "?" + TD3[1][4:])
    parsed = parse(lines, TODAY)
    assert parsed.document is not None
    assert parsed.document.number == "L89?902C3"
    assert parsed.document.checks == Checks(None, True, True, True, None)
    assert [found.code for found in parsed.findings if not found.note] == ["unknown_character"]
    assert parsed.findings[0].field == "number"
    assert "line 2, position 4" in parsed.findings[0].message
    assert not is_sound(parsed)


@pytest.mark.parametrize("lines", [TD1, TD2, TD3, MRV_A, MRV_B])
def test_any_one_unknown_character_keeps_the_format_and_is_never_sound(
    lines: tuple[str, ...],
) -> None:
    format_ = parse(lines, TODAY).format
    for i, line in enumerate(lines):
        for k in range(len(line)):
            damaged = [*lines[:i], line[:k] + "?" + line[k + 1 :], *lines[i + 1 :]]
            parsed = parse(damaged, TODAY)
            assert parsed.format is format_
            assert not is_sound(parsed)
            assert "unknown_character" in [found.code for found in parsed.findings]


@pytest.mark.parametrize(
    ("field", "printed"), [("number", 9), ("birth_date", 19), ("expiry_date", 27)]
)
def test_each_wrong_check_digit_is_a_finding_of_its_field(field: str, printed: int) -> None:
    digit = str((int(TD3[1][printed]) + 1) % 10)
    parsed = parse((TD3[0], TD3[1][:printed] + digit + TD3[1][printed + 1 :]), TODAY)
    fields = [found.field for found in parsed.findings if found.code == "check_digit"]
    assert fields == [field, "composite"]
    assert not is_sound(parsed)


@pytest.mark.parametrize(
    ("raw", "iso", "code"),
    [
        ("741301", "1974", "date"),
        ("740230", "1974-02", "date"),
        ("740800", "1974-08", "date"),
        ("<<0812", None, "date"),
        ("74<<12", "1974", "date"),
        ("74O812", "1974", "date_characters"),
        ("7<0812", None, "date"),
        ("000229", "2000-02-29", None),
        ("74?812", "1974", None),
    ],
)
def test_what_cannot_be_a_date_keeps_its_longest_prefix_that_can(
    raw: str, iso: str | None, code: str | None
) -> None:
    assert dates.read_birth_date(raw, TODAY) == dates.ReadDate(iso, code)  # type: ignore[arg-type]


def test_impossible_dates_and_letters_in_dates_are_findings() -> None:
    for raw, code in (("741301", FindingCode.DATE), ("74O812", FindingCode.DATE_CHARACTERS)):
        parsed = parse((TD3[0], TD3[1][:13] + raw + TD3[1][19:]), TODAY)
        found = [finding for finding in parsed.findings if finding.code == code]
        assert [finding.field for finding in found] == ["birth_date"]


def test_a_document_is_good_through_its_last_day() -> None:
    lines = write(
        compose(Format.TD3, number="A1", surname="X", birth_date="1990-01-01", expiry_date=TODAY)
    )
    assert "expired" not in [found.code for found in parse(lines, TODAY).findings]
    assert "expired" in [found.code for found in parse(lines, date(2026, 11, 24)).findings]


def test_an_expiry_without_a_day_is_over_when_its_month_is_and_asks_for_a_look() -> None:
    lines = write(compose(Format.TD3, number="A1", surname="X", expiry_date="2026-10"))
    parsed = parse(lines, TODAY)
    notes = {found.code: found.note for found in parsed.findings if found.field == "expiry_date"}
    assert notes == {"partial_date": False, "expired": True}
    assert not is_sound(parsed)


def test_an_empty_number_is_never_sound() -> None:
    parsed = parse((TD3[0], "<<<<<<<<<<" + TD3[1][10:]), TODAY)
    assert parsed.document is not None
    assert parsed.document.number == ""
    assert "no_number" in [found.code for found in parsed.findings]
    assert not is_sound(parsed)


def test_findings_and_reasons_never_repeat_names_or_numbers() -> None:
    lines = ("PZUT0ER1KSSON<<ANNA" + "<" * 25, "L898902C0UT07413019H12041599ZE184226B<<<<<10")
    parsed = parse((lines[0], lines[1][:44]), TODAY)
    assert len(parsed.findings) > 5
    for found in parsed.findings:
        assert not any(word in found.message for word in ("ER1KSSON", "ANNA", "L898902C", "ZE18"))


@pytest.mark.parametrize("check", ["number", "composite"])
def test_soundness_needs_the_number_and_the_whole_confirmed_even_without_a_finding(
    check: str,
) -> None:
    parsed = parse(TD3, TODAY)
    assert is_sound(parsed)
    assert parsed.document is not None
    unconfirmed = replace(parsed.document.checks, **{check: None})
    assert not is_sound(replace(parsed, document=replace(parsed.document, checks=unconfirmed)))


SOURCES = sorted(Path(scanner.mrz.__file__).parent.glob("*.py"))


def test_the_tables_of_codes_name_every_code_that_the_source_uses() -> None:
    assert set(REASON_CODES) == set(ReasonCode)
    assert set(FINDING_CODES) == set(FindingCode)
    used = {
        (node.value.id, node.attr)
        for source in SOURCES
        if source.name != "codes.py"
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    for codes in (ReasonCode, FindingCode):
        assert {name for owner, name in used if owner == codes.__name__} == set(codes.__members__)


def test_no_finding_or_reason_is_made_with_a_code_of_its_own() -> None:
    made = [
        call
        for source in SOURCES
        for call in ast.walk(ast.parse(source.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("Finding", "Reason")
    ]
    assert len(made) > 15
    assert not [call.lineno for call in made if isinstance(call.args[0], ast.Constant)]


def test_every_code_has_one_line_of_meaning() -> None:
    for meaning in (*REASON_CODES.values(), *FINDING_CODES.values()):
        assert meaning.endswith((".", ")."))
        assert "\n" not in meaning
