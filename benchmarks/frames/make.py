"""Makes a folder of frames from a folder of pages: pictures, and `manifest.csv` with their lines.

Every picture is drawn from the seed, the kind and its own number alone, so a folder is the same
whenever it is made, and one picture can be looked into by itself. A folder that was made whole of
the same pages is used again. Frames show the pages of the corpus: they go into no repository.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np

from benchmarks.frames import without_mrz
from benchmarks.frames.desk_top import desk_top
from benchmarks.frames.documents import without_its_mrz
from benchmarks.frames.lettering import Picture, Random
from benchmarks.frames.mrz_place import find_mrz
from benchmarks.frames.scene import DESK, HARD, Document, Recipe, document, frame
from benchmarks.reading.pages import Page, pages_in
from scanner.sources.replay import Replay

KINDS = ("desk", "hard", "burst", "none")
RECIPES = {"desk": DESK, "hard": HARD, "burst": HARD}

FRAMES_A_BURST = 10
PICTURES_WITHOUT = 1000
EDITIONS = {"desk": 1, "hard": 1, "burst": 1, "none": 2}
"""Each changes with every change of what is drawn."""

COLUMNS = ("file", "format", "conditions", "line1", "line2", "line3", "burst", "least_pitch")

REPOSITORY = Path(__file__).parents[2]

Say = Callable[[str], None]


@dataclass(frozen=True)
class Drawn:
    """One picture of the folder, and its row in the manifest."""

    name: str
    jpeg: bytes
    row: dict[str, str]


def make(corpus: Path, out: Path, kind: str, seed: int, say: Say, count: int | None = None) -> Path:
    """The folder, made or as it is there. `count` is the number of pages (`none`: of pictures);
    all of them (1,000) unless it is given. Raises ValueError with one line."""
    if kind not in KINDS:
        raise ValueError(f"no kind {kind!r}; there is {', '.join(KINDS)}")
    if out.resolve().is_relative_to(REPOSITORY):
        raise ValueError(f"{out}: this is in the repository; frames of a corpus stay outside it")
    pages = [page for page in pages_in(corpus) if page.lines]
    stamp = _stamp(pages, kind, seed, count)
    if (out / "made.json").is_file() and stamp == json.loads((out / "made.json").read_text()):
        return out
    out.mkdir(parents=True, exist_ok=True)
    (out / "made.json").unlink(missing_ok=True)
    rows = []
    drawing = _without(pages, seed, count) if kind == "none" else _with(pages, kind, seed, count)
    for number, drawn in enumerate(drawing, 1):
        path = out / drawn.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(drawn.jpeg)
        rows.append({"file": drawn.name, **drawn.row})
        say(f"{kind} {number}: {path}")
    with (out / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, restval="")
        table.writeheader()
        table.writerows(rows)
    (out / "made.json").write_text(json.dumps(stamp) + "\n")
    return out


def _stamp(pages: Sequence[Page], kind: str, seed: int, count: int | None) -> dict[str, object]:
    whole = hashlib.sha256("".join(page.key for page in pages).encode()).hexdigest()
    return {"edition": EDITIONS[kind], "kind": kind, "seed": seed, "count": count, "pages": whole}


def _random(seed: int, kind: str, *numbers: int) -> Random:
    return np.random.default_rng([seed, KINDS.index(kind), *numbers])


def _with(pages: Sequence[Page], kind: str, seed: int, count: int | None) -> Iterator[Drawn]:
    """Frames of every page."""
    recipe = RECIPES[kind]
    for number, page in enumerate(pages[:count]):
        shown = _document(page)
        if shown is None:
            continue
        random = _random(seed, kind, number)
        desk = desk_top(random, recipe.items)
        row = {"format": page.layout, "conditions": f"{kind};{page.conditions}"}
        row |= {f"line{place}": line for place, line in enumerate(page.lines, 1)}
        stem = page.paths[0].stem
        if kind == "burst":
            yield from _burst(shown, desk, recipe, (seed, number), stem, row)
        else:
            made = frame(shown, desk, recipe, random)
            told = {**row, "least_pitch": f"{made.least_pitch:.1f}"}
            yield Drawn(f"{stem}.jpg", made.jpeg, told)


def _burst(
    shown: Document,
    desk: Picture,
    recipe: Recipe,
    seeds: tuple[int, int],
    stem: str,
    row: dict[str, str],
) -> Iterator[Drawn]:
    """Frames of one document in a folder of their own, each from another place and in another
    light."""
    for place in range(FRAMES_A_BURST):
        made = frame(shown, desk, recipe, _random(seeds[0], "burst", seeds[1], place + 1))
        told = {**row, "burst": stem, "least_pitch": f"{made.least_pitch:.1f}"}
        yield Drawn(f"{stem}/{place:02}.jpg", made.jpeg, told)


def _without(pages: Sequence[Page], seed: int, count: int | None) -> Iterator[Drawn]:
    """Pictures without an MRZ: the corpus's pages with theirs cut away, then what is drawn."""
    whole = PICTURES_WITHOUT if count is None else count
    number = 0
    for page in pages[: whole // 5]:
        picture = _picture(page)
        place = find_mrz(picture, page.lines) if picture is not None else None
        if picture is None or place is None or not place.seen or _is_strip(picture):
            continue
        random = _random(seed, "none", number)
        cut = without_its_mrz(picture, place, random)
        yield _nameless(number, *without_mrz.finished("page without its MRZ", cut, random))
        number += 1
    while number < whole:
        random = _random(seed, "none", number)
        alone = number % 12 == 0
        drawn = without_mrz.desk_alone(random) if alone else without_mrz.drawn(number, random)
        yield _nameless(number, *drawn)
        number += 1


def _nameless(number: int, told: str, jpeg: bytes) -> Drawn:
    return Drawn(f"{number:04}.jpg", jpeg, {"conditions": told})


def _is_strip(picture: Picture) -> bool:
    return bool(picture.shape[1] > 4 * picture.shape[0])


def _document(page: Page) -> Document | None:
    picture = _picture(page)
    return document(picture, find_mrz(picture, page.lines)) if picture is not None else None


def _picture(page: Page) -> Picture | None:
    for capture in Replay([page.paths[0]]).captures(Event()):
        if capture.frames:
            frame_ = capture.frames[0]
            return frame_ if frame_.ndim == 3 else np.repeat(frame_[..., None], 3, axis=2)
    return None
