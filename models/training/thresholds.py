"""Fixes the thresholds behind *read* on rendered frames that training never saw.

    python -m models.training.thresholds --frames 100000 --out build/thresholds

Each frame is drawn from a seed of its own, read by the very reader of the device, and what its
decision would rest on (`decode.Evidence`) is written down with whether the lines are right. Shards
of `SHARD` frames are kept, so a run that stops goes on where it was. From all of them the lowest
thresholds are chosen under which no frame is *read* wrongly, and raised by a margin; the bound on
what was not seen is the rule of three: with 95 % confidence at most 3 / n of frames like these.

Frames are drawn with damage that can turn one character into another. Where a frame is surely read
otherwise than was meant, and its picture itself shows what was read (`shown`), that is no wrong
reading; such frames are counted and told apart.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.pages import Scene, page
from models.training.shown import cannot_be_known
from scanner.vision.decode import Evidence, Thresholds
from scanner.vision.interpreter import MODELS
from scanner.vision.litert import LitertReader

SEED = 0x7E57
"""Training draws from other seeds: its generators are seeded with three numbers, these with two."""
SHARD = 500
LARGE = 0.25
"""The share of frames of any size, up to 1400 px."""
MARGIN = 0.2
"""Thresholds must hold, too, when what they leave to 1 is widened by this share."""
STRICTEST = Thresholds(
    checked=0.99,
    unaided=0.99,
    unchecked=0.99,
    borne_out=0.99,
    confidence=0.99,
    misprinted=0.99,
    gap=16.0,
)
Steps = dict[str, tuple[float, ...]]


def _steps(first: float, last: float, step: float) -> tuple[float, ...]:
    return tuple(round(first + i * step, 4) for i in range(round((last - first) / step) + 1))


ALWAYS: Steps = {
    "unchecked": (0.8, 0.85, *_steps(0.9, 0.985, 0.0025)),
    "confidence": (0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85),
}
BORNE_OUT: Steps = {
    "checked": (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98),
    "borne_out": (0.5, 0.8, 0.85, *_steps(0.9, 0.99, 0.005)),
}
"""What is held against readings whose check digits hold, beside `ALWAYS`."""
MISPRINTED: Steps = {
    "unaided": (0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99),
    "misprinted": (0.9, 0.93, 0.95, 0.96, 0.97, 0.98, 0.99),
    "gap": (8.0, 8.5, 9.0, 9.5, 10.0, 12.0, 14.0, 16.0),
}
"""What is held against those of which one fails."""
COLUMNS = (
    *("found", "right", "agree", "checked", "unchecked", "misprinted", "gap"),
    *("borne_out", "confidence", "mean_log_p", "lines", "legible"),
)


class NotSafe(Exception):
    """There are no thresholds under which nothing is read wrongly; the message is one line."""


@dataclass(frozen=True)
class Choice:
    """Thresholds, and what they do to the frames they were chosen on."""

    thresholds: Thresholds
    frames: int
    with_mrz: int
    right: int
    read: int
    read_of_legible: float
    apart: int
    """Frames of which nobody can know what was meant, and that are *read* otherwise."""

    @property
    def bound(self) -> float:
        """The rule of three over every frame."""
        return 3 / self.frames


def shard(models: Path, number: int) -> np.ndarray:
    """Reads the frames of one shard: (SHARD, COLUMNS)."""
    cv2.setNumThreads(1)
    reader = LitertReader(models)
    rows = []
    for i in range(SHARD):
        scene = drawn(number * SHARD + i)
        evidence, lines = reader.evidence(scene.frame)
        right = lines in _documents(scene)
        rows.append(_row(evidence, right, len(scene.lines), float(scene.legible)))
    return np.array(rows, np.float32)


def drawn(number: int) -> Scene:
    """The frame of that number."""
    rng = np.random.default_rng([SEED, number])
    return page(rng, size=_size(rng))


def _size(rng: np.random.Generator) -> tuple[int, int] | None:
    """Height and width. Mostly small frames, which hold as many characters and cost less to draw;
    the rest as training has them."""
    if rng.random() < LARGE:
        return None
    long = int(rng.integers(360, 641))
    short = int(long * rng.uniform(0.5, 0.8))
    return (short, long) if rng.random() < 0.85 else (long, short)


def _documents(scene: Scene) -> list[tuple[str, ...]]:
    """The lines of each document in a scene: where there are two, either may be read."""
    numbers = sorted({line.document for line in scene.lines})
    return [
        tuple(line.text for line in scene.lines if line.document == number) for number in numbers
    ]


def _row(evidence: Evidence | None, right: bool, lines: int, legible: float) -> list[float]:
    if evidence is None:
        return [0.0] * (len(COLUMNS) - 2) + [lines, legible]
    return [
        1,
        right,
        evidence.agree,
        evidence.least_checked,
        evidence.least_unchecked,
        evidence.least_misprinted,
        evidence.gap,
        evidence.borne_out,
        evidence.confidence,
        evidence.mean_log_p,
        lines,
        legible,
    ]


def collected(models: Path, frames: int, folder: Path, workers: int) -> np.ndarray:
    """Every frame's row; shards that are there already are not read again."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = range((frames + SHARD - 1) // SHARD)
    missing = [n for n in numbers if not (folder / f"{n:05}.npy").exists()]
    started = time.monotonic()
    with ProcessPoolExecutor(
        workers, get_context("spawn")
    ) as pool:  # PyTorch's threads do not fork
        waiting = {pool.submit(shard, models, n): n for n in missing}
        try:
            for done, future in enumerate(as_completed(waiting), 1):
                _keep(folder / f"{waiting[future]:05}.npy", future.result())
                left = (time.monotonic() - started) / done * (len(missing) - done) / 60
                print(
                    f"{done * SHARD} of {len(missing) * SHARD} frames, {left:.0f} min left",
                    file=sys.stderr,
                    flush=True,
                )
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return np.concatenate([np.load(folder / f"{n:05}.npy") for n in numbers])


def _keep(path: Path, rows: np.ndarray) -> None:
    beside = path.with_suffix(".part.npy")
    np.save(beside, rows)
    beside.replace(path)


def unknowable(models: Path, rows: np.ndarray) -> NDArray[np.bool_]:
    """Of the rows that come near to being *read* wrongly, those whose frames nobody can read as
    they were meant. Each such frame is drawn and read again."""
    column = dict(zip(COLUMNS, rows.T, strict=True))
    every = ALWAYS | BORNE_OUT | MISPRINTED
    loosest = replace(STRICTEST, **{name: min(steps) for name, steps in every.items()})
    near = _read(column, _lowered(loosest)) & (column["right"] == 0)
    found = np.zeros(len(rows), np.bool_)
    cv2.setNumThreads(1)
    reader = LitertReader(models)
    for number in np.flatnonzero(near):
        scene = drawn(int(number))
        _, lines = reader.evidence(scene.frame)
        found[number] = cannot_be_known(scene, lines)
    return found


def choose(rows: np.ndarray, apart: NDArray[np.bool_]) -> Choice:
    """The thresholds that read most of the frames, while nothing wrong comes near them.

    In a clear picture every character is clear; where one is misread, its neighbours are dim, too.
    So the probability that *every* character is right (`confidence`) is held against a threshold
    beside the least probability of one. All that lie on the grid are tried; a wrong reading must
    miss them even after they are lowered by `MARGIN`. What is `apart` counts as neither. Of those
    that read as many, the strictest is taken.
    """
    column = dict(zip(COLUMNS, rows.T, strict=True))
    right = column["right"] > 0
    wrong = ~right & ~apart
    legible = (column["lines"] > 0) & (column["legible"] > 0)
    kinds = [
        (_only(column | {"wrong": wrong}, (column["agree"] > 0) == agree), steps)
        for agree, steps in ((True, BORNE_OUT), (False, MISPRINTED))
    ]
    best, chosen = -1, None
    for limits in _each(STRICTEST, ALWAYS):
        found = [_most(of_a_kind, limits, steps) for of_a_kind, steps in kinds]
        if None in found:
            continue
        (one, borne_out), (other, misprinted) = found
        if one + other >= best:
            best = one + other
            chosen = replace(borne_out, **{name: getattr(misprinted, name) for name in MISPRINTED})
    if chosen is None:
        raise NotSafe(f"all thresholds that are tried read something wrong of {len(rows)} frames")
    read = _read(column, chosen)
    return Choice(
        chosen,
        frames=len(rows),
        with_mrz=int((column["lines"] > 0).sum()),
        right=int(right.sum()),
        read=int((read & right).sum()),
        read_of_legible=float((read & right)[legible].mean()) if legible.any() else 0.0,
        apart=int((read & apart).sum()),
    )


def _most(
    column: dict[str, np.ndarray], limits: Thresholds, steps: Steps
) -> tuple[int, Thresholds] | None:
    """How many of one kind are *read* under the thresholds on a grid that read most of them and
    nothing wrong, and these thresholds; None where something wrong is *read* under all."""
    loosest = replace(limits, **{name: min(values) for name, values in steps.items()})
    near = _only(column, _read(column, _lowered(loosest)))
    best: tuple[int, Thresholds] | None = None
    for tried in _each(limits, steps):
        if (_read(near, _lowered(tried)) & near["wrong"]).any():
            continue
        count = int((_read(near, tried) & (near["right"] > 0)).sum())
        if best is None or count >= best[0]:
            best = count, tried
    return best


def _each(limits: Thresholds, steps: Steps) -> Iterator[Thresholds]:
    """Every point of a grid, the loosest first."""
    for values in product(*steps.values()):
        yield replace(limits, **dict(zip(steps, values, strict=True)))


def _only(column: dict[str, np.ndarray], which: NDArray[np.bool_]) -> dict[str, np.ndarray]:
    return {name: values[which] for name, values in column.items()}


def _read(column: dict[str, np.ndarray], limits: Thresholds) -> np.ndarray:
    """Which frames are *read* under thresholds: `Evidence.is_read`, of all of them at once."""
    agree = column["agree"] > 0
    borne_out = np.where(
        agree, column["borne_out"] >= limits.borne_out, column["gap"] >= limits.gap
    )
    return (
        (column["found"] > 0)
        & borne_out
        & (column["checked"] >= np.where(agree, limits.checked, limits.unaided))
        & (column["unchecked"] >= limits.unchecked)
        & (column["misprinted"] >= limits.misprinted)
        & (column["confidence"] >= limits.confidence)
    )


def _lowered(limits: Thresholds) -> Thresholds:
    lower = {
        name: 1 - (1 - getattr(limits, name)) / (1 - MARGIN)
        for name in ALWAYS | BORNE_OUT | MISPRINTED
    }
    return replace(limits, **lower | {"gap": limits.gap * (1 - MARGIN)})


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Fix the thresholds behind status read.")
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--out", type=Path, required=True, help="folder for the shards")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args(arguments)
    rows = collected(chosen.models, chosen.frames, chosen.out, chosen.workers)
    tell(choose(rows, unknowable(chosen.models, rows)))
    return 0


def tell(choice: Choice) -> None:
    """The choice, on standard output."""
    print(f"{choice.frames} frames, {choice.with_mrz} with an MRZ, {choice.right} right")
    print(
        f"read: {choice.read}, of legible ones {choice.read_of_legible:.1%}; wrongly: 0, "
        f"so at most 1 in {1 / choice.bound:.0f} of such frames (rule of three, 95 %)"
    )
    print(f"read as the picture shows, though something else was meant: {choice.apart}")
    print(as_json(choice).decode())


def as_json(choice: Choice) -> bytes:
    """The thresholds as the device reads them."""
    limits = choice.thresholds
    return (json.dumps(asdict(limits), indent=1) + "\n").encode()


def figures(choice: Choice) -> dict[str, float]:
    """What the model card says of the choice."""
    return {
        "frames": choice.frames,
        "with_mrz": choice.with_mrz,
        "right": choice.right,
        "read": choice.read,
        "read_of_legible": choice.read_of_legible,
        "bound": choice.bound,
        "apart": choice.apart,
    }


if __name__ == "__main__":
    sys.exit(main())
