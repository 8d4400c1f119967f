"""One frame: a document on a desk, lit, and seen by a camera.

The two recipes are what is asked of the reader: *desk* is a document laid down with some care under
an ordinary lamp, *hard* is one held anyhow under a poor one. In both a person can still read every
character: on every place of the MRZ a character is at least so many pixels wide, no reflection
hides print, and blur stays within a fraction of a character.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from benchmarks.frames import light as lights
from benchmarks.frames.camera import Matrix, Points, Subject, View, choose, least_scale, project
from benchmarks.frames.desk_top import PX_PER_MM, SIDE
from benchmarks.frames.lettering import Picture, Random
from benchmarks.frames.mrz_place import PITCH_MM, Place
from benchmarks.frames.sensor import Light, Optics, linear, shoot

Range = tuple[float, float]


@dataclass(frozen=True)
class Recipe:
    """Ranges to draw a frame from. Blur is in characters of the MRZ (2.54 mm)."""

    view: View
    items: tuple[int, int]
    level: Range
    fall: Range
    shadow: Range
    glare: float
    defocus: Range
    motion: Range
    shot: Range
    read: Range
    sharpen: Range
    quality: tuple[int, int]


DESK = Recipe(
    View(1920, 1080, (2, 24), (-20, 20), (50, 68), (0.2, 0.7), least_pitch=10),
    items=(4, 12),
    level=(0.5, 0.95),
    fall=(0.1, 0.45),
    shadow=(0.0, 0.4),
    glare=0.0,
    defocus=(0.02, 0.1),
    motion=(0.0, 0.04),
    shot=(0.01, 0.03),
    read=(0.003, 0.008),
    sharpen=(0.0, 0.5),
    quality=(78, 93),
)

HARD = Recipe(
    View(1280, 720, (18, 42), (-180, 180), (52, 72), (0.2, 0.6), least_pitch=8),
    items=(4, 12),
    level=(0.12, 0.4),
    fall=(0.3, 0.7),
    shadow=(0.1, 0.55),
    glare=1.0,
    defocus=(0.05, 0.12),
    motion=(0.05, 0.28),
    shot=(0.02, 0.045),
    read=(0.006, 0.014),
    sharpen=(0.0, 0.8),
    quality=(45, 70),
)


@dataclass(frozen=True)
class Document:
    """A page and its size: `scale` are its pixels per millimetre."""

    picture: Picture
    scale: float
    subject: Subject


@dataclass(frozen=True)
class Frame:
    """A JPEG, where the MRZ stands in it (clockwise from its upper left as read), and the least
    size of one of its characters in pixels."""

    jpeg: bytes
    mrz: Points
    least_pitch: float


def document(page: Picture, place: Place) -> Document:
    """The page in millimetres, by the pitch of its MRZ. A bare strip is mounted on blank paper."""
    height, width = page.shape[:2]
    strip = width > 4 * height
    if strip:
        page, place = _mounted(page, place)
        height = page.shape[0]
    scale = place.pitch / PITCH_MM
    middle = np.array([width, height]) / 2
    mrz = np.array(
        [
            [place.left, place.top],
            [place.right, place.top],
            [place.right, place.bottom],
            [place.left, place.bottom],
        ]
    )
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    subject = Subject((corners - middle) / scale, (mrz - middle) / scale, strip)
    return Document(page, scale, subject)


def _mounted(page: Picture, place: Place) -> tuple[Picture, Place]:
    """A strip with some blank paper of its own colour above and below."""
    edge = np.concatenate([page[0], page[-1]])
    paper = np.median(edge, axis=0)
    above, below = int(6 * place.pitch), int(2 * place.pitch)
    height, width = page.shape[:2]
    whole = np.empty((above + height + below, width, 3), np.uint8)
    whole[:] = paper
    whole[above : above + height] = page
    return whole, replace(place, top=place.top + above, bottom=place.bottom + above)


def frame(shown: Document, desk: Picture, recipe: Recipe, random: Random) -> Frame:
    """One picture of the document on the desk."""
    matrix = choose(recipe.view, shown.subject, random)
    size = (recipe.view.width, recipe.view.height)
    canvas_mm = np.array([[1, 0, -SIDE / 2], [0, 1, -SIDE / 2], [0, 0, PX_PER_MM]], np.float64)
    around = cv2.warpPerspective(
        desk, matrix @ canvas_mm, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    scene = _laid(linear(np.asarray(around, np.uint8)), shown, matrix, random)
    lighting = lights.Lighting(
        random.uniform(*recipe.level),
        random.uniform(*recipe.fall),
        random.uniform(*recipe.shadow),
        recipe.glare * random.uniform(0.4, 1.0),
        random.uniform(-0.06, 0.12),
    )
    light = lights.lit(scene, matrix, shown.subject.mrz, lighting, random)
    pitch = least_scale(matrix, shown.subject.mrz) * PITCH_MM
    optics = Optics(
        pitch * random.uniform(*recipe.defocus),
        pitch * random.uniform(*recipe.motion),
        random.uniform(0, np.pi),
        random.uniform(*recipe.shot),
        random.uniform(*recipe.read),
        random.uniform(*recipe.sharpen),
        int(random.integers(*recipe.quality)),
    )
    return Frame(shoot(light, optics, random), project(matrix, shown.subject.mrz), pitch)


def _laid(scene: Light, shown: Document, matrix: Matrix, random: Random) -> Light:
    """The document on the desk with its shadow, and now and then a finger that holds it."""
    height, width = scene.shape[:2]
    size = (width, height)
    page, scale = _reduced(shown, matrix)
    rows, columns = page.shape[:2]
    to_mm = np.array([[1, 0, -columns / 2], [0, 1, -rows / 2], [0, 0, scale]], np.float64)
    mask = np.full((rows, columns), 255, np.uint8)
    over = np.asarray(cv2.warpPerspective(mask, matrix @ to_mm, size), np.float32) / 255
    drop = np.array([[1, 0, random.uniform(-2, 2)], [0, 1, random.uniform(0.5, 3)], [0, 0, 1]])
    thrown = cv2.warpPerspective(mask, matrix @ drop @ to_mm, size)
    soft = cv2.GaussianBlur(np.asarray(thrown, np.float32) / 255, (0, 0), 0.006 * width)
    seen = cv2.warpPerspective(
        page, matrix @ to_mm, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    shaded = scene * (1 - 0.5 * soft[..., None])
    paint = linear(np.asarray(seen, np.uint8))
    whole = np.asarray(shaded * (1 - over[..., None]) + paint * over[..., None], np.float32)
    return _held(whole, shown.subject, matrix, random) if random.random() < 0.35 else whole


def _reduced(shown: Document, matrix: Matrix) -> tuple[Picture, float]:
    """The page with no more detail than the camera sees, so that none of it aliases."""
    corners = project(matrix, shown.subject.page)
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1).max()
    share = 1.25 * sides / max(shown.picture.shape[:2])
    if share >= 1:
        return shown.picture, shown.scale
    small = cv2.resize(shown.picture, None, None, share, share, cv2.INTER_AREA)
    return np.asarray(small, np.uint8), shown.scale * small.shape[1] / shown.picture.shape[1]


def _held(scene: Light, subject: Subject, matrix: Matrix, random: Random) -> Light:
    """A thumb on the page's upper edge or upper corners, well away from the MRZ."""
    left, top = subject.page.min(axis=0)
    right = subject.page[:, 0].max()
    if subject.mrz[:, 1].min() - top < 30:
        return scene
    tip = np.array([random.uniform(left, right), top + random.uniform(3, 9)])
    turn = np.linspace(0, 2 * np.pi, 40)
    outline = tip + np.column_stack([8.5 * np.cos(turn), 13 * np.sin(turn) - 13])
    outline = np.vstack([outline, tip + np.array([[-8.5, -60], [8.5, -60]])])
    hull = cv2.convexHull(project(matrix, outline).astype(np.float32)).astype(np.int32)
    mask = np.zeros(scene.shape[:2], np.float32)
    cv2.fillConvexPoly(mask, hull, 1.0, cv2.LINE_AA)
    round_off = cv2.GaussianBlur(mask, (0, 0), 0.012 * scene.shape[1])
    skin = np.array([0.2, 0.3, 0.5], np.float32) * random.uniform(0.35, 1.3)
    shaded = skin * (0.45 + 0.55 * round_off[..., None])
    return np.asarray(scene * (1 - mask[..., None]) + shaded * mask[..., None], np.float32)
