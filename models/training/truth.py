"""What is true of the MRZ lines in a frame, and whether anybody could read them there.

A line is judged against itself: its print is sampled where it was laid down, before hands, light
and camera came, and again in the finished frame. Where any four neighbouring characters no longer
resemble what they were, or are lost in noise, nobody reads the line.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.exposure import Loss
from models.training.textures import Grey

_GROUP = 4
REACH = 0.56
"""How far print reaches above and below a line's middle, in capitals."""
_COLUMNS = np.linspace(-0.4, 0.4, 6)
_ROWS = np.array([-0.36, -0.12, 0.12, 0.36])


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

    @property
    def narrowest(self) -> float:
        """The least width of a character, px."""
        steps = np.hypot(*np.diff(self.centres, axis=0).T)
        return float(min(steps[:6].mean(), steps[-6:].mean()))

    def zone(self) -> NDArray[np.float64]:
        """The corners of the line with a capital's height around it."""
        step = np.gradient(self.centres.astype(np.float64), axis=0)[[0, -1]]
        along = step / np.maximum(np.hypot(*step.T), 1e-6)[:, None]
        reach = np.array(self.caps)[:, None]
        down, out = np.stack([-along[:, 1], along[:, 0]], axis=1) * reach, along * reach
        first, last = self.centres[0] - out[0], self.centres[-1] + out[1]
        return np.array([first - down[0], last - down[1], last + down[1], first + down[0]])


def sample(frame: Grey, line: LineTruth) -> NDArray[np.float32]:
    """Grey values over each character: (characters, points)."""
    step = np.gradient(line.centres, axis=0)
    along = step / np.maximum(np.hypot(*step.T), 1e-6)[:, None]
    cap = np.linspace(*line.caps, len(step))[:, None, None]
    x = line.centres[:, 0, None, None] + step[:, 0, None, None] * _COLUMNS
    y = line.centres[:, 1, None, None] + step[:, 1, None, None] * _COLUMNS
    x = x - along[:, 1, None, None] * cap * _ROWS[:, None]
    y = y + along[:, 0, None, None] * cap * _ROWS[:, None]
    height, width = frame.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    columns = np.clip(np.round(x), 0, width - 1).astype(int)
    rows = np.clip(np.round(y), 0, height - 1).astype(int)
    seen = np.where(inside, frame[rows, columns], 0).astype(np.float32)
    return seen.reshape(len(step), -1)


def legible(
    frame: Grey, lines: list[LineTruth], printed: list[NDArray[np.float32]], loss: Loss
) -> bool:
    """A guess. `printed` holds each line's `sample` from before the light fell on it."""
    pitch = min(line.narrowest for line in lines)
    if pitch * loss.reduced < 5.5 or loss.blur > 0.2 * pitch or loss.moved > 0.4 * pitch:
        return False
    return all(
        _kept(before, sample(frame, line), loss.noise)
        for line, before in zip(lines, printed, strict=True)
    )


def is_cut_off(frame: Grey, line: LineTruth) -> bool:
    """Whether the frame's edge goes through characters, or touches them: the tail of a Q reaches
    below capitals."""
    step = np.gradient(line.centres, axis=0)
    along = step / np.maximum(np.hypot(*step.T), 1e-6)[:, None]
    down = np.stack([-along[:, 1], along[:, 0]], axis=1)
    reach = np.linspace(*line.caps, len(step))[:, None] * REACH
    ends = np.concatenate([line.centres - down * reach, line.centres + down * reach])
    height, width = frame.shape
    return bool((ends < -0.5).any() or (ends > (width - 0.5, height - 0.5)).any())


def _kept(before: NDArray[np.float32], after: NDArray[np.float32], noise: float) -> bool:
    groups = len(before) // _GROUP
    a = before[: groups * _GROUP].reshape(groups, -1)
    b = after[: groups * _GROUP].reshape(groups, -1)
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    spread = b.std(axis=1)
    alike = (a * b).mean(axis=1) / np.maximum(a.std(axis=1) * spread, 1e-6)
    return bool((alike > 0.55).all() and (spread > 4 + 0.8 * noise).all() and a.std() > 12)
