"""Trains the locator on pages (`targets`): where MRZ lines are, which way they are read, how
tall."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.training.loop import Plan, Sample
from models.training.nets import unfolded
from models.training.pages import page
from models.training.targets import target
from scanner.vision.lines import (
    AXIS_COSINE,
    AXIS_SINE,
    CORE,
    COSINE,
    SINE,
    SIZE,
    TOWARDS_X,
    TOWARDS_Y,
    WITHIN,
)
from scanner.vision.shapes import folded, normalised

VIEWS = 2
RATE, LATER_RATE = 3e-3, 1.2e-3
"""Of learning: in the first course, and in those that go on from it."""


def plan(samples: int, seed: int, workers: int, course: int = 1) -> Plan:
    """One course, the first being number 1: all draw the same kinds of pages."""
    return Plan(
        name="locator" if course == 1 else f"locator-{course}",
        samples=samples,
        batch=16,
        rate=RATE if course == 1 else LATER_RATE,
        seed=seed + 1000 * (course - 1),
        workers=workers,
        draw=draw,
        loss=loss,
    )


def draw(rng: np.random.Generator) -> tuple[Sample, ...]:
    """Two views of one page: drawing it costs more than learning from it."""
    scene = page(rng)
    views = [target(rng, scene) for _ in range(VIEWS)]
    return tuple(
        (folded(normalised(view.picture[None]))[0].transpose(2, 0, 1), view.maps) for view in views
    )


def loss(network: nn.Module, batch: list[Tensor]) -> tuple[Tensor, dict[str, float]]:
    pictures, maps = batch
    out = unfolded(network(pictures.contiguous(memory_format=torch.channels_last)).float())
    core, within = maps[:, CORE], maps[:, WITHIN]
    told = torch.sigmoid(out[:, CORE])
    overlap = 2 * (told * core).sum((1, 2)) + 20
    dice = (1 - overlap / (told.sum((1, 2)) + core.sum((1, 2)) + 20)).mean()
    crossed = functional.binary_cross_entropy_with_logits(out[:, CORE], core)
    wide = functional.binary_cross_entropy_with_logits(out[:, WITHIN], within)
    inked = core > 0.5

    def apart(channel: int, beta: float) -> Tensor:
        if not bool(inked.any()):
            return out.new_zeros(())
        return functional.smooth_l1_loss(out[:, channel][inked], maps[:, channel][inked], beta=beta)

    axis = apart(AXIS_COSINE, 0.1) + apart(AXIS_SINE, 0.1)
    turned = apart(COSINE, 0.1) + apart(SINE, 0.1)
    size = apart(SIZE, 0.05)
    towards = apart(TOWARDS_X, 0.05) + apart(TOWARDS_Y, 0.05)
    whole = 2 * crossed + dice + 0.5 * wide + 0.5 * axis + 0.3 * turned + 0.5 * size + towards
    with torch.no_grad():
        figures = {
            "loss": whole.item(),
            "dice": dice.item(),
            "axis": axis.item(),
            "turned": turned.item(),
            "size": size.item(),
            "towards": towards.item(),
        }
    return whole, figures
