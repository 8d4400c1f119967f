"""Documents as flat pictures: where the MRZ stands, by Doc 9303-3 to -7, and all else on them.

A `Form` says in millimetres how a document is laid out: enough to decide how a camera sees it.
Only then is it drawn (`draw`), at the resolution that the camera needs and no finer.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training import fields, grounds
from models.training.textures import Grey, Rng
from models.training.typeface import Print, Style, print_line, random_style

PITCH = 2.54
"""Ten characters an inch, in mm."""
LINE_PITCH = 6.35
"""Between the MRZ's lines: a quarter of an inch, in mm."""

_SIZES = {30: (85.6, 54.0, 5.9), 36: (105.0, 74.0, 9.4), 44: (125.0, 88.0, 9.4)}
"""By characters a line: width, height, and the last line's middle above the bottom edge, in mm."""
_VISA_A = (120.0, 80.0, 9.4)


@dataclass(frozen=True)
class Form:
    """A document in millimetres; `upper` is how much of its height is the page above the gutter."""

    width: float
    height: float
    upper: float
    texts: tuple[str, ...]
    left: tuple[float, ...]
    """The first character's middle, line by line."""
    middles: tuple[float, ...]
    pitch: float
    tilt: float
    """How far the lines turn against the page's edges, radians."""

    def corners(self) -> NDArray[np.float64]:
        return np.array([[0, 0], [self.width, 0], [self.width, self.height], [0, self.height]])

    def zone(self, margin: float = 0.0) -> NDArray[np.float64]:
        """The corners of the MRZ, half a character outside its middles and `margin` more."""
        if not self.texts:
            return self.corners()
        apart = PITCH / 2 + margin
        left, top = min(self.left) - apart, self.middles[0] - apart
        right = max(self.left) + (len(self.texts[0]) - 1) * self.pitch + apart
        bottom = self.middles[-1] + apart
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


@dataclass(frozen=True)
class Line:
    """A printed line in its sheet's pixels."""

    text: str
    centres: NDArray[np.float64]
    cap: float


@dataclass(frozen=True)
class Sheet:
    """A drawn document; `scale` in px a millimetre, `outline` in px."""

    picture: Grey
    outline: NDArray[np.float64]
    lines: tuple[Line, ...]
    scale: float


def form(rng: Rng, texts: tuple[str, ...], *, open_: bool | None = None) -> Form:
    """Where things stand on a document with these MRZ lines; none gives a side without an MRZ."""
    count = len(texts[0]) if texts else int(rng.choice(list(_SIZES)))
    visa = bool(texts) and count == 44 and texts[0][0] == "V"
    width, height, bottom = _VISA_A if visa else _SIZES[count]
    width, height = width * rng.normal(1, 0.012), height * rng.normal(1, 0.02)
    pitch = PITCH * float(np.clip(rng.normal(1, 0.025), 0.9, 1.06))
    apart = LINE_PITCH * float(np.clip(rng.normal(1, 0.05), 0.78, 1.2))
    bottom = max(3.0, bottom + rng.normal(0, 1.2))
    length = (count - 1) * pitch
    margin = np.clip(rng.normal((width - length) / 2, 1.0), 2.0, max(2.0, width - length - 2.0))
    if open_ is None:
        open_ = count == 44 and not visa and rng.random() < 0.25
    upper = height if open_ else 0.0
    whole = height + upper
    return Form(
        width=float(width),
        height=float(whole),
        upper=float(upper),
        texts=texts,
        left=tuple(float(margin + rng.normal(0, 0.12)) for _ in texts),
        middles=tuple(float(whole - bottom - apart * i) for i in reversed(range(len(texts)))),
        pitch=float(pitch),
        tilt=float(rng.normal(0, 0.003)),
    )


def draw(rng: Rng, form: Form, scale: float) -> Sheet:
    """The document at `scale` px a millimetre."""
    height, width = round(form.height * scale), round(form.width * scale)
    fold = round(form.upper * scale)
    picture = np.empty((height, width), np.uint8)
    picture[fold:] = grounds.ground(rng, height - fold, width, scale)
    if fold:
        picture[:fold] = grounds.ground(rng, fold, width, scale)
        fields.bare(rng, picture[:fold], scale, float(fold))
        _gutter(rng, picture, fold, scale)
    foot = (form.middles[0] - 4.5) * scale - fold if form.texts else float(height - fold)
    plain = rng.random() < (0.06 if form.texts else 0.3)
    (fields.bare if plain else fields.fields)(rng, picture[fold:], scale, foot)
    style = random_style(rng)
    if form.texts:
        _band(rng, picture, form, scale)
    under = rng.random() < 0.5
    if under:
        _over(rng, picture, scale)
    depth = _ink_depth(rng)
    lines = tuple(
        _print(rng, picture, form, i, style, scale, depth) for i in range(len(form.texts))
    )
    if not under:
        _over(rng, picture, scale)
    return Sheet(picture, _outline(rng, form, scale), lines, scale)


def _band(rng: Rng, picture: Grey, form: Form, scale: float) -> None:
    """The MRZ's own ground: a plain or tinted field, a frame, a rule close above the lines."""
    zone = form.zone(float(rng.uniform(1.0, 3.5))) * scale
    top, bottom = max(0, int(zone[0, 1])), int(zone[2, 1])
    full = rng.random() < 0.7
    left, right = (0, picture.shape[1]) if full else (max(0, int(zone[0, 0])), int(zone[1, 0]))
    if full and rng.random() < 0.7:
        bottom = picture.shape[0]
    part = picture[top:bottom, left:right]
    kind = rng.random()
    if kind < 0.3:
        tone, share = float(rng.uniform(190, 255)), float(rng.uniform(0.4, 1))
        part[:] = cv2.addWeighted(part, 1 - share, part, 0, tone * share)
    elif kind < 0.37:
        tone, share = float(rng.uniform(70, 190)), float(rng.uniform(0.3, 0.8))
        part[:] = cv2.addWeighted(part, 1 - share, part, 0, tone * share)
    elif kind < 0.395:  # light print on a dark field
        part[:] = cv2.addWeighted(part, 0.2, part, 0, float(rng.uniform(0, 45)))
    if rng.random() < 0.2:
        shade, thick = (
            int(rng.uniform(20, 200)),
            max(1, round(float(rng.uniform(0.1, 0.8)) * scale)),
        )
        if rng.random() < 0.6:
            cv2.line(picture, (left, top), (right, top), shade, thick)
        else:
            cv2.rectangle(picture, (left, top), (right, bottom), shade, thick)


def _ink_depth(rng: Rng) -> tuple[float, float]:
    """The ink's grey, and how much of it covers."""
    dark = float(rng.uniform(5, 65)) if rng.random() < 0.85 else float(rng.uniform(60, 115))
    opacity = float(rng.uniform(0.85, 1) if rng.random() < 0.8 else rng.uniform(0.6, 0.85))
    return dark, opacity


def _print(
    rng: Rng,
    picture: Grey,
    form: Form,
    number: int,
    style: Style,
    scale: float,
    depth: tuple[float, float],
) -> Line:
    """Prints one line into the picture and says where its characters came."""
    line = print_line(rng, style, form.texts[number])
    along = form.pitch * scale / line.pitch
    down = along * float(np.clip(rng.normal(1, 0.015), 0.95, 1.05))
    x, y = form.left[number] * scale, form.middles[number] * scale
    matrix = np.array([[along, -form.tilt * down, 0], [form.tilt * along, down, 0]])
    first = np.array([line.centres[0], line.middle])
    matrix[:, 2] = (x, y) - matrix[:, :2] @ first
    half = int(line.ink.shape[0] / 2 * down + abs(form.tilt) * picture.shape[1]) + 2
    top, bottom = max(0, int(y) - half), min(picture.shape[0], int(y) + half)
    ink = _reduced(line, matrix - [[0, 0, 0], [0, 0, top]], (picture.shape[1], bottom - top))
    part = picture[top:bottom]
    dark, opacity = depth
    level = float(part[::2, ::7].mean())
    if level < 55:
        target = np.float32(255 - dark)
        mixed = part + ink * np.float32(opacity) * (target - part)
    else:
        mixed = part + ink * np.float32(opacity) * (np.minimum(np.float32(dark), 0.6 * part) - part)
    part[:] = np.clip(mixed, 0, 255)
    points = np.stack([line.centres, np.full(len(line.centres), line.middle)])
    centres = (matrix[:, :2] @ points + matrix[:, 2:]).T
    return Line(line.text, centres, line.cap * down)


def _reduced(
    line: Print, matrix: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.float32]:
    """The ink at the picture's scale; halved first as often as thin strokes need to stay."""
    ink, matrix = line.ink, matrix.copy()
    while np.hypot(matrix[0, 0], matrix[1, 0]) < 0.6:
        ink = cv2.pyrDown(ink)  # puts what was at (x, y) at (x / 2, y / 2)
        matrix[:, :2] *= 2
    return np.asarray(cv2.warpAffine(ink, matrix, size, flags=cv2.INTER_LINEAR), np.float32)


def _gutter(rng: Rng, picture: Grey, fold: int, scale: float) -> None:
    """The fold of an open booklet: a dark valley, perhaps stitches."""
    reach = max(2, int(rng.uniform(1, 7) * scale))
    top, bottom = max(0, fold - reach), min(picture.shape[0], fold + reach)
    away = np.abs(np.arange(top, bottom) - fold).astype(np.float32) / reach
    shade = 1 - rng.uniform(0.15, 0.7) * (1 - away) ** 2
    picture[top:bottom] = (picture[top:bottom] * shade[:, None].astype(np.float32)).astype(np.uint8)
    if rng.random() < 0.4:
        for x in range(int(4 * scale), picture.shape[1], max(3, int(5 * scale))):
            end = x + int(2.5 * scale)
            cv2.line(
                picture, (x, fold), (end, fold), int(rng.uniform(0, 255)), max(1, int(scale / 4))
            )


def _over(rng: Rng, picture: Grey, scale: float) -> None:
    """Holograms, stamps, signatures and folds that may come across the MRZ as well."""
    for _ in range(int(rng.choice(3, p=(0.6, 0.28, 0.12)))):
        grounds.hologram(rng, picture, scale)
    if rng.random() < 0.22:
        grounds.stamp(rng, picture, scale)
    if rng.random() < 0.1:
        grounds.crease(rng, picture, scale)
    if rng.random() < 0.08:
        fields.overprint(rng, picture, scale)


def _outline(rng: Rng, form: Form, scale: float) -> NDArray[np.float64]:
    """Round corners, and for worn pages an edge that is not quite straight."""
    width, height = form.width * scale - 1, form.height * scale - 1
    radius = float(rng.uniform(0.2, 4.0)) * scale
    turn = np.linspace(0, np.pi / 2, 5)
    ring = []
    for x, y, start in ((width, height, 0), (0, height, 1), (0, 0, 2), (width, 0, 3)):
        angle = turn + start * np.pi / 2
        inner = np.array([abs(x - radius), abs(y - radius)])
        ring.append(inner + radius * np.stack([np.cos(angle), np.sin(angle)], 1))
    points = np.concatenate(ring)
    if rng.random() < 0.3:
        points += rng.normal(0, 0.25 * scale, points.shape)
    return np.clip(points, 0, (width, height))
