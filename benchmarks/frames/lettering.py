"""Text for papers that are no travel documents: words without meaning in the fonts at hand.

The fonts are Debian's common ones where they are installed, else the one that Pillow carries; so
frames are the same on machines with the same fonts.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]
Random = np.random.Generator
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_FOLDER = Path("/usr/share/fonts")
_PROPORTIONAL = (
    "truetype/dejavu/DejaVuSans.ttf",
    "truetype/dejavu/DejaVuSans-Bold.ttf",
    "truetype/dejavu/DejaVuSerif.ttf",
    "truetype/liberation/LiberationSans-Regular.ttf",
    "truetype/liberation/LiberationSerif-Regular.ttf",
    "truetype/freefont/FreeSerif.ttf",
)
_MONOSPACED = (
    "truetype/dejavu/DejaVuSansMono.ttf",
    "truetype/dejavu/DejaVuSansMono-Bold.ttf",
    "truetype/liberation/LiberationMono-Regular.ttf",
    "truetype/freefont/FreeMono.ttf",
)
_MACHINE = ("opentype/ocr-b/OCRB.otf", "truetype/freefont/FreeMono.ttf")

_HEADS = ("b", "br", "c", "ch", "d", "f", "g", "gr", "h", "k", "l", "m", "n", "p", "pl", "r", "s",
          "st", "t", "tr", "v", "w", "z")  # fmt: skip
_HEARTS = ("a", "e", "i", "o", "u", "ai", "ea", "ou", "ie")
_TAILS = ("l", "n", "r", "s", "t", "nd", "st", "rk", "m")


@lru_cache(maxsize=256)
def _font(names: tuple[str, ...], which: int, size: int) -> Font:
    there = [_FOLDER / name for name in names if (_FOLDER / name).is_file()]
    if not there:
        return ImageFont.load_default(size)
    return ImageFont.truetype(there[which % len(there)], size)


def proportional(size: float, random: Random) -> Font:
    return _font(_PROPORTIONAL, int(random.integers(0, 60)), max(6, round(size)))


def monospaced(size: float, random: Random) -> Font:
    return _font(_MONOSPACED, int(random.integers(0, 60)), max(6, round(size)))


def machine(size: float) -> Font:
    """OCR-B where it is installed: the type of cheques, slips and book numbers too."""
    return _font(_MACHINE, 0, max(6, round(size)))


def word(random: Random) -> str:
    parts = [
        str(random.choice(_HEADS)) + str(random.choice(_HEARTS))
        for _ in range(int(random.integers(1, 4)))
    ]
    tail = str(random.choice(_TAILS)) if random.random() < 0.6 else ""
    return "".join(parts) + tail


def words(random: Random, length: int) -> str:
    """So many characters of words, or a little more."""
    text = word(random).capitalize()
    while len(text) < length:
        text += (", " if random.random() < 0.08 else " ") + word(random)
    return text


def digits(random: Random, length: int) -> str:
    return "".join(str(d) for d in random.integers(0, 10, length))


def letters(random: Random, length: int) -> str:
    return "".join(chr(65 + int(d)) for d in random.integers(0, 26, length))


class Sheet:
    """A paper to write and draw on, in pixels."""

    def __init__(self, width: int, height: int, paper: tuple[int, int, int]) -> None:
        self.width, self.height = width, height
        self.image = Image.new("RGB", (width, height), paper)
        self.draw = ImageDraw.Draw(self.image)

    def write(
        self, x: float, y: float, text: str, font: Font, ink: tuple[int, int, int] = (30, 30, 34)
    ) -> None:
        self.draw.text((x, y), text, font=font, fill=ink)

    def picture(self) -> Picture:
        """In OpenCV's order of colours."""
        return np.ascontiguousarray(np.asarray(self.image)[:, :, ::-1])


def paper(random: Random, low: int = 205) -> tuple[int, int, int]:
    """A light colour."""
    red, green, blue = (int(c) for c in random.integers(low, 256, 3))
    return red, green, blue


def colour(random: Random, high: int = 160) -> tuple[int, int, int]:
    """A darker one."""
    red, green, blue = (int(c) for c in random.integers(0, high, 3))
    return red, green, blue
