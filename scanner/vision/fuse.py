"""Several frames of one document as one: their log probabilities add up, as far as they are
witnesses of their own.

Frames in which the document lies at the same place show the same worn print under the same lamp,
so a hundred of them know hardly more than one, and an error that all of them make must not grow
surer with each. They are one *view* and count as one frame: their mean, in which a frame counts for
a character by what it tells there. A reflection that wanders off, or a focus that comes late,
therefore costs nothing that other frames of the view show.

Views that differ see another place of the lens, other pixels, another light. They are no
independent witnesses either: n views weigh as much as √n independent ones. A frame that glare
covers can be wrong and sure of it, so none may say of a character that it is impossible.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.layouts import CHARACTERS
from scanner.vision.why import Box

LogP = NDArray[np.float32]

INDEPENDENCE = 0.5
"""n views count as n to this power."""

VETO = float(np.log(1e-4))
"""The least log probability that one frame may give a character."""

SHARPNESS = 2
"""A frame's weight within its view is what it tells of a character, in nats, to this power."""

SAME_VIEW = 1.0
"""Frames whose corners of the MRZ are this near each other on average, in characters, are one view:
a hand moves a document by more."""

SAME_DOCUMENT = 0.5
"""Frames that read the same in a smaller share of what is printed show different documents. Two
passports of one State share 0.3, two bad frames of one document 0.7."""


class Together:
    """The frames of one document, as they come. One that shows another document starts anew."""

    def __init__(self) -> None:
        self._views: list[tuple[Box, list[LogP]]] = []

    def add(self, log_p: LogP, box: Box) -> None:
        """One frame more, with the corners of its MRZ in px."""
        if self._views and not is_same_document(self.log_p, log_p):
            self._views = []
        pitch = _apart(box[:1], box[1:2]) / log_p.shape[1]
        for seen, frames in self._views:
            if _apart(seen, box) <= SAME_VIEW * pitch:
                frames.append(log_p)
                return
        self._views.append((box, [log_p]))

    @property
    def frames(self) -> int:
        return sum(len(frames) for _, frames in self._views)

    @property
    def log_p(self) -> LogP:
        """What they say together. ValueError before the first frame."""
        return fused([pooled(frames) for _, frames in self._views])


def is_same_document(one: LogP, other: LogP) -> bool:
    """Whether two frames read alike where either sees more than a filler, each place counting by
    how sure both are. Fillers are alike in all documents."""
    if one.shape != other.shape:
        return False
    filler = CHARACTERS.index("<")
    mine, theirs = one.argmax(axis=2), other.argmax(axis=2)
    printed = (mine != filler) | (theirs != filler)
    weight = np.exp(one.max(axis=2) + other.max(axis=2)) * printed
    return bool((weight * (mine == theirs)).sum() >= SAME_DOCUMENT * weight.sum())


def pooled(frames: Sequence[LogP]) -> LogP:
    """The log probabilities of frames of one view; ten equal frames say what one of them says."""
    _check(frames)
    if len(frames) == 1:
        return frames[0]
    evidence = np.maximum(np.array(frames, np.float64), VETO)
    chances = np.exp(evidence)
    chances /= chances.sum(axis=-1, keepdims=True)
    told = (chances * np.log(chances)).sum(axis=-1) + np.log(chances.shape[-1])
    weight = np.maximum(told, 1e-3) ** SHARPNESS
    weight /= weight.sum(axis=0)
    return _normalised((evidence * weight[..., None]).sum(axis=0))


def fused(views: Sequence[LogP]) -> LogP:
    """The log probabilities of views of one shape taken together; of one view, as they are.

    ValueError without views or where shapes differ.
    """
    _check(views)
    if len(views) == 1:
        return views[0]
    evidence = np.maximum(np.array(views, np.float64), VETO)
    return _normalised(evidence.sum(axis=0) * len(views) ** (INDEPENDENCE - 1.0))


def _check(frames: Sequence[LogP]) -> None:
    if not frames or any(frame.shape != frames[0].shape for frame in frames):
        raise ValueError("frames of one document have one shape, and there must be one at least")


def _normalised(total: NDArray[np.float64]) -> LogP:
    total -= total.max(axis=-1, keepdims=True)
    total -= np.log(np.exp(total).sum(axis=-1, keepdims=True))
    return np.asarray(total, np.float32)


def _apart(one: Box, other: Box) -> float:
    """The mean distance of two boxes' corners."""
    return float(np.hypot(*np.subtract(one, other).T).mean())
