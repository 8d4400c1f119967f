"""Fixes the thresholds behind *read* on rendered frames that training never saw.

    python -m models.training.thresholds --frames 100000 --out build/thresholds

Each frame is drawn from a seed of its own, read by the very reader of the device, and what its
decision would rest on (`decode.Evidence`) is written down with whether the lines are right. Shards
of `SHARD` frames are kept, so a run that stops goes on where it was. From all of them the lowest
thresholds are chosen under which no frame is *read* wrongly, and raised by a margin; the bound on
what was not seen is the rule of three: with 95 % confidence at most 3 / n of frames like these.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.training.pages import page
from scanner.vision.decode import Evidence, Thresholds
from scanner.vision.interpreter import MODELS
from scanner.vision.litert import LitertReader

SEED = 0x7E57
"""Training draws from other seeds: its generators are seeded with three numbers, these with two."""
SHARD = 500
LARGE = 0.25
"""The share of frames of any size, up to 1400 px."""
MARGIN = 0.3
"""Thresholds are raised by this share of what is left to 1."""
COLUMNS = (
    "found",
    "right",
    "agree",
    "checked",
    "unchecked",
    "misprinted",
    "gap",
    "lines",
    "legible",
)


@dataclass(frozen=True)
class Choice:
    """Thresholds, and what they do to the frames they were chosen on."""

    thresholds: Thresholds
    frames: int
    with_mrz: int
    right: int
    read: int
    read_of_legible: float
    wrong_before_margin: int

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
        rng = np.random.default_rng([SEED, number * SHARD + i])
        scene = page(rng, size=_size(rng))
        truth = tuple(line.text for line in scene.lines)
        evidence, lines = reader.evidence(scene.frame)
        rows.append(_row(evidence, lines == truth, len(truth), float(scene.legible)))
    return np.array(rows, np.float32)


def _size(rng: np.random.Generator) -> tuple[int, int] | None:
    """Height and width. Mostly small frames, which hold as many characters and cost less to draw;
    the rest as training has them."""
    if rng.random() < LARGE:
        return None
    long = int(rng.integers(360, 641))
    short = int(long * rng.uniform(0.5, 0.8))
    return (short, long) if rng.random() < 0.85 else (long, short)


def _row(evidence: Evidence | None, right: bool, lines: int, legible: float) -> list[float]:
    if evidence is None:
        return [0, 0, 0, 0, 0, 0, 0, lines, legible]
    return [
        1,
        right,
        evidence.agree,
        evidence.least_checked,
        evidence.least_unchecked,
        evidence.least_misprinted,
        evidence.gap,
        lines,
        legible,
    ]


def collected(models: Path, frames: int, folder: Path, workers: int) -> np.ndarray:
    """Every frame's row; shards that are there already are not read again."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = range((frames + SHARD - 1) // SHARD)
    missing = [n for n in numbers if not (folder / f"{n:05}.npy").exists()]
    started = time.monotonic()
    with ProcessPoolExecutor(workers) as pool:
        waiting = {pool.submit(shard, models, n): n for n in missing}
        for done, future in enumerate(as_completed(waiting), 1):
            beside = folder / f"{waiting[future]:05}.part.npy"
            np.save(beside, future.result())
            beside.replace(folder / f"{waiting[future]:05}.npy")
            left = (time.monotonic() - started) / done * (len(missing) - done) / 60
            print(
                f"{done * SHARD} of {len(missing) * SHARD} frames, {left:.0f} min left",
                file=sys.stderr,
                flush=True,
            )
    return np.concatenate([np.load(folder / f"{n:05}.npy") for n in numbers])


def choose(rows: np.ndarray) -> Choice:
    """The thresholds that read most of the frames without reading one wrongly."""
    column = dict(zip(COLUMNS, rows.T, strict=True))
    right, agree = column["right"] > 0, column["agree"] > 0
    legible = (column["lines"] > 0) & (column["legible"] > 0)
    checked, unchecked = _pair(column["checked"][agree], column["unchecked"][agree], right[agree])
    raised = [1 - (1 - value) * (1 - MARGIN) for value in (checked, unchecked)]
    clear = (column["checked"] >= raised[0]) & (column["unchecked"] >= raised[1])
    odd = ~agree & (column["found"] > 0) & clear
    misprinted, gap = _pair(
        column["misprinted"][odd], 1 - np.exp(-column["gap"][odd] / 4), right[odd]
    )
    misprinted = 1 - (1 - misprinted) * (1 - MARGIN)
    gap = float(-4 * np.log(max(1 - gap, 1e-9))) * (1 + MARGIN)
    read = (agree & clear) | (odd & (column["misprinted"] >= misprinted) & (column["gap"] >= gap))
    wrong = agree & ~right & (column["checked"] >= checked) & (column["unchecked"] >= unchecked)
    return Choice(
        Thresholds(
            checked=round(raised[0], 4),
            unchecked=round(raised[1], 4),
            misprinted=round(misprinted, 4),
            gap=round(gap, 3),
        ),
        frames=len(rows),
        with_mrz=int((column["lines"] > 0).sum()),
        right=int(right.sum()),
        read=int(read.sum()),
        read_of_legible=float(read[legible].mean()) if legible.any() else 0.0,
        wrong_before_margin=int(wrong.sum()),
    )


def _pair(one: np.ndarray, other: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """The two least values under which nothing wrong reaches both and most that is right does."""
    best, chosen = -1, (1.0, 1.0)
    for first in _steps(one, right):
        wrong = ~right & (one >= first)
        second = float(other[wrong].max()) + 1e-4 if wrong.any() else 0.5
        kept = int((right & (one >= first) & (other >= second)).sum())
        if kept > best:
            best, chosen = kept, (float(first), max(second, 0.5))
    return chosen


def _steps(values: np.ndarray, right: np.ndarray) -> Iterator[float]:
    yield 0.5
    yield from np.unique(np.round(values[~right & (values > 0.5)], 4) + 1e-4)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Fix the thresholds behind status read.")
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--out", type=Path, required=True, help="folder for the shards")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args(arguments)
    choice = choose(collected(chosen.models, chosen.frames, chosen.out, chosen.workers))
    tell(choice)
    return 0


def tell(choice: Choice) -> None:
    """The choice, on standard output."""
    print(f"{choice.frames} frames, {choice.with_mrz} with an MRZ, {choice.right} right")
    print(
        f"read: {choice.read}, of legible ones {choice.read_of_legible:.1%}; wrongly: 0, "
        f"so at most 1 in {1 / choice.bound:.0f} of such frames (rule of three, 95 %)"
    )
    print(as_json(choice).decode())


def as_json(choice: Choice) -> bytes:
    """The thresholds as the device reads them."""
    limits = choice.thresholds
    told = {name: getattr(limits, name) for name in ("checked", "unchecked", "misprinted", "gap")}
    return (json.dumps(told, indent=1) + "\n").encode()


def figures(choice: Choice) -> dict[str, float]:
    """What the model card says of the choice."""
    return {
        "frames": choice.frames,
        "with_mrz": choice.with_mrz,
        "right": choice.right,
        "read": choice.read,
        "read_of_legible": choice.read_of_legible,
        "bound": choice.bound,
    }


if __name__ == "__main__":
    sys.exit(main())
