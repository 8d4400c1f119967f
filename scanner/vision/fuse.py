"""Several frames of one document as one: their log probabilities add up.

Frames of a document that lies still are no independent witnesses: the same worn print, the same
lamp. Their sum is therefore tempered: n frames weigh as much as √n independent ones. A frame that
glare covers can be wrong and sure of it, so no frame may say of a character that it is impossible.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LogP = NDArray[np.float32]

INDEPENDENCE = 0.5
"""n frames count as n to this power."""

VETO = float(np.log(1e-4))
"""The least log probability that one frame may give a character."""


def fused(frames: Sequence[LogP]) -> LogP:
    """The log probabilities of frames of one shape taken together; of one frame, as they are.

    ValueError without frames or where shapes differ.
    """
    if not frames or any(frame.shape != frames[0].shape for frame in frames):
        raise ValueError("frames of one document have one shape, and there must be one at least")
    if len(frames) == 1:
        return frames[0]
    evidence = np.maximum(np.array(frames, np.float64), VETO)
    total = evidence.sum(axis=0) * len(frames) ** (INDEPENDENCE - 1.0)
    total -= total.max(axis=-1, keepdims=True)
    total -= np.log(np.exp(total).sum(axis=-1, keepdims=True))
    return np.asarray(total, np.float32)
