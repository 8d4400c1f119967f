"""Focus and light, by the last frames of each camera that was opened.

The light of any frame can be judged; how sharp it is, only by print of which one knows how sharp it
ought to be. So the reader is asked: where it finds an MRZ and cannot read it, it says why.
"""

from collections.abc import Iterator

import numpy as np

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, skipped, warn
from firmware.settings import CameraSource, RpicamSource
from scanner.mrz.reading import Status, Why
from scanner.said import said
from scanner.sources.camera import DARK
from scanner.sources.capture import Frame
from scanner.vision.engine import open_reader
from scanner.vision.reader import Reader, ReaderUnavailable
from scanner.vision.why import SENTENCES

DIM = 60.0
BLOWN, MOST_BLOWN = 250, 0.3


def check(context: Context) -> Iterator[Finding]:
    settings = context.settings
    if not any(isinstance(one, CameraSource | RpicamSource) for one in settings.sources):
        yield skipped(said("no camera is configured"))
    elif context.desk is not None:
        yield skipped(said("the running desk holds the camera and says itself when it is too dark"))
    elif not context.frames:
        yield skipped(said("no camera gave a frame"))
    else:
        try:
            reader = open_reader(settings.reader.engine)
        except ReaderUnavailable as unavailable:
            yield skipped(said("there is no reader to ask: {why}", why=unavailable))
            return
        for name, frames in context.frames.items():
            yield _light(name, frames[-1])
            yield _focus(name, frames, reader)


def _light(name: str, frame: Frame) -> Finding:
    mean, blown = float(frame.mean()), float(np.mean(frame >= BLOWN))
    line = said(
        "{name}: brightness {mean} of 255, {blown} of it blown out",
        name=name,
        mean=round(mean),
        blown=f"{blown:.0%}",
    )
    if mean < DARK:
        return fail(line, said("switch the lamp on, or take the cover off the lens"))
    if mean < DIM:
        return warn(line, said("give the desk more light"))
    if blown > MOST_BLOWN:
        return warn(line, said("turn the lamp down or away from the camera"))
    return ok(line)


def _focus(name: str, frames: tuple[Frame, ...], reader: Reader) -> Finding:
    reading = reader.read(frames)
    if reading.status is Status.READ:
        return ok(said("{name}: an MRZ lies under it and is read surely", name=name))
    if reading.why is None or reading.why is Why.NO_MRZ:
        return skipped(
            said(
                "{name}: no MRZ is in the picture, so its focus cannot be judged; lay a specimen "
                "or any passport under the camera and run this again",
                name=name,
            )
        )
    if reading.why is Why.UNCLEAR:
        return ok(
            said(
                "{name}: an MRZ lies under it and is sharp, if not sure in each character",
                name=name,
            )
        )
    fault, _, fix = SENTENCES[reading.why].partition(": ")
    return warn(
        said("{name}: an MRZ lies under it, but {fault}", name=name, fault=fault),
        said("{fix}; or focus the lens", fix=fix),
    )
