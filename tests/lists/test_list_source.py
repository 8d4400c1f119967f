"""A list's source: what is read, and that nothing bad goes unsaid."""

import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.mrz.document import Kind
from scanner.watchlist import portions
from scanner.watchlist.contract import ListStatus
from scanner.watchlist.csv_records import Position
from scanner.watchlist.portions import Portion, read_portions
from scanner.watchlist.records import class_of, day_of
from scanner.watchlist.source import BadRow, Row, SourceUnusable, read_rows, read_source

HEADER = "issuer,number,number_to,kind,status,recorded,reference"
GOOD = "UTO,L898902C3,,passport,stolen,2026-01-05,"


def read(content: str | bytes) -> list[Row | BadRow]:
    data = content.encode() if isinstance(content, str) else content
    return list(read_rows(io.BytesIO(data), "source.csv"))


def reasons(*rows: str) -> list[tuple[int, str]]:
    """The bad rows among these, each with the line it stands on."""
    given_rows = read("\n".join([HEADER, *rows]) + "\n")
    return [(row.line, row.reason) for row in given_rows if isinstance(row, BadRow)]


def test_a_row_is_read_with_its_number_tidied() -> None:
    row = read(f"{HEADER}\nuto,l-898 902c3,,Passport,STOLEN,2026-01-05,file 12\n")
    assert row == [
        Row(2, "UTO", "L898902C3", None, Kind.PASSPORT, ListStatus.STOLEN, date(2026, 1, 5))
    ]


def test_a_range_keeps_both_its_ends() -> None:
    (row,) = read(f"{HEADER}\nUTO,AB-000100,AB-000199,passport,stolen_blank,2026-01-05,\n")
    assert isinstance(row, Row)
    assert (row.number, row.number_to) == ("AB000100", "AB000199")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_a_byte_order_mark_and_a_missing_last_line_end_are_all_accepted(
    ending: str, bom: bytes, last: bool
) -> None:
    text = ending.join([HEADER, GOOD, "", GOOD]) + (ending if last else "")
    assert [row.line for row in read(bom + text.encode())] == [2, 4]


def test_the_columns_may_stand_in_another_order() -> None:
    (row,) = read(
        "reference,recorded,status,kind,number_to,number,issuer\n,2026-01-05,lost,visa,,X1,UTO\n"
    )
    assert isinstance(row, Row)
    assert (row.issuer, row.number, row.kind) == ("UTO", "X1", Kind.VISA)


def test_a_reference_may_hold_commas_quotes_and_line_breaks() -> None:
    rows = read(f'{HEADER}\n{GOOD}"one, ""two""\nthree"\n{GOOD}\n')
    assert [(type(row), row.line) for row in rows] == [(Row, 2), (Row, 4)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("UTX,A1,,passport,stolen,2026-01-05,", "unknown issuer UTX"),
        (",A1,,passport,stolen,2026-01-05,", "the issuer is missing"),
        ("UTO,,,passport,stolen,2026-01-05,", "the number is missing"),
        (f"UTO,{'A' * 31},,passport,stolen,2026-01-05,", "the number has 31 characters"),
        ("UTO,A1/2,,passport,stolen,2026-01-05,", "character 3 of the number"),
        ("UTO,A1ı2,,passport,stolen,2026-01-05,", "character 3 of the number"),
        ("UTO,A1,A23,passport,stolen,2026-01-05,", "number_to is not as long as number"),
        ("UTO,A2,A1,passport,stolen,2026-01-05,", "number_to stands before number"),
        ("UTO,A1,A_,passport,stolen,2026-01-05,", "character 2 of the number_to"),
        ("UTO,A1,,pasport,stolen,2026-01-05,", "unknown kind (did you mean passport?)"),
        ("UTO,A1,,,stolen,2026-01-05,", "the kind is missing"),
        ("UTO,A1,,passport,stoln,2026-01-05,", "unknown status (did you mean stolen?)"),
        ("UTO,A1,,passport,stolen,05.01.2026,", "recorded is no date"),
        ("UTO,A1,,passport,stolen,2026-02-30,", "recorded is no date"),
        ("UTO,A1,,passport,stolen,,", "recorded is no date"),
        ("UTO,A1,,passport,stolen,2026-01-05", "6 fields where there must be 7"),
        ("UTO,A1,,passport,stolen,2026-01-05,a,b", "8 fields where there must be 7"),
        ('UTO,A1,,passport,stolen,2026-01-05,"a"b', "the quotes are not those of CSV"),
    ],
)
def test_a_bad_row_is_reported_with_its_line_and_what_is_wrong(row: str, reason: str) -> None:
    ((line, told),) = reasons(GOOD, row, GOOD)
    assert line == 3
    assert told.startswith(reason)


def test_every_bad_row_is_reported() -> None:
    assert [line for line, _ in reasons("nonsense", GOOD, "UTO,,,,,,", GOOD, "x,y")] == [2, 4, 6]


def test_no_report_repeats_a_number() -> None:
    told = reasons(
        "UTO,SECRET1/2,,passport,stolen,2026-01-05,",
        "SECRET1,UTO,,passport,stolen,2026-01-05,",
        "UTO,,SECRET1,SECRET1,SECRET1,SECRET1,",
        "UTO,SECRET1,A1,passport,stolen,2026-01-05,",
        'UTO,"SECRET1',
    )
    assert len(told) == 5
    assert all("SECRET1" not in reason for _, reason in told)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("issuer,nmber,number_to,kind,status,recorded,reference", "did you mean number?"),
        ("issuer,number,number_to,kind,status,recorded", "reference is missing"),
        ("issuer,issuer,number,number_to,kind,status,recorded,reference", "issuer stands there tw"),
        ("issuer;number;number_to;kind;status;recorded;reference", "It must be issuer,number,"),
        ("UTO,L898902C3,,passport,stolen,2026-01-05,", "It must be issuer,number,"),
    ],
)
def test_a_wrong_header_stops_everything_and_says_what_is_meant(header: str, told: str) -> None:
    with pytest.raises(SourceUnusable, match="line 1") as stopped:
        read(f"{header}\n{GOOD}\n")
    assert told in str(stopped.value)
    assert "L898902C3" not in str(stopped.value)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_no_source(content: bytes) -> None:
    with pytest.raises(SourceUnusable, match="empty"):
        read(content)


def test_another_encoding_is_reported_where_it_stands() -> None:
    rows = read(f"{HEADER}\n{GOOD}\n{GOOD}café\n{GOOD}\n".encode("latin-1"))
    assert [type(row) for row in rows] == [Row, BadRow, Row]
    assert isinstance(rows[1], BadRow)
    assert "not UTF-8 at byte" in rows[1].reason


def test_a_file_in_utf_16_is_no_source() -> None:
    with pytest.raises(SourceUnusable, match="not UTF-8"):
        read(f"{HEADER}\n{GOOD}\n".encode("utf-16"))


def test_a_file_that_is_not_there_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(SourceUnusable, match="No such file"):
        list(read_source(tmp_path / "none.csv"))


def test_a_file_that_ends_in_the_middle_of_a_row_is_reported() -> None:
    rows = read(f"{HEADER}\n{GOOD}\nUTO,L8989")
    assert rows[-1] == BadRow(3, "the file ends in the middle of this row: it may have been cut")


def test_a_file_that_ends_within_quotes_is_reported() -> None:
    rows = read(f'{HEADER}\n{GOOD}\n{GOOD}"half a refer')
    assert isinstance(rows[-1], BadRow)
    assert rows[-1].line == 3
    assert rows[-1].reason.endswith("never closed; the file may have been cut")


def test_a_stray_quote_costs_its_own_row_and_no_other() -> None:
    rows = read(f'{HEADER}\n{GOOD}"stray\n{GOOD}\n{GOOD}\n')
    assert [(row.line, type(row)) for row in rows] == [(2, BadRow), (3, Row), (4, Row)]


def test_two_stray_quotes_do_not_swallow_the_rows_between_them() -> None:
    rows = read(f'{HEADER}\n{GOOD}"stray\n{GOOD}\n{GOOD}said "\n{GOOD}\n')
    assert [row.line for row in rows if isinstance(row, Row)] == [3, 5]
    assert [row.line for row in rows if isinstance(row, BadRow)] == [2, 4]


def test_a_line_without_end_is_reported_and_passed_over() -> None:
    rows = read(f"{HEADER}\n{GOOD}{'x' * 200_000}\n{GOOD}\n")
    assert [(row.line, type(row)) for row in rows] == [(2, BadRow), (3, Row)]


@given(st.binary(max_size=400))
def test_any_bytes_after_the_header_are_rows_good_or_bad(content: bytes) -> None:
    rows = read(f"{HEADER}\n".encode() + content + b"\n" + GOOD.encode() + b"\n")
    assert isinstance(rows[-1], Row)
    assert [row.line for row in rows] == sorted({row.line for row in rows})


LINES = st.sampled_from(
    [
        GOOD,
        "D,C01X00T47,,identity,lost,2026-03-07,ref",
        "uto, l-8 9,,Passport,STOLEN,2026-01-05,",
        "UTO,A1,A9,passport,stolen_blank,2026-01-05,",
        "UTO,A9,A1,passport,stolen_blank,2026-01-05,",
        "UTO,B7,,passport,lost,1949-12-31,",
        "UTO,B7,,passport,lost,2026-02-30,",
        'UTO,C3,,visa,lost,2026-01-05,"a, ""b"""',
        'UTO,C4,,visa,lost,2026-01-05,"over',
        'lines"',
        '"',
        "nonsense",
        "",
        "  ",
        GOOD + "\r",
        "UTO,É1,,visa,lost,2026-01-05,é",
        "UTO,N1,,visa,lost,2026-01-05," + "x" * 300,
    ]
)


@given(st.lists(LINES | st.text(max_size=20), max_size=60), st.integers(40, 2000), st.booleans())
def test_a_file_read_in_portions_says_what_a_file_read_row_by_row_says(
    lines: list[str], size: int, ended: bool
) -> None:
    content = ("\n".join([HEADER, *lines]) + ("\n" if ended else "")).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(portions, "_PORTION_BYTES", size)
        whole = list(read_portions(io.BytesIO(content), "source.csv"))
        resumed = whole[: len(whole) // 2]
        start = resumed[-1].end if resumed else Position()
        resumed += read_portions(io.BytesIO(content), "source.csv", start)
    for parts in (whole, resumed):
        assert _told(parts) == _told_by_rows(read(content))


def _told(parts: list[Portion]) -> list[tuple[object, ...]]:
    told: list[tuple[object, ...]] = [single for part in parts for single in part.singles]
    told += [(row.line, row) for part in parts for row in part.ranges]
    told += [(row.line, row) for part in parts for row in part.bad]
    return sorted(told, key=lambda one: one[0])  # type: ignore[arg-type,return-value]


def _told_by_rows(rows: list[Row | BadRow]) -> list[tuple[object, ...]]:
    told: list[tuple[object, ...]] = []
    for row in rows:
        if isinstance(row, BadRow) or row.number_to is not None:
            told.append((row.line, row))
        else:
            number = (row.issuer.encode(), row.number.encode())
            told.append((row.line, *number, class_of(row.kind, row.status), day_of(row.recorded)))
    return told


@pytest.mark.parametrize("day", ["1949-12-31", "2129-06-07"])
def test_a_day_that_a_list_cannot_hold_is_a_bad_row(day: str) -> None:
    assert reasons(f"UTO,A1,,passport,lost,{day},") == [
        (2, "recorded lies outside what a list can hold: 1950-01-01 to 2129-06-06")
    ]
