"""Rendered pages say truly where their MRZ lines are: a locator learns nothing better than that."""

import numpy as np
import pytest

pytest.importorskip("PIL")

from models.training.pages import KINDS, page
from models.training.truth import LineTruth
from models.training.typeface import FONTS, OCR_B, OTHERS
from models.training.words import _MONO, _PLAIN

_NEEDED = [*OCR_B, *OTHERS, *_MONO, *(f"truetype/{font}" for font in _PLAIN)]
_MISSING = sorted({font for font in _NEEDED if not (FONTS / font).exists()})
if _MISSING:
    pytest.skip(f"needs fonts of Debian 12: {', '.join(_MISSING)}", allow_module_level=True)


def _darkness(frame: np.ndarray, line: LineTruth) -> np.ndarray:
    """Mean darkness of the line's cells, 11 by 11 over one pitch and 1.6 capitals."""
    step = np.gradient(line.centres, axis=0)
    along = step / np.hypot(*step.T)[:, None]
    down = (
        np.stack([-along[:, 1], along[:, 0]], axis=1) * np.linspace(*line.caps, len(step))[:, None]
    )
    u, v = np.meshgrid(np.linspace(-0.5, 0.5, 11), np.linspace(-0.8, 0.8, 11))
    at = (
        line.centres[:, None, None]
        + u[..., None] * step[:, None, None]
        + v[..., None] * down[:, None, None]
    )
    height, width = frame.shape
    columns = np.clip(np.round(at[..., 0]), 0, width - 1).astype(int)
    rows = np.clip(np.round(at[..., 1]), 0, height - 1).astype(int)
    cells = 255.0 - frame[rows, columns]
    return (cells - cells.min(axis=(1, 2), keepdims=True)).mean(axis=0)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "none"])
def test_ink_lies_about_the_middles_that_the_truth_gives(kind: str) -> None:
    rng = np.random.default_rng(3)
    cells = []
    while len(cells) < 30:
        scene = page(rng, kind=kind)
        if scene.legible:
            cells += [_darkness(scene.frame, line) for line in scene.lines]
    dark = np.mean([cell / cell.mean() for cell in cells], axis=0)
    dark -= dark.min()
    across, tall = dark.sum(axis=0), dark.sum(axis=1)
    assert abs(float(across @ np.linspace(-0.5, 0.5, 11)) / across.sum()) < 0.05
    assert abs(float(tall @ np.linspace(-0.8, 0.8, 11)) / tall.sum()) < 0.06
    assert tall[[0, -1]].max() < 0.5 * tall[5], "print is not where capitals should be"


def test_the_same_seed_gives_the_same_scene() -> None:
    first, second = (page(np.random.default_rng(7), (300, 400)) for _ in range(2))
    assert np.array_equal(first.frame, second.frame)
    assert [line.text for line in first.lines] == [line.text for line in second.lines]


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_frame_has_the_size_that_was_asked_for(kind: str) -> None:
    rng = np.random.default_rng(5)
    for size in ((240, 320), (640, 360)):
        scene = page(rng, size, kind)
        assert scene.frame.shape == size
        assert bool(scene.lines) == (kind != "none")
        for line in scene.lines:
            assert (line.centres >= 0).all()
            assert (line.centres <= (size[1] - 1, size[0] - 1)).all()
