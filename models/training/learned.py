"""What each network learned from: written beside the models when they are exported, for the card.

Checkpoints are large and stay where training ran; these few figures are kept with the models.
"""

import json
from pathlib import Path

import torch

from models.training.loop import Plan
from scanner.durable import replace_durably

FILE = "learned.json"


def note(models: Path, name: str, work: Path, courses: tuple[Plan, ...]) -> None:
    """Writes down how many weights a network has and how many samples it saw in its courses."""
    states = [(plan, torch.load(work / f"{plan.name}.pt", map_location="cpu")) for plan in courses]
    weights = {
        key: value for key, value in states[-1][1]["mean"].items() if "num_batches" not in key
    }
    figures = read(models)
    figures[name] = {
        "weights": sum(value.numel() for value in weights.values()),
        "samples": sum(state["step"] * plan.batch for plan, state in states),
    }
    content = json.dumps(dict(sorted(figures.items())), indent=1) + "\n"
    replace_durably(models / FILE, content.encode(), mode=0o644)


def read(models: Path) -> dict[str, dict[str, int]]:
    """The figures by network; none where nothing was exported yet."""
    path = models / FILE
    found: dict[str, dict[str, int]] = json.loads(path.read_text()) if path.exists() else {}
    return found
