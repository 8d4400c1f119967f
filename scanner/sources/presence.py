"""Is a document lying under the camera, and is it a new one? A state machine over small frames.

The empty desk is learned as the background. Frames are compared by the logarithm of brightness
less its median difference, so a lamp that drifts or is switched is no change. What comes, lies
still and is as sharp as it gets is captured once; it must leave or be replaced before the next.

Two errors are weighed against each other. Taking the same document twice costs the officer a
glance; taking a second document for the first leaves the first one's verdict on the screen. So
after anything large has moved a small difference already counts as another document.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.sources.capture import Frame

Scene = NDArray[np.float32]
"""A small frame as the logarithm of its brightness."""
Mask = NDArray[np.bool_]


class State(StrEnum):
    LEARNING = "learning"
    EMPTY = "empty"
    MOVING = "moving"
    SETTLING = "settling"
    HOLDING = "holding"


@dataclass(frozen=True)
class Thresholds:
    """When a scene counts as changed. Shares are of the pixels compared, times in seconds."""

    pixel: float = 0.12
    """Difference of a pixel in log brightness: about an eighth brighter or darker."""
    motion: float = 0.005
    arrive: float = 0.03
    leave: float = 0.015
    large_motion: float = 0.5
    replaced: float = 0.2
    """Share of the document's own area that makes it another one …"""
    replaced_after_large_motion: float = 0.08
    """… and after so much of it was covered that it may have been exchanged."""
    uncovered: float = 0.5
    """A scene with less than this share of the background's edges is the bare desk."""
    steady_s: float = 0.3
    focus_s: float = 1.2
    """The longest wait for the picture to become sharper."""
    sharpest_for_s: float = 0.15
    learn_s: float = 0.5
    learn_at_most_s: float = 5.0
    unseen_s: float = 0.5
    """In so long a time without a frame a document may be exchanged."""


@dataclass(frozen=True)
class Seen:
    """What one frame told: `keep` it as a candidate; `captured`: the candidates are a document.

    `lasts`: the document that was captured last lies there still. No frame since then differed so
    much from it that another could have taken its place, which is stricter than holding it.
    """

    state: State
    keep: bool = False
    captured: bool = False
    lasts: bool = False


@dataclass(frozen=True)
class _Held:
    """A document that was captured, and where it differs from the empty desk."""

    scene: Scene
    mask: Mask


class Presence:
    """Takes frames in order and says when a document is there to be read. Frames of another size
    come from another camera: the desk is then learned anew."""

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        self._limits = thresholds or Thresholds()
        self._start_over()

    def _start_over(self) -> None:
        self._background: Scene | None = None
        self._anchor: Scene | None = None
        self._started = self._still_since = 0.0
        self._held: list[_Held] = []
        """What was captured since the desk was last empty, the latest last."""
        self._lasts = False
        """Nothing has been seen that could be another document than the one captured last."""
        self._peak = 0.0
        self._best = self._best_at = self._seen_at = 0.0

    def forget(self) -> None:
        """What lies there counts as a document that has not been captured yet."""
        self._held, self._lasts, self._peak, self._best = [], False, 0.0, 0.0

    def see(self, small: Frame, now: float, sharpness: Callable[[], float]) -> Seen:
        """One small grey frame at a time in seconds; `sharpness` is asked only where it counts."""
        scene = as_scene(small)
        if self._anchor is not None and self._anchor.shape != scene.shape:
            self._start_over()
        moving = self._moves(scene, now)
        if self._background is None:
            return self._learn(scene, moving, now)
        mask = self._changes(scene, self._background)
        away = float(mask.mean())
        self._compare(scene, mask, now)
        if moving:
            self._best = 0.0
            if away < self._limits.leave:
                return Seen(State.EMPTY)
            return Seen(State.MOVING, lasts=self._lasts)
        if away < (self._limits.leave if self._held else self._limits.arrive):
            return self._empty(scene, away)
        if any(self._is_same(scene, held, mask) for held in self._held):
            return self._holding()
        if self._is_bare(scene, self._background, mask):
            return self._uncovered(scene, now)
        return self._settle(_Held(scene, mask), now, sharpness())

    def _compare(self, scene: Scene, mask: Mask, now: float) -> None:
        """Follows how far the scene has been from the document that was captured last."""
        if self._held:
            difference = self._difference(scene, self._held[-1], mask)
            self._peak = max(self._peak, difference)
            unseen = now - self._seen_at > self._limits.unseen_s
            if difference >= self._limits.replaced or unseen:
                self._lasts = False
        self._seen_at = now

    def _moves(self, scene: Scene, now: float) -> bool:
        """Compared with the frame when it last moved, so that slow motion is seen too."""
        if self._anchor is None:
            self._anchor, self._started, self._still_since = scene, now, now
            return False
        if self._changes(scene, self._anchor).mean() < self._limits.motion:
            return False
        self._anchor, self._still_since = scene, now
        return True

    def _learn(self, scene: Scene, moving: bool, now: float) -> Seen:
        late = now - self._started >= self._limits.learn_at_most_s
        if late or (not moving and now - self._still_since >= self._limits.learn_s):
            self._background = scene
            return Seen(State.EMPTY)
        return Seen(State.LEARNING)

    def _empty(self, scene: Scene, away: float) -> Seen:
        self.forget()
        if away < self._limits.leave and self._background is not None:
            self._background = _drifted(self._background, scene)
        return Seen(State.EMPTY)

    def _holding(self) -> Seen:
        self._peak = self._best = 0.0
        return Seen(State.HOLDING, lasts=self._lasts)

    def _uncovered(self, scene: Scene, now: float) -> Seen:
        """Something lay there when the background was learned and has been taken away."""
        if now - self._still_since >= self._limits.learn_s:
            self._background, self._held, self._lasts, self._peak = scene, [], False, 0.0
        return Seen(State.EMPTY)

    def _settle(self, thing: "_Held", now: float, sharpness: float) -> Seen:
        if sharpness > self._best * 1.05:
            self._best, self._best_at = sharpness, now
        still = now - self._still_since
        sharp = now - self._best_at >= self._limits.sharpest_for_s or still >= self._limits.focus_s
        if still < self._limits.steady_s or not sharp:
            return Seen(State.SETTLING, keep=True)
        self._held.append(thing)
        self._lasts = True
        self._peak = self._best = 0.0
        return Seen(State.HOLDING, keep=True, captured=True, lasts=True)

    def _is_same(self, scene: Scene, held: "_Held", mask: Mask) -> bool:
        exchanged = self._peak >= self._limits.large_motion
        limit = self._limits.replaced_after_large_motion if exchanged else self._limits.replaced
        return self._difference(scene, held, mask) < limit

    def _difference(self, scene: Scene, held: "_Held", mask: Mask) -> float:
        """Share of the document's area (now, or when it was held) that differs."""
        area = _closed(mask | held.mask)
        if not area.any():
            return 0.0
        return float(self._changes(scene, held.scene)[area].mean())

    def _is_bare(self, scene: Scene, background: Scene, mask: Mask) -> bool:
        area = _closed(mask)
        return _edges(scene, area) < self._limits.uncovered * _edges(background, area)

    def _changes(self, scene: Scene, other: Scene) -> Mask:
        difference = scene - other
        changed: Mask = np.abs(difference - np.median(difference)) > self._limits.pixel
        return changed


def as_scene(small: Frame) -> Scene:
    """Log brightness, with the sensor's noise averaged; dark pixels are lifted out of theirs."""
    averaged: Scene = np.asarray(cv2.blur(small, (3, 3)), np.float32)
    return np.asarray(np.log(averaged + 8.0), np.float32)


def _drifted(background: Scene, scene: Scene) -> Scene:
    return (background + 0.05 * (scene - background)).astype(np.float32)


def _closed(mask: Mask) -> Mask:
    """The mask with the gaps between its specks filled: the area of the thing."""
    kernel = np.ones((9, 9), np.uint8)
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    return np.asarray(closed, np.bool_)


def _edges(scene: Scene, area: Mask) -> float:
    strength = np.abs(cv2.Laplacian(scene, cv2.CV_32F))
    return float(strength[area].mean()) if area.any() else 0.0
