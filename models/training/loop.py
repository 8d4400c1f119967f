"""One way to train every network: an endless stream of fresh samples, AdamW, a learning rate that
rises, then falls to nothing, and a running mean of the weights, which is what is kept.

No sample is seen twice, so there is nothing to overfit to. Workers draw the samples: worker k of
step n draws from a seed of its own, and a run that was interrupted goes on from its last
checkpoint.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

Sample = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Plan:
    """`samples` in all, in batches; `draw` makes one or a few from random numbers."""

    name: str
    samples: int
    batch: int
    rate: float
    seed: int
    workers: int
    draw: Callable[[np.random.Generator], Iterable[Sample]]
    loss: Callable[[nn.Module, list[Tensor]], tuple[Tensor, dict[str, float]]]


class Stream(IterableDataset[Sample]):
    """Samples without end, from `first` on."""

    def __init__(self, plan: Plan, first: int) -> None:
        self.plan, self.first = plan, first

    def __iter__(self) -> Iterator[Sample]:
        cv2.setNumThreads(1)
        torch.set_num_threads(1)
        info = get_worker_info()
        worker = info.id if info else 0
        rng = np.random.default_rng([self.plan.seed, self.first, worker])
        while True:
            yield from self.plan.draw(rng)


def train(
    network: nn.Module, plan: Plan, folder: Path, *, start_from: Path | None = None
) -> nn.Module:
    """Trains, or goes on training, and returns the network with the mean of its last weights."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / f"{plan.name}.pt"
    network = network.to(device, memory_format=torch.channels_last)
    if start_from:
        network.load_state_dict(torch.load(start_from, map_location=device)["mean"])
    mean = {key: value.detach().clone() for key, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=1e-4)
    step, steps = 0, plan.samples // plan.batch
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        mean, step = state["mean"], state["step"]
        print(f"{plan.name}: going on at step {step} of {steps}", flush=True)
    loader = DataLoader(
        Stream(plan, step),
        batch_size=plan.batch,
        num_workers=plan.workers,
        prefetch_factor=4 if plan.workers else None,
    )
    batches: Iterator[list[Tensor]] = iter(loader)
    told, sums, since = time.monotonic(), {}, 0
    while step < steps:
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * _share(step, steps)
        batch = [part.to(device) for part in next(batches)]
        network.train()
        with torch.autocast(device, torch.bfloat16):
            loss, figures = plan.loss(network, batch)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        step += 1
        since += 1
        _blend(mean, network.state_dict(), min(0.998, step / (step + 20)))
        for key, value in figures.items():
            sums[key] = sums.get(key, 0.0) + value
        if time.monotonic() - told > 20 or step == steps:
            pace = since / (time.monotonic() - told)
            text = " ".join(f"{key} {value / since:.4f}" for key, value in sums.items())
            left = (steps - step) / pace / 60
            print(f"{plan.name} {step}/{steps} {text} | {left:.0f} min left", flush=True)
            told, sums, since = time.monotonic(), {}, 0
            _save(checkpoint, network, optimiser, mean, step)
    network.load_state_dict(mean)
    return network.cpu().eval()


def _share(step: int, steps: int) -> float:
    """The learning rate against its peak."""
    rise = min(1.0, (step + 1) / max(1, min(200, steps // 20)))
    return rise * (0.5 + 0.5 * math.cos(math.pi * step / steps))


def _blend(mean: dict[str, Tensor], now: dict[str, Tensor], keep: float) -> None:
    for key, value in now.items():
        if value.dtype.is_floating_point:
            mean[key].lerp_(value, 1 - keep)
        else:
            mean[key].copy_(value)


def _save(
    path: Path,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    mean: dict[str, Tensor],
    step: int,
) -> None:
    state: dict[str, Any] = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "mean": mean,
        "step": step,
    }
    beside = path.with_suffix(".part")
    torch.save(state, beside)
    beside.replace(path)
