"""The one command that makes the reader's models.

    python -m models.training                  everything, into models/
    python -m models.training locator          one stage

Stages: `recogniser`, `verifier` and `locator`, and `recogniser-2` and so on, their later courses,
learn from pages drawn on the fly; `export` writes the TFLite files of those that were trained;
`thresholds` fixes what counts as *read* on frames that training never saw; `card` writes the model
card and SHA256SUMS. Each goes on where it was stopped (`--work` holds what it needs for that).
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.training import card, learned, locator, recogniser, thresholds
from models.training.export import Precision, export, verify
from models.training.loop import Plan, train
from models.training.nets import Locator, Recogniser
from scanner.durable import replace_durably
from scanner.vision.interpreter import MODELS, SUMS

TOLERANCE = 1.0
"""How far int8 may be from the network anywhere, in standard deviations of its outputs: the steep
edge of a core moves by part of a pixel. Of its map one pixel in a thousand is off by 0.44."""
VERIFIER = 50
"""Added to the seed: the verifier starts from other weights and learns from other strips, so that
it errs elsewhere than the recogniser."""
REPRESENTATIVE = 96
"""Pictures that the ranges of int8 are taken from; of strips, which are small, twice as many."""
NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[..., object], int]] = {
    "recogniser": (Recogniser, recogniser.draw_mixed, 2 * REPRESENTATIVE),
    "verifier": (Recogniser, recogniser.draw_mixed, 2 * REPRESENTATIVE),
    "locator": (Locator, locator.draw, REPRESENTATIVE),
}
"""What each is, what it learns from, and how many pictures give the ranges of its int8."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stages", nargs="*", choices=[*STAGES, []], help="default: all of them")
    parser.add_argument("--out", type=Path, default=MODELS, help="where the models go")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("build/training"),
        help="checkpoints and frames read so far",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--strips", type=int, default=480_000, help="both recognisers learn from")
    parser.add_argument("--cuts", type=int, default=160_000, help="and in their second courses")
    parser.add_argument(
        "--pages",
        type=int,
        nargs=3,
        default=[72_000, 72_000, 84_000],
        help="views the locator learns from, course by course",
    )
    parser.add_argument("--frames", type=int, default=100_000, help="thresholds are fixed on")
    parser.add_argument("--workers", type=int, default=2, help="processes that draw or read")
    chosen = parser.parse_args(arguments)
    for stage in chosen.stages or list(STAGES):
        print(f"== {stage}", flush=True)
        STAGES[stage](chosen)
    return 0


def _courses(name: str, chosen: argparse.Namespace) -> tuple[Plan, ...]:
    """The courses of a network, in their order."""
    if name == "locator":
        return tuple(
            locator.plan(views, chosen.seed, chosen.workers, course)
            for course, views in enumerate(chosen.pages, 1)
        )
    seed = chosen.seed + (VERIFIER if name == "verifier" else 0)
    return (
        recogniser.plan(chosen.strips, seed, chosen.workers, name),
        recogniser.second_plan(chosen.cuts, seed, chosen.workers, name),
    )


def _course(name: str, number: int, chosen: argparse.Namespace) -> None:
    """One course of a network, the first being number 1; later ones go on from the last."""
    courses = _courses(name, chosen)
    before = chosen.work / f"{courses[number - 2].name}.pt" if number > 1 else None
    _train(name, courses[number - 1], chosen, before)


def _train(name: str, plan: Plan, chosen: argparse.Namespace, start_from: Path | None) -> None:
    kind, _, _ = NETWORKS[name]
    torch.manual_seed(plan.seed)
    torch.set_num_threads(max(1, torch.get_num_threads() // 2))
    train(kind(), plan, chosen.work, start_from=start_from)


def _export(chosen: argparse.Namespace) -> None:
    """Each network that was trained, in int8, the layers that answer in float: so small differences
    remain, and a line costs a fifth of what it costs in float16, with as many pages exact."""
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name, (kind, draw, count) in NETWORKS.items():
        courses = _courses(name, chosen)
        course = chosen.work / f"{courses[-1].name}.pt"
        if not course.exists():
            print(f"{name}: not trained in {chosen.work}; its file stays as it is")
            continue
        state = torch.load(course, map_location="cpu")
        _write(chosen.out / f"{name}.tflite", kind(), state, _pictures(draw, count, chosen.seed))
        learned.note(chosen.out, name, chosen.work, courses)
    limits = chosen.out / "thresholds.json"
    if not limits.exists():  # nothing is *read* until they are fixed
        _keep(limits, json.dumps(asdict(thresholds.STRICTEST)).encode())
    _sum(chosen.out)


def _write(path: Path, network: nn.Module, state: dict[str, Any], pictures: Tensor) -> None:
    network.load_state_dict(state["mean"])
    network.eval()
    singly = pictures.split(1)
    content = export(network, singly[0], Precision.INT8, singly, float_outputs=True)
    worst = verify(network, content, singly[:16], TOLERANCE)
    _keep(path, content)
    print(
        f"{path.name}: {len(content):,} bytes, differs by {worst:.3f} of the spread of its "
        f"outputs at most, after step {state['step']}"
    )


def _pictures(draw: Callable[[np.random.Generator], object], count: int, seed: int) -> Tensor:
    rng = np.random.default_rng([seed, 0xE0, 0])
    found: list[np.ndarray] = []
    while len(found) < count:
        found.extend(sample[0] for sample in draw(rng))  # type: ignore[attr-defined]
    return torch.from_numpy(np.stack(found[:count]))


def _thresholds(chosen: argparse.Namespace) -> None:
    rows = thresholds.collected(chosen.out, chosen.frames, chosen.work / "frames", chosen.workers)
    choice = thresholds.choose(rows, thresholds.unknowable(chosen.out, rows))
    thresholds.tell(choice)
    _keep(chosen.out / "thresholds.json", thresholds.as_json(choice))
    _keep(chosen.work / "choice.json", json.dumps(thresholds.figures(choice)).encode())
    _sum(chosen.out)


def _card(chosen: argparse.Namespace) -> None:
    _keep(chosen.out / "README.md", card.text(chosen.out, chosen.work / "choice.json").encode())
    _sum(chosen.out)


def _keep(path: Path, content: bytes) -> None:
    replace_durably(path, content, mode=0o644)


def _sum(folder: Path) -> None:
    names = sorted([*folder.glob("*.tflite"), *folder.glob("thresholds.json")])
    lines = [f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in names]
    _keep(folder / SUMS, "".join(lines).encode())


STAGES: dict[str, Callable[[argparse.Namespace], None]] = {
    "recogniser": partial(_course, "recogniser", 1),
    "recogniser-2": partial(_course, "recogniser", 2),
    "verifier": partial(_course, "verifier", 1),
    "verifier-2": partial(_course, "verifier", 2),
    "locator": partial(_course, "locator", 1),
    "locator-2": partial(_course, "locator", 2),
    "locator-3": partial(_course, "locator", 3),
    "export": _export,
    "thresholds": _thresholds,
    "card": _card,
}


if __name__ == "__main__":
    sys.exit(main())
