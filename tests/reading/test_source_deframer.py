"""Bytes in any shape from a serial reader become the rows of a document, or are said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.sources.deframer import IDLE_S, ROW_TIMEOUT_S, Deframer
from scanner.sources.families import FAMILIES, family_named
from scanner.sources.frames import Heard, crc16
from scanner.sources.rowreader import Complaint
from scanner.sources.rows import Block
from tests.reading.scanner_wire import on_the_wire
from tests.reading.specimens_9303 import ALL, MRV_A, TD1, TD2, TD3

FRAMED = ("3m", "desko", "arinc")
BARE = tuple(sorted(set(FAMILIES) - {*FRAMED}))


def hear(family: str, *chunks: bytes, gap: float = 0.0) -> list[Heard]:
    """Everything that these chunks give, with a silence of `gap` seconds between them."""
    deframer = Deframer(family_named(family))
    heard: list[Heard] = []
    now = 100.0
    for chunk in chunks:
        heard += deframer.feed(chunk, now)
        now += gap
    return heard + deframer.poll(now + IDLE_S) + deframer.poll(now + IDLE_S + ROW_TIMEOUT_S)


def texts(heard: list[Heard]) -> list[tuple[str, ...]]:
    return [one.texts for one in heard if isinstance(one, Block)]


def complaints(heard: list[Heard]) -> list[str]:
    return [one.message for one in heard if isinstance(one, Complaint)]


def wire(family: str, rows: tuple[str, ...]) -> bytes:
    return b"".join(on_the_wire(family, rows))


@pytest.mark.parametrize("layout", ALL)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_gives_every_layout_as_printed(family: str, layout: str) -> None:
    heard = hear(family, wire(family, ALL[layout]))
    assert texts(heard) == [ALL[layout]]
    assert not complaints(heard)
    assert not any(one.candidates for one in heard if isinstance(one, Block))


@settings(max_examples=150, deadline=None)
@given(
    family=st.sampled_from(sorted(FAMILIES)),
    documents=st.lists(st.sampled_from(sorted(ALL)), min_size=1, max_size=3),
    noise=st.lists(st.binary(max_size=12), min_size=4, max_size=4),
    damage=st.tuples(st.integers(0, 400), st.integers(0, 255)),
    cuts=st.lists(st.integers(1, 60), max_size=40),
)
def test_the_same_bytes_give_the_same_rows_however_they_were_split(
    family: str,
    documents: list[str],
    noise: list[bytes],
    damage: tuple[int, int],
    cuts: list[int],
) -> None:
    pieces = [noise[i] + wire(family, ALL[name]) for i, name in enumerate(documents)]
    data = bytearray(b"".join(pieces) + noise[-1])
    data[damage[0] % len(data)] = damage[1]
    chunks, place = [], 0
    for cut in cuts:
        chunks.append(bytes(data[place : place + cut]))
        place += cut
    chunks.append(bytes(data[place:]))
    assert hear(family, bytes(data)) == hear(family, *chunks, gap=0.001)


@settings(max_examples=300, deadline=None)
@given(family=st.sampled_from(sorted(FAMILIES)), data=st.binary(max_size=400))
def test_no_bytes_at_all_make_it_fail(family: str, data: bytes) -> None:
    for block in hear(family, data):
        if isinstance(block, Block):
            assert len({len(row) for row in block.texts}) == 1
            assert set("".join(block.texts)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<?")


@settings(max_examples=300, deadline=None)
@given(
    family=st.sampled_from(["3m", "arinc"]),
    layout=st.sampled_from(sorted(ALL)),
    place=st.integers(0, 400),
    bit=st.integers(0, 7),
)
def test_a_bit_that_flips_under_a_check_is_never_shown_as_sure(
    family: str, layout: str, place: int, bit: int
) -> None:
    data = bytearray(wire(family, ALL[layout]))
    data[place % len(data)] ^= 1 << bit
    for one in hear(family, bytes(data)):
        if isinstance(one, Block) and one.texts != ALL[layout]:
            sure = {
                (line, position)
                for line, row in enumerate(one.texts)
                for position, letter in enumerate(row)
                if letter != "?"
            } - set(one.candidates)
            assert not sure


@pytest.mark.parametrize("family", ["3m", "arinc"])
def test_a_frame_with_a_wrong_check_is_given_with_every_character_doubtful(family: str) -> None:
    data = bytearray(wire(family, TD3))
    data[-1] ^= 0x55
    heard = hear(family, bytes(data))
    assert complaints(heard) == ["a frame's check is wrong: what it holds is not sure"]
    (block,) = (one for one in heard if isinstance(one, Block))
    assert block.texts == TD3
    assert len(block.candidates) == 88
    assert block.candidates[0, 0] == (("P", 0.5),)


@pytest.mark.parametrize("family", ["3m", "arinc"])
def test_a_frame_without_its_check_is_given_after_a_silence_as_doubtful(family: str) -> None:
    tail = {"3m": 1, "arinc": 2}[family]
    heard = hear(family, wire(family, TD3)[:-tail])
    assert complaints(heard) == ["a frame's check is missing: what it holds is not sure"]
    assert texts(heard) == [TD3]
    assert all(one.candidates for one in heard if isinstance(one, Block))


def test_a_check_byte_that_is_a_letter_or_a_line_end_is_no_text() -> None:
    for flag in range(0x20, 0x7F):
        frame = bytearray(wire("3m", TD1))
        frame[-1] ^= frame[6] ^ flag
        frame[6] = flag
        heard = hear("3m", bytes(frame) * 2)
        assert texts(heard) == [TD1, TD1]
        assert not complaints(heard)


def test_a_length_that_looks_like_a_frame_start_is_still_a_length() -> None:
    frame = bytearray(wire("3m", TD3))
    frame[-1] ^= frame[1] ^ 0x01 ^ frame[2] ^ 0x02
    frame[1], frame[2] = 0x01, 0x02
    assert texts(hear("3m", b"\x01" + bytes(frame))) == [TD3]


def test_rows_of_36_that_3m_fills_up_to_44_are_cut_back() -> None:
    assert texts(hear("3m", wire("3m", TD2))) == [TD2]


def test_a_visa_with_nothing_but_fillers_at_its_end_keeps_its_44_characters() -> None:
    visa = (MRV_A[0], MRV_A[1][:28] + "<" * 16)
    assert texts(hear("3m", wire("3m", visa))) == [visa]


def test_a_bottom_row_alone_from_3m_is_the_bottom_row() -> None:
    assert texts(hear("3m", wire("3m", TD3[1:]))) == [("?" * 44, TD3[1])]


def test_identifiers_before_an_airline_keyboards_rows_are_cut() -> None:
    body = b"\xc1" + b"01" + TD3[0].encode() + b"\r" + b"2" + TD3[1].encode() + b"\r"
    plain = b"\x02" + body + b"\x03"
    frame = plain.replace(b"\r", b"\x10\r") + crc16(plain).to_bytes(2, "big")
    assert texts(hear("arinc", frame)) == [TD3]


def test_a_stuffed_control_byte_does_not_end_a_frame() -> None:
    body = b"\x03\x02\x10" + TD3[0].encode() + b"\r" + TD3[1].encode() + b"\r"
    plain = b"\x02" + body + b"\x03"
    stuffed = b"".join(b"\x10" + bytes([b]) if b < 0x20 else bytes([b]) for b in body)
    frame = b"\x02" + stuffed + b"\x03" + crc16(plain).to_bytes(2, "little")
    assert texts(hear("arinc", frame)) == [TD3]


def test_crc_16_has_its_published_check_value() -> None:
    assert crc16(b"123456789") == 0xBB3D


@pytest.mark.parametrize("family", FRAMED)
def test_noise_between_frames_is_dropped_and_said(family: str) -> None:
    frame = wire(family, TD3)
    heard = hear(family, b"\x00\xff#x\r", frame, b"garbage\r\n", frame, b"~")
    assert texts(heard) == [TD3, TD3]
    assert complaints(heard) == [
        f"{length} characters outside a frame were dropped" for length in (2, 7, 1)
    ]


@pytest.mark.parametrize("family", FRAMED)
def test_a_frame_cut_short_by_the_next_leaves_the_next_whole(family: str) -> None:
    frame = wire(family, TD1)
    heard = hear(family, frame[:-40] + frame)
    assert texts(heard)[-1] == TD1
    whole = [one for one in heard if isinstance(one, Block)][-1]
    assert not whole.candidates
    assert complaints(heard)[0] == "a frame was cut short: what it holds is not sure"


@pytest.mark.parametrize("family", BARE)
@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_any_line_end_will_do(family: str, end: str) -> None:
    assert texts(hear(family, (end.join(TD1) + end).encode())) == [TD1]


@pytest.mark.parametrize("family", BARE)
def test_a_last_row_without_a_line_end_is_complete_after_a_silence(family: str) -> None:
    assert texts(hear(family, "\r".join(TD3).encode())) == [TD3]


@pytest.mark.parametrize("family", BARE)
def test_control_bytes_and_line_noise_within_rows_are_no_text(family: str) -> None:
    assert texts(hear(family, b"\xff\xfe\x05" + wire("generic", TD3) + b"\x80\x07")) == [TD3]


def test_underscores_and_spaces_are_fillers() -> None:
    printed = "\r".join(TD3).replace("<<", "_ ") + "\r"
    assert texts(hear("generic", printed.encode())) == [TD3]


def test_question_marks_and_substitutes_are_unknown() -> None:
    sent = wire("desko", (TD3[0], "L8*8902C?6" + TD3[1][10:]))
    assert texts(hear("desko", sent)) == [(TD3[0], "L8?8902C?6" + TD3[1][10:])]


def test_what_no_mrz_has_is_unknown() -> None:
    sent = wire("generic", (TD3[0], "l8%8902C36" + TD3[1][10:]))
    assert texts(hear("generic", sent)) == [(TD3[0], "?8?8902C36" + TD3[1][10:])]


def test_uncertain_characters_keep_their_candidates_best_first() -> None:
    row = "L898902C3" + "\x1d6G\x1d" + "UTO74\x1d\x1d8122F" + TD3[1][21:]
    heard = hear("microscan", f"{TD3[0]}\r{row}\r".encode())
    (block,) = (one for one in heard if isinstance(one, Block))
    assert block.texts == (TD3[0], "L898902C36UTO74?8122F" + TD3[1][21:])
    assert block.candidates == {(1, 9): (("6", 0.5), ("G", 0.25)), (1, 15): ()}


def test_a_list_of_candidates_that_never_ends_costs_its_row_alone() -> None:
    heard = hear("microscan", f"{TD3[0][:20]}\x1dAB\r{TD3[1]}\r".encode())
    assert texts(heard) == [("?" * 44, TD3[1])]
    assert complaints(heard) == ["a row was dropped: its list of candidates was cut short"]


def test_a_row_too_short_or_too_long_is_dropped_and_said() -> None:
    heard = hear("generic", f"{TD3[0][:43]}\r{TD3[1]}\r{TD3[0]}<\r".encode())
    assert texts(heard) == [("?" * 44, TD3[1])]
    assert complaints(heard) == [
        "a row of 43 characters was dropped: no layout has such rows",
        "a row of 45 characters was dropped: no layout has such rows",
    ]


def test_an_endless_row_uses_little_memory_and_is_dropped() -> None:
    heard = hear("generic", b"A" * 100_000 + b"\r" + wire("generic", TD3))
    assert texts(heard) == [TD3]
    assert len(complaints(heard)) == 1


def test_a_row_that_comes_late_still_belongs_to_its_document() -> None:
    first, second = on_the_wire("honeywell", TD3)
    assert texts(hear("honeywell", first, second, gap=0.8)) == [TD3]


def test_rows_further_apart_than_the_timeout_are_two_documents() -> None:
    first, second = on_the_wire("honeywell", TD3)
    heard = texts(hear("honeywell", first, second, gap=ROW_TIMEOUT_S + 0.1))
    assert heard == [(TD3[0], "?" * 44), ("?" * 44, TD3[1])]


def test_a_row_that_pauses_in_its_middle_stays_one_row() -> None:
    data = wire("generic", TD3)
    assert texts(hear("generic", data[:20], data[20:], gap=0.5)) == [TD3]


def test_a_second_row_that_pauses_at_the_length_of_another_layout_stays_one_row() -> None:
    data = wire("generic", TD3)
    assert texts(hear("generic", data[: 45 + 36], data[45 + 36 :], gap=0.5)) == [TD3]


def test_a_row_read_twice_counts_once() -> None:
    top, bottom = on_the_wire("honeywell", TD3)
    assert texts(hear("honeywell", top, top, bottom)) == [TD3]


def test_rows_that_come_bottom_first_are_put_in_order() -> None:
    assert texts(hear("code", wire("code", TD3[::-1]))) == [TD3]
    assert texts(hear("code", wire("code", TD1[::-1]))) == [TD1]


def test_two_documents_rows_are_never_mixed() -> None:
    other = f"{'P<UTODOE<<JANE':<<44}"
    heard = texts(hear("code", wire("code", (other, *TD3))))
    assert heard == [(other, "?" * 44), TD3]


def test_a_row_of_another_length_begins_another_document() -> None:
    heard = texts(hear("code", wire("code", (TD3[0],)) + wire("code", TD1)))
    assert heard == [(TD3[0], "?" * 44), TD1]


def test_a_missing_middle_row_stays_missing() -> None:
    heard = texts(hear("code", wire("code", (TD1[0], TD1[2]))))
    assert heard == [(TD1[0], "?" * 30, TD1[2])]


def test_a_readers_reply_to_a_command_is_no_text() -> None:
    reply = b"\x02\x010000@SCNTRG1\x06;\x03"
    heard = hear("newland", reply, wire("newland", TD3), reply)
    assert texts(heard) == [TD3]
    assert not complaints(heard)


def test_an_answer_with_bare_rows_after_it_gives_both() -> None:
    heard = hear("elyctis", b"C\x00\x01\x01" + wire("elyctis", TD1) + wire("generic", TD3))
    assert texts(heard) == [TD1, TD3]
    assert not complaints(heard)


def test_an_answer_without_text_says_that_nothing_was_found() -> None:
    assert complaints(hear("elyctis", b"I\x00\x00")) == ["the reader found no MRZ"]


def test_an_answer_cut_short_is_doubtful() -> None:
    heard = hear("elyctis", wire("elyctis", TD3)[:-3])
    assert complaints(heard)[0] == "an answer was cut short: what it holds is not sure"
    assert texts(heard) == [(TD3[0], "?" * 44)]
    assert all(one.candidates for one in heard if isinstance(one, Block))


def test_a_family_that_is_unknown_names_those_that_are() -> None:
    with pytest.raises(ValueError, match="choose one of: 3m, arinc, code, desko, elyctis"):
        family_named("acme")
