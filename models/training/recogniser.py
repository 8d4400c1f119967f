"""Trains the recogniser on strips (`strips`): what stands in each column, and where exactly."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.training.cuts import mixed
from models.training.loop import Plan, Sample
from models.training.strips import UNLABELLED, Strip, strip
from scanner.vision.shapes import BLANK, CLASSES, SMOOTHING, normalised

WIDTH = 320
"""Training strips are a good 20 characters wide; the device's are as long as a line."""

SECOND_RATE = 1e-3


def plan(samples: int, seed: int, workers: int, name: str = "recogniser") -> Plan:
    """The first course: strips that are drawn one by one."""
    return Plan(
        name=name,
        samples=samples,
        batch=64,
        rate=3e-3,
        seed=seed,
        workers=workers,
        draw=draw,
        loss=loss,
    )


def second_plan(samples: int, seed: int, workers: int, name: str = "recogniser") -> Plan:
    """The second course: strips cut out of pages among those drawn, at a third of the rate."""
    first = plan(samples, seed + 1000, workers)
    return replace(first, name=f"{name}-2", rate=SECOND_RATE, draw=draw_mixed)


def draw(rng: np.random.Generator) -> tuple[Sample, ...]:
    return (_sample(strip(rng, WIDTH)),)


def draw_mixed(rng: np.random.Generator) -> tuple[Sample, ...]:
    return tuple(_sample(one) for one in mixed(rng, WIDTH))


def _sample(one: Strip) -> Sample:
    return normalised(one.picture[None])[0].transpose(2, 0, 1), one.labels, one.geometry


def loss(network: nn.Module, batch: list[Tensor]) -> tuple[Tensor, dict[str, float]]:
    pictures, labels, geometry = batch
    out = network(pictures.contiguous(memory_format=torch.channels_last)).float()[:, :, 0]
    logits, told = out[:, :CLASSES], out[:, CLASSES:].transpose(1, 2)
    classes = functional.cross_entropy(
        logits, labels, ignore_index=UNLABELLED, label_smoothing=SMOOTHING
    )
    inked = (labels != BLANK) & (labels != UNLABELLED)
    places = functional.smooth_l1_loss(told[inked], geometry[inked], beta=0.05)
    with torch.no_grad():
        wrong = (logits.argmax(1)[inked] != labels[inked]).float().mean()
    whole = classes + places
    return whole, {"loss": whole.item(), "wrong": wrong.item(), "places": places.item()}
