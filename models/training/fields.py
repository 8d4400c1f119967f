"""What stands on a document above its MRZ or in its place: headings, photograph, labels, values.

Values stand close above the MRZ at times, in large letters and in OCR-B too: a locator that takes
any row of capitals for an MRZ must learn better.
"""

import cv2
import numpy as np

from models.training import grounds, words
from models.training.textures import Grey, Rng


def fields(rng: Rng, part: Grey, scale: float, foot: float) -> None:
    """A data page above `foot` (px): heading, photograph, columns of labels and values."""
    width = part.shape[1]
    ink = float(rng.uniform(60, 220))
    y = float(rng.uniform(2, 5)) * scale
    if rng.random() < 0.85:
        at, cap = (float(rng.uniform(0.02, 0.4)) * width, y), float(rng.uniform(2, 4)) * scale
        y += 1.5 * words.write(rng, part, words.headings(), at, cap, ink)[1]
    tall = min(float(rng.uniform(28, 45)) * scale, foot - y - scale)
    side = float(rng.uniform(3, 8)) * scale
    wide = tall * 0.78
    right = rng.random() < 0.25
    if tall > 10 * scale:
        x = width - side - wide if right else side
        grounds.portrait(rng, part, (int(x), int(y), int(wide), int(tall)))
    columns = [0.0 if right else side + wide]
    if rng.random() < 0.6:
        columns.append(columns[0] + width * float(rng.uniform(0.25, 0.4)))
    _columns(rng, part, columns, (y, foot), scale, ink)
    if rng.random() < 0.2:  # large and close to the MRZ
        cap = float(rng.uniform(2.5, 4.5)) * scale
        at = (float(rng.uniform(0.02, 0.6)) * width, foot - cap)
        bank = words.numbers() if rng.random() < 0.2 else words.values()
        words.write(rng, part, bank, at, cap, ink)


def _columns(
    rng: Rng,
    part: Grey,
    columns: list[float],
    span: tuple[float, float],
    scale: float,
    ink: float,
) -> None:
    y, foot = span
    value, label = float(rng.uniform(1.7, 3.1)) * scale, float(rng.uniform(0.8, 1.4)) * scale
    step = value * 1.5 + label * 1.4 + float(rng.uniform(0, 2)) * scale
    while y + step < foot:
        for column in columns[: 1 + int(rng.random() < 0.6)]:
            x = column + 3 * scale + float(rng.normal(0, 0.2)) * scale
            if label > 3 and rng.random() < 0.85:
                words.write(rng, part, words.labels(), (x, y), label, ink * 0.7)
            if rng.random() < 0.92:
                bank = words.numbers() if rng.random() < 0.03 else words.values()
                words.write(rng, part, bank, (x, y + label * 1.4), value, ink)
        y += step


def bare(rng: Rng, part: Grey, scale: float, foot: float) -> None:
    """Any other page: a few words here and there, a stamp, a barcode, perhaps a printed text."""
    width = part.shape[1]
    ink = float(rng.uniform(60, 220))
    for _ in range(int(rng.integers(0, 10))):
        at = (float(rng.uniform(0, 0.8)) * width, float(rng.uniform(0, 0.95)) * foot)
        bank = words.values() if rng.random() < 0.7 else words.headings()
        words.write(rng, part, bank, at, float(rng.uniform(1.5, 5)) * scale, ink)
    if rng.random() < 0.5:
        grounds.stamp(rng, part, scale)
    if rng.random() < 0.3:
        bank = words.sheets()
        block = bank[rng.integers(len(bank))]
        zoom = float(rng.uniform(0.2, 0.9)) * width / block.shape[1]
        zoom = min(zoom, 0.9 * foot / block.shape[0])
        size = (max(1, int(block.shape[1] * zoom)), max(1, int(block.shape[0] * zoom)))
        small = cv2.resize(block, size, interpolation=cv2.INTER_AREA)
        left = int(rng.uniform(0, max(1.0, width - size[0])))
        words.lay_ink(part, small, left, int(rng.uniform(0, max(1.0, foot - size[1]))), ink)


def overprint(rng: Rng, picture: Grey, scale: float) -> None:
    """Large letters across the page, once or as a pattern: SPECIMEN, a watermark."""
    bank = words.headings()
    ink = bank[rng.integers(len(bank))]
    many = rng.random() < 0.4
    cap = float(rng.uniform(2, 4) if many else rng.uniform(4, 14)) * scale
    tilt = float(rng.uniform(-45, 45)) if rng.random() < 0.8 else 0.0
    zoom = cap / words.BODY
    side = int(np.hypot(*ink.shape) * zoom) + 2
    matrix = cv2.getRotationMatrix2D((ink.shape[1] / 2, ink.shape[0] / 2), tilt, zoom)
    matrix[:, 2] += side / 2 - np.array([ink.shape[1], ink.shape[0]]) / 2
    turned = cv2.warpAffine(ink, matrix, (side, side), flags=cv2.INTER_LINEAR)
    depth = float(rng.uniform(15, 130)) * (1 if rng.random() < 0.7 else -1)
    for _ in range(int(rng.integers(3, 8)) if many else 1):
        at = rng.uniform(-0.2, 0.8, 2) * picture.shape[::-1]
        words.lay_ink(picture, turned, int(at[0]), int(at[1]), depth)
