"""What both machines are given: pictures good, bad and odd, documents as lines, and a list's
source.

All of it follows from seeds and from the specimens of the demo, so every run gives the same.
"""

import random
import shutil
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.listing.formats import ISSUED, SERIES
from benchmarks.listing.travellers import SIZES, clean, lines_of
from benchmarks.listing.world import World, write_source

Picture = NDArray[Any]
Block = tuple[str, ...]

OF_A_SERIES = 4
"""Documents of a series that are asked about: so many that are listed, and so many that are not."""
ADDED, REMOVED = 10_000, 2_000
"""What a day changes in a list of a million."""
_DAMAGE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789< "


def pictures(specimens: Path, folder: Path) -> int:
    """The specimens, some of them as they come when somebody is careless, and files that are no
    pictures of documents. Gives how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    for specimen in sorted(specimens.glob("*.jpg")):
        shutil.copy(specimen, folder)
    pages = sorted(folder.glob("*.jpg"))
    for page, (way, make) in zip(cycle(pages), _WAYS.items(), strict=False):
        cv2.imwrite(str(folder / f"{page.stem}-{way}.png"), make(np.asarray(cv2.imread(str(page)))))
    for name, content in _odd(pages[0]):
        (folder / name).write_bytes(content)
    return len(list(folder.iterdir()))


def blocks(world: World) -> list[Block]:
    """The MRZ of documents of every series that are listed, and of ones that are not."""
    made = []
    for number, of in enumerate(SERIES):
        listed = next(world.listed(number))[:OF_A_SERIES]
        others = [one.index for one in clean(world, number, OF_A_SERIES)]
        for document in of.numbers(np.array([*listed.tolist(), *others], np.int64)):
            made.append(lines_of(of, document, "UTO"))
    return made


def damaged(whole: list[Block]) -> list[Block]:
    """The same blocks with a few characters that are others, or lost."""
    chance = random.Random(8)  # noqa: S311  damage that can be made again
    return [tuple(_damaged(line, chance) for line in block) for block in whole]


def as_text(several: list[Block]) -> str:
    return "\n\n".join("\n".join(block) for block in several) + "\n"


def world_of(records: int) -> World:
    return World(records, ISSUED * records // SIZES[0])


def sources(first: Path, second: Path, records: int) -> None:
    """A list's source, and that of a day later, when some rows are gone and others are new."""
    part = first.with_name("part.csv")
    write_source(part, World(ADDED, ISSUED * ADDED // SIZES[0], seed=2))
    new = part.read_text().splitlines(keepends=True)[1:]
    write_source(part, world_of(records))
    head, *rows = part.read_text().splitlines(keepends=True)
    second.write_text("".join([head, *rows[REMOVED:], *new]))
    part.rename(first)


def _damaged(line: str, chance: random.Random) -> str:
    characters = list(line)
    for _ in range(chance.choice((0, 1, 1, 2, 5))):
        characters[chance.randrange(len(characters))] = chance.choice(_DAMAGE)
    if chance.random() < 0.1:
        del characters[chance.randrange(len(characters))]
    return "".join(characters)


def _turned(whole: Picture, degrees: float) -> Picture:
    height, width = whole.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 0.8)
    return cv2.warpAffine(whole, turn, (width, height), borderValue=(90, 80, 70))


def _aslant(whole: Picture) -> Picture:
    height, width = whole.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners * 0.8 + np.array([[140, 60], [20, 90], [60, 40], [50, 20]], np.float32)
    return cv2.warpPerspective(
        whole,
        cv2.getPerspectiveTransform(corners, moved),
        (width, height),
        borderValue=(60, 60, 60),
    )


def _smaller(whole: Picture, by: int) -> Picture:
    size = (whole.shape[1] // by, whole.shape[0] // by)
    return cv2.resize(whole, size, interpolation=cv2.INTER_AREA)


def _with_glare(whole: Picture) -> Picture:
    height, width = whole.shape[:2]
    at = (width * 2 // 3, height * 6 // 7)
    return cv2.circle(whole.copy(), at, height // 6, (255, 255, 255), -1)


def _noisy(whole: Picture, by: float) -> Picture:
    noise = np.random.default_rng(3)
    return np.clip(whole + noise.normal(0, by, whole.shape), 0, 255).astype(np.uint8)


def _odd(specimen: Path) -> Iterator[tuple[str, bytes]]:
    """Files that are no pictures of documents, or hardly pictures at all."""
    jpeg = specimen.read_bytes()
    pixels = np.random.default_rng(4)
    small = {
        "one-pixel": np.full((1, 1, 3), 200, np.uint8),
        "tiny": pixels.integers(0, 256, (5, 7, 3), np.uint8),
        "a-row": pixels.integers(0, 256, (1, 3000, 3), np.uint8),
        "a-column": pixels.integers(0, 256, (3000, 1), np.uint8),
        "white": np.full((700, 1000, 3), 255, np.uint8),
        "black": np.zeros((700, 1000), np.uint8),
        "stripes": (np.indices((400, 900)).sum(axis=0) // 9 % 2 * 255).astype(np.uint8),
        "with-alpha": pixels.integers(0, 256, (90, 300, 4), np.uint8),
    }
    for name, picture in small.items():
        yield f"odd-{name}.png", cv2.imencode(".png", picture)[1].tobytes()
    yield "odd-cut-short.jpg", jpeg[: len(jpeg) // 2]
    yield "odd-empty.jpg", b""
    yield "odd-text.jpg", b"this is no picture\n"


_WAYS: dict[str, Callable[[Picture], Picture]] = {
    "turned-6": lambda page: _turned(page, 6),
    "turned-minus-17": lambda page: _turned(page, -17),
    "upside-down": lambda page: np.rot90(page, 2).copy(),
    "on-its-side": lambda page: np.rot90(page).copy(),
    "half": lambda page: _smaller(page, 2),
    "a-third": lambda page: _smaller(page, 3),
    "blurred": lambda page: cv2.GaussianBlur(page, (0, 0), 2.0),
    "more-blurred": lambda page: cv2.GaussianBlur(page, (0, 0), 2.8),
    "very-blurred": lambda page: cv2.GaussianBlur(page, (0, 0), 3.5),
    "noisy": lambda page: _noisy(page, 30),
    "noisier": lambda page: _noisy(page, 50),
    "very-noisy": lambda page: _noisy(page, 70),
    "dark": lambda page: (page * 0.18).astype(np.uint8),
    "aslant": _aslant,
    "glare": _with_glare,
    "grey": lambda page: cv2.cvtColor(page, cv2.COLOR_BGR2GRAY),
    "16-bit": lambda page: page.astype(np.uint16) * 257,
    "cut-off": lambda page: page[: len(page) * 5 // 6].copy(),
}
"""A page as it comes when somebody is careless, a page a way."""
