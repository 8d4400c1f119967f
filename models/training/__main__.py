"""The one command that makes the reader's models.

    python -m models.training                  everything, into models/
    python -m models.training locator          one stage

Stages: `recogniser` and `locator` learn from pages drawn on the fly; `export` writes the TFLite
files; `thresholds` fixes what counts as *read* on frames that training never saw; `card` writes the
model card and SHA256SUMS. Each goes on where it was stopped (`--work` holds what it needs for that).
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.training import card, locator, recogniser, thresholds
from models.training.export import Precision, export, verify
from models.training.loop import Plan, train
from models.training.nets import Locator, Recogniser
from scanner.durable import replace_durably
from scanner.vision.interpreter import MODELS, SUMS

REPRESENTATIVE = 96
"""Pictures that the ranges of int8 are taken from."""


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
    parser.add_argument("--strips", type=int, default=400_000, help="the recogniser learns from")
    parser.add_argument("--pages", type=int, default=56_000, help="views the locator learns from")
    parser.add_argument("--frames", type=int, default=100_000, help="thresholds are fixed on")
    parser.add_argument("--workers", type=int, default=2, help="processes that draw or read")
    chosen = parser.parse_args(arguments)
    for stage in chosen.stages or list(STAGES):
        print(f"== {stage}", flush=True)
        STAGES[stage](chosen)
    return 0


def _train_recogniser(chosen: argparse.Namespace) -> None:
    _train(Recogniser, recogniser.plan(chosen.strips, chosen.seed, chosen.workers), chosen)


def _train_locator(chosen: argparse.Namespace) -> None:
    _train(Locator, locator.plan(chosen.pages, chosen.seed, chosen.workers), chosen)


def _train(kind: Callable[[], nn.Module], plan: Plan, chosen: argparse.Namespace) -> None:
    torch.manual_seed(chosen.seed)
    torch.set_num_threads(max(1, (torch.get_num_threads() or 2) // 2))
    train(kind(), plan, chosen.work)


def _export(chosen: argparse.Namespace) -> None:
    """The recogniser in float16, because its probabilities decide; the locator in int8."""
    chosen.out.mkdir(parents=True, exist_ok=True)
    strips = _pictures(recogniser.draw, 8, chosen.seed)
    pages = _pictures(locator.draw, REPRESENTATIVE, chosen.seed)
    _write(chosen, "recogniser", Recogniser(), strips[:1], Precision.FLOAT16, (), strips)
    _write(chosen, "locator", Locator(), pages[:1], Precision.INT8, pages.split(1), pages[:2])
    _sum(chosen.out)


def _write(
    chosen: argparse.Namespace,
    name: str,
    network: nn.Module,
    example: Tensor,
    precision: Precision,
    representative: Sequence[Tensor],
    probe: Tensor,
) -> None:
    state = torch.load(chosen.work / f"{name}.pt", map_location="cpu")
    network.load_state_dict(state["mean"])
    network.eval()
    content = export(network, example, precision, representative, float_outputs=True)
    tolerance = 0.3 if precision is Precision.INT8 else 0.02
    worst = verify(network, content, probe.split(1), tolerance)
    _keep(chosen.out / f"{name}.tflite", content)
    print(
        f"{name}.tflite: {len(content):,} bytes, {precision.value}, differs by {worst:.4f} of "
        f"the spread of its outputs at most, after step {state['step']}"
    )


def _pictures(draw: Callable[[np.random.Generator], object], count: int, seed: int) -> Tensor:
    rng = np.random.default_rng([seed, 0xE0, 0])
    found: list[np.ndarray] = []
    while len(found) < count:
        found.extend(sample[0] for sample in draw(rng))  # type: ignore[attr-defined]
    return torch.from_numpy(np.stack(found[:count]))


def _thresholds(chosen: argparse.Namespace) -> None:
    rows = thresholds.collected(chosen.out, chosen.frames, chosen.work / "frames", chosen.workers)
    choice = thresholds.choose(rows)
    thresholds.tell(choice)
    _keep(chosen.out / "thresholds.json", thresholds.as_json(choice))
    _keep(chosen.work / "choice.json", json.dumps(thresholds.figures(choice)).encode())
    _sum(chosen.out)


def _card(chosen: argparse.Namespace) -> None:
    _keep(chosen.out / "README.md", card.text(chosen.out, chosen.work).encode())
    _sum(chosen.out)


def _keep(path: Path, content: bytes) -> None:
    replace_durably(path, content, mode=0o644)


def _sum(folder: Path) -> None:
    names = sorted([*folder.glob("*.tflite"), *folder.glob("thresholds.json")])
    lines = [f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in names]
    _keep(folder / SUMS, "".join(lines).encode())


STAGES: dict[str, Callable[[argparse.Namespace], None]] = {
    "recogniser": _train_recogniser,
    "locator": _train_locator,
    "export": _export,
    "thresholds": _thresholds,
    "card": _card,
}


if __name__ == "__main__":
    sys.exit(main())
