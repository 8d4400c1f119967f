"""Cameras: there, opened, and giving frames of the size that was asked for."""

import time
from collections.abc import Iterator

from firmware.doctor.checks.sources import as_the_desk_says, naming_those_here
from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, State, of_message, ok, skipped, warn
from firmware.settings import CameraSource, RpicamSource
from firmware.sources import open_stream
from scanner.said import said
from scanner.sources.streams import FrameStream, StreamError

FRAMES, KEPT = 8, 3
WITHIN_S = 12.0
SLOW_FPS = 3.0


def check(context: Context) -> Iterator[Finding]:
    cameras = [
        one for one in context.settings.sources if isinstance(one, CameraSource | RpicamSource)
    ]
    if not cameras:
        yield skipped(said("no camera is configured"))
    for camera in cameras:
        if context.desk is not None:
            yield as_the_desk_says(context.desk, camera.name)
        else:
            yield _opened(context, camera)


def _opened(context: Context, camera: CameraSource | RpicamSource) -> Finding:
    stream = open_stream(camera)
    try:
        stream.open()
        return _frames(context, camera, stream)
    except StreamError as error:
        why = naming_those_here(context, f"{camera.name}: {error}", "dev/v4l/by-id/*-video-index0")
        return of_message(State.FAIL, why, said("look at its cable"))
    finally:
        stream.close()


def _frames(context: Context, camera: CameraSource | RpicamSource, stream: FrameStream) -> Finding:
    began, came, first = time.monotonic(), 0, 0.0
    while came < FRAMES and time.monotonic() - began < WITHIN_S:
        frame = stream.read()
        if frame is not None:
            context.frames[camera.name] = (*context.frames.get(camera.name, ()), frame)[-KEPT:]
            came += 1
            first = first or time.monotonic()
    if not came:
        return of_message(
            State.FAIL,
            f"{camera.name}: no frame within {WITHIN_S:.0f} s",
            said("look at its cable"),
        )
    rate = (came - 1) / max(1e-3, time.monotonic() - first) if came > 1 else 0.0
    height, width = context.frames[camera.name][-1].shape[:2]
    line = said(
        "{name}: {width} × {height}, {rate} frames a second",
        name=camera.name,
        width=width,
        height=height,
        rate=round(rate),
    )
    if (width, height) != (camera.width, camera.height):
        return warn(
            said(
                "{line}, where {width} × {height} was asked for",
                line=line,
                width=camera.width,
                height=camera.height,
            ),
            said("set a width and height that this camera has (`v4l2-ctl --list-formats-ext`)"),
        )
    if rate < min(SLOW_FPS, camera.fps / 2):
        return warn(
            said("{line}, where {fps} were asked for", line=line, fps=camera.fps),
            said("give it a USB port of its own, and more light"),
        )
    return ok(line)
