"""What an officer enters by hand, as captures like any other: lines that were typed, a number
alone, and a reading in which one character was put right. The desk examines and records each as
what it is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from scanner.examine import Examination
from scanner.mrz.document import Kind
from scanner.mrz.layouts import CHARACTERS
from scanner.mrz.parse import UPPER, is_sound, parse
from scanner.mrz.reading import UNKNOWN, Entered, Reading, Status
from scanner.mrz.text import reading_of
from scanner.mrz.typed import number_alone
from scanner.said import said
from scanner.sources.capture import Capture, Frame

TYPED = Entered.TYPED.value


def of_lines(rows: Sequence[str], today: date) -> Capture:
    """Lines as they were typed."""
    return Capture(TYPED, text=reading_of(rows, reader=TYPED, today=today))


def of_number(issuer: str, number: str, kind: Kind) -> Capture:
    """A number alone. Raises ValueError where it is none."""
    note = said("only the number was typed")
    nothing = Reading(Status.UNREADABLE, (), Entered.NUMBER.value, note=note)
    return Capture(TYPED, text=nothing, document=number_alone(issuer, number, kind))


def of_correction(
    examination: Examination, line: int, position: int, character: str, today: date
) -> Capture:
    """The same reading with another character in one place. Raises ValueError where there is no
    such place or character."""
    reading, put = examination.reading, character.translate(UPPER)
    if reading is None or line >= len(reading.lines) or position >= len(reading.lines[line]):
        raise ValueError("no such place")
    if len(put) != 1 or put not in CHARACTERS:
        raise ValueError("no character of an MRZ")
    lines = list(reading.lines)
    lines[line] = f"{lines[line][:position]}{put}{lines[line][position + 1 :]}"
    doubtful = tuple(
        one for one in reading.uncertain if (one.line, one.position) != (line, position)
    )
    sure = not doubtful and UNKNOWN not in "".join(lines) and is_sound(parse(lines, today))
    corrected = replace(
        reading,
        status=Status.READ if sure else Status.DOUBTFUL,
        lines=tuple(lines),
        reader=Entered.CORRECTED.value,
        confidence=None,
        uncertain=doubtful,
        frame=0,
        ms={},
        note=None,
        why=None,
    )
    frames: tuple[Frame, ...] = ()
    if examination.cut is not None:
        frames = (examination.cut.frame,)
        box = tuple((float(x), float(y)) for x, y in examination.cut.corners)
        corrected = replace(corrected, box=box)
    return Capture(examination.source, frames=frames, text=corrected, reduced=examination.reduced)
