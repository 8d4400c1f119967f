"""Writes frames of `pages` with the truth drawn on them, and a contact sheet of forty."""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.pages import KINDS, Scene, page

_ACROSS, _DOWN, _CELL = 8, 5, (300, 400)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=list(KINDS))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(options.seed)
    page(rng)  # draws the banks
    spent, pixels, drawn = 0.0, 0, []
    for i in range(options.count):
        begun = time.process_time()
        scene = page(rng, kind=options.kind)
        spent += time.process_time() - begun
        pixels += scene.frame.size
        drawn.append(marked(scene))
        cv2.imwrite(str(options.out / f"{i:04}-{scene.kind}.png"), drawn[-1])
    for first in range(0, len(drawn), _ACROSS * _DOWN):
        sheet = _contact(drawn[first : first + _ACROSS * _DOWN])
        cv2.imwrite(str(options.out / f"contact-{first:04}.png"), sheet)
    print(
        f"{1e3 * spent / options.count:.1f} ms a frame, {1e9 * spent / pixels:.1f} ms a megapixel"
    )


def marked(scene: Scene) -> NDArray[np.uint8]:
    """The frame in colour: a line through the characters' middles, a dot at the first, ticks as
    tall as the capitals at both ends; red where it is thought illegible."""
    picture = cv2.cvtColor(scene.frame, cv2.COLOR_GRAY2BGR)
    colour = (0, 200, 0) if scene.legible else (0, 0, 255)
    for line in scene.lines:
        points = np.round(line.centres * 8).astype(np.int32)
        cv2.polylines(picture, [points], False, colour, 1, cv2.LINE_AA, 3)
        cv2.circle(picture, tuple(int(v) for v in line.start), 3, (255, 0, 0), -1)
        for at, step, cap in zip(
            line.centres[[0, -1]],
            np.gradient(line.centres, axis=0)[[0, -1]],
            line.caps,
            strict=True,
        ):
            up = np.array([step[1], -step[0]]) / max(1e-6, float(np.hypot(*step))) * cap / 2
            ends = [tuple(int(v) for v in np.round((at + s * up) * 8)) for s in (-1, 1)]
            cv2.line(picture, ends[0], ends[1], (255, 0, 255), 1, cv2.LINE_AA, 3)
    return np.asarray(picture, np.uint8)


def _contact(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    sheet = np.full((_DOWN * _CELL[0], _ACROSS * _CELL[1], 3), 40, np.uint8)
    for i, picture in enumerate(pictures):
        scale = min((_CELL[0] - 6) / picture.shape[0], (_CELL[1] - 6) / picture.shape[1])
        size = (max(1, int(picture.shape[1] * scale)), max(1, int(picture.shape[0] * scale)))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        top, left = i // _ACROSS * _CELL[0] + 3, i % _ACROSS * _CELL[1] + 3
        sheet[top : top + size[1], left : left + size[0]] = small
    return sheet


if __name__ == "__main__":
    main()
