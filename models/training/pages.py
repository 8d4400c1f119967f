"""Whole frames with the truth about every MRZ line in them: what the locator learns from.

A scene is a document (`sheets`) put before a camera (`placing`, `laying`) on a desk among other
things (`desk`), held or not (`occlude`), lit and shot (`exposure`). Everything is drawn from one
generator of random numbers: the same state gives the same scene.

`python -m models.training.pages --out DIR` writes frames with the truth drawn on them, because the
mistakes of a generator are seen at once and found in figures never.
"""

from dataclasses import dataclass, replace

import numpy as np

from models.training import desk, exposure, laying, placing, sheets
from models.training.laying import Stage
from models.training.sheets import Form
from models.training.text import document
from models.training.textures import Grey, Rng
from models.training.truth import LineTruth, is_cut_off, legible

__all__ = ["KINDS", "LineTruth", "Scene", "page"]

KINDS = {"desk": 0.42, "close": 0.17, "scan": 0.17, "strip": 0.12, "none": 0.12}
"""How a document is shown, and how often. none: there is no MRZ in the frame."""
_ASPECTS = (4 / 3, 4 / 3, 4 / 3, 16 / 9, 16 / 9, 3 / 2, 1.0, 3 / 4, 9 / 16)


@dataclass(frozen=True)
class Scene:
    """`legible` is a guess, from size, blur and contrast, that a person could read the MRZ;
    `cut_off` says that an edge of the picture goes through characters."""

    frame: Grey
    lines: tuple[LineTruth, ...]
    kind: str
    legible: bool
    cut_off: bool = False


def page(rng: Rng, size: tuple[int, int] | None = None, kind: str | None = None) -> Scene:
    """A random scene, in a frame of `size` (height, width) if that is given."""
    kind = kind or str(rng.choice(list(KINDS), p=list(KINDS.values())))
    if kind == "strip":
        return _strip(rng, size)
    form = sheets.form(rng, () if kind == "none" else document(rng))
    height, width = size or _size(rng, form, kind)
    if kind == "scan":
        stage = Stage(desk.lid(rng, height, width))
        desk.captions(rng, stage.frame, int(rng.integers(1, 6)) if rng.random() < 0.2 else 0)
        laying.lay(rng, stage, form, kind)
    else:
        stage = Stage(desk.desk(rng, height, width))
        _scatter(rng, stage, form, kind)
    return _seen(rng, stage, kind)


def _scatter(rng: Rng, stage: Stage, form: Form, kind: str) -> None:
    """The document with things under it, and perhaps over a corner of it; rarely a second one."""
    desk.clutter(rng, stage.frame, int(rng.choice(6, p=(0.2, 0.2, 0.2, 0.2, 0.1, 0.1))))
    if rng.random() < 0.2:
        laying.lay(rng, stage, sheets.form(rng, ()), "desk")
    if kind != "none" or rng.random() < 0.6:
        laying.lay(rng, stage, form, kind)
    if kind == "desk" and rng.random() < 0.05:
        laying.lay(rng, stage, sheets.form(rng, document(rng)), "desk")
    if rng.random() < 0.12:
        desk.clutter(rng, stage.frame, 1, lambda outline: not laying.hides(stage, outline))


def _strip(rng: Rng, size: tuple[int, int] | None) -> Scene:
    """A picture cut to the MRZ; in a frame of a given size, it lies on an even ground."""
    form = sheets.form(rng, document(rng), open_=False)
    long = max(size) if size else int(np.exp(rng.uniform(np.log(280), np.log(1400))))
    matrix, (height, width) = placing.strip(rng, form, long)
    if size:
        shrink = min(1.0, size[0] / height, size[1] / width)
        matrix = np.diag([shrink, shrink, 1.0]) @ matrix
        height = min(size[0], max(8, int(height * shrink)))
        width = min(size[1], max(8, int(width * shrink)))
    stage = Stage(desk.lid(rng, height, width))
    laying.put(rng, stage, form, matrix)
    scene = _seen(rng, stage, "strip")
    return _padded(rng, scene, size) if size else scene


def _padded(rng: Rng, scene: Scene, size: tuple[int, int]) -> Scene:
    whole = np.full(size, int(rng.choice([0, 128, 255])), np.uint8)
    height, width = scene.frame.shape
    left, top = int(rng.integers(size[1] - width + 1)), int(rng.integers(size[0] - height + 1))
    whole[top : top + height, left : left + width] = scene.frame
    shift = np.float32([left, top])
    lines = tuple(replace(line, centres=line.centres + shift) for line in scene.lines)
    return replace(scene, frame=whole, lines=lines)


def _size(rng: Rng, form: Form, kind: str) -> tuple[int, int]:
    long = float(np.exp(rng.uniform(np.log(320 if kind == "scan" else 400), np.log(1400))))
    aspect = float(_ASPECTS[rng.integers(len(_ASPECTS))])
    if kind == "scan" and rng.random() < 0.75:
        aspect = form.width / form.height * float(rng.uniform(0.9, 1.1))
    width, height = (long, long / aspect) if aspect >= 1 else (long * aspect, long)
    return round(height), round(width)


def _seen(rng: Rng, stage: Stage, kind: str) -> Scene:
    """The scene once light has fallen on it and a camera has taken it."""
    even = kind == "scan" or (kind == "strip" and rng.random() < 0.6)
    pitch = min((line.narrowest for line in stage.lines), default=float(rng.uniform(6, 18)))
    lit = exposure.light(rng, stage.frame, even=even)
    shot, loss = exposure.shoot(rng, lit, pitch, even=even)
    readable = bool(stage.lines) and legible(shot, stage.lines, stage.printed, loss)
    cut_off = any(is_cut_off(shot, line) for line in stage.lines)
    return Scene(shot, tuple(stage.lines), kind, readable, cut_off)


if __name__ == "__main__":
    from models.training.preview import main

    main()
