"""Ordinary print: headings, labels, names and numbers in common faces; lists, forms, barcodes.

All of it is what an MRZ is not, and much of it looks like one: monospaced listings, account
numbers, rows of digits in OCR-B on a payment slip. The pieces are set once for each process and
then reduced to size and laid in ink on whatever page needs them.
"""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Grey = NDArray[np.uint8]
Rng = np.random.Generator

FONTS = Path("/usr/share/fonts")
_PLAIN = (
    "dejavu/DejaVuSans.ttf",
    "dejavu/DejaVuSans-Bold.ttf",
    "dejavu/DejaVuSerif.ttf",
    "dejavu/DejaVuSansCondensed.ttf",
    "dejavu/DejaVuSerif-Bold.ttf",
    "freefont/FreeSans.ttf",
    "liberation/LiberationSans-Regular.ttf",
    "liberation/LiberationSans-Bold.ttf",
    "liberation/LiberationSerif-Regular.ttf",
    "liberation/LiberationSansNarrow-Regular.ttf",
    "freefont/FreeSansBold.ttf",
)
_MONO = (
    "truetype/dejavu/DejaVuSansMono.ttf",
    "truetype/freefont/FreeMono.ttf",
    "truetype/liberation/LiberationMono-Regular.ttf",
    "truetype/freefont/FreeMonoBold.ttf",
    "opentype/ocr-b/OCRB.otf",
    "truetype/ocr-a/OCRA.ttf",
)
_LABELS = (
    "Surname / Nom",
    "Given names / Prénoms",
    "Nationality",
    "Date of birth",
    "Sex / Sexe",
    "Place of birth / Lieu",
    "Date of issue",
    "Date of expiry",
    "Authority",
    "Passport No.",
    "Type",
    "Code",
    "Holder's signature",
    "Personal No.",
    "Remarks",
    "Valid until",
    "Height",
)
_HEADINGS = (
    "PASSPORT",
    "REPUBLIC OF UTOPIA",
    "PASSEPORT",
    "IDENTITY CARD",
    "VISA",
    "UTOPIA",
    "RESIDENCE PERMIT",
    "KINGDOM OF NOWHERE",
    "REISEPASS",
    "CARTE D'IDENTITÉ",
    "SPECIMEN",
)
_SYLLABLES = ("KA", "RO", "MI", "LEN", "TOR", "ANA", "VE", "SIL", "DUN", "OBE", "HAR", "IZ", "NU")
BODY = 24
"""Height of a capital in px as the pieces are set, roughly."""
_SIZE = 33


@lru_cache(maxsize=80)
def _face(path: str, size: int = _SIZE) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / path), size)


def _set(text: str, path: str, size: int = _SIZE) -> Grey:
    """Text as ink, 255 where there is any, cut to its box."""
    face = _face(path, size)
    left, top, right, bottom = face.getbbox(text)
    picture = Image.new("L", (max(2, int(right - left) + 2), max(2, int(bottom - top) + 2)), 0)
    ImageDraw.Draw(picture).text((1 - left, 1 - top), text, fill=255, font=face)
    return np.asarray(picture, np.uint8)


def _name(rng: Rng) -> str:
    return "".join(rng.choice(_SYLLABLES, int(rng.integers(1, 5))))


def _digits(rng: Rng, count: int) -> str:
    return "".join(map(str, rng.integers(0, 10, count)))


def _plain(rng: Rng) -> str:
    return f"truetype/{_PLAIN[rng.integers(len(_PLAIN))]}"


@lru_cache(maxsize=1)
def labels() -> tuple[Grey, ...]:
    rng = np.random.default_rng(21)
    return tuple(_set(text, _plain(rng)) for text in _LABELS for _ in range(3))


@lru_cache(maxsize=1)
def headings() -> tuple[Grey, ...]:
    rng = np.random.default_rng(22)
    return tuple(_set(text, _plain(rng)) for text in _HEADINGS for _ in range(3))


@lru_cache(maxsize=1)
def values() -> tuple[Grey, ...]:
    """What stands in the fields of a page; one in four in OCR-B or another monospaced face."""
    rng = np.random.default_rng(23)
    made = []
    for i in range(160):
        text = (
            _name(rng),
            f"{_name(rng)} {_name(rng)}",
            _name(rng).capitalize(),
            f"{_digits(rng, 2)} JAN/JAN {_digits(rng, 4)}",
            f"{_digits(rng, 2)}.{_digits(rng, 2)}.{_digits(rng, 4)}",
            f"{_name(rng)[:2]}{_digits(rng, 7)}",
            "F",
            "UTO",
            f"{_name(rng)}-{_name(rng)}",
        )[i % 9]
        face = _MONO[rng.integers(len(_MONO))] if rng.random() < 0.25 else _plain(rng)
        made.append(_set(text, face))
    return tuple(made)


@lru_cache(maxsize=1)
def numbers() -> tuple[Grey, ...]:
    """Long rows that resemble an MRZ: card and account numbers, codes, prices, dot leaders."""
    rng = np.random.default_rng(24)
    made = []
    for i in range(48):
        text = (
            " ".join(_digits(rng, 4) for _ in range(4)),
            f"UT{_digits(rng, 20)}",
            f"{_digits(rng, 9)}>{_digits(rng, 12)}+ {_digits(rng, 9)}>",
            _digits(rng, 13),
            f"{_name(rng)}..........{_digits(rng, 2)},{_digits(rng, 2)}",
            "* " * 16,
            f"{_name(rng)} {_name(rng)} {_digits(rng, 8)}",
            "_" * 24,
        )[i % 8]
        made.append(_set(text, _MONO[rng.integers(len(_MONO))]))
    return tuple(made)


@lru_cache(maxsize=1)
def sheets() -> tuple[Grey, ...]:
    """Whole papers, 255 where there is ink: prose, listings, tables, slips, barcodes, keys."""
    rng = np.random.default_rng(25)
    makers = (_prose, _listing, _table, _slip, _barcode, _keys, _matrix)
    return tuple(makers[i % len(makers)](rng) for i in range(42))


def _prose(rng: Rng) -> Grey:
    path, size = _plain(rng), int(rng.integers(11, 26))
    picture = Image.new("L", (480, 620), 0)
    draw, face = ImageDraw.Draw(picture), _face(path, size)
    y = 20.0
    while y < 590:
        text = " ".join(_name(rng).lower() for _ in range(14))
        draw.text((24, y), text[: int(rng.integers(70, 90) * 12 / size * 0.8)], fill=255, font=face)
        y += size * (1.3 if rng.random() < 0.9 else 2.6)
    picture.paste(0, (460, 0, 480, 620))
    return np.asarray(picture, np.uint8)


def _listing(rng: Rng) -> Grey:
    """Monospaced lines of about equal length, in capitals and digits: the hardest of negatives."""
    size = int(rng.integers(12, 24))
    face = _face(_MONO[rng.integers(len(_MONO))], size)
    picture = Image.new("L", (560, 400), 0)
    draw = ImageDraw.Draw(picture)
    alphabet = list("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789      .,:;-=/()")
    gap, y = rng.uniform(1.1, 2.4), 16.0
    while y < 380:
        count = int(rng.integers(8, 46))
        draw.text((16, y), "".join(rng.choice(alphabet, count)), fill=255, font=face)
        y += size * gap * (1 if rng.random() < 0.85 else 2)
    return np.asarray(picture, np.uint8)


def _table(rng: Rng) -> Grey:
    picture = np.zeros((440, 560), np.uint8)
    step, wide = int(rng.integers(22, 48)), int(rng.integers(60, 160))
    shade = int(rng.uniform(60, 255))
    for y in range(12, 440, step):
        cv2.line(picture, (8, y), (552, y), shade, 1)
        for x in range(8, 552, wide):
            cv2.line(picture, (x, 12), (x, 430), shade, 1)
            if rng.random() < 0.5 and y + step < 430:
                _stamp(picture, values()[rng.integers(160)], x + 6, y + 6, step * 0.4, wide - 10)
    return picture


def _slip(rng: Rng) -> Grey:
    """A till's receipt, or a payment slip with its coding line."""
    picture = np.zeros((560, 300), np.uint8)
    y = 16
    while y < 530:
        bank = numbers() if rng.random() < 0.5 else values()
        _stamp(picture, bank[rng.integers(len(bank))], 14, y, rng.uniform(9, 15), 270)
        y += int(rng.uniform(18, 34))
    return picture


def _barcode(rng: Rng) -> Grey:
    picture = np.zeros((160, 420), np.uint8)
    x = 20
    while x < 400:
        wide = int(rng.integers(1, 6))
        picture[15:125, x : x + wide] = 255
        x += wide + int(rng.integers(1, 6))
    _stamp(picture, _set(_digits(rng, 13), _MONO[0]), 60, 132, 16, 320)
    return picture


def _keys(rng: Rng) -> Grey:
    """A keyboard, a calculator: rows of boxes with a sign in each."""
    picture = np.zeros((300, 620), np.uint8)
    step = int(rng.integers(34, 58))
    for row, y in enumerate(range(8, 300 - step, step)):
        for x in range(8 + row * 9, 620 - step, step):
            cv2.rectangle(picture, (x, y), (x + step - 5, y + step - 5), 150, 2)
            sign = chr(65 + int(rng.integers(26)))
            cv2.putText(picture, sign, (x + 8, y + step // 2), 0, step / 80, 255, 1, cv2.LINE_AA)
    return picture


def _matrix(rng: Rng) -> Grey:
    """A two-dimensional code, square or long."""
    rows, columns = int(rng.integers(14, 40)), int(rng.integers(14, 90))
    cells = (rng.random((rows, columns)) < 0.5).astype(np.uint8) * 255
    tall = int(rng.choice([4, 6, 10]))
    return np.asarray(np.kron(cells, np.ones((tall, 4), np.uint8)), np.uint8)


def _stamp(picture: Grey, ink: Grey, x: int, y: int, tall: float, wide: int) -> None:
    scale = min(tall / ink.shape[0], wide / ink.shape[1])
    size = (max(1, int(ink.shape[1] * scale)), max(1, int(ink.shape[0] * scale)))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    part = picture[y : y + size[1], x : x + size[0]]
    np.maximum(part, small[: part.shape[0], : part.shape[1]], out=part)


def write(
    rng: Rng,
    picture: Grey,
    bank: tuple[Grey, ...],
    at: tuple[float, float],
    cap: float,
    depth: float,
) -> tuple[float, float]:
    """Lays a random piece of a bank on a page, top left at `at`, capitals about `cap` px tall,
    darker by `depth` (or lighter, where it is negative). Returns its width and height in px."""
    ink = bank[rng.integers(len(bank))]
    scale = cap / BODY
    wide, tall = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    small = cv2.resize(ink, (wide, tall), interpolation=cv2.INTER_AREA if scale < 1 else 1)
    lay_ink(picture, small, round(at[0]), round(at[1]), depth)
    return float(wide), float(tall)


def lay_ink(picture: Grey, ink: Grey, x: int, y: int, depth: float) -> None:
    """Darkens a page where ink is, by up to `depth`; what lies outside is cut off."""
    left, top = max(0, -x), max(0, -y)
    right = min(ink.shape[1], picture.shape[1] - x)
    bottom = min(ink.shape[0], picture.shape[0] - y)
    if right <= left or bottom <= top:
        return
    part = picture[y + top : y + bottom, x + left : x + right]
    part[:] = cv2.addWeighted(part, 1.0, ink[top:bottom, left:right], -depth / 255, 0)
