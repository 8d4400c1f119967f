"""What a locator would have to say for a test's maps: (height, width, 9), of the core
probabilities."""

import numpy as np

from scanner.vision.lines import CORE, MAP_STEP, Maps

Whole = np.ndarray


def told(whole: Whole) -> np.ndarray:
    """As the network gives it: two by two pixels of each map as the channels of one, logits."""
    height, width, maps = whole.shape
    out = whole.astype(np.float32)
    sure = np.clip(out[..., CORE], 1e-6, 1 - 1e-6)
    out[..., CORE] = np.log(sure / (1 - sure))
    cells = out.reshape(height // 2, 2, width // 2, 2, maps).transpose(0, 2, 4, 1, 3)
    return cells.reshape(height // 2, width // 2, 4 * maps)


def seen(whole: Whole) -> Maps:
    """As it is read."""
    height, width, _ = whole.shape
    return Maps.of(told(whole), MAP_STEP * height, MAP_STEP * width)
