"""Pictures in which there is no MRZ to be found, of many kinds, as a reader may be shown them.

A good part is flat, as from a scanner; the rest lies on a desk under the same camera as documents.
"""

from collections.abc import Callable

import cv2
import numpy as np

from benchmarks.frames import documents, papers, textures, things
from benchmarks.frames.camera import Subject
from benchmarks.frames.desk_top import SIDE, desk_top
from benchmarks.frames.lettering import Picture, Random
from benchmarks.frames.scene import DESK, HARD, Document, frame
from benchmarks.frames.sensor import Optics, linear, shoot

Draw = Callable[[Random], Picture]


def _surface(draw: Callable[[Random, int, int], Picture]) -> Draw:
    return lambda random: draw(
        random, int(random.choice([640, 1280])), int(random.choice([480, 800]))
    )


def _thing(draw: Callable[[Random], things.Thing]) -> Draw:
    return lambda random: draw(random)[0]


KINDS: tuple[tuple[str, Draw], ...] = (
    ("visa page", documents.visa_page),
    ("front of a card", documents.front_of_card),
    ("boarding pass", documents.boarding_pass),
    ("booklet", documents.booklet),
    ("text", papers.text_page),
    ("receipt", papers.receipt),
    ("bar codes", papers.bar_codes),
    ("form", papers.form),
    ("table", papers.table),
    ("code", papers.code),
    ("payment slip", papers.payment_slip),
    ("envelope", papers.envelope),
    ("chart", papers.chart),
    ("keyboard", _thing(things.keyboard)),
    ("bank card", _thing(things.card)),
    ("cover", _thing(things.cover)),
    ("ruler", _thing(things.ruler)),
    ("wood", _surface(textures.wood)),
    ("cloth", _surface(textures.cloth)),
    ("stone", _surface(textures.stone)),
    ("stripes", _surface(textures.stripes)),
    ("landscape", _surface(textures.landscape)),
    ("landscape", _surface(textures.landscape)),
)


def drawn(number: int, random: Random) -> tuple[str, bytes]:
    """The picture of that number: what it shows, and the JPEG."""
    name, draw = KINDS[number % len(KINDS)]
    return finished(name, draw(random), random)


def desk_alone(random: Random) -> tuple[str, bytes]:
    """Nothing but a cluttered desk."""
    canvas, size = desk_top(random, (6, 16)), (DESK.view.width, DESK.view.height)
    turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), random.uniform(0, 360), 1.5)
    shift = turn[:, 2] + (np.array(size) - SIDE) / 2
    move = np.column_stack([turn[:, :2], shift])
    seen = cv2.warpAffine(canvas, move, size, borderMode=cv2.BORDER_REFLECT_101)
    light = linear(np.asarray(seen, np.uint8)) * random.uniform(*DESK.level)
    optics = Optics(0.8, 0, 0, 0.02, 0.006, 0.3, int(random.integers(*DESK.quality)))
    return "desk", shoot(np.asarray(light, np.float32), optics, random)


def finished(name: str, picture: Picture, random: Random) -> tuple[str, bytes]:
    """The picture as it is, or lying on a desk."""
    if random.random() < 0.5:
        recipe = DESK if random.random() < 0.5 else HARD
        desk = desk_top(random, (2, 8))
        width_mm = float(random.uniform(85, 150))
        return f"{name}, on a desk", frame(_flat(picture, width_mm), desk, recipe, random).jpeg
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(55, 95))]
    turned = np.rot90(picture, int(random.integers(0, 4))) if random.random() < 0.3 else picture
    return name, cv2.imencode(".jpg", np.ascontiguousarray(turned), quality)[1].tobytes()


def _flat(picture: Picture, width_mm: float) -> Document:
    """A paper of that width; its lower third is what must be in the frame."""
    height, width = picture.shape[:2]
    scale = width / width_mm
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) / scale
    corners = corners - corners.mean(axis=0)
    foot = corners.copy()
    foot[:2, 1] = foot[2:, 1] - (height / scale) / 3
    slim = max(height, width) > 3 * min(height, width)
    return Document(picture, scale, Subject(corners, foot * 0.9, strip=slim))
