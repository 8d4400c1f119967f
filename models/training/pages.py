"""Whole frames with the truth about every MRZ line in them: what the locator learns from.

A scene is a document (`sheets`) put before a camera (`placing`) on a desk among other things
(`desk`), held or not (`occlude`), lit and shot (`exposure`). Everything is drawn from one generator
of random numbers: the same state gives the same scene.

`python -m models.training.pages --out DIR` writes frames with the truth drawn on them, because the
mistakes of a generator are seen at once and found in figures never.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training import desk, exposure, occlude, placing, sheets
from models.training.placing import Matrix, project
from models.training.sheets import Form, Sheet
from models.training.text import document
from models.training.textures import Grey, Rng

KINDS = {"desk": 0.42, "close": 0.17, "scan": 0.17, "strip": 0.12, "none": 0.12}
"""How a document is shown, and how often. none: there is no MRZ in the frame."""
_ASPECTS = (4 / 3, 4 / 3, 4 / 3, 16 / 9, 16 / 9, 3 / 2, 1.0, 3 / 4, 9 / 16)


@dataclass(frozen=True)
class LineTruth:
    """One MRZ line in frame pixels, in reading order; whole numbers are the pixels' middles.

    `centres` (characters, 2) float32 are the characters' middles at half of the capitals' height;
    `caps` is the capitals' height at the first and the last; `pitch` the distance to the next line
    of the document (or from the one before); `document` tells two documents apart."""

    text: str
    centres: NDArray[np.float32]
    caps: tuple[float, float]
    pitch: float
    document: int

    @property
    def start(self) -> tuple[float, float]:
        return float(self.centres[0, 0]), float(self.centres[0, 1])

    @property
    def end(self) -> tuple[float, float]:
        return float(self.centres[-1, 0]), float(self.centres[-1, 1])


@dataclass(frozen=True)
class Scene:
    """`legible` is a guess, from size, blur and contrast, that a person could read the MRZ."""

    frame: Grey
    lines: tuple[LineTruth, ...]
    kind: str
    legible: bool


def page(rng: Rng, size: tuple[int, int] | None = None, kind: str | None = None) -> Scene:
    """A random scene, in a frame of `size` (height, width) if that is given."""
    kind = kind or str(rng.choice(list(KINDS), p=list(KINDS.values())))
    if kind == "strip":
        return _strip(rng, size)
    form = sheets.form(rng, () if kind == "none" else document(rng))
    height, width = size or _size(rng, form, kind)
    frame = desk.lid(rng, height, width) if kind == "scan" else desk.desk(rng, height, width)
    lines: list[LineTruth] = []
    if kind != "scan":
        desk.clutter(rng, frame, int(rng.choice(6, p=(0.2, 0.2, 0.2, 0.2, 0.1, 0.1))))
        if rng.random() < 0.22:
            _lay(rng, frame, _other(rng), "desk", [])
    if kind != "none" or rng.random() < 0.5:
        _lay(rng, frame, form, kind, lines)
    return _seen(rng, frame, lines, kind)


def _strip(rng: Rng, size: tuple[int, int] | None) -> Scene:
    """A picture cut to the MRZ; in a frame of a given size, it lies on an even ground."""
    form = sheets.form(rng, document(rng), open_=False)
    long = max(size) if size else int(np.exp(rng.uniform(np.log(280), np.log(1400))))
    matrix, (height, width) = placing.strip(rng, form, long)
    if size:
        shrink = min(1.0, size[0] / height, size[1] / width)
        matrix = np.diag([shrink, shrink, 1.0]) @ matrix
        height, width = max(8, int(height * shrink)), max(8, int(width * shrink))
        height, width = min(height, size[0]), min(width, size[1])
    frame = desk.lid(rng, height, width)
    lines: list[LineTruth] = []
    _put(rng, frame, form, matrix, lines)
    scene = _seen(rng, frame, lines, "strip")
    return _padded(rng, scene, size) if size else scene


def _padded(rng: Rng, scene: Scene, size: tuple[int, int]) -> Scene:
    whole = np.full(size, int(rng.choice([0, 128, 255])), np.uint8)
    height, width = scene.frame.shape
    left, top = int(rng.integers(size[1] - width + 1)), int(rng.integers(size[0] - height + 1))
    whole[top : top + height, left : left + width] = scene.frame
    moved = tuple(
        LineTruth(
            line.text, line.centres + np.float32([left, top]), line.caps, line.pitch, line.document
        )
        for line in scene.lines
    )
    return Scene(whole, moved, scene.kind, scene.legible)


def _size(rng: Rng, form: Form, kind: str) -> tuple[int, int]:
    long = float(np.exp(rng.uniform(np.log(320), np.log(1400))))
    aspect = float(_ASPECTS[rng.integers(len(_ASPECTS))])
    if kind == "scan" and rng.random() < 0.75:
        aspect = form.width / form.height * float(rng.uniform(0.9, 1.1))
    width, height = (long, long / aspect) if aspect >= 1 else (long * aspect, long)
    return round(height), round(width)


def _other(rng: Rng) -> Form:
    """A document's side without an MRZ."""
    return sheets.form(rng, ())


def _lay(rng: Rng, frame: Grey, form: Form, kind: str, lines: list[LineTruth]) -> None:
    height, width = frame.shape
    matrix = placing.place(rng, form, (height, width), kind)
    _put(rng, frame, form, matrix, lines)
    if kind in ("desk", "close", "none") and rng.random() < 0.22:
        _hold(rng, frame, form, matrix)


def _put(rng: Rng, frame: Grey, form: Form, matrix: Matrix, lines: list[LineTruth]) -> None:
    """Draws a document into the frame as `matrix` (mm -> px) says, and adds its lines' truth."""
    zone = form.zone()
    local = max(placing.local_scale(matrix, point) for point in zone)
    scale = float(np.clip(local * 1.1, 1.5, 9.5))
    sheet = sheets.draw(rng, form, scale)
    # The middle of pixel 0 is half a px inside of the paper's edge.
    to_frame = matrix @ np.array(
        [[1 / scale, 0, 0.5 / scale], [0, 1 / scale, 0.5 / scale], [0, 0, 1]]
    )
    bend = 0.0
    if rng.random() < (0.2 if form.width > 115 else 0.05):
        bend = float(np.clip(rng.normal(0, 1.6), -4, 4)) * scale
    outline = project(to_frame, _arched(sheet.outline, sheet, bend))
    if rng.random() < 0.7:
        desk.shade(rng, frame, outline)
    desk.warp_in(frame, sheet.picture, to_frame, outline, bend)
    lines += _truth(sheet, to_frame, bend)


def _arched(points: NDArray[np.float64], sheet: Sheet, bend: float) -> NDArray[np.float64]:
    moved = points.copy()
    moved[:, 1] += desk.arch(points[:, 0], sheet.picture.shape[1], bend)
    return moved


def _truth(sheet: Sheet, matrix: Matrix, bend: float) -> list[LineTruth]:
    seen = [project(matrix, _arched(line.centres, sheet, bend)) for line in sheet.lines]
    truth = []
    for i, line in enumerate(sheet.lines):
        neighbour = seen[i + 1] if i + 1 < len(seen) else seen[i - 1]
        middle = len(line.text) // 2
        pitch = float(np.hypot(*(neighbour[middle] - seen[i][middle])))
        half = np.array([0.0, line.cap / 2])
        ends = line.centres[[0, -1]]
        above = project(matrix, _arched(ends - half, sheet, bend))
        below = project(matrix, _arched(ends + half, sheet, bend))
        caps = np.hypot(*(below - above).T)
        truth.append(
            LineTruth(
                line.text, seen[i].astype(np.float32), (float(caps[0]), float(caps[1])), pitch, 0
            )
        )
    return truth


def _hold(rng: Rng, frame: Grey, form: Form, matrix: Matrix) -> None:
    """Fingers on an edge of the document, most often away from the MRZ."""
    edge = rng.random()
    along = float(rng.uniform(0.1, 0.9))
    if edge < 0.35:
        at, inward = (along * form.width, 0.0), (0.0, 1.0)
    elif edge < 0.88:
        right = edge < 0.6
        high = float(rng.uniform(0.1, 0.7 if rng.random() < 0.85 else 1.0))
        at, inward = (
            ((form.width if right else 0.0), high * form.height),
            (-1.0 if right else 1.0, 0.0),
        )
    else:
        at, inward = (along * form.width, form.height), (0.0, -1.0)
    ends = project(matrix, np.array([at, np.add(at, np.multiply(inward, 10))]))
    step = ends[1] - ends[0]
    length = float(np.hypot(*step))
    direction = step / max(length, 1e-6)
    depth = float(rng.uniform(-0.4, 0.5)) if edge < 0.88 else float(rng.uniform(-1.2, -0.5))
    width = length * float(rng.uniform(1.3, 2.0))
    occlude.fingers(rng, frame, ends[0] + direction * width * depth, direction, width)


def _seen(rng: Rng, frame: Grey, lines: list[LineTruth], kind: str) -> Scene:
    even = kind == "scan" or (kind == "strip" and rng.random() < 0.6)
    pitch = min((_narrowest(line) for line in lines), default=float(rng.uniform(6, 18)))
    lit = exposure.light(rng, frame, even=even)
    shot, loss = exposure.shoot(rng, lit, pitch, even=even)
    return Scene(shot, tuple(lines), kind, bool(lines) and _legible(shot, lines, pitch, loss))


def _narrowest(line: LineTruth) -> float:
    steps = np.hypot(*np.diff(line.centres, axis=0).T)
    return float(min(steps[:6].mean(), steps[-6:].mean()))


def _legible(shot: Grey, lines: list[LineTruth], pitch: float, loss: exposure.Loss) -> bool:
    if pitch * loss.reduced < 5.5 or loss.blur > 0.2 * pitch or loss.moved > 0.4 * pitch:
        return False
    return all(_contrast(shot, line) > 18 + 1.5 * loss.noise for line in lines)


def _contrast(shot: Grey, line: LineTruth) -> float:
    """The least difference of dark and light in any four neighbouring characters."""
    x = line.centres[:, 0].repeat(5).reshape(-1, 5)
    step = np.gradient(line.centres, axis=0)
    offsets = np.array([-0.3, -0.15, 0, 0.15, 0.3])
    x = x + step[:, :1] * offsets
    y = line.centres[:, 1:] + step[:, 1:] * offsets
    height, width = shot.shape
    columns = np.clip(np.round(x), 0, width - 1).astype(int)
    rows = np.clip(np.round(y), 0, height - 1).astype(int)
    seen = shot[rows, columns].astype(np.float32)
    count = len(seen) // 4 * 4
    groups = seen[:count].reshape(-1, 20)
    return float((groups.max(axis=1) - groups.min(axis=1)).min())


if __name__ == "__main__":
    from models.training.preview import main

    main()
