"""How a document is put before the camera: turn, tilt, size and place, as a homography mm -> px.

The document is a plane seen through a pinhole. Its MRZ lies within the frame; the rest of it may
reach out. Characters are kept from becoming too small wherever the frame has room for that.
"""

import numpy as np
from numpy.typing import NDArray

from models.training.sheets import Form
from models.training.textures import Rng

Matrix = NDArray[np.float64]
SMALLEST = (5.2, 10.0)
"""The least width of a character in px is drawn from this range."""


def place(rng: Rng, form: Form, size: tuple[int, int], kind: str) -> Matrix:
    """The homography for a frame of `size` (height, width)."""
    view = _tilted(rng, form, kind) if kind in ("desk", "close", "none") else _flat(rng, form, kind)
    frame = np.array([size[1], size[0]], np.float64)
    zone, whole = project(view, form.zone(1.0)), project(view, form.corners())
    fits_zone = float((frame / np.ptp(zone, axis=0)).min()) * 0.99
    fits_whole = float((frame / np.ptp(whole, axis=0)).min())
    zoom = min(fits_zone, _zoom(rng, fits_whole, fits_zone, kind))
    if form.texts:
        zoom = min(fits_zone, max(zoom, float(rng.uniform(*SMALLEST)) / _narrowest(view, form)))
    shift = [
        _shift(rng, zone[:, axis] * zoom, whole[:, axis] * zoom, float(frame[axis]), kind)
        for axis in (0, 1)
    ]
    return np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]], [0, 0, 1.0]]) @ view


def strip(rng: Rng, form: Form, width: int) -> tuple[Matrix, tuple[int, int]]:
    """The homography and the frame of a picture that is the MRZ and hardly anything beside it,
    cut down to the capitals now and then; the frame's long side is `width`."""
    view = _flat(rng, form, "strip")
    tight = rng.random() < 0.35
    across = rng.uniform(-0.05, 0.4 if tight else 1.8)
    above, below = rng.uniform(0.1, 0.55 if tight else 3.0, 2)
    zone = form.zone()
    zone += np.array([[-across, -above], [across, -above], [across, below], [-across, below]])
    corners = project(view, zone)
    low, high = corners.min(axis=0), corners.max(axis=0)
    zoom = width / float((high - low).max())
    shift = -low * zoom
    size = np.maximum(8, np.round((high - low) * zoom)).astype(int)
    matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]], [0, 0, 1.0]]) @ view
    return matrix, (int(size[1]), int(size[0]))


def project(matrix: Matrix, points: NDArray[np.float64]) -> NDArray[np.float64]:
    seen = np.c_[points, np.ones(len(points))] @ matrix.T
    return np.asarray(seen[:, :2] / seen[:, 2:], np.float64)


def local_scale(matrix: Matrix, point: NDArray[np.float64]) -> float:
    """How many px a millimetre takes at a point, along the line."""
    ends = project(matrix, point + np.array([[-0.5, 0], [0.5, 0]]))
    return float(np.hypot(*(ends[1] - ends[0])))


def _turn(rng: Rng, straight: float, quarter: float, spread: float) -> float:
    """An angle: about upright, about a quarter or half turn, or any."""
    kind = rng.random()
    if kind < straight:
        return float(rng.normal(0, spread))
    if kind < straight + quarter:
        return float(rng.integers(1, 4) * np.pi / 2 + rng.normal(0, spread))
    return float(rng.uniform(0, 2 * np.pi))


def _flat(rng: Rng, form: Form, kind: str) -> Matrix:
    angle = _turn(rng, 0.78, 0.22, 0.012) if kind == "scan" else _turn(rng, 0.82, 0.16, 0.015)
    return _camera(form, angle, float(abs(rng.normal(0, 0.03))), float(rng.uniform(0, 6.3)), 3.0)


def _tilted(rng: Rng, form: Form, kind: str) -> Matrix:
    angle = _turn(rng, 0.42, 0.26, 0.1)
    depth = rng.random()
    if depth < 0.4:
        tilt = abs(rng.normal(0, 0.06))
    else:
        tilt = rng.uniform(0, 0.42) if depth < 0.8 else rng.uniform(0.35, 0.8)
    return _camera(form, angle, float(tilt), float(rng.uniform(0, 6.3)), float(rng.uniform(1.2, 4)))


def _camera(form: Form, angle: float, tilt: float, towards: float, away: float) -> Matrix:
    """The document turned by `angle` and tipped by `tilt` about an axis at `towards`, seen from
    `away` of its own lengths."""
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    axis = np.array([np.cos(towards), np.sin(towards), 0])
    cross = np.array([[0, 0, axis[1]], [0, 0, -axis[0]], [-axis[1], axis[0], 0]])
    tip = np.eye(3) + np.sin(tilt) * cross + (1 - np.cos(tilt)) * (cross @ cross)
    whole = tip @ turn
    view = np.array([whole[0, [0, 1]], whole[1, [0, 1]], whole[2, [0, 1]] / (away * form.width)])
    view = np.c_[view, [0, 0, 1]]
    centre = form.zone().mean(axis=0) * 0.5 + np.array([form.width, form.height]) * 0.25
    return np.asarray(view @ np.array([[1, 0, -centre[0]], [0, 1, -centre[1]], [0, 0, 1.0]]))


def _zoom(rng: Rng, whole: float, zone: float, kind: str) -> float:
    """How large: `whole` just fits the document, `zone` just fits the MRZ."""
    if kind == "scan":
        return whole * float(rng.uniform(0.97, 1.06) if rng.random() < 0.6 else rng.uniform(0.5, 1))
    if kind == "close":
        low = min(whole, zone)
        return low + (zone - low) * float(rng.uniform(0.1, 1.0))
    return whole * float(np.exp(rng.uniform(np.log(0.3), np.log(1.05))))


def _narrowest(view: Matrix, form: Form) -> float:
    """The least px a character at a zoom of 1."""
    return min(local_scale(view, point) for point in form.zone()) * form.pitch


def _shift(
    rng: Rng, zone: NDArray[np.float64], whole: NDArray[np.float64], frame: float, kind: str
) -> float:
    """Where along one axis: all of the document inside if it fits, most often; the MRZ always."""
    low, high = -zone.min(), frame - zone.max()
    inner = (-whole.min(), frame - whole.max())
    if inner[0] < inner[1] and rng.random() < 0.8:
        low, high = inner
    elif kind == "scan" and rng.random() < 0.8:
        return float(np.clip((inner[0] + inner[1]) / 2, low, high))
    return float(rng.uniform(low, max(low, high)))
