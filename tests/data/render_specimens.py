"""Draws the specimen pages of the demo and the tests, and writes the two files that describe them.

    python tests/data/render_specimens.py [--check] [FOLDER]

What the pages say is declared in `firmware.demo.catalogue`; here is only how they look: a page in
the size of Doc 9303 parts 4 to 7 lying on a desk, a guilloche, a neutral silhouette for the
portrait, the printed fields, SPECIMEN across them, and the MRZ in OCR-B at ten characters an inch,
lines a quarter of an inch apart. The results are committed, so that neither the demo nor the tests
need the font; `--check` only says whether the two CSV files are up to date.

Needs Pillow, and the fonts of Debian's packages fonts-ocr-b and fonts-dejavu-core.
"""

import argparse
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from firmware.demo.catalogue import (
    SPECIMENS,
    SPECIMENS_FOLDER,
    Specimen,
    demo_list_csv,
    specimens_csv,
)
from scanner.mrz.document import Document, Format
from scanner.mrz.states import name_of

OCR_B = Path("/usr/share/fonts/opentype/ocr-b/OCRB.otf")
DEJAVU = Path("/usr/share/fonts/truetype/dejavu")

PX_PER_MM = 10.0
DESK_MARGIN_MM = 7.0
MRZ_PITCH_MM = 25.4 / 10
MRZ_LINE_MM = 25.4 / 4
JPEG_QUALITY = 80

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Style:
    """The size of a page in mm, and its colours."""

    size: tuple[float, float]
    title: str
    paper: Colour
    ink: Colour


STYLES = {
    Format.TD1: Style((85.6, 54.0), "IDENTITY CARD", (226, 236, 228), (52, 104, 78)),
    Format.TD2: Style((105.0, 74.0), "IDENTITY CARD", (236, 230, 220), (128, 86, 44)),
    Format.TD3: Style((125.0, 88.0), "PASSPORT", (229, 231, 242), (62, 74, 134)),
    Format.MRV_A: Style((120.0, 80.0), "VISA", (226, 238, 240), (30, 104, 116)),
    Format.MRV_B: Style((105.0, 74.0), "VISA", (240, 228, 236), (124, 52, 98)),
}


class Page:
    """A sheet of paper measured in millimetres from its upper left corner."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self.image = Image.new("RGB", (px(style.size[0]), px(style.size[1])), style.paper)
        self.draw = ImageDraw.Draw(self.image)

    def text(self, at: tuple[float, float], text: str, font: str, mm: float, ink: Colour) -> None:
        face = ImageFont.truetype(DEJAVU / font, px(mm))
        self.draw.text((px(at[0]), px(at[1])), text, font=face, fill=ink)

    def guilloche(self) -> None:
        """Fine sine lines in two families, a little darker than the paper."""
        width, height = self.image.size
        x = np.arange(0, width, 3)
        tint = mix(self.style.paper, self.style.ink, 0.22)
        for family in (1, -1):
            for base in range(-height // 3, height + height // 3, px(1.7)):
                swell = 1 + 0.5 * np.sin(x / px(43) + base / px(19))
                y = base + family * swell * px(4) * np.sin(x / px(9) + base / px(11))
                self.draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=tint)

    def silhouette(self, box: tuple[float, float, float, float]) -> None:
        """A head and shoulders without features where a portrait would be."""
        left, top, width, height = box
        frame = (px(width), px(height))
        portrait = Image.new("RGB", frame, mix(self.style.paper, (255, 255, 255), 0.5))
        draw = ImageDraw.Draw(portrait)
        tone = mix(self.style.paper, self.style.ink, 0.55)
        w, h = frame
        draw.ellipse((0.29 * w, 0.14 * h, 0.71 * w, 0.6 * h), fill=tone)
        draw.rectangle((0.41 * w, 0.5 * h, 0.59 * w, 0.8 * h), fill=tone)
        draw.ellipse((0.08 * w, 0.68 * h, 0.92 * w, 1.5 * h), fill=tone)
        self.image.paste(portrait.filter(ImageFilter.GaussianBlur(1.5)), (px(left), px(top)))
        corners = (px(left), px(top), px(left + width), px(top + height))
        self.draw.rectangle(corners, outline=self.style.ink, width=2)

    def stamp(self, centre: tuple[float, float], mm: float) -> None:
        """SPECIMEN, slanting, half transparent."""
        face = ImageFont.truetype(DEJAVU / "DejaVuSans-Bold.ttf", px(mm))
        _, _, right, bottom = face.getbbox("SPECIMEN")
        word = Image.new("L", (int(right) + 20, int(bottom) + 20), 0)
        ImageDraw.Draw(word).text((10, 6), "SPECIMEN", font=face, fill=96)
        word = word.rotate(14, expand=True, resample=Image.Resampling.BICUBIC)
        at = (px(centre[0]) - word.width // 2, px(centre[1]) - word.height // 2)
        self.image.paste(Image.new("RGB", word.size, (176, 40, 48)), at, word)

    def mrz(self, lines: tuple[str, ...]) -> None:
        """The lines in OCR-B, one character every tenth of an inch, on an unprinted band."""
        width, height = self.style.size
        cap = 2.5
        depth = MRZ_LINE_MM * (len(lines) - 1) + cap
        top = height - 5.0 - depth
        band = (0, px(top - 4.0), px(width), px(height))
        self.draw.rectangle(band, fill=mix(self.style.paper, (255, 255, 255), 0.7))
        face = ImageFont.truetype(OCR_B, px(MRZ_PITCH_MM / 0.723))
        left = (width - MRZ_PITCH_MM * len(lines[0])) / 2
        for row, line in enumerate(lines):
            baseline = px(top + MRZ_LINE_MM * row + cap)
            for column, character in enumerate(line):
                x = px(left + MRZ_PITCH_MM * column)
                self.draw.text((x, baseline), character, font=face, fill=(24, 24, 28), anchor="ls")


def px(mm: float) -> int:
    return round(mm * PX_PER_MM)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`a` with `share` of `b` in it."""
    red, green, blue = (round(p * (1 - share) + q * share) for p, q in zip(a, b, strict=True))
    return red, green, blue


def draw_page(document: Document, lines: tuple[str, ...]) -> Image.Image:
    """The document alone, flat, without the desk."""
    style = STYLES[document.format]
    page = Page(style)
    width, height = style.size
    page.guilloche()
    bar = (0, 0, px(width), px(8.5))
    page.draw.rectangle(bar, fill=style.ink)
    issuer = (name_of(document.issuer) or document.issuer).partition(" (")[0].upper()
    page.text((4, 2), issuer, "DejaVuSans-Bold.ttf", 4.2, (250, 250, 250))
    page.text((width * 0.6, 2.3), style.title, "DejaVuSans.ttf", 3.6, (250, 250, 250))
    mrz_mm = 11.5 + MRZ_LINE_MM * (len(lines) - 1)
    room = height - 8.5 - mrz_mm - 3
    tall = min(room, 45.0)
    page.silhouette((4.0, 10.5, tall * 0.78, tall))
    draw_fields(page, document, 8.0 + tall * 0.78, room)
    page.stamp((width * 0.56, 10 + room / 2), min(13.0, width / 9))
    page.mrz(lines)
    return page.image


def draw_fields(page: Page, document: Document, left: float, room: float) -> None:
    """The printed fields right of the portrait, in two columns below the names."""
    fields = [
        ("Surname", document.surname, 0, 0.0),
        ("Given names", document.given_names, 1, 0.0),
        ("Document No.", document.number, 2, 0.0),
        ("Nationality", document.nationality, 2, 0.55),
        ("Date of birth", document.birth_date or "", 3, 0.0),
        ("Sex", document.sex or "", 3, 0.55),
        ("Date of expiry", document.expiry_date or "", 4, 0.0),
    ]
    step = room / 5
    label, value = min(1.9, step * 0.27), min(3.2, step * 0.46)
    for name, text, row, column in fields:
        x = left + column * (page.style.size[0] - left)
        y = 10.5 + row * step
        page.text((x, y), name, "DejaVuSans.ttf", label, mix(page.style.ink, (90, 90, 90), 0.4))
        page.text((x, y + label * 1.2), text, "DejaVuSans.ttf", value, (34, 34, 40))


def desk(width: int, height: int, seed: int) -> Image.Image:
    """A plain desk top: a soft fall of light and a little grain."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    light = 1.0 - 0.12 * (x / width) - 0.08 * (y / height)
    grain = rng.normal(0, 1.2, (height, width))
    base = np.array([168, 160, 150])
    pixels = base * light[..., None] + grain[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def render(specimen: Specimen) -> Image.Image:
    """The picture that a camera above the desk would take of the specimen."""
    seed = zlib.crc32(specimen.file.encode())
    margin = px(DESK_MARGIN_MM)
    if specimen.document is None:
        width, height = STYLES[Format.TD3].size
        return desk(px(width) + 2 * margin, px(height) + 2 * margin, seed)
    page = draw_page(specimen.document, specimen.lines).filter(ImageFilter.GaussianBlur(0.6))
    image = desk(page.width + 2 * margin, page.height + 2 * margin, seed)
    shadow = Image.new("L", image.size, 0)
    corner = (margin + 6, margin + 8, margin + page.width + 6, margin + page.height + 8)
    ImageDraw.Draw(shadow).rounded_rectangle(corner, px(3), fill=110)
    shade = Image.new("RGB", image.size, (60, 56, 52))
    image.paste(shade, (0, 0), shadow.filter(ImageFilter.GaussianBlur(9)))
    shape = Image.new("L", page.size, 0)
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, *page.size), px(3), fill=255)
    image.paste(page, (margin, margin), shape)
    return image


def main() -> int:
    parser = argparse.ArgumentParser(description="Draw the specimen pages.")
    parser.add_argument("folder", nargs="?", type=Path, default=SPECIMENS_FOLDER)
    parser.add_argument("--check", action="store_true", help="only compare the two CSV files")
    arguments = parser.parse_args()
    texts = {"specimens.csv": specimens_csv(), "demo-list.csv": demo_list_csv()}
    if arguments.check:
        stale = [n for n, t in texts.items() if (arguments.folder / n).read_bytes() != t.encode()]
        for name in stale:
            print(f"{arguments.folder / name} is out of date: run {sys.argv[0]}", file=sys.stderr)
        return 1 if stale else 0
    for path in (OCR_B, DEJAVU):
        if not path.exists():
            print(f"{path} is missing: install fonts-ocr-b and fonts-dejavu-core", file=sys.stderr)
            return 1
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (arguments.folder / name).write_bytes(text.encode())
    for specimen in SPECIMENS:
        path = arguments.folder / specimen.file
        render(specimen).save(path, quality=JPEG_QUALITY, optimize=True)
        print(f"{path}: {path.stat().st_size // 1024} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
