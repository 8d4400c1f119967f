"""A drill's specimen as the desk takes in a document: by a picture, as from its camera.

What a drill puts before the desk stays known as a drill's to the end, whatever the desk makes of
it: it is a capture of a kind of its own, and no reading decides about that.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from firmware.demo.catalogue import SPECIMENS_FOLDER
from firmware.drill.programme import Exercise, Setting
from scanner.mrz.reading import Reading, Status
from scanner.said import said
from scanner.sources.capture import Capture, Fault, Frame
from scanner.sources.picture import PictureError, decode

READER = "specimen"
_COARSER = 12
"""How many times coarser than it is drawn a picture is that nobody can read."""


@dataclass(frozen=True)
class SpecimenCapture(Capture):
    """What a drill shows: of the drill `session`, at the place `exercise` of its programme."""

    session: str = ""
    exercise: int = 0


def capture_of(exercise: Exercise, session: str, place: int, *, sees: bool) -> SpecimenCapture:
    """The specimen, as a picture where the desk `sees`, and else as its lines. Where its file is
    not as it should be, a fault: a drill stops no desk."""
    source = f"drill {place + 1}"
    if not sees:
        text = _text(exercise)
        return SpecimenCapture(source, text=text, session=session, exercise=place)
    try:
        picture = decode((SPECIMENS_FOLDER / exercise.specimen.file).read_bytes())
    except (OSError, PictureError):
        fault = Fault("specimen", said("The specimen's picture cannot be read; install anew."))
        return SpecimenCapture(source, fault=fault, session=session, exercise=place)
    frame = picture.frame
    if exercise.setting is Setting.UNREADABLE:
        frame = _coarse(frame)
    return SpecimenCapture(
        source, frames=(frame,), reduced=picture.reduced, session=session, exercise=place
    )


def _text(exercise: Exercise) -> Reading:
    if exercise.setting is Setting.UNREADABLE:
        note = said("the specimen is one that nobody can read")
        return Reading(Status.UNREADABLE, (), READER, note=note)
    return Reading(Status.READ, exercise.specimen.lines, READER)


def _coarse(frame: Frame) -> Frame:
    """So coarse that no character is left."""
    height, width = frame.shape[:2]
    small = cv2.resize(frame, (width // _COARSER, height // _COARSER), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height)), dtype=np.uint8)
