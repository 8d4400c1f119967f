"""A pinhole camera above a desk: where each point of the desk falls in the frame.

The desk is the plane of millimetres, the document's middle its origin, x to the right and y down as
the document is read. The camera stands at a distance, looks at a point near the document, leaning
by `tilt` towards `azimuth`, and is rolled about its own axis. All perspective in the frames comes
from this, so it is one that a camera can have.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """Ranges to draw a camera from. Angles in degrees; `share` of the frame that the page takes."""

    width: int
    height: int
    tilt: tuple[float, float]
    roll: tuple[float, float]
    field: tuple[float, float]
    share: tuple[float, float]
    least_pitch: float
    """The least size of 2.54 mm anywhere on the MRZ, in any direction, in pixels."""


@dataclass(frozen=True)
class Subject:
    """A page in millimetres about its middle, and its MRZ."""

    page: Points
    mrz: Points
    strip: bool = False
    """A strip that holds little else but the MRZ: it cannot fill a fifth of a frame."""


TRIES = 400


def homography(
    size: tuple[int, int], field: float, distance: float, tilt: float, azimuth: float, roll: float
) -> Matrix:
    """Millimetres on the desk to pixels; the desk's origin falls in the middle of the frame."""
    width, height = size
    focal = width / 2 / np.tan(np.radians(field) / 2)
    lean = _about(np.cos(azimuth), np.sin(azimuth), np.radians(tilt))
    turn = _about_axis(np.radians(roll))
    rotation = turn @ lean
    inside = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    outside = np.column_stack([rotation[:, 0], rotation[:, 1], [0.0, 0.0, distance]])
    return np.asarray(inside @ outside, np.float64)


def _about(x: float, y: float, angle: float) -> Matrix:
    """A turn about an axis in the desk's plane."""
    return np.asarray(cv2.Rodrigues(np.array([x, y, 0.0]) * angle)[0], np.float64)


def _about_axis(angle: float) -> Matrix:
    return np.asarray(cv2.Rodrigues(np.array([0.0, 0.0, angle]))[0], np.float64)


def project(matrix: Matrix, points: Points) -> Points:
    """Points of the desk in the frame."""
    flat = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(flat[:, :2] / flat[:, 2:], np.float64)


def least_scale(matrix: Matrix, points: Points) -> float:
    """The fewest pixels that a millimetre has at any of the points in any direction."""
    step = 0.5
    here = project(matrix, points)
    across = (project(matrix, points + np.array([step, 0])) - here) / step
    down = (project(matrix, points + np.array([0, step])) - here) / step
    return float(
        min(
            np.linalg.svd(np.column_stack([a, d]), compute_uv=False)[1]
            for a, d in zip(across, down, strict=True)
        )
    )


def choose(view: View, subject: Subject, random: np.random.Generator) -> Matrix:
    """A camera that shows the whole MRZ, nearly all of the page, and either large enough.

    Cameras are drawn until one does; the page's share of the frame is drawn ever smaller as tries
    go by, and at last the camera stands upright over it."""
    for attempt in range(TRIES):
        ease = 1 - attempt / TRIES
        matrix = _drawn(view, subject, random, ease)
        if shows(view, subject, matrix):
            return matrix
    return _upright(view, subject)


def shows(view: View, subject: Subject, matrix: Matrix) -> bool:
    """Whether the MRZ is in the frame with a margin and large enough, and the page nearly whole."""
    mrz = project(matrix, subject.mrz)
    margin = 0.012 * view.width
    inside = (mrz > margin).all() and (mrz < np.array([view.width, view.height]) - margin).all()
    if not inside or least_scale(matrix, subject.mrz) * 2.54 < view.least_pitch:
        return False
    page = project(matrix, subject.page).astype(np.float32)
    frame = np.array(
        [[0, 0], [view.width, 0], [view.width, view.height], [0, view.height]], np.float32
    )
    whole = cv2.contourArea(page)
    seen, _ = cv2.intersectConvexConvex(page, frame)
    share = seen / (view.width * view.height)
    return bool(seen > 0.85 * whole and (subject.strip or share >= 0.95 * view.share[0]))


def _drawn(view: View, subject: Subject, random: np.random.Generator, ease: float) -> Matrix:
    low, high = view.share
    share = low + (high - low) * ease * random.random()
    field = random.uniform(*view.field)
    tilt = random.uniform(view.tilt[0] * ease, view.tilt[1] * ease)
    azimuth, roll = random.uniform(0, 2 * np.pi), random.uniform(*view.roll)
    distance = _distance(view, subject, field, share)
    matrix = homography((view.width, view.height), field, distance, tilt, azimuth, roll)
    page = project(matrix, subject.page)
    slack = np.array([view.width, view.height]) - (page.max(axis=0) - page.min(axis=0))
    middle = page.min(axis=0) + (page.max(axis=0) - page.min(axis=0)) / 2
    at = np.array([view.width, view.height]) / 2 - middle
    at += random.uniform(-0.5, 0.5, 2) * np.maximum(slack, 0)
    return _shifted(matrix, at)


def _distance(view: View, subject: Subject, field: float, share: float) -> float:
    """From which an upright page takes this share of the frame (a strip: of the frame's width)."""
    focal = view.width / 2 / np.tan(np.radians(field) / 2)
    width, height = np.ptp(subject.page, axis=0)
    if subject.strip:
        return float(focal * width / (view.width * (0.35 + 0.7 * share)))
    return float(focal * np.sqrt(width * height / (share * view.width * view.height)))


def _shifted(matrix: Matrix, at: Points) -> Matrix:
    """The frame cut elsewhere out of the same picture, as with a lens that is off its middle."""
    move = np.array([[1, 0, at[0]], [0, 1, at[1]], [0, 0, 1]])
    return np.asarray(move @ matrix, np.float64)


def _upright(view: View, subject: Subject) -> Matrix:
    """As large as the whole page fits into the frame."""
    low, high = subject.page.min(axis=0), subject.page.max(axis=0)
    scale = float(min(np.array([view.width, view.height]) * 0.96 / (high - low)))
    middle = np.array([view.width, view.height]) / 2 - scale * (low + high) / 2
    return np.array([[scale, 0, middle[0]], [0, scale, middle[1]], [0, 0, 1]])
