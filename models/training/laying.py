"""Lays documents into a frame and keeps the truth of their MRZ lines, hands and overlaps included.

What is laid down after a document never hides its MRZ, save for fingers now and then: a line that
is true but covered would teach the locator to see through paper.
"""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training import desk, occlude, placing, sheets
from models.training.placing import Matrix, project
from models.training.sheets import Form, Sheet
from models.training.textures import Grey, Rng
from models.training.truth import LineTruth, sample


@dataclass
class Stage:
    """A frame as it fills up."""

    frame: Grey
    lines: list[LineTruth] = field(default_factory=list)
    printed: list[NDArray[np.float32]] = field(default_factory=list)
    """Every line's print as it was laid down."""
    documents: int = 0


def lay(rng: Rng, stage: Stage, form: Form, kind: str) -> None:
    """A document somewhere in the frame, perhaps held, perhaps with its other side beside it."""
    height, width = stage.frame.shape
    small = form.upper == 0
    if small and rng.random() < (0.25 if kind == "scan" else 0.03):
        matrix = _both_sides(rng, stage, form, kind)
    else:
        matrix = placing.place(rng, form, (height, width), kind)
    bend = 0.2 if form.width > 115 else 0.05
    if not put(rng, stage, form, matrix, bend):
        return
    if kind != "scan" and rng.random() < 0.2:
        _hold(rng, stage.frame, form, matrix)


def _both_sides(rng: Rng, stage: Stage, form: Form, kind: str) -> Matrix:
    """Lays a front without an MRZ above or below where the document will come, as photocopies of
    cards show them; returns the document's place."""
    gap = float(rng.uniform(0, 25))
    first = rng.random() < 0.25  # the MRZ's side on top
    whole = replace(
        form,
        height=2 * form.height + gap,
        middles=tuple(y + (0 if first else form.height + gap) for y in form.middles),
    )
    matrix = placing.place(rng, whole, stage.frame.shape, kind)
    down = np.array([[1, 0, 0], [0, 1, form.height + gap], [0, 0, 1.0]])
    front = replace(form, texts=(), left=(), middles=())
    put(rng, stage, front, matrix @ down if first else matrix)
    return matrix if first else np.asarray(matrix @ down)


def put(rng: Rng, stage: Stage, form: Form, matrix: Matrix, arching: float = 0.0) -> bool:
    """Draws a document into the frame as `matrix` (mm -> px) says, arched with a probability of
    `arching`. Leaves it out where it would hide an MRZ."""
    local = max(placing.local_scale(matrix, point) for point in form.zone())
    scale = float(np.clip(local * 1.1, 1.5, 9.5))
    # The middle of pixel 0 is half a px inside of the paper's edge.
    half = 0.5 / scale
    to_frame = matrix @ np.array([[1 / scale, 0, half], [0, 1 / scale, half], [0, 0, 1]])
    if stage.lines and hides(stage, project(matrix, form.corners())):
        return False
    sheet = sheets.draw(rng, form, scale)
    bend = 0.0
    if rng.random() < arching:
        bend = float(np.clip(rng.normal(0, 1.6), -4, 4)) * scale
    outline = project(to_frame, _arched(sheet.outline, sheet, bend))
    if rng.random() < 0.7:
        desk.shade(rng, stage.frame, outline)
    desk.warp_in(stage.frame, sheet.picture, to_frame, outline, bend)
    truth = _truth(sheet, to_frame, bend, stage.documents)
    stage.lines += truth
    stage.printed += [sample(stage.frame, line) for line in truth]
    stage.documents += bool(truth)
    return True


def hides(stage: Stage, outline: NDArray[np.float64]) -> bool:
    """Whether a convex outline comes over an MRZ line."""
    shape = cv2.convexHull(outline.astype(np.float32))
    return any(
        cv2.intersectConvexConvex(shape, cv2.convexHull(line.zone().astype(np.float32)))[0] > 0
        for line in stage.lines
    )


def _arched(points: NDArray[np.float64], sheet: Sheet, bend: float) -> NDArray[np.float64]:
    moved = points.copy()
    moved[:, 1] += desk.arch(points[:, 0], sheet.picture.shape[1], bend)
    return moved


def _truth(sheet: Sheet, matrix: Matrix, bend: float, document: int) -> list[LineTruth]:
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
        first, last = (float(cap) for cap in np.hypot(*(below - above).T))
        centres = seen[i].astype(np.float32)
        truth.append(LineTruth(line.text, centres, (first, last), pitch, document))
    return truth


def _hold(rng: Rng, frame: Grey, form: Form, matrix: Matrix) -> None:
    """Fingers on an edge of the document, most often away from the MRZ."""
    edge, along = rng.random(), float(rng.uniform(0.1, 0.9))
    if edge < 0.4:  # from above
        at, inward = (along * form.width, 0.0), (0.0, 1.0)
    elif edge < 0.86:  # from a side
        right = bool(rng.random() < 0.5)
        high = float(rng.uniform(0.1, 0.65 if rng.random() < 0.85 else 1.0)) * form.height
        at, inward = (form.width if right else 0.0, high), (-1.0 if right else 1.0, 0.0)
    else:  # from below, hardly onto the page
        at, inward = (along * form.width, form.height), (0.0, -1.0)
    ends = project(matrix, np.array([at, np.add(at, np.multiply(inward, 10))]))
    step = ends[1] - ends[0]
    length = float(np.hypot(*step))
    direction = step / max(length, 1e-6)
    depth = float(rng.uniform(-0.4, 0.5)) if edge < 0.86 else float(rng.uniform(-1.4, -0.7))
    width = length * float(rng.uniform(1.3, 2.0))
    occlude.fingers(rng, frame, ends[0] + direction * width * depth, direction, width)
