"""On any bytes at all parsing gives a document or a typed reason, and never raises."""

import subprocess
import sys
from datetime import date
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.mrz.codes import FINDING_CODES, REASON_CODES
from scanner.mrz.document import Format, Parsed
from scanner.mrz.layouts import CHARACTERS
from scanner.mrz.parse import is_sound, parse
from scanner.mrz.text import blocks, reading_of
from scanner.mrz.write import compose, write

TODAY = date(2026, 11, 23)
NUMBERS = {
    Format.TD1: "D23145890734",
    Format.TD2: "D2314589073",
    Format.TD3: "L898902C3",
    Format.MRV_A: "L8988901C",
    Format.MRV_B: "L8988901C",
    Format.FRA_ID: "880692310285",
}
VALID = [
    write(
        compose(
            format_,
            number=number,
            surname="Eriksson",
            given_names="Anna",
            birth_date="1974-08-12",
        )
    )
    for format_, number in NUMBERS.items()
]


def is_an_answer(parsed: Parsed) -> bool:
    """Either a document and known findings, or a known reason and nothing else."""
    if parsed.document is None:
        assert parsed.reason is not None
        return parsed.reason.code in REASON_CODES and not parsed.findings
    return parsed.reason is None and all(found.code in FINDING_CODES for found in parsed.findings)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(data: bytes) -> None:
    for block in blocks(data):
        assert all(line and line == line.strip() for line in block)
        parsed = parse(block, TODAY)
        assert is_an_answer(parsed)
        assert parsed.document is None or not is_sound(parsed) or parsed.lines == tuple(block)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=50), max_size=5), st.dates())
def test_any_text_on_any_day_gets_an_answer(lines: list[str], today: date) -> None:
    assert is_an_answer(parse(lines, today))
    assert reading_of(lines, reader="test", today=today).reader == "test"


@settings(max_examples=500, deadline=None)
@given(st.data(), st.dates())
def test_any_mrz_characters_of_the_right_size_are_a_document(
    data: st.DataObject, today: date
) -> None:
    width, height = data.draw(st.sampled_from([(30, 3), (36, 2), (44, 2)]))
    line = st.text(CHARACTERS + "?", min_size=width, max_size=width)
    parsed = parse(data.draw(st.lists(line, min_size=height, max_size=height)), today)
    assert parsed.document is not None
    assert is_an_answer(parsed)


@settings(max_examples=700, deadline=None)
@given(st.data())
def test_any_slip_in_a_valid_document_gets_an_answer(data: st.DataObject) -> None:
    text = bytearray("\n".join(data.draw(st.sampled_from(VALID))).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        slip = data.draw(st.sampled_from(["change", "drop", "double"]))
        if slip == "change":
            text[at] = data.draw(st.sampled_from([*CHARACTERS.encode(), *b"?\n\xff "]))
        elif slip == "drop":
            del text[at]
        else:
            text.insert(at, text[at])
    for block in blocks(bytes(text)):
        assert is_an_answer(parse(block, TODAY))


def test_the_torture_script_finds_nothing_in_a_short_run() -> None:
    script = Path(__file__).with_name("parse_torture.py")
    run = subprocess.run(
        [sys.executable, str(script), "--count", "3000", "--seed", "7"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("3000 inputs, 0 exceptions")


# From bytes to blocks


def test_blocks_are_parted_by_blank_lines_whatever_ends_a_line() -> None:
    for end in (b"\n", b"\r\n", b"\r"):
        data = end.join([b"", b"ab<", b" cd ", b" \t ", b"", b"ef", b""])
        assert blocks(data) == [["AB<", "CD"], ["EF"]]


def test_byte_order_marks_are_no_text() -> None:
    assert blocks(b"\xef\xbb\xbfab") == [["AB"]]
    assert blocks("\ufeffab\r\ncd".encode("utf-16-le")) == [["AB", "CD"]]
    assert blocks("\ufeffab".encode("utf-16-be")) == [["AB"]]


def test_nothing_is_no_block() -> None:
    assert blocks(b"") == []
    assert blocks(b"\n \r\n\t\n") == []
